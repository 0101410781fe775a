"""Schedule: a named definition that checks itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypedDict

from flytesched.core.instants import to_epoch, to_utc
from flytesched.core.keys import ALL_KEYS, KEYS, NAME, NAME_RULE, Command, read_instant
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.parse import Timing, timetable
from flytesched.core.when import read_timing, zone_of
from flytesched.errors import Fault, Invalid, InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, timedelta
    from typing import Unpack

    from flytesched.core.calendars import Calendar
    from flytesched.core.policies import (
        CatchupPolicy,
        ExecutorKind,
        OnInterrupted,
        OverlapPolicy,
        RetryPolicy,
    )
    from flytesched.core.timetables.parse import Timetable


class ScheduleKeys(TypedDict, total=False):
    """What ``Schedule(...)`` takes: the keys of the manifest, as the manifest spells them."""

    cron: str
    aws_cron: str
    every: str | timedelta
    daily: str | Sequence[str]
    hourly: int | Sequence[int]
    at: str | datetime | date
    seconds: bool
    timezone: str
    start: str | datetime | date
    end: str | datetime | date
    anchor: str | datetime | date
    offset: str | timedelta
    calendars: Sequence[Calendar]
    on_holiday: str
    command: str | Sequence[str] | Command | None
    description: str
    labels: Mapping[str, str]
    enabled: bool
    paused_until: str | datetime | date
    pause_reason: str
    jitter: str | timedelta
    executor: str
    cwd: str
    env: Mapping[str, str]
    env_file: str
    shell: str
    kickoff_time_arg: str
    overlap: str
    queue_limit: int
    catchup: str
    catchup_window: str | timedelta
    catchup_limit: int
    timeout: str | timedelta
    kill_after: str | timedelta
    retry: Mapping[str, Any] | RetryPolicy
    on_interrupted: str
    survive: bool
    success_exit_codes: Sequence[int]
    on_success: str | Sequence[str]
    on_failure: str | Sequence[str]
    on_missed: str | Sequence[str]
    on_recovered: str | Sequence[str]
    on_late: str | Sequence[str]
    on_long: str | Sequence[str]
    notify: str | Sequence[str]
    ping_url: str
    late_after: str | timedelta
    long_after: str | timedelta


@dataclass(frozen=True, slots=True, init=False)
class Traits:
    """What a schedule says beside its name, its timing and its command."""

    #: What it is for.
    description: str | None
    #: Words to select it by.
    labels: Mapping[str, str]
    #: Whether its slots fall due.
    enabled: bool
    #: Epoch second from which its slots fall due again.
    paused_until: int | None
    #: Why it is disabled or paused.
    pause_reason: str | None
    #: Longest delay of a start.
    jitter: timedelta
    #: How the command is carried out.
    executor: ExecutorKind
    #: Directory to run in.
    cwd: str | None
    #: Environment variables.
    env: Mapping[str, str]
    #: File of environment variables.
    env_file: str | None
    #: Shell of a string command.
    shell: str
    #: Argument in front of the kickoff time.
    kickoff_time_arg: str | None
    #: What a slot does that meets an active run.
    overlap: OverlapPolicy
    #: How many runs may wait under ``queue``.
    queue_limit: int
    #: Which missed slots run by themselves.
    catchup: CatchupPolicy
    #: How old those may be.
    catchup_window: timedelta
    #: How many they may be.
    catchup_limit: int
    #: Longest attempt.
    timeout: timedelta | None
    #: Time between TERM and KILL.
    kill_after: timedelta
    #: Further attempts.
    retry: RetryPolicy
    #: What an interruption means.
    on_interrupted: OnInterrupted
    #: Whether commands outlive the scheduler.
    survive: bool
    #: Exit codes of success.
    success_exit_codes: tuple[int, ...]
    #: Hook after a success.
    on_success: Command | None
    #: Hook after a failure.
    on_failure: Command | None
    #: Hook after a gap.
    on_missed: Command | None
    #: Hook after the first success that follows a failure.
    on_recovered: Command | None
    #: Hook when a slot has not started in time.
    on_late: Command | None
    #: Hook when a run takes long.
    on_long: Command | None
    #: Channels to tell.
    notify: tuple[str, ...]
    #: Where starts and ends are pinged.
    ping_url: str | None
    #: How long after its slot and jitter a start is late.
    late_after: timedelta
    #: How long after its first start a run takes long.
    long_after: timedelta | None


# To the reader, and to a type checker, a schedule has these itself. There may be a hundred
# thousand schedules, and most say the same: they share one object.
if TYPE_CHECKING:
    _Base = Traits
else:
    _Base = object


@dataclass(frozen=True, slots=True, init=False)
class Schedule(_Base):
    """A named definition: when, what, under which policies.

    Takes every key of the manifest by its name and with its spelling; see flytesched.toml(5).
    Times are in ``timezone``, which is UTC unless a manifest or a Scheduler says otherwise.

    Raises:
        InvalidSchedule: (a ValueError) with every fault, not only the first.
    """

    #: Unique in its set.
    name: str
    #: When: the timetable and all that refines it.
    timing: Timing
    #: What to run; None where an executor of the Python API decides.
    command: Command | None
    #: Everything else.
    traits: Traits

    def __init__(self, name: str, **keys: Unpack[ScheduleKeys]) -> None:
        """Check and keep every key."""
        given = {key: value for key, value in keys.items() if value is not None}
        faults = _name_faults(name)
        unknown = (key for key in keys if key not in _KNOWN)
        faults += [_unknown(key) for key in islice(unknown, _UNKNOWN_SAID)]
        timing = read_timing(given, faults)
        kept = _read(given, faults)
        if faults:
            raise InvalidSchedule(faults, name=name if isinstance(name, str) else None)
        write = object.__setattr__
        write(self, "name", name)
        write(self, "timing", timing)
        write(self, "command", kept.pop("command", None))
        write(self, "traits", _traits(kept) if kept else _DEFAULT)

    @property
    def timetable(self) -> Timetable:
        """The timetable, shared by all schedules with the same timing."""
        return timetable(self.timing)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot later than an aware ``instant``, as UTC; None if there is none.

        Raises:
            Invalid: ``instant`` is naive.
        """
        slot = self.timetable.next(to_epoch(instant))
        return None if slot is None else to_utc(slot)

    def with_(self, **changes: Any) -> Schedule:
        """Return a copy with other kept values (not raw ones)."""
        twin = object.__new__(Schedule)
        for name in ("name", "timing", "command"):
            object.__setattr__(twin, name, changes.pop(name, getattr(self, name)))
        object.__setattr__(twin, "traits", _changed(self.traits, changes))
        return twin

    def due_at(self, now: float) -> bool:
        """Tell whether its slots are due at ``now``: enabled and not paused."""
        return self.enabled and (self.paused_until is None or self.paused_until <= now)

    def definition(self) -> str:
        """Return the definition as JSON for the record of revisions, without secrets."""
        said: dict[str, Any] = {"timing": self.timing.text}
        if self.command is not None:
            said["command"] = KEYS["command"].write(self.command)
        for key, default in () if self.traits is _DEFAULT else _DEFAULTS.items():
            value = getattr(self, key)
            if value is not default and value != default:
                said[key] = KEYS[key].write(value)
        return _ENCODER.encode(said)


_DEFAULTS = {key.name: key.default for key in KEYS.values() if key.name != "command"}
_DEFAULT = object.__new__(Traits)
for _name, _value in _DEFAULTS.items():
    object.__setattr__(_DEFAULT, _name, _value)
    setattr(Schedule, _name, property(attrgetter(f"traits.{_name}")))
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_KNOWN = frozenset(ALL_KEYS)
#: Unknown keys that are said; each costs a search for near names.
_UNKNOWN_SAID = 100


def _traits(kept: Mapping[str, Any]) -> Traits:
    """Return what differs from the defaults, one object for all that say the same."""
    try:
        return _shared(tuple(kept.items()))
    except TypeError:  # a table has no hash
        return _changed(_DEFAULT, kept)


@lru_cache(maxsize=2**10)
def _shared(kept: tuple[tuple[str, Any], ...]) -> Traits:
    return _changed(_DEFAULT, dict(kept))


def _changed(traits: Traits, changes: Mapping[str, Any]) -> Traits:
    """Return a copy with other values."""
    if not changes:
        return traits
    twin = object.__new__(Traits)
    for name in _DEFAULTS:
        object.__setattr__(twin, name, changes.get(name, getattr(traits, name)))
    return twin


def _name_faults(name: object) -> list[Fault]:
    if isinstance(name, str) and NAME.fullmatch(name):
        return []
    rule = NAME_RULE
    near = re.sub(r"[^A-Za-z0-9._-]+", "-", name).rstrip("-") if isinstance(name, str) else ""
    if NAME.fullmatch(near):
        rule += f", such as {near!r}"
    return [Fault(key="", what=f"{name!r} is not a name for a schedule", instead=rule)]


def _unknown(key: str) -> Fault:
    hint = suggest(key, ALL_KEYS) or "see flytesched.toml(5) for the keys there are"
    return Fault(key=key, what="is not a key of a schedule", instead=hint)


def _read(given: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return the kept values of raw keys; what cannot be kept is noted."""
    kept: dict[str, Any] = {}
    for key, raw in given.items():
        try:
            if key == "paused_until":
                kept[key] = read_instant(raw, zone_of(given))
            elif key in KEYS:
                kept[key] = KEYS[key].read(raw)
        except Invalid as error:
            faults.append(Fault(key=key, what=error.message, instead=error.hint))
    return kept
