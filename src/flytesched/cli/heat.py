"""Heat maps: how many slots hours or days have, as a picture of text, values in and text out."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from flytesched.cli.pictures import shade
from flytesched.cli.render import safe
from flytesched.core.timetables.explain import change_said, changed_on
from flytesched.service.heat import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from flytesched.service.heat import DayOff, Heat

    Paint = Callable[[str, str], str]
    #: What runs in an hour or a day, and what is left out.
    Counts = tuple[int, int]

#: Shades beside nothing.
_LEVELS = 4
_GONE = "--"
#: Where everything is left out, and the same in ASCII.
_OFF = ("\u00d7", "x")
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
    shades = scale({runs for runs, _ in counts.values() if runs})
    draw = _Brush(shades, plain, paint, _marks(heat, plain=plain))
    map_ = _week if heat.span is Span.WEEK else _month
    below = [draw.legend("an hour" if heat.span is Span.WEEK else "a day")]
    below += [f"* {change_said(change)}" for change in heat.changes]
    below += [f"{_OFF[plain]} {safe(said)}" for said in _holidays(heat.days_off)]
    return "".join(f"{line.rstrip()}\n" for line in [*map_(heat, counts, draw), "", *below])


def _marks(heat: Heat, *, plain: bool) -> dict[date, str]:
    """Return what marks the days that are told below: a change of the clock before a day off."""
    off = dict.fromkeys((each.day for each in heat.days_off), _OFF[plain])
    return off | dict.fromkeys(map(changed_on, heat.changes), "*")


def _holidays(days: Sequence[DayOff]) -> list[str]:
    """Say which days are off, those with one name together."""
    named: dict[str, dict[date, None]] = {}
    for each in days:
        named.setdefault(each.holiday, {})[each.day] = None
    return [
        f"{first:%a %Y-%m-%d}{f' and {len(more):,} more' if more else ''}: {holiday}"
        for holiday, (first, *more) in named.items()
    ]


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

    def __init__(
        self, shades: Mapping[int, int], plain: bool, paint: Paint, marks: Mapping[date, str]
    ) -> None:
        """Take the shade of each count there is, ascending, and what marks the days."""
        self.marks = marks
        self._shades = shades
        self._plain = plain
        self._paint = paint

    def cell(self, count: int, left_out: int = 0) -> str:
        """Return the two columns of a count; blank for none, crossed where all is left out."""
        if not count:
            return self._paint(_OFF[self._plain] * 2, "dim") if left_out else "  "
        return self._paint(shade(self._shades[count] / _LEVELS, plain=self._plain) * 2, "good")

    def legend(self, per: str) -> str:
        """Say what the shades mean."""
        said = []
        for _, alike in groupby(self._shades, self._shades.__getitem__):
            least, *others = alike
            most = f"-{others[-1]:,}" if others else ""
            said.append(f"{self.cell(least)} {least:,}{most}")
        return f"slots {per}: {'  '.join(said) or 'none'}"


def _by_place(heat: Heat) -> dict[tuple[date, int | None], Counts]:
    """Return counts by day and hour; an hour that is shown twice has those of both."""
    counts: dict[tuple[date, int | None], Counts] = {}
    for cell in heat.cells:
        place = cell.day, cell.hour
        runs, left_out = counts.get(place, (0, 0))
        counts[place] = runs + cell.slots, left_out + cell.left_out
    return counts


def _week(heat: Heat, counts: dict[tuple[date, int | None], Counts], draw: _Brush) -> list[str]:
    """Draw days down and hours across; an hour that the clock skips is crossed out."""
    head = "".join(f"{hour:<6}" for hour in range(0, 24, 3))
    lines = [f"{'':12}{head}  SLOTS"]
    for day in dict.fromkeys(cell.day for cell in heat.cells):
        hours = [counts.get((day, hour)) for hour in range(24)]
        row = "".join(_GONE if count is None else draw.cell(*count) for count in hours)
        name = f"{day:%a} {day.day:>2} {day:%b}{draw.marks.get(day, '')}"
        lines.append(f"{name:<12}{row}  {sum(runs for runs, _ in filter(None, hours)):>5,}")
    return lines


def _month(heat: Heat, counts: dict[tuple[date, int | None], Counts], draw: _Brush) -> list[str]:
    """Draw weeks down and weekdays across, each day with its number and how many slots it has."""
    first, last = heat.cells[0].day, heat.cells[-1].day
    lines = [" ".join(f"{'':3}{name:<{_DAY_ROOM - 3}}" for name in _WEEKDAYS)]
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        week = [monday + timedelta(days=n) for n in range(7)]
        lines.append(" ".join(_of_month(day, counts.get((day, None)), draw) for day in week))
        monday += timedelta(days=7)
    return lines


def _of_month(day: date, count: Counts | None, draw: _Brush) -> str:
    if count is None:
        return " " * _DAY_ROOM
    runs, left_out = count
    # A cell that is crossed needs no mark beside it.
    mark = " " if left_out and not runs else draw.marks.get(day, " ")
    return f"{day.day:>2}{mark}{draw.cell(*count)} {_short(runs):<{_DAY_ROOM - 6}}"


def _short(count: int) -> str:
    """Return a count in four columns: ``9999``, ``14k``, ``30M``; nothing for none."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= 10 * size:
            return f"{count // size}{unit}"
    return str(count or "")
