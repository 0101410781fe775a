"""Timetables in everyday words: ``weekdays at 9``, ``every 5 minutes``, ``on the 15th at noon``.

What is understood is one of the six kinds of timetable, as the manifest spells it. Nothing here is
written into a manifest unseen: whoever asks shows the slots that come of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flytesched.core.durations import format_duration, parse_duration
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
#: Names of weekdays as cron numbers them.
_WEEKDAYS = (
    {name: number for number, name in enumerate(_DAYS)}
    | {name[:3]: number for number, name in enumerate(_DAYS)}
    | {"tues": 2, "weds": 3, "thur": 4, "thurs": 4}
)
_SETS = {
    "weekday": "1-5", "workday": "1-5", "working day": "1-5", "business day": "1-5",
    "weekend": "0,6",
}  # fmt: skip
_TIME = r"(?:[0-9]{1,2}:[0-9]{2}(?: ?[ap]m)?|[0-9]{1,2} ?[ap]m|noon|midnight)"
_AND = r"(?:,? and |, ?| ?& ?)"
#: Times of the day; behind ``at`` a bare hour will do.
_TIMES = re.compile(
    rf"(?:^| )at ((?:{_TIME}|[0-9]{{1,2}})(?:{_AND}(?:at )?(?:{_TIME}|[0-9]{{1,2}}))*)(?= |$)"
    rf"|(?:^| )({_TIME}(?:{_AND}{_TIME})*)(?= |$)"
)
_MINUTES = re.compile(
    r"(?:hourly|(?:every|each) hour)(?: (?:at|on) )?(?:minutes? )?"
    rf"(:?[0-9]{{1,2}}(?:{_AND}:?[0-9]{{1,2}})*)?"
)
_DATE = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)")
_NTH = re.compile(r"(first|second|third|fourth|fifth|last|[1-5](?:st|nd|rd|th)) ([a-z]+) of month")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_FIELD = re.compile(r"[0-9*?/,-]+")
#: What cron's own fields have letters for.
_OF_CRON = frozenset(
    {
        "sun", "mon", "tue", "wed", "thu", "fri", "sat", "jan", "feb", "mar", "apr", "may", "jun",
        "jul", "aug", "sep", "oct", "nov", "dec", "l", "w", "lw", "h", "tz", "cron",
    }
)  # fmt: skip
_NO_LENGTH = re.compile(r"\b(?:[0-9]+|other) (?:months?|years?)\b")
_EXAMPLES = "write such as: every 5 minutes, daily at 02:00, weekdays at 9, 0 2 * * *"
#: Words that texts are made of, to find near misses.
_KNOWN = (
    *_DAYS, "every", "daily", "hourly", "weekly", "monthly", "yearly", "weekdays", "weekends",
    "minutes", "hours", "days", "weeks", "seconds", "month", "noon", "midnight", "last", "and",
)  # fmt: skip
_LITTLE = frozenset({"the", "day", "hour", "minute", "other", "week", "year", *_ORDINALS})


def understood(text: str) -> dict[str, Any]:
    """Return the timetable that a text means, by its key in the manifest.

    The value is as it was typed where it is an expression: whether it is right is seen by whoever
    makes a schedule of it.

    Raises:
        Invalid: it is none; the hint says what may be meant, or gives examples.
    """
    said = " ".join(text.split())
    if found := _read(said):
        return found
    what = f"{text.strip()!r} is not understood as a timetable"
    raise Invalid(what, hint=_near(said.lower()) or _EXAMPLES)


def is_worded(said: str) -> bool:
    """Tell whether a text is in words, and no expression that somebody got wrong."""
    parts = said.lower().split(" ")
    if len(parts) < 2 or said.startswith("@") or all(map(_FIELD.fullmatch, parts[:2])):
        return False
    return not _OF_CRON.issuperset(re.findall(r"[^\W\d_]+", said.lower()))


def _read(said: str) -> dict[str, Any] | None:
    words = said.lower().rstrip(".")
    for look in (_expression, _rate, _hourly, _by_days):
        if found := look(said if look is _expression else words):
            return found
    return None


def _expression(said: str) -> dict[str, Any] | None:
    """Return what is cron already, of either kind."""
    if match := re.fullmatch(r"cron\((.*)\)", said):
        return {"aws_cron": match[1]}
    if said.startswith("rate("):
        return {"aws_cron": said}
    if said.startswith(("@", "CRON_TZ=")):
        return {"cron": said}
    fields = said.split(" ")
    if len(fields) < 5 or not all(map(_FIELD.fullmatch, fields[:2])):
        return None
    return {"aws_cron" if len(fields) == 6 and "?" in said else "cron": said}


def _rate(words: str) -> dict[str, Any] | None:
    """Return what is a fixed rate: ``every 5 minutes``, ``90s``, ``every other hour``."""
    unit = re.sub(r"^(every|each) (other )?", lambda found: "2 " if found[2] else "", words)
    if unit in {"second", "minute"}:
        unit = f"1 {unit}"
    try:
        return {"every": format_duration(parse_duration(unit))}
    except Invalid:
        return None


def _hourly(words: str) -> dict[str, Any] | None:
    """Return minutes of every hour: ``hourly at 15``, ``every hour at :15 and :45``."""
    if not (match := _MINUTES.fullmatch(words)):
        return None
    minutes = [int(minute) for minute in re.findall(r"[0-9]+", match[1] or "0")]
    return {"hourly": minutes[0] if len(minutes) == 1 else minutes}


def _by_days(words: str) -> dict[str, Any] | None:
    """Return times of some days: ``weekdays at 9``, ``02:00``, ``on the 15th at noon``."""
    match = _TIMES.search(words)
    rest = words if match is None else words[: match.start()] + words[match.end() :]
    times = ["00:00"] if match is None else _times(match[1] or match[2])
    days = re.sub(r"^(?:,? ?(?:on|every|each|of|the))+ |^(?:on|every|each)$|,$", "", rest.strip())
    if days in {"", "day", "daily"}:
        return {"daily": times[0] if len(times) == 1 else times} if match or days else None
    fields = _fields(days)
    return None if fields is None else {"cron": f"{_clock(times)} {fields}"}


def _times(said: str) -> list[str]:
    """Return times of the day as cron and ``daily`` have them: ``9 pm`` is ``21:00``."""
    return [_time(part) for part in re.split(rf"{_AND}(?:at )?", said)]


def _time(said: str) -> str:
    """Return one such time.

    Raises:
        Invalid: no clock shows it.
    """
    if said in {"noon", "midnight"}:
        return "12:00" if said == "noon" else "00:00"
    hour, _, minute = re.sub(r" ?[ap]m$", "", said).partition(":")
    if said.endswith("m"):
        if not 1 <= int(hour) <= 12:
            what = f"{said!r} is no time of the day"
            raise Invalid(what, hint="write hours from 1 to 12 with am or pm, or such as 14:30")
        hour = str(int(hour) % 12 + (12 if said.endswith("pm") else 0))
    return f"{hour:0>2}:{minute or '00'}"


def _clock(times: Sequence[str]) -> str:
    """Return the minute and the hour field of times of the day.

    Raises:
        Invalid: their minutes differ, which one cron expression cannot say.
    """
    minutes = {int(time[3:]) for time in times}
    if len(minutes) > 1:
        what = f"{' and '.join(times)} on some days only is more than one timetable"
        raise Invalid(what, hint="add a schedule for each time, or use the same minute")
    hours = ",".join(str(int(time[:2])) for time in times)
    return f"{minutes.pop()} {hours}"


def _fields(days: str) -> str | None:
    """Return the fields of cron for days, months and weekdays."""
    named = {"weekly": "* * 0", "week": "* * 0", "monthly": "1 * *", "month": "1 * *"}
    named |= {"yearly": "1 1 *", "annually": "1 1 *", "year": "1 1 *"}
    if days in named:
        return named[days]
    days = re.sub(r"^(?:weekly|monthly|month|week),? on |^(?:weekly|monthly) ", "", days)
    days = re.sub(r" of (?:the|every|each) month$", " of month", days.removeprefix("the "))
    if match := _NTH.fullmatch(days):
        return _nth(match[1], match[2])
    days = days.removesuffix(" of month")
    if (weekdays := _week(days)) is not None:
        return f"* * {weekdays}"
    dates = [_DATE.fullmatch(part.removeprefix("the ")) for part in re.split(_AND, days)]
    found = [match[1] for match in dates if match]
    return f"{','.join(found)} * *" if len(found) == len(dates) else None


def _nth(which: str, day: str) -> str | None:
    """Return the fields of a day that comes once a month, such as its third Friday."""
    if (which, day) == ("last", "day"):
        return "L * *"
    if (number := _WEEKDAYS.get(day)) is None:
        return None
    if which == "last":
        return f"* * {number}L"
    count = _ORDINALS.index(which) + 1 if which in _ORDINALS else which[0]
    return f"* * {number}#{count}"


def _week(days: str) -> str | None:
    """Return the field of cron for weekdays; None if they are none."""
    parts = []
    for said in re.split(_AND, days):
        word = said.removeprefix("every ").removesuffix("s") if said not in _WEEKDAYS else said
        ends = [_WEEKDAYS.get(end) for end in re.split(r" ?- ?| to | through ", word)]
        if word in _SETS:
            parts.append(_SETS[word])
        elif None not in ends and len(ends) <= 2:
            # Cron takes no range that ends on Sunday's 0, but knows it as 7 as well.
            first, last = ends[0], ends[-1] or 7 * (len(ends) - 1)
            parts.append(f"{first}-{last}" if len(ends) == 2 else str(first))
        else:
            return None
    return ",".join(parts)


def _near(words: str) -> str | None:
    """Return what somebody may mean who is not understood."""
    if _NO_LENGTH.search(words):
        return "months and years differ in length; write cron, such as 0 0 1 */3 *, or yearly"
    from flytesched.core.suggestion import nearest

    own = {*_KNOWN, *_LITTLE, *_WEEKDAYS}
    odd = [word for word in re.findall(r"[a-z]{3,}", words) if word not in own]
    meant = {word: near for word in odd if (near := nearest(word, _KNOWN))}
    if not meant:
        return None
    said = re.sub("[a-z]{3,}", lambda found: meant.get(found[0], found[0]), words)
    # What would be refused as well is nothing that anybody can have meant, or says why itself.
    return f"did you mean {next(iter(meant.values()))!r}?" if _read(said) else None
