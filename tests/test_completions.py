"""Completions are made from the app, so they cannot drift."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flytesched.cli.app import VERBS
from flytesched.cli.completions import SHELLS

FOLDER = Path(__file__).parent.parent / "completions"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_file_is_what_the_app_makes(shell: str) -> None:
    """If not: python -m flytesched.cli.completions SHELL > completions/FILE."""
    name, make = SHELLS[shell]

    assert (FOLDER / name).read_text() == make()


def test_the_module_prints_it() -> None:
    """As its own first line says."""
    words = [sys.executable, "-m", "flytesched.cli.completions", "fish"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert done.stdout == (FOLDER / "flytesched.fish").read_text()


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")]
)
def test_the_shell_can_read_it(shell: str, check: str) -> None:
    """Where it is installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")

    done = subprocess.run([shell, check, FOLDER / SHELLS[shell][0]], capture_output=True)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["flytesched", ""], {*VERBS, "--manifest", "--version", "-h", "--help", "--json"}),
        (["flytesched", "cat"], {"catchup"}),
        (["flytesched", "--manifest", "x", "run", "--on"], {"--once", "--on-stop"}),
        (["flytesched", "run", "--on-stop", ""], {"leave", "kill"}),
        (["flytesched", "add", "x", "--overlap", "s"], {"skip"}),
        (["flytesched", "add", "x", "--cron", ""], set()),
        (["flytesched", "add", "x", "--", "--every"], set()),
        (["flytesched", "db", ""], {"check", "--json", "--help"}),
        (["flytesched", "--utc", "db", "--state-dir", "x", "ch"], {"check"}),
        (["flytesched", "db", "check", "--js"], {"--json"}),
        (["flytesched", "show", "db", "ch"], set()),
    ],
)
def test_bash_offers_what_fits(words: list[str], offered: set[str]) -> None:
    """Asked the way bash asks it."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f"source {FOLDER / 'flytesched.bash'}; COMP_WORDS=({quoted});"
        f" COMP_CWORD={len(words) - 1}; COMP_LINE='{' '.join(words)}'; COMP_POINT=${{#COMP_LINE}};"
        " _flytesched; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())

    assert found >= offered
    if words[-1] or not offered:
        assert found == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("flytesched d", {"db", "disable", "doctor"}),
        ("flytesched db ", {"check"}),
        ("flytesched --utc db ch", {"check"}),
        ("flytesched db check --js", {"--json"}),
        ("flytesched service uninst", {"uninstall"}),
        ("flytesched doctor ch", set()),
    ],
)
def test_fish_offers_both_words_of_a_command(line: str, offered: set[str]) -> None:
    """Asked the way fish asks it, where it is installed."""
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")

    script = f"source {FOLDER / 'flytesched.fish'}; complete -C {line!r}"
    done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True)

    assert {said.split("\t")[0] for said in done.stdout.splitlines()} == offered
