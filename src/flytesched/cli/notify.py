"""flytesched notify: channels: which there are, whether they work, what they were told."""

from typing import Annotated, Any

import typer

from flytesched.cli import prose, render, shapes
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.core.suggestion import suggest
from flytesched.core.telling.events import PINGS, Notice, NoticeStatus
from flytesched.errors import UsageError
from flytesched.service.notifying import (
    Listed,
    Tried,
    listed,
    longest,
    noticed,
    targets,
    try_channels,
    whereto,
)

HELP = "Look after channels, through which people are told."

_STATUSES = tuple(status.value for status in NoticeStatus)
_HEADS = ("WHEN", "CHANNEL", "EVENT", "SCHEDULE", "STATUS", "TRIES", "ABOUT")
#: What a narrow terminal does without; why something did not arrive may be cut in the end.
_FIT: dict[str, Any] = {
    "right": ("TRIES",), "toned": ("STATUS",), "spare": ("TRIES", "ABOUT"),
    "elastic": ("SCHEDULE", "CHANNEL", "STATUS"),
}  # fmt: skip

#: Channels of the manifest.
Channels = Annotated[
    list[str] | None,
    typer.Argument(metavar="CHANNEL", help="Channels, or patterns such as 'ops-*'."),
]
#: Schedules whose channels are meant.
Schedule = Annotated[
    str | None,
    typer.Option("--schedule", metavar="NAME", help="Its ping_url, and what it notifies."),
]


@verb(reads=True)
def list_(call: Call, channels: Channels = None) -> None:
    """Show channels, and whether they work."""
    found = listed(call.site, channels or [])
    if call.json:
        call.answer("channels", {"channels": [_listed(each) for each in found]})
    elif found:
        rows = [_line(call, each) for each in found]
        call.table(
            ("CHANNEL", "KIND", "WHERE", "EVENTS", "SCHEDULES", "STATE"), rows,
            right=("SCHEDULES",), toned=("STATE",), spare=("EVENTS", "KIND"),
            elastic=("WHERE", "CHANNEL"),
        )  # fmt: skip
    else:
        call.talk("there are no channels; flytesched.toml(5) says how one is made")


@verb(reads=True)
def probe(call: Call, channels: Channels = None, *, schedule: Schedule = None) -> int:
    """Send a test message to channels.

    Exits 0 if each has taken it, else 1. Of a ping URL nothing is changed: what is sent there is
    a line of its log. Nothing is written to the run log.
    """
    found = targets(call.site, channels or [], schedule)
    if call.looked_at and not call.json:
        many = render.plural(len(found), "channel")
        call.talk(f"sending a test to {many}; {render.about(longest(len(found)))} at most")
    order = {target.name: number for number, target in enumerate(found)}
    tried = sorted(try_channels(call.site, found), key=lambda each: order[each.target.name])
    if call.json:
        call.answer("notify_test", {"tried": [_shape(each) for each in tried]})
    else:
        rows = [(each.target.name, each.target.kind, _result(each)) for each in tried]
        prose.table(call, ("CHANNEL", "KIND", "RESULT"), rows)
    return 0 if all(each.good for each in tried) else 1


@verb(reads=True, watched=True)
def history(
    call: Call,
    channels: Channels = None,
    *,
    schedule: Annotated[
        list[str] | None,
        typer.Option("--schedule", metavar="NAME", help="Only of these, or a pattern; repeatable."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="|".join(_STATUSES), help="Only these; repeatable, or with commas."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 2h.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=2**31, help="Lines at most.")
    ] = 50,
) -> None:
    """Show what channels were told of, and whether it arrived.

    The newest comes first. What did not arrive says why.
    """
    found = noticed(
        call.site, channels or [], schedules=schedule or [], statuses=_statuses(status or []),
        since=call.moment("--since", since), limit=limit,
    )  # fmt: skip
    if call.json:
        call.answer("notices", {"notices": [shapes.notice(each) for each in found]})
    elif found:
        call.table(_HEADS, [_row(call, each) for each in found], **_FIT)
    else:
        call.talk("there are no such notices")


COMMANDS = {"list": list_, "test": probe, "history": history}


def _line(call: Call, one: Listed) -> tuple[object, ...]:
    channel, record = one.channel, one.record
    failing = None if record is None else record.failing
    state = "never told" if record is None else "ok"
    return (
        one.name,
        "ping" if channel is None else channel.kind.value,
        None if channel is None else whereto(channel),
        ", ".join(_events(one)),
        len(one.schedules),
        state if failing is None else f"failing since {call.short(failing[0])}",
    )


def _listed(one: Listed) -> dict[str, Any]:
    channel = one.channel
    return {
        **shapes.channel(one.name, one.record),
        "kind": "ping" if channel is None else channel.kind.value,
        "where": None if channel is None else whereto(channel),
        "events": _events(one),
        "at_most": None if channel is None else str(channel.at_most),
        "schedules": list(one.schedules),
    }


def _events(one: Listed) -> list[str]:
    events = sorted(PINGS, reverse=True) if one.channel is None else one.channel.events
    return [event.value for event in events]


def _statuses(words: list[str]) -> list[NoticeStatus] | None:
    found = [part.strip() for word in words for part in word.split(",")]
    for word in found:
        if word not in _STATUSES:
            msg = f"--status: there is no status {word!r}"
            raise UsageError(msg, hint=suggest(word, _STATUSES) or f"one of {', '.join(_STATUSES)}")
    return [NoticeStatus(word) for word in found] or None


def _row(call: Call, notice: Notice) -> tuple[object, ...]:
    status = notice.status.value if notice.why is None else f"{notice.status.value}({notice.why})"
    return (
        call.short(notice.created), notice.channel, notice.event.value, notice.schedule, status,
        notice.tries or None, notice.about,
    )  # fmt: skip


def _result(tried: Tried) -> str:
    """Return what came of a test in one sentence, with where it went and what to do."""
    said = {"sent": "sent", "refused": "not sent", "unknown": "perhaps sent"}[tried.outcome]
    if tried.why is None:
        return render.safe(f"{said} to {tried.target.where}")
    return render.safe("; ".join(part for part in (f"{said}: {tried.why}", tried.do) if part))


def _shape(tried: Tried) -> dict[str, Any]:
    return {
        "channel": tried.target.channel,
        "schedule": tried.target.schedule,
        "kind": tried.target.kind,
        "where": tried.target.where,
        "outcome": tried.outcome,
        "why": tried.why,
        "do": tried.do,
    }
