"""When a run is late, and when it takes long."""

from __future__ import annotations

from dataclasses import replace

from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.punctuality import late_at, long_at

SLOT = 1_795_219_200
RUN = Run(
    id=f"sched-job-{SLOT}", schedule="job", scheduled_at=SLOT, origin=Origin.SCHEDULE,
    status=RunStatus.QUEUED, created=SLOT + 0.1,
)  # fmt: skip
JOB = Schedule("job", every="1h", command="true", late_after="2m", long_after="30m")
USUAL = Schedule("job", every="1h", command="true")


def test_a_slot_that_has_not_started_is_late_some_time_after_it() -> None:
    assert late_at(RUN, JOB) == SLOT + 120
    assert late_at(RUN, USUAL) == SLOT + 300, "five minutes unless the schedule says another"


def test_jitter_is_no_lateness() -> None:
    assert late_at(replace(RUN, not_before=SLOT + 60.0), JOB) == SLOT + 180


def test_one_that_is_claimed_and_cannot_start_is_late_too() -> None:
    assert late_at(replace(RUN, status=RunStatus.CLAIMED, attempt=1), JOB) == SLOT + 120


def test_what_has_started_once_is_never_late() -> None:
    for status in (RunStatus.RUNNING, RunStatus.RETRY_WAIT):
        assert late_at(replace(RUN, status=status, started=SLOT + 1.0), JOB) is None


def test_what_has_its_verdict_is_neither_late_nor_long() -> None:
    skipped = replace(RUN, status=RunStatus.SKIPPED, ended=SLOT + 1.0)
    assert (late_at(skipped, JOB), long_at(skipped, JOB)) == (None, None)


def test_what_makes_up_for_the_past_is_not_late() -> None:
    for origin in (Origin.CATCHUP, Origin.BACKFILL, Origin.RETRY, Origin.MANUAL):
        assert late_at(replace(RUN, origin=origin), JOB) is None


def test_a_run_takes_long_from_its_first_start_on() -> None:
    """Whatever it was asked for by, and however often it was tried."""
    for status in (RunStatus.RUNNING, RunStatus.RETRY_WAIT, RunStatus.CLAIMED):
        run = replace(RUN, status=status, started=SLOT + 7.5, origin=Origin.MANUAL, attempt=3)
        assert long_at(run, JOB) == SLOT + 1807.5
        assert long_at(run, USUAL) is None
    assert long_at(RUN, JOB) is None
