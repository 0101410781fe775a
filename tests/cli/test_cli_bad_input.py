"""Bad input: one clear sentence on stderr, the documented exit code, nothing changed on disk."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from terminal import Said, Terminal


class Bad(NamedTuple):
    """One thing that a user may get wrong."""

    words: str
    code: int
    says: str


ADD = "add new"
#: Words are separated by spaces; ~ stands for a space inside a word.
WORDS = [
    # Usage.
    Bad("", 2, "Usage"),
    Bad("lst", 2, "did you mean 'list'?"),
    Bad("frobnicate", 2, "there is no command 'frobnicate'"),
    Bad("list --bogus", 2, "--bogus"),
    Bad("list --manifest", 2, "--manifest"),
    Bad("list --manifest=", 2, "--manifest"),
    Bad("--manifest= remove --all --yes", 2, "--manifest"),
    Bad("list --state-dir=", 2, "--state-dir"),
    Bad("list --sort nxt", 2, "'nxt' is not one of"),
    Bad("add", 2, "NAME"),
    Bad("add new --every 5m --json -- true", 2, "--json"),
    Bad("--json add new --every 5m -- true", 2, "add has no --json"),
    Bad("add new --every 5m", 2, "there is no command"),
    Bad("add new --every 5m echo hi", 2, "behind --"),
    Bad("add new --every 5m rsync -a b", 2, "put -- in front of the command"),
    Bad("add new --every 5m rsync --time b", 2, "put -- in front of the command"),
    Bad("set backup rsync -avz", 2, "put -- in front of the command"),
    Bad("set backup --timout 3", 2, "no such option: --timout\nhint: did you mean '--timeout'?\n"),
    Bad("add new --evry=5m", 2, "no such option: --evry\nhint: did you mean '--every'?\n"),
    Bad("pause backup --fro 2h", 2, "no such option: --fro\nhint: did you mean '--for'?\n"),
    Bad("set backup -x", 2, "no such option: -x\nhint: see flytesched set --help\n"),
    Bad("set backup --timeout", 2, "hint: see flytesched set --help\n"),
    Bad("add new --every 5m --", 2, "nothing behind --"),
    Bad("add --every 5m -- true", 2, "the name is missing"),
    Bad("show", 2, "NAME"),
    Bad("show backup*", 2, "'backup*' means 2 schedules"),
    Bad("remove", 2, "name schedules, or pass --all"),
    Bad("remove --all", 2, "--yes"),
    Bad("remove --all backup", 2, "--all takes no names"),
    Bad("enable", 2, "no schedule is named"),
    Bad("set backup", 2, "nothing to set"),
    Bad("set backup --unset tiemout", 2, "did you mean 'timeout'?"),
    Bad("next -n 0", 2, "--count"),
    Bad("next -n many", 2, "--count"),
    Bad("next --from tomorrow --until today", 2, "--until is not after --from"),
    Bad("next --until someday", 2, "--until: 'someday' is no time"),
    Bad("history --since 2026-13-01", 2, "--since: '2026-13-01' is no time"),
    Bad("history --since 5", 2, "--since: '5' is no time"),
    Bad("history --since 25:00", 2, "--since: '25:00' is no time"),
    Bad("history --status faild", 2, "did you mean 'failed'?"),
    Bad("history --limit -1", 2, "--limit"),
    Bad("history --stripe", 2, "--stripe"),
    Bad("stats --since 5", 2, "--since: '5' is no time"),
    Bad("stats --until someday", 2, "--until: 'someday' is no time"),
    Bad("stats -l team", 2, "'team' is not KEY=VALUE"),
    Bad("prune --keep-runs 5", 2, "--keep-runs: '5' has no unit"),
    Bad("prune --keep-logs=-1d", 2, "--keep-logs: '-1d' is negative"),
    Bad("list -l team", 2, "'team' is not KEY=VALUE"),
    Bad("catchup --policy some", 2, "some"),
    Bad("catchup --limit x", 2, "--limit"),
    Bad("backfill backup --from yesterday", 2, "--until"),
    Bad("backfill backup --from today --until yesterday", 2, "--from is not before"),
    Bad("logs backup --attempt 0", 2, "--attempt"),
    Bad("run --on-stop maybe", 2, "maybe"),
    Bad("run --log-format xml", 2, "xml"),
    Bad("db chek", 2, "did you mean 'check'?"),
    Bad("db", 2, "Usage"),
    Bad("db check --deep", 2, "--deep"),
    Bad("doctr", 2, "did you mean 'doctor'?"),
    Bad("trigger backup --at yesterday~02:01", 2, "is no slot of backup"),
    Bad("trigger backup --at 2999-01-01", 2, "has not come yet"),
    # Names.
    Bad("show bakcup", 3, "did you mean 'backup'?"),
    Bad("show ../x", 3, "no schedule is named '../x'"),
    Bad("next nope", 3, "no schedule is named 'nope'"),
    Bad("list nope-*", 3, "no schedule matches 'nope-*'"),
    Bad("list [", 3, "no schedule matches '['"),
    Bad("enable nope", 3, "nope"),
    Bad("disable backup nope", 3, "nope"),
    Bad("remove nope --yes", 3, "nope"),
    Bad("remove ../../etc/passwd --yes", 3, "no schedule is named"),
    Bad("set nope --timeout 1h", 3, "nope"),
    Bad("set backup --unset timeout", 3, "has no key 'timeout' of its own"),
    Bad("trigger nope", 3, "nope"),
    Bad("catchup nope", 3, "nope"),
    Bad("backfill nope --from yesterday --until today", 3, "nope"),
    Bad("history nope", 3, "nope"),
    Bad("history manual-", 3, "is the beginning of several run ids"),
    Bad("stats nope", 3, "no schedule is named 'nope'"),
    Bad("ps nope", 3, "nope"),
    Bad("logs nope", 3, "no schedule and no run is named 'nope'"),
    Bad("logs backup --attempt 9", 3, "no attempt 9"),
    Bad("logs backup-photos", 3, "has not run yet"),
    Bad("cancel sched-nope-1", 3, "no run is named 'sched-nope-1'"),
    Bad("retry ../x", 3, "no run is named '../x'"),
    # Collisions.
    Bad("add backup --every 5m -- true", 4, "there is a schedule 'backup' already"),
    Bad("cancel manual-backup-", 4, "has ended: succeeded"),
    # Definitions.
    Bad(f"{ADD} -- true", 5, "write exactly one of cron"),
    Bad(f"{ADD} --every 5m --daily 02:00 -- true", 5, "has both every and daily"),
    Bad("add ../x --every 5m -- true", 5, "is not a name for a schedule"),
    Bad("add .hidden --every 5m -- true", 5, "is not a name for a schedule"),
    Bad(f"{ADD} --cron 0~25~*~*~* -- true", 5, "25 is not one of 0 to 23"),
    Bad(f"{ADD} --cron 0~2~*~* -- true", 5, "cron"),
    Bad(f"{ADD} --cron */5~0~2~*~*~* -- true", 5, "cron"),
    Bad(f"{ADD} --cron 0~22-2~*~*~* -- true", 5, "22-2"),
    Bad(f"{ADD} --cron 0~0~31~2~* -- true", 5, "cron"),
    Bad(f"{ADD} --cron @sometimes -- true", 5, "@sometimes"),
    Bad(f"{ADD} --aws-cron 0~10~*~*~*~* -- true", 5, "aws_cron"),
    Bad(f"{ADD} --aws-cron rate(0~minutes) -- true", 5, "aws_cron"),
    Bad(f"{ADD} --every 5 -- true", 5, "has no unit"),
    Bad(f"{ADD} --every 0s -- true", 5, "every"),
    Bad(f"{ADD} --every 500ms -- true", 5, "every"),
    Bad(f"{ADD} --every -5m -- true", 5, "every"),
    Bad(f"{ADD} --daily 24:30 -- true", 5, "daily"),
    Bad(f"{ADD} --hourly 60 -- true", 5, "hourly"),
    Bad(f"{ADD} --at 2020-01-01 -- true", 5, "at: has passed"),
    Bad(f"{ADD} --at soon -- true", 5, "at"),
    Bad(f"{ADD} --daily 02:00 --timezone Mars/Olympus -- true", 5, "unknown time zone"),
    Bad(f"{ADD} --daily 02:00 --timezone ../../etc/passwd -- true", 5, "unknown time zone"),
    Bad(f"{ADD} --daily 02:00 --anchor 2026-01-01 -- true", 5, "anchor"),
    Bad(f"{ADD} --every 5m --offset 5s -- true", 5, "offset"),
    Bad(f"{ADD} --every 5m --timeout 2x -- true", 5, "timeout"),
    Bad(f"{ADD} --every 5m --overlap maybe -- true", 5, "write one of skip, queue"),
    Bad(f"{ADD} --every 5m --catchup some -- true", 5, "write one of all, latest"),
    Bad(f"{ADD} --every 5m --queue-limit 0 -- true", 5, "queue_limit"),
    Bad(f"{ADD} --every 5m --survive perhaps -- true", 5, "survive"),
    Bad(f"{ADD} --every 5m --success-exit-codes 0,300 -- true", 5, "300 is not an exit code"),
    Bad(f"{ADD} --every 5m --success-exit-codes ok -- true", 5, "'ok' is not an exit code"),
    Bad(f"{ADD} --every 5m --labels team -- true", 5, "is not KEY=VALUE"),
    Bad(f"{ADD} --every 5m --env 1A=x -- true", 5, "'1A' is not a name of env"),
    Bad(f"{ADD} --every 5m --retry max_attempts=0 -- true", 5, "retry"),
    Bad(f"{ADD} --every 5m --retry tries=3 -- true", 5, "has no key 'tries'"),
    Bad("set backup --cron 0~99~*~*~*", 5, "99 is not one of 0 to 23"),
    Bad("set backup --unset command", 5, "has no command"),
    Bad("validate nowhere.toml", 5, "nowhere.toml: there is no manifest here"),
    Bad("validate .", 5, "is a directory"),
    Bad("list --manifest nowhere.toml", 5, "there is no manifest here"),
    Bad("set backup --timeout 1h --manifest nowhere.toml", 5, "there is no manifest here"),
    # What needs a scheduler.
    Bad("trigger backup --detach", 8, "no scheduler runs"),
]  # fmt: skip


@pytest.mark.parametrize("bad", WORDS, ids=lambda bad: bad.words or "nothing")
def test_a_wrong_command_line_is_refused_in_one_sentence(terminal: Terminal, bad: Bad) -> None:
    """It says what is wrong, exits as documented, and leaves everything as it was."""
    before = terminal.print()

    said = terminal.run(*(word.replace("~", " ") for word in bad.words.split()))

    _refused(said, bad.code, bad.says)
    assert terminal.print() == before


MANIFESTS = {
    "broken TOML": ("version = 1\n[schedules.x\n", "schedules.toml:2: is not TOML"),
    "an unknown key": (
        'version = 1\n[schedules.x]\nevery = "5m"\ncommand = "true"\ntimout = "1h"\n',
        "schedules.toml:5: x.timout: is not a key of a schedule; did you mean 'timeout'?",
    ),
    "no version": ('[schedules.x]\nevery = "5m"\ncommand = "true"\n', "version: is missing"),
    "a version to come": ("version = 99\n", "version: is 99"),
    "both timetables": (
        'version = 1\n[schedules.x]\nevery = "5m"\ndaily = "02:00"\ncommand = "true"\n',
        "x: has both every and daily",
    ),
    "no command": ('version = 1\n[schedules.x]\nevery = "5m"\n', "x: has no command"),
    "an unknown setting": (
        'version = 1\n[settings]\nmissed = "1s"\n',
        "schedules.toml:3: settings.missed: ",
    ),
    "a NUL": ("version = 1\n\0\n", "holds a NUL byte"),
    "a name that is a path": (
        'version = 1\n[schedules."../x"]\nevery = "5m"\ncommand = "true"\n',
        "is not a name for a schedule",
    ),
}


@pytest.mark.parametrize("verb", ["list", "next", "validate", "catchup", "trigger backup"])
@pytest.mark.parametrize("what", MANIFESTS)
def test_a_broken_manifest_is_refused_with_file_and_line(
    terminal: Terminal, what: str, verb: str
) -> None:
    """Whoever needs the manifest exits 5."""
    text, says = MANIFESTS[what]
    terminal.write(text)
    before = terminal.print()

    said = terminal.run(*verb.split())

    _refused(said, 5, says)
    assert terminal.print() == before


def test_every_fault_is_said_at_once_each_on_its_line(terminal: Terminal) -> None:
    """A line per fault, such as editors jump to."""
    terminal.write('version = 1\n[schedules.x]\nevery = "5"\ncommand = ""\n[schedules.y]\n')

    said = terminal.run("validate")

    lines = said.err.splitlines()
    assert [line.split(":")[1] for line in lines] == ["3", "4", "5", "5"]
    assert all(line.startswith(f"{terminal.manifest}:") for line in lines)


@pytest.mark.parametrize(
    ("what", "says"), [("directory", "is a directory"), ("FIFO", "is a FIFO"), ("loop", "loop")]
)
def test_a_manifest_that_is_no_file_is_refused(terminal: Terminal, what: str, says: str) -> None:
    """Nothing is waited for, and nothing is followed for ever."""
    terminal.manifest.unlink()
    if what == "directory":
        terminal.manifest.mkdir()
    elif what == "FIFO":
        os.mkfifo(terminal.manifest)
    else:
        terminal.manifest.symlink_to(terminal.manifest.name)

    for words in (["list"], ["validate"], ["add", "x", "--every", "5m", "--", "true"]):
        _refused(terminal.run(*words), 5, says)


def test_a_read_only_manifest_is_not_edited(terminal: Terminal) -> None:
    """Somebody meant it, so root does not either."""
    terminal.manifest.chmod(0o400)
    before = terminal.print()

    said = terminal.run("add", "x", "--every", "5m", "--", "true")

    _refused(said, 1, "is read-only")
    assert terminal.print() == before


@pytest.mark.parametrize("verb", ["list", "history", "ps", "metrics", "trigger backup", "catchup"])
def test_a_run_log_of_a_newer_program_is_left_alone(terminal: Terminal, verb: str) -> None:
    """It is named, and not touched."""
    _spoil(terminal, "PRAGMA user_version = 9999")
    before = terminal.print()

    said = terminal.run(*verb.split())

    _refused(said, 1, "runs.db")
    assert terminal.print() == before


@pytest.mark.parametrize("verb", ["list", "history", "trigger backup"])
def test_a_run_log_that_is_no_database_is_left_alone(terminal: Terminal, verb: str) -> None:
    """Whatever it is, it is not ours to overwrite."""
    (terminal.state / "runs.db").write_bytes(b"a love letter\n" * 1000)
    before = terminal.print()

    said = terminal.run(*verb.split())

    _refused(said, 1, "runs.db")
    assert terminal.print() == before


def test_a_state_directory_that_is_a_file_is_refused(terminal: Terminal) -> None:
    """It is named."""
    said = terminal.run("trigger", "backup", "--state-dir", "schedules.toml")

    _refused(said, 1, "schedules.toml")


def test_a_state_directory_of_another_manifest_is_refused(terminal: Terminal) -> None:
    """Two manifests in one run log would mix their histories."""
    other = terminal.home / "other.toml"
    other.write_text(terminal.manifest.read_text())

    for verb in (["catchup"], ["trigger", "backup"]):
        _refused(terminal.run(*verb, "--manifest", str(other)), 4, "belongs to the manifest")


@pytest.mark.parametrize("name", ["FLYTESCHED_MISSED_AFTER", "FLYTESCHED_TIMEZONE"])
def test_a_wrong_variable_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The variable, not only its value."""
    monkeypatch.setenv(name, "nonsense")

    _refused(terminal.run("list"), 2, name)


def test_status_answers_whatever_is_broken(terminal: Terminal) -> None:
    """It is what one asks when nothing else answers."""
    terminal.write("version = 1\n[schedules.x\n")
    _spoil(terminal, "PRAGMA user_version = 9999")

    said = terminal.ok("status")

    assert "is not TOML" in said.out
    assert "run log error" in said.out


def _spoil(terminal: Terminal, sql: str) -> None:
    connection = sqlite3.connect(terminal.state / "runs.db")
    connection.execute(sql)
    connection.commit()
    # Into the file itself, whoever else in this process still has it open.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _refused(said: Said, code: int, says: str) -> None:
    """Assert that it was refused as documented, in a sentence, without a traceback."""
    assert said.code == code, said
    assert "Traceback" not in said.err
    assert says in said.err + (said.out if says == "Usage" else "")
    if says != "Usage":
        assert said.out == ""
        sentences = [line for line in said.err.splitlines() if not line.startswith("hint: ")]
        assert len(sentences) == len(set(sentences)) <= 5
        assert "unexpected" not in said.err
