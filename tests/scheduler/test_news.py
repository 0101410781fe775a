"""Who is told what, and when: notices with the verdict, late and long once, nothing for nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from loop_stage import NOON, Stage, every

from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.channels import read_channel
from flytesched.core.telling.events import CHOICES, Event, NoticeStatus
from flytesched.errors import RunLogBusy, StartDelayed, StartError
from flytesched.scheduler import watches
from flytesched.testing import Fate, MemoryRunLog, RecordingHook

if TYPE_CHECKING:
    from flytesched.core.protocols import Order

PING = "https://hc.example/x"
MAIL = {"kind": "mail", "to": "root"}


@pytest.fixture
def stage() -> Stage:
    """A machine with the channel ``all``, told of everything, and ``ops``, of the usual."""
    everything = read_channel("all", {**MAIL, "events": [*CHOICES]})
    return Stage(hook=RecordingHook({"all": everything, "ops": read_channel("ops", MAIL)}))


def told(stage: Stage, channel: str = "all") -> list[str]:
    """Return the events that a channel is told of, in the order they were written."""
    return [one.event.value for one in stage.runlog.all_notices() if one.channel == channel]


def heard(stage: Stage) -> list[str]:
    return [told.event.value for told in stage.hook.told]


def codes(*said: int) -> Any:
    left = iter(said)
    return lambda _: Fate(exit_code=next(left))


# -- verdicts -------------------------------------------------------------------------------------


def test_a_verdict_is_noticed_by_the_channels_that_want_it(stage: Stage) -> None:
    stage.put(every(60, notify=["all", "ops"]))
    stage.fate = codes(0, 3, 3, 0, 0)
    stage.boot()
    stage.go(302)
    assert told(stage) == ["success", "failure", "failure", "success", "recovered", "success"]
    assert told(stage, "ops") == ["failure", "failure", "recovered"]
    assert heard(stage) == told(stage), "one is told once, however many channels there are"


def test_a_notice_says_all_about_its_run(stage: Stage) -> None:
    stage.put(every(60, notify="ops"))
    stage.fate = codes(3)
    stage.boot()
    stage.go(62)
    (notice,) = stage.runlog.open_notices()
    assert (notice.about, notice.status) == (f"sched-x-{NOON + 60}", NoticeStatus.QUEUED)
    run = json.loads(notice.facts)["run"]
    assert (run["verdict"], run["attempt"]) == ("failed(exit 3)", 1)
    assert run["log"] is None, "fakes have no log"


@pytest.mark.parametrize("fate", ["lost", "slow", "no command"])
def test_every_kind_of_failure_is_one(stage: Stage, fate: str) -> None:
    def happens(_: Order) -> Fate:
        if fate == "no command":
            raise StartError("no such command")
        return Fate(seconds=None)

    stage.put(every(3600, notify="ops", timeout="5s" if fate == "slow" else None, survive=False))
    stage.fate = happens
    stage.boot()
    stage.go(3602)
    if fate == "lost":
        stage.world.crash()
        stage.boot()
    stage.go(10)
    assert told(stage, "ops") == ["failure"]


def test_what_is_tried_again_is_told_of_in_the_end(stage: Stage) -> None:
    stage.put(every(3600, notify="all", retry={"max_attempts": 3, "delay": "1s"}))
    stage.fate = codes(1, 1, 0)
    stage.boot()
    stage.go(3700)
    assert told(stage) == ["success"]


def test_missed_slots_are_told_of_once_per_gap(stage: Stage) -> None:
    stage.put(every(60, notify="ops", catchup="none"))
    stage.boot()
    stage.sleep(600)
    stage.boot()
    stage.go(1)
    stage.boot()
    assert told(stage, "ops") == ["missed"]
    (notice,) = stage.runlog.all_notices()
    assert notice.about == f"gap-x-{NOON}"
    assert json.loads(notice.facts)["gap"]["count"] == 9, "the tenth is live"


def test_what_an_old_definition_owed_is_told_of_to_those_that_the_new_one_names(
    stage: Stage,
) -> None:
    stage.put(every(60))
    stage.boot()
    stage.sleep(600)
    stage.put(every(90, notify="ops", on_missed="true"))
    stage.boot()
    assert (told(stage, "ops"), heard(stage)) == (["missed"], ["missed"])


def test_what_cannot_be_written_is_told_when_it_is(stage: Stage) -> None:
    """Neither lost nor told twice."""
    stage.put(every(3600, notify="all"))
    stage.fate = lambda _: Fate(seconds=5)
    stage.boot()
    stage.go(3601)
    stage.runlog.locked = True
    stage.go(10)
    assert (told(stage), heard(stage)) == ([], [])
    stage.runlog.locked = False
    stage.go(1)
    assert (told(stage), heard(stage)) == (["success"], ["success"])


def test_nobody_is_told_of_a_schedule_that_is_gone(stage: Stage) -> None:
    stage.put(every(3600, notify="all", ping_url=PING))
    stage.fate = lambda _: Fate(seconds=5)
    stage.boot()
    stage.go(3601)
    stage.put(Schedule("y", every="1h", command="true"))
    stage.go(10)
    assert stage.verdicts() == ["succeeded"]
    assert told(stage) == []


def test_one_that_names_nobody_writes_nothing(stage: Stage) -> None:
    stage.put(every(60))
    stage.fate = codes(1, 0)
    stage.boot()
    stage.go(122)
    assert not stage.runlog.all_notices()
    assert stage.hook.told == []


# -- a recovery -----------------------------------------------------------------------------------


def test_the_first_of_two_successes_in_one_transaction_is_the_recovery(stage: Stage) -> None:
    """What a scheduler finds ended when it starts is stored together."""
    stage.put(every(10, notify="all", overlap="allow", catchup="none"))
    stage.fate = codes(1)
    stage.boot()
    stage.go(12)
    stage.fate = lambda _: Fate(seconds=30)
    stage.go(20)
    stage.sleep(60)
    stage.boot()
    found = [one for one in stage.runlog.all_notices() if one.event is Event.RECOVERED]
    assert [one.about for one in found] == [f"sched-x-{NOON + 20}"]


def test_a_failure_that_is_stored_in_the_same_transaction_counts(stage: Stage) -> None:
    stage.put(every(10, notify="all", overlap="allow", catchup="none"))
    stage.boot()
    stage.go(12)
    ends = {NOON + 20: 1, NOON + 30: 0}
    stage.fate = lambda order: Fate(seconds=30, exit_code=ends[order.run.scheduled_at])
    stage.go(20)
    stage.sleep(60)
    stage.boot()
    found = [one for one in stage.runlog.all_notices() if one.event is Event.RECOVERED]
    assert [one.about for one in found] == [f"sched-x-{NOON + 30}"]


# -- pings ----------------------------------------------------------------------------------------


def test_a_ping_url_is_told_of_the_start_and_of_the_end(stage: Stage) -> None:
    stage.put(every(60, ping_url=PING))
    stage.boot()
    stage.go(62)
    assert told(stage, "ping_url") == ["started", "ended"]
    facts = [json.loads(one.facts)["run"] for one in stage.runlog.all_notices()]
    assert [(one["status"], one["verdict"]) for one in facts][1] == ("succeeded", "succeeded")


def test_a_start_is_told_before_the_end_even_if_both_are_written_at_once(stage: Stage) -> None:
    stage.put(every(60, ping_url=PING))
    stage.fate = lambda _: Fate(seconds=0)
    stage.boot()
    stage.go(61)
    assert told(stage, "ping_url") == ["started", "ended"]


def test_further_attempts_are_no_starts(stage: Stage) -> None:
    stage.put(every(60, ping_url=PING, retry={"max_attempts": 2, "delay": "1s"}))
    stage.fate = codes(1, 1)
    stage.boot()
    stage.go(70)
    assert told(stage, "ping_url") == ["started", "ended"]


def test_a_skipped_slot_costs_a_notice_only_where_it_is_pinged(stage: Stage) -> None:
    for keys in ({"ping_url": PING}, {"notify": ["all"]}):
        stage.put(every(60, **keys))
        stage.fate = lambda _: Fate(seconds=90)
        stage.boot()
        stage.go(125)
    found = [json.loads(one.facts) for one in stage.runlog.all_notices()]
    skipped = [one["event"] for one in found if one["run"]["verdict"] == "skipped(overlap)"]
    assert skipped == ["ended"]


def test_one_that_gives_way_while_it_waits_is_ended_without_a_start(stage: Stage) -> None:
    stage.put(every(60, ping_url=PING, overlap="replace"))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot(places=1)
    blocker = Run(
        id="manual-y-1", schedule="y", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.QUEUED, created=float(NOON),
    )  # fmt: skip
    stage.put(*stage.schedules, Schedule("y", every="1d", command="true"))
    assert MemoryRunLog(beside=stage.runlog).request(blocker)
    stage.go(125)
    assert stage.verdicts() == ["cancelled(replaced)", "queued"]
    assert told(stage, "ping_url") == ["ended"]


# -- late -----------------------------------------------------------------------------------------


def blocked(stage: Stage, **keys: Any) -> None:
    """Let the slot of one minute past noon wait for a place that nobody leaves."""
    waits = every(86_400, start="2026-01-01T12:01:00Z", anchor="2026-01-01T12:01:00Z", **keys)
    other = Schedule("y", every="86400s", anchor="2026-01-01T12:00:50Z", command="true")
    stage.put(waits, other)
    stage.fate = lambda order: Fate(seconds=None if order.run.schedule == "y" else 1)
    stage.boot(places=1)


def test_a_slot_that_waits_too_long_for_its_start_is_late_once(stage: Stage) -> None:
    blocked(stage, notify="ops", on_late="true", late_after="2m")
    stage.go(60 + 119)
    assert stage.hook.told == []
    stage.go(1.5)
    assert (told(stage, "ops"), heard(stage)) == (["late"], ["late"])
    assert told(stage, "on_late") == ["late"], "which stands for its hook"
    stage.go(3600)
    assert heard(stage) == ["late"]
    assert stage.says("late") == 1


def test_it_is_told_by_the_next_scheduler_if_the_first_one_dies_before_it(stage: Stage) -> None:
    blocked(stage, notify="ops", late_after="2m")
    stage.go(70)
    stage.sleep(300)
    stage.boot(places=1)
    stage.go(1)
    assert heard(stage) == ["late"]


@pytest.mark.parametrize("keys", [{"notify": "ops"}, {"on_late": "true"}])
def test_a_restart_tells_nothing_again(stage: Stage, keys: dict[str, Any]) -> None:
    blocked(stage, late_after="2m", **keys)
    stage.go(200)
    for _ in range(3):
        stage.boot(places=1)
        stage.go(60)
    assert heard(stage) == ["late"]


def test_one_that_starts_in_time_is_not_late(stage: Stage) -> None:
    stage.put(every(600, notify="ops", late_after="2m", jitter="1m"))
    stage.fate = lambda _: Fate(seconds=400)
    stage.boot()
    stage.go(1800)
    assert told(stage, "ops") == []


def test_a_start_that_is_not_possible_is_late_too(stage: Stage) -> None:
    def fate(_: Order) -> Fate:
        raise StartDelayed("no more processes")

    stage.put(every(600, notify="ops", late_after="10s"))
    stage.fate = fate
    stage.boot()
    stage.go(620)
    assert (stage.verdicts(), told(stage, "ops")) == (["claimed"], ["late"])


def test_a_clock_that_is_set_makes_nobody_late(stage: Stage) -> None:
    """How long something waits stands on the clock that nobody sets."""
    blocked(stage, notify="ops", late_after="10m")
    stage.go(70)
    stage.clock.step(3000)
    stage.go(60)
    assert told(stage, "ops") == []
    stage.clock.step(-3000)
    stage.go(530)
    assert told(stage, "ops") == ["late"]


def test_what_cannot_be_noted_is_not_told_yet(stage: Stage) -> None:
    blocked(stage, on_late="true", late_after="2m")
    stage.go(170)
    stage.runlog.locked = True
    stage.go(60)
    assert stage.hook.told == []
    stage.runlog.locked, stage.runlog.busy = False, True
    stage.go(1)
    assert stage.hook.told == [], "whether it was told before cannot be read"
    stage.runlog.busy = False
    stage.go(1)
    assert heard(stage) == ["late"]


def test_another_definition_makes_it_late_sooner_or_never(stage: Stage) -> None:
    for keys, late in (({"late_after": "1h"}, []), ({"late_after": "3m"}, ["late"])):
        blocked(stage, notify="ops", late_after="10m")
        stage.go(70)
        waits = stage.schedules[0].with_(late_after=every(1, **keys).late_after)
        stage.put(waits, stage.schedules[1])
        stage.go(1000)
        assert told(stage, "ops") == late
        stage = replace(stage, runlog=type(stage.runlog)(), world=type(stage.world)())
        stage.clock = type(stage.clock)(NOON)


def test_one_that_is_cancelled_while_it_waits_is_not_late(stage: Stage) -> None:
    blocked(stage, notify="ops", late_after="2m")
    stage.go(70)
    somebody = MemoryRunLog(beside=stage.runlog)
    assert somebody.cancel_waiting(f"sched-x-{NOON + 60}", "by user", stage.clock.now())
    stage.go(1000)
    assert told(stage, "ops") == []


# -- long -----------------------------------------------------------------------------------------


def test_a_run_that_takes_long_is_told_of_once(stage: Stage) -> None:
    stage.put(every(3600, notify="ops", long_after="10m", on_long="true"))
    stage.fate = lambda _: Fate(seconds=3000)
    stage.boot()
    stage.go(3600 + 599)
    assert stage.hook.told == []
    stage.go(2)
    assert (told(stage, "ops"), told(stage, "on_long")) == (["long"], ["long"])
    assert json.loads(stage.runlog.open_notices()[0].facts)["run"]["duration_seconds"] >= 600
    stage.go(2000)
    assert heard(stage) == ["long"]


def test_it_counts_from_the_first_start_over_all_attempts(stage: Stage) -> None:
    stage.put(every(7200, notify="ops", long_after="10m", retry={"max_attempts": 3, "delay": "4m"}))
    stage.fate = lambda _: Fate(seconds=240, exit_code=1)
    stage.boot()
    stage.go(7200 + 602)
    assert told(stage, "ops") == ["long"]


def test_one_that_is_adopted_is_watched_on(stage: Stage) -> None:
    stage.put(every(86_400, notify="ops", long_after="10m"))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot()
    stage.go(43_300)
    stage.world.crash()
    stage.sleep(300)
    stage.boot()
    stage.go(1)
    assert told(stage, "ops") == []
    stage.go(300)
    assert told(stage, "ops") == ["long"]
    stage.boot()
    stage.go(900)
    assert heard(stage) == ["long"]


def test_one_that_ends_in_time_is_watched_no_longer(stage: Stage) -> None:
    """Nor does it stay in memory until its time would have come."""
    stage.put(every(1, notify="ops", long_after="30d"))
    stage.fate = lambda _: Fate(seconds=0)
    stage.boot()
    stage.go(1000)
    held = stage.loop._watches
    assert len(held._at) <= 2
    assert len(held._heap) <= 2 * 2 + watches._STALE + 1


def test_very_many_that_are_late_at_once_are_told_of_in_portions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No slot has to wait for all of them."""
    monkeypatch.setattr(watches, "PORTION", 3)
    many = [
        Schedule(f"s{n}", every="1d", anchor="2026-01-01T12:01:00Z", command="true", notify="ops")
        for n in range(10)
    ]
    stage.put(*many)
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot(places=1)
    stage.go(361)
    sizes = []
    apply = stage.runlog.apply
    stage.runlog.apply = lambda decision: (sizes.append(len(decision.notices)), apply(decision))[1]
    stage.go(2)
    assert told(stage, "ops") == ["late"] * 9 or sum(sizes) == 9
    assert max(sizes, default=3) <= 3


def test_nothing_is_watched_that_nobody_asks_for(stage: Stage) -> None:
    stage.put(every(60, long_after="1s", late_after="1s"))
    stage.fate = lambda _: Fate(seconds=None)
    stage.boot(places=1)
    stage.go(200)
    assert stage.loop._watches.next_at() is None


def test_a_recovery_that_cannot_be_looked_up_is_not_told(stage: Stage) -> None:
    """Not told is better than told twice."""
    stage.put(every(3600, notify="ops"))
    stage.fate = codes(1, 0)
    stage.boot()
    stage.go(3605)
    stage.runlog.last_verdict = refuse
    stage.go(3605)
    assert (stage.verdicts(), told(stage, "ops")) == (["failed(exit 1)", "succeeded"], ["failure"])


def test_a_watch_on_what_is_gone_comes_to_nothing(stage: Stage) -> None:
    """A removed schedule, and one that nobody wants to be told of any more."""
    for others in ([], [every(86_400, start="2026-01-01T12:01:00Z", late_after="2m")]):
        blocked(stage, notify="ops", late_after="2m")
        stage.go(70)
        stage.put(*others, stage.schedules[1])
        stage.go(1000)
        assert told(stage, "ops") == []
        stage = Stage(hook=stage.hook)


# -- under another name ---------------------------------------------------------------------------


@pytest.mark.parametrize("dies", [False, True])
def test_what_runs_while_its_schedule_is_renamed_is_told_of(stage: Stage, *, dies: bool) -> None:
    """By whoever comes to see its end; that it takes long, too."""
    stage.put(every(3600, notify="all", ping_url=PING, long_after="20s"))
    stage.fate = lambda _: Fate(seconds=60, exit_code=3)
    stage.boot()
    stage.go(3610)
    stage.runlog.rename("y", "x", stage.clock.now())
    stage.put(stage.schedules[0].with_(name="y"))
    stage.go(5)
    if dies:
        stage.boot()
    stage.go(100)
    assert told(stage) == ["long", "failure"]
    assert told(stage, "ping_url") == ["started", "ended"]
    names = {one.event: one.schedule for one in stage.runlog.all_notices()}
    assert (names[Event.STARTED], names[Event.ENDED], names[Event.FAILURE]) == ("x", "y", "y")


def test_who_is_told_is_not_looked_up_in_a_run_log_that_cannot_be_read(stage: Stage) -> None:
    """It cannot be written either, and what has ended is told of when it can."""
    stage.put(every(3600, notify="all"))
    stage.fate = lambda _: Fate(seconds=60, exit_code=3)
    stage.boot()
    stage.go(3610)
    stage.runlog.rename("y", "x", stage.clock.now())
    stage.put(stage.schedules[0].with_(name="y"))
    stage.go(5)
    stage.runlog.locked = True
    read, stage.runlog.all_renames = stage.runlog.all_renames, refuse
    stage.go(100)
    stage.runlog.locked, stage.runlog.all_renames = False, read
    stage.go(5)
    assert told(stage) == ["failure"]


def refuse(*_: object) -> None:
    raise RunLogBusy("locked")
