"""Serve: ``flytesched run``, the foreground loop, from the lock to the last line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, TypeVar

from flytesched import linux
from flytesched.bootstrap import Works, bind, build
from flytesched.clock import monotonic, now
from flytesched.core.runs import FAILURES, AttemptKey, Reason
from flytesched.errors import FlyteschedError, RunLogBusy, StateDirBusy
from flytesched.notify import STOP_MARGIN
from flytesched.service.chores import Chores
from flytesched.service.ground import Ground
from flytesched.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.protocols import Journal
    from flytesched.core.runs import Run
    from flytesched.notify import Notifier
    from flytesched.runlog.sqlite import SqliteRunLog

_T = TypeVar("_T")

#: Seconds between tries to open a run log that is locked.
OPEN_AGAIN = 0.5
#: Seconds to wait after a failure nobody foresaw.
AFTER_BUG = 1.0
#: Objects made between two collections: what a burst of several hundred runs makes.
COLLECT_AFTER = 10_000
#: Characters of a fault that the status quotes.
STATUS_LIMIT = 500


def serve(
    site: Site,
    *,
    once: bool = False,
    on_stop: str = "leave",
    log_format: str = "plain",
    rebind: bool = False,
    force_state_dir: bool = False,
) -> int:
    """Run the scheduler in the foreground, and return the exit code.

    Args:
        once: do what a start does, then wait until nothing is active.
        on_stop: ``leave`` what runs at SIGTERM to be adopted, or ``kill`` it.
        log_format: ``plain`` or ``json``.
        rebind: take over a state directory that belongs to another manifest.
        force_state_dir: accept a state directory on a network file system.

    Raises:
        SchedulerRunning: another scheduler holds the lock.
        Conflict: the state directory belongs to another manifest.
        RunLogError: the run log cannot be used.
        InvalidManifest: on a terminal, with nothing to adopt.
    """
    from flytesched.journal import StderrJournal
    from flytesched.notify import Notifier
    from flytesched.state_dir import prepare_state_dir

    # While it waits for its files there is nothing to be read again.
    signal.signal(signal.SIGHUP, lambda *_: None)
    journal = StderrJournal(now, form=log_format, patient=True)
    notifier = Notifier.from_environ(site.environ, monotonic)
    lock = site.lock()

    def begin() -> None:
        prepare_state_dir(site.settings.state_dir, force=force_state_dir)
        lock.acquire("run")

    _patiently("state directory", begin, journal, notifier)
    try:
        runlog = _open(site, journal, notifier, rebind=rebind)
        works = build(site, runlog, journal)
        try:
            _refuse_broken(site, runlog, once=once)
            ground = Ground([lock.path, *([site.runs_db] if site.settings.persist else [])])
            service = Service(site, works, notifier, journal, beat=lock.beat, ground=ground)
            return service.run(once=once, kill=on_stop == "kill")
        finally:
            works.close()
    finally:
        lock.release()


def _patiently(
    what: str, attempt: Callable[[], _T], journal: Journal, notifier: Notifier
) -> _T:  # fmt: skip
    """Try until it works: exiting for what passes by itself would be a storm of restarts."""
    from flytesched.clock import sleep

    said = False
    while True:
        try:
            return attempt()
        except (RunLogBusy, StateDirBusy) as error:
            if not said:
                journal.say("error", f"{what} not usable yet", why=error.message)
                notifier.status(f"waiting for the {what}: {error.message}")
                said = True
            sleep(OPEN_AGAIN)


def _open(site: Site, journal: Journal, notifier: Notifier, *, rebind: bool) -> SqliteRunLog:
    """Open the run log; one that is locked, or has no room, is waited for."""
    from flytesched.runlog.sqlite import SqliteRunLog

    if not site.settings.persist:
        return SqliteRunLog(":memory:")
    return _patiently("run log", lambda: _opened(site, rebind=rebind), journal, notifier)


def _opened(site: Site, *, rebind: bool) -> SqliteRunLog:
    runlog = site.runlog(holder=True)
    try:
        runlog.integrity_check()
        bind(site, runlog, rebind=rebind)
    except BaseException:
        runlog.close()
        raise
    return runlog


def _refuse_broken(site: Site, runlog: SqliteRunLog, *, once: bool) -> None:
    """Raise what is wrong with the manifest where somebody is there to mend it."""
    if not (once or sys.stderr.isatty()) or runlog.active():
        return
    site.manifest()


class Service:
    """One life of ``flytesched run``."""

    def __init__(
        self,
        site: Site,
        works: Works,
        notifier: Notifier,
        journal: Journal,
        *,
        beat: Callable[[], None],
        ground: Ground,
    ) -> None:
        """Take the wired parts; ``beat`` shows others that the loop turns."""
        self._beat, self._ground = beat, ground
        self._site, self._works, self._notifier, self._journal = site, works, notifier, journal
        self._loop, self._clock = works.loop, works.clock
        self._signals = 0
        self._interrupted = self._fallen = False
        self._stop_at: float | None = None
        #: Why the last turn failed.
        self._trouble: str | None = None
        self._kill = False
        self._started = self._ready = self._served = False
        # On the clock that is never set: a step back of the other must not put these off.
        self._next_watchdog = 0.0
        self._chores = Chores(works)

    def run(self, *, once: bool, kill: bool) -> int:
        """Serve until a signal, or with ``once`` until nothing is active."""
        self._kill = kill
        began = self._clock.now()
        self._clock.catch((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        self._journal.say(
            "info", "starting", version=__version__, pid=os.getpid(),
            manifest=self._site.settings.manifest, state_dir=self._site.settings.state_dir,
        )  # fmt: skip
        while True:
            wake_at = self._turn()
            if self._done(once=once):
                break
            self._journal.flush()
            self._clock.wait(wake_at)
        self._notifier.stopping()
        self._leave()
        if self._interrupted:
            return 130
        return int(self._fallen or (once and self._failed_since(began)))

    # -- one turn ---------------------------------------------------------------------------

    def _turn(self) -> float | None:
        """Do what is due; return when to be called again at the latest."""
        now = self._clock.now()
        self._ping()
        try:
            self._beat()
            self._feel_ground()
            if self._fallen:
                return None
            self._take_signals(now)
            if not self._started:
                self._loop.start()
                self._started = True
                kept = [AttemptKey(run.id, run.attempt) for run in self._loop.active]
                self._works.launcher.sweep(kept)
            self._works.before_tick()
            moments = [self._loop.tick(now)]
            moments += [self._works.after_tick(now, moments[0])]
            moments += [self._chores.do(now, moments[0]), self._watch(now), self._stop(now)]
        except (OSError, FlyteschedError, ValueError, LookupError, TypeError) as error:
            # A scheduler that exits here would be restarted into the same trouble.
            self._in_trouble(f"{type(error).__name__}: {error}")
            if self._served:
                self._announce()  # a reload has ended, well or not
            return now + AFTER_BUG
        self._in_trouble(None)
        self._announce()
        return min((at for at in moments if at is not None), default=None)

    def _feel_ground(self) -> None:
        """Leave when lock or run log are not the files they were: the next start has new ones.

        Before anything is decided, or it would be decided where nobody sees it.
        """
        if not self._fallen and (lost := self._ground.lost()) is not None:
            self._fallen = True
            why = "it was removed or replaced while it was in use"
            self._journal.say("error", "leaving, nothing starts", file=lost, why=why)
            self._loop.stopping = True

    def _in_trouble(self, why: str | None) -> None:
        """Say once that turns fail, and once that they work again."""
        if why == self._trouble:
            return
        self._trouble = why
        if why is None:
            self._journal.say("info", "ticks work again")
        else:
            self._journal.say("error", "tick failed", why=why)

    def _take_signals(self, now: float) -> None:
        for number in self._clock.signals():
            if number == signal.SIGHUP:
                self._reload()
                continue
            self._signals += 1
            self._interrupted |= number == signal.SIGINT
            if self._signals > 1:
                os._exit(128 + number)
            self._begin_stop(now)

    def _reload(self) -> None:
        """Read the manifest again; the next turn says that it is done, good or broken."""
        if self._loop.stopping:
            return
        self._notifier.reloading()
        self._works.source.reread()
        self._ready = False

    def _ping(self) -> None:
        """Tell the watchdog that the loop turns, whatever comes of this turn."""
        interval = self._notifier.watchdog_interval
        if interval is not None and (elapsed := monotonic()) >= self._next_watchdog:
            self._notifier.watchdog()
            self._next_watchdog = elapsed + interval / 2

    def _watch(self, now: float) -> float | None:
        """Return when the watchdog wants to be told again."""
        if self._notifier.watchdog_interval is None:
            return None
        return now + self._next_watchdog - monotonic()

    def _announce(self) -> None:
        """Tell systemd that slots are being decided, and how it stands."""
        taking_over = self._works.source.busy and self._trouble is None
        if not self._ready and self._loop.planning and not taking_over:
            gc.collect()
            gc.freeze()  # schedules stay: no collection has to walk them again
            gc.set_threshold(COLLECT_AFTER)
            if not self._served:
                linux.give_back_memory()
            self._ready = self._served = True
            self._notifier.ready()
            self._journal.say("info", "ready", schedules=self._loop.schedule_count)
        self._notifier.status(self._status())

    def _status(self) -> str:
        """Return in words how it stands."""
        running = f"{self._loop.running_count} running"
        if self._loop.stopping:
            return f"stopping, {running}"
        count = self._loop.schedule_count
        said = f"{count} schedule{'' if count == 1 else 's'}, {running}"
        if self._trouble is not None:
            return f"{said}; in trouble: {self._trouble[:STATUS_LIMIT]}"
        if self._works.source.broken is None:
            return said
        # A manifest may have thousands of faults, and a status is one datagram.
        broken = str(self._works.source.broken).partition("\n")[0][:STATUS_LIMIT]
        if self._loop.planning:
            return f"{said}; the manifest is broken, the last good one is in force: {broken}"
        return f"waiting for the manifest to be mended, {running}: {broken}"

    # -- the end ----------------------------------------------------------------------------

    def _begin_stop(self, now: float) -> None:
        self._loop.stopping = True
        grace = self._works.settings.shutdown_grace.total_seconds()
        self._notifier.stopping(grace + STOP_MARGIN)
        self._stop_at = now + grace
        self._journal.say("info", "stopping", running=self._loop.running_count)

    def _stop(self, now: float) -> float | None:
        """After the grace, end what shall not or cannot outlive this process."""
        if self._stop_at is None:
            return None
        if now < self._stop_at:
            return self._stop_at
        doomed = [run for run in self._doomed() if run.end_as is None]
        verdict = "cancelled" if self._kill else "interrupted"
        self._loop.end(doomed, f"{verdict}({Reason.STOPPED.value})")
        return None

    def _doomed(self) -> Sequence[Run]:
        running = self._loop.running
        return running if self._kill else [r for r in running if self._loop.dies_with_us(r)]

    def _done(self, *, once: bool) -> bool:
        if self._fallen:
            return True  # what cannot outlive this process is ended by the next one
        if self._stop_at is None:
            idle = not self._loop.active and not self._works.hook.busy
            return once and self._loop.planning and idle
        if self._clock.now() < self._stop_at and self._loop.running_count:
            return False
        # What is claimed is started, or nobody could tell later that it was not.
        return not self._loop.departing and not self._doomed()

    def _leave(self) -> None:
        for run in self._loop.running:
            self._journal.say("info", "left running, to be adopted", run=run.id)
        if not self._fallen:
            self._journal.flush()
            # A second signal still ends it at once.
            self._works.tell_the_last(lambda: self._take_signals(self._clock.now()))
        self._journal.say("info", "stopped")
        self._journal.flush()

    def _failed_since(self, began: float) -> bool:
        failures = [status.value for status in FAILURES]
        entries = self._works.runlog.history(None, statuses=failures, limit=1000)
        return any(entry.ended is not None and entry.ended >= began for entry in entries)
