"""What a command sees."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from executors_desk import SLOT, Desk

from flytesched.core.runs import Origin
from flytesched.core.schedule import Schedule
from flytesched.errors import StartError
from flytesched.executors.environment import base_environment, working_directory


def _seen(desk: Desk, **keys: Any) -> dict[str, str]:
    """Run a command that shows its environment."""
    _, log = desk.run(["env", "-0"], **keys)
    return dict(pair.split("=", 1) for pair in log.split("\0") if pair)


def _base(environ: dict[str, str], **keys: Any) -> dict[str, str]:
    """Return the environment of a schedule, without a HOME that nobody gave."""
    found = base_environment(Schedule("job", every="1h", command="true", **keys), environ)
    return found if "HOME" in environ else {n: v for n, v in found.items() if n != "HOME"}


@pytest.mark.parametrize("survive", [True, False], ids=["supervised", "child"])
def test_a_command_is_told_about_its_run(desk: Desk, *, survive: bool) -> None:
    """The names and spellings are a contract."""
    seen = _seen(
        desk, survive=survive, timezone="Asia/Tokyo", kickoff_at=SLOT - 300,
        run={"id": f"sched-job-{SLOT}", "scheduled_at": SLOT, "origin": Origin.CATCHUP,
             "attempt": 2},
    )  # fmt: skip

    told = {name: value for name, value in seen.items() if name.startswith("FLYTESCHED_")}
    assert told == {
        "FLYTESCHED_RUN_ID": f"sched-job-{SLOT}",
        "FLYTESCHED_SCHEDULE": "job",
        "FLYTESCHED_SCHEDULED_AT": "2026-11-21T02:00:00Z",
        "FLYTESCHED_SCHEDULED_AT_LOCAL": "2026-11-21T11:00:00+09:00",
        "FLYTESCHED_SCHEDULED_AT_EPOCH": "1795226400",
        "FLYTESCHED_KICKOFF_AT": "2026-11-21T01:55:00Z",
        "FLYTESCHED_ATTEMPT": "2",
        "FLYTESCHED_ORIGIN": "catchup",
        "FLYTESCHED_STATE_DIR": str(desk.state),
        "FLYTESCHED_MANIFEST": str(desk.state / "m.toml"),
    }


def test_a_run_without_a_slot_is_told_when_it_was_asked_for(desk: Desk) -> None:
    """To the second."""
    seen = _seen(
        desk, run={"scheduled_at": None, "created": SLOT + 0.9, "origin": Origin.MANUAL}
    )  # fmt: skip

    assert seen["FLYTESCHED_SCHEDULED_AT"] == "2026-11-21T02:00:00Z"
    assert seen["FLYTESCHED_KICKOFF_AT"] == "2026-11-21T02:00:00Z"
    assert seen["FLYTESCHED_ORIGIN"] == "manual"


@pytest.mark.parametrize(
    "name",
    [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID",
        "LISTEN_FDNAMES", "INVOCATION_ID", "FLYTESCHED_RUN_ID", "FLYTESCHED_ATTEMPT",
    ],
)  # fmt: skip
def test_what_is_meant_for_the_scheduler_is_not_passed_on(name: str) -> None:
    """A command that says READY would say it for the scheduler."""
    assert _base({name: "x", "KEPT": "y"}) == {"KEPT": "y"}


def test_env_goes_over_env_file_and_that_over_what_is_inherited(tmp_path: Path) -> None:
    """The nearer to the schedule, the stronger."""
    file = tmp_path / "file.env"
    file.write_text("A=file\nB=file\n")

    base = _base(
        {"A": "scheduler", "B": "scheduler", "C": "scheduler"}, env_file=str(file), env={"A": "env"}
    )

    assert base == {"A": "env", "B": "file", "C": "scheduler"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("  export  A = spaced out  ", "spaced out"),
        ("# A=comment\n; A=comment\n\nA=x", "x"),
        ("A='single $x \\n'", "single $x \\n"),
        ('A="double \\"q\\" \\$ \\\\ \\n"', 'double "q" $ \\ \\n'),
        ("A=x # kept", "x # kept"),
        ("A=$HOME", "$HOME"),
        ("A=first\nA=second", "second"),
        ("A=x\r\n", "x"),
        ("A=a=b", "a=b"),
        ("A='", "'"),
        ("A=ü", "ü"),
    ],
)
def test_an_env_file_holds_lines_of_key_and_value(tmp_path: Path, text: str, value: str) -> None:
    """With comments and quotes; nothing is expanded."""
    file = tmp_path / "file.env"
    file.write_text(text, newline="")

    assert _base({}, env_file=str(file)) == {"A": value}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"A=x\nsecret value\n", "line 2: not KEY=VALUE"),
        (b"1A=secret\n", "line 1: not KEY=VALUE"),
        (b"A=secret\0\n", "line 1: not KEY=VALUE"),
        (b"A=" + b"x" * 2**20, "is over 1 MiB"),
        (None, "no such file or directory"),
    ],
)
def test_an_env_file_that_is_not_understood_is_refused_without_its_values(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    """Errors end up in logs."""
    file = tmp_path / "file.env"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(StartError) as raised:
        _base({}, env_file=str(file))

    assert why in raised.value.message
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_an_env_file_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """The open of a FIFO would wait for ever."""
    path = tmp_path / kind
    path.mkdir() if kind == "folder" else os.mkfifo(path)

    with pytest.raises(StartError, match=r"is (not a file|a directory)"):
        _base({}, env_file=str(path))


@pytest.mark.parametrize(
    ("cwd", "home", "where"),
    [
        (None, "/home/me", "/home/me"),
        ("/srv", "/home/me", "/srv"),
        ("jobs", "/home/me", "/home/me/jobs"),
        ("~", "/home/me", "/home/me"),
        ("~/jobs", "/home/me", "/home/me/jobs"),
        ("~you", "/home/me", "/home/me/~you"),
        (None, None, pwd.getpwuid(os.getuid()).pw_dir),
        (None, "relative", pwd.getpwuid(os.getuid()).pw_dir),
    ],
)
def test_a_command_runs_at_home_or_where_its_schedule_says(
    cwd: str | None, home: str | None, where: str
) -> None:
    """Services often have no HOME; then the password database knows."""
    keys = {} if cwd is None else {"cwd": cwd}
    schedule = Schedule("job", every="1h", command="true", **keys)

    assert working_directory(schedule, {} if home is None else {"HOME": home}) == where


def test_a_command_of_a_service_without_a_home_has_one(desk: Desk) -> None:
    """The user's, as cron gives it; one that is there stays as it is."""
    bare = {name: value for name, value in desk.environ.items() if name != "HOME"}
    other = Desk.at(desk.state, bare)

    assert _seen(other)["HOME"] == pwd.getpwuid(os.getuid()).pw_dir
    assert _base({"HOME": "/somewhere"})["HOME"] == "/somewhere"
    other.launcher.close()


def test_the_directory_is_in_the_environment_too(desk: Desk) -> None:
    """A PWD of the scheduler's would be a lie."""
    other = Desk.at(desk.state, {**desk.environ, "PWD": "/elsewhere"})

    assert _seen(other, cwd="/usr", survive=False)["PWD"] == str(Path("/usr"))
    other.launcher.close()


@pytest.mark.parametrize(
    "command",
    ["printf '%s|'", ["printf", "%s|"], "printf '%s|'  \n"],
    ids=["string", "list", "string with a line break"],
)
def test_the_kickoff_time_is_appended_if_asked_for(desk: Desk, command: Any) -> None:
    """As two words, whatever they hold."""
    _, log = desk.run(command, kickoff_time_arg="--at the time", kickoff_at=SLOT)

    assert log == "--at the time|2026-11-21T02:00:00Z|"


def test_values_of_the_environment_stand_on_no_command_line(desk: Desk) -> None:
    """Any user can read those."""
    _, log = desk.run("cat /proc/$$/cmdline /proc/$PPID/cmdline; :", env={"TOKEN": "s3cret"})

    assert "s3cret" not in log
