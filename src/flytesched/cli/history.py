"""flytesched history: verdicts, newest first."""

from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.runs import RunStatus
from flytesched.core.schedule import suggest
from flytesched.errors import UsageError
from flytesched.runlog.history import MISSED, Entry
from flytesched.service.selection import remembered, select

_STATUSES = (*(status.value for status in RunStatus), MISSED)
_HEADS = ("WHEN", "NAME", "VERDICT", "ORIGIN", "LAG", "TOOK", "RUN")


@verb(reads=True, watched=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="STATUS", help="Only these, such as failed,missed; repeatable."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 2h.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Before this time.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=2**31, help="Lines at most.")
    ] = 50,
) -> None:
    """Show the verdicts of slots and runs, newest first.

    Skipped and missed slots are shown too.
    """
    statuses = _statuses(status or ())
    begin, end = call.moment("--since", since), call.moment("--until", until)
    chosen = _chosen(call, names or [], labels or [])
    reader = call.site.reader()
    entries: list[Entry] = []
    if reader is not None:
        with reader:
            entries = reader.history(
                chosen, statuses=statuses or None, since=begin, until=end, limit=limit
            )
    if call.json:
        call.answer("history", {"entries": [shapes.entry(entry) for entry in entries]})
    elif entries:
        rows = [_row(call, entry) for entry in entries]
        call.table(_HEADS, rows, right=("LAG", "TOOK"), toned=("VERDICT",))
    else:
        call.talk("there is no such history" if reader else "there is no history yet")


def _chosen(call: Call, names: list[str], labels: list[str]) -> list[str] | None:
    """Return the names meant; None for all. Labels are the manifest's, names also older ones."""
    chosen = remembered(call.site, names) if names else None
    if not labels:
        return chosen
    labelled = select(call.site.manifest().schedules, (), labels)
    return [name for name in labelled if chosen is None or name in chosen]


def _statuses(words: list[str] | tuple[str, ...]) -> list[str]:
    found = [part.strip() for word in words for part in word.split(",")]
    for word in found:
        if word not in _STATUSES:
            msg = f"--status: there is no status {word!r}"
            raise UsageError(msg, hint=suggest(word, _STATUSES) or f"one of {', '.join(_STATUSES)}")
    return found


def _row(call: Call, entry: Entry) -> tuple[object, ...]:
    return (
        call.when(entry.at),
        entry.schedule,
        entry.said(),
        entry.origin,
        None if entry.lag is None else render.about(entry.lag),
        None if entry.duration is None else render.about(entry.duration),
        None if entry.seq == 0 else entry.id,
    )
