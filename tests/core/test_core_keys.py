"""The table of keys: what each takes, refuses, and is written back as."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from flytesched.core.keys import (
    ALL_KEYS,
    KEYS,
    NAME,
    TIMETABLES,
    TIMING_HELP,
    TIMING_KEYS,
    Command,
    read_command,
    read_instant,
    read_retry,
    unsecret,
)
from flytesched.core.policies import RetryPolicy
from flytesched.errors import Invalid


def refused(key, raw):
    """Return what a key says about a raw value that it refuses."""
    with pytest.raises(Invalid) as caught:
        KEYS[key].read(raw)
    assert caught.value.hint, "a refusal says what to write instead"
    return f"{key} {caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize(
    ("key", "raw", "kept"),
    [
        ("description", "", ""),
        ("labels", {"team": "a/b"}, {"team": "a/b"}),
        ("enabled", False, False),
        ("paused_until", "2026-01-01T00:00:00Z", 1_767_225_600),
        ("jitter", "0s", timedelta(0)),
        ("jitter", timedelta(seconds=5), timedelta(seconds=5)),
        ("timeout", "2h", timedelta(hours=2)),
        ("executor", "python", "python"),
        ("overlap", "replace", "replace"),
        ("queue_limit", 1, 1),
        ("catchup_limit", 0, 0),
        ("catchup_limit", 2**31, 2**31),
        ("env", {"A": "", "_b1": "x=y"}, {"A": "", "_b1": "x=y"}),
        ("success_exit_codes", 3, (3,)),
        ("success_exit_codes", [255, 0, 0], (0, 255)),
        ("command", "echo hello", Command(text="echo hello")),
        ("command", ["echo", ""], Command(argv=("echo", ""))),
        ("on_failure", ("mail", "-s", "x"), Command(argv=("mail", "-s", "x"))),
        ("on_failure", Command(text="x"), Command(text="x")),
        ("notify", "ops", ("ops",)),
        ("notify", ["ops", "chat", "ops"], ("ops", "chat")),
        ("notify", [], ()),
        ("ping_url", "https://hc-ping.com/a-b", "https://hc-ping.com/a-b"),
        ("ping_url", "HTTP://[::1]:8000/x?y#z", "HTTP://[::1]:8000/x?y#z"),
        ("late_after", "0s", timedelta(0)),
        ("long_after", "2h", timedelta(hours=2)),
        ("retry", {}, RetryPolicy()),
        ("retry", RetryPolicy(max_attempts=2), RetryPolicy(max_attempts=2)),
        (
            "retry",
            {"max_attempts": 3, "multiplier": 1},
            RetryPolicy(max_attempts=3, multiplier=1.0),
        ),
    ],
)
def test_a_key_keeps(key, raw, kept):
    assert KEYS[key].read(raw) == kept


@pytest.mark.parametrize(
    ("key", "raw", "said"),
    [
        ("description", 5, "5 is not a string; put it in quotes"),
        ("description", "a\0b", "holds a NUL character"),
        ("cwd", "  ", "is empty; write something"),
        ("enabled", "yes", "'yes' is neither true nor false; write true or false"),
        ("enabled", 1, "1 is neither true nor false"),
        ("paused_until", 5, "5 is not a date or time; write one such as 2026-11-21T02:00:00Z"),
        ("notify", 5, '5 is not a list of channels; write names such as ["ops"]'),
        ("notify", ["ops", 5], "is not a list of channels"),
        ("notify", ["a b"], "'a b' is not a name of a channel; write the NAME of a table"),
        ("ping_url", "hc-ping.com/x", "is not the URL of a web page; write one such as"),
        ("ping_url", "https://u:pw@x/", "holds a user or a password in front of the host"),
        ("ping_url", "https://x:0/", "has a port that there cannot be; write a port from 1"),
        ("ping_url", "https://x:99999999999/", "has a port that there cannot be"),
        ("long_after", "0s", "is zero; write a duration"),
        ("jitter", 90, '90 is not a duration; write a unit, such as "90s"'),
        ("jitter", "90", "'90' has no unit"),
        ("timeout", "0s", "is zero; write a duration"),
        ("overlap", "skp", "'skp' is not a choice; write one of skip, queue, allow, replace"),
        ("overlap", ["skip"], "['skip'] is not a choice"),
        ("queue_limit", 0, "0 is out of range; write a number from 1 on"),
        ("queue_limit", 2**31 + 1, "2147483649 is out of range"),
        ("queue_limit", True, "True is not a whole number"),
        ("queue_limit", 1.5, "1.5 is not a whole number; write a number from 1 on"),
        ("env", ["A=1"], "env is not a table; write env as"),
        ("env", {"A-B": "1"}, "'A-B' is not a name of env"),
        ("env", {5: "1"}, "5 is not a name of env"),
        ("env", {"A": 1}, "the value of A is not a string; put it in quotes"),
        ("labels", {"": "x"}, "'' is not a name of labels"),
        ("success_exit_codes", [], "[] is not a list of exit codes; write a list such as [0, 2]"),
        ("success_exit_codes", True, "True is not a list of exit codes"),
        ("success_exit_codes", [256], "256 is not an exit code; write numbers from 0 to 255"),
        ("success_exit_codes", [True], "True is not an exit code"),
        ("success_exit_codes", ["0"], "'0' is not an exit code"),
        ("command", "", "is empty"),
        ("command", [], "[] is not a command; write a string, or a list of strings"),
        ("command", ["echo", 5], "['echo', 5] is not a command"),
        ("command", ["", "x"], "names no program; write the program first"),
        ("command", ["echo", "\0"], "holds a NUL character"),
        ("retry", 3, "3 is not a table; write retry = { max_attempts = 3 }"),
        ("retry", {"tries": 3}, "has no key 'tries'; write one of max_attempts, delay"),
        ("retry", {"max_attempts": 0}, "max_attempts 0 is out of range"),
        ("retry", {"delay": 5}, 'delay 5 is not a duration; write a unit, such as "5s"'),
        ("retry", {"multiplier": 0.5}, "multiplier 0.5 is no multiplier"),
        ("retry", {"multiplier": True}, "multiplier True is no multiplier"),
        ("retry", {"multiplier": float("nan")}, "multiplier nan is no multiplier"),
        ("retry", {"multiplier": "2"}, "multiplier '2' is no multiplier"),
    ],
)
def test_a_key_refuses_and_says_what_to_write(key, raw, said):
    assert said in refused(key, raw)


def test_a_secret_is_not_repeated_in_a_refusal():
    assert "hunter2" not in refused("env", {"TOKEN": b"hunter2"})
    assert "hunter2" not in refused("env", {"TOKEN": "hunter2\0"})


@pytest.mark.parametrize(
    ("raw", "zone", "epoch"),
    [
        ("2026-01-01T00:00:00Z", "Asia/Tokyo", 1_767_225_600),
        ("2026-01-01 09:00", "Asia/Tokyo", 1_767_225_600),
        (datetime(2026, 1, 1, 9, 0), "Asia/Tokyo", 1_767_225_600),  # noqa: DTZ001  a local time
        (datetime(2026, 1, 1, tzinfo=UTC), "Asia/Tokyo", 1_767_225_600),
        (date(2026, 1, 1), "UTC", 1_767_225_600),
    ],
)
def test_an_instant_without_an_offset_is_on_the_clock_of_the_zone(raw, zone, epoch):
    assert read_instant(raw, zone) == epoch


@pytest.mark.parametrize(
    ("key", "words", "raw"),
    [
        ("cwd", ["/a", "/b"], "/b"),
        ("enabled", ["yes"], True),
        ("enabled", ["false"], False),
        ("enabled", ["maybe"], "maybe"),
        ("queue_limit", ["-5"], -5),
        ("queue_limit", ["five"], "five"),
        ("queue_limit", ["9" * 30], "9" * 30),
        ("success_exit_codes", ["0,2", " 3"], [0, 2, 3]),
        ("success_exit_codes", ["0,x"], [0, "x"]),
        ("env", ["A=1", "B=x=y"], {"A": "1", "B": "x=y"}),
        ("retry", ["3"], {"max_attempts": 3}),
        ("retry", ["max_attempts=3, delay=5s"], {"max_attempts": 3, "delay": "5s"}),
        ("retry", ["multiplier=1.5", "max_delay=1h"], {"multiplier": 1.5, "max_delay": "1h"}),
        ("retry", ["max_attempts=x,multiplier=y"], {"max_attempts": "x", "multiplier": "y"}),
    ],
)
def test_the_words_of_an_option_become_a_raw_value(key, words, raw):
    assert KEYS[key].parse(words) == raw


@pytest.mark.parametrize(
    ("key", "words"), [("env", ["A"]), ("retry", ["²"]), ("retry", ["3", "4"])]
)
def test_words_without_an_equals_sign_are_refused(key, words):
    with pytest.raises(Invalid, match="is not KEY=VALUE"):
        KEYS[key].parse(words)


@pytest.mark.parametrize(
    ("key", "kept", "written"),
    [
        ("command", Command(text="x y"), "x y"),
        ("command", Command(argv=("x", "y")), ["x", "y"]),
        ("paused_until", 1_767_225_600, "2026-01-01T00:00:00Z"),
        ("timeout", timedelta(minutes=90), "1h30m"),
        ("success_exit_codes", (0, 2), [0, 2]),
        ("env", {"B": "secret", "A": "secret"}, {"A": "", "B": ""}),
        (
            "retry",
            RetryPolicy(),
            {"max_attempts": 1, "delay": "10s", "multiplier": 2.0, "max_delay": "10m"},
        ),
    ],
)
def test_a_kept_value_is_written_for_json_and_toml(key, kept, written):
    assert KEYS[key].write(kept) == written


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_every_key_is_described_and_can_write_its_default(key):
    assert key.help.endswith(".")
    assert key.metavar
    json.dumps(key.write(key.default))


def test_all_keys_are_the_timetable_its_refinements_and_the_rest():
    assert set(ALL_KEYS) == {*TIMETABLES, *TIMING_KEYS, *KEYS}
    assert len(ALL_KEYS) == len(set(ALL_KEYS))
    assert set(TIMING_HELP) == {*TIMETABLES, *TIMING_KEYS}


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "9", "x" * 100])
def test_a_name(name):
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "-x", "a b", "a\n", "é", "x" * 101, "a/b"])
def test_no_name(name):
    assert not NAME.fullmatch(name)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("env", {"TOKEN": "s3cret", "A": 1}, {"TOKEN": "...", "A": "..."}),
        ("env", "TOKEN=s3cret", "..."),
        ("env", ["TOKEN=s3cret"], "..."),
        ("env", None, None),
        ("labels", {"team": "ops"}, {"team": "ops"}),
        ("ping_url", "https://hc-ping.com/s3cret", "https://hc-ping.com/..."),
        ("ping_url", "https://hc-ping.com:80?s3cret", "https://hc-ping.com:80/..."),
        ("ping_url", "https://hc-ping.com", "https://hc-ping.com"),
        ("ping_url", "https://user:s3cret@x/", "https://x/..."),
        ("ping_url", "hc-ping.com/s3cret", "..."),
        ("ping_url", 5, "..."),
        ("ping_url", None, None),
    ],
)
def test_of_env_the_names_alone_may_be_shown_and_of_a_url_the_host(key, value, said):
    assert unsecret(key, value) == said


def test_a_command_reads_on_one_line():
    assert str(read_command("a b")) == "a b"
    assert str(read_command(["a", "b"])) == "a b"


def test_a_retry_policy_is_read_whole():
    assert read_retry({"delay": "1s", "max_delay": "2s"}) == RetryPolicy(
        delay=timedelta(seconds=1), max_delay=timedelta(seconds=2)
    )


def test_a_ping_url_is_written_without_its_path_and_read_again():
    """So it lies in the run log, and tells there that there was one."""
    stored = KEYS["ping_url"].write("https://hc-ping.com/s3cret")
    assert KEYS["ping_url"].read(stored) == stored == "https://hc-ping.com/..."


def test_channels_are_given_one_by_one_or_with_commas():
    assert KEYS["notify"].parse(["a, b", "c"]) == ["a", "b", "c"]
