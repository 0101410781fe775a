"""Seeing runs through: by the scheduler that runs, or, where none does, by this very process.

There is one starter at a time, the holder of the scheduler's lock. A command writes its wish to
the run log first; whoever holds the lock carries it out. A command that holds the lock gives it
up as soon as ``flytesched run`` asks for it, and goes on watching.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

from flytesched import wakeup
from flytesched.bootstrap import build
from flytesched.clock import sleep
from flytesched.errors import NotFound, SchedulerRunning
from flytesched.journal import StderrJournal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run
    from flytesched.lock import SchedulerLock
    from flytesched.runlog.sqlite import SqliteRunLog

#: Seconds between looks at rows that another process moves.
LOOK_EVERY = 0.1


class Watcher(Protocol):
    """Somebody to show how runs get on."""

    def changed(self, runs: Sequence[Run]) -> None:
        """Take the present state of the watched runs; called at each look."""
        ...


def see_through(site: Site, ids: Sequence[str], watcher: Watcher) -> list[Run]:
    """Return the runs once each has a verdict, or is withdrawn (left out then).

    Raises:
        KeyboardInterrupt: passed on; what was started goes on running.
    """
    wakeup.touch(site.settings.state_dir)
    runlog = site.runlog()
    try:
        while (runs := _look(runlog, ids, watcher)) is None:
            lock = site.lock()
            try:
                lock.acquire("command")
            except SchedulerRunning:
                sleep(LOOK_EVERY)
                continue
            try:
                _carry_out(site, lock, ids, watcher)
            finally:
                lock.release()
                wakeup.touch(site.settings.state_dir)
        return runs
    finally:
        runlog.close()


def _look(runlog: SqliteRunLog, ids: Sequence[str], watcher: Watcher) -> list[Run] | None:
    """Show the runs; return them once none is active."""
    runs = runlog.runs(ids)
    watcher.changed(runs)
    return None if any(run.active for run in runs) else runs


def _carry_out(site: Site, lock: SchedulerLock, ids: Sequence[str], watcher: Watcher) -> None:
    """Be the starter for just these runs, until they are done or a scheduler wants the lock."""
    runlog = site.runlog(holder=True)
    works = build(site, runlog, StderrJournal(least="error"), own=frozenset(ids))
    try:
        works.loop.start()
        while True:
            now = works.clock.now()
            moments = [works.loop.tick(now), works.after_wake(now), now + LOOK_EVERY]
            if _look(runlog, ids, watcher) is not None or lock.wanted():
                return
            works.clock.wait(min(at for at in moments if at is not None))
    finally:
        works.close()


def find(site: Site, said: Sequence[str]) -> list[Run]:
    """Return the runs that ids, or beginnings of ids that name just one run, say.

    Raises:
        NotFound: no run has that id.
    """
    runs: list[Run | None] = []
    if (reader := site.reader()) is not None:
        with reader:
            runs = [reader.run(word) for word in said]
    for word, run in zip_longest(said, runs):
        if run is None:
            msg = f"no run is named {word!r}"
            raise NotFound(msg, hint="see: flytesched history")
    return [run for run in runs if run is not None]
