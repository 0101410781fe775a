"""Tally: whether every slot of a schedule has been decided, by arithmetic of its own.

One count holds at every commit: slots due up to the cursor = runs with a slot + missed slots of
gaps without a run. What was due before a definition came into force is not known any more (it may
have been paused, or had other times), so the count begins with the definition in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.core.runs import Reason
from flytesched.core.sight import recalled
from flytesched.core.timetables.on_holiday import left_out, left_out_timing, why_left_out
from flytesched.core.timetables.parse import Timing, slots, timetable
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flytesched.core.runs import Gap, ScheduleState
    from flytesched.core.timetables.parse import Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The slots of a schedule that must all have been decided: those in ``(after, until]``."""

    #: What names them.
    timing: Timing
    #: Epoch second it begins after.
    after: int
    #: Epoch second of the last slot decided.
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Slots of a stretch that are decided in one way, and the gaps that decide them."""

    #: Names the slots.
    table: Timetable
    #: Gaps of such slots, in the order of ``after``.
    gaps: Sequence[Gap]
    #: Tells whether a run is of this part; one at a time that is no slot is of the first.
    has: Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Slots and runs of a stretch that do not belong together."""

    #: The first slot that has neither a run nor a gap.
    lost: int | None = None
    #: The first run at a time that is no slot.
    strange: int | None = None


def stretch(
    state: ScheduleState, *, decided: int, forgotten: float = 0.0, ahead: int = 0
) -> Stretch | str:
    """Return the slots of a schedule that must all have been decided, or why nobody can tell.

    Args:
        state: what is remembered of the schedule.
        decided: epoch second of the last decision of any schedule. The cursor may be later, after
            the clock was set back; what lies between is decided as it comes due.
        forgotten: moment up to which verdicts may have been pruned.
        ahead: last slot that was decided while the clock was ahead of the definition in force.
    """
    if state.removed_at is not None:
        return "removed"
    if not state.enabled:
        return "not enabled"
    schedule = recalled(state)
    if schedule is None:
        return "its definition cannot be read"
    try:
        timing = Timing.from_text(state.timing)
        timetable(timing)
    except InvalidTimetable as error:
        return error.message
    resumed = schedule.paused_until - 1 if schedule.paused_until is not None else 0
    after = max(int(state.seen_at), resumed, int(forgotten), ahead)
    until = min(state.cursor, decided)
    return Stretch(timing=timing, after=min(after, until), until=until)


def is_of(gap: Gap, text: str) -> bool:
    """Tell whether a gap is of a timing, given by its text: of what runs or of what is left out."""
    if gap.timing == text:
        return True
    if gap.closed_as != Reason.HOLIDAY.value:
        return False
    try:
        return left_out_timing(Timing.from_text(text)).text == gap.timing
    except InvalidTimetable:
        return False


def parts(stretch: Stretch, gaps: Iterable[Gap]) -> Iterator[Part]:
    """Yield the slots of a stretch that run, and those that calendars leave out.

    A slot that runs is not decided by a gap of those left out around it, nor the other way round.

    Args:
        stretch: the stretch.
        gaps: of its schedule, in the order of ``after``.
    """
    gaps, timing = [*gaps], stretch.timing
    table, rest = timetable(timing), left_out(timing)
    if rest is None:
        yield Part(table=table, gaps=gaps, has=lambda _slot: True)
        return
    holidays = [gap for gap in gaps if gap.closed_as == Reason.HOLIDAY.value]
    others = [gap for gap in gaps if gap.closed_as != Reason.HOLIDAY.value]
    yield Part(table=table, gaps=others, has=lambda slot: why_left_out(timing, slot) is None)
    yield Part(table=rest, gaps=holidays, has=lambda slot: why_left_out(timing, slot) is not None)


def beside(stretch: Stretch, gaps: Iterable[Gap]) -> Iterator[tuple[int, int]]:
    """Yield the parts ``(after, until]`` of a stretch that lie in no gap, ascending.

    Args:
        stretch: the stretch.
        gaps: of its schedule, in the order of ``after``.
    """
    after = stretch.after
    for gap in gaps:
        if after < min(gap.after, stretch.until):
            yield after, min(gap.after, stretch.until)
        after = max(after, gap.until)
    if after < stretch.until:
        yield after, stretch.until


def compare(table: Timetable, after: int, until: int, planned: Iterator[int]) -> Mismatch:
    """Hold slots against runs, one by one, up to the first slot that is lost.

    Args:
        table: names the slots.
        after: epoch second it begins after.
        until: epoch second it ends with.
        planned: slots in that part that have a run, ascending.
    """
    strange: int | None = None
    run = next(planned, None)
    for slot in slots(table, after, until):
        while run is not None and run < slot:
            strange = run if strange is None else strange
            run = next(planned, None)
        if run != slot:
            return Mismatch(lost=slot, strange=strange)
        run = next(planned, None)
    return Mismatch(strange=run if strange is None else strange)


def may_move(timing: Timing) -> bool:
    """Tell whether the same text may name other slots one day.

    Rules of time zones are changed, and so are public holidays; both come with the machine.
    """
    if timing.timezone not in {None, "UTC"}:
        return True
    if not (said := timing.off):
        return False
    return said["zone"] != "UTC" or any("country" in each for each in said["calendars"])


def miscounted(gap: Gap) -> int | None:
    """Return how many slots a gap has if that is not what it says.

    Raises:
        InvalidTimetable: nobody can read its timetable.
    """
    count = timetable(Timing.from_text(gap.timing)).count(gap.after, gap.until)
    return None if count == gap.count else count
