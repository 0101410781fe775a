"""What is sent in tests: facts, channels and jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SLOT = 1795226400  # 2026-11-21T02:00:00Z


def facts(event: str = "failure", run: str = f"sched-job-{SLOT}", **keys: Any) -> dict[str, Any]:
    """Return the facts of an event of a run; keys of the run may be other ones."""
    ended: dict[str, Any] = {"status": "failed", "verdict": "failed(exit 3)", "exit_code": 3}
    if event in {"success", "recovered"}:
        ended = {"status": "succeeded", "verdict": "succeeded", "exit_code": 0}
    return {
        "version": 1, "event": event, "host": "db1.example.org", "schedule": "job",
        "description": "nightly load", "labels": {"team": "data"}, "timezone": "Europe/Berlin",
        "at": "2026-11-21T02:00:07.250Z", "gap": None,
        "run": {
            "id": run, "reason": None, "scheduled_at": "2026-11-21T02:00:00Z",
            "kickoff_at": "2026-11-21T02:00:00Z", "started_at": "2026-11-21T02:00:00.010Z",
            "ended_at": "2026-11-21T02:00:07.250Z", "duration_seconds": 7.24, "attempt": 1,
            "origin": "schedule", "log": None, **ended, **keys,
        },
    }  # fmt: skip


def job(
    kind: str,
    told: Sequence[dict[str, Any]] | None = None,
    *,
    number: int = 1,
    lane: str = "ops",
    tail: Path | None = None,
    **keys: Any,
) -> dict[str, Any]:
    """Return a job as the outbox gives it, with the keys of its channel."""
    defaults: dict[str, Any] = {
        "webhook": {"format": "json"},
        "mail": {
            "to": ["ops@example.org"], "host": "localhost", "security": "none",
            "from": "flytesched@db1.example.org",
        },
        "ping": {},
    }[kind]  # fmt: skip
    return {
        "id": number, "lane": lane, "kind": kind, "messages": told or [facts()],
        "channel": {"name": lane, "kind": kind, **defaults, **keys},
        "tail": None if tail is None else str(tail),
    }  # fmt: skip


def senders() -> set[int]:
    """Return the senders among the children of this process that have not ended."""
    return {child for child in children() if _sends(child)}


def children() -> set[int]:
    """Return the children of this process, with those that have ended and were not waited for."""
    pid = os.getpid()
    return {*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())}


def _sends(pid: int) -> bool:
    with suppress(OSError):
        return b"flytesched.hooks.sender" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False


class Process:
    """A sender, as a process of its own."""

    def __init__(self, deadline: float = 30.0, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flytesched.hooks.sender", str(deadline)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environ},
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.jobs, self.answers = self.process.stdin, self.process.stdout

    @property
    def pid(self) -> int:
        return self.process.pid

    def give(self, jobs: Iterable[dict[str, Any]]) -> None:
        """Hand jobs over."""
        for one in jobs:
            self.jobs.write(json.dumps(one).encode() + b"\n")
        self.jobs.flush()

    def hear(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many answers."""
        return [json.loads(self.answers.readline()) for _ in range(count)]

    def ask(self, jobs: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Hand jobs over, and return their answers by job."""
        self.give(jobs)
        return {answer["id"]: answer for answer in self.hear(len(jobs))}

    def end(self) -> int:
        """Give it no more, and wait for its end."""
        self.jobs.close()
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.jobs.close()
        self.answers.close()
