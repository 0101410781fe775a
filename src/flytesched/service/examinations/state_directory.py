"""Examinations of the state directory: its room, its file system, its modes."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.sizes import format_size
from flytesched.service.doctor import Level, found
from flytesched.service.examinations.run_log import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.runlog.checking import Checker
    from flytesched.service.doctor import Finding, Patient

#: Bytes free below which the next outcome may not find room, and below which that may come soon.
_NO_ROOM, _LITTLE_ROOM = 16 * 2**20, 256 * 2**20
#: The same for files: a log each attempt.
_NO_FILES, _FEW_FILES = 16, 1_000
#: Seconds that the present rate is taken from: a week at most, a day at least.
_WEEK, _DAY = 7 * 86_400, 86_400
#: Days that the room should last.
_DAYS = 14
#: Logs whose size is looked at.
_SAMPLE = 1_000
#: File systems that are gone with the next boot.
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def disk(patient: Patient) -> Iterator[Finding]:
    """Tell how much room there is for bytes and for files."""
    if (folder := _standing(patient.site.settings.state_dir)) is None:
        return
    room = os.statvfs(folder)
    yield _bytes_left(folder, room, "make room, or lower keep_logs and keep_runs")
    # Some file systems make inodes as they need them, and say that they have none.
    if room.f_files:
        files = room.f_favail
        yield found(
            "disk", _grade(files, _NO_FILES, _FEW_FILES), f"room for {files:,} more files",
            "remove files, or lower keep_logs" if files < _FEW_FILES else None,
        )  # fmt: skip
    home = _standing(patient.site.settings.manifest.parent)
    if home is not None and home.stat().st_dev != folder.stat().st_dev:
        left = _bytes_left(home, os.statvfs(home), "make room, or the manifest cannot be edited")
        if left.level is not Level.OK:
            yield left


def _bytes_left(folder: Path, room: os.statvfs_result, do: str) -> Finding:
    free = room.f_bavail * room.f_frsize
    what = f"{format_size(free)} free in {folder}"
    return found(
        "disk", _grade(free, _NO_ROOM, _LITTLE_ROOM), what, do if free < _LITTLE_ROOM else None
    )


def growth(patient: Patient) -> Iterator[Finding]:
    """Tell how long the room lasts if runs and logs go on growing as they do."""
    folder = _standing(patient.site.settings.state_dir)
    with opened(patient.site) as checker:
        rate = None if checker is None else _bytes_a_day(patient, checker)
    if rate is None or folder is None:
        yield found("growth", Level.OK, "too little has run yet to foresee how long the room lasts")
        return
    if rate < 1:
        yield found("growth", Level.OK, "what is too old makes room for what is new")
        return
    room = os.statvfs(folder)
    days = room.f_bavail * room.f_frsize / rate
    what = f"{format_size(int(rate))} a day are added, and there is room for {days:,.0f} days"
    if days < _DAYS:
        do = "make room, or lower keep_logs and log_limit"
        yield found("growth", Level.WARNING, what, do)
    else:
        yield found("growth", Level.OK, what)


def _bytes_a_day(patient: Patient, checker: Checker) -> float | None:
    """Return by how much run log and logs grow; None if there is no day to tell from."""
    now, settings = patient.site.now(), patient.site.settings
    oldest = checker.oldest()
    if oldest is None or now - oldest < _DAY:
        return None
    span = min(_WEEK, now - oldest)
    logs = checker.logs(now - span, now)
    rows = max(checker.counts()["attempts"], 1)
    # What is as old as may be kept goes, and makes room.
    each = 0.0
    if oldest > now - settings.keep_runs.total_seconds():
        each += checker.size() / rows
    if oldest > now - settings.keep_logs.total_seconds():
        each += _usual_size(settings.state_dir, logs)
    return each * len(logs) / span * _DAY


def _usual_size(folder: Path, logs: list[str]) -> float:
    """Return the bytes of disk that a log takes on average, by some of them."""
    some = logs[:: max(1, len(logs) // _SAMPLE)]
    sizes = []
    for log in some:
        with suppress(OSError):
            sizes.append((folder / log).lstat().st_blocks * 512)
    return sum(sizes) / len(sizes) if sizes else 0.0


def file_system(patient: Patient) -> Iterator[Finding]:
    """Tell whether locks can be trusted, and files stay, where the state directory is."""
    if (folder := _standing(patient.site.settings.state_dir)) is None:
        return
    if (kind := linux.network_filesystem(folder)) is not None:
        what = f"{folder} lies on a network file system ({kind}): its locks cannot be trusted"
        yield found("file_system", Level.PROBLEM, what, "name a local one with --state-dir")
    elif (kind := linux.filesystem(folder)) in _IN_MEMORY:
        what = f"{folder} lies in memory ({kind}): verdicts are gone with the next boot"
        yield found("file_system", Level.WARNING, what, "name another with --state-dir")
    else:
        yield found("file_system", Level.OK, f"{folder} lies on {kind or 'a local file system'}")


def modes(patient: Patient) -> Iterator[Finding]:
    """Tell whether anybody else may look at, or write, what is in the state directory."""
    folder = patient.site.settings.state_dir
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
        yield found("modes", level, f"{what}: {such}", do)
    if not odd:
        what = f"{count:,} files and folders belong to one user, and nobody else may touch them"
        yield found("modes", Level.OK, what)


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
