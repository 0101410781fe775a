"""Days off against other opinions: around clock changes, for rates, and slot by slot."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from holiday_oracle import On, days, divided
from hypothesis import assume, given
from hypothesis import strategies as st
from wall_oracle import Job, expected, expressions, stretches, tries

from flytesched import Calendar
from flytesched.core.calendars import days_off
from flytesched.core.instants import parse_instant
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables import (
    Timing,
    cron,
    every_slot,
    latest,
    left_out,
    left_out_timing,
    make_timing,
    moved_from,
    slots,
    timetable,
    why_left_out,
)
from flytesched.core.timetables.daysoff import MOVE, daysoff
from flytesched.core.timetables.moves import Moves
from flytesched.core.timetables.parts import WallParts
from flytesched.core.timetables.zones import HORIZON
from flytesched.errors import InvalidTimetable

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MODES = st.sampled_from(list(OnHoliday))
YEAR = 366 * 86_400


class Off:
    """Days off as the test sees them, and the calendars that say so."""

    def __init__(self, ranges, weekdays, worked):
        self.ranges, self.weekdays, self.worked = ranges, weekdays, worked
        texts = [f"{first}/{last}" if last > first else first for first, last in ranges]
        self.calendars = [
            Calendar(name="some", dates=texts, weekdays=sorted(weekdays), except_=sorted(worked))
        ]

    def __call__(self, day) -> bool:
        if day in self.worked:
            return False
        if WEEKDAYS[day.weekday()] in self.weekdays:
            return True
        return any(first <= day <= last for first, last in self.ranges)


@st.composite
def offs(draw, around):
    """Draw days off, most of them around a date."""
    near = st.integers(-9, 9).map(lambda k: around + k * DAY)
    span = st.tuples(near, st.integers(0, 6)).map(lambda it: (it[0], it[0] + it[1] * DAY))
    weekdays = st.sets(st.sampled_from(WEEKDAYS), max_size=3)
    return Off(draw(st.lists(span, max_size=3)), draw(weekdays), draw(st.sets(near, max_size=2)))


def timing_of(kind, value, off, mode, **keys):
    """Return a timing with days off; skip what never fires."""
    try:
        return make_timing(kind, value, days_off=days_off(off.calendars, mode), **keys)
    except InvalidTimetable as error:
        assume("never fires" not in error.message)
        raise


def date_of(instant, zone):
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).date()


def agree(timing, after, until):
    """Return what runs and what is left out, asked in every way."""
    found = []
    for part in (timetable(timing), left_out(timing), every_slot(timing)):
        forward = list(slots(part, after, until))
        assert latest(part, after, until, 10_000) == forward
        assert part.count(after, until) == len(forward)
        found.append(forward)
    runs, left, every = found
    assert sorted(runs + left) == every
    return runs, left


@tries(30)
@given(expressions(), stretches(), MODES, st.data())
def test_each_part_is_that_of_a_clock_watched_minute_by_minute(expression, stretch, mode, data):
    """Dates are divided one by one, and then each part is a timetable like any other."""
    zone, after, until = stretch
    here = date_of(after, zone)
    off = data.draw(offs(here))
    timing = timing_of("cron", expression, off, mode, timezone=zone)
    own = [day for day in days(here - 450 * DAY, here + 450 * DAY) if Job(expression).on(day)]
    wanted = divided(own, off, mode.value)

    runs, left = agree(timing, after, until)

    assert runs == expected(On(expression, wanted.runs), zone, after, until)
    alone = expected(On(expression, wanted.left_out), zone, after, until)
    assert left == [slot for slot in alone if slot not in runs]


CRONS = ["0 9 * * *", "0 9 * * 1-5", "30 2 * * 5", "15 0,12 1-7 * *", "0 9 29 2 *", "0 */8 L * *"]


@tries(30)
@given(st.sampled_from(CRONS), MODES, st.dates(date(2020, 1, 1), date(2032, 1, 1)), st.data())
def test_every_original_slot_is_answered_for_exactly_once(cron, mode, around, data):
    """On a clock that never changes, what was named runs, has moved once, or is left out."""
    off = data.draw(offs(around))
    offset = data.draw(st.integers(0, 3)) * 43_200
    timing = timing_of("cron", cron, off, mode, timezone=None, offset=offset)
    plain = make_timing("cron", cron, timezone=None, offset=offset)
    after = int(datetime.combine(around, datetime.min.time(), ZoneInfo("UTC")).timestamp()) - YEAR
    until = after + 2 * YEAR
    wide = after - MOVE * 86_400, until + MOVE * 86_400

    runs, left = agree(timing, *wide)
    kickoffs = Counter(every_slot(timing).kickoff(slot) for slot in runs)
    answered = kickoffs + Counter(slot - offset for slot in left)

    assert set(answered.values()) <= {1}
    for slot in slots(timetable(plain), after, until):
        assert answered[slot - offset] == 1


@tries(40)
@given(st.sampled_from(["30 2", "0 0", "59 23"]), stretches(), MODES, st.data())
def test_a_moved_slot_is_on_a_working_day_and_knows_whence_it_came(clock, stretch, mode, data):
    zone, after, until = stretch
    assume(zone not in {"Pacific/Kwajalein", "Pacific/Apia", "Antarctica/Vostok"})  # lost days
    off = data.draw(offs(date_of(after, zone)))
    cron = f"{clock} * * {data.draw(st.sampled_from(['1', '5', '6', '3,6', '2-4']))}"
    timing = timing_of("cron", cron, off, mode, timezone=zone)
    plain = timetable(make_timing("cron", cron, timezone=zone))

    for slot in slots(every_slot(timing), after, until):
        why, moved = why_left_out(timing, slot), moved_from(timing, slot)
        kickoff = every_slot(timing).kickoff(slot)
        assert plain.next(kickoff - 1) == kickoff
        if moved is None:
            assert kickoff == slot
            continue
        assert why is None
        assert moved == (kickoff, "some")
        assert timetable(timing).kickoff(slot) == kickoff
        assert (kickoff < slot) == (mode is OnHoliday.NEXT)


PERIODS = st.one_of(
    st.integers(15, 90).map(lambda n: f"{n}m"),
    st.integers(1, 50).map(lambda n: f"{n}h"),
    st.sampled_from(["1d", "7d", "401s"]),
)


@tries(25)
@given(PERIODS, stretches(), st.data())
def test_a_rate_is_cut_by_the_date_that_the_clock_shows_at_each_slot(period, stretch, data):
    zone, after, until = stretch
    off = data.draw(offs(date_of(after, zone)))
    anchor = data.draw(st.integers(0, 10**6))
    keys = {"timezone": zone, "anchor": anchor}
    timing = timing_of("every", period, off, OnHoliday.SKIP, **keys)
    every = list(slots(timetable(make_timing("every", period, **keys)), after, until))

    runs, left = agree(timing, after, until)

    assert left == [slot for slot in every if off(date_of(slot, zone))]
    assert runs == [slot for slot in every if not off(date_of(slot, zone))]
    for slot in every[:20]:
        assert why_left_out(timing, slot) == ("some" if slot in left else None)
        assert moved_from(timing, slot) is None
        assert timetable(timing).kickoff(slot) == left_out(timing).kickoff(slot) == slot


@pytest.mark.parametrize("kind", ["cron", "aws_cron", "every"])
def test_rates_of_every_spelling_are_cut_on_the_clock_of_the_schedule(kind):
    """In Tokyo it is Monday while it is Sunday in UTC."""
    spelled = {"cron": "@every 1h", "aws_cron": "rate(1 hour)", "every": "1h"}[kind]
    off = Off([], {"sun"}, set())
    timing = timing_of(kind, spelled, off, OnHoliday.SKIP, timezone="Asia/Tokyo")
    sunday = parse_instant("2026-11-29T00:00:00", "Asia/Tokyo")

    assert timing.timezone is None
    assert left_out(timing).next(sunday - 1) == sunday
    assert left_out(timing).count(sunday - 1, sunday + 2 * 86_400) == 24
    assert timetable(timing).next(sunday - 1) == sunday + 86_400


def test_a_clock_that_goes_back_over_midnight_shows_a_day_off_twice():
    """St John's clocks went back at 00:01: a minute of Sunday, two hours of Saturday again."""
    back = parse_instant("1988-10-30T01:31:00Z", "UTC")
    off = Off([(date(1988, 10, 29), date(1988, 10, 29))], set(), set())
    timing = timing_of("every", "1s", off, OnHoliday.SKIP, timezone="America/St_Johns")

    runs = list(slots(timetable(timing), back - 600, back + 8000))

    assert runs[0] == back - 60
    assert runs[59] == back - 1
    again = runs[60]
    assert date_of(again - 1, "America/St_Johns") == date(1988, 10, 29)
    assert date_of(again, "America/St_Johns") == date(1988, 10, 30)
    assert latest(timetable(timing), back - 600, back + 8000, len(runs)) == runs


def test_a_rate_of_a_second_is_counted_for_years_by_stretches():
    off = Off([], {"sat", "sun"}, set())
    timing = timing_of("every", "1s", off, OnHoliday.SKIP, timezone="UTC")
    monday = parse_instant("2026-01-05T00:00:00Z", "UTC")

    assert timetable(timing).count(monday - 1, monday - 1 + 70 * 7 * 86_400) == 70 * 5 * 86_400
    assert left_out(timing).count(monday - 1, monday - 1 + 70 * 7 * 86_400) == 70 * 2 * 86_400
    assert timetable(timing).count(monday, monday) == 0


# -- bounds ---------------------------------------------------------------------------------------

FULL = Off([], set(WEEKDAYS), set())
SUNDAYS = Off([], {"sun"}, set())


@pytest.mark.parametrize("mode", OnHoliday)
@pytest.mark.parametrize(
    ("kind", "value"), [("cron", "0 9 * * *"), ("daily", "09:00"), ("at", "2026-12-25T09:00:00")]
)
def test_what_never_fires_is_refused_at_calendars(kind, value, mode):
    with pytest.raises(InvalidTimetable, match="it never fires: every slot is on a holiday") as it:
        make_timing(kind, value, timezone=None, days_off=days_off(FULL.calendars, mode))
    assert it.value.field == "calendars"


@pytest.mark.parametrize(
    ("kind", "value", "calendar"),
    [
        ("every", "1h", Calendar(name="week", weekdays=WEEKDAYS)),
        ("every", "7d", Calendar(name="thursdays", weekdays=["thu"])),
        ("cron", "0 9 * * sun", Calendar(name="sundays", weekdays=["sun"])),
        ("cron", "0 0 1 1 *", Calendar(name="america", country="US")),
        ("cron", "0 0 29 2 *", Calendar(name="leap", dates=["02-29"])),
        ("aws_cron", "0 9 4 7 ? 1990-2000", Calendar(name="america", country="US")),
    ],
)
def test_what_its_calendars_leave_nothing_of_is_refused(kind, value, calendar):
    with pytest.raises(InvalidTimetable, match="it never fires"):
        make_timing(kind, value, timezone=None, days_off=days_off([calendar], OnHoliday.SKIP))


@pytest.mark.parametrize(
    ("kind", "value", "dates"),
    [
        ("aws_cron", "0 9 4 7 ? 1990-2000", ["1990-07-04"]),  # all of it in the past
        ("at", "1999-12-31T12:00:00", ["2000-01-01"]),
        ("cron", "0 0 29 2 1", ["2044-02-29"]),  # Mondays: the next but one comes in 28 years
        ("every", "36525d", ["2070-01-01"]),
    ],
)
def test_what_fires_rarely_or_fired_long_ago_is_not_refused(kind, value, dates):
    calendar = Calendar(name="some", dates=dates)
    make_timing(kind, value, timezone=None, days_off=days_off([calendar], OnHoliday.SKIP))


@pytest.mark.parametrize(("kind", "value"), [("every", "1h"), ("cron", "@every 1h")])
def test_elapsed_time_has_no_days_to_move_to(kind, value):
    with pytest.raises(InvalidTimetable, match="elapsed time has no days to move to") as it:
        make_timing(kind, value, timezone=None, days_off=days_off(FULL.calendars, OnHoliday.NEXT))
    assert it.value.field == "on_holiday"
    assert it.value.hint == 'write on_holiday = "skip", or cron or daily as the timetable'


def test_a_date_moves_no_farther_than_the_longest_range():
    """Two ranges in a row leave nothing near enough to move to; the second alone does."""
    closed = Off([(date(2027, 1, 1), date(2028, 1, 31)), (date(2028, 2, 1), date(2028, 12, 31))],
                 set(), set())  # fmt: skip
    timing = timing_of("cron", "0 9 1 3,12 *", closed, OnHoliday.NEXT, timezone=None)
    march, december = (parse_instant(f"2027-{month}-01T09:00:00Z", "UTC") for month in ("03", "12"))

    assert why_left_out(timing, march) == "some; every day within 400 days is off"
    assert why_left_out(timing, december) == "some; 2029-01-01 has slots already"
    last = parse_instant("2029-01-01T09:00:00Z", "UTC")
    assert moved_from(timing, last) == (parse_instant("2028-12-01T09:00:00Z", "UTC"), "some")
    once = timing_of("at", "2027-03-01T09:00:00Z", Off([], set(), set()), OnHoliday.NEXT,
                     timezone=None)  # fmt: skip
    assert moved_from(once, march) is None


@pytest.mark.parametrize("mode", OnHoliday)
def test_slots_end_where_time_does(mode):
    """The last slots of the year 9999, the first of 1970, and days beyond both."""
    timing = timing_of("cron", "0 9 * * *", SUNDAYS, mode, timezone="Pacific/Kiritimati")
    for part in (timetable(timing), left_out(timing), every_slot(timing)):
        assert part.next(HORIZON) is None
        assert part.previous(0) is None
        assert part.previous(HORIZON) > HORIZON - 9 * 86_400
        assert part.next(-1) < 9 * 86_400
        assert part.count(-10, 0) == part.count(HORIZON, HORIZON + 9) == 0


def test_the_end_of_a_rate_is_that_of_time():
    timing = timing_of("every", "1d", SUNDAYS, OnHoliday.SKIP, timezone="UTC")
    for part in (timetable(timing), left_out(timing)):
        assert part.next(HORIZON) is None
        assert part.previous(0) is None
        assert part.previous(HORIZON) > HORIZON - 9 * 86_400


def test_a_part_without_a_slot_says_so_each_time_it_is_asked():
    """A weekday's timetable leaves nothing out on weekends; 400 years are looked at once."""
    timing = timing_of("cron", "0 9 * * 1-5", Off([], {"sat", "sun"}, set()), OnHoliday.SKIP,
                       timezone=None)  # fmt: skip
    now = parse_instant("2026-11-26T12:00:00Z", "UTC")
    for t in (now, now + 86_400, now + 900 * 86_400):
        assert left_out(timing).next(t) is None
        assert left_out(timing).previous(t) is None
    assert left_out(timing).count(0, now) == 0


def test_years_are_kept_in_bounds():
    """Somebody may count from 1970 to the year 9999."""
    timing = timing_of("cron", "0 9 1 1 *", SUNDAYS, OnHoliday.NEXT, timezone=None)

    assert every_slot(timing).count(0, HORIZON) == 8030


def test_moves_look_nowhere_when_nothing_can_be_there():
    """A timetable of some years is over some time after the last of them."""
    timing = make_timing(
        "aws_cron", "0 9 ? * SUN 2026-2027", timezone=None,
        days_off=days_off(SUNDAYS.calendars, OnHoliday.NEXT),
    )  # fmt: skip
    last = parse_instant("2027-12-27T09:00:00Z", "UTC")

    assert timetable(timing).previous(last + 300 * YEAR) == last
    assert timetable(timing).previous(HORIZON) is None  # as without days off: 400 years are enough
    assert timetable(timing).next(last) is None
    assert timetable(timing).next(0) == parse_instant("2026-01-05T09:00:00Z", "UTC")
    assert timetable(timing).previous(parse_instant("2026-01-05T00:00:00Z", "UTC")) is None


# -- timings --------------------------------------------------------------------------------------


def test_a_timing_without_days_off_leaves_nothing_out():
    timing = make_timing("daily", "09:00", timezone=None)
    left = timetable(left_out_timing(timing))

    assert left_out(timing) is None
    assert every_slot(timing) is timetable(timing)
    assert why_left_out(timing, 32_400) is None
    assert moved_from(timing, 32_400) is None
    assert left.next(0) is left.previous(HORIZON) is None
    assert left.count(0, HORIZON) == 0


def test_what_is_no_slot_has_neither_moved_nor_been_left_out():
    timing = timing_of("cron", "0 9 * * *", SUNDAYS, OnHoliday.NEXT, timezone=None)
    sunday = parse_instant("2026-11-29T10:00:00Z", "UTC")

    assert why_left_out(timing, sunday) is None
    assert moved_from(timing, sunday + 86_400) is None


def test_timings_that_say_the_same_share_one_text_of_days_off():
    """A hundred thousand timings are hashed; so are those read back from the run log."""
    first, second = (
        timing_of("cron", f"{minute} 9 * * *", SUNDAYS, OnHoliday.NEXT, timezone=None)
        for minute in (1, 2)
    )
    left = left_out_timing(first)

    assert first.days_off is second.days_off
    assert Timing.from_text(left.text) == left
    assert Timing.from_text(left.text).days_off is first.days_off
    assert left.part == "left_out"


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"daily","expression":"09:00","timezone":"UTC","part":"some"}',
        '{"kind":"daily","expression":"09:00","timezone":"UTC","part":1}',
        '{"kind":"daily","expression":"09:00","timezone":"UTC","days_off":{}}',
    ],
)
def test_a_timing_of_a_newer_version_is_refused(text):
    with pytest.raises(InvalidTimetable, match="the run log holds a timetable"):
        Timing.from_text(text)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"calendars":[{}],"on_holiday":"skip","zone":"UTC"}', "[" * 10**5]
)
def test_days_off_of_a_newer_version_are_refused(text):
    timing = Timing(kind="daily", expression="09:00", timezone="UTC", days_off=text)
    with pytest.raises(InvalidTimetable, match="the run log holds calendars"):
        timetable(timing)


def test_days_off_of_an_unknown_zone_are_refused():
    with pytest.raises(InvalidTimetable, match="unknown time zone 'Mars'") as it:
        make_timing("every", "1h", timezone="Mars", days_off=days_off([], OnHoliday.SKIP))
    assert it.value.field == "timezone"


def test_days_off_that_the_package_does_not_know_are_told_as_such():
    """It was another version when the run log was written."""
    text = '{"on_holiday":"skip","calendars":[{"name":"x","country":"XX"}],"zone":"UTC"}'
    timing = Timing(kind="daily", expression="09:00", timezone="UTC", days_off=text)
    with pytest.raises(InvalidTimetable, match="knows no country 'XX'"):
        timetable(timing)


def test_a_date_is_left_out_where_it_does_not_move():
    """The fourth day of 1970 is a Sunday, and the day after it one of every day's timetable."""
    daily, weekly = (
        WallParts(cron.wall(text, seconds=False), moves_on_sundays(text)).why
        for text in ("0 9 * * *", "0 9 * * 0")
    )
    sunday = 3 * 86_400 + 9 * 3600

    assert daily(sunday) == "some; 1970-01-05 has slots already"
    assert weekly(sunday) is None
    assert daily(sunday - 86_400) is None


def moves_on_sundays(text):
    timing = timing_of("cron", "0 9 * * 1", SUNDAYS, OnHoliday.NEXT, timezone=None)
    return Moves(cron.wall(text, seconds=False).days, daysoff(timing.days_off))
