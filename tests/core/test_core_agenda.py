"""The agenda against a naive model: one schedule at a time, one slot at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import pytest
from core_makers import TUESDAY, WEDNESDAYS, T, schedule
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flytesched.core.agenda import ALL_LATE, Agenda, divide, last_before
from flytesched.core.calendars import Calendar
from flytesched.core.timetables.on_holiday import left_out
from flytesched.core.timetables.parse import make_timing, timetable

#: Its day begins eight minutes after T.
HALF = Calendar(name="half", dates=["2023-11-15"])
SECONDLY = make_timing("every", "1s", timezone=None)
MINUTELY = make_timing("every", "1m", timezone=None)
TIMINGS = [
    SECONDLY,
    MINUTELY,
    make_timing("every", "7s", timezone=None),
    make_timing("cron", "*/2 * * * *", timezone="Europe/Berlin"),
    make_timing("every", "20s", timezone=None, start=T + 100, end=T + 400),
    make_timing("at", "2023-11-14T22:15:30Z", timezone=None),
    schedule(every="5s", calendars=[HALF]).timing,
    schedule(cron="*/3 * * * *", calendars=[TUESDAY], on_holiday="next").timing,
    schedule(cron="* * * * mon,wed", calendars=[WEDNESDAYS], on_holiday="previous").timing,
]
NAMES = ["a", "b", "c", "d"]


def walk(timing, after, until):
    """Return the slots in (after, until], by steps of the timetables alone.

    Of a timing with calendars these are two: what runs, and what is left out.
    """
    return sorted(slot for table in tables(timing) for slot in steps(table, after, until))


def tables(timing):
    """Return the timetables of a timing."""
    rest = left_out(timing)
    return [timetable(timing)] if rest is None else [timetable(timing), rest]


def steps(table, after, until):
    """Yield the slots of one timetable in (after, until]."""
    slot = table.next(after)
    while slot is not None and slot <= until:
        yield slot
        slot = table.next(slot)


def first(timing, position):
    """Return the first slot later than a position, whatever becomes of it; None without one."""
    coming = (table.next(position) for table in tables(timing))
    return min((slot for slot in coming if slot is not None), default=None)


class TestLiveOrMissed:
    """A slot decided at most ``late`` seconds after its time is live; later, it is missed."""

    @pytest.mark.parametrize(
        ("now", "late", "live", "missed"),
        [
            (T, 10, [T], []),
            (T + 0.5, 10, [T], []),
            (T + 10, 10, [T], []),
            (T + 10.0001, 10, [], [T]),
            (T + 11, 10, [], [T]),
            (T + 60, 10, [T + 60], [T]),
            (T + 60, 60, [T, T + 60], []),
            (T + 60.5, 60, [T + 60], [T]),
            (T + 0.5, 0, [], [T]),
            (T, 0, [T], []),
            (T - 0.001, 10, [], []),
            (T + 0.5, 0.5, [T], []),
            (T + 59.999, ALL_LATE, [], [T]),
            (T + 60, ALL_LATE, [], [T, T + 60]),
        ],
    )
    def test_lateness_alone_decides(self, now, late, live, missed):
        due = divide(MINUTELY, ("a",), T - 1, now, late)
        assert list(due.live) == live
        assert due.missed == len(missed)
        assert due.missed_until == (missed[-1] if missed else None)

    def test_what_is_still_to_come_is_never_missed(self):
        """Even when all is too late: the second after a fraction has not come."""
        due = divide(SECONDLY, ("a",), T, T + 2.5, ALL_LATE)
        assert (due.missed, due.missed_until, due.live) == (2, T + 2, ())

    def test_nothing_is_due_before_the_cursor(self):
        due = divide(SECONDLY, ("a",), T + 100, T + 50.0, 10)
        assert (due.live, due.missed) == ((), 0)

    @pytest.mark.parametrize(("moment", "second"), [(5.0, 4), (5.2, 5), (-4.5, -5), (-4.0, -5)])
    def test_the_last_whole_second_before_a_moment(self, moment, second):
        assert last_before(moment) == second


class TestGroups:
    """Schedules with the same timing and the same next slot are one entry."""

    def test_ten_thousand_schedules_of_a_timetable_come_due_as_one(self):
        agenda = Agenda()
        for number in range(10_000):
            agenda.put(f"job-{number}", MINUTELY, T - 1 - number % 50)
        (due,) = agenda.due(T, 10)
        assert len(due.names) == 10_000

    def test_a_gap_begins_as_late_as_it_can(self):
        """What joins later knows of decisions that a gap must not cover again."""
        agenda = Agenda()
        agenda.put("a", MINUTELY, T + 1)
        agenda.put("b", MINUTELY, T + 30)
        (due,) = agenda.due(T + 600, 10)
        assert due.after == T + 30

    def test_groups_that_meet_become_one(self):
        agenda = Agenda()
        agenda.put("behind", MINUTELY, T - 200)
        agenda.put("ahead", MINUTELY, T - 1)
        assert len(agenda.due(T, 10)) == 2
        agenda.advance(T)
        (due,) = agenda.due(T + 60, 10)
        assert set(due.names) == {"behind", "ahead"}

    def test_a_schedule_that_comes_between_due_and_advance_loses_nothing(self):
        agenda = Agenda()
        agenda.put("a", MINUTELY, T - 1)
        agenda.due(T, 10)
        agenda.put("b", MINUTELY, T - 1)
        agenda.advance(T)
        (due,) = agenda.due(T + 1, 10)
        assert (due.names, due.live) == (("b",), (T,))

    def test_what_nobody_watches_any_more_is_not_due(self):
        agenda = Agenda()
        agenda.put("a", MINUTELY, T - 1)
        agenda.put("b", SECONDLY, T - 1)
        agenda.due(T, 10)
        agenda.discard("a")
        agenda.discard("unknown")
        agenda.advance(T)
        assert "a" not in agenda
        assert agenda.next_at() == T + 1

    def test_what_edits_leave_behind_is_swept_out(self):
        """A year of edits must not fill memory with entries of the past."""
        agenda = Agenda()
        for number in range(1_000):
            agenda.put("a", MINUTELY, T + 60 * number)
        assert len(agenda._heap) < 100
        assert agenda.next_at() == T + 60_000

    def test_an_agenda_without_schedules_waits_for_nothing(self):
        agenda = Agenda()
        assert (agenda.next_at(), agenda.latest(), agenda.due(T, 10)) == (None, 0, [])


class TestClockSetBack:
    """While the clock is behind, slots come due again; what was undecided stays so."""

    def test_decided_slots_come_due_again_at_their_time(self):
        agenda = Agenda()
        agenda.put("a", MINUTELY, T - 1)
        agenda.due(T + 1, 10)
        agenda.advance(T + 1)
        agenda.rewind(T - 30)
        assert agenda.next_at() == T

    def test_an_undecided_slot_before_the_new_time_is_not_lost(self):
        """The run log took nothing at T; then the clock went from T+70 to T+50."""
        agenda = Agenda()
        agenda.put("stuck", MINUTELY, T - 1)
        agenda.put("ahead", SECONDLY, T + 69)
        agenda.due(T + 5, 10)
        agenda.rewind(T + 50)
        assert {due.names: due.missed for due in agenda.due(T + 50, 10)} == {("stuck",): 1}

    def test_a_slot_taken_but_not_decided_waits_for_its_time_again(self):
        agenda = Agenda()
        agenda.put("a", MINUTELY, T - 1)
        agenda.due(T, 10)
        agenda.put("b", SECONDLY, T - 21)
        assert agenda.next_at() == T - 20
        assert {due.names for due in agenda.due(T - 10, 10)} == {("b",)}


def test_nothing_is_ahead_where_nothing_comes():
    agenda = Agenda()
    assert agenda.coming() is None
    assert agenda.ahead() == []


class AgendaMachine(RuleBasedStateMachine):
    """Any order of edits, ticks, stalls and clock steps."""

    def __init__(self):
        super().__init__()
        self.now = float(T)
        self.agenda = Agenda()
        self.model = {}

    @rule(name=st.sampled_from(NAMES), timing=st.sampled_from(TIMINGS), age=st.integers(0, 300))
    def put(self, name, timing, age):
        after = int(self.now) - age
        self.agenda.put(name, timing, after)
        self.model[name] = (timing, after)

    @rule(name=st.sampled_from(NAMES))
    def discard(self, name):
        self.agenda.discard(name)
        self.model.pop(name, None)

    @rule(
        passed=st.floats(0, 200), late=st.sampled_from([0.0, 1.5, 10.0, 60.0]), decide=st.booleans()
    )
    def tick(self, passed, late, decide):
        self.now += passed
        found = {name: due for due in self.agenda.due(self.now, late) for name in due.names}
        for name, (timing, position) in self.model.items():
            slots = walk(timing, position, int(self.now))
            assert (name in found) == bool(slots)
            if slots:
                self.compare(found[name], slots, position, late)
        if decide:
            self.agenda.advance(self.now)
            for name in found:
                self.model[name] = (self.model[name][0], int(self.now))

    @rule(some=st.sets(st.sampled_from(NAMES)))
    def decide_ahead(self, some):
        if self.agenda.due(self.now, 0.0) or (coming := self.agenda.coming()) is None:
            return
        at, crowd = coming
        dues = self.agenda.ahead()
        ahead = {name for due in dues for name in due.names}
        assert at > self.now
        assert all(due.live == (at,) and due.after < at for due in dues)
        mine = {
            n: timing for n, (timing, after) in self.model.items() if first(timing, after) == at
        }
        assert crowd == len(mine)
        # What is left out has nothing to start on time.
        assert ahead == {
            name for name, timing in mine.items() if timetable(timing).next(at - 1) == at
        }
        for due in dues:
            if names := tuple(name for name in due.names if name in some):
                self.agenda.settle(replace(due, names=names))
        for name in ahead & some:
            self.model[name] = (self.model[name][0], at)

    def compare(self, due, slots, position, late):
        """Hold what is due against the slots a schedule has by itself."""
        missed = list(takewhile(lambda slot: self.now - slot > late, slots))
        assert list(due.live) == slots[len(missed) :]
        assert due.missed == len(missed)
        assert due.missed_until == (missed[-1] if missed else None)
        assert position <= due.after < slots[0]

    @precondition(lambda self: self.model)
    @rule(back=st.floats(0, 500))
    def set_clock_back(self, back):
        self.now -= back
        if self.agenda.latest() > int(self.now):
            self.agenda.rewind(self.now)
        for name, (timing, position) in self.model.items():
            self.model[name] = (timing, min(position, int(self.now)))

    @invariant()
    def the_next_slot_is_the_earliest_of_all(self):
        coming = (first(timing, position) for timing, position in self.model.values())
        assert self.agenda.next_at() == min((at for at in coming if at is not None), default=None)
        assert {name for name in NAMES if name in self.agenda} == set(self.model)


TestAgendaAgainstTheModel = AgendaMachine.TestCase
TestAgendaAgainstTheModel.settings = settings(
    max_examples=120, stateful_step_count=25, deadline=None
)
