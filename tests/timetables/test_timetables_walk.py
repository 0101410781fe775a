"""The walk against other opinions, and against itself in other directions."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from wall_oracle import Job, expected, expressions, stretches, tries

from flytesched.core.timetables import latest, make_timing, slots, timetable
from flytesched.errors import InvalidTimetable


@tries(400)
@given(expressions(), stretches())
def test_slots_are_those_of_a_clock_watched_minute_by_minute(expression, stretch):
    zone, after, until = stretch
    try:
        walk = timetable(make_timing("cron", expression, timezone=zone))
    except InvalidTimetable:
        return
    assert list(slots(walk, after, until)) == expected(Job(expression), zone, after, until)
