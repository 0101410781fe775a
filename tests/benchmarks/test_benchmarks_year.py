"""The benchmark of a growing run log works, and neither runs nor pruning grow with it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from report import Bench
from year import measure


def test_a_run_costs_the_same_whatever_is_kept(tmp_path: Path) -> None:
    """Three times is far beyond the goal: the log grows by ten, and medians of few wander."""
    rows = {row.what: row.value or 0.0 for row in measure(Bench(folder=tmp_path, quick=True))}
    ratios = {what: value for what, value in rows.items() if "beside the log" in what}

    assert len(ratios) == 3
    assert {what: ratio for what, ratio in ratios.items() if not 1 / 3 < ratio < 3} == {}
    assert 150 < rows["bytes a run takes with its attempt"] < 600
    assert rows["the file after as many new ones"] < 1.2
    assert rows["the most that was in the WAL"] < 16
