"""Renaming in a TOML text: one part of some keys is another word, and nothing else is touched.

Pure: text in, text out. Whoever calls it parses the result and compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.manifest.places import Kind, entries, key_of, key_parts, scan
from flytesched.manifest.toml import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.manifest.places import Statement

_TOP = "schedules"


def renamed(text: str, old: str, new: str) -> str:
    """Return a manifest in which the schedule ``old`` is called ``new``.

    Headers, those of tables below its own, dotted keys and inline tables are followed; comments
    stay as they are.

    Args:
        text: a manifest that tomllib accepts.
        old: a name it has.
        new: a name it has not.

    Raises:
        Misplaced: the text is not TOML.
    """
    pieces, at = [], 0
    for start, end in _places(text, old):
        pieces += [text[at:start], word(new)]
        at = end
    return "".join([*pieces, text[at:]])


def _places(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield the characters of each mention of a schedule in a key, ascending."""
    for statement in scan(text):
        if statement.path[:2] == (_TOP, name):
            yield from _mention(text, statement)
        elif statement.path == (_TOP,) and statement.kind is Kind.VALUE:
            for entry in entries(text, statement.value) or ():
                if entry.path[0] == name:
                    yield key_parts(text, entry.start)[0]


def _mention(text: str, statement: Statement) -> Iterator[tuple[int, int]]:
    """Yield where a statement names its schedule, unless the header above it does."""
    written = key_parts(text, key_of(text, statement))
    # A header says its path in full; ``depth`` parts of a key stand in the header above it.
    left_out = 0 if statement.kind is not Kind.VALUE else statement.depth
    if left_out < 2:
        yield written[1 - left_out]
