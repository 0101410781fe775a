"""Sections: the rows of the screen as tables; values in, what rich draws out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from flytesched.cli import render
from flytesched.cli.live.view import Section
from flytesched.cli.pictures import bar
from flytesched.cli.short import short_clock_of
from flytesched.core.runs import RunStatus
from flytesched.core.waiting import Wait
from flytesched.runlog.board import Failing
from flytesched.service.board import Coming, Done, Going, Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.cli.live.layout import Look, Window
    from flytesched.core.runs import Run
    from flytesched.core.statistics import Spread
    from flytesched.service.board import Board

#: The tones of the house in the words of rich.
STYLES = {"good": "green", "bad": "red", "odd": "yellow", "dim": "dim", "head": "bold", "": ""}
#: The least and the most columns of a name, and columns of a bar where there is room and where not.
_LEAST, _MOST, _LONG, _SHORT = 8, 40, 12, 8
#: Columns from which on there is room for a bar, and for the ids of runs.
_BARRED, _ROOMY = 66, 110
#: What a run waits for, in words.
_WAITS = {
    Wait.SCHEDULER: "a scheduler", Wait.TIME: "its time", Wait.PLACE: "a place",
    Wait.RUN: "the end of the run before", Wait.TURN: "its turn",
}  # fmt: skip


def text(said: object, tone: str = "") -> Text:
    """Return a text that no terminal obeys, in a tone, of one line."""
    return Text(render.safe(said), style=STYLES[tone], no_wrap=True, overflow="ellipsis", end="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A column of a section."""

    #: What stands above it; above the names the title of the section does.
    title: str
    #: How it is aligned, how wide it is, or what share of the rest it has.
    right: bool = False
    width: int | None = None
    ratio: int | None = None
    #: Columns that a terminal has to have for it.
    least: int = 0


#: Their widths depend on that of the terminal.
_NAMED, _BAR = _Head(title="NAME"), _Head(title="", least=_BARRED)
_ID = _Head(title="RUN", ratio=2, least=_ROOMY)
_RUNNING = (
    _NAMED,
    _BAR,
    _Head(title="ELAPSED", right=True, width=9),
    _Head(title="USUAL", right=True, width=9),
    _Head(title="90% IN", right=True, width=9, least=_BARRED),
    _Head(title="", ratio=1),
    _ID,
)
_WAITING = (
    _NAMED, _Head(title="STATE", width=8), _Head(title="WAITED", right=True, width=9),
    _Head(title="WAITS FOR", ratio=2), _ID,
)  # fmt: skip
_FAILED = (
    _NAMED, _Head(title="LAST VERDICT", ratio=2), _Head(title="AGO", right=True, width=9),
    _Head(title="IN 24 H", right=True, width=9), _ID,
)  # fmt: skip
_ENDED = (
    _NAMED, _Head(title="VERDICT", ratio=2),
    _Head(title="AGO", right=True, width=9), _Head(title="LAG", right=True, width=8, least=_BARRED),
    _Head(title="TOOK", right=True, width=9), _ID,
)  # fmt: skip
_NEXT = (
    _NAMED, _Head(title="AT", width=12), _Head(title="IN", right=True, width=9),
    _Head(title="", ratio=1),
)  # fmt: skip
#: Sections of which it counts how many rows they have.
_COUNTED = frozenset({Section.RUNNING, Section.WAITING, Section.FAILED})
#: The columns of each section; they are filled in that order.
_COLUMNS = {
    Section.RUNNING: _RUNNING, Section.WAITING: _WAITING, Section.FAILED: _FAILED,
    Section.ENDED: _ENDED, Section.NEXT: _NEXT,
}  # fmt: skip


def section(
    window: Window, board: Board, selected: str, usual: Mapping[str, Spread | None], look: Look
) -> Table:
    """Return a section as a table, whose columns are those of the others as far as they can be."""
    heads = _COLUMNS[window.section]
    wanted = [look.columns >= head.least for head in heads]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True, header_style="bold")
    table.add_column("", width=1)
    for head in (head for head, wants in zip(heads, wanted, strict=True) if wants):
        table.add_column(
            title(window) if head is _NAMED else head.title, ratio=head.ratio, no_wrap=True,
            justify="right" if head.right else "left", overflow="ellipsis",
            width=_name(look) if head is _NAMED else _bar(look) if head is _BAR else head.width,
        )  # fmt: skip
    for row in window.rows:
        chosen = look.keyed and row.id == selected
        cells = zip(_cells(row.about, board, usual.get(row.schedule), look), wanted, strict=True)
        mark = (">" if look.plain else "\u25b8") if chosen else ""
        shown = (cell for cell, wants in cells if wants)
        table.add_row(mark, *shown, style="reverse" if chosen else "")
    return table


def _name(look: Look) -> int:
    return max(_LEAST, min(look.columns // 4, _MOST))


def _bar(look: Look) -> int:
    return _LONG if look.columns >= _ROOMY else _SHORT


def title(window: Window) -> str:
    """Return the name of a section, how many rows it has, and which of them are shown.

    Of verdicts, and of slots to come, there is always one more: nobody counts them.
    """
    said, counted = window.section.value.upper(), window.section in _COUNTED
    if counted:
        said += f" {window.count:,}"
    if window.first or (counted and 0 < len(window.rows) < window.count):
        said += f", {window.first + 1}-{window.first + len(window.rows)}"
    return said


def _cells(
    about: Going | Waiting | Failing | Done | Coming, board: Board, usual: Spread | None, look: Look
) -> Sequence[Text]:
    match about:
        case Going():
            return _going(about, board.now, usual, look)
        case Waiting():
            return _waiting(about, board.now)
        case Failing():
            return _failing(about, board.now)
        case Done():
            return _done(about, board.now)
    return _coming(about, board.now, look)


def _going(about: Going, now: float, usual: Spread | None, look: Look) -> Sequence[Text]:
    run = about.run
    elapsed = None if run.started is None else max(0.0, now - run.started)
    slow = elapsed is not None and usual is not None and elapsed > usual.p90
    tone = "bad" if about.long or about.late else "odd" if slow else "good"
    part = elapsed / usual.p50 if elapsed is not None and usual and usual.p50 else 0.0
    return (
        text(run.schedule), text(bar(part, _bar(look), plain=look.plain) if usual else "", tone),
        text("-" if elapsed is None else _whole(elapsed), tone),
        text(_about(usual.p50 if usual else None)), text(_about(usual.p90 if usual else None)),
        text(_special(about, run), tone), text(run.id, "dim"),
    )  # fmt: skip


def _about(seconds: float | None) -> str:
    return "-" if seconds is None else render.about(seconds)


def _whole(seconds: float) -> str:
    """Show a time that passes while it is shown, in whole seconds."""
    return "0s" if seconds < 1 else render.about(seconds)


def _special(about: Going, run: Run) -> str:
    """Say what is special about a run that goes on."""
    said = {
        "long": about.long,
        "late": about.late,
        "ending": run.end_as is not None,
        "claimed": run.status is RunStatus.CLAIMED,
        f"try {run.attempt}": run.attempt > 1,
    }
    return ", ".join(word for word, holds in said.items() if holds)


def _waiting(about: Waiting, now: float) -> Sequence[Text]:
    run, what = about.run, _WAITS[about.wait]
    if about.wait is Wait.TIME:
        what += f", in {_whole(run.not_before - now)}"
    again = run.status is RunStatus.RETRY_WAIT
    return (
        text(run.schedule), text(f"try {run.attempt + 1}" if again else "queued", "odd"),
        text(_whole(now - run.created)),
        text(f"late; {what}" if about.late else what, "bad" if about.late else ""),
        text(run.id, "dim"),
    )  # fmt: skip


def _failing(about: Failing, now: float) -> Sequence[Text]:
    run = about.run
    verdict = run.verdict() + ("; succeeded since" if about.good_since else "")
    return (
        text(run.schedule), text(verdict, "dim" if about.good_since else "bad"),
        text(_whole(now - (run.ended or now))), text(f"{about.times:,}"), text(run.id, "dim"),
    )  # fmt: skip


def _done(about: Done, now: float) -> Sequence[Text]:
    verdict = f"{about.verdict}, {about.count:,} slots" if about.count > 1 else about.verdict
    return (
        text(about.schedule), text(verdict, render.tone(about.status)),
        text(_whole(now - about.at)), text(_about(about.lag)),
        text(_about(about.duration)), text("" if about.run is None else about.id, "dim"),
    )  # fmt: skip


def _coming(about: Coming, now: float, look: Look) -> Sequence[Text]:
    clock = short_clock_of(look.zone, now)
    paused = about.paused_until
    return (
        text(about.schedule), text(clock(about.at)), text(_whole(about.at - now)),
        text("" if paused is None else f"paused until {clock(paused)}", "dim"),
    )  # fmt: skip
