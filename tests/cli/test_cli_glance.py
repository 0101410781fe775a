"""Reading at a glance: list and status, as they stand on a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import glance
import pytest
from terminal import environment

from flytesched import __version__
from flytesched.cli.render import width
from flytesched.core.runs import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terminal import Terminal

LIST_80 = """\
NAME           SCHEDULE     NEXT               LEFT  RESULT
pulse          every 10s    14:03:30            10s  running
mail           every 15m    14:15         11min 40s  succeeded, 3 missed
backup         cron 0 2 *…  Fri 02:00     11h 56min  succeeded
weekly-report  cron 30 9 …  Mon 09:30        3d 19h  failed(exit 3)
photos         daily 06:0…  paused until  Fri 09:00  -
once           at 2026-11…  ended                 -  interrupted(host restarted)
old            hourly 15    disabled              -  -
"""
LIST_120 = """\
NAME           SCHEDULE                NEXT               LEFT  LAST          PASSED  RESULT
pulse          every 10s               14:03:30            10s  -                  -  running
mail           every 15m               14:15         11min 40s  13:50      13min 19s  succeeded, 3 missed
backup         cron 0 2 * * *          Fri 02:00     11h 56min  02:00       12h 3min  succeeded
weekly-report  cron 30 9 * * MON       Mon 09:30        3d 19h  Mon 09:30      3d 4h  failed(exit 3)
photos         daily 06:00,18:00       paused until  Fri 09:00  -                  -  -
once           at 2026-11-20T12:00:00  ended                 -  Fri 13:00      6d 1h  interrupted(host restarted)
old            hourly 15               disabled              -  -                  -  -
"""  # noqa: E501  it is 120 columns wide
BELOW = """\
7 schedules, 1 disabled, 1 paused, 1 ended, 1 active, 3 missed slots
what was missed is still to be run; see: flytesched catchup --dry-run
no scheduler is running; start one with: flytesched run
"""
#: The same at any width that holds it.
STATUS = """\
      scheduler: not running; start one with: flytesched run
        version: {version}
       manifest: ~/schedules.toml
state directory: ~/state
      schedules: 7, 5 of them enabled
         paused: photos until Fri 09:00
    active runs: 1 (1 running)
   missed slots: 3 open; see: flytesched catchup --dry-run
        failing: weekly-report, once
  last decision: 2026-11-26 14:03:19+01:00

ACTIVE                  STATE    SINCE
sched-pulse-1795698190  running    10s

COMING  NEXT            LEFT
pulse   14:03:30         10s
mail    14:15      11min 40s
backup  Fri 02:00  11h 56min
photos  Fri 18:00      1d 3h
"""


@pytest.fixture
def bare(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Give a terminal on that afternoon, whose home has a path as short as those of people."""
    glance.freeze(monkeypatch)
    with TemporaryDirectory(prefix="f") as home:
        empty.home = Path(home)
        for name, value in environment(empty.home).items():
            monkeypatch.setenv(name, value)
        yield empty


@pytest.fixture
def site(bare: Terminal) -> Terminal:
    """Give one with a bit of everything."""
    runs = [
        glance.a_run("backup", 43_400, RunStatus.SUCCEEDED, exit_code=0),
        glance.a_run("weekly-report", 275_600, RunStatus.FAILED, exit_code=3),
        glance.a_run("mail", 800, RunStatus.SUCCEEDED, exit_code=0),
        glance.a_run("pulse", 10, RunStatus.RUNNING),
        glance.a_run("once", 522_200, RunStatus.INTERRUPTED, reason="host restarted"),
    ]
    glance.furnish(manifest=glance.MANIFEST, runs=runs, missed=["mail"])
    return bare


# -- list ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("columns", "screen"), [(80, LIST_80), (120, LIST_120)])
def test_list_fits_the_terminal(
    site: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int, screen: str
) -> None:
    """What comes first stands first; what there is to do stands below, on stderr."""
    said = glance.look(site, monkeypatch, "list", columns)

    assert said.out == screen
    assert said.err == BELOW
    assert max(map(width, (said.out + said.err).splitlines())) <= columns


def test_a_name_is_never_cut(site: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command needs it; the schedule's text goes before, and show has it."""
    name = "nightly-backup-of-the-family-photos-to-the-seaside"
    site.write(f'version = 1\n[schedules.{name}]\ncron = "0 2 * * *"\ncommand = "true"\n')

    said = glance.look(site, monkeypatch, "list", 80)

    assert said.out.splitlines()[1].split() == [name, "Fri", "02:00", "11h", "56min", "-"]
    assert max(map(width, said.out.splitlines())) <= 80


def test_list_says_that_a_scheduler_runs_by_saying_nothing(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it does."""
    from flytesched.lock import SchedulerLock

    lock = SchedulerLock(site.state)
    lock.acquire("run")
    said = glance.look(site, monkeypatch, "list backup", 80)
    lock.release()

    assert said.err == "1 schedule\n"


def test_piped_everything_is_whole_and_nothing_is_said(site: Terminal) -> None:
    """Times too: whoever reads it does not know what today is."""
    said = site.ok("list")

    backup = next(line for line in said.out.splitlines() if line.startswith("backup "))
    assert backup.split() == [
        "backup", "cron", "0", "2", "*", "*", "*", "2026-11-27", "02:00:00+01:00", "11h", "56min",
        "2026-11-26", "02:00:01+01:00", "12h", "3min", "succeeded",
    ]  # fmt: skip
    assert "2026-11-27 09:00:00+01:00" in said.out  # the end of the pause
    assert said.err == ""


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("next", "pulse mail backup weekly-report photos once old"),
        ("name", "backup mail old once photos pulse weekly-report"),
        ("last", "mail backup weekly-report once old photos pulse"),
    ],
)
def test_list_is_sorted_as_asked(site: Terminal, sort: str, names: str) -> None:
    """In each of its forms; equals go by name."""
    words = ["list", "--sort", sort]

    table = [line.split()[0] for line in site.ok(*words).out.splitlines()[1:]]
    quiet = site.ok(*words, "--quiet").out.split()
    objects = [row["name"] for row in site.json(*words)["schedules"]]

    assert table == quiet == objects == names.split()


def test_json_and_names_are_in_the_order_of_the_manifest(site: Terminal) -> None:
    """Unless it is asked for: programs got it so from the first."""
    names = ["backup", "weekly-report", "mail", "pulse", "photos", "old", "once"]

    assert [row["name"] for row in site.json("list")["schedules"]] == names
    assert site.ok("list", "-q").out.split() == names


def test_a_wrong_order_is_refused(empty: Terminal) -> None:
    """With those there are."""
    said = empty.run("list", "--sort", "nxt")

    assert said.code == 2
    assert "'next', 'name', 'last'" in said.err


def test_several_active_runs_are_counted(site: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is that of the oldest."""
    runs = [
        glance.a_run("pulse", 10, RunStatus.RUNNING), glance.a_run("pulse", 0, RunStatus.QUEUED),
    ]  # fmt: skip
    (site.state / "runs.db").unlink()
    glance.furnish(manifest=glance.MANIFEST, runs=runs, missed=["pulse"])

    said = glance.look(site, monkeypatch, "list pulse", 80)

    assert said.out.splitlines()[1].endswith("running (2 active), 3 missed")


# -- status -------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 120])
def test_status_is_one_screen(
    site: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """The facts, what is active, and what is next."""
    said = glance.look(site, monkeypatch, "status", columns)

    assert said.out == STATUS.format(version=__version__)
    assert said.err == ""


def crowd() -> str:
    """Return a manifest of many schedules with names of some length."""
    tables = [
        f'[schedules.job-number-{n:04}]\nevery = "1h"\ncommand = "true"\n'
        + ("paused_until = 2026-11-27T08:00:00Z\n" if n % 3 == 0 else "")
        for n in range(300)
    ]
    return "version = 1\n" + "".join(tables)


def test_status_of_many_schedules_fits_80_by_24(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With faults in the manifest, too: names end in how many more there are."""
    names = [f"job-number-{n:04}" for n in range(300)]
    runs = [glance.a_run(name, 9_999, RunStatus.FAILED, exit_code=1) for name in names]
    runs += [glance.a_run(name, 60, RunStatus.RUNNING) for name in names]
    glance.furnish(manifest=crowd(), runs=runs, missed=names)

    whole = glance.look(bare, monkeypatch, "status", 80).out.splitlines()
    bare.write('version = 1\n[schedules.x]\nevery = "5"\n[schedules.y]\nevery = "5"\n')
    broken = glance.look(bare, monkeypatch, "status", 80).out.splitlines()

    assert len(whole) < 24
    assert sum(1 + width(line) // 80 for line in broken) < 24  # a fault may need two lines
    assert max(map(width, whole)) <= 80
    facts = {name.strip(): fact for name, _, fact in (line.partition(": ") for line in whole)}
    assert facts["failing"].endswith("job-number-0001 and 298 more")
    assert facts["paused"] == "job-number-0000 until Fri 09:00 and 99 more"
    assert facts["active runs"] == "300 (300 running)"
    assert any("; and more, see: flytesched validate" in line for line in broken)


def test_a_higher_terminal_shows_more_of_what_comes(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lower one shows one at least."""
    glance.look(site, monkeypatch, "status", 80)
    heights = {}
    for lines in (10, 60):
        monkeypatch.setenv("LINES", str(lines))
        heights[lines] = len(site.ok("status").out.partition("COMING")[2].splitlines()) - 1

    assert heights == {10: 1, 60: 5}


def test_piped_status_names_everything(site: Terminal) -> None:
    """With times in full."""
    said = site.ok("status").out

    assert "photos until 2026-11-27 09:00:00+01:00" in said
    assert "weekly-report  2026-11-30 09:30:00+01:00" in said


def test_status_says_as_data_what_is_paused_active_and_next(site: Terminal) -> None:
    """Beside what it always said."""
    answer = site.json("status")

    assert answer["paused"] == ["photos"]
    assert answer["active_runs"] == ["sched-pulse-1795698190"]
    assert answer["next"][0] == {"schedule": "pulse", "scheduled_at": "2026-11-26T13:03:30Z"}
    assert [each["schedule"] for each in answer["next"]] == [
        "pulse", "mail", "backup", "photos", "weekly-report",
    ]  # fmt: skip


# -- colour -------------------------------------------------------------------------------------

#: Environment, options, whether stdout is a terminal, and whether there is colour.
COLOUR = [
    ({}, [], True, True),
    ({}, [], False, False),
    ({"NO_COLOR": "1"}, [], True, False),
    ({"NO_COLOR": ""}, [], True, True),
    ({}, ["--no-color"], True, False),
    ({"TERM": "dumb"}, [], True, False),
    ({"FORCE_COLOR": "1"}, [], False, True),
    ({"FORCE_COLOR": ""}, [], False, False),
    ({"FORCE_COLOR": "1", "TERM": "dumb"}, [], False, True),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], True, False),
    ({"FORCE_COLOR": "1"}, ["--no-color"], False, False),
]


@pytest.mark.parametrize("case", COLOUR, ids=str)
def test_colours_go_by_who_reads_and_by_what_was_asked(
    site: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[dict[str, str], list[str], bool, bool],
) -> None:
    """https://no-color.org wins over https://force-color.org; JSON has none in any case."""
    environ, options, at_terminal, coloured = case
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: at_terminal)  # pytest's is a file

    text = site.ok("list", *options).out
    data = site.ok("list", "--json", *options).out

    assert ("\x1b[31mfailed(exit 3)\x1b[0m" in text) is coloured
    assert ("\x1b" in text) is coloured
    assert "\x1b" not in data
    assert json.loads(data)


def test_a_missed_slot_is_odd_even_after_a_success(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a failure is worse."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert "\x1b[33msucceeded, 3 missed\x1b[0m" in site.ok("list", "mail").out
