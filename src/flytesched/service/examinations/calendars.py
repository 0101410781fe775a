"""Examination of calendars: whether they still know days off, and whether anybody asks them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from flytesched.core.instants import to_utc
from flytesched.service.doctor import Level, found, such

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.calendars import Calendar
    from flytesched.service.doctor import Finding, Patient

#: A calendar whose last date is so near is soon without any.
_SOON = timedelta(days=30)


def calendars(patient: Patient) -> Iterator[Finding]:
    """Tell which calendars run out of days off, and which nobody names."""
    if patient.seen.manifest_error is not None:
        yield found("calendars", Level.OK, "none can be looked at in a manifest that is broken")
        return
    known = patient.site.manifest().calendars
    if not known:
        yield found("calendars", Level.OK, "there is no calendar, and no day is off")
        return
    from flytesched.service.calendars import named_by  # few have calendars

    users = named_by(patient.seen.schedules.values())
    today = to_utc(patient.seen.now).date()
    faults = [
        finding
        for name, calendar in known.items()
        for finding in _faults(calendar, users.get(name, []), today)
    ]
    yield from faults
    if not faults:
        what = "each calendar is named by a schedule, and knows days off to come"
        yield found("calendars", Level.OK, what)


def _faults(calendar: Calendar, users: list[str], today: date) -> Iterator[Finding]:
    if not users:
        what = f"no schedule names {calendar.name}: its days off mean nothing"
        do = f'write calendars = ["{calendar.name}"] in a schedule, or remove the table'
        yield found("calendars", Level.WARNING, what, do)
        return
    from flytesched.service.calendars import Almanac

    almanac = Almanac(calendar)
    if (last := almanac.last) is not None and last < today + _SOON:
        passed = f"was {last}" if last < today else f"is {last}"
        what = f"the last day off of {calendar.name}, which {_named(users)}, {passed}"
        yield found("calendars", Level.WARNING, what, "write further dates")
    if almanac.holidays_of(today.year + 1) == 0:
        what = f"no public holidays of {calendar.country} are known for {today.year + 1}"
        do = "bring the package up to date: pip install --upgrade holidays"
        yield found("calendars", Level.WARNING, f"{calendar.name}: {what}", do)


def _named(users: list[str]) -> str:
    return f"{such(users)} {'names' if len(users) == 1 else 'name'}"
