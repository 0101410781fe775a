"""flytesched prune: drop verdicts and logs that are too old to keep."""

from datetime import timedelta
from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Yes
from flytesched.cli.verb import verb
from flytesched.cli.watching import share
from flytesched.core.sizes import format_size
from flytesched.errors import FlyteschedError, UsageError
from flytesched.service import pruning
from flytesched.service.pruning import Bounds, Old


@verb(reads=True)
def command(
    call: Call,
    *,
    keep_runs: Annotated[
        str | None,
        typer.Option(
            "--keep-runs", metavar="DURATION", help="Keep verdicts this long, such as 90d."
        ),
    ] = None,
    keep_logs: Annotated[
        str | None,
        typer.Option("--keep-logs", metavar="DURATION", help="Keep output this long, such as 7d."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be removed.")
    ] = False,
    yes: Yes = False,
) -> int | None:
    """Remove verdicts and output that are too old to keep, now.

    By the settings keep_runs and keep_logs, or as given. A scheduler may run meanwhile; active
    runs and open missed slots stay. Ctrl-C stops between two steps.
    """
    bounds = pruning.bounds(
        call.site,
        keep_runs=_duration("--keep-runs", keep_runs),
        keep_logs=_duration("--keep-logs", keep_logs),
    )
    old = pruning.look(call.site, bounds)
    if dry_run or not old.things:
        _tell(call, bounds, old, dry_run=dry_run)
        return None
    if not call.agreed(f"Remove {_said(old)}?", yes=yes):
        call.talk("nothing was removed")
        return 1
    _tell(call, bounds, _carry_out(call, bounds, old), dry_run=False)
    return None


def _duration(option: str, text: str | None) -> timedelta | None:
    """Return the duration that an option's text means; None if it was not given."""
    from flytesched.core.durations import parse_duration
    from flytesched.errors import Invalid

    if text is None:
        return None
    try:
        return parse_duration(text)
    except Invalid as error:
        msg = f"{option}: {error.message}"
        raise UsageError(msg, hint=error.hint) from None


def _carry_out(call: Call, bounds: Bounds, old: Old) -> Old:
    """Remove what is too old; where that is cut short, say what is gone."""
    gone = Old()
    try:
        with share("Pruning") as bar:

            def watch(so_far: Old) -> None:
                nonlocal gone
                gone = so_far
                bar(min(1.0, so_far.things / old.things))

            return pruning.prune(call.site, bounds, old, watch)
    except (KeyboardInterrupt, FlyteschedError, OSError):
        call.talk(f"stopped; removed so far: {_said(gone)}")
        raise


def _tell(call: Call, bounds: Bounds, old: Old, *, dry_run: bool) -> None:
    if call.json:
        call.answer("prune", {
            "dry_run": dry_run, "runs_before": shapes.moment(bounds.runs),
            "logs_before": shapes.moment(bounds.logs), "runs": old.runs, "logs": old.logs,
            "log_bytes": old.log_bytes, "unused_bytes": None if dry_run else old.unused,
        })  # fmt: skip
        return
    if not old.things:
        call.talk("nothing is too old to keep")
        return
    call.line(f"{'would remove' if dry_run else 'removed'} {_said(old)}")
    if old.unused:
        call.line(f"{format_size(old.unused)} of the run log are free for what is written next")


def _said(old: Old) -> str:
    """Say what is too old: ``3 runs and 2 logs (8.0 KiB)``."""
    runs = render.plural(old.runs, "run")
    if old.gaps:
        runs += f", {render.plural(old.gaps, 'closed stretch', 'closed stretches')} of missed slots"
    return f"{runs} and {render.plural(old.logs, 'log')} ({format_size(old.log_bytes)})"
