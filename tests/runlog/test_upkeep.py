"""Checkpoints, checks, retention, and giving missed slots up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_gap, a_manual_run, a_run, an_attempt

from flytesched.core.decision import Decision, Move
from flytesched.core.gaps import cut
from flytesched.core.runs import AttemptKey, Origin, RunStatus
from flytesched.errors import InvalidTimetable, RunLogError
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from pathlib import Path

DONE = {"status": RunStatus.SUCCEEDED, "exit_code": 0}


def runs_of(log: SqliteRunLog) -> list[str]:
    """Return the ids of all stored runs, in the order of storing."""
    return [run_id for (run_id,) in log._all("SELECT id FROM runs ORDER BY seq")]


# -- checkpoints and checks -----------------------------------------------------------------------


def test_a_checkpoint_empties_the_wal(sqlite_log: SqliteRunLog, path: Path) -> None:
    sqlite_log.apply(Decision(runs=tuple(a_run(DAY + 60 * n) for n in range(500))))
    size = path.stat().st_size
    assert sqlite_log.checkpoint()
    assert path.stat().st_size > size


def test_a_checkpoint_waits_for_nobody_who_reads_an_old_state(
    sqlite_log: SqliteRunLog, path: Path
) -> None:
    other = SqliteRunLog(path)
    with other._reading():
        other.meta()
        sqlite_log.apply(Decision(meta={"a": "b"}))
        assert not sqlite_log.checkpoint()
    other.close()
    assert sqlite_log.checkpoint()


def test_only_the_holder_makes_checkpoints_by_itself(path: Path) -> None:
    holder, other = SqliteRunLog(path, holder=True), SqliteRunLog(path)
    assert holder._pragma("wal_autocheckpoint") > 0
    assert other._pragma("wal_autocheckpoint") == 0
    holder.close()
    other.close()


def test_a_sound_run_log_passes_its_check(sqlite_log: SqliteRunLog) -> None:
    assert sqlite_log.integrity_check() == "integrity_check"
    assert sqlite_log.integrity_check(whole=True) == "integrity_check"


def test_a_damaged_page_is_found(path: Path) -> None:
    log = SqliteRunLog(path)
    log.apply(Decision(runs=tuple(a_run(DAY + 60 * n) for n in range(2000))))
    log.close()
    with path.open("r+b") as file:
        file.seek(-40 * 4096, 2)
        file.write(b"\xff" * 20 * 4096)
    log = SqliteRunLog(path)
    with pytest.raises(RunLogError, match="is damaged"):
        log.integrity_check()
    log.close()


# -- retention ------------------------------------------------------------------------------------


def prune_all(log: SqliteRunLog, before: float, limit: int = 500) -> int:
    """Prune until there is nothing left to do."""
    total = 0
    while deleted := log.prune(before, limit):
        total += deleted
    return total


def test_old_verdicts_go_with_their_attempts_and_newer_ones_stay(
    sqlite_log: SqliteRunLog,
) -> None:
    old, new = a_run(DAY, **DONE), a_run(DAY + 60, **DONE)
    sqlite_log.apply(Decision(runs=(old, new), attempts=(an_attempt(old), an_attempt(new))))
    assert prune_all(sqlite_log, DAY + 30) == 1
    assert runs_of(sqlite_log) == [new.id]
    assert sqlite_log._all("SELECT count(*) FROM attempts")[0][0] == 1
    assert sqlite_log.attempt(AttemptKey(new.id, 1)) == an_attempt(new)
    assert sqlite_log.meta() == {"pruned_before": str(DAY + 30)}


def test_active_runs_and_late_verdicts_of_old_slots_stay(sqlite_log: SqliteRunLog) -> None:
    runs = [a_run(DAY), a_manual_run(DAY + 1), a_run(DAY + 60, ended=DAY + 9999.0, **DONE)]
    sqlite_log.apply(Decision(runs=tuple(runs)))
    assert prune_all(sqlite_log, DAY + 600) == 0
    assert runs_of(sqlite_log) == [run.id for run in runs]


@pytest.mark.parametrize(
    ("closed", "left", "missed"),
    [
        ({}, 1, 2),
        ({"closed_as": "declined", "closed_at": DAY + 9999.0}, 1, 2),
        ({"closed_as": "declined", "closed_at": DAY + 300.0}, 0, 0),
        ({"closed_as": "caught_up", "closed_at": DAY + 9999.0}, 0, 0),
    ],
)
def test_a_pruned_slot_never_comes_back_as_missed(
    sqlite_log: SqliteRunLog, closed: dict[str, object], left: int, missed: int
) -> None:
    gap = a_gap(DAY, DAY + 180, **closed)
    sqlite_log.apply(Decision(runs=(a_run(DAY + 120, **DONE),)))
    sqlite_log.apply(Decision(gaps=(gap,)))
    prune_all(sqlite_log, DAY + 600)
    assert len(runs_of(sqlite_log)) == left
    assert len(sqlite_log.history()) == left + missed


@pytest.mark.parametrize("limit", [1, 7, 10, 1000])
def test_pruning_in_steps_passes_over_what_stays(sqlite_log: SqliteRunLog, limit: int) -> None:
    kept = [a_run(DAY + 60 * n, **DONE) for n in range(60)]
    old = [a_run(DAY + 60 * n, **DONE) for n in range(100, 130)]
    new = [a_run(DAY + 60 * n, **DONE) for n in range(200, 230)]
    gap = a_gap(DAY - 60, DAY + 3600 - 60)
    sqlite_log.apply(Decision(runs=(*kept, *old, *new), gaps=(gap,)))
    deleted = [sqlite_log.prune(DAY + 60 * 150, limit) for _ in range(200)]
    assert max(deleted) <= limit
    assert sum(deleted) == len(old)
    assert runs_of(sqlite_log) == [run.id for run in (*kept, *new)]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_runs_that_stand_behind_younger_ones_go_when_they_are_asked_for(
    sqlite_log: SqliteRunLog, limit: int
) -> None:
    """The clock was ahead while the younger ones were stored; the old ones wait otherwise."""
    ahead, then = a_run(DAY + 9_000, **DONE), [a_run(DAY + 60 * n, **DONE) for n in range(5)]
    sqlite_log.apply(Decision(runs=(*then[:2], ahead, *then[2:])))
    deleted = 0
    while True:
        deleted += sqlite_log.prune(DAY + 600, limit, through=6)
        if not sqlite_log.pruning:
            break
    assert deleted == 5
    assert runs_of(sqlite_log) == [ahead.id]


def test_retention_comes_back_to_what_it_had_passed_over(sqlite_log: SqliteRunLog) -> None:
    waiting, later = a_run(DAY), a_run(DAY + 60, **DONE)
    sqlite_log.apply(Decision(runs=(waiting, later)))
    assert prune_all(sqlite_log, DAY + 600, limit=1) == 1
    done = Move(run=replace(waiting, ended=DAY + 5.0, **DONE), was=frozenset({RunStatus.CLAIMED}))
    sqlite_log.apply(Decision(moves=(done,)))
    assert prune_all(sqlite_log, DAY + 600, limit=1) == 1
    assert runs_of(sqlite_log) == []


# -- declining ------------------------------------------------------------------------------------


def open_parts(log: SqliteRunLog) -> list[tuple[int, int, int]]:
    """Return the open gaps, in minutes, with their counts."""
    return [
        ((gap.after - DAY) // 60, (gap.until - DAY) // 60, gap.count) for gap in log.open_gaps()
    ]


DECLINED = [
    # after, until, declined, what stays open
    (None, None, 9, []),
    (None, 4, 4, [(4, 10, 6)]),
    (4, None, 5, [(0, 4, 4)]),
    (2, 6, 4, [(0, 2, 2), (6, 10, 4)]),
    (0, 10, 9, []),
    (20, 30, 0, [(0, 10, 10)]),
    (-9, 0, 0, [(0, 10, 10)]),
    (6, 2, 0, [(0, 10, 10)]),
]


@pytest.mark.parametrize(("after", "until", "declined", "stay"), DECLINED)
def test_open_slots_are_given_up_in_whole_or_in_part(
    sqlite_log: SqliteRunLog,
    after: int | None,
    until: int | None,
    declined: int,
    stay: list[tuple[int, int, int]],
) -> None:
    ran = a_run(DAY + 8 * 60, origin=Origin.CATCHUP, **DONE)
    other = a_gap(DAY, DAY + 60, schedule="report")
    sqlite_log.apply(Decision(gaps=(a_gap(DAY, DAY + 600),), runs=(ran,)))
    sqlite_log.apply(Decision(gaps=(other,)))
    bounds = {
        "after": None if after is None else DAY + 60 * after,
        "until": None if until is None else DAY + 60 * until,
    }
    assert sqlite_log.decline(["backup", "nobody"], DAY + 999.0, **bounds) == declined
    assert [part for part in open_parts(sqlite_log) if part != (0, 1, 1)] == stay
    statuses = [entry.said() for entry in sqlite_log.history(["backup"])]
    assert statuses.count("skipped(declined)") == declined
    assert len(statuses) == 10


def test_a_gap_whose_timetable_nobody_can_read_is_given_up_whole_but_not_cut() -> None:
    gap = a_gap(DAY, DAY + 600, timing='{"kind":"lunar"}')
    assert cut(gap, None, None) == (None, gap, None)
    with pytest.raises(InvalidTimetable):
        cut(gap, DAY + 60, None)
