"""The sender: a process of its own that hands messages over, one JSON line in, one out.

``python -P -m flytesched.hooks.sender``. A job is a line on stdin::

    {"id": 17, "lane": "ops", "kind": "webhook" | "mail" | "ping", "channel": {...},
     "messages": [facts, ...], "tail": "/path/of/log" | null}

and its answer a line on stdout, see ``answer``; an empty line is answered by one, which shows that
somebody is there. Jobs of a lane go one after the other, those of
different lanes at once. Each is carried out by a process of its own, which the kernel ends after
thirty seconds: whatever a server does, and wherever a library waits. What such a process noted last
is its answer.

At the end of stdin what was given is finished, but for no longer than that. It is the only way to
end a sender: half a mail helps nobody, so it lives in a session of its own and ignores signals.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.hooks.answer import REFUSED, Answer, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.hooks.answer import Facts, Note

#: Seconds that a job may take.
DEADLINE = 30.0
#: Jobs carried out at once.
AT_ONCE = 16
#: Bytes of memory that a job may have: an endless answer shall hurt nobody else.
_MEMORY = 2**30
#: How much more important everything else on the machine is.
_NICE = 5
_CHUNK = 2**16


@dataclass(slots=True)
class _Live:
    job: Facts
    pid: int
    heard: bytes = b""


class Sender:
    """Carries jobs out until there are no more."""

    def __init__(self, source: int, sink: int, *, deadline: float = DEADLINE) -> None:
        """Take descriptors of jobs and of answers."""
        self._source, self._sink, self._deadline = source, sink, deadline
        self._waiting: list[Facts] = []
        self._live: dict[int, _Live] = {}
        self._rest = bytearray()
        self._open = True
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)

    def run(self) -> None:
        """Carry out what comes, and what is left when nothing more comes."""
        while self._open or self._waiting or self._live:
            self._start_waiting()
            for fd, _ in self._poll.poll():
                if fd == self._source:
                    self._listen()
                else:
                    self._hear(fd)

    def _listen(self) -> None:
        """Take jobs."""
        if not (part := os.read(self._source, _CHUNK)):
            self._open = False
            self._poll.unregister(self._source)
            # The processes of jobs have a time limit of their own.
            signal.setitimer(signal.ITIMER_REAL, self._deadline)
            return
        self._rest += part
        if b"\n" not in part:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line:
                self._waiting.append(json.loads(line))
            else:
                self._say(b"\n")

    def _start_waiting(self) -> None:
        taken = {live.job["lane"] for live in self._live.values()}
        left = []
        for job in self._waiting:
            if job["lane"] in taken or len(self._live) >= AT_ONCE:
                left.append(job)
            else:
                self._start(job)
            taken.add(job["lane"])
        self._waiting = left

    def _start(self, job: Facts) -> None:
        """Begin to carry a job out."""
        try:
            send = _way(job["kind"])
            heard, said = os.pipe()
            pid = os.fork()
        except OSError as error:
            self._answer(job, refused(f"no process could be started: {error.strerror}", again=True))
            return
        if pid == 0:
            _carry_out(send, job, said, self._deadline)
        os.close(said)
        self._live[heard] = _Live(job, pid)
        self._poll.register(heard, select.POLLIN)

    def _hear(self, fd: int) -> None:
        """Take what a job notes; at its end that is its answer."""
        live = self._live[fd]
        if part := os.read(fd, _CHUNK):
            live.heard += part
            return
        self._poll.unregister(fd)
        os.close(fd)
        del self._live[fd]
        os.waitpid(live.pid, 0)
        self._answer(live.job, live.heard.rpartition(b"\n")[0].rpartition(b"\n")[2])

    def _answer(self, job: Facts, said: Answer | bytes) -> None:
        if isinstance(said, Answer):
            self._say(said.line(job["id"]))
        else:
            self._say(said + b"\n" if said else _UNHEARD.line(job["id"]))

    def _say(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._sink, line) :]


#: What holds of a job whose process noted nothing.
_UNHEARD = refused("nothing was handed over in time", again=True)


def _way(kind: str) -> Callable[[Facts, Note], Answer]:
    """Return what sends a kind of message; what it needs is read here, once for all jobs."""
    from flytesched.hooks import connection, mail, ping, webhook

    connection.tls_context()
    send: Callable[[Facts, Note], Answer] = {
        "webhook": webhook.send, "mail": mail.send, "ping": ping.send,
    }[kind]  # fmt: skip
    return send


def _carry_out(
    send: Callable[[Facts, Note], Answer], job: Facts, said: int, deadline: float
) -> None:
    """Send, in a process of its own, and end it."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, deadline)
        # The pipes of this sender are its own: they end when it does.
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        _send(send, job, said)
    finally:
        os._exit(0)


def _send(send: Callable[[Facts, Note], Answer], job: Facts, said: int) -> None:
    last = _UNHEARD

    def note(answer: Answer) -> None:
        nonlocal last
        last = answer
        os.write(said, answer.line(job["id"]))

    try:
        note(send(job, note))
    except Exception as error:  # whatever it is, what was noted holds
        why = f"{type(error).__name__} in the sender"  # its text may hold a secret
        note(Answer(outcome=last.outcome, why=why, again=last.outcome == REFUSED))


def main(argv: list[str]) -> None:
    """Serve stdin and stdout; an argument says how many seconds a job may take."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    deadline = float(argv[1]) if len(argv) > 1 else DEADLINE
    try:
        Sender(0, 1, deadline=deadline).run()
    except BrokenPipeError:
        return  # nobody listens any more


if __name__ == "__main__":
    main(sys.argv)
