"""A terminal and a desk among enemies."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hostile_machine import Disk

from cli.terminal import Terminal, environment
from desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "flytesched"]


@pytest.fixture
def terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Give a terminal with a manifest of one schedule that has run, and no scheduler."""
    home = tmp_path / "home"
    home.mkdir()
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    terminal = Terminal(home, capsys)
    terminal.write('version = 1\n[schedules.ok]\nevery = "1h"\ncommand = "echo hi"\n')
    terminal.ok("trigger", "ok")
    return terminal


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give an empty desk; its loops are ended with the test."""
    desk = Desk(PROGRAM, tmp_path)
    yield desk
    desk.clear()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """Give a function that makes a desk whose state directory is a small disk of its own."""
    disks = []

    def make(options: str) -> Disk:
        disk = Disk(tmp_path, options, PROGRAM)
        disks.append(disk)
        return disk

    yield make
    for disk in disks:
        disk.close()
