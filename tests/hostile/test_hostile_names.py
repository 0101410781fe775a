"""Names of schedules and ids of runs are words, never paths."""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hostile_machine import Victim

if TYPE_CHECKING:
    from pathlib import Path

    from cli.terminal import Terminal

WORDS = [
    "../x", "/etc/passwd", ".", "..", "", "a" * 101, "ok\n", " ok", "ok ",
    "\u043ek", "\uff4f\uff4b", "ok\u200b",
    "\udcff", "ok\0", "ok/../ok", "logs/ok", "[red]ok[/red]", "\x1b[31mok", "-" * 3, "OK", "ok.",
    "sched-ok-" + "9" * 30, "sched-ok-" + "9" * 5000, "sched-ok--1", "sched-ok-1e3", "manual-ok-%",
    "sched-../../x-1", "x" * 100_000, "sched-", "sched-ok-٣",
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS, ids=lambda word: ascii(word[:20]))
def test_a_word_that_names_nothing_is_refused_in_a_sentence(terminal: Terminal, word: str) -> None:
    """Whatever a file system would make of it."""
    before = terminal.print()
    for command in (
        "logs", "show", "cancel", "retry", "history", "ps", "list", "next", "trigger", "catchup",
        "disable", "enable", "remove --yes", "set --timeout 1h",
        "backfill --from yesterday --until today",
    ):  # fmt: skip
        verb, *options = command.split()
        said = terminal.run(verb, *options, "--", word) if word[:1] != "-" else None
        if said is None:
            continue
        if verb == "set":
            assert said.code == 2, "what stands behind -- is a command there"
            said = terminal.run(verb, *options, word)
        assert said.code == 3, (command, said)
        assert said.out == ""
        assert "unexpected" not in said.err
        assert len(said.err) < 3000

    assert terminal.print() == before


@pytest.mark.parametrize("word", WORDS[:14], ids=lambda word: ascii(word[:20]))
def test_no_schedule_gets_such_a_name(terminal: Terminal, word: str) -> None:
    """By no command, and by no hand."""
    before = terminal.print()
    said = terminal.run("add", word, "--every", "1h", "--", "true")
    assert said.code == 5, said
    assert "is not a name for a schedule" in said.err
    assert terminal.print() == before

    if word.isprintable():
        text = f'version = 1\n[schedules."{word}"]\nevery = "1h"\ncommand = "true"\n'
        terminal.manifest.write_text(text)
        assert "is not a name for a schedule" in terminal.run("validate").err


def log_of(terminal: Terminal) -> str:
    (entry,) = terminal.json("history")["entries"]
    return f"logs/ok/{entry['id']}.1.log"


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "folder"])
def test_logs_shows_nothing_that_was_put_in_a_logs_place(
    terminal: Terminal, tmp_path: Path, kind: str
) -> None:
    """A link is not followed, and a FIFO not waited for."""
    victim = Victim(tmp_path)
    victim.plant(kind, terminal.state / log_of(terminal))

    said = terminal.run("logs", "ok")

    assert said.code == 1, said
    assert said.out == ""
    assert "cannot read the log" in said.err
    assert victim.unharmed()


@pytest.mark.parametrize("folder", ["logs", "logs/ok"])
def test_logs_shows_nothing_in_a_folder_that_was_put_in_place_of_theirs(
    terminal: Terminal, tmp_path: Path, folder: str
) -> None:
    """A file of the same name, in a place that somebody else chose."""
    name = log_of(terminal)
    shutil.copytree(terminal.state / folder, tmp_path / "elsewhere")
    shutil.rmtree(terminal.state / folder)
    (terminal.state / folder).symlink_to(tmp_path / "elsewhere")
    assert (terminal.state / name).read_text() == "hi\n"

    said = terminal.run("logs", "ok")

    assert (said.code, said.out) == (1, "")
    assert "a symbolic link is in the way, and is not followed" in said.err


@pytest.mark.parametrize(
    "path", ["../../victim", "/etc/passwd", "logs/../../../victim", "logs//ok", "logs/ok/.", ""]
)
def test_a_run_log_that_names_another_file_as_a_log_gets_nothing_shown(
    terminal: Terminal, tmp_path: Path, path: str
) -> None:
    """A path in the run log is below the state directory, or it is none."""
    Victim(tmp_path)
    with sqlite3.connect(terminal.state / "runs.db") as connection:
        connection.execute("UPDATE attempts SET log = ?", (path,))
    connection.close()

    said = terminal.run("logs", "ok")

    assert said.code in {0, 1}
    assert said.out == ""
    assert "precious" not in said.err
    assert "root:" not in said.err
    assert "unexpected" not in said.err


def test_pruning_removes_nothing_behind_a_link(terminal: Terminal, tmp_path: Path) -> None:
    """Neither in place of one schedule's folder nor of them all."""
    from flytesched.executors.logs import old_logs

    victim = Victim(tmp_path)
    os.utime(victim.folder / "inside", (1, 1))
    os.utime(victim.folder, (1, 1))
    victim.plant("link to a folder", terminal.state / "logs" / "ok")
    assert list(filter(None, old_logs(str(terminal.state / "logs"), 10**9))) == []

    victim.plant("link to a folder", terminal.state / "logs")
    assert list(filter(None, old_logs(str(terminal.state / "logs"), 10**9))) == []
    assert (victim.folder / "inside").exists()
