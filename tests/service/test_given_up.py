"""Slots that were missed under an earlier timing: what commands may do with them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from flytesched.core.decision import Decision
from flytesched.core.runs import Gap
from flytesched.core.timetables.parse import make_timing
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from desk import Desk

MIDNIGHT = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR = 3600
BACKFILL = ("backfill", "x", "--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T06:00:00Z")


def missed(desk: Desk, **keys: object) -> None:
    """Record that x missed six slots when it was hourly, and make it half-hourly."""
    desk.write(f"[schedules.x]\nevery = '30m'\ncommand = 'true'\ncwd = '{desk.home}'\n")
    desk.run("catchup")
    gap = Gap(
        schedule="x", after=MIDNIGHT - 1, until=MIDNIGHT + 5 * HOUR, count=6, reason="no scheduler",
        timing=make_timing("every", "1h", timezone=None).text, **keys,  # type: ignore[arg-type]
    )  # fmt: skip
    log = SqliteRunLog(desk.home / "state" / "runs.db")
    log.apply(Decision(gaps=(gap,)))
    log.close()


def test_a_slot_that_was_given_up_cannot_be_triggered(desk: Desk) -> None:
    missed(desk, closed_at=1.0, closed_as="declined")
    done = subprocess.run(
        [*desk.program, "trigger", "x", "--at", "2026-01-01T02:00:00Z"],
        env=desk.environ, cwd=desk.home, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 4
    assert f"sched-x-{MIDNIGHT + 2 * HOUR} was given up" in done.stderr
    assert "leave out --at" in done.stderr


def test_a_backfill_takes_the_slots_that_an_old_timing_did_not_have(desk: Desk) -> None:
    """It leaves those of the gap to catch-up, and the gap stays open until they have run."""
    missed(desk)
    assert desk.json(*BACKFILL, "--dry-run")["missed"] == 6
    desk.run(*BACKFILL, "--yes", "--parallel", "6")
    entries = desk.json("history", "x")["entries"]
    assert sorted(entry["status"] for entry in entries) == ["missed"] * 6 + ["succeeded"] * 6
    desk.run("catchup", "--yes")
    entries = desk.json("history", "x")["entries"]
    assert [entry["status"] for entry in entries] == ["succeeded"] * 12
