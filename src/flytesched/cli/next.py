"""flytesched next: coming slots."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.schedule import Schedule
from flytesched.errors import UsageError
from flytesched.service.listing import coming
from flytesched.service.selection import select


@verb(reads=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            metavar="N",
            min=1,
            max=100_000,
            help="Slots at most.",
            show_default="5; 100000 with --until",
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Slots from this time on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Slots before this time.")
    ] = None,
) -> None:
    """Show the coming slots of schedules in one row."""
    begin = call.moment("--from", start, ahead=True)
    end = call.moment("--until", until, ahead=True)
    after = call.now if begin is None else begin - 1
    if end is not None and end <= after:
        msg = "--until is not after --from"
        raise UsageError(msg, hint="--from is included, --until is not")
    chosen = select(call.site.manifest().schedules, names or (), labels or ())
    walks = [_walk(schedule, after, end) for schedule in chosen.values()]
    most = count or (5 if end is None else 100_000)
    found = list(islice(merge(*walks), most))
    if call.json:
        slots = [{"schedule": name, "scheduled_at": shapes.instant(at)} for at, name in found]
        call.answer("next", {"slots": slots})
    elif found:
        rows = [(call.when(at), _left(at - call.now), name) for at, name in found]
        call.table(("SLOT", "LEFT", "NAME"), rows, right=("LEFT",))
    else:
        call.talk("there is no slot to come")


def _walk(schedule: Schedule, after: float, end: int | None) -> Iterator[tuple[int, str]]:
    walk = coming(schedule, after) if end is None else coming(schedule, after, end - 1)
    return ((slot, schedule.name) for slot in walk)


def _left(seconds: float) -> str:
    return f"-{render.about(-seconds)}" if seconds < 0 else render.about(seconds)
