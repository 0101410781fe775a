"""Census: what the runs of schedules come to, counted in one pass over a run log.

Percentiles need every duration, which SQL can count but not rank without a sort for each schedule;
so the rows are walked once, in the order of an index, and counted on the way.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from flytesched.core.gaps import GIVEN_UP, cut
from flytesched.core.statistics import Figures, figures
from flytesched.errors import InvalidTimetable
from flytesched.runlog.database import open_to_read
from flytesched.runlog.reading import Reader, strangers
from flytesched.runlog.rows import GAP_COLUMNS, OLD_GAPS, OLD_RUNS, SLOTS, to_gap

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path
    from typing import Any, Self

    from flytesched.core.runs import Gap

#: Seconds from the first start to the verdict, and seconds that the first start was late, as
#: `history` counts them: a wait before a retry is no part of the lag, jitter neither.
_DURATION = "max(0.0, ended - started)"
_LAG = """max(0.0, started - max(CASE WHEN origin = 'schedule' THEN at ELSE created END,
    CASE WHEN not_before <= started THEN not_before ELSE 0.0 END))"""
_OBSERVED = f"status, reason, {_DURATION}, {_LAG}"
_NAMED = "schedule IN (SELECT value FROM json_each(?))"
_NAME = itemgetter(0)


def open_census(path: Path, *, busy_timeout: float = 5.0) -> Census | None:
    """Open a run log to count it; None if there is none yet. It is never made nor changed.

    Raises:
        RunLogError: it is foreign, damaged or newer than this program.
    """
    if not os.path.lexists(path):
        return None
    return Census(open_to_read(path, timeout=busy_timeout), str(path))


class Census(Reader):
    """A run log whose runs are counted."""

    def __enter__(self) -> Self:
        """Return the census; the run log is closed at the end of the block."""
        return self

    def figures(
        self,
        names: Collection[str] | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> dict[str, Figures]:
        """Return what came of each schedule that has anything to be counted, by name.

        Args:
            names: schedules; None for all.
            since: epoch second from which on.
            until: epoch second before which.
        """
        which, values = _which(names, since, until)
        with self._reading() as connection:
            found = _runs(connection, which, values)
            _add_attempts(connection, found, which, values)
            for gap in _gaps(connection, names):
                _add_gap(connection, found, gap, since, until)
        return {name: found[name] for name in sorted(found) if not found[name].empty}

    def recent(self, name: str, most: int) -> Figures:
        """Return what came of the newest ``most`` runs of a schedule, skipped ones included."""
        newest = "FROM runs WHERE schedule = ? ORDER BY at DESC, asked DESC LIMIT ?"
        took = f"""SELECT total(cpu), max(max_rss)
            FROM (SELECT seq {newest}) JOIN attempts ON attempts.run = seq"""
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_OBSERVED} {newest}", (name, most)).fetchall()
            ((cpu, max_rss),) = connection.execute(took, (name, most))
        return replace(figures(reversed(rows)), cpu=cpu, max_rss=max_rss)

    def old(self, before: float) -> tuple[int, int, int]:
        """Count the runs, and the closed gaps, that retention up to a moment would drop.

        Args:
            before: epoch seconds.

        Returns:
            How many runs, the row number of the last of them, and how many gaps.
        """
        values = {"before": before}
        runs = f"SELECT count(*), coalesce(max(seq), 0) FROM runs WHERE {OLD_RUNS}"
        gaps = f"SELECT count(*) FROM gaps WHERE {OLD_GAPS}"
        with self._reading() as connection:
            ((count, last),) = connection.execute(runs, values)
            ((closed,),) = connection.execute(gaps, values)
        return count, last, closed


def _which(
    names: Collection[str] | None, since: int | None, until: int | None
) -> tuple[str, Sequence[Any]]:
    """Return a condition for runs, and its values."""
    asked = [
        (_NAMED, None if names is None else json.dumps([*names])),
        ("at >= ?", since),
        ("at < ?", until),
    ]
    given = [(condition, value) for condition, value in asked if value is not None]
    return " AND ".join(each for each, _ in given) or "TRUE", [value for _, value in given]


def _runs(connection: sqlite3.Connection, which: str, values: Sequence[Any]) -> dict[str, Figures]:
    """Return what the runs of each schedule come to."""
    sql = f"SELECT schedule, {_OBSERVED} FROM runs WHERE {which} ORDER BY schedule, at, asked"
    rows = connection.execute(sql, values)
    return {name: figures(row[1:] for row in mine) for name, mine in groupby(rows, _NAME)}


def _add_attempts(
    connection: sqlite3.Connection, found: dict[str, Figures], which: str, values: Sequence[Any]
) -> None:
    """Add what the attempts of runs took."""
    sql = (
        "SELECT schedule, total(cpu), max(max_rss) FROM runs JOIN attempts ON attempts.run = seq"
        f" WHERE {which} GROUP BY schedule"
    )
    for name, cpu, max_rss in connection.execute(sql, values):
        found[name] = replace(found[name], cpu=cpu, max_rss=max_rss)


def _gaps(connection: sqlite3.Connection, names: Collection[str] | None) -> Iterator[Gap]:
    """Yield gaps with slots that no run has decided: open ones, and those that were given up."""
    sql = f"SELECT {GAP_COLUMNS} FROM gaps WHERE closed_as IS NOT 'caught_up'"
    if names is None:
        rows = connection.execute(sql)
    else:
        rows = connection.execute(f"{sql} AND {_NAMED}", (json.dumps([*names]),))
    yield from map(to_gap, rows.fetchall())


def _add_gap(
    connection: sqlite3.Connection,
    found: dict[str, Figures],
    gap: Gap,
    since: int | None,
    until: int | None,
) -> None:
    """Add the slots of a gap that have no run: they are missed, or were given up."""
    count = _left(connection, gap, since, until)
    mine = found.get(gap.schedule, Figures())
    if gap.closed_as in GIVEN_UP:
        skipped = {**mine.skipped, gap.closed_as: mine.skipped.get(gap.closed_as, 0) + count}
        found[gap.schedule] = replace(mine, skipped=skipped) if count else mine
    else:
        found[gap.schedule] = replace(mine, missed=mine.missed + count)


def _left(connection: sqlite3.Connection, gap: Gap, since: int | None, until: int | None) -> int:
    """Count the slots of a gap between two moments that have no run; they are never listed."""
    part: Gap | None = gap
    try:
        after, last = (None if at is None else at - 1 for at in (since, until))
        _, part, _ = cut(gap, after, last)
    except InvalidTimetable:  # its zone has left the machine: it can only be taken whole
        pass
    if part is None:
        return 0
    sql = f"SELECT count(*) FROM runs WHERE {SLOTS}"
    ((taken,),) = connection.execute(sql, (part.schedule, part.after, part.until))
    return max(0, part.count - int(taken) + strangers(connection, part))
