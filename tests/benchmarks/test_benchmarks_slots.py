"""The benchmark of slots works: steps are far cheaper than croniter's, and all are right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from slots import KINDS


def told(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the short form, made by a process whose coverage nobody measures.

    That would look at each line of our steps, and at none of croniter's.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, Path(__file__).parent, "slots", "--quick", "--json", folder / "told"]
    subprocess.run(command, check=True, capture_output=True, env=environ)
    rows: list[dict[str, Any]] = json.loads((folder / "told").read_text())["rows"]
    return rows


def test_steps_are_cheap_and_right(tmp_path: Path) -> None:
    """Three times is far below the goal: a few hundred steps begin with what is learnt once."""
    rows = told(tmp_path)
    ratios = {row["what"]: row["value"] or 0.0 for row in rows if row["unit"] == "ratio"}
    wrong = {row["what"]: row["value"] for row in rows if row["unit"].startswith("of ")}

    assert len(ratios) == 2 * len(KINDS)
    assert {what: ratio for what, ratio in ratios.items() if ratio < 3.0} == {}
    assert sum("flytesched" in what for what in wrong) == 2
    assert {what for what, count in wrong.items() if "flytesched" in what and count} == set()
