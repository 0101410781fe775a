"""Whatever happens, the run log in memory and the one in SQLite are in the same state."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from runlog_builders import DAY, a_gap, a_manual_run, a_run, a_state, an_attempt

from flytesched.core.decision import Count, Decision, Move
from flytesched.core.runs import ACTIVE, LEGAL_MOVES, VERDICTS, Gap, Origin, Run, RunStatus
from flytesched.errors import RunLogError
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.testing import MemoryRunLog

if TYPE_CHECKING:
    from collections.abc import Callable

    Log = MemoryRunLog | SqliteRunLog

NAMES = ["a", "b", "a-1"]
SLOTS = [DAY + 60 * n for n in range(1, 9)]
names, slots = st.sampled_from(NAMES), st.sampled_from(SLOTS)
statuses = st.sampled_from(sorted(RunStatus))
moments = st.sampled_from([DAY + n / 4 for n in range(40)])
ends = st.sampled_from([None, None, "timed_out", "cancelled(by user)"])


@st.composite
def new_runs(draw: st.DrawFn) -> Run:
    """Return a run that may be stored."""
    keys = {"status": draw(statuses), "created": draw(moments), "end_as": draw(ends)}
    if keys["status"] in VERDICTS:
        keys["ended"] = draw(moments)
    kind = draw(st.sampled_from(["slot", "slot", "slot", "manual", "retry"]))
    if kind == "manual":
        return a_manual_run(keys.pop("created"), schedule=draw(names), **keys)
    if kind == "retry":
        keys |= {"id": f"retry-x-{draw(st.integers(1, 4))}", "retry_of": "x"}
    keys["origin"] = draw(st.sampled_from(sorted(Origin)))
    return a_run(draw(slots), schedule=draw(names), **keys)


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    """Return a gap of minutely slots: open, or closed as a holiday from the first."""
    first, last = sorted((draw(slots), draw(slots)))
    holiday = draw(st.sampled_from([{}, {}, {"closed_at": 4.0, "closed_as": "holiday"}]))
    return a_gap(first - 60, last, schedule=draw(names), **holiday)


class TwoLogs(RuleBasedStateMachine):
    """Give both logs the same decisions and wishes; compare what they say and what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.memory = MemoryRunLog()
        self.sqlite = SqliteRunLog(self.folder / "runs.db", holder=True)
        self.sqlite._all("PRAGMA synchronous = OFF")  # the speed of the test, not its subject

    def teardown(self) -> None:
        self.sqlite.close()
        shutil.rmtree(self.folder)

    def both(self, ask: Callable[[Log], object]) -> object:
        """Do the same with both logs and hold their answers, or their errors, to be the same."""
        answers = [self._answer(log, ask) for log in (self.memory, self.sqlite)]
        assert answers[0] == answers[1]
        return answers[0]

    @staticmethod
    def _answer(log: Log, ask: Callable[[Log], object]) -> object:
        try:
            return ask(log)
        except RunLogError as error:
            return type(error)

    @rule(runs=st.lists(new_runs(), max_size=4, unique_by=lambda run: run.id), data=st.data())
    def store(self, runs: list[Run], data: st.DataObject) -> None:
        tried = data.draw(st.lists(st.sampled_from(runs), unique=True) if runs else st.just([]))
        decision = Decision(
            runs=tuple(runs),
            attempts=tuple(an_attempt(run, data.draw(st.integers(1, 3))) for run in tried),
            counts=tuple(Count(metric="runs", schedule=run.schedule, run=run.id) for run in runs),
            cursors={run.schedule: run.scheduled_at for run in runs if run.scheduled_at},
        )
        self.both(lambda log: log.apply(decision))

    @rule(data=st.data(), was=st.frozensets(statuses, max_size=4), knew=ends, ended=moments)
    def move(
        self, data: st.DataObject, was: frozenset[RunStatus], knew: str | None, ended: float
    ) -> None:
        if not self.memory.all_runs():
            return
        run = data.draw(st.sampled_from(list(self.memory.all_runs())))
        status = data.draw(st.sampled_from(sorted(LEGAL_MOVES[run.status] or ACTIVE)))
        moved = replace(
            run, status=status, ended=None if status in ACTIVE else ended, attempt=run.attempt + 1
        )
        moves = (Move(run=moved, was=was | data.draw(st.just({run.status})), knew=knew),)
        if run.status in VERDICTS and run.end_as != knew:
            return  # it loses in SQLite before anybody asks about the verdict
        self.both(lambda log: log.apply(Decision(moves=moves)))

    @rule(
        some=st.lists(gaps(), max_size=2), name=names, closed_as=st.sampled_from([None, "declined"])
    )
    def miss(self, some: list[Gap], name: str, closed_as: str | None) -> None:
        closes = ((name, closed_as, 5.0),) if closed_as else ()
        self.both(lambda log: log.apply(Decision(gaps=tuple(some), close_gaps=closes)))

    @rule(name=names, cursor=slots, enabled=st.booleans(), number=st.integers(1, 3))
    def see(self, name: str, cursor: int, enabled: bool, number: int) -> None:
        state = a_state(
            name, cursor=cursor, enabled=enabled, revision=number, definition=str(number)
        )
        self.both(lambda log: log.apply(Decision(schedules=(state,), meta={"seen": name})))

    @rule(run=new_runs())
    def request(self, run: Run) -> None:
        queued = replace(run, status=RunStatus.QUEUED, ended=None)
        self.both(lambda log: log.request(queued))

    @rule(data=st.data(), end_as=st.sampled_from(["timed_out", "cancelled(by user)"]))
    def wish(self, data: st.DataObject, end_as: str) -> None:
        ids = [run.id for run in self.memory.all_runs()] + ["sched-nobody-1", "manual-x", ""]
        one = data.draw(st.sampled_from(ids))
        match data.draw(st.sampled_from(["end", "cancel", "withdraw"])):
            case "end":
                self.both(lambda log: log.note_end(one, end_as))
            case "cancel":
                self.both(lambda log: log.cancel_waiting(one, "by user", 9.0))
            case "withdraw":
                self.both(lambda log: log.withdraw([one]))

    @rule(some=st.lists(names, max_size=2), low=slots, high=slots, bounded=st.booleans())
    def decline(self, some: list[str], low: int, high: int, bounded: bool) -> None:
        bounds = {"after": low - 60, "until": high} if bounded else {}
        self.both(lambda log: log.decline(some, 7.0, **bounds))

    @rule(moment=moments)
    def close(self, moment: float) -> None:
        self.both(lambda log: log.close_caught_up(moment))

    @rule(moment=moments)
    def close_after_somebody_else_cancelled(self, moment: float) -> None:
        waiting = [r.id for r in self.memory.active() if r.status is RunStatus.QUEUED][:1]
        other = SqliteRunLog(self.folder / "runs.db")
        for one in waiting:
            other.cancel_waiting(one, "by user", 9.0)
            self.memory.cancel_waiting(one, "by user", 9.0)
        other.close()
        self.close(moment)

    @invariant()
    def both_hold_the_same(self) -> None:
        self.both(lambda log: log.load())
        self.both(lambda log: log.counters())
        for name in NAMES:
            self.both(lambda log, name=name: log.decided(name, SLOTS[1], SLOTS[5]))
            self.both(lambda log, name=name: log.last_verdict(name, f"sched-{name}-{SLOTS[3]}"))
        ids = [run.id for run in self.memory.all_runs()]
        assert self.sqlite.runs(ids) == list(self.memory.all_runs())
        assert self.sqlite.gaps() == sorted(
            self.memory.all_gaps(), key=lambda gap: (gap.after, gap.id)
        )


TestTwoLogs = TwoLogs.TestCase
TestTwoLogs.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
