"""A scheduler over fakes, for tests that read as stories."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core.protocols import Order, Roster
from flytesched.core.runs import RunStatus
from flytesched.core.schedule import Schedule
from flytesched.errors import Invalid, RunLogBusy
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
    from collections.abc import Callable

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


class Source:
    """A ScheduleSource that a test edits, or breaks."""

    def __init__(self) -> None:
        self.news: Roster | Invalid | None = None

    def poll(self) -> Roster | None:
        news, self.news = self.news, None
        if isinstance(news, Invalid):
            raise news
        return news


class MoodyRunLog(MemoryRunLog):
    """A run log that may be locked by an outsider."""

    locked = False
    #: Whether it is locked just when it should be told that runs have begun.
    locked_for_marks = False

    def apply(self, decision: Any) -> frozenset[str]:
        begun = {move.run.status for move in decision.moves} == {RunStatus.RUNNING}
        if self.locked or (self.locked_for_marks and begun):
            raise RunLogBusy("locked")
        return super().apply(decision)


#: How long before its time a slot may be claimed, as in real life.
LEAD = timedelta(seconds=0.8)


@dataclass
class Stage:
    """A machine in a test tube."""

    fate: Callable[[Order], Fate] = lambda _order: Fate()
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    runlog: MoodyRunLog = field(default_factory=MoodyRunLog)
    world: World = field(default_factory=World)
    journal: RecordingJournal = field(default_factory=RecordingJournal)
    hook: RecordingHook = field(default_factory=RecordingHook)
    source: Source = field(default_factory=Source)
    schedules: tuple[Schedule, ...] = ()
    loop: Any = None

    def put(self, *schedules: Schedule) -> None:
        self.schedules = schedules
        self.source.news = Roster(schedules={one.name: one for one in schedules})

    def boot_broken(self) -> None:
        """Start a scheduler that cannot read the schedules."""
        self.boot(broken=True)

    def boot(
        self, own: frozenset[str] | None = None, *, broken: bool = False, **limits: Any
    ) -> None:
        """Start a scheduler in this world."""
        self.put(*self.schedules)
        if broken:
            self.source.news = Invalid("line 3 is odd")
        self.launcher = FakeLauncher(self.clock, lambda order: self.fate(order), world=self.world)
        self.loop = Loop(
            clock=self.clock, source=self.source, runlog=self.runlog, launcher=self.launcher,
            hook=self.hook, journal=self.journal, limits=Limits(**{"lead": LEAD} | limits),
            own=own,
        )  # fmt: skip
        self.loop.start()
        self.loop.tick(self.clock.now())

    def go(self, seconds: float) -> None:
        """Let time pass."""
        until = self.clock.now() + seconds
        while True:
            wake_at = self.loop.tick(self.clock.now())
            if self.clock.now() >= until:
                return
            self.clock.wait(until if wake_at is None else min(until, wake_at))

    def sleep(self, seconds: float) -> None:
        """Let time pass with no scheduler."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.wait(until)

    def verdicts(self, name: str = "x") -> list[str]:
        runs = [run for run in self.runlog.all_runs() if run.schedule == name]
        return [run.verdict() for run in sorted(runs, key=lambda r: (r.scheduled_at or 0, r.seq))]

    def says(self, event: str) -> int:
        return sum(event in str(line) for line in self.journal.lines)


def every(seconds: int, **keys: Any) -> Schedule:
    return Schedule("x", every=f"{seconds}s", command="true", **keys)
