"""Commands with no scheduler: they do their own work, and record what they find."""

from __future__ import annotations

import signal
import subprocess

import pytest

from desk import Desk, wait_for

pytestmark = pytest.mark.slow


def left_alone(desk: Desk, command: str) -> str:
    """Trigger a run, walk away with Ctrl-C, and let it end unseen; return its id."""
    desk.write(f"[schedules.x]\ndaily = '02:00'\ncommand = '''{command}'''\ncwd = '{desk.home}'\n")
    trigger = subprocess.Popen(
        [*desk.program, "trigger", "x"], env=desk.environ, cwd=desk.home,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for("start", (desk.home / "began").exists)
    wait_for("running", lambda: [r for r in desk.json("ps")["runs"] if r["status"] == "running"])
    trigger.send_signal(signal.SIGINT)
    assert trigger.wait(60) == 130
    (desk.home / "go").touch()
    wait_for("end", (desk.home / "ended").exists)
    return desk.json("ps")["runs"][0]["id"]


COMMAND = "touch began; while [ ! -e go ]; do sleep 0.05; done; touch ended; exit 3"


def test_trigger_records_what_ended_unseen_before_it_judges_overlap(desk: Desk) -> None:
    run = left_alone(desk, COMMAND)
    wait_for("settled", lambda: _code(desk, "trigger", "x") == 3)
    statuses = {e["id"]: e["status"] for e in desk.json("history", "x")["entries"]}
    assert statuses[run] == "failed"


def test_cancel_does_not_touch_a_verdict_that_nobody_had_recorded(desk: Desk) -> None:
    run = left_alone(desk, COMMAND)
    wait_for("settled", lambda: _code(desk, "cancel", run) == 4)
    (entry,) = desk.json("history", "x")["entries"]
    assert (entry["status"], entry["exit_code"]) == ("failed", 3)


def test_retry_runs_again_what_ended_unseen(desk: Desk) -> None:
    run = left_alone(desk, COMMAND)
    wait_for("settled", lambda: _code(desk, "retry", run) == 1)
    newest = desk.json("history", "x")["entries"][0]
    assert (newest["origin"], newest["retry_of"]) == ("retry", run)


def _code(desk: Desk, *words: str) -> int:
    return subprocess.run(
        [*desk.program, *words], env=desk.environ, cwd=desk.home, capture_output=True
    ).returncode


def test_sigterm_withdraws_what_a_backfill_has_queued(desk: Desk) -> None:
    """A closed terminal leaves no queue behind."""
    desk.write(
        "[schedules.x]\nhourly = 0\ncommand = 'touch began; sleep 60'\n" + f"cwd = '{desk.home}'\n"
    )
    backfill = subprocess.Popen(
        [*desk.program, "backfill", "x", "--from", "2026-01-01", "--until", "2026-01-03", "--yes"],
        env=desk.environ, cwd=desk.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for("start", (desk.home / "began").exists)
    wait_for("running", lambda: [r for r in desk.json("ps")["runs"] if r["status"] == "running"])
    backfill.terminate()
    assert backfill.wait(60) == 130
    (left,) = desk.json("ps")["runs"]
    assert left["status"] == "running"
    desk.run("cancel", "sched-x-*")
    assert desk.json("ps")["runs"] == []
