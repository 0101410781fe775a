"""A schedule gets another name under a scheduler that runs, and while none does."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from desk import EVIDENCE, wait_for

if TYPE_CHECKING:
    from desk import Desk

pytestmark = pytest.mark.slow


def names(desk: Desk) -> list[str]:
    """Return the names under which slots have run, in the order of the slots."""
    return [name for name, _ in sorted(desk.evidence(), key=lambda each: each[1])]


@pytest.mark.parametrize("way", ["under a scheduler", "under a killed one", "without one"])
def test_no_slot_is_lost_or_run_twice_around_a_rename(desk: Desk, way: str) -> None:
    """Each second has one run, under the one name or the other, and the run log is sound."""
    every = 'every = "1s"\ncatchup = "all"\noverlap = "allow"\n'
    desk.write(f"[schedules.first]\n{every}command = '''{EVIDENCE}'''\n")
    loop = desk.start()
    wait_for("the first runs", lambda: len(desk.evidence()) >= 2)
    if way == "without one":
        desk.stop(loop)
    desk.run("rename", "first", "second", "--yes")
    if way == "under a killed one":
        desk.stop(loop, signal.SIGKILL)
    if way != "under a scheduler":
        loop = desk.start()
    wait_for("runs of the new name", lambda: names(desk).count("second") >= 3)
    desk.stop(loop)
    desk.run("run", "--once")

    slots = sorted(slot for _, slot in desk.evidence())
    assert slots == [*range(slots[0], slots[-1] + 1)]
    assert names(desk) == sorted(names(desk))
    told = desk.json("history", "second", "--limit", "1000")["entries"]
    verdicts = {entry["status"] for entry in told}
    assert verdicts == {"succeeded"}
    assert len(told) >= len(slots)
    assert desk.json("db", "check")["findings"] == []
