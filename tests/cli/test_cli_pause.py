"""pause and resume: what they write, what they say, and what becomes of the slots."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from terminal import environment
from test_cli_running import wait_for

if TYPE_CHECKING:
    from terminal import Terminal

#: A day of the far future, and what the manifest holds for it.
DAY = "2998-01-01"
HELD = datetime.fromisoformat("2998-01-01T00:00:00+01:00")


def _table(terminal: Terminal, name: str) -> dict[str, Any]:
    return tomllib.loads(terminal.manifest.read_text())["schedules"][name]


def test_a_pause_with_an_end_stands_in_the_manifest_with_its_reason(terminal: Terminal) -> None:
    """On the clock of the schedule; old and new are said, and how the next slot moves."""
    said = terminal.ok("pause", "backup", "--until", DAY, "--reason", "moving house").out

    table = _table(terminal, "backup")
    assert (table["paused_until"], table["pause_reason"]) == (HELD, "moving house")
    assert "enabled" not in table
    until, reason, moved = said.splitlines()
    assert until == "backup: paused_until: (none) -> 2998-01-01 00:00:00+01:00"
    assert reason == "backup: pause_reason: (none) -> moving house"
    assert moved.endswith(" -> 2998-01-01 02:00:00+01:00")
    assert terminal.json("show", "backup")["schedule"]["state"] == "paused"


def test_a_pause_may_be_given_by_its_length(terminal: Terminal) -> None:
    """Rounded up to a whole second, so that it is never shorter."""
    before = datetime.now(tz=UTC)
    terminal.ok("pause", "backup", "--for", "1h 30m")
    after = datetime.now(tz=UTC)

    found = _table(terminal, "backup")["paused_until"] - timedelta(minutes=90)
    assert before <= found <= after + timedelta(seconds=1)


def test_a_pause_needs_an_end(terminal: Terminal) -> None:
    """What has none is disabled, and is ended by another word."""
    before = terminal.print()

    for words in (["backup"], ["*", "--reason", "moving house"], ["backup", "--dry-run"]):
        said = terminal.run("pause", *words)
        assert said.code == 2
        assert said.err == (
            "flytesched: say until when: --until or --for\n"
            "hint: to stop it without an end: flytesched disable\n"
        )
    assert terminal.print() == before


def test_disable_makes_a_pause_one_without_an_end(terminal: Terminal) -> None:
    """Its reason takes the place of that of the pause."""
    terminal.ok("pause", "backup", "--until", DAY)
    said = terminal.ok("disable", "backup", "--reason", "for good").out

    assert said.splitlines()[:3] == [
        "backup: paused_until: 2998-01-01 00:00:00+01:00 -> (none)",
        "backup: enabled: true -> false",
        "backup: pause_reason: (none) -> for good",
    ]
    assert terminal.json("show", "backup")["schedule"]["state"] == "disabled"


@pytest.mark.parametrize(
    ("verb", "again"), [("resume", "not paused"), ("enable", "already enabled")]
)
def test_a_pause_can_be_ended_before_its_time(terminal: Terminal, verb: str, again: str) -> None:
    """By either word; nothing of it is left."""
    before = _table(terminal, "backup")
    terminal.ok("pause", "backup", "--until", DAY, "--reason", "moving house")

    said = terminal.ok(verb, "backup")

    assert "backup: pause_reason: moving house -> (none)" in said.out
    assert _table(terminal, "backup") == before
    assert terminal.ok(verb, "backup").out == f"backup: {again}\n"


def test_pausing_and_resuming_everything_leaves_the_manifest_as_it_was(terminal: Terminal) -> None:
    """What was disabled for good is no pause, and keeps its reason."""
    before = terminal.manifest.read_bytes()

    terminal.ok("pause", "*", "--for", "1h")
    said = terminal.ok("resume", "*")

    assert terminal.manifest.read_bytes() == before
    assert said.err == "report: disabled, not paused; see: flytesched enable\n"
    assert "report" not in said.out


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("pause report --for 1h", "report: disabled, and stays so; see: flytesched enable"),
        ("resume report", "report: disabled, not paused; see: flytesched enable"),
    ],
)
def test_what_is_disabled_is_left_alone(
    terminal: Terminal, words: str, says: str, *, dry_run: bool
) -> None:
    """Which is a conflict if nothing else was meant, and none beside what is not."""
    before = terminal.print()
    tried = ["--dry-run"] * dry_run

    said = terminal.run(*words.split(), *tried)

    assert (said.code, said.out) == (4, "")
    assert said.err.splitlines()[0] == says
    assert terminal.print() == before
    assert says in terminal.ok(*words.split(), "backup", *tried).err


def test_what_is_not_paused_is_resumed_without_a_change(terminal: Terminal) -> None:
    """That is no error."""
    before = terminal.print()

    assert terminal.ok("resume", "backup").out == "backup: not paused\n"
    said = terminal.ok("resume", "*")

    assert said.out == "backup: not paused\nbackup-photos: not paused\n"
    assert terminal.print() == before


def test_where_the_next_slot_stays_it_is_not_said(terminal: Terminal) -> None:
    """Neither where there is none, nor where there is the same."""
    terminal.ok("pause", "backup", "--until", DAY)

    assert (
        ": next: " not in terminal.ok("pause", "backup", "--reason", "moving", "--until", DAY).out
    )
    assert ": next: " not in terminal.ok("disable", "report", "--reason", "for good").out


@pytest.mark.parametrize(
    ("options", "until", "slot"),
    [
        ([], "2997-12-31 19:00:00-05:00", "2997-12-31 20:00:00-05:00"),
        (["--utc"], "2998-01-01 00:00:00Z", "2998-01-01 01:00:00Z"),
    ],
    ids=["the schedule's", "UTC"],
)
def test_the_end_of_a_pause_and_the_next_slot_are_on_the_same_clock(
    terminal: Terminal, options: list[str], until: str, slot: str
) -> None:
    """The schedule's own, not that of the machine; or UTC where that is asked for."""
    terminal.ok("add", "tea", "--daily", "20:00", "--timezone", "America/New_York", "--", "true")

    said = terminal.ok("pause", "tea", "--until", "2998-01-01T00:00Z", *options).out

    assert said.splitlines()[0] == f"tea: paused_until: (none) -> {until}"
    assert said.splitlines()[1].endswith(f" -> {slot}")


def test_a_pause_is_repeated_moved_and_keeps_its_reason(terminal: Terminal) -> None:
    """As long as it lasts."""
    terminal.ok("pause", "backup", "--until", DAY, "--reason", "moving house")

    assert terminal.ok("pause", "backup", "--until", DAY).out == "backup: already paused\n"
    moved = terminal.ok("pause", "backup", "--until", "2997-01-01").out.splitlines()
    assert moved[0] == (
        "backup: paused_until: 2998-01-01 00:00:00+01:00 -> 2997-01-01 00:00:00+01:00"
    )
    assert len(moved) == 2
    assert _table(terminal, "backup")["pause_reason"] == "moving house"
    said = terminal.ok("pause", "backup", "--until", "2997-01-01", "--reason", "moved").out
    assert said == "backup: pause_reason: moving house -> moved\n"


def test_a_pause_that_is_over_leaves_its_reason_to_no_other(terminal: Terminal) -> None:
    """Or it would be said of what it is not the reason of."""
    terminal.ok("set", "backup", "--paused-until", "2020-01-01", "--pause-reason", "moving house")

    terminal.ok("pause", "backup", "--until", DAY)

    assert "pause_reason" not in _table(terminal, "backup")


def test_the_end_of_a_pause_enables_nothing_that_was_disabled(terminal: Terminal) -> None:
    """A pattern may well mean some of that kind."""
    said = terminal.ok("pause", "*", "--until", DAY, "--reason", "moving house")

    assert said.err == "report: disabled, and stays so; see: flytesched enable\n"
    assert _table(terminal, "report")["pause_reason"] == "holidays"
    assert {_table(terminal, name).get("paused_until") for name in ("backup", "report")} == {
        HELD, None,
    }  # fmt: skip


def test_schedules_are_paused_by_label(terminal: Terminal) -> None:
    """And resumed."""
    terminal.ok("pause", "-l", "team=ops", "--until", DAY)
    assert [row["state"] for row in terminal.json("list")["schedules"]].count("paused") == 2

    terminal.ok("resume", "-l", "team=ops")
    assert [row["state"] for row in terminal.json("list")["schedules"]].count("paused") == 0


def test_what_is_enabled_in_so_many_words_stays_as_it_is(terminal: Terminal) -> None:
    """There is nothing to end."""
    terminal.write("version = 1\n[schedules.x]\nevery = '5m'\ncommand = 'true'\nenabled = true\n")

    assert terminal.ok("enable", "x").out == "x: already enabled\n"


def test_resume_outdoes_a_pause_of_the_defaults(empty: Terminal) -> None:
    """Once: to take the key out would leave it paused."""
    empty.write(
        f"version = 1\n[defaults]\npaused_until = {DAY}\n"
        "[schedules.x]\nevery = '5m'\ncommand = 'true'\n"
    )

    assert empty.ok("resume", "x").out.startswith("x: paused_until: (none) -> 20")
    assert empty.json("list")["schedules"][0]["state"] == "enabled"
    assert empty.ok("resume", "x").out == "x: not paused\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("pause", "no schedule is named"),
        ("resume", "no schedule is named"),
        ("pause backup --until 2020-01-01", "--until: '2020-01-01' is past: it means 2020-01-01"),
        ("pause backup --until yesterday", "--until: 'yesterday' is past"),
        ("pause backup --until someday", "--until: 'someday' is no time"),
        ("pause backup --until tomorrow --for 2h", "--until and --for both say"),
        ("pause backup --for 0s", "--for: '0s' is no time at all"),
        ("pause backup --for 90", "--for: '90' has no unit"),
        ("pause backup --for -2h", "--for: '-2h' is negative"),
        ("pause backup", "say until when: --until or --for"),
        ("pause backup --for 2h --reason=", "--reason: it is empty"),
        ("disable backup --reason=", "--reason: it is empty"),
    ],
)
def test_a_pause_that_cannot_be_is_refused_in_a_sentence(
    terminal: Terminal, words: str, says: str
) -> None:
    """With what to write instead; nothing is changed."""
    before = terminal.print()

    said = terminal.run(*words.split())

    assert said.code == 2
    sentence, hint = said.err.splitlines()
    assert says in sentence
    assert hint.startswith("hint: ")
    assert terminal.print() == before


def test_a_pause_has_no_end_beyond_what_can_be_written(terminal: Terminal) -> None:
    """It lasts until the year 9999 then."""
    terminal.ok("pause", "backup", "--for", "999999999d")

    assert _table(terminal, "backup")["paused_until"].year == 9999


def test_a_label_that_nobody_has_is_said_with_a_near_one(terminal: Terminal) -> None:
    """Nothing is changed, which is no error."""
    before = terminal.print()

    assert terminal.ok("pause", "-l", "team=opz", "--for", "2h").err == (
        "no schedule has the label 'team=opz'; did you mean 'team=ops'?\n"
    )
    assert terminal.ok("enable", "-l", "x=y").err == "no schedule has the label 'x=y'\n"
    assert terminal.ok("resume", "report", "-l", "tier=1").err == ("no schedule has this label\n")
    assert terminal.ok("disable", "report", "-l", "team=ops", "-l", "tier=1").err == (
        "no schedule has all of these labels\n"
    )
    assert terminal.print() == before


def test_a_running_scheduler_resumes_by_itself_and_makes_nothing_up(terminal: Terminal) -> None:
    """Pause, time passes, and the first slot after it runs; what lay between never was."""
    terminal.write("version = 1\n")
    terminal.ok("add", "tick", "--every", "1s", "--catchup", "all", "--", "true")
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "flytesched", "run"], env=environment(terminal.home),
        cwd=terminal.home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for("a run", lambda: _slots(terminal, "tick"))
        terminal.ok("pause", "tick", "--for", "5s", "--reason", "moving house")
        until = int(_table(terminal, "tick")["paused_until"].timestamp())
        wait_for("the end of the pause", lambda: max(_slots(terminal, "tick")) >= until)
    finally:
        scheduler.terminate()
        scheduler.wait()

    seen = _seen(terminal, "tick")
    slots = sorted(_slots(terminal, "tick"))
    assert seen < until
    assert [slot for slot in slots if seen + 1 < slot < until] == []
    assert min(slot for slot in slots if slot > seen + 1) == until
    entries = terminal.json("history", "tick", "--limit", "1000")["entries"]
    assert {entry["origin"] for entry in entries} == {"schedule"}
    assert terminal.json("show", "tick")["schedule"]["missed"] == 0


def _slots(terminal: Terminal, name: str) -> list[int]:
    """Return the slots of a schedule that have a run, in epoch seconds."""
    with closing(sqlite3.connect(terminal.state / "runs.db")) as connection:
        found = connection.execute("SELECT scheduled_at FROM runs WHERE schedule = ?", (name,))
        return [slot for (slot,) in found]


def _seen(terminal: Terminal, name: str) -> float:
    """Return when a scheduler saw the newest definition of a schedule."""
    with closing(sqlite3.connect(terminal.state / "runs.db")) as connection:
        sql = "SELECT max(seen_at) FROM revisions WHERE name = ?"
        (found,) = connection.execute(sql, (name,)).fetchone()
        return float(found)
