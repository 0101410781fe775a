"""Editing: what add, set, enable, disable and remove do to the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import TIMETABLES, TIMING_KEYS
from flytesched.errors import InvalidSchedule, NotFound
from flytesched.service.selection import named, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.manifest.splice import Change

#: Refinements that belong to some kinds of timetable only, and go when the kind changes.
_ONLY = {"seconds": {"cron"}, "anchor": {"every"}, "offset": {*TIMETABLES} - {"every", "at"}}
_PAUSE = ("pause_reason", "paused_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """One schedule after an edit."""

    #: What changed in its table.
    change: Change
    #: The schedule as it is now.
    schedule: Schedule


def add(site: Site, name: str, keys: Mapping[str, Any], *, replace: bool = False) -> Edited:
    """Add a schedule to the manifest; its time zone is written down.

    Raises:
        InvalidSchedule: a key is wrong, or ``at`` has passed.
        InvalidTimetable: croniter reads the expression otherwise.
        Conflict: the name is taken, and ``replace`` is not set.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import put
    from flytesched.manifest.read import by_kind, usable_defaults

    defaults, _ = usable_defaults(_document(site), site.settings.timezone)
    schedule = _complete(name, keys, by_kind(defaults))
    _doubt(schedule, site.now())
    table = dict(keys)
    if schedule.timing.timezone is not None:
        table["timezone"] = schedule.timing.timezone
    change = put(
        site.settings.manifest, name, table, replace=replace, timezone=site.settings.timezone
    )
    return Edited(change=change, schedule=schedule)


def change(
    site: Site, words: Sequence[str], keys: Mapping[str, Any], unset: Sequence[str] = ()
) -> list[Edited]:
    """Set and remove keys of the schedules that ``words`` mean: of all, or of none.

    Another timetable takes the place of the one there is.

    Raises:
        NotFound: a word means no schedule, or a key to remove is not there.
        InvalidSchedule: a key is wrong, or ``at`` has passed.
        InvalidTimetable: croniter reads the expression otherwise.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import REMOVE, update
    from flytesched.manifest.read import by_kind

    manifest = site.manifest()
    tables, inherited = manifest.tables, by_kind(manifest.defaults)
    names = named(manifest.schedules, words)
    changes = {name: _rewritten(name, tables[name], keys, unset) for name in names}
    after = {}
    for name, wish in changes.items():
        kept = {**tables[name], **wish}
        table = {key: value for key, value in kept.items() if value is not REMOVE}
        after[name] = _complete(name, table, inherited)
        if not {*TIMETABLES, *TIMING_KEYS}.isdisjoint(wish):
            _doubt(after[name], site.now())
    done = update(site.settings.manifest, changes, timezone=site.settings.timezone)
    return [Edited(change=one, schedule=after[one.name]) for one in done]


def enable(site: Site, words: Sequence[str], labels: Sequence[str] = ()) -> list[Change]:
    """Let the slots of schedules fall due, from now on; what is enabled stays as it is.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import REMOVE, update

    manifest = site.manifest()
    names = select(manifest.schedules, words, labels)
    gone = dict.fromkeys(_PAUSE, REMOVE)
    on = {"enabled": True} if manifest.defaults.get("enabled") is False else {"enabled": REMOVE}
    return update(
        site.settings.manifest, {name: {**on, **gone} for name in names},
        timezone=site.settings.timezone,
    )  # fmt: skip


def disable(
    site: Site, words: Sequence[str], labels: Sequence[str] = (), *, reason: str | None = None
) -> list[Change]:
    """Let no slot of schedules fall due; what is disabled stays as it is.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import update

    names = select(site.manifest().schedules, words, labels)
    off: dict[str, Any] = {"enabled": False}
    if reason is not None:
        off["pause_reason"] = reason
    return update(
        site.settings.manifest, dict.fromkeys(names, off), timezone=site.settings.timezone
    )


def remove(site: Site, names: Sequence[str]) -> list[Change]:
    """Remove schedules from the manifest: all of them, or none. Their history stays."""
    from flytesched.manifest import edit

    return edit.remove(site.settings.manifest, names, timezone=site.settings.timezone)


def _complete(
    name: str, keys: Mapping[str, Any], inherited: Mapping[str, Mapping[str, Any]]
) -> Schedule:
    """Return the schedule that keys and the manifest's defaults, by kind, make."""
    from flytesched.manifest.read import build

    built = build(name, keys, inherited)
    if isinstance(built, tuple):
        return built[0]
    # The table is the one on the command line: its path says nothing there.
    from dataclasses import replace

    raise InvalidSchedule([replace(fault, table=()) for fault in built], name=name)


def _document(site: Site) -> Mapping[str, Any]:
    from flytesched.manifest.disk import NoManifest, load
    from flytesched.manifest.read import document

    path = site.settings.manifest
    try:
        return document(load(path)[0], path)[1]
    except NoManifest:
        return {}


def _doubt(schedule: Schedule, now: float) -> None:
    """Refuse what would surprise: what never fires, an expression others read otherwise."""
    from flytesched.errors import Fault
    from flytesched.second_opinion import compare

    kind = schedule.timing.kind
    if schedule.timetable.next(int(now)) is None:
        what = "has passed" if kind == "at" else "has no slot to come: it never fires"
        fault = Fault(key=kind, what=what, instead="write a time to come")
        raise InvalidSchedule([fault], name=schedule.name)
    compare(schedule.timing, now)


def _rewritten(
    name: str, table: Mapping[str, Any], keys: Mapping[str, Any], unset: Sequence[str]
) -> dict[str, Any]:
    from flytesched.manifest.edit import REMOVE

    for key in unset:
        if key not in table:
            msg = f"schedule {name!r} has no key {key!r} of its own"
            raise NotFound(msg, hint=f"see: flytesched show {name}")
    wish: dict[str, Any] = dict.fromkeys(unset, REMOVE)
    kind = next((kind for kind in TIMETABLES if kind in keys), None)
    if kind is not None:
        old = [other for other in TIMETABLES if other in table and other != kind]
        old += [key for key, kinds in _ONLY.items() if key in table and kind not in kinds]
        wish |= dict.fromkeys(old, REMOVE)
    return {**wish, **keys}
