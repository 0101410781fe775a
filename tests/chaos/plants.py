"""Planted bugs: each breaks the promise in one way, and the judge has to find every one.

Each is small, and wraps a method of the program, since that is what a bug does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.decision import Decision


def plant(name: str) -> None:
    """Plant a bug in this process."""
    PLANTS[name][0]()


def _applied(change: Callable[[Decision], Decision]) -> None:
    """Let the run log write something else than was decided."""
    from flytesched.runlog.sqlite import SqliteRunLog

    apply = SqliteRunLog.apply
    SqliteRunLog.apply = lambda log, decision: apply(log, change(decision))


def cursor_in_memory_and_no_unique_key() -> None:
    """A restart decides again what was decided, and nothing stands in the way."""
    from flytesched.runlog import wishes

    _applied(lambda decision: replace(decision, cursors={}))
    transaction = wishes.Wishes.transaction

    def without_key(log: Any) -> Any:
        log._connection.execute("DROP INDEX IF EXISTS runs_of_schedule")
        return transaction(log)

    wishes.Wishes.transaction = without_key


def cursor_before_the_claim() -> None:
    """What a crash finds between the two is lost, as with Flyte's "last executed" mark."""
    from flytesched.core.decision import Decision
    from flytesched.runlog.sqlite import SqliteRunLog

    apply = SqliteRunLog.apply

    def in_two_steps(log: Any, decision: Decision) -> frozenset[str]:
        import time

        if decision.runs and decision.cursors:
            apply(log, Decision(cursors=decision.cursors))
            time.sleep(0.2)
        return apply(log, decision)

    SqliteRunLog.apply = in_two_steps


def record_after_start() -> None:
    """A claim is written only when the start was marked."""
    from flytesched.runlog.sqlite import SqliteRunLog

    apply, waiting = SqliteRunLog.apply, []

    def later(log: Any, decision: Decision) -> frozenset[str]:
        import time

        if any(run.status.value == "claimed" for run in decision.runs):
            waiting.append(decision)
            return frozenset()
        if waiting:
            time.sleep(0.2)
        while waiting:
            apply(log, waiting.pop(0))
        return apply(log, decision)

    SqliteRunLog.apply = later


def gaps_forgotten() -> None:
    """What was missed is neither recorded nor made up for."""

    def forgetful(decision: Decision) -> Decision:
        runs = tuple(run for run in decision.runs if run.origin.value != "catchup")
        return replace(decision, gaps=(), runs=runs)

    _applied(forgetful)


def wrong_code_on_adoption() -> None:
    """What ended unseen is taken for a success."""
    from flytesched.executors.local import LocalLauncher

    settle = LocalLauncher._settle
    LocalLauncher._settle = lambda self, attempt, outcome, **more: settle(
        self, attempt, replace(outcome, exit_code=0), **more
    )


def adoption_forgotten() -> None:
    """A restart takes every command for lost."""
    from flytesched.core.protocols import Adoption
    from flytesched.executors.local import LocalLauncher

    LocalLauncher.adopt = lambda *_: Adoption.LOST


def started_again() -> None:
    """A restart takes every command for one that was never started."""
    from flytesched.core.protocols import Adoption
    from flytesched.executors.local import LocalLauncher
    from flytesched.executors.record import Records
    from flytesched.scheduler.supervisor import Supervisor

    Supervisor.mark = lambda _self: None  # what runs looks as if it were only claimed
    LocalLauncher.adopt = lambda *_: Adoption.NEVER_STARTED
    Records._reopen = lambda self, _name: self._make()[1]


def verdict_rewritten() -> None:
    """A verdict is made nicer when nobody looks."""
    from flytesched.runlog.upkeep import Upkeep

    apply = Upkeep.transaction

    def rewritten(log: Any) -> Any:
        sql = "UPDATE runs SET reason = 'nicer' WHERE ended < (SELECT max(ended) FROM runs) - 3"
        log._connection.execute("DROP TRIGGER IF EXISTS verdict_stands")
        log._connection.execute(sql)
        return apply(log)

    Upkeep.transaction = rewritten


def verdict_deleted() -> None:
    """A run vanishes from the history."""
    from flytesched.runlog.upkeep import Upkeep

    apply = Upkeep.transaction

    def forgetting(log: Any) -> Any:
        log._connection.execute(
            "DELETE FROM runs WHERE seq % 5 = 0 AND ended < (SELECT max(ended) FROM runs) - 3"
        )
        return apply(log)

    Upkeep.transaction = forgetting


def early() -> None:
    """A clock that is fast by a bit."""
    from flytesched import clock

    read = clock.time.time
    clock.SystemClock.__init__.__kwdefaults__["read"] = lambda: read() + 0.4


def late() -> None:
    """A wait that oversleeps."""
    from flytesched.clock import SystemClock

    wait = SystemClock.wait

    def oversleep(clock: SystemClock, until: float | None) -> None:
        import time

        wait(clock, until)
        time.sleep(4)

    SystemClock.wait = oversleep


def intent_forgotten() -> None:
    """A timeout is not written down before its signal."""
    from flytesched.scheduler.supervisor import Supervisor

    def signal_at_once(self: Any, runs: Any, _end_as: str) -> bool:
        for run in runs:
            self.end(run)
            self._deadlines.pop(run.id, None)
        return True

    Supervisor.intend = signal_at_once


def skips_in_silence() -> None:
    """A slot that meets an active run leaves no row."""
    _applied(
        lambda decision: replace(
            decision, runs=tuple(run for run in decision.runs if run.status.value != "skipped")
        )
    )


def pause_replayed() -> None:
    """What passed while a schedule was disabled is made up for when it is enabled."""
    from flytesched.scheduler import definitions

    see = definitions.see

    def see_no_pause(schedule: Any, state: Any, now: float) -> Any:
        if state is not None and schedule.enabled:
            state = replace(state, enabled=True)
        return see(schedule, state, now)

    definitions.see = see_no_pause


def ends_not_written() -> None:
    """Every fifth end is seen and forgotten."""
    from flytesched.executors.local import LocalLauncher

    collect, seen = LocalLauncher.collect, [0]

    def some(self: Any) -> Any:
        ends = collect(self)
        seen[0] += len(ends)
        return [end for number, end in enumerate(ends, seen[0]) if number % 5]

    LocalLauncher.collect = some


#: Each bug, the fault that brings it out, and the kinds of violation one of which has to be found.
PLANTS: dict[str, tuple[Callable[[], None], str, frozenset[str]]] = {
    work.__name__.replace("_", " "): (work, fault, frozenset(kinds))
    for work, fault, kinds in (
        (cursor_in_memory_and_no_unique_key, "kill", {"doubled"}),
        (cursor_before_the_claim, "kill", {"lost"}),
        (record_after_start, "kill", {"doubled", "no row"}),
        (gaps_forgotten, "outage", {"lost"}),
        (wrong_code_on_adoption, "kill", {"wrong verdict"}),
        (adoption_forgotten, "kill", {"wrong verdict"}),
        (started_again, "kill", {"doubled"}),
        (verdict_rewritten, "edits", {"changed"}),
        (verdict_deleted, "edits", {"changed"}),
        (early, "edits", {"early"}),
        (late, "edits", {"late"}),
        (intent_forgotten, "edits", {"wrong verdict"}),
        (skips_in_silence, "edits", {"lost"}),
        (pause_replayed, "pause", {"uncalled"}),
        (ends_not_written, "edits", {"stuck"}),
    )
}
