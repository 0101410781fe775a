"""Waking the holder of the lock: a touched file, and changes in the manifest's folders."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from flytesched.wakeup import Wakeup, touch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory."""
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a manifest in it."""
    path = tmp_path / "config"
    path.mkdir()
    (path / "schedules.toml").write_text("version = 1\n")
    return path


@pytest.fixture
def wakeup(state: Path, folder: Path) -> Iterator[Wakeup]:
    """A wake-up that has said all there is to say so far."""
    made = Wakeup(state, [folder])
    quiet(made)
    yield made
    made.close()


def readable(wakeup: Wakeup, seconds: float = 0.0) -> bool:
    return bool(select.select([wakeup.fileno()], [], [], seconds)[0])


def quiet(wakeup: Wakeup) -> None:
    """Take all news."""
    while readable(wakeup):
        wakeup.drain()


def news(wakeup: Wakeup) -> bool:
    """Tell whether there is news, and take it; the kernel queues it before a change returns."""
    return readable(wakeup) and wakeup.drain()


# -- commands -------------------------------------------------------------------------------


def test_a_touch_of_another_process_is_news(state: Path, wakeup: Wakeup) -> None:
    program = (
        "import sys, pathlib; from flytesched.wakeup import touch; touch(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, str(state)], check=True)
    assert news(wakeup)


def test_each_touch_is_news_once(state: Path, wakeup: Wakeup) -> None:
    for _ in range(3):
        touch(state)
        assert news(wakeup)
        assert not readable(wakeup)


def test_without_a_touch_there_is_no_news(wakeup: Wakeup) -> None:
    assert not readable(wakeup)
    assert not wakeup.drain()
    assert not wakeup.polling


def test_other_files_of_the_state_directory_are_no_news(state: Path, wakeup: Wakeup) -> None:
    (state / "runs.db-wal").write_text("x")
    assert not readable(wakeup)


def test_the_touched_file_is_for_nobody_else(state: Path) -> None:
    touch(state)
    assert (state / "wake").stat().st_mode & 0o777 == 0o600


def test_a_wake_file_that_was_deleted_is_made_and_watched_again(
    state: Path, wakeup: Wakeup
) -> None:
    (state / "wake").unlink()
    assert news(wakeup)
    quiet(wakeup)
    touch(state)
    assert news(wakeup)
    assert not wakeup.polling


def test_a_wake_file_that_was_replaced_is_watched(state: Path, wakeup: Wakeup) -> None:
    (state / "new").write_text("")
    (state / "new").rename(state / "wake")
    quiet(wakeup)
    touch(state)
    assert news(wakeup)


def nothing(state: Path) -> None:
    state.rmdir()


def a_pipe(state: Path) -> None:
    os.mkfifo(state / "wake")


def a_directory(state: Path) -> None:
    (state / "wake").mkdir()


def a_link(state: Path) -> None:
    (state / "wake").symlink_to(state.parent / "elsewhere")


@pytest.mark.parametrize("make", [nothing, a_pipe, a_directory, a_link])
def test_a_touch_never_fails_and_never_hangs(state: Path, make: Callable[[Path], None]) -> None:
    make(state)
    touch(state)
    assert not (state.parent / "elsewhere").exists()


def test_where_the_wake_file_cannot_be_made_it_looks_once_a_second(tmp_path: Path) -> None:
    wakeup = Wakeup(tmp_path / "missing", [])
    assert wakeup.polling
    wakeup.close()


# -- the manifest ---------------------------------------------------------------------------


def writes_it(folder: Path) -> None:
    (folder / "schedules.toml").write_text("version = 1 # new\n")


def replaces_it(folder: Path) -> None:
    (folder / "new").write_text("version = 1 # new\n")
    (folder / "new").rename(folder / "schedules.toml")


def deletes_it(folder: Path) -> None:
    (folder / "schedules.toml").unlink()


def changes_its_mode(folder: Path) -> None:
    (folder / "schedules.toml").chmod(0o640)


def moves_it_away(folder: Path) -> None:
    (folder / "schedules.toml").rename(folder.parent / "schedules.toml")


@pytest.mark.parametrize(
    "edit", [writes_it, replaces_it, deletes_it, changes_its_mode, moves_it_away]
)
def test_an_edit_of_the_manifest_is_news(
    folder: Path, wakeup: Wakeup, edit: Callable[[Path], None]
) -> None:
    edit(folder)
    assert news(wakeup)


def test_a_manifest_being_written_is_not_read_half_done(folder: Path, wakeup: Wakeup) -> None:
    with (folder / "schedules.toml").open("a") as file:
        file.write("half a")
        file.flush()
        assert not readable(wakeup)
        file.write(" line\n")
    assert news(wakeup)


def test_folders_may_change(folder: Path, wakeup: Wakeup, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    wakeup.follow([other])
    quiet(wakeup)
    writes_it(folder)
    assert not readable(wakeup)
    (other / "schedules.toml").write_text("version = 1\n")
    assert news(wakeup)


def test_following_the_same_folders_again_is_quiet(folder: Path, wakeup: Wakeup) -> None:
    wakeup.follow([folder])
    assert not readable(wakeup)


def test_a_folder_that_another_took_the_place_of_is_followed(
    folder: Path, wakeup: Wakeup, tmp_path: Path
) -> None:
    """Deployments swap whole folders; the watch must not stay with the old one."""
    folder.rename(tmp_path / "old")
    folder.mkdir()
    assert news(wakeup)
    wakeup.follow([folder])
    quiet(wakeup)
    assert not wakeup.polling
    (folder / "schedules.toml").write_text("version = 1\n")
    assert news(wakeup)
    quiet(wakeup)
    writes_it(tmp_path / "old")
    assert not readable(wakeup)


def test_a_missing_folder_is_looked_for_until_it_is_there(
    folder: Path, wakeup: Wakeup, tmp_path: Path
) -> None:
    late = tmp_path / "late"
    wakeup.follow([folder, late])
    assert wakeup.polling
    assert wakeup.drain()
    late.mkdir()
    wakeup.follow([folder, late])
    assert not wakeup.polling
    quiet(wakeup)
    (late / "schedules.toml").write_text("version = 1\n")
    assert news(wakeup)


def test_news_lost_in_a_flood_is_news(folder: Path, state: Path) -> None:
    """The kernel drops events beyond its queue's length, and says so."""
    wakeup = Wakeup(state, [folder])
    with open("/proc/sys/fs/inotify/max_queued_events") as file:
        flood = int(file.read())
    if flood > 50_000:
        pytest.skip("a queue too long to fill in a test")
    names = [folder / "a", folder / "b"]
    names[0].write_text("")
    for n in range(flood // 2 + 10):
        names[n % 2].rename(names[1 - n % 2])
    quiet(wakeup)
    touch(state)
    assert news(wakeup)
    wakeup.close()


def test_a_waiting_thread_is_woken(state: Path, wakeup: Wakeup) -> None:
    threading.Timer(0.02, touch, (state,)).start()
    assert readable(wakeup, 60)


NO_INOTIFY = """
import select, sys
from pathlib import Path
from flytesched.wakeup import Wakeup
Path("/proc/sys/user/max_inotify_instances").write_text("0")
wakeup = Wakeup(Path(sys.argv[1]), [Path(sys.argv[1])])
quiet = not select.select([wakeup.fileno()], [], [], 0)[0]
wakeup.follow([Path("/")])
print(wakeup.polling, wakeup.drain(), quiet)
wakeup.close()
"""


def test_at_the_limit_of_inotify_it_looks_once_a_second(state: Path) -> None:
    """A user name space of its own has limits of its own."""
    unshare = ["unshare", "--user", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"]).returncode:
        pytest.skip("no user name spaces here")
    found = subprocess.run(
        [*unshare, sys.executable, "-c", NO_INOTIFY, str(state)], capture_output=True, text=True
    )
    assert (found.stdout, found.stderr) == ("True True True\n", "")
