"""Seeing definitions: what a new, changed, enabled, disabled or removed schedule means.

Nothing fires by editing. A change counts from the moment a scheduler first sees it; slots that
the old definition still owed at that moment become a gap, which only a person can catch up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flytesched.core.agenda import divide
from flytesched.core.planner import gap_of
from flytesched.core.runs import Gap, Reason, ScheduleState
from flytesched.core.timetables.parse import Timing

if TYPE_CHECKING:
    from flytesched.core.schedule import Schedule


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
    gap: Gap | None = None


def see(schedule: Schedule, state: ScheduleState | None, now: float) -> Sight:
    """Return what a definition means beside what is remembered of it.

    ``state`` is None for a schedule never seen. Its slots up to ``now`` that were due under the
    old definition must have been decided, or they become a gap here.
    """
    due = schedule.due_at(now)
    fresh = _fresh(schedule, state, now, due=due)
    if state is None or state.removed_at is not None:
        return Sight(state=fresh, changed=True, after=_after(fresh, now))
    if state.timing == fresh.timing and state.enabled and due:
        fresh = replace(fresh, cursor=state.cursor)
        return Sight(state=fresh, changed=fresh != state, after=min(state.cursor, int(now)))
    if state.timing == fresh.timing and (ended := _pause_ended(schedule, state)) and due:
        fresh = replace(fresh, cursor=max(state.cursor, ended - 1))
        return Sight(state=fresh, changed=True, after=min(fresh.cursor, int(now)))
    if not state.enabled and not due:
        fresh = replace(fresh, cursor=state.cursor)
        return Sight(state=fresh, changed=fresh != state, after=None)
    return Sight(state=fresh, changed=True, after=_after(fresh, now), gap=owed(state, now))


def _pause_ended(schedule: Schedule, state: ScheduleState) -> int | None:
    """Return the end of the pause that is remembered and still written down, if it is one."""
    if state.enabled or schedule.paused_until is None:
        return None
    return state.paused_until if state.paused_until == schedule.paused_until else None


def _fresh(
    schedule: Schedule, state: ScheduleState | None, now: float, *, due: bool
) -> ScheduleState:
    """Return the state of a definition seen for the first time: the past is not replayed."""
    definition = schedule.definition()
    same = state is not None and state.definition == definition
    return ScheduleState(
        name=schedule.name,
        timing=schedule.timing.text,
        enabled=due,
        cursor=max(int(now), state.cursor if state else 0),
        seen_at=state.seen_at if state and same else now,
        revision=(state.revision + (not same)) if state else 1,
        definition=definition,
        paused_until=schedule.paused_until if schedule.enabled and not due else None,
    )


def _after(fresh: ScheduleState, now: float) -> int | None:
    return int(now) if fresh.enabled else None


def owed(state: ScheduleState, now: float, reason: Reason = Reason.CHANGED) -> Gap | None:
    """Return the slots a remembered definition still owes at ``now``, as a gap."""
    if not state.enabled or state.cursor >= int(now):
        return None
    due = divide(Timing.from_text(state.timing), (state.name,), state.cursor, now, late=-1)
    return gap_of(state.name, due, now, reason.value) if due.missed else None


def removed(state: ScheduleState, now: float) -> tuple[ScheduleState, Gap | None]:
    """Return the state of a schedule missing from the manifest, and what it still owed."""
    gap = owed(state, now, Reason.REMOVED)
    if gap is not None:
        gap = replace(gap, closed_at=now, closed_as=Reason.REMOVED.value)
    cursor = max(state.cursor, int(now)) if state.enabled else state.cursor
    return replace(state, removed_at=now, enabled=False, cursor=cursor), gap
