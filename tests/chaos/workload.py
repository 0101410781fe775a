"""The schedules of a story, and the command that leaves evidence of every attempt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

#: Every attempt says when it begins and, unless something ends it, how it ends. A line is one
#: write(2) to a file opened for appending, so that lines of many writers stay whole.
SCRIPT = r"""#!/bin/sh
slot=$FLYTESCHED_SCHEDULED_AT_EPOCH
code=$((slot * 7 % 5))
[ $code -lt 4 ] || code=0
say() {
    what=$1; shift
    echo "$what $FLYTESCHED_RUN_ID $FLYTESCHED_ATTEMPT $(date +%s.%N) $*" >>"$CHAOS_EVIDENCE"
}
say B $$ $PPID $FLYTESCHED_SCHEDULE $slot $FLYTESCHED_ORIGIN
case $1 in
    quick) ;;
    slow) sleep $((slot % 4)) ;;
    long) sleep 6 ;;
    hang) exec sleep 600 ;;
    stubborn) trap '' TERM; while :; do sleep 0.2; done ;;
    suicide) kill -9 $$ ;;
    group) kill -9 0 ;;
    orphan) kill -9 $PPID; sleep 600 ;;
    flaky) code=$((FLYTESCHED_ATTEMPT < 3)) ;;
    loud) yes "$FLYTESCHED_RUN_ID" | head -c 300000 ;;
    daemon) setsid sleep 3 >/dev/null 2>&1 & ;;
    stopper) kill -STOP $PPID ;;
esac
say E $code
exit $code
"""


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: The weekday on which the story is told, or begins.
TODAY = datetime.now(UTC).weekday()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One schedule, with slots that are easy to tell without the program: every ``step`` s."""

    name: str
    #: Seconds between two slots, on the grid of the epoch.
    step: int
    #: What the command does: a word of SCRIPT.
    work: str = "quick"
    #: Whether it is written as cron, else as ``every``.
    cron: bool = False
    survive: bool = True
    catchup: str = "all"
    overlap: str = "allow"
    #: Weekday that is a day off, Monday first, on the clock of UTC.
    off: int | None = None
    #: Further keys of the manifest.
    keys: dict[str, Any] = field(default_factory=dict)

    def slots(self, after: float, until: float) -> range:
        """Return the slots in ``(after, until]``."""
        first = (int(after) // self.step + 1) * self.step
        return range(first, int(until) + 1, self.step)

    def is_off(self, slot: int) -> bool:
        """Tell whether a slot is left out; 1970 began on a Thursday."""
        return self.off is not None and (slot // 86_400 + 3) % 7 == self.off

    @property
    def prompt(self) -> bool:
        """Whether nothing but the scheduler itself can make it start late."""
        return self.overlap == "allow"

    def table(self, script: Path) -> str:
        """Return the schedule's table in the manifest."""
        keys: dict[str, Any] = {"every": f"{self.step}s"}
        if self.cron and self.step < 60:
            keys = {"cron": f"*/{self.step} * * * * *", "seconds": True, "timezone": "UTC"}
        elif self.cron:
            keys = {"cron": f"*/{self.step // 60} * * * *", "timezone": "UTC"}
        keys |= {
            "command": ["/bin/sh", str(script), self.work], "survive": self.survive,
            "catchup": self.catchup, "overlap": self.overlap, "catchup_limit": 100_000,
            **self.keys,
        }  # fmt: skip
        if self.off is not None:
            keys |= {"calendars": [f"of-{self.name}"], "timezone": "UTC"}
        lines = [f"{key} = {_toml(value)}" for key, value in keys.items()]
        return "\n".join([*self._calendar(), f"[schedules.{self.name}]", *lines, ""])

    def _calendar(self) -> list[str]:
        """Return the lines of the calendar that says which weekday is off."""
        if self.off is None:
            return []
        return [f"[calendars.of-{self.name}]", f'weekdays = ["{WEEKDAYS[self.off]}"]']


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


#: Something of everything: each second to each minute, every policy, every way to end.
STORM = (
    Job(name="second", step=1),
    Job(name="child", step=2, survive=False),
    Job(name="cron-two", step=2, cron=True, work="loud"),
    Job(name="slow", step=3, work="slow", cron=True),
    Job(name="queue", step=4, work="slow", overlap="queue", keys={"queue_limit": 100_000}),
    Job(name="skip", step=5, work="long", overlap="skip", catchup="latest"),
    Job(name="replace", step=4, work="long", overlap="replace", catchup="latest"),
    Job(name="late", step=5, catchup="latest"),
    Job(name="declined", step=5, catchup="none", cron=True),
    Job(name="hang", step=7, work="hang", keys={"timeout": "1s", "kill_after": "1s"}),
    Job(name="stubborn", step=9, work="stubborn", keys={"timeout": "1s", "kill_after": "1s"}),
    Job(name="flaky", step=10, work="flaky", keys={
        "retry": {"max_attempts": 3, "delay": "1s", "multiplier": 1.0}}),
    Job(name="suicide", step=10, work="suicide", cron=True),
    Job(name="group", step=12, work="group"),
    Job(name="orphan", step=12, work="orphan", keys={"kill_after": "1s"}),
    Job(name="daemon", step=15, work="daemon", cron=True),
    Job(name="rerun", step=6, work="slow", survive=False, keys={"on_interrupted": "rerun"}),
    Job(name="minute", step=60, cron=True),
    Job(name="edited", step=1, keys={"description": "edit 0"}),
    Job(name="paused", step=1),
    Job(name="holiday", step=2, off=TODAY),
    Job(name="working", step=3, cron=True, work="slow", overlap="queue", off=(TODAY + 3) % 7,
        keys={"queue_limit": 100_000}),
)  # fmt: skip

#: Twenty runs a second, each a process under a supervisor of its own.
SOAK = tuple(Job(name=f"soak-{n:02}", step=1, cron=n % 2 == 0) for n in range(20))


def manifest(jobs: tuple[Job, ...], script: Path) -> str:
    """Return a manifest with these schedules."""
    settings = '[settings]\nlog_limit = "48KiB"\n'
    return "\n".join(["version = 1", settings, *(job.table(script) for job in jobs)])
