"""Lookout: looks at a site for a live screen, whatever is broken there.

Looking is cheap, for it is done once a second for days: the manifest is read when it changes, and
what has to be counted is counted every now and then. Nothing is waited for: a screen that stands
still answers no key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import TYPE_CHECKING

from flytesched import settings as settings_table
from flytesched.bootstrap import Site
from flytesched.clock import monotonic
from flytesched.core.runs import IN_PLACE
from flytesched.core.telling.channels import users
from flytesched.errors import FlyteschedError, Invalid
from flytesched.manifest.source import ManifestSource
from flytesched.runlog.board import open_glance
from flytesched.runlog.reading import open_reader
from flytesched.service.ahead import Ahead
from flytesched.service.board import Board, done, failing_since, missed, sorted_out
from flytesched.service.selection import asked_for, select

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule
    from flytesched.core.statistics import Spread
    from flytesched.lock import Holder
    from flytesched.runlog.board import Failing, Glance, Tally
    from flytesched.runlog.reading import Reader
    from flytesched.service.board import Done

#: Seconds that a look waits for a run log that is locked.
_PATIENCE = 0.1
#: Seconds in which a verdict has just come, and how many verdicts are kept.
_JUST, _ENDED = 600.0, 200
#: Seconds of which the success is told, and for which a count of it holds.
_DAY, _COUNTED = 86_400.0, 10.0
#: Seconds for which a usual duration holds, if no run of its schedule ends.
_USUAL = 60.0
#: Steps in which a large manifest is read, at most, at one look.
_STEPS = 25
_AT = attrgetter("at")


@dataclass(frozen=True, slots=True, kw_only=True)
class HastySite(Site):
    """A site whose run log is not waited for."""

    def reader(self) -> Reader | None:
        """Open the run log for reading; None if there is none yet.

        Raises:
            RunLogError: it cannot be used.
        """
        return open_reader(self.runs_db, busy_timeout=_PATIENCE)

    def glance(self) -> Glance | None:
        """Open the run log to glance at it; None if there is none yet.

        Raises:
            RunLogError: it cannot be used.
        """
        return open_glance(self.runs_db, busy_timeout=_PATIENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What a run log says at one moment."""

    #: The moment, in epoch seconds.
    at: float = 0.0
    #: The active runs.
    active: Sequence[Run] = ()
    #: Verdicts that have just come, the latest first.
    ended: Sequence[Done] = ()
    #: Facts that it remembers.
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """How the last day went, which is counted every now and then."""

    #: The moment, in epoch seconds.
    at: float
    #: How the runs went.
    tally: Tally
    #: The schedules that failed, and ids of verdicts that were there already.
    failing: Sequence[Failing]
    known: Collection[str]
    #: The channels that fail.
    mute: Collection[str]

    def failing_now(self, ended: Sequence[Done]) -> Sequence[Failing]:
        """Return the schedules that failed, by the verdicts that have come since as well."""
        later = [each.run for each in reversed(ended) if each.run and each.id not in self.known]
        return failing_since(self.failing, later) if later else self.failing


class Lookout:
    """Looks at a site again and again, and remembers what need not be looked at anew."""

    def __init__(self, site: Site, words: Sequence[str] = (), labels: Sequence[str] = ()) -> None:
        """Look at the schedules that names, patterns and labels mean; without any, at all.

        Raises:
            NotFound: a word means no schedule.
            UsageError: a label is not KEY=VALUE.
        """
        settings = site.settings
        #: The site, of which nothing is waited for.
        self.site = HastySite(
            settings=settings, environ=site.environ, manifest_error=site.manifest_error
        )
        select({}, (), labels)  # refuses a label that is none
        self._words, self._labels = words, labels
        self._named = frozenset(asked_for(site, words, ()) or ())
        self._chosen: Collection[str] | None = None
        self._source = ManifestSource(
            settings.manifest, timezone=settings.timezone, elapsed=monotonic
        )
        self._schedules: Mapping[str, Schedule] = {}
        self._places = settings.max_concurrent_runs
        self._ahead = Ahead()
        self._record = _Record()
        self._day: _Day | None = None
        self._usual: dict[str, tuple[float, Spread | None]] = {}

    def close(self) -> None:
        """Let go of descriptors."""
        self._source.close()

    def look(self, now: float, part: str = "") -> Board:
        """Return what there is to see now.

        Args:
            now: epoch seconds.
            part: only schedules in whose name this occurs, or that it matches as a pattern.
        """
        troubles = [*self._read_manifest()]
        holder, wrong = self._holder()
        troubles += wrong
        stale = [*self._read_run_log(now)]
        manned = holder is not None and holder.kind == "run"
        if manned and self._source.broken is None:
            troubles += _of_the_scheduler(self._record.meta)
        troubles += self._mute()
        shown, record, day = self._shown(part), self._record, self._day
        failing = [] if day is None else day.failing_now(record.ended)
        running, waiting = sorted_out(
            record.active, {run.id for run in record.active if shown(run.schedule)},
            self._schedules, now, manned=manned, places=self._places,
        )  # fmt: skip
        return Board(
            now=now, holder=holder, troubles=(*troubles, *stale), schedules=self._schedules,
            stale_since=record.at or None if stale else None,
            used=sum(run.status in IN_PLACE for run in record.active), places=self._places,
            day=None if day is None else day.tally, running=running, waiting=waiting,
            failing=tuple(each for each in failing if shown(each.run.schedule)),
            ended=tuple(each for each in record.ended if shown(each.schedule))[:_ENDED],
            coming=self._ahead.first(self._schedules, now, shown),
        )  # fmt: skip

    def usual(self, names: Collection[str], now: float) -> Mapping[str, Spread | None]:
        """Return how long the last successes of schedules took, of as many as can be told now.

        Args:
            names: schedules; ask for those on the screen alone, each takes a walk.
            now: epoch seconds.
        """
        known = self._usual
        new = {name for name in names if name not in known or known[name][0] + _USUAL < now}
        if new:
            try:
                if (glance := self.site.glance()) is not None:
                    with glance:
                        found = glance.usual(new)
                    known.update((name, (now, each)) for name, each in found.items())
            except (FlyteschedError, OSError):
                pass  # it was said where the runs were read
        return {name: known[name][1] for name in names if name in known}

    # -- who is meant -----------------------------------------------------------------------

    def _shown(self, part: str) -> Callable[[str], bool]:
        chosen = self._chosen
        pattern = part if set(part) & set("*?[") else f"*{part}*"
        if not part:
            return lambda name: chosen is None or name in chosen
        return lambda name: (chosen is None or name in chosen) and fnmatchcase(name, pattern)

    def _choose(self) -> None:
        """Find out anew who is meant; a pattern and a label may mean a schedule that is new."""
        if not (self._words or self._labels):
            return
        labelled = select(self._schedules, (), self._labels)
        if not self._words:
            self._chosen = labelled
            return
        wanted = {name for name in labelled if any(fnmatchcase(name, w) for w in self._words)}
        self._chosen = wanted if self._labels else wanted | self._named

    # -- the manifest and the scheduler -----------------------------------------------------

    def _read_manifest(self) -> Iterator[str]:
        """Take over a manifest that has changed; yield what is wrong with it."""
        for _ in range(_STEPS):
            try:
                roster = self._source.poll()
            except Invalid:
                break
            if roster is not None:
                self._take(roster.schedules, roster.touched)
            if self._source.again_in() is None:
                break
        if (broken := self._source.broken) is not None:
            yield broken.message.partition("\n")[0]
            if not self._schedules:
                self._recall()

    def _take(self, schedules: Mapping[str, Schedule], touched: Iterable[str] | None) -> None:
        self._schedules = schedules
        self._ahead.forget(touched)
        self._choose()
        flags = {key: str(getattr(self.site.settings, key)) for key in ("manifest", "state_dir")}
        found = settings_table.resolve(self.site.environ, flags, self._source.settings_table)
        self._places = found.max_concurrent_runs

    def _recall(self) -> None:
        """Show what the run log remembers of schedules, as long as nothing else can be had."""
        from flytesched.core.sight import recalled  # what decides, and is rarely asked here

        try:
            if (reader := self.site.reader()) is None:
                return
            with reader:
                found = {name: recalled(state) for name, state in reader.states().items()}
        except (FlyteschedError, OSError):
            return
        self._schedules = {name: each for name, each in found.items() if each is not None}
        self._choose()

    def _holder(self) -> tuple[Holder | None, list[str]]:
        try:
            return self.site.scheduler(), []
        except (FlyteschedError, OSError) as error:
            return None, [str(error)]

    def _mute(self) -> Iterator[str]:
        """Yield which channels fail that a schedule is told of by."""
        if self._day is None or not self._day.mute:
            return
        if mute := sorted(users(self._schedules.values()).keys() & self._day.mute):
            yield f"channels that fail: {', '.join(mute)}; see: flytesched status"

    # -- the run log ------------------------------------------------------------------------

    def _read_run_log(self, now: float) -> Iterator[str]:
        """Take over what the run log says now; yield why that cannot be read."""
        try:
            if (glance := self.site.glance()) is None:
                self._record, self._day = _Record(at=now), None
                return
            with glance:
                record = self._recorded(glance, now)
                if self._day is None or not 0 <= now - self._day.at < _COUNTED:
                    self._day = self._counted(glance, record)
        except (FlyteschedError, OSError) as error:
            yield str(error)
            return
        before = {each.id for each in self._record.ended}
        for each in record.ended:
            if each.id not in before:
                self._usual.pop(each.schedule, None)
        self._record = record

    def _counted(self, glance: Glance, record: _Record) -> _Day:
        since, chosen = record.at - _DAY, self._chosen
        return _Day(
            at=record.at, tally=glance.tally(since, chosen), failing=glance.failing(since, chosen),
            known={each.id for each in record.ended},
            mute={each.channel for each in glance.channel_records(record.at) if each.failing},
        )  # fmt: skip

    def _recorded(self, glance: Glance, now: float) -> _Record:
        since = now - _JUST
        active = glance.active()
        ended = {run.id: run for run in glance.just_ended(since)}
        # Those that ran for long are not among the newest rows, but they were seen.
        gone = {run.id for run in self._record.active}.difference(ended, (r.id for r in active))
        kept = (each.run for each in self._record.ended if each.run and each.at >= since)
        found = {run.id: run for run in (*kept, *glance.runs(sorted(gone))) if not run.active}
        verdicts = [*map(done, (found | ended).values()), *map(missed, glance.just_missed(since))]
        verdicts.sort(key=_AT, reverse=True)
        return _Record(at=now, active=active, ended=verdicts, meta=glance.meta())


def _of_the_scheduler(meta: Mapping[str, str]) -> Iterator[str]:
    """Yield what a scheduler cannot read, and went on without."""
    if said := meta.get("manifest_error"):
        yield f"the scheduler goes on without an edit: {said.partition(chr(10))[0]}"
