"""What people write: what is understood of it, and what they are told to write instead.

One row for each thing that one may type in good faith; in order of options. Values of options
stand as the manifest holds them.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from flytesched.cli.wording import spelled
from flytesched.errors import InvalidSchedule

if TYPE_CHECKING:
    from terminal import Terminal

#: A Thursday.
NOW = datetime(2026, 11, 26, 13, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()

UNDERSTOOD: list[tuple[str, str, Any]] = [
    ("at", "tomorrow 9:00", "2026-11-27T09:00:00+01:00"),
    ("at", "14:30", "2026-11-26T14:30:00+01:00"),
    ("at", "next friday at noon", "2026-11-27T12:00:00+01:00"),
    ("at", "in 2 hours", "2026-11-26T15:30:00+01:00"),
    ("at", "2h", "2026-11-26T15:30:00+01:00"),
    ("at", "monday 9:00", "2026-11-30T09:00:00+01:00"),
    ("at", "2026-12-24 18:00", "2026-12-24 18:00"),
    ("at", "2026/12/24 6pm", "2026-12-24T18:00:00+01:00"),
    ("start", "tomorrow", "2026-11-27T00:00:00+01:00"),
    ("end", "2 weeks", "2026-12-10T13:30:00+01:00"),
    ("end", "2998-01-01", "2998-01-01"),
    ("anchor", "today", "2026-11-26T00:00:00+01:00"),
    ("paused_until", "monday", "2026-11-30T00:00:00+01:00"),
    ("daily", "9am", "09:00"),
    ("daily", "9:30 pm", "21:30"),
    ("daily", "noon", "12:00"),
    ("daily", "at 9", "09:00"),
    ("daily", ["9am", "17:30"], ["09:00", "17:30"]),
    ("daily", "2:00", "2:00"),
    ("cron", "0 2 * * *", "0 2 * * *"),
    ("cron", "daily", "daily"),
    # The readers of these keys say what is wrong.
    ("cron", "0 25 * * *", "0 25 * * *"),
    ("cron", "when pigs fly", "when pigs fly"),
    ("daily", "25:00", "25:00"),
    ("daily", "teatime", "teatime"),
    ("daily", "weekdays at 9", "weekdays at 9"),
    ("daily", "9am and 5pm", "9am and 5pm"),
]


@pytest.mark.parametrize(("key", "typed", "held"), UNDERSTOOD)
def test_a_value_in_words_is_written_as_the_manifest_has_it(
    key: str, typed: Any, held: Any
) -> None:
    """On the clock of the schedule; what the manifest understands is left as it is."""
    assert spelled({key: typed}, now=NOW, zone=lambda: "Europe/Berlin") == {key: held}


def test_words_are_read_on_the_clock_of_the_schedule() -> None:
    """If its zone is known."""
    table = {"at": "tomorrow 9:00", "timezone": "Asia/Tokyo"}
    assert spelled(table, now=NOW, zone=lambda: "UTC")["at"] == "2026-11-27T09:00:00+09:00"
    table["timezone"] = "Mars/Base"  # the reader of that key says so
    assert spelled(table, now=NOW, zone=lambda: "UTC") == table


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [
        ("at", "midnight", "at: 'midnight' is no date and time; midnight is at both ends of a day"),
        ("at", "1/12/2030", "day and month could be either way round"),
        ("at", "sometime", "write a duration (2h), a day"),
        ("at", "2026-13-01", "write 2026-12-24T18:00:00"),
        ("start", "tommorow", "did you mean 'tomorrow'?"),
        ("end", "next month", "that is a stretch of time"),
        ("cron", "every 5 minutes", "cron: 'every 5 minutes' is no cron expression; "
         "write --every 5m"),
        ("cron", "daily at 9 and 17", "write --daily 09:00 --daily 17:00"),
        ("cron", "weekdays at 9", "write --cron '0 9 * * 1-5'"),
        ("cron", "cron(0 10 * * ? *)", "write --aws-cron '0 10 * * ? *'"),
        ("cron", "0 10 ? * MON-FRI *", "write --aws-cron '0 10 ? * MON-FRI *'"),
        ("cron", "hourly at 15", "write --hourly 15"),
    ],
)  # fmt: skip
def test_words_that_are_not_understood_here_say_what_to_write(
    key: str, typed: str, says: str
) -> None:
    """In one sentence that names the key."""
    with pytest.raises(InvalidSchedule) as refused:
        spelled({key: typed}, now=NOW, zone=lambda: "UTC")

    assert says in str(refused.value)


#: Words are separated by spaces; ~ stands for a space inside a word.
ANSWERS = [
    # Durations and numbers.
    ("add new --every 1~month -- true", 5, "months and years have no fixed length"),
    ("add new --every 5M -- true", 5, "write 5m if you mean minutes"),
    ("add new --every 5 -- true", 5, "write 5s for seconds, 5m for minutes"),
    ("add new --every 5m --timeout 120 -- true", 5, "write 120s for seconds, 120m for minutes"),
    ("add new --every 5m --retry three -- true", 5, "'three' is not KEY=VALUE; write a number"),
    ("add new --every 5m --retry 3,delay=5s -- true", 5, "or max_attempts=3,delay=10s"),
    # Times.
    ("add new --at yesterday -- true", 5, "at: has passed; write a time to come"),
    ("add new --every 5m --end yesterday -- true", 5, "it never fires"),
    ("add new --hourly 15min -- true", 5, "write a number from 0 to 59"),
    # Expressions.
    ("add new --cron every~5~minutes -- true", 5, "write --every 5m"),
    ("set backup --cron weekdays~at~9", 5, "write --cron '0 9 * * 1-5'"),
    # Names, keys, labels, zones.
    ("add my~job! --every 5m -- true", 5, "such as 'my-job'"),
    ("add !!! --every 5m -- true", 5, "beginning with a letter or digit, 100 at most"),
    ("add new --daily 09:00 --timezone Berlin -- true", 5, "did you mean Europe/Berlin?"),
    ("add new --daily 09:00 --timezone europe/berlin -- true", 5, "did you mean Europe/Berlin?"),
    ("add new --daly 09:00 -- true", 2, "--daily"),
    ("set backup timeout=5s", 2, "write it as an option: --timeout 5s"),
    ("set backup kill-after=5s", 2, "write it as an option: --kill-after 5s"),
    ("set backup enabled=false", 2, "write: flytesched set NAME [options] -- COMMAND..."),
    ("set backup --unset time-out", 2, "did you mean 'timeout'?"),
    ("enable bakup", 3, "did you mean 'backup'?"),
    # Pauses.
    ("pause backup until tomorrow", 2, "write it as an option: --until"),
    ("pause backup for 2h", 2, "write it as an option: --for"),
    ("pause bakup --for 2h", 3, "did you mean 'backup'?"),
    ("pause backup --for tomorrow", 2, "write it as the end: --until tomorrow"),
    ("pause backup --for tomorrow~9:00", 2, "write it as the end: --until 'tomorrow 9:00'"),
    ("pause backup --for yesterday", 2, "write a number with its unit"),
    ("pause backup --for ever", 2, "write a number with its unit"),
    ("pause backup --until 1~month", 2, "months and years have no fixed length"),
    ("cancel backup", 3, "'backup' is a schedule; see its runs: flytesched ps backup"),
]


@pytest.mark.parametrize(("words", "code", "says"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_an_error_says_what_to_write_instead(
    terminal: Terminal, words: str, code: int, says: str
) -> None:
    """Without a traceback, and without a change."""
    before = terminal.print()

    said = terminal.run(*(word.replace("~", " ") for word in words.split()))

    assert said.code == code
    assert says in said.err
    assert said.out == ""
    assert "unexpected" not in said.err
    assert terminal.print() == before


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["team=opz"], "no schedule has the label 'team=opz'; did you mean 'team=ops'?"),
        (["x=y"], "no schedule has the label 'x=y'"),
        (["tier=1", "team=ops", "team=web"], "no schedule has the label 'team=web'"),
    ],
)
def test_a_label_that_selects_nothing_is_said(
    terminal: Terminal, labels: list[str], says: str
) -> None:
    """An empty list is no error, and no advice to add the first schedule."""
    words = [word for label in labels for word in ("-l", label)]

    assert terminal.ok("list", *words).err.startswith(says)


def test_times_in_words_are_added_and_set(terminal: Terminal) -> None:
    """The manifest holds what they meant."""
    terminal.ok("add", "tea", "--daily", "5pm", "--paused-until", "@32440000000", "--", "true")
    terminal.ok("set", "backup", "--hourly", ":15", "--end", "@32440000000")

    tables = tomllib.loads(terminal.manifest.read_text())["schedules"]
    assert tables["tea"]["daily"] == "17:00"
    assert tables["tea"]["paused_until"] == "2997-12-25T00:06:40+01:00"
    assert tables["backup"]["hourly"] == 15
    assert tables["backup"]["end"] == "2997-12-25T00:06:40+01:00"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FLYTESCHED_TIMEZONE", "Europe/Berln", "did you mean Europe/Berlin?"),
        ("FLYTESCHED_LOG_LIMIT", "10", "write 10MB (1,000,000 bytes each) or 10MiB (1,048,576)"),
        ("FLYTESCHED_LOG_LIMIT", "10k", "write 10kB (1,000 bytes each) or 10KiB (1,024)"),
        ("FLYTESCHED_LOG_LIMIT", "1.5gb", "write 1.5GB (1,000,000,000 bytes each) or 1.5GiB"),
        ("FLYTESCHED_LOG_LIMIT", "much", 'write a size with its unit, such as "10MB"'),
        ("FLYTESCHED_KEEP_RUNS", "1 year", "write days, such as 30d or 365d"),
        ("FLYTESCHED_KEEP_RUNS", "365", "365d for days"),
    ],
)
def test_a_wrong_variable_says_what_to_write_instead(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    """And is named."""
    monkeypatch.setenv(variable, value)

    said = terminal.run("list")

    assert said.code == 2
    assert f"flytesched: {variable}: " in said.err
    assert says in said.err


def test_sizes_and_durations_are_taken_as_people_write_them(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they mean one thing only."""
    monkeypatch.setenv("FLYTESCHED_LOG_LIMIT", "10KB")
    monkeypatch.setenv("FLYTESCHED_KEEP_RUNS", "2 weeks")

    assert terminal.ok("config", "log_limit").out == "10kB\n"
    assert terminal.ok("config", "keep_runs").out == "14d\n"
