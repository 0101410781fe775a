"""The loop: wait, collect ends, decide due slots, claim, start. Knows only core.

One tick is a row of phases, each of which writes at most one decision. Nothing in memory is
taken for granted before the run log has it: a decision that cannot be written is made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched.core.agenda import Agenda
from flytesched.core.counts import count_gaps, count_verdicts
from flytesched.core.decision import Decision, Move
from flytesched.core.lanes import Bucket, Lanes
from flytesched.core.planner import plan
from flytesched.core.runs import IN_PLACE, STARTED, WAITING, Reason, Run, RunStatus
from flytesched.scheduler.definitions import Definitions
from flytesched.scheduler.lead import Lead
from flytesched.scheduler.ledger import RETRY_AFTER, Ledger
from flytesched.scheduler.news import News
from flytesched.scheduler.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flytesched.core.agenda import Due
    from flytesched.core.planner import Plan
    from flytesched.core.protocols import (
        Clock,
        Hook,
        Journal,
        Launcher,
        RunLog,
        ScheduleSource,
        Told,
    )
    from flytesched.core.runs import Attempt, Gap
    from flytesched.core.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a scheduler."""

    #: Runs claimed and running at once; 0 = no limit.
    places: int = 0
    #: Catch-up and backfill starts per second; 0 = no limit.
    start_rate: float = 0.0
    #: Tokens of ``start_rate`` kept at most.
    start_burst: int = 1
    #: A slot decided later than this after its time is missed.
    missed_after: timedelta = timedelta(seconds=10)
    #: How long before its time a slot may be claimed at most, so that it starts on time; with
    #: zero it is claimed when it is due.
    lead: timedelta = timedelta()


class Loop:
    """A scheduler at work, or a command that does just its own runs."""

    def __init__(
        self,
        *,
        clock: Clock,
        source: ScheduleSource,
        runlog: RunLog,
        launcher: Launcher,
        hook: Hook,
        journal: Journal,
        limits: Limits | None = None,
        own: frozenset[str] | None = None,
    ) -> None:
        """Wire a loop; ``start`` reads the run log.

        Args:
            own: ids of the only runs this process may start; it plans nothing then. None for a
                scheduler, which plans and starts everything.
        """
        limits = limits or Limits()
        self._clock, self._runlog = clock, runlog
        self._journal = journal
        self._late = limits.missed_after.total_seconds()
        self._lead = Lead(limits.lead.total_seconds())
        self._own = own
        #: Schedules of our own runs: what they started and left is finished too, or it would
        #: stand in the way for ever.
        self._own_names: frozenset[str] = frozenset()
        self._agenda = Agenda()
        self._ledger = Ledger(runlog, journal)
        # Whose definition is looked up is there when there is something to tell.
        self._news = News(
            hook=hook,
            runlog=runlog,
            definition=lambda name, created: self._definitions.since(name, created),
        )
        self._definitions = Definitions(
            source=source, ledger=self._ledger, agenda=self._agenda, news=self._news,
            journal=journal, recording=own is None,
        )  # fmt: skip
        self._lanes = Lanes(
            places=limits.places,
            bucket=Bucket(limits.start_rate, limits.start_burst),
            beside=self._definitions.beside,
            known=self._definitions.schedules.__contains__,
            scope=self._is_mine,
        )
        self._supervisor = Supervisor(
            clock=clock, runlog=runlog, ledger=self._ledger, launcher=launcher, lanes=self._lanes,
            news=self._news, journal=journal, definition=self._definitions.of,
            codes=self._definitions.codes,
            may_begin=lambda run_id: self._definitions.known and self._is_mine(run_id),
        )  # fmt: skip
        self._watches = self._supervisor.watches
        self._last = 0.0
        self._first = True
        #: Set to end planning; what runs is left alone.
        self.stopping = False

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the run log, and find what earlier schedulers started."""
        snapshot = self._runlog.load()
        self._definitions.remember(snapshot.schedules)
        if self._own is not None:
            mine = self._own
            self._own_names = frozenset(r.schedule for r in snapshot.active if r.id in mine)
        for run in snapshot.active:
            self._lanes.put(run)
        attempts = {attempt.run: attempt for attempt in snapshot.attempts}
        self._supervisor.recover(snapshot.active, attempts)

    def tick(self, now: float) -> float | None:
        """Do everything that is due at ``now``; return when to be called again at the latest."""
        self._watch_clock(now)
        if heard := self._runlog.changed() or self._supervisor.stale:
            self._supervisor.resync()
        # What was claimed ahead of its time waits for nothing else, but a cancel comes first.
        self._supervisor.departures.depart(now)
        if not self._definitions.known:
            # What ended meanwhile is judged by the definitions in force, retries and hooks too.
            self._take_over(now)
        self._supervisor.collect()
        if self._definitions.known:
            self._decide(now)
        if self._take_over(now):
            self._decide(now)
        self._decide_ahead(now)
        if heard and not self._definitions.dismiss(now, self._lanes):
            self._supervisor.stale = True
        self._supervisor.enforce()
        self._supervisor.departures.depart(now)
        self._supervisor.collect()
        self._supervisor.mark()
        if not self._supervisor.departures.amid:
            self._watches.look()
        self._first = False
        return self._wake_at(now)

    def _take_over(self, now: float) -> bool:
        """Put a changed set of schedules in force; tell whether there was one."""
        if (gaps := self._definitions.reload(now, self._lanes)) is None:
            return False
        self._report(gaps)
        self._watches.watch(self._lanes.all())
        return True

    def limit(self, limits: Limits) -> None:
        """Take other limits from now on; what runs is not touched."""
        self._late = limits.missed_after.total_seconds()
        self._lead.most = limits.lead.total_seconds()
        self._lanes.places = limits.places
        self._lanes.bucket = Bucket(limits.start_rate, limits.start_burst)

    @property
    def active(self) -> Sequence[Run]:
        """The runs without a verdict."""
        return self._lanes.all()

    @property
    def running(self) -> Sequence[Run]:
        """The runs that were ordered and have no verdict."""
        return self._supervisor.running

    @property
    def running_count(self) -> int:
        """How many runs that is, known without looking at each."""
        return self._lanes.in_place

    @property
    def planning(self) -> bool:
        """Whether a good set of schedules is in force and slots are being decided."""
        return self._definitions.known and not self.stopping and self._own is None

    @property
    def known(self) -> bool:
        """Whether a good set of schedules is in force."""
        return self._definitions.known

    def definition(self, name: str, created: float) -> Schedule | None:
        """Return the definition of what had a name at a moment; None once it is removed."""
        return self._definitions.since(name, created)

    @property
    def schedule_count(self) -> int:
        """How many schedules are in force."""
        return len(self._definitions.schedules)

    @property
    def departing(self) -> bool:
        """Whether claimed runs wait for their turn to start, or for a moment that is near."""
        return self._supervisor.departures.soon

    def end(self, runs: Sequence[Run], reason: str) -> bool:
        """End started runs as ``reason`` (``interrupted(...)``); False: try again."""
        return self._supervisor.intend(runs, reason)

    def dies_with_us(self, run: Run) -> bool:
        """Tell whether a run's command cannot outlive this process."""
        return self._supervisor.dies_with_us(run)

    # -- time -------------------------------------------------------------------------------

    def _watch_clock(self, now: float) -> None:
        if now < self._last and self._agenda.latest() > int(now):
            self._agenda.rewind(now)
            back = round(self._last - now, 1)
            self._journal.say("warning", "clock set back", seconds=back)
        self._last = now

    def _wake_at(self, now: float) -> float | None:
        moments = [self._supervisor.next_at(), self._watches.next_at()]
        if not self.stopping:
            if self._definitions.known:
                moments.append(self._lanes.next_at(now))
            moments.append(self._definitions.next_at(now))
            if self.planning:
                moments.append(self._next_slot(now))
        wake_at = min((at for at in moments if at is not None), default=None)
        # A run log that takes nothing is asked again soon, not at once.
        if self._ledger.busy and wake_at is not None:
            return max(wake_at, now + RETRY_AFTER)
        return wake_at

    def _next_slot(self, now: float) -> float | None:
        """Return when to look at the next slot: some time ahead, then when it is due."""
        at = self._agenda.next_at()
        if at is None or at <= now or (coming := self._agenda.coming()) is None:
            return at
        ahead = at - self._lead.of(coming[1])
        return ahead if ahead > now else at

    def _cause(self) -> str:
        """Return why slots are being decided too late."""
        if self._first:
            return Reason.DOWN.value
        return (Reason.RUN_LOG if self._ledger.busy else Reason.CLOCK).value

    # -- deciding ---------------------------------------------------------------------------

    def _decide(self, now: float) -> None:
        """Decide what is due, claim what may start, then start it."""
        if self.stopping:
            return
        dues = self._agenda.due(now, self._late) if self._own is None else []
        if any(len(self._unmet(due.names)) < len(due.names) for due in dues):
            self._supervisor.collect(at_once=True)
        if self._settle(dues, now, now):
            self._supervisor.departures.depart(now)

    def _decide_ahead(self, now: float) -> None:
        """Claim what is about to be due, where waiting for its time cannot change the decision.

        That is so unless the slot meets another run of its schedule, which may have ended by then.
        """
        if not self.planning or (coming := self._agenda.coming()) is None:
            return
        slot, crowd = coming
        if not now < slot <= now + self._lead.of(crowd):
            return
        began = self._clock.uptime()
        dues = [replace(due, names=self._unmet(due.names)) for due in self._agenda.ahead()]
        dues = [due for due in dues if due.names]
        if dues and self._settle(dues, now, slot):
            self._supervisor.departures.prepare(slot)
            self._lead.learn(sum(len(due.names) for due in dues), self._clock.uptime() - began)

    def _unmet(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the schedules whose slots meet no run, or do not mind."""
        beside = self._definitions.beside
        return tuple(name for name in names if not self._lanes.of(name) or beside(name))

    def _settle(self, dues: Sequence[Due], now: float, moment: float) -> bool:
        """Decide slots, and claim what may start at ``moment``: now, or the slots' own time.

        Returns:
            Whether anything was decided.
        """
        decided = self._plan(dues, now)
        self._line_up(decided, now)
        chosen = self._lanes.choose(now, moment if moment > now else None)
        if not dues and not chosen:
            return False
        attempts = {run.id: self._attempt(run, now) for _, run in chosen}
        decision = self._decision(decided, chosen, attempts, now)
        news = self._news_of(decision)
        notices = self._news.notices(news, now)
        lost = self._ledger.write(replace(decision, notices=notices) if notices else decision)
        if lost is None:
            self._undo(decided, chosen)
            return False
        if moment > now:
            for due in dues:
                self._agenda.settle(due)
        elif self._own is None:
            self._agenda.advance(now)
        self._note(decided, lost, now)
        self._news.tell(news, lost)
        for _, run in chosen:
            if run.id not in lost:
                # What may start now is not held up by a clock that is set back just now.
                self._supervisor.order(run, attempts[run.id], moment if moment > now else 0.0)
        for run in decided.replaced:
            # One whose intent lost is not signalled: the next look at the run log tells why.
            if run.status in IN_PLACE and run.id not in lost:
                self._supervisor.end(_replaced(run, now))
        return True

    def _line_up(self, decided: Plan, now: float) -> None:
        """Put new runs where ``choose`` sees them, and take away the waiting ones they replace."""
        for run in decided.replaced:
            if run.status in WAITING:
                self._lanes.put(_replaced(run, now))
        for run in decided.runs:
            if run.active:
                self._lanes.put(run)

    def _plan(self, dues: Sequence[Due], now: float) -> Plan:
        return plan(
            dues, schedules=self._definitions.schedules, active=self._lanes.of,
            revision=self._definitions.revision, cursor=self._definitions.cursor, now=now,
            cause=self._cause(),
        )  # fmt: skip

    def _attempt(self, run: Run, now: float) -> Attempt:
        return self._supervisor.attempt(run, self._definitions.schedules[run.schedule], now)

    def _decision(
        self,
        decided: Plan,
        chosen: Sequence[tuple[Run, Run]],
        attempts: dict[str, Attempt],
        now: float,
    ) -> Decision:
        claims = {claimed.id: claimed for _, claimed in chosen}
        new = [claims.get(run.id, run) for run in decided.runs]
        fresh = {run.id for run in decided.runs}
        moves = [
            Move(run=claimed, was=frozenset({waiting.status}))
            for waiting, claimed in chosen
            if claimed.id not in fresh
        ]
        # That a run has begun may be known here and not be written yet.
        moves += [
            Move(
                run=_replaced(run, now), knew=run.end_as,
                was=IN_PLACE if run.status in IN_PLACE else frozenset({run.status}),
            )
            for run in decided.replaced
        ]  # fmt: skip
        counted = [*new, *(move.run for move in moves)]
        return Decision(
            runs=tuple(new), moves=tuple(moves), attempts=tuple(attempts.values()),
            gaps=tuple(decided.gaps), cursors=decided.cursors,
            counts=(*count_verdicts(counted), *count_gaps(decided.gaps)),
            meta={"heartbeat": f"{now:.3f}"},
        )  # fmt: skip

    def _news_of(self, decision: Decision) -> Sequence[Told]:
        """Return what there is to tell of a decision: verdicts without a start, and gaps."""
        ended = [run for run in decision.runs if not run.active]
        ended += [move.run for move in decision.moves if not move.run.active]
        gaps = self._news.gaps(decision.gaps, self._definitions.schedules)
        return (*self._news.verdicts(ended, {}), *gaps)

    def _undo(self, decided: Plan, chosen: Sequence[tuple[Run, Run]]) -> None:
        """Take back in memory what could not be written."""
        self._lanes.give_back(chosen)
        for run in decided.runs:
            self._lanes.drop(run)
        for run in decided.replaced:
            self._lanes.put(run)

    def _note(self, decided: Plan, lost: frozenset[str], now: float) -> None:
        """Take over in memory what is durable now, and tell of it."""
        self._definitions.move_cursors(decided.cursors)
        for run in decided.replaced:
            if run.status in IN_PLACE and run.id not in lost:
                self._lanes.put(_replaced(run, now))
        for run in decided.runs:
            if run.id in lost:
                self._lanes.drop(run)
            elif run.status is RunStatus.SKIPPED:
                self._journal.say("info", "skipped", run=run.id, reason=run.reason)
            else:
                self._watches.watch((run,))
        self._supervisor.stale |= bool(lost)
        self._report(decided.gaps)

    def _report(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            if gap.closed_as == Reason.HOLIDAY.value:
                facts = {"schedule": gap.schedule, "count": gap.count, "reason": gap.closed_as}
                self._journal.say("info", "skipped", **facts)
                continue
            self._journal.say(
                "warning", "missed", schedule=gap.schedule, count=gap.count, why=gap.reason
            )

    def _is_mine(self, run_id: str) -> bool:
        """Tell whether this process may start a run, or its next attempt."""
        if self._own is None or run_id in self._own:
            return True
        run = self._lanes.get(run_id)
        return run is not None and run.status in STARTED and run.schedule in self._own_names


def _replaced(run: Run, now: float) -> Run:
    """Return a run that gives way: cancelled if it waits, meant to be cancelled if it runs."""
    reason = Reason.REPLACED.value
    if run.status in WAITING:
        return run.move(RunStatus.CANCELLED, reason=reason, ended=now)
    # A run that is timing out gives way too, and is not retried then.
    return replace(run, end_as=f"cancelled({reason})")
