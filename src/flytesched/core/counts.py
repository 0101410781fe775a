"""What the metrics count: amounts that a verdict adds, stored in the transaction that gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.decision import Count
from flytesched.core.runs import FAILURES, Origin, Reason, RunStatus, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flytesched.core.runs import Gap, Run
    from flytesched.core.telling.events import NoticeMove

#: Upper bounds of the lag histogram, in seconds.
LAG_BOUNDS = (0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 3600.0)
#: Upper bounds of the duration histogram, in seconds.
DURATION_BOUNDS = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)


def bucket(value: float, bounds: Iterable[float]) -> str:
    """Return the label of the smallest bound that holds ``value``."""
    return next((str(bound) for bound in bounds if value <= bound), "+Inf")


def count_verdicts(runs: Iterable[Run]) -> Iterator[Count]:
    """Yield what the verdicts of runs add; runs without one add nothing."""
    for run in runs:
        if run.active:
            continue
        yield _count(run, "runs_total", run.status.value)
        if run.status is RunStatus.SKIPPED:
            yield _count(run, "skipped_total", kind_of(run.reason))
        if run.origin is Origin.CATCHUP and run.status in FAILURES:
            yield Count(metric="catchup_errors_total", run=run.id)
        if run.started is not None and run.ended is not None:
            yield from _observe(run, "duration_seconds", run.ended - run.started, DURATION_BOUNDS)


def count_starts(runs: Iterable[Run]) -> Iterator[Count]:
    """Yield what first starts of live slots add: the lag behind the slot and its jitter."""
    for run in runs:
        if run.live_slot is not None and run.started is not None and run.attempt == 1:
            lag = run.started - max(run.live_slot, run.not_before)
            yield from _observe(run, "lag_seconds", lag, LAG_BOUNDS)


def count_gaps(gaps: Iterable[Gap]) -> Iterator[Count]:
    """Yield what new gaps add: what calendars leave out was not missed."""
    for gap in gaps:
        if gap.closed_as == Reason.HOLIDAY.value:
            yield Count(
                metric="skipped_total", schedule=gap.schedule, label=gap.closed_as, amount=gap.count
            )
        else:
            yield Count(metric="missed_total", schedule=gap.schedule, amount=gap.count)


def count_notices(moves: Iterable[NoticeMove]) -> Iterator[Count]:
    """Yield what notices that come to their last state add, by channel."""
    for move in moves:
        notice = move.notice
        if notice.ended is not None:
            yield Count(
                metric="notices_total", schedule=notice.channel, label=notice.status.value,
                run=notice.key,
            )  # fmt: skip


def _count(run: Run, metric: str, label: str, amount: float = 1.0) -> Count:
    return Count(metric=metric, schedule=run.schedule, label=label, amount=amount, run=run.id)


def _observe(run: Run, metric: str, value: float, bounds: Iterable[float]) -> Iterator[Count]:
    seconds = max(0.0, value)
    yield _count(run, metric, bucket(seconds, bounds))
    yield _count(run, f"{metric}_sum", "", seconds)
