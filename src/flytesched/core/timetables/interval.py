"""A fixed rate of elapsed time on a grid, so that a restart never moves its phase."""

from __future__ import annotations

from datetime import timedelta

from flytesched.core.durations import format_duration, parse_duration
from flytesched.core.timetables.walk import SEARCH
from flytesched.core.timetables.zones import EARLIEST, HORIZON
from flytesched.errors import Invalid, InvalidTimetable

_SECOND = timedelta(seconds=1)


class Interval:
    """The slots ``anchor + k * period``, in epoch seconds; no wall clock is asked."""

    __slots__ = ("_anchor", "_period")

    def __init__(self, period: int, anchor: int) -> None:
        """Take a period of at least one second and any instant of the grid."""
        self._period = period
        self._anchor = anchor

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`; None after the year 9999."""
        t = max(t, EARLIEST - 1)
        slot = t + self._period - (t - self._anchor) % self._period
        return slot if slot < HORIZON else None

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`; None before 1970."""
        t = min(t, HORIZON) - 1
        slot = t - (t - self._anchor) % self._period
        return slot if slot >= EARLIEST else None

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until]."""
        after, until = max(after, EARLIEST - 1), min(until, HORIZON - 1)
        if after >= until:
            return 0
        return (until - self._anchor) // self._period - (after - self._anchor) // self._period

    def kickoff(self, slot: int) -> int:
        """Return the slot itself: without an offset the two are one."""
        return slot


def canonical(value: object) -> str:
    """Return a period as the shortest text that means it.

    Raises:
        InvalidTimetable: it is no duration, not a whole number of seconds, shorter than one or over
            400 years.
    """
    try:
        period = parse_duration(value)
    except Invalid as error:
        raise InvalidTimetable(error.message, hint=error.hint) from error
    text = format_duration(period)
    if not period or period % _SECOND:
        what = f"every {text} is not a whole number of seconds, one or more"
        raise InvalidTimetable(what, hint="one second is the finest; write such as 1s, 90s or 5m")
    if period // _SECOND > SEARCH:
        what = f"every {text} is more than 400 years"
        raise InvalidTimetable(what, hint="write a shorter period")
    return text


def interval(period: str, anchor: int) -> Interval:
    """Return the timetable of a canonical period.

    Raises:
        InvalidTimetable: it is none: see `canonical`.
    """
    return Interval(seconds(period), anchor)


def seconds(period: str) -> int:
    """Return the seconds of a canonical period.

    Raises:
        InvalidTimetable: it is none: see `canonical`.
    """
    return parse_duration(canonical(period)) // _SECOND
