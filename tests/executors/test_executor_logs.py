"""Logs are bounded while they are written, and what was left out is told to the byte."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from executors_desk import alive, eventually

from flytesched.executors.logs import LogReader, old_logs, trim

if TYPE_CHECKING:
    from pathlib import Path

    from executors_desk import Desk

LIMIT = 256 * 1024
LINES = b"".join(b"line %07d\n" % number for number in range(200_000))  # 2.6 MB


def _all(reader: LogReader) -> bytes:
    chunks = []
    while chunk := reader.read():
        chunks.append(chunk)
    return b"".join(chunks)


def _used(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log that is too long."""
    found = tmp_path / "x.log"
    found.write_bytes(LINES)
    return found


def test_a_log_within_its_limit_is_left_whole(path: Path) -> None:
    """And so is any log without a limit."""
    assert not trim(str(path.parent), path.name, len(LINES))
    assert not trim(str(path.parent), path.name, 0)
    with LogReader(path) as reader:
        assert _all(reader) == LINES


def test_a_log_beyond_its_limit_keeps_head_and_tail(path: Path) -> None:
    """What is between them is counted."""
    assert trim(str(path.parent), path.name, LIMIT)

    with LogReader(path) as reader:
        shown = _all(reader)
    head, count, tail = re.split(rb"\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n", shown)
    assert LINES.startswith(head)
    assert LINES.endswith(tail)
    assert len(head) + int(count) + len(tail) == len(LINES)
    assert min(len(head), len(tail)) >= LIMIT // 2
    assert _used(path) <= LIMIT + 3 * 4096


def test_a_log_may_be_bounded_again_and_again_while_it_grows(path: Path) -> None:
    """There is one hole, which grows with it."""
    for _ in range(5):
        trim(str(path.parent), path.name, LIMIT)
        with path.open("ab") as file:
            file.write(LINES)
    trim(str(path.parent), path.name, LIMIT)

    with LogReader(path) as reader:
        shown = _all(reader)
    assert shown.count(b"left out") == 1
    assert shown.endswith(LINES[-1000:])
    assert _used(path) <= LIMIT + 3 * 4096


def test_a_fast_writer_is_bounded_and_never_notices(desk: Desk) -> None:
    """It appends, whatever becomes of what it wrote."""
    desk.launcher.log_limit = LIMIT
    stop = desk.state / "stop"
    attempt = desk.start(f"while ! test -e {stop}; do seq 100000 120000; done; echo the end")
    assert attempt.log is not None
    assert attempt.pid is not None
    log = desk.state / attempt.log
    for size in (2_000_000, 4_000_000, 8_000_000):
        eventually(lambda size=size: log.stat().st_size > size)
        desk.launcher.bound_logs()
    assert alive(attempt.pid)
    stop.touch()

    assert desk.outcome().exit_code == 0
    assert _used(log) <= LIMIT + 3 * 4096
    with LogReader(log) as reader:
        shown = _all(reader)
    assert shown.startswith(b"100000\n100001\n")
    assert shown.endswith(b"120000\nthe end\n")


def test_a_reader_follows_a_log_as_it_grows(tmp_path: Path) -> None:
    """Each read returns what is new."""
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n")
    with LogReader(path) as reader, path.open("ab", buffering=0) as file:
        assert (reader.read(), reader.read()) == (b"one\n", b"")
        file.write(b"two\n")
        assert (reader.read(), reader.read()) == (b"two\n", b"")


@pytest.mark.parametrize(
    ("text", "lines", "shown"),
    [
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\nc\n", 9, b"a\nb\nc\n"),
        (b"a\n\n\n", 2, b"\n\n"),
        (b"a\nb\n", 0, b""),
        (b"", 3, b""),
        (LINES, 2, b"line 0199998\nline 0199999\n"),
    ],
)
def test_a_reader_can_begin_with_the_last_lines(
    tmp_path: Path, text: bytes, lines: int, shown: bytes
) -> None:
    """As ``tail`` does."""
    path = tmp_path / "x.log"
    path.write_bytes(text)
    with LogReader(path) as reader:
        reader.tail(lines)
        assert _all(reader) == shown


def test_the_last_lines_are_those_behind_the_hole(path: Path) -> None:
    """Nothing is shown of a line that is not there as a whole."""
    trim(str(path.parent), path.name, 8192)
    with LogReader(path) as reader:
        reader.tail(10**6)
        shown = _all(reader)

    assert LINES.endswith(shown)
    assert 4096 <= len(shown) <= 3 * 4096


def test_old_logs_are_removed_and_those_of_what_runs_are_kept(desk: Desk) -> None:
    """A long run may have said nothing for a month."""
    ended = desk.start("echo x")
    desk.outcome()
    fresh = desk.start("echo x")
    desk.outcome()
    running = desk.start(["sleep", "60"])
    ended_log, fresh_log, running_log = (
        desk.state / str(attempt.log) for attempt in (ended, fresh, running)
    )
    for log in (ended_log, running_log):
        os.utime(log, (1000, 1000))

    assert desk.launcher.prune_logs(2000.0)

    assert not ended_log.exists()
    assert fresh_log.exists()
    assert running_log.exists()


def test_many_logs_are_pruned_step_by_step(desk: Desk) -> None:
    """So that no slot has to wait for it."""
    folder = desk.state / "logs" / "job"
    folder.mkdir(parents=True)
    for number in range(2500):
        log = folder / f"sched-job-{number}.1.log"
        log.touch()
        os.utime(log, (1000, 1000))

    rounds = [desk.launcher.prune_logs(2000.0) for _ in range(3)]

    assert rounds == [False, False, True]
    assert not list(folder.iterdir())


def test_no_logs_at_all_are_no_error(tmp_path: Path) -> None:
    """Nothing has run yet."""
    assert list(old_logs(str(tmp_path / "logs"), 0.0)) == []
