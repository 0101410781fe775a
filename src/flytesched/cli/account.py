"""Account: one run with its attempts, in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.cli import render, shapes
from flytesched.core.sizes import format_size

if TYPE_CHECKING:
    from flytesched.cli.call import Call
    from flytesched.core.runs import Attempt
    from flytesched.runlog.history import Entry
    from flytesched.service.statistics import Account


def show(call: Call, account: Account) -> None:
    """Show a run, and when, how and where each of its attempts went."""
    if call.json:
        attempts = [shapes.attempt(attempt) for attempt in account.attempts]
        call.answer("run", {"run": {**shapes.entry(account.entry), "attempts": attempts}})
        return
    call.facts(_run(call, account.entry))
    for attempt in account.attempts:
        call.write(f"\nattempt {attempt.attempt}\n")
        call.facts(_attempt(call, attempt))


def _run(call: Call, entry: Entry) -> list[tuple[str, object]]:
    return [
        ("run", entry.id),
        ("schedule", entry.schedule),
        ("slot", call.when(entry.scheduled_at)),
        ("origin", entry.origin),
        ("repeats", entry.retry_of),
        ("verdict", entry.said()),
        ("stored", call.when(entry.created)),
        ("started", call.when(entry.started)),
        ("ended", call.when(entry.ended)),
        ("lag", None if entry.lag is None else render.about(entry.lag)),
        ("took", None if entry.duration is None else render.about(entry.duration)),
    ]


def _attempt(call: Call, attempt: Attempt) -> list[tuple[str, object]]:
    took = None
    if attempt.started is not None and attempt.ended is not None:
        took = render.about(max(0.0, attempt.ended - attempt.started))
    log = None if attempt.log is None else call.site.settings.state_dir / attempt.log
    return [
        ("started", call.when(attempt.started)),
        ("deadline", call.when(attempt.deadline)),
        ("ended", call.when(attempt.ended)),
        ("took", took),
        ("outcome", attempt.outcome),
        ("exit code", attempt.exit_code),
        ("cpu", None if attempt.cpu is None else render.about(attempt.cpu)),
        ("peak memory", None if attempt.max_rss is None else format_size(attempt.max_rss * 1024)),
        ("log", log),
    ]
