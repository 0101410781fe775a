"""Notices: durable with what they tell of, once per channel, event and run; claimed, listed."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_gap, a_notice, a_run

from flytesched.core.decision import Decision, Move
from flytesched.core.runs import RunStatus
from flytesched.core.telling.events import Event, Notice, NoticeMove, NoticeStatus, about_gap
from flytesched.errors import RunLogError
from flytesched.runlog.reading import open_reader
from flytesched.runlog.sqlite import SqliteRunLog

if TYPE_CHECKING:
    from pathlib import Path

    from flytesched.testing import MemoryRunLog

    Log = MemoryRunLog | SqliteRunLog

RUN = a_run()
FAILED = a_run(status=RunStatus.FAILED, exit_code=1)


def keep(log: Log, *notices: Notice) -> None:
    log.apply(Decision(notices=notices))


def moved(log: Log, notice: Notice, was: NoticeStatus) -> bool:
    """Tell whether a notice could be moved."""
    lost = log.apply(Decision(notice_states=(NoticeMove(notice=notice, was=was),)))
    assert lost in ({notice.key}, frozenset())
    return not lost


# -- the contract of every run log ----------------------------------------------------------------


def test_a_notice_is_open_with_every_field_it_had(log: Log) -> None:
    notice = a_notice(RUN, tries=2, not_before=DAY + 5.5, why="no connection")
    keep(log, notice)
    assert log.open_notices() == [replace(notice, id=1)]


def test_the_oldest_are_read_first_and_no_more_than_asked_for(log: Log) -> None:
    keep(log, *(a_notice(RUN, channel=name) for name in ("b", "a", "c")))
    assert [one.channel for one in log.open_notices()] == ["b", "a", "c"]
    assert [one.channel for one in log.open_notices(2)] == ["b", "a"]
    assert [one.channel for one in log.open_notices(1, after=1)] == ["a"]


def test_there_is_one_notice_per_channel_event_and_run(log: Log) -> None:
    """The one that is there stays as it is, however often a verdict is written anew."""
    keep(log, a_notice(RUN, created=DAY + 1.0))
    keep(log, a_notice(RUN, created=DAY + 2.0), a_notice(RUN, channel="chat"))
    keep(log, a_notice(RUN, event=Event.LATE), a_notice(a_run(DAY + 60)))
    found = [(one.channel, one.event, one.about, one.created) for one in log.open_notices()]
    assert found == [
        ("ops", Event.FAILURE, RUN.id, DAY + 1.0),
        ("chat", Event.FAILURE, RUN.id, DAY),
        ("ops", Event.LATE, RUN.id, DAY),
        ("ops", Event.FAILURE, a_run(DAY + 60).id, DAY + 60),
    ]


def test_one_that_has_ended_is_not_written_again(log: Log) -> None:
    keep(log, a_notice(RUN))
    (notice,) = log.open_notices()
    assert moved(log, notice.end(NoticeStatus.SENT, DAY + 1.0), NoticeStatus.QUEUED)
    keep(log, a_notice(RUN))
    assert log.open_notices() == []


def test_a_run_that_loses_is_not_told_of(log: Log) -> None:
    log.apply(Decision(runs=(RUN,)))
    claimed = frozenset({RunStatus.CLAIMED})
    queued = frozenset({RunStatus.QUEUED})
    told = (a_notice(FAILED),)
    assert log.apply(Decision(moves=(Move(run=FAILED, was=queued),), notices=told)) == {RUN.id}
    assert log.open_notices() == []
    assert not log.apply(Decision(moves=(Move(run=FAILED, was=claimed),), notices=told))
    assert [one.about for one in log.open_notices()] == [RUN.id]


def test_a_gap_is_told_of_in_its_transaction(log: Log) -> None:
    gap = a_gap(DAY, DAY + 600)
    about = about_gap(gap.schedule, gap.after)
    log.apply(Decision(gaps=(gap,), notices=(a_notice(RUN, event=Event.MISSED, about=about),)))
    assert [one.about for one in log.open_notices()] == [f"gap-backup-{DAY}"]


@pytest.mark.parametrize("log", ["memory", "sqlite"], indirect=True)
def test_a_notice_is_claimed_by_one(log: Log, other: Log) -> None:
    """Two who want to send it take it by the state it was in, and one of them loses."""
    keep(log, a_notice(RUN))
    (notice,) = other.open_notices()
    taken = replace(notice, status=NoticeStatus.SENDING, tries=1)
    assert moved(log, taken, NoticeStatus.QUEUED)
    assert not moved(other, taken, NoticeStatus.QUEUED)
    assert other.open_notices() == [taken]


def test_a_notice_moves_on_and_ends(log: Log) -> None:
    keep(log, a_notice(RUN))
    (notice,) = log.open_notices()
    again = replace(notice, tries=1, not_before=DAY + 60.0, why="503", channel="other")
    assert moved(log, again, NoticeStatus.QUEUED)
    assert log.open_notices() == [replace(again, channel="ops")], "what it is stays"
    assert moved(log, again.end(NoticeStatus.FAILED, DAY + 9.0, "503"), NoticeStatus.QUEUED)
    assert log.open_notices() == []
    if isinstance(log, SqliteRunLog):
        assert [one.facts for one in log.notices()] == ["{}"], "it says no more what was told"
    assert not moved(log, notice, NoticeStatus.QUEUED)


def test_of_an_unknown_notice_nothing_can_be_moved(log: Log) -> None:
    assert not moved(log, a_notice(RUN, id=7), NoticeStatus.QUEUED)


def test_who_was_told_can_be_asked(log: Log) -> None:
    keep(log, a_notice(RUN, event=Event.LATE, status=NoticeStatus.SENT, ended=DAY + 1.0))
    assert log.noticed(["chat", "ops"], Event.LATE, RUN.id)
    assert not log.noticed(["chat"], Event.LATE, RUN.id)
    assert not log.noticed(["ops"], Event.LONG, RUN.id)
    assert not log.noticed(["ops"], Event.LATE, "another")
    assert not log.noticed([], Event.LATE, RUN.id)


def test_the_moments_of_messages_can_be_asked(log: Log) -> None:
    """A digest is one message; what may have arrived counts, and what did not does not."""
    ends = [
        (NoticeStatus.SENT, 10.0), (NoticeStatus.UNKNOWN, 20.0), (NoticeStatus.SENT, 30.0),
        (NoticeStatus.SENT, 30.0), (NoticeStatus.FAILED, 40.0), (NoticeStatus.DROPPED, 50.0),
    ]  # fmt: skip
    for number, (status, ended) in enumerate(ends):
        keep(log, a_notice(a_run(DAY + 60 * number), status=status, ended=ended))
    keep(log, a_notice(a_run(DAY + 600)), a_notice(RUN, channel="chat"))
    assert log.messages_since("ops", 0.0, 9) == [10.0, 20.0, 30.0]
    assert log.messages_since("ops", 10.0, 9) == [20.0, 30.0]
    assert log.messages_since("ops", 0.0, 2) == [20.0, 30.0]
    assert log.messages_since("chat", 0.0, 9) == []


# -- what the file answers beside -----------------------------------------------------------------


def test_a_state_and_its_end_go_together(sqlite_log: SqliteRunLog) -> None:
    for wrong in ({"ended": 5.0}, {"status": NoticeStatus.SENT}):
        with pytest.raises(RunLogError):
            keep(sqlite_log, a_notice(RUN, **wrong))
    assert sqlite_log.notices() == []


def test_a_channel_is_told_by_what_became_of_its_notices(sqlite_log: SqliteRunLog) -> None:
    """Open ones always count; those that have ended, from a moment on; the newest of each stays."""
    ends = [
        ("ops", NoticeStatus.SENT, 10.0), ("ops", NoticeStatus.SENT, 90.0),
        ("ops", NoticeStatus.FAILED, 95.0), ("chat", NoticeStatus.DROPPED, 20.0),
    ]  # fmt: skip
    for number, (channel, status, ended) in enumerate(ends):
        run = a_run(DAY + 60 * number)
        keep(sqlite_log, a_notice(run, channel=channel, status=status, ended=ended, why="w"))
    keep(sqlite_log, a_notice(RUN, event=Event.LONG), a_notice(RUN, channel="new"))
    records = {one.channel: one for one in sqlite_log.channel_records(50.0)}
    assert list(records) == ["chat", "new", "ops"]
    assert (records["ops"].waiting, records["ops"].lost) == (1, {NoticeStatus.FAILED: 1})
    assert (records["chat"].waiting, records["chat"].lost) == (0, {})
    assert (records["new"].waiting, records["new"].newest) == (1, {})
    assert records["ops"].newest[NoticeStatus.SENT].ended == 90.0
    assert records["chat"].newest[NoticeStatus.DROPPED].why == "w"
    assert NoticeStatus.UNKNOWN not in records["ops"].newest


def test_notices_are_listed_newest_first_and_by_what_they_are(sqlite_log: SqliteRunLog) -> None:
    runs = [a_run(DAY), a_run(DAY + 60), a_run(DAY, schedule="other")]
    keep(sqlite_log, *(a_notice(run) for run in runs), a_notice(RUN, channel="chat"))
    keep(sqlite_log, a_notice(RUN, event=Event.LATE, status=NoticeStatus.SENT, ended=5.0))

    def listed(**which: object) -> list[int]:
        return [one.id for one in sqlite_log.notices(**which)]  # type: ignore[arg-type]

    assert listed() == [5, 4, 3, 2, 1]
    assert listed(limit=2) == [5, 4]
    assert listed(channels=["chat"]) == [4]
    assert listed(schedules=["other"], statuses=[NoticeStatus.QUEUED]) == [3]
    assert listed(statuses=[NoticeStatus.SENT, NoticeStatus.FAILED]) == [5]
    assert listed(since=DAY + 60.0) == [2]
    assert listed(channels=[]) == []


def test_ended_notices_are_forgotten_like_runs(sqlite_log: SqliteRunLog) -> None:
    """Open ones stay, and so do those of a run that still goes on: they stand for being told."""
    sqlite_log.apply(Decision(runs=(RUN,)))
    done = {"status": NoticeStatus.SENT, "ended": DAY + 1.0}
    keep(
        sqlite_log, a_notice(RUN, event=Event.LATE, **done), a_notice(a_run(DAY + 60), **done),
        a_notice(a_run(DAY + 120)), a_notice(a_run(DAY + 180), **{**done, "ended": DAY + 99.0}),
    )  # fmt: skip
    sqlite_log.prune(DAY + 50.0)
    assert [one.id for one in sqlite_log.notices()] == [4, 3, 1]
    assert sqlite_log.notices_pruned == 1


@pytest.mark.parametrize("column", ["event", "status", "created"])
def test_a_damaged_notice_is_said_to_be_one(sqlite_log: SqliteRunLog, column: str) -> None:
    keep(sqlite_log, a_notice(RUN))
    sqlite_log._all("PRAGMA ignore_check_constraints = ON")
    value = -1 if column == "created" else "odd"
    sqlite_log._all(f"UPDATE notices SET {column} = ?", value)
    if column == "created":  # a strict table takes no other type
        assert [one.created for one in sqlite_log.open_notices()] == [-1.0]
        return
    with pytest.raises(RunLogError, match=f"damaged: there is a notice whose {column} cannot be"):
        sqlite_log.open_notices()


def test_what_is_open_and_what_is_listed_is_found_by_an_index(sqlite_log: SqliteRunLog) -> None:
    """However many notices there were, what is open costs what is open."""
    from flytesched.runlog import notices

    for sql, values in ((notices._OPEN, (0, 5)), (notices._NOTICED, ("a", "b", "c")),
                        (notices._NEWEST, ("a", "sent")),
                        (notices._MESSAGES, ("a", "sent", 0.0, 20)),
                        (notices._CHANNELS, ())):  # fmt: skip
        plan = [row[3] for row in sqlite_log._all(f"EXPLAIN QUERY PLAN {sql}", *values)]
        scans = [step for step in plan if step.startswith("SCAN notices")]
        assert not [step for step in scans if "INDEX" not in step], plan
        assert not any("TEMP B-TREE" in step for step in plan), plan


def test_a_run_log_of_an_earlier_version_has_no_notices(path: Path) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr("flytesched.runlog.migrations.LATEST", 3)
        SqliteRunLog(path).close()
    reader = open_reader(path)
    assert reader is not None
    with reader:
        assert (reader.notices(), reader.open_notices(), reader.channel_records(0.0)) == (
            [],
            [],
            [],
        )
        assert not reader.noticed(["ops"], Event.LATE, RUN.id)


def test_gaps_of_an_earlier_version_stay_as_they_are(path: Path) -> None:
    """Their table is made anew, so that a gap can be closed for a holiday."""
    gaps = [
        a_gap(DAY, DAY + 600),
        a_gap(DAY + 600, DAY + 900, closed_at=DAY + 1e3, closed_as="removed"),
        a_gap(DAY, DAY + 60, schedule="other", closed_at=DAY + 5.0, closed_as="declined"),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr("flytesched.runlog.migrations.LATEST", 3)
        log = SqliteRunLog(path)
        log.apply(Decision(gaps=tuple(gaps)))
        before = log.gaps()
        closed = a_gap(DAY, DAY + 60, closed_at=DAY + 1.0, closed_as="holiday")
        with pytest.raises(RunLogError):
            log.apply(Decision(gaps=(closed,)))
        log.close()
    log = SqliteRunLog(path)
    assert log.gaps() == before
    assert len(log.open_gaps()) == 1
    log.apply(Decision(gaps=(closed,)))
    assert [gap.id for gap in log.gaps() if gap.closed_as == "holiday"] == [len(gaps) + 1]
    log.close()
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
