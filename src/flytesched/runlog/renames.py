"""Renames in a run log: where what is asked of a schedule has to be looked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING

from flytesched.core.renames import Rename, Span, name_now, spans
from flytesched.runlog.migrations import RENAMES, schema_version

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["Span", "divided", "name_now", "renamed", "spans", "stored"]


def stored(connection: sqlite3.Connection) -> list[Rename]:
    """Return every rename, in the order they were asked for; a run log may be too old for any."""
    if schema_version(connection) < RENAMES:
        return []
    rows = connection.execute("SELECT name, was, asked_at, seen_at FROM renames ORDER BY id")
    return [
        Rename(name=name, was=was, asked_at=asked_at, seen_at=seen_at)
        for name, was, asked_at, seen_at in rows
    ]


def renamed(
    connection: sqlite3.Connection, names: Iterable[str] | None, *, gone: bool
) -> dict[str, tuple[Span, ...]]:
    """Return what was written of those schedules that have, or had, another name, by name.

    Args:
        connection: to the run log.
        names: schedules; None for all that a rename knows.
        gone: whether a name that nobody has any more finds all that it was. Whoever asks for what
            schedules are now does not want that: it is counted under the name it went to.
    """
    renames = stored(connection)
    touched = {each for rename in renames for each in (rename.name, rename.was)}
    found = {
        name: tuple(
            _united(spans(renames, name, seen_at=_seen_at(connection, name) if gone else inf))
        )
        for name in (sorted(touched) if names is None else names)
        if name in touched
    }
    if names is None:  # what a rename takes that is still unseen, goes by the new name alone
        found |= {name: () for name in found if name_now(renames, name, inf) != name}
    return found


def divided(
    connection: sqlite3.Connection, names: Collection[str] | None
) -> tuple[tuple[str, ...] | None, tuple[Span, ...]]:
    """Return the names that have no part in any rename, and the spans of those that have.

    None for all schedules, whatever they are called: these are no matter of names.
    """
    if names is None:
        return None, ()
    found = renamed(connection, names, gone=True)
    spans = chain.from_iterable(found.values())
    return tuple(name for name in names if name not in found), tuple(_united(spans))


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
