"""A text that a copy of its supervisor reads means what it means to a shell of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from executors_desk import eventually, written

from flytesched.core.runs import End
from flytesched.executors.words import is_one_command, reads_alike

if TYPE_CHECKING:
    from executors_desk import Desk

dash = pytest.mark.skipif(
    Path("/bin/sh").resolve().name != "dash", reason="copies of other shells are not used"
)

#: Texts of every kind that people write, and some that they should not.
TEXTS = [
    "echo a; echo b",
    "echo out; echo err >&2",
    "true && exit 3",
    "false || exit 4; exit 5",
    "exit",
    "false; exit",
    "echo $#; echo \"$0\"; echo \"$*\"; echo \"${1-none}\"",
    "set_me=1; echo $set_me; echo ${e-unset} ${c-unset}",
    "x=$(echo inner; exit 6); echo $x $?",
    "echo `echo old`",
    "(exit 7)",
    "(cd /; pwd); pwd | grep -c .",
    "{ echo group; exit 8; } | cat",
    "cat <<END\nhere $HOME\nEND\n",
    "cat <<'END'\nas it is: $HOME \\\nEND",
    "f() { echo in f $1 $#; return 9; }\nf x; echo $?",
    "for i in 1 2 3; do echo $i; done; while false; do :; done",
    "case abc in a*) echo yes;; *) echo no;; esac",
    "if test -d /; then echo dir; fi",
    "# only a comment",
    "\n\necho after blank lines\n\n",
    "echo 'single \" quotes' \"double ' quotes\" back\\slash",
    "echo 'ümläut' ☃",
    "echo one \\\n  two",
    "umask 027; umask",
    "sleep 0 & wait; echo waited $?",
    "sh -c 'kill -TERM 0'; echo survived",
    "no-such-program-at-all",
    "no-such-program-at-all; echo $?",
    "/etc/passwd; :",
    "echo )",
    ") ; echo escaped; (",
    "echo unfinished \"quote",
    "echo ${unset?this is missing}; echo not reached",
    "readonly r=1; r=2; echo not reached",
    "exec echo replaced",
    "exec 3>&1; echo three >&3",
    "exec >/dev/null; echo hidden",
    "read line; echo read $? \"$line\"",
    "echo $-",
    "printf '%s|' a 'b c' \"$(printf 'd\\ne')\"",
    "ulimit -n >/dev/null && echo limited",
    "cd /no/such/place; echo $?",
    "echo $((6 * 7))",
    "echo ${FLYTESCHED_RUN_ID%%-*}",
    "! true",
    "test $PWD = \"$(pwd)\"; echo $?",
    "command -v cat >/dev/null; echo $?",
    "unset HOME; echo ${HOME-gone}",
    "export A=b; sh -c 'echo $A'",
    "true; \\\n",
    "times >/dev/null; echo $?",
    "break; echo after break",
    "return 3; echo after return",
    "local x=1; echo local $?",
    "shift; echo shifted $?",
    "echo a;; echo b",
    "/bin/echo a  'b  c' \"d $HOME ${HOME}\" $HOME ${HOME} *.none ~ >&2",
    "/bin/sh -c 'echo out; echo err >&2; exit 3' >/dev/null 2>&1",
    "/bin/sh -c 'echo out; echo err >&2; exit 3' 2>&1 >/dev/null",
    "cat </etc/hostname>/dev/stdout",
    "cat </no/such/file",
    "cat /etc/hostname >/no/such/folder/file",
    "no-such-program-at-all x >/dev/null",
    "no-such-program-at-all x 2>&1",
    "/etc/passwd >/dev/null",
    "env $UNSET \"$UNSET\" >/dev/null",
    "cat <&1 >&- 2>&-",
    "sleep 0 >/dev/null &",
    "/bin/echo a>/dev/null; /bin/echo b",
    "/bin/echo a \\\n  b >&1",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_does_the_same_beside_its_supervisor_as_alone(desk: Desk, text: str) -> None:
    """Output and exit code; only what dash says of errors names the word that read the text."""
    alone = desk.start(text, survive=False)
    first = desk.outcome()
    under = desk.start(text)
    second = desk.outcome()

    assert (second.end, second.exit_code) == (first.end, first.exit_code)
    assert re.sub(r"\beval: ", "", desk.log(under)) == desk.log(alone)


@pytest.mark.parametrize(
    "text",
    [
        "work", "work >>log 2>&1", "/usr/bin/work -v --day=$DAY >/dev/null",
        "work 'a;b' \"c|d ${E}\" </dev/null", "rm -f /tmp/x-*.log ~/y",
    ],
)  # fmt: skip
def test_one_command_is_told_from_many(text: str) -> None:
    assert is_one_command(text)


@pytest.mark.parametrize(
    "text",
    [
        "a; b", "a && b", "a | b", "a &", "a\nb", "A=b c", "echo a >b", "cd /", "if a", "a $(b)",
        "a `b`", 'a "$(b)"', 'a "`b`"', "a <<END", "a <>b", "a >|b", "a >(b)", "$A b", '"a" b',
        ">a b", "a # b", "a $1", "a 'b", 'a "b', "a {b", "(a)", "a !", "a \\; b", "", "ä b",
        "2>x a", "2>x", "e'cho' b", "a>b", '"$(a)', "a ${B:-c}", 'a "${B%%c}"',
    ],
)  # fmt: skip
def test_anything_else_is_left_to_the_shell(text: str) -> None:
    assert not is_one_command(text)


@pytest.mark.parametrize(
    "text",
    [
        "echo $$", 'echo "$$"', "echo ${$}", "echo $PPID", "echo ${PPID}", "trap 'echo x' EXIT",
        'eval "echo \\$\\$"', "alias x=y", ". ./env.sh; run", "a; . /etc/profile", "(. x)",
        ".\t./x", "$SETUP; work", '"$SETUP"; work', "a; $B", "a && ${B} c", "if $A; then b; fi",
        "`a`; b", "A=b $C; d", "exec $A; b",
        "set -e; false", "set -- a b; echo $2", "source x", "echo $'$'",
    ],
)  # fmt: skip
def test_a_text_that_may_tell_a_copy_from_a_shell_gets_a_shell(text: str) -> None:
    assert not reads_alike(text)


@dash
@pytest.mark.parametrize(
    "text",
    [
        "a; b",
        "./a.sh; b",
        "echo 1.5 . x",
        "cd ..; ls . && ls ./x",
        "ls $HOME/.x",
        "a >>$LOG",
        "A=$B; c $A",
        "for i in $A; do b $i; done",
        "test $A = b && c",
    ],
)
def test_other_texts_are_read_by_a_copy(text: str) -> None:
    # A dot alone reads a file where it is the first word, which is not looked at that closely.
    assert reads_alike(text) is (" . " not in text)


def test_a_process_id_is_that_of_the_command_and_a_signal_to_it_ends_it(desk: Desk) -> None:
    """Scripts that write a pid file are killed by it."""
    pid = desk.state / "pid"
    desk.start(f"echo $$ >{pid}; sleep 60; echo not reached")
    os.kill(int(written(pid)), signal.SIGTERM)

    outcome = desk.outcome()
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 143)


@dash
def test_no_second_shell_is_started_for_a_text(desk: Desk) -> None:
    go = desk.state / "go"
    attempt = desk.start(f"echo up >{go}; sleep 60; :")
    written(go)

    programs = [
        Path(f"/proc/{line.split()[0]}/cmdline").read_bytes().split(b"\0")[0]
        for line in session(attempt.pid or 0)
    ]
    desk.launcher.terminate(attempt.key)
    assert programs.count(b"sleep") == 1
    assert b"/bin/sh" not in programs
    assert desk.outcome().exit_code == 143


def session(leader: int) -> list[str]:
    """Return the processes of a session that live: id and state."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(leader)], stdout=subprocess.PIPE, text=True
    )
    return [line for line in found.stdout.splitlines() if "Z" not in line.split()[1]]


@pytest.mark.parametrize("number", ["terminate", "kill"])
@pytest.mark.parametrize(
    "text",
    [
        "while :; do :; done", "sleep 60; :", "sleep 60 | cat", "(sleep 60; echo x) & wait",
        "while :; do sleep 0.01; done",
    ],
)  # fmt: skip
def test_everything_of_a_text_is_ended_but_its_supervisor(
    desk: Desk, text: str, number: str
) -> None:
    """The copy looks like its supervisor in every list of processes."""
    attempt = desk.start(f"echo up >{desk.state}/up; {text}")
    written(desk.state / "up")
    getattr(desk.launcher, number)(attempt.key)

    outcome = desk.outcome()
    assert outcome.end is End.EXITED
    assert outcome.exit_code == (143 if number == "terminate" else 137)
    assert not session(attempt.pid or 0)


@pytest.mark.parametrize("text", ["sleep 60; :", "sleep 60 >/dev/null"])
def test_a_command_told_to_end_just_when_it_begins_ends(desk: Desk, text: str) -> None:
    """Between the fork of the copy and its first command there is no moment that swallows TERM."""
    for _ in range(60):
        attempt = desk.start(text)
        desk.launcher.terminate(attempt.key)
        outcome = desk.outcome()
        assert (outcome.end, outcome.exit_code) == (End.EXITED, 143)


@dash
def test_what_a_killed_supervisor_leaves_of_a_text_is_ended(desk: Desk) -> None:
    """Its copy is nobody's supervisor."""
    up = desk.state / "up"
    attempt = desk.start(f"echo up >{up}; while :; do sleep 0.01; done")
    written(up)
    os.kill(attempt.pid or 0, signal.SIGKILL)

    assert desk.outcome().end is End.LOST
    assert eventually(lambda: not session(attempt.pid or 0))
