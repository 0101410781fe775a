"""Agenda: which timetables name a slot next. One entry per distinct timetable, not per schedule.

Schedules with the same timing and the same next slot form one group, so a burst of ten thousand
schedules that share a timetable costs one step of the timetable.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING

from flytesched.core.timetables.on_holiday import every_slot, why_left_out
from flytesched.core.timetables.parse import slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.timetables.parse import Timetable, Timing

#: For ``divide``: every slot that has come is too late.
ALL_LATE = -1.0
#: Outdated entries of the heap are swept out when they outnumber the schedules by this.
_SLACK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What has come due of one timetable, for the schedules that have it."""

    #: The timetable.
    timing: Timing
    #: Schedules it is due for.
    names: tuple[str, ...]
    #: Epoch second after which nothing was decided yet.
    after: int
    #: Slots decided in time, ascending: those that run, and those that calendars leave out.
    live: tuple[int, ...]
    #: Last slot that is too late to be live; None if there is none.
    missed_until: int | None = None
    #: How many slots are too late.
    missed: int = 0


def divide(timing: Timing, names: tuple[str, ...], after: int, now: float, late: float) -> Due:
    """Part the slots in ``(after, now]`` into live ones and those over ``late`` seconds old."""
    table = every_slot(timing)
    edge = max(after, min(int(now), last_before(now - late)))
    missed = table.count(after, edge)
    return Due(
        timing=timing,
        names=names,
        after=after,
        live=tuple(slots(table, edge, int(now))),
        missed_until=table.previous(edge + 1) if missed else None,
        missed=missed,
    )


def last_before(moment: float) -> int:
    """Return the last whole second before a moment: a slot of just that age is not too old."""
    return math.ceil(moment) - 1


@dataclass(slots=True, eq=False)
class _Group:
    timing: Timing
    table: Timetable
    #: Nothing later than this second was decided.
    position: int
    #: First slot after ``position``; None when the timetable has ended.
    next: int | None
    #: Names of the schedules, in the order they came.
    names: dict[str, None] = field(default_factory=dict)


class Agenda:
    """The coming slots of a set of schedules."""

    def __init__(self) -> None:
        """Begin with no schedule."""
        #: Groups by timetable and next slot, but for those that are taken.
        self._groups: dict[tuple[Timing, int | None], _Group] = {}
        self._of: dict[str, _Group] = {}
        self._heap: list[tuple[int, int, _Group]] = []
        #: Groups whose slots ``due`` returned, until ``advance``.
        self._taken: list[_Group] = []
        self._serial = count()

    def put(self, name: str, timing: Timing, after: int) -> None:
        """Watch ``name``: its slots later than epoch second ``after`` are undecided."""
        self.discard(name)
        table = every_slot(timing)
        self._of[name] = self._join(_Group(timing, table, after, table.next(after), {name: None}))

    def discard(self, name: str) -> None:
        """Watch ``name`` no longer."""
        if (group := self._of.pop(name, None)) is not None:
            del group.names[name]
            if not group.names:
                self._leave(group)

    def __contains__(self, name: str) -> bool:
        """Tell whether ``name`` is watched."""
        return name in self._of

    def next_at(self) -> int | None:
        """Return the earliest coming slot; a due one until it is decided."""
        moments = [group.next for group in self._taken if group.names]
        return min((at for at in (*moments, self._peek()) if at is not None), default=None)

    def coming(self) -> tuple[int, int] | None:
        """Return the earliest coming slot and how many schedules it is for; None without one.

        What is taken is due already and does not count.
        """
        if (at := self._peek()) is None:
            return None
        return at, sum(len(group.names) for group in self._at(at))

    def ahead(self) -> list[Due]:
        """Return the earliest coming slot of each schedule that runs then, before it is due.

        It comes due as ever, but for those that ``settle`` is told of. What calendars leave out
        has nothing to start on time, and is decided when it is due.
        """
        if (at := self._peek()) is None:
            return []
        return [
            Due(timing=group.timing, names=tuple(group.names), after=group.position, live=(at,))
            for group in self._at(at)
            if why_left_out(group.timing, at) is None
        ]

    def settle(self, due: Due) -> None:
        """Note that a slot of ``ahead`` is decided for those schedules that ``due`` names."""
        (at,) = due.live
        group = self._groups[due.timing, at]
        if len(due.names) == len(group.names):
            self._leave(group)
            self._move(group, at)
            return
        for name in due.names:
            del group.names[name]
        names = dict.fromkeys(due.names)
        there = self._join(_Group(due.timing, group.table, at, group.table.next(at), names))
        self._of.update(dict.fromkeys(due.names, there))

    def due(self, now: float, late: float) -> list[Due]:
        """Return what is due at ``now``; it stays due until ``advance``."""
        self._give_up()
        while (at := self._peek()) is not None and at <= now:
            group = heapq.heappop(self._heap)[2]
            self._leave(group)
            self._taken.append(group)
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
        """Begin again at ``now`` what is ahead of it: the clock was set back.

        Slots come due a second time then; unique keys stop a second start. What was not decided
        yet stays undecided.
        """
        self._give_up()
        groups = tuple(self._groups.values())
        self._groups, self._heap = {}, []
        for group in groups:
            self._move(group, min(group.position, int(now)))

    def latest(self) -> int:
        """Return the latest second up to which any timetable is decided."""
        groups = chain(self._groups.values(), self._taken)
        return max((group.position for group in groups), default=0)

    def _give_up(self) -> None:
        """Let what was taken, and not decided, come due again."""
        taken, self._taken = self._taken, []
        for group in taken:
            self._move(group, group.position)

    def _move(self, group: _Group, position: int) -> None:
        """Put a group that stands nowhere where ``position`` wants it."""
        if not group.names:
            return
        group.position = position
        group.next = group.table.next(position)
        there = self._join(group)
        if there is not group:
            self._of.update(dict.fromkeys(group.names, there))

    def _join(self, group: _Group) -> _Group:
        """Return the group that stands for this one: one with the same next slot, or itself."""
        there = self._groups.setdefault((group.timing, group.next), group)
        if there is group:
            self._push(group)
            return group
        there.names.update(group.names)
        # No slot lies between the two; the later position keeps gaps as short as they can be.
        there.position = max(there.position, group.position)
        return there

    def _leave(self, group: _Group) -> None:
        """Let nobody join a group any more; one that is taken stands nowhere as it is."""
        key = group.timing, group.next
        if self._groups.get(key) is group:
            del self._groups[key]

    def _peek(self) -> int | None:
        while self._heap and not self._stands(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _at(self, at: int) -> Iterator[_Group]:
        """Yield the groups whose slot ``at`` is, the earliest there is.

        They are the top of the heap: what stands below a later slot is later.
        """
        places = [0]
        while places:
            place = places.pop()
            if place < len(self._heap) and self._heap[place][0] == at:
                places += (2 * place + 1, 2 * place + 2)
                if self._stands(self._heap[place]):
                    yield self._heap[place][2]

    def _stands(self, entry: tuple[int, int, _Group]) -> bool:
        """Tell whether a heap entry still says what its group says."""
        at, _, group = entry
        return bool(group.names) and group.next == at

    def _push(self, group: _Group) -> None:
        if group.next is None:
            return
        heapq.heappush(self._heap, (group.next, next(self._serial), group))
        if len(self._heap) > 2 * len(self._of) + _SLACK:
            self._heap = [entry for entry in self._heap if self._stands(entry)]
            heapq.heapify(self._heap)
