"""Mail: news by SMTP.

Until the end of a message is handed over no server can have taken it: up to there everything that
goes wrong is a refusal. What is noted before that last step holds if its answer is lost.
"""

from __future__ import annotations

import json
import re
import smtplib
import socket
import uuid
from contextlib import suppress
from email import policy
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from flytesched.core.telling import messages
from flytesched.hooks import secret
from flytesched.hooks.answer import Answer, refused, sent, unknown
from flytesched.hooks.connection import connect, secured, trouble
from flytesched.hooks.output import readable, tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.hooks.answer import Facts, Note

#: Where a Message-ID comes from, so that a message that is tried again keeps its own.
_MESSAGES = uuid.UUID("0a2f0c5e-7b7d-5f39-9d0b-5f0f8f2b7f0d")
#: Characters of what a server says that are repeated.
_SAID = 120
_LINE_END = re.compile(rb"\r\n|\n|\r")
_END = b"\r\n.\r\n"


class Refusal(Exception):  # noqa: N818  it is an answer, not an error of ours
    """A server that does not take the message."""

    def __init__(self, why: str, *, again: bool = False) -> None:
        """Keep what it says, and whether it may say otherwise later."""
        super().__init__(why)
        self.answer = refused(why, again=again)


def send(job: Facts, note: Note) -> Answer:
    """Send the messages of a job as one mail: one by itself, several as a digest."""
    channel: Facts = job["channel"]
    host = channel["host"]
    try:
        password = _password(channel)
        content = compose(job).as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
        with connect(host, channel["port"]) as connection:
            return _talk(channel, password, connection, content, note)
    except secret.Missing as error:
        return refused(str(error), again=True)
    except Refusal as error:
        return error.answer
    except smtplib.SMTPServerDisconnected:
        return refused(f"{host} closed the connection", again=True)
    except smtplib.SMTPResponseException as error:
        return _refusal(host, "the greeting", error.smtp_code, error.smtp_error).answer
    except OSError as error:
        return refused(f"{host}: {trouble(error)}", again=True)
    except ValueError:
        return refused("no mail can be made of it")


def _password(channel: Facts) -> str | None:
    if "password_file" in channel:
        return secret.from_file("password_file", channel["password_file"])
    if "password_env" in channel:
        return secret.from_variable("password_env", channel["password_env"])
    return None


# -- the message ----------------------------------------------------------------------------


def compose(job: Facts) -> Message[Any, Any]:
    """Return the mail of a job (RFC 5322; RFC 3834 for mail that nobody wrote).

    Raises:
        ValueError: something in it cannot stand in a header.
    """
    channel, told = job["channel"], job["messages"]
    text = Charset("utf-8")
    text.body_encoding = QP
    mail: Message[Any, Any] = Message()
    mail.set_payload(_text(told, job.get("tail")), text)
    headers = {
        "From": str(channel.get("from") or f"flytesched@{_host(told)}"),
        "To": ", ".join(channel["to"]),
        "Date": formatdate(localtime=True),
        "Message-ID": f"<{_identity(job)}@{_host(told)}>",
        "Auto-Submitted": "auto-generated",
    }
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            msg = f"{name} cannot be written"
            raise ValueError(msg)
        mail[name] = value
    # The newer way of the library loses blanks between words that are encoded one by one.
    mail["Subject"] = Header(_one_line(messages.subject(told)), header_name="Subject")
    return mail


def _text(told: Sequence[Facts], log: str | None) -> str:
    text = messages.text(told)
    output = readable(tail(log if len(told) == 1 else None)).strip("\n")
    return f"{text}\nThe end of its output:\n\n{output}\n" if output else text


def _one_line(text: str) -> str:
    """Return a text that can stand in a header: one line, nothing that a terminal obeys."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _host(told: Sequence[Facts]) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", str(told[0]["host"])) or "localhost"


def _identity(job: Facts) -> str:
    content = json.dumps([job["id"], job["channel"]["name"], job["messages"]], sort_keys=True)
    return str(uuid.uuid5(_MESSAGES, content))


# -- the conversation -----------------------------------------------------------------------


def _talk(
    channel: Facts, password: str | None, connection: socket.socket, content: bytes, note: Note
) -> Answer:
    host, security = channel["host"], channel["security"]
    smtp = smtplib.SMTP(local_hostname=_own_name(connection))
    try:
        smtp.sock = secured(connection, host) if security == "tls" else connection
        _expect(host, "the connection", 220, *smtp.getreply())
        smtp.ehlo_or_helo_if_needed()
        if security == "starttls":
            _start_tls(smtp, connection, host)
        if password is not None:
            _log_in(smtp, host, channel["user"], password)
        missed = _address(smtp, channel, content)
        return _deliver(smtp, host, content, missed, note)
    finally:
        with suppress(OSError):
            smtp.close()


def _own_name(connection: socket.socket) -> str:
    """Return what this side calls itself: its name, or where it speaks from (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = connection.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _start_tls(smtp: smtplib.SMTP, connection: socket.socket, host: str) -> None:
    """Go on over TLS (RFC 3207); what was heard before is forgotten."""
    if not smtp.has_extn("starttls"):
        msg = f"{host} offers no STARTTLS"
        raise Refusal(msg)
    _expect(host, "STARTTLS", 220, *smtp.docmd("STARTTLS"))
    smtp.sock, smtp.file = secured(connection, host), None
    smtp.helo_resp = smtp.ehlo_resp = None
    smtp.esmtp_features = {}
    smtp.does_esmtp = False
    smtp.ehlo_or_helo_if_needed()


def _log_in(smtp: smtplib.SMTP, host: str, user: str, password: str) -> None:
    try:
        smtp.login(user, password)
    except smtplib.SMTPResponseException as error:
        # What it says of a password is not repeated.
        raise _refusal(host, "the user and password", error.smtp_code, b"") from None
    except UnicodeEncodeError:
        msg = "a user or password beyond ASCII cannot be told"
        raise Refusal(msg) from None
    except smtplib.SMTPNotSupportedError:
        msg = f"{host} offers no way to log in"
        raise Refusal(msg) from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        msg = f"{host} offers no way to log in that is known here"
        raise Refusal(msg) from None


def _address(smtp: smtplib.SMTP, channel: Facts, content: bytes) -> list[str]:
    """Name sender and recipients; return which of these are not taken."""
    host = channel["host"]
    sender = re.search(rb"^From: (\S+)", content, re.MULTILINE)  # it may be made up of the host
    options = [f"size={len(content)}"] if smtp.has_extn("size") else []
    reply = smtp.mail(sender[1].decode() if sender else "", options)
    _expect(host, "the sender", 250, *reply)
    missed, last = [], (250, b"")
    for one in channel["to"]:
        code, said = smtp.rcpt(one)
        if code not in {250, 251}:
            missed.append(f"{one} ({code})")
            last = (code, said)
    if len(missed) == len(channel["to"]):
        raise _refusal(host, "the recipient", *last)
    return missed


def _deliver(
    smtp: smtplib.SMTP, host: str, content: bytes, missed: Sequence[str], note: Note
) -> Answer:
    _expect(host, "the message", 354, *smtp.docmd("DATA"))
    lines = _LINE_END.sub(b"\r\n", content).removesuffix(b"\r\n")
    smtp.send(re.sub(rb"(?m)^\.", b"..", lines) + _END[:-1])
    note(unknown("no answer in time"))
    try:
        smtp.send(_END[-1:])
        reply = smtp.getreply()
    except smtplib.SMTPServerDisconnected:
        return unknown(f"{host} closed the connection without an answer")
    except OSError as error:
        return unknown(f"{host} did not answer: {trouble(error)}")
    _expect(host, "the message", 250, *reply)
    done = sent(f"{host} does not take mail for {', '.join(missed)}" if missed else None)
    note(done)
    with suppress(OSError, smtplib.SMTPException):
        smtp.putcmd("quit")
    return done


def _expect(host: str, what: str, wanted: int, code: int, said: bytes) -> None:
    """Go on if a server says what is wanted.

    Raises:
        Refusal: it says something else.
    """
    if code != wanted:
        raise _refusal(host, what, code, said)


def _refusal(host: str, what: str, code: int, said: bytes | str) -> Refusal:
    if code < 0:  # that is what the library calls an answer that is none
        return Refusal(f"{host} does not speak SMTP", again=True)
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    text = _one_line(text)[:_SAID]
    behind = f": {text}" if text else ""
    return Refusal(f"{host} answered {code} to {what}{behind}", again=not 500 <= code < 600)
