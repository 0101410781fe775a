"""flytesched next: coming slots, in one row or as a calendar."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.schedule import Schedule
from flytesched.errors import UsageError
from flytesched.service.marks import Mark, Note
from flytesched.service.selection import nobody, select
from flytesched.service.timeline import LeftOut, Upcoming, left_out, timeline

#: How far a calendar may reach, as words.
_SPANS = ("week", "month")
#: Slots shown where nothing bounds them, and where a time does.
_FEW, _MANY = 5, 100_000
#: Seconds ahead from which on short times leave out the hour, and marks of times that are not
#: told without their offset.
_FAR = 200 * 86_400
_CLOCK = frozenset({Mark.FIRST_SHOWING, Mark.SECOND_SHOWING, Mark.CLOCK_CHANGED})
#: Schedules that are named among those left out.
_NAMED = 3


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
            max=_MANY,
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
    calendar: Annotated[
        bool,
        typer.Option(
            "--calendar",
            help="Draw how many slots each hour of the week has; or: --calendar month.",
        ),
    ] = False,
) -> None:
    """Show the coming slots of schedules in one row.

    With what is special about each: times that a clock skips or shows twice, slots that usually
    meet the run before, pauses and bounds; or as a calendar.
    """
    begin = call.moment("--from", start, ahead=True)
    end = call.moment("--until", until, ahead=True)
    after = call.now if begin is None else begin - 1
    if end is not None and end <= after:
        msg = "--until is not after --from"
        raise UsageError(msg, hint="--from is included, --until is not")
    if calendar and (count is not None or end is not None):
        msg = "--calendar goes with neither --count nor --until"
        raise UsageError(msg, hint="it draws a week, or a month: --calendar month; --from moves it")
    schedules = call.site.manifest().schedules
    span, names = _span(names or [], schedules) if calendar else ("", names or [])
    chosen = select(schedules, names, labels or ())
    absent = left_out(chosen.values(), call.now)
    if labels and not chosen and not call.json:
        call.talk(nobody(schedules, labels))
    elif calendar:
        _draw(call, chosen, span, int(after) + 1)
        _say_below(call, absent)
    else:
        most = count or (_FEW if end is None else _MANY)
        row = timeline(call.site, chosen, after=after, until=end, most=most, zone=call.zone)
        _show(call, row.slots, absent)
        if row.doubt:
            call.talk(f"overlaps are not marked: {row.doubt}")


def _show(call: Call, row: Sequence[Upcoming], absent: Sequence[LeftOut]) -> None:
    if call.json:
        call.answer("next", {"slots": [*map(_slot, row)], "left_out": [*map(_absent, absent)]})
    elif row:
        when = call.clock if _needs_offsets(call, row) else call.short
        rows = [
            (when(each.at), _left(each.at - call.now), each.schedule.name, _noted(call, each))
            for each in row
        ]
        heads = ("SLOT", "LEFT", "NAME", "NOTE")
        call.table(heads, rows, right=("LEFT",), spare=("LEFT",), elastic=("NOTE", "NAME"))
        _say_below(call, absent)
    else:
        call.talk("there is no slot to come")
        if absent:
            call.talk(_left_out(call, absent))


def _say_below(call: Call, absent: Sequence[LeftOut]) -> None:
    """Say below what is shown, to somebody who looks at it, of whom nothing is."""
    if absent and call.looked_at and not call.json:
        call.talk(_left_out(call, absent))


def _needs_offsets(call: Call, row: Sequence[Upcoming]) -> bool:
    """Tell whether short times would not say all: the clock is set on the way, or years differ."""
    marks = {note.mark for each in row for note in each.notes}
    return row[-1].at - call.now > _FAR or not marks.isdisjoint(_CLOCK)


def _left(seconds: float) -> str:
    return f"-{render.about(-seconds)}" if seconds < 0 else render.about(seconds)


# -- what is special ------------------------------------------------------------------------------


def _noted(call: Call, slot: Upcoming) -> str:
    """Say all that is special about a slot."""
    return ", ".join(_said(call, slot, note) for note in slot.notes)


def _said(call: Call, slot: Upcoming, note: Note) -> str:
    match note.mark:
        case Mark.MADE_UP:
            return f"{_skipped(call, slot, note.number)} is skipped"
        case Mark.CLOCK_CHANGED:
            sign = "-" if note.number < 0 else "+"
            return f"clock {sign}{render.about(abs(note.number))}"
        case Mark.TOGETHER:
            others = len(note.names) - 1
            if others > 1:
                return f"with {others:,} others"
            return f"with {next(name for name in note.names if name != slot.schedule.name)}"
        case Mark.OVERLAP:
            took = render.about(note.number)
            return f"the run before takes {took}: {slot.schedule.overlap.value}"
        case Mark.FIRST_SHOWING | Mark.SECOND_SHOWING:
            return f"{'1st' if note.mark is Mark.FIRST_SHOWING else '2nd'} time of two"
    return note.mark.value.replace("_", " ")


def _skipped(call: Call, slot: Upcoming, local: int) -> str:
    from flytesched.core.timetables.phrases import clock

    zone = slot.schedule.timing.timezone
    return clock(local) if zone == call.zone else f"{clock(local)} in {zone}"


def _left_out(call: Call, absent: Sequence[LeftOut]) -> str:
    """Say in one line which schedules have no slot, and why."""
    said = [f"{each.schedule.name} ({_why(call, each)})" for each in absent[:_NAMED]]
    if len(absent) > _NAMED:
        said.append(f"{len(absent) - _NAMED:,} more")
    return f"left out: {', '.join(said)}"


def _why(call: Call, each: LeftOut) -> str:
    schedule = each.schedule
    until = schedule.paused_until if each.state == "paused" else None
    state = each.state if until is None else f"paused until {call.short(until)}"
    reason = schedule.pause_reason if each.state != "ended" else None
    return f"{state}: {reason}" if reason else state


def _slot(each: Upcoming) -> dict[str, Any]:
    return {
        "schedule": each.schedule.name,
        "scheduled_at": shapes.instant(each.at),
        "marks": [note.mark.value for note in each.notes],
    }


def _absent(each: LeftOut) -> dict[str, Any]:
    return {
        "schedule": each.schedule.name,
        "state": each.state,
        "paused_until": shapes.instant(each.schedule.paused_until),
        "pause_reason": each.schedule.pause_reason,
    }


# -- the heat map ---------------------------------------------------------------------------------


def _span(names: Sequence[str], schedules: Mapping[str, Schedule]) -> tuple[str, list[str]]:
    """Return how far a calendar reaches, and the names without the word that says so.

    The word stands among the names, as the value of an option that may have none would.
    """
    said = [name for name in names if name in _SPANS and name not in schedules]
    if len(said) > 1:
        msg = f"--calendar is either a {said[0]} or a {said[1]}"
        raise UsageError(msg, hint="name one of them")
    return said[0] if said else _SPANS[0], [name for name in names if name not in said]


def _draw(call: Call, schedules: Mapping[str, Schedule], span: str, since: int) -> None:
    from flytesched.cli.heat import heat_map
    from flytesched.cli.strips import plainly
    from flytesched.core.instants import rfc3339_local
    from flytesched.service.heat import Span, heat

    found = heat(schedules.values(), Span(span), since=since, zone=call.zone)
    if call.json:
        cells = [
            {
                "begin": shapes.instant(cell.begin),
                "end": shapes.instant(cell.end),
                "local": rfc3339_local(cell.begin, found.zone),
                "slots": cell.slots,
            }
            for cell in found.cells
        ]
        call.answer("calendar", {"span": span, "timezone": found.zone, "cells": cells})
        return
    call.write(heat_map(found, plain=plainly(), paint=render.painter(colour=call.colour)))
