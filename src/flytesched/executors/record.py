"""The record file of an attempt: how a command's supervisor tells what became of it.

The file is locked (flock(2)) before the supervisor starts, and the lock lives in the open file
that the supervisor, and nothing else, inherits. So the lock is held exactly as long as it lives,
and no pid can be taken for another's. It writes ``S <pid>`` before the command and ``E <code>``
after it:

=========  ===========  ==================================================================
lock       content      meaning
=========  ===========  ==================================================================
held       nothing      about to start
held       S            the command runs
free       nothing      never started
free       S            the supervisor died; nobody knows the exit code
any        S and E      the command ended
=========  ===========  ==================================================================
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

#: Bytes reserved, so that a full disk cannot keep the end of a command from being written.
_SIZE = 64
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class Taken(Exception):  # noqa: N818  a normal branch
    """Somebody has started this attempt already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record file says."""

    #: Whether its supervisor lives.
    held: bool
    #: Process id of the supervisor, once it has begun.
    pid: int | None = None
    #: Exit code of the command, once it has ended.
    code: int | None = None
    #: Moment of the last word.
    written: float = 0.0


def claim(path: str) -> int:
    """Make and lock the record of an attempt that is about to start; return its descriptor.

    A record that was left unused is taken over.

    Raises:
        Taken: the attempt was started before.
        OSError: the record cannot be made.
    """
    try:
        fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        make_folder(Path(path).parent)
        fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if not _lock(fd, fcntl.LOCK_EX) or _words(fd):
            raise Taken
        os.posix_fallocate(fd, 0, _SIZE)
    except BaseException:
        os.close(fd)
        raise
    return fd


def look(path: str) -> Record | None:
    """Read a record; None if there is none.

    Raises:
        OSError: it cannot be read now, which does not mean that it is missing.
    """
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    try:
        # In this order: a supervisor that ends in between is seen as held, with its last word.
        held = not _lock(fd, fcntl.LOCK_SH)
        said = dict(word for line in _words(fd) if len(word := line.split()) == 2)
        return Record(
            held=held, pid=_number(said.get(b"S")), code=_number(said.get(b"E")),
            written=os.fstat(fd).st_mtime,
        )  # fmt: skip
    finally:
        os.close(fd)


def drop(path: str) -> None:
    """Remove a record that nobody needs; it is no error if it is gone or cannot be removed."""
    try:
        os.unlink(path)  # noqa: PTH108  at each end
    except OSError:
        return


def sweep(folder: Path, wanted: set[str]) -> int:
    """Remove the records of a folder that are neither wanted nor held; return how many."""
    if not folder.exists():
        return 0
    swept = 0
    for path in map(str, folder.iterdir()):
        if path not in wanted and (found := look(path)) is not None and not found.held:
            drop(path)
            swept += 1
    return swept


def make_folder(path: Path) -> None:
    """Make a folder for our eyes only, whatever the umask."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _words(fd: int) -> list[bytes]:
    """Return the lines that were written to the end; what follows is reserved space."""
    return os.pread(fd, _SIZE, 0).split(b"\n")[:-1]


def _number(word: bytes | None) -> int | None:
    return int(word) if word is not None and word.isdigit() else None
