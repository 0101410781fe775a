"""Times that people type."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.cli.times import clock_of, moment
from flytesched.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 26, 1, 30, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("now", "2026-10-26 01:30:00+01:00"),
        ("2h", "2026-10-25 23:30:00+01:00"),
        ("-2h", "2026-10-25 23:30:00+01:00"),
        ("90m ago", "2026-10-26 00:00:00+01:00"),
        ("+1d", "2026-10-27 01:30:00+01:00"),
        ("in 30s", "2026-10-26 01:30:30+01:00"),
        ("today", "2026-10-26 00:00:00+01:00"),
        # The clocks went back on the 25th: its midnight is 25.5 hours ago.
        ("yesterday", "2026-10-25 00:00:00+02:00"),
        ("tomorrow", "2026-10-27 00:00:00+01:00"),
        ("Yesterday 14:30", "2026-10-25 14:30:00+01:00"),
        ("7:05", "2026-10-26 07:05:00+01:00"),
        ("23:59:58", "2026-10-26 23:59:58+01:00"),
        ("2026-11-01", "2026-11-01 00:00:00+01:00"),
        ("2026-07-01 02:00", "2026-07-01 02:00:00+02:00"),
        ("2026-11-01T02:00:00Z", "2026-11-01 03:00:00+01:00"),
        ("2026-11-01T02:00:00-05:00", "2026-11-01 08:00:00+01:00"),
        # Shown twice: the first time. Skipped: the first minute after it.
        ("2026-10-25 02:30", "2026-10-25 02:30:00+02:00"),
        ("2027-03-28 02:30", "2027-03-28 03:00:00+02:00"),
    ],
)
def test_a_time_is_read_on_the_clock_of_the_reader(text: str, means: str) -> None:
    """And shown on it with its offset."""
    at = moment("--since", text, now=NOW, zone="Europe/Berlin")

    assert clock_of("Europe/Berlin")(at) == means


WORDS = [
    # What is typed on Monday the 26th at 01:30; where it counts back; where it counts ahead.
    ("1 hour ago", "2026-10-26 00:30:00+01:00", None),
    ("an hour ago", "2026-10-26 00:30:00+01:00", None),
    ("2 weeks ago", "2026-10-12 02:30:00+02:00", None),
    ("in 5 min", "2026-10-26 01:35:00+01:00", None),
    ("In 5 Min", "2026-10-26 01:35:00+01:00", None),
    ("5 minutes from now", "2026-10-26 01:35:00+01:00", None),
    ("1 day", "2026-10-25 02:30:00+02:00", "2026-10-27 01:30:00+01:00"),
    ("noon", "2026-10-26 12:00:00+01:00", None),
    ("yesterday noon", "2026-10-25 12:00:00+01:00", None),
    ("yesterday at noon", "2026-10-25 12:00:00+01:00", None),
    ("noon tomorrow", "2026-10-27 12:00:00+01:00", None),
    ("tomorrow 9:00", "2026-10-27 09:00:00+01:00", None),
    ("tomorrow at 9", "2026-10-27 09:00:00+01:00", None),
    ("9 am tomorrow", "2026-10-27 09:00:00+01:00", None),
    ("tomorrow, 9:30pm", "2026-10-27 21:30:00+01:00", None),
    ("12am", "2026-10-26 00:00:00+01:00", None),
    ("at 12 pm", "2026-10-26 12:00:00+01:00", None),
    ("last friday", "2026-10-23 00:00:00+02:00", None),
    ("last monday", "2026-10-19 00:00:00+02:00", None),
    ("next monday", "2026-11-02 00:00:00+01:00", None),
    ("next tue at 17:00", "2026-10-27 17:00:00+01:00", None),
    ("friday", "2026-10-23 00:00:00+02:00", "2026-10-30 00:00:00+01:00"),
    ("Thurs 8:00", "2026-10-22 08:00:00+02:00", "2026-10-29 08:00:00+01:00"),
    # Today is Monday, and its midnight is past, its noon to come.
    ("monday", "2026-10-26 00:00:00+01:00", "2026-11-02 00:00:00+01:00"),
    ("monday noon", "2026-10-19 12:00:00+02:00", "2026-10-26 12:00:00+01:00"),
    ("2026-11-1", "2026-11-01 00:00:00+01:00", None),
    ("2026/11/01 9:00", "2026-11-01 09:00:00+01:00", None),
    ("2026-11-01 at 9pm", "2026-11-01 21:00:00+01:00", None),
    ("2026-11-01 02:00 UTC", "2026-11-01 03:00:00+01:00", None),
    ("today 14:00 utc", "2026-10-26 15:00:00+01:00", None),
    ("  Next   Friday  ", "2026-10-30 00:00:00+01:00", None),
    ("@1792974600", "2026-10-26 01:30:00+01:00", None),
]


@pytest.mark.parametrize(("text", "back", "ahead"), WORDS)
def test_a_time_is_read_in_the_words_of_people(text: str, back: str, ahead: str | None) -> None:
    """Those that lie on one side of now do so wherever they are typed."""
    show = clock_of("Europe/Berlin")

    def read(*, forward: bool) -> str:
        return show(moment("--at", text, now=NOW, zone="Europe/Berlin", ahead=forward))

    assert read(forward=False) == back
    assert read(forward=True) == (ahead or back)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("5", "write a unit, such as 5m or 5h, or a clock time, such as 14:30"),
        ("midnight", "midnight is at both ends of a day"),
        ("tomorrow midnight", "midnight is at both ends of a day"),
        ("last week", "that is a stretch of time"),
        ("this month", "that is a stretch of time"),
        ("1/11/2026", "day and month could be either way round"),
        ("01.11.2026 9:00", "day and month could be either way round"),
        ("yesteday", "did you mean 'yesterday'?"),
        ("tommorow 9:00", "did you mean 'tomorrow'?"),
        ("lats friday", "did you mean 'last'?"),
        ("1 month ago", "months and years have no fixed length"),
        ("in 5M", "write 5m"),
        ("2 fortnights ago", "write a number with its unit"),
        ("2026-13-01", "write 2026-12-24T18:00:00"),
        ("2026-11-1T9", "write 2026-12-24T18:00:00"),
        ("sometime", "write a duration (2h), a day (yesterday, 2026-11-01)"),
    ],
)
def test_what_may_be_meant_is_said_in_the_hint(text: str, hint: str) -> None:
    """Above all where a text could mean two times: none is chosen."""
    with pytest.raises(UsageError) as refused:
        moment("--since", text, now=NOW, zone="UTC")

    assert hint in (refused.value.hint or "")


@given(
    st.text(max_size=20)
    | st.lists(
        st.sampled_from(
            ["next", "last", "fri", "9", "9am", "noon", "at", "2026-02-30", "in", "2h"]
        ),
        max_size=5,
    ).map(" ".join)
)
def test_no_text_raises_anything_but_a_usage_error(text: str) -> None:
    """Whatever somebody types."""
    with suppress(UsageError):
        moment("--since", text, now=NOW, zone="Europe/Berlin")


def test_a_bare_duration_counts_ahead_where_slots_are_to_come() -> None:
    """`next --until 2h`."""
    assert moment("--until", "2h", now=NOW, zone="UTC", ahead=True) == NOW + 7200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "soon",
        "2026-13-01",
        "25:00",
        "12:60",
        "yesterday teatime",
        "2h 5",
        "- 5",
        "\u0661h",
        "9",
        "13pm",
        "0am",
        "@",
        "noon noon",
        "monday tuesday",
        "this monday",
        "next now",
        "2026-11-01 5",
        "2026-11-31",
        "today 24:00",
        "in",
        "ago",
        "an",
        "+",
        "tomorrow at",
        "2026/11-01",
    ],
)
def test_what_is_no_time_is_refused_with_the_option_named(text: str) -> None:
    """And with what to write instead."""
    with pytest.raises(UsageError, match="--since: ") as refused:
        moment("--since", text, now=NOW, zone="UTC")

    assert refused.value.hint


def test_a_duration_that_leads_beyond_all_years_leads_to_their_end() -> None:
    """So it can be shown, and "since ever" may be said with as many days as one likes."""
    assert moment("--since", "999999999d", now=NOW, zone="UTC") == 0
    assert clock_of("UTC")(moment("--until", "+999999999d", now=NOW, zone="UTC")).startswith("9999")


def test_utc_is_shown_with_a_z() -> None:
    """Short, and not to be mistaken."""
    assert clock_of("UTC")(0) == "1970-01-01 00:00:00Z"
