"""Heat maps: how many slots hours or days have, as a picture of text, values in and text out."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from flytesched.cli.pictures import shade
from flytesched.core.timetables.explain import change_said, changed_on
from flytesched.service.heat import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

    from flytesched.service.heat import Heat

    Paint = Callable[[str, str], str]

#: Shades beside nothing.
_LEVELS = 4
_GONE = "--"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Columns that a day of the month takes.
_DAY_ROOM = 10


def heat_map(heat: Heat, *, plain: bool = False, paint: Paint = lambda t, _: t) -> str:
    """Return a picture: days down and hours across, or weeks down.

    Args:
        heat: what to draw.
        plain: whether to use ASCII alone.
        paint: colours a text in a tone, as ``render.painter`` does.
    """
    counts = _by_place(heat)
    draw = _Brush(scale({count for count in counts.values() if count}), plain, paint)
    marked = {changed_on(change) for change in heat.changes}
    map_ = _week if heat.span is Span.WEEK else _month
    lines = map_(heat, counts, draw, marked)
    below = [draw.legend("an hour" if heat.span is Span.WEEK else "a day")]
    below += [f"* {change_said(change)}" for change in heat.changes]
    return "".join(f"{line.rstrip()}\n" for line in [*lines, "", *below])


def scale(counts: Collection[int]) -> dict[int, int]:
    """Return the shade of each count, from 1 to 4 for the darkest, on a scale of powers.

    One slot an hour is to be told from two, but sixty not from sixty-one.

    Args:
        counts: those to be drawn; none is zero.
    """
    least, most = min(counts, default=0), max(counts, default=0)
    if least == most:
        return dict.fromkeys(counts, _LEVELS)
    bounds = [least * (most / least) ** (level / _LEVELS) for level in range(1, _LEVELS)]
    return {count: bisect_left(bounds, count) + 1 for count in sorted(counts)}


class _Brush:
    """Draws counts in the shades of one picture."""

    def __init__(self, shades: Mapping[int, int], plain: bool, paint: Paint) -> None:
        """Take the shade of each count there is, ascending."""
        self._shades = shades
        self._plain = plain
        self._paint = paint

    def cell(self, count: int) -> str:
        """Return the two columns of a count; blank for none."""
        if not count:
            return "  "
        return self._paint(shade(self._shades[count] / _LEVELS, plain=self._plain) * 2, "good")

    def legend(self, per: str) -> str:
        """Say what the shades mean."""
        said = []
        for _, alike in groupby(self._shades, self._shades.__getitem__):
            least, *others = alike
            most = f"-{others[-1]:,}" if others else ""
            said.append(f"{self.cell(least)} {least:,}{most}")
        return f"slots {per}: {'  '.join(said) or 'none'}"


def _by_place(heat: Heat) -> dict[tuple[date, int | None], int]:
    """Return counts by day and hour; an hour that is shown twice has those of both."""
    counts: dict[tuple[date, int | None], int] = {}
    for cell in heat.cells:
        place = cell.day, cell.hour
        counts[place] = counts.get(place, 0) + cell.slots
    return counts


def _week(
    heat: Heat, counts: dict[tuple[date, int | None], int], draw: _Brush, marked: set[date]
) -> list[str]:
    """Draw days down and hours across; an hour that the clock skips is crossed out."""
    head = "".join(f"{hour:<6}" for hour in range(0, 24, 3))
    lines = [f"{'':12}{head}  SLOTS"]
    for day in dict.fromkeys(cell.day for cell in heat.cells):
        hours = [counts.get((day, hour)) for hour in range(24)]
        row = "".join(_GONE if count is None else draw.cell(count) for count in hours)
        name = f"{day:%a} {day.day:>2} {day:%b}{'*' * (day in marked)}"
        lines.append(f"{name:<12}{row}  {sum(filter(None, hours)):>5,}")
    return lines


def _month(
    heat: Heat, counts: dict[tuple[date, int | None], int], draw: _Brush, marked: set[date]
) -> list[str]:
    """Draw weeks down and weekdays across, each day with its number and how many slots it has."""
    first, last = heat.cells[0].day, heat.cells[-1].day
    lines = [" ".join(f"{'':3}{name:<{_DAY_ROOM - 3}}" for name in _WEEKDAYS)]
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        week = [monday + timedelta(days=n) for n in range(7)]
        cells = [_of_month(day, counts.get((day, None)), draw, marked) for day in week]
        lines.append(" ".join(cells))
        monday += timedelta(days=7)
    return lines


def _of_month(day: date, count: int | None, draw: _Brush, marked: set[date]) -> str:
    if count is None:
        return " " * _DAY_ROOM
    star = "*" if day in marked else " "
    return f"{day.day:>2}{star}{draw.cell(count)} {_short(count):<{_DAY_ROOM - 6}}"


def _short(count: int) -> str:
    """Return a count in four columns: ``9999``, ``14k``, ``30M``; nothing for none."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= 10 * size:
            return f"{count // size}{unit}"
    return str(count or "")
