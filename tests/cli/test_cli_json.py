"""What ``--json`` answers is a contract: each form of answer keeps the shape that is stored of it.

A new form, or a further key, is stored deliberately: REWRITE=1 python -m pytest <this file>. What
is there already stays: a key that goes, or whose type changes, needs another schema number.
"""

from __future__ import annotations

import os
import shlex
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

import contract
import pytest

from flytesched.cli import render
from flytesched.cli.completions import commands
from flytesched.lock import SchedulerLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terminal import Said, Terminal

#: Each command with ``--json``, the forms of its answers, and the calls that show each of them.
CALLS: dict[str, dict[str, list[str]]] = {
    "list": {"list": ["list", "list sync", "list --label team=ops"]},
    "show": {
        "show": [
            "show backup",
            "show slow",
            "show sync",
            "show report",
            "show tidy",
            "show festive",
        ]
    },
    "revisions": {
        "revisions": ["revisions backup", "revisions once"],
        "revisions-diff": ["revisions backup --diff 2", "revisions backup --diff 1"],
    },
    "next": {
        "next": ["next", "next --until 2d", "next once", "next festive --from 2026-12-20 -n 9"],
        "calendar": ["next --calendar", "next --calendar month --from 2026-12-20"],
    },
    "calendars": {
        "calendars": ["calendars"],
        "days-off": ["calendars company --from 2026-12-20 --until 2027-01-10"],
    },
    "explain": {"explain": ["explain backup", "explain 5m", "explain 0 2 13 * 5 --offset 5m"]},
    "catchup": {
        "catchup-dry-run": ["catchup --dry-run"],
        "catchup": ["catchup --yes sync", "catchup --yes --policy none"],
    },
    "backfill": {
        "backfill-dry-run": ["backfill backup --from 9d --until 2d --dry-run"],
        "backfill": ["backfill sync --from 12h --until 10h"],
    },
    "history": {
        "history": ["history", "history sync --status missed"],
        "run": ["history manual-sync", "history manual-backup"],
    },
    "stats": {"stats": ["stats", "stats slow sync once --since 2d --until now"]},
    "prune": {"prune": ["prune --keep-runs 0s --dry-run", "prune --keep-runs 400d --yes"]},
    "config": {"config": ["config", "config missed_after", "config --manifest broken.toml"]},
    "import crontab": {"import-crontab": ["import crontab crontab --yes"]},
    "ps": {"ps": ["ps"]},
    "status": {
        "status": [
            "status",
            "status --manifest broken.toml",
            "status --state-dir other",
            "status --state-dir damaged",
        ]
    },
    "top": {"top": ["top", "top slow sync", "top --manifest broken.toml", "top --state-dir other"]},
    "health": {
        "health": [
            "health",
            "health --strict",
            "health --manifest broken.toml",
            "health --state-dir damaged",
        ]
    },
    "validate": {"validate": ["validate", "validate broken.toml"]},
    "doctor": {"doctor": ["doctor", "doctor --state-dir other"]},
    "notify list": {"notify-list": ["notify list"]},
    "notify test": {
        "notify-test": ["notify test --schedule watched", "notify test --manifest taken.toml"]
    },
    "notify history": {"notify-history": ["notify history"]},
    "service print": {"service-print": ["service print", "service print --user --harden"]},
    "db check": {"db-check": ["db check", "db check --state-dir damaged"]},
}
FORMS = {form: calls for forms in CALLS.values() for form, calls in forms.items()}


#: Commands that tell of the scheduler, and so are asked once more while one holds the lock.
TOLD = {"status", "top", "health"}


@pytest.fixture
def site(empty: Terminal) -> Iterator[Terminal]:
    """Give a terminal at a site that has seen everything, with a web server that takes all."""
    contract.prepare(empty.home)
    with TCPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        (empty.home / "taken.toml").write_text(
            f"version = 1\n[channels.web]\nkind = 'webhook'\nurl = '{url}'\n"
        )
        yield empty
        server.shutdown()


class Taking(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def ask(site: Terminal, call: str) -> Said:
    """Ask for an answer in JSON."""
    return site.run(*shlex.split(call), "--json")


def answers(site: Terminal, form: str) -> list[Any]:
    """Return what the calls of a form answer."""
    found = [ask(site, call).json for call in FORMS[form]]
    if form in TOLD:
        lock = SchedulerLock(site.state)
        lock.acquire("run")
        found += [site.run(form, "--json").json]
        lock.release()
    return found


def test_every_command_with_json_has_a_contract() -> None:
    """A new one belongs into the table above, with calls that show all there is to say."""
    flags = {verb.name: {f for o in verb.options for f in o.flags} for verb in commands()}

    assert sorted(CALLS) == sorted(name for name, own in flags.items() if "--json" in own)


def test_every_stored_shape_is_that_of_a_form() -> None:
    """Or one would be kept that nobody is held to."""
    assert sorted(path.stem for path in contract.FOLDER.iterdir()) == sorted(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_keeps_its_shape(site: Terminal, form: str) -> None:
    """Keys and types, all the way down, and the schema's number; whatever the exit code is."""
    if form == "calendars" and not contract.EXTRA:
        pytest.skip("a country, which one of them has, needs the extra")
    said = answers(site, form)

    found = contract.merged(map(contract.shape, said))
    if os.environ.get("REWRITE"):
        contract.store(form, found)

    assert {answer["schema"] for answer in said} == {render.SCHEMA}
    assert found == contract.stored(form), "if this is meant: see the first lines of this file"


@pytest.mark.parametrize("form", FORMS)
def test_nothing_in_a_stored_shape_is_unknown(form: str) -> None:
    """Each list and object was seen with something in it, or its contract would be empty."""
    assert "nothing" not in (contract.FOLDER / f"{form}.json").read_text()


def test_an_answer_is_the_whole_of_stdout(site: Terminal) -> None:
    """One object in ASCII, ended by a line end, whatever is said besides on stderr."""
    for calls in FORMS.values():
        for call in calls:
            said = ask(site, call)
            assert said.out.isascii(), call
            assert said.out.startswith('{\n  "schema": 1,\n  "kind": "'), call
            assert said.out.endswith("\n}\n"), call


# -- the yardstick itself -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None], "null | text"),
        ([1, 1.5], "number"),
        ([True, 2], "true or false | whole number"),
        (["2026-11-21T02:00:00Z", "2026-11-21T02:00:00.123Z"], "instant"),
        (["2026-11-21 02:00:00"], "text"),
        ([[], []], ["nothing"]),
        ([[], [1]], ["whole number"]),
        ([[1], [None]], ["null | whole number"]),
        ([{"a": 1}, {"a": 2, "b": None}], {"a": "whole number", "b?": "null"}),
        ([{"b": 1}, {}, {"b": "x"}], {"b?": "text | whole number"}),
        ([{"env": {"A": "x", "B": "y"}}], {"env": {"*": "text"}}),
        ([None, {"a": 1}, None, {"a": 2.5}], {"one of": ["null", {"a": "number"}]}),
        (["x", ["y"]], {"one of": ["text", ["text"]]}),
    ],
)
def test_a_shape_covers_what_it_was_made_of_and_no_more(
    values: list[object], expected: contract.Shape
) -> None:
    """Values that stand in the same place, and the shape that they have together."""
    answers = [{"schema": 1, "kind": "k", "value": value} for value in values]

    found = contract.merged(map(contract.shape, answers))

    assert found == {"schema": "1", "kind": "k", "value": expected}
