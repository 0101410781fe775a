"""What a timing that follows a wall clock names, read back from its canonical expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.timetables import aws, cron
from flytesched.core.timetables.calendar import EVERY_DAY
from flytesched.core.timetables.tables import clock_face

if TYPE_CHECKING:
    from flytesched.core.timetables.days import DaySpec
    from flytesched.core.timetables.fields import Times
    from flytesched.core.timetables.timing import Timing


class Face(NamedTuple):
    """Times of the day on days, and which half of the daylight-saving rule applies."""

    #: Seconds of the day, ascending.
    times: tuple[int, ...]
    #: Which days.
    days: DaySpec
    #: Whether skipped times are made up and times shown twice run once.
    fixed_time: bool
    #: Seconds, minutes and hours, of which the times are all combinations; None if they are not.
    parts: tuple[frozenset[int], frozenset[int], frozenset[int]] | None


def face(timing: Timing) -> Face | None:
    """Return what a timing names; None if it follows no wall clock, or comes once."""
    wall = clock_face(timing)
    if wall is None:
        return None
    times = _fields(timing)
    parts = None if times is None else (times.seconds, times.minutes, times.hours)
    days = EVERY_DAY if times is None else times.days
    return Face(tuple(wall.times), days, wall.fixed_time, parts)


def _fields(timing: Timing) -> Times | None:
    """Return the fields of an expression that has some."""
    if timing.kind == "cron":
        return cron.times(timing.expression, seconds=timing.seconds)
    return aws.times(timing.expression) if timing.kind == "aws_cron" else None
