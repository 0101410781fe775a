"""Census: what the runs of schedules come to, counted in one pass over a run log.

Percentiles need every duration, which SQL can count but not rank without a sort for each schedule;
so the rows are walked once, in the order of an index, and counted on the way.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from flytesched.core.gaps import GIVEN_UP, cut
from flytesched.core.statistics import Figures, figures
from flytesched.errors import InvalidTimetable
from flytesched.runlog.database import open_to_read
from flytesched.runlog.reading import Reader, strangers
from flytesched.runlog.renames import divided, renamed
from flytesched.runlog.rows import GAP_COLUMNS, OLD_GAPS, OLD_RUNS, SLOTS, to_gap

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence
    from pathlib import Path
    from typing import Any, Self

    from flytesched.core.runs import Gap
    from flytesched.runlog.renames import Span

#: Seconds from the first start to the verdict, and seconds that the first start was late, as
#: `history` counts them: a wait before a retry is no part of the lag, jitter neither.
_DURATION = "max(0.0, ended - started)"
_LAG = """max(0.0, started - max(CASE WHEN origin = 'schedule' THEN at ELSE created END,
    CASE WHEN not_before <= started THEN not_before ELSE 0.0 END))"""
_OBSERVED = f"status, reason, {_DURATION}, {_LAG}"
_NAME = itemgetter(0)
#: Stands for the one schedule that is counted under several names.
_TOGETHER = ""


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

        Each has the runs of its earlier names as well, under the name it has now.

        Args:
            names: schedules; None for all.
            since: epoch second from which on.
            until: epoch second before which.
        """
        with self._reading() as connection:
            spans = renamed(connection, names, gone=names is not None)
            plain = None if names is None else [name for name in names if name not in spans]
            found = _counted(connection, _Asked(names=plain, since=since, until=until))
            for name, mine in spans.items():
                found.pop(name, None)
                asked = _Asked(spans=mine, since=since, until=until)
                if (together := _counted(connection, asked).get(_TOGETHER)) is not None:
                    found[name] = together
        return dict(sorted(found.items()))

    def recent(self, name: str, most: int) -> Figures:
        """Return what came of the newest ``most`` runs of a schedule, skipped ones included."""
        with self._reading() as connection:
            plain, spans = divided(connection, [name])
            which, values = _Asked(names=plain, spans=spans).runs()
            newest = f"FROM runs WHERE {which} ORDER BY at DESC, asked DESC LIMIT ?"
            took = f"""SELECT total(cpu), max(max_rss)
                FROM (SELECT seq {newest}) JOIN attempts ON attempts.run = seq"""
            rows = connection.execute(f"SELECT {_OBSERVED} {newest}", (*values, most)).fetchall()
            ((cpu, max_rss),) = connection.execute(took, (*values, most))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which runs and gaps are asked for."""

    #: Schedules, each to be counted by itself; None for all there are.
    names: Collection[str] | None = ()
    #: What was written of one schedule under each name it had, to be counted as one.
    spans: Sequence[Span] = ()
    since: int | None = None
    until: int | None = None

    @property
    def label(self) -> str:
        """What rows are counted by, as SQL."""
        return f"'{_TOGETHER}'" if self.spans else "schedule"

    def runs(self) -> tuple[str, list[Any]]:
        """Return a condition for runs, and its values."""
        which, values = self.named()
        for condition, value in (("at >= ?", self.since), ("at < ?", self.until)):
            if value is not None:
                which, values = f"{which} AND {condition}", [*values, value]
        return which, values

    def named(self) -> tuple[str, list[Any]]:
        """Return a condition for runs or gaps by their names alone, and its values."""
        if self.names is None:
            return "TRUE", []
        if not self.spans and len(self.names) == 1:
            return "schedule = ?", [*self.names]
        if not self.spans:
            return "schedule IN (SELECT value FROM json_each(?))", [json.dumps([*self.names])]
        each = "schedule = ? AND created > ? AND created <= ?"
        values = [value for span in self.spans for value in (span.name, span.after, span.until)]
        return f"({' OR '.join([each] * len(self.spans))})", values


def _counted(connection: sqlite3.Connection, asked: _Asked) -> dict[str, Figures]:
    """Return what the runs and gaps that are asked for come to, by their label."""
    which, values = asked.runs()
    sql = f"SELECT {asked.label}, {_OBSERVED} FROM runs WHERE {which} ORDER BY 1, at, asked"
    rows = connection.execute(sql, values)
    found = {name: figures(row[1:] for row in mine) for name, mine in groupby(rows, _NAME)}
    took = (
        f"SELECT {asked.label}, total(cpu), max(max_rss)"
        f" FROM runs JOIN attempts ON attempts.run = seq WHERE {which} GROUP BY 1"
    )
    for name, cpu, max_rss in connection.execute(took, values):
        found[name] = replace(found[name], cpu=cpu, max_rss=max_rss)
    which, values = asked.named()
    sql = f"SELECT {GAP_COLUMNS}, {asked.label} FROM gaps"
    sql += f" WHERE {which} AND closed_as IS NOT 'caught_up'"
    for *row, name in connection.execute(sql, values).fetchall():
        gap = to_gap(row)
        left = _left(connection, gap, asked.since, asked.until)
        if left:
            found[name] = _with_gap(found.get(name, Figures()), gap, left)
    return found


def _with_gap(figures: Figures, gap: Gap, left: int) -> Figures:
    """Add the slots of a gap that have no run: they are missed, or were given up."""
    if gap.closed_as not in GIVEN_UP:
        return replace(figures, missed=figures.missed + left)
    count = figures.skipped.get(gap.closed_as, 0) + left
    return replace(figures, skipped={**figures.skipped, gap.closed_as: count})


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
