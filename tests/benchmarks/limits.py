"""What this machine can do at the most: a bare loop that starts processes, and their stamps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HERE = Path(__file__).parent
#: Processes in flight that the bare loop tries; 0 for all at once. The quickest is the limit.
IN_FLIGHT = (0, 2, 4, 16, 64)
#: How far root puts the bare loop and every contender before other processes (nice(2)).
NICENESS = -15
#: Seconds without any progress after which a contender is taken for broken.
PATIENCE = 60.0
#: The command of every job where there is no C compiler.
_SLOW_STAMP = """\
#!/bin/sh
echo "$3 ${FLYTESCHED_SCHEDULED_AT_EPOCH:-0} $(date +%s%N)" >> "$2"
"""


class Form(Enum):
    """How a command is written, which is how much of a shell it needs."""

    #: One external command and a redirection: only a shell can read it, and then becomes it.
    SHELL = "shell text"
    #: The same and then a word of the shell's own, which makes it fork.
    FORK = "shell text; :"
    #: One external command, and nothing but words.
    PLAIN = "plain words"
    #: A list of arguments.
    ARGV = "argv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a command wrote when it ran."""

    job: int
    #: The second it was started for, in epoch seconds, as far as the command was told; else 0.
    slot: int
    #: Its moment, in epoch nanoseconds.
    moment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """CPU seconds of one who starts processes, and of what it started."""

    own: float
    children: float

    @property
    def total(self) -> float:
        """Return the sum."""
        return self.own + self.children

    def __str__(self) -> str:
        return f"{self.own * 1e6:,.0f} + {self.children * 1e6:,.0f}"

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(own=self.own - earlier.own, children=self.children - earlier.children)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One bare loop."""

    #: Seconds from its first start to the last stamp.
    seconds: float
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every contender shares: the command, the file it stamps, the environment."""

    #: The command's program; its words are ``program stamp FILE JOB``.
    program: Path
    #: Words that start the bare loop.
    loop: tuple[str, ...]
    #: Where the stamps go: in memory if there is such a place, so that nobody waits for a disk on
    #: behalf of the command.
    file: Path
    #: The environment of the bare loop and of every contender.
    environ: dict[str, str]
    #: What one has to know about all figures.
    note: str

    def halves(self, form: Form) -> tuple[str, str]:
        """Return what comes before and after the job's number in a command's text."""
        after = {Form.SHELL: " >/dev/null", Form.FORK: " >/dev/null; :"}
        return f"{self.program} stamp {self.file} ", after.get(form, "")

    def text(self, form: Form, job: int) -> str:
        """Return the command of a job as text."""
        before, after = self.halves(form)
        return f"{before}{job}{after}"

    def words(self, job: int) -> list[str]:
        """Return the command of a job as a list."""
        return [str(self.program), "stamp", str(self.file), str(job)]

    def stamps(self) -> list[Stamp]:
        """Return what has been stamped since ``clear``."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        words = (line.split() for line in lines)
        return [Stamp(job=int(job), slot=int(slot), moment=int(at)) for job, slot, at in words]

    def clear(self) -> None:
        """Begin anew; commands that still run have the file's name, not the file."""
        self.file.unlink(missing_ok=True)

    def wait_for(self, count: int) -> list[Stamp]:
        """Return stamps once there are so many.

        Raises:
            RuntimeError: none came for a minute.
        """
        seen = -1

        def enough() -> bool:
            return self.file.exists() and self.file.read_bytes().count(b"\n") >= count

        while not enough():
            before, seen = seen, len(self.stamps())
            if seen == before:
                msg = f"{seen} of {count} commands ran, and then none for {PATIENCE:g} s"
                raise RuntimeError(msg)
            wait(enough, PATIENCE)
        return self.stamps()

    # -- the limit --------------------------------------------------------------------------

    def bare(self, count: int, form: Form, in_flight: int) -> Loop:
        """Start ``count`` commands in the bare loop, which stamp a file of their own."""
        apart = replace(self, file=self.file.with_name("bare"))
        how = ("argv", str(self.program), str(apart.file))
        if form is not Form.ARGV:
            how = ("sh", *apart.halves(form))
        apart.clear()
        said = subprocess.run(
            [*self.loop, "loop", str(count), str(in_flight), *how],
            capture_output=True, check=True, env=self.environ, text=True,
        ).stdout  # fmt: skip
        began, own, children = map(int, said.split())
        stamps = apart.wait_for(count)
        last = max(stamp.moment for stamp in stamps)
        return Loop(
            seconds=(last - began) / 1e9, spent=Spent(own=own / 1e9, children=children / 1e9)
        )

    @contextmanager
    def ticking(self, seconds: int) -> Iterator[list[float]]:
        """Start a command in the middle of each second, meanwhile, as directly as can be.

        The list has the milliseconds that each took to start, afterwards: those of a machine with
        these guests, at these seconds.
        """
        apart = replace(self, file=self.file.with_name("ticks"))
        apart.clear()
        process = subprocess.Popen(
            [*self.loop, "tick", str(seconds), str(self.program), str(apart.file)],
            env=self.environ,
        )
        found: list[float] = []
        try:
            yield found
            process.wait(PATIENCE)
            found += [stamp.moment / 1e6 % 1000 - 500 for stamp in apart.stamps()]
        finally:
            process.kill()
            process.wait()

    def best_in_flight(self, count: int, form: Form) -> int:
        """Return with how many processes in flight the bare loop is quickest."""
        tried = {
            limit: min(self.bare(count, form, limit).seconds for _ in range(3))
            for limit in IN_FLIGHT
            if limit < count
        }
        return min(tried, key=tried.__getitem__)


def wait(condition: Callable[[], object], patience: float) -> bool:
    """Wait until something holds, at most so many seconds; tell whether it does."""
    deadline = time.monotonic() + patience
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(holds)


def wait_until(moment: float) -> None:
    """Sleep until a moment of the wall clock."""
    while (left := moment - time.time()) > 0:
        time.sleep(left)


def once_each(stamps: list[Stamp], count: int) -> bool:
    """Tell whether every job stamped exactly once."""
    return Counter(stamp.job for stamp in stamps) == Counter(range(count))


def percentile(values: Iterable[float], percent: int) -> float:
    """Return the value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


@contextmanager
def _ahead_of_guests() -> Iterator[None]:
    """Go before other processes of the machine, if that is allowed, with all that is measured.

    Amid others who want the same cores, whoever has more threads gets more of them: a pool of ten
    would then beat the bare loop, which no longer is a limit.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, min(before, NICENESS))
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Make the command and the bare loop, with the compiler if there is one."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else folder
    temporary = tempfile.TemporaryDirectory(prefix="flytesched-stamps-", dir=place)
    with temporary as stamps, _ahead_of_guests():
        program = folder / "spawn"
        compiled = _compile(program)
        loop: tuple[str, ...] = (str(program),)
        if not compiled:
            program.write_text(_SLOW_STAMP)
            program.chmod(0o755)
            loop = (sys.executable, str(HERE / "spawn.py"))
        yield Ground(
            program=program, loop=loop, file=Path(stamps) / "stamps",
            environ={
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"
            },
            note="" if compiled else "no C compiler: the bare loop is Python, the command a script",
        )  # fmt: skip


def _compile(program: Path) -> bool:
    """Compile spawn.c, statically where that works: it is the quickest to start."""
    compilers = [found for name in ("cc", "gcc", "clang", "tcc") if (found := shutil.which(name))]
    return any(
        subprocess.run(
            [compiler, "-O2", *link, "-o", program, HERE / "spawn.c"], capture_output=True
        ).returncode
        == 0
        for compiler in compilers
        for link in (["-static"], [])
    )
