"""Punctuality: when a run that has not started is late, and when one that runs takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.telling.events import Event

if TYPE_CHECKING:
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule


def late_at(run: Run, schedule: Schedule) -> float | None:
    """Return when a live run is late, whatever it waits for; None for one that cannot be late.

    It is, ``late_after`` after its slot and jitter, unless it has started by then.
    """
    if run.live_slot is None or not run.active or run.started is not None:
        return None
    return max(run.live_slot, run.not_before) + schedule.late_after.total_seconds()


def long_at(run: Run, schedule: Schedule) -> float | None:
    """Return when a run takes long, ``long_after`` after its first start; None if it never does."""
    if schedule.long_after is None or not run.active or run.started is None:
        return None
    return run.started + schedule.long_after.total_seconds()


#: What a run is watched for: the event, and when it is due.
WATCHED = {Event.LATE: late_at, Event.LONG: long_at}
