"""Days off: what calendars leave out of the slots to come, counted by the day and hardly walked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flytesched.core.instants import parse_instant
from flytesched.core.timetables.on_holiday import left_out, why_left_out
from flytesched.core.timetables.parse import slots
from flytesched.core.timetables.zones import tz

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flytesched.core.schedule import Schedule
    from flytesched.core.timetables.timing import Timetable, Timing

#: Why slots do not move, behind the holiday, whose name may have anything in it.
_STAYS = re.compile(r"; (\d{4}-\d\d-\d\d has slots already|every day within \d+ days is off)$")
#: So many slots that are left out in a row, for one reason, are told one by one.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Slots of a timing that are left out for one reason, with none that runs among them."""

    #: The first one and the last one, in epoch seconds.
    first: int
    last: int
    #: How many there are.
    count: int
    #: The holiday, and why they do not move to another day.
    why: str

    @property
    def holiday(self) -> str:
        """The holiday alone."""
        return _STAYS.sub("", self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Hole):
    """Such slots of a schedule."""

    #: The schedule.
    schedule: Schedule


def left_out_slots(schedule: Schedule, after: float, until: int) -> Iterator[LeftOut]:
    """Yield what calendars leave out in ``(after, until]``, of what would fall due without them.

    A few slots in a row are yielded one by one, more of them as one.
    """
    table = left_out(schedule.timing)
    if table is None or not schedule.enabled:
        return
    if schedule.paused_until is not None:
        after = max(after, schedule.paused_until - 1)
    for hole in _joined(left_out_days(schedule.timing, int(after), until), schedule.timetable):
        few = hole.count <= _FEW
        firsts = slots(table, hole.first - 1, hole.last) if few else (hole.first,)
        for first in firsts:
            yield LeftOut(
                schedule=schedule, first=first, last=first if few else hole.last,
                count=1 if few else hole.count, why=hole.why,
            )  # fmt: skip


def left_out_days(timing: Timing, after: int, until: int) -> Iterator[Hole]:
    """Yield what calendars leave out in ``(after, until]``, day by day on the timing's clock."""
    if (table := left_out(timing)) is None:
        return
    while (slot := _next(table, after, until)) is not None:
        after = min(_day_end(timing, table.kickoff(slot)) + timing.offset, until)
        yield Hole(
            first=slot, last=table.previous(after + 1) or slot,
            count=table.count(slot - 1, after), why=why_left_out(timing, slot) or "",
        )  # fmt: skip


def _next(table: Timetable, after: int, until: int) -> int | None:
    """Return the first slot in ``(after, until]``.

    They are counted first: where there is none, the next one may be centuries away.
    """
    return table.next(after) if table.count(after, until) else None


def _joined(days: Iterable[Hole], runs: Timetable) -> Iterator[Hole]:
    """Yield days that follow each other for one reason as one, if no slot between them runs."""
    held: Hole | None = None
    for day in days:
        if held is not None and held.why == day.why and not runs.count(held.last, day.first):
            held = replace(held, last=day.last, count=held.count + day.count)
            continue
        if held is not None:
            yield held
        held = day
    if held is not None:
        yield held


def calendars_of(timing: Timing) -> tuple[str, ...]:
    """Return the names of the calendars whose days are off for a timing."""
    return tuple(calendar["name"] for calendar in timing.off.get("calendars", ()))


def on_holiday_of(timing: Timing) -> str | None:
    """Return what a slot does on a day off: ``skip``, ``next``, ``previous``; None without any."""
    found: str | None = timing.off.get("on_holiday")
    return found


def zone_of(timing: Timing) -> str:
    """Return the zone whose dates are off for a timing, which elapsed time has as well."""
    found: str = timing.off.get("zone", "UTC")
    return found


def _day_end(timing: Timing, kickoff: int) -> int:
    """Return the last second of a kickoff time's day, on the clock whose dates are meant."""
    zone = zone_of(timing)
    day = datetime.fromtimestamp(kickoff, tz(zone)).date() + timedelta(days=1)
    return parse_instant(day.isoformat(), zone) - 1
