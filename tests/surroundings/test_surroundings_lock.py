"""The scheduler's lock among many: hand-over without a race, and files that are none."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from flytesched import linux
from flytesched.errors import FlyteschedError, SchedulerRunning
from flytesched.lock import SchedulerLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEGINNING = """
import sys
from pathlib import Path
from flytesched.clock import sleep
from flytesched.errors import FlyteschedError, SchedulerRunning
from flytesched.lock import SchedulerLock
lock = SchedulerLock(Path(sys.argv[1]))
def say(what):
    print(what, flush=True)
"""
#: What a command does that sees its runs through: be the starter whenever nobody else is.
INSIST = """
said = False
while True:
    try:
        lock.acquire("command")
    except SchedulerRunning:
        sleep(0.05)
        continue
    if not said:
        say("holds")
        said = True
    while not lock.wanted():
        sleep(0.01)
    lock.release()
"""
#: Takes the lock as a scheduler, keeps it, and says how that went.
TRY = """
try:
    lock.acquire("run")
    say("got it")
    sys.stdin.readline()
except FlyteschedError as error:
    say(f"{error.exit_code} {error.message}")
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start programs that work with the same lock; they are ended at the end."""
    running: list[subprocess.Popen[str]] = []

    def one(program: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", BEGINNING + program, str(tmp_path)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True))
        return running[-1]

    yield one
    for process in running:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process says."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def test_a_scheduler_gets_the_lock_from_a_command_that_takes_it_again_at_once(
    tmp_path: Path, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    """A command that has let go looks again whether anybody is there, long before a retry."""
    command = start(INSIST)
    assert said(command) == "holds"
    mine = SchedulerLock(tmp_path)
    mine.acquire("run")
    assert command.poll() is None
    mine.release()


def test_a_command_stands_back_while_a_scheduler_asks(
    tmp_path: Path, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    """Though the lock is free at this moment; and no longer than the scheduler lives."""
    asker = start("say('here'); sys.stdin.readline()")
    assert said(asker) == "here"
    wish = {"pid": asker.pid, "started": linux.process_start(asker.pid), "kind": "run"}
    (tmp_path / "scheduler.want").write_text(json.dumps(wish | {"boot_id": linux.boot_id()}))
    mine = SchedulerLock(tmp_path)
    with pytest.raises(SchedulerRunning):
        mine.acquire("command")
    asker.kill()
    asker.wait()
    mine.acquire("command")
    mine.release()


def test_of_two_schedulers_that_ask_a_command_one_is_told_of_the_other(
    start: Callable[[str], subprocess.Popen[str]],
) -> None:
    """The loser asks nobody any more once a scheduler holds the lock."""
    assert said(start(INSIST)) == "holds"
    rivals = {process.pid: process for process in (start(TRY), start(TRY))}
    answers = {said(process): pid for pid, process in rivals.items()}
    winner = answers.pop("got it")
    assert list(answers) == [f"6 another scheduler holds the lock: pid {winner}"]


def test_looking_at_a_lock_that_is_a_pipe_does_not_hang(
    tmp_path: Path, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    os.mkfifo(tmp_path / "scheduler.lock")
    assert said(start("say(lock.holder())")) == "None"


def test_a_disk_without_locks_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (tmp_path / "scheduler.lock").touch()
    # No file system here refuses flock(2).
    monkeypatch.setattr(fcntl, "flock", refuse)
    for use in (lambda lock: lock.holder(), lambda lock: lock.acquire("run")):
        with pytest.raises(FlyteschedError, match=r"^cannot use .*: No locks available$"):
            use(SchedulerLock(tmp_path))


def test_a_holder_that_cannot_be_written_down_holds_the_lock_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "scheduler.json").mkdir()
    mine = SchedulerLock(tmp_path)
    mine.acquire("run")
    mine.beat()
    holder = SchedulerLock(tmp_path).holder()
    assert holder is not None
    assert holder.kind == "unknown"
    mine.release()
    assert SchedulerLock(tmp_path).holder() is None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["scheduler.json", "scheduler.lock"]


def test_a_scheduler_that_cannot_ask_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "scheduler.want").mkdir()
    mine = SchedulerLock(tmp_path)
    mine.acquire("command")
    with pytest.raises(FlyteschedError, match=r"^cannot use .*scheduler\.want: Is a directory$"):
        SchedulerLock(tmp_path).acquire("run")
    assert not list(tmp_path.glob(".scheduler*"))
    mine.release()
