"""``executor = "python"``: a function as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flytesched.executors.call import find

if TYPE_CHECKING:
    from executors_desk import Desk

MODULE = """
import os, sys

def work():
    print("at", os.environ["FLYTESCHED_SCHEDULED_AT"], sys.argv[1:])

def fail():
    raise ValueError("no disk")

def leave():
    sys.exit(9)

async def later():
    print("awaited")

class Jobs:
    @staticmethod
    def nightly():
        print("nightly")

word = "no function"
"""


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A desk with modules in its home, the directory commands run in."""
    (desk.state / "jobs.py").write_text(MODULE)
    (desk.state / "broken.py").write_text("import nosuchlibrary\n")
    (desk.state / "types.py").write_text("raise RuntimeError('in place of the real one')\n")
    return desk


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("jobs:work", 0, "at 2026-11-21T02:00:01Z []\n"),
        ("jobs:Jobs.nightly", 0, "nightly\n"),
        ("jobs:later", 0, "awaited\n"),
        ("jobs:leave", 9, ""),
        ("jobs:fail", 1, "ValueError: no disk"),
        ("jobs:nosuch", 1, "flytesched: module 'jobs' has no 'nosuch'\n"),
        ("jobs:word", 1, "flytesched: 'jobs:word' cannot be called: it is of type str\n"),
        ("nosuch:work", 1, "flytesched: no module named 'nosuch' in "),
        ("jobs.nosuch:work", 1, "flytesched: no module named 'jobs.nosuch' in "),
        ("broken:work", 1, "ModuleNotFoundError: No module named 'nosuchlibrary'"),
    ],
)
def test_a_function_is_imported_from_the_directory_and_called(
    home: Desk, target: str, code: int, said: str
) -> None:
    """What goes wrong is in the log: a sentence, or the traceback of what was called."""
    outcome, log = home.run([target], executor="python")

    assert outcome.exit_code == code
    assert said in log
    assert ("Traceback" in log) == ("Error: " in said)


@pytest.mark.parametrize("target", ["jobs", "jobs:", ":work", ""])
def test_what_names_no_function_is_refused(target: str) -> None:
    """A schedule checks that too, but anybody may call the caller."""
    with pytest.raises(LookupError, match="does not read module:function"):
        find(target)


def test_the_kickoff_time_is_left_in_the_arguments(home: Desk) -> None:
    """As for any command."""
    _, log = home.run(["jobs:work"], executor="python", kickoff_time_arg="--at")

    assert "['--at', '2026-11-21T02:00:01Z']" in log
