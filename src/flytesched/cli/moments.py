"""Moments in the words of people: ``2h ago``, ``yesterday noon``, ``next monday at 9:00``."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from flytesched.core.durations import parse_duration
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.suggestion import suggest
from flytesched.errors import Invalid

#: 9999-12-31T23:59:59Z.
LAST = 253_402_300_799
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = {"tues": "tue", "weds": "wed", "thur": "thu", "thurs": "thu"}
_CLOCK = re.compile(r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)? ?(am|pm)?")
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")
_EPOCH = re.compile(r"@([0-9]{1,12})")
_HINT = "write a duration (2h), a day (yesterday, 2026-11-01), or 2026-11-01T02:00:00Z"
#: Texts that could mean several times, or a stretch of them, and what to write instead.
_DOUBTS = (
    (r".*\bmidnight\b.*", "midnight is at both ends of a day: write today, tomorrow, or 00:00"),
    (r"(last|next|this|past|coming) (week|month|year|night|weekend)",
     "that is a stretch of time: write a day, such as last monday, or a duration, such as 7d"),
    (r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2,4}.*",
     "day and month could be either way round: write the year first, such as 2026-11-01"),
)  # fmt: skip


def read(text: str, *, now: float, zone: str, ahead: bool) -> int:
    """Return the epoch second that a text means.

    Args:
        text: what was typed.
        now: epoch seconds.
        zone: IANA name of the clock that local times are on; a ``UTC`` behind them wins over it.
        ahead: whether a duration, or a weekday, that does not say so lies ahead.

    Raises:
        Invalid: it means no time, or several.
    """
    words = " ".join(text.split())
    if match := _EPOCH.fullmatch(words):
        return min(int(match[1]), LAST)
    if (found := _relative(words, now, ahead=ahead)) is not None:
        return found
    if words.lower().endswith(" utc"):
        words, zone = words[:-4], "UTC"
    found = _of_day(words.lower(), now, zone, ahead=ahead)
    return parse_instant(words, zone) if found is None else found


def meant(text: str) -> str | None:
    """Say what to write instead of a text that means no time; None if it begins like a date."""
    said = " ".join(text.split())
    words = said.lower()
    for pattern, hint in _DOUBTS:
        if re.fullmatch(pattern, words):
            return hint
    if re.fullmatch(r"[0-9]{1,6}", words):
        return f"write a unit, such as {words}m or {words}h, or a clock time, such as 14:30"
    if re.match(r"[0-9]{4}-", words):
        return None
    if re.match(r"[0-9.]+ ?[A-Za-z]", count := _aside(said)[1]):
        try:
            parse_duration(count)
        except Invalid as error:
            return error.hint
    first = words.partition(" ")[0]
    known = (*_DAYS, *_WEEKDAYS, "now", "noon", "last", "next")
    return (suggest(first, known) if first not in known else None) or _HINT


def _relative(words: str, now: float, *, ahead: bool) -> int | None:
    """Return what a duration beside now means; None if it is no duration."""
    if words.lower() == "now":
        return int(now)
    sign, text = _aside(words)
    sign = sign or (1 if ahead else -1)
    try:
        found = int(now + sign * parse_duration(text).total_seconds())
    except Invalid:
        if text != words:
            raise
        return None
    # Beyond these years nothing lies, and nothing could be shown.
    return min(max(found, 0), LAST)


def _aside(words: str) -> tuple[int, str]:
    """Return on which side of now a duration lies, 0 where it does not say so, and itself."""
    side, text = 0, words
    for end, direction in ((" ago", -1), (" from now", 1)):
        if words.lower().endswith(end):
            side, text = direction, words[: -len(end)]
    for start, direction in (("+", 1), ("in ", 1), ("-", -1)):
        if words.lower().startswith(start):
            side, text = direction, words[len(start) :]
    return side, re.sub(r"^an? ", "1 ", text.strip(), flags=re.IGNORECASE)


def _of_day(words: str, now: float, zone: str, *, ahead: bool) -> int | None:
    """Return what a day, a clock time or both mean, in either order; None if they do not."""
    words = words.removeprefix("at ").replace(", ", " ").replace(" at ", " ")
    today = date.fromisoformat(rfc3339_local(now, zone)[:10])
    if (time := _clock(words, bare=False)) is not None:
        return parse_instant(f"{today} {time}", zone)
    for said, rest in _halves(words):
        day, time = _day(said, today), _clock(rest, bare=not said[:1].isdigit())
        if day is None or time is None:
            continue
        found = parse_instant(f"{day} {time}", zone)
        if isinstance(day, date) and said in _weekdays() and (found > now) is not ahead:
            # A weekday alone is the nearest one on that side of now.
            day += timedelta(days=7 if ahead else -7)
            found = parse_instant(f"{day} {time}", zone)
        return found
    return None


def _halves(words: str) -> list[tuple[str, str]]:
    """Return how a text may be a day and a clock time: the whole, or cut at a space."""
    parts = words.split(" ")
    cuts = [(" ".join(parts[:n]), " ".join(parts[n:])) for n in range(1, len(parts))]
    return [(words, "00:00"), *cuts, *((rest, first) for first, rest in cuts)]


def _day(said: str, today: date) -> date | str | None:
    """Return the day that a word or a weekday names; a date as it has to be written."""
    if said in _DAYS:
        return today + timedelta(days=_DAYS[said])
    if match := _DATE.fullmatch(said):
        return f"{match[1]}-{match[3]:0>2}-{match[4]:0>2}"
    which, _, name = said.rpartition(" ")
    if (number := _weekdays().get(name)) is None or which not in {"", "last", "next"}:
        return None
    ahead = (number - today.weekday()) % 7
    if which == "last":
        return today + timedelta(days=ahead - 7)
    return today + timedelta(days=ahead or (7 if which == "next" else 0))


def _clock(text: str, *, bare: bool) -> str | None:
    """Return a time of the day in full; None if it is none.

    Args:
        text: such as ``9:05``, ``9pm`` or ``noon``.
        bare: whether an hour alone will do.
    """
    if text == "noon":
        return "12:00:00"
    if not (match := _CLOCK.fullmatch(text)):
        return None
    hour, minute, second, half = int(match[1]), match[2], match[3], match[4]
    if (half and not 1 <= hour <= 12) or not (minute or half or bare):
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return f"{hour:02}:{minute or '00'}:{second or '00'}"


@lru_cache(maxsize=1)
def _weekdays() -> dict[str, int]:
    """Return the numbers of weekdays, Monday 0, by every name they go by."""
    found = {name: number for number, name in enumerate(_WEEKDAYS)}
    found |= {name[:3]: number for name, number in found.items()}
    return found | {name: found[short] for name, short in _SHORT.items()}
