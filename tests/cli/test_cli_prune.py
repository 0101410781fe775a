"""flytesched prune: what is too old goes, on demand and in short steps, and nothing else does."""

from __future__ import annotations

import io
import os
import re
import signal
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from glance import NOW, freeze

from flytesched.bootstrap import bind, open_site
from flytesched.core.decision import Decision
from flytesched.core.runs import Attempt, Gap, Origin, Run, RunStatus, run_id
from flytesched.core.timetables.parse import make_timing
from flytesched.lock import SchedulerLock
from flytesched.runlog import database
from flytesched.service import pruning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from terminal import Terminal

DAY = 86_400
MANIFEST = """\
version = 1
[settings]
keep_runs = "30d"
keep_logs = "7d"
[schedules.job]
every = "1d"
command = "true"
"""


def a_run(days: int, **keys: object) -> Run:
    """Return the run of the midnight so many days ago, which succeeded."""
    slot = (int(NOW) // DAY - days) * DAY
    run = Run(
        id=run_id("job", slot), schedule="job", scheduled_at=slot, origin=Origin.SCHEDULE,
        status=RunStatus.SUCCEEDED, exit_code=0, attempt=1, created=float(slot),
        started=slot + 0.5, ended=slot + 1.0,
    )  # fmt: skip
    return replace(run, **keys)  # type: ignore[arg-type]


def an_attempt(run: Run) -> Attempt:
    """Return the attempt of a run."""
    return Attempt(
        run=run.id, attempt=1, boot_id="3e8a45a1", ordered=run.created, started=run.started,
        ended=run.ended, log=f"logs/job/{run.id}.1.log",
    )  # fmt: skip


@pytest.fixture
def home(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a home with a run and a log of each of sixty days; that of fifty days ago goes on.

    A stretch of three slots, the latest of them forty days ago, is open, and holds one run.
    """
    freeze(monkeypatch)
    empty.write(MANIFEST)
    site = open_site(environ=os.environ)
    runs = [a_run(days) for days in range(60, -1, -1)]
    runs[10] = replace(
        runs[10], status=RunStatus.RUNNING, ended=None, exit_code=None
    )  # fmt: skip
    latest = runs[20].scheduled_at or 0
    gap = Gap(
        schedule="job", after=latest - 3 * DAY, until=latest, count=3, reason="no scheduler",
        timing=make_timing("every", "1d", timezone=None).text,
    )  # fmt: skip
    runlog = site.runlog()
    bind(site, runlog, rebind=False)
    del runs[18:20]  # two of the three slots have none
    runlog.apply(
        Decision(runs=tuple(runs), attempts=tuple(map(an_attempt, runs)), gaps=(gap,))
    )  # fmt: skip
    runlog.close()
    for run in runs:
        log = empty.state / f"logs/job/{run.id}.1.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("said something\n")
        os.utime(log, (run.created, run.created))
    return empty


def days_left(terminal: Terminal) -> list[int]:
    """Return how many days ago the runs were that are still there, the oldest first."""
    entries = terminal.json("history", "-n", "100")["entries"]
    slots = [int(each["id"].rpartition("-")[2]) for each in entries if each["status"] != "missed"]
    return [int(NOW - slot) // DAY for slot in reversed(slots)]


def logs_left(terminal: Terminal) -> list[int]:
    """Return how many days ago the logs were written that are still there, the oldest first."""
    moments = sorted(log.stat().st_mtime for log in terminal.state.glob("logs/job/*"))
    return [int(NOW - moment) // DAY for moment in moments]


def sizeless(text: str) -> str:
    """Leave out how much disk logs take, which file systems do not agree about."""
    return re.sub(r"\([\d.]+ [KMB]\w*\)", "(SIZE)", text)


# -- what goes, and what stays --------------------------------------------------------------------


def test_a_dry_run_counts_and_changes_nothing(home: Terminal) -> None:
    """As much as would be removed."""
    before = home.print()

    said = home.ok("prune", "--dry-run")
    answer = home.json("prune", "--dry-run")

    assert sizeless(said.out) == "would remove 27 runs and 51 logs (SIZE)\n"
    assert (answer["runs"], answer["logs"], answer["unused_bytes"]) == (27, 51, None)
    old = sorted(home.state.glob("logs/job/*"), key=lambda log: log.stat().st_mtime)[:52]
    sizes = [log.stat().st_blocks * 512 for log in old]
    assert answer["log_bytes"] == sum(sizes) - sizes[10]  # that of the run which goes on
    assert home.print() == before


def test_what_the_settings_do_not_keep_goes(home: Terminal) -> None:
    """The run that goes on stays with its log, and so does the one in an open gap."""
    said = home.ok("prune")

    assert sizeless(said.out).startswith("removed 27 runs and 51 logs (SIZE)\n")
    assert days_left(home) == [50, 40, *range(29, -1, -1)]
    assert logs_left(home) == [50, *range(6, -1, -1)]
    assert home.json("catchup", "--dry-run", "job", "--until", "35d")["schedules"][0]["count"] == 2


def test_what_is_given_counts_instead_of_the_settings(home: Terminal) -> None:
    """Each by itself."""
    home.ok("prune", "--keep-runs", "10d", "--keep-logs", "1w2d")

    assert days_left(home) == [50, 40, *range(9, -1, -1)]
    assert logs_left(home) == [50, *range(8, -1, -1)]


def test_what_is_younger_than_a_minute_stays_whatever_is_asked_for(home: Terminal) -> None:
    """A log may have been made ready for a run that is about to be claimed."""
    fresh = replace(a_run(1), id="manual-job-1", scheduled_at=None, created=NOW - 40.0,
                    ended=NOW - 30.0, origin=Origin.MANUAL)  # fmt: skip
    runlog = open_site(environ=os.environ).runlog()
    runlog.apply(Decision(runs=(fresh,)))
    runlog.close()
    ready = home.state / "logs/job/about-to-be.1.log"
    ready.touch()
    os.utime(ready, (NOW - 30, NOW - 30))

    home.ok("prune", "--keep-runs", "0s", "--keep-logs", "0s")

    entries = home.json("history", "--status", "succeeded")["entries"]
    assert [entry["id"] for entry in entries] == ["manual-job-1", a_run(40).id]
    assert logs_left(home) == [50, 0]
    assert ready.exists()


def test_it_is_safe_to_repeat(home: Terminal) -> None:
    """Then nothing is too old any more, and nobody is asked."""
    home.ok("prune")
    before = home.print()

    said = home.ok("prune")

    assert (said.out, said.err) == ("", "nothing is too old to keep\n")
    assert home.print() == before


def test_closed_stretches_of_missed_slots_go_with_their_runs(home: Terminal) -> None:
    """Once they are declined and old; nothing is left for a second call."""
    home.ok("catchup", "job", "--policy", "none", "--yes")
    with sqlite3.connect(home.state / "runs.db") as connection:
        connection.execute("UPDATE gaps SET closed_at = until + 1")
    connection.close()

    assert sizeless(home.ok("prune", "--dry-run").out) == (
        "would remove 27 runs, 1 closed stretch of missed slots and 51 logs (SIZE)\n"
    )
    assert home.ok("prune").out.startswith("removed 28 runs, 1 closed stretch of missed slots and")
    assert home.ok("prune").out == ""
    assert days_left(home) == [50, *range(29, -1, -1)]


def test_logs_are_pruned_without_a_run_log_too(empty: Terminal) -> None:
    """And none is made for it."""
    empty.write(MANIFEST)
    log = empty.state / "logs" / "gone" / "sched-gone-1.1.log"
    log.parent.mkdir(parents=True)
    log.touch()
    os.utime(log, (1, 1))

    assert empty.ok("prune").out == "removed 0 runs and 1 log (0 B)\n"
    assert not log.exists()
    assert not (empty.state / "runs.db").exists()


# -- consent --------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a function that sits somebody down at a terminal, with an answer."""

    def sit(answer: str) -> None:
        # A terminal is a process of its own; that of pytest is none.
        monkeypatch.setattr("flytesched.cli.call.Call.on_terminal", True)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))

    return sit


def test_it_asks_at_a_terminal_and_takes_no_for_an_answer(
    home: Terminal, asked: Callable[[str], None]
) -> None:
    """With what would go."""
    before = home.print()
    asked("n")

    said = home.run("prune")

    assert (said.code, said.out.strip()) == (1, "")
    assert sizeless(said.err).startswith("Remove 27 runs and 51 logs (SIZE)? [y/N]:")
    assert said.err.endswith("nothing was removed\n")
    assert home.print() == before


@pytest.mark.parametrize(("words", "answer"), [("prune", "y"), ("prune --yes", "n")])
def test_yes_is_yes(home: Terminal, asked: Callable[[str], None], words: str, answer: str) -> None:
    """Typed at the question, or given before."""
    asked(answer)

    home.ok(*words.split())

    assert len(days_left(home)) == 32


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("prune --keep-runs 5", 2, "--keep-runs: '5' has no unit"),
        ("prune --keep-logs=-1d", 2, "--keep-logs: '-1d' is negative"),
        ("prune --keep-logs soon", 2, "--keep-logs: 'soon' is no duration"),
        ("prune job", 2, "got unexpected extra argument"),
        ("prune --manifest other.toml", 4, "belongs to the manifest"),
        ("prune --manifest broken.toml --yes", 5, "broken.toml:2"),
        ("prune --manifest broken.toml --yes --keep-logs 1d", 5, "broken.toml:2"),
        ("prune --manifest gone.toml --yes", 5, "gone.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_touched(
    home: Terminal, words: str, code: int, says: str
) -> None:
    """Least of all because the settings cannot be read, which may say to keep it all."""
    (home.home / "other.toml").write_text(MANIFEST)
    (home.home / "broken.toml").write_text("version = 1\n[settings\n")
    before = home.print()

    said = home.run(*words.split())

    assert said.code == code, said
    assert said.out == ""
    assert says in said.err
    assert "Traceback" not in said.err
    assert home.print() == before


def test_a_run_log_that_stays_locked_is_said_and_nothing_is_lost(
    home: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes very much; logs are not touched before the runs are gone."""
    connect = database.open_database
    # The real waiting time for a lock is five seconds; nothing is learnt by waiting here.
    monkeypatch.setattr(
        "flytesched.runlog.sqlite.open_database", lambda path, **_: connect(path, timeout=0)
    )
    before = home.print()
    outsider = sqlite3.connect(home.state / "runs.db", isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")

    said = home.run("prune")

    outsider.close()
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("stopped; removed so far: 0 runs and 0 logs (0 B)\n")
    assert "cannot be used right now: database is locked" in said.err
    assert home.print() == before


# -- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_between_two_steps(
    home: Terminal, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """With what was removed so far, which is all of each step; the next call does the rest."""
    presses = iter([1.0])

    @contextmanager
    def impatient(_: str) -> Iterator[Callable[[float], None]]:
        yield lambda _: os.kill(os.getpid(), number) if next(presses, None) else None

    # Somebody presses Ctrl-C as soon as the bar moves, after a step that is short enough.
    monkeypatch.setattr("flytesched.cli.prune.share", impatient)
    monkeypatch.setattr(pruning, "STEP", 5)

    said = home.run("prune", "--yes")

    assert (said.code, said.out) == (130, "")
    assert said.err == "stopped; removed so far: 5 runs and 0 logs (0 B)\n"
    assert len(days_left(home)) == 54
    assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}
    home.ok("prune", "--yes")
    assert len(days_left(home)) == 32


# -- beside others --------------------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any WAL be too long, and steps be short: there are no millions of runs here."""
    monkeypatch.setattr(pruning, "_MUCH", 0)
    monkeypatch.setattr(pruning, "STEP", 5)


@contextmanager
def _somebody_reads(path: Path) -> Iterator[None]:
    """Have the run log open, so that whoever closes it makes no last checkpoint."""
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM runs").fetchone()
    yield
    connection.close()


@pytest.mark.usefixtures("often")
def test_without_a_scheduler_the_wal_is_kept_short_on_the_way(home: Terminal) -> None:
    """Or a prune would fill the disk that it is to empty."""
    path = home.state / "runs.db"
    with _somebody_reads(path):
        before = path.stat().st_mtime_ns
        home.ok("prune")
        # Nothing but a checkpoint writes to the file itself.
        assert path.stat().st_mtime_ns > before


@pytest.mark.usefixtures("often")
def test_beside_a_scheduler_it_is_left_to_that_one_which_is_woken(home: Terminal) -> None:
    """Two that make checkpoints at once could damage the file."""
    path, wake = home.state / "runs.db", home.state / "wake"
    lock = SchedulerLock(home.state)
    lock.acquire("run")
    try:
        with _somebody_reads(path):
            before = path.stat().st_mtime_ns
            home.ok("prune")
            assert path.stat().st_mtime_ns == before
    finally:
        lock.release()
    assert wake.exists()
    assert len(days_left(home)) == 32
