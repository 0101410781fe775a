"""Instants at the door: texts and datetimes in, epoch seconds inside, RFC 3339 out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flytesched.core.timetables import oneshot, zones
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def to_epoch(moment: datetime) -> int:
    """Return an aware datetime as epoch seconds, parts of a second cut off.

    Raises:
        Invalid: it is naive: whose clock it means is not known.
    """
    if moment.tzinfo is None:
        hint = "attach a zone, such as tzinfo=datetime.UTC"
        what = f"{moment.isoformat()} has no time zone"
        raise Invalid(what, hint=hint)
    return (moment - _EPOCH) // _SECOND


def to_utc(epoch: float) -> datetime:
    """Return epoch seconds as an aware UTC datetime.

    Raises:
        Invalid: the year would not be one from 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(seconds=epoch)
    except (OverflowError, ValueError) as error:
        what = f"{epoch} is no instant of the years 1 to 9999"
        raise Invalid(what) from error


def rfc3339(epoch: float) -> str:
    """Return an instant as ``2026-11-21T02:00:00Z``, parts of a second cut off."""
    return f"{to_utc(epoch // 1).replace(tzinfo=None).isoformat()}Z"


def rfc3339_exact(epoch: float) -> str:
    """Return a moment with its milliseconds: ``2026-11-21T02:00:00.123Z``."""
    return f"{to_utc(epoch).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def rfc3339_local(epoch: float, zone: str | ZoneInfo) -> str:
    """Return an instant on a zone's clock as ``2026-11-21T03:00:00+01:00``, to the second.

    In the last hours of 9999, when a zone's clock may be beyond what can be written, it is UTC.

    Raises:
        InvalidTimetable: the zone is unknown.
    """
    tz = zones.tz(zone) if isinstance(zone, str) else zone
    moment = to_utc(epoch // 1)
    try:
        return moment.astimezone(tz).isoformat()
    except OverflowError:
        return moment.isoformat()


def parse_instant(value: object, zone: str | ZoneInfo) -> int:
    """Return the epoch second that a text, a datetime or a date means.

    Texts are RFC 3339 (``2026-11-01T02:00:00Z``, an offset, or a space for the T), or without an
    offset a time on the clock of `zone` (an IANA name): ``2026-11-01 02:00``; a date alone is its
    midnight. As for a fixed-time schedule, a local time that is shown twice means its first
    showing, and one that daylight saving skips means the first minute after the skip; in a skip of
    three hours or more, such as a day left out, it is read by the clock from before the skip.
    Parts of a second are cut off.

    Raises:
        Invalid: it is no date and time from 1970 to 9999, or the zone is unknown.
    """
    moment = oneshot.read(value)
    if moment.tzinfo:
        return to_epoch(moment)
    name = zone if isinstance(zone, str) else zone.key
    found = zones.zone(name).instant(oneshot.wall_seconds(moment))
    if found is None:
        found = to_epoch(oneshot.read(moment.replace(tzinfo=zones.tz(name))))
    return found
