"""The processes of an attempt: those of its session, and those that left it."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass

from flytesched import linux
from flytesched.executors.spawn import SUPERVISORS

#: How the command line of a supervisor begins.
_SUPERVISORS = tuple(f"sh\0-c\0{script}\0".encode() for script in SUPERVISORS)
#: Their longest beginning.
_LONGEST = max(map(len, _SUPERVISORS))
#: TERM among the signals that a process has handlers for, in /proc.
_TERM = 1 << (signal.SIGTERM - 1)


@dataclass(frozen=True, slots=True)
class Process:
    """One living process, named for ever by pid and start."""

    #: Its id.
    pid: int
    #: When it began, in clock ticks since boot.
    start: int
    #: Whether a signal has stopped it.
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """What the environment of every process of an attempt holds."""

    #: Id of the run.
    run: str
    #: Number of the attempt.
    attempt: int
    #: The scheduler's state directory, absolute.
    state_dir: str

    def stand_in(self, environ: bytes) -> bool:
        """Tell whether they stand in an environment, framed in NULs."""
        said = {
            "FLYTESCHED_RUN_ID": self.run,
            "FLYTESCHED_ATTEMPT": self.attempt,
            "FLYTESCHED_STATE_DIR": self.state_dir,
        }
        lines = (os.fsencode(f"{name}={value}") for name, value in said.items())
        return all(b"\0" + line + b"\0" in environ for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """How the processes of one attempt are known."""

    #: The session's leader: the supervisor, or the command without one; None if not known.
    leader: int | None
    #: The variables that tell an attempt.
    marks: Marks

    def processes(self, *, leader_lives: bool) -> list[Process]:
        """Find all living processes of the attempt, its leader included.

        While the leader lives its session is told by its id. After that the id alone proves
        nothing, because a new process may have it, so the environment has to agree, as it has
        to for those that left the session.

        Raises:
            OSError: processes cannot be looked at now.
        """
        own = os.getpid()
        entries = os.listdir("/proc")  # noqa: PTH208  names only
        pids = [int(entry) for entry in entries if entry.isdigit()]
        found: list[Process] = []
        blank: list[int] = []
        for pid in pids:
            if pid not in {1, own}:
                self._look(pid, found, blank, leader_lives=leader_lives)
        # Amid an exec, too, a process has no environment; by now it has one, if it goes on.
        for pid in blank:
            self._look(pid, found, [], leader_lives=leader_lives)
        return found

    def _look(
        self, pid: int, found: list[Process], blank: list[int], *, leader_lives: bool
    ) -> None:
        """Add a process to ``found`` if it belongs here, or to ``blank`` if that cannot be seen."""
        facts = linux.process_facts(pid)
        # Threads of the kernel have no session.
        if facts is None or facts[2] in "ZX" or not facts[0]:
            return
        if not (leader_lives and facts[0] == self.leader):
            environ = _environ(pid)
            if environ == b"\0":
                blank.append(pid)
            if not self.marks.stand_in(environ):
                return
        found.append(Process(pid, facts[1], facts[2] == "T"))


def send(process: Process, number: signal.Signals) -> bool:
    """Send a signal to exactly that process; False if it is gone or is not ours to signal.

    A process that was stopped goes on, since it would take nothing but KILL.

    Raises:
        OSError: no descriptor is left.
    """
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor holds on to whoever has the pid now: see that it is who was meant.
        if linux.process_start(process.pid) != process.start:
            return False
        signal.pidfd_send_signal(fd, number)
        if process.stopped:
            signal.pidfd_send_signal(fd, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(fd)
    return True


def ours(process: Process) -> bool:
    """Tell whether we may signal a process: one of another user would never be ended by us."""
    try:
        os.kill(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_copy(pid: int) -> bool:
    """Tell whether a process is a supervisor's copy that is about to become the command.

    It must not be told to end yet: up to the exec, or until it has put its handlers away to read
    the command itself, it takes a signal for one of the supervisor's, and the signal is lost.
    """
    return _catches_term(pid) and _read(f"/proc/{pid}/cmdline", _LONGEST).startswith(_SUPERVISORS)


def _catches_term(pid: int) -> bool:
    status = _read(f"/proc/{pid}/status", 4096)
    _, found, rest = status.partition(b"\nSigCgt:")
    return bool(found) and bool(int(rest.split(None, 1)[0], 16) & _TERM)


def _read(path: str, most: int) -> bytes:
    """Return the beginning of a file of a process; empty if it is gone, or is not ours to see.

    Raises:
        OSError: it cannot be read now (no descriptors).
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
    try:
        return os.read(fd, most)
    except ProcessLookupError:
        return b""
    finally:
        os.close(fd)


def _environ(pid: int) -> bytes:
    """Return the environment a process began with, framed in NULs; empty if it is secret."""
    try:
        fd = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
    chunks = [b"\0"]
    with contextlib.suppress(ProcessLookupError, PermissionError), os.fdopen(fd, "rb", 0) as file:
        while chunk := file.read(65536):
            chunks.append(chunk)
    return b"".join(chunks)
