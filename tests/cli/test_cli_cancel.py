"""cancel, and remove: they take something away, so they name it, and ask on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from test_cli_running import on_a_terminal, start, wait_for

if TYPE_CHECKING:
    import subprocess

    from terminal import Terminal


def _busy(terminal: Terminal) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start a run that takes long; return who waits for it, and the run."""
    terminal.ok("add", "slow", "--every", "1h", "--", "test x; exec sleep 600")
    trigger = start(terminal, "trigger", "slow")
    (run,) = wait_for(
        "start", lambda: [r for r in terminal.json("ps")["runs"] if r["status"] == "running"]
    )
    return trigger, run


def test_cancel_asks_on_a_terminal_and_keeps_the_run_of_who_does_not_agree(
    terminal: Terminal,
) -> None:
    """It names the run and its age; exit code 1, and the run goes on."""
    trigger, run = _busy(terminal)

    code, shown = on_a_terminal(terminal, "cancel", run["id"], answer=b"n\n")

    assert code == 1
    assert f"Cancel {run['id']}, running for " in shown
    assert "nothing was cancelled" in shown
    assert [r["id"] for r in terminal.json("ps")["runs"]] == [run["id"]]
    code, shown = on_a_terminal(terminal, "cancel", run["id"], answer=b"y\n")
    assert code == 0
    assert f"{run['id']}: cancelled(by user)" in shown
    trigger.communicate()


def test_cancel_asks_nobody_who_agrees_beforehand_or_cannot_answer(terminal: Terminal) -> None:
    """--yes; or no terminal, where it goes ahead as scripts expect."""
    trigger, run = _busy(terminal)

    code, shown = on_a_terminal(terminal, "cancel", run["id"], run["id"], "--yes")

    assert (code, shown.strip()) == (0, f"{run['id']}: cancelled(by user)")
    trigger.communicate()


def test_several_runs_are_asked_about_at_once(terminal: Terminal) -> None:
    """The question names the first ones."""
    trigger, run = _busy(terminal)
    beside = start(terminal, "trigger", "slow", "--force")
    wait_for("start", lambda: len(terminal.json("ps")["runs"]) == 2)

    code, shown = on_a_terminal(terminal, "cancel", "manual-slow-*", answer=b"y\n")

    assert code == 0
    assert "Cancel 2 runs (manual-slow-" in shown
    assert run["id"] in shown
    for process in (trigger, beside):
        process.communicate()


def test_remove_names_what_it_takes_away_in_a_line_of_the_terminal(terminal: Terminal) -> None:
    """However long a command is; in a pipe nothing is cut."""
    command = "echo " + "x" * 300
    terminal.ok("add", "long", "--every", "1h", "--", command)

    code, shown = on_a_terminal(terminal, "remove", "long", "--dry-run")

    assert code == 0
    assert shown.startswith("would remove long (every 1h): echo xxx")
    assert max(map(len, shown.splitlines())) <= 80
    assert terminal.ok("remove", "long").out == f"removed long (every 1h): {command}\n"
