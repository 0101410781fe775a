"""Lane: the active runs of one schedule, and the line of those whose time has come."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flytesched.core.runs import STARTED, Origin, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Container

#: Who gets a free place first.
RANK = {
    Origin.SCHEDULE: 0,
    Origin.MANUAL: 1,
    Origin.RETRY: 1,
    Origin.CATCHUP: 2,
    Origin.BACKFILL: 3,
}
#: Outdated entries of a heap are swept out when they outnumber what is valid by this.
SLACK = 64


@dataclass(slots=True, eq=False)
class Lane:
    """The active runs of one schedule."""

    #: Name of the schedule.
    name: str
    #: Its active runs, in the order they came.
    runs: dict[str, Run] = field(default_factory=dict)
    #: Those claimed, running or between attempts.
    started: dict[str, Run] = field(default_factory=dict)
    #: The line, a heap: queued runs whose time has come, as (rank, slot or moment, id). What left
    #: the line stays in the heap until it comes to the head.
    line: list[tuple[int, float, str]] = field(default_factory=list)
    #: Due runs that mind nobody in the lane.
    free: dict[str, None] = field(default_factory=dict)
    #: The run at the head of the line, if it has a ticket.
    head: str | None = None
    #: The lane's number in the round of making up for the past; kept until it is used, so that
    #: live runs in between do not send the lane to the end of the round.
    turn: int | None = None

    def set(self, run: Run) -> None:
        """Keep a run's present state, in the place among the runs that it has."""
        self.runs[run.id] = run
        if run.status in STARTED:
            self.started[run.id] = run
        else:
            self.started.pop(run.id, None)

    def line_up(self, run: Run, lined: Container[str]) -> None:
        """Let a due run stand in line; ``lined`` holds the runs that do, of this and all lanes."""
        if is_free(run):
            self.free[run.id] = None
            return
        heapq.heappush(self.line, standing(run))
        if len(self.line) > 2 * len(self.runs) + SLACK:
            waiting = (run for run in self.runs.values() if run.id in lined and not is_free(run))
            self.line = sorted(standing(run) for run in waiting)

    def first(self, lined: Container[str]) -> Run | None:
        """Return the first in line."""
        while self.line:
            run = self.runs.get(self.line[0][2])
            if run is not None and run.id in lined and run.status is RunStatus.QUEUED:
                return run
            heapq.heappop(self.line)
        return None

    def lets_start(self, run: Run, *, beside: bool) -> bool:
        """Tell whether the started runs let one of the line start.

        ``beside``: runs of this schedule may go beside each other.
        """
        if not self.started:
            return True
        if run.origin is not Origin.BACKFILL:
            return beside
        # --parallel N limits backfill even then; else backfill goes beside its own kind only.
        kin = sum(other.origin is Origin.BACKFILL for other in self.started.values())
        return kin < run.parallel and (beside or kin == len(self.started))


def is_free(run: Run) -> bool:
    """Tell whether a run minds nobody in its lane: forced, or between attempts, which blocks it."""
    return run.status is RunStatus.RETRY_WAIT or run.parallel == 0


def standing(run: Run) -> tuple[int, float, str]:
    """Return what orders a line: by rank, then the oldest first."""
    moment = run.created if run.scheduled_at is None else run.scheduled_at
    return RANK[run.origin], moment, run.id


def waits_alike(old: Run, new: Run) -> bool:
    """Tell whether a run that has changed keeps its place in line."""
    return (
        old.status is new.status
        and old.not_before == new.not_before
        and old.parallel == new.parallel
        and standing(old) == standing(new)
    )
