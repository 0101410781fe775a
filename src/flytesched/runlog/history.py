"""History: runs and missed slots in one list, newest first.

Missed slots have no rows: they are walked backwards with the timetable that was in force, and only
as far as somebody reads, so that a gap of thirty million slots costs no more than one of fifty.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flytesched.core.runs import FAILURES, Origin, Reason, RunStatus, run_id
from flytesched.errors import InvalidTimetable
from flytesched.runlog.migrations import FAILING
from flytesched.runlog.rows import GAP_COLUMNS, RUN_COLUMNS, SLOTS, places, to_gap, to_run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

    from flytesched.core.runs import Gap, Run

#: The status of a slot that is neither decided nor active.
MISSED = "missed"
#: More schedules than this are read in one walk over all runs, not one walk for each.
_FEW = 64
#: Epoch seconds beyond any.
_EVER = 1e15
_AT = attrgetter("at")
_STATUSES = frozenset(status.value for status in RunStatus)
_FAILING = frozenset(status.value for status in FAILURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a history: a run, or a missed slot."""

    #: Id of the run, or the id it would have.
    id: str
    #: Name of the schedule.
    schedule: str
    #: Epoch second of the slot; None for manual runs.
    scheduled_at: int | None
    #: Why the run exists.
    origin: str
    #: Status of the run; ``missed``, or ``skipped`` for a slot that was given up.
    status: str
    #: Where it stands in the list: its slot, or the moment it was asked for.
    at: float
    #: Moment the row, or the gap, was written.
    created: float
    #: Why it has this status.
    reason: str | None = None
    #: Exit code of the last attempt.
    exit_code: int | None = None
    #: Attempts so far.
    attempt: int = 0
    #: Moment of the first start.
    started: float | None = None
    #: Moment of the verdict.
    ended: float | None = None
    #: The run this one repeats.
    retry_of: str | None = None
    #: Row number in the run log; 0 for a missed slot.
    seq: int = 0
    #: Seconds from the first start to the verdict.
    duration: float | None = None
    #: Seconds the first start came after it was due.
    lag: float | None = None

    def said(self) -> str:
        """Say the status the way people read it: ``failed(exit 3)``, ``skipped(overlap)``."""
        if self.status == RunStatus.FAILED.value and self.reason is None:
            return f"failed(exit {self.exit_code})"
        return f"{self.status}({self.reason})" if self.reason else self.status


def history(
    connection: sqlite3.Connection,
    names: Collection[str] | None,
    *,
    statuses: Collection[str] | None,
    since: float | None,
    until: float | None,
    limit: int | None,
) -> list[Entry]:
    """Return what `Reader.history` says, in the read transaction of ``connection``."""
    asked = _Asked(
        connection, None if names is None else tuple(names), statuses,
        -_EVER if since is None else since, _EVER if until is None else until,
    )  # fmt: skip
    merged = heapq.merge(asked.runs(), asked.slots(), key=_AT, reverse=True)
    return [*islice(merged, limit)]


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: sqlite3.Connection
    names: tuple[str, ...] | None
    statuses: Collection[str] | None
    since: float
    until: float

    # -- runs -------------------------------------------------------------------------------

    def runs(self) -> Iterator[Entry]:
        """Yield runs, newest first."""
        if self.names is None:
            return self._walk("")
        if len(self.names) > _FEW:
            names = frozenset(self.names)
            return (entry for entry in self._walk("") if entry.schedule in names)
        walks = [self._walk("schedule = ? AND ", name) for name in self.names]
        return heapq.merge(*walks, key=_AT, reverse=True)

    def _walk(self, which: str, *values: Any) -> Iterator[Entry]:
        if self.statuses is not None:
            wanted = sorted(set(self.statuses) & _STATUSES)
            if not wanted:
                return iter(())
            which += f"status IN ({places(wanted)}) AND "
            which += f"({FAILING}) AND " if _FAILING.issuperset(wanted) else ""
            values = (*values, *wanted)
        # Runs of one schedule at the same time are a slot's own and its retries: by their id.
        tie = "asked" if self.names is not None and len(self.names) <= _FEW else "seq"
        sql = (
            f"SELECT {RUN_COLUMNS} FROM runs WHERE {which}at >= ? AND at < ?"
            f" ORDER BY at DESC, {tie} DESC"
        )
        rows = self.connection.execute(sql, (*values, self.since, self.until))
        return (_of_run(to_run(row)) for row in rows)

    # -- missed slots -----------------------------------------------------------------------

    def slots(self) -> Iterator[Entry]:
        """Yield the slots of gaps that have no run, newest first.

        The gap with the latest slot is the only one that is walked: a gap whose last slot is
        earlier waits in the heap under that slot.
        """
        gaps = self._gaps()
        coming = next(gaps, None)
        heap: list[tuple[float, int, Gap, Iterator[int] | None]] = []
        while coming is not None or heap:
            while coming is not None and (not heap or coming.until >= -heap[0][0]):
                heapq.heappush(heap, (-float(coming.until), coming.id, coming, None))
                coming = next(gaps, None)
            at, _, gap, walk = heap[0]
            if walk is None:
                walk = self._open(gap)
            else:
                yield _of_slot(gap, int(-at))
            slot = next(walk, None)
            if slot is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (-float(slot), gap.id, gap, walk))

    def _gaps(self) -> Iterator[Gap]:
        """Yield the gaps that are asked for, the latest first."""
        closed = [
            sql
            for status, sql in (
                (MISSED, "closed_at IS NULL"),
                (RunStatus.SKIPPED.value, "closed_as IN ('declined', 'removed')"),
            )
            if self.statuses is None or status in self.statuses
        ]
        if not closed:
            return
        only = self.names if self.names is not None and len(self.names) == 1 else ()
        sql = (
            f"SELECT {GAP_COLUMNS} FROM gaps WHERE {'schedule = ? AND ' if only else ''}"
            f"({' OR '.join(closed)}) AND until >= ? AND after < ? ORDER BY until DESC"
        )
        names = None if self.names is None else frozenset(self.names)
        for row in self.connection.execute(sql, (*only, self.since, self.until)):
            if names is None or row[1] in names:
                yield to_gap(row)

    def _open(self, gap: Gap) -> Iterator[int]:
        """Yield the slots of a gap that have no run, latest first."""
        last = gap.until if self.until > gap.until else int(-(-self.until // 1)) - 1
        taken = self._taken(gap, last)
        run = next(taken, None)
        for slot in takewhile(lambda slot: slot >= self.since, _named(gap, last)):
            while run is not None and run > slot:
                run = next(taken, None)
            if run != slot:
                yield slot

    def _taken(self, gap: Gap, last: int) -> Iterator[int]:
        sql = f"SELECT at FROM runs WHERE {SLOTS} ORDER BY at DESC"
        rows = self.connection.execute(sql, (gap.schedule, gap.after, last))
        return (int(slot) for (slot,) in rows)


def _named(gap: Gap, last: int) -> Iterator[int]:
    """Yield the slots that a gap names up to ``last``, latest first.

    Of one whose timetable nobody can read any more (its zone has left the machine) that is the one
    which stands in the gap itself: rather too few are shown than none, and no history at all.
    """
    from flytesched.core.timetables.parse import Timing, timetable

    try:
        table = timetable(Timing.from_text(gap.timing))
    except InvalidTimetable:
        yield from [gap.until] if gap.after < gap.until <= last else []
        return
    slot = table.previous(last + 1)
    while slot is not None and slot > gap.after:
        yield slot
        slot = table.previous(slot)


def _of_run(run: Run) -> Entry:
    return Entry(
        id=run.id, schedule=run.schedule, scheduled_at=run.scheduled_at, origin=run.origin.value,
        status=run.status.value, at=run.created if run.scheduled_at is None else run.scheduled_at,
        created=run.created, reason=run.reason, exit_code=run.exit_code, attempt=run.attempt,
        started=run.started, ended=run.ended, retry_of=run.retry_of, seq=run.seq,
        duration=_duration(run), lag=_lag(run),
    )  # fmt: skip


def _duration(run: Run) -> float | None:
    if run.started is None or run.ended is None:
        return None
    return max(0.0, run.ended - run.started)


def _lag(run: Run) -> float | None:
    if run.started is None:
        return None
    live = run.origin is Origin.SCHEDULE and run.scheduled_at is not None
    due = float(run.scheduled_at or 0) if live else run.created
    # A wait before a retry is later than the first start, and no part of its lag.
    put_off = run.not_before if run.not_before <= run.started else 0.0
    return max(0.0, run.started - max(due, put_off))


def _of_slot(gap: Gap, slot: int) -> Entry:
    given_up = gap.closed_as in {Reason.DECLINED.value, Reason.REMOVED.value}
    return Entry(
        id=run_id(gap.schedule, slot), schedule=gap.schedule, scheduled_at=slot,
        origin=Origin.SCHEDULE.value, at=float(slot), created=gap.created,
        status=RunStatus.SKIPPED.value if given_up else MISSED,
        reason=gap.closed_as if given_up else gap.reason, ended=gap.closed_at,
    )  # fmt: skip
