"""`flytesched run`: how it starts, stops, reloads, and what it says of itself."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from desk import Desk, wait_for

pytestmark = pytest.mark.slow

#: Waits for the file `go`, then ends with 4.
WAITING = (
    'command = "echo began >> $EVIDENCE.began; while [ ! -e go ]; do sleep 0.05; done; exit 4"'
)
SOON = 'every = "1s"\ncwd = "{home}"\n'


def waiting(desk: Desk, more: str = "", settings: str = "") -> None:
    """Write a schedule whose command waits for the file `go`."""
    table = SOON.format(home=desk.home) + WAITING
    desk.write(f"[settings]\n{settings}\n[schedules.wait]\n{table}\n{more}\n")


def began(desk: Desk) -> bool:
    return (desk.home / "evidence.began").exists()


def test_sigterm_leaves_what_runs_and_says_so(desk: Desk) -> None:
    """The next scheduler adopts it and has its true exit code."""
    waiting(desk)
    loop = desk.start()
    wait_for("start", lambda: began(desk))
    assert desk.stop(loop) == 0
    assert "left running, to be adopted" in desk.loop_log()
    loop = desk.start()
    assert "adopted" in desk.loop_log()
    (desk.home / "go").touch()
    entries = wait_for(
        "verdict",
        lambda: [
            e
            for e in desk.json("history", "wait", "--status", "failed")["entries"]
            if e["exit_code"]
        ],
    )
    assert entries[-1]["exit_code"] == 4
    desk.stop(loop)


def test_sigterm_with_on_stop_kill_ends_what_runs(desk: Desk) -> None:
    """TERM to the command, and a verdict that says why."""
    waiting(desk)
    loop = desk.start("--on-stop", "kill")
    wait_for("start", lambda: began(desk))
    assert desk.stop(loop) == 0
    entries = desk.json("history", "wait", "--status", "cancelled")["entries"]
    assert [entry["reason"] for entry in entries] == ["scheduler stopped"]


def test_a_command_that_cannot_survive_is_ended_with_the_scheduler(desk: Desk) -> None:
    """`survive = false` gives up adoption, never the verdict."""
    waiting(desk, "survive = false")
    loop = desk.start()
    wait_for("start", lambda: began(desk))
    assert desk.stop(loop) == 0
    entries = desk.json("history", "wait", "--status", "interrupted")["entries"]
    assert [entry["reason"] for entry in entries] == ["scheduler stopped"]


def test_a_killed_scheduler_interrupts_a_command_that_cannot_survive(desk: Desk) -> None:
    """The next one finds its session, ends it and says so."""
    waiting(desk, "survive = false")
    loop = desk.start()
    wait_for("start", lambda: began(desk))
    wait_for("running", lambda: desk.json("ps")["runs"][0]["status"] == "running")
    loop.kill()
    loop.wait()
    loop = desk.start()
    wait_for("verdict", lambda: desk.json("history", "--status", "interrupted")["entries"])
    entry = desk.json("history", "--status", "interrupted")["entries"][-1]
    assert entry["reason"] == "scheduler died"
    desk.stop(loop)


def test_shutdown_grace_waits_for_what_runs(desk: Desk) -> None:
    """A stop waits; a second signal does not."""
    waiting(desk, settings='shutdown_grace = "60s"')
    loop = desk.start()
    wait_for("start", lambda: began(desk))
    loop.send_signal(signal.SIGTERM)
    wait_for("stopping", lambda: "stopping" in desk.loop_log())
    (desk.home / "go").touch()
    assert loop.wait(60) == 0
    assert desk.status_of("wait") in {"failed", "skipped"}
    assert desk.json("ps")["runs"] == []


def test_a_second_signal_exits_at_once(desk: Desk) -> None:
    """Whoever asks twice does not want to wait."""
    waiting(desk, settings='shutdown_grace = "1h"')
    loop = desk.start()
    wait_for("start", lambda: began(desk))
    loop.send_signal(signal.SIGTERM)
    wait_for("stopping", lambda: "stopping" in desk.loop_log())
    loop.send_signal(signal.SIGTERM)
    assert loop.wait(60) == 128 + signal.SIGTERM
    (desk.home / "go").touch()


def test_once_waits_for_what_it_started_and_tells_of_failures(desk: Desk) -> None:
    """`run --once` exits 1 when a run it waited for failed, else 0."""
    desk.write('[schedules.x]\ndaily = "02:00"\ncommand = "exit 3"\n')
    desk.run("run", "--once")
    assert desk.status_of("x") is None, "a fresh schedule has no past"
    _put_back(desk, "x", days=2)
    desk.run("run", "--once", code=1)
    assert desk.status_of("x") == "failed"


def _put_back(desk: Desk, name: str, *, days: int) -> None:
    import sqlite3

    with sqlite3.connect(desk.home / "state" / "runs.db") as db:
        db.execute("UPDATE schedules SET cursor = cursor - ? WHERE name = ?", (days * 86400, name))
    db.close()


def test_catch_up_by_policy_at_start(desk: Desk) -> None:
    """all, latest and none: what runs by itself, what stays open, what is declined."""
    text = "".join(
        f'[schedules.{policy}]\ndaily = "02:00"\ncommand = "true"\ncatchup = "{policy}"\n'
        'catchup_window = "30d"\n'
        for policy in ("all", "latest", "none")
    )
    desk.write(text)
    desk.run("run", "--once")
    for name in ("all", "latest", "none"):
        _put_back(desk, name, days=5)
    desk.run("run", "--once")
    statuses = {
        name: sorted(e["status"] for e in desk.json("history", name)["entries"])
        for name in ("all", "latest", "none")
    }
    assert statuses == {
        "all": ["succeeded"] * 5,
        "latest": ["missed"] * 4 + ["succeeded"],
        "none": ["skipped"] * 5,
    }
    assert [row["schedule"] for row in desk.json("catchup", "--dry-run")["schedules"]] == ["latest"]
    desk.run("catchup", "--policy", "none")
    assert desk.json("catchup", "--dry-run")["schedules"] == []
    assert {e["status"] for e in desk.json("history", "latest")["entries"]} == {
        "succeeded",
        "skipped",
    }


def test_a_timeout_ends_the_command_and_is_retried(desk: Desk) -> None:
    """TERM to the whole session, the verdict timed_out, and further attempts of the same run."""
    desk.write(
        '[schedules.slow]\nevery = "1s"\ncommand = "sleep 60 & sleep 60"\ntimeout = "200ms"\n'
        'retry = { max_attempts = 2, delay = "100ms" }\n'
    )
    loop = desk.start()
    wait_for("verdict", lambda: desk.json("history", "slow", "--status", "timed_out")["entries"])
    entry = desk.json("history", "slow", "--status", "timed_out")["entries"][-1]
    assert entry["attempt"] == 2
    desk.stop(loop)


def test_sighup_reads_the_manifest_again(desk: Desk) -> None:
    """And says READY again."""
    desk.write('[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    loop = desk.start()
    loop.send_signal(signal.SIGHUP)
    wait_for("ready again", lambda: desk.loop_log().count(" ready") == 2)
    assert desk.stop(loop) == 0


def test_a_broken_edit_keeps_the_last_good_set_and_a_mended_one_counts(desk: Desk) -> None:
    """Said once on stderr, and in `status` and `health`."""
    good = '[schedules.x]\nevery = "1s"\ncommand = "true"\n'
    desk.write(good)
    loop = desk.start()
    desk.write("[schedules.x\n")
    wait_for("complaint", lambda: "not readable" in desk.loop_log())
    fired = len(desk.json("history", "x", "--limit", "1000")["entries"])
    wait_for("more", lambda: len(desk.json("history", "x", "--limit", "1000")["entries"]) > fired)
    assert desk.json("status")["manifest_error"]
    desk.run("health", code=7)
    desk.write(good + '[schedules.y]\nevery = "1s"\ncommand = "true"\n')
    wait_for("y", lambda: desk.status_of("y"))
    assert desk.loop_log().count("not readable") == 1
    desk.run("health")
    desk.stop(loop)


def test_a_broken_manifest_at_start_is_waited_for(desk: Desk) -> None:
    """Nobody at a terminal: it plans nothing, adopts what runs, and waits for it to be mended."""
    desk.manifest.write_text("version = 2\n")
    loop = desk.start(until="not readable")
    desk.write('[schedules.x]\nevery = "1s"\ncommand = "true"\n')
    wait_for("x", lambda: desk.status_of("x"))
    desk.stop(loop)
    desk.manifest.write_text("version = 2\n")
    desk.run("run", "--once", code=5)


def test_nothing_is_kept_with_persist_off(desk: Desk) -> None:
    """FLYTESCHED_PERSIST=false: commands end with the scheduler, and no run log is left."""
    waiting(desk)
    loop = desk.start(more={"FLYTESCHED_PERSIST": "false"})
    wait_for("start", lambda: began(desk))
    assert desk.stop(loop) == 0
    assert not (desk.home / "state" / "runs.db").exists()
    assert not _alive(desk)


def _alive(desk: Desk) -> bool:
    """Tell whether a process works in the home of this desk."""
    links = Path("/proc").glob("[0-9]*/cwd")
    return any(_where(link) == str(desk.home) for link in links)


def _where(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def test_systemd_is_told_how_it_stands(desk: Desk, tmp_path: Path) -> None:
    """READY, STATUS, WATCHDOG, RELOADING and STOPPING over a real socket; commands see no of it."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(address))
        ear.settimeout(60)
        desk.write('[schedules.x]\nevery = "1s"\ncommand = "env > $EVIDENCE.env"\n')
        more = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}
        loop = desk.start(more=more)
        heard = ""
        while "WATCHDOG=1" not in heard or "1 schedule, " not in heard:
            heard += ear.recv(4096).decode() + "\n"
        assert "READY=1" in heard
        wait_for("env", (desk.home / "evidence.env").exists)
        loop.send_signal(signal.SIGHUP)
        while "RELOADING=1" not in heard:
            heard += ear.recv(4096).decode() + "\n"
        assert "MONOTONIC_USEC=" in heard
        assert desk.stop(loop) == 0
        while "STOPPING=1" not in heard:
            heard += ear.recv(4096).decode() + "\n"
    seen = (desk.home / "evidence.env").read_text()
    assert "NOTIFY_SOCKET" not in seen
    assert "WATCHDOG" not in seen
    assert "FLYTESCHED_RUN_ID=sched-x-" in seen


def test_a_state_directory_stays_with_its_manifest(desk: Desk, tmp_path: Path) -> None:
    """Another manifest is refused unless --rebind says that it has moved."""
    desk.write('[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    desk.run("run", "--once")
    other = tmp_path / "moved.toml"
    desk.manifest.rename(other)
    desk.run("--manifest", str(other), "run", "--once", code=4)
    desk.run("--manifest", str(other), "catchup", "--dry-run", code=4)
    desk.run("--manifest", str(other), "run", "--once", "--rebind")
    desk.run("--manifest", str(other), "run", "--once")


def test_an_outsider_that_locks_the_run_log_stops_starts_and_nothing_else(desk: Desk) -> None:
    """No start without a durable claim, no exit; afterwards every slot has its verdict."""
    import sqlite3

    desk.write('[schedules.x]\nevery = "1s"\ncommand = "true"\n')
    loop = desk.start()
    wait_for("a run", lambda: desk.status_of("x"))
    outsider = sqlite3.connect(desk.home / "state" / "runs.db", isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")
    wait_for("complaint", lambda: "not writable" in desk.loop_log())
    time.sleep(2)
    assert loop.poll() is None
    outsider.execute("ROLLBACK")
    outsider.close()
    wait_for("writable", lambda: "writable again" in desk.loop_log())
    desk.stop(loop)
    assert desk.loop_log().count("not writable") == 1
    slots = sorted(e["scheduled_at"] for e in desk.json("history", "x", "--limit", "99")["entries"])
    assert len(slots) == len(set(slots))
    first, last = (_epoch(slots[0]), _epoch(slots[-1]))
    assert len(slots) == last - first + 1, "no slot is lost in silence"


def _epoch(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp())


def test_json_lines_and_the_holder_are_for_machines(desk: Desk) -> None:
    """`--log-format json`: one object a line."""
    import json

    desk.write('[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    loop = desk.start("--log-format", "json", until='"ready"')
    assert all("event" in json.loads(line) for line in desk.loop_log().splitlines())
    status = desk.json("status")
    assert status["scheduler"]["pid"] == loop.pid
    refused = subprocess.run(
        [*desk.program, "run"], capture_output=True, text=True, env=desk.environ
    )
    assert refused.returncode == 6
    assert str(loop.pid) in refused.stderr
    desk.stop(loop)


def test_hooks_are_told_once_after_the_verdict(desk: Desk) -> None:
    """failure, recovered, success and missed."""
    said = 'echo "$FLYTESCHED_EVENT" >> "$EVIDENCE.hooks"'
    desk.write(
        "[schedules.x]\n"
        'daily = "02:00"\ncommand = "test -e ok"\n'
        f'cwd = "{desk.home}"\ncatchup = "all"\ncatchup_window = "30d"\n'
        + "".join(f"on_{e} = '{said}'\n" for e in ("success", "failure", "missed", "recovered"))
    )
    desk.run("run", "--once")
    _put_back(desk, "x", days=1)
    desk.run("run", "--once", code=1)
    (desk.home / "ok").touch()
    desk.run("retry", desk.json("history", "x")["entries"][0]["id"])

    def hooks() -> list[str]:
        path = desk.home / "evidence.hooks"
        return sorted(path.read_text().split()) if path.exists() else []

    wait_for("hooks", lambda: hooks() == ["failure", "missed", "recovered", "success"])


def test_settings_of_a_changed_manifest_count(desk: Desk) -> None:
    """`max_concurrent_runs` bounds what starts after the edit."""
    body = "".join(f'[schedules.s{n}]\nevery = "1s"\ncommand = "sleep 60"\n' for n in range(3))
    desk.write("[settings]\nmax_concurrent_runs = 1\n" + body)
    loop = desk.start()
    wait_for("one", lambda: _count(desk, "running") == 1 and _count(desk, "queued") >= 1)
    desk.write("[settings]\nmax_concurrent_runs = 2\n" + body)
    wait_for("two", lambda: _count(desk, "running") == 2)
    for run in desk.json("ps")["runs"]:
        if run["status"] == "running":
            desk.run("cancel", run["id"])
    desk.stop(loop)
    for run in desk.json("ps")["runs"]:
        desk.run("cancel", run["id"])
    os.sync()


def _count(desk: Desk, status: str) -> int:
    return sum(run["status"] == status for run in desk.json("ps")["runs"])


@pytest.mark.parametrize("name", ["scheduler.lock", "runs.db"])
@pytest.mark.parametrize("gone", [True, False], ids=["removed", "replaced"])
def test_a_scheduler_whose_lock_or_run_log_was_pulled_away_decides_nothing_and_leaves(
    desk: Desk, name: str, *, gone: bool
) -> None:
    """What it would write nobody could read, and its lock would keep nobody out."""
    desk.write('[schedules.x]\nevery = "1s"\ncommand = "true"\n')
    loop = desk.start()
    wait_for("a verdict", lambda: desk.status_of("x") == "succeeded")
    path = desk.home / "state" / name
    if gone:
        path.unlink()
    else:
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        other.chmod(0o600)
        other.replace(path)

    assert loop.wait(60) == 1

    said = [line for line in desk.loop_log().splitlines() if "leaving" in line]
    assert len(said) == 1
    assert name in said[0]
    began = desk.loop_log().count(" started ")
    loop = desk.start()
    wait_for("a start", lambda: desk.loop_log().count(" started ") > began)
    assert desk.stop(loop) == 0


def test_nobody_takes_the_place_of_a_scheduler_whose_lock_file_was_removed(desk: Desk) -> None:
    """It lives, and what it starts would be started beside it."""
    desk.write('[schedules.x]\ncron = "0 0 1 1 *"\ncommand = "true"\n')
    loop = desk.start()
    loop.send_signal(signal.SIGSTOP)  # or it would hear that another came, and leave
    (desk.home / "state" / "scheduler.lock").unlink()

    desk.run("run", code=6)

    loop.kill()
    # Not reaped yet: what is dead does not stand in the way.
    wait_for(
        "its end", lambda: f"{loop.pid} (python" in _stat(loop.pid) and " Z " in _stat(loop.pid)
    )
    other = desk.start()
    loop.wait()
    assert desk.stop(other) == 0


def test_a_scheduler_whose_lock_file_was_removed_leaves_once_another_comes(desk: Desk) -> None:
    """Not only at its next slot, which may be far: until then nobody could take its place."""
    desk.write('[schedules.x]\ncron = "0 0 1 1 *"\ncommand = "true"\n')
    loop = desk.start()
    (desk.home / "state" / "scheduler.lock").unlink()

    # Refused, unless the first one has left already: whatever wakes it up lets it look.
    other = subprocess.Popen([*desk.program, "run"], env=desk.environ, cwd=desk.home)
    assert loop.wait(60) == 1
    wait_for("its place", lambda: other.poll() is not None or desk.json("status")["scheduler"])
    if other.poll() is None:
        other.terminate()
    assert other.wait(60) in {0, 6, -signal.SIGTERM}
    assert desk.stop(desk.start()) == 0


def _stat(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text()


def test_a_reload_does_not_end_a_scheduler_that_waits_for_its_run_log(desk: Desk) -> None:
    """There is nothing to be read again yet."""
    desk.write('[schedules.x]\nevery = "1s"\ncommand = "true"\n')
    assert desk.stop(desk.start()) == 0
    other = sqlite3.connect(desk.home / "state" / "runs.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    # Another manifest's path has to be written down, and cannot be.
    moved = desk.home / "moved.toml"
    moved.write_bytes(desk.manifest.read_bytes())
    more = {"FLYTESCHED_MANIFEST": str(moved)}
    loop = desk.start("--rebind", until="run log not usable yet", more=more)
    for _ in range(3):
        loop.send_signal(signal.SIGHUP)
        time.sleep(0.2)
    assert loop.poll() is None
    other.execute("ROLLBACK")
    other.close()
    wait_for("ready", lambda: desk.loop_log().count(" ready ") == 2)
    assert desk.stop(loop) == 0
