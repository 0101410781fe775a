"""The closed sets of choices a schedule makes, and the small rules that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class OverlapPolicy(StrEnum):
    """What a slot does when a run of its schedule is still active."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


class CatchupPolicy(StrEnum):
    """What happens to missed slots."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


class OnHoliday(StrEnum):
    """What a slot does whose date is a day off."""

    SKIP = "skip"
    NEXT = "next"
    PREVIOUS = "previous"


class OnInterrupted(StrEnum):
    """What happens to a run whose command died with its own supervisor."""

    MARK = "mark"
    RERUN = "rerun"


class ExecutorKind(StrEnum):
    """How a command is carried out."""

    LOCAL = "local"
    PYTHON = "python"


#: How often ``on_interrupted = "rerun"`` starts one run again.
MAX_RERUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Further attempts of the same run after ``failed`` and ``timed_out``."""

    #: Attempts in all, the first included.
    max_attempts: int = 1
    #: Wait before the second attempt.
    delay: timedelta = timedelta(seconds=10)
    #: Factor from one wait to the next.
    multiplier: float = 2.0
    #: Longest wait.
    max_delay: timedelta = timedelta(minutes=10)

    def wait_after(self, attempt: int) -> float:
        """Return the seconds between the end of 1-based ``attempt`` and the next one."""
        longest = self.max_delay.total_seconds()
        try:
            wait = self.delay.total_seconds() * self.multiplier ** (attempt - 1)
        except OverflowError:
            return longest
        return min(wait, longest)
