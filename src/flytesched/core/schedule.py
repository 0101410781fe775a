"""Schedule: a named definition that checks itself."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypedDict

from flytesched.core.durations import parse_duration
from flytesched.core.instants import to_epoch, to_utc
from flytesched.core.keys import (
    ALL_KEYS,
    KEYS,
    NAME,
    TIMETABLES,
    TIMING_KEYS,
    Command,
    read_instant,
)
from flytesched.core.timetables.parse import Timing, make_timing, timetable
from flytesched.errors import Fault, Invalid, InvalidSchedule, InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, timedelta
    from typing import Unpack

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


@dataclass(frozen=True, slots=True, init=False)
class Schedule:
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

    def __init__(self, name: str, **keys: Unpack[ScheduleKeys]) -> None:
        """Check and keep every key."""
        given: dict[str, Any] = dict(keys)
        faults = _name_faults(name)
        faults += [_unknown(key) for key in given if key not in _KNOWN]
        values: dict[str, Any] = {"name": name, "timing": _timing(given, faults)}
        zone = (values["timing"] and values["timing"].timezone) or given.get("timezone") or "UTC"
        for key, spec in KEYS.items():
            values[key] = spec.default
            if key in given and (raw := given[key]) is not None:
                try:
                    if key == "paused_until" and not isinstance(raw, int):
                        raw = read_instant(raw, zone)
                    values[key] = spec.read(raw)
                except Invalid as error:
                    faults.append(Fault(key=key, what=error.message, instead=error.hint))
        if faults:
            raise InvalidSchedule(faults, name=name if isinstance(name, str) else None)
        for key, value in values.items():
            object.__setattr__(self, key, value)

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
        for field in fields(self):
            object.__setattr__(twin, field.name, changes.get(field.name, getattr(self, field.name)))
        return twin

    def due_at(self, now: float) -> bool:
        """Tell whether its slots are due at ``now``: enabled and not paused."""
        return self.enabled and (self.paused_until is None or self.paused_until <= now)

    def definition(self) -> str:
        """Return the definition as JSON for the record of revisions, env values left out."""
        said: dict[str, Any] = {"timing": self.timing.text}
        for key, spec in KEYS.items():
            if (value := getattr(self, key)) != spec.default:
                said[key] = spec.write(value)
        return json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)


_KNOWN = frozenset(ALL_KEYS)


def _name_faults(name: object) -> list[Fault]:
    if isinstance(name, str) and NAME.fullmatch(name):
        return []
    rule = "use letters, digits, '.', '_' and '-', beginning with a letter or digit, 100 at most"
    return [Fault(key="", what=f"{name!r} is not a name for a schedule", instead=rule)]


def suggest(word: str, known: Sequence[str]) -> str | None:
    """Return ``did you mean ...?`` for a near miss."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None


def _unknown(key: str) -> Fault:
    hint = suggest(key, ALL_KEYS) or "see flytesched.toml(5) for the keys there are"
    return Fault(key=key, what="is not a key of a schedule", instead=hint)


def _timing(given: Mapping[str, Any], faults: list[Fault]) -> Timing | None:
    """Return the timing, or None after noting why there is none."""
    kinds = [kind for kind in TIMETABLES if given.get(kind) is not None]
    if len(kinds) != 1:
        said = f"has both {kinds[0]} and {kinds[1]}" if kinds else "has no timetable"
        choice = ", ".join(TIMETABLES)
        faults.append(Fault(key="", what=said, instead=f"write exactly one of {choice}"))
        return None
    kind = kinds[0]
    before = len(faults)
    refined = _refinements(kind, given, faults)
    if len(faults) > before:
        return None
    try:
        return make_timing(kind, given[kind], **refined)
    except InvalidTimetable as error:
        key = "timezone" if error.field == "timezone" else kind
        faults.append(Fault(key=key, what=error.message, instead=error.hint))
        return None


def _refinements(kind: str, given: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return make_timing's keyword arguments from the keys that refine a timetable."""
    zone = given.get("timezone")
    found: dict[str, Any] = {"timezone": zone if kind != "every" else None}
    for key in TIMING_KEYS:
        if key == "timezone" or (raw := given.get(key)) is None:
            continue
        try:
            found[key] = _refinement(kind, key, raw, zone if isinstance(zone, str) else "UTC")
        except Invalid as error:
            faults.append(Fault(key=key, what=error.message, instead=error.hint))
    return found


def _refinement(kind: str, key: str, raw: Any, zone: str) -> int | bool:
    if key == "seconds":
        if kind != "cron" or not isinstance(raw, bool):
            msg = "belongs to cron and is true or false"
            raise Invalid(msg, hint="remove it")
        return raw
    if key == "anchor" and kind != "every":
        msg = "is the phase of every"
        raise Invalid(msg, hint="remove it")
    if key != "offset":
        return read_instant(raw, zone)
    if kind in {"every", "at"}:
        msg = "belongs to wall-clock timetables"
        raise Invalid(msg, hint="write anchor, or another time")
    offset = parse_duration(raw)
    if offset.microseconds:
        msg = "is not in whole seconds"
        raise Invalid(msg, hint="one second is the finest")
    return int(offset.total_seconds())
