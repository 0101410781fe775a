"""Waking the holder of the scheduler's lock: a file to touch, and an inotify that sees it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flytesched import linux

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The file that commands touch, in the state directory.
NAME = "wake"
#: What ``touch`` does to the file, once for each call; and loss of the file.
_TOUCHED = linux.IN_ATTRIB | linux.IN_DELETE_SELF | linux.IN_MOVE_SELF
#: What a whole new manifest looks like. A file being written (IN_MODIFY) is not read half done.
_NEW_CONTENT = (
    linux.IN_CLOSE_WRITE | linux.IN_ATTRIB | linux.IN_MOVED_TO | linux.IN_MOVED_FROM
    | linux.IN_CREATE | linux.IN_DELETE | linux.IN_DELETE_SELF | linux.IN_MOVE_SELF
)  # fmt: skip


def touch(state_dir: Path) -> None:
    """Wake the holder of the lock, if there is one; never fails."""
    with suppress(OSError):
        fd = linux.open_below(str(state_dir), NAME, os.O_WRONLY | os.O_CREAT)
        try:
            os.utime(fd)
        finally:
            os.close(fd)


class Wakeup:
    """News of wishes in the state directory, and of new content in the manifest's folders."""

    def __init__(self, state_dir: Path, folders: Iterable[Path]) -> None:
        """Watch; where the user's limit of inotify is reached, ``polling`` is set instead."""
        #: Whether nothing will tell: look once a second.
        self.polling = False
        self._state_dir = state_dir
        #: The name each folder is watched by. One folder may be known by several names, and
        #: inotify has one watch for it.
        self._followed: dict[tuple[int, int], Path] = {}
        self._inotify = _inotify()
        self._spare = os.eventfd(0, os.EFD_CLOEXEC) if self._inotify is None else -1
        self.follow(folders)

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is news."""
        return self._inotify.fileno() if self._inotify is not None else self._spare

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch just these folders beside the wake file."""
        if self._inotify is None:
            self.polling = True
            return
        self.polling = not self._listen()
        wanted = self._told_apart(folders)
        for key in self._followed.keys() - wanted.keys():
            self._inotify.unwatch(self._followed.pop(key))
        for key in wanted.keys() - self._followed.keys():
            try:
                self._inotify.watch(wanted[key], _NEW_CONTENT)
                self._followed[key] = wanted[key]
            except OSError:
                self.polling = True

    def drain(self) -> bool:
        """Take the news; tell whether there was any, or there may be some while polling."""
        if self._inotify is None:
            return True
        news = self._inotify.read()
        if not news:
            return self.polling
        # News of a folder itself: another may stand at its path, so that its watch is out of date.
        changed = {Path(path) for path, name in news if not name}
        for key in [key for key, folder in self._followed.items() if folder in changed]:
            self._inotify.unwatch(self._followed.pop(key))
        if self._state_dir / NAME in changed or Path() in changed:
            self.polling |= not self._listen()
        return True

    def _told_apart(self, folders: Iterable[Path]) -> dict[tuple[int, int], Path]:
        """Return each folder once; one that is not there is looked for once a second."""
        found: dict[tuple[int, int], Path] = {}
        for folder in folders:
            try:
                status = folder.stat()
            except OSError:
                self.polling = True
                continue
            found.setdefault((status.st_dev, status.st_ino), folder)
        return found

    def _listen(self) -> bool:
        """Watch the wake file that is there now, made if need be; tell whether that works.

        What others cannot touch, such as a symbolic link, a FIFO or a directory, is no wake file.
        """
        path = self._state_dir / NAME
        try:
            if not os.path.lexists(path):
                touch(self._state_dir)
            if not stat.S_ISREG(path.lstat().st_mode):
                return False
            cast("linux.Inotify", self._inotify).watch(path, _TOUCHED)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._inotify is not None:
            self._inotify.close()
        else:
            os.close(self._spare)


def _inotify() -> linux.Inotify | None:
    """Return a new inotify; None where the user's limit is reached."""
    try:
        return linux.Inotify()
    except OSError:
        return None
