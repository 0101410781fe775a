"""Timeline: the coming slots of many schedules in one row, and what is special about each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.policies import OverlapPolicy
from flytesched.core.timetables.changes import moved, showing
from flytesched.core.timetables.zones import tz
from flytesched.errors import RunLogError
from flytesched.service.listing import coming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule

#: Runs of a schedule whose durations tell the usual one.
_RECENT = 20


class Mark(StrEnum):
    """What is special about a slot."""

    #: The clock skips its time, and it is made up here.
    MADE_UP = "made_up"
    #: The clock shows this time twice, and this is the first time, or the second.
    FIRST_SHOWING = "first_showing"
    SECOND_SHOWING = "second_showing"
    #: The clock was set since the slot before it in the row.
    CLOCK_CHANGED = "clock_changed"
    #: Another schedule has a slot at the same second.
    TOGETHER = "together"
    #: The run before it usually takes longer than until here.
    OVERLAP = "overlap"
    #: The first one that ``start`` lets pass, and the last one of all.
    FIRST = "first"
    LAST = "last"
    #: The first one after a pause.
    PAUSE_ENDS = "pause_ends"


class Note(NamedTuple):
    """A mark, and what there is to say about it."""

    #: What is special.
    mark: Mark
    #: Local time that was skipped, seconds that the clock was set by, or seconds that a run takes.
    number: int = 0
    #: Other schedules that are meant.
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One slot of the row."""

    #: Its schedule.
    schedule: Schedule
    #: When, in epoch seconds.
    at: int
    #: What is special about it.
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The coming slots of many schedules in one row."""

    #: The slots, in their order.
    slots: tuple[Upcoming, ...]
    #: Why overlaps are not marked, if they are not.
    doubt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A schedule of which no slot falls due now."""

    #: The schedule.
    schedule: Schedule
    #: ``disabled``, ``paused``, or ``ended``.
    state: str


def timeline(
    site: Site,
    schedules: Mapping[str, Schedule],
    *,
    after: float,
    until: int | None,
    most: int,
    zone: str,
) -> Timeline:
    """Return the slots in ``(after, until)`` that will fall due, ``most`` at most.

    Args:
        site: whose run log tells how long runs usually take; it need not be of any use.
        schedules: the schedules by name.
        after: epoch seconds.
        until: epoch seconds; None for ever.
        most: slots at most.
        zone: IANA name of the clock that they are shown on.
    """
    walks = [_walk(schedule, after, until) for schedule in schedules.values()]
    row = _first(merge(*walks), most)
    doubt, habits = None, {}
    try:
        habits = _habits(site, dict.fromkeys(name for _, name, _ in row))
    except RunLogError as error:
        doubt = error.message
    marker = _Marker(schedules=schedules, habits=habits, now=site.now(), zone=zone)
    found = [
        Upcoming(schedule=schedules[name], at=at, notes=tuple(marker.notes(at, name, beside)))
        for at, name, beside in row
    ]
    return Timeline(slots=tuple(found), doubt=doubt)


def left_out(schedules: Iterable[Schedule], now: float) -> list[LeftOut]:
    """Return the schedules of which no slot falls due now, each with its state."""
    states = ((schedule, _state(schedule, now)) for schedule in schedules)
    return [LeftOut(schedule=each, state=state) for each, state in states if state is not None]


def _state(schedule: Schedule, now: float) -> str | None:
    if not schedule.enabled:
        return "disabled"
    if not schedule.due_at(now):
        return "paused"
    return "ended" if schedule.timetable.next(int(now)) is None else None


# -- the row --------------------------------------------------------------------------------------


def _walk(schedule: Schedule, after: float, until: int | None) -> Iterator[tuple[int, str]]:
    walk = coming(schedule, after) if until is None else coming(schedule, after, until - 1)
    return ((slot, schedule.name) for slot in walk)


def _first(slots: Iterable[tuple[int, str]], most: int) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return the first slots, each with the schedules that have one at the same second."""
    row: list[tuple[int, str, tuple[str, ...]]] = []
    for at, several in groupby(slots, itemgetter(0)):
        names = tuple(name for _, name in several)
        row += [
            (at, name, tuple(other for other in names if other != name))
            for name in names[: most - len(row)]
        ]
        if len(row) >= most:
            break
    return row


class _Habit(NamedTuple):
    """How long runs of a schedule usually take, and since when one is active."""

    usual: float
    active_since: float | None


def _habits(site: Site, names: Iterable[str]) -> dict[str, _Habit]:
    """Return the habits of the schedules that have some; the usual is the median.

    Raises:
        RunLogError: the run log cannot be read.
    """
    from flytesched.core.statistics import spread
    from flytesched.runlog.census import open_census

    census = open_census(site.runs_db)
    if census is None:
        return {}
    with census:
        active = {run.schedule: run.started or run.created for run in census.active()}
        spreads = {name: spread(census.recent(name, _RECENT).durations) for name in names}
    return {
        name: _Habit(each.p50, active.get(name))
        for name, each in spreads.items()
        if each is not None
    }


@dataclass(slots=True, kw_only=True)
class _Marker:
    """Looks at slots in their order, and remembers of each what counts for those after it."""

    schedules: Mapping[str, Schedule]
    habits: Mapping[str, _Habit]
    now: float
    zone: str
    #: Local time minus UTC at the slot before, in seconds.
    offset: int | None = None
    #: Until when the run before usually runs, by schedule.
    busy: dict[str, float] = field(default_factory=dict)

    def notes(self, at: int, name: str, beside: tuple[str, ...]) -> Iterator[Note]:
        """Yield what is special about the next slot of the row."""
        schedule = self.schedules[name]
        skipped = moved(schedule.timing, schedule.timetable.kickoff(at))
        if skipped is not None:
            yield Note(Mark.MADE_UP, skipped)
        yield from self._clock(at)
        yield from self._bounds(schedule, at)
        if beside:
            yield Note(Mark.TOGETHER, names=beside)
        if (usual := self._overlap(schedule, at)) is not None:
            yield Note(Mark.OVERLAP, int(usual))

    def _clock(self, at: int) -> Iterator[Note]:
        """Yield what the clock that is shown does."""
        shown = showing(self.zone, at)
        if shown is not None:
            yield Note(Mark.FIRST_SHOWING if shown == 1 else Mark.SECOND_SHOWING)
        before, self.offset = self.offset, _offset(self.zone, at)
        if before is not None and before != self.offset:
            yield Note(Mark.CLOCK_CHANGED, self.offset - before)

    def _bounds(self, schedule: Schedule, at: int) -> Iterator[Note]:
        """Yield where a schedule begins, goes on and ends."""
        if schedule.timing.start is not None and schedule.timetable.previous(at) is None:
            yield Note(Mark.FIRST)
        pause = schedule.paused_until
        if pause is not None and pause > self.now:
            before = schedule.timetable.previous(at)
            if before is None or before < pause:
                yield Note(Mark.PAUSE_ENDS)
        if schedule.timetable.next(at) is None:
            yield Note(Mark.LAST)

    def _overlap(self, schedule: Schedule, at: int) -> float | None:
        """Return how long a run usually takes if the one before usually still runs then."""
        habit = self.habits.get(schedule.name)
        if habit is None:
            return None
        busy = self.busy.get(schedule.name)
        if busy is None:
            busy = self._begins_busy(schedule, at, habit)
        met = at < busy
        self.busy[schedule.name] = _busy_after(schedule.overlap, at, busy, habit.usual)
        return habit.usual if met else None

    def _begins_busy(self, schedule: Schedule, at: int, habit: _Habit) -> float:
        """Return until when a run before the first slot of the row usually runs."""
        before = schedule.timetable.previous(at)
        if before is not None and before > self.now:
            return before + habit.usual
        return 0.0 if habit.active_since is None else habit.active_since + habit.usual


def _busy_after(overlap: OverlapPolicy, at: int, busy: float, usual: float) -> float:
    """Return until when runs usually run after a slot, which may have met one."""
    if at >= busy:
        return at + usual
    match overlap:
        case OverlapPolicy.SKIP:
            return busy
        case OverlapPolicy.QUEUE:
            return busy + usual
    return at + usual


def _offset(zone: str, at: int) -> int:
    offset = datetime.fromtimestamp(at, tz(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
