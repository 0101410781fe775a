"""Values of env and env_file are seen by the command, and by nobody and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk import Desk, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = {
    "FROM_ENV": "s3cret-of-env",
    "FROM_FILE": "s3cret-of-a-file",
    "FROM_DEFAULTS": "s3cret-of-defaults",
}
#: Puts what it sees where the test finds it, and stays until it may go.
TELL = 'env > "$HOME/seen.$FLYTESCHED_SCHEDULE"; while ! test -e "$HOME/go"; do sleep 0.1; done'
KINDS = ["survives", "dies", "argv", "callable"]
MODULE = f"""
import subprocess

def tell():
    subprocess.run({TELL!r}, shell=True, check=True)
    raise ValueError("said nothing")
"""


def manifest(home: Path, more: str = "") -> str:
    env = f'env = {{ FROM_ENV = "{SECRETS["FROM_ENV"]}", PYTHONPATH = "{home}" }}'
    keys = f'every = "1h"\n{env}\nenv_file = "{home}/file.env"\non_failure = "exit 7"\n'
    command = json.dumps(f"{TELL}; exit 3")
    return f"""
[defaults]
env = {{ FROM_DEFAULTS = "{SECRETS["FROM_DEFAULTS"]}" }}
[schedules.survives]
{keys}
command = {command}
[schedules.dies]
{keys}
survive = false
command = {command}
[schedules.argv]
{keys}
command = ["/bin/sh", "-c", {command}]
[schedules.callable]
{keys}
executor = "python"
command = "told:tell"
{more}
"""


def spilt(data: bytes) -> list[str]:
    """Return which secrets stand in some bytes."""
    return [name for name, value in SECRETS.items() if value.encode() in data]


def spilt_by(desk: Desk, *words: str) -> list[str]:
    """Run a command and return which secrets it says."""
    done = subprocess.run(
        [*desk.program, *words], capture_output=True, env=desk.environ, cwd=desk.home
    )
    assert b"unexpected" not in done.stderr
    return spilt(done.stdout + done.stderr)


def spilt_files(desk: Desk) -> list[str]:
    """Return what of the state directory and the journal holds a secret: run log, WAL, logs."""
    files = [path for path in (desk.home / "state").rglob("*") if path.is_file()]
    files.append(desk.home / "loop.log")
    return [path.name for path in files if path.exists() and spilt(path.read_bytes())]


def spilt_command_lines() -> list[bytes]:
    """Return the command lines of all processes that hold a secret."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if spilt(line):
            found.append(line)
    return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with secrets of every kind."""
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    (tmp_path / "file.env").write_text(f"FROM_FILE={SECRETS['FROM_FILE']}\n")
    (tmp_path / "told.py").write_text(MODULE)
    desk.write(manifest(tmp_path))
    yield desk
    (tmp_path / "go").touch()
    desk.clear()


def test_only_the_environment_of_the_command_ever_holds_a_secret(desk: Desk) -> None:
    """While it runs and afterwards, however it is started, and whatever is asked."""
    loop = desk.start()
    for name in KINDS:
        desk.run("trigger", name, "--detach")
    for name in KINDS:
        seen = desk.home / f"seen.{name}"
        wait_for(name, lambda seen=seen: seen.exists() and "FLYTESCHED_RUN_ID" in seen.read_text())
        environ = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
        told = {key: environ.get(key) for key in SECRETS}
        # A schedule's own env takes the place of that of [defaults].
        assert told == {**SECRETS, "FROM_DEFAULTS": None}

    assert spilt_command_lines() == []
    assert spilt_files(desk) == []
    assert [spilt_by(desk, "ps"), spilt_by(desk, "ps", "--json")] == [[], []]
    (desk.home / "go").touch()
    wait_for("ends", lambda: desk.loop_log().count("hook failed") == len(KINDS))
    for command in (
        "list", "show survives", "show callable", "history", "status", "health", "metrics", "next",
        "validate", "logs survives", "logs callable", "doctor", "db check", "service print",
        "list --json", "show dies --json", "history --json", "status --json", "validate --json",
    ):  # fmt: skip
        assert spilt_by(desk, *command.split()) == [], command
    assert desk.stop(loop) == 0
    assert spilt_files(desk) == []


FAULTY = [
    'env = "FROM_ENV={}"',
    'env = ["FROM_ENV={}"]',
    'env = {{ FROM_ENV = ["{}"] }}',
    'env.FROM_ENV = {{ a = "{}" }}',
    'env = {{ FROM_ENV = "{}", FROM_ENV = "" }}',
    'env = {{ FROM_ENV = "{} }}',
    "env = {{ FROM_ENV = {} }}",
    'env = {{ "FROM_ENV={}" = "" }}',
    'envv = {{ FROM_ENV = "{}" }}',
    'env = {{ 1A = "{}" }}',
]


@pytest.mark.parametrize("fault", FAULTY)
def test_no_fault_in_a_manifest_shows_a_value_of_env(desk: Desk, fault: str) -> None:
    """A sentence names the key; the line can be looked at by whoever may."""
    secret = fault.format(SECRETS["FROM_ENV"])
    desk.write(f'[schedules.x]\nevery = "1h"\ncommand = "true"\n{secret}\n')
    for command in ("validate", "validate --json", "list", "status", "health", "--debug list"):
        assert spilt_by(desk, *command.split()) == [], command


def test_a_scheduler_says_and_stores_nothing_of_a_faulty_env(desk: Desk) -> None:
    """What it keeps of a broken manifest is the sentence."""
    loop = desk.start()
    for number, fault in enumerate(FAULTY, 1):
        secret = fault.format(SECRETS["FROM_ENV"])
        replace(desk, f'[schedules.x]\nevery = "1h"\ncommand = "true"\n{secret}\n')
        words = "schedules not readable"
        wait_for(fault, lambda words=words, n=number: desk.loop_log().count(words) >= n)
        replace(desk, manifest(desk.home))
        words = "schedules readable again"
        wait_for("recovery", lambda words=words, n=number: desk.loop_log().count(words) >= n)

    assert spilt_files(desk) == []
    assert desk.stop(loop) == 0


def replace(desk: Desk, text: str) -> None:
    """Write the manifest so that nobody sees a part of it."""
    new = desk.home / "new.toml"
    new.write_text("version = 1\n" + text)
    new.rename(desk.manifest)


def test_edits_say_which_variables_they_set_and_not_to_what(desk: Desk) -> None:
    """`set` shows what changed, but for values of env."""
    secret = SECRETS["FROM_ENV"]
    for words in (
        ["set", "dies", "--env", f"OTHER={secret}"],
        ["set", "dies", "--env", "OTHER=x"],
        ["set", "dies", "--env", f"OTHER={secret}", "--env", f"=x{secret}"],
        ["set", "dies", "--env", secret],
        ["add", "new", "--every", "1h", "--env", f"A={secret}", "--", "true"],
        ["add", "new", "--every", "1h", "--env", f"A={secret}", "--replace", "--", "true"],
        ["remove", "new"],
    ):
        assert spilt_by(desk, *words) == [], words


@pytest.mark.parametrize("line", ["{}", "A B={}", "1A={}", "A={}\0", "A='{}\n"])
def test_no_fault_in_a_file_of_variables_shows_a_line_of_it(desk: Desk, line: str) -> None:
    """Its number does."""
    content = line.format(SECRETS["FROM_FILE"])
    (desk.home / "file.env").write_text(content)
    (desk.home / "go").touch()

    assert spilt_by(desk, "trigger", "survives") == []
    assert spilt_by(desk, "history") == []
    assert spilt_files(desk) == []


def test_what_could_not_be_started_tells_no_value(desk: Desk) -> None:
    """An environment may be too large for the kernel."""
    text = f'[schedules.x]\nevery = "1h"\ncommand = "true"\nenv.A = "{SECRETS["FROM_ENV"]}'
    desk.write(text + "x" * (os.sysconf("SC_ARG_MAX") + 2**20) + '"\n')

    assert spilt_by(desk, "trigger", "x") == []

    assert "failed(start: " in desk.run("history")
    assert spilt_files(desk) == []
