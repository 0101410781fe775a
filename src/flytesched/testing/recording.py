"""Listeners that remember what they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.telling import messages
from flytesched.core.telling.channels import wanting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.core.protocols import Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.core.telling.events import Event, Notice


class RecordingHook:
    """A hook that remembers what it was told, and wants it as real channels and hooks do."""

    def __init__(self, channels: Mapping[str, Channel] | None = None) -> None:
        """Begin with nothing.

        Args:
            channels: what schedules may name in ``notify``.
        """
        self.channels: Mapping[str, Channel] = channels or {}
        self.told: list[Told] = []

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether a hook, a channel or a ping URL of the schedule wants to know."""
        hooked = getattr(schedule, f"on_{event.value}", None) is not None
        return hooked or any(True for _ in wanting(schedule, event, self.channels))

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return what has to become durable together with what is told."""
        names = wanting(told.schedule, told.event, self.channels)
        queued = messages.notices(told, names, now=now, host="here", state_dir="/state")
        return (*messages.mark(told, now), *queued)

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
