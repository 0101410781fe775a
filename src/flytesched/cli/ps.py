"""flytesched ps: what is active."""

from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Names
from flytesched.cli.verb import verb
from flytesched.core.runs import Attempt, Run, RunStatus
from flytesched.service.selection import remembered

_HEADS = ("RUN", "NAME", "STATE", "SINCE", "TRY", "PID", "ORIGIN")


@verb(reads=True, watched=True)
def command(
    call: Call,
    names: Names = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Ids only.")] = False,
) -> None:
    """Show what is active: the runs without a verdict.

    They run, are claimed or queued, or wait for a retry.
    """
    chosen = remembered(call.site, names) if names else None
    found: list[tuple[Run, Attempt | None]] = []
    if (reader := call.site.reader()) is not None:
        with reader:
            for run in reader.active():
                if chosen is None or run.schedule in chosen:
                    attempts = reader.attempts(run.id)
                    found.append((run, attempts[-1] if attempts else None))
    if call.json:
        runs = [
            {**shapes.run(run), "pid": attempt.pid if attempt else None} for run, attempt in found
        ]
        call.answer("ps", {"runs": runs})
    elif quiet:
        call.write("".join(f"{render.safe(run.id)}\n" for run, _ in found))
    elif found:
        call.table(_HEADS, [_row(call, *each) for each in found], right=("TRY", "PID"),
                   toned=("STATE",))  # fmt: skip
    else:
        call.talk("nothing is active")


def _row(call: Call, run: Run, attempt: Attempt | None) -> tuple[object, ...]:
    runs = run.status is RunStatus.RUNNING and attempt is not None
    state = run.status.value if run.end_as is None else f"{run.status.value}, ending"
    since = (attempt.started if runs and attempt else None) or run.created
    pid = attempt.pid if runs and attempt else None
    return run.id, run.schedule, state, call.ago(since), run.attempt, pid, run.origin.value
