"""An edit of a large manifest: read in steps, or by another process, and never lost."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flytesched.errors import InvalidManifest
from flytesched.manifest.read import parse
from flytesched.manifest.source import AT_ONCE, PATIENCE, PAUSE, ManifestSource
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.protocols import Roster

COUNT = 1000
#: Tables that schedules share, and a schedule that names them.
SHARED = (
    '[calendars.work]\nweekdays = ["sun"]\n[calendars.work.dates]\n12-25 = "Christmas Day"\n'
    '[channels.chat]\nkind = "webhook"\nurl = "https://example.org/x"\n'
    '[channels.chat.headers]\nX = "y"\n'
    '[schedules.named]\nevery = "1h"\ncommand = "x"\ncalendars = "work"\nnotify = ["chat"]\n'
)
#: A table that is good and cannot be read in pieces.
ODD = '[ schedules.odd ]\nevery = "3h"\ncommand = "odd"\n'


def large(more: str = "", *, command: str = "true") -> str:
    tables = (
        f'[schedules.job-{n}]\nevery = "1h"\ncommand = "{command} {n}"\n' for n in range(COUNT)
    )
    return "version = 1\n" + "".join(tables) + more


@pytest.fixture
def path(tmp_path: Path) -> Path:
    manifest = tmp_path / "m.toml"
    manifest.write_text(large())
    assert manifest.stat().st_size > AT_ONCE
    return manifest


class Elapsed:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def journal() -> RecordingJournal:
    return RecordingJournal()


@pytest.fixture
def source(path: Path, journal: RecordingJournal, elapsed: Elapsed) -> Iterator[ManifestSource]:
    """Return a source that has told its first set, which is in force."""
    made = ManifestSource(path, journal=journal, elapsed=elapsed)
    roster = made.poll()
    assert roster is not None, "the first set is told at once, however large"
    in_force(roster)
    assert len(roster.schedules) == COUNT
    yield made
    made.close()


def in_force(roster: Roster) -> None:
    assert roster.settled is not None
    roster.settled()


def news(source: ManifestSource) -> Roster:
    """Poll as the loop does, waiting where there is something to wait for."""
    for _ in range(100_000):
        if (roster := source.poll()) is not None:
            return roster
        if is_read_apart(source):
            select.select([source.fileno()], [], [], 60)
    pytest.fail("nothing came of it")


def is_read_apart(source: ManifestSource) -> bool:
    return (source.again_in() or 0) > PAUSE


def reader(source: ManifestSource) -> int | None:
    """Return the process that reads, as /proc tells it; None if there is none."""
    while is_read_apart(source):
        tasks = Path("/proc/self/task").glob("*/children")
        for pid in [int(pid) for task in tasks for pid in task.read_text().split()]:
            # Right after its exec a process has no words yet.
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if os.fsencode(source.path) in words:
                return pid
    return None


def test_an_edit_is_read_in_steps_and_only_what_changed_is_touched(
    source: ManifestSource, path: Path
) -> None:
    """Nothing else is made anew."""
    text = large('[schedules.new]\nevery = "1h"\ncommand = "new"\n').replace('true 7"', 'other"')
    path.write_text(text)
    assert source.poll() is None
    assert source.busy
    assert source.again_in()
    roster = news(source)
    assert sorted(roster.touched or ()) == ["job-7", "new"]
    assert roster.schedules == parse(text, path).schedules
    assert source.busy, "it is told, and not in force"
    in_force(roster)
    assert not source.busy
    assert source.again_in() is None


def test_an_edit_during_a_reading_begins_it_again(source: ManifestSource, path: Path) -> None:
    """Only the last text counts."""
    path.write_text(large(command="second"))
    assert source.poll() is None
    path.write_text(large(command="third"))
    assert source.poll() is None
    commands = {one.command.text for one in news(source).schedules.values() if one.command}
    assert {command.split()[0] for command in commands if command} == {"third"}
    assert source.poll() is None


def test_a_removal_during_a_reading_is_said(source: ManifestSource, path: Path) -> None:
    """And what was being read is in force no more than the file."""
    path.write_text(large(command="second"))
    assert source.poll() is None
    path.unlink()
    with pytest.raises(InvalidManifest, match="no manifest"):
        source.poll()
    assert not source.busy


def test_a_good_text_of_an_unusual_form_is_read_by_another_process(
    source: ManifestSource, path: Path, journal: RecordingJournal
) -> None:
    """It says the same in plain lines, which are read in steps."""
    text = large(ODD + '[settings]\nstart_rate = 2.0\n[defaults]\ntimezone = "Asia/Tokyo"\n')
    path.write_text(text)
    assert source.poll() is None
    assert reader(source) is not None
    roster = news(source)
    assert roster.schedules == parse(text, path).schedules
    assert source.settings_table == {"start_rate": 2.0}
    assert reader(source) is None
    in_force(roster)
    path.write_text(text.replace('"odd"', '"even"'))
    assert tuple(news(source).touched or ()) == ("odd",)
    assert not journal.lines


def test_the_faults_that_another_process_finds_are_those_of_the_file(
    source: ManifestSource, path: Path
) -> None:
    """With their lines, and said once; the last good set stays what edits are held against."""
    text = large('[schedules.x]\nevery = "1h"\ncommand = "x"\ncolour = "red"\n')
    path.write_text(text)
    with pytest.raises(InvalidManifest) as wanted:
        parse(text, path)
    with pytest.raises(InvalidManifest) as said:
        news(source)
    assert said.value.message == wanted.value.message
    assert said.value.faults == wanted.value.faults
    assert source.broken is not None
    for _ in range(4):
        assert source.poll() is None
    path.write_text(large())
    roster = news(source)
    assert roster.touched == ()
    assert source.broken is None


def test_calendars_and_channels_are_read_in_steps(
    source: ManifestSource, path: Path, journal: RecordingJournal
) -> None:
    """Another calendar is news of who names it, another channel of no schedule."""
    path.write_text(large(SHARED))
    roster = news(source)
    assert roster.touched == ("named",)
    in_force(roster)
    path.write_text(large(SHARED.replace('"sun"', '"sat"')))
    roster = news(source)
    assert roster.touched == ("named",)
    assert "sat" in str(roster.schedules["named"].timing.days_off)
    in_force(roster)
    told = source.channels["chat"]
    path.write_text(large(SHARED.replace('"sun"', '"sat"').replace("org/x", "org/y")))
    roster = news(source)
    assert roster.touched == ()
    assert source.channels["chat"] != told
    assert roster.schedules == parse(path.read_bytes(), path).schedules
    assert not journal.lines


def test_a_reader_says_calendars_and_channels_as_they_are_written(
    source: ManifestSource, path: Path
) -> None:
    """Whatever way that is: in plain lines they mean the same."""
    inline = "channels.a = { kind = 'mail', to = ['x'] }\ncalendars.b.dates = { 12-25 = 'x' }\n"
    text = large().replace("version = 1\n", f"version = 1\n{inline}")
    text += '[schedules.named]\nhourly = 5\ncommand = "x"\ncalendars = ["b"]\nnotify = "a"\n'
    path.write_text(text)
    assert source.poll() is None
    assert reader(source) is not None
    roster, wanted = news(source), parse(text, path)
    assert roster.schedules == wanted.schedules
    assert source.channels == wanted.channels


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_reader_that_is_killed_is_followed_by_another(
    source: ManifestSource, path: Path, journal: RecordingJournal, number: int
) -> None:
    """The edit is not lost."""
    path.write_text(large(ODD))
    assert source.poll() is None
    first = reader(source)
    assert first is not None
    os.kill(first, number)
    assert "odd" in news(source).schedules
    assert not journal.lines


def test_where_no_reader_lives_the_scheduler_reads_itself_and_says_so_once(
    source: ManifestSource, path: Path, journal: RecordingJournal
) -> None:
    """At last: rather late than never."""
    path.write_text(large(ODD))
    roster = None
    while roster is None:
        if (pid := reader(source)) is not None:
            os.kill(pid, signal.SIGKILL)
            select.select([source.fileno()], [], [], 60)
        roster = source.poll()
    assert "odd" in roster.schedules
    assert [line[1] for line in journal.lines] == ["manifest read at one go; slots may be late"]


def test_a_reader_that_is_stuck_is_not_waited_for(
    source: ManifestSource, path: Path, elapsed: Elapsed
) -> None:
    """It is ended, and another one asked."""
    path.write_text(large(ODD))
    assert source.poll() is None
    first = reader(source)
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    assert source.again_in() == PATIENCE
    elapsed.seconds += PATIENCE
    assert source.again_in() == 0
    assert source.poll() is None
    assert reader(source) not in {None, first}
    assert "odd" in news(source).schedules


def test_a_scheduler_that_cannot_start_a_reader_reads_itself(
    source: ManifestSource, path: Path, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No processes, no descriptors, no interpreter: the machine has to be broken somewhere."""
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    path.write_text(large(ODD))
    assert "odd" in news(source).schedules
    assert "No such file" in str(journal.lines)


def test_a_change_while_another_process_reads_ends_it(source: ManifestSource, path: Path) -> None:
    """What it would say is not what stands there."""
    path.write_text(large(ODD))
    assert source.poll() is None
    assert reader(source) is not None
    path.write_text(large())
    assert news(source).touched == ()
    assert reader(source) is None


def test_a_reader_has_nothing_of_the_scheduler(
    source: ManifestSource, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor, and nothing that makes it a run's process or a service."""
    for name in ("FLYTESCHED_RUN_ID", "NOTIFY_SOCKET", "WATCHDOG_PID"):
        monkeypatch.setenv(name, "1")
    inherited = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        path.write_text(large(ODD))
        assert source.poll() is None
        pid = reader(source)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert not [
            word for word in environ if word.startswith((b"FLYTESCHED_", b"NOTIFY", b"WATCHD"))
        ]
        assert str(inherited) not in {fd.name for fd in Path(f"/proc/{pid}/fd").iterdir()}
    finally:
        os.close(inherited)


def test_a_reader_without_a_file_says_nothing(tmp_path: Path) -> None:
    """It was there a moment ago: the scheduler looks again."""
    words = ["-m", "flytesched.manifest.plainly", str(tmp_path / "missing.toml"), "UTC"]
    done = subprocess.run([sys.executable, *words], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_reload_tells_the_whole_set_again(source: ManifestSource) -> None:
    """Read in steps, and with nothing to do where nothing changed."""
    source.reread()
    roster = news(source)
    assert len(roster.schedules) == COUNT
    assert roster.touched == ()
