"""Check: whether a run log is whole, and whether what it says can be true.

Everything is read at one instant, in one transaction that holds up nobody, and nothing is changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flytesched.core.instants import rfc3339
from flytesched.core.tally import beside, compare, is_of, may_move, miscounted, parts, stretch
from flytesched.core.timetables.parse import Timing
from flytesched.errors import InvalidTimetable, NotFound, RunLogBusy, RunLogError, Unhealthy
from flytesched.runlog.checking import INSTANTS, open_checker
from flytesched.runlog.migrations import LATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Gap, ScheduleState
    from flytesched.core.tally import Part, Stretch
    from flytesched.runlog.checking import Broken, Checker

#: What to do about a file that is torn.
RESTORE = "stop the scheduler, then restore a backup or move the file away"
_REPORT = "no version of flytesched writes this: keep a copy of the run log, and report it"
_OTHER_RULES = "have the rules of its time zone, or its public holidays, changed since?"
#: Seconds for which a record, or an attempt's log, may be on its way.
_IN_PASSING = 60.0
#: How much of the work the check of the file is, for a bar.
_FILE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    #: A word for programs: ``file``, ``schema``, ``runs``, ``attempts``, ``slots``, ``gaps``...
    about: str
    #: What is wrong.
    what: str
    #: What to do about it.
    do: str
    #: Whether it makes the run log unsound; else it is only told.
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found."""

    #: The file.
    path: str
    #: Number of its schema; None if that cannot be told.
    schema: int | None = None
    #: Bytes of its pages.
    size: int = 0
    #: Rows, by table.
    rows: Mapping[str, int] = field(default_factory=dict)
    #: What was found, the worst first.
    findings: tuple[Finding, ...] = ()
    #: Schedules whose every slot was held against runs and gaps.
    counted: tuple[str, ...] = ()
    #: What was not checked, and why not.
    unchecked: tuple[tuple[str, str], ...] = ()

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found that counts."""
        return not any(finding.counts for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 sound, 1 damaged or inconsistent."""
        return 0 if self.sound else RunLogError.exit_code


def check(site: Site, watch: Callable[[float], None] = lambda _: None) -> Report:
    """Check the run log of a site as a whole; nothing is changed.

    Args:
        site: what to check.
        watch: is told now and then about how much of it is done, as a part of 1.

    Raises:
        NotFound: there is no run log yet.
        Unhealthy: it cannot be read right now.
    """
    path = site.runs_db
    if not os.path.lexists(path):
        msg = f"there is no run log {path} yet"
        raise NotFound(msg, hint="'flytesched run' makes it")
    try:
        with open_checker(path) as checker, checker.at_one_instant():
            return _report(site, checker, watch)
    except RunLogBusy as error:
        raise _unreadable(site, error) from error
    except RunLogError as error:
        if not os.access(path, os.R_OK, follow_symlinks=False):
            raise _unreadable(site, error) from error
        return Report(path=str(path), findings=(_refused(error),))


def _unreadable(site: Site, error: RunLogError) -> Unhealthy:
    hint = "try again once whoever uses it has let go of it"
    if not os.access(site.runs_db.parent, os.W_OK):
        hint = "copy the state directory to a place that you may write, and check the copy"
    return Unhealthy(f"not checked: {error.message}", hint=hint)


def _refused(error: RunLogError) -> Finding:
    return Finding(about="file", what=error.message, do=error.hint or RESTORE)


def _report(site: Site, checker: Checker, watch: Callable[[float], None]) -> Report:
    version = checker.version()
    findings = [*_file(checker, lambda done: watch(done * _FILE)), *_schema(checker, version)]
    report = Report(
        path=str(site.runs_db), schema=version, size=checker.size(), findings=tuple(findings)
    )
    if version != LATEST:
        why = f"this program knows what schema {LATEST} means"
        return replace(report, unchecked=(("what it says", why),))
    if findings:
        return replace(report, unchecked=(("what it says", "the file is not as it was written"),))
    broken = list(checker.broken())
    slots = _Slots.of(checker, believed=all(each.rule is not INSTANTS for each in broken))
    told, unchecked = _beside_it(site, checker)
    findings += [*map(_said, broken), *slots.findings, *told]
    watch(1.0)
    return replace(
        report, rows=checker.counts(), counted=tuple(slots.counted),
        findings=tuple(sorted(findings, key=lambda finding: not finding.counts)),
        unchecked=(*slots.unchecked, *unchecked),
    )  # fmt: skip


# -- the file -----------------------------------------------------------------------------------


def _file(checker: Checker, watch: Callable[[float], None]) -> Iterator[Finding]:
    for fault in checker.faults(watch):
        yield Finding(about="file", what=f"the file is damaged: {fault}", do=RESTORE)
    if count := checker.orphans():
        what = f"rows that refer to others which are not there: {count:,}"
        yield Finding(about="references", what=what, do=_REPORT)


def _schema(checker: Checker, version: int) -> Iterator[Finding]:
    if version < LATEST:
        what = f"the schema is {version}, and {LATEST} is written by this program"
        do = "the next 'flytesched run' brings it up to date"
        yield Finding(about="schema", what=what, do=do, counts=False)
        return
    for name in checker.alterations():
        what = f"{name} is missing from the schema, or not as it was made"
        yield Finding(about="schema", what=what, do=RESTORE)


def _said(broken: Broken) -> Finding:
    such = broken.first if broken.count == 1 else f"{broken.count:,}, such as {broken.first}"
    return Finding(about=broken.rule.about, what=f"{broken.rule.broken}: {such}", do=_REPORT)


# -- slots --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Slots:
    """What the slots of all schedules come to."""

    checker: Checker
    findings: list[Finding] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    unchecked: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, checker: Checker, *, believed: bool) -> _Slots:
        """Hold the slots of each schedule against its runs and gaps, if its moments can be."""
        found = cls(checker)
        if not believed:
            found.unchecked.append(("slots", "some of the moments they lie between cannot be"))
            return found
        gaps: dict[str, list[Gap]] = {}
        for gap in checker.gaps():
            gaps.setdefault(gap.schedule, []).append(gap)
            found._count(gap)
        for name, state in checker.states().items():
            found._look(state, gaps.get(name, ()))
        return found

    def _count(self, gap: Gap) -> None:
        """Count the slots of a gap again."""
        where = f"{gap.schedule}: the gap up to {rfc3339(gap.until)}"
        try:
            count = miscounted(gap)
        except InvalidTimetable as error:
            self.unchecked.append((where, error.message))
            return
        if count is None:
            return
        what = f"{where} says {gap.count:,} slots and has {count:,}"
        if not may_move(Timing.from_text(gap.timing)):
            self.findings.append(Finding(about="gaps", what=what, do=_REPORT))
        else:
            do = f"{_OTHER_RULES} flytesched catchup {gap.schedule} --policy none closes it"
            self.findings.append(Finding(about="gaps", what=what, do=do, counts=False))

    def _look(self, state: ScheduleState, gaps: Sequence[Gap]) -> None:
        checker = self.checker
        ahead = max(
            checker.ahead(state.name, state.revision, int(state.seen_at), state.cursor),
            max((gap.until for gap in gaps if not is_of(gap, state.timing)), default=0),
        )
        found = stretch(
            state, decided=checker.last_decision(), forgotten=checker.forgotten(), ahead=ahead
        )
        if isinstance(found, str):
            self.unchecked.append((f"{state.name}: its slots", found))
            return
        self.counted.append(state.name)
        self.findings += self._compared(state.name, found, gaps)

    def _compared(self, name: str, found: Stretch, gaps: Iterable[Gap]) -> Iterator[Finding]:
        for part in parts(found, gaps):
            yield from self._compared_part(name, found, part)

    def _compared_part(self, name: str, found: Stretch, part: Part) -> Iterator[Finding]:
        for after, until in beside(found, part.gaps):
            planned = filter(part.has, self.checker.planned(name, after, until))
            odd = compare(part.table, after, until, planned)
            # Other rules of a zone, or other holidays, move slots: what was one is none, and the
            # other way round.
            moved = odd.strange is not None and may_move(found.timing)
            if odd.lost is not None:
                what = f"{name}: the slot {rfc3339(odd.lost)} was due, and has no run and no gap"
                do = _OTHER_RULES if moved else f"{_REPORT}; flytesched backfill {name} runs it"
                yield Finding(about="slots", what=what, do=do, counts=not moved)
                return
            if odd.strange is not None:
                what = f"{name}: there is a run at {rfc3339(odd.strange)}, which is no slot of it"
                do = _OTHER_RULES if moved else _REPORT
                yield Finding(about="slots", what=what, do=do, counts=False)


# -- what lies beside it ------------------------------------------------------------------------


def _beside_it(site: Site, checker: Checker) -> tuple[list[Finding], list[tuple[str, str]]]:
    """Return what is to be told of records and logs, and what of them could not be looked at."""
    try:
        return [*_stale_records(site, checker), *_lost_logs(site, checker)], []
    except OSError as error:
        return [], [("records and logs", error.strerror or str(error))]


def _stale_records(site: Site, checker: Checker) -> Iterator[Finding]:
    if stale := stale_records(site, checker):
        what = f"records of attempts that are over: {_such(stale)}"
        do = "nothing; the next start of the scheduler makes use of them"
        yield Finding(about="records", what=what, do=do, counts=False)


def stale_records(site: Site, checker: Checker) -> list[str]:
    """Return the attempts that have a record and do not go on; those just ending are left out."""
    from flytesched.executors.record import given

    going_on = {f"{run.id}.{run.attempt}" for run in checker.active()}
    before = site.now() - _IN_PASSING
    records = given(str(site.settings.state_dir / "active"))
    return sorted(name for name, at in records.items() if name not in going_on and at < before)


def _lost_logs(site: Site, checker: Checker) -> Iterator[Finding]:
    now, kept = site.now(), site.settings.keep_logs.total_seconds()
    logs = checker.logs(now - kept + _IN_PASSING, now - _IN_PASSING)
    lost = [log for log in logs if not (site.settings.state_dir / log).exists()]
    if lost:
        what = f"logs that are missing, though they are not as old as keep_logs: {_such(lost)}"
        do = "nothing, if somebody removed them; verdicts do not depend on them"
        yield Finding(about="logs", what=what, do=do, counts=False)


def _such(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,}, such as {names[0]}"
