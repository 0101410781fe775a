"""One machine for all tests, and for each test nothing left on it by another."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from systemd_machine import Host, Machine, make_root, missing, room

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Boot a machine with the program in it; whatever happens, nothing of it is left."""
    if (why := missing()) is not None:
        pytest.skip(f"no machine with systemd: {why}")
    place = room() or tmp_path_factory.mktemp("machine")
    machine = Machine(place / "root")
    try:
        subprocess.run(["cp", "-a", make_root(), machine.root], check=True)
        machine.boot()
        machine.install_program()
        yield machine
    finally:
        machine.pull_the_plug()
        shutil.rmtree(place)


@pytest.fixture
def host(machine: Machine) -> Iterator[Host]:
    """Give a machine with nothing but the program on it."""
    host = Host(machine)
    yield host
    host.clear()
