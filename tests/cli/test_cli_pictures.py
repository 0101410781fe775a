"""Pictures made of text: each says by its shape what it says, in Unicode and in ASCII."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.cli import render
from flytesched.cli.pictures import bar, drawable, legend, shade, strip
from flytesched.core.runs import ACTIVE, VERDICTS
from flytesched.runlog.history import MISSED

#: What a history shows.
WORDS = [*sorted(VERDICTS), MISSED, *sorted(ACTIVE)]
PARTS = st.floats(0, 1)


@pytest.mark.parametrize("plain", [False, True])
def test_each_verdict_has_a_glyph_of_its_own(plain: bool) -> None:
    """The active states share one."""
    glyphs = {word: strip([word], plain=plain) for word in WORDS}

    assert len(set(glyphs.values())) == len(WORDS) - len(ACTIVE) + 1
    assert len({glyphs[word] for word in ACTIVE}) == 1


@pytest.mark.parametrize("word", WORDS)
def test_a_glyph_takes_one_column_in_every_font(word: str) -> None:
    """Those of ambiguous width take two where East Asian fonts are used."""
    glyph = strip([word])

    assert unicodedata.east_asian_width(glyph) in {"N", "Na"}
    assert not unicodedata.combining(glyph)
    assert strip([word], plain=True).isascii()


def test_the_newest_run_stands_on_the_right() -> None:
    """As time goes."""
    statuses = ["succeeded", "succeeded", "failed", "timed_out", "missed", "running"]

    assert strip(statuses) == "✓✓✗◷◌▸"
    assert strip(statuses, plain=True) == "..FTm>"
    assert strip([]) == ""


def test_colour_comes_beside_the_glyphs_once_for_neighbours_alike() -> None:
    """A strip of fifty runs is no kilobyte of escapes."""
    painted = strip(["succeeded"] * 3 + ["failed"], paint=render.painter(colour=True))

    assert painted == "\x1b[32m✓✓✓\x1b[0m\x1b[31m✗\x1b[0m"


def test_a_legend_tells_only_what_is_there() -> None:
    """In one order, whatever came first."""
    assert legend(["failed", "timed_out", "succeeded", "failed"]) == [
        "✓ succeeded", "✗ failed", "◷ timed out",
    ]  # fmt: skip
    assert legend(["queued", "running"], plain=True) == ["> active"]


@pytest.mark.parametrize(
    ("part", "drawn", "plain"),
    [
        (0, "    ", "----"), (1, "████", "####"), (0.5, "██  ", "##--"), (0.53, "██▏ ", "##--"),
        (1e-9, "▏   ", "#---"), (1 - 1e-9, "███▉", "###-"), (-1, "    ", "----"),
        (7, "████", "####"),
    ],
)  # fmt: skip
def test_a_bar_is_empty_for_nothing_and_full_for_all_alone(
    part: float, drawn: str, plain: str
) -> None:
    """A thousandth that failed is seen."""
    assert bar(part, 4) == drawn
    assert bar(part, 4, plain=True) == plain


@given(parts=st.lists(PARTS, min_size=2, max_size=2).map(sorted), width=st.integers(1, 200))
def test_a_bar_has_its_width_and_never_shrinks_as_its_part_grows(
    parts: list[float], width: int
) -> None:
    """In both forms."""
    less, more = parts

    for plain in (False, True):
        assert len(bar(less, width, plain=plain)) == width
    assert bar(less, width, plain=True).count("#") <= bar(more, width, plain=True).count("#")
    assert bar(less, width).count("█") <= bar(more, width).count("█")


@given(part=PARTS)
def test_a_shade_is_blank_for_nothing_alone(part: float) -> None:
    """One call in a week is seen."""
    assert (shade(part) == " ") == (shade(part, plain=True) == " ") == (part == 0)
    assert (shade(1), shade(1, plain=True)) == ("█", "#")


@pytest.mark.parametrize(
    ("encoding", "terminal", "can"),
    [
        ("utf-8", "xterm-256color", True), ("UTF-8", None, True), ("utf-8", "linux", False),
        ("utf-8", "dumb", False), ("ascii", "xterm", False), ("latin-1", "xterm", False),
        (None, "xterm", False), ("no-such-encoding", "xterm", False),
    ],
)  # fmt: skip
def test_pictures_are_plain_where_their_glyphs_cannot_be_shown(
    encoding: str | None, terminal: str | None, can: bool
) -> None:
    """By the encoding of stdout, and on a text console."""
    assert drawable(encoding, terminal) is can
