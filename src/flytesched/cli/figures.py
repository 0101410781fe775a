"""Figures: what runs come to, as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.cli.pictures import bar
from flytesched.cli.shapes import rounded
from flytesched.core.runs import ACTIVE, VERDICTS, RunStatus
from flytesched.core.sizes import format_size
from flytesched.core.statistics import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.core.statistics import Figures

#: Verdicts of runs that were started or were to be, in the order in which they are told.
ENDS = [status.value for status in RunStatus if status in VERDICTS - {RunStatus.SKIPPED}]
#: Columns of the bar beside a rate.
_BAR = 20


def shape(figures: Figures) -> dict[str, Any]:
    """Return figures as an object; times are in seconds."""
    streak = figures.streak
    skips = sorted(figures.skipped.items())
    return {
        "runs": figures.runs,
        **{status: figures.statuses.get(status, 0) for status in ENDS},
        "active": active(figures),
        "skipped": skipped(figures),
        "skipped_for": [{"reason": reason, "count": count} for reason, count in skips],
        "missed": figures.missed,
        "success_rate": figures.success_rate,
        "duration_seconds": _spread_shape(figures.durations),
        "lag_seconds": _spread_shape(figures.lags),
        "cpu_seconds": rounded(figures.cpu),
        "max_rss_kib": figures.max_rss,
        "streak": streak and {"succeeded": streak.good, "runs": streak.length},
    }


def _spread_shape(ordered: Sequence[float]) -> dict[str, float | None] | None:
    found = spread(ordered)
    if found is None:
        return None
    each = {"p50": found.p50, "p90": found.p90, "p99": found.p99, "max": found.most}
    return {name: rounded(seconds) for name, seconds in each.items()}


def active(figures: Figures) -> int:
    """Return how many runs have no verdict yet."""
    return sum(figures.statuses.get(status, 0) for status in ACTIVE)


def skipped(figures: Figures) -> int:
    """Return how many slots were skipped, for whatever reason."""
    return sum(figures.skipped.values())


def rate(part: float | None) -> str | None:
    """Say a part of 1 as ``97.5%``; it is rounded down, so that 100% means all."""
    return None if part is None else f"{int(part * 1000 + 1e-9) / 10:.1f}%"


def memory(figures: Figures) -> str | None:
    """Say how much memory an attempt took at its most."""
    return None if figures.max_rss is None else format_size(figures.max_rss * 1024)


def cpu(figures: Figures) -> str | None:
    """Say how much processor time all attempts took."""
    return render.about(figures.cpu) if figures.cpu else None


def facts(figures: Figures, *, plain: bool) -> list[tuple[str, object]]:
    """Return how runs went, and what they took, as ``name: value`` lines.

    Args:
        figures: what they come to.
        plain: whether pictures are to be of ASCII alone.
    """
    success = figures.success_rate
    drawn = "" if success is None else f"{rate(success)}  {bar(success, _BAR, plain=plain)}"
    return [
        ("success", drawn and f"{drawn}  of {render.plural(figures.runs, 'run')}"),
        ("streak", figures.streak),
        ("duration", _spread_text(figures.durations)),
        ("lag", _spread_text(figures.lags)),
        ("cpu", cpu(figures)),
        ("peak memory", memory(figures)),
    ]


def _spread_text(ordered: Sequence[float]) -> str | None:
    if (found := spread(ordered)) is None:
        return None
    each = {"p50": found.p50, "p90": found.p90, "p99": found.p99, "max": found.most}
    return ", ".join(f"{name} {render.about(seconds)}" for name, seconds in each.items())
