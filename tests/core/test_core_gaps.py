"""Gaps: which slots one holds, and which of them are open."""

from __future__ import annotations

from itertools import islice

import pytest
from core_makers import T
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.gaps import OpenSlots, held, holds
from flytesched.core.runs import Gap
from flytesched.core.timetables import make_timing, slots, timetable
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
