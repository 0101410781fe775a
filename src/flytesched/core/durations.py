"""Durations: ``1h30m``, ``PT90M`` and the like to timedelta, and back."""

from __future__ import annotations

import re
from datetime import timedelta

from flytesched.errors import Invalid

_MOST = 100
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
#: Microseconds in each unit, the largest first: the order in which they are written.
_UNITS = {
    "w": 7 * 86_400_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_PLAIN = re.compile("".join(rf"(?:{_NUMBER}{unit}\s*)?" for unit in _UNITS))
#: How people write the units, in the same order; both cases are read, but for a single M.
_NAMES = (
    "weeks?|wks?|w", "days?|d", "hours?|hrs?|h", "minutes?|mins?|m", "seconds?|secs?|s",
    "milliseconds?|msecs?|ms", "microseconds?|usecs?|us",
)  # fmt: skip
#: Months or minutes, or millions.
_CAPITAL = r"[0-9]\s*M(?![A-Za-z])"
_NO_LENGTH = r"[0-9.]+\s*(?:mo|months?|y|yrs?|years?)"
#: ISO 8601; months and years are left out because they have no fixed length.
_ISO = re.compile(
    rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.IGNORECASE | re.ASCII,
)
_HINT = "write a number with its unit, the largest unit first: 90s, 1h30m, 2d, 500ms or PT90M"


def parse_duration(value: object) -> timedelta:
    """Return the duration that a text means; a timedelta that is not negative is returned as it is.

    Units are w, d, h, m, s, ms and us, or their names (``5 min``, ``1 hour 30 minutes``), or ISO
    8601's W, D, H, M and S; each at most once, the largest first. Fractions are read exactly, down
    to a microsecond.

    Raises:
        Invalid: it is no duration: no unit, an unknown one, negative, too long or too fine.
    """
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise _fault(value, "is negative", "a duration is zero or more")
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise _no_unit(value)
    if not isinstance(value, str):
        raise _fault(value, "is no duration", _HINT)
    return _parse(value.strip())


def _parse(text: str) -> timedelta:
    short = len(text) <= _MOST
    if short and re.fullmatch(r"[0-9.]+", text):
        raise _no_unit(text)
    if text.startswith("-"):
        raise _fault(text, "is negative", "a duration is zero or more")
    match = _PLAIN.fullmatch(text) or _ISO.fullmatch(text) or _worded(text) if short else None
    if not match or not any(match.groups()):
        raise _fault(text, "is no duration", _meant(text) if short else _HINT)
    numbers = match.groups()
    parts = zip(numbers, _UNITS.values(), strict=False)  # ISO has no unit below the second
    micros = sum(_exact(number, unit, text) for number, unit in parts if number)
    try:
        return timedelta(microseconds=micros)
    except OverflowError:
        raise _fault(text, "is too long", "the longest is 999999999d") from None


def _worded(text: str) -> re.Match[str] | None:
    """Match units by their names; the expression is made where first needed, which costs most."""
    words = "".join(
        rf"(?:{_NUMBER}\s*(?:{names})(?:\s*,?\s*(?:and\s+)?(?=[0-9]))?)?" for names in _NAMES
    )
    if re.search(_CAPITAL, text):
        return None
    return re.fullmatch(words, text, re.IGNORECASE | re.ASCII)


def _meant(text: str) -> str:
    """Say what to write instead of a text that is no duration."""
    if re.match(_NO_LENGTH, text, re.IGNORECASE | re.ASCII):
        return "months and years have no fixed length: write days, such as 30d or 365d"
    if re.search(_CAPITAL, text):
        meant = re.sub(_CAPITAL, lambda found: found[0].lower(), text)
        return f"write {' '.join(meant.split())} if you mean minutes"
    return _HINT


def _exact(number: str, unit: int, text: str) -> int:
    """Return a decimal number of units in microseconds."""
    whole, _, fraction = number.partition(".")
    micros, rest = divmod(int(whole + fraction) * unit, int(10 ** len(fraction)))
    if rest:
        raise _fault(text, "is finer than a microsecond", "leave out the last digits")
    return micros


def format_duration(value: timedelta) -> str:
    """Return a duration as `parse_duration` reads it: ``1d2h``, ``1h30m``, ``500ms``, ``0s``.

    A negative one, which no manifest may hold, gets a minus sign.
    """
    micros = value // timedelta(microseconds=1)
    said, micros = "-" if micros < 0 else "", abs(micros)
    for name, unit in _UNITS.items():
        if name != "w":  # people read 14d more easily than 2w
            count, micros = divmod(micros, unit)
            said += f"{count}{name}" if count else ""
    return said or "0s"


def _no_unit(value: object) -> Invalid:
    hint = (
        f"write {value}s for seconds, {value}m for minutes, {value}h for hours, {value}d for days"
    )
    return _fault(value, "has no unit", hint)


def _fault(value: object, what: str, hint: str) -> Invalid:
    said = repr(value) if isinstance(value, str) else str(value)
    return Invalid(f"{said[:_MOST]} {what}", hint=hint)
