"""An expression, or the timetable of a schedule, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import glance
import pytest

from flytesched.cli.render import width

if TYPE_CHECKING:
    from terminal import Terminal

SITE = """\
version = 1
[schedules.daily-etl]
cron = "30 2 * * 1-5"
timezone = "America/New_York"
command = "true"
[schedules.tidy]
every = "7m"
command = "true"
enabled = false
[schedules.photos]
daily = "06:00"
command = "true"
paused_until = 2998-01-01T00:00:00Z
[schedules.once]
at = 2026-11-20T12:00:00
command = "true"
[schedules.hourly]
daily = "12:00"
command = "true"
"""
#: At 80 columns.
WEEKDAYS = """\
At 02:30 on Monday to Friday, Europe/Berlin.
Fixed time: what the clock skips runs once, at the first minute after; what it
  shows twice runs the first time.

next slots
  2026-11-27 02:30:00+01:00
  2026-11-30 02:30:00+01:00
  2026-12-01 02:30:00+01:00
  2026-12-02 02:30:00+01:00
  2026-12-03 02:30:00+01:00

next clock changes
  Sun 2027-03-28: the clock skips 02:00 to 03:00; none of its times lies there
  Sun 2027-10-31: the clock shows 02:00 to 03:00 twice; none of its times lies
    there

the same
  aws_cron 30 2 ? * 2-6 *
"""
TENS = """\
Every 10 minutes, Europe/Berlin.
Wildcard: what the clock skips does not run; what it shows twice runs both
  times.

next slots
  2026-11-26 14:10:00+01:00
  2026-11-26 14:20:00+01:00
  2026-11-26 14:30:00+01:00
  2026-11-26 14:40:00+01:00
  2026-11-26 14:50:00+01:00

next clock changes
  Sun 2027-03-28: the clock skips 02:00 to 03:00; its 6 times from 02:00 on do
    not run
  Sun 2027-10-31: the clock shows 02:00 to 03:00 twice; its 6 times from 02:00
    on run both times

the same
  hourly 0,10,20,30,40,50
  aws_cron */10 * * * ? *
"""


@pytest.fixture
def site(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a terminal on a Thursday in November, with some schedules."""
    glance.freeze(monkeypatch)
    empty.write(SITE)
    return empty


@pytest.mark.parametrize(
    ("words", "screen"),
    [("explain 30 2 * * mon-fri", WEEKDAYS), ("explain */10 * * * *", TENS)],
)
def test_a_screen_of_80_columns(
    site: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, screen: str
) -> None:
    """One of the screens above; fields may be words of their own."""
    said = glance.look(site, monkeypatch, words, 80)

    assert (said.out, said.err) == (screen, "")
    assert max(map(width, said.out.splitlines())) <= 80


def test_a_pipe_gets_a_line_for_a_sentence(site: Terminal) -> None:
    lines = site.ok("explain", "0 2 13 * 5").out.splitlines()

    assert lines[0] == "At 02:00 on day 13 of the month or on Friday, Europe/Berlin."
    assert lines[1].startswith("Both day fields are restricted")
    assert lines[2].startswith("Fixed time: ")


def test_a_name_explains_the_timetable_of_its_schedule(site: Terminal) -> None:
    """On its own clock, or in UTC."""
    said = site.ok("explain", "daily-etl").out

    assert said.startswith("At 02:30 on Monday to Friday, America/New_York.\n")
    assert "  2026-11-27 02:30:00-05:00\n" in said
    assert "Sun 2027-03-14: the clock skips 02:00 to 03:00" in said
    assert "  2026-11-27 07:30:00Z\n" in site.ok("explain", "daily-etl", "--utc").out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tidy", "tidy is disabled\n"),
        ("photos", "photos is paused\n"),
        ("once", "it has no slot to come\n"),
        ("daily-etl", ""),
    ],
)
def test_a_schedule_without_slots_that_fall_due_says_so(
    site: Terminal, name: str, said: str
) -> None:
    """On stderr; what it means is told all the same."""
    answer = site.ok("explain", name)

    assert answer.err == said
    assert answer.out


def test_a_name_goes_before_a_word_that_is_an_expression(site: Terminal) -> None:
    """Unless it is said to be one."""
    assert site.json("explain", "hourly")["schedule"] == "hourly"
    assert site.json("explain", "hourly", "--kind", "cron")["when"].startswith("At minute 0 of")


def test_the_answer_has_it_all_as_data(site: Terminal) -> None:
    answer = site.json("explain", "02:30")

    assert answer["schedule"] is None
    assert answer["timetable"] == {"kind": "daily", "expression": "02:30"}
    assert answer["timezone"] == "Europe/Berlin"
    assert answer["sentence"] == f"{answer['when']} {answer['saving']}"
    assert answer["coming"][0] == "2026-11-27T01:30:00Z"
    assert answer["changes"][0] == {
        "at": "2027-03-28T01:00:00Z", "offset_before_seconds": 3600, "offset_after_seconds": 7200,
        "effect": "made_up", "times": 1,
        "said": "Sun 2027-03-28: the clock skips 02:00 to 03:00; 02:30 runs at 03:00 instead",
    }  # fmt: skip
    assert answer["alike"][0] == {"kind": "cron", "expression": "30 2 * * *"}


@pytest.mark.parametrize(
    ("words", "kind", "expression", "zone"),
    [
        ("5m", "every", "5m", None),
        ("rate(5 minutes)", "aws_cron", "rate(5 minutes)", None),
        (":15,:45", "hourly", "15,45", "Europe/Berlin"),
        ("2998-12-24", "at", "2998-12-24T00:00:00", "Europe/Berlin"),
        ("0 2 * * * --timezone Asia/Tokyo", "cron", "0 2 * * *", "Asia/Tokyo"),
        ("15 --kind hourly", "hourly", "15", "Europe/Berlin"),
        ("0 0 2 * * * --seconds", "cron", "0 0 2 * * *", "Europe/Berlin"),
        ("@daily --offset 30m", "cron", "@daily", "Europe/Berlin"),
        ("weekdays at 9", "cron", "0 9 * * 1-5", "Europe/Berlin"),
        ("every day at 9am and 5pm", "daily", "09:00,17:00", "Europe/Berlin"),
    ],
)
def test_options_say_what_looks_cannot(
    site: Terminal, words: str, kind: str, expression: str, zone: str | None
) -> None:
    answer = site.json("explain", *words.split())

    assert answer["timetable"] == {"kind": kind, "expression": expression}
    assert answer["timezone"] == zone
    assert bool(answer["limits"]) == ("--offset" in words)


def test_the_zone_is_the_one_that_add_would_write_down(site: Terminal) -> None:
    """That of [defaults] goes before the machine's; a broken manifest has none."""
    site.write('version = 1\n[defaults]\ntimezone = "Asia/Tokyo"\n')
    assert site.json("explain", "@daily")["timezone"] == "Asia/Tokyo"
    site.write("version = 1\n[defaults\n")
    assert site.json("explain", "@daily")["timezone"] == "Europe/Berlin"
    site.manifest.unlink()
    assert site.json("explain", "@daily")["timezone"] == "Europe/Berlin"


BAD = [
    ("cron", "0 25 * * *"),
    ("cron", "0 2 * * mno"),
    ("cron", "@dayly"),
    ("cron", "0 0 12 * * ?"),
    ("cron", "0 0 31 2 *"),
    ("aws_cron", "rate(5 minute)"),
    ("aws_cron", "0 10 ? * ? *"),
    ("daily", "25:00"),
    ("hourly", ":75"),
    ("every", "5"),
]


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_what_add_refuses_is_refused_in_the_same_words(
    site: Terminal, kind: str, text: str
) -> None:
    """Exit code 5."""
    option = f"--{kind.replace('_', '-')}"
    added = site.run("add", "x", option, text.removeprefix(":"), "--", "true")

    said = site.run("explain", text)

    assert (said.code, said.out) == (added.code, "") == (5, "")
    assert said.err == added.err.replace("schedule 'x': ", "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("dialy-etl", 3, "did you mean 'daily-etl'?"),
        ("nonsense", 5, "'nonsense' is no cron expression"),
        ("at 25", 5, "'at 25' is no timetable: '25:00' is no time of the day"),
        ("every 0 minutes", 5, "'every 0 minutes' is no timetable: every 0s is not a whole"),
        ("first of the month at 3", 5, "is not understood as a timetable; write such as: every 5"),
        ("@daily --timezone Europe/Berln", 5, "did you mean Europe/Berlin?"),
        ("@daily --offset 5", 5, "offset: '5' has no unit"),
        ("5m --offset 5m", 5, "offset: belongs to wall-clock timetables"),
        ("5m --seconds", 5, "seconds: belongs to cron"),
        ("5m --kind weekly", 2, "weekly"),
        ("", 2, "EXPR"),
    ],
)
def test_what_cannot_be_explained_is_said_with_what_to_write(
    site: Terminal, words: str, code: int, said: str
) -> None:
    """One sentence, and the documented exit code."""
    answer = site.run("explain", *words.split())

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_a_name_that_a_broken_manifest_may_hold_is_not_taken_for_a_bad_expression(
    site: Terminal,
) -> None:
    """What is broken is said instead; without any manifest it can only be an expression."""
    site.write("version = 1\n[schedules.daily-etl\n")
    broken = site.run("explain", "daily-etl")
    assert (broken.code, broken.out) == (5, "")
    assert "schedules.toml:2" in broken.err

    site.manifest.unlink()
    missing = site.run("explain", "daily-etl")
    assert missing.code == 5
    assert "'daily-etl' is no cron expression" in missing.err
