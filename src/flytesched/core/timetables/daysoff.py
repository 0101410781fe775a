"""Days off: which dates the calendars of a timing name, and what those are called.

Read from the text that a timing keeps (`core.calendars` writes it). Days count from 1970.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from flytesched.core.timetables.days import EPOCH_DAY, first_of
from flytesched.core.timetables.public import known, public_holidays
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: How far a day moves, and how far from it is looked for what moves there: the longest range of a
#: calendar has as many days.
MOVE = 400
_WEEKDAYS = ("thu", "fri", "sat", "sun", "mon", "tue", "wed")  # 1970-01-01 was a Thursday
_LAST_DAY = date.max.toordinal() - EPOCH_DAY
_DAY = timedelta(days=1)
#: Years of one timing that are kept.
_KEPT_YEARS = 1000


class _Year(NamedTuple):
    """One year's days off; `start` and `stop` count days since 1970."""

    start: int
    stop: int
    names: Mapping[int, str]


class _Calendar:
    """One calendar, read from its text."""

    __slots__ = ("_country", "_dates", "_weekdays", "_worked", "name")

    def __init__(self, said: Mapping[str, Any]) -> None:
        """Sort dates by year; public holidays are asked for when a year is met.

        Raises:
            InvalidTimetable: the package of public holidays is missing, or does not know these.
        """
        #: What it is called.
        self.name: str = said["name"]
        self._dates = _by_year(said.get("dates", {}))
        self._worked = _by_year(dict.fromkeys(said.get("except_", ())))
        self._weekdays = [_WEEKDAYS.index(day) for day in said.get("weekdays", ())]
        self._country: tuple[Any, ...] = ()
        if country := said.get("country"):
            categories = tuple(said.get("categories", ()))
            self._country = country, said.get("subdivision"), categories, said.get("language")
            known(*self._country)

    def of_year(self, year: int) -> dict[int, str | None]:
        """Return the days off of a year, with their names where they have one."""
        start, stop = first_of(year), first_of(year + 1)
        off: dict[int, str | None] = {}
        for weekday in self._weekdays:
            off |= dict.fromkeys(range(start + (weekday - start) % 7, stop, 7))
        for day, name in self._named(year):
            off[day] = name or off.get(day)
        for day, _ in _expanded(self._worked, year):
            off.pop(day, None)
        return off

    def _named(self, year: int) -> Iterator[tuple[int, str | None]]:
        """Yield public holidays, then dates: what people write themselves names a day."""
        if self._country:
            for day, name in public_holidays(year, *self._country).items():
                yield day.toordinal() - EPOCH_DAY, name
        yield from _expanded(self._dates, year)


class DaysOff:
    """All days that a timing's calendars name, and what becomes of slots on them."""

    __slots__ = ("_calendars", "_stretch", "_year", "_years", "calendars", "on_holiday", "zone")

    def __init__(self, said: Mapping[str, Any]) -> None:
        """Take what the text of a timing says.

        Raises:
            InvalidTimetable: the package of public holidays is missing, or does not know one.
        """
        self._calendars = [_Calendar(calendar) for calendar in said["calendars"]]
        self._years: dict[int, _Year] = {}
        self._year = _Year(0, 0, {})
        #: The first and the last of some days in a row that are all off.
        self._stretch = (0, -1)
        #: Names of the calendars.
        self.calendars = tuple(calendar.name for calendar in self._calendars)
        #: ``skip``, ``next`` or ``previous``.
        self.on_holiday: str = said["on_holiday"]
        #: The zone whose dates are meant.
        self.zone: str = said["zone"]

    def name(self, day: int) -> str | None:
        """Return what a day off is called; None for a day that is not off."""
        year = self._year  # once: another thread may take another
        if not year.start <= day < year.stop:
            if day > _LAST_DAY:
                return None
            year = self._year = self.of_year(date.fromordinal(day + EPOCH_DAY).year)
        return year.names.get(day)

    def of_year(self, number: int) -> _Year:
        """Return a year's days off; of several names the first one counts."""
        if (year := self._years.get(number)) is None:
            if len(self._years) >= _KEPT_YEARS:
                self._years.clear()
            year = self._years[number] = self._made(number)
        return year

    def instead(self, day: int) -> int | None:
        """Return the nearest day that is not off, to which a day off would move.

        Days in a row are mostly asked about one after the other: what is known of them is kept.
        """
        if self.on_holiday == "skip":
            return None
        first, last = self._stretch  # once: another thread may take another
        if not first - 1 <= day <= last + 1:
            first = last = day
        first, last = min(first, day), max(last, day)
        if self.on_holiday == "next":
            while last - day < MOVE and self.name(last + 1) is not None:
                last += 1
            other, near = last + 1, last - day < MOVE
        else:
            while day - first < MOVE and self.name(first - 1) is not None:
                first -= 1
            other, near = first - 1, day - first < MOVE
        self._stretch = first, last
        return other if near else None

    def _made(self, number: int) -> _Year:
        named: dict[int, str] = {}
        unnamed: dict[int, str] = {}
        for calendar in self._calendars:
            for day, name in calendar.of_year(number).items():
                if name is None:
                    unnamed.setdefault(day, calendar.name)
                else:
                    named.setdefault(day, name)
        return _Year(first_of(number), first_of(number + 1), unnamed | named)


@lru_cache(maxsize=2**12)
def daysoff(text: str) -> DaysOff:
    """Return the days off of a timing's text, shared by all timings that have it.

    Raises:
        InvalidTimetable: the package of public holidays is missing, or does not know one; or the
            text was written by a newer version.
    """
    try:
        return DaysOff(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidTimetable):
            raise
        what = f"the run log holds calendars that cannot be read: {text[:200]!r}"
        raise InvalidTimetable(what, hint="was it written by a newer version?") from error


#: Dates by year, each year's under None: first and last day, and the name.
_ByYear = dict[int | None, list[tuple[str, str, str | None]]]


def _by_year(dates: Mapping[str, str | None]) -> _ByYear:
    found: _ByYear = {}
    for text, name in dates.items():
        first, _, last = text.partition("/")
        if len(first) < len("2026-12-24"):
            found.setdefault(None, []).append((first, first, name))
            continue
        for year in range(int(first[:4]), int((last or first)[:4]) + 1):
            found.setdefault(year, []).append((first, last or first, name))
    return found


def _expanded(dates: _ByYear, year: int) -> Iterator[tuple[int, str | None]]:
    """Yield the days of a year; 02-29 only in leap years."""
    for text, _, name in dates.get(None, ()):
        if (day := _day(f"{year:04}-{text}")) is not None:
            yield day, name
    for first, last, name in dates.get(year, ()):
        low = max(date.fromisoformat(first), date(year, 1, 1)).toordinal()
        high = min(date.fromisoformat(last), date(year, 12, 31)).toordinal()
        for ordinal in range(low, high + 1):
            yield ordinal - EPOCH_DAY, name


def _day(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal() - EPOCH_DAY
    except ValueError:
        return None
