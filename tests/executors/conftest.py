"""A launcher on a real state directory, with real processes and the real clock."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from executors_desk import Desk

from flytesched import linux
from flytesched.executors.local import LocalLauncher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    for entry in os.listdir("/proc"):
        if entry.isdigit() and linux.process_facts(int(entry)) is not None:
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if mark in b"\0" + file.read():
                        os.kill(int(entry), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
