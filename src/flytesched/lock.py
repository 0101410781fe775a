"""The scheduler's lock: whoever holds it is the only one that starts, signals and collects.

Beside the lock file stands who holds it. ``flytesched run`` asks a command that holds the lock to
let go of it by a file of its own; a command that is asked does so within a second.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from flytesched import linux
from flytesched.errors import FlyteschedError, SchedulerRunning, StateDirBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

#: A scheduler, or a command that does just its own work.
Kind = Literal["run", "command"]
#: Seconds that a lock held for a moment only, by a process that looks, is waited for.
_GLANCE = 0.25
#: Seconds that ``run`` waits for a command to hand the lock over, and between looks whether
#: another ``run`` got it instead.
_HAND_OVER, _TURN = 5.0, 0.5
#: Characters of a note beside the lock; a real one has about 150.
_NOTE = 4096
#: Seconds between two tries.
_POLL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock."""

    #: Process id; 0 while it is not written down yet.
    pid: int
    #: Its start time in clock ticks since boot.
    started: int | None
    #: Boot of the machine.
    boot_id: str
    #: ``run``, ``command``, or ``unknown`` while it is not written down yet.
    kind: str
    #: Moment it took the lock, in epoch seconds.
    since: float = 0.0
    #: Moment its loop last turned, in epoch seconds.
    heartbeat: float = 0.0

    def lives(self) -> bool:
        """Tell whether that process is still there; one that only waits to be reaped is not."""
        if self.boot_id != linux.boot_id() or self.pid <= 0:
            return False
        facts = linux.process_facts(self.pid)
        return facts is not None and facts[1] == self.started and facts[2] not in "ZX"


class SchedulerLock:
    """The lock of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        """Name the directory; nothing is touched yet."""
        #: The file that is locked.
        self.path = self._file = state_dir / "scheduler.lock"
        self._beside = state_dir / "scheduler.json"
        self._want = state_dir / "scheduler.want"
        self._wake = state_dir / "wake"
        self._lock: BaseFileLock | None = None
        self._pulse: int | None = None

    def acquire(self, kind: Kind) -> None:
        """Take the lock; a ``run`` asks a command that holds it to let go.

        A command stands back while a ``run`` asks. Otherwise one that has just let go, and goes on
        to look whether anybody is there, would take it again before the ``run`` can.

        Raises:
            SchedulerRunning: another scheduler holds it, or a command that does not let go.
            FlyteschedError: the lock file cannot be used.
        """
        if kind == "command" and self.wanted():
            raise _running(self.holder())
        if not self._try(_GLANCE) and not (kind == "run" and self._handed_over()):
            raise _running(self.holder())
        self._refuse_robbed()
        # The lock itself counts; what stands beside it is for people, and a full disk must not
        # keep a scheduler from starting.
        with suppress(OSError):
            _write(self._beside, kind)
            flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._pulse = os.open(self._beside, flags)

    def _refuse_robbed(self) -> None:
        """Give way to a holder whose lock file somebody removed: it still starts commands.

        It is woken, and leaves when it sees that; else it would only at the next slot.

        Raises:
            SchedulerRunning: it lives.
        """
        other = _read(self._beside)
        if other is None or other.pid == os.getpid() or not other.lives():
            return
        self.release()
        self._nudge()
        raise _running(other)

    @contextmanager
    def borrowed(self) -> Iterator[bool]:
        """Hold the lock for a command's own work; False, and not held, where somebody has it."""
        try:
            self.acquire("command")
        except SchedulerRunning:
            yield False
            return
        try:
            yield True
        finally:
            self.release()

    def release(self) -> None:
        """Let go of the lock; does nothing when it is not held."""
        if self._lock is None:
            return
        note = _read(self._beside)
        if note is None or note.pid == os.getpid():  # whoever took a new lock file keeps its note
            with suppress(OSError):
                self._beside.unlink()
        if self._pulse is not None:
            os.close(self._pulse)
            self._pulse = None
        self._lock.release()
        self._lock = None

    def beat(self) -> None:
        """Renew the heartbeat; never fails, and does nothing when the lock is not held.

        A byte is written over itself: that raises no event (utime(2) does) that would wake a loop
        which watches this very directory for its manifest, and so would beat for ever.
        """
        if self._pulse is not None:
            with suppress(OSError):
                os.pwrite(self._pulse, b"{", 0)

    def wanted(self) -> bool:
        """Tell whether a scheduler asks for the lock."""
        asker = _read(self._want)
        return asker is not None and asker.lives()

    def holder(self) -> Holder | None:
        """Return who holds the lock now; None if nobody does."""
        if not self._held():
            return None
        holder = _read(self._beside)
        if holder is not None and holder.lives():
            return holder
        return Holder(pid=0, started=None, boot_id="", kind="unknown")

    def _held(self) -> bool:
        """Tell whether the lock is held, by trying a shared one for a moment."""
        try:
            # Without O_NONBLOCK the open of a FIFO would wait for a writer.
            fd = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self._file, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            raise _unusable(self._file, error) from error
        finally:
            os.close(fd)
        return False

    def _try(self, patience: float) -> bool:
        from filelock import FileLock, Timeout

        # Without flock(2) there is no promise: the soft fallback stays off.
        lock = FileLock(
            self._file, mode=0o600, thread_local=False, poll_interval=_POLL, fallback_to_soft=False
        )
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise _unusable(self._file, error) from error
        self._lock = lock
        return True

    def _handed_over(self) -> bool:
        """Ask whoever holds the lock for it; another ``run`` is not asked."""
        for _ in range(max(1, round(_HAND_OVER / _TURN))):
            holder = self.holder()
            if holder is not None and holder.kind == "run":
                return False
            with self._asking():
                if self._try(_TURN):
                    return True
        return False

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask for the lock, and take the question back at the end."""
        try:
            _write(self._want, "run")
        except OSError as error:
            raise _unusable(self._want, error) from error
        self._nudge()
        try:
            yield
        finally:
            with suppress(OSError):
                self._want.unlink()

    def _nudge(self) -> None:
        """Let whoever holds the lock, or believes so, look around."""
        with suppress(OSError):
            os.utime(self._wake, follow_symlinks=False)


def _write(path: Path, kind: Kind) -> None:
    """Write down who this process is, all at once.

    Raises:
        OSError: there is no room, or no permission.
    """
    pid = os.getpid()
    new = path.with_name(f".{path.name}.{pid}")
    new.unlink(missing_ok=True)  # left by a process of this number, or planted
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "w", encoding="ascii") as file:
            os.fchmod(fd, 0o600)
            me = Holder(
                pid=pid, started=linux.process_start(pid), boot_id=linux.boot_id(), kind=kind,
                since=os.fstat(fd).st_mtime,
            )  # fmt: skip
            json.dump(asdict(me), file)
        new.rename(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _read(path: Path) -> Holder | None:
    """Return what a holder or asker wrote down; None if there is nothing to be read."""
    try:
        # Without O_NONBLOCK the open of a FIFO would wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, encoding="ascii") as file:
            heartbeat = os.fstat(fd).st_mtime
            holder = Holder(**{**json.loads(file.read(_NOTE)), "heartbeat": heartbeat})
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return holder if _sound(holder) else None


def _sound(holder: Holder) -> bool:
    """Tell whether a note can have been written by this program."""
    return (
        type(holder.pid) is int
        and type(holder.started) is int  # without it, nobody's pid would do
        and isinstance(holder.boot_id, str)
        and holder.kind in ("run", "command")
        and type(holder.since) in {int, float}
        and math.isfinite(holder.since)
    )


def _running(holder: Holder | None) -> SchedulerRunning:
    if holder is None or not holder.pid:
        msg = "another process holds the scheduler's lock"
    else:
        who = "scheduler" if holder.kind == "run" else "command"
        msg = f"another {who} holds the lock: pid {holder.pid}"
    return SchedulerRunning(msg, hint="one scheduler runs per state directory; see: status")


def _unusable(path: Path, error: Exception) -> FlyteschedError:
    if not isinstance(error, OSError):
        return FlyteschedError(f"cannot use {path}: {error}")
    kind = StateDirBusy if error.errno in linux.PASSING else FlyteschedError
    return kind(f"cannot use {path}: {error.strerror}")
