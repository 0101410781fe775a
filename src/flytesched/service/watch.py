"""Seeing runs through: by the scheduler that runs, or, where none does, by this very process.

There is one starter at a time, the holder of the scheduler's lock. A command writes its wish to
the run log first; whoever holds the lock carries it out. A command that holds the lock gives it
up as soon as ``flytesched run`` asks for it, and goes on watching.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

from flytesched import clock, wakeup
from flytesched.bootstrap import build
from flytesched.core.runs import IN_PLACE
from flytesched.errors import NotFound
from flytesched.journal import StderrJournal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        with _hung_up_is_interrupted():
            return _see_through(site, runlog, ids, watcher)
    finally:
        runlog.close()


@contextmanager
def _hung_up_is_interrupted() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C: a closed terminal withdraws what is queued, too."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(number)

    # What nohup(1) ignores stays ignored.
    before = {
        number: signal.signal(number, interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _see_through(
    site: Site, runlog: SqliteRunLog, ids: Sequence[str], watcher: Watcher
) -> list[Run]:
    while (runs := _look(runlog, ids, watcher)) is None:
        lock = site.lock()
        with lock.borrowed() as alone:
            if alone:
                _carry_out(site, lock, ids, watcher)
        if alone:
            wakeup.touch(site.settings.state_dir)
        else:
            clock.sleep(LOOK_EVERY)
    return runs


def settle(site: Site) -> None:
    """Record what ended while nobody watched; where a scheduler runs, it has done so.

    Without this a run that has long ended would look active to whoever asks next.
    """
    if (reader := site.reader()) is None:
        return
    with reader:
        if not any(run.status in IN_PLACE for run in reader.active()):
            return
    with site.lock().borrowed() as alone:
        if not alone:
            return
        runlog = site.runlog(holder=True)
        works = build(site, runlog, StderrJournal(clock.now, least="error"), own=frozenset())
        try:
            works.loop.start()
            works.loop.tick(works.clock.now())
        finally:
            works.close()


def _look(runlog: SqliteRunLog, ids: Sequence[str], watcher: Watcher) -> list[Run] | None:
    """Show the runs; return them once none is active."""
    runs = runlog.runs(ids)
    watcher.changed(runs)
    return None if any(run.active for run in runs) else runs


def _carry_out(site: Site, lock: SchedulerLock, ids: Sequence[str], watcher: Watcher) -> None:
    """Be the starter for just these runs, until they are done or a scheduler wants the lock."""
    runlog = site.runlog(holder=True)
    works = build(site, runlog, StderrJournal(clock.now, least="error"), own=frozenset(ids))
    try:
        works.loop.start()
        while True:
            now = works.clock.now()
            works.before_tick()
            moments = [due := works.loop.tick(now), works.after_tick(now, due), now + LOOK_EVERY]
            done, wanted = _look(runlog, ids, watcher) is not None, lock.wanted()
            if done and not wanted:
                works.tell_the_last()
            if done or wanted:
                return
            works.clock.wait(min(at for at in moments if at is not None))
    finally:
        works.close()


def _matching(word: str, active: Sequence[Run]) -> list[str]:
    """Return the ids that a pattern matches; any other word, or one that matches none, as it is."""
    if not set(word) & set("*?["):
        return [word]
    return [run.id for run in active if fnmatchcase(run.id, word)] or [word]


def find(site: Site, said: Sequence[str]) -> list[Run]:
    """Return the runs that ids say, or beginnings of ids that name just one run.

    A pattern such as ``sched-backup-*`` means the active runs whose ids it matches.

    Raises:
        NotFound: no run has that id, or no active one matches.
    """
    runs: list[Run | None] = []
    if (reader := site.reader()) is not None:
        with reader:
            active = reader.active()
            said = [one for word in said for one in _matching(word, active)]
            runs = [reader.run(word) for word in said]
    for word, run in zip_longest(said, runs):
        if run is None:
            msg = f"no run is named {word!r}"
            raise NotFound(msg, hint="see: flytesched history")
    return [run for run in runs if run is not None]
