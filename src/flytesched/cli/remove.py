"""flytesched remove: take schedules out of the manifest."""

from collections.abc import Sequence
from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.changes import finish
from flytesched.cli.options import DryRun, SomeNames, Yes
from flytesched.cli.verb import verb
from flytesched.core.timetables.parse import describe_kind
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
    dry_run: DryRun = False,
) -> int | None:
    """Remove schedules from the manifest.

    History stays, active runs finish, queued ones are cancelled.
    """
    if bool(names) == every:
        msg = "name schedules, or pass --all" if not every else "--all takes no names"
        raise UsageError(msg, hint="see flytesched remove --help")
    chosen = select(call.site.manifest().schedules, names or ())
    if not chosen:
        call.talk("there is no schedule to remove")
        return None
    if not (dry_run or call.agreed(_question(list(chosen)), yes=yes, needed=every)):
        call.talk("nothing was removed")
        return 1
    for change in editing.remove(call.site, list(chosen), dry_run=dry_run):
        schedule = chosen[change.name]
        done = "would remove" if dry_run else "removed"
        said = f"{done} {change.name} ({describe_kind(schedule.timing)}): {schedule.command}"
        call.line(said if call.room is None else render.cut(render.safe(said), call.room))
    finish(call, dry_run=dry_run)
    return None


def _question(names: Sequence[str]) -> str:
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"Remove {render.plural(len(names), 'schedule')} ({listed})?"
