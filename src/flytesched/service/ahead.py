"""Ahead: the next slot of each schedule, asked for again when it has passed, and not before."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from flytesched.service.board import Coming
from flytesched.service.listing import coming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flytesched.core.schedule import Schedule

#: How many schedules the next slot is told of.
_COMING = 200


class Ahead:
    """The next slot of each of some schedules."""

    def __init__(self) -> None:
        """Know of none."""
        self._next: dict[str, int | None] = {}
        self._asked_at = 0.0

    def forget(self, names: Iterable[str] | None) -> None:
        """Ask these schedules anew; None: all of them."""
        if names is None:
            self._next.clear()
            return
        for name in names:
            self._next.pop(name, None)

    def first(
        self, schedules: Mapping[str, Schedule], now: float, shown: Callable[[str], bool]
    ) -> tuple[Coming, ...]:
        """Return the first slots to come of the schedules that are shown, one of each."""
        if now < self._asked_at:  # the clock was set back
            self._next.clear()
        self._asked_at = now
        slots = []
        for name, schedule in schedules.items():
            if shown(name):
                slot = self._next.get(name, 0)
                if slot is not None and slot <= now:
                    slot = self._next[name] = next(coming(schedule, now), None)
                if slot is not None:
                    slots.append((slot, name))
        return tuple(
            Coming(schedule=name, at=slot, paused_until=_pause(schedules[name], now))
            for slot, name in nsmallest(_COMING, slots)
        )


def _pause(schedule: Schedule, now: float) -> int | None:
    return None if schedule.due_at(now) else schedule.paused_until
