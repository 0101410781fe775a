"""The man pages name every command, option and key, and nothing more; their examples work."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.cli import moments
from flytesched.cli.completions import Verb, commands, global_options
from flytesched.cli.definition import OPTIONS, flag
from flytesched.core.calendars import Calendar
from flytesched.core.instants import parse_instant, rfc3339_local
from flytesched.core.keys import ALL_KEYS
from flytesched.core.runs import RunStatus
from flytesched.core.telling.channels import CHANNEL_KEYS
from flytesched.core.telling.punctuality import WATCHED
from flytesched.errors import FlyteschedError
from flytesched.manifest import read
from flytesched.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "man"
COMMANDS = FOLDER / "flytesched.1"
RUN = FOLDER / "flytesched-run.1"
MANIFEST = FOLDER / "flytesched.toml.5"
PAGES = sorted(FOLDER.iterdir())
KEYS_SECTION = "Options for keys"
BERLIN = "Europe/Berlin"


def _sections(page: Path, macro: str) -> dict[str, str]:
    """Return the text below each heading."""
    parts = re.split(rf"^\.{macro} (.+)\n", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _options(text: str) -> set[str]:
    """Return the options that items of a list describe."""
    items = re.findall(r"^\.It (Fl .+)", text, flags=re.MULTILINE)
    words = [word for item in items for word in re.findall(r"Fl (\S+)", item)]
    return {f"-{word}" for word in words}


def _flags(verb: Verb) -> set[str]:
    return {flag for option in verb.options for flag in option.flags}


GLOBAL = {flag for option in global_options() for flag in option.flags}
OF_KEYS = {flag(option.name) for option in OPTIONS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_groff_has_nothing_to_say(page: Path) -> None:
    """No warning of any kind."""
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")

    done = subprocess.run(
        ["groff", "-ww", "-mandoc", "-Tutf8", page], capture_output=True, check=True
    )

    assert done.stderr == b""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_has_nothing_to_say(page: Path) -> None:
    """Nor of style; which other pages there are is the machine's business."""
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")

    done = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if "referenced manual not" not in line]

    assert found == []


def test_every_page_is_in_the_wheel() -> None:
    """Where man looks for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    for page in PAGES:
        section = page.suffix.removeprefix(".")
        assert shared.get(f"man/{page.name}") == f"share/man/man{section}/{page.name}"


def test_the_pages_name_each_other() -> None:
    """Below "see also"; none refers to a page of ours that is not there."""
    names = {f"{page.stem} {page.suffix[1:]}" for page in PAGES}

    for page in PAGES:
        also = set(re.findall(r"^\.Xr (flytesched\S* \d)", page.read_text(), flags=re.MULTILINE))
        assert also == names - {f"{page.stem} {page.suffix[1:]}"}, page.name


def test_every_command_has_a_section_and_nothing_else_has() -> None:
    """In the order of the help; a subcommand with both of its words."""
    found = [name for name in _sections(COMMANDS, "Ss") if name != KEYS_SECTION]

    assert found == [command.name for command in commands()]


@pytest.mark.parametrize("verb", commands(), ids=lambda verb: verb.name)
def test_a_command_has_the_options_that_its_section_says(verb: Verb) -> None:
    """The global ones and those for keys have sections of their own; run has a page."""
    section = _sections(COMMANDS, "Ss")[verb.name].partition("\n.Sh ")[0]
    if verb.name == "run":
        assert _options(section) == set()
        section = _sections(RUN, "Sh")["OPTIONS"]
    apart = GLOBAL | (OF_KEYS if verb.name in {"add", "set"} else set())

    assert _options(section) == _flags(verb) - apart


def test_the_options_for_keys_are_all_there() -> None:
    """Made from the table of keys."""
    assert _options(_sections(COMMANDS, "Ss")[KEYS_SECTION]) == OF_KEYS


def test_the_global_options_are_all_there() -> None:
    """Those that stand before a command."""
    assert _options(_sections(COMMANDS, "Sh")["GLOBAL OPTIONS"]) == GLOBAL


def test_every_exit_code_of_an_error_is_there() -> None:
    """Each class of errors owns one."""
    section = _sections(COMMANDS, "Sh")["EXIT STATUS"]
    found = {int(code) for code in re.findall(r"^\.It (\d+)", section, flags=re.MULTILINE)}

    assert found == {0, 130} | {kind.exit_code for kind in _tree(FlyteschedError)}


def _tree(kind: type[FlyteschedError]) -> set[type[FlyteschedError]]:
    return {kind}.union(*map(_tree, kind.__subclasses__()))


def _keys(*headings: str) -> set[str]:
    sections = _sections(MANIFEST, "Sh")
    items = [
        item
        for heading in headings
        for item in re.findall(r"^\.It Cm (.+)", sections[heading], flags=re.MULTILINE)
    ]
    return {key for item in items for key in item.split(" , ")}


def test_every_key_of_a_schedule_is_there() -> None:
    """And no other."""
    assert _keys("TIMETABLES", "KEYS") == set(ALL_KEYS)


def test_every_key_of_a_calendar_is_there() -> None:
    """Python keeps the name of one for itself."""
    names = {field.name.removesuffix("_") for field in fields(Calendar) if field.init}

    assert _keys("CALENDARS") == names - {"name"}


def test_every_key_of_a_channel_is_there() -> None:
    assert _keys("CHANNELS") == set(CHANNEL_KEYS)


def test_every_setting_of_the_manifest_is_there() -> None:
    """Those that are set elsewhere are not."""
    assert _keys("SETTINGS") == {name for name, each in SETTINGS.items() if each.in_manifest}


def test_times_mean_what_the_page_says() -> None:
    """On the day that it takes for an example, where the past is asked about."""
    section = _sections(COMMANDS, "Sh")["HOW TO WRITE TIMES"]
    rows = re.findall(r"^\.It (.+) Ta (.+)$", section, flags=re.MULTILINE)
    noon = parse_instant("2026-11-26T12:00:00", BERLIN)

    found = [
        (text, rfc3339_local(moments.read(text, now=noon, zone=BERLIN, ahead=False), BERLIN))
        for text, _ in rows
    ]

    assert rows == [(text, said[:16].replace("T", " ")) for text, said in found]
    assert len(rows) > 10


# -- what the loop says -------------------------------------------------------------------------


def _events() -> Iterator[str]:
    """Yield the events that are written to stderr, as far as their words stand in the code."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="say"), args=[_, ast.Constant(value), *_]):
                    yield value
                case ast.Call(func=ast.Attribute(attr="say"), args=[_, ast.JoinedStr(parts), *_]):
                    yield "".join(each.value for each in parts if isinstance(each, ast.Constant))


def test_every_event_of_the_loop_is_there() -> None:
    """And no other; verdicts are events, too, and so is what a run is watched for."""
    items = re.findall(r"^\.It Sy (.+)", _sections(RUN, "Sh")["LOG LINES"], flags=re.MULTILINE)
    found = {event for item in items for event in item.split(" , ")}
    ends = {status.value for status in RunStatus} - {"queued", "claimed", "running"}

    watched = {event.value for event in WATCHED}

    assert found == {event.strip(" ;") for event in _events()} | ends | watched


# -- examples -----------------------------------------------------------------------------------

#: What stands in a page for a character that would mean something else there.
_ESCAPES = {r"\&": "", r"\(aq": "'", r"\(dq": '"', r"\e": "\\"}


def _displays(page: Path, heading: str | None = None) -> list[str]:
    """Return the literal displays of a page, or of one section, as a reader sees them."""
    text = page.read_text() if heading is None else _sections(page, "Sh")[heading]
    found = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r"\\(&|\((?:aq|dq)|e)", lambda at: _ESCAPES[at[0]], each) for each in found]


@pytest.mark.parametrize("page", [COMMANDS, RUN], ids=lambda page: page.name)
def test_the_examples_do_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """In their order, in one shell and an empty home; ``...`` stands for anything.

    What stands behind ``$`` is typed; ``#`` is for root, and left out.
    """
    text = "".join(_displays(page, "EXAMPLES"))
    parts = re.split(r"^([$#] .*)\n", text, flags=re.MULTILINE)
    typed = [
        (line[2:], shown)
        for line, shown in zip(parts[1::2], parts[2::2], strict=True)
        if line.startswith("$ ")
    ]

    said = _typed([command for command, _ in typed], tmp_path)

    for (command, shown), (code, out) in zip(typed, said, strict=True):
        alike = OutputChecker().check_output(shown, out, ELLIPSIS | NORMALIZE_WHITESPACE)
        assert code == 0, f"$ {command}\n{out}"
        assert alike, f"$ {command}\n{out}\nis shown as\n{shown}"


def _typed(lines: list[str], home: Path) -> list[tuple[int, str]]:
    """Type lines into a shell, and return the exit code and the output of each."""
    program = home / "bin/flytesched"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m flytesched "$@"\n')
    program.chmod(0o755)
    environ = {
        "HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}", "TZ": BERLIN,
        "PYTHONPATH": str(ROOT / "src"), "FLYTESCHED_MANIFEST": str(home / "schedules.toml"),
        "FLYTESCHED_STATE_DIR": str(home / "state"), "LANG": "C.UTF-8",
        # As at a terminal: lines come in the order in which they are said.
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    script = "".join(f"{line}\nprintf '\\001%s\\001' $?\n" for line in lines)
    done = subprocess.run(
        ["bash", "-s"], input=script, env=environ, cwd=home, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    parts = done.stdout.split("\1")
    return [(int(code), out) for out, code in zip(parts[::2], parts[1::2], strict=False)]


@pytest.mark.parametrize("number", range(len(_displays(MANIFEST))))
def test_an_example_of_the_manifest_is_valid(number: int, tmp_path: Path) -> None:
    """By itself, but for the version that each manifest begins with."""
    path = tmp_path / "schedules.toml"
    path.write_text(_manifest(_displays(MANIFEST)[number]))

    read(path, timezone=BERLIN)


def _manifest(example: str) -> str:
    return example if example.startswith("version") else f"version = 1\n{example}"


def test_every_key_and_setting_has_an_example() -> None:
    """Of each key that may stand in a schedule, the least that one has to see."""
    tables: list[dict[str, Any]] = [tomllib.loads(each) for each in _displays(MANIFEST)]
    schedules = [one for table in tables for one in table.get("schedules", {}).values()]

    assert {key for one in schedules for key in one} == set(ALL_KEYS)
    assert {key for table in tables for key in table.get("settings", {})} == {
        name for name, each in SETTINGS.items() if each.in_manifest
    }
