"""The questions that ``flytesched add`` asks; nothing is written before consent."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from flytesched.cli import moments, render
from flytesched.cli.definition import foreseen
from flytesched.core.everyday import understood
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.keys import NAME, NAME_RULE, read_command
from flytesched.errors import Invalid
from flytesched.manifest.toml import block, literal
from flytesched.service import editing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flytesched.cli.call import Call

T = TypeVar("T")
_WELCOME = "A new schedule. Nothing is written before you agree; Ctrl-C leaves at any time."


def ask(
    call: Call, name: str | None, *, replace: bool, disabled: bool
) -> tuple[str, dict[str, Any]]:
    """Return the name and the table of a new schedule, as its author wants them.

    Args:
        call: whose terminal and manifest.
        name: where it is known already.
        replace: whether a name that is taken will do.
        disabled: whether no slot shall fall due yet.

    Raises:
        Abort: there shall be none.
        InvalidManifest: the manifest cannot be edited.
    """
    editing.taken(call.site)  # a manifest that cannot be edited says so before any question
    call.talk(_WELCOME)
    with suppress(ImportError):
        import readline  # noqa: F401  lets answers be edited
    try:
        name = _until(lambda said: _name(call, said, replace=replace), "Name", name)
        when = _until(lambda said: _when(call, name, said), "When (such as: weekdays at 9)")
        what = _until(_command, "What to run")
        extra = {"enabled": False} if disabled else {}
        _, table = editing.drafted(call.site, name, {**when, "command": what, **extra})
        if _agreed(call, name, table):
            return name, table
    except (KeyboardInterrupt, EOFError):
        call.talk("")
        call.talk("nothing was written")
        raise typer.Abort from None
    call.talk("nothing was written")
    raise typer.Exit(1)


def _until(read: Callable[[str], T], question: str, said: str | None = None) -> T:
    """Ask until the answer can be read; ``said`` is a first answer, if there is one."""
    while True:
        try:
            return read(_answer(f"{question}:") if said is None else said)
        except Invalid as error:
            for line in render.refusal(error):
                render.talk(line)
            said = None


def _answer(question: str) -> str:
    """Return what is typed behind a question, which never ends up in a file or a pipe."""
    *above, last = render.wrapped(question, render.room_to_talk())
    for line in above:
        render.talk(line)
    if sys.stdout.isatty():
        return input(f"{last} ").strip()  # edited where the question stands
    sys.stderr.write(f"{last} ")
    sys.stderr.flush()
    return input().strip()


def _name(call: Call, said: str, *, replace: bool) -> str:
    if not NAME.fullmatch(said):
        what = f"{said!r} is not a name for a schedule"
        raise Invalid(what, hint=NAME_RULE)
    if said in editing.taken(call.site) and not replace:
        what = f"there is a schedule {said!r} already"
        raise Invalid(what, hint="choose another name, or leave and use: flytesched set")
    return said


def _when(call: Call, name: str, said: str) -> dict[str, Any]:
    """Return the keys of a timetable, and show what slots it has."""
    keys = _timetable(call, said)
    schedule, table = editing.drafted(call.site, name, {**keys, "command": "true"})
    zone = f", {table['timezone']}" if "timezone" in table else ""
    for key, value in keys.items():
        call.talk(f"  {key} = {literal(value)}{zone}; next:")
    for slot in foreseen(call, schedule):
        call.talk(f"  {slot}")
    return keys


def _timetable(call: Call, said: str) -> dict[str, Any]:
    """Return the keys that a text means; a single time to come is one, too."""
    try:
        return understood(said)
    except Invalid as error:
        zone = editing.zone_of_new(call.site)
        text = re.sub(r"^once (on )?", "", said.strip(), flags=re.IGNORECASE)
        try:
            at = moments.read(text, now=call.now, zone=zone, ahead=True)
        except Invalid:
            raise error from None
    local = rfc3339_local(at, zone)
    # The second showing of a time that is shown twice needs its offset.
    return {"at": local[:19] if parse_instant(local[:19], zone) == at else local}


def _command(said: str) -> str:
    if not said:
        what = "there is no command"
        raise Invalid(what, hint="write what the shell shall run, such as: backup.sh --all")
    read_command(said)
    return said


def _agreed(call: Call, name: str, table: Mapping[str, Any]) -> bool:
    """Show what would be written, and ask whether it shall be."""
    for line in block(name, table, "\n").splitlines():
        call.talk(f"  {line}")
    while True:
        said = _answer(f"Write this to {call.site.settings.manifest}? [Y/n]").lower()
        if said in {"", "y", "yes", "n", "no"}:
            return not said.startswith("n")
