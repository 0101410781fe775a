"""Messages: an event as facts that are stored and sent, and as a subject and a text for people.

Facts are one dict of JSON per notice, the same for every channel. What people read is made of the
facts alone, so that it can be made later, and elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core.durations import format_duration
from flytesched.core.instants import parse_instant, rfc3339, rfc3339_exact, rfc3339_local
from flytesched.core.telling.events import Event, Notice, NoticeStatus, about_gap
from flytesched.errors import FlyteschedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Told
    from flytesched.core.runs import Gap

    #: An event as JSON.
    Facts = Mapping[str, Any]

#: The version of the facts; a key that is added does not change it.
VERSION = 1
#: Characters of a subject, and of one line of a text.
_SUBJECT, _LINE = 150, 2000
#: What has happened to those that a digest counts; the worst comes first.
_WORDS = {
    Event.FAILURE: "failed", Event.MISSED: "missed", Event.LATE: "late",
    Event.LONG: "taking long", Event.RECOVERED: "recovered", Event.SUCCESS: "succeeded",
}  # fmt: skip
#: Schedules of which a digest tells one by one, and that its subject names.
_TOLD_SINGLY, _NAMED = 20, 3


def notices(
    told: Told, channels: Iterable[str], *, now: float, host: str, state_dir: str
) -> tuple[Notice, ...]:
    """Return a queued notice of what is told for each channel.

    Args:
        told: the event.
        channels: who is told.
        now: the wall clock in epoch seconds.
        host: name of this machine.
        state_dir: where log files are.
    """
    if not (names := tuple(channels)):
        return ()
    said = json.dumps(facts(told, now=now, host=host, state_dir=state_dir))
    return tuple(
        Notice(
            channel=name,
            event=told.event,
            schedule=told.schedule.name,
            about=about(told),
            facts=said,
            created=now,
            not_before=now,
        )
        for name in names
    )


def mark(told: Told, now: float) -> tuple[Notice, ...]:
    """Return the notice that stands for a hook having been told, where nothing else would.

    A verdict is stored once, and so its hook is told once. That a run is late or long is seen
    again by every scheduler that starts: it is told only where this notice was not yet there.
    """
    name = f"on_{told.event.value}"
    if told.event not in {Event.LATE, Event.LONG} or getattr(told.schedule, name) is None:
        return ()
    return (
        Notice(
            channel=name, event=told.event, schedule=told.schedule.name, about=about(told),
            facts="{}", created=now, status=NoticeStatus.SENT, ended=now,
        ),
    )  # fmt: skip


def about(told: Told) -> str:
    """Return what an event is about: the id of a run, or what stands for a gap.

    Raises:
        ValueError: it is about neither.
    """
    if told.run is not None:
        return told.run.id
    if told.gap is None:
        msg = f"{told.event} is about no run and no gap"
        raise ValueError(msg)
    return about_gap(told.gap.schedule, told.gap.after)


def facts(told: Told, *, now: float, host: str, state_dir: str) -> dict[str, Any]:
    """Return an event as JSON holds it."""
    schedule = told.schedule
    return {
        "version": VERSION,
        "event": told.event.value,
        "host": host,
        "schedule": schedule.name,
        "description": schedule.description,
        "labels": dict(schedule.labels),
        "timezone": schedule.timing.timezone,
        "at": rfc3339_exact(now if told.run is None else told.run.ended or now),
        "run": _run(told, now, state_dir),
        "gap": None if told.gap is None else _gap(told.gap),
    }


def facts_of_test(*, now: float, host: str) -> dict[str, Any]:
    """Return the facts of a message that tries a channel."""
    return {
        "version": VERSION, "event": Event.TEST.value, "host": host, "schedule": None,
        "description": None, "labels": {}, "timezone": None, "at": rfc3339_exact(now),
        "run": None, "gap": None,
    }  # fmt: skip


def _run(told: Told, now: float, state_dir: str) -> dict[str, Any] | None:
    if (run := told.run) is None:
        return None
    said: dict[str, Any] = {
        "id": run.id, "verdict": None if run.active else run.verdict(),
        "status": run.status.value, "reason": run.reason, "exit_code": run.exit_code,
        "scheduled_at": None if run.scheduled_at is None else rfc3339(run.scheduled_at),
    }  # fmt: skip
    if run.scheduled_at is not None:
        said["kickoff_at"] = rfc3339(told.schedule.timetable.kickoff(run.scheduled_at))
    lasted = None if run.started is None else (run.ended or now) - run.started
    log = None if told.attempt is None else told.attempt.log
    return said | {
        "started_at": None if run.started is None else rfc3339_exact(run.started),
        "ended_at": None if run.ended is None else rfc3339_exact(run.ended),
        "duration_seconds": None if lasted is None else round(max(0.0, lasted), 3),
        "attempt": run.attempt, "origin": run.origin.value,
        "log": None if log is None else f"{state_dir}/{log}",
    }  # fmt: skip


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "after": rfc3339(gap.after), "until": rfc3339(gap.until), "count": gap.count,
        "reason": gap.reason,
    }  # fmt: skip


# -- for people -----------------------------------------------------------------------------------


def subject(messages: Sequence[Facts]) -> str:
    """Return one line that says the most of one message, or of several that go together."""
    hosts = dict.fromkeys(str(said["host"]) for said in messages)
    told = headline(messages[0]) if len(messages) == 1 else _summary(messages)
    return _line(f"[flytesched {', '.join(hosts)}] {told}", _SUBJECT)


def text(messages: Sequence[Facts]) -> str:
    """Return lines that say all of one message, or the most of each of several."""
    if len(messages) == 1:
        return "".join(f"{_line(line)}\n" for line in _lines(messages[0]))
    schedules = _by_schedule(messages)
    lines = [_summary(messages), "", *map(_last, schedules[:_TOLD_SINGLY])]
    if (more := len(schedules) - _TOLD_SINGLY) > 0:
        lines.append(f"and of {more:,} schedules more; see: flytesched notify history")
    return "".join(f"{_line(line)}\n" for line in lines)


def headline(said: Facts) -> str:
    """Return one line that says what has happened."""
    name, run, gap = said["schedule"], said["run"] or {}, said["gap"] or {}
    match said["event"]:
        case Event.MISSED:
            slots = "1 slot" if gap["count"] == 1 else f"{gap['count']:,} slots"
            return f"{name}: missed {slots} ({gap['reason']})"
        case Event.LATE:
            return f"{name}: late, it has not started yet"
        case Event.LONG:
            return f"{name}: takes long, it has been running for {_lasted(run)}"
        case Event.RECOVERED:
            return f"{name}: succeeded again"
        case Event.TEST:
            return "this is a test: the channel works"
    return f"{name}: {run['verdict'] or run['status']}"


def _summary(messages: Sequence[Facts]) -> str:
    names = [those[0]["schedule"] for those in _by_schedule(messages)]
    named = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{len(messages):,} notices of {named}{more}: {_counts(messages)}"


def _by_schedule(messages: Sequence[Facts]) -> list[list[Facts]]:
    """Return the messages of each schedule; those of which the worst is told come first."""
    found: dict[str, list[Facts]] = {}
    for said in messages:
        found.setdefault(said["schedule"], []).append(said)
    worst = [*_WORDS].index
    return sorted(found.values(), key=lambda those: min(worst(said["event"]) for said in those))


def _last(those: Sequence[Facts]) -> str:
    """Return in one line what was last told of a schedule, and what there was in all."""
    said = f"{_time(those[-1])}  {headline(those[-1])}"
    return said if len(those) == 1 else f"{said}; in all: {_counts(those)}"


def _counts(messages: Sequence[Facts]) -> str:
    counts = Counter(said["event"] for said in messages)
    return ", ".join(f"{counts[event]:,} {word}" for event, word in _WORDS.items() if counts[event])


def _lines(said: Facts) -> Iterator[str]:
    yield headline(said)
    yield ""
    for word, value in _details(said):
        if value not in {None, ""}:
            yield f"{word + ':':14}{value}"


def _details(said: Facts) -> Iterator[tuple[str, Any]]:
    run, gap, zone = said["run"] or {}, said["gap"] or {}, said["timezone"]
    yield "schedule", said["schedule"]
    yield "description", said["description"]
    yield "run", run.get("id")
    yield "slot", _local(run.get("scheduled_at"), zone)
    yield "started", _local(run.get("started_at"), zone)
    yield "ended", (ended := _local(run.get("ended_at"), zone))
    yield "took", _lasted(run) if ended and run["started_at"] else None
    yield "attempt", run["attempt"] if run.get("attempt", 0) > 1 else None
    yield "log", run.get("log")
    yield "missed after", _local(gap.get("after"), zone)
    yield "last slot", _local(gap.get("until"), zone)
    yield "host", said["host"]
    yield "time", _time(said)


def _time(said: Facts) -> str:
    return str(_local(said["at"], said["timezone"]))


def _local(value: str | None, zone: str | None) -> str | None:
    """Return an instant on the clock of a zone, to the second, as people read it."""
    if value is None:
        return None
    epoch = parse_instant(f"{value[:19]}Z", "UTC")
    try:
        return rfc3339_local(epoch, zone or "UTC").replace("T", " ")
    except FlyteschedError:  # a zone that this machine does not know
        return rfc3339(epoch)


def _lasted(run: Facts) -> str:
    seconds = run["duration_seconds"]
    return format_duration(timedelta(seconds=round(seconds) if seconds >= 1 else seconds))


def _line(text: str, most: int = _LINE) -> str:
    """Return one line without what would break it, or control whoever shows it."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return line if len(line) <= most else f"{line[: most - 4]} ..."
