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
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.bucket import Bucket
from flytesched.core.runs import IN_PLACE, STARTED, Origin, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    #: Rank, number in the order of giving out, id of the run.
    Ticket = tuple[int, int, str]

__all__ = ["MAKING_UP", "RANK", "Bucket", "Lanes"]

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
_WAITING = frozenset({RunStatus.QUEUED, RunStatus.RETRY_WAIT})
#: What is outdated in a heap is swept out when it outnumbers what is valid by this.
_SLACK = 64


@dataclass(slots=True, eq=False)
class _Lane:
    #: Name of the schedule.
    name: str
    #: Its active runs, in the order they came.
    runs: dict[str, Run] = field(default_factory=dict)
    #: Those claimed, running or between attempts.
    started: dict[str, Run] = field(default_factory=dict)
    #: The line, a heap: queued runs whose time has come, as (rank, slot or moment, id).
    line: list[tuple[int, float, str]] = field(default_factory=list)
    #: Due runs that mind nobody in the lane.
    free: dict[str, None] = field(default_factory=dict)
    #: The run at the head of the line, if it has a ticket.
    head: str | None = None
    #: The lane's number in the round of making up for the past; kept until it is used, so that
    #: live runs in between do not send the lane to the end of the round.
    turn: int | None = None


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
        self._lanes: dict[str, _Lane] = {}
        self._runs: dict[str, Run] = {}
        self._in_place = 0
        self._timed: list[tuple[float, str]] = []
        #: Ids of runs whose time has come: in a line, or free.
        self._lined: set[str] = set()
        #: The valid tickets by run; the heap may hold outdated ones.
        self._tickets: dict[str, Ticket] = {}
        self._ready: list[Ticket] = []
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
        lane = self._lane(run.schedule)
        if old is not None and not _waits_alike(old, run):
            self._unline(lane, run.id)
        self._set(lane, run)
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
        self._in_place -= old.status in IN_PLACE
        self._unline(lane, old.id)
        self._touch(lane)
        if not lane.runs:
            del self._lanes[lane.name]

    def touch_all(self, schedules: Iterable[str] | None = None) -> None:
        """Look again at the lanes of schedules that have changed; None: at all lanes."""
        for name in tuple(self._lanes if schedules is None else schedules):
            if (lane := self._lanes.get(name)) is not None:
                self._touch(lane)

    def choose(self, now: float) -> list[tuple[Run, Run]]:
        """Take the runs that start now, best first, each as it was and as claimed.

        ``give_back`` undoes it when the claims cannot be stored.
        """
        self._come_due(now)
        self._used.clear()
        chosen = []
        while (ticket := self._best()) is not None and self._has_place():
            if ticket[0] >= MAKING_UP:
                if self.bucket.ready_at(now) > now:
                    break
                self.bucket.take(now)
            chosen.append(self._claim(ticket))
        return chosen

    def give_back(self, chosen: Iterable[tuple[Run, Run]]) -> None:
        """Undo the last ``choose``, of which nothing was started: all is as it was before."""
        for waiting, _ in reversed(tuple(chosen)):
            ticket = self._used.pop(waiting.id)
            if ticket[0] >= MAKING_UP:
                self.bucket.put_back()
            self._restore(waiting, ticket)

    def next_at(self, now: float) -> float | None:
        """Return when a run may come due by time alone; None if none waits for time."""
        while self._timed and not self._is_timed(*self._timed[0]):
            heapq.heappop(self._timed)
        moments = [self._timed[0][0]] if self._timed else []
        if (ticket := self._best()) is not None and self._has_place():
            moments.append(self.bucket.ready_at(now) if ticket[0] >= MAKING_UP else now)
        return min(moments, default=None)

    # -- runs -------------------------------------------------------------------------------

    def _lane(self, name: str) -> _Lane:
        if (lane := self._lanes.get(name)) is None:
            lane = self._lanes[name] = _Lane(name)
        return lane

    def _set(self, lane: _Lane, run: Run) -> None:
        """Keep a run's present state, in the place among its lane's runs that it has."""
        old = self._runs.get(run.id)
        lane.runs[run.id] = self._runs[run.id] = run
        if run.status in STARTED:
            lane.started[run.id] = run
        else:
            lane.started.pop(run.id, None)
        self._in_place += (run.status in IN_PLACE) - (old is not None and old.status in IN_PLACE)

    def _has_place(self) -> bool:
        return not self.places or self._in_place < self.places

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

    def _come_due(self, now: float) -> None:
        """Line up the runs whose time has come."""
        while self._timed and self._timed[0][0] <= now:
            at, run_id = heapq.heappop(self._timed)
            if self._is_timed(at, run_id):
                run = self._runs[run_id]
                lane = self._lanes[run.schedule]
                self._line_up(lane, run)
                self._touch(lane)

    def _line_up(self, lane: _Lane, run: Run) -> None:
        self._lined.add(run.id)
        if _is_free(run):
            lane.free[run.id] = None
            return
        heapq.heappush(lane.line, _standing(run))
        if len(lane.line) > 2 * len(lane.runs) + _SLACK:
            lined = (run for run in lane.runs.values() if run.id in self._lined)
            lane.line = sorted(_standing(run) for run in lined if not _is_free(run))

    def _unline(self, lane: _Lane, run_id: str) -> None:
        """Take a run out of its line; its entry there is swept out when it comes to the head."""
        self._lined.discard(run_id)
        lane.free.pop(run_id, None)
        self._tickets.pop(run_id, None)
        if lane.head == run_id:
            lane.head = None

    def _head(self, lane: _Lane) -> str | None:
        """Return the first in line, if the runs that are started let it start."""
        while lane.line:
            run = self._runs.get(lane.line[0][2])
            if run is not None and run.id in self._lined and run.status is RunStatus.QUEUED:
                return run.id if self._may_start(lane, run) else None
            heapq.heappop(lane.line)
        return None

    def _may_start(self, lane: _Lane, run: Run) -> bool:
        """Tell whether the started runs of the schedule let this one start."""
        if not lane.started:
            return True
        beside = self._beside(lane.name)
        if run.origin is not Origin.BACKFILL:
            return beside
        # --parallel N counts backfill alone where runs may go beside each other, else it may go
        # beside its own kind only.
        kin = sum(other.origin is Origin.BACKFILL for other in lane.started.values())
        return kin < run.parallel and (beside or kin == len(lane.started))

    # -- tickets ----------------------------------------------------------------------------

    def _touch(self, lane: _Lane) -> None:
        """Give tickets to those of a lane that may start now, and take back those of others."""
        known = self._known(lane.name)
        for run_id in lane.free:
            if not known:
                self._tickets.pop(run_id, None)
            elif run_id not in self._tickets:
                self._give_ticket(RANK[self._runs[run_id].origin], next(self._serial), run_id)
        head = self._head(lane) if known else None
        if head == lane.head:
            return
        if lane.head is not None:
            self._tickets.pop(lane.head, None)
        lane.head = head
        if head is not None:
            rank = RANK[self._runs[head].origin]
            self._give_ticket(rank, self._number(lane, rank), head)

    def _number(self, lane: _Lane, rank: int) -> int:
        if rank < MAKING_UP:
            return next(self._serial)
        if lane.turn is None:
            lane.turn = next(self._serial)
        return lane.turn

    def _give_ticket(self, *ticket: *Ticket) -> None:
        self._tickets[ticket[2]] = ticket
        heapq.heappush(self._ready, ticket)
        if len(self._ready) > 2 * len(self._tickets) + _SLACK:
            self._ready = sorted(self._tickets.values())

    def _best(self) -> Ticket | None:
        """Return the best valid ticket."""
        while self._ready:
            ticket = self._ready[0]
            if self._tickets.get(ticket[2]) == ticket:
                return ticket
            heapq.heappop(self._ready)
        return None

    def _claim(self, ticket: Ticket) -> tuple[Run, Run]:
        """Use the best ticket."""
        heapq.heappop(self._ready)
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
        self._set(lane, claimed)
        self._touch(lane)
        return waiting, claimed

    def _restore(self, waiting: Run, ticket: Ticket) -> None:
        """Put a claimed run back where it stood, with the ticket it had."""
        lane = self._lanes[waiting.schedule]
        self._set(lane, waiting)
        self._line_up(lane, waiting)
        if not _is_free(waiting):
            if lane.head is not None:
                self._tickets.pop(lane.head, None)
            lane.head = waiting.id
            if ticket[0] >= MAKING_UP:
                lane.turn = ticket[1]
        self._give_ticket(*ticket)


def _is_free(run: Run) -> bool:
    """Tell whether a run minds nobody in its lane: forced, or between attempts, which blocks it."""
    return run.status is RunStatus.RETRY_WAIT or run.parallel == 0


def _standing(run: Run) -> tuple[int, float, str]:
    """Return what orders a line: who goes first, then the oldest."""
    moment = run.created if run.scheduled_at is None else run.scheduled_at
    return RANK[run.origin], moment, run.id


def _waits_alike(old: Run, new: Run) -> bool:
    """Tell whether a run keeps its place in line."""
    return (
        old.status is new.status
        and old.not_before == new.not_before
        and old.parallel == new.parallel
        and _standing(old) == _standing(new)
    )
