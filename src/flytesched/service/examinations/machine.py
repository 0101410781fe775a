"""Examinations of the machine: who keeps its clock, and whose rules its time zones follow."""

from __future__ import annotations

import re
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux, settings
from flytesched.core.instants import to_utc
from flytesched.manifest import read
from flytesched.service.doctor import Level, found, such

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.service.doctor import Finding, Patient

#: Years after which rules of time zones are old: some country changes its own every year.
_OLD = 2


def time_service(_: Patient) -> Iterator[Finding]:
    """Tell whether something keeps the clock right."""
    kept = linux.clock_is_kept()
    if kept is None:
        yield found("time_service", Level.OK, "the kernel does not tell who keeps the clock right")
    elif kept:
        yield found("time_service", Level.OK, "the clock is kept right")
    else:
        do = "let something do so, such as: timedatectl set-ntp true; a container may ignore this"
        yield found("time_service", Level.WARNING, "nothing keeps the clock right", do)


def zones(patient: Patient) -> Iterator[Finding]:
    """Tell how old the rules of time zones are, and whose zone counts where none is named."""
    yield _rules(patient)
    yield from _unnamed(patient)


def _rules(patient: Patient) -> Finding:
    folder = next((each for each in map(Path, zoneinfo.TZPATH) if each.is_dir()), None)
    if folder is None:
        what = "this machine has no database of time zones"
        return found("zones", Level.PROBLEM, what, "install tzdata")
    if (version := _version(folder)) is None:
        return found("zones", Level.OK, f"time zones follow the rules in {folder}")
    what = f"time zones follow the rules of {version}, in {folder}"
    if to_utc(int(patient.seen.now)).year - int(version[:4]) >= _OLD:
        return found("zones", Level.WARNING, what, "bring tzdata up to date: countries change them")
    return found("zones", Level.OK, what)


def _version(folder: Path) -> str | None:
    """Return the release of a database, such as ``2026a``; most say it in one of two files."""
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (folder / name).open(encoding="ascii", errors="replace") as file:
                match = re.search(r"\b(\d{4}[a-z]{1,2})\b", file.readline(200))
        except OSError:
            continue
        if match is not None:
            return match[1]
    return None


def _unnamed(patient: Patient) -> Iterator[Finding]:
    """Yield which schedules would be planned on another clock by the scheduler than here."""
    site = patient.site
    here = site.settings.timezone
    # A service is told neither TZ nor our own variable, unless somebody writes them down.
    told = patient.environ if patient.knows_scheduler else {}
    there = settings.default_timezone(told)
    if here == there or patient.seen.manifest_error is not None:
        return
    names = _moved(patient, there)
    whose = "the scheduler" if patient.knows_scheduler else "a service"
    if names:
        origin = site.settings.origins["timezone"]
        what = f"{such(names)}: planned in {here} here ({origin}), and by {whose} in {there}"
        yield found("zones", Level.WARNING, what, "name a timezone under [defaults]")


def _moved(patient: Patient, zone: str) -> list[str]:
    """Return the schedules whose timing would be another one in another zone."""
    others = read(patient.site.settings.manifest, timezone=zone).schedules
    ours = patient.seen.schedules
    return [name for name, each in ours.items() if others[name].timing != each.timing]
