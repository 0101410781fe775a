"""Telling systemd how it stands (sd_notify(3)); silent where nobody asked."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds that a busy service manager is waited for with news that is said only once. What is
#: said again soon (the watchdog's ping, the words of status) never waits.
PATIENCE = 1.0
#: Seconds beyond ``shutdown_grace`` that a stop may take, by its unit and by what it asks for: for
#: commands that cannot outlive the scheduler and are slow to end.
STOP_MARGIN = 90


class Notifier:
    """The service manager's ear. Nothing here ever fails: it is not what the scheduler is for."""

    def __init__(
        self, address: str | None, watchdog_usec: int | None, monotonic: Callable[[], float]
    ) -> None:
        """Take the socket's address, ``@`` in front of an abstract one; None for nobody."""
        self._address = address
        self._monotonic = monotonic
        self._status = ""
        #: Seconds within which ``watchdog`` has to be called; None without a watchdog.
        self.watchdog_interval = watchdog_usec / 1e6 if watchdog_usec else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], monotonic: Callable[[], float]) -> Notifier:
        """Return the notifier that NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID name."""
        usec = environ.get("WATCHDOG_USEC", "")
        for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        interval = int(usec) if usec.isdecimal() and for_us else None
        return cls(environ.get("NOTIFY_SOCKET"), interval, monotonic)

    def ready(self) -> None:
        """Say that slots are being decided."""
        self._send("READY=1", PATIENCE)

    def reloading(self) -> None:
        """Say that the manifest is being read again; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1e6)}", PATIENCE)

    def stopping(self, seconds: float | None = None) -> None:
        """Say that planning has ended, and in how many seconds this process will at the latest.

        The manifest may ask for a longer stop than the unit did when it was made.
        """
        more = "" if seconds is None else f"\nEXTEND_TIMEOUT_USEC={int(seconds * 1e6)}"
        self._send(f"STOPPING=1{more}", PATIENCE)

    def watchdog(self) -> None:
        """Say that the loop turns."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in words how it stands, if that has changed."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def _send(self, message: str, patience: float = 0.0) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.settimeout(patience)
            ear.connect(address)
            ear.send(message.encode(errors="backslashreplace"))
