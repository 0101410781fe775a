"""The man pages name every command, option and key, and nothing more."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flytesched.cli.completions import Verb, commands, global_options
from flytesched.cli.definition import OPTIONS, flag
from flytesched.core.keys import ALL_KEYS
from flytesched.errors import FlyteschedError
from flytesched.settings import SETTINGS

FOLDER = Path(__file__).parent.parent / "man"
COMMANDS = FOLDER / "flytesched.1"
MANIFEST = FOLDER / "flytesched.toml.5"
KEYS_SECTION = "Options for keys"


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


@pytest.mark.parametrize("page", [COMMANDS, MANIFEST], ids=lambda page: page.name)
def test_groff_has_nothing_to_say(page: Path) -> None:
    """No warning of any kind."""
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")

    done = subprocess.run(
        ["groff", "-ww", "-mandoc", "-Tutf8", page], capture_output=True, check=True
    )

    assert done.stderr == b""


def test_every_command_has_a_section_and_nothing_else_has() -> None:
    """In the order of the help; a subcommand with both of its words."""
    found = [name for name in _sections(COMMANDS, "Ss") if name != KEYS_SECTION]

    assert found == [command.name for command in commands()]


@pytest.mark.parametrize("verb", commands(), ids=lambda verb: verb.name)
def test_a_command_has_the_options_that_its_section_says(verb: Verb) -> None:
    """The global ones and those for keys have sections of their own."""
    section = _sections(COMMANDS, "Ss")[verb.name].partition("\n.Sh ")[0]
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


def test_every_setting_of_the_manifest_is_there() -> None:
    """Those that are set elsewhere are not."""
    assert _keys("SETTINGS") == {name for name, each in SETTINGS.items() if each.in_manifest}
