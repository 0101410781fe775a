"""A second opinion on cron expressions from croniter, asked when a schedule is defined.

Our own parser and walk make the slots. Where croniter, which many people know, reads an expression
otherwise, the expression is refused instead of being run in a way its author may not expect. Only
this module imports croniter, and only when asked (importing it costs 20 ms). It is never asked
about clock changes, where it is wrong more often than right; and it is asked only in words that it
understands, since croniter 6.0 and 7.0 know some forms by other names and misread others.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from flytesched.core.timetables import aws, cron
from flytesched.core.timetables.cron import NICKNAMES
from flytesched.core.timetables.days import LAST, DaySpec
from flytesched.core.timetables.fields import (
    AWS_WEEKDAY,
    HOUR,
    MINUTE,
    MONTH,
    MONTHDAY,
    SECOND,
    WEEKDAY,
    YEAR,
    Field,
)
from flytesched.core.timetables.parse import slots, timetable
from flytesched.core.timetables.zones import DAY, HORIZON, tz
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from flytesched.core.timetables.parse import Timing

#: Where comparing begins, in days from now, and how many slots are compared there: enough to see
#: every field at work, cheap enough to validate thousands of schedules (a slot costs 50 us).
_STRETCHES = ((0, 6), (1, 2), (8, 2), (40, 2), (200, 2))
#: No slot this close to a clock change is compared.
_NEAR = timedelta(days=1)
_ALL_DAYS = frozenset(range(1, 32))


def compare(timing: Timing, now: float) -> None:
    """Compare the next slots after `now` (epoch seconds) with croniter's.

    What croniter cannot judge passes: other kinds of timetable, forms it does not know or is known
    to misread, expressions it refuses. Bounds, offset and days off are none of its business.

    Raises:
        InvalidTimetable: the two differ away from clock changes; names the first difference.
    """
    if timing.kind in {"cron", "aws_cron"} and timing.timezone is not None:
        plain = replace(timing, start=None, end=None, offset=0, days_off=None)
        _compare(plain, int(now))


@lru_cache(maxsize=4096)
def _compare(timing: Timing, now: int) -> None:
    clock = tz(timing.timezone or "UTC")
    question = _question(timing)
    if question is None:
        return
    for days, count in _STRETCHES:
        after = now + days * DAY
        ours = [_local(t, clock) for t in islice(slots(timetable(timing), after, HORIZON), count)]
        theirs = _ask(question, _local(after, clock), count, seconds_first=timing.seconds)
        for our, their in _pairs(ours, theirs, clock):
            if our != their:
                raise _difference(timing, our, their)


def _local(instant: int, clock: tzinfo) -> datetime:
    """Return what a clock shows, without its zone."""
    return datetime.fromtimestamp(instant, clock).replace(tzinfo=None)


def _ask(question: str, start: datetime, count: int, *, seconds_first: bool) -> list[datetime]:
    """Return croniter's next local times, as many as it finds.

    It gets a naive start: with a zone it fires twice in a repeated hour and in a skipped one where
    nothing matches. ``implement_cron_bug`` is its name for Vixie cron's rule for two day fields.
    """
    from croniter import croniter  # 20 ms that only defining a schedule pays

    found: list[datetime] = []
    with suppress(Exception):  # on odd input it raises almost anything; then it has no opinion
        times = _reader(croniter, question, seconds_first=seconds_first)
        times.set_current(start)
        found.extend(times.get_next(datetime) for _ in range(count))
    return found


@lru_cache(maxsize=1)
def _reader(croniter: Any, question: str, *, seconds_first: bool) -> Any:
    """Return croniter's reading of an expression, kept for the next stretch."""
    return croniter(question, 0, implement_cron_bug=True, second_at_beginning=seconds_first)


def _pairs(
    ours: list[datetime], theirs: list[datetime], clock: tzinfo
) -> Iterable[tuple[datetime | None, ...]]:
    """Pair the times up to where both have come, away from clock changes."""
    if not ours or not theirs:
        return ()
    common = min(ours[-1], theirs[-1])
    pair = ([t for t in found if _comparable(t, common, clock)] for found in (ours, theirs))
    return zip_longest(*pair)


def _comparable(local: datetime, until: datetime, clock: tzinfo) -> bool:
    """Tell whether a local time is one that both have reached, away from clock changes."""
    before, after = ((local + day).replace(tzinfo=clock).utcoffset() for day in (-_NEAR, _NEAR))
    return local <= until and before == after


def _difference(timing: Timing, our: datetime | None, their: datetime | None) -> InvalidTimetable:
    said = [moment.isoformat(" ") if moment else "not before" for moment in (our, their)]
    what = (
        f"{timing.expression!r} is ambiguous: here its next time is {said[0]}, "
        f"in croniter, which many programs use, {said[1]}"
    )
    return InvalidTimetable(what, hint="write the values out as a list, or as two schedules")


def _question(timing: Timing) -> str | None:
    """Return the expression in croniter's words, or None where it cannot judge."""
    texts = NICKNAMES.get(timing.expression, timing.expression).split()
    if timing.kind == "aws_cron":
        fields: tuple[Field, ...] = (MINUTE, HOUR, MONTHDAY, MONTH, AWS_WEEKDAY, YEAR)
        days = aws.times(timing.expression).days
    else:
        fields = (SECOND, MINUTE, HOUR, MONTHDAY, MONTH, WEEKDAY)[6 - len(texts) :]
        days = cron.times(timing.expression, seconds=timing.seconds).days
    if _beyond_it(days):
        return None
    words = [_field(text, field) for text, field in zip(texts, fields, strict=True)]
    if timing.kind == "aws_cron":
        # croniter has the year as the seventh field, after the seconds.
        words[5:] = [] if words[5] == "*" else ["0", words[5]]
    return " ".join(words)


def _beyond_it(days: DaySpec) -> bool:
    """Tell whether croniter is known to read days of this kind otherwise."""
    # Where either day field may match, it wants both if the weekday has L, # or the date W.
    if not days.both and days.nth:
        return True
    # It reads 31W as the Monday to Friday nearest to the last day where there is no 31st.
    if any(day > 28 for day in days.nearest):
        return True
    plain = days.monthdays
    overlong = len(plain) > 1 and plain != _ALL_DAYS and (LAST in plain or max(plain) > 28)
    return overlong and _forgets_first_days()


@lru_cache
def _forgets_first_days() -> bool:
    """Tell whether this croniter loses 1 March of "1,31" when asked in February, as 6.0 does."""
    found = _ask("0 0 1,31 * *", datetime(2025, 2, 10), 1, seconds_first=False)  # noqa: DTZ001
    return found != [datetime(2025, 3, 1)]  # noqa: DTZ001  it is asked in local time


def _field(text: str, field: Field) -> str:
    """Return a field in croniter's words: numbers for names, ``*`` for ``?``."""
    if text == "?":
        return "*"
    return ",".join(_item(item, field) for item in text.split(","))


def _item(text: str, field: Field) -> str:
    """Return one item of a field in croniter's words."""
    if field is MONTHDAY and "W" in text:
        return text  # 7.0 knows 15W, 6.0 refuses it, neither knows LW
    span, _, step = text.partition("/")
    words = [_word(word, field) for word in span.split("-")]
    if words[0] == words[-1] and len(words) == 2:
        return words[0]  # it reads 5-5 as the whole field, and 5-5/2 as every second value of it
    if (
        step
        and len(words) == 1
        and words[0] != "*"
        and int(words[0]) >= field.top - field.names.get("SUN", 0)
    ):
        return words[0]  # 6.0 reads 59/15 as the whole field
    return f"{'-'.join(words)}/{step}" if step else "-".join(words)


def _word(word: str, field: Field) -> str:
    """Return a value in croniter's numbers; its Sunday is 0, and ``5L`` is its ``L5``."""
    match = re.fullmatch(r"([A-Z]{3}|[0-9]+)(L|#[1-5])?", word)
    if not match:
        return "6" if field is AWS_WEEKDAY and word == "L" else word
    name, which = match.groups(default="")
    value = field.names[name] if name in field.names else int(name)
    value -= field.names.get("SUN", 0)
    return f"L{value}" if which == "L" else f"{value}{which}"
