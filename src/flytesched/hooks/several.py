"""Several hooks as one: each is asked, and each is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.core.protocols import Hook, Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Event, Notice


class Several:
    """Implements ``core.protocols.Hook`` with others."""

    def __init__(self, *hooks: Hook) -> None:
        """Pass everything on to ``hooks``, in this order."""
        self._hooks = hooks

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether one of them wants to know of an event of a schedule."""
        return any(hook.wants(schedule, event) for hook in self._hooks)

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return what any of them wants to be durable together with what is told."""
        return tuple(notice for hook in self._hooks for notice in hook.notices(told, now))

    def tell(self, told: Told) -> None:
        """Pass the news on to all of them."""
        for hook in self._hooks:
            hook.tell(told)
