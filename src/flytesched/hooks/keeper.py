"""The keeper: has a courier while there is something to send.

It gets one that listens, another one when that dies, and ends one that hangs. One that has had
nothing to do for a while is let go: it costs memory.
"""

from __future__ import annotations

import math
import select
from typing import TYPE_CHECKING, Any

from flytesched.core.telling.events import SENDER_DIED
from flytesched.hooks.answer import Answer, unknown
from flytesched.hooks.courier import Courier
from flytesched.hooks.lane import FIRST, LONGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flytesched.core.protocols import Journal

#: Seconds without anything to send after which the sender is let go.
IDLE = 60.0
#: Seconds after which a sender that says nothing is ended: a job takes thirty.
SILENT = 60.0


class Keeper:
    """Has one courier at most. All moments are on a clock that is never set."""

    def __init__(self, environ: Mapping[str, str], journal: Journal) -> None:
        """Begin without one.

        Args:
            environ: what a sender's environment is made of.
            journal: told when no sender can be had.
        """
        self._environ, self._journal = environ, journal
        self._epoll = select.epoll()
        self._courier: Courier | None = None
        #: Those that were let go and may still be at work, or wait to be buried.
        self._left: list[Courier] = []
        #: How many in a row have not come to listen, and when the next one may be tried.
        self._failures, self._again_at = 0, -math.inf
        #: The jobs that it has, and since when.
        self._given: dict[int, float] = {}
        #: When there was something to send, as far as is known.
        self._used_at = -math.inf

    def fileno(self) -> int:
        """Return a descriptor that is readable when the sender has news."""
        return self._epoll.fileno()

    def wait(self, seconds: float) -> None:
        """Wait for news, but no longer than that."""
        self._epoll.poll(seconds)

    def close(self) -> None:
        """Let go of the sender; it finishes what it has begun."""
        self._let_go()
        self._epoll.close()

    # -- jobs -------------------------------------------------------------------------------

    def ready(self, passwords: Collection[str], elapsed: float) -> bool:
        """Tell whether there is a sender that listens; if not, get one.

        Args:
            passwords: names of variables that it has to know.
            elapsed: the moment.
        """
        self._used_at = elapsed
        if self._courier is not None and not self._courier.knows(passwords):
            if self._given:
                return False
            self._let_go()
        if self._courier is None and elapsed >= self._again_at:
            self._start(passwords, elapsed)
        return self._courier is not None and self._courier.ready

    @property
    def free_at(self) -> float:
        """When a job can be given, or a sender be had; infinite where that will be news."""
        if self._courier is None:
            return self._again_at
        return math.inf if self._given or not self._courier.ready else -math.inf

    def give(self, job: Mapping[str, Any], elapsed: float) -> None:
        """Hand a job over to a sender that is ready."""
        assert self._courier is not None  # noqa: S101  it would not be ready
        self._given[job["id"]] = elapsed
        self._courier.give(job)

    def hear(self, elapsed: float) -> Iterator[tuple[int, Answer]] | None:
        """Return what came of jobs, by their ids; None while there is no news.

        What a sender had that died may have arrived.
        """
        if self._courier is None or not self._epoll.poll(0):
            return None
        return self._heard(self._courier, elapsed)

    def _heard(self, courier: Courier, elapsed: float) -> Iterator[tuple[int, Answer]]:
        answers, lives = courier.hear()
        for said in answers:
            if self._given.pop(job := said.pop("id"), None) is not None:
                yield job, Answer(**said)
        if courier.ready:
            self._failures = 0
        if not lives:
            how, self._courier = courier.reap(), None
            given, self._given = self._given, {}
            yield from ((job, unknown(SENDER_DIED)) for job in given)
            self._put_off(f"it died: {how}", elapsed)

    # -- care -------------------------------------------------------------------------------

    def tend(self, elapsed: float) -> float:
        """End a sender that hangs, let go of one that is idle; return when to be called again."""
        if self._courier is None:
            return math.inf
        if self._given:
            self._used_at = elapsed
            silent_at = min(self._given.values()) + SILENT
            if elapsed >= silent_at:
                self._courier.kill()
            return silent_at
        if elapsed >= self._used_at + IDLE:
            self._let_go()
            return math.inf
        return self._used_at + IDLE

    def _start(self, passwords: Collection[str], elapsed: float) -> None:
        self._left = [courier for courier in self._left if not courier.gone()]
        try:
            self._courier = Courier(self._environ, passwords)
            self._epoll.register(self._courier.fileno(), select.EPOLLIN)
        except (OSError, MemoryError) as error:
            self._let_go()
            self._put_off(str(error), elapsed)

    def _put_off(self, why: str, elapsed: float) -> None:
        """Wait a little longer each time with a new sender."""
        if not self._failures:
            self._journal.say("error", "no sender for channels", why=why)
        self._again_at = elapsed + min(FIRST * 2 ** min(self._failures, 30), LONGEST)
        self._failures += 1

    def _let_go(self) -> None:
        if self._courier is not None:
            self._courier.leave()
            self._left.append(self._courier)
            self._courier = None
