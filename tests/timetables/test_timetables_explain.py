"""Timetables in words: what is said is what is run, clock changes included."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wall_oracle import CHANGES, expressions, stretches, tries

from flytesched.core.instants import parse_instant, rfc3339, rfc3339_local
from flytesched.core.timetables import Timing, make_timing, slots, timetable
from flytesched.core.timetables.alike import alike, guess
from flytesched.core.timetables.changes import Effect, changes, felt, moved, showing
from flytesched.core.timetables.explain import told, words
from flytesched.core.timetables.zones import DAY, HORIZON
from flytesched.errors import InvalidTimetable

BERLIN = "Europe/Berlin"
NOW = parse_instant("2026-11-26T12:00:00Z", "UTC")
#: Ten days before Berlin's clocks go forward, so that fifty slots of most expressions meet it.
SPRING = parse_instant("2027-03-18T00:00:00Z", "UTC")

# fmt: off
SAID = [
    # kind, or cron with seconds; expression; what is said of it in Berlin
    ("cron", "0 2 * * *", "At 02:00 every day, Europe/Berlin."),
    ("cron", "30 14 * * *", "At 14:30 every day, Europe/Berlin."),
    ("cron", "* * * * *", "Every minute, Europe/Berlin."),
    ("cron", "*/5 * * * *", "Every 5 minutes, Europe/Berlin."),
    ("cron", "*/15 * * * *", "Every 15 minutes, Europe/Berlin."),
    ("cron", "*/7 * * * *", "At minutes 0 to 56 in steps of 7 of every hour, Europe/Berlin."),
    ("cron", "0-59 * * * *", "Every minute, Europe/Berlin."),
    ("cron", "15 * * * *", "At minute 15 of every hour, Europe/Berlin."),
    ("cron", "0 * * * *", "At minute 0 of every hour, Europe/Berlin."),
    ("cron", "5,35 * * * *", "At minutes 5 and 35 of every hour, Europe/Berlin."),
    ("cron", "5,20,30 * * * *", "At minutes 5, 20 and 30 of every hour, Europe/Berlin."),
    ("cron", "10-20 * * * *", "At minutes 10 to 20 of every hour, Europe/Berlin."),
    ("cron", "0 */2 * * *", "Every 2 hours, Europe/Berlin."),
    ("cron", "30 1-23/2 * * *", "Every 2 hours from 01:30 on, round the clock, Europe/Berlin."),
    ("cron", "0 9-17 * * *", "Every hour from 09:00 to 17:00 every day, Europe/Berlin."),
    ("cron", "*/10 9-17 * * *", "Every 10 minutes from 09:00 to 17:50 every day, Europe/Berlin."),
    ("cron", "30 9-17/4 * * *", "At 09:30, 13:30 and 17:30 every day, Europe/Berlin."),
    ("cron", "0 0,6,12,18 * * *", "Every 6 hours, Europe/Berlin."),
    ("cron", "0 1,13 * * *", "At 01:00 and 13:00 every day, Europe/Berlin."),
    ("cron", "0 9-11 * * *", "At 09:00, 10:00 and 11:00 every day, Europe/Berlin."),
    ("cron", "0 8-10,14,20-22 * * *",
     "At 08:00, 09:00, 10:00, 14:00, 20:00, 21:00 and 22:00 every day, Europe/Berlin."),
    ("cron", "5,10 1,2,3,7,8 * * *",
     "At minutes 5 and 10 of hours 1 to 3, 7 and 8 every day, Europe/Berlin."),
    ("cron", "* 2 * * *", "Every minute from 02:00 to 02:59 every day, Europe/Berlin."),
    ("cron", "* 2-4 * * *", "Every minute from 02:00 to 04:59 every day, Europe/Berlin."),
    ("cron", "1-50 3,4 * * *", "At minutes 1 to 50 of hours 3 and 4 every day, Europe/Berlin."),
    ("cron", "0 2 * * 1", "At 02:00 on Monday, Europe/Berlin."),
    ("cron", "0 2 * * sun", "At 02:00 on Sunday, Europe/Berlin."),
    ("cron", "0 2 * * 7", "At 02:00 on Sunday, Europe/Berlin."),
    ("cron", "0 2 * * 0,6", "At 02:00 on Saturday and Sunday, Europe/Berlin."),
    ("cron", "0 2 * * mon-fri", "At 02:00 on Monday to Friday, Europe/Berlin."),
    ("cron", "0 2 * * 1,3,5", "At 02:00 on Monday, Wednesday and Friday, Europe/Berlin."),
    ("cron", "0 2 * * */2", "At 02:00 on Tuesday, Thursday, Saturday and Sunday, Europe/Berlin."),
    ("cron", "0 2 * * 5#3", "At 02:00 on the third Friday of the month, Europe/Berlin."),
    ("cron", "0 2 * * 5L", "At 02:00 on the last Friday of the month, Europe/Berlin."),
    ("cron", "0 2 * * 1,5#1,0L",
     "At 02:00 on Monday, the last Sunday of the month and the first Friday of the month, "
     "Europe/Berlin."),
    ("cron", "0 2 * * 1,1#2", "At 02:00 on Monday, Europe/Berlin."),
    ("cron", "0 2 1 * *", "At 02:00 on day 1 of the month, Europe/Berlin."),
    ("cron", "0 2 1,15 * *", "At 02:00 on days 1 and 15 of the month, Europe/Berlin."),
    ("cron", "0 2 L * *", "At 02:00 on the last day of the month, Europe/Berlin."),
    ("cron", "0 2 1-7 * *", "At 02:00 on days 1 to 7 of the month, Europe/Berlin."),
    ("cron", "0 2 1,L * *", "At 02:00 on day 1 and the last day of the month, Europe/Berlin."),
    ("cron", "0 2 1,15,L * *",
     "At 02:00 on days 1 and 15 and also the last day of the month, Europe/Berlin."),
    ("cron", "0 2 */10 * *",
     "At 02:00 on days 1 to 31 in steps of 10 of the month, Europe/Berlin."),
    ("cron", "0 2 1-31 * *", "At 02:00 every day, Europe/Berlin."),
    ("cron", "0 2 29 2 *", "At 02:00 on day 29 of the month in February, Europe/Berlin."),
    ("cron", "0 2 * 1 *", "At 02:00 every day in January, Europe/Berlin."),
    ("cron", "0 2 * 1-3 *", "At 02:00 every day in January to March, Europe/Berlin."),
    ("cron", "0 2 * */3 *",
     "At 02:00 every day in January to October in steps of 3, Europe/Berlin."),
    ("cron", "0 2 1 jan,jul *",
     "At 02:00 on day 1 of the month in January and July, Europe/Berlin."),
    ("cron", "0 2 13 * 5", "At 02:00 on day 13 of the month or on Friday, Europe/Berlin."),
    ("cron", "0 2 1-7 * 1", "At 02:00 on days 1 to 7 of the month or on Monday, Europe/Berlin."),
    ("cron", "0 2 */2 * 1",
     "At 02:00 on days 1 to 31 in steps of 2 of the month if that is Monday, "
     "Europe/Berlin."),
    ("cron", "0 2 1-31 * 1", "At 02:00 every day, Europe/Berlin."),
    ("cron", "0 2 1 * 0-7", "At 02:00 every day, Europe/Berlin."),
    ("cron", "0 2 1 6 1#1",
     "At 02:00 on day 1 of the month or on the first Monday of the month in June, "
     "Europe/Berlin."),
    ("cron", "0 2 ? * *", "At 02:00 every day, Europe/Berlin."),
    ("cron", "@hourly", "At minute 0 of every hour, Europe/Berlin."),
    ("cron", "@daily", "At 00:00 every day, Europe/Berlin."),
    ("cron", "@weekly", "At 00:00 on Sunday, Europe/Berlin."),
    ("cron", "@monthly", "At 00:00 on day 1 of the month, Europe/Berlin."),
    ("cron", "@yearly", "At 00:00 on day 1 of the month in January, Europe/Berlin."),
    ("cron", "years", "At 00:00 on day 1 of the month in January, Europe/Berlin."),
    ("cron", "@every 90s",
     "Every 90 seconds of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("cron", "CRON_TZ=Asia/Tokyo 0 2 * * *", "At 02:00 every day, Asia/Tokyo."),
    ("seconds", "30 0 2 * * *", "At 02:00:30 every day, Europe/Berlin."),
    ("seconds", "*/10 * * * * *", "Every 10 seconds, Europe/Berlin."),
    ("seconds", "* * * * * *", "Every second, Europe/Berlin."),
    ("seconds", "0,30 */5 * * * *",
     "At seconds 0 and 30 of minutes 0 to 55 in steps of 5 of every hour, Europe/Berlin."),
    ("seconds", "15 5 * * * *", "Every hour from 00:05:15 on, round the clock, Europe/Berlin."),
    ("seconds", "* 0 2 * * *", "Every second from 02:00 to 02:00:59 every day, Europe/Berlin."),
    ("seconds", "1-10 0,1 2-5 * * *",
     "At seconds 1 to 10 of minutes 0 and 1 of hours 2 to 5 every day, Europe/Berlin."),
    ("aws_cron", "0 10 * * ? *", "At 10:00 every day, Europe/Berlin."),
    ("aws_cron", "0 10 ? * 2-6 *", "At 10:00 on Monday to Friday, Europe/Berlin."),
    ("aws_cron", "0 10 ? * L *", "At 10:00 on Saturday, Europe/Berlin."),
    ("aws_cron", "0 10 ? * 6L 2027",
     "At 10:00 on the last Friday of the month in 2027, Europe/Berlin."),
    ("aws_cron", "0 10 15W * ? *",
     "At 10:00 on the Monday-to-Friday day nearest to day 15 of the month, Europe/Berlin."),
    ("aws_cron", "0 10 LW * ? *",
     "At 10:00 on the last Monday-to-Friday day of the month, Europe/Berlin."),
    ("aws_cron", "0 10 1,15W,LW * ? 2027-2030",
     "At 10:00 on day 1, the last Monday-to-Friday day and the Monday-to-Friday day "
     "nearest to day 15 of the month in 2027 to 2030, Europe/Berlin."),
    ("aws_cron", "0 10 L 2 ? 2028,2032",
     "At 10:00 on the last day of the month in February in 2028 and 2032, Europe/Berlin."),
    ("aws_cron", "0/15 8 ? * MON *",
     "Every 15 minutes from 08:00 to 08:45 on Monday, Europe/Berlin."),
    ("aws_cron", "rate(1 hour)",
     "Every hour of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("aws_cron", "rate(7 days)",
     "Every 7 days of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("every", "1h30m", "Every 90 minutes of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("every", "1s", "Every second of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("every", "2d", "Every 2 days of elapsed time, counted from 1970-01-01T00:00:00Z."),
    ("daily", "02:00", "At 02:00 every day, Europe/Berlin."),
    ("daily", "02:00,14:30", "At 02:00 and 14:30 every day, Europe/Berlin."),
    ("hourly", "15", "At minute 15 of every hour, Europe/Berlin."),
    ("hourly", "0,20,40", "Every 20 minutes, Europe/Berlin."),
    ("hourly", "15,45", "At minutes 15 and 45 of every hour, Europe/Berlin."),
    ("at", "2026-12-24T18:00:00", "Once, at 2026-12-24 18:00:00, Europe/Berlin."),
    ("at", "2026-12-24T18:00:00+01:00", "Once, at 2026-12-24 17:00:00Z."),
    ("daily", "00:00,06:00,12:00,18:00", "Every 6 hours, Europe/Berlin."),
    ("daily", "01:00,02:10,03:20,04:40,05:50,06:00,07:10,08:20,09:31",
     "At 01:00, 02:10, 03:20, 04:40, 05:50, 06:00, 07:10, 08:20 and 09:31 every day, "
     "Europe/Berlin."),
]
# fmt: on


def made(kind: str, text: str, **keys: object) -> Timing:
    """Return a timing in Berlin, or in another zone."""
    keys = {"timezone": BERLIN, "seconds": kind == "seconds", **keys}
    return make_timing("cron" if kind == "seconds" else kind, text, **keys)


@pytest.mark.parametrize(("kind", "text", "said"), SAID, ids=lambda each: each[:40])
def test_what_an_expression_names_is_said_in_one_sentence(kind, text, said):
    """A row of the table above."""
    assert words(made(kind, text)).when == said


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("cron", "0 2 13 * 5", "either may match"),
        ("cron", "0 2 */2 * 1", "both must match"),
        ("cron", "0 2 1-7 * */2", "both must match"),
        ("cron", "0 2 13 * *", None),
        ("cron", "0 2 1-31 * 1", None),
        ("aws_cron", "0 10 ? * 2 *", None),
        ("every", "5m", None),
    ],
)
def test_the_rule_for_two_day_fields_is_said_where_it_counts(kind, text, rule):
    said = words(made(kind, text)).days
    assert said is rule if rule is None else rule in said


@pytest.mark.parametrize(
    ("kind", "text", "zone", "rule"),
    [
        ("cron", "0 2 * * *", BERLIN, "Fixed time: what the clock skips runs once"),
        ("cron", "0-59 0-23 * * *", BERLIN, "Fixed time"),
        ("cron", "0 * * * *", BERLIN, "Wildcard: what the clock skips does not run"),
        ("hourly", "15", BERLIN, "Wildcard"),
        ("daily", "02:00", BERLIN, "Fixed time"),
        ("at", "2026-12-24", BERLIN, "Fixed time"),
        ("cron", "0 2 * * *", "UTC", "UTC: this clock never changes."),
        ("every", "5m", BERLIN, "Elapsed time: no clock change moves it."),
        ("cron", "@every 5m", BERLIN, "Elapsed time"),
    ],
)
def test_the_rule_for_clock_changes_is_said(kind, text, zone, rule):
    assert words(made(kind, text, timezone=zone)).saving.startswith(rule)


def test_bounds_offset_and_anchor_are_said():
    """Or two that differ in them alone would read the same."""
    timing = made("daily", "02:00", offset=5400, start=NOW, end=NOW + DAY)
    assert words(timing).limits == (
        "Each slot lies 1h30m after such a time.",
        "The first may be at 2026-11-26T12:00:00Z.",
        "All are before 2026-11-27T12:00:00Z.",
    )
    assert words(timing).sentence == " ".join(
        [words(timing).when, *words(timing).limits, words(timing).saving]
    )
    assert "counted from 2026-11-26T12:00:00Z" in words(made("every", "7m", anchor=NOW)).when


# -- one sentence, one meaning --------------------------------------------------------------------

MINUTES = ["*", "*/5", "0-59", "0-59/5", "0", "30", "0,30", "5-20", "*/7"]
HOURS = ["*", "0-23", "*/2", "0-22/2", "1-23/2", "2", "2-3", "1,2,3", "22,23,0,1,2,3"]
MONTHDAYS = ["*", "?", "*/2", "1-31", "1-31/2", "1", "1,15", "L", "1,L", "13-19"]
MONTHS = ["*", "1-12", "3", "3-5", "1-11/2", "1,3,5,7,9,11"]
WEEKDAYS = ["*", "0-7", "*/2", "0,2,4,6", "1", "7", "0", "1-5", "1#1", "5L", "1,1#1", "1#1,5L"]


def plan(timing: Timing, after: int = SPRING, most: int = 50) -> list[int]:
    """Return the next slots of a timing."""
    return [*islice(slots(timetable(timing), after, HORIZON), most)]


def tell_apart(timings: list[Timing]) -> int:
    """Hold timings with one sentence to one plan; return how many shared theirs."""
    alike = defaultdict(list)
    for timing in timings:
        alike[words(timing).sentence].append(timing)
    for sentence, several in alike.items():
        first = plan(several[0])
        for other in several[1:]:
            assert plan(other) == first, (sentence, several[0], other)
    return len(timings) - len(alike)


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_times_of_the_day_that_read_the_same_are_the_same(zone):
    """All minutes with all hours of the tables above, with seconds too."""
    five = [made("cron", f"{m} {h} * * *", timezone=zone) for m, h in product(MINUTES, HOURS)]
    six = [
        made("seconds", f"{s} {m} {h} * * *", timezone=zone)
        for s, m, h in product(["0", "*/30", "0,30", "15"], ["0", "*/30", "5,9"], ["*", "2", "2-7"])
    ]
    assert tell_apart([*five, *six]) > 10


def test_days_that_read_the_same_are_the_same():
    """All days of the month with all months and weekdays, as plain cron and as AWS's."""
    plain = [f"30 2 {day} {month} {week}" for day, month, week in product(
        MONTHDAYS, MONTHS, WEEKDAYS)]  # fmt: skip
    dates = [f"30 2 {day} * ? {year}" for day in ("1", "1W", "LW", "L", "1,LW", "*")
             for year in ("*", "2027", "2027-2030")]  # fmt: skip
    weeks = [f"30 2 ? * {week} *" for week in ("1", "2-6", "L", "6L", "2#1", "2#1,6L", "*")]
    timings = [made("cron", text) for text in plain]
    timings += [made("aws_cron", text) for text in (*dates, *weeks)]
    assert tell_apart(timings) > 100


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an expression, and one in which a field is spelled out, or turned into another."""
    fields = draw(expressions()).split()
    index = draw(st.integers(0, 4))
    choices = (MINUTES, HOURS, MONTHDAYS, MONTHS, WEEKDAYS)[index]
    other = [*fields]
    other[index] = draw(st.one_of(st.just(f"{fields[index]},{fields[index]}"),
                                  st.sampled_from(choices)))  # fmt: skip
    return " ".join(fields), " ".join(other)


@given(rewritten(), st.sampled_from(["UTC", BERLIN, "Australia/Lord_Howe"]))
@tries(200)
def test_two_expressions_with_one_sentence_have_the_same_slots(pair, zone):
    try:
        one, other = (made("cron", text, timezone=zone) for text in pair)
    except InvalidTimetable:
        return  # one of them never fires
    if words(one).sentence == words(other).sentence:
        assert plan(one) == plan(other)


@given(expressions(), st.sampled_from([zone for zone, _ in CHANGES]))
@tries(200)
def test_every_expression_has_a_sentence_and_other_spellings_keep_its_slots(text, zone):
    try:
        timing = made("cron", text, timezone=zone)
    except InvalidTimetable:
        return
    said = words(timing).sentence
    assert said[0].isupper()
    assert said.endswith(".")
    assert "  " not in said
    for kind, expression in alike(timing):
        assert plan(made(kind, expression, timezone=zone)) == plan(timing)


# -- clock changes --------------------------------------------------------------------------------


def year(zone: str) -> list:
    """Return the changes of a zone's clock in the year after NOW."""
    return [*changes(zone, NOW, NOW + 366 * DAY)]


def test_the_changes_of_a_clock_are_found():
    assert [rfc3339(change.at) for change in year(BERLIN)] == [
        "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z",
    ]  # fmt: skip
    assert [change.forward for change in year(BERLIN)] == [True, False]
    assert year("UTC") == year("Asia/Tokyo") == []


@pytest.mark.parametrize(
    ("kind", "text", "spring", "autumn"),
    [
        ("cron", "30 2 * * *", "02:30 runs at 03:00 instead", "02:30 runs the first time only"),
        ("daily", "02:00,02:30", "its 2 times from 02:00 on run at 03:00 instead, once",
         "its 2 times from 02:00 on run the first time only"),
        ("cron", "30 * * * *", "02:30 does not run", "02:30 runs both times"),
        ("cron", "*/20 * * * *", "its 3 times from 02:00 on do not run",
         "its 3 times from 02:00 on run both times"),
        ("cron", "30 4 * * *", "none of its times lies there", "none of its times lies there"),
        ("cron", "30 2 * * 1", "none of its times lies there", "none of its times lies there"),
        ("every", "5m", "none of its times lies there", "none of its times lies there"),
    ],
)  # fmt: skip
def test_what_a_clock_change_does_is_told(kind, text, spring, autumn):
    forward, back = (told(felt(made(kind, text), change)) for change in year(BERLIN))
    assert forward == f"Sun 2027-03-28: the clock skips 02:00 to 03:00; {spring}"
    assert back == f"Sun 2027-10-31: the clock shows 02:00 to 03:00 twice; {autumn}"


def test_a_correction_makes_up_nothing_and_holds_nothing_back():
    """Three hours or more, as when Casey moved."""
    zone, after = "Antarctica/Casey", parse_instant("2018-10-01", "UTC")
    forward, back = islice(changes(zone, after, after + 366 * DAY), 2)
    fixed = made("daily", "02:00", timezone=zone)
    assert forward.correction
    assert felt(fixed, forward).effect in {Effect.LEFT_OUT, Effect.NONE}
    assert felt(made("hourly", "0", timezone=zone), forward).effect is Effect.LEFT_OUT
    assert felt(made("cron", "0 0-23 * * *", timezone=zone), back).effect is Effect.BOTH_TIMES


@given(expressions(), stretches())
@tries(150)
def test_what_is_told_of_a_change_is_what_the_walk_does(text, stretch):
    """Slots that lie where time was skipped or is shown twice, counted around the change."""
    zone, after, until = stretch
    try:
        timing = made("cron", text, timezone=zone)
    except InvalidTimetable:
        return
    for change in changes(zone, after, until):
        seen = felt(timing, change)
        length = change.high - change.low
        ours = plan_between(timing, change.at - length, change.at + length)
        local = [(slot, slot + (change.after if slot >= change.at else change.before))
                 for slot in ours]  # fmt: skip
        again = [slot for slot, clock in local if change.low <= clock < change.high]
        if seen.effect is Effect.FIRST_ONLY:
            assert len(again) == seen.times
            assert max(again) < change.at
        if seen.effect is Effect.BOTH_TIMES:
            assert len(again) == 2 * seen.times
        if change.forward:
            assert again == []
        made_up = seen.made_up - change.after
        assert (moved(timing, made_up) is not None) == (seen.effect is Effect.MADE_UP)
        if seen.effect is Effect.MADE_UP:
            assert made_up in ours
            assert moved(timing, made_up) == seen.first


def plan_between(timing: Timing, start: int, end: int) -> list[int]:
    """Return the slots from `start` to `end`, both included."""
    return [*slots(timetable(timing), start - 1, end)]


def test_a_moved_slot_names_the_time_that_was_skipped():
    """And no other slot does; a rate and an instant have none."""
    forward = year(BERLIN)[0].at
    assert moved(made("daily", "02:30"), forward) % DAY == 9000
    assert moved(made("daily", "03:00"), forward) is None
    assert moved(made("hourly", "0"), forward) is None
    assert moved(made("every", "5m"), forward) is None


def test_a_time_that_is_shown_twice_says_which_showing_it_is():
    back = year(BERLIN)[1].at
    hours = [rfc3339_local(back + n * 3600, BERLIN)[11:16] for n in (-2, -1, 0, 1)]
    assert hours == ["01:00", "02:00", "02:00", "03:00"]
    assert [showing(BERLIN, back + n * 3600) for n in (-2, -1, 0, 1)] == [None, 1, 2, None]
    assert showing("UTC", back) is None


# -- spellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0 2 * * *", "cron"), ("@daily", "cron"), ("@every 5m", "cron"), ("hourly", "cron"),
        ("CRON_TZ=Asia/Tokyo 0 2 * * *", "cron"), ("nonsense", "cron"), ("", "cron"),
        # Seconds first, and Quartz's: six fields, but none of AWS's.
        ("0 0 2 * * *", "cron"), ("0 0 12 * * ?", "cron"), ("0 0 12 ? * MON", "cron"),
        ("rate(5 minutes)", "aws_cron"), ("RATE( 1 day)", "aws_cron"),
        ("cron(0 10 * * ? *)", "aws_cron"), ("0 10 * * ? *", "aws_cron"),
        ("0 10 ? * MON-FRI *", "aws_cron"), ("0 10 * * MON 2027", "aws_cron"),
        ("0 10 15W * * *", "aws_cron"), ("0 10 LW * * *", "aws_cron"),
        ("5m", "every"), ("1h30m", "every"), ("PT90M", "every"), ("5", "every"),
        ("02:00", "daily"), ("2:00, 14:30", "daily"), ("02:00:00", "daily"),
        (":15", "hourly"), (":15,:45", "hourly"),
        ("2026-12-24", "at"), ("2026-12-24T18:00", "at"), ("2026-12-24 18:00:00Z", "at"),
    ],
)  # fmt: skip
def test_the_kind_of_a_text_is_guessed_by_its_looks(text, kind):
    assert guess(text).kind == kind


def test_who_says_that_seconds_come_first_means_plain_cron():
    assert guess("0 10 * * ? *", seconds=True).kind == "cron"
    assert guess(":15,:45").expression == "15,45"


@pytest.mark.parametrize(
    ("kind", "text", "same"),
    [
        ("cron", "@daily",
         ["cron @midnight", "daily 00:00", "cron 0 0 * * *", "aws_cron 0 0 * * ? *"]),
        ("cron", "0 0 * * *",
         ["cron @daily", "cron @midnight", "daily 00:00", "aws_cron 0 0 * * ? *"]),
        ("cron", "0 * * * *", ["cron @hourly", "hourly 0", "aws_cron 0 * * * ? *"]),
        ("cron", "0 2,14 * * *", ["daily 02:00,14:00", "aws_cron 0 2,14 * * ? *"]),
        ("daily", "02:00,14:30", []),
        ("daily", "02:00", ["cron 0 2 * * *", "aws_cron 0 2 * * ? *"]),
        ("hourly", "15,45", ["cron 15,45 * * * *", "aws_cron 15,45 * * * ? *"]),
        # By the rule for clock changes this is no hourly.
        ("cron", "0 0-23 * * *", ["aws_cron 0 0-23 * * ? *"]),
        ("cron", "*/5 * * * *", ["every 5m", "aws_cron */5 * * * ? *"]),
        ("cron", "*/5 * * * 1", ["aws_cron */5 * ? * 2 *"]),
        ("seconds", "*/30 * * * * *", ["every 30s"]),
        ("seconds", "0 0 2 * * *", ["daily 02:00", "cron 0 2 * * *", "aws_cron 0 2 * * ? *"]),
        ("cron", "0 2 * * 1-5", ["aws_cron 0 2 ? * 2-6 *"]),
        ("cron", "0 2 L 1,7 *", ["aws_cron 0 2 L 1,7 ? *"]),
        ("cron", "0 2 * * 5L,1#2", ["aws_cron 0 2 ? * 2#2,6L *"]),
        ("cron", "0 2 13 * 5", []),
        ("aws_cron", "0 10 ? * 2-6 *", ["cron 0 10 * * 1-5"]),
        ("aws_cron", "0 10 LW * ? *", []),
        ("aws_cron", "0 10 1 * ? 2027", []),
        ("every", "5m", ["cron @every 5m", "aws_cron rate(5 minutes)"]),
        ("every", "90s", ["cron @every 1m30s"]),
        ("cron", "@every 1d", ["every 1d", "aws_cron rate(1 day)"]),
        ("aws_cron", "rate(2 hours)", ["every 2h", "cron @every 2h"]),
        ("at", "2026-12-24", []),
    ],
)  # fmt: skip
def test_other_spellings_are_found_where_there_are_some(kind, text, same):
    assert [" ".join(each) for each in alike(made(kind, text))] == same


def test_in_utc_a_clock_is_never_tended():
    """So an hourly cron of numbers is an hourly one there."""
    found = alike(made("cron", "0 0-23 * * *", timezone="UTC"))
    assert ("hourly", "0") in found
    assert ("cron", "@hourly") in found


# -- whatever is typed ----------------------------------------------------------------------------

#: Pieces that expressions are made of, so that texts come near to being some.
PIECES = st.sampled_from(
    ["*", "?", "0", "5", "31", "2027", "*/5", "1-5", "mon", "L", "15W", "5#3", "@", "every", "5m",
     "02:00", ":15", ",", " ", "rate(", "minutes", ")", "cron(", "CRON_TZ=", "UTC", "2026-12-24",
     "T", "Z", "P", "\x00", "é", "-", "hourly"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join)), st.booleans())
@tries(300)
def test_any_text_is_explained_or_refused(text, seconds):
    """Whatever it looks like."""
    kind, expression = guess(text, seconds=seconds)
    try:
        timing = make_timing(kind, expression, timezone=BERLIN, seconds=seconds and kind == "cron")
    except InvalidTimetable:
        return
    assert words(timing).when.endswith(".")
    assert all(make_timing(*each, timezone=BERLIN) for each in alike(timing))


OTHERS = [
    *({"kind": "daily", "value": value} for value in (
        "00:00", "02:00", "2:00,14:00", "0:00,12:00")),
    *({"kind": "daily", "value": ",".join(f"{h:02}:00" for h in hours)}
      for hours in (range(24), range(0, 24, 6), range(9, 18))),
    *({"kind": "hourly", "value": value} for value in (0, 15, "0,30", "0,15,30,45", "5,35")),
    *({"kind": "cron", "value": value} for value in (
        "0 0 * * *", "0 2 * * *", "0 2,14 * * *", "0 */12 * * *", "0 * * * *", "0 0-23 * * *",
        "15 * * * *", "*/30 * * * *", "0,30 * * * *", "*/15 * * * *", "0 9-17 * * *",
        "@hourly", "@daily", "@every 30m", "@every 1h", "@every 1d")),
    *({"kind": "aws_cron", "value": value} for value in (
        "0 0 * * ? *", "rate(1 hour)", "rate(60 minutes)", "rate(1 day)", "rate(24 hours)")),
    *({"kind": "every", "value": value} for value in ("30m", "1h", "60m", "24h", "1d")),
    *({"kind": "at", "value": value} for value in (
        "2027-03-28T02:30:00", "2027-03-28T03:00:00", "2027-03-28T01:00:00Z")),
]  # fmt: skip
BOUNDS = [{}, {"offset": 1800}, {"start": SPRING + DAY}, {"end": SPRING + 5 * DAY}, {"anchor": 60}]


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_timetables_of_all_kinds_that_read_the_same_are_the_same(zone):
    """With bounds, offsets and anchors."""
    timings = [
        make_timing(**each, timezone=zone, **bounds) for each, bounds in product(OTHERS, BOUNDS)
    ]
    assert tell_apart(timings) > 50
