"""Instants at the door: what comes in as text or datetime, what goes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.instants import parse_instant, rfc3339, rfc3339_local, to_epoch, to_utc
from flytesched.errors import Invalid

CHRISTMAS = 1_798_131_600  # 2026-12-24T17:00:00Z


def test_an_aware_datetime_becomes_epoch_seconds():
    assert to_epoch(datetime(2026, 12, 24, 17, tzinfo=UTC)) == CHRISTMAS
    assert to_epoch(datetime(2026, 12, 24, 18, tzinfo=ZoneInfo("Europe/Berlin"))) == CHRISTMAS


@pytest.mark.parametrize(("micros", "wanted"), [(0, CHRISTMAS), (999_999, CHRISTMAS)])
def test_parts_of_a_second_are_cut_off(micros, wanted):
    assert to_epoch(datetime(2026, 12, 24, 17, 0, 0, micros, tzinfo=UTC)) == wanted


def test_a_naive_datetime_is_refused_at_the_door():
    with pytest.raises(Invalid, match="has no time zone") as caught:
        to_epoch(datetime(2026, 12, 24))  # noqa: DTZ001
    assert "datetime.UTC" in caught.value.hint


def test_epoch_seconds_become_an_aware_utc_datetime():
    assert to_utc(CHRISTMAS) == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert to_utc(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert to_utc(-1).tzinfo is UTC


@pytest.mark.parametrize("epoch", [10**12, -(10**12), float("inf"), float("nan"), 10**30])
def test_an_instant_beyond_the_calendar_is_refused(epoch):
    with pytest.raises(Invalid, match="no instant of the years 1 to 9999"):
        to_utc(epoch)


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_epoch_seconds_survive_the_way_out_and_in(epoch):
    assert to_epoch(to_utc(epoch)) == epoch
    assert to_epoch(datetime.fromisoformat(rfc3339(epoch))) == epoch


SHOWN = [
    (CHRISTMAS, "2026-12-24T17:00:00Z", "2026-12-24T18:00:00+01:00"),
    (CHRISTMAS + 0.9, "2026-12-24T17:00:00Z", "2026-12-24T18:00:00+01:00"),
    (0, "1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00"),
    (-0.5, "1969-12-31T23:59:59Z", "1970-01-01T00:59:59+01:00"),
    (1_782_864_000, "2026-07-01T00:00:00Z", "2026-07-01T02:00:00+02:00"),
]


@pytest.mark.parametrize(("epoch", "utc", "local"), SHOWN)
def test_an_instant_is_shown_in_utc_and_on_a_zones_clock(epoch, utc, local):
    assert rfc3339(epoch) == utc
    assert rfc3339_local(epoch, "Europe/Berlin") == local
    assert rfc3339_local(epoch, ZoneInfo("Europe/Berlin")) == local


READ = [
    ("2026-12-24T17:00:00Z", "2026-12-24T17:00:00Z"),
    ("2026-12-24t17:00:00z", "2026-12-24T17:00:00Z"),
    ("2026-12-24 17:00:00Z", "2026-12-24T17:00:00Z"),
    ("2026-12-24T17:00:00.999Z", "2026-12-24T17:00:00Z"),
    ("2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z"),
    ("2026-12-24T12:00-05:00", "2026-12-24T17:00:00Z"),
    ("2026-12-24 18:00 +01:00", "2026-12-24T17:00:00Z"),
    ("2026-12-24 18:00", "2026-12-24T17:00:00Z"),
    ("2026-12-24T18:00:30", "2026-12-24T17:00:30Z"),
    (" 2026-12-24 ", "2026-12-23T23:00:00Z"),
    # Berlin skips 02:00 to 03:00 on 29 March and shows it twice on 25 October
    ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
    ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
    ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
    ("1970-01-01 00:30", "1969-12-31T23:30:00Z"),
    ("9999-12-31 23:59:59", "9999-12-31T22:59:59Z"),
    (date(2026, 12, 24), "2026-12-23T23:00:00Z"),
    (datetime(2026, 12, 24, 18), "2026-12-24T17:00:00Z"),  # noqa: DTZ001
    (datetime(2026, 12, 24, 18, tzinfo=timezone(timedelta(hours=-5))), "2026-12-24T23:00:00Z"),
]


@pytest.mark.parametrize(("value", "wanted"), READ)
def test_a_text_is_read_with_its_offset_or_on_the_zones_clock(value, wanted):
    assert rfc3339(parse_instant(value, "Europe/Berlin")) == wanted
    assert rfc3339(parse_instant(value, ZoneInfo("Europe/Berlin"))) == wanted


def test_a_time_of_a_day_left_out_is_read_by_the_clock_before_it():
    # Apia had no 30 December 2011; ten hours behind UTC it would have been that.
    assert rfc3339(parse_instant("2011-12-30 06:00", "Pacific/Apia")) == "2011-12-30T16:00:00Z"


FAULTS = [
    "",
    "yesterday",
    "2026-12",
    "20261224",
    "2026-W52-4",
    "2026-13-01",
    "2026-02-30",
    "2026-12-24T25:00",
    "2026-12-24T18",
    "2026-12-24T18:00:60Z",
    "2026-12-24Z",
    "2026-12-24T18:00+0100",
    "2026-12-24T18:00+25:00",
    "2026-12-24T18:00:00Z and more",
    "٢٠٢٦-12-24",
    "0000-01-01",
    "1969-12-31",
    "9999-12-31T23:59:59-00:01",
    datetime(9999, 12, 31, 20, tzinfo=timezone(timedelta(hours=-5))),
    5,
    None,
]


@pytest.mark.parametrize("value", FAULTS)
def test_what_is_no_instant_is_refused_in_one_sentence(value):
    with pytest.raises(Invalid) as caught:
        parse_instant(value, "UTC")
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_local_time_that_is_after_9999_in_utc_is_refused():
    with pytest.raises(Invalid, match="after the year 9999"):
        parse_instant("9999-12-31 23:00", "America/New_York")


def test_the_last_hours_of_9999_are_shown_on_every_clock_or_in_utc():
    last = parse_instant("9999-12-31T23:59:59Z", "UTC")
    assert rfc3339_local(last, "America/New_York") == "9999-12-31T18:59:59-05:00"
    assert rfc3339_local(last, "Europe/Berlin") == "9999-12-31T23:59:59+00:00"


def test_an_unknown_zone_is_refused():
    for ask in (
        lambda: parse_instant("2026-12-24", "Nowhere"),
        lambda: rfc3339_local(0, "Nowhere"),
    ):
        with pytest.raises(Invalid, match="unknown time zone"):
            ask()


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_invalid(text):
    with suppress(Invalid):
        parse_instant(text, "Europe/Berlin")
