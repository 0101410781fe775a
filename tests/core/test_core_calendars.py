"""Calendars: what people write in a table of days off, and what is told of a wrong one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from flytesched import Calendar, Schedule
from flytesched.core.calendars import days_off, read_calendar, read_calendars
from flytesched.core.dates import MAX_DATES
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables.public import public_holidays
from flytesched.errors import Invalid, InvalidSchedule

XMAS = date(2026, 12, 24)


def faults_of(table, name="company"):
    """Return what is told of a table, a line each."""
    faults = []
    assert read_calendar(name, table, faults) is None
    assert all(fault.table == () for fault in faults)
    return [f"{fault.key}: {fault.what}; {fault.instead}" for fault in faults]


# -- what is kept ---------------------------------------------------------------------------------


def test_a_table_of_the_manifest_and_keywords_of_python_make_the_same_calendar():
    table = {
        "description": "Works council",
        "dates": [XMAS, "12-31", "2027-07-01/2027-07-05"],
        "weekdays": ["sun", "Saturday"],
        "country": "DE",
        "subdivision": "BE",
        "categories": ["public"],
        "language": "en_US",
        "except": [XMAS],
    }
    read = read_calendar("company", table, [])
    keys = dict(table)
    made = Calendar(name="company", except_=keys.pop("except"), **keys)

    assert read == made
    assert read.dates == (("12-31", None), ("2026-12-24", None), ("2027-07-01/2027-07-05", None))
    assert read.weekdays == ("sat", "sun")
    assert read.except_ == ("2026-12-24",)
    assert replace(read, description=None).text == read.text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ([XMAS, "2026-12-24", " 2026-12-24 "], (("2026-12-24", None),)),
        ({"2026-12-24": "Christmas  Eve", "12-31": "Silvester"},
         (("12-31", "Silvester"), ("2026-12-24", "Christmas Eve"))),
        ({XMAS: "Christmas Eve"}, (("2026-12-24", "Christmas Eve"),)),
        (["02-29"], (("02-29", None),)),
        (["2026-12-24 / 2026-12-26"], (("2026-12-24/2026-12-26", None),)),
        (["2026-12-24/2026-12-24"], (("2026-12-24", None),)),
        (["2027-01-01/2028-02-04"], (("2027-01-01/2028-02-04", None),)),  # 400 days
        ([], ()),
    ],
)  # fmt: skip
def test_dates_are_kept_in_one_form_and_order(written, kept):
    """Whoever sorts a list of dates has not changed when a schedule runs."""
    assert Calendar(name="x", dates=written).dates == kept


def test_the_text_leaves_out_what_is_not_said_and_what_it_is_for():
    plain = Calendar(name="x", description="words", weekdays=["sat"])

    assert plain.text == '{"name":"x","weekdays":["sat"]}'
    assert days_off([plain], OnHoliday.NEXT) == (
        '{"on_holiday":"next","calendars":[{"name":"x","weekdays":["sat"]}]}'
    )
    assert days_off([plain], OnHoliday.NEXT) is days_off([plain], OnHoliday.NEXT)


# -- what is refused ------------------------------------------------------------------------------

# fmt: off
WRONG = [
    ("dates", "12-24", "is neither a list of dates nor a table of names"),
    ("dates", ["24.12.2026"], "'24.12.2026' is not a date from 1970 on"),
    ("dates", ["2026-02-29"], "'2026-02-29' is not a date from 1970 on"),
    ("dates", ["1969-12-31"], "'1969-12-31' is not a date from 1970 on"),
    ("dates", ["02-30"], "'02-30' is not a date from 1970 on"),
    ("dates", ["20261224"], "'20261224' is not a date from 1970 on"),
    ("dates", [20261224], "20261224 is not a date"),
    ("dates", [datetime(2026, 12, 24, 9, tzinfo=UTC)], "is not a date alone; write 2026-12-24:"),
    ("dates", ["12-24/12-26"], "'12-24/12-26' is a range without years; write years too"),
    ("dates", ["2026-12-24/26"], "'2026-12-24/26' is not a date from 1970 on"),
    ("dates", ["2026-12-26/2026-12-24"], "ends before it begins; write 2026-12-24/2026-12-26"),
    ("dates", ["2027-01-01/2028-02-05"], "has 401 days; write 400 days at most"),
    ("dates", ["12-24"] * (MAX_DATES + 1), "are 10,001 dates; write 10,000 at most"),
    ("dates", {"12-24": ""}, "is empty"),
    ("dates", {"12-24": 1}, "1 is not a string"),
    ("dates", {"12-24": "x" * 201}, "... is not a name for a day; write 200 printable"),
    ("dates", {"12-24": "a\x1b[31m"}, "is not a name for a day"),
    ("weekdays", "sat", "'sat' is not a list of weekdays"),
    ("weekdays", ["samstag"], "'samstag' is not a weekday; write one of mon, tue"),
    ("weekdays", [6], "6 is not a weekday"),
    ("except", {"12-24": "x"}, "is a table; write a list"),
    ("except", ["x"], "'x' is not a date"),
    ("description", 1, "1 is not a string"),
    ("country", 49, "49 is not a string"),
    ("country", ["DE", "FR"], "['DE', 'FR'] is not one country; write a calendar for each"),
    ("country", "", "is empty"),
    ("categories", "public", "'public' is not a list of kinds of holidays"),
    ("categories", [], "[] is not a list of kinds of holidays"),
    ("categories", [1], "1 is not a string"),
]
# fmt: on


@pytest.mark.parametrize(("key", "value", "told"), WRONG)
def test_a_wrong_value_is_told_with_its_key(key, value, told):
    (said,) = faults_of({"country": "DE", key: value})

    assert said.startswith(f"{key}: ")
    assert told in said


def test_all_faults_are_told_at_once():
    table = {"datse": [], "except_": [], "weekdays": ["x"], "dates": [1]}

    assert [said.partition(":")[0] for said in faults_of(table)] == [
        "datse", "except_", "weekdays", "dates",
    ]  # fmt: skip
    assert faults_of(table)[0] == "datse: is not a key of a calendar; did you mean 'dates'?"
    assert len(faults_of({f"k{n}": n for n in range(50)})) == 21


def test_a_table_that_takes_no_day_off_is_refused():
    assert faults_of({"description": "x"}) == [": has no day off; write dates, weekdays or country"]
    assert faults_of("sat") == [": is no table; write a table, [calendars.company]"]
    assert read_calendar("company", {"dates": []}, []) is not None


def test_a_name_is_one_like_that_of_a_schedule():
    assert faults_of({"weekdays": ["sat"]}, name="a b")[0].startswith(
        ": 'a b' is not a name for a calendar; use letters"
    )
    with pytest.raises(Invalid, match="1 is not a name for a calendar"):
        Calendar(name=1)


def test_python_is_told_all_faults_in_one_sentence():
    with pytest.raises(Invalid, match=r"calendar 'x': weekdays: 'y' is not a weekday.*; except: "):
        Calendar(name="x", weekdays=["y"], except_=["z"])


@pytest.mark.parametrize("key", ["subdivision", "language"])
def test_what_belongs_to_a_country_needs_one(key):
    assert faults_of({"weekdays": ["sat"], key: "x"}) == [
        f"{key}: belongs to country; write country too, or remove it"
    ]


# -- public holidays ------------------------------------------------------------------------------

# fmt: off
UNKNOWN = [
    ({"country": "de"}, "country: the Python package holidays knows no country 'de';"
                        " did you mean 'DE'?"),
    ({"country": "Germany"}, "country: the Python package holidays knows no country 'Germany';"
                             " did you mean 'DE'?"),
    ({"country": "united kingdom"}, "country: the Python package holidays knows no country"
                                    " 'united kingdom'; did you mean 'GB'?"),
    ({"country": "HolidayBase"}, "country: the Python package holidays knows no country"
                                 " 'HolidayBase'; there are "),
    ({"country": "DE", "subdivision": "Berlim"}, "subdivision: the Python package holidays knows no"
                                 " subdivision 'Berlim' for DE; did you mean 'Berlin'?"),
    ({"country": "JP", "subdivision": "13"}, "subdivision: the Python package holidays knows no"
                                 " subdivision '13' for JP; leave it out: there is no choice"),
    ({"country": "DE", "categories": ["public", "publik"]}, "categories: the Python package"
                       " holidays knows no category 'publik' for DE; did you mean 'public'?"),
    ({"country": "DE", "language": "xx"}, "language: the Python package holidays knows no language"
                                          " 'xx' for DE; there are de, en_US"),
]
# fmt: on


@pytest.mark.parametrize(("table", "told"), UNKNOWN)
def test_what_the_package_does_not_know_is_told_with_what_it_does(table, told):
    (said,) = faults_of(table)

    assert said.startswith(told)


def test_a_place_may_be_called_by_its_name_and_a_country_by_three_letters():
    berlin = read_calendar("x", {"country": "DEU", "subdivision": "Berlin"}, [])
    assert berlin is not None
    assert public_holidays(2026, "DEU", "Berlin") == public_holidays(2026, "DE", "BE")


def test_kinds_of_holidays_are_those_that_are_asked_for():
    public, catholic = (
        public_holidays(2026, "DE", "TH", categories) for categories in ((), ("catholic", "public"))
    )
    assert public.items() < catholic.items()


MISSING = """
import sys
sys.modules["holidays"] = None  # what is not installed cannot be imported
from flytesched import Calendar, Schedule
Schedule("plain", command="true", daily="09:00", calendars=[Calendar(name="x", weekdays=["sat"])])
try:
    Calendar(name="germany", country="DE")
except ValueError as error:
    print(error)
"""
BROKEN = """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "holidays":
            raise ImportError("cannot import name 'easter'")
sys.meta_path.insert(0, Finder())
from flytesched import Calendar
try:
    Calendar(name="germany", country="DE")
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (MISSING, "public holidays need the Python package holidays, which is not installed"),
        (BROKEN, "the Python package holidays cannot be imported: cannot import name 'easter'"),
    ],
)
def test_without_the_package_only_a_country_is_refused_with_the_command_to_type(program, told):
    """In a process of its own: here the package has been imported long ago."""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert said == (f"calendar 'germany': country: {told}; pip install 'flytesched[holidays]'\n")


# -- schedules ------------------------------------------------------------------------------------

WEEKEND = Calendar(name="weekend", weekdays=["sat", "sun"])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"calendars": "weekend"},
         "calendars: 'weekend' is not a list of calendars; write calendars = [\"weekend\"]"),
        ({"calendars": ["weekend"]},
         "calendars: there is no calendar 'weekend'; define it below [calendars.NAME]"),
        ({"calendars": [WEEKEND, WEEKEND]}, "calendars: names 'weekend' twice; remove one of them"),
        ({"on_holiday": "next"}, "on_holiday: needs calendars; write calendars too, or remove it"),
        ({"on_holiday": "next", "calendars": []}, "on_holiday: needs calendars"),
        ({"on_holiday": "later", "calendars": [WEEKEND]},
         "on_holiday: 'later' is not a choice; write one of skip, next, previous"),
    ],
)  # fmt: skip
def test_a_schedule_says_what_is_wrong_with_its_days_off(keys, told):
    with pytest.raises(InvalidSchedule) as it:
        Schedule("job", command="true", daily="09:00", **keys)
    assert told in str(it.value)


def test_a_fault_of_a_timetables_days_off_is_told_of_their_key():
    for keys, key in (
        ({"every": "1h", "on_holiday": "next"}, "on_holiday"),
        ({"cron": "0 9 * * sat"}, "calendars"),
    ):
        with pytest.raises(InvalidSchedule) as it:
            Schedule("job", command="true", calendars=[WEEKEND], **keys)
        assert [fault.key for fault in it.value.faults] == [key]


def test_a_schedule_runs_on_what_its_calendars_leave():
    job = Schedule("job", command="true", daily="09:00", calendars=[WEEKEND])
    friday = datetime(2026, 11, 27, 12, tzinfo=UTC)

    assert job.next_after(friday) == datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert job.timing != Schedule("job", command="true", daily="09:00", calendars=[]).timing
    assert read_calendars((WEEKEND,)) == (WEEKEND,)


def test_the_zone_of_an_elapsed_time_is_kept_for_its_dates_alone():
    rate = Schedule("job", command="true", every="1h", timezone="Asia/Tokyo", calendars=[WEEKEND])

    assert rate.timing.timezone is None
    assert '"zone":"Asia/Tokyo"' in rate.timing.days_off
    assert (
        Schedule("job", command="true", every="1h", timezone="Asia/Tokyo").timing.days_off is None
    )


def test_the_zone_of_dates_is_that_of_the_expression():
    job = Schedule(
        "job", command="true", cron="CRON_TZ=Asia/Tokyo 0 9 * * *", timezone="UTC",
        calendars=[WEEKEND],
    )  # fmt: skip

    assert job.timing.timezone == "Asia/Tokyo"
    assert '"zone":"Asia/Tokyo"' in job.timing.days_off
