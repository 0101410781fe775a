"""A terminal for each test, empty or with some history."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import Terminal, environment

if TYPE_CHECKING:
    from pathlib import Path

SOME = """\
version = 1

# the family's photos
[schedules.backup]
cron = "0 2 * * *"
timezone = "Europe/Berlin"
command = "echo $FLYTESCHED_ATTEMPT; echo from $FLYTESCHED_SCHEDULE"
labels = { team = "ops", tier = "1" }
env = { TOKEN = "s3cret" }

[schedules.backup-photos]
every = "1h"
command = ["false"]
labels = { team = "ops" }

[schedules.report]
daily = "09:00"
timezone = "UTC"
command = "exit 3"
enabled = false
pause_reason = "holidays"
"""


@pytest.fixture
def empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Give a terminal with neither manifest nor state directory."""
    return _terminal(tmp_path / "home", capsys, monkeypatch)


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home with three schedules and a run of two of them, once."""
    home = tmp_path_factory.mktemp("lived_in")
    (home / "schedules.toml").write_text(SOME)
    for name in ("backup", "report"):
        subprocess.run(
            [sys.executable, "-m", "flytesched", "trigger", name], env=environment(home),
            capture_output=True, check=False,
        )  # fmt: skip
    return home


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list that fills with the files that are opened by descriptor, as manifests are."""
    files: list[str] = []
    plain = os.open
    monkeypatch.setattr(os, "open", lambda *a, **k: files.append(str(a[0])) or plain(*a, **k))
    return files


@pytest.fixture
def terminal(
    tmp_path: Path, lived_in: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:  # fmt: skip
    """Give a terminal with three schedules, two runs and no scheduler."""
    shutil.copytree(lived_in, tmp_path / "home")
    terminal = _terminal(tmp_path / "home", capsys, monkeypatch)
    # The copy lives elsewhere, so the run log has to belong to it.
    assert terminal.run("catchup", "--rebind").code == 0
    return terminal


def _terminal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    home.mkdir(exist_ok=True)
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return Terminal(home, capsys)
