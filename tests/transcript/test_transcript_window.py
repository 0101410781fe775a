"""The yardstick of the transcript: a window that notices what a person would be annoyed by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from still import cut_ids, still, without
from window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    """Give a narrow window."""
    window = Window(20, {"PATH": "/usr/bin:/bin"}, tmp_path, "narrow")
    yield window
    window.close()


def test_a_window_shows_what_is_typed_and_what_comes_out(window: Window) -> None:
    """Without the prompt that waits; and how it ended."""
    assert window.type("echo one; false") == 1
    assert window.look() == "$ echo one; false\none\n"
    assert window.type("echo two") == 0
    assert window.look() == "$ echo two\ntwo\n"


def test_output_that_runs_over_is_noticed(window: Window) -> None:
    """By one character; what just fits is not."""
    window.type("printf %021d 1; echo")
    assert window.wrapped == ("0" * 20,)
    window.type("printf %020d 1; echo")
    assert window.wrapped == ()


def test_what_is_typed_may_run_over(window: Window) -> None:
    """A shell lets it go on in the next line."""
    window.type(f"echo two > /dev/null; # {'x' * 30}")

    assert window.wrapped == ()


def test_a_line_that_is_drawn_again_does_not_run_over(window: Window) -> None:
    """As that of a progress bar."""
    window.type(r"printf '%018d\r' 1 2; echo")

    assert window.wrapped == ()


def test_colours_are_seen(window: Window) -> None:
    """Of each place where a word stands; that of what is typed is none."""
    window.type(r"printf '\33[31m%s\33[0m\n' bad; printf '\33[1m%s\33[0m\n' b''ig")

    assert window.tone("bad") == {"default", "red"}
    assert window.tone("big") == {"bold"}


@pytest.mark.parametrize(
    ("shown", "held"),
    [
        ("sched-a.b-1795261370 x", "sched-a.b-<time> x"),
        ("manual-back-up-1795261378230", "manual-back-up-<time>"),
        ("at 2026-11-22 02:30:00+01:00.", "at <time>."),
        ("2026-11-21T11:42:35.969Z info", "<time> info"),
        ("12:42:50  pulse", "<time>  pulse"),
        ("backup  daily 02:30  Fri 02:30", "backup  daily 02:30  <time>"),
        ("Thu 26 Nov 12:00 x", "<time> x"),
        ("every 10s  in 2h 5min", "every 10s  in <while>"),
        ("pid=17 pid 18", "pid=<pid> pid <pid>"),
        ("a      b", "a  b"),
        ("/home/me/x", "~/x"),
        ("failed(exit 3)", "failed(exit 3)"),
    ],
)
def test_what_differs_from_day_to_day_is_a_placeholder(shown: str, held: str) -> None:
    """And nothing else is."""
    assert still(shown, "/home/me") == held


def test_counts_are_placeholders_where_asked() -> None:
    """Where slots go on falling due."""
    assert still("pulse  12  x", "~", counts=False) == "pulse  <n>  x"
    assert still("1 run: 1 succeeded", "~", counts=False) == "<n> runs: <n> succeeded"


def test_columns_that_may_have_no_room_are_left_out() -> None:
    """Of the table alone, and whether they are there or not."""
    shown = "$ history\nx  ✓  y\n\nWHEN  LAG  RUN\n<time>  -  id\n"

    assert without(shown, frozenset({"LAG", "TRY"})) == (
        "$ history\nx  ✓  y\n\nWHEN  RUN\n<time>  id\n"
    )


def test_an_id_that_was_cut_is_found() -> None:
    """A whole one is not, nor what only looks a little like one."""
    text = "sched-pulse-1795261370 sched-pulse-17952\u2026 manual-x retry-a-1795261378230: re-tried"

    assert cut_ids(text) == ["sched-pulse-17952\u2026", "manual-x"]
