"""When a string needs no shell."""

from __future__ import annotations

import pytest

from flytesched.executors.words import plain_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("backup", ["backup"]),
        ("/usr/bin/backup --to=/mnt/a,b  -v\tx@y:z", None),
        ("python3 -m app.jobs 10% +1", ["python3", "-m", "app.jobs", "10%", "+1"]),
    ],
)
def test_a_simple_command_is_cut_at_its_blanks(text: str, words: list[str] | None) -> None:
    """Which is all that a shell would do with it."""
    assert plain_words(text) == (words or text.split())


@pytest.mark.parametrize(
    "text",
    [
        "a; b", "a && b", "a | b", "a > b", "a < b", "a &", "a\nb", "a $B", "a `b`", "a 'b'",
        'a "b"', "a \\b", "a *", "a ?", "a [b]", "a {b,c}", "a ~", "a #b", "(a)", "! a", "a !b",
        "A=b c", "A=b", "a ^b", "ü", "",
    ],
)  # fmt: skip
def test_shell_syntax_is_left_to_the_shell(text: str) -> None:
    """Any character that means something, and any that might."""
    assert plain_words(text) is None


@pytest.mark.parametrize(
    "text",
    ["cd /tmp", "echo hi", "exit 3", ": ok", ". file", "test -f x", "time a", "if a", "wait"],
)
def test_words_of_the_shell_itself_are_left_to_it(text: str) -> None:
    """It has no program for them, or another one."""
    assert plain_words(text) is None
