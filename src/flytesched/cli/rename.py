"""flytesched rename: give a schedule another name."""

from collections.abc import Iterator
from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.changes import finish
from flytesched.cli.definition import say_if_nobody_runs
from flytesched.cli.options import DryRun, Name, Yes
from flytesched.cli.verb import verb
from flytesched.errors import Conflict
from flytesched.service.renaming import Rename, carry_out, foresee


@verb()
def command(
    call: Call,
    name: Name,
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The name it gets.", show_default=False)
    ],
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int | None:
    """Give a schedule another name; its history follows.

    Its slots go on where those of the old name end.
    """
    wish = foresee(call.site, name, new)
    left = list(_left(wish))
    for line in left:
        call.talk(line)
    if not dry_run:
        if left and not _agreed(call, wish, yes=yes):
            call.talk("nothing was changed")
            return 1
        carry_out(call.site, wish)
    call.line(f"{wish.old}: name: {wish.old} -> {wish.new}")
    if wish.said:
        call.talk("the manifest says so already; history follows")
    finish(call, dry_run=dry_run)
    if not dry_run:
        say_if_nobody_runs(call)
    return None


def _left(wish: Rename) -> Iterator[str]:
    """Yield what becomes of what the old name leaves behind."""
    if wish.running:
        ids = ", ".join(run.id for run in wish.running)
        yield f"goes on under its old name, and no slot of {wish.new} waits for it: {ids}"
    if wish.waiting:
        ids = ", ".join(run.id for run in wish.waiting)
        yield f"waits, and would be cancelled(removed): {ids}"
    if wish.missed:
        yield f"{render.plural(wish.missed, 'missed slot')} would be skipped(removed)"


def _agreed(call: Call, wish: Rename, *, yes: bool) -> bool:
    """Ask whether to leave that behind; refuse where nobody can be asked."""
    if not (yes or call.on_terminal):
        msg = f"{wish.old} has something left to do under its name"
        if wish.missed and not (wish.running or wish.waiting):
            hint = f"run it with: flytesched catchup {wish.old}, or pass --yes"
        else:
            hint = "wait for it, or cancel it with: flytesched cancel, or pass --yes"
        raise Conflict(msg, hint=hint)
    return call.agreed(f"Rename {wish.old} to {wish.new} all the same?", yes=yes)
