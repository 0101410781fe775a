"""The outbox: hands notices over to a sender, each at most once, and records what came of them.

A notice is claimed durably before it is handed over: whatever dies in between, it is never handed
over again. All of it happens in the scheduler's process and must delay none of its slots: sending
is done by another process, and the run log is written only while no slot is near.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from flytesched.core.telling import messages
from flytesched.core.telling.channels import wanting
from flytesched.core.telling.events import USUAL
from flytesched.errors import RunLogBusy, RunLogError
from flytesched.hooks.clerk import PAUSE, Clerk
from flytesched.hooks.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Journal, RunLog, Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.core.telling.events import Event, Notice

#: Seconds that must be left until the next slot before the run log is written.
ROOM = 0.25
#: Seconds that this is waited for, at the most.
PATIENCE = 2.0
#: Seconds until a run log that is locked is tried again.
BUSY = 0.5
#: Seconds by which one clock told on another may be off.
_ROUNDING = 1e-4


class Outbox:
    """Implements ``core.protocols.Hook`` with the channels of the manifest."""

    def __init__(
        self,
        runlog: RunLog,
        journal: Journal,
        *,
        host: str,
        state_dir: str,
        environ: Mapping[str, str],
        channels: Callable[[], Mapping[str, Channel] | None],
        definition: Callable[[str, float], Schedule | None],
        elapsed: Callable[[], float],
    ) -> None:
        """Begin with nothing known of what waits.

        Args:
            runlog: where notices are.
            journal: told when a channel fails, and when it works again.
            host: name of this machine.
            state_dir: where log files are.
            environ: what a sender's environment is made of.
            channels: returns the channels in force; None while that is not known.
            definition: returns the definition of what had a name at a moment, None once it is
                removed.
            elapsed: returns seconds on a clock that is never set.
        """
        self._host, self._state_dir = host, state_dir
        self._channels_now, self._elapsed = channels, elapsed
        self._channels: Mapping[str, Channel] = {}
        self._journal, self._keeper = journal, Keeper(environ, journal)
        self._clerk = Clerk(runlog, journal, self._keeper, definition)
        #: When there is something to do, on the clock that is never set.
        self._wanted = elapsed()

    def fileno(self) -> int:
        """Return a descriptor that is readable when the sender has news."""
        return self._keeper.fileno()

    # -- the hook ---------------------------------------------------------------------------

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether a channel of a schedule, or its ping URL, wants to know of an event."""
        return any(True for _ in self._who(schedule, event))

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return a queued notice for each channel that wants to know."""
        who = self._who(told.schedule, told.event)
        return messages.notices(told, who, now=now, host=self._host, state_dir=self._state_dir)

    def tell(self, told: Told) -> None:
        """Look for new notices soon."""
        if self.wants(told.schedule, told.event):
            self.look()

    def _who(self, schedule: Schedule, event: Event) -> Iterator[str]:
        if (channels := self._channels_now()) is None and event in USUAL:
            # What they want cannot be read: a notice too many is better than one that is lost.
            return iter(schedule.notify)
        return wanting(schedule, event, channels or {})

    # -- turns ------------------------------------------------------------------------------

    def look(self) -> None:
        """Look into the run log at the next opportunity."""
        self._clerk.look()
        self._want(self._elapsed())

    def turn(self, now: float, due: float | None) -> float | None:
        """Take what the sender says and give it more; return when to be called again.

        Args:
            now: the moment, in epoch seconds.
            due: when the loop has to turn again; None if nothing is coming.
        """
        elapsed = self._elapsed()
        if self._clerk.hear(now, elapsed):
            self._want(elapsed)
        if (channels := self._channels_now()) is None:
            return None
        if channels is not self._channels:
            self._channels = channels
            self._want(elapsed)
        if elapsed >= self._wanted:
            room = due is None or due - now >= ROOM
            if not room and elapsed < self._wanted + PATIENCE:
                return now + self._wanted + PATIENCE - elapsed
            self._wanted = elapsed + BUSY  # unless all goes well
            with suppress(RunLogBusy):
                self._wanted = self._clerk.step(channels, now, elapsed)
        left = max(0.0, self._wanted - elapsed)
        return None if math.isinf(left) else now + left + _ROUNDING

    @property
    def busy(self) -> bool:
        """Whether something can be sent now, or is on its way."""
        return self._clerk.busy(self._elapsed())

    def finish(
        self,
        clock_now: Callable[[], float],
        seconds: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Go on for some time with what can be sent, before the process ends.

        Args:
            clock_now: returns the moment, in epoch seconds.
            seconds: for how long at most.
            meanwhile: called again and again.
        """
        until = self._elapsed() + seconds
        while self._channels_now() is not None and self.busy:
            meanwhile()
            try:
                self.turn(clock_now(), None)
            except RunLogError as error:  # what waits is the next scheduler's
                self._journal.say("warning", "last messages not sent", why=error)
                return
            if (left := until - self._elapsed()) <= 0:
                return
            self._keeper.wait(min(left, PAUSE))

    def close(self, now: float) -> None:
        """Let go of the sender; what is on its way may arrive, and nobody will know."""
        self._clerk.stop(now)
        self._keeper.close()

    def _want(self, at: float) -> None:
        self._wanted = min(self._wanted, at)
