"""notify test: people try their channels, against real servers, good ones and others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hooks_servers import CERTIFICATE, GOOD, Mailbox, Server, answering

from desk import Desk, wait_for
from flytesched.bootstrap import open_site
from flytesched.cli.app import main
from flytesched.service.notifying import longest, targets, try_channels

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Keep = Callable[[Any], Any]

#: What a server takes.
RIGHT = "s3cret"
#: The server of mail says that a password can be read on its way, which is the test's own.
READABLE = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def tried(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.out)["tried"]
        return found


@dataclass
class Home:
    """A manifest, and a command line in this process."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, text: str) -> None:
        (self.folder / "schedules.toml").write_text(f"version = 1\n{text}")

    def hook(self, name: str, url: str, *more: str) -> str:
        """Return the table of a webhook."""
        lines = (f"[channels.{name}]", 'kind = "webhook"', f'url = "{url}"', *more)
        return "\n".join(lines) + "\n"

    def mail(self, name: str, port: int, *more: str) -> str:
        """Return the table of a mail channel."""
        lines = (
            f"[channels.{name}]", 'kind = "mail"', 'from = "me@example.org"', 'host = "localhost"',
            f"port = {port}", *more,
        )  # fmt: skip
        to = () if "to = " in "".join(more) else ('to = "ops@example.org"',)
        return "\n".join((*lines, *to)) + "\n"

    def test(self, *words: str) -> Said:
        self.capture.readouterr()
        code = main(["notify", "test", *words])
        return Said(code, *self.capture.readouterr())

    def result(self, *words: str) -> str:
        """Return what is said of the only channel."""
        line = self.test(*words).out.splitlines()[1]
        return line.split(maxsplit=2)[2]


@pytest.fixture
def home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """Give an empty home."""
    for name in [name for name in os.environ if name.startswith("FLYTESCHED")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLYTESCHED_MANIFEST", str(tmp_path / "schedules.toml"))
    monkeypatch.setenv("FLYTESCHED_STATE_DIR", str(tmp_path / "state"))
    return Home(tmp_path, capsys)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk for a scheduler; its loops are ended with the test."""
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    yield desk
    desk.clear()


def hanging(server: Server) -> Callable[[socket.socket], None]:
    """Return what takes a request and never answers it."""

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        server.over.wait()

    return behave


# -- what arrives -------------------------------------------------------------------------------


def test_every_channel_gets_a_message_of_its_kind(home: Home, keep: Keep) -> None:
    """All at once; one row each, in the order of the manifest, and nothing is written down."""
    web, box = keep(answering(GOOD)), keep(Mailbox())
    home.write(home.hook("chat", web.url, 'format = "slack"') + home.mail("ops", box.port))

    said = home.test()

    assert said.code == 0, said
    assert said.out == (
        "CHANNEL  KIND     RESULT\n"
        f"chat     webhook  sent to http://localhost:{web.port}/...\n"
        f"ops      mail     sent to ops@example.org by localhost:{box.port}\n"
    )
    assert "this is a test" in json.loads(web.requests[0].body)["text"]
    assert b"this is a test" in box.mails[0].content
    assert not (home.folder / "state").exists()


def test_only_those_named_get_one(home: Home, keep: Keep) -> None:
    """By name or pattern."""
    web = keep(answering(GOOD))
    home.write("".join(home.hook(name, web.url) for name in ("ops-a", "ops-b", "chat")))

    said = home.test("ops-*", "--json")

    assert [each["channel"] for each in said.tried] == ["ops-a", "ops-b"]
    assert len(web.requests) == 2


def test_a_schedule_has_its_ping_url_and_its_channels_tried(home: Home, keep: Keep) -> None:
    """The check on the other side stays up, or down: a line of its log is all."""
    web, other = keep(answering(GOOD)), keep(answering(GOOD))
    home.write(
        home.hook("chat", web.url) + home.hook("idle", web.url)
        + '[schedules.job]\nevery = "1h"\ncommand = "true"\nnotify = ["chat"]\n'
        + f'ping_url = "{other.scheme}://localhost:{other.port}/secret-uuid"\n'
    )  # fmt: skip

    said = home.test("--schedule", "job")

    assert said.code == 0, said
    assert [line.split()[:3] for line in said.out.splitlines()[1:]] == [
        ["chat", "webhook", "sent"],
        ["ping_url", "of", "job"],
    ]
    assert [each.target for each in other.requests] == ["/secret-uuid/log"]
    assert len(web.requests) == 1


def test_a_pattern_tries_the_ping_urls_of_several_schedules(home: Home, keep: Keep) -> None:
    """Each by itself; a channel that they share is tried once."""
    web = keep(answering(GOOD))
    home.write(
        home.hook("chat", web.url)
        + "".join(
            f'[schedules.job-{n}]\nevery = "1h"\ncommand = "true"\nnotify = ["chat"]\n'
            f'ping_url = "http://localhost:{web.port}/{n}"\n'
            for n in (1, 2)
        )
    )

    said = home.test("--schedule", "job-*", "--json")

    assert [(each["channel"], each["schedule"]) for each in said.tried] == [
        ("chat", None), ("ping_url", "job-1"), ("ping_url", "job-2"),
    ]  # fmt: skip
    assert sorted(each.target for each in web.requests) == [
        "/1/log", "/2/log", "/secret-path?key=secret",
    ]  # fmt: skip


def test_whoever_waits_at_a_terminal_is_told_how_long(
    home: Home, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen are sent at once."""
    web = keep(answering(GOOD))
    home.write(home.hook("chat", web.url))
    for stream in (sys.stdout, sys.stderr):  # pytest's, which are files
        monkeypatch.setattr(stream, "isatty", lambda: True)

    assert home.test().err == "sending a test to 1 channel; 30s at most\n"
    assert [longest(count) for count in (16, 17)] == [30, 60]


# -- what does not ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says", "do"),
    [
        (b"404 Not Found", "answered 404 Not Found", "copy the address once more"),
        (b"401 Unauthorized", "answered 401 Unauthorized", "the secret in the address"),
        (b"500 Oh", "answered 500 Internal Server Error", "try again later"),
        (
            b"302 Found\r\nLocation: https://example.org/x", "302 Found to example.org",
            "write the address that it leads to",
        ),
        (b"429 Slow", "answered 429 Too Many Requests", "send less with at_most"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_of_success_says_what_to_do(
    home: Home, keep: Keep, answer: bytes, says: str, do: str
) -> None:
    """In a sentence with the host, and without the path of the address."""
    web = keep(answering(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n"))
    home.write(home.hook("chat", web.url))

    said = home.test()

    assert said.code == 1
    assert "not sent: localhost" in said.out
    assert says in said.out
    assert do in said.out
    assert "secret" not in said.out.replace("the secret in", "")


def test_a_certificate_that_nobody_vouches_for_says_what_to_do(home: Home, keep: Keep) -> None:
    """And with SSL_CERT_FILE it is accepted."""
    web = keep(answering(GOOD, tls=True))
    home.write(home.hook("chat", web.url))

    refused = home.result()
    os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)  # the fixture of all tests here removes it
    accepted = home.result()

    assert "not sent: localhost: its certificate is not accepted: self-signed" in refused
    assert "SSL_CERT_FILE may name who signed it" in refused
    assert accepted.startswith("sent to ")


@pytest.mark.parametrize(
    ("scheme", "says", "do"),
    [
        ("http", "connection refused", "see that host and port are right"),
        ("https", "connection refused", "see that host and port are right"),
    ],
)
def test_nobody_who_listens_says_what_to_do(home: Home, scheme: str, says: str, do: str) -> None:
    """The most usual of all."""
    gone = answering(GOOD)
    gone.close()
    home.write(home.hook("chat", f"{scheme}://localhost:{gone.port}/secret"))

    result = home.result()

    assert f"localhost: {says}; {do}" in result
    assert "secret" not in result


def test_a_name_that_nobody_knows_says_what_to_do(home: Home) -> None:
    """Whatever resolver there is here."""
    home.write(home.hook("chat", "https://nowhere.invalid/secret"))

    result = home.result()

    assert "not sent: nowhere.invalid: its name cannot be resolved" in result
    assert "see that the host is spelled right" in result


def test_a_server_over_tls_that_has_none_says_what_to_do(home: Home, keep: Keep) -> None:
    """It answers a greeting that it does not understand."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    web = keep(Server(behave))
    home.write(home.hook("chat", f"https://localhost:{web.port}/"))

    assert "see that the port is one for TLS" in home.result()


def test_an_answer_that_never_comes_is_waited_for_as_long_as_it_may_take(
    home: Home, keep: Keep
) -> None:
    """It may have arrived; the others are not held up."""
    quick = keep(answering(GOOD))
    slow = keep(Server(lambda connection: hanging(slow)(connection)))
    home.write(home.hook("slow", slow.url) + home.hook("quick", quick.url))
    site = open_site(environ=os.environ)

    first, second = try_channels(site, targets(site, []), deadline=0.5)

    assert (first.target.name, first.outcome) == ("quick", "sent")
    assert (second.target.name, second.outcome) == ("slow", "unknown")
    assert second.why == "no answer in time"
    assert second.do == "look whether it has arrived all the same"


def test_a_sender_that_dies_leaves_no_channel_without_a_word(home: Home, keep: Keep) -> None:
    """What was handed to it may have been sent."""

    def behave(_: socket.socket) -> None:
        for pid in _children(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    server = keep(Server(behave))
    home.write(home.hook("chat", server.url) + home.hook("ops", server.url))

    said = home.test("--json")

    assert said.code == 1
    assert [each["outcome"] for each in said.tried] == ["unknown", "unknown"]
    assert "ended without an answer" in said.tried[1]["why"]


# -- mail ---------------------------------------------------------------------------------------


@READABLE
def test_a_wrong_password_says_what_to_do(home: Home, keep: Keep) -> None:
    """And the right one, of a file or of the environment, is taken."""
    box = keep(Mailbox(password=RIGHT))
    file = home.folder / "password"
    file.write_text("wr0ng\n")
    home.write(home.mail("ops", box.port, 'user = "me"', f'password_file = "{file}"'))

    wrong = home.result()
    file.write_text("s3cret\n")
    right = home.result()

    assert wrong.startswith("not sent: localhost answered 535 to the user and password; see that")
    assert "wr0ng" not in wrong
    assert right.startswith("sent to ops@example.org")


def test_a_recipient_that_is_left_out_is_said(home: Home, keep: Keep) -> None:
    """The mail has gone to the other one: not everybody would be told."""
    box = keep(Mailbox())
    home.write(home.mail("ops", box.port, 'to = ["ops@example.org", "nobody@example.org"]'))

    said = home.test()

    assert said.code == 1
    assert "sent: localhost does not take mail for nobody@example.org (550); see that" in said.out


def test_a_server_without_starttls_says_what_to_do(home: Home, keep: Keep) -> None:
    """A password does not go over an open line."""
    box = keep(Mailbox())
    home.write(home.mail("ops", box.port, 'security = "starttls"'))

    assert "localhost offers no STARTTLS; write security = " in home.result()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('password_file = "/nowhere/x"', "password_file cannot be read: no such file or directory; "
         "make that file"),
        ('password_env = "NOBODY_SET_IT"', "password_env names a variable that the scheduler does "
         "not have; set it where"),
    ],
)  # fmt: skip
def test_a_secret_that_is_not_there_says_what_to_do(home: Home, lines: str, says: str) -> None:
    """No server is asked without it."""
    home.write(home.mail("ops", 1, 'user = "me"', lines))

    assert home.result().startswith(f"not sent: {says}")


# -- with a scheduler ---------------------------------------------------------------------------


@READABLE
def test_what_the_scheduler_has_in_its_environment_counts(
    desk: Desk, home: Home, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one that will send; this terminal may have another password, or a proxy."""
    box = keep(Mailbox(password=RIGHT))
    home.write(home.mail("ops", box.port, 'user = "me"', 'password_env = "MAIL_PASSWORD"'))
    monkeypatch.setenv("MAIL_PASSWORD", "of this terminal")
    alone = home.result()
    desk.start(more={"MAIL_PASSWORD": "s3cret"})

    assert "answered 535" in alone
    assert home.result().startswith("sent to ")
    assert desk.json("notify", "history")["notices"] == []


def test_what_a_scheduler_sends_is_seen_by_everybody_who_asks(
    desk: Desk, home: Home, keep: Keep
) -> None:
    """In the history, as a counter, and in a status that says when and, later, why not."""
    web = keep(answering(GOOD))
    gone = answering(GOOD)
    gone.close()
    home.write(
        home.hook("chat", web.url, 'events = ["success"]')
        + home.hook("gone", gone.url, 'events = ["success"]')
        + '[schedules.job]\nevery = "1d"\ncommand = "true"\nnotify = ["chat", "gone"]\n'
    )
    desk.start()

    desk.run("trigger", "job")
    wait_for("both to be tried", lambda: len(_tried(desk)) == 2)

    metrics = desk.run("metrics").splitlines()
    chat, failing = desk.json("status")["channels"]
    assert _tried(desk)["chat"] == ("sent", 1)
    assert 'flytesched_notices_total{channel="chat",status="sent"} 1' in metrics
    assert 'flytesched_channel_up{channel="gone"} 0' in metrics
    assert (chat["failing_since"], chat["waiting"]) == (None, 0)
    assert chat["last_sent_at"] is not None
    assert (failing["why"], failing["waiting"]) == ("localhost: connection refused", 1)


def _tried(desk: Desk) -> dict[str, tuple[str, int]]:
    """Return the channels of which something is known, with what came of how many tries."""
    found = desk.json("notify", "history")["notices"]
    return {
        each["channel"]: (each["status"], each["tries"])
        for each in found
        if each["status"] == "sent" or each["why"] is not None
    }


# -- being interrupted --------------------------------------------------------------------------


def test_ctrl_c_ends_it_and_what_it_has_begun(desk: Desk, home: Home, keep: Keep) -> None:
    """At once, with 130, and no process stays behind."""
    slow = keep(Server(lambda connection: hanging(slow)(connection)))
    home.write(home.hook("slow", slow.url))
    process = subprocess.Popen(
        [*desk.program, "notify", "test"], env=desk.environ, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    slow.wait_for(1)
    (sender,) = _children(process.pid)
    (carrier,) = _children(sender)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (130, "", "")
    wait_for("their end", lambda: not _lives(sender) and not _lives(carrier))


def _children(pid: int) -> list[int]:
    """Return the processes that are named as senders among the children of one."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        found = [int(word) for word in file.read().split()]
    return [each for each in found if b"flytesched.hooks.sender" in _words(each)]


def _words(pid: int) -> list[bytes]:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2][:1] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        (["chta"], "no channel is named 'chta'", "did you mean 'chat'?"),
        (["q"], "no channel is named 'q'", "see: flytesched notify list"),
        (["x-*"], "no channel matches 'x-*'", "see: flytesched notify list"),
        (["--schedule", "jbo"], "no schedule is named 'jbo'", "did you mean 'job'?"),
        (["--schedule", "job"], "job: no ping_url, and no channel in notify", "see: "),
    ],
)
def test_what_there_is_none_of_is_refused(
    home: Home, words: list[str], says: str, hint: str
) -> None:
    """With a suggestion, and exit code 3."""
    home.write(
        home.hook("chat", "http://localhost:1/")
        + '[schedules.job]\nevery = "1h"\ncommand = "true"\n'
    )

    said = home.test(*words)

    assert said.code == 3
    assert said.err.startswith(f"flytesched: {says}\nhint: {hint}")


def test_a_manifest_without_channels_says_how_one_is_made(home: Home) -> None:
    """Rather than that all went well."""
    home.write("")

    said = home.test()

    assert said.code == 3
    assert "no channel that could be tried\nhint: write a table such as [channels.ops]" in said.err
