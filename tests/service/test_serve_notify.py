"""What `flytesched run` tells a service manager, over a real socket."""

from __future__ import annotations

import signal
import socket
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from desk import Desk, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

GOOD = '[schedules.x]\nevery = "1h"\ncommand = "true"\n'
BROKEN = "[schedules.x\n"


class Manager:
    """A service manager that listens, and remembers what it heard."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self.heard: list[str] = []
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(address))
        self._ear.settimeout(60)

    def hear(self, beginning: str) -> str:
        """Return the next message that begins so; the patience is for broken programs."""
        while True:
            message = self._ear.recv(65536).decode()
            self.heard.append(message)
            if message.startswith(beginning):
                return message

    def close(self) -> None:
        self._ear.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Give a manager with an address that a socket can have."""
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def start(desk: Desk, manager: Manager, until: str = " ready", **more: str) -> object:
    """Start the scheduler for this manager."""
    return desk.start(until=until, more={"NOTIFY_SOCKET": str(manager.address), **more})


def test_a_start_on_a_broken_manifest_is_ready_once_it_is_mended(
    desk: Desk, manager: Manager
) -> None:
    """READY means that slots are decided; until then STATUS says what is waited for."""
    desk.write(BROKEN)
    start(desk, manager, until="not readable")
    said = manager.hear("STATUS=waiting")
    assert str(desk.manifest) in said
    assert "READY=1" not in manager.heard
    desk.write(GOOD)
    manager.hear("READY=1")
    assert manager.hear("STATUS=") == "STATUS=1 schedule, 0 running"


def test_a_reload_of_a_broken_manifest_ends_and_says_so(desk: Desk, manager: Manager) -> None:
    """Otherwise `systemctl reload` would wait for READY until it gives up."""
    desk.write(GOOD)
    loop = desk.start(more={"NOTIFY_SOCKET": str(manager.address)})
    manager.hear("STATUS=1 schedule")
    desk.write(BROKEN)
    said = manager.hear("STATUS=1 schedule, 0 running; the manifest is broken")
    assert "the last good one is in force" in said
    for _ in range(2):
        loop.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in manager.hear("RELOADING=1")
        manager.hear("READY=1")
    desk.write(GOOD)
    assert manager.hear("STATUS=1 schedule, 0 running") == "STATUS=1 schedule, 0 running"


def test_a_status_quotes_one_fault_of_many(desk: Desk, manager: Manager) -> None:
    """More than a datagram holds would not be said at all."""
    desk.write("".join(f'[schedules.s{n}]\nevery = "often"\n' for n in range(5000)))
    start(desk, manager, until="not readable")
    assert manager.hear("STATUS=waiting").count("schedules.toml:") == 1


def test_a_stop_asks_for_the_time_that_it_may_take(desk: Desk, manager: Manager) -> None:
    """`shutdown_grace` may be edited after the unit was made, and while the loop turns."""
    desk.write(GOOD)
    loop = desk.start(more={"NOTIFY_SOCKET": str(manager.address)})
    manager.hear("STATUS=1 schedule,")
    desk.write('[settings]\nshutdown_grace = "10m"\n[schedules]\n')
    manager.hear("STATUS=0 schedules,")
    loop.send_signal(signal.SIGTERM)
    said = manager.hear("STOPPING=1")
    assert said == "STOPPING=1\nEXTEND_TIMEOUT_USEC=690000000"


def test_the_watchdog_is_told_while_nothing_can_be_written(desk: Desk, manager: Manager) -> None:
    """A restart would find the same run log: it would help nobody."""
    desk.write('[schedules.x]\nevery = "1s"\ncommand = "true"\n')
    start(desk, manager, WATCHDOG_USEC="400000")
    with sqlite3.connect(desk.home / "state" / "runs.db", isolation_level=None) as outsider:
        outsider.execute("BEGIN EXCLUSIVE")
        wait_for("complaint", lambda: "not writable" in desk.loop_log())
        for _ in range(3):
            manager.hear("WATCHDOG=1")
        outsider.execute("ROLLBACK")
    outsider.close()


#: The program, with a wall clock that is an hour behind once a file is there.
SET_BACK = """
import os, sys, time
real = time.time
time.time = lambda: real() - 3600 * os.path.exists("set-back")
from flytesched.__main__ import main
sys.exit(main())
"""


def test_the_watchdog_is_told_while_the_clock_is_behind(tmp_path: Path, manager: Manager) -> None:
    """A clock that was set back an hour must not put the next word off by an hour."""
    desk = Desk([sys.executable, "-c", SET_BACK], tmp_path)
    desk.write(GOOD)
    more = {"NOTIFY_SOCKET": str(manager.address), "WATCHDOG_USEC": "400000"}
    loop = desk.start(more=more)
    try:
        manager.hear("WATCHDOG=1")
        (tmp_path / "set-back").touch()
        loop.send_signal(signal.SIGHUP)  # the kernel would tell of a clock that was set
        manager.hear("RELOADING=1")
        for _ in range(3):
            manager.hear("WATCHDOG=1")
    finally:
        desk.clear()


def test_a_locked_run_log_is_named_while_it_is_waited_for(desk: Desk, manager: Manager) -> None:
    """Before the loop turns for the first time."""
    desk.write(GOOD)
    desk.run("run", "--once")
    with sqlite3.connect(desk.home / "state" / "runs.db", isolation_level=None) as outsider:
        outsider.execute("PRAGMA locking_mode = EXCLUSIVE")
        outsider.execute("BEGIN EXCLUSIVE")
        start(desk, manager, until="not usable yet")
        assert "runs.db" in manager.hear("STATUS=waiting for the run log")
    outsider.close()
    manager.hear("READY=1")
