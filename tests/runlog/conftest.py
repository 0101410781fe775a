"""The run logs that one contract holds for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.testing import MemoryRunLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a run log is, or will be."""
    return tmp_path / "state" / "runs.db"


@pytest.fixture
def sqlite_log(path: Path) -> Iterator[SqliteRunLog]:
    """A run log in a file."""
    log = SqliteRunLog(path, holder=True)
    yield log
    log.close()


@pytest.fixture(params=["memory", "sqlite", "sqlite in memory"])
def log(request: pytest.FixtureRequest) -> Iterator[MemoryRunLog | SqliteRunLog]:
    """Each run log in turn."""
    if request.param == "memory":
        yield MemoryRunLog()
        return
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_log")
        return
    in_memory = SqliteRunLog(":memory:")
    yield in_memory
    in_memory.close()


@pytest.fixture
def other(log: MemoryRunLog | SqliteRunLog, path: Path) -> Iterator[MemoryRunLog | SqliteRunLog]:
    """The same run log as another process holds it."""
    if isinstance(log, MemoryRunLog):
        yield MemoryRunLog(beside=log)
        return
    elsewhere = SqliteRunLog(path)
    yield elsewhere
    elsewhere.close()
