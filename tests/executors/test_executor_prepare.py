"""What is done of a start ahead of its moment: it shows nowhere but in the clock."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from executors_desk import kill

from flytesched.core.protocols import Adoption
from flytesched.core.runs import End
from flytesched.errors import StartError

if TYPE_CHECKING:
    from executors_desk import Desk


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("survive", [True, False])
@pytest.mark.parametrize("command", ["echo $FLYTESCHED_RUN_ID; exit 3", ["sh", "-c", "exit 3"]])
def test_a_prepared_start_is_a_start(desk: Desk, command: object, survive: bool) -> None:
    order = desk.order(command, survive=survive)
    desk.launcher.prepare([order], inf)
    started = desk.launcher.start(order)

    outcome = desk.outcome()
    assert started.pid is not None
    assert (outcome.key, outcome.end, outcome.exit_code) == (order.attempt.key, End.EXITED, 3)
    said = order.run.id + "\n" if isinstance(command, str) else ""
    assert desk.log(order.attempt) == said


def test_what_is_prepared_twice_and_started_twice_runs_once(desk: Desk) -> None:
    order = desk.order("echo once")
    desk.launcher.prepare([order, order], inf)
    desk.launcher.prepare([order], inf)
    desk.launcher.start(order)
    desk.launcher.prepare([order], inf)
    desk.launcher.start(order)

    assert desk.outcome().exit_code == 0
    assert desk.log(order.attempt) == "once\n"


def test_more_than_are_made_ready_start_all_the_same(desk: Desk) -> None:
    """The files of the others are made, and their descriptors not kept."""
    orders = [desk.order("true") for _ in range(200)]
    before = descriptors()
    desk.launcher.prepare(orders, inf)

    assert descriptors() - before <= 2 * 128
    assert all((desk.state / (order.attempt.log or "")).exists() for order in orders)
    for order in orders:
        desk.launcher.start(order)
    assert {outcome.key for outcome in desk.outcomes(200)} == {o.attempt.key for o in orders}


def test_nothing_is_prepared_once_the_time_is_over(desk: Desk) -> None:
    order = desk.order("true")
    desk.launcher.prepare([order], 0.0)

    assert not (desk.state / (order.attempt.log or "")).exists()


def test_what_is_prepared_and_forgotten_leaves_no_descriptor_and_no_record(desk: Desk) -> None:
    """It was cancelled before its moment."""
    before = descriptors()
    order = desk.order("true")
    desk.launcher.prepare([order], inf)
    desk.launcher.forget([order.attempt.key])

    assert descriptors() == before
    records = list((desk.state / "active").iterdir())
    assert [path.read_bytes().strip(b"\0") for path in records] == [b""]


def test_what_cannot_be_prepared_is_told_by_the_start(desk: Desk) -> None:
    order = desk.order(["no-such-program"])
    desk.launcher.prepare([order], inf)

    with pytest.raises(StartError, match="no such command"):
        desk.launcher.start(order)


def test_a_start_that_fails_after_all_leaves_no_descriptor_and_no_record(desk: Desk) -> None:
    """The program went away in the last moment."""
    program = desk.state / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    before = descriptors()
    order = desk.order([str(program)], survive=False)
    desk.launcher.prepare([order], inf)
    program.unlink()

    with pytest.raises(StartError, match="cannot execute"):
        desk.launcher.start(order)
    assert descriptors() == before


def test_what_a_dead_scheduler_had_prepared_was_never_started(desk: Desk) -> None:
    """Its record has a name and nobody who holds it."""
    process = desk.scheduler(
        "from math import inf\n"
        "order = desk.order('echo ran')\n"
        "desk.launcher.prepare([order], inf)\n"
        "print('prepared', flush=True); sys.stdin.read()"
    )
    assert process.stdout is not None
    process.stdout.readline()
    order = desk.order("echo ran")
    kill(process)

    assert desk.launcher.adopt(order.attempt) is Adoption.NEVER_STARTED
    desk.launcher.start(order)
    assert desk.outcome().exit_code == 0
    assert Path(desk.state / (order.attempt.log or "")).read_text() == "ran\n"


def test_a_launcher_that_closes_lets_go_of_what_it_prepared(desk: Desk) -> None:
    before = descriptors()
    other = desk.successor()
    other.launcher.prepare([other.order("true") for _ in range(5)], inf)
    other.launcher.close()

    assert descriptors() == before
