"""Marks: what is special about a slot among those to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.policies import OverlapPolicy
from flytesched.core.timetables.changes import moved, showing
from flytesched.core.timetables.on_holiday import moved_from
from flytesched.core.timetables.zones import tz

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.core.schedule import Schedule


class Mark(StrEnum):
    """What is special about a slot."""

    #: Its day is off, and it runs here instead.
    MOVED = "moved"
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
    #: Instant that it was moved from, local time that was skipped, seconds that the clock was set
    #: by, or seconds that a run takes.
    number: int = 0
    #: The schedules that are meant, this one among them; or the holiday.
    names: tuple[str, ...] = ()


class Habit(NamedTuple):
    """What is known of the runs of a schedule."""

    #: Seconds that one usually takes.
    usual: float
    #: Since when one is active; None if none is.
    active_since: float | None


@dataclass(slots=True, kw_only=True)
class Marker:
    """Looks at slots in their order, and remembers of each what counts for those after it."""

    #: The schedules by name.
    schedules: Mapping[str, Schedule]
    #: What is known of their runs.
    habits: Mapping[str, Habit]
    #: The moment, in epoch seconds.
    now: float
    #: IANA name of the clock that is shown.
    zone: str
    #: Local time minus UTC at the slot before, in seconds.
    offset: int | None = None
    #: Until when the run before usually runs, by schedule.
    busy: dict[str, float] = field(default_factory=dict)

    def notes(self, at: int, name: str, together: tuple[str, ...]) -> Iterator[Note]:
        """Yield what is special about the next slot of the row.

        Args:
            at: when, in epoch seconds.
            name: its schedule.
            together: all schedules that have a slot then.
        """
        schedule = self.schedules[name]
        if (origin := moved_from(schedule.timing, at)) is not None:
            yield Note(Mark.MOVED, origin[0], (origin[1],))
        elif (skipped := moved(schedule.timing, schedule.timetable.kickoff(at))) is not None:
            yield Note(Mark.MADE_UP, skipped)
        yield from self._clock(at)
        yield from self._bounds(schedule, at)
        if len(together) > 1:
            yield Note(Mark.TOGETHER, names=together)
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

    def _begins_busy(self, schedule: Schedule, at: int, habit: Habit) -> float:
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
