"""Session: somebody before the live screen, from its first frame to its end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched.cli.live import draw
from flytesched.cli.live.draw import Scene
from flytesched.cli.live.errand import Errand, doing
from flytesched.cli.live.keys import decode
from flytesched.cli.live.layout import Look
from flytesched.cli.live.pane import Pane
from flytesched.cli.live.view import Deed, Mode, View, pressed, rows, settled
from flytesched.cli.pictures import drawable
from flytesched.cli.screen import CAUGHT, ENDS, WISHES, Screen
from flytesched.clock import SystemClock
from flytesched.errors import FlyteschedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flytesched.cli.call import Call
    from flytesched.cli.live.view import Wish
    from flytesched.core.statistics import Spread
    from flytesched.service.board import Board
    from flytesched.service.lookout import Lookout

#: Seconds in which the rest of a key's sequence comes; ESC alone is a key after that.
_REST = 0.05


def look_of(call: Call, *, keyed: bool) -> Look:
    """Return what the terminal is like now."""
    columns, lines = shutil.get_terminal_size()
    plain = not drawable(sys.stdout.encoding, os.environ.get("TERM"))
    return Look(
        columns=columns, lines=lines, zone=call.zone, colour=call.colour, plain=plain, keyed=keyed
    )


class Session:
    """The board, what somebody makes of it, and what they ask to be done."""

    def __init__(self, call: Call, lookout: Lookout, errand: Errand, *, keyed: bool) -> None:
        """Look for the first time."""
        self._call, self._lookout, self._errand = call, lookout, errand
        self._keyed = keyed
        self._held = b""
        self._pane: Pane | None = None
        self._view = View()
        #: Whether it has been ended by a key.
        self.over = False
        self.look()

    def look(self) -> None:
        """Look again."""
        self._board: Board = self._lookout.look(self._call.site.now(), self._view.part)
        self._rows = rows(self._board)
        self._view = settled(self._view, self._rows)
        if self._pane is not None:
            self._pane.read_on()

    def lines(self) -> list[str]:
        """Return what is to be seen now."""
        look = look_of(self._call, keyed=self._keyed)
        return draw.frame(
            Scene(
                board=self._board, rows=self._rows, view=self._view, look=look, pane=self._pane,
                usual=self._usual,
            )
        )  # fmt: skip

    def _usual(self, names: Collection[str]) -> Mapping[str, Spread | None]:
        return self._lookout.usual(names, self._board.now)

    # -- keys -------------------------------------------------------------------------------

    @property
    def begun(self) -> bool:
        """Whether the beginning of a key's sequence has come."""
        return bool(self._held)

    def press(self, sent: bytes) -> None:
        """Take what the terminal sent; nothing means that no more belongs to what it sent."""
        keys, self._held = decode(self._held + sent, whole=not sent)
        for key in keys:
            page = look_of(self._call, keyed=self._keyed).page
            self._view, wish = pressed(self._view, key, self._rows, self._board, page=page)
            if self._pane is not None:
                if self._view.mode is not Mode.LOG:
                    self._pane = None
                else:
                    most = self._pane.most_below(2)
                    self._view = replace(self._view, below=min(self._view.below, most))
            if wish is not None:
                self._grant(wish)

    def _grant(self, wish: Wish) -> None:
        if wish.deed is Deed.QUIT:
            self.over = True
        elif wish.deed is Deed.LOOK:
            self.look()
        elif wish.deed is Deed.FOLLOW:
            self._follow(wish.to)
        elif self._errand.busy:
            self._say("wait: something else is still being done")
        else:
            self._view = replace(self._view, doing=wish)
            self._errand.begin(doing(self._call, wish))

    def _follow(self, word: str) -> None:
        try:
            self._pane = Pane(self._lookout.site, word)
        except (FlyteschedError, OSError) as error:
            self._say(str(error))
        else:
            self._view = replace(self._view, mode=Mode.LOG, below=0)

    def hear(self) -> bool:
        """Say what came of an errand, if it has been done; tell whether it has."""
        said = self._errand.result()
        if said is not None:
            self._view = replace(self._view, doing=None, message=said)
        return said is not None

    def _say(self, message: str) -> None:
        self._view = replace(self._view, message=message)


def run(call: Call, lookout: Lookout, interval: float) -> None:
    """Show a live screen until q or Ctrl-C; the terminal is left as it was.

    SIGTERM and SIGHUP end the process, as they do everywhere.
    """
    with closing(SystemClock()) as clock, closing(Errand()) as errand:
        clock.catch(CAUGHT)
        with Screen() as screen:
            session = Session(call, lookout, errand, keyed=screen.keys is not None)
            end = _shown(clock, screen, errand, session, interval)
        if (said := errand.wait()) is not None and end not in ENDS:
            call.talk(said)
    if end in ENDS:
        signal.raise_signal(end)


def _shown(
    clock: SystemClock, screen: Screen, errand: Errand, session: Session, interval: float
) -> int | None:
    """Draw and listen until the end; return the signal that it came by, if it was one."""
    clock.watch(errand.fileno())
    if screen.keys is not None:
        clock.watch(screen.keys)
    due = clock.now() + interval
    while True:
        head, *others = session.lines() or [""]
        screen.draw(head, "\n".join(others))
        clock.wait(min(due, clock.now() + _REST) if session.begun else due)
        came = clock.signals()
        if signal.SIGTSTP in came:
            screen.stop()
        end = next((number for number in came if number in WISHES + ENDS), None)
        sent = screen.pressed()
        if end is not None or sent is None:
            return end
        if sent or session.begun:
            session.press(sent)
        if session.over:
            return None
        now = clock.now()
        if session.hear() or now >= due or due > now + interval:  # or the clock was set back
            session.look()
            due = clock.now() + interval


def picture(call: Call, lookout: Lookout) -> list[str]:
    """Return one frame, for somebody who presses no key."""
    board = lookout.look(call.now)
    look = look_of(call, keyed=False)
    return draw.frame(
        Scene(
            board=board, rows=rows(board), view=View(), look=look,
            usual=lambda names: lookout.usual(names, board.now),
        )
    )  # fmt: skip
