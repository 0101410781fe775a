"""README's tour: what its code blocks tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

_README = Path(__file__).parent.parent.parent / "README.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)


def tour() -> list[list[str]]:
    """Return the commands of each code block; those that need root are not for a test."""
    blocks = [_COMMAND.findall(block) for block in _BLOCK.findall(_README.read_text())]
    return [block for block in blocks if not block[0].startswith("sudo ")]
