"""A machine that real systemd runs: a Debian in a directory, booted in namespaces of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desk import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent
#: What the machine is made of.
SUITE = os.environ.get("FLYTESCHED_SYSTEMD_SUITE", "bookworm")
PROGRAM = "/opt/flytesched/bin/flytesched"
#: What becomes systemd is the first process of these.
NAMESPACES = (
    "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child",
)  # fmt: skip
#: Programs without which there is no machine.
NEEDED = ("debootstrap", "unshare", "nsenter", "setpriv", "mount")


def missing() -> str | None:
    """Return why there can be no machine here; None if there can."""
    if os.geteuid() != 0:
        return "only root can boot systemd in namespaces"
    absent = [program for program in NEEDED if shutil.which(program) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if (place := cgroups()) is None:
        return "no cgroup2 is mounted below /sys/fs/cgroup"
    if not os.access(place, os.W_OK):
        return f"{place} is read-only"
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else None


def cgroups() -> Path | None:
    """Return where the one hierarchy of cgroups is mounted, alone or beside the older ones."""
    for place in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (place / "cgroup.procs").exists() and (place / "cgroup.controllers").exists():
            return place
    return None


def make_root() -> Path:
    """Return a Debian to copy from, made by the first test run that needs it."""
    script = HERE / "make_root.sh"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flytesched-tests"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"{SUITE}-{hashlib.sha256(script.read_bytes()).hexdigest()[:12]}"
    with (cache / "make_root.log").open("a+") as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # of several test runs, one makes it
        if not root.exists():
            done = subprocess.run([script, root, SUITE], stdout=log, stderr=subprocess.STDOUT)
            assert done.returncode == 0, f"no Debian could be made, see {log.name}"
    return root


def room() -> Path | None:
    """Return a folder in memory for a machine's disk, if there is enough: it saves minutes."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < 2 * 2**30:
        return None
    return Path(tempfile.mkdtemp(prefix="flytesched-machine-", dir=memory))


@dataclass
class Machine:
    """A Debian in a directory, and systemd in it while it is booted."""

    root: Path
    _outside: subprocess.Popen[bytes] | None = None
    _cgroup: Path | None = None
    _init: int = 0

    # -- power ------------------------------------------------------------------------------

    def boot(self) -> None:
        """Start systemd, and return once it has started what it starts."""
        place = cgroups()
        assert place is not None
        self._cgroup = place / f"flytesched-test-{uuid.uuid4().hex[:12]}"
        self._cgroup.mkdir()
        # Were this process to be killed, nothing would be left: the kernel ends the outermost
        # process with it, then systemd, and with systemd all of its namespace.
        into = f'echo $$ > {self._cgroup}/cgroup.procs && exec "$@"'
        console = (self.root / "var/log/console").open("ab")
        self._outside = subprocess.Popen(
            [
                "setpriv", "--pdeathsig", "KILL", "sh", "-c", into, "sh",
                *NAMESPACES, HERE / "boot.sh", self.root, str(uuid.uuid4()),
            ],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip
        console.close()
        self._init = wait_for("systemd's process", self._child)
        wait_for("the end of the boot", self._is_up, patience=120)

    def _child(self) -> int:
        assert self._outside is not None
        pid = self._outside.pid
        assert self._outside.poll() is None, (self.root / "var/log/console").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def _is_up(self) -> bool:
        return self.ask("systemctl", "is-active", "multi-user.target").stdout == "active\n"

    def shut_down(self) -> None:
        """Let systemd stop everything, as before a reboot."""
        assert self._outside is not None
        self.ask("systemctl", "poweroff")
        self._outside.wait(120)
        self._clear()

    def pull_the_plug(self) -> None:
        """End every process of the machine at once."""
        if self._outside is not None and self._outside.poll() is None:
            if self._init:
                with suppress(ProcessLookupError):
                    os.kill(self._init, 9)
            else:
                self._outside.kill()
            self._outside.wait(60)
        self._clear()

    def _clear(self) -> None:
        self._init = 0
        if self._cgroup is not None and self._cgroup.exists():
            wait_for("the end of every process", lambda: not self._populated())
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                Path(folder).rmdir()

    def _populated(self) -> bool:
        assert self._cgroup is not None
        return "populated 1" in (self._cgroup / "cgroup.events").read_text()

    # -- inside -----------------------------------------------------------------------------

    def ask(self, *words: str | Path, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as root or as a user that is logged in; any exit code will do."""
        environ = ["HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        become: list[str] = []
        if user is not None:
            become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
            environ[0] = f"HOME=/home/{user}"
            environ.append("XDG_RUNTIME_DIR=/run/user/1000")
        return subprocess.run(
            [
                "nsenter", f"--target={self._init}", "--mount", "--uts", "--ipc", "--net", "--pid",
                "--cgroup", "--root", "--wd", *become, "env", "-i", *environ, *words,
            ],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, *words: str, code: int = 0, user: str | None = None) -> str:
        """Run a program inside, and hold it to its exit code; return stdout."""
        done = self.ask(*words, user=user)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *words: str, code: int, user: str | None = None) -> str:
        """Run the program, which has to refuse with this exit code; return what it says."""
        done = self.ask(PROGRAM, *words, user=user)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stderr

    def flytesched(self, *words: str, user: str | None = None) -> str:
        """Run the program inside."""
        return self.run(PROGRAM, *words, user=user)

    def json(self, *words: str, user: str | None = None) -> Any:
        """Return what the program says as JSON."""
        return json.loads(self.flytesched(*words, "--json", user=user))

    def outside(self, pid: int) -> int:
        """Return what the kernel outside calls a process of the machine."""
        assert self._cgroup is not None
        for listing in self._cgroup.rglob("cgroup.procs"):
            for found in listing.read_text().split():
                status = Path(f"/proc/{found}/status").read_text()
                (names,) = [line for line in status.splitlines() if line.startswith("NSpid:")]
                if names.split()[-1] == str(pid):
                    return int(found)
        raise AssertionError(pid)

    def install_program(self) -> None:
        """Put the program and what it needs into an environment of its own, inside."""
        version = "import sys; print('%d.%d' % sys.version_info[:2])"
        build_wheels(self.root / "opt/wheels", self.run("python3", "-c", version).strip())
        self.run("python3", "-m", "venv", "/opt/flytesched")
        pip = ("/opt/flytesched/bin/pip", "install", "-q", "--disable-pip-version-check")
        self.run(*pip, "--no-index", "--find-links", "/opt/wheels", "flytesched")


#: The older hierarchy of cgroups that bounds memory, where it is in use.
OLDER_MEMORY = Path("/sys/fs/cgroup/memory")


@contextmanager
def little_memory(pid: int, size: int) -> Iterator[None]:
    """Let a process of the kernel outside, and what it starts, have so many bytes and no more."""
    group = OLDER_MEMORY / f"flytesched-test-{uuid.uuid4().hex[:12]}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(size))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        wait_for("its end", lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


def build_wheels(place: Path, python: str) -> Path:
    """Build the wheel of this checkout, and get those of what it needs for a version of Python."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", place, SOURCE], check=True)
    (wheel,) = place.glob("flytesched-*.whl")
    there = ["--only-binary=:all:", f"--python-version={python}"]
    subprocess.run([*pip, "download", *there, "-d", place, wheel], check=True)
    return place


@dataclass
class Host:
    """A machine with nothing installed but the program, for one test."""

    machine: Machine
    unit: str = "flytesched.service"
    _since: str = field(default="")

    def __post_init__(self) -> None:
        self.clear()
        self._since = self._cursor()

    # -- files ------------------------------------------------------------------------------

    @property
    def manifest(self) -> Path:
        return self.machine.root / "etc/flytesched/schedules.toml"

    @property
    def evidence(self) -> Path:
        """The folder in which commands leave what they did; /srv inside."""
        return self.machine.root / "srv"

    def write(self, text: str) -> None:
        """Write the manifest by hand."""
        self.manifest.parent.mkdir(exist_ok=True)
        self.manifest.write_text("version = 1\n" + text)

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file of evidence; none if it is not there yet."""
        path = self.evidence / name
        return path.read_text().splitlines() if path.exists() else []

    def drop_in(self, text: str) -> None:
        """Change the unit as `systemctl edit` does it."""
        folder = self.machine.root / f"etc/systemd/system/{self.unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "override.conf").write_text(text)
        self.systemctl("daemon-reload")

    # -- systemd ----------------------------------------------------------------------------

    def install(self, *words: str) -> None:
        self.machine.flytesched("service", "install", "--yes", *words)

    def systemctl(self, *words: str, code: int = 0) -> str:
        return self.machine.run("systemctl", *words, code=code)

    def fact(self, name: str) -> str:
        """Return a property of the unit."""
        said = self.machine.run("systemctl", "show", f"--property={name}", "--value", self.unit)
        return said.strip()

    @property
    def pid(self) -> int:
        """The main process, by its pid inside."""
        return int(self.fact("MainPID"))

    def kill(self, number: str) -> int:
        """Send a signal to the main process; return its pid."""
        pid = self.pid
        assert pid
        self.machine.run("sh", "-c", f"kill -{number} {pid}")
        return pid

    def restarted(self, pid: int) -> int:
        """Wait until another main process is ready; return its pid."""

        def another() -> int:
            return self.pid if self.pid not in {0, pid} and self.active == "active" else 0

        return wait_for("another main process", another)

    @property
    def active(self) -> str:
        return self.fact("ActiveState")

    def journal(self, *words: str) -> list[dict[str, Any]]:
        """Return what the journal has of the unit since the test began."""
        self.machine.run("journalctl", "--sync")
        said = self.machine.run(
            "journalctl", "-o", "json", f"--unit={self.unit}", *self._after(), *words
        )
        return [json.loads(line) for line in said.splitlines()]

    def said(self, text: str) -> list[str]:
        """Return the lines of the program or of systemd about it that hold a text."""
        return [m for entry in self.journal() if text in (m := str(entry.get("MESSAGE")))]

    def _cursor(self) -> str:
        said = self.machine.run("journalctl", "-n", "1", "-o", "json").strip()
        return json.loads(said)["__CURSOR"] if said else ""

    def _after(self) -> list[str]:
        return [f"--after-cursor={self._since}"] if self._since else []

    # -- history ----------------------------------------------------------------------------

    def entries(self, *words: str) -> list[dict[str, Any]]:
        return self.machine.json("history", *words, "--limit", "1000")["entries"]

    def wait_for_verdict(self, run: str) -> dict[str, Any]:
        """Wait until a run has ended; return its row."""

        def verdict() -> dict[str, Any] | None:
            found = [e for e in self.entries() if e["id"] == run]
            return found[0] if found and found[0]["ended_at"] else None

        return wait_for(f"the verdict of {run}", verdict)

    # -- the end ----------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything away that a test can have left."""
        script = """
            systemctl stop 'flytesched*.service'
            for unit in /sys/fs/cgroup/system.slice/flytesched*.service; do
                [ -d $unit ] && echo 1 > $unit/cgroup.kill
            done
            rm -rf /etc/systemd/system/flytesched* /etc/systemd/system/*.wants/flytesched*
            rm -rf /etc/flytesched /var/lib/flytesched /srv/*
            systemctl daemon-reload
            systemctl reset-failed
        """
        self.machine.run("sh", "-c", script)
