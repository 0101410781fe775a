"""What the benchmark says: rows of one table, the same as JSON, and how noisy the machine was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    #: The section it belongs to.
    section: str
    #: What was measured, the peer's name or the setting included.
    what: str
    #: The figure; None for what could not be measured, which ``note`` explains.
    value: float | None
    #: Its unit: ``ratio``, ``ms``, ``s``, ``MiB``, ``KiB``, ``per s``, a count.
    unit: str
    #: The goal in words, if there is one: ``>= 0.80``.
    goal: str = ""
    #: Whether the goal holds; None without one.
    holds: bool | None = None
    #: What one has to know about it.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a section is given."""

    #: A folder of its own, removed afterwards.
    folder: Path
    #: Whether to take the short form: the same code, fewer and smaller rounds.
    quick: bool
    #: The interpreter of the environment whose flytesched is measured.
    python: str = sys.executable


def at_least(value: float, goal: float) -> dict[str, Any]:
    """Return the goal of a figure that shall be high."""
    return {"value": value, "goal": f">= {goal:g}", "holds": value >= goal}


def at_most(value: float, goal: float) -> dict[str, Any]:
    """Return the goal of a figure that shall be low."""
    return {"value": value, "goal": f"<= {goal:g}", "holds": value <= goal}


def table(rows: Iterable[Row]) -> str:
    """Return rows as one table, a heading for each section."""
    rows = list(rows)
    width = max((len(row.what) for row in rows), default=0)
    lines: list[str] = []
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"-- {section}"]
        lines.append(line(row, width))
    return "\n".join(lines)


def line(row: Row, width: int = 0) -> str:
    """Return a row as a line, its name padded to a width."""
    mark = {True: "ok  ", False: "MISS", None: "    "}[row.holds]
    figure = "-" if row.value is None else f"{row.value:,.4g}"
    tail = "  ".join(part for part in (row.goal, row.note) if part)
    return f"{mark} {row.what:<{width}}  {figure:>10} {row.unit:<7} {tail}".rstrip()


def as_json(rows: Sequence[Row], noise: dict[str, Any]) -> str:
    """Return everything as JSON."""
    said = {"schema_version": 1, "machine": machine(), "noise": noise}
    return json.dumps(said | {"rows": [asdict(row) for row in rows]}, indent=2)


def machine() -> dict[str, Any]:
    """Return what figures have to be read with."""
    return {
        "cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }  # fmt: skip


class Noise:
    """How much a fixed piece of work varies: the machine's other guests, not what is measured."""

    def __init__(self) -> None:
        """Begin without a probe."""
        self._probes: list[float] = []

    def probe(self) -> None:
        """Do the work some times, and note how long each took on the wall."""
        for _ in range(20):
            began = time.perf_counter()
            sum(range(100_000))
            self._probes.append((time.perf_counter() - began) * 1e3)

    def said(self) -> dict[str, Any]:
        """Return the spread: 1.0 means that the slow tenth takes as long as the median."""
        deciles = statistics.quantiles(self._probes, n=10)
        median = statistics.median(self._probes)
        return {
            "probes": len(self._probes), "median_ms": round(median, 3),
            "p90_over_median": round(deciles[8] / median, 2),
            "max_over_median": round(max(self._probes) / median, 2),
        }  # fmt: skip
