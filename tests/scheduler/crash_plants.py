"""Bugs that somebody might write one day, each as a thin layer around a part of the scheduler.

A machine that cannot find these proves nothing by finding none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flytesched.core.protocols import Adoption, Order, Started, Told
from flytesched.core.runs import IN_PLACE, End, Outcome, RunStatus
from flytesched.core.telling.events import Event
from flytesched.errors import RunLogBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crash_stage import Stage

    from flytesched.core.decision import Decision
    from flytesched.core.runs import Attempt, AttemptKey, Run
    from flytesched.core.schedule import Schedule


class Layer:
    """Lets everything through."""

    def __init__(self, stage: Stage, inner: Any) -> None:
        self.stage, self.inner = stage, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


# -- the run log ----------------------------------------------------------------------------


class CursorInMemory(Layer):
    """The cursor is kept by the scheduler alone."""

    def apply(self, decision: Decision) -> frozenset[str]:
        return self.inner.apply(replace(decision, cursors={}))


class CursorBeforeClaim(Layer):
    """The cursor has a transaction of its own, before the one of the claims."""

    def apply(self, decision: Decision) -> frozenset[str]:
        if decision.cursors and decision.runs:
            self.inner.apply(type(decision)(cursors=decision.cursors))
            self.stage.fuse.step()
            decision = replace(decision, cursors={})
        return self.inner.apply(decision)


class NoUniqueKey(Layer):
    """A claim that lost against another one goes for one that won."""

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = self.inner.apply(decision)
        return lost - {run.id for run in decision.runs}


class BusyIsFine(Layer):
    """A commit that failed goes for one that was made."""

    def apply(self, decision: Decision) -> frozenset[str]:
        try:
            return self.inner.apply(decision)
        except RunLogBusy:
            return frozenset()


class NoticesLater(Layer):
    """Notices have a transaction of their own, behind the one of the verdicts."""

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = self.inner.apply(replace(decision, notices=()))
        self.stage.fuse.step()
        if decision.notices:
            self.inner.apply(type(decision)(notices=decision.notices))
        return lost


class NoticesFirst(Layer):
    """Notices are written before what they tell of."""

    def apply(self, decision: Decision) -> frozenset[str]:
        if decision.notices:
            self.inner.apply(type(decision)(notices=decision.notices))
            self.stage.fuse.step()
        return self.inner.apply(replace(decision, notices=()))


class GapForgotten(Layer):
    """What was missed while no scheduler ran is passed over."""

    def apply(self, decision: Decision) -> frozenset[str]:
        return self.inner.apply(replace(decision, gaps=()))


class IntentInMemory(Layer):
    """How a run shall end is kept by the scheduler alone."""

    def apply(self, decision: Decision) -> frozenset[str]:
        moves = tuple(
            replace(move, run=replace(move.run, end_as=None), knew=None)
            if move.run.status in IN_PLACE
            else replace(move, knew=None)
            for move in decision.moves
        )
        return self.inner.apply(replace(decision, moves=moves))


class CancelOverwritten(Layer):
    """A verdict is written whatever somebody noted meanwhile."""

    def apply(self, decision: Decision) -> frozenset[str]:
        stored = {run.id: run.end_as for run in self.inner.active()}
        moves = tuple(
            replace(move, knew=stored.get(move.run.id, move.knew)) for move in decision.moves
        )
        return self.inner.apply(replace(decision, moves=moves))


class ReplaysAPause(Layer):
    """The cursor of what was disabled stays where it was."""

    def apply(self, decision: Decision) -> frozenset[str]:
        states = tuple(replace(state, cursor=0) for state in decision.schedules)
        return self.inner.apply(replace(decision, schedules=states))


class NoAttemptStored(Layer):
    """The claim is durable, and what was ordered by it is not."""

    def apply(self, decision: Decision) -> frozenset[str]:
        new = {run.id for run in decision.runs}
        kept = tuple(one for one in decision.attempts if one.run not in new)
        return self.inner.apply(replace(decision, attempts=kept))


class VerdictOverwritten(Layer):
    """The last one who writes wins, even over a verdict."""

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = self.inner.apply(decision)
        for move in decision.moves:
            if move.run.id in lost:
                _force(self.stage.store, move.run)
        return lost


class GivenUpRuns(Layer):
    """A slot that was given up is free to be taken."""

    def apply(self, decision: Decision) -> frozenset[str]:
        lost = self.inner.apply(decision)
        for run in decision.runs:
            if run.id in lost and self.stage.store.run(run.id) is None:
                _force(self.stage.store, run)
        return lost


def _force(store: Any, run: Run) -> None:
    """Write a run past everything that forbids it, into the store in memory."""
    seq = run.seq or len(store.eye.all_runs()) + 1
    store.eye._put(replace(run, seq=seq))


# -- the launcher ---------------------------------------------------------------------------


class StartBeforeClaim(Layer):
    """The command is started first, and then its claim is written."""

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        planned = self.inner.plan(run, schedule, attempt, now)
        order = Order(run=run, attempt=planned, schedule=schedule, kickoff_at=None)
        self.inner.start(order)
        return planned

    def start(self, _order: Order) -> Started:
        return Started()


class WrongCode(Layer):
    """What ended unseen goes for a success."""

    def __init__(self, stage: Stage, inner: Any) -> None:
        super().__init__(stage, inner)
        self.adopted: set[AttemptKey] = set()

    def adopt(self, attempt: Attempt) -> Adoption:
        self.adopted.add(attempt.key)
        return self.inner.adopt(attempt)

    def collect(self) -> Sequence[Outcome]:
        return [
            replace(one, exit_code=0) if one.key in self.adopted and one.end is End.EXITED else one
            for one in self.inner.collect()
        ]


class LostAdoption(Layer):
    """What an earlier scheduler started goes for lost."""

    def adopt(self, attempt: Attempt) -> Adoption:
        found = self.inner.adopt(attempt)
        return Adoption.LOST if found is Adoption.FOLLOWED else found


class UnreadIsLost(Layer):
    """A record that cannot be read now goes for one that is not there."""

    def adopt(self, attempt: Attempt) -> Adoption:
        try:
            return self.inner.adopt(attempt)
        except OSError:
            return Adoption.LOST


class StartedAgain(Layer):
    """What runs already is started again by the next scheduler."""

    def adopt(self, attempt: Attempt) -> Adoption:
        self.inner.adopt(attempt)
        return Adoption.NEVER_STARTED


class UnstartedIsLost(Layer):
    """What was claimed and never started is given up, although it can be."""

    def adopt(self, attempt: Attempt) -> Adoption:
        found = self.inner.adopt(attempt)
        return Adoption.LOST if found is Adoption.NEVER_STARTED else found


class EvidenceDropped(Layer):
    """The record of an end is dropped as soon as it was read."""

    def collect(self) -> Sequence[Outcome]:
        outcomes = self.inner.collect()
        self.inner.forget([one.key for one in outcomes])
        return outcomes


class EndUnseen(Layer):
    """What ended while no scheduler ran is never reported."""

    def adopt(self, attempt: Attempt) -> Adoption:
        process = self.stage.world.processes.get(attempt.key)
        if process is not None and self.stage.world.ended(process):
            return Adoption.FOLLOWED
        return self.inner.adopt(attempt)


class TermIsEnough(Layer):
    """KILL is never sent."""

    def kill(self, key: AttemptKey) -> None:
        pass


class TermWithoutIntent(Layer):
    """A command is ended as soon as its time is over, and then somebody writes down why."""

    def start(self, order: Order) -> Started:
        started = self.inner.start(order)
        if order.schedule.timeout is not None:
            self.inner.terminate(order.attempt.key)
        return started


# -- the hook -------------------------------------------------------------------------------


class ToldTwice(Layer):
    """The hook is told of a failure once more, to be sure."""

    def tell(self, told: Told) -> None:
        self.inner.tell(told)
        if told.event is Event.FAILURE:
            self.inner.tell(told)


class ToldBeforeDurable(Layer):
    """The hook hears of a verdict before it is written."""

    def apply(self, decision: Decision) -> frozenset[str]:

        for move in decision.moves:
            schedule = self.stage.source.schedules.get(move.run.schedule)
            if move.run.status is RunStatus.SUCCEEDED and schedule is not None:
                told = Told(event=Event.SUCCESS, schedule=schedule, run=move.run)
                self.stage.truth.check_told(told, self.stage.store.run(move.run.id))
        return self.inner.apply(decision)


# -- the table ------------------------------------------------------------------------------


def as_it_is(_stage: Stage, inner: Any) -> Any:
    """Wrap nothing around a part."""
    return inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A bug, where it is wired in, and what a machine says that finds it."""

    runlog: Callable[[Stage, Any], Any] = as_it_is
    launcher: Callable[[Stage, Any], Any] = as_it_is
    hook: Callable[[Stage, Any], Any] = as_it_is
    #: A regular expression.
    said: str = "nothing"


#: The program as it is.
NO_PLANT = Plant()
PLANTS = {
    "the cursor in memory only": Plant(runlog=CursorInMemory, said="stays behind|and then missed"),
    "the cursor before the claim": Plant(runlog=CursorBeforeClaim, said="is lost"),
    "no unique key": Plant(runlog=NoUniqueKey, said="without a claim|started twice"),
    "a start after a busy commit": Plant(runlog=BusyIsFine, said="without a claim"),
    "a gap forgotten": Plant(runlog=GapForgotten, said="is lost"),
    "an intent in memory only": Plant(runlog=IntentInMemory, said="without a durable intent"),
    # Of what is overwritten nobody is told, either: which of both shows first is chance.
    "a cancel overwritten": Plant(runlog=CancelOverwritten, said="was to be cancelled|is not told"),
    "a pause replayed": Plant(runlog=ReplaysAPause, said="was never due"),
    "an order that is not stored": Plant(runlog=NoAttemptStored, said="no verdict in the end"),
    "a verdict overwritten": Plant(
        runlog=VerdictOverwritten,
        said=" became | was to be |no verdict|turns without end|is not told",
    ),
    "a slot that was given up, taken": Plant(runlog=GivenUpRuns, said="was given up"),
    "a start before the claim": Plant(launcher=StartBeforeClaim, said="without a claim"),
    "a wrong code on adoption": Plant(launcher=WrongCode, said="is succeeded"),
    "a lost adoption": Plant(launcher=LostAdoption, said="is interrupted|started beside"),
    "an unreadable record taken for lost": Plant(launcher=UnreadIsLost, said="is interrupted"),
    "what runs started again": Plant(
        launcher=StartedAgain, said="without a claim|started (twice|beside)|no verdict"
    ),
    "what never started given up": Plant(launcher=UnstartedIsLost, said="is interrupted"),
    "evidence dropped too early": Plant(launcher=EvidenceDropped, said="was dropped before"),
    "an end that is never seen": Plant(launcher=EndUnseen, said="no verdict in the end"),
    "no KILL after TERM": Plant(launcher=TermIsEnough, said="no verdict in the end"),
    "TERM before its intent": Plant(launcher=TermWithoutIntent, said="without a durable intent"),
    # Apart from its verdict it may also tell of one that lost against a cancel.
    "a notice behind its verdict": Plant(
        runlog=NoticesLater, said="is not told|is told, and it is"
    ),
    "a notice before its verdict": Plant(
        runlog=NoticesFirst, said="is told, and it is|is of no run"
    ),
    "a hook told twice": Plant(hook=ToldTwice, said="told twice"),
    "a hook told too early": Plant(runlog=ToldBeforeDurable, said="which is not stored"),
}
