"""A user at a terminal: the installed program, driven from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def wait_for(what: str, condition: Callable[[], Any], *, patience: float = 60.0) -> Any:
    """Return the first true answer; the patience is for broken programs, not a bound."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    pytest.fail(f"waited in vain for {what}")


@dataclass
class Desk:
    """A user's terminal: an empty directory with a manifest, a state directory and evidence."""

    #: The words that start the program.
    program: list[str]
    home: Path
    loops: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def manifest(self) -> Path:
        return self.home / "schedules.toml"

    @property
    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FLYTESCHED")}
        return kept | {
            "FLYTESCHED_MANIFEST": str(self.manifest),
            "FLYTESCHED_STATE_DIR": str(self.home / "state"),
            "EVIDENCE": str(self.home / "evidence"),
            "HOME": str(self.home),
        }

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command to its end, and hold it to its exit code; return stdout."""
        done = subprocess.run(
            [*self.program, *words], capture_output=True, text=True, env=self.environ, cwd=self.home
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """Return what a reading command says as JSON."""
        return json.loads(self.run(*words, "--json"))

    def start(
        self, *words: str, until: str = " ready", more: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start `flytesched run`, and return once it says it decides slots."""
        before = self.loop_log().count(until)
        with (self.home / "loop.log").open("a") as log:
            loop = subprocess.Popen(
                [*self.program, "run", *words], stderr=log, stdout=log, text=True,
                env=self.environ | (more or {}), cwd=self.home,
            )  # fmt: skip
        self.loops.append(loop)
        wait_for("ready", lambda: self.loop_log().count(until) > before or loop.poll())
        assert loop.poll() is None, self.loop_log()
        return loop

    def loop_log(self) -> str:
        path = self.home / "loop.log"
        return path.read_text() if path.exists() else ""

    def stop(self, loop: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        loop.send_signal(number)
        return loop.wait(60)

    def clear(self) -> None:
        """End the loops that a failed test left behind."""
        for loop in self.loops:
            if loop.poll() is None:
                loop.kill()
                loop.wait()

    def write(self, text: str) -> None:
        """Write the manifest by hand."""
        self.manifest.write_text("version = 1\n" + text)

    def status_of(self, name: str) -> str | None:
        """Return the newest status of a schedule."""
        entries = self.json("history", name, "--limit", "1")["entries"]
        return entries[0]["status"] if entries else None

    def evidence(self) -> list[tuple[str, int]]:
        """Return what commands wrote themselves: (schedule, slot) in the order they ran."""
        path = self.home / "evidence"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]


#: What a command writes of itself: schedule, slot, origin, attempt, moment.
EVIDENCE = (
    'echo "$FLYTESCHED_SCHEDULE $FLYTESCHED_SCHEDULED_AT_EPOCH $FLYTESCHED_ORIGIN'
    ' $FLYTESCHED_ATTEMPT $(date +%s.%N)" >> "$EVIDENCE"'
)
