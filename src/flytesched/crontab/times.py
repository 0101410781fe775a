"""A timetable in the five fields of cron: which lines have the same slots, and on whose clock."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.durations import parse_duration
from flytesched.core.instants import to_utc
from flytesched.core.timetables import aws, cron
from flytesched.core.timetables.fields import HOUR, MINUTE, MONTH, MONTHDAY, WEEKDAY, Field
from flytesched.core.timetables.zones import tz
from flytesched.crontab.percent import Inexpressible

if TYPE_CHECKING:
    from flytesched.core.timetables.timing import Timing

_FIELDS = (MINUTE, HOUR, MONTHDAY, MONTH, WEEKDAY)
#: Instants, in epoch seconds, at which a zone's offset is looked at: each month of 25 years.
_LOOKS = range(1_767_225_600, 2_556_144_000, 2_629_800)
_OPEN_STEP = re.compile(r"([A-Z0-9]+)/([0-9]+)")
_ONLY_HERE = re.compile(r"[LW#]")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class CronTimes(NamedTuple):
    """What a crontab says of when."""

    #: One line for each; together they have the slots.
    expressions: tuple[str, ...]
    #: Whose wall clock.
    timezone: str


def cron_times(timing: Timing, machine: str) -> CronTimes:
    """Return the lines that have the slots of a timing.

    Args:
        timing: of a schedule.
        machine: the zone of what has none, if its clock will do.

    Raises:
        Inexpressible: there are none.
    """
    for key in ("start", "end", "offset"):
        if getattr(timing, key):
            what = f"a crontab has no {key}"
            raise Inexpressible(what, hint="let the command look at the time itself")
    if period := _period(timing):
        return _every(period, timing.anchor, machine)
    zone = timing.timezone or machine
    match timing.kind:
        case "cron":
            return CronTimes((_cron(timing),), zone)
        case "aws_cron":
            return CronTimes((_aws(timing),), zone)
        case "daily":
            return CronTimes(_daily(timing.expression), zone)
        case "hourly":
            return CronTimes((f"{timing.expression} * * * *",), zone)
    what = "a crontab has no line for a single moment"
    raise Inexpressible(what, hint="use at(1)")


def _period(timing: Timing) -> str | None:
    """Return the period of a fixed rate, however it is written."""
    if timing.kind == "every":
        return timing.expression
    if timing.expression.startswith(cron.EVERY):
        return timing.expression.removeprefix(cron.EVERY)
    return aws.period(timing.expression) if aws.is_rate(timing.expression) else None


def _cron(timing: Timing) -> str:
    if timing.expression in cron.NICKNAMES:
        return timing.expression
    words = timing.expression.split()
    if timing.seconds:
        if cron.times(timing.expression, seconds=True).seconds != {0}:
            what = "a crontab has no seconds"
            raise Inexpressible(what, hint="let the command sleep for them")
        words = words[1:]
    return " ".join([_field(word, field) for word, field in zip(words, _FIELDS, strict=True)])


def _aws(timing: Timing) -> str:
    *words, weekday, year = timing.expression.split()
    if year != "*":
        what = "a crontab has no years"
        raise Inexpressible(what, hint="let the command look at the year")
    fields = [_field(word, field) for word, field in zip(words, _FIELDS[:4], strict=True)]
    if weekday not in {"?", "*"}:
        _refuse_special(weekday)
        days = sorted(aws.times(timing.expression).days.weekdays)
        weekday = ",".join(_DAYS[day] for day in days)
    return " ".join([*fields, weekday.replace("?", "*")])


def _field(text: str, field: Field) -> str:
    """Return a field as cron reads it: no ``?``, and a last value for each step."""
    if field in (MONTHDAY, WEEKDAY):
        _refuse_special(re.sub("[A-Z]{3}", "", text))
    items = [_item(item, field) for item in text.split(",")]
    return "*" if text == "?" else ",".join(items)


def _item(text: str, field: Field) -> str:
    """Return an item of a list; ``5/10``, which cron refuses, as ``5-59/10``."""
    match = _OPEN_STEP.fullmatch(text)
    if match is None:
        return text
    first = field.names.get(match[1]) if match[1] in field.names else int(match[1])
    return f"{first}-{max(first or 0, field.top)}/{match[2]}"


def _refuse_special(text: str) -> None:
    if found := _ONLY_HERE.search(text):
        what = f"cron does not know {found[0]} in a day field"
        raise Inexpressible(what, hint="let the command look at the date")


def _daily(expression: str) -> tuple[str, ...]:
    """Return a line for each minute of the times: ``0 2,14 * * *``."""
    hours: dict[int, list[str]] = {}
    for time in expression.split(","):
        hours.setdefault(int(time[3:]), []).append(str(int(time[:2])))
    return tuple(f"{minute} {','.join(of)} * * *" for minute, of in sorted(hours.items()))


def _every(period: str, anchor: int, machine: str) -> CronTimes:
    """Return the line of a fixed rate: a part of an hour, or hours that are a part of a day."""
    minutes, odd = divmod(int(parse_duration(period).total_seconds()), 60)
    if not odd and not anchor % 60:
        phase = anchor // 60 % minutes
        zone = machine if _keeps_phase(machine, minutes) else "UTC"
        if 60 % minutes == 0:
            return CronTimes((f"{_steps(phase, minutes, 59)} * * * *",), zone)
        if minutes % 60 == 0 and 1440 % minutes == 0:
            hours = _steps(phase // 60, minutes // 60, 23)
            return CronTimes((f"{phase % 60} {hours} * * *",), zone)
    what = f"cron knows no period of {period}"
    raise Inexpressible(what, hint="choose minutes that divide an hour, or hours that divide a day")


@lru_cache(maxsize=64)
def _keeps_phase(timezone: str, minutes: int) -> bool:
    """Tell whether a zone's clock is always some whole periods away from UTC."""
    clock = tz(timezone)
    offsets = (to_utc(at).astimezone(clock).utcoffset() for at in _LOOKS)
    return not any(offset and offset % timedelta(minutes=minutes) for offset in offsets)


def _steps(first: int, step: int, last: int) -> str:
    """Return the values from ``first`` on in steps as a field says them."""
    if first + step > last:
        return str(first)
    whole = "*" if not first else f"{first}-{last}"
    return whole if step == 1 else f"{whole}/{step}"
