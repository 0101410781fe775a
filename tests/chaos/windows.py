"""Death at a named moment: the program kills itself where nobody outside could aim so well.

The methods of the program are wrapped here, and nowhere else in the tests: a window between two of
its own steps cannot be opened from outside.
"""

from __future__ import annotations

import functools
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flytesched.core.decision import Decision

#: Every window, with how often it is passed before death at most: some come up at each run,
#: others once in a life.
WINDOWS = {
    "claim before the commit": 8, "claim after the commit": 8,
    "start before the record": 8, "start after the record": 8, "start after the spawn": 8,
    "mark before the commit": 8, "mark after the commit": 8,
    "end seen": 8, "end before the commit": 8, "end after the commit": 8, "end forgotten": 8,
    "intent before the commit": 2, "intent after the commit": 2, "intent after the signal": 2,
    "gap before the commit": 1, "gap after the commit": 1,
    "adopt before": 4, "adopt after": 4,
    "load after": 1, "reload before": 1, "reload after": 1,
    "other before the commit": 2, "checkpoint before": 1, "checkpoint after": 1,
}  # fmt: skip
#: Windows that only a scheduler with nothing to do comes through: not to be counted on.
QUIET = frozenset({"checkpoint before", "checkpoint after"})


def doom(window: str, count: int) -> None:
    """Let this process die the ``count``-th time it comes through a window."""
    if window not in WINDOWS:
        msg = f"there is no window {window!r}"
        raise ValueError(msg)
    left = count

    def passed(here: str) -> None:
        nonlocal left
        if here == window:
            left -= 1
            if left == 0:
                os.write(2, b"CHAOS died at " + window.encode() + b"\n")
                os.kill(os.getpid(), signal.SIGKILL)

    _open_commits(passed)
    _open_starts(passed)
    _open_recovery(passed)


def _open_commits(passed: Callable[[str], None]) -> None:
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.runlog.upkeep import Upkeep
    from flytesched.runlog.wishes import Wishes

    kinds: list[str] = []
    transaction, apply = Wishes.transaction, SqliteRunLog.apply

    @contextmanager
    def watched(log: Any) -> Iterator[Any]:
        with transaction(log) as connection:
            yield connection
            passed(f"{kinds[-1] if kinds else 'other'} before the commit")

    def applied(log: Any, decision: Decision) -> frozenset[str]:
        kinds.append(kind_of(decision))
        try:
            lost = apply(log, decision)
        finally:
            kind = kinds.pop()
        passed(f"{kind} after the commit")
        return lost

    Wishes.transaction, SqliteRunLog.apply = watched, applied
    _around(Upkeep, "checkpoint", passed, "checkpoint before", "checkpoint after")


def kind_of(decision: Decision) -> str:
    """Return what a decision is mainly about."""
    states = {move.run.status.value for move in decision.moves}
    if decision.gaps:
        return "gap"
    if "claimed" in states or any(run.status.value == "claimed" for run in decision.runs):
        return "claim"
    if states - {"running", "claimed"}:
        return "end"
    if any(move.run.end_as for move in decision.moves):
        return "intent"
    if states:
        return "mark"
    return "cursor" if decision.cursors else "other"


def _open_starts(passed: Callable[[str], None]) -> None:
    from flytesched.executors import starts
    from flytesched.executors.local import LocalLauncher
    from flytesched.executors.record import Records

    _around(Records, "claim", passed, "start before the record", "start after the record")
    spawn = starts.spawn

    @functools.wraps(spawn)
    def spawned(*args: Any) -> int:
        pid = spawn(*args)
        passed("start after the spawn")
        return pid

    starts.spawn = spawned
    _around(LocalLauncher, "terminate", passed, None, "intent after the signal")
    _around(LocalLauncher, "forget", passed, None, "end forgotten", when=lambda args: bool(args[0]))
    collect = LocalLauncher.collect

    def collected(launcher: LocalLauncher) -> Any:
        if ends := collect(launcher):
            passed("end seen")
        return ends

    LocalLauncher.collect = collected


def _open_recovery(passed: Callable[[str], None]) -> None:
    from flytesched.executors.local import LocalLauncher
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.scheduler.definitions import Definitions

    _around(LocalLauncher, "adopt", passed, "adopt before", "adopt after")
    _around(SqliteRunLog, "load", passed, None, "load after")
    _around(Definitions, "_see", passed, "reload before", "reload after")


def _around(
    kind: type, name: str, passed: Callable[[str], None], before: str | None, after: str | None,
    *, when: Callable[[tuple[Any, ...]], bool] = lambda _args: True,
) -> None:  # fmt: skip
    work = getattr(kind, name)

    @functools.wraps(work)
    def wrapped(self: Any, *args: Any, **named: Any) -> Any:
        opened = when(args)
        if before and opened:
            passed(before)
        result = work(self, *args, **named)
        if after and opened:
            passed(after)
        return result

    setattr(kind, name, wrapped)
