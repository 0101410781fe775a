"""A disk that is full, read-only or out of inodes: sentences, no exit, and every promise after it.

Each story has a disk of its own, mounted where only its processes see it.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from desk import EVIDENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hostile_machine import Disk

    from desk import Desk

    OnDisk = Callable[[str], Disk]

TICK = f"""
[schedules.tick]
every = "1s"
catchup = "all"
command = '''{EVIDENCE}'''
[schedules.idle]
at = 2099-01-01T00:00:00
command = "true"
"""
FULL = "size=1m,nr_inodes=200"  # the run log and its WAL need half of it


def in_sentences(desk: Desk, codes: dict[str, int]) -> None:
    """Hold commands to their exit code and to a sentence."""
    for command, code in codes.items():
        done = subprocess.run(
            [*desk.program, *command.split()], capture_output=True, text=True, env=desk.environ,
            cwd=desk.home,
        )  # fmt: skip
        assert done.returncode == code, (command, done)
        assert "Traceback" not in done.stderr
        assert "unexpected" not in done.stderr
        assert len(done.stderr.splitlines()) <= 2, (command, done.stderr)


def every_slot_has_one_verdict(desk: Desk) -> list[dict[str, Any]]:
    """Return the history of tick, oldest first, held against what the commands wrote."""
    entries = desk.json("history", "tick", "--limit", "100000")["entries"]
    entries.reverse()
    slots = [int(entry["id"].rpartition("-")[2]) for entry in entries if entry["id"]]
    assert slots == list(range(slots[0], slots[0] + len(slots))), "lost or doubled"
    wrote = [slot for _, slot in desk.evidence()]
    assert len(wrote) == len(set(wrote)), "started twice"
    ran = {slot for slot, entry in zip(slots, entries, strict=True) if entry["attempt"]}
    assert set(wrote) == ran
    return entries


def test_a_disk_that_is_full_from_the_start_is_waited_out(on_disk: OnDisk) -> None:
    """`run` says it once, and begins when there is room."""
    desk = on_disk(FULL)
    desk.write(TICK)
    desk.fill()
    codes = {"list": 0, "history": 0, "ps": 0, "status": 0, "health": 8, "next": 0, "metrics": 0}
    in_sentences(desk, codes | {"trigger idle": 1, "catchup": 1})

    loop = desk.start(until="not usable yet")
    desk.free()
    wait_for("evidence", desk.evidence)

    assert desk.loop_log().count("not usable yet") == 1
    assert desk.stop(loop) == 0
    every_slot_has_one_verdict(desk)


def test_a_disk_without_inodes_from_the_start_is_waited_out(on_disk: OnDisk) -> None:
    """Not even a lock file can be made."""
    desk = on_disk(FULL)
    desk.write(TICK)
    desk.fill_inodes()
    in_sentences(desk, {"list": 0, "status": 0, "trigger idle": 1, "catchup": 1})

    loop = desk.start(until="not usable yet")
    desk.free()
    wait_for("evidence", desk.evidence)

    assert desk.loop_log().count("not usable yet") == 1
    assert desk.stop(loop) == 0


def test_a_disk_that_fills_up_at_a_claim_loses_and_doubles_nothing(on_disk: OnDisk) -> None:
    """Nothing starts without a durable claim; one line says so, one that it works again."""
    desk = on_disk(FULL)
    desk.write(TICK)
    loop = desk.start()
    wait_for("a run", lambda: len(desk.evidence()) > 1)
    for turn in (1, 2):
        desk.fill()
        words = "run log not writable; nothing starts"
        wait_for("trouble", lambda turn=turn, words=words: desk.loop_log().count(words) == turn)
        before = len(desk.evidence())
        in_sentences(desk, {"list": 0, "history": 0, "status": 0, "health": 7, "trigger idle": 1})
        assert len(desk.evidence()) == before
        assert loop.poll() is None
        desk.free()
        words = "run log writable again"
        wait_for("recovery", lambda turn=turn, words=words: desk.loop_log().count(words) == turn)
        wait_for("a run", lambda before=before: len(desk.evidence()) > before + 1)
    desk.run("disable", "tick")
    wait_for("an end", lambda: not desk.json("ps")["runs"])

    assert desk.stop(loop) == 0
    every_slot_has_one_verdict(desk)
    assert "Traceback" not in desk.loop_log()
    assert "tick failed" not in desk.loop_log()


def test_a_log_that_cannot_be_made_delays_a_start_and_does_not_fail_it(on_disk: OnDisk) -> None:
    """The claim is made, the start waits for an inode, and happens once."""
    desk = on_disk(FULL)
    desk.write(TICK.replace("catchup", "overlap = 'queue'\ncatchup"))
    loop = desk.start()
    wait_for("a run", lambda: len(desk.evidence()) > 1)
    desk.fill_inodes()
    wait_for("a claim", lambda: any(run["status"] == "claimed" for run in desk.json("ps")["runs"]))
    before = len(desk.evidence())
    in_sentences(desk, {"list": 0, "history": 0, "status": 0, "ps": 0})
    desk.free()
    wait_for("starts", lambda: len(desk.evidence()) > before + 2)
    desk.run("disable", "tick")
    wait_for("an end", lambda: not desk.json("ps")["runs"])

    assert desk.stop(loop) == 0
    entries = every_slot_has_one_verdict(desk)
    assert {entry["status"] for entry in entries} <= {"succeeded", "skipped", "missed"}
    assert "failed(start" not in desk.loop_log()


def test_an_end_on_a_full_disk_is_recorded_with_its_true_exit_code(on_disk: OnDisk) -> None:
    """The room for it was set aside at the start; scheduler and disk are gone when it comes."""
    desk = on_disk(FULL)
    go = desk.home / "go"
    command = f"{EVIDENCE}; while ! test -e {go}; do sleep 0.1; done; echo lost; exit 7"
    desk.run("add", "job", "--daily", "00:00", "--", command)
    loop = desk.start()
    desk.run("trigger", "job", "--detach")
    wait_for("the run", desk.evidence)
    desk.fill()
    loop.send_signal(signal.SIGKILL)
    loop.wait()
    go.touch()

    loop = desk.start(until="\n")
    desk.free()
    wait_for("a verdict", lambda: desk.status_of("job") == "failed")

    assert desk.json("history", "job")["entries"][0]["exit_code"] == 7
    assert len(desk.evidence()) == 1
    assert desk.stop(loop) == 0


def test_a_disk_that_turns_read_only_is_waited_out(on_disk: OnDisk) -> None:
    """As Linux does to a disk in trouble; also for a scheduler that starts on one."""
    desk = on_disk("size=4m")
    desk.write(TICK)
    loop = desk.start()
    wait_for("a run", lambda: len(desk.evidence()) > 1)
    assert desk.stop(loop) == 0

    desk.remount("ro")
    in_sentences(desk, {"list": 0, "history": 0, "status": 0, "health": 8, "trigger idle": 1})
    loop = desk.start(until="not usable yet")
    desk.remount("rw")
    before = len(desk.evidence())
    wait_for("a run", lambda: len(desk.evidence()) > before + 1)

    assert desk.stop(loop) == 0
    every_slot_has_one_verdict(desk)


@pytest.mark.parametrize("mask", [0o000, 0o777], ids=["open", "shut"])
def test_files_are_for_their_owner_alone_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    """A shut umask must not shut us out, either: root without its powers is held to modes."""
    from desk import Desk

    # Files of coverage would be shut to coverage itself.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] * (os.geteuid() == 0)
    shell = ["sh", "-c", f'umask {mask:o}; exec "$@"', "sh"]
    desk = Desk([*powerless, *shell, sys.executable, "-m", "flytesched"], tmp_path)
    places = ["--manifest", str(tmp_path / "a/b/m.toml"), "--state-dir", str(tmp_path / "c/d/e")]
    # The commands write it themselves, under the umask they were given.
    (tmp_path / "evidence").touch(0o600)
    try:
        desk.run(
            "add", "job", "--every", "1s", "--on-success", "echo hook", *places, "--", EVIDENCE
        )
        desk.run("trigger", "job", *places)
        loop = desk.start(*places)
        wait_for("runs", lambda: len(desk.evidence()) > 2)
        desk.run("disable", "job", *places)
        desk.run("logs", "job", *places)
        wait_for("hooks", lambda: (tmp_path / "c/d/e/logs/job/hooks.log").stat().st_size > 10)
        modes = {
            path: stat.S_IMODE(path.lstat().st_mode)
            for top in ("a", "c")
            for path in [tmp_path / top, *(tmp_path / top).rglob("*")]
        }
        assert desk.stop(loop) == 0
    finally:
        desk.clear()

    wrong = {
        str(path): oct(mode)
        for path, mode in modes.items()
        if mode != (0o700 if path.is_dir() else 0o600) and path.exists()
    }
    assert wrong == {}
    assert len(modes) > 10
