"""Seeing definitions: nothing fires by editing, and nothing is passed over in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from core_makers import MIDNIGHT, TUESDAY, WEDNESDAYS, T, schedule

from flytesched.core.runs import Reason
from flytesched.core.sight import owed, recalled, removed, see
from flytesched.core.timetables.parse import Timing

NOW = T + 600.5


def known(definition=None, now=T, **fields):
    """Return what is remembered of a schedule that was first seen at ``now``."""
    return replace(see(definition or schedule(), None, now).state, **fields)


class TestNew:
    """A schedule never seen, or seen again after it was removed."""

    def test_the_past_is_not_replayed(self):
        sight = see(schedule(), None, NOW)
        assert (sight.state.cursor, sight.after, sight.gaps) == (T + 600, T + 600, ())
        assert (sight.state.revision, sight.state.seen_at, sight.changed) == (1, NOW, True)

    def test_a_disabled_one_is_not_watched(self):
        sight = see(schedule(enabled=False), None, NOW)
        assert (sight.after, sight.state.enabled, sight.state.paused_until) == (None, False, None)

    def test_a_paused_one_remembers_when_its_pause_ends(self):
        sight = see(schedule(paused_until="2023-11-15T00:00:00Z"), None, NOW)
        assert (sight.after, sight.state.enabled) == (None, False)
        assert sight.state.paused_until == 1_700_006_400

    def test_one_that_was_removed_begins_anew(self):
        gone, _ = removed(known(), T + 60.0)
        sight = see(schedule(), gone, NOW)
        assert (sight.state.cursor, sight.after, sight.gaps) == (T + 600, T + 600, ())
        assert (sight.state.removed_at, sight.state.enabled) == (None, True)
        assert (sight.state.revision, sight.state.seen_at) == (1, NOW)


class TestUnchanged:
    """A timetable in force before and now."""

    def test_slots_since_the_cursor_are_undecided(self):
        sight = see(schedule(), known(), NOW)
        assert (sight.after, sight.changed, sight.gaps) == (T, False, ())

    def test_while_the_clock_is_behind_slots_come_due_from_now_on(self):
        sight = see(schedule(), known(cursor=T + 9_000), NOW)
        assert (sight.after, sight.state.cursor) == (T + 600, T + 9_000)

    def test_another_policy_is_a_new_revision_and_passes_nothing_over(self):
        sight = see(schedule(overlap="queue"), known(), NOW)
        assert (sight.after, sight.changed, sight.state.revision) == (T, True, 2)
        assert (sight.state.cursor, sight.state.seen_at, sight.gaps) == (T, NOW, ())

    def test_another_value_in_env_is_no_new_revision(self):
        before = known(schedule(env={"TOKEN": "old"}))
        assert not see(schedule(env={"TOKEN": "new"}), before, NOW).changed


class TestTiming:
    """The timetable changed."""

    def test_what_the_old_one_owed_becomes_a_gap_that_a_person_may_catch_up(self):
        old = schedule()
        sight = see(schedule(every="1h"), known(old), NOW)
        assert (sight.after, sight.state.cursor) == (T + 600, T + 600)
        (gap,) = sight.gaps
        assert (gap.after, gap.until, gap.count) == (T, T + 600, 10)
        assert (gap.timing, gap.reason) == (old.timing.text, Reason.CHANGED)
        assert (gap.created, gap.closed_at) == (NOW, None)

    def test_under_catchup_none_that_gap_is_closed(self):
        sight = see(schedule(every="1h", catchup="none"), known(), NOW)
        (gap,) = sight.gaps
        assert (gap.closed_at, gap.closed_as) == (NOW, "declined")

    def test_a_slot_that_has_not_come_is_not_owed(self):
        """Half a second after the tenth slot, the eleventh of a per-second schedule is to come."""
        (gap,) = owed(known(schedule(every="1s")), T + 10.5)
        assert (gap.until, gap.count) == (T + 10, 10)

    def test_nothing_is_owed_when_all_was_decided(self):
        assert see(schedule(every="1h"), known(cursor=T + 600), NOW).gaps == ()
        assert see(schedule(every="1h"), known(cursor=T + 599), NOW).gaps != ()
        assert owed(known(cursor=T + 601), NOW) == ()

    def test_a_timetable_that_can_no_longer_be_read_owes_nothing(self):
        """Its zone has left the machine: the definition that mends it must come into force."""
        timing = '{"kind": "cron", "expression": "* * * * *", "timezone": "Mars/Olympus"}'
        for broken in (timing, "{}", "nonsense"):
            sight = see(schedule(), known(timing=broken), NOW)
            assert (sight.gaps, sight.after) == ((), T + 600)

    def test_the_cursor_never_moves_back(self):
        sight = see(schedule(every="1h"), known(cursor=T + 9_000), NOW)
        assert (sight.state.cursor, sight.after) == (T + 9_000, T + 600)


class TestEnabling:
    """Disabled, enabled again, paused, resumed."""

    PAUSED = schedule(paused_until="2023-11-14T22:20:00Z")  # six minutes after T
    END = T + 360 + 60

    def test_disabling_keeps_what_was_owed(self):
        sight = see(schedule(enabled=False), known(), NOW)
        assert (sight.after, sight.state.enabled) == (None, False)
        (gap,) = sight.gaps
        assert gap.count == 10

    def test_while_disabled_nothing_comes_due_and_the_cursor_stays(self):
        off = schedule(enabled=False)
        sight = see(off, known(off), NOW)
        assert (sight.after, sight.state.cursor, sight.changed) == (None, T, False)

    def test_an_edit_while_disabled_is_remembered(self):
        sight = see(schedule(enabled=False, every="1h"), known(schedule(enabled=False)), NOW)
        assert (sight.changed, sight.state.revision, sight.gaps) == (True, 2, ())

    def test_enabling_begins_now(self):
        sight = see(schedule(), known(schedule(enabled=False)), NOW)
        assert (sight.after, sight.state.cursor, sight.gaps) == (T + 600, T + 600, ())

    def test_after_a_pause_slots_are_due_from_its_end_on(self):
        """Even if no scheduler ran at that moment."""
        before = known(self.PAUSED)
        assert before.paused_until == 1_700_000_400
        sight = see(self.PAUSED, before, NOW)
        assert (sight.after, sight.gaps) == (1_700_000_399, ())
        assert (sight.state.enabled, sight.state.paused_until) == (True, None)
        assert sight.state.cursor == 1_700_000_399

    @pytest.mark.parametrize("until", [None, "2023-11-14T22:16:00Z"])
    def test_a_pause_cut_short_by_an_edit_begins_now(self, until):
        sight = see(schedule(paused_until=until), known(self.PAUSED), NOW)
        assert (sight.after, sight.state.cursor) == (T + 600, T + 600)

    def test_a_pause_of_another_timetable_begins_now(self):
        sight = see(
            schedule(every="5m", paused_until="2023-11-14T22:20:00Z"), known(self.PAUSED), NOW
        )
        assert sight.after == T + 600

    def test_a_pause_that_came_and_went_unseen_starts_nothing_from_before_its_end(self):
        sight = see(self.PAUSED, known(), NOW)
        assert (sight.after, sight.state.cursor) == (1_700_000_399, 1_700_000_399)
        (gap,) = sight.gaps
        assert (gap.after, gap.until, gap.count) == (T, T + 360, 6)
        again = see(self.PAUSED, sight.state, NOW)
        assert (again.after, again.changed, again.gaps) == (1_700_000_399, False, ())

    def test_a_pause_of_long_ago_has_no_meaning(self):
        sight = see(self.PAUSED, known(self.PAUSED, now=NOW, cursor=T + 600), NOW + 60)
        assert (sight.after, sight.gaps, sight.changed) == (T + 600, (), False)

    def test_a_running_pause_is_remembered_with_what_was_owed(self):
        sight = see(self.PAUSED, known(), T + 120.0)
        assert sight.state.paused_until == 1_700_000_400
        (gap,) = sight.gaps
        assert gap.count == 2


class TestRemoved:
    """A schedule missing from the manifest."""

    def test_what_it_owed_is_closed(self):
        state, (gap,) = removed(known(), NOW)
        assert (state.removed_at, state.enabled, state.cursor) == (NOW, False, T + 600)
        assert (gap.count, gap.reason, gap.closed_as) == (10, "removed", "removed")
        assert gap.closed_at == NOW

    def test_a_disabled_one_owed_nothing(self):
        off = known(schedule(enabled=False))
        state, gaps = removed(off, NOW)
        assert (state.cursor, gaps) == (T, ())

    def test_a_cursor_ahead_of_the_clock_stays(self):
        state, gaps = removed(known(cursor=T + 9_000), NOW)
        assert (state.cursor, gaps) == (T + 9_000, ())


class TestHolidays:
    """What was owed on a day off is skipped for it, whatever the change."""

    OFF = schedule(calendars=[TUESDAY])
    LATE = MIDNIGHT + 120.5

    @pytest.mark.parametrize(
        ("new", "closed_as"),
        [
            (schedule(), None),
            (schedule(calendars=[WEDNESDAYS]), None),
            (schedule(calendars=[TUESDAY, WEDNESDAYS]), None),
            (schedule(calendars=[TUESDAY], on_holiday="next"), None),
            (schedule(calendars=[TUESDAY], enabled=False), None),
            (schedule(catchup="none"), "declined"),
        ],
    )
    def test_old_calendars_say_what_was_owed(self, new, closed_as):
        """The new ones count from now on, and nothing is replayed."""
        sight = see(new, known(self.OFF), self.LATE)
        runs, left_out = sight.gaps
        assert (runs.count, runs.until, runs.closed_as) == (3, MIDNIGHT + 120, closed_as)
        assert (left_out.count, left_out.until) == (106, MIDNIGHT - 60)
        assert (left_out.closed_as, left_out.closed_at) == ("holiday", self.LATE)
        assert (runs.created, left_out.created) == (self.LATE, self.LATE)
        assert sight.after in {MIDNIGHT + 120, None}
        assert sight.state.cursor == MIDNIGHT + 120

    def test_the_same_calendars_go_on(self):
        sight = see(schedule(calendars=[TUESDAY]), known(self.OFF), self.LATE)
        assert (sight.after, sight.changed, sight.gaps) == (T, False, ())

    def test_a_pause_that_came_and_went_unseen_leaves_out_what_lay_before_its_end(self):
        paused = schedule(calendars=[TUESDAY], paused_until="2023-11-14T22:20:00Z")
        sight = see(paused, known(self.OFF), NOW)
        (gap,) = sight.gaps
        assert (gap.count, gap.until, gap.closed_as, gap.created) == (6, T + 360, "holiday", NOW)

    def test_what_a_removed_one_owed_is_closed_as_it_would_have_been_decided(self):
        _, gaps = removed(known(self.OFF), self.LATE)
        assert [(gap.count, gap.closed_as) for gap in gaps] == [(3, "removed"), (106, "holiday")]


class TestRecalled:
    """What a run's end means while the manifest cannot be read."""

    def test_it_is_the_last_definition_seen_without_env_values(self):
        seen = schedule(
            retry={"max_attempts": 3}, timeout="5m", on_failure=["tell", "me"],
            env={"TOKEN": "secret"}, success_exit_codes=[0, 3], survive=False,
        )  # fmt: skip
        assert recalled(known(seen)) == seen.with_(env={})

    def test_one_that_pings_a_url_has_somebody_to_tell(self):
        """What is stored of the URL is only where it leads to; a notice needs no more."""
        seen = schedule(ping_url="https://hc.example.org/s3cret", notify="ops", late_after="1m")
        stored = "https://hc.example.org/..."
        assert recalled(known(seen)) == seen.with_(ping_url=stored)

    def test_a_removed_one_is_none(self):
        gone, _ = removed(known(), NOW)
        assert recalled(gone) is None

    @pytest.mark.parametrize(
        "text", ["{", "[]", "[" * 9000, '{"overlap": "odd"}', '{"timing": "?"}']
    )
    def test_one_that_cannot_be_read_is_none(self, text):
        assert recalled(replace(known(), definition=text)) is None

    def test_one_whose_slots_nobody_can_name_has_none(self):
        """Its zone has left the machine, say: what a run's end means can be told all the same."""
        zone = "Mars/Olympus"
        lost = Timing(kind="daily", expression="02:00", timezone=zone, offset=60).text
        said = json.loads(schedule(timeout="5m").definition()) | {"timing": lost}
        found = recalled(replace(known(), timing=lost, definition=json.dumps(said)))
        assert found.timeout == timedelta(minutes=5)
        assert (found.timetable.next(0), found.timetable.kickoff(T + 60)) == (None, T)
