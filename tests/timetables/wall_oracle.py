"""Cron read a second time, slowly and by other means: the tests' own opinion of what is right.

Nothing of flytesched is used, only datetime and zoneinfo. `expected` looks at a zone's clock once a
minute, as Debian's cron daemon does, and notices from one minute to the next what was skipped or is
shown again.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

#: FLYTESCHED_EXAMPLES=50 makes every Hypothesis test try fifty times as many cases.
SCALE = int(os.environ.get("FLYTESCHED_EXAMPLES", "1"))
MINUTE = timedelta(minutes=1)
NOTHING = timedelta(0)
CORRECTION = timedelta(hours=3)
WARM_UP = 86_400


def tries(count: int) -> settings:
    """Try so many examples, or a multiple of it for a long run."""
    return settings(max_examples=count * SCALE, deadline=None)


class Job:
    """A five-field expression in numbers, read field by field."""

    def __init__(self, text: str) -> None:
        minute, hour, self.monthday, month, self.weekday = text.split()
        self.minutes = {value for value in range(60) if names(minute, value, 59)}
        self.hours = {value for value in range(24) if names(hour, value, 23)}
        self.months = {value for value in range(1, 13) if names(month, value, 12, low=1)}
        self.fixed_time = minute[0] != "*" and hour[0] != "*"
        self.on = cache(self.on)

    def matches(self, local: datetime) -> bool:
        return local.minute in self.minutes and local.hour in self.hours and self.on(local.date())

    def on(self, day) -> bool:
        if day.month not in self.months:
            return False
        by_date = any(self.is_date(item, day) for item in self.monthday.split(","))
        by_weekday = any(self.is_weekday(item, day) for item in self.weekday.split(","))
        if self.monthday[0] in "*?" or self.weekday[0] in "*?":
            return by_date and by_weekday
        return by_date or by_weekday

    def is_date(self, item: str, day) -> bool:
        if item == "L":
            return (day + timedelta(days=1)).month != day.month
        return item == "?" or names(item, day.day, 31, low=1)

    def is_weekday(self, item: str, day) -> bool:
        number = day.isoweekday() % 7
        if item.endswith("L"):
            in_last_week = (day + timedelta(days=7)).month != day.month
            return in_last_week and int(item[:-1]) % 7 == number
        if "#" in item:
            weekday, which = map(int, item.split("#"))
            return weekday % 7 == number and 7 * which - 6 <= day.day <= 7 * which
        return item == "?" or names(item, number, 6) or (number == 0 and names(item, 7, 6))


def names(field: str, value: int, high: int, low: int = 0) -> bool:
    """Tell whether a list of ``*``, ``5``, ``1-5``, with a ``/step`` or without, names a value."""
    for item in field.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" or (slash and not dash) else int(last or first)
        # A step may end above the range's end only where the range itself does (7 for Sunday).
        if start <= value <= max(start, end) and (value - start) % int(step or 1) == 0:
            return True
    return False


def expected(job: Job, zone: str, after: int, until: int) -> list[int]:
    """Return the slots in (after, until] by looking at the clock once a minute."""
    clock = ZoneInfo(zone)
    found: list[int] = []
    shown_up_to = last = None
    for now in range(after - after % 60 - WARM_UP, until + 1, 60):
        local = datetime.fromtimestamp(now, clock).replace(tzinfo=None)
        jump = local - last - MINUTE if last else NOTHING
        skipped = jump // MINUTE if NOTHING < jump < CORRECTION else 0
        if -CORRECTION < jump < NOTHING:
            shown_up_to = last
        if job.fixed_time:
            again = shown_up_to is not None and local <= shown_up_to
            made_up = any(job.matches(local - MINUTE * k) for k in range(1, skipped + 1))
            due = made_up or (job.matches(local) and not again)
        else:
            due = job.matches(local)
        if due and now > after:
            found.append(now)
        last = local
    return found


def items(low: int, high: int) -> st.SearchStrategy[str]:
    """Draw one item of a field: ``*``, a number, a range, each with a step or without."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    base = st.one_of(st.just("*"), number.map(str), span)
    step = st.integers(1, high + 1).map(lambda n: f"/{n}")
    return st.tuples(base, st.one_of(st.just(""), step)).map("".join)


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    """Draw a field: mostly one item, sometimes a list."""
    listed = st.lists(items(low, high), min_size=2, max_size=3).map(",".join)
    return st.one_of(items(low, high), items(low, high), listed)


#: The hours in which clocks change, drawn more often than others.
HOURS = st.one_of(fields(0, 23), fields(0, 3), st.sampled_from(["0", "1", "2", "23", "0-3", "*"]))
MONTHDAYS = st.one_of(st.just("*"), fields(1, 31), st.sampled_from(["L", "?", "*/2", "15,L"]))
WEEKDAYS = st.one_of(
    st.just("*"), fields(0, 7), st.sampled_from(["0L", "7L", "5L", "5#3", "7#1", "?", "5#5,1"])
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Draw a five-field expression in numbers; most of them fire on most days."""
    often = draw(st.booleans())
    monthday = "*" if often else draw(MONTHDAYS)
    month = "*" if often else draw(st.one_of(st.just("*"), fields(1, 12)))
    weekday = "*" if often else draw(WEEKDAYS)
    return f"{draw(fields(0, 59))} {draw(HOURS)} {monthday} {month} {weekday}"


#: A zone and the instant of one of its clock changes, or an ordinary day. In tzdata for good.
CHANGES = [
    ("America/New_York", "2025-03-09T07:00:00Z"),
    ("America/New_York", "2025-11-02T06:00:00Z"),
    ("Europe/London", "2024-03-31T01:00:00Z"),
    ("Europe/London", "2024-10-27T01:00:00Z"),
    ("Europe/Dublin", "2023-03-26T01:00:00Z"),
    ("Europe/Dublin", "2023-10-29T01:00:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
    ("America/Santiago", "2024-09-08T04:00:00Z"),
    ("America/Santiago", "2024-04-07T03:00:00Z"),
    ("Africa/Cairo", "2024-04-25T22:00:00Z"),
    ("Africa/Cairo", "2024-10-31T21:00:00Z"),
    ("Asia/Beirut", "2022-03-26T22:00:00Z"),
    ("Asia/Beirut", "2022-10-29T21:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Pacific/Apia", "2012-09-29T14:00:00Z"),
    ("Pacific/Apia", "2012-03-31T14:00:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00:00Z"),
    ("Africa/Casablanca", "2024-04-14T02:00:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30:00Z"),
    ("Asia/Kathmandu", "2024-06-01T00:00:00Z"),
    ("Antarctica/Troll", "2024-03-31T01:00:00Z"),  # two hours
    ("Antarctica/Troll", "2024-10-27T01:00:00Z"),
    ("Antarctica/Casey", "2018-10-06T20:00:00Z"),  # three hours: a correction
    ("Antarctica/Casey", "2019-03-16T16:00:00Z"),
    ("America/St_Johns", "1988-04-03T03:31:00Z"),  # two hours, a minute after midnight
    ("America/St_Johns", "1988-10-30T01:31:00Z"),
    ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),  # a skipped day
    ("Antarctica/Vostok", "1994-01-31T17:00:00Z"),  # seven hours back
    ("America/Argentina/Tucuman", "2004-06-01T03:00:00Z"),  # and back in twelve days
    ("America/Boa_Vista", "2000-10-08T04:00:00Z"),  # and back in a week
    ("America/Nuuk", "2025-03-30T01:00:00Z"),  # from eleven at night to midnight
    ("UTC", "2024-06-01T00:00:00Z"),
]


@st.composite
def stretches(draw: st.DrawFn) -> tuple[str, int, int]:
    """Draw a zone and a stretch of up to three days around one of its clock changes."""
    zone, text = draw(st.sampled_from(CHANGES))
    change = int(datetime.fromisoformat(text).timestamp())
    after = change - draw(st.integers(0, 36 * 3600))
    return zone, after, change + draw(st.integers(1, 36 * 3600))
