"""Times as short as they can be told from here: ``14:30``, ``Thu 14:30``, ``24 Dec 14:30``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flytesched.core.instants import rfc3339_local

if TYPE_CHECKING:
    from collections.abc import Callable

#: Days, before today or after it, in which the name of a weekday means one day only; and days in
#: which a day of a month does.
_WEEK, _YEAR = 7, 300


def short_clock_of(zone: str, now: float) -> Callable[[float], str]:
    """Return a function that shows an instant on a zone's clock, seen from ``now``.

    Seconds are told of a slot that has some: a whole number. How a run ended to the second is of
    no use here, and so is the time of day where the year has to be told.
    """
    today = _on_clock(now, zone).date()

    def show(epoch: float) -> str:
        moment = _on_clock(epoch, zone)
        days = abs((moment.date() - today).days)
        if days > _YEAR:
            return f"{moment:%Y-%m-%d}"
        told = isinstance(epoch, int) and moment.second
        clock = f"{moment:%H:%M:%S}" if told else f"{moment:%H:%M}"
        if days == 0:
            return clock
        return f"{moment:%a} {clock}" if days < _WEEK else f"{moment.day} {moment:%b} {clock}"

    return show


def _on_clock(epoch: float, zone: str) -> datetime:
    return datetime.fromisoformat(rfc3339_local(epoch, zone))
