"""Statistics: counted, spread and put together by the rules a person would use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.runs import FAILURES, RunStatus
from flytesched.core.statistics import Figures, Streak, figures, spread, total

SECONDS = st.floats(0, 1e9)
OBSERVED = st.tuples(
    st.sampled_from([status.value for status in RunStatus]),
    st.sampled_from([None, "overlap", "queue_full"]),
    st.none() | SECONDS,
    st.none() | SECONDS,
)
GOOD, BAD = ("succeeded", None, 1.0, 0.0), ("failed", None, 1.0, 0.0)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """Of a hundred, the ninety-ninth; of one, the one."""
    hundred = spread([float(number) for number in range(1, 101)])
    one = spread([7.0])

    assert hundred is not None
    assert one is not None
    assert (hundred.p50, hundred.p90, hundred.p99, hundred.most) == (50, 90, 99, 100)
    assert (one.p50, one.p90, one.p99, one.most) == (7, 7, 7, 7)
    assert spread([]) is None


@given(values=st.lists(SECONDS, min_size=1).map(sorted))
def test_so_many_are_at_most_a_percentile_and_no_fewer(values: list[float]) -> None:
    """And any smaller value would have fewer below it."""
    found = spread(values)
    assert found is not None

    for part, value in ((50, found.p50), (90, found.p90), (99, found.p99), (100, found.most)):
        assert value in values
        assert sum(each <= value for each in values) * 100 >= part * len(values)
        assert sum(each < value for each in values) * 100 < part * len(values)


@pytest.mark.parametrize(
    ("observed", "streak"),
    [
        ([], None),
        ([GOOD], Streak(good=True, length=1)),
        ([BAD], Streak(good=False, length=1)),
        ([BAD, GOOD, GOOD], Streak(good=True, length=2)),
        ([GOOD, BAD, ("timed_out", None, 1.0, 0.0)], Streak(good=False, length=2)),
        ([GOOD, ("skipped", "overlap", None, None), GOOD], Streak(good=True, length=2)),
        ([BAD, ("cancelled", "by user", None, None)], Streak(good=False, length=1)),
        ([GOOD, ("running", None, None, 0.0)], Streak(good=True, length=1)),
    ],
)
def test_a_streak_is_of_the_newest_runs_whose_command_did_something(
    observed: list[tuple[str, str | None, float | None, float | None]], streak: Streak | None
) -> None:
    """What was skipped or cancelled, or goes on, neither ends nor lengthens one."""
    assert figures(observed).streak == streak


def test_a_streak_says_itself() -> None:
    """As a person would."""
    assert str(Streak(good=True, length=1_234)) == "1,234 succeeded"
    assert str(Streak(good=False, length=2)) == "2 failed"


def test_skips_are_counted_by_their_reason() -> None:
    """Reasons of other verdicts are not."""
    found = figures(
        [
            ("skipped", "overlap", None, None), ("skipped", "overlap", None, None),
            ("skipped", "queue_full", None, None), ("skipped", None, None, None),
            ("skipped", "holiday: Christmas Day", None, None),
            ("skipped", "holiday: company; 2026-12-28 has slots already", None, None),
            ("failed", "start: no such file", None, None),
        ]
    )  # fmt: skip

    assert found.skipped == {"overlap": 2, "queue_full": 1, "": 1, "holiday": 2}
    assert found.statuses == {"skipped": 6, "failed": 1}
    assert (found.runs, found.success_rate) == (1, 0.0)


def test_a_rate_is_of_runs_that_ended_by_themselves() -> None:
    """Without any, there is none."""
    found = figures([GOOD, GOOD, BAD, ("cancelled", "by user", 1.0, 0.0)])

    assert found.success_rate == pytest.approx(2 / 3)
    assert figures([]).success_rate is None
    assert figures([]).empty
    assert not Figures(missed=1).empty


@given(parts=st.lists(st.lists(OBSERVED, max_size=20), max_size=4))
def test_a_total_is_what_all_rows_together_come_to(
    parts: list[list[tuple[str, str | None, float | None, float | None]]],
) -> None:
    """But for the streak, which several schedules do not have."""
    whole = figures([row for rows in parts for row in rows])

    found = total(map(figures, parts))

    assert (found.statuses, found.skipped) == (whole.statuses, whole.skipped)
    assert [*found.durations] == [*whole.durations] == sorted(whole.durations)
    assert [*found.lags] == [*whole.lags] == sorted(whole.lags)
    assert found.runs == sum(whole.statuses.get(s, 0) for s in (*FAILURES, RunStatus.SUCCEEDED))
    assert found.streak is None


def test_a_total_adds_what_attempts_took_and_keeps_the_most_memory() -> None:
    """Where it was never measured, there is none."""
    parts = [Figures(cpu=1.5, max_rss=100), Figures(cpu=2.0), Figures(max_rss=300, missed=4)]

    found = total(parts)

    assert (found.cpu, found.max_rss, found.missed) == (3.5, 300, 4)
    assert total([]).max_rss is None
