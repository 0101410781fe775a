"""The public fakes keep the promises of what they stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flytesched.core.decision import Decision
from flytesched.core.protocols import Adoption, Order, Told
from flytesched.core.runs import Attempt, AttemptKey, End, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.events import Event
from flytesched.errors import RunLogBusy, StartDelayed
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
    from flytesched.core.protocols import Clock, Hook, Journal, Launcher, RunLog

NOON = 1_795_262_400.0
KEY = AttemptKey("sched-backup-1", 1)


def test_the_fakes_are_what_the_scheduler_takes() -> None:
    """A type checker holds them to the protocols; here they are handed over at least."""
    clock: Clock = FakeClock(NOON)
    launcher: Launcher = FakeLauncher(FakeClock(NOON))
    runlog: RunLog = MemoryRunLog()
    hook: Hook = RecordingHook()
    journal: Journal = RecordingJournal()
    assert all((clock, launcher, runlog, hook, journal))


# -- the clock ------------------------------------------------------------------------------------


def test_a_wait_jumps_to_its_end_and_never_ends_early() -> None:
    clock = FakeClock(NOON)
    for until in (NOON + 0.1, NOON + 1e-7 + 0.1, NOON + 3600.3, NOON):
        clock.wait(until)
        assert until <= clock.now() < max(until, NOON + 3600.3) + 1e-5


@given(st.floats(1e9, 4e9), st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_no_rounding_makes_a_wait_end_early(start: float, waits: list[float]) -> None:
    clock = FakeClock(start)
    for wait in waits:
        until = clock.now() + wait
        clock.wait(until)
        assert until <= clock.now() < until + 1e-5


def test_an_alarm_ends_a_wait() -> None:
    clock = FakeClock(NOON)
    clock.alarm(NOON + 5)
    clock.wait(NOON + 60)
    assert clock.now() == NOON + 5
    clock.wait(NOON + 60)
    assert clock.now() == NOON + 60


def test_a_wait_for_news_alone_ends_with_an_alarm_or_not_at_all() -> None:
    clock = FakeClock(NOON)
    clock.alarm_after(7)
    clock.wait(None)
    assert clock.now() == NOON + 7
    with pytest.raises(RuntimeError, match="nothing would ever end this wait"):
        clock.wait(None)


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_step_sets_the_clock_ends_a_wait_and_lets_no_time_pass(seconds: float) -> None:
    clock = FakeClock(NOON)
    clock.alarm_after(10)
    clock.step(seconds)
    assert (clock.now(), clock.elapsed) == (NOON + seconds, 0.0)
    clock.wait(NOON + seconds + 60)
    assert clock.now() == NOON + seconds
    clock.wait(NOON + seconds + 60)
    assert (clock.now(), clock.elapsed) == (NOON + seconds + 10, 10.0)


def test_news_ends_one_wait() -> None:
    clock = FakeClock(NOON)
    clock.wake()
    clock.wait(NOON + 60)
    assert clock.now() == NOON
    clock.wait(NOON + 60)
    assert clock.now() == NOON + 60


# -- the launcher ---------------------------------------------------------------------------------


def an_order(launcher: FakeLauncher, *, survive: bool = True, attempt: int = 1) -> Order:
    """Return the order of a claimed run."""
    schedule = Schedule("backup", every="1m", command="true", survive=survive)
    run = Run(
        id=KEY.run, schedule="backup", scheduled_at=1, origin=Origin.SCHEDULE,
        status=RunStatus.CLAIMED, created=NOON, attempt=attempt,
    )  # fmt: skip
    planned = launcher.plan(run, schedule, attempt, NOON)
    return Order(run=run, attempt=planned, schedule=schedule, kickoff_at=1)


def test_an_attempt_ends_when_its_time_has_passed_as_its_fate_says() -> None:
    clock = FakeClock(NOON)
    launcher = FakeLauncher(clock, lambda _: Fate(seconds=30, exit_code=3))
    launcher.start(an_order(launcher))
    clock.wait(NOON + 10)
    assert launcher.collect() == []
    clock.wait(NOON + 3600)
    assert clock.now() == NOON + 30
    (outcome,) = launcher.collect()
    assert (outcome.key, outcome.end, outcome.exit_code) == (KEY, End.EXITED, 3)
    assert outcome.ended == NOON + 30
    assert launcher.collect() == []


def test_the_moment_of_an_end_is_its_own_however_late_it_is_collected() -> None:
    clock = FakeClock(NOON)
    launcher = FakeLauncher(clock, lambda _: (30, 0))
    launcher.start(an_order(launcher))
    clock.wait(None)
    clock.wait(NOON + 100)
    assert [outcome.ended for outcome in launcher.collect()] == [NOON + 30]


def test_an_attempt_is_never_started_twice() -> None:
    launcher = FakeLauncher(FakeClock(NOON))
    launcher.start(an_order(launcher))
    launcher.forget([KEY])
    with pytest.raises(AssertionError, match="started twice"):
        launcher.start(an_order(launcher))


def test_a_start_that_fails_starts_nothing() -> None:
    def no_memory(_order: Order) -> Fate:
        msg = "no memory"
        raise StartDelayed(msg)

    launcher = FakeLauncher(FakeClock(NOON), no_memory)
    with pytest.raises(StartDelayed):
        launcher.start(an_order(launcher))
    assert launcher.world.started == set()


SIGNALS = [
    # heeds_term, signals, code, after
    (0.0, ["TERM"], 143, 0),
    (4.0, ["TERM"], 143, 4),
    (None, ["TERM"], 0, 60),
    (None, ["TERM", "KILL"], 137, 0),
    (4.0, ["KILL"], 137, 0),
]


@pytest.mark.parametrize(("heeds_term", "signals", "code", "after"), SIGNALS)
def test_signals_end_an_attempt_as_it_heeds_them(
    heeds_term: float | None, signals: list[str], code: int, after: float
) -> None:
    clock = FakeClock(NOON)
    launcher = FakeLauncher(clock, lambda _: Fate(seconds=60, heeds_term=heeds_term))
    launcher.start(an_order(launcher))
    for signal in signals:
        {"TERM": launcher.terminate, "KILL": launcher.kill}[signal](KEY)
    outcomes = [*launcher.collect()]
    while not outcomes:
        clock.wait(None)
        outcomes += launcher.collect()
    assert [(o.exit_code, o.ended) for o in outcomes] == [(code, NOON + after)]
    assert launcher.signals == [(signal, KEY) for signal in signals]


def test_a_signal_to_nobody_does_nothing() -> None:
    launcher = FakeLauncher(FakeClock(NOON))
    launcher.terminate(KEY)
    launcher.kill(KEY)
    assert launcher.collect() == []


ADOPTIONS = [
    # started, survive, what happens, found
    (True, True, "crash", Adoption.FOLLOWED),
    (True, False, "crash", Adoption.LOST),
    (False, True, "crash", Adoption.NEVER_STARTED),
    (False, False, "crash", Adoption.LOST),
    (True, True, "reboot", Adoption.LOST),
    (False, True, "reboot", Adoption.LOST),
]


@pytest.mark.parametrize(("started", "survive", "happens", "found"), ADOPTIONS)
def test_a_new_launcher_finds_what_outlived_the_old_one(
    started: bool,
    survive: bool,
    happens: str,
    found: Adoption,
) -> None:
    clock, world = FakeClock(NOON), World()
    launcher = FakeLauncher(clock, lambda _: (60, 5), world)
    order = an_order(launcher, survive=survive)
    if started:
        launcher.start(order)
    getattr(world, happens)()
    heir = FakeLauncher(clock, lambda _: (60, 0), world)
    assert heir.adopt(order.attempt) is found
    clock.wait(NOON + 60)
    outcomes = [(outcome.exit_code, outcome.ended) for outcome in heir.collect()]
    assert outcomes == ([(5, NOON + 60)] if found is Adoption.FOLLOWED else [])


def test_the_exit_code_of_what_ended_meanwhile_is_found_even_after_a_reboot() -> None:
    clock, world = FakeClock(NOON), World()
    launcher = FakeLauncher(clock, lambda _: (60, 5), world)
    order = an_order(launcher)
    launcher.start(order)
    clock.wait(NOON + 100)
    world.reboot()
    heir = FakeLauncher(clock, world=world)
    assert heir.boot_id != order.attempt.boot_id
    assert heir.adopt(order.attempt) is Adoption.FOLLOWED
    assert [outcome.exit_code for outcome in heir.collect()] == [5]


def test_what_never_ends_is_followed_until_it_is_killed() -> None:
    clock, world = FakeClock(NOON), World()
    launcher = FakeLauncher(clock, lambda _: Fate(seconds=None), world)
    order = an_order(launcher)
    launcher.start(order)
    heir = FakeLauncher(clock, world=world)
    assert heir.adopt(order.attempt) is Adoption.FOLLOWED
    clock.wait(NOON + 1e6)
    assert heir.collect() == []
    heir.kill(KEY)
    assert [outcome.exit_code for outcome in heir.collect()] == [137]


# -- the run log and the listeners -----------------------------------------------------------------


def test_a_busy_run_log_takes_and_tells_nothing() -> None:
    log = MemoryRunLog()
    log.apply(Decision(meta={"a": "b"}))
    log.busy = True
    for ask in (log.load, log.active, log.open_gaps, lambda: log.apply(Decision())):
        with pytest.raises(RunLogBusy):
            ask()
    log.busy = False
    assert log.load().meta == {"a": "b"}


def test_the_listeners_remember_what_they_were_told() -> None:
    hook, journal = RecordingHook(), RecordingJournal()
    told = Told(event=Event.MISSED, schedule=Schedule("backup", every="1m", command="true"))
    hook.tell(told)
    journal.say("info", "started", run="x", pid=2)
    assert hook.told == [told]
    assert journal.lines == [("info", "started", {"run": "x", "pid": 2})]
    assert journal.events() == ["started"]


def test_a_planned_attempt_is_no_start() -> None:
    launcher = FakeLauncher(FakeClock(NOON))
    order = an_order(launcher, attempt=2)
    assert order.attempt == Attempt(run=KEY.run, attempt=2, boot_id="boot-1", ordered=NOON)
    assert launcher.adopt(replace(order.attempt)) is Adoption.NEVER_STARTED
