"""Lines that can be read back without a doubt."""

from __future__ import annotations

import io
import logging
import time
from typing import TYPE_CHECKING

import pytest

from flytesched.journal import LoggingJournal, StderrJournal

if TYPE_CHECKING:
    from collections.abc import Iterator


def shown(fact: object) -> str:
    stream = io.StringIO()
    StderrJournal(time.time, stream=stream).say("info", "started", why=fact)
    return stream.getvalue().partition(" why=")[2].rstrip("\n")


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        ("one\ntwo", "one\\ntwo"),
        ("one\\ntwo", '"one\\\\ntwo"'),
        ("ends with \\", '"ends with \\\\"'),
        ('\\" forged=1', '"\\\\\\" forged=1"'),
        ("\\", '"\\\\"'),
    ],
)
def test_a_backslash_in_a_fact_is_not_taken_for_an_escape(fact: str, line: str) -> None:
    assert shown(fact) == line


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What a program hears."""
    heard: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = heard.append  # type: ignore[method-assign]
    logger = logging.getLogger("flytesched")
    logger.addHandler(handler)
    yield heard
    logger.removeHandler(handler)


def test_a_program_is_not_told_of_facts_that_are_not_known(
    records: list[logging.LogRecord],
) -> None:
    LoggingJournal().say("warning", "missed", schedule="job", why=None)
    (record,) = records
    assert record.getMessage() == "missed schedule=job"
    assert record.facts == {"schedule": "job"}  # type: ignore[attr-defined]
