"""The main job, through the installed program only: add, run, edit, stop, catch up, look."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from datetime import datetime

import pytest

from desk import EVIDENCE, Desk, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def slot_of(entry: dict) -> int:
    return int(datetime.fromisoformat(entry["scheduled_at"]).timestamp())


def test_schedules_of_every_kind_fire_are_recorded_and_are_caught_up(desk: Desk) -> None:
    """Nothing lost, nothing doubled: history, logs and the commands' own evidence agree."""
    now = int(time.time())
    soon = datetime.fromtimestamp(now + 3600).astimezone().isoformat(timespec="seconds")
    desk.run("add", "ticker", "--every", "2s", "--catchup", "none", "--", EVIDENCE)
    desk.run("add", "sixfield", "--cron", "*/3 * * * * *", "--seconds", "true", "--catchup", "all",
             "--timezone", "Europe/Berlin", "--", EVIDENCE)  # fmt: skip
    desk.run("add", "latest", "--every", "2s", "--", EVIDENCE)
    desk.run("add", "nightly", "--cron", "0 2 * * *", "--", "true")
    desk.run("add", "aws", "--aws-cron", "0 10 ? * MON-FRI *", "--", "true")
    desk.run("add", "daily", "--daily", "02:00", "--daily", "14:30", "--", "true")
    desk.run("add", "hourly", "--hourly", "15", "--", "/bin/echo", "several words", "$HOME")
    desk.run("add", "once", "--at", soon, "--", "true")
    names = [row["name"] for row in desk.json("list")["schedules"]]
    assert sorted(names) == sorted(
        ["ticker", "sixfield", "latest", "nightly", "aws", "daily", "hourly", "once"]
    )

    # They fire at the right seconds.
    loop = desk.start()
    wait_for("evidence", lambda: len(desk.evidence()) >= 6)
    # The manifest is edited by hand while it runs: a new schedule appears, comments stay.
    text = desk.manifest.read_text()
    by_hand = '\n# by hand\n[schedules.byhand]\nevery = "1s"\ncommand = '
    desk.manifest.write_text(text + by_hand + json.dumps(EVIDENCE) + "\n")
    wait_for("byhand", lambda: any(name == "byhand" for name, _ in desk.evidence()))
    desk.run("disable", "byhand", "--reason", "seen enough")
    wait_for("disabled", lambda: not _state(desk, "byhand")["enabled"])
    assert "# by hand" in desk.manifest.read_text()
    assert desk.stop(loop) == 0

    # Downtime: slots pass that nobody decides.
    stopped_at = int(time.time())
    quiet = len(desk.evidence())
    time.sleep(16)
    assert len(desk.evidence()) == quiet
    loop = desk.start()
    restarted_at = int(time.time())
    wait_for("caught up", lambda: _origins(desk)["sixfield", "catchup"] >= 1
             and _origins(desk)["latest", "catchup"] >= 1)  # fmt: skip
    wait_for("idle", lambda: not desk.json("ps")["runs"])

    # "none" declined its slots, "latest" left some open: they are looked at, then caught up.
    entries = desk.json("history", "ticker", "--limit", "1000")["entries"]
    declined = [e for e in entries if e["status"] == "skipped" and e["reason"] == "declined"]
    assert declined
    assert all(stopped_at - 2 <= slot_of(e) <= restarted_at for e in declined)
    looked = desk.json("catchup", "--dry-run")
    open_slots = {row["schedule"]: row["count"] for row in looked["schedules"]}
    assert open_slots.get("latest", 0) >= 1
    assert "ticker" not in open_slots
    before = len(desk.evidence())
    desk.run("catchup", "--yes")
    assert desk.json("catchup", "--dry-run")["schedules"] == []
    assert len(desk.evidence()) >= before + open_slots["latest"]
    assert desk.stop(loop, signal.SIGINT) == 130

    # What the program recorded is what the commands wrote themselves.
    wrote = Counter(desk.evidence())
    assert max(wrote.values()) == 1, "a slot ran twice"
    recorded = set()
    for name in ("ticker", "sixfield", "latest", "byhand"):
        for entry in desk.json("history", name, "--limit", "100000")["entries"]:
            if entry["status"] == "succeeded":
                recorded.add((name, slot_of(entry)))
    assert recorded == set(wrote)
    for name, step in (("ticker", 2), ("sixfield", 3), ("latest", 2)):
        history = desk.json("history", name, "--limit", "100000")["entries"]
        slots = sorted(slot_of(entry) for entry in history)
        assert slots == list(range(slots[0], slots[-1] + 1, step)), "every slot has one verdict"
    lines = (desk.home / "evidence").read_text().splitlines()
    for line in lines:
        _, slot, origin, _, moment = line.split()
        assert float(moment) >= int(slot), "never early"
        assert origin in {"schedule", "catchup"}

    # Output is kept.
    desk.run("trigger", "hourly")
    assert "several words $HOME" in desk.run("logs", "hourly")


def _state(desk: Desk, name: str) -> dict:
    return desk.json("show", name)["schedule"]


def _origins(desk: Desk) -> Counter:
    entries = desk.json("history", "--limit", "100000")["entries"]
    return Counter((e["schedule"], e["origin"]) for e in entries if e["status"] == "succeeded")


def test_a_killed_loop_loses_nothing_and_the_next_one_adopts_with_the_true_exit_code(
    desk: Desk,
) -> None:
    """`kill -9` of the loop: the command goes on, and its own exit code is recorded."""
    go = desk.home / "go"
    command = f"{EVIDENCE}; while [ ! -e {go} ]; do sleep 0.1; done; exit 7"
    at = datetime.fromtimestamp(int(time.time()) + 6).astimezone().isoformat(timespec="seconds")
    desk.run("add", "long", "--at", at, "--", command)
    loop = desk.start()
    wait_for("start", desk.evidence)
    loop.send_signal(signal.SIGKILL)
    loop.wait()
    assert desk.json("history", "long")["entries"][0]["status"] in {"claimed", "running"}
    loop = desk.start()
    assert desk.json("ps")["runs"][0]["schedule"] == "long"
    go.touch()
    wait_for("verdict", lambda: desk.json("history", "long")["entries"][0]["status"] == "failed")
    entry = desk.json("history", "long")["entries"][0]
    assert entry["exit_code"] == 7
    assert len(desk.evidence()) == 1
    assert desk.stop(loop) == 0


def test_commands_work_with_no_scheduler_and_hand_over_to_one(desk: Desk) -> None:
    """`trigger` starts by itself; a `run` started meanwhile takes over, `trigger` watches on."""
    import subprocess

    go = desk.home / "go"
    command = f"{EVIDENCE}; while [ ! -e {go} ]; do sleep 0.1; done; echo done; exit 3"
    desk.run("add", "slow", "--cron", "0 2 * * *", "--", command)
    trigger = subprocess.Popen(
        [*desk.program, "trigger", "slow"], env=desk.environ, text=True, stdout=subprocess.PIPE
    )
    wait_for("start", lambda: (desk.home / "evidence").exists())
    loop = desk.start()
    go.touch()
    output, _ = trigger.communicate(timeout=60)
    assert trigger.returncode == 3, "trigger exits with the command's code"
    assert "done" in output
    assert desk.stop(loop) == 0
    assert [e["status"] for e in desk.json("history", "slow")["entries"]] == ["failed"]


def test_a_second_scheduler_is_refused_and_names_the_first(desk: Desk) -> None:
    """One starter."""
    desk.run("add", "x", "--every", "1h", "--", "true")
    loop = desk.start()
    refused = desk.run("run", code=6)
    assert refused == ""
    assert desk.stop(loop) == 0
