"""A first tutorial of the Python API, in the order a reader meets it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flytesched import Executor, InvalidSchedule, Schedule, Scheduler, load_manifest, run_id

if TYPE_CHECKING:
    from pathlib import Path


class LoggingExecutor:
    """Carries out a slot by remembering it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, datetime]] = []
        self.news = threading.Event()

    def execute(self, schedule: Schedule, scheduled_at: datetime) -> None:
        self.seen.append((schedule.name, scheduled_at))
        self.news.set()


def test_a_logging_executor_sees_every_slot_of_its_schedules(tmp_path: Path) -> None:
    """Update, catch up, start, stop: the whole life of a scheduler."""
    executor = LoggingExecutor()
    scheduler = Scheduler(executor=executor, state_dir=tmp_path)
    scheduler.update_schedules(
        [
            Schedule(name="hello", cron="* * * * *"),
            Schedule(name="often", every="1s"),
        ]
    )
    assert scheduler.catchup_all(limit=10) == [], "a new schedule has no past"
    scheduler.start()
    assert executor.news.wait(30)
    scheduler.stop()

    name, scheduled_at = executor.seen[0]
    assert name in {"often", "hello"}
    assert scheduled_at.tzinfo is UTC
    history = scheduler.get_history(name)
    assert history[-1]["success"] is True
    assert history[-1]["run_id"] == run_id(name, int(history[-1]["scheduled_at"].timestamp()))


def test_missed_slots_are_caught_up_by_one_call(tmp_path: Path) -> None:
    """After downtime, ``catchup_all`` runs what is open, the oldest first."""
    first = LoggingExecutor()
    scheduler = Scheduler(executor=first, state_dir=tmp_path)
    scheduler.update_schedules([Schedule(name="tick", every="1s", catchup="none")])
    scheduler.start()
    assert first.news.wait(30)
    scheduler.stop()
    put_back(tmp_path, "tick", seconds=60)

    second = LoggingExecutor()
    scheduler = Scheduler(executor=second, state_dir=tmp_path)
    scheduler.update_schedules([Schedule(name="tick", every="1s")])
    caught_up = scheduler.catchup_all(limit=5)
    assert [run["success"] for run in caught_up] == [True] * 5
    slots = [slot for _, slot in second.seen]
    assert slots == sorted(slots), "the oldest first"
    assert len(set(slots)) == 5
    again = scheduler.catchup_all(limit=5)
    assert not {run["run_id"] for run in caught_up} & {run["run_id"] for run in again}


def put_back(state_dir: Path, name: str, *, seconds: int) -> None:
    """Make it so that the last scheduler stopped a while ago."""
    import sqlite3

    with sqlite3.connect(state_dir / "runs.db") as db:
        db.execute("UPDATE schedules SET cursor = cursor - ? WHERE name = ?", (seconds, name))
        db.execute("DELETE FROM attempts")
        db.execute("DELETE FROM runs")
    db.close()


def test_callables_are_scheduled_daily_hourly_by_cron_and_by_interval(tmp_path: Path) -> None:
    """Each kind of timetable takes a callable, and history and health tell of them."""
    done, failed = threading.Event(), threading.Event()

    def fail() -> None:
        failed.set()
        msg = "no such table"
        raise LookupError(msg)

    scheduler = Scheduler(state_dir=tmp_path, timezone="Europe/Berlin")
    scheduler.schedule_daily("report", done.set, hour=9, minute=30, timezone="Asia/Tokyo")
    scheduler.schedule_hourly("sweep", done.set, minute=15)
    scheduler.schedule_cron("weekly", done.set, cron_expression="0 3 * * SUN")
    scheduler.schedule_interval("pulse", done.set, seconds=1)
    scheduler.schedule_interval("broken", fail, seconds=1)

    listed: dict[str, dict[str, Any]] = {row["name"]: row for row in scheduler.list_schedules()}
    assert set(listed) == {"report", "sweep", "weekly", "pulse", "broken"}
    assert listed["report"]["timezone"] == "Asia/Tokyo"
    assert listed["sweep"]["timezone"] == "Europe/Berlin"
    assert listed["report"]["schedule_type"] == "daily"
    tokyo = listed["report"]["next_run"].astimezone(UTC)
    assert (tokyo.hour, tokyo.minute) == (0, 30)

    assert scheduler.health_check()["status"] == "stopped"
    scheduler.start()
    assert done.wait(30)
    assert failed.wait(30)
    scheduler.stop()

    good = scheduler.get_history("pulse")[-1]
    assert good["success"] is True
    assert good["status"] == "succeeded"
    assert good["error"] is None
    assert good["duration_seconds"] >= 0
    bad = scheduler.get_history("broken", limit=1)[0]
    assert bad["success"] is False
    assert bad["error"] == "LookupError: no such table"
    health = scheduler.health_check()
    assert health["failing"] == ["broken"]
    assert 0 < health["metrics"]["success_rate"] < 1


def test_a_disabled_schedule_is_silent_and_an_enabled_one_fires_from_now_on() -> None:
    """Nothing fires by editing, and the past is never replayed."""
    fired = threading.Event()
    scheduler = Scheduler(memory=True)
    scheduler.schedule_interval("pulse", fired.set, seconds=1)
    scheduler.disable("pulse")
    assert scheduler.list_schedules()[0]["next_run"] is None
    scheduler.start()
    assert not fired.wait(2.5)
    scheduler.enable("pulse")
    assert fired.wait(30)
    scheduler.unschedule("pulse")
    scheduler.clear()
    assert scheduler.list_schedules() == []
    scheduler.stop()


def test_stop_waits_for_what_runs() -> None:
    """A callable that takes its time has its verdict when ``stop`` returns."""
    started, go = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        go.wait(30)

    scheduler = Scheduler(memory=True)
    scheduler.schedule_interval("slow", slow, seconds=1)
    scheduler.start()
    assert started.wait(30)
    threading.Timer(0.3, go.set).start()
    scheduler.stop()
    assert "succeeded" in {entry["status"] for entry in scheduler.get_history("slow")}


def test_the_same_state_directory_serves_one_program_at_a_time(tmp_path: Path) -> None:
    """The second scheduler is refused by name."""
    from flytesched.errors import SchedulerRunning

    one, two = (Scheduler(executor=LoggingExecutor(), state_dir=tmp_path) for _ in range(2))
    one.start()
    with pytest.raises(SchedulerRunning):
        two.start()
    one.stop()


def test_a_schedule_checks_itself_and_says_everything_that_is_wrong() -> None:
    """One ValueError with every fault."""
    with pytest.raises(InvalidSchedule) as caught:
        Schedule(name="../x", cron="61 * * * *", timeout="5")
    assert isinstance(caught.value, ValueError)
    assert {fault.key for fault in caught.value.faults} == {"", "cron", "timeout"}


def test_next_after_answers_in_aware_utc() -> None:
    """The next slot after an instant, or None."""
    schedule = Schedule(name="x", cron="0 2 * * *", timezone="America/New_York")
    after = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
    assert schedule.next_after(after) == datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
    once = Schedule(name="x", at="2026-01-01T00:00:00Z")
    assert once.next_after(after + timedelta(days=1)) is None


def test_a_schedule_with_nothing_to_carry_it_out_is_refused() -> None:
    """Better now than at its first slot."""
    with pytest.raises(ValueError, match="nothing to carry it out"):
        Scheduler().update_schedules([Schedule(name="x", every="1h")])


def test_a_manifest_is_read_as_schedules(tmp_path: Path) -> None:
    """The same file serves program and command line."""
    path = tmp_path / "schedules.toml"
    path.write_text('version = 1\n[schedules.x]\nevery = "5m"\ncommand = "true"\n')
    assert [schedule.name for schedule in load_manifest(path)] == ["x"]


def test_a_logging_executor_is_an_executor() -> None:
    """The extension point is one method."""
    executor: Executor = LoggingExecutor()
    assert callable(executor.execute)
