"""The truth about a machine, by arithmetic of its own, and what it denies.

Every timetable here has slots at the multiples of a period, on all weekdays or on some, so that
what was due, and what was left out for a holiday, follows from the moments at which definitions
were seen and from nothing of the program. What the processes did follows from the world. `Truth`
holds commits, starts, signals and what is stored to both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flytesched.core.attempts import AttemptKey, End
from flytesched.core.calendars import Calendar
from flytesched.core.runs import IN_PLACE, LEGAL_MOVES, VERDICTS, Origin, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.events import Event
from flytesched.core.timetables.on_holiday import left_out_timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flytesched.core.decision import Decision
    from flytesched.core.protocols import Told
    from flytesched.core.runs import Attempt, Gap, Run, ScheduleState
    from flytesched.testing import FakeClock, Process, World

DAY = 86_400
WEEK = frozenset(range(7))
#: Stories begin on a Thursday; Monday is 0.
THU, FRI, SUN = 3, 4, 6
WEDNESDAYS = Calendar(name="wednesdays", weekdays=["wed"])
THURSDAYS = Calendar(name="thursdays", weekdays=["thu"])
FRIDAYS = Calendar(name="fridays", weekdays=["fri"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The slots of a timetable: the multiples of a period, on some weekdays of UTC."""

    #: Seconds from one to the next.
    period: int
    #: Weekdays on which they run.
    runs: frozenset[int] = WEEK
    #: Weekdays on which they are left out.
    off: frozenset[int] = frozenset()
    #: What is said of those first.
    why: str = ""
    #: The text that the run log has of the timetable as a whole.
    text: str = ""
    #: Whether those left out are meant, and else those that run.
    holidays: bool = False

    @property
    def parts(self) -> tuple[Kind, ...]:
        """Those that run and those left out."""
        return (self, replace(self, holidays=True)) if self.off else (self,)

    def has(self, slot: int) -> bool:
        """Tell whether a second is one of the slots that are meant."""
        days = self.off if self.holidays else self.runs
        return not slot % self.period and (slot // DAY + THU) % 7 in days

    def slots(self, after: int, until: int) -> Iterator[int]:
        return filter(
            self.has, range((after // self.period + 1) * self.period, until + 1, self.period)
        )

    def count(self, after: int, until: int) -> int:
        """Count the slots in ``(after, until]``, day by day."""
        total = 0
        for day in range(after // DAY, until // DAY + 1):
            first, last = max(after, day * DAY - 1), min(until, day * DAY + DAY - 1)
            if self.has(day * DAY):
                total += last // self.period - first // self.period
        return total


#: What a manifest says, and what slots that means.
TIMES: dict[str, tuple[dict[str, Any], Kind]] = {
    "5 s": ({"every": "5s"}, Kind(period=5)),
    "12 s": ({"every": "12s"}, Kind(period=12)),
    "1 min": ({"every": "1m"}, Kind(period=60)),
    "2 min": ({"cron": "*/2 * * * *"}, Kind(period=120)),
    "1 h": ({"cron": "0 * * * *"}, Kind(period=3600)),
    "5 s, not today": (
        {"every": "5s", "calendars": [THURSDAYS]},
        Kind(period=5, runs=WEEK - {THU}, off=frozenset({THU}), why="thursdays"),
    ),
    "12 s, not tomorrow": (
        {"every": "12s", "calendars": [FRIDAYS]},
        Kind(period=12, runs=WEEK - {FRI}, off=frozenset({FRI}), why="fridays"),
    ),
    # Every day has slots of its own, so that none moves.
    "2 min, on the day after": (
        {"cron": "*/2 * * * *", "calendars": [THURSDAYS], "on_holiday": "next"},
        Kind(period=120, runs=WEEK - {THU}, off=frozenset({THU}), why="thursdays; "),
    ),
    # What would be yesterday's, or tomorrow's, is all today's.
    "1 min, moved": (
        {"cron": "* * * * wed,sun", "calendars": [WEDNESDAYS], "on_holiday": "next"},
        Kind(period=60, runs=frozenset({THU, SUN})),
    ),
    "1 min, moved back": (
        {"cron": "* * * * fri", "calendars": [FRIDAYS], "on_holiday": "previous"},
        Kind(period=60, runs=frozenset({THU})),
    ),
}  # fmt: skip


def _kinds() -> Iterator[tuple[str, Kind]]:
    """Yield what the texts of timetables mean that the run log has."""
    for keys, kind in TIMES.values():
        timing = Schedule("x", command="true", **keys).timing
        for part in replace(kind, text=timing.text).parts:
            yield (left_out_timing(timing) if part.holidays else timing).text, part


KINDS = dict(_kinds())
#: Seconds after which a slot is missed.
LATE = 10.0
#: Seconds before its time at which a slot may be claimed.
LEAD = 0.8
#: Seconds by which a clock that was set back and forth may be off.
ROUNDING = 1e-6
#: Exit codes that are a success, by schedule.
CODES = {"a": [0], "b": [0, 3], "c": [0]}
GIVEN_UP = {"declined", "removed", "holiday"}


@dataclass(slots=True)
class Stretch:
    """A time in which slots of one timetable were due."""

    kind: Kind
    #: Seen at this second: slots after it are due.
    after: int
    #: The cursor then. It never moves back, so that what lies before it is not promised.
    floor: int
    #: The earliest second to which the clock was set back, and the latest up to which it came.
    low: int
    reached: int
    #: Seen to be over: no slot after this second is due.
    end: int | None = None

    def has(self, slot: int, *, holiday: bool = False) -> bool:
        """Tell whether a slot was due, to run or to be left out."""
        over = self.reached if self.end is None else self.end
        return replace(self.kind, holidays=holiday).has(slot) and self.low < slot <= over


@dataclass(slots=True)
class Seen:
    """A definition in force."""

    kind: Kind | None
    due: bool


class Truth:
    """What really happened, and every contradiction to it."""

    def __init__(self, clock: FakeClock, world: World) -> None:
        self._clock, self._world = clock, world
        #: What was found wrong; the machine stops at the first.
        self.wrong: list[str] = []
        # What the world knows of attempts.
        self.processes: dict[AttemptKey, Process] = {}
        self.vanished: set[AttemptKey] = set()
        self.unstartable: set[AttemptKey] = set()
        #: Attempts that were ordered, as they were first written.
        self.orders: dict[AttemptKey, Attempt] = {}
        #: Ends that were meant and written, by attempt.
        self.meant: dict[AttemptKey, str] = {}
        #: Waiting runs that somebody cancelled, and catch-ups that somebody took back.
        self.cancelled: set[str] = set()
        self.withdrawn: set[str] = set()
        self.requested: set[str] = set()
        #: Schedules that were missing from the set at some time.
        self.removed: set[str] = set()
        self.overlap: dict[str, str] = {}
        self.stretches: dict[str, list[Stretch]] = defaultdict(list)
        self._seen: dict[str, Seen] = {}
        self._runs: dict[str, Run] = {}
        self._gaps: list[Gap] = []
        self._cursors: dict[str, int] = {}
        self._told: set[tuple[object, ...]] = set()
        #: The latest moment that the clock ever showed.
        self._latest = 0.0

    def deny(self, what: str) -> None:
        """Note a contradiction."""
        self.wrong.append(what)

    def hold(self, condition: object, what: str) -> None:
        """Note a contradiction, if there is one."""
        if not condition:
            self.deny(what)

    # -- time and definitions ----------------------------------------------------------------

    def pass_time(self) -> None:
        """Note how far the clock came."""
        now = self._clock.now()
        self._latest = max(self._latest, now)
        for stretches in self.stretches.values():
            for one in stretches[-1:]:
                if one.end is None:
                    one.low = min(one.low, int(now))
                    one.reached = max(one.reached, int(now + LEAD))

    def committed(
        self,
        decision: Decision,
        lost: frozenset[str],
        now: float,
        schedules: Mapping[str, Schedule],
    ) -> None:
        """Take over what is durable from this moment on."""
        for state in decision.schedules:
            self._see(state.name, schedules.get(state.name), int(now))
        for name, cursor in decision.cursors.items():
            self._cursors[name] = max(cursor, self._cursors.get(name, 0))
        for state in decision.schedules:
            self._cursors[state.name] = max(state.cursor, self._cursors.get(state.name, 0))
        for move in decision.moves:
            if move.run.id not in lost:
                self._moved(move.run)
        for attempt in decision.attempts:
            if attempt.run not in lost:
                self.orders.setdefault(attempt.key, attempt)
        for run in decision.runs:
            if run.id not in lost and run.origin is Origin.SCHEDULE:
                late = run.created - (run.scheduled_at or 0)
                self.hold(-LEAD <= late <= LATE, f"{run.id} was decided live, {late:.1f} s late")

    def _moved(self, run: Run) -> None:
        key = AttemptKey(run.id, run.attempt)
        if run.status in IN_PLACE and run.end_as is not None:
            self.meant[key] = run.end_as
        elif run.status is RunStatus.RETRY_WAIT:
            meant = self.meant.pop(key, "timed_out")
            self.hold(meant == "timed_out", f"{run.id} was to be {meant} and is tried again")

    def _see(self, name: str, schedule: Schedule | None, now: int) -> None:
        old = self._seen.get(name, Seen(kind=None, due=False))
        due = schedule is not None and schedule.enabled
        kind = KINDS[schedule.timing.text] if schedule is not None else None
        cursor = self._cursors.get(name, 0)
        changed = due != old.due or kind != old.kind
        if old.due and changed:
            self.stretches[name][-1].end = max(now, cursor)
        if due and changed and kind is not None:
            self.stretches[name].append(Stretch(kind, now, max(now, cursor), now, now))
        self._seen[name] = Seen(kind, due)

    # -- starts, signals, ends ---------------------------------------------------------------

    def check_start(self, key: AttemptKey, stored: Run | None) -> None:
        """Hold a start to its claim, and to the other processes of its schedule."""
        claimed = stored is not None and stored.status is RunStatus.CLAIMED
        self.hold(claimed, f"{key} was started without a claim: {stored}")
        self.hold(stored is None or stored.attempt == key.attempt, f"{key} was not the one claimed")
        if stored is not None and stored.origin is Origin.SCHEDULE:
            # What had to wait is not held up once more when the clock is set back meanwhile.
            early = (stored.scheduled_at or 0) - max(self._latest, self._clock.now())
            self.hold(early <= ROUNDING, f"{key} was started {early:.6f} s before its slot")
        name = stored.schedule if stored is not None else ""
        if self.overlap.get(name) != "allow":
            beside = [other for other in self.processes if self._alive(other, name)]
            self.hold(not beside, f"{key} was started beside {beside}")

    def _alive(self, key: AttemptKey, name: str) -> bool:
        return key.run.split("-")[1] == name and key not in self.vanished and not self._ended(key)

    def _ended(self, key: AttemptKey) -> bool:
        process = self.processes[key]
        return process.ends is not None and process.ends <= self._clock.elapsed

    def check_signal(self, key: AttemptKey, stored: Run | None) -> None:
        """Hold a signal to the intent that has to be durable before it."""
        intent = stored is not None and stored.end_as is not None
        self.hold(intent, f"{key} was signalled without a durable intent")

    def check_forgotten(self, key: AttemptKey, stored: Run | None) -> None:
        """Hold the loss of evidence to the outcome that has to be durable before it."""
        open_still = stored is not None and stored.status in IN_PLACE
        still = open_still and stored is not None and stored.attempt == key.attempt
        self.hold(not still, f"the evidence of {key} was dropped before its outcome was durable")

    def check_told(self, told: Told, stored: Run | None) -> None:
        """Hold what a hook is told to what is durable, and to once."""
        if told.run is not None:
            # A run that is late or long may have moved on by somebody else's wish.
            going_on = told.event in {Event.STARTED, Event.LATE, Event.LONG}
            durable = stored is not None and (going_on or stored.status is told.run.status)
            self.hold(durable, f"a hook was told of {told.run.verdict()}, which is not stored")
            key: tuple[object, ...] = (told.event, told.run.id)
        else:
            gap = told.gap
            self.hold(gap is None or gap.closed_as != "holiday", f"{gap} was told as missed")
            key = (told.event, gap and (gap.schedule, gap.after, gap.until))
        self.hold(key not in self._told, f"a hook was told twice: {key}")
        self._told.add(key)

    # -- what is stored ----------------------------------------------------------------------

    def look(
        self,
        runs: Sequence[Run],
        gaps: Sequence[Gap],
        states: Mapping[str, ScheduleState],
        open_missed: Mapping[str, int] | None,
    ) -> None:
        """Hold everything that is stored to the truth."""
        self.pass_time()
        for name, state in states.items():
            back = state.cursor < self._cursors.get(name, 0)
            self.hold(not back, f"the cursor of {name} is not where it was written to be")
        self._follow_runs(runs)
        self._follow_gaps(gaps)
        for name in self.stretches:
            self._count(name, states)
        if open_missed is not None:
            self._compare(open_missed)

    def _follow_runs(self, runs: Sequence[Run]) -> None:
        now = {run.id: run for run in runs}
        self.hold(len(now) == len(runs), "an id was given twice")
        for run_id in self._runs.keys() - now.keys():
            self.hold(run_id in self.withdrawn, f"{run_id} is gone")
        for run in runs:
            old = self._runs.get(run.id)
            if old == run:
                continue
            if old is None or run.seq != old.seq:
                self._check_new(run)
            else:
                self._check_moved(old, run)
            if not run.active:
                self._check_verdict(run)
        self._runs = now

    def _check_new(self, run: Run) -> None:
        if run.scheduled_at is None or run.retry_of is not None:
            return
        if run.origin in {Origin.SCHEDULE, Origin.CATCHUP}:
            mine, holiday = self.stretches[run.schedule], _is_holiday(run)
            due = any(one.has(run.scheduled_at, holiday=holiday) for one in mine)
            self.hold(due, f"{run.id} was never due")
        else:
            self.hold(run.id in self.requested, f"nobody asked for {run.id}")
        given_up = any(_holds(gap, run) for gap in self._gaps if gap.closed_as in GIVEN_UP)
        self.hold(not given_up, f"{run.id} runs, though its slot was given up")

    def _check_moved(self, old: Run, new: Run) -> None:
        self.hold(old.active, f"{old.id}: {old.verdict()} became {new.verdict()}")
        self.hold(new.attempt >= old.attempt, f"{old.id} went back to attempt {new.attempt}")
        self.hold(_leads(old.status, new.status), f"{old.id}: {old.status} became {new.status}")

    def _check_verdict(self, run: Run) -> None:
        key = AttemptKey(run.id, run.attempt)
        meant = self.meant.get(key)
        if meant is not None:
            right = run.verdict() == meant
            self.hold(right, f"{run.id} was to be {meant} and is {run.verdict()}")
            return
        check = {
            RunStatus.SKIPPED: self._was_skipped, RunStatus.CANCELLED: self._was_cancelled,
            RunStatus.SUCCEEDED: self._has_ended, RunStatus.FAILED: self._has_ended,
            RunStatus.INTERRUPTED: self._was_interrupted,
        }.get(run.status)  # fmt: skip
        right = check is not None and check(run, key)
        self.hold(right, f"{run.id} is {run.verdict()}, attempt {run.attempt}; {self._say(key)}")

    def _was_skipped(self, run: Run, _key: AttemptKey) -> bool:
        slot, reason = run.scheduled_at, run.reason or ""
        if _is_holiday(run):
            return (
                run.attempt == 0
                and slot is not None
                and any(
                    one.has(slot, holiday=True) and reason.startswith(f"holiday: {one.kind.why}")
                    for one in self.stretches[run.schedule]
                )
            )
        policy = {"overlap": "skip", "queue_full": "queue"}.get(reason)
        return policy == self.overlap[run.schedule] and run.attempt == 0

    def _was_cancelled(self, run: Run, key: AttemptKey) -> bool:
        if key in self.processes and not (self._ended(key) or self._gone(key)):
            return False
        why = {
            "by user": run.id in self.cancelled,
            "removed": run.schedule in self.removed,
            "replaced": self.overlap[run.schedule] == "replace",
        }
        return why.get(run.reason or "", False)

    def _has_ended(self, run: Run, key: AttemptKey) -> bool:
        if (run.reason or "").startswith("start: "):
            return run.status is RunStatus.FAILED and key in self.unstartable
        if key not in self.processes or not self._ended(key):
            return False
        outcome = self.processes[key].outcome
        good = outcome.exit_code in CODES[run.schedule]
        return (
            outcome.end is End.EXITED
            and outcome.exit_code == run.exit_code
            and (run.status is RunStatus.SUCCEEDED) == good
        )

    def _was_interrupted(self, _run: Run, key: AttemptKey) -> bool:
        """Tell whether nobody can know how an attempt ended, or that it never began."""
        if key in self.processes:
            return self._gone(key)
        order = self.orders[key]
        return not order.survive or order.boot_id != self._world.boot_id

    def _gone(self, key: AttemptKey) -> bool:
        """Tell whether a started attempt left no record, or none any more."""
        lost = self.processes[key].outcome.end is not End.EXITED
        return key in self.vanished or (lost and self._ended(key))

    def _say(self, key: AttemptKey) -> str:
        process = self.processes.get(key)
        if process is None:
            return "it was never started"
        return f"{process.outcome}, ends {process.ends}, gone: {key in self.vanished}"

    # -- slots -------------------------------------------------------------------------------

    def _follow_gaps(self, gaps: Sequence[Gap]) -> None:
        old = {gap.id for gap in self._gaps}
        last: dict[tuple[str, bool], int] = {}
        for gap in sorted(gaps, key=lambda gap: (gap.after, gap.until)):
            kind = KINDS[gap.timing]
            count = kind.count(gap.after, gap.until)
            right = count == gap.count > 0 and kind.has(gap.until)
            self.hold(right, f"{gap} does not count {count} slots")
            closed = kind.holidays == (gap.closed_as == "holiday")
            self.hold(closed, f"{gap} mixes slots that run with others")
            key = (gap.schedule, kind.holidays)
            self.hold(gap.after >= last.get(key, 0), f"{gap} meets another one")
            last[key] = gap.until
            self.hold(self._was_due(gap), f"{gap} was never due")
            if gap.id not in old:
                self._check_gap(gap)
        self._gaps = list(gaps)

    def _was_due(self, gap: Gap) -> bool:
        kind = KINDS[gap.timing]
        return any(
            one.has(gap.until, holiday=kind.holidays)
            and one.after <= gap.after
            and kind in one.kind.parts
            for one in self.stretches[gap.schedule]
        )

    def _check_gap(self, gap: Gap) -> None:
        """Hold a new gap to the runs there were: what was decided live is not missed."""
        mine = [old for old in self._gaps if old.schedule == gap.schedule]
        if any(old.after <= gap.after and gap.until <= old.until for old in mine):
            return  # the rest of one that was divided
        for run in self._runs.values():
            twice = run.origin is Origin.SCHEDULE and _holds(gap, run)
            self.hold(not twice, f"{run.id} was decided, and then missed in {gap}")

    def _count(self, name: str, states: Mapping[str, ScheduleState]) -> None:
        """Hold the slots up to the cursor to the one count: each has a run, or lies in a gap."""
        decided = {run.scheduled_at for run in self._runs.values() if _decides(run, name)}
        for one in self.stretches[name]:
            end = one.reached if one.end is None else one.end
            last = min(end, states[name].cursor)
            for slot in self._uncovered(name, one, max(one.after, one.floor), last):
                self.hold(slot in decided, f"slot {slot} of {name} is lost")

    def _uncovered(self, name: str, one: Stretch, after: int, until: int) -> Iterator[int]:
        """Yield the slots of a stretch, those left out among them, that lie in no gap of theirs."""
        for kind in one.kind.parts:
            begin = after
            gaps = [g for g in self._gaps if g.schedule == name and KINDS[g.timing] == kind]
            for gap in sorted(gaps, key=lambda gap: gap.after):
                if gap.until > begin:
                    yield from kind.slots(begin, min(gap.after, until))
                    begin = max(begin, gap.until)
            yield from kind.slots(begin, until)

    def check_up_to_date(self) -> None:
        """Hold a scheduler that works and sees everything to the slots that have come."""
        now = int(self._clock.now())
        for name, stretches in self.stretches.items():
            decided = {run.scheduled_at for run in self._runs.values() if _decides(run, name)}
            for one in stretches[-1:]:
                if one.end is None:
                    for slot in self._uncovered(name, one, max(one.after, one.floor), now):
                        self.hold(slot in decided, f"slot {slot} of {name} has no verdict in time")
                        behind = slot > self._cursors.get(name, 0)
                        self.hold(not behind, f"the cursor of {name} stays behind {slot}")

    def _compare(self, open_missed: Mapping[str, int]) -> None:
        """Hold the count that people see to the gaps and the runs in them."""
        counts: dict[str, int] = defaultdict(int)
        for gap in self._gaps:
            if gap.closed_at is None:
                counts[gap.schedule] += gap.count - sum(_holds(gap, r) for r in self._runs.values())
        counts = {name: count for name, count in counts.items() if count}
        self.hold(counts == open_missed, f"{open_missed} are said to be missed, and {counts} are")


def _decides(run: Run, name: str) -> bool:
    return run.schedule == name and run.scheduled_at is not None and run.retry_of is None


def _holds(gap: Gap, run: Run) -> bool:
    slot = run.scheduled_at
    return (
        _decides(run, gap.schedule)
        and slot is not None
        and gap.after < slot <= gap.until
        and KINDS[gap.timing].has(slot)
    )


def _is_holiday(run: Run) -> bool:
    return run.status is RunStatus.SKIPPED and (run.reason or "").startswith("holiday: ")


def _reach() -> dict[RunStatus, set[RunStatus]]:
    """Return the states that a run may come to from each, over any number of moves."""
    reach = {status: {status, *LEGAL_MOVES[status]} for status in RunStatus}
    for _ in RunStatus:
        reach = {one: set().union(*(reach[two] for two in more)) for one, more in reach.items()}
    return {one: more for one, more in reach.items() if one not in VERDICTS}


_REACH = _reach()


def _leads(old: RunStatus, new: RunStatus) -> bool:
    return new in _REACH.get(old, {old})
