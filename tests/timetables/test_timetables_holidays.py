"""Slots on holidays: by tables that a reader can check, and by years of seven countries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache

import holidays
import pytest
from holiday_oracle import days, divided, instant
from wall_oracle import Job

from flytesched import Calendar, Schedule
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.timetables import (
    every_slot,
    latest,
    left_out,
    left_out_timing,
    moved_from,
    slots,
    timetable,
    why_left_out,
)

BERLIN = "Europe/Berlin"
GERMANY = Calendar(name="germany", country="DE", subdivision="BE", language="en_US")
COMPANY = Calendar(
    name="company",
    dates={"12-24": "Christmas Eve", "2026-12-31": "New Year's Eve", "2027-01-04/2027-01-05": None},
)
WEEKEND = Calendar(name="weekend", weekdays=["Saturday", "sun"])
ALL = [GERMANY, COMPANY, WEEKEND]


def timing(calendars=ALL, **keys):
    """Return the timing of a schedule in Berlin, where nothing else is said."""
    keys = {"timezone": BERLIN, **keys}
    return Schedule("job", command="true", calendars=calendars, **keys).timing


def told(timing, first, last, zone=BERLIN):
    """Return what becomes of each slot from one local time to before another."""
    after, until = parse_instant(first, zone) - 1, parse_instant(last, zone) - 1
    return [said(timing, slot, zone) for slot in slots(every_slot(timing), after, until)]


def said(timing, slot, zone):
    when = rfc3339_local(slot, zone)[:16].replace("T", " ")
    if (why := why_left_out(timing, slot)) is not None:
        return f"{when} left out: {why}"
    if (moved := moved_from(timing, slot)) is not None:
        return f"{when} from {rfc3339_local(moved[0], zone)[:16].replace('T', ' ')}: {moved[1]}"
    return f"{when} runs"


# -- Christmas of 2026, on a Friday ---------------------------------------------------------------

# Thu 24         Fri 25         Sat 26      Sun 27   Mon 28 to Wed 30  Thu 31
# Christmas Eve  Christmas Day  Second Day  weekend  work              New Year's Eve
# fmt: off
CHRISTMAS = [
    # timetable, on_holiday, what becomes of each slot from 23 December to 6 January
    ("0 9 * * 1-5", "skip", [
        "2026-12-23 09:00 runs",
        "2026-12-24 09:00 left out: Christmas Eve",
        "2026-12-25 09:00 left out: Christmas Day",
        "2026-12-28 09:00 runs",
        "2026-12-29 09:00 runs",
        "2026-12-30 09:00 runs",
        "2026-12-31 09:00 left out: New Year's Eve",
        "2027-01-01 09:00 left out: New Year's Day",
        "2027-01-04 09:00 left out: company",
        "2027-01-05 09:00 left out: company",
    ]),
    # Those days have slots of their own: nothing moves.
    ("0 9 * * 1-5", "next", [
        "2026-12-23 09:00 runs",
        "2026-12-24 09:00 left out: Christmas Eve; 2026-12-28 has slots already",
        "2026-12-25 09:00 left out: Christmas Day; 2026-12-28 has slots already",
        "2026-12-28 09:00 runs",
        "2026-12-29 09:00 runs",
        "2026-12-30 09:00 runs",
        "2026-12-31 09:00 left out: New Year's Eve; 2027-01-06 has slots already",
        "2027-01-01 09:00 left out: New Year's Day; 2027-01-06 has slots already",
        "2027-01-04 09:00 left out: company; 2027-01-06 has slots already",
        "2027-01-05 09:00 left out: company; 2027-01-06 has slots already",
    ]),
    # Fridays, both on holidays.
    ("0 9 * * 5", "next", [
        "2026-12-28 09:00 from 2026-12-25 09:00: Christmas Day",
    ]),
    ("0 9 * * 5", "previous", [
        "2026-12-23 09:00 from 2026-12-25 09:00: Christmas Day",
        "2026-12-30 09:00 from 2027-01-01 09:00: New Year's Day",
    ]),
    # Two dates for one day: the nearer one goes there.
    ("0 9 24,25 * *", "next", [
        "2026-12-24 09:00 left out: Christmas Eve; 2026-12-28 has slots already",
        "2026-12-28 09:00 from 2026-12-25 09:00: Christmas Day",
    ]),
    ("0 9 24,25 * *", "previous", [
        "2026-12-23 09:00 from 2026-12-24 09:00: Christmas Eve",
        "2026-12-25 09:00 left out: Christmas Day; 2026-12-23 has slots already",
    ]),
    # All times of a date go together.
    ("0 6,18 26 * *", "next", [
        "2026-12-28 06:00 from 2026-12-26 06:00: Second Day of Christmas",
        "2026-12-28 18:00 from 2026-12-26 18:00: Second Day of Christmas",
    ]),
    # A weekend has no name but its calendar's.
    ("0 9 27 * *", "previous", ["2026-12-23 09:00 from 2026-12-27 09:00: weekend"]),
]
# fmt: on


@pytest.mark.parametrize(("cron", "mode", "wanted"), CHRISTMAS)
def test_the_slots_of_a_christmas_are_answered_for_one_by_one(cron, mode, wanted):
    assert told(timing(cron=cron, on_holiday=mode), "2026-12-23", "2027-01-06") == wanted


def test_an_offset_is_added_to_what_has_moved_and_taken_from_what_is_asked():
    moving = timing(cron="0 23 * * 5", on_holiday="next", offset="2h")

    assert told(moving, "2026-12-26", "2026-12-31") == [
        "2026-12-29 01:00 from 2026-12-25 23:00: Christmas Day"
    ]
    (slot,) = slots(timetable(moving), *_around("2026-12-26", "2026-12-31"))
    assert rfc3339_local(timetable(moving).kickoff(slot), BERLIN)[:16] == "2026-12-25T23:00"


def test_start_and_end_bound_slots_where_they_have_moved():
    late = timing(cron="0 9 * * 5", on_holiday="next", start="2026-12-26", end="2027-01-06")
    early = timing(cron="0 9 * * 5", on_holiday="next", end="2026-12-28T09:00")

    assert told(late, "2026-12-01", "2027-02-01") == [
        "2026-12-28 09:00 from 2026-12-25 09:00: Christmas Day"
    ]
    assert told(early, "2026-12-12", "2027-02-01") == ["2026-12-18 09:00 runs"]


@pytest.mark.parametrize(
    ("at", "mode", "wanted"),
    [
        ("2026-12-25T09:00:00", "next", "2026-12-28 09:00 from 2026-12-25 09:00: Christmas Day"),
        (
            "2026-12-25T09:00:00",
            "previous",
            "2026-12-23 09:00 from 2026-12-25 09:00: Christmas Day",
        ),
        # 23:30 in London, and Christmas Day in Berlin, whose clock it is moved by.
        ("2026-12-24T23:30:00Z", "next", "2026-12-28 00:30 from 2026-12-25 00:30: Christmas Day"),
        ("2026-12-22T09:00:00", "next", "2026-12-22 09:00 runs"),
        # The clock skips that time on the day it moves to, and on the day it comes from.
        ("2028-03-25T02:30:00", "next", "2028-03-27 02:30 from 2028-03-25 02:30: weekend"),
        ("2028-03-26T02:30:00", "next", "2028-03-27 02:30 from 2028-03-26 03:00: weekend"),
    ],
)
def test_what_comes_once_moves_on_the_clock_of_its_zone(at, mode, wanted):
    once = timing(at=at, on_holiday=mode)

    assert told(once, "2026-01-01", "2029-01-01") == [wanted]
    assert timetable(once).count(0, 10**10) == 1
    assert timetable(left_out_timing(once)).count(0, 10**10) == 0


def test_what_comes_once_is_left_out_where_every_day_near_is_off():
    years = [f"{year}-01-01/{year}-12-31" for year in range(2026, 2030)]
    closed = Calendar(name="closed", dates=years)
    with pytest.raises(ValueError, match="it never fires: every slot is on a holiday"):
        timing([closed], at="2027-06-01T09:00:00", on_holiday="next")


def test_what_the_clock_skips_where_a_slot_moves_is_made_up_there():
    """Berlin's clocks skip 02:30 on Sunday, 28 March 2027; the day before is off."""
    off = Calendar(name="off", dates=["2027-03-27"])
    moving = timing([off], cron="30 2 27 * *", on_holiday="next")

    assert told(moving, "2027-03-01", "2027-04-01") == [
        "2027-03-28 03:00 from 2027-03-27 02:30: off"
    ]


def test_a_slot_made_up_where_it_comes_from_is_in_time_where_it_moves():
    off = Calendar(name="off", dates=["2027-03-28"])
    moving = timing([off], cron="30 2 28 * *", on_holiday="next")

    assert told(moving, "2027-03-01", "2027-04-01") == [
        "2027-03-29 02:30 from 2027-03-28 03:00: off"
    ]


#: On that Saturday, Nuuk's clocks skip the hour before midnight.
NUUK = "America/Nuuk"
MIDNIGHT = [
    # days off, times, on_holiday, what becomes of them
    ("2025-03-29", "0,30 0,23", "skip", [
        "2025-03-29 00:00 left out: off", "2025-03-29 00:30 left out: off",
        "2025-03-30 00:00 runs", "2025-03-30 00:30 runs",
        "2025-03-30 23:00 runs", "2025-03-30 23:30 runs",
    ]),
    ("2025-03-30", "0,30 0,23", "skip", [
        "2025-03-29 00:00 runs", "2025-03-29 00:30 runs",
        "2025-03-30 00:00 runs", "2025-03-30 00:30 left out: off",
        "2025-03-30 23:00 left out: off", "2025-03-30 23:30 left out: off",
    ]),
    ("2025-03-29", "30 23", "skip", [
        "2025-03-30 00:00 left out: off", "2025-03-30 23:30 runs",
    ]),
    ("2025-03-30", "30 23", "skip", [
        "2025-03-30 00:00 runs", "2025-03-30 23:30 left out: off",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("off", "times", "mode", "wanted"), MIDNIGHT)
def test_what_is_made_up_on_the_next_day_is_the_day_befores(off, times, mode, wanted):
    """One instant of two dates runs if either of them does, and gets one verdict."""
    calendar = Calendar(name="off", dates=[off])
    skipping = timing([calendar], cron=f"{times} * * *", on_holiday=mode, timezone=NUUK)

    assert told(skipping, "2025-03-29", "2025-03-31", NUUK) == wanted
    _agree(skipping, *_around("2025-03-29", "2025-03-31", NUUK))
    for part in (every_slot(skipping), left_out(skipping)):
        for slot in slots(part, *_around("2025-03-29", "2025-03-31", NUUK)):
            assert part.kickoff(slot) == slot


def test_a_day_that_clocks_left_out_is_read_by_a_clock_that_did_not():
    """Samoa had no 30 December 2011; what moves from there still has a kickoff time."""
    off = Calendar(name="off", dates=["2011-12-30"])
    moving = timing([off], cron="0 9 30 12 *", on_holiday="next", timezone="Pacific/Apia")
    after, until = _around("2011-12-29", "2012-01-02", "Pacific/Apia")

    (slot,) = slots(timetable(moving), after, until)
    assert moved_from(moving, slot) == (slot - 86_400, "off")


# -- years of countries ---------------------------------------------------------------------------

COUNTRIES = [
    # country, subdivision, weekend, zone
    ("DE", "BE", "sat,sun", "Europe/Berlin"),
    ("DE", "BY", "sun", "Europe/Berlin"),
    ("US", "NY", "sat,sun", "America/New_York"),
    ("JP", None, "sat,sun", "Asia/Tokyo"),
    ("GB", "SCT", "sat,sun", "Europe/London"),
    ("BR", "SP", "sat,sun", "America/Sao_Paulo"),
    ("IL", None, "fri,sat", "Asia/Jerusalem"),
    ("SA", None, "fri,sat", "Asia/Riyadh"),
    ("CL", None, "sun", "America/Santiago"),  # clocks change at midnight
]
TIMETABLES = ["30 2 * * *", "30 2 * * 1-5", "0 9 1,15,24,25 * *", "0 0 * * 1", "15 0 L * *"]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@cache
def off_days(country, subdivision, weekend):
    """Return the days off around two years and their names, straight from the package."""
    named = holidays.country_holidays(
        country, subdiv=subdivision, years=range(2024, 2030), language="en_US"
    )
    off = {day: "weekend" for day in days(date(2024, 1, 1), date(2029, 12, 31))
           if WEEKDAYS[day.weekday()] in weekend.split(",")}  # fmt: skip
    return off | dict(named.items())


@pytest.mark.parametrize("year", [2026, 2027])
@pytest.mark.parametrize("mode", ["skip", "next", "previous"])
@pytest.mark.parametrize("place", COUNTRIES, ids=lambda place: place[0])
def test_a_year_of_a_country_is_that_of_the_package(place, mode, year):
    country, subdivision, weekend, zone = place
    off = off_days(country, subdivision, weekend)
    calendars = [
        Calendar(name="weekend", weekdays=weekend.split(",")),
        Calendar(name="public", country=country, subdivision=subdivision, language="en_US"),
    ]
    after, until = _around(f"{year}-01-01", f"{year + 1}-01-01", zone)
    for cron in TIMETABLES:
        job = Job(cron)
        own = [day for day in days(date(year - 1, 1, 1), date(year + 1, 12, 31)) if job.on(day)]
        wanted = divided(own, off.__contains__, mode)
        clock = time(min(job.hours), min(job.minutes))
        made = timing(calendars, cron=cron, on_holiday=mode, timezone=zone)

        runs = {
            instant(day, clock, zone): source
            for day, source in wanted.runs.items() if day.year == year
        }  # fmt: skip
        assert list(slots(timetable(made), after, until)) == sorted(runs)
        for slot, source in runs.items():
            assert timetable(made).kickoff(slot) == instant(source, clock, zone)
            holiday = moved_from(made, slot)
            assert (holiday and holiday[1]) == off.get(source)
        left = {
            instant(day, clock, zone): off[day] + (f"; {to} has slots already" if to else "")
            for day, to in wanted.left_out.items() if day.year == year
        }  # fmt: skip
        assert {
            slot: why_left_out(made, slot) for slot in slots(left_out(made), after, until)
        } == left
        _agree(made, after, until)


def _around(first, last, zone=BERLIN):
    """Return the bounds of (after, until] from one local time to before another."""
    return parse_instant(first, zone) - 1, parse_instant(last, zone) - 1


def _agree(timing, after, until):
    """Ask each part forwards, backwards and by counting; together they are all, each once."""
    parts = [timetable(timing), left_out(timing), every_slot(timing)]
    found = [list(slots(part, after, until)) for part in parts]
    for part, forward in zip(parts, found, strict=True):
        assert latest(part, after, until, 10_000) == forward
        assert part.count(after, until) == len(forward)
    assert sorted(found[0] + found[1]) == found[2]


def test_what_public_holidays_are_called_is_asked_of_no_environment(monkeypatch):
    """The package would take a language from LANGUAGE: the scheduler's may be another one."""
    monkeypatch.setenv("LANGUAGE", "en_US")
    public = timing([Calendar(name="bavaria", country="DE", subdivision="BY")], cron="0 9 * * *")

    assert told(public, "2031-12-25", "2031-12-26") == [
        "2031-12-25 09:00 left out: Erster Weihnachtstag"
    ]


def test_several_holidays_of_a_day_are_called_as_the_package_joins_them():
    named = holidays.country_holidays("KR", years=range(2020, 2050), language="en_US")
    day, joined = next((day, name) for day, name in named.items() if "; " in name)
    both = timing([Calendar(name="korea", country="KR", language="en_US")], cron="0 9 * * *")

    noon = int(datetime(day.year, day.month, day.day, 8, tzinfo=UTC).timestamp())
    assert why_left_out(both, every_slot(both).previous(noon + 7200)) == joined


def test_what_the_package_warns_of_is_not_said():
    """Of India it warns in years whose holidays it does not know all; here warnings are errors."""
    named = timing([Calendar(name="india", country="IN")], cron="0 9 25,26 1 *")

    assert told(named, "2050-01-26", "2050-12-31") == [
        "2050-01-26 09:00 left out: Republic Day"
    ]  # fmt: skip
