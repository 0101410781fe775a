"""POST: one request over HTTP, and what its answer means.

What is certain at every step is noted before the step is taken: until the last byte of a request is
handed over, nobody can have acted on it; from then on its answer alone tells.
"""

from __future__ import annotations

import base64
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from flytesched.hooks.answer import Answer, refused, sent, unknown
from flytesched.hooks.connection import connect, secured, trouble

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from flytesched.hooks.answer import Note

    class _Lines(Protocol):
        """What an answer is read from."""

        def readline(self, size: int, /) -> bytes: ...
        def read(self, size: int, /) -> bytes: ...


#: Bytes of a line of an answer, and lines of its head, that are read.
_LINE, _LINES = 2**16, 100
#: Bytes of an answer's body that somebody may want to see.
_START = 100
_PORTS = {"http": 80, "https": 443}
_ADDRESS = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: |\r|\n)")
#: What may be otherwise a little later (RFC 9110, RFC 8470, RFC 6585).
_PASSING = frozenset({408, 425, 429})


class Unsendable(Exception):  # noqa: N818  it is no error of ours
    """A request that cannot be made of what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a host is reached."""

    #: Where to connect to: the host itself or a proxy.
    host: str
    port: int
    #: What stands in the first line of the request.
    target: str
    #: A proxy's ``Proxy-Authorization``.
    permit: str | None = None
    #: Whether the proxy is asked for a tunnel.
    tunnel: bool = False


def post(
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    note: Note,
    *,
    judge: Callable[[bytes], Answer | None] = lambda _: None,
) -> Answer:
    """Send a body to an address, once.

    Args:
        address: ``http`` or ``https``; a name and password in it become a header.
        headers: what the receiver wants to see.
        body: what is sent.
        note: takes what holds if nothing more is heard.
        judge: sees how the body of a good answer begins; returns what to make of it, or None.
    """
    try:
        url = _read(address)
        way = _way(url)
        head = _head(url, way, headers, len(body))
    except Unsendable as error:
        return refused(str(error))
    host = url.hostname or ""
    try:
        connection = _open(url, way)
    except Unsendable as error:
        return refused(f"{way.host}: {error}", again=True)
    except OSError as error:
        return refused(f"{way.host}: {trouble(error)}", again=True)
    with connection, connection.makefile("rb") as answer:
        try:
            _write(connection, head, body, note)
        except OSError as error:
            # Whoever refuses a request at its first line need not read the rest of it.
            with suppress(OSError):
                return _answered(host, answer, note, judge) or _cut(host, error)
            return _cut(host, error)
        try:
            nothing = unknown(f"{host} closed the connection without an answer in HTTP")
            return _answered(host, answer, note, judge) or nothing
        except OSError as error:
            return unknown(f"{host} did not answer: {trouble(error)}")


def _cut(host: str, error: OSError) -> Answer:
    return refused(f"{host} did not take the request: {trouble(error)}", again=True)


# -- the request ----------------------------------------------------------------------------


def _read(address: str) -> SplitResult:
    if _ADDRESS.fullmatch(address) is None:
        msg = "the address is none of the web"
        raise Unsendable(msg)
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if not url.hostname or port == 0:
        msg = "the address names no host"
        raise Unsendable(msg)
    return url


def _head(url: SplitResult, way: _Way, headers: Mapping[str, str], length: int) -> bytes:
    found = {
        "Host": url.netloc.rpartition("@")[2],
        "User-Agent": "flytesched",
        "Accept": "*/*",
        "Connection": "close",
    }
    if (permit := _permit(url)) is not None:
        found["Authorization"] = permit
    if way.permit is not None and not way.tunnel:
        found["Proxy-Authorization"] = way.permit
    for name, value in headers.items():
        if _TOKEN.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            msg = f"the header {name[:100]!r} cannot be sent"
            raise Unsendable(msg)
        # A header that was written down overrules ours, however it is spelled.
        found = {ours: kept for ours, kept in found.items() if ours.lower() != name.lower()}
        found[name] = value
    found = {name: kept for name, kept in found.items() if name.lower() != "content-length"}
    found["Content-Length"] = str(length)
    return _lines(f"POST {way.target} HTTP/1.1", found)


def _lines(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _permit(url: SplitResult) -> str | None:
    """Return what a name and password before the host stand for (RFC 7617)."""
    if url.username is None:
        return None
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _write(connection: socket.socket, head: bytes, body: bytes, note: Note) -> None:
    """Hand over a request; its last byte goes by itself, and only after that was noted."""
    request = head + body
    connection.sendall(request[:-1])
    note(unknown("no answer in time"))
    connection.sendall(request[-1:])


# -- the way --------------------------------------------------------------------------------


def _way(url: SplitResult) -> _Way:
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    target = url._replace(scheme="", netloc="", fragment="", path=url.path or "/").geturl()
    if (proxy := _proxy(url)) is None:
        return _Way(host=host, port=port, target=target)
    tunnel = url.scheme == "https"
    place = url.netloc.rpartition("@")[2]
    return _Way(
        host=proxy.hostname or "", port=proxy.port or 80,
        target=target if tunnel else f"http://{place}{target}",
        permit=_permit(proxy), tunnel=tunnel,
    )  # fmt: skip


def _proxy(url: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for a host."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if named is None or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        usable = proxy.scheme == "http" and bool(proxy.hostname) and proxy.port != 0
    except ValueError:
        usable = False
    if not usable:
        msg = f"the proxy of {url.scheme} in the environment is not a http:// one"
        raise Unsendable(msg)
    return proxy


def _open(url: SplitResult, way: _Way) -> socket.socket:
    """Connect, through a proxy if need be.

    Raises:
        OSError: there is no connection.
        Unsendable: the proxy does not let it through.
    """
    connection = connect(way.host, way.port)
    try:
        if way.tunnel:
            _dig(connection, url, way)
        host = url.hostname or ""
        return secured(connection, host) if url.scheme == "https" else connection
    except BaseException:
        connection.close()
        raise


def _dig(connection: socket.socket, url: SplitResult, way: _Way) -> None:
    """Ask a proxy for a tunnel (RFC 9110, 9.3.6)."""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    place = f"{host}:{url.port or _PORTS['https']}"
    permit = {} if way.permit is None else {"Proxy-Authorization": way.permit}
    connection.sendall(_lines(f"CONNECT {place} HTTP/1.1", {"Host": place, **permit}))
    # Without a buffer: what follows the head belongs to TLS.
    with connection.makefile("rb", buffering=0) as answer:
        status = _status(answer)
        _headers(answer)
    if status is None or not 200 <= status < 300:
        msg = f"the proxy {_said(status)}" if status else "the proxy did not answer in HTTP"
        raise Unsendable(msg)


# -- the answer -----------------------------------------------------------------------------


def _answered(
    host: str, answer: _Lines, note: Note, judge: Callable[[bytes], Answer | None]
) -> Answer | None:
    """Return what an answer means; None if it is none."""
    if (status := _status(answer)) is None:
        return None
    meant = _meaning(host, status, {})
    note(meant)
    # From here on nothing can change but the details, and those may be withheld.
    with suppress(OSError):
        headers = _headers(answer)
        meant = _meaning(host, status, headers)
        if 200 <= status < 300:
            return judge(_start(answer, headers)) or meant
    return meant


def _status(answer: _Lines) -> int | None:
    """Read the status; None if there is none. Interim ones (100 Continue) are passed over."""
    while True:
        found = _STATUS.match(answer.readline(_LINE))
        if found is None:
            return None
        if (status := int(found[1])) >= 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:
            return status
        _headers(answer)


def _headers(answer: _Lines) -> dict[str, str]:
    """Read the head of an answer, or as much of it as anybody would send."""
    found: dict[str, str] = {}
    for _ in range(_LINES):
        line = answer.readline(_LINE)
        if line in {b"", b"\n", b"\r\n"}:
            break
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
    return found


def _start(answer: _Lines, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        answer.readline(_LINE)
    length = headers.get("content-length", "")
    return answer.read(min(_START, int(length)) if length.isdecimal() else _START)


def _meaning(host: str, status: int, headers: Mapping[str, str]) -> Answer:
    said = f"{host} {_said(status)}"
    if 200 <= status < 300:
        return sent()
    if 300 <= status < 400:
        return refused(f"{said}{_elsewhere(headers)}")
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        # The gateway has passed it on and heard nothing: neither do we know.
        return unknown(said)
    if status in _PASSING or status >= 500:
        return refused(said, again=True, after=_after(headers))
    return refused(said)


def _said(status: int) -> str:
    """Return a status with its name; what the server calls it itself is not repeated."""
    try:
        return f"answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"answered {status}"


def _elsewhere(headers: Mapping[str, str]) -> str:
    """Return in words where an answer redirects to: the host alone."""
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    if host is None or not host.isprintable():
        return ", which is not followed"
    return f" to {host[:100]}, which is not followed"


def _after(headers: Mapping[str, str]) -> float | None:
    """Return ``Retry-After`` in seconds: a number, or a date on the server's own clock."""
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdecimal():
        return float(said[:9])
    from email.utils import parsedate_to_datetime

    try:
        left = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, left.total_seconds())
