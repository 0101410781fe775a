"""Pings in the style of healthchecks.io: that a run began, and how it ended.

https://healthchecks.io/docs/http_api/: a POST to the address itself with ``/start``, the exit
status, ``/fail`` or ``/log`` behind it, with output as its body; ``rid`` says which run it is of.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from flytesched.hooks.answer import Answer, refused
from flytesched.hooks.output import tail
from flytesched.hooks.post import post

if TYPE_CHECKING:
    from flytesched.hooks.answer import Facts, Note

#: Run ids become what ``rid`` has to be: a UUID, the same one for both pings of a run.
_RUNS = uuid.UUID("5b0e7a9c-3d3f-5c0a-8d5b-1f0e6f7a2c41")
#: Seconds until the next try where pings are limited: five a minute.
_LIMITED = 60.0
#: Exit codes that there are.
_CODES = range(1, 256)


def send(job: Facts, note: Note) -> Answer:
    """Send the one message of a job."""
    (facts,) = job["messages"]
    address = address_of(job["channel"]["url"], facts)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return post(address, headers, tail(job.get("tail")), note, judge=_judge)


def address_of(url: str, facts: Facts) -> str:
    """Return where a message goes: what is told stands in the path, and whose it is behind it."""
    address, mark, query = url.partition("?")
    run = facts["run"]
    rid = f"rid={uuid.uuid5(_RUNS, run['id'])}" if run is not None else ""
    behind = "&".join(part for part in (query, rid) if part)
    return f"{address.rstrip('/')}{_path(facts)}{'?' if behind else mark}{behind}"


def _path(facts: Facts) -> str:
    run = facts["run"]
    if facts["event"] == "started":
        return "/start"
    if run is None:  # a test changes nothing there
        return "/log"
    if run["status"] == "succeeded":
        return "/0"
    if run["status"] in {"cancelled", "skipped"}:
        return "/log"
    code = run["exit_code"] if run["status"] == "failed" else None
    return f"/{code}" if code in _CODES else "/fail"


def _judge(body: bytes) -> Answer | None:
    """Return what an answer says that calls everything good."""
    if body.startswith(b"OK (not found)"):
        return refused("no check has the address of ping_url")
    if body.startswith(b"OK (rate limited)"):
        return refused("too many pings", again=True, after=_LIMITED)
    return None
