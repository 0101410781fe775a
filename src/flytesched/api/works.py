"""The parts of a Scheduler at work: lock, clock, launcher, loop."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from flytesched.bootstrap import limits
from flytesched.clock import SystemClock
from flytesched.core.protocols import Roster
from flytesched.executors.python import CallableLauncher
from flytesched.lock import SchedulerLock
from flytesched.scheduler.loop import Loop
from flytesched.state_dir import prepare_state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from flytesched.core.protocols import Journal, Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Event, Notice
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.settings import Settings


class ScheduleSet:
    """A ScheduleSource that a program fills."""

    def __init__(self) -> None:
        """Begin with no schedule."""
        #: The whole set, by name.
        self.schedules: Mapping[str, Schedule] = {}
        self._news: Roster | None = Roster(schedules={})

    def put(self, schedules: Mapping[str, Schedule]) -> None:
        """Replace the whole set."""
        self.schedules = dict(schedules)
        self.tell_again()

    def tell_again(self) -> None:
        """Let the next poll return the whole set, changed or not."""
        self._news = Roster(schedules=self.schedules)

    def poll(self) -> Roster | None:
        """Return the whole set if it is news."""
        news, self._news = self._news, None
        return news


class Works:
    """A loop over a program's schedules, with the lock on its state directory."""

    def __init__(
        self,
        *,
        place: Path | None,
        runlog: Callable[[], SqliteRunLog],
        settings: Settings,
        source: ScheduleSet,
        execute: Callable[[Schedule, datetime], None],
        journal: Journal,
        own: Callable[[], frozenset[str]] | None = None,
    ) -> None:
        """Take the lock of ``place`` (None: in memory) and wire the loop.

        Raises:
            SchedulerRunning: another program has the lock.
        """
        self._lock = _locked(place)
        self.clock = SystemClock()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._launcher = CallableLauncher(execute, clock_now=self.clock.now)
        self.clock.watch(self._launcher.fileno())
        self.clock.watch(self._bell)
        source.tell_again()
        self.loop = Loop(
            clock=self.clock, source=source, runlog=runlog(), launcher=self._launcher,
            hook=_Nobody(), journal=journal, limits=limits(settings),
            own=own() if own is not None else None,
        )  # fmt: skip
        self.loop.start()

    def tick(self) -> float | None:
        """Do what is due; return when to be called again at the latest."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        return self.loop.tick(self.clock.now())

    def poke(self) -> None:
        """Wake whoever waits on the clock; may be called from any thread."""
        os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Let go of the lock and of descriptors."""
        self._launcher.close()
        self.clock.close()
        os.close(self._bell)
        if self._lock is not None:
            self._lock.release()


class _Nobody:
    """A Hook for nobody: callables have no hook commands, and a program can look for itself."""

    def wants(self, schedule: Schedule, event: Event) -> bool:  # noqa: ARG002  as the protocol has it
        """Want nothing."""
        return False

    def notices(self, told: Told, now: float) -> Sequence[Notice]:  # noqa: ARG002  see above
        """Have nothing to say."""
        return ()

    def tell(self, told: Told) -> None:
        """Keep it to oneself."""


def _locked(place: Path | None) -> SchedulerLock | None:
    if place is None:
        return None
    prepare_state_dir(place)
    lock = SchedulerLock(place)
    lock.acquire("run")
    return lock
