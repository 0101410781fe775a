"""Checks of a run log: each rule is broken once, and nothing else cries out."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_gap, a_manual_run, a_run, a_state, an_attempt

from flytesched.core.counts import count_verdicts
from flytesched.core.decision import Decision
from flytesched.core.runs import Origin, RunStatus
from flytesched.errors import RunLogBusy, RunLogError
from flytesched.runlog.checking import INSTANTS, RULES, SLACK, open_checker
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flytesched.runlog.checking import Checker

DONE = a_run(DAY - 60, status=RunStatus.SUCCEEDED, attempt=2, exit_code=0, started=float(DAY))
FAILED = a_run(DAY - 120, status=RunStatus.FAILED, attempt=1, exit_code=3, started=float(DAY))
GOING = a_run(DAY, status=RunStatus.RUNNING, attempt=1, started=float(DAY))
WAITING = a_manual_run(DAY + 1.0)
SKIPPED = a_run(DAY - 180, status=RunStatus.SKIPPED, reason="overlap")


@pytest.fixture
def lived_in(path: Path) -> Path:
    """Make a run log with some of everything, and let go of it."""
    ended = [DONE, FAILED, SKIPPED]
    log = SqliteRunLog(path, holder=True)
    log.apply(
        Decision(
            schedules=(a_state(seen_at=float(DAY - 900)),),
            runs=(*ended, GOING, WAITING),
            attempts=(
                an_attempt(DONE, 1, started=1.0, ended=2.0),
                an_attempt(DONE, 2, started=3.0, ended=4.0),
                an_attempt(FAILED, 1, started=1.0, ended=2.0),
                an_attempt(GOING, 1, started=1.0),
            ),
            gaps=(a_gap(DAY - 840, DAY - 660), a_gap(DAY - 660, DAY - 600)),
            counts=tuple(count_verdicts(ended)),
        )
    )
    log.close()
    return path


@pytest.fixture
def checker(lived_in: Path) -> Iterator[Checker]:
    with open_checker(lived_in) as checker:
        yield checker


def spoil(path: Path, *statements: str) -> None:
    """Write what no version of the program writes."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("DROP TRIGGER verdict_stands")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_what_the_program_writes_breaks_no_rule(checker: Checker) -> None:
    assert list(checker.broken()) == []
    assert (checker.faults(_nobody), checker.orphans(), checker.alterations()) == ([], 0, [])
    assert checker.counts() == {"schedules": 1, "runs": 5, "attempts": 4, "gaps": 2}


def _nobody(_: float) -> None:
    """Watch nothing."""


#: What breaks each rule, by the beginning of what the rule says is broken.
SPOILT = {
    "names with a moment": [f"UPDATE runs SET created = 9e300 WHERE id = '{WAITING.id}'"],
    "runs whose status does not go": [f"UPDATE runs SET ended = NULL WHERE id = '{SKIPPED.id}'"],
    "runs that are running": [f"UPDATE runs SET started = NULL WHERE id = '{GOING.id}'"],
    "verdicts that do not say why": [f"UPDATE runs SET reason = NULL WHERE id = '{SKIPPED.id}'"],
    "runs that are claimed": [
        f"UPDATE attempts SET ended = 5 WHERE run = (SELECT seq FROM runs WHERE id = '{GOING.id}')"
    ],
    "runs with a verdict and an attempt": [
        f"UPDATE attempts SET ended = NULL WHERE run = "
        f"(SELECT seq FROM runs WHERE id = '{FAILED.id}')"
    ],
    "runs that have another attempt": [
        f"UPDATE runs SET attempt = 2 WHERE id = '{GOING.id}'",
        "INSERT INTO attempts SELECT run, 2, boot_id, ordered, survive, started, pid, pid_started,"
        " deadline, kill_after, ended, outcome, exit_code, cpu, max_rss, log FROM attempts"
        f" WHERE run = (SELECT seq FROM runs WHERE id = '{GOING.id}')",
    ],
    "runs that count other attempts": [f"UPDATE runs SET attempt = 3 WHERE id = '{DONE.id}'"],
    "slots that have a run": [f"UPDATE schedules SET cursor = {DAY - 30}"],
    "schedules with missed slots": [f"UPDATE gaps SET until = {DAY + 60} WHERE id = 2"],
    "schedules with a slot that was missed twice": [
        f"UPDATE gaps SET after = {DAY - 720} WHERE id = 2"
    ],
    "schedules with holidays that are not": [
        """UPDATE gaps SET timing = replace(timing, '}', ', "part": "left_out"}') WHERE id = 1"""
    ],
    "schedules with a slot that was caught up": [
        "UPDATE gaps SET closed_at = 1, closed_as = 'caught_up' WHERE id = 1"
    ],
    "schedules whose definition": ["DELETE FROM revisions"],
    "schedules with more verdicts": ["DELETE FROM counters WHERE label = 'failed'"],
}


def test_every_rule_has_an_example_here() -> None:
    assert all(sum(rule.broken.startswith(said) for rule in RULES) == 1 for said in SPOILT)
    assert len(SPOILT) == len(RULES)


@pytest.mark.parametrize("said", SPOILT)
def test_what_breaks_a_rule_is_told_once_with_a_name(lived_in: Path, said: str) -> None:
    spoil(lived_in, *SPOILT[said])

    with open_checker(lived_in) as checker:
        (broken,) = checker.broken()

    assert broken.rule.broken.startswith(said)
    assert broken.count == 1
    names = {run.id for run in (DONE, FAILED, GOING, SKIPPED)} | {"backup"}
    assert broken.first in names


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE schedules SET cursor = 1000000000000000",
        "UPDATE schedules SET seen_at = -1e300",
        "UPDATE schedules SET seen_at = 9e999",
        "UPDATE gaps SET until = 1000000000000000",
        "UPDATE gaps SET after = -1",
        f"UPDATE runs SET at = 9e14, scheduled_at = 900000000000000 WHERE id = '{DONE.id}'",
        "INSERT INTO meta VALUES ('heartbeat', 'nan')",
        "INSERT INTO meta VALUES ('heartbeat', '9e999')",
        "INSERT INTO meta VALUES ('pruned_before', 'soon')",
        "INSERT INTO meta VALUES ('pruned_before', '999999999999999')",
    ],
)
def test_moments_that_no_calendar_has_are_told(lived_in: Path, statement: str) -> None:
    """And whoever asks for them gets an answer all the same."""
    spoil(lived_in, statement)
    with open_checker(lived_in) as checker:
        assert INSTANTS in [broken.rule for broken in checker.broken()]
        assert checker.last_decision() >= 0 <= checker.forgotten()


def test_a_waiting_run_has_no_attempt_that_goes_on(lived_in: Path) -> None:
    spoil(
        lived_in,
        f"UPDATE runs SET status = 'retry_wait' WHERE id = '{GOING.id}'",
    )
    with open_checker(lived_in) as checker:
        (broken,) = checker.broken()
    assert broken.rule.broken.startswith("runs that have another attempt")


def test_a_gap_whose_verdicts_may_have_been_pruned_is_not_judged(lived_in: Path) -> None:
    spoil(
        lived_in,
        *SPOILT["schedules with a slot that was caught up"],
        f"INSERT INTO meta VALUES ('pruned_before', '{DAY - 700}')",
    )
    with open_checker(lived_in) as checker:
        assert checker.forgotten() == DAY - 700 + SLACK
        assert list(checker.broken()) == []


def test_gaps_of_two_timetables_may_overlap(lived_in: Path) -> None:
    spoil(
        lived_in,
        f"UPDATE gaps SET after = {DAY - 720}, timing = 'another' WHERE id = 2",
    )
    with open_checker(lived_in) as checker:
        assert list(checker.broken()) == []


def test_references_to_nothing_are_counted(lived_in: Path) -> None:
    spoil(lived_in, f"DELETE FROM runs WHERE id = '{DONE.id}'")
    with open_checker(lived_in) as checker:
        assert checker.orphans() == 2


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("DROP INDEX runs_of_schedule", "runs_of_schedule"),
        ("DROP INDEX runs_asked", "runs_asked"),
        ("ALTER TABLE gaps ADD COLUMN colour TEXT", "gaps"),
        ("DROP TABLE counters", "counters"),
    ],
)
def test_a_schema_that_was_altered_is_named(lived_in: Path, statement: str, name: str) -> None:
    """Without the unique key a slot could be claimed twice."""
    spoil(lived_in, statement)
    with open_checker(lived_in) as checker:
        assert checker.alterations() == sorted([name, "verdict_stands"])


def test_an_index_that_lacks_a_row_is_a_fault_that_a_quick_look_misses(lived_in: Path) -> None:
    spoil(
        lived_in,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX runs_of_all ON runs (at) WHERE seq > 2'"
        " WHERE name = 'runs_of_all'",
    )
    connection = sqlite3.connect(lived_in)
    connection.execute("INSERT INTO meta VALUES ('schema', 'is read anew')")
    connection.execute("REINDEX runs_of_all")
    connection.commit()
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX runs_of_all ON runs (at)'"
        " WHERE name = 'runs_of_all'"
    )
    connection.commit()
    connection.close()
    with open_checker(lived_in) as checker:
        assert checker.faults(_nobody, quick=True) == []
        faults = checker.faults(_nobody)
    assert len(faults) >= 2
    assert any("missing from index runs_of_all" in fault for fault in faults)


def test_a_torn_page_has_faults_but_not_thousands(lived_in: Path) -> None:
    log = SqliteRunLog(lived_in)
    runs = tuple(a_run(DAY + 60 * n) for n in range(1, 4_000))
    log.apply(Decision(runs=runs))
    log.checkpoint()
    log.close()
    size = lived_in.stat().st_size
    with lived_in.open("r+b") as file:
        for page in range(20, size // 4096 - 1):
            file.seek(4096 * page)
            file.write(os.urandom(64))
    with open_checker(lived_in) as checker:
        try:
            faults = checker.faults(_nobody)
        except RunLogError as error:  # SQLite may as well give up
            faults = [error.message]
    assert 0 < len(faults) <= 10


def test_progress_is_told_and_never_beyond_its_end(lived_in: Path) -> None:
    _grow(lived_in, 3_000)
    told: list[float] = []
    with open_checker(lived_in) as checker:
        assert checker.faults(told.append) == []
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] < 1


def test_ctrl_c_ends_a_check_that_takes_long(lived_in: Path) -> None:
    """SQLite alone would go on to its end first."""
    _grow(lived_in, 2_000)
    told: list[float] = []

    def press(done: float) -> None:
        told.append(done)
        signal.raise_signal(signal.SIGINT)

    with open_checker(lived_in) as checker:
        with pytest.raises(KeyboardInterrupt):
            checker.faults(press)
        assert len(told) == 1
        assert checker.counts()["runs"] == 2_005, "it can be asked again"


def test_an_error_in_a_check_is_not_taken_for_ctrl_c(
    lived_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_checker(lived_in) as checker:
        # SQLite says so of a disk; there is none here that fails.
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        whole = checker._all

        def fails(sql: str, *values: object) -> object:
            if "integrity_check" in sql:
                raise RunLogBusy("the run log cannot be used") from error
            return whole(sql, *values)

        monkeypatch.setattr(checker, "_all", fails)
        with pytest.raises(RunLogBusy):
            checker.faults(_nobody)


def _grow(path: Path, count: int) -> None:
    log = SqliteRunLog(path)
    log.apply(Decision(runs=tuple(a_run(DAY + 60 * n) for n in range(1, count + 1))))
    log.close()


def test_a_check_sees_one_moment_and_holds_up_nobody(lived_in: Path) -> None:
    """A scheduler goes on writing, and makes checkpoints, meanwhile."""
    log = SqliteRunLog(lived_in, holder=True)
    with open_checker(lived_in) as checker, checker.at_one_instant():
        before = checker.counts()["runs"]
        for n in range(1, 100):
            log.apply(Decision(runs=(a_run(DAY + 60 * n),)))
        log.checkpoint()
        assert checker.counts()["runs"] == before
        assert checker.faults(_nobody) == []
    assert log.checkpoint()
    log.close()


def test_a_check_leaves_the_wal_to_the_scheduler(lived_in: Path, tmp_path: Path) -> None:
    """It makes no checkpoint, not even when it is the last to let go."""
    log = SqliteRunLog(lived_in)
    log.apply(Decision(runs=(a_run(DAY + 60),)))
    left = tmp_path / "left"  # as a scheduler that was killed leaves it
    left.mkdir()
    for name in ("runs.db", "runs.db-wal"):
        (left / name).write_bytes((lived_in.parent / name).read_bytes())
    log.close()
    before = {path.name: path.read_bytes() for path in left.iterdir()}
    assert before["runs.db-wal"]

    with open_checker(left / "runs.db") as checker:
        assert checker.counts()["runs"] == 6
        assert checker.faults(_nobody) == []

    after = {path.name: path.read_bytes() for path in left.iterdir() if "shm" not in path.name}
    assert after == before


def test_slots_with_a_run_are_told_without_backfills(checker: Checker, lived_in: Path) -> None:
    log = SqliteRunLog(lived_in)
    log.apply(Decision(runs=(a_run(DAY - 300, origin=Origin.BACKFILL, revision=7),)))
    log.close()
    assert list(checker.planned("backup", DAY - 900, DAY)) == [
        DAY - 180, DAY - 120, DAY - 60, DAY,
    ]  # fmt: skip
    assert list(checker.planned("backup", DAY - 120, DAY - 60)) == [DAY - 60]


def test_slots_that_were_decided_ahead_of_the_clock_are_told(checker: Checker, path: Path) -> None:
    """By an earlier definition, or before an earlier slot."""
    log = SqliteRunLog(path)
    assert checker.ahead("backup", 0, DAY, DAY + 900) == 0
    log.apply(Decision(runs=(a_run(DAY + 600, revision=6), a_run(DAY + 660, revision=7))))
    assert checker.ahead("backup", 7, DAY, DAY + 900) == DAY + 600
    assert checker.ahead("backup", 6, DAY, DAY + 900) == 0
    log.apply(Decision(runs=(a_run(DAY + 630, revision=7), a_run(DAY + 720, revision=7))))
    assert checker.ahead("backup", 7, DAY, DAY + 900) == DAY + 660
    assert checker.ahead("backup", 7, DAY + 600, DAY + 650) == 0
    log.close()


def test_the_last_decision_is_told(checker: Checker, path: Path) -> None:
    assert checker.last_decision() == 0
    log = SqliteRunLog(path)
    log.apply(Decision(meta={"heartbeat": "1795219200.750"}))
    log.close()
    assert checker.last_decision() == DAY


def test_the_oldest_verdict_and_logs_are_told(checker: Checker) -> None:
    assert checker.oldest() == DONE.ended
    assert checker.logs(1.5, 3.0) == [f"logs/{DONE.id}.log", f"logs/{FAILED.id}.log"]


def test_an_empty_run_log_has_no_verdict(path: Path) -> None:
    SqliteRunLog(path).close()
    with open_checker(path) as checker:
        assert checker.oldest() is None
        assert checker.forgotten() == 0


def test_a_checker_works_from_any_thread(checker: Checker) -> None:
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(checker.faults(_nobody)))
    thread.start()
    thread.join()
    assert found == [[]]
