"""Watching: what a command shows, drawn in one place again and again until somebody ends it."""

from __future__ import annotations

import io
import os
import re
import select
import shutil
import signal
import sys
import termios
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.clock import SystemClock
from flytesched.errors import FlyteschedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flytesched.cli.call import Call

#: Seconds between two looks, unless told otherwise; and the bounds of what may be told.
USUAL = 2.0
_LEAST, _MOST = 0.1, 86_400.0
#: xterm's control sequences: another screen without a cursor, on which what is pasted can be told
#: from what is typed, and back to what was there before.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?2004h", "\x1b[?2004l\x1b[?25h\x1b[?1049l"
#: To the upper left; clear to the end of the line; clear to the end of the screen. What is drawn
#: over what was there, and cleared only behind it, does not flicker.
_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")
_LOCAL_MODES = 3
#: What ends a watch at somebody's wish, and what ends any process; and all that is caught.
WISHES, ENDS = (signal.SIGINT,), (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
CAUGHT = (*WISHES, *ENDS, signal.SIGTSTP, signal.SIGWINCH)
_QUIT = b"q"
#: Bytes of keys looked at in one go.
_KEYS = 1024


def watch(call: Call, show: Callable[[Call], object], *, title: str, interval: float) -> None:
    """Show something again and again until Ctrl-C or ``q``; the terminal is left as it was.

    What is wrong at the first look is raised as always; later it is shown, and looked at again.
    SIGTERM and SIGHUP end the process, as they do without a watch.

    Args:
        call: what the global options say.
        show: shows it, by way of stdout and stderr.
        title: what it is, for the first line.
        interval: seconds between two looks.

    Raises:
        UsageError: there is no terminal to draw on, or ``interval`` is no such number.
    """
    _check(call, interval)
    text = _seen(call, show)
    with closing(SystemClock()) as clock:
        clock.catch(CAUGHT)
        with Screen() as screen:
            if screen.keys is not None:
                clock.watch(screen.keys)
            while True:
                screen.draw(_headed(call, title, interval), text)
                clock.wait(clock.now() + interval)
                came = clock.signals()
                if signal.SIGTSTP in came:
                    screen.stop()
                end = next((number for number in came if number in WISHES + ENDS), None)
                if end is not None or screen.quits():
                    break
                call = replace(call)
                text = _seen_or_refused(call, show)
    if end in ENDS:
        signal.raise_signal(end)


def _check(call: Call, interval: float) -> None:
    if call.json:
        msg = "--watch and --json do not go together"
        raise UsageError(msg, hint="leave one of them out")
    require_terminal("--watch", "leave it out, or run the command again and again in a loop")
    require_interval(interval)


def require_terminal(what: str, otherwise: str) -> None:
    """Refuse to draw where nobody would see it.

    Args:
        what: what needs a terminal.
        otherwise: what to do without one.

    Raises:
        UsageError: stdout is no terminal, or one on which nothing can be drawn over.
    """
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        msg = f"{what} needs a terminal to draw on"
        raise UsageError(msg, hint=otherwise)


def require_interval(interval: float) -> None:
    """Refuse seconds between two looks that cannot be waited.

    Raises:
        UsageError: there are too few or too many, or it is no number.
    """
    if not _LEAST <= interval <= _MOST:
        msg = f"--interval: {interval:g} is no number of seconds that can be waited"
        raise UsageError(msg, hint=f"write one from {_LEAST:g} to {_MOST:g}")


# -- what is seen -------------------------------------------------------------------------------


class _Sheet(io.StringIO):
    """What stands in for stdout and stderr while one look is drawn up; it is for a terminal."""

    def isatty(self) -> bool:
        """Say that it is a terminal, which it will be shown on."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's, which says which glyphs there are."""
        return sys.__stdout__.encoding if sys.__stdout__ is not None else "ascii"


def _seen(call: Call, show: Callable[[Call], object]) -> str:
    """Return what a command shows, talk included."""
    sheet = _Sheet()
    with redirect_stdout(sheet), redirect_stderr(sheet):
        show(call)
    return sheet.getvalue()


def _seen_or_refused(call: Call, show: Callable[[Call], object]) -> str:
    try:
        return _seen(call, show)
    except FlyteschedError as error:
        return "".join(f"{line}\n" for line in render.refusal(error))


def _headed(call: Call, title: str, interval: float) -> str:
    """Return the first line: what this is, at which moment, and how it ends."""
    return f"{call.clock(call.now)}  {title}, every {interval:g} s; q or Ctrl-C ends it"


# -- the terminal -------------------------------------------------------------------------------


class Screen:
    """The whole of a terminal, from one moment until it is given back."""

    def __init__(self) -> None:
        """Take stdout as the terminal, and keys from stdin if that is one."""
        #: The descriptor that keys come from; None if there is none.
        self.keys = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._modes: list[Any] | None = None

    def __enter__(self) -> Screen:
        """Switch to a screen of its own, on which what is typed does not show."""
        try:
            self._take()
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back as it was, whatever happened."""
        self._give_back()

    def draw(self, head: str, text: str) -> None:
        """Draw a text over what was drawn before, cut to the terminal's size."""
        columns, rows = shutil.get_terminal_size()
        lines = [clipped(line, columns) for line in fitted([head, *text.splitlines()], rows)]
        _put(_HOME + "\n".join(f"{line}{_CLEAR_LINE}" for line in lines) + _CLEAR_BELOW)

    def quits(self) -> bool:
        """Take the keys that were pressed, and tell whether one of them ends the watch."""
        pressed = self.pressed()
        return pressed is None or _QUIT in pressed

    def pressed(self) -> bytes | None:
        """Take what the terminal sent for the keys that were pressed; None if it is gone."""
        if self.keys is None or not select.select([self.keys], [], [], 0)[0]:
            return b""
        with suppress(OSError):
            return os.read(self.keys, _KEYS) or None
        return None

    def stop(self) -> None:
        """Stop as Ctrl-Z asks, with the terminal given back meanwhile."""
        self._give_back()
        signal.raise_signal(signal.SIGSTOP)
        self._take()

    def _take(self) -> None:
        if self.keys is not None:
            self._modes = termios.tcgetattr(self.keys)
            quiet = [*self._modes]
            quiet[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(self.keys, termios.TCSADRAIN, quiet)
        _put(_ENTER)

    def _give_back(self) -> None:
        with suppress(OSError):
            _put(_LEAVE)
        if self.keys is not None and self._modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.keys, termios.TCSADRAIN, self._modes)


def fitted(lines: Sequence[str], rows: int) -> list[str]:
    """Return lines that fit into the rows of a terminal; the last one says what is left out."""
    if len(lines) <= rows:
        return [*lines]
    left_out = len(lines) - max(rows - 1, 0)
    return [*lines[: max(rows - 1, 0)], f"and {render.plural(left_out, 'line')} more"][:rows]


def clipped(line: str, columns: int) -> str:
    """Return a line, which may be coloured, cut to the columns of a terminal."""
    said: list[str] = []
    left = columns
    for part in _COLOUR.split(line):
        if part.startswith("\x1b"):
            said.append(part)
        elif left > 0:
            said.append(render.cut(part, left))
            left -= render.width(part)
    return "".join(said)


def _put(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
