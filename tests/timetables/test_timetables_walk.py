"""The walk against other opinions, and against itself in other directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st
from wall_oracle import CHANGES, CORRECTION, Job, expected, expressions, stretches, tries

from flytesched.core.instants import parse_instant
from flytesched.core.timetables import latest, make_timing, slots, timetable
from flytesched.core.timetables.walk import SEARCH
from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import InvalidTimetable

YEAR = 366 * 86_400


def walk_of(expression, zone, **kw):
    """Return the timetable of an expression; skip what never fires."""
    try:
        return timetable(make_timing("cron", expression, timezone=zone, **kw))
    except InvalidTimetable as error:
        assume("never fires" not in error.message)
        raise


@tries(350)
@given(expressions(), stretches())
def test_slots_are_those_of_a_clock_watched_minute_by_minute(expression, stretch):
    zone, after, until = stretch
    wanted = expected(Job(expression), zone, after, until)
    assert list(slots(walk_of(expression, zone), after, until)) == wanted


@tries(150)
@given(expressions(), stretches())
def test_walking_back_meets_the_same_slots(expression, stretch):
    zone, after, until = stretch
    walk = walk_of(expression, zone)
    forward = list(slots(walk, after, until))
    assert latest(walk, after, until, 10_000) == forward
    for slot in forward[:50]:
        assert walk.previous(walk.next(slot)) == slot


@tries(150)
@given(expressions(), stretches())
def test_counting_by_structure_equals_stepping(expression, stretch):
    zone, after, until = stretch
    walk = walk_of(expression, zone)
    assert walk.count(after, until) == len(list(slots(walk, after, until)))


@tries(100)
@given(expressions(), stretches(), st.data())
def test_counts_of_neighbouring_stretches_add_up(expression, stretch, data):
    zone, after, until = stretch
    middle = data.draw(st.integers(after, until))
    walk = walk_of(expression, zone)
    years = (after - 3 * YEAR, middle, until + 3 * YEAR)
    parts = [walk.count(a, b) for a, b in zip(years, years[1:], strict=False)]
    assert walk.count(years[0], years[2]) == sum(parts)


@tries(100)
@given(expressions(), stretches())
def test_every_step_is_later_than_the_instant_asked_about(expression, stretch):
    zone, after, until = stretch
    walk = walk_of(expression, zone)
    for instant in range(after, until, 1801):
        following, preceding = walk.next(instant), walk.previous(instant)
        assert following is None or following > instant
        assert preceding is None or preceding < instant


@tries(60)
@given(expressions(), st.sampled_from(CHANGES), st.sampled_from(["", "*/20 ", "7 ", "0-59/31 "]))
def test_a_seconds_field_multiplies_each_ordinary_minute(expression, change, seconds):
    zone, text = change
    day = int(datetime.fromisoformat(text).timestamp()) + 20 * 86_400
    assume(zone not in {"America/Boa_Vista"})
    five = list(slots(walk_of(expression, zone), day, day + 86_400))
    within = {"": [0], "*/20 ": [0, 20, 40], "7 ": [7], "0-59/31 ": [0, 31]}[seconds]
    six = walk_of(seconds + expression, zone, seconds=bool(seconds))
    wanted = [minute + second for minute in five for second in within]
    assert [slot for slot in slots(six, day, day + 86_400) if slot - slot % 60 in five] == wanted
