"""Whatever the file holds: a manifest, or faults with lines; never another error."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.keys import ALL_KEYS
from flytesched.core.telling.channels import CHANNEL_KEYS
from flytesched.errors import InvalidManifest
from flytesched.manifest import parse
from flytesched.manifest.places import Misplaced, scan
from flytesched.manifest.toml import literal
from flytesched.settings import SETTINGS

PIECES = st.sampled_from(
    ["[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "'", '"', "'''", '"""',
     "\\", " ", "\t", "a", "schedules", "[schedules.a]\n", 'cron = "* * * * *"\n', "version = 1\n",
     "command = 'x'\n", "1", "true", "nan", "2026-01-01", "\0", "\ufeff", "\r", "é", "\x1b"]
)  # fmt: skip
CALENDAR_KEYS = (
    "description", "dates", "weekdays", "country", "subdivision", "categories", "language",
    "except", "except_", "name", "text",
)  # fmt: skip
WORDS = st.sampled_from(
    ["UTC", "1h", "-1s", "* * * * *", "@daily", "02:00", "25:61", "2026-13-01", "skip", "\0", "",
     "rate(0 minutes)", "0 10 ? * 2#6 *", "9" * 400, "2026-11-21T02:00:00+99:00"]
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        WORDS, st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.datetimes(),
        st.dates(), st.times(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def faults_of(content: str | bytes) -> list[str]:
    """Return one line per fault; none for a good manifest."""
    try:
        parse(content, Path("m"))
    except InvalidManifest as error:
        return error.lines()
    return []


@given(st.lists(PIECES, max_size=30).map("".join) | st.binary(max_size=60))
def test_any_text_is_a_manifest_or_has_faults(content: str | bytes) -> None:
    """And each fault is one line."""
    lines = faults_of(content)
    assert all(line.startswith("m:") for line in lines)


@given(
    st.dictionaries(st.sampled_from([*ALL_KEYS, "name", "self", "x"]), VALUES, max_size=4),
    st.dictionaries(st.sampled_from([*ALL_KEYS, "name", "self", "x"]), VALUES, max_size=2),
    st.dictionaries(st.sampled_from(sorted(SETTINGS)), VALUES, max_size=2),
)
def test_any_value_of_any_key_is_taken_or_is_a_fault(
    table: dict[str, Any], defaults: dict[str, Any], settings: dict[str, Any]
) -> None:
    """No value of a wrong kind gets past the readers as another error."""
    table = {"cron": "@daily", "command": "true", **table}
    model = {"version": 1, "settings": settings, "defaults": defaults, "schedules": {"a": table}}
    text = "".join(f"{key} = {literal(value)}\n" for key, value in model.items())
    assert {line.split(":")[1] for line in faults_of(text)} <= {"1", "2", "3", "4"}


@given(
    st.dictionaries(st.sampled_from(CALENDAR_KEYS), VALUES, max_size=4),
    st.dictionaries(st.sampled_from([*CHANNEL_KEYS, "x"]), VALUES, max_size=4),
    st.sampled_from(["webhook", "mail", "pigeon"]),
)
def test_any_value_of_any_key_of_what_is_shared_is_taken_or_is_a_fault(
    calendar: dict[str, Any], channel: dict[str, Any], kind: str
) -> None:
    """With nothing said twice, though a schedule names both."""
    model = {
        "version": 1, "calendars": {"a": calendar}, "channels": {"b": {"kind": kind, **channel}},
        "schedules": {"a": {"every": "1h", "command": "x", "calendars": ["a"], "notify": "b"}},
    }  # fmt: skip
    text = "".join(f"{key} = {literal(value)}\n" for key, value in model.items())
    lines = faults_of(text)
    assert {line.split(":")[1] for line in lines} <= {"2", "3"}
    assert len(set(lines)) == len(lines)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_what_toml_accepts_the_scanner_accepts(text: str) -> None:
    """So that every fault of a readable manifest gets its line."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with suppress(Misplaced):
            scan(text)
    else:
        assert "".join(text[part.start : part.end] for part in scan(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "[" * 300_000,
        "x = " + "{" * 300_000,
        '"' * 300_001,
        "'" * 300_003,
        "\\" * 300_000,
        "a" * 3_000_000,
        "a = " + '"\\u0061' * 100_000,
        ("x = '" + "a." * 70 + "'\n") * 2000,
        ("a" * 999 + " ") * 2000,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_repetition_ends_soon(text: str) -> None:
    """The suite's own time limit is the judge."""
    with pytest.raises(InvalidManifest):
        parse(text, Path("m"))
