"""Local processes: starts commands that outlive the scheduler, finds them again, ends them.

With ``survive`` the direct child is a shell of a few lines, the supervisor: it runs the command
and writes down how it ended, whether or not a scheduler is there to see it. Without, the command
itself is the child. Either way it leads a session of its own.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import Attempt, AttemptKey, End, Outcome, Reason
from flytesched.errors import StartDelayed
from flytesched.executors import logs, record
from flytesched.executors.delays import start_error
from flytesched.executors.environment import command_environment, inherited, working_directory
from flytesched.executors.session import Session, marks, ours, send
from flytesched.executors.words import SHELL, is_built_in, words

if TYPE_CHECKING:
    import select
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule
    from flytesched.executors.session import Process

#: The supervisor. It has the record as its input, the log as its output, and /dev/null for both
#: directions as its errors. Signals to the session find a handler that does nothing, because
#: what is ignored would be ignored by the command too, whereas handlers do not outlast an exec.
#: The command gets no descriptor of the record, so what it leaves behind holds no lock.
_SUPERVISOR = """\
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM XCPU VTALRM PROF
echo "S $$" >&0 || exit
"$@" <&2 2>&1
e=$?
echo "E $e" >&0
exit $e
"""

#: Signals a command finds at their defaults, whatever the scheduler does with them.
_DEFAULTS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
#: Seconds until something that failed for now is tried again.
_TRY_AGAIN = 1.0
#: Rounds of KILL against processes that fork while they are being killed.
_ROUNDS = 8
#: Logs looked at in one step of pruning.
_PRUNE_STEP = 2000


@dataclass(slots=True, kw_only=True, eq=False)
class _Live:
    """One attempt that is followed."""

    key: AttemptKey
    #: The supervisor, or the command without one; None when only its descendants were found.
    pid: int | None
    #: Whether it has a supervisor.
    survive: bool
    session: Session
    log: str
    #: Earliest moment its end can have.
    ordered: float
    #: Whether its leader lives, as far as is known.
    leads: bool = True
    #: Whether it was told to end: then it has ended when no process of it is left.
    ending: bool = False
    #: How its leader ended.
    outcome: Outcome | None = None
    #: When what is left of it is killed.
    kill_at: float | None = None
    #: Descriptor that tells of the next end; None while none could be had.
    fd: int | None = None


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
        """Begin with nothing followed, and nothing made on disk.

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
        import select

        self.boot_id = linux.boot_id()
        self._state_dir = os.path.abspath(state_dir)
        self._manifest = os.path.abspath(manifest_path)
        self._environ = inherited(environ)
        self._log_limit, self._now, self._survive_always = log_limit, clock_now, survive_always
        self._null = _null_beyond_standard()
        _keep_descriptors()
        _keep_children()
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._timer: linux.Timer | None = None
        self._alarm: float | None = None
        self._lives: dict[AttemptKey, _Live] = {}
        self._by_fd: dict[int, _Live] = {}
        #: Attempts to look at in any case: nothing tells of their next step.
        self._unsettled: list[_Live] = []
        #: Records to remove, by attempt.
        self._pruning: Iterator[str | None] | None = None

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``collect`` may have something to report."""
        return self._epoll.fileno()

    def close(self) -> None:
        """Let go of all descriptors; what runs is left alone."""
        for live in self._lives.values():
            self._unwatch(live)
        self._lives.clear()
        if self._timer is not None:
            self._timer.close()
        self._epoll.close()
        for fd in (self._bell, self._here, self._null):
            os.close(fd)

    # -- starting ---------------------------------------------------------------------------

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:
        """Return the attempt that ``start`` shall carry out; nothing happens yet."""
        return Attempt(
            run=run.id, attempt=attempt, boot_id=self.boot_id, ordered=now,
            survive=schedule.survive or self._survive_always,
            log=logs.log_name(schedule.name, run.id, attempt),
        )  # fmt: skip

    def start(self, order: Order) -> Started:
        """Start an attempt; one that was started before is followed instead.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now; nothing was started.
        """
        attempt, schedule = order.attempt, order.schedule
        if (live := self._lives.get(attempt.key)) is not None:
            return Started(pid=live.pid)
        env = command_environment(
            order, self._environ, state_dir=self._state_dir, manifest=self._manifest
        )
        # Neither posix_spawn nor a shell can be told the directory without a process more, or
        # other words in the environment. All paths of the program are absolute, so nobody minds.
        env["PWD"] = cwd = working_directory(schedule, self._environ)
        try:
            os.chdir(cwd)
        except OSError as error:
            what = f"cannot enter the directory {cwd!r}"
            raise start_error(what, error) from error
        try:
            path, argv = words(order, env)
            return self._start(attempt, path, argv, env)
        finally:
            os.fchdir(self._here)

    def _start(self, attempt: Attempt, path: str, argv: list[str], env: dict[str, str]) -> Started:
        log = self._log(attempt)
        try:
            out = logs.open_log(log)
        except OSError as error:
            what = f"cannot open the log {log!r}"
            raise start_error(what, error) from error
        try:
            if not attempt.survive:
                pid = _spawn(path, argv, env, self._null, out, out)
            elif (found := self._supervise(attempt, path, argv, env, out)) is None:
                return self._started_before(attempt)
            else:
                pid = found
        finally:
            os.close(out)
        # Two descriptors were closed just now, so there is one for this.
        live = self._live(attempt, pid)
        self._follow(live)
        return Started(pid=pid, pid_started=None if attempt.survive else linux.process_start(pid))

    def _supervise(
        self, attempt: Attempt, path: str, argv: list[str], env: dict[str, str], out: int
    ) -> int | None:
        """Start a supervisor with a command; None if there is one already."""
        name = self._record(attempt.key)
        try:
            fd = record.claim(name)
        except record.Taken:
            return None
        except OSError as error:
            what = f"cannot make the record {name!r}"
            raise start_error(what, error) from error
        # The supervisor looks names up as we do, but would carry out some of them itself.
        first = path if is_built_in(argv[0]) else argv[0]
        words = ["sh", "-c", _SUPERVISOR, "sh", first, *argv[1:]]
        try:
            return _spawn(SHELL, words, env, fd, out, self._null)
        except BaseException:
            record.drop(name)
            raise
        finally:
            os.close(fd)

    def _started_before(self, attempt: Attempt) -> Started:
        try:
            found = self.adopt(attempt)
        except OSError as error:
            what = f"cannot read the record of {attempt.run}"
            raise StartDelayed(f"{what}: {error.strerror}") from error
        if found is not Adoption.FOLLOWED:
            self._settle(self._live(attempt, None), self._lost(attempt.key, Reason.SUPERVISOR))
        return Started(pid=self._lives[attempt.key].pid)
