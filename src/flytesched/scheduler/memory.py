"""Memory: what the run log remembers of every schedule, kept small.

There may be a hundred thousand. What a schedule in force says itself is not kept beside it, and
the definitions that a start reads lie in one piece until the schedules are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytesched.core.runs import ScheduleState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flytesched.core.schedule import Schedule

#: Stands between two definitions, which are JSON on one line.
_BETWEEN = "\n"


class _Record:
    """A ScheduleState, but for its name, and for the definition while that is told elsewhere."""

    __slots__ = (
        "cursor", "definition", "enabled", "paused_until", "removed_at", "revision", "seen_at",
        "timing",
    )  # fmt: skip

    def __init__(self, state: ScheduleState, definition: str | None) -> None:
        self.timing, self.enabled, self.cursor = state.timing, state.enabled, state.cursor
        self.seen_at, self.revision = state.seen_at, state.revision
        self.paused_until, self.removed_at = state.paused_until, state.removed_at
        self.definition = definition


class Memory:
    """What is remembered of every schedule ever seen."""

    def __init__(self, schedules: Mapping[str, Schedule]) -> None:
        """Remember nothing yet; ``schedules`` are those in force, a mapping that changes."""
        self._schedules = schedules
        self._records: dict[str, _Record] = {}
        #: The definitions that a start read, and where each begins.
        self._archive = ""
        self._places: dict[str, int] = {}
        #: A moment and a second that many have in common, so that they are kept once.
        self._moment, self._second = 0.0, 0

    def fill(self, states: Iterable[ScheduleState]) -> None:
        """Take what a start read of the run log."""
        shared: dict[Any, Any] = {}
        texts: list[str] = []
        at = 0
        self._records, self._places = {}, {}
        for state in states:
            gone = state.removed_at is not None
            self._records[state.name] = record = _Record(state, state.definition if gone else None)
            record.timing = shared.setdefault(record.timing, record.timing)
            record.cursor = shared.setdefault(record.cursor, record.cursor)
            record.seen_at = shared.setdefault((record.seen_at,), record.seen_at)
            if not gone:
                self._places[state.name] = at
                texts.append(state.definition)
                at += len(state.definition) + len(_BETWEEN)
        self._archive = _BETWEEN.join((*texts, ""))

    def state(self, name: str) -> ScheduleState | None:
        """Return what is remembered of a schedule; None if it was never seen."""
        if (record := self._records.get(name)) is None:
            return None
        return ScheduleState(
            name=name, timing=record.timing, enabled=record.enabled, cursor=record.cursor,
            seen_at=record.seen_at, revision=record.revision, definition=self._definition(name),
            paused_until=record.paused_until, removed_at=record.removed_at,
        )  # fmt: skip

    def keep(self, state: ScheduleState, schedule: Schedule | None) -> None:
        """Remember a schedule from now on; ``schedule`` is what says so, None for a removed one."""
        name = state.name if schedule is None else schedule.name
        if schedule is not None:
            # The name and the text that are kept anyway; those of a start are let go of.
            self._records.pop(name, None)
        self._records[name] = record = _Record(state, None if schedule else state.definition)
        if schedule is not None:
            record.timing = schedule.timing.text
        if record.cursor == self._second:
            record.cursor = self._second
        if record.seen_at == self._moment:
            record.seen_at = self._moment
        self._second, self._moment = record.cursor, record.seen_at

    def settle(self) -> None:
        """Let go of the definitions that a start read: those in force tell them from now on."""
        self._archive, self._places = "", {}

    def present(self) -> list[str]:
        """Return the schedules that were not removed."""
        return [name for name, record in self._records.items() if record.removed_at is None]

    def revision(self, name: str) -> int:
        """Return the number of a schedule's definition."""
        return self._records[name].revision

    def cursor(self, name: str) -> int:
        """Return the last slot of a schedule that was decided."""
        return self._records[name].cursor

    def move(self, cursors: Mapping[str, int]) -> None:
        """Note which slots are decided; a cursor never moves back."""
        for name, cursor in cursors.items():
            record = self._records[name]
            record.cursor = max(record.cursor, cursor)

    def _definition(self, name: str) -> str:
        record = self._records[name]
        if record.definition is not None:
            return record.definition
        if (at := self._places.get(name)) is not None:
            return self._archive[at : self._archive.index(_BETWEEN, at)]
        return self._schedules[name].definition()
