"""Keys: what a terminal sends for them, as words; bytes in, words out."""

from __future__ import annotations

import re
from enum import StrEnum


class Key(StrEnum):
    """A key that types no character; every other key is the character that it types."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    TAB = "tab"
    BACK_TAB = "back tab"
    ENTER = "enter"
    ESCAPE = "escape"
    BACKSPACE = "backspace"


#: Control characters that are keys.
_CONTROLS = {
    0x09: Key.TAB, 0x0A: Key.ENTER, 0x0D: Key.ENTER, 0x08: Key.BACKSPACE, 0x7F: Key.BACKSPACE,
}  # fmt: skip
#: What stands between ``ESC [``, or ``ESC O``, and the end of a sequence, and that end (xterm,
#: the text console, rxvt). A modifier such as Shift is a parameter that is not asked for.
_FINALS = {
    "A": Key.UP, "B": Key.DOWN, "H": Key.HOME, "F": Key.END, "Z": Key.BACK_TAB, "M": Key.ENTER,
}  # fmt: skip
_NUMBERS = {
    "1": Key.HOME, "4": Key.END, "5": Key.PAGE_UP, "6": Key.PAGE_DOWN, "7": Key.HOME, "8": Key.END,
}  # fmt: skip
#: A sequence of ECMA-48, or of the keypad; and the beginning of one.
_SEQUENCE = re.compile(rb"\x1b(?:\[([0-?]*)[ -/]*|O())([@-~])")
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


def decode(sent: bytes, *, whole: bool) -> tuple[list[str], bytes]:
    """Return the keys that were pressed, and what is the beginning of one more.

    Args:
        sent: what the terminal sent, and what was left of what it sent before.
        whole: whether nothing more belongs to it: then ESC at its end is the key Escape.
    """
    keys: list[str] = []
    at = 0
    while at < len(sent):
        if sent[at] != 0x1B:
            keys += _plain(sent[at])
            at += 1
        elif (found := _SEQUENCE.match(sent, at)) is not None:
            keys += _special(found)
            at = found.end()
        elif not whole and _BEGUN.match(sent, at):
            return keys, sent[at:]
        else:
            keys.append(Key.ESCAPE)
            at += 1
    return keys, b""


def _plain(code: int) -> list[str]:
    """Return the key of a byte; no name has a character that takes more than one."""
    if code in _CONTROLS:
        return [_CONTROLS[code]]
    return [chr(code)] if 0x20 <= code < 0x7F else []


def _special(found: re.Match[bytes]) -> list[str]:
    """Return the key of a sequence; of one that nobody asks for none."""
    parameters, _, final = (part.decode("ascii") for part in found.groups(default=b""))
    number = parameters.partition(";")[0]
    key = _NUMBERS.get(number) if final == "~" else _FINALS.get(final)
    return [] if key is None else [key]
