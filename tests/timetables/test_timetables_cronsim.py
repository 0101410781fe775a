"""cronsim, the library that follows Debian cron most closely, beside our walk.

The two agree on ordinary expressions around ordinary clock changes. Where they do not, a test below
shows the case, says why, and holds our answer against the minute-by-minute clock of `wall_oracle`.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from wall_oracle import Job, expected, expressions, stretches, tries

from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.timetables import make_timing, slots, timetable
from flytesched.errors import InvalidTimetable

#: Changes of three hours and more, which cronsim treats as daylight saving.
CORRECTED = {"Antarctica/Casey", "Antarctica/Vostok", "Pacific/Kwajalein"}
#: Changes at midnight or by parts of an hour, where cronsim's wildcard jobs go astray.
UNEVEN = {
    "Africa/Cairo",
    "America/Argentina/Tucuman",
    "America/Boa_Vista",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
}


def cronsim(expression, zone, after, until):
    """Return cronsim's slots in (after, until]."""
    found = []
    for moment in CronSim(
        expression.replace("?", "*"), datetime.fromtimestamp(after, ZoneInfo(zone))
    ):
        slot = int(moment.timestamp())
        if slot > until:
            break
        found.append(slot)
    return found


def ours(expression, zone, after, until):
    """Return our slots in (after, until], after checking them against the watched clock."""
    found = list(slots(timetable(make_timing("cron", expression, timezone=zone)), after, until))
    assert found == expected(Job(expression), zone, after, until)
    return found


def known_to_differ(expression, zone, after):
    """Tell whether one of the differences shown below may come into play."""
    wildcard = not Job(expression).fixed_time
    clock = ZoneInfo(zone)
    return (
        zone in CORRECTED
        or (zone == "Pacific/Apia" and after < parse_instant("2012-01-02", "UTC"))
        or (zone in UNEVEN and wildcard)
        or re.search(r"\b(\d+)-\1/", expression)
        or re.search(r"\b\d/", expression.split()[4])
        or datetime.fromtimestamp(after, clock).fold
    )


@tries(350)
@given(expressions(), stretches())
def test_we_agree_with_cronsim_apart_from_the_differences_below(expression, stretch):
    zone, after, until = stretch
    assume(not known_to_differ(expression, zone, after))
    try:
        walk = timetable(make_timing("cron", expression, timezone=zone))
    except InvalidTimetable:  # it never fires; cronsim looks fifty years ahead for it
        return
    assert list(slots(walk, after, until)) == cronsim(expression, zone, after, until)


DIFFERENCES = [
    pytest.param(
        ("Pacific/Apia", "2011-12-29 12:00", "2011-12-31 12:00", "0 6 * * *"),
        "06:00+14:00",
        "00:00+14:00 06:00+14:00",
        id="a skipped day is a correction to Debian's cron; cronsim makes up its jobs",
    ),
    pytest.param(
        ("Antarctica/Casey", "2019-03-16 12:00", "2019-03-17 12:00", "30 1 * * *"),
        "01:30+11:00 01:30+08:00",
        "01:30+11:00",
        id="three hours back are a correction to Debian's cron; cronsim holds back its jobs",
    ),
    pytest.param(
        ("Australia/Lord_Howe", "2024-04-06 12:00", "2024-04-07 06:00", "*/30 3 * * *"),
        "03:00+10:30 03:30+10:30",
        "03:30+10:30",
        id="wildcard, half an hour back: cronsim goes on in whole hours and loses 03:00",
    ),
    pytest.param(
        ("Asia/Beirut", "2022-03-26 12:00", "2022-03-27 06:00", "*/30 0 27 3 *"),
        "",
        "01:00+03:00",
        id="wildcard, midnight skipped: cronsim returns a midnight that is not on the clock",
    ),
    pytest.param(
        ("UTC", "2024-06-01 00:00", "2024-06-01 12:00", "30-30/15 2 * * *"),
        "02:30+00:00",
        "02:30+00:00 02:45+00:00",
        id="30-30/15 is a range of one minute; cronsim reads 30/15",
    ),
    pytest.param(
        ("UTC", "2024-06-02 00:00", "2024-06-02 12:00", "30 2 * * 5/2"),
        "",
        "02:30+00:00",
        id="5/2 in weekdays ends on Saturday, the 6th; cronsim goes on to Sunday as the 7th",
    ),
]


@pytest.mark.parametrize(("case", "our", "their"), DIFFERENCES)
def test_where_we_differ_from_cronsim(case, our, their):
    zone, after, until, expression = case
    stretch = parse_instant(after, zone) - 1, parse_instant(until, zone)

    def shown(found):
        texts = [rfc3339_local(slot, zone) for slot in found]
        return " ".join(f"{text[11:16]}{text[19:]}".replace("Z", "+00:00") for text in texts)

    assert shown(ours(expression, zone, *stretch)) == our
    assert shown(cronsim(expression, zone, *stretch)) == their


def test_asked_within_a_repeated_hour_cronsim_goes_back_in_time_and_we_do_not():
    second_showing = parse_instant("2025-11-02T01:10:00-05:00", "UTC")
    until = second_showing + 3600
    assert cronsim("30 1 * * *", "America/New_York", second_showing, until)[0] < second_showing
    assert ours("30 1 * * *", "America/New_York", second_showing, until) == []
