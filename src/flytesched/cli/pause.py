"""flytesched pause: let no slots fall due for a while."""

import shlex
from contextlib import suppress
from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.options import DryRun, Labels, Reason, SomeNames
from flytesched.cli.switching import require_reason, require_some, told
from flytesched.cli.verb import verb
from flytesched.errors import Invalid, NotFound, UsageError
from flytesched.service import editing


@verb()
def command(
    call: Call,
    names: SomeNames = None,
    *,
    labels: Labels = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Slots fall due again from this time on."),
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Pause for so long.")
    ] = None,
    reason: Reason = None,
    dry_run: DryRun = False,
) -> None:
    """Let no slots of schedules fall due for a while.

    The pause lasts until a time, or else until flytesched resume. Active runs finish, and slots
    of the pause are not made up. What is disabled stays disabled.
    """
    require_some(names, labels)
    require_reason(reason)
    end = _end(call, until, span)
    try:
        done = editing.pause(
            call.site, names or (), labels or (), until=end, reason=reason, dry_run=dry_run
        )
    except NotFound as error:
        if option := next((word for word in ("until", "for") if word in (names or ())), None):
            error.hint = f"write it as an option: --{option}"
        raise
    told(call, done, labels, dry_run=dry_run)


def _end(call: Call, until: str | None, span: str | None) -> int | None:
    """Return the epoch second from which slots fall due again; None for no end.

    Raises:
        UsageError: two ends are given, or one that is not to come.
    """
    if until is not None and span is not None:
        msg = "--until and --for both say when the pause ends"
        raise UsageError(msg, hint="give one of them, or none to pause until: flytesched resume")
    if span is not None:
        return _after(call, span)
    end = call.moment("--until", until, ahead=True)
    if end is not None and end <= call.now:
        msg = f"--until: {until!r} is past: it means {call.clock(end)}"
        raise UsageError(msg, hint="write a time to come, such as 'tomorrow 09:00', or --for 2h")
    return end


def _after(call: Call, span: str) -> int:
    """Return the end of a pause that lasts so long; whoever gives its end is told the option."""
    from flytesched.cli import moments
    from flytesched.cli.times import later

    try:
        return later("--for", span, now=call.now)
    except UsageError as error:
        with suppress(Invalid):
            if moments.read(span, now=call.now, zone=call.zone, ahead=True) > call.now:
                error.hint = f"write it as the end: --until {shlex.quote(span)}"
        raise
