"""The system's clock, and waiting on it: the only place that reads time or sleeps."""

from __future__ import annotations

import select
import signal
import time
from typing import TYPE_CHECKING

from flytesched import linux

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable


def now() -> float:
    """Return the wall clock, in epoch seconds."""
    return time.time()


def monotonic() -> float:
    """Return seconds on a clock that is never set."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait, for commands that look again and again."""
    time.sleep(seconds)


class SystemClock:
    """Implements ``core.protocols.Clock``: one epoll over timer, signals and whatever is watched.

    There is no tick: with nothing to wait for it sleeps until there is news.
    """

    def __init__(
        self, *, timer: linux.Timer | None = None, read: Callable[[], float] = time.time
    ) -> None:
        """Make the timer and the epoll.

        Args:
            timer: wakes at a moment, and when the clock is set.
            read: returns the wall clock.

        Raises:
            OSError: no descriptor is left.
        """
        self._read = read
        self._timer = timer or linux.Timer()
        self._epoll = select.epoll()
        self._epoll.register(self._timer.fileno(), select.EPOLLIN)
        self._ear: socket.socket | None = None
        self._mouth: socket.socket | None = None
        self._old_wakeup = -1
        self._old_handlers: dict[int, object] = {}

    def now(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return self._read()

    def uptime(self) -> float:
        """Return the seconds since the machine started, suspends included; nobody sets them."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def watch(self, fd: int) -> None:
        """Let ``wait`` return when ``fd`` is readable; whoever owns it drains it."""
        self._epoll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Undo ``watch``."""
        self._epoll.unregister(fd)

    def wait(self, until: float | None) -> None:
        """Return at ``until``, never early; or sooner, when anything watched has news.

        That the clock was set, also by a resume from suspend, is news.
        """
        while until is None or self.now() < until:
            if self._timer.set(until):
                return
            ready = self._epoll.poll()
            if self._timer.read() or any(fd != self._timer.fileno() for fd, _ in ready):
                return

    def catch(self, numbers: Iterable[int]) -> None:
        """Turn signals into news that ``signals`` tells; from the main thread only.

        A second call adds signals.
        """
        if self._ear is None:
            self._listen()
        for number in numbers:
            # None stands for a handler of another language, which Python cannot put back.
            old = signal.signal(number, lambda *_: None) or signal.SIG_DFL
            self._old_handlers.setdefault(number, old)

    def _listen(self) -> None:
        import socket  # commands ask for the time alone

        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._epoll.register(self._ear.fileno(), select.EPOLLIN)
        self._old_wakeup = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)

    def signals(self) -> list[int]:
        """Return the signals that came since the last call."""
        if self._ear is None:
            return []
        try:
            came = self._ear.recv(4096)
        except BlockingIOError:
            return []
        return [number for number in came if number in self._old_handlers]

    def close(self) -> None:
        """Put signal handlers back, and let go of descriptors."""
        if self._ear is not None and self._mouth is not None:
            for number, handler in self._old_handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]
            signal.set_wakeup_fd(self._old_wakeup)
            self._ear.close()
            self._mouth.close()
        self._epoll.close()
        self._timer.close()
