"""A clock that stands still until somebody waits for it."""

from __future__ import annotations

import heapq


class FakeClock:
    """A clock that stands still until somebody waits for it.

    Besides the wall clock it has elapsed time, which ``step`` does not change: what takes ten
    seconds takes ten seconds, whatever is done to the wall clock meanwhile.
    """

    def __init__(self, start: float) -> None:
        """Begin at ``start``, in epoch seconds."""
        self._offset = start
        self._alarms: list[float] = []
        self._news = False
        #: Seconds that have passed since the clock was made.
        self.elapsed = 0.0

    def now(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return self._offset + self.elapsed

    def uptime(self) -> float:
        """Return the seconds that have passed, whatever was done to the wall clock."""
        return self.elapsed

    def wait(self, until: float | None) -> None:
        """Jump to ``until``, or to the next alarm if that is earlier.

        Raises:
            RuntimeError: nothing would ever end this wait.
        """
        if self._news:
            self._news = False
            return
        if until is None and not self._alarms:
            msg = "nothing would ever end this wait"
            raise RuntimeError(msg)
        if until is None or (self._alarms and self._alarms[0] < until - self._offset):
            self.elapsed = max(self.elapsed, self._alarms[0])
        else:
            self.elapsed = max(self.elapsed, until - self._offset)
            while self.now() < until:  # rounding must not make a wait end early
                self.elapsed += 1e-6
        while self._alarms and self._alarms[0] <= self.elapsed:
            heapq.heappop(self._alarms)

    def alarm(self, at: float) -> None:
        """Let a wait end when the wall clock, as it goes now, is at ``at``."""
        self.alarm_after(at - self.now())

    def alarm_after(self, seconds: float) -> None:
        """Let a wait end when ``seconds`` have passed."""
        heapq.heappush(self._alarms, self.elapsed + seconds)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back with a negative number; that ends a wait."""
        self._offset += seconds
        self._news = True

    def wake(self) -> None:
        """End the present or the next wait, as news from outside would."""
        self._news = True
