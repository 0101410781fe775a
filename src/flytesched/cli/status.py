"""flytesched status: everything at a glance."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.listing import soonest
from flytesched.service.overview import CLOCK_BEHIND, Overview, overview
from flytesched.version import __version__

#: Runs and coming slots shown where no height has to be kept to, and where there is plenty.
_FEW, _PLENTY = 5, 10
#: Lines of a screen that neither a fact nor a row takes: the prompt, two titles, and two between.
_AROUND = 5
#: What is told of channels through which something did not get.
_TROUBLES = ("CHANNEL", "STATE", "LOST IN A DAY", "WHY")
#: Columns in front of a fact: the longest name, and what stands behind it.
_BEFORE = len("scheduler's error: ")


@verb(reads=True, watched=True)
def command(call: Call) -> None:
    """Show everything at a glance; always exits 0."""
    seen = overview(call.site)
    if call.json:
        call.answer("status", _shape(call, seen))
        return
    facts = _rows(call, seen)
    call.facts(facts)
    troubled = _troubled(call, seen)
    few = _few(call, render.facts(facts), len(troubled))
    if troubled:
        call.write("\n")
        call.table(
            _TROUBLES, troubled, toned=("STATE",), elastic=("CHANNEL", "WHY"),
            spare=() if any(lost for _, _, lost, _ in troubled) else ("LOST IN A DAY",),
        )  # fmt: skip
    _show_active(call, seen, few)
    _show_coming(call, seen, few)


def _few(call: Call, facts: str, troubled: int) -> int:
    """Return how many runs, and how many slots, fit below the facts and channels on one screen."""
    if call.size is None:
        return _FEW
    # A path, or what is wrong with a manifest, is shown whole, and may go on in the next line.
    taken = sum(1 + render.width(line) // call.size.columns for line in facts.splitlines())
    taken += troubled + 2 if troubled else 0
    return min(max((call.size.lines - _AROUND - taken) // 2, 1), _PLENTY)


def _show_active(call: Call, seen: Overview, few: int) -> None:
    rows = [
        (run.id, run.status.value, render.about(max(0.0, seen.now - run.created)))
        for run in seen.active[: -few - 1 : -1]
    ]
    if rows:
        call.write("\n")
        call.table(("ACTIVE", "STATE", "SINCE"), rows, right=("SINCE",), toned=("STATE",))


def _show_coming(call: Call, seen: Overview, few: int) -> None:
    coming = soonest(seen.schedules.values(), seen.now, few)
    rows = [(name, call.short(at), render.about(at - seen.now)) for at, name in coming]
    if rows:
        call.write("\n")
        call.table(("COMING", "NEXT", "LEFT"), rows, right=("LEFT",))


def _rows(call: Call, seen: Overview) -> list[tuple[str, object]]:
    settings = call.site.settings
    bound = seen.meta.get("manifest")
    enabled = sum(schedule.due_at(seen.now) for schedule in seen.schedules.values())
    return [
        ("scheduler", _scheduler(call, seen)),
        ("version", __version__),
        ("manifest", settings.manifest),
        ("manifest error", _first_line(seen.manifest_error)),
        ("scheduler's error", _first_line(_last_error(seen))),
        ("state directory", settings.state_dir),
        ("belongs to", bound if bound not in {None, call.site.manifest_path} else None),
        ("run log error", seen.run_log_error),
        ("lock error", seen.lock_error),
        ("schedules", f"{len(seen.schedules):,}, {enabled:,} of them enabled"),
        ("paused", _some(call, (f"{name} until {call.short(at)}" for name, at in _paused(seen)))),
        ("active runs", _active(seen)),
        ("missed slots", _missed(seen)),
        ("failing", _some(call, seen.failing)),
        ("channels", _channels(call, seen)),
        ("overdue", _some(call, seen.overdue) if seen.scheduler else None),
        ("last decision", call.when(seen.heartbeat)),
        ("clock", _clock(seen)),
    ]


def _some(call: Call, words: Iterable[str]) -> str:
    """Join words; on a terminal as many as fit into its line, and how many more there are."""
    said = [*words]
    room = None if call.room is None else call.room - _BEFORE
    return render.listed(said, room)


def _first_line(error: str | None) -> str | None:
    """Return the first of many faults; the others are for ``validate``."""
    if error is None or "\n" not in error:
        return error
    return f"{error.splitlines()[0]}; and more, see: flytesched validate"


def _paused(seen: Overview) -> list[tuple[str, int]]:
    """Return the schedules that wait for the end of a pause, with that moment."""
    return [
        (name, schedule.paused_until)
        for name, schedule in seen.schedules.items()
        if schedule.enabled and schedule.paused_until and not schedule.due_at(seen.now)
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


def _channels(call: Call, seen: Overview) -> str | None:
    """Return in a few words how the channels are; what is wrong with them is told below."""
    told = seen.told
    if not told:
        return None
    waiting = sum(record.waiting for record in told.values() if record is not None)
    sent = max((r.last_sent or 0.0 for r in told.values() if r is not None), default=0.0)
    said = [f"{len(told):,}"]
    said += [f"{len(seen.failing_channels):,} failing"] if seen.failing_channels else []
    said += [f"{render.plural(waiting, 'notice')} to be sent"] if waiting else []
    said += [f"last sent {call.ago(sent)}"] if sent else []
    return ", ".join(said)


def _troubled(call: Call, seen: Overview) -> list[tuple[object, ...]]:
    """Return a row for each channel through which something did not get, or does not."""
    rows: list[tuple[object, ...]] = []
    for name, record in seen.told.items():
        if record is None or not (record.failing or record.lost):
            continue
        since, why = record.failing or (None, record.last_loss)
        state = "ok" if since is None else f"failing since {call.short(since)}"
        lost = ", ".join(f"{count:,} {status}" for status, count in record.lost.items())
        rows.append((name, state, lost or None, why))
    return rows


def _clock(seen: Overview) -> str | None:
    if seen.clock_behind <= CLOCK_BEHIND:
        return None
    return f"{render.about(seen.clock_behind)} behind the newest slot decided: is it right?"


def _shape(call: Call, seen: Overview) -> dict[str, Any]:
    coming = soonest(seen.schedules.values(), seen.now, _FEW)
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
        "paused": [name for name, _ in _paused(seen)],
        "active": dict(counts),
        "active_runs": [run.id for run in seen.active],
        "missed": sum(seen.missed.values()),
        "failing": list(seen.failing),
        "overdue": list(seen.overdue),
        "channels": [shapes.channel(name, record) for name, record in seen.told.items()],
        "next": [{"schedule": name, "scheduled_at": shapes.instant(at)} for at, name in coming],
        "last_decision": shapes.moment(seen.heartbeat),
        "clock_behind_seconds": round(seen.clock_behind, 3),
    }  # fmt: skip
