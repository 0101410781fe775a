"""Small makers of schedules, runs and outcomes for the tests of core."""

from __future__ import annotations

from typing import Any

from flytesched.core.calendars import Calendar
from flytesched.core.runs import AttemptKey, End, Origin, Outcome, Run, RunStatus
from flytesched.core.schedule import Schedule

#: A Tuesday in November 2023, 22:13 UTC, on the minute.
T = 1_699_999_980
#: The midnight after it.
MIDNIGHT = 1_700_006_400
#: That Tuesday is off, and each Wednesday.
TUESDAY = Calendar(name="company", dates={"2023-11-14": "Founders' Day"})
WEDNESDAYS = Calendar(name="midweek", weekdays=["wed"])


def schedule(name: str = "job", **keys: Any) -> Schedule:
    """Return a schedule of each minute, unless a timetable is given."""
    kinds = {"cron", "aws_cron", "every", "daily", "hourly", "at"}
    when = {} if kinds & keys.keys() else {"cron": "* * * * *"}
    return Schedule(name, **{"command": "true", **when, **keys})


def run(name: str = "job", slot: int | None = T, **fields: Any) -> Run:
    """Return a queued live run of a slot."""
    given = {
        "id": f"sched-{name}-{slot}",
        "origin": Origin.SCHEDULE,
        "status": RunStatus.QUEUED,
        "created": float(T),
        **fields,
    }
    return Run(schedule=name, scheduled_at=slot, **given)


def outcome(of: Run, end: End = End.EXITED, **fields: Any) -> Outcome:
    """Return how the present attempt of a run ended, a minute after T."""
    code = 0 if end is End.EXITED else None
    given = {"ended": T + 60.0, "exit_code": code, **fields}
    return Outcome(key=AttemptKey(of.id, of.attempt), end=end, **given)
