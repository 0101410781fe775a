"""Channels as people see them: which there are, how they do, and what became of notices."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from glance import look

from flytesched.bootstrap import bind, open_site
from flytesched.core.decision import Count, Decision
from flytesched.core.telling.events import Event, Notice, NoticeStatus

if TYPE_CHECKING:
    from terminal import Terminal

MANIFEST = """\
version = 1

[channels.ops]
kind = "mail"
to = ["ops@example.org", "boss@example.org"]
host = "mail.example.org"
user = "me"
password_file = "/etc/flytesched/s3cret"

[channels.chat]
kind = "webhook"
url = "https://chat.example.org/s3cret?key=s3cret"
headers = { Authorization = "s3cret" }
events = ["failure", "recovered"]

[schedules.load]
every = "1h"
command = "true"
notify = ["ops", "chat"]
ping_url = "https://hc.example.org/s3cret-uuid"

[schedules.tidy]
every = "1d"
command = "true"
notify = ["ops"]
"""
#: Minutes before now.
MINUTE = 60.0
QUEUED, SENDING, SENT, FAILED, UNKNOWN, DROPPED = NoticeStatus


class Site:
    """A terminal at a site whose channels have been told of things."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        terminal.write(MANIFEST)
        self.site = open_site(environ=os.environ)
        self.now = self.site.now()
        self.runlog = self.site.runlog()
        bind(self.site, self.runlog, rebind=False)

    def told(self, channel: str, status: NoticeStatus, ago: float, **keys: Any) -> None:
        """Let a channel have been told something, some minutes ago."""
        moment = self.now - ago * MINUTE
        given: dict[str, Any] = {"event": Event.FAILURE, "schedule": "load", **keys}
        notice = Notice(
            channel=channel, about=f"sched-load-{int(moment)}", facts="{}", created=moment,
            status=status, ended=None if status in {QUEUED, SENDING} else moment, **given,
        )  # fmt: skip
        self.runlog.apply(Decision(notices=(notice,)))


@pytest.fixture
def site(empty: Terminal) -> Site:
    """Give a site at which nobody was told anything yet."""
    return Site(empty)


# -- notify list --------------------------------------------------------------------------------


def test_channels_are_listed_without_their_secrets(site: Site) -> None:
    """Where each leads to, how many schedules it is told of, and how it does."""
    site.told("ops", SENT, 5)
    site.told("chat", FAILED, 9, why="chat.example.org answered 404 Not Found")

    said = site.terminal.ok("notify", "list").out

    head, ops, chat, pings = said.splitlines()
    assert head.split() == ["CHANNEL", "KIND", "WHERE", "EVENTS", "SCHEDULES", "STATE"]
    assert "ops@example.org and 1 more by mail.example.org:587" in ops
    assert ops.split()[-2:] == ["2", "ok"]
    assert "https://chat.example.org/..." in chat
    assert "  1  failing since " in chat
    assert pings.split()[:5] == ["ping_url", "ping", "-", "started,", "ended"]
    assert pings.endswith("never told")
    assert "s3cret" not in said


def test_a_manifest_without_channels_says_where_to_read(empty: Terminal) -> None:
    """On stderr: there is no data."""
    empty.write("version = 1\n")

    said = empty.ok("notify", "list")

    assert (said.out, "flytesched.toml(5)" in said.err) == ("", True)


def test_a_url_that_is_kept_in_a_file_is_called_so(site: Site) -> None:
    """The file is named, and not read: who lists channels may not be allowed to."""
    url = 'url = "https://chat.example.org/s3cret?key=s3cret"'
    site.terminal.write(MANIFEST.replace(url, 'url_file = "/nowhere/chat-url"'))

    assert "  the URL in /nowhere/chat-url  " in site.terminal.ok("notify", "list", "chat").out


def test_some_channels_are_listed_by_name(site: Site) -> None:
    """Or a suggestion is made."""
    (chat,) = site.terminal.json("notify", "list", "c*")["channels"]

    assert (chat["channel"], chat["at_most"], chat["schedules"]) == ("chat", "20/1h", ["load"])
    assert "did you mean 'chat'?" in site.terminal.run("notify", "list", "chta").err


@pytest.mark.parametrize(
    "words",
    ["notify list", "notify test", "notify test --schedule load", "notify history", "status",
     "health", "metrics", "doctor"],
)  # fmt: skip
def test_no_command_that_tells_of_channels_tells_a_secret(site: Site, words: str) -> None:
    """Whatever goes wrong: paths of addresses, headers and passwords stay where they are."""
    here = MANIFEST.replace("https://chat.example.org", "http://localhost:1")
    here = here.replace("https://hc.example.org", "http://localhost:1")
    site.terminal.write(here.replace("/etc/flytesched/s3cret", "/nowhere/password"))
    site.told("chat", FAILED, 1, why="localhost answered 404 Not Found")

    plain, data = site.terminal.run(*words.split()), site.terminal.run(*words.split(), "--json")

    assert plain.out
    assert "s3cret" not in plain.out + plain.err + data.out + data.err


# -- notify history -----------------------------------------------------------------------------


def test_notices_are_shown_newest_first(site: Site) -> None:
    """With what became of each, and why."""
    site.told("ops", SENT, 9, tries=2)
    site.told("chat", UNKNOWN, 5, why="no answer in time", event=Event.LATE)
    site.told("ops", QUEUED, 1)

    lines = site.terminal.ok("notify", "history").out.splitlines()

    assert lines[0].split() == [
        "WHEN", "CHANNEL", "EVENT", "SCHEDULE", "STATUS", "TRIES", "ABOUT",
    ]  # fmt: skip
    assert "ops      failure  load      queued " in lines[1]
    assert "chat     late     load      unknown(no answer in time) " in lines[2]
    assert " sent                            2  sched-load-" in lines[3]


@pytest.mark.parametrize(
    ("words", "channels"),
    [
        ([], ["ops", "chat", "ping_url"]),
        (["ops"], ["ops"]),
        (["ops", "p*"], ["ops", "ping_url"]),
        (["--status", "sent,failed"], ["ops", "ping_url"]),
        (["--status", "unknown"], ["chat"]),
        (["--since", "6min"], ["ops", "chat"]),
        (["--since", "6min", "chat"], ["chat"]),
        (["--limit", "2"], ["ops", "chat"]),
        (["--schedule", "tidy"], ["chat"]),
        (["gone"], []),
    ],
)
def test_notices_are_chosen(site: Site, words: list[str], channels: list[str]) -> None:
    """By channel, state, schedule and time; a channel that is no more can be asked for."""
    site.told("gone", SENT, 99_999)
    site.told("ping_url", FAILED, 9, event=Event.ENDED)
    site.told("chat", UNKNOWN, 5, schedule="tidy")
    site.told("ops", SENT, 1)

    found = site.terminal.json("notify", "history", *words)["notices"]

    assert [each["channel"] for each in found if each["channel"] != "gone"] == channels


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["chta"], 3, "no channel is named 'chta'\nhint: did you mean 'chat'?"),
        (["--status", "sendt"], 2, "there is no status 'sendt'\nhint: did you mean 'sent'?"),
        (["--status", "odd"], 2, "hint: one of queued, sending, sent, failed, unknown, dropped"),
        (["--schedule", "laod"], 3, "no schedule is named 'laod'\nhint: did you mean 'load'?"),
    ],
)
def test_what_there_is_none_of_is_refused(
    site: Site, words: list[str], code: int, says: str
) -> None:
    """With a suggestion, before and after the first notice."""
    said = site.terminal.run("notify", "history", *words)

    assert said.code == code
    assert says in said.err


def test_no_notices_are_no_error(site: Site, empty: Terminal) -> None:
    """Whether or not there is a run log."""
    assert site.terminal.ok("notify", "history").err == "there are no such notices\n"
    assert (
        empty.ok("notify", "history", "--state-dir", "other").err == "there are no such notices\n"
    )
    assert empty.run("notify", "history", "x", "--state-dir", "other").code == 3


def test_a_broken_manifest_hides_no_notices(site: Site) -> None:
    """Channels that were told something are known by that."""
    site.told("ops", SENT, 1)
    site.terminal.write("broken")

    assert [n["channel"] for n in site.terminal.json("notify", "history", "ops")["notices"]] == [
        "ops"
    ]


# -- status -------------------------------------------------------------------------------------


def fact(said: str, name: str) -> str | None:
    """Return what a status says of something."""
    lines = [line for line in said.splitlines() if line.strip().startswith(f"{name}: ")]
    return lines[0].partition(": ")[2] if lines else None


def test_a_status_without_channels_says_nothing_of_them(terminal: Terminal) -> None:
    """Most have none."""
    said = terminal.ok("status")

    assert fact(said.out, "channels") is None
    assert terminal.json("status")["channels"] == []


def test_a_status_says_in_a_few_words_that_all_is_well(site: Site) -> None:
    """One line: how many there are, what waits, and when something last got through."""
    quiet = fact(site.terminal.ok("status").out, "channels")
    site.told("ops", SENT, 5)
    site.told("ops", QUEUED, 1)

    said = site.terminal.ok("status").out

    assert quiet == "3"
    assert fact(said, "channels") == "3, 1 notice to be sent, last sent 5min ago"
    assert "CHANNEL" not in said


def test_a_status_shows_the_channels_that_have_trouble(site: Site) -> None:
    """Since when and why, and what was lost within a day; the others are left out."""
    site.told("ops", SENT, 30)
    for ago in (20, 10):
        site.told("ops", FAILED, ago, why="mail.example.org: connection refused")
    site.told("ops", QUEUED, 5, why="mail.example.org: it does not answer", tries=3)
    site.told("chat", DROPPED, 8, why="too old")
    site.told("chat", SENT, 7)
    site.told("ping_url", SENT, 6)
    site.told("on_late", FAILED, 1)  # a hook, which is no channel

    said = site.terminal.ok("status").out
    ops, chat, _ = site.terminal.json("status")["channels"]

    assert fact(said, "channels") == "3, 1 failing, 1 notice to be sent, last sent 6min ago"
    _, _, table = said.partition("CHANNEL")
    lines = table.splitlines()
    assert lines[1].startswith("ops      failing since ")
    assert lines[1].endswith("  2 failed       mail.example.org: it does not answer")
    assert lines[2].split() == ["chat", "ok", "1", "dropped", "too", "old"]
    assert len(lines) == 4 or lines[3] == ""
    assert ops["why"] == "mail.example.org: it does not answer"
    assert (ops["failing_since"], ops["failed"], ops["waiting"]) == (ops["failing_since"], 2, 1)
    assert (chat["failing_since"], chat["dropped"]) == (None, 1)


def test_what_was_lost_long_ago_is_no_news(site: Site) -> None:
    """After a day nobody wants to read of it at each glance."""
    site.told("ops", UNKNOWN, 25 * 60)
    site.told("ops", SENT, 24 * 60 + 1)

    assert "CHANNEL" not in site.terminal.ok("status").out


def test_a_channel_that_is_no_more_is_shown_while_something_waits(site: Site) -> None:
    """And what a broken manifest would say of it, nobody knows."""
    site.told("gone", QUEUED, 5)
    site.told("old", SENT, 5)

    whole = [each["channel"] for each in site.terminal.json("status")["channels"]]
    site.terminal.write("broken")
    broken = [each["channel"] for each in site.terminal.json("status")["channels"]]

    assert whole == ["ops", "chat", "ping_url", "gone"]
    assert broken == ["gone", "old"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_trouble_leaves_a_status_on_one_screen(
    site: Site, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Coming slots make room for it; a column without anything in it goes first."""
    names = [f"ops-{number}" for number in range(6)]
    tables = "".join(f'[channels.{name}]\nkind = "mail"\nto = "root"\n' for name in names)
    jobs = "".join(f'[schedules.s{n}]\nevery = "1h"\ncommand = "true"\n' for n in range(20))
    site.terminal.write(f"version = 1\n{tables}{jobs}")
    for name in names:
        site.told(name, QUEUED, 5, why="mail.example.org: connection refused")

    said = look(site.terminal, monkeypatch, "status", columns).out.splitlines()

    assert len(said) < 24
    assert max(map(len, said)) <= columns
    assert ("LOST IN A DAY" in "".join(said)) is (columns == 120)
    assert any(line.startswith("COMING") for line in said)


# -- health and metrics -------------------------------------------------------------------------


def test_a_failing_channel_is_shown_by_health_and_counts_if_strict(site: Site) -> None:
    """Commands run all the same."""
    site.told("ops", FAILED, 5, why="mail.example.org answered 550")

    plain = site.terminal.run("health", "--json").json["findings"]
    strict = site.terminal.run("health", "--json", "--strict").json["findings"]

    (finding,) = [each for each in plain if each["check"] == "channel"]
    assert finding["what"].startswith("channel ops: it fails since 20")
    assert finding["what"].endswith(": mail.example.org answered 550")
    assert not finding["counts"]
    assert [each["counts"] for each in strict if each["check"] == "channel"] == [True]


def test_metrics_count_notices_and_tell_which_channels_work(site: Site) -> None:
    """Counters outlive the notices: they stand in the run log beside them."""
    site.told("ops", FAILED, 5)
    site.told("chat", QUEUED, 1)
    site.runlog.apply(
        Decision(counts=(Count(metric="notices_total", schedule="ops", label="failed"),))
    )

    said = site.terminal.ok("metrics").out.splitlines()

    assert 'flytesched_notices_total{channel="ops",status="failed"} 1' in said
    assert [line for line in said if line.startswith("flytesched_channel_up{")] == [
        'flytesched_channel_up{channel="chat"} 1',
        'flytesched_channel_up{channel="ops"} 0',
        'flytesched_channel_up{channel="ping_url"} 1',
    ]
    assert 'flytesched_notices_waiting{channel="chat"} 1' in said
