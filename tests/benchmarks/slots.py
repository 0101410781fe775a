"""Next slots: the time of a step, and whether it is the right one, beside croniter and cronsim.

A peer steps the expression that means the same, in the way that suits it best: croniter as epoch
seconds, cronsim as its iterator. All three walk the same thirty years, and begin them again until
ten thousand steps are taken; they are dealt in turn, and CPU time is what is judged. What is right
is what a clock watched minute by minute says, by Debian cron's rule for clock changes, which
cronsim follows too; croniter promises no rule for them.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent / "timetables"))

from report import Bench, Row, at_least, at_most
from wall_oracle import CHANGES, Job, expected

from flytesched.core.timetables import make_timing, slots, timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flytesched.core.timetables import Timetable

SECTION = "slots"
#: 2024-01-01T00:00:00Z, and thirty years.
BEGIN, SPAN = 1_704_067_200, 30 * 365 * 86_400
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
#: Times a step of croniter, by the goal.
GOAL = 10
#: Seconds on each side of a clock change in which slots are compared.
AROUND = 30 * 3600
#: Seconds after a clock change in which there is none: two weeks, less in few of them.
QUIET = 20 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One timetable, and the cron expression that means the same."""

    #: How the table calls it.
    name: str
    #: Expression for peers.
    cron: str
    #: Key and value of the manifest, where it is another than `cron`.
    key: str = "cron"
    value: str = ""
    seconds: bool = False

    def next(self, zone: str) -> Callable[[int], int | None]:
        """Return our step forward."""
        return self._timetable(zone).next

    def previous(self, zone: str) -> Callable[[int], int | None]:
        """Return our step back."""
        return self._timetable(zone).previous

    def count(self, zone: str) -> Callable[[int, int], int]:
        """Return our count."""
        return self._timetable(zone).count

    def _timetable(self, zone: str) -> Timetable:
        value = self.value or self.cron
        return timetable(make_timing(self.key, value, timezone=zone, seconds=self.seconds))


KINDS = (
    Kind(name="each minute", cron="* * * * *"),
    Kind(name="each second", cron="* * * * * *", seconds=True),
    Kind(name="steps", cron="*/5 * * * *"),
    Kind(name="lists and ranges", cron="15,45 6-20/2 * 1-3 *"),
    Kind(name="every night", cron="0 2 * * *"),
    Kind(name="daily", cron="0 2 * * *", key="daily", value="02:00"),
    Kind(name="hourly", cron="15 * * * *", key="hourly", value="15"),
    Kind(name="every 5m", cron="*/5 * * * *", key="every", value="5m"),
    Kind(name="weekdays", cron="30 9 * * 1-5"),
    Kind(name="aws_cron", cron="0 10 * * 1-5", key="aws_cron", value="0 10 ? * MON-FRI *"),
    Kind(name="the first of the month", cron="0 0 1 * *"),
    Kind(name="the last of the month", cron="0 0 L * *"),
    Kind(name="the third Friday", cron="0 12 * * 5#3"),
    Kind(name="the 13th or a Friday", cron="0 0 13 * 5"),
    Kind(name="29 February", cron="0 0 29 2 *"),
)


@dataclass(slots=True)
class Step:
    """What a step took of each program, in microseconds, by zone."""

    ours: list[float]
    croniter: list[float]
    cronsim: list[float]

    @property
    def ratio(self) -> float:
        """Times our step, by the median of neighbours."""
        return statistics.median(t / o for t, o in zip(self.croniter, self.ours, strict=True))

    def said(self) -> str:
        """Return the times in words."""
        each = (statistics.median(times) for times in (self.ours, self.croniter, self.cronsim))
        return "{:.2f} µs; croniter {:.1f}, cronsim {:.1f}".format(*each)


def measure(bench: Bench) -> list[Row]:
    """Measure steps forward and back, counts, and what is right around clock changes."""
    steps = 300 if bench.quick else 10_000
    zones = ZONES[:2] if bench.quick else ZONES
    rows = []
    for way, word in ((_forward, "next"), (_back, "previous")):
        found = {kind: way(kind, zones, steps) for kind in KINDS}
        rows += [
            Row(section=SECTION, what=f"{word}: {kind.name}", unit="ratio", note=step.said(),
                **at_least(step.ratio, GOAL))
            for kind, step in found.items()
        ]  # fmt: skip
    rows += [_counted(kind) for kind in KINDS]
    return [*rows, *_right(1 if bench.quick else len(CHANGES))]


# -- steps ----------------------------------------------------------------------------------------


def _forward(kind: Kind, zones: tuple[str, ...], steps: int) -> Step:
    from croniter import croniter
    from cronsim import CronSim

    def of_croniter(zone: str) -> Iterator[object]:
        begin = datetime.fromtimestamp(BEGIN, ZoneInfo(zone))
        each = croniter(kind.cron, begin, second_at_beginning=kind.seconds)
        while True:
            yield each.get_next(float)

    def of_cronsim(zone: str) -> Iterator[object]:
        return CronSim(kind.cron, datetime.fromtimestamp(BEGIN, ZoneInfo(zone)))

    return _deal(kind.next, BEGIN, (of_croniter, of_cronsim), zones, steps)


def _back(kind: Kind, zones: tuple[str, ...], steps: int) -> Step:
    from croniter import croniter
    from cronsim import CronSim

    end = BEGIN + SPAN

    def of_croniter(zone: str) -> Iterator[object]:
        begin = datetime.fromtimestamp(end, ZoneInfo(zone))
        each = croniter(kind.cron, begin, second_at_beginning=kind.seconds)
        while True:
            yield each.get_prev(float)

    def of_cronsim(zone: str) -> Iterator[object]:
        return CronSim(kind.cron, datetime.fromtimestamp(end, ZoneInfo(zone)), reverse=True)

    return _deal(kind.previous, end, (of_croniter, of_cronsim), zones, steps)


def _deal(
    ours: Callable[[str], Callable[[int], int | None]],
    begin: int,
    peers: tuple[Callable[[str], Iterator[object]], ...],
    zones: tuple[str, ...],
    steps: int,
) -> Step:
    """Let each program step in turn, zone by zone."""
    step = Step([], [], [])
    for zone in zones:
        took, before_restart = _ours(ours(zone), begin, steps)
        step.ours.append(took)
        for times, peer in zip((step.croniter, step.cronsim), peers, strict=True):
            times.append(_theirs(lambda peer=peer, zone=zone: peer(zone), steps, before_restart))
    return step


def _ours(step: Callable[[int], int | None], begin: int, steps: int) -> tuple[float, int]:
    """Return what one of our steps took, and how many there are in thirty years."""
    slot, left = begin, 0
    began = time.process_time()
    for number in range(steps):
        following = step(slot)
        if following is None or abs(following - begin) > SPAN:
            left = left or number
            following = begin
        slot = following
    return (time.process_time() - began) / steps * 1e6, left or steps


def _theirs(begin: Callable[[], Iterator[object]], steps: int, most: int) -> float:
    """Return what one of a peer's steps took; making its iterator is no step."""
    took, left = 0.0, steps
    while left > 0:
        walk, count = begin(), min(most, left)
        began = time.process_time()
        for _ in range(count):
            next(walk)
        took += time.process_time() - began
        left -= count
    return took / steps * 1e6


def _counted(kind: Kind) -> Row:
    """Return what it takes to count the slots of a year; no peer can but by steps."""
    count, times = kind.count("Europe/Berlin"), 200
    year = BEGIN + 365 * 86_400
    count(BEGIN, year)
    began = time.process_time()
    for shift in range(times):
        count(BEGIN + shift, year + shift)
    took = (time.process_time() - began) / times * 1e6
    what = f"count: a year of {kind.name}"
    return Row(section=SECTION, what=what, value=took, unit="µs", note=f"{count(BEGIN, year):,}")


# -- right or wrong -------------------------------------------------------------------------------


def _right(changes: int) -> list[Row]:
    """Compare all three with the watched clock, around clock changes and on ordinary days."""
    kinds = [kind for kind in KINDS if not kind.seconds and kind.key == "cron"]
    rows = []
    for when, away in (("around clock changes", 0), ("on ordinary days", QUIET)):
        wrong = {"flytesched": 0, "croniter": 0, "cronsim": 0}
        for zone, text in CHANGES[:changes]:
            change = int(datetime.fromisoformat(text).timestamp()) + away
            for kind in kinds:
                _judge(kind, zone, change - AROUND, change + AROUND, wrong)
        total = changes * len(kinds)
        for who, count in wrong.items():
            judged = at_most(count, 0) if who == "flytesched" else {"value": count}
            what = f"{who}: stretches with a wrong slot, {when}"
            rows.append(Row(section=SECTION, what=what, unit=f"of {total}", **judged))
    return rows


def _judge(kind: Kind, zone: str, after: int, until: int, wrong: dict[str, int]) -> None:
    from croniter import croniter
    from cronsim import CronSim

    begin = datetime.fromtimestamp(after, ZoneInfo(zone))
    walk = croniter(kind.cron, begin)
    found = {
        "flytesched": [*slots(kind._timetable(zone), after, until)],
        "croniter": _until((int(walk.get_next(float)) for _ in iter(int, 1)), until),
        "cronsim": _until((int(m.timestamp()) for m in CronSim(kind.cron, begin)), until),
    }
    right = expected(Job(kind.cron), zone, after, until)
    for who, theirs in found.items():
        wrong[who] += theirs != right


def _until(walk: Iterator[int], until: int) -> list[int]:
    """Return what a walk yields up to a moment; one that turns back is cut off there."""
    found: list[int] = []
    for slot in walk:
        if slot > until or (found and slot <= found[-1]):
            break
        found.append(slot)
    return found
