"""The bar of long work: on a terminal alone, on one line, and gone at the end."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest
from terminal import environment

from desk import wait_for
from flytesched.cli.watching import Bar, Silent, progress, share
from flytesched.clock import now
from flytesched.core.decision import Decision
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.sight import see
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.state_dir import prepare_state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terminal import Terminal

#: Waits for somebody to remove the file `wait`, wherever the command was started from.
WAITS = 'while [ -e "{home}/wait" ]; do sleep 0.05; done'


# -- the bar itself -----------------------------------------------------------------------------


class Glass(io.StringIO):
    """A stream whose terminal is so many columns wide, and encodes so much."""

    encoding = "utf-8"


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hands() -> Hands:
    """Give a clock."""
    return Hands()


def drawn(bar: Bar, glass: Glass, part: float, said: str) -> str:
    """Let a bar be drawn, and return the line that can be seen."""
    bar.show(part, said)
    return glass.getvalue().rpartition("\r\x1b[K")[2]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (120, "catching up [" + "█" * 20 + " " * 20 + "] 50/100"),
        (80, "catching up [" + "█" * 20 + " " * 20 + "] 50/100"),
        (40, "catching up [█████████         ] 50/100"),
        (27, "catching up [██▌  ] 50/100"),
        (26, "catching up 50/100"),
        (12, "catching u…"),
        (0, "catching up [" + "█" * 20 + " " * 20 + "] 50/100"),
    ],
)
def test_the_bar_fits_into_its_terminal(
    monkeypatch: pytest.MonkeyPatch, hands: Hands, columns: int, line: str
) -> None:
    """The last column stays free; what cannot be told is taken for 80."""
    glass = Glass()
    # The kernel keeps the size of a terminal, and a stream in memory has no number.
    monkeypatch.setattr(Glass, "fileno", lambda _: 1)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    monkeypatch.setenv("TERM", "xterm")
    bar = Bar("catching up", glass, elapsed=hands)

    assert drawn(bar, glass, 0.5, "50/100") == line
    assert len(line) < (columns or 80)


@pytest.mark.parametrize(("encoding", "terminal"), [("ascii", "xterm"), ("utf-8", "linux")])
def test_the_bar_is_plain_where_glyphs_are(
    monkeypatch: pytest.MonkeyPatch, hands: Hands, encoding: str, terminal: str
) -> None:
    """Of a terminal without a size, 80 columns are assumed."""
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr(Glass, "encoding", encoding)
    glass = Glass()

    line = drawn(Bar("pruning", glass, elapsed=hands), glass, 0.25, "25%")

    assert line == "pruning [" + "#" * 10 + "-" * 30 + "] 25%"


def test_the_rest_is_told_once_it_can_be(hands: Hands) -> None:
    """Not at the first moment, and not when all is done."""
    glass = Glass()
    bar = Bar("pruning", glass, elapsed=hands)

    assert drawn(bar, glass, 0.0, "0%").endswith("] 0%")
    hands.at = 1.0
    assert drawn(bar, glass, 0.1, "10%").endswith("] 10%")
    hands.at = 30.0
    assert drawn(bar, glass, 0.25, "25%").endswith("] 25%, 1min 30s left")
    hands.at = 31.0
    assert drawn(bar, glass, 1.0, "100%").endswith("] 100%")


def test_the_bar_is_drawn_ten_times_a_second_at_most(hands: Hands) -> None:
    """But for its end, which is always told."""
    glass = Glass()
    bar = Bar("pruning", glass, elapsed=hands)

    for step in range(1_000):
        hands.at = step / 1_000
        bar.show(step / 1_000, f"{step}")
    bar.show(1.0, "all")

    assert glass.getvalue().count("pruning") <= 11 + 1
    assert glass.getvalue().endswith("] all")


def test_what_is_said_meanwhile_takes_the_place_of_the_bar(hands: Hands) -> None:
    """A line of the journal stays readable, and the bar comes back below."""
    glass = Glass()
    bar = Bar("pruning", glass, elapsed=hands)
    bar.show(0.25, "25%")

    print("disk is full", file=bar, flush=True)
    bar.show(0.5, "50%")
    bar.clear()
    bar.clear()

    screen = pyte.Screen(80, 5)
    pyte.Stream(screen).feed(glass.getvalue().replace("\n", "\r\n"))
    assert [line.rstrip() for line in screen.display[:2]] == ["disk is full", ""]
    assert bar.isatty()


def test_a_terminal_that_is_gone_stops_nothing(hands: Hands) -> None:
    """The work goes on."""

    class Gone(Glass):
        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    bar = Bar("pruning", Gone(), elapsed=hands)

    bar.show(0.5, "50%")
    bar.clear()


def test_without_a_terminal_nothing_is_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on one that cannot go back to the begin of a line, nor for a single run."""
    with share("pruning") as watch, progress(5, "running") as watcher:
        watch(0.5)
        assert isinstance(watcher, Silent)
        watcher.changed(())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for term in ("dumb", None):
        monkeypatch.delenv("TERM", raising=False)
        if term is not None:
            monkeypatch.setenv("TERM", term)
        with share("pruning") as watch:
            watch(0.5)
    monkeypatch.setenv("TERM", "xterm")
    with progress(1, "running") as watcher:
        assert isinstance(watcher, Silent)

    assert capsys.readouterr() == ("", "")


# -- in a terminal ------------------------------------------------------------------------------


class Seat:
    """A seat at a terminal of 80 columns."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._started: list[pexpect.spawn[str]] = []

    def type(self, *words: str) -> pexpect.spawn[str]:
        """Start a command; stdout goes to a file, so that the terminal shows what stderr says."""
        command = 'exec "$0" -m flytesched "$@" > out'
        child = pexpect.spawn(
            "/bin/sh", ["-c", command, sys.executable, *words], cwd=self.terminal.home,
            env={**environment(self.terminal.home), "HOME": str(self.terminal.home),
                 "TERM": "xterm", "PYTHONUTF8": "1"},
            dimensions=(24, 80), encoding="utf-8", timeout=60,
        )  # fmt: skip
        child.logfile_read = io.StringIO()
        self._started.append(child)
        return child

    def seen(self, child: pexpect.spawn[str]) -> list[str]:
        """Wait for the end, and return the lines that the terminal shows then."""
        child.expect(pexpect.EOF)
        child.wait()
        screen = pyte.Screen(80, 24)
        pyte.Stream(screen).feed(child.logfile_read.getvalue())
        return [line.rstrip() for line in screen.display if line.strip()]

    def out(self) -> str:
        """Return what went to stdout."""
        return (self.terminal.home / "out").read_text()

    def close(self) -> None:
        """End what a failed test left behind."""
        for child in self._started:
            child.close(force=True)


@pytest.fixture
def seat(empty: Terminal) -> Iterator[Seat]:
    """Give a seat with nothing yet."""
    seat = Seat(empty)
    yield seat
    (empty.home / "wait").unlink(missing_ok=True)  # so that what Ctrl-C left running ends
    seat.close()


def _bars(child: pexpect.spawn[str]) -> list[str]:
    """Return the lines that were drawn and are gone."""
    text = child.logfile_read.getvalue()
    return [line for line in text.split("\r\x1b[K") if "] " in line]


def test_work_shows_a_bar_and_leaves_no_trace_of_it(seat: Seat) -> None:
    """Of one line of 80 columns; stdout has the answer alone."""
    seat.terminal.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    words = ("backfill", "x", "--from", "5h", "--until", "now", "--json")

    child = seat.type(*words, "--yes")

    lines = seat.seen(child)
    assert child.exitstatus == 0
    assert lines[-1] == "5 runs: 5 succeeded"
    assert _bars(child)[0].startswith("backfilling x [")
    assert _bars(child)[-1].endswith("] 5/5")
    assert max(map(len, _bars(child))) < 80
    assert len(json.loads(seat.out())["runs"]) == 5


def test_in_a_pipe_there_is_nothing_of_a_bar(seat: Seat) -> None:
    """On neither stream."""
    seat.terminal.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')

    said = seat.terminal.process("backfill", "x", "--from", "5h", "--until", "now", TERM="xterm")

    assert (said.out, said.err) == ("", "5 runs: 5 succeeded\n")


@pytest.mark.parametrize(
    ("words", "bar"),
    [
        (["db", "check"], "Checking the run log [--"),
        (["prune", "--yes"], "Pruning [--"),
        (["import", "crontab", "many.cron", "--yes"], "Reading the crontab [--"),
    ],
)
def test_long_work_of_one_step_after_the_other_has_the_same_bar(
    seat: Seat, words: list[str], bar: str
) -> None:
    """Plain, where the locale has no other letters than those of ASCII."""
    seat.terminal.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    seat.terminal.ok("trigger", "x")
    _remember(seat.terminal, Decision(runs=(_of_1970(),)))
    lines = "".join(f"{n % 60} * * * * /bin/true {n}\n" for n in range(600))
    (seat.terminal.home / "many.cron").write_text(lines)

    child = seat.type(*words)
    lines_left = seat.seen(child)

    drawn = [line.replace(" ", "-") for line in _bars(child)]
    assert drawn
    assert drawn[0].startswith(bar.replace(" ", "-"))
    assert [line for line in lines_left if bar.partition(" [")[0] in line] == []


@pytest.mark.parametrize(
    "words", [["catchup"], ["backfill", "x", "--from", "5h", "--until", "now"]]
)
def test_ctrl_c_leaves_a_clean_line(seat: Seat, words: list[str]) -> None:
    """What is said then begins where the bar began."""
    seat.terminal.write(
        f'version = 1\n[schedules.x]\nevery = "1h"\ncommand = {json.dumps(_waits(seat.terminal))}\n'
    )
    (seat.terminal.home / "wait").touch()
    if words == ["catchup"]:
        _miss_some(seat.terminal)

    child = seat.type(*words)
    child.expect_exact("] 0/")
    wait_for("the first start", lambda: _running(seat.terminal))
    child.sendintr()
    lines = seat.seen(child)

    assert child.exitstatus == 130
    assert lines[-1] == "withdrew 4 queued runs; what was started goes on"
    assert [line for line in lines if "[" in line or "^C" in line] == []


def _waits(terminal: Terminal) -> str:
    return WAITS.format(home=terminal.home)


def _miss_some(terminal: Terminal) -> None:
    """Let the run log remember a schedule whose last slot was decided five hours ago."""
    seen = see(Schedule("x", every="1h", command=_waits(terminal)), None, now() - 5 * 3_600)
    _remember(terminal, Decision(schedules=(seen.state,)))


def _of_1970() -> Run:
    return Run(
        id="sched-x-3600", schedule="x", scheduled_at=3_600, origin=Origin.SCHEDULE,
        status=RunStatus.SUCCEEDED, created=3_600.0, ended=3_602.0,
    )  # fmt: skip


def _remember(terminal: Terminal, decision: Decision) -> None:
    prepare_state_dir(terminal.state)
    log = SqliteRunLog(terminal.state / "runs.db")
    log.apply(decision)
    log.close()


def _running(terminal: Terminal) -> bool:
    return any(run["status"] == "running" for run in terminal.json("ps")["runs"])
