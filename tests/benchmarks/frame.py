"""The live screen: what a frame costs, with ten thousand schedules and a million runs behind it.

A frame is a look at the site and its drawing, at 120 by 40 and in colour; what counts is time of
the processor. The first one reads the manifest and asks every schedule for its next slot, the
others only what has changed.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from report import Bench, Row, at_most
from stock import Stock, fill, run_of, seen

from flytesched.cli.live.draw import Scene, frame
from flytesched.cli.live.layout import Look
from flytesched.cli.live.view import View, rows, settled
from flytesched.core.decision import Decision
from flytesched.core.runs import RunStatus
from flytesched.service.lookout import Lookout

if TYPE_CHECKING:
    from flytesched.bootstrap import Site

SECTION = "frame"
#: Milliseconds of a frame, by the goal: a twentieth of the second that passes until the next.
GOAL = 50.0


def measure(bench: Bench) -> list[Row]:
    """Fill a run log, and look at it."""
    schedules, runs, active = (200, 20, 50) if bench.quick else (10_000, 100, 500)
    site = _site(bench, schedules, runs, active)
    lookout = Lookout(site)
    try:
        first = _drawn(lookout, site.now())
        looks, pictures = zip(*(_drawn(lookout, site.now()) for _ in range(30)), strict=True)
    finally:
        lookout.close()
    note = f"{schedules:,} schedules, {schedules * runs:,} runs, {active:,} of them active"
    look, picture = statistics.median(looks), statistics.median(pictures)
    return [
        Row(section=SECTION, what="a frame", unit="ms", note=note, **at_most(look + picture, GOAL)),
        Row(section=SECTION, what="of which to look", value=look, unit="ms"),
        Row(section=SECTION, what="of which to draw", value=picture, unit="ms"),
        Row(section=SECTION, what="the first frame", value=sum(first), unit="ms", note="all read"),
    ]


def _site(bench: Bench, schedules: int, runs: int, active: int) -> Site:
    names = [f"job-{number:05}" for number in range(schedules)]
    site = seen(bench.folder, names)
    log = site.runlog(holder=True)
    minute = int(site.now()) // 60 * 60
    fill(log, Stock(names=names, runs=runs, begin=minute - runs * 60))
    waiting = [
        replace(
            run_of(name, minute, RunStatus.SUCCEEDED), ended=None, exit_code=None,
            status=RunStatus.RUNNING if number % 5 else RunStatus.QUEUED,
        )
        for number, name in enumerate(names[:active])
    ]  # fmt: skip
    log.apply(Decision(runs=tuple(waiting)))
    log.close()
    return site


def _drawn(lookout: Lookout, now: float) -> tuple[float, float]:
    """Return the milliseconds of a look, and of its picture."""
    look = Look(columns=120, lines=40, zone="Europe/Berlin", colour=True, plain=False)
    began = time.process_time()
    board = lookout.look(now)
    looked = time.process_time()
    every = rows(board)
    frame(
        Scene(
            board=board, rows=every, view=settled(View(), every), look=look,
            usual=lambda names: lookout.usual(names, now),
        )
    )  # fmt: skip
    return (looked - began) * 1e3, (time.process_time() - looked) * 1e3
