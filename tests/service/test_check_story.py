"""No false alarm: whatever happens to a scheduler, its run log is sound at every moment.

Stories are made by chance: outages, crashes between any two turns, edits, pauses, removals, wishes,
a clock that is set, pruning. The run log is the real one; clock, commands and manifest are fakes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.bootstrap import open_site
from flytesched.core.calendars import Calendar
from flytesched.core.protocols import Roster
from flytesched.core.runs import Origin, Run, RunStatus, request_id, run_id
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.on_holiday import every_slot
from flytesched.core.timetables.parse import timetable
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.scheduler.loop import Limits, Loop
from flytesched.service.check import check
from flytesched.testing import FakeClock, FakeLauncher, RecordingHook, RecordingJournal, World

if TYPE_CHECKING:
    from pathlib import Path

    from flytesched.bootstrap import Site

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z
NAMES = ("a", "b", "c")
WHEN: list[dict[str, Any]] = [
    {"every": "7s"}, {"every": "1m"}, {"cron": "*/2 * * * *"}, {"cron": "@hourly"},
    {"daily": "12:30", "timezone": "Europe/Berlin"},
    # It is a Thursday; in Noumea its last hour has begun.
    {"every": "11s", "calendars": [Calendar(name="thursdays", weekdays=["thu"])]},
    {"every": "7s", "calendars": [Calendar(name="friday", dates={"2026-01-02": "Bridge day"})],
     "timezone": "Pacific/Noumea"},
    {"cron": "*/2 * * * *", "calendars": [Calendar(name="year", dates={"01-01": "New Year"})],
     "on_holiday": "next"},
    # What would be yesterday's, or tomorrow's, is all today's.
    {"cron": "*/3 * * * wed", "calendars": [Calendar(name="midweek", weekdays=["wed"])],
     "on_holiday": "next"},
    {"cron": "* * * * fri", "calendars": [Calendar(name="fridays", weekdays=["fri"])],
     "on_holiday": "previous", "offset": "20s"},
]  # fmt: skip


class Source:
    """A ScheduleSource that a story edits."""

    def __init__(self) -> None:
        self.news: Roster | None = None

    def poll(self) -> Roster | None:
        news, self.news = self.news, None
        return news


@dataclass
class Story:
    """A machine to which things happen."""

    site: Site
    chance: random.Random
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    world: World = field(default_factory=World)
    source: Source = field(default_factory=Source)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    loop: Any = None
    runlog: Any = None

    # -- what happens ---------------------------------------------------------------------------

    def outage(self) -> None:
        self.world.crash()
        if self.chance.random() < 0.3:
            self.world.reboot()
        self.clock.wait(self.clock.now() + self.chance.expovariate(1 / 400))
        self.boot()

    def edit(self) -> None:
        name = self.chance.choice(NAMES)
        self.schedules[name] = self.make(name)
        self.put()

    def edit_while_down(self) -> None:
        self.schedules[self.chance.choice(NAMES)] = self.make(self.chance.choice(NAMES))
        self.schedules = {one.name: one for one in self.schedules.values()}
        self.outage()

    def come_and_go(self) -> None:
        name = self.chance.choice(NAMES)
        if (gone := self.schedules.pop(name, None)) is None:
            return
        self.put()
        self.go(self.chance.expovariate(1 / 200))
        self.schedules[name] = gone
        self.put()

    def pause(self) -> None:
        name = self.chance.choice(sorted(self.schedules) or NAMES)
        if name in self.schedules:
            ends = int(self.clock.now() + self.chance.expovariate(1 / 200)) + 1
            self.schedules[name] = self.schedules[name].with_(paused_until=ends)
            self.put()

    def switch(self) -> None:
        for name, one in self.schedules.items():
            if self.chance.random() < 0.3:
                self.schedules[name] = one.with_(enabled=not one.enabled)
        self.put()

    def set_clock(self) -> None:
        self.clock.step(self.chance.choice([-400, -40, -3, 3, 40, 400]))

    def wish(self) -> None:
        name, now = self.chance.choice(NAMES), self.clock.now()
        origin = self.chance.choice([Origin.MANUAL, Origin.CATCHUP, Origin.BACKFILL])
        slot = None
        if name not in self.schedules:
            return
        timing, by_time = self.schedules[name].timing, self.chance.random() < 0.3
        if origin is not Origin.MANUAL or by_time:
            # A slot that calendars leave out runs for who asks for it by its time, and only then.
            table = every_slot(timing) if origin is Origin.MANUAL else timetable(timing)
            slot = table.previous(int(now) - self.chance.randrange(600))
            if slot is None:
                return
        elsewhere = SqliteRunLog(self.site.runs_db)
        elsewhere.request(
            Run(
                id=request_id(origin, name, now) if slot is None else run_id(name, slot),
                schedule=name, scheduled_at=slot, origin=origin, status=RunStatus.QUEUED,
                created=now, revision=elsewhere.revision(name),
            )
        )  # fmt: skip
        for run in elsewhere.active():
            if self.chance.random() < 0.1:
                elsewhere.note_end(run.id, "cancelled(by user)")
                elsewhere.cancel_waiting(run.id, "by user", now)
        elsewhere.close()

    def decline(self) -> None:
        self.runlog.decline(NAMES, self.clock.now(), until=int(self.clock.now()) - 60)

    def prune(self) -> None:
        while self.runlog.prune(self.clock.now() - 3_600):
            pass

    # -- how it goes on -------------------------------------------------------------------------

    def make(self, name: str) -> Schedule:
        pick = self.chance.choice
        return Schedule(
            name, command="true", **pick(WHEN), overlap=pick(["skip", "queue", "allow", "replace"]),
            catchup=pick(["all", "latest", "none"]), catchup_limit=pick([1, 20]), timeout="20s",
            retry={"max_attempts": pick([1, 3]), "delay": "5s"},
            on_interrupted=pick(["mark", "rerun"]), survive=pick([True, False]),
        )  # fmt: skip

    def put(self) -> None:
        self.source.news = Roster(schedules=dict(self.schedules))

    def boot(self) -> None:
        if self.runlog is not None:
            self.runlog.close()
        self.runlog = SqliteRunLog(self.site.runs_db, holder=True)
        self.loop = Loop(
            clock=self.clock, source=self.source, runlog=self.runlog, hook=RecordingHook(),
            launcher=FakeLauncher(self.clock, self.fate, world=self.world),
            journal=RecordingJournal(),
            limits=Limits(
                places=self.chance.choice([0, 2]),
                lead=timedelta(seconds=self.chance.choice([0, 0.8])),
            ),
        )  # fmt: skip
        self.put()
        self.loop.start()
        self.loop.tick(self.clock.now())

    def fate(self, _order: object) -> tuple[float, int]:
        return self.chance.expovariate(1 / 15), int(self.chance.random() < 0.3)

    def go(self, seconds: float) -> None:
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            wake_at = self.loop.tick(self.clock.now())
            self.clock.wait(until if wake_at is None else min(until, wake_at))

    def tell(self, turns: int) -> None:
        """Let things happen, and hold the run log to its rules after each."""
        happenings = [
            self.outage, self.edit, self.edit_while_down, self.come_and_go, self.pause, self.switch,
            self.set_clock, self.wish, self.decline, self.prune,
        ]  # fmt: skip
        told = []
        self.boot()
        for _ in range(turns):
            happening = self.chance.choice(happenings)
            told.append(happening.__name__)
            happening()
            self.go(self.chance.expovariate(1 / 100))
            report = check(self.site)
            counting = [finding for finding in report.findings if finding.counts]
            assert not counting, (told, counting)


@pytest.mark.parametrize("seed", range(12))
def test_a_run_log_is_sound_whatever_happens(tmp_path: Path, seed: int) -> None:
    """A story of forty turns."""
    _tell(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 1_400))
def test_a_run_log_is_sound_in_many_stories(tmp_path: Path, seed: int) -> None:
    """The same, for a quarter of an hour."""
    _tell(tmp_path, seed)


def _tell(folder: Path, seed: int) -> None:
    site = open_site(
        state_dir=str(folder / "state"), manifest=str(folder / "schedules.toml"), environ={}
    )
    story = Story(site, random.Random(seed))
    story.tell(40)
    story.runlog.close()
