"""Timetables: the "when" of a schedule. Local time exists only here.

`parse` turns what a manifest says into a `Timing`, and `tables` a `Timing` into a `Timetable`. Each
kind has its module: `cron` and `aws` (over `fields`), `interval`, `calendar`, `oneshot`. The kinds
that follow a wall clock share `walk`, and with it one rule for daylight saving, over `days` (which
dates) and `zones` (whose clock). `bounded` adds start, end and offset to any of them.

Days off: `public` has the holidays of countries, `daysoff` those of a timing's calendars, and
`moves` divides dates by them; a rate is cut by `stretches` of time. `parts` makes timetables of it,
`on_holiday` answers what is asked about them.

For people: `explain` says a timing in words (over `face`, which reads it back, and `phrases`),
`changes` what clock changes do to it, `alike` how else it could be written.
"""

from flytesched.core.timetables.on_holiday import (
    every_slot,
    left_out,
    left_out_timing,
    moved_from,
    why_left_out,
)
from flytesched.core.timetables.parse import (
    KINDS,
    Timetable,
    Timing,
    describe_kind,
    latest,
    make_timing,
    slots,
    timetable,
)

__all__ = [
    "KINDS",
    "Timetable",
    "Timing",
    "describe_kind",
    "every_slot",
    "latest",
    "left_out",
    "left_out_timing",
    "make_timing",
    "moved_from",
    "slots",
    "timetable",
    "why_left_out",
]
