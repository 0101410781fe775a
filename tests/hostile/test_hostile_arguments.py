"""Arguments, variables and standard streams as nobody sane would give them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.terminal import environment
from desk import Desk, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from cli.terminal import Terminal

LONG = "x" * 100_000
NOT_TEXT = os.fsdecode(b"\xff\xfe")

#: Words, the exit code, and what is said; ~ stands for a long word, ? for one that is no UTF-8.
WORDS = [
    ("~", 2, "there is no command"),
    ("?", 2, "there is no command"),
    ("--~", 2, "no such option"),
    ("list --~", 2, "no such option"),
    ("list ~", 3, "no schedule is named"),
    ("list ?", 3, "no schedule is named"),
    ("list -l ~=~", 0, ""),
    ("list -l ?", 2, "is not KEY=VALUE"),
    ("list --manifest ~", 5, "has too long a name"),
    ("list --state-dir ~", 1, "File name too long"),
    ("trigger ok --state-dir ~", 1, "File name too long"),
    ("status --state-dir ~", 0, ""),
    ("list --manifest a\0b", 2, "is not a path"),
    ("list --state-dir a\0b", 2, "is not a path"),
    ("validate a\0b", 5, "NUL"),
    ("show ok\0", 3, "no schedule is named"),
    ("set ok --description a\0b", 5, "NUL"),
    ("set ok --description ?", 5, "is not UTF-8"),
    ("set ok --cwd ?", 5, "is not UTF-8"),
    ("set ok --env A=?", 5, "is not UTF-8"),
    ("disable ok --reason ?", 5, "is not UTF-8"),
    ("add new --every 1h -- echo ?", 5, "is not UTF-8"),
    ("add new --every 1h -- echo a\0b", 5, "NUL"),
    ("add ~ --every 1h -- true", 5, "is not a name for a schedule"),
    ("set ok --every ~", 5, "is no duration"),
    ("set ok --cron ~", 5, "more than 1,000"),
    ("set ok --queue-limit ~", 5, "is not a whole number"),
    ("set ok --queue-limit -1", 5, "out of range"),
    ("set ok --queue-limit 99999999999999999999", 5, "is not a whole number"),
    ("set ok --every 99999999999999999999d", 5, "is too long"),
    ("set ok --retry 99999999999", 5, "out of range"),
    ("history --since ~", 2, "is no time"),
    ("history --since ?", 2, "is no time"),
    ("history --since -1", 2, "is no time"),
    ("history --since 1e9d", 2, "is no time"),
    ("history --since 99999999999d", 2, "is no time"),
    ("history --since 10000-01-01", 2, "is no time"),
    ("history --since 0001-01-01", 2, "is no time"),
    ("history --since ٣h", 2, "is no time"),
    ("history --until 99999999d", 0, ""),
    ("history --limit -1", 2, "--limit"),
    ("history --limit 0", 2, "--limit"),
    ("history --limit 99999999999999999999", 2, "--limit"),
    ("history --limit 1e3", 2, "--limit"),
    ("history --status ~", 2, "there is no status"),
    ("next -n -1", 2, "--count"),
    ("next --from 9999-12-31", 0, ""),
    ("catchup --limit -1", 2, "--limit"),
    ("catchup --since nonsense --dry-run", 2, "is no time"),
    ("backfill ok --from 1970-01-01 --until now --dry-run", 2, "more than 100,000 slots"),
    ("backfill ok --from 9000-01-01 --until 9999-01-01 --dry-run", 0, ""),
    ("trigger ok --at 99999999999d", 2, "is no time"),
    ("logs ok --attempt 99999999999999999999", 3, "has no attempt"),
    ("logs ok --attempt -1", 2, "--attempt"),
    ("cancel sched-ok-99999999999999999999", 3, "no run is named"),
    ("list --json --json --utc --utc", 0, ""),
    ("--utc list --utc --no-color --no-color", 0, ""),
    ("history --since 2h --since 3h --limit 1 --limit 2", 0, ""),
    ("validate -- --help", 5, "there is no manifest here"),
]


@pytest.mark.parametrize(("line", "code", "says"), WORDS, ids=[row[0] for row in WORDS])
def test_an_odd_argument_is_answered_or_refused_in_a_sentence(
    terminal: Terminal, line: str, code: int, says: str
) -> None:
    """Of bearable length, with the documented exit code, and nothing changed."""
    before = terminal.print()

    words = (word.replace("~", LONG).replace("?", NOT_TEXT) for word in line.split(" "))
    said = terminal.run(*words)

    assert said.code == code, said.err[:500]
    assert says in said.err
    assert "unexpected" not in said.err
    assert len(said.err) < 3000
    assert terminal.print() == before


def test_an_option_given_again_means_what_it_says_last(terminal: Terminal) -> None:
    """As everywhere."""
    terminal.ok("set", "ok", "--timeout", "1h", "--timeout", "2h")

    assert 'timeout = "2h"' in terminal.manifest.read_text()


VARIABLES = [
    "MAX_CONCURRENT_RUNS", "START_RATE", "START_BURST", "MISSED_AFTER", "SHUTDOWN_GRACE",
    "KEEP_RUNS", "KEEP_LOGS", "LOG_LIMIT", "TIMEZONE", "PERSIST",
]  # fmt: skip


@pytest.mark.parametrize("value", ["nonsense", "-1", LONG, "\udcff", "\x1b[31m", "1e999", "٣"])
@pytest.mark.parametrize("name", VARIABLES)
def test_nonsense_in_a_variable_is_refused_and_names_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """In every command that looks at settings, with exit code 2."""
    monkeypatch.setenv(f"FLYTESCHED_{name}", value)
    for command in ("list", "status", "run --once", "trigger ok"):
        said = terminal.run(*command.split())
        assert said.code == 2, said
        assert f"FLYTESCHED_{name}: " in said.err
        assert "unexpected" not in said.err
        assert "\x1b" not in said.err
        assert len(said.err) < 3000


def test_an_empty_variable_counts_as_unset(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the XDG specification has it."""
    for name in VARIABLES:
        monkeypatch.setenv(f"FLYTESCHED_{name}", "")
    terminal.ok("list")


@pytest.mark.parametrize(
    "missing", [["HOME"], ["PATH"], ["HOME", "PATH", "LANG", "LC_ALL", "USER"]]
)
def test_a_bare_environment_will_do(terminal: Terminal, missing: list[str]) -> None:
    """Services are started with next to nothing."""
    environ = {k: v for k, v in environment(terminal.home).items() if k not in missing}
    for command in ("list", "trigger ok", "status", "run --once"):
        done = subprocess.run(
            [sys.executable, "-m", "flytesched", *command.split()], env=environ,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (command, done)
        assert "unexpected" not in done.stderr


# -- standard streams -----------------------------------------------------------------------


def through_a_shell(terminal: Terminal, command: str, streams: str) -> subprocess.CompletedProcess:
    line = f'exec "$0" -m flytesched {command} {streams}'
    return subprocess.run(
        ["sh", "-c", line, sys.executable], env=environment(terminal.home), capture_output=True,
        text=True,
    )  # fmt: skip


CLOSED = ["0<&-", "1>&-", "2>&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_streams_change_neither_the_work_nor_the_exit_code(
    terminal: Terminal, closed: str
) -> None:
    """What is said goes nowhere; above all not into the file that got the stream's number."""
    codes = {
        "list": 0, "status": 0, "trigger ok": 0, "logs ok": 0, "show nope": 3, "run --once": 0,
        "add new --every 1h -- 'exit 3'": 0, "trigger new": 3,
    }  # fmt: skip
    for command, code in codes.items():
        done = through_a_shell(terminal, command, closed)
        assert done.returncode == code, (command, done)
        assert "unexpected" not in done.stderr
        assert "Traceback" not in done.stderr

    assert "hi\n" in terminal.ok("logs", "ok").out
    assert terminal.ok("db", "check").code == 0
    assert [e["status"] for e in terminal.json("history")["entries"]] == [
        "failed", "succeeded", "succeeded",
    ]  # fmt: skip


def test_a_scheduler_runs_with_all_streams_closed(tmp_path: Path) -> None:
    """As a careless daemon leaves them; its commands have their own."""
    script = 'exec "$0" -m flytesched "$@" 0<&- 1>&- 2>&-'
    closed = Desk(["sh", "-c", script, sys.executable], tmp_path)
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    desk.write('[schedules.s]\nevery = "1s"\ncommand = "echo out; echo err >&2"\n')
    loop = subprocess.Popen([*closed.program, "run"], env=closed.environ, cwd=tmp_path)
    try:
        wait_for("a run", lambda: (tmp_path / "state").exists() and desk.status_of("s"))
        wait_for("output", lambda: "out\nerr\n" in desk.run("logs", "s"))
    finally:
        loop.terminate()
        assert loop.wait() == 0


FULL = ["list", "list --json", "status", "history", "logs ok", "validate", "metrics", "next"]


@pytest.mark.parametrize("command", [*FULL, "--version", "--help", "trigger ok"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_stdout_is_an_error_in_a_sentence(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str, unbuffered: str
) -> None:
    """Whoever wanted the answer has to learn that it is not all there."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)

    done = through_a_shell(terminal, command, ">/dev/full")

    assert done.returncode == 1
    assert done.stderr == "flytesched: cannot write to stdout: No space left on device\n"


@pytest.mark.parametrize(("command", "code"), [("list", 0), ("show nope", 3), ("lst", 2)])
def test_a_full_stderr_changes_no_exit_code(terminal: Terminal, command: str, code: int) -> None:
    """There is nobody left to tell."""
    assert through_a_shell(terminal, command, "2>/dev/full").returncode == code


def test_a_run_whose_output_nobody_reads_goes_on(terminal: Terminal) -> None:
    """`trigger x | head -1` ends the watching, not the run."""
    command = "seq 1 100000; exec sleep 1; exit 3"
    terminal.ok("add", "much", "--every", "1h", "--", f"trap '' PIPE; {command}")

    done = through_a_shell(terminal, "trigger much", "| head -n 1")

    assert done.stdout == "1\n"
    assert done.stderr == ""
    terminal.run("run", "--once")
    (entry,) = terminal.json("history", "much")["entries"]
    assert entry["status"] == "succeeded"
