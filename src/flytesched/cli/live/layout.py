"""Layout: which rows are on the screen, and how much room each section has. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.cli.live.view import Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flytesched.cli.live.view import Row

#: Lines from which on there is room for what is said of the selected row.
_TALL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a terminal is like."""

    #: Its size.
    columns: int
    lines: int
    #: The clock that times are shown on.
    zone: str
    #: Whether to colour.
    colour: bool = False
    #: Whether there are glyphs of ASCII alone.
    plain: bool = True
    #: Whether somebody presses keys.
    keyed: bool = True

    @property
    def page(self) -> int:
        """Rows by which a page moves."""
        return max(1, self.lines // 2)

    @property
    def tall(self) -> bool:
        """Whether there is room for more than rows."""
        return self.lines >= _TALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The rows of a section that are on the screen."""

    #: The section.
    section: Section
    #: How many rows it has, and the number of the first one that is shown.
    count: int
    first: int
    #: Those that are shown.
    rows: Sequence[Row]


def windows(rows: Sequence[Row], selected: str, room: int) -> list[Window]:
    """Return which rows of which section are shown; that which is selected is among them.

    Args:
        rows: all there are.
        selected: the id of the one that has to be seen.
        room: lines there are, for a title of each section and its rows.
    """
    sections = {section: [row for row in rows if row.section is section] for section in Section}
    sections = {section: sections[section] for section in _told(sections, selected, room)}
    shares = shared([len(many) for many in sections.values()], room - len(sections))
    found = []
    for (section, many), share in zip(sections.items(), shares, strict=True):
        here = next((number for number, row in enumerate(many) if row.id == selected), 0)
        first = min(max(0, here - share // 2), len(many) - share)
        shown = many[first : first + share]
        found.append(Window(section=section, count=len(many), first=first, rows=shown))
    return found


def _told(sections: Mapping[Section, Sequence[Row]], selected: str, room: int) -> Sequence[Section]:
    """Return the sections that are told of, in their order.

    Of what has not failed there is no word. Where there is no room for a row of each, those that
    have some are shown, as many as there is room for, and the one with the selected row for sure.
    """
    full = [section for section, many in sections.items() if many]
    if not full or room >= 2 * len(sections):
        return [each for each in sections if each in full or each is not Section.FAILED]
    here = next((s for s in full if any(row.id == selected for row in sections[s])), full[0])
    first = [here, *(each for each in full if each is not here)][: max(1, room // 2)]
    return [each for each in full if each in first]


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """Divide lines among sections: each as many as it wants, as long as none gets more for it."""
    given = [0] * len(wanted)
    while room > 0:
        hungry = [n for n, want in enumerate(wanted) if given[n] < want]
        if not hungry:
            break
        for number in hungry[:room]:
            given[number] += 1
        room -= len(hungry)
    return given


def timed(windows: Sequence[Window]) -> list[str]:
    """Return the schedules of which the usual duration is shown."""
    going = (row for each in windows if each.section is Section.RUNNING for row in each.rows)
    return [*dict.fromkeys(row.schedule for row in going)]
