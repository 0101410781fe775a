"""Errands: what verbs do to runs, for somebody who goes on watching and sees nothing through.

Whatever has to be carried out needs a scheduler, then: it would wait for one unseen, and happen at
a time when nobody thinks of it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.runs import IN_PLACE
from flytesched.errors import NoScheduler
from flytesched.service import endings
from flytesched.service import trigger as requests

if TYPE_CHECKING:
    from flytesched.bootstrap import Site
    from flytesched.core.runs import Run


def cancel(site: Site, run_id: str) -> Run:
    """Let an active run end, and return it as it was.

    Raises:
        NotFound: there is no such run.
        Conflict: it has its verdict already.
        NoScheduler: it runs, and nobody is there to signal it.
    """
    (run,) = runs = endings.active(site, [run_id])
    if run.status in IN_PLACE:
        _require_scheduler(site, "end this run", f"flytesched cancel {run_id}")
    endings.cancel(site, runs)
    return run


def trigger(site: Site, name: str) -> Run:
    """Ask for a run of a schedule, and return it.

    Raises:
        NotFound: there is no such schedule.
        Conflict: one of its runs is in the way.
        NoScheduler: nobody is there to start it.
    """
    _require_scheduler(site, "start it", f"flytesched trigger {name}")
    return requests.trigger(site, name, detach=True)


def retry(site: Site, run_id: str) -> Run:
    """Queue a new run of one that has ended, and return the new one.

    Raises:
        NotFound: there is no such run, or its schedule is gone.
        Conflict: it is still active.
        NoScheduler: nobody is there to start it.
    """
    _require_scheduler(site, "start it", f"flytesched retry {run_id}")
    (run,) = endings.retry(site, [run_id])
    return run


def _require_scheduler(site: Site, what: str, command: str) -> None:
    """Refuse what nobody would carry out; the command, which sees it through, does."""
    if (holder := site.scheduler()) is None or holder.kind != "run":
        msg = f"no scheduler runs that could {what}"
        raise NoScheduler(msg, hint=f"start one with: flytesched run; or use: {command}")
