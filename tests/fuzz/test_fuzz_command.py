"""The command that fuzzes under atheris, as far as it goes without it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, str(Path(__file__).parent)]


def test_without_atheris_the_command_says_what_to_install() -> None:
    """It is no part of what the tests need."""
    if importlib.util.find_spec("atheris"):
        pytest.skip("atheris is installed")
    done = subprocess.run([*COMMAND, "duration"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install atheris" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_knows_its_targets() -> None:
    """Another name is refused with those there are."""
    done = subprocess.run([*COMMAND, "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'manifest'" in done.stderr
