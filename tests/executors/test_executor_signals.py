"""Ending attempts: every process of them, and no other."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from executors_desk import alive, eventually, written

from flytesched import linux
from flytesched.core.runs import AttemptKey
from flytesched.executors.session import Marks, Process, Session, send

if TYPE_CHECKING:
    from executors_desk import Desk

BOTH = pytest.mark.parametrize("survive", [True, False], ids=["supervised", "child"])
#: Each writes its pid to the file PID and then stays, in the ways that processes get out of sight.
STAYING = {
    "in the foreground": "echo $$ >PID; exec sleep 60",
    "in the background": "sleep 60 & echo $! >PID; wait",
    "left by its parent": "(sleep 60 & echo $! >PID); sleep 60",
    "in a session of its own": "setsid sh -c 'echo $$ >PID; exec sleep 60' & sleep 60",
    "a daemon": "(setsid sh -c '(echo $$ >PID; exec sleep 60) &' &); sleep 60",
    "stopped": "sh -c 'echo $$ >PID; kill -STOP $$; sleep 60' & wait",
}


@BOTH
@pytest.mark.parametrize("command", STAYING.values(), ids=STAYING.keys())
def test_terminate_reaches_every_process_of_an_attempt(
    desk: Desk, command: str, *, survive: bool
) -> None:
    """Wherever it has gone."""
    pids = desk.state / "pid"
    attempt = desk.start(command.replace("PID", str(pids)), survive=survive)
    pid = int(written(pids))

    desk.launcher.terminate(attempt.key)

    assert desk.outcome().exit_code == 143
    eventually(lambda: not alive(pid))


@BOTH
def test_what_ignores_term_is_ended_by_kill_and_noted_as_137(desk: Desk, *, survive: bool) -> None:
    """By the supervisor, which KILL spares, or by wait."""
    ready = desk.state / "ready"
    attempt = desk.start(
        f"trap '' TERM; echo x >{ready}; while :; do sleep 0.05; done", survive=survive
    )
    written(ready)

    desk.launcher.terminate(attempt.key)
    assert desk.launcher.collect() == []
    desk.launcher.kill(attempt.key)

    assert desk.outcome().exit_code == 137


@BOTH
def test_an_attempt_told_to_end_has_ended_when_nothing_of_it_is_left(
    desk: Desk, *, survive: bool
) -> None:
    """Its command may be quicker than what it started."""
    pids = desk.state / "pid"
    stubborn = f"trap '' TERM; echo $$ >{pids}; while :; do sleep 0.05; done"
    attempt = desk.start(f'setsid sh -c "{stubborn}" & sleep 60', survive=survive)
    pid = int(written(pids).replace("$$", ""))
    sleeper = attempt.pid
    assert sleeper is not None

    desk.launcher.terminate(attempt.key)
    eventually(lambda: not alive(sleeper))
    assert desk.launcher.collect() == []
    desk.launcher.kill(attempt.key)

    assert desk.outcome().exit_code == 143
    eventually(lambda: not alive(pid))


@BOTH
def test_what_an_attempt_leaves_behind_when_it_ends_by_itself_is_left_alone(
    desk: Desk, *, survive: bool
) -> None:
    """It may be a daemon that was started on purpose."""
    outcome, log = desk.run("sleep 60 >/dev/null 2>&1 & echo $!", survive=survive)

    assert outcome.exit_code == 0
    assert alive(int(log))


def test_other_attempts_are_left_alone(desk: Desk) -> None:
    """Even of the same run."""
    first = desk.start(["sleep", "60"])
    second = desk.start(["sleep", "60"], run={"id": "sched-job-1", "attempt": 2})

    desk.launcher.terminate(first.key)

    assert desk.outcome().key == first.key
    assert second.pid is not None
    assert alive(second.pid)


def test_signals_to_what_is_not_followed_do_nothing(desk: Desk) -> None:
    """It may have ended a moment ago."""
    desk.launcher.terminate(AttemptKey("sched-job-9", 1))
    desk.launcher.kill(AttemptKey("sched-job-9", 1))


def test_a_process_that_took_over_a_pid_gets_no_signal(desk: Desk) -> None:
    """A pid names a process only together with its start."""
    attempt = desk.start(["sleep", "60"], survive=False)
    assert attempt.pid is not None
    start = linux.process_start(attempt.pid)
    assert start is not None

    assert not send(Process(attempt.pid, start - 1), signal.SIGKILL)
    assert alive(attempt.pid)
    assert send(Process(attempt.pid, start), signal.SIGKILL)


def test_a_session_id_alone_proves_nothing_once_its_leader_is_gone(desk: Desk) -> None:
    """A new session may have got the number."""
    attempt = desk.start(["sleep", "60"], survive=False)
    stranger = Session(leader=attempt.pid, marks=Marks("sched-other-1", 1, str(desk.state)))

    assert [p.pid for p in stranger.processes(leader_lives=True)] == [attempt.pid]
    assert stranger.processes(leader_lives=False) == []


def test_marks_that_say_nothing_stand_in_no_environment() -> None:
    """Every process of the machine would be of that attempt."""
    assert not Marks("", 0, "").stand_in(b"\0PATH=/bin\0HOME=/root\0")
    assert not Marks("", 0, "").stand_in(b"")


def test_the_scheduler_is_never_among_the_processes_of_an_attempt() -> None:
    """Though it may have been started by a run of another scheduler."""
    mine = Session(leader=os.getsid(0), marks=Marks("no", 1, "/such"))

    found = [process.pid for process in mine.processes(leader_lives=True)]

    assert os.getpid() not in found
