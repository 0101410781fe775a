"""Events and notices."""

from __future__ import annotations

import pytest

from flytesched.core.runs import VERDICTS, RunStatus
from flytesched.core.telling.events import (
    CHOICES,
    OPEN,
    PINGS,
    USUAL,
    Event,
    Notice,
    NoticeStatus,
    about_gap,
    event_of,
)

NOTICE = Notice(
    channel="ops", event=Event.FAILURE, schedule="job", about="sched-job-60", facts="{}",
    created=61.0, id=3,
)  # fmt: skip


def test_each_verdict_is_one_event_at_most() -> None:
    assert {status.value: event_of(status) for status in sorted(VERDICTS)} == {
        "cancelled": None, "failed": "failure", "interrupted": "failure", "skipped": None,
        "succeeded": "success", "timed_out": "failure",
    }  # fmt: skip
    assert event_of(RunStatus.RUNNING) is None


def test_channels_and_ping_urls_are_told_different_things() -> None:
    assert {*CHOICES, *PINGS, Event.TEST} == set(Event)
    assert not PINGS & set(CHOICES)
    assert set(CHOICES) - set(USUAL) == {Event.SUCCESS}


def test_a_notice_ends_in_its_last_state() -> None:
    sent = NOTICE.end(NoticeStatus.SENT, 70.5)
    assert (sent.status, sent.ended, sent.why) == (NoticeStatus.SENT, 70.5, None)
    assert NOTICE.end(NoticeStatus.FAILED, 70.5, "550").why == "550"
    assert sent.status not in OPEN
    assert NOTICE.status in OPEN


def test_a_notice_and_a_gap_are_taken_for_no_run() -> None:
    assert NOTICE.key == "notice-3"
    assert about_gap("job", 60) == "gap-job-60"


@pytest.mark.parametrize("event", Event)
def test_an_event_is_hashed_as_its_word(event: Event) -> None:
    assert hash(event) == hash(event.value)
    assert event == event.value
