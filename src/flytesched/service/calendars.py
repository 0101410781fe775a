"""Calendars: which days they take off, what says so, and which schedules name them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from flytesched.core.calendars import Calendar, days_off
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables.days import EPOCH_DAY
from flytesched.core.timetables.daysoff import DaysOff
from flytesched.service.days_off import calendars_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flytesched.core.schedule import Schedule

#: What says that a day is off, and the keys that make it.
_SOURCES = {
    "country": ("country", "subdivision", "categories", "language"),
    "dates": ("dates",),
    "weekdays": ("weekdays",),
}
#: Days that are counted ahead.
YEAR = 365
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day that a calendar takes off, or lets be worked all the same."""

    #: The day.
    date: date
    #: Name of the calendar.
    calendar: str
    #: What it is called; None for a day that has no name of its own.
    holiday: str | None
    #: What says that it is off: ``country``, ``dates``, ``weekdays``.
    sources: tuple[str, ...]
    #: Whether ``except`` says that it is worked all the same.
    worked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days in a row of which nothing else is to be said than that they are weekdays off."""

    #: The days; one that is told by itself stands alone.
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A calendar as it stands."""

    #: The calendar.
    calendar: Calendar
    #: Schedules that name it.
    schedules: tuple[str, ...]
    #: Days off in the year that begins today.
    ahead: int
    #: The next day off, today included; None if the year has none.
    next: Day | None


class Almanac:
    """The days off of one calendar, and what says of each that it is."""

    def __init__(self, calendar: Calendar) -> None:
        """Read nothing yet: a year is looked up when it is asked about."""
        self.calendar = calendar

    def days(self, since: date, until: date) -> Iterator[Day]:
        """Yield the days of ``[since, until)`` that are off or worked all the same, ascending.

        Raises:
            InvalidTimetable: the package of public holidays is missing, or does not know these.
        """
        last = until - _DAY
        for year in range(since.year, last.year + 1):
            for number in sorted(self._numbers(year)):
                day = date.fromordinal(number + EPOCH_DAY)
                if since <= day <= last:
                    yield self._day(day, number)

    def holidays_of(self, year: int) -> int | None:
        """Return how many public holidays are known of a year; None if it has no country."""
        part = self._parts.get("country")
        return None if part is None else len(part.of_year(year).names)

    @property
    def last(self) -> date | None:
        """The last day that is off; None for one that goes on from year to year."""
        if self.calendar.weekdays or self.calendar.country:
            return None
        ends = [text.rpartition("/")[2] for text in dates_of(self.calendar)]
        whole = [date.fromisoformat(end) for end in ends if len(end) == len("2026-12-24")]
        return max(whole) if ends and len(whole) == len(ends) else None

    def _numbers(self, year: int) -> set[int]:
        worked = self._worked.of_year(year).names if self._worked is not None else {}
        return {*worked, *(number for part in self._parts.values() for number in
                           part.of_year(year).names)}  # fmt: skip

    def _day(self, day: date, number: int) -> Day:
        sources = tuple(key for key, part in self._parts.items() if part.name(number) is not None)
        named = self._without_exceptions.name(number)
        worked = self._worked is not None and self._worked.name(number) is not None
        name = self.calendar.name
        return Day(
            date=day, calendar=name, holiday=None if named == name else named, sources=sources,
            worked=worked,
        )  # fmt: skip

    @cached_property
    def _without_exceptions(self) -> DaysOff:
        return _read(replace(self.calendar, except_=()))

    @cached_property
    def _worked(self) -> DaysOff | None:
        if not self.calendar.except_:
            return None
        return _read(Calendar(name=self.calendar.name, dates=self.calendar.except_))

    @cached_property
    def _parts(self) -> Mapping[str, DaysOff]:
        """What the calendar is made of, each as one of its own."""
        name = self.calendar.name
        parts = {
            source: {key: getattr(self.calendar, key) for key in keys}
            for source, keys in _SOURCES.items()
            if getattr(self.calendar, source)
        }
        return {source: _read(Calendar(name=name, **part)) for source, part in parts.items()}


def described(
    calendars: Iterable[Calendar], schedules: Iterable[Schedule], today: date
) -> list[Described]:
    """Return calendars with what they come to, seen from a day.

    Raises:
        InvalidTimetable: the package of public holidays is missing, or does not know one.
    """
    users = named_by(schedules)
    return [_described(each, users.get(each.name, ()), today) for each in calendars]


def dates_of(calendar: Calendar) -> Mapping[str, str | None]:
    """Return the dates that a calendar names, in their canonical form, and what they are called."""
    found: Mapping[str, str | None] = json.loads(calendar.text).get("dates", {})
    return found


def named_by(schedules: Iterable[Schedule]) -> dict[str, list[str]]:
    """Return the schedules that name each calendar."""
    found: dict[str, list[str]] = {}
    for schedule in schedules:
        for calendar in calendars_of(schedule.timing):
            found.setdefault(calendar, []).append(schedule.name)
    return found


def days_of(calendars: Iterable[Calendar], since: date, until: date) -> list[Day]:
    """Return the days of several calendars in ``[since, until)``, day by day.

    Raises:
        InvalidTimetable: the package of public holidays is missing, or does not know one.
    """
    found = [day for each in calendars for day in Almanac(each).days(since, until)]
    return sorted(found, key=lambda day: day.date)


def folded(days: Sequence[Day]) -> list[Stretch]:
    """Return days, weekdays off in a row of the same calendar as one stretch."""
    runs = groupby(enumerate(days), key=lambda each: _like(*each))
    return [Stretch(days=tuple(day for _, day in run)) for _, run in runs]


def _like(at: int, day: Day) -> object:
    """Return what is equal for days that are told as one."""
    plain = day.sources == ("weekdays",) and not day.worked
    return (day.calendar,) if plain else at


def _described(calendar: Calendar, users: Sequence[str], today: date) -> Described:
    days = [*Almanac(calendar).days(today, today + timedelta(days=YEAR))]
    off = [day for day in days if not day.worked]
    return Described(
        calendar=calendar, schedules=tuple(users), ahead=len(off), next=off[0] if off else None
    )


def _read(calendar: Calendar) -> DaysOff:
    """Return the days off of a calendar; dates have no zone."""
    return DaysOff(json.loads(days_off([calendar], OnHoliday.SKIP)) | {"zone": "UTC"})
