"""A manifest read in pieces: it means what tomllib finds in the whole, or it is odd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.errors import Invalid
from flytesched.manifest.document import MAX_PIECES
from flytesched.manifest.pieces import Odd, divide, settings_of
from flytesched.manifest.read import parse
from flytesched.manifest.reading import Known, Reading

PATH = Path("m.toml")
VERSION = "version = 1\n"
BASE = VERSION + (
    '[schedules.a]\nevery = "1h"\ncommand = "one"\n\n'
    '[schedules."b.c"]\n# night\ndaily = "02:00"\ncommand = \'two # no comment\' # one\n'
    "catchup_limit = 7\nsurvive = false\n"
    '[schedules.d]\ncron = "0 2 * * *"\ncommand = ["three", "words"]\nenv = { A = "é" }\n'
    '[schedules.d.labels]\nteam = "x"\n'
)

#: Statements that people write, and those that only a mischief or a mistake writes.
STATEMENTS = (
    "[schedules.a]\n", "[schedules.b]\n", '[schedules."a"]\n', "[schedules.'c.d']  # c\n",
    "[schedules.a.env]\n", "[schedules.b.labels]\n", " [schedules.b]\n", "[ schedules.b ]\n",
    "[schedules]\n", "[[schedules.a]]\n", "[settings]\n", "[defaults]\n", "  [settings]\n", "[x]\n",
    'every = "1h"\n', 'cron = "0 2 * * *"\n', 'command = "true"\n', "command = '''\n", '"""\n',
    'command = """\n', "'''\n", 'command = ["a",\n', '"b"]\n', "enabled = false\n", "A = 'x'\n",
    'timezone = "Europe/Berlin"\n', 'description = "é \\" \\u00e9"\n', 'catchup = "none"\n',
    "start_rate = 2.0\n", "queue_limit = 1_0\n", "queue_limit = 0x10\n", "# words\n", "\n",
    "a = { every = '1h', command = 'x' }\n", 'schedules.b.every = "1h"\n', "queue_limit = 5\r\n",
    'at = 2030-01-01T00:00:00\n', 'description = ""\n', "= 1\n", "\x00", 'timeout = "1h"', "\x7f\n",
)  # fmt: skip


def read(text: str, known: Known | None = None, **keys: Any) -> Reading:
    """Return a look at the whole text."""
    reading = Reading(text, PATH, timezone="UTC", known=known, **keys)
    reading.finish()
    return reading


def whole(text: str) -> Any:
    """Return what the text means when it is read as a whole; None if it has a fault."""
    try:
        return parse(text, PATH)
    except Invalid:
        return None


def test_pieces_are_the_text() -> None:
    """Each with its schedule, what stands in front of them first."""
    pieces = list(divide(BASE))
    assert "".join(piece.text for piece in pieces) == BASE
    assert [piece.name for piece in pieces] == ["", "a", "b.c", "d"]


def test_a_manifest_as_people_write_it_is_read_in_pieces() -> None:
    """Plain lines, comments, lists, sub-tables, in their order."""
    found = read(BASE)
    assert found.schedules == parse(BASE, PATH).schedules
    assert list(found.schedules) == ["a", "b.c", "d"]
    assert found.touched is None, "nothing was known before"


@given(st.lists(st.sampled_from(STATEMENTS), max_size=14).map("".join))
def test_what_is_read_in_pieces_is_what_the_whole_means(text: str) -> None:
    """For any row of statements; where pieces would mean something else, the text is odd."""
    text = VERSION + text
    try:
        found = read(text)
    except Odd:
        return
    manifest = parse(text, PATH)
    assert found.schedules == manifest.schedules
    assert list(found.schedules) == list(manifest.schedules)
    assert found.known.settings == manifest.settings_table


@given(st.lists(st.sampled_from(STATEMENTS), max_size=14).map("".join))
def test_settings_found_in_pieces_are_those_of_the_whole(text: str) -> None:
    """Whatever stands around them."""
    text = VERSION + text
    try:
        found = settings_of(text.encode(), PATH)
    except Odd:
        return
    if (manifest := whole(text)) is not None:
        assert found == manifest.settings_table


TABLES = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(
            ('every = "1h"\ncommand = "x"\n', 'every = "2h"\ncommand = ["x"]\n',
             'cron = "0 2 * * *"\ncommand = "x"\n', 'hourly = 5\ncommand = "x"\nenv = {A = "1"}\n')
        )
        for name in "abcde"
    },
)  # fmt: skip
DEFAULTS = st.sampled_from(
    ("", '[defaults]\ntimezone = "Asia/Tokyo"\n', '[defaults]\njitter = "1s"\n')
)


def text_of(tables: dict[str, str], defaults: str, *, behind: bool) -> str:
    said = "".join(f"[schedules.{name}]\n{table}" for name, table in tables.items())
    return VERSION + (said + defaults if behind else defaults + said)


@given(st.tuples(TABLES, DEFAULTS), st.tuples(TABLES, DEFAULTS), st.booleans(), st.integers(1, 200))
def test_only_what_changed_is_touched(
    one: tuple[dict[str, str], str], other_one: tuple[dict[str, str], str], behind: bool, work: int
) -> None:
    """New, other and gone ones, wherever the defaults stand, however small the steps are."""
    (before, old), (after, new) = one, other_one
    first = read(text_of(before, old, behind=behind))
    text = text_of(after, new, behind=behind)
    second = Reading(text, PATH, timezone="UTC", known=first.known)
    while not second.step(work):
        pass
    assert second.schedules == parse(text, PATH).schedules
    names = first.schedules.keys() | second.schedules.keys()
    other = {n for n in names if first.schedules.get(n) != second.schedules.get(n)}
    assert second.touched is not None
    assert other <= set(second.touched)
    if old == new:
        assert other == set(second.touched)
        for name in names - other:
            assert second.schedules[name] is first.schedules[name]


def test_a_scheduler_without_persistence_lets_nothing_survive() -> None:
    """Whatever a table says."""
    assert not any(one.survive for one in read(BASE, survive=False).schedules.values())


@pytest.mark.parametrize(
    "text",
    [
        BASE + '[schedules.a]\nevery = "2h"\ncommand = "again"\n',
        BASE + "[settings]\nstart_rte = 1.0\n",
        BASE + "[defaults]\nname = 'x'\n",
        BASE + "[more]\n",
        BASE.replace("version = 1", "version = 2"),
        BASE.replace('"02:00"', '"26:00"'),
        BASE.replace("version = 1", "version = 1\nsettings.start_rate = 1.0\n[settings]"),
        BASE + "[schedules.long]\nevery = '1h'\ncommand = 'x'\n" + "# more\n" * 5000 + "# end",
    ],
)  # fmt: skip
def test_what_has_a_fault_or_is_beyond_a_piece_is_odd(text: str) -> None:
    """Who reads the whole says what is wrong, with its line."""
    with pytest.raises(Odd):
        read(text)


def test_what_has_too_many_pieces_for_tomllib_is_odd() -> None:
    """As large as it may be in pieces: both ways must agree on what is a manifest."""
    with pytest.raises(Odd):
        read(VERSION + "\n" * MAX_PIECES)
