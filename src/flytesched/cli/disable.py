"""flytesched disable: let no more slots fall due."""

from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.options import Labels, SomeNames
from flytesched.cli.switching import require_some, told
from flytesched.cli.verb import verb
from flytesched.service import editing


@verb()
def command(
    call: Call,
    names: SomeNames = None,
    *,
    labels: Labels = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, for those who ask later.")
    ] = None,
) -> None:
    """Let no more slots of schedules fall due; active runs finish."""
    require_some(names, labels)
    done = editing.disable(call.site, names or (), labels or (), reason=reason)
    told(call, done, "disabled")
