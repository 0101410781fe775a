"""Read a manifest: text to schedules, with every fault and its line."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched import settings
from flytesched.core.keys import ALL_KEYS, TIMETABLES
from flytesched.core.schedule import Schedule
from flytesched.core.suggestion import suggest
from flytesched.errors import Fault, InvalidManifest, InvalidSchedule
from flytesched.manifest.disk import NoManifest, Unreadable, load
from flytesched.manifest.document import MAX_DEPTH, MAX_PIECES, document
from flytesched.manifest.places import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping

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
#: Faults that are said; who wrote a thousand mends a few, and asks again.
MAX_FAULTS = 1000
#: What may stand at the top of a manifest.
TOP = ("version", "settings", "defaults", "schedules")
#: Keys that Python would take for its own arguments of ``Schedule(...)``.
_ARGUMENTS = frozenset({"name", "self"})
_OWN = ("name", "command", *TIMETABLES)
#: Defaults that count only for some timetables; elsewhere such a key is a fault.
_ONLY = {
    "seconds": ("cron",),
    "anchor": ("every",),
    "offset": ("cron", "aws_cron", "daily", "hourly"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest without faults."""

    #: Where it was read.
    path: Path
    #: The text as it stands in the file.
    text: str
    #: ``[settings]``, as written and checked.
    settings_table: Mapping[str, Any]
    #: ``[defaults]``, as written, and the time zone that counts where none is.
    defaults: Mapping[str, Any]
    #: The tables of the schedules, as written.
    tables: Mapping[str, Mapping[str, Any]]
    #: The schedules by name.
    schedules: Mapping[str, Schedule]


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
    defaults, default_faults = usable_defaults(model, timezone)
    tables = _tables(model.get("schedules", {}), faults)
    schedules = _schedules(tables, defaults, faults)
    settings_table = model.get("settings", {})
    if isinstance(settings_table, dict):
        faults += settings.check(dict(islice(settings_table.items(), MAX_FAULTS)))
    if faults := [*faults, *default_faults]:
        raise InvalidManifest(str(path), _placed(faults, text))
    return Manifest(
        path=path, text=text, settings_table=settings_table, defaults=defaults,
        tables=tables, schedules=schedules,
    )  # fmt: skip


def usable_defaults(model: Mapping[str, Any], timezone: str) -> tuple[dict[str, Any], list[Fault]]:
    """Return ``[defaults]`` with a time zone and without what is wrong in it, and its faults."""
    given = model.get("defaults", {})
    if not isinstance(given, dict):
        return {"timezone": timezone}, []  # the top's faults say it
    wrong = (key for key in given if key in _OWN or key not in ALL_KEYS)
    faults = [_misplaced_default(key) for key in islice(wrong, MAX_FAULTS)]
    good = {key: value for key, value in given.items() if key in ALL_KEYS and key not in _OWN}
    for probe in ({"cron": "0 0 * * *"}, {"every": "1h"}):
        kind = next(iter(probe))
        keys = {key: value for key, value in good.items() if kind in _ONLY.get(key, (kind,))}
        for fault in build("defaults", {"command": "true", **probe, **keys}, by_kind({})):
            if isinstance(fault, Fault) and (head := fault.key.partition(".")[0]) in good:
                faults.append(replace(fault, table=("defaults",)))
                del good[head]
    return {"timezone": timezone, **good}, faults


def by_kind(defaults: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return which defaults count for each kind of timetable, and for none at all."""
    return {
        kind: {key: value for key, value in defaults.items() if kind in _ONLY.get(key, (kind,))}
        for kind in ("", *TIMETABLES)
    }


def build(
    name: str, table: Mapping[str, Any], inherited: Mapping[str, Mapping[str, Any]]
) -> tuple[Schedule] | list[Fault]:
    """Return the one schedule that a table defines, or what is wrong with it.

    ``inherited`` is what ``by_kind`` makes of the defaults.
    """
    faults = []
    if "command" not in table:
        instead = 'write what to run, such as command = "backup.sh"'
        faults.append(Fault(key="", what="has no command", instead=instead))
    for key in () if _ARGUMENTS.isdisjoint(table) else _ARGUMENTS & table.keys():
        instead = "remove it: the name stands in the header"
        faults.append(Fault(key=key, what="is not a key of a schedule", instead=instead))
        table = {other: value for other, value in table.items() if other != key}
    if not isinstance(zone := table.get("timezone", ""), str):
        instead = "write an IANA name such as Europe/Berlin"
        faults.append(Fault(key="timezone", what=f"{zone!r} is not a string", instead=instead))
        table = {key: value for key, value in table.items() if key != "timezone"}
    kind = next((kind for kind in TIMETABLES if kind in table), "")
    try:
        schedule = Schedule(name, **{**inherited[kind], **table})
    except InvalidSchedule as error:
        faults += error.faults
    else:
        if not faults:
            return (schedule,)
    return [replace(fault, table=("schedules", name)) for fault in faults]


def _schedules(
    tables: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any], faults: list[Fault]
) -> dict[str, Schedule]:
    found: dict[str, Schedule] = {}
    inherited = by_kind(defaults)
    for name, table in tables.items():
        if len(faults) > MAX_FAULTS:
            break
        for built in build(name, table, inherited):
            if isinstance(built, Fault):
                faults.append(built)
            else:
                found[name] = built
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
            header = "[schedules.NAME]" if key == "schedules" else f"[{key}]"
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


def _misplaced_default(key: str) -> Fault:
    if key in _OWN:
        what, instead = "belongs to each schedule, not to [defaults]", "remove it here"
    else:
        near = suggest(key, [known for known in ALL_KEYS if known not in _OWN])
        what = "is not a key of [defaults]"
        instead = near or "see flytesched.toml(5) for the keys there are"
    return Fault(key=key, what=what, instead=instead, table=("defaults",))


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
