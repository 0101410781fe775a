"""Revisions: what a schedule said when, and how an earlier definition comes back.

The run log remembers each definition from when a scheduler first saw it, without values of ``env``
and without the path of ``ping_url``, which may be secrets. So what comes back keeps today's, and
what has none today is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import SECRET_KEYS
from flytesched.core.spelling import Difference, calendars, default, differences, spelled
from flytesched.errors import Conflict, Fault, Invalid, InvalidSchedule, NotFound, UsageError
from flytesched.service.selection import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.manifest.read import Manifest
    from flytesched.runlog.reading import Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a schedule said for some time."""

    #: Number of the revision; None for what stands in the manifest and no scheduler has seen yet.
    number: int | None
    #: Moment a scheduler first saw it; None if none did.
    seen_at: float | None
    #: Its keys, as the manifest spells them, ``env`` without values; None if nobody can read it.
    keys: Mapping[str, Any] | None
    #: What the calendars said that it names, as the manifest spells it.
    calendars: Mapping[str, Any] = field(default_factory=dict)
    #: What differs from the version before it.
    changed: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All versions of one schedule."""

    #: Its name.
    name: str
    #: Its versions, the oldest first.
    versions: tuple[Version, ...]
    #: Whether it stands in the manifest now; None where that cannot be read.
    present: bool | None

    def version(self, number: int) -> Version:
        """Return the version with a number.

        Raises:
            NotFound: there is none.
        """
        for version in self.versions:
            if version.number == number:
                return version
        there = [str(version.number) for version in self.versions if version.number is not None]
        msg = f"{self.name} has no revision {number}"
        raise NotFound(msg, hint=f"there are {', '.join(there)}" if there else _NONE)

    def before_present(self) -> Version:
        """Return the version that was in force before the present one.

        Raises:
            NotFound: there is none.
        """
        back = 2 if self.present else 1
        if len(self.versions) < back:
            msg = f"{self.name} has no earlier definition"
            raise NotFound(msg, hint=_NONE)
        return self.versions[-back]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """An earlier definition on its way back into the manifest."""

    #: Name of the schedule.
    name: str
    #: The version that comes back.
    version: Version
    #: What changes in the manifest, ``env`` and ``ping_url`` apart: those stay.
    changed: tuple[Difference, ...]
    #: Whether the schedule is not in the manifest now.
    anew: bool
    #: Calendars that it names and that say other days off today; they stay as they are.
    other_days: tuple[str, ...]
    #: Variables of ``env`` that it had and that have no value today, and ``ping_url`` if that is
    #: so of it: they are left out.
    lost: tuple[str, ...]


_NONE = "a definition is recorded when a scheduler first sees it"


def past(site: Site, word: str) -> Past:
    """Return every version of a schedule, the oldest first; a removed one has a past as well.

    A manifest that cannot be read leaves what is recorded.

    Raises:
        NotFound: there is no such schedule, and never was.
        InvalidManifest: nothing is recorded of it, and the manifest cannot be read.
        UsageError: the word means several.
        RunLogError: the run log cannot be read.
    """
    try:
        name, *others = remembered(site, [word])
    except NotFound:
        site.manifest()  # a broken one may well name it: its own error comes first
        raise
    if others:
        msg = f"{word!r} means {len(others) + 1} schedules"
        raise UsageError(msg, hint="name one of them; see: flytesched list")
    versions = [_recorded(revision) for revision in _revisions(site, name)]
    try:
        schedule = site.manifest().schedules.get(name)
    except Invalid:
        return Past(name=name, versions=_compared(versions), present=None)
    if schedule is not None:
        today = _saying(Version(number=None, seen_at=None, keys=None), schedule.definition())
        if not versions or _said(versions[-1]) != _said(today):
            versions.append(today)
    return Past(name=name, versions=_compared(versions), present=schedule is not None)


def foresee(site: Site, word: str, number: int | None = None) -> Reversal:
    """Return what it takes to bring an earlier definition back; nothing is changed.

    Args:
        site: whose manifest.
        word: the schedule.
        number: the revision; None for the one before the present one.

    Raises:
        NotFound: there is no such schedule, or no such revision.
        Conflict: ``[defaults]`` say what it did without.
        Invalid: nobody can read it, it would be faulty today, or the manifest is.
    """
    manifest, seen = site.manifest(), past(site, word)
    version = seen.before_present() if number is None else seen.version(number)
    if version.keys is None:
        msg = f"revision {version.number} of {seen.name} cannot be read"
        raise Invalid(msg, hint="was it written by a newer version?")
    today = manifest.schedules.get(seen.name)
    changes = _changes(manifest, seen.name, _without_secrets(version.keys), site.now())
    return Reversal(
        name=seen.name, version=version, changed=tuple(changes), anew=today is None,
        other_days=_other_days(manifest, version.calendars),
        lost=tuple(_lost(version.keys, today)),
    )  # fmt: skip


def revert(site: Site, reversal: Reversal) -> None:
    """Write an earlier definition into the manifest.

    Raises:
        Conflict: somebody has added a schedule of that name meanwhile.
        NotFound: somebody has removed it meanwhile.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import REMOVE, put, update

    path, timezone = site.settings.manifest, site.settings.timezone
    if reversal.anew:
        put(path, reversal.name, _changed({}, reversal.changed), timezone=timezone)
        return
    wish = {one.key: REMOVE if one.after is None else one.after for one in reversal.changed}
    update(path, {reversal.name: wish}, timezone=timezone)


# -- versions -----------------------------------------------------------------------------------


def _revisions(site: Site, name: str) -> Sequence[Revision]:
    if (reader := site.reader()) is None:
        return ()
    with reader:
        return reader.revisions(name)


def _recorded(revision: Revision) -> Version:
    known = Version(number=revision.number, seen_at=revision.seen_at, keys=None)
    try:
        return _saying(known, revision.definition)
    except Invalid:
        return known


def _saying(version: Version, definition: str) -> Version:
    """Return a version with what its definition says.

    Raises:
        Invalid: nobody can read it.
    """
    return replace(version, keys=spelled(definition), calendars=calendars(definition))


def _said(version: Version) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    return version.keys, version.calendars


def changed(before: Version | None, after: Version) -> tuple[Difference, ...]:
    """Return what differs between two versions; of calendars that both name, what they say."""
    old = before.keys if before is not None else None
    days = before.calendars if before is not None else {}
    return (
        *differences(old or {}, after.keys or {}),
        *(
            Difference(key=f"calendars.{name}", before=days[name], after=said)
            for name, said in after.calendars.items()
            if days.get(name, said) != said
        ),
    )


def _compared(versions: Sequence[Version]) -> tuple[Version, ...]:
    """Return versions with what differs from the one before; of the first one, nothing does."""
    return tuple(
        replace(version, changed=changed(old, version))
        if old is not None and old.keys is not None and version.keys is not None
        else version
        for old, version in zip((None, *versions), versions, strict=False)
    )


# -- going back ---------------------------------------------------------------------------------


def _changes(
    manifest: Manifest, name: str, wanted: Mapping[str, Any], now: float
) -> list[Difference]:
    """Return what has to change in a table for a schedule to say what is wanted.

    What ``[defaults]`` say and the wanted definition did not is said again, with its default.
    """
    table = manifest.tables.get(name, {})
    today = manifest.schedules.get(name)
    is_now = {} if today is None else _without_secrets(spelled(today.definition()))
    changes = {one.key: one for one in differences(is_now, wanted)}
    built = _built(manifest, name, _changed(table, changes.values()))
    for one in differences(_without_secrets(spelled(built.definition())), wanted):
        if one.key != "on_holiday" or "calendars" in wanted:  # it goes with them
            changes[one.key] = _default(one, name)
    built = _built(manifest, name, _changed(table, changes.values()))
    if today is None or today.timing != built.timing:
        _refuse_over(built, now)
    return list(changes.values())


def _lost(keys: Mapping[str, Any], today: Schedule | None) -> Iterator[str]:
    """Yield what was never recorded and is not there today."""
    env = {} if today is None else today.env
    yield from sorted(keys.get("env", {}).keys() - env.keys())
    if "ping_url" in keys and (today is None or today.ping_url is None):
        yield "ping_url"


def _other_days(manifest: Manifest, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the calendars that do not say any more what they said."""
    from flytesched.core.spelling import spelled_calendar

    return tuple(
        name
        for name, days in said.items()
        if name in manifest.calendars and spelled_calendar(manifest.calendars[name]) != days
    )


def _default(inherited: Difference, name: str) -> Difference:
    """Return the change that says the default of a key which ``[defaults]`` say otherwise."""
    said = default(inherited.key)
    if said is None:
        msg = f"[defaults] say {inherited.key} for {name} today, and that revision had none"
        raise Conflict(msg, hint=f"take {inherited.key} out of [defaults] first")
    return replace(inherited, after=said)


def _changed(table: Mapping[str, Any], changes: Iterable[Difference]) -> dict[str, Any]:
    """Return a table with changes."""
    merged = {**table, **{one.key: one.after for one in changes}}
    return {key: value for key, value in merged.items() if value is not None}


def _built(manifest: Manifest, name: str, table: Mapping[str, Any]) -> Schedule:
    from flytesched.manifest.shared import build
    from flytesched.service.editing import refusal

    built = build(name, table, manifest.shared)
    if isinstance(built, tuple):
        return built[0]
    raise refusal(name, built)


def _refuse_over(schedule: Schedule, now: float) -> None:
    """Refuse to bring back what has no slot to come."""
    if schedule.timetable.next(int(now)) is None:
        what = "has no slot to come: it would never fire"
        fault = Fault(key=schedule.timing.kind, what=what, instead="add it anew with another time")
        raise InvalidSchedule([fault], name=schedule.name)


def _without_secrets(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if key not in SECRET_KEYS}
