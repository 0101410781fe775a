"""The lookout: one board a second of a real site, whatever is broken there."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.bootstrap import Site, open_site
from flytesched.core.decision import Decision, Move
from flytesched.core.gaps import gaps_of
from flytesched.core.runs import Gap, Origin, Run, RunStatus, request_id, run_id
from flytesched.core.sight import see
from flytesched.core.telling.events import Event, Notice, NoticeStatus
from flytesched.errors import NotFound, UsageError
from flytesched.lock import SchedulerLock
from flytesched.runlog.board import Glance
from flytesched.service.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flytesched.runlog.sqlite import SqliteRunLog
    from flytesched.service.board import Board

#: 2026-11-25T10:00:00Z.
T = 1_795_600_800
TEXT = """\
version = 1
[settings]
max_concurrent_runs = 2
[schedules.backup]
cron = "0 2 * * *"
timezone = "UTC"
command = "true"
labels = { team = "ops" }
long_after = "1m"
[schedules.sync]
every = "10m"
command = "true"
overlap = "queue"
[schedules.report]
every = "1h"
command = "true"
enabled = false
[schedules.tidy]
every = "5m"
command = "true"
labels = { team = "ops" }
paused_until = 2026-11-25T10:30:00Z
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a site with four schedules."""
    (tmp_path / "m.toml").write_text(TEXT)
    where = {"manifest": str(tmp_path / "m.toml"), "state_dir": str(tmp_path / "state")}
    return open_site(**where, environ={"HOME": str(tmp_path)})


@pytest.fixture
def log(site: Site) -> Iterator[SqliteRunLog]:
    """Give the site's run log, to be written."""
    log = site.runlog(holder=True)
    yield log
    log.close()


@pytest.fixture
def watch(site: Site) -> Iterator[Callable[..., Lookout]]:
    """Give a way to look at the site."""
    begun: list[Lookout] = []

    def begin(*words: str, labels: tuple[str, ...] = ()) -> Lookout:
        begun.append(Lookout(site, words, labels))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def a_run(name: str, slot: int = T, **keys: Any) -> Run:
    """Return the run of a slot."""
    given = {"status": RunStatus.RUNNING, "created": float(slot), "attempt": 1, **keys}
    if given["status"] is RunStatus.RUNNING:
        given.setdefault("started", slot + 0.5)
    return Run(
        id=run_id(name, slot), schedule=name, scheduled_at=slot, origin=Origin.SCHEDULE, **given
    )


def went(run: Run, ended: float, status: RunStatus = RunStatus.SUCCEEDED) -> Run:
    """Return a run with its verdict."""
    return replace(run, status=status, ended=ended, exit_code=0)


def coming(board: Board) -> list[tuple[str, int]]:
    """Return what is next, in seconds after T."""
    return [(each.schedule, each.at - T) for each in board.coming]


# -- what is next -------------------------------------------------------------------------------


def test_without_a_run_log_it_tells_of_the_manifest(
    site: Site, watch: Callable[..., Lookout]
) -> None:
    """The next slot of each schedule that has one; a pause puts it off. Nothing is made."""
    board = watch().look(T + 0.5)

    assert coming(board) == [("sync", 600), ("tidy", 1_800), ("backup", 57_600)]
    assert [each.paused_until for each in board.coming] == [None, T + 1_800, None]
    assert (board.running, board.waiting, board.ended, board.troubles) == ((), (), (), ())
    assert (board.places, board.used, board.day, board.manned) == (2, 0, None, False)
    assert not site.settings.state_dir.exists()


def test_a_slot_that_has_passed_makes_way_for_the_next(watch: Callable[..., Lookout]) -> None:
    """And comes back when the clock is set back."""
    lookout = watch("sync")

    assert [coming(lookout.look(T + s)) for s in (599.9, 600.0, 601.0, 1_200.0)] == [
        [("sync", 600)], [("sync", 1_200)], [("sync", 1_200)], [("sync", 1_800)],
    ]  # fmt: skip
    assert coming(lookout.look(T + 1.0)) == [("sync", 600)]


def test_an_edit_counts_at_the_next_look(site: Site, watch: Callable[..., Lookout]) -> None:
    """Its settings, too; a schedule that is new is among those that a label or a pattern means."""
    lookouts = [watch(), watch("s*"), watch(labels=("team=ops",)), watch("s*", labels=("a=b",))]
    for each in lookouts:
        each.look(T)
    new = '[schedules.swap]\nevery = "1m"\ncommand = "true"\nlabels = { team = "ops" }\n'
    text = TEXT.replace("runs = 2", "runs = 0").replace('"10m"', '"20m"')
    site.settings.manifest.write_text(text + new)

    boards = [each.look(T) for each in lookouts]

    named = [[name for name, _ in coming(board)] for board in boards]
    assert named == [
        ["swap", "sync", "tidy", "backup"], ["swap", "sync"], ["swap", "tidy", "backup"], [],
    ]  # fmt: skip
    assert coming(boards[0])[1] == ("sync", 1_200)
    assert [board.places for board in boards] == [0] * 4


def test_a_slot_on_a_holiday_is_not_next(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """It is left out; of those that were missed the verdict says why."""
    site.settings.manifest.write_text(
        "version = 1\n[calendars.company]\n"
        'dates = { 2026-11-24 = "Moving day", 2026-11-26 = "x" }\n'
        '[schedules.daily]\ndaily = "09:00"\ntimezone = "UTC"\ncommand = "true"\n'
        'calendars = ["company"]\n'
    )
    timing = site.manifest().schedules["daily"].timing
    gaps = gaps_of("daily", timing, T - 3 * 86_400, T, now=float(T), reason="no scheduler")
    log.apply(Decision(gaps=gaps))

    board = watch().look(T + 1.0)

    assert coming(board) == [("daily", 2 * 86_400 - 3_600)]
    assert {each.verdict: each.count for each in board.ended} == {
        "missed(no scheduler)": 2, "skipped(holiday: Moving day)": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "names"),
    [("", ["sync", "tidy", "backup"]), ("y", ["sync", "tidy"]), ("*y", ["tidy"]), ("z", [])],
)
def test_a_part_of_the_names_may_be_asked_for(
    watch: Callable[..., Lookout], part: str, names: list[str]
) -> None:
    """Anywhere in them, or as a pattern."""
    assert [name for name, _ in coming(watch().look(T, part))] == names


def test_who_is_not_there_cannot_be_looked_at(watch: Callable[..., Lookout]) -> None:
    """Nor can a label that is none."""
    with pytest.raises(NotFound):
        watch("bakup")
    with pytest.raises(UsageError):
        watch(labels=("team",))


# -- runs ---------------------------------------------------------------------------------------


def test_runs_go_on_wait_and_end(log: SqliteRunLog, watch: Callable[..., Lookout]) -> None:
    """Each with what is to be known of it."""
    lookout = watch()
    long, queued = a_run("backup"), a_run("sync", T + 60, status=RunStatus.QUEUED)
    failed = went(a_run("tidy"), T + 70.0, RunStatus.FAILED)
    gap = Gap(
        schedule="sync", after=T - 3_600, until=T, count=6, reason="no scheduler", created=T + 65.0,
        timing=log_timing(lookout),
    )  # fmt: skip
    log.apply(Decision(runs=(long, a_run("sync"), queued, failed), gaps=(gap,)))

    board = lookout.look(T + 80.0)

    assert [(each.run.schedule, each.long) for each in board.running] == [
        ("backup", True), ("sync", False),
    ]  # fmt: skip
    assert [(each.run.id, each.wait) for each in board.waiting] == [(queued.id, "scheduler")]
    assert [(each.schedule, each.verdict, each.count) for each in board.ended] == [
        ("tidy", "failed(exit 0)", 1), ("sync", "missed(no scheduler)", 6),
    ]  # fmt: skip
    assert (board.used, board.places) == (2, 2)
    assert board.day is not None
    assert (board.day.good, board.day.runs) == (0, 1)
    assert [(each.run.id, each.times) for each in board.failing] == [(failed.id, 1)]
    assert lookout.look(T + 81.0, "sync").failing == ()
    assert lookout.look(T + 2 * 86_400.0).failing == ()


def test_what_takes_too_long_comes_first(log: SqliteRunLog, watch: Callable[..., Lookout]) -> None:
    """Among hundreds of runs it is seen; others stand as they came."""
    runs = [a_run("sync"), a_run("backup"), a_run("tidy"), a_run("backup", T + 30)]
    log.apply(Decision(runs=tuple(runs)))

    board = watch().look(T + 80.0)

    assert [each.run.id for each in board.running] == [runs[n].id for n in (1, 0, 2, 3)]


def test_who_fails_is_told_by_the_latest_verdict(
    log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """At once, though all of a day are counted every now and then alone."""
    lookout = watch()
    said = []
    for number, status in enumerate(
        [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.SUCCEEDED] * 2
    ):
        run = went(a_run("sync", T + number), T + number + 0.5, status)
        log.apply(Decision(runs=(run, went(a_run("tidy", T + number), T + number + 0.5))))
        found = lookout.look(T + number + 1.0).failing
        said.append([(each.run.scheduled_at - T, each.times, each.good_since) for each in found])

    assert said == [
        [], [(1, 1, False)], [(2, 2, False)], [(2, 2, True)],
        [(2, 2, True)], [(5, 3, False)], [(6, 4, False)], [(6, 4, True)],
    ]  # fmt: skip
    assert [each.times for each in lookout.look(T + 60.0).failing] == [4]


def log_timing(lookout: Lookout) -> str:
    """Return the timing of the schedule ``sync``."""
    return lookout.look(T).schedules["sync"].timing.text


def test_others_take_places_and_stand_in_the_way_unseen(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """Whoever looks at one schedule alone sees why its run waits."""
    going = [a_run("backup"), a_run("tidy")]
    log.apply(Decision(runs=(*going, a_run("sync", status=RunStatus.QUEUED))))
    lock = SchedulerLock(site.settings.state_dir)
    lock.acquire("run")
    try:
        board = watch("sync").look(T + 1.0)
        late = watch("sync").look(T + 301.0)
    finally:
        lock.release()

    assert (board.manned, board.used, board.running) == (True, 2, ())
    assert [(each.wait, each.late) for each in board.waiting] == [("place", False)]
    assert [each.late for each in late.waiting] == [True]
    assert not watch().look(T + 2.0).manned


def test_what_ran_for_long_is_seen_to_end(
    log: SqliteRunLog, watch: Callable[..., Lookout], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its row is not among the newest, which are all that is searched."""
    monkeypatch.setattr("flytesched.runlog.board._NEWEST", 1)
    long = a_run("backup")
    log.apply(Decision(runs=(long, went(a_run("sync"), T + 1.0))))
    lookout = watch()
    lookout.look(T + 2.0)
    done = went(*log.runs([long.id]), T + 3.0)
    log.apply(Decision(moves=(Move(run=done, was=frozenset({RunStatus.RUNNING})),)))

    ended = [lookout.look(T + seconds).ended for seconds in (4.0, 5.0, 700.0)]

    assert [[each.schedule for each in each_look] for each_look in ended] == [
        ["backup", "sync"], ["backup", "sync"], [],
    ]  # fmt: skip


def test_how_long_runs_usually_take_is_asked_once_in_a_while(
    log: SqliteRunLog, watch: Callable[..., Lookout], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or when one has ended; only of the schedules that are asked for."""
    asked: list[set[str]] = []
    log.apply(Decision(runs=(went(a_run("sync", T - 600), T - 590.0),)))
    lookout = watch()
    # There is no other way to see what is not asked.
    plain = Glance.usual
    monkeypatch.setattr(
        Glance, "usual", lambda self, names: asked.append(set(names)) or plain(self, names)
    )
    lookout.look(T)
    first = lookout.usual(["sync", "tidy"], T)
    lookout.usual(["sync"], T + 59.0)
    log.apply(Decision(runs=(went(a_run("sync", T), T + 4.5),)))
    lookout.look(T + 60.0)
    later = lookout.usual(["sync"], T + 60.0)
    lookout.usual(["sync", "tidy"], T + 61.0)

    assert first["tidy"] is None
    assert first["sync"] is not None
    assert first["sync"].p50 == 9.5
    assert later["sync"] is not None
    assert later["sync"].p50 == 4.0
    assert asked == [{"sync", "tidy"}, {"sync"}, {"tidy"}]


# -- what is broken -----------------------------------------------------------------------------


def test_a_broken_manifest_is_told_of_and_the_last_good_one_shown(
    site: Site, watch: Callable[..., Lookout]
) -> None:
    """Until it is mended."""
    lookout = watch()
    lookout.look(T)
    site.settings.manifest.write_text(TEXT + "nonsense\n")
    broken = lookout.look(T + 1.0)
    site.settings.manifest.write_text(TEXT.replace("runs = 2", "runs = -1"))
    odd = lookout.look(T + 2.0)
    site.settings.manifest.write_text(TEXT)

    assert len(broken.troubles) == len(odd.troubles) == 1
    assert str(site.settings.manifest) in broken.troubles[0]
    assert coming(broken) == coming(lookout.look(T + 3.0))
    assert lookout.look(T + 4.0).troubles == ()


def test_without_a_good_manifest_it_tells_what_the_run_log_remembers(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """As long as nothing better can be had."""
    schedules = site.manifest().schedules
    states = tuple(see(each, None, T).state for each in schedules.values())
    log.apply(Decision(schedules=states))
    site.settings.manifest.unlink()

    board = watch("sync").look(T)

    assert coming(board) == [("sync", 600)]
    assert "there is no manifest here" in board.troubles[0]


def test_channels_that_fail_are_told_of_while_a_schedule_has_them(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """Whoever waits to be told of a failure sees that nobody may be."""
    channels = "".join(f'[channels.{n}]\nkind = "webhook"\nurl = "http://x/"\n' for n in "ab")
    used = TEXT.replace("long_after", 'notify = ["a", "b"]\nping_url = "http://x/"\nlong_after')
    site.settings.manifest.write_text(used + channels)
    log.apply(Decision(notices=tuple(
        Notice(
            channel=name, event=Event.FAILURE, schedule="backup", about=str(n), facts="{}",
            created=T - 9.0, ended=T - 5.0, status=status,
            why=None if status is NoticeStatus.SENT else "no",
        )
        for n, (name, status) in enumerate([
            ("b", NoticeStatus.FAILED), ("a", NoticeStatus.SENT), ("ping_url", NoticeStatus.FAILED),
            ("gone", NoticeStatus.FAILED),
        ])
    )))  # fmt: skip
    lookout = watch()

    assert lookout.look(T).troubles == ("channels that fail: b, ping_url; see: flytesched status",)
    site.settings.manifest.write_text(TEXT)
    assert lookout.look(T + 1.0).troubles == ()


def test_a_scheduler_that_goes_on_without_an_edit_is_told_of(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """If it runs; what one that has ended could not read is of no interest."""
    log.apply(Decision(meta={"manifest_error": "m.toml:3: no\nand more"}))
    lookout = watch()
    alone = lookout.look(T)
    lock = SchedulerLock(site.settings.state_dir)
    lock.acquire("run")
    try:
        manned = lookout.look(T)
    finally:
        lock.release()

    assert alone.troubles == ()
    assert manned.troubles == ("the scheduler goes on without an edit: m.toml:3: no",)


def test_a_lock_that_cannot_be_looked_at_is_told_of(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """And nobody is said to run."""
    assert log.meta() == {}
    (site.settings.state_dir / "scheduler.lock").symlink_to("nowhere")

    board = watch().look(T)

    assert board.holder is None
    assert "cannot use" in board.troubles[0]


def test_a_locked_run_log_is_not_waited_for(
    site: Site, log: SqliteRunLog, watch: Callable[..., Lookout]
) -> None:
    """What was there before is shown, and of when it is."""
    log.apply(Decision(runs=(a_run("sync"),)))
    log.close()
    lookout = watch()
    lookout.look(T)
    other = sqlite3.connect(site.runs_db)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("CREATE TABLE mine (x)")
    try:
        locked = lookout.look(T + 5.0)
        usual = lookout.usual(["sync"], T + 5.0)
        new = watch().look(T + 5.0)
    finally:
        other.execute("DROP TABLE mine")
        other.close()
    after = lookout.look(T + 6.0)

    assert len(locked.troubles) == len(new.troubles) == 1
    assert "cannot be used right now" in locked.troubles[0]
    assert locked.stale_since == T
    assert (new.stale_since, new.running) == (None, ())
    assert [each.run.schedule for each in locked.running] == ["sync"]
    assert usual == {}
    assert (after.troubles, after.stale_since) == ((), None)


def test_a_run_log_that_is_none_is_told_of(site: Site, watch: Callable[..., Lookout]) -> None:
    """While the manifest is broken, too: then nothing is known at all."""
    site.settings.state_dir.mkdir(mode=0o700)
    site.runs_db.write_bytes(os.urandom(4_096))
    lookout = watch()
    site.settings.manifest.write_text("nonsense\n")

    board = lookout.look(T)

    assert len(board.troubles) == 2
    assert "is not a run log of flytesched" in board.troubles[1]
    assert board.coming == ()


def test_what_is_paused_can_be_told(watch: Callable[..., Lookout]) -> None:
    """From what is disabled, and from what was never heard of."""
    board = watch().look(T)

    assert [name for name in (*board.schedules, "nobody") if board.paused(name)] == ["tidy"]


def test_requests_wait_like_slots(log: SqliteRunLog, watch: Callable[..., Lookout]) -> None:
    """But are never late."""
    run = Run(
        id=request_id(Origin.MANUAL, "sync", T), schedule="sync", scheduled_at=None,
        origin=Origin.MANUAL, status=RunStatus.QUEUED, created=float(T),
    )  # fmt: skip
    log.apply(Decision(runs=(run,)))

    assert [each.late for each in watch().look(T + 9_999.0).waiting] == [False]
