"""Start-up is a feature: each command imports only what it uses, on any allowed Typer."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
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
    "dateutil", "multiprocessing", "platformdirs", "difflib", "holidays",
}  # fmt: skip
READING = {"sqlite3"}
#: What a command may import of them.
MAY = {
    "list": READING,
    "list --quiet": set(),
    "show backup": READING,
    # How long runs usually take stands in the run log; a calendar asks no more than the manifest.
    "next": READING,
    "next --calendar": set(),
    "calendars": set(),
    "explain backup": set(),
    "explain @daily": {"croniter", "dateutil", "ctypes"},
    "history": READING,
    "history backup": READING,
    "history backup --strip": READING,
    "stats": READING,
    "ps": READING,
    # rich draws the live screen; what is for programs is not drawn.
    "top --once": READING | {"rich"},
    "top --json": READING,
    "revisions backup": READING,
    "logs backup": READING,
    "validate": {"croniter", "dateutil", "ctypes"},
    "enable backup-photos": {"filelock", "asyncio", "tomli_w"},
    "pause backup --for 2h": {"filelock", "asyncio", "tomli_w"},
    "pause backup --for 2h --dry-run": {"tomli_w"},
    "config": set(),
    "export crontab": set(),
    "db check": READING,
    "db check --help": READING,
    # It asks the kernel who keeps the clock and, where systemd runs, systemctl.
    "doctor": READING | {"ctypes", "subprocess"},
    "notify list": READING,
    "notify history": READING,
    "--version": set(),
    "list --help": READING,
}
#: Rooms of our own that only a scheduler, or a command that writes, has to enter. The values of
#: each, and their regular expressions, are made when it is imported: a millisecond or two.
DECIDING = (
    "executors", "hooks", "scheduler", "wakeup", "runlog.sqlite", "runlog.upkeep", "runlog.wishes",
    "core.agenda", "core.decision", "core.lane", "core.lanes", "core.planner", "core.sight",
    "core.tally",
)  # fmt: skip
EDITING = ("manifest.edit", "manifest.splice", "manifest.toml")
#: What short commands do without.
WITHOUT = {
    "list": (*DECIDING, *EDITING, "lock", "runlog.history", "cli.screen", "cli.short"),
    "list --quiet": (*DECIDING, *EDITING, "lock", "runlog", "core.runs", "cli.times"),
    "list --json": (*DECIDING, *EDITING, "lock", "runlog.history"),
    "next": (*DECIDING, *EDITING, "lock", "runlog.history"),
    "next --calendar": (*DECIDING, *EDITING, "lock", "runlog"),
    "calendars": (*DECIDING, *EDITING, "lock", "runlog", "core.runs", "second_opinion"),
    "explain backup": (*DECIDING, *EDITING, "lock", "runlog", "core.runs", "second_opinion"),
    "show backup": (*DECIDING, *EDITING, "lock"),
    "status": (*DECIDING, *EDITING, "runlog.history", "cli.screen", "cli.short"),
    "history": (*DECIDING, *EDITING, "lock", "cli.pictures", "cli.account"),
    "stats": (*DECIDING, *EDITING, "lock"),
    "revisions report": (*DECIDING, "manifest.edit", "lock", "runlog.history"),
    "ps": (*DECIDING, *EDITING, "lock", "runlog.history"),
    "enable report": (*DECIDING, "lock", "runlog", "core.runs", "second_opinion"),
    "disable report": (*DECIDING, "lock", "runlog", "core.runs", "second_opinion"),
    "pause backup --for 2h": (*DECIDING, "lock", "runlog", "core.runs", "second_opinion"),
    "config": (*DECIDING, *EDITING, "lock", "runlog", "core.runs", "second_opinion"),
    "set report --timeout 2h": (*DECIDING, "runlog", "core.runs", "second_opinion"),
}


def _modules(terminal: Terminal, code: str) -> set[str]:
    """Return the modules that are imported after a piece of code, those below packages too."""
    say = "import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{say}"], env=environment(terminal.home), text=True,
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


@pytest.mark.parametrize("words", WITHOUT)
def test_a_short_command_does_without_what_decides(terminal: Terminal, words: str) -> None:
    """A row of the table above; it answers all the same."""
    code = f"from flytesched.cli.app import main; assert main({words.split()!r}) == 0"

    found = _modules(terminal, code)

    assert found & {f"flytesched.{room}" for room in WITHOUT[words]} == set()


def test_what_reaches_servers_is_imported_by_the_process_that_sends(empty: Terminal) -> None:
    """And by no other: not by whoever tries a channel."""
    empty.write("version = 1\n[channels.ops]\nkind = 'mail'\nto = 'root'\nport = 1\n")
    code = "from flytesched.cli.app import main; assert main(['notify', 'test']) == 1"

    found = _modules(empty, code)

    assert "flytesched.service.notifying" in found
    sends = {"ssl", "smtplib", "http", "flytesched.hooks.sender"}
    assert found & {*sends, "flytesched.runlog.database"} == set()


def test_the_rooms_that_are_done_without_are_there() -> None:
    """Or a table would go on forbidding what has long had another name."""
    rooms = sorted({room for rooms in WITHOUT.values() for room in rooms})

    assert [room for room in rooms if find_spec(f"flytesched.{room}") is None] == []


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


@pytest.mark.parametrize(("words", "after"), [("list", 100_000), ("run --once", 10_000)])
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
