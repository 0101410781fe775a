"""Commands with subcommands: found, helped with and refused as verbs are."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from flytesched.cli import app
from flytesched.cli.verb import verb

if TYPE_CHECKING:
    from terminal import Terminal

    from flytesched.cli.call import Call


@verb(reads=True)
def feed(call: Call) -> None:
    """Feed the cat; it answers."""
    call.line(f"{call.state_dir} {'json ' * call.json}{'utc' * call.utc}".rstrip())


@verb()
def stroke(call: Call) -> int:
    """Stroke the cat, who minds."""
    call.talk("scratched")
    return 7


@pytest.fixture(autouse=True)
def cat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a verb that has two subcommands, so that no real one need be run on every path."""
    file = ModuleType("flytesched.cli.cat")
    file.HELP, file.COMMANDS = "Look after the cat.", {"feed": feed, "stroke": stroke}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setattr(app, "VERBS", (*app.VERBS, "cat"))


def test_a_subcommand_is_carried_out(empty: Terminal) -> None:
    """Its exit code is the command's."""
    said = empty.run("cat", "stroke")

    assert (said.code, said.err) == (7, "scratched\n")


@pytest.mark.parametrize(
    "words",
    [
        "--state-dir elsewhere --json --utc cat feed",
        "cat --state-dir elsewhere --json --utc feed",
        "cat feed --state-dir elsewhere --json --utc",
        "--json cat --utc feed --state-dir elsewhere",
        "--state-dir here cat --state-dir elsewhere --json --utc feed",
        "cat --state-dir here --json feed --utc --state-dir elsewhere",
    ],
)
def test_global_options_stand_anywhere(empty: Terminal, words: str) -> None:
    """Before the verb, behind the subcommand and in between; the last one counts."""
    assert empty.ok(*words.split()).out == "elsewhere json utc\n"


def test_the_verb_alone_shows_what_there_is_as_misuse(empty: Terminal) -> None:
    """As the program itself does."""
    said = empty.run("cat")

    assert said.code == 2
    assert "Usage: flytesched cat " in said.out
    assert [line.split()[0] for line in said.out.partition("Commands:\n")[2].splitlines()] == [
        "feed",
        "stroke",
    ]


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("cat --help", "Usage: flytesched cat "),
        ("cat -h", "Usage: flytesched cat "),
        ("cat --help feed", "Usage: flytesched cat "),
        ("cat feed --help", "Usage: flytesched cat feed "),
        ("--utc cat feed -h", "Usage: flytesched cat feed "),
    ],
)
def test_help_is_there_for_both_words(empty: Terminal, words: str, usage: str) -> None:
    """Who asks for it has done nothing wrong."""
    said = empty.ok(*words.split()).out

    assert said.startswith(usage)
    assert "--manifest FILE" in said


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        ("cat fed", "there is no command 'cat fed'", "did you mean 'feed'?"),
        ("--utc cat --json fed", "there is no command 'cat fed'", "did you mean 'feed'?"),
        ("cat wash", "there is no command 'cat wash'", "see flytesched cat --help"),
        ("cat --bogus feed", "no such option: --bogus", "see flytesched cat feed --help"),
        ("cat feed --bogus", "no such option: --bogus", "see flytesched cat feed --help"),
        ("cat --bogus", "no such option: --bogus", "see flytesched cat --help"),
        ("cat feed fish", "got unexpected extra argument", "see flytesched cat feed --help"),
        ("cat --json stroke", "cat stroke has no --json", "it is for commands that read"),
    ],
)
def test_what_is_wrong_behind_the_verb_is_said(
    empty: Terminal, words: str, says: str, hint: str
) -> None:
    """With both words, and the help that helps."""
    said = empty.run(*words.split())

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"flytesched: {says}")
    assert said.err.endswith(f"hint: {hint}\n")


def test_a_neighbour_needs_no_subcommand(empty: Terminal) -> None:
    """The second word of another verb stays its argument."""
    assert empty.run("show", "feed").code == 5
