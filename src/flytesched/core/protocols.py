"""The seams on one page: what the scheduler needs of the world.

A fake of each stands in ``flytesched.testing`` and passes the same contract suite as the real one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from flytesched.core.decision import Decision, Snapshot
    from flytesched.core.renames import Rename
    from flytesched.core.runs import Attempt, AttemptKey, Gap, Outcome, Run
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Event, Notice


class Executor(Protocol):
    """The extension point of the Python API: how a slot is carried out inside a program."""

    def execute(self, schedule: Schedule, scheduled_at: datetime) -> None:
        """Do the work of a slot; raise to report a failure."""
        ...


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> float:
        """Return the wall clock, in epoch seconds."""
        ...

    def uptime(self) -> float:
        """Return seconds on a clock that nobody sets; those of a suspend count."""
        ...

    def wait(self, until: float | None) -> None:
        """Return at ``until`` (never early), or sooner when anything watched has news.

        None waits for news alone. A clock step and a resume from suspend are news.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The set of schedules a source holds."""

    #: Schedules by name.
    schedules: Mapping[str, Schedule]
    #: Names of all that are new, other or gone since the set that was told before; None where the
    #: source does not know.
    touched: Sequence[str] | None = None
    #: Called once the set is in force as a whole, for a source that wants to know.
    settled: Callable[[], None] | None = None


class ScheduleSource(Protocol):
    """Where schedules come from: the manifest, or a program."""

    def poll(self) -> Roster | None:
        """Return the whole set if it changed since the last call, else None.

        Raises:
            Invalid: the set cannot be read; the last good one stays in force. Raised once for
                each broken state, not at every call.
        """
        ...


class Adoption(Enum):
    """What recovery finds of an attempt that an earlier process ordered."""

    #: It runs, or it has ended with a record: ``collect`` will report it.
    FOLLOWED = "followed"
    #: It was never started, so it may be started now.
    NEVER_STARTED = "never started"
    #: It ended without a record.
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All that starting one attempt needs."""

    #: The run, already claimed in the run log.
    run: Run
    #: The attempt, already stored.
    attempt: Attempt
    #: What to run, and how.
    schedule: Schedule
    #: Epoch second of the kickoff time: the slot less the schedule's offset.
    kickoff_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What is known right after a start."""

    #: Process id of the supervisor or command; None for a callable.
    pid: int | None = None
    #: Its start time in clock ticks since boot.
    pid_started: int | None = None


class Launcher(Protocol):
    """Starts attempts, finds those of earlier processes, signals them, and reports their ends."""

    @property
    def boot_id(self) -> str:
        """The boot of this machine; ``memory`` for one that dies with the process."""
        ...

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        """Return the attempt that ``start`` shall carry out; nothing happens yet."""
        ...

    def prepare(self, orders: Iterable[Order], until: float) -> None:
        """Do ahead what can be done of starts that are near; what fails is met by ``start``.

        Args:
            orders: soon to be started, or else forgotten.
            until: when to be done, in epoch seconds.
        """
        ...

    def start(self, order: Order) -> Started:
        """Start the attempt, at most once.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now; nothing was started.
        """
        ...

    def adopt(self, attempt: Attempt) -> Adoption:
        """Find an attempt that an earlier process ordered.

        Raises:
            OSError: its record cannot be read right now; try again.
        """
        ...

    def terminate(self, key: AttemptKey) -> None:
        """Send TERM to every process of the attempt."""
        ...

    def kill(self, key: AttemptKey) -> None:
        """Send KILL to every process of the attempt but its supervisor."""
        ...

    def collect(self) -> Sequence[Outcome]:
        """Return the ends seen since the last call, without waiting."""
        ...

    def forget(self, keys: Iterable[AttemptKey]) -> None:
        """Drop what is kept of ended attempts, once their outcome is durable."""
        ...


class RunLog(Protocol):
    """The durable record of every decision."""

    def load(self) -> Snapshot:
        """Read what a starting scheduler needs."""
        ...

    def apply(self, decision: Decision) -> frozenset[str]:
        """Carry out a decision in one durable transaction.

        Returns:
            Ids of the runs whose insert or move lost against what is stored, and keys of the
            notices whose move did.

        Raises:
            RunLogBusy: nothing was written; trying again may work.
        """
        ...

    def changed(self) -> bool:
        """Tell whether somebody else wrote since the last call; cheap."""
        ...

    def active(self) -> Sequence[Run]:
        """Read all runs without a verdict."""
        ...

    def attempt(self, key: AttemptKey) -> Attempt | None:
        """Read one attempt."""
        ...

    def open_gaps(self, names: Iterable[str] | None = None) -> Sequence[Gap]:
        """Read gaps that are not closed, oldest first; of ``names``, or of all schedules."""
        ...

    def renames(self) -> Sequence[Rename]:
        """Read the renames that no scheduler has seen yet."""
        ...

    def all_renames(self) -> Sequence[Rename]:
        """Read every rename, in the order they were asked for."""
        ...

    def decided(self, schedule: str, after: int, until: int) -> Sequence[int]:
        """Return the slots in ``(after, until]`` that have a run, ascending."""
        ...

    def last_verdict(self, schedule: str, before: str) -> Run | None:
        """Return the newest succeeded or failed run of a schedule, but for run id ``before``."""
        ...

    def close_caught_up(self, moment: float) -> None:
        """Close the gaps whose every slot has a run with a verdict."""
        ...

    def open_notices(self, limit: int | None = None, after: int = 0) -> Sequence[Notice]:
        """Read notices that are queued or being sent, oldest first; at most ``limit``.

        Args:
            limit: how many; None for all.
            after: row number that theirs are greater than.
        """
        ...

    def noticed(self, channels: Iterable[str], event: Event, about: str) -> bool:
        """Tell whether one of the channels has a notice of an event about a run or gap."""
        ...

    def messages_since(self, channel: str, since: float, limit: int) -> Sequence[float]:
        """Read when a channel was sent messages, or may have been: the last ones, ascending.

        Args:
            channel: its name.
            since: epoch seconds that theirs are greater than.
            limit: how many at most.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a hook is told."""

    #: What has happened.
    event: Event
    #: The schedule.
    schedule: Schedule
    #: The run; None for a gap.
    run: Run | None = None
    #: The gap; None for a run.
    gap: Gap | None = None
    #: The run's last attempt, if it has one.
    attempt: Attempt | None = None


class Hook(Protocol):
    """Somebody to tell about events; must not wait and must not raise."""

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether anybody wants to know of an event of a schedule; cheap."""
        ...

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return what has to become durable together with what is told; nothing happens yet."""
        ...

    def tell(self, told: Told) -> None:
        """Pass the news on; what is told, and its notices, are durable."""
        ...


class Journal(Protocol):
    """Where the scheduler says what it does: one line per event."""

    def say(self, level: str, event: str, **facts: object) -> None:
        """Write one line; ``level`` is ``info``, ``warning`` or ``error``."""
        ...

    def flush(self) -> None:
        """Let no line wait any longer."""
        ...
