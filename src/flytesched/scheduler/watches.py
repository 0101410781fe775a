"""Watches: runs that may come to be late or long, looked at when that time has come and not before.

Nothing is computed for what nobody wants to be told of, and nothing is done at each tick for what
is not due: the times stand in a heap, and are validated when they come.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from flytesched.core.decision import Decision
from flytesched.core.protocols import Told
from flytesched.core.telling.events import Event
from flytesched.core.telling.messages import about
from flytesched.core.telling.punctuality import WATCHED
from flytesched.errors import RunLogBusy
from flytesched.scheduler.ledger import RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Clock, Journal, RunLog
    from flytesched.core.runs import Attempt, Run
    from flytesched.core.telling.events import Notice
    from flytesched.scheduler.ledger import Ledger
    from flytesched.scheduler.news import News

#: Runs that one turn tells of at most: some milliseconds of work.
PORTION = 100
#: Entries of the heap that may be of runs which nobody watches any more, beside as many as are.
_STALE = 100
#: Seconds by which one clock told on another may be off.
_ROUNDING = 1e-4

#: What is watched: a run's id, for an event.
_Watch = tuple[str, Event]


class Watches:
    """The runs that are watched."""

    def __init__(
        self,
        *,
        clock: Clock,
        runlog: RunLog,
        ledger: Ledger,
        lanes: Lanes,
        news: News,
        journal: Journal,
        attempts: Mapping[str, Attempt],
    ) -> None:
        """Begin with none.

        Args:
            attempts: the last attempt of each run that is started.
        """
        self._clock, self._runlog, self._ledger = clock, runlog, ledger
        self._lanes, self._news, self._journal = lanes, news, journal
        self._attempts = attempts
        # Clocks are set: how long something has been waiting stands on the one that nobody sets.
        self._at: dict[_Watch, float] = {}
        self._heap: list[tuple[float, _Watch]] = []

    def watch(self, runs: Iterable[Run]) -> None:
        """Watch runs as they are now, for what somebody wants to be told of."""
        for run in runs:
            if (schedule := self._news.schedule(run)) is None:
                continue
            for event, due_at in WATCHED.items():
                at = due_at(run, schedule)
                if at is not None and self._news.wants(schedule, event):
                    self._put((run.id, event), at - self._clock.now())

    def forget(self, run_id: str, *events: Event) -> None:
        """Watch a run no longer: it has started, or has its verdict."""
        for event in events:
            self._at.pop((run_id, event), None)
        self._tidy()

    def look(self) -> None:
        """Tell of what is late or long by now, once it is durable that this has been told."""
        due = self._due()
        if not due:
            return
        found = [told for watch in due if (told := self._told(watch)) is not None]
        if not self._tell(found):
            for watch in due:
                self._put(watch, RETRY_AFTER)

    def next_at(self) -> float | None:
        """Return when to look again, on the wall clock as it is."""
        if not self._heap:
            return None
        left = self._heap[0][0] - self._clock.uptime()
        return self._clock.now() + max(0.0, left) + _ROUNDING

    def _put(self, watch: _Watch, seconds: float) -> None:
        self._at[watch] = at = self._clock.uptime() + max(0.0, seconds)
        heapq.heappush(self._heap, (at, watch))
        self._tidy()

    def _tidy(self) -> None:
        """Keep the heap about as long as what is watched."""
        if len(self._heap) > 2 * len(self._at) + _STALE:
            self._heap = [(at, watch) for watch, at in self._at.items()]
            heapq.heapify(self._heap)

    def _due(self) -> list[_Watch]:
        """Take out what is due, but for what would take too long at once."""
        uptime = self._clock.uptime()
        due: list[_Watch] = []
        while self._heap and self._heap[0][0] <= uptime and len(due) < PORTION:
            at, watch = heapq.heappop(self._heap)
            if self._at.get(watch) == at:
                del self._at[watch]
                due.append(watch)
        return due

    def _told(self, watch: _Watch) -> Told | None:
        """Return what there is to tell of a watched run; it may be otherwise by now."""
        run_id, event = watch
        run = self._lanes.get(run_id)
        schedule = None if run is None else self._news.schedule(run)
        if run is None or schedule is None or not self._news.wants(schedule, event):
            return None
        if WATCHED[event](run, schedule) is None:
            return None
        return Told(event=event, schedule=schedule, run=run, attempt=self._attempts.get(run_id))

    def _tell(self, found: Iterable[Told]) -> bool:
        """Tell what has not been told yet; False: try again."""
        now = self._clock.now()
        try:
            fresh = [
                (told, notices)
                for told in found
                if not self._was_told(told, notices := self._news.notices([told], now))
            ]
        except RunLogBusy:
            return False
        every = tuple(notice for _, notices in fresh for notice in notices)
        if self._ledger.write(Decision(notices=every)) is None:
            return False
        for told, _ in fresh:
            self._journal.say("warning", told.event.value, run=about(told))
        self._news.tell(told for told, _ in fresh)
        return True

    def _was_told(self, told: Told, notices: Iterable[Notice]) -> bool:
        """Tell whether this scheduler, or one before it, has told it."""
        channels = [notice.channel for notice in notices]
        return self._runlog.noticed(channels, told.event, about(told))
