"""What is claimed ahead of its time, so that it can start on time; and starts in turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from loop_stage import LEAD, NOON, Stage, every

from flytesched.core.runs import AttemptKey, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.scheduler.departures import TURN
from flytesched.scheduler.lead import Lead
from flytesched.testing import Fate, MemoryRunLog

if TYPE_CHECKING:
    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run

SLOT = NOON + 60


@pytest.fixture
def stage() -> Stage:
    return Stage()


def up_to(stage: Stage, moment: float) -> None:
    """Let time pass up to just that moment, which is not worked on yet."""
    while (wake_at := stage.loop.tick(stage.clock.now())) is not None and wake_at < moment:
        stage.clock.wait(wake_at)


def claim_ahead(stage: Stage) -> None:
    """Let time pass until the run of the slot is claimed, a moment before its time."""
    up_to(stage, SLOT)
    assert SLOT - LEAD.total_seconds() < stage.clock.now() < SLOT
    assert stage.verdicts()[-1:] == ["claimed"]


def test_a_slot_is_claimed_before_and_started_at_its_time(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)

    assert not stage.world.started
    stage.go(SLOT - stage.clock.now())

    (run,) = stage.runlog.all_runs()
    assert run.created < run.scheduled_at == run.started == SLOT


def test_without_a_lead_a_slot_is_claimed_when_it_is_due(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot(lead=timedelta())
    stage.go(61)

    (run,) = stage.runlog.all_runs()
    assert run.created == run.started == SLOT


def test_a_run_that_ends_in_the_last_moment_stands_in_nobodys_way(stage: Stage) -> None:
    """Overlap is decided at the slot, not when it is claimed."""
    stage.fate = lambda order: Fate(seconds=59.999 if order.run.scheduled_at == SLOT else 1)
    stage.put(every(60))
    stage.boot()
    stage.go(125)

    assert stage.verdicts() == ["succeeded", "succeeded"]


def test_a_run_that_still_runs_at_the_slot_makes_it_skip(stage: Stage) -> None:
    stage.fate = lambda _order: Fate(seconds=61)
    stage.put(every(60))
    stage.boot()
    stage.go(125)

    assert stage.verdicts() == ["succeeded", "skipped(overlap)"]


def test_only_those_that_meet_no_run_are_claimed_ahead(stage: Stage) -> None:
    """One timetable, two schedules."""
    busy = Schedule("busy", every="60s", command="true", overlap="queue")
    stage.fate = lambda order: Fate(seconds=90 if order.run.schedule == "busy" else 1)
    stage.put(every(60), busy)
    stage.boot()
    up_to(stage, SLOT + 60)

    assert stage.verdicts("x") == ["succeeded", "claimed"]
    assert stage.verdicts("busy") == ["running"]
    stage.go(30)
    assert stage.verdicts("busy") == ["running", "queued"]


def test_a_place_that_gets_free_before_the_slot_starts_nobody_early(stage: Stage) -> None:
    """What was decided ahead and found no place waits for its time."""
    stage.fate = lambda order: Fate(seconds=0.995 if order.schedule.name == "first" else 0.1)
    first = Schedule("first", at="2026-01-01T12:00:59Z", command="true")
    stage.put(first, Schedule("x", at="2026-01-01T12:01:00Z", command="true"))
    stage.boot(places=1)
    up_to(stage, SLOT)
    assert stage.verdicts() == ["queued"]
    stage.clock.wait(SLOT - 0.003)
    stage.loop.tick(stage.clock.now())

    assert stage.verdicts() == ["queued"]
    stage.go(1)
    (run,) = [run for run in stage.runlog.all_runs() if run.schedule == "x"]
    assert run.verdict() == "succeeded"
    assert run.started == SLOT


def test_a_run_cancelled_before_its_time_never_starts(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)
    (run,) = stage.runlog.all_runs()
    assert MemoryRunLog(beside=stage.runlog).note_end(run.id, "cancelled(by user)")
    stage.go(5)

    assert stage.verdicts() == ["cancelled(by user)"]
    assert not stage.world.started


def test_a_clock_set_back_in_a_lead_keeps_no_scheduler_from_stopping(stage: Stage) -> None:
    """What it claimed is not near any more; the next one finds it, and holds it to its slot."""
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)
    assert stage.loop.departing
    stage.clock.step(-3600)
    stage.loop.tick(stage.clock.now())

    assert not stage.loop.departing


def test_an_edit_just_before_a_slot_is_seen_when_the_slot_is_due(stage: Stage) -> None:
    """Also when nothing starts then: all places are taken."""
    stage.fate = lambda _order: Fate(seconds=600)
    long = Schedule("long", at="2026-01-01T12:00:10Z", command="true")
    stage.put(every(60), long)
    stage.boot(places=1)
    up_to(stage, SLOT)
    stage.clock.elapsed += SLOT - stage.clock.now() - 0.004
    stage.put(every(60), long, Schedule("new", every="1h", command="true"))
    wake_at = stage.loop.tick(stage.clock.now())

    assert wake_at == SLOT
    stage.clock.wait(wake_at)
    stage.loop.tick(stage.clock.now())
    assert stage.loop.schedule_count == 3


def test_preparations_that_fail_strand_nobody(stage: Stage) -> None:
    """What is wrong with a start is told by the start."""
    stage.put(*(Schedule(f"c{n}", every="60s", command="true") for n in range(3)))
    stage.boot()

    def fail(_orders: object, _until: float) -> None:
        raise ValueError("no such letter")

    stage.launcher.prepare = fail  # an executor with a bug
    stage.go(65)

    assert {run.verdict() for run in stage.runlog.all_runs()} == {"succeeded"}
    assert len(stage.runlog.all_runs()) == 3


def test_one_of_a_crowd_that_is_removed_after_its_claim_still_runs(stage: Stage) -> None:
    """Their lead is long enough for an edit to be seen in it."""
    crowd = [Schedule(f"c{n}", every="60s", command="true") for n in range(1500)]
    stage.put(*crowd)
    stage.boot()
    up_to(stage, SLOT - 0.1)
    stage.put(*crowd[1:])
    stage.clock.wait(stage.clock.now() + 0.01)
    stage.loop.tick(stage.clock.now())
    assert stage.loop.schedule_count == 1499
    stage.go(62)

    assert stage.verdicts("c0") == ["succeeded"]


def test_a_schedule_removed_after_its_claim_still_runs(stage: Stage) -> None:
    """As every active run of a removed schedule: the claim was first."""
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)
    stage.put()
    stage.go(65)

    assert stage.verdicts() == ["succeeded"]


def test_what_a_dead_scheduler_claimed_ahead_starts_at_its_time(stage: Stage) -> None:
    """The next one is there before the slot, and does not start it early either."""
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)
    stage.world.crash()
    stage.boot()
    assert not stage.world.started
    stage.go(SLOT - stage.clock.now())

    (run,) = stage.runlog.all_runs()
    assert run.started == SLOT
    stage.go(2)
    assert stage.verdicts() == ["succeeded"]


def test_what_is_lost_before_its_time_runs_again_at_its_time(stage: Stage) -> None:
    """The machine starts again between a claim and its slot."""
    stage.put(every(60, on_interrupted="rerun"))
    stage.boot()
    claim_ahead(stage)
    stage.world.reboot()
    stage.boot()
    stage.go(SLOT - stage.clock.now())

    (run,) = stage.runlog.all_runs()
    assert (run.attempt, run.started) == (2, SLOT)


def test_a_clock_set_back_before_the_time_starts_it_once_at_its_time(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    claim_ahead(stage)
    stage.clock.step(-30)
    stage.go(20)
    assert not stage.world.started
    stage.go(20)

    (run,) = stage.runlog.all_runs()
    assert run.verdict() == "succeeded"
    assert run.started == SLOT


def test_a_run_log_that_is_locked_ahead_is_asked_again(stage: Stage) -> None:
    stage.put(every(60))
    stage.boot()
    stage.go(59)
    stage.runlog.locked = True
    stage.go(1.1)
    stage.runlog.locked = False
    stage.go(3)

    assert stage.verdicts() == ["succeeded"]


def test_a_scheduler_that_stops_still_starts_what_it_claimed(stage: Stage) -> None:
    """Of a run without a supervisor nobody could tell later whether it ever began."""
    stage.put(every(60, survive=False))
    stage.boot()
    claim_ahead(stage)
    stage.loop.stopping = True
    assert stage.loop.departing
    stage.go(2)

    assert not stage.loop.departing
    assert stage.verdicts() == ["succeeded"]


def test_what_waits_for_its_retry_is_claimed_with_a_slot_and_not_early(stage: Stage) -> None:
    """Claims of one moment are one transaction."""
    stage.fate = lambda order: Fate(exit_code=0 if order.attempt.attempt == 2 else 1)
    stage.put(
        Schedule("x", every="60s", command="true"),
        Schedule("y", every="30s", command="true", retry={"max_attempts": 2, "delay": "28.999s"}),
    )
    stage.boot()
    stage.go(70)

    attempt = stage.runlog.attempt(AttemptKey(f"sched-y-{NOON + 30}", 2))
    assert attempt is not None
    assert attempt.started is not None
    assert attempt.started >= NOON + 59.999


def test_a_big_burst_leaves_turns_to_what_falls_due_meanwhile(stage: Stage) -> None:
    """Starts take time; a slot a second later does not wait for all of them."""

    def slow(_order: Order) -> Fate:
        stage.clock.elapsed += 0.05
        return Fate(seconds=0.1)

    crowd = [Schedule(f"c{n}", at="2026-01-01T12:01:00Z", command="true") for n in range(100)]
    stage.fate = slow
    stage.put(*crowd, Schedule("x", at="2026-01-01T12:01:01Z", command="true"))
    stage.boot()
    stage.go(61)
    while stage.loop.departing:
        stage.loop.tick(stage.clock.now())

    runs = {run.schedule: run for run in stage.runlog.all_runs()}
    started = sorted(runs.values(), key=lambda run: run.started or 0)
    assert len(started) == 101
    assert runs["x"].created < SLOT + 1 + 2 * TURN
    assert runs["c0"].ended is not None
    assert runs["c0"].ended < (started[-1].started or 0)


def _crowded(stage: Stage, **keys: Any) -> list[Run]:
    """Let ``x`` be due each second, from 12:00:58 on, amid a crowd that takes seconds."""

    def fate(order: Order) -> Fate:
        if order.schedule.name == "x":
            return Fate(seconds=0.1)
        stage.clock.elapsed += 0.05
        return Fate(seconds=0.1)

    crowd = [Schedule(f"z{n}", at="2026-01-01T12:01:00Z", command="true") for n in range(60)]
    stage.fate = fate
    begin = datetime.fromtimestamp(SLOT - 2, UTC)
    stage.put(every(1, start=begin, **keys), *crowd)
    stage.boot()
    stage.go(70)
    return [run for run in stage.runlog.all_runs() if run.schedule == "x"]


def test_amid_a_burst_no_slot_meets_a_run_that_has_ended(stage: Stage) -> None:
    """Ends wait for starts, but not when a decision hangs on them."""
    runs = _crowded(stage)

    assert [run.verdict() for run in runs[:3]] == ["succeeded"] * 3
    assert runs[3].created == SLOT + 1
    assert runs[3].status is not RunStatus.SKIPPED


def test_amid_a_burst_nothing_times_out_that_has_ended(stage: Stage) -> None:
    runs = _crowded(stage, timeout="0.5s")

    assert [run.verdict() for run in runs[:3]] == ["succeeded"] * 3


def test_a_turn_makes_headway_however_long_its_preparations_take(stage: Stage) -> None:
    """Else a slow disk would keep everything from starting for ever."""
    stage.put(*(Schedule(f"c{n}", every="60s", command="true") for n in range(3)))
    stage.boot()
    up_to(stage, SLOT)
    stage.clock.wait(SLOT)

    def slowly(_orders: object, _until: float) -> None:
        stage.clock.elapsed += 2 * TURN

    stage.launcher.prepare = slowly  # a disk that is slow at that, and at nothing else
    while (before := len(stage.world.started)) < 3:
        stage.loop.tick(stage.clock.now())
        assert len(stage.world.started) > before


def test_what_makes_up_for_the_past_starts_after_what_is_live(stage: Stage) -> None:
    """However long its line is: both wait for their turn in the same tick."""

    def slow(_order: Order) -> Fate:
        stage.clock.elapsed += 0.05
        return Fate(seconds=0.1)

    stage.put(*(Schedule(f"c{n}", every="60s", command="true") for n in range(50)))
    stage.boot()
    stage.go(1)
    stage.sleep(75)
    stage.fate = slow
    stage.put(*stage.schedules, Schedule("x", at="2026-01-01T12:01:17Z", command="true"))
    stage.go(1)
    while stage.loop.departing:
        stage.loop.tick(stage.clock.now())

    runs = stage.runlog.all_runs()
    live = next(run for run in runs if run.schedule == "x")
    assert len(runs) == 51
    assert live.started is not None
    assert sum((run.started or 0) > live.started for run in runs) > 15


def test_runs_are_marked_as_running_even_while_more_of_them_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands that stay are written down in between."""
    monkeypatch.setattr("flytesched.scheduler.supervisor.MARKED_AT_ONCE", 3)  # else 1,000

    def slow(_order: Order) -> Fate:
        stage.clock.elapsed += 0.05
        return Fate(seconds=3600)

    stage.fate = slow
    stage.put(*(Schedule(f"c{n}", every="60s", command="true") for n in range(20)))
    stage.boot()
    up_to(stage, SLOT)
    stage.clock.wait(SLOT)
    stage.loop.tick(stage.clock.now())

    statuses = [run.status for run in stage.runlog.all_runs()]
    assert RunStatus.RUNNING in statuses
    assert RunStatus.CLAIMED in statuses


def test_a_lead_grows_with_the_claims_up_to_its_bound() -> None:
    lead = Lead(0.8)

    assert 0 < lead.of(1) < lead.of(1000) < lead.of(10**6) == 0.8


def test_a_lead_learns_from_claims_that_took_long_and_from_quick_ones() -> None:
    lead = Lead(10.0)
    before = lead.of(1), lead.of(1000)
    for _ in range(20):
        lead.learn(1, 0.05)
        lead.learn(1000, 1.0)
    assert lead.of(1) > before[0]
    assert lead.of(1000) > 1.0
    for _ in range(40):
        lead.learn(1, 0.001)
        lead.learn(1000, 0.1)
    assert lead.of(1) <= before[0] * 1.5
    assert lead.of(1000) < 0.5


def test_a_lead_that_was_too_short_once_does_not_grow_without_end() -> None:
    """What takes longer than the bound is known to take that long, and no longer."""
    lead = Lead(0.1)
    for _ in range(50):
        lead.learn(1000, 0.5)

    assert lead.of(100) < 0.1
