"""How channels have done, as the run log answers it; and what counts notices, in every run log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flytesched.core.counts import count_notices
from flytesched.core.decision import Decision
from flytesched.core.telling.events import Event, Notice, NoticeMove, NoticeStatus

if TYPE_CHECKING:
    from flytesched.runlog.notices import ChannelRecord
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.testing import MemoryRunLog

    Log = MemoryRunLog | SqliteRunLog

QUEUED, SENDING, SENT, FAILED, UNKNOWN, DROPPED = NoticeStatus
NOON = 1_795_262_400.0


def a_notice(about: str, status: NoticeStatus = QUEUED, *, at: float = 0.0, **keys: Any) -> Notice:
    """Return a notice that was written, or has ended, some seconds after noon."""
    given: dict[str, Any] = {"channel": "ops", "schedule": "job", "created": NOON + at, **keys}
    if status not in {QUEUED, SENDING}:
        given.setdefault("ended", NOON + at)
    return Notice(event=Event.FAILURE, about=about, facts="{}", status=status, **given)


def record(log: SqliteRunLog, *notices: Notice, since: float = NOON) -> ChannelRecord:
    """Store notices, and return the record of their one channel."""
    log.apply(Decision(notices=notices))
    (found,) = log.channel_records(since)
    return found


# -- counters -----------------------------------------------------------------------------------


def test_a_last_state_is_counted_in_its_transaction(log: Log) -> None:
    """By channel and state; what is handed over has not arrived yet."""
    log.apply(Decision(notices=(a_notice("a"), a_notice("b"))))
    first, second = log.open_notices()
    sending = NoticeMove(notice=first, was=QUEUED)
    moves = [NoticeMove(notice=one.end(SENT, NOON), was=QUEUED) for one in (first, second)]

    log.apply(Decision(notice_states=(sending,), counts=tuple(count_notices([sending]))))
    log.apply(Decision(notice_states=tuple(moves), counts=tuple(count_notices(moves))))

    assert log.counters() == {("notices_total", "ops", "sent"): 2.0}


def test_a_notice_that_had_moved_on_is_not_counted_twice(log: Log) -> None:
    """Whoever comes second changes nothing, and counts nothing."""
    log.apply(Decision(notices=(a_notice("a"),)))
    (notice,) = log.open_notices()
    late = NoticeMove(notice=notice.end(UNKNOWN, NOON, "scheduler died"), was=QUEUED)
    for move in (NoticeMove(notice=notice.end(SENT, NOON), was=QUEUED), late):
        lost = log.apply(Decision(notice_states=(move,), counts=tuple(count_notices([move]))))

    assert lost == {notice.key}
    assert log.counters() == {("notices_total", "ops", "sent"): 1.0}


# -- records ------------------------------------------------------------------------------------


def test_a_run_log_without_notices_has_no_records(sqlite_log: SqliteRunLog) -> None:
    """Nor has one of an earlier version."""
    assert sqlite_log.channel_records(0.0) == []


def test_each_channel_has_its_record(sqlite_log: SqliteRunLog) -> None:
    """By name, also of those that the manifest knows no more."""
    channels = ("ping_url", "chat", "ops")
    sqlite_log.apply(Decision(notices=tuple(a_notice("a", channel=name) for name in channels)))

    found = sqlite_log.channel_records(NOON)

    assert [(each.channel, each.waiting) for each in found] == [
        ("chat", 1), ("ops", 1), ("ping_url", 1),
    ]  # fmt: skip


def test_what_did_not_arrive_is_counted_since_a_moment(sqlite_log: SqliteRunLog) -> None:
    """What waits is counted however old it is; what was sent is not counted at all."""
    found = record(
        sqlite_log,
        a_notice("old", FAILED, at=-1), a_notice("new", FAILED), a_notice("perhaps", UNKNOWN),
        a_notice("late", DROPPED, at=1), a_notice("later", DROPPED, at=2), a_notice("good", SENT),
        a_notice("waits", at=-9), a_notice("goes", SENDING, at=-9),
    )  # fmt: skip

    assert found.waiting == 2
    assert found.lost == {FAILED: 1, UNKNOWN: 1, DROPPED: 2}
    assert found.newest[DROPPED].about == "later"
    assert found.last_sent == NOON


@pytest.mark.parametrize(
    ("notices", "failing"),
    [
        ([a_notice("a", SENT)], None),
        ([a_notice("a")], None),
        ([a_notice("a", FAILED, why="404")], (NOON, "404")),
        ([a_notice("a", FAILED), a_notice("b", SENT, at=1)], None),
        ([a_notice("a", SENT), a_notice("b", UNKNOWN, at=1, why="x")], (NOON + 1, "x")),
        ([a_notice("a", SENT), a_notice("b", UNKNOWN, at=1, why="scheduler died")], None),
        ([a_notice("a", UNKNOWN, why="x"), a_notice("b", FAILED, at=1, why="y")], (NOON, "y")),
        ([a_notice("a", FAILED, why="x"), a_notice("b", UNKNOWN, at=1, why="y")], (NOON, "y")),
        # One of two recipients was left out.
        (
            [a_notice("a", SENT, why="not for nobody@example.org")],
            (NOON, "not for nobody@example.org"),
        ),
        ([a_notice("a", SENT), a_notice("b", DROPPED, at=1)], None),
        (
            [a_notice("a", SENT), a_notice("b", FAILED, at=1), a_notice("c", FAILED, at=2)],
            (NOON + 1, "nobody knows why"),
        ),
        # It was tried in vain, and will be again.
        ([a_notice("a", tries=1, why="refused")], (NOON, "refused")),
        ([a_notice("a", SENDING, tries=2, why="refused")], (NOON, "refused")),
        (
            [a_notice("a", SENT), a_notice("b", at=5, why="x"), a_notice("c", at=9, why="y")],
            (NOON + 5, "x"),
        ),
        # It waited behind one that was sent.
        ([a_notice("a", why="refused"), a_notice("b", SENT, at=1)], (NOON + 1, "refused")),
        # It was given up after a day, in which others got through.
        (
            [a_notice("a", SENT), a_notice("b", FAILED, at=-99, ended=NOON + 9, why="x")],
            (NOON, "x"),
        ),
    ],
)
def test_a_channel_fails_since_the_first_that_did_not_get_through(
    sqlite_log: SqliteRunLog, notices: list[Notice], failing: tuple[float, str] | None
) -> None:
    """Until something is sent again; what we broke off, or left out, proves nothing."""
    assert record(sqlite_log, *notices).failing == failing


def test_a_ping_url_fails_beside_others_that_do_not(sqlite_log: SqliteRunLog) -> None:
    """Each schedule has its own, and they are told of together: it is said whose it is."""
    refused = a_notice("a", channel="ping_url", schedule="load", why="refused")
    sent = a_notice("b", SENT, at=9, channel="ping_url")
    dropped = a_notice("c", DROPPED, channel="ping_url", schedule="tidy", why="too old")

    found = record(sqlite_log, refused, sent, dropped)

    assert found.failing == (NOON, "load: refused")
    assert found.last_loss == "tidy: too old"


def test_the_last_loss_is_told(sqlite_log: SqliteRunLog) -> None:
    """Of those that count."""
    found = record(
        sqlite_log, a_notice("a", UNKNOWN, at=2, why="x"), a_notice("b", DROPPED, at=1, why="y")
    )

    assert found.last_loss == "x"
    assert sqlite_log.channel_records(NOON + 9)[0].last_loss is None


def test_records_are_found_through_indexes(sqlite_log: SqliteRunLog) -> None:
    """They are asked for every other second, whatever a year of notices weighs."""
    from flytesched.runlog import notices

    for sql in (notices._WAITING, notices._ENDED, notices._REFUSED, notices._FIRST_FAILED,
                notices._LAST_FAILED,
                notices._NEWEST, notices._CHANNELS):  # fmt: skip
        plan = sqlite_log._all(f"EXPLAIN QUERY PLAN {sql}", *[0] * sql.count("?"))
        steps = [row[3] for row in plan if "notices" in row[3]]
        assert steps
        assert all(step.startswith("SEARCH notices") and "INDEX" in step for step in steps), steps
