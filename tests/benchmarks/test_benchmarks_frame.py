"""The benchmark of the live screen works, and the second frame costs less than the first."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from frame import measure
from report import Bench


def test_a_frame_is_measured(tmp_path: Path) -> None:
    """Its two parts come to the whole, or nearly: each is a median."""
    rows = {row.what: row for row in measure(Bench(folder=tmp_path, quick=True))}
    whole, look, picture, first = (row.value or 0.0 for row in rows.values())

    assert rows["a frame"].note == "200 schedules, 4,000 runs, 50 of them active"
    assert whole == look + picture
    assert 0.0 < whole < first
