"""A timetable in the fields of cron: the same slots, or a refusal."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.timetables import Timing, make_timing, slots, timetable
from flytesched.core.timetables.zones import HORIZON
from flytesched.crontab.percent import Inexpressible
from flytesched.crontab.times import cron_times

BERLIN = "Europe/Berlin"
#: 2026-10-20, before Berlin's clock goes back, and 2026-03-25, before it goes forward.
AUTUMN, SPRING = 1_792_454_400, 1_774_396_800


def _timing(kind: str, value: object, zone: str = BERLIN, **more: object) -> Timing:
    return make_timing(kind, value, timezone=zone, **more)  # type: ignore[arg-type]


def _slots(*timings: Timing, after: int) -> list[int]:
    found = {slot for t in timings for slot in islice(slots(timetable(t), after, HORIZON), 200)}
    return sorted(found)[:200]


def _in_cron(timing: Timing) -> list[Timing]:
    expressions, zone = cron_times(timing, BERLIN)
    return [make_timing("cron", each, timezone=zone) for each in expressions]


@pytest.mark.parametrize(
    ("kind", "value", "expressions", "zone"),
    [
        ("cron", "0 2 * * mon-fri", ("0 2 * * MON-FRI",), BERLIN),
        ("cron", "@daily", ("@daily",), BERLIN),
        ("cron", "hourly", ("@hourly",), BERLIN),
        ("cron", "5/10 * ? * ?", ("5-59/10 * * * *",), BERLIN),
        ("cron", "0 0 1/5,31 */2 fri/2", ("0 0 1-31/5,31 */2 5-6/2",), BERLIN),
        ("cron", "0 0 * * 7/2", ("0 0 * * 7-7/2",), BERLIN),
        ("cron", "@every 10m", ("*/10 * * * *",), BERLIN),
        ("daily", "02:00", ("0 2 * * *",), BERLIN),
        ("daily", ["02:00", "14:00", "03:30"], ("0 2,14 * * *", "30 3 * * *"), BERLIN),
        ("hourly", [15, 45], ("15,45 * * * *",), BERLIN),
        ("every", "1m", ("* * * * *",), BERLIN),
        ("every", "5m", ("*/5 * * * *",), BERLIN),
        ("every", "20m", ("*/20 * * * *",), BERLIN),
        ("every", "1h", ("0 * * * *",), BERLIN),
        ("every", "6h", ("0 */6 * * *",), "UTC"),
        ("every", "1d", ("0 0 * * *",), "UTC"),
        ("aws_cron", "0 10 * * ? *", ("0 10 * * *",), BERLIN),
        ("aws_cron", "0/10 8-18 ? * 2-6 *", ("0-59/10 8-18 * * MON,TUE,WED,THU,FRI",), BERLIN),
        ("aws_cron", "0 10 ? * * *", ("0 10 * * *",), BERLIN),
        ("aws_cron", "rate(15 minutes)", ("*/15 * * * *",), BERLIN),
    ],
)
def test_a_timetable_has_the_same_slots_in_cron(
    kind: str, value: object, expressions: tuple[str, ...], zone: str
) -> None:
    """Across both changes of the clock; a row each."""
    timing = _timing(kind, value)

    assert cron_times(timing, BERLIN) == (expressions, zone)
    for after in (SPRING, AUTUMN):
        assert _slots(*_in_cron(timing), after=after) == _slots(timing, after=after)


def test_the_phase_of_a_rate_is_kept() -> None:
    """As far as it is one of whole minutes."""
    assert cron_times(_timing("every", "15m", anchor=420), BERLIN).expressions == (
        "7-59/15 * * * *",
    )
    assert cron_times(_timing("every", "1h", anchor=420), BERLIN).expressions == ("7 * * * *",)
    assert cron_times(_timing("every", "6h", anchor=7620), BERLIN).expressions == (
        "7 2-23/6 * * *",
    )
    with pytest.raises(Inexpressible, match="no period of 15m"):
        cron_times(_timing("every", "15m", anchor=30), BERLIN)


def test_a_rate_is_on_the_clock_of_the_machine_where_that_will_do() -> None:
    """Elsewhere on UTC, which never moves against the grid."""
    found = {
        (zone, period): cron_times(_timing("every", period), zone).timezone
        for zone in ("Asia/Kathmandu", "Asia/Kolkata", "Asia/Singapore", "Etc/UTC")
        for period in ("15m", "30m", "1h", "8h")
    }

    assert {pair for pair, zone in found.items() if zone == "UTC"} == {
        ("Asia/Kathmandu", "30m"), ("Asia/Kathmandu", "1h"), ("Asia/Kathmandu", "8h"),
        ("Asia/Kolkata", "1h"), ("Asia/Kolkata", "8h"),
    }  # fmt: skip
    assert all(zone in {"UTC", where} for (where, _), zone in found.items())


def test_seconds_that_are_always_zero_are_left_out() -> None:
    """Others are refused."""
    assert cron_times(_timing("cron", "0 30 2 * * *", seconds=True), BERLIN).expressions == (
        "30 2 * * *",
    )
    with pytest.raises(Inexpressible, match="a crontab has no seconds"):
        cron_times(_timing("cron", "*/10 * * * * *", seconds=True), BERLIN)


@pytest.mark.parametrize(
    ("timing", "says"),
    [
        (_timing("every", "90s"), "no period of 1m30s"),
        (_timing("every", "7m"), "no period of 7m"),
        (_timing("every", "90m"), "no period of 1h30m"),
        (_timing("every", "7d"), "no period of 7d"),
        (_timing("at", "2030-01-01T00:00:00"), "a single moment"),
        (_timing("cron", "0 2 L * *"), "does not know L"),
        (_timing("cron", "0 2 * * 5#3"), "does not know #"),
        (_timing("cron", "0 2 * * FRIL"), "does not know L"),
        (_timing("aws_cron", "0 2 15W * ? *"), "does not know W"),
        (_timing("aws_cron", "0 2 ? * 6L *"), "does not know L"),
        (_timing("aws_cron", "0 2 ? * 6#3 *"), "does not know #"),
        (_timing("aws_cron", "0 2 * * ? 2030"), "a crontab has no years"),
        (_timing("cron", "@daily", start=86_400), "a crontab has no start"),
        (_timing("cron", "@daily", end=86_400), "a crontab has no end"),
        (_timing("cron", "@daily", offset=60), "a crontab has no offset"),
    ],
)
def test_what_cron_has_no_field_for_is_refused(timing: Timing, says: str) -> None:
    """With what to do instead."""
    with pytest.raises(Inexpressible, match=says) as refused:
        cron_times(timing, BERLIN)

    assert refused.value.hint


PERIODS = st.integers(1, 3000).map(lambda minutes: f"{minutes}m")


@given(PERIODS, st.integers(0, 3000))
def test_a_rate_has_the_same_slots_or_none(period: str, phase: int) -> None:
    """No period is rounded to one that cron knows."""
    timing = _timing("every", period, anchor=phase * 60)
    try:
        lines = _in_cron(timing)
    except Inexpressible:
        return
    assert _slots(*lines, after=AUTUMN) == _slots(timing, after=AUTUMN)
