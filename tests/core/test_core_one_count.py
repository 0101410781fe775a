"""The one count of PRODUCT, under any order of stalls, clock steps and ends of runs.

Slots due up to the cursor = runs with a slot + missed slots of gaps without a run. The run log
here is the least that can hold it: a unique key, gaps, and a cursor that never moves back.
"""

from __future__ import annotations

from core_makers import MIDNIGHT, TUESDAY, WEDNESDAYS, schedule
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flytesched.core.agenda import Agenda
from flytesched.core.calendars import Calendar
from flytesched.core.planner import plan
from flytesched.core.runs import STARTED, RunStatus
from flytesched.core.timetables.on_holiday import left_out
from flytesched.core.timetables.parse import Timing, slots, timetable

#: A minute before a Wednesday begins.
START = MIDNIGHT - 60
MONDAYS = Calendar(name="mondays", weekdays=["mon"])
TIMES = [
    {"every": "7s"}, {"every": "1m"}, {"cron": "*/2 * * * *"}, {"every": "13s"},
    # The first is left out until Wednesday, the second from then on.
    {"every": "9s", "calendars": [TUESDAY]},
    {"cron": "*/2 * * * *", "calendars": [WEDNESDAYS], "on_holiday": "next"},
    # Of these all that comes has been moved here.
    {"cron": "* 20-23 * * mon", "calendars": [MONDAYS], "on_holiday": "next"},
    {"cron": "*/3 * * * wed", "calendars": [WEDNESDAYS], "on_holiday": "previous"},
]  # fmt: skip


class OneCountMachine(RuleBasedStateMachine):
    """A planner with an agenda, a unique key and nothing else."""

    @initialize(
        policies=st.lists(
            st.tuples(
                st.sampled_from(TIMES),
                st.sampled_from(["skip", "queue", "allow", "replace"]),
                st.sampled_from(["all", "latest", "none"]),
                st.integers(1, 3),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def begin(self, policies):
        self.now = float(START)
        self.schedules = {
            f"job-{n}": schedule(
                f"job-{n}", **when, overlap=overlap, catchup=catchup, queue_limit=limit,
                catchup_limit=limit, catchup_window="5m",
            )
            for n, (when, overlap, catchup, limit) in enumerate(policies)
        }  # fmt: skip
        self.agenda, self.runs, self.gaps = Agenda(), {}, []
        self.cursors = dict.fromkeys(self.schedules, START)
        for name, definition in self.schedules.items():
            self.agenda.put(name, definition.timing, START)

    @rule(passed=st.one_of(st.floats(0, 12), st.floats(0, 900)), stored=st.booleans())
    def tick(self, passed, stored):
        """Decide what is due; now and then the run log does not take it."""
        self.now += passed
        decided = plan(
            self.agenda.due(self.now, 10.0), schedules=self.schedules, active=self.active,
            revision=lambda _name: 1, now=self.now, cause="late", cursor=self.cursors.__getitem__,
        )  # fmt: skip
        if stored:
            self.store(decided)
            self.agenda.advance(self.now)

    def store(self, decided):
        for old in decided.replaced:
            assert self.runs[old.id] == old
            self.runs[old.id] = old.move(RunStatus.CANCELLED)
        for new in decided.runs:
            before = self.runs.setdefault(new.id, new)
            assert before is new or new.scheduled_at <= self.cursors[new.schedule]
        self.gaps += decided.gaps
        for name, cursor in decided.cursors.items():
            self.cursors[name] = max(cursor, self.cursors[name])

    @precondition(lambda self: any(one.active for one in self.runs.values()))
    @rule(data=st.data())
    def run_moves_on(self, data):
        active = [one for one in self.runs.values() if one.active]
        one = data.draw(st.sampled_from(active))
        moved = RunStatus.FAILED if one.status in STARTED else RunStatus.CLAIMED
        self.runs[one.id] = one.move(moved)

    @rule(back=st.floats(0, 300))
    def clock_is_set_back(self, back):
        # What was due before the first sight is no matter here.
        self.now = max(START, self.now - back)
        if self.agenda.latest() > int(self.now):
            self.agenda.rewind(self.now)

    def active(self, name):
        return [one for one in self.runs.values() if one.schedule == name and one.active]

    @invariant()
    def every_slot_up_to_the_cursor_is_decided_once(self):
        for name, definition in getattr(self, "schedules", {}).items():
            runs = {*slots(definition.timetable, START, self.cursors[name])}
            rest = left_out(definition.timing)
            holidays = {*slots(rest, START, self.cursors[name])} if rest is not None else set()
            assert not runs & holidays, "a slot runs, and is left out"
            due = runs | holidays
            ran = {one.scheduled_at for one in self.runs.values() if one.schedule == name}
            missed = [slot for gap in self.gaps if gap.schedule == name for slot in members(gap)]
            assert len(missed) == len(set(missed)), "a slot lies in two gaps"
            assert due <= ran | set(missed), "a slot was lost"
            assert len([s for s in ran if s <= self.cursors[name]]) + len(
                [slot for slot in missed if slot not in ran]
            ) == len(due)
            for one in self.runs.values():
                if one.schedule == name and one.scheduled_at <= self.cursors[name]:
                    left = one.verdict().startswith("skipped(holiday: ")
                    assert left == (one.scheduled_at in holidays), one
            assert {one.id for one in self.runs.values() if one.schedule == name} == {
                f"sched-{name}-{slot}" for slot in ran
            }


def members(gap):
    """Return the slots of a gap, which count as many as it says."""
    found = list(slots(timetable(Timing.from_text(gap.timing)), gap.after, gap.until))
    assert len(found) == gap.count > 0
    assert found[-1] == gap.until
    return found


TestOneCount = OneCountMachine.TestCase
TestOneCount.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
