"""Looking back over a million runs: what a question costs beyond the start of the program.

Each question is asked of the run log in this process, again and again, and its median counts; those
that commands put together from several are asked as the commands do. Beside five hundred schedules
with a run a minute there are the two that hurt most: one that ran each second and failed once, and
one that hangs, so that all of its later slots are skipped.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from report import Bench, Row, at_most
from stock import Stock, fill, seen

from flytesched.core.runs import RunStatus
from flytesched.service.health import health
from flytesched.service.listing import listed
from flytesched.service.metrics import metrics
from flytesched.service.output import find_output
from flytesched.service.overview import overview
from flytesched.service.statistics import statistics as figures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flytesched.bootstrap import Site
    from flytesched.runlog.reading import Reader

SECTION = "history"
#: Milliseconds beyond start-up, by the goal.
GOAL = 20.0
BUSY, HUNG = "busy", "hung"
#: Statuses that are asked for: of what runs, of what is common, and of what is rare.
STATUSES = ("running", "succeeded", "failed", "timed_out", "cancelled", "skipped")


def measure(bench: Bench) -> list[Row]:
    """Fill a run log and ask."""
    usual, runs, special = (20, 100, 2_000) if bench.quick else (500, 1_000, 250_000)
    names = [f"job-{number:04}" for number in range(usual)]
    site = seen(bench.folder, [*names, BUSY, HUNG])
    total = _fill(site, names, runs, special)
    times = 5 if bench.quick else 30
    reader = site.reader()
    assert reader is not None
    with reader:
        rows = [
            Row(section=SECTION, what=what, unit="ms", note=f"{found} found",
                **at_most(took, GOAL))
            for what, ask in _questions(reader, names, site.now()).items()
            for took, found in [_asked(ask, times)]
        ]  # fmt: skip
    rows += [
        Row(section=SECTION, what=what, value=_asked(ask, times)[0], unit="ms",
            note="the manifest's reading included")
        for what, ask in _commands(site, names).items()
    ]  # fmt: skip
    rows.append(
        Row(section=SECTION, what="stats, of all", value=_asked(lambda: [figures_of(site)], 3)[0],
            unit="ms", note=f"{total:,} runs, each looked at")
    )  # fmt: skip
    size = site.runs_db.stat().st_size
    rows.append(
        Row(section=SECTION, what="bytes a run takes with its attempt", value=size / total,
            unit="bytes", note=f"{total:,} runs, {size / 2**20:,.0f} MiB")
    )  # fmt: skip
    return rows


def _questions(reader: Reader, names: list[str], now: float) -> Mapping[str, Callable[[], Any]]:
    """Return what `history` may be asked, and what other commands ask of it."""
    one, day, crowd = names[len(names) // 2], now - 86_400, [f"nobody-{n}" for n in range(500)]
    every: dict[str, Callable[[], Any]] = {
        "newest 50 of one schedule": lambda: reader.history([one]),
        "newest 50 of one that ran each second": lambda: reader.history([BUSY]),
        "newest 50 of all": lambda: reader.history(),
        "newest 50 of all, by name": lambda: reader.history([*names, BUSY, HUNG]),
        "newest 50 of 500 that never ran": lambda: reader.history(crowd),
        "of one, an hour of a day ago": lambda: reader.history([one], since=day, until=day + 3600),
        "of all, since a minute": lambda: reader.history(since=now - 60),
        "missed": lambda: reader.history(statuses=["missed"]),
    }
    for word in STATUSES:
        for whose, name in (("all", None), ("one", one), ("one that ran each second", BUSY)):
            chosen = None if name is None else [name]
            every[f"{word}, of {whose}"] = partial(reader.history, chosen, statuses=[word])
    return every | {
        "ps": reader.active,
        "a run by the beginning of its id": lambda: [
            reader.run(reader.history([one], limit=1)[0].id[:-1])
        ],
        "logs: the newest run that was started": lambda: reader.history(
            [one], statuses=["succeeded", "failed"], limit=1
        ),
    }


def _commands(site: Site, names: list[str]) -> Mapping[str, Callable[[], Any]]:
    """Return what other commands put together."""
    return {
        "show, of one": lambda: listed(site, [names[0]]),
        "list": lambda: listed(site),
        "logs": lambda: find_output(site, names[0]),
        "status": lambda: [overview(site)],
        "health": lambda: [health(site)],
        "metrics": lambda: [metrics(site)],
    }


def _asked(ask: Callable[[], Any], times: int) -> tuple[float, int]:
    """Return the median of what a question took in milliseconds, and how much was found."""
    took, found = [], []
    for _ in range(times):
        began = time.perf_counter()
        found = ask()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took), len(found)


def _fill(site: Site, names: list[str], runs: int, special: int) -> int:
    """Fill a run log up to now; return how many runs it holds."""
    log = site.runlog(holder=True)
    end = int(site.now()) // 60 * 60
    stocks = (
        Stock(names=[HUNG], runs=special, begin=end - special, step=1, kind=_hung),
        Stock(names=[BUSY], runs=special, begin=end - special, step=1, kind=_busy),
        Stock(names=names, runs=runs, begin=end - runs * 60),
    )
    try:
        return sum(fill(log, stock) for stock in stocks)
    finally:
        log.close()


def _hung(number: int) -> RunStatus:
    """Return the status of a run of the schedule that hangs."""
    return RunStatus.SKIPPED if number > 2 else RunStatus.SUCCEEDED


def _busy(number: int) -> RunStatus:
    """Return the status of a run of the schedule that failed once."""
    return RunStatus.FAILED if number == 7 else RunStatus.SUCCEEDED
