"""The program with one plant in it: it dies of SIGKILL at a point of a delivery.

``python outbox_plants.py POINT WORDS...`` is ``flytesched WORDS...``, but for that.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from flytesched.core.telling.events import NoticeStatus
from flytesched.hooks.courier import Courier
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from flytesched.core.decision import Decision

#: Where the program can be made to die, and what may become of the notice that it dies of.
POINTS = {
    "before the claim": {"sent"},
    "after the claim": {"unknown"},
    "after it was handed over": {"unknown"},
    "before the answer is taken": {"unknown"},
    "before the answer is recorded": {"unknown"},
    "after the answer is recorded": {"sent"},
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _around_apply(status: NoticeStatus, *, after: bool) -> None:
    apply = SqliteRunLog.apply

    def planted(self: SqliteRunLog, decision: Decision) -> frozenset[str]:
        meant = any(move.notice.status is status for move in decision.notice_states)
        if meant and not after:
            _die()
        lost = apply(self, decision)
        if meant:
            _die()
        return lost

    SqliteRunLog.apply = planted  # type: ignore[method-assign]


def _after_giving() -> None:
    give = Courier.give

    def planted(self: Courier, job: Any) -> None:
        give(self, job)
        _die()

    Courier.give = planted  # type: ignore[method-assign]


def _before_answer() -> None:
    hear = Courier.hear

    def planted(self: Courier) -> tuple[list[dict[str, Any]], bool]:
        answers, lives = hear(self)
        if answers:
            _die()
        return answers, lives

    Courier.hear = planted  # type: ignore[method-assign]


def plant(point: str) -> None:
    """Make the program die at a point."""
    {
        "before the claim": lambda: _around_apply(NoticeStatus.SENDING, after=False),
        "after the claim": lambda: _around_apply(NoticeStatus.SENDING, after=True),
        "after it was handed over": _after_giving,
        "before the answer is taken": _before_answer,
        "before the answer is recorded": lambda: _around_apply(NoticeStatus.SENT, after=False),
        "after the answer is recorded": lambda: _around_apply(NoticeStatus.SENT, after=True),
    }[point]()


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    from flytesched.__main__ import main

    sys.exit(main())
