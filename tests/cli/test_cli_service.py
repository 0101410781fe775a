"""service print, install, uninstall: what they write, ask, tell systemctl, and refuse.

The manager here is a script that answers as systemctl does; real systemd is in tests/systemd.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal import environment

from flytesched.errors import Conflict, FlyteschedError
from flytesched.service import installation
from flytesched.service.installation import Service, describe
from flytesched.service.unit import Found
from flytesched.systemd import Manager

if TYPE_CHECKING:
    from terminal import Terminal

#: Writes down what it is told, refuses what the file `refuses` names, and answers what is asked.
SYSTEMCTL = """\
#!/bin/sh
here=${0%/*}
for last; do :; done
case "$*" in
    *--version*) echo "systemd 255 (255.4-1)"; exit ;;
    *LoadState*) cat "$here/load" 2> /dev/null || echo loaded; exit ;;
    *FragmentPath*) cat "$here/fragment" 2> /dev/null || echo "$UNITS/$last"; exit ;;
    *MainPID*) cat "$here/pid" 2> /dev/null || echo 0; exit ;;
esac
echo "$*" | sed 's/ *--no-ask-password//' >> "$here/told"
case "$*" in *"$(cat "$here/refuses" 2> /dev/null || echo nothing)"*)
    echo "Job failed." >&2; exit 1 ;;
esac
"""
FILE = "flytesched.service"


class Systemd:
    """A manager of a user's services."""

    def __init__(self, home: Path) -> None:
        self.bin = home / "bin"
        self.bin.mkdir()
        self.units = home / ".config/systemd/user"
        (home / "run/systemd").mkdir(parents=True)
        program = self.bin / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.environ = {
            "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "UNITS": str(self.units),
            "XDG_CONFIG_HOME": "", "PATH": f"{self.bin}:{os.environ['PATH']}",
        }  # fmt: skip

    @property
    def unit(self) -> Path:
        return self.units / FILE

    @property
    def told(self) -> list[str]:
        path = self.bin / "told"
        return path.read_text().splitlines() if path.exists() else []

    def answers(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text + "\n")


@pytest.fixture
def systemd(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """Give the terminal a manager to talk to."""
    systemd = Systemd(empty.home)
    for name, value in systemd.environ.items():
        monkeypatch.setenv(name, value)
    return systemd


def service(systemd: Systemd, *, user: bool = True, manager: Manager | None = None) -> Service:
    environ = os.environ | systemd.environ
    return describe(
        manifest=None, state_dir=None, environ=environ, argv=["x.py"], executable=sys.executable,
        user=user, manager=manager,
    )  # fmt: skip


# -- print --------------------------------------------------------------------------------------


def test_print_shows_what_install_writes(empty: Terminal, systemd: Systemd) -> None:
    """And changes nothing."""
    printed = empty.ok("service", "print", "--user").out
    assert systemd.told == []
    assert not systemd.units.exists()
    empty.ok("service", "install", "--user")
    assert systemd.unit.read_text() == printed
    assert systemd.unit.stat().st_mode & 0o777 == 0o644


def test_print_answers_in_json(empty: Terminal, systemd: Systemd) -> None:
    """With the paths that the text is about."""
    said = empty.json("service", "print", "--user", "--name", "mine.service")
    text = said.pop("text")
    assert said == {
        "schema": 1,
        "kind": "unit",
        "name": "mine.service",
        "path": str(systemd.units / "mine.service"),
        "user": True,
        "manifest": str(empty.manifest),
        "state_dir": str(empty.state),
    }
    assert "SyslogIdentifier=mine\n" in text


def test_only_what_was_given_is_written_down(
    empty: Terminal, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths as options, other settings as variables; what a run is told is neither."""
    monkeypatch.setenv("FLYTESCHED_MISSED_AFTER", "20s")
    monkeypatch.setenv("FLYTESCHED_RUN_ID", "sched-x-1")
    said = empty.ok("service", "print", "--user").out
    assert f"--manifest {empty.manifest} --state-dir {empty.state} run\n" in said
    assert "Environment=FLYTESCHED_MISSED_AFTER=20s\n" in said
    assert "RUN_ID" not in said
    for name in ("FLYTESCHED_MANIFEST", "FLYTESCHED_STATE_DIR"):
        monkeypatch.delenv(name)
    assert " -m flytesched run\n" in empty.ok("service", "print").out
    assert systemd.told == []


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_the_installed_program_is_named_as_it_was_called(
    systemd: Systemd, tmp_path: Path, *, link: bool
) -> None:
    """A link stays one: an upgrade may let it point elsewhere."""
    program = tmp_path / "flytesched"
    if link:
        program.symlink_to(systemd.bin / "systemctl")
    else:
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    found = describe(
        manifest=None, state_dir=None, environ=os.environ | systemd.environ,
        argv=[os.path.relpath(program)], executable="/usr/bin/python3", user=True,
    )  # fmt: skip
    assert found.unit.program == (str(program),)
    assert installation.writable_by_others(found.unit) is None
    program.chmod(0o777)
    assert installation.writable_by_others(found.unit) == str(program)


def test_without_systemd_it_prints_what_any_systemd_takes(
    empty: Terminal, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version cannot be asked."""
    monkeypatch.setenv("PATH", str(empty.home))
    assert "Type=notify\n" in empty.ok("service", "print").out
    said = empty.run("service", "install", "--user")
    assert (said.code, systemd.unit.exists()) == (1, False)
    assert "systemctl is not installed" in said.err


@pytest.mark.usefixtures("systemd")
def test_a_user_that_the_machine_does_not_know_can_have_no_service(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under a number."""
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_123)
    said = empty.run("service", "print", "--user")
    assert (said.code, said.out) == (1, "")
    assert "the user 4000000123 is not in the password database" in said.err


# -- install ------------------------------------------------------------------------------------


def test_install_says_what_it_did_and_what_to_type_next(empty: Terminal, systemd: Systemd) -> None:
    """Neither enabled nor started; once more changes nothing."""
    said = empty.ok("service", "install", "--user")
    assert said.out == f"installed {systemd.unit}\n"
    assert f"next: systemctl --user enable --now {FILE}" in said.err
    assert "loginctl enable-linger" in said.err
    assert systemd.told == ["--user daemon-reload"]
    assert empty.ok("service", "install", "--user").out == f"unchanged: {systemd.unit}\n"
    said = empty.ok("service", "install", "--user", "--harden")
    assert said.out == f"replaced {systemd.unit}\n"
    assert "every command inherits the sandbox" in said.err


def test_install_now_enables_and_starts(empty: Terminal, systemd: Systemd) -> None:
    """One that runs with another unit is restarted, with this one left alone."""
    empty.write("version = 1\n")
    reload, enable, restart = (
        "--user daemon-reload",
        f"--user enable {FILE}",
        f"--user restart {FILE}",
    )
    said = empty.ok("service", "install", "--user", "--now")
    assert f"enabled and started {FILE}\n" in said.out
    assert systemd.told == [reload, enable, restart]
    systemd.answers("pid", "4711")
    said = empty.ok("service", "install", "--user", "--now")
    assert systemd.told[3:] == [reload, enable]
    assert "next:" not in said.err
    empty.ok("service", "install", "--user", "--now", "--harden")
    assert systemd.told[5:] == [reload, enable, restart]
    said = empty.ok("service", "install", "--user")
    assert f"next: systemctl --user restart {FILE}" in said.err


def test_a_start_that_has_to_wait_for_the_manifest_is_not_waited_for(
    empty: Terminal, systemd: Systemd
) -> None:
    """It says what has to be mended."""
    said = empty.ok("service", "install", "--user", "--now")
    assert systemd.told[-1] == f"--user restart --no-block {FILE}"
    assert f"it waits for its manifest: {empty.manifest}: there is no manifest here" in said.err


def test_a_dry_run_shows_all_and_does_nothing(empty: Terminal, systemd: Systemd) -> None:
    """For both."""
    said = empty.ok("service", "install", "--user", "--now", "--dry-run").out
    assert said.startswith(f"would write {systemd.unit}:\n# Made by flytesched")
    assert said.endswith(f"would do: systemctl --user restart {FILE}\n")
    assert (systemd.told, systemd.units.exists()) == ([], False)
    empty.ok("service", "install", "--user")
    before = empty.print()
    said = empty.ok("service", "install", "--user", "--harden", "--dry-run").out
    assert said.startswith("would replace")
    said = empty.ok("service", "uninstall", "--user", "--dry-run").out
    assert said.splitlines() == [
        f"would do: systemctl --user disable --now {FILE}",
        f"would remove {systemd.unit}",
    ]
    assert empty.print() == before


@pytest.mark.parametrize(
    ("verb", "answer", "done"),
    [
        ("install", "n", False), ("install", "y", True),
        ("uninstall", "n", False), ("uninstall", "y", True),
    ],
)  # fmt: skip
def test_on_a_terminal_it_asks(
    empty: Terminal, systemd: Systemd, verb: str, answer: str, *, done: bool
) -> None:
    """And names the file."""
    if verb == "uninstall":
        empty.ok("service", "install", "--user")
    code, shown = _asked(empty, systemd, answer, "service", verb, "--user")
    assert str(systemd.unit).encode() in shown.replace(b"\r\n", b"")
    assert code == (0 if done else 1)
    assert systemd.unit.exists() is (done == (verb == "install"))
    assert (b"nothing was changed" in shown) is not done


def _asked(terminal: Terminal, systemd: Systemd, answer: str, *words: str) -> tuple[int, bytes]:
    """Answer the question of a command; return its exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as screen:
        command = subprocess.Popen(
            [sys.executable, "-m", "flytesched", *words], stdin=theirs, stderr=theirs,
            stdout=subprocess.DEVNULL, env=environment(terminal.home) | systemd.environ,
        )  # fmt: skip
        os.close(theirs)
        screen.write(answer.encode() + b"\n")
        shown = b""
        try:
            while more := screen.read(4096):
                shown += more
        except OSError:  # nobody holds the other end
            pass
    return command.wait(60), shown


@pytest.mark.parametrize("text", ["[Unit]\n", "# Made by flytesched; sha256 of what follows: x\n"])
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_unit_that_is_not_as_we_made_it_is_left_alone(
    empty: Terminal, systemd: Systemd, verb: str, text: str
) -> None:
    """--force overrides."""
    systemd.units.mkdir(parents=True)
    systemd.unit.write_text(text)
    said = empty.run("service", verb, "--user", "--yes")
    assert said.code == 4
    assert f"{systemd.unit} was not made by flytesched" in said.err
    assert (systemd.unit.read_text(), systemd.told) == (text, [])
    empty.ok("service", verb, "--user", "--yes", "--force")
    assert systemd.unit.exists() is (verb == "install")


def test_a_unit_that_somebody_changed_is_left_alone(empty: Terminal, systemd: Systemd) -> None:
    """The hint names what makes changes that stay."""
    empty.ok("service", "install", "--user")
    changed = systemd.unit.read_text().replace("60s", "5min")
    systemd.unit.write_text(changed)
    said = empty.run("service", "install", "--user")
    assert said.code == 4
    assert "was changed since flytesched made it" in said.err
    assert systemd.unit.read_text() == changed


@pytest.mark.parametrize("target", ["/dev/null", "elsewhere"])
def test_a_link_is_not_followed(empty: Terminal, systemd: Systemd, target: str) -> None:
    """A link to /dev/null is how systemctl masks a unit."""
    systemd.units.mkdir(parents=True)
    systemd.unit.symlink_to(target)
    said = empty.run("service", "install", "--user", "--force")
    assert said.code == 4
    assert ("is masked" if target == "/dev/null" else "is a symbolic link") in said.err


def test_a_folder_in_its_place_is_named(empty: Terminal, systemd: Systemd) -> None:
    """It is nobody's unit."""
    systemd.unit.mkdir(parents=True)
    said = empty.run("service", "install", "--user", "--force")
    assert (said.code, "is not a file" in said.err) == (4, True)


def test_a_place_that_cannot_be_written_is_named(empty: Terminal, systemd: Systemd) -> None:
    """Nothing is left of the attempt."""
    systemd.units.parent.parent.mkdir()
    systemd.units.parent.write_text("in the way")
    said = empty.run("service", "install", "--user")
    assert said.code == 1
    assert "Not a directory" in said.err or "cannot be made" in said.err
    assert systemd.told == []


@pytest.mark.parametrize("before", [False, True], ids=["new", "renewed"])
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("refuses", "daemon-reload", "daemon-reload failed: Job failed."),
        ("load", "bad-setting", "it says bad-setting"),
        ("fragment", "/etc/elsewhere", "it reads /etc/elsewhere instead"),
        ("fragment", "", "it reads no file instead"),
    ],
)
def test_a_unit_that_systemd_does_not_take_is_taken_back(
    empty: Terminal, systemd: Systemd, name: str, text: str, why: str, *, before: bool
) -> None:
    """What was there is there again."""
    if before:
        empty.ok("service", "install", "--user")
    old = systemd.unit.read_text() if before else None
    systemd.answers(name, text)
    said = empty.run("service", "install", "--user", "--harden")
    assert said.code == 1
    assert why in said.err
    assert (systemd.unit.read_text() if systemd.unit.exists() else None) == old
    assert not list(systemd.units.glob(".*"))


def test_a_service_that_does_not_start_stays_installed_and_says_where_to_look(
    empty: Terminal, systemd: Systemd
) -> None:
    """The journal knows why."""
    empty.write("version = 1\n")
    systemd.answers("refuses", "restart")
    said = empty.run("service", "install", "--user", "--now")
    assert said.code == 1
    assert f"is installed, but systemctl --user restart {FILE} failed: Job failed." in said.err
    assert "journalctl --user -u flytesched" in said.err
    assert systemd.unit.exists()


def test_a_service_is_not_started_beside_another_scheduler(
    empty: Terminal, systemd: Systemd
) -> None:
    """Unless that is the service itself."""
    empty.write("version = 1\n")
    lock = service(systemd).site.lock()
    empty.state.mkdir(mode=0o700)
    lock.acquire("run")
    try:
        said = empty.run("service", "install", "--user", "--now")
        assert said.code == 6
        assert f"pid {os.getpid()}" in said.err
        assert not systemd.unit.exists()
        systemd.answers("pid", str(os.getpid()))
        empty.ok("service", "install", "--user", "--now")
    finally:
        lock.release()


# -- managers -----------------------------------------------------------------------------------


def test_without_a_manager_of_the_user_nothing_is_written(
    empty: Terminal, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told apart: no folder is named, or nobody is in it."""
    for value, why in (("", "is not set"), (str(empty.home), "nobody listens in")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        said = empty.run("service", "install", "--user")
        assert said.code == 1
        assert why in said.err
        assert "enable-linger" in said.err
    assert not systemd.units.exists()


def test_a_machine_that_systemd_does_not_run_is_told(systemd: Systemd, tmp_path: Path) -> None:
    """As sd_booted(3) tells it."""
    manager = Manager(systemd.environ, etc=tmp_path / "etc", run=tmp_path / "run")
    with pytest.raises(FlyteschedError, match="systemd does not run this machine"):
        installation.install(service(systemd, user=False, manager=manager))
    assert not (tmp_path / "etc").exists()


def test_a_service_of_the_machine_is_put_into_etc(systemd: Systemd, tmp_path: Path) -> None:
    """By root only; it lingers by itself."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    units = tmp_path / "etc/systemd/system"
    environ = os.environ | systemd.environ | {"UNITS": str(units)}
    manager = Manager(environ, etc=tmp_path / "etc", run=tmp_path / "run")
    one = service(systemd, user=False, manager=manager)
    if os.geteuid() != 0:
        with pytest.raises(FlyteschedError, match="only root"):
            installation.install(one)
        return
    assert installation.install(one).before is Found.NOTHING
    assert (units / FILE).exists()
    assert manager.lingers()
    assert installation.uninstall(one) == 0
    assert not (units / FILE).exists()


def test_a_user_lingers_once_asked_to(systemd: Systemd, tmp_path: Path) -> None:
    """logind keeps a file for each (loginctl(1))."""
    import pwd

    manager = Manager(systemd.environ, user=True, state=tmp_path)
    assert not manager.lingers()
    (tmp_path / "systemd/linger").mkdir(parents=True)
    (tmp_path / "systemd/linger" / pwd.getpwuid(os.getuid()).pw_name).touch()
    assert manager.lingers()


def test_units_of_a_user_lie_where_xdg_says(tmp_path: Path) -> None:
    """And without a home in the environment, below the one of the password database."""
    given = Manager({"XDG_CONFIG_HOME": str(tmp_path)}, user=True)
    assert given.folder == tmp_path / "systemd/user"
    assert Manager({}, user=True).folder == Path.home() / ".config/systemd/user"


# -- uninstall ----------------------------------------------------------------------------------


def test_uninstall_takes_the_unit_away_and_says_what_stays(
    empty: Terminal, systemd: Systemd
) -> None:
    """Nobody can be asked here, so --yes is needed."""
    empty.ok("service", "install", "--user")
    assert empty.run("service", "uninstall", "--user").code == 2
    said = empty.ok("service", "uninstall", "--user", "--yes")
    assert said.out == f"stopped and disabled {FILE}\nremoved {systemd.unit}\n"
    assert "schedules, history and logs stay" in said.err
    assert systemd.told[1:] == [f"--user disable --now {FILE}", "--user daemon-reload"]
    said = empty.run("service", "uninstall", "--user", "--yes")
    assert (said.code, "no service is installed" in said.err) == (3, True)


def test_a_service_that_cannot_be_stopped_stays_installed(
    empty: Terminal, systemd: Systemd
) -> None:
    """Removing its unit would leave a scheduler that nobody knows of."""
    empty.ok("service", "install", "--user")
    systemd.answers("refuses", "disable")
    said = empty.run("service", "uninstall", "--user", "--yes")
    assert (said.code, systemd.unit.exists()) == (1, True)


@pytest.mark.usefixtures("systemd")
def test_a_run_log_that_cannot_be_read_hinders_no_uninstall(empty: Terminal) -> None:
    """How many commands run on is a courtesy."""
    empty.ok("service", "install", "--user")
    empty.state.mkdir(mode=0o700)
    (empty.state / "runs.db").write_text("no database, but long enough to be taken for one" * 99)
    empty.ok("service", "uninstall", "--user", "--yes")


def test_a_unit_that_cannot_be_read_is_named(systemd: Systemd, tmp_path: Path) -> None:
    """A folder on the way that is none."""
    (tmp_path / "etc").write_text("")
    manager = Manager(systemd.environ, etc=tmp_path / "etc")
    with pytest.raises((FlyteschedError, Conflict)):
        installation.install(service(systemd, user=False, manager=manager))
