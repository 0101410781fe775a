"""Output of commands on its way to stdout: made safe for a terminal, or as it is."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

from flytesched.cli import render
from flytesched.core.runs import RunStatus
from flytesched.errors import FlyteschedError
from flytesched.service.output import Tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Attempt, Run


class Outlet:
    """Writes bytes of a log to stdout."""

    def __init__(self, *, raw: bool) -> None:
        """Write everything as it is with ``raw``.

        Else it is made safe, into a pipe too: what stands behind it may be a pager or ``grep``, and
        so a terminal after all.
        """
        self._raw = raw
        # A character may be cut in two by the end of a chunk.
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, chunk: bytes) -> None:
        """Write a piece of output at once."""
        sys.stdout.flush()
        if self._raw:
            sys.stdout.buffer.write(chunk)
        else:
            render.write(render.safe(self._decoder.decode(chunk), lines=True))
        sys.stdout.flush()


class Stream:
    """A watcher that shows the output of one run as it grows, attempt by attempt."""

    def __init__(self, site: Site, outlet: Outlet) -> None:
        """Show output through ``outlet``."""
        self._site, self._outlet = site, outlet
        self._tails: dict[int, Tail] = {}
        self._said: str | None = None

    def changed(self, runs: Sequence[Run]) -> None:
        """Show what was written since the last call; a log that cannot be read ends nothing."""
        for run in runs:
            if run.status is not RunStatus.QUEUED and (reader := self._site.reader()) is not None:
                with reader:
                    attempts = reader.attempts(run.id)
                try:
                    self.show(attempts)
                except FlyteschedError as error:
                    self._say_once(error.message)

    def show(self, attempts: Sequence[Attempt]) -> None:
        """Show what attempts wrote since the last call."""
        for attempt in attempts:
            tail = self._tails.setdefault(attempt.attempt, Tail(self._site, attempt))
            for chunk in tail.read():
                self._outlet.write(chunk)

    def _say_once(self, what: str) -> None:
        if what != self._said:
            self._said = what
            render.talk(f"flytesched: {what}")
