"""Watching: how far long work has come, on a terminal, and what came of many runs.

There is one bar for all of it. Whoever does the work draws it, in passing: a thread that redraws it
would be a second one in a process that forks supervisors.
"""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from contextlib import contextmanager, redirect_stderr, suppress
from typing import TYPE_CHECKING

from flytesched.cli import render
from flytesched.clock import monotonic
from flytesched.core.runs import FAILURES, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from flytesched.cli.call import Call
    from flytesched.core.runs import Run

#: Runs that ended badly are named one by one up to this many.
_NAMED = 20
#: Seconds between two drawings, and before it can be told how long the rest takes.
_EVERY, _TELLING = 0.1, 2.0
#: Columns of the bar itself, at most and at least.
_WIDE, _NARROW = 40, 5
#: Back to the begin of the line, and clear it.
_CLEAR = "\r\x1b[K"


class Bar(io.TextIOBase):
    """A line of a terminal that says how far something has come; at its end it is gone.

    While it is there it stands in for the stream that it is drawn on: a text that is written to it
    takes the place of the bar, which comes back below.
    """

    def __init__(
        self, what: str, stream: TextIO, *, elapsed: Callable[[], float] = monotonic
    ) -> None:
        """Draw nothing yet.

        Args:
            what: what is done, in a few words.
            stream: a terminal.
            elapsed: seconds on a clock that is never set.
        """
        self._what, self._stream, self._elapsed = render.safe(what), stream, elapsed
        self._began, self._again_at = elapsed(), 0.0
        self._shown = False

    def show(self, part: float, said: str) -> None:
        """Say how far it has come, unless that was said a moment ago.

        Args:
            part: how much of it is done, from 0 to 1.
            said: the same in figures.
        """
        now = self._elapsed()
        if now < self._again_at and part < 1:
            return
        self._again_at, self._shown = now + _EVERY, True
        self._draw(_CLEAR + self._line(part, said + self._left(part, now - self._began)))

    def _left(self, part: float, took: float) -> str:
        if took < _TELLING or not 0 < part < 1:
            return ""
        return f", {render.about(took * (1 - part) / part)} left"

    def _line(self, part: float, said: str) -> str:
        """Return the line, which leaves the last column free: some terminals wrap there."""
        room = self._columns() - 1
        wide = min(_WIDE, room - len(self._what) - len(said) - 4)
        if wide < _NARROW:
            return render.cut(f"{self._what} {said}", room)
        from flytesched.cli.pictures import bar, drawable

        plain = not drawable(self._stream.encoding, os.environ.get("TERM"))
        return f"{self._what} [{bar(part, wide, plain=plain)}] {said}"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80

    def _draw(self, text: str) -> None:
        with suppress(OSError):  # a terminal that is gone is no reason to stop
            self._stream.write(text)
            self._stream.flush()

    def clear(self) -> None:
        """Leave a clean line."""
        if self._shown:
            self._shown = False
            self._draw(_CLEAR)

    # -- in the place of its stream ---------------------------------------------------------

    def write(self, text: str, /) -> int:
        """Write a text where the bar was; the next look draws the bar again."""
        self.clear()
        self._again_at = 0.0
        return self._stream.write(text)

    def flush(self) -> None:
        """Let the stream write what it holds back."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Tell that it is a terminal."""
        return True

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._stream.fileno()


class Silent:
    """A watcher that shows nothing."""

    def changed(self, runs: Sequence[Run]) -> None:
        """Show nothing."""


class Progress:
    """A watcher that moves a bar."""

    def __init__(self, bar: Bar, count: int) -> None:
        """Move ``bar`` until ``count`` runs have a verdict."""
        self._bar, self._count = bar, count

    def changed(self, runs: Sequence[Run]) -> None:
        """Show how many have a verdict; those that were withdrawn have nothing to wait for."""
        done = self._count - sum(run.active for run in runs)
        self._bar.show(done / self._count, f"{done:,}/{self._count:,}")


@contextmanager
def progress(count: int, what: str) -> Iterator[Silent | Progress]:
    """Give a watcher: a bar on stderr where that is a terminal, else nothing."""
    if count < 2 or not _on_terminal():
        yield Silent()
        return
    with _drawn(what) as bar:
        yield Progress(bar, count)


@contextmanager
def share(what: str) -> Iterator[Callable[[float], None]]:
    """Give a function that is told which part of 1 is done: a bar on stderr, if a terminal."""
    if not _on_terminal():
        yield lambda _: None
        return
    with _drawn(what) as bar:
        bar.show(0.0, "0%")
        yield lambda part: bar.show(part, f"{part:.0%}")


def _on_terminal() -> bool:
    """Tell whether stderr is a terminal on which a line can be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def _drawn(what: str) -> Iterator[Bar]:
    """Give a bar that stands in for stderr, and is gone at the end, come what may."""
    bar = Bar(what, sys.stderr)
    try:
        with redirect_stderr(bar):
            yield bar
    finally:
        bar.clear()


def report(call: Call, runs: Sequence[Run]) -> int:
    """Say how many runs came to which verdict, name the bad ones, and return the exit code."""
    counts = Counter(run.status.value for run in runs)
    if runs:
        said = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
        call.talk(f"{render.plural(len(runs), 'run')}: {said}")
    bad = [run for run in runs if run.status is not RunStatus.SUCCEEDED]
    for run in bad[:_NAMED]:
        call.talk(f"  {run.id}: {run.verdict()}")
    if len(bad) > _NAMED:
        call.talk(f"  and {len(bad) - _NAMED:,} more; see: flytesched history")
    return int(any(run.status in FAILURES for run in runs))
