"""Gaps: which slots a stretch of missed slots names, and how it is divided.

A gap holds the slots that the timetable then in force names, and no others: once the timing has
changed, runs of another timetable may lie in the same stretch, and are none of its business.
A stretch in which calendars leave out slots is two gaps: of the slots that run, which may be caught
up, and of those left out, which have their verdict at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from flytesched.core.runs import Gap, Reason, on_holiday
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flytesched.core.timetables.parse import Timetable, Timing

#: How a gap is closed whose slots without a run got their verdict by that: ``skipped(why)``.
GIVEN_UP = frozenset({Reason.DECLINED.value, Reason.REMOVED.value, Reason.HOLIDAY.value})


def gaps_of(
    name: str, timing: Timing, after: int, until: int, *, now: float, reason: str
) -> tuple[Gap, ...]:
    """Return the gaps of a schedule's slots in ``(after, until]``; none if no slot lies there.

    Args:
        name: the schedule.
        timing: what names its slots.
        after: epoch second the stretch begins after.
        until: epoch second it ends with.
        now: the moment they are recorded.
        reason: why the slots were missed.
    """
    return tuple(
        Gap(
            schedule=name, after=after, until=last, count=count, reason=reason, timing=text,
            created=now, closed_at=now if left_out else None,
            closed_as=Reason.HOLIDAY.value if left_out else None,
        )
        for text, last, count, left_out in _parts(timing, after, until)
    )  # fmt: skip


@lru_cache(maxsize=64)
def _parts(timing: Timing, after: int, until: int) -> tuple[tuple[str, int, int, bool], ...]:
    """Return what runs of a stretch, and what is left out: text, last slot, count of each.

    Ten thousand schedules that share a timetable miss the same stretch.
    """
    from flytesched.core.timetables.on_holiday import left_out_timing
    from flytesched.core.timetables.parse import timetable

    parts = [(timing, False)]
    if timing.days_off is not None:
        parts.append((left_out_timing(timing), True))
    tables = [(part.text, timetable(part), left_out) for part, left_out in parts]
    return tuple(
        (text, table.previous(until + 1) or until, count, left_out)
        for text, table, left_out in tables
        if (count := table.count(after, until))
    )


def holds(gap: Gap, slot: int) -> bool:
    """Tell whether a slot is one of those that a gap counts.

    One that lies in a gap whose timetable nobody can read (its zone has left the machine) is
    taken to be: rather nothing is started than something that was given up.
    """
    if not gap.after < slot <= gap.until:
        return False
    try:
        return _timetable(gap.timing).next(slot - 1) == slot
    except InvalidTimetable:
        return True


def held(gap: Gap, slots: Sequence[int]) -> Sequence[int]:
    """Return those of some slots, ascending, that a gap holds."""
    inside = slots[bisect_right(slots, gap.after) : bisect_right(slots, gap.until)]
    if not inside:
        return inside
    try:
        following = _timetable(gap.timing).next
    except InvalidTimetable:
        return inside
    return [slot for slot in inside if following(slot - 1) == slot]


def given_up_for(gap: Gap, slot: int) -> str | None:
    """Return why a slot without a run was given up with its gap: the words behind ``skipped``."""
    if gap.closed_as != Reason.HOLIDAY.value:
        return gap.closed_as
    from flytesched.core.timetables.on_holiday import why_left_out

    try:
        why = why_left_out(_timing(gap.timing), slot)
    except InvalidTimetable:
        why = None
    return gap.closed_as if why is None else on_holiday(why)


class OpenSlots:
    """The slots of a gap that no run has taken, which may be thirty million.

    Ends that are taken, as a catch-up takes them one after the other, are passed over by counting.
    """

    def __init__(self, gap: Gap, ran: Sequence[int]) -> None:
        """Take the slots that have a run, ascending; those that the gap does not hold count not.

        Raises:
            InvalidTimetable: nobody can read its timetable.
        """
        self._gap, self._table = gap, _timetable(gap.timing)
        self._taken = held(gap, ran)

    def __len__(self) -> int:
        """Return how many there are."""
        return max(0, self._gap.count - len(self._taken))

    def __iter__(self) -> Iterator[int]:
        """Yield them, the oldest first."""
        taken, count, after = self._taken, self._table.count, self._gap.after
        # Before the first hole there are as many slots as runs.
        runs = bisect_left(
            taken, True, key=lambda run: count(after, run) > bisect_right(taken, run)
        )
        left = set(taken[runs:])
        slot = self._table.next(taken[runs - 1] if runs else after)
        while slot is not None and slot <= self._gap.until:
            if slot not in left:
                yield slot
            slot = self._table.next(slot)

    def __reversed__(self) -> Iterator[int]:
        """Yield them, the newest first."""
        taken, count, until = self._taken, self._table.count, self._gap.until
        total = len(taken)
        runs = bisect_left(
            taken, True, key=lambda run: count(run - 1, until) == total - bisect_left(taken, run)
        )
        left = set(taken[:runs])
        slot = self._table.previous(taken[runs] if runs < total else until + 1)
        while slot is not None and slot > self._gap.after:
            if slot not in left:
                yield slot
            slot = self._table.previous(slot)


def cut(
    gap: Gap, after: int | None, until: int | None
) -> tuple[Gap | None, Gap | None, Gap | None]:
    """Divide a gap into its parts before, in and behind ``(after, until]``; None for an empty one.

    None for a bound means the gap's own.

    Raises:
        InvalidTimetable: nobody can read its timetable, so that it can only be taken whole.
    """
    low = gap.after if after is None else min(max(after, gap.after), gap.until)
    high = gap.until if until is None else max(min(until, gap.until), low)
    if (low, high) == (gap.after, gap.until):
        return None, gap, None
    return _part(gap, gap.after, low), _part(gap, low, high), _part(gap, high, gap.until)


def _part(gap: Gap, after: int, until: int) -> Gap | None:
    """Return the part of a gap in ``(after, until]``; None if no slot lies there."""
    table = _timetable(gap.timing)
    last = table.previous(until + 1)
    if last is None or last <= after:
        return None
    return replace(gap, after=after, until=last, count=table.count(after, last), id=0)


@lru_cache(maxsize=64)
def _timetable(text: str) -> Timetable:
    """Return the timetable of a gap; a catch-up asks slot by slot."""
    from flytesched.core.timetables.parse import timetable  # only what is missed needs it

    return timetable(_timing(text))


@lru_cache(maxsize=64)
def _timing(text: str) -> Timing:
    """Return the timing of a gap; a history asks slot by slot."""
    from flytesched.core.timetables.parse import Timing

    return Timing.from_text(text)
