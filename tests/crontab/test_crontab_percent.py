r"""What ``%`` means: a command, its stdin, and a shell text that has both."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flytesched.crontab.percent import Inexpressible, escaped, fed, split, unfed

LINES = st.text("ab%\\ '\"#$", max_size=12)
TEXTS = st.text("ab%\\ '\n", max_size=12)


@pytest.mark.parametrize(
    ("line", "command", "stdin"),
    [
        ("true", "true", ""),
        (r"date +\%F", "date +%F", ""),
        (r"date +'\%Y\%m'", "date +'%Y%m'", ""),
        ("cat%hello", "cat", "hello\n"),
        ("cat%hello%", "cat", "hello\n"),
        ("cat%a%b%%c", "cat", "a\nb\n\nc\n"),
        (r"cat%100\% sure", "cat", "100% sure\n"),
        ("cat%", "cat", ""),
        ("cat%%", "cat", "\n"),
        (r"echo \\ \n \a", r"echo \ \n \a", ""),
        (r"echo \\%in", "echo \\", "in\n"),
        (r"echo \\\%in", r"echo \%in", ""),
        (r"cat%a\\%b", "cat", "a\\%b\n"),
        ("echo \\", "echo \\", ""),
        ("%only", "", "only\n"),
    ],
)
def test_a_percent_sign_ends_the_command_unless_escaped(
    line: str, command: str, stdin: str
) -> None:
    """A row each, as Debian's cron gives it to the shell (tried with 3.0pl1-162)."""
    assert split(line) == (command, stdin)


def _as_cron_reads(line: str) -> tuple[str, str]:
    """Read character by character, as cron does: an oracle that shares nothing with ours."""
    command, kept, at = "", False, 0
    while at < len(line):
        char = line[at]
        if kept:
            command = command[:-1] + char if char in "%\\" else command + char
            kept = False
        elif char == "%":
            break
        else:
            command += char
            kept = char == "\\"
        at += 1
    stdin, kept = "", False
    for char in line[at + 1 :]:
        said = char
        if kept:
            stdin += "" if char == "%" else "\\"
        elif char == "%":
            said = "\n"
        kept = said == "\\"
        stdin += "" if kept else said
    stdin += "\\" if kept else ""
    return command, stdin + "\n" * bool(stdin and not stdin.endswith("\n"))


@given(LINES)
def test_every_line_is_read_as_cron_reads_it(line: str) -> None:
    """Whatever backslashes and percent signs stand in it."""
    assert split(line) == _as_cron_reads(line)


@given(TEXTS.filter(lambda text: "\n" not in text), TEXTS)
def test_what_can_be_written_is_read_again(command: str, stdin: str) -> None:
    """And what cannot is refused, not bent."""
    whole = stdin if not stdin or stdin.endswith("\n") else f"{stdin}\n"
    try:
        line = escaped(command, whole)
    except Inexpressible:
        disputed = re.search(r"\\[\\%]", command + "%" * bool(whole))
        assert disputed or "\\\n" in whole
        return
    assert "\n" not in line
    assert split(line) == (command, whole)


@given(TEXTS, TEXTS)
def test_a_shell_text_with_a_stdin_is_taken_apart_again(command: str, stdin: str) -> None:
    """Even if the command looks like one."""
    whole = stdin if not stdin or stdin.endswith("\n") else f"{stdin}\n"

    text = fed(command, whole)

    if whole:
        assert unfed(text) == (command, whole)
    else:
        assert text == command


@settings(max_examples=25)
@given(st.text("aST\\$`'\"% \n", min_size=1, max_size=30))
def test_the_shell_gives_the_command_that_stdin(stdin: str) -> None:
    """Nothing in it is expanded, and the exit code is the command's."""
    whole = stdin if stdin.endswith("\n") else f"{stdin}\n"

    done = subprocess.run(
        ["/bin/sh", "-c", fed("cat; exit 3", whole)], capture_output=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert (done.stdout.decode(), done.returncode) == (whole, 3)


def test_a_text_that_holds_the_end_mark_gets_another() -> None:
    """So that no line of it ends the text."""
    assert fed("cat", "STDIN\nSTDIN1\n").startswith("exec <<'STDIN2'\n")


@pytest.mark.parametrize(
    ("command", "stdin", "says"),
    [
        ("a\nb", "", "its command has several lines"),
        (r"date +\%F", "", "its command has a backslash before a %"),
        (r"echo \\", "", "its command has a backslash before a % or another one"),
        ("cat \\", "in\n", "its command has a backslash before a %"),
        ("cat", "a\\\nb\n", "the text on its stdin has a backslash at the end of a line"),
    ],
)
def test_what_no_line_can_say_is_refused(command: str, stdin: str, says: str) -> None:
    """With what to do instead."""
    with pytest.raises(Inexpressible, match=says) as refused:
        escaped(command, stdin)

    assert refused.value.hint
