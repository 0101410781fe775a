"""Strips: the last slots and runs of schedules on stdout, one glyph each."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from flytesched.cli import render
from flytesched.cli.pictures import drawable, legend, strip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.cli.call import Call

#: What stands between a name and its strip, and the least that is drawn of a strip.
_GAP, _LEAST = 2, 10


def plainly() -> bool:
    """Tell whether pictures on stdout are to be of ASCII alone."""
    return not drawable(sys.stdout.encoding, os.environ.get("TERM"))


def draw(call: Call, strips: Mapping[str, Sequence[str]]) -> None:
    """Write a line for each name, the newest runs below each other on the right, and a legend.

    Args:
        call: says how wide the terminal is, and whether to colour.
        strips: statuses by name, the oldest first; what does not fit is left out on the left.
    """
    paint, plain = render.painter(colour=call.colour), plainly()
    room = max(map(render.width, strips), default=0)
    most = max(map(len, strips.values()), default=0)
    if call.room is not None:
        most = min(most, max(_LEAST, call.room - room - _GAP))
    shown = {name: statuses[-most:] for name, statuses in strips.items()}
    for name, statuses in shown.items():
        blank = " " * (room - render.width(name) + _GAP + most - len(statuses))
        call.write(f"{render.safe(name)}{blank}{strip(statuses, plain=plain, paint=paint)}\n")
    seen = {status for statuses in shown.values() for status in statuses}
    call.write("".join(f"{line}\n" for line in _folded(legend(seen, plain=plain), call.room)))


def _folded(words: Sequence[str], room: int | None) -> list[str]:
    """Return words in as few lines as fit."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{' ' * _GAP}{word}" if lines else word
        if room is None or len(longer) <= room or not lines:
            lines[-1:] = [longer]
        else:
            lines.append(word)
    return lines
