"""The manifest's folders under several names, and under names that change their meaning."""

from __future__ import annotations

import errno
import os
import select
from typing import TYPE_CHECKING

import pytest

from flytesched import linux
from flytesched.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Place:
    """A state directory, and a folder with two names."""

    def __init__(self, base: Path) -> None:
        self.state, self.real, self.link = base / "state", base / "real", base / "link"
        self.state.mkdir(mode=0o700)
        self.real.mkdir()
        self.link.symlink_to(self.real)
        self.wakeup = Wakeup(self.state, [self.real, self.link])

    def hears(self, folder: Path) -> bool:
        """Tell whether a manifest written into a folder is news."""
        while self.pending():
            self.wakeup.drain()
        (folder / "schedules.toml").write_text("version = 1\n")
        return self.pending() and self.wakeup.drain()

    def pending(self) -> bool:
        return bool(select.select([self.wakeup.fileno()], [], [], 0)[0])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place that is watched."""
    made = Place(tmp_path)
    yield made
    made.wakeup.close()


@pytest.mark.parametrize("kept", ["real", "link"])
def test_a_folder_is_followed_as_long_as_one_of_its_names_is(place: Place, kept: str) -> None:
    """Inotify knows one watch for both, which must not end with the other name."""
    place.wakeup.follow([getattr(place, kept)])
    assert not place.wakeup.polling
    assert place.hears(place.real)


def test_a_link_that_leads_elsewhere_is_followed_there(place: Place, tmp_path: Path) -> None:
    place.wakeup.follow([place.link])
    other = tmp_path / "other"
    other.mkdir()
    place.link.unlink()
    place.link.symlink_to(other)
    place.wakeup.follow([place.link])
    assert place.hears(other)
    assert not place.hears(place.real)


def test_at_the_limit_of_watches_it_looks_once_a_second_until_there_is_room(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    watch = linux.Inotify.watch

    def full(self: linux.Inotify, path: Path, mask: int) -> None:
        if path == other:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        watch(self, path, mask)

    # The limit of watches belongs to the whole machine, or to a user with many other programs.
    with monkeypatch.context() as limited:
        limited.setattr(linux.Inotify, "watch", full)
        place.wakeup.follow([place.real, other])
        assert place.wakeup.polling
        assert place.hears(place.real)
    place.wakeup.follow([place.real, other])
    assert not place.wakeup.polling
    assert place.hears(other)
