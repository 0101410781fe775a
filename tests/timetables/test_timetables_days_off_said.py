"""Days off in words, and what they leave of other spellings and of clock changes."""

from __future__ import annotations

import pytest

from flytesched import Calendar, Schedule
from flytesched.core.instants import parse_instant
from flytesched.core.timetables.alike import alike
from flytesched.core.timetables.changes import Effect, changes, felt
from flytesched.core.timetables.explain import words

BERLIN = "Europe/Berlin"
WEEKEND = Calendar(name="weekend", weekdays=["sat", "sun"])
COMPANY = Calendar(name="company", dates=["12-24"])
GERMANY = Calendar(name="germany", country="DE")


def timing(calendars=(WEEKEND,), **keys):
    keys = {"timezone": BERLIN, **keys}
    return Schedule("job", command="true", calendars=calendars, **keys).timing


# fmt: off
SAID = [
    ({"daily": "09:00"}, "skip",
     "At 09:00 every day, Europe/Berlin, except on holidays of germany, company and weekend."),
    ({"cron": "0 9 * * 1-5"}, "next",
     "At 09:00 on Monday to Friday, Europe/Berlin; on holidays of germany, company and weekend,"
     " on the next day that is none, if it has no slots."),
    ({"daily": "09:00"}, "previous",
     "At 09:00 every day, Europe/Berlin; on holidays of germany, company and weekend,"
     " on the previous day that is none, if it has no slots."),
    ({"every": "5m"}, "skip",
     "Every 5 minutes of elapsed time, counted from 1970-01-01T00:00:00Z,"
     " except on holidays of germany, company and weekend, Europe/Berlin."),
    ({"at": "2026-11-27T09:00:00"}, "next",
     "Once, at 2026-11-27 09:00:00, Europe/Berlin; on holidays of germany, company and weekend,"
     " on the next day that is none, if it has no slots."),
]
# fmt: on


@pytest.mark.parametrize(("keys", "mode", "said"), SAID)
def test_a_timing_says_what_becomes_of_it_on_holidays(keys, mode, said):
    made = timing([GERMANY, COMPANY, WEEKEND], on_holiday=mode, **keys)
    assert words(made).when == said


def test_a_rate_is_another_spelling_only_where_nothing_moves():
    """Elapsed time has no days to move to."""
    skipping, moving = (
        timing(cron="*/5 * * * *", timezone="UTC", on_holiday=mode) for mode in ("skip", "next")
    )
    assert {"every", "aws_cron"} <= {spelling.kind for spelling in alike(skipping)}
    assert {spelling.kind for spelling in alike(moving)} == {"aws_cron"}
    assert all("rate" not in spelling.expression for spelling in alike(moving))


def test_a_clock_change_is_not_felt_on_a_day_off():
    """Clocks change on Sundays, but for those who work then."""
    march, april = (parse_instant(f"2027-{month}-01", BERLIN) for month in ("03", "04"))
    (spring,) = changes(BERLIN, march, april)

    assert felt(timing(daily="02:30"), spring).effect is Effect.NONE
    assert felt(timing([COMPANY], daily="02:30"), spring).effect is Effect.MADE_UP
    assert felt(timing(every="1h"), spring).effect is Effect.NONE
