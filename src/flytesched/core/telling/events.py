"""Events, and the notices that tell of them: each is a row of the run log, sent at most once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from flytesched.core.runs import FAILURES, RunStatus


class Event(StrEnum):
    """What somebody can be told."""

    #: Sets of these are asked at each verdict; Enum's own hash is Python code.
    __hash__ = str.__hash__

    #: A run began; for pings alone.
    STARTED = "started"
    #: A run got its verdict, whichever; for pings alone.
    ENDED = "ended"
    SUCCESS = "success"
    #: It failed, timed out or was interrupted.
    FAILURE = "failure"
    #: Slots were missed; once per gap.
    MISSED = "missed"
    #: A slot has not started in time; once, while it waits.
    LATE = "late"
    #: A run takes long; once, while it is active.
    LONG = "long"
    #: The first success after a failure.
    RECOVERED = "recovered"
    #: Somebody tries a channel.
    TEST = "test"


#: What a channel may have as its ``events``, in the order they are said.
CHOICES = (
    Event.SUCCESS, Event.FAILURE, Event.MISSED, Event.LATE, Event.LONG, Event.RECOVERED,
)  # fmt: skip
#: What it has if it does not say so: all but successes.
USUAL = CHOICES[1:]
#: What a ping URL is told.
PINGS = frozenset({Event.STARTED, Event.ENDED})
#: What the notices of a schedule's ``ping_url`` have as their channel.
PING_URL = "ping_url"
#: Hooks that are told while a run is active: a notice of each notes that it was.
NOTED_HOOKS = frozenset({"on_late", "on_long"})


class NoticeStatus(StrEnum):
    """Where a notice is on its way."""

    #: Written together with what it tells of; to be sent.
    QUEUED = "queued"
    #: Handed over; if the process dies now, nobody knows.
    SENDING = "sending"
    #: It was taken.
    SENT = "sent"
    #: It certainly was not taken, and will not be.
    FAILED = "failed"
    #: It may have been taken, and is never sent again.
    UNKNOWN = "unknown"
    #: It was left out.
    DROPPED = "dropped"


#: Why nobody knows whether a notice has arrived, where its channel is not to blame.
SCHEDULER_DIED, SCHEDULER_STOPPED, SENDER_DIED = OUR_FAULT = (
    "scheduler died", "the scheduler stopped", "sender died",
)  # fmt: skip
#: States from which a notice still moves.
OPEN = frozenset({NoticeStatus.QUEUED, NoticeStatus.SENDING})
#: States of what was told, or may have been.
WENT = frozenset({NoticeStatus.SENT, NoticeStatus.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event for one channel; there is one notice per channel, event and ``about``."""

    #: Name of the channel, ``ping_url``, or the hook of which this notes that it was told.
    channel: str
    #: What is told.
    event: Event
    #: Name of the schedule; empty for a test.
    schedule: str
    #: Id of the run, or what `about_gap` says of a gap.
    about: str
    #: The event as JSON, the same for all channels, see core/telling/messages.py; ``{}`` once it is
    #: over: it is most of what a notice takes, and nobody reads it again.
    facts: str
    #: Moment it was written.
    created: float
    #: Where it is.
    status: NoticeStatus = NoticeStatus.QUEUED
    #: How often it was handed over.
    tries: int = 0
    #: It is not handed over before this moment.
    not_before: float = 0.0
    #: Moment of its last state; None while it is open.
    ended: float | None = None
    #: Why it has this state.
    why: str | None = None
    #: Row number in the run log; 0 before it is stored.
    id: int = 0

    @property
    def key(self) -> str:
        """How a decision says of a stored notice that it had moved on; no run has such an id."""
        return f"notice-{self.id}"

    def end(self, status: NoticeStatus, moment: float, why: str | None = None) -> Notice:
        """Return the notice in its last state."""
        return replace(self, status=status, ended=moment, why=why, facts="{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMove:
    """A notice's next state; it holds only while the stored one is still in state ``was``."""

    #: The notice as it shall be.
    notice: Notice
    #: State the stored notice must be in for the move to hold.
    was: NoticeStatus


def about_gap(schedule: str, after: int) -> str:
    """Return what a notice of a gap is about."""
    return f"gap-{schedule}-{after}"


def event_of(status: RunStatus) -> Event | None:
    """Return what a verdict is told as; None for one that nobody is told of but a ping."""
    if status in FAILURES:
        return Event.FAILURE
    return Event.SUCCESS if status is RunStatus.SUCCEEDED else None
