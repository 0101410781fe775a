"""Listing: schedules with what comes next and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING

from flytesched.core.timetables.parse import slots
from flytesched.service.selection import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule

#: No slot lies after this epoch second, the end of the year 9999.
_EVER = 253_402_300_800
#: Which states come after which where schedules are sorted by what is next.
_STATES = ("enabled", "paused", "ended", "disabled")


class Order(StrEnum):
    """What a list is sorted by."""

    #: The next slot; those that have none, or not yet, come last.
    NEXT = "next"
    #: The name.
    NAME = "name"
    #: The last verdict, the newest first; those that have none come last.
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One schedule as it stands."""

    #: Its definition.
    schedule: Schedule
    #: ``enabled``, ``disabled``, ``paused``, or ``ended``: enabled with no slot to come.
    state: str
    #: Epoch second of the next slot that will fall due.
    next: int | None
    #: The newest run with a verdict.
    last: Run | None
    #: Runs without a verdict.
    active: tuple[Run, ...]
    #: Missed slots that wait for a catch-up.
    missed: int


def listed(site: Site, words: Sequence[str] = (), labels: Sequence[str] = ()) -> list[Listed]:
    """Return schedules as they stand now, in the order of the manifest, or of ``words``.

    Raises:
        InvalidManifest: the manifest cannot be read.
        NotFound: a word means no schedule.
        RunLogError: the run log cannot be read.
    """
    chosen = select(site.manifest().schedules, words, labels)
    now = site.now()
    reader = site.reader()
    if reader is None:
        return [_listed(schedule, now, None, (), 0) for schedule in chosen.values()]
    with reader:
        last, missed = reader.last_runs(list(chosen)), reader.open_missed(list(chosen))
        active: dict[str, list[Run]] = {}
        for run in reader.active():
            active.setdefault(run.schedule, []).append(run)
    return [
        _listed(schedule, now, last.get(name), active.get(name, ()), missed.get(name, 0))
        for name, schedule in chosen.items()
    ]


def ordered(found: Iterable[Listed], by: Order) -> list[Listed]:
    """Return schedules sorted; what is equal goes by name."""
    keys = {Order.NEXT: _by_next, Order.NAME: _by_name, Order.LAST: _by_last}
    return sorted(found, key=keys[by])


def _by_name(each: Listed) -> tuple[float, float, str]:
    return 0, 0, each.schedule.name


def _by_next(each: Listed) -> tuple[float, float, str]:
    following = _EVER if each.next is None else each.next
    return _STATES.index(each.state), following, each.schedule.name


def _by_last(each: Listed) -> tuple[float, float, str]:
    ended = 0.0 if each.last is None else each.last.ended or 0.0
    return 0, -ended, each.schedule.name


def soonest(schedules: Iterable[Schedule], after: float, most: int) -> list[tuple[int, str]]:
    """Return what is next: the schedules with the earliest slots to come, each with that slot."""
    slots = ((next(coming(each, after), None), each.name) for each in schedules)
    return nsmallest(most, ((slot, name) for slot, name in slots if slot is not None))


def coming(schedule: Schedule, after: float, until: float = _EVER) -> Iterator[int]:
    """Yield the slots in ``(after, until]`` that will fall due as the definition stands now."""
    if not schedule.enabled:
        return
    if schedule.paused_until is not None:
        after = max(after, schedule.paused_until - 1)
    yield from slots(schedule.timetable, int(after), int(until))


def first(schedule: Schedule, after: float, most: int) -> list[int]:
    """Return the first slots that will fall due, ``most`` of them or fewer."""
    return [*islice(coming(schedule, after), most)]


def _listed(
    schedule: Schedule, now: float, last: Run | None, active: Sequence[Run], missed: int
) -> Listed:
    following = next(coming(schedule, now), None)
    return Listed(
        schedule=schedule, state=_state(schedule, now, following), next=following, last=last,
        active=tuple(active), missed=missed,
    )  # fmt: skip


def _state(schedule: Schedule, now: float, following: int | None) -> str:
    if not schedule.enabled:
        return "disabled"
    if not schedule.due_at(now):
        return "paused"
    return "enabled" if following is not None else "ended"
