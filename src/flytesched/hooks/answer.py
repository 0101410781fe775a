"""Answers: what came of sending one message, as the sender says it to the outbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: Nothing more is to be done: whoever was to be told has taken it.
SENT = "sent"
#: It is certain that nothing was delivered.
REFUSED = "refused"
#: It may have been delivered, so it is never tried again.
UNKNOWN = "unknown"

#: A job as the outbox gives it, the keys of its channel, or the facts of an event.
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one message."""

    #: ``sent``, ``refused`` or ``unknown``.
    outcome: str
    #: The cause in one clause, without anything secret: hosts are named, addresses of the web and
    #: what is behind their host are not.
    why: str | None = None
    #: Whether trying a refused one again may help.
    again: bool = False
    #: Seconds after which the other side wants to be asked again.
    after: float | None = None

    def line(self, job: int) -> bytes:
        """Return the line that tells it of a job."""
        return json.dumps({"id": job, **asdict(self)}).encode() + b"\n"


#: Takes what holds if nothing more is heard: a process that sends may be ended at any moment.
Note = Callable[[Answer], None]


def sent(why: str | None = None) -> Answer:
    """Return that a message has arrived; ``why`` says of whom it did not reach."""
    return Answer(outcome=SENT, why=why)


def refused(why: str, *, again: bool = False, after: float | None = None) -> Answer:
    """Return that a message has certainly not arrived."""
    return Answer(outcome=REFUSED, why=why, again=again, after=after)


def unknown(why: str) -> Answer:
    """Return that a message may have arrived."""
    return Answer(outcome=UNKNOWN, why=why)
