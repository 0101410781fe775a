"""Clock changes: when a zone's clock is set, and what that does to a timetable's times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flytesched.core.timetables.tables import clock_face, parts_of
from flytesched.core.timetables.zones import CORRECTION, HORIZON, tz, zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.timetables.timing import Timing
    from flytesched.core.timetables.walk import WallTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a zone's clock. Local times are seconds since 1970 on that clock."""

    #: First instant with the new offset, in epoch seconds.
    at: int
    #: Local time minus UTC up to the change, in seconds.
    before: int
    #: The same from the change on.
    after: int

    @property
    def forward(self) -> bool:
        """Whether time is skipped; else it is shown twice."""
        return self.after > self.before

    @property
    def low(self) -> int:
        """First local time that is skipped, or shown twice."""
        return self.at + min(self.before, self.after)

    @property
    def high(self) -> int:
        """First local time after those."""
        return self.at + max(self.before, self.after)

    @property
    def correction(self) -> bool:
        """Whether it is so large that nothing is made up or held back."""
        return self.high - self.low >= CORRECTION


class Effect(StrEnum):
    """What a clock change does to the times of a timetable."""

    #: None of its times is skipped or shown twice.
    NONE = "none"
    #: Skipped, and run once at the first minute after.
    MADE_UP = "made_up"
    #: Skipped, and not run.
    LEFT_OUT = "left_out"
    #: Shown twice, and run the first time.
    FIRST_ONLY = "first_only"
    #: Shown twice, and run both times.
    BOTH_TIMES = "both_times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """A clock change as a timetable feels it."""

    #: The change.
    change: Change
    #: What it does.
    effect: Effect
    #: How many times of the timetable are skipped, or shown twice.
    times: int
    #: The first of them, as local time; None if there is none.
    first: int | None

    @property
    def made_up(self) -> int:
        """Local time at which what is skipped is made up."""
        return -(-self.change.high // 60) * 60


def changes(name: str, after: int, until: int) -> Iterator[Change]:
    """Yield the changes of a zone's clock in (after, until].

    Raises:
        InvalidTimetable: the zone is unknown.
    """
    clock = zone(name)
    run = clock.at(max(after, 0))
    while run.end <= min(until, HORIZON - 1):
        following = clock.at(run.end)
        if following.offset != run.offset:
            yield Change(at=run.end, before=run.offset, after=following.offset)
        run = following


def felt(timing: Timing, change: Change) -> Felt:
    """Return what a change of its zone's clock does to a timing that follows a wall clock."""
    face = _face(timing)
    times = 0 if face is None else face.count(change.low, change.high)
    if face is None or not times:
        return Felt(change=change, effect=Effect.NONE, times=0, first=None)
    effect = _effect(change, fixed_time=face.fixed_time)
    return Felt(change=change, effect=effect, times=times, first=face.first(change.low))


def _face(timing: Timing) -> WallTimes | None:
    """Return the wall-clock times of a timing, without those on days off."""
    parts = parts_of(timing)
    return clock_face(timing) if parts is None else parts.wall


def _effect(change: Change, *, fixed_time: bool) -> Effect:
    tended = fixed_time and not change.correction
    if change.forward:
        return Effect.MADE_UP if tended else Effect.LEFT_OUT
    return Effect.FIRST_ONLY if tended else Effect.BOTH_TIMES


def moved(timing: Timing, kickoff: int) -> int | None:
    """Return the first skipped local time that is made up at a kickoff time; None if none is."""
    face = clock_face(timing)
    if face is None or not face.fixed_time or timing.timezone is None:
        return None
    run = zone(timing.timezone).at(kickoff)
    skipped = face.first(run.skipped)
    return skipped if run.made_up == kickoff and skipped < run.start + run.offset else None


def showing(name: str, instant: int) -> int | None:
    """Return 1 or 2 if a zone's clock shows the time of an instant twice: which showing it is."""
    local = datetime.fromtimestamp(instant, tz(name))
    if local.fold:
        return 2
    return None if local.utcoffset() == local.replace(fold=1).utcoffset() else 1
