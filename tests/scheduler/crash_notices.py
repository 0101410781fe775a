"""What the notices of a machine deny: each that is owed is there, from the verdict on, and once.

Who is told of a schedule hangs on its name alone, so that what is owed follows from what is stored.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flytesched.core.runs import FAILURES, VERDICTS, Origin, RunStatus
from flytesched.core.telling.channels import read_channel
from flytesched.core.telling.events import Event, NoticeStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from flytesched.core.runs import Run
    from flytesched.core.telling.events import Notice

_MAIL = {"kind": "mail", "to": "root"}
CHANNELS = {
    "ops": read_channel("ops", _MAIL),
    "chat": read_channel("chat", {**_MAIL, "events": ["success", "failure"]}),
}
#: What schedules say of being told, by their names.
TOLD: dict[str, dict[str, Any]] = {
    "a": {"notify": ["ops", "chat"], "ping_url": "https://hc.example/a", "on_late": "true"},
    "b": {"notify": ["ops"], "on_long": "true"},
    "c": {},
}
#: Short enough for stories.
WHEN = {"late_after": "6s", "long_after": "9s"}


def owed(run: Run) -> Iterator[tuple[str, Event]]:
    """Yield who must have been told what of a run; a cancel by somebody else may be untold."""
    keys = TOLD[run.schedule]
    events = {Event.FAILURE} if run.status in FAILURES else set()
    events |= {Event.SUCCESS} if run.status is RunStatus.SUCCEEDED else set()
    for name in keys.get("notify", ()):
        yield from ((name, event) for event in events if CHANNELS[name].wants(event))
    if "ping_url" in keys:
        if run.status in VERDICTS - {RunStatus.CANCELLED}:
            yield "ping_url", Event.ENDED
        if run.started is not None and run.status in {RunStatus.RUNNING, RunStatus.SUCCEEDED}:
            yield "ping_url", Event.STARTED


def denied(runs: Sequence[Run], notices: Sequence[Notice], removed: Set[str]) -> Iterator[str]:
    """Yield what is wrong with the notices that are stored.

    Args:
        runs: all that are stored.
        notices: all that are stored.
        removed: schedules that were missing from the set at some time: nobody was told then.
    """
    found = {(one.about, one.channel, one.event): one for one in notices}
    for key, count in Counter((one.about, one.channel, one.event) for one in notices).items():
        if count > 1:
            yield f"{key} stands {count} times"
    for run in runs:
        for channel, event in owed(run):
            if run.schedule not in removed and (run.id, channel, event) not in found:
                yield f"{run.id} is {run.verdict()}, and {channel} is not told ({event})"
    by_id = {run.id: run for run in runs}
    for one in notices:
        yield from _denied(one, by_id.get(one.about))
    for run in runs:
        pings = [found.get((run.id, "ping_url", event)) for event in (Event.STARTED, Event.ENDED)]
        if None not in pings and pings[0].id > pings[1].id:  # type: ignore[union-attr]
            yield f"{run.id} is told to have ended before it began"


def _denied(one: Notice, run: Run | None) -> Iterator[str]:
    told = one.event, one.about
    hooked = one.channel.startswith("on_")
    if hooked != (one.status is NoticeStatus.SENT):
        yield f"{told} is {one.status} for {one.channel}"
    if run is None:
        if one.event is not Event.MISSED:
            yield f"{told} is of no run that is stored"
        return
    right = {
        Event.FAILURE: run.status in FAILURES,
        Event.SUCCESS: run.status is RunStatus.SUCCEEDED,
        Event.RECOVERED: run.status is RunStatus.SUCCEEDED,
        Event.ENDED: not run.active,
        Event.STARTED: run.started is not None,
        Event.LATE: run.origin is Origin.SCHEDULE,
        Event.LONG: run.started is not None or not run.active,
    }
    if not right[one.event]:
        yield f"{told} is told, and it is {run.verdict()}"
