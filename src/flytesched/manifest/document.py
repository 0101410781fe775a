"""A manifest as a document: bytes to what they mean as TOML, within bounds."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from flytesched.errors import Fault, InvalidManifest
from flytesched.manifest.places import Lines, Misplaced, too_deep, too_long_key, too_long_word

if TYPE_CHECKING:
    from pathlib import Path

#: Tables and arrays inside each other; a manifest needs four. Whoever walks through one later, or
#: shows it, may do so by recursion.
MAX_DEPTH = 32
#: Lines, commas and dots, of which each may cost tomllib a value or a table: some hundred bytes.
MAX_PIECES = 2**22
#: Tables of tables that have a name, beside the schedules.
NAMED = ("calendars", "channels")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def document(content: bytes | str, path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text and what it means as TOML.

    Raises:
        InvalidManifest: it is no TOML, or beyond the bounds.
    """
    text = _decoded(content, path) if isinstance(content, bytes) else content
    if sum(map(text.count, "\n,.")) > MAX_PIECES:
        what = f"has more than {MAX_PIECES:,} lines, commas and dots"
        raise _broken(path, what, None, "split it, or remove schedules")
    if (offset := too_long_word(text)) is not None:
        what = "a number, or a key without quotes, has more than 1,000 characters"
        raise _broken(path, what, Lines.line(text, offset))
    try:
        offset = too_long_key(text)
        model = tomllib.loads(text) if offset is None else {}
    except Misplaced as error:
        raise _broken(path, f"is not TOML: {error.what}", Lines.line(text, error.offset)) from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from None
    except RecursionError:
        raise _too_deep(path, text) from None
    if offset is not None:
        raise _broken(path, "a dotted key has too many parts", Lines.line(text, offset))
    if _is_deep(model):
        raise _too_deep(path, text)
    return text, model


def _is_deep(model: object) -> bool:
    """Tell whether a document is nested deeper than MAX_DEPTH; without recursion."""
    level: list[Any] = [model]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep(path: Path, text: str) -> InvalidManifest:
    at = too_deep(text, MAX_DEPTH)
    instead = f"put at most {MAX_DEPTH} tables and arrays inside each other"
    line = None if at is None else Lines.line(text, at)
    return _broken(path, "is nested too deeply", line, instead)


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _broken(path, "is UTF-16", 1, "save it as UTF-8")
    if content.startswith(b"\xef\xbb\xbf"):
        raise _broken(path, "begins with a byte order mark", 1, "save it as UTF-8 without one")
    if (at := content.find(b"\0")) >= 0:
        what = "holds a NUL byte"
        raise _broken(path, what, content.count(b"\n", 0, at) + 1, "remove it: a manifest is text")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _broken(path, "is not UTF-8 text", line, "save it as UTF-8") from None


def _not_toml(path: Path, text: str, said: str) -> InvalidManifest:
    line = text.count("\n") + (not text.endswith("\n"))
    if (match := _WHERE.search(said)) and match[1]:
        line = int(match[1])
    what = _WHERE.sub("", said).replace("Cannot ", "cannot ", 1)
    return _broken(path, f"is not TOML: {what[:1].lower()}{what[1:]}", max(line, 1))


def _broken(path: Path, what: str, line: int | None, instead: str | None = None) -> InvalidManifest:
    return InvalidManifest(str(path), [Fault(key="", what=what, instead=instead, line=line)])
