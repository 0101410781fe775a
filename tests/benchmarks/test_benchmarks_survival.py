"""The benchmark of survival works."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from report import Bench
from survival import measure


def test_a_supervisor_costs_cpu_and_little_memory(tmp_path: Path) -> None:
    """An order and a bound of memory, never a time: machines are noisy."""
    rows = {row.what: row.value for row in measure(Bench(folder=tmp_path, quick=True))}

    for way in (
        "sh -c, bare posix_spawn", "sh -c, subprocess", "survive = false", "survive = true"
    ):  # fmt: skip
        assert (rows[f"{way}: until the starter is free"] or 0) > 0
        assert (rows[f"{way}: CPU of children"] or 0) > 0
    assert 0 < (rows["a supervisor's own memory"] or 0) < 1024
