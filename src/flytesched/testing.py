"""Fakes for tests: small, real implementations of what the scheduler needs of the world.

``FakeClock`` makes a year pass in seconds, ``FakeLauncher`` carries attempts out in that time, in
a ``World`` that outlives it, ``MemoryRunLog`` keeps the promises of the run log without a disk;
``RecordingHook`` and ``RecordingJournal`` remember what they were told.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.decision import Snapshot
from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import (
    FAILURES,
    IN_PLACE,
    VERDICTS,
    Attempt,
    AttemptKey,
    End,
    Gap,
    Origin,
    Outcome,
    Reason,
    Run,
    RunStatus,
    ScheduleState,
    run_id,
)
from flytesched.errors import RunLogBusy, RunLogError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from flytesched.core.decision import Decision, Move
    from flytesched.core.protocols import Order, Told
    from flytesched.core.schedule import Schedule


class FakeClock:
    """A clock that stands still until somebody waits for it.

    Besides the wall clock it has elapsed time, which ``step`` does not change: what takes ten
    seconds takes ten seconds, whatever is done to the wall clock meanwhile.
    """

    def __init__(self, start: float) -> None:
        """Begin at ``start``, in epoch seconds."""
        self._offset = start
        self._alarms: list[float] = []
        self._news = False
        #: Seconds that have passed since the clock was made.
        self.elapsed = 0.0

    def now(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return self._offset + self.elapsed

    def wait(self, until: float | None) -> None:
        """Jump to ``until``, or to the next alarm if that is earlier.

        Raises:
            RuntimeError: nothing would ever end this wait.
        """
        if self._news:
            self._news = False
            return
        ends = [] if until is None else [until - self._offset]
        if self._alarms:
            ends.append(self._alarms[0])
        if not ends:
            msg = "nothing would ever end this wait"
            raise RuntimeError(msg)
        self.elapsed = max(self.elapsed, min(ends))
        if until is not None and self.elapsed == until - self._offset and self.now() < until:
            self._offset = until - self.elapsed  # rounding must not make a wait end early
        while self._alarms and self._alarms[0] <= self.elapsed:
            heapq.heappop(self._alarms)

    def alarm(self, at: float) -> None:
        """Let a wait end when the wall clock, as it goes now, is at ``at``."""
        self.alarm_after(at - self.now())

    def alarm_after(self, seconds: float) -> None:
        """Let a wait end when ``seconds`` have passed."""
        heapq.heappush(self._alarms, self.elapsed + seconds)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back with a negative number; that ends a wait."""
        self._offset += seconds
        self._news = True

    def wake(self) -> None:
        """End the present or the next wait, as news from outside would."""
        self._news = True


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

    def __init__(self, clock: FakeClock) -> None:
        """Begin with nothing running."""
        self.clock = clock
        self.boot_id = "boot-1"
        #: Every attempt that was ever started. Starting one twice raises AssertionError.
        self.started: set[AttemptKey] = set()
        #: What was started and is not forgotten.
        self.processes: dict[AttemptKey, Process] = {}
        self._pids = count(2)
        self._boots = count(2)

    def crash(self) -> None:
        """Let the scheduler die: what does not survive dies with it."""
        for key, process in tuple(self.processes.items()):
            if not process.survive and not self.ended(process):
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
        return process.ends is not None and process.ends <= self.clock.elapsed


class FakeLauncher:
    """Carries attempts out in the time of a FakeClock, as ``behaviour`` says."""

    def __init__(
        self,
        clock: FakeClock,
        behaviour: Callable[[Order], Fate] = lambda _order: Fate(),
        world: World | None = None,
    ) -> None:
        """Begin with no attempt; a new launcher in an old world is one after a crash.

        Args:
            clock: whose time passes.
            behaviour: returns what becomes of an attempt; raises StartError or StartDelayed for
                one that does not start.
            world: where attempts live; None for one of its own.
        """
        self._clock = clock
        self._behaviour = behaviour
        self.world = world or World(clock)
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

    def start(self, order: Order) -> Started:
        """Start an attempt as its behaviour says."""
        fate = self._behaviour(order)
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
        known = attempt.key in self.world.started or attempt.boot_id != self.boot_id
        return Adoption.LOST if known else Adoption.NEVER_STARTED

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


@dataclass(slots=True)
class _Store:
    """What the handles of one MemoryRunLog share."""

    states: dict[str, ScheduleState] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    active: dict[str, Run] = field(default_factory=dict)
    attempts: dict[str, dict[int, Attempt]] = field(default_factory=lambda: defaultdict(dict))
    gaps: dict[int, Gap] = field(default_factory=dict)
    open_gaps: dict[int, Gap] = field(default_factory=dict)
    #: Slots that have a run, ascending, by schedule.
    slots: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: What `last_verdict` looks at: (slot or moment, id), ascending, by schedule.
    done: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[tuple[str, str, str], float] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    writes: int = 0


class MemoryRunLog:
    """A run log that ends with its process, under the contract that SqliteRunLog is held to."""

    def __init__(self, beside: MemoryRunLog | None = None) -> None:
        """Begin empty, or as another process beside the one that has ``beside``."""
        self._store = beside._store if beside is not None else _Store()
        self._own_writes = 0
        self._seen = self._store.writes
        #: Set it to let every call that reads or writes raise RunLogBusy.
        self.busy = False

    # -- the contract -------------------------------------------------------------------------

    def load(self) -> Snapshot:
        """Read what a starting scheduler needs."""
        active = self.active()
        tries = (self._store.attempts.get(run.id) for run in active)
        return Snapshot(
            schedules=dict(self._store.states),
            active=tuple(active),
            attempts=tuple(some[max(some)] for some in tries if some),
            gaps=tuple(self.open_gaps()),
            meta=dict(self._store.meta),
        )

    def apply(self, decision: Decision) -> frozenset[str]:
        """Carry out a decision, whole or not at all; return the ids of runs that lost."""
        self._check()
        _refuse(self._store, decision)
        store = self._store
        for state in decision.schedules:
            old = store.states.get(state.name)
            cursor = max(state.cursor, old.cursor) if old else state.cursor
            store.states[state.name] = replace(state, cursor=cursor)
        for name, cursor in decision.cursors.items():
            if name in store.states and cursor > store.states[name].cursor:
                store.states[name] = replace(store.states[name], cursor=cursor)
        for gap in decision.gaps:
            self._put_gap(replace(gap, id=len(store.gaps) + 1))
        for name, closed_as, moment in decision.close_gaps:
            for gap in self.open_gaps([name]):
                self._put_gap(replace(gap, closed_as=closed_as, closed_at=moment))
        lost = {run.id for run in decision.runs if not self._insert(run)}
        lost |= {move.run.id for move in decision.moves if not self._move(move)}
        for attempt in decision.attempts:
            if attempt.run not in lost:
                store.attempts[attempt.run][attempt.attempt] = attempt
        for one in decision.counts:
            if one.run not in lost:
                key = (one.metric, one.schedule, one.label)
                store.counters[key] = store.counters.get(key, 0.0) + one.amount
        store.meta.update(decision.meta)
        self._wrote()
        return frozenset(lost)

    def changed(self) -> bool:
        """Tell whether another handle wrote since the last call."""
        others = self._store.writes - self._own_writes
        seen, self._seen = self._seen, others
        return others != seen

    def active(self) -> list[Run]:
        """Read all runs without a verdict, in the order they were stored."""
        self._check()
        return [*self._store.active.values()]

    def attempt(self, key: AttemptKey) -> Attempt | None:
        """Read one attempt."""
        self._check()
        return self._store.attempts.get(key.run, {}).get(key.attempt)

    def open_gaps(self, names: Iterable[str] | None = None) -> list[Gap]:
        """Read gaps that are not closed, oldest first."""
        self._check()
        wanted = None if names is None else frozenset(names)
        gaps = self._store.open_gaps.values()
        found = [gap for gap in gaps if wanted is None or gap.schedule in wanted]
        return sorted(found, key=lambda gap: (gap.after, gap.id))

    def decided(self, schedule: str, after: int, until: int) -> list[int]:
        """Return the slots in ``(after, until]`` that have a run, ascending."""
        self._check()
        slots = self._store.slots.get(schedule, [])
        return slots[bisect_right(slots, after) : bisect_right(slots, until)]

    def last_verdict(self, schedule: str, before: str) -> Run | None:
        """Return the newest run that succeeded, failed, timed out or was interrupted."""
        self._check()
        for _, name in reversed(self._store.done.get(schedule, [])):
            if name != before:
                return self._store.runs[name]
        return None

    def close_caught_up(self, moment: float) -> None:
        """Close the gaps whose every slot has a run with a verdict."""
        self._check()
        for gap in tuple(self._store.open_gaps.values()):
            waiting = sum(_in_gap(run, gap) for run in self._store.active.values())
            slots = self._store.slots[gap.schedule]
            ran = bisect_right(slots, gap.until) - bisect_right(slots, gap.after)
            if ran - waiting >= gap.count:
                self._put_gap(replace(gap, closed_as="caught_up", closed_at=moment))

    # -- wishes, and a look at everything -----------------------------------------------------

    def request(self, run: Run) -> Run | None:
        """Store a queued run and return it as stored; None if its slot is decided already."""
        self._check()
        while not self._insert(run):
            if run.scheduled_at is not None and run.retry_of is None:
                return None
            name, _, moment = run.id.rpartition("-")
            run = replace(run, id=f"{name}-{int(moment) + 1}")
        self._wrote()
        return self._store.runs[run.id]

    def note_end(self, run_id: str, end_as: str) -> bool:
        """Note the verdict that a started run shall end with; only the first note counts."""
        self._check()
        run = self._store.runs.get(run_id)
        if run is None or run.status not in IN_PLACE or run.end_as is not None:
            return False
        self._put(replace(run, end_as=end_as))
        self._wrote()
        return True

    def cancel_waiting(self, run_id: str, reason: str, now: float) -> bool:
        """Cancel a run that waits for its start or its next attempt."""
        self._check()
        run = self._store.runs.get(run_id)
        if run is None or run.status not in {RunStatus.QUEUED, RunStatus.RETRY_WAIT}:
            return False
        self._put(run.move(RunStatus.CANCELLED, reason=reason, ended=now))
        key = ("runs_total", run.schedule, RunStatus.CANCELLED.value)
        self._store.counters[key] = self._store.counters.get(key, 0.0) + 1
        self._wrote()
        return True

    def withdraw(self, ids: Iterable[str]) -> list[str]:
        """Delete catch-up and backfill runs that are still queued; return the ids of those."""
        self._check()
        store, making_up = self._store, {Origin.CATCHUP, Origin.BACKFILL}
        gone = []
        for name in ids:
            run = store.active.get(name)
            if run and run.status is RunStatus.QUEUED and run.origin in making_up:
                del store.active[name], store.runs[name]
                slots = store.slots[run.schedule]
                del slots[bisect_left(slots, run.scheduled_at or 0)]
                gone.append(name)
        self._wrote()
        return gone

    @property
    def runs(self) -> Collection[Run]:
        """Every run, in the order they were stored."""
        return self._store.runs.values()

    @property
    def gaps(self) -> Collection[Gap]:
        """Every gap, in the order they were recorded."""
        return self._store.gaps.values()

    def states(self) -> dict[str, ScheduleState]:
        """Return what is remembered of every schedule ever seen."""
        return dict(sorted(self._store.states.items()))

    def counters(self) -> dict[tuple[str, str, str], float]:
        """Return every counter, by ``(metric, schedule, label)``."""
        return dict(self._store.counters)

    def meta(self) -> dict[str, str]:
        """Return the remembered facts."""
        return dict(self._store.meta)

    def _check(self) -> None:
        if self.busy:
            msg = "the run log cannot be used right now: a test says so"
            raise RunLogBusy(msg)

    def _wrote(self) -> None:
        self._store.writes += 1
        self._own_writes += 1

    def _insert(self, run: Run) -> bool:
        store = self._store
        if run.id in store.runs:
            return False
        if run.scheduled_at is not None and run.retry_of is None:
            insort(store.slots[run.schedule], run.scheduled_at)
        newest = next(reversed(store.runs.values())).seq if store.runs else 0
        self._put(replace(run, seq=newest + 1))
        return True

    def _move(self, move: Move) -> bool:
        stored = self._store.runs.get(move.run.id)
        if stored is None or stored.status not in move.was or stored.end_as != move.knew:
            return False
        self._put(replace(move.run, seq=stored.seq))
        return True

    def _put(self, run: Run) -> None:
        self._store.runs[run.id] = run
        if run.active:
            self._store.active[run.id] = run
            return
        self._store.active.pop(run.id, None)
        if run.status in FAILURES or run.status is RunStatus.SUCCEEDED:
            at = run.created if run.scheduled_at is None else run.scheduled_at
            insort(self._store.done[run.schedule], (at, "" if _decides(run) else run.id))

    def _put_gap(self, gap: Gap) -> None:
        self._store.gaps[gap.id] = gap
        if gap.closed_at is None:
            self._store.open_gaps[gap.id] = gap
        else:
            self._store.open_gaps.pop(gap.id, None)


class RecordingHook:
    """A hook that remembers what it was told."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.told: list[Told] = []

    def tell(self, told: Told) -> None:
        """Remember."""
        self.told.append(told)


class RecordingJournal:
    """A journal that remembers its lines: level, event and facts."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def say(self, level: str, event: str, **facts: object) -> None:
        """Remember."""
        self.lines.append((level, event, facts))

    def events(self) -> list[str]:
        """Return what happened, in order."""
        return [event for _, event, _ in self.lines]
