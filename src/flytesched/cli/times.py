"""Times that people type, in the error of their option; and times as they are shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flytesched.core.durations import parse_duration
from flytesched.core.instants import rfc3339_local
from flytesched.errors import Invalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

#: 9999-12-31T23:59:59Z.
_LAST = 253_402_300_799
_UTC = frozenset({"UTC", "Etc/UTC"})


def moment(option: str, text: str, *, now: float, zone: str, ahead: bool = False) -> int:
    """Return the epoch second that a text means.

    Args:
        option: named in the error.
        text: what was typed. A duration counts back from now; ``+2h`` and ``in 2h`` count ahead.
        now: epoch seconds.
        zone: IANA name of the clock that local times are on.
        ahead: whether a bare duration counts ahead instead.

    Raises:
        UsageError: it means no time.
    """
    from flytesched.cli import moments  # most commands only show times

    try:
        return moments.read(text, now=now, zone=zone, ahead=ahead)
    except Invalid as error:
        what = f"{option}: {text!r} is no time that can be used"
        raise UsageError(what, hint=moments.meant(text) or error.hint) from None


def later(option: str, text: str, *, now: float) -> int:
    """Return the epoch second that lies a duration after ``now``, rounded up.

    Raises:
        UsageError: it is no duration, or none at all.
    """
    try:
        found = parse_duration(text)
    except Invalid as error:
        msg = f"{option}: {error.message}"
        raise UsageError(msg, hint=error.hint) from None
    if not found:
        msg = f"{option}: {text!r} is no time at all"
        raise UsageError(msg, hint="write a duration such as 30min, 2h or 3d")
    return min(math.ceil(now + found.total_seconds()), _LAST)


def clock_of(zone: str) -> Callable[[float], str]:
    """Return a function that shows an instant on a zone's clock: ``2026-11-21 03:00:00+01:00``."""

    def show(epoch: float) -> str:
        said = rfc3339_local(epoch, zone).replace("T", " ")
        return said.removesuffix("+00:00") + "Z" if zone in _UTC else said

    return show
