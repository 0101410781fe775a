"""The keys of a schedule as ONE described table, for the manifest and for options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core import values, words
from flytesched.core.policies import (
    CatchupPolicy,
    ExecutorKind,
    OnInterrupted,
    OverlapPolicy,
    RetryPolicy,
)
from flytesched.core.values import Command, read_command, read_instant, read_retry
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "ALL_KEYS",
    "KEYS",
    "NAME",
    "NAME_RULE",
    "SECRET_KEYS",
    "TIMETABLES",
    "TIMING_HELP",
    "TIMING_KEYS",
    "Command",
    "Key",
    "read_command",
    "read_instant",
    "read_retry",
]

#: Names of schedules: safe as file names, in ids and in selectors.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: What `NAME` demands, for people.
NAME_RULE = "use letters, digits, '.', '_' and '-', beginning with a letter or digit, 100 at most"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")

#: Keys that say when; exactly one of them is required.
TIMETABLES = ("cron", "aws_cron", "every", "daily", "hourly", "at")
#: Keys that refine a timetable.
TIMING_KEYS = (
    "seconds", "timezone", "start", "end", "anchor", "offset", "calendars", "on_holiday",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a schedule."""

    #: What people write in the manifest.
    name: str
    #: Turns a raw value into the kept one; raises Invalid.
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
    parse: Callable[[Sequence[str]], Any] = words.last_word
    #: Whether the option may be given several times.
    many: bool = False


def _instant(value: Any) -> int:
    """Read an instant outside any zone; a Schedule reads it in its own."""
    return read_instant(value, "UTC")


def _read_channels(value: Any) -> tuple[str, ...]:
    """Return names of channels, each once; a single one may stand alone."""
    said = [value] if isinstance(value, str) else value
    if not isinstance(said, list | tuple) or not all(isinstance(name, str) for name in said):
        msg = f"{value!r} is not a list of channels"
        raise Invalid(msg, hint='write names such as ["ops"], each with a table [channels.NAME]')
    if wrong := [name for name in said if not NAME.fullmatch(name)]:
        msg = f"{wrong[0]!r} is not a name of a channel"
        raise Invalid(msg, hint="write the NAME of a table [channels.NAME]")
    return tuple(dict.fromkeys(said))


def _hook(name: str, when: str) -> Key:
    return Key(
        name=name,
        read=read_command,
        write=values.write_command,
        default=None,
        metavar="COMMAND",
        help=f"Command to run {when}.",
    )


# fmt: off
_TABLE = (
    Key(
        name="command", read=read_command, write=values.write_command, default=None,
        metavar="COMMAND",
        help="What to run: a string goes to the shell, a list is run without one.",
    ),
    Key(
        name="description", read=values.read_text, default=None, metavar="TEXT",
        help="What it is for, in your words.",
    ),
    Key(
        name="labels", read=values.mapping_of("labels", _LABEL), write=dict,
        parse=words.parse_pairs, many=True, default={}, metavar="KEY=VALUE",
        help="A label to select it by, KEY=VALUE; may be given several times.",
    ),
    Key(
        name="enabled", read=values.read_flag, parse=words.parse_flag, default=True,
        metavar="true|false",
        help="Whether its slots fall due.",
    ),
    Key(
        name="paused_until", read=_instant, write=values.write_instant, default=None,
        metavar="TIME",
        help="Its slots fall due again from this time on.",
    ),
    Key(
        name="pause_reason", read=values.read_text, default=None, metavar="TEXT",
        help="Why it is disabled or paused.",
    ),
    Key(
        name="jitter", read=values.read_duration, write=values.write_duration, default=timedelta(0),
        metavar="DURATION",
        help="Start later by up to this, the same for the same slot everywhere.",
    ),
    Key(
        name="executor", read=values.choice_of(ExecutorKind), default=ExecutorKind.LOCAL,
        metavar="local|python",
        help='"python" runs the command as module:function in a process of its own.',
    ),
    Key(
        name="cwd", read=values.read_some_text, default=None, metavar="DIR",
        help="Directory to run in; the home directory if not given.",
    ),
    Key(
        name="env", read=values.mapping_of("env", _VARIABLE),
        write=lambda env: dict.fromkeys(sorted(env), ""), parse=words.parse_pairs, many=True,
        default={}, metavar="KEY=VALUE",
        help="An environment variable, KEY=VALUE; may be given several times.",
    ),
    Key(
        name="env_file", read=values.read_some_text, default=None, metavar="FILE",
        help="File of KEY=VALUE lines, read at each start.",
    ),
    Key(
        name="shell", read=values.read_some_text, default="/bin/sh", metavar="FILE",
        help="Shell for a command that is a string.",
    ),
    Key(
        name="kickoff_time_arg", read=values.read_some_text, default=None, metavar="ARG",
        help="Append this argument and the kickoff time (RFC 3339) to the command.",
    ),
    Key(
        name="overlap", read=values.choice_of(OverlapPolicy), default=OverlapPolicy.SKIP,
        metavar="skip|queue|allow|replace",
        help="What a slot does when a run of its schedule is still active.",
    ),
    Key(
        name="queue_limit", read=values.count_from(1), parse=words.parse_int, default=100,
        metavar="N",
        help='Runs that may wait with overlap = "queue"; further slots are skipped.',
    ),
    Key(
        name="catchup", read=values.choice_of(CatchupPolicy), default=CatchupPolicy.LATEST,
        metavar="all|latest|none",
        help="Which missed slots the scheduler runs by itself.",
    ),
    Key(
        name="catchup_window", read=values.read_duration, write=values.write_duration,
        default=timedelta(days=1), metavar="DURATION",
        help="How old a missed slot it runs by itself may be.",
    ),
    Key(
        name="catchup_limit", read=values.count_from(0), parse=words.parse_int, default=100,
        metavar="N",
        help="How many missed slots it runs by itself at the most; the newest ones.",
    ),
    Key(
        name="timeout", read=values.read_positive, write=values.write_duration, default=None,
        metavar="DURATION",
        help="End an attempt that takes longer.",
    ),
    Key(
        name="kill_after", read=values.read_duration, write=values.write_duration,
        default=timedelta(seconds=10), metavar="DURATION",
        help="Time between TERM and KILL.",
    ),
    Key(
        name="retry", read=read_retry, write=values.write_retry, parse=words.parse_retry,
        default=RetryPolicy(), metavar="N|KEY=VALUE,...",
        help="Further attempts after failed and timed_out: 3, or max_attempts=3,delay=10s,"
        "multiplier=2.0,max_delay=10m.",
    ),
    Key(
        name="on_interrupted", read=values.choice_of(OnInterrupted), default=OnInterrupted.MARK,
        metavar="mark|rerun",
        help="Whether a run whose host died is started again (three times at most).",
    ),
    Key(
        name="survive", read=values.read_flag, parse=words.parse_flag, default=True,
        metavar="true|false",
        help="Whether commands outlive the scheduler; false is a cheaper start.",
    ),
    Key(
        name="success_exit_codes", read=values.read_codes, write=list, parse=words.parse_ints,
        default=(0,), metavar="CODES",
        help="Exit codes that count as success, such as 0,2.",
    ),
    _hook("on_success", "after a run succeeded"),
    _hook("on_failure", "after a run failed, timed out or was interrupted"),
    _hook("on_missed", "once per gap of missed slots"),
    _hook("on_recovered", "at the first success after a failure"),
    _hook("on_late", "when a slot is still waiting for its start after late_after"),
    _hook("on_long", "when a run is still active after long_after"),
    Key(
        name="notify", read=_read_channels, write=list, parse=words.parse_list, many=True,
        default=(), metavar="CHANNEL",
        help="A channel of the manifest to tell about it; may be given several times.",
    ),
    Key(
        name="ping_url", read=values.read_url,
        write=lambda url: None if url is None else values.url_without_secret(url),
        default=None, metavar="URL",
        help="URL to ping at start and end, as healthchecks.io takes it.",
    ),
    Key(
        name="late_after", read=values.read_duration, write=values.write_duration,
        default=timedelta(minutes=5), metavar="DURATION",
        help="How long after its slot a start is late.",
    ),
    Key(
        name="long_after", read=values.read_positive, write=values.write_duration, default=None,
        metavar="DURATION",
        help="How long after its first start a run takes long.",
    ),
)
# fmt: on

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
    "calendars": ("NAME", "A calendar whose days are off; may be given several times."),
    "on_holiday": (
        "skip|next|previous",
        "What becomes of slots on a day off: they are skipped, or move to the next day, or the"
        " previous one, that is not off.",
    ),
}

#: All names that may stand in a schedule's table, in the order they are written.
ALL_KEYS = ("description", *TIMETABLES, *TIMING_KEYS, *(n for n in KEYS if n != "description"))

#: Keys whose values may hold secrets, and are never stored.
SECRET_KEYS = frozenset({"env", "ping_url"})


def unsecret(key: str, value: Any) -> Any:
    """Return what may be shown of a value: names of ``env``, and where ``ping_url`` leads to.

    Whatever shows values as they are written takes them through here. A faulty manifest may have
    anything as its ``env``; of that, nothing is shown.
    """
    if key not in SECRET_KEYS or value is None:
        return value
    if key == "ping_url":
        return values.url_without_secret(value) if isinstance(value, str) else values.UNSAID
    return dict.fromkeys(value, values.UNSAID) if isinstance(value, Mapping) else values.UNSAID
