"""Every fault of a manifest is said with its line, what is wrong and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flytesched.errors import InvalidManifest
from flytesched.manifest import parse

GOOD = '[schedules.ok]\ncron = "0 2 * * *"\ncommand = "true"\n'
HEAD = "version = 1\n"


def faults_of(content: str | bytes) -> list[str]:
    """Return the lines that ``validate`` would show."""
    with pytest.raises(InvalidManifest) as caught:
        parse(content, Path("m"))
    assert caught.value.exit_code == 5
    return caught.value.lines()


# One fault each: text, line, words that must be said.
SINGLE = {
    "no version": (GOOD, 1, "version: is missing; write version = 1"),
    "other version": ("version = 2\n" + GOOD, 1, "version: is 2"),
    "version as text": ('# a\nversion = "1"\n' + GOOD, 2, "version: is '1'"),
    "version as truth": ("version = true\n" + GOOD, 1, "version: is True"),
    "schedule for schedules": (
        HEAD + '\n[schedule.x]\ndaily = "02:00"\n', 3, "schedule: .*did you mean 'schedules'",
    ),
    "a table that looks like a schedule": (
        HEAD + '[backup]\ndaily = "02:00"\n', 2, r"backup: .*write \[schedules.backup\]",
    ),
    "a schedule's key at the top": (HEAD + 'timezone = "UTC"\n', 2, r"timezone: .*\[defaults\]"),
    "a setting at the top": (HEAD + "start_rate = 1.0\n", 2, r"start_rate: .*\[settings\]"),
    "an unknown table": (HEAD + "[zebra]\n", 2, "zebra: is not a table.*there are version"),
    "schedules is a list": (HEAD + "[[schedules]]\n", 2, r"schedules: is no table; .*\[schedules"),
    "settings is a number": (HEAD + "settings = 3\n", 2, r"settings: is no table; .*\[settings\]"),
    "a schedule is a number": (HEAD + "[schedules]\nx = 3\n", 3, r"x: is no table; .*schedules.x"),
    "a key below [schedules]": (
        HEAD + '[schedules]\ncron = "* * * * *"\n', 3, r"cron: is no table; .*\[schedules.NAME\]",
    ),
    "an unknown setting": (
        HEAD + "[settings]\n\nmax_concurrent_run = 1\n", 4, "did you mean 'max_concurrent_runs'",
    ),
    "a setting for the environment": (HEAD + "[settings]\npersist = false\n", 3, "PERSIST"),
    "time zone as a setting": (HEAD + '[settings]\ntimezone = "UTC"\n', 3, r"\[defaults\]"),
    "bare number as duration": (HEAD + "[settings]\nmissed_after = 10\n", 3, "not a duration.*10s"),
    "bare number as size": (HEAD + '[settings]\nlog_limit = "10"\n', 3, "unit"),
    "number in quotes": (HEAD + '[settings]\nstart_burst = "3"\n', 3, "without quotes"),
    "negative limit": (HEAD + "[settings]\nmax_concurrent_runs = -1\n", 3, "out of range"),
    "timetable in defaults": (HEAD + '[defaults]\ncron = "@daily"\n', 3, "belongs to each"),
    "command in defaults": (HEAD + '[defaults]\ncommand = "x"\n', 3, "belongs to each schedule"),
    "name in defaults": (HEAD + '[defaults]\nname = "x"\n', 3, "belongs to each schedule"),
    "unknown default": (HEAD + '[defaults]\ntimezon = "UTC"\n', 3, "did you mean 'timezone'"),
    "faulty default": (
        HEAD + '[defaults]\noverlap = "maybe"\n' + GOOD + GOOD.replace("ok", "too"), 3,
        "overlap: 'maybe' is not a choice; write one of skip, queue",
    ),
    "unknown key": (HEAD + GOOD + 'timout = "1h"\n', 5, "ok.timout: .*did you mean 'timeout'"),
    "unknown zone": (HEAD + GOOD + 'timezone = "Mars/Base"\n', 5, "ok.timezone: "),
    "bad duration": (HEAD + GOOD + 'timeout = "1 parsec"\n', 5, "ok.timeout: "),
    "no timetable": (HEAD + '[schedules.x]\ncommand = "true"\n', 2, "x: has no timetable"),
    "two timetables": (HEAD + GOOD + 'every = "1h"\n', 2, "ok: has both cron and every"),
    "no command": (HEAD + '\n\n[schedules.x]\nevery = "1h"\n', 4, "x: has no command"),
    "name inside": (HEAD + GOOD + 'name = "x"\n', 5, "ok.name: .*the header"),
    "self inside": (HEAD + GOOD + 'self = "x"\n', 5, "ok.self: is not a key"),
    "bad name": (HEAD + GOOD.replace("ok", '"../x"'), 2, "'../x' is not a name"),
    "bad key of retry": (HEAD + GOOD + "retry = { max = 3 }\n", 5, "ok.retry: has no key 'max'"),
    "sub-table": (HEAD + GOOD + "[schedules.ok.retry]\nmax = 3\n", 5, "ok.retry: has no key 'max'"),
    "dotted": (HEAD + 'schedules.x.every = "1h"\nschedules.x.command = 3\n', 3, "x.command"),
    "inline": (HEAD + '[schedules]\nx = { cron = "61 * * * *", command = "x" }\n', 3, "x.cron"),
    "calendars is a list": (
        HEAD + "calendars = []\n", 2, r"calendars: is no table; write \[calendars.NAME\]",
    ),
    "calendar for calendars": (
        HEAD + '[calendar.a]\ndates = ["12-25"]\n', 2, "calendar: .*did you mean 'calendars'",
    ),
    "keys below [calendars]": (
        HEAD + '[calendars]\n\nweekdays = ["sun"]\n', 4, r"calendars.weekdays: is no table",
    ),
    "no day off": (HEAD + "[calendars.a]\n", 2, "calendars.a: has no day off; write dates"),
    "unknown key of a calendar": (
        HEAD + '[calendars.a]\ndate = ["12-25"]\nweekdays = ["sun"]\n', 3,
        "calendars.a.date: is not a key of a calendar; did you mean 'dates'",
    ),
    "no date": (HEAD + '[calendars.a]\n# x\ndates = ["12-35"]\n', 4, "a.dates: '12-35' is not"),
    "no date in a sub-table": (
        HEAD + '[calendars.a]\nweekdays = ["sun"]\n[calendars.a.dates]\n12-35 = "x"\n', 4,
        "a.dates: '12-35' is not a date",
    ),
    "bad name of a calendar": (
        HEAD + '[calendars."a b"]\nweekdays = ["sun"]\n', 2, "'a b' is not a name for a calendar",
    ),
    "bad name of a channel": (
        HEAD + '[channels.ping_url]\nkind = "mail"\nto = "x"\n', 2, "'ping_url' is a key",
    ),
    "unknown kind of a channel": (
        HEAD + '[channels.a]\nkind = "pigeon"\n', 3, "channels.a.kind: 'pigeon' is not a choice",
    ),
    "no address": (HEAD + '[channels.a]\nkind = "mail"\n', 2, "channels.a.to: is missing"),
    "unknown calendar": (
        HEAD + '[calendars.germany]\nweekdays = ["sun"]\n' + GOOD + 'calendars = ["germny"]\n', 7,
        "ok.calendars: no calendar is named 'germny'; did you mean 'germany'",
    ),
    "an unknown one among calendars": (
        HEAD + '[calendars.a]\nweekdays = ["sun"]\n' + GOOD + 'calendars = ["a", "germany"]\n', 7,
        "ok.calendars: no calendar is named 'germany'; there are a$",
    ),
    "no calendars at all": (
        HEAD + GOOD + 'calendars = "germany"\n', 5,
        r"no calendar is named 'germany'; write a table \[calendars.germany\], such as: dates = ",
    ),
    "calendars of another kind": (
        HEAD + GOOD + "calendars = [1]\n", 5, r"ok.calendars: \[1\] is not a list of names",
    ),
    "a calendar named twice": (
        HEAD + '[calendars.a]\nweekdays = ["sun"]\n' + GOOD + 'calendars = ["a", "a"]\n', 7,
        "ok.calendars: names 'a' twice",
    ),
    "a faulty calendar that two name": (
        HEAD + "[calendars.a]\nweekdays = ['someday']\n" + GOOD + "calendars = ['a']\n"
        + GOOD.replace("ok", "too") + "calendars = ['a']\non_holiday = 'next'\n", 3,
        "calendars.a.weekdays: 'someday' is not a weekday",
    ),
    "unknown calendar in defaults": (
        HEAD + '[defaults]\ncalendars = ["a"]\non_holiday = "next"\n' + GOOD, 3,
        "defaults.calendars: no calendar is named 'a'",
    ),
    "unknown word for days off": (
        HEAD + "[calendars.a]\nweekdays = ['sun']\n[defaults]\non_holiday = 'nxt'\n"
        + GOOD + "calendars = 'a'\n", 5, "defaults.on_holiday: 'nxt' is not a choice",
    ),
    "unknown channel": (
        HEAD + '[channels.ops]\nkind = "mail"\nto = "x"\n' + GOOD + 'notify = ["ops", "opps"]\n', 8,
        "ok.notify: no channel is named 'opps'; did you mean 'ops'",
    ),
    "no channels at all": (
        HEAD + GOOD + 'notify = "ops"\n', 5,
        r"no channel is named 'ops'; write a table \[channels.ops\], such as: kind = ",
    ),
    "a faulty channel that two name": (
        HEAD + '[channels.a]\nkind = "mail"\nto = 5\n' + GOOD + "notify = 'a'\n"
        + GOOD.replace("ok", "too") + "notify = 'a'\n", 4, "channels.a.to: is not a list of 1 to",
    ),
    "what to do with days off, and none": (
        HEAD + GOOD + 'on_holiday = "skip"\n', 5, "ok.on_holiday: needs calendars",
    ),
    "behind a long string": (
        HEAD + GOOD + 'description = """\n[schedules.no]\ncron = 1\n"""\nseconds = 1\n', 9,
        "seconds",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), SINGLE.values(), ids=SINGLE)
def test_a_fault_is_said_once_with_its_line(text: str, line: int, words: str) -> None:
    """Each text of the table has exactly one fault."""
    (said,) = faults_of(text)
    assert said.startswith(f"m:{line}: ")
    assert re.search(words, said), said


# Texts that are no TOML, or beyond the bounds: content, line, words.
BROKEN = {
    "no value": (b"version = 1\nx =\n", 2, "is not TOML: invalid value"),
    "table twice": (b"version = 1\n[defaults]\n[defaults]\n", 3, "cannot declare"),
    "open string": (b'version = 1\nx = "abc\n', 2, "is not TOML"),
    "open list at the end": (b"version = 1\nx = [\n", 2, "is not TOML"),
    "mark": (b"\xef\xbb\xbfversion = 1\n", 1, "byte order mark; save it as UTF-8 without one"),
    "UTF-16": ("version = 1\n".encode("utf-16"), 1, "is UTF-16; save it as UTF-8"),
    "latin 1": (b"version = 1\n# caf\xe9\n", 2, "is not UTF-8 text"),
    "NUL": (b"version = 1\n\nx = \0", 3, "holds a NUL byte"),
    "ELF": (b"\x7fELF\x02\x01\x01\0\0", 1, "holds a NUL byte"),
    "deep list": (b"x = " + b"[" * 100_000 + b"]" * 100_000, 1, "is nested too deeply"),
    "deep table": (b"x = " + b"{a=" * 100_000 + b"1" + b"}" * 100_000, 1, "nested too deeply"),
    "deep below others": (b"v = [\n" + b"[\n" * 999, 33, "is nested too deeply"),
    "long dotted key": (b"version = 1\n" + b"a." * 100_000 + b"a = 1\n", 2, "too many parts"),
    "long header": (b"\n[" + b"a." * 100_000 + b"a]\n", 2, "too many parts"),
    "long key inside": (b"x = { " + b"'a'." * 100_000 + b"a = 1 }\n", 1, "too many parts"),
    "long number": (b"version = 1" + b"0" * 5000, 1, "more than 1,000 characters"),
    "long hexadecimal": (b"\nversion = 0x" + b"f" * 4000, 2, "more than 1,000 characters"),
    "long bare key": (b"a" * 1001 + b" = 1\n", 1, "a key without quotes, has more than 1,000"),
}


@pytest.mark.parametrize(("content", "line", "words"), BROKEN.values(), ids=BROKEN)
def test_a_text_that_is_no_toml_is_one_sentence(content: bytes, line: int, words: str) -> None:
    """Hostile and damaged files end in one line, quickly."""
    (said,) = faults_of(content)
    assert said.startswith(f"m:{line}: ")
    assert words in said


def test_all_faults_are_said_at_once_in_the_order_of_lines() -> None:
    """Nobody has to mend a manifest one run of validate at a time."""
    said = faults_of(
        "[settings]\nspeed = 9\n"
        "[defaults]\ntimeout = 5\n"
        '[schedules.a]\ncron = "99 * * * *"\noverlap = "x"\nnonsense = 1\n'
        '[schedules."b c"]\nevery = "1h"\n'
        "[extra]\n"
    )
    assert [int(line.split(":")[1]) for line in said] == [1, 2, 4, 5, 6, 7, 8, 9, 9, 11]


def test_faults_of_calendars_and_channels_are_said_with_all_others() -> None:
    """Each at its own line, and what is wrong with a schedule that names them as well."""
    said = faults_of(
        HEAD + '[schedules.a]\nevery = "1h"\ncalendars = ["b"]\nnotify = "c"\noverlap = "x"\n'
        '[calendars.b]\ncolour = "red"\ndates = [1]\n[channels.c]\nsound = "loud"\n'
    )
    assert [int(line.split(":")[1]) for line in said] == [2, 6, 8, 9, 10, 11]
    assert not any(".calendars:" in line or ".notify:" in line for line in said)


SECRETS = {
    "a URL with a password": '[channels.a]\nkind = "webhook"\nurl = "https://me:s3cret@example.org"\n',
    "no URL": '[channels.a]\nkind = "webhook"\nurl = "example.org/s3cret"\n',
    "a list of URLs": '[channels.a]\nkind = "webhook"\nurl = ["https://example.org/s3cret"]\n',
    "headers that are none": '[channels.a]\nkind = "webhook"\nurl = "http://x"\n'
    'headers = "s3cret"\n',
    "a header of two lines": '[channels.a]\nkind = "webhook"\nurl = "http://x"\n'
    'headers = { X = "s3cret\\n" }\n',
    "a password for a variable": '[channels.a]\nkind = "mail"\nto = "x"\nuser = "x"\n'
    'password_env = "s3cret!"\n',
    "a ping without a scheme": GOOD + 'ping_url = "hc-ping.com/s3cret"\n',
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_no_fault_says_a_secret(text: str) -> None:
    """What is wrong with it can be said without."""
    (said,) = faults_of(HEAD + text)
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "line",
    [
        f"overlap = '{'x' * 10**6}'",
        f"every = [{'1, ' * 10**6}]",
        f"'{'x' * 10**6}' = 1",
        f"[schedules]\n{'x' * 990} = 1",
    ],
    ids=["a text", "a list", "a key", "a name"],
)
def test_a_fault_stays_a_sentence_however_much_is_wrong(line: str) -> None:
    """It shows where the value begins, and says at the end what is wrong with it."""
    for said in faults_of(HEAD + GOOD + line + "\n"):
        assert len(said) < 1200
        assert said.startswith("m:")


def test_a_long_line_of_dots_in_a_command_is_no_dotted_key() -> None:
    """The bound is for keys, not for text."""
    manifest = parse(HEAD + GOOD + f"description = '{'a.' * 500}'\n", Path("m"))
    assert manifest.schedules["ok"].description == "a." * 500


def test_a_long_word_in_a_string_is_no_number() -> None:
    """Keys in base64 may be long."""
    manifest = parse(HEAD + GOOD + f"description = '0x{'f' * 5000}' # {'9' * 5000}\n", Path("m"))
    assert manifest.schedules["ok"].description == "0x" + "f" * 5000


def test_a_default_counts_only_for_the_timetables_it_fits() -> None:
    """An anchor for all fixed rates does not spoil the cron schedules beside them."""
    manifest = parse(
        HEAD + "[defaults]\nanchor = 2026-01-01T00:00:07Z\noffset = '5m'\n"
        '[schedules.rate]\nevery = "1h"\ncommand = "x"\n' + GOOD
        + '[schedules.once]\nat = 2030-01-01T00:00:00Z\ncommand = "x"\n',
        Path("m"),
    )  # fmt: skip
    assert manifest.schedules["rate"].timing.anchor % 3600 == 7
    assert manifest.schedules["rate"].timing.offset == 0
    assert manifest.schedules["ok"].timing.offset == 300


@pytest.mark.parametrize(
    ("own", "default", "found"),
    [
        ('timezone = "Asia/Tokyo"\n', '[defaults]\ntimezone = "Europe/Berlin"\n', "Asia/Tokyo"),
        ("", '[defaults]\ntimezone = "Europe/Berlin"\n', "Europe/Berlin"),
        ("", "", "America/New_York"),
    ],
)
def test_the_time_zone_is_the_schedules_then_the_defaults_then_the_callers(
    own: str, default: str, found: str
) -> None:
    """The caller passes what environment and system say."""
    text = HEAD + default + GOOD + own
    manifest = parse(text, Path("m"), timezone="America/New_York")
    assert manifest.schedules["ok"].timing.timezone == found


def test_a_manifest_without_schedules_is_good() -> None:
    """An empty set is a set."""
    assert not parse(HEAD, Path("m")).schedules
