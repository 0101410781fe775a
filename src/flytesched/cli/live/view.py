"""View: what somebody has made of the screen, and what each key makes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from flytesched.cli.live.keys import PASTED, Key
from flytesched.core.runs import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flytesched.core.runs import Run
    from flytesched.runlog.board import Failing
    from flytesched.service.board import Board, Coming, Done, Going, Waiting

#: What a pause lasts unless something is typed.
USUAL_PAUSE = "1h"
#: Characters of what is typed; lines that are more than any log has here.
_TYPED, _ALL = 100, 10**9
#: Keys that go by one, and those that go to the first (0) and to the last (1).
_MOVES = {Key.UP: -1, "k": -1, Key.DOWN: 1, "j": 1}
_ENDS = {Key.HOME: 0, "g": 0, Key.END: 1, "G": 1}


class Section(StrEnum):
    """A part of the screen, in their order."""

    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    ENDED = "ended"
    NEXT = "next"


class Mode(StrEnum):
    """What keys are for."""

    #: They move and act.
    BROWSE = "browse"
    #: They answer a question by yes or no.
    ASK = "ask"
    #: They type the length of a pause.
    TYPE = "type"
    #: They type the part of a name.
    FILTER = "filter"
    #: They scroll in the log of a run.
    LOG = "log"
    #: Any of them leaves the help.
    HELP = "help"


class Deed(StrEnum):
    """What may be wished for."""

    CANCEL = "cancel"
    TRIGGER = "trigger"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    #: Open the log of a run, or of the newest run of a schedule.
    FOLLOW = "follow"
    #: Look again at once.
    LOOK = "look"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something to be done."""

    #: What.
    deed: Deed
    #: The run, or the schedule, that it is done to.
    to: str = ""
    #: How long a pause lasts.
    span: str = ""

    @property
    def words(self) -> str:
        """What is wished for, as it is said."""
        verb = "Run again" if self.deed is Deed.RETRY else self.deed.value.capitalize()
        return f"{verb} {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a section."""

    #: The section.
    section: Section
    #: What tells it from all others, also when it moves to another section.
    id: str
    #: Name of the schedule.
    schedule: str
    #: What it shows.
    about: Going | Waiting | Failing | Done | Coming
    #: Its run, if it is of one.
    run: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody has made of the screen."""

    #: The row that is selected, and its number, which counts when it is gone.
    selected: str = ""
    number: int = 0
    #: What keys are for.
    mode: Mode = Mode.BROWSE
    #: What a name has to have in it to be shown.
    part: str = ""
    #: What has been typed on the last line.
    typed: str = ""
    #: What is done if the answer is yes.
    wish: Wish | None = None
    #: What is being done, and what is said on the last line.
    doing: Wish | None = None
    message: str = ""
    #: Lines of the log that are below the screen.
    below: int = 0


Pressed = tuple[View, Wish | None]


def rows(board: Board) -> list[Row]:
    """Return all rows, in the order in which they are shown."""
    found = [
        Row(section=section, id=each.run.id, schedule=each.run.schedule, about=each, run=each.run)
        for section, many in ((Section.RUNNING, board.running), (Section.WAITING, board.waiting))
        for each in many
    ]
    found += [
        Row(
            section=Section.FAILED, id=f"failed {each.run.schedule}", schedule=each.run.schedule,
            about=each, run=each.run,
        )
        for each in board.failing
    ]  # fmt: skip
    found += [
        Row(section=Section.ENDED, id=each.id, schedule=each.schedule, about=each, run=each.run)
        for each in board.ended
    ]
    found += [
        Row(section=Section.NEXT, id=f"next {each.schedule}", schedule=each.schedule, about=each)
        for each in board.coming
    ]
    return found


def settled(view: View, rows: Sequence[Row]) -> View:
    """Return a view whose selected row is there: the one where it was, if it has gone."""
    numbers = (number for number, row in enumerate(rows) if row.id == view.selected)
    number = next(numbers, min(view.number, len(rows) - 1))
    return at(view, number, rows)


def at(view: View, number: int, rows: Sequence[Row]) -> View:
    """Return a view with a row selected, the nearest there is."""
    if not rows:
        return replace(view, selected="", number=0)
    number = min(max(number, 0), len(rows) - 1)
    return replace(view, selected=rows[number].id, number=number)


def pressed(view: View, key: str, rows: Sequence[Row], board: Board, *, page: int) -> Pressed:
    """Return what a key makes of a view, and what it wishes to be done.

    Args:
        view: what there is, settled.
        key: the key.
        rows: all rows of the board.
        board: what is shown.
        page: rows by which a page moves.
    """
    view = replace(view, message="")
    match view.mode:
        case Mode.ASK:
            return _answered(view, key)
        case Mode.TYPE | Mode.FILTER:
            return _typed(view, key)
        case Mode.LOG:
            return _scrolled(view, key, page)
        case Mode.HELP:
            return replace(view, mode=Mode.BROWSE), None
    if (number := _moved(view, key, rows, page)) is not None:
        return at(view, number, rows), None
    if key in _PLAIN:
        return _PLAIN[key](view)
    if key not in _ACTIONS:
        return view, None
    if not rows:
        return replace(view, message="nothing is selected"), None
    return _ACTIONS[key](view, rows[view.number], board)


def _moved(view: View, key: str, rows: Sequence[Row], page: int) -> int | None:
    """Return the number of the row that a key goes to; None if it goes nowhere."""
    if key in {Key.TAB, Key.BACK_TAB}:
        return _section(view, rows, 1 if key == Key.TAB else -1)
    if key in _ENDS:
        return _ENDS[key] and len(rows)
    step = _step(key, page)
    return None if step is None else view.number + step


def _step(key: str, page: int) -> int | None:
    """Return by how many rows, or lines, a key goes down; None if it is not one of those."""
    return {**_MOVES, Key.PAGE_UP: -page, Key.PAGE_DOWN: page}.get(key)


_PLAIN: Mapping[str, Callable[[View], Pressed]] = {
    "q": lambda view: (view, Wish(deed=Deed.QUIT)),
    "?": lambda view: (replace(view, mode=Mode.HELP), None),
    "/": lambda view: (replace(view, mode=Mode.FILTER, typed=view.part), None),
    Key.ESCAPE: lambda view: (replace(view, part=""), Wish(deed=Deed.LOOK)),
}


def _section(view: View, rows: Sequence[Row], step: int) -> int:
    """Return the number of the first row of the next section that has some, or the one before."""
    begins = [n for n, row in enumerate(rows) if not n or row.section is not rows[n - 1].section]
    if not begins:
        return 0
    here = max(place for place, begin in enumerate(begins) if begin <= view.number)
    return begins[(here + step) % len(begins)]


# -- the actions ---------------------------------------------------------------------------------


def _asked(view: View, deed: Deed, to: str) -> Pressed:
    return replace(view, mode=Mode.ASK, wish=Wish(deed=deed, to=to)), None


def _cancel(view: View, row: Row, _board: Board) -> Pressed:
    if row.run is None or not row.run.active:
        return replace(view, message="only active runs can be cancelled"), None
    return _asked(view, Deed.CANCEL, row.run.id)


def _trigger(view: View, row: Row, _board: Board) -> Pressed:
    return _asked(view, Deed.TRIGGER, row.schedule)


def _pause(view: View, row: Row, board: Board) -> Pressed:
    if board.paused(row.schedule):
        return _asked(view, Deed.RESUME, row.schedule)
    wish = Wish(deed=Deed.PAUSE, to=row.schedule)
    return replace(view, mode=Mode.TYPE, typed="", wish=wish), None


def _retry(view: View, row: Row, _board: Board) -> Pressed:
    if row.run is None or row.run.active or row.run.status is RunStatus.SUCCEEDED:
        return replace(view, message="only runs that have not succeeded can be run again"), None
    return _asked(view, Deed.RETRY, row.run.id)


def _follow(view: View, row: Row, _board: Board) -> Pressed:
    return view, Wish(deed=Deed.FOLLOW, to=row.schedule if row.run is None else row.run.id)


_ACTIONS: Mapping[str, Callable[[View, Row, Board], Pressed]] = {
    "c": _cancel, "t": _trigger, "p": _pause, "r": _retry, "l": _follow, Key.ENTER: _follow,
}  # fmt: skip


# -- the other modes -----------------------------------------------------------------------------


def _answered(view: View, key: str) -> Pressed:
    """Return what an answer leads to; whatever is no consent is none."""
    done = replace(view, mode=Mode.BROWSE, wish=None)
    if key in {"y", "Y"}:
        return done, view.wish
    return replace(done, message="nothing was done"), None


def _typed(view: View, key: str) -> Pressed:
    """Return what typing leads to; a filter holds as it is typed."""
    if key == Key.ESCAPE:
        done = replace(view, mode=Mode.BROWSE, typed="", wish=None)
        if view.mode is Mode.FILTER:
            return replace(done, part=""), Wish(deed=Deed.LOOK)
        return replace(done, message="nothing was done"), None
    if key == Key.ENTER:
        wish = view.wish and replace(view.wish, span=view.typed or USUAL_PAUSE)
        return replace(view, mode=Mode.BROWSE, typed="", wish=None), wish
    if key == Key.BACKSPACE:
        typed = view.typed[:-1]
    elif len(key) == 1 or key.startswith(PASTED):
        typed = (view.typed + key.removeprefix(PASTED))[:_TYPED]
    else:
        return view, None
    if view.mode is Mode.FILTER:
        return replace(view, typed=typed, part=typed, number=0), Wish(deed=Deed.LOOK)
    return replace(view, typed=typed), None


def _scrolled(view: View, key: str, page: int) -> Pressed:
    """Return what a key makes of the log; who draws it knows how long it is."""
    if key in {Key.ESCAPE, "q", "l", Key.ENTER}:
        return replace(view, mode=Mode.BROWSE, below=0), None
    if key in _ENDS:
        return replace(view, below=0 if _ENDS[key] else _ALL), None
    step = _step(key, page)
    return view if step is None else replace(view, below=max(0, view.below - step)), None
