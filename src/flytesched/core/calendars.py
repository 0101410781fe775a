"""Calendars: named sets of days off, read and checked; and the text that a timing keeps of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flytesched.core.dates import read_dates, read_days, read_weekdays
from flytesched.core.keys import NAME, NAME_RULE
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.public import known
from flytesched.core.values import read_some_text, read_text
from flytesched.errors import Fault, Invalid, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flytesched.core.dates import Day
    from flytesched.core.policies import OnHoliday

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
    return [Fault(key="", what=f"{name!r} is not a name for a calendar", instead=NAME_RULE)]


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


def _country(value: Any) -> str:
    if isinstance(value, list | tuple):
        msg = f"{value!r} is not one country"
        raise Invalid(msg, hint="write a calendar for each; a schedule may name several")
    return read_some_text(value)


def _categories(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        msg = f"{value!r} is not a list of kinds of holidays"
        raise Invalid(msg, hint='write such as ["public"], or leave the key out')
    return tuple(sorted({read_some_text(item) for item in value}))


_READERS: dict[str, Callable[[Any], Any]] = {
    "description": read_text,
    "dates": read_dates,
    "weekdays": read_weekdays,
    "country": _country,
    "subdivision": read_some_text,
    "categories": _categories,
    "language": read_some_text,
    "except_": read_days,
}
