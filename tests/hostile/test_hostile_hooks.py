"""What hooks say is bounded, as what commands say is."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Any

import pytest
from hostile_machine import Victim

from desk import wait_for
from flytesched.core.protocols import Told
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.events import Event
from flytesched.hooks.command import LOG_LIMIT, LOOK_EVERY, CommandHook
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60.0


class Hooks:
    """A hook of a schedule that fails all the time."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "logs" / "job"
        self.log = self.folder / "hooks.log"
        self.journal = RecordingJournal()
        self.hook = CommandHook(
            state, self.journal, environment=lambda _: os.environ, clock_now=lambda: 0.0
        )

    def tell(self, command: str) -> None:
        run = Run(
            id="sched-job-1", schedule="job", scheduled_at=1, origin=Origin.SCHEDULE,
            status=RunStatus.FAILED, created=1.0, exit_code=3,
        )  # fmt: skip
        schedule = Schedule("job", cron="* * * * *", command="true", on_failure=command)
        self.hook.tell(Told(event=Event.FAILURE, schedule=schedule, run=run))

    def wait(self) -> None:
        """Take ends until no hook runs."""
        while self.hook.busy:
            assert select.select([self.hook.fileno()], [], [], PATIENCE)[0]
            self.hook.reap(0.0)

    def why(self) -> list[Any]:
        return [facts["why"] for _, _, facts in self.journal.lines]


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Hooks]:
    """Hooks on a state directory of their own."""
    made = Hooks(tmp_path)
    yield made
    made.hook.close()


def _used(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_what_a_hook_says_at_each_failure_for_years_is_bounded(hooks: Hooks) -> None:
    """A long log becomes the old one, and the one before it goes."""
    for number in range(6):
        hooks.tell(f"echo begin {number}; head -c {LOG_LIMIT // 2} /dev/zero | tr '\\0' x")
        hooks.wait()

    assert sorted(path.name for path in hooks.folder.iterdir()) == ["hooks.log", "hooks.log.1"]
    assert "begin 5" in hooks.log.read_text()
    assert sum(_used(path) for path in hooks.folder.iterdir()) < 3 * LOG_LIMIT
    assert [path.stat().st_mode & 0o777 for path in hooks.folder.iterdir()] == [0o600] * 2


def test_one_hook_that_says_too_much_is_bounded_while_it_runs(hooks: Hooks, tmp_path: Path) -> None:
    """Head and tail are kept, and the hook never notices."""
    go = tmp_path / "go"
    much = 5 * LOG_LIMIT
    hooks.tell(
        f"echo begin; head -c {much} /dev/zero; while ! test -e {go}; do sleep 0.1; done; echo end"
    )
    wait_for("output", lambda: hooks.log.exists() and hooks.log.stat().st_size > much)
    assert hooks.hook.bound_logs() == LOOK_EVERY
    assert _used(hooks.log) <= LOG_LIMIT + 4 * 4096
    go.touch()
    hooks.wait()

    assert hooks.hook.bound_logs() is None
    assert hooks.why() == []
    text = hooks.log.read_bytes()
    assert text.startswith(b"begin\n")
    assert text.endswith(b"end\n")
    assert _used(hooks.log) <= LOG_LIMIT + 4 * 4096


def test_a_hook_whose_log_became_the_old_one_is_bounded_all_the_same(
    hooks: Hooks, tmp_path: Path
) -> None:
    """It writes on, while another hook of its schedule has begun a new log."""
    much, more = 5 * LOG_LIMIT, tmp_path / "more"
    hooks.tell(
        f"head -c {much} /dev/zero; while ! test -e {more}; do sleep 0.1; done;"
        f" head -c {much} /dev/zero"
    )
    wait_for("output", lambda: hooks.log.exists() and hooks.log.stat().st_size >= much)
    hooks.tell("echo another")
    more.touch()
    hooks.wait()

    assert hooks.log.read_text() == "another\n"
    old = hooks.folder / "hooks.log.1"
    assert old.stat().st_size == 2 * much
    assert _used(old) <= LOG_LIMIT + 4 * 4096


PLANTED = [
    *(("hooks.log", kind) for kind in ("link", "dangling link", "fifo", "folder")),
    *(("", kind) for kind in ("link to a folder", "dangling link", "fifo", "file")),
]


@pytest.mark.parametrize(("name", "kind"), PLANTED)
def test_a_hook_writes_through_nothing_that_was_planted(
    hooks: Hooks, tmp_path: Path, name: str, kind: str
) -> None:
    """It is not run, and the journal says why; nothing else minds."""
    victim = Victim(tmp_path)
    victim.plant(kind, hooks.folder / name)

    hooks.tell("echo hook")
    hooks.wait()

    assert len(hooks.why()) == 1
    assert victim.unharmed()
