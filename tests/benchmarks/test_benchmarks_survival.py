"""The benchmark of survival works, and its order is what design and notes say."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from survival import measure


def test_a_supervisor_costs_cpu_and_little_memory() -> None:
    """An order and a ratio, never a time: machines are noisy."""
    figures = measure(25)
    ways = figures["ways"]

    assert set(ways) == {
        "sh -c, bare posix_spawn", "sh -c, subprocess", "survive = false", "survive = true"
    }  # fmt: skip
    assert all(row["start_us"] > 0 for row in ways.values())
    assert 0 < figures["supervisor_kib"] < 1024
