"""A user at a terminal: the command line in this process, or as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.cli.app import main

if TYPE_CHECKING:
    import pytest

SOURCE = Path(__file__).parent.parent.parent / "src"
#: Locks of editors and what SQLite keeps beside an open database hold nothing that lasts.
PASSING = (".lock", "-wal", "-shm", "scheduler.lock")


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Terminal:
    """A home with a manifest and a state directory of its own."""

    home: Path
    capture: pytest.CaptureFixture[str]

    @property
    def manifest(self) -> Path:
        return self.home / "schedules.toml"

    @property
    def state(self) -> Path:
        return self.home / "state"

    def run(self, *words: str) -> Said:
        """Run a command in this process, which is quick."""
        self.capture.readouterr()
        code = main(words)
        out, err = self.capture.readouterr()
        return Said(code, out, err)

    def ok(self, *words: str) -> Said:
        """Run a command that has to succeed."""
        said = self.run(*words)
        assert said.code == 0, said
        return said

    def json(self, *words: str) -> Any:
        """Return what a reading command says as JSON."""
        return self.ok(*words, "--json").json

    def process(self, *words: str, **environ: str) -> Said:
        """Run a command as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "flytesched", *words], capture_output=True, text=True,
            env=environment(self.home) | environ, cwd=self.home, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def write(self, text: str) -> None:
        """Write the manifest by hand."""
        self.manifest.write_text(text)

    def print(self) -> dict[str, str]:
        """Return a fingerprint of everything in the home that lasts."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            if path.name.endswith(PASSING):
                continue
            what = path.read_bytes() if path.is_file() else b""
            found[str(path)] = f"{path.lstat().st_mode:o} {hashlib.sha256(what).hexdigest()}"
        return found


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a user at ``home``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FLYTESCHED")}
    return kept | {
        "FLYTESCHED_MANIFEST": str(home / "schedules.toml"),
        "FLYTESCHED_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(SOURCE),
        "TZ": "Europe/Berlin",
    }
