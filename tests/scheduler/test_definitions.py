"""Taking over a changed set: in portions, those that are gone first, and never beside a slot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from flytesched.core.agenda import Agenda
from flytesched.core.decision import Decision
from flytesched.core.lanes import Bucket, Lanes
from flytesched.core.protocols import Roster
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.errors import Invalid, RunLogBusy
from flytesched.scheduler.definitions import FIRST_PORTION, LOOKS, NEAR, PORTION, Definitions
from flytesched.scheduler.ledger import Ledger
from flytesched.scheduler.news import News
from flytesched.testing import MemoryRunLog, RecordingHook, RecordingJournal

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


class Source:
    """A ScheduleSource that a test edits."""

    def __init__(self) -> None:
        self.news: list[Roster | Invalid] = []
        self.settled = 0

    def put(self, *schedules: Schedule, touched: tuple[str, ...] | None = None) -> None:
        named = {one.name: one for one in schedules}
        self.news.append(Roster(schedules=named, touched=touched, settled=self._settle))

    def poll(self) -> Roster | None:
        news = self.news.pop(0) if self.news else None
        if isinstance(news, Invalid):
            raise news
        return news

    def _settle(self) -> None:
        self.settled += 1


class RunLog(MemoryRunLog):
    """A run log that counts what it is given, and may be locked."""

    locked = False
    #: Rows of schedules in each transaction.
    sizes: list[int]

    def apply(self, decision: Any) -> frozenset[str]:
        if self.locked:
            raise RunLogBusy("locked")
        self.sizes.append(len(decision.schedules))
        return super().apply(decision)


@dataclass
class Stage:
    """Definitions with all that they need."""

    source: Source = field(default_factory=Source)
    runlog: RunLog = field(default_factory=RunLog)
    journal: RecordingJournal = field(default_factory=RecordingJournal)
    agenda: Agenda = field(default_factory=Agenda)
    recording: bool = True
    now: float = NOON + 0.25

    def __post_init__(self) -> None:
        self.runlog.sizes = []
        self.begin()

    def begin(self) -> None:
        """Start anew over the same run log."""
        self.agenda = Agenda()
        news = News(
            hook=RecordingHook(), runlog=self.runlog,
            definition=lambda name, created: self.definitions.since(name, created),
        )  # fmt: skip
        self.definitions = Definitions(
            source=self.source, ledger=Ledger(self.runlog, self.journal), agenda=self.agenda,
            news=news, journal=self.journal, recording=self.recording,
        )  # fmt: skip
        self.definitions.remember(self.runlog.load().schedules)
        self.lanes = Lanes(
            places=0, bucket=Bucket(0, 1), beside=self.definitions.beside,
            known=self.definitions.schedules.__contains__,
        )  # fmt: skip

    def tick(self) -> Any:
        return self.definitions.reload(self.now, self.lanes)

    def settle(self) -> int:
        """Tick until a set is in force; return how many ticks that took."""
        wanted = self.source.settled + 1
        for ticks in range(1, 10_000):
            self.tick()
            if self.source.settled == wanted:
                return ticks
        pytest.fail("it never was in force")

    @property
    def said(self) -> list[str]:
        return [str(line) for line in self.journal.lines]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def crowd(count: int, **keys: Any) -> list[Schedule]:
    return [Schedule(f"n{n}", every="1h", command="true", **keys) for n in range(count)]


def test_the_first_set_is_in_force_after_one_tick(stage: Stage) -> None:
    """However large: nothing is planned before, so nothing waits for it."""
    stage.source.put(*crowd(FIRST_PORTION + 1))
    assert stage.settle() == 1
    assert stage.definitions.known
    assert (
        len(stage.definitions.schedules) == len(stage.runlog.load().schedules) == FIRST_PORTION + 1
    )
    assert stage.runlog.sizes == [FIRST_PORTION, 1]


def test_a_first_set_that_could_be_written_in_part_goes_on_where_it_stopped(stage: Stage) -> None:
    """Nothing is planned until all of it is in force."""
    stage.source.put(*crowd(FIRST_PORTION + 1))
    apply = stage.runlog.apply

    def locked_at_last(decision: Any) -> frozenset[str]:
        stage.runlog.locked = bool(stage.runlog.sizes)
        return apply(decision)

    # The lock has to come between two portions of one tick, which no outsider can time.
    stage.runlog.apply = locked_at_last  # type: ignore[method-assign]
    stage.tick()
    assert not stage.definitions.known
    del stage.runlog.apply
    stage.runlog.locked = False
    stage.settle()
    assert stage.definitions.known
    assert stage.runlog.sizes == [FIRST_PORTION, 1]


def test_many_changes_are_taken_over_in_portions(stage: Stage) -> None:
    """Each written before it counts; the journal tells of them once."""
    stage.source.put(*crowd(3 * PORTION))
    stage.settle()
    stage.runlog.sizes.clear()
    stage.source.put(*crowd(3 * PORTION, catchup="all"))
    assert stage.settle() == 3
    assert stage.runlog.sizes == [PORTION] * 3
    assert {one.catchup.value for one in stage.definitions.schedules.values()} == {"all"}
    assert sum("schedules changed" in line for line in stage.said) == 1
    assert f"{3 * PORTION}" in stage.said[-1]


def test_what_is_gone_goes_before_what_comes(stage: Stage) -> None:
    """A renamed crowd is never there twice."""
    stage.source.put(*crowd(PORTION))
    stage.settle()
    stage.source.put(*(one.with_(name=f"new-{one.name}") for one in crowd(PORTION)))
    stage.tick()
    assert stage.definitions.schedules == {}
    stage.tick()
    assert len(stage.definitions.schedules) == PORTION
    assert {one.startswith("new") for one in stage.definitions.schedules} == {True}


def test_between_portions_there_is_more_to_do_at_once(stage: Stage) -> None:
    """The loop is told to come back."""
    stage.source.put(*crowd(2 * PORTION))
    stage.settle()
    assert stage.definitions.next_at(stage.now) is None
    stage.source.put(*crowd(2 * PORTION, catchup="all"))
    stage.tick()
    assert stage.definitions.next_at(stage.now) == stage.now


def test_a_source_that_knows_what_it_touched_is_believed(stage: Stage) -> None:
    """Nothing else is looked at, so an edit costs what it changes."""
    first = crowd(2)
    stage.source.put(*first)
    stage.settle()
    other = [one.with_(description="other") for one in first]
    stage.source.put(*other, touched=("n1",))
    stage.settle()
    assert stage.definitions.schedules["n0"].description is None
    assert stage.definitions.schedules["n1"].description == "other"


def test_a_source_that_does_not_know_has_everything_compared_in_portions(stage: Stage) -> None:
    """Looking costs little, and yet not nothing."""
    count = 2 * LOOKS
    stage.source.put(*crowd(count))
    stage.settle()
    stage.runlog.sizes.clear()
    stage.source.put(*crowd(count))
    assert stage.settle() == 2
    assert stage.runlog.sizes == [0], "only that the set is good again"


@pytest.mark.parametrize(("before", "taken"), [(NEAR / 2, False), (2 * NEAR, True)])
def test_nothing_is_taken_over_right_before_a_slot(
    stage: Stage, before: float, taken: bool
) -> None:
    """The slot goes first, and what came is looked at then."""
    stage.source.put(*crowd(1))
    stage.settle()
    stage.now = NOON + 3600 - before
    stage.source.put(*crowd(2))
    stage.tick()
    assert ("n1" in stage.definitions.schedules) == taken
    assert stage.definitions.next_at(stage.now) == (None if taken else NOON + 3600)


def test_a_slot_that_was_claimed_ahead_is_waited_for_too(stage: Stage) -> None:
    """It has left the agenda, and its start is still to come."""
    stage.source.put(*crowd(1))
    stage.settle()
    stage.now = NOON + 3600 - NEAR / 2
    stage.tick()
    stage.agenda.put("n0", stage.definitions.schedules["n0"].timing, NOON + 3600)
    stage.source.put(*crowd(2))
    stage.tick()
    assert "n1" not in stage.definitions.schedules
    stage.now = NOON + 3600
    stage.tick()
    assert "n1" in stage.definitions.schedules


def test_news_that_come_amid_a_set_are_asked_for_when_it_is_in_force(stage: Stage) -> None:
    """Nothing else would wake the loop for them."""
    stage.source.put(*crowd(1))
    stage.settle()
    stage.source.put(*crowd(PORTION + 10))
    stage.tick()
    stage.source.put(*crowd(2))
    stage.tick()
    assert len(stage.definitions.schedules) == PORTION + 10
    assert stage.definitions.next_at(stage.now) == stage.now
    while stage.definitions.next_at(stage.now) == stage.now:
        stage.tick()
    assert len(stage.definitions.schedules) == 2


def test_a_pause_ends_between_two_portions(stage: Stage) -> None:
    """Its slots are due again at once, not after the whole set."""
    paused = Schedule("p", every="1s", command="true", paused_until="2026-01-01T12:00:10Z")
    stage.source.put(paused, *crowd(2 * PORTION))
    stage.settle()
    stage.source.put(paused, *crowd(2 * PORTION, catchup="all"))
    stage.tick()
    stage.now = NOON + 10.5
    assert "p" not in stage.agenda
    stage.tick()
    assert "p" in stage.agenda
    stage.settle()


def test_a_newer_set_takes_the_place_of_one_that_cannot_be_written(stage: Stage) -> None:
    """Nothing of the older one that still counts is forgotten."""
    stage.source.put(*crowd(2), touched=())
    stage.settle()
    stage.runlog.locked = True
    first = [one.with_(description="first") for one in crowd(2)]
    stage.source.put(*first, touched=("n0", "n1"))
    stage.tick()
    second = [first[0], first[1].with_(description="second")]
    stage.source.put(*second, touched=("n1",))
    stage.tick()
    stage.runlog.locked = False
    stage.settle()
    said = [one.description for one in stage.definitions.schedules.values()]
    assert said == ["first", "second"]


def test_what_waits_for_one_that_is_gone_is_cancelled_with_the_last_portion(stage: Stage) -> None:
    """And cannot start before."""
    stage.source.put(*crowd(2 * PORTION))
    stage.settle()
    run = Run(
        id="manual-n0-1", schedule="n0", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.QUEUED, created=stage.now,
    )  # fmt: skip
    stage.runlog.apply(Decision(runs=(run,)))
    stage.lanes.put(run)
    stage.source.put(*crowd(2 * PORTION, catchup="all")[1:])
    stage.tick()
    assert "n0" not in stage.definitions.schedules
    assert stage.lanes.get(run.id) is not None
    assert stage.lanes.choose(stage.now) == []
    stage.settle()
    assert [one.verdict() for one in stage.runlog.all_runs()] == ["cancelled(removed)"]


def test_a_second_start_sees_no_change_where_there_is_none(stage: Stage) -> None:
    """The definitions that it reads, and no longer keeps, are those it compares with."""
    schedules = crowd(3, env={"A": "1"}, labels={"team": "x"})
    stage.source.put(*schedules)
    stage.settle()
    before = stage.runlog.load().schedules
    stage.begin()
    stage.runlog.sizes.clear()
    stage.source.put(*schedules)
    stage.settle()
    assert stage.runlog.load().schedules == before
    assert sum(stage.runlog.sizes) == 0


def test_a_definition_is_known_by_what_is_in_force(stage: Stage) -> None:
    """A revision counts up when it changes, and not when it comes back unchanged."""
    stage.source.put(*crowd(1))
    stage.settle()
    for description, revision in (("one", 2), ("one", 2), ("two", 3)):
        stage.source.put(*(one.with_(description=description) for one in crowd(1)))
        stage.settle()
        assert stage.definitions.revision("n0") == revision


def test_while_the_schedules_are_unknown_the_run_log_tells_what_they_were(stage: Stage) -> None:
    """A manifest that is broken at a start says nothing of what runs."""
    stage.source.put(*crowd(2, success_exit_codes=[0, 3]))
    stage.settle()
    stage.begin()
    stage.source.news.append(Invalid("broken"))
    stage.tick()
    assert not stage.definitions.known
    seen = stage.definitions.of("n1")
    assert seen is not None
    assert seen.success_exit_codes == (0, 3)
    assert stage.definitions.of("other") is None
    assert stage.definitions.codes("n0") == (0, 3)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_removed_schedule_keeps_its_exit_codes(stage: Stage, *, restarted: bool) -> None:
    """Its last runs have yet to end, maybe under another scheduler."""
    stage.source.put(*crowd(1, success_exit_codes=[0, 3]))
    stage.settle()
    stage.source.put()
    stage.settle()
    if restarted:
        stage.begin()
        stage.source.put()
        stage.settle()
    assert stage.definitions.of("n0") is None
    assert stage.definitions.codes("n0") == (0, 3)
    assert stage.definitions.codes("never seen") == (0,)


def test_a_cursor_never_moves_back(stage: Stage) -> None:
    """Whatever the order in which decisions come."""
    stage.source.put(*crowd(1))
    stage.settle()
    at = stage.definitions.cursor("n0")
    stage.definitions.move_cursors({"n0": at + 5})
    stage.definitions.move_cursors({"n0": at + 3})
    assert stage.definitions.cursor("n0") == at + 5


def test_a_damaged_definition_is_another_one(stage: Stage) -> None:
    """What the run log holds may be anything; it is replaced by what is in force."""
    stage.source.put(*crowd(2))
    stage.settle()
    states = stage.runlog.load().schedules
    stage.begin()
    broken = {name: replace(state, definition="a\nb") for name, state in states.items()}
    stage.definitions.remember(broken)
    stage.source.put(*crowd(2))
    stage.settle()
    assert {stage.definitions.revision(name) for name in broken} == {2}
