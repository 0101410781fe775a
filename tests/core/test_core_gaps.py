"""Gaps: which slots one holds, and which of them are open."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from core_makers import TUESDAY, WEDNESDAYS, T, schedule
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.gaps import OpenSlots, gaps_of, given_up_for, held, holds
from flytesched.core.runs import Gap
from flytesched.core.timetables import (
    Timing,
    every_slot,
    left_out,
    make_timing,
    slots,
    timetable,
)
from flytesched.core.timetables.interval import Interval
from flytesched.errors import InvalidTimetable

BERLIN = make_timing("cron", "*/2 * * * *", timezone="Europe/Berlin")
SECONDS = make_timing("every", "1s", timezone=None)


def a_gap(after=T, until=T + 1_200, timing=BERLIN, text=None):
    """Return a gap of a timetable, every two minutes for twenty of them if none is given."""
    count = timetable(timing).count(after, until)
    return Gap(
        schedule="job", after=after, until=until, count=count, reason="no scheduler",
        timing=text or timing.text, created=float(until),
    )  # fmt: skip


#: Moments in and around the gap, half a minute apart: one in four is a slot of it.
MOMENTS = st.lists(st.integers(-6, 46), unique=True).map(lambda n: sorted(T + 30 * k for k in n))


@given(MOMENTS)
def test_what_a_gap_holds_of_many_is_what_it_holds_of_each(moments):
    gap = a_gap()
    assert list(held(gap, moments)) == [moment for moment in moments if holds(gap, moment)]


def test_a_gap_whose_timetable_nobody_can_read_holds_all_that_lies_in_it():
    gap = a_gap(text='{"kind":"lunar"}')
    assert list(held(gap, [T, T + 1, T + 1_200, T + 1_201])) == [T + 1, T + 1_200]
    with pytest.raises(InvalidTimetable):
        OpenSlots(gap, [])


@given(MOMENTS)
def test_open_slots_are_those_without_a_run_from_either_end(ran):
    """Runs of another timetable that lie among them take none."""
    gap = a_gap()
    wanted = [slot for slot in slots(timetable(BERLIN), gap.after, gap.until) if slot not in ran]
    opened = OpenSlots(gap, ran)
    assert list(opened) == wanted
    assert list(reversed(opened)) == wanted[::-1]
    assert len(opened) == len(wanted)


def test_a_gap_that_counts_less_than_ran_has_no_open_slot_less_than_none():
    """Its timetable may name more slots today than when it was counted: zones are corrected."""
    gap = a_gap()
    opened = OpenSlots(Gap(**{**_fields(gap), "count": 1}), [*slots(timetable(BERLIN), T, T + 600)])
    assert len(opened) == 0


def _fields(gap):
    return {name: getattr(gap, name) for name in Gap.__dataclass_fields__}


#: Schedules with calendars: days off by weekday, by date, by a clock that is nine hours ahead.
OFF = [
    schedule(every="25m", calendars=[WEDNESDAYS]),
    schedule(cron="*/20 * * * *", calendars=[TUESDAY], timezone="Asia/Tokyo"),
    schedule(daily="09:30", calendars=[TUESDAY, WEDNESDAYS], on_holiday="next"),
    schedule(cron="7 */5 * * mon-thu", calendars=[WEDNESDAYS], on_holiday="previous", offset="1h"),
    schedule(cron="0 22 * * *", calendars=[TUESDAY], on_holiday="next"),
]


@given(
    definition=st.sampled_from(OFF),
    after=st.integers(T - 200_000, T + 300_000),
    length=st.integers(0, 300_000),
)
def test_a_stretch_is_what_runs_and_what_is_left_out_and_nothing_twice(definition, after, length):
    timing, until = definition.timing, after + length
    gaps = gaps_of("job", timing, after, until, now=1.5, reason="no scheduler")
    rest = left_out(timing)
    wanted = {
        None: [*slots(timetable(timing), after, until)],
        "holiday": [*slots(rest, after, until)],
    }
    assert sorted(wanted[None] + wanted["holiday"]) == [*slots(every_slot(timing), after, until)]
    assert [gap.closed_as for gap in gaps] == [how for how, found in wanted.items() if found]
    for gap in gaps:
        mine = wanted[gap.closed_as]
        table = timetable(Timing.from_text(gap.timing))
        assert (gap.after, gap.until, gap.count) == (after, mine[-1], len(mine))
        assert [*slots(table, gap.after, gap.until)] == mine
        assert list(held(gap, sorted(wanted[None] + wanted["holiday"]))) == mine
        assert (gap.closed_at is None) == (gap.closed_as is None)
        assert (gap.reason, gap.created, gap.schedule) == ("no scheduler", 1.5, "job")


def test_a_stretch_without_slots_or_the_wrong_way_round_is_no_gap():
    assert gaps_of("job", BERLIN, T, T + 1, now=0.0, reason="") == ()
    assert gaps_of("job", BERLIN, T + 600, T, now=0.0, reason="") == ()


class TestGivenUp:
    """What the slots of a gap read that was given up."""

    def test_a_holiday_says_which(self):
        (gap,) = gaps_of("job", schedule(calendars=[TUESDAY]).timing, T, T + 60, now=0.0, reason="")
        assert given_up_for(gap, T + 60) == "holiday: Founders' Day"

    def test_a_holiday_that_does_not_move_says_why(self):
        timing = schedule(calendars=[TUESDAY], on_holiday="next").timing
        (gap,) = gaps_of("job", timing, T, T + 60, now=0.0, reason="")
        said = "holiday: Founders' Day; 2023-11-15 has slots already"
        assert given_up_for(gap, T + 60) == said

    def test_one_of_calendars_that_nobody_can_read_says_only_that(self):
        assert given_up_for(replace(a_gap(text="{}"), closed_as="holiday"), T) == "holiday"

    def test_one_that_such_a_gap_does_not_name_says_only_that(self):
        """The names of public holidays, and their days, are those of the package installed."""
        gap = replace(a_gap(), closed_as="holiday")
        assert given_up_for(gap, T + 120) == "holiday"

    @pytest.mark.parametrize("how", ["declined", "removed"])
    def test_others_say_how(self, how):
        assert given_up_for(replace(a_gap(), closed_as=how), T) == how


def test_ends_that_ran_are_passed_over_without_a_look_at_each(monkeypatch):
    """A catch-up takes a hundred thousand slots from one end, and is asked for the next."""
    gap = a_gap(T, T + 30_000_000, SECONDS)
    ran = [*range(T + 1, T + 100_001), *range(T + 29_900_001, T + 30_000_001)]
    opened = OpenSlots(gap, ran)
    steps = []
    step = Interval.next
    # Steps are counted from outside: nothing but the timetable itself knows of them.
    monkeypatch.setattr(Interval, "next", lambda table, t: steps.append(t) or step(table, t))
    assert list(islice(opened, 2)) == [T + 100_001, T + 100_002]
    assert next(reversed(opened)) == T + 29_900_000
    assert len(opened) == 30_000_000 - len(ran)
    assert len(steps) < 10
