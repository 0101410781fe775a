"""flytesched remove: take schedules out of the manifest."""

from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.options import SomeNames, Yes
from flytesched.cli.verb import verb
from flytesched.errors import UsageError
from flytesched.service import editing
from flytesched.service.selection import select


@verb()
def command(
    call: Call,
    names: SomeNames = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Remove every schedule.")] = False,
    yes: Yes = False,
) -> int | None:
    """Remove schedules from the manifest.

    History stays, active runs finish, queued ones are cancelled.
    """
    if bool(names) == every:
        msg = "name schedules, or pass --all" if not every else "--all takes no names"
        raise UsageError(msg, hint="see flytesched remove --help")
    chosen = list(select(call.site.manifest().schedules, names or ()))
    if not chosen:
        call.talk("there is no schedule to remove")
        return None
    listed = ", ".join(chosen[:5]) + (", ..." if len(chosen) > 5 else "")
    question = f"Remove {render.plural(len(chosen), 'schedule')} ({listed})?"
    if not call.agreed(question, yes=yes, needed=every):
        call.talk("nothing was removed")
        return 1
    for change in editing.remove(call.site, chosen):
        call.line(f"removed {change.name}")
    return None
