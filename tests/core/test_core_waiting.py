"""What a run waits for: told by the same rules that let it start."""

from __future__ import annotations

from typing import Any

import pytest
from core_makers import T, run

from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.waiting import Wait, waits


def what(*active: Run, now: float = T, **given: Any) -> dict[str, str]:
    """Return what runs wait for, with a scheduler and without a limit unless told otherwise."""
    keys = {"manned": True, "places": 0, "beside": lambda _: False, **given}
    return {of: wait.value for of, wait in waits(active, now, **keys).items()}


RUNNING = run(id="going", status=RunStatus.RUNNING)


def test_what_runs_waits_for_nothing() -> None:
    """Nor does what is about to."""
    assert what(RUNNING, run("other", status=RunStatus.CLAIMED)) == {}


@pytest.mark.parametrize(
    ("waiting", "given", "wait"),
    [
        (run(id="w"), {"manned": False}, Wait.SCHEDULER),
        (run(id="w", not_before=T + 1.0), {}, Wait.TIME),
        (run(id="w", status=RunStatus.RETRY_WAIT, not_before=T + 1.0), {}, Wait.TIME),
        (run(id="w"), {}, Wait.RUN),
        (run(id="w"), {"beside": lambda name: name == "job"}, Wait.TURN),
        (run("other", id="w"), {}, Wait.TURN),
        (run("other", id="w"), {"places": 2}, Wait.TURN),
        (run("other", id="w"), {"places": 1}, Wait.PLACE),
        (run(id="w"), {"places": 1}, Wait.RUN),
        (run(id="w", parallel=0, origin=Origin.MANUAL), {}, Wait.TURN),
        (run(id="w", status=RunStatus.RETRY_WAIT), {"places": 1}, Wait.PLACE),
        (run(id="w", origin=Origin.BACKFILL), {}, Wait.RUN),
        (run(id="w", origin=Origin.BACKFILL), {"beside": lambda _: True}, Wait.TURN),
    ],
)
def test_a_run_waits_for_what_keeps_it_from_starting(
    waiting: Run, given: dict[str, Any], wait: Wait
) -> None:
    """Beside one of the schedule ``job`` that runs; what has to come first is told first."""
    assert what(RUNNING, waiting, **given) == {"w": wait.value}
