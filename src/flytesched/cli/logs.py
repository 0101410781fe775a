"""flytesched logs: the output of a run."""

from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.options import Raw
from flytesched.cli.streaming import Outlet, Stream
from flytesched.cli.verb import verb
from flytesched.service.output import find_output, has_log, look_again

#: Seconds between looks at a log that is followed.
_LOOK_EVERY = 0.2


@verb()
def command(
    call: Call,
    word: Annotated[
        str, typer.Argument(metavar="NAME|RUN", help="A schedule's newest run, or a run's id.")
    ],
    *,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", metavar="N", min=1, help="Only this attempt; else all."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has its verdict.")
    ] = False,
    raw: Raw = False,
) -> None:
    """Show what a run wrote to stdout and stderr."""
    run, attempts = find_output(call.site, word, attempt)
    stream = Stream(call.site, Outlet(raw=raw))
    while True:
        stream.show(attempts)
        if not (follow and run.active):
            break
        from flytesched.clock import sleep

        sleep(_LOOK_EVERY)
        run, attempts = look_again(call.site, run, attempt)
    for one in attempts:
        if not has_log(call.site, one):
            call.talk(f"{run.id}: the output of attempt {one.attempt} is not there (any more)")
