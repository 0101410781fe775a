"""Pictures made of text: values in, text out; nothing is asked and nothing is written here.

Each has a plain form of ASCII alone, for terminals and fonts that have no more. What a glyph says
is never said by its colour alone.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from flytesched.cli.render import tone
from flytesched.core.runs import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Stands for every status before the verdict.
_ACTIVE = "active"
#: The glyph of each status, and the one of ASCII; each takes one column in any font.
_GLYPHS = {
    "succeeded": ("\u2713", "."),
    "failed": ("\u2717", "F"),
    "timed_out": ("\u25f7", "T"),
    "interrupted": ("\u21af", "I"),
    "skipped": ("\u00bb", "s"),
    "missed": ("\u25cc", "m"),
    "cancelled": ("\u2298", "c"),
    _ACTIVE: ("\u25b8", ">"),
}
#: The eighths of a column, and shades from nothing to all.
_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"
_SHADES = (" \u2591\u2592\u2593\u2588", " .:+#")


def drawable(encoding: str | None, terminal: str | None) -> bool:
    """Tell whether all glyphs can be shown; else pictures are to be plain.

    Args:
        encoding: what stdout encodes texts with.
        terminal: ``TERM``. The font of a text console has not all of them.
    """
    glyphs = "".join(glyph for glyph, _ in _GLYPHS.values()) + _EIGHTHS + _SHADES[0]
    try:
        glyphs.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return terminal not in {"linux", "dumb"}


def strip(
    statuses: Iterable[str],
    *,
    plain: bool = False,
    paint: Callable[[str, str], str] = lambda text, _: text,
) -> str:
    """Return one glyph for each status, in their order: give the oldest first.

    Args:
        statuses: words such as ``succeeded`` or ``missed``; those of active runs look alike.
        plain: whether to use ASCII alone.
        paint: colours a text in a tone, as ``render.painter`` does.
    """
    runs = groupby(map(_kind, statuses))
    return "".join(paint(_GLYPHS[kind][plain] * len([*same]), tone(kind)) for kind, same in runs)


def legend(statuses: Iterable[str], *, plain: bool = False) -> list[str]:
    """Return what the glyphs mean that a strip of these statuses has: ``. succeeded``."""
    kinds = {*map(_kind, statuses)}
    return [
        f"{glyphs[plain]} {kind.replace('_', ' ')}"
        for kind, glyphs in _GLYPHS.items()
        if kind in kinds
    ]


def bar(part: float, width: int, *, plain: bool = False) -> str:
    """Return a bar of ``width`` columns of which a part of 1 is filled, to an eighth of a column.

    It is empty for nothing alone, and full for all alone.
    """
    steps = 1 if plain else 8
    whole = width * steps
    filled = whole if part >= 1 else min(max(round(part * whole), part > 0), whole - 1)
    full, rest = divmod(filled, steps)
    if plain:
        return "#" * full + "-" * (width - full)
    return f"{_EIGHTHS[-1] * full}{_EIGHTHS[rest].strip()}".ljust(width)


def shade(part: float, *, plain: bool = False) -> str:
    """Return the cell of a heat map for a part of 1; blank for nothing alone."""
    shades = _SHADES[plain]
    most = len(shades) - 1
    return shades[min(max(round(part * most), part > 0), most)]


def _kind(status: str) -> str:
    return _ACTIVE if status in ACTIVE else status
