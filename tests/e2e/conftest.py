"""The built wheel in an environment of its own, and a desk for each test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it into a fresh environment, and return its `flytesched`."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", place, ROOT], check=True)
    (wheel,) = place.glob("flytesched-*.whl")
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    inside = [place / "venv/bin/python", "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*inside, "install", wheel], check=True)
    return place / "venv/bin/flytesched"


@pytest.fixture
def desk(installed: Path, tmp_path: Path) -> Iterator[Desk]:
    """Give an empty desk; its loops are ended with the test."""
    desk = Desk([str(installed)], tmp_path)
    yield desk
    desk.clear()
