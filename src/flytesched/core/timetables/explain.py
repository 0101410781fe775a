"""A timetable in words: one sentence for what it names, and one for each rule that applies.

Two timings whose words are the same have the same slots: nothing that moves a slot is left out.
Calendars are told by their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched.core.durations import format_duration
from flytesched.core.instants import rfc3339
from flytesched.core.timetables import phrases
from flytesched.core.timetables.changes import Effect
from flytesched.core.timetables.daysoff import daysoff
from flytesched.core.timetables.face import face
from flytesched.core.timetables.oneshot import EPOCH
from flytesched.core.timetables.tables import period_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from flytesched.core.timetables.changes import Change, Felt
    from flytesched.core.timetables.face import Face
    from flytesched.core.timetables.timing import Timing

_FIXED_TIME = (
    "Fixed time: what the clock skips runs once, at the first minute after; what it shows twice"
    " runs the first time."
)
_WILDCARD = "Wildcard: what the clock skips does not run; what it shows twice runs both times."
_ELAPSED = "Elapsed time: no clock change moves it."
_UNCHANGING = "UTC: this clock never changes."
_EITHER = "Both day fields are restricted, and neither begins with *: either may match."
_BOTH = "One of the two restricted day fields begins with *: both must match."


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a timing means."""

    #: The times and days, such as ``At 02:00 on Monday to Friday, Europe/Berlin.``
    when: str
    #: How day of the month and weekday go together, where both are restricted.
    days: str | None
    #: What bounds and offset do, a sentence each.
    limits: tuple[str, ...]
    #: Which half of the daylight-saving rule applies.
    saving: str

    @property
    def sentence(self) -> str:
        """All of it."""
        return " ".join(part for part in (self.when, self.days, *self.limits, self.saving) if part)


def words(timing: Timing) -> Words:
    """Say what a timing means."""
    named = face(timing)
    when = _elapsed(timing) if named is None else _on_the_clock(named)
    zone = f", {timing.timezone}" if timing.timezone is not None else ""
    return Words(
        when=f"{when[:1].upper()}{when[1:]}{zone}{_days_off(timing)}.", days=_rule(named),
        limits=_limits(timing), saving=_saving(timing, named),
    )  # fmt: skip


def _elapsed(timing: Timing) -> str:
    """Say what follows no wall clock, or comes once."""
    if timing.kind == "at":
        return f"once, at {timing.expression.replace('T', ' ')}"
    rate = phrases.rate(period_of(timing))
    return f"{rate} of elapsed time, counted from {rfc3339(timing.anchor)}"


def _on_the_clock(named: Face) -> str:
    times, days = phrases.times_of_day(named.times, named.parts), phrases.days(named.days)
    if not days and not _goes_on(named.times):
        days = phrases.EVERY_DAY
    return f"{times} {days}".rstrip()


def _goes_on(times: Sequence[int]) -> bool:
    """Tell whether times go on from day to day, so that nobody asks on which."""
    return len({time // 3600 for time in times}) == 24 or phrases.round_the_clock(times) is not None


def _days_off(timing: Timing) -> str:
    """Say what becomes of slots on holidays, and on whose clock a day is one."""
    if timing.days_off is None:
        return ""
    off = daysoff(timing.days_off)
    clock = "" if timing.timezone is not None else f", {off.zone}"
    holidays = f"on holidays of {phrases.listed(off.calendars)}{clock}"
    if off.on_holiday == "skip":
        return f", except {holidays}"
    return f"; {holidays}, on the {off.on_holiday} day that is none, if it has no slots"


def _rule(named: Face | None) -> str | None:
    if named is None or not all(phrases.restricted(named.days)):
        return None
    return _BOTH if named.days.both else _EITHER


def _limits(timing: Timing) -> tuple[str, ...]:
    said = []
    if timing.offset:
        later = format_duration(timedelta(seconds=timing.offset))
        said.append(f"Each slot lies {later} after such a time.")
    if timing.start is not None:
        said.append(f"The first may be at {rfc3339(timing.start)}.")
    if timing.end is not None:
        said.append(f"All are before {rfc3339(timing.end)}.")
    return tuple(said)


def _saving(timing: Timing, named: Face | None) -> str:
    if timing.timezone is None:
        return _ELAPSED
    if timing.timezone == "UTC":
        return _UNCHANGING
    return _FIXED_TIME if named is None or named.fixed_time else _WILDCARD


# -- clock changes --------------------------------------------------------------------------------


def changed_on(change: Change) -> date:
    """Return the day of a clock change, on the clock before it."""
    return (EPOCH + timedelta(seconds=change.at + change.before)).date()


def change_said(change: Change) -> str:
    """Say what is done to a clock: ``Sun 2027-03-28: the clock skips 02:00 to 03:00``."""
    verb, twice = ("skips", "") if change.forward else ("shows", " twice")
    stretch = f"{phrases.clock(change.low)} to {phrases.clock(change.high)}"
    return f"{changed_on(change):%a %Y-%m-%d}: the clock {verb} {stretch}{twice}"


def told(felt: Felt) -> str:
    """Say a clock change, and what it does to a timetable."""
    return f"{change_said(felt.change)}; {_does(felt)}"


def _does(felt: Felt) -> str:
    if felt.first is None:
        return "none of its times lies there"
    one = felt.times == 1
    what = (
        phrases.clock(felt.first)
        if one
        else f"its {felt.times:,} times from {phrases.clock(felt.first)} on"
    )
    match felt.effect:
        case Effect.MADE_UP:
            once = "instead" if one else "instead, once"
            return f"{what} run{'s' * one} at {phrases.clock(felt.made_up)} {once}"
        case Effect.LEFT_OUT:
            return f"{what} {'does' if one else 'do'} not run"
        case Effect.FIRST_ONLY:
            return f"{what} run{'s' * one} the first time only"
    return f"{what} run{'s' * one} both times"
