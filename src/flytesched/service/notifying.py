"""Notifying: look at channels, try them, and look up what became of notices.

A test goes the way of all messages, through a sender of its own, and with what the scheduler that
runs has in its environment. It changes nothing: neither here nor, for a ping, there.
"""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched import linux
from flytesched.core.telling.channels import Channel, ChannelKind, ping_address, users
from flytesched.core.telling.events import PING_URL
from flytesched.core.telling.messages import facts_of_test
from flytesched.core.values import url_without_secret
from flytesched.errors import Invalid, NotFound
from flytesched.hooks.answer import SENT, UNKNOWN
from flytesched.service.advice import advice
from flytesched.service.doctor import such
from flytesched.service.overview import LOST_FOR
from flytesched.service.selection import named, remembered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.events import Notice, NoticeStatus
    from flytesched.hooks.courier import Courier
    from flytesched.manifest import Manifest
    from flytesched.runlog.notices import ChannelRecord

_NO_CHANNELS = 'write a table such as [channels.ops] with kind = "mail" and to = ["root"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is tried: a channel, or the ping URL of a schedule."""

    #: Name of the channel, or ``ping_url``.
    channel: str
    #: Whose ping URL it is; None for a channel.
    schedule: str | None
    #: ``mail``, ``webhook`` or ``ping``.
    kind: str
    #: Where it leads to, without what may be a secret.
    where: str
    #: What the sender is told of it.
    address: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is called in front of people."""
        return self.channel if self.schedule is None else f"{self.channel} of {self.schedule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test."""

    #: What was tried.
    target: Target
    #: ``sent``, ``refused`` or ``unknown``.
    outcome: str
    #: Why it was not sent, or to whom not.
    why: str | None
    #: What to do about that.
    do: str | None

    @property
    def good(self) -> bool:
        """Whether the message has reached everybody."""
        return self.outcome == SENT and self.why is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A channel of the manifest, or what stands for all ping URLs, as it is used."""

    #: Its name.
    name: str
    #: The channel; None for ping URLs.
    channel: Channel | None
    #: The schedules that it is told of.
    schedules: tuple[str, ...]
    #: How it has done; None while it was never told anything.
    record: ChannelRecord | None


def listed(site: Site, words: Sequence[str] = ()) -> list[Listed]:
    """Return the channels of the manifest, and ping URLs as one if there are any.

    Raises:
        NotFound: a word means none of them.
        InvalidManifest: the manifest has faults.
    """
    manifest = site.manifest()
    used = users(manifest.schedules.values())
    names = list(dict.fromkeys([*manifest.channels, *used]))
    records: dict[str, ChannelRecord] = {}
    if (reader := site.reader()) is not None:
        with reader:
            found = reader.channel_records(site.now() - LOST_FOR)
            records = {record.channel: record for record in found}
    return [
        Listed(
            name=name, channel=manifest.channels.get(name), schedules=tuple(used.get(name, ())),
            record=records.get(name),
        )
        for name in (named(names, words, thing="channel") if words else names)
    ]  # fmt: skip


# -- what is tried ------------------------------------------------------------------------------


def targets(site: Site, words: Sequence[str], schedule: str | None = None) -> list[Target]:
    """Return what is to be tried: the channels named, those of schedules, or all there are.

    Raises:
        NotFound: no channel, or schedule, has that name, or there is nothing to try.
        InvalidManifest: the manifest has faults.
    """
    manifest = site.manifest()
    if not words and schedule is None and not manifest.channels:
        msg = "the manifest has no channel that could be tried"
        raise NotFound(msg, hint=_NO_CHANNELS)
    names = named(manifest.channels, words, thing="channel") if words else []
    pings: list[Target] = []
    if schedule is not None:
        names, pings = _of_schedules(manifest, schedule, names)
    elif not words:
        names = list(manifest.channels)
    return [*(_of_channel(manifest.channels[name]) for name in names), *pings]


def _of_schedules(
    manifest: Manifest, word: str, names: Sequence[str]
) -> tuple[list[str], list[Target]]:
    """Return the channels that are named or told of schedules, and the ping URLs of these."""
    found = [manifest.schedules[name] for name in named(manifest.schedules, [word])]
    pings = [ping for schedule in found for ping in _of_ping_url(schedule)]
    told = [name for schedule in found for name in schedule.notify]
    if not pings and not told:
        msg = f"{such([each.name for each in found])}: no ping_url, and no channel in notify"
        raise NotFound(msg, hint="see: flytesched set --help, --notify and --ping-url")
    return list(dict.fromkeys([*names, *told])), pings


def _of_channel(channel: Channel) -> Target:
    return Target(
        channel=channel.name, schedule=None, kind=channel.kind.value, where=whereto(channel),
        address=channel.address(),
    )  # fmt: skip


def _of_ping_url(schedule: Schedule) -> list[Target]:
    if schedule.ping_url is None:
        return []
    target = Target(
        channel=PING_URL, schedule=schedule.name, kind="ping",
        where=url_without_secret(schedule.ping_url),
        address=ping_address(schedule.ping_url),
    )  # fmt: skip
    return [target]


def whereto(channel: Channel) -> str:
    """Return in short where a channel leads to, without what may be a secret."""
    keys = channel.keys
    if channel.kind is ChannelKind.MAIL:
        first, *others = keys["to"]
        more = f" and {len(others)} more" if others else ""
        return f"{first}{more} by {keys['host']}:{keys['port']}"
    return url_without_secret(keys["url"]) if "url" in keys else f"the URL in {keys['url_file']}"


# -- trying -------------------------------------------------------------------------------------


def try_channels(
    site: Site, found: Sequence[Target], *, deadline: float | None = None
) -> Iterator[Tried]:
    """Send a test to each, all at once, and yield what came of each as it is known.

    A caller that stops listening ends what is still being sent.

    Args:
        site: whose channels.
        found: what is tried.
        deadline: seconds that one message may take; None for half a minute, as messages have.
    """
    from flytesched.hooks.courier import Courier, job  # looking needs no process

    told = facts_of_test(now=site.now(), host=socket.gethostname())
    left = dict(enumerate(found))
    courier = Courier(*_environment(site, found), deadline=deadline)
    try:
        for number, target in left.items():
            # Each is a lane of its own, so that none waits for another.
            courier.give(job(number, str(number), target.address, [told]))
        for number, answer in _answers(courier, len(left)):
            yield _tried(left.pop(number), answer["outcome"], answer["why"])
    finally:
        courier.kill()
        courier.reap()
    for target in left.values():
        yield _tried(target, UNKNOWN, "the process that sends has ended without an answer")


def longest(count: int) -> float:
    """Return the seconds that it may take to try so many, whatever the other sides do."""
    from flytesched.hooks.sender import AT_ONCE, DEADLINE

    return -(-count // AT_ONCE) * DEADLINE


def _answers(courier: Courier, count: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield so many answers by job as they come, or as many as a sender that dies has given."""
    lives = True
    while count and lives:
        select.select([courier.fileno()], [], [])
        answers, lives = courier.hear()
        count -= len(answers)
        yield from ((answer["id"], answer) for answer in answers)


def _environment(site: Site, found: Sequence[Target]) -> tuple[Mapping[str, str], Collection[str]]:
    """Return the environment to send with, and which variables of it are passwords.

    It is ours, with what of the scheduler's decides how messages are sent. No more than that is
    taken over: another user's scheduler may have anything in its environment.
    """
    addresses = [target.address for target in found]
    passwords = {each["password_env"] for each in addresses if "password_env" in each}
    holder = site.scheduler()
    runs = holder is not None and holder.kind == "run"
    theirs = linux.process_environment(holder.pid) if holder is not None and runs else None
    if theirs is None:
        return site.environ, passwords
    kept = {name: value for name, value in site.environ.items() if not _counts(name, passwords)}
    taken = {name: value for name, value in theirs.items() if _counts(name, passwords)}
    return kept | taken, passwords


def _counts(name: str, passwords: Collection[str]) -> bool:
    proxied = name.lower().endswith("_proxy")
    return proxied or name in passwords or name in {"SSL_CERT_FILE", "SSL_CERT_DIR"}


def _tried(target: Target, outcome: str, why: str | None) -> Tried:
    return Tried(target=target, outcome=outcome, why=why, do=None if why is None else advice(why))


# -- looking up ---------------------------------------------------------------------------------


def noticed(
    site: Site,
    words: Sequence[str],
    *,
    schedules: Sequence[str] = (),
    statuses: Collection[NoticeStatus] | None = None,
    since: float | None = None,
    limit: int,
) -> list[Notice]:
    """Return notices, the newest first.

    Args:
        site: whose.
        words: names of channels, or patterns; of none, all.
        schedules: names or patterns; of none, all.
        statuses: states; None for all.
        since: epoch seconds.
        limit: how many at most.

    Raises:
        NotFound: a word means neither a channel of the manifest nor one that was ever told.
    """
    if (reader := site.reader()) is None:
        named(_known(site), words, thing="channel")
        return []
    with reader:
        told = (record.channel for record in reader.channel_records(site.now()))
        channels = named(_known(site, told), words, thing="channel") if words else None
        return reader.notices(
            channels=channels, schedules=remembered(site, schedules) if schedules else None,
            statuses=statuses, since=since or 0.0, limit=limit,
        )  # fmt: skip


def _known(site: Site, told: Iterable[str] = ()) -> list[str]:
    """Return the channels there are and were; of a manifest that is broken, those there were."""
    try:
        channels = [*site.manifest().channels]
    except Invalid:
        channels = []
    return list(dict.fromkeys([*channels, PING_URL, *told]))
