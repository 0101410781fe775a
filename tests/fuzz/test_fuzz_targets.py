"""Whatever the bytes are: each target keeps its word.

Short here; with ``-m long`` for as long as a long run takes, and under atheris, which is led by
what code an input reaches, with ``python tests/fuzz TARGET``.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from strategies import inputs
from targets import TARGETS

#: Inputs for each target: some write files, and are slow.
TRIES = dict.fromkeys(TARGETS, 300) | {"edit": 120, "manifest": 200, "runlog": 150}


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_judged_as_right(name: str) -> None:
    """What each target promises stands in its judge."""
    _judge(name, TRIES[name])


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_any_of_very_many_inputs_is_judged_as_right(name: str) -> None:
    """Some minutes for each target."""
    _judge(name, 100 * TRIES[name])


def _judge(name: str, tries: int) -> None:
    target = TARGETS[name]

    @settings(max_examples=tries)
    @given(inputs(name))
    def judged(data: bytes) -> None:
        target(data)

    judged()
