"""Records of supervisors: what lock and words mean, and that no attempt has two."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flytesched.core.runs import AttemptKey
from flytesched.executors.record import Records, Taken

KEY = AttemptKey("sched-job-1", 1)
OTHER = AttemptKey("sched-job-2", 1)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where records are, or will be."""
    return str(tmp_path / "active")


def _claimed(folder: str, words: bytes, *, key: AttemptKey = KEY) -> int:
    """Claim a record and write as its supervisor would."""
    fd = Records(folder).claim(key)
    os.write(fd, words)
    return fd


@pytest.mark.parametrize(
    ("words", "pid", "code"),
    [
        (b"", None, None),
        (b"S 12\n", 12, None),
        (b"S 12\nE 0\n", 12, 0),
        (b"S 12\nE 137\n", 12, 137),
        (b"S 12\nE 1", 12, None),
        (b"S x\n", None, None),
        (b"S 0\n", None, None),
        (b"S 99999999999999999999\n", None, None),
        (b"S 12\nE 256\n", 12, None),
        (b"S 12\nE " + b"9" * 400 + b"\n", 12, None),
    ],
)
@pytest.mark.parametrize("held", [True, False])
def test_a_record_tells_whether_its_supervisor_lives_and_what_it_said(
    folder: str, words: bytes, pid: int | None, code: int | None, *, held: bool
) -> None:
    """To whoever comes later; a word counts when it is whole."""
    fd = _claimed(folder, words)
    if not held:
        os.close(fd)

    found = Records(folder).look(KEY)

    assert found is not None
    assert (found.held, found.pid, found.code) == (held, pid, code)
    assert found.unused == (not held and words == b"")
    if held:
        os.close(fd)


@pytest.mark.parametrize("words", [b"S 12\n", b"S 12\nE 0\n", b"S x\n"])
def test_an_attempt_that_was_started_cannot_be_claimed_again(folder: str, words: bytes) -> None:
    """Whatever became of it."""
    os.close(_claimed(folder, words))

    with pytest.raises(Taken):
        Records(folder).claim(KEY)


def test_an_attempt_that_is_about_to_start_cannot_be_claimed_again(folder: str) -> None:
    """Its supervisor lives, though it has not said a word."""
    fd = _claimed(folder, b"")

    with pytest.raises(Taken):
        Records(folder).claim(KEY)
    os.close(fd)


def test_a_claim_of_which_nothing_came_is_taken_over(folder: str) -> None:
    """With the same record."""
    os.close(_claimed(folder, b""))

    os.close(Records(folder).claim(KEY))

    assert len(list(Path(folder).iterdir())) == 1


def test_a_record_that_is_given_is_not_given_again(folder: str) -> None:
    """Until it is released."""
    records = Records(folder)
    os.close(records.claim(KEY))
    os.close(records.claim(OTHER))

    assert len(list(Path(folder).iterdir())) == 2
    records.release([KEY])
    os.close(records.claim(AttemptKey("sched-job-3", 1)))

    assert len(list(Path(folder).iterdir())) == 2
    assert records.look(KEY) is None
    assert records.look(OTHER) is not None


def test_a_record_that_is_held_is_not_released(folder: str) -> None:
    """Whoever asks for it."""
    fd = _claimed(folder, b"S 12\n")
    records = Records(folder)

    records.release([KEY])
    records.sweep([])

    found = records.look(KEY)
    assert found is not None
    assert found.held
    os.close(fd)


def test_an_attempt_without_a_record_has_none(folder: str) -> None:
    """Not even a folder is needed to say so, and nothing is made."""
    records = Records(folder)

    assert records.look(KEY) is None
    assert records.written(KEY) is None
    records.release([KEY])
    records.sweep([])
    assert not Path(folder).exists()


def test_a_file_that_is_no_record_is_left_alone(folder: str) -> None:
    """Numbers that are none to int() too."""
    fd = _claimed(folder, b"")
    strangers = [Path(folder) / name for name in ("\u00b2", "\u0661", "-1", "notes")]
    for path in strangers:
        path.write_bytes(b"A sched-job-2.1\nS 1\n")

    records = Records(folder)

    assert records.look(OTHER) is None
    records.sweep([])
    assert all(path.stat().st_size for path in strangers)
    os.close(fd)


def test_unused_records_beyond_a_few_hundred_are_removed_by_a_sweep(folder: str) -> None:
    """A burst leaves more than anybody needs."""
    records = Records(folder)
    keys = [AttemptKey(f"sched-job-{number}", 1) for number in range(300)]
    for key in keys:
        os.close(records.claim(key))

    records.sweep([keys[0]])

    assert len(list(Path(folder).iterdir())) == 257
    assert records.look(keys[0]) is not None


def test_records_have_their_bytes_before_they_are_needed(folder: str) -> None:
    """A full disk cannot eat an end."""
    fd = Records(folder).claim(KEY)

    assert os.fstat(fd).st_blocks * 512 >= 512
    os.close(fd)
