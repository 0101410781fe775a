"""What stands at the manifest's path may be anything; the answer is one sentence, and soon."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flytesched.errors import InvalidManifest
from flytesched.manifest import NoManifest, load_manifest, read
from flytesched.manifest.disk import MAX_BYTES

GOOD = 'version = 1\n[schedules.ok]\nevery = "1h"\ncommand = "true"\n'


def refusal(path: Path) -> str:
    with pytest.raises(InvalidManifest) as caught:
        read(path)
    (said,) = caught.value.lines()
    assert said.startswith(f"{path}: ")
    return said.removeprefix(f"{path}: ")


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    """It is told apart from a faulty one."""
    with pytest.raises(NoManifest, match="no manifest here; `flytesched add` writes the first one"):
        read(tmp_path / "none.toml")


def test_a_program_gets_the_schedules_of_a_file(tmp_path: Path) -> None:
    """The public function, with a path as text."""
    (tmp_path / "m.toml").write_text(GOOD)
    (schedule,) = load_manifest(str(tmp_path / "m.toml"))
    assert schedule.name == "ok"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """The usual slip with --manifest."""
    assert refusal(tmp_path) == "is a directory; name a file"


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    """Opening it plainly would hang."""
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path / "fifo") == "is a FIFO; name a file"


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty"])
def test_a_device_is_refused(device: str) -> None:
    """Even one that never ends."""
    assert refusal(Path(device))


def test_a_socket_is_refused(tmp_path: Path) -> None:
    """It cannot even be opened."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert "is a socket" in refusal(tmp_path / "socket")


def test_links_in_a_loop_are_refused(tmp_path: Path) -> None:
    """No traceback of too many levels."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert refusal(tmp_path / "a") == "is a symbolic link in a loop; mend the link"


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    """It is neither missing nor a folder."""
    (tmp_path / "file").write_text("")
    assert "lies below something that is no directory" in refusal(tmp_path / "file" / "m.toml")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    """Too long, or with a NUL."""
    assert "too long a name" in refusal(tmp_path / ("x" * 300))
    assert "NUL" in refusal(tmp_path / "a\0b")


def test_a_file_beyond_the_bound_is_refused_unread(tmp_path: Path) -> None:
    """A sparse file costs the test nothing."""
    with (tmp_path / "big").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal(tmp_path / "big").startswith("is larger than 64 MiB")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    """Permission is named, not the errno."""
    path = tmp_path / "m.toml"
    path.write_text(GOOD)
    path.chmod(0)
    assert "may not be read by you" in refusal(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's commands need this care")
@pytest.mark.parametrize(
    ("mode", "group", "words"),
    [(0o646, 0, "by anybody"), (0o664, 1234, "by a group other than root's")],
)
def test_root_does_not_run_what_others_may_write(
    tmp_path: Path, mode: int, group: int, words: str
) -> None:
    """As cron refuses such crontabs."""
    path = tmp_path / "m.toml"
    path.write_text(GOOD)
    os.chown(path, 0, group)
    path.chmod(mode)
    assert words in refusal(path)
    os.chown(path, 0, 0)
    path.chmod(0o664)
    assert read(path).schedules
