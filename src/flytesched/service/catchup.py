"""Catch-up: run the missed slots that are still open, and say what remains.

A look (``missing``) changes nothing. A request records what was missed since the last scheduler
stopped, as a scheduler would at its start, and then queues runs; a slot that has one already
loses, which makes the command safe to repeat.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from flytesched import wakeup
from flytesched.bootstrap import bind, check_bound
from flytesched.core.agenda import divide
from flytesched.core.counts import count_gaps
from flytesched.core.decision import Decision
from flytesched.core.gaps import OpenSlots, gaps_of
from flytesched.core.policies import CatchupPolicy
from flytesched.core.runs import Gap, Origin, Reason, Run, RunStatus, ScheduleState, run_id
from flytesched.core.sight import heir_of, renamed, see, take_over
from flytesched.core.timetables.on_holiday import left_out
from flytesched.core.timetables.parse import Timing, timetable
from flytesched.errors import InvalidTimetable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.renames import Rename
    from flytesched.core.schedule import Schedule
    from flytesched.core.sight import Sight
    from flytesched.runlog.sqlite import SqliteRunLog

    #: Returns the slots of a schedule in ``(after, until]`` that have a run.
    Decided = Callable[[str, int, int], Sequence[int]]

#: Slots that one call queues at most. A look counts any number of them.
MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The open missed slots of one schedule."""

    #: Name of the schedule.
    schedule: str
    #: How many slots are open, inside ``since`` and ``until``.
    count: int
    #: Epoch second of the oldest.
    oldest: int
    #: Epoch second of the newest.
    newest: int
    #: How many of them a request runs.
    would_run: int
    #: The open slots, gap by gap, the oldest first.
    opened: tuple[OpenSlots, ...]
    #: Which of them a request runs.
    policy: CatchupPolicy
    #: Slots of the same stretches that fall on holidays: they are left out, and never run.
    left_out: int = 0
    #: How many of the open slots nobody can name any more, and why: they can only be declined.
    unnamed: int = 0
    doubt: str | None = None

    def wanted(self) -> Sequence[int]:
        """Return the slots that a request runs, ascending."""
        if self.policy is CatchupPolicy.LATEST:
            return [self.newest][: self.would_run]
        return [*islice(chain.from_iterable(self.opened), self.would_run)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which open slots somebody means."""

    #: Schedules by name; None for all that are enabled.
    names: frozenset[str] | None = None
    #: Epoch second from which on.
    since: int | None = None
    #: Epoch second before which.
    until: int | None = None
    #: How many per call, the oldest first; None for all.
    limit: int | None = None
    #: ``all``; ``latest``: the newest of each schedule; ``none``: decline them.
    policy: CatchupPolicy = CatchupPolicy.ALL


def missing(site: Site, choice: Choice, *, rebind: bool = False) -> list[Missing]:
    """Return the open missed slots, and how many of them a request would run. Changes nothing.

    Half a billion are counted as quickly as ten: they are never listed.

    Raises:
        Conflict: the state directory belongs to another manifest.
    """
    schedules = site.manifest().schedules
    if (reader := site.reader()) is None:
        return []
    with reader:
        if not rebind:
            check_bound(site, reader.meta())
        unrecorded = _unrecorded(site, schedules, reader.states(), reader.renames())
        gaps = [*reader.open_gaps(), *unrecorded]
        return _select(schedules, gaps, reader.decided, choice, site.now())


def request(site: Site, choice: Choice, *, rebind: bool = False) -> list[Run]:
    """Record what was missed, queue the runs that are wanted, and return those that won.

    Raises:
        Conflict: the state directory belongs to another manifest.
        UsageError: these are over 100,000 slots.
    """
    schedules = site.manifest().schedules
    runlog = site.runlog()
    try:
        bind(site, runlog, rebind=rebind)
        _record(site, runlog, schedules)
        return queue_open(runlog, schedules, choice, site.now())
    finally:
        runlog.close()
        wakeup.touch(site.settings.state_dir)


def refuse_too_many(found: Iterable[Missing]) -> None:
    """Refuse to queue more than one call may.

    Raises:
        UsageError: it is more.
    """
    if (count := sum(missed.would_run for missed in found)) > MOST:
        msg = f"{count:,} slots are more than the {MOST:,} that one call queues"
        raise UsageError(msg, hint="pass --since, --policy latest, or a smaller --limit")


def withdraw(site: Site, ids: Sequence[str]) -> int:
    """Take back what is still queued, and return how many runs that were."""
    runlog = site.runlog()
    try:
        return len(runlog.withdraw(ids))
    finally:
        runlog.close()
        wakeup.touch(site.settings.state_dir)


def _unrecorded(
    site: Site,
    schedules: Mapping[str, Schedule],
    states: Mapping[str, ScheduleState],
    renames: Sequence[Rename],
) -> Iterator[Gap]:
    """Yield what a scheduler that starts now would record as missed."""
    if (holder := site.scheduler()) is not None and holder.kind == "run":
        return
    now, late = site.now(), site.settings.missed_after.total_seconds()
    before = {rename.name: rename.was for rename in renames}
    for name, schedule in schedules.items():
        was = heir_of(name, before, schedules, states.get)
        if was is not None or name in states:
            _, gaps = _arrears(schedule, _sight(schedule, was, states, now), now, late)
            yield from (gap for gap in gaps if gap.closed_at is None)


def _sight(
    schedule: Schedule, was: str | None, states: Mapping[str, ScheduleState], now: float
) -> Sight:
    """Return what a first look at a schedule means, for one with an earlier name beside that."""
    own = states.get(schedule.name)
    return see(schedule, own, now) if was is None else take_over(schedule, states[was], own, now)


def _arrears(
    schedule: Schedule, sight: Sight, now: float, late: float
) -> tuple[ScheduleState | None, tuple[Gap, ...]]:
    """Return what a first look changes: the state to store, and the gaps up to now.

    The last ``late`` seconds stay undecided: their slots are live for a scheduler that starts.
    """
    known = sight.state if sight.changed else None
    if sight.after is None:
        return known, sight.gaps
    due = divide(schedule.timing, (schedule.name,), sight.after, now, late)
    if (until := due.missed_until) is None:
        return known, sight.gaps
    timing, reason = schedule.timing, Reason.DOWN.value
    gaps = gaps_of(schedule.name, timing, sight.after, until, now=now, reason=reason)
    state = replace(sight.state, cursor=max(until, sight.state.cursor))
    return state, (*sight.gaps, *gaps)


def _record(site: Site, runlog: SqliteRunLog, schedules: Mapping[str, Schedule]) -> None:
    """Record the missed slots, if nobody who plans is there to do it."""
    with site.lock().borrowed() as alone:
        if alone:
            late = site.settings.missed_after.total_seconds()
            record_missed(runlog, schedules, site.now(), late)


def record_missed(
    runlog: SqliteRunLog, schedules: Mapping[str, Schedule], now: float, late: float
) -> None:
    """Record what a scheduler that starts at ``now`` would; the caller holds its lock."""
    states = runlog.load().schedules
    renames = {rename.name: rename.was for rename in runlog.renames()}
    heirs = {name: heir_of(name, renames, schedules, states.get) for name in schedules}
    changes = [
        _arrears(schedule, _sight(schedule, heirs[name], states, now), now, late)
        if heirs[name] or name in states
        else (see(schedule, None, now).state, ())
        for name, schedule in schedules.items()
    ]
    passed_on = {name: was for name, was in heirs.items() if was is not None}
    gaps = tuple(chain.from_iterable(gaps for _, gaps in changes))
    runlog.apply(
        Decision(
            schedules=(
                *(state for state, _ in changes if state is not None),
                *(renamed(states[was], now) for was in passed_on.values()),
            ),
            gaps=gaps,
            close_gaps=tuple((was, Reason.REMOVED.value, now) for was in passed_on.values()),
            renames=tuple((name, was, now) for name, was in passed_on.items()),
            counts=tuple(count_gaps(gaps)),
        )
    )


def queue_open(
    runlog: SqliteRunLog, schedules: Mapping[str, Schedule], choice: Choice, now: float
) -> list[Run]:
    """Queue the open missed slots that ``choice`` means, and return the runs that won.

    With the policy ``none`` their gaps are closed as declined, and nothing is queued.

    Raises:
        UsageError: these are over 100,000 slots.
    """
    found = _select(schedules, runlog.open_gaps(), runlog.decided, choice, now)
    refuse_too_many(found)
    if choice.policy is CatchupPolicy.NONE:
        runlog.decline(
            [missed.schedule for missed in found],
            now,
            after=None if choice.since is None else choice.since - 1,
            until=None if choice.until is None else choice.until - 1,
        )
        return []
    return _queue(runlog, found, now)


def _select(
    schedules: Mapping[str, Schedule],
    gaps: Iterable[Gap],
    decided: Decided,
    choice: Choice,
    now: float,
) -> list[Missing]:
    mine: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps:
        mine[gap.schedule].append(gap)
    found = []
    for name in sorted(mine.keys() & schedules.keys()):
        due = schedules[name].due_at(now)
        if name not in choice.names if choice.names is not None else not due:
            continue
        if (open_slots := _missing(name, mine[name], decided, choice)) is not None:
            found.append(open_slots)
    return found


def _clip(gap: Gap, choice: Choice) -> Gap:
    """Return the part of a gap between ``since`` and ``until``."""
    after = gap.after if choice.since is None else max(gap.after, choice.since - 1)
    until = gap.until if choice.until is None else min(gap.until, choice.until - 1)
    if (after, until) == (gap.after, gap.until):
        return gap
    table = timetable(Timing.from_text(gap.timing))
    return replace(gap, after=after, until=until, count=table.count(after, until))


def _missing(
    name: str, gaps: Sequence[Gap], decided: Decided, choice: Choice
) -> Missing | None:  # fmt: skip
    gaps = sorted(gaps, key=lambda gap: gap.after)
    doubts = [_doubt(gap) for gap in gaps]
    lost = [gap for gap, doubt in zip(gaps, doubts, strict=True) if doubt and _meant(gap, choice)]
    clipped = [_clip(gap, choice) for gap, doubt in zip(gaps, doubts, strict=True) if doubt is None]
    opened = [OpenSlots(gap, decided(name, gap.after, gap.until)) for gap in clipped if gap.count]
    if not (opened := [slots for slots in opened if slots]) and not lost:
        return None
    count = sum(map(len, opened))
    unnamed = sum(gap.count - len(decided(name, gap.after, gap.until)) for gap in lost)
    return Missing(
        schedule=name,
        count=count + unnamed,
        oldest=next(iter(opened[0])) if opened else lost[0].until,
        newest=next(reversed(opened[-1])) if opened else lost[-1].until,
        would_run=_would_run(choice, count),
        opened=tuple(opened),
        policy=choice.policy,
        left_out=sum(map(_left_out, clipped)),
        unnamed=unnamed,
        doubt=next(filter(None, doubts), None) if lost else None,
    )


def _doubt(gap: Gap) -> str | None:
    """Return why nobody can name the slots of a gap: its zone, say, has left the machine."""
    try:
        timetable(Timing.from_text(gap.timing))
    except InvalidTimetable as error:
        return "; ".join(filter(None, (error.message, error.hint)))
    return None


def _meant(gap: Gap, choice: Choice) -> bool:
    """Tell whether a choice means slots of the stretch of a gap."""
    since = choice.since is None or choice.since <= gap.until
    return since and (choice.until is None or gap.after + 1 < choice.until)


def _left_out(gap: Gap) -> int:
    """Count the slots in the stretch of a gap that calendars leave out."""
    rest = left_out(Timing.from_text(gap.timing))
    return 0 if rest is None else rest.count(gap.after, gap.until)


def _would_run(choice: Choice, count: int) -> int:
    """Return how many of the open slots of a schedule a choice means."""
    most = {CatchupPolicy.NONE: 0, CatchupPolicy.LATEST: 1}.get(choice.policy, count)
    return most if choice.limit is None else min(choice.limit, most)


def _queue(runlog: SqliteRunLog, found: Sequence[Missing], now: float) -> list[Run]:
    runs = [
        Run(
            id=run_id(missed.schedule, slot), schedule=missed.schedule, scheduled_at=slot,
            origin=Origin.CATCHUP, status=RunStatus.QUEUED, created=now,
            revision=runlog.revision(missed.schedule),
        )
        for missed in found
        for slot in missed.wanted()
    ]  # fmt: skip
    lost = runlog.apply(Decision(runs=tuple(runs))) if runs else frozenset()
    return [run for run in runs if run.id not in lost]
