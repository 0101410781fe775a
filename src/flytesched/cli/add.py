"""flytesched add: write a schedule into the manifest."""

from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.cli.definition import OPTIONS, Words, foresee, raw, say_if_nobody_runs
from flytesched.cli.definition import command as command_of
from flytesched.cli.options import Name
from flytesched.cli.verb import verb
from flytesched.errors import UsageError
from flytesched.service import editing


@verb(options=OPTIONS)
def command(
    call: Call,
    name: Name,
    words: Words = None,
    *,
    disabled: Annotated[bool, typer.Option("--disabled", help="Let no slot fall due yet.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a schedule that has this name.")
    ] = False,
    **keys: Any,
) -> None:
    """Add a schedule to the manifest.

    Exactly one of --cron, --aws-cron, --every, --daily, --hourly and --at says when. The time
    zone is written down, and the next slots are shown.
    """
    what = command_of(call, words, "add")
    if what is None:
        msg = "there is no command"
        raise UsageError(msg, hint=f"write it behind --: flytesched add {name} ... -- COMMAND...")
    table = {**raw(keys), "command": what}
    if disabled:
        table["enabled"] = False
    edited = editing.add(call.site, name, table, replace=replace)
    call.line(f"{'replaced' if edited.change.before is not None else 'added'} {name}; next:")
    foresee(call, edited.schedule)
    say_if_nobody_runs(call)
