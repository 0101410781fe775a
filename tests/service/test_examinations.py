"""doctor: what it finds wrong with schedules, their commands, the scheduler and the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desk import Desk, wait_for
from flytesched import linux
from flytesched.bootstrap import open_site
from flytesched.clock import now
from flytesched.core.decision import Decision
from flytesched.core.runs import Attempt, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.sight import see
from flytesched.lock import SchedulerLock
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.service import vitals
from flytesched.service.doctor import Finding, doctor
from flytesched.service.examinations import manifest, state_directory
from flytesched.state_dir import prepare_state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flytesched.bootstrap import Site


class Ward:
    """A site whose manifest, run log and surroundings can be spoilt."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.manifest = home / "schedules.toml"
        self.state = home / "state"
        self.bin = home / "bin"
        self.bin.mkdir()
        self.environ = {"HOME": str(home), "PATH": f"{self.bin}:/usr/bin:/bin"}

    @property
    def site(self) -> Site:
        return open_site(
            manifest=str(self.manifest), state_dir=str(self.state), environ=self.environ
        )

    def write(self, text: str, *, name: str = "x", when: str = 'every = "1h"') -> None:
        """Write a manifest of one schedule."""
        self.manifest.write_text(f"version = 1\n[schedules.{name}]\n{when}\n{text}\n")
        self.manifest.chmod(0o644)

    def remember(self, *runs: Run, schedules: tuple[Schedule, ...] = ()) -> None:
        """Let the run log know of runs and schedules."""
        prepare_state_dir(self.state)
        log = SqliteRunLog(self.state / "runs.db")
        states = tuple(see(each, None, now() - 86_400).state for each in schedules)
        log.apply(Decision(runs=runs, schedules=states))
        log.close()

    def program(self, name: str, text: str = "#!/bin/sh\n", *, mode: int = 0o755) -> Path:
        """Put a program into a folder of the PATH."""
        path = self.bin / name
        path.write_text(text, newline="")
        path.chmod(mode)
        return path

    def findings(self, about: str) -> list[Finding]:
        examinations = [each for each in vitals.EXAMINATIONS if each.about == about]
        assert examinations, about
        return [*doctor(self.site, examinations).findings]

    def told(self, about: str) -> list[str]:
        """Return what is told of one subject, as people read it."""
        return [
            f"{each.level}: {each.what}; {each.do}" if each.do else f"{each.level}: {each.what}"
            for each in self.findings(about)
        ]


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    """Give a site with nothing but a home."""
    return Ward(tmp_path)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk in the same home, for a scheduler; its loops are ended with the test."""
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    yield desk
    desk.clear()


# -- commands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('command = ["nowhere", "-v"]', "no such command 'nowhere'"),
        ('command = ["/nowhere/x"]', "'/nowhere/x' does not exist"),
        ('command = "nowhere --fast now"', "no such command 'nowhere'"),
        ('command = "nowhere | sort > out"', "no such command 'nowhere'"),
        ('command = "nowhere; echo done"', "no such command 'nowhere'"),
        ('command = "FOO=1 BAR= nowhere x"', "no such command 'nowhere'"),
        ('command = "cd / && nowhere"', "no such command 'nowhere'"),
        ('command = "cd /tmp; A=b nowhere"', "no such command 'nowhere'"),
        ('command = "cd bin && ./gone"', "/bin/./gone' does not exist"),
        ('command = "nowhere"\nshell = "/bin/bash"', "no such command 'nowhere'"),
        ('command = """\n  nowhere a\n  echo b\n"""', "no such command 'nowhere'"),
        ('command = "true"\nshell = "/bin/nosh"', "'/bin/nosh' does not exist"),
        ('command = "true"\ncwd = "gone"', "/gone' is no folder that can be entered"),
        ('command = "true"\nenv_file = "gone.env"', "cannot read env_file"),
        ('command = ["plain"]', "does not begin with #!"),
        ('command = ["dos"]', "has the line ends of Windows"),
        ('command = ["old"]', "wants another program: '/opt/python2' does not exist"),
        ('command = "old"', "wants another program: '/opt/python2' does not exist"),
        ('command = ["older"]', "wants another program: no such command 'python0'"),
        ('command = ["loose"]', "anybody may change"),
        ('command = ["bin/asleep"]', "/bin/asleep' is not executable"),
        ('command = ["real"]\nenv = { PATH = "/usr/bin" }', "no such command 'real'"),
        ('command = "mod_gone.jobs:run"\nexecutor = "python"', "no module named 'mod_gone'"),
    ],
)
def test_what_cannot_start_is_a_problem(ward: Ward, text: str, says: str) -> None:
    """With the schedule, and what to do."""
    ward.program("plain", "echo hi\n")
    ward.program("dos", "#!/bin/sh\r\necho hi\r\n")
    ward.program("old", "#!/opt/python2 -u\n")
    ward.program("older", "#!/usr/bin/env -S A=1 python0 -u\n")
    ward.program("loose", mode=0o777)
    ward.program("asleep", mode=0o644)
    ward.program("real")
    ward.write(text)

    (finding,) = ward.findings("commands")

    assert finding.level == "problem"
    assert finding.what.startswith("x: ")
    assert says in finding.what
    assert finding.do


@pytest.mark.parametrize(
    "text",
    [
        'command = ["real"]',
        'command = ["bin/real"]',
        'command = "real --fast"',
        'command = "~/bin/real"',
        'command = "cd $HOME && nowhere"',
        'command = "cd bin && ./real"',
        'command = "cd /tmp && cd / && nowhere"',
        'command = "cd /tmp || nowhere"',
        'command = "cd - && ./nowhere"',
        'command = "PATH=/opt/x nowhere"',
        'command = "X=$(date) nowhere"',
        'command = "nowhere() { :; }; nowhere"',
        'command = "nowhere () { :; }"',
        'command = "X=1 real"',
        'command = "$NOWHERE"',
        'command = "if nowhere; then :; fi"',
        'command = "nowhere"\nshell = "/bin/sh-of-mine"',
        'command = "nowhere"\nshell = "/bin/bash"\nenv = { BASH_ENV = "/x" }',
        'command = ["enved"]',
        'command = ["binary"]',
        'command = ["nowhere"]\nenabled = false',
        'command = "json.tool:main"\nexecutor = "python"',
        'command = "mine.jobs:run"\nexecutor = "python"',
        'command = "theirs:run"\nexecutor = "python"\nenv = { PYTHONPATH = "lib:/nowhere" }',
    ],
)
def test_what_may_well_start_is_not_blamed(ward: Ward, text: str) -> None:
    """A shell may know better, a disabled schedule may wait, and a module is never imported."""
    ward.program("real")
    ward.program("enved", "#!/usr/bin/env sh\n")
    (ward.bin / "binary").write_bytes(b"\x7fELF\x02\0\0\n")
    (ward.bin / "binary").chmod(0o755)
    (ward.home / "mine.py").write_text("raise SystemExit('imported')\n")
    (ward.home / "lib").mkdir()
    (ward.home / "lib" / "theirs.py").write_text("raise SystemExit('imported')\n")
    own = ward.home / "sh-of-mine"
    own.symlink_to("/bin/sh")
    ward.write(text.replace("/bin/sh-of-mine", str(own)).replace("lib:", f"{ward.home}/lib:"))

    (finding,) = ward.findings("commands")

    assert finding.level == "ok", finding


def test_a_program_that_may_only_be_executed_is_not_looked_into(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is pretended."""
    path = ward.program("secret", "no script\n")
    ward.write('command = ["secret"]')
    plain = open

    def refused(name: Any, *rest: Any, **more: Any) -> Any:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied", str(name))
        return plain(name, *rest, **more)

    monkeypatch.setattr("builtins.open", refused)

    assert [each.level for each in ward.findings("commands")] == ["ok"]


def test_what_could_not_be_read_does_not_count_as_looked_at(ward: Ward) -> None:
    """A healthy answer says of how many it speaks."""
    ward.program("real")
    texts = ["real", "A=1 real", "cd bin && ./real", "$NOWHERE", "if nowhere; then :; fi"]
    ward.write("\n".join(
        f"command = {text!r}\n[schedules.more-{number}]\nevery = '1h'"
        for number, text in enumerate(texts)
    ) + "\ncommand = ['real']")  # fmt: skip

    (finding,) = ward.findings("commands")

    assert finding.what.endswith("(4 looked at, 2 left to the shell)")


def test_a_hook_that_is_not_there_is_a_warning(ward: Ward) -> None:
    """The run itself goes well."""
    ward.write('command = "true"\non_failure = ["nowhere"]')

    assert ward.told("commands") == [
        "warning: x: on_failure: no such command 'nowhere'; install it, or mend the command"
    ]


def test_schedules_with_the_same_fault_are_one_finding(ward: Ward) -> None:
    """There may be ten thousand."""
    ward.manifest.write_text(
        "version = 1\n"
        + "".join(f'[schedules.n{n}]\nevery = "1h"\ncommand = ["nowhere"]\n' for n in range(1_500))
    )

    (finding,) = ward.findings("commands")

    assert finding.what == "1,500 schedules, such as n0: no such command 'nowhere'"


def test_commands_are_looked_up_where_the_scheduler_looks(ward: Ward, desk: Desk) -> None:
    """A terminal often has a longer PATH than a service."""
    ward.program("mine")
    ward.write('command = ["mine"]')
    assert [each.level for each in ward.findings("commands")] == ["ok"]
    assert "this terminal's PATH; a service may have another" in ward.told("environment")[0]

    desk.start(more={"PATH": "/usr/bin:/bin"})

    assert ward.told("commands") == [
        f"problem: x: no such command 'mine'; this terminal finds {ward.bin}/mine: write that, or"
        " set PATH with env"
    ]
    assert ward.findings("environment")[0].what == (
        f"the scheduler's PATH lacks what this terminal's has: {ward.bin}"
    )
    ward.environ["PATH"] = "/usr/bin"
    assert ward.told("environment") == ["ok: the scheduler's PATH has all of this terminal's"]


# -- the manifest -------------------------------------------------------------------------------


def test_a_broken_manifest_is_a_problem(ward: Ward, desk: Desk) -> None:
    """While a scheduler runs, the last good set stays in force."""
    assert ward.told("manifest")[0].startswith("ok: there is none at ")
    ward.write('command = "true"')
    assert ward.told("manifest") == ["ok: it can be read: 1 schedule, 1 of them enabled"]
    ward.write('comand = "true"')
    (finding,) = ward.findings("manifest")
    assert finding.level == "problem"
    assert finding.what.startswith(f"it is broken: {ward.manifest}:2: x: has no command; ")
    assert finding.do == "see every fault with: flytesched validate"

    ward.write('command = "true"')
    desk.start()
    ward.write('comand = "true"')

    assert "the scheduler goes on with the last good set" in (ward.findings("manifest")[0].do or "")


def test_a_manifest_that_only_the_scheduler_cannot_read_is_a_problem(
    ward: Ward, desk: Desk
) -> None:
    """It said so in the run log."""
    ward.write('command = "true"')
    desk.start()
    log = SqliteRunLog(ward.state / "runs.db")
    log.apply(Decision(meta={"manifest_error": "schedules.toml: may not be read by you\nmore"}))
    log.close()

    _, finding = ward.findings("manifest")

    assert finding.level == "problem"
    assert finding.what.endswith(": schedules.toml: may not be read by you")


def test_the_state_directory_of_another_manifest_is_a_problem(ward: Ward) -> None:
    """`run` would refuse it."""
    ward.write('command = "true"')
    ward.remember()
    log = SqliteRunLog(ward.state / "runs.db")
    log.apply(Decision(meta={"manifest": "/etc/other.toml"}))
    log.close()

    _, finding = ward.findings("manifest")

    assert finding.level == "problem"
    assert finding.what == f"{ward.state} belongs to another manifest: /etc/other.toml"


@pytest.mark.parametrize(
    ("change", "level"),
    [
        (lambda path: path.chmod(0o646), "problem"),
        (lambda path: path.parent.chmod(0o777), "problem"),
        (lambda path: path.parent.chmod(0o1777), "ok"),
        (lambda path: path.chmod(0o664), "ok"),
    ],
)
def test_who_may_change_what_runs_is_told(
    ward: Ward, change: Callable[[Path], object], level: str
) -> None:
    """The group that a user has alone counts as the user."""
    ward.write('command = "true"')

    change(ward.manifest)

    assert [each.level for each in ward.findings("owner")] == [level]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("user", "group", "mode", "level"),
    [(0, 12, 0o664, "warning"), (12345, 0, 0o664, "warning"), (12345, 0, 0o644, "warning")],
)
def test_what_a_group_or_another_user_may_change_is_a_warning(
    ward: Ward, user: int, group: int, mode: int, level: str
) -> None:
    """It may be meant."""
    ward.write('command = "true"')
    os.chown(ward.manifest, user, group)
    ward.manifest.chmod(mode)

    assert [each.level for each in ward.findings("owner")] == [level]


def test_without_a_manifest_nobody_can_change_it(ward: Ward) -> None:
    """And the others have nothing to look at either."""
    assert [each.level for each in ward.findings("owner")] == ["ok"]
    assert [each.level for each in ward.findings("commands")] == ["ok"]


def test_schedules_that_do_the_same_twice_are_a_warning(ward: Ward) -> None:
    """The same command at other times, or with another environment, is none of it."""
    same = 'every = "1h"\ncommand = "backup"\n'
    ward.manifest.write_text(
        f"version = 1\n[schedules.a]\n{same}[schedules.b]\n{same}"
        f'[schedules.c]\n{same}env = {{ DISK = "2" }}\n'
        '[schedules.d]\nevery = "2h"\ncommand = "backup"\n'
    )
    assert ward.told("twins") == [
        "warning: a and b run the same command at the same times; remove what is too much"
    ]

    ward.write('command = "backup"')

    assert [each.level for each in ward.findings("twins")] == ["ok"]


def test_a_crowd_at_one_second_is_a_warning(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """With jitter it is none."""
    # Two thousand schedules would take a test a second to read.
    monkeypatch.setattr(manifest, "CROWD", 20)
    crowd = "".join(f'[schedules.n{n}]\ndaily = "02:00"\ncommand = "true"\n' for n in range(20))

    ward.manifest.write_text(f'version = 1\n[defaults]\ntimezone = "UTC"\n{crowd}')
    (finding,) = ward.findings("crowd")
    assert finding.level == "warning"
    assert finding.what.startswith("20 schedules without jitter start at 20")
    ward.manifest.write_text(f'version = 1\n[defaults]\njitter = "1m"\n{crowd}')
    assert [each.level for each in ward.findings("crowd")] == ["ok"]


# -- the scheduler ------------------------------------------------------------------------------


def test_without_a_scheduler_slots_pass_by(ward: Ward, desk: Desk) -> None:
    """Nothing due is nothing lost."""
    ward.write('command = "true"\nenabled = false')
    assert ward.told("scheduler") == ["ok: none runs, and no slot falls due"]
    ward.write('command = "true"')
    assert [each.level for each in ward.findings("scheduler")] == ["warning"]

    loop = desk.start()

    assert ward.told("scheduler")[0].startswith(f"ok: it runs, pid {loop.pid}, since 20")


def test_a_lock_that_cannot_be_looked_at_is_a_problem(ward: Ward) -> None:
    """Nobody can tell whether a scheduler runs."""
    prepare_state_dir(ward.state)
    (ward.state / "scheduler.lock").symlink_to("elsewhere")

    (finding,) = ward.findings("scheduler")

    assert finding.level == "problem"
    assert "scheduler.lock" in finding.what


def test_an_overdue_slot_is_a_problem_while_a_scheduler_runs(ward: Ward) -> None:
    """One that hangs holds the lock; without one, slots are missed rather than overdue."""
    ward.write('command = "true"')
    ward.remember(schedules=(Schedule("x", every="1h", command="true"),))
    assert [each.level for each in ward.findings("overdue")] == ["ok"]

    lock = SchedulerLock(ward.state)
    lock.acquire("run")
    try:
        (finding,) = ward.findings("overdue")
    finally:
        lock.release()

    assert finding.level == "problem"
    assert finding.what.startswith("x: the slot 20")


def _run(number: int, status: RunStatus, **more: object) -> Run:
    slot = int(now()) // 3600 * 3600 - number * 3600
    ended = {} if status is RunStatus.RUNNING else {"ended": slot + 4.0}
    facts = {"exit_code": 3} if status is RunStatus.FAILED else {}
    return Run(
        id=f"sched-x-{slot}", schedule="x", scheduled_at=slot, origin=Origin.SCHEDULE,
        status=status, created=slot, started=slot + 1.0, attempt=1, **ended, **facts, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "skips", "said"),
    [(2, 0, None), (3, 0, "3 times"), (4, 3, "4 times"), (30, 0, "20 times or more")],
)
def test_a_schedule_that_fails_again_and_again_is_a_warning(
    ward: Ward, failures: int, skips: int, said: str | None
) -> None:
    """Skipped runs say nothing of its command; two failures may be an accident."""
    ward.write('command = "exit 3"')
    skipped = [_run(n, RunStatus.SKIPPED, reason="overlap") for n in range(skips)]
    failed = [_run(n + skips, RunStatus.FAILED) for n in range(failures)]
    ward.remember(*skipped, *failed, _run(failures + skips, RunStatus.SUCCEEDED))

    (finding,) = ward.findings("failing")

    if said is None:
        assert finding.level == "ok"
    else:
        assert finding.level == "warning"
        assert finding.what == f"x failed {said} in a row, at last failed(exit 3)"
        assert finding.do == "see why: flytesched logs x"


def test_open_missed_slots_are_told(ward: Ward, desk: Desk) -> None:
    """They wait for a catch-up, which is no illness."""
    ward.write('command = "true"\ncatchup = "latest"', when='every = "1m"')
    ward.remember(schedules=(Schedule("x", every="1m", command="true"),))
    desk.run("run", "--once")

    *_, finding = ward.findings("overdue")

    assert (finding.level, finding.do) == ("ok", "flytesched catchup --dry-run shows them")
    assert finding.what.startswith("missed slots that may still be caught up: 1,")


@pytest.mark.parametrize(("hours", "usual", "level"), [(3, True, "warning"), (3, False, "ok")])
def test_a_run_that_takes_much_longer_than_usual_is_a_warning(
    ward: Ward, hours: int, usual: bool, level: str
) -> None:
    """Where nothing is known, nothing is long."""
    ward.write('command = "sleep 3"')
    past = [_run(n, RunStatus.SUCCEEDED) for n in range(hours + 1, hours + 4)] if usual else []
    ward.remember(*past, _run(hours, RunStatus.RUNNING))

    (finding,) = ward.findings("long_runs")

    assert finding.level == level
    if usual:
        assert " has been active for 3h" in finding.what
        assert finding.what.endswith("; 3s is usual")


# -- the machine --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kept", "level"), [(True, "ok"), (False, "warning"), (None, "ok")])
def test_a_clock_that_nothing_keeps_right_is_a_warning(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, kept: bool | None, level: str
) -> None:
    """No test sets the clock of a machine."""
    monkeypatch.setattr(linux, "clock_is_kept", lambda: kept)

    assert [each.level for each in ward.findings("time_service")] == [level]


def test_the_kernel_is_asked_who_keeps_the_clock() -> None:
    """It says yes or no, or may not be asked in a sandbox."""
    assert linux.clock_is_kept() in {True, False, None}


@pytest.mark.parametrize(
    ("file", "line", "level", "says"),
    [
        ("tzdata.zi", "# version 2019c\n", "warning", "the rules of 2019c"),
        ("+VERSION", "2099a\n", "ok", "the rules of 2099a"),
        ("tzdata.zi", "# redo\n", "ok", "the rules in "),
        (None, "", "problem", "no database of time zones"),
    ],
)
def test_old_rules_of_time_zones_are_told(
    ward: Ward, file: str | None, line: str, level: str, says: str
) -> None:
    """A real folder in the place of the machine's."""
    folder = ward.home / "zoneinfo"
    if file is not None:
        folder.mkdir()
        (folder / file).write_text(line)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(folder)])
    try:
        (finding,) = ward.findings("zones")
    finally:
        zoneinfo.reset_tzpath(to=before)

    assert finding.level == level
    assert says in finding.what


def test_a_zone_that_only_this_terminal_has_is_a_warning(ward: Ward, desk: Desk) -> None:
    """Where a schedule names none; the scheduler that runs is asked, or the machine."""
    ward.write('command = "true"', when='daily = "02:00"')
    ward.environ["TZ"] = "Pacific/Apia"
    _, finding = ward.findings("zones")
    assert finding.level == "warning"
    assert finding.what.startswith("x: planned in Pacific/Apia here (environment TZ), and by a se")

    ward.write('command = "true"', when='daily = "02:00"\ntimezone = "Asia/Tokyo"')
    assert len(ward.findings("zones")) == 1
    ward.write('command = "true"', when='daily = "02:00"')
    desk.start(more={"TZ": "Asia/Kabul"})

    assert ward.findings("zones")[1].what.endswith("and by the scheduler in Asia/Kabul")


# -- room ---------------------------------------------------------------------------------------


class Room:
    """What statvfs(3) says of a disk."""

    f_frsize, f_files, f_favail = 4096, 0, 0

    def __init__(self, free: int) -> None:
        self.f_bavail = free // 4096


@pytest.mark.parametrize(
    ("free", "keeps", "level", "says"),
    [
        (2**40, "", "ok", " a day are added, and there is room for "),
        (2**20, "", "warning", " a day are added, and there is room for "),
        (2**20, 'keep_runs = "2d"\nkeep_logs = "2d"', "ok", "what is too old makes room"),
    ],
)
def test_how_long_the_room_lasts_is_foreseen(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, *, free: int, keeps: str, level: str, says: str
) -> None:
    """By the rows and the logs of a week."""
    ward.manifest.write_text(f"version = 1\n[settings]\n{keeps}\n")
    runs = [_run(n, RunStatus.SUCCEEDED) for n in range(24 * 4, 0, -1)]
    ward.remember(*runs)
    log = SqliteRunLog(ward.state / "runs.db")
    log.apply(Decision(attempts=tuple(_logged(ward, run) for run in runs)))
    log.close()
    # A disk of a megabyte would have to be mounted.
    monkeypatch.setattr(os, "statvfs", lambda _: Room(free))

    (finding,) = ward.findings("growth")

    assert finding.level == level
    assert says in finding.what


def _logged(ward: Ward, run: Run) -> Attempt:
    """Return the attempt of a run, with a log of 64 KiB."""
    log = ward.state / "logs/x" / f"{run.id}.1.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"x" * 65_536)
    return Attempt(
        run=run.id, attempt=1, boot_id="x", ordered=run.created, survive=True, ended=run.ended,
        log=str(log.relative_to(ward.state)),
    )  # fmt: skip


def test_a_young_run_log_foresees_nothing(ward: Ward) -> None:
    """A day is needed to tell from."""
    ward.remember(_run(1, RunStatus.SUCCEEDED))

    assert ward.told("growth") == ["ok: too little has run yet to foresee how long the room lasts"]


def test_a_full_disk_below_the_manifest_is_told(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another one than the state directory's."""
    full = Path("/dev/shm").resolve()
    if full.stat().st_dev == ward.home.stat().st_dev:
        pytest.skip("there is one file system only")
    prepare_state_dir(ward.state)
    ward.manifest = full / "flytesched-nowhere" / "s.toml"
    # Nobody's disk is to be filled.
    monkeypatch.setattr(os, "statvfs", lambda path: Room(0 if path == full else 2**40))

    levels = [each.level for each in ward.findings("disk")]

    assert levels == ["ok", "problem"]
    monkeypatch.setattr(os, "statvfs", lambda _: Room(2**40))
    assert [each.level for each in ward.findings("disk")] == ["ok"]


# -- the unit -----------------------------------------------------------------------------------

#: Answers as systemctl does, from a file; real systemd is in tests/systemd.
SYSTEMCTL = """\
#!/bin/sh
here=${0%/*}
case "$*" in *--version*) echo "systemd 255 (255.4-1)"; exit ;; esac
cat "$here/facts" 2> /dev/null
"""
GOOD = "ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\nMainPID=0\n"


@pytest.fixture
def hosted(ward: Ward) -> Ward:
    """Give a site whose user has a manager of services, and a schedule."""
    (ward.home / "run/systemd").mkdir(parents=True)
    ward.environ |= {"XDG_RUNTIME_DIR": str(ward.home / "run")}
    ward.program("systemctl", SYSTEMCTL)
    ward.write('command = "true"')
    return ward


def _install(ward: Ward) -> Path:
    """Install the service, as this program does."""
    environ = ward.environ | {
        "FLYTESCHED_MANIFEST": str(ward.manifest), "FLYTESCHED_STATE_DIR": str(ward.state),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }  # fmt: skip
    words = ["service", "print", "--user"]
    text = subprocess.run(
        [sys.executable, "-m", "flytesched", *words], env=environ, text=True, check=True,
        capture_output=True,
    ).stdout  # fmt: skip
    unit = ward.home / ".config/systemd/user/flytesched.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(text)
    (ward.bin / "facts").write_text(GOOD)
    return unit


def _units(ward: Ward) -> list[str]:
    """Return what is told of the unit; that a test's user does not linger is no news."""
    return [each for each in ward.told("unit") if "loginctl enable-linger" not in each]


def test_a_scheduler_that_is_no_service_is_a_warning(hosted: Ward, desk: Desk) -> None:
    """Nobody starts it again; with nothing to start it does not matter."""
    assert _units(hosted) == [
        "warning: the scheduler is not installed as a service; flytesched service install --now"
        " --user"
    ]
    hosted.write('command = "true"\nenabled = false')
    assert _units(hosted) == ["ok: the scheduler is not installed as a service"]

    desk.start()

    assert _units(hosted)[0].startswith("warning: the scheduler is no service: nothing starts it")


def test_a_unit_as_it_should_be_is_fine(hosted: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that somebody changed by hand is theirs."""
    unit = _install(hosted)
    # Whether the user of a test lingers is the machine's affair.
    monkeypatch.setattr("flytesched.systemd.Manager.lingers", lambda _: True)
    fine = [f"ok: {unit} is enabled, runs, and is as this program makes it"]

    assert hosted.told("unit") == fine
    unit.write_text(unit.read_text() + "# mine\n")
    assert hosted.told("unit") == fine


@pytest.mark.parametrize(
    ("fact", "level", "says"),
    [
        ("UnitFileState=disabled", "warning", "nothing starts it with the machine"),
        ("ActiveState=failed", "problem", "is installed and does not run (failed)"),
        ("NeedDaemonReload=yes", "warning", "systemd goes on with what it read before"),
    ],
)
def test_what_systemd_says_of_the_unit_is_told(
    hosted: Ward, fact: str, level: str, says: str
) -> None:
    """With the call of systemctl that mends it."""
    _install(hosted)
    (hosted.bin / "facts").write_text(f"{GOOD}{fact}\n")

    (told,) = _units(hosted)

    assert told.startswith(f"{level}: flytesched.service ")
    assert says in told
    assert "; systemctl --user " in told


def test_a_systemd_that_does_not_answer_is_told(hosted: Ward) -> None:
    """Its bus may be gone."""
    _install(hosted)
    (hosted.bin / "facts").unlink()

    assert _units(hosted) == [
        "warning: systemd tells nothing of flytesched.service; see: systemctl --user status"
        " flytesched.service"
    ]


def test_a_service_that_ends_with_the_session_is_a_warning(
    hosted: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the user of a test lingers is the machine's affair."""
    _install(hosted)
    monkeypatch.setattr("flytesched.systemd.Manager.lingers", lambda _: False)

    assert hosted.told("unit") == [
        "warning: flytesched.service ends when you log out; loginctl enable-linger"
    ]


def test_a_scheduler_beside_the_service_is_a_warning(hosted: Ward, desk: Desk) -> None:
    """Two of them cannot both have the lock."""
    _install(hosted)
    loop = desk.start()

    (told,) = _units(hosted)

    assert f"the scheduler of this state directory is another: {loop.pid}; stop that one" in told


def test_a_unit_whose_program_is_gone_is_a_problem(hosted: Ward) -> None:
    """A virtual environment was removed, say."""
    unit = _install(hosted)
    unit.write_text(unit.read_text().replace(sys.executable, "/opt/gone/python"))

    told = _units(hosted)

    assert told[0].startswith(f"problem: {unit} starts /opt/gone/python, which is not there; renew")


def test_a_unit_of_an_earlier_version_is_a_warning(hosted: Ward) -> None:
    """It is as that version made it, and not as this one would."""
    unit = _install(hosted)
    _, _, body = unit.read_text().partition("\n")
    body = body.replace("WatchdogSec=60s\n", "")
    from flytesched.service.unit import _digest

    unit.write_text(f"# Made by flytesched; sha256 of what follows: {_digest(body)}\n{body}")

    assert _units(hosted) == [
        f"warning: {unit} is not as this version of flytesched makes it; renew it: flytesched"
        " service install --now --user; running commands go on"
    ]


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs this machine")
@pytest.mark.parametrize("runtime", ["", "gone"])
def test_without_systemd_there_is_no_unit(ward: Ward, runtime: str) -> None:
    """Where neither the machine's nor the user's manager runs."""
    ward.environ["XDG_RUNTIME_DIR"] = str(ward.home / runtime) if runtime else ""

    assert ward.told("unit") == ["ok: no systemd runs here: start 'flytesched run' by other means"]


def test_what_the_kernel_tells_of_a_process() -> None:
    """Its environment, and its service; of a process that is gone, nothing."""
    child = subprocess.Popen(["sleep", "100"], env={"A": "b=c", "D": ""})
    try:
        # The kernel tells of a new program a moment before it has its environment.
        environ = wait_for("execve", lambda: linux.process_environment(child.pid))
        unit = linux.process_unit(child.pid)
    finally:
        child.kill()
        child.wait()

    assert environ == {"A": "b=c", "D": ""}
    assert unit is None or unit.endswith(".service")
    assert linux.process_environment(child.pid) is None
    assert linux.process_unit(child.pid) is None


def test_the_room_that_logs_take_is_sampled(ward: Ward) -> None:
    """Those that are gone take none."""
    assert state_directory._usual_size(ward.home, []) == 0.0
    assert state_directory._usual_size(ward.home, ["gone"]) == 0.0
