"""Editing one table leaves every other byte as it is, however the manifest is written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flytesched.manifest.places import scan
from flytesched.manifest.splice import Change, splice
from flytesched.manifest.toml import literal, same

# Each way of writing the table of schedule "a": what stands before, the table, what comes after.
WAYS = {
    "plain": ("version = 1\n", '[schedules.a]\ncron = "1 * * * *"\ncommand = "x"\n', "\n# end\n"),
    "odd spacing": ("", ' [ schedules . "a" ]  # hi\n\tcron\t=\'1 * * * *\'#c\n', "[defaults]\n"),
    "crlf": ("v = 1\r\n\r\n", '[schedules.a]\r\ncron = "1 * * * *"\r\n', "\r\n[schedules.b]\r\n"),
    "no final newline": ("# top\n[schedules.b]\n", '[schedules.a]\ncron = "1 * * * *"', ""),
    "inline table": (
        "[schedules]\nb = {x=1}\n", 'a = { cron = "1 * * * *", env = {A = "b"} } # why\n', "c={}\n",
    ),
    "all inline": (
        'schedules = {b = {cron="x"}  ,  ', 'a={cron = "1 * * * *"}', " , c={ }}\n[defaults]\n",
    ),
    "dotted below a header": (
        "[schedules]\nb.cron = 'x'\n", "a.cron = '1 * * * *'\na.env.A = 'b'\n", "c.cron = 'y'\n",
    ),
    "dotted at the top": (
        "version = 1\n", "schedules.a.cron = '1 * * * *'\n\nschedules.\"a\".env.A = '1'\n", "z=1\n",
    ),
    "sub-tables": (
        "", "[schedules.a]\ncron = 'x'\n# inner\n[schedules.a.env]\nA = 'b'\n", "\n[schedules.b]\n",
    ),
    "sub-table first": (
        "[defaults]\n", "[schedules.a.env]\nA = 'b'\n\n[schedules.a]\ncron = 'x'\n", "# t\n[[z]]\n",
    ),
    "long strings": (
        'x = """\n[schedules.a]\ncron = 1\n"""\n',
        "[schedules.a]\ncron = 'x'\ncommand = '''\n[schedules.a]\ncron = \"\"\"\n'''\n",
        "\n[[other]]\nq = '''a\n[schedules.a]'''\n",
    ),
    "among calendars": (
        "[calendars.a]\ncron = 'no'\n[channels.'a'] # a\nq = 1\n",
        "[schedules.a]\ncron = 'x'\n", "[calendars.b.a]\n12-24 = '''\n[schedules.a]'''\n",
    ),
    "dotted beside calendars": (
        "calendars.a.dates = ['x']\nchannels = {a={cron='y'}}\n",
        "schedules.a.cron = 'x'\nschedules.a.command = 'y'\n",
        "calendars.b.weekdays = []\n",
    ),
    "long list": (
        "", "[schedules.a]\ncommand = [ # argv\n  'a', # ]\n  '[schedules.a]',\n]\n", "[q]\n",
    ),
}  # fmt: skip


def table_of(text: str) -> dict[str, Any]:
    return tomllib.loads(text)["schedules"]["a"]


def changed(before: str, table: str, after: str, **keys: Any) -> str:
    """Return the text of table "a" after its keys were changed; None removes one."""
    text = before + table + after
    was = table_of(text)
    wanted = {key: value for key, value in {**was, **keys}.items() if value is not None}
    new = splice(text, [Change(name="a", before=was, after=wanted)])
    model = tomllib.loads(text)
    model["schedules"]["a"] = wanted
    assert same(tomllib.loads(new), model)
    assert new.startswith(before)
    assert new.endswith(after)
    return new[len(before) : len(new) - len(after)]


@pytest.mark.parametrize(("before", "table", "after"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "keys",
    [
        {"enabled": False},
        {"cron": "5 * * * *"},
        {"cron": None},
        {"env": {"B": "c"}},
        {"env": None, "cron": "2 2 * * *"},
        {"enabled": False, "pause_reason": 'it\'s "hot"', "labels": {"team": "x"}},
    ],
    ids=str,
)
def test_changing_keys_leaves_every_byte_outside(
    before: str, table: str, after: str, keys: dict[str, Any]
) -> None:
    """The model is the intended one, what stands around the table the same."""
    assert changed(before, table, after, **keys)


@pytest.mark.parametrize(("before", "table", "after"), WAYS.values(), ids=WAYS)
def test_removing_leaves_every_byte_outside(before: str, table: str, after: str) -> None:
    """What is left is what stood around the table; a comma goes with its entry."""
    text = before + table + after
    new = splice(text, [Change(name="a", before=table_of(text), after=None)])
    model = tomllib.loads(text)
    del model["schedules"]["a"]
    assert same({"schedules": {}, **tomllib.loads(new)}, {"schedules": {}, **model})
    if not before.startswith("schedules = {"):
        assert new == before + after


@pytest.mark.parametrize(("before", "table", "after"), WAYS.values(), ids=WAYS)
def test_adding_leaves_the_text_in_front(before: str, table: str, after: str) -> None:
    """A new table goes to the end, or into the one inline table of all."""
    text = before + table + after
    new = splice(text, [Change(name="n.e w", before=None, after={"cron": "x", "command": ["a"]})])
    model = tomllib.loads(text)
    model["schedules"]["n.e w"] = {"cron": "x", "command": ["a"]}
    assert same(tomllib.loads(new), model)
    if not before.startswith("schedules = {"):
        assert new.startswith(text)


@pytest.mark.parametrize(("before", "table", "after"), WAYS.values(), ids=WAYS)
def test_writing_a_table_afresh_leaves_every_byte_outside(
    before: str, table: str, after: str
) -> None:
    """The way out when single keys cannot be changed keeps the promise too."""
    text = before + table + after
    wanted = {"cron": "9 9 * * *", "command": ["a", "b"], "env": {"X": "y"}}
    new = splice(text, [Change(name="a", before=table_of(text), after=wanted)], afresh=True)
    assert same(table_of(new), wanted)
    assert new.startswith(before)
    assert new.endswith(after)


def test_comments_inside_the_table_survive_a_change_of_a_key() -> None:
    """Only the value is replaced, and a new key goes below the last one."""
    table = (
        "[schedules.a] # the first\n"
        "  # when\n"
        '  cron   =  "1 * * * *"   # hourly\n'
        "\n"
        "  command = 'x' # what\n"
        "# about the next\n"
    )
    new = changed("", table, "", cron="2 * * * *", enabled=False)
    assert new == (
        "[schedules.a] # the first\n"
        "  # when\n"
        '  cron   =  "2 * * * *"   # hourly\n'
        "\n"
        "  command = 'x' # what\n"
        "  enabled = false\n"
        "# about the next\n"
    )


def test_a_key_taken_out_takes_its_line_with_it() -> None:
    """So enable after disable leaves no trace."""
    table = "[schedules.a]\ncron = 'x'\nenabled = false # for now\ncommand = 'y'\n"
    assert changed("", table, "", enabled=None) == "[schedules.a]\ncron = 'x'\ncommand = 'y'\n"


def test_a_value_that_stays_the_same_keeps_its_spelling() -> None:
    """Setting what is set already is no change."""
    table = "[schedules.a]\ncron   = 'x' # c\nqueue_limit = 1_000\n"
    assert changed("", table, "", cron="x", queue_limit=1000) == table


def test_several_tables_are_changed_in_one_go() -> None:
    """As a glob does."""
    text = "[schedules]\na = { cron = 'x' }\nb.cron = 'y'\n[schedules.c]\ncron = 'z'\n"
    was = tomllib.loads(text)["schedules"]
    changes = [
        Change(name=name, before=table, after={**table, "enabled": False})
        for name, table in was.items()
    ]
    assert splice(text, changes) == (
        "[schedules]\na = { cron = 'x', enabled = false }\nb.cron = 'y'\nb.enabled = false\n"
        "[schedules.c]\ncron = 'z'\nenabled = false\n"
    )


def test_a_new_table_is_one_plain_block_in_the_order_of_the_manual() -> None:
    """What people see after `add`."""
    after = {"command": 'a "b" $c', "retry": {"max_attempts": 3}, "cron": "@daily", "labels": {}}
    assert splice("version = 1", [Change(name="a.b", before=None, after=after)]) == (
        "version = 1\n"
        "\n"
        '[schedules."a.b"]\n'
        'cron = "@daily"\n'
        "command = 'a \"b\" $c'\n"
        "labels = {}\n"
        "retry = { max_attempts = 3 }\n"
    )


SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), st.datetimes(),
    st.dates(), st.times(),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_every_value_reads_back_as_it_was_written(value: Any) -> None:
    """Whatever TOML can hold."""
    assert same(tomllib.loads(f"k = {literal(value)}")["k"], value)


NAMES = st.sampled_from(["a", "b", "a.b", "c d", "é", "schedules", '"', "\\u0041"])
GAPS = st.lists(st.sampled_from(["\n", "# note\n", "   \t\n", "#[schedules.a]\n"]), max_size=3).map(
    "".join
)
TABLES = st.dictionaries(
    st.sampled_from(["cron", "command", "env", "enabled", "on_success", "x y"]),
    st.one_of(
        st.booleans(), st.sampled_from(["[schedules.a]", "a\n# b", "'''", '"""', "", "\\"]),
        st.lists(st.sampled_from(["a", "]", "#"]), max_size=3),
        st.dictionaries(st.sampled_from(["A", "B.C"]), st.text(max_size=3), min_size=1, max_size=2),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def quoted(key: str, style: int) -> str:
    """Write a key in one of its spellings."""
    if style % 2 and "'" not in key:
        return f"'{key}'"
    return literal({key: 1}).removeprefix("{ ").partition(" = 1")[0]


def multiline(value: Any, style: int) -> str:
    """Write a value, strings and lists over several lines in some styles."""
    if isinstance(value, str) and style % 3 == 1 and "'''" not in value and "\\" not in value:
        return f"'''\n{value}'''"
    if isinstance(value, list) and style % 3 == 2:
        return "[ # list\n" + "".join(f"  {literal(item)}, # ]\n" for item in value) + "]"
    return literal(value)


def written(name: str, table: dict[str, Any], style: int, gap: str) -> str:
    """Write a table under its own headers."""
    pad = " " * (style % 3)
    plain = {k: v for k, v in table.items() if not (isinstance(v, dict) and style % 2)}
    text = f"{pad}[{pad}schedules{pad}.{quoted(name, style)}] # {name!r}\n"
    for key, value in plain.items():
        text += f"{pad}{quoted(key, style)}{pad}={pad}{multiline(value, style)}{pad}# c\n" + gap
    for key, value in table.items():
        if key not in plain:
            text += f"[schedules.{quoted(name, style)}.{quoted(key, 0)}]\n" + "".join(
                f"{quoted(inner, 1)} = {literal(entry)}\n" for inner, entry in value.items()
            )
    return text


def dotted(name: str, table: dict[str, Any], style: int) -> str:
    """Write a table as an inline one or as dotted keys, for a place under [schedules]."""
    if style % 2:
        return f"{quoted(name, style)} = {literal(table)} # c\n"
    return "".join(
        f"{quoted(name, style)} . {quoted(key, style)} = {multiline(value, style)}\n"
        for key, value in table.items()
    )


@st.composite
def manifests(draw: st.DrawFn) -> tuple[list[tuple[str, str]], dict[str, dict[str, Any]]]:
    """Return the pieces of a text, each with the schedule it belongs to, and what it means."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    tables = {name: draw(TABLES) for name in names}
    under = [name for name in names if draw(st.booleans())]
    inline = draw(st.sampled_from(["", "calendars = { a = { cron = 'x' } } # a\n"]))
    pieces = [("", draw(GAPS) + "version = 1\n" + inline + draw(GAPS))]
    others = ["", "[[other]]\nq = 1\n\n", "[channels.{0}]\nq = 1\n[channels.{0}.'a']\n"]
    others += [] if inline else ["[calendars.{0}]\ncron = 'x'\n [calendars.{0}.dates] # a\n"]
    if under:
        pieces.append(("", "[schedules]\n" + draw(GAPS)))
        for name in under:
            pieces += [(name, dotted(name, tables[name], draw(st.integers(0, 5))))]
            pieces += [("", draw(GAPS))]
    for name in names:
        if name not in under:
            style = draw(st.integers(0, 5))
            pieces += [(name, written(name, tables[name], style, draw(GAPS)))]
            other = draw(st.sampled_from(others)).format(quoted(name, 0))
            pieces += [("", draw(GAPS) + other)]
    if draw(st.booleans()):
        pieces = [(name, piece.replace("\n", "\r\n")) for name, piece in pieces]
    return pieces, tables


@given(manifests(), st.data())
def test_any_edit_of_any_table_leaves_all_other_bytes(
    made: tuple[list[tuple[str, str]], dict[str, dict[str, Any]]], data: st.DataObject
) -> None:
    """The parsed model equals the intended one; every other piece of the text is still there."""
    pieces, _ = made
    text = "".join(piece for _, piece in pieces)
    if data.draw(st.booleans(), label="cut the final newline"):
        text = text.removesuffix("\n").removesuffix("\r")
    model = tomllib.loads(text)
    name = data.draw(st.sampled_from(sorted(model["schedules"])), label="name")
    before = model["schedules"][name]
    after = data.draw(st.none() | TABLES, label="after")
    new = splice(text, [Change(name=name, before=before, after=after)])
    if after is None:
        del model["schedules"][name]
    else:
        model["schedules"][name] = after
    assert same({"schedules": {}, **tomllib.loads(new)}, {"schedules": {}, **model})
    place = [owner for owner, _ in pieces].index(name)
    front = "".join(piece for _, piece in pieces[:place])
    back = "".join(piece for _, piece in pieces[place + 1 :])
    assert new.startswith(front)
    assert new.endswith(back[: len(back) - (sum(len(p) for _, p in pieces) - len(text))])


@given(manifests())
@example(([("", "a = [\n1 ] # x\n[[b]]")], {}))
def test_the_statements_of_a_text_are_the_text(
    made: tuple[list[tuple[str, str]], dict[str, dict[str, Any]]],
) -> None:
    """Nothing falls between two of them."""
    text = "".join(piece for _, piece in made[0])
    statements = scan(text)
    assert "".join(text[statement.start : statement.end] for statement in statements) == text
