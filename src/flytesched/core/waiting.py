"""Waiting: what an active run waits for that is neither running nor about to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from flytesched.core.lane import Lane, is_free
from flytesched.core.runs import IN_PLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flytesched.core.runs import Run


class Wait(StrEnum):
    """What a run waits for; of several things the one that is told first."""

    #: Somebody who starts it.
    SCHEDULER = "scheduler"
    #: Its time: jitter, or the delay before a retry.
    TIME = "time"
    #: The end of a run of the same schedule.
    RUN = "run"
    #: A place: ``max_concurrent_runs`` are claimed or running.
    PLACE = "place"
    #: Its turn: others go first, or starts are rationed.
    TURN = "turn"


def waits(
    active: Sequence[Run],
    now: float,
    *,
    manned: bool,
    places: int,
    beside: Callable[[str], bool],
) -> dict[str, Wait]:
    """Return what each waiting run waits for, by its id.

    Args:
        active: all active runs, in the order they came.
        now: epoch seconds.
        manned: whether a scheduler runs.
        places: runs claimed and running at once; 0 = no limit.
        beside: tells whether the runs of a schedule may go beside each other.
    """
    lanes: dict[str, Lane] = {}
    for run in active:
        lanes.setdefault(run.schedule, Lane(run.schedule)).set(run)
    used = sum(run.status in IN_PLACE for run in active)

    def wait(run: Run) -> Wait:
        if not manned:
            return Wait.SCHEDULER
        if run.not_before > now:
            return Wait.TIME
        lane = lanes[run.schedule]
        if not is_free(run) and not lane.lets_start(run, beside=beside(run.schedule)):
            return Wait.RUN
        return Wait.PLACE if places and used >= places else Wait.TURN

    return {run.id: wait(run) for run in active if run.status not in IN_PLACE}
