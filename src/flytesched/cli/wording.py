"""Values of options in the words of people: ``--at 'tomorrow 9:00'``, ``--daily 9am``."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from flytesched.cli import moments
from flytesched.core.everyday import understood
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.timetables.parse import make_timing
from flytesched.errors import Fault, Invalid, InvalidSchedule, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Keys that hold an instant.
_INSTANTS = ("at", "start", "end", "anchor", "paused_until")


def spelled(table: Mapping[str, Any], *, now: float, zone: Callable[[], str]) -> dict[str, Any]:
    """Return raw values of options with those in words as the manifest spells them.

    Args:
        table: raw values by key.
        now: epoch seconds.
        zone: returns the zone whose clock local times in words are on.

    Raises:
        InvalidSchedule: a value means no time, or could mean several.
    """
    found = dict(table)
    for key in _INSTANTS:
        if key in table:
            found[key] = _instant(key, table[key], now, table.get("timezone") or zone())
    if "daily" in table:
        found["daily"] = _daily(table["daily"])
    if "cron" in table:
        _doubt(table["cron"], seconds=table.get("seconds") is True)
    return found


def _instant(key: str, text: str, now: float, zone: str) -> str:
    """Return a time in words as RFC 3339 on the zone's clock; what is none of them as it is."""
    try:
        parse_instant(text, "UTC")
    except Invalid:
        pass
    else:
        return text
    try:
        return rfc3339_local(moments.read(text, now=now, zone=zone, ahead=True), zone)
    except InvalidTimetable:
        return text  # the zone is unknown, which the reader of its key says
    except Invalid as error:
        what = f"{text!r} is no date and time"
        hint = moments.meant(text) or error.hint
        raise InvalidSchedule([Fault(key=key, what=what, instead=hint)]) from None


def _daily(values: str | list[str]) -> str | list[str]:
    """Return times of the day: ``9am`` is ``09:00``; what is none of them as it is."""
    if isinstance(values, list):
        return [str(_daily(value)) for value in values]
    if re.fullmatch(r"[0-9:]+", values):
        return values
    try:
        meant = understood(values).get("daily")
    except Invalid:
        return values
    return meant if isinstance(meant, str) else values


def _doubt(text: str, *, seconds: bool) -> None:
    """Refuse words that are no cron, but another timetable, with the option that says it.

    Raises:
        InvalidSchedule: they are.
    """
    try:
        make_timing("cron", text, timezone=None, seconds=seconds)
    except InvalidTimetable as error:
        try:
            ((kind, value),) = understood(text).items()
            make_timing(kind, value, timezone=None)
        except Invalid:
            return  # the reader of the key says what is wrong with it
        if (kind, value) != ("cron", " ".join(text.split())):
            what = f"{text!r} is no cron expression"
            fault = Fault(key="cron", what=what, instead=f"write {_options(kind, value)}")
            raise InvalidSchedule([fault]) from error


def _options(kind: str, value: Any) -> str:
    """Return the options that set a key to one value or to several."""
    values = value if isinstance(value, list) else [value]
    return " ".join(f"--{kind.replace('_', '-')} {shlex.quote(str(each))}" for each in values)
