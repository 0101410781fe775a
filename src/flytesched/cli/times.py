"""Times that people type: ``2h``, ``yesterday``, ``14:30``, ``2026-11-01``, RFC 3339."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched.core.durations import parse_duration
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.errors import Invalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
#: 9999-12-31T23:59:59Z.
_LAST = 253_402_300_799
_UTC = frozenset({"UTC", "Etc/UTC"})
_HINT = "write a duration (2h), a day (yesterday, 2026-11-01), or 2026-11-01T02:00:00Z"


def moment(option: str, text: str, *, now: float, zone: str, ahead: bool = False) -> int:
    """Return the epoch second that a text means.

    Args:
        option: named in the error.
        text: what was typed. A duration counts back from now; ``+2h`` and ``in 2h`` count ahead.
        now: epoch seconds.
        zone: IANA name of the clock that local times are on.
        ahead: whether a bare duration counts ahead instead.

    Raises:
        UsageError: it means no time.
    """
    words = text.strip()
    try:
        said = _relative(words, now, ahead=ahead)
        if said is None:
            said = _of_day(words.lower(), now, zone)
        return parse_instant(words, zone) if said is None else said
    except Invalid as error:
        what = f"{option}: {text!r} is no time that can be used"
        hint = _HINT if _unlike_a_date(words) else error.hint or _HINT
        raise UsageError(what, hint=hint) from None


def later(option: str, text: str, *, now: float) -> int:
    """Return the epoch second that lies a duration after ``now``, rounded up.

    Raises:
        UsageError: it is no duration, or none at all.
    """
    try:
        found = parse_duration(text)
    except Invalid as error:
        msg = f"{option}: {error.message}"
        raise UsageError(msg, hint=error.hint) from None
    if not found:
        msg = f"{option}: {text!r} is no time at all"
        raise UsageError(msg, hint="write a duration such as 30min, 2h or 3d")
    return min(math.ceil(now + found.total_seconds()), _LAST)


def clock_of(zone: str) -> Callable[[float], str]:
    """Return a function that shows an instant on a zone's clock: ``2026-11-21 03:00:00+01:00``."""

    def show(epoch: float) -> str:
        said = rfc3339_local(epoch, zone).replace("T", " ")
        return said.removesuffix("+00:00") + "Z" if zone in _UTC else said

    return show


def _relative(words: str, now: float, *, ahead: bool) -> int | None:
    """Return what a duration beside now means; None if it is no duration."""
    if words == "now":
        return int(now)
    sign = 1 if ahead else -1
    text = words
    if words.endswith(" ago"):
        sign, text = -1, words.removesuffix(" ago")
    elif words.startswith(("+", "in ")):
        sign, text = 1, words.removeprefix("+").removeprefix("in ")
    elif words.startswith("-"):
        sign, text = -1, words[1:]
    try:
        found = int(now + sign * parse_duration(text.strip()).total_seconds())
    except Invalid:
        if text != words:
            raise
        return None
    # Beyond these years nothing lies, and nothing could be shown.
    return min(max(found, 0), _LAST)


def _of_day(words: str, now: float, zone: str) -> int | None:
    """Return what a day's word, a clock time or both mean; None if they do not stand there."""
    first, _, rest = words.partition(" ")
    if first in _DAYS:
        days, time = _DAYS[first], rest.strip() or "00:00"
    else:
        days, time = 0, words
    if not (match := re.fullmatch(_CLOCK, time)):
        return None
    today = rfc3339_local(now, zone)[:10]
    noon = parse_instant(f"{today} 12:00", zone) + timedelta(days=days).total_seconds()
    day = rfc3339_local(noon, zone)[:10]
    hour, minute, second = (part or "00" for part in match.groups())
    return parse_instant(f"{day} {hour.zfill(2)}:{minute}:{second}", zone)


def _unlike_a_date(words: str) -> bool:
    return not re.match(r"\d{4}-", words)
