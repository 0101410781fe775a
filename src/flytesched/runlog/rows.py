"""Rows and values: how runs, attempts, gaps and states lie in their tables."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flytesched.core.runs import Attempt, Gap, Origin, Run, RunStatus, ScheduleState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = Sequence[Any]

RUN = (
    "id", "schedule", "scheduled_at", "origin", "status", "reason", "exit_code", "not_before",
    "attempt", "reruns", "created", "started", "ended", "end_as", "retry_of", "revision",
    "parallel",
)  # fmt: skip
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

_STATUS = {status.value: status for status in RunStatus}
_ORIGIN = {origin.value: origin for origin in Origin}


def _getter(columns: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    # sqlite3 binds exact strings three times faster than members of a StrEnum.
    return attrgetter(*(f"{c}.value" if c in {"status", "origin"} else c for c in columns))


#: From a value to its row, in the order of the columns above.
run_row = _getter(RUN)
moved_row = _getter(MOVED)
attempt_row = _getter(ATTEMPT)
gap_row = _getter(GAP)
state_row = _getter(STATE)


def columns(names: Sequence[str], prefix: str = "") -> str:
    """Return names as a list for SQL."""
    return ", ".join(f"{prefix}{name}" for name in names)


def places(names: Sequence[str]) -> str:
    """Return as many placeholders as there are names."""
    return ", ".join("?" * len(names))


#: Columns that `to_run`, `to_attempt`, `to_gap` and `to_state` take, for SELECT.
RUN_COLUMNS = columns(("seq", *RUN), "runs.")
ATTEMPT_COLUMNS = "runs.id, " + columns(ATTEMPT[1:], "attempts.")
GAP_COLUMNS = columns(("id", *GAP), "gaps.")
STATE_COLUMNS = columns(STATE, "schedules.") + ", revisions.definition"


def to_run(row: Row) -> Run:
    """Return the run of a row of `RUN_COLUMNS`."""
    return Run(
        seq=row[0], id=row[1], schedule=row[2], scheduled_at=row[3], origin=_ORIGIN[row[4]],
        status=_STATUS[row[5]], reason=row[6], exit_code=row[7], not_before=row[8],
        attempt=row[9], reruns=row[10], created=row[11], started=row[12], ended=row[13],
        end_as=row[14], retry_of=row[15], revision=row[16], parallel=row[17],
    )  # fmt: skip


def to_attempt(row: Row) -> Attempt:
    """Return the attempt of a row of `ATTEMPT_COLUMNS`."""
    values = dict(zip(ATTEMPT, row, strict=True))
    return Attempt(**{**values, "survive": bool(values["survive"])})


def to_gap(row: Row) -> Gap:
    """Return the gap of a row of `GAP_COLUMNS`."""
    return Gap(**dict(zip(("id", *GAP), row, strict=True)))


def to_state(row: Row) -> ScheduleState:
    """Return the state of a row of `STATE_COLUMNS`."""
    values = dict(zip((*STATE, "definition"), row, strict=True))
    return ScheduleState(**{**values, "enabled": bool(values["enabled"])})
