"""The command that fuzzes under atheris, as far as it goes without it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from smaller import failure, smaller

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


def fails_for_two_quotes(data: bytes) -> None:
    """Stand for a target with a bug, beside another one."""
    if b"nul\0" in data:
        raise LookupError
    assert data.count(b"'") < 2


def test_a_failing_input_is_made_small_and_fails_as_it_did() -> None:
    """Not in another way that is met on the way down."""
    data = b"version = 1 # 'x' and 'y'\nnul " + bytes(range(256)) * 3
    assert smaller(fails_for_two_quotes, data) == b"''"
    assert failure(fails_for_two_quotes, b"nul\0") != failure(fails_for_two_quotes, b"''")


def test_an_input_that_does_not_fail_is_not_made_small() -> None:
    """There is nothing to be found in it."""
    with pytest.raises(ValueError, match="does not fail"):
        smaller(fails_for_two_quotes, b"")
