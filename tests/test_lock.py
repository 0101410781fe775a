"""The scheduler's lock between real processes, and the state directory it lies in."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from flytesched import linux, lock
from flytesched.errors import FlyteschedError, SchedulerRunning
from flytesched.lock import SchedulerLock
from flytesched.state_dir import prepare_state_dir
from flytesched.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEGINNING = """
import os, subprocess, sys
from pathlib import Path
from flytesched.clock import SystemClock
from flytesched.errors import FlyteschedError
from flytesched.lock import SchedulerLock
from flytesched.wakeup import Wakeup
state = Path(sys.argv[1])
lock = SchedulerLock(state)
def say(what):
    print(what, flush=True)
"""
#: Takes the lock, and keeps it until it is told to let go.
HOLD = """
lock.acquire(sys.argv[2])
say(os.getpid())
sys.stdin.readline()
lock.release()
say("released")
"""
#: Takes the lock as a command does, and lets go when a scheduler asks for it.
OBLIGE = """
wakeup = Wakeup(state, [])
clock = SystemClock()
clock.watch(wakeup.fileno())
lock.acquire("command")
say(os.getpid())
while not lock.wanted():
    clock.wait(None)
    wakeup.drain()
lock.release()
say("handed over")
"""
#: Tries to take the lock, and says how that went.
TRY = """
try:
    lock.acquire(sys.argv[2])
    say("got it")
    sys.stdin.readline()
except FlyteschedError as error:
    say(f"{error.exit_code} {error.message}")
"""


class Others:
    """Other processes that work with the same lock."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._all: list[subprocess.Popen[str]] = []

    def start(self, program: str, kind: str = "run") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BEGINNING + program, str(self._state), kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._all.append(process)
        return process

    def hold(self, kind: str = "run", program: str = HOLD) -> subprocess.Popen[str]:
        """Start a process, and return once it holds the lock."""
        process = self.start(program, kind)
        assert said(process) == str(process.pid)
        return process

    def end(self) -> None:
        for process in self._all:
            process.kill()
            process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process says."""
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory."""
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def others(state: Path) -> Iterator[Others]:
    """Other processes, ended at the end."""
    made = Others(state)
    yield made
    made.end()


# -- one holder -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["run", "command"])
def test_a_second_scheduler_or_command_is_told_the_pid_of_the_first(
    state: Path, others: Others, kind: lock.Kind
) -> None:
    first = others.hold("run")
    with pytest.raises(SchedulerRunning, match=f"another scheduler holds .* pid {first.pid}$"):
        SchedulerLock(state).acquire(kind)


def test_a_command_is_told_of_a_command(state: Path, others: Others) -> None:
    first = others.hold("command")
    with pytest.raises(SchedulerRunning, match=f"another command holds .* pid {first.pid}$"):
        SchedulerLock(state).acquire("command")


def test_of_six_processes_at_once_one_gets_the_lock(others: Others) -> None:
    tries = [others.start(TRY) for _ in range(6)]
    answers = sorted(said(process)[:6] for process in tries)
    assert answers == ["6 anot"] * 5 + ["got it"]


def test_what_was_released_can_be_taken(state: Path, others: Others) -> None:
    first = others.hold()
    first.communicate("let go\n")
    mine = SchedulerLock(state)
    mine.acquire("run")
    mine.release()


def test_releasing_what_is_not_held_does_nothing(state: Path) -> None:
    SchedulerLock(state).release()
    assert list(state.iterdir()) == []


def test_a_killed_holder_frees_the_lock_though_what_it_wrote_stays(
    state: Path, others: Others
) -> None:
    first = others.hold()
    kill(first)
    assert json.loads((state / "scheduler.json").read_text())["pid"] == first.pid
    mine = SchedulerLock(state)
    assert mine.holder() is None
    mine.acquire("command")
    mine.release()


def test_a_holder_whose_lock_file_was_removed_is_given_way_to(state: Path, others: Others) -> None:
    """Whoever takes the new file lets go of it again."""
    first = others.hold()
    (state / "scheduler.lock").unlink()
    with pytest.raises(SchedulerRunning, match=f"pid {first.pid}$"):
        SchedulerLock(state).acquire("run")
    first.communicate("let go\n")
    mine = SchedulerLock(state)
    mine.acquire("run")
    mine.release()


def test_a_holder_that_was_robbed_leaves_the_note_of_the_next_one(
    state: Path, others: Others
) -> None:
    """Otherwise nobody could tell any more that there is a scheduler."""
    first = SchedulerLock(state)
    first.acquire("run")
    for name in ("scheduler.lock", "scheduler.json"):
        (state / name).unlink()
    second = others.hold()
    first.release()
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert (holder.pid, holder.kind) == (second.pid, "run")


def test_processes_that_a_holder_started_do_not_keep_the_lock(state: Path, others: Others) -> None:
    program = (
        'lock.acquire("run"); job = subprocess.Popen(["sleep", "60"], close_fds=False)\n'
        "say(os.getpid()); say(job.pid); sys.stdin.readline()"
    )
    first = others.hold(program=program)
    job = int(said(first))
    try:
        kill(first)
        assert linux.process_start(job) is not None
        mine = SchedulerLock(state)
        mine.acquire("run")
        mine.release()
    finally:
        os.kill(job, signal.SIGKILL)


# -- who holds it ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["run", "command"])
def test_the_holder_is_known_with_pid_kind_and_since_when(
    state: Path, others: Others, kind: str
) -> None:
    before = time.time()
    first = others.hold(kind)
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert (holder.pid, holder.kind) == (first.pid, kind)
    # Files are stamped by the kernel's tick, a few milliseconds behind the clock.
    assert before - 0.1 < holder.since <= time.time()
    assert holder.lives()


def test_since_when_does_not_move_when_others_try(state: Path, others: Others) -> None:
    others.hold()
    before = SchedulerLock(state).holder()
    with pytest.raises(SchedulerRunning):
        SchedulerLock(state).acquire("run")
    assert SchedulerLock(state).holder() == before


def test_nobody_holds_a_lock_that_never_was(state: Path) -> None:
    assert SchedulerLock(state).holder() is None
    assert SchedulerLock(state / "missing").holder() is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"pid": 1}', "\x00\xff", "[" * 9000, "9" * 5000],
    ids=lambda text: text[:9],
)  # fmt: skip
def test_a_holder_is_noticed_though_what_stands_beside_the_lock_is_rubbish(
    state: Path, others: Others, text: str
) -> None:
    others.hold()
    (state / "scheduler.json").write_text(text)
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert (holder.pid, holder.kind) == (0, "unknown")
    with pytest.raises(SchedulerRunning, match="another process holds the scheduler's lock"):
        SchedulerLock(state).acquire("command")


@pytest.mark.parametrize(
    "changes",
    [
        {"started": 1}, {"started": None, "pid": 2**22 + 1}, {"boot_id": "another"}, {"pid": 0},
        {"pid": "1"}, {"pid": None}, {"started": "1"}, {"kind": []}, {"kind": "king"},
        {"since": "x"}, {"since": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_a_pid_that_was_given_away_again_is_not_taken_for_the_holder(
    state: Path, others: Others, changes: dict[str, object]
) -> None:
    others.hold()
    beside = state / "scheduler.json"
    beside.write_text(json.dumps(json.loads(beside.read_text()) | changes))
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert holder.pid == 0


@pytest.mark.parametrize("name", ["scheduler.json", "scheduler.want"])
def test_nobody_waits_for_a_pipe_where_a_note_should_be(
    state: Path, others: Others, name: str
) -> None:
    others.hold()
    (state / name).unlink(missing_ok=True)
    os.mkfifo(state / name)
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert not SchedulerLock(state).wanted()


def test_looking_who_holds_the_lock_never_keeps_anybody_from_taking_it(state: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            SchedulerLock(state).holder()

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(30):
            mine = SchedulerLock(state)
            mine.acquire("command")
            mine.release()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_its_files_are_for_nobody_else_whatever_the_umask(state: Path) -> None:
    old = os.umask(0)
    try:
        mine = SchedulerLock(state)
        mine.acquire("run")
    finally:
        os.umask(old)
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in state.iterdir()}
    assert modes == {"scheduler.lock": "0o600", "scheduler.json": "0o600"}
    mine.release()
    assert [file.name for file in state.iterdir()] == ["scheduler.lock"]


# -- heartbeat ------------------------------------------------------------------------------


def test_a_beat_is_seen_and_leaves_what_is_written_readable(state: Path) -> None:
    mine = SchedulerLock(state)
    mine.acquire("run")
    os.utime(state / "scheduler.json", (1, 1))
    before = mine.holder()
    mine.beat()
    after = mine.holder()
    assert before is not None
    assert after is not None
    assert before.heartbeat == 1
    assert after.heartbeat >= after.since
    assert (after.pid, after.since) == (os.getpid(), before.since)
    mine.release()


def test_a_beat_is_no_news_to_a_loop_whose_manifest_lies_in_the_state_directory(
    state: Path,
) -> None:
    """It would wake itself for ever."""
    mine = SchedulerLock(state)
    mine.acquire("run")
    wakeup = Wakeup(state, [state])
    while select.select([wakeup.fileno()], [], [], 0)[0]:
        wakeup.drain()
    mine.beat()
    assert not select.select([wakeup.fileno()], [], [], 0)[0]
    wakeup.close()
    mine.release()


def test_without_the_lock_there_is_no_heartbeat(state: Path) -> None:
    mine = SchedulerLock(state)
    mine.beat()
    mine.acquire("run")
    mine.release()
    mine.beat()
    assert [file.name for file in state.iterdir()] == ["scheduler.lock"]


# -- hand-over ------------------------------------------------------------------------------


def test_a_command_hands_the_lock_over_to_a_scheduler(state: Path, others: Others) -> None:
    command = others.hold("command", OBLIGE)
    mine = SchedulerLock(state)
    mine.acquire("run")
    assert said(command) == "handed over"
    holder = mine.holder()
    assert holder is not None
    assert (holder.pid, holder.kind) == (os.getpid(), "run")
    assert not (state / "scheduler.want").exists()
    mine.release()


def test_a_command_that_never_lets_go_is_named(
    state: Path, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five seconds of patience are the product's; the test has less.
    monkeypatch.setattr(lock, "_HAND_OVER", 0.2)
    command = others.hold("command")
    with pytest.raises(SchedulerRunning, match=f"another command .* pid {command.pid}$"):
        SchedulerLock(state).acquire("run")
    assert not (state / "scheduler.want").exists()


def test_a_scheduler_is_never_asked_to_let_go(state: Path, others: Others) -> None:
    others.hold("run")
    wake = state / "wake"
    wake.touch()
    os.utime(wake, (1, 1))
    with pytest.raises(SchedulerRunning):
        SchedulerLock(state).acquire("run")
    assert wake.stat().st_mtime == 1


def test_the_wish_of_a_scheduler_that_was_killed_is_void(state: Path, others: Others) -> None:
    others.hold("command")
    asker = others.start(TRY, "run")
    mine = SchedulerLock(state)
    while not mine.wanted():
        assert asker.poll() is None
        time.sleep(0.005)
    kill(asker)
    assert (state / "scheduler.want").exists()
    assert not mine.wanted()


def test_nobody_wants_a_lock_by_default(state: Path) -> None:
    assert not SchedulerLock(state).wanted()


# -- trouble --------------------------------------------------------------------------------


def a_directory(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [a_directory, a_link, a_loop])
def test_a_lock_file_that_is_none_is_refused_in_one_sentence(
    state: Path, make: Callable[[Path], None]
) -> None:
    make(state / "scheduler.lock")
    with pytest.raises(FlyteschedError, match=r"^cannot use .*scheduler\.lock: [A-Z].*") as raised:
        SchedulerLock(state).acquire("run")
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("make", [a_link, a_loop])
def test_a_lock_file_that_is_a_link_is_not_looked_at(
    state: Path, make: Callable[[Path], None]
) -> None:
    make(state / "scheduler.lock")
    with pytest.raises(FlyteschedError, match="Too many levels of symbolic links"):
        SchedulerLock(state).holder()


NO_ROOM = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
"""


def test_without_room_on_the_disk_the_lock_still_holds(state: Path, others: Others) -> None:
    first = others.hold(program=NO_ROOM + HOLD)
    assert [file.name for file in state.iterdir()] == ["scheduler.lock"]
    holder = SchedulerLock(state).holder()
    assert holder is not None
    assert holder.kind == "unknown"
    assert first.poll() is None


def test_without_room_to_ask_a_scheduler_says_so(state: Path, others: Others) -> None:
    others.hold("command")
    answer = said(others.start(NO_ROOM + TRY, "run"))
    assert answer.startswith(f"1 cannot use {state}/scheduler.want: File too large")
    assert not list(state.glob(".scheduler*"))


def test_commands_that_only_look_do_not_pay_for_filelock(state: Path) -> None:
    program = BEGINNING + "lock.holder(); say('filelock' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program, str(state)], capture_output=True, text=True, check=True
    )
    assert found.stdout == "False\n"


# -- the state directory --------------------------------------------------------------------


def test_a_missing_state_directory_is_made_for_us_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    old = os.umask(0o277)
    try:
        (tmp_path / "a").mkdir(mode=0o700)
        (tmp_path / "a").chmod(0o700)
        prepare_state_dir(path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o700


def test_the_directories_above_it_are_made_too(tmp_path: Path) -> None:
    prepare_state_dir(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_one_that_is_there_is_left_as_it_is(state: Path) -> None:
    state.chmod(0o750)
    prepare_state_dir(state)
    assert state.stat().st_mode & 0o777 == 0o750


def test_a_link_to_a_directory_is_followed(state: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(state)
    prepare_state_dir(tmp_path / "link")


def a_file(path: Path) -> None:
    path.write_text("")


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere/at/all")


def writable_by_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def writable_by_a_group(path: Path) -> None:
    path.mkdir()
    path.chmod(0o770)


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_file, "is not a directory"),
        (a_loop, "is not a directory"),
        (a_dangling_link, "is not a directory"),
        (below_a_file, "Not a directory"),
        (writable_by_all, "can be written by others"),
        (writable_by_a_group, "can be written by others"),
    ],
)
def test_a_state_directory_that_cannot_be_trusted_is_refused_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "above" / "state"
    path.parent.mkdir()
    make(path)
    with pytest.raises(FlyteschedError, match=said) as raised:
        prepare_state_dir(path)
    assert str(path) in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_state_directory_of_another_user_is_refused(state: Path) -> None:
    os.chown(state, 65534, 65534)
    with pytest.raises(FlyteschedError, match="belongs to another user"):
        prepare_state_dir(state)


def test_a_network_file_system_is_refused_unless_forced(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A test machine has no network file system to mount.
    monkeypatch.setattr(linux, "network_filesystem", lambda _: "nfs4")
    with pytest.raises(FlyteschedError, match=r"network file system \(nfs4\)"):
        prepare_state_dir(state)
    prepare_state_dir(state, force=True)


MOUNTED = """
from flytesched.state_dir import prepare_state_dir
try:
    prepare_state_dir(state)
    lock.acquire("run")
    say("got it")
except FlyteschedError as error:
    say(error.message)
"""


@pytest.mark.parametrize(
    ("options", "answer"),
    [("ro,mode=700", "cannot be written"), ("nr_inodes=1,mode=700", "No space left on device")],
)
def test_a_read_only_or_full_file_system_is_said_in_one_sentence(
    state: Path, options: str, answer: str
) -> None:
    """A mount in a name space of its own, where that is allowed."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("no mount name spaces here")
    script = 'mount -t tmpfs -o "$1" none "$2" && exec "$3" -c "$4" "$2"'
    words = [options, str(state), sys.executable, BEGINNING + MOUNTED]
    found = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *words], capture_output=True, text=True
    )
    assert found.stderr == ""
    assert found.stdout.count("\n") == 1
    assert answer in found.stdout
    assert str(state) in found.stdout
