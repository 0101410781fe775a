"""Days off at the command line: what catches up, what reads skipped, and what nobody makes run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flytesched.core.decision import Decision
from flytesched.core.sight import see
from flytesched.manifest import load_manifest
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from terminal import Terminal

#: 2026-01-01T12:00:00Z: nothing was decided since.
NOON = 1_767_268_800
MANIFEST = """version = 1
[calendars.company]
dates = { 2026-01-02 = "Bridge day" }
[schedules.x]
cron = "0 * * * *"
timezone = "UTC"
command = "true"
catchup = "none"
calendars = ["company"]
[schedules.ticks]
every = "1s"
timezone = "UTC"
command = "true"
calendars = ["company"]
"""
OFF = "skipped(holiday: Bridge day)"
WEEK = ("--since", "2026-01-01T00:00:00Z", "--until", "2026-01-04T00:00:00Z")


@pytest.fixture
def site(empty: Terminal) -> Terminal:
    """Give a site whose schedules were last decided at noon before a day off."""
    empty.write(MANIFEST)
    schedules = load_manifest(empty.manifest)
    states = [see(one, None, float(NOON)).state for one in schedules]
    log = SqliteRunLog(empty.state / "runs.db", holder=True)
    log.apply(Decision(schedules=tuple(states), meta={"heartbeat": str(NOON)}))
    log.close()
    return empty


def rows(site: Terminal, *words: str) -> list[dict[str, Any]]:
    return site.json("history", "x", "--limit", "100", *WEEK, *words)["entries"]


def said(site: Terminal, *words: str) -> dict[str, str]:
    """Return what the slots of those days read, by day and hour."""
    return {
        row["scheduled_at"][8:13]: f"{row['status']}({row['reason']})" for row in rows(site, *words)
    }


def test_a_catch_up_runs_none_of_a_day_off_and_says_how_many_that_are(site: Terminal) -> None:
    until = ("--until", "2026-01-03T03:00:00Z")
    looked = site.ok("catchup", "x", *until, "--dry-run")
    assert "24 slots among them left out: on holidays" in looked.err
    (row,) = site.json("catchup", "x", *until, "--dry-run")["schedules"]
    assert (row["count"], row["would_run"], row["left_out"]) == (11 + 3, 14, 24)
    site.ok("catchup", "x", *until, "--limit", "12")
    found = {row["scheduled_at"][8:13]: row["status"] for row in rows(site)}
    ran = [slot for slot, status in found.items() if status == "succeeded"]
    assert sorted(ran) == [*(f"01T{hour}" for hour in range(13, 24)), "03T00"]
    assert said(site, "--status", "skipped") == {f"02T{hour:02}": OFF for hour in range(24)}
    assert {status for slot, status in found.items() if slot > "03T00"} == {"missed"}
    site.ok("db", "check")


def test_counts_of_a_day_off_never_walk_its_slots(site: Terminal) -> None:
    """A second of each is a slot: they are told apart from others, and only read where read."""
    site.ok("catchup", "x", "ticks", "--limit", "0")
    counted = site.json("stats", "x", "ticks")["schedules"]
    assert {row["schedule"]: row["skipped_for"] for row in counted} == {
        "ticks": [{"reason": "holiday", "count": 86_400}],
        "x": [{"reason": "holiday", "count": 24}],
    }
    metrics = site.ok("metrics").out
    assert 'flytesched_skipped_total{schedule="ticks",reason="holiday"} 86400' in metrics
    assert 'flytesched_skipped_total{schedule="x",reason="holiday"} 24' in metrics
    last = site.json("history", "ticks", "--status", "skipped", "--limit", "2")["entries"]
    assert [row["scheduled_at"] for row in last] == ["2026-01-02T23:59:59Z", "2026-01-02T23:59:58Z"]
    site.ok("db", "check")


def test_declining_what_was_missed_leaves_the_day_off_what_it_is(site: Terminal) -> None:
    site.ok("catchup", "x", "--policy", "none", "--yes")
    skipped = said(site, "--status", "skipped")
    assert skipped["01T13"] == "skipped(declined)"
    assert {slot for slot, why in skipped.items() if why == OFF} == {
        f"02T{hour:02}" for hour in range(24)
    }


def test_a_slot_that_is_left_out_runs_for_who_asks_for_it_by_its_time(site: Terminal) -> None:
    """Once it has its verdict, that stands."""
    site.ok("trigger", "x", "--at", "2026-01-02T05:00:00Z")
    site.ok("catchup", "x", "--limit", "0")
    found = {row["scheduled_at"][8:13]: row["status"] for row in rows(site)}
    assert (found["02T05"], found["02T06"]) == ("succeeded", "skipped")
    again = site.run("trigger", "x", "--at", "2026-01-02T06:00:00Z")
    assert again.code == 4
    assert "is on a holiday, and a verdict never changes" in again.err
    site.ok("db", "check")


def test_a_backfill_runs_none_of_a_day_off_and_says_so(site: Terminal) -> None:
    span = ("--from", "2026-01-01T10:00:00Z", "--until", "2026-01-03T00:00:00Z")
    looked = site.json("backfill", "x", *span, "--dry-run")
    assert [slot[8:13] for slot in looked["slots"]] == ["01T10", "01T11", "01T12"]
    assert (looked["left_out"], looked["coming"], looked["decided"]) == (24, 11, 0)
    done = site.ok("backfill", "x", *span)
    assert "24 slots left out: on holidays" in done.err
    assert {row["status"] for row in rows(site)} == {"succeeded"}
    assert len(rows(site)) == 3


def test_a_schedule_without_a_run_log_is_backfilled_beside_its_days_off(empty: Terminal) -> None:
    empty.write(MANIFEST)
    span = ("--from", "2026-01-01T23:00:00Z", "--until", "2026-01-03T01:00:00Z")
    looked = empty.json("backfill", "x", *span, "--dry-run")
    assert [slot[8:13] for slot in looked["slots"]] == ["01T23", "03T00"]
    assert looked["left_out"] == 24
