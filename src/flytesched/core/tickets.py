"""Tickets: which of the runs that may start goes first."""

from __future__ import annotations

import heapq

from flytesched.core.lane import SLACK

#: Rank, number in the order of giving out, id of the run.
Ticket = tuple[int, int, str]


class Tickets:
    """A heap of tickets, one for each run, that may be taken back."""

    def __init__(self) -> None:
        """Begin with none."""
        self._valid: dict[str, Ticket] = {}
        #: Holds outdated tickets as well, until they come to the head.
        self._heap: list[Ticket] = []

    def __contains__(self, run_id: str) -> bool:
        """Tell whether a run has a ticket."""
        return run_id in self._valid

    def give(self, ticket: Ticket) -> None:
        """Give a run that has none a ticket."""
        self._valid[ticket[2]] = ticket
        heapq.heappush(self._heap, ticket)
        if len(self._heap) > 2 * len(self._valid) + SLACK:
            self._heap = sorted(self._valid.values())

    def take_back(self, run_id: str) -> None:
        """Take back the ticket of a run, if it has one."""
        self._valid.pop(run_id, None)

    def best(self) -> Ticket | None:
        """Return the ticket to be served first."""
        while self._heap:
            ticket = self._heap[0]
            if self._valid.get(ticket[2]) == ticket:
                return ticket
            heapq.heappop(self._heap)
        return None
