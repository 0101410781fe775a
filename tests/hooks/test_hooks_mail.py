"""Mail by real SMTP servers: what arrives, and what is made of those that do not take it."""

from __future__ import annotations

import email
import re
from email import policy
from typing import TYPE_CHECKING, Any

import pytest
from hooks_desk import facts, job
from hooks_servers import CERTIFICATE, Mailbox, Server

from flytesched.hooks import mail
from flytesched.hooks.answer import Answer, refused, sent, unknown

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    Keep = Callable[[Any], Any]


def send(box: Mailbox | Server, told: Any = None, **keys: Any) -> Answer:
    """Send one mail."""
    return mail.send(job("mail", told, port=box.port, **keys), lambda _: None)


def read(box: Mailbox) -> EmailMessage:
    """Return the one mail that arrived."""
    (envelope,) = box.mails
    found = email.message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(found, email.message.EmailMessage)
    assert not found.defects
    return found


def text(found: EmailMessage) -> str:
    """Return what people read of a mail."""
    return str(found.get_content()).replace("\r\n", "\n")


# -- the message ----------------------------------------------------------------------------


def test_a_mail_says_what_happened(keep: Keep) -> None:
    """Every header that RFC 5322 wants, and that nobody need answer it."""
    box = keep(Mailbox())

    assert send(box, to=["ops@example.org", "me@example.org"]) == sent()

    found = read(box)
    assert box.mails[0].mail_from == "flytesched@db1.example.org"
    assert box.mails[0].rcpt_tos == ["ops@example.org", "me@example.org"]
    assert found["from"] == "flytesched@db1.example.org"
    assert found["to"] == "ops@example.org, me@example.org"
    assert found["subject"] == "[flytesched db1.example.org] job: failed(exit 3)"
    assert found["date"].datetime.tzinfo is not None
    assert re.fullmatch(r"<[0-9a-f-]{36}@db1\.example\.org>", found["message-id"])
    assert found["auto-submitted"] == "auto-generated"
    assert text(found).startswith("job: failed(exit 3)\n")


def test_the_end_of_the_output_stands_below(keep: Keep, tmp_path: Path) -> None:
    """Readable: no colours, no half characters, a line of one dot is a line of one dot."""
    box = keep(Mailbox())
    log = tmp_path / "log"
    log.write_bytes(b"x" * 5 + "ü".encode() * 5000 + b"\n\x1b[31mred\x1b[0m \x07\n.\n..\nlast\r\n")

    assert send(box, tail=log) == sent()

    said = text(read(box))
    assert "The end of its output:\n\nü" in said
    assert said.endswith("ü\nred \n.\n..\nlast\n")


def test_a_mail_that_is_tried_again_keeps_its_id() -> None:
    """So that a server which has it after all shows it once."""
    ids = [str(mail.compose(job("mail", number=n))["message-id"]) for n in (1, 1, 2)]

    assert ids[0] == ids[1] != ids[2]


def test_several_messages_are_one_mail(keep: Keep) -> None:
    """What waited for its turn."""
    box = keep(Mailbox())

    send(box, [facts("failure"), facts("failure"), facts("recovered")])

    found = read(box)
    summary = "3 notices of job: 2 failed, 1 recovered"
    assert found["subject"] == f"[flytesched db1.example.org] {summary}"
    assert "job: succeeded again; in all: 2 failed, 1 recovered\n" in text(found)


def test_no_name_and_no_reason_makes_a_header(keep: Keep) -> None:
    """A line end in what is told ends no line of the head."""
    box = keep(Mailbox())
    evil = "failed\r\nBcc: victim@example.org\r\n\r\nbody"

    send(box, [{**facts(verdict=evil), "host": "h\r\nX-Evil: y"}])

    found = read(box)
    assert "bcc" not in found
    assert "x-evil" not in found
    assert "Bcc: victim@example.org" in found["subject"]


def test_any_language_arrives(keep: Keep) -> None:
    """Subjects are encoded, texts are UTF-8."""
    box = keep(Mailbox())

    send(box, [{**facts(verdict="失敗 ü 🙂"), "schedule": "täglich"}])

    assert "täglich: 失敗 ü 🙂" in read(box)["subject"]
    assert "täglich: 失敗 ü 🙂" in text(read(box))


def test_without_a_sender_the_host_sends(keep: Keep) -> None:
    """The mail still has one."""
    box = keep(Mailbox())
    given = job("mail", port=box.port)
    del given["channel"]["from"]

    assert mail.send(given, lambda _: None) == sent()
    assert read(box)["from"] == "flytesched@db1.example.org"


# -- security -------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_goes_over_tls(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """With a user, whose password stands in a file."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    box = keep(Mailbox(password="s3cret", **{security: True}))
    file = tmp_path / "password"
    file.write_text("s3cret\n")

    assert send(box, security=security, user="me", password_file=str(file)) == sent()
    assert box.users == ["me"]
    assert read(box)["subject"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_a_refusal(keep: Keep, security: str) -> None:
    """No password is shown to whoever may stand in the way."""
    box = keep(Mailbox(**{security: True}))

    assert send(box, security=security) == refused(
        "localhost: its certificate is not accepted: self-signed certificate", again=True
    )
    assert box.mails == []


def test_a_server_without_starttls_is_a_refusal(keep: Keep) -> None:
    """Going on in the clear would be what somebody in between wants."""
    assert send(keep(Mailbox()), security="starttls") == refused("localhost offers no STARTTLS")


def test_a_password_may_stand_in_the_environment(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a variable that the channel names."""
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    box = keep(Mailbox(password="s3cret"))

    assert send(box, user="me", password_env="SMTP_PASSWORD") == sent()


def test_a_wrong_password_is_a_refusal_without_it(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server says of it is not repeated either."""
    monkeypatch.setenv("SMTP_PASSWORD", "wr0ng")
    box = keep(Mailbox(password="s3cret"))

    assert send(box, user="me", password_env="SMTP_PASSWORD") == refused(
        "localhost answered 535 to the user and password"
    )


def test_a_password_that_is_not_there_is_waited_for() -> None:
    """It may be mended."""
    given = job("mail", port=1, user="me", password_env="NO_SUCH_VARIABLE")

    assert mail.send(given, lambda _: None) == refused(
        "password_env names a variable that the scheduler does not have", again=True
    )


@pytest.mark.parametrize(
    ("offer", "password", "expected"),
    [
        ("250 hello", "s3cret", refused("localhost offers no way to log in")),
        ("250-hello\r\n250 AUTH PLAIN", "gehéim",
         refused("a user or password beyond ASCII cannot be told")),
        ("250-hello\r\n250 AUTH NEW", "s3cret",
         refused("localhost offers no way to log in that is known here")),
        ("250-hello\r\n250 AUTH PLAIN", "s3cret",
         refused("localhost closed the connection", again=True)),
    ],
)  # fmt: skip
def test_a_server_that_nobody_can_log_in_to_is_a_refusal(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, offer: str, password: str, expected: Answer
) -> None:
    """It was meant to be told a password."""
    monkeypatch.setenv("SMTP_PASSWORD", password)
    script = keep(Script({"EHLO": offer, "AUTH": "cut"}))

    assert send(script, user="me", password_env="SMTP_PASSWORD") == expected


# -- servers that do not take it ------------------------------------------------------------


def test_one_bad_recipient_does_not_stand_in_the_way(keep: Keep) -> None:
    """The others get it, and whose is missing is said."""
    box = keep(Mailbox())

    told = send(box, to=["nobody@example.org", "ops@example.org"])

    assert told == sent("localhost does not take mail for nobody@example.org (550)")
    assert box.mails[0].rcpt_tos == ["ops@example.org"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"to": ["nobody@example.org"]},
            refused("localhost answered 550 to the recipient: 5.1.1 nobody has that name here"),
        ),
        (
            {"to": ["later@example.org"]},
            refused("localhost answered 451 to the recipient: 4.7.1 try again later", again=True),
        ),
        (
            {"told": [facts(verdict="spam")]},
            refused("localhost answered 554 to the message: 5.7.1 this looks like spam"),
        ),
    ],
)
def test_a_server_that_does_not_take_it_is_a_refusal(
    keep: Keep, keys: dict[str, Any], expected: Answer
) -> None:
    """For now, or for ever: its first digit says."""
    assert send(keep(Mailbox()), **keys) == expected


class Script(Server):
    """An SMTP server that says what it is told to, command by command."""

    def __init__(self, replies: dict[str, str]) -> None:
        self.replies = {
            "": "220 hello", "EHLO": "250 hello", "MAIL": "250 ok", "RCPT": "250 ok",
            "DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye", **replies,
        }  # fmt: skip
        self.heard: list[str] = []
        super().__init__(self.talk)

    def talk(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        if not self._say(connection, ""):
            return
        content = False
        for line in lines:
            word = "." if line == b".\r\n" else line.decode(errors="replace")[:4].strip().upper()
            if content and word != ".":
                continue
            self.heard.append(word)
            content = word == "DATA" and self.replies["DATA"].startswith("354")
            if not self._say(connection, word):
                return

    def _say(self, connection: socket.socket, word: str) -> bool:
        if (reply := self.replies.get(word, "500 what")) == "cut":
            return False
        connection.sendall(f"{reply}\r\n".encode())
        return True


@pytest.mark.parametrize(
    ("word", "reply", "expected"),
    [
        ("", "554 go away", refused("localhost answered 554 to the connection: go away")),
        ("", "421 busy", refused("localhost answered 421 to the connection: busy", again=True)),
        ("", "cut", refused("localhost closed the connection", again=True)),
        ("", "HTTP/1.1 400 Bad Request",
         refused("localhost does not speak SMTP", again=True)),
        ("EHLO", "cut", refused("localhost closed the connection", again=True)),
        ("EHLO", "502 no", refused("localhost answered 500 to the greeting: what")),
        ("MAIL", "451 \x1b[2Jlater",
         refused("localhost answered 451 to the sender: [2Jlater", again=True)),
        ("MAIL", "553 no", refused("localhost answered 553 to the sender: no")),
        ("RCPT", "cut", refused("localhost closed the connection", again=True)),
        ("DATA", "451 no", refused("localhost answered 451 to the message: no", again=True)),
        ("DATA", "cut", refused("localhost closed the connection", again=True)),
        (".", "452 full", refused("localhost answered 452 to the message: full", again=True)),
        (".", "cut", unknown("localhost closed the connection without an answer")),
        ("QUIT", "cut", sent()),
    ],
)  # fmt: skip
def test_where_a_server_gives_up_says_what_came_of_it(
    keep: Keep, word: str, reply: str, expected: Answer
) -> None:
    """Until the end of the message is handed over it is certainly not taken."""
    assert send(keep(Script({word: reply}))) == expected


def test_what_holds_is_noted_before_the_end_of_the_message(keep: Keep) -> None:
    """A process that is ended at any moment has told the truth by then."""
    noted: list[Answer] = []
    script = keep(Script({}))

    mail.send(job("mail", port=script.port), noted.append)

    assert noted == [unknown("no answer in time"), sent()]
    assert script.heard[:5] == ["EHLO", "MAIL", "RCPT", "DATA", "."]


def test_nobody_there_is_a_refusal(keep: Keep) -> None:
    """The next try may find somebody."""
    server = keep(Server(lambda _: None))
    server.close()

    assert send(server) == refused("localhost: connection refused", again=True)


def test_what_can_be_no_mail_is_a_refusal() -> None:
    """An address that ends a line of the head."""
    given = job("mail", port=1, to=["ops@example.org\nBcc: x@example.org"])

    assert mail.send(given, lambda _: None) == refused("no mail can be made of it")
