"""The keys of a schedule as ONE described table, for the manifest and for options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core.durations import format_duration, parse_duration
from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.policies import (
    CatchupPolicy,
    ExecutorKind,
    OnInterrupted,
    OverlapPolicy,
    RetryPolicy,
)
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from enum import StrEnum

#: Names of schedules: safe as file names, in ids and in selectors.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")

#: Keys that say when; exactly one of them is required.
TIMETABLES = ("cron", "aws_cron", "every", "daily", "hourly", "at")
#: Keys that refine a timetable.
TIMING_KEYS = ("seconds", "timezone", "start", "end", "anchor", "offset")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: a shell string, or an argument vector without a shell."""

    #: The string for ``/bin/sh -c``; None for an argument vector.
    text: str | None = None
    #: The program and its arguments; empty for a string.
    argv: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Show it on one line."""
        return self.text if self.text is not None else " ".join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a schedule."""

    #: What people write in the manifest.
    name: str
    #: Turns a raw value into the kept one; raises Invalid. Accepts kept values unchanged.
    read: Callable[[Any], Any]
    #: Kept value when the key is absent.
    default: Any
    #: One sentence for ``--help`` and the man page.
    help: str
    #: Placeholder of the value.
    metavar: str
    #: Turns a kept value into one that JSON and TOML can hold.
    write: Callable[[Any], Any] = lambda value: value
    #: Turns the words of command-line options into a raw value.
    parse: Callable[[Sequence[str]], Any] = lambda words: words[-1]
    #: Whether the option may be given several times.
    many: bool = False


def _refuse(what: str, instead: str) -> Invalid:
    return Invalid(what, hint=instead)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is not a string"
        raise _refuse(msg, "put it in quotes")
    if "\0" in value:
        msg = "holds a NUL character"
        raise _refuse(msg, "remove it")
    return value


def _some_text(value: Any) -> str:
    if not _text(value).strip():
        msg = "is empty"
        raise _refuse(msg, "write something, or leave the key out")
    return _text(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        msg = f"{value!r} is neither true nor false"
        raise _refuse(msg, "write true or false")
    return value


def _count(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            msg = f"{value!r} is not a whole number"
            raise _refuse(msg, f"write a number from {least} on")
        if value < least or value > 2**31:
            msg = f"{value} is out of range"
            raise _refuse(msg, f"write a number from {least} on")
        return value

    return read


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return parse_duration(value)
    if not isinstance(value, str):
        msg = f"{value!r} is not a duration"
        raise _refuse(msg, f'write a unit, such as "{value}s"')
    return parse_duration(value)


def _positive(value: Any) -> timedelta:
    if not (duration := _duration(value)):
        msg = "is zero"
        raise _refuse(msg, 'write a duration such as "30s", or leave the key out')
    return duration


def _choice(kind: type[StrEnum]) -> Callable[[Any], Any]:
    words = ", ".join(kind)

    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            msg = f"{value!r} is not a choice"
            raise _refuse(msg, f"write one of {words}") from None

    return read


def read_instant(value: Any, zone: str) -> int:
    """Return the epoch second of a TOML date or time, or of its text; local ones are in ``zone``.

    Raises:
        Invalid: it is no instant.
    """
    if isinstance(value, datetime):
        text = value.isoformat() if value.tzinfo else value.isoformat(sep=" ")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, str):
        text = value
    else:
        msg = f"{value!r} is not a date or time"
        raise _refuse(msg, "write one such as 2026-11-21T02:00:00Z")
    return parse_instant(text, zone)


def _mapping(what: str, pattern: re.Pattern[str]) -> Callable[[Any], Mapping[str, str]]:
    def read(value: Any) -> Mapping[str, str]:
        if not isinstance(value, Mapping):
            msg = f"{value!r} is not a table"
            raise _refuse(msg, f'write {what} as {{ KEY = "value" }}')
        for key, entry in value.items():
            if not isinstance(key, str) or not pattern.fullmatch(key):
                msg = f"{key!r} is not a name of {what}"
                raise _refuse(msg, "use letters, digits and _")
            if not isinstance(entry, str) or "\0" in entry:
                # The value stays unsaid: it may be a secret.
                msg = f"the value of {key} is not a string"
                raise _refuse(msg, "put it in quotes")
        return dict(value)

    return read


def _codes(value: Any) -> tuple[int, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple) or not value:
        msg = f"{value!r} is not a list of exit codes"
        raise _refuse(msg, "write a list such as [0, 2]")
    for code in value:
        if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code <= 255:
            msg = f"{code!r} is not an exit code"
            raise _refuse(msg, "write numbers from 0 to 255")
    return tuple(sorted(set(value)))


def read_command(value: Any) -> Command:
    """Return a command from a string, a list of strings or a Command.

    Raises:
        Invalid: it is none of them, or empty.
    """
    if isinstance(value, Command):
        return value
    if isinstance(value, str):
        return Command(text=_some_text(value))
    if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
        for word in value:
            _text(word)
        if not value[0]:
            msg = "names no program"
            raise _refuse(msg, "write the program first")
        return Command(argv=tuple(value))
    msg = f"{value!r} is not a command"
    raise _refuse(msg, "write a string, or a list of strings")


def _write_command(command: Command | None) -> Any:
    if command is None:
        return None
    return command.text if command.text is not None else list(command.argv)


_RETRY: dict[str, Callable[[Any], Any]] = {
    "max_attempts": _count(1),
    "delay": _duration,
    "multiplier": lambda value: _multiplier(value),
    "max_delay": _duration,
}


def _multiplier(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1000:
        msg = f"{value!r} is no multiplier"
        raise _refuse(msg, "write a number from 1.0 to 1000.0")
    return float(value)


def read_retry(value: Any) -> RetryPolicy:
    """Return a retry policy from a table, a number of attempts or a RetryPolicy.

    Raises:
        Invalid: a key or value is wrong; the sentence names it.
    """
    if isinstance(value, RetryPolicy):
        return value
    if not isinstance(value, Mapping):
        msg = f"{value!r} is not a table"
        raise _refuse(msg, "write retry = { max_attempts = 3 }")
    found: dict[str, Any] = {}
    for key, entry in value.items():
        if key not in _RETRY:
            msg = f"has no key {key!r}"
            raise _refuse(msg, f"write one of {', '.join(_RETRY)}")
        try:
            found[key] = _RETRY[key](entry)
        except Invalid as error:
            msg = f"{key} {error.message}"
            raise _refuse(msg, error.hint or "") from None
    return RetryPolicy(**found)


def _write_retry(retry: RetryPolicy) -> Any:
    return {
        "max_attempts": retry.max_attempts,
        "delay": format_duration(retry.delay),
        "multiplier": retry.multiplier,
        "max_delay": format_duration(retry.max_delay),
    }


def _parse_flag(words: Sequence[str]) -> Any:
    return {"true": True, "yes": True, "false": False, "no": False}.get(words[-1], words[-1])


def _parse_int(words: Sequence[str]) -> Any:
    return int(words[-1]) if re.fullmatch(r"[+-]?\d{1,18}", words[-1]) else words[-1]


def _parse_ints(words: Sequence[str]) -> Any:
    parts = [part for word in words for part in word.split(",")]
    return [_parse_int([part.strip()]) for part in parts]


def _parse_pairs(words: Sequence[str]) -> Any:
    pairs = [word.partition("=") for word in words]
    if any(not separator for _, separator, _ in pairs):
        msg = "is not KEY=VALUE"
        raise _refuse(msg, "write KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _parse_retry(words: Sequence[str]) -> Any:
    """Read ``3`` or ``max_attempts=3,delay=5s``."""
    if len(words) == 1 and words[0].isdigit():
        return {"max_attempts": int(words[0])}
    found = _parse_pairs([part.strip() for word in words for part in word.split(",")])
    for key, value in found.items():
        if key == "max_attempts":
            found[key] = _parse_int([value])
        elif key == "multiplier" and re.fullmatch(r"\d+(\.\d+)?", value):
            found[key] = float(value)
    return found


def _write_instant(value: int | None) -> Any:
    return None if value is None else rfc3339(value)


def _write_duration(value: timedelta | None) -> Any:
    return None if value is None else format_duration(value)


def _epoch(value: Any) -> int:
    """Read an instant outside any zone; the Schedule converts local ones before."""
    return value if type(value) is int else read_instant(value, "UTC")


def _hook(name: str, when: str) -> Key:
    return Key(
        name=name,
        read=read_command,
        write=_write_command,
        default=None,
        metavar="COMMAND",
        help=f"Command to run {when}; 30 seconds at most, and it never changes a run.",
    )


_TABLE = (
    Key(
        name="command",
        read=read_command,
        write=_write_command,
        default=None,
        metavar="COMMAND",
        help="What to run: a string goes to the shell, a list is run without one.",
    ),
    Key(
        name="description",
        read=_text,
        default=None,
        metavar="TEXT",
        help="What it is for, in your words.",
    ),
    Key(
        name="labels",
        read=_mapping("labels", _LABEL),
        default={},
        metavar="KEY=VALUE",
        parse=_parse_pairs,
        many=True,
        write=dict,
        help="A label to select it by, KEY=VALUE; may be given several times.",
    ),
    Key(
        name="enabled",
        read=_flag,
        default=True,
        metavar="true|false",
        parse=_parse_flag,
        help="Whether its slots fall due.",
    ),
    Key(
        name="paused_until",
        read=_epoch,
        default=None,
        metavar="TIME",
        write=_write_instant,
        help="Its slots fall due again from this time on.",
    ),
    Key(
        name="pause_reason",
        read=_text,
        default=None,
        metavar="TEXT",
        help="Why it is disabled or paused.",
    ),
    Key(
        name="jitter",
        read=_duration,
        default=timedelta(0),
        metavar="DURATION",
        write=_write_duration,
        help="Start later by up to this, the same for the same slot everywhere.",
    ),
    Key(
        name="executor",
        read=_choice(ExecutorKind),
        default=ExecutorKind.LOCAL,
        metavar="local|python",
        help='"python" runs the command as module:function in a process of its own.',
    ),
    Key(
        name="cwd",
        read=_some_text,
        default=None,
        metavar="DIR",
        help="Directory to run in; the home directory if not given.",
    ),
    Key(
        name="env",
        read=_mapping("env", _VARIABLE),
        default={},
        metavar="KEY=VALUE",
        parse=_parse_pairs,
        many=True,
        write=lambda env: dict.fromkeys(sorted(env), ""),
        help="An environment variable, KEY=VALUE; may be given several times.",
    ),
    Key(
        name="env_file",
        read=_some_text,
        default=None,
        metavar="FILE",
        help="File of KEY=VALUE lines, read at each start.",
    ),
    Key(
        name="shell",
        read=_some_text,
        default="/bin/sh",
        metavar="FILE",
        help="Shell for a command that is a string.",
    ),
    Key(
        name="kickoff_time_arg",
        read=_some_text,
        default=None,
        metavar="ARG",
        help="Append this argument and the kickoff time (RFC 3339) to the command.",
    ),
    Key(
        name="overlap",
        read=_choice(OverlapPolicy),
        default=OverlapPolicy.SKIP,
        metavar="skip|queue|allow|replace",
        help="What a slot does when a run of its schedule is still active.",
    ),
    Key(
        name="queue_limit",
        read=_count(1),
        default=100,
        metavar="N",
        parse=_parse_int,
        help='Runs that may wait with overlap = "queue"; further slots are skipped.',
    ),
    Key(
        name="catchup",
        read=_choice(CatchupPolicy),
        default=CatchupPolicy.LATEST,
        metavar="all|latest|none",
        help="Which missed slots the scheduler runs by itself.",
    ),
    Key(
        name="catchup_window",
        read=_duration,
        default=timedelta(days=1),
        metavar="DURATION",
        write=_write_duration,
        help="How old a missed slot it runs by itself may be.",
    ),
    Key(
        name="catchup_limit",
        read=_count(0),
        default=100,
        metavar="N",
        parse=_parse_int,
        help="How many missed slots it runs by itself at the most; the newest ones.",
    ),
    Key(
        name="timeout",
        read=_positive,
        default=None,
        metavar="DURATION",
        write=_write_duration,
        help="End an attempt that takes longer.",
    ),
    Key(
        name="kill_after",
        read=_duration,
        default=timedelta(seconds=10),
        metavar="DURATION",
        write=_write_duration,
        help="Time between TERM and KILL.",
    ),
    Key(
        name="retry",
        read=read_retry,
        default=RetryPolicy(),
        metavar="N|KEY=VALUE,...",
        parse=_parse_retry,
        write=_write_retry,
        help="Further attempts after failed and timed_out: 3, or max_attempts=3,delay=10s,"
        "multiplier=2.0,max_delay=10m.",
    ),
    Key(
        name="on_interrupted",
        read=_choice(OnInterrupted),
        default=OnInterrupted.MARK,
        metavar="mark|rerun",
        help="Whether a run whose host died is started again (three times at most).",
    ),
    Key(
        name="survive",
        read=_flag,
        default=True,
        metavar="true|false",
        parse=_parse_flag,
        help="Whether commands outlive the scheduler; false is a cheaper start.",
    ),
    Key(
        name="success_exit_codes",
        read=_codes,
        default=(0,),
        metavar="CODES",
        parse=_parse_ints,
        write=list,
        help="Exit codes that count as success, such as 0,2.",
    ),
    _hook("on_success", "after a run succeeded"),
    _hook("on_failure", "after a run failed, timed out or was interrupted"),
    _hook("on_missed", "once per gap of missed slots"),
    _hook("on_recovered", "at the first success after a failure"),
)

#: Every key of a schedule but its name and what says when.
KEYS: dict[str, Key] = {key.name: key for key in _TABLE}

#: Keys that refine a timetable: placeholder and help.
TIMING_HELP: dict[str, tuple[str, str]] = {
    "cron": ("EXPR", 'Five cron fields on the wall clock of the time zone, such as "0 2 * * *".'),
    "aws_cron": ("EXPR", "AWS's six fields with one ?, or rate(5 minutes)."),
    "every": ("DURATION", "A fixed rate of elapsed time, such as 90s, 15m, 1h30m."),
    "daily": ("HH:MM", "Each day at this time; may be given several times."),
    "hourly": ("MINUTE", "Each hour at this minute; may be given several times."),
    "at": ("TIME", "Once, such as 2026-12-24T18:00:00."),
    "seconds": ("true|false", "Allow six cron fields, seconds first."),
    "timezone": ("ZONE", "IANA time zone, such as Europe/Berlin."),
    "start": ("TIME", "Slots from this time on."),
    "end": ("TIME", "Slots before this time."),
    "anchor": ("TIME", "Phase of a fixed rate; 1970-01-01T00:00:00Z if not given."),
    "offset": ("DURATION", "Slots this much later than the timetable says."),
}

#: All names that may stand in a schedule's table, in the order they are written.
ALL_KEYS = ("description", *TIMETABLES, *TIMING_KEYS, *(n for n in KEYS if n != "description"))
