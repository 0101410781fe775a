"""The census: what a run log is counted to come to is what its history says, line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runlog_builders import DAY, a_gap, a_manual_run, a_run, an_attempt

from flytesched.core.decision import Decision
from flytesched.core.runs import Origin, RunStatus
from flytesched.runlog.census import Census, open_census
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flytesched.core.runs import Gap, Run
    from flytesched.core.statistics import Figures
    from flytesched.runlog.history import Entry

MINUTES = st.integers(0, 60)
#: What may come of a slot, or of a request.
STATUSES = st.sampled_from(sorted(RunStatus))


@st.composite
def stories(draw: st.DrawFn) -> list[Run]:
    """Draw runs of two schedules: of slots, caught up, asked for, late, early, put off."""
    runs = []
    for schedule, minute in draw(st.sets(st.tuples(st.sampled_from("ab"), MINUTES), max_size=30)):
        slot, status = DAY + 60 * minute, draw(STATUSES)
        late, took = draw(st.floats(-2, 90)), draw(st.floats(-1, 500))
        facts = {
            "status": status, "schedule": schedule, "reason": draw(st.sampled_from(["why", "?"])),
            "not_before": slot + draw(st.sampled_from([0.0, 1.5, 700.0])),
        }  # fmt: skip
        if status not in {RunStatus.SKIPPED, RunStatus.QUEUED}:
            facts["started"] = slot + late
        if draw(st.booleans()):
            facts["origin"], facts["created"] = Origin.CATCHUP, slot + 30.0
        run = a_run(slot, **facts)
        runs.append(run if run.ended is None else replace(run, ended=slot + late + took))
    return runs


def said(entries: list[Entry]) -> dict[str, object]:
    """Count lines of a history, newest first, as a person would."""
    done = [e.status for e in entries if e.status in {"succeeded", "failed", "timed_out",
                                                      "interrupted"}]  # fmt: skip
    streak = 0
    while streak < len(done) and (done[streak] == "succeeded") == (done[0] == "succeeded"):
        streak += 1
    return {
        "statuses": Counter(e.status for e in entries if e.seq),
        "skipped": Counter(e.reason for e in entries if e.status == "skipped"),
        "missed": sum(e.status == "missed" for e in entries),
        "durations": sorted(e.duration for e in entries if e.duration is not None),
        "lags": sorted(e.lag for e in entries if e.lag is not None),
        "streak": (streak, done[0] == "succeeded") if done else None,
    }


def counted(figures: Figures) -> dict[str, object]:
    """Return figures in the same form."""
    streak = figures.streak
    return {
        "statuses": figures.statuses, "skipped": figures.skipped, "missed": figures.missed,
        "durations": [*figures.durations], "lags": [*figures.lags],
        "streak": None if streak is None else (streak.length, streak.good),
    }  # fmt: skip


@pytest.fixture
def census(sqlite_log: SqliteRunLog, path: Path) -> Iterator[Census]:
    """A census of the run log beside its writer."""
    assert sqlite_log.meta() == {}
    found = open_census(path)
    assert found is not None
    with found:
        yield found


@settings(max_examples=100)
@given(
    runs=stories(),
    gaps=st.lists(st.tuples(MINUTES, MINUTES), max_size=3),
    closed=st.sampled_from([None, "declined", "removed", "holiday", "caught_up"]),
    bounds=st.tuples(st.none() | MINUTES, st.none() | MINUTES),
)
def test_the_census_counts_what_the_history_tells(
    runs: list[Run],
    gaps: list[tuple[int, int]],
    closed: str | None,
    bounds: tuple[int | None, int | None],
) -> None:
    """Whatever ran, was missed or was given up, in any stretch of time."""
    log = SqliteRunLog(":memory:")
    keys = {} if closed is None else {"closed_as": closed, "closed_at": DAY + 9_999.0}
    log.apply(Decision(runs=tuple(runs), gaps=tuple(_gaps(gaps, keys))))
    begin, end = (None if minute is None else DAY + 60 * minute for minute in bounds)

    with Census(log._connection, "in memory") as census:
        figures = census.figures(since=begin, until=end)
        for name in "ab":
            told = census.history([name], since=begin, until=end, limit=None)
            assert (name in figures) == bool(told)
            if told:
                assert counted(figures[name]) == said(told)
            assert census.figures([name], since=begin, until=end) == {
                key: each for key, each in figures.items() if key == name
            }


def _gaps(ends: list[tuple[int, int]], closed: dict[str, Any]) -> Iterator[Gap]:
    """Yield gaps that do not overlap, as those of one timetable never do; the first is closed."""
    minutes = sorted({minute for each in ends for minute in each})
    for after, until in zip(minutes[::2], minutes[1::2], strict=False):
        keys = closed if after == minutes[0] else {}
        yield a_gap(DAY + 60 * after, DAY + 60 * until, schedule="a", **keys)


def test_the_newest_runs_alone_are_looked_at(sqlite_log: SqliteRunLog, census: Census) -> None:
    """What is older says nothing of today."""
    done = {"status": RunStatus.SUCCEEDED, "exit_code": 0}
    runs = [a_run(DAY + 60 * n, started=DAY + 60.0 * n, **done) for n in range(10)]
    failed = replace(runs[3], status=RunStatus.FAILED, exit_code=1)
    sqlite_log.apply(Decision(runs=(*runs[:3], failed, *runs[4:])))

    assert census.recent("backup", 6).success_rate == 1.0
    assert census.recent("backup", 7).success_rate == pytest.approx(6 / 7)
    assert census.recent("backup", 7).streak == census.recent("backup", 6).streak
    assert census.recent("nobody", 7).empty


def test_what_all_attempts_took_is_added_up(sqlite_log: SqliteRunLog, census: Census) -> None:
    """The memory of the greediest is told; what was never measured counts for nothing."""
    runs = [a_run(DAY + 60 * n, status=RunStatus.SUCCEEDED, exit_code=0) for n in range(3)]
    attempts = [
        an_attempt(runs[0], cpu=1.5, max_rss=100), an_attempt(runs[0], 2, cpu=0.5, max_rss=70),
        an_attempt(runs[1], cpu=4.0), an_attempt(runs[2], max_rss=90),
    ]  # fmt: skip
    sqlite_log.apply(Decision(runs=tuple(runs), attempts=tuple(attempts)))

    assert census.figures()["backup"].cpu == 6.0
    assert census.figures()["backup"].max_rss == 100
    assert census.figures(since=DAY + 60)["backup"].cpu == 4.0
    assert census.figures(until=DAY) == {}
    assert (census.recent("backup", 2).cpu, census.recent("backup", 2).max_rss) == (4.0, 90)


def test_missed_slots_are_counted_by_arithmetic(sqlite_log: SqliteRunLog, census: Census) -> None:
    """Half a million of them at once; those that somebody caught up are none any more."""
    year = 365 * 86_400
    sqlite_log.apply(Decision(gaps=(a_gap(DAY, DAY + year),), runs=(a_run(DAY + 600),)))

    assert census.figures()["backup"].missed == 365 * 1440 - 1
    assert census.figures(since=DAY + 86_400)["backup"].missed == 364 * 1440 + 1
    assert census.figures(["other"]) == {}


def test_a_gap_whose_timetable_nobody_can_read_is_counted_whole(
    sqlite_log: SqliteRunLog, census: Census
) -> None:
    """Its zone has left the machine; rather too much is told than nothing."""
    lost = a_gap(DAY, DAY + 600, timing='{"kind":"cron","expression":"* * * * *","timezone":"X/Y"}')
    sqlite_log.apply(Decision(gaps=(lost,), runs=(a_run(DAY + 60),)))

    assert census.figures(since=DAY + 300)["backup"].missed == 9


def test_a_schedule_is_counted_under_the_names_it_had(
    sqlite_log: SqliteRunLog, census: Census
) -> None:
    """By its name, and among all: what is counted is what its history tells."""
    done = {"status": RunStatus.SUCCEEDED, "exit_code": 0}
    before = [a_run(DAY + 60 * n, schedule="old", started=DAY + 60.0 * n, **done) for n in range(3)]
    failed = a_run(DAY + 600, schedule="new", status=RunStatus.FAILED, exit_code=1)
    other = a_run(DAY + 900, schedule="old", **done)
    sqlite_log.apply(
        Decision(
            runs=(*before, failed, other),
            attempts=(an_attempt(before[0], cpu=1.0), an_attempt(failed, cpu=2.0, max_rss=7)),
            gaps=(
                a_gap(DAY + 180, DAY + 300, schedule="old"),
                a_gap(DAY + 780, DAY + 840, schedule="old"),
            ),
        )
    )  # fmt: skip
    sqlite_log.rename("new", "old", DAY + 500.0)
    sqlite_log.apply(Decision(renames=(("new", "old", DAY + 500.0),)))

    found = census.figures(["new", "nobody"])

    assert [*found] == ["new"]
    assert counted(found["new"]) == said(census.history(["new"], limit=None))
    assert (found["new"].runs, found["new"].missed) == (4, 2)
    assert (found["new"].cpu, found["new"].max_rss) == (3.0, 7)
    assert str(found["new"].streak) == "1 failed"
    assert census.recent("new", 50).runs == 4
    assert census.recent("new", 50).cpu == 3.0
    assert census.figures()["new"] == found["new"]
    # Another one has the old name since.
    assert (census.figures()["old"].runs, census.figures()["old"].missed) == (1, 1)


def test_among_all_a_schedule_stands_once_however_often_it_was_renamed(
    sqlite_log: SqliteRunLog, census: Census
) -> None:
    """With one streak, and in any stretch of time; a rename nobody has seen yet counts too."""
    done = {"status": RunStatus.SUCCEEDED, "exit_code": 0}
    for minute, name in enumerate(("hello", "hallo", "hi")):
        sqlite_log.apply(Decision(runs=(a_run(DAY + 60 * minute, schedule=name, **done),)))
    sqlite_log.rename("hallo", "hello", DAY + 50.0)
    sqlite_log.apply(Decision(renames=(("hallo", "hello", DAY + 50.0),)))
    sqlite_log.rename("hi", "hallo", DAY + 110.0)

    assert [*census.figures()] == ["hi"]
    assert census.figures() == census.figures(["hi"])
    assert str(census.figures()["hi"].streak) == "3 succeeded"
    assert census.figures(since=DAY + 60)["hi"].runs == 2


def test_a_manual_run_stands_at_the_moment_it_was_asked_for(
    sqlite_log: SqliteRunLog, census: Census
) -> None:
    """It has no slot."""
    sqlite_log.apply(Decision(runs=(a_manual_run(DAY + 100.5),)))

    assert census.figures(since=DAY + 100)["backup"].statuses == {"queued": 1}
    assert census.figures(since=DAY + 101) == {}


def test_what_is_too_old_is_counted_and_is_what_pruning_drops(
    sqlite_log: SqliteRunLog, census: Census
) -> None:
    """Active runs, open gaps and the runs in them are not."""
    done = {"status": RunStatus.SUCCEEDED, "exit_code": 0}
    runs = [a_run(DAY + 60 * n, **done) for n in range(20)]
    active = a_run(DAY, schedule="other")
    closed = a_gap(DAY, DAY + 120, schedule="other", closed_at=DAY + 300.0, closed_as="caught_up")
    sqlite_log.apply(
        Decision(runs=(*runs, active), gaps=(a_gap(DAY + 120, DAY + 240), closed))
    )  # fmt: skip
    before = DAY + 600.0

    assert census.old(before) == (8, 10, 1)
    assert sqlite_log.prune(before) == 8
    assert sqlite_log.gaps_pruned == 1
    assert census.old(before) == (0, 0, 0)


def test_there_is_nothing_to_count_before_there_is_a_run_log(tmp_path: Path) -> None:
    """And none is made."""
    assert open_census(tmp_path / "runs.db") is None
    assert [*tmp_path.iterdir()] == []
