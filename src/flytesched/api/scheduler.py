"""The Python API: the same planner, claims and run log, inside a program of one's own.

Callables and custom executors run in threads of that program: a thread cannot be ended from
outside, so they have no timeout, and their runs are ``interrupted(process ended)`` when the
program dies.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.api.works import ScheduleSet, Works
from flytesched.bootstrap import open_site
from flytesched.clock import now as clock_now
from flytesched.core.instants import to_utc
from flytesched.core.policies import CatchupPolicy
from flytesched.core.runs import ACTIVE, FAILURES, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.parse import describe_kind
from flytesched.errors import Conflict, Fault, InvalidSchedule, NotFound
from flytesched.journal import LoggingJournal
from flytesched.runlog.history import MISSED, Entry
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.service.catchup import Choice, queue_open, record_missed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from flytesched.core.protocols import Executor

#: Seconds that ``stop`` waits for what runs.
STOP_TIMEOUT = 30.0
#: Seconds between two looks while ``stop`` or ``catchup_all`` waits.
_LOOK_EVERY = 0.05
#: Entries of the history that ``health_check`` counts.
_RECENT = 1000


class Scheduler:
    """Schedules with callables, or with one executor for all of them.

    Nobody is told of their runs: hooks, ``notify`` and ``ping_url`` of a schedule count for
    ``flytesched run`` alone. The executor knows how it went, and `get_history` tells.

    Args:
        executor: carries out every slot whose schedule has no callable of its own.
        state_dir: where the run log lives; ``python`` in the state directory of the command line
            if not given. One program at a time may use it.
        memory: keep the run log in memory; it ends with the object. Set by
            ``FLYTESCHED_PERSIST=false`` if not given.
        timezone: zone of schedules that name none; the system's if not given.
    """

    def __init__(
        self,
        executor: Executor | None = None,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        memory: bool | None = None,
        timezone: str | None = None,
    ) -> None:
        """Open nothing yet: the first call that needs the run log does."""
        self._settings = open_site(environ=os.environ).settings
        self._zone = timezone or self._settings.timezone
        self._memory = not self._settings.persist if memory is None else memory
        self._dir = (
            Path(state_dir) if state_dir is not None else self._settings.state_dir / "python"
        )
        self._executor = executor
        self._functions: dict[str, Callable[[], object]] = {}
        self._source = ScheduleSet()
        # One lock orders the loop's thread and the callers': nobody sees half a tick.
        self._guard = threading.RLock()
        self._runlog: SqliteRunLog | None = None
        self._works: Works | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    # -- schedules --------------------------------------------------------------------------

    def update_schedules(self, schedules: Iterable[Schedule]) -> None:
        """Replace the whole set of schedules.

        Raises:
            Conflict: two have the same name.
            ValueError: one has neither a callable, nor an executor to go to.
        """
        given = list(schedules)
        table = {schedule.name: schedule for schedule in given}
        if len(table) < len(given):
            msg = "two schedules have the same name"
            raise Conflict(msg, hint="names are unique in a set")
        for schedule in given:
            self._check(schedule)
        with self._guard:
            self._functions = {n: f for n, f in self._functions.items() if n in table}
            self._put(table)

    def schedule_cron(
        self, name: str, function: Callable[[], object], *, cron_expression: str, **keys: Any
    ) -> Schedule:
        """Call ``function`` at the times of a cron expression; ``keys`` as in the manifest."""
        return self._schedule(name, function, {"cron": cron_expression, **keys})

    def schedule_daily(
        self, name: str, function: Callable[[], object], *, hour: int = 0, minute: int = 0,
        **keys: Any,
    ) -> Schedule:  # fmt: skip
        """Call ``function`` each day at ``hour:minute``; ``keys`` as in the manifest."""
        return self._schedule(name, function, {"daily": f"{hour:02}:{minute:02}", **keys})

    def schedule_hourly(
        self, name: str, function: Callable[[], object], *, minute: int = 0, **keys: Any
    ) -> Schedule:
        """Call ``function`` each hour at ``minute``; ``keys`` as in the manifest."""
        return self._schedule(name, function, {"hourly": minute, **keys})

    def schedule_interval(
        self, name: str, function: Callable[[], object], *, hours: int = 0, minutes: int = 0,
        seconds: int = 0, **keys: Any,
    ) -> Schedule:  # fmt: skip
        """Call ``function`` at a fixed rate of elapsed time; ``keys`` as in the manifest."""
        total = hours * 3600 + minutes * 60 + seconds
        return self._schedule(name, function, {"every": f"{total}s", **keys})

    def unschedule(self, name: str) -> None:
        """Take a schedule out of the set.

        Raises:
            NotFound: it is not in the set.
        """
        with self._guard:
            self._named(name)
            self._functions.pop(name, None)
            self._put({n: s for n, s in self._source.schedules.items() if n != name})

    def clear(self) -> None:
        """Take every schedule out of the set."""
        with self._guard:
            self._functions.clear()
            self._put({})

    def enable(self, name: str) -> None:
        """Let the slots of a schedule fall due again, from now on.

        Raises:
            NotFound: it is not in the set.
        """
        self._switch(name, enabled=True)

    def disable(self, name: str) -> None:
        """Let the slots of a schedule no longer fall due; its active runs finish.

        Raises:
            NotFound: it is not in the set.
        """
        self._switch(name, enabled=False)

    def list_schedules(self) -> list[dict[str, Any]]:
        """Return name, enabled, schedule_type, next_run (aware UTC or None) and timezone."""
        with self._guard:
            now = to_utc(clock_now())
            return [
                {
                    "name": schedule.name,
                    "enabled": schedule.enabled,
                    "schedule_type": schedule.timing.kind,
                    "schedule": describe_kind(schedule.timing),
                    "next_run": schedule.next_after(now) if schedule.enabled else None,
                    "timezone": schedule.timing.timezone,
                }
                for schedule in self._source.schedules.values()
            ]

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to decide slots, in a thread; does nothing when it has begun.

        Raises:
            SchedulerRunning: another program uses the state directory.
        """
        with self._guard:
            if self._works is None:
                self._stopping.clear()
                self._works = self._build()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._works,), name="flytesched", daemon=True
                )
                self._thread.start()

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Stop deciding slots, and wait up to ``timeout`` seconds for what runs.

        What still runs then goes on in its thread while the program lives; its run reads
        ``interrupted(process ended)`` after the next start.
        """
        with self._guard:
            works, thread = self._works, self._thread
        if works is None or thread is None:
            return
        self._stopping.set()
        works.poke()
        thread.join()
        deadline = works.clock.now() + timeout
        while works.loop.running and works.clock.now() < deadline:
            works.clock.wait(min(deadline, works.clock.now() + _LOOK_EVERY))
            with self._guard:
                works.tick()
        with self._guard:
            self._works = self._thread = None
            self._close(works)

    def catchup_all(self, limit: int | None = None, *, policy: str = "all") -> list[dict[str, Any]]:
        """Run the open missed slots of all enabled schedules, the oldest first, and return them.

        Waits until each has its verdict. May be called before ``start``, and again at any time.

        Args:
            limit: how many per schedule at the most; None for all.
            policy: ``all``, ``latest``, or ``none`` to decline them.

        Raises:
            SchedulerRunning: another program uses the state directory.
        """
        choice = Choice(limit=limit, policy=CatchupPolicy(policy))
        with self._guard:
            if (works := self._works) is not None:
                ids = self._queue(choice)
                works.poke()
        if works is None:
            return self._catchup_alone(choice)
        while True:
            with self._guard:
                runs = self._log().runs(ids)
            if self._stopping.wait(_LOOK_EVERY) or not any(run.active for run in runs):
                return [told(run) for run in runs]

    def _catchup_alone(self, choice: Choice) -> list[dict[str, Any]]:
        """Catch up in this thread, with no loop planning."""
        with self._guard:
            ids: list[str] = []
            works = self._build(own=lambda: self._record_and_queue(choice, ids))
            try:
                while True:
                    wake_at = works.tick()
                    runs = self._log().runs(ids)
                    if not any(run.active for run in runs):
                        return [told(run) for run in runs]
                    works.clock.wait(wake_at)
            finally:
                self._close(works)

    def _record_and_queue(self, choice: Choice, ids: list[str]) -> frozenset[str]:
        """Do what needs the lock before the loop is made; ``ids`` takes what was queued."""
        late = self._settings.missed_after.total_seconds()
        record_missed(self._log(), self._source.schedules, clock_now(), late)
        ids += self._queue(choice)
        return frozenset(ids)

    def _queue(self, choice: Choice) -> list[str]:
        runs = queue_open(self._log(), self._source.schedules, choice, clock_now())
        return [run.id for run in runs]

    # -- looking ----------------------------------------------------------------------------

    def get_history(self, name: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Return the newest verdicts first, missed and skipped slots included.

        Each is a dict: ``success`` (None before the verdict), ``status``, ``scheduled_at`` and
        ``started_at`` (aware UTC, or None), ``duration_seconds``, ``error``, ``run_id``,
        ``schedule``.
        """
        with self._guard:
            names = None if name is None else [name]
            return [told(entry) for entry in self._log().history(names, limit=limit)]

    def health_check(self) -> dict[str, Any]:
        """Return how it stands: ``status``, ``metrics`` and what lies behind them.

        ``status`` is ``healthy``; ``degraded`` when the newest verdict of a schedule is a failure
        or missed slots are open; ``stopped`` when no slots are being decided.
        """
        with self._guard:
            log, names = self._log(), list(self._source.schedules)
            last = log.last_runs(names)
            metrics = _metrics(log.history(None, limit=_RECENT))
            metrics["open_missed"] = sum(log.open_missed(names).values())
            failing = sorted(name for name, run in last.items() if run.status in FAILURES)
            running = self._works is not None
        troubled = bool(failing or metrics["open_missed"])
        status = "degraded" if troubled else "healthy"
        return {
            "status": status if running else "stopped",
            "running": running,
            "schedules": len(names),
            "failing": failing,
            "metrics": metrics,
        }

    # -- inside -----------------------------------------------------------------------------

    def _schedule(
        self, name: str, function: Callable[[], object], keys: Mapping[str, Any]
    ) -> Schedule:
        if not callable(function):
            msg = f"{function!r} cannot be called"
            raise TypeError(msg)
        schedule = Schedule(name, **{"timezone": self._zone, **keys})
        with self._guard:
            self._functions[name] = function
            self._put({**self._source.schedules, name: schedule})
        return schedule

    def _check(self, schedule: Schedule) -> None:
        if schedule.name not in self._functions and self._executor is None:
            instead = "pass Scheduler(executor=...), or use schedule_cron and its like"
            fault = Fault(key="", what="has nothing to carry it out", instead=instead)
            raise InvalidSchedule([fault], name=schedule.name)

    def _named(self, name: str) -> Schedule:
        if name not in self._source.schedules:
            msg = f"no schedule is named {name!r}"
            raise NotFound(msg, hint=suggest(name, tuple(self._source.schedules)))
        return self._source.schedules[name]

    def _switch(self, name: str, *, enabled: bool) -> None:
        with self._guard:
            schedule = self._named(name).with_(enabled=enabled)
            self._put({**self._source.schedules, name: schedule})

    def _put(self, table: Mapping[str, Schedule]) -> None:
        self._source.put(table)
        if self._works is not None:
            self._works.poke()

    def _execute(self, schedule: Schedule, scheduled_at: datetime) -> None:
        """Carry out one slot; called in a thread of its own."""
        if (function := self._functions.get(schedule.name)) is not None:
            function()
        elif self._executor is not None:
            self._executor.execute(schedule, scheduled_at)

    def _build(self, own: Callable[[], frozenset[str]] | None = None) -> Works:
        return Works(
            place=None if self._memory else self._dir, runlog=self._held_log,
            settings=self._settings, source=self._source, execute=self._execute,
            journal=LoggingJournal(), own=own,
        )  # fmt: skip

    def _log(self) -> SqliteRunLog:
        """Return the run log, opened when it is first needed."""
        if self._runlog is None:
            self._runlog = SqliteRunLog(":memory:" if self._memory else self._dir / "runs.db")
        return self._runlog

    def _held_log(self) -> SqliteRunLog:
        """Return the run log as the holder of the lock has it: the one that makes checkpoints."""
        if not self._memory:
            if self._runlog is not None:
                self._runlog.close()
            self._runlog = SqliteRunLog(self._dir / "runs.db", holder=True)
        return self._log()

    def _close(self, works: Works) -> None:
        works.close()
        if self._runlog is not None and not self._memory:
            self._runlog.checkpoint()
            self._runlog.close()
            self._runlog = None

    def _serve(self, works: Works) -> None:
        """Be the loop's thread."""
        while not self._stopping.is_set():
            with self._guard:
                wake_at = works.tick()
            works.clock.wait(wake_at)
        with self._guard:
            works.loop.stopping = True
            works.tick()


def told(run: Run | Entry) -> dict[str, Any]:
    """Return a run, or an entry of the history, as the API shows it."""
    status = RunStatus.SKIPPED if run.status == MISSED else RunStatus(run.status)
    ended = None if run.started is None or run.ended is None else run.ended - run.started
    failed = status in FAILURES
    return {
        "success": None if status in ACTIVE else status is RunStatus.SUCCEEDED,
        "status": str(run.status),
        "reason": run.reason,
        "scheduled_at": None if run.scheduled_at is None else to_utc(run.scheduled_at),
        "started_at": None if run.started is None else to_utc(run.started),
        "duration_seconds": ended,
        "error": (run.reason or f"exit {run.exit_code}") if failed else None,
        "run_id": run.id,
        "schedule": run.schedule,
    }


def _metrics(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return counts over the newest entries; skipped, missed and cancelled ones are not counted."""
    succeeded = sum(entry.status == RunStatus.SUCCEEDED for entry in entries)
    failed = sum(entry.status in _FAILED for entry in entries)
    runs = succeeded + failed
    return {
        "success_rate": succeeded / runs if runs else None,
        "runs": runs,
        "succeeded": succeeded,
        "failed": failed,
        "active": sum(entry.status in _ACTIVE for entry in entries),
    }


_FAILED = frozenset(status.value for status in FAILURES)
_ACTIVE = frozenset(status.value for status in ACTIVE)
