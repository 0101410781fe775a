"""The chores of a scheduler: each gets its turn, and no slot waits for one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from desk import Desk, wait_for
from flytesched.core.decision import Decision
from flytesched.core.instants import parse_instant
from flytesched.core.runs import Origin, Run, RunStatus, run_id
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.service import chores
from flytesched.service.chores import BOUND_LOGS_EVERY, PATIENCE, PRUNE_EVERY, ROOM, SETTLED, Chores

if TYPE_CHECKING:
    from collections.abc import Iterator

#: 2026-11-21T00:00:00Z, and a clock that was never set.
NOW, UPTIME = 1_795_219_200.0, 5_000.0
YEAR = 365 * 86_400


@dataclass
class Logs:
    """A launcher as the chores see it: how often it was asked, and steps until it is through."""

    steps: int = 1
    bounded: int = 0
    pruned: list[float] = field(default_factory=list)

    def bound_logs(self) -> None:
        self.bounded += 1

    def prune_logs(self, before: float) -> bool:
        self.pruned.append(before)
        return len(self.pruned) % self.steps == 0


class Machine:
    """A scheduler's surroundings: a real run log, and time that the test moves."""

    def __init__(self, runlog: SqliteRunLog) -> None:
        self.runlog, self.launcher = runlog, Logs()
        self.loop = SimpleNamespace(running_count=0)
        self.settings = SimpleNamespace(
            keep_runs=timedelta(days=365), keep_logs=timedelta(days=30)
        )  # fmt: skip
        self.past = 0.0
        self.chores = Chores(self, elapsed=lambda: UPTIME + self.past)  # type: ignore[arg-type]

    def turn(self, *, slot_in: float | None = None) -> float | None:
        """Take a turn; return in how many seconds the chores want the next."""
        now = NOW + self.past
        again = self.chores.do(now, None if slot_in is None else now + slot_in)
        return None if again is None else round(again - now, 6)

    def store(self, count: int, *, age: float = 0.0) -> None:
        """Store runs with verdicts, one a second from so long ago on."""
        begin = int(NOW - age)
        self.runlog.apply(Decision(runs=tuple(_run(begin + n) for n in range(count))))

    def size(self) -> int:
        """Return the size of the database itself: what is in the WAL alone is no part of it."""
        return Path(self.runlog._name).stat().st_size

    def left(self) -> int:
        """Count the runs."""
        return int(self.runlog._all("SELECT count(*) FROM runs")[0][0])


def _run(slot: int, *, active: bool = False) -> Run:
    return Run(
        id=run_id("backup", slot), schedule="backup", scheduled_at=slot, origin=Origin.SCHEDULE,
        status=RunStatus.CLAIMED if active else RunStatus.SUCCEEDED, created=float(slot),
        ended=None if active else slot + 1.0,
    )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a machine on which nothing has happened yet."""
    runlog = SqliteRunLog(tmp_path / "state" / "runs.db", holder=True)
    yield Machine(runlog)
    runlog.close()


@pytest.fixture
def lived_in(machine: Machine) -> Machine:
    """Give a machine whose first look has found six hundred runs that are too old."""
    machine.store(600, age=YEAR + 4_000.0)
    machine.turn()
    machine.past += 1.0
    return machine


# -- when there is nothing to do ------------------------------------------------------------------


def test_a_machine_with_nothing_to_do_is_woken_once_an_hour(machine: Machine) -> None:
    assert machine.turn() == PRUNE_EVERY
    machine.past += 60.0
    assert machine.turn() == PRUNE_EVERY - 60.0
    machine.past += PRUNE_EVERY
    assert machine.turn() == PRUNE_EVERY
    assert machine.launcher.pruned == [
        NOW - 30 * 86_400, NOW + 60.0 + PRUNE_EVERY - 30 * 86_400
    ]  # fmt: skip


def test_a_clock_that_is_set_back_puts_no_chore_off(machine: Machine) -> None:
    machine.turn()
    machine.past += PRUNE_EVERY
    assert machine.chores.do(NOW - YEAR, None) == NOW - YEAR + PRUNE_EVERY
    assert len(machine.launcher.pruned) == 2


def test_logs_are_bounded_while_something_runs(machine: Machine) -> None:
    machine.turn()
    machine.loop.running_count = 1
    assert machine.turn() == BOUND_LOGS_EVERY
    machine.past += 2.0
    assert machine.turn(slot_in=0.0) == BOUND_LOGS_EVERY - 2.0
    machine.past += 4.0
    assert machine.turn(slot_in=0.0) == BOUND_LOGS_EVERY
    assert machine.launcher.bounded == 2


# -- pruning --------------------------------------------------------------------------------------


@pytest.mark.parametrize("running", [0, 3])
def test_what_is_too_old_goes_step_by_step_whatever_runs(machine: Machine, running: int) -> None:
    """Runs first, then their logs."""
    machine.loop.running_count = running
    machine.launcher.steps = 3
    for part in range(4):
        machine.store(250, age=YEAR + 4_000.0 - 1_000 * part)
    machine.store(20)
    turns = 0
    while machine.left() > 20 or len(machine.launcher.pruned) < 3:
        machine.past += 1.0
        before = machine.left()
        machine.turn(slot_in=1.0)
        assert before - machine.left() <= chores.PRUNE_STEP
        turns += 1
    assert turns < 20
    assert machine.left() == 20


def test_runs_that_stay_in_between_do_not_end_the_pruning(machine: Machine) -> None:
    """A step that has deleted less than it may is not the last one."""
    runs = [_run(int(NOW - YEAR - 9_000 + n), active=n % 100 == 0) for n in range(1_000)]
    machine.runlog.apply(Decision(runs=tuple(runs)))
    for _ in range(12):
        machine.past += 1.0
        machine.turn()
    assert machine.left() == 10


@pytest.mark.parametrize(("slot_in", "pruned"), [(ROOM, True), (ROOM - 0.01, False), (0.0, False)])
def test_no_step_is_taken_right_before_a_slot(
    lived_in: Machine, slot_in: float, pruned: bool
) -> None:
    """Nor is the loop woken for one: the slot itself wakes it."""
    before = lived_in.left()
    assert (lived_in.turn(slot_in=slot_in) is not None) is pruned
    assert (lived_in.left() < before) is pruned


def test_steps_of_pruning_follow_each_other_without_settling(lived_in: Machine) -> None:
    """They are what was written last, and wait for none but slots."""
    for left in (350, 100):
        assert lived_in.turn() == chores.PRUNE_AGAIN
        assert lived_in.left() == left
        lived_in.past += chores.PRUNE_AGAIN


def test_a_log_that_somebody_else_writes_to_is_pruned_later(
    lived_in: Machine, tmp_path: Path
) -> None:
    """A catch-up of a hundred thousand slots holds it for a second; that is no trouble."""
    before = lived_in.left()
    other = sqlite3.connect(tmp_path / "state" / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert lived_in.turn() == PATIENCE
    other.execute("ROLLBACK")
    other.close()
    lived_in.past += PATIENCE
    lived_in.turn()
    assert lived_in.left() < before


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.fixture
def settled(machine: Machine) -> Machine:
    """Give a machine whose first look has found nothing to do, and nothing in the WAL."""
    machine.turn()
    machine.runlog.checkpoint()
    return machine


def test_a_checkpoint_follows_a_burst_once_it_has_settled(settled: Machine) -> None:
    """Its ends come one after the other, and none of them stands behind a checkpoint."""
    size = settled.size()
    for part in range(3):
        settled.past += SETTLED / 2
        settled.store(chores.WORTH_A_CHECKPOINT, age=10_000.0 * (part + 1))
        assert settled.turn() == SETTLED
    assert settled.size() == size
    settled.past += SETTLED
    assert settled.turn() == PRUNE_EVERY - settled.past
    assert settled.size() > size


def test_a_machine_that_never_settles_has_its_checkpoints_too(settled: Machine) -> None:
    """Only slots are always waited for."""
    size = settled.size()
    settled.store(chores.WORTH_A_CHECKPOINT, age=50_000.0)
    settled.turn(slot_in=1.0)
    for tenth in range(int(PATIENCE * 10)):
        assert settled.size() == size
        settled.past += 0.1
        settled.store(1, age=float(tenth))
        settled.turn(slot_in=0.05 if tenth % 2 else 1.0)
    assert settled.size() == size
    settled.turn(slot_in=1.0)
    assert settled.size() > size


def test_little_that_was_written_is_worth_no_checkpoint_and_no_waking(settled: Machine) -> None:
    size = settled.size()
    settled.store(chores.WORTH_A_CHECKPOINT - 1, age=10_000.0)
    assert settled.turn() == PRUNE_EVERY
    settled.past += 60.0
    settled.turn()
    assert settled.size() == size


def test_what_others_write_is_worth_a_checkpoint_once_it_is_much(
    settled: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands make none, and one that prunes a million runs would fill the disk."""
    # What is much would take this test a minute to write.
    monkeypatch.setattr(chores, "MUCH_WAL", 200_000)
    size = settled.size()
    other = SqliteRunLog(Path(settled.runlog._name))
    settled.turn()
    assert settled.size() == size
    other.apply(Decision(runs=tuple(_run(int(NOW) - n) for n in range(1, 3_000))))
    settled.past += 1.0
    settled.turn()
    assert settled.size() > size
    moved = Path(settled.runlog._name).stat().st_mtime_ns
    settled.past += 1.0
    assert settled.turn() == PRUNE_EVERY - settled.past
    assert Path(settled.runlog._name).stat().st_mtime_ns == moved
    other.close()


def test_pruning_is_followed_by_checkpoints_like_all_that_is_written(settled: Machine) -> None:
    """On a machine where nothing else happens, too."""
    for part in range(12):
        settled.store(250, age=YEAR + 90_000.0 - 1_000 * part)
    settled.runlog.checkpoint()
    settled.past += PRUNE_EVERY
    moved = set()
    while settled.left():
        settled.past += 1.0
        settled.turn()
        # Nothing but a checkpoint writes to the file itself.
        moved.add(Path(settled.runlog._name).stat().st_mtime_ns)
    assert len(moved) > 2


# -- the whole program ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_scheduler_on_which_something_always_runs_prunes_between_its_slots(desk: Desk) -> None:
    """And decides each of them live: no gap, no skip, one run a second."""
    desk.write(
        '[schedules.tick]\nevery = "1s"\ncommand = ["sleep", "3"]\noverlap = "allow"\n'
        "survive = false\n"
    )
    runlog = SqliteRunLog(desk.home / "state" / "runs.db")
    old = [_run(slot) for slot in range(1_000_000_000, 1_000_000_600)]
    runlog.apply(Decision(runs=tuple(old)))
    runlog.close()
    loop = desk.start("--on-stop", "kill")
    wait_for("pruning", lambda: not desk.json("history", "--until", "2002-01-01")["entries"])
    wait_for("slots", lambda: len(desk.json("history", "tick")["entries"]) >= 5)
    assert desk.stop(loop) == 0
    entries = desk.json("history", "--limit", "1000")["entries"]
    slots = sorted(parse_instant(entry["scheduled_at"], "UTC") for entry in entries)
    assert slots == [*range(slots[0], slots[0] + len(slots))]
    assert {entry["status"] for entry in entries} <= {"succeeded", "cancelled"}
