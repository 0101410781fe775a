"""Real servers on this machine for what is sent: good ones, and many that are not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult

if TYPE_CHECKING:
    from collections.abc import Callable

#: A certificate for localhost that nobody but itself vouches for, valid for a hundred years.
CERTIFICATE = Path(__file__).parent / "localhost.pem"
#: Longest wait for what is sure to come, on a machine under load.
PATIENCE = 60.0

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def server_context() -> ssl.SSLContext:
    """Return what a server over TLS shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


class Server:
    """Listens on a port; what it does with a connection is up to whoever makes it."""

    def __init__(
        self,
        behave: Callable[[socket.socket], None],
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.behave = behave
        self.context = server_context() if tls else None
        self.listening = socket.create_server((host, 0), backlog=64)
        self.port: int = self.listening.getsockname()[1]
        self.scheme = "https" if tls else "http"
        #: Set when the test is over: whoever hangs may go.
        self.over = threading.Event()
        #: What stands in each request: first line, headers, body.
        self.requests: list[Request] = []
        self.came = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self._run(self._accept)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/secret-path?key=secret"

    def close(self) -> None:
        """Stop, and wait for everybody in here."""
        self.over.set()
        if self.listening.fileno() < 0:
            return
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self._connections:
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def take(self, connection: socket.socket) -> Request | None:
        """Read one request, and note it."""
        if (request := read_request(connection)) is not None:
            with self.came:
                self.requests.append(request)
                self.came.notify_all()
        return request

    def wait_for(self, count: int) -> list[Request]:
        """Wait until so many requests came; return them all."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, PATIENCE)
            return list(self.requests)

    def _run(self, what: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=what, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(PATIENCE)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.behave(connection)


class Request:
    """One request, as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = {name.lower(): value for name, value in (s.split(": ", 1) for s in lines)}
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()


def read_request(connection: socket.socket) -> Request | None:
    """Read one request; None if it does not come whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(s[15:]) for s in head.decode("latin-1").split("\r\n") if s.startswith("Content-Len")),
        0,
    )
    while len(body) < length:
        if not (part := connection.recv(65536)):
            return None
        body += part
    return Request(head, body)


def answering(answer: bytes, **keys: Any) -> Server:
    """Return a server that takes a request and answers it."""
    server: Server

    def behave(connection: socket.socket) -> None:
        if server.take(connection) is not None:
            connection.sendall(answer)

    server = Server(behave, **keys)
    return server


def dripping(connection: socket.socket, over: threading.Event, data: bytes) -> None:
    """Send a byte now and then, for ever."""
    for byte in data * 10_000:
        connection.sendall(bytes([byte]))
        if over.wait(0.05):
            return


class Mailbox:
    """A real SMTP server."""

    def __init__(
        self, *, tls: bool = False, starttls: bool = False, password: str | None = None
    ) -> None:
        self.mails: list[Any] = []
        self.users: list[str] = []
        self.loop = asyncio.new_event_loop()
        handler = self

        def authenticate(_: Any, __: Any, ___: Any, ____: str, data: Any) -> AuthResult:
            right = password is not None and data.password.decode() == password
            if right:
                handler.users.append(data.login.decode())
            return AuthResult(success=right, handled=False)

        def factory() -> SMTP:
            session = SMTP(
                handler, hostname="localhost", loop=handler.loop,
                authenticator=authenticate, auth_require_tls=False, require_starttls=starttls,
                tls_context=server_context() if starttls else None,
            )  # fmt: skip
            handler.sessions.append(session)
            return session

        self.sessions: list[SMTP] = []
        self.server = self.loop.run_until_complete(
            self.loop.create_server(factory, "127.0.0.1", 0, ssl=server_context() if tls else None)
        )
        self.port: int = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _: Any, __: Any, envelope: Any, address: str, ___: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 nobody has that name here"
        if address.startswith("later"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        if b"spam" in envelope.content:
            return "554 5.7.1 this looks like spam"
        self.mails.append(envelope)
        return "250 taken"

    def close(self) -> None:
        """Stop, and wait for it."""
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()

    async def _stop(self) -> None:
        self.server.close()
        for session in self.sessions:
            if session.transport is not None:
                session.transport.abort()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)
