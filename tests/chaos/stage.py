"""A stage: one manifest, one state directory, one scheduler at a time, kept going as systemd would.

The stage knows when the scheduler was left alone and well ("calm"), and when it died: the judge
asks for nothing more of the story.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from chaos.workload import SCRIPT, Job, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: PRODUCT 1.8: a verdict or a start within 5 s of the first start after any outage.
SETTLED_AFTER = 5.0
#: Seconds that something broken is waited for. No bound on speed: the judge holds those.
PATIENCE = 60.0
PROGRAM = (sys.executable, "-m", "chaos.program")


class Stuck(AssertionError):  # noqa: N818  it says how it stands
    """Something that has to come did not come."""


def wait_for(what: str, condition: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
    """Return the first true answer."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise Stuck(what)


@dataclass
class Stage:
    """Where a story is played."""

    home: Path
    jobs: tuple[Job, ...]
    #: Where the state directory is; elsewhere for a story about a small disk.
    state: Path
    #: Words of ``chaos.program``: a planted bug.
    plant: tuple[str, ...] = ()
    loop: subprocess.Popen[bytes] | None = None
    #: Stretches in which the scheduler was well and left alone.
    calm: list[tuple[float, float]] = field(default_factory=list)
    #: Moments at which a scheduler died or was stopped.
    deaths: list[float] = field(default_factory=list)
    #: Runs that the story itself killed or cancelled: they may end so.
    killed: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    #: For each schedule ``(from, to)`` in which its slots are due for certain, and those in which
    #: it takes time until an edit counts, so that they may be due.
    due: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    unsure: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    #: How often each fault was applied, each window was tried, and was met.
    applied: dict[str, int] = field(default_factory=dict)
    windows: dict[str, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _calm_from: float | None = None
    _log_at: int = 0
    _traced: bool = False
    #: Who notes the death of each scheduler, by pid.
    _mourners: dict[int, Thread] = field(default_factory=dict)

    @classmethod
    def make(
        cls, home: Path, jobs: tuple[Job, ...], *, state: Path | None = None,
        plant: tuple[str, ...] = (),
    ) -> Stage:  # fmt: skip
        """Set a stage in an empty folder."""
        stage = cls(home=home, jobs=jobs, state=state or home / "state", plant=plant)
        stage.script.write_text(SCRIPT)
        stage.manifest.write_text(manifest(jobs, stage.script))
        stage.evidence.touch()
        return stage

    @property
    def script(self) -> Path:
        return self.home / "job.sh"

    @property
    def manifest(self) -> Path:
        return self.home / "schedules.toml"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    @property
    def log(self) -> Path:
        return self.home / "loop.log"

    @property
    def database(self) -> Path:
        return self.state / "runs.db"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the program, with nothing of the tests' own in it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLYTESCHED", "COV"))}
        return kept | {
            "FLYTESCHED_MANIFEST": str(self.manifest),
            "FLYTESCHED_STATE_DIR": str(self.state),
            "CHAOS_EVIDENCE": str(self.evidence),
            "HOME": str(self.home),
            "PYTHONPATH": str(Path(__file__).parent.parent),
        }

    # -- commands -----------------------------------------------------------------------------

    def ask(self, *words: str, codes: Sequence[int] = (0,), patience: float = PATIENCE) -> str:
        """Run a command to its end and hold it to its exit codes; return stdout."""
        done = subprocess.run(
            [*PROGRAM, *self.plant, "--", *words], capture_output=True, text=True,
            env=self.environ, cwd=self.home, timeout=patience, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode not in codes or "Traceback" in done.stderr:
            msg = f"{words}: exit {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
            raise Stuck(msg)
        return done.stdout

    def json(self, *words: str) -> Any:
        """Return what a reading command answers."""
        return json.loads(self.ask(*words, "--json"))

    # -- the scheduler ------------------------------------------------------------------------

    def launch(
        self, *words: str, die: str | None = None, before: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start ``flytesched run`` without waiting for it.

        Args:
            die: a window of ``chaos.windows`` at which it kills itself, ``NAME:COUNT``.
            before: words in front of the program, such as those of strace.
        """
        doomed = ("--die", die) if die else ()
        self._traced = bool(before)
        self._log_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.loop = subprocess.Popen(
                [*before, *PROGRAM, *self.plant, *doomed, "--", "run", *words], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env=self.environ, cwd=self.home,
            )  # fmt: skip
        mourner = Thread(target=self._note_death, args=(self.loop.pid,), daemon=True)
        self._mourners[self.loop.pid] = mourner
        mourner.start()
        return self.loop

    def _note_death(self, pid: int) -> None:
        """Note the moment itself: a command may adopt what is left long before the story looks."""
        with suppress(ChildProcessError):  # reaped already, and just now
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.deaths.append(time.time())

    def start(self, *words: str) -> None:
        """Start a scheduler and return once it decides slots; from then on it is calm soon."""
        self.launch(*words)
        self.well()

    def well(self) -> None:
        """Wait until the scheduler decides slots."""
        loop = self.loop
        wait_for("ready", lambda: self.said(b" ready ") or loop is None or loop.poll() is not None)
        if loop is None or loop.poll() is not None:
            msg = f"the scheduler left by itself: {self.log.read_text()[-2000:]}"
            raise Stuck(msg)
        self._calm_from = time.time() + SETTLED_AFTER

    def said_since(self, position: int) -> None:
        """Let the present scheduler's words begin at a position of the log."""
        self._log_at = position

    def said(self, words: bytes) -> bool:
        """Tell whether the present scheduler has said something."""
        with self.log.open("rb") as log:
            log.seek(self._log_at)
            return words in log.read()

    def trouble(self) -> None:
        """Note that from now on the scheduler is not left alone."""
        if self._calm_from is not None and time.time() > self._calm_from:
            self.calm.append((self._calm_from, time.time()))
        self._calm_from = None

    def over(self) -> None:
        """Note that it is left alone again."""
        if self.alive:
            self._calm_from = time.time() + SETTLED_AFTER

    @contextmanager
    def troubled(self) -> Iterator[None]:
        """Do something to a scheduler that goes on."""
        self.trouble()
        try:
            yield
        finally:
            self.over()

    @property
    def alive(self) -> bool:
        return self.loop is not None and self.loop.poll() is None

    @property
    def pid(self) -> int:
        """The scheduler's pid, also behind strace."""
        assert self.loop is not None
        if not self._traced:
            return self.loop.pid
        with suppress(OSError):
            children = Path(f"/proc/{self.loop.pid}/task/{self.loop.pid}/children").read_text()
            if children:
                return int(children.split()[0])
        return self.loop.pid

    def kill(self, number: int = signal.SIGKILL) -> int:
        """End the scheduler, and return its code as wait() tells it."""
        assert self.loop is not None
        self.trouble()
        pid = self.pid
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if pid != self.loop.pid and number == signal.SIGKILL:
            # strace -f would stay for as long as what the scheduler has started.
            wait_for("the scheduler's death", lambda: _is_dead(pid))
            self.loop.kill()
        return self.gone()

    def gone(self, patience: float = PATIENCE) -> int:
        """Wait until the scheduler is gone."""
        assert self.loop is not None
        try:
            code = self.loop.wait(patience)
        except subprocess.TimeoutExpired:
            what = "the scheduler to be gone"
            raise Stuck(what) from None
        self._mourners[self.loop.pid].join()
        self.trouble()
        return code

    def limit(self, kind: int, value: int | None) -> None:
        """Set a soft limit of the running scheduler; None for none but the hard one."""
        _, hard = resource.prlimit(self.pid, kind)
        resource.prlimit(self.pid, kind, (hard if value is None else value, hard))

    # -- slots that are due -------------------------------------------------------------------

    def due_from(self, name: str, moment: float) -> None:
        """Note that a schedule is in force for certain from a moment on."""
        self.due.setdefault(name, []).append((moment, float("inf")))

    def due_until(self, name: str, moment: float) -> None:
        """Note that from a moment on its slots need not be due."""
        spans = self.due.get(name)
        if spans and spans[-1][1] == float("inf"):
            spans[-1] = (spans[-1][0], moment)

    def maybe(self, name: str, begin: float, end: float) -> None:
        """Note a stretch in which its slots may be due, or not."""
        self.unsure.setdefault(name, []).append((begin, end))


def _is_dead(pid: int) -> bool:
    """Tell whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
