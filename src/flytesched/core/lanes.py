"""Lanes: the active runs, one lane per schedule, and which waiting run goes next.

Everything about waiting is decided here: a place (``max_concurrent_runs``), a token
(``start_rate``), a time (jitter, retry), and the runs of the same schedule.

A waiting run passes three stations. It is *timed* until its ``not_before``; then it stands in the
line of its lane; the run at the head of a line gets a *ticket* when the other runs of the schedule
let it start, and tickets are served by rank and in the order they were given out. Retries and
forced runs mind nobody in their lane and get their ticket as soon as they are due.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.bucket import Bucket
from flytesched.core.lane import RANK, Lane, is_free, waits_alike
from flytesched.core.runs import IN_PLACE, Run, RunStatus
from flytesched.core.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flytesched.core.tickets import Ticket

__all__ = ["MAKING_UP", "RANK", "Bucket", "Lanes"]

#: Ranks from here on make up for the past: they wait for tokens and for live runs.
MAKING_UP = 2
_WAITING = frozenset({RunStatus.QUEUED, RunStatus.RETRY_WAIT})


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

        When what ``beside`` or ``known`` say of a schedule changes, ``touch_all`` must be called.
        """
        self.places = places
        self.bucket = bucket or Bucket(0, 1)
        self._beside, self._known, self._scope = beside, known, scope
        self._lanes: dict[str, Lane] = {}
        self._runs: dict[str, Run] = {}
        #: Runs claimed or running: those that take a place.
        self.in_place = 0
        self._timed: list[tuple[float, str]] = []
        #: Ids of runs whose time has come: in a line, or free.
        self._lined: set[str] = set()
        self._tickets = Tickets()
        #: Those that the last ``choose`` lined up ahead of their time.
        self._early: list[str] = []
        #: The tickets that the last ``choose`` used.
        self._used: dict[str, Ticket] = {}
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
        if not run.active:
            self.drop(run)
            return
        old = self._runs.get(run.id)
        if old == run:
            return
        if (lane := self._lanes.get(run.schedule)) is None:
            lane = self._lanes[run.schedule] = Lane(run.schedule)
        if old is not None and not waits_alike(old, run):
            self._unline(lane, run.id)
        self._set(lane, run, old)
        if run.status in _WAITING and run.id not in self._lined and self._scope(run.id):
            heapq.heappush(self._timed, (run.not_before, run.id))
        self._touch(lane)

    def drop(self, run: Run) -> None:
        """Forget a run that has a verdict, or is not in the run log after all."""
        if (old := self._runs.pop(run.id, None)) is None:
            return
        lane = self._lanes[old.schedule]
        del lane.runs[old.id]
        lane.started.pop(old.id, None)
        self.in_place -= old.status in IN_PLACE
        self._unline(lane, old.id)
        self._touch(lane)
        if not lane.runs:
            del self._lanes[lane.name]

    def touch_all(self, schedules: Iterable[str] | None = None) -> None:
        """Look again at the lanes of schedules that have changed; None: at all lanes."""
        for name in tuple(self._lanes if schedules is None else schedules):
            if (lane := self._lanes.get(name)) is not None:
                self._touch(lane)

    def choose(self, now: float, moment: float | None = None) -> list[tuple[Run, Run]]:
        """Take the runs that start now, best first, each as it was and as claimed.

        ``give_back`` undoes it when the claims cannot be stored.

        Args:
            now: the moment of the choice.
            moment: when they start, if that is ahead. Who is not chosen then leaves the line
                again: it must not start before its time when a place gets free.
        """
        self._come_due(now)
        self._early = [] if moment is None else self._come_due(moment)
        now = now if moment is None else moment
        self._used.clear()
        chosen = []
        while (ticket := self._tickets.best()) is not None and self._has_place():
            if ticket[0] >= MAKING_UP:
                if self.bucket.ready_at(now) > now:
                    break
                self.bucket.take(now)
            chosen.append(self._claim(ticket))
        self._step_back()
        return chosen

    def give_back(self, chosen: Iterable[tuple[Run, Run]]) -> None:
        """Undo the last ``choose``, of which nothing was started: all is as it was before."""
        for waiting, _ in reversed(tuple(chosen)):
            ticket = self._used.pop(waiting.id)
            if ticket[0] >= MAKING_UP:
                self.bucket.put_back()
            self._restore(waiting, ticket)
        self._step_back()

    def next_at(self, now: float) -> float | None:
        """Return when a run may come due by time alone; None if none waits for time."""
        while self._timed and not self._is_timed(*self._timed[0]):
            heapq.heappop(self._timed)
        moments = [self._timed[0][0]] if self._timed else []
        if (ticket := self._tickets.best()) is not None and self._has_place():
            moments.append(self.bucket.ready_at(now) if ticket[0] >= MAKING_UP else now)
        return min(moments, default=None)

    def _has_place(self) -> bool:
        return not self.places or self.in_place < self.places

    def _set(self, lane: Lane, run: Run, old: Run | None) -> None:
        """Keep a run's present state."""
        self._runs[run.id] = run
        lane.set(run)
        self.in_place += (run.status in IN_PLACE) - (old is not None and old.status in IN_PLACE)

    # -- lines ------------------------------------------------------------------------------

    def _is_timed(self, at: float, run_id: str) -> bool:
        """Tell whether an entry of the timed runs still says what its run says."""
        run = self._runs.get(run_id)
        return (
            run is not None
            and run.not_before == at
            and run.status in _WAITING
            and run_id not in self._lined
        )

    def _come_due(self, now: float) -> list[str]:
        """Line up the runs whose time has come, and return their ids."""
        found = []
        while self._timed and self._timed[0][0] <= now:
            at, run_id = heapq.heappop(self._timed)
            if self._is_timed(at, run_id):
                run = self._runs[run_id]
                lane = self._lanes[run.schedule]
                self._line_up(lane, run)
                self._touch(lane)
                found.append(run_id)
        return found

    def _step_back(self) -> None:
        """Let those wait for their time again that stand in line ahead of it."""
        for run_id in self._early:
            if run_id in self._lined:
                run = self._runs[run_id]
                lane = self._lanes[run.schedule]
                self._unline(lane, run_id)
                heapq.heappush(self._timed, (run.not_before, run_id))
                self._touch(lane)

    def _line_up(self, lane: Lane, run: Run) -> None:
        self._lined.add(run.id)
        lane.line_up(run, self._lined)

    def _unline(self, lane: Lane, run_id: str) -> None:
        """Take a run out of its line."""
        self._lined.discard(run_id)
        lane.free.pop(run_id, None)
        self._tickets.take_back(run_id)
        if lane.head == run_id:
            lane.head = None

    # -- tickets ----------------------------------------------------------------------------

    def _touch(self, lane: Lane) -> None:
        """Give tickets to those of a lane that may start now, and take back those of others."""
        if not (lane.line or lane.free):
            return
        known = self._known(lane.name)
        for run_id in lane.free:
            if not known:
                self._tickets.take_back(run_id)
            elif run_id not in self._tickets:
                rank = RANK[self._runs[run_id].origin]
                self._tickets.give((rank, next(self._serial), run_id))
        self._lead(lane, self._startable(lane) if known else None)

    def _startable(self, lane: Lane) -> Run | None:
        """Return the first in line, if it may start."""
        run = lane.first(self._lined)
        if run is None or lane.lets_start(run, beside=self._beside(lane.name)):
            return run
        return None

    def _lead(self, lane: Lane, run: Run | None) -> None:
        """Let a run, or none, be the one in line that has a ticket."""
        head = None if run is None else run.id
        if head == lane.head:
            return
        if lane.head is not None:
            self._tickets.take_back(lane.head)
        lane.head = head
        if run is not None:
            rank = RANK[run.origin]
            self._tickets.give((rank, self._number(lane, rank), run.id))

    def _number(self, lane: Lane, rank: int) -> int:
        if rank < MAKING_UP:
            return next(self._serial)
        if lane.turn is None:
            lane.turn = next(self._serial)
        return lane.turn

    def _claim(self, ticket: Ticket) -> tuple[Run, Run]:
        """Use the best ticket."""
        rank, _, run_id = ticket
        waiting = self._runs[run_id]
        lane = self._lanes[waiting.schedule]
        if lane.head == run_id:
            heapq.heappop(lane.line)
            if rank >= MAKING_UP:
                lane.turn = None
        self._unline(lane, run_id)
        self._used[run_id] = ticket
        claimed = waiting.move(RunStatus.CLAIMED, attempt=waiting.attempt + 1, reason=None)
        self._set(lane, claimed, waiting)
        self._touch(lane)
        return waiting, claimed

    def _restore(self, waiting: Run, ticket: Ticket) -> None:
        """Put a claimed run back where it stood, with the ticket it had."""
        lane = self._lanes[waiting.schedule]
        self._set(lane, waiting, self._runs[waiting.id])
        self._line_up(lane, waiting)
        if not is_free(waiting):
            if lane.head is not None:
                self._tickets.take_back(lane.head)
            lane.head = waiting.id
            if ticket[0] >= MAKING_UP:
                lane.turn = ticket[1]
        self._tickets.give(ticket)
