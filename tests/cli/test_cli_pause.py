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


def test_a_pause_without_an_end_lasts_until_it_is_ended(terminal: Terminal) -> None:
    """It is what disable does."""
    terminal.ok("pause", "backup", "--until", DAY)
    said = terminal.ok("pause", "backup", "--reason", "for good").out

    assert said.splitlines()[:3] == [
        "backup: paused_until: 2998-01-01 00:00:00+01:00 -> (none)",
        "backup: enabled: true -> false",
        "backup: pause_reason: (none) -> for good",
    ]
    assert terminal.json("show", "backup")["schedule"]["state"] == "disabled"


@pytest.mark.parametrize("verb", ["resume", "enable"])
@pytest.mark.parametrize("how", [["--until", DAY], []], ids=["with an end", "without an end"])
def test_a_pause_can_be_ended_before_its_time(
    terminal: Terminal, verb: str, how: list[str]
) -> None:
    """Of either kind, by either word; nothing of it is left."""
    before = _table(terminal, "backup")
    terminal.ok("pause", "backup", *how, "--reason", "moving house")

    said = terminal.ok(verb, "backup")

    assert "backup: pause_reason: moving house -> (none)" in said.out
    assert _table(terminal, "backup") == before
    assert terminal.ok(verb, "backup").out == "backup: already enabled\n"


def test_a_pause_is_repeated_moved_and_keeps_its_reason(terminal: Terminal) -> None:
    """As long as it lasts."""
    terminal.ok("pause", "backup", "--until", DAY, "--reason", "moving house")

    assert terminal.ok("pause", "backup", "--until", DAY).out == "backup: already paused\n"
    terminal.ok("pause", "backup", "--until", "2997-01-01")
    assert _table(terminal, "backup")["pause_reason"] == "moving house"


def test_a_pause_that_is_over_leaves_its_reason_to_no_other(terminal: Terminal) -> None:
    """Or it would be said of what it is not the reason of."""
    terminal.ok("set", "backup", "--paused-until", "2020-01-01", "--pause-reason", "moving house")

    terminal.ok("pause", "backup", "--until", DAY)

    assert "pause_reason" not in _table(terminal, "backup")


def test_the_end_of_a_pause_enables_nothing_that_was_disabled(terminal: Terminal) -> None:
    """A pattern may well mean some of that kind."""
    said = terminal.ok("pause", "*", "--until", DAY, "--reason", "moving house")

    assert said.out.endswith("report: already disabled\n")
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

    assert terminal.ok("resume", "x").out == "x: already enabled\n"


def test_resume_outdoes_a_pause_of_the_defaults(empty: Terminal) -> None:
    """Once: to take the key out would leave it paused."""
    empty.write(
        f"version = 1\n[defaults]\npaused_until = {DAY}\n"
        "[schedules.x]\nevery = '5m'\ncommand = 'true'\n"
    )

    assert empty.ok("resume", "x").out.startswith("x: paused_until: (none) -> 20")
    assert empty.json("list")["schedules"][0]["state"] == "enabled"
    assert empty.ok("resume", "x").out == "x: already enabled\n"


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
        ("pause backup --reason=", "--reason: it is empty"),
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

    assert terminal.ok("pause", "-l", "team=opz").err == (
        "no schedule has the label 'team=opz'; did you mean 'team=ops'?\n"
    )
    assert terminal.ok("enable", "-l", "x=y").err == "no schedule has the label 'x=y'\n"
    assert terminal.ok("resume", "report", "-l", "tier=1").err == ("no schedule has this label\n")
    assert terminal.ok("pause", "report", "-l", "team=ops", "-l", "tier=1").err == (
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
