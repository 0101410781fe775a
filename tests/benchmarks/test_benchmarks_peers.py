"""Peers that cannot be had are told, never a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import peers
from burst import Size
from limits import ground
from report import Bench, Row

if TYPE_CHECKING:
    import pytest


def told(kind: type[peers.Peer], folder: Path) -> Row:
    """Return the one row of a peer that cannot be measured."""
    with ground(folder) as shared:
        bench = Bench(folder=folder, quick=False)
        (row,) = peers.measured(bench, shared, kind, Size(count=3, period=2, rounds=1), [])
    return row


def test_a_peer_that_is_nowhere_to_be_had_has_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is looked for on PATH, where it is not."""
    monkeypatch.setenv("PATH", str(tmp_path))

    row = told(peers.Supercronic, tmp_path)

    assert row.value is None
    assert row.holds is None
    assert "no supercronic on PATH" in row.note


def test_a_peer_that_cannot_be_installed_has_a_row_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the installer said last is the reason; nothing half installed is used later."""

    def install(requirement: str, place: Path) -> None:
        (place / "half").touch()
        raise subprocess.CalledProcessError(1, ["pip"], stderr=f"looking\nno {requirement} today")

    monkeypatch.setattr(peers, "CACHE", tmp_path / "cache")  # not the one of who runs the tests
    monkeypatch.setattr(peers, "_install", install)  # registries cannot be told to fail

    row = told(peers.APScheduler, tmp_path)

    assert row.value is None
    assert "no apscheduler==3.11.3 today" in row.note
    assert not list((tmp_path / "cache").rglob("done"))


def test_the_short_form_has_no_peers(tmp_path: Path) -> None:
    """Some of them know no finer time than a minute."""
    assert list(peers.measure(Bench(folder=tmp_path, quick=True))) == []
