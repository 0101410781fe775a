"""The benchmark of idling works, and a scheduler with nothing to do does nothing."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from idle import measure
from report import Bench


def test_an_idle_scheduler_sleeps_and_holds_little(tmp_path: Path) -> None:
    """A count that may not wander; memory is held to twice its goal, as builds of Python differ."""
    rows = measure(Bench(folder=tmp_path, quick=True))
    woken = [row.value for row in rows if row.unit == "count"]
    resident = [row.value or 0.0 for row in rows if row.unit == "MiB"]

    assert woken == [0]
    assert len(resident) == 4
    assert 0 < max(resident) < 90
