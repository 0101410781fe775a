"""One look at a manifest, in steps: only tables whose text has changed are read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytesched import settings
from flytesched.manifest.document import MAX_PIECES
from flytesched.manifest.pieces import Odd, Top, divide, plain, table_of
from flytesched.manifest.read import top_faults
from flytesched.manifest.shared import build, shared
from flytesched.manifest.toml import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.manifest.pieces import Piece
    from flytesched.manifest.shared import Shared

#: What it costs to take a piece, in about microseconds: one that is known, one in plain lines,
#: and one that tomllib reads.
_KNOWN, _PLAIN, _TABLE = 1, 12, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a manifest held when it was read the last time."""

    #: Its schedules, by the hash of the text of their table.
    pieces: Mapping[int, Schedule] = field(default_factory=dict)
    #: What stands beside them, as written.
    top: Mapping[str, Any] = field(default_factory=dict)
    #: The channels by name.
    channels: Mapping[str, Channel] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """``[settings]``, as written and checked."""
        table: Mapping[str, Any] = self.top.get("settings", {})
        return table


class Reading:
    """One look at a text."""

    def __init__(
        self, text: str, path: Path, *, timezone: str, survive: bool = True, known: Known | None
    ) -> None:
        """Begin to read.

        Args:
            path: for messages that nobody sees: a text with faults is ``Odd``.
            timezone: zone of schedules where neither they nor ``[defaults]`` name one.
            survive: False makes every command end with the scheduler, whatever its table says.
            known: what the text held the last time; None when it was never read.
        """
        self._text, self._path = text, path
        self._timezone, self._survive = timezone, survive
        self._before = known
        #: What the text holds, once it is read.
        self.known = Known()
        #: The schedules by name, once they are read.
        self.schedules: dict[str, Schedule] = {}
        #: Names of schedules that are new, changed or gone; None when nothing was known before.
        self.touched: tuple[str, ...] | None = None
        self._pieces: dict[int, Schedule] = {}
        self._fresh: list[str] = []
        # What may make a schedule of an unchanged text another one, or none.
        self._days_changed = False
        self._gone: frozenset[str] = frozenset()
        self._steps = self._all()

    def step(self, work: float) -> bool:
        """Read on for about ``work`` microseconds; True when everything is read.

        Raises:
            Odd: the text has to be read as a whole, since it has a fault or an unusual form.
        """
        for cost in self._steps:
            work -= cost
            if work <= 0:
                return False
        return True

    def finish(self) -> None:
        """Read on to the end.

        Raises:
            Odd: as above.
        """
        self.step(float("inf"))

    def _all(self) -> Iterator[int]:
        """Read everything; yield what each step costs."""
        top = Top(self._path)
        for piece in divide(self._text):
            if piece.table != "schedules":
                top.take(piece)
                yield _TABLE
            else:
                yield _KNOWN
        around = self._around(top.model)
        pieces = self._still_good(top.model, around)
        for piece in divide(self._text):
            if piece.table == "schedules":
                yield self._take(piece, pieces, around)
        self.known = Known(pieces=self._pieces, top=top.model, channels=around.channels)
        if self._before is not None:
            yield from self._compare(self._before.pieces)

    def _around(self, top: Mapping[str, Any]) -> Shared:
        """Return what schedules share; what has a fault is left to whoever says it with its line.

        Raises:
            Odd: there is one.
        """
        if top_faults(top) or settings.check(top.get("settings", {})):
            raise Odd
        if len(self._text) > MAX_PIECES and sum(map(self._text.count, "\n,.")) > MAX_PIECES:
            raise Odd
        around = shared(top, self._timezone)
        if around.faults:
            raise Odd
        return around

    def _still_good(self, top: Mapping[str, Any], around: Shared) -> Mapping[int, Schedule]:
        """Return the schedules that are known, unless other defaults make other ones of them all.

        Another calendar, and a channel that is gone, matter only to those that name them.
        """
        before = self._before or Known()
        self._days_changed = not _same("calendars", before.top, top)
        self._gone = frozenset(before.channels.keys() - around.channels.keys())
        return before.pieces if _same("defaults", before.top, top) else {}

    def _take(self, piece: Piece, pieces: Mapping[int, Schedule], around: Shared) -> int:
        """Take one schedule; return what it cost."""
        name = piece.name
        if name in self.schedules:
            raise Odd
        digest = hash(piece.text)
        cost = _KNOWN
        schedule = pieces.get(digest)
        if schedule is None or schedule.name != name or self._is_doubtful(schedule):
            before, (schedule, cost) = schedule, self._read(piece, around)
            if schedule == before:
                schedule = before
            else:
                self._fresh.append(name)
        self.schedules[name] = self._pieces[digest] = schedule
        return cost

    def _is_doubtful(self, schedule: Schedule) -> bool:
        """Tell whether the same text may mean something else than before."""
        if self._days_changed and schedule.timing.days_off is not None:
            return True
        return bool(self._gone) and not self._gone.isdisjoint(schedule.notify)

    def _read(self, piece: Piece, around: Shared) -> tuple[Schedule, int]:
        """Return the schedule of a piece, and what it cost."""
        table, cost = plain(piece), _PLAIN
        if table is None:
            table, cost = table_of(piece, self._path), _TABLE
        built = build(piece.name, table, around)
        if isinstance(built, list):
            raise Odd
        return built[0] if self._survive else built[0].with_(survive=False), cost

    def _compare(self, pieces: Mapping[int, Schedule]) -> Iterator[int]:
        """Find which schedules are gone."""
        gone = []
        for schedule in pieces.values():
            if schedule.name not in self.schedules:
                gone.append(schedule.name)
            yield _KNOWN
        self.touched = (*self._fresh, *gone)


def _same(table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return same(before.get(table, {}), after.get(table, {}))
