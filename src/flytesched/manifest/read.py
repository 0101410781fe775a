"""Read a manifest: text to schedules, with every fault and its line."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched import settings
from flytesched.core.keys import ALL_KEYS, TIMETABLES
from flytesched.core.suggestion import suggest
from flytesched.errors import Fault, InvalidManifest
from flytesched.manifest.disk import NoManifest, Unreadable, load
from flytesched.manifest.document import MAX_DEPTH, MAX_PIECES, NAMED, document
from flytesched.manifest.places import Lines
from flytesched.manifest.shared import MAX_FAULTS, build, shared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.core.calendars import Calendar
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.manifest.shared import Shared

__all__ = [
    "MAX_DEPTH",
    "MAX_PIECES",
    "Manifest",
    "NoManifest",
    "Unreadable",
    "document",
    "load_manifest",
    "parse",
    "read",
]

#: Format of the manifest.
VERSION = 1
#: What may stand at the top of a manifest.
TOP = ("version", "settings", "defaults", *NAMED, "schedules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest without faults."""

    #: Where it was read.
    path: Path
    #: The text as it stands in the file.
    text: str
    #: ``[settings]``, as written and checked.
    settings_table: Mapping[str, Any]
    #: What the schedules share: defaults, calendars and channels.
    shared: Shared
    #: The tables ``[calendars.NAME]`` and ``[channels.NAME]``, as written.
    named: Mapping[str, Mapping[str, Any]]
    #: The tables of the schedules, as written.
    tables: Mapping[str, Mapping[str, Any]]
    #: The schedules by name.
    schedules: Mapping[str, Schedule]

    @property
    def defaults(self) -> Mapping[str, Any]:
        """``[defaults]``, as written, and the time zone that counts where none is."""
        return self.shared.defaults

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendars by name."""
        return self.shared.calendars

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels by name."""
        return self.shared.channels


def read(path: Path, *, timezone: str = "UTC") -> Manifest:
    """Return the manifest in the file at ``path``.

    Args:
        path: the file; symbolic links are followed.
        timezone: zone of schedules where neither they nor ``[defaults]`` name one.

    Raises:
        NoManifest: there is no file.
        InvalidManifest: with every fault of the file.
    """
    return parse(load(path)[0], path, timezone=timezone)


def load_manifest(path: str | os.PathLike[str], *, timezone: str | None = None) -> list[Schedule]:
    """Return the schedules of the manifest at ``path``, in its order.

    Args:
        path: the file.
        timezone: zone of schedules where neither they nor ``[defaults]`` name one; if not given,
            FLYTESCHED_TIMEZONE, then the system's.

    Raises:
        InvalidManifest: (a ValueError) with every fault of the file.
    """
    zone = timezone or settings.default_timezone(os.environ)
    return list(read(Path(path), timezone=zone).schedules.values())


def parse(content: bytes | str, path: Path, *, timezone: str = "UTC") -> Manifest:
    """Return the manifest that ``content`` holds; ``path`` is for messages.

    Raises:
        InvalidManifest: with every fault, in the order of lines.
    """
    text, model = document(content, path)
    faults = top_faults(model)
    around = shared(model, timezone)
    tables = _tables(model.get("schedules", {}), faults)
    schedules = _schedules(tables, around, faults)
    settings_table = model.get("settings", {})
    if isinstance(settings_table, dict):
        faults += settings.check(dict(islice(settings_table.items(), MAX_FAULTS)))
    if faults := [*faults, *around.faults]:
        raise InvalidManifest(str(path), _placed(faults, text))
    return Manifest(
        path=path, text=text, settings_table=settings_table, shared=around,
        named={kind: model.get(kind, {}) for kind in NAMED}, tables=tables, schedules=schedules,
    )  # fmt: skip


def _schedules(
    tables: Mapping[str, Mapping[str, Any]], around: Shared, faults: list[Fault]
) -> dict[str, Schedule]:
    found: dict[str, Schedule] = {}
    for name, table in tables.items():
        if len(faults) > MAX_FAULTS:
            break
        for built in build(name, table, around):
            if not isinstance(built, Fault):
                found[name] = built
            elif built.table[0] not in NAMED:  # what is wrong with those is said once
                faults.append(built)
    return found


def _tables(schedules: object, faults: list[Fault]) -> dict[str, dict[str, Any]]:
    if not isinstance(schedules, dict):
        return {}  # the top's faults say it
    found: dict[str, dict[str, Any]] = {}
    for name, table in schedules.items():
        if isinstance(table, dict):
            found[name] = table
            continue
        if len(faults) > MAX_FAULTS:
            break
        instead = f"write a table, [schedules.{name}]"
        if name in ALL_KEYS:
            instead = f"write it below [schedules.NAME], not below [schedules]: {name} is a key"
        faults.append(Fault(key=name, what="is no table", instead=instead, table=("schedules",)))
    return found


def top_faults(model: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with a document but for what its tables hold."""
    unknown = (item for item in model.items() if item[0] not in TOP)
    faults = [_unknown_top(key, value) for key, value in islice(unknown, MAX_FAULTS)]
    version = model.get("version")
    if version is None:
        instead = f"write version = {VERSION} as the first line"
        faults.append(Fault(key="version", what="is missing", instead=instead))
    elif type(version) is not int or version != VERSION:
        what = f"is {version!r}, and this flytesched reads {VERSION}"
        faults.append(Fault(key="version", what=what, instead=f"write version = {VERSION}"))
    for key in TOP[1:]:
        if key in model and not isinstance(model[key], dict):
            header = f"[{key}.NAME]" if key in {"schedules", *NAMED} else f"[{key}]"
            faults.append(Fault(key=key, what="is no table", instead=f"write {header}"))
    return faults


def _unknown_top(key: str, value: object) -> Fault:
    if key in ALL_KEYS:
        instead: str | None = "write it below [schedules.NAME] or [defaults]"
    elif key in settings.SETTINGS:
        instead = "write it below [settings]"
    elif isinstance(value, dict) and any(kind in value for kind in TIMETABLES):
        instead = f"write [schedules.{key}]"
    elif near := suggest(key, TOP):
        instead = near
    else:
        instead = f"there are {', '.join(TOP)}"
    what = "is not a table of a manifest" if isinstance(value, dict) else "is not a key here"
    return Fault(key=key, what=what, instead=instead)


def _placed(faults: list[Fault], text: str) -> list[Fault]:
    """Return the faults with their lines, in the order of lines."""
    lines = Lines(text)
    placed = []
    for fault in faults[:MAX_FAULTS]:
        exact = (*fault.table, fault.key) if fault.key else fault.table
        line = lines.exactly(exact) or lines.of((*fault.table, *fault.key.split(".")))
        placed.append(replace(fault, line=line or 1))
    placed.sort(key=lambda fault: fault.line or 0)
    if len(faults) >= MAX_FAULTS:
        placed.append(Fault(key="", what="there may be more faults", instead="mend these first"))
    return placed
