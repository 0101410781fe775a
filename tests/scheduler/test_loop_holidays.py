"""The loop on days off: what calendars leave out is skipped in time, and stands in no way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from loop_stage import Stage, every

from flytesched.core.calendars import Calendar
from flytesched.core.gaps import given_up_for
from flytesched.core.runs import Origin, Run, RunStatus, run_id
from flytesched.core.schedule import Schedule
from flytesched.core.timetables.parse import Timing, timetable
from flytesched.core.timetables.parse import slots as named
from flytesched.service.catchup import Choice, queue_open, record_missed
from flytesched.testing import FakeClock, Fate, MemoryRunLog

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The beginning of Thursday, 1 January 2026.
MIDNIGHT = 1_767_225_600
DAY = 86_400
NEW_YEAR = Calendar(name="public", dates={"2026-01-01": "New Year"})
#: The day before.
EVE = Calendar(name="eve", dates=["2025-12-31"])
OFF = "skipped(holiday: New Year)"


@pytest.fixture
def stage() -> Stage:
    """Give a machine on which it is half a minute to midnight."""
    return Stage(clock=FakeClock(MIDNIGHT - 30))


def slots(runs: Sequence[Run]) -> list[int]:
    """Return the seconds around midnight of runs that have a slot."""
    return sorted(run.scheduled_at - MIDNIGHT for run in runs if run.scheduled_at is not None)


def account(stage: Stage, name: str = "x") -> dict[int, str]:
    """Return what every slot of a schedule reads; none has two verdicts."""
    ran = [run for run in stage.runlog.all_runs() if run.schedule == name and run.scheduled_at]
    found = {run.scheduled_at or 0: run.verdict() for run in ran}
    assert len(found) == len(ran)
    for gap in (gap for gap in stage.runlog.all_gaps() if gap.schedule == name):
        mine = [*named(timetable(Timing.from_text(gap.timing)), gap.after, gap.until)]
        assert len(mine) == gap.count
        assert gap.closed_as != "holiday" or found.keys().isdisjoint(mine)
        for slot in mine:
            how = given_up_for(gap, slot)
            found.setdefault(slot, "missed" if how is None else f"skipped({how})")
    return {slot - MIDNIGHT: said for slot, said in sorted(found.items())}


def skipped(stage: Stage, label: str = "holiday") -> float:
    return stage.runlog.counters().get(("skipped_total", "x", label), 0.0)


def test_a_day_off_begins_and_ends_with_its_date(stage: Stage) -> None:
    """The schedule beside it runs all the time."""
    stage.put(every(10, calendars=[NEW_YEAR]), Schedule("y", every="10s", command="true"))
    stage.boot()
    stage.go(60)
    stage.clock.step(DAY - 60)
    stage.go(0)
    stage.go(60)
    found = account(stage)
    assert all(
        (said == OFF) == (0 <= slot < DAY) or said == "missed" for slot, said in found.items()
    )
    live = {slot: found[slot] for slot in (-20, -10, 0, 10, 20, DAY, DAY + 10, DAY + 20)}
    assert live == {
        -20: "succeeded", -10: "succeeded", 0: OFF, 10: OFF, 20: OFF,
        DAY: "succeeded", DAY + 10: "succeeded", DAY + 20: "succeeded",
    }  # fmt: skip
    assert {"skipped(holiday: New Year)"}.isdisjoint(account(stage, "y").values())
    assert [*found] == [*account(stage, "y")] == [*range(-20, max(found) + 1, 10)]


def test_what_is_left_out_is_counted_and_said_and_no_hook_hears_of_it(stage: Stage) -> None:
    hooks = {f"on_{event}": "true" for event in ("success", "failure", "missed", "recovered")}
    stage.put(every(10, calendars=[EVE, NEW_YEAR], **hooks))
    stage.boot()
    stage.go(25)
    stage.sleep(120)
    stage.boot()
    stage.go(5)
    assert set(account(stage).values()) == {"skipped(holiday: eve)", OFF}
    assert skipped(stage) == len(account(stage))
    assert ("missed_total", "x", "") not in stage.runlog.counters()
    assert (stage.says("skipped"), stage.says("missed")) == (5, 0)
    assert stage.hook.told == []


def test_it_is_not_decided_ahead_of_its_time(stage: Stage) -> None:
    """What runs at the same second is claimed ahead all the same."""
    stage.put(every(10, calendars=[NEW_YEAR]), Schedule("y", every="10s", command="true"))
    stage.boot()
    stage.go(45)
    mine = [run for run in stage.runlog.all_runs() if run.verdict() == OFF]
    assert slots(mine) == [0, 10]
    assert all(run.created >= (run.scheduled_at or 0) == run.ended for run in mine)
    ahead = [run for run in stage.runlog.all_runs() if run.created < (run.scheduled_at or 0)]
    assert {run.schedule for run in ahead} == {"x", "y"}
    assert {slot for slot in slots(ahead) if slot >= 0} == {0, 10}


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
def test_a_run_that_goes_on_into_a_day_off_is_left_alone(stage: Stage, overlap: str) -> None:
    stage.put(every(15, calendars=[NEW_YEAR], overlap=overlap, queue_limit=1))
    stage.fate = lambda _: Fate(seconds=40)
    stage.boot()
    stage.go(80)
    assert account(stage) == {-15: "succeeded", 0: OFF, 15: OFF, 30: OFF, 45: OFF}


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
def test_the_first_working_slot_goes_by_overlap_again(stage: Stage, overlap: str) -> None:
    stage.clock = FakeClock(MIDNIGHT - 5)
    stage.put(every(10, calendars=[EVE], overlap=overlap))
    stage.fate = lambda _: Fate(seconds=15)
    stage.runlog.request(wish("x", None))
    stage.boot()
    stage.go(7)
    verdict = {
        "skip": "skipped(overlap)", "queue": "queued", "allow": "running", "replace": "running",
    }  # fmt: skip
    assert account(stage)[0] == verdict[overlap]


def wish(name: str, slot: int | None) -> Run:
    """Return the wish of somebody for a run, of a slot if one is given."""
    return Run(
        id=f"manual-{name}-1" if slot is None else run_id(name, slot), schedule=name,
        scheduled_at=slot, origin=Origin.MANUAL, status=RunStatus.QUEUED,
        created=float(MIDNIGHT - 30),
    )  # fmt: skip


def ask(stage: Stage, slot: int) -> Run | None:
    """Let another process ask for the run of a slot."""
    return MemoryRunLog(beside=stage.runlog).request(wish("x", slot))


def test_jitter_puts_off_starts_and_no_verdict(stage: Stage) -> None:
    stage.put(every(10, calendars=[NEW_YEAR], jitter="20s"))
    stage.boot()
    stage.go(60)
    left_out = [run for run in stage.runlog.all_runs() if run.verdict() == OFF]
    assert slots(left_out) == [0, 10, 20, 30]
    assert all(run.ended == run.scheduled_at for run in left_out)


class TestMissed:
    """Stretches that nobody decided in time."""

    def test_an_outage_around_midnight_is_two_gaps(self, stage: Stage) -> None:
        """Only what would have run is caught up."""
        stage.put(every(10, calendars=[NEW_YEAR], catchup="all", overlap="allow"))
        stage.boot()
        stage.sleep(60)
        stage.boot()
        stage.go(5)
        assert account(stage) == {
            -20: "succeeded", -10: "succeeded", 0: OFF, 10: OFF, 20: OFF, 30: OFF,
        }  # fmt: skip
        runs, left_out = stage.runlog.all_gaps()
        assert (runs.closed_as, left_out.closed_as) == ("caught_up", "holiday")
        assert stage.runlog.counters()["missed_total", "x", ""] == 2

    def test_a_command_that_catches_up_alone_divides_it_too(self, stage: Stage) -> None:
        definition = every(10, calendars=[NEW_YEAR], catchup="latest")
        stage.put(definition)
        stage.boot()
        stage.sleep(60)
        record_missed(stage.runlog, {"x": definition}, stage.clock.now(), 10.0)
        queued = queue_open(stage.runlog, {"x": definition}, Choice(), stage.clock.now())
        assert slots(queued) == [-20, -10]
        assert account(stage) == {-20: "queued", -10: "queued", 0: OFF, 10: OFF}
        assert (skipped(stage), stage.runlog.counters()["missed_total", "x", ""]) == (2, 2)

    def test_a_pause_and_an_outage_behind_it_are_both_told_of(self, stage: Stage) -> None:
        """A catch-up is the first to see a pause that has ended, and records all of it."""
        stage.put(every(10))
        stage.boot()
        stage.sleep(200)
        paused = every(10).with_(paused_until=MIDNIGHT + 50)
        record_missed(stage.runlog, {"x": paused}, stage.clock.now(), 10.0)
        assert account(stage) == dict.fromkeys(range(-20, 160, 10), "missed")

    def test_declining_leaves_holidays_what_they_are(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR], catchup="latest", catchup_limit=0))
        stage.boot()
        stage.sleep(60)
        stage.boot()
        assert stage.runlog.decline(["x"], stage.clock.now(), until=MIDNIGHT - 15) == 1
        found = account(stage)
        assert (found[-20], found[-10], found[0]) == ("skipped(declined)", "missed", OFF)


class TestClock:
    """A clock that is set, on a day off."""

    def test_set_back_no_slot_is_skipped_twice(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.go(45)
        before = account(stage)
        stage.clock.step(-40)
        stage.go(60)
        assert account(stage) == before | {20: OFF, 30: OFF}
        assert skipped(stage) == 4
        assert stage.runlog.counters()["runs_total", "x", "skipped"] == 4

    def test_set_forth_and_back_what_a_gap_left_out_stays_so(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.clock.step(300)
        stage.go(1)
        gaps = [*stage.runlog.all_gaps()]
        stage.clock.step(-290)
        stage.go(100)
        assert [*stage.runlog.all_gaps()] == gaps
        found = account(stage)
        assert {said for slot, said in found.items() if slot >= 0} == {OFF}
        assert skipped(stage) == len([slot for slot in found if slot >= 0])


class TestChanges:
    """Definitions that come, change and go on a day off."""

    def test_a_calendar_that_goes_lets_slots_run_from_now_on(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.go(45)
        stage.put(every(10))
        stage.go(20)
        assert account(stage) == {
            -20: "succeeded", -10: "succeeded", 0: OFF, 10: OFF, 20: "succeeded", 30: "succeeded",
        }  # fmt: skip

    def test_a_calendar_that_comes_leaves_slots_out_from_now_on(self, stage: Stage) -> None:
        stage.put(every(10))
        stage.boot()
        stage.go(45)
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.go(20)
        assert account(stage) == {
            -20: "succeeded", -10: "succeeded", 0: "succeeded", 10: "succeeded", 20: OFF, 30: OFF,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("old", "new", "owed"), [([NEW_YEAR], [], OFF), ([], [NEW_YEAR], "missed")]
    )
    def test_what_old_calendars_owed_is_owed_by_them(
        self, stage: Stage, old: list[Calendar], new: list[Calendar], owed: str
    ) -> None:
        """They changed while no scheduler ran; the new ones count from their first sight on."""
        stage.put(every(10, catchup="all", **_calendars(old)))
        stage.boot()
        stage.sleep(65)
        stage.put(every(10, catchup="all", **_calendars(new)))
        stage.boot()
        stage.go(10)
        assert account(stage) == {
            -20: "missed", -10: "missed", 0: owed, 10: owed, 20: owed, 30: owed,
            40: OFF if new else "succeeded",
        }  # fmt: skip

    def test_a_pause_ends_on_a_day_off(self, stage: Stage) -> None:
        """What lay in the pause was not due, and what comes after it is skipped."""
        stage.put(every(10, calendars=[NEW_YEAR]).with_(paused_until=MIDNIGHT + 5))
        stage.boot()
        stage.go(60)
        assert account(stage) == {10: OFF, 20: OFF, 30: OFF}

    def test_what_is_disabled_amid_a_day_off_owes_nothing_live(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.go(35)
        stage.put(every(10, calendars=[NEW_YEAR], enabled=False))
        stage.go(20)
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.go(10)
        assert account(stage) == {-20: "succeeded", -10: "succeeded", 0: OFF, 30: OFF}

    @pytest.mark.parametrize("down", [False, True])
    def test_another_name_goes_on_with_the_day_off(self, stage: Stage, *, down: bool) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.go(35)
        if down:
            stage.sleep(40)
        stage.runlog.rename("y", "x", stage.clock.now())
        stage.put(every(10, calendars=[NEW_YEAR]).with_(name="y"))
        if down:
            stage.boot()
        stage.go(15)
        assert account(stage) == {-20: "succeeded", -10: "succeeded", 0: OFF}
        last = 60 if down else 20
        assert account(stage, "y") == dict.fromkeys(range(10, last + 1, 10), OFF)

    def test_one_that_was_removed_while_nobody_ran_leaves_nothing_open(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.sleep(65)
        stage.put()
        stage.boot()
        assert account(stage) == {
            -20: "skipped(removed)", -10: "skipped(removed)", 0: OFF, 10: OFF, 20: OFF, 30: OFF,
        }  # fmt: skip
        assert not stage.runlog.open_gaps()


class TestAskedFor:
    """Somebody wants a slot that is left out, by its time."""

    def test_it_runs_if_it_has_no_verdict_yet(self, stage: Stage) -> None:
        """It is decided by that: what comes due later finds it."""
        stage.put(every(60, calendars=[NEW_YEAR]))
        stage.boot()
        assert ask(stage, MIDNIGHT)
        stage.go(5)
        assert account(stage) == {0: "succeeded"}
        stage.go(30)
        assert account(stage) == {0: "succeeded"}
        assert skipped(stage) == 0

    def test_one_that_was_skipped_in_time_or_in_a_gap_has_its_verdict(self, stage: Stage) -> None:
        stage.put(every(10, calendars=[NEW_YEAR]))
        stage.boot()
        stage.go(35)
        stage.sleep(60)
        stage.boot()
        for slot in (0, 10, 40):
            assert ask(stage, MIDNIGHT + slot) is None


class TestMoved:
    """Slots that ``on_holiday`` moves to another day."""

    def moved(self, **keys: Any) -> Schedule:
        """Return a schedule of the eve, which is off, so that its slots move past midnight."""
        given = {"cron": "0 0 31 12 *", "calendars": [EVE], "on_holiday": "next", **keys}
        return Schedule("x", command="true", **given)

    @pytest.mark.parametrize(("offset", "slot"), [("0s", 0), ("20s", 20)])
    def test_one_runs_on_its_new_day_under_one_id_with_its_old_kickoff_time(
        self, stage: Stage, offset: str, slot: int
    ) -> None:
        told: list[int | None] = []

        def fate(order: Any) -> Fate:
            told.append(order.kickoff_at)
            return Fate()

        stage.fate = fate
        stage.put(self.moved(offset=offset))
        stage.boot()
        stage.go(60)
        assert account(stage) == {slot: "succeeded"}
        assert told == [MIDNIGHT - DAY]

    def test_one_that_was_missed_is_caught_up_with_its_old_kickoff_time(self, stage: Stage) -> None:
        told: list[int | None] = []

        def fate(order: Any) -> Fate:
            told.append(order.kickoff_at)
            return Fate()

        stage.fate = fate
        stage.put(self.moved())
        stage.boot()
        stage.sleep(60)
        stage.boot()
        stage.go(5)
        (gap,) = stage.runlog.all_gaps()
        assert (gap.count, gap.closed_as) == (1, "caught_up")
        assert (account(stage), told) == ({0: "succeeded"}, [MIDNIGHT - DAY])

    def test_the_kickoff_time_of_one_that_is_left_out_is_its_own(self, stage: Stage) -> None:
        told: list[int | None] = []

        def fate(order: Any) -> Fate:
            told.append(order.kickoff_at)
            return Fate()

        stage.fate = fate
        given: dict[str, Any] = {"cron": "* * * * *", "offset": "20s", "calendars": [NEW_YEAR]}
        stage.put(Schedule("x", command="true", **given))
        stage.boot()
        assert ask(stage, MIDNIGHT + 20)
        stage.go(5)
        assert told == [MIDNIGHT]


def _calendars(some: list[Calendar]) -> dict[str, Any]:
    return {"calendars": some} if some else {}
