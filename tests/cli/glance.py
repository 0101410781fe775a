"""A site to be looked at on an afternoon that never passes, at a terminal of a given width."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from flytesched.bootstrap import bind, open_site
from flytesched.core.decision import Decision
from flytesched.core.runs import Gap, Origin, Run, RunStatus, ScheduleState, run_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from terminal import Said, Terminal

    from flytesched.core.schedule import Schedule

#: 2026-11-26T14:03:20+01:00, a Thursday.
NOW = 1_795_698_200.0
MANIFEST = """\
version = 1
[defaults]
timezone = "Europe/Berlin"
[schedules.backup]
cron = "0 2 * * *"
command = "true"
[schedules.weekly-report]
cron = "30 9 * * MON"
command = "true"
[schedules.mail]
every = "15m"
command = "true"
[schedules.pulse]
every = "10s"
command = "true"
[schedules.photos]
daily = ["06:00", "18:00"]
command = "true"
paused_until = 2026-11-27T08:00:00Z
[schedules.old]
hourly = 15
command = "true"
enabled = false
[schedules.once]
at = 2026-11-20T12:00:00
command = "true"
"""


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock at NOW."""
    # Times on a screen that is compared must not pass, and no option of the program sets them.
    monkeypatch.setattr("flytesched.clock.now", lambda: NOW)


def look(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, columns: int) -> Said:
    """Run a command at a terminal that is so wide; colours are left out, homes shortened."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("NO_COLOR", "1")
    for stream in (sys.stdout, sys.stderr):  # pytest's, which are files
        monkeypatch.setattr(stream, "isatty", lambda: True)
    said = terminal.ok(*words.split())
    said.out = said.out.replace(str(terminal.home), "~")
    return said


def furnish(*, manifest: str, runs: Iterable[Run] = (), missed: Iterable[str] = ()) -> None:
    """Write a manifest, and a run log that has seen it; some schedules missed three slots."""
    site = open_site(environ=os.environ)
    site.settings.manifest.write_text(manifest)
    runlog = site.runlog(holder=True)
    bind(site, runlog, rebind=False)
    schedules = site.manifest().schedules
    runlog.apply(Decision(schedules=tuple(map(_seen, schedules.values()))))
    gaps = tuple(_gap(schedules[name]) for name in missed)
    runlog.apply(Decision(runs=tuple(runs), gaps=gaps, meta={"heartbeat": str(NOW - 1)}))
    runlog.close()


def a_run(name: str, ago: int, status: RunStatus, **keys: Any) -> Run:
    """Return the run of a slot so many seconds ago, which has just got its status."""
    slot = int(NOW) - ago
    ended = {} if status in {RunStatus.RUNNING, RunStatus.QUEUED} else {"ended": slot + 1.0}
    return Run(
        id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE,
        status=status, created=float(slot), started=float(slot), attempt=1, **ended, **keys,
    )  # fmt: skip


def _seen(schedule: Schedule) -> ScheduleState:
    return ScheduleState(
        name=schedule.name, timing=schedule.timing.text, enabled=schedule.due_at(NOW),
        cursor=int(NOW), seen_at=NOW - 86_400.0, definition=schedule.definition(),
    )  # fmt: skip


def _gap(schedule: Schedule) -> Gap:
    return Gap(
        schedule=schedule.name, after=int(NOW) - 7_200, until=int(NOW) - 3_600, count=3,
        reason="no scheduler", timing=schedule.timing.text, created=NOW - 3_600,
    )  # fmt: skip
