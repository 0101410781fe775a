"""The judges can fail: each finds a bug that is planted in what it judges.

Our own code is patched here because a bug in it is what the tests need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import oracle_files
import oracle_manifest
import oracle_runlog
import oracle_times
import pytest
from targets import TARGETS, corpus

from flytesched.errors import StartError
from flytesched.executors.record import Record, Records
from flytesched.lock import Holder
from flytesched.manifest import edit
from flytesched.runlog import database, reading, upkeep

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from flytesched.core.timetables.parse import Timetable, Timing


class CountsOneMore:
    """A timetable that counts a slot too many."""

    def __init__(self, timing: Timing) -> None:
        self._table: Timetable = TIMETABLE(timing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def count(self, after: int, until: int) -> int:
        return self._table.count(after, until) + 1


TIMETABLE = oracle_times.timetable
MOMENT = oracle_times.moment
SPLICE = oracle_manifest.splice


def loses_a_byte(target: Path, content: bytes, _: object) -> None:
    target.write_bytes(content.replace(b"command", b"comment"))


def tells_the_value(*_: object) -> dict[str, str]:
    msg = "line 2 is not KEY=VALUE: secret words"
    raise StartError(msg)


def closes_with_a_checkpoint(connection: sqlite3.Connection, _: Path) -> None:
    connection.close()


def shows_a_short_one(_: object) -> str:
    return "1s"


def asks_for_any(said: str) -> tuple[str, tuple[str, ...]]:
    return "asked = ? OR TRUE", (said,)


def is_beyond_all_years(*words: Any, **keys: Any) -> int:
    return MOMENT(*words, **keys) + 10**12


def adds_a_line(*words: Any, **keys: Any) -> str:
    return SPLICE(*words, **keys) + "\n# one more\n"


def cannot_read_lists(state: Any) -> None:
    if "[" in state.definition:
        raise KeyError(state.definition)


#: By target: where a bug is planted, under which name, and the bug.
PLANTS: dict[str, tuple[object, str, Callable[..., object]]] = {
    "manifest": (oracle_manifest, "splice", adds_a_line),
    "edit": (edit, "replace_whole", loses_a_byte),
    "timetable": (oracle_times, "timetable", CountsOneMore),
    "duration": (oracle_times, "format_duration", shows_a_short_one),
    "moment": (oracle_times, "moment", is_beyond_all_years),
    "env_file": (oracle_files, "base_environment", tells_the_value),
    "stored": (oracle_times, "recalled", cannot_read_lists),
    "records": (Records, "look", lambda *_: Record(held=False, begun=True, pid=0)),
    "lock": (Holder, "lives", lambda _: True),
    "runlog": (upkeep, "close_unchanged", closes_with_a_checkpoint),
    "run_id": (reading, "where_id", asks_for_any),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_planted_bug_is_found_with_the_corpus_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every judge fails for some of the inputs that are kept."""
    monkeypatch.setattr(*PLANTS[name])
    failed = [path.name for path in corpus(name) if not _passes(name, path.read_bytes())]
    assert failed


def test_a_refused_run_log_that_changes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is refused at the door."""
    monkeypatch.setattr(database, "close_unchanged", closes_with_a_checkpoint)
    with pytest.raises(AssertionError):
        oracle_runlog.damaged(b"runs.db 60 000000ff")


def _passes(name: str, data: bytes) -> bool:
    try:
        TARGETS[name](data)
    except Exception:
        return False
    return True
