"""What the schedules of a manifest share, and a schedule made of its table and that.

``[defaults]`` count where a table says nothing, ``[calendars.NAME]`` and ``[channels.NAME]`` where
it names them. What is wrong there is a fault of its own, said once, however many schedules it is
meant for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import ALL_KEYS, TIMETABLES
from flytesched.core.schedule import Schedule
from flytesched.core.suggestion import suggest
from flytesched.errors import Fault, InvalidChannel, InvalidSchedule
from flytesched.manifest.document import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flytesched.core.calendars import Calendar
    from flytesched.core.telling.channels import Channel

#: Faults that are said; who wrote a thousand mends a few, and asks again.
MAX_FAULTS = 1000
#: Keys that Python would take for its own arguments of ``Schedule(...)``.
_ARGUMENTS = frozenset({"name", "self"})
_OWN = ("name", "command", *TIMETABLES)
#: Defaults that count only for some timetables; elsewhere such a key is a fault.
_ONLY = {
    "seconds": ("cron",),
    "anchor": ("every",),
    "offset": ("cron", "aws_cron", "daily", "hourly"),
    # A fixed rate of elapsed time skips days off, whatever is said of days to move to.
    "on_holiday": ("cron", "aws_cron", "daily", "hourly", "at"),
}
#: What a calendar needs at least, for who has to write the first one.
_SUCH_AS = {
    "calendars": 'a table [calendars.{0}], such as: dates = ["12-25"]',
    "channels": 'a table [channels.{0}], such as: kind = "mail", to = ["root"]',
}
#: Names that are said where none is near.
_NAMES_SAID = 20

#: Faults of a table by its name.
Faulty = Mapping[str, "tuple[Fault, ...]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What counts for each schedule of a manifest, beside its own table."""

    #: ``[defaults]`` with a time zone, and without what is wrong in it.
    defaults: Mapping[str, Any]
    #: Those that count for each kind of timetable, and for none at all.
    by_kind: Mapping[str, Mapping[str, Any]]
    #: The calendars by name, but for those that have faults.
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    #: The channels by name, but for those that have faults.
    channels: Mapping[str, Channel] = field(default_factory=dict)
    #: What is wrong with the calendars and the channels that are left out.
    faulty: Mapping[str, Faulty] = field(default_factory=dict)
    #: Everything that is wrong in those three tables.
    faults: tuple[Fault, ...] = ()


def shared(model: Mapping[str, Any], timezone: str) -> Shared:
    """Return what the schedules of a document share.

    Args:
        model: the document; tables that are none are left out, as the top's faults say.
        timezone: zone of schedules where neither they nor ``[defaults]`` name one.
    """
    found: dict[str, dict[str, Any]] = {}
    faulty: dict[str, dict[str, tuple[Fault, ...]]] = {}
    for kind in NAMED:
        found[kind], faulty[kind] = _named(kind, model.get(kind))
    wrong = [fault for each in faulty.values() for faults in each.values() for fault in faults]
    bare = Shared(
        defaults={"timezone": timezone}, by_kind=_by_kind({}), calendars=found["calendars"],
        channels=found["channels"], faulty=faulty,
    )  # fmt: skip
    defaults, faults = _usable(model.get("defaults"), bare)
    defaults = {"timezone": timezone, **defaults}
    return replace(
        bare, defaults=defaults, by_kind=_by_kind(defaults), faults=(*faults, *wrong[:MAX_FAULTS])
    )


def build(name: str, table: Mapping[str, Any], around: Shared) -> tuple[Schedule] | list[Fault]:
    """Return the one schedule that a table defines, or what is wrong with it.

    To that belong the faults of a calendar or a channel that it names, with their own tables.
    """
    faults: list[Fault] = []
    elsewhere: list[Fault] = []
    table = _sifted(table, faults)
    kind = next((kind for kind in TIMETABLES if kind in table), "")
    keys = {**around.by_kind[kind], **table}
    if "calendars" in keys:
        _take_calendars(keys, around, faults, elsewhere)
    if "notify" in keys:
        _refuse_strangers("channels", keys["notify"], around, faults, elsewhere)
    try:
        schedule = _made(name, keys, table)
    except InvalidSchedule as error:
        faults += error.faults
    else:
        if not faults and not elsewhere:
            return (schedule,)
    return [*(replace(fault, table=("schedules", name)) for fault in faults), *elsewhere]


# -- one schedule -------------------------------------------------------------------------------


def _sifted(table: Mapping[str, Any], faults: list[Fault]) -> Mapping[str, Any]:
    """Return what of a table a schedule can be asked to read; the rest is noted."""
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
    return table


def _made(name: str, keys: dict[str, Any], own: Mapping[str, Any]) -> Schedule:
    """Return the schedule of keys, of which ``own`` stand in its table.

    ``on_holiday`` of ``[defaults]`` counts where it can: not without calendars, and elapsed time
    has no days that it could move to.

    Raises:
        InvalidSchedule: something is wrong with them.
    """
    if "on_holiday" not in keys or "on_holiday" in own:
        return Schedule(name, **keys)
    inherited = keys.pop("on_holiday")
    if not keys.get("calendars"):
        return Schedule(name, **keys)
    try:
        return Schedule(name, **keys, on_holiday=inherited)
    except InvalidSchedule as error:
        if all(fault.key != "on_holiday" for fault in error.faults):
            raise
        return Schedule(name, **keys)


def _take_calendars(
    keys: dict[str, Any], around: Shared, faults: list[Fault], elsewhere: list[Fault]
) -> None:
    """Put calendars in the place of their names, as far as they are there."""
    said = keys["calendars"]
    names = [said] if isinstance(said, str) else said
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        _refuse_strangers("calendars", names, around, faults, elsewhere)
    else:
        what, instead = f"{said!r} is not a list of names", 'write such as ["germany"]'
        faults.append(Fault(key="calendars", what=what, instead=instead))
        names = ["?"]  # whatever was meant
    there = [around.calendars[name] for name in names if name in around.calendars]
    keys["calendars"] = there if there or not names else [_without_days()]


def _refuse_strangers(
    kind: str, said: object, around: Shared, faults: list[Fault], elsewhere: list[Fault]
) -> None:
    """Note names that no table has, and what is wrong with the tables of the others."""
    known: Mapping[str, object] = getattr(around, kind)
    faulty = around.faulty.get(kind, {})
    names = said if isinstance(said, list | tuple) else [said]
    for name in dict.fromkeys(name for name in names if isinstance(name, str)):
        if name in faulty:
            elsewhere += faulty[name]
        elif name not in known:
            faults.append(_stranger(kind, name, [*known, *faulty]))


def _stranger(kind: str, name: str, known: Collection[str]) -> Fault:
    instead = suggest(name, [*known])
    if instead is None and known:
        more = ", ..." if len(known) > _NAMES_SAID else ""
        instead = f"there are {', '.join(islice(known, _NAMES_SAID))}{more}"
    key = "notify" if kind == "channels" else kind
    what = f"no {kind.removesuffix('s')} is named {name!r}"
    return Fault(key=key, what=what, instead=instead or f"write {_SUCH_AS[kind].format(name)}")


def _without_days() -> Calendar:
    """Return a calendar in the place of one that is missing, so that all else can be checked."""
    from flytesched.core.calendars import Calendar  # only a mistake, or a default, needs it

    return Calendar(name="none", dates=["1970-01-01"])


# -- what they share ----------------------------------------------------------------------------


def _usable(given: object, around: Shared) -> tuple[dict[str, Any], list[Fault]]:
    """Return ``[defaults]`` without what is wrong in it, and its faults."""
    if not isinstance(given, dict):
        return {}, []  # the top's faults say it
    wrong = (key for key in given if key in _OWN or key not in ALL_KEYS)
    faults = [_misplaced_default(key) for key in islice(wrong, MAX_FAULTS)]
    good = {key: value for key, value in given.items() if key in ALL_KEYS and key not in _OWN}
    for kind, value in (("cron", "0 0 * * *"), ("every", "1h")):
        for fault in _probed(kind, value, good, around):
            if (head := fault.key.partition(".")[0]) in good:
                faults.append(replace(fault, table=("defaults",)))
                del good[head]
    return good, faults


def _probed(kind: str, value: str, given: Mapping[str, Any], around: Shared) -> list[Fault]:
    """Return what is wrong with a schedule that says what ``[defaults]`` say for its kind."""
    keys = {"command": "true", kind: value, **_by_kind(given)[kind]}
    if "on_holiday" in keys and not keys.get("calendars"):
        # What to do with days off may be said for all; whether there are any, by each schedule.
        keys["calendars"] = "none"
        around = replace(around, calendars={**around.calendars, "none": _without_days()})
    built = build("defaults", keys, around)
    # What is wrong with a calendar itself is said of that.
    return [] if isinstance(built, tuple) else [one for one in built if one.table[0] not in NAMED]


def _by_kind(defaults: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return which defaults count for each kind of timetable, and for none at all."""
    return {
        kind: {key: value for key, value in defaults.items() if kind in _ONLY.get(key, (kind,))}
        for kind in ("", *TIMETABLES)
    }


def _misplaced_default(key: str) -> Fault:
    if key in _OWN:
        what, instead = "belongs to each schedule, not to [defaults]", "remove it here"
    else:
        near = suggest(key, [known for known in ALL_KEYS if known not in _OWN])
        what = "is not a key of [defaults]"
        instead = near or "see flytesched.toml(5) for the keys there are"
    return Fault(key=key, what=what, instead=instead, table=("defaults",))


def _named(kind: str, tables: object) -> tuple[dict[str, Any], dict[str, tuple[Fault, ...]]]:
    """Return what tables of tables say by name, and what is wrong with the others."""
    found: dict[str, Any] = {}
    faulty: dict[str, tuple[Fault, ...]] = {}
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if len(faulty) > MAX_FAULTS:
            break
        faults: list[Fault] = []
        one = _reader(kind)(name, table, faults)
        if faults:
            faulty[name] = tuple(replace(fault, table=(kind, name)) for fault in faults)
        else:
            found[name] = one
    return found, faulty


def _reader(kind: str) -> Callable[[str, object, list[Fault]], Any]:
    """Return what reads a table; a manifest without such tables loads none of it."""
    if kind == "calendars":
        from flytesched.core.calendars import read_calendar

        return read_calendar
    return _channel


def _channel(name: str, table: object, faults: list[Fault]) -> Channel | None:
    from flytesched.core.telling.channels import read_channel

    try:
        return read_channel(name, table)
    except InvalidChannel as error:
        faults += error.faults
        return None
