"""The plan of the house: imports run one way."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "flytesched"

#: What each room may import, itself and the rooms below apart.
MAY_IMPORT = {
    "errors": set(),
    "linux": set(),
    "version": set(),
    "core": {"errors"},
    "scheduler": {"core", "errors"},
    "testing": {"core", "errors"},
    "clock": {"core", "errors", "linux"},
    "lock": {"core", "errors", "linux"},
    "state_dir": {"errors", "linux"},
    "wakeup": {"core", "errors", "linux"},
    "notify": {"core", "errors", "linux"},
    "journal": {"core", "errors", "linux"},
    "systemd": {"errors"},
    "second_opinion": {"core", "errors"},
    "settings": {"core", "errors"},
    "manifest": {"core", "errors", "linux", "settings"},
    "runlog": {"core", "errors", "linux"},
    "executors": {"core", "errors", "linux"},
    "hooks": {"core", "errors", "linux"},
    "crontab": {"core", "errors"},
}
ADAPTERS = set(MAY_IMPORT) - {"testing"}
MAY_IMPORT |= {
    "bootstrap": ADAPTERS,
    "service": ADAPTERS | {"bootstrap"},
    "api": ADAPTERS | {"bootstrap", "service"},
    "cli": ADAPTERS | {"bootstrap", "service"},
    "__main__": {"cli"},
    "__init__": {"api", "core", "errors", "manifest", "version"},
}
FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the room of the house that a file lies in."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the rooms that a file imports, inside functions and for type checking too."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
            if node.module == "flytesched":
                names = [f"flytesched.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        rooms |= {part[1] for part in parts if part[0] == "flytesched" and len(part) > 1}
    return {name for name in rooms if not name.startswith("__")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_what_lies_below_its_room(path: Path) -> None:
    """No circle, no arrow upwards, no adapter that knows another."""
    allowed = MAY_IMPORT[room(path)] | {room(path)}

    assert imports(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nobody_imports_relatively_or_click(path: Path) -> None:
    """Typer may or may not depend on click."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert (node.module or "").split(".")[0] != "click"
        if isinstance(node, ast.Import):
            assert "click" not in {alias.name.split(".")[0] for alias in node.names}


def test_one_module_knows_the_package_of_public_holidays() -> None:
    """It is an extra, and a table of facts as that of time zones is: core asks it in one place."""
    found = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if re.search(r"^\s*(import|from) holidays\b", path.read_text(), re.MULTILINE)
    }

    assert found == {"core/timetables/public.py"}


IMPURE = {"os", "sys", "time", "sqlite3", "subprocess", "socket", "pathlib", "typer", "threading"}


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "core").rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_core_imports_nothing_that_has_effects(path: Path) -> None:
    """Values in, decisions out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])

    assert not found & IMPURE
