"""The planner: what becomes of due slots. Values in, decisions out.

``plan`` is the only place that turns slots into runs and gaps; ``conclude`` is the only place that
turns the end of an attempt into a verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flytesched.core.agenda import last_before
from flytesched.core.policies import (
    MAX_RERUNS,
    CatchupPolicy,
    OnInterrupted,
    OverlapPolicy,
)
from flytesched.core.runs import (
    End,
    Gap,
    Origin,
    Reason,
    Run,
    RunStatus,
    run_id,
)
from flytesched.core.timetables.parse import latest, timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flytesched.core.agenda import Due
    from flytesched.core.runs import Outcome
    from flytesched.core.schedule import Schedule

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
        for name in due.names:
            lineup = _Lineup(
                decided, schedules[name], revision(name), cursor(name), list(active(name)), now
            )
            if due.missed_until is not None:
                lineup.miss(due, cause)
                decided.cursors[name] = due.missed_until
            for slot in due.live:
                lineup.meet(slot)
                decided.cursors[name] = slot
    return decided


class _Lineup:
    """One schedule, its active runs, and the due slots that meet them."""

    __slots__ = ("_cursor", "_decided", "_fresh", "_now", "_queue", "_revision", "_schedule")

    def __init__(
        self, decided: Plan, schedule: Schedule, revision: int, cursor: int, queue: list[Run],
        now: float,
    ) -> None:  # fmt: skip
        self._decided, self._schedule, self._revision = decided, schedule, revision
        self._cursor, self._queue, self._now = cursor, queue, now
        #: Where the runs that this plan made stand among all of its runs.
        self._fresh: dict[str, int] = {}

    def meet(self, slot: int) -> None:
        """Decide a live slot."""
        if self._queue and slot in self._slots():
            return  # it was started by hand, or the clock was set back: its verdict is on its way
        again = slot <= self._cursor
        run, gone = meet(
            self._schedule, slot, self._queue, self._now, self._revision, again=again
        )  # fmt: skip
        if gone:
            self._give_way(gone)
        self._add(run)

    def miss(self, due: Due, cause: str) -> None:
        """Record a gap, and queue those of its slots that the schedule wants by itself."""
        gap = gap_of(self._schedule.name, due, self._now, cause)
        if gap.after < self._cursor:
            # The clock was set back: what was decided before is not missed a second time.
            count = self._schedule.timetable.count(self._cursor, gap.until)
            gap = replace(gap, after=self._cursor, count=count)
        if not gap.count:
            return
        if self._schedule.catchup is CatchupPolicy.NONE:
            gap = declined(gap, self._now)
        self._decided.gaps.append(gap)
        waiting = sum(run.origin is Origin.CATCHUP for run in self._queue)
        taken = self._slots()
        for slot in wanted(self._schedule, gap, self._now, waiting):
            if slot not in taken:
                self._add(_new(self._schedule, slot, Origin.CATCHUP, self._now, self._revision))

    def _slots(self) -> set[int | None]:
        return {run.scheduled_at for run in self._queue}

    def _add(self, run: Run) -> None:
        if run.active:
            self._queue.append(run)
            self._fresh[run.id] = len(self._decided.runs)
        self._decided.runs.append(run)

    def _give_way(self, gone: Sequence[Run]) -> None:
        ids = {run.id for run in gone}
        self._queue = [run for run in self._queue if run.id not in ids]
        for old in gone:
            if (index := self._fresh.get(old.id)) is None:
                self._decided.replaced.append(old)
            else:  # it came due in this very plan and was never stored
                self._decided.runs[index] = old.move(
                    RunStatus.CANCELLED, reason=Reason.REPLACED.value, ended=self._now
                )


def meet(
    schedule: Schedule,
    slot: int,
    active: Sequence[Run],
    now: float,
    revision: int,
    *,
    again: bool = False,
) -> tuple[Run, Sequence[Run]]:
    """Return the run of a live slot, and the runs that give way to it.

    Runs that make up for the past do not count here: the slot waits for them in its lane,
    whatever the policy. ``again`` says that the slot comes due a second time, because the clock
    was set back: nothing is cancelled for it, as its run may lose against the one it has.
    """
    run = _new(schedule, slot, Origin.SCHEDULE, now, revision, slot + jitter(schedule, slot))
    others = [other for other in active if other.origin not in MAKE_UP]
    if not others or schedule.overlap is OverlapPolicy.ALLOW:
        return run, ()
    if schedule.overlap is OverlapPolicy.REPLACE:
        return run, () if again else others
    if schedule.overlap is OverlapPolicy.SKIP:
        return _skipped(run, Reason.OVERLAP, now), ()
    waiting = sum(other.status is RunStatus.QUEUED for other in others)
    if waiting >= schedule.queue_limit:
        return _skipped(run, Reason.QUEUE_FULL, now), ()
    return run, ()


def _new(
    schedule: Schedule, slot: int, origin: Origin, now: float, revision: int,
    not_before: float = 0.0,
) -> Run:  # fmt: skip
    return Run(
        id=run_id(schedule.name, slot), schedule=schedule.name, scheduled_at=slot, origin=origin,
        status=RunStatus.QUEUED, created=now, not_before=not_before, revision=revision,
    )  # fmt: skip


def _skipped(run: Run, reason: Reason, now: float) -> Run:
    return replace(run, status=RunStatus.SKIPPED, reason=reason.value, ended=now)


def jitter(schedule: Schedule, slot: int) -> float:
    """Return the seconds a slot's start is put off: the same for the same slot everywhere."""
    if not schedule.jitter:
        return 0.0
    digest = hashlib.sha256(f"{schedule.name}\0{slot}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * schedule.jitter.total_seconds()


def gap_of(name: str, due: Due, now: float, cause: str) -> Gap:
    """Return the gap of a schedule's slots that came too late."""
    return Gap(
        schedule=name, after=due.after, until=due.missed_until or due.after, count=due.missed,
        reason=cause, timing=due.timing.text, created=now,
    )  # fmt: skip


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


def conclude(
    run: Run, outcome: Outcome, schedule: Schedule | None, codes: Sequence[int] = (0,)
) -> Run:
    """Return the run after the end of its attempt: a verdict, or the wait for the next attempt.

    Args:
        run: the run as it is.
        outcome: how its attempt ended.
        schedule: the definition; None once it was removed, and then nothing is tried again.
        codes: exit codes that count as success.
    """
    run = replace(run, exit_code=outcome.exit_code)
    if run.end_as is not None:
        return _as_meant(run, outcome, schedule)
    if outcome.end is End.LOST:
        return _lost(run, outcome, schedule)
    if outcome.end is End.UNSTARTABLE:
        return _final(run, RunStatus.FAILED, outcome, f"start: {outcome.reason}")
    if outcome.exit_code in codes:
        return _final(run, RunStatus.SUCCEEDED, outcome, None)
    return _again(run, RunStatus.FAILED, outcome, schedule, outcome.reason)


def _as_meant(run: Run, outcome: Outcome, schedule: Schedule | None) -> Run:
    """Give the verdict that was meant when the signal was sent."""
    status, _, reason = (run.end_as or "").partition("(")
    said = reason.removesuffix(")") or None
    if status == RunStatus.TIMED_OUT.value:
        return _again(run, RunStatus.TIMED_OUT, outcome, schedule, None)
    return _final(run, RunStatus(status), outcome, said)


def _lost(run: Run, outcome: Outcome, schedule: Schedule | None) -> Run:
    again = schedule is not None and schedule.on_interrupted is OnInterrupted.RERUN
    if again and run.reruns < MAX_RERUNS:
        return run.move(
            RunStatus.RETRY_WAIT, not_before=outcome.ended, reruns=run.reruns + 1,
            reason=f"interrupted: {outcome.reason}",
        )  # fmt: skip
    return _final(run, RunStatus.INTERRUPTED, outcome, outcome.reason)


def _again(
    run: Run, verdict: RunStatus, outcome: Outcome, schedule: Schedule | None, reason: str | None
) -> Run:
    """Try again if the schedule says so, else give the verdict."""
    used = run.attempt - run.reruns
    if schedule is None or used >= schedule.retry.max_attempts:
        return _final(run, verdict, outcome, reason)
    said = "timed out" if verdict is RunStatus.TIMED_OUT else reason or f"exit {outcome.exit_code}"
    return run.move(
        RunStatus.RETRY_WAIT, not_before=outcome.ended + schedule.retry.wait_after(used),
        reason=said, end_as=None,
    )  # fmt: skip


def _final(run: Run, verdict: RunStatus, outcome: Outcome, reason: str | None) -> Run:
    return run.move(verdict, ended=outcome.ended, reason=reason)
