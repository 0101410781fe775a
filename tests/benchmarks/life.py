"""``flytesched run`` as people run it, over schedules that are all due at the same seconds."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from limits import PATIENCE, Form, Ground, Spent, wait

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Asks the program itself how durable a claim is that it commits.
_SYNCHRONOUS = """
import pathlib, sys
from flytesched.runlog.database import open_database
print(open_database(pathlib.Path(sys.argv[1]), timeout=5).execute("PRAGMA synchronous").fetchone())
"""


@dataclass(kw_only=True)
class Life:
    """One life of the scheduler, from its ready to its end; a context manager."""

    #: The interpreter that has the flytesched to measure.
    python: str
    #: Where state directories go: on a disk, as a claim has to.
    folder: Path
    ground: Ground
    #: How many schedules there are, and every how many seconds all are due.
    count: int
    period: int
    form: Form
    survive: bool
    _process: subprocess.Popen[bytes] = field(init=False)
    _home: Path = field(init=False)

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="life-", dir=self.folder))
        manifest = self._home / "schedules.toml"
        manifest.write_text(self._manifest())
        name = f"flytesched-bench-{os.getpid()}-{self._home.name}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind("\0" + name)
            with (self._home / "journal").open("wb") as journal:
                self._process = subprocess.Popen(
                    [
                        self.python, "-m", "flytesched", "run",
                        "--manifest", manifest, "--state-dir", self._home / "state",
                    ],
                    env=self.ground.environ | {"NOTIFY_SOCKET": "@" + name}, cwd=self._home,
                    stdin=subprocess.DEVNULL, stdout=journal, stderr=journal,
                )  # fmt: skip
            self._hear_ready(ear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if kind is None:
            self._hold(code)

    def _manifest(self) -> str:
        seconds = "*" if self.period == 1 else f"*/{self.period}"
        head = f"version = 1\n[defaults]\nsurvive = {str(self.survive).lower()}\n"
        return head + "".join(
            f"[schedules.job-{job}]\n"
            f"command = {self._command(job)}\n"
            f'cron = "{seconds} * * * * *"\nseconds = true\n'
            for job in range(self.count)
        )

    def _command(self, job: int) -> str:
        # What JSON writes of these is TOML too.
        argv = self.form is Form.ARGV
        return json.dumps(self.ground.words(job) if argv else self.ground.text(self.form, job))

    def _hear_ready(self, ear: socket.socket) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            if select.select([ear], [], [], 0.1)[0] and b"READY=1" in ear.recv(4096):
                return
        self._process.kill()
        self._process.wait()
        msg = f"flytesched never said that it is ready: {self.journal()}"
        raise RuntimeError(msg)

    def _hold(self, code: int) -> None:
        """Hold a life to what its figures rest on."""
        asked = subprocess.run(
            [self.python, "-c", _SYNCHRONOUS, self._database],
            capture_output=True, text=True, check=True, cwd=self._home,
        ).stdout.strip()  # fmt: skip
        if code != 0 or asked != "(2,)":
            msg = f"exit code {code}, synchronous = {asked}: {self.journal()}"
            raise RuntimeError(msg)

    # -- what is seen of it -----------------------------------------------------------------

    @property
    def _database(self) -> Path:
        return self._home / "state" / "runs.db"

    def journal(self) -> str:
        """Return the end of what it said."""
        return (self._home / "journal").read_text()[-2000:]

    def verdicts(self, slot: int) -> dict[str, int]:
        """Return how many runs of a slot have which status."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as log:
            asked = "SELECT status, count(*) FROM runs WHERE scheduled_at = ? GROUP BY status"
            return dict(log.execute(asked, (slot,)))

    def settle(self, slot: int) -> None:
        """Wait until every run of a slot has succeeded, and that is durable.

        Raises:
            RuntimeError: one has not, after a minute.
        """
        if not wait(lambda: self.verdicts(slot) == {"succeeded": self.count}, PATIENCE):
            msg = f"of {self.count} runs of {slot}: {self.verdicts(slot)}; {self.journal()}"
            raise RuntimeError(msg)

    def spent(self) -> Spent:
        """Return the CPU seconds of the scheduler, and of the children it has waited for."""
        return spent(self._process.pid)


def spent(pid: int) -> Spent:
    """Return the CPU seconds of a process, and of the children that it has waited for."""
    tick = os.sysconf("SC_CLK_TCK")
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (sum(map(int, words[at : at + 2])) / tick for at in (11, 13))
    # Nanoseconds instead of ticks, where the kernel counts them.
    threads = [path / "schedstat" for path in Path(f"/proc/{pid}/task").iterdir()]
    if all(path.exists() for path in threads):
        own = sum(int(path.read_text().split()[0]) for path in threads) / 1e9
    return Spent(own=own, children=children)
