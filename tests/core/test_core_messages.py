"""Messages: facts for programs, a subject and a text for people."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flytesched.core.protocols import Told
from flytesched.core.runs import Attempt, Gap, Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling import messages
from flytesched.core.telling.events import CHOICES, Event, NoticeStatus
from flytesched.core.telling.messages import facts, facts_of_test, mark, notices, subject, text

#: 2026-11-21T02:00:00Z
SLOT = 1_795_226_400
NOW = SLOT + 600.25
JOB = Schedule(
    "report", cron="0 3 * * *", timezone="Europe/Berlin", command="x", offset="5m",
    description="for the board", labels={"team": "ops"}, on_late="true",
)  # fmt: skip
RUN = Run(
    id=f"sched-report-{SLOT}", schedule="report", scheduled_at=SLOT, origin=Origin.SCHEDULE,
    status=RunStatus.FAILED, created=SLOT + 0.1, exit_code=3, attempt=2, started=SLOT + 1.0,
    ended=SLOT + 66.5,
)  # fmt: skip
ATTEMPT = Attempt(run=RUN.id, attempt=2, boot_id="b", ordered=SLOT + 1.0, log="logs/report/x.2.log")
GAP = Gap(
    schedule="report", after=SLOT, until=SLOT + 172_800, count=2, reason="no scheduler", timing="{}"
)  # fmt: skip
FAILED = Told(event=Event.FAILURE, schedule=JOB, run=RUN, attempt=ATTEMPT)
MISSED = Told(event=Event.MISSED, schedule=JOB, gap=GAP)


def said(told: Told) -> dict[str, Any]:
    return facts(told, now=NOW, host="db1", state_dir="/var/lib/flytesched")


def waiting(event: Event, status: RunStatus, **keys: Any) -> Told:
    run = replace(RUN, status=status, ended=None, exit_code=None, **keys)
    return Told(event=event, schedule=JOB, run=run)


LATE = waiting(Event.LATE, RunStatus.QUEUED, started=None, attempt=0)
LONG = waiting(Event.LONG, RunStatus.RUNNING)


def test_a_failure_is_told_with_all_that_is_known_of_the_run() -> None:
    assert said(FAILED) == {
        "version": 1, "event": "failure", "host": "db1", "schedule": "report",
        "description": "for the board", "labels": {"team": "ops"}, "timezone": "Europe/Berlin",
        "at": "2026-11-21T02:01:06.500Z",
        "run": {
            "id": RUN.id, "verdict": "failed(exit 3)", "status": "failed", "reason": None,
            "exit_code": 3, "scheduled_at": "2026-11-21T02:00:00Z",
            "kickoff_at": "2026-11-21T01:55:00Z", "started_at": "2026-11-21T02:00:01.000Z",
            "ended_at": "2026-11-21T02:01:06.500Z", "duration_seconds": 65.5, "attempt": 2,
            "origin": "schedule", "log": "/var/lib/flytesched/logs/report/x.2.log",
        },
        "gap": None,
    }  # fmt: skip


def test_missed_slots_are_told_as_a_stretch() -> None:
    found = said(MISSED)
    assert (found["run"], found["at"]) == (None, "2026-11-21T02:10:00.250Z")
    assert found["gap"] == {
        "after": "2026-11-21T02:00:00Z", "until": "2026-11-23T02:00:00Z", "count": 2,
        "reason": "no scheduler",
    }  # fmt: skip


def test_what_is_not_there_yet_is_null() -> None:
    late, long = said(LATE)["run"], said(LONG)["run"]
    keys = ("verdict", "started_at", "ended_at", "duration_seconds", "log")
    assert [late[key] for key in keys] == [None] * 5
    assert (long["verdict"], long["ended_at"], long["duration_seconds"]) == (None, None, 599.25)
    manual = replace(FAILED, run=replace(RUN, scheduled_at=None, id="manual-report-1"))
    assert said(manual)["run"]["scheduled_at"] is None
    assert "kickoff_at" not in said(manual)["run"]


def test_each_channel_gets_a_notice_with_the_same_facts() -> None:
    found = notices(FAILED, ["ops", "chat"], now=NOW, host="db1", state_dir="/var/lib/flytesched")
    assert [(one.channel, one.about, one.created, one.status) for one in found] == [
        (name, RUN.id, NOW, NoticeStatus.QUEUED) for name in ("ops", "chat")
    ]
    assert all(json.loads(one.facts) == said(FAILED) for one in found)
    assert notices(FAILED, [], now=NOW, host="db1", state_dir="/x") == ()
    (missed,) = notices(MISSED, ["ops"], now=NOW, host="db1", state_dir="/x")
    assert missed.about == f"gap-report-{SLOT}"


def test_only_late_and_long_are_marked_as_told_and_only_for_a_hook() -> None:
    (marked,) = mark(LATE, NOW)
    assert (marked.channel, marked.about, marked.status) == ("on_late", RUN.id, NoticeStatus.SENT)
    assert marked.ended == NOW
    assert mark(LONG, NOW) == (), "it has no on_long"
    assert mark(replace(FAILED, schedule=JOB), NOW) == ()


def test_news_of_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="about no run and no gap"):
        messages.about(Told(event=Event.FAILURE, schedule=JOB))


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (FAILED, "report: failed(exit 3)"),
        (MISSED, "report: missed 2 slots (no scheduler)"),
        (replace(MISSED, gap=replace(GAP, count=1)), "report: missed 1 slot (no scheduler)"),
        (LATE, "report: late, it has not started yet"),
        (LONG, "report: takes long, it has been running for 9m59s"),
        (replace(FAILED, event=Event.RECOVERED), "report: succeeded again"),
        (replace(LONG, event=Event.STARTED), "report: running"),
        (replace(FAILED, event=Event.ENDED), "report: failed(exit 3)"),
    ],
)
def test_a_subject_says_what_happened_where(told: Told, line: str) -> None:
    assert subject([said(told)]) == f"[flytesched db1] {line}"


def test_a_text_says_it_on_the_clock_of_the_schedule() -> None:
    assert text([said(FAILED)]) == (
        "report: failed(exit 3)\n"
        "\n"
        "schedule:     report\n"
        "description:  for the board\n"
        f"run:          {RUN.id}\n"
        "slot:         2026-11-21 03:00:00+01:00\n"
        "started:      2026-11-21 03:00:01+01:00\n"
        "ended:        2026-11-21 03:01:06+01:00\n"
        "took:         1m6s\n"
        "attempt:      2\n"
        "log:          /var/lib/flytesched/logs/report/x.2.log\n"
        "host:         db1\n"
        "time:         2026-11-21 03:01:06+01:00\n"
    )
    missed = text([said(MISSED)])
    assert "missed after: 2026-11-21 03:00:00+01:00\nlast slot:    2026-11-23 03:00:00" in missed


def test_a_zone_that_nobody_knows_any_more_is_no_reason_to_say_nothing() -> None:
    lost = {**said(FAILED), "timezone": "Mars/Base"}
    assert "slot:         2026-11-21T02:00:00Z\n" in text([lost])


def test_short_times_are_not_rounded_away() -> None:
    """Of all others nobody wants to read thousandths."""
    quick = replace(FAILED, run=replace(RUN, ended=SLOT + 1.25))
    assert "took:         250ms\n" in text([said(quick)])
    long = replace(LONG, run=replace(LONG.run or RUN, started=NOW - 5.004))
    assert subject([said(long)]).endswith("for 5s")


def test_a_test_says_that_it_is_one() -> None:
    found = facts_of_test(now=NOW, host="db1")
    assert set(found) == set(said(FAILED))
    assert subject([found]) == "[flytesched db1] this is a test: the channel works"
    assert text([found]).splitlines()[2:] == [
        "host:         db1", "time:         2026-11-21 02:10:00+00:00",
    ]  # fmt: skip


def test_what_came_too_fast_goes_as_one_digest() -> None:
    many = [said(FAILED)] * 30 + [said(MISSED)] * 2
    assert subject(many) == "[flytesched db1] 32 notices of report: 30 failed, 2 missed"
    assert text(many).splitlines() == [
        "32 notices of report: 30 failed, 2 missed", "",
        "2026-11-21 03:10:00+01:00  report: missed 2 slots (no scheduler); in all: 30 failed,"
        " 2 missed",
    ]  # fmt: skip


def test_a_digest_tells_of_the_worst_first_and_of_each_schedule_once() -> None:
    """However much happened: whoever is woken by it looks at what fails now."""
    good = said(replace(FAILED, event=Event.RECOVERED))
    many = [{**(said(FAILED) if n > 20 else good), "schedule": f"job-{n}"} for n in range(24)]
    summary = "24 notices of job-21, job-22, job-23 and 21 more: 3 failed, 21 recovered"
    assert subject(many) == f"[flytesched db1] {summary}"
    lines = text(many).splitlines()
    assert lines[:3] == [summary, "", "2026-11-21 03:01:06+01:00  job-21: failed(exit 3)"]
    assert (len(lines), lines[5]) == (23, "2026-11-21 03:01:06+01:00  job-0: succeeded again")
    assert lines[-1] == "and of 4 schedules more; see: flytesched notify history"


@pytest.mark.parametrize("evil", ["x\nBcc: all@x", "\x1b[31mred", "\r\n\r\nbody", "z" * 5000])
def test_nothing_breaks_out_of_its_line(evil: str) -> None:
    run = replace(RUN, reason=f"start: {evil}")
    found = said(replace(FAILED, run=run, schedule=JOB.with_(description=evil)))
    assert subject([found]).isprintable()
    assert len(subject([found])) <= 150
    for line in text([found]).splitlines():
        assert line.isprintable()
        assert len(line) <= 2000
        assert not line.startswith(("Bcc", "body"))


@pytest.mark.parametrize("event", CHOICES)
def test_every_event_that_a_channel_is_told_of_can_be_said(event: Event) -> None:
    told = replace(MISSED, event=event) if event is Event.MISSED else replace(FAILED, event=event)
    assert json.loads(json.dumps(said(told)))["event"] == event.value
    assert text([said(told)]).startswith("report: ")
