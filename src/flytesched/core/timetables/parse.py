"""What a manifest says about time, checked: `Timing`; and the timetable that it makes."""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from flytesched.core.timetables import aws, calendar, cron, interval, oneshot, zones
from flytesched.core.timetables.bounded import Bounded, never
from flytesched.core.timetables.oneshot import OneShot
from flytesched.core.timetables.timing import Timetable, Timing, shared
from flytesched.core.timetables.walk import Walk
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.timetables.parts import Parts
    from flytesched.core.timetables.walk import WallTimes

__all__ = [
    "KINDS",
    "Timetable",
    "Timing",
    "describe_kind",
    "latest",
    "make_timing",
    "slots",
    "timetable",
]

#: Kinds of timetable, as the manifest's keys name them; what each may hold, and an example.
_VALUES: dict[str, tuple[tuple[type, ...], str]] = {
    "cron": ((str,), '"0 2 * * *"'),
    "aws_cron": ((str,), '"0 10 * * ? *"'),
    "every": ((str, int, timedelta), '"1h30m"'),
    "daily": ((str, time), '"02:00"'),
    "hourly": ((str, int), "15"),
    "at": ((str, date), "2026-12-24T18:00:00"),
}
KINDS = tuple(_VALUES)
#: A hundred thousand schedules are loaded at start-up, and again at each edit of the manifest.
_KEPT = 2**17


def make_timing(
    kind: str,
    value: object,
    *,
    timezone: str | None,
    seconds: bool = False,
    start: int | None = None,
    end: int | None = None,
    anchor: int = 0,
    offset: int = 0,
    days_off: str | None = None,
) -> Timing:
    """Check what a manifest says about time, and return it in canonical form.

    `value` is the raw value of the key `kind`: str; also timedelta for every, list for daily and
    hourly, int for hourly, datetime or date for at. `timezone` None means UTC; a ``CRON_TZ=`` in
    the text wins over it. `start`, `end` and `anchor` are epoch seconds, `offset` is in seconds.
    `days_off` is what `calendars.days_off` writes; its dates are on the clock of `timezone`.

    Raises:
        InvalidTimetable: something is wrong; the sentence says what, the hint what to write.
    """
    if isinstance(value, list) and kind in {"daily", "hourly"}:
        value = ",".join(map(str, value))
    if kind not in _VALUES:
        raise _unknown(kind)
    types, example = _VALUES[kind]
    if not isinstance(value, types) or isinstance(value, bool):
        what = f"{kind} cannot be {value!r}"
        raise InvalidTimetable(what, hint=f"write such as {kind} = {example}")
    return _make(kind, value, timezone, seconds, start, end, anchor, offset, days_off)


@lru_cache(maxsize=_KEPT)
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


def describe_kind(timing: Timing) -> str:
    """Return a short text for lists: ``cron 0 2 * * *``, ``every 5m``, ``daily 02:00``."""
    return f"{timing.kind} {timing.expression}"


@lru_cache(maxsize=_KEPT)
def _make(  # noqa: PLR0917  lru_cache finds positional arguments twice as fast
    kind: str,
    value: object,
    timezone: str | None,
    seconds: bool,
    start: int | None,
    end: int | None,
    anchor: int,
    offset: int,
    days_off: str | None,
) -> Timing:
    """Do the work of `make_timing`; equal definitions do it once."""
    if seconds and kind != "cron":
        what = f"seconds = true does not go with {kind}"
        raise InvalidTimetable(what, hint="only cron has a field for seconds")
    if start is not None and end is not None and end <= start:
        what = "end is not later than start"
        raise InvalidTimetable(what, hint="write a later end")
    expression, zone, seconds = _canonical(kind, value, timezone or "UTC", seconds)
    on_grid = zone is None and kind != "at"
    timing = Timing(
        kind=kind,
        expression=expression,
        timezone=zone,
        seconds=seconds,
        start=start,
        end=end,
        anchor=anchor if on_grid else 0,
        offset=offset,
        days_off=days_off and _zoned(days_off, zone or timezone or "UTC"),
    )
    if timing.days_off is not None:
        _check_days_off(timing)
    return timing


@lru_cache(maxsize=2**10)
def _zoned(days_off: str, timezone: str) -> str | None:
    """Add the zone whose dates are meant; all timings that say the same share one text."""
    zones.tz(timezone)
    return shared(f'{days_off[:-1]},"zone":"{timezone}"}}')


def _check_days_off(timing: Timing) -> None:
    """Refuse days off that do not go with a timetable, and those that leave nothing of it."""
    from flytesched.core.timetables.parts import RateParts, fires

    parts = parts_of(timing)
    assert parts is not None  # noqa: S101  it has days off
    if isinstance(parts, RateParts) and parts.moves:
        what = "elapsed time has no days to move to"
        hint = 'write on_holiday = "skip", or cron or daily as the timetable'
        raise InvalidTimetable(what, hint=hint, field="on_holiday")
    if not fires(parts):
        what = "it never fires: every slot is on a holiday"
        hint = "name calendars that leave some of its days"
        raise InvalidTimetable(what, hint=hint, field="calendars")


def _canonical(
    kind: str, value: object, timezone: str, seconds: bool
) -> tuple[str, str | None, bool]:
    """Return the canonical expression, its zone, and whether it has a field for seconds."""
    text = str(value)
    match kind:
        case "every":
            return interval.canonical(value), None, False
        case "at":
            return *oneshot.canonical(value, timezone), False
        case "daily":
            text = calendar.canonical_daily(text)
        case "hourly":
            text = calendar.canonical_hourly(text)
        case "aws_cron":
            text = aws.canonical(text)
        case _:
            text, zone, seconds = cron.canonical(text, seconds=seconds)
            timezone = zone or timezone
    zones.tz(timezone)
    return text, None if _period(text) else timezone, seconds


def _period(expression: str) -> str | None:
    """Return the period of ``@every`` and ``rate()``."""
    if expression.startswith(cron.EVERY):
        return expression.removeprefix(cron.EVERY)
    return aws.period(expression) if aws.is_rate(expression) else None


@lru_cache(maxsize=_KEPT)
def _base(
    kind: str, expression: str, timezone: str | None, seconds: bool, anchor: int
) -> Timetable:
    """Return the timetable of an expression, without bounds and offset."""
    if kind == "at":
        return OneShot(oneshot.instant(expression, timezone))
    period = expression if kind == "every" else _period(expression)
    if period:
        return interval.interval(period, anchor)
    wall = _wall(kind, expression, seconds)
    return Walk(wall, zones.zone(timezone or "UTC", fixed_time=wall.fixed_time))


@lru_cache(maxsize=_KEPT)
def _parts(  # noqa: PLR0917  see _make
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
    text = _period(timing.expression) or timing.expression
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
    raise _unknown(kind)


def _unknown(kind: str) -> InvalidTimetable:
    what = f"{kind!r} is no kind of timetable"
    return InvalidTimetable(what, hint=f"write one of {', '.join(KINDS)}")
