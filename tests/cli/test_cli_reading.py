"""What reading commands answer: JSON under contract, and text for people."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from flytesched.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terminal import Terminal

#: Keys of the objects that programs rely on; a change needs another schema number.
RUN = {
    "id", "schedule", "scheduled_at", "origin", "status", "reason", "exit_code", "attempt",
    "created_at", "started_at", "ended_at", "retry_of",
}  # fmt: skip
ENTRY = RUN | {"duration_seconds", "lag_seconds"}
LISTED = {
    "name", "description", "labels", "timetable", "timezone", "calendars", "on_holiday", "state",
    "enabled", "paused_until",
    "pause_reason", "next", "last", "active", "missed",
}  # fmt: skip


class Shape(NamedTuple):
    """What one command answers with."""

    #: The command.
    words: str
    #: What the answer calls itself.
    kind: str
    #: Keys of the answer beside schema and kind.
    keys: set[str]
    #: The key that holds a list of objects.
    rows: str = ""
    #: Keys of each of those.
    row: frozenset[str] | set[str] = frozenset()


CONTRACT = [
    Shape("list", "list", {"schedules"}, "schedules", LISTED),
    Shape("show backup", "show", {"schedule"}),
    Shape(
        "next", "next", {"slots", "left_out", "left_out_slots", "more_left_out"}, "slots",
        {"schedule", "scheduled_at", "marks", "moved_from"},
    ),
    Shape("history", "history", {"entries"}, "entries", ENTRY),
    Shape("ps", "ps", {"runs"}),
    Shape("catchup --dry-run", "catchup", {"schedules", "would_run"}),
    Shape("catchup", "catchup", {"runs", "declined", "remaining"}),
    Shape(
        "backfill backup --from 2d --until now --dry-run", "backfill",
        {"slots", "decided", "missed", "coming", "left_out"},
    ),
    Shape("validate", "validate", {"file", "schedules", "faults"}),
    Shape("status", "status", {
        "version", "scheduler", "manifest", "manifest_error", "last_error", "state_dir",
        "run_log_error", "schedules", "enabled", "paused", "active", "active_runs", "missed",
        "failing", "overdue", "channels", "next", "last_decision", "clock_behind_seconds",
    }),
    Shape(
        "db check", "db_check",
        {
            "run_log", "schema_version", "bytes", "rows", "sound", "findings", "slots_counted",
            "unchecked",
        },
    ),
    Shape("doctor", "doctor", {"findings"}, "findings", {"about", "level", "what", "do"}),
]  # fmt: skip


@pytest.mark.parametrize("shape", CONTRACT, ids=lambda shape: shape.words)
def test_the_shape_of_an_answer_is_a_contract(terminal: Terminal, shape: Shape) -> None:
    """One object: schema, kind, and the data."""
    answer = terminal.json(*shape.words.split())

    assert answer["schema"] == 1
    assert answer["kind"] == shape.kind
    assert answer.keys() == shape.keys | {"schema", "kind"}
    for each in answer[shape.rows] if shape.rows else []:
        assert each.keys() == shape.row


def test_show_answers_with_everything(terminal: Terminal) -> None:
    """What list says and more; values of env are left out."""
    shape = terminal.json("show", "backup")["schedule"]

    assert shape.keys() == LISTED | {
        "definition", "coming", "history", "open_gaps", "strip", "figures",
    }  # fmt: skip
    assert shape["definition"]["env"] == {"TOKEN": ""}
    assert shape["last"].keys() == RUN
    assert shape["last"]["status"] == "succeeded"
    assert len(shape["coming"]) == 5


def test_faults_are_data_too(terminal: Terminal) -> None:
    """For editors and CI."""
    terminal.write('version = 1\n[schedules.x]\nevery = "5"\ncommand = "true"\n')

    said = terminal.run("validate", "--json")

    assert said.code == 5
    (fault,) = said.json["faults"]
    assert fault["line"] == 3
    assert fault["key"] == "x.every"


def test_list_is_an_aligned_table_without_colour_off_a_terminal(terminal: Terminal) -> None:
    """Names in full, times with their offset; what does not come says why, below all else."""
    lines = terminal.ok("list", "backup", "report").out.splitlines()

    assert lines[0].split() == ["NAME", "SCHEDULE", "NEXT", "LEFT", "LAST", "PASSED", "RESULT"]
    assert "\x1b" not in "".join(lines)
    result, following = lines[0].index("RESULT"), lines[0].index("NEXT")
    assert [line[result:] for line in lines[1:]] == ["succeeded", "failed(exit 3)"]
    assert re.match(r"\S+ 02:00:00\+0[12]:00 ", lines[1][following:])
    assert lines[2][following:].startswith("disabled ")


def test_times_are_shown_in_utc_when_asked(terminal: Terminal) -> None:
    """With a Z."""
    assert re.search(r"\d\d:00:00Z ", terminal.ok("list", "backup", "--utc").out)


def test_list_selects_by_pattern_and_by_label(terminal: Terminal) -> None:
    """All labels have to match."""
    assert terminal.ok("list", "-q").out == "backup\nbackup-photos\nreport\n"
    assert terminal.ok("list", "-q", "backup*").out == "backup\nbackup-photos\n"
    assert terminal.ok("list", "-q", "-l", "team=ops", "-l", "tier=1").out == "backup\n"


def test_next_shows_slots_of_all_schedules_in_their_order(terminal: Terminal) -> None:
    """Disabled ones have none."""
    slots = terminal.json("next", "--from", "2998-06-01", "--until", "2998-06-03")["slots"]

    times = [slot["scheduled_at"] for slot in slots]
    assert times == sorted(times)
    assert [s["scheduled_at"] for s in slots if s["schedule"] == "backup"] == [
        "2998-06-01T00:00:00Z", "2998-06-02T00:00:00Z",
    ]  # fmt: skip
    assert sum(slot["schedule"] == "backup-photos" for slot in slots) == 48
    assert not [slot for slot in slots if slot["schedule"] == "report"]


def test_next_stops_at_the_count(terminal: Terminal) -> None:
    """Five, unless told otherwise."""
    assert len(terminal.json("next")["slots"]) == 5
    assert len(terminal.json("next", "-n", "7", "backup")["slots"]) == 7


def test_history_selects_by_status_and_time(terminal: Terminal) -> None:
    """Newest first."""
    entries = terminal.json("history")["entries"]
    assert [(e["schedule"], e["status"], e["exit_code"]) for e in entries] == [
        ("report", "failed", 3), ("backup", "succeeded", 0),
    ]  # fmt: skip
    assert len(terminal.json("history", "--status", "failed,missed")["entries"]) == 1
    assert terminal.json("history", "--until", "1d")["entries"] == []
    assert len(terminal.json("history", "--since", "yesterday", "-n", "1")["entries"]) == 1


@pytest.mark.parametrize("verb", ["history", "ps"])
def test_a_name_that_the_run_log_knows_is_not_looked_up_in_the_manifest(
    terminal: Terminal, opened: list[str], verb: str
) -> None:
    """Which may hold a hundred thousand schedules; another name is."""
    new = '[schedules.new]\nevery = "1h"\ncommand = "true"\n'
    terminal.write(f"{terminal.manifest.read_text()}\n{new}")
    terminal.ok(verb)
    settings_alone = opened.count(str(terminal.manifest))
    terminal.ok(verb, "backup", "report", "backup")
    recalled = opened.count(str(terminal.manifest)) - settings_alone
    terminal.ok(verb, "backup", "new")
    looked_up = opened.count(str(terminal.manifest)) - settings_alone - recalled

    assert (recalled, looked_up) == (settings_alone, settings_alone + 1)


def test_logs_show_what_a_run_wrote(terminal: Terminal) -> None:
    """By the schedule's name, or the run's id."""
    run = terminal.json("history", "backup")["entries"][0]["id"]

    assert terminal.ok("logs", "backup").out == "1\nfrom backup\n"
    assert terminal.ok("logs", run).out == "1\nfrom backup\n"
    assert terminal.ok("logs", run, "--attempt", "1", "-f").out == "1\nfrom backup\n"


@pytest.mark.parametrize("words", ["list", "next", "history", "ps", "catchup", "catchup --dry-run"])
def test_nothing_is_said_to_be_nothing(empty: Terminal, words: str) -> None:
    """On stderr; stdout is data."""
    empty.write("version = 1\n")

    said = empty.ok(*words.split())

    assert said.out == ""
    assert said.err != ""
    assert empty.json(*words.split())["kind"]


def test_status_tells_the_state_of_everything(terminal: Terminal) -> None:
    """Without a scheduler it says how to start one."""
    said = terminal.ok("status").out

    assert "not running; start one with: flytesched run" in said
    assert f"manifest: {terminal.manifest}" in said
    assert "3, 2 of them enabled" in said
    assert "failing: report" in said


def test_health_without_a_scheduler_exits_8(terminal: Terminal) -> None:
    """A failing schedule is shown."""
    said = terminal.run("health")

    assert said.code == 8
    assert said.out.startswith("stopped")
    assert "report: the last run" in said.out


@pytest.fixture
def scheduler(terminal: Terminal) -> Iterator[Terminal]:
    """Give the terminal while this very process holds the scheduler's lock."""
    from flytesched.lock import SchedulerLock

    lock = SchedulerLock(terminal.state)
    lock.acquire("run")
    yield terminal
    lock.release()


def _findings(terminal: Terminal, *words: str) -> tuple[int, dict[str, bool]]:
    said = terminal.run("health", "--json", *words)
    return said.code, {each["check"]: each["counts"] for each in said.json["findings"]}


def test_a_failing_schedule_is_unhealthy_only_in_strict_eyes(scheduler: Terminal) -> None:
    """It is the command's fault, not the scheduler's."""
    assert _findings(scheduler) == (0, {"failing": False})
    assert _findings(scheduler, "--strict") == (7, {"failing": True})


def test_a_broken_manifest_is_unhealthy(scheduler: Terminal) -> None:
    """Edits do not count until it is mended."""
    scheduler.write("version = 1\n[schedules.x\n")

    code, found = _findings(scheduler)

    assert code == 7
    assert found["manifest"] is True


@pytest.mark.parametrize(("behind", "check"), [(7200, "overdue"), (-2 * 86_400, "clock")])
def test_a_cursor_far_from_now_is_unhealthy(scheduler: Terminal, behind: int, check: str) -> None:
    """A slot is overdue; or the clock was set back behind what is decided."""
    remember(scheduler, "backup-photos", behind)

    code, found = _findings(scheduler)

    assert code == 7
    assert found[check] is True


def test_a_locked_run_log_is_unhealthy(
    scheduler: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be claimed then."""
    from flytesched.runlog import database

    # The real waiting time for a lock is five seconds; nothing is learnt by waiting here.
    connect = database.open_database
    monkeypatch.setattr(
        "flytesched.runlog.sqlite.open_database", lambda path, **_: connect(path, timeout=0)
    )
    outsider = sqlite3.connect(scheduler.state / "runs.db", isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")

    code, found = _findings(scheduler)

    outsider.close()
    assert code == 7
    assert found["run_log"] is True


def test_metrics_are_in_the_format_of_prometheus(terminal: Terminal) -> None:
    """Each metric has its HELP and TYPE before its samples, and histograms add up."""
    text = terminal.ok("metrics").out
    types: dict[str, str] = {}
    helped: set[str] = set()
    samples: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name in helped
            types[name] = kind
        else:
            match = re.fullmatch(r'(\w+)(\{(?:\w+="[^"]*",?)+\})? ([-+.\de]+)', line)
            assert match, line
            name = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert name in types or match[1] in types, line
            samples[match[1] + (match[2] or "")] = float(match[3])
    assert types["flytesched_runs_total"] == "counter"
    assert samples['flytesched_runs_total{schedule="backup",status="succeeded"}'] == 1
    assert samples['flytesched_runs_total{schedule="report",status="failed"}'] == 1
    assert samples["flytesched_up"] == 0
    assert samples["flytesched_job_panics_total"] == 0
    name = 'flytesched_duration_seconds_bucket{schedule="backup",le="+Inf"}'
    assert samples[name] == samples['flytesched_duration_seconds_count{schedule="backup"}'] == 1
    assert 'flytesched_next_run_timestamp_seconds{schedule="report"}' not in samples


def remember(terminal: Terminal, name: str, behind: int) -> None:
    """Make the run log remember that a schedule was last decided so many seconds ago."""
    # A cursor never moves back by itself, so no decision can do this.
    connection = sqlite3.connect(terminal.state / "runs.db")
    with connection:
        sql = "UPDATE schedules SET cursor = ? WHERE name = ?"
        assert connection.execute(sql, (int(now()) - behind, name)).rowcount == 1
    connection.close()


def test_missed_slots_are_seen_before_they_are_caught_up(terminal: Terminal) -> None:
    """A dry run changes nothing."""
    remember(terminal, "backup-photos", 5 * 3600 + 30)
    before = terminal.print()

    answer: dict[str, Any] = terminal.json("catchup", "--dry-run", "--limit", "2")

    (row,) = answer["schedules"]
    assert (row["schedule"], row["would_run"]) == ("backup-photos", 2)
    # Five hours and half a minute hold five whole hours, and six just after a full one.
    assert row["count"] in {5, 6}
    assert "backup-photos" in terminal.ok("catchup", "--dry-run").out
    assert terminal.print() == before
