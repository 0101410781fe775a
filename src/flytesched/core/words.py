"""Words: the values of command-line options, as raw values that the readers of keys take.

What cannot be understood is passed on as it is: the reader says what is wrong with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flytesched.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def last_word(words: Sequence[str]) -> Any:
    """Return the last word: an option given twice means what it says last."""
    return words[-1]


def parse_flag(words: Sequence[str]) -> Any:
    """Read ``true``, ``yes``, ``false`` or ``no``."""
    return _FLAGS.get(words[-1], words[-1])


def parse_int(words: Sequence[str]) -> Any:
    """Read a whole number."""
    return int(words[-1]) if _INTEGER.fullmatch(words[-1]) else words[-1]


def parse_ints(words: Sequence[str]) -> Any:
    """Read ``0,2``, or several such words."""
    parts = [part for word in words for part in word.split(",")]
    return [parse_int([part.strip()]) for part in parts]


def parse_list(words: Sequence[str]) -> Any:
    """Read ``one,two``, or several such words; an empty one is an empty list."""
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def parse_pairs(words: Sequence[str]) -> Any:
    """Read KEY=VALUE words.

    Raises:
        Invalid: a word has no ``=``.
    """
    pairs = [word.partition("=") for word in words]
    if any(not separator for _, separator, _ in pairs):
        msg = "is not KEY=VALUE"
        raise Invalid(msg, hint="write KEY=VALUE")
    return {key: value for key, _, value in pairs}


def parse_retry(words: Sequence[str]) -> Any:
    """Read ``3`` or ``max_attempts=3,delay=5s``.

    Raises:
        Invalid: a part has no ``=``.
    """
    if len(words) == 1 and _INTEGER.fullmatch(words[0]):
        return {"max_attempts": int(words[0])}
    parts = [part.strip() for word in words for part in word.split(",")]
    if wrong := [part for part in parts if "=" not in part]:
        msg = f"{wrong[0]!r} is not KEY=VALUE"
        raise Invalid(msg, hint="write a number, such as 3, or max_attempts=3,delay=10s")
    found = parse_pairs(parts)
    if "max_attempts" in found:
        found["max_attempts"] = parse_int([found["max_attempts"]])
    if _NUMBER.fullmatch(found.get("multiplier", "")):
        found["multiplier"] = float(found["multiplier"])
    return found
