"""Plain cron: five fields, or six with the seconds first, nicknames and ``@every``.

The meaning is Vixie cron's (Debian's crontab(5)): names, ranges, steps and lists; weekday 7 is
Sunday; where both day fields are restricted either may match, unless one begins with ``*``. Beyond
it: ``L``, ``5L``, ``5#3``, ``?`` in a day field, ``CRON_TZ=Zone`` in front, and Flyte's words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.timetables.days import DaySpec
from flytesched.core.timetables.fields import (
    HOUR,
    MINUTE,
    MONTH,
    MONTHDAY,
    SECOND,
    WEEKDAY,
    Part,
    Times,
    checked,
    is_fixed_time,
    meant,
    month_days,
    week_days,
    words,
)
from flytesched.core.timetables.interval import canonical as canonical_period
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from flytesched.core.timetables.walk import WallTimes

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: Flyte's schedule words (flyteadmin's ``cron_schedule``) and the nicknames they stand for.
_FLYTE = {
    "hourly": "@hourly",
    "hours": "@hourly",
    "daily": "@daily",
    "days": "@daily",
    "weekly": "@weekly",
    "weeks": "@weekly",
    "monthly": "@monthly",
    "months": "@monthly",
    "annually": "@annually",
    "yearly": "@yearly",
    "years": "@yearly",
}
EVERY = "@every "
#: How much of a near miss of a nickname is right: @dayly means @daily, @fortnightly no @monthly.
_NEAR = 0.75
_ZONE = "CRON_TZ="
_FIVE = (MINUTE, HOUR, MONTHDAY, MONTH, WEEKDAY)
_SIX = (SECOND, *_FIVE)


class Cron(NamedTuple):
    """A checked expression."""

    #: Canonical text: nickname in lower case, fields in upper case with single spaces.
    expression: str
    #: The zone that the text itself names.
    zone: str | None
    #: Whether it has six fields.
    seconds: bool


def canonical(text: str, *, seconds: bool) -> Cron:
    """Check an expression and bring it into its canonical form; the zone is not checked.

    Raises:
        InvalidTimetable: the expression is wrong; with the field, its 1-based column, and the
            spelling to use.
    """
    found = words(text)
    zone = None
    if found[0][0].startswith(_ZONE):
        start = found[0][1] - 1
        zone = text[start + len(_ZONE) : start + len(found[0][0])]
        found = found[1:]
    if not found:
        what = f"{text!r} names a zone but no times"
        raise InvalidTimetable(what, hint="write the five fields after it")
    first = found[0][0].lower()
    if first == EVERY.strip():
        rest = text[found[0][1] + len(EVERY) - 2 :].strip()
        return Cron(EVERY + canonical_period(rest), zone, False)
    if first.startswith("@") or len(found) == 1:
        return Cron(_nickname(first, text, alone=len(found) == 1), zone, False)
    expression = " ".join([word for word, _ in found])
    try:
        wall(expression, seconds=seconds)
    except InvalidTimetable:
        _read(found, text, seconds=seconds)  # raises again, with the place in the text as written
    return Cron(expression, zone, seconds)


@lru_cache(maxsize=2**17)
def wall(expression: str, *, seconds: bool) -> WallTimes:
    """Return the times of a canonical expression that is not ``@every``, shared by all zones."""
    return times(expression, seconds=seconds).wall()


def times(expression: str, *, seconds: bool) -> Times:
    """Read a canonical expression that is not ``@every``."""
    expression = NICKNAMES.get(expression, expression)
    return _read(words(expression), expression, seconds=seconds)


def _read(found: list[tuple[str, int]], whole: str, *, seconds: bool) -> Times:
    """Read the fields of an expression."""
    fields = _SIX if seconds else _FIVE
    if len(found) != len(fields):
        raise _wrong_count(found, whole, seconds=seconds)
    parts = [
        Part(field=field, text=text, column=column, whole=whole)
        for field, (text, column) in zip(fields, found, strict=True)
    ]
    minute, hour, monthday, month, weekday = parts[-5:]
    return checked(
        Times(
            seconds=parts[0].values() if seconds else frozenset({0}),
            minutes=minute.values(),
            hours=hour.values(),
            days=_days(monthday, month, weekday),
            fixed_time=is_fixed_time(minute, hour),
        ),
        monthday,
    )


def _days(monthday: Part, month: Part, weekday: Part) -> DaySpec:
    """Read the three day fields; ``?`` is ``*``."""
    days, _ = month_days(_unquestioned(monthday), workdays=False)
    weekdays, nth = week_days(_unquestioned(weekday))
    return DaySpec(
        monthdays=days,
        months=month.values(),
        weekdays=weekdays,
        nth=nth,
        both=monthday.text[:1] in "*?" or weekday.text[:1] in "*?",
    )


def _unquestioned(part: Part) -> Part:
    return part._replace(text="*") if part.text == "?" else part


def _nickname(word: str, text: str, *, alone: bool) -> str:
    """Return the nickname that a single word means."""
    nickname = _FLYTE.get(word, word)
    if alone and nickname in NICKNAMES:
        return nickname
    if word == "@reboot":
        what = "@reboot names no time: a restart of the machine is no slot"
        raise InvalidTimetable(what, hint="let systemd start what must run at boot")
    near = meant(word, [*NICKNAMES, *_FLYTE, EVERY.strip()], cutoff=_NEAR)
    hint = f"write five fields such as 0 2 * * *, one of {', '.join(NICKNAMES)}, or @every 5m"
    if near and near != word:
        hint = f"did you mean {near}{' 5m' * (near == EVERY.strip())}?"
    what = f"{text!r} is no cron expression"
    raise InvalidTimetable(what, hint=hint)


def _wrong_count(found: list[tuple[str, int]], whole: str, *, seconds: bool) -> InvalidTimetable:
    """Say which fields are expected, and who else writes that many."""
    count = len(found)
    if seconds:
        what = f"{whole!r} has {count} fields, not six"
        hint = "with seconds = true write second, minute, hour, day, month, weekday: 0 0 2 * * *"
    elif count in {6, 7}:
        what = f"{whole!r} has {count} fields, not five"
        hint = (
            "leave the seconds out; or set seconds = true if the first of six fields is the second;"
            " or write it as aws_cron if the last is the year"
        )
    else:
        what = f"{whole!r} has {count} fields, not five"
        hint = "write minute, hour, day, month, weekday: 0 2 * * *"
    return InvalidTimetable(what, hint=hint, position=found[min(count - 1, 5 + seconds)][1])
