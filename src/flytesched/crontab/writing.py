"""Schedules as a crontab: a text with the same meaning, and what no crontab can say."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from flytesched.core.policies import CatchupPolicy, ExecutorKind, OnInterrupted, OverlapPolicy
from flytesched.crontab.percent import Inexpressible, escaped, unfed
from flytesched.crontab.tables import PATH, SHELL
from flytesched.crontab.times import cron_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.core.schedule import Schedule

#: Bytes of a command, and of a variable, that Debian's cron reads.
_MOST = 998
#: Keys that no crontab knows, and what to do instead.
_UNKNOWN = {
    "jitter": "let the command sleep for a while",
    "env_file": "let the command read it",
    "kickoff_time_arg": "let the command look at the time itself",
    "timeout": "put timeout(1) in front of the command",
    "retry": "let the command try again itself",
    "on_success": "let the command do it",
    "on_failure": "let the command do it",
    "on_missed": "cron knows nothing of what it missed",
    "on_recovered": "let the command do it",
    "on_late": "cron knows nothing of what is late",
    "on_long": "let the command look at the time itself",
    "notify": "let the command do it",
    "ping_url": "let the command call it",
    "paused_until": "export it when the pause is over",
}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_RUN_VARIABLE = re.compile(r"FLYTESCHED_[A-Z_]+")
_QUOTES = ('"', "'")
#: Variables that cron gives another user's command itself.
_WHOSE = frozenset({"LOGNAME", "USER"})
#: What cron does otherwise.
_OVERLAPS = "cron starts it although the last run still runs; put flock(1) in front of the command"
_NO_CATCHUP = "cron never makes up what was missed"
_PATH = f"cron gives it PATH={PATH}; set PATH in env if it needs more"
_ZONE = "it needs CRON_TZ, which cronie knows; Debian's cron ignores it, and takes its own clock"
_OFF = "it is disabled: its line is a comment"


class Start(NamedTuple):
    """What a line starts."""

    #: What it says behind its fields.
    command: str
    #: Variables that have to be in force.
    variables: dict[str, str]
    #: Whose job it is, if the crontab says that.
    user: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A schedule as lines of a crontab."""

    #: Name of the schedule.
    name: str
    #: What it is for.
    description: str | None
    #: The fields of its lines.
    expressions: tuple[str, ...]
    #: Whose job it is, if the crontab says that.
    user: str | None
    #: What the line says behind its fields.
    command: str
    #: Variables that have to be in force, CRON_TZ included.
    variables: Mapping[str, str]
    #: Whether its slots fall due.
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A schedule that no crontab can hold."""

    #: Name of the schedule.
    name: str
    #: What it is for.
    description: str | None
    #: Each thing that cannot be said.
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A crontab, and what is missing in it."""

    #: The crontab.
    text: str
    #: What it has no line for.
    refused: tuple[Refused, ...]
    #: What cron does otherwise: the reason, and the names of the schedules.
    notes: Mapping[str, tuple[str, ...]]


def write(schedules: Iterable[Schedule], *, timezone: str, user: str | None = None) -> Written:
    """Return a crontab that starts what the schedules start, when they start it.

    Args:
        schedules: in their order; those that need other settings come later.
        timezone: the machine's, which needs no CRON_TZ.
        user: whose crontab it is, for the format of /etc/crontab; None for a user's own.
    """
    each = list(schedules)
    found = [_entry(schedule, timezone, user) for schedule in each]
    entries = [entry for entry in found if isinstance(entry, Entry)]
    entries.sort(key=lambda entry: _needs(entry, timezone))
    refused = tuple(entry for entry in found if isinstance(entry, Refused))
    kept = {entry.name for entry in entries}
    notes = _notes([schedule for schedule in each if schedule.name in kept], entries, timezone)
    return Written(text=_text(entries, refused, timezone), refused=refused, notes=notes)


def _entry(schedule: Schedule, timezone: str, user: str | None) -> Entry | Refused:
    reasons = _beyond(schedule)
    try:
        times = cron_times(schedule.timing, timezone)
    except Inexpressible as error:
        reasons.append(f"{error.message}; {error.hint}")
    try:
        start = _commanded(schedule, user)
    except Inexpressible as error:
        reasons.append(f"{error.message}; {error.hint}")
    name, description = schedule.name, schedule.description
    if reasons:
        return Refused(name=name, description=description, reasons=tuple(reasons))
    return Entry(
        name=name, description=description, expressions=times.expressions, user=start.user,
        command=start.command, enabled=schedule.enabled,
        variables={**start.variables, "CRON_TZ": times.timezone},
    )  # fmt: skip


def _beyond(schedule: Schedule) -> list[str]:
    """Return the keys that say what no crontab can."""
    said: dict[str, Any] = {key: getattr(schedule, key) for key in _UNKNOWN}
    said["retry"] = schedule.retry.max_attempts > 1
    found = [f"a crontab has no {key}; {_UNKNOWN[key]}" for key, value in said.items() if value]
    if schedule.timing.days_off is not None:
        found.append("a crontab has no calendars; let the command see whether the day is off")
    if schedule.executor is ExecutorKind.PYTHON:
        found.append("cron runs no Python functions; write a command that calls it")
    if schedule.on_interrupted is OnInterrupted.RERUN:
        found.append("cron does not run again what a crash interrupted; remove on_interrupted")
    return found


def _commanded(schedule: Schedule, user: str | None) -> Start:
    """Return what a line starts.

    Raises:
        Inexpressible: there is no such line.
    """
    start = _start(schedule, user)
    command, stdin = unfed(start.command.strip("\n"))
    if named := _RUN_VARIABLE.search(command + stdin):
        what = f"its command reads {named[0]}, which cron does not set"
        raise Inexpressible(what, hint="let it look at the time itself")
    command = _in_folder(schedule.cwd, start.variables.get("HOME"), command.lstrip(" \t"))
    said = escaped(command, stdin)
    if said.startswith("*"):
        what = "its command begins with *, which cron takes for a field too many"
        raise Inexpressible(what, hint="put it into a script")
    if len(said.encode(errors="replace")) > _MOST:
        what = f"its command has over {_MOST} bytes, more than Debian's cron reads"
        raise Inexpressible(what, hint="put it into a script")
    for name, value in start.variables.items():
        _assignment(name, value)
    return start._replace(command=said)


def _start(schedule: Schedule, user: str | None) -> Start:
    """Return the text for a shell that has it all but the directory."""
    command = schedule.command
    if command is None:
        what = "it has no command"
        raise Inexpressible(what, hint="give it one")
    env = {"PATH": PATH, **schedule.env}
    if command.text is not None:
        return Start(command.text, {"SHELL": schedule.shell, **env}, user)
    match command.argv:
        case ("runuser", "-u", whose, "--", shell, "-c", text) if user is not None:
            kept = {name: value for name, value in env.items() if name not in _WHOSE}
            return Start(text, {"SHELL": shell, **kept}, whose)
    return Start(shlex.join(command.argv), {"SHELL": SHELL, **env}, user)


def _in_folder(cwd: str | None, home: str | None, command: str) -> str:
    """Return the command as it runs in ``cwd`` when started in ``home``, where cron starts it."""
    if home is not None and cwd != home:
        what = "cron would run it in the HOME that env sets"
        raise Inexpressible(what, hint="set cwd to the same directory")
    if cwd in {None, home, "~"}:
        return command
    return f"cd {_path(cwd or '')} || exit; {command}"


def _path(cwd: str) -> str:
    """Return a directory as a shell takes it; ``~`` stays for the shell to read."""
    if cwd.startswith("~/"):
        return f"~/{shlex.quote(cwd[2:])}"
    return shlex.quote(cwd)


def _assignment(name: str, value: str) -> str:
    """Return the line that sets a variable.

    Raises:
        Inexpressible: cron takes no such value, in which nothing can be escaped.
    """
    if name == "LOGNAME":
        what = "cron sets LOGNAME itself"
        raise Inexpressible(what, hint="remove it from env")
    plain = value and value == value.lstrip() and value[0] not in _QUOTES
    quote = "" if plain else next((mark for mark in _QUOTES if mark not in value), None)
    # Debian's cron takes blanks away at the end even within quotes.
    lost = value != value.rstrip() or "\n" in value
    if quote is None or lost or len(value.encode(errors="replace")) > _MOST - len(name):
        what = f"a crontab cannot set {name} to that value"
        raise Inexpressible(what, hint="let the command set it")
    return f"{name}={quote}{value}{quote}"


def _needs(entry: Entry, timezone: str) -> tuple[bool, bool, str, int]:
    """Return what sorts entries: those that need the fewest settings first.

    A crontab can set a variable and never take it back; a HOME above all, which no line says.
    """
    zone = entry.variables["CRON_TZ"]
    return "HOME" in entry.variables, zone != timezone, zone, len(entry.variables)


def _notes(
    schedules: Sequence[Schedule], entries: Sequence[Entry], timezone: str
) -> dict[str, tuple[str, ...]]:
    """Return what cron does otherwise, each with the schedules it is true of."""
    zoned = {entry.name for entry in entries if entry.variables["CRON_TZ"] != timezone}
    rules: dict[str, Callable[[Schedule], bool]] = {
        _OVERLAPS: lambda each: each.overlap is not OverlapPolicy.ALLOW,
        _NO_CATCHUP: lambda each: each.catchup is not CatchupPolicy.NONE,
        _PATH: lambda each: "PATH" not in each.env,
        _ZONE: lambda each: each.name in zoned,
        _OFF: lambda each: not each.enabled,
    }
    found = {
        what: tuple(each.name for each in schedules if applies(each))
        for what, applies in rules.items()
    }
    return {what: names for what, names in found.items() if names}


def _text(entries: Sequence[Entry], refused: Sequence[Refused], timezone: str) -> str:
    in_force = {"CRON_TZ": timezone, "PATH": PATH, "SHELL": SHELL}
    blocks = ["# made by: flytesched export crontab\n"]
    for entry in entries:
        blocks.append("".join(f"{line}\n" for line in _lines(entry, in_force)))
        in_force |= entry.variables
    for each in refused:
        lines = [*_comments(each.name, each.description)]
        lines += [f"# left out: {reason}" for reason in each.reasons]
        blocks.append("".join(f"{line}\n" for line in lines))
    return "\n".join(blocks)


def _lines(entry: Entry, in_force: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of an entry; what earlier ones set and it does not have is unset."""
    for name, value in entry.variables.items():
        if in_force.get(name) != value:
            yield _assignment(name, value)
    gone = sorted(in_force.keys() - entry.variables.keys())
    command = f"unset {' '.join(gone)}; {entry.command}" if gone else entry.command
    whose = "" if entry.user is None else f"{entry.user} "
    for number, expression in enumerate(entry.expressions, 1):
        name = entry.name if number == 1 else f"{entry.name}-{number}"
        yield from _comments(name, entry.description)
        off = "" if entry.enabled else "# disabled: "
        yield f"{off}{expression} {whose}{command}"


def _comments(name: str, description: str | None) -> Iterator[str]:
    yield f"# schedule: {name}"
    if words := " ".join(_CONTROLS.sub(" ", description or "").split()):
        yield f"# {words}"
