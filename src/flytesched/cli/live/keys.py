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


#: What stands before a text that was pasted, which is one key: nobody has read it as commands.
PASTED = "\x1b"
#: Control characters that are keys.
_CONTROLS = {
    0x09: Key.TAB, 0x0A: Key.ENTER, 0x0D: Key.ENTER, 0x08: Key.BACKSPACE, 0x7F: Key.BACKSPACE,
}  # fmt: skip
#: What stands between ``ESC [``, or ``ESC O``, and the end of a sequence, and that end (xterm,
#: the text console, rxvt). A modifier such as Shift is a parameter that is not asked for.
_FINALS = {"A": Key.UP, "B": Key.DOWN, "H": Key.HOME, "F": Key.END, "Z": Key.BACK_TAB}
_NUMBERS = {
    "1": Key.HOME, "4": Key.END, "5": Key.PAGE_UP, "6": Key.PAGE_DOWN, "7": Key.HOME, "8": Key.END,
}  # fmt: skip
#: What the keypad sends for Enter; ``ESC [ M`` is what a mouse does.
_KEYPAD_ENTER = b"\x1bOM"
#: What a terminal puts around a text that is pasted, and bytes that are kept of one.
_PASTE, _KEPT = rb"\x1b\[200~", 1_000
#: All that is sent for one key: a text that is pasted; an answer of the terminal, which nobody has
#: asked for; a sequence of ECMA-48, or of the keypad; a character.
_ONE = re.compile(
    _PASTE + rb"(?P<pasted>.*?)\x1b\[201~"
    rb"|(?!" + _PASTE + rb")\x1b(?:"
    rb"[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|(?:\[(?P<parameters>[0-?]*)[ -/]*|O)(?P<final>[@-~]))"
    rb"|(?P<plain>[^\x1b])",
    re.DOTALL,
)
#: The beginning of one, of which the rest comes soon; and of a paste, which ends at its end alone.
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O|[]PX^_][^\x07\x1b]*\x1b?)?\Z")
_PASTE_BEGUN = re.compile(_PASTE)


def decode(sent: bytes, *, whole: bool) -> tuple[list[str], bytes]:
    """Return the keys that were pressed, and what is the beginning of one more.

    Args:
        sent: what the terminal sent, and what was left of what it sent before.
        whole: whether nothing more belongs to it: then ESC at its end is the key Escape.
    """
    keys: list[str] = []
    at = 0
    while at < len(sent):
        if (found := _ONE.match(sent, at)) is not None:
            keys += _keys(found)
            at = found.end()
        elif (begun := _PASTE_BEGUN.match(sent, at)) is not None:
            return keys, begun[0] + sent[begun.end() :][-_KEPT:]
        elif not whole and _BEGUN.match(sent, at):
            return keys, sent[at:]
        else:
            keys.append(Key.ESCAPE)
            at += 1
    return keys, b""


def _keys(found: re.Match[bytes]) -> list[str]:
    """Return the key that something was sent for; none if nobody asks for it."""
    if (plain := found["plain"]) is not None:
        return _plain(plain[0])
    if (pasted := found["pasted"]) is not None:
        return [PASTED + "".join(key for code in pasted for key in _plain(code) if len(key) == 1)]
    return [] if found["final"] is None else _special(found)


def _plain(code: int) -> list[str]:
    """Return the key of a byte; no name has a character that takes more than one."""
    if code in _CONTROLS:
        return [_CONTROLS[code]]
    return [chr(code)] if 0x20 <= code < 0x7F else []


def _special(found: re.Match[bytes]) -> list[str]:
    if found[0] == _KEYPAD_ENTER:
        return [Key.ENTER]
    parameters, final = (found["parameters"] or b"").decode("ascii"), found["final"].decode("ascii")
    number = parameters.partition(";")[0]
    key = _NUMBERS.get(number) if final == "~" else _FINALS.get(final)
    return [] if key is None else [key]
