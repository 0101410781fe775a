"""Ledger: writes decisions, and says once when the run log stops and starts taking them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.renames import name_now
from flytesched.errors import RunLogBusy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.core.decision import Decision
    from flytesched.core.protocols import Journal, RunLog
    from flytesched.core.renames import Rename

#: Seconds until a decision that could not be written is tried again.
RETRY_AFTER = 0.2


class Ledger:
    """The loop's pen: a decision is written whole, or None tells that nothing was."""

    def __init__(self, runlog: RunLog, journal: Journal) -> None:
        """Write to ``runlog``; report changes of its state to ``journal``."""
        self._runlog = runlog
        self._journal = journal
        #: Whether the last decision could not be written.
        self.busy = False

    def write(self, decision: Decision) -> frozenset[str] | None:
        """Write a decision; return the ids that lost, or None when nothing was written."""
        if not decision:
            return frozenset()
        try:
            lost = self._runlog.apply(decision)
        except RunLogBusy as error:
            self._stuck(error)
            return None
        if self.busy:
            self.busy = False
            self._journal.say("info", "run log writable again")
        return lost

    def renames(self) -> Sequence[Rename]:
        """Return the renames that no scheduler has seen yet; none if they cannot be read."""
        try:
            return self._runlog.renames()
        except RunLogBusy:
            return ()

    def name_now(self, name: str, created: float) -> str:
        """Return the name now of what was written at a moment under a name, if it can be read."""
        try:
            return name_now(self._runlog.all_renames(), name, created)
        except RunLogBusy:
            return name

    def _stuck(self, error: RunLogBusy) -> None:
        if not self.busy:
            self.busy = True
            self._journal.say("error", "run log not writable; nothing starts", why=error.message)
