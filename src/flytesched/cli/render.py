"""What people and programs read: tables, JSON, times and verdicts, all made safe to show."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flytesched.errors import FlyteschedError

    #: The title of a column, and its cells.
    _Column = tuple[str, list[str]]

#: Version of the shapes that ``--json`` writes.
SCHEMA = 1

#: Characters that a terminal obeys or hides instead of showing: C0, C1, separators, zero-width
#: and bidirectional controls, lone surrogates, tags (UTR 36, CVE-2021-42574). A pattern that is
#: compiled when there is such a text: most commands never meet one.
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_COLOURS = {"good": "32", "bad": "31", "odd": "33", "dim": "2", "head": "1"}
_TONES = {
    "succeeded": "good", "running": "good", "enabled": "good", "healthy": "good",
    "failed": "bad", "timed_out": "bad", "interrupted": "bad", "unhealthy": "bad", "broken": "bad",
    "missed": "odd", "skipped": "odd", "cancelled": "odd", "queued": "odd", "claimed": "odd",
    "retry_wait": "odd", "disabled": "dim", "paused": "dim", "never": "dim", "ended": "dim",
    "ok": "good", "problem": "bad", "warning": "odd",
    "sent": "good", "failing": "bad", "unknown": "odd", "dropped": "odd", "perhaps": "odd",
}  # fmt: skip
#: What stands between two columns, and the least that a cell is cut to.
_GAP = "  "
_LEAST = 8
#: Seconds in each unit of an approximate duration.
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


class Fit(TypedDict, total=False):
    """Titles of the columns that give way where a table has to fit; see ``table``."""

    elastic: Sequence[str]
    spare: Sequence[str]
    if_need_be: Sequence[str]


def safe(text: object, *, lines: bool = False) -> str:
    """Return a text with everything a terminal would obey written out as ``\\x1b``.

    Args:
        text: what somebody else wrote.
        lines: whether line ends and tabs may stay.
    """
    said = str(text)
    if said.isprintable():  # nothing unsafe is
        return said
    if lines:
        return re.sub(_UNSAFE, _written_unless_layout, said.replace("\r\n", "\n"))
    return re.sub(_UNSAFE, _written, said)


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _written_unless_layout(match: re.Match[str]) -> str:
    return match[0] if match[0] in "\n\t" else _written(match)


def write(text: str) -> None:
    """Write data to stdout."""
    sys.stdout.write(text)


def talk(text: str) -> None:
    """Write a line of talk to stderr, made safe; one that takes nothing changes no exit code.

    On a terminal it is wrapped at words into the width.
    """
    with suppress(OSError):
        room = room_to_talk()
        lines = [
            part for line in safe(text, lines=True).split("\n") for part in wrapped(line, room)
        ]
        sys.stderr.write("".join(f"{line}\n" for line in lines))


def room_to_talk() -> int | None:
    """Return the columns of the terminal that stderr is; None if it is none."""
    if not sys.stderr.isatty():
        return None
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except OSError:  # what is drawn up for a terminal, and shown later
        return None


def wrapped(text: str, room: int | None, *, hang: str = "  ") -> list[str]:
    """Return the lines of a text; words, such as paths and ids, are never cut.

    Args:
        text: one line, with or without an indentation.
        room: columns there are; None for no bound.
        hang: what the further lines are indented by, beyond the first one.
    """
    if room is None or width(text) <= room:
        return [text]
    first, *words = text.lstrip(" ").split(" ")
    indent = text[: len(text) - len(text.lstrip(" "))]
    lines = [indent + first]
    for word in words:
        if width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        elif word:
            lines.append(f"{indent}{hang}{word}")
    return [line.rstrip(" ") for line in lines]


def refusal(error: FlyteschedError) -> list[str]:
    """Return what is said of an error: what is wrong, line by line, and what to do about it."""
    from flytesched.errors import InvalidManifest, shortened

    lines = error.lines() if isinstance(error, InvalidManifest) else [error.message]
    said = [f"flytesched: {safe(shortened(line))}" for line in lines]
    return [*said, f"hint: {safe(shortened(error.hint))}"] if error.hint else said


def write_json(kind: str, facts: Mapping[str, Any]) -> None:
    """Write the one object that a ``--json`` command answers with."""
    import json

    said = {"schema": SCHEMA, "kind": kind, **facts}
    # ASCII: what a terminal would obey is written as \u escapes, and DEL, which is ASCII, too.
    write(json.dumps(said, indent=2, default=str).replace("\x7f", "\\u007f") + "\n")


def painter(*, colour: bool) -> Callable[[str, str], str]:
    """Return a function that paints a text in a tone, or leaves it alone."""

    def paint(text: str, tone: str) -> str:
        return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m" if colour and tone and text else text

    return paint


def tone(word: str) -> str:
    """Return the tone of a status such as ``failed(exit 3)``, or ``succeeded, 2 missed``."""
    found = _TONES.get(re.split(r"[(,\s]", word, maxsplit=1)[0], "")
    return "odd" if found != "bad" and word.endswith(" missed") else found


def width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata  # hardly any text needs it

    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Sequence[str] = (),
    toned: Sequence[str] = (),
    colour: bool = False,
    room: int | None = None,
    elastic: Sequence[str] = (),
    spare: Sequence[str] = (),
    if_need_be: Sequence[str] = (),
    least: Mapping[str, int] | None = None,
    faint: Collection[int] = (),
) -> str:
    """Return columns aligned with spaces; what is empty shows ``-``.

    Args:
        heads: titles of the columns.
        rows: cells; anything unsafe in them is written out.
        right: columns aligned to the right.
        toned: columns coloured by the status they hold.
        colour: whether to colour at all.
        room: columns of the terminal to fit into; None for no bound.
        elastic: titles of the columns whose cells may be cut to fit, the first one first.
        spare: titles of the columns that may be left out to fit, the first one first.
        if_need_be: those that are left out as well where cutting alone is not enough.
        least: how many columns of the terminal the cells of a column keep, whatever is cut.
        faint: numbers of the rows, from 0, that are dimmed as a whole.
    """
    columns = [
        (head, [safe("-" if cell is None or cell == "" else cell) for cell in cells])
        for head, *cells in zip(heads, *rows, strict=True)
    ]
    if room is not None:
        columns = _fitted(
            columns, room, {title: (least or {}).get(title, 0) for title in elastic}, spare,
            if_need_be,
        )  # fmt: skip
    lined = [
        _column(head, cells, right=head in right, toned=head in toned, colour=colour, faint=faint)
        for head, cells in columns
    ]
    return "".join(f"{_GAP.join(line).rstrip()}\n" for line in zip(*lined, strict=True))


def cut(text: str, most: int) -> str:
    """Return a text of at most so many columns of a terminal, with an ellipsis if it is cut."""
    if width(text) <= most:
        return text
    while text and width(text) > most - 1:
        text = text[:-1]
    return f"{text}\u2026"


def listed(words: Sequence[str], room: int | None) -> str:
    """Return words in a row, as many as fit into ``room``, and how many more there are.

    Args:
        words: what is listed; the first one always is.
        room: columns there are; None for no bound.
    """
    said = ", ".join(words)
    if room is None or len(words) < 2 or width(said) <= room:
        return said
    left = room - len(f" and {len(words):,} more")
    # Each word brings a comma and a space, of which the last one needs none.
    taken = accumulate(width(word) + 2 for word in words)
    count = max(1, sum(columns - 2 <= left for columns in taken))
    return f"{', '.join(words[:count])} and {len(words) - count:,} more"


def _fitted(
    columns: list[_Column],
    room: int,
    elastic: Mapping[str, int],
    spare: Sequence[str],
    if_need_be: Sequence[str],
) -> list[_Column]:
    """Return columns that fit into ``room``, as far as some may be left out or cut."""
    for title in spare:
        if _wide(columns) > room:
            columns = [each for each in columns if each[0] != title]
    fitted = _cut_to_fit(columns, room, elastic)
    for title in if_need_be:
        if _wide(fitted) > room:
            columns = [each for each in columns if each[0] != title]
            fitted = _cut_to_fit(columns, room, elastic)
    return fitted


def _cut_to_fit(columns: list[_Column], room: int, elastic: Mapping[str, int]) -> list[_Column]:
    for title, least in elastic.items():
        over = _wide(columns) - room
        if over > 0:
            columns = [
                (head, _narrowed(cells, over, max(len(head), least)) if head == title else cells)
                for head, cells in columns
            ]
    return columns


def _narrowed(cells: list[str], over: int, least: int) -> list[str]:
    most = max(least, _LEAST, max(map(width, cells), default=0) - over)
    return [cut(cell, most) for cell in cells]


def _wide(columns: Sequence[tuple[str, Sequence[str]]]) -> int:
    """Return how many columns of a terminal a table takes."""
    widths = [max(map(width, (head, *cells))) for head, cells in columns]
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _column(
    head: str,
    cells: Sequence[str],
    *,
    right: bool,
    toned: bool,
    colour: bool,
    faint: Collection[int],
) -> list[str]:
    """Return a column's title and its cells, each as wide as the widest."""
    said = [head, *cells]
    widths = [width(text) for text in said]
    if colour:
        paint = painter(colour=True)
        tones = [
            "dim" if row in faint else tone(cell) if toned else "" for row, cell in enumerate(cells)
        ]
        said = [paint(head, "head"), *map(paint, cells, tones)]
    most = max(widths)
    rooms = [" " * (most - taken) for taken in widths]
    if right:
        return [room + text for text, room in zip(said, rooms, strict=True)]
    return [text + room for text, room in zip(said, rooms, strict=True)]


def facts(rows: Sequence[tuple[str, object]], *, colour: bool = False) -> str:
    """Return ``name: value`` lines with aligned values; those without a value are left out."""
    paint = painter(colour=colour)
    shown = [(name, safe(value)) for name, value in rows if value is not None and value != ""]
    room = max((len(name) for name, _ in shown), default=0)
    return "".join(f"{name.rjust(room)}: {paint(value, tone(value))}\n" for name, value in shown)


def about(seconds: float) -> str:
    """Return an approximate duration of two units at most: ``2h 5min``, ``3s``, ``120ms``."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    left = int(seconds)
    said: list[str] = []
    for name, unit in _UNITS:
        count, left = divmod(left, unit)
        if count or said:
            said.append(f"{count}{name}" if count else "")
        if len(said) == 2:
            break
    return " ".join(part for part in said if part)


def plural(count: int, thing: str, things: str | None = None) -> str:
    """Return ``1 schedule``, ``2 schedules``."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
