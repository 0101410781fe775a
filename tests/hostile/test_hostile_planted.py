"""What was planted at a name of the state directory is never followed, written or waited for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hostile_machine import Victim

from desk import EVIDENCE, wait_for
from flytesched.core.instants import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from cli.terminal import Said, Terminal
    from desk import Desk

FILES = [
    "scheduler.lock", "scheduler.json", "scheduler.want", "wake",
    "runs.db", "runs.db-wal", "runs.db-shm", "runs.db-journal",
]  # fmt: skip
ODD_FILES = [(name, kind) for name in FILES for kind in ("link", "dangling link", "folder", "fifo")]
ODD_FOLDERS = [
    (name, kind)
    for name in ("active", "logs")
    for kind in ("link to a folder", "dangling link", "file", "fifo")
]
ANOTHERS = [(name, "another's file") for name in FILES]
READS = [["list"], ["history"], ["ps"], ["show", "ok"], ["next"], ["metrics"], ["logs", "ok"]]
WRITES = [["trigger", "ok"], ["catchup"], ["run", "--once"]]


def in_a_sentence(said: Said, codes: set[int]) -> None:
    assert said.code in codes, said
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err
    assert len(said.err.splitlines()) <= 2


@pytest.mark.parametrize(("name", "kind"), [*ODD_FILES, *ODD_FOLDERS])
def test_who_writes_refuses_by_name_and_who_reads_goes_on_or_says_why(
    terminal: Terminal, tmp_path: Path, name: str, kind: str
) -> None:
    """One sentence, exit code 1, and the victim as it was."""
    victim = Victim(tmp_path)
    victim.plant(kind, terminal.state / name)

    for words in READS:
        in_a_sentence(terminal.run(*words), {0, 1})
    for words in WRITES:
        said = terminal.run(*words)
        in_a_sentence(said, {1})
        assert name in said.err
    assert terminal.run("status").code == 0
    assert terminal.run("health").code == 8

    assert victim.unharmed()
    assert os.path.lexists(terminal.state / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize(("name", "kind"), ANOTHERS)
def test_a_file_of_another_user_is_refused(
    terminal: Terminal, tmp_path: Path, name: str, kind: str
) -> None:
    """Who owns the lock could hold it for ever, and who owns the run log could write it."""
    Victim(tmp_path).plant(kind, terminal.state / name)

    for words in WRITES:
        said = terminal.run(*words)
        in_a_sentence(said, {1})
        assert name in said.err


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "fifo"])
@pytest.mark.parametrize("name", [".schedules.toml.new", ".schedules.toml.lock"])
def test_an_edit_writes_through_nothing_that_was_planted_beside_the_manifest(
    terminal: Terminal, tmp_path: Path, name: str, kind: str
) -> None:
    """The edit is made, or refused in a sentence, and then nothing changed."""
    victim = Victim(tmp_path)
    victim.plant(kind, terminal.home / name)
    before = terminal.manifest.read_text()

    said = terminal.run("set", "ok", "--timeout", "1h")

    in_a_sentence(said, {0, 1})
    assert (terminal.manifest.read_text() != before) == (said.code == 0)
    assert not terminal.manifest.is_symlink()
    assert victim.unharmed()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "fifo"])
@pytest.mark.parametrize("survive", ["true", "false"])
def test_a_run_whose_log_was_planted_is_not_started_and_says_why(
    terminal: Terminal, tmp_path: Path, kind: str, survive: str
) -> None:
    """A slot's id, and so the name of its log, can be told in advance."""
    victim = Victim(tmp_path)
    terminal.ok("set", "ok", "--survive", survive)
    slot = int(time.time()) // 3600 * 3600 - 3600
    run = f"sched-ok-{slot}"
    victim.plant(kind, terminal.state / "logs" / "ok" / f"{run}.1.log")

    said = terminal.run("trigger", "ok", "--at", rfc3339(slot))

    assert said.code == 1, said
    assert f"{run}: failed(start: cannot open the log" in said.err
    assert victim.unharmed()


@pytest.mark.parametrize("kind", ["link to a folder", "dangling link", "file", "fifo"])
def test_a_run_whose_folder_of_logs_was_planted_is_not_started(
    terminal: Terminal, tmp_path: Path, kind: str
) -> None:
    """Not even its mode is changed."""
    victim = Victim(tmp_path)
    victim.plant(kind, terminal.state / "logs" / "ok")

    said = terminal.run("trigger", "ok")

    assert said.code == 1, said
    assert "failed(start: cannot open the log" in said.err
    assert victim.unharmed()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "fifo"])
def test_what_was_planted_among_the_records_is_no_record(
    terminal: Terminal, tmp_path: Path, kind: str
) -> None:
    """Runs start beside it, and what is there is left alone."""
    victim = Victim(tmp_path)
    for number in range(3):
        victim.plant(kind, terminal.state / "active" / str(number))

    assert terminal.ok("trigger", "ok").out == "hi\n"

    assert victim.unharmed()
    assert terminal.run("run", "--once").code == 0


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo"])
def test_a_scheduler_whose_wake_file_is_replaced_looks_by_itself(
    desk: Desk, tmp_path: Path, kind: str
) -> None:
    """Nothing is touched through it, and once it is gone wishes are heard again."""
    victim = Victim(tmp_path)
    desk.run("add", "job", "--daily", "00:00", "--", EVIDENCE)
    loop = desk.start()
    state = desk.home / "state"
    victim.plant(kind, state / "planted")
    (state / "planted").rename(state / "wake")

    desk.run("trigger", "job", "--detach", code=1)
    (state / "wake").unlink()
    desk.run("trigger", "job", "--detach")

    wait_for("the run", desk.evidence)
    assert victim.unharmed()
    assert desk.stop(loop) == 0


@pytest.mark.parametrize("name", ["logs/job", "active"])
def test_a_scheduler_survives_what_is_planted_while_it_runs(
    desk: Desk, tmp_path: Path, name: str
) -> None:
    """It goes on, says what is wrong, and starts again once that is gone."""
    victim = Victim(tmp_path)
    desk.write('[schedules.job]\nevery = "1s"\ncommand = "true"\ncatchup = "none"\n')
    loop = desk.start()
    wait_for("a run", lambda: " succeeded " in desk.loop_log())

    (desk.home / "state" / name).rename(tmp_path / "kept")
    (desk.home / "state" / name).symlink_to(victim.folder)
    if name == "logs/job":
        wait_for("a refusal", lambda: "a symbolic link is in the way" in desk.loop_log())
    (desk.home / "state" / name).unlink()
    (tmp_path / "kept").rename(desk.home / "state" / name)

    runs = desk.loop_log().count(" succeeded ")
    wait_for("a run again", lambda: desk.loop_log().count(" succeeded ") > runs)
    assert desk.stop(loop) == 0
    assert victim.unharmed()
    assert "Traceback" not in desk.loop_log()
