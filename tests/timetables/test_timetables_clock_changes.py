"""Daylight saving by Debian cron's rule: what each job does on days when clocks really changed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.timetables import latest, make_timing, slots, timetable
from flytesched.errors import InvalidTimetable

# zone, day, cron expression, the day's slots as clock time and offset
NEW_YORK = "America/New_York"
SPRING = [
    # New York, 9 March 2025: 02:00 becomes 03:00.
    (NEW_YORK, "2025-03-09", "30 2 * * *", "03:00-04:00"),
    (NEW_YORK, "2025-03-09", "0,15,30 2 * * *", "03:00-04:00"),
    (NEW_YORK, "2025-03-09", "0 2,3 * * *", "03:00-04:00"),
    (NEW_YORK, "2025-03-09", "45 1,2,3 * * *", "01:45-05:00 03:00-04:00 03:45-04:00"),
    (NEW_YORK, "2025-03-09", "*/30 2 * * *", ""),
    (
        NEW_YORK,
        "2025-03-09",
        "15 */2 9 3 *",
        "00:15-05:00 04:15-04:00 06:15-04:00 08:15-04:00 "
        "10:15-04:00 12:15-04:00 14:15-04:00 16:15-04:00 18:15-04:00 20:15-04:00 22:15-04:00",
    ),
    (NEW_YORK, "2025-03-09", "*/30 1-3 * * 0", "01:00-05:00 01:30-05:00 03:00-04:00 03:30-04:00"),
    # London, 31 March 2024: 01:00 becomes 02:00.
    ("Europe/London", "2024-03-31", "30 1 * * *", "02:00+01:00"),
    ("Europe/London", "2024-03-31", "*/20 1 * * *", ""),
    # Dublin, 26 March 2023; in tzdata its winter time is the "daylight saving", an hour back.
    ("Europe/Dublin", "2023-03-26", "30 1 * * *", "02:00+01:00"),
    ("Europe/Dublin", "2023-03-26", "*/30 1 * * *", ""),
    # Lord Howe, 6 October 2024: 02:00 becomes 02:30.
    ("Australia/Lord_Howe", "2024-10-06", "15 2 * * *", "02:30+11:00"),
    ("Australia/Lord_Howe", "2024-10-06", "15,45 2 * * *", "02:30+11:00 02:45+11:00"),
    ("Australia/Lord_Howe", "2024-10-06", "*/15 2 * * *", "02:30+11:00 02:45+11:00"),
    ("Australia/Lord_Howe", "2024-10-06", "0 2 * * *", "02:30+11:00"),
    # Santiago, 8 September 2024: midnight becomes 01:00; the day has no 00:00.
    ("America/Santiago", "2024-09-08", "0 0 * * *", "01:00-03:00"),
    ("America/Santiago", "2024-09-08", "30 0 8 9 *", "01:00-03:00"),
    ("America/Santiago", "2024-09-08", "*/30 0 * * 0", ""),
    # Cairo, 26 April 2024, a Friday: midnight becomes 01:00.
    ("Africa/Cairo", "2024-04-26", "0 0 * * *", "01:00+03:00"),
    ("Africa/Cairo", "2024-04-26", "15,45 0 * * 5", "01:00+03:00"),
    ("Africa/Cairo", "2024-04-26", "*/30 0 * * *", ""),
    # Beirut, 27 March 2022: midnight becomes 01:00.
    ("Asia/Beirut", "2022-03-27", "0 0 * * *", "01:00+03:00"),
    ("Asia/Beirut", "2022-03-27", "30 0 27 3 *", "01:00+03:00"),
    ("Asia/Beirut", "2022-03-27", "*/30 0 * * *", ""),
    # Apia, 30 September 2012: 03:00 becomes 04:00.
    ("Pacific/Apia", "2012-09-30", "30 3 * * *", "04:00+14:00"),
    ("Pacific/Apia", "2012-09-30", "*/30 3 * * *", ""),
    # Casablanca, 14 April 2024, the end of Ramadan: 02:00 becomes 03:00.
    ("Africa/Casablanca", "2024-04-14", "30 2 * * *", "03:00+01:00"),
    ("Africa/Casablanca", "2024-04-14", "*/30 2 * * *", ""),
    # Kathmandu, 1 January 1986: midnight becomes 00:15, for good.
    ("Asia/Kathmandu", "1986-01-01", "5,10 0 * * *", "00:15+05:45"),
    ("Asia/Kathmandu", "1986-01-01", "*/20 0 * * *", "00:20+05:45 00:40+05:45"),
    # Troll, 31 March 2024: 01:00 becomes 03:00, two hours.
    ("Antarctica/Troll", "2024-03-31", "30 1,2 * * *", "03:00+02:00"),
    ("Antarctica/Troll", "2024-03-31", "*/30 1-2 * * *", ""),
]
AUTUMN = [
    # New York, 2 November 2025: 02:00 becomes 01:00.
    (NEW_YORK, "2025-11-02", "30 1 * * *", "01:30-04:00"),
    (NEW_YORK, "2025-11-02", "0 1-2 * * *", "01:00-04:00 02:00-05:00"),
    (NEW_YORK, "2025-11-02", "*/30 1 * * *", "01:00-04:00 01:30-04:00 01:00-05:00 01:30-05:00"),
    (NEW_YORK, "2025-11-02", "0 2 * * *", "02:00-05:00"),
    (NEW_YORK, "2025-11-02", "30 0-2 * * *", "00:30-04:00 01:30-04:00 02:30-05:00"),
    # London, 27 October 2024: 02:00 becomes 01:00.
    ("Europe/London", "2024-10-27", "30 1 * * *", "01:30+01:00"),
    (
        "Europe/London",
        "2024-10-27",
        "*/40 1 * * *",
        "01:00+01:00 01:40+01:00 01:00+00:00 01:40+00:00",
    ),
    # Dublin, 29 October 2023.
    ("Europe/Dublin", "2023-10-29", "30 1 * * *", "01:30+01:00"),
    (
        "Europe/Dublin",
        "2023-10-29",
        "*/40 1 * * *",
        "01:00+01:00 01:40+01:00 01:00+00:00 01:40+00:00",
    ),
    # Lord Howe, 7 April 2024: 02:00 becomes 01:30.
    ("Australia/Lord_Howe", "2024-04-07", "45 1 * * *", "01:45+11:00"),
    ("Australia/Lord_Howe", "2024-04-07", "0 2 * * *", "02:00+10:30"),
    ("Australia/Lord_Howe", "2024-04-07", "*/45 1 * * *", "01:00+11:00 01:45+11:00 01:45+10:30"),
    # Santiago, 6 April 2024: midnight becomes 23:00 of the same day.
    ("America/Santiago", "2024-04-06", "30 23 * * *", "23:30-03:00"),
    (
        "America/Santiago",
        "2024-04-06",
        "*/30 23 6 4 *",
        "23:00-03:00 23:30-03:00 23:00-04:00 23:30-04:00",
    ),
    ("America/Santiago", "2024-04-07", "0 0 * * *", "00:00-04:00"),
    # Cairo, 31 October 2024: midnight becomes 23:00, on the last day of the month.
    ("Africa/Cairo", "2024-10-31", "30 23 * * *", "23:30+03:00"),
    (
        "Africa/Cairo",
        "2024-10-31",
        "*/30 23 L * *",
        "23:00+03:00 23:30+03:00 23:00+02:00 23:30+02:00",
    ),
    ("Africa/Cairo", "2024-11-01", "0 0 * * *", "00:00+02:00"),
    # Beirut, 29 October 2022: midnight becomes 23:00.
    ("Asia/Beirut", "2022-10-29", "30 23 * * *", "23:30+03:00"),
    (
        "Asia/Beirut",
        "2022-10-29",
        "*/30 23 * * *",
        "23:00+03:00 23:30+03:00 23:00+02:00 23:30+02:00",
    ),
    ("Asia/Beirut", "2022-10-30", "0 0 * * *", "00:00+02:00"),
    # Apia, 1 April 2012: 04:00 becomes 03:00.
    ("Pacific/Apia", "2012-04-01", "30 3 * * *", "03:30+14:00"),
    (
        "Pacific/Apia",
        "2012-04-01",
        "*/30 3 * * *",
        "03:00+14:00 03:30+14:00 03:00+13:00 03:30+13:00",
    ),
    # Casablanca, 10 March 2024, the start of Ramadan: 03:00 becomes 02:00.
    ("Africa/Casablanca", "2024-03-10", "30 2 * * *", "02:30+01:00"),
    (
        "Africa/Casablanca",
        "2024-03-10",
        "*/30 2 * * *",
        "02:00+01:00 02:30+01:00 02:00+00:00 02:30+00:00",
    ),
    # Troll, 27 October 2024: 03:00 becomes 01:00, two hours.
    ("Antarctica/Troll", "2024-10-27", "30 1,2 * * *", "01:30+02:00 02:30+02:00"),
]
CORRECTIONS = [
    # Apia went west of the date line to east of it: 30 December 2011 never was.
    ("Pacific/Apia", "2011-12-29", "0 2 * * *", "02:00-10:00"),
    ("Pacific/Apia", "2011-12-31", "0 2 * * *", "02:00+14:00"),
    ("Pacific/Apia", "2011-12-31", "0 0 30 * *", ""),
    ("Pacific/Apia", "2011-12-31", "0 */12 * * *", "00:00+14:00 12:00+14:00"),
    # Casey, 7 October 2018: 04:00 becomes 07:00; 17 March 2019: 03:00 becomes midnight.
    ("Antarctica/Casey", "2018-10-07", "30 5 * * *", ""),
    ("Antarctica/Casey", "2018-10-07", "*/30 5 * * *", ""),
    ("Antarctica/Casey", "2019-03-17", "30 1 * * *", "01:30+11:00 01:30+08:00"),
    (
        "Antarctica/Casey",
        "2019-03-17",
        "*/30 1 * * *",
        "01:00+11:00 01:30+11:00 01:00+08:00 01:30+08:00",
    ),
]
QUIET = [
    ("Asia/Kathmandu", "2024-06-01", "30 2 * * *", "02:30+05:45"),
    ("Asia/Kathmandu", "2024-06-01", "*/30 2 * * *", "02:00+05:45 02:30+05:45"),
    ("UTC", "2024-03-31", "30 2 * * *", "02:30+00:00"),
]


def of_day(kind, value, zone, day, **kw):
    """Return a local day's slots as clock time and offset, met in both directions and counted."""
    walk = timetable(make_timing(kind, value, timezone=zone, **kw))
    after = parse_instant(day, zone) - 1
    until = parse_instant(date.fromisoformat(day) + timedelta(days=1), zone) - 1
    found = list(slots(walk, after, until))
    assert latest(walk, after, until, len(found) + 1) == found
    assert walk.count(after, until) == len(found)
    shown = [rfc3339_local(slot, zone).removeprefix(f"{day}T") for slot in found]
    return " ".join(f"{text[:5]}{text[8:]}" for text in shown)


@pytest.mark.parametrize(("zone", "day", "expression", "wanted"), SPRING)
def test_where_clocks_skip_fixed_times_run_once_after_it_and_wildcards_not(
    zone, day, expression, wanted
):
    assert of_day("cron", expression, zone, day) == wanted


@pytest.mark.parametrize(("zone", "day", "expression", "wanted"), AUTUMN)
def test_where_clocks_go_back_fixed_times_run_at_the_first_showing_and_wildcards_at_both(
    zone, day, expression, wanted
):
    assert of_day("cron", expression, zone, day) == wanted


@pytest.mark.parametrize(("zone", "day", "expression", "wanted"), CORRECTIONS)
def test_at_a_change_of_three_hours_or_more_nothing_is_made_up_or_held_back(
    zone, day, expression, wanted
):
    assert of_day("cron", expression, zone, day) == wanted


@pytest.mark.parametrize(("zone", "day", "expression", "wanted"), QUIET)
def test_where_nothing_changes_every_job_runs_at_its_times(zone, day, expression, wanted):
    assert of_day("cron", expression, zone, day) == wanted


SAME_RULE = [
    # kind, value, spring forward in New York, fall back in New York
    ("daily", "02:30", "03:00-04:00", "02:30-05:00"),
    (
        "daily",
        ["01:30", "02:15", "02:45"],
        "01:30-05:00 03:00-04:00",
        "01:30-04:00 02:15-05:00 02:45-05:00",
    ),
    ("aws_cron", "30 2 * * ? *", "03:00-04:00", "02:30-05:00"),
    ("aws_cron", "*/30 2 * * ? *", "", "02:00-05:00 02:30-05:00"),
    ("aws_cron", "30 1 * * ? *", "01:30-05:00", "01:30-04:00"),
    (
        "aws_cron",
        "*/30 1 * * ? *",
        "01:00-05:00 01:30-05:00",
        "01:00-04:00 01:30-04:00 01:00-05:00 01:30-05:00",
    ),
]


@pytest.mark.parametrize(("kind", "value", "spring", "autumn"), SAME_RULE)
def test_all_kinds_on_the_wall_clock_keep_the_same_rule(kind, value, spring, autumn):
    assert of_day(kind, value, NEW_YORK, "2025-03-09") == spring
    assert of_day(kind, value, NEW_YORK, "2025-11-02") == autumn


def test_hourly_is_a_wildcard_and_runs_in_each_real_hour():
    assert of_day("hourly", 30, NEW_YORK, "2025-03-09") == of_day(
        "cron", "30 * * * *", NEW_YORK, "2025-03-09"
    )
    assert of_day("hourly", 30, NEW_YORK, "2025-03-09").split()[:4] == [
        "00:30-05:00",
        "01:30-05:00",
        "03:30-04:00",
        "04:30-04:00",
    ]
    assert of_day("hourly", 30, NEW_YORK, "2025-11-02").split()[:4] == [
        "00:30-04:00",
        "01:30-04:00",
        "01:30-05:00",
        "02:30-05:00",
    ]


@pytest.mark.parametrize(
    ("word", "length"), [("@hourly", 25), ("hourly", 25), ("@daily", 1), ("@midnight", 1)]
)
def test_nicknames_follow_the_text_they_stand_for(word, length):
    assert len(of_day("cron", word, "Africa/Cairo", "2024-10-31").split()) == length


AT = [
    (NEW_YORK, "2025-03-09T02:30:00", "2025-03-09T03:00:00-04:00"),
    (NEW_YORK, "2025-11-02T01:30:00", "2025-11-02T01:30:00-04:00"),
    ("Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-06T02:30:00+11:00"),
    ("Africa/Cairo", date(2024, 4, 26), "2024-04-26T01:00:00+03:00"),
    ("Antarctica/Casey", "2019-03-17T01:30:00", "2019-03-17T01:30:00+11:00"),
    ("Asia/Kathmandu", "1986-01-01T00:05:00", "1986-01-01T00:15:00+05:45"),
    ("Europe/Berlin", "2026-12-24T18:00:00", "2026-12-24T18:00:00+01:00"),
]


@pytest.mark.parametrize(("zone", "value", "wanted"), AT)
def test_at_is_one_slot_made_up_after_a_skip_and_at_the_first_showing(zone, value, wanted):
    once = timetable(make_timing("at", value, timezone=zone))
    slot = once.next(0)
    assert rfc3339_local(slot, zone) == wanted
    assert once.next(slot) is None


@pytest.mark.parametrize(
    ("zone", "value"),
    [("Pacific/Apia", "2011-12-30T12:00:00"), ("Antarctica/Casey", "2018-10-07T05:00:00")],
)
def test_at_a_time_that_a_correction_skipped_is_refused(zone, value):
    with pytest.raises(InvalidTimetable, match=f"never comes in {zone}"):
        make_timing("at", value, timezone=zone)


def test_seconds_follow_the_rule_too():
    def six(expression, day):
        return of_day("cron", expression, NEW_YORK, day, seconds=True)

    assert six("30 15 2 * * *", "2025-03-09") == "03:00-04:00"
    assert six("*/30 15 1 * * *", "2025-11-02") == "01:15-04:00 01:15-04:00"
    assert six("*/30 */40 1 * * *", "2025-11-02").split() == 2 * ["01:00-04:00"] + 2 * [
        "01:40-04:00"
    ] + 2 * ["01:00-05:00"] + 2 * ["01:40-05:00"]


def test_an_odd_offset_makes_up_at_the_first_whole_minute():
    # Monrovia, 7 January 1972: clocks 44 minutes 30 seconds behind UTC went to UTC at midnight.
    assert of_day("cron", "0 0 * * *", "Africa/Monrovia", "1972-01-07") == "00:45+00:00"


def test_seconds_before_that_minute_still_run_at_their_own_time():
    change = parse_instant("1972-01-07T00:44:30Z", "UTC")
    jobs = make_timing("cron", "* 30-44 0 * * *", seconds=True, timezone="Africa/Monrovia")
    walk = timetable(jobs)
    found = list(slots(walk, change - 60, change + 600))
    assert found == list(range(change, change + 31))
    assert latest(walk, change - 60, change + 600, 99) == found
    assert walk.count(change - 60, change + 600) == 31


def test_elapsed_time_knows_no_clock_changes():
    hours = timetable(make_timing("every", "1h", timezone=NEW_YORK))
    day = parse_instant("2025-03-09", NEW_YORK), parse_instant("2025-03-10", NEW_YORK)
    assert hours.count(*day) == 23
