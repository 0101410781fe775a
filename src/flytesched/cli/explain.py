"""flytesched explain: a timetable in words."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.times import clock_of
from flytesched.cli.verb import verb
from flytesched.core.keys import TIMETABLES
from flytesched.core.timetables.changes import Felt
from flytesched.core.timetables.explain import told
from flytesched.service.explaining import Explained, explain

#: The kinds of timetable, as the manifest's keys name them.
Kind = StrEnum("Kind", {kind: kind for kind in TIMETABLES})  # type: ignore[misc]


@verb(reads=True)
def command(
    call: Call,
    words: Annotated[
        list[str],
        typer.Argument(metavar="EXPR", help="An expression, or the name of a schedule."),
    ],
    *,
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--kind",
            metavar="|".join(TIMETABLES),
            help="What kind of timetable it is.",
            show_default="guessed by its looks",
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="IANA time zone, such as Europe/Berlin."),
    ] = None,
    seconds: Annotated[
        bool, typer.Option("--seconds", help="Six cron fields have the seconds first.")
    ] = False,
    offset: Annotated[
        str | None,
        typer.Option(
            "--offset", metavar="DURATION", help="Slots this much later than the timetable says."
        ),
    ] = None,
) -> None:
    """Say in words what an expression means.

    Which days and times, what happens when clocks change, the next slots, and other spellings.
    """
    keys: dict[str, Any] = {
        "kind": None if kind is None else kind.value, "timezone": timezone,
        "seconds": seconds or None, "offset": offset,
    }  # fmt: skip
    given = {key: value for key, value in keys.items() if value is not None}
    found = explain(call.site, " ".join(words), given)
    if call.json:
        call.answer("explain", _shape(found))
    else:
        _show(call, found)


def _shape(found: Explained) -> dict[str, Any]:
    timing, said = found.timing, found.words
    return {
        "schedule": None if found.schedule is None else found.schedule.name,
        "timetable": {"kind": timing.kind, "expression": timing.expression},
        "timezone": timing.timezone,
        "sentence": said.sentence,
        "when": said.when,
        "days": said.days,
        "limits": list(said.limits),
        "saving": said.saving,
        "changes": [_change(each) for each in found.changes],
        "coming": [shapes.instant(slot) for slot in found.slots],
        "alike": [{"kind": each.kind, "expression": each.expression} for each in found.alike],
    }


def _change(each: Felt) -> dict[str, Any]:
    return {
        "at": shapes.instant(each.change.at),
        "offset_before_seconds": each.change.before,
        "offset_after_seconds": each.change.after,
        "effect": each.effect.value,
        "times": each.times,
        "said": told(each),
    }


def _show(call: Call, found: Explained) -> None:
    said = found.words
    for sentence in (said.when, said.days, *said.limits, said.saving):
        if sentence:
            _line(call, sentence)
    clock = clock_of("UTC" if call.utc else found.timing.timezone or call.zone)
    _section(call, "next slots", [clock(slot) for slot in found.slots])
    _section(call, "next clock changes", [told(each) for each in found.changes])
    _section(call, "the same", [" ".join(each) for each in found.alike])
    if not found.slots:
        call.talk("it has no slot to come")
    elif found.schedule is not None and not found.schedule.due_at(call.now):
        call.talk(f"{found.schedule.name} is {'paused' if found.schedule.enabled else 'disabled'}")


def _section(call: Call, title: str, lines: Sequence[str]) -> None:
    if lines:
        call.write(f"\n{title}\n")
    for line in lines:
        _line(call, line, indent="  ")


def _line(call: Call, text: str, *, indent: str = "") -> None:
    """Write a line; on a terminal several, if it has no room for all of it."""
    for line in render.wrapped(render.safe(f"{indent}{text}"), call.room):
        call.line(line)
