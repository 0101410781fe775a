"""The sender as the process it is: at once, in order, bounded in time, ended by end of input."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Any

from hooks_desk import Process, facts, job
from hooks_servers import GOOD, PATIENCE, Server, answering, dripping

from flytesched import linux

if TYPE_CHECKING:
    from collections.abc import Callable

    Keep = Callable[[Any], Any]

#: Seconds that a job may take here: enough for a connection on a machine under load.
DEADLINE = 3.0


def hanging(until: Callable[[socket.socket], object]) -> Server:
    """Return a server that does something and then nothing any more."""
    server: Server

    def behave(connection: socket.socket) -> None:
        until(connection)
        server.over.wait(PATIENCE)

    server = Server(behave)
    return server


def repeating(data: bytes, *, dripped: bool = False) -> Server:
    """Return a server that takes a request and answers without end."""
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        connection.sendall(b"HTTP/1.1 ")
        if dripped:
            dripping(connection, server.over, data)
        flood(connection, server, data)

    server = Server(behave)
    return server


def test_every_job_is_answered_in_time_whatever_the_server_does(keep: Keep) -> None:
    """Hanging, dripping, endless: none takes longer than it may, and each is told apart.

    They all go at once, so that the time of one is the time of all.
    """
    whole, deaf = [facts()], [facts(reason="x" * 20_000_000)]

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")

    smtp_drip = Server(lambda connection: dripping(connection, smtp_drip.over, b"220-hello\r\n"))
    smtp_flood = Server(lambda connection: flood(connection, smtp_flood, b"220-hello\r\n"))
    never = socket.create_server(("127.0.0.1", 0), backlog=1)
    crowd = [socket.socket() for _ in range(4)]
    for one in crowd:  # a backlog that is full lets nobody in
        one.setblocking(False)
        one.connect_ex(never.getsockname())
    cases: list[tuple[str, str, int, list[dict[str, Any]], str]] = [
        ("never accepts", "webhook", never.getsockname()[1], whole, "refused"),
        ("hangs before it reads", "webhook", keep(hanging(lambda _: None)).port, whole, "unknown"),
        ("never reads the body", "webhook", keep(hanging(lambda c: c.recv(9))).port, deaf,
         "refused"),
        ("hangs after the request", "webhook", keep(hanging(_read)).port, whole, "unknown"),
        ("hangs after a ping", "ping", keep(hanging(_read)).port, whole, "unknown"),
        ("drips its status", "webhook", keep(repeating(b"1", dripped=True)).port, whole,
         "unknown"),
        ("drips its head", "webhook", keep(repeating(b"503 X\r\nA: b\r\n", dripped=True)).port,
         whole, "refused"),
        ("has a good answer without end", "ping", keep(repeating(b"200 OK\r\n\r\nx")).port, whole,
         "sent"),
        ("has interim answers without end", "webhook",
         keep(repeating(b"100 C\r\n\r\nHTTP/1.1 ")).port, whole, "unknown"),
        ("does not greet", "mail", keep(hanging(lambda _: None)).port, whole, "refused"),
        ("greets and hangs", "mail", keep(hanging(greet)).port, whole, "refused"),
        ("drips a greeting", "mail", keep(smtp_drip).port, whole, "refused"),
        ("greets without end", "mail", keep(smtp_flood).port, whole, "refused"),
    ]  # fmt: skip
    sender = keep(Process(DEADLINE))

    answers = sender.ask([
        job(kind, told, number=number, lane=name, port=port, url=f"http://localhost:{port}/")
        for number, (name, kind, port, told, _) in enumerate(cases)
    ])  # fmt: skip

    found = {cases[number][0]: answer["outcome"] for number, answer in answers.items()}
    assert found == {name: outcome for name, _, _, _, outcome in cases}
    assert all(a["again"] for a in answers.values() if a["outcome"] == "refused")
    assert sender.end() == 0
    for one in (*crowd, never):
        one.close()


def _read(connection: socket.socket) -> None:
    connection.recv(65536)


def flood(connection: socket.socket, server: Server, data: bytes) -> None:
    while not server.over.wait(0.001):
        connection.sendall(data * 20)


def test_jobs_of_a_lane_go_one_after_the_other(keep: Keep) -> None:
    """In the order they came, while others overtake them."""
    go = hanging(_read)
    keep(go)
    server = keep(answering(GOOD))
    sender = keep(Process())

    sender.give([
        job("webhook", number=1, lane="slow", url=go.url),
        job("webhook", number=2, lane="slow", url=server.url),
        job("webhook", number=3, lane="fast", url=server.url),
        job("webhook", number=4, lane="fast", url=server.url),
    ])  # fmt: skip

    assert [answer["id"] for answer in sender.hear(2)] == [3, 4]
    go.over.set()
    assert [answer["id"] for answer in sender.hear(2)] == [1, 2]
    assert sender.end() == 0


def test_only_so_many_go_at_once(keep: Keep) -> None:
    """The rest wait for a place."""
    server = hanging(lambda connection: server.take(connection))
    keep(server)
    sender = keep(Process())

    sender.give([job("webhook", number=n, lane=str(n), url=server.url) for n in range(20)])

    server.wait_for(16)
    assert len(_children(sender.pid)) == 16
    server.over.set()
    assert {answer["id"] for answer in sender.hear(20)} == set(range(20))


def _children(pid: int) -> list[str]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def test_a_knock_is_answered(keep: Keep) -> None:
    """Whoever has something to send can see first that somebody is there."""
    sender = keep(Process())

    sender.jobs.write(b"\n")
    sender.jobs.flush()

    assert sender.answers.readline() == b"\n"


def test_what_was_given_is_finished_when_nobody_listens_any_more(keep: Keep) -> None:
    """A scheduler that is killed takes no news with it."""
    server = keep(answering(GOOD))
    sender = keep(Process())

    sender.give([job("webhook", number=n, url=server.url) for n in range(3)])
    sender.answers.close()
    sender.end()

    assert len(server.wait_for(1)) >= 1


def test_the_end_is_bounded(keep: Keep) -> None:
    """A lane full of hanging jobs does not keep a process alive for ever."""
    server = keep(hanging(_read))
    sender = keep(Process(0.5))

    sender.give([job("webhook", number=n, url=server.url) for n in range(100)])

    assert sender.end() == -signal.SIGALRM


def test_signals_end_nothing(keep: Keep) -> None:
    """Ctrl-C for the scheduler makes no half a mail."""
    server = hanging(lambda connection: server.take(connection))
    keep(server)
    sender = keep(Process())
    sender.give([job("webhook", url=server.url)])
    server.wait_for(1)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(sender.pid, number)
    server.over.set()

    assert sender.hear(1)[0]["outcome"] == "unknown"
    assert sender.end() == 0


def test_a_job_whose_process_is_killed_says_what_holds(keep: Keep) -> None:
    """The kernel may end any process when memory is short."""
    server = hanging(lambda connection: server.take(connection))
    keep(server)
    sender = keep(Process())
    sender.give([job("webhook", url=server.url)])
    server.wait_for(1)

    (child,) = _children(sender.pid)
    os.kill(int(child), signal.SIGKILL)

    (answer,) = sender.hear(1)
    assert (answer["outcome"], answer["again"]) == ("unknown", False)


def test_a_bug_says_no_more_than_its_name(keep: Keep) -> None:
    """What an error quotes may be a secret."""
    sender = keep(Process())

    (answer,) = sender.ask([job("webhook", url=None, headers="secret")]).values()

    assert answer["outcome"] == "refused"
    assert "secret" not in str(answer)


def test_it_is_behind_everything_else(keep: Keep) -> None:
    """Commands that start have the processor first."""
    sender = keep(Process())
    sender.jobs.write(b"\n")
    sender.jobs.flush()
    sender.answers.readline()

    assert os.getpriority(os.PRIO_PROCESS, sender.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    assert linux.process_facts(sender.pid) is not None
