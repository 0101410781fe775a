"""A run log that ends with its process."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flytesched.core.decision import Snapshot
from flytesched.core.gaps import GIVEN_UP, cut, holds
from flytesched.core.renames import Rename, spans
from flytesched.core.runs import (
    FAILURES,
    IN_PLACE,
    VERDICTS,
    Attempt,
    Gap,
    Origin,
    Run,
    RunStatus,
    ScheduleState,
    run_id,
)
from flytesched.core.telling.events import WENT
from flytesched.errors import RunLogBusy, RunLogError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from flytesched.core.decision import Decision, Move
    from flytesched.core.runs import AttemptKey
    from flytesched.core.telling.events import Event, Notice, NoticeMove


@dataclass(slots=True)
class _Store:
    """What the handles of one MemoryRunLog share."""

    states: dict[str, ScheduleState] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    active: dict[str, Run] = field(default_factory=dict)
    attempts: dict[str, dict[int, Attempt]] = field(default_factory=lambda: defaultdict(dict))
    gaps: dict[int, Gap] = field(default_factory=dict)
    open_gaps: dict[int, Gap] = field(default_factory=dict)
    #: Gaps that were given up, by schedule.
    given_up: dict[str, dict[int, Gap]] = field(default_factory=lambda: defaultdict(dict))
    #: Slots that have a run, ascending, by schedule.
    slots: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: What `last_verdict` looks at, ascending, by schedule: slot or moment, a tie-break, id.
    done: dict[str, list[tuple[float, str, str]]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[tuple[str, str, str], float] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    renames: list[Rename] = field(default_factory=list)
    notices: dict[int, Notice] = field(default_factory=dict)
    #: Numbers of notices by what there is one of: channel, event, what it is about.
    noticed: dict[tuple[str, str, str], int] = field(default_factory=dict)
    #: Notices that have not ended, in the order they were stored.
    open_notices: dict[int, Notice] = field(default_factory=dict)
    writes: int = 0


class MemoryRunLog:
    """A run log that ends with its process, under the contract that SqliteRunLog is held to."""

    def __init__(self, beside: MemoryRunLog | None = None) -> None:
        """Begin empty, or as another process beside the one that has ``beside``."""
        self._store: _Store = beside._store if beside is not None else _Store()
        self._own_writes = 0
        self._seen = self._store.writes
        #: Set it to let every call that reads or writes raise RunLogBusy.
        self.busy = False

    # -- the contract -------------------------------------------------------------------------

    def load(self) -> Snapshot:
        """Read what a starting scheduler needs."""
        active = self.active()
        tries = (self._store.attempts.get(run.id) for run in active)
        return Snapshot(
            schedules=dict(self._store.states),
            active=tuple(active),
            attempts=tuple(some[max(some)] for some in tries if some),
            gaps=tuple(self.open_gaps()),
            meta=dict(self._store.meta),
        )

    def apply(self, decision: Decision) -> frozenset[str]:
        """Carry out a decision, whole or not at all; return ids and keys of what lost."""
        self._check()
        _refuse(self._store, decision)
        self._see(decision)
        self._record_gaps(decision)
        self._settle_renames(decision)
        lost = {run.id for run in decision.runs if not self._insert(run)}
        lost |= {move.run.id for move in decision.moves if not self._move(move)}
        for attempt in decision.attempts:
            if attempt.run not in lost:
                self._store.attempts[attempt.run][attempt.attempt] = attempt
        for notice in decision.notices:
            if notice.about not in lost:
                self._notice(notice)
        lost |= {move.notice.key for move in decision.notice_states if not self._move_notice(move)}
        for one in decision.counts:
            if one.run not in lost:
                self._add((one.metric, one.schedule, one.label), one.amount)
        self._store.meta.update(decision.meta)
        self._wrote()
        return frozenset(lost)

    def changed(self) -> bool:
        """Tell whether another handle wrote since the last call."""
        others = self._store.writes - self._own_writes
        seen, self._seen = self._seen, others
        return others != seen

    def active(self) -> list[Run]:
        """Read all runs without a verdict, in the order they were stored."""
        self._check()
        return [*self._store.active.values()]

    def attempt(self, key: AttemptKey) -> Attempt | None:
        """Read one attempt."""
        self._check()
        return self._store.attempts.get(key.run, {}).get(key.attempt)

    def open_gaps(self, names: Iterable[str] | None = None) -> list[Gap]:
        """Read gaps that are not closed, oldest first."""
        self._check()
        wanted = None if names is None else frozenset(names)
        gaps = self._store.open_gaps.values()
        found = [gap for gap in gaps if wanted is None or gap.schedule in wanted]
        return sorted(found, key=lambda gap: (gap.after, gap.id))

    def decided(self, schedule: str, after: int, until: int) -> list[int]:
        """Return the slots in ``(after, until]`` that have a run, ascending."""
        self._check()
        slots = self._store.slots.get(schedule, [])
        return slots[bisect_right(slots, after) : bisect_right(slots, until)]

    def renames(self) -> list[Rename]:
        """Read the renames that no scheduler has seen yet."""
        return [rename for rename in self.all_renames() if rename.seen_at is None]

    def all_renames(self) -> list[Rename]:
        """Return every rename, in the order they were asked for."""
        self._check()
        return [*self._store.renames]

    def last_verdict(self, schedule: str, before: str) -> Run | None:
        """Return the newest run that succeeded, failed, timed out or was interrupted."""
        self._check()
        own, *earlier = spans(self._store.renames, schedule)
        for name in (own.name, *(span.name for span in earlier)):
            for _, _, one in reversed(self._store.done.get(name, [])):
                run = self._store.runs[one]
                if one != before and (
                    name == own.name or any(s.holds(name, run.created) for s in earlier)
                ):
                    return run
        return None

    def close_caught_up(self, moment: float) -> None:
        """Close the gaps whose every slot has a run with a verdict."""
        self._check()
        for gap in tuple(self._store.open_gaps.values()):
            waiting = sum(_in_gap(run, gap) for run in self._store.active.values())
            if self._ran(gap) - waiting >= gap.count:
                self._put_gap(replace(gap, closed_as="caught_up", closed_at=moment))

    def open_notices(self, limit: int | None = None, after: int = 0) -> list[Notice]:
        """Read notices that are queued or being sent, oldest first; at most ``limit``."""
        self._check()
        return [one for one in self._store.open_notices.values() if one.id > after][:limit]

    def noticed(self, channels: Iterable[str], event: Event, about: str) -> bool:
        """Tell whether one of the channels has a notice of an event about a run or gap."""
        self._check()
        return any((channel, event.value, about) in self._store.noticed for channel in channels)

    def messages_since(self, channel: str, since: float, limit: int) -> list[float]:
        """Return when a channel was sent messages, or may have been: the last ones, ascending."""
        self._check()
        found = {
            one.ended
            for one in self._store.notices.values()
            if one.channel == channel and one.status in WENT and one.ended is not None
        }
        return sorted(ended for ended in found if ended > since)[-limit:]

    # -- wishes, and a look at everything -----------------------------------------------------

    def request(self, run: Run) -> Run | None:
        """Store a queued run and return it as stored; None if its slot is decided already."""
        self._check()
        while not self._insert(run):
            if _decides(run):
                return None
            name, _, moment = run.id.rpartition("-")
            run = replace(run, id=f"{name}-{int(moment) + 1}")
        self._wrote()
        return self._store.runs[run.id]

    def note_end(self, run_id: str, end_as: str) -> bool:
        """Note the verdict that a started run shall end with; only a timeout gives way to it."""
        self._check()
        run = self._store.runs.get(run_id)
        if run is None or run.status not in IN_PLACE or run.end_as not in {None, "timed_out"}:
            return False
        self._put(replace(run, end_as=end_as))
        self._wrote()
        return True

    def cancel_waiting(self, run_id: str, reason: str, now: float) -> bool:
        """Cancel a run that waits for its start or its next attempt."""
        self._check()
        run = self._store.runs.get(run_id)
        if run is None or run.status not in {RunStatus.QUEUED, RunStatus.RETRY_WAIT}:
            return False
        self._put(run.move(RunStatus.CANCELLED, reason=reason, ended=now))
        self._add(("runs_total", run.schedule, RunStatus.CANCELLED.value), 1.0)
        self._wrote()
        return True

    def rename(self, name: str, was: str, now: float) -> None:
        """Note that a schedule gets another name; one that is unseen goes by the name before it."""
        self._check()
        first = next((one.was for one in self.renames() if one.name == was), was)
        self._store.renames = [
            one for one in self._store.renames
            if one.seen_at is not None or (one.name not in {name, was} and one.was != first)
        ]  # fmt: skip
        if first != name:
            state = self._store.states.get(first)
            gone = state.removed_at if state is not None else None
            self._store.renames.append(Rename(name=name, was=first, asked_at=now, seen_at=gone))
        self._wrote()

    def withdraw(self, ids: Iterable[str]) -> list[str]:
        """Delete catch-up and backfill runs that are still queued; return the ids of those."""
        self._check()
        store, making_up = self._store, {Origin.CATCHUP, Origin.BACKFILL}
        gone = []
        for name in ids:
            run = store.active.get(name)
            if run is None or run.status is not RunStatus.QUEUED or run.origin not in making_up:
                continue
            del store.active[name], store.runs[name]
            store.attempts.pop(name, None)
            if _decides(run):
                slots = store.slots[run.schedule]
                del slots[bisect_left(slots, run.scheduled_at or 0)]
            gone.append(name)
        self._wrote()
        return gone

    def decline(
        self,
        names: Iterable[str],
        moment: float,
        *,
        after: int | None = None,
        until: int | None = None,
    ) -> int:
        """Give up the open missed slots of schedules in ``(after, until]``; return how many."""
        self._check()
        declined = 0
        for gap in (gap for name in names for gap in self.open_gaps([name])):
            before, within, behind = cut(gap, after, until)
            if within is None:
                continue
            self._put_gap(replace(within, id=gap.id, closed_at=moment, closed_as="declined"))
            for rest in (before, behind):
                if rest is not None:
                    self._put_gap(replace(rest, id=len(self._store.gaps) + 1))
            declined += within.count - self._ran(within)
        self._wrote()
        return declined

    def revision(self, schedule: str) -> int:
        """Return the number of the definition last seen; 0 if there is none."""
        state = self._store.states.get(schedule)
        return state.revision if state is not None else 0

    def all_runs(self) -> Collection[Run]:
        """Return every run, in the order they were stored."""
        return self._store.runs.values()

    def all_gaps(self) -> Collection[Gap]:
        """Return every gap, in the order they were recorded."""
        return self._store.gaps.values()

    def all_notices(self) -> Collection[Notice]:
        """Return every notice, in the order they were stored."""
        return self._store.notices.values()

    def states(self) -> dict[str, ScheduleState]:
        """Return what is remembered of every schedule ever seen."""
        return dict(sorted(self._store.states.items()))

    def counters(self) -> dict[tuple[str, str, str], float]:
        """Return every counter, by ``(metric, schedule, label)``."""
        return dict(self._store.counters)

    def meta(self) -> dict[str, str]:
        """Return the remembered facts."""
        return dict(self._store.meta)

    def _check(self) -> None:
        if self.busy:
            msg = "the run log cannot be used right now: a test says so"
            raise RunLogBusy(msg)

    def _wrote(self) -> None:
        self._store.writes += 1
        self._own_writes += 1

    def _add(self, key: tuple[str, str, str], amount: float) -> None:
        self._store.counters[key] = self._store.counters.get(key, 0.0) + amount

    def _see(self, decision: Decision) -> None:
        states = self._store.states
        for state in decision.schedules:
            old = states.get(state.name, state)
            states[state.name] = replace(state, cursor=max(state.cursor, old.cursor))
        for name, cursor in decision.cursors.items():
            if name in states and cursor > states[name].cursor:
                states[name] = replace(states[name], cursor=cursor)

    def _record_gaps(self, decision: Decision) -> None:
        for gap in decision.gaps:
            self._put_gap(replace(gap, id=len(self._store.gaps) + 1))
        for name, closed_as, moment in decision.close_gaps:
            for gap in self.open_gaps([name]):
                self._put_gap(replace(gap, closed_as=closed_as, closed_at=moment))

    def _settle_renames(self, decision: Decision) -> None:
        moments = {(name, was): moment for name, was, moment in decision.renames}
        found = []
        for one in self._store.renames:
            moment = moments.get((one.name, one.was), -1.0) if one.seen_at is None else -1.0
            if moment is not None:
                found.append(one if moment < 0 else replace(one, seen_at=moment))
        self._store.renames = found

    def _insert(self, run: Run) -> bool:
        store = self._store
        if run.id in store.runs or (_decides(run) and self._was_given_up(run)):
            return False
        if _decides(run):
            insort(store.slots[run.schedule], run.scheduled_at or 0)
        newest = next(reversed(store.runs.values())).seq if store.runs else 0
        self._put(replace(run, seq=newest + 1))
        return True

    def _was_given_up(self, run: Run) -> bool:
        """Tell whether the slot of a run has its verdict by a gap that was given up."""
        gaps = self._store.given_up[run.schedule]
        return any(holds(gap, run.scheduled_at or 0) for gap in reversed(gaps.values()))

    def _ran(self, gap: Gap) -> int:
        """Count the slots of a gap that have a run."""
        slots = self._store.slots[gap.schedule]
        inside = slots[bisect_right(slots, gap.after) : bisect_right(slots, gap.until)]
        return sum(holds(gap, slot) for slot in inside)

    def _move(self, move: Move) -> bool:
        stored = self._store.runs.get(move.run.id)
        if stored is None or stored.status not in move.was or stored.end_as != move.knew:
            return False
        self._put(replace(move.run, seq=stored.seq))
        return True

    def _notice(self, notice: Notice) -> None:
        about = (notice.channel, notice.event.value, notice.about)
        if about not in self._store.noticed:
            number = self._store.noticed[about] = len(self._store.notices) + 1
            self._put_notice(replace(notice, id=number))

    def _move_notice(self, move: NoticeMove) -> bool:
        stored = self._store.notices.get(move.notice.id)
        if stored is None or stored.status is not move.was:
            return False
        said = move.notice
        self._put_notice(
            replace(
                stored,
                status=said.status,
                tries=said.tries,
                not_before=said.not_before,
                ended=said.ended,
                why=said.why,
                facts=said.facts,
            )
        )
        return True

    def _put_notice(self, notice: Notice) -> None:
        self._store.notices[notice.id] = notice
        if notice.ended is None:
            self._store.open_notices[notice.id] = notice
        else:
            self._store.open_notices.pop(notice.id, None)

    def _put(self, run: Run) -> None:
        self._store.runs[run.id] = run
        if run.active:
            self._store.active[run.id] = run
            return
        self._store.active.pop(run.id, None)
        if run.status in FAILURES or run.status is RunStatus.SUCCEEDED:
            insort(self._store.done[run.schedule], (*run.standing, run.id))

    def _put_gap(self, gap: Gap) -> None:
        self._store.gaps[gap.id] = gap
        if gap.closed_at is None:
            self._store.open_gaps[gap.id] = gap
        else:
            self._store.open_gaps.pop(gap.id, None)
        if gap.closed_as in GIVEN_UP:
            self._store.given_up[gap.schedule][gap.id] = gap


def _decides(run: Run) -> bool:
    """Tell whether a run decides a slot: a retry repeats one that is decided."""
    return run.scheduled_at is not None and run.retry_of is None


def _in_gap(run: Run, gap: Gap) -> bool:
    slot = run.scheduled_at if _decides(run) else None
    return run.schedule == gap.schedule and slot is not None and holds(gap, slot)


def _refuse(store: _Store, decision: Decision) -> None:
    """Raise for what the schema of a real run log does not take.

    Raises:
        ValueError: a run that decides a slot has another id than its slot says.
        RunLogError: a move from a verdict, a verdict without its moment, an attempt of no run.
    """
    # A move of a run that is gone loses, and its attempt is left out.
    said = {run.id for run in (*decision.runs, *(move.run for move in decision.moves))}
    for run in decision.runs:
        if _decides(run) and run.id != run_id(run.schedule, run.scheduled_at or 0):
            msg = f"{run.id} is not the id of slot {run.scheduled_at} of {run.schedule}"
            raise ValueError(msg)
    for run in (*decision.runs, *(move.run for move in decision.moves)):
        if run.active != (run.ended is None):
            raise RunLogError("a verdict, and only a verdict, has its moment: " + run.id)
    for move in decision.moves:
        stored = store.runs.get(move.run.id)
        if stored is not None and stored.status in VERDICTS & move.was:
            raise RunLogError("a verdict never changes: " + stored.id)
    for attempt in decision.attempts:
        if attempt.run not in said and attempt.run not in store.runs:
            raise RunLogError("an attempt of no run: " + attempt.run)
