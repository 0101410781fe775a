"""flytesched list: every schedule with what comes next and what came last."""

from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.timetables.parse import describe_kind
from flytesched.service.listing import Listed, listed
from flytesched.service.selection import select

_HEADS = ("NAME", "SCHEDULE", "NEXT", "LEFT", "LAST", "RESULT", "STATE")


@verb(reads=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names only.")] = False,
) -> None:
    """List schedules with the next slot and the last verdict."""
    if quiet and not call.json:
        # Asked at each press of the key that completes: the manifest alone has them.
        chosen = select(call.site.manifest().schedules, names or (), labels or ())
        call.write("".join(f"{render.safe(name)}\n" for name in chosen))
        return
    found = listed(call.site, names or (), labels or ())
    if call.json:
        call.answer("list", {"schedules": [shapes.listed(each) for each in found]})
    elif found:
        call.table(_HEADS, [_row(call, each) for each in found], right=("LEFT",),
                   toned=("RESULT", "STATE"))  # fmt: skip
    else:
        call.talk("there is no schedule; add one with: flytesched add")


def _row(call: Call, each: Listed) -> tuple[object, ...]:
    last = each.last
    return (
        each.schedule.name,
        describe_kind(each.schedule.timing),
        call.when(each.next),
        None if each.next is None else render.about(each.next - call.now),
        None if last is None else call.ago(last.ended),
        None if last is None else last.verdict(),
        _state(each),
    )


def _state(each: Listed) -> str:
    said = each.active[0].status.value if each.active else each.state
    if len(each.active) > 1:
        said += f" ({len(each.active)} active)"
    return f"{said}, {each.missed:,} missed" if each.missed else said
