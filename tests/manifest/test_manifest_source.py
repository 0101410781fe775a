"""A running scheduler's view of the manifest: news once, breakage once, never an empty set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from flytesched.errors import Invalid, InvalidManifest
from flytesched.manifest import NoManifest
from flytesched.manifest.source import ManifestSource

if TYPE_CHECKING:
    from pathlib import Path

TABLE = '[schedules.{}]\nevery = "1h"\ncommand = "true"\n'


def text_of(*names: str) -> str:
    return "version = 1\n" + "".join(TABLE.format(name) for name in names)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    manifest = tmp_path / "m.toml"
    manifest.write_text(text_of("a"))
    return manifest


@pytest.fixture
def source(path: Path) -> ManifestSource:
    """Return a source that has told its first set."""
    made = ManifestSource(path)
    assert names(made) == {"a"}
    return made


def names(source: ManifestSource) -> set[str] | None:
    roster = source.poll()
    return None if roster is None else set(roster.schedules)


def settle(source: ManifestSource) -> None:
    """Poll until the status of the file alone is believed."""
    for _ in range(4):
        assert source.poll() is None


def test_a_set_is_told_once(source: ManifestSource) -> None:
    """Until the file changes."""
    settle(source)


def test_a_change_is_told(source: ManifestSource, path: Path) -> None:
    """Written in place."""
    settle(source)
    path.write_text(text_of("a", "b"))
    assert names(source) == {"a", "b"}
    settle(source)


def test_a_replaced_file_of_the_same_size_and_time_is_told(
    source: ManifestSource, path: Path
) -> None:
    """As `mv`, `git checkout` and `rsync -t` leave it."""
    settle(source)
    status = path.stat()
    other = path.with_name("other")
    other.write_text(text_of("b"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert names(source) == {"b"}


def test_a_second_change_within_one_tick_of_the_file_clock_is_told(
    source: ManifestSource, path: Path
) -> None:
    """Such a change leaves no trace in the status, so a fresh status is doubted."""
    for name in "bcdefgh":
        path.write_text(text_of(name))
        assert names(source) == {name}


def test_a_touched_file_is_no_news(source: ManifestSource, path: Path) -> None:
    """The content is what counts."""
    settle(source)
    path.touch()
    settle(source)


def test_a_broken_file_is_said_once_and_mended_by_the_same_text(
    source: ManifestSource, path: Path
) -> None:
    """A half-written file is just that."""
    good = path.read_text()
    path.write_text(good[:-3])
    with pytest.raises(InvalidManifest, match="not TOML"):
        source.poll()
    assert source.broken is not None
    settle(source)
    path.write_text(good)
    assert names(source) == {"a"}
    assert source.broken is None


def test_each_other_breakage_is_said(source: ManifestSource, path: Path) -> None:
    """The sentence changes, so it is said again; the same sentence is not."""
    path.write_text("version = 2\n")
    with pytest.raises(Invalid, match="version: is 2"):
        source.poll()
    path.write_text("version = 2\n# more\n")
    assert source.poll() is None
    path.write_text("version = 3\n")
    with pytest.raises(Invalid, match="version: is 3"):
        source.poll()


def test_a_deleted_file_is_broken_and_not_empty(source: ManifestSource, path: Path) -> None:
    """Nothing is removed because a file is away for a moment."""
    text = path.read_text()
    path.unlink()
    with pytest.raises(NoManifest):
        source.poll()
    settle(source)
    path.write_text(text)
    assert names(source) == {"a"}


def test_a_manifest_may_come_later(tmp_path: Path) -> None:
    """A scheduler may be there before its first schedule."""
    source = ManifestSource(tmp_path / "later" / "m.toml")
    with pytest.raises(NoManifest):
        source.poll()
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "m.toml").write_text(text_of("a"))
    assert names(source) == {"a"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root distrusts what others may write")
def test_a_distrusted_file_is_told_once_it_is_trusted(source: ManifestSource, path: Path) -> None:
    """A change of mode alone is a change."""
    settle(source)
    path.chmod(0o666)
    with pytest.raises(InvalidManifest, match="by anybody"):
        source.poll()
    settle(source)
    path.chmod(0o600)
    assert names(source) == {"a"}


def test_a_link_put_elsewhere_is_told(tmp_path: Path) -> None:
    """Also a link among the folders on the way, as mounted configurations have it."""
    for version, name in (("one", "b"), ("two", "c")):
        folder = tmp_path / version
        folder.mkdir()
        (folder / "m.toml").write_text(text_of(name))
    link = tmp_path / "current"
    link.symlink_to("one")
    linked = ManifestSource(link / "m.toml")
    assert names(linked) == {"b"}
    link.unlink()
    link.symlink_to("two")
    assert names(linked) == {"c"}


def test_the_settings_of_the_last_good_text_are_at_hand(path: Path) -> None:
    """They change with the file, too."""
    source = ManifestSource(path)
    path.write_text(text_of("a") + "[settings]\nstart_rate = 2.0\n")
    source.poll()
    assert source.settings_table == {"start_rate": 2.0}
    path.write_text("[")
    with pytest.raises(InvalidManifest):
        source.poll()
    assert source.settings_table == {"start_rate": 2.0}


def test_the_watched_folders_are_those_where_a_change_can_happen(tmp_path: Path) -> None:
    """Of the file, and of every link on the way to it."""
    for name in ("etc", "git", "git/v1"):
        (tmp_path / name).mkdir()
    (tmp_path / "git" / "v1" / "m.toml").write_text(text_of("a"))
    (tmp_path / "git" / "now").symlink_to("v1")
    (tmp_path / "etc" / "m.toml").symlink_to("../git/now/m.toml")
    found = ManifestSource(tmp_path / "etc" / "m.toml").watched()
    assert [folder.relative_to(tmp_path).as_posix() for folder in found] == [
        "etc", "git", "git/v1",
    ]  # fmt: skip


def test_a_missing_folder_is_watched_for_from_above(tmp_path: Path) -> None:
    """The nearest one that is there."""
    assert ManifestSource(tmp_path / "a" / "b" / "m.toml").watched() == [tmp_path]


def test_links_in_a_loop_end_the_search(tmp_path: Path) -> None:
    """They are a broken state like others, mended in the folder they stand in."""
    (tmp_path / "m.toml").symlink_to("m.toml")
    source = ManifestSource(tmp_path / "m.toml")
    assert source.watched() == [tmp_path]
    with pytest.raises(InvalidManifest, match="loop"):
        source.poll()
    settle(source)
