"""Days off as people see them: in coming slots, in calendars, in lists, and what a doctor says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import glance
import pytest

from flytesched.cli.render import width

if TYPE_CHECKING:
    from terminal import Said, Terminal

#: Two holidays at Christmas, a bridge behind it, and a weekend; nothing needs the extra.
SITE = """\
version = 1
[defaults]
timezone = "Europe/Berlin"
[calendars.christmas]
dates = { 12-25 = "Christmas Day", 12-26 = "Boxing Day" }
[calendars.company]
description = "as the works council agreed"
dates = ["2026-12-28/2026-12-30"]
weekdays = ["sat", "sun"]
except = ["2026-12-24", "2026-12-27", "2026-12-29"]
[calendars.unused]
dates = ["2030-01-01"]
[schedules.report]
cron = "0 9 * * *"
command = "true"
calendars = ["christmas"]
[schedules.backup]
daily = "02:30"
command = "true"
calendars = ["christmas", "company"]
on_holiday = "next"
[schedules.weekly]
cron = "30 7 * * fri"
command = "true"
calendars = ["christmas"]
on_holiday = "previous"
[schedules.pulse]
cron = "*/10 8-17 * * *"
command = "true"
calendars = ["christmas", "company"]
[schedules.plain]
cron = "0 12 24-27 * *"
command = "true"
"""


@pytest.fixture
def site(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a terminal on a Thursday in November, with schedules that keep days off."""
    glance.freeze(monkeypatch)
    empty.write(SITE)
    return empty


def look(site: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, columns: int) -> Said:
    """Run a command at a terminal, and hold it to its columns."""
    said = glance.look(site, monkeypatch, words, columns)
    assert max(map(width, said.out.splitlines())) <= columns
    return said


#: Stands for a sign that is not to be mistaken for a letter in the screens below.
OFF = "\u00d7"

# -- golden screens -------------------------------------------------------------------------------

ROW_120 = """\
SLOT             LEFT  NAME    NOTE
24 Dec 12:00  27d 21h  plain   -
25 Dec 02:30  28d 12h  backup  left out (holiday): Christmas Day; 2026-12-27 has slots already
25 Dec 09:00  28d 18h  report  left out (holiday): Christmas Day
25 Dec 12:00  28d 21h  plain   -
26 Dec 02:30  29d 12h  backup  left out (holiday): Boxing Day; 2026-12-27 has slots already
26 Dec 09:00  29d 18h  report  left out (holiday): Boxing Day
26 Dec 12:00  29d 21h  plain   -
27 Dec 02:30  30d 12h  backup  -
"""
ROW_80 = """\
SLOT             LEFT  NAME    NOTE
23 Dec 09:00  26d 18h  report  -
24 Dec 07:30  27d 17h  weekly  moved from 2026-12-25 (Christmas Day)
24 Dec 09:00  27d 18h  report  -
24 Dec 12:00  27d 21h  plain   -
25 Dec 09:00  28d 18h  report  left out (holiday): Christmas Day
25 Dec 12:00  28d 21h  plain   -
26 Dec 09:00  29d 18h  report  left out (holiday): Boxing Day
26 Dec 12:00  29d 21h  plain   -
"""
STRETCHES = """\
SLOT             LEFT  NAME    NOTE
24 Dec 17:30   28d 3h  pulse   -
24 Dec 17:40   28d 3h  pulse   -
24 Dec 17:50   28d 3h  pulse   -
25 Dec 02:30  28d 12h  backup  left out (holiday): Christmas Day; 2026-12-27 has slots already
25 Dec 08:00  28d 17h  pulse   left out (holiday): Christmas Day, 60 slots until 25 Dec 17:50
26 Dec 02:30  29d 12h  backup  left out (holiday): Boxing Day; 2026-12-27 has slots already
26 Dec 08:00  29d 17h  pulse   left out (holiday): Boxing Day, 60 slots until 26 Dec 17:50
27 Dec 02:30  30d 12h  backup  -
27 Dec 08:00  30d 17h  pulse   -
27 Dec 08:10  30d 18h  pulse   -
"""
WEEK = """\
            0     3     6     9     12    15    18    21      SLOTS
Tue 22 Dec                  ████████████████████                 60
Wed 23 Dec                  ████████████████████                 60
Thu 24 Dec                ░░████████████████████                 62
Fri 25 Dec@                 @@@@@@@@░░@@@@@@@@@@                  1
Sat 26 Dec@                 @@@@@@@@░░@@@@@@@@@@                  1
Sun 27 Dec                  ████████████████████                 61
Mon 28 Dec@                 @@@@@@@@@@@@@@@@@@@@                  0

slots an hour: ░░ 1  ██ 6-7
@ Fri 2026-12-25: Christmas Day
@ Sat 2026-12-26: Boxing Day
@ Mon 2026-12-28: company
"""
MONTH = """\
   Mon        Tue        Wed        Thu        Fri        Sat        Sun
                                 10 ██ 60   11 ██ 60   12 @@      13 @@
14 ██ 60   15 ██ 60   16 ██ 60   17 ██ 60   18 ██ 60   19 @@      20 @@
21 ██ 60   22 ██ 60   23 ██ 60   24 ██ 61   25@░░ 1    26@░░ 1    27 ██ 61
28 @@      29 ██ 60   30 @@      31 ██ 60    1 ██ 60    2 @@       3 @@
 4 ██ 60    5 ██ 60    6 ██ 60    7 ██ 60    8 ██ 60    9 @@

slots a day: ░░ 1  ██ 60-61
@ Sat 2026-12-12 and 8 more: company
@ Fri 2026-12-25: Christmas Day
@ Sat 2026-12-26: Boxing Day
"""
CALENDARS_80 = """\
CALENDAR   MADE OF          SCHEDULES      A YEAR  NEXT            HOLIDAY
christmas  12-25, 12-26     4 schedules         2  Fri 2026-12-25  Christmas Day
company    sat, sun; 2026…  backup, pulse     105  Sat 2026-11-28  -
unused     2030-01-01       -                   0  -               -
"""
CALENDARS_100 = """\
CALENDAR   MADE OF                              SCHEDULES      A YEAR  NEXT            HOLIDAY
christmas  12-25, 12-26                         4 schedules         2  Fri 2026-12-25  Christmas Day
company    sat, sun; 2026-12-28/2026-12-30; e…  backup, pulse     105  Sat 2026-11-28  -
unused     2030-01-01                           -                   0  -               -
"""
DAYS = """\
DAY             CALENDAR   HOLIDAY                      FROM
Sat 2026-11-28  company    8 days until Sun 2026-12-20  weekdays
Thu 2026-12-24  company    worked                       except
Fri 2026-12-25  christmas  Christmas Day                dates
Sat 2026-12-26  company    -                            weekdays
Sat 2026-12-26  christmas  Boxing Day                   dates
Sun 2026-12-27  company    worked                       except
Mon 2026-12-28  company    -                            dates
Tue 2026-12-29  company    worked                       except
Wed 2026-12-30  company    -                            dates
Sat 2027-01-02  company    3 days until Sat 2027-01-09  weekdays
"""
LIST = """\
NAME    SCHEDULE                                       NEXT            LEFT  LAST  PASSED  RESULT
pulse   cron */10 8-17 * * *, off: christmas, company  14:10       6min 40s  -          -  -
backup  daily 02:30, off: christmas, company (next)    Fri 02:30  12h 26min  -          -  -
weekly  cron 30 7 * * FRI, off: christmas (previous)   Fri 07:30  17h 26min  -          -  -
report  cron 0 9 * * *, off: christmas                 Fri 09:00  18h 56min  -          -  -
plain   cron 0 12 24-27 * *                            Fri 12:00  21h 56min  -          -  -
"""


@pytest.mark.parametrize(
    ("words", "columns", "screen"),
    [
        ("next report backup plain --from 2026-12-24T10:00 -n 4", 120, ROW_120),
        ("next report weekly plain --from 2026-12-23 -n 6", 80, ROW_80),
        ("next pulse backup --from 2026-12-24T17:30 --until 2026-12-27T08:20", 120, STRETCHES),
        ("next --calendar --from 2026-12-22 weekly plain pulse", 80, WEEK),
        ("next --calendar month --from 2026-12-10 plain pulse", 80, MONTH),
        ("calendars", 80, CALENDARS_80),
        ("calendars", 100, CALENDARS_100),
        ("calendars company christmas --until 2027-01-10", 80, DAYS),
        ("list", 120, LIST),
    ],
)
def test_a_screen(
    site: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, columns: int, screen: str
) -> None:
    """One of the screens above."""
    assert look(site, monkeypatch, words, columns).out == screen.replace("@", OFF)


def test_what_is_left_out_is_dimmed(site: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole row; what runs is not."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    said = site.ok("next", "report", "--from", "2026-12-25", "-n", "1").out.splitlines()

    assert [line.count("\x1b[2m") for line in said[1:]] == [4, 4, 0]


# -- coming slots as data -------------------------------------------------------------------------


def test_slots_that_are_left_out_are_none_of_those_that_run(site: Terminal) -> None:
    """They stand beside them, several of a kind as one, and are not counted."""
    said = site.json("next", "pulse", "backup", "--from", "2026-12-25T02:00", "-n", "1")

    assert [each["scheduled_at"] for each in said["slots"]] == ["2026-12-27T01:30:00Z"]
    assert [each["holiday"] for each in said["left_out_slots"]] == [
        "Christmas Day", "Christmas Day", "Boxing Day", "Boxing Day"
    ]  # fmt: skip
    assert said["left_out_slots"][:2] == [
        {"schedule": "backup", "scheduled_at": "2026-12-25T01:30:00Z",
         "until": "2026-12-25T01:30:00Z", "count": 1, "holiday": "Christmas Day",
         "reason": "Christmas Day; 2026-12-27 has slots already"},
        {"schedule": "pulse", "scheduled_at": "2026-12-25T07:00:00Z",
         "until": "2026-12-25T16:50:00Z", "count": 60, "holiday": "Christmas Day",
         "reason": "Christmas Day"},
    ]  # fmt: skip


def test_a_slot_that_was_moved_says_from_where(site: Terminal) -> None:
    """One that stands where its timetable has it does not."""
    first, second = site.json("next", "weekly", "--from", "2026-12-20", "-n", "2")["slots"]

    assert (first["scheduled_at"], first["marks"]) == ("2026-12-24T06:30:00Z", ["moved"])
    assert first["moved_from"] == {"at": "2026-12-25T06:30:00Z", "holiday": "Christmas Day"}
    assert (second["marks"], second["moved_from"]) == ([], None)


def test_what_is_paused_or_disabled_is_not_left_out_on_a_holiday(site: Terminal) -> None:
    """It would not run on any other day either; after the pause it is."""
    site.write(SITE.replace("[schedules.pulse]", "[schedules.pulse]\nenabled = false").replace(
        "[schedules.report]", "[schedules.report]\npaused_until = 2026-12-26"))  # fmt: skip

    said = site.json("next", "pulse", "report", "--from", "2026-12-24", "-n", "1")

    assert [(each["schedule"], each["holiday"]) for each in said["left_out_slots"]] == [
        ("report", "Boxing Day")
    ]


def test_a_day_that_was_moved_from_is_one_on_the_clock_whose_days_are_off(site: Terminal) -> None:
    """An instant with an offset follows no clock, and in UTC it may be of another date."""
    site.write(
        SITE + '[schedules.once]\nat = "2026-12-25T00:30:00+01:00"\ncommand = "true"\n'
        'calendars = ["christmas"]\non_holiday = "next"\n'
    )

    said = site.ok("next", "once", "-n", "1", "--utc").out

    assert "2026-12-26 23:30" in said
    assert "moved from 2026-12-25 (Christmas Day)" in said


def test_with_no_slot_to_come_a_year_of_days_off_is_told(site: Terminal) -> None:
    """And that is said."""
    site.write(SITE.replace('cron = "0 9 * * *"', 'cron = "0 9 * * *"\nend = 2026-12-26'))

    said = site.ok("next", "report", "--from", "2026-12-25")

    assert "left out (holiday): Christmas Day\n" in said.out
    assert said.out.count("\n") == 2
    assert said.err.splitlines()[0] == "there is no slot to come"


def test_more_days_off_than_are_asked_for_are_hinted_at(site: Terminal) -> None:
    """A week of slots a schedule runs not on is no reason to scroll."""
    many = "".join(f"[schedules.x{n}]\ndaily = '10:00'\ncommand = 'true'\n"
                   "calendars = ['christmas']\n" for n in range(15))  # fmt: skip
    site.write(SITE + many)

    said = site.ok("next", "x*", "--from", "2026-12-25", "-n", "1")
    whole = site.ok("next", "x*", "--from", "2026-12-25", "--until", "2026-12-28")

    assert said.out.count("left out (holiday)") == 20
    assert site.json("next", "x*", "--from", "2026-12-25", "-n", "1")["more_left_out"] is True
    assert said.err.startswith("more slots are left out than are shown; name schedules, or give")
    assert (whole.out.count("left out (holiday)"), whole.err) == (30, "")


def test_a_heat_map_as_data_says_what_is_left_out(site: Terminal) -> None:
    """Hour by hour, and the holidays by their day."""
    said = site.json("next", "--calendar", "month", "pulse", "--from", "2026-12-24")

    assert [(cell["slots"], cell["left_out"]) for cell in said["cells"][:3]] == [
        (60, 0), (0, 60), (0, 60)
    ]  # fmt: skip
    assert said["days_off"][0] == {"date": "2026-12-25", "holiday": "Christmas Day", "slots": 60}


# -- calendars ------------------------------------------------------------------------------------


def test_a_question_about_a_day_has_an_answer(site: Terminal) -> None:
    """Off, or not; without a name of a calendar, by any of them."""
    off = site.ok("calendars", "--from", "2026-12-25", "--until", "2026-12-26")
    works = site.ok("calendars", "christmas", "--from", "2027-01-06", "--until", "2027-01-07")

    assert "Fri 2026-12-25  christmas  Christmas Day  dates" in off.out
    assert works.out == ""
    assert works.err == "christmas: no day is off from 2027-01-06 on, and before 2027-01-07\n"


def test_calendars_as_data_say_what_they_are_made_of(site: Terminal) -> None:
    """Who names them, and what comes next."""
    christmas, company, unused = site.json("calendars")["calendars"]

    assert christmas["dates"][0] == {"day": "12-25", "holiday": "Christmas Day"}
    assert company["description"] == "as the works council agreed"
    assert (company["weekdays"], company["schedules"]) == (["sat", "sun"], ["backup", "pulse"])
    assert company["next"] == {
        "date": "2026-11-28", "weekday": "sat", "calendar": "company", "holiday": None,
        "sources": ["weekdays"], "worked": False,
    }  # fmt: skip
    assert (unused["schedules"], unused["days_off_ahead"], unused["next"]) == ([], 0, None)


def test_days_as_data_are_never_folded(site: Terminal) -> None:
    """Each has its day; what is worked all the same is one of them."""
    said = site.json("calendars", "company", "--until", "2026-12-28")

    assert (said["from"], said["until"]) == ("2026-11-26", "2026-12-28")
    assert [each["date"][5:] for each in said["days"] if each["worked"]] == ["12-24", "12-27"]
    assert [each["weekday"] for each in said["days"] if not each["worked"]] == [
        "sat",
        "sun",
    ] * 4 + ["sat"]


def test_the_end_of_time_ends_a_stretch(site: Terminal) -> None:
    """A year from there on would be one that nobody can write."""
    said = site.json("calendars", "christmas", "--from", "9999-12-26")

    assert (said["until"], [each["date"] for each in said["days"]]) == (
        "9999-12-31",
        ["9999-12-26"],
    )


def test_what_is_no_calendar_is_said(site: Terminal) -> None:
    """With the one that may have been meant, and what to add where there is none."""
    wrong, pattern = site.run("calendars", "chrismas"), site.run("calendars", "de-*")

    assert (wrong.code, pattern.code) == (3, 3)
    assert wrong.err.endswith("no calendar is named 'chrismas'\nhint: did you mean 'christmas'?\n")
    assert pattern.err.endswith("no calendar matches 'de-*'\nhint: see: flytesched calendars\n")
    assert site.run("calendars", "--from", "3d", "--until", "2d").code == 2
    site.write("version = 1\n")
    assert site.ok("calendars").err.startswith("there is no calendar; add a table [calendars.NAME]")
    assert site.ok("calendars", "--from", "1d").err.startswith("there is no calendar")


# -- schedules ------------------------------------------------------------------------------------


def test_a_schedule_is_shown_with_its_calendars(site: Terminal) -> None:
    """And with what becomes of a slot on a holiday; the next slot is one that runs."""
    site.write(SITE.replace('"12-26" =', '"11-27" =').replace("12-26 =", "11-27 ="))

    shown, (listed,) = site.ok("show", "weekly").out, site.json("list", "weekly")["schedules"]

    assert " calendars: christmas\non holiday: previous\n  in words: At 07:30 on Friday," in shown
    assert (listed["calendars"], listed["on_holiday"]) == (["christmas"], "previous")
    assert listed["next"] == "2026-12-04T06:30:00Z"
    definition = site.json("show", "weekly")["schedule"]["definition"]
    assert definition["timing"]["days_off"]["calendars"][0]["name"] == "christmas"


def test_metrics_name_the_next_slot_that_runs(site: Terminal) -> None:
    """On a holiday, that of another day."""
    site.write(SITE.replace("12-26 =", "11-27 ="))

    said = site.ok("metrics").out

    assert 'next_run_timestamp_seconds{schedule="report"} 1795852800' in said  # Saturday at nine


# -- the doctor -----------------------------------------------------------------------------------


def doctor(site: Terminal) -> list[tuple[str, str, str | None]]:
    """Return what the doctor says of calendars."""
    said = site.run("doctor", "--json").json["findings"]
    return [(e["level"], e["what"], e["do"]) for e in said if e["about"] == "calendars"]


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ('["2026-11-25"]', "the last day off of christmas, which report names, was 2026-11-25"),
        ('["2026-12-20/2026-12-24"]', "the last day off of christmas, which report names, is 2026"),
    ],
)
def test_a_calendar_that_runs_out_is_a_warning(site: Terminal, dates: str, says: str) -> None:
    """While a schedule names it."""
    site.write(f"""\
version = 1
[calendars.christmas]
dates = {dates}
[schedules.report]
daily = "09:00"
command = "true"
calendars = ["christmas"]
""")

    ((level, what, do),) = doctor(site)

    assert (level, do) == ("warning", "write further dates")
    assert what.startswith(says)


def test_a_calendar_that_nobody_names_is_a_warning(site: Terminal) -> None:
    """The others are in order: what comes each year, or each week, goes on."""
    assert doctor(site) == [
        ("warning", "no schedule names unused: its days off mean nothing",
         'write calendars = ["unused"] in a schedule, or remove the table')
    ]  # fmt: skip
    site.write(SITE.replace('[calendars.unused]\ndates = ["2030-01-01"]\n', ""))
    ((level, _, do),) = doctor(site)
    assert (level, do) == ("ok", None)


def test_a_site_without_calendars_and_a_broken_one_are_no_worry(site: Terminal) -> None:
    """What is broken is said elsewhere."""
    site.write("version = 1\n")
    assert [level for level, _, _ in doctor(site)] == ["ok"]
    site.write("version = 2\n")
    assert [level for level, _, _ in doctor(site)] == ["ok"]


# -- public holidays ------------------------------------------------------------------------------

GERMANY = """\
version = 1
[calendars.berlin]
country = "DE"
subdivision = "BE"
language = "en_US"
[calendars.bavaria]
country = "DE"
subdivision = "BY"
language = "en_US"
[schedules.report]
cron = "0 9 * * mon-fri"
timezone = "Europe/Berlin"
command = "true"
calendars = ["berlin"]
[schedules.mail]
cron = "0 9 * * mon-fri"
timezone = "Europe/Berlin"
command = "true"
calendars = ["bavaria"]
"""
GERMAN_DAYS = """\
DAY             CALENDAR  HOLIDAY         FROM
Fri 2026-12-25  berlin    Christmas Day   DE/BE
Fri 2026-12-25  bavaria   Christmas Day   DE/BY
Fri 2027-01-01  berlin    New Year's Day  DE/BE
Fri 2027-01-01  bavaria   New Year's Day  DE/BY
Wed 2027-01-06  bavaria   Epiphany        DE/BY
"""


def test_6_january_is_off_in_munich_and_not_in_berlin(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What public holidays there are says the extra."""
    pytest.importorskip("holidays")
    site.write(GERMANY)

    said = look(site, monkeypatch, "calendars --until 2027-01-20", 80).out
    row = look(site, monkeypatch, "next --from 2027-01-06 -n 1", 80).out

    lines = [line for line in said.splitlines(keepends=True) if "2026-12-26" not in line]
    assert [line.split() for line in lines] == [
        line.split() for line in GERMAN_DAYS.splitlines(keepends=True)
    ]
    assert "mail    left out (holiday): Epiphany\n" in row
    assert [level for level, _, _ in doctor(site)] == ["ok"]
    made_of = look(site, monkeypatch, "calendars", 100)
    assert "berlin    holidays of DE/BE  report " in made_of.out
    assert made_of.err == "see the days off of one with: flytesched calendars CALENDAR\n"


def test_public_holidays_that_end_next_year_are_a_warning(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package knows none after 2100."""
    pytest.importorskip("holidays")
    # No option of the program sets the clock, and nobody waits for that year.
    monkeypatch.setattr("flytesched.clock.now", lambda: 4_115_000_000.0)  # in May 2100
    site.write(GERMANY)

    warnings = [each for each in doctor(site) if each[0] == "warning"]

    assert warnings == [
        ("warning", f"{name}: no public holidays of DE are known for 2101",
         "bring the package up to date: pip install --upgrade holidays")
        for name in ("berlin", "bavaria")
    ]  # fmt: skip


def test_without_the_extra_the_command_to_type_is_said(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one clear sentence, whatever is asked about; the doctor says it too."""
    monkeypatch.setitem(sys.modules, "holidays", None)  # as if it were not installed
    site.write(GERMANY.replace('"DE"', '"IS"').replace('subdivision = "BE"\n', "").replace(
        'subdivision = "BY"\n', ""))  # fmt: skip

    said = site.run("calendars")

    assert said.code == 5
    assert "public holidays need the Python package holidays, which is not installed" in said.err
    assert "pip install 'flytesched[holidays]'" in said.err
    (broken,) = [
        each for each in site.run("doctor", "--json").json["findings"] if each["level"] == "problem"
        and each["about"] == "manifest"
    ]  # fmt: skip
    assert "pip install 'flytesched[holidays]'" in broken["what"]
