"""Timeline: the coming slots of many schedules in one row, and what is special about each."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import RunLogError
from flytesched.service.days_off import left_out_slots
from flytesched.service.listing import coming
from flytesched.service.marks import Habit, Marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.service.days_off import LeftOut
    from flytesched.service.marks import Note

#: Runs of a schedule whose durations tell the usual one.
_RECENT = 20
#: Stretches of slots left out that are told at the most, where fewer slots are asked for.
_LEFT_OUT = 20
#: How far ahead they are told where fewer slots come than are asked for, in seconds.
_AHEAD = 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One slot of the row."""

    #: Its schedule.
    schedule: Schedule
    #: When, in epoch seconds.
    at: int
    #: What is special about it.
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The coming slots of many schedules in one row."""

    #: The slots, in their order.
    slots: tuple[Upcoming, ...]
    #: What calendars leave out among them, in its order.
    left_out: tuple[LeftOut, ...] = ()
    #: Whether more is left out than is told here.
    more: bool = False
    #: Why overlaps are not marked, if they are not.
    doubt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A schedule of which no slot falls due now."""

    #: The schedule.
    schedule: Schedule
    #: ``disabled``, ``paused``, or ``ended``.
    state: str


def timeline(
    site: Site,
    schedules: Mapping[str, Schedule],
    *,
    after: float,
    until: int | None,
    most: int,
    zone: str,
) -> Timeline:
    """Return the slots in ``(after, until)`` that will run, ``most`` at most.

    With those that are left out up to the last of them, which are not counted.

    Args:
        site: whose run log tells how long runs usually take; it need not be of any use.
        schedules: the schedules by name.
        after: epoch seconds.
        until: epoch seconds; None for ever.
        most: slots at most.
        zone: IANA name of the clock that they are shown on.
    """
    walks = [_walk(schedule, after, until) for schedule in schedules.values()]
    row = _first(merge(*walks), most)
    doubt, habits = None, {}
    try:
        habits = _habits(site, dict.fromkeys(name for _, name, _ in row))
    except RunLogError as error:
        doubt = error.message
    marker = Marker(schedules=schedules, habits=habits, now=site.now(), zone=zone)
    found = [
        Upcoming(schedule=schedules[name], at=at, notes=tuple(marker.notes(at, name, names)))
        for at, name, names in row
    ]
    end = row[-1][0] if len(row) == most else _end(after, until)
    holes = _holes(schedules.values(), after, end, max(most, _LEFT_OUT) + 1)
    told = holes[: max(most, _LEFT_OUT)]
    return Timeline(
        slots=tuple(found), left_out=tuple(told), more=len(told) < len(holes), doubt=doubt
    )


def absent(schedules: Iterable[Schedule], now: float) -> list[Absent]:
    """Return the schedules of which no slot falls due now, each with its state."""
    states = ((schedule, _state(schedule, now)) for schedule in schedules)
    return [Absent(schedule=each, state=state) for each, state in states if state is not None]


def _state(schedule: Schedule, now: float) -> str | None:
    if not schedule.enabled:
        return "disabled"
    if not schedule.due_at(now):
        return "paused"
    return "ended" if schedule.timetable.next(int(now)) is None else None


# -- the row --------------------------------------------------------------------------------------


def _walk(schedule: Schedule, after: float, until: int | None) -> Iterator[tuple[int, str]]:
    walk = coming(schedule, after) if until is None else coming(schedule, after, until - 1)
    return ((slot, schedule.name) for slot in walk)


def _first(slots: Iterable[tuple[int, str]], most: int) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return the first slots, each with all schedules that have one at that second."""
    row: list[tuple[int, str, tuple[str, ...]]] = []
    for at, several in groupby(slots, itemgetter(0)):
        names = tuple(name for _, name in several)  # one for all of them: they may be thousands
        row += [(at, name, names) for name in names[: most - len(row)]]
        if len(row) >= most:
            break
    return row


def _end(after: float, until: int | None) -> int:
    """Return the last second whose slots are told where fewer come than are asked for."""
    return min(int(after) + _AHEAD, HORIZON - 1) if until is None else until - 1


def _holes(schedules: Iterable[Schedule], after: float, until: int, most: int) -> list[LeftOut]:
    """Return the first stretches of slots that are left out in ``(after, until]``."""
    walks = (left_out_slots(schedule, after, until) for schedule in schedules)
    return [*islice(merge(*walks, key=attrgetter("first")), most)]


def _habits(site: Site, names: Iterable[str]) -> dict[str, Habit]:
    """Return the habits of the schedules that have some; the usual is the median.

    Raises:
        RunLogError: the run log cannot be read.
    """
    from flytesched.core.statistics import spread
    from flytesched.runlog.census import open_census

    census = open_census(site.runs_db)
    if census is None:
        return {}
    with census:
        active = {run.schedule: run.started or run.created for run in census.active()}
        spreads = {name: spread(census.recent(name, _RECENT).durations) for name in names}
    return {
        name: Habit(each.p50, active.get(name))
        for name, each in spreads.items()
        if each is not None
    }
