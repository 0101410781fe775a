"""db check: what is sound, what is not, and what nobody can tell; nothing is ever changed."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.bootstrap import open_site
from flytesched.core.calendars import Calendar
from flytesched.core.counts import count_verdicts
from flytesched.core.decision import Decision
from flytesched.core.gaps import gaps_of
from flytesched.core.runs import Attempt, AttemptKey, Gap, Origin, Run, RunStatus, run_id
from flytesched.core.schedule import Schedule
from flytesched.core.sight import removed, see
from flytesched.core.timetables.on_holiday import every_slot, why_left_out
from flytesched.core.timetables.parse import slots
from flytesched.errors import NotFound, Unhealthy
from flytesched.executors.record import Records
from flytesched.runlog.migrations import LATEST
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.service.check import check
from flytesched.service.doctor import doctor
from flytesched.service.vitals import EXAMINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flytesched.bootstrap import Site
    from flytesched.service.check import Report

#: 2026-11-21T00:00:00Z.
DAY = 1_795_219_200
#: Every schedule here is seen at DAY and has decided its slots up to an hour later.
UNTIL = DAY + 3_600


@dataclass
class Bench:
    """A site with a run log that a test fills."""

    site: Site

    @property
    def path(self) -> Path:
        return self.site.runs_db

    def write(self, decision: Decision) -> None:
        log = SqliteRunLog(self.path, holder=True)
        log.apply(replace(decision, counts=tuple(count_verdicts(decision.runs))))
        log.close()

    def lives(self, *, without: tuple[int, ...] = (), **keys: Any) -> None:
        """Let a schedule decide its slots; some of them leave no trace."""
        schedule = Schedule("backup", **{"every": "10m", "command": "true", **keys})
        state = see(schedule, None, float(DAY)).state
        due = slots(schedule.timetable, DAY, UNTIL)
        runs = tuple(done(slot) for slot in due if slot not in without)
        self.write(
            Decision(
                schedules=(state,), runs=runs, cursors={"backup": UNTIL},
                meta={"heartbeat": str(UNTIL)},
            )
        )  # fmt: skip

    def spoil(self, sql: str) -> None:
        connection = sqlite3.connect(self.path)
        connection.execute(sql)
        connection.commit()
        connection.close()

    def check(self) -> Report:
        """Check, and hold it to having changed nothing."""
        before = self.print()
        report = check(self.site)
        assert self.print() == before
        assert report.exit_code == (0 if report.sound else 1)
        return report

    def print(self) -> dict[str, bytes]:
        """Return what lasts of the state directory; SQLite's own notes of who reads do not."""
        return {
            str(path): path.read_bytes()
            for path in sorted(self.path.parent.rglob("*"))
            if path.is_file() and not path.name.endswith("-shm")
            and not (path.name.endswith("-wal") and not path.stat().st_size)
        }  # fmt: skip


def done(slot: int, **keys: Any) -> Run:
    """Return a run that was skipped, which takes no attempt."""
    given = {"status": RunStatus.SKIPPED, "reason": "overlap", "ended": float(slot), **keys}
    return Run(
        id=run_id("backup", slot), schedule="backup", scheduled_at=slot, revision=1,
        created=float(slot), **{"origin": Origin.SCHEDULE, **given},
    )  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    state = str(tmp_path / "state")
    return Bench(open_site(state_dir=state, manifest=str(tmp_path / "s.toml"), environ={}))


def told(report: Report) -> list[tuple[str, bool]]:
    return [(finding.about, finding.counts) for finding in report.findings]


# -- what it says -----------------------------------------------------------------------------


def test_a_run_log_that_accounts_for_every_slot_is_sound(bench: Bench) -> None:
    """It says what it looked at."""
    bench.lives()

    report = bench.check()

    assert (report.sound, report.findings, report.unchecked) == (True, (), ())
    assert (report.schema, report.counted) == (LATEST, ("backup",))
    assert report.rows == {"schedules": 1, "runs": 6, "attempts": 0, "gaps": 0}
    assert report.size == bench.path.stat().st_size


def test_progress_ends_with_the_whole(bench: Bench) -> None:
    """A bar would stop short otherwise."""
    bench.lives()
    told: list[float] = []

    check(bench.site, told.append)

    assert told[-1] == 1.0


def test_a_slot_that_was_lost_is_found(bench: Bench) -> None:
    """The first of them is named, with what runs it."""
    bench.lives(without=(DAY + 1_200, DAY + 1_800))

    (finding,) = bench.check().findings

    assert finding.about == "slots"
    assert "2026-11-21T00:20:00Z was due, and has no run and no gap" in finding.what
    assert "flytesched backfill backup" in finding.do


def test_a_gap_accounts_for_its_slots(bench: Bench) -> None:
    """Missed is not lost."""
    bench.lives(without=(DAY + 1_200, DAY + 1_800))
    bench.write(Decision(gaps=(gap(DAY + 600, DAY + 1_800, 2),)))

    assert bench.check().findings == ()


def test_a_backfill_does_not_account_for_a_slot_that_was_lost(bench: Bench) -> None:
    """It would hide the loss."""
    bench.lives(without=(DAY + 1_200,))
    bench.write(Decision(runs=(done(DAY + 1_200, origin=Origin.BACKFILL),)))

    assert ("slots", True) in told(bench.check())


def test_a_run_that_is_no_slot_is_only_told(bench: Bench) -> None:
    """It takes nothing from anybody."""
    bench.lives()
    bench.write(Decision(runs=(done(DAY + 601, origin=Origin.MANUAL),)))

    (finding,) = bench.check().findings

    assert (finding.about, finding.counts) == ("slots", False)
    assert "2026-11-21T00:10:01Z, which is no slot" in finding.what


def test_slots_that_other_rules_of_a_zone_would_move_are_only_told(bench: Bench) -> None:
    """The rules of a zone are data that the machine may have got later."""
    hourly = {"every": None, "cron": "5 * * * *", "timezone": "Africa/Casablanca"}
    bench.lives(**hourly, without=(DAY + 300,))
    bench.write(Decision(runs=(done(DAY + 299), done(DAY + 301))))

    (finding,) = bench.check().findings

    assert (finding.about, finding.counts) == ("slots", False)


@pytest.mark.parametrize(
    ("closed", "zone", "counts"),
    [(False, "UTC", True), (True, "UTC", True), (False, "Europe/Berlin", False)],
)
def test_a_gap_that_counts_wrongly_is_told(
    bench: Bench, closed: bool, zone: str, counts: bool
) -> None:
    """What a zone may explain is no fault."""
    schedule = Schedule("backup", cron="*/10 * * * *", timezone=zone, command="true")
    bench.lives(every=None, cron="*/10 * * * *", timezone=zone, without=(DAY + 600, DAY + 1_200))
    ends = {"closed_at": 1.0, "closed_as": "declined"} if closed else {}
    wrong = gap(DAY, DAY + 1_200, 3, timing=schedule.timing.text, **ends)
    bench.write(Decision(gaps=(wrong,)))

    assert told(bench.check()) == [("gaps", counts)]


def test_a_gap_that_nobody_can_count_is_left_out(bench: Bench) -> None:
    """It may have been written on a machine with more zones."""
    bench.lives(without=(DAY + 600,))
    bench.write(Decision(gaps=(gap(DAY, DAY + 600, 1, timing="{}"),)))

    report = bench.check()

    assert report.sound
    assert report.unchecked[0][0] == "backup: the gap up to 2026-11-21T00:10:00Z"


def test_what_cannot_be_counted_is_said(bench: Bench) -> None:
    """With the reason."""
    bench.lives()
    off = see(Schedule("off", every="1m", command="x", enabled=False), None, float(DAY)).state
    gone, _ = removed(see(Schedule("gone", every="1m"), None, float(DAY)).state, DAY + 60.0)
    bench.write(Decision(schedules=(off, gone)))

    report = bench.check()

    assert report.sound
    assert report.unchecked == (("gone: its slots", "removed"), ("off: its slots", "not enabled"))


def test_a_rule_that_is_broken_is_told_with_an_example(bench: Bench) -> None:
    """And with the count, if there are several."""
    bench.lives()
    claims = [done(slot, status=RunStatus.CLAIMED, ended=None, attempt=1) for slot in (60, 120)]
    bench.write(Decision(runs=tuple(claims)))

    findings = bench.check().findings

    assert [finding.what for finding in findings] == [
        "runs that are claimed and have no attempt that could go on: 2, such as sched-backup-120",
        "runs that count other attempts than there are: 2, such as sched-backup-120",
    ]


def test_moments_that_cannot_be_keep_slots_from_being_counted(bench: Bench) -> None:
    """They would lie between a second and the end of all time."""
    bench.lives()
    bench.spoil("UPDATE schedules SET cursor = 1000000000000000")

    report = bench.check()

    assert told(report) == [("instants", True)]
    assert report.counted == ()
    assert report.unchecked[0][0] == "slots"


def test_what_counts_comes_first(bench: Bench) -> None:
    """Whatever order it was found in."""
    bench.lives(without=(DAY + 1_200,))
    bench.write(Decision(runs=(done(DAY + 3_599, origin=Origin.MANUAL),)))
    Records(f"{bench.site.settings.state_dir}/active").claim(AttemptKey("sched-backup-60", 1))
    os.utime(bench.site.settings.state_dir / "active" / "0", (DAY - 60, DAY - 60))

    assert [counts for _, counts in told(bench.check())] == [True, False]


#: The day of these tests is off from noon on, on a clock that is half a day behind.
NOON = DAY + 43_200
OFF: dict[str, Any] = {
    "calendars": [Calendar(name="company", dates=["2026-11-21"])], "timezone": "Etc/GMT+12",
}  # fmt: skip


def lives_on_a_holiday(bench: Bench, *lost: int) -> None:
    """Let a schedule decide half an hour of each kind of day, by runs and then by two gaps."""
    schedule = Schedule("backup", every="10m", command="true", **OFF)
    state = see(schedule, None, float(NOON - 1_801)).state
    due = list(slots(every_slot(schedule.timing), NOON - 1_801, NOON + 1_199))
    assert [why_left_out(schedule.timing, slot) for slot in due] == [None] * 3 + ["company"] * 2
    runs = tuple(
        done(slot, reason="overlap" if slot < NOON else "holiday: company")
        for slot in due
        if slot - NOON not in lost
    )
    bench.write(
        Decision(
            schedules=(state,), runs=runs, cursors={"backup": NOON + 1_199},
            meta={"heartbeat": str(NOON + 1_199)},
        )
    )  # fmt: skip


@pytest.mark.parametrize("lost", [-1_800, -600, 0, 600])
def test_a_slot_that_is_lost_is_missed_on_either_kind_of_day(bench: Bench, lost: int) -> None:
    lives_on_a_holiday(bench)
    assert bench.check().findings == ()
    bench.spoil(f"DELETE FROM runs WHERE at = {NOON + lost}")
    assert told(bench.check()) == [("slots", True)]


def test_a_gap_of_holidays_accounts_for_no_slot_that_runs(bench: Bench) -> None:
    """Nor does the one beside it account for a slot that is left out."""
    lives_on_a_holiday(bench, -600, 0)
    timing = Schedule("backup", every="10m", command="true", **OFF).timing
    both = gaps_of("backup", timing, NOON - 900, NOON + 300, now=float(NOON), reason="x")
    bench.write(Decision(gaps=both))
    assert bench.check().findings == ()
    for one in both:
        bench.spoil(f"DELETE FROM gaps WHERE count = 1 AND until = {one.until}")
        assert told(bench.check()) == [("slots", True)]
        bench.write(Decision(gaps=(one,)))


def test_a_gap_of_holidays_that_counts_wrongly_is_told(bench: Bench) -> None:
    lives_on_a_holiday(bench, 0)
    timing = Schedule("backup", every="10m", command="true", **OFF).timing
    (_, holidays) = gaps_of("backup", timing, NOON - 900, NOON, now=float(NOON), reason="x")
    bench.write(Decision(gaps=(replace(holidays, count=2),)))
    report = bench.check()
    # Dates that are written down do not change, but the zone whose dates they are might.
    assert told(report) == [("gaps", False)]
    assert "says 2 slots and has 1" in report.findings[0].what


def gap(after: int, until: int, count: int, **keys: Any) -> Gap:
    timing = Schedule("backup", every="10m").timing.text
    return Gap(
        schedule="backup", after=after, until=until, count=count, reason="no scheduler",
        **{"timing": timing, "created": float(until), **keys},
    )  # fmt: skip


# -- what lies beside it ------------------------------------------------------------------------


def test_records_of_attempts_that_are_over_are_only_told(bench: Bench) -> None:
    """One that was written just now may belong to an end that is being stored."""
    bench.lives()
    records = Records(f"{bench.site.settings.state_dir}/active")
    for number in (1, 2):
        os.close(records.claim(AttemptKey("sched-backup-60", number)))
    os.utime(bench.site.settings.state_dir / "active" / "0", (DAY - 60, DAY - 60))

    report = bench.check()

    assert told(report) == [("records", False)]
    assert report.findings[0].what == "records of attempts that are over: sched-backup-60.1"


def test_the_record_of_an_active_run_is_none_of_them(bench: Bench) -> None:
    """However old it is."""
    bench.lives()
    run = done(DAY + 3_600 - 600, status=RunStatus.RUNNING, ended=None, attempt=1, started=5.0)
    bench.spoil("DELETE FROM runs WHERE at = " + str(run.scheduled_at))
    bench.write(Decision(runs=(run,), attempts=(attempt(run),)))
    os.close(Records(f"{bench.site.settings.state_dir}/active").claim(AttemptKey(run.id, 1)))
    os.utime(bench.site.settings.state_dir / "active" / "0", (DAY - 60, DAY - 60))

    assert bench.check().findings == ()


@pytest.mark.parametrize(("age", "expected"), [(3_600, True), (40 * 86_400, False), (5, False)])
def test_logs_that_are_missing_are_only_told(bench: Bench, age: int, expected: bool) -> None:
    """Unless they are older than keep_logs, or were written just now."""
    bench.lives()
    ended = bench.site.now() - age
    run = done(DAY - 60, status=RunStatus.SUCCEEDED, attempt=1, reason=None, exit_code=0)
    bench.write(
        Decision(
            runs=(run,), attempts=(attempt(run, ended=ended, log="logs/backup/x.log"),)
        )
    )  # fmt: skip

    assert told(bench.check()) == ([("logs", False)] if expected else [])


def test_what_beside_it_cannot_be_read_is_said(bench: Bench) -> None:
    """It is no fault of the run log."""
    bench.lives()
    (bench.site.settings.state_dir / "active").write_text("a file")

    report = bench.check()

    assert report.sound
    assert report.unchecked == (("records and logs", "Not a directory"),)


def attempt(run: Run, **keys: Any) -> Attempt:
    return Attempt(run=run.id, attempt=1, boot_id="boot", ordered=1.0, **{"started": 2.0, **keys})


# -- the file -----------------------------------------------------------------------------------


def test_without_a_run_log_there_is_nothing_to_check(bench: Bench) -> None:
    """And none is made."""
    with pytest.raises(NotFound, match="there is no run log"):
        check(bench.site)
    assert not bench.path.parent.exists()


def _flip(path: Path) -> None:
    """Turn over every byte of a page in the middle."""
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        page = file.read(4096)
        file.seek(4096 * 4)
        file.write(bytes(byte ^ 0xFF for byte in page))


def _spoil_index(path: Path) -> None:
    """Set the end of a page of an index to zero, where its first entries are."""
    connection = sqlite3.connect(path)
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'runs_of_all'"
    ((page,),) = connection.execute(sql)
    connection.close()
    with path.open("r+b") as file:
        file.seek(page * 4096 - 12)
        file.write(bytes(12))


DAMAGE = {
    "an index holds something else": (_spoil_index, "the file is damaged: "),
    "a page is flipped": (_flip, "damaged"),
    "the second half is gone": (
        lambda path: os.truncate(path, path.stat().st_size // 8192 * 4096), "damaged",
    ),
    "half a page is left": (lambda path: os.truncate(path, 2048), ""),
    "it is empty": (lambda path: os.truncate(path, 0), "is not a run log of flytesched"),
    "it is a text": (lambda path: path.write_text("dear diary\n" * 900), "is not a run log"),
    "it is a folder": (lambda path: (path.unlink(), path.mkdir()), "is not a file"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_a_file_that_is_no_sound_run_log_is_told_and_left_alone(bench: Bench, what: str) -> None:
    """As a finding that says what to do."""
    bench.lives()
    damage, says = DAMAGE[what]
    damage(bench.path)

    report = bench.check()

    assert not report.sound
    assert all(finding.about == "file" for finding in report.findings)
    assert says in report.findings[0].what
    assert "restore" in report.findings[0].do
    assert report.counted == ()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_bytes_are_changed_there_is_an_answer(bench: Bench, seed: int) -> None:
    """A report that the file is damaged, or that it is not; never a failure."""
    chance = random.Random(seed)
    bench.lives()
    sound = bench.path.read_bytes()
    for _ in range(25):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 4, 64])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        bench.path.write_bytes(content[: chance.choice([len(content), chance.randrange(40_000)])])
        for beside in ("-wal", "-shm"):
            bench.path.with_name(f"runs.db{beside}").unlink(missing_ok=True)
        assert check(bench.site).exit_code in {0, 1}
        assert doctor(bench.site, EXAMINATIONS).exit_code in {0, 7}


def test_another_programs_database_is_told_and_left_alone(bench: Bench) -> None:
    """It gets no file beside it either."""
    bench.path.parent.mkdir()
    bench.spoil("CREATE TABLE cats (name)")

    (finding,) = bench.check().findings

    assert "is not a run log of flytesched" in finding.what
    assert [path.name for path in bench.path.parent.iterdir()] == ["runs.db"]


def test_a_run_log_of_a_newer_program_is_refused_by_name(bench: Bench) -> None:
    """It may be sound; only a newer program can tell."""
    bench.lives()
    bench.spoil(f"PRAGMA user_version = {LATEST + 1}")

    (finding,) = bench.check().findings

    assert f"written by a newer flytesched (schema {LATEST + 1})" in finding.what
    assert "install the newer" in finding.do


def test_an_older_schema_is_no_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start brings it up to date; its pages are checked all the same."""
    bench.lives()
    # There is but one schema so far: this is the program that will know the next.
    monkeypatch.setattr("flytesched.service.check.LATEST", LATEST + 1)

    report = bench.check()

    assert told(report) == [("schema", False)]
    assert "the next 'flytesched run'" in report.findings[0].do
    assert report.unchecked[0][0] == "what it says"


def test_a_schema_without_its_unique_key_is_not_sound(bench: Bench) -> None:
    """Nothing would keep a slot from being claimed twice."""
    bench.lives()
    bench.spoil("DROP INDEX runs_of_schedule")

    report = bench.check()

    assert [finding.what.split()[0] for finding in report.findings] == ["runs_of_schedule"]
    assert report.unchecked == (("what it says", "the file is not as it was written"),)


def test_a_reference_to_nothing_is_not_sound(bench: Bench) -> None:
    """SQLite finds it."""
    bench.lives()
    bench.spoil("INSERT INTO attempts (run, attempt, boot_id, ordered, survive, kill_after)"
                " VALUES (99, 1, 'boot', 1.0, 1, 1.0)")  # fmt: skip

    assert told(bench.check()) == [("references", True)]


def test_a_locked_run_log_cannot_be_checked_now(bench: Bench, monkeypatch: Any) -> None:
    """That is not the same as being damaged."""
    bench.lives()
    # Nobody should have to wait five seconds in a test.
    from flytesched.runlog import checking

    monkeypatch.setattr(checking.open_checker, "__kwdefaults__", {"busy_timeout": 0.05})
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(Unhealthy, match=r"not checked: the run log .* cannot be used"):
        check(bench.site)
    other.close()


def test_a_run_log_is_checked_while_somebody_writes(bench: Bench) -> None:
    """A transaction that goes on is not seen, and not waited for."""
    bench.lives()
    log = SqliteRunLog(bench.path, holder=True)
    with log.transaction() as connection:
        connection.execute("DELETE FROM runs")

        assert check(bench.site).sound
    log.close()


# -- folders that cannot be written ---------------------------------------------------------------


@pytest.fixture
def backup(bench: Bench, tmp_path: Path) -> Iterator[Bench]:
    """A copy of the state directory that may be read by all, and written by nobody."""
    bench.lives()
    folder = tmp_path / "backup"
    shutil.copytree(bench.path.parent, folder)
    site = open_site(state_dir=str(folder), manifest=str(tmp_path / "s.toml"), environ={})
    yield Bench(site)
    folder.chmod(0o755)


def _as_nobody(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check as a user who may not write there."""
    # Root becomes one once everything is imported: others may not read this very program.
    code = (
        "import os, sys; from flytesched.cli.app import main;"
        "check = lambda folder: main(['db', 'check', '--state-dir', folder]);"
        "out, sys.stdout = sys.stdout, open(os.devnull, 'w');"
        f"check({str(folder.with_name('state'))!r}); sys.stdout = out;"
        f"os.geteuid() or os.setuid(65534); sys.exit(check({str(folder)!r}))"
    )
    # Nobody may write down what was covered either.
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ
    )


def _closed(folder: Path) -> Path:
    """Let everybody read a folder, and nobody write there."""
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    return folder


@pytest.fixture
def open_ways(tmp_path: Path) -> None:
    """Let others pass through the folders of a test."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)


@pytest.mark.usefixtures("open_ways")
def test_a_backup_that_cannot_be_written_is_checked(backup: Bench) -> None:
    """SQLite by itself would want to make a file beside it."""
    said = _as_nobody(_closed(backup.path.parent))

    assert (said.returncode, said.stderr) == (0, "")
    assert "result: sound" in said.stdout


@pytest.mark.usefixtures("open_ways")
def test_a_backup_with_a_wal_has_to_be_copied_first(backup: Bench) -> None:
    """Without what is in the WAL it would not be the run log."""
    log = SqliteRunLog(backup.path)
    log.apply(Decision(meta={"heartbeat": "1"}))
    kept = backup.path.with_name("runs.db-wal").read_bytes()
    log.close()
    backup.path.with_name("runs.db-wal").write_bytes(kept)

    said = _as_nobody(_closed(backup.path.parent))

    assert said.returncode == 7
    assert said.stderr.startswith("flytesched: not checked: ")
    assert "hint: copy the state directory" in said.stderr


@pytest.mark.usefixtures("open_ways")
def test_a_run_log_that_may_not_be_read_cannot_be_checked(backup: Bench) -> None:
    """That says nothing of it."""
    backup.path.chmod(0o600 if os.geteuid() == 0 else 0o000)
    backup.path.parent.chmod(0o755)

    said = _as_nobody(backup.path.parent)

    assert said.returncode == 7
    assert "Permission denied" in said.stderr
