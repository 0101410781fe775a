"""Statistics: what became of schedules, in figures; and everything about one of their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flytesched.core.statistics import Figures
from flytesched.errors import NotFound
from flytesched.runlog.census import open_census
from flytesched.runlog.history import entry_of
from flytesched.service.selection import asked_for

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Attempt, Gap, Run
    from flytesched.runlog.history import Entry

#: Slots and runs that a strip shows, and runs that the figures of one schedule are of.
STRIP, FIGURED = 50, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What there is to be told of the past of one schedule."""

    #: The newest slots and runs, newest first.
    entries: Sequence[Entry] = ()
    #: Stretches of missed slots that are open.
    gaps: Sequence[Gap] = ()
    #: What its newest runs come to.
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything about one run."""

    #: The run.
    run: Run
    #: The same as a line of the history.
    entry: Entry
    #: Its attempts, the first one first.
    attempts: Sequence[Attempt]


def past(site: Site, name: str) -> Past:
    """Return what there is to be told of the past of a schedule.

    Raises:
        RunLogError: the run log cannot be read.
    """
    if (census := open_census(site.runs_db)) is None:
        return Past()
    with census:
        return Past(
            entries=census.history([name], limit=STRIP),
            gaps=census.open_gaps([name]),
            figures=census.recent(name, FIGURED),
        )


def last_statuses(
    site: Site, names: Sequence[str], *, since: int | None = None, until: int | None = None
) -> dict[str, list[str]]:
    """Return the statuses of the last slots and runs of schedules, the oldest first.

    Those of which nothing is known in that time are left out.
    """
    if (reader := site.reader()) is None:
        return {}
    with reader:
        newest = {
            name: reader.history([name], since=since, until=until, limit=STRIP) for name in names
        }
    return {
        name: [entry.status for entry in reversed(entries)]
        for name, entries in newest.items()
        if entries
    }


def statistics(
    site: Site,
    names: Collection[str] | None = None,
    *,
    since: int | None = None,
    until: int | None = None,
) -> Mapping[str, Figures]:
    """Return what came of schedules between two moments, by name.

    Args:
        site: where to look.
        names: schedules, also those of which nothing is known; None for all with a past.
        since: epoch second from which on.
        until: epoch second before which.

    Raises:
        RunLogError: the run log cannot be read.
    """
    found: dict[str, Figures] = {}
    if (census := open_census(site.runs_db)) is not None:
        with census:
            found = census.figures(names, since=since, until=until)
    return found if names is None else {name: found.get(name, Figures()) for name in names}


def meant(
    site: Site, words: Sequence[str], labels: Sequence[str]
) -> tuple[list[str] | None, Account | None]:
    """Return the names of schedules that are meant, None for all; or the one run that is.

    A word that is no name may be the id of a run, or the beginning of one.

    Raises:
        NotFound: a word means neither.
        UsageError: a label is not KEY=VALUE.
    """
    try:
        return asked_for(site, words, labels), None
    except NotFound:
        found = _account(site, words[0]) if len(words) == 1 and not labels else None
        if found is None:
            raise
        return None, found


def _account(site: Site, said: str) -> Account | None:
    """Return everything about a run; None if there is no such run."""
    if (reader := site.reader()) is None:
        return None
    with reader:
        if not said or (run := reader.run(said)) is None:
            return None
        return Account(run=run, entry=entry_of(run), attempts=reader.attempts(run.id))
