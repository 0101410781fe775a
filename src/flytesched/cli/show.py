"""flytesched show: everything about one schedule."""

from typing import Any

from flytesched.cli import figures as said
from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Name
from flytesched.cli.strips import draw, plainly
from flytesched.cli.verb import verb
from flytesched.core.keys import unsecret
from flytesched.core.runs import Run
from flytesched.core.statistics import spread
from flytesched.core.timetables.explain import words
from flytesched.core.timetables.parse import describe_kind
from flytesched.errors import UsageError
from flytesched.runlog.history import Entry
from flytesched.service.days_off import calendars_of, on_holiday_of
from flytesched.service.listing import Listed, first, listed
from flytesched.service.statistics import Past, past

#: Slots and runs shown.
_FEW = 5
_HEADS = ("WHEN", "VERDICT", "LAG", "TOOK", "ORIGIN", "RUN")
#: What a narrow terminal does without; an id is needed whole by the next command.
_FIT: render.Fit = {"spare": ("ORIGIN", "LAG"), "elastic": ("VERDICT",), "if_need_be": ("TOOK",)}


@verb(reads=True)
def command(call: Call, name: Name) -> None:
    """Show one schedule in full.

    Its definition, coming slots, newest runs and open gaps.
    """
    each, *others = listed(call.site, [name])
    if others:
        msg = f"{name!r} means {len(others) + 1} schedules"
        raise UsageError(msg, hint="name one of them; see: flytesched list")
    known = past(call.site, each.schedule.name)
    slots = first(each.schedule, call.now, _FEW)
    if call.json:
        shape = {
            **shapes.listed(each),
            "definition": shapes.definition(each.schedule),
            "coming": [shapes.instant(slot) for slot in slots],
            "history": [shapes.entry(entry) for entry in known.entries[:_FEW]],
            "open_gaps": [shapes.gap(gap) for gap in known.gaps],
            "strip": [entry.status for entry in reversed(known.entries)],
            "figures": said.shape(known.figures),
        }
        call.answer("show", {"schedule": shape})
        return
    plain = plainly()
    call.facts([*_facts(call, each, known), *said.facts(known.figures, plain=plain)])
    if slots:
        call.write("\ncoming slots\n")
        rows = "".join(
            f"  {call.clock(slot)}  in {render.about(slot - call.now)}\n" for slot in slots
        )
        call.write(rows)
    _show_past(call, each.schedule.name, known)


def _show_past(call: Call, name: str, known: Past) -> None:
    if known.gaps:
        call.write("\nopen gaps\n")
        rows = [(call.when(g.after), call.when(g.until), g.count, g.reason) for g in known.gaps]
        call.table(("AFTER", "UNTIL", "SLOTS", "WHY"), rows, right=("SLOTS",), elastic=("WHY",))
    if known.entries:
        call.write("\nlast slots and runs\n")
        draw(call, {name: [entry.status for entry in reversed(known.entries)]})
        lines = [_row(call, entry) for entry in known.entries[:_FEW]]
        call.write("\n")
        call.table(_HEADS, lines, right=("LAG", "TOOK"), toned=("VERDICT",), **_FIT)


def _row(call: Call, entry: Entry) -> tuple[object, ...]:
    return (
        call.short(entry.at),
        entry.said(),
        None if entry.lag is None else render.about(entry.lag),
        None if entry.duration is None else render.about(entry.duration),
        entry.origin,
        entry.id,
    )


def _facts(call: Call, each: Listed, known: Past) -> list[tuple[str, object]]:
    schedule = each.schedule
    keys = shapes.definition(schedule)
    timing = keys.pop("timing")
    for told in ("enabled", "paused_until", "pause_reason", "description", "command"):
        keys.pop(told, None)
    return [
        ("name", schedule.name),
        ("description", schedule.description),
        ("state", each.state),
        ("reason", schedule.pause_reason),
        ("paused until", call.when(schedule.paused_until)),
        ("schedule", describe_kind(schedule.timing)),
        ("timezone", schedule.timing.timezone),
        ("calendars", ", ".join(calendars_of(schedule.timing))),
        ("on holiday", on_holiday_of(schedule.timing)),
        ("in words", words(schedule.timing).when if schedule.timing.days_off else None),
        *((key, call.when(timing[key])) for key in ("start", "end") if key in timing),
        ("anchor", call.when(schedule.timing.anchor) if schedule.timing.anchor else None),
        ("offset", render.about(schedule.timing.offset) if schedule.timing.offset else None),
        ("command", schedule.command),
        *((key, _said(key, value)) for key, value in keys.items()),
        ("last verdict", None if each.last is None else each.last.verdict()),
        *(("active", _going_on(call, run, known)) for run in each.active),
        ("missed", f"{each.missed:,} open; see: flytesched catchup" if each.missed else None),
    ]


def _going_on(call: Call, run: Run, known: Past) -> str:
    """Say how an active run stands, and how long runs of its schedule usually take."""
    said = f"{run.id} ({run.status.value})"
    if run.started is not None:
        said += f" for {render.about(max(0.0, call.now - run.started))}"
        if (usual := spread(known.figures.durations)) is not None:
            said += f", usually {render.about(usual.p50)}"
    return said


def _said(key: str, value: Any) -> str:
    value = unsecret(key, value)
    if isinstance(value, dict):
        return ", ".join(f"{inner}={entry}" for inner, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
