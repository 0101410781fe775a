"""Slots on holidays: which are left out and why, and which have been moved.

A timing with days off names two sets of slots that have nothing in common: those that run, moved
ones among them, and those that are left out. Each slot of either has one id and gets one verdict.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched.core.timetables.tables import parts_of, timetable

if TYPE_CHECKING:
    from flytesched.core.timetables.timing import Timetable, Timing


def every_slot(timing: Timing) -> Timetable:
    """Return the timetable of all slots that get a verdict: those that run and those left out."""
    return timetable(timing if timing.days_off is None else replace(timing, part="all"))


def left_out_timing(timing: Timing) -> Timing:
    """Return the timing of the slots that are left out."""
    return replace(timing, part="left_out")


def left_out(timing: Timing) -> Timetable | None:
    """Return the timetable of the slots that are left out; None if no calendar is named."""
    return None if timing.days_off is None else timetable(left_out_timing(timing))


def why_left_out(timing: Timing, slot: int) -> str | None:
    """Return why a slot is left out: its holiday, and why it does not move; None if it is not."""
    parts, table = parts_of(timing), left_out(timing)
    if parts is None or table is None:
        return None
    # The day is looked at first: where no holiday is to come, the next one is looked for in vain.
    why = parts.why(slot - timing.offset)
    return why if why is not None and _has(table, slot) else None


def moved_from(timing: Timing, slot: int) -> tuple[int, str] | None:
    """Return the instant from which a slot has been moved, and what holiday is there.

    None for a slot that lies where its timetable names it.
    """
    parts = parts_of(timing)
    if parts is None or not _has(timetable(replace(timing, part="runs")), slot):
        return None
    return parts.source(slot - timing.offset)


def _has(table: Timetable, slot: int) -> bool:
    return table.next(slot - 1) == slot
