"""Callables in threads of the program that schedules them."""

from __future__ import annotations

import select
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from executors_desk import PATIENCE, SLOT

from flytesched.core.protocols import Adoption, Order
from flytesched.core.runs import AttemptKey, End, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.executors.python import CallableLauncher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Launch = "Callable[[Callable[..., Any]], CallableLauncher]"


@pytest.fixture
def launch() -> Iterator[Callable[[Callable[..., Any]], CallableLauncher]]:
    """Makes launchers, and closes them."""
    made: list[CallableLauncher] = []

    def make(execute: Callable[..., Any]) -> CallableLauncher:
        made.append(CallableLauncher(execute, clock_now=time.time))
        return made[-1]

    yield make
    for launcher in made:
        launcher.close()


def _order(launcher: CallableLauncher, scheduled_at: int | None = SLOT) -> Order:
    schedule = Schedule("job", cron="0 2 * * *")
    run = Run(
        id="sched-job-1", schedule="job", scheduled_at=scheduled_at, origin=Origin.SCHEDULE,
        status=RunStatus.CLAIMED, created=SLOT + 1.5, attempt=1,
    )  # fmt: skip
    attempt = launcher.plan(run, schedule, 1, 0.0)
    return Order(run=run, attempt=attempt, schedule=schedule, kickoff_at=None)


def _collect(launcher: CallableLauncher) -> Any:
    assert select.select([launcher.fileno()], [], [], PATIENCE)[0]
    (outcome,) = launcher.collect()
    return outcome


def test_a_callable_is_given_its_schedule_and_its_slot_in_utc(launch: Any) -> None:
    """And its end is reported."""
    calls: list[tuple[str, datetime]] = []
    launcher = launch(lambda schedule, at: calls.append((schedule.name, at)))

    launcher.start(_order(launcher))

    outcome = _collect(launcher)
    assert (outcome.end, outcome.exit_code, outcome.reason) == (End.EXITED, 0, None)
    assert calls == [("job", datetime(2026, 11, 21, 2, tzinfo=UTC))]
    assert launcher.collect() == []


def test_a_run_without_a_slot_is_given_the_moment_it_was_asked_for(launch: Any) -> None:
    """To the second."""
    moments: list[datetime] = []
    launcher = launch(lambda _, at: moments.append(at))

    launcher.start(_order(launcher, scheduled_at=None))

    _collect(launcher)
    assert moments == [datetime(2026, 11, 21, 2, 0, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TypeError("no number"), "TypeError: no number"),
        (KeyError(), "KeyError"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_whatever_a_callable_raises_is_a_failure(
    launch: Any, error: BaseException, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Said in the outcome, with the traceback in the program's own logging."""

    def fail(_: Schedule, __: datetime) -> None:
        raise error

    launcher = launch(fail)
    launcher.start(_order(launcher))

    outcome = _collect(launcher)
    assert (outcome.end, outcome.exit_code, outcome.reason) == (End.EXITED, 1, reason)
    assert "sched-job-1 failed" in caplog.text
    assert "Traceback" in caplog.text


def test_a_thread_cannot_be_ended_but_waited_for(launch: Any) -> None:
    """Terminate and kill are silent about it."""
    go = threading.Event()
    launcher = launch(lambda _, __: go.wait(PATIENCE))
    order = _order(launcher)
    launcher.start(order)

    launcher.terminate(order.attempt.key)
    launcher.kill(order.attempt.key)

    assert not launcher.join(0.01)
    go.set()
    assert launcher.join(PATIENCE)
    assert _collect(launcher).exit_code == 0


def test_attempts_of_an_earlier_process_are_lost(launch: Any) -> None:
    """They died with it."""
    launcher = launch(lambda _, __: None)

    assert launcher.adopt(_order(launcher).attempt) is Adoption.LOST


def test_a_thread_that_ends_after_the_launcher_was_closed_harms_nobody(launch: Any) -> None:
    """The descriptor may belong to somebody else by then."""
    go = threading.Event()
    launcher = launch(lambda _, __: go.wait(PATIENCE))
    launcher.start(_order(launcher))

    launcher.close()
    go.set()

    assert launcher.join(PATIENCE)
    launcher.forget([AttemptKey("sched-job-1", 1)])
