"""The schema of the run log, as migrations that each run once in a transaction of their own.

A migration that has been released is never edited; the next change is the next entry.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

# An IN list of more than two words makes SQLite build a table at each row that is written, which
# doubles the price of a claim; hence the chains of OR, and NULL tests where they say the same.
#: What the partial indexes hold, as they spell it: a query has to repeat it to use one.
ACTIVE = "ended IS NULL"
UNUSUAL = "ended IS NOT NULL AND status <> 'succeeded'"

_M001 = (
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # Definitions stand in revisions: this row is rewritten at each slot, so it stays short.
    """CREATE TABLE schedules (
        name TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        timing TEXT NOT NULL,
        enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
        cursor INTEGER NOT NULL,
        seen_at REAL NOT NULL,
        paused_until INTEGER,
        removed_at REAL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE revisions (
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        seen_at REAL NOT NULL,
        definition TEXT NOT NULL,
        PRIMARY KEY (name, revision)
    ) STRICT, WITHOUT ROWID""",
    # at: where the run stands in a history, which is its slot if it has one.
    # asked: the id of a run that somebody asked for beside the slots (manual, retry). The run that
    # decides a slot has none: its id follows from schedule and slot, and so do its place in the
    # index and the one claim of the slot. An index over all ids would double what a claim writes.
    """CREATE TABLE runs (
        seq INTEGER PRIMARY KEY,
        asked TEXT NOT NULL,
        schedule TEXT NOT NULL,
        at REAL NOT NULL,
        scheduled_at INTEGER CHECK (scheduled_at IS NULL OR at = scheduled_at),
        origin TEXT NOT NULL CHECK (origin = 'schedule' OR origin = 'manual' OR origin = 'catchup'
            OR origin = 'backfill' OR origin = 'retry'),
        status TEXT NOT NULL CHECK (CASE WHEN ended IS NULL
            THEN status = 'claimed' OR status = 'queued' OR status = 'running'
                OR status = 'retry_wait'
            ELSE status = 'succeeded' OR status = 'failed' OR status = 'skipped'
                OR status = 'cancelled' OR status = 'timed_out' OR status = 'interrupted' END),
        reason TEXT,
        exit_code INTEGER,
        not_before REAL NOT NULL,
        attempt INTEGER NOT NULL,
        reruns INTEGER NOT NULL,
        created REAL NOT NULL,
        started REAL,
        ended REAL,
        end_as TEXT,
        retry_of TEXT,
        revision INTEGER NOT NULL,
        parallel INTEGER NOT NULL,
        id TEXT GENERATED ALWAYS AS (CASE WHEN asked = ''
            THEN 'sched-' || schedule || '-' || scheduled_at ELSE asked END) VIRTUAL,
        CHECK (asked <> '' OR scheduled_at IS NOT NULL)
    ) STRICT""",
    "CREATE UNIQUE INDEX runs_of_schedule ON runs (schedule, at, asked)",
    "CREATE UNIQUE INDEX runs_asked ON runs (asked) WHERE asked <> ''",
    "CREATE INDEX runs_of_all ON runs (at)",
    f"CREATE INDEX runs_active ON runs (schedule) WHERE {ACTIVE}",
    "CREATE INDEX runs_failing ON runs (at)"
    " WHERE status = 'failed' OR status = 'timed_out' OR status = 'interrupted'",
    """CREATE TRIGGER verdict_stands BEFORE UPDATE ON runs
        WHEN OLD.ended IS NOT NULL
        BEGIN SELECT raise(ABORT, 'a verdict never changes'); END""",
    """CREATE TABLE attempts (
        run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
        attempt INTEGER NOT NULL CHECK (attempt >= 1),
        boot_id TEXT NOT NULL,
        ordered REAL NOT NULL,
        survive INTEGER NOT NULL CHECK (survive IN (0, 1)),
        started REAL,
        pid INTEGER,
        pid_started INTEGER,
        deadline REAL,
        kill_after REAL NOT NULL,
        ended REAL,
        outcome TEXT,
        exit_code INTEGER,
        cpu REAL,
        max_rss INTEGER,
        log TEXT,
        PRIMARY KEY (run, attempt)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE gaps (
        id INTEGER PRIMARY KEY,
        schedule TEXT NOT NULL,
        after INTEGER NOT NULL,
        until INTEGER NOT NULL CHECK (until >= after),
        count INTEGER NOT NULL CHECK (count >= 0),
        reason TEXT NOT NULL,
        timing TEXT NOT NULL,
        created REAL NOT NULL,
        closed_at REAL,
        closed_as TEXT CHECK (closed_as IN ('caught_up', 'declined', 'removed')),
        CHECK ((closed_at IS NULL) = (closed_as IS NULL))
    ) STRICT""",
    "CREATE INDEX gaps_open ON gaps (schedule, after) WHERE closed_at IS NULL",
    "CREATE INDEX gaps_of_schedule ON gaps (schedule, until)",
    "CREATE INDEX gaps_of_all ON gaps (until)",
    """CREATE TABLE counters (
        metric TEXT NOT NULL,
        schedule TEXT NOT NULL,
        label TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (metric, schedule, label)
    ) STRICT, WITHOUT ROWID""",
)

# A schedule that failed twice in a year is asked when; without these all of its runs are looked at.
# What succeeds, which is nearly all, stands in neither and pays for neither.
_M002 = (
    f"CREATE INDEX runs_unusual ON runs (status, at) WHERE {UNUSUAL}",
    f"CREATE INDEX runs_unusual_of_schedule ON runs (schedule, status, at) WHERE {UNUSUAL}",
    "DROP INDEX runs_failing",
)

# A schedule has few names in its life, and looking for one reads them all. The name it had is its
# own until a scheduler has seen the change; what is written under it later is of another schedule.
_M003 = (
    """CREATE TABLE renames (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        was TEXT NOT NULL CHECK (was <> name),
        asked_at REAL NOT NULL,
        seen_at REAL
    ) STRICT""",
)

# Closed for a holiday: a CHECK can only be changed with its table.
_REBUILD_GAPS = (
    """CREATE TABLE gaps_anew (
        id INTEGER PRIMARY KEY,
        schedule TEXT NOT NULL,
        after INTEGER NOT NULL,
        until INTEGER NOT NULL CHECK (until >= after),
        count INTEGER NOT NULL CHECK (count >= 0),
        reason TEXT NOT NULL,
        timing TEXT NOT NULL,
        created REAL NOT NULL,
        closed_at REAL,
        closed_as TEXT CHECK (closed_as IN ('caught_up', 'declined', 'removed', 'holiday')),
        CHECK ((closed_at IS NULL) = (closed_as IS NULL))
    ) STRICT""",
    """INSERT INTO gaps_anew
        (id, schedule, after, until, count, reason, timing, created, closed_at, closed_as)
        SELECT id, schedule, after, until, count, reason, timing, created, closed_at, closed_as
        FROM gaps""",
    "DROP TABLE gaps",
    "ALTER TABLE gaps_anew RENAME TO gaps",
    "CREATE INDEX gaps_open ON gaps (schedule, after) WHERE closed_at IS NULL",
    "CREATE INDEX gaps_of_schedule ON gaps (schedule, until)",
    "CREATE INDEX gaps_of_all ON gaps (until)",
)

# A notice is written together with what it tells of, and by the constraint once only. Those that
# are open are found at the front of notices_ended.
_M004 = (
    *_REBUILD_GAPS,
    """CREATE TABLE notices (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        event TEXT NOT NULL,
        schedule TEXT NOT NULL,
        about TEXT NOT NULL,
        facts TEXT NOT NULL,
        created REAL NOT NULL,
        status TEXT NOT NULL CHECK (CASE WHEN ended IS NULL
            THEN status = 'queued' OR status = 'sending'
            ELSE status = 'sent' OR status = 'failed' OR status = 'unknown'
                OR status = 'dropped' END),
        tries INTEGER NOT NULL,
        not_before REAL NOT NULL,
        ended REAL,
        why TEXT,
        UNIQUE (channel, event, about)
    ) STRICT""",
    "CREATE INDEX notices_ended ON notices (ended)",
    "CREATE INDEX notices_of_channel ON notices (channel, status, ended)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_M001, _M002, _M003, _M004)
#: The first schema that knows of renames.
RENAMES = 3
#: The first schema that knows of notices.
NOTICES = 4
#: The schema this program writes, as ``PRAGMA user_version``.
LATEST = len(MIGRATIONS)


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the number of the last migration that was carried out."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a run log of this version or an earlier one up to date, a transaction per step."""
    for number in range(schema_version(connection) + 1, LATEST + 1):
        _carry_out(connection, number)


def _carry_out(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while this one waited for the lock.
        if schema_version(connection) < number:
            for statement in MIGRATIONS[number - 1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        import sqlite3

        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
