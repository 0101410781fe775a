"""The outbox: a real run log, real senders, real servers, and a clock that a test sets."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hooks_desk import SLOT, facts, senders
from hooks_servers import GOOD, PATIENCE, Server, answering

from desk import wait_for
from flytesched.core.decision import Decision
from flytesched.core.protocols import Told
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.telling.channels import Channel, read_channel
from flytesched.core.telling.events import PING_URL, Event, Notice, NoticeStatus
from flytesched.errors import RunLogBusy
from flytesched.hooks.keeper import IDLE, SILENT
from flytesched.hooks.lane import MOST, PINGS_AT_ONCE
from flytesched.hooks.outbox import PATIENCE as LONGEST_WAIT
from flytesched.hooks.outbox import Outbox
from flytesched.runlog.sqlite import SqliteRunLog
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Keep = Callable[[Any], Any]

NOW = float(SLOT)


class Log(SqliteRunLog):
    """A run log that can be busy, and notes what was written, and what was not."""

    busy = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.decisions: list[Decision] = []
        self.refused: list[Decision] = []

    def apply(self, decision: Decision) -> frozenset[str]:
        if self.busy:
            self.refused.append(decision)
            raise RunLogBusy("the run log is locked")
        self.decisions.append(decision)
        return super().apply(decision)

    def has_refused(self, status: NoticeStatus) -> bool:
        """Tell whether it was busy when a notice was to come to a state."""
        moves = [move for decision in self.refused for move in decision.notice_states]
        return status in {move.notice.status for move in moves}


class Desk:
    """An outbox, what it is wired to, and the time."""

    def __init__(self, path: Path, **channels: Channel) -> None:
        self.path = path
        self.log = Log(path)
        self.journal = RecordingJournal()
        self.channels: dict[str, Channel] | None = channels
        self.schedules: dict[str, Schedule] = {}
        self.definition: Callable[[str, float], Schedule | None]
        self.definition = lambda name, _: self.schedules.get(name)
        self.environ = dict(os.environ)
        self.passed = 0.0
        self.elapsed: Callable[[], float] = lambda: 1000.0 + self.passed
        self.outbox = self._outbox()
        #: Those of earlier tests may still be about to end.
        self._others = senders()

    def _outbox(self) -> Outbox:
        return Outbox(
            self.log, self.journal, host="db1", state_dir=str(self.path.parent),
            environ=self.environ, channels=lambda: self.channels,
            definition=lambda name, created: self.definition(name, created),
            elapsed=lambda: self.elapsed(),
        )  # fmt: skip

    @property
    def now(self) -> float:
        return NOW + self.passed

    def put(self, *notices: Notice) -> None:
        """Store notices, and say so."""
        self.log.apply(Decision(notices=notices))
        self.outbox.look()

    def turn(self, due: float | None = None) -> float | None:
        return self.outbox.turn(self.now, due)

    def until(self, done: Callable[[], object]) -> None:
        """Turn as a loop does, until something has come about; time passes only in short waits."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            again = self.turn()
            if done():
                return
            if again is not None and again <= self.now + 1.0:
                self.passed += max(0.0, again - self.now)
            else:
                select.select([self.outbox.fileno()], [], [], 1.0)
            assert time.monotonic() < deadline, [*self.said()]

    def settle(self) -> None:
        """Turn until nothing can be sent now."""
        self.until(lambda: not self.outbox.busy)

    def said(self) -> list[tuple[str, str | None]]:
        """Return the state of every notice, the oldest first."""
        found = [*self.log._all("SELECT status, why FROM notices ORDER BY id")]
        return [(str(status), why) for status, why in found]

    def lines(self) -> list[str]:
        return [event for _, event, _ in self.journal.lines]

    def restart(self) -> None:
        """Let the process die, and another one begin."""
        self.close()
        self.log, self.journal = Log(self.path), RecordingJournal()
        self.outbox = self._outbox()

    def senders(self) -> set[int]:
        """Return the processes that send for it."""
        return senders() - self._others

    def close(self) -> None:
        """End as a process does that is killed: nothing is recorded any more."""
        self.log.close()
        self.outbox.close(self.now)


@pytest.fixture
def desk(tmp_path: Path, keep: Keep) -> Callable[..., Desk]:
    """Return a function that makes a desk, with webhooks that lead to servers."""

    def make(**servers: Any) -> Desk:
        channels = {
            name: server if isinstance(server, Channel) else hook(name, server)
            for name, server in servers.items()
        }
        made: Desk = keep(Desk(tmp_path / "runs.db", **channels))
        return made

    return make


def hook(name: str, server: Server, **keys: Any) -> Channel:
    """Return a webhook that leads to a server."""
    return read_channel(name, {"kind": "webhook", "url": server.url, **keys})


def notice(number: int = 0, channel: str = "ops", **keys: Any) -> Notice:
    """Return a queued notice; each number is of another run."""
    told = facts(keys.pop("said", "failure"), run=f"sched-job-{SLOT + number}")
    values: dict[str, Any] = {
        "event": Event.FAILURE, "schedule": "job", "created": NOW, "not_before": NOW,
        "about": told["run"]["id"], "facts": json.dumps(told), **keys,
    }  # fmt: skip
    return Notice(channel=channel, **values)


def ping(number: int, event: Event, schedule: str = "job") -> Notice:
    return notice(number, PING_URL, event=event, schedule=schedule, said=event.value)


def runs(requests: Iterable[Any]) -> list[str]:
    """Return of which runs requests tell."""
    return [json.loads(request.body)["run"]["id"] for request in requests]


# -- who is told ----------------------------------------------------------------------------


def test_channels_and_the_ping_url_are_told_what_they_want(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """A channel is told its events, a ping URL of starts and ends, and nobody of anything else."""
    server = keep(answering(GOOD))
    here = desk(ops=hook("ops", server, events=["failure"]), chat=hook("chat", server))
    job = Schedule(
        "job", cron="0 2 * * *", command="true", notify=["ops", "chat"], ping_url="http://h/u"
    )
    plain = Schedule("plain", cron="0 2 * * *", command="true")
    run = Run(id="r", schedule="job", scheduled_at=SLOT, origin=Origin.SCHEDULE,
              status=RunStatus.FAILED, created=NOW, exit_code=3, attempt=1)  # fmt: skip

    def told(event: Event) -> list[str]:
        news = Told(event=event, schedule=job, run=run)
        found = [one.channel for one in here.outbox.notices(news, NOW)]
        assert here.outbox.wants(job, event) == bool(found)
        return found

    assert told(Event.FAILURE) == ["ops", "chat"]
    assert told(Event.LATE) == ["chat"]
    assert told(Event.SUCCESS) == []
    assert told(Event.STARTED) == told(Event.ENDED) == ["ping_url"]
    assert not any(here.outbox.wants(plain, event) for event in Event)
    here.channels = None
    assert told(Event.FAILURE) == told(Event.LATE) == ["ops", "chat"], "while nobody knows"
    assert told(Event.SUCCESS) == []


# -- sending --------------------------------------------------------------------------------


def test_a_notice_is_sent_and_recorded(desk: Callable[..., Desk], keep: Keep) -> None:
    """It is claimed in one transaction, and its answer recorded in a later one."""
    server = keep(answering(GOOD))
    here = desk(ops=server)

    here.put(notice())
    here.settle()

    assert here.said() == [("sent", None)]
    assert runs(server.requests) == [f"sched-job-{SLOT}"]
    assert [[m.notice.status for m in d.notice_states] for d in here.log.decisions[1:]] == [
        [NoticeStatus.SENDING], [NoticeStatus.SENT],
    ]  # fmt: skip
    assert here.journal.lines == []


def test_what_was_written_within_a_turn_waits_for_nothing(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """Its moment is later than the one that the turn began with; whoever ends then sends it."""
    server = keep(answering(GOOD))
    here = desk(ops=server)

    here.put(notice(created=NOW + 0.02, not_before=NOW + 0.02))
    here.turn()
    assert here.outbox.busy
    here.settle()

    assert here.said() == [("sent", None)]


def test_nothing_is_handed_over_before_its_claim_is_durable(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """A run log that is locked is waited for, and then it goes once."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice())
    here.log.busy = True

    here.until(lambda: here.log.has_refused(NoticeStatus.SENDING))
    assert here.turn() is not None
    assert server.requests == []
    here.log.busy = False
    here.settle()

    assert here.said() == [("sent", None)]
    assert len(server.requests) == 1


def test_an_answer_that_cannot_be_recorded_now_is_recorded_later(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """It is not sent again meanwhile."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice())
    here.until(lambda: server.requests)
    here.log.busy = True
    here.until(lambda: here.log.has_refused(NoticeStatus.SENT))
    assert here.said() == [("sending", None)]

    here.log.busy = False
    here.settle()

    assert here.said() == [("sent", None)]
    assert len(server.requests) == 1


def test_nothing_is_written_while_a_slot_is_near_but_not_for_ever(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """On a machine whose slots never end, news has to go out between them."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice())

    assert here.turn(due=here.now + 0.2) == here.now + LONGEST_WAIT
    assert not here.senders()
    here.passed += LONGEST_WAIT
    here.turn(due=here.now)
    wait_for("a sender", here.senders)

    here.settle()
    assert here.said() == [("sent", None)]


def test_a_claim_that_somebody_else_has_moved_is_left_to_them(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """Whoever loses a claim sends nothing."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice(0), notice(1))
    here.turn()  # it is known here by now
    with here.log._connection:
        here.log._connection.execute(
            "UPDATE notices SET status = 'dropped', ended = 1 WHERE id = 1"
        )

    here.settle()

    assert here.said() == [("dropped", None), ("sent", None)]
    assert runs(server.requests) == [f"sched-job-{SLOT + 1}"]


# -- refusals -------------------------------------------------------------------------------


def scripted(*answers: bytes) -> Server:
    """Return a server that gives one answer after the other, and then good ones."""
    left = list(answers)
    server: Server

    def behave(connection: socket.socket) -> None:
        if server.take(connection) is not None:
            connection.sendall(left.pop(0) if left else GOOD)

    server = Server(behave)
    return server


BUSY = b"HTTP/1.1 503 X\r\n\r\n"


def test_what_is_refused_for_now_is_tried_again_later_in_order(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """The whole channel waits, longer each time; one line says that it fails, one that it works."""
    server = keep(scripted(BUSY, BUSY, BUSY))
    here = desk(ops=server)
    here.put(notice(0), notice(1))
    here.settle()

    waits = []
    while here.said()[0][0] == "queued":
        assert here.said()[0] == ("queued", "localhost answered 503 Service Unavailable")
        again = here.turn()
        assert again is not None
        waits.append(round(again - here.now))
        here.passed += again - here.now
        here.settle()

    assert waits == [5, 10, 20]
    assert here.said() == [("sent", None), ("sent", None)]
    first, second = (f"sched-job-{SLOT + n}" for n in (0, 1))
    assert runs(server.requests) == [first, first, first, first, second]
    assert here.lines() == ["channel fails", "channel works again"]


def test_a_server_may_ask_for_more_time(desk: Callable[..., Desk], keep: Keep) -> None:
    """Retry-After counts, also after a restart."""
    server = keep(scripted(b"HTTP/1.1 429 X\r\nRetry-After: 90\r\n\r\n"))
    here = desk(ops=server)
    here.put(notice())
    here.settle()
    here.restart()
    here.settle()

    again = here.turn()
    assert again is not None
    assert round(again - here.now) == 90
    here.passed += 91
    here.settle()

    assert here.said() == [("sent", None)]


def test_what_is_refused_for_good_fails(desk: Callable[..., Desk], keep: Keep) -> None:
    """And does not stand in the way of the next."""
    server = keep(scripted(b"HTTP/1.1 404 X\r\n\r\n"))
    here = desk(ops=server)

    here.put(notice(0), notice(1))
    here.settle()

    assert here.said() == [("failed", "localhost answered 404 Not Found"), ("sent", None)]


def test_what_may_have_arrived_is_never_sent_again(desk: Callable[..., Desk], keep: Keep) -> None:
    """A server that takes a request and says nothing."""
    server = keep(scripted(b""))
    here = desk(ops=server)

    here.put(notice())
    here.settle()

    why = "localhost closed the connection without an answer in HTTP"
    assert here.said() == [("unknown", why)]
    assert len(server.requests) == 1


def test_what_waits_too_long_is_given_up(desk: Callable[..., Desk], keep: Keep) -> None:
    """A ping after ten minutes, since it says nothing any more; all else after a day."""
    server = keep(scripted(*[BUSY] * 4))
    here = desk(ops=server)
    here.schedules["job"] = Schedule("job", cron="* * * * *", command="true", ping_url=server.url)
    here.put(ping(0, Event.STARTED), notice(1))
    here.settle()

    here.passed += 601
    here.settle()
    why = "localhost answered 503 Service Unavailable"
    assert here.said() == [("dropped", f"too old; {why}"), ("queued", why)]
    here.passed += 86_400
    here.settle()

    assert here.said()[1] == ("failed", f"not sent for a day; {why}")


def test_a_channel_that_is_gone_takes_its_notices_with_it(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """One of the manifest, or a schedule's ping URL; a new one is told without a restart."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice(0, "old"), ping(1, Event.STARTED), notice(2, "new"))
    here.channels = {**(here.channels or {}), "new": hook("new", server)}

    here.settle()

    gone = ("dropped", "no such channel")
    assert here.said() == [gone, gone, ("sent", None)]
    event = "channel is gone; its notices are dropped"
    assert here.journal.lines == [
        ("warning", event, {"channel": "old", "count": 1}),
        ("warning", event, {"channel": PING_URL, "schedule": "job", "count": 1}),
    ]


def test_a_name_that_is_another_schedule_by_now_is_not_confused(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """What is too old was of one with a ping URL, what comes after it of one without."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    told = Schedule("job", cron="* * * * *", command="true", ping_url=server.url)
    here.definition = lambda _, created: told if created < NOW else None
    here.put(replace(ping(0, Event.STARTED), created=NOW - 3600), ping(1, Event.STARTED))
    here.put(notice(2))

    here.settle()

    assert here.said() == [("dropped", "too old"), ("dropped", "no such channel"), ("sent", None)]
    assert len(server.requests) == 1


def test_nothing_is_dropped_while_channels_are_not_known(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """A scheduler that starts on a broken manifest waits for it to be mended."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    known, here.channels = here.channels, None
    here.put(notice())

    assert here.turn() is None
    assert here.said() == [("queued", None)]
    here.channels = known
    here.settle()

    assert here.said() == [("sent", None)]


def test_a_channel_that_never_works_does_not_fill_the_memory(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """The oldest are left out, and it is said of each."""
    server = keep(scripted(BUSY))
    here = desk(ops=server)
    here.put(*(notice(n) for n in range(MOST + 50)))
    here.settle()

    assert [status for status, _ in here.said()].count("dropped") == 50
    assert here.said()[1] == ("dropped", "too many were waiting")


# -- rates ----------------------------------------------------------------------------------


def test_what_is_over_the_rate_is_told_in_one_message(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """Two at once, then one digest of all that waited."""
    server = keep(answering(GOOD))
    here = desk(ops=hook("ops", server, at_most="2/1h"))
    here.put(*(notice(n) for n in range(10)))

    here.settle()
    assert len(server.requests) == 2
    here.passed += 3590
    here.settle()
    assert len(server.requests) == 2
    here.passed += 10
    here.settle()

    assert [status for status, _ in here.said()] == ["sent"] * 10
    digest = json.loads(server.requests[2].body)
    assert digest["event"] == "digest"
    assert [one["run"]["id"] for one in digest["messages"]] == [
        f"sched-job-{SLOT + n}" for n in range(2, 10)
    ]


def test_a_rate_holds_whoever_sends(desk: Callable[..., Desk], keep: Keep) -> None:
    """Another scheduler knows what went through, or may have, and so does one with another rate."""
    server = keep(answering(GOOD))
    here = desk(ops=hook("ops", server, at_most="3/1h"))
    for number in range(2):
        here.put(notice(number))
        here.settle()
        here.passed += 60
    here.log.apply(Decision(notices=(replace(notice(2), status=NoticeStatus.SENDING),)))
    here.restart()
    here.put(*(notice(n) for n in range(3, 6)))
    here.settle()
    assert [status for status, _ in here.said()[2:]] == ["unknown", *["queued"] * 3]

    here.channels = {"ops": hook("ops", server, at_most="4/1h")}
    here.until(lambda: len(server.requests) == 3)
    assert json.loads(server.requests[2].body)["event"] == "digest"
    here.put(notice(6))
    here.settle()
    assert len(server.requests) == 3
    here.passed += 3600
    here.settle()
    assert len(server.requests) == 4


def test_another_scheduler_gives_up_nothing_that_waits_for_its_rate(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """One message a week goes on to be one message a week, with all that waited."""
    server = keep(answering(GOOD))
    here = desk(ops=hook("ops", server, at_most="1/1w"))
    for number in range(3):
        here.put(notice(number, created=here.now))
        here.settle()
    here.passed += 2 * 86_400
    here.restart()
    here.settle()
    assert [status for status, _ in here.said()] == ["sent", "queued", "queued"]

    here.passed += 5 * 86_400 + 1
    here.settle()
    assert [status for status, _ in here.said()] == ["sent"] * 3
    assert len(server.requests) == 2


def test_a_digest_that_is_refused_stays_one(desk: Callable[..., Desk], keep: Keep) -> None:
    """And costs no more of the rate than one that arrives."""
    server = keep(scripted(GOOD, BUSY))
    here = desk(ops=hook("ops", server, at_most="1/1h"))
    here.put(*(notice(n) for n in range(3)))
    here.settle()
    here.passed += 3600
    here.settle()
    here.passed += 6
    here.settle()

    assert [status for status, _ in here.said()] == ["sent"] * 3
    assert [json.loads(r.body)["event"] for r in server.requests] == ["failure", *["digest"] * 2]


# -- pings ----------------------------------------------------------------------------------


def test_pings_of_a_schedule_keep_their_order(desk: Callable[..., Desk], keep: Keep) -> None:
    """Also when one is refused for now; those of another schedule do not wait."""
    slow, fast = keep(scripted(BUSY)), keep(answering(GOOD))
    here = desk()
    for name, server in (("slow", slow), ("fast", fast)):
        here.schedules[name] = Schedule(name, cron="* * * * *", command="true", ping_url=server.url)
    for n in range(3):
        here.put(ping(n, Event.STARTED, "slow"), ping(n, Event.ENDED, "slow"))
        here.put(ping(100 + n, Event.ENDED, "fast"))
    here.settle()
    assert len(fast.requests) == 3
    assert len(slow.requests) == 1
    here.passed += 6
    here.settle()

    paths = [request.target.partition("?")[0] for request in slow.requests]
    assert paths == ["/secret-path/start", *["/secret-path/start", "/secret-path/3"] * 3]


# -- senders --------------------------------------------------------------------------------


def test_a_sender_that_dies_is_replaced_and_what_it_had_is_unknown(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """What it did not have goes out by the next one."""
    first = True
    server: Server

    def behave(connection: socket.socket) -> None:
        nonlocal first
        if server.take(connection) is not None:
            if first:
                first = False
                server.over.wait(PATIENCE)
            connection.sendall(GOOD)

    server = keep(Server(behave))
    here = desk(ops=server)
    here.put(notice(0), notice(1))
    here.until(lambda: server.requests)
    (sender,) = here.senders()

    os.kill(sender, signal.SIGKILL)
    here.until(lambda: here.said()[0][0] == "unknown")
    here.passed += 6
    here.settle()

    assert here.said() == [("unknown", "sender died"), ("sent", None)]
    assert runs(server.requests) == [f"sched-job-{SLOT + n}" for n in (0, 1)]
    assert here.lines().count("no sender for channels") == 1


def test_without_a_sender_nothing_is_claimed(
    desk: Callable[..., Desk], keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that does not start loses no news, and is said once."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    with monkeypatch.context() as broken:
        # There is no other way to make an interpreter of ours that ends at once.
        broken.setattr("sys.executable", "/bin/false")
        here.put(notice())
        here.until(here.lines)
        for _ in range(3):
            here.passed += 600
            here.turn()
            select.select([here.outbox.fileno()], [], [], PATIENCE)
            here.turn()
    assert here.said() == [("queued", None)]
    assert here.lines() == ["no sender for channels"]

    here.passed += 600
    here.settle()
    assert here.said() == [("sent", None)]


def test_an_idle_sender_is_let_go(desk: Callable[..., Desk], keep: Keep) -> None:
    """It costs nothing while there is nothing to send."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice(0))
    here.settle()
    assert here.senders()

    here.passed += IDLE + 1
    assert here.turn() is None
    wait_for("its end", lambda: not here.senders())

    here.put(notice(1))
    here.settle()
    assert len(server.requests) == 2


def test_a_sender_sees_only_what_it_may(desk: Callable[..., Desk], keep: Keep) -> None:
    """Nothing of the scheduler but a password; a new one when a channel comes to name another."""
    server = keep(scripted(BUSY))
    here = desk(ops=server)
    here.environ |= {
        "NOTIFY_SOCKET": "x", "FLYTESCHED_MANIFEST": "x", "WATCHDOG_USEC": "1",
        "FLYTESCHED_PASSWORD": "s3cret",
    }  # fmt: skip
    here.put(notice(0))
    here.settle()
    assert _seen(here) == {}

    table = {"kind": "mail", "to": ["a@b"], "user": "me", "password_env": "FLYTESCHED_PASSWORD"}
    here.channels = {**(here.channels or {}), "mail": read_channel("mail", table)}
    here.passed += 6
    here.settle()

    assert _seen(here) == {"FLYTESCHED_PASSWORD": "s3cret"}


def _seen(here: Desk) -> dict[str, str]:
    from flytesched import linux

    wait_for("the end of another one", lambda: len(here.senders()) == 1)
    (sender,) = here.senders()
    found = linux.process_environment(sender) or {}
    private = ("NOTIFY_", "FLYTESCHED_", "WATCHDOG_")
    return {name: value for name, value in found.items() if name.startswith(private)}


def hanging() -> Server:
    """Return a server that takes requests and answers none."""
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        server.over.wait(PATIENCE)

    server = Server(behave)
    return server


def test_a_sender_that_says_nothing_any_more_is_ended(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """Its jobs have a time limit: if that does not work, nothing of it does."""
    server = keep(hanging())
    here = desk(ops=server)
    here.put(notice())
    here.until(lambda: server.requests)

    here.passed += SILENT + 1
    here.until(lambda: here.said()[0][0] != "sending")
    here.passed += 6
    here.settle()

    assert here.said() == [("unknown", "sender died")]


def test_ping_urls_that_hang_leave_places_to_channels(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """Many schedules may ping a server that is gone; their failures are told of all the same."""
    hangs, server = keep(hanging()), keep(answering(GOOD))
    here = desk(ops=server)
    for n in range(20):
        here.schedules[f"s{n}"] = Schedule(
            f"s{n}", cron="* * * * *", command="true", ping_url=hangs.url
        )
    here.put(*(ping(n, Event.STARTED, f"s{n}") for n in range(20)), notice(100))

    here.until(lambda: here.said()[-1] == ("sent", None))

    hangs.wait_for(PINGS_AT_ONCE)
    assert [status for status, _ in here.said()].count("sending") == PINGS_AT_ONCE


# -- the end, and what comes after it ---------------------------------------------------------


def test_the_last_news_is_given_some_time(desk: Callable[..., Desk], keep: Keep) -> None:
    """A command that runs without a scheduler tells of its run before it leaves."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice())

    here.elapsed = time.monotonic
    here.outbox.finish(lambda: here.now, PATIENCE)

    assert here.said() == [("sent", None)]


def test_the_last_news_is_not_waited_for_for_ever(desk: Callable[..., Desk], keep: Keep) -> None:
    """A server that hangs does not keep a command from ending."""
    server = keep(hanging())
    here = desk(ops=server)
    here.put(notice())
    here.until(lambda: server.requests)

    clock = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    here.elapsed = lambda: 2000.0 + next(clock)
    here.outbox.finish(lambda: here.now, 2.0)

    assert here.said() == [("sending", None)]


def test_whoever_gives_the_last_news_time_may_take_it_back(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """A second signal ends a scheduler at once, also while a server hangs."""
    server = keep(hanging())
    here = desk(ops=server)
    here.put(notice())

    def meanwhile() -> None:
        if server.requests:
            raise KeyboardInterrupt

    here.elapsed = time.monotonic
    with pytest.raises(KeyboardInterrupt):
        here.outbox.finish(lambda: here.now, PATIENCE, meanwhile)


@pytest.mark.parametrize("arrived", [False, True])
def test_a_run_log_damaged_during_the_last_news_is_a_line(
    desk: Callable[..., Desk], keep: Keep, arrived: bool
) -> None:
    """The process ends as it would have, also when an answer comes after that."""
    damaged = threading.Event()
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        damaged.wait(PATIENCE)
        connection.sendall(GOOD)

    server = keep(Server(behave))
    here = desk(ops=server)
    here.put(notice())
    here.elapsed = time.monotonic

    def meanwhile() -> None:
        if not arrived or server.requests:
            with closing(sqlite3.connect(here.path)) as connection:
                connection.execute("DROP TABLE IF EXISTS notices")
            damaged.set()

    here.outbox.finish(lambda: here.now, PATIENCE, meanwhile)
    here.outbox.close(here.now)

    more = ["answers of channels not recorded"] if arrived else []
    assert here.lines() == ["last messages not sent", *more]


def test_what_is_on_its_way_at_the_end_is_unknown(desk: Callable[..., Desk], keep: Keep) -> None:
    """And is recorded as such, while what waits is left to the next process."""
    server = keep(hanging())
    here = desk(ops=server)
    here.put(notice(0), notice(1))
    here.until(lambda: server.requests)

    here.outbox.close(here.now)

    assert here.said() == [("unknown", "the scheduler stopped"), ("queued", None)]


def test_what_a_dead_scheduler_was_sending_is_unknown(
    desk: Callable[..., Desk], keep: Keep
) -> None:
    """It may have arrived; what was only queued goes out now."""
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        server.over.wait(0.2)
        connection.sendall(GOOD)

    server = keep(Server(behave))
    here = desk(ops=server)
    here.put(notice(0), notice(1))
    here.until(lambda: server.requests)
    here.restart()
    here.settle()

    assert here.said() == [("unknown", "scheduler died"), ("sent", None)]
    assert runs(server.requests) == [f"sched-job-{SLOT + n}" for n in (0, 1)]


def test_a_closed_run_log_at_the_end_is_one_line(desk: Callable[..., Desk], keep: Keep) -> None:
    """The next scheduler finds what was on its way, and says that it is unknown."""
    server = keep(answering(GOOD))
    here = desk(ops=server)
    here.put(notice())
    here.until(lambda: server.requests)
    here.log.busy = True

    here.outbox.close(here.now)
    here.log.busy = False

    assert here.said() == [("sending", None)]
    assert here.lines() == ["answers of channels not recorded"]
