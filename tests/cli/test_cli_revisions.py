"""revisions and revert: what a schedule said when, and how it says it again."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from test_cli_running import on_a_terminal

if TYPE_CHECKING:
    from terminal import Terminal

ASIA = """\
version = 1
[defaults]
timezone = "Asia/Tokyo"
[schedules.tea]
daily = "17:00"
command = "true"
"""


def seen(terminal: Terminal, *words: str) -> None:
    """Edit, and let it be seen as a scheduler sees it."""
    if words:
        terminal.ok(*words)
    terminal.ok("run", "--once")


@pytest.fixture
def lived(empty: Terminal) -> Terminal:
    """A schedule of three revisions, the second with a variable that is gone again."""
    seen(empty, "add", "backup", "--daily", "02:00", "--timezone", "UTC", "--", "true")
    seen(empty, "set", "backup", "--daily", "03:00", "--timeout", "2h", "--env", "TOKEN=s3cret")
    seen(empty, "set", "backup", "--unset", "env", "--hourly", "5", "--hourly", "35")
    return empty


def table(terminal: Terminal, name: str = "backup") -> dict[str, Any]:
    """Return a table as the manifest has it."""
    found: dict[str, Any] = tomllib.loads(terminal.manifest.read_text())["schedules"][name]
    return found


def test_revisions_say_what_changed_and_when(lived: Terminal) -> None:
    """The newest first; what no scheduler has seen yet stands on top."""
    lived.ok("set", "backup", "--description", "the photos")

    lines = lived.ok("revisions", "backup").out.splitlines()

    assert lines[0].split() == ["REVISION", "SEEN", "CHANGED"]
    assert [line.split()[0] for line in lines[1:]] == ["today", "3", "2", "1"]
    assert lines[1].endswith("description (not seen by a scheduler yet)")
    assert lines[2].endswith("daily, hourly, env")
    assert lines[3].endswith("daily, env, timeout")
    assert lines[4].endswith("first seen")


def test_a_diff_is_in_the_spelling_of_the_manifest(lived: Terminal) -> None:
    """Values of env are not known to anybody."""
    said = lived.ok("revisions", "backup", "--diff", "2").out

    assert said.splitlines()[0].startswith("backup: 1 -> 2 (")
    assert said.splitlines()[1:] == [
        '- daily = "02:00"',
        '+ daily = "03:00"',
        '+ env = { TOKEN = "..." }',
        '+ timeout = "2h"',
    ]
    assert lived.ok("revisions", "backup", "--diff", "1..3").out.splitlines()[1:] == [
        '- daily = "02:00"',
        "+ hourly = [5, 35]",
        '+ timeout = "2h"',
    ]
    assert lived.ok("revisions", "backup", "--diff", "3..").err == "nothing differs\n"
    assert lived.ok("revisions", "backup", "--diff", "1").out.splitlines()[1:] == [
        '+ daily = "02:00"',
        '+ timezone = "UTC"',
        '+ command = "true"',
    ]


def test_a_diff_has_colours_on_a_terminal(lived: Terminal) -> None:
    """Red for what went, green for what came."""
    _, shown = on_a_terminal(lived, "revisions", "backup", "--diff", "2")

    assert '\x1b[31m- daily = "02:00"\x1b[0m' in shown
    assert '\x1b[32m+ daily = "03:00"\x1b[0m' in shown


def test_revisions_in_json_have_the_keys_of_each(lived: Terminal) -> None:
    """Of env the names alone."""
    said = lived.json("revisions", "backup")

    assert (said["schedule"], said["in_manifest"]) == ("backup", True)
    assert [one["revision"] for one in said["revisions"]] == [1, 2, 3]
    assert said["revisions"][1]["keys"] == {
        "daily": "03:00", "timezone": "UTC", "command": "true", "env": ["TOKEN"], "timeout": "2h",
    }  # fmt: skip
    assert said["revisions"][1]["changed"][0] == {
        "key": "daily", "before": "02:00", "after": "03:00",
    }  # fmt: skip

    said = lived.json("revisions", "backup", "--diff", "2..3")
    assert (said["kind"], said["before"], said["after"]) == ("diff", 2, 3)
    assert said["changed"][2] == {"key": "env", "before": ["TOKEN"], "after": None}


def test_nothing_that_is_shown_or_stored_holds_a_value_of_env(lived: Terminal) -> None:
    """Whatever is asked."""
    for words in (["revisions", "backup"], ["revisions", "backup", "--diff", "2"]):
        assert "s3cret" not in lived.ok(*words).out
        assert "s3cret" not in lived.ok(*words, "--json").out
    stored = b"".join(path.read_bytes() for path in lived.state.glob("runs.db*"))
    assert b"s3cret" not in stored


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["backpu"], 3, "did you mean 'backup'?"),
        (["backup", "--diff", "7"], 3, "backup has no revision 7\nhint: there are 1, 2, 3\n"),
        (["backup", "--diff", "one"], 2, "--diff: 'one' is no revision, and no two"),
        (["backup", "--diff", "1..9"], 3, "backup has no revision 9"),
        (["*"], 2, "'*' means 2 schedules"),
    ],
    ids=["a near name", "no such revision", "no number", "no such second", "several"],
)
def test_what_is_asked_wrongly_gets_a_sentence(
    lived: Terminal, words: list[str], code: int, told: str
) -> None:
    """And its exit code."""
    lived.ok("add", "other", "--every", "5m", "--", "true")

    said = lived.run("revisions", *words)

    assert said.code == code
    assert told in said.err


def test_a_schedule_that_nobody_has_seen_has_a_present_and_no_past(empty: Terminal) -> None:
    """There may not even be a run log."""
    empty.ok("add", "x", "--every", "5m", "--", "true")

    assert [v["revision"] for v in empty.json("revisions", "x")["revisions"]] == [None]
    said = empty.run("revert", "x")
    assert (said.code, "x has no earlier definition" in said.err) == (3, True)


def test_a_broken_manifest_leaves_what_is_recorded_and_is_said_where_nothing_is(
    lived: Terminal,
) -> None:
    """Nobody can tell whether it names the schedule."""
    lived.ok("add", "x", "--every", "5m", "--", "true")
    lived.write(lived.manifest.read_text() + "broken\n")

    said = lived.run("revisions", "x")

    assert said.code == 5
    assert "is not TOML" in said.err
    told = lived.json("revisions", "backup")
    assert (len(told["revisions"]), told["in_manifest"]) == (3, None)
    assert "the manifest cannot be read" in (err := lived.ok("revisions", "backup").err)
    assert "revert" not in err


def test_revert_brings_back_the_revision_before(lived: Terminal) -> None:
    """Only keys that differ are touched, so comments and spellings stay."""
    text = lived.manifest.read_text().replace("timeout =", "# not longer\ntimeout =")
    lived.write(text + 'env = { TOKEN = "other", MORE = "yes" }\n')

    said = lived.ok("revert", "backup", "--to", "2")

    assert said.out.splitlines() == [
        "backup: daily: (none) -> 03:00",
        "backup: hourly: 5, 35 -> (none)",
    ]
    assert table(lived)["env"] == {"TOKEN": "other", "MORE": "yes"}
    assert table(lived)["daily"] == "03:00"
    assert "# not longer\n" in lived.manifest.read_text()
    seen(lived)
    assert lived.json("revisions", "backup")["revisions"][-1]["revision"] == 4


def test_an_edit_that_nobody_has_seen_yet_is_undone(lived: Terminal) -> None:
    """The one before the present one is what the run log has last."""
    lived.ok("set", "backup", "--timeout", "9h")

    said = lived.ok("revert", "backup")

    assert said.out == "backup: timeout: 9h -> 2h\n"
    assert "revision 3 is in the manifest again" in said.err
    again = lived.ok("revert", "backup", "--to", "3")
    assert "says what the manifest says: nothing to change" in again.err


def test_revert_tells_of_enabled_what_counts(lived: Terminal) -> None:
    """As enable and set tell it."""
    seen(lived, "disable", "backup")

    assert lived.ok("revert", "backup").out == "backup: enabled: false -> true\n"


def test_a_dry_run_changes_nothing(lived: Terminal) -> None:
    """And shows the same."""
    before = lived.print()

    said = lived.ok("revert", "backup", "--to", "1", "--dry-run")

    assert "backup: daily: (none) -> 02:00" in said.out
    assert "backup: timeout: 2h -> (none)" in said.out
    assert lived.print() == before


def test_on_a_terminal_revert_asks(lived: Terminal) -> None:
    """And does nothing without consent."""
    before = lived.manifest.read_bytes()

    code, shown = on_a_terminal(lived, "revert", "backup", "--to", "1", answer=b"n\n")

    assert code == 1
    assert "Bring revision 1 of backup back?" in shown
    assert lived.manifest.read_bytes() == before


def test_a_variable_without_a_value_is_left_out_with_consent_alone(lived: Terminal) -> None:
    """None is ever invented."""
    before = lived.manifest.read_bytes()

    refused = lived.run("revert", "backup")

    assert refused.code == 2
    assert "these have none today: TOKEN" in refused.err
    assert lived.manifest.read_bytes() == before
    lived.ok("revert", "backup", "--yes")
    assert table(lived) == {
        "daily": "03:00", "timezone": "UTC", "command": "true", "timeout": "2h",
    }  # fmt: skip


def test_a_removed_schedule_comes_back(lived: Terminal) -> None:
    """With its last definition, or an earlier one."""
    was = table(lived)
    seen(lived, "remove", "backup")
    said = lived.ok("revisions", "backup")
    assert "backup is not in the manifest; bring it back with: flytesched revert" in said.err

    lived.ok("revert", "backup")

    assert table(lived) == was
    lived.ok("remove", "backup")
    lived.ok("revert", "backup", "--to", "1")
    assert table(lived) == {"daily": "02:00", "timezone": "UTC", "command": "true"}


def test_what_defaults_say_since_then_is_said_otherwise(lived: Terminal) -> None:
    """So that the schedule says what it said."""
    lived.write(lived.manifest.read_text() + '[defaults]\ncatchup = "all"\noverlap = "queue"\n')

    lived.ok("revert", "backup", "--to", "3")

    assert table(lived)["catchup"] == "latest"
    assert table(lived)["overlap"] == "skip"


def test_what_cannot_be_said_otherwise_is_refused(lived: Terminal) -> None:
    """A key without a default cannot be taken back in one schedule."""
    lived.write(lived.manifest.read_text() + '[defaults]\ntimeout = "1h"\n')
    before = lived.print()

    said = lived.run("revert", "backup", "--to", "1")

    assert said.code == 4
    assert "[defaults] say timeout for backup today, and that revision had none" in said.err
    assert lived.print() == before


def test_a_zone_from_the_defaults_is_written_down(empty: Terminal) -> None:
    """What comes back is what it said, whatever is default then."""
    empty.write(ASIA)
    seen(empty)
    seen(empty, "set", "tea", "--daily", "18:00")
    empty.write(ASIA.replace("Tokyo", "Kathmandu"))

    empty.ok("revert", "tea", "--to", "1")

    assert table(empty, "tea") == {"daily": "17:00", "timezone": "Asia/Tokyo", "command": "true"}


def test_what_would_never_fire_is_not_brought_back(empty: Terminal) -> None:
    """Its time has passed."""
    empty.write('version = 1\n[schedules.x]\nat = "2020-01-01T00:00:00Z"\ncommand = "true"\n')
    seen(empty)
    seen(empty, "set", "x", "--every", "5m")

    said = empty.run("revert", "x")

    assert said.code == 5
    assert "at: has no slot to come: it would never fire" in said.err


def test_a_revision_that_nobody_can_read_is_said_and_stays(lived: Terminal) -> None:
    """A newer version wrote it, perhaps."""
    import sqlite3

    with sqlite3.connect(lived.state / "runs.db") as db:
        db.execute("UPDATE revisions SET definition = '{}' WHERE revision = 2")
    db.close()

    assert "(cannot be read)" in lived.ok("revisions", "backup").out
    for words in (["revisions", "backup", "--diff", "2"], ["revert", "backup", "--to", "2"]):
        said = lived.run(*words)
        assert said.code == 5
        assert "revision 2 of backup cannot be read" in said.err
