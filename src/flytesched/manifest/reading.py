"""One look at a manifest, in steps: only tables whose text has changed are read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytesched import settings
from flytesched.manifest.document import MAX_PIECES
from flytesched.manifest.pieces import Odd, alone, divide, plain, table_of
from flytesched.manifest.read import build, by_kind, top_faults, usable_defaults
from flytesched.manifest.toml import same

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from flytesched.core.schedule import Schedule
    from flytesched.manifest.pieces import Piece

#: What it costs to take a piece, in about microseconds: one that is known, one in plain lines,
#: and one that tomllib reads.
_KNOWN, _PLAIN, _TABLE = 1, 12, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a manifest held when it was read the last time."""

    #: Its schedules, by the hash of the text of their table.
    pieces: Mapping[int, Schedule] = field(default_factory=dict)
    #: ``[defaults]``, as written.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: ``[settings]``, as written and checked.
    settings: Mapping[str, Any] = field(default_factory=dict)


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
        before = self._before or Known()
        defaults: Mapping[str, Any] = before.defaults
        top: dict[str, Any] = {}
        again = yield from self._pass(defaults, before.pieces, top)
        if again is not None:
            # They stand behind schedules that were read without them.
            top = {}
            yield from self._pass(again, {}, top)
        self._check(top)
        if self._before is not None:
            yield from self._compare(before.pieces)

    def _pass(
        self, defaults: Mapping[str, Any], pieces: Mapping[int, Schedule], top: dict[str, Any]
    ) -> Generator[int, None, Mapping[str, Any] | None]:
        """Read the text once; return the defaults that count if they are not those given."""
        self.schedules, self._pieces, self._fresh = {}, {}, []
        usable, _ = usable_defaults({"defaults": defaults}, self._timezone)
        inherited = by_kind(usable)
        for piece in divide(self._text):
            if not piece.name:
                self._take_top(piece, top)
                if "defaults" in top and not same(top["defaults"], defaults):
                    return dict(top["defaults"])
                continue
            yield self._take(piece, pieces, inherited)
        return None if same(top.get("defaults", {}), defaults) else {}

    def _take_top(self, piece: Piece, top: dict[str, Any]) -> None:
        says = alone(piece, self._path)
        if says.keys() & top.keys() or not isinstance(says.get("defaults", {}), dict):
            raise Odd
        top.update(says)

    def _take(
        self,
        piece: Piece,
        pieces: Mapping[int, Schedule],
        inherited: Mapping[str, Mapping[str, Any]],
    ) -> int:
        """Take one schedule; return what it cost."""
        name = piece.name
        if name in self.schedules:
            raise Odd
        digest = hash(piece.text)
        cost = _KNOWN
        schedule = pieces.get(digest)
        if schedule is None or schedule.name != name:
            table, cost = plain(piece), _PLAIN
            if table is None:
                table, cost = table_of(piece, self._path), _TABLE
            built = build(name, table, inherited)
            if isinstance(built, list):
                raise Odd
            schedule = built[0] if self._survive else built[0].with_(survive=False)
            self._fresh.append(name)
        self.schedules[name] = self._pieces[digest] = schedule
        return cost

    def _check(self, top: dict[str, Any]) -> None:
        """Refuse what has a fault at its top, for whoever says it with its line."""
        table = top.get("settings", {})
        if top_faults(top) or usable_defaults(top, self._timezone)[1] or settings.check(table):
            raise Odd
        if len(self._text) > MAX_PIECES and sum(map(self._text.count, "\n,.")) > MAX_PIECES:
            raise Odd
        self.known = Known(
            pieces=self._pieces, defaults=top.get("defaults", {}), settings=table
        )  # fmt: skip

    def _compare(self, pieces: Mapping[int, Schedule]) -> Iterator[int]:
        """Find which schedules are gone."""
        gone = []
        for schedule in pieces.values():
            if schedule.name not in self.schedules:
                gone.append(schedule.name)
            yield _KNOWN
        self.touched = (*self._fresh, *gone)
