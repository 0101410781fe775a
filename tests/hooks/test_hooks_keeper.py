"""The keeper: real processes, and a clock that a test sets."""

from __future__ import annotations

import math
import os
import select
from typing import TYPE_CHECKING, Any

import pytest
from hooks_desk import children, job, senders
from hooks_servers import GOOD, PATIENCE, Server, answering

from desk import wait_for
from flytesched.hooks.answer import Answer, sent, unknown
from flytesched.hooks.keeper import IDLE, SILENT, Keeper
from flytesched.hooks.lane import FIRST, LONGEST
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection

    Keep = Callable[[Any], Any]


@pytest.fixture
def journal() -> RecordingJournal:
    """Give a journal that remembers."""
    return RecordingJournal()


@pytest.fixture
def keeper(journal: RecordingJournal, keep: Keep) -> Keeper:
    """Give a keeper that has no courier yet."""
    made: Keeper = keep(Keeper(dict(os.environ), journal))
    return made


def hear(keeper: Keeper, elapsed: float) -> list[tuple[int, Answer]]:
    """Wait for news of the sender, and take what came of jobs."""
    assert select.select([keeper.fileno()], [], [], PATIENCE)[0], "no news"
    return list(keeper.hear(elapsed) or ())


def listen(keeper: Keeper, elapsed: float, passwords: Collection[str] = ()) -> None:
    """Wait for a sender that listens."""
    while not keeper.ready(passwords, elapsed):
        assert hear(keeper, elapsed) == []


def hanging() -> Server:
    """Return a server that takes requests and answers none."""
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        server.over.wait(PATIENCE)

    server = Server(behave)
    return server


def test_what_came_of_a_job_is_heard_once(keeper: Keeper, keep: Keep) -> None:
    """A sender has one job after the other, and is free when it has none."""
    server = keep(answering(GOOD))
    assert keeper.hear(0.0) is None
    listen(keeper, 0.0)
    assert keeper.free_at == -math.inf

    keeper.give(job("webhook", number=7, url=server.url), 0.0)
    assert keeper.free_at == math.inf
    heard = hear(keeper, 1.0)

    assert heard == [(7, sent())]
    assert keeper.hear(1.0) is None
    assert keeper.free_at == -math.inf


def test_a_sender_that_never_listens_is_tried_again_more_and_more_seldom(
    keeper: Keeper, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is said once."""
    # There is no other way to make an interpreter of ours that ends at once.
    monkeypatch.setattr("sys.executable", "/bin/false")
    waits, elapsed = [], 0.0
    for _ in range(9):
        assert not keeper.ready((), elapsed)
        assert hear(keeper, elapsed) == []
        waits.append(keeper.free_at - elapsed)
        assert not keeper.ready((), keeper.free_at - 0.1)
        assert keeper.tend(elapsed) == math.inf, "another one is there too early"
        elapsed = keeper.free_at

    assert waits == [min(FIRST * 2**n, LONGEST) for n in range(9)]
    assert journal.lines == [("error", "no sender for channels", {"why": "it died: exit 1"})]


def test_a_program_that_is_not_there_is_no_sender(
    keeper: Keeper, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left of the try."""
    # An installation is replaced while it is in use.
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    assert not keeper.ready((), 0.0)
    assert keeper.free_at == FIRST
    assert journal.events() == ["no sender for channels"]


def test_a_sender_that_hangs_is_ended_and_its_jobs_may_have_arrived(
    keeper: Keeper, journal: RecordingJournal, keep: Keep
) -> None:
    """The one that it has had for longest counts."""
    server = keep(hanging())
    listen(keeper, 0.0)
    keeper.give(job("webhook", number=1, lane="a", url=server.url), 1.0)
    keeper.give(job("webhook", number=2, lane="b", url=server.url), 5.0)

    assert keeper.tend(SILENT) == 1.0 + SILENT
    assert keeper.hear(SILENT) is None
    keeper.tend(1.0 + SILENT)
    heard = hear(keeper, 1.0 + SILENT)

    assert heard == [(1, unknown("sender died")), (2, unknown("sender died"))]
    assert keeper.free_at == 1.0 + SILENT + FIRST
    assert journal.lines == [("error", "no sender for channels", {"why": "it died: signal 9"})]


def test_an_idle_sender_is_let_go_after_a_while(keeper: Keeper, keep: Keep) -> None:
    """Since it was last of use."""
    server, others = keep(answering(GOOD)), senders()
    listen(keeper, 0.0)
    keeper.give(job("webhook", url=server.url), 10.0)
    assert hear(keeper, 11.0) == [(1, sent())]
    assert keeper.ready((), 20.0)

    assert keeper.tend(20.0 + IDLE - 1.0) == 20.0 + IDLE
    assert senders() - others
    assert keeper.tend(20.0 + IDLE) == math.inf
    wait_for("its end", lambda: not senders() - others)


def test_senders_that_were_let_go_do_not_gather(keeper: Keeper) -> None:
    """A scheduler lives for months: what has ended is no process any more when the next begins."""
    before = children()
    for elapsed in (0.0, 100.0, 200.0):
        listen(keeper, elapsed)
        (sender,) = senders() - before
        assert len(children() - before) == 1
        keeper.tend(elapsed + IDLE)
        wait_for("its end", lambda sender=sender: sender not in senders())


def test_a_sender_is_replaced_for_a_password_when_it_has_nothing_to_do(
    keeper: Keeper, keep: Keep
) -> None:
    """What it was not given at its start it never gets."""
    server, others = keep(hanging()), senders()
    listen(keeper, 0.0)
    (first,) = senders() - others
    keeper.give(job("webhook", url=server.url), 0.0)

    assert not keeper.ready(["FLYTESCHED_PASSWORD"], 1.0)
    assert senders() - others == {first}
    server.wait_for(1)
    server.over.set()
    assert len(hear(keeper, 1.0)) == 1
    listen(keeper, 2.0, ["FLYTESCHED_PASSWORD"])

    wait_for("the end of the first", lambda: first not in senders())
    assert len(senders() - others) == 1
