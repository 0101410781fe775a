"""Telling the service manager: real sockets, and nobody is ever hurt."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from flytesched import notify
from flytesched.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def monotonic() -> float:
    return 12.5


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A socket's address as NOTIFY_SOCKET has it."""
    if request.param == "abstract":
        return f"@flytesched-test-{os.getpid()}-{id(request)}"
    return str(tmp_path / "notify")


@pytest.fixture
def manager(address: str) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        ear.setblocking(False)
        yield ear


@pytest.fixture
def notifier(address: str, manager: socket.socket) -> Notifier:
    """A notifier with somebody to tell."""
    assert manager.fileno() >= 0
    return Notifier.from_environ({"NOTIFY_SOCKET": address}, monotonic)


def heard(manager: socket.socket) -> list[str]:
    """Return all messages so far."""
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (Notifier.ready, "READY=1"),
        (Notifier.reloading, "RELOADING=1\nMONOTONIC_USEC=12500000"),
        (Notifier.stopping, "STOPPING=1"),
        (lambda n: n.stopping(90.0), "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000"),
        (Notifier.watchdog, "WATCHDOG=1"),
        (lambda n: n.status("3 schedules, 1 running"), "STATUS=3 schedules, 1 running"),
        (lambda n: n.status("two\nREADY=1"), "STATUS=two READY=1"),
        (lambda n: n.status("a\udcff"), "STATUS=a\\udcff"),
    ],
)
def test_every_message_is_as_sd_notify_describes_it(
    notifier: Notifier, manager: socket.socket, tell: Callable[[Notifier], None], message: str
) -> None:
    tell(notifier)
    assert heard(manager) == [message]


def test_a_status_is_said_when_it_changes(notifier: Notifier, manager: socket.socket) -> None:
    for text in ("a", "a", "b", "a"):
        notifier.status(text)
    assert heard(manager) == ["STATUS=a", "STATUS=b", "STATUS=a"]


def tell_all(notifier: Notifier) -> None:
    notifier.ready()
    notifier.reloading()
    notifier.status("x")
    notifier.watchdog()
    notifier.stopping()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "/nobody/there"},
        {"NOTIFY_SOCKET": "@flytesched-nobody"},
        {"NOTIFY_SOCKET": "/" + "x" * 300},
        {"NOTIFY_SOCKET": "vsock:2:1"},
        {"NOTIFY_SOCKET": "/dev/null"},
    ],
    ids=lambda environ: environ.get("NOTIFY_SOCKET", "unset")[:20],
)
def test_with_nobody_to_tell_nothing_happens(environ: dict[str, str]) -> None:
    tell_all(Notifier.from_environ(environ, monotonic))


def fill(manager: socket.socket) -> None:
    """Send until the manager's queue takes no more.

    systemd makes queues longer than what a single sender may have on the way.
    """
    while sent_by_one(manager):
        pass


def sent_by_one(manager: socket.socket) -> int:
    """Send until this sender may send no more; return how many messages that were."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
        mouth.setblocking(False)
        mouth.connect(manager.getsockname())
        for count in itertools.count():
            try:
                mouth.send(b"X=1")
            except BlockingIOError:
                return count
    raise AssertionError


def test_a_manager_that_does_not_listen_is_not_waited_for(
    notifier: Notifier, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The patience for what is said once is a second for each message; the test has less.
    monkeypatch.setattr(notify, "PATIENCE", 0.01)
    fill(manager)
    tell_all(notifier)
    assert set(heard(manager)) == {"X=1"}


def test_what_is_said_only_once_waits_for_a_busy_manager(
    notifier: Notifier, manager: socket.socket
) -> None:
    """A lost READY would end in a start that times out."""
    fill(manager)
    listening = threading.Timer(0.05, manager.recv, (4096,))
    listening.start()
    notifier.ready()
    listening.join()
    assert heard(manager)[-1] == "READY=1"


def test_no_descriptor_is_kept(notifier: Notifier, manager: socket.socket) -> None:
    before = os.dup(0)
    os.close(before)
    tell_all(notifier)
    after = os.dup(0)
    os.close(after)
    assert after == before
    assert heard(manager)


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_for_this_process_and_in_seconds(
    environ: dict[str, str], interval: float | None
) -> None:
    assert Notifier.from_environ(environ, monotonic).watchdog_interval == interval
