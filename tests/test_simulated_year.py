"""A year of fifty schedules with outages, edits, pauses and crashes, in seconds.

The judge computes the slots that were due by its own arithmetic, from nothing but the times at
which schedules were in force, and holds the run log to PRODUCT's one count at every commit:
slots due up to the cursor = runs with a slot (backfill apart) + missed slots of gaps without a run.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flytesched.core.protocols import Roster
from flytesched.core.runs import Origin, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.parse import Timing, slots, timetable
from flytesched.scheduler.loop import Limits, Loop
from flytesched.testing import (
    FakeClock,
    FakeLauncher,
    MemoryRunLog,
    RecordingHook,
    RecordingJournal,
    World,
)

if TYPE_CHECKING:
    from flytesched.core.decision import Decision

DAY = 86_400
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z
YEAR = 365 * DAY
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]


class Source:
    """A ScheduleSource that the story edits."""

    def __init__(self, schedules: dict[str, Schedule]) -> None:
        self.schedules = schedules
        self.news = True

    def put(self, schedule: Schedule) -> None:
        self.schedules = {**self.schedules, schedule.name: schedule}
        self.news = True

    def poll(self) -> Roster | None:
        if not self.news:
            return None
        self.news = False
        return Roster(schedules=self.schedules)


def make(name: str, rng: random.Random) -> Schedule:
    """Return a schedule of any kind, under any policy."""
    when: dict[str, object] = rng.choice(
        [
            {"cron": f"{rng.randrange(60)} */{rng.choice([3, 4, 6])} * * *"},
            {"cron": f"{rng.randrange(60)} {rng.randrange(24)} * * 1-5"},
            {"cron": "30 2 * * *"},
            {"aws_cron": f"{rng.randrange(60)} {rng.randrange(24)} ? * 2-6 *"},
            {"every": rng.choice(["3h", "5h30m", "13h"])},
            {"daily": ["02:30", "14:00"]},
            {"hourly": rng.randrange(60)},
            {"cron": "15 */2 * * *", "offset": "90s"},
        ]
    )
    return Schedule(
        name,
        **when,  # type: ignore[arg-type]
        timezone=rng.choice(ZONES),
        overlap=rng.choice(["skip", "queue", "allow", "replace"]),
        queue_limit=rng.choice([1, 3, 100]),
        catchup=rng.choice(["all", "latest", "none"]),
        catchup_window=rng.choice(["6h", "1d", "7d"]),
        catchup_limit=rng.choice([1, 5, 100]),
        jitter=rng.choice(["0s", "5m"]),
        timeout=timedelta(hours=rng.choice([1, 3])),
        retry={"max_attempts": rng.choice([1, 3]), "delay": "5m"},
        on_interrupted=rng.choice(["mark", "rerun"]),
        survive=rng.random() < 0.8,
    )


@dataclass
class Judge:
    """Knows when which definition was in force, and so which slots fell due."""

    #: By schedule: (timing, from, until) of each stretch in force; until None = still.
    stretches: dict[str, list[list]] = field(default_factory=lambda: defaultdict(list))

    def in_force(self, schedule: Schedule, since: float) -> None:
        """Note that a schedule was first seen, enabled, with this timing."""
        self.stretches[schedule.name].append([schedule.timing, int(since), None])

    def over(self, name: str, until: float) -> None:
        """Note that the definition was seen to be disabled or changed."""
        if self.stretches[name] and self.stretches[name][-1][2] is None:
            self.stretches[name][-1][2] = int(until)

    def count(self, name: str, until: int) -> int:
        """Return how many slots of a schedule fell due up to ``until``."""
        ends = [(t, after, until if over is None else min(over, until))
                for t, after, over in self.stretches[name]]  # fmt: skip
        return sum(timetable(t).count(after, end) for t, after, end in ends if end > after)

    def due(self, name: str, until: int) -> set[int]:
        """Return every slot of a schedule that fell due up to ``until``."""
        found: set[int] = set()
        for timing, after, over in self.stretches[name]:
            end = until if over is None else min(over, until)
            found |= set(slots(timetable(timing), after, end))
        return found


class CountingRunLog(MemoryRunLog):
    """Checks after every commit what must hold at every commit."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge
        #: Slots with a run of their own, and slots of gaps, by schedule.
        self.accounted: Counter[str] = Counter()
        self.verdicts: dict[str, tuple] = {}
        self.starts: Counter[tuple[str, int]] = Counter()

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = super().apply(decision)
        self.hold_to_the_count(decision, lost)
        changed = [*decision.runs, *(move.run for move in decision.moves)]
        for run in changed:
            if run.id in lost:
                continue
            assert run.id not in self.verdicts, f"{run.id} changed after its verdict"
            if run.status not in set(RunStatus) - _VERDICTS:
                self.verdicts[run.id] = (run.status, run.reason)
            if run.status is RunStatus.CLAIMED:
                self.starts[run.id, run.attempt] += 1
                assert self.starts[run.id, run.attempt] == 1, f"{run.id} was claimed twice"
        return lost

    def hold_to_the_count(self, decision: Decision, lost: frozenset[str]) -> None:
        """Check the one count for every schedule whose cursor this commit moved."""
        for run in decision.runs:
            if run.id not in lost and run.origin is Origin.SCHEDULE:
                self.accounted[run.schedule] += 1
        for gap in decision.gaps:
            self.accounted[gap.schedule] += gap.count
        for name, cursor in decision.cursors.items():
            assert self.accounted[name] == self.judge.count(name, cursor), name


_VERDICTS = {
    RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED,
    RunStatus.SKIPPED, RunStatus.INTERRUPTED,
}  # fmt: skip


def check_counts(runlog: MemoryRunLog, judge: Judge, *, cursor: int) -> None:
    """Hold every schedule to the count: nothing lost, nothing twice, nothing that was not due."""
    ran: dict[str, list[int]] = defaultdict(list)
    for run in runlog.all_runs():
        if run.scheduled_at is not None and run.retry_of is None:
            ran[run.schedule].append(run.scheduled_at)
    missed: dict[str, list[int]] = defaultdict(list)
    for gap in runlog.all_gaps():
        inside = list(slots(timetable(Timing.from_text(gap.timing)), gap.after, gap.until))
        assert len(inside) == gap.count
        missed[gap.schedule] += inside
    for name in judge.stretches:
        assert len(set(ran[name])) == len(ran[name])
        assert len(set(missed[name])) == len(missed[name]), "two gaps hold one slot"
        assert set(ran[name]) | set(missed[name]) == judge.due(name, cursor)


# Half a minute of processor time; four times that where coverage is measured, on a shared core.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_year_of_fifty_schedules_loses_nothing_and_starts_nothing_twice(seed: int) -> None:
    """Outages, crashes, edits, pauses, failures and timeouts: every slot has one verdict."""
    rng = random.Random(seed)
    clock = FakeClock(BEGIN)
    world, judge = World(), Judge()
    runlog = CountingRunLog(judge)
    source = Source({f"job-{n}": make(f"job-{n}", rng) for n in range(50)})

    def behave(_order: object) -> tuple[float, int]:
        """Return how long an attempt takes, and its exit code."""
        return rng.expovariate(1 / 1200), int(rng.random() < 0.1)

    def boot() -> tuple[Loop, FakeLauncher]:
        launcher = FakeLauncher(clock, behave, world=world)
        loop = Loop(
            clock=clock, source=source, runlog=runlog, launcher=launcher, hook=RecordingHook(),
            journal=RecordingJournal(),
            limits=Limits(
                places=rng.choice([0, 10]), lead=timedelta(seconds=rng.choice([0, 0.8]))
            ),
        )  # fmt: skip
        source.news = True
        loop.start()
        return loop, launcher

    for schedule in source.schedules.values():
        judge.in_force(schedule, BEGIN)
    loop, _ = boot()
    events = 0
    while clock.now() < BEGIN + YEAR:
        until = clock.now() + rng.expovariate(1 / (2 * DAY))
        run_until(loop, clock, until)
        events += 1
        match rng.choice(["outage", "crash", "edit", "disable", "pause", "nothing"]):
            case "outage":
                world.crash()
                sleep(clock, rng.expovariate(1 / (DAY / 2)))
                if rng.random() < 0.5:
                    world.reboot()
                loop, _ = boot()
                loop.tick(clock.now())
            case "crash":
                world.crash()
                loop, _ = boot()
                loop.tick(clock.now())
            case "edit":
                name = rng.choice(sorted(source.schedules))
                old, new = source.schedules[name], make(name, rng)
                source.put(new)
                loop.tick(clock.now())
                if old.timing != new.timing or not old.enabled:
                    judge.over(name, clock.now())
                    judge.in_force(new, clock.now())
            case "disable":
                name = rng.choice(sorted(source.schedules))
                old = source.schedules[name]
                source.put(old.with_(enabled=not old.enabled))
                loop.tick(clock.now())
                if old.enabled:
                    judge.over(name, clock.now())
                else:
                    judge.in_force(old, clock.now())
            case "pause":
                name = rng.choice(sorted(source.schedules))
                old = source.schedules[name]
                if not old.enabled:
                    continue
                ends = int(clock.now()) + rng.randrange(2 * DAY)
                source.put(old.with_(paused_until=ends))
                loop.tick(clock.now())
                judge.over(name, clock.now())
                judge.in_force(old, ends - 1)
                run_until(loop, clock, ends + 1)
                source.put(source.schedules[name].with_(paused_until=None))
                loop.tick(clock.now())
        if events % 40 == 0:
            check_counts(runlog, judge, cursor=int(clock.now()))
    end = int(clock.now())
    for schedule in source.schedules.values():
        source.put(schedule.with_(enabled=False))
    drain(loop, clock)
    check_counts(runlog, judge, cursor=end)
    active = [run for run in runlog.all_runs() if run.active]
    assert not active, "every run has its verdict once everything has ended"
    by_status = Counter(run.status for run in runlog.all_runs())
    assert len(by_status) >= 5, by_status
    assert sum(run.origin is Origin.CATCHUP for run in runlog.all_runs()) > 50


def sleep(clock: FakeClock, seconds: float) -> None:
    """Let time pass with no scheduler."""
    until = clock.now() + seconds
    while clock.now() < until:
        clock.wait(until)


def run_until(loop: Loop, clock: FakeClock, until: float) -> None:
    """Tick and wait up to a moment."""
    while True:
        wake_at = loop.tick(clock.now())
        if clock.now() >= until:
            return
        clock.wait(until if wake_at is None else min(until, wake_at))


def drain(loop: Loop, clock: FakeClock) -> None:
    """Let everything that is active come to its verdict."""
    for _ in range(100_000):
        wake_at = loop.tick(clock.now())
        if not loop.active:
            return
        clock.wait(wake_at if wake_at is not None else clock.now() + 60)
