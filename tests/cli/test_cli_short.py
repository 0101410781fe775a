"""Times as short as they can be told from here."""

from __future__ import annotations

import pytest

from flytesched.cli.short import short_clock_of
from flytesched.core.instants import parse_instant

ZONE = "Europe/Berlin"
#: A Thursday.
NOW = "2026-11-26 14:03:20"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-26 14:30:00", "14:30"),
        ("2026-11-26 14:03:30", "14:03:30"),
        ("2026-11-26 00:00:00", "00:00"),
        ("2026-11-26 23:59:59", "23:59:59"),
        ("2026-11-25 23:59:00", "Wed 23:59"),
        ("2026-11-27 00:00:00", "Fri 00:00"),
        ("2026-12-02 14:30:00", "Wed 14:30"),
        ("2026-12-03 14:30:00", "3 Dec 14:30"),
        ("2026-11-20 14:30:00", "Fri 14:30"),
        ("2026-11-19 14:30:00", "19 Nov 14:30"),
        ("2027-01-01 00:00:05", "1 Jan 00:00:05"),
        ("2027-09-22 09:00:00", "22 Sep 09:00"),
        ("2027-09-23 09:00:00", "2027-09-23"),
        ("2026-01-30 09:00:00", "30 Jan 09:00"),
        ("2026-01-29 09:00:00", "2026-01-29"),
        ("9999-12-31 23:59:59", "9999-12-31"),
        ("1970-01-02 00:00:00", "1970-01-02"),
    ],
)
def test_an_instant_is_told_as_people_tell_it(moment: str, said: str) -> None:
    """A weekday means one day, a day of a month means one day, and else the year is told."""
    show = short_clock_of(ZONE, parse_instant(NOW, ZONE))

    assert show(parse_instant(moment, ZONE)) == said


def test_the_second_at_which_something_happened_is_not_told() -> None:
    """Slots are whole numbers, and have it."""
    now = parse_instant(NOW, ZONE)
    show = short_clock_of(ZONE, now)

    assert show(now) == "14:03:20"
    assert show(float(now)) == "14:03"


def test_a_day_begins_and_ends_on_the_clock_of_the_zone() -> None:
    """Where it is already tomorrow, and where it is not."""
    now = parse_instant("2026-11-26T23:30:00Z", "UTC")

    assert short_clock_of("UTC", now)(now + 3600) == "Fri 00:30"
    assert short_clock_of(ZONE, now)(now + 3600) == "01:30"


def test_on_the_day_the_clock_is_set_back_an_hour_has_two_instants() -> None:
    """Which read the same; how long it is until then, beside it, does not."""
    now = parse_instant("2026-10-25 00:30", ZONE)
    show = short_clock_of(ZONE, now)

    assert show(now + 2 * 3600) == show(now + 3 * 3600) == "02:30"
