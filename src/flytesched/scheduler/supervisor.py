"""Supervisor: starts what is claimed, finds what outlived a scheduler, ends what takes too long.

The order of effects carries the promise: an intent is durable before a signal, an outcome is
durable before its evidence is dropped, and a claim was durable before ``order`` is ever called.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from flytesched.core.counts import count_starts, count_verdicts
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.planner import conclude
from flytesched.core.protocols import Adoption
from flytesched.core.runs import (
    FAILURES,
    IN_PLACE,
    End,
    Origin,
    Outcome,
    Reason,
    Run,
    RunStatus,
)
from flytesched.core.telling.events import Event
from flytesched.errors import RunLogBusy
from flytesched.scheduler.departures import Departures, unstarted
from flytesched.scheduler.ledger import RETRY_AFTER
from flytesched.scheduler.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Clock, Journal, Launcher, RunLog, Started, Told
    from flytesched.core.runs import Attempt
    from flytesched.core.schedule import Schedule
    from flytesched.scheduler.ledger import Ledger
    from flytesched.scheduler.news import News

#: Seconds until a record that was not readable is tried again.
TRY_AGAIN = 1.0
#: Seconds for which ends wait amid a burst.
COLLECT_EVERY = 2.0
#: Started runs that are written down as such in any case.
MARKED_AT_ONCE = 1000
#: Seconds by which one clock told on another may be off.
_ROUNDING = 1e-4


class Supervisor:
    """The started runs of a scheduler."""

    def __init__(
        self,
        *,
        clock: Clock,
        runlog: RunLog,
        ledger: Ledger,
        launcher: Launcher,
        lanes: Lanes,
        news: News,
        journal: Journal,
        definition: Callable[[str], Schedule | None],
        codes: Callable[[str], Sequence[int]],
        may_begin: Callable[[str], bool],
    ) -> None:
        """Begin with nothing started.

        Args:
            news: tells what comes to be durable here.
            definition: returns a schedule's definition, None once it is removed.
            codes: returns a schedule's exit codes of success, removed or not.
            may_begin: tells whether this process may start a run that recovery found unstarted.
        """
        self._clock, self._runlog, self._ledger = clock, runlog, ledger
        self._launcher, self._lanes = launcher, lanes
        self._news, self._journal = news, journal
        self._definition, self._codes = definition, codes
        self._attempts: dict[str, Attempt] = {}
        #: Runs that are started but not yet marked so in the run log.
        self._unmarked: set[str] = set()
        #: Those of them that had never started before.
        self._begun: set[str] = set()
        #: Ends not yet durable.
        self._ended: list[Outcome] = []
        # What is to happen after some time stands on the clock that nobody sets.
        #: Runs whose record could not be read.
        self._unread: dict[str, Attempt] = {}
        self._deadlines: dict[str, float] = {}
        #: Runs told to end, and when they are killed.
        self._kills: dict[str, float] = {}
        #: When ends are collected even amid a burst; infinite outside of one.
        self._collect_by = inf
        #: Whether other processes wrote what could not be read yet.
        self.stale = False
        #: Claimed runs on their way to their start.
        self.departures = Departures(
            clock=clock, launcher=launcher, lanes=lanes, journal=journal, attempts=self._attempts,
            definition=definition, may_begin=may_begin, began=self._follow_new,
            ended=lambda outcome: self._ended.append(outcome),
        )  # fmt: skip
        #: Runs that may come to be late or long.
        self.watches = Watches(
            clock=clock, runlog=runlog, ledger=ledger, lanes=lanes, news=news, journal=journal,
            attempts=self._attempts,
        )  # fmt: skip

    # -- starting ---------------------------------------------------------------------------

    def attempt(self, run: Run, schedule: Schedule, now: float) -> Attempt:
        """Return the attempt to store together with the claim of ``run``."""
        attempt = self._launcher.plan(run, schedule, run.attempt, now)
        if schedule.timeout is not None:
            attempt = replace(attempt, deadline=now + schedule.timeout.total_seconds())
        return replace(attempt, kill_after=schedule.kill_after.total_seconds())

    def order(self, run: Run, attempt: Attempt, moment: float = 0.0) -> None:
        """Let a run start whose claim and attempt are durable, not before ``moment``."""
        self._attempts[run.id] = attempt
        self.departures.order(run, moment)

    def mark(self) -> None:
        """Make durable which runs are running, all in one transaction.

        Amid a burst this waits: what has ended by then is not written twice.
        """
        if not self._unmarked or (self.departures.amid and len(self._unmarked) < MARKED_AT_ONCE):
            return
        runs = [run for run_id in self._unmarked if (run := self._lanes.get(run_id)) is not None]
        news = self._news.starts(self._begun_of(runs), self._attempts)
        lost = self._ledger.write(
            Decision(
                moves=tuple(Move(run=run, was=IN_PLACE, knew=run.end_as) for run in runs),
                attempts=tuple(self._attempts[run.id] for run in runs),
                notices=self._news.notices(news, self._clock.now()),
                counts=tuple(count_starts(runs)),
            )
        )
        if lost is not None:
            self._news.tell(news, lost)
            self._unmarked.intersection_update(lost)
            self._begun.intersection_update(self._unmarked)
            self.stale |= bool(lost)

    def _follow_new(self, run: Run, attempt: Attempt, started: Started, moment: float) -> None:
        """Note that an attempt has begun."""
        deadline = attempt.deadline
        attempt = replace(
            attempt, started=moment, pid=started.pid, pid_started=started.pid_started,
            deadline=None if deadline is None else deadline + moment - attempt.ordered,
        )  # fmt: skip
        self._follow(run, attempt, moment)
        self._watch(run.id)

    def _follow(self, run: Run, attempt: Attempt, moment: float) -> None:
        """Note that an attempt runs, since ``moment``."""
        self._attempts[run.id] = attempt
        if attempt.deadline is not None:
            left = attempt.deadline - self._clock.now()
            self._deadlines[run.id] = self._clock.uptime() + left
        if run.status is RunStatus.CLAIMED:
            if run.started is None:
                self._begun.add(run.id)
            run = run.move(RunStatus.RUNNING, started=run.started or moment)
            self._unmarked.add(run.id)
        self._lanes.put(run)

    def _watch(self, run_id: str) -> None:
        """Watch a run that has started for how long it takes."""
        self.watches.forget(run_id, Event.LATE)
        if (run := self._lanes.get(run_id)) is not None:
            self.watches.watch((run,))

    # -- recovery ---------------------------------------------------------------------------

    def recover(self, runs: Iterable[Run], attempts: Mapping[str, Attempt]) -> None:
        """Find what earlier schedulers had started."""
        for run in runs:
            if run.status in IN_PLACE and (attempt := attempts.get(run.id)) is not None:
                self._attempts[run.id] = attempt
                self._adopt(run, attempt)

    def _adopt(self, run: Run, attempt: Attempt) -> None:
        try:
            found = self._launcher.adopt(attempt)
        except OSError as error:
            self._unread[run.id] = attempt
            self._journal.say("error", "cannot read a run's record now", run=run.id, why=error)
            return
        self._unread.pop(run.id, None)
        if found is Adoption.FOLLOWED:
            self._journal.say("info", "adopted", run=run.id)
            moment = attempt.started or attempt.ordered
            self._follow(run, replace(attempt, started=moment), moment)
            if run.end_as is not None:
                self.end(self._lanes.get(run.id) or run)
        elif found is Adoption.NEVER_STARTED:
            self.departures.find(run)
        else:
            why = self._why_lost(attempt).value
            self._ended.append(
                Outcome(key=attempt.key, end=End.LOST, ended=self._clock.now(), reason=why)
            )

    def _why_lost(self, attempt: Attempt) -> Reason:
        if attempt.boot_id == "memory":
            return Reason.PROCESS_ENDED
        if attempt.boot_id != self._launcher.boot_id:
            return Reason.HOST
        return Reason.SUPERVISOR if attempt.survive else Reason.PARENT

    # -- ends -------------------------------------------------------------------------------

    def collect(self, *, at_once: bool = False) -> None:
        """Turn the ends of attempts into verdicts, all in one transaction.

        Amid a burst this waits a little: what is due comes before what is over.

        Args:
            at_once: something is about to be decided that an end would change.
        """
        if not at_once and self._can_wait():
            return
        self._ended += self._launcher.collect()
        if not self._ended:
            return
        if any(self._lanes.get(outcome.key.run) is None for outcome in self._ended):
            self.resync()  # a lost claim may have left a run that is there after all
        known = [
            (outcome, run)
            for outcome in self._ended
            if (run := self._lanes.get(outcome.key.run)) is not None
            and run.status in IN_PLACE
            and run.attempt == outcome.key.attempt
        ]
        concluded = [(o, run, self._conclude(o, run)) for o, run in known]
        news = self._news_of([run for _, _, run in concluded])
        if (lost := self._store(concluded, news)) is None:
            return
        self._launcher.forget([o.key for o in self._ended if o.key.run not in lost])
        self._ended = [outcome for outcome, _, run in concluded if run.id in lost]
        self.stale |= bool(lost)
        self.departures.panics = 0
        stored = [run for _, _, run in concluded if run.id not in lost]
        for run in stored:
            self._put_away(run)
        self._news.tell(news, lost)
        self._close_gaps(stored)

    def _can_wait(self) -> bool:
        """Tell whether ends can wait for starts a little longer."""
        uptime = self._clock.uptime()
        if not self.departures.amid or uptime >= self._collect_by:
            self._collect_by = inf
            return False
        self._collect_by = min(self._collect_by, uptime + COLLECT_EVERY)
        return True

    def _conclude(self, outcome: Outcome, run: Run) -> Run:
        schedule = self._definition(run.schedule)
        # What ends at once is reported before its start was noted; clocks are set back.
        outcome = replace(outcome, ended=max(outcome.ended, run.started or run.created))
        if schedule is None and outcome.end is End.LOST and outcome.reason == Reason.REMOVED:
            run = replace(run, end_as=run.end_as or f"cancelled({Reason.REMOVED.value})")
        return conclude(run, outcome, schedule, self._codes(run.schedule))

    def _news_of(self, runs: Sequence[Run]) -> Sequence[Told]:
        """Return what there is to tell of runs that have ended, starts that are unsaid too."""
        starts = self._news.starts(self._begun_of(runs), self._attempts)
        return (*starts, *self._news.verdicts(runs, self._attempts))

    def _store(
        self, concluded: Sequence[tuple[Outcome, Run, Run]], news: Sequence[Told]
    ) -> frozenset[str] | None:
        runs = [run for _, _, run in concluded]
        panics = self.departures.panics
        bugs = [Count(metric="job_panics_total", amount=panics)] if panics else []
        return self._ledger.write(
            Decision(
                moves=tuple(
                    Move(run=run, was=IN_PLACE, knew=before.end_as) for _, before, run in concluded
                ),
                attempts=tuple(self._closed(outcome, run) for outcome, _, run in concluded),
                notices=self._news.notices(news, self._clock.now()),
                counts=(*count_starts(self._unmarked_of(runs)), *count_verdicts(runs), *bugs),
            )
        )

    def _unmarked_of(self, runs: Iterable[Run]) -> list[Run]:
        return [run for run in runs if run.id in self._unmarked]

    def _begun_of(self, runs: Iterable[Run]) -> list[Run]:
        return [run for run in runs if run.id in self._begun]

    def _closed(self, outcome: Outcome, run: Run) -> Attempt:
        said = run.verdict() if not run.active else run.reason
        return replace(
            self._attempts[run.id], ended=outcome.ended, outcome=said,
            exit_code=outcome.exit_code, cpu=outcome.cpu, max_rss=outcome.max_rss,
        )  # fmt: skip

    def _put_away(self, run: Run) -> None:
        """Leave a run whose verdict, or wait for the next attempt, is durable."""
        for kept in (self._attempts, self._deadlines, self._kills, self._unread):
            kept.pop(run.id, None)
        self.departures.drop(run.id)
        self._unmarked.discard(run.id)
        self._begun.discard(run.id)
        self._lanes.put(run)
        if not run.active:
            self.watches.forget(run.id, Event.LATE, Event.LONG)
        level = "warning" if run.status in FAILURES else "info"
        self._journal.say(
            level, run.status.value, run=run.id, reason=run.reason, exit=run.exit_code
        )

    def _close_gaps(self, runs: Iterable[Run]) -> None:
        if any(run.origin is not Origin.SCHEDULE and run.scheduled_at is not None for run in runs):
            try:
                self._runlog.close_caught_up(self._clock.now())
            except RunLogBusy:
                return  # the next end of a catch-up run closes it

    # -- time limits and wishes ---------------------------------------------------------------

    def enforce(self) -> None:
        """Try again what had to wait, and end what takes too long or was cancelled."""
        for run_id, attempt in tuple(self._unread.items()):
            if (run := self._lanes.get(run_id)) is not None:
                self._adopt(run, attempt)
                self._watch(run_id)
        uptime = self._clock.uptime()
        self.departures.try_again()
        if any(at <= uptime for at in self._deadlines.values()):
            self.collect(at_once=True)
        self._time_out(uptime)
        for run_id, at in tuple(self._kills.items()):
            if at <= uptime:
                attempt = self._attempts[run_id]
                self._launcher.kill(attempt.key)
                # Again if need be: what is being killed may fork.
                self._kills[run_id] = uptime + max(attempt.kill_after, TRY_AGAIN)

    def end(self, run: Run) -> None:
        """Send TERM to a run whose ``end_as`` is durable, once."""
        if run.status is RunStatus.CLAIMED and self.departures.drop(run.id):
            self._ended.append(unstarted(self._attempts[run.id], self._clock.now()))
        elif run.status in IN_PLACE and run.id not in self._kills and run.id in self._attempts:
            attempt = self._attempts[run.id]
            self._kills[run.id] = self._clock.uptime() + attempt.kill_after
            self._launcher.terminate(attempt.key)
            self._journal.say("info", "ending", run=run.id, why=run.end_as)

    def intend(self, runs: Sequence[Run], end_as: str) -> bool:
        """Make durable how runs shall end, then send TERM; False when it could not be written."""
        meant = [replace(run, end_as=end_as) for run in runs if run.end_as is None]
        moves = tuple(Move(run=run, was=IN_PLACE) for run in meant)
        if (lost := self._ledger.write(Decision(moves=moves))) is None:
            return False
        for run in meant:
            if run.id not in lost:
                self._lanes.put(run)
                self.end(run)
        self.stale |= bool(lost)
        return True

    def resync(self) -> None:
        """Take over what other processes wrote: wishes queued, runs cancelled, ends noted."""
        try:
            stored = {run.id: run for run in self._runlog.active()}
        except RunLogBusy:
            self.stale = True
            return
        self.stale = False
        for run in self._lanes.all():
            if run.id not in stored:
                self._lanes.drop(run)
        for run in stored.values():
            mine = self._lanes.get(run.id)
            if mine is None or mine.status not in IN_PLACE:
                self._lanes.put(run)
            elif mine.end_as != run.end_as:
                self._lanes.put(replace(mine, end_as=run.end_as))
            if run.end_as is not None:
                self.end(self._lanes.get(run.id) or run)

    def next_at(self) -> float | None:
        """Return when something has to be done, on the wall clock as it is."""
        if self.departures.amid:
            return self._clock.now()
        held = self.departures.held_until()
        later = self._later()
        return later if held is None or (later is not None and later < held) else held

    def _later(self) -> float | None:
        """Return when something has to be tried, ended or killed."""
        uptime = self._clock.uptime()
        moments = [*self._kills.values()]
        if (again := self.departures.again_at()) is not None:
            moments.append(again)
        moments += [at for run_id, at in self._deadlines.items() if run_id not in self._kills]
        if self._ended or self._unmarked or self.stale:
            moments.append(uptime + RETRY_AFTER)
        if self._unread:
            moments.append(uptime + TRY_AGAIN)
        if not moments:
            return None
        # Rounding between two clocks must not make a wait end before its time.
        return self._clock.now() + max(0.0, min(moments) - uptime + _ROUNDING)

    @property
    def running(self) -> Sequence[Run]:
        """The runs that have been ordered and have no verdict."""
        return [run for run in self._lanes.all() if run.status in IN_PLACE]

    def dies_with_us(self, run: Run) -> bool:
        """Tell whether a run's command cannot outlive this process."""
        attempt = self._attempts.get(run.id)
        return attempt is not None and not attempt.survive

    def _time_out(self, uptime: float) -> None:
        late = [
            run
            for run_id, at in self._deadlines.items()
            if at <= uptime and (run := self._lanes.get(run_id)) is not None and run.end_as is None
        ]
        if late:
            self.intend(late, RunStatus.TIMED_OUT.value)
