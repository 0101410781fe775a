"""Whole stories with real processes, each in namespaces of its own where that can be had.

The short forms are part of CI; ``python -m chaos storm --seconds 3600`` (in ``tests/``) is the
long one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaos.plants import PLANTS
from chaos.windows import QUIET, WINDOWS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

FOLDER = Path(__file__).parent.parent
#: What a root without namespaces, or a user, does without.
OPEN = () if os.geteuid() == 0 and shutil.which("unshare") else ("--open",)
#: Every window, dealt to three stories that may be told at once.
PARTS = [list(WINDOWS)[first::3] for first in range(3)]


def tell(place: Path, *words: str) -> dict[str, Any]:
    """Tell a story with its command, and return the figures."""
    report = place / "figures.json"
    command = [sys.executable, "-m", "chaos", *words, "--home", place / "stage"]
    done = subprocess.run(
        [*command, "--report", report, *OPEN], cwd=FOLDER, capture_output=True, text=True
    )
    assert report.exists(), done.stderr
    return json.loads(report.read_text())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_of_everything_loses_nothing_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    """Kills, stops, freezes, locks, full and failing disks, edits, wishes, and more of it."""
    figures = tell(tmp_path, "storm", "--seconds", "50", "--seed", str(seed))

    assert figures["violations"] == {}
    assert figures["due"] > 200
    assert figures["deaths"] > 5


@pytest.mark.parametrize("part", PARTS, ids=["first", "second", "third"])
def test_death_in_every_window_loses_nothing_and_doubles_nothing(
    tmp_path: Path, part: list[str]
) -> None:
    """Between any two steps of a claim, a start, an end, a recovery."""
    words = ("--seconds", "0", "--seed", "3", "--windows", ",".join(part))

    figures = tell(tmp_path, "storm", *words)

    assert figures["violations"] == {}
    assert {name for name, met in figures["windows"].items() if met} >= set(part) - QUIET


@pytest.mark.skipif(bool(OPEN), reason="mounting a small disk takes root")
def test_a_disk_that_fills_up_again_and_again_loses_nothing(tmp_path: Path) -> None:
    """Nothing starts without a durable claim, and everything goes on when there is room."""
    figures = tell(tmp_path, "storm", "--seconds", "35", "--seed", "4", "--faults", "full disk")

    assert figures["violations"] == {}
    assert figures["faults"]["full disk"] >= 2


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_failing_system_calls_and_death_at_any_of_them_lose_nothing(tmp_path: Path) -> None:
    """No process, no descriptor, no sync, no write; death at the n-th call of any kind."""
    faults = "nth call,fork fails,sync fails,write fails,open fails,slow disk,between fork and exec"

    figures = tell(tmp_path, "storm", "--seconds", "60", "--seed", "5", "--faults", faults)

    assert figures["violations"] == {}
    assert len(figures["faults"]) >= 4


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_death_amid_a_checkpoint_loses_nothing(tmp_path: Path) -> None:
    """Quick commands only, so that there are quiet moments in which one is made."""
    words = ("--seconds", "30", "--seed", "7", "--quick", "--faults", "amid checkpoint")

    figures = tell(tmp_path, "soak", *words)

    assert figures["violations"] == {}
    assert figures["faults"]["amid checkpoint"] >= 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(tmp_path: Path, bug: str) -> None:
    """The judge can fail, and says why."""
    _, fault, kinds = PLANTS[bug]
    found: list[object] = []
    for seed in (6, 7, 8, 9):  # whether a short story meets the bug is a matter of chance
        words = ("--seconds", "9", "--seed", str(seed), "--faults", fault)
        (place := tmp_path / str(seed)).mkdir()
        figures = tell(place, "storm", *words, "--plant", bug)
        if kinds & figures["violations"].keys():
            return
        found.append(figures["violations"])
    pytest.fail(f"not found: {found}")


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_an_hour_of_everything(tmp_path: Path) -> None:
    """The long form, with chance of its own."""
    figures = tell(tmp_path, "storm", "--seconds", "3600")

    assert figures["violations"] == {}
