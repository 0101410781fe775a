"""Durations as people write them, to timedelta and back."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flytesched.core.durations import format_duration, parse_duration
from flytesched.errors import Invalid

MEANINGS = [
    ("90s", {"seconds": 90}),
    ("1h30m", {"minutes": 90}),
    ("1h 30m", {"minutes": 90}),
    (" 5m ", {"minutes": 5}),
    ("2d", {"days": 2}),
    ("1w", {"days": 7}),
    ("1w2d3h4m5s", {"days": 9, "hours": 3, "minutes": 4, "seconds": 5}),
    ("500ms", {"milliseconds": 500}),
    ("1s500ms", {"seconds": 1.5}),
    ("20us", {"microseconds": 20}),
    ("0s", {}),
    ("1.5h", {"minutes": 90}),
    ("0.1s", {"milliseconds": 100}),
    ("0.25d", {"hours": 6}),
    ("PT90M", {"minutes": 90}),
    ("P1DT2H", {"hours": 26}),
    ("P1W", {"days": 7}),
    ("PT0.5S", {"milliseconds": 500}),
    ("pt5m", {"minutes": 5}),
    ("P2D", {"days": 2}),
    ("999999999d", {"days": 999_999_999}),
    ("5 minutes", {"minutes": 5}),
    ("5 min", {"minutes": 5}),
    ("1 day", {"days": 1}),
    ("2 weeks", {"days": 14}),
    ("2 Weeks", {"days": 14}),
    ("90 secs", {"seconds": 90}),
    ("500 msec", {"milliseconds": 500}),
    ("20 microseconds", {"microseconds": 20}),
    ("1.5 hours", {"minutes": 90}),
    ("1 hour 30 minutes", {"minutes": 90}),
    ("1 hour, 30 minutes", {"minutes": 90}),
    ("1 day, 2 hrs and 3mins", {"hours": 26, "minutes": 3}),
    ("2H", {"hours": 2}),
    ("3D12H", {"hours": 84}),
    ("5MIN", {"minutes": 5}),
]


@pytest.mark.parametrize(("text", "wanted"), MEANINGS)
def test_a_text_means_this_duration(text, wanted):
    assert parse_duration(text) == timedelta(**wanted)


def test_a_timedelta_is_taken_as_it_is():
    given_one = timedelta(minutes=5)
    assert parse_duration(given_one) is given_one


SHOWN = [
    ({}, "0s"),
    ({"seconds": 90}, "1m30s"),
    ({"minutes": 90}, "1h30m"),
    ({"days": 14}, "14d"),
    ({"days": 1, "microseconds": 1}, "1d1us"),
    ({"milliseconds": 1500}, "1s500ms"),
    ({"seconds": -90}, "-1m30s"),
    ({"days": -999_999_999}, "-999999999d"),
]


@pytest.mark.parametrize(("duration", "wanted"), SHOWN)
def test_a_duration_is_shown_with_its_largest_units(duration, wanted):
    assert format_duration(timedelta(**duration)) == wanted


@given(st.timedeltas(min_value=timedelta(0)))
@example(timedelta.max)
def test_what_is_shown_reads_back_as_the_same(duration):
    assert parse_duration(format_duration(duration)) == duration


FAULTS = [
    # value, words of the sentence, words of the hint
    (
        "90",
        "'90' has no unit",
        "write 90s for seconds, 90m for minutes, 90h for hours, 90d for days",
    ),
    (90, "90 has no unit", "90s"),
    (1.5, "1.5 has no unit", "1.5s"),
    ("1.5", "'1.5' has no unit", "1.5s"),
    ("", "no duration", "90s"),
    ("soon", "no duration", "1h30m"),
    ("5 fortnights", "no duration", "PT90M"),
    ("5 minutes and", "no duration", None),
    ("5 minutes,", "no duration", None),
    ("30 minutes 1 hour", "no duration", "the largest unit first"),
    ("1 month", "no duration", "write days, such as 30d"),
    ("2y", "no duration", "write days, such as 30d"),
    ("1h5M", "no duration", "write 1h5m if you mean minutes"),
    ("1h\n 5M", "no duration", "write 1h 5m if you mean minutes"),
    ("5x", "no duration", None),
    ("5M", "no duration", "write 5m if you mean minutes"),
    ("30m1h", "no duration", "the largest unit first"),
    ("1h1h", "no duration", None),
    ("1.h", "no duration", None),
    (".5h", "no duration", None),
    ("1e3s", "no duration", None),
    ("\u0665m", "no duration", None),
    ("5\u017f", "no duration", None),
    ("P", "no duration", None),
    ("PT", "no duration", None),
    ("P1DT", "no duration", None),
    ("P1M", "no duration", None),
    ("P1Y", "no duration", None),
    ("-5m", "negative", "zero or more"),
    (timedelta(seconds=-1), "negative", None),
    ("1000000000d", "too long", "999999999d"),
    ("9" * 90 + "w", "too long", None),
    ("1" * 200 + "s", "no duration", None),
    ("1" * 9000, "no duration", "90s"),
    ("0.0000001s", "finer than a microsecond", "last digits"),
    (True, "True is no duration", None),
    (None, "None is no duration", None),
    (["5m"], "no duration", None),
]


@pytest.mark.parametrize(("value", "what", "hint"), FAULTS, ids=lambda value: str(value)[:20])
def test_anything_else_is_refused_with_what_to_write(value, what, hint):
    with pytest.raises(Invalid) as caught:
        parse_duration(value)
    assert what in caught.value.message
    assert len(caught.value.message) < 140
    assert hint is None or hint in caught.value.hint


@given(st.text(max_size=30))
def test_no_text_raises_anything_but_invalid(text):
    with suppress(Invalid):
        parse_duration(text)
