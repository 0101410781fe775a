"""What may be a secret of channels and ping URLs is in the manifest, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from desk import Desk, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HIDDEN = "s3cret-of-a-channel"
#: Nobody listens there, so that what is refused and tried again is told as well.
CLOSED = "http://127.0.0.1:9"
CHANNEL = f"""
[channels.chat]
kind = "webhook"
url = "{CLOSED}/{HIDDEN}"
headers = {{ Authorization = "Bearer {HIDDEN}" }}
events = ["success", "failure"]
"""
SCHEDULE = f"""
[schedules.job]
every = "1h"
command = "exit 3"
notify = ["chat"]
ping_url = "{CLOSED}/{HIDDEN}"
"""
FAULTY = [
    f'[channels.x]\nkind = "webhook"\nurl = "{HIDDEN}"\n',
    f'[channels.x]\nkind = "webhook"\nurl = ["{CLOSED}/{HIDDEN}"]\n',
    f'[channels.x]\nkind = "webhook"\nurl = "https://{HIDDEN}@host/"\n',
    f'[channels.x]\nkind = "webhook"\nurl = "{CLOSED}/"\nheaders = "{HIDDEN}"\n',
    f'[channels.x]\nkind = "webhook"\nurl = "{CLOSED}/"\nheaders = {{ A = "{HIDDEN}\\n" }}\n',
    f'[channels.x]\nkind = "mail"\nto = "root"\nuser = "x"\npassword_env = "{HIDDEN}"\n',
    f'[schedules.y]\nevery = "1h"\ncommand = "x"\nping_url = "{HIDDEN}"\n',
    f'[schedules.y]\nevery = "1h"\ncommand = "x"\nping_url = "https://a:{HIDDEN}@host/"\n',
    f'[defaults]\nping_url = ["{HIDDEN}"]\n',
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    desk.write(CHANNEL + SCHEDULE)
    yield desk
    desk.clear()


def says(desk: Desk, *words: str) -> bytes:
    """Return what a command says, all of it."""
    done = subprocess.run(
        [*desk.program, *words], capture_output=True, env=desk.environ, cwd=desk.home
    )
    assert b"unexpected" not in done.stderr
    return done.stdout + done.stderr


def test_nothing_says_or_stores_a_secret_of_a_channel(desk: Desk) -> None:
    """Neither what is shown of it, nor what is written when it cannot be reached."""
    loop = desk.start()
    desk.run("trigger", "job", "--detach")
    wait_for("verdict", lambda: b"failed" in says(desk, "history"))
    for command in (
        "show job", "show job --json", "list --json", "status", "status --json", "health",
        "validate --json", "config --json", "doctor", "revisions job", "revisions job --json",
        "set job --ping-url https://other.example/x", "set job --unset ping-url", "history --json",
    ):  # fmt: skip
        assert HIDDEN.encode() not in says(desk, *command.split()), command
    assert desk.stop(loop) == 0
    files = [path for path in (desk.home / "state").rglob("*") if path.is_file()]
    assert len(files) > 1
    for path in (*files, desk.home / "loop.log"):
        assert HIDDEN.encode() not in path.read_bytes(), path.name


@pytest.mark.parametrize("fault", FAULTY)
def test_no_fault_of_a_channel_shows_what_was_written(desk: Desk, fault: str) -> None:
    desk.write(fault + SCHEDULE.replace("notify", "#").replace("ping_url", "#"))
    said = says(desk, "validate")
    assert b"schedules.toml:" in said, said
    assert HIDDEN.encode() not in said
