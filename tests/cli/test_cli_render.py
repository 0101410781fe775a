"""Tables, JSON and durations; and nothing that a terminal would obey."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.cli import render
from flytesched.cli.call import Call


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße 日本 🎉", "Grüße 日本 🎉"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\rc\td\0", r"a\x0ab\x0dc\x09d\x00"),
        ("\x9b31m", r"\x9b31m"),
        ("safe\u202egpj.exe", r"safe\u202egpj.exe"),
        ("\u2066isolate\u2069", r"\u2066isolate\u2069"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\udcff", r"\udcff"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str) -> None:
    """Whoever wrote it."""
    assert render.safe(text) == shown
    assert shown in render.table(("NAME",), [(text,)])
    assert shown in render.facts([("name", text)])


def test_every_character_that_is_obeyed_or_hidden_is_written_out() -> None:
    """Alone and in a text, whatever Python holds for printable."""
    unsafe = [
        *range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010),
        *range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xD800, 0xE000), 0xFEFF,
        *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
    ]  # fmt: skip

    shown = [render.safe(chr(code)) for code in unsafe]

    assert [text for text in shown if not text.startswith(("\\x", "\\u"))] == []
    assert render.safe(f"a{''.join(map(chr, unsafe))}b") == f"a{''.join(shown)}b"


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("one two three", None, ["one two three"]),
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "  three"]),
        ("  one two three", 9, ["  one two", "    three"]),
        ("see sched-backup-1763258400 there", 9, ["see", "  sched-backup-1763258400", "  there"]),
        ("in /a/long/path it is", 5, ["in", "  /a/long/path", "  it", "  is"]),
        ("\u4f60\u597d \u4f60\u597d", 8, ["\u4f60\u597d", "  \u4f60\u597d"]),
        ("one  two", 4, ["one", "  two"]),
        ("", 4, [""]),
    ],
)
def test_lines_are_wrapped_at_words(text: str, room: int | None, lines: list[str]) -> None:
    """What follows hangs below; no word is cut, though it be longer than there is room."""
    assert render.wrapped(text, room) == lines


@given(st.text("ab- \u4f60"), st.integers(1, 20))
def test_wrapping_loses_nothing(text: str, room: int) -> None:
    """Each word is there, in its order, and a line too long is a single word."""
    lines = render.wrapped(text, room)

    assert " ".join(lines).split() == text.split()
    assert all(render.width(line) <= room or len(line.split()) <= 1 for line in lines)


class _Glass(io.StringIO):
    """A terminal that stderr is."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("kind", "columns", "said"),
    [
        (_Glass, "8", "one two\n  three\nfour\n"),
        (_Glass, "0", "one two three\nfour\n"),
        (io.StringIO, "8", "one two three\nfour\n"),
    ],
    ids=["a terminal", "one without a width", "a pipe"],
)
def test_talk_is_wrapped_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, kind: type[io.StringIO], columns: str, said: str
) -> None:
    """Whoever reads a pipe gets whole lines."""
    stream = kind()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", columns)

    render.talk("one two three\nfour")

    assert stream.getvalue() == said


def test_a_question_is_wrapped_with_room_for_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is typed behind its last line."""
    stream = _Glass()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(Call, "on_terminal", True)
    monkeypatch.setenv("COLUMNS", "24")
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda said, **_: asked.append(said) is None)

    assert Call().agreed("Remove schedules all the same?", yes=False)

    assert stream.getvalue() == "Remove schedules\n"
    assert asked == ["  all the same?"]


def test_output_keeps_its_lines() -> None:
    """And its tabs; a lone carriage return would hide what was written before it."""
    assert render.safe("a\tb\r\nc\rd", lines=True) == "a\tb\nc\\x0dd"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be looked at, too."""
    render.write_json("test", {"name": "\x1b[31m\u202eü"})

    text = capsys.readouterr().out
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"schema": 1, "kind": "test", "name": "\x1b[31m\u202eü"}


def test_a_row_may_be_dimmed_as_a_whole() -> None:
    """Whatever tone its cells have by themselves; without colours nothing of it is seen."""
    rows = [("a", "failed"), ("b", "failed")]

    coloured = render.table(("NAME", "RESULT"), rows, toned=("RESULT",), colour=True, faint={1})

    assert coloured.splitlines()[1:] == [
        "a     \x1b[31mfailed\x1b[0m",
        "\x1b[2mb\x1b[0m     \x1b[2mfailed\x1b[0m",
    ]
    assert "\x1b" not in render.table(("NAME", "RESULT"), rows, faint={1})


def test_columns_are_aligned_by_what_is_seen() -> None:
    """Wide characters take two columns; colour takes none."""
    rows = [("日本", 1, "failed(exit 3)"), ("a", 20, None)]

    plain = render.table(("NAME", "N", "STATE"), rows, right=("N",), toned=("STATE",))
    coloured = render.table(
        ("NAME", "N", "STATE"), rows, right=("N",), toned=("STATE",), colour=True
    )

    assert plain == "NAME   N  STATE\n日本   1  failed(exit 3)\na     20  -\n"
    assert "\x1b[31mfailed(exit 3)\x1b[0m" in coloured


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0ms"), (0.0123, "12ms"), (1, "1s"), (59.9, "59s"), (60, "1min"), (61, "1min 1s"),
        (3600, "1h"), (3661, "1h 1min"), (3605, "1h"), (86_400 * 2 + 3600 * 5, "2d 5h"),
        (86_400 * 400, "400d"),
    ],
)  # fmt: skip
def test_durations_are_said_in_two_units_at_most(seconds: float, said: str) -> None:
    """Rounded down."""
    assert render.about(seconds) == said


ROWS = [("nightly-backup-of-everything", "failed(exit 3)", "2h"), ("x", "succeeded", "5s")]
FIT = {"elastic": ("NAME",), "spare": ("LEFT",)}


def test_a_table_with_room_enough_is_shown_whole() -> None:
    whole = render.table(("NAME", "RESULT", "LEFT"), ROWS)

    assert render.table(("NAME", "RESULT", "LEFT"), ROWS, room=50, **FIT) == whole
    assert render.table(("NAME", "RESULT", "LEFT"), ROWS, **FIT) == whole


def test_what_is_spare_goes_before_anything_is_cut() -> None:
    assert render.table(("NAME", "RESULT", "LEFT"), ROWS, room=47, **FIT) == (
        "NAME                          RESULT\n"
        "nightly-backup-of-everything  failed(exit 3)\n"
        "x                             succeeded\n"
    )


def test_what_is_elastic_is_cut_but_not_to_nothing() -> None:
    assert render.table(("NAME", "RESULT", "LEFT"), ROWS, room=30, **FIT) == (
        "NAME            RESULT\nnightly-backu\u2026  failed(exit 3)\nx               succeeded\n"
    )
    assert "nightly\u2026" in render.table(("NAME", "RESULT"), [ROWS[0][:2]], room=1, **FIT)
    assert "nightly-b\u2026" in render.table(
        ("NAME", "RESULT"), [ROWS[0][:2]], room=1, least={"NAME": 10}, **FIT
    )


def test_wide_characters_are_cut_by_the_columns_they_take() -> None:
    assert render.cut("\u65e5\u672c\u8a9e", 5) == "\u65e5\u672c\u2026"
    assert render.cut("\u65e5\u672c\u8a9e", 6) == "\u65e5\u672c\u8a9e"


CROWDED = [("nightly-backup-of-everything", "cron 0 2 * * *", "failed(exit 3)", "2h", "5s")]
HEADS = ("NAME", "SCHEDULE", "RESULT", "LEFT", "PASSED")


@pytest.mark.parametrize(
    ("room", "kept", "schedule"),
    [
        (74, "NAME SCHEDULE RESULT LEFT PASSED", "cron 0 2 * * *  "),
        (68, "NAME SCHEDULE RESULT LEFT PASSED", "cron 0 …  "),
        (67, "NAME SCHEDULE RESULT LEFT", "cron 0 2 * * *  "),
        (60, "NAME SCHEDULE RESULT LEFT", "cron 0 …  "),
        (59, "NAME RESULT LEFT", ""),
        (49, "NAME RESULT", ""),
        (1, "NAME RESULT", ""),
    ],
)
def test_where_cutting_is_not_enough_columns_go_one_by_one(
    room: int, kept: str, schedule: str
) -> None:
    """And what was cut for them is whole again, where there is room again."""
    table = render.table(
        HEADS, CROWDED, room=room, elastic=("SCHEDULE",), if_need_be=("PASSED", "SCHEDULE", "LEFT")
    )

    heads, cells = table.splitlines()
    assert heads.split() == kept.split()
    assert cells.startswith(f"nightly-backup-of-everything  {schedule}failed(exit 3)")


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (None, "alpha, beta, gamma"),
        (18, "alpha, beta, gamma"),
        (17, "alpha and 2 more"),
        (1, "alpha and 2 more"),
    ],
)
def test_of_words_in_a_row_those_that_fit_are_shown(room: int | None, said: str) -> None:
    """The first one in any case."""
    assert render.listed(["alpha", "beta", "gamma"], room) == said


@given(st.lists(st.text("ab\u65e5", min_size=1, max_size=9), min_size=1), st.integers(0, 60))
def test_words_in_a_row_are_all_shown_or_counted(words: list[str], room: int) -> None:
    """And fit, unless the first one alone does not."""
    said = render.listed(words, room)

    shown, _, rest = said.partition(" and ")
    left_out = int(rest.removesuffix(" more")) if rest else 0
    assert shown.split(", ") == words[: len(words) - left_out]
    assert render.width(said) <= room or len(shown.split(", ")) == 1


@pytest.mark.parametrize(
    ("said", "tone"),
    [
        ("succeeded", "good"),
        ("succeeded, 2 missed", "odd"),
        ("failed(exit 3), 2 missed", "bad"),
        ("2 missed", "odd"),
        ("running (2 active)", "good"),
        ("paused until", "dim"),
        ("Fri 02:00", ""),
    ],
)
def test_the_first_word_gives_the_tone(said: str, tone: str) -> None:
    """Unless something was missed, which is worse than a success and better than a failure."""
    assert render.tone(said) == tone
