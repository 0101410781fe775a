"""Validation: every fault of a manifest, croniter's doubts included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.errors import Fault, InvalidManifest, InvalidTimetable

if TYPE_CHECKING:
    from pathlib import Path

    from flytesched.bootstrap import Site
    from flytesched.manifest import Manifest


def validate(site: Site, path: Path) -> Manifest:
    """Return the manifest at ``path`` if nothing is wrong with it.

    Raises:
        InvalidManifest: with every fault.
    """
    from flytesched.manifest import read

    manifest = read(path, timezone=site.settings.timezone)
    if faults := _doubts(manifest, site.now()):
        raise InvalidManifest(str(path), faults)
    return manifest


def checked(site: Site, content: bytes, path: Path, *, before: bytes) -> Manifest:
    """Return the manifest that an edited text holds, if nothing is wrong with what is new in it.

    Args:
        site: whose manifest it is to become.
        content: the text.
        path: the file it is in, for messages.
        before: the text that was edited; a doubt that it raised already was accepted.

    Raises:
        InvalidManifest: with every fault.
    """
    from dataclasses import replace

    from flytesched.manifest.read import parse

    timezone = site.settings.timezone
    manifest = parse(content, path, timezone=timezone)
    try:
        old = parse(before, path, timezone=timezone).schedules
    except InvalidManifest:
        old = {}
    new = {name: one for name, one in manifest.schedules.items() if old.get(name) != one}
    if faults := _doubts(replace(manifest, schedules=new), site.now()):
        raise InvalidManifest(str(path), faults)
    return manifest


def _doubts(manifest: Manifest, now: float) -> list[Fault]:
    """Return what croniter reads otherwise."""
    from flytesched.manifest.places import Lines
    from flytesched.second_opinion import compare

    faults = []
    lines: Lines | None = None
    for name, schedule in manifest.schedules.items():
        try:
            compare(schedule.timing, now)
        except InvalidTimetable as error:
            lines = lines or Lines(manifest.text)
            kind = schedule.timing.kind
            line = lines.of(("schedules", name, kind)) or 1
            faults.append(
                Fault(
                    key=kind,
                    what=error.message,
                    instead=error.hint,
                    table=("schedules", name),
                    line=line,
                )
            )
    return sorted(faults, key=lambda fault: fault.line or 0)
