"""trigger, catchup, backfill, cancel, retry, run: real processes that start real commands."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from terminal import environment
from test_cli_reading import remember

from flytesched.clock import monotonic, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from terminal import Terminal


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """Return the first true answer; the patience is for broken programs, not a bound."""
    deadline = monotonic() + 60
    while monotonic() < deadline:
        if answer := condition():
            return answer
        sleep(0.02)
    pytest.fail(f"waited in vain for {what}")


def start(terminal: Terminal, *words: str) -> subprocess.Popen[str]:
    """Start a command and return at once."""
    return subprocess.Popen(
        [sys.executable, "-m", "flytesched", *words], env=environment(terminal.home), text=True,
        cwd=terminal.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def on_a_terminal(terminal: Terminal, *words: str, answer: bytes = b"") -> tuple[int, str]:
    """Run a command on a pseudo-terminal; return its exit code and all it showed."""
    screen, inside = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flytesched", *words], cwd=terminal.home, stdin=inside,
        stdout=inside, stderr=inside, env=environment(terminal.home) | {"TERM": "xterm"},
    )  # fmt: skip
    os.close(inside)
    if answer:
        os.write(screen, answer)
    shown = b""
    # The read fails with EIO once nobody has the other end any more.
    with contextlib.suppress(OSError):
        while chunk := os.read(screen, 4096):
            shown += chunk
    os.close(screen)
    return process.wait(), shown.decode()


def test_trigger_streams_the_output_and_exits_with_the_commands_code(terminal: Terminal) -> None:
    """Talk goes to stderr."""
    good = terminal.process("trigger", "backup")
    bad = terminal.process("trigger", "report")

    assert (good.code, good.out) == (0, "1\nfrom backup\n")
    assert bad.code == 3
    assert "failed(exit 3)" in bad.err


def test_output_is_streamed_while_the_command_runs(terminal: Terminal) -> None:
    """Not only at its end; Ctrl-C leaves the run going and says how to end it."""
    terminal.ok("add", "slow", "--every", "1h", "--", "echo begun; exec sleep 60")
    trigger = start(terminal, "trigger", "slow")
    assert trigger.stdout is not None
    assert trigger.stdout.readline() == "begun\n"

    trigger.send_signal(signal.SIGINT)
    _, err = trigger.communicate()

    assert trigger.returncode == 130
    (run,) = terminal.json("ps")["runs"]
    assert f"flytesched cancel {run['id']}" in err
    assert run["status"] == "running"
    assert run["pid"]
    assert terminal.ok("ps", "-q").out == f"{run['id']}\n"

    cancelled = terminal.process("cancel", run["id"])
    assert (cancelled.code, cancelled.out) == (0, f"{run['id']}: cancelled(by user)\n")
    assert terminal.json("ps")["runs"] == []


def test_a_second_trigger_meets_the_active_run(terminal: Terminal) -> None:
    """skip: exit 4; --force runs beside it."""
    terminal.ok("add", "slow", "--every", "1h", "--", "test $FLYTESCHED_ATTEMPT; exec sleep 60")
    first = start(terminal, "trigger", "slow")
    wait_for("start", lambda: [r for r in terminal.json("ps")["runs"] if r["status"] == "running"])

    refused = terminal.process("trigger", "slow")

    assert refused.code == 4
    assert "overlap is skip" in refused.err
    (run,) = terminal.json("ps")["runs"]
    cancel = terminal.process("cancel", run["id"])
    assert cancel.code == 0
    first.communicate()
    assert first.returncode == 1


def test_logs_follow_a_run_until_its_verdict(terminal: Terminal) -> None:
    """As it writes."""
    go = terminal.home / "go"
    command = f"echo one; while [ ! -e {go} ]; do sleep 0.05; done; echo two"
    terminal.ok("add", "slow", "--every", "1h", "--", command)
    trigger = start(terminal, "trigger", "slow")
    wait_for("output", lambda: terminal.run("logs", "slow").out == "one\n")
    follow = start(terminal, "logs", "-f", "slow")
    assert follow.stdout is not None
    assert follow.stdout.readline() == "one\n"

    go.touch()

    assert follow.communicate()[0] == "two\n"
    assert follow.returncode == 0
    assert trigger.communicate()[0] == "one\ntwo\n"


def test_catchup_runs_what_was_missed_and_is_safe_to_repeat(terminal: Terminal) -> None:
    """It exits 1 if a run failed, and says what is still open."""
    terminal.ok("set", "backup-photos", "--", "echo $FLYTESCHED_ORIGIN $FLYTESCHED_SCHEDULED_AT")
    remember(terminal, "backup-photos", 4 * 3600 + 30)

    first = terminal.process("catchup", "--limit", "3", "--json")
    second = terminal.process("catchup", "--json")
    third = terminal.process("catchup", "--json")

    assert (first.code, second.code, third.code) == (0, 0, 0), first.err
    slots = [run["scheduled_at"] for run in first.json["runs"]]
    assert slots == sorted(slots)
    assert len(slots) == 3
    assert first.json["remaining"] == 1
    assert "1 missed slot open now: backup-photos 1" in first.err
    assert len(second.json["runs"]) == 1
    assert third.json["runs"] == []
    entries = terminal.json("history", "backup-photos")["entries"]
    assert [e["status"] for e in entries] == ["succeeded"] * 4


def test_catchup_exits_1_if_a_run_failed(terminal: Terminal) -> None:
    """And names it."""
    remember(terminal, "backup-photos", 2 * 3600)

    said = terminal.process("catchup")

    assert said.code == 1
    assert re.search(r"sched-backup-photos-\d+: failed\(exit 1\)", said.err)


def test_missed_slots_can_be_declined(terminal: Terminal) -> None:
    """They read skipped(declined) from then on."""
    remember(terminal, "backup-photos", 3 * 3600 + 30)

    said = terminal.process("catchup", "--policy", "none")

    assert said.code == 0
    assert "declined 3 missed slots" in said.err
    entries = terminal.json("history", "backup-photos")["entries"]
    assert {(e["status"], e["reason"]) for e in entries} == {("skipped", "declined")}


def test_catchup_asks_above_twenty_on_a_terminal(terminal: Terminal) -> None:
    """No means no; elsewhere nobody is asked."""
    remember(terminal, "backup-photos", 30 * 3600)
    before = terminal.print()

    code, shown = on_a_terminal(terminal, "catchup", answer=b"n\n")

    assert code == 1
    assert "Run 30 missed slots?" in shown
    assert "nothing was changed" in shown
    assert terminal.print() == before


def test_a_look_counts_what_no_call_would_queue(terminal: Terminal) -> None:
    """A call that would is refused before anything is changed."""
    terminal.ok("add", "each-second", "--every", "1s", "--", "true")
    terminal.ok("catchup")
    remember(terminal, "each-second", 40 * 86_400)
    before = terminal.print()

    look = terminal.ok("catchup", "--dry-run")
    (row,) = terminal.json("catchup", "--dry-run")["schedules"]
    refused = terminal.run("catchup", "--yes")
    few = terminal.json("catchup", "--dry-run", "--limit", "7")

    assert abs(row["count"] - 40 * 86_400) < 600
    assert row["would_run"] >= row["count"]
    assert "one call queues 100,000 at most" in look.err
    assert refused.code == 2
    assert "are more than the 100,000 that one call queues\nhint: pass --since" in refused.err
    assert few["would_run"] == 7
    assert terminal.print() == before


def test_ctrl_c_withdraws_what_is_queued(terminal: Terminal) -> None:
    """It is missed as before, and can be caught up later."""
    terminal.ok("set", "backup-photos", "--", "echo begun; exec sleep 60")
    remember(terminal, "backup-photos", 4 * 3600 + 30)
    catchup = start(terminal, "catchup")
    wait_for("start", lambda: [r for r in terminal.json("ps")["runs"] if r["status"] == "running"])

    catchup.send_signal(signal.SIGINT)
    _, err = catchup.communicate()

    assert catchup.returncode == 130
    assert "withdrew 3 queued runs" in err
    (run,) = terminal.json("ps")["runs"]
    assert terminal.json("catchup", "--dry-run")["would_run"] == 3
    assert terminal.process("cancel", run["id"]).code == 0


def test_a_progress_bar_is_shown_on_a_terminal_only(terminal: Terminal) -> None:
    """It goes to stderr."""
    terminal.ok("set", "backup-photos", "--", "true")
    remember(terminal, "backup-photos", 3 * 3600 + 30)

    code, shown = on_a_terminal(terminal, "catchup")

    assert code == 0
    assert "catching up" in shown
    assert "3/3" in shown
    assert "3 runs: 3 succeeded" in shown


def test_backfill_runs_past_slots_once(terminal: Terminal) -> None:
    """Decided ones are left alone and counted."""
    terminal.ok("set", "backup", "--", "echo $FLYTESCHED_ORIGIN")
    words = ("backfill", "backup", "--from", "2025-03-01", "--until", "2025-03-04")
    assert len(terminal.json(*words, "--dry-run")["slots"]) == 3

    first = terminal.process(*words, "--parallel", "2", "--json")
    again = terminal.process(*words)

    assert first.code == 0, first.err
    assert {run["status"] for run in first.json["runs"]} == {"succeeded"}
    assert {run["origin"] for run in first.json["runs"]} == {"backfill"}
    assert again.code == 0
    assert "3 slots left alone: decided already" in again.err


def test_retry_runs_the_same_slot_again(terminal: Terminal) -> None:
    """The old verdict stays."""
    (old,) = terminal.json("history", "report")["entries"]

    failed = terminal.process("retry", old["id"])
    terminal.ok("set", "report", "--", "true")
    mended = terminal.process("retry", old["id"])

    assert failed.code == 1
    assert mended.code == 0
    entries = terminal.json("history", "report")["entries"]
    assert [e["status"] for e in entries] == ["succeeded", "failed", "failed"]
    assert entries[0]["retry_of"] == old["id"]


def test_run_once_waits_until_nothing_is_active(terminal: Terminal) -> None:
    """And exits."""
    said = terminal.process("run", "--once", "--log-format", "json")

    assert said.code == 0, said.err
    assert "ready" in [json.loads(line)["event"] for line in said.err.splitlines()]


def test_a_reader_that_leaves_is_no_error(terminal: Terminal) -> None:
    """`flytesched next | head` says nothing on stderr."""
    done = subprocess.run(
        f"{sys.executable} -m flytesched next -n 20000 | head -n 1", shell=True, text=True,
        capture_output=True, env=environment(terminal.home),
    )  # fmt: skip

    assert done.stdout.startswith("SLOT")
    assert done.stderr == ""


def test_a_terminal_gets_colour_unless_told_otherwise(terminal: Terminal) -> None:
    """NO_COLOR and --no-color."""
    _, coloured = on_a_terminal(terminal, "history")
    _, plain = on_a_terminal(terminal, "history", "--no-color")

    assert "\x1b[31mfailed(exit 3)\x1b[0m" in coloured
    assert "\x1b" not in plain


def test_control_characters_reach_a_terminal_only_raw(terminal: Terminal) -> None:
    """A command's output must not command the terminal of who reads it, behind a pipe neither."""
    terminal.ok("add", "evil", "--every", "1h", "--", r"printf 'a\033]0;gotcha\007\tb\r\n'")
    triggered = terminal.process("trigger", "evil").out
    piped = terminal.process("logs", "evil", "--raw").out

    _, shown = on_a_terminal(terminal, "logs", "evil")
    _, raw = on_a_terminal(terminal, "logs", "evil", "--raw")

    assert triggered == "a\\x1b]0;gotcha\\x07\tb\n"
    assert piped == "a\x1b]0;gotcha\x07\tb\n"
    assert r"a\x1b]0;gotcha\x07" in shown
    assert "\x1b]0;gotcha\x07" in raw


def test_removing_on_a_terminal_asks(terminal: Terminal) -> None:
    """A name typed in haste."""
    code, shown = on_a_terminal(terminal, "remove", "backup", answer=b"n\n")

    assert code == 1
    assert "Remove 1 schedule (backup)?" in shown
    assert "backup" in terminal.ok("list", "-q").out
