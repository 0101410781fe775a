"""Rates cut by days off: what is remembered of one question answers none of the others wrongly."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from flytesched.core.calendars import Calendar
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.daysoff import daysoff
from flytesched.core.timetables.interval import interval
from flytesched.core.timetables.on_holiday import why_left_out
from flytesched.core.timetables.parts import RateParts
from flytesched.core.timetables.stretches import Stretches

if TYPE_CHECKING:
    import pytest

DAY = 86_400
#: The beginning of 2026, a Thursday.
START = 1_767_225_600
#: Some days off in the first weeks of 2026, with nothing before and after them.
CALENDAR = Calendar(name="company", dates=["2026-01-03", "2026-01-09/2026-01-12", "2026-01-14"])
OFF = {2, *range(8, 12), 13}
TIMING = Schedule("x", every="7h", command="true", calendars=[CALENDAR]).timing
SLOTS = [t for t in range(START, START + 40 * DAY) if not t % (7 * 3600)]
PARTS = {
    True: [t for t in SLOTS if (t - START) // DAY in OFF],
    False: [t for t in SLOTS if (t - START) // DAY not in OFF],
}


def parts() -> RateParts:
    """Return the slots that run and those left out, as nobody has asked for them yet."""
    return RateParts(interval("7h", 0), daysoff(TIMING.days_off or ""))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 30 * DAY)), min_size=1))
def test_answers_do_not_depend_on_what_was_asked_before(
    questions: list[tuple[bool, bool, int]],
) -> None:
    fresh = parts()
    for off, ahead, second in questions:
        t, mine = START + second, PARTS[off]
        table = fresh.left_out if off else fresh.runs
        if ahead:
            index = bisect_right(mine, t)
            assert table.next(t) == (mine[index] if index < len(mine) else None)
        elif (index := bisect_left(mine, t)) or off:  # there are earlier ones, but no holidays
            assert table.previous(t) == (mine[index - 1] if index else None)


def test_where_no_holiday_is_to_come_it_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hundred years of days are too many to be walked at each slot."""
    rest = parts().left_out
    assert rest.next(START + 40 * DAY) is None
    assert rest.previous(START) is None
    # Nothing but the stretches themselves knows how often they are walked.
    monkeypatch.delattr(Stretches, "until")
    monkeypatch.delattr(Stretches, "since")
    assert rest.next(START + 300 * DAY) is None
    assert rest.previous(START - 300 * DAY) is None


def test_a_slot_that_runs_is_told_without_a_look_for_the_next_holiday(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each live slot asks."""
    monkeypatch.delattr(Stretches, "until")
    assert why_left_out(TIMING, SLOTS[-1]) is None
