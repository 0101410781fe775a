"""README's tour: what its code blocks tell a reader to type, and what they say comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from still import still

_README = Path(__file__).parent.parent.parent / "README.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """One command of the tour."""

    #: What is typed, as it stands.
    command: str
    #: The lines that README shows below it.
    shown: tuple[str, ...]


def tour() -> list[list[Step]]:
    """Return the steps of each code block; those that need root are not for a test."""
    blocks = [_steps(block) for block in _BLOCK.findall(_README.read_text())]
    return [block for block in blocks if not block[0].command.startswith("sudo ")]


def _steps(block: str) -> list[Step]:
    parts = re.split(r"^\$ (.+)\n", block, flags=re.MULTILINE)
    return [
        Step(command, tuple(said.splitlines()))
        for command, said in zip(parts[1::2], parts[2::2], strict=True)
    ]


def absent(step: Step, screen: str, home: str) -> list[str]:
    """Return the lines below a command that no line of a screen is like.

    Times, durations, numbers and rows of glyphs are the reader's own, and ``...`` is anything.
    """
    present = still(screen, home, counts=False).splitlines()
    return [line for line in step.shown if not any(_like(line).fullmatch(e) for e in present)]


def _like(line: str) -> re.Pattern[str]:
    pattern = re.escape(still(line, "~", counts=False)).replace(r"\.\.\.", ".*")
    pattern = re.sub(r"\d+", r"\\d+", pattern)
    return re.compile(re.sub(r"([\u2500-\u27ff])+", r"[\\u2500-\\u27ff]+", pattern))
