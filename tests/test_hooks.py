"""Hooks that are commands: real ones, told the right things, never in anybody's way."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from flytesched import linux
from flytesched.core.protocols import Told
from flytesched.core.runs import Gap, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.events import CHOICES, Event, NoticeStatus
from flytesched.errors import FlyteschedError, StartDelayed
from flytesched.hooks.command import AT_ONCE, KILL_AFTER, TIMEOUT, TRIES, TRY_AGAIN, CommandHook
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SLOT = 1795226400  # 2026-11-21T02:00:00Z
#: Longest wait for what is sure to come, on a machine under load.
PATIENCE = 60.0
NOW = 5_000_000.0


def schedule(event: str = "failure", command: Any = "true", **keys: Any) -> Schedule:
    """Return a schedule with one hook."""
    return Schedule("job", cron="0 2 * * *", command="true", **{f"on_{event}": command}, **keys)


def told(event: Event = Event.FAILURE, command: Any = "true", **keys: Any) -> Told:
    """Return the news of a failed run."""
    run = Run(
        id=f"sched-job-{SLOT}", schedule="job", scheduled_at=SLOT, origin=Origin.SCHEDULE,
        status=RunStatus.FAILED, created=float(SLOT), exit_code=3, attempt=2,
    )  # fmt: skip
    return Told(event=event, schedule=schedule(event.value, command, **keys), run=run)


class Desk:
    """A hook, and what it needs and says."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.journal = RecordingJournal()
        self.base: dict[str, str] = {"PATH": os.environ["PATH"], "HOME": str(state)}
        self.now = NOW
        self.hook = CommandHook(
            state, self.journal, environment=self.environment, clock_now=lambda: self.now
        )

    def environment(self, _: Schedule) -> Mapping[str, str]:
        return self.base

    def tell(self, command: Any, **keys: Any) -> None:
        self.hook.tell(told(command=command, **keys))

    def wait(self) -> None:
        """Take ends, as the loop does, until no hook runs or waits."""
        deadline = time.monotonic() + PATIENCE
        while self.hook.busy:
            assert select.select([self.hook.fileno()], [], [], PATIENCE)[0]
            self.hook.reap(self.now)
            assert time.monotonic() < deadline

    def run(self, command: Any, **keys: Any) -> str:
        """Run a hook to its end; return what it wrote."""
        self.tell(command, **keys)
        self.wait()
        return self.log.read_text()

    @property
    def log(self) -> Path:
        return self.state / "logs" / "job" / "hooks.log"

    def pid(self, name: str = "pid") -> int:
        """Wait for a hook to write its pid into a file."""
        path = self.state / name
        eventually(lambda: path.exists() and path.read_text().endswith("\n"))
        return int(path.read_text())

    def why(self) -> list[object]:
        """Return why hooks failed, one line each."""
        return [facts["why"] for _, event, facts in self.journal.lines if event == "hook failed"]


def eventually(what: Callable[[], object]) -> None:
    """Wait until a function of no arguments returns something true."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def alive(pid: int) -> bool:
    facts = linux.process_facts(pid)
    return facts is not None and facts[2] not in "ZX"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A hook on a state directory of its own."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    made = Desk(state)
    yield made
    made.hook.close()


# -- what it is told ------------------------------------------------------------------------

SHOW = "env | grep ^FLYTESCHED_ | sort"


def facts(text: str) -> dict[str, str]:
    pairs = (line.removeprefix("FLYTESCHED_").partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs}


def test_a_hook_is_told_of_the_run(desk: Desk) -> None:
    assert facts(desk.run(SHOW)) == {
        "EVENT": "failure", "SCHEDULE": "job", "RUN_ID": f"sched-job-{SLOT}", "STATUS": "failed",
        "EXIT_CODE": "3", "REASON": "", "SCHEDULED_AT": "2026-11-21T02:00:00Z", "ATTEMPT": "2",
        "ORIGIN": "schedule",
    }  # fmt: skip


def test_a_run_without_slot_and_exit_code_has_empty_ones(desk: Desk) -> None:
    run = Run(
        id="manual-job-1", schedule="job", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.CANCELLED, created=1.0, reason="by user",
    )  # fmt: skip
    desk.hook.tell(Told(event=Event.FAILURE, schedule=schedule(command=SHOW), run=run))
    desk.wait()
    found = facts(desk.log.read_text())
    assert (found["SCHEDULED_AT"], found["EXIT_CODE"]) == ("", "")
    assert (found["STATUS"], found["REASON"]) == ("cancelled", "by user")


def test_a_hook_is_told_of_a_gap(desk: Desk) -> None:
    gap = Gap(
        schedule="job", after=SLOT, until=SLOT + 7200, count=2, reason="no scheduler", timing="{}"
    )
    desk.hook.tell(Told(event=Event.MISSED, schedule=schedule("missed", SHOW), gap=gap))
    desk.wait()
    assert facts(desk.log.read_text()) == {
        "EVENT": "missed", "SCHEDULE": "job", "MISSED_COUNT": "2", "REASON": "no scheduler",
        "MISSED_AFTER": "2026-11-21T02:00:00Z", "MISSED_UNTIL": "2026-11-21T04:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("event", CHOICES)
def test_each_event_has_a_hook_of_its_own(desk: Desk, event: Event) -> None:
    news = told(event, 'echo "$FLYTESCHED_EVENT"')
    assert desk.hook.wants(news.schedule, event)
    desk.hook.tell(news)
    desk.wait()
    assert desk.log.read_text() == f"{event.value}\n"


def test_what_is_told_of_a_verdict_needs_no_notice(desk: Desk) -> None:
    """A verdict is stored once; that a run is late or long is seen anew by each scheduler."""
    for event in CHOICES:
        notices = desk.hook.notices(told(event), 5.0)
        marks = [(one.channel, one.status, one.ended) for one in notices]
        expected = [(f"on_{event.value}", NoticeStatus.SENT, 5.0)]
        assert marks == (expected if event in {Event.LATE, Event.LONG} else [])


def test_a_schedule_without_hooks_wants_nothing(desk: Desk) -> None:
    schedule = Schedule("job", every="1m", command="true", ping_url="https://a.example/x")
    assert not any(desk.hook.wants(schedule, event) for event in Event)
    late = Told(event=Event.LATE, schedule=schedule, run=told().run)
    assert desk.hook.notices(late, 5.0) == ()


def test_an_event_without_a_hook_starts_nothing(desk: Desk) -> None:
    news = Told(event=Event.SUCCESS, schedule=schedule("failure", "echo no"), run=told().run)
    desk.hook.tell(news)
    assert not desk.hook.busy
    assert not desk.log.exists()


def test_it_sees_the_environment_of_its_schedule_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    desk.base |= {"MINE": "yes", "FLYTESCHED_EVENT": "overruled"}
    found = desk.run('echo "$MINE ${NOTIFY_SOCKET-none} $FLYTESCHED_EVENT"')
    assert found == "yes none failure\n"


# -- how it is run --------------------------------------------------------------------------


def test_a_string_goes_to_the_shell_and_a_list_does_not(desk: Desk) -> None:
    assert desk.run("echo $((1 + 1))") == "2\n"
    assert desk.run(["echo", "$((1 + 1))"]) == "2\n$((1 + 1))\n"


def test_the_shell_is_the_schedules_own(desk: Desk) -> None:
    shell = desk.state / "shell"
    shell.write_text('#!/bin/sh\necho "mine: $2"\n')
    shell.chmod(0o700)
    assert desk.run("anything", shell=str(shell)) == "mine: anything\n"


def test_it_runs_in_the_schedules_directory(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("pwd", cwd=str(tmp_path)) == f"{tmp_path}\n"


def test_stdin_is_empty_and_stderr_goes_where_stdout_goes(desk: Desk) -> None:
    assert desk.run("cat; echo said >&2") == "said\n"


def test_its_output_is_for_nobody_else(desk: Desk) -> None:
    old = os.umask(0)
    try:
        desk.run("true")
    finally:
        os.umask(old)
    assert desk.log.stat().st_mode & 0o777 == 0o600
    assert desk.log.parent.stat().st_mode & 0o777 == 0o700
    assert desk.log.parent.parent.stat().st_mode & 0o777 == 0o700


def test_it_has_a_session_of_its_own(desk: Desk) -> None:
    pid, session = desk.run('echo $$; cut -d" " -f6 /proc/$$/stat').split()[:2]
    assert pid == session


def test_signals_that_python_ignores_are_not_ignored_in_it(desk: Desk) -> None:
    found = desk.run("grep SigIgn /proc/self/status")
    ignored = int(found.split()[1], 16)
    assert not ignored & 1 << (signal.SIGPIPE - 1)
    assert not ignored & 1 << (signal.SIGXFSZ - 1)


def test_it_inherits_no_descriptors(desk: Desk) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        assert desk.run("ls /proc/$$/fd").split()[:3] == ["0", "1", "2"]
        assert str(write) not in desk.log.read_text().split()
    finally:
        os.close(read)
        os.close(write)


def test_telling_does_not_wait(desk: Desk) -> None:
    fifo = desk.state / "fifo"
    os.mkfifo(fifo)
    desk.tell(f"read line < {fifo}; echo $line")
    assert desk.hook.busy
    fifo.write_text("at last\n")
    desk.wait()
    assert desk.log.read_text() == "at last\n"


def test_a_hook_that_succeeds_is_not_talked_about(desk: Desk) -> None:
    desk.run("true")
    assert desk.journal.lines == []
    assert desk.hook.reap(NOW) is None


# -- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "why"), [("exit 7", "exit 7"), ("kill -9 $$", "exit 137")])
def test_a_failing_hook_is_one_line(desk: Desk, command: str, why: str) -> None:
    desk.run(command)
    assert desk.journal.lines == [
        ("warning", "hook failed",
         {"schedule": "job", "hook": "on_failure", "run": f"sched-job-{SLOT}", "why": why})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "keys", "why"),
    [
        (["/no/such/program"], {}, "No such file or directory: '/no/such/program'"),
        (["/etc/passwd"], {}, "Permission denied"),
    ],
)
def test_a_hook_that_can_never_start_is_one_line(
    desk: Desk, command: Any, keys: dict[str, Any], why: str
) -> None:
    desk.tell(command, **keys)
    assert not desk.hook.busy
    (said,) = desk.why()
    assert why in str(said)


def test_a_folder_that_is_gone_does_not_keep_the_news_back(desk: Desk, tmp_path: Path) -> None:
    """An unmounted disk is the very thing that somebody wants to be told of."""
    desk.run(f"pwd > {tmp_path}/where", cwd="/no/such/folder")
    assert desk.journal.lines == []
    assert (tmp_path / "where").read_text().strip() != "/no/such/folder"


def test_an_environment_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    def fail(_: Schedule) -> Mapping[str, str]:
        raise FlyteschedError("cannot read env_file")

    journal = RecordingJournal()
    hook = CommandHook(tmp_path, journal, environment=fail, clock_now=lambda: NOW)
    hook.tell(told())
    assert journal.lines[0][2]["why"] == "cannot read env_file"
    hook.close()


def test_a_log_that_is_a_link_is_not_written_to(desk: Desk, tmp_path: Path) -> None:
    desk.log.parent.mkdir(parents=True)
    desk.log.symlink_to(tmp_path / "elsewhere")
    desk.tell("echo no")
    assert not (tmp_path / "elsewhere").exists()
    assert len(desk.why()) == 1


class Delays:
    """An environment that cannot be made for a while."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked: list[str] = []

    def __call__(self, schedule: Schedule) -> Mapping[str, str]:
        self.asked.append(str(schedule.description))
        if len(self.asked) <= self.failures:
            raise StartDelayed("no descriptors")
        return dict(os.environ)


def test_a_hook_that_cannot_start_now_is_tried_again_in_its_turn(tmp_path: Path) -> None:
    delays, journal, now = Delays(2), RecordingJournal(), NOW
    hook = CommandHook(tmp_path, journal, environment=delays, clock_now=lambda: now)
    hook.tell(told(command="echo first", description="first"))
    hook.tell(told(command="echo second", description="second"))
    assert hook.reap(now) == NOW + TRY_AGAIN
    assert delays.asked == ["first"]
    now = NOW + TRY_AGAIN
    assert hook.reap(now) == NOW + 2 * TRY_AGAIN
    now = NOW + 2 * TRY_AGAIN
    hook.reap(now)
    while hook.busy:
        select.select([hook.fileno()], [], [], PATIENCE)
        hook.reap(now)
    assert delays.asked == ["first", "first", "first", "second"]
    log = tmp_path / "logs" / "job" / "hooks.log"
    assert sorted(log.read_text().split()) == ["first", "second"]
    assert journal.lines == []
    hook.close()


def test_a_hook_that_can_still_not_start_after_a_while_is_given_up(tmp_path: Path) -> None:
    delays, journal, now = Delays(1000), RecordingJournal(), NOW
    hook = CommandHook(tmp_path, journal, environment=delays, clock_now=lambda: now)
    hook.tell(told())
    while (again := hook.reap(now)) is not None:
        now = again
    assert now == NOW + (TRIES - 1) * TRY_AGAIN
    assert [facts["why"] for _, _, facts in journal.lines] == ["no descriptors"]
    assert not hook.busy
    hook.close()


STARVED = """
import os, resource, select, sys
from pathlib import Path
from flytesched.core.telling.events import Event
from flytesched.core.protocols import Told
from flytesched.core.schedule import Schedule
from flytesched.hooks.command import CommandHook
from flytesched.testing import RecordingJournal
journal = RecordingJournal()
hook = CommandHook(Path(sys.argv[1]), journal, environment=lambda s: os.environ,
                   clock_now=lambda: 0.0)
job = Schedule("job", cron="* * * * *", command="true", on_failure="echo done")
(Path(sys.argv[1]) / "logs" / "job").mkdir(parents=True)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest = os.dup(0)
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + int(sys.argv[2]), hard))
hook.tell(Told(event=Event.FAILURE, schedule=job))
assert hook.busy and not journal.lines, journal.lines
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
hook.reap(1.0)
while hook.busy:
    select.select([hook.fileno()], [], [])
    hook.reap(1.0)
assert os.dup(0) == lowest, "descriptors leak"
print(journal.lines)
"""


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_hook_without_descriptors_is_run_once_there_are_some(tmp_path: Path, left: int) -> None:
    found = subprocess.run(
        [sys.executable, "-c", STARVED, str(tmp_path), str(left)], capture_output=True, text=True
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")
    assert (tmp_path / "logs" / "job" / "hooks.log").read_text() == "done\n"


# -- bounds ---------------------------------------------------------------------------------


def test_only_so_many_run_at_once_and_the_rest_wait_in_order(desk: Desk) -> None:
    fifo = desk.state / "fifo"
    os.mkfifo(fifo)
    for n in range(AT_ONCE):
        desk.tell(f"echo $$ > {desk.state}/pid{n}; read line < {fifo}")
    for n in range(3):
        desk.tell(f"echo {n}")
    pids = [desk.pid(f"pid{n}") for n in range(AT_ONCE)]
    assert all(alive(pid) for pid in pids)
    assert desk.log.read_text() == ""
    os.kill(pids[0], signal.SIGKILL)
    eventually(lambda: (desk.hook.reap(NOW), "2\n" in desk.log.read_text())[1])
    assert desk.log.read_text() == "0\n1\n2\n"
    for pid in pids[1:]:
        os.kill(pid, signal.SIGKILL)
    desk.wait()


def test_a_hook_is_given_thirty_seconds(desk: Desk) -> None:
    desk.tell(f"echo $$ > {desk.state}/pid; exec sleep 600")
    pid = desk.pid()
    assert desk.hook.reap(NOW) == NOW + TIMEOUT
    assert desk.hook.reap(NOW + TIMEOUT - 0.001) == NOW + TIMEOUT
    assert alive(pid)
    assert desk.hook.reap(NOW + TIMEOUT) == NOW + TIMEOUT + KILL_AFTER
    desk.wait()
    assert desk.why() == ["took over 30 seconds and was ended"]


def test_one_that_ignores_term_is_killed(desk: Desk) -> None:
    desk.tell(f"trap '' TERM; echo $$ > {desk.state}/pid; while :; do sleep 0.1; done")
    pid = desk.pid()
    desk.hook.reap(NOW + TIMEOUT)
    assert alive(pid)
    desk.hook.reap(NOW + TIMEOUT + KILL_AFTER)
    desk.wait()
    assert not alive(pid)


def test_what_a_hook_started_ends_with_it(desk: Desk) -> None:
    child = f"sh -c \"trap '' TERM; echo \\$\\$ > {desk.state}/pid; while :; do sleep 0.1; done\""
    desk.tell(f"{child} & wait")
    pid = desk.pid()
    desk.hook.reap(NOW + TIMEOUT)
    desk.wait()
    eventually(lambda: not alive(pid))


def test_closing_leaves_hooks_running_and_tells_of_those_that_waited(desk: Desk) -> None:
    other = Desk(desk.state)
    for n in range(AT_ONCE + 1):
        other.tell(f"echo $$ > {desk.state}/pid{n}; exec sleep 600")
    pids = [desk.pid(f"pid{n}") for n in range(AT_ONCE)]
    other.hook.close()
    assert all(alive(pid) for pid in pids)
    assert other.why() == ["not run: the scheduler stopped"]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_no_descriptor_stays_behind(desk: Desk) -> None:
    desk.run("true")
    before = os.dup(0)
    os.close(before)
    for n in range(20):
        desk.tell(f"exit {n % 2}")
    desk.wait()
    lowest = os.dup(0)
    os.close(lowest)
    assert lowest == before
