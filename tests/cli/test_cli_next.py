"""What comes next: in one row, with what is special about each slot, and as a calendar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import glance
import pytest

from flytesched.cli.heat import heat_map, scale
from flytesched.cli.render import width
from flytesched.core.runs import RunStatus
from flytesched.core.schedule import Schedule
from flytesched.service.heat import Span, heat
from flytesched.service.marks import Mark

if TYPE_CHECKING:
    from terminal import Said, Terminal

BERLIN = "Europe/Berlin"
SITE = """\
version = 1
[defaults]
timezone = "Europe/Berlin"
[schedules.backup]
cron = "30 2 * * *"
command = "true"
[schedules.sync]
hourly = [0, 30]
command = "true"
[schedules.office]
cron = "*/5 9-17 * * 1-5"
command = "true"
[schedules.night]
daily = "02:30"
timezone = "America/New_York"
command = "true"
[schedules.final]
daily = "03:00"
start = 2026-11-27T00:00:00Z
end = 2026-11-29T00:00:00Z
command = "true"
[schedules.photos]
daily = "06:00"
command = "true"
paused_until = 2026-11-27T08:00:00Z
pause_reason = "holidays"
[schedules.old]
hourly = 15
command = "true"
enabled = false
[schedules.once]
at = 2026-11-20T12:00:00
command = "true"
"""


@pytest.fixture
def site(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a terminal on a Thursday in November, with schedules of every sort and no run log."""
    glance.freeze(monkeypatch)
    empty.write(SITE)
    return empty


def look(site: Terminal, monkeypatch: pytest.MonkeyPatch, words: str) -> Said:
    """Run a command at a terminal of 80 columns, and hold it to them."""
    said = glance.look(site, monkeypatch, words, 80)
    assert max(map(width, said.out.splitlines())) <= 80
    return said


def marks(site: Terminal, *words: str) -> list[tuple[str, str, list[str]]]:
    """Return schedule, time in UTC and marks of each slot."""
    slots = site.json("next", *words)["slots"]
    return [(each["schedule"], each["scheduled_at"], each["marks"]) for each in slots]


# -- golden screens -------------------------------------------------------------------------------

PLAIN = """\
SLOT        LEFT  NAME    NOTE
14:05   1min 40s  office  -
14:10   6min 40s  office  -
14:15  11min 40s  office  -
"""
SPRING = """\
SLOT                       NAME    NOTE
2027-03-28 01:30:00+01:00  sync    -
2027-03-28 03:00:00+02:00  backup  02:30 is skipped, clock +1h, with sync
2027-03-28 03:00:00+02:00  sync    with backup
2027-03-28 03:30:00+02:00  sync    -
"""
AUTUMN = """\
SLOT                           LEFT  NAME    NOTE
2027-10-31 02:00:00+02:00  338d 10h  sync    1st time of two
2027-10-31 02:30:00+02:00  338d 11h  backup  1st time of two, with sync
2027-10-31 02:30:00+02:00  338d 11h  sync    1st time of two, with backup
2027-10-31 02:00:00+01:00  338d 11h  sync    2nd time of two, clock -1h
2027-10-31 02:30:00+01:00  338d 12h  sync    2nd time of two
"""
BOUNDS = """\
SLOT            LEFT  NAME    NOTE
Fri 03:00  12h 56min  final   first
Sat 03:00     1d 12h  final   last
Sat 06:00     1d 15h  photos  pause ends
Sun 06:00     2d 15h  photos  -
"""
ELSEWHERE = """\
SLOT              LEFT  NAME   NOTE
14 Mar 08:00  107d 17h  night  02:30 in America/New_York is skipped
"""
BELOW = """\
left out: photos (paused until Fri 09:00: holidays), old (disabled), once
  (ended)
"""
WEEK = """\
            0     3     6     9     12    15    18    21      SLOTS
Thu 26 Nov                              ████████░░░░░░░░░░░░     66
Fri 27 Nov  ░░░░░░░░░░░░░░░░░░██████████████████░░░░░░░░░░░░    159
Sat 28 Nov  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     52
Sun 29 Nov  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     51
Mon 30 Nov  ░░░░░░░░░░░░░░░░░░██████████████████░░░░░░░░░░░░    159
Tue  1 Dec  ░░░░░░░░░░░░░░░░░░██████████████████░░░░░░░░░░░░    159
Wed  2 Dec  ░░░░░░░░░░░░░░░░░░██████████████████░░░░░░░░░░░░    159

slots an hour: ░░ 2-3  ██ 12-14
"""
SPRING_WEEK = """\
            0     3     6     9     12    15    18    21      SLOTS
Fri 26 Mar  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49
Sat 27 Mar  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49
Sun 28 Mar* ░░░░--██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     47
Mon 29 Mar  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49
Tue 30 Mar  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49
Wed 31 Mar  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49
Thu  1 Apr  ░░░░██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     49

slots an hour: ░░ 2  ██ 3
* Sun 2027-03-28: the clock skips 02:00 to 03:00
"""
MONTH = """\
   Mon        Tue        Wed        Thu        Fri        Sat        Sun
                       6 ## 109   7 ## 109   8 ## 109   9 .. 1    10 .. 1
11 ## 109  12 ## 109  13 ## 109  14 ## 109  15 ## 109  16 .. 1    17 .. 1
18 ## 109  19 ## 109  20 ## 109  21 ## 109  22 ## 109  23 .. 1    24 .. 1
25 ## 109  26 ## 109  27 ## 109  28 ## 109  29 ## 109  30 .. 1    31*.. 1
 1 ## 109   2 ## 109   3 ## 109   4 ## 109   5 ## 109

slots a day: .. 1  ## 109
* Sun 2027-10-31: the clock shows 02:00 to 03:00 twice
"""


@pytest.mark.parametrize(
    ("words", "screen", "below"),
    [
        ("next -n 3", PLAIN, BELOW),
        ("next --from 2027-03-28T01:30 -n 4 backup sync", SPRING, ""),
        (
            "next --from 2027-10-31T02:00 --until 2027-10-31T02:31:00+01:00 backup sync",
            AUTUMN,
            "",
        ),
        ("next -n 4 final photos old once", BOUNDS, BELOW),
        ("next --from 2027-03-14T08:00 -n 1 night", ELSEWHERE, ""),
        ("next --calendar", WEEK, BELOW),
        ("next --calendar week --from 2027-03-26 sync backup", SPRING_WEEK, ""),
    ],
)
def test_a_screen_of_80_columns(
    site: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, screen: str, below: str
) -> None:
    """One of the screens above, and below it, on stderr, who has no slot now."""
    said = look(site, monkeypatch, words)

    assert (said.out, said.err) == (screen, below)


def test_a_terminal_without_the_glyphs_gets_a_picture_of_ascii(
    site: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weeks down, in the month that the clock goes back in."""
    monkeypatch.setenv("TERM", "linux")

    said = look(site, monkeypatch, "next --calendar month --from 2027-10-06 office backup")

    assert said.out == MONTH


def test_who_has_no_slot_is_told_in_one_line(site: Terminal) -> None:
    """However many they are; with none to come, that is said too."""
    site.write(SITE + "".join(f"[schedules.x{n}]\nevery = '1h'\ncommand = 'true'\nenabled = false\n"
                              for n in range(3)))  # fmt: skip

    said = site.ok("next", "x*", "old", "once")

    assert said.out == ""
    assert said.err == (
        "there is no slot to come\nleft out: x0 (disabled), x1 (disabled), x2 (disabled), 2 more\n"
    )


@pytest.mark.parametrize("words", ["next -l team=osp", "next --calendar -l team=osp"])
def test_a_label_that_nobody_has_is_said(site: Terminal, words: str) -> None:
    """With the one that may have been meant."""
    site.write(
        f'{SITE}[schedules.x]\nevery = "1h"\ncommand = "true"\nlabels = {{ team = "ops" }}\n'
    )

    said = site.ok(*words.split())

    assert said.out == ""
    assert said.err.endswith("did you mean 'team=ops'?\n")
    assert site.json(*words.split())["kind"] in {"next", "calendar"}


def test_a_long_note_is_cut_before_a_name(site: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal; a pipe gets all of it."""
    long = "a-name-of-fifty-characters-to-stand-beside-the-rest"
    site.write(SITE.replace("schedules.sync", f"schedules.{long}"))

    said = look(site, monkeypatch, "next --from 2027-03-28T03:00 -n 2 backup a-*")

    assert f"  {long}  with backup\n" in said.out
    assert said.out.endswith("02:30 is ski\u2026\n")


# -- marks ----------------------------------------------------------------------------------------


def test_marks_are_words_for_programs(site: Terminal) -> None:
    """And who is left out stands beside the slots; nothing is said on stderr."""
    assert marks(site, "--from", "2027-03-28T03:00", "-n", "2", "backup", "sync") == [
        ("backup", "2027-03-28T01:00:00Z", ["made_up", "together"]),
        ("sync", "2027-03-28T01:00:00Z", ["together"]),
    ]
    said = site.ok("next", "--json", "photos", "once")
    assert said.err == ""
    assert said.json["left_out"] == [
        {"schedule": "photos", "state": "paused", "paused_until": "2026-11-27T08:00:00Z",
         "pause_reason": "holidays"},
        {"schedule": "once", "state": "ended", "paused_until": None, "pause_reason": None},
    ]  # fmt: skip


def test_slots_at_one_second_are_told_of_each_other_even_beyond_the_last_one_shown(
    site: Terminal,
) -> None:
    (slot,) = marks(site, "--from", "2026-11-27T09:00", "-n", "1", "office", "sync", "photos")
    assert slot[2] == ["together"]
    site.write(SITE.replace('"06:00"', '"09:00"'))
    said = site.ok("next", "--from", "2026-11-27T09:00", "-n", "1", "office", "sync", "photos")
    assert "with 2 others" in said.out


def test_the_clock_is_the_one_that_is_shown(site: Terminal) -> None:
    """UTC's is never set, but that of the schedule skips its time all the same."""
    found = marks(site, "--utc", "--from", "2027-03-28T00:30:00Z", "-n", "3", "backup", "sync")
    assert [each[2] for each in found] == [[], ["made_up", "together"], ["together"]]


def runs_of(name: str, minutes: float, agos: range) -> list[Any]:
    """Return runs of a schedule that took so long."""
    runs = [glance.a_run(name, ago, RunStatus.SUCCEEDED, exit_code=0) for ago in agos]
    return [replace(run, ended=run.created + minutes * 60) for run in runs]


DENSE = """\
version = 1
[schedules.dense]
every = "10m"
command = "true"
overlap = "{overlap}"
"""


@pytest.mark.parametrize(
    ("overlap", "minutes", "met"),
    [
        # A run that takes 25 minutes of each half hour: two slots are skipped, the third runs.
        ("skip", 25, [False, True, True, False, True, True]),
        ("skip", 9, [False] * 6),
        ("allow", 25, [False, True, True, True, True, True]),
        ("replace", 15, [False, True, True, True, True, True]),
        ("queue", 15, [False, True, True, True, True, True]),
    ],
)
def test_a_slot_meets_the_run_before_if_that_usually_takes_longer(
    site: Terminal, overlap: str, minutes: float, met: list[bool]
) -> None:
    """By the median of the last runs, and by what becomes of each slot under the policy."""
    odd = replace(runs_of("dense", 500, range(86_000, 86_001))[0])
    glance.furnish(
        manifest=DENSE.format(overlap=overlap),
        runs=[odd, *runs_of("dense", minutes, range(36_200, 72_200, 6_000))],
    )

    found = [Mark.OVERLAP in each[2] for each in marks(site, "-n", "6")]

    assert found == met
    said = site.ok("next", "-n", "2").out
    assert (f"the run before takes {minutes}min: {overlap}" in said) == any(met)


def test_a_run_that_is_active_counts(site: Terminal) -> None:
    """It began five minutes ago and usually takes ten: slots of the next five meet it."""
    active = glance.a_run("dense", 300, RunStatus.RUNNING)
    past = runs_of("dense", 10, range(36_200, 72_200, 6_000))
    glance.furnish(manifest=DENSE.format(overlap="skip"), runs=[*past, active])

    assert [each[2] for each in marks(site, "-n", "2")] == [[], []]
    site.write(DENSE.format(overlap="skip").replace("10m", "1m"))
    assert [each[2] for each in marks(site, "-n", "6")] == [["overlap"]] * 5 + [[]]


def test_from_some_time_on_the_slot_before_counts(site: Terminal) -> None:
    """Though it is not shown."""
    past = runs_of("dense", 15, range(36_200, 72_200, 6_000))
    glance.furnish(manifest=DENSE.format(overlap="allow"), runs=past)

    assert [each[2] for each in marks(site, "--from", "tomorrow", "-n", "2")] == [["overlap"]] * 2


def test_a_damaged_run_log_costs_the_marks_of_overlap_alone(site: Terminal) -> None:
    """It is said."""
    site.state.mkdir(mode=0o700)
    (site.state / "runs.db").write_bytes(b"this was a run log once\n" * 1000)

    said = site.ok("next", "-n", "1", "office")

    assert "office" in said.out
    assert said.err.startswith("overlaps are not marked: ")
    assert site.json("next", "-n", "1", "office")["slots"]


# -- calendars ------------------------------------------------------------------------------------


def test_a_calendar_as_data_has_every_hour_with_its_begin(site: Terminal) -> None:
    """An hour that the clock skips is not there, one that it shows twice is there twice."""
    spring = site.json("next", "--calendar", "--from", "2027-03-28", "sync", "backup")
    autumn = site.json("next", "--calendar", "--from", "2027-10-31", "sync", "backup")

    assert (spring["kind"], spring["span"], spring["timezone"]) == ("calendar", "week", BERLIN)
    assert len(spring["cells"]) == 7 * 24 - 1
    assert len(autumn["cells"]) == 7 * 24 + 1
    assert spring["cells"][2] == {
        "begin": "2027-03-28T01:00:00Z", "end": "2027-03-28T02:00:00Z",
        "local": "2027-03-28T03:00:00+02:00", "slots": 3, "left_out": 0,
    }  # fmt: skip
    twice = [cell["slots"] for cell in autumn["cells"] if "-31T02:00" in cell["local"]]
    assert twice == [3, 2]


def test_a_calendar_of_a_month_has_every_day(site: Terminal) -> None:
    cells = site.json("next", "--calendar", "month", "office")["cells"]

    assert len(cells) == 31
    assert [cell["slots"] for cell in cells[:3]] == [47, 108, 0]
    assert cells[1]["local"] == "2026-11-27T00:00:00+01:00"


def test_a_schedule_may_be_called_month(site: Terminal) -> None:
    """Then the word means it."""
    site.write(f'{SITE}\n[schedules.month]\ndaily = "12:00"\ncommand = "true"\n')

    assert site.json("next", "--calendar", "month")["span"] == "week"


def test_a_calendar_of_nothing_says_so(site: Terminal) -> None:
    assert "slots an hour: none" in site.ok("next", "--calendar", "old").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("next --calendar -n 5", "--calendar goes with neither --count nor --until"),
        ("next --calendar --until 5d", "--calendar goes with neither --count nor --until"),
        ("next --calendar week month", "--calendar is either a week or a month"),
    ],
)
def test_what_a_calendar_does_not_go_with_is_refused(site: Terminal, words: str, said: str) -> None:
    answer = site.run(*words.split())

    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_shades_lie_on_a_scale_of_powers() -> None:
    """One is told from two, sixty not from sixty-one; what is all alike is dark."""
    assert scale({1, 2}) == {1: 1, 2: 4}
    assert scale({1, 3, 8, 22, 60, 61}) == {1: 1, 3: 2, 8: 3, 22: 4, 60: 4, 61: 4}
    assert scale({7}) == {7: 4}
    assert scale(set()) == {}


def test_a_picture_may_be_coloured() -> None:
    """Cell by cell, and what it says is said without."""
    schedule = Schedule("a", cron="0 2 * * *", command="true")
    week = heat([schedule], Span.WEEK, since=0, zone="UTC")

    plain = heat_map(week)
    coloured = heat_map(week, paint=lambda text, tone: f"<{tone}>{text}</>")

    assert "<good>\u2588\u2588</>" in coloured
    assert coloured.replace("<good>", "").replace("</>", "") == plain


@pytest.mark.parametrize(
    ("every", "said"), [("1m", "1440"), ("1s", "86k"), ("12h", "2 "), ("3d", "1 ")]
)
def test_counts_of_a_month_are_short(every: str, said: str) -> None:
    month = heat([Schedule("a", every=every, command="true")], Span.MONTH, since=0, zone="UTC")

    assert f" {said}" in heat_map(month)


def test_ten_million_slots_a_day_are_told_in_millions() -> None:
    same = [Schedule(f"a{n}", every="1s", command="true") for n in range(200)]

    assert " 17M" in heat_map(heat(same, Span.MONTH, since=0, zone="UTC"))
