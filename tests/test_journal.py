"""The scheduler's own lines: readable, unforgeable, and never a reason to stop."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flytesched.journal import LoggingJournal, StderrJournal, visible


def line(
    level: str = "info", event: str = "started", *, form: str = "plain", **facts: object
) -> str:
    """Return what a journal writes for one event."""
    stream = io.StringIO()
    StderrJournal(time.time, form=form, stream=stream).say(level, event, **facts)
    return stream.getvalue()


def said(**facts: object) -> str:
    """Return the facts of a plain line."""
    return line(**facts).partition(" started ")[2].rstrip("\n")


def test_a_plain_line_is_time_level_event_and_facts() -> None:
    found = line(run="sched-job-1", pid=12)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    started run=sched-job-1 pid=12\n", found
    )


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_the_level_stands_in_every_line(level: str) -> None:
    assert f"Z {level:<7} started" in line(level)
    assert json.loads(line(level, form="json"))["level"] == level


def test_facts_that_are_not_known_are_left_out() -> None:
    assert said(run="a", why=None) == "run=a"
    assert "why" not in json.loads(line(form="json", why=None))


def test_a_json_line_keeps_facts_as_they_are() -> None:
    found = json.loads(line(form="json", run="a b", pid=12, path=Path("/x"), why="é\n\u202e"))
    assert found["time"].endswith("Z")
    del found["time"]
    assert found == {
        "level": "info", "event": "started", "run": "a b", "pid": 12, "path": "/x",
        "why": "é\n\u202e",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["plain", "json"])
@pytest.mark.parametrize(
    "evil", ["\n", "\r", "\x1b[2J", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\u200b", "\ud800"]
)
def test_no_fact_can_forge_a_line_or_move_a_cursor(form: str, evil: str) -> None:
    found = line(form=form, why=f"a{evil}b")
    assert found.endswith("\n")
    assert len(found.splitlines()) == 1
    assert evil not in found[:-1]
    assert found.isascii()


@pytest.mark.parametrize(
    ("fact", "shown"),
    [
        ("plain", "plain"),
        ("über", "über"),
        ("two words", '"two words"'),
        ("", '""'),
        ("x run=other", '"x run=other"'),
        ("a=b", '"a=b"'),
        ('say "no"', '"say \\"no\\""'),
        ("one\ntwo", "one\\ntwo"),
        ("one\n two", '"one\\n two"'),
        ("\x1b[31m", "\\x1b[31m"),
        (Path("/x"), "/x"),
        (0, "0"),
    ],
)
def test_facts_are_quoted_where_one_could_look_like_two(fact: object, shown: str) -> None:
    assert said(why=fact) == f"why={shown}"


def test_visible_leaves_ordinary_text_alone() -> None:
    assert visible("naïve 日本語 «ok»") == "naïve 日本語 «ok»"


def test_levels_below_the_least_are_not_said() -> None:
    stream = io.StringIO()
    journal = StderrJournal(time.time, least="error", stream=stream)
    journal.say("info", "a")
    journal.say("warning", "b")
    journal.say("error", "c")
    assert stream.getvalue().endswith("error   c\n")
    assert stream.getvalue().count("\n") == 1


def test_under_systemd_the_time_is_left_to_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as stream:
        facts = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        StderrJournal(time.time, stream=stream, environ=named).say("info", "a")
        StderrJournal(time.time, stream=stream, environ={"JOURNAL_STREAM": "1:2"}).say("info", "b")
        StderrJournal(time.time, stream=stream, environ={}).say("info", "c")
        stream.seek(0)
        first, second, third = stream.read().splitlines()
    assert first == "<6>info    a"
    assert second.endswith("Z info    b")
    assert third.endswith("Z info    c")


def test_a_json_line_has_the_time_under_systemd_too(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as stream:
        facts = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        StderrJournal(time.time, form="json", stream=stream, environ=named).say("info", "a")
        stream.seek(0)
        assert "time" in json.loads(stream.read().removeprefix("<6>"))


@pytest.mark.parametrize(("level", "prefix"), [("warning", "<4>"), ("error", "<3>")])
def test_systemds_journal_is_told_the_level_in_its_own_way(
    tmp_path: Path, level: str, prefix: str
) -> None:
    """So that `journalctl -p warning` finds it."""
    with (tmp_path / "log").open("w+") as stream:
        facts = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        StderrJournal(time.time, stream=stream, environ=named).say(level, "a")
        stream.seek(0)
        assert stream.read() == f"{prefix}{level:<7} a\n"


TALKER = """
import time
from flytesched.journal import StderrJournal
journal = StderrJournal(time.time)
for n in range(2000):
    journal.say("warning", "started", n=n, why="x" * 20)
print("goes on", flush=True)
"""


def test_each_line_is_written_at_once() -> None:
    program = TALKER + "import os; os._exit(0)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stderr.count("\n") == 2000


def test_a_full_disk_behind_stderr_stops_nothing() -> None:
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, "-c", TALKER], stdout=subprocess.PIPE, stderr=full, text=True
        )
    assert found.stdout == "goes on\n"


def test_a_stderr_that_nobody_reads_any_more_stops_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run(
        [sys.executable, "-c", TALKER], stdout=subprocess.PIPE, stderr=write, text=True
    )
    os.close(write)
    assert found.stdout == "goes on\n"


def test_a_closed_stderr_stops_nothing() -> None:
    found = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, TALKER],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert found.stdout == "goes on\n"


def test_a_program_hears_the_lines_through_its_own_logging(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    LoggingJournal().say("warning", "missed", schedule="job", why="two words")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("flytesched", "WARNING")
    assert record.getMessage() == 'missed schedule=job why="two words"'
    assert record.facts == {"schedule": "job", "why": "two words"}  # type: ignore[attr-defined]


def test_a_patient_journal_writes_info_when_it_is_flushed_or_has_more_to_say() -> None:
    """A burst is one write, and no error ever waits for it."""
    stream = io.StringIO()
    journal = StderrJournal(time.time, stream=stream, patient=True)

    journal.say("info", "one")
    assert stream.getvalue() == ""
    journal.flush()
    assert stream.getvalue().count("\n") == 1
    journal.say("info", "two")
    journal.say("error", "three")

    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["one", "two", "three"]
