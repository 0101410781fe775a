"""The shapes of ``--json``: values of the program as objects, times in RFC 3339 UTC."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flytesched.core.instants import rfc3339, rfc3339_exact

if TYPE_CHECKING:
    from flytesched.core.runs import Attempt, Gap, Run
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Notice
    from flytesched.runlog.history import Entry
    from flytesched.runlog.notices import ChannelRecord
    from flytesched.service.listing import Listed


def instant(epoch: float | None) -> str | None:
    """Return a slot as ``2026-11-21T02:00:00Z``."""
    return None if epoch is None else rfc3339(epoch)


def moment(epoch: float | None) -> str | None:
    """Return a moment with its milliseconds: ``2026-11-21T02:00:00.123Z``."""
    return None if epoch is None else rfc3339_exact(epoch)


def run(run: Run) -> dict[str, Any]:
    """Return a run."""
    return {
        "id": run.id,
        "schedule": run.schedule,
        "scheduled_at": instant(run.scheduled_at),
        "origin": run.origin.value,
        "status": run.status.value,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "attempt": run.attempt,
        "created_at": moment(run.created),
        "started_at": moment(run.started),
        "ended_at": moment(run.ended),
        "retry_of": run.retry_of,
    }


def attempt(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt."""
    return {
        "attempt": attempt.attempt,
        "pid": attempt.pid,
        "started_at": moment(attempt.started),
        "deadline": moment(attempt.deadline),
        "ended_at": moment(attempt.ended),
        "outcome": attempt.outcome,
        "exit_code": attempt.exit_code,
        "cpu_seconds": attempt.cpu,
        "max_rss_kib": attempt.max_rss,
        "log": attempt.log,
    }


def entry(entry: Entry) -> dict[str, Any]:
    """Return a line of the history: a run, or a missed slot."""
    return {
        "id": entry.id,
        "schedule": entry.schedule,
        "scheduled_at": instant(entry.scheduled_at),
        "origin": entry.origin,
        "status": entry.status,
        "reason": entry.reason,
        "exit_code": entry.exit_code,
        "attempt": entry.attempt,
        "created_at": moment(entry.created),
        "started_at": moment(entry.started),
        "ended_at": moment(entry.ended),
        "duration_seconds": rounded(entry.duration),
        "lag_seconds": rounded(entry.lag),
        "retry_of": entry.retry_of,
    }


def notice(notice: Notice) -> dict[str, Any]:
    """Return a notice; what it tells is told to its channel."""
    return {
        "channel": notice.channel,
        "event": notice.event.value,
        "schedule": notice.schedule,
        "about": notice.about,
        "status": notice.status.value,
        "why": notice.why,
        "tries": notice.tries,
        "created_at": moment(notice.created),
        "not_before": moment(notice.not_before or None),
        "ended_at": moment(notice.ended),
    }


def channel(name: str, record: ChannelRecord | None) -> dict[str, Any]:
    """Return how a channel has done; one that was never told anything has no record."""
    failing = None if record is None else record.failing
    lost = {} if record is None else {status.value: n for status, n in record.lost.items()}
    return {
        "channel": name,
        "waiting": 0 if record is None else record.waiting,
        "failing_since": None if failing is None else moment(failing[0]),
        "why": None if failing is None else failing[1],
        "failed": lost.get("failed", 0),
        "unknown": lost.get("unknown", 0),
        "dropped": lost.get("dropped", 0),
        "last_sent_at": None if record is None else moment(record.last_sent),
    }


def gap(gap: Gap) -> dict[str, Any]:
    """Return a stretch of missed slots."""
    return {
        "after": instant(gap.after),
        "until": instant(gap.until),
        "count": gap.count,
        "reason": gap.reason,
        "closed_at": moment(gap.closed_at),
        "closed_as": gap.closed_as,
    }


def listed(listed: Listed) -> dict[str, Any]:
    """Return a schedule as it stands."""
    from flytesched.service.days_off import calendars_of, on_holiday_of  # others need less

    schedule = listed.schedule
    return {
        "name": schedule.name,
        "description": schedule.description,
        "labels": dict(schedule.labels),
        "timetable": {"kind": schedule.timing.kind, "expression": schedule.timing.expression},
        "timezone": schedule.timing.timezone,
        "calendars": [*calendars_of(schedule.timing)],
        "on_holiday": on_holiday_of(schedule.timing),
        "state": listed.state,
        "enabled": schedule.enabled,
        "paused_until": instant(schedule.paused_until),
        "pause_reason": schedule.pause_reason,
        "next": instant(listed.next),
        "last": None if listed.last is None else run(listed.last),
        "active": [run(each) for each in listed.active],
        "missed": listed.missed,
    }


def definition(schedule: Schedule) -> dict[str, Any]:
    """Return what a definition says besides the defaults; env without its values."""
    found: dict[str, Any] = json.loads(schedule.definition())
    found.pop("timing")
    timing = json.loads(schedule.timing.text)
    if said := schedule.timing.off:
        calendars = [
            {key.removesuffix("_"): value for key, value in each.items()}
            for each in said["calendars"]
        ]
        timing["days_off"] = {**said, "calendars": calendars}
    return {**found, "timing": timing}


def rounded(seconds: float | None) -> float | None:
    """Return seconds to the millisecond."""
    return None if seconds is None else round(seconds, 3)
