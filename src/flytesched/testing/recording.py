"""Listeners that remember what they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flytesched.core.protocols import Told


class RecordingHook:
    """A hook that remembers what it was told."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.told: list[Told] = []

    def tell(self, told: Told) -> None:
        """Remember."""
        self.told.append(told)


class RecordingJournal:
    """A journal that remembers its lines: level, event and facts."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def say(self, level: str, event: str, **facts: object) -> None:
        """Remember."""
        self.lines.append((level, event, facts))

    def flush(self) -> None:
        """Do nothing: no line waits."""

    def events(self) -> list[str]:
        """Return what happened, in order."""
        return [event for _, event, _ in self.lines]
