"""AWS's cron (EventBridge): six fields ending in the year, one of the days ``?``; and ``rate()``.

Source: "Schedule types in EventBridge Scheduler" of the AWS documentation. Weekdays are 1 to 7 for
SUN to SAT; ``L`` among weekdays is Saturday, ``5L`` the last Thursday, ``15W`` the Monday to Friday
nearest to the 15th of the same month, ``LW`` the last of them. A month without a 31st has no 31W.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from flytesched.core.timetables.days import DaySpec
from flytesched.core.timetables.fields import (
    AWS_WEEKDAY,
    HOUR,
    MINUTE,
    MONTH,
    MONTHDAY,
    YEAR,
    Part,
    Times,
    checked,
    is_fixed_time,
    month_days,
    week_days,
    words,
)
from flytesched.core.timetables.interval import canonical as canonical_period
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from flytesched.core.timetables.walk import WallTimes

_FIELDS = (MINUTE, HOUR, MONTHDAY, MONTH, AWS_WEEKDAY, YEAR)
_RATE = re.compile(r"rate\(\s*([0-9]+)\s+([a-z]+)\s*\)", re.IGNORECASE | re.ASCII)
_UNITS = ("minute", "hour", "day")
_EXAMPLE = "write minute, hour, day, month, weekday, year with one ?: 0 10 * * ? *"
_ALL_MONTHDAYS, _ALL_WEEKDAYS = frozenset(range(1, 32)), frozenset(range(7))


def canonical(text: str) -> str:
    """Check an expression and bring it into its canonical form; ``cron(...)`` around it goes.

    Raises:
        InvalidTimetable: the expression is wrong; with the field, its 1-based column, and the
            spelling to use.
    """
    found = words(text)
    if found[0][0].startswith("RATE"):
        return _rate(text.strip())
    inside = re.fullmatch(r"\s*cron\((.*)\)\s*", text, re.IGNORECASE)
    if inside:
        text = inside[1]
        found = words(text)
    expression = " ".join([word for word, _ in found])
    try:
        wall(expression)
    except InvalidTimetable:
        _read(found, text)  # raises again, with the place in the text as written
    return expression


@lru_cache(maxsize=2**17)
def wall(expression: str) -> WallTimes:
    """Return the times of a canonical expression that is no ``rate()``, shared by all zones."""
    return times(expression).wall()


def is_rate(expression: str) -> bool:
    """Tell whether a canonical expression is a ``rate()``."""
    return _RATE.fullmatch(expression) is not None


def period(expression: str) -> str:
    """Return the period of a canonical ``rate()``, as `durations` writes it."""
    number, unit = expression.removeprefix("rate(").removesuffix(")").split()
    return canonical_period(f"{number}{unit[0]}")


def times(expression: str) -> Times:
    """Read a canonical expression that is no ``rate()``."""
    return _read(words(expression), expression)


def _rate(text: str) -> str:
    """Check ``rate(5 minutes)``; AWS wants the singular for 1 and the plural for all others."""
    match = _RATE.fullmatch(text)
    unit = match[2].lower().removesuffix("s") if match else ""
    if not match or unit not in _UNITS:
        hint = "write rate(5 minutes), with minutes, hours or days"
        what = f"{text[:60]!r} is no rate"
        raise InvalidTimetable(what, hint=hint)
    number = int(match[1])
    proper = f"rate({number} {unit}{'' if number == 1 else 's'})"
    if number < 1 or not proper.endswith(f" {match[2].lower()})"):
        hint = f"write {proper}" if number else "write a number of 1 or more"
        what = f"{text!r} is not as AWS writes it"
        raise InvalidTimetable(what, hint=hint)
    period(proper)
    return proper


def _read(found: list[tuple[str, int]], whole: str) -> Times:
    """Read the six fields."""
    if len(found) != len(_FIELDS):
        what = f"{whole!r} has {len(found)} fields, not AWS's six"
        hint = "write it as cron" if len(found) == 5 else _EXAMPLE
        raise InvalidTimetable(what, hint=hint, position=found[min(len(found) - 1, 6)][1])
    parts = [
        Part(field=field, text=text, column=column, whole=whole)
        for field, (text, column) in zip(_FIELDS, found, strict=True)
    ]
    minute, hour, monthday, month, weekday, year = parts
    if (monthday.text == "?") == (weekday.text == "?"):
        what = "exactly one of day-of-month and day-of-week must be ?"
        raise weekday.fault(what, hint=_EXAMPLE)
    return checked(
        Times(
            seconds=frozenset({0}),
            minutes=minute.values(),
            hours=hour.values(),
            days=_days(monthday, month, weekday, year),
            fixed_time=is_fixed_time(minute, hour),
        ),
        monthday,
    )


def _days(monthday: Part, month: Part, weekday: Part, year: Part) -> DaySpec:
    """Read the day fields, of which one is ``?`` and names every day."""
    months = month.values()
    years = None if year.text == "*" else year.values()
    if weekday.text == "?":
        plain, nearest = month_days(monthday, workdays=True)
        return DaySpec(
            monthdays=plain, nearest=nearest, months=months, weekdays=_ALL_WEEKDAYS, years=years
        )
    weekdays, nth = week_days(weekday)
    return DaySpec(monthdays=_ALL_MONTHDAYS, months=months, weekdays=weekdays, nth=nth, years=years)
