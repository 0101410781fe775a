"""What must hold of any text that is read as a timetable, a duration or a time."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flytesched import second_opinion
from flytesched.cli.times import clock_of, moment
from flytesched.core.durations import format_duration, parse_duration
from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.runs import ScheduleState
from flytesched.core.sight import owed, recalled, see
from flytesched.core.timetables.parse import KINDS, Timing, latest, make_timing, slots, timetable
from flytesched.errors import Invalid, InvalidTimetable, UsageError

if TYPE_CHECKING:
    from flytesched.core.timetables.parse import Timetable

#: 2026-11-21T00:00:00Z.
NOW = 1_795_219_200
#: Slots walked from one instant.
STEPS = 8
#: A message that quotes what was written does so in part.
LONGEST = 3_000


def timetables(data: bytes) -> None:
    """An expression names slots that all questions agree on; or it is refused in one sentence.

    The first line is the kind and what refines it (a zone, ``seconds``, ``offset=60``, and the
    instant to ask about), the rest is the expression.
    """
    head, _, text = data.decode(errors="surrogateescape").partition("\n")
    kind, *refined = head.split(" ")
    if kind not in KINDS:
        return
    keys, zone, now = _refined(refined)
    value: Any = int(text) if kind == "hourly" and text.isdecimal() and len(text) < 9 else text
    try:
        timing = make_timing(kind, value, timezone=zone, **keys)
    except InvalidTimetable as error:
        _one_sentence(error)
        _points_into(text, error.position)
        return
    assert Timing.from_text(timing.text) == timing
    written = {**keys, "seconds": timing.seconds, "anchor": timing.anchor}
    assert make_timing(kind, timing.expression, timezone=timing.timezone, **written) == timing
    table = timetable(timing)
    for instant in (now, 0):
        _questions_agree(table, instant)
    _judged(timing)


def _points_into(text: str, position: int | None) -> None:
    assert position is None or 1 <= position <= len(text) + 1


def _refined(words: list[str]) -> tuple[dict[str, Any], str | None, int]:
    keys: dict[str, Any] = {}
    zone, now = None, NOW
    for word in words:
        name, _, number = word.partition("=")
        if word == "seconds":
            keys["seconds"] = True
        elif name in {"start", "end", "anchor", "offset"} and _short(number):
            keys[name] = int(number)
        elif _short(word):
            now = int(word)
        else:
            zone = word
    return keys, zone, now


def _short(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= 10


def _questions_agree(table: Timetable, now: int) -> None:
    walked = [now]
    while len(walked) <= STEPS and (slot := table.next(walked[-1])) is not None:
        assert slot > walked[-1]
        assert 0 <= table.kickoff(slot) <= slot
        walked.append(slot)
    found = walked[1:]
    for before, slot in zip(walked, found, strict=False):
        assert table.previous(slot + 1) == slot
        assert before == now or table.previous(slot) == before
        assert table.count(before, slot) == 1
        assert table.count(before, slot - 1) == 0
    last = walked[-1]
    assert table.count(now, last) == len(found)
    assert [*slots(table, now, last)] == found
    assert latest(table, now, last, STEPS) == found
    if (earlier := table.previous(now)) is not None:
        assert earlier < now
        assert table.next(earlier) == (now if table.count(now - 1, now) else table.next(now))


def _judged(timing: Timing) -> None:
    """Ask for croniter's opinion too: it may differ, and that is said, but it may not fail."""
    try:
        second_opinion.compare(timing, NOW)
    except InvalidTimetable as error:
        _one_sentence(error)


def durations(data: bytes) -> None:
    """A duration is shown as a text that means the same; all else is refused in one sentence."""
    try:
        found = parse_duration(data.decode(errors="surrogateescape"))
    except Invalid as error:
        _one_sentence(error)
        return
    assert found >= timedelta(0)
    shown = format_duration(found)
    assert parse_duration(shown) == found
    assert format_duration(parse_duration(shown)) == shown


def moments(data: bytes) -> None:
    """A time that is typed is an instant that can be shown, in any zone; all else is a usage error.

    The first line is a zone, the rest what is typed.
    """
    zone, _, text = data.decode(errors="surrogateescape").partition("\n")
    if zone not in ZONES:
        zone = ZONES[zlib.crc32(data) % len(ZONES)]
    for ahead in (False, True):
        try:
            found = moment("--since", text, now=NOW + 0.5, zone=zone, ahead=ahead)
        except UsageError as error:
            _one_sentence(error)
            continue
        assert type(found) is int
        assert found < 0 or parse_instant(rfc3339(found), zone) == found
        for clock in ZONES:
            assert clock_of(clock)(found)


#: Clocks on both sides of UTC's, one that left out a day, and one that goes back by half an hour.
ZONES = ("UTC", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe", "America/New_York")


def stored(data: bytes) -> None:
    """A definition that the run log kept is a schedule, or is passed over; it never stops a reader.

    The text stands for a definition and for a timetable, as a newer version may have written them.
    """
    text = data.decode(errors="replace")
    state = ScheduleState(
        name="a", timing=text, enabled=True, cursor=NOW - 3600, seen_at=0.0, definition=text
    )
    try:
        timing = Timing.from_text(text)
        table = timetable(timing)
    except InvalidTimetable as error:
        _one_sentence(error)
    else:
        assert Timing.from_text(timing.text) == timing
        _questions_agree(table, NOW)
    gaps = owed(state, NOW)  # what runs, and what calendars leave out
    assert len(gaps) <= 2
    assert all(gap.count > 0 for gap in gaps)
    assert sum(gap.count for gap in gaps) <= 3600
    if (schedule := recalled(state)) is not None:
        # A definition without a timing of its own has the state's.
        kept = ScheduleState(
            name="a", timing=schedule.timing.text, enabled=True, cursor=NOW - 3600, seen_at=0.0,
            definition=schedule.definition(),
        )  # fmt: skip
        assert recalled(kept) == schedule
        if schedule.due_at(NOW) and schedule.paused_until is None:
            assert not see(schedule, kept, NOW).changed


def _one_sentence(error: Invalid | UsageError) -> None:
    for said in (error.message, error.hint):
        if said is not None:
            assert said.strip()
            assert len(said) < LONGEST
            assert len(said.splitlines()) == 1
