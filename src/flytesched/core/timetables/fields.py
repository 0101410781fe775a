"""The fields of a cron expression, shared by plain cron and AWS's: what one says, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.timetables.days import LAST, DaySpec, days
from flytesched.core.timetables.walk import WallTimes
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MOST = 1000
_NEVER = "no month (and year) it names has that day; L is the last day of every month"


class Field(NamedTuple):
    """What a field may hold."""

    name: str
    #: Smallest and largest value that may be written.
    low: int
    high: int
    #: Largest value that ``*`` and an open step reach; only 7 for Sunday lies above it.
    top: int
    #: Words for values.
    names: dict[str, int] = {}


SECOND = Field("second", 0, 59, 59)
MINUTE = Field("minute", 0, 59, 59)
HOUR = Field("hour", 0, 23, 23)
MONTHDAY = Field("day-of-month", 1, 31, 31)
MONTH = Field("month", 1, 12, 12, {name: n for n, name in enumerate(_MONTHS, 1)})
WEEKDAY = Field("day-of-week", 0, 7, 6, {name: n for n, name in enumerate(_WEEKDAYS)})
AWS_WEEKDAY = Field("day-of-week", 1, 7, 7, {name: n for n, name in enumerate(_WEEKDAYS, 1)})
YEAR = Field("year", 1970, 2199, 2199)

_WORD = re.compile(r"[^ \t\r\n]+")
_ITEM = re.compile(r"(?:(\*)|([A-Z0-9]+)(?:-([A-Z0-9]+))?)(?:/([0-9]+))?")
_SPELLING = (
    "write a number, a range such as 1-5, a step such as */15, * for all, or a list of these"
)
_SPREAD = "to spread starts, write a number here and give the schedule a jitter"
#: What other crons know, and what to write here.
_FOREIGN = (
    (re.compile(r"\?"), "? stands alone, and only in a day field; write *"),
    (re.compile(r"^L?[0-9]*W$"), "only the day-of-month field of aws_cron knows W"),
    (re.compile(r"#"), "# is for weekdays: 5#3 is the third Friday, up to #5"),
    (
        re.compile(r"^L|[0-9]L$"),
        "L alone is the last day of a month, 5L as a weekday the last Friday",
    ),
    (re.compile(r"^[HR]($|[(/])|~"), _SPREAD),
)


class Part(NamedTuple):
    """A field's text, or one item of its list, at its place in the expression."""

    field: Field
    #: Upper case, without spaces.
    text: str
    #: 1-based place of the text in the whole expression.
    column: int
    #: The whole expression, for messages.
    whole: str

    def items(self) -> Iterator[Part]:
        """Yield the items of the list, each at its own place."""
        if "," not in self.text:
            yield self
            return
        column = self.column
        for text in self.text.split(","):
            yield self._replace(text=text, column=column)
            column += len(text) + 1

    def values(self) -> frozenset[int]:
        """Return every value that the field names."""
        return frozenset(value for item in self.items() for value in item.span())

    def span(self) -> range:
        """Return the values of one item: ``*``, ``5``, ``1-5``, each with ``/step`` or without.

        ``5/10`` is 5 to the field's end in steps of 10, as in cronsim, croniter, robfig and AWS.
        """
        match = _ITEM.fullmatch(self.text)
        if not match:
            raise self.unreadable()
        star, first, last, step = match.groups()
        if step is not None and not int(step):
            what = "a step of 0 leads nowhere"
            raise self.fault(what, hint="write a step of 1 or more")
        low = self.field.low if star else self.value(first)
        high = self.value(last) if last else low
        if star or (step and not last):
            high = max(low, self.field.top)
        if high < low:
            what = "the range runs backward"
            raise self.fault(what, hint=self._around(low, high))
        return range(low, high + 1, int(step or 1))

    def value(self, word: str) -> int:
        """Return a number that is in bounds, or the number of a name."""
        low, high = self.field.low, self.field.high
        value = int(word) if word.isdigit() else self.field.names.get(word)
        if value is None:
            raise self.unreadable(word)
        if not low <= value <= high:
            hint = "midnight is hour 0" if self.field is HOUR and value == 24 else None
            what = f"{word} is not one of {low} to {high}"
            raise self.fault(what, hint=hint)
        return value

    def unreadable(self, word: str = "") -> InvalidTimetable:
        """Return the error for a text that is no item, with the spelling to use.

        `word` is the one in it that is not known; it may be a name's near miss.
        """
        if not self.text:
            return self.fault("an item is missing", hint="take away the comma that is too many")
        hint = next((hint for sign, hint in _FOREIGN if sign.search(self.text)), _SPELLING)
        if near := meant(word, self.field.names):
            hint = f"did you mean {near}?"
        elif hint is _SPELLING and self.field.names:
            first, *_, last = self.field.names
            hint = f"{hint}; the names are {first} to {last}"
        return self.fault("this cannot be read", hint=hint)

    def fault(self, what: str, *, hint: str | None) -> InvalidTimetable:
        """Return the error that says what is wrong at this place."""
        where = f"{self.field.name} {self.text!r} (column {self.column} of {self.whole!r})"
        name, column = self.field.name, self.column
        return InvalidTimetable(f"{where}: {what}", hint=hint, field=name, position=column)

    def _around(self, low: int, high: int) -> str:
        """Spell a backward range as the two ranges that it seems to mean."""
        ranges = ((low, self.field.top), (self.field.low, high))
        return "write " + ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in ranges)


class Times(NamedTuple):
    """The values of an expression's fields, read and checked."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: DaySpec
    #: Neither the minute nor the hour field begins with ``*`` (see :mod:`.walk`).
    fixed_time: bool

    def wall(self) -> WallTimes:
        """Return all times of the day on all matching days."""
        times = [
            (hour * 60 + minute) * 60 + second
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
            for second in sorted(self.seconds)
        ]
        return WallTimes(times, days(self.days), fixed_time=self.fixed_time)


def meant(word: str, names: Collection[str], *, cutoff: float = 0.6) -> str | None:
    """Return the name that a word is a near miss of; None if there is none.

    Letters in another order come first, then names in full: of JNA, a library for near words makes
    JUN, and of WEDNESDAY nothing. `cutoff` is how much of 1 must agree.
    """
    from difflib import get_close_matches  # only a mistake pays for this import

    near = [name for name in names if sorted(name) == sorted(word)]
    near += [name for name in names if word.isalpha() and word.startswith(name)]
    near += get_close_matches(word, names, n=1, cutoff=cutoff)
    return near[0] if near else None


def words(text: str) -> list[tuple[str, int]]:
    """Return the words of an expression in upper case, each with its 1-based column.

    Raises:
        InvalidTimetable: the text is empty, over 1,000 characters, or not ASCII.
    """
    if len(text) > _MOST:
        what = f"the expression has {len(text):,} characters, more than {_MOST:,}"
        raise InvalidTimetable(what, hint="split it into several schedules")
    if not text.isascii():
        column, character = next((n, c) for n, c in enumerate(text, 1) if not c.isascii())
        what = f"{character!r} (column {column} of {text!r}) is not an ASCII character"
        raise InvalidTimetable(what, hint="type it anew with plain characters", position=column)
    found = [(match[0], match.start() + 1) for match in _WORD.finditer(text.upper())]
    if not found:
        what = "the expression is empty"
        raise InvalidTimetable(what, hint="write minute, hour, day, month, weekday: 0 2 * * *")
    return found


def is_fixed_time(minute: Part, hour: Part) -> bool:
    """Tell by the text of minute and hour which half of the daylight-saving rule applies."""
    return not (minute.text.startswith("*") or hour.text.startswith("*"))


def month_days(part: Part, *, workdays: bool) -> tuple[frozenset[int], frozenset[int]]:
    """Read days of the month with ``L``, and apart from them those of ``15W`` and ``LW``."""
    plain, nearest = set[int](), set[int]()
    for item in part.items():
        workday = re.fullmatch(r"(L|[0-9]+)W", item.text) if workdays else None
        if workday:
            nearest.add(LAST if workday[1] == "L" else item.value(workday[1]))
        else:
            plain.update((LAST,) if item.text == "L" else item.span())
    return frozenset(plain), frozenset(nearest)


def week_days(part: Part) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Read weekdays, with Sunday as 0, and the ``5L`` and ``5#3`` forms as (weekday, which)."""
    plain, nth = set[int](), set[tuple[int, int]]()
    sunday = part.field.names["SUN"]
    for item in part.items():
        match = re.fullmatch(r"([A-Z0-9]+?)(?:L|#([1-5]))", item.text)
        if item.text == "L" and part.field is AWS_WEEKDAY:
            plain.add(6)
        elif match:
            nth.add(((item.value(match[1]) - sunday) % 7, int(match[2] or LAST)))
        else:
            plain.update((value - sunday) % 7 for value in item.span())
    return frozenset(plain), frozenset(nth)


def checked(times: Times, monthday: Part) -> Times:
    """Return `times`, or refuse days that come in no year."""
    if days(times.days).ever:
        return times
    what = "it never fires: no such day ever comes"
    raise monthday.fault(what, hint=_NEVER)
