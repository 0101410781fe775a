"""Completions in the real shells: what is inserted, and what is offered, when TAB is pressed."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from flytesched.core.decision import Decision
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.sight import see
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.state_dir import prepare_state_dir
from shells import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = """\
version = 1
[schedules.backup]
every = "1h"
command = "true"
description = "the family's photos"
labels = { team = "big ops" }
[schedules.report]
cron = "0 2 * * *"
timezone = "UTC"
command = "true"
labels = { team = "ops", tier = "it's 1" }
[schedules.report-weekly]
cron = "@weekly"
timezone = "UTC"
command = "true"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home with three schedules, a run that is active and one that is over."""
    home = tmp_path_factory.mktemp("shells")
    (home / "schedules.toml").write_text(MANIFEST)
    (home / "elsewhere.toml").write_text(
        "version = 1\n[schedules.other]\nevery='1h'\ncommand='x'\n"
    )
    (home / "my file.toml").touch()
    prepare_state_dir(home / "state")
    log = SqliteRunLog(home / "state" / "runs.db")
    state = see(Schedule("backup", every="1h", command="true"), None, 7_000).state
    facts = {"schedule": "backup", "origin": Origin.SCHEDULE}
    over = Run(
        id="sched-backup-3600", scheduled_at=3_600, status=RunStatus.SUCCEEDED, created=3_600.0,
        ended=3_602.0, **facts,
    )  # fmt: skip
    active = Run(
        id="sched-backup-7200", scheduled_at=7_200, status=RunStatus.QUEUED, created=7_200.0,
        **facts,
    )  # fmt: skip
    log.apply(Decision(schedules=(state,), runs=(over, active)))
    log.close()
    return home


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Shell]:
    """Start each shell once."""
    if shutil.which(request.param) is None:
        pytest.skip(f"COMPLETION IN {request.param} IS NOT TESTED: it is not installed")
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(home),
        "FLYTESCHED_MANIFEST": str(home / "schedules.toml"),
        "FLYTESCHED_STATE_DIR": str(home / "state"),
    }  # fmt: skip
    shell = Shell(request.param, home, environ)
    yield shell
    shell.close()


def _split(line: str) -> list[str]:
    """Return the words that a shell makes of a line, whose last quote may still be open."""
    try:
        return shlex.split(line)
    except ValueError:
        return shlex.split(f"{line}'")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("cat", ["catchup"]),
        ("db ch", ["db", "check"]),
        ("show bac", ["show", "backup"]),
        ("show rep", ["show", "report"]),
        ("enable report backu", ["enable", "report", "backup"]),
        ("run --on-stop k", ["run", "--on-stop", "kill"]),
        ("list --la", ["list", "--label"]),
        ("list -l tier", ["list", "-l", "tier=it's 1"]),
        ("list -l team=b", ["list", "-l", "team=big ops"]),
        ("list -l 'team=b", ["list", "-l", "team=big ops"]),
        ("list --label team=o", ["list", "--label", "team=ops"]),
        ("history --status ti", ["history", "--status", "timed_out"]),
        ("cancel s", ["cancel", "sched-backup-7200"]),
        ("retry s", ["retry", "sched-backup-3600"]),
        ("logs sched-backup-3", ["logs", "sched-backup-3600"]),
        ("logs report-", ["logs", "report-weekly"]),
        ("set report --timezone Europe/Berl", ["set", "report", "--timezone", "Europe/Berlin"]),
        ("add x --cron @mo", ["add", "x", "--cron", "@monthly"]),
        ("add x --cron '0 9", ["add", "x", "--cron", "0 9 * * mon-fri"]),
        ("add x --every 30", ["add", "x", "--every", "30s"]),
        ("add x --daily 18", ["add", "x", "--daily", "18:00"]),
        ("config start_b", ["config", "start_burst"]),
        ("revert backup --to ", ["revert", "backup", "--to", "1"]),
        ("validate my", ["validate", "my file.toml"]),
        ("--manifest elsewhere.toml show ", ["--manifest", "elsewhere.toml", "show", "other"]),
        ("show --manifest elsewhere.toml ", ["show", "--manifest", "elsewhere.toml", "other"]),
    ],
)
def test_what_is_meant_is_inserted(shell: Shell, typed: str, words: list[str]) -> None:
    """Quoted, where the shell would take it apart."""
    line, _ = shell.press(f"flytesched {typed}")

    assert _split(line) == ["flytesched", *words]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("show report", ["report", "report-weekly"]),
        ("list -l ", ["team=big ops", "team=ops", "tier=it's 1"]),
        ("cancel ", ["sched-backup-7200"]),
        ("logs ", ["backup", "report-weekly", "sched-backup-3600", "sched-backup-7200"]),
        ("add x --cron '", ["0 2 * * *", "*/15 * * * *"]),
        ("add x --aws-cron '", ["0/15 * * * ? *", "rate(5 minutes)"]),
        ("add x --timezone America/Argentina/", ["Buenos_Aires", "Ushuaia"]),
        ("history --status ", ["succeeded", "missed"]),
        ("config ", ["max_concurrent_runs", "keep_logs"]),
        ("explain ", ["@daily", "5m", "report"]),
    ],
)
def test_what_may_be_meant_is_offered(shell: Shell, typed: str, offered: list[str]) -> None:
    """All of it, as it is or as it has to be typed."""
    _, shown = shell.press(f"flytesched {typed}")

    missing = [each for each in offered if each not in shown]
    assert [each for each in missing if each.replace("'", r"'\''") not in shown] == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("show ", "the family's photos"),
        ("show r", "cron 0 2 * * *"),
        ("add x --cron '", "weekdays at 09:00"),
        ("config ", "How long verdicts are kept."),
    ],
)
def test_zsh_and_fish_say_what_each_is(shell: Shell, typed: str, said: str) -> None:
    """Bash has no place for it."""
    _, shown = shell.press(f"flytesched {typed}")

    assert (said in shown) is (shell.name != "bash")


def test_nothing_is_offered_where_only_a_person_knows(shell: Shell) -> None:
    """A second name of show, a number, and whatever stands behind --."""
    for line in ("flytesched history --limit ", "flytesched add x --every 5m -- backu"):
        assert shell.press(line)[0].rstrip() == line.rstrip()
