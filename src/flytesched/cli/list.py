"""flytesched list: every schedule with what comes next and what came last."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.timetables.parse import Timing, describe_kind
from flytesched.errors import FlyteschedError
from flytesched.service.listing import Listed, Order, listed, ordered
from flytesched.service.selection import nobody, select

_HEADS = ("NAME", "SCHEDULE", "NEXT", "LEFT", "LAST", "PASSED", "RESULT")
#: What a narrow terminal does without: how long ago says as much as when, and a name is needed
#: whole by the next command.
_FIT: render.Fit = {
    "spare": ("LAST",),
    "elastic": ("SCHEDULE",),
    "if_need_be": ("PASSED", "SCHEDULE", "LEFT"),
}

#: States in which no slot falls due.
_QUIET = ("disabled", "paused", "ended")


@verb(reads=True, watched=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    sort: Annotated[
        Order | None,
        typer.Option(
            "--sort",
            metavar="next|name|last",
            help="By the next slot, the name, or the last verdict.",
            show_default="next; with --json and --quiet the order of the manifest",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names only.")] = False,
) -> None:
    """List schedules with the next slot and the last verdict."""
    if quiet and not call.json and sort is None:
        # Asked at each press of the key that completes: the manifest alone has them.
        _say_names(call, select(call.site.manifest().schedules, names or (), labels or ()))
        return
    found = listed(call.site, names or (), labels or ())
    if not (call.json and sort is None):
        found = ordered(found, sort or Order.NEXT)
    if call.json:
        call.answer("list", {"schedules": [shapes.listed(each) for each in found]})
    elif quiet:
        _say_names(call, [each.schedule.name for each in found])
    elif found:
        call.table(_HEADS, [_row(call, each) for each in found], right=("LEFT", "PASSED"),
                   toned=("NEXT", "RESULT"), **_FIT)  # fmt: skip
        if call.looked_at:
            _sum_up(call, found)
    elif labels:
        call.talk(nobody(call.site.manifest().schedules, labels))
    else:
        call.talk("there is no schedule; add one with: flytesched add")


def _say_names(call: Call, names: Iterable[str]) -> None:
    call.write("".join(f"{render.safe(name)}\n" for name in names))


def _row(call: Call, each: Listed) -> tuple[object, ...]:
    ended = None if each.last is None else each.last.ended
    return (
        each.schedule.name,
        _when(each.schedule.timing),
        *_coming(call, each),
        None if ended is None else call.short(ended),
        None if ended is None else render.about(max(0.0, call.now - ended)),
        _result(each),
    )


def _when(timing: Timing) -> str:
    """Say when a schedule runs, and on which days off it does not."""
    if timing.days_off is None:
        return describe_kind(timing)
    from flytesched.service.days_off import calendars_of, on_holiday_of

    mode = on_holiday_of(timing)
    instead = "" if mode == "skip" else f" ({mode})"
    return f"{describe_kind(timing)}, off: {', '.join(calendars_of(timing))}{instead}"


def _coming(call: Call, each: Listed) -> tuple[str, str | None]:
    """Return what stands under NEXT and LEFT; why nothing comes, where nothing does."""
    if each.state == "paused" and each.schedule.paused_until is not None:
        return "paused until", call.short(each.schedule.paused_until)
    if each.next is None:
        return each.state, None
    return call.short(each.next), render.about(each.next - call.now)


def _result(each: Listed) -> str:
    said = [] if each.last is None else [each.last.verdict()]
    if each.active:
        several = f" ({len(each.active)} active)" if len(each.active) > 1 else ""
        said = [each.active[0].status.value + several]
    return ", ".join([*said, f"{each.missed:,} missed"] if each.missed else said)


def _sum_up(call: Call, found: Sequence[Listed]) -> None:
    """Say how many there are, and what there is to do about them."""
    states = Counter(each.state for each in found)
    said = [render.plural(len(found), "schedule")]
    said += [f"{states[state]:,} {state}" for state in _QUIET if states[state]]
    if active := sum(len(each.active) for each in found):
        said.append(f"{active:,} active")
    if missed := sum(each.missed for each in found):
        said.append(render.plural(missed, "missed slot"))
    call.talk(", ".join(said))
    if missed:
        call.talk("what was missed is still to be run; see: flytesched catchup --dry-run")
    _say_if_nobody_runs(call)


def _say_if_nobody_runs(call: Call) -> None:
    with suppress(FlyteschedError, OSError):  # status tells what is wrong with the lock
        holder = call.site.scheduler()
        if holder is None or holder.kind != "run":
            call.talk("no scheduler is running; start one with: flytesched run")
