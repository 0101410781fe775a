"""Every kept input is judged again: what was found once stays found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from targets import CORPUS, TARGETS, corpus

if TYPE_CHECKING:
    from pathlib import Path

KEPT = [(name, path) for name in TARGETS for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}/{path.name}" for name, path in KEPT])
def test_a_kept_input_is_judged_as_right(name: str, path: Path) -> None:
    """Its name says what it is."""
    TARGETS[name](path.read_bytes())


def test_every_target_has_a_corpus_and_it_is_small() -> None:
    """Tens of files for each, and no more than a person would look through."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(5 <= len(corpus(name)) <= 60 for name in TARGETS)
    assert sum(path.stat().st_size for _, path in KEPT) < 200_000
