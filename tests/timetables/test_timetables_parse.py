"""From a manifest's words to a checked `Timing`, and from it to a shared timetable."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wall_oracle import expressions, tries

from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.timetables import (
    KINDS,
    Timing,
    describe_kind,
    latest,
    make_timing,
    slots,
    timetable,
)
from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import InvalidTimetable

BERLIN = "Europe/Berlin"
NOON = parse_instant("2026-06-01T12:00:00Z", "UTC")
HOUR, DAY = 3600, 86_400

CANONICAL = [
    # kind, value, canonical expression, zone
    ("cron", "0  2 * * mon", "0 2 * * MON", BERLIN),
    ("aws_cron", "cron(0 10 * * ? *)", "0 10 * * ? *", BERLIN),
    ("aws_cron", "rate(5 minutes)", "rate(5 minutes)", None),
    ("cron", "@every 5m", "@every 5m", None),
    ("every", "90m", "1h30m", None),
    ("every", "PT90M", "1h30m", None),
    ("every", timedelta(minutes=90), "1h30m", None),
    ("every", "1.5h", "1h30m", None),
    ("daily", "2:00", "02:00", BERLIN),
    ("daily", "14:00, 02:00,2:00", "02:00,14:00", BERLIN),
    ("daily", ["14:00", "02:00"], "02:00,14:00", BERLIN),
    ("daily", [time(14), "02:00"], "02:00,14:00", BERLIN),
    ("daily", time(2, 30), "02:30", BERLIN),
    ("hourly", 15, "15", BERLIN),
    ("hourly", "5", "5", BERLIN),
    ("hourly", [45, 15, 15], "15,45", BERLIN),
    ("hourly", "45,15", "15,45", BERLIN),
    ("at", "2026-12-24T18:00:00", "2026-12-24T18:00:00", BERLIN),
    ("at", "2026-12-24 18:00", "2026-12-24T18:00:00", BERLIN),
    ("at", datetime(2026, 12, 24, 18), "2026-12-24T18:00:00", BERLIN),  # noqa: DTZ001
    ("at", date(2026, 12, 24), "2026-12-24T00:00:00", BERLIN),
    ("at", "2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z", None),
    ("at", datetime(2026, 12, 24, 18, tzinfo=UTC), "2026-12-24T18:00:00Z", None),
]


@pytest.mark.parametrize(("kind", "value", "expression", "zone"), CANONICAL)
def test_what_means_the_same_becomes_the_same_timing(kind, value, expression, zone):
    timing = make_timing(kind, value, timezone=BERLIN)
    assert timing == Timing(kind=kind, expression=expression, timezone=zone)
    assert make_timing(kind, expression, timezone=BERLIN) == timing


def test_without_a_zone_the_wall_clock_is_utc():
    assert make_timing("daily", "02:00", timezone=None).timezone == "UTC"


def test_equal_definitions_share_one_timing_and_one_timetable():
    one = make_timing("cron", "0 2 * * *", timezone=BERLIN, offset=60)
    other = make_timing("cron", "0 2 * * *", timezone=BERLIN, offset=60)
    assert one is other
    assert timetable(one) is timetable(Timing.from_text(one.text))


def test_the_anchor_counts_only_where_there_is_a_grid():
    assert make_timing("daily", "02:00", timezone=None, anchor=5).anchor == 0
    assert make_timing("every", "1h", timezone=None, anchor=5).anchor == 5


def test_a_timing_is_a_frozen_value():
    timing = make_timing("every", "5m", timezone=None)
    with pytest.raises(FrozenInstanceError):
        timing.kind = "cron"
    assert hash(timing) == hash(Timing(kind="every", expression="5m", timezone=None))


DESCRIBED = [
    ("cron", "0 2 * * *", "cron 0 2 * * *"),
    ("every", "300s", "every 5m"),
    ("daily", "2:00", "daily 02:00"),
    ("hourly", [15, 45], "hourly 15,45"),
    ("aws_cron", "rate(1 hour)", "aws_cron rate(1 hour)"),
    ("at", "2026-12-24", "at 2026-12-24T00:00:00"),
]


@pytest.mark.parametrize(("kind", "value", "wanted"), DESCRIBED)
def test_a_list_shows_kind_and_expression(kind, value, wanted):
    assert describe_kind(make_timing(kind, value, timezone=BERLIN)) == wanted


# -- the text that the run log keeps ---------------------------------------------------------------


def test_the_text_is_json_of_what_is_not_default_in_a_fixed_order():
    plain = make_timing("cron", "0 2 * * *", timezone=BERLIN)
    assert plain.text == '{"kind": "cron", "expression": "0 2 * * *", "timezone": "Europe/Berlin"}'
    full = make_timing(
        "cron", "0 0 2 * * *", timezone=None, seconds=True, start=1, end=99, offset=30
    )
    assert json.loads(full.text) == {
        "kind": "cron",
        "expression": "0 0 2 * * *",
        "timezone": "UTC",
        "seconds": True,
        "start": 1,
        "end": 99,
        "offset": 30,
    }


TIMINGS = st.builds(
    make_timing,
    st.just("cron"),
    expressions().filter(lambda text: " * * " in text),
    timezone=st.sampled_from([None, BERLIN, "America/New_York"]),
    start=st.one_of(st.none(), st.integers(0, 2**31)),
    end=st.one_of(st.none(), st.integers(2**31 + 1, 2**32)),
    offset=st.integers(0, DAY),
)


@tries(60)
@given(TIMINGS)
def test_the_text_of_a_timing_returns_the_timing(timing):
    again = Timing.from_text(timing.text)
    assert again == timing
    assert again.text == timing.text


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "5", "[" * 9000, '{"kind": "cron"}',
        '{"kind": 1, "expression": 1, "timezone": 1, "x": 1}',
        '{"kind": "cron", "expression": ["0"], "timezone": "UTC"}',
        '{"kind": "cron", "expression": "0 2 * * *", "timezone": []}',
        '{"kind": "every", "expression": "1m", "timezone": null, "anchor": NaN}',
        '{"kind": "every", "expression": "1m", "timezone": null, "start": true}',
    ],
    ids=lambda text: text[:80],
)  # fmt: skip
def test_a_text_that_is_no_timing_is_refused_in_one_sentence(text):
    with pytest.raises(InvalidTimetable, match="cannot be read") as caught:
        Timing.from_text(text)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("every", "0s"), ("every", "0.5s"), ("every", "soon"), ("daily", "x"), ("daily", ""),
        ("hourly", "60"), ("hourly", ""), ("at", "x"), ("at", "0001-01-01"), ("cron", "rate(5"),
        ("cron", "@every 0s"), ("aws_cron", "rate(0 minutes)"), ("aws_cron", "rate(x)"),
        ("moon", "full"),
    ],
)  # fmt: skip
def test_a_timing_that_was_not_checked_makes_no_timetable(kind, expression):
    with pytest.raises(InvalidTimetable):
        timetable(Timing(kind=kind, expression=expression, timezone="UTC"))


# -- bounds and offset -----------------------------------------------------------------------------


def hours(**kw):
    return timetable(make_timing("cron", "0 * * * *", timezone=None, **kw))


def test_slots_begin_at_start_and_stay_before_end():
    bounded = hours(start=NOON, end=NOON + 3 * HOUR)
    assert list(slots(bounded, 0, HORIZON)) == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert latest(bounded, 0, HORIZON, 9) == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert bounded.count(0, HORIZON) == 3
    assert bounded.next(NOON + 2 * HOUR) is None
    assert bounded.previous(NOON) is None


@pytest.mark.parametrize(("bounds", "first"), [({"start": NOON}, NOON), ({"end": NOON}, 0)])
def test_either_bound_may_be_open(bounds, first):
    assert hours(**bounds).next(-1) == first


def test_a_slot_is_the_kickoff_time_plus_the_offset():
    late = hours(offset=600)
    assert late.next(NOON) == NOON + 600
    assert late.next(NOON + 600) == NOON + HOUR + 600
    assert late.previous(NOON) == NOON - HOUR + 600
    assert late.kickoff(NOON + 600) == NOON
    assert hours().kickoff(NOON) == NOON


def test_bounds_cut_slots_not_kickoff_times():
    late = hours(offset=600, start=NOON + 600, end=NOON + HOUR + 601)
    assert list(slots(late, 0, HORIZON)) == [NOON + 600, NOON + HOUR + 600]
    assert late.count(0, HORIZON) == 2


@tries(60)
@given(
    st.tuples(
        st.integers(-DAY, DAY),
        st.integers(0, DAY),
        st.integers(0, 3 * HOUR),
        st.integers(-DAY, DAY),
        st.integers(0, DAY),
    )
)
def test_bounded_slots_are_the_moved_slots_within_the_bounds(numbers):
    start, length, offset, after, span = numbers
    start, after = NOON + start, NOON + after
    until, end = after + span, start + length + 1
    kickoffs = range(NOON - 3 * DAY, NOON + 3 * DAY, HOUR)
    wanted = [
        k + offset for k in kickoffs if start <= k + offset < end and after < k + offset <= until
    ]
    bounded = hours(start=start, end=end, offset=offset)
    assert list(slots(bounded, after, until)) == wanted
    assert latest(bounded, after, until, 99) == wanted
    assert bounded.count(after, until) == len(wanted)


# -- every -----------------------------------------------------------------------------------------


def test_every_lies_on_the_anchors_grid_in_both_directions():
    walk = timetable(make_timing("every", "90m", timezone=None, anchor=NOON + 60))
    assert walk.next(NOON) == NOON + 60
    assert walk.next(NOON + 60) == NOON + 60 + 5400
    assert walk.previous(NOON + 60) == NOON + 60 - 5400
    assert walk.kickoff(NOON + 60) == NOON + 60


@tries(60)
@given(st.integers(1, 5000), st.integers(-DAY, DAY), st.integers(0, DAY), st.integers(0, DAY))
def test_every_counts_what_it_steps(period, anchor, after, span):
    walk = timetable(make_timing("every", f"{period}s", timezone=None, anchor=anchor))
    found = list(slots(walk, after, after + span))
    assert found == [t for t in range(after + 1, after + span + 1) if (t - anchor) % period == 0]
    assert latest(walk, after, after + span, len(found) + 1) == found
    assert walk.count(after, after + span) == len(found)


def test_every_lies_between_1970_and_9999():
    walk = timetable(make_timing("every", "1d", timezone=None))
    assert walk.next(-(10**12)) == walk.next(-1) == 0
    assert walk.previous(0) is None
    assert walk.previous(10**13) < HORIZON
    assert walk.next(HORIZON) is None
    assert walk.count(-(10**12), 10**13) == HORIZON // DAY
    assert walk.count(5, 5) == 0


def test_at_is_met_from_both_sides_and_counted_once():
    once = timetable(make_timing("at", "2026-06-01T12:00:00Z", timezone=None))
    assert (once.next(NOON - 1), once.next(NOON)) == (NOON, None)
    assert (once.previous(NOON + 1), once.previous(NOON)) == (NOON, None)
    assert (once.count(NOON - 1, NOON), once.count(NOON, NOON + 1)) == (1, 0)
    assert once.kickoff(NOON) == NOON


def test_an_instant_long_past_is_a_timing_still():
    assert timetable(make_timing("at", "1999-01-01", timezone=BERLIN)).next(NOON) is None


# -- refused ---------------------------------------------------------------------------------------

FAULTS = [
    ("crons", "0 2 * * *", {}, "no kind of timetable", "one of cron"),
    ("cron", 5, {}, "cron cannot be 5", '"0 2 * * *"'),
    ("cron", ["0 2 * * *"], {}, "cron cannot be", None),
    ("cron", None, {}, "cron cannot be None", None),
    ("aws_cron", True, {}, "aws_cron cannot be True", "0 10 * * ? *"),
    ("every", 90, {}, "90 has no unit", "90s for seconds, 90m for minutes"),
    ("every", "90", {}, "'90' has no unit", "90s"),
    ("every", 1.5, {}, "every cannot be 1.5", "1h30m"),
    ("every", "0s", {}, "one or more", "one second is the finest"),
    ("every", "1500ms", {}, "whole number of seconds", "one second is the finest"),
    ("every", "-5m", {}, "negative", None),
    ("every", "soon", {}, "no duration", None),
    ("every", timedelta(seconds=-1), {}, "negative", None),
    ("every", "500000d", {}, "more than 400 years", None),
    ("daily", "24:00", {}, "'24:00' is no time", "00:00 to 23:59"),
    ("daily", "2:60", {}, "no time", None),
    ("daily", "2pm", {}, "no time", "14:30"),
    ("daily", "02:00:30", {}, "no time", None),
    ("daily", [], {}, "no time", None),
    ("daily", ["02:00", 5], {}, "'5' is no time", None),
    ("daily", 2, {}, "daily cannot be 2", '"02:00"'),
    ("hourly", 60, {}, "'60' is no minute", "0 to 59"),
    ("hourly", -1, {}, "no minute", None),
    ("hourly", [15, True], {}, "'True' is no minute", None),
    ("hourly", True, {}, "hourly cannot be True", None),
    ("hourly", [], {}, "no minute", None),
    ("at", "tomorrow", {}, "no date and time", "2026-12-24T18:00:00"),
    ("at", "2026-02-30", {}, "no date and time", None),
    ("at", "1969-12-31", {}, "before 1970", "later year"),
    ("at", "1970-01-01T00:00:00+10:00", {}, "before 1970", "later year"),
    ("at", "9999-12-31T23:59:59-10:00", {}, "after the year 9999", "earlier year"),
    ("at", 5, {}, "at cannot be 5", None),
    ("cron", "0 2 * * *", {"timezone": "Mars/Olympus"}, "unknown time zone 'Mars/Olympus'", None),
    ("at", "2026-12-24", {"timezone": "Nowhere"}, "unknown time zone", None),
    ("daily", "02:00", {"seconds": True}, "does not go with daily", "only cron"),
    ("daily", "02:00", {"start": 5, "end": 5}, "end is not later than start", None),
]


@pytest.mark.parametrize(("kind", "value", "options", "what", "hint"), FAULTS)
def test_a_wrong_definition_is_refused_in_one_sentence(kind, value, options, what, hint):
    with pytest.raises(InvalidTimetable) as caught:
        make_timing(kind, value, **{"timezone": None, **options})
    assert what in caught.value.message
    assert "\n" not in caught.value.message
    assert hint is None or hint in caught.value.hint


def test_true_is_not_taken_for_1_after_1_was_seen():
    assert make_timing("hourly", 1, timezone=None).expression == "1"
    with pytest.raises(InvalidTimetable):
        make_timing("hourly", True, timezone=None)


def test_a_timing_made_by_other_hands_is_refused_when_used():
    with pytest.raises(InvalidTimetable, match="no kind of timetable"):
        timetable(Timing(kind="lunar", expression="full", timezone=None))


def test_the_kinds_are_the_manifests_keys():
    assert KINDS == ("cron", "aws_cron", "every", "daily", "hourly", "at")


def test_a_fixed_offset_of_at_is_kept_as_utc():
    abroad = timezone(timedelta(hours=5, minutes=45))
    timing = make_timing("at", datetime(2026, 1, 1, tzinfo=abroad), timezone=BERLIN)
    assert rfc3339(timetable(timing).next(0)) == "2025-12-31T18:15:00Z"
