"""The cron parser: what it understands, and what it refuses in which words."""

from __future__ import annotations

from itertools import islice

import pytest

from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.timetables import latest, make_timing, slots, timetable
from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import InvalidTimetable

#: A Thursday.
NEW_YEAR = parse_instant("2026-01-01T00:00:00Z", "UTC")


def cron(expression, **kw):
    return make_timing("cron", expression, timezone=kw.pop("timezone", "UTC"), **kw)


def first(expression, count, **kw):
    """Return the first slots of 2026, a UTC text each."""
    found = islice(slots(timetable(cron(expression, **kw)), NEW_YEAR - 1, HORIZON), count)
    return [rfc3339(slot).removesuffix(":00Z").removeprefix("2026-") for slot in found]


def days(expression, count=6):
    """Return the days on which a midnight job first runs in 2026."""
    return " ".join(text.removesuffix("T00:00") for text in first(expression, count))


DAYS = [
    # names, ranges, steps, lists
    ("0 0 * * *", "01-01 01-02 01-03 01-04 01-05 01-06"),
    ("0 0 */10 * *", "01-01 01-11 01-21 01-31 02-01 02-11"),
    ("0 0 1,15 * *", "01-01 01-15 02-01 02-15 03-01 03-15"),
    ("0 0 28-31 * *", "01-28 01-29 01-30 01-31 02-28 03-28"),
    ("0 0 5-20/5 1 *", "01-05 01-10 01-15 01-20 2027-01-05 2027-01-10"),
    ("0 0 25/3 * *", "01-25 01-28 01-31 02-25 02-28 03-25"),
    ("0 0 1 jan,Mar-MAY *", "01-01 03-01 04-01 05-01 2027-01-01 2027-03-01"),
    ("0 0 1 */5 *", "01-01 06-01 11-01 2027-01-01 2027-06-01 2027-11-01"),
    ("0 0 31 * *", "01-31 03-31 05-31 07-31 08-31 10-31"),
    ("0 0 5-5 * *", "01-05 02-05 03-05 04-05 05-05 06-05"),
    # weekdays: 7 is Sunday, as is 0
    ("0 0 * * 0", "01-04 01-11 01-18 01-25 02-01 02-08"),
    ("0 0 * * 7", "01-04 01-11 01-18 01-25 02-01 02-08"),
    ("0 0 * * sun", "01-04 01-11 01-18 01-25 02-01 02-08"),
    ("0 0 * * 5-7", "01-02 01-03 01-04 01-09 01-10 01-11"),
    ("0 0 * * 0-7", "01-01 01-02 01-03 01-04 01-05 01-06"),
    ("0 0 * * Mon-wed", "01-05 01-06 01-07 01-12 01-13 01-14"),
    ("0 0 * * 3-7/2", "01-02 01-04 01-07 01-09 01-11 01-14"),
    ("0 0 * * 1/2", "01-02 01-05 01-07 01-09 01-12 01-14"),
    ("0 0 * * */3", "01-03 01-04 01-07 01-10 01-11 01-14"),
    ("0 0 * * 7/2", "01-04 01-11 01-18 01-25 02-01 02-08"),
    # last and nth
    ("0 0 L * *", "01-31 02-28 03-31 04-30 05-31 06-30"),
    ("0 0 15,L 2-3 *", "02-15 02-28 03-15 03-31 2027-02-15 2027-02-28"),
    ("0 0 * * 5L", "01-30 02-27 03-27 04-24 05-29 06-26"),
    ("0 0 * * friL", "01-30 02-27 03-27 04-24 05-29 06-26"),
    ("0 0 * * 0L", "01-25 02-22 03-29 04-26 05-31 06-28"),
    ("0 0 * * 7L", "01-25 02-22 03-29 04-26 05-31 06-28"),
    ("0 0 * * 5#3", "01-16 02-20 03-20 04-17 05-15 06-19"),
    ("0 0 * * FRI#3", "01-16 02-20 03-20 04-17 05-15 06-19"),
    ("0 0 * * 4#5", "01-29 04-30 07-30 10-29 12-31 2027-04-29"),
    ("0 0 * * 1#1,1L", "01-05 01-26 02-02 02-23 03-02 03-30"),
    ("0 0 * * 5#3,1", "01-05 01-12 01-16 01-19 01-26 02-02"),
    # two day fields: either may match...
    ("0 0 13 * 5", "01-02 01-09 01-13 01-16 01-23 01-30"),
    ("0 0 L * 1", "01-05 01-12 01-19 01-26 01-31 02-02"),
    ("0 0 1-31 * 1", "01-01 01-02 01-03 01-04 01-05 01-06"),
    ("0 0 1 * 5#3", "01-01 01-16 02-01 02-20 03-01 03-20"),
    # ...unless one begins with *: then both must
    ("0 0 */2 * 1", "01-05 01-19 02-09 02-23 03-09 03-23"),
    ("0 0 1 * */2", "01-01 02-01 03-01 08-01 09-01 10-01"),
    ("0 0 13 * *", "01-13 02-13 03-13 04-13 05-13 06-13"),
    ("0 0 */13,13 * FRI", "02-13 02-27 03-13 03-27 05-01 08-14"),
    ("0 0 ? * MON", "01-05 01-12 01-19 01-26 02-02 02-09"),
    ("0 0 13 * ?", "01-13 02-13 03-13 04-13 05-13 06-13"),
    ("0 0 ? * ?", "01-01 01-02 01-03 01-04 01-05 01-06"),
]


@pytest.mark.parametrize(("expression", "wanted"), DAYS)
def test_day_fields_name_these_days(expression, wanted):
    assert days(expression) == wanted


TIMES = [
    ("*/20 0 * * *", "00:00 00:20 00:40 00:00"),
    ("5/25 0 * * *", "00:05 00:30 00:55 00:05"),
    ("10-12 0 * * *", "00:10 00:11 00:12 00:10"),
    ("59/15 0,12 * * *", "00:59 12:59 00:59 12:59"),
    ("30 20-22 * * *", "20:30 21:30 22:30 20:30"),
    ("0 1-23/11 * * *", "01:00 12:00 23:00 01:00"),
    ("0 */90 * * *", "00:00 00:00 00:00 00:00"),
    ("7,3,5,3 4 * * *", "04:03 04:05 04:07 04:03"),
]


@pytest.mark.parametrize(("expression", "wanted"), TIMES)
def test_minute_and_hour_name_these_times(expression, wanted):
    assert " ".join(text[-5:] for text in first(expression, 4)) == wanted


def test_six_fields_have_the_seconds_first():
    found = first("*/25 30 2 * * *", 4, seconds=True)
    assert [text[-9:] for text in found[1:3]] == ["02:30:25Z", "02:30:50Z"]
    assert cron("*/25 30 2 * * *", seconds=True).seconds


SAME = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@Daily", "0 0 * * *"),
    ("hourly", "0 * * * *"),
    ("hours", "0 * * * *"),
    ("daily", "0 0 * * *"),
    ("days", "0 0 * * *"),
    ("weekly", "0 0 * * 0"),
    ("weeks", "0 0 * * 0"),
    ("monthly", "0 0 1 * *"),
    ("months", "0 0 1 * *"),
    ("annually", "0 0 1 1 *"),
    ("yearly", "0 0 1 1 *"),
    ("years", "0 0 1 1 *"),
]


@pytest.mark.parametrize(("word", "expression"), SAME)
def test_nicknames_and_flytes_words_mean_an_expression(word, expression):
    assert first(word, 5) == first(expression, 5)
    assert cron(word).expression.startswith("@")


CANONICAL = [
    ("  0  2\t* * mon-FRI ", "0 2 * * MON-FRI"),
    ("0 2 * * 5l", "0 2 * * 5L"),
    ("@DAILY", "@daily"),
    ("days", "@daily"),
    ("@every 90m", "@every 1h30m"),
    ("0 2 * * *\n", "0 2 * * *"),
]


@pytest.mark.parametrize(("text", "expression"), CANONICAL)
def test_spellings_of_one_expression_become_one_text(text, expression):
    assert cron(text).expression == expression
    assert cron(expression) == cron(text)


def test_every_in_cron_is_a_fixed_rate_without_a_zone():
    timing = cron("@every 1h30m", anchor=60, timezone="Europe/Berlin")
    assert (timing.timezone, timing.anchor) == (None, 60)
    assert timetable(timing).next(NEW_YEAR) % 5400 == 60


ZONES = [
    ("CRON_TZ=Asia/Tokyo 0 2 * * *", "Asia/Tokyo", "0 2 * * *"),
    ("  cron_tz=Asia/Tokyo  @daily", "Asia/Tokyo", "@daily"),
]


@pytest.mark.parametrize(("text", "zone", "expression"), ZONES)
def test_a_zone_in_the_text_wins_over_the_schedules(text, zone, expression):
    timing = cron(text, timezone="Europe/Berlin")
    assert (timing.timezone, timing.expression) == (zone, expression)


# text, options, field, 1-based column, words of the sentence, words of the hint
FAULTS = [
    ("61 * * * *", {}, "minute", 1, "61 is not one of 0 to 59", None),
    ("0 24 * * *", {}, "hour", 3, "24 is not one of 0 to 23", "midnight is hour 0"),
    ("0 0 0 * *", {}, "day-of-month", 5, "0 is not one of 1 to 31", None),
    ("0 0 32 * *", {}, "day-of-month", 5, "32 is not one of", None),
    ("0 0 1 13 *", {}, "month", 7, "13 is not one of 1 to 12", None),
    ("0 0 * * 8", {}, "day-of-week", 9, "8 is not one of 0 to 7", None),
    ("5,7,99 * * * *", {}, "minute", 5, "99 is not one of", None),
    ("0-99 * * * *", {}, "minute", 1, "99 is not one of", None),
    ("0 22-2 * * *", {}, "hour", 3, "runs backward", "write 22-23,0-2"),
    ("0 1,22-2 * * *", {}, "hour", 5, "runs backward", "write 22-23,0-2"),
    ("0 0 * NOV-FEB *", {}, "month", 7, "runs backward", "write 11-12,1-2"),
    ("0 0 * * FRI-SUN", {}, "day-of-week", 9, "runs backward", "write 5-6,0"),
    ("0 23-0 * * *", {}, "hour", 3, "runs backward", "write 23,0"),
    ("*/0 * * * *", {}, "minute", 1, "step of 0", "1 or more"),
    ("0 0 * * FOO", {}, "day-of-week", 9, "cannot be read", "the names are SUN to SAT"),
    ("0 0 1 FOO *", {}, "month", 7, "cannot be read", "the names are JAN to DEC"),
    ("0 0 1 January *", {}, "month", 7, "cannot be read", "JAN"),
    ("a * * * *", {}, "minute", 1, "cannot be read", "*/15"),
    ("-5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("1.5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("1--5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("1-5-9 * * * *", {}, "minute", 1, "cannot be read", None),
    ("*/ * * * *", {}, "minute", 1, "cannot be read", None),
    ("/5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("*/5/5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("*5 * * * *", {}, "minute", 1, "cannot be read", None),
    ("1, * * * *", {}, "minute", 3, "an item is missing", "comma"),
    (",1 * * * *", {}, "minute", 1, "an item is missing", "comma"),
    ("1,,2 * * * *", {}, "minute", 3, "an item is missing", "comma"),
    ("? * * * *", {}, "minute", 1, "cannot be read", "only in a day field; write *"),
    ("0 0 ?,1 * *", {}, "day-of-month", 5, "cannot be read", "? stands alone"),
    ("0 L * * *", {}, "hour", 3, "cannot be read", "L alone is the last day"),
    ("0 0 L-3 * *", {}, "day-of-month", 5, "cannot be read", "L alone is the last day"),
    ("0 0 * * L", {}, "day-of-week", 9, "cannot be read", "5L as a weekday the last Friday"),
    ("0 0 5L * *", {}, "day-of-month", 5, "cannot be read", "5L as a weekday"),
    ("0 0 15W * *", {}, "day-of-month", 5, "cannot be read", "aws_cron"),
    ("0 0 LW * *", {}, "day-of-month", 5, "cannot be read", "aws_cron"),
    ("0 0 * * 5#6", {}, "day-of-week", 9, "cannot be read", "up to #5"),
    ("0 0 * * 5#0", {}, "day-of-week", 9, "cannot be read", "up to #5"),
    ("0 0 * * 9#1", {}, "day-of-week", 9, "9 is not one of", None),
    ("0 0 5#3 * *", {}, "day-of-month", 5, "cannot be read", "# is for weekdays"),
    ("H * * * *", {}, "minute", 1, "cannot be read", "jitter"),
    ("R(0-29) * * * *", {}, "minute", 1, "cannot be read", "jitter"),
    ("0~30 * * * *", {}, "minute", 1, "cannot be read", "jitter"),
    ("0 0 31 2 *", {}, "day-of-month", 5, "never fires", "L is the last day"),
    ("0 0 30 feb *", {}, "day-of-month", 5, "never fires", None),
    ("0 0 31 4,6,9,11 *", {}, "day-of-month", 5, "never fires", None),
    ("0 0 31 2 */2", {}, "day-of-month", 5, "never fires", None),
    ("   61   * * * *", {}, "minute", 4, "column 4", None),
    ("CRON_TZ=UTC 61 * * * *", {}, "minute", 13, "61", None),
    ("70 0 0 * * *", {"seconds": True}, "second", 1, "70 is not one of 0 to 59", None),
    # the number of fields
    ("0 2 * *", {}, None, 7, "4 fields, not five", "0 2 * * *"),
    ("0 0 2 * * *", {}, None, 11, "6 fields, not five", "seconds = true"),
    ("0 0 2 * * *", {}, None, 11, "6 fields, not five", "aws_cron"),
    ("0 0 12 * * ? *", {}, None, 12, "7 fields, not five", "aws_cron"),
    ("1 2 3 4 5 6 7 8", {}, None, 11, "8 fields, not five", "minute, hour, day"),
    ("0 2 * * *", {"seconds": True}, None, 9, "5 fields, not six", "second, minute, hour"),
    ("1 2 3 4 5 6 7", {"seconds": True}, None, 13, "7 fields, not six", "second, minute"),
    # not a cron expression at all
    ("", {}, None, None, "empty", "0 2 * * *"),
    (" \t ", {}, None, None, "empty", None),
    ("5", {}, None, None, "'5' is no cron expression", "@daily"),
    ("@fortnightly", {}, None, None, "no cron expression", "@weekly"),
    ("@daily at noon", {}, None, None, "no cron expression", "write five fields"),
    # near misses: letters in another order, a name in full, a letter off
    ("0 2 * * mno", {}, "day-of-week", 9, "cannot be read", "did you mean MON?"),
    ("0 2 * jna *", {}, "month", 7, "cannot be read", "did you mean JAN?"),
    ("0 2 * * mon-fir", {}, "day-of-week", 9, "cannot be read", "did you mean FRI?"),
    ("0 2 * * 5,fir#2", {}, "day-of-week", 11, "cannot be read", "did you mean FRI?"),
    ("0 2 * * Wednesday", {}, "day-of-week", 9, "cannot be read", "did you mean WED?"),
    ("0 2 * sept *", {}, "month", 7, "cannot be read", "did you mean SEP?"),
    ("0 2 * * xyz", {}, "day-of-week", 9, "cannot be read", "the names are SUN to SAT"),
    ("mon 2 * * *", {}, "minute", 1, "cannot be read", "write a number"),
    ("@dayly", {}, None, None, "no cron expression", "did you mean @daily?"),
    ("montly", {}, None, None, "no cron expression", "did you mean monthly?"),
    ("@evry 5m", {}, None, None, "no cron expression", "did you mean @every 5m?"),
    ("daily-etl", {}, None, None, "no cron expression", "write five fields"),
    ("@reboot", {}, None, None, "@reboot names no time", "systemd"),
    ("@every", {}, None, None, "no duration", "90s"),
    ("@every 5", {}, None, None, "no unit", "5s for seconds"),
    ("@every 500ms", {}, None, None, "whole number of seconds", "one second is the finest"),
    ("CRON_TZ=UTC", {}, None, None, "no times", "five fields"),
    ("CRON_TZ=Europe/Berln 0 2 * * *", {}, "timezone", None, "unknown time zone", "Europe/Berlin"),
    ("0 2 * * *\u00a0", {}, None, 10, "not an ASCII character", "plain"),
    ("٣ * * * *", {}, None, 1, "not an ASCII character", None),
    ("0 2 * * *" + " " * 1000, {}, None, None, "1,009 characters, more than 1,000", None),
    ("0\x1c2 * * *", {}, None, 9, "4 fields", None),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0][:40])
def test_a_wrong_expression_is_refused_with_place_and_spelling(fault):
    text, options, field, position, what, hint = fault
    with pytest.raises(InvalidTimetable) as caught:
        cron(text, **options)
    error = caught.value
    assert (error.field, error.position) == (field, position)
    assert what in error.message
    assert "\n" not in error.message
    assert hint is None or hint in error.hint


def test_numbers_of_any_length_are_refused_not_choked_on():
    with pytest.raises(InvalidTimetable, match="is not one of"):
        cron("9" * 900 + " * * * *")


def test_a_pattern_that_runs_backward_names_a_spelling_that_means_it():
    evening = timetable(cron("0 22-23,0-2 * * *"))
    found = latest(evening, NEW_YEAR, NEW_YEAR + 86_400, 9)
    assert [rfc3339(slot)[11:13] for slot in found] == ["01", "02", "22", "23", "00"]
