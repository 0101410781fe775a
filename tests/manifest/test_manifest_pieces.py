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
#: What schedules may name, in the ways that people write it.
SHARED = (
    '[calendars.work]\nweekdays = ["sat", "sun"]\n\n[calendars.work.dates] # named\n'
    '2026-12-24 = "Christmas Eve"\n[calendars."old.one"]\ndates = [2026-12-31]\n'
    '[channels]\n[channels.chat]\nkind = "webhook"\nurl = "https://example.org/x"\n'
    '[channels.chat.headers]\nX = "y"\n[channels.ops]\nkind = "mail"\nto = ["root"]\n'
)
NAMING = (
    '[schedules.e]\nhourly = 5\ncommand = "x"\ncalendars = ["work", "old.one"]\n'
    'notify = ["ops", "chat"]\n'
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
    "[calendars.a]\n", "[calendars]\n", '[calendars."a"]\n', "[calendars.a.dates]\n",
    "[channels.b]\n", "[channels]\n", "[channels.b.headers]\n", "[[channels.b]]\n",
    'dates = ["12-25"]\n', '12-25 = "x"\n', 'kind = "mail"\n', 'to = "x"\n', "calendars = 'a'\n",
    'notify = ["b"]\n', 'calendars.a.dates = ["12-25"]\n', "channels = {}\n",
    'b = { kind = "mail", to = "x" }\n', "command = [ 'a' ,\t\"#]\", ] # b\n", "command = [ ]\n",
    "command = ['a' 'b']\n", "command = ['a',,]\n", 'command = ["\\t"]\n', "command = ['a]\n",
    "command = [,]\n", "command = [['a']]\n", "command = ['a'] 'b'\n", "notify = ['b',]\r\n",
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


def test_what_schedules_share_is_read_in_pieces() -> None:
    """Before them, between them and behind them."""
    a, b = BASE.split("\n\n")
    for text in (
        BASE.replace(VERSION, VERSION + SHARED) + NAMING,
        f"{a}\n{SHARED}{NAMING}{b}",
        BASE + NAMING + SHARED,
    ):
        found, manifest = read(text), parse(text, PATH)
        assert found.schedules == manifest.schedules
        assert found.known.channels == manifest.channels
        assert list(manifest.calendars) == ["work", "old.one"]
        days_off = found.schedules["e"].timing.days_off
        assert days_off is not None
        assert "Christmas Eve" in days_off


#: Tables that mean something together, in an order that nobody chose.
CHUNKS = (
    "[calendars.a]\ndates = ['12-25']\n", "[calendars.a.dates]\n12-25 = 'x'\n", "[calendars]\n",
    "[calendars]\na = { weekdays = ['sun'] }\n", "[calendars]\na.dates = ['12-26']\n",
    "[calendars.b]\n[calendars.b.dates]\n12-24 = 'y'\n", "[calendars.b]\nweekdays = ['sat']\n",
    "[channels.a]\nkind = 'mail'\nto = 'x'\n", "[channels]\nb = { kind = 'mail', to = 'y' }\n",
    "[channels.b.headers]\nX = 'y'\n[channels.b]\nkind = 'webhook'\nurl = 'http://x'\n",
    "[schedules.a]\nevery = '1h'\ncommand = 'x'\ncalendars = 'a'\n",
    "[schedules.b]\ncron = '0 2 * * *'\ncommand = 'x'\ncalendars = ['a', 'b']\n",
    "[schedules.c]\ndaily = '02:00'\ncommand = 'x'\nnotify = ['b', 'a']\n",
    "[schedules.d]\nevery = '1h'\ncommand = 'x'\n[schedules.d.env]\nA = 'b'\n",
    "[defaults]\non_holiday = 'next'\n", "[defaults]\ncalendars = ['a']\n",
    "[defaults]\nnotify = 'a'\n", "[settings]\nstart_rate = 1.0\n",
)  # fmt: skip


@given(
    st.sampled_from(("", "calendars.a.dates = ['12-25']\n", "channels = { a = { } }\n")),
    st.permutations(CHUNKS).flatmap(lambda all_: st.integers(0, 9).map(lambda n: all_[:n])),
)
def test_tables_in_any_order_are_what_the_whole_means(front: str, chunks: list[str]) -> None:
    """Or odd, where they are faulty together, or written in a way that few people would."""
    text = VERSION + front + "".join(chunks)
    manifest = whole(text)
    try:
        found = read(text)
    except Odd:
        assert manifest is None or front or text.count("[calendars.a") > 1
        return
    assert manifest is not None
    assert found.schedules == manifest.schedules
    assert found.known.channels == manifest.channels
    assert found.known.settings == settings_of(text.encode(), PATH) == manifest.settings_table


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
    assert found.known.channels == manifest.channels


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


TWO_DAYS = ('dates = ["12-25"]\n', 'weekdays = ["sun"]\n')
TWO_KINDS = ('kind = "mail"\nto = "x"\n', 'kind = "webhook"\nurl = "http://x"\n')
SHARES = st.tuples(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(TWO_DAYS) for name in "ab"}),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(TWO_KINDS) for name in "ab"}),
)
NAMERS = {
    "none": 'every = "1h"\n', "a": 'every = "1h"\ncalendars = "a"\n',
    "ab": 'hourly = 5\ncalendars = ["a", "b"]\n', "told": 'every = "1h"\nnotify = "a"\n',
}  # fmt: skip


def sharing(shares: tuple[dict[str, str], dict[str, str]], *, behind: bool) -> str:
    """Return a manifest whose schedules share something."""
    kinds = zip(("calendars", "channels"), shares, strict=True)
    said = "".join(f"[{kind}.{n}]\n{table}" for kind, all_ in kinds for n, table in all_.items())
    tables = "".join(f'[schedules.{n}]\ncommand = "x"\n{keys}' for n, keys in NAMERS.items())
    return VERSION + (tables + said if behind else said + tables)


@given(SHARES, SHARES, st.booleans())
def test_another_calendar_touches_those_that_it_makes_others_of(
    old: tuple[dict[str, str], dict[str, str]],
    new: tuple[dict[str, str], dict[str, str]],
    behind: bool,
) -> None:
    """A channel that changes touches none, and one that is gone is missed where it is named."""
    before = {"a": TWO_DAYS[0], "b": TWO_DAYS[1], **old[0]}, {"a": TWO_KINDS[0], **old[1]}
    first = read(sharing(before, behind=behind))
    text = sharing(new, behind=behind)
    second = Reading(text, PATH, timezone="UTC", known=first.known)
    if (manifest := whole(text)) is None:
        with pytest.raises(Odd):
            second.finish()
        return
    second.finish()
    assert second.schedules == manifest.schedules
    assert second.known.channels == manifest.channels
    other = {n for n, one in second.schedules.items() if first.schedules[n] != one}
    assert set(second.touched or ()) == other
    assert other == {n for n in ("a", "ab") if any(new[0][c] != before[0][c] for c in n)}
    for name in NAMERS.keys() - other:
        assert second.schedules[name] is first.schedules[name]


def test_a_scheduler_without_persistence_lets_nothing_survive() -> None:
    """Whatever a table says."""
    assert not any(one.survive for one in read(BASE, survive=False).schedules.values())


@pytest.mark.parametrize(
    "text",
    [
        BASE + SHARED + "[calendars]\nwork = { weekdays = ['sun'] }\n",
        BASE + SHARED + "[channels.ops.x]\n",
        BASE + "[calendars.x]\ncolour = 'red'\n",
        BASE + NAMING,
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
