"""Where fuzzing writes: a folder in memory where there is one, emptied for each input."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

_MEMORY = Path("/dev/shm")
_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@cache
def _folder() -> Path:
    made = tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None)
    _KEPT.append(made)  # it goes when the process ends
    return Path(made.name)


def desk() -> Path:
    """Return the folder, with nothing in it."""
    folder = _folder()
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return folder
