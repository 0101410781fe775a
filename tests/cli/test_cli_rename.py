"""rename: another name, the same history, and nothing left behind without a word."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from test_cli_running import on_a_terminal, start, wait_for

if TYPE_CHECKING:
    from terminal import Terminal


def change(terminal: Terminal, sql: str) -> None:
    """Let something have happened in the past."""
    with closing(sqlite3.connect(terminal.state / "runs.db")) as db, db:
        db.execute(sql)


def seen(terminal: Terminal) -> None:
    """Let a scheduler see the manifest."""
    terminal.run("run", "--once")


def test_only_the_name_changes_in_the_manifest(terminal: Terminal) -> None:
    """Old and new are said."""
    before = terminal.manifest.read_text()

    said = terminal.ok("rename", "backup", "photos")

    assert said.out == "backup: name: backup -> photos\n"
    after = before.replace("[schedules.backup]", "[schedules.photos]")
    assert terminal.manifest.read_text() == after


@pytest.mark.parametrize("scheduler", [False, True])
def test_history_follows_with_the_ids_it_had(terminal: Terminal, *, scheduler: bool) -> None:
    """At once, and after a scheduler has seen it."""
    was = terminal.json("history", "report")["entries"]
    output = terminal.ok("logs", "backup").out
    terminal.ok("rename", "backup", "photos")
    terminal.ok("rename", "report", "tidings")
    if scheduler:
        seen(terminal)

    assert terminal.json("history", "tidings")["entries"] == was
    assert terminal.json("history", "report")["entries"] == was
    assert terminal.ok("logs", "photos").out == output
    assert terminal.json("show", "tidings")["schedule"]["last"]["id"] == was[0]["id"]
    assert terminal.json("list", "tidings")["schedules"][0]["last"]["id"] == was[0]["id"]


def test_history_follows_through_several_names_and_an_old_one_is_free(terminal: Terminal) -> None:
    """What another schedule does under it later is another's."""
    (was,) = terminal.json("history", "report")["entries"]
    for old, new in [("report", "two"), ("two", "three")]:
        terminal.ok("rename", old, new)
        seen(terminal)
    terminal.ok("add", "report", "--every", "1h", "--", "true")
    seen(terminal)
    terminal.ok("trigger", "report")
    terminal.run("trigger", "three")

    said = terminal.json("history", "three")["entries"]
    assert [entry["schedule"] for entry in said] == ["three", "report"]
    assert said[1] == was
    (own,) = terminal.json("history", "report")["entries"]
    assert own["status"] == "succeeded"
    listed = {one["name"]: one["last"] for one in terminal.json("list")["schedules"]}
    assert listed["report"]["id"] == own["id"]
    assert listed["three"]["id"] == said[0]["id"]


def test_a_run_of_the_old_name_is_repeated_under_the_new_one(terminal: Terminal) -> None:
    """With the definition that it has now."""
    (was,) = terminal.json("history", "report")["entries"]
    terminal.ok("rename", "report", "tidings")
    terminal.ok("set", "tidings", "--", "exit 0")

    said = terminal.process("retry", was["id"])

    assert said.code == 0, said
    newest = terminal.json("history", "tidings")["entries"][0]
    assert (newest["schedule"], newest["retry_of"]) == ("tidings", was["id"])


def test_a_slot_that_was_decided_under_the_old_name_is_not_run_under_the_new_one(
    terminal: Terminal,
) -> None:
    """By backfill it is left and counted; by trigger it is refused; so is what was given up."""
    day = "2025-01-01T0{}:00:00Z"
    terminal.run("backfill", "backup-photos", "--from", day.format(0), "--until", day.format(2))
    terminal.ok("rename", "backup-photos", "photos")
    seen(terminal)

    stretch = ("photos", "--from", day.format(0), "--until", day.format(3))
    plan = terminal.json("backfill", *stretch, "--dry-run")
    refused = terminal.run("trigger", "photos", "--at", day.format(1))

    assert (plan["decided"], plan["slots"]) == (2, [day.format(2)])
    assert refused.code == 4
    assert "the slot has a run already: sched-backup-photos-" in refused.err


def test_a_slot_that_was_given_up_under_the_old_name_stays_so(terminal: Terminal) -> None:
    """A verdict never changes."""
    seen(terminal)
    change(terminal, "UPDATE schedules SET cursor = cursor - 7200 WHERE name = 'backup-photos'")
    terminal.ok("set", "backup-photos", "--catchup", "none")
    seen(terminal)
    (slot, _) = terminal.json("history", "backup-photos", "--status", "skipped")["entries"]
    terminal.ok("rename", "backup-photos", "photos")
    seen(terminal)

    refused = terminal.run("trigger", "photos", "--at", slot["scheduled_at"])

    assert refused.code == 4
    assert "was given up, and a verdict never changes" in refused.err


def test_revisions_follow_and_revert_brings_them_back(terminal: Terminal) -> None:
    """Under the new name."""
    seen(terminal)
    terminal.ok("set", "report", "--daily", "10:00")
    seen(terminal)
    terminal.ok("rename", "report", "tidings")
    seen(terminal)

    said = terminal.json("revisions", "tidings")["revisions"]
    assert [one["revision"] for one in said] == [1, 2]
    assert terminal.ok("revert", "tidings").out == "tidings: daily: 10:00 -> 09:00\n"


def test_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    """Neither in the manifest nor in the run log."""
    before = terminal.print()

    said = terminal.ok("rename", "backup", "photos", "--dry-run")

    assert said.out == "backup: name: backup -> photos\n"
    assert "this was a dry run" in said.err
    assert terminal.print() == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["backup", "report"], 4, "there is a schedule 'report' already"),
        (["backpu", "x"], 3, "did you mean 'backup'?"),
        (["backup", "no good"], 5, "'no good' is not a name for a schedule"),
        (["backup", "backup"], 4, "backup has this name already\nhint: choose another name\n"),
        (["backup"], 2, "missing argument 'NEW'"),
    ],
    ids=["taken", "unknown", "bad", "the same", "none"],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_is_refused(
    terminal: Terminal, words: list[str], code: int, told: str, *, dry_run: bool
) -> None:
    """With a sentence and its exit code, and nothing on disk changes."""
    before = terminal.print()

    said = terminal.run("rename", *words, *["--dry-run"] * dry_run)

    assert said.code == code, said
    assert told in said.err
    assert terminal.print() == before


def test_missed_slots_are_not_given_up_without_a_word(terminal: Terminal) -> None:
    """They cannot follow: their ids have the old name."""
    seen(terminal)
    change(terminal, "UPDATE schedules SET cursor = cursor - 36000 WHERE name = 'backup-photos'")
    terminal.ok("set", "backup-photos", "--catchup-limit", "0")
    seen(terminal)
    count = terminal.json("list", "backup-photos")["schedules"][0]["missed"]
    assert count == 10
    before = terminal.manifest.read_bytes()

    refused = terminal.run("rename", "backup-photos", "photos")

    assert refused.code == 4
    assert "10 missed slots would be skipped(removed)" in refused.err
    assert "run it with: flytesched catchup backup-photos, or pass --yes" in refused.err
    assert terminal.manifest.read_bytes() == before

    code, shown = on_a_terminal(terminal, "rename", "backup-photos", "photos", answer=b"n\n")
    assert code == 1
    assert "Rename backup-photos to photos all the same?" in shown
    assert terminal.manifest.read_bytes() == before

    terminal.ok("rename", "backup-photos", "photos", "--yes")
    seen(terminal)
    entries = terminal.json("history", "photos", "--status", "skipped")["entries"]
    assert [entry["reason"] for entry in entries] == ["removed"] * 10


def test_an_active_run_is_not_left_alone_without_a_word(terminal: Terminal) -> None:
    """It goes on to its end under its own name."""
    terminal.ok("add", "slow", "--every", "1h", "--", "while ! [ -e go ]; do sleep 0.05; done")
    terminal.ok("set", "slow", "--cwd", str(terminal.home))
    trigger = start(terminal, "trigger", "slow")
    wait_for("start", lambda: [r for r in terminal.json("ps")["runs"] if r["status"] == "running"])

    refused = terminal.run("rename", "slow", "quick")
    terminal.ok("rename", "slow", "quick", "--yes")
    (terminal.home / "go").touch()
    trigger.communicate()

    assert refused.code == 4
    assert "no slot of quick waits for it: manual-slow-" in refused.err
    assert "wait for it, or cancel it" in refused.err
    assert [e["status"] for e in terminal.json("history", "quick")["entries"]] == ["succeeded"]


def test_a_run_that_waits_is_not_cancelled_without_a_word(terminal: Terminal) -> None:
    """Its schedule is gone for whoever would start it."""
    seen(terminal)
    change(
        terminal,
        "INSERT INTO runs (asked, schedule, at, origin, status, not_before, attempt, reruns,"
        " created, revision, parallel) VALUES ('manual-backup-1', 'backup', 1.0, 'manual',"
        " 'queued', 0.0, 0, 0, 1.0, 1, 0)",
    )

    refused = terminal.run("rename", "backup", "photos")
    tried = terminal.ok("rename", "backup", "photos", "--dry-run")
    terminal.ok("rename", "backup", "photos", "--yes")
    seen(terminal)

    assert refused.code == 4
    for said in (refused, tried):
        assert "waits, and would be cancelled(removed): manual-backup-1" in said.err
    newest = terminal.json("history", "photos", "--status", "cancelled")["entries"]
    assert [entry["reason"] for entry in newest] == ["removed"]


def test_history_follows_what_a_manifest_says_already(terminal: Terminal) -> None:
    """Somebody else renamed it, and git brought it here."""
    (was,) = terminal.json("history", "report")["entries"]
    seen(terminal)
    text = terminal.manifest.read_text().replace("schedules.report]", "schedules.tidings]")
    terminal.write(text)
    seen(terminal)
    assert terminal.json("history", "tidings")["entries"] == []

    said = terminal.ok("rename", "report", "tidings")

    assert "the manifest says so already; history follows" in said.err
    assert terminal.manifest.read_text() == text
    assert terminal.json("history", "tidings")["entries"] == [was]
    again = terminal.run("rename", "report", "tidings")
    assert (again.code, "was renamed to tidings already" in again.err) == (4, True)


def test_history_follows_to_and_fro_with_a_manifest_under_git(terminal: Terminal) -> None:
    """Each checkout is a change that history may follow, once."""
    (was,) = terminal.json("history", "report")["entries"]
    seen(terminal)
    one = terminal.manifest.read_text()
    two = one.replace("schedules.report]", "schedules.tidings]")
    for text, old, new in [(two, "report", "tidings"), (one, "tidings", "report")] * 2:
        terminal.write(text)
        seen(terminal)
        terminal.ok("rename", old, new)
        assert terminal.run("rename", old, new).code == 4
        assert terminal.json("history", new)["entries"] == [was]


def test_a_name_is_free_once_a_scheduler_has_seen_it_go(terminal: Terminal) -> None:
    """Until then what was decided under it could be taken for another's."""
    seen(terminal)
    terminal.ok("rename", "report", "tidings")

    refused = terminal.run("rename", "backup", "report")
    assert refused.code == 4
    assert "report was renamed to tidings, and no scheduler has seen that yet" in refused.err
    terminal.ok("rename", "tidings", "report")
    terminal.ok("rename", "report", "tidings")
    seen(terminal)
    terminal.ok("rename", "backup", "report")


def test_a_rename_that_fails_is_not_noted(terminal: Terminal) -> None:
    """Neither history nor a scheduler goes by it."""
    (terminal.home / ".schedules.toml.new" / "in the way").mkdir(parents=True)
    before = terminal.manifest.read_bytes()

    said = terminal.run("rename", "report", "tidings")

    assert said.code == 1
    assert "cannot be written" in said.err
    assert terminal.manifest.read_bytes() == before
    with closing(sqlite3.connect(terminal.state / "runs.db")) as db:
        assert db.execute("SELECT * FROM renames").fetchall() == []


def test_a_run_log_that_cannot_be_written_refuses(terminal: Terminal) -> None:
    """And the manifest stays as it is: history would not follow."""
    before = terminal.manifest.read_bytes()
    change(terminal, "PRAGMA user_version = 9999")

    said = terminal.run("rename", "report", "tidings")

    assert said.code == 1
    assert "was written by a newer flytesched" in said.err
    assert terminal.manifest.read_bytes() == before


def test_without_any_history_the_manifest_alone_is_edited(empty: Terminal) -> None:
    """No run log is made for it."""
    empty.ok("add", "a", "--every", "5m", "--", "true")

    empty.ok("rename", "a", "b")

    assert not (empty.state / "runs.db").exists()
    assert empty.ok("list", "-q").out == "b\n"
