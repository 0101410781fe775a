"""The file of the run log: made whole, opened with care, refused by name.

A run log appears at its path complete, with its schema, by a hard link: no process ever meets half
of one, and two that make it at once end up with the same. What is not a run log of this program,
or not one it understands, is refused before anything is written.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.errors import RunLogBusy, RunLogError
from flytesched.runlog.migrations import LATEST, migrate, schema_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: ``PRAGMA application_id`` of a run log: "flys".
APPLICATION_ID = 0x666C7973
#: What SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal")
#: STRICT tables came with this one.
_OLDEST_SQLITE = (3, 37, 0)
#: Primary result codes that may be different at the next try.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
#: Characters of what SQLite says that are passed on; it may quote what is stored.
_MOST = 300
_RESTORE = "move it away or restore a backup; it is never overwritten"


def translate(error: sqlite3.Error, name: str) -> RunLogError:
    """Return what an error of SQLite means for the run log ``name``."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    said = " ".join(str(error).split())[:_MOST]
    if code in _PASSING:
        return RunLogBusy(f"the run log {name} cannot be used right now: {said}")
    # Without a code: bytes in a text that are no UTF-8.
    damaged = not code and isinstance(error, sqlite3.OperationalError)
    if damaged or code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return RunLogError(f"the run log {name} is damaged: {said}", hint=_RESTORE)
    return RunLogError(f"the run log {name} refuses: {said}")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise errors of SQLite as RunLogError or RunLogBusy."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, name) from error
    except UnicodeDecodeError as error:
        # Python cannot read SQLite's message, which quotes a damaged schema.
        what = f"the run log {name} is damaged: its schema is not UTF-8 text"
        raise RunLogError(what, hint=_RESTORE) from error


def open_database(path: Path, *, timeout: float) -> sqlite3.Connection:
    """Open a run log for writing; make it if there is none.

    Args:
        path: the file. Its folder is made (0700) if it is missing; the file gets 0600.
        timeout: seconds to wait for another writer.

    Raises:
        RunLogError: the file is foreign, damaged, newer than this program, or not to be had.
        RunLogBusy: it cannot be opened right now.
    """
    with translated(str(path)), _spoken(path):
        if not os.path.lexists(path):
            _make(path)
        _refuse_foreign(path)
        connection = _connect(path, "mode=rw", timeout)
        try:
            _refuse_newer(connection, path)
            migrate(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            close_unchanged(connection, path)
            raise
        return connection


def open_to_read(path: Path, *, timeout: float) -> sqlite3.Connection:
    """Open a run log that exists for reading alone: never made, migrated or checkpointed.

    One that lies in a folder that cannot be written, such as a backup, can be read where nobody
    left a WAL beside it.

    Raises:
        RunLogError: there is none, or it is foreign, damaged, newer than this program.
        RunLogBusy: it cannot be opened right now.
    """
    with translated(str(path)), _spoken(path):
        _refuse_foreign(path)
        connection = _connect(path, "mode=ro" + "&immutable=1" * _at_rest(path), timeout)
        try:
            _refuse_newer(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def probe_writing(path: Path, *, timeout: float) -> None:
    """Take the lock of writers for a moment, and write nothing; a schema is left as it is.

    Raises:
        RunLogError: the run log cannot be written, as `open_database` says.
        RunLogBusy: it cannot be written right now.
    """
    with translated(str(path)), _spoken(path):
        _refuse_foreign(path)
        connection = _connect(path, "mode=rw", timeout)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        finally:
            connection.close()


def close_unchanged(connection: sqlite3.Connection, path: Path) -> None:
    """Close a run log without the checkpoint that the last connection to leave it makes.

    SQLite leaves the files alone while another connection, here one that cannot write, has them
    open: what is refused stays as it was, for whoever wants to save something from it.
    """
    with suppress(sqlite3.Error):
        beside = _connect(path, "mode=ro", 0)
        try:
            with suppress(sqlite3.Error):
                beside.execute("SELECT NULL FROM sqlite_schema LIMIT 1")
            connection.close()
        finally:
            beside.close()


def open_in_memory() -> sqlite3.Connection:
    """Make a run log that ends with its connection."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect(path: Path, options: str, timeout: float) -> sqlite3.Connection:
    # One process may use a connection from several threads; the log's own lock orders them.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=timeout, isolation_level=None,
        check_same_thread=False, cached_statements=256,
    )  # fmt: skip


@contextmanager
def _spoken(path: Path) -> Iterator[None]:
    """Raise errors of the file system as RunLogError."""
    try:
        yield
    except FileNotFoundError as error:
        what = f"there is no run log {path} yet"
        raise RunLogError(what, hint="'flytesched run' makes it") from error
    except OSError as error:
        kind = RunLogBusy if error.errno in linux.PASSING else RunLogError
        what = f"cannot use the run log {path}: {error.strerror}"
        raise kind(what) from error


def _make(path: Path) -> None:
    """Make an empty run log under another name, then give it its own; losing that race is fine."""
    linux.make_folders(path.parent)
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)  # whatever the umask; SQLite gives its other files the same
        os.close(descriptor)
        _fill(draft)
        with suppress(FileExistsError):
            os.link(draft, path)
        linux.sync_folder(path.parent)
    finally:
        for ending in ("", *_BESIDE):
            draft.with_name(draft.name + ending).unlink(missing_ok=True)


def _fill(draft: Path) -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        what = f"SQLite {sqlite3.sqlite_version} is too old for the run log"
        raise RunLogError(what, hint="SQLite 3.37 or newer is needed")
    connection = _connect(draft, "mode=rw", 0)
    try:
        # Before WAL, so that the id stands in the file itself and can be checked from outside.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
    finally:
        connection.close()


def _refuse_foreign(path: Path) -> None:
    """Raise RunLogError for what is no run log of this program; nothing is changed.

    The file is only opened through SQLite: closing a descriptor of one's own would drop the locks
    that other connections of this process hold on it (fcntl(2)).
    """
    found = path.lstat()
    what = None
    if stat.S_ISLNK(found.st_mode):
        what = f"the run log {path} is a symbolic link, which is not followed"
    elif not stat.S_ISREG(found.st_mode):
        what = f"the run log {path} is not a file"
    elif not os.access(path, os.R_OK):
        what = f"cannot use the run log {path}: {os.strerror(errno.EACCES)}"
    elif what := _planted(path, found):
        pass
    elif not found.st_size or _application_id(path) != APPLICATION_ID:
        what = f"{path} is not a run log of flytesched"
    if what is not None:
        raise RunLogError(what, hint=_RESTORE)


def _planted(path: Path, log: os.stat_result) -> str | None:
    """Return what stands beside a run log that SQLite must not open, and would.

    It might write through a symbolic link, wait for the other end of a FIFO, or take for durable
    what it wrote into one.
    """
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        try:
            found = beside.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode):
            return f"{beside}, which belongs to the run log, is not a plain file"
        if found.st_uid not in {log.st_uid, os.geteuid()}:
            return f"{beside}, which belongs to the run log, belongs to another user"
    return None


def _at_rest(path: Path) -> bool:
    """Tell whether nobody can be writing to a run log, and nothing could lie beside it.

    SQLite wants to make a file of shared memory in the folder, unless it hears that all is still.
    """
    wal = path.with_name(path.name + "-wal")
    return not os.access(path.parent, os.W_OK) and not (wal.exists() and wal.stat().st_size)


def _application_id(path: Path) -> int:
    # immutable: no lock, no WAL, no shared memory file appears beside a foreign database.
    connection = _connect(path, "mode=ro&immutable=1", 0)
    try:
        # A checkpoint that was killed, or found the disk full, leaves a file that is shorter than
        # its first page says. With its WAL it is whole; without, SQLite calls it corrupt unless
        # the schema is said to be under repair.
        connection.execute("PRAGMA writable_schema = ON")
        return int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_NOTADB:
            return 0
        raise
    finally:
        connection.close()


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("SELECT NULL FROM sqlite_schema LIMIT 1")  # a damaged schema shows here
    if (version := schema_version(connection)) > LATEST:
        what = f"the run log {path} was written by a newer flytesched (schema {version})"
        raise RunLogError(what, hint=f"this one knows schemas up to {LATEST}; install the newer")
    if version < 1:  # no run log is ever seen before its first schema is there
        what = f"the run log {path} is damaged: its schema has the number {version}"
        raise RunLogError(what, hint=_RESTORE)
