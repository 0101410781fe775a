"""Definitions: the schedules in force, and what the run log remembers of them.

A changed set counts once the run log has it: until then the old one stays in force. What many
schedules change at once is taken over in portions, those that are gone first, so that no slot has
to wait for it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from flytesched.core.counts import count_gaps, count_verdicts
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.policies import OverlapPolicy
from flytesched.core.runs import WAITING, Reason, RunStatus
from flytesched.core.sight import heir_of, recalled, removed, renamed, see, take_over
from flytesched.errors import FlyteschedError, Invalid
from flytesched.scheduler.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flytesched.core.agenda import Agenda
    from flytesched.core.lanes import Lanes
    from flytesched.core.protocols import Journal, Roster, ScheduleSource
    from flytesched.core.runs import Gap, Run, ScheduleState
    from flytesched.core.schedule import Schedule
    from flytesched.core.sight import Sight
    from flytesched.scheduler.ledger import Ledger
    from flytesched.scheduler.news import News

#: Schedules that one tick takes over, and that it looks at, of a set that has changed: some
#: milliseconds of work.
PORTION, LOOKS = 100, 2000
#: The same for the first set, for which nothing has to wait.
FIRST_PORTION = 5000
#: Seconds before a slot in which nothing is taken over, lest it came late.
NEAR = 0.02

#: A schedule missing from the set, and what it still owed.
Farewell = tuple["ScheduleState", "tuple[Gap, ...]"]


@dataclass(slots=True)
class _Change:
    """A set on its way into force."""

    #: The set.
    roster: Roster
    #: Names of all that may be gone, new or other, in this order.
    names: Sequence[str]
    #: How many of them have been taken over.
    at: int = 0
    #: How many were gone, new or other.
    count: int = 0


class Definitions:
    """The schedules in force."""

    def __init__(
        self,
        *,
        source: ScheduleSource,
        ledger: Ledger,
        agenda: Agenda,
        news: News,
        journal: Journal,
        recording: bool,
    ) -> None:
        """Begin with none.

        Args:
            source: where they come from.
            ledger: takes what is seen of them.
            agenda: watches those that are due.
            news: tells of what they still owed.
            journal: told of changes.
            recording: whether what is seen is written down; a command just looks.
        """
        self._source, self._ledger = source, ledger
        self._agenda, self._news, self._journal = agenda, news, journal
        self._recording = recording
        #: The schedules by name; others look into this mapping, so it keeps its identity.
        self.schedules: dict[str, Schedule] = {}
        #: Whether a good set was ever read.
        self.known = False
        self._broke = False
        self._memory = Memory(self.schedules)
        self._pauses: list[tuple[int, str]] = []
        self._change: _Change | None = None
        #: Names before renames that are still to be seen, by the names since.
        self._renames: dict[str, str] = {}
        #: The slot that comes next, or came next until it was claimed ahead of its time.
        self._awaited: int | None = None
        #: Whether the source was not asked in the last tick.
        self._unasked = False

    def remember(self, states: Mapping[str, ScheduleState]) -> None:
        """Take what the run log remembers."""
        self._memory.fill(states.values())

    def revision(self, name: str) -> int:
        """Return the number of a schedule's definition."""
        return self._memory.revision(name)

    def cursor(self, name: str) -> int:
        """Return the last slot of a schedule that was decided."""
        return self._memory.cursor(name)

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
        state = self._memory.state(name)
        return recalled(state) if state is not None else None

    def since(self, name: str, created: float) -> Schedule | None:
        """Return the definition of what had a name at a moment, also if it has another name now.

        None means that the schedule was removed.
        """
        return self.of(name) or self.of(self._ledger.name_now(name, created))

    def codes(self, name: str) -> Sequence[int]:
        """Return a schedule's exit codes of success, also after it was removed."""
        if (schedule := self.schedules.get(name)) is not None:
            return schedule.success_exit_codes
        state = self._memory.state(name)
        seen = recalled(replace(state, removed_at=None)) if state is not None else None
        return seen.success_exit_codes if seen is not None else (0,)

    def move_cursors(self, cursors: Mapping[str, int]) -> None:
        """Note which slots are decided; a cursor never moves back."""
        self._memory.move(cursors)

    def next_at(self, now: float) -> float | None:
        """Return when a pause ends; ``now`` while a changed set is being taken over.

        What comes just before a slot, and is left alone then, is looked at when the slot is due.
        """
        if self._is_near(now):
            return self._awaited
        # The news that woke the loop amid a set may have been of a newer one.
        if self._change is not None or self._unasked:
            return now
        return self._pauses[0][0] if self._pauses else None

    def reload(self, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        """Take over a changed set, and end pauses.

        Returns:
            The slots that old definitions still owed; None when nothing changed, or nothing
            could be written.
        """
        gaps = self._resume(now, lanes)
        if gaps is not None or self._is_near(now):
            return gaps
        if self._change is None or not self._change.at or self._ledger.busy:
            self._ask()
            self._unasked = False
        else:
            self._unasked = True
        return None if self._change is None else self._go_on(self._change, now, lanes)

    def _ask(self) -> None:
        """Ask the source for news; what is not yet in force of an earlier set goes with it."""
        try:
            news = self._source.poll()
        except Invalid as error:
            self._broken(error)
            return
        if news is None:
            return
        touched = news.touched
        if self._change is not None and touched is not None:
            touched = (*self._change.names[self._change.at :], *touched)
        if not self.known:
            touched = (*self._memory.present(), *news.schedules)
        elif touched is None:
            touched = (*self.schedules, *news.schedules)
        self._renames = {rename.name: rename.was for rename in self._ledger.renames()}
        if self._renames:
            touched = (*touched, *self._renames.values())
        names = dict.fromkeys(touched)
        gone = [name for name in names if name not in news.schedules]
        for name in gone:
            del names[name]
        self._change = _Change(news, (*gone, *names))

    def _go_on(self, change: _Change, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        """Take over a portion of a set; the whole of the first one, before which nothing is due."""
        if self.known:
            return self._take_portion(change, now, lanes)
        gaps: list[Gap] = []
        while not self.known:
            if (found := self._take_portion(change, now, lanes)) is None:
                return gaps or None
            gaps += found
        return gaps

    def _take_portion(self, change: _Change, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        schedules = change.roster.schedules
        end, names = self._portion(change)
        last = end == len(change.names)
        gaps: Sequence[Gap] | None = ()
        if names or last:
            gone = [name for name in names if name not in schedules]
            gaps = self._see(schedules, names[len(gone) :], gone, now, lanes, last=last)
        if gaps is None:
            return None
        change.at = end
        change.count += len(names)
        if last:
            self._change = None
            self._settle(change)
        return gaps

    def _portion(self, change: _Change) -> tuple[int, list[str]]:
        """Return where the next portion ends, and the names in it that are really gone or other."""
        if not self.known:
            end = min(change.at + FIRST_PORTION, len(change.names))
            return end, list(change.names[change.at : end])
        names: list[str] = []
        schedules = change.roster.schedules
        end = change.at
        while end < min(len(change.names), change.at + LOOKS) and len(names) < PORTION:
            name = change.names[end]
            if self.schedules.get(name) != schedules.get(name):
                names.append(name)
            end += 1
        return end, names

    def _settle(self, change: _Change) -> None:
        """Say that a set is in force as a whole."""
        if self._broke:
            self._broke = False
            self._journal.say("info", "schedules readable again")
        if self.known and change.count:
            self._journal.say("info", "schedules changed", count=change.count)
        self.known = True
        self._memory.settle()
        if change.roster.settled is not None:
            change.roster.settled()

    def _is_near(self, now: float) -> bool:
        """Tell whether a slot is about to be due."""
        at = self._agenda.next_at()
        # One that was claimed ahead of its time has left the agenda, and is awaited all the same.
        if self._awaited is None or self._awaited <= now or (at is not None and at < self._awaited):
            self._awaited = at
        return self._awaited is not None and 0 < self._awaited - now < NEAR

    def dismiss(self, now: float, lanes: Lanes) -> bool:
        """Cancel what waits for a schedule that is gone, or never was seen; False: try again.

        Somebody may wish for a run just when its schedule is removed. While a newer set cannot be
        read, or is not in force yet, nobody knows that.
        """
        if not self._recording or not self.known or self._broke or self._change is not None:
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

    def _resume(self, now: float, lanes: Lanes) -> Sequence[Gap] | None:
        """End the pauses whose time has come."""
        ended = [entry for entry in self._pauses if entry[0] <= now]
        names = [name for _, name in ended if name in self.schedules]
        if not ended or (gaps := self._see(self.schedules, names, (), now, lanes)) is None:
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
        *,
        last: bool = False,
    ) -> Sequence[Gap] | None:
        """Write what changed schedules mean, then put them in force.

        ``last`` tells that the set is in force as a whole then: what waits for others is cancelled.
        """
        # A name that another takes over from goes with it, in one transaction.
        gone = [name for name in gone if not self._has_heir(name, schedules)]
        heirs = {name: was for name in names if (was := self._heir_of(name, schedules))}
        sights = [self._sight(schedules[name], heirs.get(name), now) for name in names]
        farewells = [removed(state, now) for state in map(self._memory.state, gone) if state]
        passed_on = map(self._memory.state, heirs.values())
        farewells += [(renamed(state, now), ()) for state in passed_on if state]
        gone = [*gone, *heirs.values()]
        settled = self._settled(names, gone, schedules, now)
        cancelled = _left_behind(lanes, schedules, now) if last else []
        decision = replace(_decision(sights, farewells, cancelled, now), renames=settled)
        news = self._news.gaps(decision.gaps, schedules) if self._recording else []
        decision = replace(decision, notices=self._news.notices(news, now))
        if self._recording and not self._write(decision, cancelled, lanes):
            return None
        self._put_in_force(schedules, names, gone)
        for name, _, _ in settled:
            del self._renames[name]
        self._news.tell(news)
        for sight in sights:
            self._watch(sight)
        for state, _ in farewells:
            self._memory.keep(state, None)
        lanes.touch_all((*gone, *names))
        # What was only looked at is no gap yet: it is told of by the scheduler that records it.
        return [gap for sight in sights for gap in sight.gaps] if self._recording else []

    def _sight(self, schedule: Schedule, was: str | None, now: float) -> Sight:
        """Return what a definition means, for one with an earlier name beside what that decided."""
        own = self._memory.state(schedule.name)
        before = None if was is None else self._memory.state(was)
        return take_over(schedule, before, own, now) if before else see(schedule, own, now)

    def _heir_of(self, name: str, schedules: Mapping[str, Schedule]) -> str | None:
        return heir_of(name, self._renames, schedules, self._memory.state)

    def _settled(
        self,
        names: Sequence[str],
        gone: Sequence[str],
        schedules: Mapping[str, Schedule],
        now: float,
    ) -> tuple[tuple[str, str, float | None], ...]:
        """Return which renames are seen now, and which never came about."""
        if not self._renames:
            return ()
        seen, lost = frozenset(names), frozenset(gone)
        return tuple(
            (name, was, now if name in seen and was not in schedules else None)
            for name, was in self._renames.items()
            if name in seen or was in lost
        )

    def _has_heir(self, was: str, schedules: Mapping[str, Schedule]) -> bool:
        """Tell whether another name takes over from one that goes, now or later in the set."""
        names = [name for name, before in self._renames.items() if before == was]
        return any(name in schedules and self._heir_of(name, schedules) for name in names)

    def _write(self, decision: Decision, cancelled: Sequence[Run], lanes: Lanes) -> bool:
        """Write what was seen in one transaction; False when it could not be written."""
        lost = self._ledger.write(decision)
        if lost is None:
            return False
        _take_out(lanes, cancelled, lost)
        return True

    def _put_in_force(
        self, schedules: Mapping[str, Schedule], names: Iterable[str], gone: Iterable[str]
    ) -> None:
        """Put definitions in force, in the mapping that others look into."""
        for name in gone:
            self._agenda.discard(name)
            self.schedules.pop(name, None)
        if schedules is not self.schedules:
            self.schedules.update((name, schedules[name]) for name in names)

    def _watch(self, sight: Sight) -> None:
        state = sight.state
        schedule = self.schedules[state.name]
        self._memory.keep(state, schedule)
        if sight.after is None:
            self._agenda.discard(state.name)
        elif sight.changed or state.name not in self._agenda:
            self._agenda.put(schedule.name, schedule.timing, sight.after)
        if state.paused_until is not None:
            heapq.heappush(self._pauses, (state.paused_until, schedule.name))


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
    owed = (*(sight.gaps for sight in sights), *(gaps for _, gaps in farewells))
    gaps = tuple(chain.from_iterable(owed))
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
