"""add without options, in a real terminal: the questions, and nothing before consent."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pexpect
import pytest
from terminal import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terminal import Terminal

#: Seconds that a program may be silent before it counts as broken.
PATIENCE = 60


@pytest.fixture
def start(empty: Terminal) -> Iterator[Callable[..., Any]]:
    """Give a function that starts the program at a terminal that has room for every sentence."""
    started: list[Any] = []

    def begin(*words: str, into: str = "/dev/tty", columns: int = 300) -> Any:
        line = ["-c", 'exec "$@" >"$0"', into, sys.executable, "-m", "flytesched", *words]
        child = pexpect.spawn(
            "/bin/sh", line, cwd=str(empty.home), encoding="utf-8", timeout=PATIENCE,
            env=environment(empty.home) | {"TERM": "dumb", "COLUMNS": ""}, echo=False,
            dimensions=(40, columns),
        )  # fmt: skip
        started.append(child)
        return child

    yield begin
    for child in started:
        child.close(force=True)


def _end(child: Any) -> tuple[int | None, str]:
    """Return the exit code, and what was said since the last expectation."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before.replace("\r\n", "\n")


def _answer(child: Any, question: str, answer: str) -> str:
    """Answer a question once it is asked; return what was said before it."""
    child.expect_exact(question)
    child.sendline(answer)
    said: str = child.before.replace("\r\n", "\n")
    return said


def test_add_asks_for_name_time_and_command_and_writes_after_consent(
    empty: Terminal, start: Callable[..., Any]
) -> None:
    """It shows slots, and the table that it would write."""
    child = start("add")

    greeting = _answer(child, "Name: ", "tea")
    _answer(child, "When (such as: weekdays at 9): ", "weekdays at 17")
    slots = _answer(child, "What to run: ", "echo 'tea is ready'")
    table = _answer(child, f"Write this to {empty.manifest}? [Y/n] ", "")
    code, said = _end(child)

    assert "Nothing is written before you agree" in greeting
    assert slots.count(" 17:00:00+0") == 3
    assert '  cron = "0 17 * * 1-5", Europe/Berlin; next:\n' in slots
    assert table.strip("\n ").splitlines() == [
        "[schedules.tea]",
        '  cron = "0 17 * * 1-5"',
        '  timezone = "Europe/Berlin"',
        "  command = \"echo 'tea is ready'\"",
    ]
    assert code == 0
    assert "added tea; next:\n" in said
    assert tomllib.loads(empty.manifest.read_text())["schedules"] == {
        "tea": {
            "cron": "0 17 * * 1-5", "timezone": "Europe/Berlin", "command": "echo 'tea is ready'",
        }
    }  # fmt: skip


def test_nonsense_is_asked_about_again(empty: Terminal, start: Callable[..., Any]) -> None:
    """With what may have been meant."""
    empty.ok("add", "tea", "--every", "5m", "--", "true")
    child = start("add")

    _answer(child, "Name: ", "../x")
    assert "flytesched: '../x' is not a name for a schedule\nhint: use letters" in _answer(
        child, "Name: ", "tea"
    )
    assert "there is a schedule 'tea' already\nhint: choose another" in _answer(
        child, "Name: ", "cake"
    )
    _answer(child, "When", "99 * * * *")
    minute = _answer(child, "When", "daily at 24:00")
    assert "99 is not one of 0 to 59" in minute
    assert "hint: None" not in minute
    assert "hint: None" not in _answer(child, "When", "dayly at 9")
    assert "hint: did you mean 'daily'?" in _answer(child, "When", "0 25 * * *")
    assert "25 is not one of 0 to 23" in _answer(child, "When", "yesterday 9:00")
    assert "at: has passed" in _answer(child, "When", "on the 31st of february")
    assert "hint: write such as: every 5 minutes" in _answer(
        child, "When", "once on 2998-05-01 9:00"
    )
    assert 'at = "2998-05-01T09:00:00", Europe/Berlin; next:' in _answer(child, "What to run", "")
    assert "there is no command\nhint: write what" in _answer(child, "What to run", "true")
    _answer(child, "[Y/n]", "perhaps")
    _answer(child, "[Y/n]", "YES")

    assert _end(child)[0] == 0
    assert empty.json("show", "cake")["schedule"]["next"] == "2998-05-01T07:00:00Z"


def test_in_a_narrow_terminal_sentences_and_questions_break_between_words(
    empty: Terminal, start: Callable[..., Any]
) -> None:
    """Never within one, as long as it may be."""
    child = start("add", "tea", columns=40)

    greeting = _answer(child, "When (such as: weekdays at 9): ", "every 5 minutes")
    _answer(child, "What to run", "true")
    _answer(child, f"Write this to\r\n  {empty.manifest}?\r\n  [Y/n] ", "no")

    assert greeting.splitlines()[:3] == [
        "A new schedule. Nothing is written",
        "  before you agree; Ctrl-C leaves at any",
        "  time.",
    ]
    assert _end(child)[0] == 1


def test_a_name_that_is_given_is_not_asked_for(empty: Terminal, start: Callable[..., Any]) -> None:
    """Other options that say neither when nor what count too."""
    child = start("add", "tea", "--disabled", "--dry-run")

    _answer(child, "When", "every 5 minutes")
    _answer(child, "What to run", "true")
    assert "enabled = false" in _answer(child, "[Y/n]", "y")
    code, said = _end(child)

    assert code == 0
    assert "would add tea\n" in said
    assert list(empty.home.iterdir()) == []


@pytest.mark.parametrize(("key", "answers"), [
    ("\x03", 0), ("\x04", 0), ("\x03", 1), ("\x04", 2), ("\x03", 3),
])  # fmt: skip
def test_ctrl_c_and_ctrl_d_leave_nothing_behind(
    empty: Terminal, start: Callable[..., Any], key: str, answers: int
) -> None:
    """At whichever question; exit code 130."""
    child = start("add")
    questions = ("Name: ", "When", "What to run: ", "[Y/n] ")
    for question, said in zip(questions[:answers], ("tea", "noon", "true"), strict=False):
        _answer(child, question, said)
    child.expect_exact(questions[answers])
    if answers == 1:
        child.expect_exact(": ")

    child.send(key)

    code, said = _end(child)
    assert code == 130
    assert said.endswith("nothing was written\n")
    assert list(empty.home.iterdir()) == []


def test_who_does_not_agree_keeps_the_manifest_as_it_is(
    empty: Terminal, start: Callable[..., Any]
) -> None:
    """Exit code 1, as with every refused consent."""
    child = start("add", "tea")
    _answer(child, "When", "noon")
    _answer(child, "What to run", "true")
    _answer(child, "[Y/n]", "n")

    code, said = _end(child)
    assert (code, said.strip()) == (1, "nothing was written")
    assert list(empty.home.iterdir()) == []


def test_a_broken_manifest_is_said_before_any_question(
    empty: Terminal, start: Callable[..., Any]
) -> None:
    """Or the answers would be lost."""
    empty.write("version = 1\n[schedules.x\n")

    code, said = _end(start("add", "tea"))

    assert code == 5
    assert "schedules.toml:2: is not TOML" in said
    assert "When" not in said


def test_questions_and_answers_never_end_up_in_a_pipe(
    empty: Terminal, start: Callable[..., Any]
) -> None:
    """What is written there is what was done."""
    child = start("add", into="out")
    for question, said in (("Name: ", "tea"), ("When", "noon"), ("What", "true"), ("[Y/n]", "")):
        _answer(child, question, said)

    assert _end(child)[0] == 0
    assert (empty.home / "out").read_text().startswith("added tea; next:\n")


@pytest.mark.parametrize("words", [["add"], ["add", "tea"]])
def test_where_nobody_can_answer_nothing_is_asked(empty: Terminal, words: list[str]) -> None:
    """A script gets the error of usage."""
    said = empty.run(*words)

    assert said.code == 2
    assert "the name is missing" in said.err or "there is no command" in said.err
    assert "hint: write" in said.err
    assert list(empty.home.iterdir()) == []
