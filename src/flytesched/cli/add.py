"""flytesched add: write a schedule into the manifest."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.cli.changes import differences, finish
from flytesched.cli.definition import OPTIONS, Words, foresee, raw, say_if_nobody_runs
from flytesched.cli.definition import command as command_of
from flytesched.cli.options import DryRun
from flytesched.cli.verb import verb
from flytesched.errors import UsageError
from flytesched.service import editing


@verb(options=OPTIONS)
def command(
    call: Call,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A schedule.", show_default=False)
    ] = None,
    words: Words = None,
    *,
    disabled: Annotated[bool, typer.Option("--disabled", help="Let no slot fall due yet.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a schedule that has this name.")
    ] = False,
    dry_run: DryRun = False,
    **keys: Any,
) -> None:
    """Add a schedule to the manifest.

    Exactly one of --cron, --aws-cron, --every, --daily, --hourly and --at says when. The time
    zone is written down, and the next slots are shown. With no more than a name it asks, on a
    terminal.
    """
    what = command_of(call, words, "add")
    table = raw(call, keys, lambda: editing.zone_of_new(call.site))
    if what is None and not table and call.on_terminal:
        from flytesched.cli.asking import ask

        name, table = ask(call, name, replace=replace, disabled=disabled)
    elif name is None:
        msg = "the name is missing"
        raise UsageError(msg, hint="write: flytesched add NAME [options] -- COMMAND...")
    elif what is None:
        msg = "there is no command"
        raise UsageError(msg, hint=f"write it behind --: flytesched add {name} ... -- COMMAND...")
    else:
        table["command"] = what
        if disabled:
            table["enabled"] = False
    write(call, name, table, replace=replace, dry_run=dry_run)


def write(
    call: Call, name: str, table: Mapping[str, Any], *, replace: bool = False, dry_run: bool = False
) -> None:
    """Add a schedule, and show what changed and its next slots."""
    edited = editing.add(call.site, name, table, replace=replace, dry_run=dry_run)
    new = edited.change.before is None
    done = ("would add" if new else "would replace") if dry_run else "added" if new else "replaced"
    if dry_run or not new:
        call.line(f"{done} {name}")
        for line in differences(edited):
            call.line(line)
        call.line(f"{name}; next:")
    else:
        call.line(f"{done} {name}; next:")
    foresee(call, edited.schedule)
    finish(call, dry_run=dry_run)
    if not dry_run:
        say_if_nobody_runs(call)
