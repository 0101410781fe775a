"""The plain spellings: ``daily`` at times of the day, ``hourly`` at minutes of the hour."""

from __future__ import annotations

import re
from functools import lru_cache

from flytesched.core.timetables.days import DaySpec, days
from flytesched.core.timetables.walk import WallTimes
from flytesched.errors import InvalidTimetable

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(:00)?")
#: Every day of every year.
EVERY_DAY = DaySpec(
    monthdays=frozenset(range(1, 32)),
    months=frozenset(range(1, 13)),
    weekdays=frozenset(range(7)),
)


def canonical_daily(text: str) -> str:
    """Return times of the day, separated by commas, sorted and in full: ``02:00,14:00``.

    Raises:
        InvalidTimetable: one of them is no time of the day.
    """
    return ",".join(sorted({_time(item.strip()) for item in text.split(",")}))


def canonical_hourly(text: str) -> str:
    """Return minutes of the hour, separated by commas and sorted: ``15,45``.

    Raises:
        InvalidTimetable: one of them is no minute.
    """
    return ",".join(map(str, sorted({_minute(item.strip()) for item in text.split(",")})))


@lru_cache(maxsize=2**14)
def daily(expression: str) -> WallTimes:
    """Return the times of canonical text: fixed-time."""
    found = canonical_daily(expression).split(",")
    times = [int(time[:2]) * 3600 + int(time[3:]) * 60 for time in found]
    return WallTimes(times, days(EVERY_DAY), fixed_time=True)


@lru_cache(maxsize=2**14)
def hourly(expression: str) -> WallTimes:
    """Return the times of canonical text: wildcard, like the hour ``*`` that they stand for."""
    minutes = [int(minute) for minute in canonical_hourly(expression).split(",")]
    times = [hour * 3600 + minute * 60 for hour in range(24) for minute in minutes]
    return WallTimes(times, days(EVERY_DAY), fixed_time=False)


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match and int(match[1]) < 24 and int(match[2]) < 60:
        return f"{match[1]:0>2}:{match[2]}"
    hint = "write hours and minutes from 00:00 to 23:59, such as 02:00 or 14:30"
    what = f"{text!r} is no time of the day"
    raise InvalidTimetable(what, hint=hint)


def _minute(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,2}", text) and int(text) < 60:
        return int(text)
    what = f"{text!r} is no minute of the hour"
    raise InvalidTimetable(what, hint="write a number from 0 to 59, or a list such as [15, 45]")
