"""What a `Timing` means: the timetable that it makes, and the parts of one with days off."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from flytesched.core.timetables import aws, calendar, cron, interval, oneshot, zones
from flytesched.core.timetables.bounded import Bounded, never
from flytesched.core.timetables.oneshot import OneShot
from flytesched.core.timetables.timing import unknown
from flytesched.core.timetables.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.timetables.parts import Parts
    from flytesched.core.timetables.timing import Timetable, Timing
    from flytesched.core.timetables.walk import WallTimes

#: A hundred thousand schedules are loaded at start-up, and again at each edit of the manifest.
KEPT = 2**17


@lru_cache(maxsize=KEPT)
def timetable(timing: Timing) -> Timetable:
    """Return the timetable of a timing; equal timings share one.

    Raises:
        InvalidTimetable: the timing was not made by `make_timing`, or its zone is gone.
    """
    base = _part(timing)
    if timing.start is None and timing.end is None and not timing.offset:
        return base
    return Bounded(base, start=timing.start, end=timing.end, offset=timing.offset)


def _part(timing: Timing) -> Timetable:
    """Return the part of its slots that a timing means, without bounds and offset."""
    if (parts := parts_of(timing)) is not None:
        part: Timetable = getattr(parts, timing.part)
        return part
    base = _base(timing.kind, timing.expression, timing.timezone, timing.seconds, timing.anchor)
    return base if timing.part != "left_out" else never(base)


def parts_of(timing: Timing) -> Parts | None:
    """Return what days off make of a timing's slots, without bounds and offset; None without any.

    Raises:
        InvalidTimetable: as `timetable`; or public holidays need a package that is missing.
    """
    if timing.days_off is None:
        return None
    return _parts(
        timing.kind, timing.expression, timing.timezone, timing.seconds, timing.anchor,
        timing.days_off,
    )  # fmt: skip


def slots(timetable: Timetable, after: int, until: int) -> Iterator[int]:
    """Yield the slots in (after, until], ascending."""
    slot = timetable.next(after)
    while slot is not None and slot <= until:
        yield slot
        slot = timetable.next(slot)


def latest(timetable: Timetable, after: int, until: int, n: int) -> list[int]:
    """Return the newest `n` slots in (after, until], ascending."""
    found: list[int] = []
    slot = timetable.previous(until + 1)
    while slot is not None and slot > after and len(found) < n:
        found.append(slot)
        slot = timetable.previous(slot)
    return found[::-1]


def rate_of(expression: str) -> str | None:
    """Return the period of ``@every`` and ``rate()``."""
    if expression.startswith(cron.EVERY):
        return expression.removeprefix(cron.EVERY)
    return aws.period(expression) if aws.is_rate(expression) else None


@lru_cache(maxsize=KEPT)
def _base(
    kind: str, expression: str, timezone: str | None, seconds: bool, anchor: int
) -> Timetable:
    """Return the timetable of an expression, without bounds and offset."""
    if kind == "at":
        return OneShot(oneshot.instant(expression, timezone))
    period = expression if kind == "every" else rate_of(expression)
    if period:
        return interval.interval(period, anchor)
    wall = _wall(kind, expression, seconds)
    return Walk(wall, zones.zone(timezone or "UTC", fixed_time=wall.fixed_time))


@lru_cache(maxsize=KEPT)
def _parts(  # noqa: PLR0917  see parse._make
    kind: str, expression: str, timezone: str | None, seconds: bool, anchor: int, days_off: str
) -> Parts:
    """Return the parts of an expression's slots."""
    from flytesched.core.timetables.daysoff import daysoff  # few name calendars
    from flytesched.core.timetables.moves import moves
    from flytesched.core.timetables.parts import OnceParts, RateParts, WallParts

    off = daysoff(days_off)
    if kind == "at":
        return OnceParts(expression, timezone, off)
    base = _base(kind, expression, timezone, seconds, anchor)
    if isinstance(base, interval.Interval):
        return RateParts(base, off)
    wall = _wall(kind, expression, seconds)
    return WallParts(wall, moves(wall.days, off))


def period_of(timing: Timing) -> int:
    """Return the seconds between two slots of a timing that follows no wall clock."""
    text = rate_of(timing.expression) or timing.expression
    return interval.seconds(text)


def clock_face(timing: Timing) -> WallTimes | None:
    """Return the wall-clock times of a timing; None if it follows no wall clock, or comes once."""
    if timing.kind in {"every", "at"} or timing.timezone is None:
        return None
    return _wall(timing.kind, timing.expression, timing.seconds)


def _wall(kind: str, expression: str, seconds: bool) -> WallTimes:
    """Return the wall-clock times of an expression."""
    match kind:
        case "cron":
            return cron.wall(expression, seconds=seconds)
        case "aws_cron":
            return aws.wall(expression)
        case "daily":
            return calendar.daily(expression)
        case "hourly":
            return calendar.hourly(expression)
    raise unknown(kind)
