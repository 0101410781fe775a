"""Hooks when descriptors, clocks and folders are not what they should be."""

from __future__ import annotations

import errno
import os
import select
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.core.protocols import Told
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.events import Event
from flytesched.errors import StartDelayed
from flytesched.hooks.command import TIMEOUT, TRY_AGAIN, CommandHook
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW = 5_000_000.0
PATIENCE = 60.0


class Desk:
    """A hook with a clock and an environment that tests set."""

    def __init__(self, state: Path) -> None:
        self.now = NOW
        self.delayed = False
        self.log = state / "logs" / "job" / "hooks.log"
        self.journal = RecordingJournal()
        self.hook = CommandHook(
            state, self.journal, environment=self.environment, clock_now=lambda: self.now
        )

    def environment(self, _: Schedule) -> Mapping[str, str]:
        if self.delayed:
            raise StartDelayed("no descriptors")
        return os.environ

    def tell(self, command: str, **keys: Any) -> None:
        run = Run(
            id="sched-job-1", schedule="job", scheduled_at=1, origin=Origin.SCHEDULE,
            status=RunStatus.FAILED, created=1.0, exit_code=3,
        )  # fmt: skip
        schedule = Schedule("job", cron="* * * * *", command="true", on_failure=command, **keys)
        self.hook.tell(Told(event=Event.FAILURE, schedule=schedule, run=run))

    def wait(self) -> None:
        """Take ends until no hook runs or waits."""
        while self.hook.busy:
            assert select.select([self.hook.fileno()], [], [], PATIENCE)[0]
            self.hook.reap(self.now)

    def why(self) -> list[object]:
        return [facts["why"] for _, _, facts in self.journal.lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A hook on a state directory of its own."""
    made = Desk(tmp_path)
    yield made
    made.hook.close()


class Epoll:
    """An epoll at the user's limit of watches."""

    def __init__(self) -> None:
        self._real = select.epoll()

    def register(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def without_pidfd(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    # The start itself takes more descriptors than are needed here, so no limit comes between.
    assert desk.hook.fileno() >= 0
    patch.setattr(os, "pidfd_open", refuse)


def without_watch(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    # The limit of epoll watches belongs to the user, and is too high to be reached.
    patch.setattr(desk.hook, "_epoll", Epoll())


def children() -> set[bytes]:
    """Return the command lines of this process's children, ended but unreaped ones included."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.add(path.with_name("cmdline").read_bytes())
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("trouble", "why"),
    [(without_pidfd, "Too many open files"), (without_watch, "No space left on device")],
)
def test_a_hook_that_has_begun_is_never_begun_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, trouble: Any, why: str
) -> None:
    """At most once: the failure is one that passes, but the hook may have acted already."""
    before = os.dup(0)
    os.close(before)
    with monkeypatch.context() as patch:
        trouble(desk, patch)
        desk.tell("exec sleep 617")
        assert not desk.hook.busy
    assert desk.hook.reap(NOW + TRY_AGAIN) is None
    assert desk.why() == [f"ended, since its end could not be waited for: {why}"]
    assert b"sleep\x00617\x00" not in children()
    after = os.dup(0)
    os.close(after)
    assert after <= before + 1  # the stand-in has an epoll of its own


def test_a_clock_that_is_set_back_gives_a_hook_no_more_time(desk: Desk) -> None:
    desk.tell("exec sleep 600")
    desk.now = NOW - 3600
    assert desk.hook.reap(desk.now) == desk.now + TIMEOUT
    desk.now += TIMEOUT
    desk.hook.reap(desk.now)
    desk.wait()
    assert desk.why() == ["took over 30 seconds and was ended"]


def test_a_clock_that_is_set_back_does_not_put_off_a_hook_that_waits(desk: Desk) -> None:
    desk.delayed = True
    desk.tell("echo done")
    desk.now, desk.delayed = NOW - 3600, False
    assert desk.hook.reap(desk.now) == desk.now + TRY_AGAIN
    desk.now += TRY_AGAIN
    desk.hook.reap(desk.now)
    desk.wait()
    assert desk.log.read_text() == "done\n"
    assert desk.why() == []


@pytest.mark.parametrize(
    ("cwd", "place"), [(None, ""), ("work", "/work"), ("~/work", "/work"), ("~", "")]
)
def test_a_hook_runs_where_the_commands_of_its_schedule_do(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cwd: str | None, place: str
) -> None:
    """A relative directory is below home, wherever the scheduler was started."""
    (tmp_path / "home" / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    keys = {} if cwd is None else {"cwd": cwd}
    desk.tell("pwd", **keys)
    desk.wait()
    assert desk.log.read_text() == f"{tmp_path}/home{place}\n"


def test_without_a_usable_home_a_hook_runs_at_the_root(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "nowhere")
    desk.tell("pwd")
    desk.wait()
    assert desk.log.read_text() == "/\n"


def test_a_hook_that_runs_as_somebody_else_by_now_stops_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int, number: int) -> None:
        asked.append(number)
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    asked: list[int] = []
    desk.tell("exec sleep 0.2")
    # As root, nobody's process refuses a signal.
    monkeypatch.setattr(os, "killpg", refuse)
    desk.hook.reap(NOW + TIMEOUT)
    desk.wait()
    assert asked[0] == signal.SIGTERM
    assert desk.why() == ["took over 30 seconds and was ended"]
