"""Drawing: a scene as the lines of a terminal; values in, text out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flytesched.cli import render
from flytesched.cli.live.layout import timed, windows
from flytesched.cli.live.sections import STYLES, section, text
from flytesched.cli.live.view import USUAL_PAUSE, Mode
from flytesched.cli.short import short_clock_of
from flytesched.core.instants import rfc3339_local

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flytesched.cli.live.layout import Look
    from flytesched.cli.live.pane import Pane
    from flytesched.cli.live.view import Row, View
    from flytesched.core.statistics import Spread
    from flytesched.service.board import Board

    #: Returns how long schedules usually run, asked for those on the screen alone.
    Usual = Callable[[Collection[str]], Mapping[str, Spread | None]]

#: Troubles that are said; lines of each, and lines at the foot.
_TROUBLES, _FOOT = 3, 2
_KEYS = "? help  q quit  enter log  c cancel  t trigger  p pause  r retry  / filter"
_HELP = (
    ("Up Down, k j", "select a row"),
    ("PgUp PgDn", "by half a screen; Home and End: the first row, and the last"),
    ("Tab, Shift-Tab", "to the next section, or the one before"),
    ("Enter, l", "follow the log of the run, or of the schedule's newest"),
    ("c", "cancel the run"),
    ("t", "trigger the schedule: run it now"),
    ("p", "pause the schedule, or resume it"),
    ("r", "run again what has not succeeded"),
    ("/", "show only names with this in them, or that match it"),
    ("Esc", "back; show all names again"),
    ("q, Ctrl-C", "end"),
    ("places", "runs at once, and how many there may be: max_concurrent_runs"),
    ("USUAL, 90% IN", "half of the last successes took no longer, and nine of ten"),
    ("late, long", "late_after and long_after of the schedule have passed"),
    ("LAG", "how long after its time a run started"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a screen shows."""

    #: What there is to see, and its rows.
    board: Board
    rows: Sequence[Row]
    #: What somebody has made of it.
    view: View
    #: What it is shown on.
    look: Look
    #: How long schedules usually run.
    usual: Usual
    #: The log that is followed, if one is.
    pane: Pane | None = None


def frame(scene: Scene) -> list[str]:
    """Return the lines of a screen, from top to bottom, no more than there is room for."""
    look = scene.look
    head = _drawn(_head(scene.board, look), look)
    foot = _drawn(_foot(scene), look)
    room = max(0, look.lines - len(head) - len(foot))
    body = _body(scene, room)[:room]
    filled = [""] * (room - len(body)) if look.keyed else []
    return [*head, *body, *filled, *foot][: look.lines]


def _body(scene: Scene, room: int) -> list[str]:
    view, look = scene.view, scene.look
    if view.mode is Mode.HELP:
        return _drawn([_help()], look)
    if scene.pane is not None:
        return _log(scene.pane, view, room, look, scene.board.now)
    shown = windows(scene.rows, view.selected, room)
    usual = scene.usual(timed(shown))
    return _drawn([section(each, scene.board, view.selected, usual, look) for each in shown], look)


def _drawn(parts: Sequence[Text | Table], look: Look) -> list[str]:
    """Return what rich makes of some parts."""
    sheet = io.StringIO()
    console = Console(
        file=sheet, width=max(look.columns, 1), height=max(look.lines, 1), force_terminal=True,
        color_system="standard" if look.colour else None, legacy_windows=False, markup=False,
        emoji=False, highlight=False, no_color=not look.colour, _environ={},
    )  # fmt: skip
    for part in parts:
        console.print(part, no_wrap=True, overflow="ellipsis", crop=True)
    return [line.rstrip(" ") for line in sheet.getvalue().splitlines()]


# -- the head -----------------------------------------------------------------------------------


def _head(board: Board, look: Look) -> Sequence[Text]:
    """Return what is said of the whole, as much of it as there is room for, and what is wrong."""
    clock = hands(look.zone, board.now)
    room = look.columns - len(clock) - 1
    between = " | " if look.plain else " \u00b7 "
    line = Text(no_wrap=True, overflow="ellipsis")
    for said, tone in _facts(board, look):
        if not line or line.cell_len + len(between) + len(said) <= room:
            line.append(between if line else "", "dim").append(said, STYLES[tone])
    line.truncate(max(room, 0), overflow="ellipsis", pad=True)
    line.append(f" {clock}", "bold")
    wrong = [
        text(part, "bad")
        for said in board.troubles[:_TROUBLES]
        for part in render.wrapped(render.safe(said), look.columns)[: _FOOT if look.tall else 1]
    ]
    if board.stale_since is not None:
        wrong.append(text(f"runs are shown as of {hands(look.zone, board.stale_since)}", "odd"))
    return [line, *wrong]


def _facts(board: Board, look: Look) -> list[tuple[str, str]]:
    """Return what is said, each with its tone; the first is said even in the smallest terminal."""
    full = board.places and board.used >= board.places
    places = (
        f"{board.used:,} of {board.places:,} places" if board.places else f"{board.used:,} running"
    )
    facts = [
        _scheduler(board, look),
        (places, "odd" if full else ""),
        (f"{len(board.waiting):,} waiting", "odd" if board.waiting else ""),
    ]
    if (day := board.day) is not None and day.runs:
        bad = day.runs - day.good
        said = f"{bad:,} of {day.runs:,} failed" if bad else f"all {day.runs:,} succeeded"
        facts.append((f"24 h: {said}", "odd" if bad else "good"))
    return facts


def _scheduler(board: Board, look: Look) -> tuple[str, str]:
    if board.holder is None:
        return "no scheduler is running", "bad"
    if not board.manned:
        return "no scheduler; a command does its own work", "odd"
    return f"up since {short_clock_of(look.zone, board.now)(board.holder.since)}", "good"


def hands(zone: str, epoch: float) -> str:
    """Show an instant on the clock of a zone, to the second."""
    return f"{datetime.fromisoformat(rfc3339_local(epoch, zone)):%H:%M:%S}"


# -- help, and the log --------------------------------------------------------------------------


def _help() -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for keys, what in _HELP:
        table.add_row(text(keys, "head"), text(what))
    return table


def _log(pane: Pane, view: View, room: int, look: Look, now: float) -> list[str]:
    """Return the last lines of a log, or those above, if somebody has scrolled up."""
    below = min(view.below, pane.most_below(room - 1))
    title = pane.title(now) + (f"; {render.plural(below, 'line')} below" if below else "")
    return _drawn([text(title, "head"), *map(text, pane.shown(room - 1, below))], look)


# -- the foot -----------------------------------------------------------------------------------


def _foot(scene: Scene) -> Sequence[Text]:
    look, view = scene.look, scene.view
    if not look.keyed:
        return []
    said, tone = _last(view)
    lines = [text(line, tone) for line in render.wrapped(said, look.columns, hang="")[:_FOOT]]
    if not look.tall:
        return lines[:1]
    # What is said of a row gives way to a message that takes its line.
    return lines if len(lines) == _FOOT else [text(_detail(scene), "dim"), *lines]


def _last(view: View) -> tuple[str, str]:
    """Return what is said on the last line, and its tone."""
    wish = view.wish
    if view.mode is Mode.ASK and wish is not None:
        return f"{wish.words}? [y/N]", "head"
    if view.mode is Mode.TYPE and wish is not None:
        return f"{wish.words} for [{USUAL_PAUSE}]: {view.typed}_", "head"
    if view.mode is Mode.FILTER:
        return f"/{view.typed}_", "head"
    if view.message:
        return view.message, "head"
    if view.doing is not None:
        return f"{view.doing.words}: it is being done", "head"
    if view.mode is Mode.LOG:
        return "Up Down PgUp PgDn scroll  End follow  Esc back", "dim"
    if view.mode is Mode.HELP:
        return "any key goes back", "dim"
    return (_filtered(view) if view.part else _KEYS), "dim"


def _filtered(view: View) -> str:
    found = f"only {view.part}" if view.selected else f"no name has {view.part} in it"
    return f"{found}; Esc shows all"


def _detail(scene: Scene) -> str:
    """Return what else there is to be said of the selected row."""
    view, rows = scene.view, scene.rows
    if view.mode in {Mode.LOG, Mode.HELP} or not rows:
        return ""
    row = rows[view.number]
    said = [] if row.run is None else [f"{row.run.id} ({row.run.origin.value})"]
    if (schedule := scene.board.schedules.get(row.schedule)) is not None:
        said += [f"{schedule.timing.kind} {schedule.timing.expression}", schedule.description or ""]
    return "  ".join(part for part in said if part)
