"""The courier: the sender's process, as the scheduler sees it, and whoever tries a channel.

Nothing here waits: jobs go into a pipe as it takes them, answers are taken as they come. It
inherits no descriptor, and of the environment what messages need.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import IO

#: Variables that are of the scheduler alone, unless a channel names one as its password.
_PRIVATE = ("FLYTESCHED_", "NOTIFY_", "WATCHDOG_", "LISTEN_", "INVOCATION_")
_CHUNK = 2**16


def job(
    number: int,
    lane: str,
    address: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    tail: str | None = None,
) -> dict[str, Any]:
    """Return what a sender is asked for: one message.

    Args:
        number: whose answer it will be.
        lane: those of one lane are sent one after the other.
        address: where to; see ``Channel.address``.
        messages: the facts of each notice, several for a digest.
        tail: the log whose end belongs to it.
    """
    return {
        "id": number, "lane": lane, "kind": address["kind"], "channel": address,
        "messages": messages, "tail": tail,
    }  # fmt: skip


class Courier:
    """One sender's process."""

    def __init__(
        self, environ: Mapping[str, str], passwords: Iterable[str], *, deadline: float | None = None
    ) -> None:
        """Start it, and knock.

        Args:
            environ: the scheduler's environment.
            passwords: names of variables that hold passwords of channels.
            deadline: seconds that a message may take; None for what the sender usually gives it.

        Raises:
            OSError: it could not be started.
        """
        self._passwords = frozenset(passwords)
        words = [sys.executable, "-P", "-m", "flytesched.hooks.sender"]
        self._left, self._rest = bytearray(b"\n"), bytearray()
        #: Whether it has answered the knock: it can start, and reads.
        self.ready = False
        self._epoll = select.epoll()
        try:
            self._process = subprocess.Popen(
                words if deadline is None else [*words, str(deadline)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={name: value for name, value in environ.items() if self._passes(name)},
                # Ctrl-C on the scheduler's terminal is not for it.
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self._epoll.close()
            raise
        self._in = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)
        try:
            self._watch()
        except BaseException:
            self.kill()
            self.reap()
            raise

    def _watch(self) -> None:
        for fd, events in ((self._in.fileno(), 0), (self._out.fileno(), select.EPOLLIN)):
            os.set_blocking(fd, False)
            self._epoll.register(fd, events)
        self._write()

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to do."""
        return self._epoll.fileno()

    def knows(self, passwords: Iterable[str]) -> bool:
        """Tell whether it was given variables; what it was not given it never gets."""
        private = (name for name in passwords if name.startswith(_PRIVATE))
        return self._passwords.issuperset(private)

    def give(self, job: Mapping[str, Any]) -> None:
        """Hand a job over, or as much of it as the pipe takes for now."""
        self._left += json.dumps(job).encode() + b"\n"
        self._write()

    def hear(self) -> tuple[list[dict[str, Any]], bool]:
        """Take answers, and go on writing; the second value is whether it still lives."""
        self._write()
        lives = True
        with suppress(BlockingIOError):
            while part := os.read(self._out.fileno(), _CHUNK):
                self._rest += part
            lives = False
        *lines, self._rest = self._rest.split(b"\n")
        self.ready |= not all(lines)
        return [json.loads(line) for line in lines if line], lives

    def kill(self) -> None:
        """End it at once, with what it has begun."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Let go of one that has ended; return how."""
        code = self._process.wait()
        self._let_go()
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def leave(self) -> None:
        """Let it finish what it has begun, and do not wait for that."""
        self._let_go()
        self._process.returncode = 0  # `gone` asks for its end, or nobody does

    def gone(self) -> bool:
        """Tell whether it has ended since it was left; then nothing of it stays."""
        with suppress(ChildProcessError):
            return os.waitpid(self._process.pid, os.WNOHANG)[0] != 0
        return True

    def _let_go(self) -> None:
        self._epoll.close()
        with suppress(OSError):  # it may have gone before it took all
            self._in.close()
        self._out.close()

    def _passes(self, name: str) -> bool:
        return name in self._passwords or not name.startswith(_PRIVATE)

    def _write(self) -> None:
        with suppress(BlockingIOError, BrokenPipeError):
            while self._left:
                del self._left[: os.write(self._in.fileno(), self._left)]
        self._epoll.modify(self._in.fileno(), select.EPOLLOUT if self._left else 0)
