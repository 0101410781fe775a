"""A launcher on a real state directory, with real processes and the real clock."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from executors_desk import Desk

from flytesched.executors.local import LocalLauncher

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory."""
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def desk(state: Path) -> Iterator[Desk]:
    """A launcher and everything that is handy beside it; ends what the test left running."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(state)}
    if "PYTHONPATH" in os.environ:
        environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
    launcher = LocalLauncher(
        state, environ, manifest_path=state / "m.toml", log_limit=10**7, clock_now=time.time
    )
    yield Desk(state=state, environ=environ, launcher=launcher)
    launcher.close()
    _end_leftovers(state)


def _end_leftovers(state: Path) -> None:
    mark = os.fsencode(f"\0FLYTESCHED_STATE_DIR={state}\0")
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if mark in b"\0" + path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)
