"""A timetable between `start` and `end`, each slot a constant offset after its kickoff time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.timetables.zones import EARLIEST, HORIZON

if TYPE_CHECKING:
    from flytesched.core.timetables.timing import Timetable


def never(base: Timetable) -> Bounded:
    """Return a timetable without a slot."""
    return Bounded(base, start=HORIZON, end=EARLIEST, offset=0)


class Bounded:
    """The slots of another timetable, moved by an offset and cut to a stretch of time."""

    __slots__ = ("_base", "_end", "_offset", "_start")

    def __init__(self, base: Timetable, *, start: int | None, end: int | None, offset: int) -> None:
        """Take bounds in epoch seconds (slots from `start`, before `end`), `offset` in seconds."""
        self._base = base
        self._start = EARLIEST if start is None else start
        self._end = HORIZON if end is None else end
        self._offset = offset

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`."""
        kickoff = self._base.next(max(t, self._start - 1) - self._offset)
        if kickoff is None or kickoff + self._offset >= self._end:
            return None
        return kickoff + self._offset

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`."""
        kickoff = self._base.previous(min(t, self._end) - self._offset)
        if kickoff is None or kickoff + self._offset < self._start:
            return None
        return kickoff + self._offset

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until]."""
        after, until = max(after, self._start - 1), min(until, self._end - 1)
        return self._base.count(after - self._offset, until - self._offset)

    def kickoff(self, slot: int) -> int:
        """Return the slot less the offset, or what it has been moved from."""
        return self._base.kickoff(slot - self._offset)
