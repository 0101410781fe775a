"""Claims and adoption as a state machine, with a crash between any two steps.

Time passes, clocks are set, schedules come, change and go, commands do what commands do, other
processes have their wishes, the run log is locked; and the scheduler dies at any step of all that,
over the run log in memory and over the one in SQLite.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from crash_notices import TOLD, WHEN
from crash_plants import NO_PLANT, PLANTS, Plant
from crash_stage import MOODS, NOON, Crash, MemoryStore, SqliteStore, Stage
from crash_truth import CODES, KINDS, LATE, LEAD, TIMES
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from flytesched.core.decision import Decision
from flytesched.core.policies import CatchupPolicy
from flytesched.core.runs import IN_PLACE, AttemptKey, Origin, Run, RunStatus, request_id, run_id
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.on_holiday import every_slot
from flytesched.scheduler.loop import Limits
from flytesched.service.catchup import Choice, queue_open, record_missed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = sorted(CODES)
DAY = 86_400.0
names = st.sampled_from(NAMES)
moods = st.sampled_from(sorted(MOODS))
#: From one slot to the next, to beyond ``missed_after``.
whiles = st.sampled_from([0.0, 0.5, 3.0, 5.0, 7.5, 12.0, 20.0, 31.0])
outages = st.sampled_from([0.0, 0.5, 4.0, 11.0, 45.0, 300.0, 7200.0, 2 * DAY])
steps = st.integers(1, 70)
WISHES = ["run", "run the slot", "backfill", "catch up", "decline", "cancel", "withdraw"]
wishes = st.tuples(st.sampled_from(WISHES), names, st.integers(0, 5))
definitions = st.fixed_dictionaries(
    {
        "when": st.sampled_from(sorted(TIMES)),
        "enabled": st.sampled_from([True, True, True, False]),
        "catchup": st.sampled_from(["all", "latest", "none"]),
        "catchup_limit": st.sampled_from([1, 3]),
        "catchup_window": st.sampled_from(["1m", "1d"]),
        "queue_limit": st.integers(1, 2),
        "timeout": st.sampled_from([None, "2s", "6s"]),
        "kill_after": st.sampled_from(["1s", "3s"]),
        "attempts": st.integers(1, 3),
        "on_interrupted": st.sampled_from(["mark", "rerun"]),
        "survive": st.sampled_from([True, True, False]),
        "jitter": st.sampled_from(["0s", "0s", "3s"]),
    }
)
overlaps = st.sampled_from(["skip", "queue", "allow", "replace"])
limits = st.builds(
    Limits,
    places=st.sampled_from([0, 0, 1, 2]),
    start_rate=st.sampled_from([0.0, 0.5]),
    lead=st.sampled_from([timedelta(), timedelta(seconds=LEAD)]),
)


class CrashMachine(RuleBasedStateMachine):
    """A scheduler over the run log in memory."""

    make_store: Any = MemoryStore
    plant: Plant = NO_PLANT

    @initialize(
        overlap=st.fixed_dictionaries(dict.fromkeys(NAMES, overlaps)), limits=limits,
        first=definitions,
    )  # fmt: skip
    def begin(self, overlap: dict[str, str], limits: Limits, first: dict[str, Any]) -> None:
        self.stage = Stage(self.make_store, self.plant, limits)
        self.stage.truth.overlap = overlap
        self.define("a", first)
        self.boot()

    # -- time --------------------------------------------------------------------------------

    @rule(seconds=whiles)
    def time_passes(self, seconds: float) -> None:
        self.live(seconds)

    @rule(seconds=st.sampled_from([-7000.0, -300.0, -47.0, -8.0, 8.0, 47.0, 300.0, DAY]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.stage.clock.step(seconds)
        self.stage.truth.pass_time()
        self.live(0.0)

    # -- definitions and commands --------------------------------------------------------------

    @rule(name=names, definition=definitions)
    def define(self, name: str, definition: dict[str, Any]) -> None:
        """Add a schedule, or change it: its timing, its policies, whether it is enabled."""
        self.edit({name: self.schedule(name, **definition)})

    @rule(name=names)
    def switch(self, name: str) -> None:
        """Disable a schedule, or enable it."""
        old = self.stage.source.schedules.get(name)
        if old is not None:
            self.edit({name: old.with_(enabled=not old.enabled)})

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.edit({name: None})

    @rule(name=names, mood=moods)
    def commands_change(self, name: str, mood: str) -> None:
        self.stage.moods[name] = mood

    # -- faults --------------------------------------------------------------------------------

    @rule(seconds=whiles)
    def the_run_log_is_locked(self, seconds: float) -> None:
        self.stage.busy_until = self.stage.clock.elapsed + seconds

    @rule(seconds=whiles)
    def records_cannot_be_read(self, seconds: float) -> None:
        self.stage.unread_until = self.stage.clock.elapsed + seconds

    @rule(times=st.integers(1, 2))
    def the_disk_fails(self, times: int) -> None:
        self.stage.sync_fails = times

    @rule(
        step=steps, seconds=whiles, out=outages, again=st.lists(st.integers(1, 40), max_size=2),
        reboot=st.sampled_from([False, False, True]), between=st.sampled_from([None, *NAMES]),
    )  # fmt: skip
    def crash(
        self,
        *,
        step: int,
        seconds: float,
        out: float,
        again: list[int],
        reboot: bool,
        between: str | None,
    ) -> None:
        """Kill the scheduler at a step, and perhaps the next ones while they recover."""
        self.until_it_dies(step, lambda: self.stage.go(seconds))
        self.bury(out, reboot=reboot)
        if between is not None:
            self.record_and_catch_up(between)
        for number in again:
            self.until_it_dies(number, self.live_again)
            self.bury(0.0, reboot=False)
        self.boot()

    @rule(out=outages, name=names, step=st.integers(1, 120), seconds=whiles)
    def hand_over(self, out: float, name: str, step: int, seconds: float) -> None:
        """Stop the scheduler; a command does its own work meanwhile, as far as it comes."""
        self.stage.loop.stopping = True
        self.stage.go(0.0)
        self.kill()
        self.bury(out, reboot=False)
        if (wish := self.ask_for(name)) is not None:
            self.until_it_dies(step, lambda: self.do_own(wish, seconds))
            self.bury(0.0, reboot=False)
        self.boot()

    # -- other processes -------------------------------------------------------------------------

    @rule(wish=wishes)
    def somebody_wishes(self, wish: tuple[str, str, int]) -> None:
        self.wish(*wish)

    @rule(wish=wishes, step=steps, seconds=whiles)
    def meanwhile(self, wish: tuple[str, str, int], step: int, seconds: float) -> None:
        """Let a wish come between two steps of the scheduler."""
        self.stage.fuse.light(step, lambda: self.wish(*wish))
        self.live(seconds)
        if self.stage.fuse.put_out():
            self.wish(*wish)

    def wish(self, what: str, name: str, number: int) -> None:
        stage, now = self.stage, self.stage.clock.now()
        match what:
            case "run":
                self.ask_for(name)
            case "run the slot" if name in stage.source.schedules:
                slot = self.slots(name, number + 1)[0]
                self.request(name, Origin.MANUAL, slot)
            case "backfill" if name in stage.source.schedules:
                self.backfill(name, number + 1)
            case "catch up":
                choice = Choice(names=frozenset({name}), limit=number)
                queue_open(stage.other, stage.source.schedules, choice, now)
            case "decline":
                until = None if number % 2 else int(now) - 10 * number
                none = Choice(names=frozenset({name}), until=until, policy=CatchupPolicy.NONE)
                queue_open(stage.other, stage.source.schedules, none, now)
            case "cancel":
                self.cancel([run for run in stage.store.runs() if run.active], number)
            case "withdraw":
                ids = [run.id for run in stage.store.runs() if run.active][: number + 1]
                stage.truth.withdrawn |= {*stage.other.withdraw(ids)}
        stage.wished()

    def ask_for(self, name: str) -> Run | None:
        """Ask for a run beside the slots."""
        return self.request(name, Origin.MANUAL, None)

    def request(self, name: str, origin: Origin, slot: int | None) -> Run | None:
        if name not in self.stage.source.schedules:
            return None
        now = self.stage.clock.now()
        said = run_id(name, slot) if slot is not None else request_id(origin, name, now)
        stored = self.stage.other.request(
            Run(
                id=said, schedule=name, scheduled_at=slot, origin=origin,
                status=RunStatus.QUEUED, created=now,
            )
        )  # fmt: skip
        if stored is not None:
            self.stage.truth.requested.add(stored.id)
        return stored

    def backfill(self, name: str, number: int) -> None:
        """Ask for past slots that nobody ever decided."""
        stage, now = self.stage, self.stage.clock.now()
        ran = {run.id for run in stage.store.runs()}
        kind = KINDS[stage.source.schedules[name].timing.text]
        runs = [
            Run(
                id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.BACKFILL,
                status=RunStatus.QUEUED, created=now,
            )
            for slot in self.slots(name, number)
            if run_id(name, slot) not in ran and kind.has(slot)
        ]  # fmt: skip
        stage.truth.requested |= {run.id for run in runs}
        stage.other.apply(Decision(runs=tuple(runs)))

    def slots(self, name: str, number: int) -> Sequence[int]:
        """Return the newest slots of a schedule up to its cursor, the oldest first.

        Those that are left out for a holiday are among them: somebody may ask for one by its time.
        """
        states = self.stage.store.states()
        known = states[name].cursor if name in states else NOON
        last = min(known, int(self.stage.clock.now()))
        table = every_slot(self.stage.source.schedules[name].timing)
        found = [last + 1]
        for _ in range(number):
            found.insert(0, table.previous(found[0]) or 0)
        return found[:-1]

    def cancel(self, active: Sequence[Run], number: int) -> None:
        if not active:
            return
        run, truth = active[number % len(active)], self.stage.truth
        if run.status in IN_PLACE:
            if self.stage.other.note_end(run.id, "cancelled(by user)"):
                truth.meant[AttemptKey(run.id, run.attempt)] = "cancelled(by user)"
        elif self.stage.other.cancel_waiting(run.id, "by user", self.stage.clock.now()):
            truth.cancelled.add(run.id)

    def record_and_catch_up(self, name: str) -> None:
        """Do what ``flytesched catchup`` does while no scheduler runs."""
        stage, now = self.stage, self.stage.clock.now()
        record_missed(stage.other, stage.source.schedules, now, LATE)
        self.wish("catch up", name, 2)

    # -- lives -----------------------------------------------------------------------------------

    def schedule(self, name: str, *, when: str, attempts: int, **keys: Any) -> Schedule:
        told = dict.fromkeys(["on_success", "on_failure", "on_missed", "on_recovered"], "true")
        return Schedule(
            name, command="true", overlap=self.stage.truth.overlap[name],
            retry={"max_attempts": attempts, "delay": "1s"}, success_exit_codes=CODES[name],
            **TIMES[when][0], **told, **TOLD[name], **WHEN, **keys,
        )  # fmt: skip

    def edit(self, changes: dict[str, Schedule | None]) -> None:
        self.stage.truth.removed |= {name for name, one in changes.items() if one is None}
        schedules = {**self.stage.source.schedules, **changes}
        self.stage.source.put({name: one for name, one in schedules.items() if one is not None})

    def live(self, seconds: float) -> None:
        """Let time pass with a scheduler that works."""
        self.stage.go(seconds)
        self.stage.look()
        if self.stage.clock.elapsed > self.stage.busy_until and not self.stage.sync_fails:
            self.stage.go(0.3)  # what could not be written is tried again
            self.stage.look()
            self.stage.truth.check_up_to_date()

    def boot(self) -> None:
        self.stage.boot()
        self.live(0.0)

    def live_again(self) -> None:
        self.stage.boot()
        self.stage.go(1.0)

    def do_own(self, wish: Run, seconds: float) -> None:
        self.stage.boot(frozenset({wish.id}))
        self.stage.go(seconds)

    def until_it_dies(self, step: int, life: Callable[[], None]) -> None:
        """Let a life go on until it dies at a step, or else at its end."""
        self.stage.fuse.light(step, self.stage.die, anywhere=True)
        try:
            life()
        except Crash:
            return
        self.kill()

    def kill(self) -> None:
        self.stage.fuse.put_out()
        self.stage.store.freeze()

    def bury(self, seconds: float, *, reboot: bool) -> None:
        self.stage.bury(reboot=reboot)
        self.stage.look()
        self.stage.sleep(seconds)

    # -- always ------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_wrong(self) -> None:
        if (stage := getattr(self, "stage", None)) is not None and not stage.truth.wrong:
            stage.look()
        assert stage is None or not stage.truth.wrong, stage.truth.wrong[0]

    def teardown(self) -> None:
        """With the faults gone, everything comes to its verdict and nothing is lost."""
        if (stage := getattr(self, "stage", None)) is None:
            return
        try:
            if not stage.truth.wrong and stage.loop is not None:
                self.come_to_rest()
            assert not stage.truth.wrong, stage.truth.wrong[0]
        finally:
            stage.store.close()

    def come_to_rest(self) -> None:
        stage = self.stage
        stage.fuse.put_out()
        stage.busy_until = stage.unread_until = stage.sync_fails = 0
        stage.moods.clear()
        self.live(13.0)
        self.edit({name: one.with_(enabled=False) for name, one in stage.source.schedules.items()})
        for _ in range(100):
            self.live(30.0)
            active = [run for run in stage.store.runs() if run.active]
            if not active or stage.truth.wrong:
                break
            # Who waits for a time waits long when the clock was set back.
            later = max(run.not_before for run in active) - stage.clock.now()
            self.live(max(later, 0.0))
            for number, run in enumerate(active):
                process = stage.truth.processes.get(AttemptKey(run.id, run.attempt))
                if process is not None and process.ends is None:
                    self.cancel(active, number)
        stage.truth.hold(not active, f"no verdict in the end: {active}")


class SqliteCrashMachine(CrashMachine):
    """The same over the run log in SQLite: a crash goes on with the bytes that lay on the disk."""

    make_store = SqliteStore


COMMON = {
    "deadline": None, "database": None, "suppress_health_check": list(HealthCheck),
}  # fmt: skip
#: Without shrinking: that a bug is found is all that is asked, not its shortest story.
FINDING = settings(
    max_examples=3000, stateful_step_count=40, derandomize=True, phases=[Phase.generate],
    report_multiple_bugs=False, **COMMON,
)  # fmt: skip
THOROUGH = settings(max_examples=10_000, stateful_step_count=60, **COMMON)
#: Plants that are looked for over SQLite too: one each of cursor, claim and evidence.
OVER_SQLITE = ["the cursor before the claim", "a start after a busy commit", "a lost adoption"]

TestInMemory = CrashMachine.TestCase
TestInMemory.settings = settings(max_examples=400, stateful_step_count=40, **COMMON)
TestInSqlite = SqliteCrashMachine.TestCase
TestInSqlite.settings = settings(max_examples=100, stateful_step_count=40, **COMMON)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    """A machine that cannot fail proves nothing."""
    find(CrashMachine, PLANTS[name])


@pytest.mark.parametrize("name", OVER_SQLITE)
def test_a_planted_bug_is_found_over_sqlite(name: str) -> None:
    find(SqliteCrashMachine, PLANTS[name])


def find(machine: type[CrashMachine], plant: Plant) -> None:
    planted = type("Planted", (machine,), {"plant": plant})
    with pytest.raises(AssertionError, match=plant.said):
        run_state_machine_as_test(planted, settings=FINDING)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("machine", [CrashMachine, SqliteCrashMachine])
def test_ten_thousand_stories_lose_nothing_and_start_nothing_twice(
    machine: type[CrashMachine],
) -> None:
    run_state_machine_as_test(machine, settings=THOROUGH)
