"""A manifest in pieces, one for each table that has a name, each read for itself.

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
from flytesched.manifest.document import NAMED, document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: What may stand behind a header.
_BEHIND = r"\][ \t]*+(?:#[^\x00-\x08\x0a-\x1f\x7f]*+)?+\r?\n"
#: Headers at which a text is divided: of a table that has a name, or the first one of a table
#: below that; or of a table that stands alone.
_HEADER = re.compile(
    r"\[(?:(schedules|calendars|channels)"
    r"\.(?:([A-Za-z0-9_-]++)|\"([A-Za-z0-9._-]++)\"|'([A-Za-z0-9._-]++)')"
    rf"(?:\.|({_BEHIND}))"
    rf"|(settings|defaults|calendars|channels){_BEHIND})"
)
#: What a string may hold where nothing has to be translated.
_STRING = r"\"[^\"\\\x00-\x08\x0a-\x1f\x7f]*+\"|'[^'\x00-\x08\x0a-\x1f\x7f]*+'"
_REST = r"[ \t]*+(?:#[^\x00-\x08\x0a-\x1f\x7f]*+)?+\n"
_KEY = r"[A-Za-z0-9_-]{1,64}+"
_LIST = rf"\[[ \t]*+(?:(?:{_STRING})[ \t]*+(?:,[ \t]*+(?:{_STRING})[ \t]*+)*+,?+[ \t]*+)?+\]"
_VALUE = rf"(?:{_STRING}|true|false|0|[1-9][0-9]{{0,17}}+|{_LIST})"
#: One plain line: its key and value.
_PLAIN = re.compile(rf"^[ \t]*+({_KEY})[ \t]*+=[ \t]*+({_VALUE}){_REST}", re.MULTILINE)
#: Nothing but plain lines, blank ones and comments.
_ALL_PLAIN = re.compile(rf"(?:[ \t]*+(?:{_KEY}[ \t]*+=[ \t]*+{_VALUE})?+{_REST})*+")
#: A header that does not begin its line, whatever it is.
_INDENTED = re.compile(r"^[ \t]+\[", re.MULTILINE)
_STRINGS = re.compile(_STRING)
_WORDS = {"true": True, "false": False}
#: Characters of a piece beyond which it is not read for itself: a step shall be short.
_LONGEST = 2**15


class Odd(Exception):  # noqa: N818  it says what a text is; nothing went wrong
    """The text is not a row of plain tables, or has a fault: it has to be read as a whole."""


class Piece(NamedTuple):
    """A stretch of the text that is a document of its own."""

    #: The table it belongs to, such as ``schedules``; empty for what stands in front.
    table: str
    #: The name in that table, such as that of a schedule; empty for what is one by itself.
    name: str
    #: Its whole lines.
    text: str
    #: Characters of its header; 0 where it begins with that of a table below.
    head: int


def divide(text: str) -> Iterator[Piece]:
    """Yield the pieces of a text one by one, what stands in front of the first table first.

    Raises:
        Odd: a table begins that is none of the known ones; pieces before it were yielded.
    """
    table = name = ""
    start = head = 0
    at = 0 if text.startswith("[") else _next(text, 0)
    while at >= 0:
        if (header := _HEADER.match(text, at)) is None:
            raise Odd
        begins = header[1] or header[6], header[2] or header[3] or header[4] or ""
        if begins != (table, name) or not name:
            yield Piece(table, name, text[start:at], head)
            table, name = begins
            start, head = at, header.end() - at if header[5] or header[6] else 0
        at = _next(text, at)
    yield Piece(table, name, text[start:], head)


def _next(text: str, at: int) -> int:
    """Return where the next line begins that may be a header; -1 if there is none."""
    return text.find("\n[", at) + 1 or -1


def plain(piece: Piece) -> dict[str, Any] | None:
    """Return the table of a schedule in plain lines; None for any other."""
    if not _is_plain(piece):
        return None
    pairs = _PLAIN.findall(piece.text, piece.head)
    table = {key: value[1:-1] if value[0] in "\"'" else _other(value) for key, value in pairs}
    return table if len(table) == len(pairs) else None


def _other(value: str) -> list[str] | bool | int:
    """Return what a value means that is no string."""
    if value[0] == "[":
        return [text[1:-1] for text in _STRINGS.findall(value)]
    return _WORDS[value] if value in _WORDS else int(value)


def table_of(piece: Piece, path: Path) -> dict[str, Any]:
    """Return a table that has a name, as tomllib finds it in the whole text.

    Raises:
        Odd: it means something only together with the rest, or nothing.
    """
    model = _document(piece, path)
    found = model.get(piece.table)
    if len(model) == 1 and isinstance(found, dict) and len(found) == 1:
        table = found.get(piece.name)
        if isinstance(table, dict):
            return table
    raise Odd


class Top:
    """What stands beside the schedules, gathered piece by piece."""

    def __init__(self, path: Path) -> None:
        """Begin with nothing; ``path`` is for messages that nobody sees."""
        #: What the pieces say together, by the names of their tables.
        self.model: dict[str, Any] = {}
        self._path = path
        self._headers: set[tuple[str, str]] = set()

    def take(self, piece: Piece) -> None:
        """Add what a piece says.

        Raises:
            Odd: it speaks of schedules, means something only with the rest, or is no TOML.
        """
        header = (piece.table, piece.name)
        if header in self._headers:
            raise Odd
        self._headers.add(header)
        if piece.name:
            self._add(piece.table, {piece.name: table_of(piece, self._path)})
            return
        says = _document(piece, self._path)
        if piece.table in NAMED:
            tables = says.get(piece.table)
            if len(says) != 1 or not isinstance(tables, dict):
                raise Odd
            self._add(piece.table, tables)
            return
        # A header below what keys with dots or braces have said is no TOML.
        if "schedules" in says or says.keys() & {*self.model, *NAMED}:
            raise Odd
        self.model.update(says)

    def _add(self, table: str, says: dict[str, Any]) -> None:
        """Add tables that have a name."""
        found = self.model.setdefault(table, {})
        if found.keys() & says.keys():
            raise Odd
        found.update(says)


def settings_of(content: bytes, path: Path) -> Mapping[str, Any]:
    """Return ``[settings]`` as written, without a look at what the schedules are.

    Raises:
        Odd: the text has to be read as a whole.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Odd from None
    top = Top(path)
    for piece in divide(text):
        if piece.table != "schedules":
            top.take(piece)
        elif not _is_plain(piece):
            table_of(piece, path)
    found: object = top.model.get("settings", {})
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
