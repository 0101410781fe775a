"""The state directory: made private, and refused where its locks and files cannot be trusted."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.errors import FlyteschedError

if TYPE_CHECKING:
    from pathlib import Path


def prepare_state_dir(path: Path, *, force: bool = False) -> None:
    """Make the state directory if it is missing, and refuse one that cannot be trusted.

    Args:
        path: the directory.
        force: accept one on a network file system.

    Raises:
        FlyteschedError: it is no directory, cannot be written, belongs to another user, is
            writable by others, or lies on a network file system.
    """
    try:
        _make(path)
        status = path.stat()
    except FileExistsError:
        msg = f"the state directory {path} is not a directory"
        raise FlyteschedError(msg, hint="name another with --state-dir") from None
    except OSError as error:
        msg = f"cannot use the state directory {path}: {error.strerror}"
        raise FlyteschedError(msg, hint="name another with --state-dir") from error
    _trust(path, status, force=force)


def _make(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)  # whatever the umask


def _trust(path: Path, status: os.stat_result, *, force: bool) -> None:
    if status.st_uid != os.geteuid():
        msg = f"the state directory {path} belongs to another user"
        raise FlyteschedError(msg, hint="name another with --state-dir")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        msg = f"the state directory {path} can be written by others"
        raise FlyteschedError(msg, hint=f"chmod 700 {path}")
    if not os.access(path, os.W_OK | os.X_OK):
        msg = f"the state directory {path} cannot be written"
        raise FlyteschedError(msg, hint="name another with --state-dir")
    if not force and (kind := linux.network_filesystem(path)) is not None:
        msg = f"the state directory {path} lies on a network file system ({kind})"
        hint = "its locks cannot be trusted; name a local one with --state-dir"
        raise FlyteschedError(msg, hint=hint)
