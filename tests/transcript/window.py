"""A window: a shell in a pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pexpect
import pyte

from desk import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROMPT = "$ "
#: Lines of a window: those of no scene are more, so that nothing scrolls away unseen.
LINES = 120
#: What the shell is told before a person sees it: nothing of anybody's own, one prompt, and a
#: line with the exit code of each command for us.
_SHELL = (
    "PS1='$ '; PS2='> '; HISTFILE=; set +o history; unset MAILCHECK;"
    " PROMPT_COMMAND='echo $? >> \"$CODES\"'; clear"
)


class Glass(pyte.Screen):
    """A screen that notices when a line of output is longer than it is wide."""

    def __init__(self, columns: int, lines: int) -> None:
        """Begin empty."""
        #: What has been written on the present line, and the lines that did not fit.
        self._line = ""
        self.wrapped: list[str] = []
        self._wrapping = False
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        """Draw characters; what a person types may go on in the next line, output may not."""
        for char in data:
            self._wrapping = self.cursor.x == self.columns
            if self._wrapping and not self._line.startswith((PROMPT, "> ")):
                self.wrapped.append(self._line)
            self._line += char
            super().draw(char)
            self._wrapping = False

    def carriage_return(self) -> None:
        """Begin a line, unless this is only the end of the room."""
        if not self._wrapping:
            self._line = ""
        super().carriage_return()


class Window:
    """A shell in a pseudo-terminal of a given width."""

    def __init__(self, columns: int, environ: Mapping[str, str], home: Path, name: str) -> None:
        """Open it; the shell starts in ``home`` and knows only ``environ``."""
        self._codes = home / f".codes-{name}"
        self._codes.touch()
        self._glass = Glass(columns, LINES)
        self._stream = pyte.ByteStream(self._glass)
        self._shell = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "--noediting", "-i"], cwd=str(home),
            env={**environ, "TERM": "xterm-256color", "CODES": str(self._codes)},
            dimensions=(LINES, columns), timeout=60,
        )  # fmt: skip
        self._typed(_SHELL)

    # -- typing -----------------------------------------------------------------------------

    def type(self, command: str) -> int:
        """Clear the screen, type a command, wait for its end, and return its exit code."""
        self.begin(command)
        return self.end()

    def begin(self, command: str) -> None:
        """Clear the screen and type a command."""
        self._typed("clear")
        self._glass.wrapped.clear()
        self._before = self._ended()
        self._shell.sendline(command)

    def end(self) -> int:
        """Wait until the shell asks for the next command, and return the last exit code."""
        wait_for("a prompt", lambda: self._ended() > self._before and self._asks())
        return int(self._codes.read_text().split()[-1])

    def press(self, key: str) -> None:
        """Press a key together with Ctrl."""
        self._shell.sendcontrol(key)

    def _typed(self, command: str) -> None:
        self._before = self._ended()
        self._shell.sendline(command)
        self.end()

    def _ended(self) -> int:
        """Return how many commands have ended."""
        return len(self._codes.read_text().split())

    def _asks(self) -> bool:
        """Tell whether the cursor stands behind a prompt."""
        self._catch_up()
        return self._glass.cursor.x == len(PROMPT) and self._line(self._glass.cursor.y) == "$"

    def close(self) -> None:
        """Leave the shell; jobs that still run are hung up."""
        self._shell.close(force=True)

    # -- looking ----------------------------------------------------------------------------

    def look(self) -> str:
        """Return what the screen shows now, without the prompt that waits."""
        self._catch_up()
        lines = [self._line(y) for y in range(self._glass.cursor.y + 1)]
        return "\n".join(lines).rstrip("\n").removesuffix("\n$") + "\n"

    def _catch_up(self) -> None:
        """Draw what has been written meanwhile."""
        while True:
            try:
                self._stream.feed(self._shell.read_nonblocking(65536, timeout=0))
            except (pexpect.TIMEOUT, pexpect.EOF):
                return

    def _line(self, y: int) -> str:
        row = self._glass.buffer[y]
        return "".join(row[x].data for x in range(self._glass.columns)).rstrip()

    def shows(self, text: str, times: int = 1) -> None:
        """Wait until the screen shows a text, so many times."""
        wait_for(repr(text), lambda: self.look().count(text) >= times)

    @property
    def wrapped(self) -> Sequence[str]:
        """Lines of output since the last command that were longer than the window is wide."""
        return tuple(self._glass.wrapped)

    def tone(self, word: str) -> set[str]:
        """Return the colours, and whether bold, in which a word stands on the screen."""
        found = set()
        for y in range(self._glass.cursor.y + 1):
            for match in re.finditer(re.escape(word), self._line(y)):
                cell = self._glass.buffer[y][match.start()]
                found.add("bold" if cell.bold else cell.fg)
        return found
