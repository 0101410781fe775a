"""Board: what a live screen shows, as one value of one moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flytesched.core.gaps import GIVEN_UP, given_up_for
from flytesched.core.policies import OverlapPolicy
from flytesched.core.runs import FAILURES, IN_PLACE, RunStatus
from flytesched.core.telling.punctuality import late_at, long_at
from flytesched.core.waiting import Wait, waits
from flytesched.runlog.board import Failing, ranked
from flytesched.runlog.history import MISSED, entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from flytesched.core.runs import Gap, Run
    from flytesched.core.schedule import Schedule
    from flytesched.lock import Holder
    from flytesched.runlog.board import Tally

    #: Returns when a run of a schedule is told of; None for never.
    Due = Callable[[Run, Schedule], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that takes a place."""

    #: The run.
    run: Run
    #: Whether it should have started by now.
    late: bool = False
    #: Whether it runs for longer than its schedule lets it without a word.
    long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run that waits."""

    #: The run.
    run: Run
    #: What for.
    wait: Wait
    #: Whether it should have started by now.
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A verdict that has just come: of a run, or of a stretch of missed slots."""

    #: The id of the run; of a stretch a word that is no id.
    id: str
    #: Name of the schedule.
    schedule: str
    #: Moment of the verdict, in epoch seconds.
    at: float
    #: The status it came to; ``missed`` is one.
    status: str
    #: The verdict as people read it.
    verdict: str
    #: Slots that it is of.
    count: int = 1
    #: Seconds that the first start came late.
    lag: float | None = None
    #: Seconds from the first start to the verdict.
    duration: float | None = None
    #: The run; None for missed slots.
    run: Run | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """The next slot of a schedule."""

    #: Name of the schedule.
    schedule: str
    #: When, in epoch seconds.
    at: int
    #: Epoch second until which the schedule is paused; None if it is not.
    paused_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What there is to see at one moment."""

    #: The moment, in epoch seconds.
    now: float
    #: Who holds the scheduler's lock; None if nobody does.
    holder: Holder | None = None
    #: What is wrong, a sentence each.
    troubles: tuple[str, ...] = ()
    #: The moment that runs are shown of, where the run log cannot be read now.
    stale_since: float | None = None
    #: Places that are taken, whoever is shown, and how many there are; 0 for no limit.
    used: int = 0
    places: int = 0
    #: How the last day went; None where that is not known.
    day: Tally | None = None
    #: The schedules that failed within it, those first that go on failing.
    failing: tuple[Failing, ...] = ()
    #: The schedules that there are, by name.
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    #: Runs claimed or running, those first that are late or take too long, else as they came.
    running: tuple[Going, ...] = ()
    #: Runs that wait, in the order in which they came.
    waiting: tuple[Waiting, ...] = ()
    #: Verdicts that have just come, the latest first.
    ended: tuple[Done, ...] = ()
    #: The next slot of each schedule, the first one first.
    coming: tuple[Coming, ...] = ()

    @property
    def manned(self) -> bool:
        """Whether a scheduler runs."""
        return self.holder is not None and self.holder.kind == "run"

    def paused(self, name: str) -> bool:
        """Tell whether a schedule is paused, and not disabled."""
        schedule = self.schedules.get(name)
        return schedule is not None and schedule.enabled and not schedule.due_at(self.now)


def sorted_out(
    active: Sequence[Run],
    shown: Collection[str],
    schedules: Mapping[str, Schedule],
    now: float,
    *,
    manned: bool,
    places: int,
) -> tuple[tuple[Going, ...], tuple[Waiting, ...]]:
    """Return the active runs that go on, and those that wait.

    Of what goes on, what somebody has to look at stands where it is seen.

    Args:
        active: all of them, in the order in which they came; each may stand in another's way.
        shown: ids of those that are wanted.
        schedules: by name.
        now: epoch seconds.
        manned: whether a scheduler runs.
        places: runs claimed and running at once; 0 = no limit.
    """

    def beside(name: str) -> bool:
        return name in schedules and schedules[name].overlap is OverlapPolicy.ALLOW

    wait = waits(active, now, manned=manned, places=places, beside=beside)
    running, waiting = [], []
    for run in active:
        if run.id not in shown:
            continue
        schedule = schedules.get(run.schedule)
        late = _is_past(late_at, run, schedule, now)
        if run.status in IN_PLACE:
            long = _is_past(long_at, run, schedule, now)
            running.append(Going(run=run, late=late, long=long))
        else:
            waiting.append(Waiting(run=run, wait=wait[run.id], late=late))
    running.sort(key=lambda each: not (each.late or each.long))
    return tuple(running), tuple(waiting)


def _is_past(due: Due, run: Run, schedule: Schedule | None, now: float) -> bool:
    """Tell whether the moment has come that a run of a schedule is told of."""
    at = None if schedule is None else due(run, schedule)
    return at is not None and now >= at


def failing_since(counted: Iterable[Failing], ended: Iterable[Run]) -> list[Failing]:
    """Return who fails, ranked, with what has become known since that was counted.

    Args:
        counted: who failed then.
        ended: the runs that have had a verdict since, the first verdict first.
    """
    found = {each.run.schedule: each for each in counted}
    for run in ended:
        last = found.get(run.schedule)
        if run.status in FAILURES:
            times = 1 if last is None else last.times + 1
            found[run.schedule] = Failing(run=run, times=times, good_since=False)
        elif last is not None and run.status is RunStatus.SUCCEEDED:
            found[run.schedule] = replace(last, good_since=True)
    return ranked(found.values())


def done(run: Run) -> Done:
    """Return the verdict of a run."""
    entry = entry_of(run)
    return Done(
        id=run.id, schedule=run.schedule, at=run.ended or run.created, status=run.status.value,
        verdict=run.verdict(), lag=entry.lag, duration=entry.duration, run=run,
    )  # fmt: skip


def missed(gap: Gap) -> Done:
    """Return the verdict of a stretch of missed slots, as long as they have no other."""
    given_up = gap.closed_as in GIVEN_UP
    status = RunStatus.SKIPPED.value if given_up else MISSED
    reason = given_up_for(gap, gap.until) if given_up else gap.reason
    return Done(
        id=f"gap {gap.schedule} {gap.after}", schedule=gap.schedule, at=gap.created,
        status=status, verdict=f"{status}({reason})", count=gap.count,
    )  # fmt: skip
