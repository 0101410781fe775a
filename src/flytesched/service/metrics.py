"""Metrics in the text format of Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from flytesched.core.counts import DURATION_BOUNDS, LAG_BOUNDS
from flytesched.service.listing import coming
from flytesched.service.overview import overview

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.service.overview import Overview

    #: Amounts by (metric, schedule, label), as the run log counts them.
    Counters = Mapping[tuple[str, str, str], float]

_PREFIX = "flytesched_"
#: Counters of the scheduler itself: they are shown while they are zero.
_OWN = {
    "job_panics_total": "Starts that failed because of a bug in an executor.",
    "schedule_errors_total": "Times that the manifest could not be read.",
    "catchup_errors_total": "Catch-ups that failed.",
}
#: Counters by schedule or channel: the name of that label, of a second one, and help.
_COUNTERS = {
    "runs_total": ("schedule", "status", "Runs by schedule and verdict."),
    "missed_total": ("schedule", None, "Slots missed, by schedule."),
    "skipped_total": ("schedule", "reason", "Slots skipped, by schedule and reason."),
    "notices_total": ("channel", "status", "Notices by channel and what became of them."),
}
#: Histograms by schedule.
_HISTOGRAMS = {
    "lag_seconds": (LAG_BOUNDS, "Seconds from a live slot to the start of its run."),
    "duration_seconds": (DURATION_BOUNDS, "Seconds from the first start of a run to its verdict."),
}


def metrics(site: Site) -> str:
    """Return all metrics as text.

    Raises:
        RunLogError: the run log cannot be read.
    """
    counters: Counters = {}
    if (reader := site.reader()) is not None:
        with reader:
            counters = reader.counters()
    lines = [*_counted(counters), *_observed(counters), *_gauges(overview(site))]
    return "\n".join(lines) + "\n"


def _counted(counters: Counters) -> Iterator[str]:
    for metric, said in _OWN.items():
        yield from _head(metric, "counter", said)
        yield _sample(metric, {}, counters.get((metric, "", ""), 0.0))
    for metric, (first, second, said) in _COUNTERS.items():
        yield from _head(metric, "counter", said)
        for (name, whose, label), value in sorted(counters.items()):
            if name == metric:
                labels = {first: whose, **({second: label} if second else {})}
                yield _sample(metric, labels, value)


def _observed(counters: Counters) -> Iterator[str]:
    for metric, (bounds, said) in _HISTOGRAMS.items():
        yield from _head(metric, "histogram", said)
        buckets: dict[str, dict[str, float]] = defaultdict(dict)
        for (name, schedule, label), value in sorted(counters.items()):
            if name == metric:
                buckets[schedule][label] = value
        for schedule, counted in buckets.items():
            total = counters.get((f"{metric}_sum", schedule, ""), 0.0)
            yield from _histogram(metric, schedule, counted, bounds, total)


def _histogram(
    metric: str, schedule: str, counted: Mapping[str, float], bounds: Sequence[float], total: float
) -> Iterator[str]:
    """Yield the samples of one histogram; each bucket holds those before it."""
    held = 0.0
    for bound in (*map(str, bounds), "+Inf"):
        held += counted.get(bound, 0.0)
        yield _sample(f"{metric}_bucket", {"schedule": schedule, "le": bound}, held)
    yield _sample(f"{metric}_sum", {"schedule": schedule}, total)
    yield _sample(f"{metric}_count", {"schedule": schedule}, held)


def _gauges(seen: Overview) -> Iterator[str]:
    yield from _head("up", "gauge", "Whether a scheduler runs.")
    yield _sample("up", {}, float(seen.scheduler is not None))
    yield from _head(
        "last_tick_timestamp_seconds",
        "gauge",
        "When the loop last turned; it sleeps while nothing is due.",
    )
    yield _sample("last_tick_timestamp_seconds", {}, seen.heartbeat or 0.0)
    yield from _head("next_run_timestamp_seconds", "gauge", "The next slot of each schedule.")
    for name, schedule in sorted(seen.schedules.items()):
        if (slot := next(coming(schedule, seen.now), None)) is not None:
            yield _sample("next_run_timestamp_seconds", {"schedule": name}, slot)
    yield from _head("channel_up", "gauge", "Whether what a channel was last told got through.")
    failing = seen.failing_channels
    for name in sorted(seen.told):
        yield _sample("channel_up", {"channel": name}, float(name not in failing))
    yield from _head("notices_waiting", "gauge", "Notices that are still to be sent, by channel.")
    for name, record in sorted(seen.told.items()):
        yield _sample("notices_waiting", {"channel": name}, float(record.waiting if record else 0))


def _head(metric: str, kind: str, said: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{metric} {said}"
    yield f"# TYPE {_PREFIX}{metric} {kind}"


def _sample(metric: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    number = str(int(value)) if value == int(value) else repr(value)
    return f"{_PREFIX}{metric}{{{said}}} {number}" if said else f"{_PREFIX}{metric} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
