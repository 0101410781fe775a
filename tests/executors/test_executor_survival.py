"""Commands outlive the scheduler, and the next one finds them: nothing lost, nothing doubled."""

from __future__ import annotations

import functools
import os
import random
import resource
import select
import shutil
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from executors_desk import Desk, alive, eventually, kill, written

from flytesched import linux
from flytesched.core.protocols import Adoption
from flytesched.core.runs import End, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.protocols import Order


def _begin(desk: Desk, command: str, **keys: object) -> None:
    """Let another scheduler start the desk's first order, and kill it."""
    process = desk.scheduler(f"desk.start({command!r}, **{keys!r}); print('started', flush=True)")
    process.stdout.readline()
    kill(process)


def test_a_command_runs_on_when_its_scheduler_is_killed_and_its_code_is_recorded(
    desk: Desk,
) -> None:
    """It is adopted while it runs."""
    go = desk.state / "go"
    _begin(desk, f"while ! test -e {go}; do sleep 0.01; done; exit 7")
    attempt = desk.order("true").attempt

    found = eventually(lambda: _adopted(desk, attempt))
    assert found is Adoption.FOLLOWED
    assert desk.launcher.collect() == []
    go.touch()

    outcome = desk.outcome()
    assert (outcome.key, outcome.end, outcome.exit_code) == (attempt.key, End.EXITED, 7)


def test_the_true_exit_code_is_recorded_when_no_scheduler_saw_the_end(desk: Desk) -> None:
    """And the moment, too."""
    done = desk.state / "done"
    _begin(desk, f"echo x >{done}; exit 9")
    written(done)
    before = time.time()

    attempt = desk.order("true").attempt
    attempt = replace(attempt, ordered=attempt.ordered - 60)
    assert eventually(lambda: _adopted(desk, attempt)) is Adoption.FOLLOWED

    outcome = desk.outcome()
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 9)
    assert outcome.ended <= before + 1


def _adopted(desk: Desk, attempt: object) -> Adoption | None:
    """Adopt; None while the supervisor has not said its first word."""
    try:
        return desk.launcher.adopt(attempt)
    except BlockingIOError:
        return None


def test_an_attempt_may_be_adopted_by_any_number_of_schedulers_in_turn(desk: Desk) -> None:
    """Each of which is killed while it follows."""
    go = desk.state / "go"
    _begin(desk, f"while ! test -e {go}; do sleep 0.01; done; exit 3")
    follow = """
attempt = desk.order("true").attempt
while True:
    try:
        print(desk.launcher.adopt(attempt), flush=True)
        break
    except BlockingIOError:
        time.sleep(0.01)
time.sleep(60)
"""
    for _ in range(3):
        process = desk.scheduler(follow)
        assert process.stdout.readline() == "Adoption.FOLLOWED\n"
        kill(process)

    attempt = desk.order("true").attempt
    assert desk.launcher.adopt(attempt) is Adoption.FOLLOWED
    go.touch()
    assert desk.outcome().exit_code == 3


def test_an_adopted_command_can_be_ended(desk: Desk) -> None:
    """TERM reaches it, and its supervisor notes it."""
    pids = desk.state / "pid"
    _begin(desk, f"echo $$ >{pids}; exec sleep 60")
    written(pids)
    attempt = desk.order("true").attempt
    assert desk.launcher.adopt(attempt) is Adoption.FOLLOWED

    desk.launcher.terminate(attempt.key)

    assert desk.outcome().exit_code == 143


def test_an_end_that_is_known_is_reported_after_what_was_told_to_end_is_gone(desk: Desk) -> None:
    """A scheduler may die between TERM and the last process of a run."""
    pids = desk.state / "pid"
    attempt = desk.start(
        f"setsid sh -c 'trap : TERM; echo $$ >{pids}; while :; do sleep 0.05; done' & exit 5"
    )
    pid = int(written(pids))
    other = desk.successor()
    eventually(lambda: other.launcher._records.look(attempt.key).code == 5)

    assert other.launcher.adopt(attempt) is Adoption.FOLLOWED
    other.launcher.terminate(attempt.key)
    assert other.launcher.collect() == []
    other.launcher.kill(attempt.key)

    assert other.outcome().exit_code == 5
    eventually(lambda: not alive(pid))
    other.launcher.close()


# -- at most once -----------------------------------------------------------------------------


def _forked(work: Callable[[], None]) -> int:
    """Do some work in a fork of this process, quicker to come by than a new interpreter."""
    if pid := os.fork():
        return pid
    try:
        work()
    finally:
        os._exit(0)


def _evidence(desk: Desk, order: Order, *, killed: int) -> str:
    """Recover as a scheduler does; return how it went, with a line for each time it ran."""
    os.waitpid(killed, 0)
    other = desk.successor()
    found = eventually(lambda: _adopted(other, order.attempt))
    if found is Adoption.NEVER_STARTED:
        other.launcher.start(order)
    assert found is not Adoption.LOST
    assert other.outcome().exit_code == 6
    other.launcher.close()
    return (desk.state / "ran").read_text()


def test_a_scheduler_killed_at_any_step_of_a_start_neither_loses_nor_doubles_it(
    desk: Desk,
) -> None:
    """Python tells of each step that leaves it: open, chdir, flock, spawn."""
    order = desk.order(f"echo ran >>{desk.state}/ran; exit 6")
    steps = 0

    def start_and_die(last: int) -> None:
        other, count = desk.successor(), 0

        def die(event: str, _: object) -> None:
            nonlocal count
            count += event.startswith(("open", "os.", "fcntl."))
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        other.launcher.start(order)

    while steps < 40:
        steps += 1
        pid = _forked(functools.partial(start_and_die, steps))
        killed = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT).si_code != os.CLD_EXITED

        assert _evidence(desk, order, killed=pid) == "ran\n"

        shutil.rmtree(desk.state / "active")
        (desk.state / "ran").unlink()
        if not killed:
            break
    assert 6 < steps < 40


def test_a_scheduler_killed_at_any_moment_of_a_start_neither_loses_nor_doubles_it(
    desk: Desk,
) -> None:
    """Including the moments that belong to its child: fork, exec, the first word."""
    chance = random.Random(20261121)
    for _ in range(40):
        order = desk.order(f"echo ran >>{desk.state}/ran; exit 6")
        read, write = os.pipe()

        def start(order: Order = order, write: int = write) -> None:
            other = desk.successor()
            os.write(write, b".")
            other.launcher.start(order)
            select.select([], [], [], 60)

        pid = _forked(start)
        os.read(read, 1)
        time.sleep(chance.uniform(0, 0.003))
        os.kill(pid, signal.SIGKILL)

        assert _evidence(desk, order, killed=pid) == "ran\n"

        (desk.state / "ran").unlink()
        os.close(read)
        os.close(write)


def test_a_command_whose_record_somebody_removed_is_not_started_again(desk: Desk) -> None:
    """It is found by its environment, and ended."""
    pids = desk.state / "pid"
    attempt = desk.start(f"echo $$ >{pids}; exec sleep 60")
    written(pids)
    shutil.rmtree(desk.state / "active")
    other = desk.successor()

    assert other.launcher.adopt(replace(attempt, started=None)) is Adoption.FOLLOWED

    outcome = other.outcome()
    assert (outcome.end, outcome.reason) == (End.LOST, Reason.SUPERVISOR)
    other.launcher.close()


# -- what is lost -----------------------------------------------------------------------------


def test_a_supervisor_that_dies_alone_loses_its_attempt_and_what_is_left_is_ended(
    desk: Desk,
) -> None:
    """So that a run which is started again never runs beside itself."""
    pids = desk.state / "pid"
    attempt = desk.start(f"echo $$ >{pids}; exec sleep 60")
    pid = int(written(pids))
    assert attempt.pid is not None

    os.kill(attempt.pid, signal.SIGKILL)

    outcome = desk.outcome()
    assert (outcome.end, outcome.reason) == (End.LOST, Reason.SUPERVISOR)
    eventually(lambda: not alive(pid))


def test_what_is_left_of_a_lost_attempt_and_ignores_term_is_killed(desk: Desk) -> None:
    """After ``kill_after``."""
    pids = desk.state / "pid"
    attempt = desk.start(
        f"trap '' TERM; echo $$ >{pids}; while :; do sleep 0.05; done", kill_after="0s"
    )
    pid = int(written(pids))
    assert attempt.pid is not None

    os.kill(attempt.pid, signal.SIGKILL)

    assert desk.outcome().end is End.LOST
    eventually(lambda: not alive(pid))


def test_a_group_that_is_killed_as_a_whole_is_lost(desk: Desk) -> None:
    """Nobody knows how it would have ended."""
    attempt = desk.start("sleep 60; :")
    assert attempt.pid is not None
    eventually(lambda: desk.launcher._records.look(attempt.key).pid is not None)

    os.killpg(attempt.pid, signal.SIGKILL)

    assert desk.outcome().end is End.LOST


def test_a_supervisor_that_died_while_no_scheduler_ran_loses_its_attempt(desk: Desk) -> None:
    """Found at the next start."""
    attempt = desk.start("sleep 60; :")
    assert attempt.pid is not None
    eventually(lambda: desk.launcher._records.look(attempt.key).pid is not None)
    other = desk.successor()

    os.killpg(attempt.pid, signal.SIGKILL)
    desk.outcome()

    assert other.launcher.adopt(attempt) is Adoption.LOST
    other.launcher.close()


@pytest.mark.parametrize("survive", [True, False], ids=["supervised", "child"])
def test_an_attempt_of_another_boot_is_lost(desk: Desk, *, survive: bool) -> None:
    """Whatever has its pid now."""
    attempt = desk.order("true", survive=survive).attempt
    attempt = replace(attempt, boot_id="another", pid=os.getpid(), pid_started=1, started=1.0)

    assert desk.launcher.adopt(attempt) is Adoption.LOST


def test_an_attempt_of_another_boot_that_left_its_code_on_disk_has_ended(desk: Desk) -> None:
    """It may have ended long before the host did."""
    attempt = desk.start("exit 4")
    desk.outcome()
    other = desk.successor()

    assert other.launcher.adopt(replace(attempt, boot_id="another")) is Adoption.FOLLOWED

    assert other.outcome().exit_code == 4
    other.launcher.close()


def test_an_attempt_marked_started_without_a_record_is_lost(desk: Desk) -> None:
    """Whereas one that was only ordered was never started."""
    attempt = desk.order("true").attempt

    assert desk.launcher.adopt(attempt) is Adoption.NEVER_STARTED
    assert desk.launcher.adopt(replace(attempt, started=1.0)) is Adoption.LOST


def test_a_record_that_cannot_be_read_now_is_not_a_missing_one(desk: Desk) -> None:
    """Without descriptors nothing is decided."""
    attempt = desk.start("exit 4")
    desk.outcome()
    other = desk.successor()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            other.launcher.adopt(attempt)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert other.launcher.adopt(attempt) is Adoption.FOLLOWED
    assert other.outcome().exit_code == 4
    other.launcher.close()


def test_an_end_that_cannot_be_read_now_is_read_later(desk: Desk) -> None:
    """And the launcher asks to be called again."""
    attempt = desk.start("exit 4")
    eventually(lambda: desk.launcher._records.look(attempt.key).code is not None)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        assert desk.launcher.collect() == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert desk.outcome().exit_code == 4


# -- without a supervisor ---------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False], ids=["pid stored", "no pid stored"])
def test_a_command_without_supervisor_is_ended_when_its_scheduler_died(
    desk: Desk, *, stored: bool
) -> None:
    """It is found by its pid and its start, or by its environment."""
    pids = desk.state / "pid"
    _begin(desk, f"setsid sleep 60 & echo $! >>{pids}; echo $$ >>{pids}; sleep 60", survive=False)
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    left, leader = map(int, pids.read_text().split())
    attempt = desk.order("true", survive=False).attempt
    if stored:
        start = linux.process_start(leader)
        attempt = replace(attempt, pid=leader, pid_started=start, started=1.0)

    assert desk.launcher.adopt(attempt) is Adoption.FOLLOWED

    outcome = desk.outcome()
    assert (outcome.end, outcome.reason) == (End.LOST, Reason.PARENT)
    eventually(lambda: not alive(left) and not alive(leader))


def test_a_command_without_supervisor_is_lost_when_nothing_of_it_is_found(desk: Desk) -> None:
    """It is not started again: it may have run."""
    attempt = desk.order("true", survive=False).attempt

    assert desk.launcher.adopt(attempt) is Adoption.LOST


def test_a_process_that_has_got_an_old_pid_is_left_alone(desk: Desk) -> None:
    """Its start tells it apart."""
    attempt = desk.order("true", survive=False).attempt
    stranger = desk.start(["sleep", "60"], survive=False)
    assert stranger.pid is not None
    assert stranger.pid_started is not None
    attempt = replace(attempt, pid=stranger.pid, pid_started=stranger.pid_started - 1)

    assert desk.launcher.adopt(attempt) is Adoption.LOST
    assert alive(stranger.pid)


# -- records ----------------------------------------------------------------------------------


def test_what_a_command_leaves_behind_does_not_hold_its_record(desk: Desk) -> None:
    """Else a daemon would keep its run alive for ever."""
    attempt = desk.start("sleep 60 >/dev/null 2>&1 & exit 3")
    desk.outcome()

    found = desk.successor().launcher._records.look(attempt.key)

    assert found is not None
    assert (found.held, found.code) == (False, 3)


def test_records_are_used_again_once_their_outcome_is_durable(desk: Desk) -> None:
    """However many runs there are, one record will do for one at a time."""
    for _ in range(5):
        desk.start("true")
        desk.launcher.forget([desk.outcome().key])

    assert len(list((desk.state / "active").iterdir())) == 1


def test_records_left_by_a_dead_scheduler_are_swept(desk: Desk) -> None:
    """All but those of runs without a verdict, and those that are held."""
    ended = desk.start("exit 1")
    desk.outcome()
    kept = desk.start("exit 2")
    desk.outcome()
    running = desk.start(["sleep", "60"])
    other = desk.successor()

    other.launcher.sweep([kept.key])

    records = other.launcher._records
    assert records.look(ended.key) is None
    assert records.look(kept.key) is not None
    assert records.look(running.key) is not None
    other.launcher.close()
