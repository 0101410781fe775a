"""pause and resume: what they write, what they say, and what becomes of the slots."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

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
