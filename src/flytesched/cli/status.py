"""flytesched status: everything at a glance."""

from collections import Counter
from typing import Any

from flytesched import __version__
from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.overview import CLOCK_BEHIND, Overview, overview


@verb(reads=True)
def command(call: Call) -> None:
    """Show everything at a glance; always exits 0."""
    seen = overview(call.site)
    if call.json:
        call.answer("status", _shape(call, seen))
    else:
        call.facts(_rows(call, seen))


def _rows(call: Call, seen: Overview) -> list[tuple[str, object]]:
    settings = call.site.settings
    bound = seen.meta.get("manifest")
    enabled = sum(schedule.due_at(seen.now) for schedule in seen.schedules.values())
    return [
        ("scheduler", _scheduler(call, seen)),
        ("version", __version__),
        ("manifest", settings.manifest),
        ("manifest error", seen.manifest_error),
        ("scheduler's error", _last_error(seen)),
        ("state directory", settings.state_dir),
        ("belongs to", bound if bound not in {None, call.site.manifest_path} else None),
        ("run log error", seen.run_log_error),
        ("lock error", seen.lock_error),
        ("schedules", f"{len(seen.schedules):,}, {enabled:,} of them enabled"),
        ("active runs", _active(seen)),
        ("missed slots", _missed(seen)),
        ("failing", ", ".join(seen.failing)),
        ("overdue", ", ".join(seen.overdue) if seen.scheduler else None),
        ("last decision", call.when(seen.heartbeat)),
        ("clock", _clock(seen)),
    ]


def _scheduler(call: Call, seen: Overview) -> str:
    if seen.holder is None:
        return "not running; start one with: flytesched run"
    what = "running" if seen.scheduler else "not running; a command does its own work"
    return f"{what}, pid {seen.holder.pid}, since {call.clock(seen.holder.since)}"


def _last_error(seen: Overview) -> str | None:
    said = seen.meta.get("manifest_error") or None
    return None if said == seen.manifest_error else said


def _active(seen: Overview) -> str:
    counts = Counter(run.status.value for run in seen.active)
    said = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    return f"{len(seen.active):,}" + (f" ({said})" if said else "")


def _missed(seen: Overview) -> str:
    count = sum(seen.missed.values())
    return f"{count:,} open" + ("; see: flytesched catchup --dry-run" if count else "")


def _clock(seen: Overview) -> str | None:
    if seen.clock_behind <= CLOCK_BEHIND:
        return None
    return f"{render.about(seen.clock_behind)} behind the newest slot decided: is it right?"


def _shape(call: Call, seen: Overview) -> dict[str, Any]:
    settings, holder = call.site.settings, seen.holder
    counts = Counter(run.status.value for run in seen.active)
    return {
        "version": __version__,
        "scheduler": None if holder is None else {
            "pid": holder.pid, "kind": holder.kind, "since": shapes.moment(holder.since),
        },
        "manifest": str(settings.manifest),
        "manifest_error": seen.manifest_error,
        "last_error": seen.meta.get("manifest_error") or None,
        "state_dir": str(settings.state_dir),
        "run_log_error": seen.run_log_error,
        "schedules": len(seen.schedules),
        "enabled": sum(schedule.due_at(seen.now) for schedule in seen.schedules.values()),
        "active": dict(counts),
        "missed": sum(seen.missed.values()),
        "failing": list(seen.failing),
        "overdue": list(seen.overdue),
        "last_decision": shapes.moment(seen.heartbeat),
        "clock_behind_seconds": round(seen.clock_behind, 3),
    }  # fmt: skip
