"""How long short commands take, beside the shortest that Typer can do: a greeting.

Every program is a console script of the same form, run by the same interpreter in the same
environment. They are dealt in turn, and a ratio is one of two neighbours: the command and the
greeting of one round. CPU time is what is judged; the wall tells how busy the machine was.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from report import Bench, Row, at_most

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flytesched.core.runs import Run

#: What a Typer program is at least: one command with one option.
GREETING = '''\
"""Greet."""

import typer

app = typer.Typer()


@app.command()
def hello(name: str = "world") -> None:
    """Greet somebody."""
    print(f"hello {name}")


def main() -> int:
    return app()
'''
#: What pip writes for an entry point.
SCRIPT = """\
import sys
from {module} import main
if __name__ == "__main__":
    sys.exit(main())
"""
#: The commands that are held to the goal, by what the table calls them.
SHORT = {
    "list of 100": ("list",),
    "completion of a name": ("__complete", "names", "--", "flytesched", "show"),
    "list --quiet": ("list", "--quiet"),
    "list --json": ("list", "--json"),
    "next": ("next",),
    "show": ("show", "job-00007"),
    "status": ("status",),
    "history -n 50": ("history", "-n", "50"),
    "ps": ("ps",),
    "enable": ("enable", "job-00000"),
    "disable": ("disable", "job-00000"),
    "set": ("set", "job-00001", "--timeout"),
}
#: Commands whose last word has to be another at each call, or nothing would be written.
VARIED = ("set",)
#: Times a bare Typer program, by the goal.
GOAL = 1.3
#: Schedules that are listed within a second, by the goal.
CROWD = 10_000


@dataclass
class Program:
    """One program and what each of its runs took."""

    name: str
    script: Path
    words: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    #: CPU and wall seconds by round.
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def once(self, number: int) -> None:
        """Run it to its end; its output is thrown away."""
        varied = (f"{number + 1}h",) if self.name in VARIED else ()
        void = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        began = time.perf_counter()
        pid = os.posix_spawn(
            sys.executable, [sys.executable, str(self.script), *self.words, *varied], self.environ,
            file_actions=void,
        )  # fmt: skip
        _, status, usage = os.wait4(pid, 0)
        took = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            msg = f"{self.name} ended with {status}"
            raise RuntimeError(msg)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.wall.append(took)


def measure(bench: Bench) -> list[Row]:
    """Return the ratios of short commands, and what ten thousand schedules cost."""
    few, many = 100, 1_000 if bench.quick else CROWD
    runs = 1_000 if bench.quick else 50_000
    home = _home(bench.folder / "home", few, runs)
    greeting = _greeting(bench.folder, home)
    script = _script(bench.folder / "flytesched", "flytesched.__main__")
    programs = [Program(name, script, words, home) for name, words in SHORT.items()]
    rounds = 3 if bench.quick else 25
    deal([greeting, *programs], rounds)
    rows = [_absolute(greeting, "bare Typer, a greeting")]
    rows += [_relative(program, greeting) for program in programs]
    rows += _crowd(_home(bench.folder / "crowd", many, 0), many, script, rounds // 5 or 1)
    rows.append(_past(programs, runs, script, _home(bench.folder / "fresh", few, 1), rounds))
    return rows


def deal(programs: Iterable[Program], rounds: int) -> None:
    """Run programs in turn; a first round, which fills caches, does not count."""
    programs = list(programs)
    for number in range(rounds + 1):
        for program in programs:
            program.once(number)
    for program in programs:
        del program.cpu[0], program.wall[0]


def ratio(some: list[float], others: list[float]) -> float:
    """Return the median of what each is to its neighbour."""
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def _absolute(program: Program, what: str) -> Row:
    cpu, wall = statistics.median(program.cpu), statistics.median(program.wall)
    return Row(
        section="start_up", what=what, value=cpu * 1e3, unit="ms CPU", note=f"wall {wall * 1e3:.0f}"
    )


def _relative(program: Program, greeting: Program) -> Row:
    cpu, wall = statistics.median(program.cpu), ratio(program.wall, greeting.wall)
    return Row(
        section="start_up", what=f"{program.name}, times bare Typer", unit="ratio",
        **at_most(ratio(program.cpu, greeting.cpu), GOAL),
        note=f"wall {wall:.2f}; {cpu * 1e3:.0f} ms CPU",
    )  # fmt: skip


def _crowd(environ: dict[str, str], many: int, script: Path, rounds: int) -> list[Row]:
    """Return what it takes to list, and to edit, one of a crowd of schedules."""
    listed = Program("list", script, ("list",), environ)
    edits = [Program(word, script, (word, "job-00007"), environ) for word in ("disable", "enable")]
    deal([listed, *edits], rounds)
    goal = at_most(statistics.median(listed.cpu), 1.0) if many == CROWD else {}
    return [
        Row(
            section="start_up", what=f"{program.name} among {many:,}", unit="s CPU",
            **{"value": statistics.median(program.cpu), **(goal if program is listed else {})},
            note=f"wall {statistics.median(program.wall):.2f}",
        )
        for program in (listed, *edits)
    ]  # fmt: skip


def _past(
    programs: list[Program], runs: int, script: Path, fresh: dict[str, str], rounds: int
) -> Row:
    """Return what a long history adds to `history`, beside one without runs of the schedule."""
    words = ("history", "job-00007", "-n", "50")
    long = Program("", script, words, programs[0].environ)
    short = Program("", script, words, fresh)
    deal([long, short], rounds)
    more = statistics.median(a - b for a, b in zip(long.cpu, short.cpu, strict=True))
    return Row(
        section="start_up", what=f"newest 50 of one among {runs:,} runs, beyond none", unit="ms",
        **at_most(more * 1e3, 20.0), note="CPU",
    )  # fmt: skip


def _greeting(folder: Path, environ: dict[str, str]) -> Program:
    place = folder / "greeting"
    place.mkdir()
    (place / "greeting_of_typer.py").write_text(GREETING)
    script = _script(folder / "hello", "greeting_of_typer")
    return Program("greeting", script, (), environ | {"PYTHONPATH": str(place)})


def _script(path: Path, module: str) -> Path:
    path.write_text(SCRIPT.format(module=module))
    return path


def _home(folder: Path, schedules: int, runs: int) -> dict[str, str]:
    """Make a manifest and a run log, and return the environment of who works there."""
    folder.mkdir()
    manifest = folder / "schedules.toml"
    manifest.write_text(_manifest(schedules))
    if runs:
        _run_log(folder / "state", schedules, runs)
    # Nothing else: neither coverage nor a start-up file of the tester is to be measured.
    return {
        "PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8",
        "FLYTESCHED_MANIFEST": str(manifest), "FLYTESCHED_STATE_DIR": str(folder / "state"),
    }  # fmt: skip


def _manifest(schedules: int) -> str:
    """Return a manifest as people have them: four kinds of timetable, some keys, labels."""
    lines = [
        "version = 1",
        '[settings]\nkeep_runs = "90d"',
        '[defaults]\ntimezone = "Europe/Berlin"',
    ]
    for number in range(schedules):
        minute, hour = number % 60, number % 24
        kinds = (
            f'cron = "{minute} {hour} * * *"', f'every = "{5 + number % 55}m"',
            f'daily = "{hour:02}:{minute:02}"', f'cron = "*/{5 + number % 20} * * * 1-5"',
        )  # fmt: skip
        lines.append(
            f'[schedules.job-{number:05}]\ncommand = "/usr/bin/job {number}"\n{kinds[number % 4]}\n'
            f'timeout = "1h"\nlabels = {{ team = "t{number % 7}" }}'
        )
    return "\n\n".join(lines) + "\n"


def _run_log(folder: Path, schedules: int, runs: int) -> None:
    """Make a run log with runs of each schedule, the newest ended a minute ago."""
    from flytesched.core.decision import Decision
    from flytesched.runlog.sqlite import SqliteRunLog

    now = int(time.time()) - 60
    folder.mkdir(0o700)
    runlog = SqliteRunLog(folder / "runs.db", holder=True)
    for begin in range(0, runs, 5_000):
        batch = range(begin, min(runs, begin + 5_000))
        claims = tuple(_run(number % schedules, now - number // schedules * 60) for number in batch)
        runlog.apply(Decision(runs=claims))
    runlog.close()


def _run(number: int, slot: int) -> Run:
    """Return a run that went well."""
    from flytesched.core.runs import Origin, Run, RunStatus, run_id

    name = f"job-{number:05}"
    return Run(
        id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE,
        status=RunStatus.SUCCEEDED, created=slot + 0.1, started=slot + 0.2, ended=slot + 3.5,
        exit_code=0, attempt=1,
    )  # fmt: skip
