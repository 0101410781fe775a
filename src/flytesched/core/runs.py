"""Slots, runs and gaps, and the moves that are legal between the states of a run.

Times of slots are whole epoch seconds (``int``); moments (created, started, ended) are epoch
seconds with a fraction (``float``). Both are UTC by nature.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any

from flytesched.core.attempts import Attempt, AttemptKey, End, Outcome

__all__ = [
    "ACTIVE",
    "FAILURES",
    "IN_PLACE",
    "LEGAL_MOVES",
    "STARTED",
    "VERDICTS",
    "Attempt",
    "AttemptKey",
    "End",
    "Gap",
    "Origin",
    "Outcome",
    "Reason",
    "Run",
    "RunStatus",
    "ScheduleState",
    "kind_of",
    "on_holiday",
    "request_id",
    "run_id",
]


class RunStatus(StrEnum):
    """Where a run is between its claim and its verdict."""

    #: Sets and tables of these are asked ten times a run; Enum's own hash is Python code.
    __hash__ = str.__hash__

    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


#: States before the verdict, waits included.
ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.CLAIMED, RunStatus.RUNNING, RunStatus.RETRY_WAIT})
#: Active states after the first start was ordered.
STARTED = ACTIVE - {RunStatus.QUEUED}
#: States that take one of ``max_concurrent_runs``.
IN_PLACE = frozenset({RunStatus.CLAIMED, RunStatus.RUNNING})
#: Active states in which nothing runs: for a place, a time, or a run of the same schedule.
WAITING = ACTIVE - IN_PLACE
#: Final states; a verdict never changes.
VERDICTS = frozenset(RunStatus) - ACTIVE
#: Verdicts that a retry may mend, and that count as a failure of the schedule.
FAILURES = frozenset({RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.INTERRUPTED})

#: From each state, the states a run may move to.
LEGAL_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.CLAIMED, RunStatus.CANCELLED}),
    RunStatus.CLAIMED: frozenset(
        {RunStatus.RUNNING, RunStatus.RETRY_WAIT} | (VERDICTS - {RunStatus.SKIPPED})
    ),
    RunStatus.RUNNING: frozenset({RunStatus.RETRY_WAIT} | (VERDICTS - {RunStatus.SKIPPED})),
    RunStatus.RETRY_WAIT: frozenset({RunStatus.CLAIMED, RunStatus.CANCELLED}),
    **{verdict: frozenset() for verdict in VERDICTS},
}


class Origin(StrEnum):
    """Why a run exists."""

    #: Sets and tables of these are asked ten times a run; Enum's own hash is Python code.
    __hash__ = str.__hash__

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCHUP = "catchup"
    BACKFILL = "backfill"
    RETRY = "retry"


class Reason(StrEnum):
    """The words in brackets behind a verdict, and the reasons of gaps."""

    OVERLAP = "overlap"
    QUEUE_FULL = "queue_full"
    REPLACED = "replaced"
    REMOVED = "removed"
    DECLINED = "declined"
    BY_USER = "by user"
    STOPPED = "scheduler stopped"
    #: The command's supervisor died with its host.
    HOST = "host restarted"
    #: The command's supervisor died alone (killed, out of memory).
    SUPERVISOR = "supervisor died"
    #: ``survive = false`` and the scheduler died.
    PARENT = "scheduler died"
    PROCESS_ENDED = "process ended"
    #: Gaps: no scheduler ran.
    DOWN = "no scheduler"
    #: Gaps: the machine slept or the clock was set forward.
    CLOCK = "suspend or clock step"
    #: Gaps: the run log could not be written.
    RUN_LOG = "run log unavailable"
    #: Gaps: the definition changed before its last slots were decided.
    CHANGED = "changed while no scheduler ran"
    #: Slots that the calendars of their schedule leave out; what they say of it stands behind it.
    HOLIDAY = "holiday"


def on_holiday(why: str) -> str:
    """Return the reason of a slot that calendars leave out: ``holiday: Christmas Day``."""
    return f"{Reason.HOLIDAY.value}: {why}"


def kind_of(reason: str | None) -> str:
    """Return the word that a reason begins with: of holidays, none of their many names."""
    return (reason or "").partition(":")[0]


def run_id(name: str, scheduled_at: int) -> str:
    """Return the id of a slot's run; the same slot has the same id everywhere."""
    return f"sched-{name}-{scheduled_at}"


def request_id(origin: Origin, name: str, moment: float) -> str:
    """Return the id of a run that somebody asked for: ``manual-<name>-<unix milliseconds>``."""
    return f"{origin.value}-{name}-{int(moment * 1000)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The execution of one slot, or of a request."""

    #: Unique in the run log.
    id: str
    #: Name of the schedule.
    schedule: str
    #: Epoch second of the slot; None for manual runs.
    scheduled_at: int | None
    #: Why the run exists.
    origin: Origin
    #: Where it is, or its verdict.
    status: RunStatus
    #: Moment the row was written.
    created: float
    #: Why it has this verdict, or waits.
    reason: str | None = None
    #: Exit code of the last attempt, once there is one; a signal is 128+n.
    exit_code: int | None = None
    #: Earliest start: jitter, or the wait before a retry.
    not_before: float = 0.0
    #: Attempts ordered so far.
    attempt: int = 0
    #: How often it was started again after an interruption.
    reruns: int = 0
    #: Moment of the first start.
    started: float | None = None
    #: Moment of the verdict.
    ended: float | None = None
    #: The verdict meant by a signal about to be sent: ``timed_out``, ``cancelled(why)``.
    end_as: str | None = None
    #: The run this one repeats.
    retry_of: str | None = None
    #: Revision of the definition in force.
    revision: int = 0
    #: How many runs of this request may go at once (``backfill --parallel``); 0 = beside anything.
    parallel: int = 1
    #: Row number in the run log; 0 before it is stored.
    seq: int = 0

    @property
    def active(self) -> bool:
        """Tell whether the verdict is still to come."""
        return self.status in ACTIVE

    @property
    def live_slot(self) -> int | None:
        """Epoch second of the slot that it runs at, and not before: it may be claimed earlier.

        None for what makes up for the past, repeats it, or has no slot.
        """
        return self.scheduled_at if self.origin is Origin.SCHEDULE else None

    @property
    def standing(self) -> tuple[float, str]:
        """Where it stands in the history of its schedule: its slot, if it has one, is its time."""
        if self.scheduled_at is None:
            return self.created, self.id
        return self.scheduled_at, "" if self.retry_of is None else self.id

    def move(self, status: RunStatus, **changes: Any) -> Run:
        """Return the run in its next state; an illegal move is a bug and raises ValueError."""
        if status not in LEGAL_MOVES[self.status]:
            msg = f"{self.id}: no way from {self.status} to {status}"
            raise ValueError(msg)
        return _copy(self, {"status": status, **changes})

    def verdict(self) -> str:
        """Say the status the way people read it: ``failed(exit 3)``, ``skipped(overlap)``."""
        if self.status is RunStatus.FAILED and self.reason is None:
            return f"failed(exit {self.exit_code})"
        return f"{self.status.value}({self.reason})" if self.reason else self.status.value


_FIELDS = tuple(field.name for field in fields(Run))
_READ_ALL = attrgetter(*_FIELDS)
#: How the slots of a frozen class are written.
_WRITE = {name: Run.__dict__[name].__set__ for name in _FIELDS}


def _copy(run: Run, changes: dict[str, Any]) -> Run:
    """Do what ``dataclasses.replace`` does, in half the time: a burst moves thousands at once."""
    twin = object.__new__(Run)
    for write, value in zip(_WRITE.values(), _READ_ALL(run), strict=True):
        write(twin, value)
    for name, value in changes.items():
        _WRITE[name](twin, value)
    return twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of missed slots: those in ``(after, until]`` that have no run."""

    #: Name of the schedule.
    schedule: str
    #: Epoch second the stretch begins after.
    after: int
    #: Epoch second of its last slot.
    until: int
    #: Slots in the stretch by the timetable, with or without a run.
    count: int
    #: Why they were missed.
    reason: str
    #: ``Timing.text`` of the timetable in force.
    timing: str
    #: Moment it was recorded.
    created: float = 0.0
    #: Moment it was closed; None while its slots may still be caught up.
    closed_at: float | None = None
    #: ``caught_up``, ``declined``, ``removed`` or ``holiday``.
    closed_as: str | None = None
    #: Row number in the run log; 0 before it is stored.
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """What the run log remembers of a schedule."""

    #: Name of the schedule.
    name: str
    #: ``Timing.text`` last seen.
    timing: str
    #: Whether its slots are due (not disabled, not paused).
    enabled: bool
    #: Epoch second of the last slot decided; never moves back.
    cursor: int
    #: Moment this definition was first seen.
    seen_at: float
    #: Number of the definition, from 1.
    revision: int = 1
    #: The definition as JSON, env values left out.
    definition: str = "{}"
    #: Epoch second a pause ends, while one is in force.
    paused_until: int | None = None
    #: Moment it was missing from the manifest.
    removed_at: float | None = None
