"""Wishes: what any process may write beside the scheduler, each in a transaction of its own."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched.core.gaps import GIVEN_UP, cut, holds
from flytesched.core.runs import Reason, RunStatus
from flytesched.runlog.database import translated
from flytesched.runlog.reading import Reader, strangers
from flytesched.runlog.rows import (
    GAP,
    GAP_COLUMNS,
    RUN,
    SLOTS,
    columns,
    gap_row,
    places,
    run_row,
    to_gap,
    where_id,
    words,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from flytesched.core.runs import Gap, Run

#: Gaps around the slot ``?2`` of the schedule ``?1`` that were given up.
_GIVEN_UP = (
    "FROM gaps WHERE schedule = ?1 AND until >= ?2 AND after < ?2"
    f" AND closed_as IN ({words(GIVEN_UP)})"
)
#: A new run; a slot or an id that is taken changes nothing.
_INSERT_RUN = f"INSERT INTO runs ({columns(RUN)}) VALUES ({places(RUN)}) ON CONFLICT DO NOTHING"
#: The same, but for stretches that were given up: their slots have a verdict. A live slot is later
#: than every gap, so looking costs it one step into an index.
_INSERT_RUN_BESIDE_GAPS = (
    f"INSERT INTO runs ({columns(RUN)}) SELECT {places(RUN)}"
    f" WHERE ?3 <> '' OR NOT EXISTS (SELECT NULL {_GIVEN_UP}) ON CONFLICT DO NOTHING"
)
INSERT_GAP = f"INSERT INTO gaps ({columns(GAP)}) VALUES ({places(GAP)})"
_STARTED = "status IN ('claimed', 'running')"
_ENDS_NOT_YET = "(end_as IS NULL OR end_as = 'timed_out')"


class Wishes(Reader):
    """A run log that takes wishes. Each method returns what came of it; losing is normal.

    Every method raises RunLogBusy when nothing could be written.
    """

    #: Rows that have to change through this object until a gap can be caught up.
    _close_at = 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one durable transaction; an exception undoes all of it."""
        with self._lock, translated(self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def request(self, run: Run) -> Run | None:
        """Store a queued run and return it as stored; None if its slot is decided already.

        A run without a slot of its own (manual, retry) always gets in: while its id is taken, it
        gets the one of the next millisecond.
        """
        decides_a_slot = run.scheduled_at is not None and run.retry_of is None
        with self.transaction() as connection:
            while True:
                if seq := insert_run(connection, run):
                    return replace(run, seq=seq)
                if decides_a_slot:
                    return None
                run = replace(run, id=_next_id(run.id))

    def note_end(self, run_id: str, end_as: str) -> bool:
        """Note the verdict that a started run shall end with; False if it is too late for it.

        The first note counts, but a timeout, which may be tried again, gives way to a cancel. A
        waiting run has nothing to end: see `cancel_waiting`.
        """
        where, values = where_id(run_id)
        sql = f"UPDATE runs SET end_as = ? WHERE {where} AND {_STARTED} AND {_ENDS_NOT_YET}"
        with self.transaction() as connection:
            return connection.execute(sql, (end_as, *values)).rowcount == 1

    def cancel_waiting(self, run_id: str, reason: str, now: float) -> bool:
        """Cancel a run that waits for its start or its next attempt; False if it does not wait."""
        where, values = where_id(run_id)
        sql = (
            "UPDATE runs SET status = 'cancelled', reason = ?, ended = ?"
            f" WHERE {where} AND status IN ('queued', 'retry_wait') RETURNING schedule"
        )
        with self.transaction() as connection:
            schedules = connection.execute(sql, (reason, now, *values)).fetchall()
            for (schedule,) in schedules:
                add(connection, "runs_total", schedule, RunStatus.CANCELLED.value, 1.0)
        return bool(schedules)

    def rename(self, name: str, was: str, now: float) -> None:
        """Note that a schedule gets another name; a scheduler goes by it when it sees the change.

        One that got its last name unseen goes by the name before it, and may get that back. Where
        a scheduler has seen the old name go already, that was the end of it.
        """
        with self.transaction() as connection:
            unseen = "FROM renames WHERE seen_at IS NULL AND"
            row = connection.execute(f"SELECT was {unseen} name = ?", (was,)).fetchone()
            first = row[0] if row else was
            # What a command that was killed has noted goes as well: a name has one heir.
            values = (was, name, first)
            connection.execute(f"DELETE {unseen} (name IN (?1, ?2) OR was = ?3)", values)
            if first != name:
                connection.execute(
                    "INSERT INTO renames (name, was, asked_at, seen_at) VALUES (?1, ?2, ?3,"
                    " (SELECT removed_at FROM schedules WHERE name = ?2))",
                    (name, first, now),
                )

    def withdraw(self, ids: Iterable[str]) -> list[str]:
        """Delete catch-up and backfill runs that are still queued; return the ids of those.

        Their slots are missed, or undecided, again.
        """
        with self.transaction() as connection:
            return [one for one in ids if _withdraw(connection, one)]

    def decline(
        self,
        names: Iterable[str],
        moment: float,
        *,
        after: int | None = None,
        until: int | None = None,
    ) -> int:
        """Give up the open missed slots of schedules in ``(after, until]``; return how many.

        A gap that lies in that stretch only partly is divided; the rest of it stays open.
        """
        declined = 0
        with self.transaction() as connection:
            for name in names:
                sql = f"SELECT {GAP_COLUMNS} FROM gaps WHERE schedule = ? AND closed_at IS NULL"
                for gap in map(to_gap, connection.execute(sql, (name,)).fetchall()):
                    declined += _decline(connection, gap, moment, after, until)
        self._close_at = 0
        return declined

    def _undo(self) -> None:
        import sqlite3

        # SQLite may have undone it by itself, after a full disk for example.
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")


def insert_run(connection: sqlite3.Connection, run: Run) -> int:
    """Store a new run and return its row number; 0 if its slot or id is taken.

    A slot is taken by the run that decides it, and by a gap that was given up: its verdict, which
    is ``skipped(declined)``, ``skipped(removed)`` or ``skipped(holiday: ...)``, does not change,
    whoever asks.
    """
    row = run_row(run)
    cursor = connection.execute(_INSERT_RUN_BESIDE_GAPS, row)
    if not cursor.rowcount:
        schedule, at, asked = row[:3]
        gaps = connection.execute(f"SELECT {GAP_COLUMNS} {_GIVEN_UP}", (schedule, at)).fetchall()
        if asked or not gaps or any(holds(to_gap(gap), at) for gap in gaps):
            return 0
        cursor = connection.execute(_INSERT_RUN, row)  # it is of another timetable
    return (cursor.lastrowid or 0) if cursor.rowcount else 0


def add(
    connection: sqlite3.Connection, metric: str, schedule: str, label: str, amount: float
) -> None:
    """Add to a counter."""
    connection.execute(
        "INSERT INTO counters (metric, schedule, label, value) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = value + excluded.value",
        (metric, schedule, label, amount),
    )


def _withdraw(connection: sqlite3.Connection, run_id: str) -> bool:
    where, values = where_id(run_id)
    sql = (
        f"DELETE FROM runs WHERE {where} AND status = 'queued'"
        " AND origin IN ('catchup', 'backfill')"
    )
    return connection.execute(sql, values).rowcount == 1


def _next_id(run_id: str) -> str:
    name, _, moment = run_id.rpartition("-")
    return f"{name}-{int(moment) + 1}"


def _decline(
    connection: sqlite3.Connection, gap: Gap, moment: float, after: int | None, until: int | None
) -> int:
    """Close the part of a gap in ``(after, until]``; return how many slots that gave up."""
    before, within, behind = cut(gap, after, until)
    if within is None:
        return 0
    closed = replace(within, closed_at=moment, closed_as=Reason.DECLINED.value)
    assignments = ", ".join(f"{column} = ?" for column in GAP)
    connection.execute(f"UPDATE gaps SET {assignments} WHERE id = ?", (*gap_row(closed), gap.id))
    rest = [gap_row(part) for part in (before, behind) if part is not None]
    connection.executemany(INSERT_GAP, rest)
    row = connection.execute(
        f"SELECT count(*) FROM runs WHERE {SLOTS}", (gap.schedule, within.after, within.until)
    ).fetchone()
    return within.count - int(row[0]) + strangers(connection, within)
