"""Damaged files and rows nobody can have written: one sentence, and everything as it was."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, MINUTELY, a_gap, a_run, a_state, an_attempt

from flytesched.core.decision import Decision
from flytesched.errors import RunLogBusy, RunLogError
from flytesched.runlog.migrations import LATEST
from flytesched.runlog.reading import open_reader
from flytesched.runlog.rows import to_gap, to_state
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flytesched.runlog.rows import Row


@pytest.fixture
def left(path: Path) -> dict[str, bytes]:
    """What a scheduler that was killed leaves: a database, and a WAL with all that is in it."""
    log = SqliteRunLog(path, holder=True)
    log.apply(Decision(runs=(a_run(),), attempts=(an_attempt(a_run()),), schedules=(a_state(),)))
    found = files(path)
    log.close()
    return found


def files(path: Path) -> dict[str, bytes]:
    """Return the files of a run log that outlast its processes."""
    names = (path.name, f"{path.name}-wal")
    return {name: path.with_name(name).read_bytes() for name in names}


def put(path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        path.with_name(name).write_bytes(data)


def spoil(path: Path, sql: str) -> None:
    """Write what no check of the schema lets through."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(sql)
    connection.close()


PAGE = 4096


@pytest.mark.parametrize("backwards", [False, True])
def test_a_checkpoint_that_was_killed_after_any_page_loses_nothing(
    path: Path, *, backwards: bool
) -> None:
    """Its first page may say more pages than the file has: they are in the WAL."""
    log = SqliteRunLog(path, holder=True)
    runs = tuple(a_run(slot=DAY + 60 * n) for n in range(300))
    log.apply(Decision(runs=runs, schedules=(a_state(),)))
    before = files(path)
    assert log.checkpoint()
    after = files(path)
    log.close()
    old, new = before[path.name], after[path.name]
    pages = range(0, len(new), PAGE)
    assert len(old) < len(new)
    for moved in range(1, len(pages)):
        chosen = pages[-moved:] if backwards else pages[:moved]
        mixed = bytearray(old.ljust(max(chosen, default=0), b"\0"))
        for at in chosen:
            mixed[at : at + PAGE] = new[at : at + PAGE]
        put(path, {path.name: bytes(mixed), f"{path.name}-wal": before[f"{path.name}-wal"]})
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        reader = open_reader(path)
        assert reader is not None
        assert len(reader.active()) == len(runs)
        reader.close()
        again = SqliteRunLog(path, holder=True)
        assert len(again.active()) == len(runs)
        assert again.integrity_check(whole=True) == "integrity_check"
        again.close()


def test_a_newer_run_log_is_refused_with_its_wal_beside_it(
    path: Path, left: dict[str, bytes]
) -> None:
    """The last connection to a database moves its WAL into it, unless it is kept from that."""
    database = bytearray(left[path.name])
    database[60:64] = (LATEST + 1).to_bytes(4, "big")
    put(path, {path.name: bytes(database), f"{path.name}-wal": b""})
    newer = files(path)
    with pytest.raises(RunLogError, match="newer flytesched"):
        SqliteRunLog(path, holder=True)
    assert files(path) == newer


@pytest.mark.parametrize("version", [0, -1, -(2**24)])
@pytest.mark.parametrize("opened", [SqliteRunLog, open_reader])
def test_a_schema_with_a_number_that_none_has_is_damage(
    path: Path, version: int, opened: Callable[[Path], object]
) -> None:
    """No migration begins there."""
    SqliteRunLog(path).close()
    spoil(path, f"PRAGMA user_version = {version}")
    with pytest.raises(RunLogError, match=f"damaged: its schema has the number {version}"):
        opened(path)


@pytest.mark.parametrize("table", ["meta", "gaps", "counters"])
def test_a_damaged_run_log_stays_as_it_was_with_its_wal(
    path: Path, left: dict[str, bytes], table: str
) -> None:
    """Whoever wants to save something from it finds all there is."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
    ).fetchone()
    connection.close()
    database = bytearray(left[path.name])
    database[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    put(path, {**left, path.name: bytes(database)})
    damaged = files(path)
    log = SqliteRunLog(path, holder=True)
    with pytest.raises(RunLogError, match="is damaged") as caught:
        log.integrity_check()
    log.close()
    assert len(caught.value.message.splitlines()) == 1
    assert files(path) == damaged


def test_a_run_log_that_cannot_be_checked_now_stays_open(path: Path) -> None:
    log = SqliteRunLog(path)
    log._connection.set_progress_handler(lambda: 1, 1)  # interrupts every statement
    with pytest.raises(RunLogBusy):
        log.integrity_check()
    log._connection.set_progress_handler(None, 1)
    assert log.integrity_check() == "integrity_check"
    log.close()


def test_a_schema_that_is_no_text_is_damage(path: Path) -> None:
    """SQLite quotes it in its message, which Python then cannot read."""
    SqliteRunLog(path).close()
    content = path.read_bytes()
    assert content.count(b"CREATE TABLE meta") == 1
    path.write_bytes(content.replace(b"CREATE TABLE meta", b"CREATE \xffABLE meta"))
    for opened in (SqliteRunLog, open_reader):
        with pytest.raises(RunLogError, match="damaged"):
            opened(path)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE runs SET status = 'lost'", "a run whose status cannot be"),
        ("UPDATE runs SET origin = 'chance'", "a run whose origin cannot be"),
        ("UPDATE runs SET reason = CAST(x'ff' AS TEXT)", "UTF-8"),
    ],
)
def test_a_run_that_cannot_be_is_said_by_whoever_meets_it(
    path: Path, left: dict[str, bytes], sql: str, words: str
) -> None:
    put(path, left)
    spoil(path, sql)
    reader = open_reader(path)
    assert reader is not None
    with reader:
        for question in (reader.active, reader.history, lambda: reader.run(a_run().id)):
            with pytest.raises(RunLogError, match=words):
                question()


@pytest.mark.parametrize(
    ("what", "made", "row"),
    [
        ("a schedule", to_state, ("backup", 1, MINUTELY, 1, DAY, 0.0, None, None, "{}")),
        ("a gap", to_gap, (1, "backup", DAY, DAY, 0, "no scheduler", MINUTELY, 0.0, None, None)),
    ],
)
def test_a_column_of_another_type_is_damage(
    what: str, made: Callable[[Row], object], row: Row
) -> None:
    """One byte in the header of a row makes a number of a text."""
    assert made(row)
    for place in range(len(row)):
        with pytest.raises(RunLogError, match=f"there is {what} whose .* cannot be"):
            made((*row[:place], b"\0", *row[place + 1 :]))


@pytest.mark.parametrize("timing", ["x", '{"kind": "cron", "expression": 5, "timezone": []}'])
def test_of_a_gap_that_nobody_can_read_the_slot_is_shown_that_it_names_itself(
    path: Path, timing: str
) -> None:
    """One such gap must not take away all history: zones leave machines."""
    log = SqliteRunLog(path)
    gaps = (a_gap(DAY, DAY + 180), a_gap(DAY, DAY + 120, schedule="odd", timing=timing))
    log.apply(Decision(gaps=gaps))
    said = sorted((entry.schedule, entry.at - DAY) for entry in log.history())
    assert said == [("backup", 60), ("backup", 120), ("backup", 180), ("odd", 120)]
    assert log.history(["odd"], until=DAY + 100) == []
    log.close()
