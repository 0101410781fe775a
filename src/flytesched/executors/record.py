"""Records: how a command's supervisor tells, scheduler or not, what became of the command.

A record is a small file that is locked (flock(2)) before the supervisor starts, and the lock lives
in the open file that the supervisor, and nothing else, inherits. So the lock is held exactly as
long as it lives, and no pid can be taken for another's. The scheduler writes the attempt's name
(``A <run>.<attempt>``) before it starts the supervisor, which writes ``S <pid>`` before the command
and ``E <code>`` after it:

=========  ===========  ==================================================================
lock       content      meaning
=========  ===========  ==================================================================
held       A            about to start
held       A S          the command runs
free       A            never started
free       A S          the supervisor died; nobody knows the exit code
any        A S E        the command ended
=========  ===========  ==================================================================

Records are used again and again instead of being made and removed: for half a minute after files
were deleted, ext4 needs up to a millisecond of CPU to make a new one beside them.
"""

from __future__ import annotations

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flytesched.core.runs import AttemptKey

#: Bytes of a record, reserved so that a full disk cannot keep an end from being written. Less
#: than a page, so that a write is done as a whole or not at all, whatever kills the writer.
_SIZE = 512
_EMPTY = bytes(_SIZE)
_NUMBER = re.compile(r"[0-9]{1,18}")
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
#: The largest process id that a kernel can give (proc(5)).
_MAX_PID = 2**22
#: Unused records that outlast a start of the scheduler.
_SPARE = 256


class Taken(Exception):  # noqa: N818  a normal branch
    """Somebody has started this attempt already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record says of an attempt."""

    #: Whether its supervisor lives.
    held: bool
    #: Whether its supervisor has said a word, legible or not.
    begun: bool = False
    #: Process id of the supervisor, once it has begun.
    pid: int | None = None
    #: Exit code of the command, once it has ended.
    code: int | None = None
    #: Moment of the last word.
    written: float = 0.0

    @property
    def unused(self) -> bool:
        """Tell whether no supervisor was ever started."""
        return not self.held and not self.begun


class Records:
    """The records of a state directory, each free or given to an attempt."""

    def __init__(self, folder: str) -> None:
        """Begin without looking; the folder may be missing."""
        self._folder = folder
        self._loaded = False
        #: Paths of given records, by the attempt's name.
        self._given: dict[bytes, str] = {}
        self._free: list[str] = []
        self._next = 0

    def claim(self, key: AttemptKey) -> int:
        """Give a locked record to an attempt that is about to start; return its descriptor.

        Raises:
            Taken: the attempt was started before.
            OSError: there is no record to be had now.
        """
        self._load()
        name = _name(key)
        fd = self._reopen(name) if name in self._given else self._open_free(name)
        try:
            head = b"A %s\n" % name
            os.pwrite(fd, head.ljust(_SIZE, b"\0"), 0)
            # The supervisor shares the position, and goes on from there.
            os.lseek(fd, len(head), os.SEEK_SET)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def look(self, key: AttemptKey) -> Record | None:
        """Read the record of an attempt; None if it has none.

        Raises:
            OSError: it cannot be read now, which does not mean that there is none.
        """
        self._load()
        path = self._given.get(_name(key))
        if path is None:
            return None
        fd = os.open(path, _FLAGS)
        try:
            # In this order: a supervisor that ends in between is seen as held, with its last word.
            held = not _lock(fd, fcntl.LOCK_SH)
            said = _words(fd)
            return Record(
                held=held, begun=_begun(said), pid=_number(said.get(b"S"), 1, _MAX_PID),
                code=_number(said.get(b"E"), 0, 255), written=os.fstat(fd).st_mtime,
            )  # fmt: skip
        finally:
            os.close(fd)

    def written(self, key: AttemptKey) -> float | None:
        """Return the moment of the last word of a record, if that can be told."""
        try:
            return os.stat(self._given[_name(key)]).st_mtime  # noqa: PTH116  at each end
        except (KeyError, OSError):
            return None

    def release(self, keys: Iterable[AttemptKey]) -> None:
        """Let the records of attempts be used again; those without one are no error."""
        for key in keys:
            name = _name(key)
            # One that cannot be emptied stays given, so that no attempt ever has two.
            if (path := self._given.get(name)) is not None and _wipe(path):
                del self._given[name]
                self._free.append(path)

    def sweep(self, keep: Iterable[AttemptKey]) -> None:
        """Release all records that nobody holds but those of ``keep``; remove what is too much.

        A scheduler that dies between making an outcome durable and ``release`` leaves some.

        Raises:
            OSError: the records cannot be read now.
        """
        self._load()
        wanted = {_name(key) for key in keep}
        for name, path in tuple(self._given.items()):
            if name not in wanted and _wipe(path):
                del self._given[name]
                self._free.append(path)
        while len(self._free) > _SPARE:
            Path(self._free.pop()).unlink(missing_ok=True)

    def _load(self) -> None:
        """See, once, which records there are; a failure leaves everything as it was."""
        if self._loaded:
            return
        given: dict[bytes, str] = {}
        free: list[str] = []
        numbers = [-1]
        for path, plain in _entries(self._folder):
            numbers.append(int(path.name))
            if not plain:
                continue  # no scheduler made this; its number is taken all the same
            fd = os.open(path, _FLAGS)
            try:
                name = _words(fd).get(b"A")
            finally:
                os.close(fd)
            if name is None:
                free.append(str(path))
            else:
                given[name] = str(path)
        self._given, self._free, self._next = given, free, max(numbers) + 1
        self._loaded = True

    def _reopen(self, name: bytes) -> int:
        fd = os.open(self._given[name], _FLAGS)
        try:
            if not _lock(fd, fcntl.LOCK_EX) or _begun(_words(fd)):
                raise Taken
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _open_free(self, name: bytes) -> int:
        while self._free:
            path = self._free[-1]
            try:
                fd = os.open(path, _FLAGS)
            except FileNotFoundError:
                self._free.pop()
                continue
            self._free.pop()
            if _lock(fd, fcntl.LOCK_EX):
                self._given[name] = path
                return fd
            os.close(fd)  # whoever holds it is not ours; leave it alone
        self._given[name], fd = self._make()
        return fd

    def _make(self) -> tuple[str, int]:
        """Make a record; return its path and its descriptor, locked."""
        path = f"{self._folder}/{self._next}"
        above, folder = os.path.split(self._folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        try:
            fd = linux.open_below(above, f"{folder}/{self._next}", flags)
        except FileNotFoundError:
            linux.make_folder(self._folder)
            fd = linux.open_below(above, f"{folder}/{self._next}", flags)
        self._next += 1
        try:
            _lock(fd, fcntl.LOCK_EX)
            os.posix_fallocate(fd, 0, _SIZE)
        except BaseException:
            os.close(fd)
            Path(path).unlink(missing_ok=True)
            raise
        return path, fd


def given(folder: str) -> dict[str, float]:
    """Return the names of attempts that have a record, with the moment of its last word.

    Nothing is locked, not even for a glance: that could keep a scheduler from starting a run. So
    it is not told whether anybody holds a record.

    Raises:
        OSError: they cannot be read now.
    """
    found: dict[str, float] = {}
    for path in [path for path, plain in _entries(folder) if plain]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            continue  # a start of the scheduler removes those it does not need
        try:
            name = _words(fd).get(b"A")
            if name is not None:
                found[name.decode(errors="backslashreplace")] = os.fstat(fd).st_mtime
        finally:
            os.close(fd)
    return found


def _name(key: AttemptKey) -> bytes:
    return f"{key.run}.{key.attempt}".encode()


def _entries(folder: str) -> list[tuple[Path, bool]]:
    """Return what has a record's name, and whether it is a plain file."""
    try:
        with os.scandir(folder) as entries:
            return [
                (Path(entry.path), entry.is_file(follow_symlinks=False))
                for entry in entries
                if _NUMBER.fullmatch(entry.name)
            ]
    except FileNotFoundError:
        return []


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _words(fd: int) -> dict[bytes, bytes]:
    """Return the lines that were written to their end, by letter; the rest is reserved space."""
    lines = os.pread(fd, _SIZE, 0).split(b"\n")[:-1]
    return {line[:1]: line[2:] for line in lines if line[1:2] == b" "}


def _begun(said: dict[bytes, bytes]) -> bool:
    return bool(said.keys() - {b"A"})


def _wipe(path: str) -> bool:
    """Empty a record that nobody holds; False if it is held or cannot be written."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return False
    try:
        free = _lock(fd, fcntl.LOCK_EX)
        if free:
            os.pwrite(fd, _EMPTY, 0)
    except OSError:
        return False
    finally:
        os.close(fd)
    return free


def _number(word: bytes | None, least: int, most: int) -> int | None:
    """Return a word's number; one that cannot be, such as an exit code of 256, is none."""
    if word is None or not word.isdigit() or len(word) > len(str(most)):
        return None
    return number if least <= (number := int(word)) <= most else None
