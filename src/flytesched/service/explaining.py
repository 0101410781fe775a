"""Explaining: what an expression, or the timetable of a schedule, means from now on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from flytesched.core.everyday import understood
from flytesched.core.keys import NAME
from flytesched.core.suggestion import suggest
from flytesched.core.timetables.alike import alike, guess
from flytesched.core.timetables.changes import changes, felt
from flytesched.core.timetables.explain import words
from flytesched.core.timetables.parse import slots, timetable
from flytesched.core.timetables.zones import HORIZON
from flytesched.core.when import read_timing
from flytesched.errors import Fault, Invalid, InvalidManifest, InvalidSchedule, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.core.timetables.alike import Spelling
    from flytesched.core.timetables.changes import Felt
    from flytesched.core.timetables.explain import Words
    from flytesched.core.timetables.timing import Timing
    from flytesched.manifest import Manifest

#: Slots and clock changes told, and how far ahead a change is looked for, in seconds.
_SLOTS, _CHANGES, _AHEAD = 5, 2, 3 * 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What a timetable means."""

    #: The schedule that was named; None for an expression.
    schedule: Schedule | None
    #: Everything that decides when.
    timing: Timing
    #: In words.
    words: Words
    #: The next clock changes of its zone, and what each does to it.
    changes: tuple[Felt, ...]
    #: The next slots, whether they fall due or not.
    slots: tuple[int, ...]
    #: Other spellings with the very same slots.
    alike: tuple[Spelling, ...]


def explain(site: Site, text: str, keys: Mapping[str, Any]) -> Explained:
    """Explain an expression, or the timetable of a schedule.

    Args:
        site: whose schedules and whose default time zone are meant.
        text: the expression, or everyday words; or, without keys, the name of a schedule.
        keys: what is known of the expression: ``kind``, and keys that refine a timetable.

    Raises:
        InvalidSchedule: it is no expression.
        InvalidTimetable: croniter reads it otherwise.
        NotFound: it is neither, and nearly the name of a schedule.
        InvalidManifest: it is no expression, and may be a name in a manifest that is broken.
    """
    manifest, broken = _manifest(site)
    known = {} if manifest is None or keys else manifest.schedules
    schedule = known.get(text)
    if schedule is not None:
        return _explained(schedule.timing, site.now(), schedule)
    defaults = {} if manifest is None else manifest.defaults
    zone = defaults.get("timezone", site.settings.timezone)
    try:
        timing = _timing(text, {"timezone": zone, **keys})
    except InvalidSchedule as error:
        if keys or not NAME.fullmatch(text):
            raise
        raise _no_name(text, known) or broken or error from None
    from flytesched.second_opinion import compare

    compare(timing, site.now())
    return _explained(timing, site.now(), None)


def _manifest(site: Site) -> tuple[Manifest | None, InvalidManifest | None]:
    """Return the manifest, or why there is none to be used; neither if there is no file."""
    from flytesched.manifest.read import NoManifest

    try:
        return site.manifest(), None
    except NoManifest:
        return None, None
    except InvalidManifest as error:
        return None, error


def _no_name(text: str, known: Mapping[str, Schedule]) -> NotFound | None:
    """Return the error for what is nearly the name of a schedule; None if it is not."""
    near = suggest(text, list(known))
    if near is None:
        return None
    msg = f"{text!r} is neither an expression nor the name of a schedule"
    return NotFound(msg, hint=near)


def _timing(text: str, keys: Mapping[str, Any]) -> Timing:
    """Return what an expression means, or a timetable in everyday words.

    Raises:
        InvalidSchedule: it is neither; says what is wrong with what it looks like.
    """
    given = dict(keys)
    kind = given.pop("kind", None)
    if kind is not None:
        return _read({**given, kind: text})
    kind, expression = guess(text, seconds=bool(given.get("seconds")))
    try:
        return _read({**given, kind: expression})
    except InvalidSchedule:
        with suppress(Invalid):
            return _read({**given, **understood(text)})
        raise


def _read(keys: Mapping[str, Any]) -> Timing:
    """Return the timing that keys make, read as ``add`` reads them."""
    faults: list[Fault] = []
    timing = read_timing(keys, faults)
    if timing is None:
        raise InvalidSchedule(faults)
    return timing


def _explained(timing: Timing, now: float, schedule: Schedule | None) -> Explained:
    coming = slots(timetable(timing), int(now), HORIZON)
    ahead = () if timing.timezone is None else changes(timing.timezone, int(now), int(now) + _AHEAD)
    return Explained(
        schedule=schedule, timing=timing, words=words(timing),
        changes=tuple(felt(timing, change) for change in islice(ahead, _CHANGES)),
        slots=tuple(islice(coming, _SLOTS)), alike=tuple(alike(timing)),
    )  # fmt: skip
