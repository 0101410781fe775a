"""flytesched set: change keys of schedules in the manifest."""

from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.cli.definition import OPTIONS, Words, foresee, raw, say_if_nobody_runs
from flytesched.cli.definition import command as command_of
from flytesched.cli.verb import verb
from flytesched.core.keys import ALL_KEYS, TIMETABLES, TIMING_KEYS
from flytesched.core.schedule import suggest
from flytesched.errors import UsageError
from flytesched.service import editing
from flytesched.service.editing import Edited


@verb(options=OPTIONS)
def command(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A schedule, or a pattern.")],
    words: Words = None,
    *,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="Remove a key; may be given several times."),
    ] = None,
    **keys: Any,
) -> None:
    """Change keys of a schedule in the manifest.

    Keys not given stay as they are. A key that holds a table or a list, such as env, is replaced
    whole.
    """
    what = command_of(call, words, "set")
    table = raw(keys) if what is None else {**raw(keys), "command": what}
    gone = [_key(word) for word in unset or ()]
    if not table and not gone:
        msg = "there is nothing to set"
        raise UsageError(msg, hint="give an option for a key, --unset KEY, or a command behind --")
    for edited in editing.change(call.site, [name], table, gone):
        _show(call, edited)
    say_if_nobody_runs(call)


def _key(word: str) -> str:
    key = word.removeprefix("--").replace("-", "_")
    if key not in ALL_KEYS:
        msg = f"--unset: there is no key {word!r}"
        raise UsageError(msg, hint=suggest(key, ALL_KEYS) or "see flytesched.toml(5)")
    return key


def _show(call: Call, edited: Edited) -> None:
    before, changed = edited.change.before or {}, edited.change.keys()
    for key, value in changed.items():
        call.line(f"{edited.change.name}: {key}: {_said(key, before.get(key))} -> "
                  f"{_said(key, value)}")  # fmt: skip
    if not changed:
        call.line(f"{edited.change.name}: nothing changed")
    if not {*TIMETABLES, *TIMING_KEYS}.isdisjoint(changed):
        call.line(f"{edited.change.name}; next:")
        foresee(call, edited.schedule)


def _said(key: str, value: Any) -> str:
    if value is None:
        return "(none)"
    if key == "env" and isinstance(value, dict):
        # Values may be secrets.
        return ", ".join(f"{variable}=..." for variable in value)
    if isinstance(value, dict):
        return ", ".join(f"{inner}={entry}" for inner, entry in value.items())
    return str(value)
