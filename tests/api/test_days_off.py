"""Days off through the Python API: what is off does not run, and is recorded with its holiday."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flytesched import Calendar, InvalidSchedule, Schedule, Scheduler

if TYPE_CHECKING:
    from pathlib import Path


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()


def test_a_program_runs_nothing_on_a_holiday(tmp_path: Path) -> None:
    """Each slot has its verdict all the same; the next one is the day after."""
    now = today()
    # Midnight may come while the test runs.
    days = {
        now.isoformat(): "Founder's Day",
        (now + timedelta(days=1)).isoformat(): "The day after",
    }
    calendar = Calendar(name="ours", dates=days)
    ran: list[int] = []
    scheduler = Scheduler(state_dir=tmp_path, timezone="UTC")
    scheduler.schedule_cron(
        "tick", lambda: ran.append(1), cron_expression="* * * * * *", seconds=True,
        calendars=[calendar],
    )  # fmt: skip
    scheduler.start()
    never = threading.Event()
    while not (entries := scheduler.get_history("tick")):
        never.wait(0.05)  # nobody tells of a slot that does not run
    scheduler.stop()

    assert ran == []
    assert (entries[0]["status"], entries[0]["success"]) == ("skipped", False)
    assert entries[0]["reason"] in {f"holiday: {name}" for name in days.values()}
    (listed,) = scheduler.list_schedules()
    assert listed["next_run"].date() == now + timedelta(days=2)


@pytest.mark.parametrize(("mode", "day"), [("skip", 28), ("next", 26), ("previous", 24)])
def test_the_next_slot_is_one_that_runs(mode: str, day: int) -> None:
    """On another day than the holiday, as ``on_holiday`` has it."""
    christmas = Calendar(name="christmas", dates=["12-25"])
    schedule = Schedule("a", cron="0 9 25,28 12 *", calendars=[christmas], on_holiday=mode)

    following = schedule.next_after(datetime(2026, 12, 1, tzinfo=UTC))

    assert following == datetime(2026, 12, day, 9, tzinfo=UTC)


def test_what_is_no_calendar_is_refused() -> None:
    """As a ValueError, like all that is wrong with a schedule; elapsed time moves nowhere."""
    off = Calendar(name="off", weekdays=["sun"])
    with pytest.raises(InvalidSchedule, match="there is no calendar 'germany'"):
        Schedule("a", daily="09:00", calendars=["germany"])
    with pytest.raises(InvalidSchedule, match="on_holiday"):
        Schedule("a", every="1h", calendars=[off], on_holiday="next")
    with pytest.raises(ValueError, match="is not a date"):
        Calendar(name="off", dates=["2026-02-30"])
