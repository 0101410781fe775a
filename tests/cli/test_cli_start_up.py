"""Start-up is a feature: each command imports only what it uses, on any allowed Typer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import environment

from flytesched import __version__
from flytesched.cli.app import VERBS

if TYPE_CHECKING:
    from terminal import Terminal

#: Modules that take milliseconds; those that Typer itself imports do not count.
HEAVY = {
    "rich", "croniter", "filelock", "ctypes", "subprocess", "asyncio", "sqlite3", "tomli_w",
    "dateutil", "multiprocessing", "platformdirs", "difflib",
}  # fmt: skip
READING = {"sqlite3"}
#: What a command may import of them.
MAY = {
    "list": READING,
    "show backup": READING,
    "next": set(),
    "history": READING,
    "history backup": READING,
    "ps": READING,
    "logs backup": READING,
    "validate": {"croniter", "dateutil", "ctypes"},
    "enable backup-photos": {"filelock", "asyncio", "tomli_w"},
    "db check": READING,
    "db check --help": READING,
    "doctor": READING,
    "--version": set(),
    "list --help": READING,
}
_SAY = "import sys; print(*sorted(m for m in sys.modules if '.' not in m))"


def _modules(terminal: Terminal, code: str) -> set[str]:
    """Return the modules that are imported after a piece of code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_SAY}"], env=environment(terminal.home), text=True,
        check=True, capture_output=True,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", MAY)
def test_a_command_imports_only_what_it_uses(terminal: Terminal, words: str) -> None:
    """A row of the table above."""
    # What filelock brings along differs from version to version, and is not our choice.
    bare = _modules(terminal, "import typer" + ", filelock" * ("filelock" in MAY[words]))
    code = f"from flytesched.cli.app import main; main({words.split()!r})"

    found = _modules(terminal, code)

    assert (found - bare) & HEAVY <= MAY[words]


def test_only_the_verb_asked_for_is_imported(terminal: Terminal) -> None:
    """Not its twenty neighbours."""
    code = (
        "from flytesched.cli.app import main, VERBS; import sys; main(['list', '-q']);"
        "print(*[v for v in VERBS if f'flytesched.cli.{v}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(terminal.home), text=True, check=True,
        capture_output=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "list"


@pytest.mark.parametrize(("words", "after"), [("list", 100_000), ("run --once", 700)])
def test_garbage_is_collected_where_it_matters(terminal: Terminal, words: str, after: int) -> None:
    """A short command ends before there is any; a scheduler stays, and collects as all do."""
    code = (
        f"import gc, sys; from flytesched.__main__ import main; sys.argv[1:] = {words.split()!r};"
        "main(); print(gc.get_threshold()[0], gc.get_freeze_count() > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(terminal.home), text=True, check=True,
        capture_output=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == f"{after} True"


def test_help_lists_every_verb_with_a_sentence(empty: Terminal) -> None:
    """None is cut off at 80 columns."""
    lines = empty.ok("--help").out.partition("Commands:")[2].splitlines()
    listed = [line.split()[0] for line in lines if line.strip()]

    assert listed == list(VERBS)
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(empty: Terminal, verb: str) -> None:
    """With the global options."""
    said = empty.ok(verb, "--help").out

    assert f"Usage: flytesched {verb} " in said
    assert "--manifest FILE" in said


def test_the_version_is_told(empty: Terminal) -> None:
    """On stdout."""
    assert empty.ok("--version").out == f"flytesched {__version__}\n"


def test_a_bug_is_a_sentence_unless_debugged(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody wants a traceback but who asks for it."""

    # The bug has to be planted somewhere; there is none to be found otherwise.
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of a kind")

    monkeypatch.setattr("flytesched.cli.list.listed", broken)

    plain, debugged = terminal.run("list"), terminal.run("list", "--debug")

    assert plain.code == debugged.code == 1
    assert plain.err.startswith("flytesched: unexpected: ZeroDivisionError: of a kind\nhint: ")
    assert "Traceback" in debugged.err


def test_a_wrong_choice_is_said_in_the_words_of_a_person(empty: Terminal) -> None:
    """Whatever library found it."""
    answer = empty.run("catchup", "--policy", "foo")
    assert answer.code == 2
    assert "'foo' is not one of" in answer.err
    assert "Value error" not in answer.err
