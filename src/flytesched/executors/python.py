"""Python callables: carries out runs in threads of the program that schedules them."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

from flytesched.core.instants import to_utc
from flytesched.core.protocols import Adoption, Started
from flytesched.core.runs import Attempt, AttemptKey, End, Outcome
from flytesched.errors import StartDelayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Run
    from flytesched.core.schedule import Schedule

_LOGGER = logging.getLogger(__name__)


class CallableLauncher:
    """Implements ``core.protocols.Launcher`` with a thread for each attempt.

    A thread cannot be ended from outside, so ``terminate`` and ``kill`` do nothing, and an attempt
    dies with the process: nothing of an earlier one can be adopted.
    """

    #: Attempts live in the memory of this process.
    boot_id = "memory"

    def __init__(
        self,
        execute: Callable[[Schedule, datetime], None],
        *,
        clock_now: Callable[[], float],
    ) -> None:
        """Begin with nothing started.

        Args:
            execute: carries out a slot, given its schedule and its instant as an aware UTC
                datetime (for a run without a slot the moment it was asked for); raises to
                report a failure.
            clock_now: returns the wall clock in epoch seconds.

        Raises:
            OSError: no descriptor is left.
        """
        self._execute, self._now = execute, clock_now
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()
        self._ended: deque[Outcome] = deque()
        self._threads: dict[AttemptKey, threading.Thread] = {}
        self._closed = False

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``collect`` has something to report."""
        return self._bell

    def plan(self, run: Run, schedule: Schedule, attempt: int, now: float) -> Attempt:  # noqa: ARG002  the protocol's
        """Return the attempt that ``start`` shall carry out; nothing happens yet."""
        return Attempt(
            run=run.id, attempt=attempt, boot_id=self.boot_id, ordered=now, survive=False
        )

    def prepare(self, orders: Iterable[Order], until: float) -> None:
        """Do nothing: a thread needs no files."""

    def start(self, order: Order) -> Started:
        """Start a thread.

        Raises:
            StartDelayed: the machine has no thread left.
        """
        key = order.attempt.key
        # A daemon, so that a program may end while a callable is stuck.
        thread = threading.Thread(target=self._run, args=(order,), name=key.run, daemon=True)
        self._threads[key] = thread
        try:
            thread.start()
        except RuntimeError as error:
            del self._threads[key]
            msg = f"cannot start a thread: {error}"
            raise StartDelayed(msg) from error
        return Started()

    def adopt(self, attempt: Attempt) -> Adoption:
        """Say that an attempt of an earlier process is lost; one of this launcher goes on."""
        return Adoption.FOLLOWED if attempt.key in self._threads else Adoption.LOST

    def terminate(self, key: AttemptKey) -> None:
        """Do nothing: a thread cannot be ended."""

    def kill(self, key: AttemptKey) -> None:
        """Do nothing: a thread cannot be ended."""

    def collect(self) -> Sequence[Outcome]:
        """Return the ends seen since the last call, without waiting."""
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return []
        ended = [self._ended.popleft() for _ in range(len(self._ended))]
        for outcome in ended:
            self._threads.pop(outcome.key, None)
        return ended

    def forget(self, keys: Iterable[AttemptKey]) -> None:
        """Do nothing: nothing is kept."""

    def join(self, timeout: float | None) -> bool:
        """Wait for all threads; tell whether they ended within ``timeout`` seconds in all."""
        deadline = None if timeout is None else self._now() + timeout
        for thread in tuple(self._threads.values()):
            thread.join(None if deadline is None else max(deadline - self._now(), 0.0))
        return not any(thread.is_alive() for thread in self._threads.values())

    def close(self) -> None:
        """Let go of the descriptor; threads that still run report to nobody."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._bell)

    def _run(self, order: Order) -> None:
        run = order.run
        slot = int(run.created) if run.scheduled_at is None else run.scheduled_at
        code, reason = 0, None
        try:
            self._execute(order.schedule, to_utc(slot))
        except BaseException as error:  # whatever it is, it is how the attempt ended
            code, reason = 1, _in_words(error)
            _LOGGER.exception("%s failed", run.id)
        outcome = Outcome(
            key=order.attempt.key, end=End.EXITED, ended=self._now(), exit_code=code,
            reason=reason,
        )  # fmt: skip
        with self._lock:
            if not self._closed:
                self._ended.append(outcome)
                os.eventfd_write(self._bell, 1)


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
