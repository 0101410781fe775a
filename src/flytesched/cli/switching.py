"""What enable, disable, pause and resume share: that somebody is meant, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.cli.changes import differences, finish
from flytesched.errors import UsageError
from flytesched.service.selection import nobody

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    call: Call, done: Sequence[Edited], labels: Sequence[str] | None, *, dry_run: bool
) -> None:
    """Say of each schedule what changed, and how that moves its next slot."""
    if not done:
        call.talk(nobody(call.site.manifest().schedules, labels or ()))
    for edited in done:
        name = edited.change.name
        if not edited.change:
            call.line(f"{name}: already {_state(edited.schedule, call.now)}")
            continue
        for line in differences(edited):
            call.line(line)
        call.line(f"{name}: next: {_next(call, edited.before)} -> {_next(call, edited.schedule)}")
    finish(call, dry_run=dry_run)


def _state(schedule: Schedule, now: float) -> str:
    if not schedule.enabled:
        return "disabled"
    return "enabled" if schedule.due_at(now) else "paused"


def _next(call: Call, schedule: Schedule | None) -> str:
    from flytesched.service.listing import first

    slots = [] if schedule is None else first(schedule, call.now, 1)
    return call.clock(slots[0]) if slots else "(none)"
