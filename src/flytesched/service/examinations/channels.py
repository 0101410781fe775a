"""Examination of channels: whether what they need is there, and whether anything gets through."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING, NamedTuple

from flytesched.core.instants import rfc3339
from flytesched.core.telling.channels import LOCAL_HOSTS, ChannelKind, users
from flytesched.core.telling.events import PING_URL
from flytesched.core.values import url_without_secret
from flytesched.hooks import secret
from flytesched.service.advice import advice
from flytesched.service.doctor import Level, found, such

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.core.telling.channels import Channel
    from flytesched.service.doctor import Finding, Patient

#: Seconds after which somebody has certainly missed what a channel did not let through.
_LONG = 86_400
_FILES = ("url_file", "password_file")


class _Fault(NamedTuple):
    """What is wrong with a channel; several schedules may share it."""

    level: Level
    what: str
    do: str | None


def channels(patient: Patient) -> Iterator[Finding]:
    """Tell what channels and ping URLs lack, and which of them fail."""
    if patient.seen.channels is None:
        yield found("channels", Level.OK, "none can be looked at in a manifest that is broken")
        return
    told = patient.seen.told
    faults = [*_of_channels(patient), *_of_ping_urls(patient), *_of_records(patient)]
    for level, what, do in faults:
        yield found("channels", level, what, do)
    if not told:
        yield found("channels", Level.OK, "there is no channel, and nobody is told of anything")
    elif not faults:
        what = "each is named by a schedule, has what it needs, and what it was told got through"
        yield found("channels", Level.OK, what)


def _of_channels(patient: Patient) -> Iterator[_Fault]:
    used = users(patient.seen.schedules.values())
    for name, channel in (patient.seen.channels or {}).items():
        if name not in used:
            what = f"no schedule names {name}: it is told of nothing"
            do = f'write notify = ["{name}"] in a schedule or in [defaults], or remove the table'
            yield _Fault(Level.WARNING, what, do)
        for fault in (*_of_secrets(channel, patient), *_of_addresses(channel)):
            yield fault._replace(what=f"{name}: {fault.what}")


def _of_secrets(channel: Channel, patient: Patient) -> Iterator[_Fault]:
    """Yield what is wrong with files and variables that hold secrets."""
    for key in _FILES:
        if (path := channel.keys.get(key)) is not None:
            yield from _of_file(key, _expanded(path, patient))
    name = channel.keys.get("password_env")
    if name is None or patient.environ.get(name):
        return
    if patient.knows_scheduler:
        what = f"the scheduler has no variable {name}, which password_env names"
        do = "set it where the scheduler starts, then restart it: systemctl edit, say"
        yield _Fault(Level.PROBLEM, what, do)
    else:
        what = f"password_env names {name}, which is not set here"
        yield _Fault(Level.WARNING, what, "see that it is set where the scheduler starts")


def _of_file(key: str, path: str) -> Iterator[_Fault]:
    try:
        secret.from_file(key, path)
    except secret.Missing as error:
        yield _Fault(Level.PROBLEM, f"{error} ({path})", advice(str(error)))
        return
    if os.stat(path).st_mode & stat.S_IROTH:  # noqa: PTH116  its neighbours are texts too
        yield _Fault(Level.WARNING, f"anybody may read {path}, its {key}", "chmod o= it")


def _expanded(path: str, patient: Patient) -> str:
    """Return the path of a file as the scheduler finds it."""
    home = patient.environ.get("HOME")
    return home + path[1:] if home and path.startswith("~/") else os.path.expanduser(path)  # noqa: PTH111


def _of_addresses(channel: Channel) -> Iterator[_Fault]:
    """Yield what is wrong with where a channel leads to, and whose name stands on it."""
    keys = channel.keys
    if channel.kind is ChannelKind.WEBHOOK:
        if _bare(url := keys.get("url", "")):
            what = f"{url_without_secret(url)} is not https: anybody on the way may read it"
            yield _Fault(Level.WARNING, what, "write https, if the other side knows it")
        return
    if keys["host"] in LOCAL_HOSTS:
        return  # it knows the names of this machine
    sender = keys.get("from", f"flytesched@{socket.gethostname()}")
    if not _complete(sender):
        said = f"from = {sender!r}" if "from" in keys else f"without a from it is {sender!r}, which"
        what = f"{said} is no address elsewhere: many servers refuse such mail"
        yield _Fault(Level.WARNING, what, "write a from with a whole domain")
    for address in keys["to"]:
        if not _complete(address):
            what = f"to: {address!r} is no address elsewhere"
            yield _Fault(Level.WARNING, what, "write it with a whole domain")


def _complete(address: str) -> bool:
    """Tell whether others than this machine can know an address."""
    domain = address.rpartition("@")[2] if "@" in address else ""
    return "." in domain.strip(".")


def _bare(url: str) -> bool:
    """Tell whether what is sent to a URL can be read on its way."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return scheme.lower() == "http" and name.lower() not in LOCAL_HOSTS


def _of_ping_urls(patient: Patient) -> Iterator[_Fault]:
    schedules = patient.seen.schedules.values()
    if names := [each.name for each in schedules if _bare(each.ping_url or "")]:
        what = f"{such(names)}: ping_url is not https: anybody on the way may read it, and ping"
        yield _Fault(Level.WARNING, what, "write https, if the other side knows it")


def _of_records(patient: Patient) -> Iterator[_Fault]:
    """Yield which channels fail."""
    for name, (since, why) in patient.seen.failing_channels.items():
        long = patient.seen.now - since >= _LONG
        tried = "--schedule NAME" if name == PING_URL else name
        do = "; ".join(part for part in (advice(why), f"flytesched notify test {tried}") if part)
        what = f"{name}: it fails since {rfc3339(since)}: {why}"
        yield _Fault(Level.PROBLEM if long else Level.WARNING, what, do)
