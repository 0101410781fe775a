"""Runs, their ids, and the moves that are legal between their states."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_makers import T, run

from flytesched.core.attempts import Attempt, AttemptKey
from flytesched.core.counts import bucket, count_gaps, count_starts, count_verdicts
from flytesched.core.decision import Decision
from flytesched.core.runs import (
    ACTIVE,
    LEGAL_MOVES,
    VERDICTS,
    Gap,
    Origin,
    RunStatus,
    on_holiday,
    request_id,
    run_id,
)

S = RunStatus


def test_a_slot_has_one_id_everywhere():
    assert run_id("daily-etl", 1_763_690_400) == "sched-daily-etl-1763690400"


def test_a_request_is_named_by_its_millisecond():
    assert request_id(Origin.MANUAL, "daily-etl", 1_763_690_400.25) == (
        "manual-daily-etl-1763690400250"
    )


@pytest.mark.parametrize("origin", Origin)
def test_only_a_live_run_is_held_to_its_slot(origin: Origin) -> None:
    """What makes up for the past, or repeats it, has its slot behind it, whatever the clock."""
    assert run(origin=origin).live_slot == (T if origin is Origin.SCHEDULE else None)
    assert run(slot=None, origin=origin).live_slot is None


@pytest.mark.parametrize(
    ("status", "ways"),
    [
        (S.QUEUED, {S.CLAIMED, S.CANCELLED}),
        (S.CLAIMED, {S.RUNNING, S.RETRY_WAIT} | (VERDICTS - {S.SKIPPED})),
        (S.RUNNING, {S.RETRY_WAIT} | (VERDICTS - {S.SKIPPED})),
        (S.RETRY_WAIT, {S.CLAIMED, S.CANCELLED}),
        *((verdict, set()) for verdict in sorted(VERDICTS)),
    ],
)
def test_a_run_moves_only_where_the_table_of_the_contract_says(status, ways):
    assert LEGAL_MOVES[status] == ways
    one = run(status=status)
    assert one.active == (status in ACTIVE)
    for other in S:
        if other in ways:
            assert one.move(other) == replace(one, status=other)
        else:
            with pytest.raises(ValueError, match=f"no way from {status} to {other}"):
                one.move(other)


def test_a_move_changes_what_it_is_told_and_nothing_else():
    one = run(not_before=5.0, retry_of="x", seq=7)
    moved = one.move(S.CLAIMED, attempt=1, reason="why")
    assert moved == replace(one, status=S.CLAIMED, attempt=1, reason="why")
    assert one.status is S.QUEUED


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"status": S.SUCCEEDED}, "succeeded"),
        ({"status": S.FAILED, "exit_code": 137}, "failed(exit 137)"),
        ({"status": S.FAILED, "reason": "start: no such file"}, "failed(start: no such file)"),
        ({"status": S.SKIPPED, "reason": "overlap"}, "skipped(overlap)"),
        ({"status": S.QUEUED}, "queued"),
    ],
)
def test_a_verdict_reads_as_people_write_it(fields, verdict):
    assert run(**fields).verdict() == verdict


def test_an_attempt_is_named_by_run_and_number():
    attempt = Attempt(run="sched-job-1", attempt=2, boot_id="b", ordered=1.0)
    assert attempt.key == AttemptKey("sched-job-1", 2)


class TestDecision:
    """What one transaction changes."""

    def test_an_empty_one_is_nothing_to_write(self):
        assert not Decision()

    @pytest.mark.parametrize(
        "fields",
        [
            {"cursors": {"job": T}},
            {"runs": (run(),)},
            {"meta": {"heartbeat": "1"}},
            {"close_gaps": (("job", "removed", 1.0),)},
        ],
    )
    def test_anything_in_it_is_something_to_write(self, fields):
        assert Decision(**fields)


class TestCounts:
    """What the metrics count."""

    def counted(self, *runs):
        return {(c.metric, c.label): c.amount for c in count_verdicts(runs)}

    def test_a_run_without_verdict_adds_nothing(self):
        assert self.counted(run(), run(status=S.RETRY_WAIT)) == {}

    def test_a_verdict_adds_one_and_its_duration(self):
        done = run(status=S.SUCCEEDED, started=T + 1.0, ended=T + 5.5)
        assert self.counted(done) == {
            ("runs_total", "succeeded"): 1.0,
            ("duration_seconds", "5.0"): 1.0,
            ("duration_seconds_sum", ""): 4.5,
        }

    @pytest.mark.parametrize(
        ("reason", "label"),
        [
            ("overlap", "overlap"),
            ("queue_full", "queue_full"),
            # Names are for people: a metric would get a series for each holiday of the world.
            (on_holiday("Christmas Day"), "holiday"),
            (on_holiday("Day: one; 2026-12-27 has slots already"), "holiday"),
        ],
    )
    def test_a_skip_is_counted_by_its_reason(self, reason, label):
        skipped = run(status=S.SKIPPED, reason=reason, ended=T + 1.0)
        assert self.counted(skipped) == {
            ("runs_total", "skipped"): 1.0,
            ("skipped_total", label): 1.0,
        }

    def test_a_catchup_that_fails_is_an_error_of_catching_up(self):
        failed = run(status=S.FAILED, origin=Origin.CATCHUP)
        (error,) = [c for c in count_verdicts([failed]) if c.metric == "catchup_errors_total"]
        assert (error.schedule, error.run) == ("", failed.id)
        assert ("catchup_errors_total", "") not in self.counted(run(status=S.FAILED))

    @pytest.mark.parametrize(
        ("fields", "lag"),
        [
            ({"started": T + 0.25, "attempt": 1}, 0.25),
            ({"started": T + 30.5, "not_before": T + 30.0, "attempt": 1}, 0.5),
            ({"started": T - 1.0, "attempt": 1}, 0.0),
        ],
    )
    def test_the_lag_of_a_live_slot_is_measured_behind_its_jitter(self, fields, lag):
        found = {c.metric: c.amount for c in count_starts([run(**fields)])}
        assert found == {"lag_seconds": 1.0, "lag_seconds_sum": lag}

    @pytest.mark.parametrize(
        "fields",
        [
            {"slot": None, "started": T + 1.0, "attempt": 1},
            {"attempt": 1},
            {"started": T + 1.0, "attempt": 2},
            {"started": T + 1.0, "attempt": 1, "origin": Origin.CATCHUP},
        ],
    )
    def test_other_starts_have_no_lag(self, fields):
        assert list(count_starts([run(**fields)])) == []

    def test_missed_slots_are_counted_by_schedule(self):
        gap = Gap(schedule="job", after=0, until=60, count=7, reason="", timing="")
        assert [(c.metric, c.schedule, c.amount) for c in count_gaps([gap])] == [
            ("missed_total", "job", 7)
        ]

    def test_slots_that_calendars_leave_out_are_skipped_and_not_missed(self):
        gap = Gap(
            schedule="job", after=0, until=60, count=7, reason="", timing="", closed_at=1.0,
            closed_as="holiday",
        )  # fmt: skip
        assert [(c.metric, c.schedule, c.label, c.amount) for c in count_gaps([gap])] == [
            ("skipped_total", "job", "holiday", 7)
        ]

    @pytest.mark.parametrize(
        ("value", "label"), [(0.0, "1.0"), (1.0, "1.0"), (1.1, "2"), (9, "+Inf")]
    )
    def test_a_bucket_is_the_smallest_that_holds_the_value(self, value, label):
        assert bucket(value, (1.0, 2)) == label
