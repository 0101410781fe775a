"""Channels: what a table of the manifest may say, and what is said of one that may not."""

from __future__ import annotations

from typing import Any

import pytest

from flytesched.core.schedule import Schedule
from flytesched.core.telling.channels import (
    CHANNEL_KEYS,
    Channel,
    Rate,
    read_channel,
    read_rate,
    unsecret,
    wanting,
)
from flytesched.core.telling.events import CHOICES, USUAL, Event
from flytesched.errors import Invalid, InvalidChannel

HOOK = {"kind": "webhook", "url": "https://chat.example/T0/s3cret"}
MAIL = {"kind": "mail", "to": ["ops@example.org"]}


def faults(table: Any, name: str = "ops") -> dict[str, str]:
    """Return what is wrong with a table, by key; each fault says what to write instead."""
    with pytest.raises(InvalidChannel) as caught:
        read_channel(name, table)
    assert caught.value.name == name
    assert all(fault.instead for fault in caught.value.faults)
    return {fault.key: f"{fault.what}; {fault.instead}" for fault in caught.value.faults}


def test_a_webhook_needs_a_url_and_no_more() -> None:
    channel = read_channel("chat", HOOK)
    assert (channel.name, channel.kind, channel.events) == ("chat", "webhook", USUAL)
    assert channel.keys == {"url": HOOK["url"], "format": "json"}
    assert str(channel.at_most) == "20/1h"


def test_mail_goes_to_this_machine_unless_it_says_another() -> None:
    channel = read_channel("ops", {"kind": "mail", "to": "root"})
    assert channel.keys == {"to": ["root"], "host": "localhost", "security": "none", "port": 25}


@pytest.mark.parametrize(
    ("said", "security", "port"),
    [
        ({}, "starttls", 587),
        ({"security": "tls"}, "tls", 465),
        ({"security": "none"}, "none", 25),
        ({"port": 2525}, "starttls", 2525),
    ],
)
def test_mail_to_another_machine_is_encrypted_unless_it_says_so(
    said: dict[str, Any], security: str, port: int
) -> None:
    channel = read_channel("ops", {**MAIL, "host": "mail.example", **said})
    assert (channel.keys["security"], channel.keys["port"]) == (security, port)


def test_a_channel_keeps_every_key_as_json_holds_it() -> None:
    hook = {
        "kind": "webhook", "url_file": "~/url", "headers": {"X-Token": "a b"}, "format": "slack",
    }  # fmt: skip
    mail = {
        "kind": "mail", "to": ["a@b.example", "root", "root"], "from": "flytesched@db1",
        "host": "::1", "port": 1, "security": "tls", "user": "x", "password_env": "SMTP_PASSWORD",
    }  # fmt: skip
    kept = [
        read_channel("a", {**each, "events": ["late", "failure"], "at_most": "3 / 90s"})
        for each in (hook, mail)
    ]
    del hook["kind"], mail["kind"]
    assert [channel.keys for channel in kept] == [hook, {**mail, "to": ["a@b.example", "root"]}]
    assert kept[0].events == (Event.FAILURE, Event.LATE)
    assert kept[0].at_most == Rate(3, 90.0)
    assert {*hook, *mail, "kind", "url", "password_file", "events", "at_most"} == {*CHANNEL_KEYS}


def test_secrets_are_not_shown() -> None:
    headers = {"headers": {"Authorization": "Bearer s3cret"}, "events": "late"}
    shown = read_channel("chat", {**HOOK, **headers}).shown()
    assert shown == {
        "kind": "webhook", "url": "https://chat.example/...", "headers": {"Authorization": "..."},
        "format": "json", "events": ["late"], "at_most": "20/1h",
    }  # fmt: skip
    assert list(read_channel("ops", MAIL).shown()) == [
        "kind", "to", "host", "port", "security", "events", "at_most",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ({}, "kind", 'is missing; write "mail" or "webhook"'),
        ({**HOOK, "kind": "pager"}, "kind", "'pager' is not a choice; write one of webhook, mail"),
        ({**HOOK, "kind": ["mail"]}, "kind", "['mail'] is not a choice"),
        ({**HOOK, "uri": "x"}, "uri", "is not a key of a channel; did you mean"),
        ({**HOOK, "zzz": "x"}, "zzz", "is not a key of a channel; write one of kind, events, "),
        ({**HOOK, "to": "x"}, "to", 'is a key of kind = "mail", and this one is "webhook"; leave'),
        ({"kind": "webhook"}, "url", "is missing; write the URL, or url_file"),
        ({**HOOK, "url_file": "/x"}, "url_file", "stands beside url; leave one of the two out"),
        ({"kind": "webhook", "url_file": "x"}, "url_file", "'x' does not say from"),
        ({**HOOK, "url": "ftp://x"}, "url", "is not the URL of a web page; write one such as"),
        ({**HOOK, "url": "https://x y"}, "url", "is not the URL of a web page"),
        ({**HOOK, "url": 5}, "url", "is not the URL of a web page"),
        ({**HOOK, "url": "https://u:pw@x"}, "url", "holds a user or a password in front of the"),
        ({**HOOK, "url": "https://x:70000/"}, "url", "has a port that there cannot be; write a"),
        ({**HOOK, "headers": {"A b": "c"}}, "headers", "'A b' is not a name of headers"),
        ({**HOOK, "headers": {"A": "c\nd"}}, "headers", "the value of A cannot stand in a header"),
        ({**HOOK, "headers": {"host": "c"}}, "headers", "host is written by flytesched; leave it"),
        ({**HOOK, "format": "xml"}, "format", "'xml' is not a choice; write one of json, slack,"),
        ({**HOOK, "events": []}, "events", "[] is not a list of events; write a list of some of"),
        ({**HOOK, "events": ["fail"]}, "events", "is told of; did you mean 'failure'?"),
        ({**HOOK, "events": [5]}, "events", "5 is not an event that a channel is told of"),
        ({**HOOK, "events": ["test"]}, "events", "'test' is not an event that a channel is told"),
        ({**HOOK, "at_most": 20}, "at_most", '20 is not a rate; write a number and a duration, su'),
        ({**HOOK, "at_most": "2/x"}, "at_most", "'2/x' is not a rate: 'x' "),
        ({**HOOK, "at_most": "0/1h"}, "at_most", "'0/1h' would let nothing through; write"),
        ({"kind": "mail"}, "to", 'is missing; write addresses, such as ["ops@example.org"]'),
        ({**MAIL, "to": []}, "to", "is not a list of 1 to 100 addresses; write one such as"),
        ({**MAIL, "to": ["a b"]}, "to", "'a b' is not an address; write one such as"),
        ({**MAIL, "to": ["a@x\nBcc: b@x"]}, "to", "is not an address"),
        ({**MAIL, "from": "A <a@x>"}, "from", "'A <a@x>' is not an address"),
        ({**MAIL, "host": "a:25"}, "host", "'a:25' is not a host; write a name or an address"),
        ({**MAIL, "port": 0}, "port", "0 is not a port; write a number from 1 to 65535"),
        ({**MAIL, "port": True}, "port", "True is not a port"),
        ({**MAIL, "user": "x"}, "user", "has no password; write password_file, or password_env"),
        ({**MAIL, "password_file": "/x"}, "user", "is missing; write the user that password_file"),
        ({**MAIL, "user": "x", "password_env": "s3-cret"}, "password_env", "is not the name of a"),
        (
            {**MAIL, "user": "x", "password_file": "/x", "password_env": "X"},
            "password_env",
            "stands beside password_file; leave one of the two out",
        ),
        (
            {**MAIL, "host": "mx.example", "security": "none", "user": "x", "password_env": "X"},
            "security",
            'would let others on the way read the password; write "starttls" or "tls"',
        ),
    ],
)  # fmt: skip
def test_a_fault_is_said_by_its_key(table: dict[str, Any], key: str, said: str) -> None:
    assert said in faults(table)[key]


def test_every_fault_is_said_at_once() -> None:
    found = faults({"kind": "mail", "url": "x", "port": -1, "events": "no"}, name="on_late")
    assert set(found) == {"", "url", "port", "events", "to"}
    assert "'on_late' is a key of schedules" in found[""]


@pytest.mark.parametrize("name", ["ping_url", "on_long"])
def test_a_name_that_the_run_log_uses_is_no_name(name: str) -> None:
    assert "choose another name" in faults(HOOK, name=name)[""]


@pytest.mark.parametrize("name", ["", "a b", "../x"])
def test_a_name_is_as_those_of_schedules(name: str) -> None:
    assert "is not a name for a channel; use letters" in faults(HOOK, name=name)[""]


@pytest.mark.parametrize("table", [5, "https://x", [HOOK]])
def test_a_channel_is_a_table(table: Any) -> None:
    assert faults(table) == {"": 'is not a table; write kind = "mail" or "webhook" in it'}


@pytest.mark.parametrize("key", ["url", "headers"])
def test_no_fault_says_a_secret(key: str) -> None:
    for value in ("s3cret", ["s3cret"], {"A": ["s3cret"]}, {"A": "s3cret\n"}, "https://s3cret@x"):
        assert "s3cret" not in str(faults({**HOOK, key: value}))
    with pytest.raises(InvalidChannel, match=r"^channel 'ops': url: is not the URL"):
        read_channel("ops", {**HOOK, "url": "s3cret"})


@pytest.mark.parametrize("said", ["1/1s", "20/1h", "7/1h30m", "5/1ms", "999999/364d"])
def test_a_rate_is_written_as_it_is_read(said: str) -> None:
    assert str(read_rate(said)) == said
    assert read_rate(read_rate(said)) == read_rate(said)


def test_a_rate_without_a_number_in_front_is_none() -> None:
    with pytest.raises(Invalid, match="not a rate"):
        read_rate("/1h")


def channels(**events: list[str]) -> dict[str, Channel]:
    return {name: read_channel(name, {**MAIL, "events": said}) for name, said in events.items()}


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("to", ["ops@example.org"], ["ops@example.org"]),
        ("port", None, None),
        ("url", "https://chat.example/T0/s3cret", "https://chat.example/..."),
        ("url", 7, "..."),
        ("headers", {"Authorization": "s3cret"}, {"Authorization": "..."}),
        ("headers", "s3cret", "..."),
        ("password_env", "OPS_PASSWORD", "OPS_PASSWORD"),
        ("password_env", "s3cret!", "..."),
        ("password", "s3cret", "..."),
    ],
)
def test_of_a_table_as_it_is_written_no_secret_is_shown(key: str, value: Any, shown: Any) -> None:
    assert unsecret(key, value) == shown


def test_a_schedule_is_told_of_to_the_channels_it_names() -> None:
    known = channels(ops=["failure", "late"], chat=["success"], others=["failure"])
    job = Schedule("job", every="1m", command="x", notify=["chat", "ops", "gone"])
    found = {event.value: [*wanting(job, event, known)] for event in Event}
    assert {event: names for event, names in found.items() if names} == {
        "failure": ["ops"], "late": ["ops"], "success": ["chat"], "test": ["chat", "ops"],
    }  # fmt: skip


def test_a_ping_url_is_told_of_starts_and_ends() -> None:
    job = Schedule("job", every="1m", command="x", ping_url="https://hc.example/1")
    found = {event: [*wanting(job, event, {})] for event in Event}
    assert {event for event, names in found.items() if names == ["ping_url"]} == {
        Event.STARTED, Event.ENDED,
    }  # fmt: skip
    assert not any(found[event] for event in CHOICES)
