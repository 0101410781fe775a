"""What the end of an attempt means for its run."""

from __future__ import annotations

import pytest
from core_makers import T, outcome, run, schedule

from flytesched.core.policies import MAX_RERUNS, RetryPolicy
from flytesched.core.runs import End, RunStatus
from flytesched.core.verdicts import conclude


def running(**fields):
    return run(**{"status": RunStatus.RUNNING, "attempt": 1, "started": T + 1.0, **fields})


def concluded(one, definition=None, codes=(0,), **ended):
    return conclude(one, outcome(one, **ended), definition, codes)


THREE = schedule(retry={"max_attempts": 3, "delay": "10s", "max_delay": "15s"})
RERUN = schedule(on_interrupted="rerun")


@pytest.mark.parametrize("status", [RunStatus.CLAIMED, RunStatus.RUNNING])
@pytest.mark.parametrize(
    ("end_as", "ended", "verdict"),
    [
        (None, {"exit_code": 0}, "succeeded"),
        (None, {"exit_code": 3}, "failed(exit 3)"),
        (None, {"exit_code": 143}, "failed(exit 143)"),
        (None, {"exit_code": 1, "reason": "KeyError: 'x'"}, "failed(KeyError: 'x')"),
        (None, {"end": End.UNSTARTABLE, "reason": "no such file"}, "failed(start: no such file)"),
        (None, {"end": End.LOST, "reason": "host restarted"}, "interrupted(host restarted)"),
        # The verdict meant by a signal stands, however the attempt then ended.
        ("timed_out", {"exit_code": 143}, "timed_out"),
        ("timed_out", {"exit_code": 0}, "timed_out"),
        ("timed_out", {"end": End.LOST, "reason": "supervisor died"}, "timed_out"),
        ("cancelled(by user)", {"exit_code": 0}, "cancelled(by user)"),
        ("cancelled(replaced)", {"end": End.LOST, "reason": "removed"}, "cancelled(replaced)"),
        ("interrupted(scheduler stopped)", {"exit_code": 137}, "interrupted(scheduler stopped)"),
        ("cancelled", {"exit_code": 137}, "cancelled"),
    ],
)
def test_each_end_has_one_verdict(status, end_as, ended, verdict):
    found = concluded(running(status=status, end_as=end_as), schedule(), **ended)
    assert found.verdict() == verdict
    assert (found.ended, found.active) == (T + 60.0, False)
    assert found.exit_code == ended.get("exit_code")


@pytest.mark.parametrize(("code", "verdict"), [(0, "failed(exit 0)"), (2, "succeeded")])
def test_success_is_what_the_schedule_says(code, verdict):
    assert concluded(running(), schedule(), codes=(2, 5), exit_code=code).verdict() == verdict


class TestRetry:
    """Further attempts after ``failed`` and ``timed_out``."""

    @pytest.mark.parametrize(
        ("end_as", "reason", "why"),
        [(None, None, "exit 1"), (None, "KeyError", "KeyError"), ("timed_out", None, "timed out")],
    )
    def test_it_waits_and_says_why(self, end_as, reason, why):
        found = concluded(running(end_as=end_as), THREE, exit_code=1, reason=reason)
        assert (found.status, found.not_before) == (RunStatus.RETRY_WAIT, T + 70.0)
        assert (found.reason, found.end_as, found.ended) == (why, None, None)

    def test_attempts_are_counted(self):
        waits = [concluded(running(attempt=n), THREE, exit_code=1) for n in (1, 2, 3)]
        assert [one.status for one in waits] == ["retry_wait", "retry_wait", "failed"]
        assert [one.not_before - T - 60 for one in waits[:2]] == [10.0, 15.0]

    def test_attempts_after_an_interruption_do_not_count(self):
        found = concluded(running(attempt=4, reruns=2), THREE, exit_code=1)
        assert (found.status, found.not_before) == (RunStatus.RETRY_WAIT, T + 75.0)
        assert not concluded(running(attempt=5, reruns=2), THREE, exit_code=1).active

    @pytest.mark.parametrize(
        ("end_as", "ended"),
        [
            (None, {"end": End.UNSTARTABLE, "reason": "no such file"}),
            ("cancelled(by user)", {"exit_code": 1}),
            ("cancelled(replaced)", {"exit_code": 1}),
        ],
    )
    def test_some_ends_are_not_tried_again(self, end_as, ended):
        assert not concluded(running(end_as=end_as), THREE, **ended).active

    def test_a_removed_schedule_tries_nothing_again(self):
        assert concluded(running(), None, exit_code=1).verdict() == "failed(exit 1)"

    @pytest.mark.parametrize(
        ("policy", "waits"),
        [
            ({}, [10, 20, 40, 80, 160, 320, 600, 600]),
            ({"multiplier": 1.0}, [10, 10, 10]),
            ({"delay": "0s"}, [0, 0, 0]),
            ({"delay": "1h"}, [600, 600]),
            ({"delay": "500ms", "multiplier": 3.0, "max_delay": "4s"}, [0.5, 1.5, 4, 4]),
        ],
    )
    def test_waits_grow_up_to_the_longest(self, policy, waits):
        retry = schedule(retry=policy).retry
        assert [retry.wait_after(n) for n in range(1, len(waits) + 1)] == waits

    def test_a_wait_too_long_to_compute_is_the_longest(self):
        assert RetryPolicy(multiplier=1000.0).wait_after(10_000) == 600.0


class TestRerun:
    """``on_interrupted = "rerun"``: again, at most three times."""

    def test_it_is_tried_again_at_once(self):
        found = concluded(running(), RERUN, end=End.LOST, reason="host restarted")
        assert (found.status, found.reruns, found.not_before) == ("retry_wait", 1, T + 60.0)
        assert found.reason == "interrupted: host restarted"

    def test_three_times_at_most(self):
        spent = running(attempt=4, reruns=MAX_RERUNS)
        found = concluded(spent, RERUN, end=End.LOST, reason="host restarted")
        assert found.verdict() == "interrupted(host restarted)"

    def test_not_once_the_schedule_is_removed(self):
        assert not concluded(running(), None, end=End.LOST, reason="host restarted").active
