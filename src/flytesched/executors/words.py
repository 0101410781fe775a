"""Which program a command means, and with which arguments."""

from __future__ import annotations

import functools
import os
import re
import shlex
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.core.policies import ExecutorKind
from flytesched.errors import StartError
from flytesched.executors.environment import kickoff_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.core.protocols import Order

SHELL = "/bin/sh"
#: Where programs are looked up without a PATH; execvp(3) and dash have their own, longer or not.
_PATH = "/usr/local/bin:/usr/bin:/bin"
#: A string of such characters means the same to a shell as cut at its blanks.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./ \t-]*")
#: One external command, with what a shell puts in and where it sends the output: its structure
#: does not depend on any value.
_ONE_COMMAND = re.compile(
    r"""
    [\w@%+:,./-]+ (?: [ \t]+ (?:
        [\w@%+=:,./~*?\ \t-]                                # as it is, with patterns
        | \$[A-Za-z_] | \$\{[A-Za-z_]\w*\}                   # variables
        | '[^']*' | "(?: [^"\\`$!] | \$[A-Za-z_] | \$\{[A-Za-z_]\w*\} )*"
        | >> | [<>]& | > | <(?![<>])                        # redirections
    )* )?
    """,
    re.ASCII | re.VERBOSE,
)
#: What may tell a copy of a shell from a new one, quoted or not.
_TELLS_COPIES_APART = re.compile(
    r"""(?:^|[;&|({!\n]|\b(?:then|do|else|elif|if|while|until|command|exec|env)\s|\w=\S*\s)\s*["']?[$`]|\$["'\\]*\{?["'\\]*\$|PPID|trap|eval|alias|source|set\s|(?:^|[^\w./~-])\.(?:\s|$)""",
    re.MULTILINE,
)
#: Shells whose ways with the one simple command of ``sh -c`` are known.
_KNOWN = frozenset({"dash", "bash"})
#: First words that these shells carry out themselves.
_BUILT_IN = frozenset(
    {
        "!", ".", ":", "[", "[[", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd",
        "chdir", "command", "compgen", "complete", "compopt", "continue", "coproc", "declare",
        "dirs", "disown", "do", "done", "echo", "elif", "else", "enable", "esac", "eval", "exec",
        "exit", "export", "false", "fc", "fg", "fi", "for", "function", "getopts", "hash", "help",
        "history", "if", "in", "jobs", "kill", "let", "local", "logout", "mapfile", "popd",
        "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "select", "set",
        "shift", "shopt", "source", "suspend", "test", "then", "time", "times", "trap", "true",
        "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while", "{",
        "}",
    }
)  # fmt: skip


def words(order: Order, env: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the program to execute and its argument vector, its own name first.

    Relative names count from the current directory, which has to be the command's.

    Raises:
        StartError: there is no such program.
    """
    schedule = order.schedule
    command = schedule.command
    if command is None:
        msg = f"schedule {schedule.name!r} has no command"
        raise StartError(msg)
    extra = []
    if schedule.kickoff_time_arg is not None:
        extra = [schedule.kickoff_time_arg, kickoff_text(order)]
    if schedule.executor is ExecutorKind.PYTHON:
        # -P: the directory of the command must not stand in for modules of the interpreter;
        # the callee adds it once its own imports are done.
        callee = [sys.executable, "-P", "-m", "flytesched.executors.call"]
        return sys.executable, [*callee, *(command.argv or (command.text or "",)), *extra]
    if command.text is not None:
        return _shell_words(command.text, extra, schedule.shell, env)
    return program(command.argv[0], env), [*command.argv, *extra]


def program(name: str, env: Mapping[str, str]) -> str:
    """Return the path of a program, looked up on PATH as a shell would.

    Raises:
        StartError: there is none, or it may not be executed.
    """
    if "/" in name:
        if _executable(name):
            return name
        what = "is not executable" if Path(name).exists() else "does not exist"
        msg = f"{name!r} {what}"
        raise StartError(msg)
    for folder in env.get("PATH", _PATH).split(":"):
        path = f"{folder}/{name}" if folder else f"./{name}"
        if _executable(path):
            return path
    msg = f"no such command {name!r}"
    raise StartError(msg)


def is_built_in(name: str) -> bool:
    """Tell whether a shell might carry out a command of that name itself."""
    return "/" not in name and (name in _BUILT_IN or not shell_is_known())


@functools.cache
def shell_is_known() -> bool:
    """Tell whether ``/bin/sh`` is a shell whose ways with simple commands are known."""
    return Path(SHELL).resolve().name in _KNOWN


def _shell_words(
    text: str, extra: list[str], shell: str, env: Mapping[str, str]
) -> tuple[str, list[str]]:
    if extra:
        # A line break at its end would make a command of its own of the argument.
        text = " ".join([text.rstrip(), *map(shlex.quote, extra)])
    if shell == SHELL and (plain := plain_words(text)) is not None:
        try:
            return program(plain[0], env), plain
        except StartError:
            pass  # the shell shall say in the log what it misses
    return program(shell, env), [shell, "-c", text]


def plain_words(text: str) -> list[str] | None:
    """Return the words of a command without any shell syntax; None if the shell has to read it.

    Executing such a command directly comes to the same: dash and bash execute the one simple
    command they are given as it stands, some in their own place and some in a child. It saves the
    shell's start, the larger part of what running a small command costs.
    """
    if _PLAIN.fullmatch(text) is None:
        return None
    found = text.split()
    if not found or "=" in found[0] or is_built_in(found[0]):
        return None
    return found


def reads_alike(text: str) -> bool:
    """Tell whether a copy of its supervisor reads a command's text as a new shell would.

    It is a third of what starting such a command costs. The copy has its parent's ``$$``, and is
    told from its parent by the signals that it does not trap; so texts that may ask for the one or
    change the other get a shell of their own, as do those that read further files.
    """
    return _TELLS_COPIES_APART.search(text) is None and _reads_in_copies()


def is_one_command(text: str) -> bool:
    """Tell whether a shell text is one external command, and nothing of the shell's own."""
    if _ONE_COMMAND.fullmatch(text) is None:
        return False
    return not is_built_in(text.split(None, 1)[0])


@functools.cache
def _reads_in_copies() -> bool:
    """Tell whether ``/bin/sh`` is the shell whose copies are known to behave."""
    return Path(SHELL).resolve().name == "dash"


def _executable(path: str) -> bool:
    try:
        # os.access says yes to folders, which one may enter.
        return os.access(path, os.X_OK) and stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116  hot
    except OSError:
        return False
