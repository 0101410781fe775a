"""A decision: everything that one transaction of the run log changes, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.core.runs import Attempt, Gap, Run, RunStatus, ScheduleState
    from flytesched.core.telling.events import Notice, NoticeMove


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A run's next state; it holds only while the stored run is still in one of ``was``."""

    #: The run as it shall be.
    run: Run
    #: States the stored run must be in for the move to hold.
    was: frozenset[RunStatus]
    #: The ``end_as`` the mover knows of; a stored one that differs makes the move lose, so that
    #: nobody's cancel is overwritten.
    knew: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """An amount to add to a counter of ``metrics``."""

    #: Name of the counter.
    metric: str
    #: Schedule, or channel, it belongs to; empty for the scheduler itself.
    schedule: str = ""
    #: Status, reason or bucket.
    label: str = ""
    #: What to add.
    amount: float = 1.0
    #: Run, or key of a notice, it counts; left out when that one loses in the same decision.
    run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one transaction changes: all of it, or nothing."""

    #: Rows of schedules to write whole. A stored cursor later than the row's is kept.
    schedules: tuple[ScheduleState, ...] = ()
    #: Last slot decided, by schedule; a stored cursor that is later is kept.
    cursors: Mapping[str, int] = field(default_factory=dict)
    #: Stretches of missed slots to record.
    gaps: tuple[Gap, ...] = ()
    #: Open gaps to close: ``(schedule, closed_as, moment)``.
    close_gaps: tuple[tuple[str, str, float], ...] = ()
    #: Renames that came about, or did not: ``(name, name before, moment it was seen or None)``.
    renames: tuple[tuple[str, str, float | None], ...] = ()
    #: New runs. A slot or id that has a run already loses, which is normal.
    runs: tuple[Run, ...] = ()
    #: Next states of stored runs. A run that has moved on meanwhile loses, which is normal.
    moves: tuple[Move, ...] = ()
    #: Attempts to insert or to replace; those of a run that lost are left out.
    attempts: tuple[Attempt, ...] = ()
    #: Notices to insert, to be sent once this is durable. One that is there already stays as it is;
    #: those of a run that lost are left out.
    notices: tuple[Notice, ...] = ()
    #: Next states of stored notices. One that has moved on meanwhile loses.
    notice_states: tuple[NoticeMove, ...] = ()
    #: What to add to the counters of ``metrics``.
    counts: tuple[Count, ...] = ()
    #: Facts to remember: heartbeat, last reload error and the like.
    meta: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(
            self.schedules
            or self.cursors
            or self.gaps
            or self.close_gaps
            or self.renames
            or self.runs
            or self.moves
            or self.attempts
            or self.notices
            or self.notice_states
            or self.counts
            or self.meta
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a scheduler reads of the run log when it starts."""

    #: Every schedule ever seen, by name, removed ones included.
    schedules: Mapping[str, ScheduleState]
    #: Runs without a verdict.
    active: tuple[Run, ...]
    #: The last attempt of each active run that has one.
    attempts: tuple[Attempt, ...]
    #: Gaps not closed.
    gaps: tuple[Gap, ...]
    #: Remembered facts.
    meta: Mapping[str, str]
