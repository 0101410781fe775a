"""Times that people type."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

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


def test_a_bare_duration_counts_ahead_where_slots_are_to_come() -> None:
    """`next --until 2h`."""
    assert moment("--until", "2h", now=NOW, zone="UTC", ahead=True) == NOW + 7200


@pytest.mark.parametrize(
    "text",
    ["", "5", "soon", "2026-13-01", "25:00", "12:60", "yesterday noon", "2h 5", "- 5", "\u0661h"],
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
