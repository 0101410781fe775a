"""The only wiring: settings and names become adapters, adapters become a loop."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched import settings as settings_table
from flytesched.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flytesched.clock import SystemClock
    from flytesched.core.protocols import Journal
    from flytesched.core.schedule import Schedule
    from flytesched.executors.local import LocalLauncher
    from flytesched.hooks.command import CommandHook
    from flytesched.hooks.outbox import Outbox
    from flytesched.lock import Holder, SchedulerLock
    from flytesched.manifest import Manifest
    from flytesched.manifest.source import ManifestSource
    from flytesched.runlog.reading import Reader
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.scheduler.loop import Limits, Loop
    from flytesched.settings import Settings
    from flytesched.wakeup import Wakeup

#: How long before its time a slot may be claimed at most: an edit is live within a second.
LEAD = timedelta(seconds=0.8)
#: Seconds that messages are given at the end; what is not sent by then is left to the next process.
LAST_WORDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One manifest with one state directory: what every command works on."""

    #: Where things are, and how the scheduler behaves.
    settings: Settings
    #: The environment of this process.
    environ: Mapping[str, str]
    #: Why the manifest cannot be read, if it cannot.
    manifest_error: Invalid | None = None

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises:
            InvalidManifest: it is missing or has faults.
        """
        from flytesched.manifest import read

        return read(self.settings.manifest, timezone=self.settings.timezone)

    def reader(self) -> Reader | None:
        """Open the run log for reading; None if there is none yet.

        Raises:
            RunLogError: it cannot be used.
        """
        from flytesched.runlog.reading import open_reader

        return open_reader(self.runs_db)

    def runlog(self, *, holder: bool = False) -> SqliteRunLog:
        """Open the run log for writing; it is made if there is none.

        Args:
            holder: whether this process holds the scheduler's lock, and so makes checkpoints.

        Raises:
            RunLogError: it cannot be used.
        """
        from flytesched.runlog.sqlite import SqliteRunLog
        from flytesched.state_dir import prepare_state_dir

        # A run log that is there was accepted once, with --force-state-dir if need be.
        accepted = os.path.lexists(self.runs_db)
        prepare_state_dir(self.settings.state_dir, force=accepted)
        return SqliteRunLog(self.runs_db, holder=holder)

    def lock(self) -> SchedulerLock:
        """Return the scheduler's lock, not yet acquired."""
        from flytesched.lock import SchedulerLock

        return SchedulerLock(self.settings.state_dir)

    def scheduler(self) -> Holder | None:
        """Return who holds the scheduler's lock."""
        return self.lock().holder()

    def now(self) -> float:
        """Return the wall clock, in epoch seconds."""
        from flytesched.clock import now

        return now()

    @property
    def manifest_path(self) -> str:
        """The manifest's path without symbolic links, as the run log remembers it."""
        real = os.path.realpath(self.settings.manifest)
        return real.encode(errors="backslashreplace").decode()  # a file's name may be no UTF-8

    @property
    def runs_db(self) -> Path:
        """The file of the run log."""
        return self.settings.state_dir / "runs.db"


def open_site(
    *,
    manifest: str | None = None,
    state_dir: str | None = None,
    environ: Mapping[str, str],
    uid: int | None = None,
) -> Site:
    """Return the site that options and environment name; a broken manifest does not stop it.

    Args:
        manifest: ``--manifest``.
        state_dir: ``--state-dir``.
        environ: the environment.
        uid: whose site; the effective user's if not given.

    Raises:
        UsageError: an option or a variable has a bad value.
    """
    flags = {"manifest": manifest, "state_dir": state_dir}
    flags = {key: value for key, value in flags.items() if value is not None}
    path, _, _ = settings_table.paths(environ, flags, uid=uid)
    error: Invalid | None = None
    table: Mapping[str, object] = {}
    try:
        table = _settings_table(path)
        settings = settings_table.resolve(environ, flags, table, uid=uid)
    except Invalid as broken:
        error = broken
        settings = settings_table.resolve(environ, flags, {}, uid=uid)
    return Site(settings=settings, environ=environ, manifest_error=error)


def _settings_table(path: Path) -> Mapping[str, object]:
    from flytesched.manifest.disk import load
    from flytesched.manifest.document import document
    from flytesched.manifest.pieces import Odd, settings_of

    content, _ = load(path)
    try:
        return settings_of(content, path)
    except Odd:
        table = document(content, path)[1].get("settings", {})
        return table if isinstance(table, dict) else {}


@dataclass(slots=True, kw_only=True)
class Works:
    """A wired loop and the parts that its caller has to serve."""

    site: Site
    loop: Loop
    clock: SystemClock
    runlog: SqliteRunLog
    launcher: LocalLauncher
    hook: CommandHook
    outbox: Outbox
    source: ManifestSource
    wakeup: Wakeup
    journal: Journal
    #: What is in force; an edit of the manifest counts.
    settings: Settings
    #: ``[settings]`` that it comes from.
    settings_table: Mapping[str, object] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of descriptors; what runs is left alone."""
        self.outbox.close(self.clock.now())
        for close in (
            self.source.close, self.wakeup.close, self.launcher.close, self.hook.close,
            self.runlog.close, self.clock.close,
        ):  # fmt: skip
            close()

    def before_tick(self) -> None:
        """Take the news that woke the loop, so that what comes during the tick wakes it again."""
        if self.wakeup.drain():
            self.wakeup.follow(self.source.watched())

    def after_tick(self, now: float, due: float | None) -> float | None:
        """Take over new settings and serve hooks; return when to be called again at the latest.

        Args:
            now: the moment, in epoch seconds.
            due: when the loop has to turn again; None if nothing is coming.
        """
        if self.source.settings_table != self.settings_table:
            self._take_settings(self.source.settings_table)
        moments = [self.hook.reap(now), self.outbox.turn(now, due)]
        if (again := self.hook.bound_logs()) is not None:
            moments.append(now + again)
        if self.wakeup.polling:
            moments.append(now + 1.0)
        if (again := self.source.again_in()) is not None:
            moments.append(now + again)
        return min((at for at in moments if at is not None), default=None)

    def tell_the_last(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Give messages that can be sent now some time, before this process ends.

        Args:
            meanwhile: called again and again.
        """
        self.outbox.finish(self.clock.now, LAST_WORDS, meanwhile)

    def _take_settings(self, table: Mapping[str, object]) -> None:
        """Let what the manifest says of settings count from now on; paths stay as they are."""
        flags = {"manifest": str(self.source.path), "state_dir": str(self.settings.state_dir)}
        self.settings = settings_table.resolve(self.site.environ, flags, table)
        self.settings_table = table
        self.loop.limit(limits(self.settings))
        self.launcher.log_limit = self.settings.log_limit


def build(
    site: Site, runlog: SqliteRunLog, journal: Journal, *, own: frozenset[str] | None = None
) -> Works:
    """Wire a loop over real parts: a scheduler, or with ``own`` a command and just its runs."""
    from flytesched.clock import SystemClock, monotonic
    from flytesched.executors.environment import base_environment
    from flytesched.executors.local import LocalLauncher
    from flytesched.hooks.command import CommandHook
    from flytesched.hooks.outbox import Outbox
    from flytesched.hooks.several import Several
    from flytesched.manifest.source import ManifestSource
    from flytesched.scheduler.loop import Loop
    from flytesched.wakeup import Wakeup

    settings = site.settings
    clock = SystemClock()
    launcher = LocalLauncher(
        settings.state_dir, site.environ, manifest_path=settings.manifest,
        log_limit=settings.log_limit, clock_now=clock.now,
        # A command that leaves must not take down what it started.
        survive_always=own is not None,
    )  # fmt: skip
    source = ManifestSource(
        settings.manifest, timezone=settings.timezone, survive=settings.persist, journal=journal,
        elapsed=monotonic,
    )  # fmt: skip
    places = {
        "FLYTESCHED_STATE_DIR": str(settings.state_dir),
        "FLYTESCHED_MANIFEST": str(settings.manifest),
    }
    hook = CommandHook(
        settings.state_dir,
        journal,
        environment=lambda schedule: base_environment(schedule, site.environ) | places,
        clock_now=clock.now,
    )
    outbox = Outbox(
        runlog, journal, host=os.uname().nodename, state_dir=str(settings.state_dir),
        environ=site.environ, elapsed=monotonic,
        channels=lambda: source.channels if loop.known else None,
        definition=lambda name, created: loop.definition(name, created),
    )  # fmt: skip
    wakeup = Wakeup(settings.state_dir, source.watched())
    loop = Loop(
        clock=clock, source=source, runlog=runlog, launcher=launcher,
        hook=Several(hook, outbox), journal=journal, limits=limits(settings), own=own,
    )  # fmt: skip
    for part in (launcher, hook, outbox, wakeup, source):
        clock.watch(part.fileno())
    return Works(
        site=site,
        loop=loop, clock=clock, runlog=runlog, launcher=launcher, hook=hook, outbox=outbox,
        source=source, wakeup=wakeup, journal=journal, settings=settings,
    )  # fmt: skip


def limits(settings: Settings) -> Limits:
    """Return what bounds a loop."""
    from flytesched.scheduler.loop import Limits

    return Limits(
        places=settings.max_concurrent_runs, start_rate=settings.start_rate,
        start_burst=settings.start_burst, missed_after=settings.missed_after, lead=LEAD,
    )  # fmt: skip


def bind(site: Site, runlog: SqliteRunLog, *, rebind: bool) -> None:
    """Hold a run log to the manifest it was made for.

    Raises:
        Conflict: it remembers another manifest and ``rebind`` is not set.
    """
    from flytesched.core.decision import Decision

    meta = runlog.meta()
    if not rebind:
        check_bound(site, meta)
    path = site.manifest_path
    if meta.get("manifest") != path:
        runlog.apply(Decision(meta={"manifest": path}))


def check_bound(site: Site, meta: Mapping[str, str]) -> None:
    """Hold what a run log remembers against the manifest in use.

    Raises:
        Conflict: it belongs to another manifest.
    """
    path = site.manifest_path
    if (bound := meta.get("manifest", path)) != path:
        msg = f"{site.settings.state_dir} belongs to the manifest {bound}, not to {path}"
        raise Conflict(msg, hint="pass --rebind if the manifest has moved, or another --state-dir")


def definition(site: Site, name: str) -> Schedule:
    """Return one schedule of the manifest.

    Raises:
        NotFound: no schedule has that name.
    """
    from flytesched.core.suggestion import suggest
    from flytesched.errors import NotFound

    schedules = site.manifest().schedules
    if name not in schedules:
        msg = f"no schedule is named {name!r}"
        raise NotFound(msg, hint=suggest(name, tuple(schedules)) or "see: flytesched list")
    return schedules[name]
