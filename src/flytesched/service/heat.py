"""Heat: how many slots the hours or days to come have, counted and hardly ever walked."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from flytesched.core.instants import parse_instant
from flytesched.core.timetables.changes import Change, changes
from flytesched.core.timetables.on_holiday import left_out
from flytesched.core.timetables.parse import slots, timetable
from flytesched.core.timetables.zones import tz
from flytesched.service.days_off import left_out_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flytesched.core.schedule import Schedule
    from flytesched.core.timetables.timing import Timetable, Timing

    #: Timings, each with the second after which its slots fall due, and how many schedules have it.
    Alike = Counter[tuple[Timing, int]]

_HOUR = 3600


class Span(StrEnum):
    """How far a heat map reaches."""

    #: Seven days, by the hour.
    WEEK = "week"
    #: Thirty-one days, by the day.
    MONTH = "month"


_DAYS = {Span.WEEK: 7, Span.MONTH: 31}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An hour or a day on a zone's clock; an hour that is shown twice makes two."""

    #: First instant of it, and first instant after it, in epoch seconds.
    begin: int
    end: int
    #: The day on the clock.
    day: date
    #: The hour on the clock; None for a whole day.
    hour: int | None
    #: Slots in it that will run.
    slots: int = 0
    #: Slots in it that calendars leave out.
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOff:
    """A day on which calendars leave out slots."""

    #: The day of the first of them, on the clock.
    day: date
    #: What it is called.
    holiday: str
    #: How many there are.
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The hours or days of a span, in their order."""

    #: How far it reaches.
    span: Span
    #: IANA name of the clock.
    zone: str
    #: The hours or days.
    cells: tuple[Cell, ...]
    #: The changes of the clock in the span.
    changes: tuple[Change, ...]
    #: The days in the span on which slots are left out.
    days_off: tuple[DayOff, ...] = ()


def heat(schedules: Iterable[Schedule], span: Span, *, since: int, zone: str) -> Heat:
    """Return how many slots from ``since`` on run in each hour or day, and what is left out.

    Args:
        schedules: whose slots; those that are disabled have none, paused ones after their pause.
        span: how far, from the begin of the day that ``since`` lies on.
        since: epoch second.
        zone: IANA name of the clock whose hours and days are meant.
    """
    first = datetime.fromtimestamp(since, tz(zone)).date()
    days = [first + timedelta(days=n) for n in range(_DAYS[span] + 1)]
    edges = [parse_instant(day.isoformat(), zone) for day in days]
    changed = tuple(changes(zone, edges[0] - 1, edges[-1] - 1))
    whole = [
        Cell(begin=begin, end=end, day=day, hour=None)
        for day, (begin, end) in zip(days, pairwise(edges), strict=False)
    ]
    empty = whole
    if span is Span.WEEK:
        empty = [hour for day in whole for hour in _hours(day, zone, changed)]
    edges = [*(cell.begin for cell in empty), edges[-1]]
    alike = _alike(schedules, since - 1)
    counts, gone = (_counts(alike, edges, which) for which in (timetable, left_out))
    cells = [
        replace(cell, slots=count, left_out=out)
        for cell, count, out in zip(empty, counts, gone, strict=True)
    ]
    off = tuple(_days_off(alike, edges[-1] - 1, zone)) if any(gone) else ()
    return Heat(span=span, zone=zone, cells=tuple(cells), changes=changed, days_off=off)


def _hours(whole: Cell, zone: str, changed: Sequence[Change]) -> Iterator[Cell]:
    """Yield the hours of a day; a change of the clock ends an hour wherever it comes."""
    begin = whole.begin
    while begin < whole.end:
        local = datetime.fromtimestamp(begin, tz(zone))
        full = begin + _HOUR - local.minute * 60 - local.second
        end = min([full, whole.end, *(change.at for change in changed if change.at > begin)])
        yield Cell(begin=begin, end=end, day=whole.day, hour=local.hour)
        begin = end


def _alike(schedules: Iterable[Schedule], after: int) -> Alike:
    """Return what schedules share, and how many do: the timing, and after when slots fall due."""
    alike: Alike = Counter()
    for schedule in schedules:
        if schedule.enabled:
            pause = schedule.paused_until
            alike[schedule.timing, max(after, after if pause is None else pause - 1)] += 1
    return alike


def _counts(
    alike: Alike, edges: Sequence[int], which: Callable[[Timing], Timetable | None]
) -> list[int]:
    """Return the slots between each two edges that a part of each timing names, all together."""
    counts = [0] * (len(edges) - 1)
    for (timing, since), times in alike.items():
        if (table := which(timing)) is not None:
            for index, count in _counted(table, edges, since):
                counts[index] += count * times
    return counts


def _counted(table: Timetable, edges: Sequence[int], after: int) -> Iterator[tuple[int, int]]:
    """Yield index and number of slots of what has some: slot by slot if they are few, else not."""
    cells = len(edges) - 1
    after = max(after, edges[0] - 1)
    if table.count(after, edges[-1] - 1) <= cells:
        for slot in slots(table, after, edges[-1] - 1):
            yield bisect_right(edges, slot) - 1, 1
        return
    for index in range(cells):
        low, high = max(after, edges[index] - 1), edges[index + 1] - 1
        if low < high:
            yield index, table.count(low, high)


def _days_off(alike: Alike, until: int, zone: str) -> Iterator[DayOff]:
    """Yield the days on which slots are left out, in their order, and for each holiday apart."""
    found: Counter[tuple[date, str]] = Counter()
    for (timing, since), times in alike.items():
        for hole in left_out_days(timing, since, until):
            day = datetime.fromtimestamp(hole.first, tz(zone)).date()
            found[day, hole.holiday] += hole.count * times
    for (day, holiday), count in sorted(found.items()):
        yield DayOff(day=day, holiday=holiday, slots=count)
