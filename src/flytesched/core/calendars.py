"""Calendars: named sets of days off, read and checked; and the text that a timing keeps of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import NAME
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.public import known
from flytesched.core.values import read_some_text, read_text
from flytesched.errors import Fault, Invalid, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flytesched.core.policies import OnHoliday

    #: What people write for a day: ``2026-12-24``, each year's ``12-24``, or ``A/B``.
    Day = date | str

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
_SOURCES = frozenset({"dates", "weekdays", "country"})
_OF_COUNTRY = ("subdivision", "categories", "language")
#: How TOML spells a field whose name Python keeps for itself.
_SPELLED = {"except": "except_"}
#: Unknown keys that are said; each costs a search for near names.
_UNKNOWN_SAID = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A named set of days off; takes each key as the manifest spells it, but for ``except_``.

    Raises:
        Invalid: (a ValueError) a key is wrong; or public holidays need a package that is missing.
    """

    #: Unique in its manifest.
    name: str
    #: What it is for.
    description: str | None = None
    #: Days off, and what they are called: given as a list of dates, or by a table of names.
    dates: Sequence[Day | tuple[str, str | None]] | Mapping[Day, str] = ()
    #: Weekdays off, such as ``sat``.
    weekdays: Sequence[str] = ()
    #: Country whose public holidays are off, such as ``DE``.
    country: str | None = None
    #: Its state or province.
    subdivision: str | None = None
    #: Kinds of holidays, if not the public ones.
    categories: Sequence[str] = ()
    #: In which language holidays are named.
    language: str | None = None
    #: Days worked all the same.
    except_: Sequence[Day] = ()
    #: The canonical text of all that decides which days are off, and what they are called.
    text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check every key, and keep it in its canonical form."""
        given = {key: getattr(self, key) for key in _READERS}
        faults = _name_faults(self.name)
        kept = _read(
            {key: value for key, value in given.items() if value not in (None, ())}, faults
        )
        if faults:
            said = "; ".join(map(str, faults))
            msg = f"calendar {self.name!r}: {said}"
            raise Invalid(msg)
        for key, value in kept.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "text", _text(self))


def read_calendar(name: str, table: object, faults: list[Fault]) -> Calendar | None:
    """Return the calendar that a table of the manifest defines; None after noting in ``faults``.

    The key of a fault is one of the table.
    """
    before = len(faults)
    if not isinstance(table, Mapping):
        instead = f"write a table, [calendars.{name}]"
        faults.append(Fault(key="", what="is no table", instead=instead))
        return None
    faults += _name_faults(name)
    given = dict(_known(table, faults))
    if not _SOURCES & given.keys():
        instead = "write dates, weekdays or country"
        faults.append(Fault(key="", what="has no day off", instead=instead))
    kept = _read(given, faults)
    return Calendar(name=name, **kept) if len(faults) == before else None


def read_calendars(value: object) -> tuple[Calendar, ...]:
    """Return the calendars that a schedule names.

    Raises:
        Invalid: one of them is none; as a name it is one that nobody knows.
    """
    if not isinstance(value, list | tuple):
        msg = f"{value!r} is not a list of calendars"
        raise Invalid(msg, hint=f"write calendars = [{json.dumps(str(value))}]")
    for item in value:
        if not isinstance(item, Calendar):
            msg = f"there is no calendar {item!r}"
            raise Invalid(msg, hint="define it below [calendars.NAME]")
    names = [calendar.name for calendar in value]
    if twice := next((name for name in names if names.count(name) > 1), None):
        msg = f"names {twice!r} twice"
        raise Invalid(msg, hint="remove one of them")
    return tuple(value)


def days_off(calendars: Iterable[Calendar], on_holiday: OnHoliday) -> str:
    """Return the text that a timing keeps of calendars; the zone of its dates is added there."""
    return _joined(tuple(calendar.text for calendar in calendars), on_holiday.value)


@lru_cache(maxsize=2**10)
def _joined(texts: tuple[str, ...], on_holiday: str) -> str:
    return f'{{"on_holiday":"{on_holiday}","calendars":[{",".join(texts)}]}}'


def _text(calendar: Calendar) -> str:
    """Return a calendar as JSON, what it does not say and its description left out."""
    said = {key: getattr(calendar, key) for key in ("name", *_READERS) if key != "description"}
    said["dates"] = dict(said["dates"])
    kept = {key: value for key, value in said.items() if value}
    return json.dumps(kept, separators=(",", ":"))


# -- reading --------------------------------------------------------------------------------------


def _name_faults(name: object) -> list[Fault]:
    if isinstance(name, str) and NAME.fullmatch(name):
        return []
    rule = "use letters, digits, '.', '_' and '-', beginning with a letter or digit, 100 at most"
    return [Fault(key="", what=f"{name!r} is not a name for a calendar", instead=rule)]


def _known(table: Mapping[Any, Any], faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a table by field, noting the keys that are none of a calendar."""
    unknown = 0
    for key, value in table.items():
        name = _SPELLED.get(key, key)
        if name in _READERS and key not in _SPELLED.values():
            yield name, value
        elif (unknown := unknown + 1) <= _UNKNOWN_SAID:
            keys = [_key(name) for name in _READERS]
            instead = suggest(str(key), keys) or f"there are {', '.join(keys)}"
            faults.append(Fault(key=str(key), what="is not a key of a calendar", instead=instead))


def _key(name: str) -> str:
    """Return a field's name as the manifest spells it."""
    return name.removesuffix("_")


def _read(given: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return what is kept of raw values; what cannot be kept is noted."""
    kept: dict[str, Any] = {}
    before = len(faults)
    for name, raw in given.items():
        try:
            kept[name] = _READERS[name](raw)
        except Invalid as error:
            faults.append(Fault(key=_key(name), what=error.message, instead=error.hint))
    if len(faults) == before:
        faults += _of_country(kept)
    return kept


def _of_country(kept: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with public holidays."""
    if "country" not in kept:
        return [
            Fault(key=key, what="belongs to country", instead="write country too, or remove it")
            for key in _OF_COUNTRY
            if key in kept
        ]
    try:
        known(
            kept["country"],
            kept.get("subdivision"),
            kept.get("categories", ()),
            kept.get("language"),
        )
    except InvalidTimetable as error:
        return [Fault(key=error.field or "country", what=error.message, instead=error.hint)]
    return []


def _dates(value: Any) -> tuple[tuple[str, str | None], ...]:
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


def _days(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        msg = "is a table"
        raise Invalid(msg, hint="write a list: days that are worked have no names")
    return tuple(day for day, _ in _dates(value))


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


def _weekdays(value: Any) -> tuple[str, ...]:
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


def _categories(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        msg = f"{value!r} is not a list of kinds of holidays"
        raise Invalid(msg, hint='write such as ["public"], or leave the key out')
    return tuple(sorted({read_some_text(item) for item in value}))


_READERS: dict[str, Callable[[Any], Any]] = {
    "description": read_text,
    "dates": _dates,
    "weekdays": _weekdays,
    "country": read_some_text,
    "subdivision": read_some_text,
    "categories": _categories,
    "language": read_some_text,
    "except_": _days,
}
