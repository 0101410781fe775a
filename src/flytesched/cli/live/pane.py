"""Pane: the last lines of what a run writes, as it writes them."""

from __future__ import annotations

import codecs
import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from flytesched.cli import render
from flytesched.errors import FlyteschedError, NotFound
from flytesched.service.output import Tail, find_output, look_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Attempt, Run

#: Lines that are kept, columns that are kept of each, and bytes of a long log that are read.
_LINES, _WIDE, _BYTES = 2_000, 1_000, 2**18
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


class Pane:
    """The log of the last attempt of a run."""

    def __init__(self, site: Site, word: str) -> None:
        """Open the log of a run, or of the newest run of a schedule.

        Raises:
            NotFound: there is none.
            FlyteschedError: it cannot be found out.
        """
        self._site = site
        run, attempts = find_output(site, word)
        self._begin(run, attempts[-1])
        self.read_on()

    def _begin(self, run: Run, attempt: Attempt) -> None:
        self._run, self._attempt = run, attempt
        self._tail = Tail(self._site, attempt, last=_BYTES)
        # A character may be cut in two by the end of a chunk.
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._unended = ""
        self._trouble = ""

    def read_on(self) -> None:
        """Take over what was written since; a run that was tried again has another log."""
        try:
            if self._run.active:
                run, attempts = look_again(self._site, self._run)
                if attempts[-1].attempt != self._attempt.attempt:
                    self._begin(run, attempts[-1])
                self._run, self._attempt = run, attempts[-1]
            for chunk in self._tail.read():
                self._take(self._decoder.decode(chunk))
            self._trouble = ""
        except NotFound:
            self._trouble = "it is not in the run log any more"
        except (FlyteschedError, OSError) as error:
            self._trouble = str(error)

    def _take(self, text: str) -> None:
        *ended, self._unended = (self._unended + text).split("\n")
        self._lines.extend(map(_shown, ended))
        self._unended = _last_written(self._unended)[:_WIDE]

    def title(self, now: float) -> str:
        """Return whose log it is."""
        run = self._run
        said = f"LOG {run.id}, attempt {self._attempt.attempt}, {run.verdict()}"
        if run.active and run.started is not None:
            said += f" for {render.about(max(0.0, now - run.started))}"
        return f"{said}; {self._trouble}" if self._trouble else said

    def shown(self, room: int, below: int) -> Sequence[str]:
        """Return so many lines, above so many that are below the screen."""
        lines = self._all()
        end = max(0, len(lines) - below)
        return [*islice(lines, max(0, end - room), end)]

    def most_below(self, room: int) -> int:
        """Return how many lines can be below a screen with so many."""
        return max(0, len(self._all()) - max(room, 0))

    def _all(self) -> Sequence[str]:
        return [*self._lines, _shown(self._unended)] if self._unended else [*self._lines]


def _last_written(line: str) -> str:
    """Return what a line says that was written over, as the bar of a progress is."""
    over = line.rstrip("\r")
    return over.rpartition("\r")[2] + line[len(over) :]


def _shown(line: str) -> str:
    """Return a line that no terminal obeys, without its colours."""
    line = _last_written(line).removesuffix("\r")
    return render.safe(_COLOUR.sub("", line[:_WIDE]).expandtabs(8))
