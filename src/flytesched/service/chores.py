"""Chores: what a scheduler does beside its slots, when none of them has to wait for it.

Each is a step of some milliseconds. It is taken while no slot is near and what was written last has
settled: the ends of a burst come one after the other, and none shall stand behind a checkpoint. A
machine on which something always runs, and ends, has such moments too; one that never settles gets
its chores all the same after some patience, in the gaps between its slots.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flytesched.clock import monotonic
from flytesched.errors import RunLogBusy

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.bootstrap import Works

#: Seconds between looks at how long the logs of running commands are.
BOUND_LOGS_EVERY = 5.0
#: Seconds between looks for what is too old to keep.
PRUNE_EVERY = 3600.0
#: Seconds from one step of pruning to the next: a million runs, and three million logs, an hour.
PRUNE_AGAIN = 1.0
#: Runs pruned in one step.
PRUNE_STEP = 250
#: Rows written since the last checkpoint that make the next one worth waiting for the disk. It is
#: far below what makes SQLite take one for itself, in the middle of a claim.
WORTH_A_CHECKPOINT = 1000
#: Bytes by which the WAL has grown, whoever wrote them, that make it worth it as well.
MUCH_WAL = 16 * 2**20
#: Seconds that must be left until the next slot.
ROOM = 0.25
#: Seconds after which what was written has settled.
SETTLED = 0.5
#: Seconds that a chore waits for that.
PATIENCE = 10.0


class Chores:
    """The chores of one life of ``flytesched run``."""

    def __init__(self, works: Works, *, elapsed: Callable[[], float] = monotonic) -> None:
        """Take the wired parts; ``elapsed`` tells seconds on a clock that is never set.

        A step back of the other clock must not put the chores off.
        """
        self._works, self._elapsed = works, elapsed
        self._next_bound = self._next_prune = elapsed()
        #: Since when a checkpoint is worth it.
        self._worth_since = math.inf
        #: Rows that had been written at the last look, and at the last checkpoint.
        self._written = self._moved = works.runlog.written
        #: Bytes of the WAL at the last checkpoint, or since, when it began anew.
        self._wal = works.runlog.wal_size
        self._settles = 0.0
        self._runs_pruned = False

    def do(self, now: float, due: float | None) -> float | None:
        """Do what there is time for; return when to be called again at the latest.

        Args:
            now: the moment, in epoch seconds.
            due: when the loop has to turn again; None if nothing is coming.
        """
        elapsed = self._elapsed()
        self._look(elapsed)
        moments = [self._bound_logs(elapsed)] if self._works.loop.running_count else []
        if self._wanted() > elapsed:
            moments.append(self._wanted())
        elif due is None or due - now >= ROOM:
            moments.append(self._step(now, elapsed))
        # Without room the slot that takes it is followed by another look.
        return min((now + at - elapsed for at in moments), default=None)

    def _look(self, elapsed: float) -> None:
        """See whether something was written since the last look.

        What commands write counts by the length of the WAL alone: they make no checkpoints, and one
        that prunes a million runs would else fill the disk.
        """
        self._wal = min(self._wal, size := self._works.runlog.wal_size)
        if size - self._wal >= MUCH_WAL:
            self._worth_since = min(self._worth_since, elapsed)
        if (written := self._works.runlog.written) == self._written:
            return
        self._written, self._settles = written, elapsed + SETTLED
        if written - self._moved >= WORTH_A_CHECKPOINT:
            self._worth_since = min(self._worth_since, elapsed)

    def _wanted(self) -> float:
        """Return when a step has to be taken, but for slots: settled, or after some patience."""
        since = min(self._worth_since, self._next_prune)
        return min(max(since, self._settles), since + PATIENCE)

    def _bound_logs(self, elapsed: float) -> float:
        if elapsed >= self._next_bound:
            self._works.launcher.bound_logs()
            self._next_bound = elapsed + BOUND_LOGS_EVERY
        return self._next_bound

    def _step(self, now: float, elapsed: float) -> float:
        """Do one thing; return when the next is wanted."""
        try:
            if self._worth_since <= elapsed:
                self._checkpoint()
            else:
                self._next_prune = elapsed + self._prune(now)
        except RunLogBusy:  # somebody writes very much, and that will end
            self._next_prune, self._worth_since = elapsed + PATIENCE, math.inf
        self._written = self._works.runlog.written  # our own step has nothing to settle
        if self._written - self._moved >= WORTH_A_CHECKPOINT:
            self._worth_since = elapsed + PRUNE_AGAIN
        return self._wanted()

    def _checkpoint(self) -> None:
        self._works.runlog.checkpoint()
        self._moved, self._worth_since = self._works.runlog.written, math.inf
        self._wal = self._works.runlog.wal_size

    def _prune(self, now: float) -> float:
        """Drop some of what is too old: runs, then logs; return seconds to wait."""
        settings, runlog = self._works.settings, self._works.runlog
        if not self._runs_pruned:
            dropped = runlog.prune(now - settings.keep_runs.total_seconds(), PRUNE_STEP)
            self._runs_pruned = not runlog.pruning
            if dropped or runlog.pruning:
                return PRUNE_AGAIN
        before = now - settings.keep_logs.total_seconds()
        self._runs_pruned = not self._works.launcher.prune_logs(before)
        if self._runs_pruned:
            return PRUNE_AGAIN
        if runlog.written > self._moved:  # the WAL of a small disk begins anew once an hour, too
            self._worth_since = self._elapsed()
        return PRUNE_EVERY
