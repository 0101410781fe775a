"""Watching: redrawn in place, whatever is pressed or sent, and the terminal left as it was."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from watched import ENTERED, Watched

from desk import wait_for
from flytesched.cli.render import width
from flytesched.cli.screen import clipped, fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terminal import Terminal


@pytest.fixture
def watch(terminal: Terminal) -> Iterator[Callable[..., Watched]]:
    """Give a way to watch at the terminal with three schedules."""
    begun: list[Watched] = []

    def begin(*words: str, before: str = "") -> Watched:
        begun.append(Watched(terminal.home, *words, before=before))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.close(force=True)


def add(terminal: Terminal, name: str) -> None:
    """Add a schedule by hand."""
    text = f'[schedules.{name}]\nevery = "1h"\ncommand = "true"\n'
    terminal.write(f"{terminal.manifest.read_text()}\n{text}")


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("list", "NAME "),
        ("status", "scheduler: "),
        ("ps", "nothing is active"),
        ("history", "WHEN "),
    ],
)
def test_what_is_looked_at_often_can_be_watched(
    watch: Callable[..., Watched], words: str, seen: str
) -> None:
    """Until q; the first line says what it is and how it ends."""
    watched = watch(words, "--watch")
    watched.sees(seen)

    head = watched.look()[0]
    watched.process.send("q")

    assert watched.end() == 0
    assert head.endswith(f"flytesched {words}, every 2 s; q or Ctrl-C ends it")
    assert watched.left_as_it_was()


def test_it_is_drawn_over_what_was_drawn_before(
    terminal: Terminal, watch: Callable[..., Watched]
) -> None:
    """What has gone is gone, what is new is there; nothing flickers, wraps or scrolls."""
    watched = watch("list", "--interval", "0.1")
    watched.sees("report ")

    add(terminal, "new-one")
    watched.sees("new-one ")
    terminal.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')
    watched.sees("1 schedule")
    screen = watched.look()
    watched.process.sendintr()

    assert watched.end() == 0
    assert not any("backup" in line or "report" in line for line in screen)
    assert watched.glass.wiped == watched.glass.scrolled == 0
    assert watched.left_as_it_was()


def test_what_goes_wrong_meanwhile_is_shown_until_it_is_mended(
    terminal: Terminal, watch: Callable[..., Watched]
) -> None:
    """A watch is there to see that, too."""
    watched = watch("list", "--interval", "0.1")
    watched.sees("report ")
    whole = terminal.manifest.read_text()

    terminal.write(f"{whole}\nnonsense\n")
    watched.sees("flytesched: ")
    terminal.write(whole)
    watched.sees("report ")
    watched.process.send("q")

    assert watched.end() == 0


def test_a_key_looks_at_once(terminal: Terminal, watch: Callable[..., Watched]) -> None:
    """However long the interval; what is typed does not show."""
    watched = watch("list", "--interval", "3600")
    watched.sees("report ")

    add(terminal, "new-one")
    watched.process.send(" ~")
    watched.sees("new-one ")

    assert not any("~" in line for line in watched.look())
    watched.process.send("q")
    assert watched.end() == 0


def test_it_follows_the_size_of_the_terminal(watch: Callable[..., Watched]) -> None:
    """What does not fit into its height is counted in the last line."""
    watched = watch("list", "--interval", "3600")
    watched.sees("report ")

    watched.resize(4, 60)
    watched.sees("and 4 lines more")
    small = watched.look()
    watched.resize(24, 100)
    watched.sees("no scheduler is running")
    watched.process.send("q")

    assert watched.end() == 0
    assert small[1].startswith("NAME ")
    assert watched.glass.scrolled == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_ends_it_with_the_terminal_as_it_was(
    watch: Callable[..., Watched], number: signal.Signals
) -> None:
    """And whoever sent it can tell that it was that."""
    watched = watch("status", "--watch")
    watched.sees("scheduler: ")

    os.kill(watched.process.pid, number)

    assert watched.end() == -number
    assert watched.left_as_it_was()


def test_stopped_it_gives_the_terminal_back_and_takes_it_again(
    watch: Callable[..., Watched],
) -> None:
    """As Ctrl-Z and fg do."""
    watched = watch("list", "--interval", "3600")
    watched.sees("report ")

    watched.process.sendcontrol("z")
    wait_for("a stop", lambda: watched.look() and watched.left_as_it_was())
    before = watched.frames()
    os.kill(watched.process.pid, signal.SIGCONT)
    wait_for("another look", lambda: watched.frames() > before)
    watched.process.send("q")

    assert watched.end() == 0
    assert watched.raw.count(ENTERED) == 2
    assert watched.left_as_it_was()


def test_without_keys_it_is_ended_by_a_signal_alone(watch: Callable[..., Watched]) -> None:
    """What stdin holds is nobody's wish."""
    watched = watch("list", "--interval", "0.1", before="</dev/null")
    watched.sees("report ")
    drawn = watched.frames()
    wait_for("another look", lambda: watched.frames() > drawn)

    watched.process.sendintr()

    assert watched.end() == 0
    assert watched.left_as_it_was()


def test_a_mistake_is_told_as_without_a_watch(watch: Callable[..., Watched]) -> None:
    """The screen is not even entered."""
    watched = watch("list", "bakup", "--watch")

    assert watched.end() == 3
    assert ENTERED not in watched.raw
    assert b"did you mean 'backup'?" in watched.raw


@pytest.mark.parametrize("words", ["list --watch", "history -w", "status --interval 5"])
def test_without_a_terminal_there_is_no_watch(terminal: Terminal, words: str) -> None:
    """A pipe would fill with screens."""
    said = terminal.run(*words.split())

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("flytesched: --watch needs a terminal to draw on\nhint: ")


@pytest.mark.parametrize(
    ("words", "environ", "what"),
    [
        ("list -w --json", {}, "--watch and --json do not go together"),
        ("--json ps -w", {}, "--watch and --json do not go together"),
        ("list -w", {"TERM": "dumb"}, "--watch needs a terminal to draw on"),
        ("list --interval 0", {}, "--interval: 0 is no number of seconds that can be waited"),
        ("list --interval nan", {}, "--interval: nan is no number of seconds that can be waited"),
        ("list --interval 1e9", {}, "--interval: 1e+09 is no number of seconds that can be waited"),
        ("list --interval soon", {}, "invalid value for '--interval': "),
    ],
)
def test_what_cannot_be_watched_is_refused(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    environ: dict[str, str],
    what: str,
) -> None:
    """With exit code 2, before anything is drawn."""
    for name, value in ({"TERM": "xterm"} | environ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)  # pytest's is a file

    said = terminal.run(*words.split())

    assert (said.code, said.out) == (2, "")
    assert what in said.err


# -- cutting ------------------------------------------------------------------------------------


def test_lines_that_do_not_fit_are_counted() -> None:
    """In the last line there is, if there is one."""
    lines = ["a", "b", "c", "d"]

    assert fitted(lines, 4) == lines
    assert fitted(lines, 3) == ["a", "b", "and 2 lines more"]
    assert fitted(lines, 1) == ["and 4 lines more"]
    assert fitted(lines, 0) == []


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("\x1b[31mred\x1b[0m and more", 7, "\x1b[31mred\x1b[0m an…"),
        ("\x1b[31mred and more\x1b[0m", 4, "\x1b[31mred…\x1b[0m"),
        ("ab\x1b[2mcd\x1b[0m", 2, "ab\x1b[2m\x1b[0m"),
        ("日本語", 5, "日本…"),
    ],
)
def test_a_line_is_cut_by_what_is_seen_of_it(line: str, columns: int, shown: str) -> None:
    """Colours take no room, and end where they did."""
    assert clipped(line, columns) == shown
    plain = clipped(line, columns).replace("\x1b[31m", "").replace("\x1b[2m", "")
    assert width(plain.replace("\x1b[0m", "")) <= columns
