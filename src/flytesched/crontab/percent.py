r"""What ``%`` means in the command of a crontab's line, both ways.

The first ``%`` ends the command; what follows is its stdin, in which each further ``%`` is a
newline. ``\%`` is a percent sign in both parts. Debian's cron (3.0pl1-162, as tried) and its
forefathers also take ``\\`` in the command for one backslash, which no manual says; cronie and
OpenBSD's cron leave two. It is read as in Debian, noted, and never written.
"""

from __future__ import annotations

import re

from flytesched.errors import Invalid

__all__ = ["Inexpressible", "escaped", "fed", "is_ambiguous", "split", "unfed"]

#: The command: anything but a bare percent sign; a backslash takes the next character along.
_COMMAND = re.compile(r"(?:[^\\%]|\\.|\\\Z)*", re.DOTALL)
#: What not every cron reads alike.
_BEYOND = re.compile(r"\\[\\%]")
#: A shell text that begins by giving the shell, and so all it starts, a text to read.
_FED = re.compile(r"exec <<'(STDIN[0-9]*)'\n(.*?)^\1\n(.*)", re.DOTALL | re.MULTILINE)


class Inexpressible(Invalid):
    """What no crontab can say, and what to do instead."""


def split(text: str) -> tuple[str, str]:
    """Return the command that the shell is given, and its stdin.

    As in cron, a stdin that does not end with a newline gets one.
    """
    said = _command(text)
    command = re.sub(r"\\([%\\])", r"\1", said)
    stdin = re.sub(r"\\?%", lambda each: "%" if len(each[0]) == 2 else "\n", text[len(said) + 1 :])
    return command, f"{stdin}\n" if stdin and not stdin.endswith("\n") else stdin


def is_ambiguous(text: str) -> bool:
    r"""Tell whether the command has a ``\\``, which crons read differently."""
    return r"\\" in _command(text)


def escaped(command: str, stdin: str = "") -> str:
    """Return what a crontab's line says for a command and its stdin.

    Raises:
        Inexpressible: the command has several lines, or a backslash that would be taken for an
            escape, by some cron at least.
    """
    if "\n" in command:
        what = "its command has several lines"
        raise Inexpressible(what, hint="put them into a script")
    if _BEYOND.search(f"{command}%" if stdin else command):
        what = (
            r"its command has a backslash before a % or another one, which crons read differently"
        )
        raise Inexpressible(what, hint="put it into a script")
    said = command.replace("%", r"\%")
    return f"{said}%{_as_input(stdin)}" if stdin else said


def _as_input(stdin: str) -> str:
    if "\\\n" in stdin:
        what = "the text on its stdin has a backslash at the end of a line"
        raise Inexpressible(what, hint="put the text into a file")
    without = stdin.removesuffix("\n")
    # The newline that cron adds; it adds none behind another, and none to nothing.
    kept = without if without and not without.endswith("\n") else stdin
    return kept.replace("%", r"\%").replace("\n", "%")


def fed(command: str, stdin: str) -> str:
    """Return a shell text that runs the command with that stdin, in the same shell."""
    if not stdin:
        return command
    lines = set(stdin.split("\n"))
    words = ("STDIN", *(f"STDIN{number}" for number in range(1, len(lines) + 1)))
    end = next(word for word in words if word not in lines)
    return f"exec <<'{end}'\n{stdin}{end}\n{command}"


def unfed(text: str) -> tuple[str, str]:
    """Return the command and the stdin of a text that ``fed`` made; of any other, all and none."""
    match = _FED.fullmatch(text)
    return (match[3], match[2]) if match else (text, "")


def _command(text: str) -> str:
    """Return the part that is the command, as it is written."""
    match = _COMMAND.match(text)
    return text if match is None else match[0]
