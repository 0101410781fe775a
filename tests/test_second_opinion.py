"""croniter as a second opinion: refusing what is ambiguous, silent on what it cannot judge."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from flytesched import second_opinion
from flytesched.core.calendars import Calendar
from flytesched.core.dates import WEEKDAYS
from flytesched.core.instants import parse_instant
from flytesched.core.schedule import Schedule
from flytesched.core.timetables import make_timing
from flytesched.errors import InvalidTimetable
from flytesched.second_opinion import compare

NOW = parse_instant("2026-02-10T12:34:56Z", "UTC")
SPRING = parse_instant("2026-03-28T12:00:00Z", "UTC")  # Berlin's clocks change the next day


def timing(kind, value, zone="Europe/Berlin", **kw):
    return make_timing(kind, value, timezone=zone, **kw)


AGREED = [
    "* * * * *",
    "*/5 8-18 * * mon-fri",
    "0 2 1,15 * *",
    "30 4 */2 * 1",
    "0 0 13 * 5",
    "0 0 1 */3 *",
    "0 0 31 * *",
    "0 0 29 2 *",
    "0 0 29 2 1",
    "0 0 ? * ?",
    # what croniter knows by another name
    "0 0 L * *",
    "0 0 * * 5L",
    "0 0 * * friL,1L",
    "0 0 * * 7L",
    "0 0 * * 5#3",
    "0 0 * * FRI#3,7#1",
    "@weekly",
    "yearly",
    "CRON_TZ=Asia/Tokyo 0 2 * * *",
    # what it would misread as written
    "5-5 * * * *",
    "5-5/2 3 * * *",
    "0 0 1-1 JAN-1 *",
    "0 0 * * FRI-5",
    "59/15 23/2 * * *",
    "0 0 31/2 12/3 6/2",
    "0 0 * * 7/2",
    "0 0 * * 0-7/3",
    "0 0 * * 3-7/2",
]


@pytest.mark.parametrize("expression", AGREED)
@pytest.mark.parametrize("now", [NOW, SPRING])
def test_it_agrees_with_ordinary_expressions(expression, now):
    asked = timing("cron", expression)
    compare(asked, now)
    assert second_opinion._question(asked) is not None or second_opinion._forgets_first_days()


AGREED_AWS = [
    ("0 10 * * ? *", "0 10 * * *"),
    ("0/10 8-17 ? * MON-FRI *", "0/10 8-17 * * 1-5"),
    ("0 9 ? * 2#1 *", "0 9 * * 1#1"),
    ("0 9 ? * 6L *", "0 9 * * L5"),
    ("0 9 ? * L *", "0 9 * * 6"),
    ("0 9 ? * 7/2 *", "0 9 * * 6"),
    ("0 9 15W * ? *", "0 9 15W * *"),
    ("0 9 L * ? 2027-2030", "0 9 L * * 0 2027-2030"),
    ("0 9 1 JUN ? 2027/2", "0 9 1 6 * 0 2027/2"),
]


@pytest.mark.parametrize(("expression", "question"), AGREED_AWS)
def test_aws_expressions_are_asked_in_its_words(expression, question):
    asked = timing("aws_cron", expression)
    assert second_opinion._question(asked) == question
    compare(asked, NOW)


def test_six_fields_are_asked_with_the_seconds_first():
    compare(timing("cron", "*/20 30 2 * * *", seconds=True), NOW)
    compare(timing("cron", "7 */30 2 L * 1", seconds=True), NOW)


AMBIGUOUS = [
    # Vixie cron looks at the first character of a day field only, croniter for any star in it.
    ("cron", "0 0 1,* * 5"),
    ("cron", "0 0 13 * 1,*"),
]


@pytest.mark.parametrize(("kind", "expression"), AMBIGUOUS)
def test_where_the_two_differ_the_expression_is_refused(kind, expression):
    with pytest.raises(InvalidTimetable, match="is ambiguous: here its next time is") as caught:
        compare(timing(kind, expression), NOW)
    assert "two schedules" in caught.value.hint


UNJUDGED = [
    ("every", "5m", {}),
    ("daily", "02:00", {}),
    ("hourly", 15, {}),
    ("at", "2026-12-24T18:00:00", {}),
    ("cron", "@every 5m", {}),
    ("aws_cron", "rate(5 minutes)", {}),
    # it refuses these, with one error or another
    ("cron", "0 0 * * 5#3,1", {}),
    ("aws_cron", "0 0 LW * ? *", {}),
    ("aws_cron", "0 0 1W,15W * ? *", {}),
    ("aws_cron", "0 0 1 1 ? 2150", {}),
    ("aws_cron", "0 0 1 1 ? 2020", {}),
    # it is known to read these otherwise
    ("cron", "0 0 1 * 5#3", {}),
    ("cron", "0 0 1 * 5L", {}),
    ("aws_cron", "0 0 31W * ? *", {}),
]


@pytest.mark.parametrize(("kind", "value", "options"), UNJUDGED)
def test_what_croniter_cannot_judge_passes(kind, value, options):
    compare(timing(kind, value, **options), NOW)


def test_clock_changes_are_left_out_of_the_comparison():
    skipped = timing("cron", "30 2 29 3 *")
    wrong = croniter("30 2 29 3 *", datetime(2026, 3, 1), ret_type=datetime)  # noqa: DTZ001
    assert wrong.get_next().hour == 2
    compare(skipped, SPRING)


def test_bounds_and_offset_have_no_part_in_it():
    compare(timing("cron", "0 2 * * *", offset=3600, end=NOW), NOW)


def test_days_off_have_no_part_in_it():
    """croniter knows no holidays, and what is ambiguous stays so though little of it runs."""
    six_days = [Calendar(name="x", weekdays=WEEKDAYS[1:])]
    compare(Schedule("a", cron="0 9 * * *", calendars=six_days).timing, NOW)
    with pytest.raises(InvalidTimetable):
        compare(Schedule("a", cron="0 0 13 * 1,*", calendars=six_days).timing, NOW)


def test_the_time_asked_about_may_have_a_fraction():
    compare(timing("cron", "0 2 * * *"), NOW + 0.5)


def test_an_older_croniter_is_not_asked_what_it_gets_wrong(monkeypatch):
    # Stands for croniter 6.0, which cannot be installed beside 7.0.
    monkeypatch.setattr(second_opinion, "_forgets_first_days", lambda: True)
    for expression in ("0 0 1,31 * *", "0 0 */5 * *", "0 0 15,L * *"):
        assert second_opinion._question(timing("cron", expression)) is None
    for expression in ("0 0 31 * *", "0 0 * * *", "0 0 L * *", "0 0 1,28 * *"):
        assert second_opinion._question(timing("cron", expression)) is not None


def test_a_broken_croniter_refuses_nothing(monkeypatch):
    # Stands for errors of other versions: it raises AttributeError, KeyError and others at times.
    def broken(croniter, question, *, seconds_first):
        raise AttributeError(croniter, question, seconds_first)

    monkeypatch.setattr(second_opinion, "_reader", broken)
    compare(timing("cron", "1 2 3 4 *"), NOW)


PLAIN = st.from_regex(
    r"(\*|[1-6]|[1-3]-[4-6])(/[1-9])?(,[0-6])?", fullmatch=True, alphabet="*/-,0123456789"
)


@settings(max_examples=60, deadline=None)
@given(st.tuples(PLAIN, PLAIN, PLAIN, PLAIN.filter(lambda text: ",0" not in text), PLAIN))
def test_plain_expressions_of_all_shapes_agree(fields):
    minute, hour, monthday, month, weekday = fields
    expression = f"{minute} {hour} {monthday.replace(',0', ',7')} {month} {weekday}"
    compare(timing("cron", expression), NOW)


def test_neither_the_core_nor_this_module_imports_croniter_before_it_is_asked():
    program = (
        "import sys, flytesched.second_opinion, flytesched.core.timetables;"
        "print('croniter' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
