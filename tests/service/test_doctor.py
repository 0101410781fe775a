"""doctor: each examination says ok, a warning or a problem, and what to do."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from flytesched import linux
from flytesched.bootstrap import open_site
from flytesched.clock import now
from flytesched.core.decision import Decision
from flytesched.core.runs import AttemptKey, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.sight import see
from flytesched.errors import Conflict
from flytesched.executors.record import Records
from flytesched.runlog.migrations import LATEST
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.service.doctor import Examination, Finding, Level, Patient, doctor
from flytesched.service.examinations import run_log, state_directory
from flytesched.service.vitals import EXAMINATIONS
from flytesched.state_dir import prepare_state_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flytesched.bootstrap import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with an empty run log."""
    state = str(tmp_path / "state")
    site = open_site(state_dir=state, manifest=str(tmp_path / "s.toml"), environ={})
    prepare_state_dir(site.settings.state_dir)
    SqliteRunLog(site.runs_db).close()
    return site


def write(site: Site, decision: Decision) -> None:
    log = SqliteRunLog(site.runs_db)
    log.apply(decision)
    log.close()


def spoil(site: Site, sql: str) -> None:
    connection = sqlite3.connect(site.runs_db)
    connection.execute(sql)
    connection.commit()
    connection.close()


def found(site: Site, about: str) -> list[tuple[str, str]]:
    """Return level and sentence of the findings of one examination."""
    findings = doctor(site, EXAMINATIONS).findings
    return [(one.level.value, one.what) for one in findings if one.about == about]


def level(site: Site, about: str) -> str:
    """Return the level of the only finding of an examination."""
    ((level, _),) = found(site, about)
    return level


# -- the whole ----------------------------------------------------------------------------------


def test_a_healthy_site_is_told_so_by_every_examination(site: Site) -> None:
    """Nothing is changed by asking."""
    before = {path.name: path.read_bytes() for path in site.settings.state_dir.iterdir()}

    diagnosis = doctor(site, EXAMINATIONS)

    assert [each for each in diagnosis.findings if each.level is Level.PROBLEM] == []
    assert {each.about for each in diagnosis.findings} == {each.about for each in EXAMINATIONS}
    assert diagnosis.exit_code == 0
    after = {path.name: path.read_bytes() for path in site.settings.state_dir.iterdir()}
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() <= {"runs.db-wal", "runs.db-shm"}


def test_before_the_first_run_there_is_little_to_examine(tmp_path: Path) -> None:
    """And no state directory is made."""
    site = open_site(state_dir=str(tmp_path / "a" / "b"), environ={})

    diagnosis = doctor(site, EXAMINATIONS)

    assert diagnosis.exit_code == 0
    assert found(site, "run_log") == [("ok", "there is none yet")]
    assert [each.about for each in diagnosis.findings].count("disk") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "what", "do"),
    [
        (Conflict("it is taken", hint="wait"), "cannot be examined: it is taken", "wait"),
        (PermissionError(13, "Permission denied"), "cannot be examined: Permission denied", None),
        (OSError("odd"), "cannot be examined: odd", None),
    ],
)
def test_an_examination_that_fails_is_a_problem_and_the_next_goes_on(
    site: Site, error: Exception, what: str, do: str | None
) -> None:
    """What it had found before is told as well."""

    def fails(_: Patient) -> Any:
        yield Finding(about="heart", level=Level.OK, what="it beats")
        raise error

    fine = Finding(about="lungs", level=Level.WARNING, what="they breathe")
    examinations = [
        Examination(about="heart", look=fails), Examination(about="lungs", look=lambda _: [fine]),
    ]  # fmt: skip

    diagnosis = doctor(site, examinations)

    assert diagnosis.exit_code == 7
    assert diagnosis.findings[1:] == (
        Finding(about="heart", level=Level.PROBLEM, what=what, do=do), fine,
    )  # fmt: skip


# -- the run log --------------------------------------------------------------------------------


def test_a_damaged_run_log_is_one_problem(site: Site) -> None:
    """What needs it keeps quiet."""
    site.runs_db.write_bytes(b"a love letter\n" * 500)

    findings = doctor(site, EXAMINATIONS).findings

    problems = [each for each in findings if each.level is Level.PROBLEM]
    assert [each.about for each in problems] == ["run_log"]
    assert "is not a run log of flytesched" in problems[0].what


def test_a_torn_page_is_a_problem(site: Site) -> None:
    """A quick check of the pages finds it."""
    with site.runs_db.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)

    assert level(site, "run_log") == "problem"


def test_a_run_log_that_is_too_big_for_a_quick_look_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 256 MiB would take a test too long to make."""
    monkeypatch.setattr(run_log, "_QUICK", 1)

    ((how, what),) = found(site, "run_log")

    assert how == "ok"
    assert "its pages were not looked at" in what


def test_a_migration_that_is_due_is_a_warning(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor does not carry it out."""
    # This is the program that will know the next schema.
    monkeypatch.setattr(run_log, "LATEST", LATEST + 1)

    assert found(site, "run_log")[1][0] == "warning"
    connection = sqlite3.connect(site.runs_db)
    assert connection.execute("PRAGMA user_version").fetchone() == (LATEST,)
    connection.close()


def test_an_altered_schema_is_a_problem(site: Site) -> None:
    """Its unique key keeps slots from being claimed twice."""
    spoil(site, "DROP INDEX runs_of_schedule")

    ok, problem = found(site, "run_log")

    assert ok[0] == "ok"
    assert problem == ("problem", "its schema is not as it was made: runs_of_schedule")


def test_a_run_log_that_somebody_keeps_locked_is_a_problem(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be read all the same."""
    # Nobody should have to wait five seconds in a test.
    patient = run_log.probe_writing
    monkeypatch.setattr(run_log, "probe_writing", lambda path, **_: patient(path, timeout=0))
    other = SqliteRunLog(site.runs_db)
    with other.transaction():
        assert level(site, "writing") == "problem"
        assert level(site, "run_log") == "ok"
    assert level(site, "writing") == "ok"
    other.close()


@pytest.mark.parametrize(
    ("version", "says"), [((3, 40, 1), "flytesched keeps to one"), ((3, 51, 3), "")]
)
def test_what_sqlite_may_do_wrong_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], says: str
) -> None:
    """There is one SQLite on a machine, so the other is pretended."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    ((how, what),) = found(site, "sqlite")

    assert how == "ok"
    assert (says in what) if says else what == f"SQLite {sqlite3.sqlite_version}"


def test_a_wal_that_grows_and_grows_is_a_warning(site: Site) -> None:
    """Its size is told in any case."""
    assert level(site, "wal") == "ok"
    wal = site.runs_db.with_name("runs.db-wal")
    wal.touch()
    os.truncate(wal, 200 * 2**20)

    ((how, what),) = found(site, "wal")

    assert how == "warning"
    assert "the WAL takes 200.0 MiB" in what


@pytest.mark.parametrize(("age", "how"), [(300, "ok"), (370, "ok"), (400, "warning")])
def test_verdicts_that_should_have_been_pruned_are_a_warning(
    site: Site, age: int, how: str
) -> None:
    """No scheduler, no pruning."""
    ended = now() - age * 86_400
    run = Run(
        id="manual-x-1", schedule="x", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.SUCCEEDED, created=ended, ended=ended,
    )  # fmt: skip
    write(site, Decision(runs=(run,)))

    ((level, what),) = found(site, "retention")

    assert level == how
    assert "keep_runs is 365d, the oldest verdict of 20" in what


@pytest.mark.parametrize(
    ("ahead", "how"), [(-10, "ok"), (3_600, "warning"), (2 * 86_400, "problem")]
)
def test_a_clock_behind_what_was_decided_is_told(site: Site, ahead: int, how: str) -> None:
    """A day is too much."""
    write(site, Decision(schedules=(see(Schedule("x", every="1m"), None, now() + ahead).state,)))

    assert level(site, "clock") == how


def test_records_that_nobody_needs_are_a_warning(site: Site) -> None:
    """They are said with one of them."""
    assert level(site, "records") == "ok"
    os.close(Records(f"{site.settings.state_dir}/active").claim(AttemptKey("sched-x-60", 1)))
    os.utime(site.settings.state_dir / "active" / "0", (1, 1))

    ((how, what),) = found(site, "records")

    assert how == "warning"
    assert what == "1 records of attempts that are over, such as sched-x-60.1"


def test_a_run_log_without_anything_odd_says_nothing_of_its_schema(site: Site) -> None:
    """One line is enough."""
    assert found(site, "run_log") == [("ok", "it can be read, and its pages are sound")]


# -- the state directory ------------------------------------------------------------------------


class Room:
    """What statvfs(3) says of a disk."""

    f_frsize = 4096

    def __init__(self, free: int, files: int, left: int) -> None:
        self.f_bavail, self.f_files, self.f_favail = free // 4096, files, left


@pytest.mark.parametrize(
    ("room", "levels"),
    [
        (Room(2**30, 10**6, 10**5), ["ok", "ok"]),
        (Room(2**27, 10**6, 500), ["warning", "warning"]),
        (Room(0, 10**6, 0), ["problem", "problem"]),
        (Room(2**30, 0, 0), ["ok"]),
    ],
)
def test_a_disk_that_is_full_or_nearly_so_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, room: Room, levels: list[str]
) -> None:
    """A disk cannot be filled in every place where tests run."""
    monkeypatch.setattr(os, "statvfs", lambda _: room)

    assert [level for level, _ in found(site, "disk")] == levels


@pytest.mark.parametrize(
    ("kind", "how"), [("ext4", "ok"), ("nfs4", "problem"), ("tmpfs", "warning"), (None, "ok")]
)
def test_the_file_system_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, kind: str | None, how: str
) -> None:
    """Others than the machine's own cannot be mounted in a test."""
    monkeypatch.setattr(linux, "filesystem", lambda _: kind)

    assert level(site, "file_system") == how


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("change", "how", "says"),
    [
        (lambda path: path.chmod(0o640), "warning", "can be read by others"),
        (lambda path: path.chmod(0o620), "problem", "can be written by others"),
        (_link, "problem", "is a symbolic link"),
    ],
)
def test_what_others_may_touch_is_told(
    site: Site, change: Callable[[Path], object], how: str, says: str
) -> None:
    """With the file; the run log itself is refused where it matters."""
    log = site.settings.state_dir / "logs" / "x" / "run.log"
    log.parent.mkdir(parents=True)
    for folder in (log.parent, log.parent.parent):
        folder.chmod(0o700)
    log.touch(0o600)
    assert level(site, "modes") == "ok"

    change(log)

    ((told, what),) = found(site, "modes")
    assert (told, what.startswith(says), what.endswith(f": {log}")) == (how, True, True)


def test_files_with_the_same_fault_are_told_as_one(site: Site) -> None:
    """There may be a million logs."""
    for n in range(3):
        (site.settings.state_dir / f"file-{n}").touch()
        (site.settings.state_dir / f"file-{n}").chmod(0o644)
    site.settings.state_dir.chmod(0o755)

    ((how, what),) = found(site, "modes")

    assert how == "warning"
    assert what.startswith("can be read by others: 4 files, such as ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_a_problem(site: Site) -> None:
    """The scheduler could not write them."""
    os.chown(site.runs_db, 65534, 65534)

    ((how, what),) = found(site, "modes")

    assert how == "problem"
    assert what.startswith("belongs to another user than the state directory: ")
    assert str(site.runs_db) in what


def test_below_a_folder_that_cannot_be_looked_at_there_is_nothing_to_tell(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the root folder, which is always there otherwise."""
    monkeypatch.setattr(state_directory, "_standing", lambda _: None)

    assert found(site, "disk") == found(site, "file_system") == []


def test_a_file_that_goes_while_it_is_looked_at_is_no_fault(tmp_path: Path) -> None:
    """A running scheduler makes and removes some."""
    assert state_directory._mode_fault(tmp_path / "gone", os.geteuid()) is None
