"""The loop over fakes: every turn that a machine can take, in no time at all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from loop_stage import NOON, MoodyRunLog, Stage, every

from flytesched.core.decision import Decision
from flytesched.core.runs import End, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.errors import Invalid, StartDelayed, StartError
from flytesched.scheduler.loop import Limits, Loop
from flytesched.testing import (
    FakeLauncher,
    Fate,
    MemoryRunLog,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.protocols import Adoption, Order


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_slot_is_started_at_its_second_and_succeeds(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.go(61)
    assert stage.verdicts() == ["succeeded"]
    (run,) = stage.runlog.all_runs()
    assert run.started == run.scheduled_at == NOON + 60


def test_a_start_that_is_not_possible_now_waits_and_is_said_once(stage: Stage) -> None:
    """Still claimed when the fork failed for now; no restart storm."""
    stage.put(every(60))
    trouble = StartDelayed("no more processes")
    patience = iter([trouble, trouble, trouble])

    def fate(_: Order) -> Fate:
        if (error := next(patience, None)) is not None:
            raise error
        return Fate()

    stage.fate = fate
    stage.boot()
    stage.go(62)
    assert stage.verdicts() == ["claimed"]
    stage.go(10)
    assert stage.verdicts() == ["succeeded"]
    assert stage.says("cannot start") == 1


def test_a_delayed_start_that_is_cancelled_is_never_begun(stage: Stage) -> None:
    stage.put(every(60))

    def fate(_: Order) -> Fate:
        raise StartDelayed("no more processes")

    stage.fate = fate
    stage.boot()
    stage.go(61)
    (run,) = stage.loop.active
    assert stage.loop.end([run], "cancelled(by user)")
    stage.go(1)
    assert stage.verdicts() == ["cancelled(by user)"]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StartError("no such command 'foo'"), "failed(start: no such command 'foo')"),
        (ZeroDivisionError("oops"), "failed(start: ZeroDivisionError: oops)"),
    ],
)
def test_what_can_never_start_fails_and_is_not_retried(
    stage: Stage, error: Exception, verdict: str
) -> None:
    stage.put(every(60, retry={"max_attempts": 5, "delay": "1s"}))

    def fate(_: Order) -> Fate:
        raise error

    stage.fate = fate
    stage.boot()
    stage.go(70)
    assert stage.verdicts() == [verdict]
    panics = stage.runlog.counters().get(("job_panics_total", "", ""), 0)
    assert panics == isinstance(error, ZeroDivisionError)


def test_a_failure_is_tried_again_with_growing_waits(stage: Stage) -> None:
    stage.put(every(3600, retry={"max_attempts": 3, "delay": "10s", "multiplier": 3}))
    stage.fate = lambda _: Fate(seconds=1, exit_code=2)
    stage.boot()
    stage.go(3601)
    assert stage.verdicts() == ["retry_wait(exit 2)"]
    stage.go(60)
    assert stage.verdicts() == ["failed(exit 2)"]
    (run,) = stage.runlog.all_runs()
    assert run.attempt == 3
    assert run.ended == NOON + 3600 + 1 + 10 + 1 + 30 + 1


def test_a_timeout_is_durable_before_term_and_then_kill(stage: Stage) -> None:
    stage.put(every(3600, timeout="30s", kill_after="5s"))
    stage.fate = lambda _: Fate(seconds=None, heeds_term=None)
    stage.boot()
    stage.go(3600 + 31)
    (run,) = stage.runlog.active()
    assert run.end_as == "timed_out"
    assert [word for word, _ in stage.launcher.signals] == ["TERM"]
    stage.go(5)
    assert [word for word, _ in stage.launcher.signals] == ["TERM", "KILL"]
    assert stage.verdicts() == ["timed_out"]


def test_no_signal_is_sent_while_the_intent_cannot_be_written(stage: Stage) -> None:
    stage.put(every(3600, timeout="30s"))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot()
    stage.go(3601)
    stage.runlog.locked = True
    stage.go(60)
    assert stage.launcher.signals == []
    stage.runlog.locked = False
    stage.go(2)
    assert stage.verdicts() == ["timed_out"]


def test_a_locked_run_log_delays_and_then_misses_but_loses_nothing(stage: Stage) -> None:
    stage.put(every(5, catchup="none"))
    stage.boot()
    stage.go(6)
    stage.runlog.locked = True
    stage.go(30)
    assert stage.says("not writable") == 1
    stage.runlog.locked = False
    stage.go(5)
    assert stage.says("writable again") == 1
    (gap,) = stage.runlog.all_gaps()
    assert gap.reason == "run log unavailable"
    ran = {run.scheduled_at for run in stage.runlog.all_runs()}
    missed = set(range(gap.after + 5, gap.until + 1, 5))
    assert ran | missed == set(range(NOON + 5, NOON + 41, 5))
    assert not ran & missed


def test_a_new_life_adopts_what_runs_with_its_deadline(stage: Stage) -> None:
    stage.put(every(3600, timeout="60s"))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    stage.boot()
    assert stage.says("adopted") == 1
    stage.go(55)
    assert stage.verdicts() == ["timed_out"]


def test_a_new_life_records_what_ended_meanwhile(stage: Stage) -> None:
    stage.put(every(3600))
    stage.fate = lambda _: Fate(seconds=20, exit_code=7)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    stage.sleep(300)
    stage.boot()
    stage.go(1)
    assert stage.verdicts() == ["failed(exit 7)"]


def test_what_ended_meanwhile_is_tried_again_and_told_of(stage: Stage) -> None:
    """A restart of the scheduler takes neither the retries nor the hooks away."""
    stage.put(every(3600, retry={"max_attempts": 2, "delay": "1s"}, on_failure="true"))
    stage.fate = lambda _: Fate(seconds=20, exit_code=7)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    stage.sleep(300)
    stage.boot()
    stage.go(1)
    assert stage.verdicts()[0] in {"retry_wait(exit 7)", "running"}
    stage.go(60)
    assert stage.verdicts() == ["failed(exit 7)"]
    assert [told.event for told in stage.hook.told] == ["failure"]


def test_what_cannot_survive_is_rerun_where_the_schedule_says_so(stage: Stage) -> None:
    stage.put(every(3600, survive=False, on_interrupted="rerun"))
    stage.fate = lambda order: Fate(seconds=None if order.run.attempt == 1 else 1)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    stage.boot()
    stage.go(5)
    assert stage.verdicts() == ["succeeded"]


def test_a_broken_manifest_at_start_judges_ends_by_the_last_definition_seen(stage: Stage) -> None:
    """Nothing is planned, but a retry is not given up for it."""
    stage.put(every(3600, retry={"max_attempts": 2, "delay": "1s"}))
    stage.fate = lambda _: Fate(seconds=20, exit_code=7)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    good = stage.schedules
    stage.boot_broken()
    stage.go(60)
    assert stage.verdicts() == ["retry_wait(exit 7)"]
    assert stage.says("nothing is planned") == 1
    stage.put(*good)
    stage.go(60)
    assert stage.verdicts() == ["failed(exit 7)"]
    assert stage.says("readable again") == 1


@pytest.mark.parametrize(
    ("survive", "reboot", "verdict"),
    [
        (False, False, "interrupted(scheduler died)"),
        (True, True, "interrupted(host restarted)"),
    ],
)
def test_what_died_with_its_supervisor_is_interrupted_and_says_why(
    stage: Stage, survive: bool, reboot: bool, verdict: str
) -> None:
    stage.put(every(3600, survive=survive))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    if reboot:
        stage.world.reboot()
    stage.boot()
    stage.go(1)
    assert stage.verdicts() == [verdict]


def test_a_supervisor_that_dies_alone_is_interrupted_and_rerun_three_times(stage: Stage) -> None:
    stage.put(every(3600, on_interrupted="rerun"))
    stage.fate = lambda _: Fate(seconds=1, end=End.LOST, exit_code=None, reason="supervisor died")
    stage.boot()
    stage.go(3700)
    assert stage.verdicts() == ["interrupted(supervisor died)"]
    (run,) = stage.runlog.all_runs()
    assert run.attempt == 4


def test_what_was_claimed_and_never_started_is_started_by_the_next_life(stage: Stage) -> None:
    """At most once, and not lost."""
    stage.put(every(3600))
    stage.boot()
    real = stage.launcher.start

    def die(_order: Order) -> Any:
        raise KeyboardInterrupt

    stage.launcher.start = die
    with pytest.raises(KeyboardInterrupt):
        stage.go(3601)
    assert stage.verdicts() == ["claimed"]
    stage.launcher.start = real
    stage.boot()
    stage.go(2)
    assert stage.verdicts() == ["succeeded"]


def test_a_record_that_cannot_be_read_now_is_read_later(stage: Stage) -> None:
    """EMFILE is not a missing record."""
    stage.put(every(3600))
    stage.fate = lambda _: Fate(seconds=20, exit_code=7)
    stage.boot()
    stage.go(3610)
    stage.world.crash()
    trouble = [OSError(24, "Too many open files")] * 2
    adopt = FakeLauncher.adopt

    class Short(FakeLauncher):
        def adopt(self, attempt: Any) -> Adoption:
            if trouble:
                raise trouble.pop()
            return adopt(self, attempt)

    stage.launcher = Short(stage.clock, lambda order: stage.fate(order), world=stage.world)
    stage.put(*stage.schedules)
    stage.loop = Loop(
        clock=stage.clock, source=stage.source, runlog=stage.runlog, launcher=stage.launcher,
        hook=stage.hook, journal=stage.journal,
    )  # fmt: skip
    stage.loop.start()
    stage.go(60)
    assert stage.verdicts() == ["failed(exit 7)"]


def test_an_end_meant_before_a_crash_is_the_verdict_after_it(stage: Stage) -> None:
    """A crash between TERM and the end cannot turn a timeout into a failure."""
    stage.put(every(3600, timeout="10s", kill_after="30s"))
    stage.fate = lambda _: Fate(seconds=None, heeds_term=5)
    stage.boot()
    stage.go(3611)
    stage.world.crash()
    stage.boot()
    stage.go(30)
    assert stage.verdicts() == ["timed_out"]


def test_the_manifest_broken_keeps_the_last_good_set_and_says_so_once(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.source.news = Invalid("line 3 is odd")
    stage.go(61)
    assert stage.verdicts() == ["succeeded"]
    assert stage.says("not readable") == 1
    assert stage.runlog.load().meta["manifest_error"] == "line 3 is odd"
    stage.put(every(60), Schedule("y", every="60s", command="true"))
    stage.go(60)
    assert stage.verdicts("y") == ["succeeded"]
    assert stage.runlog.load().meta["manifest_error"] == ""


def test_a_removed_schedule_lets_its_run_finish_and_cancels_what_waits(stage: Stage) -> None:
    stage.put(every(60, overlap="queue", success_exit_codes=[3]))
    stage.fate = lambda _: Fate(seconds=100, exit_code=3)
    stage.boot()
    stage.go(130)
    stage.put()
    stage.go(200)
    assert stage.verdicts() == ["succeeded", "cancelled(removed)"]


def test_a_definition_that_nobody_can_read_does_not_keep_a_run_from_its_verdict(
    stage: Stage,
) -> None:
    stage.put(every(60))
    stage.fate = lambda _: Fate(seconds=100)
    stage.boot()
    stage.go(70)
    (state,) = stage.runlog.load().schedules.values()
    stage.runlog.apply(Decision(schedules=(replace(state, definition="{"),)))
    stage.put()
    stage.boot()
    stage.go(200)
    assert stage.verdicts() == ["succeeded"]


def a_wish(name: str, moment: float) -> Run:
    return Run(
        id=f"manual-{name}-{moment:.0f}000", schedule=name, scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.QUEUED, created=moment,
    )  # fmt: skip


def test_a_wish_for_a_schedule_that_is_gone_does_not_wait_for_ever(stage: Stage) -> None:
    """Somebody triggered it just when it was removed, with and without a scheduler."""
    stage.put(every(60))
    assert stage.runlog.request(a_wish("y", NOON))
    stage.boot()
    assert stage.verdicts("y") == ["cancelled(removed)"]
    stage.put()
    stage.go(1)
    MemoryRunLog(beside=stage.runlog).request(a_wish("x", NOON + 1))
    stage.runlog.locked = True
    stage.clock.wake()
    stage.go(1)
    assert stage.verdicts() == ["queued"]
    stage.runlog.locked = False
    stage.go(1)
    assert stage.verdicts() == ["cancelled(removed)"]


def test_a_wish_waits_for_a_schedule_that_may_stand_in_a_broken_manifest(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.source.news = Invalid("line 3 is odd")
    MemoryRunLog(beside=stage.runlog).request(a_wish("y", NOON))
    stage.go(1)
    assert stage.verdicts("y") == ["queued"]
    stage.put(every(60), Schedule("y", every="60s", command="true"))
    stage.go(2)
    assert stage.verdicts("y") == ["succeeded"]


def test_a_run_that_is_not_marked_as_running_yet_is_replaced_with_a_durable_intent(
    stage: Stage,
) -> None:
    """A scheduler may die between the start and the mark, and again right after the signal."""
    stage.put(every(60, overlap="replace"))
    stage.fate = lambda _order: Fate(seconds=None, heeds_term=1.0)
    stage.boot()
    stage.runlog.locked_for_marks = True
    stage.go(61)
    assert [run.status for run in stage.runlog.active()] == [RunStatus.CLAIMED]
    stage.runlog.locked_for_marks = False
    stage.boot()
    stage.sleep(59)
    stage.loop.tick(stage.clock.now())

    assert [signal for signal, _ in stage.launcher.signals] == ["TERM"]
    assert stage.runlog.active()[0].end_as == "cancelled(replaced)"
    stage.boot()
    stage.go(30)
    assert stage.verdicts()[0] == "cancelled(replaced)"


def test_replace_cancels_the_old_run_and_starts_the_new_one_after_it(stage: Stage) -> None:
    stage.put(every(60, overlap="replace", retry={"max_attempts": 3}))
    stage.fate = lambda order: Fate(seconds=100 if order.run.scheduled_at == NOON + 60 else 1)
    stage.boot()
    stage.go(125)
    assert stage.verdicts() == ["cancelled(replaced)", "succeeded"]


def test_replacing_a_run_that_is_not_marked_running_is_durable_before_the_signal(
    stage: Stage,
) -> None:
    """After a crash between its start and the mark, the run log still has it claimed."""
    stage.put(every(60, overlap="replace"))
    stage.fate = lambda order: Fate(seconds=None if order.run.scheduled_at == NOON + 60 else 1)
    stage.boot()
    stage.go(59)
    real, stage.runlog.apply = stage.runlog.apply, _dying_at_a_mark(stage)
    with pytest.raises(KeyboardInterrupt):
        stage.go(2)
    stage.runlog.apply = real
    assert stage.verdicts() == ["claimed"]
    stage.boot()
    stage.go(65)
    assert stage.verdicts() == ["cancelled(replaced)", "succeeded"]


def _dying_at_a_mark(stage: Stage) -> Callable[[Any], frozenset[str]]:
    def apply(decision: Any) -> frozenset[str]:
        if any(move.run.status is RunStatus.RUNNING for move in decision.moves):
            raise KeyboardInterrupt
        return MoodyRunLog.apply(stage.runlog, decision)

    return apply


def test_a_run_that_is_cancelled_just_when_it_is_to_be_replaced_is_left_to_that(
    stage: Stage,
) -> None:
    """The cancel came first, so it is the verdict, and the scheduler reads it before it acts."""
    stage.put(every(60, overlap="replace"))
    stage.fate = lambda order: Fate(seconds=None if order.run.scheduled_at == NOON + 60 else 1)
    stage.boot()
    stage.go(119)
    other, real = MemoryRunLog(beside=stage.runlog), stage.runlog.apply

    def apply(decision: Any) -> frozenset[str]:
        stage.runlog.apply = real
        assert other.note_end(f"sched-x-{NOON + 60}", "cancelled(by user)")
        assert stage.launcher.signals == []
        return real(decision)

    stage.runlog.apply = apply
    stage.go(5)
    assert stage.verdicts() == ["cancelled(by user)", "succeeded"]


def test_a_live_slot_waits_for_a_caught_up_run_and_goes_next(stage: Stage) -> None:
    stage.put(every(60, catchup="all"))
    stage.boot()
    stage.clock.step(300)
    stage.fate = lambda _: Fate(seconds=50)
    stage.boot()
    stage.go(200)
    order = [
        run
        for run in sorted(stage.runlog.all_runs(), key=lambda run: run.started or 1e18)
        if run.started is not None
    ]
    origins = [run.origin for run in order]
    assert origins[0] in {Origin.CATCHUP, Origin.SCHEDULE}
    assert origins.count(Origin.SCHEDULE) >= 2, "live slots are not starved by catch-up"
    for one, other in itertools.pairwise(order):
        assert (one.ended or 0) <= (other.started or 0), "one at a time"


def test_a_clock_set_back_starts_nothing_again(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.go(300)
    stage.clock.step(-200)
    stage.go(400)
    slots = [run.scheduled_at for run in stage.runlog.all_runs()]
    assert sorted(slots) == list(range(NOON + 60, NOON + 501, 60))
    assert stage.says("clock set back") == 1


def test_a_clock_set_back_prolongs_no_timeout_and_no_mercy(stage: Stage) -> None:
    """What takes ten seconds takes ten seconds, whatever is done to the clock meanwhile."""
    stage.put(every(3600, timeout="30s", kill_after="5s"))
    stage.fate = lambda _: Fate(seconds=None, heeds_term=None)
    stage.boot()
    stage.go(3610)
    stage.clock.step(-600)
    stage.go(21)
    assert [word for word, _ in stage.launcher.signals] == ["TERM"]
    stage.clock.step(-600)
    stage.go(6)
    assert [word for word, _ in stage.launcher.signals] == ["TERM", "KILL"]
    assert stage.verdicts() == ["timed_out"]


@pytest.mark.parametrize("steps", [[3000], [-3000, 3000], [5000, -2000]])
def test_a_clock_that_is_set_times_nothing_out(stage: Stage, steps: list[int]) -> None:
    """A machine that finds its time after the boot has run nothing for an hour."""
    stage.put(every(86_400, timeout="30m"))
    stage.fate = lambda _: Fate(seconds=600)
    stage.boot()
    stage.sleep(NOON % 86_400)
    stage.go(86_400 - NOON % 86_400 + 2)
    for step in steps:
        stage.clock.step(step)
        stage.go(5)
    stage.go(620)
    assert stage.launcher.signals == []
    assert stage.verdicts()[0] == "succeeded"


def test_a_clock_set_back_delays_no_start_for_long(stage: Stage) -> None:
    patience = iter([StartDelayed("no more processes")])

    def fate(_: Order) -> Fate:
        if (error := next(patience, None)) is not None:
            raise error
        return Fate()

    stage.put(every(3600))
    stage.fate = fate
    stage.boot()
    stage.go(3600)
    stage.clock.step(-600)
    stage.go(3)
    assert stage.verdicts() == ["succeeded"]


def test_a_slot_that_was_given_up_does_not_run_when_the_clock_comes_by_again(stage: Stage) -> None:
    """It reads skipped(declined), which is a verdict."""
    stage.put(every(60, catchup="none"))
    stage.boot()
    stage.clock.step(320)
    stage.go(1)
    (gap,) = stage.runlog.all_gaps()
    assert (gap.closed_as, gap.count) == ("declined", 5)
    stage.clock.step(-200)
    stage.go(250)
    assert [run.scheduled_at for run in stage.runlog.all_runs()] == [NOON + 360]


def test_a_clock_set_forward_is_downtime(stage: Stage) -> None:
    stage.put(every(60, catchup="none"))
    stage.boot()
    stage.go(60)
    stage.clock.step(600)
    stage.go(1)
    (gap,) = stage.runlog.all_gaps()
    assert gap.reason == "suspend or clock step"


def test_a_wish_of_another_process_is_carried_out(stage: Stage) -> None:
    stage.put(every(3600))
    stage.boot()
    MemoryRunLog(beside=stage.runlog).request(
        Run(
            id="manual-x-1",
            schedule="x",
            scheduled_at=None,
            origin=Origin.MANUAL,
            status=RunStatus.QUEUED,
            created=stage.clock.now(),
        )
    )
    stage.go(3)
    assert stage.verdicts() == ["succeeded"]


def test_a_cancel_of_another_process_ends_a_run(stage: Stage) -> None:
    stage.put(every(3600))
    stage.fate = lambda _: Fate(seconds=None, heeds_term=1)
    stage.boot()
    stage.go(3601)
    (run,) = stage.runlog.active()
    assert MemoryRunLog(beside=stage.runlog).note_end(run.id, "cancelled(by user)")
    stage.go(3)
    assert stage.verdicts() == ["cancelled(by user)"]


def test_a_command_starts_just_its_own_and_what_stands_in_its_way(stage: Stage) -> None:
    """A run between two attempts would keep its schedule for ever."""
    stage.put(every(3600, retry={"max_attempts": 2, "delay": "10m"}))
    stage.fate = lambda _: Fate(exit_code=1)
    stage.boot()
    stage.go(3602)
    assert stage.verdicts() == ["retry_wait(exit 1)"]
    stage.world.crash()
    wish = Run(
        id="manual-x-2", schedule="x", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.QUEUED, created=stage.clock.now(),
    )  # fmt: skip
    other = replace(wish, id="manual-y-3", schedule="y")
    stage.put(*stage.schedules, Schedule("y", every="10s", command="true"))
    assert stage.runlog.request(wish)
    assert stage.runlog.request(other)
    stage.boot(own=frozenset({wish.id}))
    stage.go(1400)
    assert sorted(stage.verdicts()) == ["failed(exit 1)", "failed(exit 1)"]
    assert stage.verdicts("y") == ["queued"], "it plans nothing, and leaves others alone"


def test_a_command_that_only_looks_at_a_changed_schedule_tells_nobody_of_a_gap(
    stage: Stage,
) -> None:
    """The hook runs once, for the scheduler that records the gap."""
    stage.put(every(5, on_missed="true", on_success="true"))
    stage.boot()
    wish = a_wish("x", NOON)
    assert stage.runlog.request(wish)
    stage.put(every(12, on_missed="true", on_success="true"))
    stage.sleep(30)
    stage.boot(own=frozenset({wish.id}))
    stage.go(2)
    assert [told.event for told in stage.hook.told] == ["success"]
    stage.boot()
    assert [told.event for told in stage.hook.told] == ["success", "missed"]
    assert len(stage.runlog.all_gaps()) == 1


def test_what_was_missed_and_is_declined_at_once_is_told_all_the_same(stage: Stage) -> None:
    """That nobody catches it up does not make it less missed."""
    stage.put(every(10, on_missed="true", catchup="none"))
    stage.boot()
    stage.sleep(60)
    stage.boot()
    (told,) = stage.hook.told
    assert (told.event, told.gap and told.gap.closed_as) == ("missed", "declined")


def test_places_go_to_live_runs_first(stage: Stage) -> None:
    names = [f"s{n}" for n in range(4)]
    stage.put(*(Schedule(name, every="60s", command="true") for name in names))
    stage.fate = lambda _: Fate(seconds=10)
    stage.boot(places=2)
    stage.go(65)
    statuses = sorted(run.status.value for run in stage.runlog.all_runs())
    assert statuses == ["queued", "queued", "running", "running"]
    assert stage.loop.running_count == len(stage.loop.running) == 2
    stage.go(20)
    assert {verdict for name in names for verdict in stage.verdicts(name)} == {"succeeded"}


def test_hooks_are_told_of_verdicts_that_are_durable(stage: Stage) -> None:
    codes = iter([1, 0, 0])
    hooks = {f"on_{event}": "true" for event in ("success", "failure", "missed", "recovered")}
    stage.put(every(60, **hooks))
    stage.fate = lambda _: Fate(exit_code=next(codes))
    stage.boot()
    stage.go(182)
    assert [told.event for told in stage.hook.told] == [
        "failure",
        "success",
        "recovered",
        "success",
    ]


def test_a_pause_ends_by_itself_and_is_not_replayed(stage: Stage) -> None:
    stage.put(every(60).with_(paused_until=NOON + 180))
    stage.boot()
    stage.go(300)
    slots = [run.scheduled_at for run in stage.runlog.all_runs()]
    assert slots == [NOON + 180, NOON + 240, NOON + 300]
    assert not stage.runlog.all_gaps()


def test_limits_may_change_while_it_runs(stage: Stage) -> None:
    stage.put(*(Schedule(f"s{n}", every="60s", command="true") for n in range(3)))
    stage.fate = lambda _: Fate(seconds=1000)
    stage.boot(places=1)
    stage.go(61)
    stage.loop.limit(Limits(places=3))
    stage.go(1)
    assert {run.status for run in stage.runlog.all_runs()} == {RunStatus.RUNNING}


def test_stopping_decides_nothing_more(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.loop.stopping = True
    stage.go(120)
    assert not stage.runlog.all_runs()
