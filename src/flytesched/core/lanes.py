"""Lanes: the active runs, one lane per schedule, and which waiting run goes next.

Everything about waiting is decided here: a place (``max_concurrent_runs``), a token
(``start_rate``), a time (jitter, retry), and the runs of the same schedule.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.runs import IN_PLACE, STARTED, Origin, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: Who gets a free place first.
RANK = {
    Origin.SCHEDULE: 0,
    Origin.MANUAL: 1,
    Origin.RETRY: 1,
    Origin.CATCHUP: 2,
    Origin.BACKFILL: 3,
}
#: Ranks from here on make up for the past: they wait for tokens and for live runs.
MAKING_UP = 2


class Bucket:
    """A token bucket: ``rate`` tokens a second (0 = no limit), at most ``burst`` kept."""

    def __init__(self, rate: float, burst: int) -> None:
        """Begin full."""
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._at: float | None = None

    def ready_at(self, now: float) -> float:
        """Return when a token is to be had: ``now``, or the moment it will have grown."""
        if not self.rate:
            return now
        self._grow(now)
        return now if self._tokens >= 1 else now + (1 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Use a token."""
        if self.rate:
            self._grow(now)
            self._tokens -= 1

    def put_back(self) -> None:
        """Return a token that was taken for nothing."""
        if self.rate:
            self._tokens = min(self.burst, self._tokens + 1)

    def _grow(self, now: float) -> None:
        # A clock that was set back adds nothing, and takes nothing away.
        passed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._tokens = min(self.burst, self._tokens + passed * self.rate)
        # A hair is added so that waiting exactly until ready_at is always enough.
        if 1 - 1e-6 < self._tokens < 1:
            self._tokens = 1.0
        self._at = now


@dataclass(slots=True)
class _Lane:
    runs: dict[str, Run] = field(default_factory=dict)
    #: Runs claimed, running or between attempts.
    started: dict[str, Run] = field(default_factory=dict)
    #: Queued runs whose time has come: (rank, slot or moment, seq, id).
    waiting: list[tuple[int, float, int, str]] = field(default_factory=list)
    #: The run that stands in the ready heap for this lane.
    offered: str | None = None


class Lanes:
    """The active runs of all schedules."""

    def __init__(
        self,
        *,
        places: int = 0,
        bucket: Bucket | None = None,
        beside: Callable[[str], bool] = lambda _name: False,
        known: Callable[[str], bool] = lambda _name: True,
        scope: Callable[[str], bool] = lambda _id: True,
    ) -> None:
        """Begin with no run.

        Args:
            places: runs claimed and running at once; 0 = no limit.
            bucket: limits the starts of catch-up and backfill.
            beside: tells whether the runs of a schedule may go beside each other.
            known: tells whether a schedule is defined; runs of others wait.
            scope: tells whether a run may be started by this process at all.
        """
        self.places = places
        self.bucket = bucket or Bucket(0, 1)
        self._beside, self._known, self._scope = beside, known, scope
        self._lanes: dict[str, _Lane] = {}
        self._runs: dict[str, Run] = {}
        self._in_place = 0
        self._timed: list[tuple[float, str]] = []
        self._ready: list[tuple[int, int, str]] = []
        self._serial = count()

    def __len__(self) -> int:
        """Count the active runs."""
        return len(self._runs)

    def get(self, run_id: str) -> Run | None:
        """Return an active run."""
        return self._runs.get(run_id)

    def all(self) -> Sequence[Run]:
        """Return every active run."""
        return tuple(self._runs.values())

    def of(self, schedule: str) -> Sequence[Run]:
        """Return the active runs of a schedule, in the order they came."""
        lane = self._lanes.get(schedule)
        return tuple(lane.runs.values()) if lane else ()

    def put(self, run: Run) -> None:
        """Take a run's present state; one with a verdict leaves its lane."""
        if (old := self._runs.get(run.id)) is not None:
            self._remove(old)
        if run.active:
            lane = self._lanes.setdefault(run.schedule, _Lane())
            lane.runs[run.id] = self._runs[run.id] = run
            if run.status in STARTED:
                lane.started[run.id] = run
            self._in_place += run.status in IN_PLACE
            self._wait(run)
        self._touch(run.schedule)

    def drop(self, run: Run) -> None:
        """Forget a run that is not in the run log after all."""
        if (old := self._runs.get(run.id)) is not None:
            self._remove(old)
            self._touch(run.schedule)

    def touch_all(self, schedules: Iterable[str] | None = None) -> None:
        """Look again at lanes whose schedule has changed."""
        for name in tuple(self._lanes if schedules is None else schedules):
            for run in self.of(name):
                self._wait(run)

    def choose(self, now: float) -> list[tuple[Run, Run]]:
        """Take the runs that start now, best first, each as it was and as claimed.

        ``give_back`` undoes it when the claims cannot be stored.
        """
        self._come_due(now)
        chosen = []
        while self._ready and self._has_place():
            rank, _, run_id = self._ready[0]
            if rank >= MAKING_UP and self.bucket.ready_at(now) > now:
                break
            heapq.heappop(self._ready)
            if (run := self._still(run_id)) is None:
                continue
            if rank >= MAKING_UP:
                self.bucket.take(now)
            claimed = run.move(RunStatus.CLAIMED, attempt=run.attempt + 1, reason=None)
            self.put(claimed)
            chosen.append((run, claimed))
        return chosen

    def give_back(self, chosen: Iterable[tuple[Run, Run]]) -> None:
        """Undo ``choose``."""
        for waiting, _ in chosen:
            if RANK[waiting.origin] >= MAKING_UP:
                self.bucket.put_back()
            self.put(waiting)

    def next_at(self, now: float) -> float | None:
        """Return when a run may come due by time alone; None if none waits for time."""
        while self._timed and not self._waits(*self._timed[0]):
            heapq.heappop(self._timed)
        moments = [self._timed[0][0]] if self._timed else []
        if self._ready and self._has_place():
            moments.append(self.bucket.ready_at(now))
        return min(moments, default=None)

    def _has_place(self) -> bool:
        return not self.places or self._in_place < self.places

    def _remove(self, run: Run) -> None:
        lane = self._lanes[run.schedule]
        del lane.runs[run.id], self._runs[run.id]
        lane.started.pop(run.id, None)
        self._in_place -= run.status in IN_PLACE
        if lane.offered == run.id:
            lane.offered = None
        if not lane.runs:
            del self._lanes[run.schedule]

    def _wait(self, run: Run) -> None:
        if run.status in {RunStatus.QUEUED, RunStatus.RETRY_WAIT} and self._scope(run.id):
            heapq.heappush(self._timed, (run.not_before, run.id))

    def _waits(self, at: float, run_id: str) -> bool:
        run = self._runs.get(run_id)
        return (
            run is not None
            and run.not_before == at
            and run.status in {RunStatus.QUEUED, RunStatus.RETRY_WAIT}
        )

    def _come_due(self, now: float) -> None:
        """Line up the runs whose time has come."""
        while self._timed and self._timed[0][0] <= now:
            at, run_id = heapq.heappop(self._timed)
            if not self._waits(at, run_id):
                continue
            run = self._runs[run_id]
            if run.status is RunStatus.RETRY_WAIT:
                heapq.heappush(self._ready, (RANK[run.origin], next(self._serial), run_id))
                continue
            lane = self._lanes[run.schedule]
            moment = run.created if run.scheduled_at is None else run.scheduled_at
            heapq.heappush(lane.waiting, (RANK[run.origin], moment, run.seq, run_id))
            self._touch(run.schedule)

    def _touch(self, schedule: str) -> None:
        """Offer the first waiting run of a lane, if its schedule lets it start."""
        if (lane := self._lanes.get(schedule)) is None or not self._known(schedule):
            return
        while lane.waiting and not self._queued(lane.waiting[0][3]):
            heapq.heappop(lane.waiting)
        if not lane.waiting:
            return
        rank, _, _, run_id = lane.waiting[0]
        if lane.offered != run_id and self._may_start(lane, self._runs[run_id]):
            lane.offered = run_id
            heapq.heappush(self._ready, (rank, next(self._serial), run_id))

    def _queued(self, run_id: str) -> bool:
        run = self._runs.get(run_id)
        return run is not None and run.status is RunStatus.QUEUED

    def _may_start(self, lane: _Lane, run: Run) -> bool:
        """Tell whether the other runs of the schedule let this one start."""
        if run.parallel == 0 or self._beside(run.schedule) or not lane.started:
            return True
        # Backfill with --parallel N: its own kind may go beside it, nothing else.
        return run.parallel > len(lane.started) and all(
            other.origin is Origin.BACKFILL for other in lane.started.values()
        )

    def _still(self, run_id: str) -> Run | None:
        """Return an offered run if it may still start."""
        run = self._runs.get(run_id)
        if run is None or not self._known(run.schedule):
            return None
        if run.status is RunStatus.RETRY_WAIT:
            return run
        lane = self._lanes[run.schedule]
        if lane.offered != run_id:
            return None
        lane.offered = None
        if run.status is not RunStatus.QUEUED or not self._may_start(lane, run):
            self._touch(run.schedule)
            return None
        return run
