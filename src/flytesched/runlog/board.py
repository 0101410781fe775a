"""What a live screen asks of a run log: little, again and again, and in bounded time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

from flytesched.core.runs import FAILURES, VERDICTS, RunStatus
from flytesched.core.statistics import spread
from flytesched.runlog.database import open_to_read
from flytesched.runlog.migrations import ACTIVE, UNUSUAL
from flytesched.runlog.reading import Reader
from flytesched.runlog.renames import Span, renamed
from flytesched.runlog.rows import GAP_COLUMNS, RUN_COLUMNS, to_gap, to_run, words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path
    from typing import Any, Self

    from flytesched.core.runs import Gap, Run
    from flytesched.core.statistics import Spread

#: The newest rows among which those are looked for that have just got their verdict. No index
#: leads to them, and one would be paid for with every verdict.
_NEWEST = 2_000
#: Runs of a schedule that are looked at for its usual duration, and durations that tell it.
_LOOKED_AT, _RECENT = 200, 50
_SUCCEEDED = RunStatus.SUCCEEDED.value


_BAD = words(FAILURES)
_UNUSUAL = f"{UNUSUAL} AND status IN ({words(VERDICTS - {RunStatus.SUCCEEDED})})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the runs of some time went whose command did something, to its end."""

    #: Those that succeeded.
    good: int
    #: All of them.
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The failures of a schedule within some time."""

    #: The run of the last one.
    run: Run
    #: How many there are.
    times: int
    #: Whether a later run succeeded.
    good_since: bool


def ranked(failing: Iterable[Failing]) -> list[Failing]:
    """Put those first that go on failing, and of them that with the latest failure."""
    return sorted(failing, key=lambda each: (each.good_since, -(each.run.ended or 0.0)))


def open_glance(path: Path, *, busy_timeout: float) -> Glance | None:
    """Open a run log to glance at it; None if there is none yet. It is never made nor changed.

    Raises:
        RunLogError: it is foreign, damaged or newer than this program.
    """
    if not os.path.lexists(path):
        return None
    return Glance(open_to_read(path, timeout=busy_timeout), str(path))


class Glance(Reader):
    """A run log that somebody glances at once a second."""

    def __enter__(self) -> Self:
        """Return it; the run log is closed at the end of the block."""
        return self

    def just_ended(self, since: float) -> list[Run]:
        """Return the runs that got their verdict since a moment, the latest verdict first.

        Only the newest rows are looked at: one that ran for long may not be among them, and
        whoever saw it run asks for it by its id.
        """
        where = f"seq > (SELECT max(seq) FROM runs) - {_NEWEST} AND ended >= ?"
        sql = f"SELECT {RUN_COLUMNS} FROM runs WHERE {where} ORDER BY ended DESC, seq DESC"
        return [*map(to_run, self._all(sql, since))]

    def just_missed(self, since: float) -> list[Gap]:
        """Return the gaps that were found since a moment, the latest first."""
        where = f"id > (SELECT max(id) FROM gaps) - {_NEWEST} AND created >= ?"
        sql = f"SELECT {GAP_COLUMNS} FROM gaps WHERE {where} ORDER BY created DESC, id DESC"
        return [*map(to_gap, self._all(sql, since))]

    def tally(self, since: float, names: Collection[str] | None = None) -> Tally:
        """Return how the runs of slots and requests from a moment on went.

        Most succeed, and are counted by what an index alone tells: all there are, without those
        that did not.

        Args:
            since: epoch seconds.
            names: schedules; None for all.
        """
        which = "at >= ?1" if names is None else "schedule = value AND at >= ?1"
        parts = [
            f"runs WHERE {which}",
            f"runs WHERE {_UNUSUAL} AND {which}",
            f"runs INDEXED BY runs_active WHERE {ACTIVE} AND {which}",
            f"runs WHERE {UNUSUAL} AND status IN ({_BAD}) AND {which}",
        ]
        counts = ", ".join(f"coalesce(sum((SELECT count(*) FROM {part})), 0)" for part in parts)
        # Of all schedules there is one row to be counted, else one for each.
        asked = json.dumps([None] if names is None else [*names])
        ((every, unusual, active, bad),) = self._all(
            f"SELECT {counts} FROM json_each(?2)", since, asked
        )
        good = every - unusual - active
        return Tally(good=good, runs=good + bad)

    def failing(self, since: float, names: Collection[str] | None = None) -> list[Failing]:
        """Return the schedules of which runs from a moment on failed, ranked.

        Args:
            since: epoch seconds.
            names: schedules; None for all.
        """
        which = "" if names is None else "AND schedule IN (SELECT value FROM json_each(?2))"
        # An index alone tells how many there are, and which the last one is.
        bad = (
            "SELECT schedule AS name, count(*) AS times, max(at) AS last FROM runs"
            f" WHERE {UNUSUAL} AND status IN ({_BAD}) AND at >= ?1 {which} GROUP BY schedule"
        )
        good = (
            "SELECT 1 FROM runs AS later WHERE later.schedule = bad.name AND later.at >= bad.last"
            f" AND later.seq > runs.seq AND later.status = '{_SUCCEEDED}'"
        )
        # A slot may fail again when it is retried: the last row of a schedule is the latest.
        sql = (
            f"SELECT {RUN_COLUMNS}, times, EXISTS ({good}) FROM ({bad}) AS bad CROSS JOIN runs"
            f" ON schedule = name AND at = last AND status IN ({_BAD}) ORDER BY seq"
        )
        rows = self._all(sql, since, *([] if names is None else [json.dumps([*names])]))
        found = {
            run.schedule: Failing(run=run, times=times, good_since=bool(good_since))
            for run, times, good_since in ((to_run(row[:-2]), *row[-2:]) for row in rows)
        }
        return ranked(found.values())

    def usual(self, names: Collection[str]) -> dict[str, Spread | None]:
        """Return how long the last successes of schedules took; None for those without any.

        A schedule has the runs of its earlier names as well.
        """
        with self._reading() as connection:
            spans = renamed(connection, names, gone=True)
            return {
                name: spread(_durations(connection, spans.get(name) or (Span(name=name),)))
                for name in names
            }


def _durations(connection: sqlite3.Connection, spans: Sequence[Span]) -> list[float]:
    """Return the seconds that the newest successes took, ascending."""
    newest = merge(*(_newest(connection, span) for span in spans), key=itemgetter(0), reverse=True)
    looked_at = islice(newest, _LOOKED_AT)
    good = (took for _, status, took in looked_at if status == _SUCCEEDED and took is not None)
    return sorted(islice(good, _RECENT))


def _newest(connection: sqlite3.Connection, span: Span) -> Sequence[Any]:
    """Return when, how and after how long the newest runs of a schedule ended."""
    return connection.execute(
        "SELECT at, status, max(0.0, ended - started) FROM runs WHERE schedule = ?"
        f" AND created > ? AND created <= ? ORDER BY at DESC, asked DESC LIMIT {_LOOKED_AT}",
        (span.name, span.after, span.until),
    ).fetchall()
