"""Local processes: starts commands that outlive the scheduler, finds them again, ends them.

With ``survive`` the direct child is a shell of a few lines, the supervisor: it runs the command
and writes down how it ended, whether or not a scheduler is there to see it. Without, the command
itself is the child. Either way it leads a session of its own.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import Attempt, AttemptKey, End, Outcome, Reason
from flytesched.errors import StartDelayed
from flytesched.executors import logs
from flytesched.executors.environment import inherited
from flytesched.executors.following import Follower, Live, is_child
from flytesched.executors.record import Records, Taken
from flytesched.executors.session import Marks, Session
from flytesched.executors.spawn import keep_children, keep_descriptors
from flytesched.executors.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule

#: Folder of the records, below the state directory.
ACTIVE = "active"
#: Logs looked at in one step of pruning: some milliseconds.
_PRUNE_STEP = 1000


class LocalLauncher:
    """Implements ``core.protocols.Launcher`` with processes of this machine.

    Descriptors that this process inherited are kept from commands by making them close-on-exec.
    """

    def __init__(
        self,
        state_dir: str | Path,
        environ: Mapping[str, str],
        *,
        manifest_path: str | Path,
        log_limit: int,
        clock_now: Callable[[], float],
        survive_always: bool = False,
    ) -> None:
        """Begin with nothing followed; nothing is made on disk.

        Args:
            state_dir: where records and logs are kept.
            environ: environment of the scheduler, of which commands inherit.
            manifest_path: told to commands.
            log_limit: bytes of a log that are kept; 0 for all.
            clock_now: returns the wall clock in epoch seconds.
            survive_always: give every command a supervisor, whatever its schedule says.

        Raises:
            OSError: no descriptor is left.
        """
        self.boot_id = linux.boot_id()
        self._state_dir = str(Path(state_dir).absolute())
        #: Bytes of a log that are kept; may be set at any time.
        self.log_limit = log_limit
        self._now, self._survive_always = clock_now, survive_always
        self._records = Records(f"{self._state_dir}/{ACTIVE}")
        self._starts = Starts(
            self._state_dir, str(Path(manifest_path).absolute()), inherited(environ), self._records
        )
        keep_descriptors()
        keep_children()
        self._follower = Follower(self._records, clock_now)
        self._pruning: Iterator[str | None] | None = None

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``collect`` may have something to report."""
        return self._follower.fileno()

    def close(self) -> None:
        """Let go of all descriptors; what runs is left alone."""
        self._follower.close()
        self._starts.close()

    # -- starting ---------------------------------------------------------------------------

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        """Return the attempt that ``start`` shall carry out; nothing happens yet."""
        return Attempt(
            run=run.id, attempt=attempt, boot_id=self.boot_id, ordered=now,
            survive=schedule.survive or self._survive_always,
            log=logs.log_name(schedule.name, run.id, attempt),
        )  # fmt: skip

    def prepare(self, orders: Iterable[Order], until: float) -> None:
        """Do ahead what can be done of starts that are near; what fails is met by ``start``."""
        for order in orders:
            if self._now() >= until:
                return
            if self._follower.get(order.attempt.key) is None:
                with contextlib.suppress(Exception):
                    self._starts.prepare(order)

    def start(self, order: Order) -> Started:
        """Start an attempt; one that has been started before is followed instead.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now; nothing was started.
        """
        attempt = order.attempt
        if (live := self._follower.get(attempt.key)) is not None:
            return Started(pid=live.session.leader)
        try:
            ready = self._starts.take(order)
        except Taken:
            return self._started_before(attempt)
        tick = linux.ticks()
        try:
            pid = self._starts.carry_out(ready)
        except BaseException:
            ready.close()
            self._records.release([attempt.key])
            raise
        # It runs, so nothing may fail from here on. The descriptors closed here leave room.
        ready.close()
        live = self._live(attempt, pid, since=self._now(), child=True)
        try:
            self._follower.follow(live)
        except OSError:
            self._follower.look_after(live)
        return Started(pid=pid, pid_started=None if attempt.survive else _begun(pid, tick))

    def _started_before(self, attempt: Attempt) -> Started:
        try:
            found = self.adopt(attempt)
        except OSError as error:
            msg = f"cannot read the record of {attempt.run} now: {error.strerror}"
            raise StartDelayed(msg) from error
        if found is Adoption.NEVER_STARTED:
            msg = f"the record of {attempt.run} was held a moment ago"
            raise StartDelayed(msg)
        if found is Adoption.LOST:
            self._settle(attempt, self._lost(attempt, Reason.SUPERVISOR))
        live = self._follower.get(attempt.key)
        return Started(pid=live.session.leader if live is not None else None)

    # -- recovery ---------------------------------------------------------------------------

    def adopt(self, attempt: Attempt) -> Adoption:
        """Find an attempt that an earlier process ordered.

        What is left of an attempt that nobody supervises any more is ended first; then it is
        followed, and ``collect`` reports it as lost when nothing of it is left.

        Raises:
            OSError: its record cannot be read right now; try again.
        """
        if self._follower.get(attempt.key) is not None:
            return Adoption.FOLLOWED
        if not attempt.survive:
            return self._adopt_orphan(attempt)
        found = self._records.look(attempt.key)
        if found is None or found.unused:
            return self._adopt_unused(attempt)
        if found.code is not None:
            ended = min(max(found.written, attempt.started or attempt.ordered), self._now())
            outcome = Outcome(key=attempt.key, end=End.EXITED, ended=ended, exit_code=found.code)
            self._settle(attempt, outcome, pid=found.pid)
            return Adoption.FOLLOWED
        if not found.held:
            return self._end_remains(attempt)
        if found.pid is None:
            # It is between its start and its first word: a moment later it can be adopted.
            raise BlockingIOError(errno.EAGAIN, "its supervisor is about to start")
        self._adopt_supervised(attempt, found.pid)
        return Adoption.FOLLOWED

    def _adopt_unused(self, attempt: Attempt) -> Adoption:
        """See whether an attempt without a word of a supervisor was really never started."""
        found = self._end_remains(attempt)
        unstarted = attempt.boot_id == self.boot_id and attempt.started is None
        return Adoption.NEVER_STARTED if found is Adoption.LOST and unstarted else found

    def _adopt_supervised(self, attempt: Attempt, pid: int) -> None:
        since = attempt.started or attempt.ordered
        live = self._live(attempt, pid, since=since, child=is_child(pid))
        self._follower.follow(live)
        # A lock still held now proves that the descriptor is not of a process which has got the
        # pid since the record was read.
        try:
            again = self._records.look(attempt.key)
        except OSError:
            self._follower.drop(live)
            raise
        if again is None or not again.held:
            self._follower.leader_ended(live)

    def _adopt_orphan(self, attempt: Attempt) -> Adoption:
        """End what is left of a command that had no supervisor; it is never started again."""
        if attempt.boot_id != self.boot_id:
            return Adoption.LOST
        pid = attempt.pid
        if pid is not None and linux.process_start(pid) != attempt.pid_started:
            pid = None
        return self._end_remains(attempt, pid)

    def _end_remains(self, attempt: Attempt, leader: int | None = None) -> Adoption:
        """End what is left of an attempt that is lost, and follow that; LOST if nothing is."""
        if attempt.boot_id != self.boot_id:
            return Adoption.LOST
        live = self._live(attempt, leader, since=attempt.ordered)
        live.leads = leader is not None
        live.child = leader is not None and is_child(leader)
        if not live.session.processes(leader_lives=live.leads):
            return Adoption.LOST
        why = Reason.SUPERVISOR if attempt.survive else Reason.PARENT
        live.outcome = self._lost(attempt, why)
        self._follower.follow(live)
        self._follower.end_remains(live)
        return Adoption.FOLLOWED

    def _settle(self, attempt: Attempt, outcome: Outcome, *, pid: int | None = None) -> None:
        """Report an end that is known already."""
        live = self._live(attempt, pid, since=attempt.ordered)
        live.leads, live.outcome = False, outcome
        live.child = pid is not None and is_child(pid)
        self._follower.look_after(live)

    def _lost(self, attempt: Attempt, why: Reason) -> Outcome:
        return Outcome(key=attempt.key, end=End.LOST, ended=self._now(), reason=why.value)

    # -- ends -------------------------------------------------------------------------------

    def terminate(self, key: AttemptKey) -> None:
        """Send TERM to every process of the attempt; what is left of it then is its end."""
        if (live := self._follower.get(key)) is not None:
            self._follower.send(live, signal.SIGTERM)

    def kill(self, key: AttemptKey) -> None:
        """Send KILL to every process of the attempt but its supervisor, which then notes 137."""
        if (live := self._follower.get(key)) is not None:
            self._follower.send(live, signal.SIGKILL)

    def collect(self) -> Sequence[Outcome]:
        """Return the ends seen since the last call, without waiting."""
        ended = self._follower.collect()
        for live in ended:
            self._bound(live.log)
        return [live.outcome for live in ended if live.outcome is not None]

    def forget(self, keys: Iterable[AttemptKey]) -> None:
        """Drop what is kept of ended attempts, once their outcome is durable."""
        keys = tuple(keys)
        for key in keys:
            self._starts.forget(key)
        self._records.release(key for key in keys if self._follower.get(key) is None)

    def sweep(self, keep: Iterable[AttemptKey]) -> None:
        """Let records be used again that a scheduler left which died before ``forget``.

        Args:
            keep: attempts of runs without a verdict.

        Raises:
            OSError: the records cannot be read now.
        """
        self._records.sweep(keep)

    # -- logs -------------------------------------------------------------------------------

    def bound_logs(self) -> None:
        """Keep the logs of what runs within ``log_limit``; to be called now and then."""
        for live in self._follower.all():
            self._bound(live.log)

    def prune_logs(self, before: float) -> bool:
        """Remove logs last written before a moment (epoch seconds), a thousand at a time.

        Returns:
            Whether all have been looked at; if not, the next call goes on.
        """
        if self._pruning is None:
            self._pruning = logs.old_logs(f"{self._state_dir}/{logs.FOLDER}", before)
        kept = {f"{self._state_dir}/{live.log}" for live in self._follower.all()}
        step = list(itertools.islice(self._pruning, _PRUNE_STEP))
        for path in step:
            if path is not None and path not in kept:
                Path(path).unlink(missing_ok=True)
        if len(step) == _PRUNE_STEP:
            return False
        self._pruning = None
        return True

    def _bound(self, log: str) -> None:
        with contextlib.suppress(OSError):  # a log too long is no reason to lose an end
            logs.trim(self._state_dir, log, self.log_limit)

    # -- names ------------------------------------------------------------------------------

    def _live(
        self, attempt: Attempt, pid: int | None, *, since: float, child: bool = False
    ) -> Live:
        told = Marks(attempt.run, attempt.attempt, self._state_dir)
        return Live(
            key=attempt.key, session=Session(leader=pid, marks=told), survive=attempt.survive,
            log=attempt.log or "", since=since, kill_after=attempt.kill_after, child=child,
        )  # fmt: skip


def _begun(pid: int, tick: int) -> int | None:
    """Return when a process began that was started at ``tick`` or after it, and before now."""
    if tick == linux.ticks():
        return tick  # looking at it would cost more than all the rest of its start
    with contextlib.suppress(OSError):
        return linux.process_start(pid)
    return None
