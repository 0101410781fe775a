"""An outage of a year over a thousand schedules: half a billion missed slots, none of them a row.

The run log is made by the program's own code, told that a scheduler saw the schedules a year ago;
then ``flytesched run`` is started and timed until it has said of every schedule what it missed,
which it says right after the transaction that decides it, and ``flytesched catchup --dry-run`` as
a whole process. One run at a time is allowed, so that the commands that are caught up do not count.
CPU time is what is judged; the wall tells how busy the machine was.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from report import Bench, Row, at_most

from flytesched.bootstrap import bind, open_site
from flytesched.service.catchup import record_missed

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.bootstrap import Site

SECTION = "outage"
YEAR = 365 * 86_400
#: Seconds, by the goal.
GOAL = 2.0
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo")
_TICKS = os.sysconf("SC_CLK_TCK")


def _each_minute(_: int, shift: int) -> str:
    # An offset puts the slots between those of the clock, so that none falls due meanwhile.
    return f'cron = "* * * * *"\ntimezone = "UTC"\noffset = "{shift}s"'


def _of_its_own(number: int, shift: int) -> str:
    start = f"2000-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return f'{_each_minute(number, shift)}\nstart = "{start}"'.replace("UTC", "Europe/Berlin")


def _weekdays(number: int, _: int) -> str:
    zone = ZONES[number % len(ZONES)]
    return f'cron = "{number % 60} {number // 60 % 24} * * 1-5"\ntimezone = "{zone}"'


def _daily(number: int, _: int) -> str:
    return f'daily = "{number // 60 % 24:02}:{number % 60:02}"\ntimezone = "Europe/Berlin"'


#: What schedules have for a timetable.
KINDS: dict[str, Callable[[int, int], str]] = {
    "one timetable": _each_minute,
    "a timetable each": _of_its_own,
    "weekdays in four zones": _weekdays,
    "daily in Berlin": _daily,
}
#: Ways to ask what a catch-up would do.
LOOKS: dict[str, tuple[str, ...]] = {
    "of all": (),
    "limit 100": ("--limit", "100"),
    "policy latest": ("--policy", "latest"),
    "policy none": ("--policy", "none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What something took, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A state directory whose schedules were last seen long ago."""

    bench: Bench
    home: Path
    site: Site
    count: int

    def start(self) -> Spent:
        """Start a scheduler, and stop it again; return what it took to decide what was missed."""
        began = time.perf_counter()
        words = [*self._words("run"), "--log-format", "json"]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            try:
                told = 0
                while told < self.count and (line := process.stderr.readline()):
                    told += json.loads(line)["event"] == "missed"
                spent = Spent(wall=time.perf_counter() - began, cpu=_cpu(process.pid))
            finally:
                process.send_signal(signal.SIGTERM)
                process.stderr.read()
        if told < self.count:
            msg = f"the scheduler told of {told} gaps and left"
            raise RuntimeError(msg)
        return spent

    def look(self, *words: str) -> Spent:
        """Ask what a catch-up would do; return what that took."""
        began = time.perf_counter()
        process = subprocess.Popen(
            [*self._words("catchup"), "--dry-run", *words], stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            msg = f"a look ended with {process.returncode}"
            raise RuntimeError(msg)
        return Spent(wall=time.perf_counter() - began, cpu=usage.ru_utime + usage.ru_stime)

    def holds(self) -> tuple[int, int, int]:
        """Return how many gaps and runs there are, and how many slots the gaps count."""
        log = self.site.runlog()
        try:
            gaps, missed = log._all("SELECT count(*), total(count) FROM gaps")[0]
            return int(gaps), int(log._all("SELECT count(*) FROM runs")[0][0]), int(missed)
        finally:
            log.close()

    def _words(self, verb: str) -> list[str]:
        return [
            self.bench.python, "-m", "flytesched", verb, "--manifest",
            str(self.home / "schedules.toml"), "--state-dir", str(self.home / "state"),
        ]  # fmt: skip


def outage(
    bench: Bench, kind: str, count: int, *, policy: str = "latest", earlier: bool = False
) -> Outage:
    """Make the run log of schedules last seen a year ago; ``earlier``: after another such year."""
    home = bench.folder / f"{kind} {policy} {earlier}".replace(" ", "-")
    home.mkdir()
    now = time.time()
    shift = (int(now) + 30) % 60
    text = ["version = 1\n[settings]\nmax_concurrent_runs = 1\n"]
    text += [
        f'[schedules.job-{n:05}]\n{KINDS[kind](n, shift)}\ncommand = ["true"]\n'
        f'catchup = "{policy}"\n'
        for n in range(count)
    ]
    (home / "schedules.toml").write_text("".join(text), encoding="utf-8")
    site = open_site(
        manifest=str(home / "schedules.toml"), state_dir=str(home / "state"), environ=os.environ
    )
    log = site.runlog()
    bind(site, log, rebind=False)
    schedules = site.manifest().schedules
    for years in (2, 1) if earlier else (1,):
        record_missed(log, schedules, now - years * YEAR, 10.0)
    log.close()
    return Outage(bench=bench, home=home, site=site, count=count)


def measure(bench: Bench) -> list[Row]:
    """Measure starts and looks, over every kind of timetable and policy, and over open gaps."""
    count = 20 if bench.quick else 1_000
    rows: list[Row] = []
    for kind in KINDS:
        for policy in ("none", "latest", "all"):
            found = outage(bench, kind, count, policy=policy)
            if policy == "none":
                rows += _looks(kind, found)
            rows.append(_started(f"{kind}, catchup {policy}", found))
            shutil.rmtree(found.home)
    again = outage(bench, "a timetable each", count, earlier=True)
    rows.append(_started("a second outage over open gaps", again))
    return [*rows, *_looks("both outages, recorded", again)]


def _started(what: str, found: Outage) -> Row:
    """Return how long a start took until it had decided what was missed."""
    spent = found.start()
    gaps, runs, missed = found.holds()
    note = f"wall {spent.wall:.2f} s; {missed:,} slots as {gaps:,} gaps and {runs:,} runs"
    return Row(
        section=SECTION, what=f"{what}: decided", unit="s", note=note, **at_most(spent.cpu, GOAL)
    )


def _looks(what: str, found: Outage) -> list[Row]:
    """Return how long it took to count what is missed, whatever was asked to be done with it."""
    return [
        Row(section=SECTION, what=f"{what}: catchup --dry-run, {way}", unit="s",
            note=f"wall {spent.wall:.2f} s", **at_most(spent.cpu, GOAL))
        for way, words in LOOKS.items()
        for spent in [found.look(*words)]
    ]  # fmt: skip


def _cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS
