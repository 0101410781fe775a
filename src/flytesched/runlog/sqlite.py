"""SqliteRunLog: decisions, each in one durable transaction."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.core.decision import Snapshot
from flytesched.errors import RunLogBusy
from flytesched.runlog import notices
from flytesched.runlog.database import open_database, open_in_memory, translated
from flytesched.runlog.migrations import ACTIVE
from flytesched.runlog.reading import strangers
from flytesched.runlog.rows import (
    ATTEMPT,
    ATTEMPT_COLUMNS,
    GAP_COLUMNS,
    MOVED,
    SLOTS_OF_GAP,
    STATE,
    attempt_row,
    columns,
    gap_row,
    moved_row,
    place,
    places,
    state_row,
    to_attempt,
    to_gap,
    where_id,
    words,
)
from flytesched.runlog.upkeep import Upkeep
from flytesched.runlog.wishes import INSERT_GAP, add, insert_run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from flytesched.core.decision import Count, Decision, Move
    from flytesched.core.runs import Attempt, Gap, Run, RunStatus, ScheduleState

#: Seconds that the scheduler waits for another writer: a slot must not wait long for it.
_PATIENCE_OF_HOLDER = 0.25
#: Seconds that a command waits: the scheduler writes briefly, a big catch-up for some time.
_PATIENCE = 5.0
#: Pages of WAL (4 KiB each) after which even a busy holder makes a checkpoint.
_CHECKPOINT_AT_LAST = 10_000
#: Bytes of WAL that are kept for reuse after a checkpoint.
_KEPT_WAL = 16 * 2**20

_PUT_STATE = (
    f"INSERT INTO schedules ({columns(STATE)}) VALUES ({places(STATE)}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in STATE if c not in {"name", "cursor"})
    + ", cursor = max(cursor, excluded.cursor)"
)
_PUT_REVISION = (
    "INSERT INTO revisions (name, revision, seen_at, definition) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET definition = excluded.definition"
)
_MOVE_CURSOR = "UPDATE schedules SET cursor = ?2 WHERE name = ?1 AND cursor < ?2"
_CLOSE_GAPS = (
    "UPDATE gaps SET closed_as = ?2, closed_at = ?3 WHERE schedule = ?1 AND closed_at IS NULL"
)
_PUT_ATTEMPT = f"INSERT OR REPLACE INTO attempts ({columns(ATTEMPT)}) VALUES ({places(ATTEMPT)})"
_PUT_META = (
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
)
_LAST_ATTEMPTS = (
    f"SELECT {ATTEMPT_COLUMNS} FROM runs INDEXED BY runs_active"
    " JOIN attempts ON attempts.run = runs.seq"
    " AND attempts.attempt = (SELECT max(attempt) FROM attempts WHERE run = runs.seq)"
    f" WHERE runs.{ACTIVE} ORDER BY runs.seq"
)
#: Open gaps, and how many verdicts each lacks at least: as if no run in it were a stranger.
_OPEN_AND_MISSING = (
    f"SELECT {GAP_COLUMNS}, count - (SELECT count(*) FROM runs WHERE {SLOTS_OF_GAP})"
    f" + (SELECT count(*) FROM runs INDEXED BY runs_active WHERE {SLOTS_OF_GAP} AND {ACTIVE})"
    " FROM gaps WHERE closed_at IS NULL"
)
_CAUGHT_UP = (
    "UPDATE gaps SET closed_as = 'caught_up', closed_at = ? WHERE id = ? AND closed_at IS NULL"
)


class SqliteRunLog(Upkeep):
    """The run log in SQLite (WAL, synchronous=FULL), for its one scheduler and for commands.

    It takes wishes (`Wishes`) and answers questions (`Reader`) as well.
    """

    def __init__(
        self, path: Path | str, *, holder: bool = False, busy_timeout: float | None = None
    ) -> None:
        """Open the run log, and make it if there is none.

        Args:
            path: the file, or ``:memory:`` for a log that ends with this object.
            holder: whether this is the process that makes checkpoints: the holder of the
                scheduler's lock. Others leave the WAL alone.
            busy_timeout: seconds to wait for another writer; None for 0.25 as holder, else 5.

        Raises:
            RunLogError: the file is foreign, damaged, newer than this program, or not to be had.
        """
        if busy_timeout is None:
            busy_timeout = _PATIENCE_OF_HOLDER if holder else _PATIENCE
        if str(path) == ":memory:":
            connection = open_in_memory()
        else:
            connection = open_database(Path(path), timeout=busy_timeout)
        super().__init__(connection, str(path))
        self._all(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_AT_LAST if holder else 0}")
        self._all(f"PRAGMA journal_size_limit = {_KEPT_WAL}")
        #: Versions of the file, as ``data_version`` tells them, at the last look.
        self._seen = self._counted = self._pragma("data_version")

    def load(self) -> Snapshot:
        """Read what a starting scheduler needs, all at one instant."""
        with self._reading():
            return Snapshot(
                schedules=self.states(),
                active=tuple(self.active()),
                attempts=tuple(map(to_attempt, self._all(_LAST_ATTEMPTS))),
                gaps=tuple(self.open_gaps()),
                meta=self.meta(),
            )

    def apply(self, decision: Decision) -> frozenset[str]:
        """Carry out a decision in one durable transaction; return ids and keys of what lost.

        Raises:
            RunLogBusy: nothing was written; trying again may work.
            RunLogError: nothing was written; it breaks a rule, such as a move from a verdict.
        """
        with self.transaction() as connection:
            _see(connection, decision.schedules)
            connection.executemany(_MOVE_CURSOR, decision.cursors.items())
            connection.executemany(INSERT_GAP, map(gap_row, decision.gaps))
            connection.executemany(_CLOSE_GAPS, decision.close_gaps)
            _settle_renames(connection, decision.renames)
            seqs = _insert(connection, decision.runs)
            lost = frozenset({*_lost(seqs), *_move(connection, decision.moves)})
            _put_attempts(connection, decision.attempts, seqs, lost)
            notices.put(connection, decision.notices, lost)
            lost |= frozenset(notices.move(connection, decision.notice_states))
            _count(connection, decision.counts, lost)
            connection.executemany(_PUT_META, map(_fact, decision.meta.items()))
        if decision.gaps:
            self._close_at = 0
        return lost

    def changed(self) -> bool:
        """Tell whether somebody else wrote since the last call; True when that cannot be told."""
        try:
            version = self._pragma("data_version")
        except RunLogBusy:
            return True
        seen, self._seen = self._seen, version
        return version != seen

    def close_caught_up(self, moment: float) -> None:
        """Close the gaps whose every slot has a run with a verdict.

        A gap that lacks n verdicts cannot be caught up before n more rows have changed, so until
        then nothing is counted: a long catch-up does not count its runs after each of them.
        """
        version = self._pragma("data_version")
        if version == self._counted and self._connection.total_changes < self._close_at:
            return
        rows = self._all(_OPEN_AND_MISSING)
        lacking = {row[0]: self._lacks(to_gap(row[:-1]), row[-1]) for row in rows}
        if closed := [(moment, gap) for gap, missing in lacking.items() if missing <= 0]:
            with self.transaction() as connection:
                connection.executemany(_CAUGHT_UP, closed)
        nearest = min((missing for missing in lacking.values() if missing > 0), default=2**62)
        self._counted = version
        self._close_at = self._connection.total_changes + nearest

    def _lacks(self, gap: Gap, at_least: int) -> int:
        """Return how many verdicts a gap lacks; exact where that may be none."""
        if at_least > 0:
            return at_least
        with self._lock, translated(self._name):
            return at_least + strangers(self._connection, gap, "ended IS NOT NULL")


def _see(connection: sqlite3.Connection, states: Sequence[ScheduleState]) -> None:
    connection.executemany(_PUT_STATE, map(state_row, states))
    connection.executemany(
        _PUT_REVISION, ((s.name, s.revision, s.seen_at, s.definition) for s in states)
    )


def _settle_renames(
    connection: sqlite3.Connection, renames: Iterable[tuple[str, str, float | None]]
) -> None:
    """Note which renames were seen, and forget those that never came about."""
    for name, was, moment in renames:
        which = "WHERE name = ?1 AND was = ?2 AND seen_at IS NULL"
        if moment is None:
            connection.execute(f"DELETE FROM renames {which}", (name, was))
        else:
            connection.execute(f"UPDATE renames SET seen_at = ?3 {which}", (name, was, moment))


def _fact(fact: tuple[str, str]) -> tuple[str, str]:
    """Return a fact as SQLite takes it: a file's name in it may be no UTF-8."""
    key, said = fact
    return key, said.encode(errors="backslashreplace").decode()


def _insert(connection: sqlite3.Connection, runs: Iterable[Run]) -> dict[str, int]:
    """Insert runs; return the row number of each, 0 where slot or id was taken."""
    return {run.id: insert_run(connection, run) for run in runs}


def _lost(seqs: Mapping[str, int]) -> Iterator[str]:
    return (run_id for run_id, seq in seqs.items() if not seq)


def _move(connection: sqlite3.Connection, moves: Iterable[Move]) -> Iterator[str]:
    """Move runs; yield the ids of those that have moved on, or are to end otherwise."""
    for move in moves:
        values = (*moved_row(move.run), *place(move.run), move.knew)
        if not connection.execute(_move_sql(move.was), values).rowcount:
            yield move.run.id


@lru_cache(maxsize=64)
def _move_sql(was: frozenset[RunStatus]) -> str:
    changes = ", ".join(f"{column} = ?" for column in MOVED)
    return (
        f"UPDATE runs SET {changes} WHERE schedule = ? AND at = ? AND asked = ?"
        f" AND end_as IS ? AND status IN ({words(was)})"
    )


def _put_attempts(
    connection: sqlite3.Connection,
    attempts: Iterable[Attempt],
    seqs: Mapping[str, int],
    lost: AbstractSet[str],
) -> None:
    for attempt in attempts:
        if attempt.run not in lost:
            seq = seqs.get(attempt.run) or _seq(connection, attempt.run)
            connection.execute(_PUT_ATTEMPT, (seq, *attempt_row(attempt)[1:]))


def _seq(connection: sqlite3.Connection, run_id: str) -> int | None:
    """Return the row number of a run; None, which no attempt may have, if there is no such run."""
    where, values = where_id(run_id)
    row = connection.execute(f"SELECT seq FROM runs WHERE {where}", values).fetchone()
    return row[0] if row else None


def _count(connection: sqlite3.Connection, counts: Iterable[Count], lost: AbstractSet[str]) -> None:
    for count in counts:
        if count.run not in lost:
            add(connection, count.metric, count.schedule, count.label, count.amount)
