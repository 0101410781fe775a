"""Questions to the run log, all answered without writing."""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flytesched.core.gaps import held
from flytesched.core.runs import FAILURES, RunStatus
from flytesched.errors import NotFound, RunLogError
from flytesched.runlog.database import open_to_read, translated
from flytesched.runlog.migrations import ACTIVE
from flytesched.runlog.rows import (
    ATTEMPT_COLUMNS,
    GAP_COLUMNS,
    RUN_COLUMNS,
    SLOT_ID,
    SLOTS,
    SLOTS_OF_GAP,
    STATE_COLUMNS,
    place,
    to_attempt,
    to_gap,
    to_run,
    to_state,
    where_id,
    words,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from flytesched.core.renames import Rename
    from flytesched.core.runs import Attempt, AttemptKey, Gap, Run, ScheduleState
    from flytesched.core.telling.events import Event, Notice, NoticeStatus
    from flytesched.runlog.history import Entry
    from flytesched.runlog.notices import ChannelRecord
    from flytesched.runlog.renames import Span

#: Verdicts that say how a command did, as SQL.
_DONE = words({RunStatus.SUCCEEDED, *FAILURES})
#: Schedules whose ids begin so, or that an id beginning so belongs to.
_NAMES_BEGINNING = (
    f"SELECT name FROM schedules WHERE substr('{SLOT_ID}' || name || '-', 1, length(?1)) = ?1"
    f" OR substr(?1, 1, length(name) + {len(SLOT_ID) + 1}) = '{SLOT_ID}' || name || '-'"
)
#: Gaps around runs, which may decide slots of another timetable.
_AROUND_RUNS = (
    f"SELECT {GAP_COLUMNS} FROM gaps WHERE {{which}}"
    f" AND EXISTS (SELECT NULL FROM runs WHERE {SLOTS_OF_GAP})"
)
#: How the second of a slot begins: it has ten digits from 2001 to 2286, twelve at the most.
_DIGITS = re.compile(r"[1-9][0-9]{0,11}")
#: Later than any text that begins the same.
_AFTER_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A definition, and when it was first seen."""

    #: Number, from 1.
    number: int
    #: Moment it was first seen.
    seen_at: float
    #: The definition as JSON, without secrets.
    definition: str


def open_reader(path: Path, *, busy_timeout: float = 5.0) -> Reader | None:
    """Open a run log for reading; None if there is none yet. It is never made nor changed.

    Raises:
        RunLogError: it is foreign, damaged or newer than this program.
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"cannot use the run log {path}: {error.strerror}"
        raise RunLogError(what) from error
    return Reader(open_to_read(path, timeout=busy_timeout), str(path))


class Reader:
    """The reading side of a run log; usable from several threads.

    Every method raises RunLogBusy when the run log cannot be read right now.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        """Read through ``connection``; ``name`` stands in errors."""
        self._connection = connection
        self._name = name
        self._lock = threading.RLock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, translated(self._name):
            self._connection.close()

    def __enter__(self) -> Reader:
        """Return the reader; it is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # -- runs -------------------------------------------------------------------------------

    def active(self) -> list[Run]:
        """Return all runs without a verdict, in the order they were stored."""
        active = f"runs INDEXED BY runs_active WHERE {ACTIVE}"
        sql = f"SELECT {RUN_COLUMNS} FROM {active} ORDER BY seq"
        return [*map(to_run, self._all(sql))]

    def run(self, said: str) -> Run | None:
        """Return the run with that id, or the only one whose id begins so; None if there is none.

        Raises:
            NotFound: several begin so.
        """
        if not said.isascii():  # no id is otherwise, and SQLite takes no lone surrogate
            return None
        runs = self.runs([said]) or self._beginning(said)
        if len(runs) > 1:
            what = f"{said!r} is the beginning of several run ids"
            hint = f"say more of it: {', '.join(run.id for run in runs[:3])}"
            raise NotFound(what, hint=hint)
        return runs[0] if runs else None

    def runs(self, ids: Iterable[str]) -> list[Run]:
        """Return the runs with these ids, in that order; unknown ones are left out."""
        with self._reading():
            return [run for one in ids for run in self._runs(*where_id(one))]

    def _runs(self, where: str, values: Sequence[Any]) -> list[Run]:
        return [*map(to_run, self._all(f"SELECT {RUN_COLUMNS} FROM runs WHERE {where}", *values))]

    def _beginning(self, said: str) -> list[Run]:
        """Return some of the runs whose id begins so."""
        if not said.startswith(SLOT_ID):
            where = "asked >= ? AND asked < ? AND asked <> '' LIMIT 4"
            return self._runs(where, (said, said + _AFTER_ALL)) if said else []
        names = self._all(_NAMES_BEGINNING, said)
        return [run for (name,) in names for run in self._slots_beginning(name, said)]

    def _slots_beginning(self, name: str, said: str) -> list[Run]:
        digits = said.removeprefix(f"{SLOT_ID}{name}-") if len(said) > len(SLOT_ID + name) else ""
        if digits and not _DIGITS.fullmatch(digits):
            return []
        step = 10 ** max(0, 10 - len(digits))
        low = int(digits) * step - 1 if digits else -1
        high = low + step if digits else 10**12
        return self._runs(f"{SLOTS} ORDER BY at DESC LIMIT 4", (name, low, high))

    def attempt(self, key: AttemptKey) -> Attempt | None:
        """Return one attempt."""
        found = [one for one in self.attempts(key.run) if one.attempt == key.attempt]
        return found[0] if found else None

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return the attempts of a run, the first one first."""
        where, values = where_id(run_id)
        joined = "runs JOIN attempts ON attempts.run = runs.seq"
        sql = f"SELECT {ATTEMPT_COLUMNS} FROM {joined} WHERE {where} ORDER BY attempts.attempt"
        return [*map(to_attempt, self._all(sql, *values))]

    def decided(self, schedule: str, after: int, until: int) -> list[int]:
        """Return the slots in ``(after, until]`` that have a run, ascending."""
        sql = f"SELECT at FROM runs WHERE {SLOTS} ORDER BY at"
        return [int(slot) for (slot,) in self._all(sql, schedule, after, until)]

    def decided_before(self, schedule: str, after: int, until: int) -> list[Run]:
        """Return the runs that decided slots in ``(after, until]`` under an earlier name."""
        where = f"{SLOTS} AND created > ? AND created <= ?"
        return [
            run
            for span in self._earlier(schedule)
            for run in self._runs(where, (span.name, after, until, span.after, span.until))
        ]

    def gaps_before(self, schedule: str) -> list[Gap]:
        """Return the gaps that a schedule left behind under an earlier name."""
        return [
            gap
            for span in self._earlier(schedule)
            for gap in self.gaps(span.name)
            if span.holds(gap.schedule, gap.created)
        ]

    def _earlier(self, schedule: str) -> list[Span]:
        """Return what was written of a schedule under other names than it has."""
        spans = self._renamed([schedule]).get(schedule, ())
        return [span for span in spans if span.name != schedule]

    def last_verdict(self, schedule: str, before: str) -> Run | None:
        """Return the newest run that succeeded, failed, timed out or was interrupted.

        The run with id ``before`` does not count; skipped and cancelled runs say nothing. Where
        the schedule has no such run under its name, those of an earlier name count.
        """
        which = f"status IN ({_DONE}) AND id <> ?"
        newest = "ORDER BY at DESC, asked DESC LIMIT 1"
        if runs := self._runs(f"schedule = ? AND {which} {newest}", (schedule, before)):
            return runs[0]
        spans = self._earlier(schedule)
        where = f"schedule = ? AND {which} AND created > ? AND created <= ? {newest}"
        runs = [r for s in spans for r in self._runs(where, (s.name, before, s.after, s.until))]
        return max(runs, key=_newer, default=None)

    def last_runs(
        self, names: Collection[str] | None = None, *, done: bool = False
    ) -> dict[str, Run]:
        """Return the newest run with a verdict of each schedule that has one.

        A schedule that is named has the runs of its earlier names as well.

        Args:
            names: schedules; None for all that were ever seen.
            done: only runs whose command did something: not skipped, not cancelled.
        """
        asked = "SELECT name FROM schedules" if names is None else "SELECT value FROM json_each(?)"
        which = f"status IN ({_DONE})" if done else "ended IS NOT NULL"
        newest = (
            f"SELECT seq FROM runs WHERE schedule = asked.name AND {which}"
            " ORDER BY at DESC, asked DESC LIMIT 1"
        )
        sql = (
            f"WITH asked (name) AS ({asked})"
            f" SELECT {RUN_COLUMNS} FROM asked CROSS JOIN runs ON runs.seq = ({newest})"
        )
        rows = self._all(sql, *(() if names is None else (_json(names),)))
        found = {run.schedule: run for run in map(to_run, rows)}
        for name, spans in {} if names is None else self._renamed(names).items():
            found.pop(name, None)
            if runs := [run for span in spans for run in self._newest(span, which)]:
                found[name] = max(runs, key=_newer)
        return found

    def _renamed(self, names: Iterable[str], *, gone: bool = False) -> dict[str, tuple[Span, ...]]:
        """Return what was written of those schedules that have, or had, another name."""
        from flytesched.runlog.renames import renamed

        with self._lock, translated(self._name):
            return renamed(self._connection, names, gone=gone)

    def _newest(self, span: Span, which: str) -> list[Run]:
        where = f"schedule = ? AND created > ? AND created <= ? AND {which}"
        where += " ORDER BY at DESC, asked DESC LIMIT 1"
        return self._runs(where, (span.name, span.after, span.until))

    # -- schedules and gaps -----------------------------------------------------------------

    def states(self) -> dict[str, ScheduleState]:
        """Return what is remembered of every schedule ever seen, removed ones included."""
        joined = "schedules JOIN revisions USING (name, revision)"
        sql = f"SELECT {STATE_COLUMNS} FROM {joined} ORDER BY name"
        found = {}
        timings: dict[str, str] = {}
        with self._lock, translated(self._name):
            # Row by row, and each timing once: there may be a hundred thousand.
            for name, revision, timing, *rest in self._connection.execute(sql):
                row = (name, revision, timings.setdefault(timing, timing), *rest)
                found[name] = to_state(row)
        return found

    def revision(self, schedule: str) -> int:
        """Return the number of the definition last seen; 0 if there is none."""
        rows = self._all("SELECT revision FROM schedules WHERE name = ?", schedule)
        return int(rows[0][0]) if rows else 0

    def revisions(self, schedule: str) -> list[Revision]:
        """Return every definition seen of a schedule, under earlier names too, oldest first."""
        spans = self._renamed([schedule], gone=True).get(schedule)
        if spans is None:
            return self._own_revisions(schedule)
        found = [
            revision
            for span in spans
            for revision in self._own_revisions(span.name)
            if span.after < revision.seen_at <= span.until
        ]
        found.sort(key=attrgetter("seen_at"))
        # Where a name begins, the number and what it stands for go on.
        return [*{revision.number: revision for revision in reversed(found)}.values()][::-1]

    def _own_revisions(self, name: str) -> list[Revision]:
        sql = "SELECT revision, seen_at, definition FROM revisions WHERE name = ? ORDER BY revision"
        return [
            Revision(number=number, seen_at=seen_at, definition=definition)
            for number, seen_at, definition in self._all(sql, name)
        ]

    def open_gaps(self, names: Iterable[str] | None = None) -> list[Gap]:
        """Return gaps that are not closed, oldest first; of ``names``, or of all schedules."""
        return self._gaps("closed_at IS NULL", names)

    def gaps(self, names: Iterable[str] | str | None = None) -> list[Gap]:
        """Return gaps, closed ones included, oldest first; of ``names``, or of all schedules."""
        return self._gaps("TRUE", [names] if isinstance(names, str) else names)

    def _gaps(self, where: str, names: Iterable[str] | None) -> list[Gap]:
        values = () if names is None else (_json(names),)
        if names is not None:
            where += " AND schedule IN (SELECT value FROM json_each(?))"
        sql = f"SELECT {GAP_COLUMNS} FROM gaps WHERE {where} ORDER BY after, id"
        return [*map(to_gap, self._all(sql, *values))]

    def open_missed(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """Return how many missed slots wait for a catch-up, by schedule; those with none left out.

        Slots are counted by arithmetic, never listed.
        """
        values = () if names is None else (_json(names),)
        which = "closed_at IS NULL"
        if names is not None:
            which += " AND schedule IN (SELECT value FROM json_each(?))"
        sql = (
            f"SELECT schedule, sum(count - (SELECT count(*) FROM runs WHERE {SLOTS_OF_GAP}))"
            f" FROM gaps WHERE {which} GROUP BY schedule"
        )
        with self._reading() as connection:
            counts = dict(connection.execute(sql, values))
            for row in connection.execute(_AROUND_RUNS.format(which=which), values):
                counts[row[1]] += strangers(connection, to_gap(row))
        return {name: int(count) for name, count in counts.items() if count > 0}

    def renames(self) -> list[Rename]:
        """Return the renames that no scheduler has seen yet."""
        return [rename for rename in self.all_renames() if rename.seen_at is None]

    def all_renames(self) -> list[Rename]:
        """Return every rename, in the order they were asked for."""
        from flytesched.runlog.renames import stored

        with self._lock, translated(self._name):
            return stored(self._connection)

    # -- notices ----------------------------------------------------------------------------

    def open_notices(self, limit: int | None = None, after: int = 0) -> list[Notice]:
        """Return notices that are queued or being sent, oldest first; at most ``limit``."""
        from flytesched.runlog import notices

        with self._lock, translated(self._name):
            return notices.stored_open(self._connection, limit, after)

    def noticed(self, channels: Iterable[str], event: Event, about: str) -> bool:
        """Tell whether one of the channels has a notice of an event about a run or gap."""
        from flytesched.runlog import notices

        with self._lock, translated(self._name):
            return notices.noticed(self._connection, channels, event, about)

    def messages_since(self, channel: str, since: float, limit: int) -> list[float]:
        """Return when a channel was sent messages, or may have been: the last ones, ascending."""
        from flytesched.runlog import notices

        with self._lock, translated(self._name):
            return notices.messages_since(self._connection, channel, since, limit)

    def channel_records(self, since: float) -> list[ChannelRecord]:
        """Return how each channel that ever had a notice has done, by name.

        Args:
            since: epoch seconds; of the notices that have ended, those since then are counted.
        """
        from flytesched.runlog import notices

        with self._reading() as connection:
            return notices.records(connection, since)

    def notices(
        self,
        *,
        channels: Collection[str] | None = None,
        schedules: Collection[str] | None = None,
        statuses: Collection[NoticeStatus] | None = None,
        since: float = 0.0,
        limit: int = 50,
    ) -> list[Notice]:
        """Return notices that were written since a moment, the newest first.

        Args:
            channels: names; None for all.
            schedules: names; None for all.
            statuses: states; None for all.
            since: epoch seconds from which on.
            limit: notices at most.
        """
        from flytesched.runlog import notices

        with self._lock, translated(self._name):
            return notices.page(
                self._connection, channels=channels, schedules=schedules, statuses=statuses,
                since=since, limit=limit,
            )  # fmt: skip

    # -- facts ------------------------------------------------------------------------------

    def counters(self) -> dict[tuple[str, str, str], float]:
        """Return every counter, by ``(metric, schedule, label)``."""
        rows = self._all("SELECT metric, schedule, label, value FROM counters")
        return {(metric, schedule, label): value for metric, schedule, label, value in rows}

    def meta(self) -> dict[str, str]:
        """Return the remembered facts."""
        return dict(self._all("SELECT key, value FROM meta"))

    def history(
        self,
        names: Collection[str] | None = None,
        *,
        statuses: Collection[str] | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = 50,
    ) -> list[Entry]:
        """Return runs and missed slots, newest first.

        Args:
            names: schedules; None for all.
            statuses: words such as ``failed`` or ``missed``; None for all.
            since: epoch seconds from which on.
            until: epoch seconds before which.
            limit: entries at most; None for all there are, which may be very many.
        """
        from flytesched.runlog.history import history  # list and status show none

        with self._reading() as connection:
            return history(
                connection, names, statuses=statuses, since=since, until=until, limit=limit
            )

    # -- ways in ----------------------------------------------------------------------------

    def _all(self, sql: str, *values: Any) -> Sequence[Any]:
        with self._lock, translated(self._name):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the run log until the end of the block."""
        with self._lock, translated(self._name):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")


def _newer(run: Run) -> tuple[float, str]:
    """Return what the newer of two runs has more of."""
    return place(run)[1:]


def _json(names: Iterable[str]) -> str:
    return json.dumps([*names])


def strangers(connection: sqlite3.Connection, gap: Gap, which: str = "TRUE") -> int:
    """Count the runs that lie in the stretch of a gap and decide none of its slots."""
    # A step of the timetable costs less than a look at the run itself, away from the index.
    sql = f"SELECT at FROM runs WHERE {SLOTS} AND {which} ORDER BY at"
    rows = connection.execute(sql, (gap.schedule, gap.after, gap.until))
    slots = [int(at) for (at,) in rows]
    return len(slots) - len(held(gap, slots))
