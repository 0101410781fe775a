"""Pings in the style of healthchecks.io: where they go, what they carry, what is answered."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hooks_desk import facts, job
from hooks_servers import GOOD, answering

from flytesched.hooks import ping
from flytesched.hooks.answer import Answer, refused, sent
from flytesched.hooks.output import TAIL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hooks_servers import Server

    Keep = Callable[[Any], Any]


def send(server: Server, told: dict[str, Any], **keys: Any) -> Answer:
    """Send one ping."""
    return ping.send(job("ping", [told], url=server.url, **keys), lambda _: None)


@pytest.mark.parametrize(
    ("event", "run", "path"),
    [
        ("started", {"status": "running"}, "/start"),
        ("ended", {"status": "succeeded", "exit_code": 0}, "/0"),
        ("ended", {"status": "succeeded", "exit_code": 3}, "/0"),  # it counts as success
        ("ended", {"status": "failed", "exit_code": 3}, "/3"),
        ("ended", {"status": "failed", "exit_code": 255}, "/255"),
        ("ended", {"status": "failed", "exit_code": 0}, "/fail"),  # 0 does not count as success
        ("ended", {"status": "failed", "exit_code": None}, "/fail"),  # it could not start
        ("ended", {"status": "timed_out", "exit_code": 143}, "/fail"),
        ("ended", {"status": "interrupted", "exit_code": None}, "/fail"),
        ("ended", {"status": "cancelled", "exit_code": 143}, "/log"),
        ("ended", {"status": "skipped", "exit_code": None}, "/log"),
    ],
)
def test_what_happened_stands_in_the_path(event: str, run: dict[str, Any], path: str) -> None:
    """As healthchecks.io has it: an exit status, or a word."""
    address = ping.address_of("https://hc-ping.com/uuid", facts(event, **run))

    assert address.partition("?")[0] == f"https://hc-ping.com/uuid{path}"


def test_a_test_changes_no_check() -> None:
    """It is a line in the log there."""
    told = {**facts("test"), "run": None}

    assert ping.address_of("https://hc-ping.com/uuid/", told) == "https://hc-ping.com/uuid/log"


def test_both_pings_of_a_run_have_one_rid() -> None:
    """It is a UUID, as the server demands, and another one for each run."""
    rids = [
        ping.address_of("http://h/u?create=1", facts(event, run)).partition("?create=1&rid=")[2]
        for event, run in [("started", "a"), ("ended", "a"), ("ended", "b")]
    ]

    assert [str(uuid.UUID(rid)) for rid in rids] == rids
    assert rids[0] == rids[1] != rids[2]


def test_the_end_of_the_output_goes_with_it(keep: Keep, tmp_path: Path) -> None:
    """The last 10,000 bytes, as they are."""
    server = keep(answering(GOOD))
    log = tmp_path / "log"
    log.write_bytes(b"begin" + b"\xff" * TAIL)

    assert send(server, facts("ended"), tail=log) == sent()

    (request,) = server.requests
    assert request.method == "POST"
    assert request.target.startswith("/secret-path/3?key=secret&rid=")
    assert request.body == b"\xff" * TAIL


@pytest.mark.parametrize("there", ["nothing", "folder", "link", "fifo"])
def test_without_a_log_it_goes_all_the_same(keep: Keep, tmp_path: Path, there: str) -> None:
    """Logs are pruned, and nobody reads what was planted in their place."""
    server = keep(answering(GOOD))
    log = tmp_path / "log"
    (tmp_path / "secret").write_text("secret")
    {
        "nothing": lambda: None, "folder": log.mkdir,
        "link": lambda: log.symlink_to(tmp_path / "secret"), "fifo": lambda: _fifo(log),
    }[there]()  # fmt: skip

    assert send(server, facts("ended"), tail=log) == sent()
    assert server.requests[0].body == b""


def _fifo(path: Path) -> None:
    import os

    os.mkfifo(path)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", sent()),
        (b"HTTP/1.1 200 OK\r\n\r\nOK", sent()),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", sent()),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nOK (not found)",
            refused("no check has the address of ping_url"),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"11\r\nOK (rate limited)\r\n0\r\n",
            refused("too many pings", again=True, after=60.0),
        ),
        (b"HTTP/1.1 404 X\r\n\r\nnot found", refused("localhost answered 404 Not Found")),
        (b"HTTP/1.1 409 X\r\n\r\nambiguous", refused("localhost answered 409 Conflict")),
        (
            b"HTTP/1.1 429 X\r\n\r\nslow down",
            refused("localhost answered 429 Too Many Requests", again=True),
        ),
    ],
)
def test_the_body_of_a_good_answer_counts(keep: Keep, answer: bytes, expected: Answer) -> None:
    """An address with a UUID is always answered 200, the check may be there or not."""
    assert send(keep(answering(answer)), facts("ended")) == expected
