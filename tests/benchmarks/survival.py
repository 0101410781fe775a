"""What it costs that commands outlive the scheduler, run for run.

One command in four ways, dealt in turn within one run so that a noisy machine treats them alike:
a bare ``posix_spawn`` of ``sh -c``, the same through the standard library's ``subprocess``, and
the launcher without and with a supervisor. For each: the time that the starting process needs, the
CPU time of what it started, and the memory that a supervisor adds while its command runs.
"""

from __future__ import annotations

import itertools
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "executors"))

from executors_desk import Desk, eventually
from report import Bench, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECTION = "survival"
#: A shell's own work and one program: what small jobs do.
COMMAND = "/bin/true; :"


@dataclass
class Way:
    """One way to start a command, and what it costs."""

    name: str
    #: Starts it, and returns what waits for its end.
    start: Callable[[], Callable[[], object]]
    #: Microseconds until the starter is free again, and CPU of the children, per run.
    starts: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def once(self) -> None:
        """Start it and wait for its end."""
        before = _children()
        began = time.perf_counter()
        wait = self.start()
        self.starts.append((time.perf_counter() - began) * 1e6)
        wait()
        self.cpu.append((_children() - before) * 1e6)

    def rows(self) -> list[Row]:
        """Return what it costs."""
        p90 = statistics.quantiles(self.starts, n=10)[8]
        return [
            Row(
                section=SECTION, what=f"{self.name}: until the starter is free", unit="us",
                value=statistics.median(self.starts), note=f"p90 {p90:,.0f}",
            ),
            Row(
                section=SECTION, what=f"{self.name}: CPU of children", unit="us",
                value=statistics.median(self.cpu),
            ),
        ]  # fmt: skip


def _children() -> float:
    """Return the CPU seconds of the children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bare() -> Callable[[], object]:
    """Do the least that runs a shell."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", COMMAND], os.environ)
    return lambda: os.waitpid(pid, 0)


def standard() -> Callable[[], object]:
    """Do it as most programs in Python do."""
    return subprocess.Popen(["/bin/sh", "-c", COMMAND], start_new_session=True).wait


def launched(desk: Desk, *, survive: bool) -> Callable[[], Callable[[], object]]:
    """Do it as the scheduler does, its claim apart."""

    def start() -> Callable[[], object]:
        order = orders[survive].pop()
        desk.launcher.start(order)

        def wait() -> None:
            desk.outcome()
            desk.launcher.forget([order.attempt.key])

        return wait

    orders[survive] = []
    return start


orders: dict[bool, list[Any]] = {}


def memory(desk: Desk) -> float:
    """Return the KiB that a supervisor holds alone while its command runs."""
    attempt = desk.start(["sleep", "60"])
    pid = int(attempt.pid or 0)
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    children = Path(f"/proc/{pid}/task/{pid}/children")
    eventually(lambda: children.read_text().strip())
    found = _private(rollup.read_text())
    desk.launcher.terminate(attempt.key)
    desk.outcome()
    return found


def _private(text: str) -> float:
    lines = (line.split() for line in text.splitlines())
    return sum(float(words[1]) for words in lines if words[0].startswith("Private_"))


def rounds(ways: list[Way], count: int) -> Iterator[Way]:
    """Deal the ways in turn."""
    return itertools.islice(itertools.cycle(ways), count * len(ways))


def measure(bench: Bench) -> list[Row]:
    """Return the figures of every way, and what a supervisor holds."""
    runs = 25 if bench.quick else 400
    desk = Desk.at(bench.folder, dict(os.environ))
    ways = [
        Way("sh -c, bare posix_spawn", bare), Way("sh -c, subprocess", standard),
        Way("survive = false", launched(desk, survive=False)),
        Way("survive = true", launched(desk, survive=True)),
    ]  # fmt: skip
    for survive in (False, True):
        orders[survive] += [desk.order(COMMAND, survive=survive) for _ in range(runs + 5)]
    for way in rounds(ways, 5):
        way.once()
    for way in ways:
        way.starts.clear()
        way.cpu.clear()
    for way in rounds(ways, runs):
        way.once()
    held = memory(desk)
    desk.launcher.close()
    supervisor = Row(section=SECTION, what="a supervisor's own memory", value=held, unit="KiB")
    return [*(row for way in ways for row in way.rows()), supervisor]
