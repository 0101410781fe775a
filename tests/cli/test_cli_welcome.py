"""The first flytesched ever run says how to begin."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from terminal import Terminal


def test_without_a_manifest_three_lines_to_copy_come_before_the_commands(empty: Terminal) -> None:
    """It is still misuse: nothing was asked."""
    said = empty.run()

    first, _, usage = said.out.partition("Usage: flytesched ")
    assert said.code == 2
    assert first.startswith(f"There is no schedule yet: {empty.manifest} is still to be written.\n")
    assert [line.split()[1] for line in first.splitlines() if line.startswith("  ")] == [
        "add", "list", "run",
    ]  # fmt: skip
    assert max(map(len, first.splitlines()[1:])) <= 80
    assert "Commands:" in usage
    assert list(empty.home.iterdir()) == []


def test_the_three_lines_do_what_they_say(empty: Terminal) -> None:
    """Copied one after the other; the last one is left to a test of its own."""
    lines = [line for line in empty.run().out.splitlines() if line.startswith("  flytesched ")]
    add, listing, run = (shlex.split(line)[1:] for line in lines[:3])

    assert empty.run(*add).code == 0
    assert "hello  every 10s " in empty.ok(*listing).out
    assert empty.run(*run, "--help").code == 0


@pytest.mark.parametrize("words", [["--manifest", "{}"], ["--manifest={}"]])
def test_it_looks_where_it_is_told_to(terminal: Terminal, tmp_path: Path, words: list[str]) -> None:
    """At another manifest than that of the environment, which is there."""
    other = tmp_path / "other.toml"
    words = [word.format(other) for word in words]

    assert terminal.run(*words).out.startswith(f"There is no schedule yet: {other} ")
    other.write_text("version = 1\n")
    assert terminal.run(*words).out.startswith("Usage: ")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--manifest", "nowhere.toml", "--help"]])
def test_help_that_was_asked_for_is_help(empty: Terminal, words: list[str]) -> None:
    """And no misuse."""
    said = empty.ok(*words)

    assert said.out.startswith("Usage: flytesched ")


def test_with_a_manifest_there_is_help_as_always(terminal: Terminal) -> None:
    """Exit code 2, since nothing was asked."""
    said = terminal.run()

    assert said.code == 2
    assert said.out.startswith("Usage: flytesched ")


def test_a_mistake_is_not_welcomed(empty: Terminal) -> None:
    """It gets its sentence alone."""
    said = empty.run("--bogus")

    assert (said.code, said.out) == (2, "")
    assert "--bogus" in said.err


def test_where_it_cannot_be_told_which_manifest_there_is_help_alone(empty: Terminal) -> None:
    """The first command that needs one says what is wrong."""
    said = empty.run("--manifest", "")

    assert said.code == 2
    assert said.out.startswith("Usage: flytesched ")
    assert empty.run("list", "--manifest", "").code == 2
