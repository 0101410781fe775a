"""Renaming: a schedule gets another name, and its history follows.

The manifest alone says which schedules there are; that one of them had another name is noted in the
run log just before the manifest says so. A scheduler that sees the change goes on where the earlier
name ended. What still waits under that name does not: its ids are for ever.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from flytesched import wakeup
from flytesched.core.runs import WAITING
from flytesched.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run
    from flytesched.runlog.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """What a rename does, beside the name."""

    #: Its name.
    old: str
    #: The name it gets.
    new: str
    #: Whether the manifest says so already, as after a pull: only history has to follow.
    said: bool = False
    #: Runs that were started under the old name, and go on to their end.
    running: tuple[Run, ...] = ()
    #: Runs that wait under the old name; they become ``cancelled(removed)``.
    waiting: tuple[Run, ...] = ()
    #: Missed slots that wait for a catch-up; they become ``skipped(removed)``.
    missed: int = 0

    @property
    def leaves(self) -> bool:
        """Whether anything is left behind under the old name."""
        return bool(self.running or self.waiting or self.missed)


def foresee(site: Site, old: str, new: str) -> Rename:
    """Return what a rename would do; nothing is changed.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the other name is taken, or was until just now.
        InvalidManifest: the manifest cannot be edited, or would be faulty.
    """
    from flytesched.manifest.edit import rename

    try:
        rename(site.settings.manifest, old, new, timezone=site.settings.timezone, dry_run=True)
    except NotFound:
        if _is_said(site, old, new):
            return Rename(old=old, new=new, said=True)
        raise
    if (reader := site.reader()) is None:
        return Rename(old=old, new=new)
    with reader:
        _refuse_unseen(reader, old, new)
        active = [run for run in reader.active() if run.schedule == old]
        return Rename(
            old=old, new=new,
            running=tuple(run for run in active if run.status not in WAITING),
            waiting=tuple(run for run in active if run.status in WAITING),
            missed=reader.open_missed([old]).get(old, 0),
        )  # fmt: skip


def carry_out(site: Site, wish: Rename) -> None:
    """Give a schedule another name, in the manifest and in the run log.

    Raises:
        NotFound: there is no such schedule any more.
        Conflict: the other name is taken now, or somebody else edits the manifest.
        InvalidManifest: the manifest cannot be edited, or would be faulty.
        RunLogError: the run log cannot be written; nothing was changed.
    """
    from flytesched.manifest.edit import rename

    if wish.said:
        with _noted(site, wish.old, wish.new):
            return
    rename(
        site.settings.manifest, wish.old, wish.new, timezone=site.settings.timezone,
        beside=partial(_noted, site, wish.old, wish.new),
    )  # fmt: skip


def _is_said(site: Site, old: str, new: str) -> bool:
    """Tell whether the manifest has the new name, and the run log alone the old one.

    Raises:
        Conflict: history follows already.
    """
    if new not in site.manifest().schedules or (reader := site.reader()) is None:
        return False
    with reader:
        state, renames = reader.states().get(old), reader.all_renames()
    if state is None:
        return False
    gone = inf if state.removed_at is None else state.removed_at
    if any((one.name, one.was) == (new, old) and one.until >= gone for one in renames):
        msg = f"{old} was renamed to {new} already"
        raise Conflict(msg, hint=f"see: flytesched history {new}")
    return True


def _refuse_unseen(reader: Reader, old: str, new: str) -> None:
    """Refuse a name whose owner has another one that no scheduler has seen yet.

    What was decided under it would be taken for that of the schedule that gets it now.
    """
    for rename in reader.renames():
        if rename.was == new and rename.name != old:
            msg = f"{new} was renamed to {rename.name}, and no scheduler has seen that yet"
            raise Conflict(msg, hint="start one with: flytesched run, or choose another name")


@contextmanager
def _noted(site: Site, old: str, new: str) -> Iterator[None]:
    """Note a rename; what goes wrong then takes the note back."""
    if not site.runs_db.exists():
        yield  # nothing was ever decided
        return
    runlog = site.runlog()
    try:
        runlog.rename(new, old, site.now())
        try:
            yield
        except BaseException:
            runlog.rename(old, new, site.now())
            raise
    finally:
        runlog.close()
        wakeup.touch(site.settings.state_dir)
