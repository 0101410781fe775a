"""Renames in a run log: how they are noted, and what is found by a name that was another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_gap, a_manual_run, a_run, a_state

from flytesched.core.decision import Decision
from flytesched.core.renames import Rename
from flytesched.core.runs import RunStatus
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from pathlib import Path

    from flytesched.testing import MemoryRunLog

    Log = MemoryRunLog | SqliteRunLog


# -- noted ----------------------------------------------------------------------------------------


def unseen(log: Log) -> list[tuple[str, str]]:
    """Return the renames that no scheduler has seen."""
    return [(one.name, one.was) for one in log.renames()]


def test_a_rename_is_there_until_a_scheduler_has_seen_it(log: Log) -> None:
    log.rename("b", "a", DAY)
    assert log.renames() == [Rename(name="b", was="a", asked_at=DAY)]
    log.apply(Decision(renames=(("b", "a", DAY + 1.0),)))
    assert log.renames() == []
    assert log.all_renames() == [Rename(name="b", was="a", asked_at=DAY, seen_at=DAY + 1.0)]


def test_a_rename_that_never_came_about_is_forgotten(log: Log) -> None:
    log.rename("b", "a", DAY)
    log.rename("d", "c", DAY)
    log.apply(Decision(renames=(("b", "a", None),)))
    assert unseen(log) == [("d", "c")]


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([("b", "a"), ("c", "b")], [("c", "a")]),
        ([("b", "a"), ("a", "b")], []),
        ([("b", "a"), ("c", "b"), ("a", "c")], []),
        ([("b", "a"), ("b", "a")], [("b", "a")]),
        ([("b", "a"), ("d", "c")], [("b", "a"), ("d", "c")]),
        ([("b", "a"), ("c", "a")], [("c", "a")]),
    ],
)
def test_what_nobody_has_seen_yet_is_one_change(
    log: Log, steps: list[tuple[str, str]], left: list[tuple[str, str]]
) -> None:
    for name, was in steps:
        log.rename(name, was, DAY)
    assert unseen(log) == left


def test_a_step_back_takes_the_last_step_back(log: Log) -> None:
    log.rename("b", "a", DAY)
    log.rename("c", "b", DAY)
    log.rename("b", "c", DAY)
    assert unseen(log) == [("b", "a")]


def test_what_was_seen_stays_whatever_comes_after(log: Log) -> None:
    log.rename("b", "a", DAY)
    log.apply(Decision(renames=(("b", "a", DAY + 1.0),)))
    log.rename("a", "b", DAY + 2.0)
    assert [(one.name, one.was, one.seen_at) for one in log.all_renames()] == [
        ("b", "a", DAY + 1.0), ("a", "b", None),
    ]  # fmt: skip


def test_a_name_that_was_seen_to_go_was_its_own_until_then(log: Log) -> None:
    log.apply(Decision(schedules=(a_state("a", removed_at=DAY + 5.0),)))
    log.rename("b", "a", DAY + 9.0)
    assert [one.seen_at for one in log.all_renames()] == [DAY + 5.0]


def test_the_last_verdict_under_an_earlier_name_counts_until_there_is_another(log: Log) -> None:
    """So that a first success after a failure is one, whatever the name."""
    failed = a_run(DAY, schedule="a", status=RunStatus.FAILED, exit_code=1)
    log.apply(Decision(runs=(failed, a_run(DAY + 60, schedule="a", status=RunStatus.CANCELLED))))
    log.rename("b", "a", DAY + 70.0)
    log.apply(Decision(renames=(("b", "a", DAY + 80.0),)))
    later = a_run(DAY + 120, schedule="a", status=RunStatus.SUCCEEDED, created=DAY + 120.0)
    own = a_run(DAY + 180, schedule="b", status=RunStatus.SUCCEEDED)
    log.apply(Decision(runs=(later, own)))

    found = [log.last_verdict("b", own.id), log.last_verdict("b", ""), log.last_verdict("c", "")]
    assert [run and run.id for run in found] == [failed.id, own.id, None]


# -- found ----------------------------------------------------------------------------------------


@pytest.fixture
def told(sqlite_log: SqliteRunLog) -> SqliteRunLog:
    """A run log in which a became b, and a is another's name since; a minute each."""
    log = sqlite_log
    log.apply(
        Decision(
            schedules=(a_state("a", definition="1"),),
            runs=(
                a_run(DAY, schedule="a", status=RunStatus.SUCCEEDED),
                a_manual_run(
                    DAY + 30.0, schedule="a", status=RunStatus.FAILED, exit_code=1, ended=DAY + 31.0
                ),
            ),
            gaps=(a_gap(DAY, DAY + 60, schedule="a", created=DAY + 70.0),),
        )
    )
    log.rename("b", "a", DAY + 90.0)
    log.apply(
        Decision(
            schedules=(
                a_state("a", removed_at=DAY + 100.0, enabled=False, definition="1"),
                a_state("b", seen_at=DAY + 100.0, definition="1"),
            ),
            renames=(("b", "a", DAY + 100.0),),
        )
    )
    log.apply(
        Decision(
            schedules=(a_state("a", seen_at=DAY + 150.0, definition="2", revision=2),),
            runs=(
                a_run(DAY + 120, schedule="b", status=RunStatus.SKIPPED, reason="overlap"),
                a_run(DAY + 180, schedule="a", status=RunStatus.SUCCEEDED),
            ),
            gaps=(a_gap(DAY + 180, DAY + 240, schedule="a"),),
        )
    )
    return log


def seen(log: SqliteRunLog, *names: str, **asked: object) -> list[tuple[str, int]]:
    """Return names and places of a history, newest first."""
    found = log.history(list(names), limit=None, **asked)  # type: ignore[arg-type]
    return [(entry.schedule, int(entry.at) - DAY) for entry in found]


def test_history_follows_and_ends_where_the_name_went(told: SqliteRunLog) -> None:
    """Missed slots too."""
    assert seen(told, "b") == [("b", 120), ("a", 60), ("a", 30), ("a", 0)]
    assert seen(told, "a") == [("a", 240), ("a", 180)]


def test_what_is_asked_twice_is_told_once(told: SqliteRunLog) -> None:
    told.apply(Decision(runs=(a_run(DAY + 230, schedule="other"),)))
    assert seen(told, "a", "b", "other") == [
        ("a", 240), ("other", 230), ("a", 180), ("b", 120), ("a", 60), ("a", 30), ("a", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"statuses": ["succeeded"]}, [("a", 0)]),
        ({"statuses": ["failed", "skipped"]}, [("b", 120), ("a", 30)]),
        ({"statuses": ["missed"]}, [("a", 60)]),
        ({"since": DAY + 30.0, "until": DAY + 120.0}, [("a", 60), ("a", 30)]),
    ],
)
def test_history_follows_whatever_else_is_asked(
    told: SqliteRunLog, asked: dict[str, object], expected: list[tuple[str, int]]
) -> None:
    assert seen(told, "b", **asked) == expected


def test_a_name_that_nobody_has_any_more_finds_all_that_it_was(sqlite_log: SqliteRunLog) -> None:
    log = sqlite_log
    log.apply(
        Decision(schedules=(a_state("a"),), runs=(a_run(schedule="a", status=RunStatus.FAILED),))
    )
    log.rename("b", "a", DAY + 90.0)
    log.apply(
        Decision(
            schedules=(a_state("a", removed_at=DAY + 100.0),), renames=(("b", "a", DAY + 100.0),)
        )
    )
    assert seen(log, "a") == seen(log, "b") == [("a", 0)]


def test_the_newest_run_is_looked_for_under_every_name(told: SqliteRunLog) -> None:
    """Of a name that is another's by now, none of the former is."""
    last = told.last_runs(["a", "b", "c"])
    assert {name: run.id for name, run in last.items()} == {
        "a": f"sched-a-{DAY + 180}", "b": f"sched-b-{DAY + 120}",
    }  # fmt: skip
    done = told.last_runs(["b"], done=True)
    assert done["b"].id == a_manual_run(DAY + 30.0, schedule="a").id


def test_a_reused_name_without_runs_has_none(told: SqliteRunLog) -> None:
    told.rename("c", "a", DAY + 300.0)
    told.apply(Decision(renames=(("c", "a", DAY + 300.0),)))
    assert told.last_runs(["a"]) == {}


def test_revisions_follow(told: SqliteRunLog) -> None:
    """The number of the first one under a new name is that of the last one under the old."""
    told.apply(Decision(schedules=(a_state("b", seen_at=DAY + 130.0, definition="9", revision=2),)))
    found = [(one.number, one.definition, one.seen_at - DAY) for one in told.revisions("b")]
    assert found == [(1, "1", 0.0), (2, "9", 130.0)]
    assert [one.number for one in told.revisions("a")] == [2]


def test_revisions_of_a_name_that_nobody_has_any_more_are_found(sqlite_log: SqliteRunLog) -> None:
    """As its history is."""
    log = sqlite_log
    log.apply(Decision(schedules=(a_state("a", definition="1"),)))
    log.rename("b", "a", DAY + 90.0)
    log.apply(Decision(
        schedules=(a_state("a", removed_at=DAY + 100.0, definition="1"),),
        renames=(("b", "a", DAY + 100.0),),
    ))  # fmt: skip
    assert [one.number for one in log.revisions("a")] == [1]


def test_a_run_log_of_before_knows_no_renames(path: Path) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        # The program of that version knew the migrations up to its own, and no more.
        earlier.setattr("flytesched.runlog.migrations.LATEST", 2)
        log = SqliteRunLog(path)
        log.apply(Decision(runs=(a_run(),)))
        assert log.renames() == []
        assert len(log.history(["backup"])) == 1
        log.close()
    log = SqliteRunLog(path)
    log.rename("spare", "backup", DAY)
    assert seen(log, "spare") == [("backup", 0)]
    log.close()
