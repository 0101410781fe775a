"""Lanes, whatever happens: order is kept, nothing is lost, nothing is sent after its end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.telling.channels import Rate
from flytesched.core.telling.events import OPEN, PING_URL, Event, Notice, NoticeStatus
from flytesched.hooks.answer import REFUSED, Answer, refused, sent, unknown
from flytesched.hooks.lane import AGE, FIRST, LONGEST, MOST, PING_AGE, Lane

if TYPE_CHECKING:
    from flytesched.core.telling.events import NoticeMove

NOW = 1_795_226_400.0


def a_notice(number: int, channel: str = "ops", created: float = NOW) -> Notice:
    """Return a queued notice as the run log has it."""
    return Notice(
        id=number, channel=channel, event=Event.FAILURE, schedule="job", about=f"r{number}",
        facts="{}", created=created,
    )  # fmt: skip


ANSWERS: list[Answer] = [
    sent(), unknown("x"), refused("x"), refused("x", again=True),
    refused("x", again=True, after=1e9),
]  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.just("put"),
        st.sampled_from(ANSWERS),
        st.floats(min_value=0.0, max_value=2 * AGE, allow_nan=False),
    ),
    max_size=60,
)


@given(steps=STEPS, channel=st.sampled_from(["ops", PING_URL]), limited=st.booleans())
def test_a_lane_keeps_its_order_and_ends_each_notice_once(
    steps: list[str | Answer | float], channel: str, limited: bool
) -> None:
    """Notices are handed over in their order, one message at a time, and end exactly once.

    However long a minute is looked for, no more messages arrive in it than the rate says.
    """
    lane = Lane(channel, "job" if channel == PING_URL else None)
    if limited:
        lane.limit(Rate(2, 60.0), ())
    passed, put, ended = 0.0, 0, list[int]()
    went: list[float] = []
    handed: list[int] = []

    def take_in(moves: list[NoticeMove]) -> None:
        for move in moves:
            if move.notice.status in OPEN:
                assert move.notice.status is NoticeStatus.QUEUED
                assert move.notice.not_before > NOW + passed
            else:
                ended.append(move.notice.id)

    for step in steps:
        if step == "put":
            put += 1
            lane.waiting.append(a_notice(put, channel, NOW + passed))
        elif isinstance(step, float):
            passed += step
        elif isinstance(step, Answer) and lane.in_hand:
            went += [] if step.outcome == REFUSED else [passed]
            take_in(lane.answered(step, NOW + passed, passed))
        take_in([*lane.outdated(NOW + passed)])
        if lane.next_at(passed) <= passed:
            batch = lane.batch()
            lane.take(batch)
            assert not limited or len([at for at in went if at > passed - 60.0]) < 2
            first = [one.id for one in batch]
            assert first == sorted(first)
            assert not set(first) & set(ended)
            assert all(one >= max(handed, default=0) for one in first)
            handed = first
        assert lane.newest == max(
            (one.id for part in (lane.waiting, lane.in_hand) for one in part), default=0
        )
        left = [*lane.in_hand, *lane.waiting]
        assert sorted([*ended, *(one.id for one in left)]) == [*range(1, put + 1)]


def test_what_waits_for_a_slow_rate_is_not_given_up() -> None:
    """One message a week is one message a week, with all that happened since the last one."""
    lane, week = Lane("ops", None), 7 * AGE
    lane.limit(Rate(1, week), [0.0])
    lane.waiting.extend((a_notice(1), a_notice(2, created=NOW + AGE)))

    assert [*lane.outdated(NOW + week)] == []
    assert lane.next_at(AGE) == week
    assert [one.id for one in lane.batch()] == [1, 2]


def test_a_lane_that_is_refused_waits_longer_each_time_but_not_for_ever() -> None:
    """Five seconds, doubling up to ten minutes; a success begins anew."""
    lane, passed, waits = Lane("ops", None), 0.0, []
    lane.waiting.append(a_notice(1))
    for _ in range(10):
        lane.take(lane.batch())
        assert lane.next_at(passed) == math.inf
        lane.answered(refused("x", again=True), NOW, passed)
        waits.append(lane.next_at(passed) - passed)
        passed = lane.next_at(passed)
    assert waits == [min(FIRST * 2**n, LONGEST) for n in range(10)]

    lane.take(lane.batch())
    lane.answered(sent(), NOW, passed)
    lane.waiting.append(a_notice(2))
    lane.take(lane.batch())
    lane.answered(refused("x", again=True), NOW, passed)

    assert lane.next_at(passed) - passed == FIRST


def test_what_is_left_out_says_why() -> None:
    """Too old for a ping is ten minutes, for all else a day; of too many the oldest go."""
    pings, ops = Lane(PING_URL, "job"), Lane("ops", None)
    pings.waiting.append(a_notice(1, PING_URL))
    ops.waiting.extend(a_notice(n) for n in range(1, MOST + 3))

    assert [*pings.outdated(NOW + PING_AGE)] == []
    (ping,) = pings.outdated(NOW + PING_AGE + 1)
    surplus = [*ops.outdated(NOW)]
    old = [*ops.outdated(NOW + AGE + 1)]

    assert (ping.notice.status, ping.notice.why) == (NoticeStatus.DROPPED, "too old")
    assert [(m.notice.id, m.notice.why) for m in surplus] == [
        (1, "too many were waiting"), (2, "too many were waiting"),
    ]  # fmt: skip
    assert len(old) == MOST
    assert {(m.notice.status, m.notice.why) for m in old} == {
        (NoticeStatus.FAILED, "not sent for a day")
    }
