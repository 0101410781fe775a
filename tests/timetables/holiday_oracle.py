"""Holidays read a second time, slowly: which dates run, which move and which are left out.

Nothing of flytesched is used. Dates are looked at one by one, times by asking zoneinfo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wall_oracle import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
STEP = {"next": DAY, "previous": -DAY}
#: How far a date may move, in days.
FAR = 400


@dataclass
class Divided:
    """Dates, divided."""

    #: Those that run, and whence: itself, or a date that is off.
    runs: dict[date, date] = field(default_factory=dict)
    #: Those left out, and whereto they would have moved.
    left_out: dict[date, date | None] = field(default_factory=dict)


def divided(own: Iterable[date], off: Callable[[date], bool], mode: str) -> Divided:
    """Divide dates: each that is off looks for one that is not, the nearest go first."""
    own = sorted(set(own))
    found = Divided(runs={day: day for day in own if not off(day)})
    homeless = [day for day in own if off(day)]
    for day in homeless if mode == "previous" else reversed(homeless):
        to = landing(day, off, mode)
        if to is None or to in found.runs:
            found.left_out[day] = to
        else:
            found.runs[to] = day
    return found


def landing(day: date, off: Callable[[date], bool], mode: str) -> date | None:
    """Return the nearest date that is not off; None for none, or where nothing moves."""
    if mode == "skip":
        return None
    return next((to for k in range(1, FAR + 1) if not off(to := day + k * STEP[mode])), None)


def days(first: date, last: date) -> list[date]:
    """Return all dates from one to another."""
    return [first + k * DAY for k in range((last - first).days + 1)]


def instant(day: date, clock: time, zone: str) -> int:
    """Return when a fixed time comes: the first of two, or the first minute after a skip."""
    moment = datetime.combine(day, clock)
    while True:
        shown = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if shown.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment:
            return int(shown.timestamp())
        moment += MINUTE


class On(Job):
    """A five-field expression on other dates than it says."""

    def __init__(self, text: str, dates: Iterable[date]) -> None:
        super().__init__(text)
        dates = frozenset(dates)
        self.on = dates.__contains__
