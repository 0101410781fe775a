"""Alike: which kind of timetable a text is, and how else a timetable can be written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.durations import parse_duration
from flytesched.core.timetables.cron import EVERY, NICKNAMES
from flytesched.core.timetables.daysoff import daysoff
from flytesched.core.timetables.face import face
from flytesched.core.timetables.parse import make_timing
from flytesched.core.timetables.phrases import clock, restricted, round_the_clock
from flytesched.core.timetables.phrases import days as days_said
from flytesched.core.timetables.tables import period_of
from flytesched.errors import Invalid, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flytesched.core.timetables.days import DaySpec
    from flytesched.core.timetables.face import Face
    from flytesched.core.timetables.timing import Timing

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
#: How texts of a kind begin, or look; what is none of these is plain cron.
_LOOKS = (
    ("aws_cron", re.compile(r"\s*(rate|cron)\s*\(", re.IGNORECASE)),
    ("daily", re.compile(rf"\s*{_CLOCK}\s*(,\s*{_CLOCK}\s*)*")),
    ("hourly", re.compile(r"\s*:[0-9]{1,2}\s*(,\s*:[0-9]{1,2}\s*)*")),
    ("at", re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")),
)
_WHOLE = frozenset({"daily", "hourly"})
#: A year, and a day such as 15W: no other cron has them.
_OF_AWS = re.compile(r"[12][0-9]{3}\b|\b([0-9]+|L)W\b", re.IGNORECASE)
#: Times or minutes that are still worth a list.
_LISTED = 6
#: Every offset of a zone since 1972 is a multiple of this, in seconds.
_QUARTER = 900


class Spelling(NamedTuple):
    """A kind of timetable, and an expression of it."""

    #: The manifest's key.
    kind: str
    #: What to write there.
    expression: str


def guess(text: str, *, seconds: bool = False) -> Spelling:
    """Return the kind that a text seems to be of, and the text as that kind has it.

    Args:
        text: what somebody wrote.
        seconds: whether six fields have the seconds first.
    """
    for kind, look in _LOOKS:
        if look.fullmatch(text) if kind in _WHOLE else look.match(text):
            return Spelling(kind, text.replace(":", "") if kind == "hourly" else text)
    if not seconds and _of_aws(text.split()):
        return Spelling("aws_cron", text)
    try:
        parse_duration(text)
    except Invalid:
        bare = re.fullmatch(r"\s*[0-9]+\s*", text)
        return Spelling("every" if bare else "cron", text)
    return Spelling("every", text)


def _of_aws(fields: list[str]) -> bool:
    """Tell AWS's six fields, whose third or fifth is ``?``, from six with the seconds first."""
    if len(fields) != 6 or "=" in fields[0]:
        return False
    return "?" in {fields[2], fields[4]} or any(map(_OF_AWS.search, fields))


def alike(timing: Timing) -> list[Spelling]:
    """Return other spellings with the very same slots, the simplest first."""
    named = face(timing)
    if named is None:
        found = _periods(timing) if timing.kind != "at" else iter(())
    else:
        found = _clocks(timing, named)
    return [each for each in dict.fromkeys(found) if _other(timing, each) and _same(timing, each)]


def _moves(timing: Timing) -> bool:
    """Tell whether slots on days off move, as those of a rate cannot."""
    return timing.days_off is not None and daysoff(timing.days_off).on_holiday != "skip"


def _other(timing: Timing, each: Spelling) -> bool:
    """Tell whether a spelling is of another kind, or a nickname's, or needs no seconds."""
    if each.kind != timing.kind:
        return True
    nicknames = each.expression.startswith("@") or timing.expression.startswith("@")
    return each.expression != timing.expression and (nicknames or timing.seconds)


def _periods(timing: Timing) -> Iterator[Spelling]:
    seconds = period_of(timing)
    text = timing.expression.removeprefix(EVERY)
    if timing.kind == "aws_cron":
        number, unit = text.removeprefix("rate(").removesuffix(")").split()
        text = f"{number}{unit[0]}"
    yield Spelling("every", text)
    yield Spelling("cron", f"{EVERY}{text}")
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = seconds // size
            yield Spelling("aws_cron", f"rate({count} {unit}{'s' * (count > 1)})")
            return


def _clocks(timing: Timing, named: Face) -> Iterator[Spelling]:
    for nickname in NICKNAMES:
        yield Spelling("cron", nickname)
    if len(named.times) <= _LISTED:
        yield Spelling("daily", ",".join(clock(time) for time in named.times))
    if len(named.times) % 24 == 0 and len(named.times) // 24 <= _LISTED:
        hour = [time // 60 for time in named.times if time < 3600]
        yield Spelling("hourly", ",".join(map(str, hour)))
    step = round_the_clock(named.times)
    if step is not None and not named.times[0] and not _QUARTER % step:
        yield Spelling("every", f"{step // 60}m" if step % 60 == 0 else f"{step}s")
    if fields := _fields(timing, named):
        yield from _with_days(named.days, fields)


def _fields(timing: Timing, named: Face) -> str | None:
    """Return minute and hour as cron writes them, with a star in front where the rule wants it."""
    if timing.kind == "cron" and not timing.seconds:
        return " ".join(NICKNAMES.get(timing.expression, timing.expression).split()[:2])
    if timing.kind == "aws_cron":
        return " ".join(timing.expression.split()[:2])
    minutes = sorted({time // 60 % 60 for time in named.times})
    hours = sorted({time // 3600 for time in named.times})
    if len(minutes) * len(hours) != len(named.times):
        return None
    hour = "*" if len(hours) == 24 and not named.fixed_time else _items(hours)
    return f"{_items(minutes)} {hour}"


def _with_days(days: DaySpec, fields: str) -> Iterator[Spelling]:
    """Yield plain cron and AWS's for days that both can say."""
    by_date, by_weekday = restricted(days)
    months = "*" if len(days.months) == 12 else _items(days.months)
    dates = [*map(str, sorted(days.monthdays - {0})), *("L" for _ in days.monthdays & {0})]
    date = ",".join(dates) if by_date else "*"
    if days.years is None:
        weekday = ",".join(_weekdays(days, first=0)) if by_weekday else "*"
        yield Spelling("cron", f"{fields} {date} {months} {weekday}")
    dates += [f"{day or 'L'}W" for day in sorted(days.nearest)]
    weekday = ",".join(_weekdays(days, first=1)) if by_weekday else "?"
    date = "?" if by_weekday else (",".join(dates) if by_date else "*")
    years = "*" if days.years is None else _items(days.years)
    yield Spelling("aws_cron", f"{fields} {date} {months} {weekday} {years}")


def _weekdays(days: DaySpec, *, first: int) -> list[str]:
    """Return weekdays as numbers, Sunday being `first`."""
    plain = [_items({day + first for day in days.weekdays})] if days.weekdays else []
    nth = [f"{day + first}{f'#{n}' if n else 'L'}" for day, n in sorted(days.nth)]
    return plain + nth


def _items(values: Collection[int]) -> str:
    """Return numbers as a field has them, a stretch of three or more as a range."""
    ordered = sorted(values)
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]}-{ordered[-1]}"
    return ",".join(map(str, ordered))


def _same(timing: Timing, each: Spelling) -> bool:
    """Tell whether a spelling makes the same slots, whatever a clock does."""
    try:
        other = make_timing(
            each.kind, each.expression, timezone=timing.timezone, anchor=timing.anchor
        )
    except InvalidTimetable:
        return False
    ours, theirs = face(timing), face(other)
    if theirs is None and _moves(timing):
        return False
    if ours is None or theirs is None:
        # A rate against a clock that is tended by nobody: its steps are those of elapsed time.
        return ours is None or not (days_said(ours.days) or ours.fixed_time)
    tended = timing.timezone != "UTC" and ours.fixed_time != theirs.fixed_time
    return not tended and _meaning(ours) == _meaning(theirs)


def _meaning(named: Face) -> tuple[tuple[int, ...], str]:
    """Return what is equal for equal times on equal days: no text stands for two sets of days."""
    return named.times, days_said(named.days)
