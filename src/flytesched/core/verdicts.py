"""Verdicts: what the end of an attempt means for its run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched.core.policies import MAX_RERUNS, OnInterrupted
from flytesched.core.runs import End, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.core.runs import Outcome
    from flytesched.core.schedule import Schedule


def conclude(
    run: Run, outcome: Outcome, schedule: Schedule | None, codes: Sequence[int] = (0,)
) -> Run:
    """Return the run after the end of its attempt: a verdict, or the wait for the next attempt.

    Args:
        run: the run as it is.
        outcome: how its attempt ended.
        schedule: the definition; None once it was removed, and then nothing is tried again.
        codes: exit codes that count as success.
    """
    run = replace(run, exit_code=outcome.exit_code)
    if run.end_as is not None:
        return _as_meant(run, outcome, schedule)
    if outcome.end is End.LOST:
        return _lost(run, outcome, schedule)
    if outcome.end is End.UNSTARTABLE:
        return _final(run, RunStatus.FAILED, outcome, f"start: {outcome.reason}")
    if outcome.exit_code in codes:
        return _final(run, RunStatus.SUCCEEDED, outcome, None)
    return _again(run, RunStatus.FAILED, outcome, schedule, outcome.reason)


def _as_meant(run: Run, outcome: Outcome, schedule: Schedule | None) -> Run:
    """Give the verdict that was meant when the signal was sent."""
    status, _, reason = (run.end_as or "").partition("(")
    said = reason.removesuffix(")") or None
    if status == RunStatus.TIMED_OUT.value:
        return _again(run, RunStatus.TIMED_OUT, outcome, schedule, None)
    return _final(run, RunStatus(status), outcome, said)


def _lost(run: Run, outcome: Outcome, schedule: Schedule | None) -> Run:
    again = schedule is not None and schedule.on_interrupted is OnInterrupted.RERUN
    if again and run.reruns < MAX_RERUNS:
        # It may have been lost between its claim and its slot.
        return run.move(
            RunStatus.RETRY_WAIT, not_before=max(outcome.ended, run.live_slot or 0),
            reruns=run.reruns + 1, reason=f"interrupted: {outcome.reason}",
        )  # fmt: skip
    return _final(run, RunStatus.INTERRUPTED, outcome, outcome.reason)


def _again(
    run: Run, verdict: RunStatus, outcome: Outcome, schedule: Schedule | None, reason: str | None
) -> Run:
    """Try again if the schedule says so, else give the verdict."""
    used = run.attempt - run.reruns
    if schedule is None or used >= schedule.retry.max_attempts:
        return _final(run, verdict, outcome, reason)
    said = "timed out" if verdict is RunStatus.TIMED_OUT else reason or f"exit {outcome.exit_code}"
    return run.move(
        RunStatus.RETRY_WAIT, not_before=outcome.ended + schedule.retry.wait_after(used),
        reason=said, end_as=None,
    )  # fmt: skip


def _final(run: Run, verdict: RunStatus, outcome: Outcome, reason: str | None) -> Run:
    return run.move(verdict, ended=outcome.ended, reason=reason)
