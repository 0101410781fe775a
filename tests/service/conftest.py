"""A desk with the program as it stands in the source."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give an empty desk; its loops are ended with the test."""
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    yield desk
    desk.clear()
