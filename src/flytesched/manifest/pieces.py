"""A manifest in pieces, one for each table of a schedule, each read for itself.

Most manifests are a row of ``[schedules.NAME]`` tables in plain lines. Such a table means the
same wherever it stands, so it is read again only when its own text changes, and a text of a
hundred thousand tables can be read in steps. What is divided here means exactly what tomllib
finds in the whole: a piece that is a whole document of its own ends where a statement ends, so
the next one begins where a statement begins. Everything else is ``Odd``, and read as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from flytesched.errors import Invalid
from flytesched.manifest.document import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Headers at which a text is divided: of a schedule, or of a table that stands alone.
_HEADER = re.compile(
    r"\[(?:schedules\.(?:([A-Za-z0-9_-]++)|\"([A-Za-z0-9._-]++)\"|'([A-Za-z0-9._-]++)')"
    r"|(settings|defaults))\][ \t]*+(?:#[^\x00-\x08\x0a-\x1f\x7f]*+)?+\r?\n"
)
#: What a string may hold where nothing has to be translated.
_STRING = r"\"[^\"\\\x00-\x08\x0a-\x1f\x7f]*+\"|'[^'\x00-\x08\x0a-\x1f\x7f]*+'"
_REST = r"[ \t]*+(?:#[^\x00-\x08\x0a-\x1f\x7f]*+)?+\n"
_KEY = r"[A-Za-z0-9_-]{1,64}+"
_VALUE = rf"(?:{_STRING}|true|false|0|[1-9][0-9]{{0,17}}+)"
#: One plain line: its key and value.
_PLAIN = re.compile(rf"^[ \t]*+({_KEY})[ \t]*+=[ \t]*+({_VALUE}){_REST}", re.MULTILINE)
#: Nothing but plain lines, blank ones and comments.
_ALL_PLAIN = re.compile(rf"(?:[ \t]*+(?:{_KEY}[ \t]*+=[ \t]*+{_VALUE})?+{_REST})*+")
#: A header that does not begin its line, whatever it is.
_INDENTED = re.compile(r"^[ \t]+\[", re.MULTILINE)
_WORDS = {"true": True, "false": False}
#: Characters of a piece beyond which it is not read for itself: a step shall be short.
_LONGEST = 2**15


class Odd(Exception):  # noqa: N818  it says what a text is; nothing went wrong
    """The text is not a row of plain tables, or has a fault: it has to be read as a whole."""


class Piece(NamedTuple):
    """A stretch of the text that is a document of its own."""

    #: The schedule; empty for what is none.
    name: str
    #: ``settings`` or ``defaults``; empty for a schedule, and for what stands in front.
    table: str
    #: Its whole lines.
    text: str
    #: Characters of its header.
    head: int


def divide(text: str) -> Iterator[Piece]:
    """Yield the pieces of a text one by one, what stands in front of the first table first.

    Raises:
        Odd: a table begins that is none of the known ones; pieces before it were yielded.
    """
    name = table = ""
    start = head = 0
    at = 0 if text.startswith("[") else _next(text, 0)
    while at >= 0:
        header = _HEADER.match(text, at)
        if header is not None:
            yield Piece(name, table, text[start:at], head)
            name, table = header[1] or header[2] or header[3] or "", header[4] or ""
            start, head = at, header.end() - at
        elif not name or not text.startswith(f"[schedules.{name}.", at):
            raise Odd
        at = _next(text, at)
    yield Piece(name, table, text[start:], head)


def _next(text: str, at: int) -> int:
    """Return where the next line begins that may be a header; -1 if there is none."""
    return text.find("\n[", at) + 1 or -1


def plain(piece: Piece) -> dict[str, Any] | None:
    """Return the table of a schedule in plain lines; None for any other."""
    if not _is_plain(piece):
        return None
    pairs = _PLAIN.findall(piece.text, piece.head)
    table = {key: value[1:-1] if value[0] in "\"'" else _word(value) for key, value in pairs}
    return table if len(table) == len(pairs) else None


def _word(value: str) -> bool | int:
    return _WORDS[value] if value in _WORDS else int(value)


def table_of(piece: Piece, path: Path) -> dict[str, Any]:
    """Return the table of a schedule, as tomllib finds it in the whole text.

    Raises:
        Odd: it means something only together with the rest, or nothing.
    """
    found = _document(piece, path).get("schedules")
    if isinstance(found, dict) and len(found) == 1 and isinstance(found.get(piece.name), dict):
        return dict(found[piece.name])
    raise Odd


def alone(piece: Piece, path: Path) -> Mapping[str, Any]:
    """Return what a piece says that is no schedule, by the names of its tables.

    Raises:
        Odd: it speaks of schedules, or is no TOML.
    """
    model = _document(piece, path)
    if "schedules" in model:
        raise Odd
    return model


def settings_of(content: bytes, path: Path) -> Mapping[str, Any]:
    """Return ``[settings]`` as written, without a look at what the schedules are.

    Raises:
        Odd: the text has to be read as a whole.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Odd from None
    top: dict[str, Any] = {}
    for piece in divide(text):
        if not piece.name:
            says = alone(piece, path)
            if says.keys() & top.keys():
                raise Odd
            top.update(says)
        elif not _is_plain(piece):
            table_of(piece, path)
    found: object = top.get("settings", {})
    return found if isinstance(found, dict) else {}


def _is_plain(piece: Piece) -> bool:
    return piece.text[-1:] == "\n" and _ALL_PLAIN.fullmatch(piece.text, piece.head) is not None


def _document(piece: Piece, path: Path) -> dict[str, Any]:
    # A text that ends here, and goes on behind it, could be another statement.
    if len(piece.text) > _LONGEST or _INDENTED.search(piece.text):
        raise Odd
    try:
        _, model = document(piece.text, path)
    except Invalid:
        raise Odd from None
    return model
