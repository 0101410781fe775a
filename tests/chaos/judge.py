"""The judge: holds slots, evidence and run log against each other, by arithmetic of its own.

It knows nothing of the program but its contract: what ``history --json`` shows, what the commands
wrote themselves, and what the stage did.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from chaos.watcher import Verdict
    from chaos.workload import Job

#: PRODUCT 1.8: never early, a verdict or a start within 2 s of the slot.
LATE_AFTER = 2.0
#: What history says of a run without a verdict.
ACTIVE = frozenset({"queued", "claimed", "running", "retry_wait"})
#: Slots that were decided against: no command may have run.
DECIDED_AGAINST = frozenset({"skipped", "missed"})
#: How commands end that say nothing at their end: the word of SCRIPT, and what history shows.
ENDS = {
    "hang": {"timed_out"}, "stubborn": {"timed_out"}, "suicide": {"failed 137"},
    "group": {"interrupted"}, "orphan": {"interrupted"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt wrote of itself."""

    run: str
    number: int
    schedule: str
    slot: int
    origin: str
    #: Moments at which it began: one, if all is well.
    begun: tuple[float, ...]
    #: Exit code it was about to leave with, and when.
    code: int | None
    ended: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the judge is told."""

    jobs: Sequence[Job]
    due: Mapping[str, Sequence[tuple[float, float]]]
    unsure: Mapping[str, Sequence[tuple[float, float]]]
    attempts: Sequence[Attempt]
    #: ``entries`` of ``history --json``.
    history: Sequence[Mapping[str, Any]]
    changed: Mapping[str, tuple[Verdict, Verdict | None]] = field(default_factory=dict)
    calm: Sequence[tuple[float, float]] = ()
    deaths: Sequence[float] = ()
    killed: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    #: Seconds the machine lost in a stretch.
    stalled: Callable[[float, float], float] = lambda _begin, _end: 0.0
    #: Whether the wall clock was set: nothing can be said of early and late then.
    clock_set: bool = False


@dataclass
class Report:
    """What the judge found."""

    #: Sentences, by kind: lost, doubled, late, early, ...
    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: Slots that were due for certain.
    due: int = 0
    #: Verdicts, by word.
    verdicts: Counter[str] = field(default_factory=Counter)
    #: Seconds from slot to start of live slots that only the scheduler can delay.
    calm_lags: list[float] = field(default_factory=list)
    all_lags: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.violations.values()))

    def add(self, kind: str, sentence: str) -> None:
        self.violations[kind].append(sentence)


def read_evidence(text: str) -> list[Attempt]:
    """Read what commands wrote; a line that is not whole would be a fault of the harness."""
    begun: dict[tuple[str, int], list[list[str]]] = defaultdict(list)
    ended: dict[tuple[str, int], tuple[float, int]] = {}
    for line in text.splitlines():
        what, run, number, moment, *rest = line.split()
        if what == "B":
            begun[run, int(number)].append([moment, *rest])
        else:
            ended[run, int(number)] = (float(moment), int(rest[0]))
    found = []
    for (run, number), lines in begun.items():
        _, _, _, schedule, slot, origin = lines[0]
        end, code = ended.get((run, number), (None, None))
        found.append(
            Attempt(
                run=run, number=number, schedule=schedule, slot=int(slot), origin=origin,
                begun=tuple(float(line[0]) for line in lines), code=code, ended=end,
            )
        )  # fmt: skip
    return found


def judge(facts: Facts) -> Report:
    """Return everything that does not agree."""
    report = Report()
    court = _Court(facts, report)
    for job in facts.jobs:
        court.hold_slots(job)
    for entry in facts.history:
        court.hold_run(entry)
    court.hold_evidence()
    for run, (was, now) in facts.changed.items():
        report.add("changed", f"{run}: {was} became {now}")
    return report


class _Court:
    def __init__(self, facts: Facts, report: Report) -> None:
        self._facts, self._report = facts, report
        self._jobs = {job.name: job for job in facts.jobs}
        self._attempts: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in sorted(facts.attempts, key=lambda one: one.number):
            self._attempts[attempt.run].append(attempt)
        self._runs = {entry["id"]: entry for entry in facts.history}
        self._slots: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
        for entry in facts.history:
            if entry["scheduled_at"] is not None and entry["retry_of"] is None:
                self._slots[entry["schedule"], epoch(entry["scheduled_at"])].append(entry)

    # -- slots --------------------------------------------------------------------------------

    def hold_slots(self, job: Job) -> None:
        """Hold every slot of a schedule to exactly one verdict."""
        spans = self._facts.due.get(job.name, ())
        certain = {slot for begin, end in spans for slot in job.slots(begin, end)}
        unsure = self._facts.unsure.get(job.name, ())
        possible = certain | {slot for begin, end in unsure for slot in job.slots(begin, end)}
        self._report.due += len(certain)
        for slot in sorted(certain):
            entries = self._slots.get((job.name, slot), [])
            if not entries:
                self._report.add("lost", f"{job.name} {slot}: no verdict")
            else:
                self._hold_day(job, slot, entries[0])
                self._hold_time(job, slot, entries[0])
        for (name, slot), entries in self._slots.items():
            if name != job.name:
                continue
            if len(entries) > 1:
                self._report.add("doubled", f"{name} {slot}: {len(entries)} verdicts")
            if slot not in possible and entries[0]["origin"] != "backfill":
                said = f"{name} {slot}: {entries[0]['status']}, though it was not due"
                self._report.add("uncalled", said)

    def _hold_day(self, job: Job, slot: int, entry: Mapping[str, Any]) -> None:
        """Hold a slot to what its calendar says: it is skipped by name, or decided as ever."""
        left_out = entry["status"] == "skipped" and entry["reason"] == f"holiday: of-{job.name}"
        if left_out != job.is_off(slot):
            said = f"{entry['status']}({entry['reason']})"
            day = "on a day off" if job.is_off(slot) else "on a working day"
            self._report.add("wrong day", f"{job.name} {slot}: reads {said} {day}")

    def _hold_time(self, job: Job, slot: int, entry: Mapping[str, Any]) -> None:
        """Hold a slot that only the scheduler could delay to its moment."""
        if not job.prompt or self._facts.clock_set:
            return
        attempts = self._attempts.get(entry["id"], [])
        begun = attempts[0].begun[0] if attempts and attempts[0].number == 1 else None
        if begun is not None and entry["origin"] == "schedule":
            self._report.all_lags.append(begun - slot)
        if not any(a <= slot and slot + LATE_AFTER <= b for a, b in self._facts.calm):
            return
        if entry["status"] == "missed" or entry["origin"] != "schedule":
            said = f"{job.name} {slot}: {entry['status']} by {entry['origin']} with all well"
            self._report.add("late", said)
        elif begun is not None:
            self._report.calm_lags.append(begun - slot)
            stalled = self._facts.stalled(slot - 1, begun + 1)
            if begun - slot > LATE_AFTER + stalled:
                said = (
                    f"{job.name} {slot}: began {begun - slot:.3f} s late ({stalled:.1f} s stalled)"
                )
                self._report.add("late", said)

    # -- runs ---------------------------------------------------------------------------------

    def hold_run(self, entry: Mapping[str, Any]) -> None:
        """Hold a line of the history to what its command wrote."""
        run, status = entry["id"], entry["status"]
        self._report.verdicts[status] += 1
        attempts = self._attempts.get(run, [])
        if status in ACTIVE:
            self._report.add("stuck", f"{run}: {status}")
        elif status in DECIDED_AGAINST:
            if attempts:
                self._report.add("ran", f"{run}: {status}, but it ran")
        elif status in {"succeeded", "failed", "timed_out"}:
            self._hold_end(entry, attempts)
        elif status == "interrupted":
            self._hold_interrupted(entry)
        elif status == "cancelled":
            self._hold_cancelled(entry)

    def _hold_end(self, entry: Mapping[str, Any], attempts: Sequence[Attempt]) -> None:
        run = entry["id"]
        last = attempts[-1] if attempts else None
        if last is None or last.number != entry["attempt"]:
            said = f"{run}: {_said(entry)} after {entry['attempt']} attempts, evidence of"
            self._report.add("no evidence", f"{said} {[one.number for one in attempts]}")
            return
        work = self._jobs[entry["schedule"]].work if entry["schedule"] in self._jobs else "quick"
        expected = ENDS.get(work, set())
        if last.code is not None:
            expected = {"succeeded" if last.code == 0 else f"failed {last.code}"}
        if run in self._facts.killed:
            expected = expected | {"failed 137", "failed 143"}
        if _said(entry) not in expected:
            said = f"{run}: reads {_said(entry)}, was {' or '.join(expected) or 'nothing'}"
            self._report.add("wrong verdict", said)

    def _hold_interrupted(self, entry: Mapping[str, Any]) -> None:
        """Only a command whose own supervisor died may end so."""
        job = self._jobs.get(entry["schedule"])
        if entry["id"] in self._facts.killed or (job and "interrupted" in ENDS.get(job.work, ())):
            return
        if job is not None and not job.survive:
            begin, end = epoch(entry["created_at"]), epoch(entry["ended_at"])
            if any(begin - 1 <= death <= end + 1 for death in self._facts.deaths):
                return
        self._report.add("wrong verdict", f"{entry['id']}: {_said(entry)} without a cause")

    def _hold_cancelled(self, entry: Mapping[str, Any]) -> None:
        job = self._jobs.get(entry["schedule"])
        replaced = job is not None and job.overlap == "replace" and entry["reason"] == "replaced"
        if not replaced and entry["id"] not in self._facts.cancelled:
            self._report.add("wrong verdict", f"{entry['id']}: {_said(entry)} by nobody")

    # -- evidence -----------------------------------------------------------------------------

    def hold_evidence(self) -> None:
        """Hold what commands wrote to the run log."""
        for attempt in self._facts.attempts:
            name = f"{attempt.run} attempt {attempt.number}"
            if len(attempt.begun) > 1:
                self._report.add("doubled", f"{name}: began {len(attempt.begun)} times")
            entry = self._runs.get(attempt.run)
            if entry is None or attempt.number > entry["attempt"]:
                self._report.add("no row", f"{name}: ran without a row")
            if attempt.origin != "manual" and not self._facts.clock_set:
                early = attempt.slot - attempt.begun[0]
                if early > 0:
                    self._report.add("early", f"{name}: began {early:.4f} s early")


def epoch(text: str) -> int | float:
    """Return the epoch seconds of an RFC 3339 time."""
    moment = datetime.fromisoformat(text).timestamp()
    return int(moment) if moment.is_integer() else moment


def _said(entry: Mapping[str, Any]) -> str:
    if entry["status"] == "failed" and entry["reason"] is None:
        return f"failed {entry['exit_code']}"
    return str(entry["status"]) + (f"({entry['reason']})" if entry["status"] == "failed" else "")


def percentile(values: Iterable[float], part: float) -> float | None:
    """Return the value below which ``part`` of all lie; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None
