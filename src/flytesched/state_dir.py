"""The state directory: made private, and refused where its locks and files cannot be trusted."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.errors import FlyteschedError, StateDirBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ELSEWHERE = "name another with --state-dir"
#: What the state directory may hold, and what each of it has to be. Anything else that stands at
#: such a name was planted: a symbolic link would have us write, lock or remove what is elsewhere,
#: and a FIFO would have us wait for ever.
_FILES = (
    "scheduler.lock", "scheduler.json", "scheduler.want", "wake",
    "runs.db", "runs.db-wal", "runs.db-shm", "runs.db-journal",
)  # fmt: skip
_FOLDERS = ("active", "logs")
_UNODD = "nothing is written through it: give it back to its owner (chown), or move it away"


def prepare_state_dir(path: Path, *, force: bool = False) -> None:
    """Make the state directory if it is missing, and refuse one that cannot be trusted.

    Args:
        path: the directory.
        force: accept one on a network file system.

    Raises:
        StateDirBusy: it cannot be made or used right now: a full or read-only disk, no descriptors.
        FlyteschedError: it is no directory, cannot be written, belongs to another user, is
            writable by others, lies on a network file system, or something was planted in it.
    """
    try:
        _make(path)
        _trust(path, path.stat(), force=force)
        for name, what in _odd(path):
            msg = f"{path / name} {what}"
            raise FlyteschedError(msg, hint=_UNODD)
    except OSError as error:
        kind = StateDirBusy if error.errno in linux.PASSING else FlyteschedError
        msg = f"cannot use the state directory {path}: {error.strerror}"
        raise kind(msg, hint=_ELSEWHERE) from error


def _make(path: Path) -> None:
    if path.is_dir():
        return
    if os.path.lexists(path):
        msg = f"the state directory {path} is not a directory"
        raise FlyteschedError(msg, hint=_ELSEWHERE)
    linux.make_folders(path)


def _trust(path: Path, status: os.stat_result, *, force: bool) -> None:
    if status.st_uid != os.geteuid():
        msg = f"the state directory {path} belongs to another user"
        raise FlyteschedError(msg, hint=_ELSEWHERE)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        msg = f"the state directory {path} can be written by others"
        raise FlyteschedError(msg, hint=f"chmod 700 {path}")
    if not os.access(path, os.W_OK | os.X_OK):
        msg = f"the state directory {path} cannot be written"
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            msg = f"{msg}: its file system is read-only"
            raise StateDirBusy(msg, hint=_ELSEWHERE)
        raise FlyteschedError(msg, hint=_ELSEWHERE)
    if not force and (kind := linux.network_filesystem(path)) is not None:
        msg = f"the state directory {path} lies on a network file system ({kind})"
        hint = "its locks cannot be trusted; name a local one with --state-dir"
        raise FlyteschedError(msg, hint=hint)


def _odd(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what is not what its name says, or is not ours, and what is wrong with it."""
    wanted: tuple[tuple[tuple[str, ...], Callable[[int], bool], str], ...] = (
        (_FILES, stat.S_ISREG, "is not a plain file"),
        (_FOLDERS, stat.S_ISDIR, "is not a directory"),
    )
    for names, right, wrong in wanted:
        for name in names:
            try:
                facts = os.lstat(path / name)
            except FileNotFoundError:
                continue
            if stat.S_ISLNK(facts.st_mode):
                yield name, "is a symbolic link, which is not followed"
            elif not right(facts.st_mode):
                yield name, wrong
            elif facts.st_uid != os.geteuid():
                yield name, "belongs to another user"
