"""flytesched trigger: run a schedule now."""

from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.options import Name, Raw
from flytesched.cli.streaming import Outlet, Stream
from flytesched.cli.verb import verb
from flytesched.core.runs import Run, RunStatus
from flytesched.errors import UsageError

_CODES = {RunStatus.SUCCEEDED: 0, RunStatus.INTERRUPTED: 7}


@verb()
def command(
    call: Call,
    name: Name,
    *,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="SLOT", help="Run this slot, which has no run yet."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Do not wait; a scheduler must be running.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Run beside an active run, whatever overlap says.")
    ] = False,
    raw: Raw = False,
) -> int:
    """Run a schedule now and show its output.

    Exits with the command's exit code. Ctrl-C leaves the run going.
    """
    from flytesched.service.trigger import trigger
    from flytesched.service.watch import see_through

    slot = call.moment("--at", at)
    if slot is not None and slot < 0:
        msg = "--at: there are no slots before 1970"
        raise UsageError(msg)
    run = trigger(call.site, name, at=slot, force=force, detach=detach)
    if detach:
        call.line(run.id)
        return 0
    try:
        done = see_through(call.site, [run.id], Stream(call.site, Outlet(raw=raw)))
    except KeyboardInterrupt:
        call.talk(f"{run.id} goes on; end it with: flytesched cancel {run.id}")
        raise
    return _code(call, done[0]) if done else 1


def _code(call: Call, run: Run) -> int:
    if run.status is not RunStatus.SUCCEEDED:
        call.talk(f"{run.id}: {run.verdict()}")
    if run.exit_code is not None and run.status in {RunStatus.SUCCEEDED, RunStatus.FAILED}:
        return run.exit_code
    return _CODES.get(run.status, 1)
