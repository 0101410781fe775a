"""A scheduler that may die between any two steps, and everything it lives among.

A step is a call of the loop to its run log, launcher, hook, source or journal: the fuse is asked
before it and after it, and in SQLite also before each statement of a transaction. When it blows,
the scheduler is dead, or another process gets in between.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crash_notices import CHANNELS, denied
from crash_truth import Truth

from flytesched.core.protocols import Roster
from flytesched.core.runs import End
from flytesched.errors import RunLogBusy, StartDelayed, StartError
from flytesched.runlog.rows import RUN_COLUMNS, to_run
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.scheduler.loop import Limits, Loop
from flytesched.testing import (
    FakeClock,
    FakeLauncher,
    Fate,
    MemoryRunLog,
    RecordingHook,
    RecordingJournal,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crash_plants import Plant

    from flytesched.core.decision import Decision
    from flytesched.core.protocols import Order, Told
    from flytesched.core.runs import Attempt, AttemptKey, Gap, Run, ScheduleState
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Notice
    from flytesched.testing import Process

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z
#: Ticks at which `Stage.go` gives up: a loop that turns so often has gone wild.
WILD = 3000


class Crash(BaseException):
    """The scheduler is dead."""


class Fuse:
    """Counts the steps of a scheduler; something happens at the n-th."""

    def __init__(self) -> None:
        self._left = 0
        self._then: Callable[[], None] | None = None
        self._anywhere = False

    def light(self, steps: int, then: Callable[[], None], *, anywhere: bool = False) -> None:
        """Let ``then`` happen at the n-th step; ``anywhere``: in a transaction as well."""
        self._left, self._then, self._anywhere = steps, then, anywhere

    def put_out(self) -> bool:
        """Let nothing happen any more; tell whether something still would have."""
        lit, self._then = self._then is not None, None
        return lit

    def step(self, *, inside: bool = False) -> None:
        """Note a step; ``inside``: in the middle of a transaction."""
        if self._then is None or (inside and not self._anywhere):
            return
        self._left -= 1
        if self._left <= 0:
            then, self._then = self._then, None
            then()


class Stepped:
    """Passes every call on to what it stands for, as two steps; what is pure is none."""

    def __init__(self, inner: Any, fuse: Fuse, *, pure: tuple[str, ...] = ()) -> None:
        self._inner, self._fuse, self._pure = inner, fuse, pure

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value) or name in self._pure:
            return value

        def call(*values: Any, **named: Any) -> Any:
            self._fuse.step()
            answer = value(*values, **named)
            self._fuse.step()
            return answer

        return call


# -- where it is written --------------------------------------------------------------------


class MemoryStore:
    """A MemoryRunLog, each user of which has a handle of its own."""

    def __init__(self, _fuse: Fuse) -> None:
        self.eye = MemoryRunLog()

    def open(self) -> MemoryRunLog:
        return MemoryRunLog(beside=self.eye)

    def freeze(self) -> None:
        """Note what a crash at this moment leaves."""

    def crash(self) -> None:
        """Go on with that."""

    def close(self) -> None:
        pass

    def runs(self) -> Sequence[Run]:
        return [*self.eye.all_runs()]

    def run(self, run_id: str) -> Run | None:
        return next((run for run in self.eye.all_runs() if run.id == run_id), None)

    def gaps(self) -> Sequence[Gap]:
        return [*self.eye.all_gaps()]

    def notices(self) -> Sequence[Notice]:
        return [*self.eye.all_notices()]

    def states(self) -> dict[str, ScheduleState]:
        return self.eye.states()

    def open_missed(self) -> dict[str, int] | None:
        return None


class _Stepping:
    """A connection in the middle of a transaction; each statement is a step."""

    def __init__(self, connection: Any, fuse: Fuse) -> None:
        self._connection, self._fuse = connection, fuse

    def execute(self, *values: Any) -> Any:
        self._fuse.step(inside=True)
        return self._connection.execute(*values)

    def executemany(self, *values: Any) -> Any:
        self._fuse.step(inside=True)
        return self._connection.executemany(*values)


class SteppingRunLog(SqliteRunLog):
    """A SqliteRunLog whose scheduler may die in the middle of a transaction."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path, holder=True)
        self._fuse = fuse
        # Nobody cuts the power here; processes die, and those leave what they wrote to the kernel.
        self._all("PRAGMA synchronous = OFF")

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with super().transaction() as connection:
            yield _Stepping(connection, self._fuse)


@cache
def _empty() -> bytes:
    """Return the file of a new run log: making one afresh waits for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        SqliteRunLog(path, holder=True).close()
        return path.read_bytes()


class SqliteStore:
    """A SqliteRunLog in a file; a crash goes on with the bytes that lay on the disk.

    Database and WAL are copied as they are at the moment of the crash, without shared memory: what
    the dead process had in its hands is closed by nobody, and the next one has to recover.
    """

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._folder = Path(tempfile.mkdtemp(prefix="flytesched-crash-"))
        self._lives = 1
        self._handles: list[SqliteRunLog] = []
        self._path.parent.mkdir()
        self._path.write_bytes(_empty())
        self.eye = self.open()

    @property
    def _path(self) -> Path:
        return self._folder / str(self._lives) / "runs.db"

    def open(self) -> SqliteRunLog:
        self._handles.append(SteppingRunLog(self._path, self._fuse))
        return self._handles[-1]

    def freeze(self) -> None:
        old = self._path
        self._lives += 1
        self._path.parent.mkdir()
        for ending in ("", "-wal"):
            # Not linked: the dead process may still write, as far as SQLite can tell.
            shutil.copyfile(f"{old}{ending}", f"{self._path}{ending}")

    def crash(self) -> None:
        for handle in self._handles:
            handle.close()
        self._handles.clear()
        self.eye = self.open()

    def close(self) -> None:
        for handle in self._handles:
            handle.close()
        shutil.rmtree(self._folder)

    def runs(self) -> Sequence[Run]:
        return [*map(to_run, self.eye._all(f"SELECT {RUN_COLUMNS} FROM runs ORDER BY seq"))]

    def run(self, run_id: str) -> Run | None:
        return next(iter(self.eye.runs([run_id])), None)

    def gaps(self) -> Sequence[Gap]:
        return self.eye.gaps()

    def notices(self) -> Sequence[Notice]:
        return self.eye.notices(limit=2**31)

    def states(self) -> dict[str, ScheduleState]:
        return self.eye.states()

    def open_missed(self) -> dict[str, int] | None:
        return self.eye.open_missed()


# -- who watches ----------------------------------------------------------------------------


class WatchedRunLog:
    """Tells the truth of every commit, at once."""

    def __init__(self, stage: Stage, inner: Any) -> None:
        self._stage, self._inner = stage, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = self._inner.apply(decision)
        self._stage.wrote(decision, lost)
        return lost


class FaultyRunLog:
    """Cannot be used for a while; or says so of a write that a crash will bring to light.

    With SQLite that happens when the last fsync of a commit fails: nobody sees the transaction,
    and the next writer writes over it; but its frames are whole, and if all processes die before
    that, recovery takes them for committed.
    """

    def __init__(self, stage: Stage, inner: Any) -> None:
        self._stage, self._inner = stage, inner

    def __getattr__(self, name: str) -> Any:
        if name in {"active", "attempt", "last_verdict", "close_caught_up"}:
            self._refuse()
        return getattr(self._inner, name)

    def apply(self, decision: Decision) -> frozenset[str]:
        self._refuse()
        if self._stage.sync_fails:
            self._stage.sync_fails -= 1
            self._stage.haunt(decision)
            raise RunLogBusy("the run log cannot be used right now: disk I/O error")
        return self._inner.apply(decision)

    def _refuse(self) -> None:
        if self._stage.clock.elapsed < self._stage.busy_until:
            raise RunLogBusy("the run log cannot be used right now: database is locked")


class WatchedWorld(World):
    """Remembers everything that was ever started in it."""

    truth: Truth

    def start(self, key: AttemptKey, process: Process) -> int:
        if key in self.started:
            self.truth.deny(f"{key} was started twice")
        self.truth.processes[key] = process
        return super().start(key, process)

    def crash(self) -> None:
        self._vanish(lambda process: not process.survive)
        super().crash()

    def reboot(self) -> None:
        self._vanish(lambda process: not (process.survive and self.ended(process)))
        super().reboot()

    def _vanish(self, which: Callable[[Process], bool]) -> None:
        gone = {key for key, process in self.processes.items() if which(process)}
        self.truth.vanished |= gone


class WatchedLauncher(FakeLauncher):
    """Holds what is started, signalled and forgotten to what is durable."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.clock, stage.fate, stage.world)
        self._stage, self._truth = stage, stage.truth

    def start(self, order: Order) -> Any:
        self._truth.check_start(order.attempt.key, self._stage.store.run(order.run.id))
        return super().start(order)

    def adopt(self, attempt: Attempt) -> Any:
        if self._stage.clock.elapsed < self._stage.unread_until:
            raise OSError(24, "Too many open files")
        return super().adopt(attempt)

    def terminate(self, key: AttemptKey) -> None:
        self._truth.check_signal(key, self._stage.store.run(key.run))
        super().terminate(key)

    def kill(self, key: AttemptKey) -> None:
        self._truth.check_signal(key, self._stage.store.run(key.run))
        super().kill(key)

    def forget(self, keys: Any) -> None:
        keys = [*keys]
        for key in keys:
            self._truth.check_forgotten(key, self._stage.store.run(key.run))
        super().forget(keys)


class WatchedHook(RecordingHook):
    """Holds what is told to what is durable, and to once."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(CHANNELS)
        self._stage = stage

    def tell(self, told: Told) -> None:
        stored = None if told.run is None else self._stage.store.run(told.run.id)
        self._stage.truth.check_told(told, stored)


# -- all of it ------------------------------------------------------------------------------

#: What may become of a command, or of its start.
MOODS: dict[str, Fate | Exception] = {
    "quick": Fate(seconds=1),
    "at once": Fate(seconds=0),
    "fails": Fate(seconds=2, exit_code=7),
    "another success": Fate(seconds=1, exit_code=3),
    "long": Fate(seconds=25),
    "endless": Fate(seconds=None),
    "hesitates": Fate(seconds=None, heeds_term=1.5),
    "deaf": Fate(seconds=None, heeds_term=None),
    "orphaned": Fate(seconds=2, end=End.LOST, exit_code=None, reason="supervisor died"),
    "not now": StartDelayed("no more processes"),
    "not ever": StartError("no such command"),
}


class Source:
    """A ScheduleSource that is edited between two steps."""

    def __init__(self) -> None:
        self.schedules: dict[str, Schedule] = {}
        self.news = False

    def put(self, schedules: dict[str, Schedule]) -> None:
        self.schedules, self.news = schedules, True

    def poll(self) -> Roster | None:
        news, self.news = self.news, False
        return Roster(schedules=self.schedules) if news else None


@dataclass(slots=True)
class Ghost:
    """A decision that is not written, unless nobody lives to write over it."""

    decision: Decision
    now: float
    schedules: dict[str, Schedule]


class Stage:
    """One machine: its clock, its disk, its processes, and at most one scheduler."""

    def __init__(self, make_store: Callable[[Fuse], Any], plant: Plant, limits: Limits):
        self.fuse, self.clock = Fuse(), FakeClock(NOON)
        self.store = make_store(self.fuse)
        self.world = WatchedWorld()
        self.truth = self.world.truth = Truth(self.clock, self.world)
        self.source = Source()
        self.plant, self.limits = plant, limits
        self.moods: dict[str, str] = {}
        self.busy_until = self.unread_until = 0.0
        self.sync_fails = 0
        self.ghost: Ghost | None = None
        self.loop: Any = None
        self.other = self.another()

    # -- processes ---------------------------------------------------------------------------

    def another(self) -> WatchedRunLog:
        """Return the run log as a process beside the scheduler has it."""
        return WatchedRunLog(self, self.store.open())

    def boot(self, own: frozenset[str] | None = None) -> None:
        """Start a scheduler, or with ``own`` a command that does just its own work."""
        self.loop = None
        step = lambda inner: Stepped(inner, self.fuse)  # noqa: E731
        runlog = self.plant.runlog(self, FaultyRunLog(self, WatchedRunLog(self, self.store.open())))
        launcher = self.plant.launcher(self, WatchedLauncher(self))
        self.source.news = True
        hook = self.plant.hook(self, WatchedHook(self))
        loop = Loop(
            clock=self.clock, source=step(self.source), runlog=step(runlog),
            launcher=step(launcher), hook=Stepped(hook, self.fuse, pure=("wants", "notices")),
            journal=step(RecordingJournal()), limits=self.limits, own=own,
        )  # fmt: skip
        loop.start()
        self.loop = loop

    def go(self, seconds: float) -> None:
        """Let the scheduler work for some time."""
        until = self.clock.now() + seconds
        for _ in range(WILD):
            wake_at = self.loop.tick(self.clock.now())
            if self.clock.now() >= until:
                return
            self.clock.wait(until if wake_at is None else min(until, wake_at))
            self.truth.pass_time()
        self.truth.deny("the loop turns without end")

    def sleep(self, seconds: float) -> None:
        """Let time pass with no scheduler."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.wait(until)
        self.truth.pass_time()

    def die(self) -> None:
        """Kill the scheduler at this very step."""
        self.store.freeze()
        raise Crash

    def bury(self, *, reboot: bool) -> None:
        """Let the world go on without the scheduler that died."""
        self.fuse.put_out()
        self.loop = None
        self.store.crash()
        self.other = self.another()
        ghost, self.ghost = self.ghost, None
        if ghost is not None:
            lost = self.store.open().apply(ghost.decision)
            self.truth.committed(ghost.decision, lost, ghost.now, ghost.schedules)
        if reboot:
            self.world.reboot()
        else:
            self.world.crash()

    # -- what is written ---------------------------------------------------------------------

    def wrote(self, decision: Decision, lost: frozenset[str]) -> None:
        self.ghost = None
        self.truth.committed(decision, lost, self.clock.now(), self.source.schedules)

    def haunt(self, decision: Decision) -> None:
        self.ghost = Ghost(decision, self.clock.now(), dict(self.source.schedules))

    def wished(self) -> None:
        """Note that another process has written."""
        self.ghost = None

    def fate(self, order: Order) -> Fate:
        said = MOODS[self.moods.get(order.run.schedule, "quick")]
        if isinstance(said, Fate):
            return said
        if isinstance(said, StartError):
            self.truth.unstartable.add(order.attempt.key)
        raise said

    def look(self) -> None:
        """Hold everything that is stored to the truth."""
        runs = self.store.runs()
        self.truth.look(runs, self.store.gaps(), self.store.states(), self.store.open_missed())
        for what in denied(runs, self.store.notices(), self.truth.removed):
            self.truth.deny(what)
