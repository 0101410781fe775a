"""Moves: the dates of a timetable, divided by its days off into those that run and those left out.

A date that is off moves as a whole to the nearest one that is not, unless that one is the
timetable's own, or a nearer date that is off moves there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from flytesched.core.timetables.days import EPOCH_DAY, NEVER, first_of
from flytesched.core.timetables.daysoff import MOVE

if TYPE_CHECKING:
    from flytesched.core.timetables.daysoff import DaysOff
    from flytesched.core.timetables.walk import Dates

    #: Which of the dates: those that run, those left out, or both.
    Part = Literal["runs", "left_out", "all"]

#: How far is looked for a date, in days: 400 years, after which the calendar repeats itself.
_SEARCH = 146_097
#: How long it counts that there was none, in days.
_STALE = 366
#: Years of one timetable that are kept.
_KEPT_YEARS = 1000
_FIRST, _AFTER = first_of(1969), first_of(date.max.year + 1)


class _Year(NamedTuple):
    """One year's dates; `start` and `stop` count days since 1970."""

    start: int
    stop: int
    #: The dates that run, those left out, and both; ascending.
    runs: array[int]
    left_out: array[int]
    all: array[int]
    #: Where dates that have moved to this year come from.
    sources: dict[int, int]


class Moves:
    """The dates of a timetable and its days off, year by year; each is made when first met."""

    __slots__ = ("_days", "_years", "off")

    def __init__(self, days: Dates, off: DaysOff) -> None:
        """Join the dates that an expression names and the days that are off."""
        self._days = days
        self.off = off
        self._years: dict[int, _Year] = {}

    def part(self, part: Part) -> PartDays:
        """Return some of the dates."""
        return PartDays(self, part)

    def source(self, day: int) -> tuple[int, str] | None:
        """Return the day off from which a date has moved to `day`, and its name."""
        source = self.year(day).sources.get(day)
        name = None if source is None else self.off.name(source)
        return None if source is None or name is None else (source, name)

    def why(self, day: int) -> str | None:
        """Return why a date is left out; None if it is not."""
        if self._days.first(day) != day or (name := self.off.name(day)) is None:
            return None
        other = self.off.instead(day)
        if other is not None and self._goes(day, other):
            return None
        return why(name, self.off, other)

    def near(self, day: int, *, ahead: bool) -> int:
        """Return from which day on, or down from which, there may be dates: `day` or a far one."""
        if ahead:
            return max(day, self._days.first(day - MOVE) - MOVE)
        return min(day, self._days.last(day + MOVE) + MOVE)

    def year(self, day: int) -> _Year:
        """Return the year around a day."""
        number = date.fromordinal(day + EPOCH_DAY).year
        if (year := self._years.get(number)) is None:
            if len(self._years) >= _KEPT_YEARS:
                self._years.clear()
            year = self._years[number] = self._made(number)
        return year

    def _made(self, number: int) -> _Year:
        start, stop = first_of(number), first_of(number + 1)
        own, off = self._own(start, stop), self.off.of_year(number).names
        sources = self._sources(start, stop)
        left_out = [day for day in own if day in off and not self._moves(day)]
        runs = sorted([*(day for day in own if day not in off), *sources])
        every = sorted([*runs, *left_out])
        return _Year(
            start, stop, array("i", runs), array("i", left_out), array("i", every), sources
        )

    def _own(self, start: int, stop: int) -> list[int]:
        """Return the dates that the expression itself names."""
        found = []
        day = self._days.first(start)
        while day < stop:
            found.append(day)
            day = self._days.first(day + 1)
        return found

    def _sources(self, start: int, stop: int) -> dict[int, int]:
        """Return the days from `start` to before `stop` to which dates move, and whence."""
        if self.off.on_holiday == "skip":
            return {}
        ahead = self.off.on_holiday == "next"
        found = {}
        for day in range(start, stop):
            beside = day - 1 if ahead else day + 1
            if self.off.name(beside) is None or self.off.name(day) is not None:
                continue
            source = self._days.last(beside) if ahead else self._days.first(beside)
            if abs(source - day) > MOVE or self.off.name(source) is None:
                continue
            if self.off.instead(source) == day and self._goes(source, day):
                found[day] = source
        return found

    def _moves(self, day: int) -> bool:
        """Tell whether one of its own dates, which is off, moves."""
        other = self.off.instead(day)
        return other is not None and self._goes(day, other)

    def _goes(self, day: int, other: int) -> bool:
        """Tell whether a day off moves to `other`: there is no own date there, nor in between."""
        if other > day:
            return self._days.first(day + 1) > other
        return self._days.last(day - 1) < other


class PartDays:
    """Some of the dates; answers as `Days` does."""

    __slots__ = ("_ahead", "_back", "_moves", "_part", "_year")

    def __init__(self, moves: Moves, part: Part) -> None:
        """Look for no date yet."""
        self._moves = moves
        self._part: Part = part
        self._year: tuple[int, int, array[int]] = (0, 0, array("i"))
        #: A stretch of days, and the first date not before each, or the last not after each.
        self._ahead, self._back = (0, -1, 0), (0, -1, 0)

    def first(self, day: int) -> int:
        """Return the first date not before `day`; `NEVER` if there is none within 400 years."""
        start, stop, days = self._year
        if start <= day < stop and days and day <= days[-1]:
            return days[bisect_left(days, day)]
        low, high, found = self._ahead
        if not low <= day <= high:
            found = self._search(day)
            self._ahead = day, min(found, day + _STALE), found
        return found

    def last(self, day: int) -> int:
        """Return the last date not after `day`; `-NEVER` if there is none within 400 years."""
        start, stop, days = self._year
        if start <= day < stop and days and day >= days[0]:
            return days[bisect_right(days, day) - 1]
        low, high, found = self._back
        if not low <= day <= high:
            found = self._search_back(day)
            self._back = max(found, day - _STALE), day, found
        return found

    def count(self, start: int, stop: int) -> int:
        """Return how many dates there are from `start` to before `stop`."""
        total, stop = 0, min(stop, _AFTER)
        day = max(start, _FIRST)
        while day < stop:
            _, after, days = self._load(day)
            total += bisect_left(days, stop) - bisect_left(days, day)
            day = after
        return total

    def _search(self, day: int) -> int:
        day, limit = max(day, _FIRST), min(day + _SEARCH, _AFTER)
        while (day := self._moves.near(day, ahead=True)) < limit:
            _, stop, days = self._load(day)
            index = bisect_left(days, day)
            if index < len(days):
                return days[index]
            day = stop
        return NEVER

    def _search_back(self, day: int) -> int:
        day, limit = min(day, _AFTER - 1), max(day - _SEARCH, _FIRST)
        while (day := self._moves.near(day, ahead=False)) >= limit:
            start, _, days = self._load(day)
            index = bisect_right(days, day)
            if index:
                return days[index - 1]
            day = start - 1
        return -NEVER

    def _load(self, day: int) -> tuple[int, int, array[int]]:
        """Make the year around `day` the one at hand."""
        here = self._year
        if not here[0] <= day < here[1]:
            year = self._moves.year(day)
            here = self._year = year.start, year.stop, getattr(year, self._part)
        return here


def why(name: str, off: DaysOff, other: int | None) -> str:
    """Say why a slot on a holiday is left out, where it would move to `other`."""
    if off.on_holiday == "skip":
        return name
    if other is None:
        return f"{name}; every day within {MOVE} days is off"
    return f"{name}; {date.fromordinal(other + EPOCH_DAY)} has slots already"


@lru_cache(maxsize=2**12)
def moves(days: Dates, off: DaysOff) -> Moves:
    """Return the moves of some dates under some days off, shared by all that have both."""
    return Moves(days, off)
