"""Examinations of the run log: the file, and what it says."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flytesched.core.durations import format_duration
from flytesched.core.instants import rfc3339
from flytesched.core.sizes import format_size
from flytesched.errors import RunLogError
from flytesched.runlog.checking import open_checker
from flytesched.runlog.database import probe_writing
from flytesched.runlog.migrations import LATEST
from flytesched.service.check import RESTORE, stale_records
from flytesched.service.doctor import Level, found
from flytesched.service.overview import CLOCK_BEHIND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.bootstrap import Site
    from flytesched.runlog.checking import Checker
    from flytesched.service.doctor import Finding, Patient

#: The first SQLite in which two processes cannot damage a file by making checkpoints at once
#: (https://sqlite.org/wal.html#walresetbug).
_CHECKPOINTS_MENDED = (3, 51, 3)
#: Bytes beyond which even the quick check would take long.
_QUICK = 256 * 2**20
#: Bytes of WAL that a busy holder lets it grow to, and a margin: it grows on while somebody reads.
_LONG_WAL = 128 * 2**20
#: Seconds beyond ``keep_runs`` that a verdict may stay, while no scheduler runs to prune it.
_LATE_PRUNING = 7 * 86_400


@contextmanager
def opened(site: Site) -> Iterator[Checker | None]:
    """Give the run log; None if there is none, or it cannot be opened, which `run_log` tells."""
    try:
        checker = open_checker(site.runs_db)
    except RunLogError:
        yield None
        return
    with checker:
        yield checker


def run_log(patient: Patient) -> Iterator[Finding]:
    """Tell whether the run log can be read, is sound as far as a quick look tells, and its age."""
    if not os.path.lexists(patient.site.runs_db):
        yield found("run_log", Level.OK, "there is none yet", "'flytesched run' makes it")
        return
    with open_checker(patient.site.runs_db) as checker:
        if checker.size() > _QUICK:
            do = "to have it checked whole: flytesched db check"
            yield found("run_log", Level.OK, "it can be read; its pages were not looked at", do)
        elif faults := checker.faults(lambda _: None, quick=True):
            yield found("run_log", Level.PROBLEM, f"it is damaged: {faults[0]}", RESTORE)
            return
        else:
            yield found("run_log", Level.OK, "it can be read, and its pages are sound")
        yield from _schema(checker)


def _schema(checker: Checker) -> Iterator[Finding]:
    version = checker.version()
    if version < LATEST:
        what = f"its schema is {version}, and this program writes {LATEST}"
        do = "keep a copy, then restart the scheduler: it migrates the run log when it starts"
        yield found("run_log", Level.WARNING, what, do)
    elif altered := checker.alterations():
        what = f"its schema is not as it was made: {', '.join(altered)}"
        yield found("run_log", Level.PROBLEM, what, RESTORE)


def writing(patient: Patient) -> Iterator[Finding]:
    """Tell whether the run log can be written, by taking its lock and writing nothing."""
    # While somebody reads, letting go of a connection that could write makes no checkpoint.
    with opened(patient.site) as checker:
        if checker is None:
            return
        try:
            probe_writing(patient.site.runs_db, timeout=5.0)
        except RunLogError as error:
            do = "look who else uses it, and whether you may write there"
            yield found("writing", Level.PROBLEM, error.message, do)
        else:
            yield found("writing", Level.OK, "the run log can be written")


def sqlite(_: Patient) -> Iterator[Finding]:
    """Tell what is known of this SQLite."""
    what = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _CHECKPOINTS_MENDED:
        mended = ".".join(map(str, _CHECKPOINTS_MENDED))
        what += (
            f": before {mended}, two processes that make checkpoints at once can, rarely, damage a"
            " file; flytesched keeps to one, the scheduler"
        )
        do = "let no other program write to the run log"
        yield found("sqlite", Level.OK, what, do)
    else:
        yield found("sqlite", Level.OK, what)


def wal(patient: Patient) -> Iterator[Finding]:
    """Tell how much waits in the WAL, and since when."""
    if not patient.site.runs_db.is_file():
        return
    path = patient.site.runs_db.with_name(f"{patient.site.runs_db.name}-wal")
    size = path.stat().st_size if path.exists() else 0
    # Nothing but a checkpoint writes to the file itself.
    since = rfc3339(patient.site.runs_db.stat().st_mtime)
    what = f"the WAL takes {format_size(size)}; the last checkpoint was at {since}"
    if size > _LONG_WAL:
        do = "somebody keeps reading the run log, or no scheduler runs: look who has it open"
        yield found("wal", Level.WARNING, what, do)
    else:
        yield found("wal", Level.OK, what)


def retention(patient: Patient) -> Iterator[Finding]:
    """Tell how much there is, and whether what is too old goes."""
    keep = patient.site.settings.keep_runs
    with opened(patient.site) as checker:
        if checker is None:
            return
        size, oldest = checker.size(), checker.oldest()
    what = f"the run log takes {format_size(size)}; keep_runs is {format_duration(keep)}"
    if oldest is None:
        yield found("retention", Level.OK, f"{what}; it holds no verdict")
        return
    what += f", the oldest verdict of {rfc3339(oldest)}"
    if oldest < patient.site.now() - keep.total_seconds() - _LATE_PRUNING:
        do = "a scheduler prunes in the gaps between its slots: let one run"
        yield found("retention", Level.WARNING, what, do)
    else:
        yield found("retention", Level.OK, what)


def clock(patient: Patient) -> Iterator[Finding]:
    """Tell whether the clock is behind what was decided by it."""
    with opened(patient.site) as checker:
        if checker is None:
            return
        states = checker.states().values()
    newest = max((one.cursor for one in states if one.removed_at is None), default=0)
    if (behind := newest - patient.site.now()) <= 0:
        yield found("clock", Level.OK, "the clock is not behind the newest slot decided")
        return
    level = Level.PROBLEM if behind > CLOCK_BEHIND else Level.WARNING
    what = f"the clock is behind the newest slot decided, {rfc3339(newest)}"
    do = "set the clock; if it is right, slots are decided as they come due, and none twice"
    yield found("clock", level, what, do)


def records(patient: Patient) -> Iterator[Finding]:
    """Tell of records that no attempt needs any more."""
    with opened(patient.site) as checker:
        if checker is None:
            return
        stale = stale_records(patient.site, checker)
    if stale:
        what = f"{len(stale):,} records of attempts that are over, such as {stale[0]}"
        do = "restart the scheduler if one runs: a start makes use of them"
        yield found("records", Level.WARNING, what, do)
    else:
        yield found("records", Level.OK, "every record belongs to an attempt that goes on")
