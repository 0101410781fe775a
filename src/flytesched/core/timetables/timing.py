"""`Timing`, everything that decides when; and the protocol that every timetable answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Mapping


class Timetable(Protocol):
    """Answers where its slots lie. Instants are epoch seconds, from 1970 to the year 9999."""

    def next(self, t: int) -> int | None:
        """Return the first slot later than `t`."""
        ...

    def previous(self, t: int) -> int | None:
        """Return the last slot earlier than `t`."""
        ...

    def count(self, after: int, until: int) -> int:
        """Return the number of slots in (after, until], fast for years of per-second slots."""
        ...

    def kickoff(self, slot: int) -> int:
        """Return the kickoff time of a slot: the slot less the schedule's offset."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Everything that decides when. Schedules with equal timing share one timetable.

    Made by `parse.make_timing`, which checks it.
    """

    #: The manifest's key: cron, aws_cron, every, daily, hourly or at.
    kind: str
    #: Canonical text of that kind: ``0 2 * * *``, ``rate(5 minutes)``, ``1h30m``, ``02:00,14:00``.
    expression: str
    #: IANA name; None where no wall clock is asked: every, rate(), @every, at with an offset.
    timezone: str | None
    #: Whether a cron expression has six fields, seconds first.
    seconds: bool = False
    #: Epoch seconds; slots are not before it.
    start: int | None = None
    #: Epoch seconds; slots are before it.
    end: int | None = None
    #: Epoch seconds; the phase of every, rate() and @every.
    anchor: int = 0
    #: Seconds from the expression's time (the kickoff time) to the slot.
    offset: int = 0
    #: Canonical text of calendars, on_holiday and the zone of dates, as `calendars` writes it; None
    #: where no day is off. Equal texts are one object: a hundred thousand timings are hashed.
    days_off: str | None = None
    #: Which of its slots: those that run, those left out on days off ("left_out"), or "all".
    part: str = "runs"

    @property
    def text(self) -> str:
        """The canonical JSON text, equal for equal timing: what has its default is left out."""
        return _text(self)

    @property
    def off(self) -> Mapping[str, Any]:
        """What it says of days off, which nobody may change; empty where it names no calendar."""
        return _off(self.days_off)

    @classmethod
    def from_text(cls, text: str) -> Timing:
        """Return the timing of a canonical text.

        Raises:
            InvalidTimetable: the text is none, or was written by a newer version.
        """
        import json  # only gaps and history need it

        try:
            said = json.loads(text)
            if not all(type(value) in _TYPES[key] for key, value in said.items()):
                raise TypeError
            if said.get("part", "runs") not in PARTS:
                raise ValueError
            return cls(**said | {"days_off": shared(said.get("days_off"))})
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            what = f"the run log holds a timetable that cannot be read: {text[:200]!r}"
            raise InvalidTimetable(what, hint="was it written by a newer version?") from error


#: Kinds of timetable, as the manifest's keys name them.
KINDS = ("cron", "aws_cron", "every", "daily", "hourly", "at")
#: What `Timing.part` may say.
PARTS = ("runs", "left_out", "all")
#: What the fields of a `Timing` may be; a number that is true or false is none.
_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,), "expression": (str,), "timezone": (str, type(None)), "seconds": (bool,),
    "start": (int, type(None)), "end": (int, type(None)), "anchor": (int,), "offset": (int,),
    "days_off": (str, type(None)), "part": (str,),
}  # fmt: skip


@lru_cache(maxsize=2**12)
def shared(text: str | None) -> str | None:
    """Return the one object that stands for all texts of days off that say the same."""
    return text


@lru_cache(maxsize=2**10)
def _off(text: str | None) -> Mapping[str, Any]:
    """Return what a text of days off says."""
    import json

    found: Mapping[str, Any] = json.loads(text or "{}")
    return found


@lru_cache(maxsize=2**17)
def _text(timing: Timing) -> str:
    """Return the canonical text of a timing: its fields in their order, JSON without extras."""
    import json

    said = {field.name: getattr(timing, field.name) for field in fields(timing)}
    default = {field.name: field.default for field in fields(timing)}
    return json.dumps({key: value for key, value in said.items() if value != default[key]})


def unknown(kind: str) -> InvalidTimetable:
    """Return the error of a kind of timetable that there is not."""
    what = f"{kind!r} is no kind of timetable"
    return InvalidTimetable(what, hint=f"write one of {', '.join(KINDS)}")
