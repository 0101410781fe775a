"""A run log that grows: what a run costs, and what pruning costs it, at every size.

A hundred thousand runs a day are seventy a minute. At each size some minutes of them are claimed,
begun and ended by the run log's own decisions, each durable; then old runs are pruned in steps as
the scheduler takes them, with a claim right behind each step and a checkpoint behind that. Between
the sizes the log is filled in bulk. Whether something grows is judged by CPU time; the wall, with
its waits for the disk, is told beside it. The last size is pruned by a part and filled up again:
room that was given back inside the file is used before the file grows.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from limits import percentile
from report import Bench, Row, at_most
from stock import Stock, attempt_of, fill, run_of, seen

from flytesched.core.counts import count_starts, count_verdicts
from flytesched.core.decision import Decision, Move
from flytesched.core.runs import RunStatus
from flytesched.service.chores import PRUNE_STEP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from flytesched.core.decision import Count
    from flytesched.core.runs import Attempt, Run
    from flytesched.runlog.sqlite import SqliteRunLog

SECTION = "year"
#: Runs a minute, of a hundred thousand a day.
PER_MINUTE = 70
#: Runs that a log holds when it is measured: the last is five weeks of such days.
SIZES = (36_500, 365_000, 3_650_000)
QUICK = (2_000, 20_000)
#: Times the size before, by which something may be dearer at the last one.
FLAT = 1.5
#: MiB that the WAL may take.
WAL = 16.0


@dataclass
class Times:
    """What something took, each time: milliseconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def take(self, do: Callable[[], object]) -> None:
        """Do something and note what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        self.wall.append((time.perf_counter() - wall) * 1e3)
        self.cpu.append((time.process_time() - cpu) * 1e3)

    def follow(self, before: Times) -> None:
        """Take what went before each time as a part of it."""
        self.wall = [sum(pair) for pair in zip(before.wall, self.wall, strict=True)]
        self.cpu = [sum(pair) for pair in zip(before.cpu, self.cpu, strict=True)]

    @property
    def usual(self) -> float:
        """CPU of one, by the median."""
        return statistics.median(self.cpu)

    def said(self) -> str:
        """Return the wall in words."""
        each = statistics.median(self.wall), percentile(self.wall, 99), max(self.wall)
        return "wall {:.1f} ms, p99 {:.1f}, max {:.1f}".format(*each)


@dataclass
class Measured:
    """What was measured at one size."""

    #: Runs that the log held.
    size: int
    claims: Times = field(default_factory=Times)
    #: A minute of runs from claim to verdict.
    minutes: Times = field(default_factory=Times)
    steps: Times = field(default_factory=Times)
    behind: Times = field(default_factory=Times)
    checkpoints: Times = field(default_factory=Times)

    def rows(self) -> Iterator[Row]:
        """Yield what there is to tell of this size."""
        each = {
            "a minute of 70 runs, claim to verdict": self.minutes, "a claim of 70": self.claims,
            f"a step that prunes {PRUNE_STEP}": self.steps,
            "a claim of 70 right behind it": self.behind, "a checkpoint behind that":
            self.checkpoints,
        }  # fmt: skip
        for what, times in each.items():
            yield Row(
                section=SECTION, what=f"{self.size:,} runs: {what}", value=times.usual,
                unit="ms CPU", note=times.said(),
            )  # fmt: skip


class Year:
    """A run log that is filled, used and pruned."""

    def __init__(self, bench: Bench) -> None:
        """Make it, of a thousand schedules."""
        self.names = [f"job-{number:04}" for number in range(100 if bench.quick else 1_000)]
        site = seen(bench.folder, self.names)
        self.path: Path = site.runs_db
        self.log: SqliteRunLog = site.runlog(holder=True)
        self._slot = int(site.now()) // 60 * 60 - 300 * 86_400
        self._turn = 0
        #: The most that was in the WAL, in MiB.
        self.wal = 0.0

    def grow(self, size: int) -> None:
        """Fill it up to about so many runs."""
        runs = max(1, (size - self.count()) // len(self.names))
        stock = Stock(names=self.names, runs=runs, begin=self._slot + 60)
        fill(self.log, stock)
        self._slot = stock.end

    def count(self) -> int:
        """Return how many runs it holds."""
        return int(self.log._all("SELECT count(*) FROM runs")[0][0])

    def size(self) -> int:
        """Return the bytes of the file."""
        self.log.checkpoint()
        return self.path.stat().st_size

    def measure(self, minutes: int, steps: int) -> Measured:
        """Let it be used for some minutes, then pruned in some steps."""
        found = Measured(size=self.count())
        for _ in range(minutes):
            runs = self._due()
            found.claims.take(lambda runs=runs: self._claim(runs))
            found.minutes.take(lambda runs=runs: self._end(runs))
        found.minutes.follow(found.claims)
        self.log.checkpoint()
        before = self.oldest(steps * PRUNE_STEP)
        for _ in range(steps):
            runs = self._due()
            found.steps.take(lambda: self.log.prune(before, PRUNE_STEP))
            found.behind.take(lambda runs=runs: self._claim(runs))
            self._end(runs)
            found.checkpoints.take(self._checkpoint)
        return found

    def oldest(self, count: int) -> float:
        """Return the moment before which there are so many runs."""
        first = self.log._all("SELECT min(seq) FROM runs")[0][0]
        return float(self.log._all("SELECT created FROM runs WHERE seq = ?", first + count)[0][0])

    def prune(self, count: int) -> None:
        """Prune so many runs, as the scheduler does it."""
        before = self.oldest(count)
        while self.log.prune(before, PRUNE_STEP):
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Make a checkpoint as the run log does, and note how much was in the WAL."""
        _, pages, _ = self.log._all("PRAGMA wal_checkpoint(PASSIVE)")[0]
        self.wal = max(self.wal, pages * self.log._pragma("page_size") / 2**20)

    def _due(self) -> Sequence[Run]:
        """Return the runs of the next minute, with the verdicts they will get."""
        self._slot += 60
        self._turn += PER_MINUTE
        names = [self.names[(self._turn + n) % len(self.names)] for n in range(PER_MINUTE)]
        return [run_of(name, self._slot, RunStatus.SUCCEEDED) for name in names]

    def _claim(self, runs: Sequence[Run]) -> None:
        """Claim runs, as a tick does."""
        attempts = [replace(attempt_of(run), started=None, ended=None) for run in runs]
        lost = self.log.apply(
            Decision(
                runs=tuple(map(_claimed, runs)), attempts=tuple(attempts),
                cursors={run.schedule: self._slot for run in runs},
                meta={"heartbeat": f"{self._slot:.3f}"},
            )
        )  # fmt: skip
        assert not lost

    def _end(self, runs: Sequence[Run]) -> None:
        """Let runs begin, and end."""
        began = [
            replace(_claimed(run), status=RunStatus.RUNNING, started=run.started) for run in runs
        ]
        attempts = tuple(replace(attempt_of(run), ended=None, outcome=None) for run in runs)
        self._move(began, RunStatus.CLAIMED, attempts, count_starts(began))
        ended = tuple(map(attempt_of, runs))
        self._move(runs, RunStatus.RUNNING, ended, count_verdicts(runs))

    def _move(
        self,
        runs: Sequence[Run],
        was: RunStatus,
        attempts: Sequence[Attempt],
        counts: Iterable[Count],
    ) -> None:
        moves = tuple(Move(run=run, was=frozenset({was})) for run in runs)
        assert not self.log.apply(
            Decision(moves=moves, attempts=tuple(attempts), counts=tuple(counts))
        )


def _claimed(run: Run) -> Run:
    return replace(run, status=RunStatus.CLAIMED, started=None, ended=None, exit_code=None)


def measure(bench: Bench) -> list[Row]:
    """Measure a growing run log, and what is left of it after pruning."""
    year = Year(bench)
    minutes, steps = (10, 4) if bench.quick else (100, 100)
    found: list[Measured] = []
    for size in QUICK if bench.quick else SIZES:
        year.grow(size)
        found.append(year.measure(minutes, steps))
    rows = [row for each in found for row in each.rows()]
    rows += [_flat("a run", [each.minutes for each in found])]
    rows += [_flat("a prune step", [each.steps for each in found])]
    rows += [_flat("a claim behind a prune step", [each.behind for each in found])]
    rows += _file(year, found[-1].size // 10)
    year.log.close()
    return rows


def _flat(what: str, times: Sequence[Times]) -> Row:
    ratio = times[-1].usual / times[-2].usual
    what = f"{what}: ten times the log beside the log"
    return Row(section=SECTION, what=what, unit="ratio", **at_most(ratio, FLAT))


def _file(year: Year, part: int) -> list[Row]:
    """Prune a part of the log and fill it again; return what the file says to that."""
    size, count = year.size(), year.count()
    year.prune(part)
    pruned, free = year.size(), year.log._pragma("freelist_count") * year.log._pragma("page_size")
    year.grow(count)
    again = year.size()
    return [
        Row(section=SECTION, what="bytes a run takes with its attempt", value=size / count,
            unit="bytes", note=f"{count:,} runs, {size / 2**20:,.0f} MiB"),
        Row(section=SECTION, what=f"the file after {part:,} runs were pruned", value=pruned / size,
            unit="ratio", note=f"{free / 2**20:,.0f} MiB in it are free"),
        Row(section=SECTION, what="the file after as many new ones", unit="ratio",
            **at_most(again / size, 1.05)),
        Row(section=SECTION, what="the most that was in the WAL", unit="MiB",
            **at_most(year.wal, WAL)),
    ]  # fmt: skip
