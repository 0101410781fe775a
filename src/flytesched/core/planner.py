"""The planner: what becomes of due slots. Values in, decisions out.

``plan`` is the only place that turns slots into runs and gaps; ``conclude``, of ``verdicts``, is
the only place that turns the end of an attempt into a verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flytesched.core.agenda import last_before
from flytesched.core.gaps import gaps_of
from flytesched.core.policies import CatchupPolicy, OverlapPolicy
from flytesched.core.runs import Gap, Origin, Reason, Run, RunStatus, on_holiday, run_id
from flytesched.core.timetables.on_holiday import why_left_out
from flytesched.core.timetables.parse import latest, timetable
from flytesched.core.verdicts import conclude

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flytesched.core.agenda import Due
    from flytesched.core.schedule import Schedule

__all__ = [
    "MAKE_UP",
    "Plan",
    "conclude",
    "declined",
    "jitter",
    "meet",
    "plan",
    "wanted",
]

#: Runs that make up for the past: a live slot waits for a started one and is never skipped for it.
MAKE_UP = frozenset({Origin.CATCHUP, Origin.BACKFILL})


@dataclass(slots=True)
class Plan:
    """What becomes of the slots that are due."""

    #: New runs: queued (``Lanes`` says which may start) or skipped.
    runs: list[Run] = field(default_factory=list)
    #: Active runs that give way.
    replaced: list[Run] = field(default_factory=list)
    #: Stretches of missed slots.
    gaps: list[Gap] = field(default_factory=list)
    #: Last slot decided, by schedule.
    cursors: dict[str, int] = field(default_factory=dict)


def plan(
    dues: Iterable[Due],
    *,
    schedules: Mapping[str, Schedule],
    active: Callable[[str], Sequence[Run]],
    revision: Callable[[str], int],
    now: float,
    cause: str,
    cursor: Callable[[str], int] = lambda _name: 0,
) -> Plan:
    """Decide every due slot: a run, a skip, or part of a gap.

    Args:
        dues: what is due, by timetable.
        schedules: the definitions in force.
        active: returns the active runs of a schedule.
        revision: returns the number of a schedule's definition.
        now: the moment of the decision.
        cause: why slots that are too late were missed.
        cursor: returns the last slot of a schedule that was decided; it is ahead of what is due
            after the clock was set back.
    """
    decided = Plan()
    for due in dues:
        left_out = {slot: why_left_out(due.timing, slot) for slot in due.live}
        for name in due.names:
            queue = list(active(name))
            lineup = _Lineup(decided, schedules[name], revision(name), cursor(name), queue, now)
            if due.missed_until is not None:
                lineup.miss(due.after, due.missed_until, cause)
                decided.cursors[name] = due.missed_until
            for slot in due.live:
                lineup.meet(slot, left_out[slot])
                decided.cursors[name] = slot
    return decided


@dataclass(slots=True, eq=False)
class _Lineup:
    """One schedule, its active runs, and the due slots that meet them."""

    decided: Plan
    schedule: Schedule
    revision: int
    cursor: int
    #: Active runs, those that this plan makes included.
    queue: list[Run]
    now: float
    #: Where the runs that this plan made stand among all of its runs.
    fresh: dict[str, int] = field(default_factory=dict)

    def meet(self, slot: int, left_out: str | None) -> None:
        """Decide a live slot."""
        if self.queue and slot in self._slots():
            return  # it was started by hand, or the clock was set back: its verdict is on its way
        again = slot <= self.cursor
        run, gone = meet(
            self.schedule, slot, self.queue, self.now, self.revision, again=again,
            left_out=left_out,
        )  # fmt: skip
        if gone:
            self._give_way(gone)
        self._add(run)

    def miss(self, after: int, until: int, cause: str) -> None:
        """Record what was missed, and queue those slots that the schedule wants by itself."""
        # The clock was set back: what was decided before is not missed a second time.
        after = max(after, self.cursor)
        schedule, now = self.schedule, self.now
        gaps = gaps_of(schedule.name, schedule.timing, after, until, now=now, reason=cause)
        self.decided.gaps += [policed(gap, schedule, now) for gap in gaps]
        for gap in gaps:
            if gap.closed_at is None:
                self._catch_up(gap)

    def _catch_up(self, gap: Gap) -> None:
        """Queue those slots of a gap that the schedule wants by itself."""
        waiting = sum(run.origin is Origin.CATCHUP for run in self.queue)
        taken = self._slots()
        for slot in wanted(self.schedule, gap, self.now, waiting):
            if slot not in taken:
                self._add(_make_up(self.schedule, slot, self.now, self.revision))

    def _slots(self) -> set[int | None]:
        return {run.scheduled_at for run in self.queue}

    def _add(self, run: Run) -> None:
        if run.active:
            self.queue.append(run)
            self.fresh[run.id] = len(self.decided.runs)
        self.decided.runs.append(run)

    def _give_way(self, gone: Sequence[Run]) -> None:
        ids = {run.id for run in gone}
        self.queue = [run for run in self.queue if run.id not in ids]
        for old in gone:
            if (index := self.fresh.get(old.id)) is None:
                self.decided.replaced.append(old)
            else:  # it came due in this very plan and was never stored
                self.decided.runs[index] = old.move(
                    RunStatus.CANCELLED, reason=Reason.REPLACED.value, ended=self.now
                )


def meet(
    schedule: Schedule,
    slot: int,
    active: Sequence[Run],
    now: float,
    revision: int,
    *,
    again: bool = False,
    left_out: str | None = None,
) -> tuple[Run, Sequence[Run]]:
    """Return the run of a live slot, and the runs that give way to it.

    Runs that make up for the past do not count here: the slot waits for them in its lane,
    whatever the policy. ``again`` says that the slot comes due a second time, because the clock
    was set back: nothing is cancelled for it, as its run may lose against the one it has.
    ``left_out`` says why calendars leave it out, if they do: it meets nobody then.
    """
    others = [other for other in active if other.origin not in MAKE_UP]
    why = _skips(schedule, others) if left_out is None else on_holiday(left_out)
    gives_way = schedule.overlap is OverlapPolicy.REPLACE and not again and why is None
    run = Run(
        id=run_id(schedule.name, slot), schedule=schedule.name, scheduled_at=slot,
        origin=Origin.SCHEDULE, created=now, revision=revision,
        not_before=slot + jitter(schedule, slot),
        status=RunStatus.SKIPPED if why else RunStatus.QUEUED,
        reason=why, ended=now if why else None,
    )  # fmt: skip
    return run, others if gives_way else ()


def _skips(schedule: Schedule, others: Sequence[Run]) -> str | None:
    """Return why a live slot that meets other runs is skipped; None if it is not."""
    if others and schedule.overlap is OverlapPolicy.SKIP:
        return Reason.OVERLAP.value
    if others and schedule.overlap is OverlapPolicy.QUEUE:
        waiting = sum(other.status is RunStatus.QUEUED for other in others)
        return Reason.QUEUE_FULL.value if waiting >= schedule.queue_limit else None
    return None


def _make_up(schedule: Schedule, slot: int, now: float, revision: int) -> Run:
    return Run(
        id=run_id(schedule.name, slot), schedule=schedule.name, scheduled_at=slot,
        origin=Origin.CATCHUP, status=RunStatus.QUEUED, created=now, revision=revision,
    )  # fmt: skip


def jitter(schedule: Schedule, slot: int) -> float:
    """Return the seconds a slot's start is put off: the same for the same slot everywhere."""
    if not schedule.jitter:
        return 0.0
    digest = hashlib.sha256(f"{schedule.name}\0{slot}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * schedule.jitter.total_seconds()


def policed(gap: Gap, schedule: Schedule, now: float) -> Gap:
    """Return a gap as ``catchup`` wants it: one that is open is closed under ``none``."""
    declines = schedule.catchup is CatchupPolicy.NONE and gap.closed_at is None
    return declined(gap, now) if declines else gap


def declined(gap: Gap, now: float) -> Gap:
    """Return a gap closed: its slots read ``skipped(declined)``."""
    return replace(gap, closed_at=now, closed_as=Reason.DECLINED.value)


def wanted(schedule: Schedule, gap: Gap, now: float, waiting: int = 0) -> list[int]:
    """Return the slots of a gap that run by themselves: the newest inside window and limit.

    ``waiting`` catch-up runs of the schedule take part of the limit already.
    """
    if schedule.catchup is CatchupPolicy.NONE:
        return []
    limit = schedule.catchup_limit - waiting
    if schedule.catchup is CatchupPolicy.LATEST:
        limit = min(1, limit)
    too_old = last_before(now - schedule.catchup_window.total_seconds())
    after = max(gap.after, too_old)
    if limit <= 0 or after >= gap.until:
        return []
    return latest(timetable(schedule.timing), after, gap.until, limit)
