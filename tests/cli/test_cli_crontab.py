"""import crontab, export crontab: what they write, what they say, and what they leave alone."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from glance import freeze

if TYPE_CHECKING:
    from pathlib import Path

    from terminal import Said, Terminal

CRONTAB = """\
MAILTO=ops@example.org
# the nightly load
30 2 * * * /opt/etl/load.sh --day "$(date +\\%F)"
@reboot /opt/etl/warm-up.sh
0 9 * * mon-fri mail -s report boss%Dear boss,%all is well.

SHELL=/bin/bash
CRON_TZ=America/New_York
*/10 9-17 * * 1-5 quotes
"""
MANIFEST = """\
version = 1

[schedules.load]
description = "the nightly load"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
command = '/opt/etl/load.sh --day "$(date +%F)"'
env = { PATH = "/usr/bin:/bin" }
overlap = "allow"
catchup = "none"

[schedules.mail]
cron = "0 9 * * mon-fri"
timezone = "Europe/Berlin"
command = "exec <<'STDIN'\\nDear boss,\\nall is well.\\nSTDIN\\nmail -s report boss"
env = { PATH = "/usr/bin:/bin" }
overlap = "allow"
catchup = "none"

[schedules.quotes]
cron = "*/10 9-17 * * 1-5"
timezone = "America/New_York"
command = "quotes"
env = { PATH = "/usr/bin:/bin", SHELL = "/bin/bash" }
shell = "/bin/bash"
overlap = "allow"
catchup = "none"
"""
SCREEN = """\
LINE  NAME    SCHEDULE           NEXT                       RESULT
   3  load    30 2 * * *         2026-11-27 02:30:00+01:00  added
   5  mail    0 9 * * mon-fri    2026-11-27 09:00:00+01:00  added
   9  quotes  */10 9-17 * * 1-5  2026-11-26 15:00:00+01:00  added
"""
TALK = """\
FILE:1: output is not mailed to ops@example.org; flytesched logs keeps it; on_failure can send a mail
FILE:4: @reboot names no time: a restart of the machine is no slot; let systemd start what must run at boot
FILE:8: note: the times below are in America/New_York, as cronie has it; Debian's cron ignores CRON_TZ: set timezone if it ran there
output is kept for flytesched logs, where cron mails it
wrote 3 schedules into MANIFEST
cron goes on starting these commands too, until you take its lines out
no scheduler is running; start one with: flytesched run
"""  # noqa: E501  lines as they are said
BACK = """\
# made by: flytesched export crontab

# schedule: load
# the nightly load
30 2 * * * /opt/etl/load.sh --day "$(date +\\%F)"

# schedule: mail
0 9 * * MON-FRI mail -s report boss%Dear boss,%all is well.

SHELL=/bin/bash
CRON_TZ=America/New_York
# schedule: quotes
*/10 9-17 * * 1-5 quotes
"""


def _file(terminal: Terminal, content: str | bytes) -> str:
    path = terminal.home / "tab"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def _imported(terminal: Terminal, content: str | bytes, *words: str) -> Said:
    return terminal.run("import", "crontab", _file(terminal, content), *words)


def test_a_crontab_becomes_schedules(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown as a table, with what is lost line by line; 7, since something is."""
    freeze(monkeypatch)
    said = _imported(empty, CRONTAB)

    assert said.code == 7
    assert said.out == SCREEN
    talk = said.err.replace(str(empty.home / "tab"), "FILE").replace(
        str(empty.manifest), "MANIFEST"
    )
    assert talk == TALK
    assert empty.manifest.read_text() == MANIFEST
    assert empty.ok("validate").out.endswith("3 schedules, no fault\n")


def test_schedules_become_a_crontab(empty: Terminal) -> None:
    """The one they came from, but for its order and its comments."""
    _imported(empty, CRONTAB)
    said = empty.ok("export", "crontab")

    assert said.out == BACK
    assert said.err == (
        "note: quotes: it needs CRON_TZ, which cronie knows; Debian's cron ignores it, and takes"
        " its own clock\n"
    )


def test_a_second_import_changes_nothing(empty: Terminal) -> None:
    """Not even if a schedule was switched off, and lines have moved."""
    _imported(empty, CRONTAB)
    empty.ok("disable", "mail")
    before = empty.manifest.read_bytes()
    said = _imported(empty, f"# moved\n\n{CRONTAB}")

    assert said.code == 7
    assert [line.split()[-1] for line in said.out.splitlines()[1:]] == ["unchanged"] * 3
    assert said.err.endswith("nothing is new: the manifest was not changed\n")
    assert empty.manifest.read_bytes() == before


def test_only_what_is_new_is_written(empty: Terminal) -> None:
    """All of it at once, below what there is."""
    _imported(empty, "@daily a\n")
    said = _imported(empty, "@daily a\n@daily b\n@hourly b\n")

    assert said.code == 0
    assert [line.split()[-1] for line in said.out.splitlines()[1:]] == [
        "unchanged",
        "added",
        "added",
    ]
    assert empty.ok("list", "-q").out.split() == ["a", "b", "b-2"]


def test_a_schedule_that_differs_is_in_the_way(empty: Terminal) -> None:
    """Nothing is written then, unless it may be replaced or gets another name."""
    _imported(empty, "@daily a\n")
    before = empty.print()
    said = _imported(empty, "@daily a --more\n@daily b\n")

    assert (said.code, said.out) == (4, "")
    assert said.err == (
        "flytesched: the manifest says something else of a; nothing was changed\n"
        "hint: give --replace to replace them, or --prefix for names of their own\n"
    )
    shutil.copy(empty.home / "tab", empty.home / "kept")
    (empty.home / "tab").write_text("@daily a\n")
    assert {k: v for k, v in empty.print().items() if not k.endswith(("tab", "kept"))} == {
        k: v for k, v in before.items() if not k.endswith("tab")
    }
    shutil.copy(empty.home / "kept", empty.home / "tab")

    other = empty.ok("import", "crontab", "tab", "--prefix", "old-")
    assert empty.ok("list", "-q").out.split() == ["a", "old-a", "old-b"]
    assert other.out.count("added") == 2
    assert "replaced" in empty.ok("import", "crontab", "tab", "--replace").out
    assert 'command = "a --more"' in empty.manifest.read_text()


def test_a_dry_run_shows_and_changes_nothing(empty: Terminal) -> None:
    """No file is made, none is touched."""
    path = _file(empty, CRONTAB)
    before = empty.print()
    said = empty.run("import", "crontab", path, "--dry-run")

    assert said.code == 7
    assert said.out.count("added") == 3
    assert said.err.endswith("nothing was changed\n")
    assert empty.print() == before


def test_disabled_schedules_wait_until_cron_lets_go(empty: Terminal) -> None:
    """So that nothing runs twice while one moves."""
    said = _imported(empty, "@daily a\n", "--disabled")

    assert said.out.splitlines()[1].split() == ["1", "a", "@daily", "-", "added"]
    assert "enabled = false" in empty.manifest.read_text()


def test_what_the_defaults_say_does_not_change_what_a_job_means(empty: Terminal) -> None:
    """cron knows nothing of them."""
    empty.write('version = 1\n[defaults]\nshell = "/bin/zsh"\ncwd = "/srv"\ntimeout = "1h"\n')
    _imported(empty, "@daily a\n")

    text = empty.manifest.read_text()
    assert 'shell = "/bin/sh"' in text
    assert 'cwd = "~"' in text
    assert "offset" not in text
    assert "calendars" not in text


def test_days_off_of_the_defaults_are_not_those_of_a_job(empty: Terminal) -> None:
    """cron works on holidays; what stands around stays, and a second import has nothing to do."""
    before = (
        'version = 1\n[calendars.work]\nweekdays = ["sun"]\n'
        '[defaults]\ncalendars = ["work"]\non_holiday = "next"\n'
    )
    empty.write(before)
    _imported(empty, "@daily a\n")

    text = empty.manifest.read_text()
    assert text.startswith(before)
    assert "calendars = []\n" in text.removeprefix(before)
    assert _imported(empty, "@daily a\n").err.endswith("the manifest was not changed\n")
    assert empty.manifest.read_text() == text


def test_it_answers_in_json(empty: Terminal) -> None:
    """What was read, and what becomes of it."""
    path = _file(empty, "MAILTO=me\n@daily a\n")
    said = empty.run("import", "crontab", path, "--dry-run", "--json")

    assert said.code == 7
    (job,) = said.json["jobs"]
    assert {key: job[key] for key in ("line", "name", "cron", "timezone", "result")} == {
        "line": 2, "name": "a", "cron": "@daily", "timezone": "Europe/Berlin", "result": "added",
    }  # fmt: skip
    assert [(each["line"], each["grade"]) for each in said.json["remarks"]] == [(1, "lost")]


# -- where crontabs come from -------------------------------------------------------------------


@pytest.fixture
def crontab(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plant a crontab(1) that says what it was asked, and lists a file if there is one."""
    folder = empty.home / "bin"
    folder.mkdir()
    program = folder / "crontab"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {empty.home}/asked\n'
        f"cat {empty.home}/own 2>/dev/null || {{ echo no crontab for me >&2; exit 1; }}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return empty.home / "own"


def test_ones_own_crontab_is_what_crontab_lists(empty: Terminal, crontab: Path) -> None:
    """Nobody has to know where it lies."""
    crontab.write_text("@daily a\n")

    assert empty.run("import", "crontab").code == 0
    assert (empty.home / "asked").read_text() == "-l\n"
    assert empty.ok("list", "-q").out == "a\n"


def test_another_crontab_is_asked_for_by_user(empty: Terminal, crontab: Path) -> None:
    """crontab(1) says whether one may."""
    crontab.write_text("@daily a\n")
    me = pwd.getpwuid(os.geteuid()).pw_name

    assert empty.run("import", "crontab", "--user", me).code == 0
    assert (empty.home / "asked").read_text() == f"-l -u {me}\n"


@pytest.mark.usefixtures("crontab")
def test_no_crontab_is_a_sentence(empty: Terminal) -> None:
    """The one that crontab(1) says."""
    said = empty.run("import", "crontab")

    assert (said.code, said.out) == (5, "")
    assert said.err == (
        "flytesched: crontab -l: no crontab for me\n"
        "hint: name a file: flytesched import crontab FILE\n"
    )


def test_a_machine_without_cron_is_a_sentence(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be a file all the same."""
    monkeypatch.setenv("PATH", str(empty.home))
    said = empty.run("import", "crontab")

    assert said.code == 5
    assert "cannot run crontab(1): No such file or directory" in said.err


def test_stdin_is_a_crontab_too(empty: Terminal) -> None:
    """As from another machine."""
    command = f"echo '@daily a' | {sys.executable} -m flytesched import crontab -"

    assert os.system(command) == 0
    assert empty.ok("list", "-q").out == "a\n"


SYSTEM = (
    "17 * * * * {me} cd / && run-parts /etc/cron.hourly\n@daily nobody date%x\n@daily who-is x\n"
)


def test_the_crontab_of_the_system_names_users(empty: Terminal) -> None:
    """Root's scheduler can run what is another's; nobody else's can."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    said = _imported(empty, SYSTEM.format(me=me), "--system")
    text = empty.manifest.read_text()

    assert said.code == 7
    assert 'command = "cd / && run-parts /etc/cron.hourly"' in text
    assert ":3: there is no user 'who-is'; mend the line, or take it out\n" in said.err
    if os.geteuid() == 0:
        assert "runuser" in text
        back = empty.ok("export", "crontab", "--system").out
        assert "17 * * * * root cd / && run-parts /etc/cron.hourly\n" in back
        assert "@daily nobody date%x\n" in back


def test_jobs_of_others_are_for_root_to_import(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else does it is told who can."""
    # The tests may be root, and whoever gives that up cannot take it back.
    monkeypatch.setattr(os, "geteuid", lambda: 65_534)
    said = _imported(empty, SYSTEM.format(me="root"), "--system", "--dry-run")

    assert said.code == 7
    assert [line.split()[1] for line in said.out.splitlines()[1:]] == ["date"]
    assert ":1: it runs as root; import it as root" in said.err


def test_a_user_in_front_of_a_command_is_no_command(empty: Terminal) -> None:
    """Without --system the line would run `root`, and nobody would hear of it."""
    lines = [
        "17 * * * * root cd / && run-parts /etc/cron.hourly",
        "@daily mail -s x y",
        "@daily %x",
    ]

    said = _imported(empty, "".join(f"{line}\n" for line in lines))

    assert said.code == 7
    assert ":1: it looks like a line of a system crontab; pass --system, or" in said.err
    assert said.err.count("system crontab") == 1
    assert "run-parts" not in empty.manifest.read_text()
    assert "mail -s x y" in empty.manifest.read_text()


def test_a_program_that_is_called_as_a_user_is_a_command(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is on cron's PATH, or on this one."""
    _program(empty, "root")
    assert _imported(empty, f"PATH={empty.home}\n@daily root a\n").code == 0
    assert _imported(empty, "@hourly root b\n").code == 7
    monkeypatch.setenv("PATH", str(empty.home), prepend=os.pathsep)
    assert _imported(empty, "@hourly root b\n", "--replace").code == 0


def _program(terminal: Terminal, name: str) -> None:
    (terminal.home / name).write_text("#!/bin/sh\n")
    (terminal.home / name).chmod(0o755)


def test_an_imported_job_runs_as_under_cron(empty: Terminal) -> None:
    """With its stdin, cron's PATH, and the directory that HOME names."""
    (empty.home / "sub").mkdir()
    job = 'HOME=sub\n@yearly cat; echo "$PATH" in "${PWD##*/}"; exit 3%100\\% sure%so far\n'
    assert _imported(empty, job.replace("sub\n", f"{empty.home}/sub\n", 1)).code == 0

    said = empty.run("trigger", "cat")

    assert (said.code, said.out) == (3, "100% sure\nso far\n/usr/bin:/bin in sub\n")


# -- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("", 0, "there is no job that could be carried over"),
        ("# nothing\n\n", 0, "there is no job that could be carried over"),
        ("@reboot x\n", 7, ":1: @reboot names no time"),
        ("hello\n", 5, ":1: it is no line of a crontab"),
        ("hello\n@daily a\n", 7, ":1: it is no line of a crontab"),
        (b"\x7fELF\x00\x01\xff\xfe\n\x00", 5, ":1: it is not UTF-8 text"),
        ("CRON_TZ=No/Where\n@daily a\n", 5, ":2: unknown time zone 'No/Where'"),
        ("0 0 1,* * 5 x\n", 7, ":1: '0 0 1,* * 5' is ambiguous: here its next time is"),
        ("SHELL=/usr/bin/fish\n@daily a%b\n", 7, ":2: /usr/bin/fish cannot be given the text"),
        ("HOME=\n@daily a\n", 7, ":2: it makes no schedule: cwd: is empty"),
    ],
)
def test_what_cannot_be_carried_over_has_its_exit_code(
    empty: Terminal, content: str | bytes, code: int, says: str
) -> None:
    """0 if nothing is lost, 7 in part, 5 if nothing could be read; the manifest is not made."""
    said = _imported(empty, content)

    assert said.code == code
    assert says in said.err
    assert "Traceback" not in said.err
    assert empty.manifest.exists() == ("a\n" in str(content) and code == 7 and "cwd" not in says)


def test_a_crontab_with_windows_ends_is_read(empty: Terminal) -> None:
    """cron would give each command a carriage return."""
    assert _imported(empty, b"@daily a\r\n@daily b").code == 0
    assert "\\r" not in empty.manifest.read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("no-such-file",), 5, "cannot read 'no-such-file': No such file or directory"),
        ((".",), 5, "cannot read '.': Is a directory"),
        (("a\0b",), 5, "embedded null byte"),
        (("--user", "a\0b"), 5, "cannot run crontab(1): embedded null byte"),
        (("/dev/zero",), 5, "flytesched: /dev/zero has over 4 MiB, and is no crontab"),
        (("tab", "--prefix", "-x"), 2, "--prefix: '-x' can begin no name"),
        (("tab", "--user", "x", "--system"), 2, "--user and --system exclude each other"),
    ],
)
def test_a_wrong_word_is_one_sentence(
    empty: Terminal, words: tuple[str, ...], code: int, says: str
) -> None:
    """And what to do."""
    _file(empty, "@daily a\n")
    before = empty.print()
    said = empty.run("import", "crontab", *words)

    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert "\nhint: " in said.err
    assert empty.print() == before


def test_a_broken_manifest_is_left_alone(empty: Terminal) -> None:
    """Its fault is said."""
    empty.write("version = \n")
    said = _imported(empty, "@daily a\n")

    assert said.code == 5
    assert f"{empty.manifest}:1: is not TOML" in said.err
    assert empty.manifest.read_text() == "version = \n"


def test_what_a_terminal_would_obey_is_written_out(empty: Terminal) -> None:
    """In remarks, in tables and in names; the command keeps it."""
    said = _imported(empty, "bad\x1b[2J\n@daily /opt/\x1b[31mx\nMAILTO=\x1b]0;x\x07\n")

    assert said.code == 7
    assert "\x1b" not in said.out + said.err
    assert "\\u001b[31mx" in empty.manifest.read_text()
    assert "/opt/\x1b[31mx\n" in empty.ok("export", "crontab").out


def test_very_many_bad_lines_are_not_all_said(empty: Terminal) -> None:
    """Fifty tell enough; JSON has them all."""
    said = _imported(empty, "x\n" * 300)

    assert said.code == 5
    assert len(said.err.splitlines()) == 52
    assert "and 250 more such lines; --json has them all" in said.err


def test_a_long_crontab_is_written_at_once(empty: Terminal) -> None:
    """Nothing about it takes the square of its lines."""
    jobs = "".join(f"{n % 9} 4 * * * job-{n}\n" for n in range(2000))

    assert _imported(empty, jobs).code == 0
    assert empty.manifest.read_text().count("[schedules.") == 2000


# -- export -------------------------------------------------------------------------------------


def test_what_no_crontab_can_say_is_said(terminal: Terminal) -> None:
    """7, with a comment in its place and a line on stderr."""
    terminal.ok("set", "backup", "--timeout", "2h")
    said = terminal.run("export", "crontab", "backup", "report")

    assert said.code == 7
    reason = "a crontab has no timeout; put timeout(1) in front of the command"
    assert f"# schedule: backup\n# left out: {reason}\n" in said.out
    assert f"backup: left out: {reason}\n" in said.err
    assert "# disabled: 0 9 * * * exit 3\n" in said.out


def test_names_and_labels_choose(terminal: Terminal) -> None:
    """As everywhere."""
    assert "report" not in terminal.run("export", "crontab", "-l", "team=ops").out
    assert terminal.run("export", "crontab", "nobody").code == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--user", "x"), "--user goes with --system"),
        (("--system", "--user", "a b"), "--user 'a b' is no user"),
        (("--system", "--user", ""), "--user '' is no user"),
    ],
)
def test_a_wrong_user_is_one_sentence(
    terminal: Terminal, words: tuple[str, ...], says: str
) -> None:
    """And what to write."""
    said = terminal.run("export", "crontab", *words)

    assert (said.code, said.out) == (2, "")
    assert said.err == f"flytesched: {says}\nhint: write --system --user NAME\n"
