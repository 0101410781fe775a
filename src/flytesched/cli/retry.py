"""flytesched retry: run again what has ended."""

from flytesched.cli.call import Call
from flytesched.cli.options import Runs
from flytesched.cli.verb import verb
from flytesched.cli.watching import progress
from flytesched.core.runs import RunStatus


@verb()
def command(call: Call, runs: Runs) -> int:
    """Run again what has ended.

    A new run gets the same slot; the old one stays on record.
    """
    from flytesched.service.endings import retry
    from flytesched.service.watch import see_through

    ids = [run.id for run in retry(call.site, runs)]
    try:
        with progress(len(ids), "running again") as watcher:
            done = see_through(call.site, ids, watcher)
    except KeyboardInterrupt:
        call.talk(f"what was asked for goes on; end it with: flytesched cancel {' '.join(ids)}")
        raise
    for run in done:
        call.line(f"{run.id}: {run.verdict()}")
    return int(any(run.status is not RunStatus.SUCCEEDED for run in done))
