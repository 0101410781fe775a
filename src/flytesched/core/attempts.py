"""Attempts: the tries of a run, and how an executor says that one ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a run."""

    #: Id of the run.
    run: str
    #: 1-based number.
    attempt: int
    #: The boot in which it was ordered.
    boot_id: str
    #: Moment the start was made durable.
    ordered: float
    #: Whether the command was given a supervisor of its own.
    survive: bool = True
    #: Moment it was started.
    started: float | None = None
    #: Process id of the supervisor, or of the command without one.
    pid: int | None = None
    #: Start time of that process in clock ticks since boot (proc(5), field 22).
    pid_started: int | None = None
    #: Moment the timeout ends it.
    deadline: float | None = None
    #: Seconds between TERM and KILL.
    kill_after: float = 10.0
    #: Moment it ended.
    ended: float | None = None
    #: How it ended, in the words of a verdict.
    outcome: str | None = None
    #: Exit code; a signal is 128+n.
    exit_code: int | None = None
    #: CPU seconds, user and system, where known.
    cpu: float | None = None
    #: Peak resident memory in KiB, where known.
    max_rss: int | None = None
    #: Log file, relative to the state directory.
    log: str | None = None

    @property
    def key(self) -> AttemptKey:
        """Name the attempt."""
        return AttemptKey(self.run, self.attempt)


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """The name of one attempt."""

    #: Id of the run.
    run: str
    #: 1-based number.
    attempt: int


class End(StrEnum):
    """How an attempt ended, as an executor sees it."""

    #: The command ended; there is an exit code.
    EXITED = "exited"
    #: It can never start as it is defined.
    UNSTARTABLE = "unstartable"
    #: Its supervisor died; nobody knows the exit code.
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an executor reports when an attempt ends."""

    #: Which attempt.
    key: AttemptKey
    #: How it ended.
    end: End
    #: Moment it ended, as near as is known.
    ended: float
    #: Exit code with ``EXITED``; a signal is 128+n.
    exit_code: int | None = None
    #: Why, with ``UNSTARTABLE`` and ``LOST``; the error of a Python callable.
    reason: str | None = None
    #: CPU seconds, where known.
    cpu: float | None = None
    #: Peak resident memory in KiB, where known.
    max_rss: int | None = None
