"""Seeing definitions: what a new, changed, enabled, disabled or removed schedule means.

Nothing fires by editing. A change counts from the moment a scheduler first sees it; slots that
the old definition still owed at that moment become a gap, which only a person can catch up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flytesched.core.gaps import gaps_of
from flytesched.core.planner import policed
from flytesched.core.runs import Gap, Reason, ScheduleState
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.parse import Timing, timetable
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping


#: Seconds that a slot may be claimed ahead of its time, rounded up. A cursor that far ahead of the
#: clock tells of such a claim; one that is farther tells of a clock that was set back.
_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What seeing one schedule leads to."""

    #: What to remember of it.
    state: ScheduleState
    #: Whether ``state`` differs from what is stored.
    changed: bool
    #: Epoch second after which its slots are undecided; None while they are not due.
    after: int | None
    #: Slots the old definition still owed.
    gaps: tuple[Gap, ...] = ()


def see(schedule: Schedule, state: ScheduleState | None, now: float) -> Sight:
    """Return what a definition means beside what is remembered of it.

    ``state`` is None for a schedule never seen. Its slots up to ``now`` that were due under the
    old definition must have been decided, or they become a gap here.
    """
    due = schedule.due_at(now)
    if state is None or state.removed_at is not None:
        return _anew(schedule, state, now, due=due)
    if due and state.timing == schedule.timing.text:
        if state.enabled:
            return _goes_on(schedule, state, now)
        if state.paused_until is not None and state.paused_until == schedule.paused_until:
            # What stopped it was that pause, and it has ended: slots from its end on are due.
            return _follow(schedule, state, now, max(state.cursor, state.paused_until - 1))
    if not due and not state.enabled:
        fresh = _fresh(schedule, state, now, state.cursor, due=False)
        return Sight(state=fresh, changed=fresh is not state, after=None)
    return _anew(schedule, state, now, due=due, gaps=_policed(owed(state, now), schedule, now))


def heir_of(
    name: str,
    renames: Mapping[str, str],
    schedules: Container[str],
    state_of: Callable[[str], ScheduleState | None],
) -> str | None:
    """Return the earlier name whose slots a schedule goes on with; None if it begins anew.

    Args:
        name: of the schedule.
        renames: names before, by the names since, that nobody has seen yet.
        schedules: names in the set that is seen.
        state_of: returns what is remembered of a name.
    """
    was = renames.get(name)
    if was is None or was in schedules:
        return None
    own, before = state_of(name), state_of(was)
    anew = own is None or own.removed_at is not None
    return was if anew and before is not None and before.removed_at is None else None


def take_over(
    schedule: Schedule, was: ScheduleState, own: ScheduleState | None, now: float
) -> Sight:
    """Return what a definition means that goes on with what another name has decided.

    Its slots begin where those of the earlier name end, so that none is lost and none comes twice,
    be it claimed ahead of its time or still to be decided.

    Args:
        schedule: the definition, under the new name.
        was: what is remembered of the earlier name.
        own: what is remembered of an earlier schedule of the new name, which was removed.
        now: epoch seconds.
    """
    heir = replace(was, name=schedule.name)
    if own is not None:
        # Its revisions stay what they were, and its cursor never moves back.
        revision, cursor = max(was.revision, own.revision + 1), max(was.cursor, own.cursor)
        heir = replace(heir, revision=revision, cursor=cursor)
    sight = see(schedule, heir, now)
    claimed = heir.cursor if now < heir.cursor <= now + _AHEAD else 0
    # Nothing was due under this name before, nor is what the other has claimed.
    state = replace(sight.state, seen_at=max(now, claimed))
    after = None if sight.after is None else max(sight.after, claimed)
    return replace(sight, state=state, changed=True, after=after)


def _anew(
    schedule: Schedule, state: ScheduleState | None, now: float, *, due: bool,
    gaps: tuple[Gap, ...] = (),
) -> Sight:  # fmt: skip
    """Return the sight of what begins, or ends, now: the past is not replayed."""
    cursor = max(int(now), state.cursor if state else 0)
    fresh = _fresh(schedule, state, now, cursor, due=due)
    return Sight(state=fresh, changed=True, after=int(now) if due else None, gaps=gaps)


def _goes_on(schedule: Schedule, state: ScheduleState, now: float) -> Sight:
    """Return the sight of a timetable in force before and now: nothing is passed over."""
    ended = schedule.paused_until
    if ended is None or ended - 1 <= state.cursor:
        return _follow(schedule, state, now, state.cursor)
    # A pause came and went unseen. Slots before its end are not started by it, whether they lay
    # in the pause or before it: nobody knows when it was written.
    gaps = _policed(owed(state, now, until=ended - 1), schedule, now)
    return _follow(schedule, state, now, ended - 1, gaps)


def _follow(
    schedule: Schedule, state: ScheduleState, now: float, cursor: int, gaps: tuple[Gap, ...] = ()
) -> Sight:
    """Return the sight of slots that are due from ``cursor`` on, or from now if that is ahead."""
    fresh = _fresh(schedule, state, now, cursor, due=True)
    after = min(cursor, int(now))
    return Sight(state=fresh, changed=fresh is not state, after=after, gaps=gaps)


def _fresh(
    schedule: Schedule, state: ScheduleState | None, now: float, cursor: int, *, due: bool
) -> ScheduleState:
    """Return what to remember of a definition: the remembered state itself if that says it."""
    definition = schedule.definition()
    paused_until = schedule.paused_until if schedule.enabled and not due else None
    same = state is not None and state.definition == definition
    if (
        state is not None and same and state.removed_at is None
        and (state.enabled, state.cursor, state.paused_until) == (due, cursor, paused_until)
    ):  # fmt: skip
        return state
    return ScheduleState(
        name=schedule.name,
        timing=schedule.timing.text,
        enabled=due,
        cursor=cursor,
        # One that comes back after it was removed is seen anew: nothing was due in between.
        seen_at=state.seen_at if state and same and state.removed_at is None else now,
        revision=(state.revision + (not same)) if state else 1,
        definition=definition,
        paused_until=paused_until,
    )


def _policed(gaps: tuple[Gap, ...], schedule: Schedule, now: float) -> tuple[Gap, ...]:
    """Return what a schedule owed as its ``catchup`` wants it: closed under ``none``, else open."""
    return tuple(policed(gap, schedule, now) for gap in gaps)


def owed(
    state: ScheduleState, now: float, reason: Reason = Reason.CHANGED, *, until: int | None = None
) -> tuple[Gap, ...]:
    """Return the slots a remembered definition still owes at ``now``, or ``until``, as gaps."""
    until = int(now) if until is None else until
    if not state.enabled or state.cursor >= until:
        return ()
    try:
        timing = Timing.from_text(state.timing)
        return gaps_of(state.name, timing, state.cursor, until, now=now, reason=reason.value)
    except InvalidTimetable:
        # Its zone has left the machine, or a newer version wrote it. Nobody can name its slots,
        # and that must not keep the definition that mends it from coming into force.
        return ()


def renamed(state: ScheduleState, now: float) -> ScheduleState:
    """Return the state of a schedule that goes on under another name, which owes what it owed."""
    return replace(state, removed_at=now, enabled=False, paused_until=None)


def removed(state: ScheduleState, now: float) -> tuple[ScheduleState, tuple[Gap, ...]]:
    """Return the state of a schedule missing from the manifest, and what it still owed."""
    gaps = tuple(
        gap if gap.closed_at is not None
        else replace(gap, closed_at=now, closed_as=Reason.REMOVED.value)
        for gap in owed(state, now, Reason.REMOVED)
    )  # fmt: skip
    cursor = max(state.cursor, int(now)) if state.enabled else state.cursor
    return replace(state, removed_at=now, enabled=False, paused_until=None, cursor=cursor), gaps


def recalled(state: ScheduleState) -> Schedule | None:
    """Return the last definition seen of a schedule, without its env; None if it was removed.

    It tells what a run's end means, and who is to be told, while the manifest cannot be read. Of a
    ``ping_url`` it has only where that leads to: nothing is sent before the manifest says more. One
    that this version cannot read is None too; one whose slots nobody can name has none.
    """
    if state.removed_at is not None:
        return None
    try:
        keys = json.loads(state.definition)
        timing = Timing.from_text(keys.pop("timing", state.timing))
        keys.pop("env", None)  # values are never stored
        return Schedule(state.name, **{**keys, "every": "1s"}).with_(timing=_usable(timing))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _usable(timing: Timing) -> Timing:
    """Return a timing, or one without a slot if its zone or its holidays have left the machine."""
    try:
        timetable(timing)
    except InvalidTimetable:
        return Timing(kind="every", expression="1s", timezone=None, end=0, offset=timing.offset)
    return timing
