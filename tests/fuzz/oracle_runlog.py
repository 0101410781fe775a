"""What must hold of a run log whose files, or rows, are not as they were written."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from places import desk

from flytesched.core.decision import Count, Decision, Snapshot
from flytesched.core.runs import Attempt, AttemptKey, Gap, Origin, Run, RunStatus, ScheduleState
from flytesched.core.schedule import Schedule
from flytesched.errors import InvalidTimetable, NotFound, RunLogError
from flytesched.runlog.reading import Reader, open_reader
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: 2026-11-21T00:00:00Z.
DAY = 1_795_219_200
FILES = ("runs.db", "runs.db-wal")
TABLES = ("meta", "schedules", "revisions", "runs", "attempts", "gaps", "counters")
#: Changes that one input makes at most.
MOST = 12


def damaged(data: bytes) -> None:
    """A run log that was damaged answers, or says in one sentence that it cannot; never a crash.

    Readers change nothing, and what is refused stays as it was. The input is a list of damages,
    one a line: ``runs.db 4096 ff00`` writes bytes at a place, ``runs.db-wal cut 100`` shortens a
    file, ``row runs reason "x"`` sets a column of each row, whatever the schema says of it.
    """
    path = desk() / "runs.db"
    for name, content in _written().items():
        path.with_name(name).write_bytes(content)
    for line in data.decode("ascii", "replace").split("\n")[:MOST]:
        with suppress(sqlite3.Error, OSError, ValueError, TypeError, OverflowError):
            _damage(path, line.split(" "))
    before = _files(path)
    _reads(path)
    assert _files(path) == before
    _serves(path, before)


# -- the run log as it was --------------------------------------------------------------------


@cache
def _written() -> Mapping[str, bytes]:
    """Return the files of a small run log in use: a database and what its WAL adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state" / "runs.db"
        log = SqliteRunLog(path, holder=True)
        log.apply(_first())
        log.checkpoint()
        log.apply(_second())
        found = _files(path)
        log.close()
        return found


def _files(path: Path) -> dict[str, bytes]:
    """Return what the files hold; an empty WAL, which a reader may leave, is none."""
    found = {name: path.with_name(name) for name in FILES}
    return {
        name: content
        for name, file in found.items()
        if file.exists() and ((content := file.read_bytes()) or name == FILES[0])
    }


def _first() -> Decision:
    states = [_state(Schedule(name, every="1m", command="true")) for name in ("a", "b", "c")]
    runs = [
        _run("a", DAY + 60 * n, status, ended=DAY + 60.0 * n + 5, started=DAY + 60.0 * n)
        for n, status in enumerate((RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT))
    ]
    runs += [_run("b", DAY + 60 * n, RunStatus.SUCCEEDED, ended=DAY + 60.0 * n) for n in range(40)]
    return Decision(
        schedules=tuple(states), runs=tuple(runs),
        attempts=tuple(_attempt(run) for run in runs[:3]),
        gaps=(_gap("a", DAY + 180, DAY + 3600), _gap("c", DAY, DAY + 600, closed_as="declined")),
        counts=(Count(metric="runs_total", schedule="a", label="failed"),),
        meta={"manifest": "/etc/flytesched/schedules.toml", "heartbeat": str(DAY)},
    )  # fmt: skip


def _second() -> Decision:
    running = _run("a", DAY + 3660, RunStatus.RUNNING, started=DAY + 3660.0, attempt=1)
    claimed = _run("b", DAY + 3660, RunStatus.CLAIMED, attempt=1)
    manual = Run(
        id=f"manual-c-{DAY}000", schedule="c", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.QUEUED, created=float(DAY), revision=1,
    )  # fmt: skip
    return Decision(
        runs=(running, claimed, manual), cursors={"a": DAY + 3660, "b": DAY + 3660},
        attempts=(_attempt(running), _attempt(claimed)),
        gaps=(_gap("b", DAY + 3660, DAY + 7200),),
    )  # fmt: skip


def _state(schedule: Schedule) -> ScheduleState:
    return ScheduleState(
        name=schedule.name, timing=schedule.timing.text, enabled=True, cursor=DAY,
        seen_at=float(DAY), definition=schedule.definition(),
    )  # fmt: skip


def _run(name: str, slot: int, status: RunStatus, **keys: Any) -> Run:
    return Run(
        id=f"sched-{name}-{slot}", schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE,
        status=status, created=float(slot), revision=1, **keys,
    )  # fmt: skip


def _attempt(run: Run) -> Attempt:
    return Attempt(run=run.id, attempt=1, boot_id="b", ordered=run.created, log=f"logs/{run.id}")


def _gap(name: str, after: int, until: int, closed_as: str | None = None) -> Gap:
    timing = Schedule(name, every="1m", command="true").timing.text
    return Gap(
        schedule=name, after=after, until=until, count=(until - after) // 60, reason="no scheduler",
        timing=timing, created=float(until), closed_as=closed_as,
        closed_at=None if closed_as is None else float(until),
    )  # fmt: skip


# -- the damage -------------------------------------------------------------------------------


def _damage(path: Path, words: list[str]) -> None:
    """Carry out one damage.

    Raises:
        ValueError: it cannot be understood.
        sqlite3.Error: the file is too damaged for another.
    """
    if words[0] == "row":
        _rewrite(path, *words[1:3], " ".join(words[3:]))
        return
    file = path.with_name(words[0])
    if words[0] not in FILES or len(words) != 3:
        return
    content = bytearray(file.read_bytes())
    if words[1] == "cut":
        content = content[: int(words[2]) % (len(content) + 1)]
    else:
        new = bytes.fromhex(words[2])
        at = int(words[1]) % (len(content) + 1)
        content[at : at + len(new)] = new
    file.write_bytes(content)


def _rewrite(path: Path, table: str, column: str, said: str) -> None:
    """Set a column of every row, and let neither the schema's checks nor its triggers hinder it."""
    value = json.loads(said)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        known = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")]
        if table not in TABLES or column not in known:
            return
        (trigger,) = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchone()
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("DROP TRIGGER verdict_stands")
        try:
            connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
        finally:
            connection.execute(trigger)
    finally:
        connection.close()


# -- what must hold ---------------------------------------------------------------------------


def _reads(path: Path) -> None:
    """Ask a reader everything."""
    for reader in _opened(path, lambda: open_reader(path, busy_timeout=0)):
        for question in _questions(reader):
            _answered(path, question)


def _serves(path: Path, before: Mapping[str, bytes]) -> None:
    """Open it as a scheduler does, and go on as far as the scheduler would."""
    opened = False
    for log in _opened(path, lambda: SqliteRunLog(path, holder=True, busy_timeout=0)):
        opened = _answered(path, log.integrity_check)
        if opened:
            _answered(path, lambda log=log: _snapshot(log.load()))
            for deed in _deeds(log):
                _answered(path, deed)
    if not opened:
        assert _files(path) == before


def _opened(path: Path, opening: Callable[[], Any]) -> Iterator[Any]:
    """Yield what can be opened; close it."""
    try:
        log = opening()
    except RunLogError as error:
        _sentence(path, error)
        return
    assert log is not None
    try:
        yield log
    finally:
        _answered(path, log.close)


def _answered(path: Path, question: Callable[[], object]) -> bool:
    try:
        question()
    except (NotFound, InvalidTimetable):
        return True  # the latter from what would divide a gap that nobody can read
    except RunLogError as error:
        _sentence(path, error)
        return False
    return True


def _sentence(path: Path, error: RunLogError) -> None:
    assert "run log" in error.message or str(path) in error.message
    assert len(error.message.splitlines()) == 1
    assert len(error.message) < 1000


def _questions(reader: Reader) -> Iterator[Callable[[], object]]:
    yield lambda: [run.verdict() for run in reader.active()]
    yield reader.states
    yield reader.gaps
    yield reader.open_gaps
    yield reader.open_missed
    yield reader.counters
    yield reader.meta
    yield reader.last_runs
    yield lambda: reader.last_runs(["a", "b"], done=True)
    yield lambda: reader.revision("a") + len(reader.revisions("a"))
    yield lambda: reader.decided("b", 0, DAY + 3600)
    yield lambda: reader.last_verdict("a", "x")
    yield lambda: reader.run(f"sched-a-{DAY}")
    yield lambda: reader.run("manual-")
    yield lambda: reader.run("sched-")
    yield lambda: reader.attempt(AttemptKey(f"sched-a-{DAY}", 1))
    yield lambda: [entry.said() for entry in reader.history(limit=200)]
    yield lambda: reader.history(["a", "c"], statuses=["missed", "skipped", "failed"], limit=20)


def _snapshot(found: Snapshot) -> None:
    assert all(run.active for run in found.active)
    assert {attempt.run for attempt in found.attempts} <= {run.id for run in found.active}


def _deeds(log: SqliteRunLog) -> Iterator[Callable[[], object]]:
    late = DAY + 10**6
    yield lambda: log.apply(
        Decision(runs=(_run("a", late, RunStatus.CLAIMED),), cursors={"a": late}, meta={"x": "y"})
    )
    yield lambda: log.cancel_waiting(f"manual-c-{DAY}000", "by user", late)
    yield lambda: log.note_end(f"sched-a-{DAY + 3660}", "cancelled(by user)")
    yield lambda: log.close_caught_up(late)
    yield lambda: log.decline(["a", "b"], late, until=DAY + 1200)
    yield lambda: log.prune(DAY + 600.0)
    yield lambda: log.withdraw([f"sched-a-{DAY}"])
    yield log.changed
    yield log.checkpoint


# -- ids that people type ---------------------------------------------------------------------


def run_ids(data: bytes) -> None:
    """What is typed as the id of a run finds that run, the only one that begins so, or none."""
    said = os.fsdecode(data)
    log = _log()
    found = None
    with suppress(NotFound):  # several begin so
        found = log.run(said)
    assert found is None or found.id.startswith(said)
    exact = log.runs([said])
    assert exact in ([], [found])
    assert all(run.id == said for run in exact)
    assert {attempt.run for attempt in log.attempts(said)} <= {run.id for run in exact}
    log.note_end(said, "cancelled(by user)")
    log.cancel_waiting(said, "by user", DAY)
    assert log.withdraw([said]) == []


@cache
def _log() -> SqliteRunLog:
    """Return a small run log whose runs have all ended, so that nothing can change it."""
    log = SqliteRunLog(":memory:")
    log.apply(_first())
    return log
