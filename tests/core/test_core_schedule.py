"""Schedule: a definition that checks itself."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from core_makers import T, schedule

from flytesched.core.keys import KEYS, Command
from flytesched.core.schedule import Schedule, ScheduleKeys
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.parse import timetable
from flytesched.errors import Invalid, InvalidSchedule


def faults(name="job", **keys):
    """Return the faults of a definition, in words."""
    with pytest.raises(InvalidSchedule) as caught:
        Schedule(name, **keys)
    return [str(fault) for fault in caught.value.faults]


class TestFaults:
    """All faults are said, each with its key."""

    def test_not_only_the_first(self):
        said = faults("../x", cron="61 * * * *", overlap="skp", queue_limit=0, colour="red")
        assert [fault.partition(":")[0] for fault in said] == [
            "'../x' is not a name for a schedule; use letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit, 100 at most",
            "colour",
            "cron",
            "overlap",
            "queue_limit",
        ]

    def test_it_is_a_value_error_that_names_the_schedule(self):
        with pytest.raises(ValueError, match="schedule 'job': has no timetable"):
            Schedule("job")

    def test_a_name_must_be_text(self):
        with pytest.raises(InvalidSchedule, match="5 is not a name") as caught:
            Schedule(5, cron="* * * * *")
        assert caught.value.name is None

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({}, "has no timetable; write exactly one of cron, aws_cron, every, daily"),
            ({"cron": "* * * * *", "every": "1h"}, "has both cron and every; write exactly one"),
            ({"cron": None, "every": None}, "has no timetable"),
            ({"cron": "61 * * * *"}, "cron: "),
            ({"cron": 5}, "cron: "),
            ({"cron": "* * * * *", "timezone": "Mars/Olympus"}, "timezone: unknown time zone"),
            ({"every": "1h", "timezone": "Mars/Olympus"}, "timezone: unknown time zone"),
            ({"cron": "* * * * *", "timezone": 5}, "timezone: 5 is not a string; write a zone"),
            ({"cron": "* * * * *", "seconds": "yes"}, "seconds: belongs to cron and is true or"),
            ({"daily": "02:00", "seconds": True}, "seconds: belongs to cron"),
            ({"daily": "02:00", "anchor": "2026-01-01"}, "anchor: is the phase of every; remove"),
            ({"every": "1h", "offset": "5s"}, "offset: belongs to wall-clock timetables; write"),
            ({"at": "2026-01-01 02:00", "offset": "5s"}, "offset: belongs to wall-clock"),
            ({"daily": "02:00", "offset": "1500ms"}, "offset: is not in whole seconds; one second"),
            ({"daily": "02:00", "offset": 5}, "offset: "),
            ({"daily": "02:00", "start": 5}, "start: 5 is not a date or time"),
            ({"daily": "02:00", "start": "2026-01-02", "end": "2026-01-01"}, "daily: end is not"),
            ({"daily": "02:00", "paused_until": 5}, "paused_until: 5 is not a date or time"),
            ({"daily": "02:00", "comand": "x"}, "comand: is not a key of a schedule; did you mean"),
            (
                {"daily": "02:00", "zzz": "x"},
                "zzz: is not a key of a schedule; see flytesched.toml",
            ),
        ],
    )
    def test_one_fault(self, keys, said):
        (only,) = faults(**keys)
        assert only.startswith(said)

    def test_a_wrong_zone_is_said_once_and_not_for_each_local_time(self):
        said = faults(
            daily="02:00", timezone="Mars/Olympus", start="2026-01-01", paused_until="2026-01-01"
        )
        assert [fault.partition(":")[0] for fault in said] == ["timezone"]

    @pytest.mark.parametrize("zone", [5, "Mars/Olympus"])
    def test_a_wrong_zone_does_not_hide_other_faults(self, zone):
        said = faults(daily="02:00", timezone=zone, start="soon", paused_until="soon")
        keys = [fault.partition(":")[0] for fault in said]
        assert keys == ["timezone", "start", "paused_until"]


class TestTimes:
    """Local times are on the clock of the schedule's zone."""

    def test_without_a_zone_it_is_utc(self):
        assert schedule(daily="02:00").timing.timezone == "UTC"

    def test_start_end_and_pause_are_read_in_its_zone(self):
        one = schedule(
            daily="02:00", timezone="Asia/Tokyo", start="2026-01-01 09:00", end="2026-01-02 09:00",
            paused_until="2026-01-01 09:00",
        )  # fmt: skip
        begin = 1_767_225_600
        assert (one.timing.start, one.timing.end) == (begin, begin + 86_400)
        assert one.paused_until == begin

    def test_the_zone_of_a_fixed_rate_reads_its_anchor_and_no_more(self):
        one = schedule(every="1h", timezone="Asia/Kathmandu", anchor="2026-01-01 00:00")
        assert (one.timing.timezone, one.timing.anchor % 3600) == (None, 15 * 60)

    def test_seconds_and_offset_refine_a_timetable(self):
        one = schedule(cron="30 0 2 * * *", seconds=True, offset="90s")
        assert (one.timing.seconds, one.timing.offset) == (True, 90)

    def test_the_next_slot_is_an_aware_utc_datetime(self):
        found = schedule(daily="02:00").next_after(datetime(2026, 1, 1, tzinfo=UTC))
        assert found == datetime(2026, 1, 1, 2, tzinfo=UTC)
        assert found is not None
        assert found.tzinfo is UTC

    def test_it_is_later_than_the_instant_even_by_a_fraction(self):
        minutely = schedule()
        at = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9)))
        assert minutely.next_after(at) == at + timedelta(minutes=1)
        assert minutely.next_after(at - timedelta(microseconds=1)) == at

    def test_after_the_last_slot_there_is_none(self):
        one = schedule(at="2026-01-01T00:00:00Z")
        assert one.next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None

    def test_whose_clock_a_naive_datetime_means_is_not_known(self):
        with pytest.raises(Invalid, match="has no time zone"):
            schedule().next_after(datetime(2026, 1, 1))  # noqa: DTZ001  that is the point

    def test_schedules_with_equal_timing_share_a_timetable(self):
        assert schedule("a").timetable is schedule("b").timetable
        assert schedule("a").timetable is timetable(schedule("c").timing)


class TestKept:
    """What a definition keeps."""

    def test_every_key_has_its_default(self):
        one = schedule(command=None)
        assert {key: getattr(one, key) for key in KEYS} == {
            key: spec.default for key, spec in KEYS.items()
        }

    def test_none_means_the_default(self):
        one = schedule(overlap=None, timezone=None, start=None, timeout=None)
        assert one == schedule()

    def test_it_takes_every_key_of_the_manifest_and_no_other(self):
        from flytesched.core.keys import ALL_KEYS

        assert set(ScheduleKeys.__annotations__) == set(ALL_KEYS)

    def test_a_copy_differs_in_what_it_is_told(self):
        one = schedule()
        assert one.with_(command=Command(text="x")) == schedule(command="x")
        assert one.with_() == one

    @pytest.mark.parametrize(
        ("keys", "now", "due"),
        [
            ({}, T, True),
            ({"enabled": False}, T, False),
            ({"paused_until": "2023-11-14T22:13:01Z"}, T, False),
            ({"paused_until": "2023-11-14T22:13:01Z"}, T + 1, True),
            ({"paused_until": "2023-11-14T22:13:01Z", "enabled": False}, T + 1, False),
        ],
    )
    def test_its_slots_are_due_while_it_is_enabled_and_not_paused(self, keys, now, due):
        assert schedule(**keys).due_at(now) is due

    def test_it_stays_small(self):
        """A hundred thousand of them fit into memory."""
        one = schedule(timezone="Europe/Berlin")
        shared = {"timing", "labels", "env", "retry", "success_exit_codes"}
        own = sum(sys.getsizeof(getattr(one, key)) for key in {"name", "command"} - shared)
        assert sys.getsizeof(one) + own < 600
        assert not hasattr(one, "__dict__")
        assert one.labels is schedule("other").labels


class TestDefinition:
    """What the record of revisions keeps."""

    def test_it_says_what_differs_from_the_defaults(self):
        one = schedule(overlap="queue", timeout="2h", labels={"b": "1", "a": "2"}, catchup="latest")
        assert json.loads(one.definition()) == {
            "timing": one.timing.text,
            "command": "true",
            "overlap": "queue",
            "timeout": "2h",
            "labels": {"a": "2", "b": "1"},
        }

    def test_the_same_definition_has_the_same_text(self):
        one = schedule(env={"B": "1", "A": "2"}, labels={"b": "1", "a": "2"})
        other = schedule(labels={"a": "2", "b": "1"}, env={"A": "2", "B": "1"})
        assert one.definition() == other.definition()

    def test_values_of_env_are_left_out(self):
        assert "hunter2" not in schedule(env={"TOKEN": "hunter2"}).definition()

    def test_a_schedule_without_a_command_says_just_its_timing(self):
        assert json.loads(Schedule("job", every="1h").definition()).keys() == {"timing"}


class TestTraits:
    """What many say alike is kept once."""

    @pytest.mark.parametrize(
        "keys",
        [{}, {"timeout": "1h", "retry": {"max_attempts": 2}}, {"success_exit_codes": [0, 2]}],
    )
    def test_schedules_that_say_the_same_share_it(self, keys):
        assert schedule("a", **keys).traits is schedule("b", **keys).traits

    def test_tables_are_kept_for_each(self):
        one, other = schedule("a", env={"A": "1"}), schedule("b", env={"A": "1"})
        assert one.traits == other.traits
        assert one.with_(name="b") == other

    def test_a_copy_without_changes_shares_everything(self):
        one = schedule("a", timeout="1h")
        assert one.with_() == one
        assert one.with_(name="b").traits is one.traits


@pytest.mark.parametrize(
    ("word", "said"), [("comand", "did you mean 'command'?"), ("zzz", None), ("", None)]
)
def test_a_near_miss_gets_a_suggestion(word, said):
    assert suggest(word, list(KEYS)) == said
