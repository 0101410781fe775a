"""flytesched set: change keys of schedules in the manifest."""

from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.cli.changes import differences, finish
from flytesched.cli.definition import OPTIONS, Words, foresee, raw, say_if_nobody_runs
from flytesched.cli.definition import command as command_of
from flytesched.cli.options import DryRun
from flytesched.cli.verb import verb
from flytesched.core.keys import ALL_KEYS, TIMETABLES, TIMING_KEYS
from flytesched.core.suggestion import suggest
from flytesched.errors import UsageError
from flytesched.service import editing
from flytesched.service.editing import Edited

#: Keys whose change moves the slots to come.
_MOVING = frozenset({*TIMETABLES, *TIMING_KEYS, "enabled", "paused_until"})


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
    dry_run: DryRun = False,
    **keys: Any,
) -> None:
    """Change keys of a schedule in the manifest.

    Keys not given stay as they are. A key that holds a table or a list, such as env, is replaced
    whole.
    """
    what = command_of(call, words, "set")
    table = raw(call, keys, lambda: call.zone)
    if what is not None:
        table["command"] = what
    gone = [_key(word) for word in unset or ()]
    if not table and not gone:
        msg = "there is nothing to set"
        raise UsageError(msg, hint="give an option for a key, --unset KEY, or a command behind --")
    for edited in editing.change(call.site, [name], table, gone, dry_run=dry_run):
        _show(call, edited)
    finish(call, dry_run=dry_run)
    if not dry_run:
        say_if_nobody_runs(call)


def _key(word: str) -> str:
    key = word.removeprefix("--").replace("-", "_")
    if key not in ALL_KEYS:
        msg = f"--unset: there is no key {word!r}"
        raise UsageError(msg, hint=suggest(key, ALL_KEYS) or "see flytesched.toml(5)")
    return key


def _show(call: Call, edited: Edited) -> None:
    name, changed = edited.change.name, edited.change.keys()
    for line in differences(edited):
        call.line(line)
    if not changed:
        call.line(f"{name}: nothing changed")
    if not _MOVING.isdisjoint(changed):
        call.line(f"{name}; next:")
        foresee(call, edited.schedule)
