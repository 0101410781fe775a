"""The benchmark of starts and edits works, and no slot waits for an edit."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ready import measure
from report import Bench


def test_slots_do_not_notice_edits(tmp_path: Path) -> None:
    """Edits without a pause between them, of a manifest of a thousand, and no second is left out.

    The ratio is of few starts on a busy machine; a scheduler that stood still for each edit would
    show it in seconds without a start.
    """
    rows = measure(Bench(folder=tmp_path, quick=True))
    lags = [row for row in rows if row.unit == "ms"]

    assert len([row for row in rows if "start" in row.what and row.unit == "s"]) == 4
    assert len([row for row in rows if "is live" in row.what]) == 4
    assert all("0 seconds without a start" in row.note for row in lags)
