"""Values: what people write for a key of a schedule, checked; and back to what they write.

Each reader takes a raw value of TOML, JSON or Python and returns the kept one, or raises Invalid
with what is wrong and what to write instead. Kept values, but for instants, are read unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flytesched.core.durations import format_duration, parse_duration
from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.policies import RetryPolicy
from flytesched.errors import Invalid

if TYPE_CHECKING:
    from enum import StrEnum

    #: Turns a raw value into the kept one.
    Read = Callable[[Any], Any]

#: Stands for what may be a secret.
UNSAID = "..."
#: The host of a URL of the web with its port, what is before it, and what is behind.
_URL = re.compile(
    r"(https?://)([^@/?#]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]+))?([/?][!-~]*)?",
    re.IGNORECASE,
)


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


def read_text(value: Any) -> str:
    """Return any string without NUL characters."""
    if not isinstance(value, str):
        msg = f"{value!r} is not a string"
        raise Invalid(msg, hint="put it in quotes")
    if "\0" in value:
        msg = "holds a NUL character"
        raise Invalid(msg, hint="remove it")
    return value


def read_some_text(value: Any) -> str:
    """Return a string that says something."""
    if not read_text(value).strip():
        msg = "is empty"
        raise Invalid(msg, hint="write something, or leave the key out")
    return read_text(value)


def read_flag(value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        msg = f"{value!r} is neither true nor false"
        raise Invalid(msg, hint="write true or false")
    return value


def count_from(least: int) -> Read:
    """Return a reader of whole numbers from ``least`` on."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            msg = f"{value!r} is not a whole number"
            raise Invalid(msg, hint=f"write a number from {least} on")
        if value < least or value > 2**31:
            msg = f"{value} is out of range"
            raise Invalid(msg, hint=f"write a number from {least} on")
        return value

    return read


def read_duration(value: Any) -> timedelta:
    """Return a duration, zero included; a bare number is refused."""
    if not isinstance(value, str | timedelta):
        msg = f"{value!r} is not a duration"
        raise Invalid(msg, hint=f'write a unit, such as "{value}s"')
    return parse_duration(value)


def read_positive(value: Any) -> timedelta:
    """Return a duration that is not zero."""
    if not (duration := read_duration(value)):
        msg = "is zero"
        raise Invalid(msg, hint='write a duration such as "30s", or leave the key out')
    return duration


def choice_of(kind: type[StrEnum]) -> Read:
    """Return a reader of the words of an enum."""
    words = ", ".join(kind)

    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            msg = f"{value!r} is not a choice"
            raise Invalid(msg, hint=f"write one of {words}") from None

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
        raise Invalid(msg, hint="write one such as 2026-11-21T02:00:00Z")
    return parse_instant(text, zone)


def mapping_of(what: str, pattern: re.Pattern[str]) -> Read:
    """Return a reader of a table of strings whose keys match ``pattern``."""

    def read(value: Any) -> Mapping[str, str]:
        if not isinstance(value, Mapping):
            # The value stays unsaid: it may be a secret.
            msg = "is not a table"
            raise Invalid(msg, hint=f'write {what} as {{ KEY = "value" }}')
        for key, entry in value.items():
            if not isinstance(key, str) or not pattern.fullmatch(key):
                name, assigned, _ = str(key).partition("=")  # behind it may be a secret
                msg = f"{name + '=...' if assigned else key!r} is not a name of {what}"
                raise Invalid(msg, hint="use letters, digits and _")
            if not isinstance(entry, str) or "\0" in entry:
                # It stays unsaid, as above.
                msg = f"the value of {key} is not a string"
                raise Invalid(msg, hint="put it in quotes")
        return dict(value)

    return read


def read_url(value: Any) -> str:
    """Return a URL of the web; a wrong one stays unsaid, since it may hold a secret."""
    found = _URL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        msg = "is not the URL of a web page"
        raise Invalid(msg, hint="write one such as https://example.org/path, in ASCII")
    if found[2]:
        msg = "holds a user or a password in front of the host"
        raise Invalid(msg, hint="leave out what is before the @, and the @")
    if found[4] and not 1 <= int(found[4][:6]) <= 65_535:
        msg = "has a port that there cannot be"
        raise Invalid(msg, hint="write a port from 1 to 65535, or leave it out")
    return found[0]


def url_without_secret(value: str) -> str:
    """Return what may be shown of a URL: where it leads to, without its path."""
    found = _URL.fullmatch(value)
    if found is None:
        return UNSAID
    port = f":{found[4]}" if found[4] else ""
    return f"{found[1]}{found[3]}{port}" + (f"/{UNSAID}" if found[5] else "")


def read_codes(value: Any) -> tuple[int, ...]:
    """Return exit codes, ascending, of one or a list of them."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple) or not value:
        msg = f"{value!r} is not a list of exit codes"
        raise Invalid(msg, hint="write a list such as [0, 2]")
    for code in value:
        if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code <= 255:
            msg = f"{code!r} is not an exit code"
            raise Invalid(msg, hint="write numbers from 0 to 255")
    return tuple(sorted(set(value)))


def read_command(value: Any) -> Command:
    """Return a command from a string, a list of strings or a Command.

    Raises:
        Invalid: it is none of them, or empty.
    """
    if isinstance(value, Command):
        return value
    if isinstance(value, str):
        return Command(text=read_some_text(value))
    if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
        for word in value:
            read_text(word)
        if not value[0]:
            msg = "names no program"
            raise Invalid(msg, hint="write the program first")
        return Command(argv=tuple(value))
    msg = f"{value!r} is not a command"
    raise Invalid(msg, hint="write a string, or a list of strings")


def read_retry(value: Any) -> RetryPolicy:
    """Return a retry policy from a table or a RetryPolicy.

    Raises:
        Invalid: a key or value is wrong; the sentence names it.
    """
    if isinstance(value, RetryPolicy):
        return value
    if not isinstance(value, Mapping):
        msg = f"{value!r} is not a table"
        raise Invalid(msg, hint="write retry = { max_attempts = 3 }")
    found: dict[str, Any] = {}
    for key, entry in value.items():
        if key not in _RETRY:
            msg = f"has no key {key!r}"
            raise Invalid(msg, hint=f"write one of {', '.join(_RETRY)}")
        try:
            found[key] = _RETRY[key](entry)
        except Invalid as error:
            msg = f"{key} {error.message}"
            raise Invalid(msg, hint=error.hint) from None
    return RetryPolicy(**found)


def _multiplier(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1000:
        msg = f"{value!r} is no multiplier"
        raise Invalid(msg, hint="write a number from 1.0 to 1000.0")
    return float(value)


_RETRY: dict[str, Read] = {
    "max_attempts": count_from(1),
    "delay": read_duration,
    "multiplier": _multiplier,
    "max_delay": read_duration,
}


def write_command(command: Command | None) -> Any:
    """Return a command as JSON and TOML hold it."""
    if command is None:
        return None
    return command.text if command.text is not None else list(command.argv)


def write_retry(retry: RetryPolicy) -> Any:
    """Return a retry policy as JSON and TOML hold it, in full."""
    return {
        "max_attempts": retry.max_attempts,
        "delay": format_duration(retry.delay),
        "multiplier": retry.multiplier,
        "max_delay": format_duration(retry.max_delay),
    }


def write_instant(value: int | None) -> Any:
    """Return an epoch second as RFC 3339."""
    return None if value is None else rfc3339(value)


def write_duration(value: timedelta | None) -> Any:
    """Return a duration as people write it."""
    return None if value is None else format_duration(value)
