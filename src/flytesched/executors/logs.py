"""Log files: one per attempt, written by the command itself, bounded while it writes.

A log that grows beyond its bound keeps its head and its tail. The middle becomes a hole: the disk
space is given back, nothing moves, and the command goes on writing. The hole itself tells how
much was left out, to the byte, because commands append and so make no holes of their own.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched import linux

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

#: Folder below the state directory.
FOLDER = "logs"
#: Most bytes a reader returns at once.
_CHUNK = 2**18
#: How far back the last lines are looked for.
_TAIL = 2**20


def log_name(schedule: str, run: str, attempt: int) -> str:
    """Return the path of an attempt's log, relative to the state directory."""
    return f"{FOLDER}/{schedule}/{run}.{attempt}.log"


def open_log(state_dir: str, name: str) -> int:
    """Open a log for appending, its folder made if need be; return the descriptor.

    Args:
        name: what ``log_name`` returns. No symbolic link on the way is followed.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        return linux.open_below(state_dir, name, flags)
    except FileNotFoundError:
        linux.make_folder(f"{state_dir}/{FOLDER}")
        linux.make_folder(f"{state_dir}/{name.rpartition('/')[0]}")
        return linux.open_below(state_dir, name, flags)


@dataclass(frozen=True, slots=True)
class Made:
    """Which file a log is that this process has made."""

    device: int
    inode: int

    @classmethod
    def of(cls, fd: int) -> Made:
        """Tell it from a descriptor."""
        facts = os.fstat(fd)
        return cls(facts.st_dev, facts.st_ino)


def reopen_log(state_dir: str, name: str, made: Made) -> int:
    """Open a log again that was made before, the quick way; -1 if another file is there now."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(f"{state_dir}/{name}", flags)
    except OSError:
        return -1
    if Made.of(fd) != made:
        os.close(fd)
        return -1
    os.set_blocking(fd, True)
    return fd


def trim(state_dir: str, name: str, limit: int) -> bool:
    """Make a hole in a log that takes more than ``limit`` bytes of disk; a command may write on.

    See ``linux.keep_ends`` for what is kept.

    Returns:
        Whether something was left out now.

    Raises:
        OSError: the log cannot be opened or changed.
    """
    try:
        if os.lstat(f"{state_dir}/{name}").st_size <= limit:  # the quick way, at each end
            return False
        fd = linux.open_below(state_dir, name, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        return linux.keep_ends(fd, limit)
    finally:
        os.close(fd)


class LogReader:
    """Reads a log from its beginning, and on as it grows."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a log.

        Raises:
            OSError: there is none.
        """
        folder, name = os.path.split(os.fspath(path))
        self._fd = linux.open_below(folder or ".", name, os.O_RDONLY)
        self._at = 0

    def read(self) -> bytes:
        """Return what follows, at most 256 KiB; empty at the end, for now.

        What was left out is shown as a line of its own: ``[... 123 bytes left out ...]``.
        """
        size = os.fstat(self._fd).st_size
        if self._at >= size:
            return b""
        data = self._seek(os.SEEK_DATA, size)
        if data > self._at:
            left_out, self._at = data - self._at, data
            return b"\n[... %d bytes left out ...]\n" % left_out
        hole = self._seek(os.SEEK_HOLE, size)
        found = os.pread(self._fd, min(hole - self._at, _CHUNK), self._at)
        self._at += len(found)
        return found

    def tail(self, lines: int) -> None:
        """Go to where the last ``lines`` lines begin, 1 MiB before the end at the earliest."""
        size = os.fstat(self._fd).st_size
        begin = max(size - _TAIL, 0)
        window = os.pread(self._fd, size - begin, begin)
        if window and os.lseek(self._fd, begin, os.SEEK_HOLE) < size:
            window = window[window.rfind(b"\0") + 1 :]
        cut = len(window) - window.endswith(b"\n")
        while lines > 0 and cut >= 0:
            cut, lines = window.rfind(b"\n", 0, cut), lines - 1
        self._at = size - len(window) + cut + 1

    def _seek(self, whence: int, size: int) -> int:
        try:
            return os.lseek(self._fd, self._at, whence)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return size
            raise

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._fd)

    def __enter__(self) -> LogReader:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of the descriptor."""
        self.close()


def old_logs(folder: str, before: float) -> Iterator[str | None]:
    """Walk all logs below ``folder``, yielding for each its path if it is older, else None.

    A generator, so that the caller can look at a million logs a few at a time.

    Args:
        before: epoch seconds; a log last written before this moment is old.
    """
    for sub in _folders(folder):
        with os.scandir(sub) as entries:
            for entry in entries:
                old = entry.is_file(follow_symlinks=False) and _written(entry) < before
                yield entry.path if old else None


def _folders(folder: str) -> list[str]:
    if os.path.islink(folder):  # noqa: PTH114  what it leads to is not ours to prune
        return []
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _written(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")
