"""When: the keys of a schedule that make its timing, read and checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flytesched.core.durations import parse_duration
from flytesched.core.keys import TIMETABLES, TIMING_KEYS, read_instant
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables.parse import make_timing
from flytesched.core.timetables.zones import tz
from flytesched.core.values import choice_of
from flytesched.errors import Fault, Invalid, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.core.timetables.parse import Timing

#: Where local times are read when no usable zone is given.
_UTC = "UTC"
#: Keys of which a fault of a timetable may be.
_OF_THEIR_OWN = frozenset({"timezone", "calendars", "on_holiday"})
#: Keys that together say which days are off.
_DAYS_OFF = frozenset({"calendars", "on_holiday"})


def read_timing(given: Mapping[str, Any], faults: list[Fault]) -> Timing | None:
    """Return the timing that raw keys make; None after noting in ``faults`` why there is none."""
    before = len(faults)
    _check_zone(given, faults)
    kinds = [kind for kind in TIMETABLES if given.get(kind) is not None]
    if len(kinds) != 1:
        said = f"has both {kinds[0]} and {kinds[1]}" if kinds else "has no timetable"
        choice = ", ".join(TIMETABLES)
        faults.append(Fault(key="", what=said, instead=f"write exactly one of {choice}"))
        return None
    refined = _refinements(kinds[0], given, faults)
    if len(faults) > before:
        return None
    try:
        return make_timing(kinds[0], given[kinds[0]], **refined)
    except InvalidTimetable as error:
        key = error.field if error.field in _OF_THEIR_OWN else kinds[0]
        what, instead = _meant(given[key], error) if key == "cron" else (error.message, error.hint)
        faults.append(Fault(key=key, what=what, instead=instead))
        return None


def _meant(text: object, error: InvalidTimetable) -> tuple[str, str | None]:
    """Say what is wrong with what stands where cron's fields belong, and which key means it.

    An expression is what it is: ``error`` says what to write. Of everyday words it would count the
    fields.
    """
    from flytesched.core.everyday import is_worded, understood  # only a mistake pays for it

    said = " ".join(str(text).split())
    try:
        ((kind, value),) = understood(said).items()
    except Invalid as other:
        return (other.message, other.hint) if is_worded(said) else (error.message, error.hint)
    if (kind, value) == ("cron", said):
        return error.message, error.hint
    try:
        make_timing(kind, value, timezone=None)
    except InvalidTimetable as other:
        return f"{said!r} is no timetable: {other.message}", other.hint
    return error.message, f"write {kind} = {json.dumps(value)}"


def zone_of(given: Mapping[str, Any]) -> str:
    """Return the zone whose clock local times among raw keys are read on."""
    zone = given.get("timezone")
    try:
        if isinstance(zone, str):
            tz(zone)
            return zone
    except InvalidTimetable:
        pass  # read_timing says so, once
    return _UTC


def _check_zone(given: Mapping[str, Any], faults: list[Fault]) -> None:
    if (zone := given.get("timezone")) is None:
        return
    try:
        if not isinstance(zone, str):
            msg = f"{zone!r} is not a string"
            raise Invalid(msg, hint='write a zone such as "Europe/Berlin"')
        tz(zone)
    except Invalid as error:
        faults.append(Fault(key="timezone", what=error.message, instead=error.hint))


def _refinements(kind: str, given: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return make_timing's keyword arguments from the keys that refine a timetable."""
    dated = not given.keys().isdisjoint(_DAYS_OFF)
    found: dict[str, Any] = {
        "timezone": given.get("timezone") if kind != "every" or dated else None
    }
    if dated:
        found["days_off"] = _days_off(given, faults)
    for key in TIMING_KEYS:
        if key == "timezone" or key in _DAYS_OFF or (raw := given.get(key)) is None:
            continue
        try:
            found[key] = _refinement(kind, key, raw, given)
        except Invalid as error:
            faults.append(Fault(key=key, what=error.message, instead=error.hint))
    return found


def _days_off(given: Mapping[str, Any], faults: list[Fault]) -> str | None:
    """Return the text of the calendars that raw keys name; None if they name none."""
    from flytesched.core.calendars import days_off, read_calendars  # few name calendars

    try:
        calendars = read_calendars(given.get("calendars", ()))
    except Invalid as error:
        faults.append(Fault(key="calendars", what=error.message, instead=error.hint))
        return None
    try:
        mode = choice_of(OnHoliday)(given.get("on_holiday", OnHoliday.SKIP))
    except Invalid as error:
        faults.append(Fault(key="on_holiday", what=error.message, instead=error.hint))
        return None
    if not calendars and "on_holiday" in given:
        instead = "write calendars too, or remove it"
        faults.append(Fault(key="on_holiday", what="needs calendars", instead=instead))
    return days_off(calendars, mode) if calendars else None


def _refinement(kind: str, key: str, raw: Any, given: Mapping[str, Any]) -> int | bool:
    if key == "seconds":
        if kind != "cron" or not isinstance(raw, bool):
            msg = "belongs to cron and is true or false"
            raise Invalid(msg, hint="remove it")
        return raw
    if key == "anchor" and kind != "every":
        msg = "is the phase of every"
        raise Invalid(msg, hint="remove it")
    return _offset(kind, raw) if key == "offset" else read_instant(raw, zone_of(given))


def _offset(kind: str, raw: Any) -> int:
    if kind in {"every", "at"}:
        msg = "belongs to wall-clock timetables"
        raise Invalid(msg, hint="write anchor, or another time")
    offset = parse_duration(raw)
    if offset.microseconds:
        msg = "is not in whole seconds"
        raise Invalid(msg, hint="one second is the finest")
    return int(offset.total_seconds())
