"""The judge: what it passes, and that it finds every kind of fault there is to find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from chaos.judge import Facts, judge, read_evidence
from chaos.plants import PLANTS
from chaos.stage import Stage, wait_for
from chaos.workload import STORM, Job

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z
JOB = Job(name="x", step=10)
CHILD = Job(name="x", step=10, survive=False)
HANG = Job(name="x", step=10, work="hang")
#: The weekday of NOON, and a schedule that has a day off then.
WEEKDAY = datetime.fromtimestamp(NOON, UTC).weekday()
OFF = Job(name="x", step=10, off=WEEKDAY)


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def entry(slot: int = NOON + 10, status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """Return a line of ``history --json``."""
    return {
        "id": f"sched-x-{slot}", "schedule": "x", "scheduled_at": text(slot), "status": status,
        "origin": "schedule", "reason": None, "exit_code": 0 if status == "succeeded" else None,
        "attempt": 1, "created_at": text(slot), "ended_at": text(slot + 2), "retry_of": None,
        **more,
    }  # fmt: skip


def ran(
    slot: int = NOON + 10, *, code: int | None = 0, late: float = 0.01, times: int = 1,
    attempt: int = 1,
) -> str:  # fmt: skip
    """Return what a command wrote of itself."""
    run = f"sched-x-{slot} {attempt}"
    begun = "".join(f"B {run} {slot + late} 7 6 x {slot} schedule\n" for _ in range(times))
    return begun + (f"E {run} {slot + 1} {code}\n" if code is not None else "")


def facts(history: list[dict[str, Any]], evidence: str, job: Job = JOB, **more: Any) -> Facts:
    """Return a story in which the slot ``NOON + 10`` was due, in calm."""
    return Facts(
        jobs=[job], due={"x": [(NOON, NOON + 12)]}, unsure={}, history=history,
        attempts=read_evidence(evidence), **{"calm": [(NOON, NOON + 60)], **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("job", "line", "evidence"),
    [
        (JOB, entry(), ran()),
        (JOB, entry(status="failed", exit_code=3), ran(code=3)),
        (JOB, entry(attempt=2), ran(code=1) + ran(attempt=2)),
        (HANG, entry(status="timed_out", exit_code=143), ran(code=None)),
        (Job(name="x", step=10, work="group"), entry(status="interrupted"), ran(code=None)),
        (Job(name="x", step=10, work="suicide"), entry(status="failed", exit_code=137),
         ran(code=None)),
        (Job(name="x", step=10, overlap="skip"), entry(status="skipped", reason="overlap"), ""),
        (OFF, entry(status="skipped", reason="holiday: of-x"), ""),
        (replace(OFF, off=(WEEKDAY + 1) % 7), entry(), ran()),
        (Job(name="x", step=10, overlap="replace"), entry(status="cancelled", reason="replaced"),
         ran(code=None)),
    ],
)  # fmt: skip
def test_what_agrees_is_passed(job: Job, line: dict[str, Any], evidence: str) -> None:
    """One slot, one verdict, and the evidence that belongs to it."""
    report = judge(facts([line], evidence, job))

    assert (dict(report.violations), report.due) == ({}, 1)


@pytest.mark.parametrize(
    ("kind", "history", "evidence"),
    [
        ("lost", [], ""),
        ("doubled", [entry(), entry()], ran()),
        ("doubled", [entry()], ran(times=2)),
        ("uncalled", [entry(), entry(NOON + 15)], ran() + ran(NOON + 15)),
        ("uncalled", [entry(), entry(NOON + 20)], ran() + ran(NOON + 20)),
        ("late", [entry()], ran(late=2.5)),
        ("late", [entry(status="missed")], ""),
        ("late", [entry(origin="catchup")], ran()),
        ("early", [entry()], ran(late=-0.001)),
        ("stuck", [entry(status="running")], ran()),
        ("stuck", [entry(status="queued")], ""),
        ("ran", [entry(status="skipped")], ran()),
        ("ran", [entry(status="missed")], ran()),
        ("no evidence", [entry()], ""),
        ("no evidence", [entry(attempt=2)], ran()),
        ("no row", [entry()], ran() + ran(attempt=2)),
        ("no row", [], ran()),
        ("wrong verdict", [entry()], ran(code=3)),
        ("wrong verdict", [entry(status="failed", exit_code=2)], ran(code=3)),
        ("wrong verdict", [entry(status="failed", exit_code=143)], ran(code=None)),
        ("wrong verdict", [entry(status="failed", reason="start: no such command")], ran()),
        ("wrong verdict", [entry(status="timed_out")], ran()),
        ("wrong verdict", [entry(status="interrupted")], ran(code=None)),
        ("wrong verdict", [entry(status="cancelled", reason="by user")], ran(code=None)),
    ],
)
def test_what_does_not_agree_is_found(
    kind: str, history: list[dict[str, Any]], evidence: str
) -> None:
    """Each in a sentence of its kind."""
    assert kind in judge(facts(history, evidence)).violations


@pytest.mark.parametrize(
    ("job", "line", "evidence"),
    [
        (OFF, entry(), ran()),
        (OFF, entry(status="missed"), ""),
        (OFF, entry(status="skipped", reason="overlap"), ""),
        (OFF, entry(status="skipped", reason="holiday: of-y"), ""),
        (JOB, entry(status="skipped", reason="holiday: of-x"), ""),
        (replace(OFF, off=(WEEKDAY + 1) % 7), entry(status="skipped", reason="holiday: of-x"), ""),
    ],
)
def test_a_slot_that_ran_on_a_day_off_or_was_left_out_on_another_is_found(
    job: Job, line: dict[str, Any], evidence: str
) -> None:
    """By the weekday of the slot alone."""
    assert "wrong day" in judge(facts([line], evidence, job)).violations


def test_a_verdict_that_changed_or_vanished_is_found() -> None:
    """As somebody saw it who looked earlier."""
    was = ("failed", None, 3, 1.0)
    changed = {"sched-x-1": (was, ("succeeded", None, 0, 1.0)), "sched-x-2": (was, None)}

    assert len(judge(facts([entry()], ran(), changed=changed)).violations["changed"]) == 2


def test_without_a_supervisor_a_death_of_the_scheduler_explains_an_interruption() -> None:
    """Only one that lies in the life of the run."""
    story = facts([entry(status="interrupted")], ran(code=None), CHILD, deaths=[NOON + 11.0])

    assert not judge(story).violations
    assert judge(replace(story, deaths=[NOON + 99.0])).violations


def test_what_the_story_killed_may_end_so() -> None:
    """It is told which runs those are."""
    line = entry(status="failed", exit_code=137)
    story = facts([line], ran(code=None), killed=frozenset({line["id"]}))

    assert not judge(story).violations


def test_lateness_is_forgiven_outside_calm_and_for_what_the_machine_lost() -> None:
    """A machine that stands still cannot start anything."""
    story = facts([entry()], ran(late=2.5))

    assert not judge(replace(story, calm=[])).violations
    assert not judge(replace(story, stalled=lambda *_: 1.0)).violations


def test_slots_that_may_be_due_may_also_not_be() -> None:
    """While an edit takes effect."""
    story = replace(facts([], ""), due={}, unsure={"x": [(NOON, NOON + 12)]})

    assert not judge(story).violations
    assert not judge(replace(story, history=[entry()], attempts=read_evidence(ran()))).violations


def test_every_bug_has_a_schedule_that_can_show_it() -> None:
    """The storm has every policy and every way to end."""
    assert {job.overlap for job in STORM} == {"skip", "queue", "allow", "replace"}
    assert {job.catchup for job in STORM} == {"all", "latest", "none"}
    assert {job.survive for job in STORM} == {True, False}
    assert len(PLANTS) >= 10


def test_the_stage_knows_of_a_death_before_anyone_looks(tmp_path: Path) -> None:
    """A command may take over at once what a dead scheduler left, and end it."""
    stage = Stage.make(tmp_path, (JOB,))
    stage.launch(die="load after:1")

    wait_for("a death", lambda: stage.deaths)

    noted = list(stage.deaths)
    assert stage.gone() != 0
    assert stage.deaths == noted
