"""Lanes: who waits, who goes next, and what undoing a choice restores."""

from __future__ import annotations

import pytest
from core_makers import T, run

from flytesched.core.lanes import Bucket, Lanes
from flytesched.core.runs import Origin, RunStatus
from flytesched.core.tickets import Tickets


def filled(*runs, **options):
    """Return lanes with runs in them."""
    lanes = Lanes(**options)
    for one in runs:
        lanes.put(one)
    return lanes


def chosen(lanes, now=T + 1000.0):
    """Return the ids of the runs that start now."""
    return [claimed.id for _, claimed in lanes.choose(now)]


def end(lanes, run_id):
    """Let a started run succeed."""
    lanes.put(lanes.get(run_id).move(RunStatus.SUCCEEDED))


def catchup(name, slot, **fields):
    return run(name, slot, origin=Origin.CATCHUP, **fields)


def backfill(name, slot, **fields):
    return run(name, slot, origin=Origin.BACKFILL, **fields)


def manual(name, **fields):
    return run(name, None, id=f"manual-{name}", origin=Origin.MANUAL, **fields)


class TestWaiting:
    """What a queued run waits for."""

    def test_a_claim_counts_the_attempt_and_drops_the_reason_to_wait(self):
        lanes = filled(run(reason="exit 1", attempt=1))
        ((waiting, claimed),) = lanes.choose(T)
        assert waiting.status is RunStatus.QUEUED
        assert (claimed.status, claimed.attempt, claimed.reason) == (RunStatus.CLAIMED, 2, None)
        assert lanes.get(claimed.id) == claimed

    def test_a_run_waits_for_its_time(self):
        lanes = filled(run(not_before=T + 5.0))
        assert chosen(lanes, T + 4.999) == []
        assert lanes.next_at(T) == T + 5.0
        assert chosen(lanes, T + 5.0) == [f"sched-job-{T}"]
        assert lanes.next_at(T + 5) is None

    def test_runs_of_a_schedule_go_one_after_the_other(self):
        lanes = filled(run(slot=T), run(slot=T + 60))
        assert chosen(lanes) == [f"sched-job-{T}"]
        assert chosen(lanes) == []
        end(lanes, f"sched-job-{T}")
        assert chosen(lanes) == [f"sched-job-{T + 60}"]

    def test_with_allow_they_go_beside_each_other(self):
        lanes = filled(run(slot=T), run(slot=T + 60), beside=lambda name: name == "job")
        assert len(chosen(lanes)) == 2

    def test_a_change_of_overlap_counts_once_the_lane_is_touched(self):
        allowed = set()
        lanes = filled(run(slot=T), run(slot=T + 60), beside=allowed.__contains__)
        assert len(chosen(lanes)) == 1
        allowed.add("job")
        lanes.touch_all(["job", "a schedule without runs"])
        assert len(chosen(lanes)) == 1

    def test_a_forced_run_goes_beside_and_does_not_wait_behind_the_line(self):
        live = run(slot=T), run(slot=T + 60)
        lanes = filled(*live)
        chosen(lanes)
        lanes.put(manual("job", parallel=0))
        assert chosen(lanes) == ["manual-job"]

    def test_between_attempts_a_run_keeps_the_lane_and_goes_first(self):
        first = run(slot=T)
        lanes = filled(first, run(slot=T + 60))
        ((_, claimed),) = lanes.choose(T)
        lanes.put(claimed.move(RunStatus.RETRY_WAIT, not_before=T + 90.0))
        assert chosen(lanes, T + 89.0) == []
        assert chosen(lanes, T + 90.0) == [first.id]

    def test_runs_of_unknown_schedules_wait_until_they_are_known_again(self):
        """As after a start on a broken manifest: queued, forced, or between attempts."""
        known = {"job"}
        retried = run("r", attempt=1, status=RunStatus.RETRY_WAIT)
        lanes = filled(run("q"), retried, manual("f", parallel=0), known=known.__contains__)
        assert chosen(lanes) == []
        assert lanes.next_at(T) is None
        known |= {"q", "r", "f"}
        lanes.touch_all()
        assert sorted(chosen(lanes)) == ["manual-f", f"sched-q-{T}", f"sched-r-{T}"]

    def test_a_schedule_that_becomes_unknown_holds_its_runs_back(self):
        known = {"q", "f"}
        lanes = filled(run("q"), manual("f", parallel=0), known=known.__contains__)
        lanes.give_back(lanes.choose(T + 1000.0))
        known.clear()
        lanes.touch_all()
        assert chosen(lanes) == []

    def test_another_process_starts_what_is_out_of_scope(self):
        lanes = filled(run("mine"), run("theirs"), scope=lambda run_id: "mine" in run_id)
        assert chosen(lanes) == [f"sched-mine-{T}"]
        assert lanes.next_at(T) is None

    def test_a_withdrawn_run_is_not_waited_for(self):
        one = run(not_before=T + 5.0)
        lanes = filled(one)
        lanes.drop(one)
        lanes.drop(one)
        assert lanes.next_at(T) is None
        assert len(lanes) == 0

    def test_a_run_whose_time_is_moved_waits_for_the_new_one(self):
        lanes = filled(run("blocker"), run(slot=T), places=1)
        assert chosen(lanes) == [f"sched-blocker-{T}"]
        lanes.put(run(slot=T, not_before=T + 5_000.0))
        end(lanes, f"sched-blocker-{T}")
        assert chosen(lanes) == []
        assert chosen(lanes, T + 5_000.0) == [f"sched-job-{T}"]

    def test_a_run_read_again_from_the_run_log_keeps_its_place_in_line(self):
        """Every write of another process makes the scheduler read all queued runs again."""
        lanes = filled(run("a"), run("b"), places=1)
        lanes.give_back(lanes.choose(T + 1.0))
        lanes.put(run("a", seq=7))
        assert chosen(lanes) == [f"sched-a-{T}"]

    def test_a_run_read_again_before_its_time_starts_once(self):
        lanes = filled(run(not_before=T + 5.0))
        lanes.put(run(not_before=T + 5.0))
        lanes.put(run(not_before=T + 5.0, seq=7))
        assert chosen(lanes, T + 5.0) == [f"sched-job-{T}"]
        assert lanes.next_at(T + 5.0) is None


class TestPlaces:
    """``max_concurrent_runs``, and who gets a free place."""

    def test_places_are_never_exceeded(self):
        lanes = filled(*(run(f"job-{n}") for n in range(5)), places=2)
        assert len(chosen(lanes)) == 2
        assert chosen(lanes) == []
        assert lanes.next_at(T) is None

    def test_adopted_runs_take_places_too(self):
        lanes = filled(run("old", status=RunStatus.RUNNING), run("new"), places=1)
        assert chosen(lanes) == []

    def test_what_waits_for_a_place_is_offered_once(self):
        lanes = filled(run("other", status=RunStatus.RUNNING), manual("m", parallel=0), places=1)
        assert chosen(lanes) == []
        lanes.touch_all()
        lanes.drop(run("other"))
        assert chosen(lanes) == ["manual-m"]
        assert chosen(lanes) == []

    def test_a_run_between_attempts_takes_none(self):
        waits = run("old", status=RunStatus.RETRY_WAIT, not_before=T + 5_000.0)
        assert chosen(filled(waits, run("new"), places=1)) == [f"sched-new-{T}"]

    def test_live_then_manual_then_catchup_then_backfill(self):
        lanes = filled(backfill("b", T), catchup("c", T), manual("m"), run("s"), places=1)
        order = []
        while started := chosen(lanes):
            order += started
            end(lanes, started[0])
        assert order == [f"sched-s-{T}", "manual-m", f"sched-c-{T}", f"sched-b-{T}"]


class TestMakingUp:
    """Catch-up and backfill: oldest first, in turn over schedules, behind what is live."""

    def test_a_live_slot_waits_for_a_started_catchup_and_goes_next(self):
        lanes = filled(catchup("job", T), catchup("job", T + 60))
        assert chosen(lanes) == [f"sched-job-{T}"]
        lanes.put(run(slot=T + 600))
        assert chosen(lanes) == []
        end(lanes, f"sched-job-{T}")
        assert chosen(lanes) == [f"sched-job-{T + 600}"]
        end(lanes, f"sched-job-{T + 600}")
        assert chosen(lanes) == [f"sched-job-{T + 60}"]

    def test_a_live_slot_passes_a_catchup_that_has_its_ticket_already(self):
        lanes = filled(catchup("job", T), run("other", status=RunStatus.RUNNING), places=1)
        assert chosen(lanes) == []
        lanes.put(run(slot=T + 60))
        end_of_other = lanes.get(f"sched-other-{T}")
        lanes.drop(end_of_other)
        assert chosen(lanes) == [f"sched-job-{T + 60}"]

    def test_schedules_take_turns(self):
        lanes = filled(*(catchup(name, T + slot) for name in "abc" for slot in range(3)), places=1)
        order = []
        while started := chosen(lanes):
            order += started
            end(lanes, started[0])
        assert order == [f"sched-{name}-{T + slot}" for slot in range(3) for name in "abc"]

    def test_live_runs_do_not_cost_a_schedule_its_turn(self):
        lanes = filled(*(catchup(name, T + slot) for name in "ab" for slot in range(2)), places=1)
        assert chosen(lanes) == [f"sched-a-{T}"]
        lanes.put(run("b", T + 600))
        end(lanes, f"sched-a-{T}")
        assert chosen(lanes) == [f"sched-b-{T + 600}"]
        end(lanes, f"sched-b-{T + 600}")
        assert chosen(lanes) == [f"sched-b-{T}"]

    def test_one_bad_schedule_never_blocks_another(self):
        lanes = filled(catchup("stuck", T), catchup("stuck", T + 60), catchup("good", T))
        assert set(chosen(lanes)) == {f"sched-stuck-{T}", f"sched-good-{T}"}

    @pytest.mark.parametrize(("parallel", "started"), [(1, 1), (3, 3), (9, 5)])
    def test_a_backfill_goes_as_many_at_once_as_it_was_told(self, parallel, started):
        runs = [backfill("job", T + n, parallel=parallel) for n in range(5)]
        assert len(chosen(filled(*runs))) == started

    def test_a_backfill_goes_beside_its_own_kind_only(self):
        live = run(status=RunStatus.RUNNING)
        lanes = filled(live, backfill("job", T + 60, parallel=5))
        assert chosen(lanes) == []

    def test_with_allow_a_backfill_goes_beside_live_runs_but_keeps_to_its_number(self):
        runs = [backfill("job", T + n, parallel=2) for n in range(60, 65)]
        lanes = filled(run(status=RunStatus.RUNNING), *runs, beside=lambda _name: True)
        assert len(chosen(lanes)) == 2


class TestTokens:
    """``start_rate`` bounds catch-up and backfill, and nothing else."""

    def test_catchup_starts_at_the_rate(self):
        runs = [catchup(f"job-{n}", T) for n in range(4)]
        lanes = filled(*runs, bucket=Bucket(0.5, 2))
        assert len(chosen(lanes, T)) == 2
        assert lanes.next_at(T) == T + 2
        assert chosen(lanes, T + 1.9) == []
        assert len(chosen(lanes, T + 2.0)) == 1

    def test_live_and_manual_runs_never_wait_for_a_token(self):
        lanes = filled(catchup("c", T), bucket=Bucket(0.001, 1))
        chosen(lanes, T)
        for one in (catchup("d", T), run("s"), manual("m")):
            lanes.put(one)
        assert chosen(lanes, T + 1) == [f"sched-s-{T}", "manual-m"]

    def test_waiting_until_a_token_is_ready_is_always_enough(self):
        for rate in (0.1, 0.3, 0.7, 3.0, 7.0):
            bucket = Bucket(rate, 1)
            now = T + 0.1
            for _ in range(50):
                now = bucket.ready_at(now)
                assert bucket.ready_at(now) == now
                bucket.take(now)

    def test_a_clock_set_back_neither_adds_nor_takes_tokens(self):
        bucket = Bucket(1.0, 5)
        bucket.take(T)
        assert bucket.ready_at(T - 1_000) == T - 1_000
        for _ in range(4):
            bucket.take(T - 1_000)
        assert bucket.ready_at(T - 1_000) == T - 999

    def test_no_more_than_the_burst_is_kept(self):
        bucket = Bucket(1.0, 2)
        bucket.put_back()
        bucket.take(T + 1_000_000)
        bucket.take(T + 1_000_000)
        assert bucket.ready_at(T + 1_000_000) > T + 1_000_000

    def test_without_a_rate_there_is_no_limit(self):
        bucket = Bucket(0.0, 1)
        for _ in range(5):
            bucket.take(T)
        bucket.put_back()
        assert bucket.ready_at(T) == T


class TestGivingBack:
    """``give_back`` leaves everything as it was before ``choose``."""

    def test_what_was_given_back_is_chosen_again_in_the_same_order(self):
        lanes = filled(*(catchup(f"job-{n}", T) for n in range(6)), places=3)
        first = lanes.choose(T)
        lanes.give_back(first)
        assert lanes.choose(T) == first

    def test_with_allow_the_line_is_as_it_was(self):
        lanes = filled(*(run(slot=T + n) for n in range(5)), places=3, beside=lambda _name: True)
        first = lanes.choose(T + 1000.0)
        lanes.give_back(first)
        lanes.put(run(slot=T - 60))
        assert chosen(lanes) == [f"sched-job-{slot}" for slot in (T - 60, T, T + 1)]

    def test_a_token_is_given_back(self):
        lanes = filled(catchup("a", T), bucket=Bucket(0.001, 1))
        lanes.give_back(lanes.choose(T))
        assert len(lanes.choose(T)) == 1

    def test_what_cannot_be_stored_for_long_leaves_nothing_behind(self):
        """A run log that is locked for an hour is asked five times a second."""
        lanes = filled(run(status=RunStatus.RUNNING), run(slot=T + 60))
        for _ in range(1_000):
            lanes.put(run(slot=T + 120))
            lanes.give_back(lanes.choose(T + 1000.0))
            lanes.drop(run(slot=T + 120))
        assert len(lanes._lanes["job"].line) < 100
        end(lanes, f"sched-job-{T}")
        assert chosen(lanes) == [f"sched-job-{T + 60}"]

    def test_what_left_the_line_is_passed_over_when_it_comes_to_the_head(self):
        lanes = filled(run(status=RunStatus.RUNNING), run(slot=T + 60), run(slot=T + 120))
        chosen(lanes)
        lanes.put(lanes.get(f"sched-job-{T + 60}").move(RunStatus.CANCELLED))
        end(lanes, f"sched-job-{T}")
        assert chosen(lanes) == [f"sched-job-{T + 120}"]

    def test_outdated_tickets_are_swept_out(self):
        tickets = Tickets()
        tickets.give((0, 0, "kept"))
        for number in range(1, 1_000):
            tickets.give((0, number, "other"))
            tickets.take_back("other")
        assert len(tickets._heap) < 100
        assert tickets.best() == (0, 0, "kept")


def test_the_runs_of_a_schedule_keep_the_order_in_which_they_came():
    lanes = filled(run(slot=T), run("other"), run(slot=T + 60))
    chosen(lanes)
    assert [one.scheduled_at for one in lanes.of("job")] == [T, T + 60]
    assert lanes.of("nobody") == ()
    assert len(lanes.all()) == len(lanes) == 3
