"""Webhooks against real servers: what they get, and what is made of their answers."""

from __future__ import annotations

import base64
import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hooks_desk import facts, job
from hooks_servers import CERTIFICATE, GOOD, Server, answering, read_request

from flytesched.hooks import webhook
from flytesched.hooks.answer import Answer, refused, sent, unknown
from flytesched.hooks.connection import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Keep = Callable[[Any], Any]


def send(server: Server, **keys: Any) -> Answer:
    """Send one message to a server."""
    return webhook.send(job("webhook", url=keys.pop("url", server.url), **keys), lambda _: None)


# -- what is sent ---------------------------------------------------------------------------


def test_json_is_the_facts_with_a_text(keep: Keep) -> None:
    """A program gets every fact under its name, and what people would read besides."""
    server = keep(answering(GOOD))

    assert send(server) == sent()

    (request,) = server.requests
    said = json.loads(request.body)
    assert (request.method, request.target) == ("POST", "/secret-path?key=secret")
    assert request.headers["host"] == f"localhost:{server.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "flytesched"
    assert said.pop("text").startswith("job: failed(exit 3)\n")
    assert said == facts()


def test_several_messages_are_a_digest(keep: Keep) -> None:
    """What waited for its turn is told in one message."""
    server = keep(answering(GOOD))
    told = [facts("failure"), facts("recovered")]

    send(server, told=told)

    said = json.loads(server.requests[0].body)
    assert (said["version"], said["event"], said["messages"]) == (1, "digest", told)
    assert said["text"].startswith("2 notices of job: 1 failed, 1 recovered\n")


def test_slack_gets_a_text_without_markup(keep: Keep) -> None:
    """What a command is called calls nobody."""
    server = keep(answering(GOOD))

    send(server, format="slack", told=[facts(verdict="failed(<!channel> & co)")])

    said = json.loads(server.requests[0].body)
    assert list(said) == ["text"]
    assert "failed(&lt;!channel&gt; &amp; co)" in said["text"]


def test_discord_gets_no_more_than_it_takes(keep: Keep) -> None:
    """A content of more than 2,000 characters would be refused as a whole."""
    server = keep(answering(GOOD))

    many = [{**facts(verdict="x" * 150), "schedule": f"job-{n}"} for n in range(20)]
    send(server, format="discord", told=many)

    said = json.loads(server.requests[0].body)
    assert len(said["content"]) <= 2000
    assert said["content"].endswith("\n...")
    assert said["allowed_mentions"] == {"parse": []}


def test_text_is_what_people_read(keep: Keep) -> None:
    """A service such as ntfy shows the body itself."""
    server = keep(answering(GOOD))

    send(server, format="text", told=[facts(verdict="failed(größer)")])

    (request,) = server.requests
    assert request.headers["content-type"] == "text/plain; charset=utf-8"
    assert request.text.startswith("job: failed(größer)\n")


def test_headers_of_the_channel_are_sent(keep: Keep) -> None:
    """One that flytesched would write itself is overruled, however it is spelled."""
    server = keep(answering(GOOD))

    send(server, headers={"Authorization": "Bearer secret", "user-AGENT": "mine"})

    headers = server.requests[0].headers
    assert (headers["authorization"], headers["user-agent"]) == ("Bearer secret", "mine")


def test_a_name_and_password_in_the_address_become_a_header(keep: Keep) -> None:
    """They are no part of the host."""
    server = keep(answering(GOOD))

    send(server, url=server.url.replace("localhost", "me:p%40ss@localhost"))

    headers = server.requests[0].headers
    assert headers["host"] == f"localhost:{server.port}"
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"me:p@ss"


def test_the_address_may_stand_in_a_file(keep: Keep, tmp_path: Path) -> None:
    """It is read anew each time, so that it can be changed."""
    server = keep(answering(GOOD))
    file = tmp_path / "url"
    file.write_text(f"{server.url}\n")

    told = webhook.send(job("webhook", url_file=str(file)), lambda _: None)

    assert told == sent()


@pytest.mark.parametrize(
    ("content", "why", "again"),
    [
        (None, "url_file cannot be read: no such file or directory", True),
        (b"", "url_file does not hold one line of text", True),
        (b"http://a/secret\nhttp://b/secret\n", "url_file does not hold one line of text", True),
        (b"\xff\xfe", "url_file does not hold one line of text", True),
        (b"ftp://secret", "the address is none of the web", False),
        (b"http://secret host/", "the address is none of the web", False),
        (b"http:///secret", "the address names no host", False),
        (b"http://[secret", "the address names no host", False),
        (b"http://host:secret/", "the address names no host", False),
    ],
)
def test_a_file_without_an_address_is_a_refusal(
    tmp_path: Path, content: bytes | None, why: str, again: bool
) -> None:
    """What may be mended is tried again; nothing of what stands there is repeated."""
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)

    told = webhook.send(job("webhook", url_file=str(file)), lambda _: None)

    assert told == refused(why, again=again)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    """Whether or not somebody may come to write to it."""
    file = tmp_path / "url"
    os.mkfifo(file)
    with open(os.open(file, os.O_RDWR), "rb"):  # so there is a writer
        told = webhook.send(job("webhook", url_file=str(file)), lambda _: None)

    assert told == refused("url_file does not hold one line of text", again=True)


@pytest.mark.parametrize("headers", [{"X": "secret\r\nY: z"}, {"X Y": "a"}, {"X": "secret€"}])
def test_a_header_that_cannot_be_sent_is_a_refusal(headers: dict[str, str]) -> None:
    """No value smuggles in another header."""
    told = webhook.send(job("webhook", url="http://localhost:1/", headers=headers), lambda _: None)

    assert told == refused(f"the header {next(iter(headers))!r} cannot be sent")


# -- what is made of answers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("200 OK", sent()),
        ("204 No Content", sent()),
        ("299 Fine", sent()),
        (
            "302 Found\r\nLocation: https://other.example/secret",
            refused(
                "localhost answered 302 Found to other.example, which is not followed"
            ),
        ),
        ("301 Moved", refused("localhost answered 301 Moved Permanently, which is not followed")),
        (
            "307 X\r\nLocation: http://[secret",
            refused("localhost answered 307 Temporary Redirect, which is not followed"),
        ),
        ("404 secret", refused("localhost answered 404 Not Found")),
        ("499 secret", refused("localhost answered 499")),
        ("408 X", refused("localhost answered 408 Request Timeout", again=True)),
        ("425 X", refused("localhost answered 425 Too Early", again=True)),
        (
            "429 X\r\nRetry-After: 17",
            refused("localhost answered 429 Too Many Requests", again=True, after=17.0),
        ),
        (
            "503 X\r\nDate: Sat, 21 Nov 2026 02:00:00 GMT\r\n"
            "Retry-After: Sat, 21 Nov 2026 02:01:30 GMT",
            refused("localhost answered 503 Service Unavailable", again=True, after=90.0),
        ),
        (
            "503 X\r\nRetry-After: tomorrow",
            refused("localhost answered 503 Service Unavailable", again=True),
        ),
        ("500 X", refused("localhost answered 500 Internal Server Error", again=True)),
        ("504 X", unknown("localhost answered 504 Gateway Timeout")),
        ("101 X", refused("localhost answered 101 Switching Protocols")),
    ],
    ids=lambda value: value.partition("\r\n")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_status_says_what_came_of_it(keep: Keep, answer: str, expected: Answer) -> None:
    """Only the status is repeated, and of a redirection the host."""
    server = keep(answering(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode()))

    assert send(server) == expected


def test_interim_answers_are_passed_over(keep: Keep) -> None:
    """100 Continue and 103 Early Hints say nothing yet."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    assert send(keep(answering(interim + GOOD))) == sent()


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.7\r\n", b"HTTP/1.1 2", b"HTTP/1.1 abc OK\r\n\r\n", b"\0" * 200_000],
    ids=["nothing", "ssh", "half", "words", "noise"],
)
def test_an_answer_that_is_none_leaves_it_unknown(keep: Keep, answer: bytes) -> None:
    """The whole request was there: somebody may have acted on it."""
    told = send(keep(answering(answer)))

    assert told.outcome == "unknown"
    assert not told.again


def test_a_status_counts_however_the_answer_goes_on(keep: Keep) -> None:
    """Endless headers of a good answer do not make it a bad one."""
    head = b"HTTP/1.1 200 OK\r\n" + b"X-Endless: secret\r\n" * 10_000

    assert send(keep(answering(head))) == sent()


def test_a_refusal_before_the_end_of_the_request_is_heard(keep: Keep) -> None:
    """A server that does not like the first line need not read a body of megabytes."""

    def behave(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 413 X\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    told = send(keep(Server(behave)), told=[facts(reason="x" * 10_000_000)])

    assert told == refused("localhost answered 413 Content Too Large") or told == refused(
        "localhost answered 413 Request Entity Too Large"
    )


def test_a_connection_that_is_cut_amid_the_request_is_a_refusal(keep: Keep) -> None:
    """Half a request is none."""

    def behave(connection: socket.socket) -> None:
        connection.recv(10)

    told = send(keep(Server(behave)), told=[facts(reason="x" * 30_000_000)])

    assert told.outcome == "refused"
    assert told.again


def test_nobody_there_is_a_refusal(keep: Keep) -> None:
    """The next try may find somebody."""
    server = keep(answering(GOOD))
    server.close()

    assert send(server) == refused("localhost: connection refused", again=True)


def test_a_host_without_an_address_is_a_refusal() -> None:
    """A name under .invalid is never known (RFC 6761)."""
    told = webhook.send(job("webhook", url="http://hook.invalid/secret"), lambda _: None)

    assert (told.outcome, told.again) == ("refused", True)
    assert str(told.why).startswith("hook.invalid: its name cannot be resolved: ")


def test_what_holds_is_noted_before_the_last_byte(keep: Keep) -> None:
    """A process that is ended at any moment has told the truth by then."""
    noted: list[Answer] = []
    seen: list[list[Answer]] = []

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        seen.append(list(noted))
        connection.sendall(b"HTTP/1.1 503 X\r\n\r\n")

    server = keep(Server(behave))
    webhook.send(job("webhook", url=server.url), noted.append)

    assert seen == [[unknown("no answer in time")]]
    assert [answer.outcome for answer in noted] == ["unknown", "refused"]


# -- TLS ------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_a_refusal(keep: Keep) -> None:
    """Nothing is sent to whoever may stand in the way."""
    server = keep(answering(GOOD, tls=True))

    assert send(server) == refused(
        "localhost: its certificate is not accepted: self-signed certificate", again=True
    )
    assert server.requests == []


def test_a_certificate_of_another_host_is_a_refusal(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name counts, not only who vouches for it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    server = keep(answering(GOOD, tls=True, host="127.0.0.2"))

    told = send(server, url=server.url.replace("localhost", "127.0.0.2"))

    assert told.outcome == "refused"
    assert "certificate is not valid for '127.0.0.2'" in str(told.why)


def test_a_certificate_that_the_environment_vouches_for_is_taken(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names one for a house of its own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tls_context.cache_clear()
    server = keep(answering(GOOD, tls=True))

    assert send(server) == sent()
    assert json.loads(server.requests[0].body)["event"] == "failure"


def test_a_server_without_tls_is_a_refusal(keep: Keep) -> None:
    """What it says is no handshake."""

    def behave(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(GOOD)

    server = keep(Server(behave))

    told = send(server, url=server.url.replace("http:", "https:"))

    assert (told.outcome, told.again) == ("refused", True)
    assert str(told.why).startswith("localhost: TLS failed: ")


# -- proxies --------------------------------------------------------------------------------


class Proxy(Server):
    """A proxy, also for tunnels, that wants a password."""

    def __init__(self, refusal: bytes | None = None) -> None:
        self.refusal = refusal
        super().__init__(self.pass_on)

    def pass_on(self, connection: socket.socket) -> None:
        request = self.take(connection)
        assert request is not None
        if self.refusal is not None:
            connection.sendall(self.refusal)
        elif request.method == "CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n")
            self._tunnel(connection, int(request.target.rpartition(":")[2]))
        else:
            connection.sendall(GOOD)

    def _tunnel(self, connection: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as other:
            self._run(_copy, other, connection)
            _copy(connection, other)


def _copy(one: socket.socket, other: socket.socket) -> None:
    try:
        while part := one.recv(65536):
            other.sendall(part)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_proxy_of_the_environment_is_asked(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TLS it gets the whole address, and the password that was meant for it."""
    proxy = keep(Proxy())
    monkeypatch.setenv("http_proxy", f"http://me:pw@localhost:{proxy.port}")

    told = webhook.send(job("webhook", url="http://hook.invalid/path"), lambda _: None)

    assert told == sent()
    assert proxy.requests[0].target == "http://hook.invalid/path"
    permit = proxy.requests[0].headers["proxy-authorization"].removeprefix("Basic ")
    assert base64.b64decode(permit) == b"me:pw"


def test_a_proxy_digs_a_tunnel_for_tls(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees a host and a port, and its password goes no further."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    proxy, server = keep(Proxy()), keep(answering(GOOD, tls=True))
    monkeypatch.setenv("https_proxy", f"me:pw@localhost:{proxy.port}")

    assert send(server) == sent()

    assert proxy.requests[0].method == "CONNECT"
    assert proxy.requests[0].target == f"localhost:{server.port}"
    assert "proxy-authorization" in proxy.requests[0].headers
    assert "proxy-authorization" not in server.requests[0].headers


def test_no_proxy_names_hosts_without_one(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """A house's own hosts are reached directly."""
    server = keep(answering(GOOD))
    monkeypatch.setenv("http_proxy", "http://proxy.invalid")
    monkeypatch.setenv("no_proxy", "localhost")

    assert send(server) == sent()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 X\r\n\r\n",
         "localhost: the proxy answered 407 Proxy Authentication Required"),
        (b"nonsense\r\n", "localhost: the proxy did not answer in HTTP"),
    ],
)  # fmt: skip
def test_a_proxy_that_digs_no_tunnel_is_a_refusal(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, answer: bytes, why: str
) -> None:
    """Nothing has gone further than to it."""
    proxy = keep(Proxy(answer))
    monkeypatch.setenv("https_proxy", f"http://localhost:{proxy.port}")

    told = webhook.send(job("webhook", url="https://hook.invalid/secret"), lambda _: None)

    assert told == refused(why, again=True)


@pytest.mark.parametrize(
    "proxy", ["socks5://localhost:1", "https://localhost:1", "http://[x", "http://"]
)
def test_a_proxy_of_another_kind_is_a_refusal(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Going without it would be going where somebody did not want us to."""
    monkeypatch.setenv("http_proxy", proxy)

    told = webhook.send(job("webhook", url="http://hook.invalid/"), lambda _: None)

    assert told == refused("the proxy of http in the environment is not a http:// one")
