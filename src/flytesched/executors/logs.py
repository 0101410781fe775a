"""Log files: one per attempt, written by the command itself, bounded while it writes.

A log that grows beyond its bound keeps its head and its tail. The middle becomes a hole: the disk
space is given back, nothing moves, and the command goes on writing. The hole itself tells how
much was left out, to the byte, because commands append and so make no holes of their own.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.executors.record import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

#: Folder below the state directory.
FOLDER = "logs"
#: Most bytes a reader returns at once.
_CHUNK = 2**18
#: How far back the last lines are looked for.
_TAIL = 2**20
#: Holes are made of whole blocks; in file systems with larger ones, of theirs.
_BLOCK = 4096


def log_name(schedule: str, run: str, attempt: int) -> str:
    """Return the path of an attempt's log, relative to the state directory."""
    return f"{FOLDER}/{schedule}/{run}.{attempt}.log"


def open_log(path: str) -> int:
    """Open a log for appending, its folder made if need be; return the descriptor.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        folder = Path(path).parent
        make_folder(folder.parent)
        make_folder(folder)
        return os.open(path, flags, 0o600)


def trim(path: str, limit: int) -> bool:
    """Make a hole in a log that takes more than ``limit`` bytes of disk; a command may write on.

    At least ``limit // 2`` bytes of head and of tail are kept, and up to a block more of each. A
    limit of 0 is none. A file system without holes keeps the whole log.

    Returns:
        Whether something was left out now.

    Raises:
        OSError: the log cannot be opened or changed.
    """
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return False
    block = max(facts.st_blksize, _BLOCK)
    if limit <= 0 or facts.st_size <= limit or facts.st_blocks * 512 <= limit + 2 * block:
        return False
    start = -(-(limit // 2) // block) * block
    end = (facts.st_size - limit // 2) // block * block
    if end <= start:
        return False
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return linux.punch_hole(fd, start, end - start)
    finally:
        os.close(fd)


class LogReader:
    """Reads a log from its beginning, and on as it grows."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a log.

        Raises:
            OSError: there is none.
        """
        self._fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
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
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _written(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")
