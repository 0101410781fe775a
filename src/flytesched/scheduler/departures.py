"""Departures: claimed runs on their way to their start.

A run waits here for its moment, for its turn, or for a start that was not possible. Starts go in
turns and batches: all that can be done before is done for the whole batch first, and all that can
be done after is done at the end of the turn.
"""

from __future__ import annotations

import contextlib
import heapq
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from flytesched.core.lanes import RANK
from flytesched.core.protocols import Order
from flytesched.core.runs import End, Outcome, Reason, RunStatus
from flytesched.core.timetables.parse import timetable
from flytesched.errors import StartDelayed, StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Clock, Journal, Launcher, Started
    from flytesched.core.runs import Attempt, Run
    from flytesched.core.schedule import Schedule

    #: A run that may start: its rank, its number in line, its id.
    Ticket = tuple[int, int, str]

#: Seconds until a start that was not possible is tried again.
TRY_AGAIN = 1.0
#: Seconds that starts may take before everything else of a tick has its turn.
TURN = 0.2
#: Starts of one batch: each has files open from its preparation on.
BATCH = 32
#: Seconds from now on in which what is held leaves soon.
NEAR = 1.0
#: Seconds before the moment of a start by which all that prepares it is over.
PREPARED_BEFORE = 0.002


class Departures:
    """The claimed runs that were not started yet."""

    def __init__(
        self,
        *,
        clock: Clock,
        launcher: Launcher,
        lanes: Lanes,
        journal: Journal,
        attempts: Mapping[str, Attempt],
        definition: Callable[[str], Schedule | None],
        may_begin: Callable[[str], bool],
        began: Callable[[Run, Attempt, Started, float], None],
        ended: Callable[[Outcome], None],
    ) -> None:
        """Begin with none.

        Args:
            attempts: the attempt of each run that is ordered.
            definition: returns a schedule's definition, None once it is removed.
            may_begin: tells whether this process may start a run that waits for another try.
            began: told of each start, and of its moment.
            ended: told of attempts that end without one.
        """
        self._clock, self._launcher = clock, launcher
        self._lanes, self._journal, self._attempts = lanes, journal, attempts
        self._definition, self._may_begin = definition, may_begin
        self._began, self._ended = began, ended
        #: All that is here. What left meanwhile stays in the heaps until its turn comes.
        self._here: set[str] = set()
        self._ready: list[Ticket] = []
        #: Those whose moment is still to come.
        self._held: list[tuple[float, int, str]] = []
        #: Definitions of those that are, or were, held.
        self._as_claimed: dict[str, Schedule] = {}
        #: Those that could not start, and when they are tried again on the clock nobody sets.
        self._delayed: dict[str, float] = {}
        #: Those an earlier scheduler claimed and did not start; their slots may be still to come.
        self._found: set[str] = set()
        self._serial = count()
        self._slow = False
        #: Bugs met while starting, since this was set to zero.
        self.panics = 0

    # -- coming and going -------------------------------------------------------------------

    def order(self, run: Run, moment: float = 0.0) -> None:
        """Let a run start whose claim and attempt are durable, not before ``moment``.

        Until then its definition stands as it was when the run was claimed.
        """
        self._here.add(run.id)
        if moment > self._clock.now():
            if (schedule := self._definition(run.schedule)) is not None:
                self._as_claimed[run.id] = schedule
            heapq.heappush(self._held, (moment, next(self._serial), run.id))
        else:
            self._let_go(run)

    def find(self, run: Run) -> None:
        """Let a run start that an earlier scheduler claimed, as soon as its schedule is known."""
        self._here.add(run.id)
        self._found.add(run.id)
        self._delayed[run.id] = 0.0

    def drop(self, run_id: str) -> bool:
        """Let a run never start; False if it is not here, and may have started."""
        self._delayed.pop(run_id, None)
        self._as_claimed.pop(run_id, None)
        self._found.discard(run_id)
        if run_id not in self._here:
            return False
        self._here.discard(run_id)
        return True

    @property
    def soon(self) -> bool:
        """Tell whether any run waits for its turn, or for a moment that is near.

        It is far when the clock was set back after the claim.
        """
        return self.amid or bool(self._held and self._held[0][0] <= self._clock.now() + NEAR)

    @property
    def amid(self) -> bool:
        """Tell whether runs wait for their turn only."""
        return bool(self._ready)

    def held_until(self) -> float | None:
        """Return the next moment for which a run is held."""
        return self._held[0][0] if self._held else None

    def again_at(self) -> float | None:
        """Return when a start is tried again, on the clock that nobody sets."""
        moments = (at for run_id, at in self._delayed.items() if self._may_begin(run_id))
        return min(moments, default=None)

    # -- starting ---------------------------------------------------------------------------

    def prepare(self, until: float) -> None:
        """Do ahead what can be done for those that are held, up to a moment."""
        held = (self._claimed(run_id) for _, _, run_id in sorted(self._held))
        orders = (self._order(run) for run in held if run is not None)
        self._prepare((order for order in orders if order is not None), until - PREPARED_BEFORE)

    def depart(self, now: float) -> None:
        """Start what may start at ``now``, as far as a turn goes.

        What is left has its turn in the next tick: a big burst must not keep what falls due, or
        ends, while it is being started. What makes up for the past begins after what is live.
        """
        while self._held and self._held[0][0] <= now:
            if (run := self._lanes.get(heapq.heappop(self._held)[2])) is not None:
                self._let_go(run)
        until = self._clock.uptime() + TURN
        started: list[tuple[Order, Started, float]] = []
        while self._ready and self._clock.uptime() < until:
            started += self._start(self._batch(), until)
        for order, found, moment in started:
            run = order.run
            self._journal.say("info", "started", run=run.id, attempt=run.attempt, pid=found.pid)
            self._began(run, order.attempt, found, moment)

    def try_again(self) -> None:
        """Let those start whose start was not possible before."""
        uptime = self._clock.uptime()
        for run_id, at in tuple(self._delayed.items()):
            if at <= uptime and self._may_begin(run_id):
                del self._delayed[run_id]
                if (run := self._lanes.get(run_id)) is not None:
                    found = run_id in self._found
                    moment = max(run.not_before, run.live_slot or 0) if found else 0.0
                    self.order(run, moment)
                self._found.discard(run_id)

    def _let_go(self, run: Run) -> None:
        heapq.heappush(self._ready, (RANK[run.origin], next(self._serial), run.id))

    def _batch(self) -> list[tuple[Ticket, Order]]:
        """Take the next runs out of the line."""
        batch: list[tuple[Ticket, Order]] = []
        while self._ready and len(batch) < BATCH:
            ticket = heapq.heappop(self._ready)
            if (run := self._claimed(ticket[2])) is None:
                self.drop(ticket[2])
            elif (order := self._order_or_end(run)) is not None:
                batch.append((ticket, order))
        return batch

    def _order_or_end(self, run: Run) -> Order | None:
        """Return all that a start needs; a run that shall not or cannot start has ended."""
        attempt = self._attempts[run.id]
        try:
            if (order := self._order(run)) is not None:
                return order
            self._ended(unstarted(attempt, self._clock.now()))
        except Exception as error:
            self._bug(attempt, error)
        self.drop(run.id)
        return None

    def _prepare(self, orders: Iterable[Order], until: float) -> None:
        """Let the launcher prepare; what is wrong with a start is told by the start."""
        with contextlib.suppress(Exception):
            self._launcher.prepare(orders, until)

    def _claimed(self, run_id: str) -> Run | None:
        """Return a run that is still here and has not started."""
        run = self._lanes.get(run_id) if run_id in self._here else None
        return run if run is not None and run.status is RunStatus.CLAIMED else None

    def _order(self, run: Run) -> Order | None:
        """Return all that a start needs; None for a run that shall not start any more."""
        schedule = self._as_claimed.get(run.id) or self._definition(run.schedule)
        if run.end_as is not None or schedule is None:
            return None
        return Order(
            run=run, attempt=self._attempts[run.id], schedule=schedule,
            kickoff_at=_kickoff(run, schedule),
        )  # fmt: skip

    def _start(
        self, batch: Sequence[tuple[Ticket, Order]], until: float
    ) -> list[tuple[Order, Started, float]]:
        """Start a batch, as far as a turn goes; return what was started, and when."""
        self._prepare([order for _, order in batch], inf)
        started = []
        for number, (ticket, order) in enumerate(batch):
            if number and self._clock.uptime() >= until:
                heapq.heappush(self._ready, ticket)
                continue
            self._here.discard(order.run.id)
            self._as_claimed.pop(order.run.id, None)
            if (found := self._started(order)) is not None:
                started.append((order, found, self._clock.now()))
        return started

    def _started(self, order: Order) -> Started | None:
        try:
            started = self._launcher.start(order)
        except StartDelayed as error:
            self._delay(order.run, error)
        except StartError as error:
            self._unstartable(order.attempt, error.message)
        except Exception as error:  # a bug in one executor must not end the loop
            self._bug(order.attempt, error)
        else:
            self._slow = False
            return started
        return None

    def _delay(self, run: Run, error: StartDelayed) -> None:
        self._here.add(run.id)
        self._delayed[run.id] = self._clock.uptime() + TRY_AGAIN
        if not self._slow:
            self._slow = True
            self._journal.say("error", "cannot start commands now", why=error.message)

    def _bug(self, attempt: Attempt, error: Exception) -> None:
        self.panics += 1
        self._unstartable(attempt, f"{type(error).__name__}: {error}")

    def _unstartable(self, attempt: Attempt, why: str) -> None:
        now = self._clock.now()
        self._ended(Outcome(key=attempt.key, end=End.UNSTARTABLE, ended=now, reason=why))


def unstarted(attempt: Attempt, now: float) -> Outcome:
    """Return the end of an attempt that was ordered, never started, and is not wanted any more."""
    return Outcome(key=attempt.key, end=End.LOST, ended=now, reason=Reason.REMOVED.value)


def _kickoff(run: Run, schedule: Schedule) -> int | None:
    if run.scheduled_at is None:
        return None
    return timetable(schedule.timing).kickoff(run.scheduled_at)
