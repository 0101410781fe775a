"""flytesched show: everything about one schedule."""

from collections.abc import Sequence
from typing import Any

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Name
from flytesched.cli.verb import verb
from flytesched.core.runs import Gap
from flytesched.core.timetables.parse import describe_kind
from flytesched.errors import UsageError
from flytesched.runlog.history import Entry
from flytesched.service.listing import Listed, first, listed

#: Slots and runs shown.
_FEW = 5


@verb(reads=True)
def command(call: Call, name: Name) -> None:
    """Show one schedule in full.

    Its definition, coming slots, newest runs and open gaps.
    """
    each, *others = listed(call.site, [name])
    if others:
        msg = f"{name!r} means {len(others) + 1} schedules"
        raise UsageError(msg, hint="name one of them; see: flytesched list")
    entries, gaps = _past(call, each.schedule.name)
    slots = first(each.schedule, call.now, _FEW)
    if call.json:
        shape = {
            **shapes.listed(each),
            "definition": shapes.definition(each.schedule),
            "coming": [shapes.instant(slot) for slot in slots],
            "history": [shapes.entry(entry) for entry in entries],
            "open_gaps": [shapes.gap(gap) for gap in gaps],
        }
        call.answer("show", {"schedule": shape})
        return
    call.facts(_facts(call, each))
    if slots:
        call.write("\ncoming slots\n")
        call.write("".join(f"  {call.clock(slot)}\n" for slot in slots))
    _show_past(call, entries, gaps)


def _show_past(call: Call, entries: Sequence[Entry], gaps: Sequence[Gap]) -> None:
    if gaps:
        call.write("\nopen gaps\n")
        rows = [(call.when(gap.after), call.when(gap.until), gap.count, gap.reason) for gap in gaps]
        call.table(("AFTER", "UNTIL", "SLOTS", "WHY"), rows, right=("SLOTS",))
    if entries:
        call.write("\nnewest slots and runs\n")
        lines = [(call.when(e.at), e.said(), e.origin, e.id) for e in entries]
        call.table(("WHEN", "VERDICT", "ORIGIN", "RUN"), lines, toned=("VERDICT",))


def _past(call: Call, name: str) -> tuple[list[Entry], list[Gap]]:
    reader = call.site.reader()
    if reader is None:
        return [], []
    with reader:
        return reader.history([name], limit=_FEW), reader.open_gaps([name])


def _facts(call: Call, each: Listed) -> list[tuple[str, object]]:
    schedule = each.schedule
    said = shapes.definition(schedule)
    timing = said.pop("timing")
    for known in ("enabled", "paused_until", "pause_reason", "description", "command"):
        said.pop(known, None)
    return [
        ("name", schedule.name),
        ("description", schedule.description),
        ("state", each.state),
        ("reason", schedule.pause_reason),
        ("paused until", call.when(schedule.paused_until)),
        ("schedule", describe_kind(schedule.timing)),
        ("timezone", schedule.timing.timezone),
        *((key, call.when(timing[key])) for key in ("start", "end") if key in timing),
        ("anchor", call.when(schedule.timing.anchor) if schedule.timing.anchor else None),
        ("offset", render.about(schedule.timing.offset) if schedule.timing.offset else None),
        ("command", schedule.command),
        *((key, _said(key, value)) for key, value in said.items()),
        ("last verdict", None if each.last is None else each.last.verdict()),
        ("active", ", ".join(f"{run.id} ({run.status.value})" for run in each.active)),
        ("missed", f"{each.missed:,} open; see: flytesched catchup" if each.missed else None),
    ]


def _said(key: str, value: Any) -> str:
    if key == "env":
        # Values may be secrets.
        return ", ".join(f"{variable}=..." for variable in value)
    if isinstance(value, dict):
        return ", ".join(f"{inner}={entry}" for inner, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
