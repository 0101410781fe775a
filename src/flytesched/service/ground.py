"""Ground: the files a scheduler stands on, and whether somebody pulled them away.

A lock file that was removed locks nobody out, and a run log that was removed or replaced still
takes what is written to it, for nobody to read. Neither the lock nor SQLite notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Ground:
    """Files that have to stay the ones that they are."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Remember which files there are at these paths now."""
        self._files = {path: _identity(path) for path in paths}

    def lost(self) -> Path | None:
        """Return a path that leads to another file than before, or to none; None if all is well."""
        for path, identity in self._files.items():
            try:
                if _identity(path) != identity:
                    return path
            except OSError:
                continue  # what cannot be seen now has not gone
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from every other; None if there is none.

    Raises:
        OSError: that cannot be seen now.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
