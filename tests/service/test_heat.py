"""Counts of a heat map: as if every slot had been walked, on any clock."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flytesched.core.calendars import Calendar
from flytesched.core.instants import parse_instant
from flytesched.core.schedule import Schedule
from flytesched.core.timetables import slots
from flytesched.core.timetables.on_holiday import left_out, why_left_out
from flytesched.core.timetables.public import public_holidays
from flytesched.service.days_off import left_out_slots
from flytesched.service.heat import Span, heat
from flytesched.service.listing import coming

#: Zones, each with a day on which its clock is set, or on which nothing happens.
DAYS = [
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Australia/Lord_Howe", "2026-10-04"),  # by half an hour
    ("Asia/Beirut", "2022-03-27"),  # from midnight on
    ("America/St_Johns", "1988-04-03"),  # by two hours, a minute after midnight
    ("Pacific/Apia", "2011-12-30"),  # a day that never was
    ("Asia/Kathmandu", "2026-06-01"),
    ("UTC", "2026-06-01"),
]
SUNDAYS = Calendar(name="sundays", weekdays=["sun"])
#: Two days of each name that follow each other, and a third one of another.
DATES = Calendar(
    name="dates",
    dates={
        "03-27": "A", "03-28": "A", "03-29": "B", "04-02": "C", "04-03": "C", "06-01": "D",
        "06-02": "D", "10-03": "E", "10-04": "E", "12-29": "F", "12-30": "F", "12-31": "F",
    },
)  # fmt: skip
KEYS = [
    {"cron": "* * * * *"}, {"cron": "30 2 * * *"}, {"cron": "0 0 1 * *"}, {"every": "7m"},
    {"every": "20s"}, {"hourly": [0, 30]}, {"daily": "00:00", "offset": "90s"},
    {"at": "2027-03-28T02:30:00"}, {"cron": "*/10 1-3 * * *", "enabled": False},
    {"every": "1h", "paused_until": "2027-03-28T05:30:00Z"},
    {"cron": "*/10 1-3 * * *", "calendars": [SUNDAYS], "paused_until": "2027-03-28T00:30:00Z"},
    {"daily": "02:30", "calendars": [SUNDAYS, DATES], "on_holiday": "next"},
    {"cron": "0 0 * * 0,3", "calendars": [SUNDAYS], "on_holiday": "previous", "offset": "90s"},
    {"every": "7m", "calendars": [DATES]},
]  # fmt: skip
SPANS = st.sampled_from(list(Span))


def made(keys: dict[str, object], zone: str) -> Schedule:
    """Return a schedule in a zone."""
    return Schedule("a", command="true", timezone=zone, **keys)


def left_out_in(schedule: Schedule, after: int, until: int) -> list[int]:
    """Return what calendars leave out of a stretch, of what would fall due."""
    table = left_out(schedule.timing)
    if table is None or not schedule.enabled:
        return []
    return [*slots(table, max(after, (schedule.paused_until or 0) - 1), until)]


@given(
    st.sampled_from(DAYS),
    st.integers(-3 * 86_400, 86_400),
    SPANS,
    st.lists(st.sampled_from(KEYS), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_each_cell_counts_what_a_walk_meets_in_it(day, away, span, keys):
    """Wherever it begins; slots before that are left out."""
    zone, date = day
    since = parse_instant(date, zone) + away
    schedules = [made(each, zone) for each in keys]

    found = heat(schedules, span, since=since, zone=zone)

    for cell in found.cells:
        begin = max(cell.begin, since)
        walked = sum(1 for s in schedules for _ in coming(s, begin - 1, cell.end - 1))
        assert cell.slots == walked
        assert cell.left_out == sum(len(left_out_in(s, begin - 1, cell.end - 1)) for s in schedules)
    assert sum(day.slots for day in found.days_off) == sum(cell.left_out for cell in found.cells)


@given(st.sampled_from(DAYS), st.integers(-3 * 86_400, 86_400), st.sampled_from(KEYS))
@settings(max_examples=60, deadline=None)
def test_stretches_that_are_left_out_hold_what_a_walk_meets(day, away, keys):
    """Each slot once, and none that runs among them; several of them for one reason."""
    zone, date = day
    after = parse_instant(date, zone) + away
    schedule = made(keys, zone)

    found = [*left_out_slots(schedule, after, after + 9 * 86_400)]

    walked = left_out_in(schedule, after, after + 9 * 86_400)
    table = left_out(schedule.timing)
    told = [slots(table, each.first - 1, each.last) for each in found]
    assert [slot for stretch in told for slot in stretch] == walked
    for each in found:
        inside = [slot for slot in walked if each.first <= slot <= each.last]
        assert each.count == len(inside)
        assert {why_left_out(schedule.timing, slot) for slot in inside} == {each.why}
        assert schedule.timetable.count(each.first, each.last) == 0
        assert each.count == 1 or each.count > 3


def test_what_is_left_out_is_looked_for_no_farther_than_it_is_asked_for():
    """No Monday of these is ever left out: to learn that, 400 years were looked through."""
    germany = Calendar(name="germany", country="DE", subdivision="HB")
    schedule = Schedule(
        "a", cron="0 9 * * mon", timezone="UTC", calendars=[germany], on_holiday="next",
        command="true",
    )  # fmt: skip
    after = parse_instant("2037-01-01", "UTC")
    known = public_holidays.cache_info().misses

    assert not [*left_out_slots(schedule, after, after + 9 * 86_400)]

    assert public_holidays.cache_info().misses - known <= 3


@given(st.sampled_from(DAYS), st.integers(-3 * 86_400, 86_400), SPANS)
@settings(max_examples=60, deadline=None)
def test_cells_follow_each_other_on_their_clock(day, away, span):
    """None is missing, none stands for an hour or a day that it does not lie in."""
    zone, date = day
    since = parse_instant(date, zone) + away
    clock = ZoneInfo(zone)

    cells = heat([], span, since=since, zone=zone).cells

    assert cells[0].begin <= since
    assert all(one.end == other.begin for one, other in pairwise(cells))
    for cell in cells:
        if cell.begin == cell.end:
            assert str(cell.day) == "2011-12-30"
            continue
        first, last = (datetime.fromtimestamp(t, clock) for t in (cell.begin, cell.end - 1))
        assert first.date() == last.date() == cell.day
        if cell.hour is not None:
            assert first.hour == last.hour == cell.hour


def test_a_heat_map_reaches_a_week_or_a_month():
    since = parse_instant("2026-11-26T13:00:00Z", "UTC")
    week, month = (heat([], span, since=since, zone="UTC").cells for span in Span)
    assert (len(week), len(month)) == (7 * 24, 31)
    assert {cell.hour for cell in month} == {None}


@pytest.mark.parametrize("span", Span)
def test_a_slot_a_second_is_not_walked(span, monkeypatch):
    """A month of it would be 2.7 million steps a schedule."""
    steps = []

    def counted(*args):
        for slot in slots(*args):
            steps.append(slot)
            yield slot

    # How often a walk steps can be seen nowhere else.
    monkeypatch.setattr("flytesched.service.heat.slots", counted)
    schedules = [
        Schedule(f"a{n}", command="true", cron="* * * * * *", seconds=True, offset=f"{n}s")
        for n in range(100)
    ]

    found = heat(schedules, span, since=0, zone="UTC")

    assert sum(cell.slots for cell in found.cells) == 100 * len(found.cells) * (
        3600 if span is Span.WEEK else 86_400
    ) - sum(range(100))
    assert steps == []
