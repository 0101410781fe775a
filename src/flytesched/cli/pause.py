"""flytesched pause: let no slots fall due for a while."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.options import DryRun, Labels, Reason, SomeNames
from flytesched.cli.switching import require_reason, require_some, told
from flytesched.cli.verb import verb
from flytesched.errors import Invalid, UsageError
from flytesched.service import editing

#: What does without an end.
_OR = "to stop it without an end: flytesched disable"


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
) -> int | None:
    """Let no slots of schedules fall due for a while.

    They fall due again by themselves, or before that with flytesched resume. Active runs finish,
    and slots of the pause are not made up. What is paused already gets another end; what is
    disabled stays disabled.
    """
    require_some(names, labels)
    require_reason(reason)
    end = _end(call, until, span)
    if end is None:
        raise _endless(names or ())
    done = editing.pause(
        call.site, names or (), labels or (), until=end, reason=reason, dry_run=dry_run
    )
    return told(call, done, labels, dry_run=dry_run, aside="disabled, and stays so")


def _end(call: Call, until: str | None, span: str | None) -> int | None:
    """Return the epoch second from which slots fall due again; None if none is given.

    Raises:
        UsageError: two ends are given, or one that is not to come.
    """
    if until is not None and span is not None:
        msg = "--until and --for both say when the pause ends"
        raise UsageError(msg, hint="give one of them")
    if span is not None:
        return _after(call, span)
    end = call.moment("--until", until, ahead=True)
    if end is not None and end <= call.now:
        msg = f"--until: {until!r} is past: it means {call.clock(end)}"
        raise UsageError(msg, hint="write a time to come, such as 'tomorrow 09:00', or --for 2h")
    return end


def _endless(names: Sequence[str]) -> UsageError:
    """Return what is said where no end is given; it may be that it was, as a word."""
    word = next((word for word in ("until", "for") if word in names), None)
    hint = f"write it as an option: --{word}" if word else None
    return UsageError("say until when: --until or --for", hint=hint or _OR)


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
