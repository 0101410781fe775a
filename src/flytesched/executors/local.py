"""Local processes: starts commands that outlive the scheduler, finds them again, ends them.

With ``survive`` the direct child is a shell of a few lines, the supervisor: it runs the command
and writes down how it ended, whether or not a scheduler is there to see it. Without, the command
itself is the child. Either way it leads a session of its own.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import Attempt, AttemptKey, End, Outcome, Reason
from flytesched.errors import StartDelayed
from flytesched.executors import logs
from flytesched.executors.delays import start_error
from flytesched.executors.environment import command_environment, inherited, working_directory
from flytesched.executors.following import Follower, Live, is_child
from flytesched.executors.record import Records, Taken
from flytesched.executors.session import Marks, Session
from flytesched.executors.spawn import (
    READING_SUPERVISOR,
    SHELL,
    SUPERVISOR,
    keep_children,
    keep_descriptors,
    open_null,
    spawn,
)
from flytesched.executors.words import is_built_in, reads_alike, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule

#: Folder of the records, below the state directory.
ACTIVE = "active"
#: Starts that are prepared to the last step at once: each has two files open.
_MOST_READY = 64
#: Logs looked at in one step of pruning: some milliseconds.
_PRUNE_STEP = 1000


@dataclass(frozen=True, slots=True)
class Ready:
    """A start that lacks nothing but its moment."""

    #: The program, its argument vector and its environment.
    path: str
    argv: list[str]
    env: dict[str, str]
    #: The directory to start it in.
    cwd: str
    #: Descriptors of its input, output and errors.
    standard: tuple[int, int, int]
    #: Those of them that were opened for it.
    opened: tuple[int, ...]

    def close(self) -> None:
        """Let go of the files that were opened for it."""
        for fd in self.opened:
            os.close(fd)


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
        self._manifest = str(Path(manifest_path).absolute())
        self._environ = inherited(environ)
        #: Bytes of a log that are kept; may be set at any time.
        self.log_limit = log_limit
        self._now, self._survive_always = clock_now, survive_always
        self._null = open_null()
        keep_descriptors()
        keep_children()
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._records = Records(f"{self._state_dir}/{ACTIVE}")
        self._follower = Follower(self._records, clock_now)
        self._pruning: Iterator[str | None] | None = None
        #: Starts that were prepared to the last step.
        self._ready: dict[AttemptKey, Ready] = {}

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``collect`` may have something to report."""
        return self._follower.fileno()

    def close(self) -> None:
        """Let go of all descriptors; what runs is left alone."""
        self._follower.close()
        for ready in self._ready.values():
            ready.close()
        os.close(self._here)
        os.close(self._null)

    # -- starting ---------------------------------------------------------------------------

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        """Return the attempt that ``start`` shall carry out; nothing happens yet."""
        return Attempt(
            run=run.id, attempt=attempt, boot_id=self.boot_id, ordered=now,
            survive=schedule.survive or self._survive_always,
            log=logs.log_name(schedule.name, run.id, attempt),
        )  # fmt: skip

    def prepare(self, orders: Iterable[Order], until: float) -> None:
        """Do ahead what can be done of starts that are near; what fails is met by ``start``.

        As many as may have files open are made ready to the last step. Of the others the logs are
        made: where a file system has just seen many files go, that is most of a start.
        """
        for order in orders:
            if self._now() >= until:
                return
            key = order.attempt.key
            if key in self._ready or self._follower.get(key) is not None:
                continue
            with contextlib.suppress(Exception):
                if len(self._ready) < _MOST_READY:
                    self._ready[key] = self._made_ready(order)
                else:
                    os.close(self._open_log(order.attempt))

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
            ready = self._ready.pop(attempt.key, None) or self._made_ready(order)
        except Taken:
            return self._started_before(attempt)
        tick = linux.ticks()
        try:
            pid = self._spawn(ready)
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

    def _made_ready(self, order: Order) -> Ready:
        """Return all that a start needs, its files open.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now.
            Taken: there is, or was, a supervisor for it already.
        """
        env = command_environment(
            order, self._environ, state_dir=self._state_dir, manifest=self._manifest
        )
        env["PWD"] = cwd = working_directory(order.schedule, self._environ)
        with self._inside(cwd):
            path, argv = words(order, env)
        out = self._open_log(order.attempt)
        if not order.attempt.survive:
            return Ready(path, argv, env, cwd, (self._null, out, out), (out,))
        try:
            record = self._claim(order.attempt.key)
        except BaseException:
            os.close(out)
            raise
        supervisor = ["sh", "-c", *_supervised(order.schedule, path, argv)]
        return Ready(SHELL, supervisor, env, cwd, (record, out, self._null), (record, out))

    def _spawn(self, ready: Ready) -> int:
        with self._inside(ready.cwd):
            try:
                return spawn(ready.path, ready.argv, ready.env, ready.standard)
            except OSError as error:
                what = f"cannot execute {ready.path!r}"
                raise start_error(what, error) from error

    @contextlib.contextmanager
    def _inside(self, cwd: str) -> Iterator[None]:
        """Be in a command's directory: posix_spawn starts a program where its parent is.

        Nobody else in this process minds: all paths of the scheduler are absolute.
        """
        try:
            os.chdir(cwd)
        except OSError as error:
            what = f"cannot enter the directory {cwd!r}"
            raise start_error(what, error) from error
        try:
            yield
        finally:
            os.fchdir(self._here)

    def _open_log(self, attempt: Attempt) -> int:
        name = attempt.log or logs.log_name("", attempt.run, attempt.attempt)
        try:
            return logs.open_log(self._state_dir, name)
        except OSError as error:
            what = f"cannot open the log {f'{self._state_dir}/{name}'!r}"
            raise start_error(what, error) from error

    def _claim(self, key: AttemptKey) -> int:
        """Give a record to an attempt, once; raise Taken if it was started already."""
        try:
            return self._records.claim(key)
        except OSError as error:
            what = "cannot make a record of the attempt"
            raise start_error(what, error) from error

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
            if (ready := self._ready.pop(key, None)) is not None:
                ready.close()
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


def _supervised(schedule: Schedule, path: str, argv: list[str]) -> list[str]:
    """Return what a supervisor is told: its script, its name, and what to execute."""
    is_text = schedule.command is not None and schedule.command.text is not None
    if is_text and argv[:-1] == [SHELL, "-c"] and reads_alike(argv[-1]):
        return [READING_SUPERVISOR, SHELL, argv[-1]]
    # It looks names up as we did, but might carry some of them out itself.
    return [SUPERVISOR, "sh", path if is_built_in(argv[0]) else argv[0], *argv[1:]]


def _begun(pid: int, tick: int) -> int | None:
    """Return when a process began that was started at ``tick`` or after it, and before now."""
    if tick == linux.ticks():
        return tick  # looking at it would cost more than all the rest of its start
    with contextlib.suppress(OSError):
        return linux.process_start(pid)
    return None
