"""Supervisor: starts what is claimed, finds what outlived a scheduler, ends what takes too long.

The order of effects carries the promise: an intent is durable before a signal, an outcome is
durable before its evidence is dropped, and a claim was durable before ``order`` is ever called.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.counts import count_starts, count_verdicts
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.lanes import RANK
from flytesched.core.planner import conclude
from flytesched.core.protocols import Adoption, Order, Told
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
from flytesched.core.timetables.parse import timetable
from flytesched.errors import RunLogBusy, StartDelayed, StartError
from flytesched.scheduler.ledger import RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Clock, Hook, Journal, Launcher, RunLog, Started
    from flytesched.core.runs import Attempt
    from flytesched.core.schedule import Schedule
    from flytesched.scheduler.ledger import Ledger

#: Seconds until a start that was not possible, or a record that was not readable, is tried again.
TRY_AGAIN = 1.0
#: Seconds that starts may take before everything else of a tick has its turn.
TURN = 0.2
#: Seconds before the moment of a start by which all that prepares it is over.
PREPARED_BEFORE = 0.002
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
        hook: Hook,
        journal: Journal,
        definition: Callable[[str], Schedule | None],
        codes: Callable[[str], Sequence[int]],
        may_begin: Callable[[str], bool],
    ) -> None:
        """Begin with nothing started.

        Args:
            definition: returns a schedule's definition, None once it is removed.
            codes: returns a schedule's exit codes of success, removed or not.
            may_begin: tells whether this process may start a run that recovery found unstarted.
        """
        self._clock, self._runlog, self._ledger = clock, runlog, ledger
        self._launcher, self._lanes = launcher, lanes
        self._hook, self._journal = hook, journal
        self._definition, self._codes, self._may_begin = definition, codes, may_begin
        self._attempts: dict[str, Attempt] = {}
        #: Runs that are started but not yet marked so in the run log.
        self._unmarked: set[str] = set()
        #: Ends not yet durable.
        self._ended: list[Outcome] = []
        #: Claimed runs that were not started yet: by rank in the order they begin, by the moment
        #: they may begin at, and delayed ones, see below.
        self._unbegun: set[str] = set()
        self._ready: list[tuple[int, int, str]] = []
        self._held: list[tuple[float, int, str]] = []
        self._serial = count()
        # What is to happen after some time stands on the clock that nobody sets.
        #: Claimed runs whose start has to wait, and runs whose record could not be read.
        self._delayed: dict[str, float] = {}
        #: Runs that recovery found claimed and not started; their slots may be still to come.
        self._found: set[str] = set()
        self._unread: dict[str, Attempt] = {}
        self._deadlines: dict[str, float] = {}
        #: Runs told to end, and when they are killed.
        self._kills: dict[str, float] = {}
        self._slow = False
        #: Bugs met while starting, not yet counted in the run log.
        self._panics = 0
        #: Whether other processes wrote what could not be read yet.
        self.stale = False

    # -- starting ---------------------------------------------------------------------------

    def attempt(self, run: Run, schedule: Schedule, now: float) -> Attempt:
        """Return the attempt to store together with the claim of ``run``."""
        attempt = self._launcher.plan(run, schedule, run.attempt, now)
        if schedule.timeout is not None:
            attempt = replace(attempt, deadline=now + schedule.timeout.total_seconds())
        return replace(attempt, kill_after=schedule.kill_after.total_seconds())

    def order(self, run: Run, attempt: Attempt, moment: float = 0.0) -> None:
        """Let ``depart`` start a run whose claim and attempt are durable, not before ``moment``."""
        self._attempts[run.id] = attempt
        self._unbegun.add(run.id)
        if moment > self._clock.now():
            heapq.heappush(self._held, (moment, next(self._serial), run.id))
        else:
            self._let_go(run)

    def depart(self, now: float) -> None:
        """Start what was ordered and may start at ``now``, as far as a turn goes.

        What is left has its turn in the next tick: a big burst must not keep what falls due, or
        ends, while it is being started. What makes up for the past begins after what is live.
        """
        while self._held and self._held[0][0] <= now:
            run_id = heapq.heappop(self._held)[2]
            if (run := self._lanes.get(run_id)) is not None:
                self._let_go(run)
        until = self._clock.uptime() + TURN
        while self._ready and self._clock.uptime() < until:
            run_id = heapq.heappop(self._ready)[2]
            if run_id in self._unbegun:
                self._unbegun.discard(run_id)
                run = self._lanes.get(run_id)
                if run is not None and run.status is RunStatus.CLAIMED:
                    self._begin(run, self._attempts[run_id])

    def _let_go(self, run: Run) -> None:
        heapq.heappush(self._ready, (RANK[run.origin], next(self._serial), run.id))

    def prepare(self, until: float) -> None:
        """Let the launcher prepare what is held, up to a moment."""
        held = [self._attempts[run_id] for _, _, run_id in self._held if run_id in self._unbegun]
        self._launcher.prepare(held, until - PREPARED_BEFORE)

    @property
    def departing(self) -> bool:
        """Tell whether claimed runs wait for their turn or their moment."""
        return bool(self._ready or self._held)

    def _begin(self, run: Run, attempt: Attempt) -> None:
        schedule = self._definition(run.schedule)
        if run.end_as is not None or schedule is None:
            self._ended.append(_unstarted(attempt, self._clock.now()))
            return
        order = Order(
            run=run, attempt=attempt, schedule=schedule, kickoff_at=_kickoff(run, schedule)
        )
        try:
            started = self._launcher.start(order)
        except StartDelayed as error:
            self._delay(run, error)
        except StartError as error:
            self._unstartable(attempt, error.message)
        except Exception as error:  # a bug in one executor must not end the loop
            self._panics += 1
            self._unstartable(attempt, f"{type(error).__name__}: {error}")
        else:
            self._slow = False
            self._journal.say("info", "started", run=run.id, attempt=run.attempt, pid=started.pid)
            self._follow(run, attempt, started)

    def mark(self) -> None:
        """Make durable which runs are running, all in one transaction.

        Amid a burst this waits: what has ended by then is not written twice.
        """
        if not self._unmarked or (self._ready and len(self._unmarked) < MARKED_AT_ONCE):
            return
        runs = [run for run_id in self._unmarked if (run := self._lanes.get(run_id)) is not None]
        lost = self._ledger.write(
            Decision(
                moves=tuple(Move(run=run, was=IN_PLACE, knew=run.end_as) for run in runs),
                attempts=tuple(self._attempts[run.id] for run in runs),
                counts=tuple(count_starts(runs)),
            )
        )
        if lost is not None:
            self._unmarked.intersection_update(lost)
            self.stale |= bool(lost)

    def _follow(self, run: Run, attempt: Attempt, started: Started | None = None) -> None:
        """Note that an attempt runs; ``started`` says that it began just now."""
        moment = now = self._clock.now()
        deadline = attempt.deadline
        if started is None:
            moment = attempt.started or attempt.ordered
            attempt = replace(attempt, started=moment)
        else:
            deadline = None if deadline is None else deadline + now - attempt.ordered
            attempt = replace(
                attempt, started=now, deadline=deadline,
                pid=started.pid, pid_started=started.pid_started,
            )  # fmt: skip
        self._attempts[run.id] = attempt
        if deadline is not None:
            self._deadlines[run.id] = self._clock.uptime() + deadline - now
        if run.status is RunStatus.CLAIMED:
            run = run.move(RunStatus.RUNNING, started=run.started or moment)
            self._unmarked.add(run.id)
        self._lanes.put(run)

    def _delay(self, run: Run, error: StartDelayed) -> None:
        self._unbegun.add(run.id)
        self._delayed[run.id] = self._clock.uptime() + TRY_AGAIN
        if not self._slow:
            self._slow = True
            self._journal.say("error", "cannot start commands now", why=error.message)

    def _unstartable(self, attempt: Attempt, why: str) -> None:
        self._ended.append(
            Outcome(key=attempt.key, end=End.UNSTARTABLE, ended=self._clock.now(), reason=why)
        )

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
            self._follow(run, attempt)
            if run.end_as is not None:
                self.end(self._lanes.get(run.id) or run)
        elif found is Adoption.NEVER_STARTED:
            # Started, where this process may start it, as soon as its definition is known.
            self._unbegun.add(run.id)
            self._found.add(run.id)
            self._delayed[run.id] = 0.0
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

    def collect(self) -> None:
        """Turn the ends of attempts into verdicts, all in one transaction."""
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
        if (lost := self._store(concluded)) is None:
            return
        self._launcher.forget([o.key for o in self._ended if o.key.run not in lost])
        self._ended = [outcome for outcome, _, run in concluded if run.id in lost]
        self.stale |= bool(lost)
        self._panics = 0
        stored = [run for _, _, run in concluded if run.id not in lost]
        for run in stored:
            self._put_away(run)
        self._close_gaps(stored)

    def _conclude(self, outcome: Outcome, run: Run) -> Run:
        schedule = self._definition(run.schedule)
        # What ends at once is reported before its start was noted; clocks are set back.
        outcome = replace(outcome, ended=max(outcome.ended, run.started or run.created))
        if schedule is None and outcome.end is End.LOST and outcome.reason == Reason.REMOVED:
            run = replace(run, end_as=run.end_as or f"cancelled({Reason.REMOVED.value})")
        return conclude(run, outcome, schedule, self._codes(run.schedule))

    def _store(self, concluded: Sequence[tuple[Outcome, Run, Run]]) -> frozenset[str] | None:
        runs = [run for _, _, run in concluded]
        panics = [Count(metric="job_panics_total", amount=self._panics)] if self._panics else []
        return self._ledger.write(
            Decision(
                moves=tuple(
                    Move(run=run, was=IN_PLACE, knew=before.end_as) for _, before, run in concluded
                ),
                attempts=tuple(self._closed(outcome, run) for outcome, _, run in concluded),
                counts=(*count_starts(self._unmarked_of(runs)), *count_verdicts(runs), *panics),
            )
        )

    def _unmarked_of(self, runs: Iterable[Run]) -> list[Run]:
        return [run for run in runs if run.id in self._unmarked]

    def _closed(self, outcome: Outcome, run: Run) -> Attempt:
        said = run.verdict() if not run.active else run.reason
        return replace(
            self._attempts[run.id], ended=outcome.ended, outcome=said,
            exit_code=outcome.exit_code, cpu=outcome.cpu, max_rss=outcome.max_rss,
        )  # fmt: skip

    def _put_away(self, run: Run) -> None:
        """Leave a run whose verdict, or wait for the next attempt, is durable."""
        for kept in (self._attempts, self._deadlines, self._kills, self._delayed, self._unread):
            kept.pop(run.id, None)
        self._unbegun.discard(run.id)
        self._unmarked.discard(run.id)
        self._lanes.put(run)
        level = "warning" if run.status in FAILURES else "info"
        self._journal.say(
            level, run.status.value, run=run.id, reason=run.reason, exit=run.exit_code
        )
        self._tell(run)

    def _tell(self, run: Run) -> None:
        """Tell hooks about a verdict that is durable now."""
        if (schedule := self._definition(run.schedule)) is None or run.active:
            return
        if run.status in FAILURES:
            self._hook.tell(Told(event="failure", schedule=schedule, run=run))
        elif run.status is RunStatus.SUCCEEDED:
            self._hook.tell(Told(event="success", schedule=schedule, run=run))
            if schedule.on_recovered is not None and self._had_failed(run):
                self._hook.tell(Told(event="recovered", schedule=schedule, run=run))

    def _had_failed(self, run: Run) -> bool:
        try:
            before = self._runlog.last_verdict(run.schedule, run.id)
        except RunLogBusy:
            return False  # not told is better than told twice
        return before is not None and before.status in FAILURES

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
        uptime = self._clock.uptime()
        self._start_delayed(uptime)
        self._time_out(uptime)
        for run_id, at in tuple(self._kills.items()):
            if at <= uptime:
                attempt = self._attempts[run_id]
                self._launcher.kill(attempt.key)
                # Again if need be: what is being killed may fork.
                self._kills[run_id] = uptime + max(attempt.kill_after, TRY_AGAIN)

    def end(self, run: Run) -> None:
        """Send TERM to a run whose ``end_as`` is durable, once."""
        if run.status is RunStatus.CLAIMED and run.id in self._unbegun:
            self._unbegun.discard(run.id)
            self._delayed.pop(run.id, None)
            self._ended.append(_unstarted(self._attempts[run.id], self._clock.now()))
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
        if self._ready:
            return self._clock.now()
        held = self._held[0][0] if self._held else None
        later = self._later()
        return later if held is None or (later is not None and later < held) else held

    def _later(self) -> float | None:
        """Return when something has to be tried, ended or killed."""
        uptime = self._clock.uptime()
        moments = [*self._kills.values()]
        moments += [at for run_id, at in self._delayed.items() if self._may_begin(run_id)]
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

    def _start_delayed(self, uptime: float) -> None:
        due = [
            run_id
            for run_id, at in self._delayed.items()
            if at <= uptime and self._may_begin(run_id)
        ]
        for run_id in due:
            run = self._lanes.get(run_id)
            del self._delayed[run_id]
            if run is not None and run.status is RunStatus.CLAIMED:
                moment = _not_before(run) if run_id in self._found else 0.0
                self._found.discard(run_id)
                self.order(run, self._attempts[run_id], moment)

    def _time_out(self, uptime: float) -> None:
        late = [
            run
            for run_id, at in self._deadlines.items()
            if at <= uptime and (run := self._lanes.get(run_id)) is not None and run.end_as is None
        ]
        if late:
            self.intend(late, RunStatus.TIMED_OUT.value)


def _not_before(run: Run) -> float:
    """Return the moment before which a run must not start: it may be claimed ahead of its slot."""
    slot = run.scheduled_at if run.origin is Origin.SCHEDULE else None
    return max(run.not_before, slot or 0.0)


def _kickoff(run: Run, schedule: Schedule) -> int | None:
    if run.scheduled_at is None:
        return None
    return timetable(schedule.timing).kickoff(run.scheduled_at)


def _unstarted(attempt: Attempt, now: float) -> Outcome:
    """Return the end of an attempt that was ordered, never started, and is not wanted any more."""
    return Outcome(key=attempt.key, end=End.LOST, ended=now, reason=Reason.REMOVED.value)
