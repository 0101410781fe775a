"""Parts: the slots of a timing with days off that run, those that are left out, and all of them.

No slot both runs and is left out, even where two dates have one in common: what the clock skips in
the last hour of a day is made up on the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flytesched.core.timetables import oneshot
from flytesched.core.timetables.bounded import never
from flytesched.core.timetables.moves import why
from flytesched.core.timetables.oneshot import OneShot
from flytesched.core.timetables.stretches import Cut, Stretches
from flytesched.core.timetables.walk import Walk
from flytesched.core.timetables.zones import DAY, zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.timetables.daysoff import DaysOff
    from flytesched.core.timetables.interval import Interval
    from flytesched.core.timetables.moves import Moves
    from flytesched.core.timetables.timing import Timetable
    from flytesched.core.timetables.walk import WallTimes


#: The start of 2026, and 40 years, in seconds.
_NOWADAYS = 1_767_225_600
_LONG = 14_610 * DAY


class Parts(Protocol):
    """What the days off make of a timetable, before offset and bounds."""

    @property
    def runs(self) -> Timetable:
        """The slots that run."""
        ...

    @property
    def left_out(self) -> Timetable:
        """The slots that do not."""
        ...

    @property
    def all(self) -> Timetable:
        """All that get a verdict."""
        ...

    @property
    def wall(self) -> WallTimes | None:
        """The wall-clock times on the dates that run; None where no wall clock is followed."""
        ...

    def why(self, slot: int) -> str | None:
        """Return why a slot that is left out is so."""
        ...

    def source(self, slot: int) -> tuple[int, str] | None:
        """Return from which instant a slot has been moved, and the holiday there."""
        ...


class WallParts:
    """The parts of a timetable on a wall clock, divided by whole dates."""

    __slots__ = ("_left_out", "_moves", "_zone", "all", "left_out", "runs", "wall")

    def __init__(self, wall: WallTimes, moves: Moves) -> None:
        """Let each part walk by itself: daylight saving is decided on the date where a slot is."""
        self._moves = moves
        self._zone = zone(moves.off.zone, fixed_time=wall.fixed_time)
        #: The times and dates that run.
        self.wall = wall.on(moves.part("runs"))
        self._left_out = wall.on(moves.part("left_out"))
        runs = Walk(self.wall, self._zone)
        every = Walk(wall.on(moves.part("all")), self._zone)
        self.runs: Timetable = _Moved(runs, self.source)
        self.all: Timetable = _Moved(every, self.source)
        self.left_out: Timetable = _LeftOut(Walk(self._left_out, self._zone), every, runs)

    def why(self, slot: int) -> str | None:
        """Return why a slot that is left out is so."""
        local = self._named(slot, self._left_out)
        return None if local is None else self._moves.why(local // DAY)

    def source(self, slot: int) -> tuple[int, str] | None:
        """Return from which instant a slot has been moved, and the holiday there."""
        if (local := self._named(slot, self.wall)) is None:
            return None
        day, second = divmod(local, DAY)
        if (found := self._moves.source(day)) is None:
            return None
        source, holiday = found
        local = source * DAY + second
        original = zone(self._moves.off.zone).instant(local)
        if original is None:  # clocks left out that day: it is read by one that did not
            original = local - self._zone.at(slot).offset
        return original, holiday

    def _named(self, slot: int, wall: WallTimes) -> int | None:
        """Return the local time that a part names for a slot: what is made up has another."""
        run = self._zone.at(slot)
        local = slot + run.offset
        if run.made_up != slot or wall.first(local) == local:
            return local
        skipped = wall.first(run.skipped)
        return skipped if skipped < run.start + run.offset else None


class RateParts:
    """The parts of a rate: nothing moves."""

    __slots__ = ("_off", "_stretches", "all", "left_out", "runs")

    wall = None

    def __init__(self, rate: Interval, off: DaysOff) -> None:
        """Cut the rate where the clock of the days off says another date."""
        self._off = off
        self._stretches = Stretches(off, zone(off.zone, fixed_time=False))
        self.runs: Timetable = Cut(rate, self._stretches, off=False)
        self.left_out: Timetable = Cut(rate, self._stretches, off=True)
        self.all: Timetable = rate

    @property
    def moves(self) -> bool:
        """Whether slots on days off are asked to move, which those of a rate cannot."""
        return self._off.on_holiday != "skip"

    def why(self, slot: int) -> str | None:
        """Return the holiday of a slot."""
        return self._off.name(self._stretches.day(slot))

    def source(self, _slot: int) -> tuple[int, str] | None:
        """Return None: nothing moves."""
        return None


class OnceParts:
    """The parts of a single instant, of which one is empty."""

    __slots__ = ("_instant", "_name", "_off", "_slot", "all", "left_out", "runs")

    wall = None

    def __init__(self, expression: str, timezone: str | None, off: DaysOff) -> None:
        """Take a canonical instant; on a day off, its time moves to the same time of another day.

        Raises:
            InvalidTimetable: it is none, or its zone's clock never shows it.
        """
        self._off = off
        self._instant = self._slot = oneshot.instant(expression, timezone)
        local = self._instant + zone(off.zone).at(self._instant).offset
        if timezone is not None:  # what is made up has another time than it says
            local = oneshot.local(expression)
        self._name = off.name(local // DAY)
        moved = None if self._name is None else self._moved(*divmod(local, DAY))
        self._slot = self._instant if moved is None else moved
        self.all: Timetable = _Moved(OneShot(self._slot), self.source)
        stays = self._name is not None and moved is None
        self.runs: Timetable = never(self.all) if stays else self.all
        self.left_out: Timetable = self.all if stays else never(self.all)

    def _moved(self, day: int, second: int) -> int | None:
        other = self._off.instead(day)
        return None if other is None else zone(self._off.zone).instant(other * DAY + second)

    def why(self, _slot: int) -> str | None:
        """Return the holiday, and why it does not move."""
        return None if self._name is None else why(self._name, self._off, None)

    def source(self, slot: int) -> tuple[int, str] | None:
        """Return the instant that was asked for, and its holiday."""
        if self._name is None or not slot == self._slot != self._instant:
            return None
        return self._instant, self._name


class _Moved:
    """A timetable some of whose slots have been moved, and know their kickoff times."""

    __slots__ = ("_source", "count", "next", "previous")

    def __init__(self, moved: Timetable, source: Callable[[int], tuple[int, str] | None]) -> None:
        """Take the timetable, and what tells from where a slot has been moved."""
        self.next, self.previous, self.count = moved.next, moved.previous, moved.count
        self._source = source

    def kickoff(self, slot: int) -> int:
        """Return the instant from which a slot has been moved, or the slot itself."""
        found = self._source(slot)
        return slot if found is None else found[0]


class _LeftOut:
    """The slots that are left out, without those that run as well."""

    __slots__ = ("_every", "_own", "_runs")

    def __init__(self, own: Walk, every: Walk, runs: Walk) -> None:
        """Take the walks over the dates left out, over all, and over those that run."""
        self._own, self._every, self._runs = own, every, runs

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`."""
        slot = self._own.next(t)
        while slot is not None and self._runs.next(slot - 1) == slot:
            slot = self._own.next(slot)
        return slot

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`."""
        slot = self._own.previous(t)
        while slot is not None and self._runs.next(slot - 1) == slot:
            slot = self._own.previous(slot)
        return slot

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until]: all but those that run."""
        return self._every.count(after, until) - self._runs.count(after, until)

    def kickoff(self, slot: int) -> int:
        """Return the slot itself: it has not moved."""
        return slot


def fires(parts: Parts) -> bool:
    """Tell whether days off leave any slot near the first one.

    On a wall clock, within 40 years: in any 40 years each date comes on each day of the week, and
    the public holidays of the next 40 years are known. Of a rate, within 400 years.
    """
    first = parts.all.next(_NOWADAYS)
    if first is None:
        return parts.runs.previous(_NOWADAYS) is not None
    slot = parts.runs.next(first - 1)
    return slot is not None and (parts.wall is None or slot <= first + _LONG)
