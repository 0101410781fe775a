"""The walk against other opinions, and against itself in other directions."""

from __future__ import annotations

from datetime import datetime
from itertools import islice, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wall_oracle import CHANGES, Job, expected, expressions, stretches, tries

from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.timetables import latest, make_timing, slots, timetable
from flytesched.core.timetables.walk import SEARCH, Walk
from flytesched.core.timetables.zones import HORIZON, Zone, tz
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
    parts = [walk.count(a, b) for a, b in pairwise(years)]
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


ASKED = st.lists(
    st.tuples(st.sampled_from(["next", "previous"]), st.floats(0, 1)), min_size=2, max_size=30
)


@tries(150)
@given(expressions(), stretches(), ASKED)
def test_no_answer_depends_on_what_was_asked_before(expression, stretch, asked):
    """The day at hand is kept between two answers, and is no part of them."""
    zone, after, until = stretch
    kept = walk_of(expression, zone)
    for way, part in asked:
        moment = after + round(part * (until - after))
        wall = kept._wall
        fresh = Walk(wall, Zone(tz(zone), fixed_time=wall.fixed_time))
        assert getattr(kept, way)(moment) == getattr(fresh, way)(moment)


def test_what_a_skip_before_midnight_makes_up_is_met_after_the_day_behind_it_was():
    walk = walk_of("30 1,23 * * *", "America/Nuuk")
    midnight = instant("2025-03-30T01:00:00Z")
    assert walk.next(midnight) == midnight + 5_400
    assert walk.next(midnight - 1) == midnight
    assert walk.previous(midnight + 5_400) == midnight


def test_a_day_that_began_before_1970_has_no_slot_there():
    walk = walk_of("0 * * * *", "Asia/Tokyo")
    assert walk.next(0) == 3_600
    assert walk.next(-7_200) == 0
    assert walk.previous(3_600) == 0
    assert walk.previous(0) is None


@tries(60)
@given(expressions(), st.sampled_from(CHANGES), st.sampled_from(["*/20", "7", "0-59/31"]))
def test_a_seconds_field_fires_at_those_seconds_of_each_matching_minute(expression, change, field):
    zone, text = change
    quiet = int(datetime.fromisoformat(text).timestamp()) // 60 * 60 + 20 * 86_400
    after, until = quiet - 1, quiet + 6 * 3600 - 1
    six = walk_of(f"{field} {expression}", zone, seconds=True)
    seconds = {"*/20": [0, 20, 40], "7": [7], "0-59/31": [0, 31]}[field]
    minutes = slots(walk_of(expression, zone), after, until)
    wanted = [minute + second for minute in minutes for second in seconds]
    assert list(slots(six, after, until)) == wanted


def instant(text):
    return parse_instant(text, "UTC")


def utc(expression, **kw):
    return timetable(make_timing("cron", expression, timezone="UTC", **kw))


def test_inside_a_repeated_hour_the_next_slot_is_later_at_either_showing():
    half_past_one = walk_of("30 1 * * *", "America/New_York")
    wildcard = walk_of("30 */1 * * *", "America/New_York")
    first, second = instant("2025-11-02T05:30:00Z"), instant("2025-11-02T06:30:00Z")
    assert half_past_one.next(first - 60) == first
    assert half_past_one.next(first) == half_past_one.next(second) == first + 25 * 3600
    assert wildcard.next(first) == second
    assert wildcard.next(second) == second + 3600


def test_a_minute_away_from_a_change_each_second_gets_the_right_answer():
    daily = walk_of("30 2 * * *", "America/New_York")
    change = instant("2025-03-09T07:00:00Z")
    assert {daily.next(change + s) for s in range(-60, 0)} == {change}
    assert {daily.next(change + s) for s in range(60)} == {instant("2025-03-10T06:30:00Z")}
    assert {daily.previous(change + s) for s in range(1, 60)} == {change}


RARE = [
    ("0 0 29 2 *", "2025-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
    ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),  # 2100 is no leap year
    ("0 0 */28 2 1", "2025-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),  # 1 or 29 February, Monday
    ("0 0 29-29 2 ?", "2025-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
    ("59 23 L 12 *", "2025-12-31T23:59:00Z", "2026-12-31T23:59:00Z"),
    ("0 0 ? 2 1#5", "2025-01-01T00:00:00Z", "2044-02-29T00:00:00Z"),  # a fifth Monday
]


@pytest.mark.parametrize(("expression", "after", "wanted"), RARE)
def test_rare_days_are_found_far_ahead_and_far_back(expression, after, wanted):
    walk, slot = utc(expression), instant(wanted)
    assert rfc3339(walk.next(instant(after))) == wanted
    assert walk.next(slot - 1) == slot
    assert walk.previous(slot + 1) == slot
    assert walk.count(instant(after), slot) == 1


def test_a_job_that_only_ever_falls_into_skips_has_no_next_slot():
    # The second Sunday of March at two: since 2007 New York has never had that hour.
    skipped = walk_of("*/10 2 ? 3 0#2", "America/New_York")
    assert skipped.next(instant("2026-01-01T00:00:00Z")) is None
    last = skipped.previous(instant("2026-01-01T00:00:00Z"))
    assert rfc3339(last) == "2006-03-12T07:50:00Z"
    assert skipped.count(last, instant("2200-01-01T00:00:00Z")) == 0


def test_slots_lie_from_1970_to_the_end_of_9999():
    minutes = utc("* * * * *")
    assert minutes.next(-(10**12)) == 0
    assert minutes.previous(0) is None
    assert minutes.previous(10**12) == HORIZON - 60
    assert minutes.next(HORIZON - 60) is None
    assert minutes.count(-(10**12), 10**12) == HORIZON // 60
    assert rfc3339(HORIZON).startswith("9999-12-")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Monrovia"])
def test_the_first_and_the_last_day_work_in_every_zone(zone):
    walk = walk_of("0 0 * * *", zone)
    first, last = walk.next(-1), walk.previous(HORIZON)
    assert 0 <= first < 86_400
    assert HORIZON - 86_400 <= last < HORIZON
    assert walk.previous(first) is None
    assert walk.next(last) is None


def test_the_search_covers_the_whole_cycle_of_the_calendar():
    assert instant("2400-01-01") - instant("2000-01-01") == SEARCH


def test_counting_years_of_seconds_needs_no_steps():
    every_second = utc("* * * * * *", seconds=True)
    start, end = instant("1970-01-01"), instant("9000-01-01")
    assert every_second.count(start, end) == end - start
    assert (
        utc("* * * * *").count(instant("2023-12-31T23:59:59Z"), instant("2024-12-31T23:59:59Z"))
        == 366 * 1440
    )


def test_an_empty_or_crossed_stretch_has_no_slots():
    minutes = utc("* * * * *")
    assert minutes.count(600, 600) == minutes.count(600, 60) == 0
    assert list(slots(minutes, 600, 60)) == latest(minutes, 600, 60, 5) == []


def test_the_newest_slots_are_taken_from_the_end_in_ascending_order():
    minutes = utc("* * * * *")
    assert latest(minutes, 0, 600, 3) == [480, 540, 600]
    assert latest(minutes, 500, 600, 3) == [540, 600]
    assert latest(minutes, 0, 600, 0) == []


def test_walking_on_for_decades_crosses_every_change_of_the_zone():
    noon = walk_of("0 12 * * *", "Europe/Berlin")
    found = list(islice(slots(noon, instant("1990-01-01"), HORIZON), 365 * 60))
    steps = {b - a for a, b in pairwise(found)}
    assert steps == {23 * 3600, 24 * 3600, 25 * 3600}
    assert noon.count(found[0] - 1, found[-1]) == len(found)
