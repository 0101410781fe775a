"""A run log with very many runs, made in seconds: by the schema's own statements, in bulk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.bootstrap import bind, open_site
from flytesched.core.runs import Attempt, Origin, Run, RunStatus, run_id
from flytesched.runlog.rows import ATTEMPT, RUN, attempt_row, columns, places, run_row
from flytesched.service.catchup import record_missed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flytesched.bootstrap import Site
    from flytesched.runlog.sqlite import SqliteRunLog

#: Runs written in one transaction.
_BATCH = 20_000
_INSERT_RUN = f"INSERT INTO runs (seq, {columns(RUN)}) VALUES (?, {places(RUN)})"
_INSERT_ATTEMPT = f"INSERT INTO attempts ({columns(ATTEMPT)}) VALUES ({places(ATTEMPT)})"


def usual(number: int) -> RunStatus:
    """Return the status of a run: of a hundred, two fail and one is skipped."""
    if number % 100 == 50:
        return RunStatus.SKIPPED
    return RunStatus.FAILED if number % 50 == 20 else RunStatus.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What a run log is filled with: every schedule has a run at every step of time."""

    #: Names of the schedules.
    names: Sequence[str]
    #: Runs of each.
    runs: int
    #: Epoch second of the first slot.
    begin: int
    #: Seconds from one slot to the next.
    step: int = 60
    #: Returns the status of a run by its number.
    kind: Callable[[int], RunStatus] = usual

    @property
    def end(self) -> int:
        """Epoch second of the last slot."""
        return self.begin + (self.runs - 1) * self.step


def seen(folder: Path, names: Sequence[str]) -> Site:
    """Make a manifest of schedules, and a run log that has seen it and holds nothing else."""
    text = "".join(
        f'[schedules.{name}]\ncron = "* * * * *"\ntimezone = "UTC"\ncommand = ["true"]\n'
        for name in names
    )
    manifest = folder / "schedules.toml"
    manifest.write_text(f"version = 1\n{text}", encoding="utf-8")
    site = open_site(
        manifest=str(manifest), state_dir=str(folder / "state"), environ=os.environ
    )  # fmt: skip
    log = site.runlog(holder=True)
    bind(site, log, rebind=False)
    record_missed(log, site.manifest().schedules, site.now(), 10.0)
    log.close()
    return site


def fill(log: SqliteRunLog, stock: Stock) -> int:
    """Store the runs with their attempts, in the order of time; return how many there are."""
    stored = int(log._all("SELECT coalesce(max(seq), 0) FROM runs")[0][0])
    runs, attempts = [], []
    for seq, run in enumerate(_runs(stock), stored + 1):
        runs.append((seq, *run_row(run)))
        if run.started is not None:
            attempts.append((seq, *attempt_row(attempt_of(run))[1:]))
        if len(runs) >= _BATCH:
            _store(log, runs, attempts)
            runs, attempts = [], []
    _store(log, runs, attempts)
    log.checkpoint()
    return len(stock.names) * stock.runs


def attempt_of(run: Run) -> Attempt:
    """Return the attempt of a run that was started, of usual size."""
    return Attempt(
        run=run.id, attempt=1, boot_id="3e8a45a1-6f0b-4c8e-9d55-2b1d7f6f0f4a",
        ordered=run.created, started=run.started, pid=4711, pid_started=123_456,
        ended=run.ended, outcome="exited", exit_code=run.exit_code, cpu=0.004, max_rss=3_500,
        log=f"logs/{run.schedule}/{run.id}.1.log",
    )  # fmt: skip


def _runs(stock: Stock) -> Iterator[Run]:
    for number in range(stock.runs):
        slot = stock.begin + number * stock.step
        for place, name in enumerate(stock.names):
            yield run_of(name, slot, stock.kind(number + place), took=1.0 + number % 7)


def run_of(name: str, slot: int, status: RunStatus, *, took: float = 1.0) -> Run:
    """Return the run of a slot with its verdict."""
    keys: dict[str, object] = {"reason": "overlap", "ended": slot + 0.001}
    if status is not RunStatus.SKIPPED:
        failed = int(status is RunStatus.FAILED)
        keys = {
            "exit_code": failed, "attempt": 1, "started": slot + 0.002, "ended": slot + took,
        }  # fmt: skip
    return Run(
        id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE,
        status=status, created=slot + 0.001, not_before=float(slot), revision=1, **keys,
    )  # fmt: skip


def _store(
    log: SqliteRunLog, runs: Sequence[tuple[object, ...]], attempts: Sequence[object]
) -> None:
    with log.transaction() as connection:
        connection.executemany(_INSERT_RUN, runs)
        connection.executemany(_INSERT_ATTEMPT, attempts)
