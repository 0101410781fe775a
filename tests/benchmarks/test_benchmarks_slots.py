"""The benchmark of slots works: steps are far cheaper than croniter's, and all are right."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from report import Bench
from slots import KINDS, measure


def test_steps_are_cheap_and_right(tmp_path: Path) -> None:
    """Three times is far below the goal: a few hundred steps begin with what is learnt once."""
    rows = measure(Bench(folder=tmp_path, quick=True))
    ratios = {row.what: row.value or 0.0 for row in rows if row.unit == "ratio"}
    wrong = {row.what: row.value for row in rows if row.unit.startswith("of ")}

    assert len(ratios) == 2 * len(KINDS)
    assert {what: ratio for what, ratio in ratios.items() if ratio < 3.0} == {}
    assert sum("flytesched" in what for what in wrong) == 2
    assert {what for what, count in wrong.items() if "flytesched" in what and count} == set()
