"""Examinations of what schedules start, as far as it can be told without starting anything."""

from __future__ import annotations

import os
import re
import stat
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.policies import ExecutorKind
from flytesched.errors import StartError
from flytesched.executors.environment import base_environment, inherited, working_directory
from flytesched.executors.words import is_built_in, program
from flytesched.service.doctor import Level, found, such

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.core.keys import Command
    from flytesched.core.schedule import Schedule
    from flytesched.service.doctor import Finding, Patient

#: The first word of a shell text, where nothing but a program can be meant by it.
_FIRST = re.compile(r"\s*([\w@%+:,./-]+)(?=[;&|]|\s+(?!\()|$)", re.ASCII)
#: A folder that is entered first, which has to be there or nothing behind ``&&`` is started.
_ENTERED = re.compile(r"\s*cd\s+(?!-)([\w@%+:,./-]+)\s*(?:&&|;)", re.ASCII)
#: A variable that is set for the command alone, to a plain value; PATH decides where it is found.
_SET = re.compile(r"\s*(?!PATH=|BASH_ENV=|ENV=)[A-Za-z_]\w*=[\w@%+:,./-]*(?=\s+\S)", re.ASCII)
#: Shells in which such a word is not a thing of somebody's start-up file.
_KNOWN_SHELLS = frozenset({"sh", "dash", "bash"})
_HOOKS = ("on_success", "on_failure", "on_missed", "on_recovered", "on_late", "on_long")
#: The kernel reads so much of a script's first line (execve(2)).
_LINE = 256


class _Fault(NamedTuple):
    """What is wrong with a command; many schedules may share it."""

    level: Level
    what: str
    do: str


def commands(patient: Patient) -> Iterator[Finding]:
    """Tell which programs, scripts, folders and files that schedules need are not there."""
    environ = inherited(patient.environ)
    faults: dict[_Fault, dict[str, None]] = {}
    for schedule in patient.due:
        for fault in _faults(schedule, environ, patient.site.environ):
            faults.setdefault(fault, {})[schedule.name] = None
    for (level, what, do), names in faults.items():
        yield found("commands", level, f"{such([*names])}: {what}", do)
    if not faults:
        what = "what enabled schedules start is there, as far as it can be told"
        yield found("commands", Level.OK, f"{what} ({_count(patient, environ)})")


def _count(patient: Patient, environ: Mapping[str, str]) -> str:
    """Say how many commands could be looked at, and how many are their shell's own matter."""
    read = sum(_is_read(schedule, environ) for schedule in patient.due)
    rest = len(patient.due) - read
    return f"{read:,} looked at" + (f", {rest:,} left to the shell" if rest else "")


def _is_read(schedule: Schedule, environ: Mapping[str, str]) -> bool:
    """Tell whether it can be told which program, or package, a schedule starts first."""
    command = schedule.command
    if schedule.executor is ExecutorKind.PYTHON or command is None or command.text is None:
        return True
    first = _first(schedule, command.text, base_environment(schedule, environ))
    return first is not None and not is_built_in(first.name)


def environment(patient: Patient) -> Iterator[Finding]:
    """Tell whose PATH commands see, and what of this terminal's they do not."""
    if not patient.knows_scheduler:
        what = "commands were looked up on this terminal's PATH; a service may have another"
        yield found("environment", Level.OK, what)
        return
    theirs = _folders(patient.environ)
    more = [each for each in _folders(patient.site.environ) if each not in theirs]
    if more:
        what = f"the scheduler's PATH lacks what this terminal's has: {':'.join(more)}"
        do = "write whole paths in commands, or set PATH with env, if they need one of these"
        yield found("environment", Level.OK, what, do)
    else:
        yield found("environment", Level.OK, "the scheduler's PATH has all of this terminal's")


def _folders(environ: Mapping[str, str]) -> list[str]:
    return [each for each in environ.get("PATH", "").split(":") if each]


def _faults(
    schedule: Schedule, environ: Mapping[str, str], here: Mapping[str, str]
) -> Iterator[_Fault]:
    """Yield what keeps a schedule's command, or a hook, from doing what it is meant to."""
    cwd = working_directory(schedule, environ)
    if not os.access(cwd, os.X_OK) or not Path(cwd).is_dir():
        what = f"cwd {cwd!r} is no folder that can be entered"
        yield _Fault(Level.PROBLEM, what, "make it, or name another cwd")
        return
    try:
        env = base_environment(schedule, environ)
    except StartError as error:
        yield _Fault(Level.PROBLEM, error.message, "mend the file, or leave env_file out")
        return
    place = _Place(cwd, env, here)
    if schedule.executor is ExecutorKind.PYTHON:
        yield from _module_fault(schedule, place)
    elif schedule.command is not None:
        yield from _command_faults(schedule, schedule.command, place, Level.PROBLEM)
    for key in _HOOKS:
        if (hook := getattr(schedule, key)) is not None:
            for fault in _command_faults(schedule, hook, place, Level.WARNING):
                yield fault._replace(what=f"{key}: {fault.what}")


class _Place(NamedTuple):
    """Where a command is looked up."""

    #: Its directory.
    cwd: str
    #: The environment it will have.
    env: Mapping[str, str]
    #: The environment of who asks.
    here: Mapping[str, str]


def _command_faults(
    schedule: Schedule, command: Command, place: _Place, level: Level
) -> Iterator[_Fault]:
    if command.text is None:
        yield from _program_faults(command.argv[0], place, level, alone=True)
        return
    yield from _program_faults(schedule.shell, place, level)
    first = _first(schedule, command.text, place.env)
    if first is not None and not is_built_in(first.name):
        # The folder may be another's to make; a program that is named by a path counts from there.
        cwd = place.cwd if first.folder is None else str(Path(place.cwd, first.folder))
        yield from _program_faults(first.name, place._replace(cwd=cwd), level)


class _First(NamedTuple):
    """What a shell surely starts first."""

    #: As the command names it.
    name: str
    #: The folder it is started in, if one is entered.
    folder: str | None


def _first(schedule: Schedule, text: str, env: Mapping[str, str]) -> _First | None:
    """Return what a shell text surely starts first; None where that cannot be told."""
    # A file that the shell reads first may define anything, and so may other shells' own.
    if Path(schedule.shell).name not in _KNOWN_SHELLS or "BASH_ENV" in env:
        return None
    folder, start = None, 0
    if entered := _ENTERED.match(text):
        folder, start = entered[1], entered.end()
    while given := _SET.match(text, start):
        start = given.end()
    match = _FIRST.match(text, start)
    return None if match is None else _First(match[1], folder)


def _program_faults(
    name: str, place: _Place, level: Level, *, alone: bool = False
) -> Iterator[_Fault]:
    """Yield what is wrong with a program.

    Args:
        name: as the command names it.
        place: where it is looked up.
        level: how bad it is that it does not start.
        alone: whether no shell would read a script that does not say who shall.
    """
    try:
        path = _found(name, place.cwd, place.env)
    except StartError as error:
        yield _Fault(level, error.message, _where_else(name, place))
        return
    if os.stat(path).st_mode & stat.S_IWOTH:  # noqa: PTH116  its neighbours are texts too
        what = f"anybody may change {path!r}, and so what runs"
        yield _Fault(Level.PROBLEM, what, "chmod o-w it")
    if (why := _script_fault(path, place, alone=alone)) is not None:
        yield _Fault(level, *why)


def _found(name: str, cwd: str, env: Mapping[str, str]) -> str:
    """Return the path of a program; a relative one counts from the command's directory."""
    return program(name if "/" not in name or name.startswith("/") else f"{cwd}/{name}", env)


def _where_else(name: str, place: _Place) -> str:
    try:
        path = _found(name, place.cwd, place.here)
    except StartError:
        return "install it, or mend the command"
    return f"this terminal finds {path}: write that, or set PATH with env"


def _script_fault(path: str, place: _Place, *, alone: bool) -> tuple[str, str] | None:
    """Return what is wrong with the first line of a script, and what to do; None if nothing is."""
    try:
        with open(path, "rb") as file:
            line = file.readline(_LINE)
    except OSError:
        return None  # what may only be executed says nothing
    if not line.startswith(b"#!"):
        if alone and line.isascii() and b"\0" not in line:
            return f"{path!r} does not begin with #!", "write #!/bin/sh, say, in its first line"
        return None
    if line.endswith(b"\r\n"):
        return f"{path!r} has the line ends of Windows", "convert it, with dos2unix say"
    words = os.fsdecode(line[2:]).split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words if not word.startswith("-") and "=" not in word]
    for word in words[: 2 if words and Path(words[0]).name == "env" else 1]:
        try:
            program(word, place.env)
        except StartError as error:
            return f"{path!r} wants another program: {error.message}", _where_else(word, place)
    return None


def _module_fault(schedule: Schedule, place: _Place) -> Iterator[_Fault]:
    """Yield whether the package of a callable is nowhere; none is imported to find out."""
    command = schedule.command
    target = "" if command is None else command.text or "".join(command.argv[:1])
    name = target.partition(":")[0].partition(".")[0]
    folders = [place.cwd, *filter(None, place.env.get("PYTHONPATH", "").split(":"))]
    if not _importable(name, folders):
        what = f"no module named {name!r} in {place.cwd} or on the import path"
        yield _Fault(Level.PROBLEM, what, "install it, or name its folder with cwd or PYTHONPATH")


def _importable(name: str, folders: list[str]) -> bool:
    if PathFinder.find_spec(name, folders) is not None:
        return True
    return any(finder.find_spec(name, None) is not None for finder in sys.meta_path)
