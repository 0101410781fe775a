"""Sets of numbers in words: one set has one text, and no text stands for two sets."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from flytesched.core.timetables.days import LAST
from flytesched.core.timetables.zones import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flytesched.core.timetables.days import DaySpec

EVERY_DAY = "every day"
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_ORDINALS = ("last", "first", "second", "third", "fourth", "fifth")
_ALL_MONTHDAYS, _ALL_WEEKDAYS = frozenset(range(1, 32)), frozenset(range(7))
#: Times of the day that are told one by one.
_TOLD = 8
#: Numbers in a row that are told as a stretch, and numbers that make a series of steps.
_STRETCH, _SERIES = 3, 4
_HOUR = 3600
_UNITS = ((DAY, "day"), (_HOUR, "hour"), (60, "minute"), (1, "second"))


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *rest, end = words
    return f"{', '.join(rest)} {last} {end}" if rest else end


def numbers(values: Collection[int], name: Callable[[int], str] = str, last: str = "and") -> str:
    """Return ``1``, ``1 and 15``, ``1 to 5 and 9``, ``0 to 55 in steps of 5``."""
    ordered = sorted(values)
    step = _series(ordered)
    if step is not None and step > 1:
        return f"{name(ordered[0])} to {name(ordered[-1])} in steps of {step}"
    return listed([_stretch(stretch, name) for stretch in _stretches(ordered)], last)


def _stretches(ordered: Sequence[int]) -> list[list[int]]:
    """Return numbers cut where one is missing; a stretch of two is told as two."""
    found: list[list[int]] = []
    for value in ordered:
        if found and value == found[-1][-1] + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [part for stretch in found for part in _long_enough(stretch)]


def _long_enough(stretch: list[int]) -> list[list[int]]:
    return [stretch] if len(stretch) >= _STRETCH else [[value] for value in stretch]


def _stretch(stretch: Sequence[int], name: Callable[[int], str]) -> str:
    first = name(stretch[0])
    return first if len(stretch) == 1 else f"{first} to {name(stretch[-1])}"


def _series(ordered: Sequence[int]) -> int | None:
    """Return the one distance between neighbours; None if they differ, or are too few to tell."""
    steps = {b - a for a, b in pairwise(ordered)}
    return steps.pop() if len(steps) == 1 and len(ordered) >= _SERIES else None


# -- times of the day -----------------------------------------------------------------------------


def clock(second: int) -> str:
    """Return a second of the day as ``02:00``, or ``02:00:30`` where that is needed."""
    minute, second = divmod(second % DAY, 60)
    text = f"{minute // 60:02}:{minute % 60:02}"
    return f"{text}:{second:02}" if second else text


def rate(seconds: int) -> str:
    """Return ``every minute``, ``every 90 seconds``: in the largest unit that fits."""
    size, unit = next((size, unit) for size, unit in _UNITS if not seconds % size)
    count = seconds // size
    return f"every {unit}" if count == 1 else f"every {count:,} {unit}s"


def round_the_clock(times: Sequence[int]) -> int | None:
    """Return the step of times that go on without a break from one day to the next."""
    step = _series(times)
    return step if step is not None and times[0] + DAY - times[-1] == step else None


def times_of_day(times: Sequence[int], parts: tuple[Collection[int], ...] | None) -> str:
    """Say seconds of the day, ascending; begins in lower case.

    Args:
        times: all of them.
        parts: the seconds, minutes and hours that they are all combinations of; None if they are
            not made so.
    """
    step = round_the_clock(times)
    if step is not None and _at_minutes(times[0], step):
        return _combined({0}, {time // 60 for time in times if time < _HOUR}, range(24))
    if step is not None:
        return rate(step) + (f" from {clock(times[0])} on, round the clock" if times[0] else "")
    step = _series(times)
    if step is not None:
        return f"{rate(step)} from {clock(times[0])} to {clock(times[-1])}"
    if parts is None or len(times) <= _TOLD:
        return f"at {listed([clock(time) for time in times])}"
    return _combined(*parts)


def _at_minutes(first: int, step: int) -> bool:
    """Tell whether steps round the clock are easier told as minutes of every hour."""
    return first % 60 == 0 and (step == _HOUR or (first > 0 and _HOUR % step == 0))


def _combined(seconds: Collection[int], minutes: Collection[int], hours: Collection[int]) -> str:
    said = [] if set(seconds) == {0} else [_part("second", seconds, 60)]
    said += [_part("minute", minutes, 60), _part("hour", hours, 24)]
    return f"at {' of '.join(said)}"


def _part(unit: str, values: Collection[int], size: int) -> str:
    if len(values) == size:
        return f"every {unit}"
    return f"{unit}{'s' * (len(values) > 1)} {numbers(values)}"


# -- days -----------------------------------------------------------------------------------------


def restricted(spec: DaySpec) -> tuple[bool, bool]:
    """Tell whether days of the month, and weekdays, are less than all where that counts."""
    by_date, by_weekday = not spec.monthdays >= _ALL_MONTHDAYS, not spec.weekdays >= _ALL_WEEKDAYS
    if not spec.both and not (by_date and by_weekday):
        return False, False
    return by_date, by_weekday


def days(spec: DaySpec) -> str:
    """Say which days: ``on Monday to Friday in May``; nothing for every day of every year."""
    said = [_days(spec)]
    if len(spec.months) < 12:
        said.append(f"in {numbers(spec.months, lambda month: _MONTHS[month - 1])}")
    if spec.years is not None:
        said.append(f"in {numbers(spec.years)}")
    if len(said) > 1 and not said[0]:
        said[0] = EVERY_DAY
    return " ".join(said)


def _days(spec: DaySpec) -> str:
    by_date, by_weekday = restricted(spec)
    if by_date and by_weekday:
        if spec.both:
            return f"on {_dates(spec)} of the month if that is {_weekdays(spec, 'or')}"
        return f"on {_dates(spec)} of the month or on {_weekdays(spec, 'or')}"
    if by_date:
        return f"on {_dates(spec)} of the month"
    return f"on {_weekdays(spec)}" if by_weekday else ""


def _dates(spec: DaySpec) -> str:
    plain = spec.monthdays - {LAST}
    said = [f"day{'s' * (len(plain) > 1)} {numbers(plain)}"] if plain else []
    if LAST in spec.monthdays:
        said.append("the last day")
    said += [_workday(day) for day in sorted(spec.nearest)]
    return listed(said, "and also" if len(plain) > 1 else "and")


def _workday(day: int) -> str:
    if day == LAST:
        return "the last Monday-to-Friday day"
    return f"the Monday-to-Friday day nearest to day {day}"


def _weekdays(spec: DaySpec, last: str = "and") -> str:
    """Say weekdays, Monday first, and such as the third Friday, which is not told twice."""
    ordered = {day or 7 for day in spec.weekdays}
    said = [numbers(ordered, lambda day: _WEEKDAYS[day % 7], last)] if ordered else []
    said += [
        f"the {_ORDINALS[which]} {_WEEKDAYS[day]} of the month"
        for day, which in sorted(spec.nth)
        if day not in spec.weekdays
    ]
    return listed(said, last)
