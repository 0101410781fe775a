"""No byte that a terminal obeys comes out, whoever wrote it, and wherever it was put."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest
from hostile_machine import EVIL, obeyed, on_a_terminal

from desk import Desk, wait_for
from flytesched.cli.completions import commands

#: What a name of a file may hold: everything but a slash and a NUL, so no link that is clicked.
EVIL_NAME = EVIL.replace("/", "")
#: A shell's command that writes it all, and a byte that is no text.
WRITE_EVIL = "printf '" + "".join(f"\\{byte:03o}" for byte in EVIL.encode()) + "\\377\\n'"


def poisoned() -> str:
    """Return a manifest in which every text is evil."""
    text = json.dumps(EVIL)
    return f"""
[calendars.evil]
dates = ["2020-01-01/2020-12-31", "12-24"]
description = {text}
[channels.file]
kind = "webhook"
url_file = {json.dumps("/" + EVIL_NAME)}
[channels.login]
kind = "mail"
to = ["root"]
user = {text}
password_file = {json.dumps("/" + EVIL_NAME)}
[schedules.holiday]
every = "1h"
command = "true"
calendars = ["evil"]
[schedules.wrote]
notify = ["file", "login"]
every = "1h"
command = {json.dumps(WRITE_EVIL + "; exit 3")}
description = {text}
pause_reason = {text}
labels = {{ k = {text} }}
env = {{ A = {text} }}
on_failure = {json.dumps(WRITE_EVIL + "; exit 1")}
[schedules.argv]
every = "1h"
command = ["printf", {text}]
enabled = false
pause_reason = {text}
kickoff_time_arg = {text}
[schedules.nowhere]
every = "1h"
command = "true"
cwd = {json.dumps("/" + EVIL_NAME)}
[schedules.noprogram]
every = "1h"
command = [{json.dumps("/" + EVIL_NAME)}]
on_failure = [{json.dumps("/" + EVIL_NAME)}]
[schedules.noenv]
every = "1h"
command = "true"
env_file = {json.dumps("/" + EVIL_NAME)}
shell = {json.dumps("/" + EVIL_NAME)}
"""


#: A crontab in which everything is evil that can be.
CRONTAB = "\n".join(
    f"{before}{EVIL}"
    for before in ("# ", "@daily ", "", "MAILTO=", "0 0 * * ", "A=", "@hourly cat%", "CRON_TZ=")
)


#: Every reading command, with its answers as text and as JSON where it has both.
READING = {
    "list": [[], ["-q"], ["--json"], ["-l", f"k={EVIL}"]],
    "show": [["wrote"], ["argv"], ["nowhere"], ["wrote", "--json"], ["argv", "--json"]],
    "revisions": [
        ["wrote"],
        ["wrote", "--json"],
        ["wrote", "--diff", "1"],
        ["argv", "--diff", EVIL],
        [EVIL],
    ],
    "next": [[], ["--json"], ["wrote", "-n", "2"], ["--calendar"], ["--calendar", "month"]],
    "calendars": [[], ["--json"], ["evil"], ["evil", "--json"], [EVIL], ["--from", EVIL]],
    "notify list": [[], ["--json"], [EVIL]],
    "notify test": [[], ["--json"], [EVIL], ["--schedule", EVIL], ["--schedule", "wrote"]],
    "notify history": [[], ["--json"], [EVIL], ["--schedule", EVIL], ["--status", EVIL]],
    "explain": [["wrote"], ["wrote", "--json"], [EVIL], ["--timezone", EVIL, "@daily"]],
    "history": [[], ["--json"], ["--status", "failed"]],
    "stats": [[], ["--json"], ["argv"], [EVIL]],
    "prune": [["--dry-run"], ["--dry-run", "--json"], ["--keep-runs", EVIL]],
    "config": [[], ["--json"], [EVIL]],
    "logs": [["wrote"], ["argv"], ["nowhere"]],
    "ps": [[], ["-q"], ["--json"]],
    "status": [[], ["--json"]],
    "top": [["--once"], ["--json"], [EVIL, "--once"], ["-l", f"k={EVIL}", "--once"]],
    "health": [[], ["--json"], ["--strict"]],
    "metrics": [[]],
    "validate": [[], ["--json"]],
    "catchup": [["--dry-run"], ["--dry-run", "--json"]],
    "backfill": [["wrote", "--from", "3h", "--until", "now", "--dry-run"]],
    "service print": [[], ["--json"]],
    "db check": [[], ["--json"]],
    "doctor": [[], ["--json"]],
    "import crontab": [["tab", "--dry-run"], ["tab", "--dry-run", "--json"], [EVIL_NAME]],
}
#: Commands that do something, or refuse to, told in evil words.
SAYING = [
    ["set", "wrote", "--description", EVIL],
    ["set", "wrote", "--env", f"A={EVIL}"],
    ["set", "wrote", "--every", EVIL],
    ["set", "wrote", "--cron", EVIL],
    ["set", "wrote", "--labels", f"{EVIL}={EVIL}"],
    ["disable", "wrote", "--reason", EVIL],
    ["enable", "wrote"],
    ["add", EVIL, "--every", "1h", "--", "true"],
    ["add", "new", "--every", "1h", "--", EVIL],
    ["remove", "new", "--yes"],
    ["edit", EVIL],
    ["rename", "wrote", EVIL],
    ["rename", EVIL, "new"],
    ["revert", "wrote", "--to", "1", "--dry-run"],
    ["revert", EVIL],
    ["catchup", "--yes"],
    [EVIL],
    ["list", f"--{EVIL}"],
    ["show", EVIL],
    ["logs", EVIL],
    ["cancel", EVIL],
    ["retry", EVIL],
    ["history", EVIL],
    ["history", "--status", EVIL],
    ["history", "--since", EVIL],
    ["next", "--from", EVIL],
    ["run", "--log-format", EVIL],
    ["validate", EVIL_NAME],
    ["list", "--state-dir", EVIL_NAME],
    ["--debug", "show", EVIL],
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Give a desk in a folder with an evil name, with an evil manifest and an evil past."""
    home = tmp_path_factory.mktemp("evil") / EVIL_NAME
    home.mkdir()
    desk = Desk([sys.executable, "-m", "flytesched"], home)
    desk.write(poisoned())
    (home / "tab").write_text(f"{CRONTAB}\n@daily x\n")
    for name in ("wrote", "argv", "nowhere", "noprogram", "noenv"):
        look_at(desk, ["trigger", name])
    return desk


def look_at(desk: Desk, words: list[str], *, terminal: bool = True) -> None:
    """Run a command on pipes, and on a terminal, and look at each byte that comes out."""
    done = subprocess.run(
        [*desk.program, *words], capture_output=True, env=desk.environ, cwd=desk.home,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert obeyed(done.stdout) == [], words
    assert obeyed(done.stderr) == [], words
    if "--json" in words:
        assert done.stdout.isascii()
        json.loads(done.stdout)
    assert b"unexpected" not in done.stderr, words
    if terminal:
        seen = on_a_terminal([*desk.program, *words], desk.environ | {"TERM": "xterm"})
        assert obeyed(seen, terminal=True) == [], words


def test_the_walk_leaves_no_reading_command_out() -> None:
    """Who adds one adds it here."""
    known = {verb.name for verb in commands()}
    reading = {
        verb.name for verb in commands() if any("--json" in option.flags for option in verb.options)
    }

    assert reading <= READING.keys() <= known


@pytest.mark.parametrize("command", READING)
def test_a_reading_command_says_nothing_that_a_terminal_obeys(desk: Desk, command: str) -> None:
    """On stdout and stderr, on a pipe and on a terminal; JSON is ASCII and valid."""
    for words in READING[command]:
        look_at(desk, [*command.split(), *words], terminal="--json" not in words)


@pytest.mark.parametrize("words", SAYING, ids=lambda words: ascii(" ".join(words)[:30]))
def test_what_is_said_of_evil_words_is_harmless(desk: Desk, words: list[str]) -> None:
    """In a refusal and in an answer; markup is text."""
    look_at(desk, words)


def test_markup_is_shown_as_it_was_written(desk: Desk) -> None:
    """Rich would have made it a colour, and taken it away."""
    assert "[red]markup[/red]" in desk.run("show", "argv")
    assert "[red]markup[/red]" in desk.run("logs", "argv")


def test_with_raw_every_byte_comes_out(desk: Desk) -> None:
    """Whoever asks gets what was written."""
    done = subprocess.run(
        [*desk.program, "logs", "wrote", "--raw"], capture_output=True, env=desk.environ,
        cwd=desk.home, check=True,
    )  # fmt: skip

    assert EVIL.encode() + b"\xff\n" in done.stdout


@pytest.mark.parametrize("form", ["plain", "json"])
def test_the_journal_of_a_scheduler_is_harmless(desk: Desk, form: str) -> None:
    """Starts, failures, hooks, faults of the manifest; one line for each."""
    text = desk.manifest.read_text()
    journal = desk.home / f"journal.{form}"
    with journal.open("wb") as file:
        loop = subprocess.Popen(
            [*desk.program, "run", "--log-format", form], stderr=file, env=desk.environ,
            cwd=desk.home,
        )  # fmt: skip
    try:
        wait_for("ready", lambda: b"ready" in journal.read_bytes() or loop.poll())
        for name in ("wrote", "nowhere", "noprogram", "noenv"):
            desk.run("trigger", name, "--detach")
        wait_for("hooks", lambda: journal.read_bytes().count(b"hook failed") >= 2)
        desk.manifest.write_text(
            text + f"[schedules.{json.dumps(EVIL)}]\nevery = {json.dumps(EVIL)}\n"
        )
        wait_for("a fault", lambda: b"not readable" in journal.read_bytes())
        for command in ("list", "status", "health", "validate", "trigger wrote"):
            look_at(desk, command.split())
    finally:
        desk.manifest.write_text(text)
        loop.terminate()
        loop.wait()

    said = journal.read_bytes()
    assert obeyed(said) == []
    assert b"[red]" in said
    if form == "json":
        for line in said.splitlines():
            json.loads(line)


def test_a_poisoned_run_log_is_as_harmless_as_a_poisoned_manifest(desk: Desk) -> None:
    """Whoever may have written it."""
    kept = (desk.home / "state" / "runs.db").read_bytes()
    connection = sqlite3.connect(desk.home / "state" / "runs.db")
    triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("UPDATE runs SET reason = ?", (EVIL,))
    connection.execute("UPDATE schedules SET name = name || ? WHERE name = 'noenv'", (EVIL,))
    connection.execute("UPDATE runs SET schedule = schedule || ? WHERE schedule = 'noenv'", (EVIL,))
    connection.execute("UPDATE notices SET why = ?, schedule = ?, about = about || ?", (EVIL,) * 3)
    connection.execute("UPDATE notices SET channel = ? WHERE channel = 'login'", (EVIL,))
    connection.execute("UPDATE meta SET value = ? WHERE key = 'manifest_error'", (EVIL,))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    try:
        for command, ways in READING.items():
            look_at(desk, [*command.split(), *ways[0]], terminal=False)
    finally:
        (desk.home / "state" / "runs.db").write_bytes(kept)


def test_the_name_of_a_file_that_is_no_text_is_shown_and_stored_all_the_same(desk: Desk) -> None:
    """Linux lets a name be any bytes; JSON and run log are text."""
    name = os.fsdecode(b"m\xff\x9b.toml")
    (desk.home / name).write_text('version = 1\n[schedules.ok]\nevery = "1h"\ncommand = "true"\n')
    where = ["--manifest", name, "--state-dir", os.fsdecode(b"st\xff")]

    for command in ("validate", "list", "trigger ok", "catchup", "status", "status --json"):
        look_at(desk, [*command.split(), *where])
        assert subprocess.run(
            [*desk.program, *command.split(), *where], env=desk.environ, cwd=desk.home,
            capture_output=True,
        ).returncode == 0  # fmt: skip
