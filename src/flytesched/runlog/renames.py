"""Renames: which earlier name a schedule had, and until when that name was its own.

Ids and rows keep the name they were given. What is asked of a schedule is asked of each stretch of
time in which it had another name; nobody rewrites a million rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING

from flytesched.core.renames import Rename
from flytesched.runlog.migrations import RENAMES, schema_version

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What was written in ``(after, until]`` under a name."""

    #: The name.
    name: str
    #: Epoch seconds after which.
    after: float = -inf
    #: Epoch seconds until which.
    until: float = inf

    def holds(self, name: str, created: float) -> bool:
        """Tell whether what was written at a moment under a name belongs here."""
        return self.name == name and self.after < created <= self.until


def stored(connection: sqlite3.Connection) -> list[Rename]:
    """Return every rename, in the order they were asked for; a run log may be too old for any."""
    if schema_version(connection) < RENAMES:
        return []
    rows = connection.execute("SELECT name, was, asked_at, seen_at FROM renames ORDER BY id")
    return [
        Rename(name=name, was=was, asked_at=asked_at, seen_at=seen_at)
        for name, was, asked_at, seen_at in rows
    ]


def divided(
    connection: sqlite3.Connection, names: Collection[str] | None
) -> tuple[tuple[str, ...] | None, tuple[Span, ...]]:
    """Return the names that have no part in any rename, and the spans of those that have.

    None for all schedules, whatever they are called: these are no matter of names.
    """
    if names is None:
        return None, ()
    renames = stored(connection)
    touched = {one for rename in renames for one in (rename.name, rename.was)}
    found = [
        span
        for name in touched.intersection(names)
        for span in spans(renames, name, seen_at=_seen_at(connection, name))
    ]
    return tuple(name for name in names if name not in touched), tuple(_united(found))


def _united(found: Iterable[Span]) -> Iterator[Span]:
    """Yield what some spans cover, each moment of a name once."""
    last: Span | None = None
    for span in sorted(found, key=attrgetter("name", "after")):
        if last is not None and last.name == span.name and span.after <= last.until:
            last = replace(last, until=max(last.until, span.until))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _seen_at(connection: sqlite3.Connection, name: str) -> float:
    """Return when what has a name now was first seen."""
    sql = "SELECT seen_at FROM schedules WHERE name = ?"
    row = connection.execute(sql, (name,)).fetchone()
    return float(row[0]) if row else -inf


def spans(renames: Sequence[Rename], name: str, *, seen_at: float = inf) -> list[Span]:
    """Return the stretches of time, and the names, in which a schedule was what is ``name`` now.

    Args:
        renames: all there are.
        name: of the schedule.
        seen_at: moment it was first seen, of what has the name now. One that lost its name and did
            not come back since is still found by it, with all that it was.
    """
    lost = max((r.until for r in renames if r.was == name and r.until < inf), default=-inf)
    return [*_spans(renames, name, lost if seen_at > lost else -inf, inf)]


def name_now(renames: Iterable[Rename], name: str, created: float) -> str:
    """Return the name now of what was written at a moment under a name."""
    for rename in sorted(renames, key=attrgetter("until")):
        if rename.was == name and created <= rename.until:
            name, created = rename.name, rename.until
    return name


def _spans(renames: Sequence[Rename], name: str, after: float, until: float) -> Iterator[Span]:
    yield Span(name=name, after=after, until=until)
    for rename in renames:
        if rename.name == name and after < rename.until <= until:
            yield from _spans(
                renames, rename.was, _lost(renames, rename.was, rename.until), rename.until
            )


def _lost(renames: Iterable[Rename], name: str, before: float) -> float:
    """Return when a name was last given away before a moment."""
    return max((r.until for r in renames if r.was == name and r.until < before), default=-inf)
