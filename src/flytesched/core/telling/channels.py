"""Channels: named ways to be told, as tables ``[channels.NAME]`` of the manifest.

A channel checks itself and keeps every key as people write it. What may be a secret (the path of a
URL, values of headers) is in no message of a fault, and `Channel.shown` leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flytesched.core import values
from flytesched.core.durations import format_duration, parse_duration
from flytesched.core.keys import NAME, NAME_RULE
from flytesched.core.suggestion import suggest
from flytesched.core.telling.events import CHOICES, NOTED_HOOKS, PING_URL, PINGS, USUAL, Event
from flytesched.errors import Fault, Invalid, InvalidChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flytesched.core.schedule import Schedule


class ChannelKind(StrEnum):
    """How a channel reaches people."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class Format(StrEnum):
    """What a webhook is sent."""

    JSON = "json"
    SLACK = "slack"
    DISCORD = "discord"
    TEXT = "text"


class Security(StrEnum):
    """How the way to a mail server is kept from others."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


#: The port of a mail server, unless a channel says another.
PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
#: Hosts that are this machine: a password does not leave it.
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
#: Names that the run log gives to what is no table ``[channels.NAME]``.
_TAKEN = NOTED_HOOKS | {PING_URL}

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?")
#: Headers that the sender writes itself.
_OWN_HEADERS = frozenset(
    {"connection", "content-length", "content-type", "host", "transfer-encoding"}
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|(?=.*:.*:)[0-9A-Fa-f:.]{2,45}")
#: A mailbox, or the name of a local one; no list, no comment, nothing that ends a header line.
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\]{1,64}(@[A-Za-z0-9.-]{1,253})?", re.ASCII)
_RATE = re.compile(r"([0-9]{1,6})\s*/\s*(.+)")
_MOST_ADDRESSES = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many in so long a time; what is over it is gathered."""

    #: How many.
    count: int
    #: In how many seconds.
    seconds: float

    def __str__(self) -> str:
        """Say it as people write it."""
        return f"{self.count}/{format_duration(parse_duration(f'{self.seconds:.6f}s'))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A named way to be told."""

    #: What ``notify`` calls it.
    name: str
    #: How it reaches people.
    kind: ChannelKind
    #: What it is told.
    events: tuple[Event, ...]
    #: How often, at the most.
    at_most: Rate
    #: The keys of its kind, as JSON and TOML hold them; those that nobody wrote are left out or
    #: have their default. Secrets are in it where they were written into the manifest.
    keys: Mapping[str, Any]

    def wants(self, event: Event) -> bool:
        """Tell whether it is told of an event."""
        return event in self.events or event is Event.TEST

    def shown(self) -> dict[str, Any]:
        """Return its keys for people, in the manifest's order, without what may be a secret."""
        said = {key: unsecret(key, value) for key, value in self.keys.items()}
        return {
            "kind": self.kind.value, **said,
            "events": [event.value for event in self.events], "at_most": str(self.at_most),
        }  # fmt: skip

    def address(self) -> dict[str, Any]:
        """Return what a sender is told of it; secrets are in it where the manifest has them."""
        return {"name": self.name, "kind": self.kind.value, **self.keys}


def ping_address(url: str) -> dict[str, Any]:
    """Return what a sender is told of a ``ping_url``."""
    return {"name": PING_URL, "kind": "ping", "url": url}


def unsecret(key: str, value: Any) -> Any:
    """Return what may be shown of a key of a channel, as it is written.

    A faulty manifest may have anything there: under a key that there is not, a password.
    """
    if value is None or key in _NO_SECRET:
        return value
    if key == "url" and isinstance(value, str):
        return values.url_without_secret(value)
    if key == "headers" and isinstance(value, Mapping):
        return dict.fromkeys(value, values.UNSAID)
    if key == "password_env" and isinstance(value, str) and _VARIABLE.fullmatch(value):
        return value
    return values.UNSAID


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of a channel."""

    #: Turns a raw value into what JSON holds; raises Invalid.
    read: Callable[[Any], Any]
    #: What it is if nobody writes it; None leaves it out.
    default: Any = None


def read_channel(name: str, table: Any) -> Channel:
    """Return the channel of a table of the manifest.

    Raises:
        InvalidChannel: with every fault, not only the first.
    """
    faults = _name_faults(name)
    if not isinstance(table, Mapping):
        what = "is not a table"
        faults.append(Fault(key="", what=what, instead='write kind = "mail" or "webhook" in it'))
        raise InvalidChannel(faults, name=name)
    kept = _read(table, faults)
    kind = kept.pop("kind", None)  # None: a fault
    if kind is not None:
        _DEMANDS[kind](kept, table, faults)
    if faults:
        raise InvalidChannel(faults, name=name)
    return Channel(
        name=name, kind=kind, events=kept["events"], at_most=kept["at_most"],
        keys={key: kept[key] for key in _OF[kind] if key in kept},
    )  # fmt: skip


def _read(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return what a table says, and defaults; what cannot be kept is noted."""
    kinds = [kind for kind in ChannelKind if kind == table.get("kind")]
    allowed = {**_COMMON, **_OF[kinds[0]]} if kinds else {**_COMMON, **_OF_ANY}
    kept: dict[str, Any] = {}
    if "kind" not in table:
        faults.append(Fault(key="kind", what="is missing", instead='write "mail" or "webhook"'))
    for key, raw in table.items():
        if key not in allowed:
            faults.append(_unknown(key, *kinds))
            continue
        try:
            kept[key] = allowed[key].read(raw)
        except Invalid as error:
            faults.append(Fault(key=key, what=error.message, instead=error.hint))
    unsaid = {key: one.default for key, one in allowed.items() if one.default is not None}
    return {**unsaid, **kept} if kinds else {}


def _unknown(key: Any, kind: ChannelKind | None = None) -> Fault:
    if others := [other for other, keys in _OF.items() if key in keys]:
        what = f'is a key of kind = "{others[0]}", and this one is "{kind}"'
        return Fault(key=str(key), what=what, instead="leave it out, or write the other kind")
    known = {**_COMMON, **(_OF[kind] if kind else _OF_ANY)}
    hint = suggest(str(key), tuple(known)) or f"write one of {', '.join(known)}"
    return Fault(key=str(key), what="is not a key of a channel", instead=hint)


def _name_faults(name: Any) -> list[Fault]:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return [Fault(key="", what=f"{name!r} is not a name for a channel", instead=NAME_RULE)]
    if name in _TAKEN:
        what = f"{name!r} is a key of schedules, and so no name for a channel"
        return [Fault(key="", what=what, instead="choose another name")]
    return []


def wanting(schedule: Schedule, event: Event, channels: Mapping[str, Channel]) -> Iterator[str]:
    """Yield the names of those that are told of an event of a schedule, its ``ping_url`` too."""
    if event in PINGS:
        if schedule.ping_url is not None:
            yield PING_URL
        return
    for name in schedule.notify:
        channel = channels.get(name)
        if channel is not None and channel.wants(event):
            yield name


def users(schedules: Iterable[Schedule]) -> dict[str, list[str]]:
    """Return which schedules each channel is told of; ping URLs count as one."""
    found: dict[str, list[str]] = {}
    for schedule in schedules:
        pinged = (PING_URL,) if schedule.ping_url is not None else ()
        for name in (*schedule.notify, *pinged):
            found.setdefault(name, []).append(schedule.name)
    return found


# -- what belongs together ------------------------------------------------------------------------


def _demand_url(_: dict[str, Any], table: Mapping[str, Any], faults: list[Fault]) -> None:
    if "url" not in table and "url_file" not in table:
        what = "is missing"
        hint = "write the URL, or url_file with the path of a file that has it in one line"
        faults.append(Fault(key="url", what=what, instead=hint))
    elif "url" in table and "url_file" in table:
        what = "stands beside url"
        faults.append(Fault(key="url_file", what=what, instead="leave one of the two out"))


def _demand_mail(kept: dict[str, Any], table: Mapping[str, Any], faults: list[Fault]) -> None:
    if "to" not in table:
        hint = 'write addresses, such as ["ops@example.org"]'
        faults.append(Fault(key="to", what="is missing", instead=hint))
    here = kept["host"] in LOCAL_HOSTS
    security = Security(kept.setdefault("security", Security.NONE if here else Security.STARTTLS))
    kept["security"] = security.value
    kept.setdefault("port", PORTS[security])
    passwords = [key for key in ("password_file", "password_env") if key in table]
    if len(passwords) > 1:
        what = "stands beside password_file"
        faults.append(Fault(key=passwords[1], what=what, instead="leave one of the two out"))
    if passwords and "user" not in table:
        hint = f"write the user that {passwords[0]} is the password of"
        faults.append(Fault(key="user", what="is missing", instead=hint))
    if "user" in table and not passwords:
        hint = "write password_file, or password_env, to say where the password is"
        faults.append(Fault(key="user", what="has no password", instead=hint))
    if passwords and security is Security.NONE and not here:
        what = "would let others on the way read the password"
        faults.append(Fault(key="security", what=what, instead='write "starttls" or "tls"'))


# -- single keys ----------------------------------------------------------------------------------


def read_rate(value: Any) -> Rate:
    """Return a rate such as ``20/1h``.

    Raises:
        Invalid: it is none.
    """
    if isinstance(value, Rate):
        return value
    hint = 'write a number and a duration, such as "20/1h"'
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        msg = f"{value!r} is not a rate"
        raise Invalid(msg, hint=hint)
    try:
        seconds = parse_duration(found[2]).total_seconds()
    except Invalid as error:
        msg = f"{value!r} is not a rate: {error.message}"
        raise Invalid(msg, hint=hint) from None
    if not int(found[1]) or not seconds:
        msg = f"{value!r} would let nothing through"
        raise Invalid(msg, hint="write numbers above zero, or leave the channel out of notify")
    return Rate(int(found[1]), seconds)


def _read_events(value: Any) -> tuple[Event, ...]:
    said = [value] if isinstance(value, str) else value
    hint = f"write a list of some of {', '.join(CHOICES)}"
    if not isinstance(said, list | tuple) or not said:
        msg = f"{value!r} is not a list of events"
        raise Invalid(msg, hint=hint)
    if wrong := [one for one in said if one not in CHOICES]:
        words = [event.value for event in CHOICES]
        near = suggest(wrong[0], words) if isinstance(wrong[0], str) else None
        msg = f"{wrong[0]!r} is not an event that a channel is told of"
        raise Invalid(msg, hint=near or hint)
    return tuple(event for event in CHOICES if event in said)


def _read_headers(value: Any) -> dict[str, str]:
    headers: dict[str, str] = values.mapping_of("headers", _HEADER)(value)
    for key, said in headers.items():
        if key.lower() in _OWN_HEADERS:
            msg = f"{key} is written by flytesched"
            raise Invalid(msg, hint="leave it out")
        if not _HEADER_VALUE.fullmatch(said):
            msg = f"the value of {key} cannot stand in a header"  # it may be a secret
            raise Invalid(msg, hint="write one line of ASCII without blanks around it")
    return headers


def _read_addresses(value: Any) -> list[str]:
    said = [value] if isinstance(value, str) else value
    if not isinstance(said, list | tuple) or not said or len(said) > _MOST_ADDRESSES:
        msg = f"is not a list of 1 to {_MOST_ADDRESSES} addresses"
        raise Invalid(msg, hint='write one such as ["ops@example.org"]')
    return list(dict.fromkeys(_read_address(one) for one in said))


def _read_address(value: Any) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        msg = f"{value!r} is not an address"
        raise Invalid(msg, hint="write one such as ops@example.org, in ASCII and without a name")
    return value


def _read_host(value: Any) -> str:
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        msg = f"{value!r} is not a host"
        raise Invalid(
            msg, hint="write a name or an address such as mail.example.org; port is a key"
        )
    return value


def _read_port(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_535:
        msg = f"{value!r} is not a port"
        raise Invalid(msg, hint="write a number from 1 to 65535")
    return value


def _read_path(value: Any) -> str:
    path = values.read_some_text(value)
    if not path.startswith(("/", "~/")):
        msg = f"{path!r} does not say from where"
        raise Invalid(msg, hint="write a path that begins with / or ~/")
    return path


def _read_variable(value: Any) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        msg = "is not the name of a variable"  # it may be the password itself
        raise Invalid(msg, hint="write the name of an environment variable of the scheduler")
    return value


def _word_of(kind: type[StrEnum]) -> Callable[[Any], str]:
    read = values.choice_of(kind)
    return lambda value: str(read(value).value)


_COMMON = {
    "kind": _Key(values.choice_of(ChannelKind)),
    "events": _Key(_read_events, USUAL),
    "at_most": _Key(read_rate, Rate(20, 3600.0)),
}
_OF: dict[ChannelKind, dict[str, _Key]] = {
    ChannelKind.WEBHOOK: {
        "url": _Key(values.read_url),
        "url_file": _Key(_read_path),
        "headers": _Key(_read_headers),
        "format": _Key(_word_of(Format), Format.JSON.value),
    },
    ChannelKind.MAIL: {
        "to": _Key(_read_addresses),
        "from": _Key(_read_address),
        "host": _Key(_read_host, "localhost"),
        "port": _Key(_read_port),
        "security": _Key(_word_of(Security)),
        "user": _Key(values.read_some_text),
        "password_file": _Key(_read_path),
        "password_env": _Key(_read_variable),
    },
}
_OF_ANY = {key: one for keys in _OF.values() for key, one in keys.items()}
_DEMANDS = {ChannelKind.WEBHOOK: _demand_url, ChannelKind.MAIL: _demand_mail}
#: Every key that may stand in a table ``[channels.NAME]``.
CHANNEL_KEYS = (*_COMMON, *_OF_ANY)
_NO_SECRET = frozenset(CHANNEL_KEYS) - {"url", "headers", "password_env"}
