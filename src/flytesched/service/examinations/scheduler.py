"""Examinations of the scheduler at work: whether it runs, and how runs come out."""

from __future__ import annotations

import statistics
from datetime import timedelta
from typing import TYPE_CHECKING

from flytesched.core.durations import format_duration
from flytesched.core.instants import rfc3339
from flytesched.core.runs import FAILURES, RunStatus
from flytesched.service.doctor import Level, found
from flytesched.service.overview import OVERDUE_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.runs import Run
    from flytesched.runlog.reading import Reader
    from flytesched.service.doctor import Finding, Patient

#: Failures in a row that are no accident.
_IN_A_ROW = 3
#: Newest runs that are looked at to tell how a schedule does.
_RECENT = 20
#: A run is long if it takes so many times what is usual, and more than so many seconds.
_TIMES, _LEAST = 5, 300.0
#: Schedules whose past is looked up, and runs.
_MOST = 200
_DONE = (RunStatus.SUCCEEDED, *FAILURES)


def scheduler(patient: Patient) -> Iterator[Finding]:
    """Tell whether a scheduler runs."""
    seen = patient.seen
    if seen.lock_error is not None:
        do = "look at the file, and whose it is"
        yield found("scheduler", Level.PROBLEM, seen.lock_error, do)
    elif seen.scheduler is not None:
        what = f"it runs, pid {seen.scheduler.pid}, since {rfc3339(seen.scheduler.since)}"
        yield found("scheduler", Level.OK, what)
    elif any(each.due_at(seen.now) for each in seen.schedules.values()):
        what = "none runs, and slots fall due"
        do = "start one: flytesched service install --now, or flytesched run"
        yield found("scheduler", Level.WARNING, what, do)
    else:
        yield found("scheduler", Level.OK, "none runs, and no slot falls due")


def overdue(patient: Patient) -> Iterator[Finding]:
    """Tell which slots should have been decided long ago."""
    seen = patient.seen
    late = {} if seen.scheduler is None else seen.overdue
    for name, slot in late.items():
        what = f"{name}: the slot {rfc3339(slot)} is undecided"
        do = "see what the scheduler says: its log, and flytesched status"
        yield found("overdue", Level.PROBLEM, what, do)
    if not late:
        what = f"no scheduler leaves a slot undecided for more than {OVERDUE_AFTER} s"
        yield found("overdue", Level.OK, what)
    if count := sum(seen.missed.values()):
        what = f"missed slots that may still be caught up: {count:,}"
        yield found("overdue", Level.OK, what, "flytesched catchup --dry-run shows them")


def failing(patient: Patient) -> Iterator[Finding]:
    """Tell which schedules fail again and again."""
    streaks = _streaks(patient)
    for name, (streak, run) in streaks.items():
        many = f"{streak} times" if streak < _RECENT else f"{_RECENT} times or more"
        what = f"{name} failed {many} in a row, at last {run.verdict()}"
        yield found("failing", Level.WARNING, what, f"see why: flytesched logs {name}")
    if not streaks:
        what = f"no enabled schedule failed {_IN_A_ROW} times in a row"
        yield found("failing", Level.OK, what)


def _streaks(patient: Patient) -> dict[str, tuple[int, Run]]:
    due = {each.name for each in patient.due}
    names = [name for name in patient.seen.failing if name in due]
    if not names or (reader := patient.site.reader()) is None:
        return {}
    with reader:
        streaks = {name: _streak(reader, name) for name in names[:_MOST]}
    last = patient.seen.failing
    return {name: (n, last[name]) for name, n in streaks.items() if n >= _IN_A_ROW}


def _streak(reader: Reader, name: str) -> int:
    """Return how many of the newest runs failed, one after the other."""
    entries = reader.history([name], statuses=[*_DONE], limit=_RECENT)
    return next((n for n, each in enumerate(entries) if each.status == "succeeded"), len(entries))


def long_runs(patient: Patient) -> Iterator[Finding]:
    """Tell which runs take much longer than they use to."""
    running = [run for run in patient.seen.active if run.started is not None]
    usual = _usual(patient, running)
    long = [run for run in running if _is_long(run, usual.get(run.schedule), patient.seen.now)]
    for run in long:
        took, often = patient.seen.now - (run.started or 0), usual[run.schedule]
        what = f"{run.id} has been active for {_rough(took)}; {_rough(often)} is usual"
        do = f"see what it does: flytesched logs {run.id}; a timeout would end it"
        yield found("long_runs", Level.WARNING, what, do)
    if not long:
        what = "no run is active for much longer than is usual"
        yield found("long_runs", Level.OK, what)


def _rough(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


def _is_long(run: Run, usual: float | None, now: float) -> bool:
    took = now - (run.started or now)
    return usual is not None and took > max(_LEAST, _TIMES * usual)


def _usual(patient: Patient, running: list[Run]) -> dict[str, float]:
    """Return the median duration of the newest successes of schedules, in seconds."""
    names = list(dict.fromkeys(run.schedule for run in running))[:_MOST]
    if not names or (reader := patient.site.reader()) is None:
        return {}
    found: dict[str, float] = {}
    with reader:
        for name in names:
            entries = reader.history([name], statuses=[RunStatus.SUCCEEDED], limit=_RECENT)
            if took := [each.duration for each in entries if each.duration is not None]:
                found[name] = statistics.median(took)
    return found
