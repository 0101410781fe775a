"""Timetables in everyday words."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.everyday import understood
from flytesched.core.schedule import Schedule
from flytesched.errors import Invalid

MEANT: list[tuple[str, dict[str, Any]]] = [
    # A fixed rate.
    ("every 5 minutes", {"every": "5m"}),
    ("Every 5 Minutes.", {"every": "5m"}),
    ("5m", {"every": "5m"}),
    ("90 seconds", {"every": "1m30s"}),
    ("every minute", {"every": "1m"}),
    ("each second", {"every": "1s"}),
    ("every other hour", {"every": "2h"}),
    ("every 2 days", {"every": "2d"}),
    ("PT90M", {"every": "1h30m"}),
    # Minutes of the hour.
    ("hourly", {"hourly": 0}),
    ("every hour", {"hourly": 0}),
    ("hourly at 15", {"hourly": 15}),
    ("hourly at :15 and :45", {"hourly": [15, 45]}),
    ("every hour at minute 5", {"hourly": 5}),
    ("each hour on minutes 0, 20 and 40", {"hourly": [0, 20, 40]}),
    # Times of each day.
    ("daily", {"daily": "00:00"}),
    ("every day", {"daily": "00:00"}),
    ("daily at 02:00", {"daily": "02:00"}),
    ("daily at 2:05", {"daily": "02:05"}),
    ("every day at 2am", {"daily": "02:00"}),
    ("at 02:00 every day", {"daily": "02:00"}),
    ("02:00", {"daily": "02:00"}),
    ("at 9", {"daily": "09:00"}),
    ("noon", {"daily": "12:00"}),
    ("at midnight", {"daily": "00:00"}),
    ("12am", {"daily": "00:00"}),
    ("12 pm", {"daily": "12:00"}),
    ("at 9:30 pm", {"daily": "21:30"}),
    ("9am and 5pm", {"daily": ["09:00", "17:00"]}),
    ("daily at 9, 12 and 17:30", {"daily": ["09:00", "12:00", "17:30"]}),
    ("every day at 9 and at 17", {"daily": ["09:00", "17:00"]}),
    # Days of the week.
    ("weekdays at 9", {"cron": "0 9 * * 1-5"}),
    ("every weekday at 9:30", {"cron": "30 9 * * 1-5"}),
    ("on business days at 9 and 17", {"cron": "0 9,17 * * 1-5"}),
    ("weekends at 10:00", {"cron": "0 10 * * 0,6"}),
    ("mondays at 9", {"cron": "0 9 * * 1"}),
    ("monday, at 9", {"cron": "0 9 * * 1"}),
    ("sunday", {"cron": "0 0 * * 0"}),
    ("every Tues at 7", {"cron": "0 7 * * 2"}),
    ("mon, wed and fri at 9", {"cron": "0 9 * * 1,3,5"}),
    ("mon & fri at noon", {"cron": "0 12 * * 1,5"}),
    ("mon-fri at 9", {"cron": "0 9 * * 1-5"}),
    ("monday to friday at 18:00", {"cron": "0 18 * * 1-5"}),
    ("friday through sunday at 8", {"cron": "0 8 * * 5-7"}),
    ("weekly", {"cron": "0 0 * * 0"}),
    ("weekly on monday at 9", {"cron": "0 9 * * 1"}),
    ("every week on monday and every thursday at 9", {"cron": "0 9 * * 1,4"}),
    # Days of the month.
    ("monthly", {"cron": "0 0 1 * *"}),
    ("monthly at 6", {"cron": "0 6 1 * *"}),
    ("monthly on the 15th at 9", {"cron": "0 9 15 * *"}),
    ("every month on the 1st at 6", {"cron": "0 6 1 * *"}),
    ("on the 1st and the 15th at 12:30", {"cron": "30 12 1,15 * *"}),
    ("1st of the month at noon", {"cron": "0 12 1 * *"}),
    ("the 1st of every month at 6am", {"cron": "0 6 1 * *"}),
    ("last day of the month at 18:00", {"cron": "0 18 L * *"}),
    ("the third friday of each month at 9", {"cron": "0 9 * * 5#3"}),
    ("1st monday of the month", {"cron": "0 0 * * 1#1"}),
    ("on the last friday of the month at 17", {"cron": "0 17 * * 5L"}),
    ("yearly", {"cron": "0 0 1 1 *"}),
    # Expressions, as they are.
    ("0 2 * * *", {"cron": "0 2 * * *"}),
    ("  0  2 * *  MON-fri ", {"cron": "0 2 * * MON-fri"}),
    ("@daily", {"cron": "@daily"}),
    ("@every 5m", {"cron": "@every 5m"}),
    ("CRON_TZ=Asia/Tokyo 0 2 * * *", {"cron": "CRON_TZ=Asia/Tokyo 0 2 * * *"}),
    ("0 10 ? * MON-FRI *", {"aws_cron": "0 10 ? * MON-FRI *"}),
    ("cron(0 10 * * ? *)", {"aws_cron": "0 10 * * ? *"}),
    ("rate(5 minutes)", {"aws_cron": "rate(5 minutes)"}),
]


@pytest.mark.parametrize(("text", "keys"), MEANT)
def test_a_text_means_this_timetable(text: str, keys: dict[str, Any]) -> None:
    """Which is one, and has slots to come."""
    assert understood(text) == keys
    assert Schedule("x", command="true", **understood(text)).next_after(datetime.now(tz=UTC))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write such as: every 5 minutes, daily at 02:00"),
        ("when pigs fly", "write such as"),
        ("now and then", "write such as"),
        ("dayly at 9", "did you mean 'daily'?"),
        ("evry 5 minutes", "did you mean 'every'?"),
        ("every 5 mintues", "did you mean 'minutes'?"),
        ("every wendesday at 9", "did you mean 'wednesday'?"),
        ("evry 5 mintues", "did you mean 'every'?"),
        # Nobody is told a word that would not help.
        ("once a months", "write such as"),
        ("mondys at 9:00 and 17:30", "add a schedule for each time"),
        ("every 3 months", "months and years differ in length; write cron, such as 0 0 1 */3 *"),
        ("every other year", "or yearly"),
        ("at 13pm", "write hours from 1 to 12 with am or pm"),
        ("weekdays at 0 am", "write hours from 1 to 12 with am or pm"),
        ("weekdays at 9:00 and 17:30", "add a schedule for each time"),
        # These might mean two things, and would surprise half of those who write them.
        ("every 3rd friday", "write such as"),
        ("every 2 days at 9", "write such as"),
        ("every other monday", "write such as"),
        ("the third day of the month", "write such as"),
        ("mon-wed-fri at 9", "write such as"),
        ("on the 1st and friday", "write such as"),
        ("every hour of monday", "write such as"),
        ("daily at", "write such as"),
        ("every", "write such as"),
    ],
)
def test_what_is_not_understood_says_what_to_write(text: str, hint: str) -> None:
    """Rather than being guessed at."""
    with pytest.raises(Invalid) as refused:
        understood(text)

    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("every 5 minutes", 'write every = "5m"'),
        ("weekdays at 9", 'write cron = "0 9 * * 1-5"'),
        ("daily at 9 and 17", 'write daily = ["09:00", "17:00"]'),
        ("hourly at 15", "write hourly = 15"),
        ("0 10 ? * MON-FRI *", 'write aws_cron = "0 10 ? * MON-FRI *"'),
        ("dayly at 9", "did you mean 'daily'?"),
        # These are expressions, or nothing.
        ("@dayly", "did you mean @daily?"),
        ("0 25  * * *", "25 is not one of 0 to 23"),
        ("0 2 * *", "write minute, hour, day, month, weekday"),
        ("0 2 * mno", "has 4 fields, not five; write minute, hour, day, month, weekday"),
        ("MON-FRI 9 * *", "has 4 fields, not five; write minute, hour, day, month, weekday"),
        ("@daily at noon", "'@daily at noon' is no cron expression"),
        # Of words nobody counts the fields.
        ("when pigs fly", "'when pigs fly' is not understood as a timetable; write such as: every"),
        ("first of the month at 3", "is not understood as a timetable; write such as: every"),
        ("every 3 months", "is not understood as a timetable; months and years differ in length"),
        # What would be refused is not recommended.
        ("at 25", "'at 25' is no timetable: '25:00' is no time of the day; write hours"),
        ("daily at 24:00", "'24:00' is no time of the day; write hours and minutes from 00:00"),
        ("every 0 minutes", "is no timetable: every 0s is not a whole number of seconds"),
        ("weekdays at 25", "is no timetable: hour '25' (column 3 of '0 25 * * 1-5')"),
        ("hourly at 70", "'70' is no minute of the hour"),
        ("at 13pm", "'13pm' is no time of the day; write hours from 1 to 12"),
    ],
)
def test_words_in_the_place_of_cron_say_which_key_means_them(text: str, says: str) -> None:
    """In a manifest, where no option helps."""
    with pytest.raises(Invalid, match="cron: ") as refused:
        Schedule("x", command="true", cron=text)

    assert says in str(refused.value)


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(
            [
                "every",
                "at",
                "on",
                "the",
                "9",
                "9am",
                "13pm",
                "and",
                ",",
                "mon",
                "mon-",
                "1st",
                "third",
                "of",
                "month",
                "friday",
                "5",
                "minutes",
                "hour",
                "daily",
                ":15",
                "25:61",
                "last",
                "to",
            ]
        ),
        max_size=7,
    ).map(" ".join)
)
def test_a_text_is_understood_as_one_timetable_or_refused(text: str) -> None:
    """Nothing else happens, whatever somebody types."""
    with suppress(Invalid):
        assert len(understood(text)) == 1
