"""A manifest read by another process, so that the scheduler does not stand still meanwhile."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from flytesched.manifest.plainly import END, GOOD

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

#: Bytes that the pipe holds, and that one look takes at most.
_PIPE = 2**20
#: Variables that the reader has no use for: it is no run, and nobody's watchdog.
_PRIVATE = ("FLYTESCHED_", "NOTIFY_", "WATCHDOG_", "LISTEN_", "INVOCATION_")


class Apart:
    """A process that reads a manifest, see ``plainly``."""

    def __init__(self, path: Path, timezone: str) -> None:
        """Start it.

        Raises:
            OSError: it could not be started.
        """
        environ = {key: value for key, value in os.environ.items() if not key.startswith(_PRIVATE)}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flytesched.manifest.plainly", path, timezone],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environ,
        )  # fmt: skip
        self._out = cast("IO[bytes]", self._process.stdout)
        os.set_blocking(self.fileno(), False)
        with suppress(OSError):  # some systems let nobody have so much
            fcntl.fcntl(self.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
        self._parts: list[bytes] = []

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to take."""
        return self._out.fileno()

    def take(self) -> bool:
        """Take what is there, without waiting; True when nothing more will come."""
        try:
            part = os.read(self.fileno(), _PIPE)
        except BlockingIOError:
            return False
        self._parts.append(part)
        return not part

    def answer(self) -> bytes | None:
        """Return the whole answer; None if the process died before it had said it."""
        answer = b"".join(self._parts)
        return answer if answer.endswith(END) else None

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._out.close()
        self._process.wait()


def text_of(answer: bytes) -> str | None:
    """Return the manifest in plain lines; None if it has faults."""
    return answer.removeprefix(GOOD).decode() if answer.startswith(GOOD) else None
