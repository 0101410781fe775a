"""What a live screen asks: the newest verdicts, how a day went, how long runs take."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runlog_builders import DAY, a_gap, a_manual_run, a_run, a_state

from flytesched.core.decision import Decision
from flytesched.core.runs import FAILURES, VERDICTS, Origin, Run, RunStatus
from flytesched.runlog.board import Glance, Tally, open_glance
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def glance(sqlite_log: SqliteRunLog, path: Path) -> Iterator[Glance]:
    """A glance beside the one who writes."""
    assert path == Path(sqlite_log._name)
    opened = open_glance(path, busy_timeout=0.1)
    assert opened is not None
    with opened:
        yield opened


def test_without_a_run_log_there_is_none(tmp_path: Path) -> None:
    """It is not made, either."""
    assert open_glance(tmp_path / "runs.db", busy_timeout=0.1) is None
    assert not (tmp_path / "runs.db").exists()


def test_an_empty_run_log_answers(glance: Glance) -> None:
    """With nothing."""
    assert glance.just_ended(0.0) == glance.just_missed(0.0) == []
    assert glance.tally(0.0) == glance.tally(0.0, []) == glance.tally(0.0, ["x"])
    assert glance.tally(0.0) == Tally(good=0, runs=0)
    assert glance.failing(0.0) == glance.failing(0.0, ["x"]) == []
    assert glance.usual(["x"]) == {"x": None}


def test_verdicts_are_found_by_when_they_came(sqlite_log: SqliteRunLog, glance: Glance) -> None:
    """The latest first, whatever their slots are; what is active has none."""
    ends = {DAY: DAY + 50.0, DAY + 60: DAY + 200.0, DAY + 120: DAY + 130.0}
    runs = [a_run(slot, status=RunStatus.SUCCEEDED, ended=at) for slot, at in ends.items()]
    sqlite_log.apply(Decision(runs=(*runs, a_run(DAY + 180), a_manual_run(DAY + 190.0))))

    found = glance.just_ended(DAY + 100.0)

    assert [run.scheduled_at for run in found] == [DAY + 60, DAY + 120]


def test_gaps_are_found_by_when_they_were(sqlite_log: SqliteRunLog, glance: Glance) -> None:
    """Closed ones, too."""
    old = a_gap(DAY, DAY + 600, created=DAY + 700.0)
    late = a_gap(DAY, DAY + 600, schedule="sync", created=DAY + 900.0)
    closed = replace(late, schedule="x", closed_at=DAY + 900.0, closed_as="declined")
    sqlite_log.apply(Decision(gaps=(old, late, closed)))

    assert [gap.schedule for gap in glance.just_missed(DAY + 800.0)] == ["x", "sync"]


STATUSES = st.sampled_from([*RunStatus])


@given(runs=st.lists(st.tuples(st.sampled_from("abc"), STATUSES, st.integers(0, 9)), max_size=40))
def test_a_day_is_tallied_as_by_hand(runs: list[tuple[str, RunStatus, int]]) -> None:
    """Without looking at the rows of what succeeded."""
    made: dict[tuple[str, int], Run] = {}
    for name, status, slot in runs:
        made[name, slot] = a_run(DAY + slot, schedule=name, status=status)
    log = SqliteRunLog(":memory:")
    log.apply(Decision(runs=tuple(made.values())))
    glance = Glance(log._connection, "memory")

    for names in (None, ["a", "b"], ["c"], []):
        asked = [
            run for (name, slot), run in made.items()
            if slot >= 4 and (names is None or name in names)
        ]  # fmt: skip
        good = sum(run.status is RunStatus.SUCCEEDED for run in asked)
        bad = sum(run.status in FAILURES for run in asked)
        assert glance.tally(DAY + 4, names) == Tally(good=good, runs=good + bad)
    log.close()


@given(runs=st.lists(st.tuples(st.sampled_from("abc"), STATUSES, st.integers(0, 9)), max_size=40))
def test_who_fails_is_told_as_by_hand(runs: list[tuple[str, RunStatus, int]]) -> None:
    """By the last failure of each, how many there are, and whether a success came after it."""
    log = SqliteRunLog(":memory:")
    made: dict[tuple[str, int], Run] = {}
    for name, status, slot in runs:
        run = a_run(DAY + slot, schedule=name, status=status, ended=DAY + slot + 0.5)
        made[name, slot] = run if status in VERDICTS else replace(run, ended=None)
    log.apply(Decision(runs=tuple(run for _, run in sorted(made.items(), key=itemgetter(0)))))
    glance = Glance(log._connection, "memory")

    for names in (None, ["a", "b"], []):
        found = {each.run.schedule: each for each in glance.failing(DAY + 4, names)}
        for name in "abc":
            mine = [made[name, slot] for slot in range(4, 10) if (name, slot) in made]
            bad = [run for run in mine if run.status in FAILURES]
            if not bad or (names is not None and name not in names):
                assert name not in found
                continue
            after = mine[mine.index(bad[-1]) :]
            assert (found[name].run.id, found[name].times) == (bad[-1].id, len(bad))
            assert found[name].good_since == any(r.status is RunStatus.SUCCEEDED for r in after)
    log.close()


def test_who_goes_on_failing_comes_first(sqlite_log: SqliteRunLog, glance: Glance) -> None:
    """The latest failure before others; a slot that is retried with success has succeeded."""
    bad = [
        a_run(DAY + n, schedule=name, status=RunStatus.FAILED, ended=DAY + 9.0 + n)
        for n, name in enumerate(["healed", "old", "new", "twice"])
    ]
    again = [
        replace(
            run, id=f"retry-{run.schedule}-1", origin=Origin.RETRY, retry_of=run.id, status=status
        )
        for run, status in ((bad[0], RunStatus.SUCCEEDED), (bad[3], RunStatus.TIMED_OUT))
    ]
    sqlite_log.apply(Decision(runs=(*bad, *again)))

    found = glance.failing(DAY)

    assert [(each.run.schedule, each.good_since) for each in found] == [
        ("twice", False), ("new", False), ("old", False), ("healed", True),
    ]  # fmt: skip
    assert (found[0].run.id, found[0].times) == ("retry-twice-1", 2)


def took(number: int, seconds: float, status: RunStatus = RunStatus.SUCCEEDED) -> Run:
    """Return a run that took so long."""
    slot = DAY + number * 60
    return a_run(slot, status=status, started=slot + 1.0, ended=slot + 1.0 + seconds)


def test_the_usual_duration_is_that_of_the_last_successes(
    sqlite_log: SqliteRunLog, glance: Glance
) -> None:
    """Of fifty at most; what failed, was skipped or runs tells nothing."""
    old = [took(number, 900.0) for number in range(10)]
    new = [took(number, float(number - 9)) for number in range(10, 60)]
    others = [took(60, 5_000.0, RunStatus.FAILED), took(61, 0.0, RunStatus.SKIPPED)]
    sqlite_log.apply(Decision(runs=(*old, *new, *others, a_run(DAY + 6_000))))

    usual = glance.usual(["backup", "sync"])

    assert usual["sync"] is None
    assert usual["backup"] is not None
    assert (usual["backup"].p50, usual["backup"].p90) == (25.0, 45.0)


def test_what_fails_all_the_time_is_not_searched_for_ever(
    sqlite_log: SqliteRunLog, glance: Glance
) -> None:
    """A success behind two hundred failures is nothing usual any more."""
    failed = [took(number, 1.0, RunStatus.FAILED) for number in range(1, 201)]
    sqlite_log.apply(Decision(runs=(took(0, 9.0), *failed)))

    assert glance.usual(["backup"]) == {"backup": None}


def test_a_schedule_goes_on_being_as_long_as_under_its_earlier_name(
    sqlite_log: SqliteRunLog, glance: Glance
) -> None:
    """What is written under that name later is of another schedule."""
    theirs = replace(took(5, 700.0), created=DAY + 400.0)
    ours = a_run(
        DAY + 360, schedule="safe", status=RunStatus.SUCCEEDED, started=DAY + 361.0,
        ended=DAY + 365.0, created=DAY + 360.0,
    )  # fmt: skip
    sqlite_log.rename("safe", "backup", DAY + 299.0)
    sqlite_log.apply(
        Decision(
            runs=(took(0, 2.0), theirs, ours), schedules=(a_state("safe"),),
            renames=(("safe", "backup", DAY + 300.0),),
        )
    )  # fmt: skip

    usual = glance.usual(["safe"])["safe"]

    assert usual is not None
    assert (usual.p50, usual.most) == (2.0, 4.0)
