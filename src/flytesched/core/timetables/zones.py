"""Time zones as runs of constant offset, found lazily by asking :mod:`zoneinfo`.

A walk over wall-clock times wants to know between which two clock changes an instant lies.
``zoneinfo`` does not tell its transitions, so they are probed: the offset is asked for every three
days, and where it differs the second of the change is found by bisection. Nothing is probed before
it is needed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

DAY = 86_400
#: Seconds between two probes. The shortest time between two clock changes since 1970 is a week
#: less an hour (Boa_Vista in 2000, Gaza in 2040), so no pair of changes hides between two probes.
PROBE = 3 * DAY
#: No slot lies before 1970: nothing was scheduled then.
EARLIEST = 0
#: No slot lies at or after this epoch second, some days before the end of the year 9999, so that
#: every slot can be shown in every zone.
HORIZON = (date.max.toordinal() - date(1970, 1, 1).toordinal()) * DAY // PROBE * PROBE - PROBE
#: A clock change of at least this many seconds is a correction (Debian cron's limit): nothing is
#: made up or held back.
CORRECTION = 3 * 3600
#: Seconds learnt on each side of the first instant asked about: a year.
_SPAN = 122 * PROBE
#: A change is felt up to a day after it, so this many seconds before an instant must be known.
_MARGIN = PROBE
_NONE = timedelta(0)


class Run(NamedTuple):
    """A stretch of constant offset. Instants are epoch seconds, local times seconds since 1970."""

    #: First instant of the run.
    start: int
    #: First instant after it.
    end: int
    #: Local time minus UTC, in seconds.
    offset: int
    #: First instant whose local time counts: later than `start` where time is shown again.
    first: int
    #: First local time that the change at `start` skipped; the first local time if it skipped none.
    skipped: int
    #: The first whole minute after a skip, where what was skipped is made up; -1 without a skip.
    made_up: int


class _Known(NamedTuple):
    """All runs between two instants; replaced whole, so that no thread sees half of it."""

    low: int
    high: int
    starts: list[int]
    runs: list[Run]


#: UTC never changes, and there is nothing to learn.
_UTC = _Known(EARLIEST, HORIZON, [EARLIEST], [Run(EARLIEST, HORIZON, 0, EARLIEST, EARLIEST, -1)])


class Zone:
    """The clock of one zone as a series of runs, for one way of treating its changes."""

    __slots__ = ("_fixed_time", "_known", "_tz")

    def __init__(self, tz: tzinfo, *, fixed_time: bool) -> None:
        """Know nothing yet. `fixed_time`: skipped time is made up and repeated time held back."""
        self._tz = tz
        self._fixed_time = fixed_time
        self._known = _UTC if tz is UTC else _Known(0, 0, [], [])

    def at(self, instant: int) -> Run:
        """Return the run around an instant from `EARLIEST` to before `HORIZON`.

        A run may end where the knowledge ends; asked about that instant, this returns the same run
        reaching further.
        """
        known = self._known
        if not known.low <= instant < known.high:
            known = self._known = self._learn(instant)
        return known.runs[bisect_right(known.starts, instant) - 1]

    def instant(self, local: int) -> int | None:
        """Return the first instant that shows the local time `local` (seconds since 1970).

        A skipped local time is answered by the first whole minute after the skip; None if it lies
        before 1970, or in a skip of three hours or more.
        """
        for run in self._around(local):
            if run.start <= local - run.offset < run.end:
                return local - run.offset
            if run.skipped <= local < run.start + run.offset:
                return run.made_up
        return None

    def _around(self, local: int) -> Iterator[Run]:
        """Yield the runs within two days of a local time: offsets differ by a day at most."""
        instant = max(local - 2 * DAY, EARLIEST)
        while instant < min(local + 2 * DAY, HORIZON):
            run = self.at(instant)
            yield run
            instant = run.end

    def _learn(self, instant: int) -> _Known:
        """Return the runs of a stretch that holds `instant` and all that was known.

        What is known doubles each time, so that walking on to any year costs each probe twice.
        """
        known = self._known
        low, high = known.low - _MARGIN, known.high
        here, span = instant // PROBE * PROBE, max(_SPAN, high - low)
        if not high:
            low, high = here - span, here + span
        elif instant < low + _MARGIN:
            low = min(low - span, here - _SPAN)
        else:
            high = max(high + span, here + _SPAN)
        low, high = max(low, EARLIEST - 2 * _MARGIN), min(high, HORIZON)
        runs = self._runs(low, high)
        return _Known(low + _MARGIN, high, [run.start for run in runs], runs)

    def _runs(self, low: int, high: int) -> list[Run]:
        """Return the runs between two instants."""
        offset = self._offset(low)
        changes = [(low, offset), *self._changes(low, high), (high, offset)]
        runs = []
        for (start, offset_now), (end, _) in pairwise(changes):
            runs.append(self._run(start, end, offset, offset_now))
            offset = offset_now
        return runs

    def _changes(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Yield instant and new offset of every clock change between two instants."""
        before = self._offset(low)
        for probe in range(low + PROBE, high + 1, PROBE):
            after = self._offset(probe)
            if after != before:
                stretch = range(probe - PROBE, probe + 1)
                yield stretch[bisect_left(stretch, True, key=partial(self._differs, before))], after
            before = after

    def _differs(self, offset: int, instant: int) -> bool:
        return self._offset(instant) != offset

    def _offset(self, instant: int) -> int:
        """Return local time minus UTC at an instant, in seconds."""
        offset = datetime.fromtimestamp(instant, self._tz).utcoffset() or _NONE
        return offset.days * DAY + offset.seconds

    def _run(self, start: int, end: int, before: int, offset: int) -> Run:
        """Return the run that follows a change of offset at `start`.

        The time shown again is held back whole: every run is longer than any change (see `PROBE`),
        so the run before has shown all of it.
        """
        forward = offset - before
        if self._fixed_time and 0 < forward < CORRECTION:
            made_up = -(-(start + offset) // 60) * 60 - offset
            return Run(start, end, offset, start, start + before, made_up)
        held_back = -forward if self._fixed_time and -CORRECTION < forward < 0 else 0
        return Run(start, end, offset, start + held_back, start + offset, -1)


@lru_cache(maxsize=2048)
def zone(name: str, *, fixed_time: bool = True) -> Zone:
    """Return the shared zone of an IANA name.

    Raises:
        InvalidTimetable: the zone is unknown; the hint names the nearest one.
    """
    return Zone(tz(name), fixed_time=fixed_time)


@lru_cache(maxsize=1024)
def tz(name: str) -> tzinfo:
    """Return the tzinfo of an IANA name; ``UTC`` works without a time zone database.

    Raises:
        InvalidTimetable: the zone is unknown; the hint names the nearest one.
    """
    if name == "UTC":
        return UTC
    try:
        # "posixrules" and the "posix/" and "right/" trees are files of the database, not zones.
        if name.isascii() and not name.startswith(("posix", "right/")):
            return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a path, a directory, a file of another kind
        pass
    what = f"unknown time zone {name[:60]!r}"
    raise InvalidTimetable(what, hint=_suggestion(name), field="timezone")


def _suggestion(name: str) -> str:
    """Say which zone may have been meant."""
    from difflib import get_close_matches  # only a mistake pays for this import

    known = {name.casefold(): name for name in sorted(available_timezones())}
    if not known:
        return "this machine has no time zone database: install tzdata, or write UTC"
    cities = {key.rpartition("/")[2]: name for key, name in known.items()}
    wanted = name[:60].casefold().replace(" ", "_")
    near = get_close_matches(wanted, [*known, *cities], n=1)
    if near:
        return f"did you mean {(cities | known)[near[0]]}?"
    return "write a name such as Europe/Berlin or UTC"
