"""The contract of a run log, for the one in memory and the one in SQLite alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from runlog_builders import DAY, a_gap, a_manual_run, a_run, a_state, an_attempt

from flytesched.core.calendars import Calendar
from flytesched.core.decision import Count, Decision, Move
from flytesched.core.gaps import gaps_of
from flytesched.core.runs import (
    AttemptKey,
    Origin,
    RunStatus,
    request_id,
)
from flytesched.core.schedule import Schedule
from flytesched.errors import RunLogError

if TYPE_CHECKING:
    from flytesched.core.runs import Run
    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.testing import MemoryRunLog

    Log = MemoryRunLog | SqliteRunLog

CLAIMED, RUNNING = frozenset({RunStatus.CLAIMED}), frozenset({RunStatus.RUNNING})
LUNAR = '{"kind":"lunar"}'
DONE = {"status": RunStatus.FAILED, "exit_code": 1}
SUCCEEDED = {"status": RunStatus.SUCCEEDED, "exit_code": 0, "ended": DAY + 9.0}


def store(log: Log, *runs: Run) -> None:
    """Store new runs, none of which may lose."""
    assert log.apply(Decision(runs=runs)) == frozenset()


# -- runs -------------------------------------------------------------------------------------


def test_a_stored_run_is_active_with_every_field_it_had(log: Log) -> None:
    run = a_run(
        reason="why", exit_code=3, not_before=DAY + 0.5, attempt=2, reruns=1, started=DAY + 1.25,
        end_as="timed_out", revision=7, parallel=0, origin=Origin.BACKFILL,
        status=RunStatus.RUNNING,
    )  # fmt: skip
    store(log, run)
    assert log.active() == [replace(run, seq=1)]


def test_a_slot_is_claimed_once(log: Log) -> None:
    store(log, a_run(created=DAY + 1.0))
    late = a_run(created=DAY + 2.0, origin=Origin.CATCHUP)
    assert log.apply(Decision(runs=(late,))) == {late.id}
    assert [run.created for run in log.active()] == [DAY + 1.0]


def test_a_slot_stays_claimed_after_its_verdict(log: Log) -> None:
    store(log, a_run(status=RunStatus.SKIPPED, reason="overlap"))
    assert log.apply(Decision(runs=(a_run(),))) == {a_run().id}


def test_a_lost_claim_takes_nothing_else_of_the_decision_down(log: Log) -> None:
    store(log, a_run())
    other = a_run(DAY + 60)
    assert log.apply(Decision(runs=(a_run(), other))) == {a_run().id}
    assert [run.id for run in log.active()] == [a_run().id, other.id]


def test_the_same_slot_of_another_schedule_is_another_slot(log: Log) -> None:
    store(log, a_run(), a_run(schedule="backup-2"))
    assert len(log.active()) == 2


def test_a_retry_repeats_a_slot_that_is_decided(log: Log) -> None:
    first = a_run(**SUCCEEDED)
    again = a_run(
        id=request_id(Origin.RETRY, "backup", DAY + 5), origin=Origin.RETRY, retry_of=first.id
    )
    store(log, first, again)
    assert [run.id for run in log.active()] == [again.id]
    assert log.decided("backup", DAY - 1, DAY) == [DAY]


def test_a_retry_does_not_take_the_slot_it_repeats(log: Log) -> None:
    again = a_run(id="retry-backup-1", origin=Origin.RETRY, retry_of="sched-backup-1")
    store(log, again, a_run())


def test_an_id_is_given_once(log: Log) -> None:
    store(log, a_manual_run())
    assert log.apply(Decision(runs=(a_manual_run(),))) == {a_manual_run().id}


def test_a_run_with_the_id_of_another_slot_is_a_bug_that_writes_nothing(log: Log) -> None:
    with pytest.raises(ValueError, match="is not the id of slot"):
        log.apply(Decision(runs=(a_run(DAY), a_run(DAY + 60, id="sched-backup-1"))))
    assert log.active() == []


def test_a_verdict_without_its_moment_is_refused(log: Log) -> None:
    with pytest.raises(RunLogError):
        log.apply(Decision(runs=(a_run(status=RunStatus.SKIPPED, ended=None),)))


# -- moves ------------------------------------------------------------------------------------


def test_a_move_changes_the_stored_run(log: Log) -> None:
    store(log, a_run())
    running = a_run(status=RunStatus.RUNNING, started=DAY + 0.5, attempt=1)
    assert log.apply(Decision(moves=(Move(run=running, was=CLAIMED),))) == frozenset()
    assert log.active() == [replace(running, seq=1)]


def test_a_move_to_a_verdict_ends_the_run(log: Log) -> None:
    store(log, a_run())
    log.apply(Decision(moves=(Move(run=a_run(**SUCCEEDED), was=CLAIMED),)))
    assert log.active() == []
    assert log.last_verdict("backup", "") == replace(a_run(**SUCCEEDED), seq=1)


def test_a_move_from_a_state_the_run_has_left_loses(log: Log) -> None:
    store(log, a_run(status=RunStatus.RUNNING))
    cancelled = a_run(status=RunStatus.CANCELLED)
    assert log.apply(Decision(moves=(Move(run=cancelled, was=CLAIMED),))) == {cancelled.id}
    assert [run.status for run in log.active()] == [RunStatus.RUNNING]


def test_a_move_of_a_run_that_is_gone_loses(log: Log) -> None:
    assert log.apply(Decision(moves=(Move(run=a_run(), was=CLAIMED),))) == {a_run().id}


def test_a_move_that_does_not_know_of_a_cancel_loses(log: Log) -> None:
    store(log, a_run(status=RunStatus.RUNNING, end_as="cancelled(by user)"))
    move = Move(run=a_run(**SUCCEEDED), was=RUNNING)
    assert log.apply(Decision(moves=(move,))) == {move.run.id}
    assert log.apply(Decision(moves=(replace(move, knew="cancelled(by user)"),))) == frozenset()


def test_two_moves_of_one_decision_follow_each_other(log: Log) -> None:
    store(log, a_run())
    moves = (
        Move(run=a_run(status=RunStatus.RUNNING), was=CLAIMED),
        Move(run=a_run(**SUCCEEDED), was=RUNNING),
    )
    assert log.apply(Decision(moves=moves)) == frozenset()
    assert log.active() == []


def test_a_verdict_never_changes(log: Log) -> None:
    store(log, a_run(**SUCCEEDED))
    failed = a_run(status=RunStatus.FAILED, exit_code=1)
    move = Move(run=failed, was=frozenset({RunStatus.SUCCEEDED}))
    with pytest.raises(RunLogError, match="a verdict never changes"):
        log.apply(Decision(moves=(move,), meta={"beside": "it"}))
    assert log.last_verdict("backup", "") == replace(a_run(**SUCCEEDED), seq=1)
    assert log.meta() == {}


# -- attempts and counters ----------------------------------------------------------------------


def test_an_attempt_is_stored_with_every_field_and_replaced_whole(log: Log) -> None:
    ordered = an_attempt(a_run(), survive=False, deadline=DAY + 60.5, kill_after=3.0)
    ended = replace(
        ordered, started=DAY + 1.0, pid=42, pid_started=4242, ended=DAY + 2.0, outcome="succeeded",
        exit_code=0, cpu=0.25, max_rss=2048, log=None,
    )  # fmt: skip
    log.apply(Decision(runs=(a_run(),), attempts=(ordered,)))
    assert log.attempt(ordered.key) == ordered
    log.apply(Decision(attempts=(ended,)))
    assert log.attempt(ordered.key) == ended


def test_an_attempt_of_a_run_that_lost_is_left_out(log: Log) -> None:
    log.apply(Decision(runs=(a_run(),), attempts=(an_attempt(a_run(), ordered=1.0),)))
    log.apply(Decision(runs=(a_run(),), attempts=(an_attempt(a_run(), ordered=2.0),)))
    stored = log.attempt(AttemptKey(a_run().id, 1))
    assert stored is not None
    assert stored.ordered == 1.0


def test_an_attempt_of_a_run_that_was_withdrawn_is_left_out(log: Log) -> None:
    """Somebody took it back between the choice to start it and the claim."""
    run = a_run(origin=Origin.CATCHUP, status=RunStatus.QUEUED)
    store(log, run)
    log.withdraw([run.id])
    claim = Move(run=replace(run, status=RunStatus.CLAIMED), was=frozenset({RunStatus.QUEUED}))
    assert log.apply(Decision(moves=(claim,), attempts=(an_attempt(run),))) == {run.id}
    assert log.attempt(an_attempt(run).key) is None


def test_an_attempt_of_no_run_is_refused(log: Log) -> None:
    with pytest.raises(RunLogError):
        log.apply(Decision(attempts=(an_attempt(a_run()),)))


def test_there_is_no_attempt_that_was_not_stored(log: Log) -> None:
    store(log, a_run())
    assert log.attempt(AttemptKey(a_run().id, 1)) is None
    assert log.attempt(AttemptKey("sched-backup-nonsense", 1)) is None


def test_counters_add_up_but_for_runs_that_lost(log: Log) -> None:
    once = Count(metric="runs_total", schedule="backup", label="skipped", run=a_run().id)
    log.apply(Decision(runs=(a_run(),), counts=(once, Count(metric="panics", amount=2.5))))
    log.apply(Decision(runs=(a_run(),), counts=(once, Count(metric="panics"))))
    assert log.counters() == {("runs_total", "backup", "skipped"): 1.0, ("panics", "", ""): 3.5}


def test_facts_are_remembered_and_replaced(log: Log) -> None:
    log.apply(Decision(meta={"heartbeat": "1", "manifest": "/etc/x"}))
    log.apply(Decision(meta={"heartbeat": "2"}))
    assert log.meta() == {"heartbeat": "2", "manifest": "/etc/x"}


# -- schedules ----------------------------------------------------------------------------------


def test_a_schedule_is_remembered_whole(log: Log) -> None:
    state = a_state(
        enabled=False, paused_until=DAY + 60, removed_at=DAY + 1.5, definition='{"a":1}', revision=3
    )
    log.apply(Decision(schedules=(state,)))
    assert log.load().schedules == {"backup": state}


def test_a_new_revision_replaces_the_old_one(log: Log) -> None:
    log.apply(Decision(schedules=(a_state(definition='{"a":1}'),)))
    newer = a_state(definition='{"a":2}', revision=2, seen_at=DAY + 5.0)
    log.apply(Decision(schedules=(newer,)))
    assert log.states() == {"backup": newer}


@pytest.mark.parametrize(("cursor", "kept"), [(DAY - 60, DAY), (DAY, DAY), (DAY + 60, DAY + 60)])
def test_a_cursor_never_moves_back(log: Log, cursor: int, kept: int) -> None:
    log.apply(Decision(schedules=(a_state(),)))
    log.apply(Decision(cursors={"backup": cursor, "unknown": cursor}))
    assert log.states()["backup"].cursor == kept
    log.apply(Decision(schedules=(a_state(cursor=DAY - 120),)))
    assert log.states()["backup"].cursor == kept


# -- gaps ---------------------------------------------------------------------------------------


def test_gaps_are_open_until_they_are_closed(log: Log) -> None:
    newer, older = a_gap(DAY + 600, DAY + 1200), a_gap(DAY, DAY + 300)
    other = a_gap(DAY, DAY + 60, schedule="report")
    log.apply(Decision(gaps=(newer, older, other)))
    assert [(gap.id, gap.after) for gap in log.open_gaps(["backup"])] == [(2, DAY), (1, DAY + 600)]
    assert len(log.open_gaps()) == 3
    assert log.open_gaps([]) == []
    log.apply(Decision(close_gaps=(("backup", "declined", DAY + 9.0),)))
    assert [gap.schedule for gap in log.open_gaps()] == ["report"]


def test_a_gap_may_be_recorded_closed(log: Log) -> None:
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 60, closed_at=DAY + 1.0, closed_as="declined"),)))
    assert log.open_gaps() == []


def test_a_gap_recorded_in_the_same_decision_is_closed_with_the_others(log: Log) -> None:
    log.apply(
        Decision(gaps=(a_gap(DAY, DAY + 60),), close_gaps=(("backup", "removed", DAY + 1.0),))
    )
    assert log.open_gaps() == []


def test_decided_slots_are_those_with_a_run_after_and_until(log: Log) -> None:
    store(log, *(a_run(DAY + 60 * n) for n in (3, 1, 2, 4)), a_run(DAY + 120, schedule="report"))
    assert log.decided("backup", DAY + 60, DAY + 180) == [DAY + 120, DAY + 180]
    assert log.decided("nobody", 0, DAY) == []


def test_a_gap_is_caught_up_when_each_of_its_slots_has_a_verdict(log: Log) -> None:
    gap = a_gap(DAY, DAY + 120)
    first, second = (a_run(DAY + 60 * n, origin=Origin.CATCHUP) for n in (1, 2))
    log.apply(Decision(gaps=(gap,), runs=(first,)))
    log.close_caught_up(1.0)
    log.apply(Decision(moves=(Move(run=replace(first, **SUCCEEDED), was=CLAIMED),)))
    log.close_caught_up(2.0)
    assert len(log.open_gaps()) == 1
    store(log, second)
    log.close_caught_up(3.0)
    assert len(log.open_gaps()) == 1
    failed = replace(second, status=RunStatus.FAILED, ended=DAY + 99.0)
    log.apply(Decision(moves=(Move(run=failed, was=CLAIMED),)))
    log.close_caught_up(4.0)
    assert log.open_gaps() == []


def test_a_gap_that_comes_later_is_looked_at_too(log: Log) -> None:
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 6000),)))
    log.close_caught_up(1.0)
    ran = a_run(DAY + 7000 // 60 * 60, **SUCCEEDED)
    slot = ran.scheduled_at or 0
    log.apply(Decision(gaps=(a_gap(slot - 60, slot),), runs=(ran,)))
    log.close_caught_up(2.0)
    assert [gap.until for gap in log.open_gaps()] == [DAY + 6000]


def test_retries_and_runs_beside_a_gap_do_not_catch_it_up(log: Log) -> None:
    again = a_run(DAY + 60, id="retry-backup-1", retry_of="x", origin=Origin.RETRY, **SUCCEEDED)
    beside = [a_run(DAY + 120, **SUCCEEDED), a_run(DAY + 60, schedule="report", **SUCCEEDED)]
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 60),), runs=(again, *beside)))
    log.close_caught_up(1.0)
    assert len(log.open_gaps()) == 1


def test_a_run_of_another_timetable_does_not_catch_a_gap_up(log: Log) -> None:
    """A backfill under a new timing may run in the stretch of an old gap."""
    own, strange = a_run(DAY + 60, **SUCCEEDED), a_run(DAY + 61, origin=Origin.BACKFILL, **DONE)
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 120),), runs=(own, strange)))
    log.close_caught_up(1.0)
    assert len(log.open_gaps()) == 1
    store(log, a_run(DAY + 120, origin=Origin.CATCHUP, **DONE))
    log.close_caught_up(2.0)
    assert log.open_gaps() == []


def test_a_gap_whose_timetable_nobody_can_read_counts_every_run_in_it(log: Log) -> None:
    runs = (a_run(DAY + 61, **DONE), a_run(DAY + 62, **DONE))
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 120, timing=LUNAR),), runs=runs))
    log.close_caught_up(1.0)
    assert log.open_gaps() == []


@pytest.mark.parametrize("closed_as", ["declined", "removed", "holiday"])
def test_a_slot_that_was_given_up_has_its_verdict(log: Log, closed_as: str) -> None:
    """It never gets a run: not live when the clock was set back, not by anybody's wish."""
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 120, closed_at=1.0, closed_as=closed_as),)))
    slots = [DAY, DAY + 60, DAY + 120, DAY + 180]
    lost = log.apply(Decision(runs=tuple(a_run(slot) for slot in slots)))
    assert lost == {a_run(DAY + 60).id, a_run(DAY + 120).id}
    wish = a_run(DAY + 60, origin=Origin.MANUAL, status=RunStatus.QUEUED)
    assert log.request(wish) is None
    assert log.decided("backup", DAY, DAY + 120) == []


def test_beside_slots_that_were_given_up_there_is_room(log: Log) -> None:
    """For slots of another timetable and another schedule, and for what asks for no slot."""
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 120, closed_at=1.0, closed_as="declined"),)))
    store(log, a_run(DAY + 61), a_run(DAY + 60, schedule="report"), a_manual_run(DAY + 60.0))
    again = a_run(DAY + 60, id="retry-backup-1", origin=Origin.RETRY, retry_of=a_run(DAY + 60).id)
    store(log, again)


def test_a_day_off_takes_no_run_and_the_slots_around_it_do(log: Log) -> None:
    """Both gaps of a stretch reach over the other's slots; counts hold each to its own."""
    company = Calendar(name="company", weekdays=["sun"])
    schedule = Schedule("backup", every="1m", command="true", calendars=[company])
    sunday = DAY + 86_400
    after, until = sunday - 120, sunday + 86_460
    runs, left_out = gaps_of("backup", schedule.timing, after, until, now=1.0, reason="x")
    log.apply(Decision(gaps=(runs, left_out)))
    (opened,) = log.open_gaps()
    assert (opened.count, left_out.count) == (runs.count, 1_440) == (3, 1_440)
    caught_up = {"origin": Origin.CATCHUP, **DONE}
    store(log, *(a_run(slot, **caught_up) for slot in (sunday - 60, until - 60, until)))
    assert log.apply(Decision(runs=(a_run(sunday, **caught_up),))) == {a_run(sunday).id}
    wish = a_run(until - 120, origin=Origin.MANUAL, status=RunStatus.QUEUED)
    assert log.request(wish) is None
    assert log.decline(["backup"], 2.0) == 0, "all that runs has run"
    log.close_caught_up(3.0)
    assert log.open_gaps() == []


def test_nothing_starts_where_nobody_can_tell_what_was_given_up(log: Log) -> None:
    gap = a_gap(DAY, DAY + 120, timing=LUNAR, closed_at=1.0, closed_as="declined")
    log.apply(Decision(gaps=(gap,)))
    assert log.apply(Decision(runs=(a_run(DAY + 61),))) == {a_run(DAY + 61).id}


def test_a_slot_that_is_missed_and_open_may_still_run(log: Log) -> None:
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 120),)))
    store(log, a_run(DAY + 60))


def test_declining_counts_the_slots_that_are_given_up(log: Log) -> None:
    """Not those that ran, and whatever ran beside them under another timetable."""
    ran, strange = a_run(DAY + 60, origin=Origin.CATCHUP, **DONE), a_run(DAY + 61, **DONE)
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 600),), runs=(ran, strange)))
    assert log.decline(["backup", "nobody"], DAY + 999.0, until=DAY + 180) == 2
    assert [(gap.after, gap.until, gap.count) for gap in log.open_gaps()] == [
        (DAY + 180, DAY + 600, 7)
    ]
    assert log.decline(["backup"], DAY + 999.0, until=DAY + 180) == 0
    assert log.decline(["backup"], DAY + 999.0) == 7
    assert log.open_gaps() == []


# -- what a scheduler asks ------------------------------------------------------------------------


def test_a_snapshot_holds_active_runs_with_their_last_attempt(log: Log) -> None:
    done, waiting, running = a_run(**SUCCEEDED), a_run(DAY + 60), a_run(DAY + 120)
    tries = [an_attempt(running, n) for n in (1, 2)]
    log.apply(
        Decision(
            schedules=(a_state(),),
            runs=(done, waiting, running),
            attempts=(an_attempt(done), *tries),
            gaps=(a_gap(DAY - 600, DAY - 300),),
            meta={"a": "b"},
        )
    )
    snapshot = log.load()
    assert [run.id for run in snapshot.active] == [waiting.id, running.id]
    assert snapshot.attempts == (tries[1],)
    assert [gap.until for gap in snapshot.gaps] == [DAY - 300]
    assert (dict(snapshot.schedules), dict(snapshot.meta)) == ({"backup": a_state()}, {"a": "b"})


def test_the_last_verdict_is_the_newest_that_says_how_a_command_did(log: Log) -> None:
    assert log.last_verdict("backup", "") is None
    timed_out = a_run(DAY + 60, status=RunStatus.TIMED_OUT)
    store(
        log,
        timed_out,
        a_run(DAY, **SUCCEEDED),
        a_run(DAY + 120, status=RunStatus.SKIPPED),
        a_run(DAY + 180, status=RunStatus.CANCELLED),
        a_run(DAY + 240),
        a_run(DAY + 300, schedule="report", **SUCCEEDED),
    )
    newest = log.last_verdict("backup", "sched-backup-0")
    assert newest is not None
    assert newest.id == timed_out.id
    before = log.last_verdict("backup", timed_out.id)
    assert before is not None
    assert before.id == a_run(DAY).id


# -- wishes ---------------------------------------------------------------------------------------


def test_a_request_is_stored_and_returned_as_stored(log: Log) -> None:
    stored = log.request(a_manual_run())
    assert stored == replace(a_manual_run(), seq=1)
    assert log.active() == [stored]


def test_two_requests_in_one_millisecond_get_ids_of_their_own(log: Log) -> None:
    ids = {run.id for _ in range(3) if (run := log.request(a_manual_run()))}
    assert ids == {request_id(Origin.MANUAL, "backup", DAY + n / 1000) for n in range(3)}


def test_a_request_for_a_slot_that_has_a_run_loses(log: Log) -> None:
    store(log, a_run())
    assert log.request(a_run(origin=Origin.MANUAL, status=RunStatus.QUEUED)) is None


def test_only_the_first_note_of_an_end_counts_and_only_for_started_runs(log: Log) -> None:
    running, queued = a_run(status=RunStatus.RUNNING), a_run(DAY + 60, status=RunStatus.QUEUED)
    store(log, running, queued, a_run(DAY + 120, **SUCCEEDED))
    assert log.note_end(running.id, "cancelled(by user)")
    assert not log.note_end(running.id, "timed_out")
    assert not log.note_end(queued.id, "cancelled(by user)")
    assert not log.note_end(a_run(DAY + 120).id, "cancelled(by user)")
    assert not log.note_end("sched-nobody-1", "cancelled(by user)")
    assert [run.end_as for run in log.active()] == ["cancelled(by user)", None]


def test_waiting_runs_are_cancelled_at_once_and_counted(log: Log) -> None:
    queued, waiting = a_run(status=RunStatus.QUEUED), a_run(DAY + 60, status=RunStatus.RETRY_WAIT)
    manual, running = a_manual_run(), a_run(DAY + 120, status=RunStatus.RUNNING)
    store(log, queued, waiting, manual, running)
    for run in (queued, waiting, manual):
        assert log.cancel_waiting(run.id, "by user", DAY + 9.0)
        assert not log.cancel_waiting(run.id, "by user", DAY + 9.0)
    assert not log.cancel_waiting(running.id, "by user", DAY + 9.0)
    assert [run.id for run in log.active()] == [running.id]
    assert log.counters() == {("runs_total", "backup", "cancelled"): 3.0}


def test_a_timeout_that_may_be_tried_again_gives_way_to_a_cancel(log: Log) -> None:
    running = a_run(status=RunStatus.RUNNING)
    store(log, running)
    assert log.note_end(running.id, "timed_out")
    assert log.note_end(running.id, "cancelled(by user)")
    assert [run.end_as for run in log.active()] == ["cancelled(by user)"]


def test_a_catch_up_is_withdrawn_as_far_as_it_has_not_begun(log: Log) -> None:
    queued = a_run(origin=Origin.CATCHUP, status=RunStatus.QUEUED)
    begun = a_run(DAY + 60, origin=Origin.CATCHUP)
    live = a_run(DAY + 120, status=RunStatus.QUEUED)
    store(log, queued, begun, live)
    assert log.withdraw([run.id for run in (queued, begun, live)]) == [queued.id]
    assert log.decided("backup", DAY - 1, DAY) == []
    store(log, queued)


def test_own_writes_are_no_news(log: Log) -> None:
    assert not log.changed()
    store(log, a_run())
    log.note_end(a_run().id, "cancelled(by user)")
    assert not log.changed()


@pytest.mark.parametrize("log", ["memory", "sqlite"], indirect=True)
def test_writes_of_another_process_are_news_once(log: Log, other: Log) -> None:
    other.apply(Decision(meta={"a": "b"}))
    assert [log.changed(), log.changed()] == [True, False]
    other.request(a_manual_run())
    store(log, a_run())
    assert [log.changed(), log.changed()] == [True, False]
    assert other.changed()


@pytest.mark.parametrize("log", ["memory", "sqlite"], indirect=True)
def test_the_cancel_of_another_process_lets_a_gap_be_caught_up(log: Log, other: Log) -> None:
    run = a_run(DAY + 60, status=RunStatus.QUEUED, origin=Origin.CATCHUP)
    log.apply(Decision(gaps=(a_gap(DAY, DAY + 60),), runs=(run,)))
    log.close_caught_up(1.0)
    other.cancel_waiting(run.id, "by user", 2.0)
    log.close_caught_up(3.0)
    assert log.open_gaps() == []
