"""Hooks that are commands: run after a verdict is durable, at most once, thirty seconds long.

A hook never changes a run. It is started and looked after without the loop waiting for it.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.instants import rfc3339
from flytesched.core.telling.messages import mark
from flytesched.errors import FlyteschedError, StartDelayed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flytesched.core.keys import Command
    from flytesched.core.protocols import Journal, Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Event, Notice

#: Seconds a hook may take before TERM, and from TERM to KILL.
TIMEOUT = 30.0
KILL_AFTER = 5.0
#: Bytes of a schedule's hook log, of which head and tail are kept while a hook writes. A longer one
#: becomes ``hooks.log.1`` when the next hook starts.
LOG_LIMIT = 2**20
#: Seconds between looks at what running hooks write.
LOOK_EVERY = 5.0
#: Hooks running at once; further ones wait their turn.
AT_ONCE = 8
#: Seconds until a hook that could not be started is tried again, and how often.
TRY_AGAIN, TRIES = 1.0, 30
#: What a start fails with for now: no process, memory, descriptor or disk space.
_PASSING = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT}
)


@dataclass(slots=True)
class _Job:
    told: Told
    command: Command
    tries: int = 0


@dataclass(slots=True)
class _Live:
    job: _Job
    process: subprocess.Popen[bytes]
    fd: int
    #: Its log, wherever a hook that began later has moved it.
    log: int
    end_at: float
    ending: bool = False


class CommandHook:
    """Implements ``core.protocols.Hook`` with the schedule's own commands."""

    def __init__(
        self,
        state_dir: Path,
        journal: Journal,
        *,
        environment: Callable[[Schedule], Mapping[str, str]],
        clock_now: Callable[[], float],
    ) -> None:
        """Begin with nothing to tell.

        Args:
            state_dir: output goes to ``logs/<schedule>/hooks.log`` in it.
            journal: told of hooks that fail.
            environment: returns what everything a schedule starts sees.
            clock_now: returns the wall clock in epoch seconds.
        """
        self._state_dir, self._journal = state_dir, journal
        self._environment, self._now = environment, clock_now
        self._epoll = select.epoll()
        self._waiting: deque[_Job] = deque()
        self._live: dict[int, _Live] = {}
        self._again_at: float | None = None

    def fileno(self) -> int:
        """Return a descriptor that is readable when a hook has ended."""
        return self._epoll.fileno()

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether a schedule has a hook for an event."""
        return _command(schedule, event) is not None

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return what keeps a hook from being told again, where a verdict does not."""
        return mark(told, now)

    def tell(self, told: Told) -> None:
        """Start the hook of an event, if the schedule has one; never waits, never raises."""
        if (command := _command(told.schedule, told.event)) is not None:
            self._waiting.append(_Job(told, command))
            self._start_waiting()

    def reap(self, now: float) -> float | None:
        """Take the ends of hooks and end those that take too long; return when to call again."""
        for fd, _ in self._epoll.poll(0):
            self._ended(self._live.pop(fd))
        for live in self._live.values():
            # A clock that was set back must not give a hook more time.
            live.end_at = min(live.end_at, now + TIMEOUT)
            if live.end_at <= now:
                _signal(live, signal.SIGKILL if live.ending else signal.SIGTERM)
                live.ending, live.end_at = True, now + KILL_AFTER
        if self._again_at is not None and now < self._again_at:
            self._again_at = min(self._again_at, now + TRY_AGAIN)
        else:
            self._again_at = None
            self._start_waiting()
        moments = [live.end_at for live in self._live.values()]
        if self._again_at is not None:
            moments.append(self._again_at)
        return min(moments, default=None)

    def bound_logs(self) -> float | None:
        """Keep within bounds what running hooks write; return in how many seconds to do it again.

        None while no hook runs.
        """
        for live in self._live.values():
            _bound(live)
        return LOOK_EVERY if self._live else None

    def close(self) -> None:
        """Let go of descriptors; hooks that run go on."""
        for job in self._waiting:
            self._complain(job, "not run: the scheduler stopped")
        self._waiting.clear()
        for live in self._live.values():
            os.close(live.fd)
            os.close(live.log)
            live.process.returncode = 0  # nobody waits for it any more
        self._live.clear()
        self._epoll.close()

    @property
    def busy(self) -> bool:
        """Whether hooks run or wait."""
        return bool(self._live or self._waiting)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._live) < AT_ONCE and self._again_at is None:
            job = self._waiting.popleft()
            try:
                self._start(job)
            except (FlyteschedError, OSError, ValueError, MemoryError) as error:
                if _passes(error):
                    self._later(job, error)
                else:
                    self._complain(job, str(error))

    def _start(self, job: _Job) -> None:
        schedule = job.told.schedule
        environment = {**self._environment(schedule), **_facts(job.told)}
        command = job.command
        argv = list(command.argv) if command.text is None else [schedule.shell, "-c", command.text]
        log = self._log(schedule.name)
        try:
            process = subprocess.Popen(
                argv, env=environment, cwd=_directory(schedule.cwd),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            fd = self._watched(process)
        except BaseException:
            os.close(log)
            raise
        self._live[fd] = _Live(job, process, fd, log, self._now() + TIMEOUT)

    def _watched(self, process: subprocess.Popen[bytes]) -> int:
        """Return a descriptor that tells of a hook's end.

        Raises:
            FlyteschedError: there is none. The hook was ended, and as it has begun, it is not
                tried again.
        """
        fd = -1
        try:
            fd = os.pidfd_open(process.pid)
            self._epoll.register(fd, select.EPOLLIN)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            msg = f"ended, since its end could not be waited for: {error.strerror}"
            raise FlyteschedError(msg) from error
        return fd

    def _log(self, name: str) -> int:
        """Open the log of a schedule's hooks; one that is long enough makes room for a new one.

        Raises:
            OSError: it cannot be made, or something else stands there, a symbolic link say.
        """
        path = _log_name(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        state_dir = str(self._state_dir)
        try:
            fd = linux.open_below(state_dir, path, flags)
        except FileNotFoundError:
            linux.make_folder(f"{state_dir}/logs")
            linux.make_folder(f"{state_dir}/logs/{name}")
            fd = linux.open_below(state_dir, path, flags)
        if os.fstat(fd).st_size <= LOG_LIMIT:
            return fd
        os.close(fd)
        os.rename(f"{state_dir}/{path}", f"{state_dir}/{path}.1")  # noqa: PTH104  paths are text here
        return linux.open_below(state_dir, path, flags)

    def _ended(self, live: _Live) -> None:
        self._epoll.unregister(live.fd)
        os.close(live.fd)
        _bound(live)
        os.close(live.log)
        if live.ending:
            # Whatever of its group ignored TERM goes now, while the pid is not yet given away.
            _signal(live, signal.SIGKILL)
        code = live.process.wait()
        if live.ending:
            self._complain(live.job, "took over 30 seconds and was ended")
        elif code != 0:
            self._complain(live.job, f"exit {code if code > 0 else 128 - code}")

    def _later(self, job: _Job, error: Exception) -> None:
        job.tries += 1
        if job.tries >= TRIES:
            self._complain(job, str(error))
            return
        self._waiting.appendleft(job)
        self._again_at = self._now() + TRY_AGAIN

    def _complain(self, job: _Job, why: str) -> None:
        told = job.told
        self._journal.say(
            "warning", "hook failed", schedule=told.schedule.name, hook=f"on_{told.event.value}",
            run=None if told.run is None else told.run.id, why=why,
        )  # fmt: skip


def _command(schedule: Schedule, event: Event) -> Command | None:
    command: Command | None = getattr(schedule, f"on_{event.value}", None)
    return command


def _log_name(schedule: str) -> str:
    return f"logs/{schedule}/hooks.log"


def _bound(live: _Live) -> None:
    """Keep what a running hook writes within bounds: head and tail of it."""
    with suppress(OSError):  # a log too long is no reason to lose an end
        linux.keep_ends(live.log, LOG_LIMIT)


def _signal(live: _Live, number: int) -> None:
    try:
        os.killpg(live.process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, or runs as somebody else by now


def _directory(cwd: str | None) -> str:
    """Return where a hook runs: where the schedule's commands do, a relative one below home."""
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home() raises where there is none
    home = home if home.startswith("/") else "/"
    wanted = os.path.join(home, os.path.expanduser(cwd)) if cwd else home  # noqa: PTH111, PTH118
    # A directory that is gone may be the very news: somebody has to be told from somewhere.
    return next((place for place in (wanted, home) if os.path.isdir(place)), "/")  # noqa: PTH112


def _passes(error: Exception) -> bool:
    """Tell whether trying again may work."""
    passing = isinstance(error, OSError) and error.errno in _PASSING
    return passing or isinstance(error, StartDelayed | MemoryError)


def _facts(told: Told) -> dict[str, str]:
    """Return what a hook is told in its environment."""
    facts = {"EVENT": told.event.value, "SCHEDULE": told.schedule.name}
    if (run := told.run) is not None:
        facts |= {"RUN_ID": run.id, "STATUS": run.status.value, "REASON": run.reason or ""}
        facts["EXIT_CODE"] = "" if run.exit_code is None else str(run.exit_code)
        facts["SCHEDULED_AT"] = "" if run.scheduled_at is None else rfc3339(run.scheduled_at)
        facts["ATTEMPT"] = str(run.attempt)
        facts["ORIGIN"] = run.origin.value
    if (gap := told.gap) is not None:
        facts |= {"MISSED_COUNT": str(gap.count), "REASON": gap.reason}
        facts |= {"MISSED_AFTER": rfc3339(gap.after), "MISSED_UNTIL": rfc3339(gap.until)}
    return {f"FLYTESCHED_{name}": value for name, value in facts.items()}
