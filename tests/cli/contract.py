"""What programs may rely on in an answer of ``--json``: its shape, and a site that shows it all."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.bootstrap import bind, open_site
from flytesched.core.attempts import Attempt
from flytesched.core.decision import Decision
from flytesched.core.runs import Gap, Origin, Run, RunStatus, ScheduleState, request_id, run_id
from flytesched.core.telling.events import OPEN, Event, Notice, NoticeStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flytesched.core.schedule import Schedule

FOLDER = Path(__file__).parent / "shapes"
#: Objects whose keys are data of the user, by the key that holds them: only their values have a
#: shape.
MAPS = frozenset({"labels", "env", "rows", "active", "keys", "dates"})
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_HOUR = 3600

Shape = str | list[Any] | dict[str, Any]


# -- shapes -------------------------------------------------------------------------------------


def shape(answer: dict[str, Any]) -> Shape:
    """Return keys and types of an answer, all the way down; kind and schema stand as they are.

    A list has the one shape that covers all of its elements, in which ``key?`` is a key that some
    of them lack.
    """
    literal = {name: str(answer[name]) for name in ("schema", "kind")}
    return {name: literal.get(name) or _shape(each, name) for name, each in answer.items()}


def _shape(value: Any, key: str = "") -> Shape:
    if isinstance(value, dict):
        if key in MAPS:
            return {"*": merged(map(_shape, value.values()))}
        return {name: _shape(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [merged(map(_shape, value))]
    if isinstance(value, str):
        return "instant" if _INSTANT.fullmatch(value) else "text"
    kinds = {type(None): "null", bool: "true or false", int: "whole number", float: "number"}
    return kinds[type(value)]


def merged(shapes: Iterable[Shape]) -> Shape:
    """Return the shape that covers some; ``nothing`` if there is none to tell by."""
    given = [inner for each in shapes for inner in _alternatives(each)]
    words = {word for each in given if isinstance(each, str) for word in each.split(" | ")}
    words -= {"nothing"} if len(given) > 1 else set()
    words -= {"whole number"} if "number" in words else set()
    found: list[Shape] = [" | ".join(sorted(words))] if words else []
    if lists := [each for each in given if isinstance(each, list)]:
        found.append([merged(inner for each in lists for inner in each)])
    if objects := [each for each in given if isinstance(each, dict)]:
        found.append(_merged_objects(objects))
    return (found[0] if found else "nothing") if len(found) < 2 else {"one of": found}


def _alternatives(shape: Shape) -> list[Shape]:
    """Return the shapes that a value may have."""
    if isinstance(shape, dict) and shape.keys() == {"one of"}:
        found: list[Shape] = shape["one of"]
        return found
    return [shape]


def _merged_objects(objects: list[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name.removesuffix("?") for each in objects for name in each)
    found = {}
    for name in names:
        given = [each.get(name, each.get(f"{name}?", "nothing")) for each in objects]
        always = all(name in each for each in objects)
        found[name if always else f"{name}?"] = merged(given)
    return found


def stored(form: str) -> Shape:
    """Return the shape that a form of answer is held to."""
    path = FOLDER / f"{form}.json"
    found: Shape = json.loads(path.read_text()) if path.exists() else "nothing"
    return found


def store(form: str, found: Shape) -> None:
    """Hold a form of answer to another shape from now on."""
    (FOLDER / f"{form}.json").write_text(json.dumps(found, indent=2) + "\n")


# -- a site that shows it all -------------------------------------------------------------------

MANIFEST = """\
version = 1

[defaults]
timezone = "Europe/Berlin"

[schedules.backup]
description = "the family's photos"
cron = "0 2 * * *"
command = "echo backup"
labels = { team = "ops" }
env = { TOKEN = "s3cret" }
timeout = "4h"
retry = { max_attempts = 3 }

[schedules.sync]
every = "1h"
command = ["echo", "sync"]
catchup = "none"

[schedules.slow]
every = "1h"
start = 2020-01-01T00:00:00Z
command = "sleep 60"

[schedules.report]
daily = ["09:00", "17:00"]
command = "exit 3"
enabled = false
pause_reason = "holidays"

[schedules.tidy]
hourly = 15
command = "true"
paused_until = 2999-01-01T00:00:00Z
pause_reason = "until the disk is here"

[schedules.late]
every = "30m"
command = "true"

[schedules.once]
at = 2020-01-01T00:00:00Z
command = "true"

[calendars.company]
description = "as agreed"
dates = { 12-25 = "Christmas Day" }
weekdays = ["sat", "sun"]
except = ["2026-12-27"]

[schedules.festive]
cron = "0 9 * * fri,sun"
command = "true"
calendars = ["company"]
on_holiday = "next"

[channels.ops]
kind = "mail"
to = ["ops@example.org", "me@example.org"]
host = "localhost"
port = 1

[channels.chat]
kind = "webhook"
url = "http://localhost:1/secret"

[schedules.watched]
every = "1d"
command = "true"
notify = ["ops", "chat"]
ping_url = "http://localhost:1/secret-uuid"
"""
#: A calendar that needs the extra.
PUBLIC = """
[calendars.germany]
country = "DE"
subdivision = "BE"
categories = ["public"]
language = "en_US"
"""
#: Whether it is installed; without it no manifest may have such a calendar.
EXTRA = find_spec("holidays") is not None
CRONTAB = """\
MAILTO=me
# the other house
30 3 * * 1-5 rsync -a /home there:
@reboot echo up
"""
BROKEN = """\
version = 1
[schedules.x]
every = "5"
command = "true"
[schedules.y]
cron = "* * * * *"
comand = "true"
"""


def prepare(home: Path) -> None:
    """Make a site with a verdict of every kind, and with runs and schedules in every state."""
    (home / "schedules.toml").write_text(MANIFEST + PUBLIC * EXTRA)
    (home / "broken.toml").write_text(BROKEN)
    (home / "crontab").write_text(CRONTAB)
    (home / "damaged").mkdir(mode=0o700)
    (home / "damaged/runs.db").write_bytes(b"this was a run log once\n" * 1000)
    site = open_site(environ=os.environ)
    now = site.now()
    hour = int(now) // _HOUR * _HOUR
    runlog = site.runlog(holder=True)
    bind(site, runlog, rebind=False)
    schedules = site.manifest().schedules
    states = {state.name: state for state in _seen(schedules, hour, now)}
    earlier = schedules["backup"].with_(env={}, description=None, labels={"team": "dev"})
    backup = replace(states["backup"], definition=earlier.definition(), seen_at=hour - 20.0 * _HOUR)
    runlog.apply(Decision(schedules=(backup,)))
    states["backup"] = replace(states["backup"], revision=2)
    runlog.apply(Decision(schedules=tuple(states.values())))
    runs, attempts = zip(*_past(hour, now), strict=True)
    gap = Gap(
        schedule="sync", after=hour - 6 * _HOUR, until=hour - 3 * _HOUR, count=3,
        reason="no scheduler", timing=schedules["sync"].timing.text, created=now - 60.5,
    )  # fmt: skip
    runlog.apply(
        Decision(
            runs=runs, attempts=tuple(each for each in attempts if each), gaps=(gap,),
            meta={"heartbeat": str(now - 1)}, notices=tuple(_notices(now)),
        )
    )  # fmt: skip
    runlog.close()
    _write_logs(site.settings.state_dir, attempts)


def _seen(schedules: dict[str, Schedule], hour: int, now: float) -> Iterator[ScheduleState]:
    """Yield what is remembered: seen ten hours ago, and decided up to now."""
    for name, schedule in schedules.items():
        yield ScheduleState(
            name=name, timing=schedule.timing.text, enabled=schedule.due_at(now),
            cursor=hour - 2 * _HOUR * (name == "late"), seen_at=hour - 10.0 * _HOUR,
            definition=schedule.definition(),
        )  # fmt: skip


def _past(hour: int, now: float) -> Iterator[tuple[Run, Attempt | None]]:
    """Yield runs with their attempts: every verdict, and every state on the way to one."""
    kinds: list[tuple[RunStatus, dict[str, Any]]] = [
        (RunStatus.SUCCEEDED, {"exit_code": 0}),
        (RunStatus.FAILED, {"exit_code": 3}),
        (RunStatus.TIMED_OUT, {"exit_code": 143}),
        (RunStatus.INTERRUPTED, {"reason": "host restarted"}),
        (RunStatus.CANCELLED, {"reason": "by user"}),
        (RunStatus.SKIPPED, {"reason": "overlap"}),
    ]
    for back, (status, facts) in enumerate(kinds, 1):
        slot = hour - back * _HOUR
        run = Run(
            id=run_id("slow", slot), schedule="slow", scheduled_at=slot, origin=Origin.SCHEDULE,
            status=status, created=slot + 0.25, ended=slot + 9.5,
            started=None if status is RunStatus.SKIPPED else slot + 0.5,
            attempt=int(status is not RunStatus.SKIPPED), **facts,
        )  # fmt: skip
        yield run, None if status is RunStatus.SKIPPED else _attempt(run)
    again = Run(
        id=request_id(Origin.RETRY, "slow", hour), schedule="slow", scheduled_at=hour - 2 * _HOUR,
        origin=Origin.RETRY, status=RunStatus.SUCCEEDED, created=hour + 0.5, started=hour + 1.0,
        ended=hour + 4.0, attempt=1, exit_code=0, retry_of=run_id("slow", hour - 2 * _HOUR),
    )  # fmt: skip
    yield again, _attempt(again)
    failed = Run(
        id=request_id(Origin.MANUAL, "sync", hour), schedule="sync", scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.FAILED, created=hour - 0.5, started=hour - 0.25,
        ended=hour - 0.125, attempt=1, exit_code=1,
    )  # fmt: skip
    yield failed, _attempt(failed)
    just = Run(
        id=request_id(Origin.MANUAL, "late", now - 5), schedule="late", scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.SUCCEEDED, created=now - 4.5, started=now - 4.25,
        ended=now - 1.125, attempt=1, exit_code=0,
    )  # fmt: skip
    yield just, _attempt(just)
    claimed = max(hour + 0.25, now - 9.5)
    running = Run(
        id=run_id("slow", hour), schedule="slow", scheduled_at=hour, origin=Origin.SCHEDULE,
        status=RunStatus.RUNNING, created=claimed, started=claimed + 0.25, attempt=1,
    )  # fmt: skip
    yield running, _attempt(running, deadline=now + 600.5)
    first = Run(
        id=request_id(Origin.MANUAL, "tidy", now), schedule="tidy", scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.RUNNING, created=now - 2.5, started=now - 2.25,
        attempt=1,
    )  # fmt: skip
    yield first, _attempt(first, deadline=now + 600.5)
    queued = Run(
        id=request_id(Origin.MANUAL, "backup", now), schedule="backup", scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.QUEUED, created=now - 1.5,
    )  # fmt: skip
    yield queued, None


def _notices(now: float) -> Iterator[Notice]:
    """Yield notices: one in every state, and more."""
    for back, status in enumerate(NoticeStatus, 1):
        ended = None if status in OPEN else now - back + 0.25
        yield Notice(
            channel="ops", event=Event.FAILURE, schedule="slow", about=f"sched-slow-{back}",
            facts="{}", created=now - 60.25 * back, status=status, tries=back, ended=ended,
            why=None if status is NoticeStatus.SENT else "localhost: connection refused",
            not_before=now + 60.25 if status is NoticeStatus.QUEUED else 0.0,
        )  # fmt: skip
    yield Notice(
        channel="ping_url", event=Event.ENDED, schedule="watched", about="sched-watched-1",
        facts="{}", created=now - 9.25, status=NoticeStatus.FAILED, tries=1, ended=now - 9.0,
        why="no check has the address of ping_url",
    )  # fmt: skip


def _attempt(run: Run, deadline: float | None = None) -> Attempt:
    ended = {} if run.ended is None else {"ended": run.ended, "outcome": "exited", "cpu": 0.25}
    return Attempt(
        run=run.id, attempt=1, boot_id="3e8a45a1", ordered=run.created, started=run.started,
        pid=2**22 + 1, pid_started=1, deadline=deadline, log=f"logs/{run.schedule}/{run.id}.1.log",
        exit_code=run.exit_code, max_rss=3_500 if ended else None, **ended,
    )  # fmt: skip


def _write_logs(state: Path, attempts: Iterable[Attempt | None]) -> None:
    for each in attempts:
        if each is not None and each.log:
            path = state / each.log
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text("said something\n")
