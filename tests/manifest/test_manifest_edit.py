"""Edits of the manifest as a file: locked, compared, replaced whole, or refused without a trace."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from flytesched.errors import Conflict, FlyteschedError, Invalid, InvalidManifest, NotFound
from flytesched.manifest import NoManifest, edit, read
from flytesched.manifest.edit import REMOVE, Change, put, remove, rewrite, update

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = {"cron": "0 2 * * *", "command": "true"}
TEXT = """\
# mine
version = 1

[schedules.backup]   # nightly
cron = "0 2 * * *"
command = "backup"   # all of it

# the end
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "schedules.toml"
    path.write_text(TEXT)
    return path


def listing(folder: Path) -> list[str]:
    """Return what lies in a folder, but for the lock."""
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock"))


def test_the_first_schedule_makes_the_manifest(tmp_path: Path) -> None:
    """With folder and version, for its owner's eyes only, as env may hold secrets."""
    path = tmp_path / "config" / "flytesched" / "schedules.toml"
    change = put(path, "backup", TABLE)
    assert (change.before, change.after) == (None, TABLE)
    assert path.read_text() == (
        'version = 1\n\n[schedules.backup]\ncron = "0 2 * * *"\ncommand = "true"\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(read(path).schedules) == ["backup"]


@pytest.mark.parametrize("text", ["", "# for later", "# a\r\n\r\n"])
def test_a_file_without_keys_gets_the_version_below_its_comments(tmp_path: Path, text: str) -> None:
    """As if it were not there."""
    path = tmp_path / "m.toml"
    path.write_bytes(text.encode())
    put(path, "backup", TABLE)
    assert path.read_bytes().startswith(text.encode())
    assert list(read(path).schedules) == ["backup"]


def test_an_edit_returns_what_was_and_what_is(manifest: Path) -> None:
    """For the command to show, and to undo."""
    (change,) = update(manifest, {"backup": {"enabled": False, "pause_reason": "holidays"}})
    assert change.before == {"cron": "0 2 * * *", "command": "backup"}
    assert change.after == {**change.before, "enabled": False, "pause_reason": "holidays"}
    (change,) = update(manifest, {"backup": {"enabled": REMOVE, "pause_reason": REMOVE}})
    assert manifest.read_text() == TEXT
    (change,) = remove(manifest, ["backup"])
    assert change.after is None
    assert manifest.read_text() == "# mine\nversion = 1\n\n\n# the end\n"


def test_an_edit_that_changes_nothing_writes_nothing(manifest: Path) -> None:
    """Enabling what is enabled leaves even the time of the file."""
    before = manifest.stat()
    assert not any(update(manifest, {"backup": {"cron": "0 2 * * *", "jitter": REMOVE}}))
    assert manifest.stat() == before


def test_adding_what_is_there_is_a_conflict_unless_it_shall_be_replaced(manifest: Path) -> None:
    """No schedule is lost by a name that was taken."""
    with pytest.raises(Conflict, match="'backup' already"):
        put(manifest, "backup", TABLE)
    assert manifest.read_text() == TEXT
    put(manifest, "backup", TABLE, replace=True)
    assert manifest.read_text() == TEXT.replace('"backup"', '"true"')


@pytest.mark.parametrize(
    "change", [lambda p: update(p, {"bakcup": {}}), lambda p: remove(p, ["bakcup"])]
)
def test_an_unknown_name_gets_a_suggestion(
    manifest: Path, change: Callable[[Path], object]
) -> None:
    """Exit code 3, and nothing is touched."""
    with pytest.raises(NotFound, match="'bakcup'") as caught:
        change(manifest)
    assert caught.value.hint == "did you mean 'backup'?"
    assert manifest.read_text() == TEXT


def test_one_wrong_name_among_several_changes_none(manifest: Path) -> None:
    """All of them, or none."""
    with pytest.raises(NotFound):
        remove(manifest, ["backup", "nothing"])
    assert manifest.read_text() == TEXT


def test_a_faulty_table_is_refused_with_every_fault(manifest: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InvalidManifest) as caught:
        update(manifest, {"backup": {"overlap": "maybe", "timeout": "soon"}})
    assert len(caught.value.faults) == 2
    with pytest.raises(InvalidManifest, match="is not a name"):
        put(manifest, "../x", TABLE)
    assert manifest.read_text() == TEXT
    assert listing(manifest.parent) == ["schedules.toml"]


def test_faults_elsewhere_do_not_stand_in_the_way(manifest: Path) -> None:
    """Somebody else's broken table, an unknown one, even arrays of tables, stay as they are."""
    broken = TEXT + '[schedules.bad]\ncron = "x"\n\n[[zoo]]\na = [nan]\n[settings]\nq = 1\n'
    manifest.write_text(broken)
    update(manifest, {"backup": {"enabled": False}})
    assert manifest.read_text() == broken.replace("# all of it\n", "# all of it\nenabled = false\n")
    remove(manifest, ["bad"])
    put(manifest, "new", TABLE)
    assert tomllib.loads(manifest.read_text())["schedules"].keys() == {"backup", "new"}


def test_a_text_that_is_no_toml_is_not_edited(manifest: Path) -> None:
    """Guessing what a broken file means could lose what its owner meant."""
    manifest.write_text(TEXT + "[half\n")
    with pytest.raises(InvalidManifest, match=r":9: is not TOML"):
        put(manifest, "new", TABLE)
    assert manifest.read_text() == TEXT + "[half\n"


def test_only_adding_makes_a_manifest(tmp_path: Path) -> None:
    """The other edits say that there is none, and leave no lock behind."""
    path = tmp_path / "none.toml"
    with pytest.raises(NoManifest, match=r"there is no manifest here"):
        remove(path, ["backup"])
    assert not list(tmp_path.iterdir())


def test_a_symbolic_link_stays_and_its_target_is_replaced(manifest: Path, tmp_path: Path) -> None:
    """As dotfiles in git have it, over several links and folders."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "one.toml").symlink_to("two.toml")
    (folder / "two.toml").symlink_to(manifest)
    update(folder / "one.toml", {"backup": {"enabled": False}})
    assert (folder / "one.toml").is_symlink()
    assert (folder / "two.toml").is_symlink()
    assert "enabled = false" in manifest.read_text()
    assert listing(folder) == ["one.toml", "two.toml"]


def test_a_link_to_nothing_yet_makes_its_target(tmp_path: Path) -> None:
    """The link was made first."""
    (tmp_path / "link.toml").symlink_to(tmp_path / "git" / "m.toml")
    put(tmp_path / "link.toml", "backup", TABLE)
    assert (tmp_path / "link.toml").is_symlink()
    assert list(read(tmp_path / "git" / "m.toml").schedules) == ["backup"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o700])
def test_mode_and_owner_are_kept(manifest: Path, mode: int) -> None:
    """A file of another user edited by root stays that user's."""
    if os.geteuid() == 0:
        os.chown(manifest, 12345, 54321)
    manifest.chmod(mode)
    before = manifest.stat()
    update(manifest, {"backup": {"enabled": False}})
    after = manifest.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip
    assert after.st_ino != before.st_ino


def test_extended_attributes_are_kept(manifest: Path) -> None:
    """Access lists are such attributes."""
    try:
        os.setxattr(manifest, "user.note", b"mine")
    except OSError:
        pytest.skip("the file system has no user attributes")
    update(manifest, {"backup": {"enabled": False}})
    assert os.getxattr(manifest, "user.note") == b"mine"


def test_a_read_only_file_is_refused_for_root_too(manifest: Path) -> None:
    """Somebody took the write bits away on purpose."""
    manifest.chmod(0o444)
    with pytest.raises(FlyteschedError, match="is read-only") as caught:
        update(manifest, {"backup": {"enabled": False}})
    assert caught.value.exit_code == 1
    assert manifest.read_text() == TEXT
    assert listing(manifest.parent) == ["schedules.toml"]


def test_a_manifest_is_edited_under_one_lock_whatever_name_it_is_given(
    manifest: Path, tmp_path: Path
) -> None:
    """The lock belongs to what the links lead to."""
    from filelock import FileLock

    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.toml"
    link.symlink_to(manifest)
    with (
        FileLock(tmp_path / ".schedules.toml.lock"),
        pytest.raises(Conflict, match="another command is editing it"),
    ):
        update(link, {"backup": {"enabled": False}}, lock_timeout=0)
    update(link, {"backup": {"enabled": False}}, lock_timeout=0)


def test_many_tables_are_changed_at_once(tmp_path: Path) -> None:
    """As a glob does, with one reading and one writing."""
    path = tmp_path / "m.toml"
    names = [f"s{number}" for number in range(500)]
    tables = "".join(f'[schedules.{name}]\nevery = "1h"\ncommand = "x"\n' for name in names)
    path.write_text("version = 1\n" + tables)
    assert len(update(path, {name: {"enabled": False} for name in names})) == 500
    assert not any(schedule.enabled for schedule in read(path).schedules.values())
    remove(path, names)
    assert path.read_text() == "version = 1\n"


def test_an_editors_text_is_checked_whole_and_must_not_run_over_others(manifest: Path) -> None:
    """What `edit` does after the editor has ended."""
    with pytest.raises(InvalidManifest, match=r":8: backup\.overlap"):
        rewrite(manifest, TEXT.replace("# the end", "overlap = 1"), was=TEXT)
    rewrite(manifest, TEXT + "# more\n", was=TEXT)
    with pytest.raises(Conflict, match="somebody else"):
        rewrite(manifest, TEXT, was=TEXT)
    assert manifest.read_text() == TEXT + "# more\n"


WRITER = """
import sys
from pathlib import Path
from flytesched.manifest.edit import put, update

path, who, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(rounds):
    put(path, f"{who}{number}", {"every": "1h", "command": who}, lock_timeout=60)
    update(path, {f"{who}{number}": {"enabled": False}}, lock_timeout=60)
"""


def test_two_writers_at_once_lose_nothing(manifest: Path) -> None:
    """Real processes, and a reader who never sees a part."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(manifest), who, "15"])
        for who in ("left", "right")
    ]
    while any(writer.poll() is None for writer in writers):
        assert "backup" in read(manifest).schedules
    assert [writer.wait() for writer in writers] == [0, 0]
    schedules = read(manifest).schedules
    assert len(schedules) == 31
    assert sum(not schedule.enabled for schedule in schedules.values()) == 30
    assert manifest.read_text().startswith(TEXT)
    assert listing(manifest.parent) == ["schedules.toml"]


def test_a_full_disk_leaves_the_manifest_as_it_was(manifest: Path) -> None:
    """A limit on file size stands for the full disk: the write fails half-way."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from flytesched.errors import FlyteschedError\n"
        "from flytesched.manifest.edit import update\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try:\n"
        "    update(Path(sys.argv[1]), {'backup': {'enabled': False}})\n"
        "except FlyteschedError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(manifest)], capture_output=True, text=True, check=True
    )
    assert "cannot be written: File too large" in done.stdout
    assert manifest.read_text() == TEXT
    assert listing(manifest.parent) == ["schedules.toml"]


def test_what_an_editor_saves_meanwhile_is_not_lost(manifest: Path) -> None:
    """Editors know no lock, so the file is read once more before it is replaced."""
    saved = iter([TEXT + "# one\n", TEXT + "# two\n"])

    def wish(tables: dict[str, dict[str, object]]) -> list[Change]:
        if text := next(saved, None):
            manifest.write_text(text)
        before = tables["backup"]
        return [Change(name="backup", before=before, after={**before, "enabled": False})]

    edit._edit(manifest, wish, "UTC", 0)
    assert manifest.read_text() == (TEXT + "# two\n").replace("of it\n", "of it\nenabled = false\n")


def test_a_file_that_never_rests_is_a_conflict(manifest: Path) -> None:
    """After a few tries, with the other's text left as it is."""
    count = iter(range(100))

    def wish(_: object) -> list[Change]:
        manifest.write_text(TEXT + f"# {next(count)}\n")
        return [Change(name="new", before=None, after=TABLE)]

    with pytest.raises(Conflict, match="changes all the time"):
        edit._edit(manifest, wish, "UTC", 0)
    assert "schedules.new" not in manifest.read_text()


def test_what_a_crash_left_of_an_edit_is_cleared_away(manifest: Path) -> None:
    """No litter gathers beside the manifest."""
    (manifest.parent / ".schedules.toml.new").write_text("half")
    update(manifest, {"backup": {"enabled": False}})
    assert listing(manifest.parent) == ["schedules.toml"]


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """A place where nobody can make a lock."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FlyteschedError, match="cannot be locked for editing"):
        put(tmp_path / "file" / "m.toml", "x", TABLE)


@pytest.mark.parametrize("value", ["a\udcff", None, object()], ids=["bytes", "none", "object"])
def test_what_toml_cannot_say_is_refused(manifest: Path, value: object) -> None:
    """Such as an argument that is no UTF-8."""
    with pytest.raises(Invalid):
        update(manifest, {"backup": {"labels": {"x": value}}})
    with pytest.raises(Invalid):
        update(manifest, {"backup": {"command": ["a", value]}})
    assert manifest.read_text() == TEXT


def test_schedules_that_are_no_table_are_not_edited(manifest: Path) -> None:
    """There is no place to put one."""
    manifest.write_text("version = 1\n[[schedules]]\n")
    with pytest.raises(InvalidManifest, match="schedules: is no table"):
        put(manifest, "new", TABLE)


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\nschedules = { a.cron = '@daily', a.command = 'x', b = {} }\n",
        "version = 1\n[schedules]\na.cron = '@daily'\n[schedules.a.env]\nA = 'b'\n"
        "[schedules.a.labels]\nx = 'y'\n",
        "version = 1\nschedules.a = { cron = '@daily' }\n",
    ],
)
def test_odd_ways_of_writing_are_edited_too(manifest: Path, text: str) -> None:
    """Afresh, where single keys cannot be changed."""
    manifest.write_text(text)
    update(manifest, {"a": {"command": "z", "env": {"B": "c"}}})
    table = tomllib.loads(manifest.read_text())["schedules"]["a"]
    assert (table["cron"], table["command"], table["env"]) == ("@daily", "z", {"B": "c"})
