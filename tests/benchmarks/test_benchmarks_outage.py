"""The benchmark of outages works: what is missed is counted, and never stored slot by slot."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from outage import KINDS, LOOKS, measure
from report import Bench

#: Schedules, and slots of one in a year.
COUNT, YEAR = 20, 365 * 1440
#: Runs that a start queues of each schedule at most.
QUEUED = {"none": 0, "latest": 1, "all": 100}
#: What a start decided: slots, gaps and runs.
DECIDED = re.compile(r"([0-9,]+) slots as ([0-9,]+) gaps and ([0-9,]+) runs")


def test_a_year_is_a_gap_for_each_schedule(tmp_path: Path) -> None:
    """Counts, not times: half a million slots and half a hundred cost the same rows."""
    rows = {row.what: row.note for row in measure(Bench(folder=tmp_path, quick=True))}
    decided = {
        what: [int(number.replace(",", "")) for number in said.groups()]
        for what, note in rows.items()
        if (said := DECIDED.search(note))
    }

    assert len(rows) == len(KINDS) * (len(QUEUED) + len(LOOKS)) + 1 + len(LOOKS)
    assert decided["a second outage over open gaps: decided"][1] == 2 * COUNT
    for kind in KINDS:
        for policy, most in QUEUED.items():
            slots, gaps, runs = decided[f"{kind}, catchup {policy}: decided"]
            assert gaps == COUNT
            assert runs <= COUNT * most
            if "timetable" in kind:
                assert abs(slots - COUNT * YEAR) <= COUNT
