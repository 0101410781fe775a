"""From the start to ready, and from an edit to where it counts; and what slots notice of edits."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from report import Row, at_most
from served import Served, manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report import Bench

SECTION = "ready"
#: Seconds to ready by the number of schedules, on a quiet machine with two cores.
READY = {100: 0.25, 10_000: 0.6, 100_000: 4.0}
#: Seconds from an edit of one schedule to where it counts.
LIVE = {100: 1.0, 10_000: 1.0, 100_000: 5.0}
#: Due each second; it says when it ran.
_BEAT = '[schedules.beat]\nevery = "1s"\ncommand = ["/bin/sh", "-c", "date +%s.%N >> {file}"]\n'
_EDITED = '[schedules.edited]\nevery = "24h"\ncommand = "number {number}"\n'


def measure(bench: Bench) -> list[Row]:
    """Return the figures for each number of schedules."""
    counts = (100, 1000) if bench.quick else tuple(READY)
    rounds = 2 if bench.quick else 5
    rows = [row for count in counts for row in _starts(bench, count, rounds)]
    rows += [row for count in counts for row in _edits(bench, count, rounds)]
    return rows + _beats(bench, counts[-1])


def _starts(bench: Bench, count: int, rounds: int) -> list[Row]:
    served = [Served.of(bench.python, bench.folder, manifest(count)) for _ in range(rounds)]
    rows = []
    for start in ("first", "second"):
        wall, cpu = [], []
        for one in served:
            with one:
                wall.append(one.ready)
                cpu.append(one.ready_cpu)
        what = f"{count:,} schedules, {start} start"
        note = f"{statistics.median(cpu):.3f} s of CPU; {len(wall)} starts"
        rows.append(_row(what, statistics.median(wall), READY.get(count), note))
    return rows


def _edits(bench: Bench, count: int, rounds: int) -> list[Row]:
    """Return how long an edit takes, of one schedule and, the worst there is, of all."""
    rows = []
    with Served.of(bench.python, bench.folder, manifest(count)) as served:
        served.rest()
        for what, texts in (
            ("one", [manifest(count, _EDITED.format(number=n)) for n in range(rounds)]),
            ("all", [manifest(count, f'[defaults]\ntimeout = "{n + 1}h"\n') for n in range(2)]),
        ):
            wall, cpu = zip(*map(served.edit, texts), strict=True)
            note = f"{statistics.median(cpu):.3f} s of CPU; {len(wall)} edits"
            goal = LIVE.get(count) if what == "one" else None
            said = f"an edit of {what} of {count:,} is live"
            rows.append(_row(said, statistics.median(wall), goal, note))
    return rows


def _row(what: str, seconds: float, goal: float | None, note: str) -> Row:
    value = round(seconds, 3)
    if goal is None:
        return Row(section=SECTION, what=what, value=value, unit="s", note=note)
    return Row(section=SECTION, what=what, unit="s", note=note, **at_most(value, goal))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """How long after its second a job ran, in milliseconds."""

    median: float
    most: float
    #: How many seconds had no start at all.
    missed: int


def _beats(bench: Bench, count: int) -> list[Row]:
    """Return how late a job of each second starts, left alone and while the manifest is edited."""
    seconds = 5 if bench.quick else 20
    ground = Path(bench.folder) / f"beats-{count}"
    beat = _BEAT.format(file=ground)
    texts = [manifest(count, beat + _EDITED.format(number=n)) for n in range(2)]
    turns: dict[bool, list[Lags]] = {False: [], True: []}
    edits, fresh = 0, itertools.cycle(texts[::-1])
    with Served.of(bench.python, bench.folder, texts[0]) as served:
        served.rest(0.3)
        for edited in (False, True) * (1 if bench.quick else 3):
            ground.unlink(missing_ok=True)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if edited:
                    served.edit(next(fresh))
                    edits += 1
                else:
                    time.sleep(0.1)
            turns[edited].append(_lags(ground))
    rows = []
    for edited, lags in turns.items():
        what = f"lag of a job each second, {count:,} schedules, "
        what += f"edited {edits} times" if edited else "left alone"
        most = max(lag.most for lag in lags)
        note = f"at most {most:.1f} ms; {sum(lag.missed for lag in lags)} seconds without a start"
        value = round(statistics.median(lag.median for lag in lags), 2)
        rows.append(Row(section=SECTION, what=what, value=value, unit="ms", note=note))
    ratio = rows[1].value / rows[0].value if rows[0].value and rows[1].value else 0.0
    what = "lag while edited beside left alone"
    return [*rows, Row(section=SECTION, what=what, unit="ratio", **at_most(round(ratio, 2), 2.0))]


def _lags(file: Path) -> Lags:
    """Return the lags of what ran; the first and the last second may be parts."""
    moments = [float(line) for line in file.read_text().split()] if file.exists() else []
    lags: Sequence[float] = sorted((at % 1.0) * 1e3 for at in moments)
    slots = {int(at) for at in moments}
    missed = max(slots) - min(slots) + 1 - len(slots) if slots else 0
    if not lags:
        msg = "nothing ran at all"
        raise RuntimeError(msg)
    return Lags(median=statistics.median(lags), most=lags[-1], missed=missed)
