"""Spelling: a recorded definition as the manifest spells it, and what differs between two."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import ALL_KEYS, KEYS
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables.parse import Timing
from flytesched.core.values import write_duration, write_instant
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.core.calendars import Calendar

#: Timetables of which there may be several, and how one of them is read.
_SEVERAL = {"daily": str, "hourly": int}
#: What keys that refine a timetable say where nothing is said.
_PLAIN: dict[str, Any] = {"calendars": [], "on_holiday": OnHoliday.SKIP.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A key that says something else than before."""

    #: The key.
    key: str
    #: What it said, as the manifest spells it; None if it was not there.
    before: Any
    #: What it says; None if it is not there any more.
    after: Any


def spelled(definition: str) -> dict[str, Any]:
    """Return the keys that a recorded definition says, in the order of the manual.

    Keys with their default are left out. Values of ``env`` are never recorded: they are empty.

    Raises:
        Invalid: nobody can read it, or not this version.
    """
    with _reading():
        said = dict(json.loads(definition))
        keys = said | _timed(Timing.from_text(said.pop("timing")))
    return {key: keys[key] for key in ALL_KEYS if keys.get(key) is not None}


def calendars(definition: str) -> dict[str, Mapping[str, Any]]:
    """Return what the calendars of a recorded definition said, as the manifest spells it.

    Raises:
        Invalid: nobody can read it, or not this version.
    """
    with _reading():
        timing = Timing.from_text(json.loads(definition)["timing"])
        return {one["name"]: _table(one) for one in timing.off.get("calendars", ())}


def spelled_calendar(calendar: Calendar) -> dict[str, Any]:
    """Return what a calendar says of days off, as it is spelled where it was recorded."""
    return _table(json.loads(calendar.text))


def default(key: str) -> Any:
    """Return the value that a key has when nothing is said; None where it has none."""
    if key in _PLAIN:
        return _PLAIN[key]
    if key not in KEYS:
        return None
    # By way of JSON, as definitions are recorded: a word of an enum becomes a plain one.
    return json.loads(json.dumps(KEYS[key].write(KEYS[key].default)))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the keys that differ, in the order of the manual."""
    return [
        Difference(key=key, before=before.get(key), after=after.get(key))
        for key in ALL_KEYS
        if before.get(key) != after.get(key)
    ]


@contextmanager
def _reading() -> Iterator[None]:
    """Say what cannot be read in one sentence, whatever it is."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        msg = "the definition that was recorded cannot be read"
        raise Invalid(msg, hint="was it written by a newer version?") from error


def _timed(timing: Timing) -> dict[str, Any]:
    """Return the keys that make a timing; None for those it does without."""
    names = [one["name"] for one in timing.off.get("calendars", ())]
    on_holiday = timing.off.get("on_holiday")
    return {
        timing.kind: _expression(timing),
        "seconds": timing.seconds or None,
        # Elapsed time has no zone; its days off have one.
        "timezone": timing.timezone or timing.off.get("zone"),
        "start": write_instant(timing.start),
        "end": write_instant(timing.end),
        "anchor": write_instant(timing.anchor or None),
        "offset": write_duration(timedelta(seconds=timing.offset)) if timing.offset else None,
        "calendars": names or None,
        "on_holiday": on_holiday if on_holiday != OnHoliday.SKIP else None,
    }


def _table(calendar: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded calendar as the manifest spells it; dates without a name are a list."""
    said = {key.removesuffix("_"): value for key, value in calendar.items() if key != "name"}
    if (dates := said.get("dates")) and not any(dates.values()):
        said["dates"] = [*dates]
    return said


def _expression(timing: Timing) -> Any:
    """Return what stands behind the kind of a timetable; several times are a list."""
    if (read := _SEVERAL.get(timing.kind)) is None:
        return timing.expression
    several = [read(word) for word in timing.expression.split(",")]
    return several[0] if len(several) == 1 else several
