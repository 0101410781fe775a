"""Lead: how long before its time a slot is claimed, so that its runs can start on time."""

from __future__ import annotations

#: Seconds that even one claim takes: a wake-up, a transaction, a disk.
_LEAST = 0.005
#: Seconds per claim, before any was measured.
_PACE = 3e-4
#: How much more time than the last ones needed is given: machines are shared.
_ROOM = 1.5


class Lead:
    """How long claims take, learned from those that were made."""

    def __init__(self, most: float) -> None:
        """Begin with a guess; ``most`` seconds are given at most, however many claims there are."""
        #: Seconds that are given at most.
        self.most = most
        self._fixed, self._pace = _LEAST, _PACE

    def of(self, claims: int) -> float:
        """Return the seconds to give to that many claims."""
        return min(self.most, _ROOM * self._expected(claims))

    def learn(self, claims: int, seconds: float) -> None:
        """Take note of how long that many claims took.

        What a slow disk adds to each batch tells from small batches, what each claim adds from
        large ones.
        """
        excess = seconds - self._expected(claims)
        if claims * self._pace > self._fixed:
            self._pace = max(self._pace + excess / claims / 2, _PACE / 8)
        else:
            self._fixed = min(max(self._fixed + excess / 2, _LEAST), 20 * _LEAST)

    def _expected(self, claims: int) -> float:
        return self._fixed + claims * self._pace
