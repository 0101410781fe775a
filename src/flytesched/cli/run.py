"""flytesched run: the scheduler in the foreground."""

from enum import StrEnum
from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.verb import verb


class OnStop(StrEnum):
    """What becomes of running commands when the scheduler stops."""

    LEAVE = "leave"
    KILL = "kill"


class LogFormat(StrEnum):
    """How events are written."""

    PLAIN = "plain"
    JSON = "json"


@verb()
def command(
    call: Call,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Do what a start does, then wait for what is active.")
    ] = False,
    on_stop: Annotated[
        OnStop,
        typer.Option(
            "--on-stop",
            metavar="leave|kill",
            help="Leave running commands to be adopted, or end them.",
        ),
    ] = OnStop.LEAVE,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log-format", metavar="plain|json", help="How events are written to stderr."
        ),
    ] = LogFormat.PLAIN,
    rebind: Annotated[
        bool, typer.Option("--rebind", help="Take over a state directory of another manifest.")
    ] = False,
    force_state_dir: Annotated[
        bool,
        typer.Option("--force-state-dir", help="Accept a state directory on a network."),
    ] = False,
) -> int:
    """Run the scheduler in the foreground.

    SIGHUP reloads the manifest; SIGTERM and SIGINT stop planning and leave what runs to be
    adopted by the next start; a second one exits at once.
    """
    from flytesched.service.serve import serve

    return serve(
        call.site, once=once, on_stop=on_stop.value, log_format=log_format.value, rebind=rebind,
        force_state_dir=force_state_dir,
    )  # fmt: skip
