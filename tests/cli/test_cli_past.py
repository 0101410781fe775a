"""Looking back: history, show and stats, as somebody sees them at a terminal of 80 columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from glance import NOW, a_run, freeze, furnish, look

from flytesched.core.runs import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terminal import Terminal

    from flytesched.core.runs import Run

MANIFEST = """\
version = 1
[defaults]
timezone = "Europe/Berlin"
[schedules.backup]
cron = "0 2 * * *"
command = "true"
[schedules.mail]
every = "15m"
command = "fetchmail"
description = "the family's mail"
[schedules.sync]
every = "20m"
command = "true"
"""
_MAIL = 15 * 60
#: 14:00, the last slot of mail.
_LAST = int(NOW) - 200
#: Seconds from 02:00 to 14:00.
_NIGHT = 12 * 3600


def runs() -> Iterator[Run]:
    """Yield what came of mail, one of sixty slots after the other, and of two nights' backups."""
    odd = {
        3: (RunStatus.FAILED, {"exit_code": 3}),
        4: (RunStatus.SKIPPED, {"reason": "overlap", "started": None, "attempt": 0}),
        5: (RunStatus.TIMED_OUT, {"exit_code": 143}),
        6: (RunStatus.CANCELLED, {"reason": "by user"}),
        7: (RunStatus.INTERRUPTED, {"reason": "host restarted"}),
    }
    yield a_run("mail", 200, RunStatus.RUNNING)
    for back in range(1, 60):
        status, keys = odd.get(back, (RunStatus.SUCCEEDED, {"exit_code": 0}))
        slot = _LAST - back * _MAIL
        run = a_run("mail", int(NOW) - slot, status)
        took = {"started": slot + 0.012, "ended": slot + 2.5 + back % 10}
        yield replace(run, **{**took, **keys})
    for night in (1, 2):
        run = a_run("backup", 200 + _NIGHT + (night - 1) * 86_400, RunStatus.SUCCEEDED)
        yield replace(run, ended=run.created + 4_000.0, exit_code=0, attempt=night)


@pytest.fixture
def home(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a home where mail is fetched every quarter of an hour; and a sync was missed."""
    freeze(monkeypatch)
    furnish(manifest=MANIFEST, runs=runs(), missed=["sync"])
    return empty


HISTORY = """\
mail  ✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓↯⊘◷»✗✓✓▸
✓ succeeded  ✗ failed  ◷ timed out  ↯ interrupted  » skipped  ⊘ cancelled
▸ active

WHEN   NAME  VERDICT                       LAG  TOOK  RUN
14:00  mail  running                       0ms     -  sched-mail-1795698000
13:45  mail  succeeded                    12ms    3s  sched-mail-1795697100
13:30  mail  succeeded                    12ms    4s  sched-mail-1795696200
13:15  mail  failed(exit 3)               12ms    5s  sched-mail-1795695300
13:00  mail  skipped(overlap)                -     -  sched-mail-1795694400
12:45  mail  timed_out                    12ms    7s  sched-mail-1795693500
12:30  mail  cancelled(by user)           12ms    8s  sched-mail-1795692600
12:15  mail  interrupted(host restarted)  12ms    9s  sched-mail-1795691700
12:00  mail  succeeded                    12ms   10s  sched-mail-1795690800
11:45  mail  succeeded                    12ms   11s  sched-mail-1795689900
11:30  mail  succeeded                    12ms    2s  sched-mail-1795689000
11:15  mail  succeeded                    12ms    3s  sched-mail-1795688100
"""
SHOW = """\
        name: mail
 description: the family's mail
       state: enabled
    schedule: every 15m
     command: fetchmail
last verdict: succeeded
      active: sched-mail-1795698000 (running) for 3min 20s, usually 7s
     success: 94.7%  ███████████████████   of 57 runs
      streak: 2 succeeded
    duration: p50 7s, p90 11s, p99 11s, max 11s
         lag: p50 12ms, p90 12ms, p99 12ms, max 12ms

coming slots
  2026-11-26 14:15:00+01:00  in 11min 40s
  2026-11-26 14:30:00+01:00  in 26min 40s
  2026-11-26 14:45:00+01:00  in 41min 40s
  2026-11-26 15:00:00+01:00  in 56min 40s
  2026-11-26 15:15:00+01:00  in 1h 11min

last slots and runs
mail  ✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓↯⊘◷»✗✓✓▸
✓ succeeded  ✗ failed  ◷ timed out  ↯ interrupted  » skipped  ⊘ cancelled
▸ active

WHEN   VERDICT            LAG  TOOK  ORIGIN    RUN
14:00  running            0ms     -  schedule  sched-mail-1795698000
13:45  succeeded         12ms    3s  schedule  sched-mail-1795697100
13:30  succeeded         12ms    4s  schedule  sched-mail-1795696200
13:15  failed(exit 3)    12ms    5s  schedule  sched-mail-1795695300
13:00  skipped(overlap)     -     -  schedule  sched-mail-1795694400
"""
STATS = """\
NAME    RUNS  FAIL  TIMED  CANC  INTR  SKIP  MISS    RATE      P50      P99
backup     2     0      0     0     0     0     0  100.0%  1h 6min  1h 6min
mail      57     1      1     1     1     1     0   94.7%       7s      11s
sync       0     0      0     0     0     0     3       -        -        -
all 3     59     1      1     1     1     1     3   94.9%       7s  1h 6min
"""
STATS_OF_ONE = """\
   schedule: mail
       runs: 57
  succeeded: 54
     failed: 1
  timed out: 1
  cancelled: 1
interrupted: 1
    skipped: 1 (overlap 1)
     missed: 0
     active: 1
    success: 94.7%  ███████████████████   of 57 runs
     streak: 2 succeeded
   duration: p50 7s, p90 11s, p99 11s, max 11s
        lag: p50 12ms, p90 12ms, p99 12ms, max 12ms
"""
STATS_SINCE = """\
NAME   RUNS  OK  FAIL  SKIP  MISS   RATE  P50  P99  MAX  LAG_P99  STREAK
mail      3   2     1     1     0  66.6%   4s   5s   5s     12ms  2 succeeded
sync      0   0     0     0     1      -    -    -    -        -  -
all 2     3   2     1     1     1  66.6%   4s   5s   5s     12ms  -
"""


@pytest.mark.parametrize(
    ("words", "screen"),
    [
        ("history mail -n 12", HISTORY), ("show mail", SHOW), ("stats", STATS),
        ("stats mail", STATS_OF_ONE), ("stats --since 13:00", STATS_SINCE),
    ],
)  # fmt: skip
def test_the_past_is_told_in_eighty_columns(
    home: Terminal, monkeypatch: pytest.MonkeyPatch, words: str, screen: str
) -> None:
    """With short times; what does not fit is left out, but never an id that stands there."""
    said = look(home, monkeypatch, words, 80)

    assert said.out == screen
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_name_is_cut_before_the_id_of_a_run_goes(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code never is, and a reason is cut before; without room for it, the id goes last."""
    freeze(monkeypatch)
    name = "nightly-accounts"
    failed = replace(a_run(name, 300, RunStatus.FAILED), exit_code=143)
    skipped = replace(a_run(name, 200, RunStatus.SKIPPED), reason="the disk was full again")
    manifest = MANIFEST.replace("schedules.mail", f"schedules.{name}")
    furnish(manifest=manifest, runs=[failed, skipped])

    wide, narrow, least = (
        look(empty, monkeypatch, "history --no-strip", columns).out for columns in (80, 77, 76)
    )

    assert [line.split()[-1] for line in wide.splitlines()] == ["RUN", skipped.id, failed.id]
    assert "…" in wide
    assert [line.split()[-1] for line in narrow.splitlines()] == ["RUN", skipped.id, failed.id]
    assert "  failed(exit 143)  " in narrow
    assert "  skipped(the dis…  " in narrow
    assert "  failed(exit 143)  " in least
    assert "RUN" not in least
    assert f"  {name}  " in least


def test_a_pipe_gets_every_column_whole(home: Terminal) -> None:
    """Times in full, ids, and no picture."""
    lines = home.ok("history", "mail", "-n", "2").out.splitlines()

    assert lines[0].split() == [
        "WHEN", "NAME", "VERDICT", "LAG", "TOOK", "TRY", "EXIT", "ORIGIN", "RUN",
    ]  # fmt: skip
    assert lines[2].split() == [
        "2026-11-26", "13:45:00+01:00", "mail", "succeeded", "12ms", "3s", "1", "0", "schedule",
        "sched-mail-1795697100",
    ]  # fmt: skip
    (heads, *_) = home.ok("stats").out.splitlines()
    assert heads.split() == [
        "NAME", "RUNS", "OK", "FAIL", "TIMED", "CANC", "INTR", "SKIP", "MISS", "RATE",
        "P50", "P90", "P99", "MAX", "LAG_P50", "LAG_P90", "LAG_P99", "LAG_MAX", "CPU", "MEMORY",
        "STREAK",
    ]  # fmt: skip


# -- strips -------------------------------------------------------------------------------------


def test_strips_end_at_the_same_column(home: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest run on the right; they are cut on the left; what is filtered out is drawn too."""
    said = look(home, monkeypatch, "history -n 100 --status succeeded,missed", 40).out

    assert said.splitlines()[:3] == [
        "backup                                ✓✓",
        "mail    ✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓✓↯⊘◷»✗✓✓▸",
        "sync                                 ◌◌◌",
    ]


def test_a_console_without_the_glyphs_gets_letters(
    home: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar is of ASCII there, too."""
    monkeypatch.setenv("TERM", "linux")

    said = look(home, monkeypatch, "show mail", 80).out

    assert "IcTsF..>\n" in said
    assert ". succeeded  F failed  T timed out  I interrupted  s skipped  c cancelled" in said
    assert "94.7%  ###################-  of 57 runs" in said


def test_strips_are_drawn_when_somebody_wants_them(
    home: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also into a pipe; on a terminal they can be left out."""
    assert home.ok("history", "mail", "--strip").out.startswith("mail  ✓✓✓")
    assert look(home, monkeypatch, "history mail --no-strip", 80).out.startswith("WHEN")


def test_many_schedules_are_drawn_only_when_somebody_wants_them(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or nothing else could be seen."""
    freeze(monkeypatch)
    names = [f"job-{number}" for number in range(6)]
    text = "".join(f'[schedules.{name}]\nevery = "1m"\ncommand = "true"\n' for name in names)
    runs = [a_run(name, 60, RunStatus.SUCCEEDED, exit_code=0) for name in names]
    furnish(manifest=f"version = 1\n{text}", runs=runs)

    assert look(empty, monkeypatch, "history", 80).out.startswith("WHEN")
    assert look(empty, monkeypatch, "history job-0 job-1", 80).out.startswith("job-0  ✓\njob-1  ✓")
    assert look(empty, monkeypatch, "history --strip", 80).out.count("✓") == 7


# -- one run ------------------------------------------------------------------------------------


def test_the_id_of_a_run_shows_it_with_its_attempts(terminal: Terminal) -> None:
    """The beginning of one will do where only one run has it; a schedule's name goes before."""
    (entry,) = terminal.json("history", "report")["entries"]

    answer = terminal.json("history", entry["id"])
    said = terminal.ok("history", entry["id"][:-1]).out

    assert answer["kind"] == "run"
    assert {**answer["run"], "attempts": None} == {**entry, "attempts": None}
    (attempt,) = answer["run"]["attempts"]
    assert (attempt["exit_code"], attempt["outcome"]) == (3, "failed(exit 3)")
    assert f"     run: {entry['id']}\n" in said
    assert "\nattempt 1\n" in said
    assert f"log: {terminal.state}/{attempt['log']}\n" in said


def test_a_run_without_attempts_is_shown_all_the_same(home: Terminal) -> None:
    """One that was skipped has none."""
    said = home.ok("history", "sched-mail-1795694400", "--utc").out

    assert said == (
        "     run: sched-mail-1795694400\nschedule: mail\n    slot: 2026-11-26 12:00:00Z\n"
        "  origin: schedule\n verdict: skipped(overlap)\n  stored: 2026-11-26 12:00:00Z\n"
        "   ended: 2026-11-26 12:00:06Z\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("history sched-mail-1795", "'sched-mail-1795' is the beginning of several run ids"),
        ("history sched-mail-2", "no schedule is named 'sched-mail-2'"),
        ("history mial", "no schedule is named 'mial'\nhint: did you mean 'mail'?"),
        ("history mail sched-mail-1795694400", "no schedule is named 'sched-mail-1795694400'"),
        ("stats mial", "no schedule is named 'mial'\nhint: did you mean 'mail'?"),
    ],
)
def test_a_word_that_is_neither_a_name_nor_a_run_is_refused(
    home: Terminal, words: str, says: str
) -> None:
    """In the sentence for names, unless it is the beginning of several ids."""
    said = home.run(*words.split())

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(f"flytesched: {says}")


# -- figures ------------------------------------------------------------------------------------


def test_stats_answer_with_figures_and_their_total(home: Terminal) -> None:
    """Names that are asked for are told of, whether or not there is anything to be told."""
    answer = home.json("stats", "mail", "sync", "--since", "2026-11-26T12:00:00Z", "--until", "now")

    mail, sync = answer["schedules"]
    assert (answer["since"], answer["until"]) == ("2026-11-26T12:00:00Z", "2026-11-26T13:03:20Z")
    assert mail == {
        "schedule": "mail", "runs": 3, "succeeded": 2, "failed": 1, "timed_out": 0, "cancelled": 0,
        "interrupted": 0, "active": 1, "skipped": 1,
        "skipped_for": [{"reason": "overlap", "count": 1}], "missed": 0,
        "success_rate": pytest.approx(2 / 3),
        "duration_seconds": {"p50": 4.488, "p90": 5.488, "p99": 5.488, "max": 5.488},
        "lag_seconds": {"p50": 0.012, "p90": 0.012, "p99": 0.012, "max": 0.012},
        "cpu_seconds": 0.0, "max_rss_kib": None, "streak": {"succeeded": True, "runs": 2},
    }  # fmt: skip
    assert (sync["runs"], sync["missed"], sync["success_rate"], sync["streak"]) == (
        0,
        1,
        None,
        None,
    )
    assert answer["total"] | {"streak": mail["streak"]} == {
        **{key: value for key, value in mail.items() if key != "schedule"}, "missed": 1,
    }  # fmt: skip


def test_processor_time_and_memory_are_told(terminal: Terminal) -> None:
    """Of a run that really was; so small a command's memory cannot always be told."""
    answer = terminal.json("stats", "backup")["total"]
    said = terminal.ok("stats", "backup").out

    assert answer["cpu_seconds"] > 0
    assert ("peak memory: " in said) == (answer["max_rss_kib"] is not None)
    assert terminal.json("stats", "-l", "tier=1")["schedules"][0]["schedule"] == "backup"


def test_nothing_to_be_counted_is_said(home: Terminal) -> None:
    """On stderr; in JSON it is a list without a row."""
    said = home.ok("stats", "--until", "2026-01-01")

    assert (said.out, said.err) == ("", "there is no such history\n")
    assert home.json("stats", "--until", "2026-01-01")["schedules"] == []


def test_show_answers_with_its_pictures(home: Terminal) -> None:
    """The strip of the last fifty, the oldest first, and the figures."""
    schedule = home.json("show", "mail")["schedule"]

    assert len(schedule["strip"]) == 50
    assert schedule["strip"][-3:] == ["succeeded", "succeeded", "running"]
    assert schedule["figures"]["runs"] == 57
    assert schedule["figures"]["duration_seconds"]["p90"] == 11.488
    assert len(schedule["history"]) == len(schedule["coming"]) == 5


def test_open_gaps_are_shown(home: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As stretches, not slot by slot."""
    said = look(home, monkeypatch, "show sync", 80).out

    assert "     3  no scheduler\n" in said.partition("open gaps\n")[2]
    assert "sync  ◌◌◌\n◌ missed\n" in said
