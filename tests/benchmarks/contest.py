"""Bursts of one contender, each between two bare loops that start the same commands.

The rate is that of the drain: from the second itself to the last command's own stamp, for the bare
loop from its first start. Times are those of the quietest burst, since other guests of the machine
only ever add to one; CPU time, which they disturb less, is that of all bursts but the first.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from limits import Spent, once_each, percentile, wait_until
from report import Row, at_least

if TYPE_CHECKING:
    from limits import Form, Ground, Loop

#: Seconds that a scheduler has to itself before all is due: some prepare then.
MARGIN = 1.0
#: How many seconds are tried for one that is measured: a bare loop may run into the next.
TRIES = 3


class Contender(Protocol):
    """A scheduler that runs, with a number of commands due every ``period`` seconds."""

    count: int
    period: int

    def settle(self, slot: int) -> None:
        """Wait until nothing is left to do for a slot.

        Raises:
            RuntimeError: something went wrong, or it takes too long.
        """

    def spent(self) -> Spent:
        """Return the CPU seconds of the scheduler so far, and of what it has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One second at which all commands were due, and the bare loops around it."""

    #: Seconds from then to the stamp of each command, ordered.
    starts: tuple[float, ...]
    #: Whether each command stamped once.
    whole: bool
    spent: Spent
    bare: tuple[Loop, ...]

    @property
    def limit(self) -> float:
        """Return the seconds that the bare loop needed."""
        return statistics.mean(loop.seconds for loop in self.bare)

    @property
    def ratio(self) -> float:
        """Return the rate as a share of the bare loop's."""
        return self.limit / self.starts[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The bursts of one contender."""

    name: str
    count: int
    bursts: tuple[Burst, ...]

    @property
    def warm(self) -> tuple[Burst, ...]:
        """Return all but the first, which makes what the others find: folders, logs, caches."""
        return self.bursts[1:] or self.bursts

    @property
    def ratio(self) -> float:
        """Return the share of the bare loop's rate, each at its best."""
        return self.limit / self.drain

    @property
    def limit(self) -> float:
        """Return the seconds of the quickest bare loop; it has twice as many tries."""
        return min(loop.seconds for burst in self.bursts for loop in burst.bare)

    @property
    def drain(self) -> float:
        """Return the seconds until the last start of the quickest burst."""
        return self.start(100)

    @property
    def first(self) -> float:
        """Return the seconds until the first start of any burst."""
        return min(burst.starts[0] for burst in self.bursts)

    def start(self, percent: int) -> float:
        """Return a percentile of the starts of the burst where it is lowest, in seconds."""
        return min(percentile(burst.starts, percent) for burst in self.bursts)

    @property
    def spent(self) -> Spent:
        """Return CPU seconds per command."""
        return self._each([burst.spent for burst in self.warm])

    @property
    def bare_spent(self) -> Spent:
        """Return CPU seconds per command of the bare loop."""
        return self._each([loop.spent for burst in self.warm for loop in burst.bare])

    def _each(self, spent: list[Spent]) -> Spent:
        return Spent(
            own=statistics.mean(one.own for one in spent) / self.count,
            children=statistics.mean(one.children for one in spent) / self.count,
        )

    def rows(self, section: str, *, goal: float | None = None, note: str = "") -> list[Row]:
        """Return what is told of it."""
        each = [burst.ratio for burst in self.bursts]
        aim: dict[str, Any] = {"value": self.ratio}
        aim |= {} if goal is None else at_least(self.ratio, goal)
        spread = (
            f"{min(each):.2f} to {max(each):.2f}, median {statistics.median(each):.2f}"
            f" in {len(each)} bursts"
        )
        times = f"{self.drain * 1e3:,.0f} ms, bare loop {self.limit * 1e3:,.0f} ms"
        return [
            Row(
                section=section, what=self.name, unit="ratio", **aim,
                note="; ".join(part for part in (times, spread, note) if part),
            ),
            Row(
                section=section, what=f"  {self.name}: by CPU time", unit="ratio",
                value=self.bare_spent.total / self.spent.total,
                note=f"{self.spent} us a run, bare loop {self.bare_spent} us",
            ),
            Row(
                section=section, what=f"  {self.name}: start, p99", value=self.start(99) * 1e3,
                unit="ms", note=f"p50 {self.start(50) * 1e3:.1f} ms, first {self.first * 1e3:.2f}",
            ),
        ]  # fmt: skip


def bursts(
    contender: Contender, ground: Ground, form: Form, in_flight: int, rounds: int
) -> tuple[Burst, ...]:
    """Measure so many bursts of a contender beside the bare loop of a form of command.

    Raises:
        RuntimeError: its period is too short for this machine.
    """
    found: list[Burst] = []
    before = ground.bare(contender.count, form, in_flight)
    for _ in range(rounds * TRIES):
        slot = _next_slot(contender)
        wait_until(slot - MARGIN - 2 * before.seconds)
        before = ground.bare(contender.count, form, in_flight)
        ground.clear()
        earlier = contender.spent()
        quiet = time.time() < slot - MARGIN / 2
        wait_until(slot)
        stamps = ground.wait_for(contender.count)
        contender.settle(slot)
        spent = contender.spent() - earlier
        after = ground.bare(contender.count, form, in_flight)
        if not quiet or time.time() > slot + contender.period:
            continue
        starts = sorted((stamp.moment - slot * 10**9) / 1e9 for stamp in stamps)
        found.append(
            Burst(
                starts=tuple(starts), whole=once_each(stamps, contender.count), spent=spent,
                bare=(before, after),
            )
        )  # fmt: skip
        if len(found) == rounds:
            return tuple(found)
    msg = f"{contender.count} commands every {contender.period} s leave no time to measure"
    raise RuntimeError(msg)


def _next_slot(contender: Contender) -> int:
    """Return the next second at which all is due."""
    return (int(time.time()) // contender.period + 1) * contender.period


def promises(section: str, found: list[Burst]) -> list[Row]:
    """Return what no speed excuses: nothing early, and each slot exactly once."""
    early = sum(start < 0 for burst in found for start in burst.starts)
    torn = sum(not burst.whole for burst in found)
    starts = sum(len(burst.starts) for burst in found)
    return [
        Row(
            section=section, what="starts before their second", value=early, unit="of all",
            goal="= 0", holds=early == 0, note=f"{starts:,} starts",
        ),
        Row(
            section=section, what="bursts with a job not exactly once", value=torn,
            unit="of all", goal="= 0", holds=torn == 0, note=f"{len(found)} bursts",
        ),
    ]  # fmt: skip
