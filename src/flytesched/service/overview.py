"""Overview: one look at the whole, which answers whatever is broken."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flytesched.core.runs import FAILURES
from flytesched.core.telling.events import NOTED_HOOKS, PING_URL
from flytesched.core.timetables.on_holiday import every_slot
from flytesched.errors import FlyteschedError, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run, ScheduleState
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.lock import Holder
    from flytesched.runlog.notices import ChannelRecord

#: A slot undecided for longer than this, in seconds, is overdue.
OVERDUE_AFTER = 60
#: Seconds that the clock may be behind the newest slot decided.
CLOCK_BEHIND = 86_400
#: Seconds for which it is told that a notice did not arrive.
LOST_FOR = 86_400


@dataclass(slots=True, kw_only=True)
class Overview:
    """What there is to see of a site at one moment."""

    #: The moment, in epoch seconds.
    now: float
    #: Who holds the scheduler's lock; None if nobody does.
    holder: Holder | None
    #: Why it cannot be told who holds it.
    lock_error: str | None = None
    #: The schedules by name; while the manifest is broken, those the run log remembers.
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    #: Why the manifest cannot be used.
    manifest_error: str | None = None
    #: Why the run log cannot be read.
    run_log_error: str | None = None
    #: Why the run log cannot be written.
    write_error: str | None = None
    #: What the run log remembers of schedules, by name.
    states: Mapping[str, ScheduleState] = field(default_factory=dict)
    #: Runs without a verdict.
    active: tuple[Run, ...] = ()
    #: Missed slots that wait for a catch-up, by schedule.
    missed: Mapping[str, int] = field(default_factory=dict)
    #: The newest run that did something, by schedule.
    last: Mapping[str, Run] = field(default_factory=dict)
    #: Facts that the run log remembers.
    meta: Mapping[str, str] = field(default_factory=dict)
    #: The channels of the manifest by name; None while it is broken.
    channels: Mapping[str, Channel] | None = None
    #: How each channel has done that was ever told something, by name.
    records: Mapping[str, ChannelRecord] = field(default_factory=dict)

    @property
    def scheduler(self) -> Holder | None:
        """The scheduler that runs; None where nobody, or just a command, holds the lock."""
        return self.holder if self.holder is not None and self.holder.kind == "run" else None

    @property
    def heartbeat(self) -> float | None:
        """Moment a scheduler's loop last turned, or wrote a decision; None if none ever did."""
        wrote = float(self.meta.get("heartbeat", 0))
        turned = self.scheduler.heartbeat if self.scheduler is not None else 0.0
        return max(wrote, turned) or None

    @property
    def failing(self) -> dict[str, Run]:
        """Schedules of the manifest whose newest run failed, with that run."""
        return {
            name: run
            for name, run in self.last.items()
            if name in self.schedules and run.status in FAILURES
        }

    @property
    def told(self) -> dict[str, ChannelRecord | None]:
        """What is told of events, with how it has done: channels, and ping URLs as one.

        What the manifest does not know any more counts while there is something left to be sent.
        """
        found: dict[str, ChannelRecord | None] = dict.fromkeys(self.channels or ())
        if any(schedule.ping_url is not None for schedule in self.schedules.values()):
            found[PING_URL] = None
        for name, record in self.records.items():
            known = name in found or self.channels is None or record.waiting
            if known and name not in NOTED_HOOKS:
                found[name] = record
        return found

    @property
    def failing_channels(self) -> dict[str, tuple[float, str]]:
        """Channels that fail, with the moment since when, and why."""
        return {
            name: record.failing
            for name, record in self.told.items()
            if record is not None and record.failing is not None
        }

    @property
    def overdue(self) -> dict[str, int]:
        """Schedules with a slot that should have been decided, and that slot."""
        return {
            name: slot for name, state in self.states.items()
            if (slot := self._overdue(name, state)) is not None
        }  # fmt: skip

    @property
    def clock_behind(self) -> float:
        """Seconds that the clock is behind the newest slot decided; 0 if it is not."""
        newest = max((state.cursor for state in self.states.values()), default=0)
        return max(0.0, newest - self.now)

    def _overdue(self, name: str, state: ScheduleState) -> int | None:
        schedule = self.schedules.get(name)
        if schedule is None or not state.enabled or not schedule.due_at(self.now):
            return None
        if state.timing != schedule.timing.text:
            return None  # an edit that nobody has seen yet
        slot = every_slot(schedule.timing).next(state.cursor)
        return slot if slot is not None and slot < self.now - OVERDUE_AFTER else None


def overview(site: Site, *, write: bool = False) -> Overview:
    """Look at everything; what is broken is told in the answer.

    Args:
        site: what to look at.
        write: whether to try if the run log can be written.
    """
    seen = Overview(now=site.now(), holder=None)
    try:
        seen.holder = site.scheduler()
    except (FlyteschedError, OSError) as error:
        seen.lock_error = str(error)
    try:
        manifest = site.manifest()
        seen.schedules, seen.channels = manifest.schedules, manifest.channels
    except Invalid as error:
        seen.manifest_error = error.message
    try:
        _read(site, seen)
    except (FlyteschedError, OSError) as error:
        seen.run_log_error = str(error)
    if write and seen.run_log_error is None and site.runs_db.exists():
        seen.write_error = _unwritable(site)
    return seen


def _read(site: Site, seen: Overview) -> None:
    reader = site.reader()
    if reader is None:
        return
    with reader:
        states = reader.states()
        seen.states = {name: one for name, one in states.items() if one.removed_at is None}
        seen.active = tuple(reader.active())
        seen.missed = reader.open_missed()
        if seen.manifest_error is not None:
            from flytesched.core.sight import recalled  # what decides, and is rarely asked here

            recollected = {name: recalled(state) for name, state in seen.states.items()}
            seen.schedules = {name: one for name, one in recollected.items() if one is not None}
        seen.last = reader.last_runs(list(seen.schedules), done=True)
        seen.meta = reader.meta()
        seen.records = {each.channel: each for each in reader.channel_records(seen.now - LOST_FOR)}


def _unwritable(site: Site) -> str | None:
    """Return why the run log cannot be written, by taking its lock and writing nothing."""
    try:
        runlog = site.runlog()
        try:
            with runlog.transaction():
                pass
        finally:
            runlog.close()
        disk = os.statvfs(site.settings.state_dir)
    except (FlyteschedError, OSError) as error:
        return str(error)
    return None if disk.f_bavail else f"{site.settings.state_dir}: no space left"
