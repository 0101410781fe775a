"""Where things stand in a TOML text: its statements, with the lines and characters they take.

tomllib says what a text means but not where; this says where, for texts that tomllib accepts.
It walks with regular expressions and no recursion, so neither depth nor dotted keys cost more
than their length.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from enum import Enum
from typing import NamedTuple

_BARE = r"[A-Za-z0-9_-]++"
_BASIC = r'"(?:[^"\\\n]|\\.)*+"'
_LITERAL = r"'[^'\n]*+'"
_PART = re.compile(rf"{_BARE}|{_BASIC}|{_LITERAL}")
_SPACE = re.compile(r"[ \t]++")
_REST = re.compile(r"[ \t]*+(?:#[^\n]*+)?+\r?(?:\n|\Z)")
_HEADER = re.compile(r"\[\[?+")
#: The common statement at one go: a bare key and a value without brackets or escapes.
_PLAIN = re.compile(
    r"[ \t]*+([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+"
    r"(\"[^\"\\\n]*+\"|'[^'\n]*+'|[^\s\"'\[\]{},#]++)[ \t]*+(?:#[^\n]*+)?+\r?(?:\n|\Z)"
)
_TOKEN = re.compile(
    r'(?P<string>"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    rf"|{_BASIC}|{_LITERAL})"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<equals>=)|(?P<newline>\n)"
    r"|(?P<comment>#[^\n]*+)|(?P<space>[ \t\r]++)|(?P<bare>[^\s\"'\[\]{},#=]++)"
)
#: Dotted keys longer than this are refused: tomllib takes time with the square of their length.
MAX_PARTS = 64
_MANY_DOTS = re.compile(rf"\.(?:[^.\n]*+\.){{{MAX_PARTS - 1}}}")
#: Numbers and bare keys longer than this are refused: Python reads decimal integers of up to 4,300
#: digits, and shows none that is longer, however it was written.
MAX_WORD = 1000
_LONG_WORD = re.compile(rf"(?<![0-9A-Za-z_])[0-9A-Za-z_]{{{MAX_WORD + 1}}}")
#: Parts of a path by which a line can be found; faults are about four.
_FOUND_BY = 8

Path = tuple[str, ...]


class Misplaced(ValueError):  # noqa: N818  it names a place, not a kind of error
    """The text is not TOML, or beyond the bounds, at a line."""

    def __init__(self, offset: int, what: str) -> None:
        """Keep what is wrong and the character where it is."""
        super().__init__(what)
        self.what = what
        self.offset = offset


class Kind(Enum):
    """What a statement is."""

    #: ``[table]``.
    HEADER = "header"
    #: ``[[table]]``.
    ARRAY = "array"
    #: ``key = value``.
    VALUE = "value"
    #: Blank line or comment.
    BLANK = "blank"


class Statement(NamedTuple):
    """One statement of the text, whole lines."""

    #: What it is.
    kind: Kind
    #: Full path of the table or value it is about, that of its header included; empty for a blank.
    path: Path
    #: How many parts of ``path`` come from the header above it.
    depth: int
    #: First character, at the beginning of its line.
    start: int
    #: Behind its last character, the line's end included.
    end: int
    #: Characters of the value; ``(0, 0)`` unless kind is VALUE.
    value: tuple[int, int]


class Entry(NamedTuple):
    """One ``key = value`` inside an inline table."""

    #: Path of the key inside the table.
    path: Path
    #: First character of the key.
    start: int
    #: Characters of the value.
    value: tuple[int, int]


def scan(text: str) -> list[Statement]:
    """Return every statement of ``text``, blanks included, so that together they are the text.

    Raises:
        Misplaced: the text is not TOML, or a dotted key is too long.
    """
    found: list[Statement] = []
    table: Path = ()
    at = 0
    while at < len(text):
        if plain := _PLAIN.match(text, at):
            path = (*table, plain[1])
            found.append(Statement(Kind.VALUE, path, len(table), at, plain.end(), plain.span(2)))
            at = plain.end()
            continue
        statement = _statement(text, at, table)
        if statement.kind in {Kind.HEADER, Kind.ARRAY}:
            table = statement.path
        found.append(statement)
        at = statement.end
    return found


def entries(text: str, value: tuple[int, int]) -> list[Entry] | None:
    """Return the entries of the inline table at ``value``; None if it is no inline table."""
    at, end = value
    if not text.startswith("{", at):
        return None
    found: list[Entry] = []
    at = _skip(text, at + 1)
    while at < end - 1:
        start = at
        path, at = _key(text, at)
        at = _skip(text, at)
        if not text.startswith("=", at):
            raise Misplaced(at, "expected '=' after a key")
        at = _skip(text, at + 1)
        last = _value(text, at, inside=True)
        found.append(Entry(path, start, (at, last)))
        at = _skip(text, last)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
    return found


def too_long_key(text: str) -> int | None:
    """Return the character of a dotted key beyond MAX_PARTS; None if there is none.

    Quick for texts without lines full of dots, which are all but made-up ones.

    Raises:
        Misplaced: the text holds such lines and is not TOML.
    """
    if not _MANY_DOTS.search(text):
        return None
    try:
        scan(text)
    except Misplaced as error:
        if error.what == _TOO_LONG:
            return error.offset
        raise
    return None


def too_long_word(text: str) -> int | None:
    """Return the character of a number or bare key beyond MAX_WORD; None if there is none."""
    # Looking at lines first takes a tenth of the time, as hardly any is long.
    if not any(len(line) > MAX_WORD and _LONG_WORD.search(line) for line in text.split("\n")):
        return None
    at = 0
    while token := _TOKEN.match(text, at):
        if token.lastgroup == "bare" and len(token[0]) > MAX_WORD:
            return at
        at = token.end()
    return None


def too_deep(text: str, most: int) -> int | None:
    """Return the character where more than ``most`` brackets are open; None where keys do it."""
    at = depth = 0
    while depth <= most and (token := _TOKEN.match(text, at)):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        at = token.end()
    return at - 1 if depth > most else None


def key_parts(text: str, at: int) -> list[tuple[int, int]]:
    """Return the characters of each part of the dotted key at ``at``, quotes included."""
    found: list[tuple[int, int]] = []
    while part := _PART.match(text, at):
        found.append(part.span())
        dot = _blanks(text, part.end())
        if not text.startswith(".", dot):
            break
        at = _blanks(text, dot + 1)
    return found


def key_of(text: str, statement: Statement) -> int:
    """Return the first character of the key of a statement, behind the bracket of a header."""
    at = _blanks(text, statement.start)
    header = _HEADER.match(text, at)
    return _blanks(text, header.end()) if header else at


class Lines:
    """Line numbers of tables, keys and characters; made only when there is a fault to place."""

    def __init__(self, text: str) -> None:
        """Read the text once."""
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._places: dict[Path, int] = {}
        try:
            statements = scan(text)
        except Misplaced:  # tomllib accepted it: say faults without lines rather than not at all
            statements = []
        for statement in statements:
            if statement.kind is not Kind.BLANK:
                line = self.at(statement.start)
                for length in range(1, min(len(statement.path), _FOUND_BY) + 1):
                    self._places.setdefault(statement.path[:length], line)
                if statement.kind is Kind.HEADER:
                    # The table's own header names it better than a sub-table's above it.
                    self._places[statement.path] = line

    @staticmethod
    def line(text: str, offset: int) -> int:
        """Return the 1-based line of a character, where only one is asked for."""
        return text.count("\n", 0, offset) + 1

    def at(self, offset: int) -> int:
        """Return the 1-based line of a character."""
        return bisect_right(self._ends, offset - 1) + 1

    def exactly(self, path: Path) -> int | None:
        """Return the 1-based line of the table or key ``path``; None if it is not in the text."""
        return self._places.get(path)

    def of(self, path: Path) -> int | None:
        """Return the 1-based line of the longest part of ``path`` that stands in the text."""
        for length in range(len(path), 0, -1):
            if line := self._places.get(path[:length]):
                return line
        return None


_TOO_LONG = f"a dotted key has more than {MAX_PARTS} parts"


def _statement(text: str, at: int, table: Path) -> Statement:
    """Return the statement at the beginning of a line."""
    start = at
    at = _blanks(text, at)
    if rest := _REST.match(text, at):
        return Statement(Kind.BLANK, (), len(table), start, rest.end(), (0, 0))
    if header := _HEADER.match(text, at):
        path, at = _key(text, _skip(text, header.end()))
        close = "]" * len(header[0])
        if not text.startswith(close, at := _skip(text, at)):
            raise Misplaced(at, f"expected {close!r} behind the name of a table")
        kind = Kind.ARRAY if len(close) == 2 else Kind.HEADER
        return Statement(kind, path, len(path), start, _line_end(text, at + len(close)), (0, 0))
    path, at = _key(text, at)
    if not text.startswith("=", at := _skip(text, at)):
        raise Misplaced(at, "expected '=' after a key")
    at = _skip(text, at + 1)
    last = _value(text, at, inside=False)
    return Statement(
        Kind.VALUE, (*table, *path), len(table), start, _line_end(text, last), (at, last)
    )


def _key(text: str, at: int) -> tuple[Path, int]:
    """Return a dotted key and the character behind it."""
    parts: list[str] = []
    while part := _PART.match(text, at):
        parts.append(_word(part[0], at))
        if len(parts) > MAX_PARTS:
            raise Misplaced(at, _TOO_LONG)
        at = part.end()
        dot = _blanks(text, at)
        if not text.startswith(".", dot):
            return tuple(parts), at
        at = _blanks(text, dot + 1)
    raise Misplaced(at, "expected a key")


def _word(token: str, at: int) -> str:
    if token[0] == "'":
        return token[1:-1]
    if token[0] != '"':
        return token
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(tomllib.loads(f"k = {token}")["k"])
    except tomllib.TOMLDecodeError:
        raise Misplaced(at, "a quoted key is not TOML") from None


def _value(text: str, at: int, *, inside: bool) -> int:
    """Return the character behind the value at ``at``; trailing blanks are not of it."""
    depth = dots = 0
    first = last = at
    while token := _TOKEN.match(text, at):
        kind = token.lastgroup
        at = token.end()
        if depth == 0 and (
            kind in {"comment", "newline"} or (inside and kind in {"comma", "close"})
        ):
            break
        if kind == "bare":
            dots += token[0].count(".")
            if dots > MAX_PARTS and depth:
                raise Misplaced(token.start(), _TOO_LONG)
        elif kind in {"comma", "open", "equals"}:
            dots = 0
        depth += (kind == "open") - (kind == "close")
        if kind not in {"space", "newline", "comment"}:
            last = at
        if depth < 0:
            break
    if last == first or depth:
        raise Misplaced(first, "a value is missing or has no end")
    return last


def _blanks(text: str, at: int) -> int:
    """Return the character behind blanks of the same line."""
    blanks = _SPACE.match(text, at)
    return blanks.end() if blanks else at


def _skip(text: str, at: int) -> int:
    """Return the character behind blanks; line ends and comments too, as inside brackets."""
    while (token := _TOKEN.match(text, at)) and token.lastgroup in {"space", "newline", "comment"}:
        at = token.end()
    return at


def _line_end(text: str, at: int) -> int:
    if rest := _REST.match(text, at):
        return rest.end()
    raise Misplaced(at, "expected the end of the line")
