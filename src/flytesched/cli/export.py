"""flytesched export: schedules in the words of another scheduler."""

from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.errors import Unhealthy, UsageError
from flytesched.service import crontabs
from flytesched.service.selection import select

HELP = "Say schedules in the words of another scheduler."

#: Names that one line lists.
_NAMED = 5


@verb()
def crontab(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    system: Annotated[
        bool, typer.Option("--system", help="In the format of /etc/crontab, with a user.")
    ] = False,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="The user of --system; you if not given."),
    ] = None,
) -> int | None:
    """Write a crontab with the same meaning to stdout.

    What no crontab can say is left out as a comment, and said; it exits 7 then.
    """
    if user is not None and (not system or not user.strip() or set(user) & set(" \t\n#%")):
        msg = f"--user {user!r} is no user" if system else "--user goes with --system"
        raise UsageError(msg, hint="write --system --user NAME")
    chosen = select(call.site.manifest().schedules, names or (), labels or ())
    whose = (user or crontabs.own_name()) if system else None
    written = crontabs.export(call.site, list(chosen.values()), whose)
    # What a terminal would obey is written out on one, and kept in a file, where it counts.
    shown = call.room is not None
    call.write(render.safe(written.text, lines=True) if shown else written.text)
    for what, those in written.notes.items():
        call.talk(f"note: {_listed(those)}: {what}")
    for each in written.refused:
        for reason in each.reasons:
            call.talk(render.safe(f"{each.name}: left out: {reason}"))
    return Unhealthy.exit_code if written.refused else None


COMMANDS = {"crontab": crontab}


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
