"""The loop: wait, collect ends, decide due slots, claim, start. Knows only core.

One tick is a row of phases, each of which writes at most one decision. Nothing in memory is
taken for granted before the run log has it: a decision that cannot be written is made again.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched.core.agenda import Agenda
from flytesched.core.counts import count_gaps, count_verdicts
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.lanes import Bucket, Lanes
from flytesched.core.planner import plan
from flytesched.core.policies import OverlapPolicy
from flytesched.core.protocols import Told
from flytesched.core.runs import IN_PLACE, STARTED, Reason, Run, RunStatus
from flytesched.core.sight import removed, see
from flytesched.errors import FlyteschedError, Invalid
from flytesched.scheduler.ledger import RETRY_AFTER, Ledger
from flytesched.scheduler.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flytesched.core.agenda import Due
    from flytesched.core.planner import Plan
    from flytesched.core.protocols import (
        Clock,
        Hook,
        Journal,
        Launcher,
        Roster,
        RunLog,
        ScheduleSource,
    )
    from flytesched.core.runs import Attempt, Gap, ScheduleState
    from flytesched.core.schedule import Schedule
    from flytesched.core.sight import Sight

_WAITING = frozenset({RunStatus.QUEUED, RunStatus.RETRY_WAIT})


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
        self._clock, self._source, self._runlog = clock, source, runlog
        self._hook, self._journal = hook, journal
        self._late = limits.missed_after.total_seconds()
        self._own = own
        #: Schedules of our own runs: what they started and left is finished too, or it would
        #: stand in the way for ever.
        self._own_names: frozenset[str] = frozenset()
        self._schedules: dict[str, Schedule] = {}
        self._states: dict[str, ScheduleState] = {}
        self._roster_known = False
        self._pending: Roster | None = None
        self._agenda = Agenda()
        self._pauses: list[tuple[int, str]] = []
        self._lanes = Lanes(
            places=limits.places,
            bucket=Bucket(limits.start_rate, limits.start_burst),
            beside=self._beside,
            known=self._schedules.__contains__,
            scope=self._is_mine,
        )
        self._ledger = Ledger(runlog, journal)
        self._supervisor = Supervisor(
            clock=clock, runlog=runlog, ledger=self._ledger, launcher=launcher, lanes=self._lanes,
            hook=hook, journal=journal, definition=self._schedules.get, codes=self._codes,
            may_begin=lambda run_id: self._roster_known and self._is_mine(run_id),
        )  # fmt: skip
        self._last = 0.0
        self._woke_late = False
        self._first = True
        self._errors = 0
        #: Set to end planning; what runs is left alone.
        self.stopping = False

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the run log, and find what earlier schedulers started."""
        snapshot = self._runlog.load()
        self._states = dict(snapshot.schedules)
        if self._own is not None:
            mine = self._own
            self._own_names = frozenset(r.schedule for r in snapshot.active if r.id in mine)
        for run in snapshot.active:
            self._lanes.put(run)
        attempts = {attempt.run: attempt for attempt in snapshot.attempts}
        self._supervisor.recover(snapshot.active, attempts)

    def run(self, done: Callable[[], bool]) -> None:
        """Tick and wait until ``done``; call ``start`` before."""
        while True:
            wake_at = self.tick(self._clock.now())
            if done():
                return
            self._clock.wait(wake_at)

    def tick(self, now: float) -> float | None:
        """Do everything that is due at ``now``; return when to be called again at the latest."""
        self._watch_clock(now)
        self._supervisor.collect()
        if self._runlog.changed() or self._supervisor.stale:
            self._supervisor.resync()
        if self._roster_known:
            self._decide(now)
        if self._reload(now):
            self._decide(now)
        self._supervisor.enforce(now)
        self._supervisor.collect()
        self._first = False
        return self._wake_at(now)

    def limit(self, limits: Limits) -> None:
        """Take other limits from now on; what runs is not touched."""
        self._late = limits.missed_after.total_seconds()
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
    def planning(self) -> bool:
        """Whether a good set of schedules is in force and slots are being decided."""
        return self._roster_known and not self.stopping and self._own is None

    @property
    def schedule_count(self) -> int:
        """How many schedules are in force."""
        return len(self._schedules)

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
            self._journal.say("warning", "clock set back", seconds=round(self._last - now, 1))
        self._last = now

    def _wake_at(self, now: float) -> float | None:
        moments = [self._supervisor.next_at()]
        if not self.stopping:
            moments.append(self._lanes.next_at(now))
            moments.append(self._pauses[0][0] if self._pauses else None)
            if self.planning:
                moments.append(self._agenda.next_at())
        if self._pending is not None:
            moments.append(now)
        wake_at = min((at for at in moments if at is not None), default=None)
        # A run log that takes nothing is asked again soon, not at once.
        if self._ledger.busy and wake_at is not None:
            return max(wake_at, now + RETRY_AFTER)
        return wake_at

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
        decided = self._plan(dues, now)
        self._line_up(decided, now)
        chosen = self._lanes.choose(now)
        if not dues and not chosen:
            return
        attempts = {run.id: self._attempt(run, now) for _, run in chosen}
        lost = self._ledger.write(self._decision(decided, chosen, attempts, now))
        if lost is None:
            self._undo(decided, chosen)
            return
        self._note(decided, lost, now)
        for _, run in chosen:
            if run.id not in lost:
                self._supervisor.begin(run, attempts[run.id])
        for run in decided.replaced:
            if run.status in IN_PLACE and (current := self._lanes.get(run.id)):
                self._supervisor.end(current)
        self._supervisor.mark()

    def _line_up(self, decided: Plan, now: float) -> None:
        """Put new runs where ``choose`` sees them, and take away the waiting ones they replace."""
        for run in decided.replaced:
            if run.status in _WAITING:
                self._lanes.put(_replaced(run, now))
        for run in decided.runs:
            if run.active:
                self._lanes.put(run)

    def _plan(self, dues: Sequence[Due], now: float) -> Plan:
        return plan(
            dues, schedules=self._schedules, active=self._lanes.of,
            revision=lambda name: self._states[name].revision, now=now, cause=self._cause(),
        )  # fmt: skip

    def _attempt(self, run: Run, now: float) -> Attempt:
        return self._supervisor.attempt(run, self._schedules[run.schedule], now)

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
        moves += [
            Move(run=_replaced(run, now), was=frozenset({run.status}), knew=run.end_as)
            for run in decided.replaced
        ]
        counted = [*new, *(move.run for move in moves)]
        return Decision(
            runs=tuple(new), moves=tuple(moves), attempts=tuple(attempts.values()),
            gaps=tuple(decided.gaps), cursors=decided.cursors,
            counts=(*count_verdicts(counted), *count_gaps(decided.gaps)),
            meta={"heartbeat": f"{now:.3f}"},
        )  # fmt: skip

    def _undo(self, decided: Plan, chosen: Sequence[tuple[Run, Run]]) -> None:
        """Take back in memory what could not be written."""
        self._lanes.give_back(chosen)
        for run in decided.runs:
            self._lanes.drop(run)
        for run in decided.replaced:
            self._lanes.put(run)

    def _note(self, decided: Plan, lost: frozenset[str], now: float) -> None:
        """Take over in memory what is durable now, and tell of it."""
        if self._own is None:
            self._agenda.advance(now)
        for name, cursor in decided.cursors.items():
            state = self._states[name]
            if cursor > state.cursor:
                self._states[name] = replace(state, cursor=cursor)
        for run in decided.replaced:
            if run.status in IN_PLACE:
                self._lanes.put(_replaced(run, now))
        for run in decided.runs:
            if run.id in lost:
                self._lanes.drop(run)
            elif run.status is RunStatus.SKIPPED:
                self._journal.say("info", "skipped", run=run.id, reason=run.reason)
        self._supervisor.stale |= bool(lost)
        self._report(decided.gaps)

    def _report(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            self._journal.say(
                "warning", "missed", schedule=gap.schedule, count=gap.count, why=gap.reason
            )
            if (schedule := self._schedules.get(gap.schedule)) is not None:
                self._hook.tell(Told(event="missed", schedule=schedule, gap=gap))

    # -- definitions ------------------------------------------------------------------------

    def _reload(self, now: float) -> bool:
        """Take over a changed set of schedules; tell whether there was one."""
        try:
            self._pending = self._source.poll() or self._pending
        except Invalid as error:
            self._broken(error)
        if self._pending is None:
            return self._resume(now)
        names = self._changed(self._pending)
        gone = [n for n, s in self._states.items() if self._is_gone(n, s, self._pending)]
        if not self._see(self._pending.schedules, names, gone, now):
            return False
        if self._roster_known and (names or gone):
            self._journal.say("info", "schedules changed", count=len(names) + len(gone))
        self._roster_known = True
        self._pending = None
        return True

    def _broken(self, error: FlyteschedError) -> None:
        self._errors += 1
        self._journal.say(
            "error", "schedules not readable; the last good ones stay in force", why=error.message
        )
        count = Count(metric="schedule_errors_total")
        self._ledger.write(Decision(meta={"manifest_error": error.message}, counts=(count,)))

    def _changed(self, roster: Roster) -> list[str]:
        return [
            name
            for name, schedule in roster.schedules.items()
            if not self._roster_known or self._schedules.get(name) != schedule
        ]

    def _is_gone(self, name: str, state: ScheduleState, roster: Roster) -> bool:
        return state.removed_at is None and name not in roster.schedules

    def _resume(self, now: float) -> bool:
        """End the pauses whose time has come."""
        names = []
        while self._pauses and self._pauses[0][0] <= now:
            names.append(heapq.heappop(self._pauses)[1])
        names = [name for name in names if name in self._schedules]
        return bool(names) and self._see(self._schedules, names, [], now)

    def _see(
        self, schedules: Mapping[str, Schedule], names: Sequence[str], gone: Sequence[str],
        now: float,
    ) -> bool:  # fmt: skip
        """Write what changed schedules mean, then put them in force."""
        sights = [see(schedules[name], self._states.get(name), now) for name in names]
        farewells = [removed(self._states[name], now) for name in gone]
        if self._own is None and not self._write_sights(sights, farewells, now):
            return False
        self._enforce_roster(schedules, gone)
        for sight in sights:
            self._watch(sight)
        for state, _ in farewells:
            self._states[state.name] = state
        self._report([sight.gap for sight in sights if sight.gap is not None])
        self._lanes.touch_all()
        return True

    def _write_sights(
        self,
        sights: Sequence[Sight],
        farewells: Sequence[tuple[ScheduleState, Gap | None]],
        now: float,
    ) -> bool:
        """Write what was seen in one transaction; False when it could not be written."""
        orphans = [
            run
            for state, _ in farewells
            for run in self._lanes.of(state.name)
            if run.status in _WAITING
        ]
        cancelled = [
            run.move(RunStatus.CANCELLED, reason=Reason.REMOVED.value, ended=now) for run in orphans
        ]
        gaps = [sight.gap for sight in sights] + [gap for _, gap in farewells]
        lost = self._ledger.write(
            Decision(
                schedules=(
                    *(sight.state for sight in sights if sight.changed),
                    *(state for state, _ in farewells),
                ),
                gaps=tuple(gap for gap in gaps if gap is not None),
                close_gaps=tuple((s.name, Reason.REMOVED.value, now) for s, _ in farewells),
                moves=tuple(Move(run=run, was=_WAITING) for run in cancelled),
                counts=(
                    *count_verdicts(cancelled),
                    *count_gaps(gap for gap in gaps if gap is not None),
                ),
                meta={"manifest_error": "", "heartbeat": f"{now:.3f}"},
            )
        )
        if lost is None:
            return False
        for run in cancelled:
            self._lanes.put(run)
        self._supervisor.stale |= bool(lost)
        return True

    def _enforce_roster(self, schedules: Mapping[str, Schedule], gone: Sequence[str]) -> None:
        """Put a set of definitions in force, in the mapping that others look into."""
        for name in gone:
            self._agenda.discard(name)
        for name in [name for name in self._schedules if name not in schedules]:
            del self._schedules[name]
        self._schedules.update(schedules)

    def _watch(self, sight: Sight) -> None:
        state = sight.state
        self._states[state.name] = state
        if sight.after is None:
            self._agenda.discard(state.name)
        elif sight.changed or state.name not in self._agenda:
            self._agenda.put(state.name, self._schedules[state.name].timing, sight.after)
        if state.paused_until is not None:
            heapq.heappush(self._pauses, (state.paused_until, state.name))

    def _is_mine(self, run_id: str) -> bool:
        """Tell whether this process may start a run, or its next attempt."""
        if self._own is None or run_id in self._own:
            return True
        run = self._lanes.get(run_id)
        return run is not None and run.status in STARTED and run.schedule in self._own_names

    def _beside(self, name: str) -> bool:
        schedule = self._schedules.get(name)
        return schedule is not None and schedule.overlap is OverlapPolicy.ALLOW

    def _codes(self, name: str) -> Sequence[int]:
        if (schedule := self._schedules.get(name)) is not None:
            return schedule.success_exit_codes
        state = self._states.get(name)
        return json.loads(state.definition).get("success_exit_codes", (0,)) if state else (0,)


def _replaced(run: Run, now: float) -> Run:
    """Return a run that gives way: cancelled if it waits, meant to be cancelled if it runs."""
    reason = Reason.REPLACED.value
    if run.status in _WAITING:
        return run.move(RunStatus.CANCELLED, reason=reason, ended=now)
    return replace(run, end_as=run.end_as or f"cancelled({reason})")
