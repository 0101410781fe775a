"""flytesched cancel: end active runs."""

from flytesched.cli.call import Call
from flytesched.cli.options import Runs
from flytesched.cli.verb import verb
from flytesched.cli.watching import Silent
from flytesched.core.runs import RunStatus


@verb()
def command(call: Call, runs: Runs) -> int:
    """End active runs.

    Every process of a run gets TERM, and KILL after the kill_after of its schedule.
    """
    from flytesched.service.endings import cancel
    from flytesched.service.watch import see_through

    ids = list(dict.fromkeys(run.id for run in cancel(call.site, runs)))
    done = see_through(call.site, ids, Silent())
    for run in done:
        call.line(f"{run.id}: {run.verdict()}")
    return int(any(run.status is not RunStatus.CANCELLED for run in done))
