"""Statistics: what many runs of a schedule come to, counted and spread.

Percentiles are of the nearest rank: each is a value that was really measured, and a hundredth of a
hundred is the last of them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from flytesched.core.runs import FAILURES, RunStatus, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    #: Status, reason, seconds it took and seconds it was late of one run; None for not known.
    Observed = tuple[str, str | None, float | None, float | None]

_SUCCEEDED = RunStatus.SUCCEEDED.value
_SKIPPED = RunStatus.SKIPPED.value
_FAILURES = frozenset(status.value for status in FAILURES)
#: Verdicts that say how a command did.
_DONE = _FAILURES | {_SUCCEEDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How some measured seconds are spread."""

    #: Half of them are at most this.
    p50: float
    #: Nine of ten are at most this.
    p90: float
    #: All but one of a hundred are at most this.
    p99: float
    #: The most.
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """The newest runs that all succeeded, or all did not."""

    #: Whether they succeeded.
    good: bool
    #: How many there are.
    length: int

    def __str__(self) -> str:
        """Say it as ``12 succeeded``."""
        return f"{self.length:,} {_SUCCEEDED if self.good else 'failed'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the runs of a schedule come to, or those of several."""

    #: How many runs have each status; missed slots are apart.
    statuses: Mapping[str, int] = field(default_factory=dict)
    #: How many slots were skipped, by reason.
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: How many slots were missed, and still wait for a catch-up.
    missed: int = 0
    #: Seconds from the first start to the verdict of each run that was started, ascending.
    durations: Sequence[float] = ()
    #: Seconds that the first start of each such run came late, ascending.
    lags: Sequence[float] = ()
    #: Seconds of processor time, of all attempts.
    cpu: float = 0.0
    #: KiB of memory that an attempt took at its most; None if that was never measured.
    max_rss: int | None = None
    #: How the newest runs went; None if none has ended.
    streak: Streak | None = None

    @property
    def runs(self) -> int:
        """Runs whose command did something, to its end: not skipped, not cancelled."""
        return sum(self.statuses.get(status, 0) for status in _DONE)

    @property
    def success_rate(self) -> float | None:
        """The part of 1 of those that succeeded; None if there are none."""
        runs = self.runs
        return self.statuses.get(_SUCCEEDED, 0) / runs if runs else None

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to be told of."""
        return not (self.statuses or self.skipped or self.missed)


def spread(ordered: Sequence[float]) -> Spread | None:
    """Return how values, ascending, are spread; None if there are none."""
    if not ordered:
        return None
    p50, p90, p99 = (ordered[-(-len(ordered) * part // 100) - 1] for part in (50, 90, 99))
    return Spread(p50=p50, p90=p90, p99=p99, most=ordered[-1])


def figures(observed: Iterable[Observed]) -> Figures:
    """Return what runs come to, given in the order of time, the oldest first.

    A million take about a second, and eight bytes for each duration and each lag.
    """
    kinds: Counter[tuple[str, str | None]] = Counter()
    durations, lags = array("d"), array("d")
    good, length = True, 0
    for status, reason, duration, lag in observed:
        kinds[status, kind_of(reason) if status == _SKIPPED else None] += 1
        if duration is not None:
            durations.append(duration)
        if lag is not None:
            lags.append(lag)
        if status in _DONE:
            length = length + 1 if good == (status == _SUCCEEDED) else 1
            good = status == _SUCCEEDED
    statuses: Counter[str] = Counter()
    for (status, _), count in kinds.items():
        statuses[status] += count
    return Figures(
        statuses=statuses,
        skipped={why or "": n for (status, why), n in kinds.items() if status == _SKIPPED},
        durations=_ascending(durations), lags=_ascending(lags),
        streak=Streak(good=good, length=length) if length else None,
    )  # fmt: skip


def total(parts: Iterable[Figures]) -> Figures:
    """Return what several schedules come to together; there is no streak of them."""
    parts = [*parts]
    statuses: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for part in parts:
        statuses.update(part.statuses)
        skipped.update(part.skipped)
    return Figures(
        statuses=statuses, skipped=skipped, missed=sum(part.missed for part in parts),
        durations=_ascending(chain.from_iterable(part.durations for part in parts)),
        lags=_ascending(chain.from_iterable(part.lags for part in parts)),
        cpu=sum(part.cpu for part in parts),
        max_rss=max((part.max_rss for part in parts if part.max_rss is not None), default=None),
    )  # fmt: skip


def _ascending(values: Iterable[float]) -> Sequence[float]:
    return array("d", sorted(values))
