"""Backfill: run past slots that were never decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flytesched import wakeup
from flytesched.bootstrap import bind, definition
from flytesched.core.decision import Decision
from flytesched.core.gaps import held
from flytesched.core.runs import Origin, Run, RunStatus, run_id
from flytesched.core.timetables.on_holiday import left_out
from flytesched.core.timetables.parse import slots
from flytesched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Gap, ScheduleState

#: More slots than this in one call are refused.
MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """What a backfill finds between its two ends."""

    #: Slots never decided: those it runs, ascending.
    slots: tuple[int, ...]
    #: Slots that have a run.
    decided: int
    #: Slots that are missed or declined; ``flytesched catchup`` runs the missed ones.
    missed: int
    #: Slots that the scheduler is about to decide.
    coming: int
    #: Slots that fall on holidays and are left out, whatever became of them.
    left_out: int = 0


def look(site: Site, name: str, start: int, end: int) -> Backfill:
    """Return what a backfill of the slots in ``[start, end)`` would do. Changes nothing.

    Raises:
        NotFound: no schedule has that name.
        UsageError: the stretch is empty or holds over 100,000 slots.
    """
    schedule = definition(site, name)
    if start >= end:
        msg = "--from is not before --until"
        raise UsageError(msg, hint="--from is included, --until is not")
    now = int(site.now())
    until = min(end - 1, now)
    if schedule.timetable.count(start - 1, until) > MOST:
        msg = f"more than {MOST:,} slots lie between --from and --until"
        raise UsageError(msg, hint="backfill a shorter stretch at a time")
    every = list(slots(schedule.timetable, start - 1, until))
    rest = left_out(schedule.timing)
    holidays = 0 if rest is None else rest.count(start - 1, until)
    return replace(_look(site, name, every, start, until), left_out=holidays)


def _look(site: Site, name: str, every: Sequence[int], start: int, until: int) -> Backfill:
    """Return what the run log says of slots that run."""
    if (reader := site.reader()) is None:
        return _sort(every, set(), (), None)
    with reader:
        if start <= float(reader.meta().get("pruned_before", 0)):
            msg = "verdicts before --from were pruned, so nobody knows which slots ran"
            raise UsageError(msg, hint="begin later; keep_runs says how long verdicts are kept")
        ran = set(reader.decided(name, start - 1, until))
        ran |= {run.scheduled_at or 0 for run in reader.decided_before(name, start - 1, until)}
        gaps = [*reader.gaps([name]), *reader.gaps_before(name)]
        return _sort(every, ran, gaps, reader.states().get(name))


def _sort(
    every: Sequence[int], ran: set[int], gaps: Sequence[Gap], state: ScheduleState | None
) -> Backfill:
    undecided = [slot for slot in every if slot not in ran]
    missed = {slot for gap in gaps for slot in held(gap, undecided)}
    coming = {s for s in every if state is not None and state.enabled and s > state.cursor} - ran
    free = [slot for slot in every if slot not in ran and slot not in missed and slot not in coming]
    return Backfill(
        slots=tuple(free), decided=sum(slot in ran for slot in every), missed=len(missed),
        coming=len(coming - missed),
    )  # fmt: skip


def request(site: Site, name: str, start: int, end: int, *, parallel: int = 1) -> list[Run]:
    """Queue the runs of a backfill, and return those that won.

    Args:
        name: the schedule.
        start: epoch second of the first instant.
        end: epoch second before which.
        parallel: how many of them may run at once.

    Raises:
        NotFound: no schedule has that name.
        Conflict: the state directory belongs to another manifest.
        UsageError: the stretch is empty or too long.
    """
    found = look(site, name, start, end)
    runlog = site.runlog()
    try:
        bind(site, runlog, rebind=False)
        now, revision = site.now(), runlog.revision(name)
        runs = [
            Run(
                id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.BACKFILL,
                status=RunStatus.QUEUED, created=now, parallel=parallel, revision=revision,
            )
            for slot in found.slots
        ]  # fmt: skip
        lost = runlog.apply(Decision(runs=tuple(runs))) if runs else frozenset()
    finally:
        runlog.close()
    wakeup.touch(site.settings.state_dir)
    return [run for run in runs if run.id not in lost]
