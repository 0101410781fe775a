"""News: what somebody is to be told of a decision, durable together with it, and told after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.core.protocols import Told
from flytesched.core.runs import FAILURES, Reason
from flytesched.core.telling.events import Event, event_of
from flytesched.errors import RunLogBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Hook, RunLog
    from flytesched.core.runs import Attempt, Gap, Run
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Notice


class News:
    """What there is to tell, and whom."""

    def __init__(
        self, *, hook: Hook, runlog: RunLog, definition: Callable[[str, float], Schedule | None]
    ) -> None:
        """Begin with nothing to tell.

        Args:
            hook: told of everything that it wants.
            runlog: asked how a schedule did before.
            definition: returns the definition of what had a name at a moment, None once it is
                removed.
        """
        self._hook, self._runlog, self._definition = hook, runlog, definition

    def starts(self, runs: Iterable[Run], attempts: Mapping[str, Attempt]) -> list[Told]:
        """Return what there is to tell of runs that have begun: of their first start."""
        return [
            told
            for run in runs
            if (schedule := self.schedule(run)) is not None
            for told in self._wanted(Event.STARTED, schedule, run, attempts)
        ]

    def verdicts(self, runs: Sequence[Run], attempts: Mapping[str, Attempt]) -> list[Told]:
        """Return what there is to tell of runs that get their verdict in one transaction."""
        found: list[Told] = []
        for run in runs:
            if run.active or (schedule := self.schedule(run)) is None:
                continue
            found += self._wanted(Event.ENDED, schedule, run, attempts)
            if (event := event_of(run.status)) is not None:
                found += self._wanted(event, schedule, run, attempts)
            if event is Event.SUCCESS:
                found += self._recovery(schedule, run, runs, attempts)
        return found

    def gaps(self, gaps: Iterable[Gap], schedules: Mapping[str, Schedule]) -> list[Told]:
        """Return what there is to tell of slots that were missed; of holidays, nothing is."""
        return [
            Told(event=Event.MISSED, schedule=schedule, gap=gap)
            for gap in gaps
            if gap.closed_as != Reason.HOLIDAY.value
            and (schedule := schedules.get(gap.schedule)) is not None
            and self.wants(schedule, Event.MISSED)
        ]

    def schedule(self, run: Run) -> Schedule | None:
        """Return the schedule that somebody is told of with a run, whatever it is called now."""
        return self._definition(run.schedule, run.created)

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether anybody wants to know of an event of a schedule."""
        return self._hook.wants(schedule, event)

    def notices(self, found: Iterable[Told], now: float) -> tuple[Notice, ...]:
        """Return what has to become durable together with what is told."""
        return tuple(notice for told in found for notice in self._hook.notices(told, now))

    def tell(self, found: Iterable[Told], lost: frozenset[str] = frozenset()) -> None:
        """Tell what is durable now; what is of a run that lost has not come about."""
        for told in found:
            if told.run is None or told.run.id not in lost:
                self._hook.tell(told)

    def _wanted(
        self, event: Event, schedule: Schedule, run: Run, attempts: Mapping[str, Attempt]
    ) -> Iterator[Told]:
        if self.wants(schedule, event):
            yield Told(event=event, schedule=schedule, run=run, attempt=attempts.get(run.id))

    def _recovery(
        self,
        schedule: Schedule,
        run: Run,
        beside: Iterable[Run],
        attempts: Mapping[str, Attempt],
    ) -> Iterator[Told]:
        # Whether it is one costs a look into the run log.
        if self.wants(schedule, Event.RECOVERED) and self._had_failed(run, beside):
            yield from self._wanted(Event.RECOVERED, schedule, run, attempts)

    def _had_failed(self, run: Run, beside: Iterable[Run]) -> bool:
        """Tell whether the verdict before a run's was a failure: stored, or beside it."""
        try:
            stored = self._runlog.last_verdict(run.schedule, run.id)
        except RunLogBusy:
            return False  # not told is better than told twice
        before = [
            one
            for one in beside
            if one.schedule == run.schedule
            and event_of(one.status) is not None
            and one.standing < run.standing
        ]
        before += [stored] if stored is not None else []
        return bool(before) and max(before, key=_standing).status in FAILURES


def _standing(run: Run) -> tuple[float, str]:
    return run.standing
