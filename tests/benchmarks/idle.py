"""A scheduler with nothing to do: its wake-ups, its CPU time, its memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from report import Row, at_most
from served import Served, manifest

if TYPE_CHECKING:
    from report import Bench

SECTION = "idle"
#: MiB that the fewest schedules may take, and KiB that each further one may.
BASE, EACH = 45.0, 1.0


def measure(bench: Bench) -> list[Row]:
    """Return the figures of a few schedules and of many, after a first and a second start."""
    few, counts = 100, (1000,) if bench.quick else (1000, 10_000, 100_000)
    rows: list[Row] = []
    base = _memory(bench, few)
    for start, mib in zip(("first", "second"), base, strict=True):
        what = f"resident, {few} schedules, {start} start"
        rows.append(Row(section=SECTION, what=what, unit="MiB", **at_most(round(mib, 1), BASE)))
    for count in counts:
        for start, first, mib in zip(("first", "second"), base, _memory(bench, count), strict=True):
            goal = round(BASE + EACH * (count - few) / 1024, 1)
            what = f"resident, {count:,} schedules, {start} start"
            note = f"{(mib - first) * 1024 / (count - few):.2f} KiB for each further one"
            figure = at_most(round(mib, 1), goal)
            rows.append(Row(section=SECTION, what=what, unit="MiB", note=note, **figure))
    return rows + _sleep(bench, counts[0] if bench.quick else 10_000)


def _memory(bench: Bench, count: int) -> list[float]:
    """Return what a scheduler holds after its first start, and after its second."""
    served = Served.of(bench.python, bench.folder, manifest(count))
    found = []
    for _ in range(2):
        with served:
            served.rest()
            found.append(served.resident())
    return found


def _sleep(bench: Bench, count: int) -> list[Row]:
    """Return what a scheduler does while nothing is due and nobody edits."""
    seconds = 3 if bench.quick else 60
    with Served.of(bench.python, bench.folder, manifest(count)) as served:
        served.rest()
        woken, cpu = served.wake_ups(), served.cpu()
        time.sleep(seconds)
        woken, cpu = served.wake_ups() - woken, served.cpu() - cpu
    what = f"{count:,} schedules, none due, {seconds} s"
    return [
        Row(section=SECTION, what=f"wake-ups: {what}", unit="count", **at_most(woken, 0)),
        Row(section=SECTION, what=f"CPU: {what}", unit="s", **at_most(round(cpu, 4), 0.01)),
    ]
