"""AWS's cron and rate, by the rules and examples of the EventBridge documentation."""

from __future__ import annotations

from itertools import islice

import pytest

from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.timetables import make_timing, slots, timetable
from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import InvalidTimetable

#: A Thursday.
NEW_YEAR = parse_instant("2026-01-01T00:00:00Z", "UTC")


def aws(expression, **kw):
    return make_timing("aws_cron", expression, timezone="UTC", **kw)


def first(expression, count=5):
    found = islice(slots(timetable(aws(expression)), NEW_YEAR - 1, HORIZON), count)
    return " ".join(rfc3339(slot).removesuffix(":00Z").removeprefix("2026-") for slot in found)


MEANINGS = [
    # AWS's own examples
    ("0 10 * * ? *", "01-01T10:00 01-02T10:00 01-03T10:00"),
    ("15 12 * * ? *", "01-01T12:15 01-02T12:15 01-03T12:15"),
    ("0 18 ? * MON-FRI *", "01-01T18:00 01-02T18:00 01-05T18:00"),
    ("0 8 1 * ? *", "01-01T08:00 02-01T08:00 03-01T08:00"),
    ("0/10 * ? * MON-FRI *", "01-01T00:00 01-01T00:10 01-01T00:20"),
    ("0/5 8-17 ? * MON-FRI *", "01-01T08:00 01-01T08:05 01-01T08:10"),
    ("0 9 ? * 2#1 *", "01-05T09:00 02-02T09:00 03-02T09:00"),
    # weekdays are 1 to 7 for Sunday to Saturday
    ("0 0 ? * 1 *", "01-04T00:00 01-11T00:00 01-18T00:00"),
    ("0 0 ? * SUN *", "01-04T00:00 01-11T00:00 01-18T00:00"),
    ("0 0 ? * 7 *", "01-03T00:00 01-10T00:00 01-17T00:00"),
    ("0 0 ? * 2-6/2 *", "01-02T00:00 01-05T00:00 01-07T00:00"),
    ("0 0 ? * 6/1 *", "01-02T00:00 01-03T00:00 01-09T00:00"),
    ("0 0 ? * L *", "01-03T00:00 01-10T00:00 01-17T00:00"),
    ("0 0 ? * 6L *", "01-30T00:00 02-27T00:00 03-27T00:00"),
    ("0 0 ? * FRIL *", "01-30T00:00 02-27T00:00 03-27T00:00"),
    ("0 0 ? * SAT#5 *", "01-31T00:00 05-30T00:00 08-29T00:00"),
    # days of the month
    ("0 0 L * ? *", "01-31T00:00 02-28T00:00 03-31T00:00"),
    ("0 0 LW * ? *", "01-30T00:00 02-27T00:00 03-31T00:00"),
    ("0 0 15W * ? *", "01-15T00:00 02-16T00:00 03-16T00:00"),
    ("0 0 14W * ? *", "01-14T00:00 02-13T00:00 03-13T00:00"),
    ("0 0 1W * ? *", "01-01T00:00 02-02T00:00 03-02T00:00"),
    ("0 0 1W 8 ? *", "08-03T00:00 2027-08-02T00:00 2028-08-01T00:00"),
    ("0 0 31W 5 ? *", "05-29T00:00 2027-05-31T00:00 2028-05-31T00:00"),
    ("0 0 31W * ? *", "01-30T00:00 03-31T00:00 05-29T00:00"),
    ("0 0 1W,LW * ? *", "01-01T00:00 01-30T00:00 02-02T00:00"),
    # years
    ("0 0 1 1 ? 2028-2030", "2028-01-01T00:00 2029-01-01T00:00 2030-01-01T00:00"),
    ("0 0 1 1 ? 2027/2", "2027-01-01T00:00 2029-01-01T00:00 2031-01-01T00:00"),
    ("0 0 29 2 ? 2020-2040", "2028-02-29T00:00 2032-02-29T00:00 2036-02-29T00:00"),
    ("0 0 1 1 ? 2199", "2199-01-01T00:00"),
    ("0 0 1 1 ? 2020", ""),
]


@pytest.mark.parametrize(("expression", "wanted"), MEANINGS)
def test_an_aws_expression_names_these_times(expression, wanted):
    assert first(expression, 3) == wanted


def test_years_bound_the_walk_in_both_directions():
    walk = timetable(aws("0 12 * * ? 2024,2026"))
    gap = parse_instant("2025-06-01T00:00:00Z", "UTC")
    assert rfc3339(walk.previous(gap)) == "2024-12-31T12:00:00Z"
    assert rfc3339(walk.next(gap)) == "2026-01-01T12:00:00Z"
    assert walk.previous(parse_instant("2024-01-01T00:00:00Z", "UTC")) is None
    assert walk.next(parse_instant("2027-01-01T00:00:00Z", "UTC")) is None
    assert walk.count(0, HORIZON) == 366 + 365


CANONICAL = [
    ("cron(0 10 * * ? *)", "0 10 * * ? *"),
    (" 0  10 ? * mon-fri * ", "0 10 ? * MON-FRI *"),
    ("rate(5 minutes)", "rate(5 minutes)"),
    ("Rate( 1  Hour )", "rate(1 hour)"),
]


@pytest.mark.parametrize(("text", "expression"), CANONICAL)
def test_spellings_of_one_expression_become_one_text(text, expression):
    assert aws(text).expression == expression
    assert aws(expression) == aws(text)


@pytest.mark.parametrize(
    ("text", "period"),
    [("rate(1 minute)", 60), ("rate(12 hours)", 43_200), ("rate(7 days)", 604_800)],
)
def test_a_rate_is_elapsed_time_on_the_anchors_grid_without_a_zone(text, period):
    timing = aws(text, anchor=7)
    slot = timetable(timing).next(NEW_YEAR)
    assert timing.timezone is None
    assert slot % period == 7
    assert timetable(timing).next(slot) == slot + period


# text, field, 1-based column, words of the sentence, words of the hint
FAULTS = [
    ("0 10 * * *", None, 10, "5 fields, not AWS's six", "write it as cron"),
    ("0 0 10 * * ? *", None, 14, "7 fields", "with one ?"),
    ("0 10 * *", None, 8, "4 fields", "with one ?"),
    ("0 10 * * * *", "day-of-week", 10, "exactly one of", "with one ?"),
    ("0 10 ? * ? *", "day-of-week", 10, "exactly one of", "with one ?"),
    ("0 10 1 * 2 *", "day-of-week", 10, "exactly one of", "with one ?"),
    ("? 10 * * ? *", "minute", 1, "cannot be read", "only in a day field"),
    ("0 10 ? * 0 *", "day-of-week", 10, "0 is not one of 1 to 7", None),
    ("0 10 ? * 8 *", "day-of-week", 10, "8 is not one of 1 to 7", None),
    ("0 10 ? * SAT-SUN *", "day-of-week", 10, "runs backward", "write 7,1"),
    ("0 10 ? * 2W *", "day-of-week", 10, "cannot be read", "only the day-of-month field"),
    ("0 10 32W * ? *", "day-of-month", 6, "32 is not one of", None),
    ("0 10 W * ? *", "day-of-month", 6, "cannot be read", None),
    ("0 10 * * ? 1969", "year", 12, "1969 is not one of 1970 to 2199", None),
    ("0 10 * * ? 2200", "year", 12, "2200 is not one of", None),
    ("0 10 31 2 ? *", "day-of-month", 6, "never fires", None),
    ("0 10 29 2 ? 2025-2027", "day-of-month", 6, "never fires", None),
    ("0 10 ? 2 1#5 2026", "day-of-month", 6, "never fires", None),
    ("", None, None, "empty", None),
    ("rate(1 minutes)", None, None, "not as AWS writes it", "write rate(1 minute)"),
    ("rate(5 minute)", None, None, "not as AWS writes it", "write rate(5 minutes)"),
    ("rate(0 minutes)", None, None, "not as AWS writes it", "1 or more"),
    ("rate(5 seconds)", None, None, "is no rate", "minutes, hours or days"),
    ("rate(5)", None, None, "is no rate", "rate(5 minutes)"),
    ("rate(-5 minutes)", None, None, "is no rate", None),
    ("rate(1.5 hours)", None, None, "is no rate", None),
    ("rate(999999 days)", None, None, "more than 400 years", "shorter"),
    ("rate(99999999999999999999 days)", None, None, "too long", None),
    ("rate(" + "9" * 5000 + " days)", None, None, "5,011 characters", None),
    ("rate(" + "9" * 900 + " days)", None, None, "no duration", None),
    ("cron()", None, None, "empty", None),
]


@pytest.mark.parametrize(("text", "field", "position", "what", "hint"), FAULTS)
def test_a_wrong_expression_is_refused_with_place_and_spelling(text, field, position, what, hint):
    with pytest.raises(InvalidTimetable) as caught:
        aws(text)
    error = caught.value
    assert (error.field, error.position) == (field, position)
    assert what in error.message
    assert hint is None or hint in error.hint
