"""Stretches: when it is a day off on a zone's clock, as stretches of time; and rates cut by them.

A rate follows no wall clock, and its slots may be a second apart: they are never asked one by one.
A stretch ends at a midnight, or where the clock is set to another date and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.timetables.walk import SEARCH
from flytesched.core.timetables.zones import DAY, EARLIEST, HORIZON

if TYPE_CHECKING:
    from flytesched.core.timetables.daysoff import DaysOff
    from flytesched.core.timetables.interval import Interval
    from flytesched.core.timetables.zones import Zone


#: From which slot, before which, and the answer for all of these.
_Unwanted = tuple[int, int, int | None]
#: How long it counts that there was none, and how far a stretch is followed at once, in seconds.
_STALE = 366 * DAY


class Stretches:
    """Tells days off from others in time, without a gap."""

    __slots__ = ("_off", "_zone")

    def __init__(self, off: DaysOff, zone: Zone) -> None:
        """Join the days off and the clock that says which day it is."""
        self._off = off
        self._zone = zone

    def day(self, t: int) -> int:
        """Return the date of an instant, counted from 1970."""
        return (t + self._zone.at(t).offset) // DAY

    def until(self, t: int, limit: int) -> tuple[bool, int]:
        """Return whether `t` is on a day off, and the first instant after it that is otherwise.

        At `limit` it is no longer looked for.
        """
        run = self._zone.at(t)
        day = (t + run.offset) // DAY
        off = self._off.name(day) is not None
        while True:
            midnight = (day + 1) * DAY - run.offset
            if midnight < run.end:
                t, day = midnight, day + 1
            else:
                t = run.end
                if t >= limit:
                    return off, limit
                run = self._zone.at(t)
                day = (t + run.offset) // DAY
            if t >= limit:
                return off, limit
            if (self._off.name(day) is not None) != off:
                return off, t

    def since(self, t: int, limit: int) -> tuple[bool, int]:
        """Return whether `t` is on a day off, and the first instant of the same kind up to it.

        Before `limit` it is no longer looked for.
        """
        run = self._zone.at(t)
        day = (t + run.offset) // DAY
        off = self._off.name(day) is not None
        while True:
            start = max(day * DAY - run.offset, run.start)
            if start <= limit:
                return off, limit
            run = self._zone.at(start - 1)
            day = (start - 1 + run.offset) // DAY
            if (self._off.name(day) is not None) != off:
                return off, start


class Cut:
    """The slots of a rate that lie on days off, or those that do not."""

    __slots__ = ("_ahead", "_back", "_rate", "_stretch", "_stretches", "_wanted")

    def __init__(self, rate: Interval, stretches: Stretches, *, off: bool) -> None:
        """Take the rate, and which of its slots are wanted."""
        self._rate = rate
        self._stretches = stretches
        self._wanted = off
        #: A stretch that is wanted: its first instant, or a later one, and the first after it.
        self._stretch = (0, 0)
        #: Slots that are not wanted, from one to before another, and the first after them that is,
        #: or the last before them.
        self._ahead: _Unwanted = (0, 0, None)
        self._back: _Unwanted = (0, 0, None)

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`; None if there is none within 400 years."""
        first = slot = self._rate.next(t)
        limit = min((slot or 0) + SEARCH, HORIZON)
        while slot is not None and slot < limit:
            start, end = self._stretch  # once: another thread may take another
            if start <= slot < end:
                return slot
            start, end, found = self._ahead
            if start <= slot < end:
                return found
            off, end = self._stretches.until(slot, min(limit, slot + _STALE))
            if off == self._wanted:
                self._stretch = slot, end
                break
            slot = self._rate.next(end - 1)
        else:
            slot = None
        if first is not None and first != slot:
            self._ahead = first, first + _STALE if slot is None else slot, slot
        return slot

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`; None if there is none within 400 years."""
        last = slot = self._rate.previous(t)
        limit = max((slot or 0) - SEARCH, EARLIEST)
        while slot is not None and slot >= limit:
            start, end = self._stretch
            if start <= slot < end:
                return slot
            start, end, found = self._back
            if start <= slot < end:
                return found
            off, start = self._stretches.since(slot, max(limit, slot - _STALE))
            if off == self._wanted:
                self._stretch = start, slot + 1
                break
            slot = self._rate.previous(start)
        else:
            slot = None
        if last is not None and last != slot:
            self._back = last - _STALE if slot is None else slot + 1, last + 1, slot
        return slot

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until], stretch by stretch."""
        total, t, until = 0, max(after + 1, EARLIEST), min(until, HORIZON - 1)
        while t <= until:
            off, end = self._stretches.until(t, until + 1)
            if off == self._wanted:
                total += self._rate.count(t - 1, end - 1)
            t = end
        return total

    def kickoff(self, slot: int) -> int:
        """Return the slot itself: nothing moves."""
        return slot
