"""The file of the run log: how it is made, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_run

from flytesched.core.decision import Decision
from flytesched.core.runs import RunStatus
from flytesched.errors import RunLogBusy, RunLogError
from flytesched.runlog.database import APPLICATION_ID, open_to_read
from flytesched.runlog.migrations import LATEST, migrate, schema_version
from flytesched.runlog.reading import open_reader
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the umask is."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_only_the_owner_may_look_at_a_run_log_and_its_folder(path: Path) -> None:
    log = SqliteRunLog(path)
    log.apply(Decision(runs=(a_run(),)))
    assert mode(path.parent) == 0o700
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert {file.name for file in path.parent.iterdir()} == {
        "runs.db", "runs.db-wal", "runs.db-shm",
    }  # fmt: skip
    log.close()


def test_a_closed_run_log_is_one_file(path: Path) -> None:
    SqliteRunLog(path).close()
    assert [file.name for file in path.parent.iterdir()] == ["runs.db"]


def test_a_run_log_says_whose_it_is_and_writes_durably(sqlite_log: SqliteRunLog) -> None:
    said = {
        name: sqlite_log._all(f"PRAGMA {name}")[0][0]
        for name in ("application_id", "user_version", "journal_mode", "synchronous")
    }
    assert said == {
        "application_id": APPLICATION_ID,
        "user_version": LATEST,
        "journal_mode": "wal",
        "synchronous": 2,
    }


def test_what_was_written_is_there_when_it_is_opened_again(path: Path) -> None:
    first = SqliteRunLog(path)
    first.apply(Decision(runs=(a_run(),)))
    first.close()
    second = SqliteRunLog(path)
    assert [run.id for run in second.active()] == [a_run().id]
    second.close()


# -- refused --------------------------------------------------------------------------------------


def _foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE runs (id)")
    connection.close()


def _newer(path: Path) -> None:
    SqliteRunLog(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {LATEST + 1}")
    connection.close()


def _broken_schema(path: Path) -> None:
    SqliteRunLog(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3996)


def _symbolic_link(path: Path) -> None:
    SqliteRunLog(path.with_name("elsewhere.db")).close()
    path.symlink_to("elsewhere.db")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda path: path.write_text("no database\n" * 400), "is not a run log"),
    "nothing": (Path.touch, "is not a run log"),
    "a few bytes": (lambda path: path.write_bytes(b"SQLite format 3\0"), "is not a run log"),
    "another program's database": (_foreign_database, "is not a run log"),
    "a newer run log": (_newer, f"written by a newer flytesched .schema {LATEST + 1}"),
    "a damaged run log": (_broken_schema, "is damaged"),
    "a symbolic link": (_symbolic_link, "is a symbolic link"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "is a symbolic link"),
    "a folder": (Path.mkdir, "is not a file"),
    "a pipe": (os.mkfifo, "is not a file"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("opened", [SqliteRunLog, open_reader])
def test_what_is_no_run_log_is_refused_by_name_and_left_as_it_was(
    what: str, opened: Callable[[Path], object], path: Path
) -> None:
    put, sentence = REFUSED[what]
    path.parent.mkdir()
    put(path)
    before = _look(path.parent)
    with pytest.raises(RunLogError, match=sentence) as caught:
        opened(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 1
    after = _look(path.parent)
    assert {name: after[name] for name in before} == before
    # A reader leaves the index of a WAL it has looked at.
    assert set(after) - set(before) <= {"runs.db-shm", "runs.db-wal"}


def _look(folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() if file.is_file() and not file.is_symlink() else b""
        for file in folder.iterdir()
    }


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(RunLogError, match="cannot use the run log"):
        SqliteRunLog(tmp_path / "state" / "runs.db")


@pytest.mark.parametrize("name", ["with space?.db", "per%cent#.db", "ümlaut.db"])
def test_the_name_of_the_file_may_hold_anything(tmp_path: Path, name: str) -> None:
    SqliteRunLog(tmp_path / name).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]


# -- readers --------------------------------------------------------------------------------------


def test_no_run_log_yet_reads_as_none_and_none_is_made(path: Path) -> None:
    assert open_reader(path) is None
    assert not path.parent.exists()


def test_opening_what_is_not_there_for_reading_says_so(path: Path) -> None:
    with pytest.raises(RunLogError, match="there is no run log"):
        open_to_read(path, timeout=0)


def _old_run_log(path: Path, version: int) -> None:
    """Make a run log as an earlier version wrote it, with a few runs."""
    with pytest.MonkeyPatch.context() as earlier:
        # The program of that version knew the migrations up to its own, and no more.
        earlier.setattr("flytesched.runlog.migrations.LATEST", version)
        log = SqliteRunLog(path)
        log.apply(Decision(runs=tuple(
            a_run(DAY + 60 * n, status=status) for n, status in enumerate(RunStatus)
        )))  # fmt: skip
        log.close()


@pytest.mark.parametrize("version", range(1, LATEST))
def test_a_run_log_of_an_earlier_version_is_read_as_it_is(path: Path, version: int) -> None:
    """Reading changes nothing, so what is newer in the schema is missed by nobody who reads."""
    _old_run_log(path, version)
    before = path.read_bytes()
    reader = open_reader(path)
    assert reader is not None
    for names in (None, ["backup"]):
        for status in RunStatus:
            assert [e.status for e in reader.history(names, statuses=[status])] == [status]
    reader.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", range(1, LATEST))
def test_a_run_log_of_an_earlier_version_becomes_one_of_this(path: Path, version: int) -> None:
    """With every row it had, and the schema that a new one gets."""
    _old_run_log(path, version)
    log, fresh = SqliteRunLog(path), SqliteRunLog(":memory:")
    assert schema_version(log._connection) == LATEST
    sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    assert log._all(sql) == fresh._all(sql)
    assert log.integrity_check(whole=True) == "integrity_check"
    assert [entry.status for entry in log.history()] == [*map(str, reversed(RunStatus))]
    log.close()
    fresh.close()


def test_a_migration_is_carried_out_whole_or_not_at_all() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE runs (in_the_way)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    names = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert (names, schema_version(connection)) == ([("runs",)], 0)
    connection.execute("DROP TABLE runs")
    migrate(connection)
    migrate(connection)
    assert schema_version(connection) == LATEST
    connection.close()


def test_a_reader_cannot_write(path: Path) -> None:
    SqliteRunLog(path).close()
    reader = open_reader(path)
    assert reader is not None
    with reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM runs")


def test_a_reader_sees_what_is_written_after_it_was_opened(
    sqlite_log: SqliteRunLog, path: Path
) -> None:
    with open_reader(path) or pytest.fail("there is one") as reader:
        sqlite_log.apply(Decision(runs=(a_run(),)))
        assert [run.id for run in reader.active()] == [a_run().id]


def test_a_reader_does_not_hold_up_a_writer_or_its_checkpoint(
    sqlite_log: SqliteRunLog, path: Path
) -> None:
    with open_reader(path) or pytest.fail("there is one") as reader:
        sqlite_log.apply(Decision(runs=(a_run(),)))
        reader.history(limit=1)
        assert sqlite_log.checkpoint()


# -- right now ------------------------------------------------------------------------------------


def test_a_locked_run_log_is_busy_and_nothing_is_written(path: Path) -> None:
    log = SqliteRunLog(path, busy_timeout=0.01)
    outsider = sqlite3.connect(path, isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunLogBusy, match="cannot be used right now"):
        log.apply(Decision(runs=(a_run(),)))
    outsider.close()
    assert log.active() == []
    assert log.apply(Decision(runs=(a_run(),))) == frozenset()
    log.close()


def test_a_full_run_log_is_busy_nothing_is_written_and_later_it_works(path: Path) -> None:
    log = SqliteRunLog(path)
    pages = log._pragma("page_count")
    log._pragma(f"max_page_count = {pages}")
    runs = tuple(a_run(60 * n, reason="long" * 500) for n in range(50))
    with pytest.raises(RunLogBusy, match="full"):
        log.apply(Decision(runs=runs))
    assert log.active() == []
    log._pragma("max_page_count = 100000")
    assert log.apply(Decision(runs=runs)) == frozenset()
    log.close()


def test_a_run_log_that_cannot_be_asked_may_have_changed(sqlite_log: SqliteRunLog) -> None:
    sqlite_log._connection.set_progress_handler(lambda: 1, 1)  # interrupts every statement
    assert sqlite_log.changed()
    sqlite_log._connection.set_progress_handler(None, 1)
    assert not sqlite_log.changed()


def test_an_interrupted_decision_leaves_nothing_behind(sqlite_log: SqliteRunLog) -> None:
    with pytest.raises(KeyboardInterrupt):
        _write_and_be_interrupted(sqlite_log)
    assert sqlite_log.meta() == {}
    sqlite_log.apply(Decision(meta={"works": "again"}))


def _write_and_be_interrupted(log: SqliteRunLog) -> None:
    with log.transaction() as connection:
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        raise KeyboardInterrupt


def test_the_schema_itself_keeps_a_verdict(sqlite_log: SqliteRunLog) -> None:
    sqlite_log.apply(Decision(runs=(a_run(status=RunStatus.FAILED, exit_code=1),)))
    for change in ("status = 'succeeded'", "exit_code = 0", "reason = 'x'", "ended = 0", "at = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="a verdict never changes"):
            sqlite_log._connection.execute(f"UPDATE runs SET {change}")


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO meta VALUES ('a', NULL)",
        "UPDATE runs SET status = 'lost'",
        "UPDATE runs SET status = 'failed'",
        "UPDATE runs SET ended = 1.0",
        "UPDATE runs SET origin = 'chance'",
        "UPDATE runs SET scheduled_at = 1",
        "UPDATE runs SET scheduled_at = NULL",
        "UPDATE runs SET attempt = 'two'",
        "INSERT INTO attempts (run, attempt, boot_id, ordered, survive, kill_after)"
        " VALUES (99, 1, 'b', 0, 1, 1)",
        "INSERT INTO gaps (schedule, after, until, count, reason, timing, created, closed_as)"
        " VALUES ('a', 0, 60, 1, 'x', '{}', 0, 'declined')",
    ],
)
def test_the_schema_refuses_what_cannot_be(sqlite_log: SqliteRunLog, row: str) -> None:
    sqlite_log.apply(Decision(runs=(a_run(),)))
    with pytest.raises(sqlite3.IntegrityError):
        sqlite_log._connection.execute(row)
