"""What a manifest says about time, checked: a `Timing`."""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import lru_cache

from flytesched.core.timetables import aws, calendar, cron, interval, oneshot, zones
from flytesched.core.timetables.tables import KEPT, latest, parts_of, rate_of, slots, timetable
from flytesched.core.timetables.timing import KINDS, Timetable, Timing, shared, unknown
from flytesched.errors import InvalidTimetable

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
        raise unknown(kind)
    types, example = _VALUES[kind]
    if not isinstance(value, types) or isinstance(value, bool):
        what = f"{kind} cannot be {value!r}"
        raise InvalidTimetable(what, hint=f"write such as {kind} = {example}")
    return _make(kind, value, timezone, seconds, start, end, anchor, offset, days_off)


def describe_kind(timing: Timing) -> str:
    """Return a short text for lists: ``cron 0 2 * * *``, ``every 5m``, ``daily 02:00``."""
    return f"{timing.kind} {timing.expression}"


@lru_cache(maxsize=KEPT)
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
    return text, None if rate_of(text) else timezone, seconds
