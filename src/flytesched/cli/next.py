"""flytesched next: coming slots, in order or as a calendar."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.schedule import Schedule
from flytesched.errors import UsageError
from flytesched.service.days_off import LeftOut, zone_of
from flytesched.service.marks import Mark, Note
from flytesched.service.selection import nobody, select
from flytesched.service.timeline import Absent, Timeline, Upcoming, absent, timeline

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
    """Show the coming slots of schedules, the next one first.

    With what is special about each: days off, times that a clock skips or shows twice, slots that
    usually meet the run before, pauses and bounds; or as a calendar.
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
    quiet = absent(chosen.values(), call.now)
    if labels and not chosen and not call.json:
        call.talk(nobody(schedules, labels))
    elif calendar:
        _draw(call, chosen, span, int(after) + 1)
        _say_below(call, quiet)
    else:
        most = count or (_FEW if end is None else _MANY)
        row = timeline(call.site, chosen, after=after, until=end, most=most, zone=call.zone)
        _show(call, row, quiet)
        if row.doubt:
            call.talk(f"overlaps are not marked: {row.doubt}")


def _show(call: Call, found: Timeline, quiet: Sequence[Absent]) -> None:
    if call.json:
        shape = {
            "slots": [*map(_slot, found.slots)],
            "left_out": [*map(_absent, quiet)],
            "left_out_slots": [*map(_hole, found.left_out)],
            "more_left_out": found.more,
        }
        call.answer("next", shape)
        return
    if found.slots or found.left_out:
        _show_row(call, found)
    if not found.slots:
        call.talk("there is no slot to come")
        if quiet:
            call.talk(_left_out(call, quiet))
    else:
        _say_below(call, quiet)
    if found.more:
        call.talk("more slots are left out than are shown; name schedules, or give --until")


def _show_row(call: Call, found: Timeline) -> None:
    """Show slots that run and, dimmed among them, those that are left out."""
    row: list[Upcoming | LeftOut] = sorted([*found.slots, *found.left_out], key=_when)
    when = call.clock if _needs_offsets(call, row) else call.short
    rows = [
        (
            when(_when(each)), _left(_when(each) - call.now), each.schedule.name,
            _noted(call, each) if isinstance(each, Upcoming) else _why_not(each, when),
        )
        for each in row
    ]  # fmt: skip
    heads = ("SLOT", "LEFT", "NAME", "NOTE")
    faint = {number for number, each in enumerate(row) if isinstance(each, LeftOut)}
    call.table(heads, rows, right=("LEFT",), spare=("LEFT",), elastic=("NOTE", "NAME"), faint=faint)


def _when(each: Upcoming | LeftOut) -> int:
    return each.at if isinstance(each, Upcoming) else each.first


def _why_not(each: LeftOut, when: Callable[[float], str]) -> str:
    """Say why slots are left out, and if there are several, how many."""
    said = f"left out (holiday): {each.why}"
    if each.count == 1:
        return said
    return f"{said}, {each.count:,} slots until {when(each.last)}"


def _say_below(call: Call, quiet: Sequence[Absent]) -> None:
    """Say below what is shown, to somebody who looks at it, of whom nothing is."""
    if quiet and call.looked_at and not call.json:
        call.talk(_left_out(call, quiet))


def _needs_offsets(call: Call, row: Sequence[Upcoming | LeftOut]) -> bool:
    """Tell whether short times would not say all: the clock is set on the way, or years differ."""
    marks = {note.mark for each in row if isinstance(each, Upcoming) for note in each.notes}
    return _when(row[-1]) - call.now > _FAR or not marks.isdisjoint(_CLOCK)


def _left(seconds: float) -> str:
    return f"-{render.about(-seconds)}" if seconds < 0 else render.about(seconds)


# -- what is special ------------------------------------------------------------------------------


def _noted(call: Call, slot: Upcoming) -> str:
    """Say all that is special about a slot."""
    return ", ".join(_said(call, slot, note) for note in slot.notes)


def _said(call: Call, slot: Upcoming, note: Note) -> str:
    match note.mark:
        case Mark.MOVED:
            return f"moved from {_day(slot, note.number)} ({note.names[0]})"
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


def _day(slot: Upcoming, at: int) -> str:
    """Return the day of an instant on the clock whose days are off."""
    from flytesched.core.instants import rfc3339_local

    return rfc3339_local(at, zone_of(slot.schedule.timing))[:10]


def _skipped(call: Call, slot: Upcoming, local: int) -> str:
    from flytesched.core.timetables.phrases import clock

    zone = slot.schedule.timing.timezone
    return clock(local) if zone == call.zone else f"{clock(local)} in {zone}"


def _left_out(call: Call, quiet: Sequence[Absent]) -> str:
    """Say in one line which schedules have no slot, and why."""
    said = [f"{each.schedule.name} ({_why(call, each)})" for each in quiet[:_NAMED]]
    if len(quiet) > _NAMED:
        said.append(f"{len(quiet) - _NAMED:,} more")
    return f"left out: {', '.join(said)}"


def _why(call: Call, each: Absent) -> str:
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
        "moved_from": next(
            (
                {"at": shapes.instant(note.number), "holiday": note.names[0]}
                for note in each.notes
                if note.mark is Mark.MOVED
            ),
            None,
        ),
    }


def _hole(each: LeftOut) -> dict[str, Any]:
    return {
        "schedule": each.schedule.name,
        "scheduled_at": shapes.instant(each.first),
        "until": shapes.instant(each.last),
        "count": each.count,
        "holiday": each.holiday,
        "reason": each.why,
    }


def _absent(each: Absent) -> dict[str, Any]:
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
                "left_out": cell.left_out,
            }
            for cell in found.cells
        ]
        days = [
            {"date": str(each.day), "holiday": each.holiday, "slots": each.slots}
            for each in found.days_off
        ]
        shape = {"span": span, "timezone": found.zone, "cells": cells, "days_off": days}
        call.answer("calendar", shape)
        return
    call.write(heat_map(found, plain=plainly(), paint=render.painter(colour=call.colour)))
