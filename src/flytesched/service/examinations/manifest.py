"""Examinations of the manifest: whether it is in force, whose it is, and what it plans."""

from __future__ import annotations

import os
import pwd
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.core.instants import rfc3339
from flytesched.service.doctor import Level, found, such

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.schedule import Schedule
    from flytesched.service.doctor import Finding, Patient

#: So many starts in one second are a crowd.
CROWD = 2_000


def manifest(patient: Patient) -> Iterator[Finding]:
    """Tell whether the manifest is in force, here and for the scheduler."""
    path, seen = patient.site.settings.manifest, patient.seen
    if not os.path.lexists(path):
        yield found(
            "manifest", Level.OK, f"there is none at {path} yet", "'flytesched add' makes it"
        )
    elif seen.manifest_error is not None:
        said = seen.manifest_error.partition("\n")[0]
        do = "see every fault with: flytesched validate"
        if seen.scheduler is not None:
            do += "; until then the scheduler goes on with the last good set"
        yield found("manifest", Level.PROBLEM, f"it is broken: {said}", do)
    else:
        count = len(seen.schedules)
        schedules = f"{count:,} schedule{'' if count == 1 else 's'}"
        what = f"it can be read: {schedules}, {len(patient.due):,} of them enabled"
        yield found("manifest", Level.OK, what)
        yield from _not_in_force(patient)
    bound = seen.meta.get("manifest", patient.site.manifest_path)
    if bound != patient.site.manifest_path:
        what = f"{patient.site.settings.state_dir} belongs to another manifest: {bound}"
        do = "name that one, or another --state-dir; --rebind if the manifest has moved"
        yield found("manifest", Level.PROBLEM, what, do)


def _not_in_force(patient: Patient) -> Iterator[Finding]:
    """Yield why the scheduler could not take the manifest that we can read."""
    if patient.seen.scheduler is None:
        return
    if said := patient.seen.meta.get("manifest_error", "").partition("\n")[0]:
        do = "see that its user may read the manifest, then: flytesched validate"
        yield found("manifest", Level.PROBLEM, f"the scheduler could not read it: {said}", do)


def owner(patient: Patient) -> Iterator[Finding]:
    """Tell whether anybody but its owner may change what will run."""
    path = Path(patient.site.manifest_path)
    if not path.exists():
        yield found("owner", Level.OK, "there is no manifest that others could change")
        return
    faults = [*_changeable(path), *_changeable(path.parent)]
    yield from faults
    if not faults:
        yield found("owner", Level.OK, "only its owner may change the manifest")


def _changeable(path: Path) -> Iterator[Finding]:
    """Yield by whom a file, or the names in a folder, may be changed."""
    status = path.stat()
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & stat.S_IWOTH and not sticky:
        what = f"anybody may change {path}, and so what runs"
        yield found("owner", Level.PROBLEM, what, "chmod o-w it")
    elif status.st_mode & stat.S_IWGRP and not _private(status) and not sticky:
        what = f"a group may change {path}, and so what runs"
        yield found("owner", Level.WARNING, what, "chmod g-w it, unless all of them are trusted")
    elif status.st_uid not in {0, os.geteuid()}:
        what = f"another user owns {path}, and decides what runs"
        yield found("owner", Level.WARNING, what, "chown it, unless that is meant")


def _private(status: os.stat_result) -> bool:
    """Tell whether a group is its owner's alone, as most systems give each user one."""
    try:
        return pwd.getpwuid(status.st_uid).pw_gid == status.st_gid
    except KeyError:
        return False


def crowd(patient: Patient) -> Iterator[Finding]:
    """Tell whether very many schedules start at the same second."""
    jitterless = [each for each in patient.due if not each.jitter]
    counts: Counter[int] = Counter()
    if len(jitterless) >= CROWD:
        slots = (each.timetable.next(int(patient.seen.now)) for each in jitterless)
        counts.update(slot for slot in slots if slot is not None)
    slot, count = counts.most_common(1)[0] if counts else (0, 0)
    if count >= CROWD:
        what = f"{count:,} schedules without jitter start at {rfc3339(slot)}"
        yield found("crowd", Level.WARNING, what, "spread them: set jitter under [defaults]")
    else:
        yield found("crowd", Level.OK, "no crowd of schedules starts at one second")


def twins(patient: Patient) -> Iterator[Finding]:
    """Tell of schedules that run the same command at the same times."""
    families: dict[object, list[str]] = {}
    for each in patient.due:
        if each.command is not None:
            families.setdefault(_likeness(each), []).append(each.name)
    alike = [names for names in families.values() if len(names) > 1]
    for names in alike:
        what = f"{' and '.join(names) if len(names) == 2 else such(names)} run the same command"
        yield found("twins", Level.WARNING, f"{what} at the same times", "remove what is too much")
    if not alike:
        yield found("twins", Level.OK, "no two schedules run the same command at the same times")


def _likeness(schedule: Schedule) -> object:
    """Return what two schedules have in common that do the same."""
    env = tuple(sorted(schedule.env.items()))
    return schedule.timing, schedule.command, schedule.cwd, schedule.env_file, env
