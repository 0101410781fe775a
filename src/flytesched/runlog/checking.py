"""Checks of a run log: what SQLite finds in the file, and the rules that this program keeps.

All of it reads one state of the run log in one transaction, which holds up no writer. A rule is a
question whose answer is nothing: the file may be sound, and still say what never happened.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from flytesched.core.runs import ACTIVE, VERDICTS
from flytesched.errors import RunLogBusy
from flytesched.runlog.database import open_in_memory, open_to_read, translated
from flytesched.runlog.migrations import schema_version
from flytesched.runlog.reading import Reader
from flytesched.runlog.rows import SLOTS, SLOTS_OF_GAP, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

#: Faults of the file that are named; one that is torn has thousands.
MOST_FAULTS = 10
#: Steps of SQLite between two looks at whether somebody pressed Ctrl-C: some milliseconds.
_STEPS = 50_000
#: Steps that a page takes in SQLite 3.40. Measured, as SQLite does not tell how far it is; a bar
#: needs no more.
_STEPS_OF_PAGE = 3_100
#: Seconds that a run may be older than what was pruned and still be judged: clocks are set back.
SLACK = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that holds in every run log this program writes."""

    #: What it is about, in one word.
    about: str
    #: What breaks it, as the beginning of a sentence that goes on with a count and a name.
    broken: str
    #: Query of one column that names each row that breaks it. ``:forgotten`` is the moment up to
    #: which verdicts may have been pruned.
    sql: str


#: Moments that a calendar has: the years 1970 to 9999.
_KNOWN = "BETWEEN 0 AND 253402300799"
#: The rule that the others, and whoever counts slots, take for granted.
INSTANTS = Rule(
    about="instants",
    broken="names with a moment that no calendar has",
    sql=f"""SELECT name FROM schedules WHERE NOT (cursor {_KNOWN} AND seen_at {_KNOWN})
        UNION SELECT schedule FROM gaps WHERE NOT (after {_KNOWN} AND until {_KNOWN})
        UNION SELECT schedule FROM runs
            WHERE NOT (at {_KNOWN} AND created {_KNOWN} AND coalesce(ended, 0) {_KNOWN})
        UNION SELECT key FROM meta WHERE key IN ('heartbeat', 'pruned_before') AND NOT (
            value NOT GLOB '*[^0-9.]*' AND CAST(value AS REAL) {_KNOWN})""",
)
RULES = (
    INSTANTS,
    Rule(
        about="runs",
        broken="runs whose status does not go with their end",
        sql=f"""SELECT id FROM runs WHERE NOT CASE WHEN ended IS NULL
            THEN status IN ({words(ACTIVE)}) ELSE status IN ({words(VERDICTS)}) END""",
    ),
    Rule(
        about="runs",
        broken="runs that are running and were never started",
        sql="SELECT id FROM runs WHERE status = 'running' AND started IS NULL",
    ),
    Rule(
        about="runs",
        broken="verdicts that do not say why",
        sql="""SELECT id FROM runs WHERE reason IS NULL AND (
            status IN ('skipped', 'cancelled', 'interrupted')
            OR status = 'failed' AND exit_code IS NULL)""",
    ),
    Rule(
        about="attempts",
        broken="runs that are claimed and have no attempt that could go on",
        sql="""SELECT id FROM runs WHERE ended IS NULL AND status IN ('claimed', 'running')
            AND NOT EXISTS (SELECT 1 FROM attempts WHERE run = seq
                AND attempts.attempt = runs.attempt AND attempts.ended IS NULL)""",
    ),
    Rule(
        about="attempts",
        broken="runs with a verdict and an attempt that has no end",
        sql="""SELECT DISTINCT id FROM attempts JOIN runs ON runs.seq = attempts.run
            WHERE attempts.ended IS NULL AND runs.ended IS NOT NULL""",
    ),
    Rule(
        about="attempts",
        broken="runs that have another attempt going on than their last one",
        sql="""SELECT DISTINCT id FROM attempts JOIN runs ON runs.seq = attempts.run
            WHERE attempts.ended IS NULL AND runs.ended IS NULL AND (
                attempts.attempt <> runs.attempt OR status NOT IN ('claimed', 'running'))""",
    ),
    Rule(
        about="attempts",
        broken="runs that count other attempts than there are",
        sql="""SELECT id FROM runs
            WHERE attempt <> (SELECT count(*) FROM attempts WHERE run = seq)""",
    ),
    Rule(
        about="slots",
        broken="slots that have a run, and that their schedule is still to decide",
        sql="""SELECT id FROM schedules CROSS JOIN runs ON schedule = name AND at > cursor
            WHERE asked = '' AND origin = 'schedule'""",
    ),
    Rule(
        about="gaps",
        broken="schedules with missed slots that they are still to decide",
        sql="SELECT DISTINCT name FROM schedules JOIN gaps ON schedule = name AND until > cursor",
    ),
    Rule(
        about="gaps",
        broken="schedules with a slot that was missed twice",
        sql="""SELECT DISTINCT schedule FROM (
            SELECT schedule, after, max(until) OVER (PARTITION BY schedule, timing
                ORDER BY after, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM gaps) WHERE after < before""",
    ),
    Rule(
        about="gaps",
        broken="schedules with holidays that are not closed as such, or other slots that are",
        sql="""SELECT DISTINCT schedule FROM gaps
            WHERE (closed_as IS 'holiday') <> (timing LIKE '%"part": "left_out"%')""",
    ),
    Rule(
        about="gaps",
        broken="schedules with a slot that was caught up and has no verdict",
        sql=f"""SELECT DISTINCT schedule FROM gaps
            WHERE closed_as = 'caught_up' AND after >= :forgotten AND count >
                (SELECT count(*) FROM runs WHERE {SLOTS_OF_GAP} AND ended IS NOT NULL)""",
    ),
    Rule(
        about="schedules",
        broken="schedules whose definition is not recorded",
        sql="""SELECT name FROM schedules LEFT JOIN revisions USING (name, revision)
            WHERE definition IS NULL""",
    ),
    Rule(
        about="counters",
        broken="schedules with more verdicts than were counted",
        sql="""SELECT DISTINCT schedule FROM (
            SELECT schedule, status, count(*) AS verdicts FROM runs
            WHERE ended IS NOT NULL GROUP BY schedule, status) AS given
            WHERE verdicts > coalesce((SELECT value FROM counters WHERE metric = 'runs_total'
                AND counters.schedule = given.schedule AND label = given.status), 0)""",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that does not hold."""

    #: The rule.
    rule: Rule
    #: How many rows break it.
    count: int
    #: One of them.
    first: str


def open_checker(path: Path, *, busy_timeout: float = 5.0) -> Checker:
    """Open a run log to check it; nothing is made or changed.

    Raises:
        RunLogError: there is none, or it is foreign, damaged or newer than this program.
        RunLogBusy: it cannot be opened right now.
    """
    return Checker(open_to_read(path, timeout=busy_timeout), str(path))


class Checker(Reader):
    """A run log that is looked at as a whole.

    Every method raises RunLogBusy when the run log cannot be read right now, RunLogError when it
    is too damaged for the question.
    """

    def __enter__(self) -> Self:
        """Return the checker; it is closed at the end of the block."""
        return self

    @contextmanager
    def at_one_instant(self) -> Iterator[None]:
        """See one state of the run log until the end of the block."""
        with self._reading():
            yield

    # -- the file ---------------------------------------------------------------------------

    def version(self) -> int:
        """Return the number of its schema."""
        with self._lock, translated(self._name):
            return schema_version(self._connection)

    def size(self) -> int:
        """Return the bytes of its pages."""
        return self._pragma("page_count") * self._pragma("page_size")

    def _pragma(self, name: str) -> int:
        return int(self._all(f"PRAGMA {name}")[0][0])

    def counts(self) -> dict[str, int]:
        """Return how many rows the tables for people hold."""
        tables = ("schedules", "runs", "attempts", "gaps")
        return {table: self._all(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    def faults(self, watch: Callable[[float], None], *, quick: bool = False) -> list[str]:
        """Return what SQLite finds wrong with the file: some faults, or none.

        Args:
            watch: is told now and then about how much of it is done, as a part of 1.
            quick: leave out whether each index holds what its table does.

        Raises:
            KeyboardInterrupt: somebody pressed Ctrl-C; SQLite does not wait for its end.
        """
        check = "quick_check" if quick else "integrity_check"
        with self._watched(watch):
            rows = self._all(f"PRAGMA {check}({MOST_FAULTS})")
        # One row of it may hold several lines.
        lines = [line for (row,) in rows for line in str(row).splitlines()]
        said = [line for line in lines if line != "ok" and not line.startswith("***")]
        return said[:MOST_FAULTS]

    @contextmanager
    def _watched(self, watch: Callable[[float], None]) -> Iterator[None]:
        steps, expected = count(_STEPS, _STEPS), _STEPS_OF_PAGE * self._pragma("page_count")
        self._connection.set_progress_handler(
            lambda: watch(min(0.99, next(steps) / expected)), _STEPS
        )
        try:
            yield
        except RunLogBusy as error:
            # Python looks for signals in the handler only, and what is raised there stops SQLite.
            if getattr(error.__cause__, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def orphans(self) -> int:
        """Return how many rows refer to others that are not there."""
        return len(self._all("PRAGMA foreign_key_check"))

    def alterations(self) -> list[str]:
        """Return the tables, indexes and triggers that are missing or not as they were made."""
        with translated(self._name), _model() as model:
            wanted = dict(model.execute(_SCHEMA).fetchall())
        found = dict(self._all(_SCHEMA))
        return [name for name, sql in wanted.items() if found.get(name) != sql]

    # -- what it says -----------------------------------------------------------------------

    def broken(self) -> Iterator[Broken]:
        """Yield the rules that do not hold."""
        values = {"forgotten": self.forgotten()}
        for rule in RULES:
            sql = f"WITH odd (name) AS ({rule.sql}) SELECT count(*), min(name) FROM odd"
            with self._lock, translated(self._name):
                count, first = self._connection.execute(sql, values).fetchone()
            if count:
                yield Broken(rule=rule, count=count, first=first)

    def forgotten(self) -> float:
        """Return the moment up to which verdicts may have been pruned; 0 if none were."""
        pruned = _moment(self.meta().get("pruned_before", ""))
        return pruned + SLACK if pruned else 0.0

    def planned(self, schedule: str, after: int, until: int) -> Iterator[int]:
        """Yield the slots in ``(after, until]`` that have a run, ascending; backfills apart."""
        sql = f"SELECT at FROM runs WHERE {SLOTS} AND origin <> 'backfill' ORDER BY at"
        with self._lock, translated(self._name):
            rows = self._connection.execute(sql, (schedule, after, until))
            yield from (int(slot) for (slot,) in rows)

    def ahead(self, schedule: str, revision: int, after: int, until: int) -> int:
        """Return the last slot in ``(after, until]`` that was decided before ``after``; or 0.

        The clock was ahead then. What tells of it is an earlier definition, or an earlier slot
        that came later.
        """
        rows = self._all(_AHEAD, schedule, after, until, revision)
        return int(rows[0][0])

    def last_decision(self) -> int:
        """Return the moment of the last decision; 0 if there was none."""
        return int(_moment(self.meta().get("heartbeat", "")))

    def oldest(self) -> float | None:
        """Return the moment of the oldest verdict; None if there is none."""
        # Runs stand in the order they were asked for, which is nearly the order of their ends.
        sql = "SELECT ended FROM runs WHERE ended IS NOT NULL ORDER BY seq LIMIT 1"
        rows = self._all(sql)
        return rows[0][0] if rows else None

    def logs(self, since: float, until: float) -> list[str]:
        """Return the logs of attempts that ended between two moments, as they were named."""
        sql = "SELECT log FROM attempts WHERE ended BETWEEN ? AND ? AND log IS NOT NULL"
        return [log for (log,) in self._all(sql, since, until)]


_AHEAD = f"""SELECT coalesce(max(at), 0) FROM (
    SELECT at, seq, revision, max(seq) OVER (
        ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
    FROM runs WHERE {SLOTS} AND origin = 'schedule') WHERE revision < ? OR newest > seq"""
#: Everything that a migration made; what SQLite made by itself has no text.
_SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"


def _moment(text: str) -> float:
    """Return the moment that a remembered fact says; 0 where it says none."""
    try:
        moment = float(text)
    except ValueError:
        return 0.0
    return moment if math.isfinite(moment) else 0.0


@contextmanager
def _model() -> Iterator[sqlite3.Connection]:
    model = open_in_memory()
    try:
        yield model
    finally:
        model.close()
