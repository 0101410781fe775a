"""Pruning: retention applied now, in the short steps of a scheduler's own chores.

Nobody is locked out: each step holds the run log for some milliseconds, and beside a scheduler the
time between two steps is longer than the steps. Nothing active is touched: neither runs without a
verdict with any of their logs, nor missed slots that are open.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from flytesched import clock, wakeup
from flytesched.bootstrap import check_bound
from flytesched.errors import Conflict
from flytesched.executors.logs import FOLDER, old_logs
from flytesched.runlog.census import open_census

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from flytesched.bootstrap import Site
    from flytesched.runlog.sqlite import SqliteRunLog

#: Seconds for which a verdict, or a log that was made ready, may be on its way: what is younger
#: stays, whatever is asked for.
IN_PASSING = 60.0
#: Runs, and logs, looked at in one step.
STEP, LOGS_STEP = 500, 1000
#: How much longer than a step the time after it is, and its least in seconds, beside a scheduler:
#: one that finds the run log locked tries again for a quarter of a second.
_REST, _LEAST_REST = 3.0, 0.02
#: Bytes of WAL beyond which it is moved into the database before the next step.
_MUCH = 32 * 2**20
#: What a block on a disk counts for (stat(2), st_blocks).
_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Moments before which everything may go, in epoch seconds."""

    #: Of verdicts.
    runs: float
    #: Of the last output.
    logs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What is too old to keep, or was."""

    #: Runs, with their attempts.
    runs: int = 0
    #: Closed stretches of missed slots.
    gaps: int = 0
    #: Logs.
    logs: int = 0
    #: Bytes of disk that the logs take.
    log_bytes: int = 0
    #: Bytes of the run log's file that became free for what is written next.
    unused: int = 0
    #: Row number of the last of the runs.
    through: int = 0

    @property
    def things(self) -> int:
        """How many runs, gaps and logs there are."""
        return self.runs + self.gaps + self.logs


def bounds(
    site: Site, *, keep_runs: timedelta | None = None, keep_logs: timedelta | None = None
) -> Bounds:
    """Return what retention means now: as given, else as the settings say.

    Raises:
        InvalidManifest: the settings are needed and cannot be read; what they keep is not known.
    """
    if site.manifest_error is not None and None in {keep_runs, keep_logs}:
        raise site.manifest_error
    now = site.now()

    def before(given: timedelta | None, set_: timedelta) -> float:
        return now - max((set_ if given is None else given).total_seconds(), IN_PASSING)

    return Bounds(
        runs=before(keep_runs, site.settings.keep_runs),
        logs=before(keep_logs, site.settings.keep_logs),
    )


def look(site: Site, bounds: Bounds) -> Old:
    """Count what is too old; nothing is changed.

    Raises:
        Conflict: the state directory belongs to another manifest.
        RunLogError: the run log cannot be read.
    """
    runs = through = gaps = 0
    if (census := open_census(site.runs_db)) is not None:
        with census:
            _refuse_another(site, census.meta())
            runs, through, gaps = census.old(bounds.runs)
    sizes = [size for path in _old_logs(site, bounds) if (size := _size(path)) is not None]
    return Old(runs=runs, gaps=gaps, logs=len(sizes), log_bytes=sum(sizes), through=through)


def prune(
    site: Site, bounds: Bounds, old: Old, watch: Callable[[Old], None] = lambda _: None
) -> Old:
    """Remove what is too old, and return what that was.

    Args:
        site: where.
        bounds: what `bounds` returned.
        old: what `look` returned.
        watch: is told what is gone so far, after each step.

    Raises:
        KeyboardInterrupt: somebody pressed Ctrl-C; nothing is half done.
        RunLogBusy: the run log is locked for longer than any step takes.
    """
    with _between_steps() as pause:

        def step(gone: Old) -> None:
            watch(gone)
            pause()

        gone = _prune_runs(site, bounds, old, step) if old.runs or old.gaps else Old()
        return _prune_logs(site, bounds, gone, step)


# -- runs ---------------------------------------------------------------------------------------


def _prune_runs(site: Site, bounds: Bounds, old: Old, step: Callable[[Old], None]) -> Old:
    gone, runlog = Old(), site.runlog()
    try:
        unused = runlog.unused
        while True:
            began, written = clock.monotonic(), runlog.written
            runs = runlog.prune(bounds.runs, STEP, through=old.through)
            gone = replace(
                gone, runs=gone.runs + runs, gaps=runlog.gaps_pruned,
                unused=max(0, runlog.unused - unused),
            )  # fmt: skip
            step(gone)
            if not (runlog.pruning or runlog.written > written):
                return gone
            _make_room(site, runlog, clock.monotonic() - began)
    finally:
        runlog.close()


def _make_room(site: Site, runlog: SqliteRunLog, took: float) -> None:
    """Let a scheduler have its turn, and keep the WAL short: by itself, or by waking it."""
    much = runlog.wal_size > _MUCH
    if site.scheduler() is not None:
        if much:
            wakeup.touch(site.settings.state_dir)
        clock.sleep(max(_LEAST_REST, _REST * took))
    elif much:
        with site.lock().borrowed() as alone:
            if alone:
                runlog.checkpoint()


# -- logs ---------------------------------------------------------------------------------------


def _prune_logs(site: Site, bounds: Bounds, gone: Old, step: Callable[[Old], None]) -> Old:
    old = _old_logs(site, bounds)
    while paths := [*islice(old, LOGS_STEP)]:
        sizes = [size for path in paths if (size := _removed(path)) is not None]
        gone = replace(gone, logs=gone.logs + len(sizes), log_bytes=gone.log_bytes + sum(sizes))
        step(gone)
    return gone


def _old_logs(site: Site, bounds: Bounds) -> Iterator[str]:
    """Yield the paths of logs that are too old, but for those of runs that are active.

    What gets active later has a log that is younger than the bound.
    """
    folder = str(site.settings.state_dir)
    kept = {f"{folder}/{log}" for log in _active_logs(site)}
    for path in old_logs(f"{folder}/{FOLDER}", bounds.logs):
        if path is not None and path not in kept:
            yield path


def _active_logs(site: Site) -> Iterator[str]:
    if (reader := site.reader()) is None:
        return
    with reader:
        for run in reader.active():
            yield from (each.log for each in reader.attempts(run.id) if each.log is not None)


def _size(path: str) -> int | None:
    """Return the bytes of disk that a log takes; None if it has gone meanwhile."""
    try:
        return os.lstat(path).st_blocks * _BLOCK
    except FileNotFoundError:
        return None


def _removed(path: str) -> int | None:
    """Remove a log; return the bytes of disk that it took, None if it had gone meanwhile."""
    size = _size(path)
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108  there may be millions
    return size


# -- care ---------------------------------------------------------------------------------------


def _refuse_another(site: Site, meta: dict[str, str]) -> None:
    """Hold the run log against the manifest whose settings say what is kept.

    Raises:
        Conflict: it belongs to another.
    """
    try:
        check_bound(site, meta)
    except Conflict as error:
        hint = "name that manifest with --manifest, or another --state-dir"
        raise Conflict(error.message, hint=hint) from None


@contextmanager
def _between_steps() -> Iterator[Callable[[], None]]:
    """Hold back Ctrl-C, SIGTERM and SIGHUP; give a function that raises KeyboardInterrupt then."""
    came: list[int] = []

    def pause() -> None:
        if came:
            raise KeyboardInterrupt(came[0])

    # What nohup(1) ignores stays ignored.
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield pause
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
