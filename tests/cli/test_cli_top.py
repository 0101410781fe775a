"""flytesched top: once for pipes and programs, and live in a real terminal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from watched import ENTERED, LEFT, Watched

from desk import Desk, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terminal import Terminal

#: One that beats, one that runs until it is told to end and says what it does, one that fails and
#: is tried again, one that waits behind another, and one whose name no terminal has room for.
BUSY = f"""\
version = 1
[settings]
max_concurrent_runs = 3
[defaults]
timezone = "UTC"
[schedules.beat]
every = "2s"
command = "true"
overlap = "allow"
[schedules.going]
every = "400d"
command = '''
for n in $(seq 30); do echo line $n; done
while sleep 0.1; do rm more 2> /dev/null && echo more; done
'''
overlap = "queue"
long_after = "1s"
description = "goes on and on"
[schedules.fails]
every = "400d"
command = "echo oops; exit 3"
[schedules.again]
every = "400d"
command = "exit 4"
retry = {{ max_attempts = 2, delay = "1h" }}
[schedules.{"long-" * 19}name]
every = "400d"
command = "true"
labels = {{ team = "ops" }}
"""


# -- once ---------------------------------------------------------------------------------------


def test_once_is_a_frame_of_text(terminal: Terminal) -> None:
    """Without keys, colours or a terminal, and with what the settings of a terminal say."""
    said = terminal.process("top", "--once", COLUMNS="70", LINES="30")

    lines = said.out.splitlines()
    assert said.code == 0, said
    assert lines[0].startswith("no scheduler is running")
    assert [line.split()[0] for line in lines if line[3:4].isupper()] == [
        "RUNNING", "WAITING", "FAILED", "ENDED", "NEXT",
    ]  # fmt: skip
    assert any("failed(exit 3)" in line for line in lines)
    assert max(map(len, lines)) <= 70
    assert "\x1b" not in said.out


def test_names_and_labels_choose(terminal: Terminal) -> None:
    """As everywhere; a wrong one is answered with a near one."""

    def shown(*words: str) -> list[str]:
        return [each["schedule"] for each in terminal.json("top", *words)["next"]]

    assert shown() == shown("backup*") == shown("-l", "team=ops") == ["backup-photos", "backup"]
    assert shown("backup-*") == ["backup-photos"]
    assert shown("-l", "tier=1") == ["backup"]
    assert shown("-l", "tier=2") == []
    assert terminal.run("top", "bakup", "--once").err == (
        "flytesched: no schedule is named 'bakup'\nhint: did you mean 'backup'?\n"
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("top", "top needs a terminal to draw on"),
        ("top --interval 0 --once", "--interval: 0 is no number of seconds that can be waited"),
        ("top --once --json", "--once and --json do not go together"),
        ("top -l team --once", "--label: 'team' is not KEY=VALUE"),
    ],
)
def test_what_cannot_be_shown_is_refused(terminal: Terminal, words: str, what: str) -> None:
    """With one sentence, and exit code 2."""
    said = terminal.run(*words.split())

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"flytesched: {what}")


def test_once_works_in_this_process_too(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any clock."""
    monkeypatch.setenv("COLUMNS", "100")

    assert "02:00" in terminal.ok("top", "--once", "backup").out
    assert "01:00" in terminal.ok("top", "--once", "backup", "--utc").out


# -- live ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give a desk with a scheduler and runs in all states, for all tests."""
    home = tmp_path_factory.mktemp("busy")
    desk = Desk([sys.executable, "-m", "flytesched"], home)
    desk.manifest.write_text(BUSY)
    desk.start()
    for name in ("going", "going", "again"):
        desk.run("trigger", "--detach", name)
    desk.run("trigger", "fails", code=3)
    wait_for("a retry", lambda: "retry_wait" in desk.run("ps"))
    yield desk
    for run in desk.json("ps", "going")["runs"]:
        subprocess.run([*desk.program, "cancel", "--yes", run["id"]], env=desk.environ, check=False)
    desk.clear()


@pytest.fixture
def top(busy: Desk) -> Iterator[Callable[..., Watched]]:
    """Give a way to open a live screen at that desk."""
    begun: list[Watched] = []

    def begin(*words: str, size: tuple[int, int] = (24, 80), before: str = "") -> Watched:
        environ = {"TZ": "UTC", "PYTHONUTF8": "1"}
        begun.append(Watched(busy.home, "top", *words, size=size, before=before, **environ))
        begun[-1].sees("RUNNING")
        return begun[-1]

    yield begin
    for each in begun:
        each.process.close(force=True)


def line_of(watched: Watched, word: str) -> str:
    """Return the first line with a word."""
    return next((line for line in watched.look() if word in line), "")


def select(watched: Watched, keys: str, word: str) -> None:
    """Press keys, and wait until the row with a word is selected."""
    watched.process.send(keys)
    wait_for(word, lambda: word in line_of(watched, "\u25b8"))


def over(watched: Watched) -> None:
    """Press q, and hold the end to what it has to be."""
    watched.process.send("q")
    assert watched.end() == 0
    assert watched.left_as_it_was()
    assert watched.glass.wiped == watched.glass.scrolled == 0


def test_a_screen_shows_all_that_is_going_on(top: Callable[..., Watched]) -> None:
    """Of the schedules that are asked for."""
    watched = top("going", "again", "fails", "long-*", "--interval", "0.2")
    watched.sees("  long")
    screen = watched.look()

    over(watched)
    assert screen[0].startswith("up since ")
    assert " of 3 places · 2 waiting · " in screen[0]
    assert any("going" in line and "the end of the run before" in line for line in screen)
    assert any("again" in line and "its time, in " in line for line in screen)
    assert any("fails" in line and "failed(exit 3)" in line for line in screen)
    assert any("long-long-long-long…" in line for line in screen)
    assert screen[-2].endswith("every 400d  goes on and on")


def test_a_screen_goes_on_by_itself(busy: Desk, top: Callable[..., Watched]) -> None:
    """What succeeds meanwhile is there a moment later."""
    watched = top("beat", "--interval", "0.2")
    run = busy.json("history", "beat", "--limit", "1")["entries"][0]["id"]
    wait_for("a beat", lambda: busy.json("history", "beat", "-n", "1")["entries"][0]["id"] != run)
    watched.sees("succeeded")
    wait_for("frames", lambda: watched.frames() > 5)

    over(watched)


def test_a_wider_screen_shows_more_and_a_smaller_one_less(top: Callable[..., Watched]) -> None:
    """From one frame to the next."""
    watched = top(size=(40, 120))
    wait_for("ids of runs", lambda: line_of(watched, "RUNNING").endswith(" RUN"))
    wide = watched.look()
    watched.resize(10, 40)
    wait_for("a small screen", lambda: "RUNNING" in watched.look()[1] and watched.look()[9])
    small = watched.look()
    watched.resize(24, 80)
    wait_for("a usual screen", lambda: watched.look()[23].endswith("/ filter"))

    over(watched)
    assert wide[39].endswith("/ filter")
    assert small[1].endswith("USUAL")
    assert small[8].startswith("? help  q quit")  # in two lines
    assert max(map(len, small)) <= 40


def test_a_run_is_cancelled_and_its_successor_starts(
    busy: Desk, top: Callable[..., Watched]
) -> None:
    """After a question; the selection goes along to where the run has ended."""
    watched = top("going")
    run = busy.json("ps", "going")["runs"][0]["id"]
    watched.process.send("c")
    watched.sees(f"Cancel {run}? [y/N]")
    watched.process.send("n")
    watched.sees("nothing was done")
    watched.process.send("cy")
    watched.sees(f"{run}: is being ended")
    wait_for("the end", lambda: "cancelled(by user)" in line_of(watched, "\u25b8"))
    watched.sees("RUNNING 1")

    over(watched)
    busy.run("trigger", "--detach", "going")


def test_a_schedule_is_triggered_paused_and_resumed(
    busy: Desk, top: Callable[..., Watched]
) -> None:
    """By one key, and an answer."""
    watched = top("fails", "--interval", "0.2")
    select(watched, "G", "fails")
    before = len(busy.json("history", "fails")["entries"])
    watched.process.send("t")
    watched.sees("Trigger fails? [y/N]")
    watched.process.send("y")
    watched.sees("triggered: manual-fails-")
    wait_for("a run", lambda: len(busy.json("history", "fails")["entries"]) > before)
    watched.process.send("p")
    watched.sees("Pause fails for [1h]: _")
    watched.process.send("2d\r")
    watched.sees("fails: paused until ")
    watched.sees(" paused until 20")
    watched.process.send("p")
    watched.sees("Resume fails? [y/N]")
    watched.process.send("y")
    watched.sees("fails: resumed")

    over(watched)
    assert "paused_until" not in busy.manifest.read_text()


def test_what_failed_is_run_again(busy: Desk, top: Callable[..., Watched]) -> None:
    """As a run of its own."""
    watched = top("fails")
    run = busy.json("history", "fails", "--limit", "1")["entries"][0]["id"]
    select(watched, "g", "fails")
    watched.process.send("r")
    watched.sees(f"Run again {run}? [y/N]")
    watched.process.send("y")
    watched.sees("runs again as retry-fails-")

    over(watched)


def test_the_log_of_a_run_is_followed(busy: Desk, top: Callable[..., Watched]) -> None:
    """To its last line, and scrolled; Esc goes back."""
    watched = top("going")
    run = busy.json("ps", "going")["runs"][0]["id"]
    wait_for("output", lambda: "line 30" in busy.run("logs", run))
    watched.process.send("\r")
    watched.sees(f"LOG {run}, attempt 1, running for ")
    watched.sees("line 30")
    watched.process.send("\x1b[A\x1b[A")
    watched.sees("; 2 lines below")
    assert not line_of(watched, "line 30")
    watched.process.send("\x1b[H")
    watched.sees("line 1\n")
    watched.process.send("\x1b[F")
    watched.sees("line 30")
    (busy.home / "more").touch()
    watched.sees("\nmore")
    watched.process.send("\x1b")
    watched.sees("RUNNING 1")

    over(watched)


def test_a_filter_leaves_what_it_names(top: Callable[..., Watched]) -> None:
    """As it is typed; Esc shows all again. Help is a key away."""
    watched = top()
    watched.process.send("/agai")
    watched.sees("/agai_")
    wait_for("a filter", lambda: not line_of(watched, "beat"))
    assert line_of(watched, "again")
    watched.process.send("\r")
    watched.sees("only agai; Esc shows all")
    watched.process.send("\x1b")
    watched.sees("beat")
    watched.process.send("?")
    watched.sees("follow the log of the run")
    watched.process.send("x")
    watched.sees("RUNNING")

    over(watched)


def test_what_has_no_log_is_said_to_have_none(top: Callable[..., Watched]) -> None:
    """And nothing opens."""
    watched = top("long-*")
    watched.process.send("l")
    watched.sees("has not run yet")

    over(watched)


def test_a_terminal_that_is_gone_ends_it(top: Callable[..., Watched]) -> None:
    """As it ends every program that does not ask for more."""
    watched = top()

    watched.process.ptyproc.fileobj.close()

    wait_for("an end", lambda: not watched.process.isalive())
    assert watched.process.signalstatus == signal.SIGHUP or watched.process.exitstatus in {0, 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_ends_it_with_the_terminal_as_it_was(
    top: Callable[..., Watched], number: signal.Signals
) -> None:
    """And whoever sent it can tell that it was that."""
    watched = top()

    os.kill(watched.process.pid, number)

    assert watched.end() == -number
    assert watched.left_as_it_was()


def test_what_came_of_a_key_is_told_at_the_end(busy: Desk, top: Callable[..., Watched]) -> None:
    """To somebody who has left before it was done: here, while another holds the run log."""
    watched = top("beat")
    held = sqlite3.connect(busy.home / "state/runs.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    watched.process.send("Gty")
    watched.sees("Trigger beat: it is being done")
    watched.process.send("ty")
    watched.sees("wait: something else is still being done")
    watched.process.send("q")
    wait_for("the screen to be left", lambda: watched.look() and watched.raw.count(LEFT))
    held.execute("ROLLBACK")
    held.close()

    assert watched.end() == 0
    assert b"triggered: manual-beat-" in watched.raw.partition(LEFT)[2]


def test_what_is_pasted_is_no_command(top: Callable[..., Watched]) -> None:
    """Somebody took this window for another one; where a name is asked for it is one."""
    watched = top("fails")
    watched.process.send("\x1b[200~cy ty p\ny q\x1b[201~/\x1b[200~fai\x1b[201~")
    watched.sees("/fai_")
    watched.process.send("\r")
    watched.sees("only fai; Esc shows all")

    over(watched)
    assert watched.raw.count(b"\x1b[?2004h") == watched.raw.count(b"\x1b[?2004l") == 1
    assert b"[y/N]" not in watched.raw


def test_ctrl_c_ends_it_amid_a_question(top: Callable[..., Watched]) -> None:
    """Nothing is done, and nothing went wrong."""
    watched = top()
    watched.process.send("c")
    watched.sees("[y/N]")
    watched.process.sendintr()

    assert watched.end() == 0
    assert watched.left_as_it_was()


def test_stopped_it_gives_the_terminal_back_and_takes_it_again(top: Callable[..., Watched]) -> None:
    """As Ctrl-Z and fg do."""
    watched = top("--interval", "3600")

    watched.process.sendcontrol("z")
    wait_for("a stop", lambda: watched.look() and watched.left_as_it_was())
    before = watched.frames()
    os.kill(watched.process.pid, signal.SIGCONT)
    wait_for("another look", lambda: watched.frames() > before)

    over(watched)
    assert watched.raw.count(ENTERED) == 2


def test_without_keys_it_is_ended_by_a_signal_alone(top: Callable[..., Watched]) -> None:
    """Nothing is selected then, and no key is named."""
    watched = top("--interval", "0.1", before="</dev/null")
    drawn = watched.frames()
    wait_for("another look", lambda: watched.frames() > drawn)
    screen = watched.look()
    watched.process.sendintr()

    assert watched.end() == 0
    assert watched.left_as_it_was()
    assert not any("\u25b8" in line or "quit" in line for line in screen)


def test_it_outlives_the_scheduler(busy: Desk, top: Callable[..., Watched]) -> None:
    """Whose end and return it tells; what needs one is refused meanwhile."""
    watched = top("--interval", "0.2")
    watched.sees("up since ")
    (loop,) = busy.loops
    loop.kill()
    loop.wait()
    watched.sees("no scheduler is running")
    watched.process.send("cy")
    watched.sees("no scheduler runs that could end this run")
    busy.manifest.write_text(BUSY + "nonsense\n")
    watched.sees(f"{busy.manifest}:")
    busy.manifest.write_text(BUSY)
    busy.start()
    watched.sees("up since ")
    wait_for("a mended manifest", lambda: not line_of(watched, f"{busy.manifest}:"))

    over(watched)
    busy.loops.remove(loop)
