"""flytesched cancel: end active runs."""

from collections.abc import Sequence

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.options import Runs, Yes
from flytesched.cli.verb import verb
from flytesched.cli.watching import Silent
from flytesched.core.runs import Run, RunStatus


@verb()
def command(call: Call, runs: Runs, *, yes: Yes = False) -> int:
    """End active runs.

    Every process of a run gets TERM, and KILL after the kill_after of its schedule.
    """
    from flytesched.service.endings import active, cancel
    from flytesched.service.watch import see_through

    chosen = active(call.site, runs)
    if not call.agreed(_question(call, chosen), yes=yes):
        call.talk("nothing was cancelled")
        return 1
    cancel(call.site, chosen)
    done = see_through(call.site, [run.id for run in chosen], Silent())
    for run in done:
        call.line(f"{run.id}: {run.verdict()}")
    return int(any(run.status is not RunStatus.CANCELLED for run in done))


def _question(call: Call, runs: Sequence[Run]) -> str:
    """Name one run with its age, or the first ones of several."""
    if len(runs) == 1:
        (run,) = runs
        age = render.about(max(0.0, call.now - (run.started or run.created)))
        return f"Cancel {run.id}, {run.status.value} for {age}?"
    listed = ", ".join(run.id for run in runs[:3]) + (", ..." if len(runs) > 3 else "")
    return f"Cancel {render.plural(len(runs), 'run')} ({listed})?"
