"""What is seen while a story goes on: verdicts as they first appear, and how time passes."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.stage import Stage

#: Seconds between two beats of the pulse.
_BEAT = 0.02

Verdict = tuple[str, str | None, int | None, float]
_VERDICTS = "SELECT id, status, reason, exit_code, ended FROM runs WHERE ended >= ?"
#: Seconds of the past that a look looks at, and how many looks there are to one that sees all.
_RECENT, _WHOLE = 30.0, 60


@dataclass
class Watcher:
    """Reads the run log with SQL of its own and notes each verdict the first time it is there."""

    database: Path
    seen: dict[str, Verdict] = field(default_factory=dict)
    #: Ids of verdicts that changed, or vanished, with what they were and are.
    changed: dict[str, tuple[Verdict, Verdict | None]] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)

    _looks: int = 0

    def look(self, *, whole: bool = False) -> None:
        """Hold what is there now against what was seen before."""
        self._looks += 1
        whole |= self._looks % _WHOLE == 0
        since = 0.0 if whole else time.time() - _RECENT
        try:
            with closing(
                sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=1.0)
            ) as reader:
                rows = reader.execute(_VERDICTS, (since,)).fetchall()
                states = reader.execute("SELECT name, enabled FROM schedules").fetchall()
        except sqlite3.Error:
            return  # locked or not there yet; the next look sees the same
        now: dict[str, Verdict] = {row[0]: row[1:] for row in rows}
        for run, verdict in self.seen.items():
            if (whole or verdict[3] >= since) and now.get(run) != verdict:
                self.changed.setdefault(run, (verdict, now.get(run)))
        self.seen |= now
        self.enabled = {name: bool(on) for name, on in states}


@dataclass
class Vitals:
    """Memory and descriptors of the schedulers of a stage, each from its start to its end."""

    stage: Stage
    #: By pid: ``(seconds since it was first looked at, KiB resident, descriptors)``.
    lives: dict[int, list[tuple[float, int, int]]] = field(default_factory=dict)
    _born: dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        """Look once."""
        with suppress(OSError, StopIteration, AssertionError):
            pid = self.stage.pid
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            age = time.monotonic() - self._born.setdefault(pid, time.monotonic())
            self.lives.setdefault(pid, []).append((round(age), rss, descriptors))

    def figures(self) -> list[dict[str, int]]:
        """Return how the lives of over two minutes went, each after its first half minute."""
        found = []
        for samples in self.lives.values():
            grown = [sample for sample in samples if sample[0] >= 30]
            if samples[-1][0] >= 120:
                found.append(
                    {
                        "seconds": int(samples[-1][0]),
                        "rss_kib_early": grown[0][1], "rss_kib_late": grown[-1][1],
                        "rss_kib_most": max(rss for _, rss, _ in grown),
                        "descriptors_early": grown[0][2], "descriptors_late": grown[-1][2],
                        "descriptors_most": max(fds for _, _, fds in grown),
                    }
                )  # fmt: skip
        return found


@dataclass
class Pulse:
    """Notes when this process itself was kept from running: nobody else can be blamed for that."""

    #: ``(moment, seconds)`` of each beat that came late.
    stalls: list[tuple[float, float]] = field(default_factory=list)

    def beat(self) -> None:
        """Beat once."""
        before = time.monotonic()
        time.sleep(_BEAT)
        late = time.monotonic() - before - _BEAT
        if late > 0.1:
            self.stalls.append((time.time(), late))

    def stalled(self, begin: float, end: float) -> float:
        """Return the seconds lost in a stretch."""
        return sum(late for at, late in self.stalls if begin <= at <= end + late)


class Background:
    """Calls something again and again in a thread until it is stopped."""

    def __init__(self, work: Callable[[], None], pause: float) -> None:
        self._work, self._pause = work, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        while not self._stop.wait(self._pause):
            self._work()

    def stop(self) -> None:
        """Stop, and wait for the last call."""
        self._stop.set()
        self._thread.join()
