"""flytesched db check and flytesched doctor at a terminal."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import environment

from flytesched.cli.call import Call
from flytesched.runlog.migrations import LATEST
from flytesched.service import check as checking
from flytesched.service import vitals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from terminal import Terminal


# -- db check -----------------------------------------------------------------------------------


def test_a_sound_run_log_is_said_to_be(terminal: Terminal) -> None:
    """With what was looked at, and what was not."""
    before = terminal.print()

    said = terminal.ok("db", "check")

    lines = dict(line.strip().split(": ", 1) for line in said.out.splitlines())
    assert lines["result"] == "sound"
    assert lines["run log"] == str(terminal.state / "runs.db")
    assert lines["holds"] == "3 schedules, 2 runs, 2 attempts, 0 gaps"
    assert lines["size"].endswith(f" KiB, schema {LATEST}")
    assert said.err == ""
    assert terminal.print() == before


def _forget_an_end(terminal: Terminal) -> None:
    connection = sqlite3.connect(terminal.state / "runs.db")
    connection.execute("UPDATE attempts SET ended = NULL WHERE run = 1")
    connection.commit()
    connection.close()


def test_what_is_not_sound_is_a_sentence_that_says_what_to_do(terminal: Terminal) -> None:
    """On stdout, as it is the answer; the exit code is 1."""
    _forget_an_end(terminal)

    said = terminal.run("db", "check")

    assert said.code == 1
    assert "result: not sound\n" in said.out
    assert "problem: runs with a verdict and an attempt that has no end: manual-" in said.out
    assert "keep a copy of the run log, and report it\n" in said.out
    assert said.err == ""


def test_what_is_only_told_is_a_note(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes nothing unsound."""
    # This is the program that will know the next schema.
    monkeypatch.setattr("flytesched.service.check.LATEST", LATEST + 1)

    said = terminal.ok("db", "check")

    assert f"\nnote: the schema is {LATEST}," in said.out
    why = f"this program knows what schema {LATEST + 1} means"
    assert f"not checked: what it says: {why}" in said.out


def test_what_was_not_checked_is_said_by_its_reason(terminal: Terminal) -> None:
    """Not once for each of ten thousand schedules."""
    terminal.write(
        "version = 1\n"
        + "".join(
            f'[schedules.off-{n}]\nevery = "1h"\ncommand = "true"\nenabled = false\n'
            for n in range(3)
        )
    )
    assert terminal.process("run", "--once").code == 0

    assert "not checked: off-0: its slots and 2 more: not enabled" in terminal.ok("db", "check").out


def test_findings_are_data_too(terminal: Terminal) -> None:
    """For monitors; the exit code is the same."""
    _forget_an_end(terminal)

    said = terminal.run("db", "check", "--json")

    assert said.code == 1
    (finding,) = said.json["findings"]
    assert finding.keys() == {"about", "what", "do", "counts"}
    assert (said.json["sound"], finding["about"], finding["counts"]) == (False, "attempts", True)


def test_without_a_run_log_the_exit_code_is_3(empty: Terminal) -> None:
    """Nothing is made."""
    said = empty.run("db", "check")

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(f"flytesched: there is no run log {empty.state / 'runs.db'} yet\n")
    assert not empty.state.exists()


def test_a_locked_run_log_has_the_exit_code_7(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be sound."""
    # Nobody should have to wait five seconds in a test.
    patient = checking.open_checker
    monkeypatch.setattr(checking, "open_checker", lambda path: patient(path, busy_timeout=0.0))
    other = sqlite3.connect(terminal.state / "runs.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    said = terminal.run("db", "check")

    assert (said.code, said.out) == (7, "")
    assert "not checked: the run log" in said.err
    assert "hint: try again" in said.err
    other.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\0" * 8192),
        lambda path: os.truncate(path, 4096 * 3 + 7),
        lambda path: path.write_bytes(path.read_bytes()[:100] + os.urandom(4096)),
    ],
    ids=["empty", "zeros", "truncated", "torn"],
)
def test_whatever_the_file_is_the_answer_is_a_sentence(
    terminal: Terminal, damage: Callable[[Path], object]
) -> None:
    """And the file stays what it is."""
    damage(terminal.state / "runs.db")
    before = terminal.print()

    for verb in (["db", "check"], ["doctor"]):
        said = terminal.run(*verb)
        assert said.code == (1 if verb[0] == "db" else 7)
        assert "problem" in said.out
        assert said.err == ""

    assert terminal.print() == before


def test_a_running_scheduler_goes_on_meanwhile(terminal: Terminal) -> None:
    """Both see the same run log."""
    terminal.write('version = 1\n[schedules.tick]\nevery = "1s"\ncommand = "true"\n')
    loop = subprocess.Popen(
        [sys.executable, "-m", "flytesched", "run"], env=environment(terminal.home),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert loop.stderr is not None
        for line in loop.stderr:
            if " succeeded" in line:
                break
        assert terminal.json("db", "check")["slots_counted"] == ["tick"]
        assert terminal.ok("doctor")
        assert loop.poll() is None
    finally:
        loop.send_signal(signal.SIGTERM)
        _, err = loop.communicate(timeout=60)
    assert "error" not in err


def _at_a_terminal(terminal: Terminal, *words: str) -> tuple[str, bytes]:
    """Return stdout, and what a terminal on stderr shows."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        done = subprocess.run(
            [sys.executable, "-m", "flytesched", *words], stdout=subprocess.PIPE, stderr=theirs,
            env=environment(terminal.home) | {"TERM": "xterm"}, check=True, text=True,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while more := screen.read(4096):
                shown += more
        except OSError:  # nobody holds the other end
            pass
    return done.stdout, shown


def test_a_bar_is_shown_on_stderr_where_that_is_a_terminal(terminal: Terminal) -> None:
    """Stdout stays data."""
    said, shown = _at_a_terminal(terminal, "db", "check", "--json")

    assert said.startswith("{\n")
    assert b"Checking the run log" in shown


# -- doctor -------------------------------------------------------------------------------------


def test_each_finding_is_a_line(terminal: Terminal) -> None:
    """Level, subject, sentence."""
    before = terminal.print()

    said = terminal.ok("doctor")

    heads, *lines = said.out.splitlines()
    assert heads.split() == ["LEVEL", "ABOUT", "FINDING"]
    assert {line.split()[0] for line in lines} <= {"ok", "warning"}
    assert [*dict.fromkeys(line.split()[1] for line in lines)] == [
        each.about for each in vitals.EXAMINATIONS
    ]
    assert terminal.print() == before


def test_a_problem_has_the_exit_code_7_and_advice(terminal: Terminal) -> None:
    """A warning has not."""
    log = next((terminal.state / "logs").rglob("*.log"))
    log.chmod(0o640)
    lines = terminal.ok("doctor").out.splitlines()
    assert [line for line in lines if line.split()[:2] == ["warning", "modes"]] == [lines[-1]]
    log.chmod(0o660)

    said = terminal.run("doctor")

    assert said.code == 7
    assert f"problem  modes         can be written by others: {log}; chmod go= it" in said.out


def test_the_doctor_answers_before_there_is_anything(empty: Terminal) -> None:
    """And makes nothing."""
    said = empty.ok("doctor")

    assert "there is none yet; 'flytesched run' makes it" in said.out
    assert not empty.state.exists()


def test_the_doctor_answers_while_the_manifest_is_broken(terminal: Terminal) -> None:
    """That is the one problem; it looks at the run log all the same."""
    terminal.write("version = 1\n[schedules.x\n")

    said = terminal.run("doctor")

    assert said.code == 7
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith("problem")] == [
        "manifest"
    ]
    assert "it can be read, and its pages are sound" in said.out
    assert terminal.ok("db", "check")


@pytest.mark.parametrize("columns", [80, 120])
def test_long_findings_hang_below_their_column(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Words are left whole: a path, or an id, can be copied."""
    # The width of the terminal is all that matters of it here.
    monkeypatch.setattr(Call, "room", columns)
    folder = terminal.home / ("a-folder-with-a-name-that-is-wider-than-eighty-columns" * 2)
    terminal.write(f'version = 1\n[schedules.x]\nevery = "1h"\ncommand = ["{folder}"]\n')

    heads, *lines = terminal.run("doctor").out.splitlines()

    column = heads.index("FINDING")
    below = [line for line in lines if line.startswith(" ")]
    assert below
    assert {line[:column] for line in below} == {" " * column}
    assert [line for line in lines if len(line) > columns and " " in line[column:]] == []
    assert any(repr(str(folder)) in line for line in lines)
