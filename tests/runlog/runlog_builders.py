"""Short ways to make runs, attempts, gaps and states."""

from __future__ import annotations

from typing import Any

from flytesched.core.runs import (
    Attempt,
    Gap,
    Origin,
    Run,
    RunStatus,
    ScheduleState,
    request_id,
    run_id,
)
from flytesched.core.telling.events import Event, Notice
from flytesched.core.timetables.parse import make_timing

#: A round instant: 2026-11-21T00:00:00Z.
DAY = 1_795_219_200
MINUTELY = make_timing("every", "1m", timezone=None).text
SECONDLY = make_timing("every", "1s", timezone=None).text


def a_run(slot: int = DAY, *, schedule: str = "backup", **keys: Any) -> Run:
    """Return the claimed run of a slot."""
    given = {
        "id": run_id(schedule, slot),
        "origin": Origin.SCHEDULE,
        "status": RunStatus.CLAIMED,
        "created": float(slot),
        **keys,
    }
    if given["status"] not in {"queued", "claimed", "running", "retry_wait"}:
        given.setdefault("ended", given["created"] + 1)
    return Run(schedule=schedule, scheduled_at=slot, **given)


def a_manual_run(moment: float = DAY, *, schedule: str = "backup", **keys: Any) -> Run:
    """Return a queued run without a slot."""
    given = {
        "id": request_id(Origin.MANUAL, schedule, moment),
        "status": RunStatus.QUEUED,
        "created": moment,
        **keys,
    }
    return Run(schedule=schedule, scheduled_at=None, origin=Origin.MANUAL, **given)


def an_attempt(run: Run, number: int = 1, **keys: Any) -> Attempt:
    """Return an attempt of a run."""
    given = {"boot_id": "boot-1", "ordered": run.created, "log": f"logs/{run.id}.log", **keys}
    return Attempt(run=run.id, attempt=number, **given)


def a_gap(after: int, until: int, *, schedule: str = "backup", **keys: Any) -> Gap:
    """Return a gap of minutely slots."""
    given = {
        "count": until // 60 - after // 60,
        "reason": "no scheduler",
        "timing": MINUTELY,
        "created": float(until),
        **keys,
    }
    return Gap(schedule=schedule, after=after, until=until, **given)


def a_state(name: str = "backup", **keys: Any) -> ScheduleState:
    """Return what is remembered of an enabled schedule."""
    given = {"timing": MINUTELY, "enabled": True, "cursor": DAY, "seen_at": float(DAY), **keys}
    return ScheduleState(name=name, **given)


def a_notice(run: Run, **keys: Any) -> Notice:
    """Return a queued notice of a run's failure."""
    given = {
        "channel": "ops", "event": Event.FAILURE, "about": run.id, "facts": '{"version":1}',
        "created": run.created, **keys,
    }  # fmt: skip
    return Notice(schedule=run.schedule, **given)
