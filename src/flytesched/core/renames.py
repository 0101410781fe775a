"""Rename: that a schedule goes on under another name, as the run log remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A schedule that got another name."""

    #: Its name since then.
    name: str
    #: Its name until then.
    was: str
    #: Moment somebody asked for it.
    asked_at: float
    #: Moment a scheduler saw it; None if none has yet.
    seen_at: float | None = None

    @property
    def until(self) -> float:
        """The last moment at which the earlier name was its own."""
        return inf if self.seen_at is None else self.seen_at
