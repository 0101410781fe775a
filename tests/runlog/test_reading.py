"""What the reading side answers."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runlog_builders import (
    DAY,
    MINUTELY,
    SECONDLY,
    a_gap,
    a_manual_run,
    a_run,
    a_state,
    an_attempt,
)

from flytesched.core.calendars import Calendar
from flytesched.core.decision import Count, Decision
from flytesched.core.gaps import gaps_of
from flytesched.core.runs import Origin, Reason, RunStatus, request_id
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.parse import make_timing
from flytesched.errors import NotFound
from flytesched.runlog.reading import Reader, Revision, open_reader
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.runs import Run
    from flytesched.runlog.history import Entry

DONE = {"status": RunStatus.SUCCEEDED, "exit_code": 0}


@pytest.fixture
def reader(sqlite_log: SqliteRunLog, path: Path) -> Iterator[Reader]:
    """A reader beside the one who writes."""
    assert path == Path(sqlite_log._name)
    opened = open_reader(path)
    assert opened is not None
    yield opened
    opened.close()


def slots(entries: list[Entry]) -> list[int | None]:
    """Return the slots of entries, as minutes of the day."""
    return [None if e.scheduled_at is None else (e.scheduled_at - DAY) // 60 for e in entries]


# -- history --------------------------------------------------------------------------------------


def test_history_is_newest_first_by_slot_whatever_the_order_of_storing(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    numbers = list(range(20))
    random.Random(7).shuffle(numbers)
    sqlite_log.apply(Decision(runs=tuple(a_run(DAY + 60 * n, **DONE) for n in numbers)))
    assert slots(reader.history(limit=5)) == [19, 18, 17, 16, 15]
    assert slots(reader.history(["backup"], limit=None)) == list(range(19, -1, -1))


def test_a_slot_is_whole_seconds_whether_it_ran_or_was_missed(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    """Short times are told to the second for slots alone, which they know by that."""
    sqlite_log.apply(Decision(runs=(a_run(DAY, **DONE),), gaps=(a_gap(DAY, DAY + 120),)))

    entries = reader.history()

    assert [entry.at for entry in entries] == [DAY + 120, DAY + 60, DAY]
    assert {type(entry.at) for entry in entries} == {int}


def test_a_manual_run_stands_where_it_was_asked_for(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    runs = (a_run(DAY), a_manual_run(DAY + 30.5), a_run(DAY + 60))
    sqlite_log.apply(Decision(runs=runs))
    for names in (None, ["backup"]):
        assert [e.id for e in reader.history(names)] == [run.id for run in reversed(runs)]


def test_a_retry_stands_above_the_run_it_repeats(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    first = a_run(**DONE)
    ids = [request_id(Origin.RETRY, "backup", DAY + n) for n in (5, 6)]
    again = [a_run(id=i, origin=Origin.RETRY, retry_of=first.id, **DONE) for i in ids]
    sqlite_log.apply(Decision(runs=(first, *again)))
    for names in (None, ["backup"]):
        assert [e.id for e in reader.history(names)] == [ids[1], ids[0], first.id]


def test_missed_slots_are_shown_one_by_one_between_the_runs(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    sqlite_log.apply(
        Decision(
            runs=(a_run(DAY, **DONE), a_run(DAY + 180, **DONE), a_run(DAY + 360, **DONE)),
            gaps=(a_gap(DAY, DAY + 300),),
        )
    )
    entries = reader.history()
    assert [(minute, e.status) for minute, e in zip(slots(entries), entries, strict=True)] == [
        (6, "succeeded"), (5, "missed"), (4, "missed"), (3, "succeeded"), (2, "missed"),
        (1, "missed"), (0, "succeeded"),
    ]  # fmt: skip
    missed = entries[1]
    assert (missed.id, missed.reason) == (f"sched-backup-{DAY + 300}", "no scheduler")


@pytest.mark.parametrize(
    ("closed_as", "said"),
    [
        ("declined", ["skipped(declined)"] * 2),
        ("removed", ["skipped(removed)"] * 2),
        ("holiday", ["skipped(holiday)"] * 2),
        ("caught_up", []),
    ],
)
def test_slots_of_a_closed_gap_read_as_they_were_given_up(
    sqlite_log: SqliteRunLog, reader: Reader, closed_as: str, said: list[str]
) -> None:
    gap = a_gap(DAY, DAY + 120, closed_as=closed_as, closed_at=DAY + 500.0)
    sqlite_log.apply(Decision(gaps=(gap,)))
    assert [entry.said() for entry in reader.history()] == said


def test_slots_of_both_gaps_of_a_stretch_stand_in_the_order_of_time(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    """Each reads as its own gap says; a holiday says which."""
    sunday = Calendar(name="rest", dates={"2026-11-22": "Sunday, of all days"})
    schedule = Schedule("backup", every="8h", command="true", calendars=[sunday])
    gaps = gaps_of("backup", schedule.timing, DAY, DAY + 2 * 86_400, now=1.0, reason="x")
    sqlite_log.apply(Decision(gaps=gaps))
    said = [entry.said() for entry in reader.history()]
    off = "skipped(holiday: Sunday, of all days)"
    assert said == ["missed(x)", off, off, off, "missed(x)", "missed(x)"]
    skipped = reader.history(statuses=["skipped"], limit=2)
    assert [entry.said() for entry in skipped] == [off, off]
    assert [entry.ended for entry in skipped] == [1.0, 1.0]


def test_gaps_of_many_schedules_are_merged_by_slot(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    every_two = make_timing("every", "2m", timezone=None).text
    sqlite_log.apply(
        Decision(
            gaps=(
                a_gap(DAY, DAY + 240, schedule="a"),
                a_gap(DAY + 60, DAY + 360, schedule="b", timing=every_two, count=3),
                a_gap(DAY - 300, DAY - 240, schedule="a"),
            )
        )
    )
    found = [(e.schedule, minute) for e, minute in _with_minutes(reader.history())]
    assert sorted(found) == [
        ("a", -4), ("a", 1), ("a", 2), ("a", 3), ("a", 4), ("b", 2), ("b", 4), ("b", 6),
    ]  # fmt: skip
    assert [minute for _, minute in found] == [6, 4, 4, 3, 2, 2, 1, -4]


def _with_minutes(entries: list[Entry]) -> Iterator[tuple[Entry, int | None]]:
    return zip(entries, slots(entries), strict=True)


def test_a_gap_of_thirty_million_slots_costs_what_is_read_of_it(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    count = 30_000_000
    gap = a_gap(DAY - count, DAY, count=count, timing=SECONDLY)
    sqlite_log.apply(Decision(gaps=(gap,), runs=(a_run(DAY - 1, **DONE),)))
    found = reader.history(["backup"], limit=4)
    assert [e.scheduled_at for e in found] == [DAY, DAY - 1, DAY - 2, DAY - 3]
    assert [e.status for e in found] == ["missed", "succeeded", "missed", "missed"]
    assert reader.open_missed() == {"backup": count - 1}


@pytest.mark.parametrize(
    ("statuses", "minutes"),
    [
        (["missed"], [4]),
        (["failed"], [2]),
        (["failed", "interrupted"], [2, 1]),
        (["skipped"], [5, 3]),
        (["missed", "succeeded"], [4, 0]),
        (["running"], [6]),
        ([], []),
        (["nonsense"], []),
    ],
)
def test_history_is_chosen_by_status(
    sqlite_log: SqliteRunLog, reader: Reader, statuses: list[str], minutes: list[int]
) -> None:
    sqlite_log.apply(
        Decision(
            runs=(
                a_run(DAY, **DONE),
                a_run(DAY + 60, status=RunStatus.INTERRUPTED),
                a_run(DAY + 120, status=RunStatus.FAILED, exit_code=3),
                a_run(DAY + 180, status=RunStatus.SKIPPED, reason="overlap"),
                a_run(DAY + 360, status=RunStatus.RUNNING),
            ),
            gaps=(
                a_gap(DAY + 180, DAY + 240),
                a_gap(DAY + 240, DAY + 300, closed_as="declined", closed_at=1.0),
            ),
        )
    )
    for names in (None, ["backup"]):
        assert slots(reader.history(names, statuses=statuses)) == minutes


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        (DAY + 60, DAY + 240, [3, 2, 1]),
        (DAY + 60.5, DAY + 180.5, [3, 2]),
        (None, DAY + 120, [1, 0]),
        (DAY + 240, None, [4]),
        (DAY + 999, None, []),
        (None, DAY, []),
    ],
)
def test_history_begins_with_since_and_ends_before_until(
    sqlite_log: SqliteRunLog,
    reader: Reader,
    since: float | None,
    until: float | None,
    minutes: list[int],
) -> None:
    runs = (a_run(DAY, **DONE), a_run(DAY + 180, **DONE))
    sqlite_log.apply(Decision(runs=runs, gaps=(a_gap(DAY, DAY + 240),)))
    assert slots(reader.history(since=since, until=until)) == minutes


@pytest.mark.parametrize("some", [2, 100])
def test_history_of_some_schedules_leaves_the_others_out(
    sqlite_log: SqliteRunLog, reader: Reader, some: int
) -> None:
    names = [f"job-{n}" for n in range(some + 1)]
    runs = [a_run(DAY + 60 * n, schedule=name, **DONE) for n, name in enumerate(names)]
    gaps = [a_gap(DAY - 60, DAY, schedule=name) for name in names]
    sqlite_log.apply(Decision(runs=tuple(runs), gaps=tuple(gaps)))
    found = reader.history(names[:-1], limit=None)
    assert sorted(e.schedule for e in found) == sorted([*names[:-1], *names[1:-1]])
    assert reader.history([]) == []


def test_of_many_schedules_only_those_are_walked_whose_runs_are_shown(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    """However many are asked for, and however long the latest run of most is ago."""
    names = [f"job-{n}" for n in range(300)]
    runs = [a_run(DAY + 60 * (n // 100), schedule=name, **DONE) for n, name in enumerate(names)]
    sqlite_log.apply(Decision(runs=tuple(runs)))
    asked: list[str] = []
    reader._connection.set_trace_callback(asked.append)
    assert slots(reader.history(names, limit=5)) == [2] * 5
    assert sum("ORDER BY at DESC, asked" in sql for sql in asked) <= 6


#: Status and retries of runs, by schedule and minute.
RUNS = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 12)),
    st.tuples(st.sampled_from(RunStatus), st.integers(0, 2)),
    max_size=30,
)
#: Schedules and which four minutes they missed.
GAPS = st.sets(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=5)
NAMES = st.none() | st.sets(st.sampled_from("abcde"))
WORDS = st.none() | st.sets(st.sampled_from([*(status.value for status in RunStatus), "missed"]))
BOUNDS = st.tuples(st.none() | st.integers(-1, 13), st.none() | st.integers(-1, 13))


@given(RUNS, GAPS, NAMES, WORDS, BOUNDS)
def test_a_history_is_the_whole_history_sifted_and_cut(
    runs: dict[tuple[str, int], tuple[RunStatus, int]],
    gaps: set[tuple[str, int]],
    names: set[str] | None,
    statuses: set[str] | None,
    bounds: tuple[int | None, int | None],
) -> None:
    """Whatever index answers it: by schedule, by status, by both, newest first in any case."""
    log = SqliteRunLog(":memory:")
    log.apply(Decision(runs=tuple(_some_runs(runs))))
    missed = (a_gap(DAY + 240 * n, DAY + 240 * n + 180, schedule=name) for name, n in gaps)
    log.apply(Decision(gaps=tuple(missed)))
    since, until = (None if minute is None else DAY + 60.0 * minute for minute in bounds)
    whole = [
        entry for entry in log.history(limit=None)
        if (names is None or entry.schedule in names)
        and (statuses is None or entry.status in statuses)
        and (since is None or entry.at >= since) and (until is None or entry.at < until)
    ]  # fmt: skip
    found = log.history(names, statuses=statuses, since=since, until=until, limit=None)
    first = log.history(names, statuses=statuses, since=since, until=until, limit=7)
    log.close()
    assert [entry.at for entry in found] == [entry.at for entry in whole]
    assert sorted(entry.id for entry in found) == sorted(entry.id for entry in whole)
    assert first == found[:7]


def _some_runs(given: dict[tuple[str, int], tuple[RunStatus, int]]) -> Iterator[Run]:
    for (schedule, minute), (status, retries) in given.items():
        first = a_run(DAY + 60 * minute, schedule=schedule, status=status)
        yield first
        for number in range(retries):
            again = request_id(Origin.RETRY, schedule, DAY + 60 * minute + number)
            yield replace(first, id=again, origin=Origin.RETRY, retry_of=first.id)


TIMES = [
    # what the run has, duration, lag
    ({"started": DAY + 2.0}, 3.0, 2.0),
    ({"started": DAY + 2.0, "not_before": DAY + 1.5}, 3.0, 0.5),
    ({"started": DAY + 2.0, "not_before": DAY + 3.5}, 3.0, 2.0),
    ({"started": DAY + 2.0, "created": DAY + 1.75, "origin": Origin.CATCHUP}, 3.0, 0.25),
    ({}, None, None),
]


@pytest.mark.parametrize(("keys", "duration", "lag"), TIMES)
def test_duration_and_lag_count_from_the_first_start(
    sqlite_log: SqliteRunLog,
    reader: Reader,
    keys: dict[str, object],
    duration: float | None,
    lag: float | None,
) -> None:
    sqlite_log.apply(Decision(runs=(a_run(ended=DAY + 5.0, **keys, **DONE),)))
    (entry,) = reader.history()
    assert (entry.duration, entry.lag) == (duration, lag)


def test_an_entry_says_its_status_as_a_run_does(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    runs = (
        a_run(DAY + 180, status=RunStatus.FAILED, exit_code=3),
        a_run(DAY + 120, status=RunStatus.FAILED, reason="start: no such file"),
        a_run(DAY + 60, status=RunStatus.SKIPPED, reason=Reason.OVERLAP.value),
        a_run(DAY, **DONE),
    )
    sqlite_log.apply(Decision(runs=runs))
    assert [entry.said() for entry in reader.history()] == [run.verdict() for run in runs]


# -- single runs ----------------------------------------------------------------------------------


@pytest.fixture
def some_runs(sqlite_log: SqliteRunLog) -> list[Run]:
    """Store runs of schedules with names that begin alike."""
    runs = [
        a_run(DAY, schedule="back", **DONE),
        a_run(DAY + 60, schedule="back", **DONE),
        a_run(DAY, schedule="back-up", **DONE),
        a_manual_run(DAY, schedule="back"),
        a_manual_run(DAY + 1, schedule="back"),
    ]
    states = tuple(a_state(name) for name in ("back", "back-up"))
    sqlite_log.apply(Decision(runs=tuple(runs), schedules=states))
    return [replace(run, seq=n + 1) for n, run in enumerate(runs)]


def test_a_run_is_found_by_its_id(some_runs: list[Run], reader: Reader) -> None:
    for run in some_runs:
        assert reader.run(run.id) == run
    assert reader.runs([some_runs[3].id, "nobody", some_runs[0].id]) == [
        some_runs[3], some_runs[0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ("sched-back-up", 2),
        ("sched-back-up-", 2),
        (f"sched-back-{DAY + 60}"[:-1], 1),
        (f"manual-back-{DAY}"[:-1] + f"{DAY}"[-1] + "000", 3),
        ("manual-back-17952192010", 4),
        ("sched-back-9", None),
        ("sched-back-x", None),
        ("sched-nobody", None),
        ("manual-x", None),
        ("", None),
        ("sched-back-0", None),
        (f"sched-back-0{DAY}", None),
        ("sched-back-" + "9" * 12, None),
        ("sched-back-" + "9" * 20, None),
        ("sched-back-" + "9" * 5000, None),
        ("sched-back-\u0661", None),
        ("sched-\udcff-60", None),
        ("manual-\udcff", None),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_run_is_found_by_a_beginning_that_only_it_has(
    some_runs: list[Run], reader: Reader, said: str, which: int | None
) -> None:
    assert reader.run(said) == (None if which is None else some_runs[which])
    if which is None:
        assert reader.runs([said]) == []


@pytest.mark.parametrize("said", ["sched-", "sched-back", "sched-back-1", "manual-back-"])
@pytest.mark.usefixtures("some_runs")
def test_a_beginning_that_several_have_is_no_name(reader: Reader, said: str) -> None:
    with pytest.raises(NotFound, match="beginning of several"):
        reader.run(said)


def test_attempts_of_a_run_come_in_order(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    attempts = [an_attempt(a_run(), n) for n in (1, 2, 3)]
    sqlite_log.apply(Decision(runs=(a_run(),), attempts=tuple(reversed(attempts))))
    assert reader.attempts(a_run().id) == attempts
    assert reader.attempts("sched-nobody-1") == []


# -- schedules ------------------------------------------------------------------------------------


def test_the_last_run_of_each_schedule_in_one_question(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    runs = (
        a_run(DAY, schedule="a", **DONE), a_run(DAY + 60, schedule="a", status=RunStatus.SKIPPED),
        a_run(DAY + 120, schedule="a"),
        a_run(DAY + 60, schedule="b", **DONE), a_run(DAY, schedule="b", **DONE),
        a_run(DAY, schedule="c"),
    )  # fmt: skip
    sqlite_log.apply(Decision(runs=runs, schedules=tuple(a_state(name) for name in "abcd")))
    last = {name: (run.scheduled_at or 0) - DAY for name, run in reader.last_runs().items()}
    assert last == {"a": 60, "b": 60}
    done = {name: (r.scheduled_at or 0) - DAY for name, r in reader.last_runs(done=True).items()}
    assert done == {"a": 0, "b": 60}
    assert list(reader.last_runs(["b", "nobody"])) == ["b"]


def test_open_missed_slots_are_counted_by_arithmetic(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    year = 525_600
    sqlite_log.apply(
        Decision(
            runs=(a_run(DAY + 60), a_run(DAY + 120, **DONE), a_run(DAY + 60, schedule="b")),
            gaps=(
                a_gap(DAY, DAY + 60 * year),
                a_gap(DAY - 600, DAY - 300),
                a_gap(DAY, DAY + 60, schedule="b"),
                a_gap(DAY, DAY + 60, schedule="c", closed_as="declined", closed_at=1.0),
            ),
        )
    )
    assert reader.open_missed() == {"backup": year - 2 + 5}
    assert reader.open_missed(["b", "c"]) == {}


def test_runs_of_another_timetable_are_no_missed_slots(
    sqlite_log: SqliteRunLog, reader: Reader
) -> None:
    """The count, and the history that lists them, agree."""
    strange = [a_run(DAY + 61 + n, origin=Origin.BACKFILL, **DONE) for n in range(3)]
    own = a_run(DAY + 60, origin=Origin.BACKFILL, **DONE)
    sqlite_log.apply(Decision(gaps=(a_gap(DAY, DAY + 300),), runs=(own, *strange)))
    assert reader.open_missed() == {"backup": 4}
    assert len(reader.history(statuses=["missed"])) == 4


def test_every_definition_seen_is_remembered(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    for number, text in ((1, '{"a":1}'), (2, '{"a":2}')):
        state = a_state(revision=number, definition=text, seen_at=DAY + float(number))
        sqlite_log.apply(Decision(schedules=(state,)))
    assert reader.revisions("backup") == [
        Revision(number=1, seen_at=DAY + 1.0, definition='{"a":1}'),
        Revision(number=2, seen_at=DAY + 2.0, definition='{"a":2}'),
    ]
    assert (reader.revision("backup"), reader.revision("nobody")) == (2, 0)


def test_gaps_of_a_schedule_closed_ones_too(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    closed = a_gap(DAY, DAY + 60, closed_as="caught_up", closed_at=2.0)
    sqlite_log.apply(Decision(gaps=(a_gap(DAY + 60, DAY + 120), closed)))
    assert [gap.closed_as for gap in reader.gaps("backup")] == ["caught_up", None]
    assert reader.gaps(["nobody"]) == []
    assert [gap.timing for gap in reader.open_gaps()] == [MINUTELY]


def test_counters_and_facts_are_read(sqlite_log: SqliteRunLog, reader: Reader) -> None:
    sqlite_log.apply(Decision(counts=(Count(metric="m", label="x"),), meta={"a": "b"}))
    assert (reader.counters(), reader.meta()) == ({("m", "", "x"): 1.0}, {"a": "b"})


# -- indexes --------------------------------------------------------------------------------------

QUESTIONS = {
    "all": lambda reader: reader.history(),
    "of one": lambda reader: reader.history(["backup"]),
    "of some": lambda reader: reader.history(["backup", "report"]),
    "between": lambda reader: reader.history(["backup"], since=DAY, until=DAY + 60.0),
    "failing": lambda reader: reader.history(statuses=["failed", "timed_out"]),
    "failing of one": lambda reader: reader.history(["backup"], statuses=["failed"], since=DAY),
    "set aside": lambda reader: reader.history(statuses=["skipped", "cancelled"]),
    "running": lambda reader: reader.history(statuses=["running", "queued"]),
    "running of one": lambda reader: reader.history(["backup"], statuses=["running"]),
    "missed": lambda reader: reader.history(statuses=["missed"]),
    "missed of one": lambda reader: reader.history(["backup"], statuses=["missed"]),
    "active": Reader.active,
    "a run": lambda reader: reader.run("sched-backup-1"),
    "a manual run": lambda reader: reader.run("manual-backup-1"),
    "attempts": lambda reader: reader.attempts("sched-backup-1"),
    "decided": lambda reader: reader.decided("backup", DAY, DAY + 60),
    "last verdict": lambda reader: reader.last_verdict("backup", ""),
    "last runs": lambda reader: reader.last_runs(),
    "open missed": lambda reader: reader.open_missed(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_answered_from_an_index(
    sqlite_log: SqliteRunLog, reader: Reader, question: str
) -> None:
    """No walk over all runs, attempts or closed gaps, and no sorting of them."""
    sqlite_log.apply(Decision(gaps=(a_gap(DAY, DAY + 60),), runs=(a_run(),)))
    asked: list[str] = []
    reader._connection.set_trace_callback(asked.append)
    QUESTIONS[question](reader)
    reader._connection.set_trace_callback(None)
    selects = [sql for sql in asked if sql.startswith(("SELECT", "WITH"))]
    assert selects
    for sql in selects:
        plan = [row[3] for row in reader._connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        for step in plan:
            walks_a_table = step.startswith("SCAN") and "INDEX" not in step
            assert not walks_a_table or step in HARMLESS, (step, sql)
            assert "TEMP B-TREE FOR ORDER BY" not in step or question in SORTED, (step, sql)
            if question in ONLY_THROUGH and " runs " in f"{step} ":
                assert ONLY_THROUGH[question] in step, (step, sql)


#: Of what is active there is little, and it is sorted.
SORTED = {"active", "running", "running of one"}
#: Indexes that hold nothing but what is asked for, where others look at every run for a rare one;
#: or all that is asked for, where others look at the run itself, anywhere in the file.
ONLY_THROUGH = {
    "decided": "COVERING INDEX runs_of_schedule",
    "open missed": "COVERING INDEX runs_of_schedule",
    "failing": "INDEX runs_unusual (status=? AND",
    "failing of one": "INDEX runs_unusual_of_schedule (schedule=? AND status=? AND",
    "set aside": "INDEX runs_unusual (status=? AND",
    "running": "INDEX runs_active",
    "running of one": "INDEX runs_active (schedule=?",
}
#: Steps over what is short by nature.
HARMLESS = {"SCAN schedules", "SCAN renames", "SCAN json_each VIRTUAL TABLE INDEX 1:"}
