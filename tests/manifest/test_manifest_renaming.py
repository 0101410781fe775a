"""Another name for a schedule in a manifest's text, whatever way its table is written."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.errors import Conflict, FlyteschedError, InvalidManifest, NotFound
from flytesched.manifest.edit import rename
from flytesched.manifest.renaming import renamed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = {
    "a header": (
        '# backup\n[schedules.backup] # backup\nevery = "1h"\ncommand = "backup"\n',
        '# backup\n[schedules.spare] # backup\nevery = "1h"\ncommand = "backup"\n',
    ),
    "blanks and quotes": (
        '  [ schedules . "backup" ]\nevery = "1h"\r\ncommand = "backup"',
        '  [ schedules . spare ]\nevery = "1h"\r\ncommand = "backup"',
    ),
    "tables below": (
        "[schedules.backup.env]\nA = '1'\n[schedules.backup-2]\n[schedules.backup]\n"
        "[[schedules.backup.x.y]]\n",
        "[schedules.spare.env]\nA = '1'\n[schedules.backup-2]\n[schedules.spare]\n"
        "[[schedules.spare.x.y]]\n",
    ),
    "dotted keys": (
        'schedules.backup.every = "1h"\nschedules.backup.env.backup = "backup"\n',
        'schedules.spare.every = "1h"\nschedules.spare.env.backup = "backup"\n',
    ),
    "dotted keys below a header": (
        '[schedules]\nbackup.every = "1h" # backup.every\nbackup . env.A = "1"\n',
        '[schedules]\nspare.every = "1h" # backup.every\nspare . env.A = "1"\n',
    ),
    "an inline table": (
        '[schedules]\nbackup = { every = "1h" }\n',
        '[schedules]\nspare = { every = "1h" }\n',
    ),
    "all of them inline": (
        'schedules = { other.backup = 1, backup.every = "1h", "backup".env = {} }\n',
        'schedules = { other.backup = 1, spare.every = "1h", spare.env = {} }\n',
    ),
    "names that only look like it": (
        "[defaults]\nbackup = 1\n[x.backup]\n"
        "[schedules.x.backup]\n[schedules.backup]\nbackup = 1\n",
        "[defaults]\nbackup = 1\n[x.backup]\n[schedules.x.backup]\n[schedules.spare]\nbackup = 1\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_only_the_name_is_another(before: str, after: str) -> None:
    """Wherever it stands in a key; comments and values that say it stay."""
    assert renamed(before, "backup", "spare") == after
    assert renamed(after, "spare", "backup").replace('"', "") == before.replace('"', "")


def test_a_name_that_needs_quotes_gets_them() -> None:
    """A dot would make two names of it."""
    assert renamed("[schedules.backup]\n", "backup", "v1.2") == '[schedules."v1.2"]\n'
    assert renamed('[schedules."v1.2".env]\n', "v1.2", "v2") == "[schedules.v2.env]\n"


@given(
    st.lists(st.sampled_from(["a", "b", "a-b", "a.b"]), min_size=1, max_size=4, unique=True),
    st.sampled_from(
        ["[schedules.{}]\nx = 1\n", "schedules.{}.x = 1\n", "schedules.{} = {{x = 1}}\n"]
    ),
)
def test_the_model_differs_in_the_name_alone(names: list[str], form: str) -> None:
    """Whatever else there is."""
    text = "".join(form.format(f'"{name}"') for name in names)

    found = tomllib.loads(renamed(text, names[0], "new"))["schedules"]

    assert found == {"new" if name == names[0] else name: {"x": 1} for name in names}


TEXT = 'version = 1\n[schedules.a]\nevery = "1h"\ncommand = "true"\n[schedules.b]\nfaulty = true\n'


def test_faults_elsewhere_are_left_to_whoever_made_them(tmp_path: Path) -> None:
    """They are no reason to refuse."""
    path = tmp_path / "schedules.toml"
    path.write_text(TEXT)

    rename(path, "a", "c")

    assert path.read_text() == TEXT.replace("schedules.a", "schedules.c")


@pytest.mark.parametrize(
    ("old", "new", "kind", "told"),
    [
        ("a", "b", Conflict, "there is a schedule 'b' already"),
        ("x", "y", NotFound, "there is no schedule 'x'"),
        ("a", "not good", InvalidManifest, "'not good' is not a name for a schedule"),
        ("a", "", InvalidManifest, "'' is not a name for a schedule"),
        ("b", "c", InvalidManifest, "c: has no command"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, kind: type[FlyteschedError], told: str, *, dry_run: bool
) -> None:
    """Tried or meant, and nothing is changed."""
    path = tmp_path / "schedules.toml"
    path.write_text(TEXT)

    with pytest.raises(kind, match=told):
        rename(path, old, new, dry_run=dry_run)

    assert path.read_text() == TEXT


def test_what_somebody_saves_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """An editor does not know the lock."""
    path = tmp_path / "schedules.toml"
    path.write_text(TEXT)

    @contextmanager
    def beside() -> Iterator[None]:
        path.write_text(TEXT + "# mine\n")
        yield

    with pytest.raises(Conflict, match="somebody else has changed it"):
        rename(path, "a", "c", beside=beside)

    assert path.read_text() == TEXT + "# mine\n"
