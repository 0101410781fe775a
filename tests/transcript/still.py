"""Screens that hold still: what differs from one day to the next stands as a placeholder."""

from __future__ import annotations

import re

#: The id of a run: why it exists, the schedule, and the slot or the moment.
_ID = r"\b(sched|manual|catchup|backfill|retry)-([\w.-]*?)-\d{10,13}\b"
_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = rf"(?:\d\d? (?:{_MONTHS})|\d{{4}}-\d\d-\d\d)"
_UNIT = r"(?:ms|s|min|h|d)\b"
#: What is replaced by what, in this order.
_PASSING = (
    (_ID, r"\1-\2-<time>"),
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?", "<time>"),
    (rf"\b(?:{_DAYS}) (?:{_DATE} ?)?(?:\d\d:\d\d(:\d\d)?)?(?=\s|$)", "<time>"),
    (r"(?:^|(?<=\s))\d\d:\d\d:\d\d\b", "<time>"),
    (rf"(?<![\w:.-])(?<!every )\d+{_UNIT}(?: \d+{_UNIT})?", "<while>"),
    (r"\b(pid[ =])\d+", r"\1<pid>"),
    (r"\bEtc/GMT[+-]\d+", "<zone>"),
    (r"(\bversion(?:=|: ))[\w.+-]+", r"\1<version>"),
    (r"(?<=\S) {2,}", "  "),
    (r"^ {2,}", "  "),
    (r"(?:^|(?<=  ))\d\d:\d\d(?=  |$)", "<time>"),
)  # fmt: skip
#: What counts slots is of no account either, where slots go on falling due meanwhile.
_COUNTING = (
    (r"(?<=  )\d+(?=  |$)", "<n>"),
    (r"\b\d+ (run|missed slot|schedule)s?\b", r"<n> \1s"),
    (r"\b\d+ (succeeded|missed|open|active)\b", r"<n> \1"),
    (r"(open now).*", r"\1"),
    (r"(?<=  )✓+$", "✓..."),
)


def still(text: str, home: str, *, counts: bool = True) -> str:
    """Return a text in which times, durations, process ids and the home are placeholders.

    Columns stand two spaces apart, since what stood in them was of another width.

    Args:
        text: what a screen shows.
        home: where it was.
        counts: whether numbers are told.
    """
    text = text.replace(home, "~")
    for pattern, placeholder in _PASSING if counts else (*_PASSING, *_COUNTING):
        text = re.sub(pattern, placeholder, text, flags=re.MULTILINE)
    return text


def without(text: str, titles: frozenset[str]) -> str:
    """Return a still screen without columns of its table, which ends it.

    Which of them fit depends on how long durations are, and so on the day.
    """
    lines = text.split("\n")
    top = next(place for place, line in enumerate(lines) if line.startswith("WHEN  "))
    left = [place for place, head in enumerate(lines[top].split("  ")) if head not in titles]
    rows = [line.split("  ") for line in lines[top:]]
    kept = ["  ".join(row[place] for place in left if place < len(row)) for row in rows]
    return "\n".join([*lines[:top], *kept])


def cut_ids(text: str) -> list[str]:
    """Return what begins like the id of a run and does not go on like one."""
    begun = re.findall(r"\b(?:sched|manual|catchup|backfill|retry)-[^\s:=]+", text)
    return [each for each in begun if not re.fullmatch(_ID, each)]
