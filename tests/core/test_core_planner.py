"""The planner: what becomes of a due slot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_makers import MIDNIGHT, TUESDAY, WEDNESDAYS, T, run, schedule

from flytesched.core.agenda import divide
from flytesched.core.calendars import Calendar
from flytesched.core.planner import declined, jitter, meet, plan, wanted
from flytesched.core.runs import Gap, Origin, RunStatus
from flytesched.core.timetables.on_holiday import left_out_timing

QUEUED, CLAIMED, RUNNING = RunStatus.QUEUED, RunStatus.CLAIMED, RunStatus.RUNNING
RETRY_WAIT, SKIPPED = RunStatus.RETRY_WAIT, RunStatus.SKIPPED


def planned(definition, *active, now=T + 0.5, after=T - 1, late=10, cursor=0):
    """Return the plan of what is due of one schedule."""
    due = divide(definition.timing, (definition.name,), after, now, late)
    return plan(
        [due], schedules={definition.name: definition}, active=lambda _name: active,
        revision=lambda _name: 3, now=now, cause="no scheduler", cursor=lambda _name: cursor,
    )  # fmt: skip


def told(runs):
    """Say what becomes of runs, briefly."""
    return [(one.scheduled_at - T, one.verdict()) for one in runs]


class TestOverlap:
    """What a live slot does that meets an active run of its schedule."""

    def test_a_slot_that_meets_nobody_is_queued_under_its_own_id(self):
        (one,) = planned(schedule()).runs
        assert (one.id, one.scheduled_at, one.status) == (f"sched-job-{T}", T, QUEUED)
        assert (one.origin, one.revision, one.created) == (Origin.SCHEDULE, 3, T + 0.5)
        assert one.not_before == T

    @pytest.mark.parametrize("status", [QUEUED, CLAIMED, RUNNING, RETRY_WAIT])
    @pytest.mark.parametrize("origin", [Origin.SCHEDULE, Origin.MANUAL, Origin.RETRY])
    @pytest.mark.parametrize(
        ("overlap", "verdict", "replaced"),
        [
            ("skip", "skipped(overlap)", 0),
            ("queue", "queued", 0),
            ("allow", "queued", 0),
            ("replace", "queued", 1),
        ],
    )
    def test_it_meets_an_active_run(self, overlap, verdict, replaced, origin, status):
        old = run(slot=T - 60, origin=origin, status=status)
        decided = planned(schedule(overlap=overlap), old)
        assert told(decided.runs) == [(0, verdict)]
        assert decided.replaced == [old] * replaced

    @pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
    @pytest.mark.parametrize("status", [QUEUED, CLAIMED, RUNNING, RETRY_WAIT])
    @pytest.mark.parametrize("origin", [Origin.CATCHUP, Origin.BACKFILL])
    def test_what_makes_up_for_the_past_never_costs_a_live_slot(self, origin, status, overlap):
        decided = planned(schedule(overlap=overlap), run(slot=T - 60, origin=origin, status=status))
        assert (told(decided.runs), decided.replaced) == ([(0, "queued")], [])

    @pytest.mark.parametrize(("waiting", "verdict"), [(1, "queued"), (2, "skipped(queue_full)")])
    def test_a_queue_takes_so_many_and_no_more(self, waiting, verdict):
        queue = [run(slot=T - 60 * n, status=QUEUED) for n in range(1, waiting + 1)]
        definition = schedule(overlap="queue", queue_limit=2)
        decided = planned(definition, run(slot=T - 900, status=RUNNING), *queue)
        assert told(decided.runs) == [(0, verdict)]

    def test_a_skip_is_a_verdict_at_once(self):
        (one,) = planned(schedule(), run(slot=T - 60, status=RUNNING)).runs
        assert (one.ended, one.active) == (T + 0.5, False)

    @pytest.mark.parametrize(
        ("overlap", "verdicts"),
        [
            ("skip", ["queued", "skipped(overlap)", "skipped(overlap)"]),
            ("queue", ["queued", "queued", "skipped(queue_full)"]),
            ("allow", ["queued", "queued", "queued"]),
            ("replace", ["cancelled(replaced)", "cancelled(replaced)", "queued"]),
        ],
    )
    def test_slots_that_come_due_at_once_meet_each_other(self, overlap, verdicts):
        definition = schedule(every="1s", overlap=overlap, queue_limit=2)
        decided = planned(definition, now=T + 2.0)
        assert told(decided.runs) == list(enumerate(verdicts))
        assert decided.replaced == []
        assert all(one.ended == T + 2.0 for one in decided.runs if not one.active)

    def test_a_slot_that_was_started_by_hand_is_decided(self):
        early = run(slot=T, origin=Origin.MANUAL, status=RUNNING)
        decided = planned(schedule(overlap="replace"), early)
        assert (decided.runs, decided.replaced) == ([], [])
        assert decided.cursors == {"job": T}


class TestHolidays:
    """What calendars leave out has its verdict before anything else is looked at."""

    TODAY = {"calendars": [TUESDAY]}
    WHY = "skipped(holiday: Founders' Day)"

    def test_a_slot_on_a_day_off_is_skipped_and_says_why(self):
        (one,) = planned(schedule(**self.TODAY)).runs
        assert (one.id, one.scheduled_at, one.origin) == (f"sched-job-{T}", T, Origin.SCHEDULE)
        assert (one.verdict(), one.ended, one.attempt) == (self.WHY, T + 0.5, 0)

    def test_a_day_without_a_name_is_told_by_that_of_its_calendar(self):
        definition = schedule(calendars=[Calendar(name="strike", weekdays=["tue"])])
        assert told(planned(definition).runs) == [(0, "skipped(holiday: strike)")]

    @pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
    @pytest.mark.parametrize("status", [QUEUED, CLAIMED, RUNNING, RETRY_WAIT])
    def test_it_meets_nobody_and_nobody_gives_way_to_it(self, status, overlap):
        definition = schedule(overlap=overlap, queue_limit=1, **self.TODAY)
        decided = planned(definition, run(slot=T - 60, status=status))
        assert (told(decided.runs), decided.replaced) == ([(0, self.WHY)], [])

    def test_it_stands_in_nobody_s_way(self):
        """The last slot of the day off, and the first of the next day, come due at once."""
        definition = schedule(every="1s", **self.TODAY)
        decided = planned(definition, now=MIDNIGHT + 0.5, after=MIDNIGHT - 2, late=10)
        assert [one.verdict() for one in decided.runs] == [self.WHY, "queued"]

    def test_it_is_skipped_at_its_time_whatever_the_jitter(self):
        (one,) = planned(schedule(jitter="1h", **self.TODAY)).runs
        assert (one.verdict(), one.ended) == (self.WHY, T + 0.5)

    def test_one_that_was_started_by_hand_is_decided(self):
        early = run(slot=T, origin=Origin.MANUAL, status=RUNNING)
        decided = planned(schedule(**self.TODAY), early)
        assert (decided.runs, decided.cursors) == ([], {"job": T})

    def test_one_that_comes_due_again_is_skipped_again_and_loses(self):
        """The clock was set back: the unique key keeps the verdict that it has."""
        newer = run(slot=T + 60, status=RUNNING)
        decided = planned(schedule(overlap="replace", **self.TODAY), newer, cursor=T + 60)
        assert (told(decided.runs), decided.replaced) == ([(0, self.WHY)], [])

    def test_those_that_came_too_late_are_a_gap_with_its_verdict(self):
        definition = schedule(catchup="all", **self.TODAY)
        decided = planned(definition, now=T + 119.0)
        (gap,) = decided.gaps
        assert (gap.after, gap.until, gap.count) == (T - 1, T + 60, 2)
        assert (gap.closed_as, gap.closed_at) == ("holiday", T + 119.0)
        assert gap.timing == left_out_timing(definition.timing).text
        assert (decided.runs, decided.cursors) == ([], {"job": T + 60})

    @pytest.mark.parametrize(
        ("catchup", "closed_as", "caught_up"),
        [("all", None, [0, 60]), ("latest", None, [60]), ("none", "declined", [])],
    )
    def test_a_stretch_is_divided_and_only_what_runs_goes_by_catchup(
        self, catchup, closed_as, caught_up
    ):
        definition = schedule(catchup=catchup, **self.TODAY)
        decided = planned(definition, now=MIDNIGHT + 60 + 30.0, after=MIDNIGHT - 61)
        runs, left_out = decided.gaps
        assert (runs.until, runs.count, runs.closed_as) == (MIDNIGHT + 60, 2, closed_as)
        assert runs.timing == definition.timing.text
        assert (left_out.until, left_out.count) == (MIDNIGHT - 60, 1)
        assert left_out.closed_as == "holiday"
        assert [one.scheduled_at - MIDNIGHT for one in decided.runs] == caught_up
        assert decided.cursors == {"job": MIDNIGHT + 60}

    def test_after_the_clock_was_set_back_none_is_left_out_twice(self):
        definition = schedule(**self.TODAY)
        decided = planned(definition, now=T + 300 + 30.0, cursor=T + 120)
        assert [(gap.after, gap.count) for gap in decided.gaps] == [(T + 120, 3)]
        assert planned(definition, now=T + 300 + 30.0, cursor=T + 900).gaps == []

    def test_a_year_of_seconds_is_two_gaps(self):
        definition = schedule(every="1s", catchup="latest", calendars=[WEDNESDAYS])
        decided = planned(definition, now=MIDNIGHT + 364 * 86_400.0, after=MIDNIGHT - 1)
        assert [(gap.count, gap.closed_as) for gap in decided.gaps] == [
            (312 * 86_400 - 10, None),
            (52 * 86_400, "holiday"),
        ]


class TestJitter:
    """The slot is claimed at its time; the start comes later by a stable amount."""

    def test_without_jitter_it_starts_at_once(self):
        assert jitter(schedule(), T) == 0.0

    def test_it_is_the_same_for_the_same_slot_and_differs_between_names(self):
        delays = {name: jitter(schedule(name, jitter="1h"), T) for name in ("a", "b", "c")}
        assert delays == {name: jitter(schedule(name, jitter="1h"), T) for name in ("a", "b", "c")}
        assert len(set(delays.values())) == 3
        assert all(0 <= delay < 3600 for delay in delays.values())

    def test_it_stays_what_it_was_in_every_version(self):
        """Another hash would move starts of running installations."""
        assert jitter(schedule("job", jitter="100s"), T) == pytest.approx(28.7054079)

    def test_a_start_is_put_off_and_a_skip_is_not(self):
        one, _ = meet(schedule(jitter="1h"), T, (), T + 0.0, 1)
        assert T < one.not_before < T + 3600


class TestMissed:
    """Slots that came too late: a gap, and the runs that the schedule wants by itself."""

    def test_a_stretch_is_one_gap_whatever_its_length(self):
        definition = schedule(every="1s", catchup="latest")
        decided = planned(definition, now=T + 31_536_000.0)
        (gap,) = decided.gaps
        assert (gap.after, gap.until, gap.count) == (T - 1, T + 31_535_989, 31_535_990)
        assert (gap.schedule, gap.reason, gap.closed_at) == ("job", "no scheduler", None)
        assert gap.timing == definition.timing.text
        assert [one.origin for one in decided.runs].count(Origin.CATCHUP) == 1
        assert decided.cursors == {"job": T + 31_536_000}

    def test_the_cursor_is_the_last_slot_decided(self):
        decided = planned(schedule(), now=T + 119.0)
        assert (decided.gaps[0].count, decided.runs[0].origin) == (2, Origin.CATCHUP)
        assert decided.cursors == {"job": T + 60}

    def test_declining_closes_the_gap_at_once(self):
        decided = planned(schedule(catchup="none"), now=T + 119.0)
        (gap,) = decided.gaps
        assert (gap.closed_at, gap.closed_as, decided.runs) == (T + 119.0, "declined", [])

    def test_missed_and_live_slots_are_decided_together(self):
        decided = planned(schedule(catchup="all"), now=T + 120.5)
        assert [one.origin for one in decided.runs] == [Origin.CATCHUP] * 2 + [Origin.SCHEDULE]
        assert decided.cursors == {"job": T + 120}

    def test_a_missed_slot_that_was_started_by_hand_is_not_queued_again(self):
        early = run(slot=T, origin=Origin.MANUAL, status=RUNNING)
        decided = planned(schedule(catchup="all"), early, now=T + 60 + 11.0)
        assert told(decided.runs) == [(60, "queued")]
        assert decided.gaps[0].count == 2

    def test_nothing_due_decides_nothing(self):
        decided = planned(schedule(), now=T + 5.0, after=T)
        assert decided == type(decided)()


class TestWanted:
    """Which slots of a gap run by themselves."""

    GAP = Gap(
        schedule="job", after=T - 1, until=T + 600, count=11, reason="", timing="", created=0.0
    )  # fmt: skip
    NOW = T + 620.0

    @pytest.mark.parametrize(
        ("keys", "waiting", "minutes"),
        [
            ({"catchup": "all"}, 0, range(11)),
            ({"catchup": "all", "catchup_limit": 3}, 0, [8, 9, 10]),
            ({"catchup": "all", "catchup_limit": 3}, 2, [10]),
            ({"catchup": "all", "catchup_limit": 3}, 3, []),
            ({"catchup": "all", "catchup_limit": 3}, 9, []),
            ({"catchup": "all", "catchup_limit": 0}, 0, []),
            ({"catchup": "latest"}, 0, [10]),
            ({"catchup": "latest", "catchup_limit": 0}, 0, []),
            ({"catchup": "none"}, 0, []),
            ({"catchup": "all", "catchup_window": "140s"}, 0, [8, 9, 10]),
            ({"catchup": "all", "catchup_window": "139999ms"}, 0, [9, 10]),
            ({"catchup": "all", "catchup_window": "140001ms"}, 0, [8, 9, 10]),
            ({"catchup": "latest", "catchup_window": "19s"}, 0, []),
            ({"catchup": "all", "catchup_window": "0s"}, 0, []),
        ],
    )
    def test_the_newest_inside_window_and_limit(self, keys, waiting, minutes):
        found = wanted(schedule(**keys), self.GAP, self.NOW, waiting)
        assert found == [T + 60 * minute for minute in minutes]

    def test_a_declined_gap_says_when_and_how(self):
        gap = declined(self.GAP, 5.0)
        assert gap == replace(self.GAP, closed_at=5.0, closed_as="declined")


class TestClockSetBack:
    """Slots that come due a second time, because the clock was set back."""

    def test_the_run_of_the_slot_itself_is_left_alone(self):
        itself = run(slot=T, status=RUNNING)
        decided = planned(schedule(overlap="replace"), itself, cursor=T + 60)
        assert (decided.runs, decided.replaced) == ([], [])

    def test_nothing_is_cancelled_for_a_slot_that_may_have_a_run(self):
        newer = run(slot=T + 60, status=RUNNING)
        decided = planned(schedule(overlap="replace"), newer, cursor=T + 60)
        assert (told(decided.runs), decided.replaced) == ([(0, "queued")], [])

    def test_what_was_decided_before_is_not_missed_again(self):
        decided = planned(schedule(catchup="none"), now=T + 300 + 30.0, cursor=T + 120)
        assert [(gap.after, gap.until, gap.count) for gap in decided.gaps] == [
            (T + 120, T + 300, 3)
        ]

    def test_a_stretch_decided_before_is_no_gap(self):
        decided = planned(schedule(catchup="all"), now=T + 300 + 30.0, cursor=T + 900)
        assert (decided.gaps, decided.runs) == ([], [])
