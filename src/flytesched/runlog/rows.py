"""Rows and values: how runs, attempts, gaps and states lie in their tables."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flytesched.core.runs import Attempt, Gap, Origin, Run, RunStatus, ScheduleState, run_id
from flytesched.core.telling.events import Event, Notice, NoticeStatus
from flytesched.errors import RunLogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Row = Sequence[Any]

#: Columns of a new run; its id is told by `asked`, `schedule` and `at`.
RUN = (
    "schedule", "at", "asked", "scheduled_at", "origin", "status", "reason", "exit_code",
    "not_before", "attempt", "reruns", "created", "started", "ended", "end_as", "retry_of",
    "revision", "parallel",
)  # fmt: skip
#: Columns of a run that is read.
_READ = ("seq", "id", *RUN[:1], *RUN[3:])
#: What a move may change.
MOVED = (
    "status", "reason", "exit_code", "not_before", "attempt", "reruns", "started", "ended",
    "end_as", "revision", "parallel",
)  # fmt: skip
ATTEMPT = (
    "run", "attempt", "boot_id", "ordered", "survive", "started", "pid", "pid_started", "deadline",
    "kill_after", "ended", "outcome", "exit_code", "cpu", "max_rss", "log",
)  # fmt: skip
GAP = (
    "schedule", "after", "until", "count", "reason", "timing", "created", "closed_at", "closed_as",
)  # fmt: skip
STATE = (
    "name", "revision", "timing", "enabled", "cursor", "seen_at", "paused_until", "removed_at",
)  # fmt: skip
NOTICE = (
    "channel", "event", "schedule", "about", "facts", "created", "status", "tries", "not_before",
    "ended", "why",
)  # fmt: skip

#: The runs that decide the slots of a schedule in ``(?, ?]``; `at` is the slot.
SLOTS = "schedule = ? AND asked = '' AND at > ? AND at <= ?"
#: The same for the slots of a row of gaps.
SLOTS_OF_GAP = (
    "runs.schedule = gaps.schedule AND asked = '' AND at > gaps.after AND at <= gaps.until"
)
# A run in a gap that is open or given up stays as long as the gap: without it, its slot would
# read as missed or declined.
#: Runs and gaps that got their verdict, or were closed, before ``:before``, and may be forgotten.
OLD_RUNS = """created < :before AND ended < :before AND (asked <> '' OR NOT EXISTS (
    SELECT 1 FROM gaps WHERE gaps.schedule = runs.schedule AND gaps.until >= runs.at
    AND gaps.after < runs.at AND gaps.closed_as IS NOT 'caught_up'))"""
OLD_GAPS = "until < :before AND closed_at < :before"
#: Notices that ended before ``:before``; what an active run was told of stands in its notices.
OLD_NOTICES = """ended < :before AND NOT EXISTS (
    SELECT 1 FROM runs WHERE runs.ended IS NULL AND runs.schedule = notices.schedule
    AND runs.id = notices.about)"""
#: How the second of a slot is written in an id, up to the year 9999.
_SLOT = re.compile(r"0|[1-9][0-9]{0,11}")
#: How the ids of slots begin.
SLOT_ID = "sched-"

_STATUS = {status.value: status for status in RunStatus}
_ORIGIN = {origin.value: origin for origin in Origin}
_EVENT = {event.value: event for event in Event}
_NOTICE_STATUS = {status.value: status for status in NoticeStatus}


def _getter(columns: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    # sqlite3 binds exact strings three times faster than members of a StrEnum.
    return attrgetter(*(f"{c}.value" if c in {"status", "origin", "event"} else c for c in columns))


#: From a value to its row, in the order of the columns above.
_run_row = _getter(RUN[3:])
moved_row = _getter(MOVED)
attempt_row = _getter(ATTEMPT)
gap_row = _getter(GAP)
state_row = _getter(STATE)
notice_row = _getter(NOTICE)


def run_row(run: Run) -> Row:
    """Return the row of a new run, in the order of `RUN`."""
    return (*place(run), *_run_row(run))


def place(run: Run) -> tuple[str, float, str]:
    """Return what a run is found by: schedule, at and asked.

    Raises:
        ValueError: a run that decides a slot has another id than its slot says.
    """
    if run.scheduled_at is None:
        return run.schedule, run.created, run.id
    if run.retry_of is not None:
        return run.schedule, run.scheduled_at, run.id
    if run.id != run_id(run.schedule, run.scheduled_at):
        msg = f"{run.id} is not the id of slot {run.scheduled_at} of {run.schedule}"
        raise ValueError(msg)
    return run.schedule, run.scheduled_at, ""


def where_id(said: str) -> tuple[str, tuple[Any, ...]]:
    """Return a condition that finds the run with an id through an index, and its values."""
    if not said.isascii():  # no id is otherwise, and SQLite takes no lone surrogate
        return "FALSE", ()
    if not said.startswith(SLOT_ID):
        return "asked = ? AND asked <> ''", (said,)
    name, _, slot = said.removeprefix(SLOT_ID).rpartition("-")
    if not _SLOT.fullmatch(slot):
        return "FALSE", ()
    return "schedule = ? AND at = ? AND asked = ''", (name, int(slot))


def columns(names: Sequence[str], prefix: str = "") -> str:
    """Return names as a list for SQL."""
    return ", ".join(f"{prefix}{name}" for name in names)


def places(names: Sequence[str]) -> str:
    """Return as many placeholders as there are names."""
    return ", ".join("?" * len(names))


def words(said: Iterable[str]) -> str:
    """Return words of the program itself as a list of texts for SQL."""
    return ", ".join(f"'{word}'" for word in sorted(said))


#: Columns that `to_run`, `to_attempt`, `to_gap`, `to_notice` and `to_state` take, for SELECT.
RUN_COLUMNS = columns(_READ, "runs.")
ATTEMPT_COLUMNS = "runs.id, " + columns(ATTEMPT[1:], "attempts.")
GAP_COLUMNS = columns(("id", *GAP), "gaps.")
NOTICE_COLUMNS = columns(("id", *NOTICE))
STATE_COLUMNS = columns(STATE, "schedules.") + ", revisions.definition"


_NULL = type(None)
#: What SQLite gives for a column, by the schema.
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("id", "schedule", "origin", "status", "run", "boot_id", "timing", "name", "definition",
         "channel", "event", "about", "facts"),
        (str,),
    ),
    **dict.fromkeys(
        ("reason", "end_as", "retry_of", "outcome", "log", "closed_as", "why"), (str, _NULL)
    ),
    **dict.fromkeys(
        ("seq", "attempt", "reruns", "revision", "parallel", "survive", "gap", "after", "until",
         "count", "enabled", "cursor", "notice", "tries"),
        (int,),
    ),
    **dict.fromkeys(
        ("scheduled_at", "exit_code", "pid", "pid_started", "max_rss", "paused_until"), (int, _NULL)
    ),
    **dict.fromkeys(("not_before", "created", "ordered", "kill_after", "seen_at"), (float,)),
    **dict.fromkeys(
        ("started", "ended", "deadline", "cpu", "closed_at", "removed_at"), (float, _NULL)
    ),
}  # fmt: skip


def _check(what: str, names: Sequence[str]) -> Callable[[Row], None]:
    """Return a check that rows are as this program writes them.

    A damaged file gives numbers for texts and nothing for what is never missing. The types that
    were found good are kept, since a start reads very many rows.
    """
    good: set[tuple[type, ...]] = set()

    def check(row: Row) -> None:
        types = tuple(map(type, row))
        if types not in good:
            for name, found in zip(names, types, strict=True):
                if found not in _TYPES[name]:
                    raise _damaged(what, name)
            good.add(types)

    return check


def _damaged(what: str, column: str) -> RunLogError:
    msg = f"the run log is damaged: there is {what} whose {column} cannot be"
    return RunLogError(msg, hint="see: flytesched db check")


_RUN = "a run"
_check_run = _check(_RUN, _READ)
_check_attempt = _check("an attempt", ATTEMPT)
_check_gap = _check("a gap", ("gap", *GAP))
_check_state = _check("a schedule", (*STATE, "definition"))
_NOTICE = "a notice"
_check_notice = _check(_NOTICE, ("notice", *NOTICE))


def to_run(row: Row) -> Run:
    """Return the run of a row of `RUN_COLUMNS`.

    Raises:
        RunLogError: there can be no such run. So do the others.
    """
    _check_run(row)
    if row[4] not in _ORIGIN or row[5] not in _STATUS:
        column = "status" if row[4] in _ORIGIN else "origin"
        raise _damaged(_RUN, column)
    return Run(
        seq=row[0], id=row[1], schedule=row[2], scheduled_at=row[3], origin=_ORIGIN[row[4]],
        status=_STATUS[row[5]], reason=row[6], exit_code=row[7], not_before=row[8],
        attempt=row[9], reruns=row[10], created=row[11], started=row[12], ended=row[13],
        end_as=row[14], retry_of=row[15], revision=row[16], parallel=row[17],
    )  # fmt: skip


def to_attempt(row: Row) -> Attempt:
    """Return the attempt of a row of `ATTEMPT_COLUMNS`."""
    _check_attempt(row)
    values = dict(zip(ATTEMPT, row, strict=True))
    return Attempt(**{**values, "survive": bool(values["survive"])})


def to_gap(row: Row) -> Gap:
    """Return the gap of a row of `GAP_COLUMNS`."""
    _check_gap(row)
    return Gap(**dict(zip(("id", *GAP), row, strict=True)))


def to_state(row: Row) -> ScheduleState:
    """Return the state of a row of `STATE_COLUMNS`."""
    _check_state(row)
    name, revision, timing, enabled, cursor, seen_at, paused_until, removed_at, definition = row
    return ScheduleState(
        name=name, revision=revision, timing=timing, enabled=bool(enabled), cursor=cursor,
        seen_at=seen_at, paused_until=paused_until, removed_at=removed_at, definition=definition,
    )  # fmt: skip


def to_notice(row: Row) -> Notice:
    """Return the notice of a row of `NOTICE_COLUMNS`."""
    _check_notice(row)
    if row[2] not in _EVENT or row[7] not in _NOTICE_STATUS:
        column = "status" if row[2] in _EVENT else "event"
        raise _damaged(_NOTICE, column)
    values = dict(zip(("id", *NOTICE), row, strict=True))
    return Notice(**{**values, "event": _EVENT[row[2]], "status": _NOTICE_STATUS[row[7]]})
