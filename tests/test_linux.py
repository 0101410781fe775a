"""The Linux calls that the standard library lacks."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from flytesched import linux

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def timer() -> linux.Timer:
    """A timer that is not set."""
    made = linux.Timer()
    yield made
    made.close()


@pytest.fixture
def inotify() -> linux.Inotify:
    """Nothing watched yet."""
    made = linux.Inotify()
    yield made
    made.close()


def _ready(what: object, seconds: float = 0.0) -> bool:
    return bool(select.select([what], [], [], seconds)[0])


def test_a_timer_tells_its_moment_and_never_early(timer: linux.Timer) -> None:
    """By the wall clock."""
    moment = time.time() + 0.05
    assert timer.set(moment) is False

    assert _ready(timer, 60)
    assert time.time() >= moment
    assert timer.read() is False
    assert not _ready(timer)


def test_a_moment_that_has_passed_is_told_at_once(timer: linux.Timer) -> None:
    """Even one before 1970."""
    for moment in (time.time() - 100, 0.0, -5.0):
        timer.set(moment)
        assert _ready(timer, 60)
        timer.read()


def test_a_timer_without_a_moment_says_nothing(timer: linux.Timer) -> None:
    """Until the clock is set."""
    timer.set(time.time() - 1)
    timer.set(None)

    assert not _ready(timer)
    assert timer.read() is False


def test_changes_in_a_folder_are_told_by_name(inotify: linux.Inotify, tmp_path: Path) -> None:
    """Made, written, replaced, removed."""
    inotify.watch(tmp_path)
    assert inotify.read() == []

    (tmp_path / "made").write_text("x")
    (tmp_path / "made").rename(tmp_path / "moved")
    (tmp_path / "moved").unlink()

    assert _ready(inotify)
    names = [name for path, name in inotify.read() if path == str(tmp_path)]
    assert set(names) == {"made", "moved"}
    assert not _ready(inotify)


def test_a_folder_that_is_not_watched_any_more_says_nothing(
    inotify: linux.Inotify, tmp_path: Path
) -> None:
    """And it may be given up twice."""
    inotify.watch(tmp_path)
    inotify.unwatch(tmp_path)
    inotify.unwatch(tmp_path)

    (tmp_path / "made").touch()

    assert inotify.read() == []


def test_the_end_of_a_watched_folder_is_told(inotify: linux.Inotify, tmp_path: Path) -> None:
    """It can be watched anew when it is back."""
    folder = tmp_path / "folder"
    folder.mkdir()
    inotify.watch(folder)

    folder.rmdir()
    assert (str(folder), "") in inotify.read()
    folder.mkdir()
    inotify.watch(folder)
    (folder / "new").touch()

    assert (str(folder), "new") in inotify.read()


def test_what_does_not_exist_cannot_be_watched(inotify: linux.Inotify, tmp_path: Path) -> None:
    """The caller watches the folder above instead."""
    with pytest.raises(FileNotFoundError):
        inotify.watch(tmp_path / "missing")


def test_a_hole_gives_disk_space_back_and_reads_as_nuls(tmp_path: Path) -> None:
    """The size stays."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 65536)
    fd = os.open(path, os.O_RDWR)

    assert linux.punch_hole(fd, 4096, 57344)
    os.close(fd)

    assert path.stat().st_size == 65536
    assert path.stat().st_blocks * 512 <= 8192
    assert path.read_bytes() == b"x" * 4096 + bytes(57344) + b"x" * 4096


def test_a_process_is_known_by_its_start() -> None:
    """Even when its name tries to look like the end of a field."""
    with subprocess.Popen(
        ["sh", "-c", "printf ') R 1 2 3' >/proc/$$/comm; echo; read x"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        start = linux.process_start(process.pid)
        facts = linux.process_facts(process.pid)
        process.communicate(b"\n")

    mine = linux.process_start(os.getpid())
    assert start is not None
    assert mine is not None
    assert facts is not None
    assert start >= mine
    assert facts[0] == os.getsid(0)
    assert linux.process_start(process.pid) is None


def test_ticks_say_when_a_process_began() -> None:
    """What is started between two looks at the clock began between them."""
    for _ in range(20):
        before = linux.ticks()
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
            start = linux.process_start(process.pid)
            after = linux.ticks()
        assert start is not None
        assert before <= start <= after


def test_the_boot_has_a_name() -> None:
    """A UUID."""
    assert len(linux.boot_id().split("-")) == 5


def test_local_file_systems_are_not_taken_for_network_ones(tmp_path: Path) -> None:
    """Nor are those in memory."""
    assert linux.network_filesystem(tmp_path) is None
    assert linux.network_filesystem("/dev/shm") is None


def test_the_type_of_a_file_system_is_told() -> None:
    """As mount(8) calls it."""
    assert linux.filesystem("/proc") == "proc"
    with pytest.raises(FileNotFoundError):
        linux.filesystem("/no/such/place")


def test_nothing_slow_is_imported_until_it_is_needed() -> None:
    """Commands that only look at a process do not pay for ctypes."""
    source = (
        "import sys; from flytesched import linux; linux.boot_id(); linux.process_start(1);"
        "linux.network_filesystem('/'); sys.exit('ctypes' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", source], check=True)
