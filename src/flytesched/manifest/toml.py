"""Values as TOML on one line, and whether two of them are the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from flytesched.core.keys import ALL_KEYS
from flytesched.errors import Invalid

_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: What a TOML literal string, the one in single quotes, may hold.
_VERBATIM = re.compile(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_ORDER = {key: index for index, key in enumerate(ALL_KEYS)}


def literal(value: Any) -> str:
    """Return ``value`` as TOML on one line.

    Raises:
        Invalid: TOML cannot say it.
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{word(key)} = {literal(entry)}" for key, entry in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(entry) for entry in value)}]"
    if isinstance(value, str):
        return _string(value)
    import tomli_w  # reading needs no writer

    try:
        return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")
    except TypeError:
        what = f"{value!r} cannot be written in TOML"
        raise Invalid(what, hint="write text, a number, true, false, a time or a list") from None


def word(key: str) -> str:
    """Return one part of a key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else _string(key)


def assignment(path: tuple[str, ...], value: Any) -> str:
    """Return ``key = value``, the key dotted."""
    return f"{'.'.join(map(word, path))} = {literal(value)}"


def block(name: str, table: Mapping[str, Any], newline: str) -> str:
    """Return a schedule's table with its header, keys in the order of the manual."""
    keys = sorted(table, key=lambda key: _ORDER.get(key, len(_ORDER)))
    return headed(("schedules", name), {key: table[key] for key in keys}, newline)


def headed(path: tuple[str, ...], table: Mapping[str, Any], newline: str) -> str:
    """Return a table with its header, a line for each key."""
    lines = [f"[{'.'.join(map(word, path))}]"]
    lines += [assignment((key,), value) for key, value in table.items()]
    return "".join(line + newline for line in lines)


def same(one: Any, other: Any) -> bool:
    """Tell whether two TOML values are the same, ``1`` and ``true`` and ``1.0`` apart."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)


def _string(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        what = f"{text!r} is not UTF-8 text"
        raise Invalid(what, hint="a manifest is UTF-8: name such files through a script") from None
    if ("\\" in text or '"' in text) and _VERBATIM.fullmatch(text):
        return f"'{text}'"
    # What JSON escapes is right in TOML too, which also wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
