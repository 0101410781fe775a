"""Several processes, and processes that are killed: real ones."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from runlog_builders import DAY, a_run, a_state

from flytesched.core.decision import Decision
from flytesched.core.runs import run_id
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from pathlib import Path

BEGINNING = """
import os, sys
from pathlib import Path
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.runs import *
from flytesched.runlog.sqlite import SqliteRunLog
path, day = Path(sys.argv[1]), int(sys.argv[2])

def claim(n, name="backup"):
    slot = day + 60 * n
    return Run(id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE,
               status=RunStatus.CLAIMED, created=float(slot), attempt=1)
"""


def start(program: str, path: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a program of its own; it tells when it is ready with a line."""
    words = [str(path), str(DAY), *map(str, arguments)]
    return subprocess.Popen(
        [sys.executable, "-c", BEGINNING + program, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


CLAIM_ALL = """
log = SqliteRunLog(path, busy_timeout=30)
print("ready", flush=True)
sys.stdin.readline()
for batch in range(40):
    runs = tuple(claim(n) for n in range(batch * 5, batch * 5 + 5))
    lost = log.apply(Decision(runs=runs, cursors={"backup": runs[-1].scheduled_at},
                              counts=tuple(Count(metric="claims", run=r.id) for r in runs)))
    for run in runs:
        if run.id not in lost:
            print(run.id, flush=True)
log.close()
"""


def test_four_processes_that_claim_the_same_slots_get_each_slot_once(path: Path) -> None:
    """They even make the run log at the same time."""
    claimers = [start(CLAIM_ALL, path) for _ in range(4)]
    for claimer in claimers:
        assert claimer.stdout
        assert claimer.stdout.readline() == "ready\n"
    told = [claimer.communicate("go\n")[0].split() for claimer in claimers]
    claimed = Counter(run for ids in told for run in ids)
    assert claimed == {run_id("backup", DAY + 60 * n): 1 for n in range(200)}
    log = SqliteRunLog(path)
    assert len(log.active()) == 200
    assert log.counters() == {("claims", "", ""): 200.0}
    log.close()


def test_processes_that_make_the_run_log_at_once_end_up_with_one(path: Path) -> None:
    program = "SqliteRunLog(path).apply(Decision(meta={sys.argv[3]: 'x'}))"
    makers = [start(program, path, n) for n in range(6)]
    assert [maker.communicate()[0] for maker in makers] == [""] * 6
    assert [maker.returncode for maker in makers] == [0] * 6
    log = SqliteRunLog(path)
    assert set(log.meta()) == set("012345")
    log.close()
    assert [file.name for file in path.parent.iterdir()] == ["runs.db"]


DIE_AT = """
import signal
from flytesched.runlog import sqlite
die_at, seen = int(sys.argv[3]), 0

def count(sql):
    global seen
    seen += 1
    if seen == die_at:
        os.kill(os.getpid(), signal.SIGKILL)

log = SqliteRunLog(path)
log._connection.set_trace_callback(count)
first, second = claim(1), claim(2)
log.apply(Decision(
    cursors={"backup": second.scheduled_at}, runs=(first, second), meta={"heartbeat": "now"},
    gaps=(Gap(schedule="backup", after=day, until=day + 60, count=1, reason="x", timing="{}"),),
    moves=(Move(run=claim(0).move(RunStatus.FAILED, ended=1.0), was=STARTED),),
    attempts=(Attempt(run=first.id, attempt=1, boot_id="b", ordered=1.0),),
    counts=(Count(metric="claims"),),
))
print(seen)
"""


def test_a_process_killed_between_two_statements_leaves_all_of_a_decision_or_nothing(
    tmp_path: Path,
) -> None:
    whole = 0
    for die_at in range(1, 16):
        path = tmp_path / str(die_at) / "runs.db"
        log = SqliteRunLog(path)
        log.apply(Decision(schedules=(a_state(),), runs=(a_run(),)))
        log.close()
        child = start(DIE_AT, path, die_at)
        child.communicate()
        log = SqliteRunLog(path)
        snapshot = log.load()
        seen = (
            snapshot.schedules["backup"].cursor - DAY, len(snapshot.active), len(snapshot.gaps),
            len(snapshot.attempts), len(snapshot.meta), len(log.counters()),
        )  # fmt: skip
        if child.returncode == -signal.SIGKILL:
            assert seen == (0, 1, 0, 0, 0, 0)
        else:
            assert seen == (120, 2, 1, 1, 1, 1)
            whole += 1
        assert log.integrity_check() == "integrity_check"
        log.close()
    assert 0 < whole < 15


WRITE_FOR_EVER = """
log = SqliteRunLog(path, holder=True)
n = int(sys.argv[3])
while True:
    runs = tuple(claim(n + k) for k in range(3))
    log.apply(Decision(runs=runs, cursors={"backup": runs[-1].scheduled_at},
        attempts=tuple(Attempt(run=r.id, attempt=1, boot_id="b", ordered=1.0) for r in runs)))
    n += 3
    print(n, flush=True)
    if n % 30 == 0:
        log.checkpoint()
"""


def test_a_process_killed_at_any_moment_leaves_what_it_was_told_is_durable(path: Path) -> None:
    log = SqliteRunLog(path)
    log.apply(Decision(schedules=(a_state(),)))
    log.close()
    told = 0
    rng = random.Random(3)
    for _ in range(5):
        writer = start(WRITE_FOR_EVER, path, told)
        assert writer.stdout
        for _ in range(rng.randrange(1, 60)):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        # communicate() would pass over what readline() has read ahead.
        said = writer.stdout.read().split("\n")
        writer.communicate()
        told = max([told, *(int(line) for line in said[:-1])])
        log = SqliteRunLog(path)
        stored = len(log.active())
        assert stored in {told, told + 3}
        assert log.states()["backup"].cursor == DAY + 60 * (stored - 1)
        assert len(log.load().attempts) == stored
        log.close()
        told = stored


def test_nobody_sees_half_a_decision(path: Path) -> None:
    log = SqliteRunLog(path)
    writer = start(WRITE_FOR_EVER, path, 0)
    assert writer.stdout
    for _ in range(20):
        writer.stdout.readline()
        snapshot = log.load()
        assert len(snapshot.active) % 3 == 0
        assert len(snapshot.attempts) == len(snapshot.active)
    writer.kill()
    writer.communicate()
    log.close()
