"""Agenda: which timetables name a slot next. One entry per distinct timetable, not per schedule.

Schedules with the same timing and the same next slot form one group, so a burst of ten thousand
schedules that share a timetable costs one step of the timetable.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.timetables.parse import slots, timetable

if TYPE_CHECKING:
    from flytesched.core.timetables.parse import Timetable, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What has come due of one timetable, for the schedules that have it."""

    #: The timetable.
    timing: Timing
    #: Schedules it is due for.
    names: tuple[str, ...]
    #: Epoch second after which nothing was decided yet.
    after: int
    #: Slots decided in time, ascending.
    live: tuple[int, ...]
    #: Last slot that is too late to be live; None if there is none.
    missed_until: int | None = None
    #: How many slots are too late.
    missed: int = 0


def divide(timing: Timing, names: tuple[str, ...], after: int, now: float, late: float) -> Due:
    """Part the slots in ``(after, now]`` into live ones and those over ``late`` seconds old."""
    table = timetable(timing)
    # A slot is late when now - slot > late; slots are whole seconds.
    edge = max(after, _last_late(now, late))
    missed = table.count(after, edge) if edge > after else 0
    return Due(
        timing=timing,
        names=names,
        after=after,
        live=tuple(slots(table, edge, int(now))),
        missed_until=table.previous(edge + 1) if missed else None,
        missed=missed,
    )


def _last_late(now: float, late: float) -> int:
    """Return the last whole second that is more than ``late`` seconds before ``now``."""
    edge = now - late
    whole = int(edge)
    return whole - 1 if whole == edge else whole


@dataclass(slots=True)
class _Group:
    timing: Timing
    table: Timetable
    #: Nothing later than this second was decided.
    position: int
    #: First slot after ``position``; None when the timetable has ended.
    next: int | None
    names: dict[str, None] = field(default_factory=dict)


class Agenda:
    """The coming slots of a set of schedules."""

    def __init__(self) -> None:
        """Begin with no schedule."""
        self._groups: dict[Timing, list[_Group]] = {}
        self._of: dict[str, _Group] = {}
        self._heap: list[tuple[int, int, _Group]] = []
        self._taken: list[_Group] = []
        self._serial = count()

    def put(self, name: str, timing: Timing, after: int) -> None:
        """Watch ``name``: its slots later than epoch second ``after`` are undecided."""
        self.discard(name)
        coming = timetable(timing).next(after)
        groups = self._groups.setdefault(timing, [])
        group = next((g for g in groups if g.next == coming), None)
        if group is None:
            group = _Group(timing, timetable(timing), after, coming)
            groups.append(group)
            self._push(group)
        group.names[name] = None
        self._of[name] = group

    def discard(self, name: str) -> None:
        """Watch ``name`` no longer."""
        if (group := self._of.pop(name, None)) is not None:
            del group.names[name]
            if not group.names:
                self._drop(group)

    def __contains__(self, name: str) -> bool:
        """Tell whether ``name`` is watched."""
        return name in self._of

    def next_at(self) -> int | None:
        """Return the earliest coming slot."""
        if self._taken:
            return min(group.next for group in self._taken if group.next is not None)
        return self._peek()

    def due(self, now: float, late: float) -> list[Due]:
        """Return what is due at ``now``; it stays due until ``advance``."""
        while (at := self._peek()) is not None and at <= now:
            self._taken.append(heapq.heappop(self._heap)[2])
        self._taken = [group for group in self._taken if group.names]
        return [
            divide(group.timing, tuple(group.names), group.position, now, late)
            for group in self._taken
        ]

    def advance(self, now: float) -> None:
        """Note that everything that ``due`` returned for ``now`` is decided."""
        taken, self._taken = self._taken, []
        for group in taken:
            self._move(group, int(now))

    def rewind(self, now: float) -> None:
        """Begin again at ``now``: the clock was set back. Unique keys stop second starts."""
        groups = [group for some in self._groups.values() for group in some]
        self._groups, self._heap, self._taken = {}, [], []
        for group in groups:
            self._groups.setdefault(group.timing, []).append(group)
            group.position = int(now)
            group.next = group.table.next(group.position)
            self._push(group)

    def latest(self) -> int:
        """Return the latest second up to which any timetable is decided."""
        return max((g.position for some in self._groups.values() for g in some), default=0)

    def _peek(self) -> int | None:
        while self._heap and not self._stands(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    @staticmethod
    def _stands(entry: tuple[int, int, _Group]) -> bool:
        """Tell whether a heap entry still says what its group says."""
        at, _, group = entry
        return bool(group.names) and group.next == at

    def _push(self, group: _Group) -> None:
        if group.next is not None:
            heapq.heappush(self._heap, (group.next, next(self._serial), group))

    def _drop(self, group: _Group) -> None:
        groups = self._groups[group.timing]
        groups.remove(group)
        if not groups:
            del self._groups[group.timing]

    def _move(self, group: _Group, position: int) -> None:
        """Take a group past ``position``, into a group that is there already if there is one."""
        if not group.names:
            return
        group.position = position
        group.next = group.table.next(position)
        twin = next(
            (
                g
                for g in self._groups[group.timing]
                if g is not group and g.next == group.next and g not in self._taken
            ),
            None,
        )
        if twin is None:
            self._push(group)
            return
        twin.names.update(group.names)
        for name in group.names:
            self._of[name] = twin
        self._drop(group)
        group.names = {}
