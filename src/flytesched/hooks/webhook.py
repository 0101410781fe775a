"""Webhooks: news as a POST to an address of the web."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flytesched.core.telling import messages
from flytesched.hooks import secret
from flytesched.hooks.answer import Answer, refused
from flytesched.hooks.post import post

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.hooks.answer import Facts, Note

#: Characters that Discord takes: https://discord.com/developers/docs/resources/webhook
_DISCORD = 2000
#: Characters that Slack shows of a message.
_SLACK = 40_000


def send(job: Facts, note: Note) -> Answer:
    """Send the messages of a job: one by itself, several as a digest."""
    channel: Facts = job["channel"]
    try:
        address = _address(channel)
    except secret.Missing as error:
        return refused(str(error), again=True)
    kind, body = _body(channel.get("format", "json"), job["messages"])
    headers = {"Content-Type": kind, **channel.get("headers", {})}
    return post(address, headers, body, note)


def _address(channel: Facts) -> str:
    if "url" in channel:
        return str(channel["url"])
    return secret.from_file("url_file", channel["url_file"])


def _body(form: str, told: Sequence[Facts]) -> tuple[str, bytes]:
    """Return the media type and the body in a format."""
    text = messages.text(told)
    if form == "text":
        return "text/plain; charset=utf-8", text.encode()
    return "application/json", json.dumps(_shape(form, text, told)).encode()


def _shape(form: str, text: str, told: Sequence[Facts]) -> dict[str, Any]:
    if form == "slack":
        return {"text": _cut(_plain(text), _SLACK)}
    if form == "discord":
        # Nobody is to be called by what a command wrote.
        return {"content": _cut(text, _DISCORD), "allowed_mentions": {"parse": []}}
    if len(told) == 1:
        return {**told[0], "text": text}
    return {"version": 1, "event": "digest", "text": text, "messages": list(told)}


def _plain(text: str) -> str:
    """Return a text in which Slack sees no markup.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 4]}\n..."
