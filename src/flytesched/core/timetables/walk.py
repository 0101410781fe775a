"""The wall-clock walk: from the times an expression names on a clock face to instants.

All kinds of timetable that follow a wall clock share this walk, and with it one rule for daylight
saving: Debian cron's (cron 3.0pl1, ``cron.c``). Where time is skipped, fixed-time jobs run once at
the first minute after the skip and wildcard jobs do not run; where time is shown twice, fixed-time
jobs run at the first showing and wildcard jobs at both. :mod:`.zones` brings each run of constant
offset with what is skipped and held back at its start; inside a run a step is two bisections, and
within a day without a change it is one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol

from flytesched.core.timetables.zones import DAY, EARLIEST, HORIZON, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flytesched.core.timetables.zones import Zone

#: How far a step looks for a slot, in seconds: 400 years, after which the calendar repeats itself.
SEARCH = 146_097 * DAY
#: No clock change and no difference of offsets is as long as this.
_APART = 2 * DAY
_NOWHERE = Run(0, 0, 0, 0, 0, -1)
#: The start of a day that holds no instant that anybody asks about.
_NO_DAY = -(10**15)


class Dates(Hashable, Protocol):
    """Days on which there are times, counted from 1970."""

    def first(self, day: int) -> int:
        """Return the first one not before `day`; absurdly late if there is none."""
        ...

    def last(self, day: int) -> int:
        """Return the last one not after `day`; absurdly early if there is none."""
        ...

    def count(self, start: int, stop: int) -> int:
        """Return how many there are from `start` to before `stop`."""
        ...


class WallTimes:
    """The times an expression names on a clock face, without any zone; shared by its schedules.

    Local times are whole seconds since 1970 on that clock.
    """

    __slots__ = ("days", "fixed_time", "times")

    def __init__(self, times: Iterable[int], days: Dates, *, fixed_time: bool) -> None:
        """Take seconds of the day, ascending, and days; `fixed_time` as in the module's rule."""
        #: Seconds of each matching day, ascending.
        self.times = times if isinstance(times, array) else array("i", times)
        #: On which days.
        self.days = days
        self.fixed_time = fixed_time

    def on(self, days: Dates) -> WallTimes:
        """Return the same times, which may be 86,400, on other days."""
        return WallTimes(self.times, days, fixed_time=self.fixed_time)

    def first(self, local: int) -> int:
        """Return the first time not before `local`; absurdly late if there is none."""
        day, second = divmod(local, DAY)
        found = self.days.first(day)
        if found == day:
            index = bisect_left(self.times, second)
            if index < len(self.times):
                return day * DAY + self.times[index]
            found = self.days.first(day + 1)
        return found * DAY + self.times[0]

    def last(self, local: int) -> int:
        """Return the last time before `local`; absurdly early if there is none."""
        day, second = divmod(local, DAY)
        found = self.days.last(day)
        if found == day:
            index = bisect_left(self.times, second)
            if index:
                return day * DAY + self.times[index - 1]
            found = self.days.last(day - 1)
        return found * DAY + self.times[-1]

    def count(self, start: int, stop: int) -> int:
        """Return how many times lie from `start` to before `stop`; nothing if they are crossed."""
        if start >= stop:
            return 0
        first, last = start // DAY, stop // DAY
        whole_days = self.days.count(first, last) * len(self.times)
        return whole_days + self._of_day_before(stop) - self._of_day_before(start)

    def _of_day_before(self, local: int) -> int:
        """Return how many times lie on the day of `local` before it."""
        day, second = divmod(local, DAY)
        return bisect_left(self.times, second) if self.days.first(day) == day else 0


class Walk:
    """A timetable on the wall clock of a zone."""

    __slots__ = ("_day", "_first", "_last", "_run", "_times", "_wall", "_zone")

    def __init__(self, wall: WallTimes, zone: Zone) -> None:
        """Join times and zone; `zone` must treat its changes as `wall.fixed_time` wants it."""
        self._wall = wall
        self._zone = zone
        self._run = _NOWHERE
        self._times = wall.times
        self._first, self._last = wall.times[0], wall.times[-1]
        #: When the matching day at hand begins, on whose clock nothing changes.
        self._day = _NO_DAY

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`; None if there is none within 400 years."""
        day = self._day  # once: another thread may take another
        if -1 <= t - day < self._last:
            return day + self._times[bisect_right(self._times, t - day)]
        floor = max(t + 1, EARLIEST)
        limit = min(floor + SEARCH, HORIZON)
        while floor < limit:
            run = self._run
            if not run.start <= floor < run.end:
                run = self._run = self._zone.at(floor)
            slot = self._wall.first(max(floor, run.first) + run.offset) - run.offset
            if floor <= run.made_up <= slot and self._makes_up(run):
                slot = run.made_up
            if slot < run.end:
                assert slot > t, "a step must move on"  # noqa: S101  a stuck step would spin
                self._take(slot, run)
                return slot
            floor = self._later(run)
        return None

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`; None if there is none within 400 years."""
        day = self._day
        if self._first < t - day <= DAY:
            return day + self._times[bisect_left(self._times, t - day) - 1]
        ceiling = min(t, HORIZON)
        limit = max(ceiling - SEARCH, EARLIEST)
        while ceiling > limit:
            run = self._run
            if not run.start < ceiling <= run.end:
                run = self._run = self._zone.at(ceiling - 1)
            slot = self._wall.last(ceiling + run.offset) - run.offset
            if slot < run.made_up < ceiling and self._makes_up(run):
                slot = run.made_up
            if slot >= max(run.first, EARLIEST):
                self._take(slot, run)
                return slot
            ceiling = self._earlier(run)
        return None

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until], run by run and not slot by slot."""
        total = 0
        low, high = max(after + 1, EARLIEST), min(until + 1, HORIZON)
        while low < high:
            run = self._zone.at(low)
            start, stop = max(low, run.first) + run.offset, min(high, run.end) + run.offset
            total += self._wall.count(start, stop)
            if low <= run.made_up < high and self._makes_up(run):
                here = run.made_up + run.offset
                total += self._wall.first(here) != here
            low = run.end
        return total

    def kickoff(self, slot: int) -> int:
        """Return the slot itself: without an offset the two are one."""
        return slot

    def _take(self, slot: int, run: Run) -> None:
        """Make the day of a slot the one at hand, if it has more slots and all lie in its run."""
        if self._first == self._last:
            return
        day = (slot + run.offset) // DAY * DAY - run.offset
        # What a change makes up or holds back is never on a day that begins after it.
        if max(run.first, run.made_up + 1, EARLIEST) <= day and day + DAY <= run.end:
            self._day = day

    def _later(self, run: Run) -> int:
        """Return an instant after a run, or its end, before which no further slot can lie.

        Clocks may go back at the end: times up to `_APART` before it may be shown again.
        """
        local = self._wall.first(run.end + run.offset - _APART)
        return max(run.end, local - run.offset - _APART)

    def _earlier(self, run: Run) -> int:
        """Return an instant before a run, or its start, from which on no further slot can lie."""
        local = self._wall.last(run.start + run.offset + _APART)
        return min(run.start, local - run.offset + _APART)

    def _makes_up(self, run: Run) -> bool:
        """Tell whether the change before a run skipped any of our times."""
        return self._wall.first(run.skipped) < run.start + run.offset
