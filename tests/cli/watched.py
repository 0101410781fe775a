"""A terminal that something is drawn on again and again, and what a person sees of it."""

from __future__ import annotations

import sys
import termios
from typing import TYPE_CHECKING

import pexpect
import pyte
from terminal import environment

from desk import wait_for

if TYPE_CHECKING:
    from pathlib import Path

#: What switches to the other screen without a cursor, and back.
ENTERED, LEFT = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"


class Glass(pyte.Screen):
    """A screen that counts what is cleared as a whole, which would flicker, and what scrolls."""

    #: How often it was cleared from the start, and how often a line was pushed out.
    wiped = scrolled = 0

    def erase_in_display(self, how: int = 0, *args: object, **keys: object) -> None:
        """Clear a part of the screen."""
        self.wiped += how != 0
        super().erase_in_display(how, *args, **keys)

    def index(self) -> None:
        """Move to the next line, and scroll where there is none."""
        self.scrolled += self.cursor.y == self.lines - 1
        super().index()


class Watched:
    """A watch that goes on in a pseudo-terminal, and what a person sees of it."""

    def __init__(
        self, home: Path, *words: str, before: str = "", size: tuple[int, int] = (24, 80),
        **environ: str,
    ) -> None:  # fmt: skip
        """Begin to watch; a shell sees to what stands ``before`` the program."""
        environ = environment(home) | {"TERM": "xterm", "NO_COLOR": "1"} | environ
        for name in ("COLUMNS", "LINES"):
            environ.pop(name, None)
        program = [sys.executable, "-m", "flytesched", *words]
        self.process = pexpect.spawn(
            "sh", ["-c", f'exec {before} "$@"', "sh", *program], cwd=str(home),
            env=environ, dimensions=size, timeout=60,
        )  # fmt: skip
        self.modes = termios.tcgetattr(self.process.child_fd)
        self.glass = Glass(*reversed(size))
        self.raw = b""
        self._stream = pyte.ByteStream(self.glass)

    def look(self) -> list[str]:
        """Return the lines on the screen now."""
        while True:
            try:
                got = self.process.read_nonblocking(65536, timeout=0)
            except (pexpect.TIMEOUT, pexpect.EOF):
                return [line.rstrip() for line in self.glass.display]
            self.raw += got
            self._stream.feed(got)

    def sees(self, what: str) -> None:
        """Wait until something is on the screen; where the watch has ended, it has to be there."""
        wait_for(what, lambda: what in "\n".join(self.look()) or not self.process.isalive())
        screen = "\n".join(self.look())
        assert what in screen

    def frames(self) -> int:
        """Return how often it was drawn."""
        self.look()
        return self.raw.count(b"\x1b[H")

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal, as a window's corner does."""
        self.look()
        self.glass.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def end(self) -> int:
        """Wait for the end; return the exit code, or the negative number of a signal."""
        wait_for("an end", lambda: self.look() and not self.process.isalive())
        self.look()
        signalled = self.process.signalstatus
        return self.process.exitstatus if signalled is None else -signalled

    def left_as_it_was(self) -> bool:
        """Tell whether the terminal is what it was: its screen, its cursor, how keys are read."""
        modes = termios.tcgetattr(self.process.child_fd) if not self.process.closed else None
        return self.raw.count(ENTERED) == self.raw.count(LEFT) and modes == self.modes
