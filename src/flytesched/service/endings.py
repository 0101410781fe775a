"""Ending and repeating runs: cancel, retry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched import wakeup
from flytesched.core.runs import IN_PLACE, Origin, Reason, Run, RunStatus, request_id
from flytesched.errors import Conflict, NotFound
from flytesched.service.watch import find, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.bootstrap import Site


def active(site: Site, said: Sequence[str]) -> list[Run]:
    """Return the active runs that ids say, each once.

    Raises:
        NotFound: no run has that id.
        Conflict: a run has its verdict already.
    """
    settle(site)
    try:
        runs = {run.id: run for run in find(site, said)}
    except NotFound as error:
        names = site.manifest().schedules if site.manifest_error is None else {}
        if name := next((word for word in said if word in names), None):
            error.hint = f"{name!r} is a schedule; see its runs: flytesched ps {name}"
        raise
    for run in runs.values():
        if not run.active:
            msg = f"{run.id} has ended: {run.verdict()}"
            raise Conflict(msg, hint="only active runs can be cancelled; see: flytesched ps")
    return list(runs.values())


def cancel(site: Site, runs: Sequence[Run]) -> None:
    """Note that runs shall end; one that has meanwhile ended keeps its verdict.

    A waiting run has its verdict at once; a running one gets TERM from whoever holds the
    scheduler's lock, which ``see_through`` takes where nobody does.
    """
    runlog = site.runlog()
    try:
        for run in runs:
            waits = run.status not in IN_PLACE
            if not (waits and runlog.cancel_waiting(run.id, Reason.BY_USER.value, site.now())):
                runlog.note_end(run.id, f"cancelled({Reason.BY_USER.value})")
    finally:
        runlog.close()
    wakeup.touch(site.settings.state_dir)


def retry(site: Site, said: Sequence[str]) -> list[Run]:
    """Queue new runs of ended ones, with the same slot; the old rows stay.

    Raises:
        NotFound: no run has that id, or its schedule is gone.
        Conflict: a run is still active.
    """
    from flytesched.bootstrap import definition

    settle(site)
    runs = [replace(run, schedule=_name_now(site, run)) for run in find(site, said)]
    for run in runs:
        definition(site, run.schedule)
        if run.active:
            msg = f"{run.id} is still {run.status.value}"
            raise Conflict(msg, hint="wait for its verdict, or cancel it first")
    runlog = site.runlog()
    try:
        again = [_again(run, site.now(), runlog.revision(run.schedule)) for run in runs]
        stored = [runlog.request(run) for run in again]
    finally:
        runlog.close()
    wakeup.touch(site.settings.state_dir)
    return [run for run in stored if run is not None]


def _name_now(site: Site, run: Run) -> str:
    """Return the name that the schedule of a run has now."""
    from flytesched.runlog.renames import name_now

    if (reader := site.reader()) is None:
        return run.schedule
    with reader:
        return name_now(reader.all_renames(), run.schedule, run.created)


def _again(run: Run, now: float, revision: int) -> Run:
    return Run(
        id=request_id(Origin.RETRY, run.schedule, now), schedule=run.schedule,
        scheduled_at=run.scheduled_at, origin=Origin.RETRY, status=RunStatus.QUEUED, created=now,
        retry_of=run.id, revision=revision,
    )  # fmt: skip
