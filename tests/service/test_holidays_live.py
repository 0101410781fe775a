"""A day off with the real scheduler: what is left out reads so, and runs once the date is gone."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from desk import EVIDENCE, wait_for

if TYPE_CHECKING:
    from desk import Desk

DAY = 86_400
#: What a moved slot writes of itself: its time, and the one that it was moved from.
TIMES = 'echo "$FLYTESCHED_SCHEDULED_AT $FLYTESCHED_KICKOFF_AT" >>"$HOME/times"'


def noon() -> tuple[str, datetime]:
    """Return a zone in which it is about noon, so that no day ends meanwhile, and its time."""
    now = datetime.now(UTC)
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+}", now + timedelta(hours=ahead)


def manifest(zone: str, day: datetime, off: str) -> str:
    yesterday = (day - timedelta(days=1)).strftime("%a").lower()
    return f"""
[calendars.company]
dates = {{ "{off}" = "Moving day" }}
[calendars.weekly]
weekdays = ["{yesterday}"]
[schedules.off]
every = "1s"
timezone = "{zone}"
calendars = ["company"]
overlap = "allow"
command = {json.dumps(EVIDENCE)}
[schedules.beside]
every = "1s"
command = {json.dumps(EVIDENCE)}
[schedules.moved]
cron = "* * * * * {yesterday}"
seconds = true
timezone = "{zone}"
calendars = ["weekly"]
on_holiday = "next"
overlap = "allow"
command = {json.dumps(TIMES)}
"""


def entries(desk: Desk, name: str) -> list[dict[str, Any]]:
    """Return what the slots of a schedule read, the oldest first."""
    return desk.json("history", name, "--limit", "10000")["entries"][::-1]


def test_a_day_off_is_skipped_by_name_until_its_date_is_taken_out(desk: Desk) -> None:
    zone, day = noon()
    desk.write(manifest(zone, day, f"{day:%Y-%m-%d}"))
    loop = desk.start()
    wait_for("the schedule beside it", lambda: len(desk.evidence()) >= 3)
    wait_for("skips", lambda: len(entries(desk, "off")) >= 3)
    assert {name for name, _ in desk.evidence()} == {"beside"}
    edited = int(time.time())
    desk.write(manifest(zone, day, "1999-12-31"))
    wait_for("the first run", lambda: "off" in {name for name, _ in desk.evidence()})
    assert desk.stop(loop) == 0

    found = entries(desk, "off")
    slots = [int(datetime.fromisoformat(one["scheduled_at"]).timestamp()) for one in found]
    assert slots == [*range(slots[0], slots[-1] + 1)], "each second has one verdict"
    skipped = [one["status"] == "skipped" for one in found]
    assert skipped == sorted(skipped, reverse=True), "it is off until the edit, and never again"
    assert {one["reason"] for one in found[: skipped.count(True)]} == {"holiday: Moving day"}
    ran = [slot for name, slot in desk.evidence() if name == "off"]
    assert set(ran) <= set(slots[skipped.count(True) :])
    assert ran[0] >= edited
    assert json.loads(desk.run("db", "check", "--json"))["sound"]

    times = [line.split() for line in (desk.home / "times").read_text().splitlines()]
    for slot, kickoff in times:
        moved = datetime.fromisoformat(slot) - datetime.fromisoformat(kickoff)
        assert moved == timedelta(days=1), "it has the time it had before it was moved"
    assert "skipped" not in {one["status"] for one in entries(desk, "moved")}
