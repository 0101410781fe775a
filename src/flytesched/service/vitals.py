"""Vitals: what the doctor looks at around the run log, its file and the state directory."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.durations import format_duration
from flytesched.core.instants import rfc3339
from flytesched.core.sizes import format_size
from flytesched.errors import RunLogError
from flytesched.runlog.checking import open_checker
from flytesched.runlog.database import probe_writing
from flytesched.runlog.migrations import LATEST
from flytesched.service.check import RESTORE, stale_records
from flytesched.service.doctor import Examination, Finding, Level
from flytesched.service.overview import CLOCK_BEHIND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.bootstrap import Site
    from flytesched.runlog.checking import Checker

#: The first SQLite in which two processes cannot damage a file by making checkpoints at once
#: (https://sqlite.org/wal.html#walresetbug).
_CHECKPOINTS_MENDED = (3, 51, 3)
#: Bytes beyond which even the quick check would take long.
_QUICK = 256 * 2**20
#: Bytes of WAL that a busy holder lets it grow to, and a margin: it grows on while somebody reads.
_LONG_WAL = 128 * 2**20
#: Bytes free below which the next outcome may not find room, and below which that may come soon.
_NO_ROOM, _LITTLE_ROOM = 16 * 2**20, 256 * 2**20
#: The same for files: a log each attempt.
_NO_FILES, _FEW_FILES = 16, 1_000
#: Seconds beyond ``keep_runs`` that a verdict may stay, while no scheduler runs to prune it.
_LATE_PRUNING = 7 * 86_400
#: File systems that are gone with the next boot.
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def _opened(site: Site) -> Iterator[Checker | None]:
    """Give the run log; None if there is none, or it cannot be opened, which `run_log` tells."""
    try:
        checker = open_checker(site.runs_db)
    except RunLogError:
        yield None
        return
    with checker:
        yield checker


def _found(about: str, level: Level, what: str, do: str | None = None) -> Finding:
    return Finding(about=about, level=level, what=what, do=do)


# -- the run log --------------------------------------------------------------------------------


def run_log(site: Site) -> Iterator[Finding]:
    """Tell whether the run log can be read, is sound as far as a quick look tells, and its age."""
    if not os.path.lexists(site.runs_db):
        yield _found("run_log", Level.OK, "there is none yet", "'flytesched run' makes it")
        return
    with open_checker(site.runs_db) as checker:
        if checker.size() > _QUICK:
            do = "to have it checked whole: flytesched db check"
            yield _found("run_log", Level.OK, "it can be read; its pages were not looked at", do)
        elif faults := checker.faults(lambda _: None, quick=True):
            yield _found("run_log", Level.PROBLEM, f"it is damaged: {faults[0]}", RESTORE)
            return
        else:
            yield _found("run_log", Level.OK, "it can be read, and its pages are sound")
        yield from _schema(checker)


def _schema(checker: Checker) -> Iterator[Finding]:
    version = checker.version()
    if version < LATEST:
        what = f"its schema is {version}, and this program writes {LATEST}"
        do = "keep a copy, then restart the scheduler: it migrates the run log when it starts"
        yield _found("run_log", Level.WARNING, what, do)
    elif altered := checker.alterations():
        what = f"its schema is not as it was made: {', '.join(altered)}"
        yield _found("run_log", Level.PROBLEM, what, RESTORE)


def writing(site: Site) -> Iterator[Finding]:
    """Tell whether the run log can be written, by taking its lock and writing nothing."""
    # While somebody reads, letting go of a connection that could write makes no checkpoint.
    with _opened(site) as checker:
        if checker is None:
            return
        try:
            probe_writing(site.runs_db, timeout=5.0)
        except RunLogError as error:
            do = "look who else uses it, and whether you may write there"
            yield _found("writing", Level.PROBLEM, error.message, do)
        else:
            yield _found("writing", Level.OK, "the run log can be written")


def sqlite(_: Site) -> Iterator[Finding]:
    """Tell what is known of this SQLite."""
    what = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _CHECKPOINTS_MENDED:
        mended = ".".join(map(str, _CHECKPOINTS_MENDED))
        what += (
            f": before {mended}, two processes that make checkpoints at once can, rarely, damage a"
            " file; flytesched keeps to one, the scheduler"
        )
        do = "let no other program write to the run log"
        yield _found("sqlite", Level.OK, what, do)
    else:
        yield _found("sqlite", Level.OK, what)


def wal(site: Site) -> Iterator[Finding]:
    """Tell how much waits in the WAL, and since when."""
    if not site.runs_db.is_file():
        return
    path = site.runs_db.with_name(f"{site.runs_db.name}-wal")
    size = path.stat().st_size if path.exists() else 0
    # Nothing but a checkpoint writes to the file itself.
    since = rfc3339(site.runs_db.stat().st_mtime)
    what = f"the WAL takes {format_size(size)}; the last checkpoint was at {since}"
    if size > _LONG_WAL:
        do = "somebody keeps reading the run log, or no scheduler runs: look who has it open"
        yield _found("wal", Level.WARNING, what, do)
    else:
        yield _found("wal", Level.OK, what)


def retention(site: Site) -> Iterator[Finding]:
    """Tell how much there is, and whether what is too old goes."""
    keep = site.settings.keep_runs
    with _opened(site) as checker:
        if checker is None:
            return
        size, oldest = checker.size(), checker.oldest()
    what = f"the run log takes {format_size(size)}; keep_runs is {format_duration(keep)}"
    if oldest is None:
        yield _found("retention", Level.OK, f"{what}; it holds no verdict")
        return
    what += f", the oldest verdict of {rfc3339(oldest)}"
    if oldest < site.now() - keep.total_seconds() - _LATE_PRUNING:
        do = "a scheduler prunes in the gaps between its slots: let one run"
        yield _found("retention", Level.WARNING, what, do)
    else:
        yield _found("retention", Level.OK, what)


def clock(site: Site) -> Iterator[Finding]:
    """Tell whether the clock is behind what was decided by it."""
    with _opened(site) as checker:
        if checker is None:
            return
        states = checker.states().values()
    newest = max((one.cursor for one in states if one.removed_at is None), default=0)
    if (behind := newest - site.now()) <= 0:
        yield _found("clock", Level.OK, "the clock is not behind the newest slot decided")
        return
    level = Level.PROBLEM if behind > CLOCK_BEHIND else Level.WARNING
    what = f"the clock is behind the newest slot decided, {rfc3339(newest)}"
    do = "set the clock; if it is right, slots are decided as they come due, and none twice"
    yield _found("clock", level, what, do)


def records(site: Site) -> Iterator[Finding]:
    """Tell of records that no attempt needs any more."""
    with _opened(site) as checker:
        if checker is None:
            return
        stale = stale_records(site, checker)
    if stale:
        what = f"{len(stale):,} records of attempts that are over, such as {stale[0]}"
        do = "restart the scheduler if one runs: a start makes use of them"
        yield _found("records", Level.WARNING, what, do)
    else:
        yield _found("records", Level.OK, "every record belongs to an attempt that goes on")


# -- the state directory ------------------------------------------------------------------------


def disk(site: Site) -> Iterator[Finding]:
    """Tell how much room there is for bytes and for files."""
    if (folder := _standing(site.settings.state_dir)) is None:
        return
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    yield _found(
        "disk", _grade(free, _NO_ROOM, _LITTLE_ROOM), f"{format_size(free)} free in {folder}",
        "make room, or lower keep_logs and keep_runs" if free < _LITTLE_ROOM else None,
    )  # fmt: skip
    # Some file systems make inodes as they need them, and say that they have none.
    if room.f_files:
        files = room.f_favail
        yield _found(
            "disk", _grade(files, _NO_FILES, _FEW_FILES), f"room for {files:,} more files",
            "remove files, or lower keep_logs" if files < _FEW_FILES else None,
        )  # fmt: skip


def file_system(site: Site) -> Iterator[Finding]:
    """Tell whether locks can be trusted, and files stay, where the state directory is."""
    if (folder := _standing(site.settings.state_dir)) is None:
        return
    if (kind := linux.network_filesystem(folder)) is not None:
        what = f"{folder} lies on a network file system ({kind}): its locks cannot be trusted"
        yield _found("file_system", Level.PROBLEM, what, "name a local one with --state-dir")
    elif (kind := linux.filesystem(folder)) in _IN_MEMORY:
        what = f"{folder} lies in memory ({kind}): verdicts are gone with the next boot"
        yield _found("file_system", Level.WARNING, what, "name another with --state-dir")
    else:
        yield _found("file_system", Level.OK, f"{folder} lies on {kind or 'a local file system'}")


def modes(site: Site) -> Iterator[Finding]:
    """Tell whether anybody else may look at, or write, what is in the state directory."""
    folder = site.settings.state_dir
    if not folder.is_dir():
        return
    count = 0
    odd: dict[tuple[Level, str, str], list[str]] = {}
    owner = folder.stat().st_uid
    for path in _walk(folder):
        count += 1
        if (fault := _mode_fault(path, owner)) is not None:
            odd.setdefault(fault, []).append(str(path))
    for (level, what, do), paths in odd.items():
        such = paths[0] if len(paths) == 1 else f"{len(paths):,} files, such as {paths[0]}"
        yield _found("modes", level, f"{what}: {such}", do)
    if not odd:
        what = f"{count:,} files and folders belong to one user, and nobody else may touch them"
        yield _found("modes", Level.OK, what)


def _mode_fault(path: Path, owner: int) -> tuple[Level, str, str] | None:
    """Return what is wrong with the mode or the owner of a file, and what to do."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None  # a running scheduler makes and removes some
    if stat.S_ISLNK(status.st_mode):
        return Level.PROBLEM, "is a symbolic link, which is not followed", "remove it"
    if status.st_uid != owner:
        return Level.PROBLEM, "belongs to another user than the state directory", "chown it"
    if status.st_mode & _OTHERS_WRITE:
        return Level.PROBLEM, "can be written by others", "chmod go= it"
    if status.st_mode & _OTHERS:
        return Level.WARNING, "can be read by others", "chmod go= it"
    return None


def _walk(folder: Path) -> Iterator[Path]:
    yield folder
    for where, folders, files in os.walk(folder):
        yield from (Path(where, name) for name in (*folders, *files))


def _standing(folder: Path) -> Path | None:
    """Return a folder, or the nearest one above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), None)


def _grade(left: int, none: int, few: int) -> Level:
    if left < none:
        return Level.PROBLEM
    return Level.WARNING if left < few else Level.OK


#: Everything there is to examine, in the order of the answer. More belong here: the manifest, the
#: scheduler and its unit, the environment of commands.
EXAMINATIONS = tuple(
    Examination(about=look.__name__, look=look)
    for look in (
        run_log, writing, sqlite, wal, retention, clock, records, disk, file_system, modes
    )
)  # fmt: skip
