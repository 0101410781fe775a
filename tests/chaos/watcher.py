"""What is seen while a story goes on: verdicts as they first appear, and how time passes."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds between two looks at the run log, and between two beats of the pulse.
_LOOK, _BEAT = 1.0, 0.02

Verdict = tuple[str, str | None, int | None, float]
_VERDICTS = "SELECT id, status, reason, exit_code, ended FROM runs WHERE ended IS NOT NULL"


@dataclass
class Watcher:
    """Reads the run log with SQL of its own and notes each verdict the first time it is there."""

    database: Path
    seen: dict[str, Verdict] = field(default_factory=dict)
    #: Ids of verdicts that changed, or vanished, with what they were and are.
    changed: dict[str, tuple[Verdict, Verdict | None]] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)

    def look(self) -> None:
        """Hold what is there now against what was seen before."""
        try:
            with_uri = f"file:{self.database}?mode=ro"
            connection = sqlite3.connect(with_uri, uri=True, timeout=1.0)
            try:
                rows = connection.execute(_VERDICTS).fetchall()
                states = connection.execute("SELECT name, enabled FROM schedules").fetchall()
            finally:
                connection.close()
        except sqlite3.Error:
            return  # locked or not there yet; the next look sees the same
        now = {row[0]: tuple(row[1:]) for row in rows}
        for run, verdict in self.seen.items():
            if now.get(run) != verdict:
                self.changed.setdefault(run, (verdict, now.get(run)))
        self.seen |= now
        self.enabled = {name: bool(on) for name, on in states}


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

    def __init__(self, work: object, pause: float) -> None:
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
