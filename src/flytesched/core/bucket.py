"""Token bucket: how fast what makes up for the past may start."""

from __future__ import annotations

#: A token that lacks no more than this is whole: waiting exactly until ``ready_at`` is enough.
_HAIR = 1e-6


class Bucket:
    """A token bucket: ``rate`` tokens a second (0 = no limit), at most ``burst`` kept."""

    def __init__(self, rate: float, burst: int) -> None:
        """Begin full."""
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._at: float | None = None

    def ready_at(self, now: float) -> float:
        """Return when a token is to be had: ``now``, or the moment it will have grown."""
        if not self.rate:
            return now
        self._grow(now)
        return now if self._tokens >= 1 else now + (1 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Use a token."""
        if self.rate:
            self._grow(now)
            self._tokens -= 1

    def put_back(self) -> None:
        """Return a token that was taken for nothing."""
        if self.rate:
            self._tokens = min(self.burst, self._tokens + 1)

    def _grow(self, now: float) -> None:
        # A clock that was set back adds nothing, and takes nothing away.
        passed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._tokens = min(self.burst, self._tokens + passed * self.rate)
        if 1 - _HAIR < self._tokens < 1:
            self._tokens = 1.0
        self._at = now
