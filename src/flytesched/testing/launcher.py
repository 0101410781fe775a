"""Attempts that run in the time of a FakeClock, in a world that outlives schedulers."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import Attempt, AttemptKey, End, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule
    from flytesched.testing.clock import FakeClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of an attempt that starts."""

    #: Seconds until it ends by itself; None: never.
    seconds: float | None = 1.0
    #: How it ends then.
    end: End = End.EXITED
    #: Its exit code then.
    exit_code: int | None = 0
    #: Why, where there is a reason.
    reason: str | None = None
    #: Seconds from TERM to its end with 143; None: it ignores TERM.
    heeds_term: float | None = 0.0


@dataclass(slots=True)
class Process:
    """An attempt that was started."""

    #: Whether it outlives the scheduler.
    survive: bool
    #: What becomes of it.
    fate: Fate
    #: Elapsed time of its end; None while nothing ends it.
    ends: float | None
    #: What it leaves behind when it ends.
    outcome: Outcome


class World:
    """What outlives a scheduler: processes, and the boot they belong to."""

    def __init__(self) -> None:
        """Begin with nothing running."""
        #: Elapsed time, as the launchers of this world know it.
        self.elapsed: Callable[[], float] = lambda: 0.0
        self.boot_id = "boot-1"
        #: Every attempt that was ever started. Starting one twice raises AssertionError.
        self.started: set[AttemptKey] = set()
        #: What was started and is not forgotten.
        self.processes: dict[AttemptKey, Process] = {}
        self._pids = count(2)
        self._boots = count(2)

    def crash(self) -> None:
        """Let the scheduler die: what does not survive dies with it, and nobody knows how."""
        for key, process in tuple(self.processes.items()):
            if not process.survive:
                del self.processes[key]

    def reboot(self) -> None:
        """Let the machine start again: only what had ended before has left a record."""
        self.boot_id = f"boot-{next(self._boots)}"
        for key, process in tuple(self.processes.items()):
            if not self.ended(process) or not process.survive:
                del self.processes[key]

    def start(self, key: AttemptKey, process: Process) -> int:
        """Note a start; return a process id."""
        if key in self.started:
            msg = f"{key} was started twice"
            raise AssertionError(msg)
        self.started.add(key)
        self.processes[key] = process
        return next(self._pids)

    def ended(self, process: Process) -> bool:
        """Tell whether a process has ended."""
        return process.ends is not None and process.ends <= self.elapsed()


class FakeLauncher:
    """Carries attempts out in the time of a FakeClock, as ``behaviour`` says."""

    def __init__(
        self,
        clock: FakeClock,
        behaviour: Callable[[Order], Fate | tuple[float, int]] = lambda _order: Fate(),
        world: World | None = None,
    ) -> None:
        """Begin with no attempt; a new launcher in an old world is one after a crash.

        Args:
            clock: whose time passes.
            behaviour: returns what becomes of an attempt, or just its seconds and exit code;
                raises StartError or StartDelayed for one that does not start.
            world: where attempts live; None for one of its own.
        """
        self._clock = clock
        self._behaviour = behaviour
        self.world = world or World()
        self.world.elapsed = lambda: clock.elapsed
        self._ends: list[tuple[float, int, AttemptKey]] = []
        self._serial = count()
        #: Signals sent, in order.
        self.signals: list[tuple[str, AttemptKey]] = []

    @property
    def boot_id(self) -> str:
        """The boot of the world."""
        return self.world.boot_id

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        """Return the attempt that ``start`` shall carry out."""
        return Attempt(
            run=run.id, attempt=attempt, boot_id=self.boot_id, ordered=now, survive=schedule.survive
        )

    def prepare(self, orders: Iterable[Order], until: float) -> None:
        """Do nothing: starts here take no time."""

    def start(self, order: Order) -> Started:
        """Start an attempt as its behaviour says."""
        said = self._behaviour(order)
        fate = said if isinstance(said, Fate) else Fate(seconds=said[0], exit_code=said[1])
        key = order.attempt.key
        process = Process(
            survive=order.attempt.survive,
            fate=fate,
            ends=None,
            outcome=Outcome(
                key=key, end=fate.end, ended=0.0, exit_code=fate.exit_code, reason=fate.reason
            ),
        )
        pid = self.world.start(key, process)
        if fate.seconds is not None:
            self._end(key, process, self._clock.elapsed + fate.seconds)
        return Started(pid=pid, pid_started=pid)

    def adopt(self, attempt: Attempt) -> Adoption:
        """Find an attempt in the world."""
        process = self.world.processes.get(attempt.key)
        if process is not None:
            if process.ends is not None:
                self._end(attempt.key, process, process.ends)
            return Adoption.FOLLOWED
        started = attempt.key in self.world.started or attempt.boot_id != self.boot_id
        # Without a supervisor there is no evidence that it was never started.
        lost = started or not attempt.survive
        return Adoption.LOST if lost else Adoption.NEVER_STARTED

    def terminate(self, key: AttemptKey) -> None:
        """Send TERM: the attempt ends with 143 if it heeds it."""
        self.signals.append(("TERM", key))
        process = self.world.processes.get(key)
        if process is not None and process.fate.heeds_term is not None:
            self._strike(key, process, process.fate.heeds_term, 143)

    def kill(self, key: AttemptKey) -> None:
        """Send KILL: the attempt ends with 137."""
        self.signals.append(("KILL", key))
        if (process := self.world.processes.get(key)) is not None:
            self._strike(key, process, 0.0, 137)

    def collect(self) -> Sequence[Outcome]:
        """Return the ends seen since the last call."""
        seen = []
        while self._ends and self._ends[0][0] <= self._clock.elapsed:
            at, _, key = heapq.heappop(self._ends)
            process = self.world.processes.get(key)
            if process is not None and process.ends == at:
                moment = self._clock.now() - (self._clock.elapsed - at)
                seen.append(replace(process.outcome, ended=moment))
        return seen

    def forget(self, keys: Iterable[AttemptKey]) -> None:
        """Drop what is kept of ended attempts."""
        for key in keys:
            self.world.processes.pop(key, None)

    def _strike(self, key: AttemptKey, process: Process, delay: float, code: int) -> None:
        ends = self._clock.elapsed + delay
        if process.ends is None or ends < process.ends:
            process.outcome = replace(process.outcome, end=End.EXITED, exit_code=code, reason=None)
            self._end(key, process, ends)

    def _end(self, key: AttemptKey, process: Process, at: float) -> None:
        process.ends = at
        heapq.heappush(self._ends, (at, next(self._serial), key))
        self._clock.alarm_after(at - self._clock.elapsed)
