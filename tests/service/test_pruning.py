"""Pruning on demand beside a scheduler that has slots every second."""

from __future__ import annotations

import pytest

from desk import Desk, wait_for
from flytesched.core.decision import Decision
from flytesched.core.instants import parse_instant
from flytesched.core.runs import Origin, Run, RunStatus, run_id
from flytesched.runlog.sqlite import SqliteRunLog

#: 2001-09-09, a year that `keep_runs` of the test keeps.
LONG_AGO = 1_000_000_000


def _old(slot: int) -> Run:
    return Run(
        id=run_id("old", slot), schedule="old", scheduled_at=slot, origin=Origin.SCHEDULE,
        status=RunStatus.SUCCEEDED, created=float(slot), ended=slot + 1.0,
    )  # fmt: skip


@pytest.mark.slow
def test_every_slot_is_decided_live_while_somebody_prunes(desk: Desk) -> None:
    """What runs and what it writes stay, and the run log is sound afterwards."""
    desk.write(
        '[settings]\nkeep_runs = "9999d"\nkeep_logs = "9999d"\n'
        '[schedules.tick]\nevery = "1s"\ncommand = "true"\noverlap = "allow"\nsurvive = false\n'
        '[schedules.long]\nevery = "1h"\ncommand = "echo here; sleep 600"\nsurvive = false\n'
    )
    runlog = SqliteRunLog(desk.home / "state" / "runs.db")
    runlog.apply(Decision(runs=tuple(map(_old, range(LONG_AGO, LONG_AGO + 10_000)))))
    runlog.close()
    loop = desk.start("--on-stop", "kill")
    desk.run("trigger", "long", "--detach")
    wait_for("slots", lambda: len(desk.json("history", "tick")["entries"]) >= 2)

    said = desk.json("prune", "--keep-runs", "1d", "--keep-logs", "0s", "--yes")

    before = len(desk.json("history", "tick")["entries"])
    wait_for("slots", lambda: len(desk.json("history", "tick")["entries"]) > before + 1)
    assert desk.run("logs", "long") == "here\n"
    assert desk.stop(loop) == 0
    assert said["runs"] == 10_000
    assert said["unused_bytes"] > 0
    assert desk.json("history", "--until", "2002-01-01")["entries"] == []
    entries = desk.json("history", "tick", "--limit", "1000")["entries"]
    slots = sorted(parse_instant(entry["scheduled_at"], "UTC") for entry in entries)
    assert slots == [*range(slots[0], slots[0] + len(slots))]
    assert {entry["status"] for entry in entries} <= {"succeeded", "cancelled"}
    assert desk.json("db", "check")["sound"]
