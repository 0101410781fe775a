"""Stories of real schedulers that tell: hanging servers, kills, commands that run by themselves."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hooks_servers import GOOD, PATIENCE, Mailbox, Server, answering
from outbox_plants import POINTS

from desk import EVIDENCE, Desk, wait_for

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    Keep = Callable[[Any], Any]

PROGRAM = [sys.executable, "-m", "flytesched"]
#: It, with time for the last messages however busy the machine is: three seconds may not do there,
#: and what is left then is for the next process.
PATIENT = [
    sys.executable, "-c",
    "import sys; from flytesched import __main__, bootstrap; bootstrap.LAST_WORDS = 60.0;"
    "sys.exit(__main__.main())",
]  # fmt: skip
PLANTS = Path(__file__).parent / "outbox_plants.py"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give an empty desk; its loops are ended with the test."""
    found = Desk(PROGRAM, tmp_path)
    yield found
    found.clear()


def notices(desk: Desk) -> list[tuple[str, str, str, str | None]]:
    """Return every notice: channel, what it is about, state, and why."""
    with sqlite3.connect(f"file:{desk.home}/state/runs.db?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT channel, about, status, why FROM notices ORDER BY id")
        found = [*rows]
    connection.close()
    return found


def over(desk: Desk, count: int) -> list[tuple[str, str, str, str | None]]:
    """Wait until so many notices are there and none is on its way; return them."""

    def look() -> list[tuple[str, str, str, str | None]] | None:
        found = notices(desk)
        still = [one for one in found if one[2] in {"queued", "sending"}]
        return found if len(found) >= count and not still else None

    return wait_for("the end of every notice", look)  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_makes_nobody_be_told_twice(desk: Desk, keep: Keep, point: str) -> None:
    """Each notice has arrived at most once, and is sent or unknown; none waits for ever."""
    server = keep(answering(GOOD))
    desk.write(f'''
        [channels.ops]
        kind = "webhook"
        url = "{server.url}"
        [schedules.job]
        command = "exit 3"
        cron = "0 0 1 1 *"
        notify = ["ops"]
    ''')
    desk.program = [sys.executable, str(PLANTS), point]
    loop = desk.start()
    desk.program = PROGRAM
    desk.run("trigger", "job", "--detach")
    assert loop.wait(PATIENCE) == -signal.SIGKILL

    after = desk.start()
    desk.run("trigger", "job", "--detach")
    found = over(desk, 2)
    desk.stop(after)

    told = Counter(json.loads(request.body)["run"]["id"] for request in server.requests)
    assert max(told.values()) == 1
    (_, first, status, _), (_, second, last, _) = found
    assert status in POINTS[point]
    assert last == "sent"
    assert told[second] == 1
    assert told[first] == 1 or status == "unknown"


@pytest.mark.slow
def test_a_server_that_hangs_delays_no_slot(desk: Desk, keep: Keep) -> None:
    """Every slot has its run, none is missed, and starts keep coming while it hangs."""
    server: Server

    def behave(connection: socket.socket) -> None:
        server.take(connection)
        server.over.wait(PATIENCE)

    server = keep(Server(behave))
    desk.write(f'''
        [channels.chat]
        kind = "webhook"
        url = "{server.url}"
        [channels.ops]
        kind = "mail"
        to = ["ops@example.org"]
        port = {server.port}
        [schedules.job]
        command = {json.dumps(EVIDENCE + "; exit 1")}
        every = "1s"
        overlap = "allow"
        notify = ["chat", "ops"]
        ping_url = "{server.url}"
    ''')
    loop = desk.start()
    server.wait_for(2)  # the webhook, and a ping
    before = len(desk.evidence())
    wait_for("starts while servers hang", lambda: len(desk.evidence()) >= before + 5)
    assert desk.stop(loop) == 0

    entries = desk.json("history", "job", "--limit", "100")["entries"]
    assert {entry["status"] for entry in entries} <= {"claimed", "running", "failed"}
    slots = sorted(int(entry["id"].rpartition("-")[2]) for entry in entries)
    assert slots == [*range(slots[0], slots[-1] + 1)]
    states = Counter((channel, status) for channel, _, status, _ in notices(desk))
    assert states["chat", "unknown"] == 1
    assert states["ping_url", "unknown"] == 1


def test_a_run_without_a_scheduler_is_told_before_its_command_ends(desk: Desk, keep: Keep) -> None:
    """By webhook, by mail and by ping."""
    server, box = keep(answering(GOOD)), keep(Mailbox())
    desk.write(f'''
        [channels.chat]
        kind = "webhook"
        url = "{server.url}"
        [channels.ops]
        kind = "mail"
        to = ["ops@example.org"]
        port = {box.port}
        [schedules.job]
        command = "echo the last words; exit 3"
        cron = "0 0 1 1 *"
        notify = ["chat", "ops"]
        ping_url = "{server.url}"
    ''')

    desk.program = PATIENT
    desk.run("trigger", "job", code=3)

    assert {status for _, _, status, _ in notices(desk)} == {"sent"}
    paths = [request.target.partition("?")[0] for request in server.requests]
    assert sorted(paths) == ["/secret-path", "/secret-path/3", "/secret-path/start"]
    assert paths.index("/secret-path/start") < paths.index("/secret-path/3")
    (mail,) = box.mails
    assert b"the last words" in mail.content
