"""Renames: that a schedule goes on under another name, as the run log remembers it.

Ids and rows keep the name they were given. What is asked of a schedule is asked of each stretch of
time in which it had another name; nobody rewrites a million rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A schedule that got another name."""

    #: Its name since then.
    name: str
    #: Its name until then.
    was: str
    #: Moment somebody asked for it.
    asked_at: float
    #: Moment a scheduler saw it; None if none has yet.
    seen_at: float | None = None

    @property
    def until(self) -> float:
        """The last moment at which the earlier name was its own."""
        return inf if self.seen_at is None else self.seen_at


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


def spans(renames: Sequence[Rename], name: str, *, seen_at: float = inf) -> list[Span]:
    """Return the stretches of time, and the names, in which a schedule was what is ``name`` now.

    Args:
        renames: all there are.
        name: of the schedule.
        seen_at: moment it was first seen, of what has the name now. One that lost its name and did
            not come back since is still found by it, with all that it was.
    """
    lost = _lost(renames, name, inf)
    return [*_spans(renames, name, lost if seen_at > lost else -inf, inf)]


def name_now(renames: Iterable[Rename], name: str, created: float) -> str:
    """Return the name now of what was written at a moment under a name."""
    for rename in sorted(renames, key=attrgetter("until")):
        if rename.was == name and created <= rename.until:
            name, created = rename.name, rename.until
    return name


def _spans(renames: Sequence[Rename], name: str, after: float, until: float) -> Iterator[Span]:
    yield Span(name=name, after=after, until=until)
    for one in renames:
        if one.name == name and after < one.until <= until:
            yield from _spans(renames, one.was, _lost(renames, one.was, one.until), one.until)


def _lost(renames: Iterable[Rename], name: str, before: float) -> float:
    """Return when a name was last given away before a moment."""
    return max((one.until for one in renames if one.was == name and one.until < before),
               default=-inf)  # fmt: skip
