"""What tests of executors write and read with."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flytesched import linux
from flytesched.core.protocols import Order
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.executors.local import LocalLauncher

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flytesched.core.runs import Attempt, Outcome

#: Longest wait for what is sure to come, on a machine under load.
PATIENCE = 60.0
SLOT = 1795226400  # 2026-11-21T02:00:00Z
#: Python source that starts an order in a process of its own, which can be killed.
SCHEDULER = """
import os, sys, time
sys.path[:0] = {path!r}
from executors_desk import Desk
desk = Desk.at({state!r}, {environ!r})
"""


def make_order(
    launcher: LocalLauncher, number: int, command: Any, *, run: Mapping[str, Any] | None = None,
    kickoff_at: int | None = None, **keys: Any,
) -> Order:  # fmt: skip
    """Return the order of one attempt; ``run`` changes fields of its run."""
    schedule = Schedule("job", cron="0 2 * * *", command=command, **keys)
    fields: dict[str, Any] = {
        "id": f"sched-job-{number}", "schedule": "job", "scheduled_at": SLOT + number,
        "origin": Origin.SCHEDULE, "status": RunStatus.CLAIMED, "created": float(SLOT),
        "attempt": 1,
    }  # fmt: skip
    made = Run(**fields | dict(run or {}))
    attempt = launcher.plan(made, schedule, made.attempt, time.time())
    attempt = replace(attempt, kill_after=schedule.kill_after.total_seconds())
    return Order(run=made, attempt=attempt, schedule=schedule, kickoff_at=kickoff_at)


@dataclass(kw_only=True)
class Desk:
    """One launcher, its state directory, and orders to give to it."""

    state: Path
    environ: dict[str, str]
    launcher: LocalLauncher
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def at(cls, state: Any, environ: dict[str, str]) -> Desk:
        """Return a desk as a scheduler that was just started has it."""
        launcher = LocalLauncher(
            state, environ, manifest_path=f"{state}/m.toml", log_limit=10**7, clock_now=time.time
        )
        return cls(state=state, environ=environ, launcher=launcher)

    def order(self, command: Any, **keys: Any) -> Order:
        """Return the order of a new run."""
        return make_order(self.launcher, next(self._numbers), command, **keys)

    def start(self, command: Any, **keys: Any) -> Attempt:
        """Start a new run; return its attempt as the run log would have it."""
        order = self.order(command, **keys)
        started = self.launcher.start(order)
        return replace(
            order.attempt, started=time.time(), pid=started.pid, pid_started=started.pid_started
        )

    def run(self, command: Any, **keys: Any) -> tuple[Outcome, str]:
        """Run a command; return its outcome and its output."""
        attempt = self.start(command, **keys)
        return self.outcome(), self.log(attempt)

    def outcome(self) -> Outcome:
        """Wait, as the clock does, for the end of the one attempt that runs."""
        (outcome,) = self.outcomes(1)
        return outcome

    def outcomes(self, count: int) -> list[Outcome]:
        """Wait for that many ends."""
        found: list[Outcome] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count:
            if not select.select([self.launcher.fileno()], [], [], PATIENCE)[0]:
                break
            found += self.launcher.collect()
            assert time.monotonic() < deadline
        assert len(found) == count
        return found

    def log(self, attempt: Attempt) -> str:
        """Return what an attempt wrote."""
        assert attempt.log is not None
        return (self.state / attempt.log).read_text()

    def successor(self) -> Desk:
        """Return a desk of the next scheduler on the same state directory."""
        return Desk.at(self.state, self.environ)

    def scheduler(self, source: str) -> subprocess.Popen[str]:
        """Start another process that works with a desk of its own, named ``desk``."""
        head = SCHEDULER.format(path=sys.path, state=str(self.state), environ=self.environ)
        return subprocess.Popen(
            [sys.executable, "-c", head + source], stdout=subprocess.PIPE, text=True
        )


def eventually(what: Any) -> Any:
    """Wait until a function of no arguments returns something true; return that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.005)
    return found


def written(path: Path) -> str:
    """Wait until a file has a whole line; return its content without the line break."""
    eventually(lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text().rstrip("\n")


def alive(pid: int) -> bool:
    """Tell whether a process lives; one that only waits to be waited for does not."""
    facts = linux.process_facts(pid)
    return facts is not None and facts[2] not in "ZX"


def kill(process: subprocess.Popen[str]) -> None:
    """End a scheduler the hard way."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
