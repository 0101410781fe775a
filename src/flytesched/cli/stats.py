"""flytesched stats: what became of schedules, in figures."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from flytesched.cli import figures as said
from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.verb import verb
from flytesched.core.statistics import Figures, spread, total
from flytesched.service.selection import asked_for
from flytesched.service.statistics import statistics

_SPREAD = ("P50", "P90", "P99", "MAX")
#: Titles of the columns that count ends, by status.
_ENDS = {
    "succeeded": "OK", "failed": "FAIL", "timed_out": "TIMED", "cancelled": "CANC",
    "interrupted": "INTR",
}  # fmt: skip
_HEADS = (
    "NAME", "RUNS", *(_ENDS[status] for status in said.ENDS), "SKIP", "MISS", "RATE",
    *_SPREAD, *(f"LAG_{head}" for head in _SPREAD), "CPU", "MEMORY", "STREAK",
)  # fmt: skip
#: What a narrow terminal does without. How many failed is told last of all, with the names.
_FIT: render.Fit = {
    "spare": (
        "LAG_P90", "LAG_P50", "LAG_MAX", "MEMORY", "CPU", "P90", "LAG_P99", "OK", "STREAK", "MAX",
    ),
    "elastic": ("NAME",),
    "if_need_be": ("P99", "P50"),
}  # fmt: skip
#: Columns that a terminal does without where there is nothing in them.
_RARE = ("TIMED", "CANC", "INTR", "SKIP", "MISS")


@verb(reads=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 30d.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Before this time.")
    ] = None,
) -> None:
    """Count what became of schedules, and how long it took.

    Runs are those that succeeded, failed, timed out or were interrupted; what was skipped, missed
    or cancelled says nothing of a command and is counted apart.
    """
    begin, end = call.moment("--since", since), call.moment("--until", until)
    chosen = asked_for(call.site, names or (), labels or ())
    found = statistics(call.site, chosen, since=begin, until=end)
    if call.json:
        rows = [{"schedule": name, **said.shape(each)} for name, each in found.items()]
        call.answer("stats", {
            "since": shapes.instant(begin), "until": shapes.instant(end), "schedules": rows,
            "total": said.shape(total(found.values())),
        })  # fmt: skip
    elif all(each.empty for each in found.values()):
        call.talk("there is no such history")
    elif len(found) == 1:
        from flytesched.cli.strips import plainly

        ((name, figures),) = found.items()
        call.facts(_facts(name, figures, plain=plainly()))
    else:
        _tabulate(call, {**found, f"all {len(found):,}": total(found.values())})


def _tabulate(call: Call, found: Mapping[str, Figures]) -> None:
    rows = [_row(name, figures) for name, figures in found.items()]
    shown = [
        place
        for place, head in enumerate(_HEADS)
        if call.room is None or head not in _RARE or any(row[place] != "0" for row in rows)
    ]
    heads = [_HEADS[place] for place in shown]
    call.table(heads, [[row[place] for place in shown] for row in rows], right=heads[1:-1], **_FIT)


def _row(name: str, figures: Figures) -> tuple[str | None, ...]:
    counts = [figures.statuses.get(status, 0) for status in said.ENDS]
    counts = [figures.runs, *counts, said.skipped(figures), figures.missed]
    return (
        name,
        *(f"{count:,}" for count in counts),
        said.rate(figures.success_rate),
        *_spread(figures.durations),
        *_spread(figures.lags),
        said.cpu(figures),
        said.memory(figures),
        None if figures.streak is None else str(figures.streak),
    )


def _spread(ordered: Sequence[float]) -> tuple[str | None, ...]:
    if (found := spread(ordered)) is None:
        return (None,) * len(_SPREAD)
    return tuple(render.about(each) for each in (found.p50, found.p90, found.p99, found.most))


def _facts(name: str, figures: Figures, *, plain: bool) -> list[tuple[str, object]]:
    return [
        ("schedule", name),
        ("runs", f"{figures.runs:,}"),
        *((each.replace("_", " "), f"{figures.statuses.get(each, 0):,}") for each in said.ENDS),
        ("skipped", _skipped(figures)),
        ("missed", f"{figures.missed:,}"),
        ("active", f"{said.active(figures):,}"),
        *said.facts(figures, plain=plain),
    ]


def _skipped(figures: Figures) -> str:
    """Say how many slots were skipped, and why: ``12 (declined 2, overlap 10)``."""
    why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(figures.skipped.items()))
    return f"{said.skipped(figures):,} ({why})" if why else "0"
