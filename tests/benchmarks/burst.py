"""Bursts: many commands due at one second, beside a bare loop that starts the same commands.

``python tests/benchmarks/burst.py 1000 "shell text, survive = false"`` measures just that.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contest import Series, bursts, promises
from life import Life
from limits import Form, Ground, ground, percentile, wait_until
from report import Bench, Row, at_most, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECTION = "burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to write a schedule, and the loop it is measured by."""

    form: Form
    survive: bool
    #: The command of the bare loop.
    limit: Form
    #: The least share of its rate, if there is a goal.
    goal: float | None = None

    @property
    def name(self) -> str:
        """Return the way in words."""
        beside = ", beside a bare loop of argv" if self.limit is Form.ARGV else ""
        return f"{self.form.value}, survive = {str(self.survive).lower()}{beside}"


#: A command that leads itself is started by one that forks: that is what survival costs at least.
WAYS = (
    Way(form=Form.SHELL, survive=False, limit=Form.SHELL, goal=0.8),
    Way(form=Form.PLAIN, survive=False, limit=Form.SHELL),
    Way(form=Form.ARGV, survive=False, limit=Form.SHELL, goal=2.0),
    Way(form=Form.SHELL, survive=True, limit=Form.FORK, goal=0.8),
    Way(form=Form.PLAIN, survive=True, limit=Form.FORK, goal=0.8),
    Way(form=Form.ARGV, survive=False, limit=Form.ARGV),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many commands are due at once, how often, and how many such seconds are measured."""

    count: int
    period: int
    rounds: int


#: Periods divide a minute, and leave time for a burst and two bare loops on a slow machine.
SIZES = (
    Size(count=100, period=5, rounds=8),
    Size(count=1000, period=12, rounds=5),
    Size(count=5000, period=30, rounds=4),
)
QUICK = (Size(count=50, period=2, rounds=3),)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure bursts of every size in every way, and single starts."""
    found: list[Series] = []
    with ground(bench.folder) as shared:
        for size in QUICK if bench.quick else SIZES:
            for way in WAYS:
                found.append(series(bench, shared, way, size))
                yield from found[-1].rows(SECTION, goal=way.goal, note=shared.note)
                if way is WAYS[0] and size.count == 100:
                    yield _hundred(found[-1])
        for way in WAYS[2:3] if bench.quick else (WAYS[2], WAYS[1], WAYS[4]):
            yield single(bench, shared, way)
    yield from promises(SECTION, [burst for one in found for burst in one.bursts])


def series(bench: Bench, shared: Ground, way: Way, size: Size) -> Series:
    """Measure the bursts of one life of the scheduler."""
    in_flight = shared.best_in_flight(size.count, way.limit)
    with Life(
        python=bench.python, folder=bench.folder, ground=shared, count=size.count,
        period=size.period, form=way.form, survive=way.survive,
    ) as life:  # fmt: skip
        found = bursts(life, shared, way.limit, in_flight, size.rounds)
    return Series(name=f"{size.count:,} at once, {way.name}", count=size.count, bursts=found)


def _hundred(found: Series) -> Row:
    """Return the goal of a hundred starts."""
    return Row(
        section=SECTION, what="  the last of 100 starts, by the bare loop's time", unit="ratio",
        **at_most(found.start(99) / found.limit, 1.3),
    )  # fmt: skip


def single(bench: Bench, shared: Ground, way: Way) -> Row:
    """Measure one command due every second.

    Raises:
        RuntimeError: it did not run once for each second.
    """
    seconds = 5 if bench.quick else 100
    with Life(
        python=bench.python, folder=bench.folder, ground=shared, count=1, period=1, form=way.form,
        survive=way.survive,
    ) as life:  # fmt: skip
        wait_until(int(time.time()) + 1.5)
        shared.clear()
        with shared.ticking(seconds) as bare:
            stamps = shared.wait_for(seconds)[:seconds]
        life.settle(stamps[-1].slot)
    slots = [stamp.slot for stamp in stamps]
    if slots != list(range(slots[0], slots[0] + seconds)):
        msg = f"not every second has its one start: {slots}"
        raise RuntimeError(msg)
    starts = [stamp.moment / 1e6 - stamp.slot * 1e3 for stamp in stamps]
    if min(starts) < 0:
        msg = f"started {-min(starts)} ms early"
        raise RuntimeError(msg)
    goal = at_most(percentile(starts, 99), 2.0)
    said = [
        ", ".join(f"p{percent} {percentile(each, percent):.2f}" for percent in (50, 90, 99))
        for each in (starts, bare)
    ]
    return Row(
        section=SECTION, what=f"one job a second, {way.name}: start, p99", unit="ms", **goal,
        note=f"{said[0]} in {seconds} slots; amid them a bare posix_spawn of argv {said[1]}",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one size in one way: what one looks at while changing something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("way", nargs="*", help=" | ".join(way.name for way in WAYS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flytesched", default=sys.executable, metavar="PYTHON")
    asked = parser.parse_args(arguments)
    fitting = next(size for size in (*QUICK, *SIZES) if size.count >= asked.count)
    size = replace(fitting, count=asked.count, rounds=asked.rounds)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="flytesched-bench-") as folder:
        bench = Bench(folder=Path(folder), quick=False, python=asked.flytesched)
        with ground(bench.folder) as shared:
            for way in WAYS:
                if not asked.way or way.name in asked.way:
                    rows += series(bench, shared, way, size).rows(SECTION, goal=way.goal)
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
