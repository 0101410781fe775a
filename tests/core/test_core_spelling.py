"""What was recorded, in the manifest's own spelling: it makes the same schedule again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.calendars import Calendar, read_calendar
from flytesched.core.keys import ALL_KEYS, KEYS
from flytesched.core.schedule import Schedule
from flytesched.core.spelling import (
    Difference,
    calendars,
    default,
    differences,
    spelled,
    spelled_calendar,
)
from flytesched.errors import Fault, Invalid

OFF = Calendar(name="off", dates={"12-25": "Christmas Day"}, weekdays=["sat", "sun"])
MORE = Calendar(name="more", dates=["2998-12-24"], except_=["2998-12-26"])
TIMETABLES: list[dict[str, Any]] = [
    {"cron": "0 2 * * *", "timezone": "Europe/Berlin"},
    {"cron": "*/5 0 2 * * *", "seconds": True, "timezone": "UTC"},
    {"cron": "@every 5m"},
    {"cron": "CRON_TZ=Asia/Tokyo 0 2 * * *"},
    {"aws_cron": "0 10 ? * MON-FRI *", "offset": "5m", "timezone": "UTC"},
    {"aws_cron": "rate(5 minutes)"},
    {"every": "1h", "anchor": "2026-01-01T00:15:00Z", "start": "2026-01-01", "end": "2027-01-01"},
    {"daily": "02:00", "timezone": "Asia/Kathmandu"},
    {"daily": ["02:00", "14:30"]},
    {"hourly": 15},
    {"hourly": [15, 45], "start": "2026-03-29T02:30:00", "timezone": "Europe/Berlin"},
    {"at": "2998-12-24T18:00:00", "timezone": "Europe/Berlin"},
    {"at": "2998-12-24T18:00:00Z"},
    {"daily": "02:00", "timezone": "Asia/Kathmandu", "calendars": [OFF]},
    {"cron": "0 9 * * *", "timezone": "UTC", "calendars": [OFF, MORE], "on_holiday": "next"},
    {"every": "1h", "timezone": "Asia/Kathmandu", "calendars": [MORE]},
]
TRAITS: dict[str, Any] = {
    "command": ["/bin/echo", "two  words"],
    "description": "the photos",
    "labels": {"team": "ops"},
    "enabled": False,
    "paused_until": "2998-01-01T00:00:00Z",
    "pause_reason": "holidays",
    "jitter": "30s",
    "executor": "local",
    "cwd": "/tmp",
    "env_file": "/etc/default/x",
    "shell": "/bin/bash",
    "kickoff_time_arg": "--at",
    "overlap": "queue",
    "queue_limit": 7,
    "catchup": "all",
    "catchup_window": "2d",
    "catchup_limit": 9,
    "timeout": "1h30m",
    "kill_after": "3s",
    "retry": {"max_attempts": 3, "delay": "5s"},
    "on_interrupted": "rerun",
    "survive": False,
    "success_exit_codes": [0, 2],
    "on_success": "echo ok",
    "on_failure": ["echo", "bad"],
    "on_missed": "echo missed",
    "on_recovered": "echo again",
    "on_late": "echo late",
    "on_long": ["echo", "long"],
    "notify": ["ops"],
    "late_after": "1m",
    "long_after": "2h",
}


def remade(definition: str) -> Schedule:
    """Return the schedule that a manifest with these calendars makes of a spelling."""
    keys = spelled(definition)
    there = {calendar.name: calendar for calendar in (OFF, MORE)}
    if "calendars" in keys:
        keys["calendars"] = [there[name] for name in keys["calendars"]]
    return Schedule("x", **keys)


@pytest.mark.parametrize("timing", TIMETABLES, ids=lambda keys: " ".join(map(str, keys.values())))
def test_every_timetable_comes_back_from_its_spelling(timing: dict[str, Any]) -> None:
    """With all that refines it."""
    was = Schedule("x", command="true", **timing)

    assert remade(was.definition()) == was


def test_every_trait_is_tried_here() -> None:
    """But env and ping_url, of which nobody records all."""
    assert TRAITS.keys() | {"env", "ping_url"} == set(KEYS)


@given(st.sets(st.sampled_from(sorted(TRAITS))), st.sampled_from(TIMETABLES))
def test_any_definition_comes_back_from_its_spelling(
    chosen: set[str], timing: dict[str, Any]
) -> None:
    """Keys stand in the order of the manual."""
    was = Schedule("x", **timing, **{key: TRAITS[key] for key in chosen})

    keys = spelled(was.definition())

    assert remade(was.definition()) == was
    assert list(keys) == [key for key in ALL_KEYS if key in keys]


def test_env_is_spelled_without_its_values() -> None:
    """They may be secrets."""
    schedule = Schedule("x", every="5m", command="true", env={"TOKEN": "s3cret"})

    assert spelled(schedule.definition())["env"] == {"TOKEN": ""}


def test_calendars_are_spelled_as_they_were_when_they_were_recorded() -> None:
    """In the manifest's way, but for the description, which decides nothing."""
    schedule = Schedule("x", every="5m", command="true", calendars=[OFF, MORE])

    found = calendars(schedule.definition())

    assert found == {
        "off": {"dates": {"12-25": "Christmas Day"}, "weekdays": ["sat", "sun"]},
        "more": {"dates": ["2998-12-24"], "except": ["2998-12-26"]},
    }
    assert found == {each.name: spelled_calendar(each) for each in (OFF, MORE)}
    faults: list[Fault] = []
    again = [read_calendar(name, table, faults) for name, table in found.items()]
    assert [one.text for one in again if one is not None] == [OFF.text, MORE.text]
    assert calendars(Schedule("x", every="5m", command="true").definition()) == {}


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"timing": "{}"}', '{"timing": 3}'])
def test_what_nobody_wrote_is_refused(text: str) -> None:
    """A damaged file must not end what reads it."""
    with pytest.raises(Invalid):
        spelled(text)
    with pytest.raises(Invalid):
        calendars(text)


@pytest.mark.parametrize("key", [key for key in ALL_KEYS if key not in {"command", "env"}])
def test_a_default_says_what_nothing_says(key: str) -> None:
    """Of those that have one."""
    said = default(key)

    if said is not None:
        # What happens on a holiday may be said where there are some.
        keys = {"every": "5m", "command": "true", "calendars": [OFF] * (key == "on_holiday")}
        assert Schedule("x", **{**keys, key: said}) == Schedule("x", **keys)
    else:
        assert key not in KEYS or KEYS[key].default is None


def test_what_differs_is_told_in_the_order_of_the_manual() -> None:
    """What is equal is not told."""
    before = {"timeout": "2h", "command": "a", "cron": "0 2 * * *"}
    after = {"daily": "02:00", "command": "b", "timeout": "2h"}

    assert differences(before, after) == [
        Difference(key="cron", before="0 2 * * *", after=None),
        Difference(key="daily", before=None, after="02:00"),
        Difference(key="command", before="a", after="b"),
    ]
