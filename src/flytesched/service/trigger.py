"""Trigger: run a schedule now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flytesched import wakeup
from flytesched.bootstrap import bind, definition
from flytesched.core.gaps import holds
from flytesched.core.instants import rfc3339
from flytesched.core.policies import OverlapPolicy
from flytesched.core.runs import IN_PLACE, Origin, Reason, Run, RunStatus, request_id, run_id
from flytesched.core.timetables.on_holiday import every_slot
from flytesched.errors import Conflict, NoScheduler, UsageError
from flytesched.service.watch import settle

if TYPE_CHECKING:
    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.runlog.sqlite import SqliteRunLog


def trigger(
    site: Site, name: str, *, at: int | None = None, force: bool = False, detach: bool = False
) -> Run:
    """Write the wish to run a schedule now, and return the queued run.

    Args:
        name: the schedule; a disabled one may be triggered.
        at: epoch second of the slot to run; None for a run without a slot.
        force: run beside an active run, whatever ``overlap`` says.
        detach: nobody will see it through, so a scheduler must run.

    Raises:
        NotFound: no schedule has that name.
        Conflict: a run is active and ``overlap`` is ``skip``, or the slot has a run already, or
            was given up.
        NoScheduler: ``detach`` without a scheduler.
        UsageError: ``at`` is no slot, or has not come yet.
    """
    schedule = definition(site, name)
    if detach and ((holder := site.scheduler()) is None or holder.kind != "run"):
        msg = "no scheduler runs that could take this run"
        raise NoScheduler(msg, hint="start one with: flytesched run; or leave out --detach")
    now = site.now()
    if at is not None:
        _check_slot(schedule, at, now)
    settle(site)
    runlog = site.runlog()
    try:
        bind(site, runlog, rebind=False)
        if at is not None:
            _refuse_decided_before(runlog, name, at)
        stored = runlog.request(_wish(schedule, runlog, at, now, force=force))
        if stored is None:
            _taken(runlog, name, at or 0)
    finally:
        runlog.close()
    wakeup.touch(site.settings.state_dir)
    return stored


def _wish(
    schedule: Schedule, runlog: SqliteRunLog, at: int | None, now: float, *, force: bool
) -> Run:
    active = [run for run in runlog.active() if run.schedule == schedule.name]
    if active and not force:
        _make_way(schedule, runlog, active, now)
    return Run(
        id=request_id(Origin.MANUAL, schedule.name, now)
        if at is None
        else run_id(schedule.name, at),
        schedule=schedule.name,
        scheduled_at=at,
        origin=Origin.MANUAL,
        status=RunStatus.QUEUED,
        created=now,
        parallel=0 if force else 1,
        revision=runlog.revision(schedule.name),
    )


def _make_way(
    schedule: Schedule, runlog: SqliteRunLog, active: list[Run], now: float
) -> None:  # fmt: skip
    """Do what ``overlap`` says about the runs that are active."""
    if schedule.overlap is OverlapPolicy.SKIP:
        run = active[0]
        msg = f"{run.id} ({run.origin.value}) is {run.status.value}, and overlap is skip"
        raise Conflict(msg, hint="wait for it, cancel it, or pass --force to run beside it")
    if schedule.overlap is OverlapPolicy.REPLACE:
        for run in active:
            if run.status in IN_PLACE:
                runlog.note_end(run.id, f"cancelled({Reason.REPLACED.value})")
            else:
                runlog.cancel_waiting(run.id, Reason.REPLACED.value, now)


def _check_slot(schedule: Schedule, at: int, now: float) -> None:
    table = every_slot(schedule.timing)  # one that a calendar leaves out is asked for by its time
    if at > now:
        msg = f"the slot {rfc3339(at)} has not come yet"
        raise UsageError(msg, hint="leave out --at to run now")
    if table.next(at - 1) != at:
        before, after = table.previous(at), table.next(at)
        near = " and ".join(rfc3339(slot) for slot in (before, after) if slot is not None)
        msg = f"{rfc3339(at)} is no slot of {schedule.name}"
        raise UsageError(msg, hint=f"the nearest are {near}" if near else None)


def _refuse_decided_before(runlog: SqliteRunLog, name: str, at: int) -> None:
    """Refuse a slot that has its verdict under an earlier name, which no unique key tells."""
    for run in runlog.decided_before(name, at - 1, at):
        _taken(runlog, run.schedule, at)
    for gap in runlog.gaps_before(name):
        if holds(gap, at):
            _taken(runlog, gap.schedule, at)


def _taken(runlog: SqliteRunLog, name: str, at: int) -> NoReturn:
    taken = run_id(name, at)
    if runlog.runs([taken]):
        msg = f"the slot has a run already: {taken}"
        raise Conflict(msg, hint=f"run it again with: flytesched retry {taken}")
    holiday = Reason.HOLIDAY.value
    left_out = any(gap.closed_as == holiday and holds(gap, at) for gap in runlog.gaps([name]))
    why = "is on a holiday" if left_out else "was given up"
    msg = f"the slot of {taken} {why}, and a verdict never changes"
    raise Conflict(msg, hint="leave out --at to run now")
