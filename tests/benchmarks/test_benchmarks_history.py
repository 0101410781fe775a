"""The benchmark of history works: every question finds what was stored for it, and none scans."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from history import STATUSES, measure
from report import Bench

#: How many entries a question finds in the short form.
FOUND = {
    "newest 50 of one schedule": 50,
    "newest 50 of 500 that never ran": 0,
    "failed, of one that ran each second": 1,
    "skipped, of one": 1,
    "cancelled, of all": 0,
    "succeeded, of all": 50,
    "a run by the beginning of its id": 1,
}


def test_every_question_is_answered_from_where_its_answer_stands(tmp_path: Path) -> None:
    """Thirty times the price of fifty lines is far from a scan of all, and far from noise."""
    rows = {row.what: row for row in measure(Bench(folder=tmp_path, quick=True))}
    asked = {what: row.value or 0.0 for what, row in rows.items() if row.goal}
    price = asked["newest 50 of one schedule"]

    assert {what: int(rows[what].note.split()[0]) for what in FOUND} == FOUND
    assert len(asked) >= 3 * len(STATUSES)
    assert {what: took for what, took in asked.items() if took > 30 * price} == {}
