"""What enable, disable, pause and resume share: that somebody is meant, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flytesched.cli.changes import differences, finish
from flytesched.errors import Conflict, UsageError
from flytesched.service.selection import nobody

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.cli.call import Call
    from flytesched.core.schedule import Schedule
    from flytesched.service.editing import Edited


def require_some(names: Sequence[str] | None, labels: Sequence[str] | None) -> None:
    """Refuse to mean every schedule by saying nothing.

    Raises:
        UsageError: neither names nor labels were given.
    """
    if not names and not labels:
        msg = "no schedule is named"
        raise UsageError(msg, hint="name schedules, or pass --label KEY=VALUE, or '*' for all")


def require_reason(reason: str | None) -> None:
    """Refuse a reason that says nothing.

    Raises:
        UsageError: it is empty.
    """
    if reason is not None and not reason.strip():
        msg = "--reason: it is empty"
        raise UsageError(msg, hint="write why, or leave --reason out")


def told(
    call: Call,
    done: Sequence[Edited],
    labels: Sequence[str] | None,
    *,
    dry_run: bool,
    aside: str | None = None,
    already: str | None = None,
) -> int | None:
    """Say of each schedule what changed, and how that moves its next slot.

    Args:
        call: whose terminal.
        done: what was edited.
        labels: those that were asked for.
        dry_run: whether nothing was.
        aside: what is said of a disabled schedule by a command that leaves those alone.
        already: what is said of others that did not change, if not in which state they are.

    Returns:
        The exit code of a conflict if all that is meant is left alone.
    """
    if not done:
        call.talk(nobody(call.site.manifest().schedules, labels or ()))
    for edited in done:
        name = edited.change.name
        if aside and not edited.schedule.enabled:
            call.talk(f"{name}: {aside}; see: flytesched enable")
        elif not edited.change:
            call.line(f"{name}: {already or f'already {_state(edited.schedule, call.now)}'}")
        else:
            _tell(call, edited)
    finish(call, dry_run=dry_run)
    alone = done and aside and not any(edited.schedule.enabled for edited in done)
    return Conflict.exit_code if alone else None


def _tell(call: Call, edited: Edited) -> None:
    for line in differences(_in_utc(edited) if call.utc else edited):
        call.line(line)
    old, new = _next(call, edited.before), _next(call, edited.schedule)
    if old != new:
        call.line(f"{edited.change.name}: next: {old} -> {new}")


def _in_utc(edited: Edited) -> Edited:
    """Return an edit whose instants are on the clock of UTC, as its next slot is."""
    change = edited.change
    moved = replace(change, before=_moved(change.before), after=_moved(change.after))
    return replace(edited, change=moved)


def _moved(table: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return table and {
        key: value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value
        for key, value in table.items()
    }


def _state(schedule: Schedule, now: float) -> str:
    if not schedule.enabled:
        return "disabled"
    return "enabled" if schedule.due_at(now) else "paused"


def _next(call: Call, schedule: Schedule | None) -> str:
    """Return the next slot on the clock that the end of a pause is written on."""
    from flytesched.cli.times import clock_of
    from flytesched.service.listing import first

    slots = [] if schedule is None else first(schedule, call.now, 1)
    if schedule is None or not slots:
        return "(none)"
    zone = schedule.timing.timezone or call.site.settings.timezone
    return clock_of("UTC" if call.utc else zone)(slots[0])
