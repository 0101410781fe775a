"""Definitions: the schedules in force, and what the run log remembers of them.

A changed set counts once the run log has it: until then the old one stays in force.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING

from flytesched.core.counts import count_gaps, count_verdicts
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.policies import OverlapPolicy
from flytesched.core.runs import WAITING, Reason, RunStatus
from flytesched.core.sight import recalled, removed, see
from flytesched.errors import FlyteschedError, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flytesched.core.agenda import Agenda
    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Journal, Roster, ScheduleSource
    from flytesched.core.runs import Gap, Run, ScheduleState
    from flytesched.core.schedule import Schedule
    from flytesched.core.sight import Sight
    from flytesched.scheduler.ledger import Ledger

#: A schedule missing from the set, and what it still owed.
Farewell = tuple["ScheduleState", "Gap | None"]


class Definitions:
    """The schedules in force."""

    def __init__(
        self,
        *,
        source: ScheduleSource,
        ledger: Ledger,
        agenda: Agenda,
        journal: Journal,
        recording: bool,
    ) -> None:
        """Begin with none.

        Args:
            source: where they come from.
            ledger: takes what is seen of them.
            agenda: watches those that are due.
            journal: told of changes.
            recording: whether what is seen is written down; a command just looks.
        """
        self._source, self._ledger = source, ledger
        self._agenda, self._journal = agenda, journal
        self._recording = recording
        #: The schedules by name; others look into this mapping, so it keeps its identity.
        self.schedules: dict[str, Schedule] = {}
        #: Whether a good set was ever read.
        self.known = False
        self._broke = False
        self._states: dict[str, ScheduleState] = {}
        self._pauses: list[tuple[int, str]] = []
        self._pending: Roster | None = None

    def remember(self, states: Mapping[str, ScheduleState]) -> None:
        """Take what the run log remembers."""
        self._states = dict(states)

    def revision(self, name: str) -> int:
        """Return the number of a schedule's definition."""
        return self._states[name].revision

    def cursor(self, name: str) -> int:
        """Return the last slot of a schedule that was decided."""
        return self._states[name].cursor

    def beside(self, name: str) -> bool:
        """Tell whether runs of a schedule may go beside each other."""
        schedule = self.schedules.get(name)
        return schedule is not None and schedule.overlap is OverlapPolicy.ALLOW

    def of(self, name: str) -> Schedule | None:
        """Return a schedule's definition, the last one seen while none can be read.

        None means that the schedule was removed.
        """
        if self.known:
            return self.schedules.get(name)
        state = self._states.get(name)
        return recalled(state) if state is not None else None

    def codes(self, name: str) -> Sequence[int]:
        """Return a schedule's exit codes of success, also after it was removed."""
        if (schedule := self.schedules.get(name)) is not None:
            return schedule.success_exit_codes
        state = self._states.get(name)
        seen = recalled(replace(state, removed_at=None)) if state is not None else None
        return seen.success_exit_codes if seen is not None else (0,)

    def move_cursors(self, cursors: Mapping[str, int]) -> None:
        """Note which slots are decided; a cursor never moves back."""
        for name, cursor in cursors.items():
            if cursor > (state := self._states[name]).cursor:
                self._states[name] = replace(state, cursor=cursor)

    def next_at(self, now: float) -> float | None:
        """Return when a pause ends; ``now`` while a changed set waits to be written."""
        if self._pending is not None:
            return now
        return self._pauses[0][0] if self._pauses else None

    def reload(self, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        """Take over a changed set, and end pauses.

        Returns:
            The slots that old definitions still owed; None when nothing changed, or nothing
            could be written.
        """
        try:
            self._pending = self._source.poll() or self._pending
        except Invalid as error:
            self._broken(error)
        if self._pending is None:
            return self._resume(now, lanes)
        schedules = self._pending.schedules
        names = [name for name in schedules if self._is_changed(name, schedules[name])]
        gone = [n for n, s in self._states.items() if s.removed_at is None and n not in schedules]
        gaps = self._see(schedules, names, gone, now, lanes)
        if gaps is None:
            return None
        if self._broke:
            self._broke = False
            self._journal.say("info", "schedules readable again")
        if self.known and (names or gone):
            self._journal.say("info", "schedules changed", count=len(names) + len(gone))
        self.known = True
        self._pending = None
        return gaps

    def dismiss(self, now: float, lanes: Lanes) -> bool:
        """Cancel what waits for a schedule that is gone, or never was seen; False: try again.

        Somebody may wish for a run just when its schedule is removed. While a newer set cannot be
        read, or is not in force yet, nobody knows that.
        """
        if not self._recording or not self.known or self._broke or self._pending is not None:
            return True
        if not (cancelled := _left_behind(lanes, self.schedules, now)):
            return True
        lost = self._ledger.write(
            Decision(
                moves=tuple(Move(run=run, was=WAITING) for run in cancelled),
                counts=tuple(count_verdicts(cancelled)),
            )
        )
        if lost is not None:
            _take_out(lanes, cancelled, lost)
        return not lost and lost is not None

    def _broken(self, error: FlyteschedError) -> None:
        self._broke = True
        meanwhile = "the last good ones stay in force" if self.known else "nothing is planned"
        self._journal.say("error", f"schedules not readable; {meanwhile}", why=error.message)
        count = Count(metric="schedule_errors_total")
        self._ledger.write(Decision(meta={"manifest_error": error.message}, counts=(count,)))

    def _is_changed(self, name: str, schedule: Schedule) -> bool:
        return not self.known or self.schedules.get(name) != schedule

    def _resume(self, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        """End the pauses whose time has come."""
        ended = [entry for entry in self._pauses if entry[0] <= now]
        names = [name for _, name in ended if name in self.schedules]
        if not ended or (gaps := self._see(self.schedules, names, [], now, lanes)) is None:
            return None
        self._pauses = [entry for entry in self._pauses if entry not in ended]
        heapq.heapify(self._pauses)
        return gaps

    def _see(
        self,
        schedules: Mapping[str, Schedule],
        names: Sequence[str],
        gone: Sequence[str],
        now: float,
        lanes: Lanes,
    ) -> Sequence[Gap] | None:
        """Write what changed schedules mean, then put them in force."""
        sights = [see(schedules[name], self._states.get(name), now) for name in names]
        farewells = [removed(self._states[name], now) for name in gone]
        if self._recording and not self._write(schedules, sights, farewells, now, lanes):
            return None
        self._put_in_force(schedules, gone)
        for sight in sights:
            self._watch(sight)
        for state, _ in farewells:
            self._states[state.name] = state
        lanes.touch_all()
        # What was only looked at is no gap yet: it is told of by the scheduler that records it.
        return [s.gap for s in sights if s.gap is not None] if self._recording else []

    def _write(
        self,
        schedules: Mapping[str, Schedule],
        sights: Sequence[Sight],
        farewells: Sequence[Farewell],
        now: float,
        lanes: Lanes,
    ) -> bool:
        """Write what was seen in one transaction; False when it could not be written."""
        # A pause that ends may do so while the manifest is broken, see `dismiss`.
        news = schedules is not self.schedules
        cancelled = _left_behind(lanes, schedules, now) if news else []
        lost = self._ledger.write(_decision(sights, farewells, cancelled, now))
        if lost is None:
            return False
        _take_out(lanes, cancelled, lost)
        return True

    def _put_in_force(self, schedules: Mapping[str, Schedule], gone: Sequence[str]) -> None:
        """Put a set of definitions in force, in the mapping that others look into."""
        for name in gone:
            self._agenda.discard(name)
        for name in [name for name in self.schedules if name not in schedules]:
            del self.schedules[name]
        self.schedules.update(schedules)

    def _watch(self, sight: Sight) -> None:
        state = sight.state
        self._states[state.name] = state
        if sight.after is None:
            self._agenda.discard(state.name)
        elif sight.changed or state.name not in self._agenda:
            self._agenda.put(state.name, self.schedules[state.name].timing, sight.after)
        if state.paused_until is not None:
            heapq.heappush(self._pauses, (state.paused_until, state.name))


def _left_behind(lanes: Lanes, schedules: Mapping[str, Schedule], now: float) -> list[Run]:
    """Return what waits for a schedule that is not in a set, cancelled."""
    return [
        run.move(RunStatus.CANCELLED, reason=Reason.REMOVED.value, ended=now)
        for run in lanes.all()
        if run.status in WAITING and run.schedule not in schedules
    ]


def _take_out(lanes: Lanes, cancelled: Sequence[Run], lost: frozenset[str]) -> None:
    """Take cancelled runs out of their lanes.

    One that lost has moved on by somebody's wish, which the loop reads in its next tick.
    """
    for run in cancelled:
        if run.id not in lost:
            lanes.put(run)


def _decision(
    sights: Sequence[Sight], farewells: Sequence[Farewell], cancelled: Sequence[Run], now: float
) -> Decision:
    """Return everything that a changed set writes."""
    gaps = _some(gap for gap in (*(s.gap for s in sights), *(gap for _, gap in farewells)))
    return Decision(
        schedules=(
            *(sight.state for sight in sights if sight.changed),
            *(state for state, _ in farewells),
        ),
        gaps=gaps,
        close_gaps=tuple((state.name, Reason.REMOVED.value, now) for state, _ in farewells),
        moves=tuple(Move(run=run, was=WAITING) for run in cancelled),
        counts=(*count_verdicts(cancelled), *count_gaps(gaps)),
        meta={"manifest_error": "", "heartbeat": f"{now:.3f}"},
    )


def _some(gaps: Iterable[Gap | None]) -> tuple[Gap, ...]:
    return tuple(gap for gap in gaps if gap is not None)
