"""Calendars and channels on the command line: named, refused, brought back, and no secret said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from terminal import SOURCE, environment
from test_cli_running import wait_for

from flytesched.core.calendars import Calendar, days_off
from flytesched.core.decision import Decision
from flytesched.core.gaps import gaps_of
from flytesched.core.instants import to_epoch
from flytesched.core.policies import OnHoliday
from flytesched.core.timetables.parse import make_timing
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from pathlib import Path

    from terminal import Terminal

SHARED = """\
version = 1
# days
[calendars.work]
weekdays = ["sat", "sun"]
[calendars.office]
dates = ["12-25"]
[channels.ops]
kind = "mail"
to = ["root"]
[channels.chat]
kind = "webhook"
url = "https://chat.example.org/s3cret"
"""
INSTALL = "pip install 'flytesched[holidays]'"
GERMANY = '[calendars.germany]\ncountry = "DE"\n'


@pytest.fixture
def sharing(empty: Terminal) -> Terminal:
    """Give a terminal whose manifest has two calendars, two channels and a schedule."""
    empty.write(SHARED)
    empty.ok("add", "backup", "--daily", "02:00", "--timezone", "UTC", "--", "true")
    return empty


@pytest.fixture
def without_holidays(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Python that has no package of public holidays.

    A virtual environment without it would take a minute; a module in front of it that cannot be
    found fails in the way of one that is not there.
    """
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "holidays.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'holidays'\", name='holidays')\n"
    )
    return {"PYTHONPATH": f"{folder}{os.pathsep}{SOURCE}"}


def table(terminal: Terminal, name: str = "backup") -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(terminal.manifest.read_text())["schedules"][name]
    return found


KEYS = {
    "calendars": (["--calendars", "work,office"], ["work", "office"], "work, office"),
    "calendars one by one": (
        ["--calendars", "work", "--calendars", "office"], ["work", "office"], "work, office",
    ),
    "on_holiday": (["--calendars", "work", "--on-holiday", "previous"], "previous", "previous"),
    "notify": (["--notify", "ops", "--notify", "chat"], ["ops", "chat"], "ops, chat"),
    "ping_url": (
        ["--ping-url", "https://hc.example.org/s3cret"], "https://hc.example.org/s3cret",
        "https://hc.example.org/...",
    ),
    "late_after": (["--late-after", "1m"], "1m", "1m"),
    "long_after": (["--long-after", "2h"], "2h", "2h"),
    "on_late": (["--on-late", "echo late"], "echo late", "echo late"),
    "on_long": (["--on-long", "echo long"], "echo long", "echo long"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "held", "shown"), KEYS.values(), ids=KEYS)
def test_a_key_is_set_and_taken_out_again(
    sharing: Terminal, request: pytest.FixtureRequest, words: list[str], held: Any, shown: str
) -> None:
    """As options of set; no other byte is touched, and no secret shown."""
    key = request.node.callspec.id.partition(" ")[0]
    before = sharing.manifest.read_text()

    said = sharing.ok("set", "backup", *words).out

    assert table(sharing)[key] == held
    assert f"backup: {key}: (none) -> {shown}\n" in said
    assert sharing.manifest.read_text().startswith(before)
    unset = [word.replace("--", "").replace("-", "_") for word in words if word.startswith("--")]
    gone = [word for key in dict.fromkeys(unset) for word in ("--unset", key)]
    assert f"backup: {key}: {shown} -> (none)\n" in sharing.ok("set", "backup", *gone).out
    assert sharing.manifest.read_text() == before


def test_an_empty_word_names_none(sharing: Terminal) -> None:
    """Which is how a schedule does without what [defaults] name."""
    sharing.write(sharing.manifest.read_text() + '[defaults]\ncalendars = "work"\nnotify = "ops"\n')

    said = sharing.ok("set", "backup", "--calendars", "", "--notify", "").out

    assert table(sharing)["calendars"] == table(sharing)["notify"] == []
    assert "backup: calendars: (none) -> []\n" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--calendars", "wrok"], "calendars: no calendar is named 'wrok'; did you mean 'work'?"),
        (["--calendars", "work,7"], "calendars: no calendar is named '7'; there are work, office"),
        (["--notify", "caht"], "notify: no channel is named 'caht'; did you mean 'chat'?"),
        (["--on-holiday", "next"], "on_holiday: needs calendars; "),
        (["--calendars", "work", "--on-holiday", "nxt"], "on_holiday: 'nxt' is not a choice; "),
        (["--every", "1h", "--calendars", "work", "--on-holiday", "next"], "on_holiday: elapsed"),
        (["--ping-url", "hc.example.org/s3cret"], "ping_url: is not the URL of a web page; "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_refused_before_anything_is_written(
    sharing: Terminal, words: list[str], told: str
) -> None:
    """By set and by add, tried or meant; whatever was typed, no secret is repeated."""
    before = sharing.print()
    when = [] if "--every" in words else ["--daily", "02:00"]

    for line in (
        ["set", "backup", *words],
        ["set", "backup", *words, "--dry-run"],
        ["add", "new", *when, *words, "--", "true"],
    ):
        said = sharing.run(*line)

        assert said.code == 5, line
        assert told in said.err
        assert "s3cret" not in said.out + said.err
    assert sharing.print() == before


def test_what_only_calendars_keep_from_firing_is_told_of_them(sharing: Terminal) -> None:
    """Its own times are still to come: every one is off, or moves to a time that has passed."""
    sharing.write(sharing.manifest.read_text() + '[calendars.far]\ndates = ["2099-12-24"]\n')
    day = ("--start", "2099-12-24", "--end", "2099-12-25", "--calendars", "far", "--", "true")

    for how in ("skip", "next"):
        said = sharing.run("add", "x", "--daily", "09:00", "--on-holiday", how, *day)
        assert said.code == 5
        assert "calendars: leave it no slot to come: it never fires; name others" in said.err
    said = sharing.run("add", "x", "--at", "2001-12-24T09:00", "--calendars", "far", "--", "true")
    assert "at: has passed; write a time to come" in said.err


def test_the_zone_of_days_off_is_written_down(sharing: Terminal) -> None:
    """A fixed rate follows no wall clock, but its days off do."""
    sharing.ok("add", "rate", "--every", "1h", "--calendars", "work", "--", "true")
    sharing.ok("add", "bare", "--every", "1h", "--", "true")

    assert table(sharing, "rate")["timezone"] == "Europe/Berlin"
    assert "timezone" not in table(sharing, "bare")


def test_faults_of_what_is_shared_have_their_path_in_json(sharing: Terminal) -> None:
    """A schedule is known by its name alone."""
    sharing.write(SHARED + "x = 1\n[calendars.a.dates]\n12-35 = 'x'\n[schedules.b]\n")

    said = sharing.run("validate", "--json")

    assert said.code == 5
    keys = [fault["key"] for fault in said.json["faults"]]
    assert keys == ["channels.chat.x", "calendars.a.dates", "b", "b"]


# -- public holidays without their package ------------------------------------------------------


def test_public_holidays_without_their_package_are_refused_with_what_to_type(
    sharing: Terminal, without_holidays: dict[str, str]
) -> None:
    """Once per calendar, however many schedules name it; nothing is written."""
    fault = "calendars.germany.country: public holidays need the Python package holidays"
    text = sharing.manifest.read_text() + 'calendars = "germany"\n' + GERMANY
    sharing.write(text + '[schedules.b]\nevery = "1h"\ncommand = "b"\ncalendars = ["germany"]\n')
    before = sharing.print()

    checked = sharing.process("validate", **without_holidays)
    added = sharing.process(
        "add", "c", "--daily", "02:00", "--calendars", "germany", "--", "true", **without_holidays
    )
    plain = sharing.process("add", "c", "--daily", "02:00", "--dry-run", "--", "true",
                            **without_holidays)  # fmt: skip

    assert (checked.code, added.code, plain.code) == (5, 5, 0)
    (line,) = checked.err.splitlines()
    assert fault in line
    assert INSTALL in line
    assert f"schedule 'c': {fault}" in added.err
    assert INSTALL in added.err
    assert sharing.print() == before


def test_a_running_scheduler_without_the_package_keeps_its_last_good_set(
    sharing: Terminal, without_holidays: dict[str, str]
) -> None:
    """It says once what to type, goes on, and takes the next good one."""
    sharing.ok("add", "tick", "--every", "1s", "--calendars", "office", "--", "true")
    good = sharing.manifest.read_text()
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "flytesched", "run"], cwd=sharing.home, text=True,
        env=environment(sharing.home) | without_holidays, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert scheduler.stderr is not None
    try:
        wait_for("a run", lambda: _runs(sharing))
        sharing.write(good.replace('["office"]', '["office", "germany"]') + GERMANY)
        said = next((line for line in scheduler.stderr if "germany" in line), "")
        assert INSTALL in said
        known = _runs(sharing)
        wait_for("more runs", lambda: len(_runs(sharing) - known) > 1)
        sharing.write(good.replace('"1s"', '"1h"'))
        wait_for("the next good set", lambda: "every 1h" in _seen(sharing))
    finally:
        scheduler.send_signal(signal.SIGTERM)
        _, rest = scheduler.communicate()

    assert scheduler.returncode == 0
    assert INSTALL not in rest


def test_what_was_missed_on_days_off_is_told_of_without_the_package(
    sharing: Terminal, without_holidays: dict[str, str]
) -> None:
    """What stands in the run log is shown as far as it can be, and what is lost is said."""
    sharing.write(f'version = 1\n{GERMANY}[schedules.x]\nevery = "1h"\ncommand = "true"\n'
                  'calendars = ["germany"]\n')  # fmt: skip
    sharing.ok("run", "--once")
    timing = make_timing(
        "every", "1h", timezone="UTC",
        days_off=days_off([Calendar(name="germany", country="DE")], OnHoliday.SKIP),
    )  # fmt: skip
    christmas = to_epoch(datetime(2025, 12, 25, tzinfo=UTC))
    log = SqliteRunLog(sharing.state / "runs.db")
    after, until = christmas - 7201, christmas + 7200
    log.apply(Decision(gaps=gaps_of("x", timing, after, until, now=christmas, reason="down")))
    log.close()

    said = {
        words: sharing.process(*words.split(), **without_holidays)
        for words in ("status", "health", "metrics", "history x", "db check", "top --once")
    }
    assert {words: each.code for words, each in said.items()} == {
        "status": 0, "health": 8, "metrics": 0, "history x": 0, "db check": 0, "top --once": 0,
    }  # fmt: skip
    assert INSTALL in said["status"].out
    assert "missed(down)" in said["history x"].out
    assert "skipped(holiday)" in said["history x"].out
    assert "public holidays need the Python package" in said["db check"].out

    sharing.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    looked = sharing.process("catchup", "--dry-run", **without_holidays)
    assert looked.code == 0
    assert "x: 2 missed slots cannot be named, only declined: public holidays" in looked.err
    assert INSTALL in looked.err
    caught_up = sharing.process("catchup", "--since", "2025-12-01", **without_holidays)
    assert caught_up.code == 0
    assert "2 missed slots open now" in caught_up.err
    declined = sharing.process("catchup", "--policy", "none", "--yes", **without_holidays)
    assert "declined 2 missed slots" in declined.err
    assert sharing.ok("db", "check")


def _runs(terminal: Terminal) -> set[str]:
    return {run["id"] for run in terminal.json("history", "tick")["entries"]}


def _seen(terminal: Terminal) -> str:
    revisions = terminal.json("revisions", "tick")["revisions"]
    return " ".join(f"every {each['keys']['every']}" for each in revisions if each["revision"])


# -- what a definition said ---------------------------------------------------------------------


def seen(terminal: Terminal, *words: str) -> None:
    """Edit, and let it be seen as a scheduler sees it."""
    if words:
        terminal.ok(*words)
    terminal.ok("run", "--once")


def test_another_calendar_is_a_revision_that_says_so(sharing: Terminal) -> None:
    """Its name is the same, and its days off are not."""
    seen(sharing, "set", "backup", "--calendars", "work,office", "--on-holiday", "next")
    sharing.write(sharing.manifest.read_text().replace('["12-25"]', '{ 12-26 = "Boxing Day" }'))
    seen(sharing)

    lines = sharing.ok("revisions", "backup").out.splitlines()
    diff = sharing.ok("revisions", "backup", "--diff", "2").out.splitlines()

    assert lines[1].endswith("calendars.office")
    assert diff[1:] == [
        '- calendars.office = { dates = ["12-25"] }',
        '+ calendars.office = { dates = { 12-26 = "Boxing Day" } }',
    ]
    assert sharing.json("revisions", "backup")["revisions"][1]["changed"] == [
        {"key": "calendars.office", "before": {"dates": ["12-25"]},
         "after": {"dates": {"12-26": "Boxing Day"}}}
    ]  # fmt: skip


def test_a_definition_comes_back_to_calendars_as_they_are_today(sharing: Terminal) -> None:
    """Which is said, where they say other days off."""
    seen(sharing, "set", "backup", "--calendars", "work,office", "--on-holiday", "next")
    seen(sharing, "set", "backup", "--unset", "calendars", "--unset", "on_holiday")
    sharing.write(sharing.manifest.read_text().replace("12-25", "12-26"))

    said = sharing.ok("revert", "backup", "--yes")

    assert table(sharing)["calendars"] == ["work", "office"]
    assert table(sharing)["on_holiday"] == "next"
    assert "the calendar office says other days off than at that time; it stays" in said.err
    assert "the calendar work" not in said.err


def test_a_definition_does_not_come_back_without_its_calendars_and_channels(
    sharing: Terminal,
) -> None:
    """Nor without its channels: what is missing is said, and nothing is changed."""
    seen(sharing, "set", "backup", "--calendars", "office", "--notify", "chat")
    seen(sharing, "set", "backup", "--unset", "calendars", "--unset", "notify")
    text = sharing.manifest.read_text()
    sharing.write(text.replace("calendars.office", "calendars.home").replace(".chat]", ".talk]"))
    before = sharing.print()

    said = sharing.run("revert", "backup", "--yes")

    assert said.code == 5
    assert "calendars: no calendar is named 'office'; there are work, home" in said.err
    assert "notify: no channel is named 'chat'; there are ops, talk" in said.err
    assert sharing.print() == before


def test_a_definition_without_calendars_comes_back_where_the_defaults_name_some(
    sharing: Terminal,
) -> None:
    """It says that it has none."""
    seen(sharing)
    seen(sharing, "set", "backup", "--timeout", "1h")
    text = sharing.manifest.read_text()
    sharing.write(text + '[defaults]\ncalendars = ["work"]\non_holiday = "next"\nnotify = "ops"\n')

    sharing.ok("revert", "backup", "--to", "1", "--yes")

    assert table(sharing)["calendars"] == []
    assert table(sharing)["notify"] == []
    assert "on_holiday" not in table(sharing)
    assert sharing.ok("revert", "backup", "--to", "1", "--yes").err.endswith("nothing to change\n")


def test_a_removed_schedule_comes_back_without_its_ping_url_after_a_question(
    sharing: Terminal,
) -> None:
    """Nobody recorded it: it is a secret."""
    seen(sharing, "set", "backup", "--ping-url", "https://hc.example.org/s3cret")
    sharing.ok("remove", "backup", "--yes")

    refused = sharing.run("revert", "backup", "--to", "1")
    sharing.ok("revert", "backup", "--to", "1", "--yes")

    assert refused.code == 2
    assert "ping_url are never recorded, and these have none today: ping_url" in refused.err
    assert "ping_url" not in table(sharing)


def test_nothing_that_is_shown_or_recorded_holds_a_secret(sharing: Terminal) -> None:
    """Of a URL, the host is enough to know which it is."""
    ping = ("--ping-url", "https://hc.example.org/s3cret", "--notify", "chat")
    seen(sharing, "set", "backup", *ping)
    text = sharing.manifest.read_text()
    sharing.write(text + '[defaults]\nping_url = "https://hc.example.org/s3cret2"\n')

    for words in (
        ["show", "backup"], ["config"], ["revisions", "backup"], ["list"], ["validate"],
        ["revisions", "backup", "--diff", "1"], ["explain", "backup"],
    ):  # fmt: skip
        for more in ([], ["--json"]):
            said = sharing.ok(*words, *more)
            assert "s3cret" not in said.out + said.err, words
    for words in (
        ["set", "backup", "--ping-url", "https://hc.example.com/s3cret3"],
        ["set", "backup", "--unset", "ping_url"],
        ["add", "backup", "--every", "1h", "--replace", *ping, "--", "true"],
        ["remove", "backup", "--yes"],
        ["revert", "backup", "--to", "1", "--yes"],
    ):
        said = sharing.ok(*words)
        assert "s3cret" not in said.out + said.err, words
    assert b"s3cret" not in b"".join(path.read_bytes() for path in sharing.state.glob("runs.db*"))
