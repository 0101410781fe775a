"""The manifest as a file: read with bounds and suspicion, replaced whole."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.errors import Fault, FlyteschedError, InvalidManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Bytes a manifest may have.
MAX_BYTES = 64 * 2**20
#: The kernel follows so many symbolic links in one path (path_resolution(7)).
MAX_LINKS = 40

_WHY = {
    errno.EACCES: ("may not be read by you", "ask its owner, or name another with --manifest"),
    errno.EISDIR: ("is a directory", "name a file"),
    errno.ELOOP: ("is a symbolic link in a loop", "mend the link"),
    errno.ENAMETOOLONG: ("has too long a name", "name another with --manifest"),
    errno.ENOTDIR: ("lies below something that is no directory", "name another with --manifest"),
    errno.ENXIO: ("is a socket or a device without a driver", "name a file"),
}
_FOREIGN = Fault(
    key="", what="belongs to another user, and its commands would run as root",
    instead="give it to root (chown root), or run as that user",
)  # fmt: skip


class NoManifest(InvalidManifest):
    """There is no manifest at the path."""

    def __init__(self, path: str) -> None:
        """Say how the first one is made."""
        first = "`flytesched add` writes the first one"
        super().__init__(path, [Fault(key="", what="there is no manifest here", instead=first)])


class Unreadable(InvalidManifest):
    """The manifest cannot be read right now: an I/O error, no descriptors, no memory."""


def load(path: Path, *, to_edit: bool = False) -> tuple[bytes, os.stat_result]:
    """Return the content and the status of a regular file, without ever waiting for it.

    Args:
        path: the file; symbolic links are followed.
        to_edit: accept another user's file as root, who edits it for that user, and runs nothing.

    Raises:
        NoManifest: there is none.
        Unreadable: not now; trying again may work.
        InvalidManifest: it is no file that may be trusted or read.
    """
    if os.geteuid() == 0 and (folder := _open_folder(path)):
        what = f"lies below {folder}, where anybody may put another in its place"
        raise _refusal(path, what, f"take that away (chmod o-w {folder})")
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError:
        raise _refusal(path, "has a NUL character in its name", "name another") from None
    except OSError as error:
        raise _unopened(path, error) from None
    try:
        status = os.fstat(descriptor)
        fault = _distrust(status, os.geteuid())
        if not (fault or to_edit) and os.geteuid() == 0 != status.st_uid:
            fault = _FOREIGN
        if fault:
            raise InvalidManifest(str(path), [fault])
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unopened(path, error) from None
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise _refusal(path, "is larger than 64 MiB", "split it, or remove schedules")
    return content, status


def replace_whole(target: Path, content: bytes, like: os.stat_result | None) -> None:
    """Put ``content`` at ``target`` so that a reader sees the old or the new file, never a part.

    The caller holds the lock of ``target``.
    Owner, mode and extended attributes (access lists) of ``like``, the file there now, are kept;
    a new file gets 0600, as the values in ``env`` may be secrets.

    Raises:
        FlyteschedError: it may not be written, or cannot; the file is as it was.
    """
    # One name will do under the lock, and what a crash left of it makes room for the next.
    temporary = target.with_name(f".{target.name[:200]}.new")
    try:
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            if like is None:
                os.fchmod(file.fileno(), 0o600)  # whatever the umask
            else:
                _dress(file.fileno(), target, like)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        linux.sync_folder(target.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        where = f" ({temporary.name})" if temporary.is_dir() else ""
        what = f"{target}: cannot be written: {error.strerror or error}{where}"
        raise FlyteschedError(what, hint="nothing was changed") from None


def refuse_read_only(target: Path, status: os.stat_result) -> None:
    """Refuse to replace a file that is marked read-only, for root too: somebody meant it.

    Raises:
        FlyteschedError: nobody may write it, or not this user, or its owner could not be kept.
    """
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        what = f"{target}: is read-only"
        raise FlyteschedError(
            what, hint="make it writable (chmod u+w), or edit where it comes from"
        )
    if os.geteuid() not in {0, status.st_uid}:
        what = f"{target}: belongs to another user, whom replacing it would not keep as its owner"
        raise FlyteschedError(what, hint="run the command as that user")


def _distrust(status: os.stat_result, user: int) -> Fault | None:
    """Return why a file is not to be read; what others may write is not for root, as in cron."""
    mode = status.st_mode
    if not stat.S_ISREG(mode):
        kinds: list[tuple[Callable[[int], bool], str]] = [
            (stat.S_ISDIR, "is a directory"), (stat.S_ISFIFO, "is a FIFO"),
            (stat.S_ISCHR, "is a device"), (stat.S_ISBLK, "is a device"),
        ]  # fmt: skip
        what = next((said for test, said in kinds if test(mode)), "is no regular file")
        return Fault(key="", what=what, instead="name a file")
    if user == 0 and mode & stat.S_IWOTH:
        what = "may be written by anybody, and its commands would run as root"
        return Fault(key="", what=what, instead="take that away (chmod o-w)")
    if user == 0 and mode & stat.S_IWGRP and status.st_gid != 0:
        what = "may be written by a group other than root's, and its commands would run as root"
        return Fault(key="", what=what, instead="take that away (chmod g-w)")
    return None


def _open_folder(path: Path) -> Path | None:
    """Return a folder on the way to a file in which anybody may replace what root would read.

    In a sticky one, such as /tmp, nobody may but who owns what is there.
    """
    for folder in _way(path):
        try:
            mode = folder.stat().st_mode
        except (OSError, ValueError):
            return None  # whoever opens the file says it
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return folder
    return None


def _way(path: Path) -> Iterator[Path]:
    """Yield every folder in which a name on the way to a file is looked up, links followed."""
    here = Path("/")
    rest = list(reversed(path.absolute().parts[1:]))
    links = 0
    while rest and links <= MAX_LINKS:
        yield here
        part = rest.pop()
        if part == "..":
            here = here.parent
        elif (target := link_target(here / part)) is not None:
            links += 1
            here = Path("/") if target.is_absolute() else here
            rest += reversed(target.parts[target.is_absolute() :])
        else:
            here /= part


def link_target(path: Path) -> Path | None:
    """Return what a symbolic link says; None for anything else."""
    try:
        return path.readlink()
    except (OSError, ValueError):
        return None


def _unopened(path: Path, error: OSError) -> InvalidManifest:
    if error.errno == errno.ENOENT:
        return NoManifest(str(path))
    if error.errno in _WHY:
        return _refusal(path, *_WHY[error.errno])
    what = f"cannot be read: {error.strerror or error}"
    return Unreadable(str(path), [Fault(key="", what=what)])


def _refusal(path: Path, what: str, instead: str) -> InvalidManifest:
    return InvalidManifest(str(path), [Fault(key="", what=what, instead=instead)])


def _dress(descriptor: int, target: Path, like: os.stat_result) -> None:
    """Give the new file what the old one has; mode last, for a change of owner clears bits."""
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    for name in os.listxattr(target):
        # Some belong to the kernel, such as SELinux's under a policy that decides itself.
        with suppress(OSError):
            os.setxattr(descriptor, name, os.getxattr(target, name))
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
