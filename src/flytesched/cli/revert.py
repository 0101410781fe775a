"""flytesched revert: bring an earlier definition back."""

from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.changes import finish, words
from flytesched.cli.definition import say_if_nobody_runs
from flytesched.cli.options import DryRun, Name, Yes
from flytesched.cli.verb import verb
from flytesched.service.revisions import Reversal, foresee, revert


@verb()
def command(
    call: Call,
    name: Name,
    *,
    to: Annotated[
        int | None,
        typer.Option(
            "--to", metavar="N", min=1, max=2**31,
            help="The revision; the one before the present one if not given.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int | None:  # fmt: skip
    """Write an earlier definition back into the manifest.

    A removed schedule comes back. Values of env stay as they are today.
    """
    found = foresee(call.site, name, to)
    which = f"{found.name}: revision {found.version.number}"
    for each in found.other_days:
        call.talk(f"the calendar {each} says other days off than at that time; it stays as it is")
    if not found.changed:
        call.talk(f"{which} says what the manifest says: nothing to change")
        return None
    _show(call, found)
    if dry_run:
        finish(call, dry_run=True)
        return None
    if not call.agreed(_question(found), yes=yes, needed=bool(found.lost)):
        call.talk("nothing was changed")
        return 1
    revert(call.site, found)
    call.talk(f"{which} is in the manifest again")
    say_if_nobody_runs(call)
    return None


def _show(call: Call, found: Reversal) -> None:
    for line in words(found.name, found.changed, enabled=(None if found.anew else True, True)):
        call.line(line)
    if found.lost:
        call.talk(f"values of env and ping_url are never recorded, and these have none today: "
                  f"{', '.join(found.lost)}")  # fmt: skip


def _question(found: Reversal) -> str:
    what = f"Bring revision {found.version.number} of {found.name} back"
    return f"{what} without {', '.join(found.lost)}?" if found.lost else f"{what}?"
