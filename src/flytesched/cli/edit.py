"""flytesched edit: the manifest in the user's editor."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.changes import Unsaid, told
from flytesched.cli.definition import say_if_nobody_runs
from flytesched.cli.verb import verb
from flytesched.core.keys import unsecret
from flytesched.errors import Conflict, FlyteschedError, InvalidManifest
from flytesched.manifest.splice import Change
from flytesched.service.drafts import Draft, Saved, draft

#: Changes that are told one by one; after a big edit the count says more.
_MOST = 50


@verb()
def command(
    call: Call,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Begin at this schedule.", show_default=False),
    ] = None,
    *,
    discard: Annotated[
        bool,
        typer.Option("--discard", help="Throw away what an earlier edit left, and begin anew."),
    ] = False,
) -> int | None:
    """Edit the manifest in $VISUAL or $EDITOR.

    It is checked before it is saved. What cannot be saved is kept for the next edit.
    """
    with draft(call.site, discard=discard) as copy:
        try:
            if not _goes_on(call, copy):
                return 1
            line = copy.line(name)
            copy.begin()
            saved = _edited(call, copy, line)
        finally:
            if copy.differs():
                call.talk(f"what you wrote is kept in {copy.path}; go on with: flytesched edit")
    if saved is None:
        call.talk("nothing was changed")
        return None
    _tell(call, saved)
    return None


def _goes_on(call: Call, copy: Draft) -> bool:
    """Ask whether to go on with what an earlier edit left, if it left something."""
    if not copy.left:
        return True
    question = "An earlier edit was not saved. Go on with it?"
    if copy.outdated:
        if not call.on_terminal:
            msg = f"{call.site.settings.manifest}: it has changed since {copy.path} was begun"
            raise Conflict(msg, hint="carry your changes over by hand, then pass --discard")
        question = ("An earlier edit was not saved, and the manifest has changed since: saving it "
                    "undoes that. Go on with it?")  # fmt: skip
    if call.agreed(question, yes=False):
        call.talk("going on with what was not saved; --discard begins anew")
        return True
    return False


def _edited(call: Call, copy: Draft, line: int | None) -> Saved | None:
    """Let the user edit until it can be saved, or they give up."""
    while True:
        copy.edit(line)
        try:
            return copy.save()
        except InvalidManifest as error:
            if not call.on_terminal:
                raise
            for said in error.lines():
                call.talk(render.safe(said))
            if not call.agreed("Edit again?", yes=False):
                msg = "the manifest was not changed"
                raise _given_up(msg) from None
            line = error.faults[0].line


def _given_up(msg: str) -> FlyteschedError:
    from flytesched.errors import Invalid

    return Invalid(msg, hint="`flytesched edit --discard` begins anew")


def _tell(call: Call, saved: Saved) -> None:
    lines = [line for change in saved.others for line in _lines(change, shows=_shows(change))]
    lines += [line for change in saved.schedules for line in _lines(change, saved.enabled)]
    for line in lines[:_MOST]:
        call.line(line)
    if len(lines) > _MOST:
        call.line(f"and {render.plural(len(lines) - _MOST, 'more change')}")
    if saved.mended:
        call.line("saved; the manifest can be read again")
    elif not lines:
        call.line("saved; no schedule was changed")
    say_if_nobody_runs(call)


def _lines(
    change: Change, enabled: Unsaid = (None, None), *, shows: Callable[[str, Any], Any] = unsecret
) -> list[str]:
    if change.before is None or change.after is None:
        return [f"{'added' if change.before is None else 'removed'} {change.name}"]
    return [*told(change, enabled=enabled, shows=shows)]


def _shows(change: Change) -> Callable[[str, Any], Any]:
    """Return what shows the values of a table that is no schedule without their secrets."""
    if not change.name.startswith("channels."):
        return unsecret
    from flytesched.core.telling import channels

    return channels.unsecret
