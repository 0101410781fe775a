"""Dates of calendars: days, each year's days, ranges and weekdays, as people write them.

Each reader returns the canonical form, or raises Invalid with what is wrong and what to write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from flytesched.core.values import read_some_text
from flytesched.errors import Invalid

#: What people write for a day: ``2026-12-24``, each year's ``12-24``, or ``A/B``.
Day: TypeAlias = date | str
#: Weekdays as calendars have them, Monday first.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Dates of one calendar, and days of one range.
MAX_DATES, MAX_RANGE = 10_000, 400
#: Characters of the name of a day.
_MAX_NAME = 200
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARLY = re.compile(r"[0-9]{2}-[0-9]{2}")
_HINT = 'write 2026-12-24, "12-24" for each year\'s, or a range "2026-12-24/2026-12-31"'


def read_dates(value: Any) -> tuple[tuple[str, str | None], ...]:
    """Return days and their names, ascending, from a list of days or a table of names."""
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = [item if isinstance(item, tuple) else (item, None) for item in value]
    else:
        msg = f"{value!r} is neither a list of dates nor a table of names"
        raise Invalid(msg, hint=_HINT)
    if len(items) > MAX_DATES:
        msg = f"are {len(items):,} dates"
        raise Invalid(msg, hint=f"write {MAX_DATES:,} at most; ranges and weekdays count once")
    return tuple(sorted({_day(day): _day_name(name) for day, name in items}.items()))


def read_days(value: Any) -> tuple[str, ...]:
    """Return days without names, ascending."""
    if isinstance(value, Mapping):
        msg = "is a table"
        raise Invalid(msg, hint="write a list: days that are worked have no names")
    return tuple(day for day, _ in read_dates(value))


def _day_name(name: Any) -> str | None:
    if name is None:
        return None
    said = " ".join(read_some_text(name).split())
    if len(said) > _MAX_NAME or not said.isprintable():
        msg = f"{said[:40]!r}... is not a name for a day"
        raise Invalid(msg, hint=f"write {_MAX_NAME} printable characters at most")
    return said


def _day(value: Any) -> str:
    """Return the canonical text of a day, of each year's, or of a range."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, datetime):
        msg = f"{value} is not a date alone"
        raise Invalid(msg, hint=f"write {value.date()}: whole days are off")
    if not isinstance(value, str):
        msg = f"{value!r} is not a date"
        raise Invalid(msg, hint=_HINT)
    text = value.strip()
    if _YEARLY.fullmatch(text):
        _date(f"2000-{text}", text)
        return text
    first, slash, last = (part.strip() for part in text.partition("/"))
    return _range(first, last) if slash else _date(first, text).isoformat()


def _range(first: str, last: str) -> str:
    text = f"{first}/{last}"
    if _YEARLY.fullmatch(first):
        msg = f"{text[:60]!r} is a range without years"
        raise Invalid(msg, hint="write years too, or each day of each year by itself")
    days = (_date(last, text) - _date(first, text)).days + 1
    if days < 1:
        msg = f"{text!r} ends before it begins"
        raise Invalid(msg, hint=f"write {last}/{first}")
    if days > MAX_RANGE:
        msg = f"{text!r} has {days:,} days"
        raise Invalid(msg, hint=f"write {MAX_RANGE} days at most, or several ranges")
    return text if days > 1 else first


def _date(text: str, whole: str) -> date:
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or found.year < 1970:
        msg = f"{whole[:60]!r} is not a date from 1970 on"
        raise Invalid(msg, hint=_HINT)
    return found


def read_weekdays(value: Any) -> tuple[str, ...]:
    """Return weekdays, Monday first."""
    if not isinstance(value, list | tuple):
        msg = f"{value!r} is not a list of weekdays"
        raise Invalid(msg, hint='write such as ["sat", "sun"]')
    found = {_weekday(item) for item in value}
    return tuple(day for day in WEEKDAYS if day in found)


def _weekday(value: Any) -> str:
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in _FULL:
        return word[:3]
    if word not in WEEKDAYS:
        msg = f"{value!r} is not a weekday"
        raise Invalid(msg, hint=f"write one of {', '.join(WEEKDAYS)}")
    return word
