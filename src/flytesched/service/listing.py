"""Listing: schedules with what comes next and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from flytesched.core.timetables.parse import slots
from flytesched.service.selection import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule

#: No slot lies after this epoch second, the end of the year 9999.
_EVER = 253_402_300_800


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
