"""Matching days: which days of a year an expression names, made once per kind of year."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

#: 1970-01-01, from which days count, as `date.toordinal` counts it.
EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST_YEAR, _LAST_YEAR = 1969, date.max.year
#: Stands for the last day of the month among month days, and for the last week among `nth`.
LAST = 0
#: A day (counted from 1970) after all others; its negative is before all others.
NEVER = 10**9
#: The kinds of year (leap or not, weekday of 1 January) are fourteen, all met in any 28 years.
_ALL_KINDS = range(2001, 2029)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpec:
    """The day fields of an expression, read."""

    #: Days of the month; `LAST` for the last.
    monthdays: frozenset[int]
    #: Days whose nearest Monday to Friday of the same month is meant; `LAST` for the last.
    nearest: frozenset[int] = frozenset()
    #: Months, 1 to 12.
    months: frozenset[int]
    #: Weekdays, 0 for Sunday to 6.
    weekdays: frozenset[int]
    #: Weekday and which of the month, 1 to 5, or `LAST`.
    nth: frozenset[tuple[int, int]] = frozenset()
    #: Whether month day and weekday must both match, or either.
    both: bool = True
    #: Years; None for every year.
    years: frozenset[int] | None = None

    def in_month(self, year: int, month: int) -> list[int]:
        """Return the matching days of a month, ascending."""
        if month not in self.months:
            return []
        start = first_of(year, month)
        length = first_of(year + month // 12, month % 12 + 1) - start
        weekdays = [(start + day + 3) % 7 for day in range(length + 1)]  # 1970-01-01 was a Thursday
        by_date = {day or length for day in self.monthdays}
        by_date |= {_workday(day or length, weekdays) for day in self.nearest}
        return [
            day
            for day in range(1, length + 1)
            if self._matches(day in by_date, self._weekday_matches(day, weekdays))
        ]

    def _matches(self, by_date: bool, by_weekday: bool) -> bool:
        return (by_date and by_weekday) if self.both else (by_date or by_weekday)

    def _weekday_matches(self, day: int, weekdays: list[int]) -> bool:
        here, which = weekdays[day], (day + 6) // 7
        in_last_week = day + 7 >= len(weekdays)
        return (
            here in self.weekdays
            or (here, which) in self.nth
            or (in_last_week and (here, LAST) in self.nth)
        )


def _workday(day: int, weekdays: list[int]) -> int:
    """Return the Monday to Friday nearest to a day of the month; 0 if the month lacks that day."""
    length = len(weekdays) - 1
    if day > length:
        return 0
    if weekdays[day] == 6:
        return day - 1 if day > 1 else 3
    if weekdays[day] == 0:
        return day + 1 if day < length else day - 2
    return day


class _Year(NamedTuple):
    """One year's matching days; `start` and `stop` count days since 1970."""

    start: int
    stop: int
    days: tuple[int, ...]


class Days:
    """The matching days of every year, counted from 1970. Shared by all that name the same days."""

    __slots__ = ("_ahead", "_back", "_high", "_kinds", "_low", "_spec", "_year", "ever")

    def __init__(self, spec: DaySpec) -> None:
        """Make the first year's; each other kind of year is made when first met, and kept."""
        self._spec = spec
        self._kinds: dict[tuple[int, int], tuple[int, ...]] = {}
        years = spec.years or (_FIRST_YEAR, _LAST_YEAR)
        self._low, self._high = first_of(min(years)), first_of(max(years) + 1)
        self._year = _Year(0, 0, ())
        #: A day, and the first that matches from it on, or the last up to it: it may be years away.
        self._ahead, self._back = (0, -1), (-1, 0)
        #: Whether any day matches at all.
        self.ever = any(self._made(year).days for year in spec.years or _ALL_KINDS)

    def first(self, day: int) -> int:
        """Return the first matching day not before `day`, or `NEVER`."""
        start, stop, days = self._year
        if start <= day < stop:
            index = bisect_left(days, day - start)
            if index < len(days):
                return start + days[index]
        low, found = self._ahead
        if not low <= day <= found:
            found = self._search(day)
            self._ahead = day, found
        return found

    def last(self, day: int) -> int:
        """Return the last matching day not after `day`, or `-NEVER`."""
        start, stop, days = self._year
        if start <= day < stop:
            index = bisect_right(days, day - start)
            if index:
                return start + days[index - 1]
        high, found = self._back
        if not found <= day <= high:
            found = self._search_back(day)
            self._back = day, found
        return found

    def count(self, start: int, stop: int) -> int:
        """Return how many days match from `start` to before `stop`."""
        total, stop = 0, min(stop, self._high)
        day = max(start, self._low)
        while day < stop:
            year = self._load(day)
            until = min(stop, year.stop) - year.start
            total += bisect_left(year.days, until) - bisect_left(year.days, day - year.start)
            day = year.stop
        return total

    def _search(self, day: int) -> int:
        """Look for the first matching day year by year; its year is the one at hand then."""
        day = max(day, self._low)
        while day < self._high:
            start, stop, days = self._load(day)
            index = bisect_left(days, day - start)
            if index < len(days):
                return start + days[index]
            day = stop
        return NEVER

    def _search_back(self, day: int) -> int:
        """Look for the last matching day year by year; its year is the one at hand then."""
        day = min(day, self._high - 1)
        while day >= self._low:
            start, _, days = self._load(day)
            index = bisect_right(days, day - start)
            if index:
                return start + days[index - 1]
            day = start - 1
        return -NEVER

    def _load(self, day: int) -> _Year:
        """Make the year around `day` the one at hand."""
        year = self._year
        if not year.start <= day < year.stop:
            year = self._year = self._made(date.fromordinal(day + EPOCH_DAY).year)
        return year

    def _made(self, number: int) -> _Year:
        """Return a year with its matching days."""
        start, stop = first_of(number), first_of(number + 1)
        if self._spec.years is not None and number not in self._spec.years:
            return _Year(start, stop, ())
        kind = stop - start, start % 7
        if kind not in self._kinds:
            self._kinds[kind] = tuple(
                first_of(number, month) + day - 1 - start
                for month in range(1, 13)
                for day in self._spec.in_month(number, month)
            )
        return _Year(start, stop, self._kinds[kind])


def first_of(year: int, month: int = 1) -> int:
    """Return the first of a month as days since 1970; the year after 9999 has one too."""
    if year > _LAST_YEAR:
        return date.max.toordinal() + 1 - EPOCH_DAY
    return date(year, month, 1).toordinal() - EPOCH_DAY


@lru_cache(maxsize=4096)
def days(spec: DaySpec) -> Days:
    """Return the shared days of a specification."""
    return Days(spec)
