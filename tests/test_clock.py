"""The system's clock: exact waiting, news, signals, and sleep without a tick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flytesched import clock as clock_module
from flytesched.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Far enough away that a test which waits for it has failed.
FAR = 3600.0


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    """A clock with the real timer."""
    made = SystemClock()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe's ends, to read from and to write to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def descriptors() -> set[str]:
    """Return the descriptors that are open."""
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


class ScriptedTimer:
    """A timer that goes off when told to, because a test may not set the machine's clock."""

    def __init__(self) -> None:
        self.asked: list[float | None] = []
        self.was_set = False
        self.set_while_waiting = False
        self._fd = os.eventfd(0, os.EFD_NONBLOCK)

    def go_off(self, *, was_set: bool = False) -> None:
        self.was_set = was_set
        os.eventfd_write(self._fd, 1)

    def fileno(self) -> int:
        return self._fd

    def set(self, moment: float | None) -> bool:
        self.asked.append(moment)
        if self.set_while_waiting:
            self.go_off(was_set=True)
            return False
        was_set, self.was_set = self.was_set, False
        return was_set

    def read(self) -> bool:
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            return False
        was_set, self.was_set = self.was_set, False
        return was_set

    def close(self) -> None:
        os.close(self._fd)


@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.001, 0.0123, 0.05])
def test_waiting_never_ends_early(clock: SystemClock, seconds: float) -> None:
    for _ in range(5):
        until = clock.now() + seconds
        clock.wait(until)
        assert clock.now() >= until


def test_a_moment_that_has_passed_is_not_waited_for(clock: SystemClock) -> None:
    clock.wait(clock.now() - 5)


def test_now_is_the_wall_clock(clock: SystemClock) -> None:
    before = time.time()
    assert before <= clock.now() <= time.time()
    assert before <= clock_module.now() <= time.time()


def test_what_is_watched_ends_the_waiting(clock: SystemClock, pipe: tuple[int, int]) -> None:
    clock.watch(pipe[0])
    threading.Timer(0.02, os.write, (pipe[1], b"news")).start()
    clock.wait(None)
    assert os.read(pipe[0], 10) == b"news"


def test_news_that_nobody_has_taken_stays_news(clock: SystemClock, pipe: tuple[int, int]) -> None:
    clock.watch(pipe[0])
    os.write(pipe[1], b"x")
    for _ in range(3):
        clock.wait(clock.now() + FAR)


def test_what_is_no_longer_watched_is_no_news(clock: SystemClock, pipe: tuple[int, int]) -> None:
    clock.watch(pipe[0])
    os.write(pipe[1], b"x")
    clock.unwatch(pipe[0])
    until = clock.now() + 0.02
    clock.wait(until)
    assert clock.now() >= until


# -- signals --------------------------------------------------------------------------------


def test_a_signal_ends_the_waiting_and_is_told_once(clock: SystemClock) -> None:
    clock.catch([signal.SIGUSR1])
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    clock.wait(None)
    assert clock.signals() == [signal.SIGUSR1]
    assert clock.signals() == []


def test_a_signal_before_the_waiting_is_not_slept_through(clock: SystemClock) -> None:
    clock.catch([signal.SIGUSR1, signal.SIGUSR2])
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    clock.wait(None)
    assert clock.signals() == [signal.SIGUSR1, signal.SIGUSR2]


def test_without_catching_there_are_no_signals(clock: SystemClock) -> None:
    assert clock.signals() == []


def test_signals_of_others_are_not_told(clock: SystemClock) -> None:
    """Every Python handler of the process writes to the same wake-up descriptor."""
    old = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        clock.catch([signal.SIGUSR1])
        os.kill(os.getpid(), signal.SIGUSR2)
        clock.wait(None)
        assert clock.signals() == []
    finally:
        signal.signal(signal.SIGUSR2, old)


def test_closing_puts_handlers_back() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    clock = SystemClock()
    clock.catch([signal.SIGUSR1])
    assert signal.getsignal(signal.SIGUSR1) != before
    clock.close()
    assert signal.getsignal(signal.SIGUSR1) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_closed_clock_leaves_no_descriptors() -> None:
    before = descriptors()
    clock = SystemClock()
    clock.catch([signal.SIGUSR1])
    clock.close()
    assert descriptors() == before


# -- a clock that is set --------------------------------------------------------------------


def test_a_clock_that_is_set_while_waiting_is_news() -> None:
    timer = ScriptedTimer()
    clock = SystemClock(timer=timer, read=lambda: 1000.0)
    timer.set_while_waiting = True
    clock.wait(1000.0 + FAR)
    assert timer.asked == [1000.0 + FAR]
    clock.close()


def test_a_clock_that_is_set_between_two_waits_is_news() -> None:
    timer = ScriptedTimer()
    clock = SystemClock(timer=timer, read=lambda: 1000.0)
    timer.was_set = True
    clock.wait(None)
    assert timer.asked == [None]
    clock.close()


def test_a_timer_that_is_early_by_the_wall_clock_is_set_again() -> None:
    timer = ScriptedTimer()
    told = iter([999.0, 999.5, 1000.0])

    def read() -> float:
        timer.go_off()
        return next(told)

    clock = SystemClock(timer=timer, read=read)
    clock.wait(1000.0)
    assert timer.asked == [1000.0, 1000.0]
    clock.close()


# -- no tick --------------------------------------------------------------------------------

SLEEPER = """
import sys
from flytesched.clock import SystemClock
clock = SystemClock()
print("sleeping", flush=True)
clock.wait({until})
"""


@pytest.mark.parametrize("until", ["None", "clock.now() + 3600"])
def test_with_nothing_to_do_the_process_is_not_woken(until: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER.format(until=until)], stdout=subprocess.PIPE, text=True
    ) as sleeper:
        assert sleeper.stdout
        assert sleeper.stdout.readline() == "sleeping\n"
        _until_asleep(sleeper.pid)
        before = _switches(sleeper.pid)
        time.sleep(1.5)
        woken = _switches(sleeper.pid) - before
        sleeper.kill()
    assert woken <= 1


def _until_asleep(pid: int) -> None:
    """Return once the process sits in epoll_wait(2)."""
    quiet, seen = 0, -1
    while quiet < 5:
        time.sleep(0.02)
        now = _switches(pid)
        quiet, seen = (quiet + 1 if now == seen else 0), now


def _switches(pid: int) -> int:
    """Return how often a process went to sleep so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("voluntary")]
    return int(line.split()[1])


def test_a_process_that_was_stopped_meanwhile_still_waits_its_time() -> None:
    program = SLEEPER.format(until="float(sys.argv[1])") + "print(clock.now())"
    until = time.time() + 0.8
    with subprocess.Popen(
        [sys.executable, "-c", program, str(until)], stdout=subprocess.PIPE, text=True
    ) as sleeper:
        assert sleeper.stdout
        sleeper.stdout.readline()
        for _ in range(3):
            sleeper.send_signal(signal.SIGSTOP)
            time.sleep(0.01)
            sleeper.send_signal(signal.SIGCONT)
        assert float(sleeper.stdout.readline()) >= until


def test_sleep_and_monotonic_are_for_commands_that_look_again() -> None:
    before = clock_module.monotonic()
    clock_module.sleep(0.01)
    assert clock_module.monotonic() - before >= 0.01


def test_uptime_is_the_kernels_and_goes_on() -> None:
    """Of a clock that counts suspends and that nobody sets."""
    clock = SystemClock()
    kernel = float(Path("/proc/uptime").read_text().split()[0])
    first, second = clock.uptime(), clock.uptime()
    clock.close()

    assert kernel - 0.02 <= first <= second
