"""The same bursts by other schedulers of one machine, and what flytesched is beside them.

What has to be installed goes into a folder of its own (``~/.cache/flytesched-bench``), never into
the system. A peer that cannot be had here has a row without a figure that says why.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import burst
import contest
from contest import Series, promises
from life import spent
from limits import PATIENCE, Form, Ground, Spent, ground, wait
from report import Bench, Row, at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECTION = "peers"
HERE = Path(__file__).parent
#: Where what was installed stays for the next time.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flytesched-bench"

#: Seconds that a scheduler may need until it has read its jobs.
READING = 300.0


class Missing(Exception):  # noqa: N818  a normal branch
    """A peer cannot be had here; says why."""


@dataclass(kw_only=True)
class Peer:
    """A scheduler that is one process, over commands that are all due at the same seconds."""

    name: ClassVar[str]
    #: The finest period that it knows, in seconds.
    finest: ClassVar[int] = 1
    #: The least period that leaves it time for thousands.
    crowded: ClassVar[int] = 60
    #: Whether flytesched shall be ahead of it where commands outlive the scheduler, too.
    rival: ClassVar[bool] = True

    folder: Path
    ground: Ground
    count: int
    period: int
    pid: int = field(init=False, default=0)

    @property
    def commands(self) -> list[str]:
        """Return the commands, each text that only a shell can read."""
        return [self.ground.text(Form.SHELL, job) for job in range(self.count)]

    @property
    def minutes(self) -> str:
        """Return the period as five fields of cron."""
        return "* * * * *" if self.period == 60 else f"*/{self.period // 60} * * * *"

    def words(self) -> list[Any]:
        """Write what the scheduler reads; return the words that start it.

        Raises:
            Missing: it cannot be had here.
        """
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it, from when it has read its jobs."""
        words = self.words()
        with (self.folder / "journal").open("wb") as journal:
            process = subprocess.Popen(
                words, env=self.ground.environ, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=journal, stderr=journal,
            )  # fmt: skip
        try:
            self.pid = self.leader(process.pid)
            if not wait(self.rests, READING):
                msg = f"it still reads its jobs after {READING:g} s"
                raise Missing(msg)
            if process.poll() is not None:
                said = (self.folder / "journal").read_text()[-300:]
                msg = f"it ends at once: {said}"
                raise Missing(msg)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def leader(self, pid: int) -> int:
        """Return the scheduler's process id, from that of what was started."""
        return pid

    def rests(self) -> bool:
        """Tell whether it uses no CPU for a while; what has ended rests, too."""
        with suppress(OSError):
            before = spent(self.pid).own
            time.sleep(1)
            return spent(self.pid).own - before < 0.01
        return True

    def settle(self, slot: int) -> None:
        """Wait until nothing of a slot runs any more.

        Raises:
            RuntimeError: something does, after a whole period.
        """
        if not wait(self.is_done, max(self.period, PATIENCE)):
            msg = f"commands of {slot} still run"
            raise RuntimeError(msg)

    def is_done(self) -> bool:
        """Tell whether it has no children any more."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return not any((task / "children").read_text().strip() for task in tasks)

    def spent(self) -> Spent:
        """Return the CPU seconds of the scheduler so far, and of what it has started."""
        return spent(self.pid)


class Supercronic(Peer):
    """Needs a ``supercronic`` on PATH: no registry of packages has it."""

    name = "supercronic"
    rival = False

    def words(self) -> list[Any]:
        """Write a crontab; a sixth field in front counts seconds."""
        if (program := shutil.which("supercronic")) is None:
            msg = "no supercronic on PATH, and no package of Debian, PyPI or npm ships one"
            raise Missing(msg)
        when = self.minutes if self.period >= 60 else f"*/{self.period} * * * * * *"
        crontab = self.folder / "crontab"
        crontab.write_text("".join(f"{when} {command}\n" for command in self.commands))
        return [program, "-quiet", "-no-reap", crontab]


class Cron(Peer):
    """Debian's cron, from its package, in a mount namespace with a spool of its own."""

    name = "Debian cron"
    finest = 60

    #: Gives it a spool, a /run and its PAM service, none of which are the machine's.
    _STAGE = """
        set -e
        mkdir -p /var/spool
        mount -t tmpfs none /var/spool
        mount -t tmpfs none /run
        cp -a /etc "$1/etc"
        cp -a "$2/etc/." "$1/etc"
        mount --bind "$1/etc" /etc
        mkdir -p /var/spool/cron/crontabs
        install -m 600 "$1/crontab" /var/spool/cron/crontabs/root
        exec "$2/usr/sbin/cron" -f
    """

    def words(self) -> list[Any]:
        """Write a crontab."""
        if os.geteuid() != 0:
            msg = "only root can give it a spool of its own"
            raise Missing(msg)
        package = installed("cron", _unpack)
        lines = [f"{self.minutes} {command}\n" for command in self.commands]
        (self.folder / "crontab").write_text("".join(lines))
        return ["unshare", "--mount", "sh", "-c", self._STAGE, "sh", self.folder, package]


class Yacron(Peer):
    """yacron from PyPI, without what it does to a job's output."""

    name = "yacron"
    finest = 60

    def words(self) -> list[Any]:
        """Write its YAML, whose quoted strings are those of JSON."""
        venv = installed("yacron==0.19.0", _install)
        jobs = [
            f"  - name: job-{job}\n    command: {json.dumps(command)}\n"
            f'    schedule: "{self.minutes}"\n    captureStderr: false\n'
            for job, command in enumerate(self.commands)
        ]
        (self.folder / "jobs.yaml").write_text("".join(["jobs:\n", *jobs]))
        return [venv / "bin/yacron", "-c", self.folder / "jobs.yaml"]


class APScheduler(Peer):
    """APScheduler from PyPI, with its own pool of ten threads and ``subprocess.run``."""

    name = "APScheduler"

    def words(self) -> list[Any]:
        """Write the commands for a script of a few lines."""
        venv = installed("apscheduler==3.11.3", _install)
        (self.folder / "commands.json").write_text(json.dumps(self.commands))
        when = ["second=0", f"minute=*/{self.period // 60}"]
        if self.period < 60:
            when = [f"second=*/{self.period}"]
        script = HERE / "peer_apscheduler.py"
        return [venv / "bin/python", script, self.folder / "commands.json", *when]


class Systemd(Peer):
    """Timers of a real systemd, in the machine that its tests boot."""

    name = "systemd timers"
    finest = 10
    crowded = 300
    _machine: Any = None

    def words(self) -> list[Any]:
        """Not used: systemd is started otherwise."""
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot a machine, and start a timer for each command."""
        machinery = _machinery()
        if (why := machinery.missing()) is not None:
            raise Missing(why)
        place = machinery.room() or self.folder
        machine = self._machine = machinery.Machine(place / "root")
        try:
            subprocess.run(["cp", "-a", machinery.make_root(), machine.root], check=True)
            self._write(machine.root)
            machine.boot()
            self.pid = machine._init
            timers = [f"job-{job}.timer" for job in range(self.count)]
            for at in range(0, self.count, 1000):
                machine.run("systemctl", "start", *timers[at : at + 1000])
            wait(self.rests, READING)
            yield
        finally:
            machine.pull_the_plug()
            shutil.rmtree(place if place != self.folder else machine.root)

    def is_done(self) -> bool:
        """Tell whether no service of a command is left."""
        left = ("systemctl", "list-units", "--no-legend", "job-*.service")
        return not self._machine.run(*left).strip()

    def _write(self, root: Path) -> None:
        """Put the command into the machine, and its units."""
        shutil.copy(self.ground.program, root / "srv/spawn")
        inside = replace(self.ground, program=Path("/srv/spawn"), file=Path("/srv/stamps"))
        self.ground = replace(self.ground, file=root / "srv/stamps")
        when = f"*:0/{self.period // 60}:00" if self.period >= 60 else f"*:*:0/{self.period}"
        for job in range(self.count):
            unit = root / f"etc/systemd/system/job-{job}"
            unit.with_suffix(".timer").write_text(
                f"[Timer]\nOnCalendar={when}\nAccuracySec=1us\nRemainAfterElapse=yes\n"
            )
            command = inside.text(Form.SHELL, job)
            unit.with_suffix(".service").write_text(
                f'[Service]\nType=oneshot\nExecStart=/bin/sh -c "{command}"\n'
            )


#: In the order they are told.
PEERS = (Supercronic, Cron, Yacron, APScheduler, Systemd)
#: Ours, and the bursts of all.
OURS = (burst.WAYS[0], burst.WAYS[3])
SIZES = (
    burst.Size(count=100, period=10, rounds=3),
    burst.Size(count=1000, period=30, rounds=2),
    burst.Size(count=5000, period=60, rounds=2),
)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure flytesched and every peer in turn; nothing in the short form, it takes long."""
    if bench.quick:
        return
    seen: list[contest.Burst] = []
    with ground(bench.folder) as shared:
        for size in SIZES:
            ours = [burst.series(bench, shared, way, size) for way in OURS]
            for found in ours:
                seen += found.bursts
                yield from found.rows(SECTION)
            for kind in PEERS:
                yield from measured(bench, shared, kind, size, ours)
    yield from promises(SECTION, seen)


def measured(
    bench: Bench, shared: Ground, kind: type[Peer], size: burst.Size, ours: list[Series]
) -> list[Row]:
    """Return what is told of one peer at one size."""
    name = f"{size.count:,} at once, {kind.name}"
    folder = Path(tempfile.mkdtemp(prefix="peer-", dir=bench.folder))
    period = max(size.period, kind.finest if size.count < 5000 else kind.crowded)
    peer = kind(folder=folder, ground=shared, count=size.count, period=period)
    try:
        theirs = Series(name=name, count=size.count, bursts=_bursts(peer, size.rounds))
    except (Missing, RuntimeError, OSError, subprocess.CalledProcessError) as error:
        return [Row(section=SECTION, what=name, value=None, unit="ratio", note=str(error))]
    torn = sum(not one.whole for one in theirs.bursts)
    note = f"{torn} bursts with a job not exactly once" if torn else ""
    return [*theirs.rows(SECTION, note=note), *_beside(ours, theirs, kind)]


def _bursts(peer: Peer, rounds: int) -> tuple[contest.Burst, ...]:
    with peer.running():
        in_flight = peer.ground.best_in_flight(peer.count, Form.SHELL)
        return contest.bursts(peer, peer.ground, Form.SHELL, in_flight, rounds)


def _beside(ours: list[Series], theirs: Series, kind: type[Peer]) -> Iterator[Row]:
    """Return how many times as quick flytesched is, its share of the bare loop by theirs."""
    for way, found in zip(OURS, ours, strict=True):
        times = found.ratio / theirs.ratio
        goal: dict[str, Any] = {"value": times}
        if kind.rival or not way.survive:
            goal = at_least(times, 1.0)
        yield Row(section=SECTION, what=f"  {found.name}, over {kind.name}", unit="times", **goal)


# -- what has to be installed -------------------------------------------------------------------


def installed(what: str, make: Callable[[str, Path], None]) -> Path:
    """Return the folder of something that was installed, now or by an earlier run.

    Raises:
        Missing: it cannot be had.
    """
    place = CACHE / what.replace("==", "-")
    done = place / "done"
    if not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        try:
            make(what, place)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            msg = f"{what} cannot be installed: {said.strip().splitlines()[-1]}"
            raise Missing(msg) from error
        done.touch()
    return place


def _install(requirement: str, place: Path) -> None:
    """Install a package of PyPI into an environment of its own."""
    _do(place, sys.executable, "-m", "venv", place)
    _do(place, place / "bin/pip", "install", "-q", "--disable-pip-version-check", requirement)


def _unpack(package: str, place: Path) -> None:
    """Unpack a package of Debian; its scripts do not run, no service starts."""
    _do(place, "apt-get", "download", package)
    (archive,) = place.glob("*.deb")
    _do(place, "dpkg-deb", "-x", archive, place)


def _do(place: Path, *words: Any) -> None:
    subprocess.run(words, cwd=place, check=True, capture_output=True, text=True)


def _machinery() -> Any:
    """Return the module that boots systemd for its tests.

    Raises:
        Missing: what tests need is not installed.
    """
    sys.path[:0] = [str(HERE.parent), str(HERE.parent / "systemd")]
    try:
        return importlib.import_module("systemd_machine")
    except ImportError as error:
        msg = f"its machine needs the extra 'test': {error}"
        raise Missing(msg) from error
    finally:
        del sys.path[:2]
