"""History: runs and missed slots in one list, newest first.

Missed slots have no rows: they are walked backwards with the timetable that was in force, and only
as far as somebody reads, so that a gap of thirty million slots costs no more than one of fifty.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from functools import partial
from itertools import count, islice, takewhile
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from flytesched.core.gaps import GIVEN_UP, given_up_for
from flytesched.core.runs import ACTIVE, Origin, RunStatus, run_id
from flytesched.errors import InvalidTimetable
from flytesched.runlog.migrations import ACTIVE as IS_ACTIVE
from flytesched.runlog.migrations import UNUSUAL
from flytesched.runlog.renames import divided
from flytesched.runlog.rows import GAP_COLUMNS, RUN_COLUMNS, SLOTS, to_gap, to_run, words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from flytesched.core.runs import Gap, Run
    from flytesched.runlog.renames import Span

#: The status of a slot that is neither decided nor active.
MISSED = "missed"
#: Epoch seconds beyond any.
_EVER = 1e15
_AT = attrgetter("at")
_PLACE = attrgetter("at", "seq")
_FIRST = itemgetter(0)
_STATUSES = frozenset(status.value for status in RunStatus)
_ACTIVE = frozenset(status.value for status in ACTIVE)


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
    begin, end = -_EVER if since is None else since, _EVER if until is None else until
    plain, renamed = divided(connection, names)
    asked = _Asked(connection, plain, renamed, statuses, begin, end)
    merged = heapq.merge(asked.runs(), asked.slots(), key=_AT, reverse=True)
    return [*islice(merged, limit)]


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: sqlite3.Connection
    #: Schedules that never had another name; None for all there are.
    names: tuple[str, ...] | None
    #: What was written of others under each name they had.
    spans: tuple[Span, ...]
    statuses: Collection[str] | None
    since: float
    until: float

    # -- runs -------------------------------------------------------------------------------

    def runs(self) -> Iterator[Entry]:
        """Yield runs, newest first."""
        if self.names is None:
            return self._walk("", ())
        walks = _merged(
            (at, partial(self._walk, "schedule = ? AND ", (name,))) for at, name in self._latest()
        )
        which = "schedule = ? AND created > ? AND created <= ? AND "
        spans = [self._walk(which, (s.name, s.after, s.until)) for s in self.spans]
        return heapq.merge(walks, *spans, key=_AT, reverse=True) if spans else walks

    def _walk(self, which: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        """Yield the runs of one schedule, or of all."""
        walks = [self._rows(source, which, values) for source in self._sources()]
        return walks[0] if len(walks) == 1 else heapq.merge(*walks, key=_PLACE, reverse=True)

    def _rows(self, source: str, which: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        # Runs of one schedule at the same time are a slot's own and its retries: by their id, as
        # in the index of all; the index of a status has them in the order in which they came.
        tie = "asked" if which and self.statuses is None else "seq"
        sql = f"SELECT {RUN_COLUMNS} FROM {source} {which}at >= ? AND at < ?"
        sql += f" ORDER BY at DESC, {tie} DESC"
        rows = self.connection.execute(sql, (*values, self.since, self.until))
        return (entry_of(to_run(row)) for row in rows)

    def _latest(self) -> Sequence[tuple[float, str]]:
        """Return the time of the latest run of each schedule that has one, the latest first.

        Of thousands of names each costs a step into an index, and a walk only when its turn comes.
        """
        latest: dict[str, float] = {}
        asked = json.dumps(self.names), self.since, self.until
        for source in self._sources():
            each = f"SELECT max(at) FROM {source} schedule = value AND at >= ?2 AND at < ?3"
            sql = f"SELECT value, ({each}) FROM json_each(?1)"
            for name, at in self.connection.execute(sql, asked):
                if at is not None:
                    latest[name] = max(at, latest.get(name, at))
        return sorted(((at, name) for name, at in latest.items()), key=_FIRST, reverse=True)

    def _sources(self) -> list[str]:
        """Return where runs with the statuses that are asked for are found, as SQL up to an AND.

        Most runs succeed, so looking for that means looking at them all. Of what is rare beside
        it, an index leads to each status alone.
        """
        if self.statuses is None:
            return ["runs WHERE"]
        wanted = _STATUSES.intersection(self.statuses)
        if RunStatus.SUCCEEDED in wanted:
            return [f"runs WHERE {_is_one_of(wanted)} AND"]
        found = [f"runs WHERE status = '{s}' AND {UNUSUAL} AND" for s in sorted(wanted - _ACTIVE)]
        if active := wanted & _ACTIVE:
            found.append(
                f"runs INDEXED BY runs_active WHERE {IS_ACTIVE} AND {_is_one_of(active)} AND"
            )
        return found

    # -- missed slots -----------------------------------------------------------------------

    def slots(self) -> Iterator[Entry]:
        """Yield the slots of gaps that have no run, newest first."""
        return _merged((gap.until, partial(self._open, gap)) for gap in self._gaps())

    def _gaps(self) -> Iterator[Gap]:
        """Yield the gaps that are asked for, the latest first."""
        closed = [
            sql
            for status, sql in (
                (MISSED, "closed_at IS NULL"),
                (RunStatus.SKIPPED.value, f"closed_as IN ({words(GIVEN_UP)})"),
            )
            if self.statuses is None or status in self.statuses
        ]
        if not closed:
            return
        names = None if self.names is None else (*self.names, *{s.name for s in self.spans})
        only = names if names is not None and len(names) == 1 else ()
        sql = (
            f"SELECT {GAP_COLUMNS} FROM gaps WHERE {'schedule = ? AND ' if only else ''}"
            f"({' OR '.join(closed)}) AND until >= ? AND after < ? ORDER BY until DESC"
        )
        wanted = None if names is None else frozenset(names)
        for row in self.connection.execute(sql, (*only, self.since, self.until)):
            if wanted is None or row[1] in wanted:
                gap = to_gap(row)
                if wanted is None or self._tells_of(gap):
                    yield gap

    def _tells_of(self, gap: Gap) -> bool:
        """Tell whether a gap is of a schedule that is asked for, or of another with its name."""
        if self.names is not None and gap.schedule in self.names:
            return True
        return any(span.holds(gap.schedule, gap.created) for span in self.spans)

    def _open(self, gap: Gap) -> Iterator[Entry]:
        """Yield the slots of a gap that have no run, latest first."""
        last = gap.until if self.until > gap.until else int(-(-self.until // 1)) - 1
        taken = self._taken(gap, last)
        run = next(taken, None)
        for slot in takewhile(lambda slot: slot >= self.since, _named(gap, last)):
            while run is not None and run > slot:
                run = next(taken, None)
            if run != slot:
                yield _of_slot(gap, slot)

    def _taken(self, gap: Gap, last: int) -> Iterator[int]:
        sql = f"SELECT at FROM runs WHERE {SLOTS} ORDER BY at DESC"
        rows = self.connection.execute(sql, (gap.schedule, gap.after, last))
        return (int(slot) for (slot,) in rows)


def _merged(walks: Iterable[tuple[float, Callable[[], Iterator[Entry]]]]) -> Iterator[Entry]:
    """Merge walks that each yield entries, latest first.

    A walk comes with a moment that none of its entries is later than, and these descend. It is
    begun only when its moment is reached, so that thousands of schedules, or of gaps, of which
    somebody wants the newest fifty lines cost little more than those they come from.
    """
    serial, waiting = count(), iter(walks)
    coming = next(waiting, None)
    heap: list[tuple[float, int, Entry, Iterator[Entry]]] = []
    while coming is not None or heap:
        if coming is not None and (not heap or coming[0] > -heap[0][0]):
            walk = coming[1]()
            coming = next(waiting, None)
            if (entry := next(walk, None)) is not None:
                heapq.heappush(heap, (-entry.at, next(serial), entry, walk))
            continue
        _, number, entry, walk = heap[0]
        yield entry
        if (following := next(walk, None)) is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (-following.at, number, following, walk))


def _is_one_of(statuses: Iterable[str]) -> str:
    """Return a condition for statuses that are known words."""
    return f"status IN ({words(statuses)})"


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


def entry_of(run: Run) -> Entry:
    """Return a run as a line of a history."""
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
    due = run.created if run.live_slot is None else run.live_slot
    # A wait before a retry is later than the first start, and no part of its lag.
    put_off = run.not_before if run.not_before <= run.started else 0.0
    return max(0.0, run.started - max(due, put_off))


def _of_slot(gap: Gap, slot: int) -> Entry:
    given_up = gap.closed_as in GIVEN_UP
    return Entry(
        id=run_id(gap.schedule, slot), schedule=gap.schedule, scheduled_at=slot,
        origin=Origin.SCHEDULE.value, at=slot, created=gap.created,
        status=RunStatus.SKIPPED.value if given_up else MISSED,
        reason=given_up_for(gap, slot) if given_up else gap.reason, ended=gap.closed_at,
    )  # fmt: skip
