"""A schedule that gets another name: no slot is lost around it, and none is decided twice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from loop_stage import NOON, Stage, every

from flytesched.core.schedule import Schedule
from flytesched.core.sight import heir_of, see, take_over
from flytesched.service.catchup import record_missed
from flytesched.testing import Fate


def named(name: str, seconds: int = 10, **keys: object) -> Schedule:
    """Return a schedule of that name."""
    return Schedule(name, every=f"{seconds}s", command="true", **keys)  # type: ignore[arg-type]


def runs(stage: Stage) -> list[tuple[str, int]]:
    """Return the names and the seconds after noon of all runs with a slot, by slot."""
    found = [(r.scheduled_at or 0, r.schedule) for r in stage.runlog.all_runs()]
    return [(name, slot - NOON) for slot, name in sorted(found)]


def rename(stage: Stage, old: str, new: str) -> None:
    """Do as the command does: a note first, then the manifest."""
    stage.runlog.rename(new, old, stage.clock.now())
    stage.put(*(replace_name(one, new) if one.name == old else one for one in stage.schedules))


def replace_name(schedule: Schedule, name: str) -> Schedule:
    return schedule.with_(name=name)


@given(
    st.integers(1, 3),
    st.floats(0, 4).map(lambda at: round(at, 2)),
    st.sampled_from([0, 0.5, 3.0, 30.0]),
)
def test_every_slot_has_one_run_whenever_the_name_changes(
    seconds: int, at: float, down: float
) -> None:
    """Just before a slot that is claimed already, in its second, or while no scheduler runs."""
    stage = Stage(schedules=(named("x", seconds, catchup="all"),))
    stage.boot()
    stage.go(5 + at)
    if down:
        stage.sleep(down)
        rename(stage, "x", "y")
        stage.boot()
    else:
        rename(stage, "x", "y")
    stage.go(10)

    slots = [slot for _, slot in runs(stage)]
    assert slots == [*range(seconds, int(stage.clock.now() - NOON) + 1, seconds)][: len(slots)]
    assert slots[-1] >= int(stage.clock.now() - NOON) - seconds + 1 - 1
    names = [name for name, _ in runs(stage)]
    assert names == sorted(names)
    assert set(names) == {"x", "y"}


def test_what_was_owed_is_missed_under_the_new_name() -> None:
    """With the policy that it has: nothing of it reads removed."""
    stage = Stage(schedules=(named("x", catchup="latest"),))
    stage.boot()
    stage.go(11)
    stage.sleep(60)
    rename(stage, "x", "y")
    stage.boot()
    stage.go(2)

    (gap,) = stage.runlog.all_gaps()
    assert (gap.schedule, gap.after - NOON, gap.count) == ("y", 10, 6 - 1)
    assert gap.closed_as is None
    assert stage.runlog.states()["x"].removed_at is not None


def test_a_slot_claimed_ahead_is_not_claimed_again() -> None:
    """It starts on time under the name it was claimed by; a crowd is claimed early."""
    crowd = [named(f"n{number}", 60) for number in range(400)]
    stage = Stage(schedules=(named("x", 60), *crowd))
    stage.boot()
    stage.go(59.9)
    assert ("x", 60) in runs(stage)

    rename(stage, "x", "y")
    stage.go(0.05)
    assert stage.runlog.states()["x"].removed_at is not None
    stage.go(62)

    assert [run for run in runs(stage) if run[0] in {"x", "y"}] == [("x", 60), ("y", 120)]
    assert stage.verdicts("x") == stage.verdicts("y") == ["succeeded"]


def test_another_timetable_at_the_same_time_replays_nothing() -> None:
    """What the old one owed is a gap, as after any change."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.go(11)
    stage.sleep(20)
    stage.runlog.rename("y", "x", stage.clock.now())
    stage.put(named("y", 7))
    stage.boot()
    stage.go(8)

    assert [slot for name, slot in runs(stage) if name == "y"] == [32, 39]
    assert [(gap.schedule, gap.count) for gap in stage.runlog.all_gaps()] == [("y", 2)]


def test_a_rename_that_was_noted_and_never_made_is_forgotten() -> None:
    """The command was killed in between; whoever adds the other name later begins anew."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.runlog.rename("y", "x", stage.clock.now())
    stage.go(11)
    stage.put(named("x"), named("y"))
    stage.go(10)

    assert runs(stage) == [("x", 10), ("x", 20), ("y", 20)]
    assert stage.runlog.all_renames() == []


def test_a_rename_whose_schedule_is_gone_altogether_is_forgotten() -> None:
    """Its name is free again, and whoever gets it begins anew."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.go(11)
    stage.runlog.rename("y", "x", stage.clock.now())
    stage.put()
    stage.go(10)
    assert stage.runlog.all_renames() == []

    stage.put(named("y"))
    stage.go(10)

    assert runs(stage) == [("x", 10), ("y", 30)]


def test_several_names_in_a_row_are_one_change() -> None:
    """And a name that comes back is none, while nobody has seen it."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.go(11)
    for old, new in [("x", "y"), ("y", "z"), ("z", "x"), ("x", "y"), ("y", "z")]:
        rename(stage, old, new)
    stage.go(10)

    assert runs(stage) == [("x", 10), ("z", 20)]
    assert [(one.name, one.was) for one in stage.runlog.all_renames()] == [("z", "x")]


def test_a_name_that_comes_back_goes_on_with_its_own_revisions() -> None:
    """None of them is overwritten."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.go(11)
    rename(stage, "x", "y")
    stage.go(10)
    stage.put(named("y", timeout="1h"))
    stage.go(10)
    rename(stage, "y", "x")
    stage.go(10)

    assert runs(stage) == [("x", 10), ("y", 20), ("y", 30), ("x", 40)]
    states = stage.runlog.states()
    assert (states["y"].revision, states["x"].revision) == (2, 2)


def test_a_run_that_is_active_goes_on_to_its_end_and_one_that_waits_does_not() -> None:
    """Its id is for ever."""
    stage = Stage(schedules=(named("x", overlap="queue"),), fate=lambda _order: Fate(seconds=15))
    stage.boot()
    stage.go(21)
    rename(stage, "x", "y")
    stage.go(5)

    assert stage.verdicts("x") == ["succeeded", "cancelled(removed)"]


def test_a_big_set_keeps_the_old_name_in_force_until_the_new_one_is() -> None:
    """Nothing falls between two portions."""
    many = [named(f"n{number}", 3600) for number in range(450)]
    stage = Stage(schedules=(named("x", 1), *many))
    stage.boot()
    stage.go(5)
    stage.runlog.rename("zz", "x", stage.clock.now())
    stage.put(*(one.with_(name=f"m{one.name}") for one in many), named("zz", 1))
    stage.go(5)

    assert [slot for _, slot in runs(stage)] == [*range(1, 11)]


def test_a_run_log_that_cannot_be_written_keeps_the_old_name_in_force() -> None:
    """And the change is made when it can."""
    stage = Stage(schedules=(named("x"),))
    stage.boot()
    stage.go(11)
    rename(stage, "x", "y")
    stage.runlog.locked = True
    stage.go(3)
    stage.runlog.locked = False
    stage.go(8)

    assert runs(stage) == [("x", 10), ("y", 20)]


def test_a_catchup_without_a_scheduler_takes_over_as_one_does() -> None:
    """What it records, the next start does not record again."""
    stage = Stage(schedules=(named("x", catchup="none"),))
    stage.boot()
    stage.go(11)
    stage.sleep(60)
    rename(stage, "x", "y")
    schedules = {one.name: one for one in stage.schedules}

    record_missed(stage.runlog, schedules, stage.clock.now(), 10.0)  # type: ignore[arg-type]
    stage.boot()
    stage.go(20)

    gaps = [(gap.schedule, gap.after - NOON, gap.until - NOON) for gap in stage.runlog.all_gaps()]
    assert gaps == [("y", 10, 60)]
    assert runs(stage) == [("x", 10), ("y", 70), ("y", 80), ("y", 90)]


# -- pure ---------------------------------------------------------------------------------------


def test_an_heir_is_new_and_its_predecessor_gone() -> None:
    """Anything else begins anew."""
    state = see(every(10), None, NOON).state
    gone = replace(state, removed_at=NOON + 1.0)
    renames = {"y": "x"}

    assert heir_of("y", renames, {"y"}, {"x": state}.get) == "x"
    assert heir_of("y", renames, {"y"}, {"x": state, "y": gone}.get) == "x"
    assert heir_of("z", renames, {"z"}, {"x": state}.get) is None
    assert heir_of("y", renames, {"x", "y"}, {"x": state}.get) is None
    assert heir_of("y", renames, {"y"}, {"x": gone}.get) is None
    assert heir_of("y", renames, {"y"}, {}.get) is None
    assert heir_of("y", renames, {"y"}, {"x": state, "y": state}.get) is None


def test_a_clock_that_was_set_back_far_does_not_silence_the_new_name() -> None:
    """Only what was claimed a moment ahead is left out."""
    state = replace(see(every(10), None, NOON).state, cursor=NOON + 86_400)
    schedule = named("y")

    sight = take_over(schedule, state, None, NOON + 5.0)

    assert sight.after == NOON + 5
    assert sight.state.cursor == NOON + 86_400


def test_a_disabled_schedule_stays_disabled_under_its_new_name() -> None:
    """And what is remembered of it is written all the same."""
    state = see(named("x", enabled=False), None, NOON).state

    sight = take_over(named("y", enabled=False), state, None, NOON + 5.0)

    assert (sight.after, sight.changed, sight.state.name) == (None, True, "y")
