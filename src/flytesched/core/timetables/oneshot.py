"""A single instant: ``at``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from flytesched.core.timetables.zones import zone
from flytesched.errors import Invalid, InvalidTimetable

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  local times are counted from it on their own clock
_END = datetime.max.replace(tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TEXT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.][0-9]+)? ?(Z|z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_HINT = "write 2026-12-24T18:00:00, or with an offset 2026-12-24T18:00:00Z"


class OneShot:
    """A timetable with one slot."""

    __slots__ = ("_instant",)

    def __init__(self, instant: int) -> None:
        """Take the slot, in epoch seconds."""
        self._instant = instant

    def next(self, t: int) -> int | None:
        """Return the slot if it is later than `t`."""
        return self._instant if self._instant > t else None

    def previous(self, t: int) -> int | None:
        """Return the slot if it is earlier than `t`."""
        return self._instant if self._instant < t else None

    def count(self, after: int, until: int) -> int:
        """Return 1 if the slot is in (after, until], else 0."""
        return int(after < self._instant <= until)

    def kickoff(self, slot: int) -> int:
        """Return the slot itself: without an offset the two are one."""
        return slot


def read(value: object) -> datetime:
    """Return a date and time to the second: aware if it has an offset, else naive wall-clock time.

    A date alone means its midnight; parts of a second are cut off.

    Raises:
        Invalid: it is no date and time from 1970 to 9999, or its offset leads beyond.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    elif isinstance(value, str):
        moment = _parse(value.strip())
    else:
        what = f"{value!r} is no date and time"
        raise Invalid(what, hint=_HINT)
    if moment.year < EPOCH.year:
        what = f"{value} is before 1970"
        raise Invalid(what, hint="write a later year")
    if moment.tzinfo and moment > _END:
        what = f"{value} is after the year 9999"
        raise Invalid(what, hint="write an earlier year")
    return moment.replace(microsecond=0, fold=0)


def canonical(value: object, timezone: str) -> tuple[str, str | None]:
    """Return the canonical text of an instant, and the zone whose clock shows it.

    An instant with an offset is turned into UTC and needs no zone.

    Raises:
        InvalidTimetable: it is no date and time, or one that the zone's clock never shows.
    """
    moment = _read(value)
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
        return f"{_read(moment).isoformat()}Z", None
    text = moment.isoformat()
    instant(text, timezone)
    return text, timezone


def instant(expression: str, timezone: str | None) -> int:
    """Return the epoch second of a canonical text.

    Time skipped by daylight saving is made up at the first minute after; of time shown twice the
    first showing counts, as for every fixed-time schedule.

    Raises:
        InvalidTimetable: it is no canonical text; or the zone's clock never shows that time, nor
            is it made up.
    """
    local = wall_seconds(_read(expression))
    slot = local if timezone is None else zone(timezone).instant(local)
    if slot is None:
        what = f"{expression} never comes in {timezone}: its clocks skip that time"
        raise InvalidTimetable(what, hint="write another time, or one with an offset")
    return slot


def local(expression: str) -> int:
    """Return the local time that a canonical text without an offset says."""
    return wall_seconds(_read(expression))


def wall_seconds(moment: datetime) -> int:
    """Return what a clock shows as seconds since 1970 on that clock."""
    return (moment.replace(tzinfo=None) - EPOCH) // _SECOND


def _read(value: object) -> datetime:
    try:
        return read(value)
    except Invalid as error:
        raise InvalidTimetable(error.message, hint=error.hint) from error


def _parse(text: str) -> datetime:
    match = _TEXT.fullmatch(text)
    if not match:
        what = f"{text[:60]!r} is no date and time"
        raise Invalid(what, hint=_HINT)
    day, clock, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")
    except ValueError as error:
        what = f"{text!r} is no date and time: {error}"
        raise Invalid(what, hint=_HINT) from error
