"""Editing: what add, set, enable, disable, pause, resume and remove do to the manifest.

Each of them can be tried: with ``dry_run`` it answers the same, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import TIMETABLES, TIMING_KEYS
from flytesched.errors import InvalidSchedule, NotFound
from flytesched.service.selection import named, select

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.errors import Fault
    from flytesched.manifest.shared import Shared
    from flytesched.manifest.splice import Change

#: Refinements that belong to some kinds of timetable only, and go when the kind changes.
_ONLY = {"seconds": {"cron"}, "anchor": {"every"}, "offset": {*TIMETABLES} - {"every", "at"}}
_PAUSE = ("pause_reason", "paused_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """One schedule after an edit."""

    #: What changed in its table.
    change: Change
    #: The schedule as it was; None if there was none, or a faulty one.
    before: Schedule | None
    #: The schedule as it is now.
    schedule: Schedule


def add(
    site: Site, name: str, keys: Mapping[str, Any], *, replace: bool = False, dry_run: bool = False
) -> Edited:
    """Add a schedule to the manifest; its time zone is written down.

    Raises:
        InvalidSchedule: a key is wrong, or ``at`` has passed.
        InvalidTimetable: croniter reads the expression otherwise.
        Conflict: the name is taken, and ``replace`` is not set.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import put

    around = _shared(site)
    schedule, table = _definition(site, name, keys, around)
    change = put(
        site.settings.manifest, name, table, replace=replace, timezone=site.settings.timezone,
        dry_run=dry_run,
    )  # fmt: skip
    return Edited(change=change, before=_was(change, around), schedule=schedule)


def taken(site: Site) -> Mapping[str, Any]:
    """Return the tables of schedules by name, of a manifest that may have faults.

    Raises:
        InvalidManifest: it is no TOML.
    """
    found = _document(site).get("schedules", {})
    return found if isinstance(found, dict) else {}


def zone_of_new(site: Site) -> str:
    """Return the time zone of a schedule that names none."""
    return str(_shared(site).defaults["timezone"])


def drafted(site: Site, name: str, keys: Mapping[str, Any]) -> tuple[Schedule, dict[str, Any]]:
    """Return the schedule and the table that ``add`` would write, without looking at the name.

    Raises:
        InvalidSchedule: a key is wrong, or ``at`` has passed.
        InvalidTimetable: croniter reads the expression otherwise.
        InvalidManifest: the manifest cannot be read.
    """
    return _definition(site, name, keys, _shared(site))


def change(
    site: Site,
    words: Sequence[str],
    keys: Mapping[str, Any],
    unset: Sequence[str] = (),
    *,
    dry_run: bool = False,
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

    manifest = site.manifest()
    tables = manifest.tables
    names = named(manifest.schedules, words)
    changes = {name: _rewritten(name, tables[name], keys, unset) for name in names}
    after = {}
    for name, wish in changes.items():
        kept = {**tables[name], **wish}
        table = {key: value for key, value in kept.items() if value is not REMOVE}
        after[name] = _complete(name, table, manifest.shared)
        if not {*TIMETABLES, *TIMING_KEYS}.isdisjoint(wish):
            _doubt(after[name], site.now())
    done = update(site.settings.manifest, changes, timezone=site.settings.timezone, dry_run=dry_run)
    return [
        Edited(change=one, before=manifest.schedules[one.name], schedule=after[one.name])
        for one in done
    ]


def enable(
    site: Site, words: Sequence[str], labels: Sequence[str] = (), *, dry_run: bool = False
) -> list[Edited]:
    """Let the slots of schedules fall due, from now on; what is enabled stays as it is.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """

    def on(schedule: Schedule, defaults: Mapping[str, Any], now: float) -> dict[str, Any]:
        return {**_enabled(schedule, defaults), **_resumed(schedule, defaults, now)}

    return _switched(site, words, labels, on, dry_run=dry_run)


def disable(
    site: Site,
    words: Sequence[str],
    labels: Sequence[str] = (),
    *,
    reason: str | None = None,
    dry_run: bool = False,
) -> list[Edited]:
    """Let no slot of schedules fall due until they are enabled again.

    Args:
        site: whose manifest.
        words: names and patterns.
        labels: KEY=VALUE each.
        reason: why; without one the reason of what stops them already is kept.
        dry_run: whether to change nothing.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import REMOVE

    def off(schedule: Schedule, _defaults: Mapping[str, Any], now: float) -> dict[str, Any]:
        why = _because(reason, fresh=schedule.due_at(now))
        return {"enabled": False, "paused_until": REMOVE, **why}

    return _switched(site, words, labels, off, dry_run=dry_run)


def pause(
    site: Site,
    words: Sequence[str],
    labels: Sequence[str] = (),
    *,
    until: int,
    reason: str | None = None,
    dry_run: bool = False,
) -> list[Edited]:
    """Let no slot of schedules fall due for a time; those that are paused get this end.

    What is disabled stays as it is: it would be a surprise if the end of a pause enabled it.

    Args:
        site: whose manifest.
        words: names and patterns.
        labels: KEY=VALUE each.
        until: epoch second from which slots fall due again.
        reason: why; without one the reason of a pause that still lasts is kept.
        dry_run: whether to change nothing.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """

    def off(schedule: Schedule, _defaults: Mapping[str, Any], now: float) -> dict[str, Any]:
        if not schedule.enabled:
            return {}
        end = _moment(until, schedule.timing.timezone or site.settings.timezone)
        return {"paused_until": end, **_because(reason, fresh=schedule.due_at(now))}

    return _switched(site, words, labels, off, dry_run=dry_run)


def resume(
    site: Site, words: Sequence[str], labels: Sequence[str] = (), *, dry_run: bool = False
) -> list[Edited]:
    """End the pauses of schedules; what is disabled stays as it is, with its reason.

    Raises:
        NotFound: a word means no schedule.
        UsageError: a label is not KEY=VALUE.
        InvalidManifest: the manifest cannot be edited.
    """

    def on(schedule: Schedule, defaults: Mapping[str, Any], now: float) -> dict[str, Any]:
        return _resumed(schedule, defaults, now) if schedule.enabled else {}

    return _switched(site, words, labels, on, dry_run=dry_run)


def remove(site: Site, names: Sequence[str], *, dry_run: bool = False) -> list[Change]:
    """Remove schedules from the manifest: all of them, or none. Their history stays.

    Raises:
        NotFound: there is no such schedule.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest import edit

    return edit.remove(
        site.settings.manifest, names, timezone=site.settings.timezone, dry_run=dry_run
    )


def _enabled(schedule: Schedule, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key that enables; where [defaults] disable, taking it out won't do."""
    from flytesched.manifest.edit import REMOVE

    if schedule.enabled:
        return {}
    return {"enabled": True if defaults.get("enabled") is False else REMOVE}


def _resumed(schedule: Schedule, defaults: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return the keys that end a pause; where [defaults] pause, taking them out won't do."""
    from flytesched.manifest.edit import REMOVE

    on: dict[str, Any] = dict.fromkeys(_PAUSE, REMOVE)
    if "paused_until" in defaults:
        del on["paused_until"]
        if schedule.paused_until is not None and schedule.paused_until > now:
            on["paused_until"] = _moment(int(now), "UTC")
    return on


def _because(reason: str | None, *, fresh: bool) -> dict[str, Any]:
    """Return the key of a reason; what is stopped afresh does not take over an earlier one."""
    from flytesched.manifest.edit import REMOVE

    if reason is None:
        return {"pause_reason": REMOVE} if fresh else {}
    return {"pause_reason": reason}


def _switched(
    site: Site,
    words: Sequence[str],
    labels: Sequence[str],
    wish: Callable[[Schedule, Mapping[str, Any], float], Mapping[str, Any]],
    *,
    dry_run: bool,
) -> list[Edited]:
    """Enable, disable or pause: change what ``wish`` says of a schedule, [defaults] and now."""
    from flytesched.manifest.edit import update

    manifest, now = site.manifest(), site.now()
    changes = {
        name: wish(schedule, manifest.defaults, now)
        for name, schedule in select(manifest.schedules, words, labels).items()
    }
    done = update(site.settings.manifest, changes, timezone=site.settings.timezone, dry_run=dry_run)
    return [
        Edited(
            change=one,
            before=manifest.schedules[one.name],
            schedule=_complete(one.name, one.after or {}, manifest.shared),
        )
        for one in done
    ]


def _moment(epoch: int, zone: str) -> datetime:
    """Return an instant as the manifest holds it, on the clock of a zone."""
    from datetime import datetime

    from flytesched.core.instants import rfc3339_local

    return datetime.fromisoformat(rfc3339_local(epoch, zone))


def _shared(site: Site) -> Shared:
    """Return what schedules share in a manifest that may have faults."""
    from flytesched.manifest.shared import shared

    return shared(_document(site), site.settings.timezone)


def _definition(
    site: Site, name: str, keys: Mapping[str, Any], around: Shared
) -> tuple[Schedule, dict[str, Any]]:
    """Return the schedule that keys make, and its table with the time zone in it."""
    schedule = _complete(name, keys, around)
    _doubt(schedule, site.now())
    table, zone = dict(keys), schedule.timing.timezone
    if zone is None and schedule.timing.days_off is not None:
        # It follows no wall clock, but its days off do.
        zone = keys.get("timezone", around.defaults["timezone"])
    if zone is not None:
        table["timezone"] = zone
    return schedule, table


def _was(change: Change, around: Shared) -> Schedule | None:
    """Return the schedule before a change, if it was one."""
    from flytesched.manifest.shared import build

    built = build(change.name, change.before or {}, around)
    return built[0] if isinstance(built, tuple) else None


def _complete(name: str, keys: Mapping[str, Any], around: Shared) -> Schedule:
    """Return the schedule that keys and what the manifest's schedules share make."""
    from flytesched.manifest.shared import build

    built = build(name, keys, around)
    if isinstance(built, tuple):
        return built[0]
    raise refusal(name, built)


def refusal(name: str, faults: Sequence[Fault]) -> InvalidSchedule:
    """Return the error of a table that is not in the manifest yet: its path says nothing there.

    What is wrong with a calendar or a channel that it names keeps its own.
    """
    from dataclasses import replace

    own = ("schedules", name)
    return InvalidSchedule(
        [replace(one, table=()) if one.table == own else one for one in faults], name=name
    )


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
    from flytesched.second_opinion import compare

    if schedule.timetable.next(int(now)) is None:
        raise InvalidSchedule([_over(schedule, int(now))], name=schedule.name)
    compare(schedule.timing, now)


def _over(schedule: Schedule, now: int) -> Fault:
    """Return what is wrong with a schedule that has no slot to come."""
    from dataclasses import replace

    from flytesched.core.timetables.parse import timetable
    from flytesched.errors import Fault

    kind = schedule.timing.kind
    if timetable(replace(schedule.timing, days_off=None)).next(now) is not None:
        what = "leave it no slot to come: it never fires"
        instead = "name others, or let its slots move to another day with on_holiday"
        return Fault(key="calendars", what=what, instead=instead)
    what = "has passed" if kind == "at" else "has no slot to come: it never fires"
    return Fault(key=kind, what=what, instead="write a time to come")


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
