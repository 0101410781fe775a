"""``flytesched run`` over many schedules of which none is due, and what the kernel says of it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Seconds without any progress after which a program is taken for broken.
PATIENCE = 300.0
#: Due once a year, a minute apart, and not while anybody measures.
_TABLE = """\
[schedules.job-{number:06d}]
cron = "{minute} {hour} 29 2 *"
command = "/usr/local/bin/job --number {number}"
"""


def manifest(count: int, more: str = "") -> str:
    """Return a manifest of ``count`` schedules in 1,440 timetables at the most."""
    tables = (_TABLE.format(number=n, minute=n % 60, hour=n // 60 % 24) for n in range(count))
    return "version = 1\n" + "".join(tables) + more


@dataclass(kw_only=True)
class Served:
    """One life of the scheduler, from its exec to its end; a context manager."""

    #: The interpreter that has the flytesched to measure.
    python: str
    #: Manifest and state directory; a second life in the same home is a restart.
    home: Path
    #: Words between the scheduler and its interpreter, such as a tracer.
    before: tuple[str, ...] = ()
    #: Seconds from the exec to ready, and CPU seconds until then.
    ready: float = field(init=False)
    ready_cpu: float = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    @classmethod
    def of(cls, python: str, folder: Path, text: str) -> Served:
        """Return a life over a fresh manifest, not yet begun."""
        home = Path(tempfile.mkdtemp(prefix="served-", dir=folder))
        (home / "m.toml").write_text(text)
        return cls(python=python, home=home)

    def __enter__(self) -> Self:
        name = f"flytesched-bench-{os.getpid()}-{self.home.name}"
        environ = {k: v for k, v in os.environ.items() if not k.startswith("FLYTESCHED")}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind("\0" + name)
            with self.journal.open("ab") as journal:
                began = time.perf_counter()
                self._process = subprocess.Popen(
                    [
                        *self.before, self.python, "-m", "flytesched", "run", "--manifest",
                        self.home / "m.toml", "--state-dir", self.home / "state",
                    ],
                    env=environ | {"NOTIFY_SOCKET": "@" + name}, cwd=self.home,
                    stdin=subprocess.DEVNULL, stdout=journal, stderr=journal,
                )  # fmt: skip
            self._hear_ready(ear)
            self.ready = time.perf_counter() - began
        self.ready_cpu = self.cpu()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def journal(self) -> Path:
        """What it says."""
        return self.home / "journal"

    def cpu(self) -> float:
        """Return the CPU seconds that it used so far."""
        return int(self._proc("schedstat").split()[0]) / 1e9

    def resident(self) -> float:
        """Return its resident memory in MiB."""
        pages = int(self._proc("statm").split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def wake_ups(self) -> int:
        """Return how often it went to sleep so far, which is how often it woke."""
        status = dict(line.split(":", 1) for line in self._proc("status").splitlines())
        return int(status["voluntary_ctxt_switches"])

    def rest(self, seconds: float = 1.0) -> None:
        """Wait until it has not woken for some time: what follows a start is done."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if (now := self.wake_ups()) != last:
                last, since = now, time.monotonic()
            time.sleep(0.05)

    def write(self, text: str) -> None:
        """Replace the manifest, as editors do."""
        fresh = self.home / "m.toml.new"
        fresh.write_text(text)
        fresh.replace(self.home / "m.toml")

    def edit(self, text: str) -> tuple[float, float]:
        """Replace the manifest; return seconds until it is in force, and CPU seconds for it."""
        said = self.journal.stat().st_size
        fresh = self.home / "m.toml.new"
        fresh.write_text(text)
        cpu, began = self.cpu(), time.perf_counter()
        fresh.replace(self.home / "m.toml")
        while b"schedules changed" not in self._said_since(said):
            if time.perf_counter() - began > PATIENCE or self._process.poll() is not None:
                msg = f"the edit never was in force: {self._said_since(0)[-500:]!r}"
                raise RuntimeError(msg)
            time.sleep(0.001)
        return time.perf_counter() - began, self.cpu() - cpu

    def _said_since(self, at: int) -> bytes:
        with self.journal.open("rb") as journal:
            journal.seek(at)
            return journal.read()

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()

    def _hear_ready(self, ear: socket.socket) -> None:
        while True:
            heard, _, _ = select.select([ear], [], [], PATIENCE)
            if heard and b"READY=1" in ear.recv(4096).split(b"\n"):
                return
            if not heard or self._process.poll() is not None:
                self._process.kill()
                msg = f"it never was ready: {self._said_since(0)[-500:]!r}"
                raise RuntimeError(msg)
