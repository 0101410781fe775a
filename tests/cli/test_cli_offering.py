"""What the program offers a shell that completes a word; the shells are in tests/."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from terminal import Said, environment

from flytesched.cli import completions
from flytesched.cli.offering import answer
from flytesched.core.schedule import Schedule
from flytesched.service.offers import FORMS, KINDS

if TYPE_CHECKING:
    from terminal import Terminal


def ask(terminal: Terminal, kind: str, *words: str) -> Said:
    """Return what is answered when the key is pressed behind some words."""
    terminal.capture.readouterr()
    code = answer(["__complete", kind, "--", "flytesched", *words])
    return Said(code, *terminal.capture.readouterr())


def offered(terminal: Terminal, kind: str, *words: str) -> dict[str, str]:
    """Return the words that are offered, and what each is said to be."""
    said = ask(terminal, kind, *words)
    assert (said.code, said.err) == (0, "")
    pairs = (line.partition("\t") for line in said.out.splitlines())
    return {word: what for word, _, what in pairs}


def test_names_come_with_what_they_are(terminal: Terminal) -> None:
    """A description, or when it runs."""
    terminal.write(
        'version = 1\n[schedules.a]\nevery = "1h"\ncommand = "x"\n'
        'description = "the\\u001b photos"\n'
        '[schedules.b]\nevery = "2h"\ncommand = "x"\n'
    )

    assert offered(terminal, "names") == {"a": r"the\x1b photos", "b": "every 2h"}


def test_a_broken_manifest_leaves_the_names_of_the_past(terminal: Terminal) -> None:
    """One wants to look at them, after all."""
    terminal.write("version = 1\n[schedules.x\n")

    assert offered(terminal, "names") == {"backup": "", "backup-photos": "", "report": ""}
    assert ask(terminal, "labels").code == 5


def test_a_command_line_may_name_another_manifest(terminal: Terminal) -> None:
    """In any spelling, also with a quote that is still open."""
    other = terminal.home / "an other.toml"
    other.write_text('version = 1\n[schedules.other]\nevery = "1h"\ncommand = "x"\n')

    for words in (
        ("--manifest", f"'{other}'", "show"),
        ("show", f"--manifest='{other}'"),
        ("show", "--manifest", str(other).replace(" ", r"\ "), "--manifest"),
        ("--manifest", str(other), "-l", "'team=b"),
    ):
        assert [*offered(terminal, "names", *words)] == ["other"], words


def test_labels_come_with_who_has_them(terminal: Terminal) -> None:
    """Each once."""
    assert offered(terminal, "labels") == {"team=ops": "backup and 1 more", "tier=1": "backup"}


def test_what_a_terminal_obeys_is_no_word_to_offer(terminal: Terminal) -> None:
    """Whoever wrote it into a label."""
    terminal.write(
        'version = 1\n[schedules.a]\nevery = "1h"\ncommand = "x"\n'
        'labels = { evil = "\\u001b]0;title\\u0007", good = "1" }\n'
    )

    assert offered(terminal, "labels") == {"good=1": "a"}


def test_runs_come_with_their_verdict(terminal: Terminal) -> None:
    """Those that are active apart; logs takes a name as well."""
    over = offered(terminal, "recent")

    assert sorted(over.values()) == ["failed(exit 3)", "succeeded"]
    assert all(word.startswith("manual-") for word in over)
    assert offered(terminal, "active") == {}
    assert offered(terminal, "statuses", "", "'")["queued"] == ""
    assert [*offered(terminal, "named")] == ["backup", "backup-photos", "report", *over]


def test_revisions_are_those_of_the_schedule_on_the_line(terminal: Terminal) -> None:
    """Without one there is none."""
    assert [*offered(terminal, "revisions", "revert", "backup", "--to")] == ["1"]
    assert offered(terminal, "revisions", "revert", "--to") == {}


def test_calendars_and_channels_come_with_what_they_are(terminal: Terminal) -> None:
    """In the words of whoever made them, or by what is in them; never by a secret."""
    terminal.write(
        "version = 1\n"
        '[calendars.office]\ndates = ["12-31"]\ndescription = "ours"\n'
        '[calendars.week]\nweekdays = ["sun", "sat"]\ndates = { 12-25 = "Christmas Day" }\n'
        '[channels.chat]\nkind = "webhook"\nurl = "https://example.org/s3cret"\n'
        '[channels.ops]\nkind = "mail"\nto = ["root"]\n'
    )

    assert offered(terminal, "calendars") == {"office": "ours", "week": "sat, sun, 12-25"}
    assert offered(terminal, "channels") == {"chat": "webhook", "ops": "mail"}


def test_what_is_known_beforehand_is_offered(terminal: Terminal) -> None:
    """Zones, statuses, settings, expressions."""
    assert offered(terminal, "cron")["@daily"] == "every midnight"
    assert "Europe/Berlin" in offered(terminal, "zones")
    assert {"timed_out", "missed"} <= offered(terminal, "statuses").keys()
    assert offered(terminal, "settings")["keep_runs"] == "How long verdicts are kept."
    assert {"@daily", "5m", "backup"} <= offered(terminal, "expressions").keys()


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_of_an_expression_is_one(kind: str) -> None:
    """With words on it, and no other twice."""
    for form, said in FORMS[kind]:
        values: Any = form.split(",") if kind in {"daily", "hourly"} else form
        if kind == "hourly":
            values = [int(value) for value in values]
        assert Schedule("x", command="true", **{kind: values})
        assert said
    assert len({form for form, _ in FORMS[kind]}) == len(FORMS[kind])


def test_every_kind_that_a_completion_asks_for_is_there() -> None:
    """And none is there that nobody asks for."""
    asked = {
        values.removeprefix("ask ")
        for verb in completions.verbs()
        for each in (verb, *verb.subcommands)
        for values in (each.takes, *(option.values for option in each.options))
        if values.startswith("ask ")
    }

    assert asked == {*KINDS}


def test_before_there_is_anything_little_is_offered(empty: Terminal) -> None:
    """And nothing is made; nobody asked a question that could be refused."""
    for kind in ("names", "active", "recent", "named", "revisions", "nonsense", ""):
        assert offered(empty, kind) == {}
    assert [*empty.home.iterdir()] == []


def test_a_bad_option_is_a_sentence_that_the_shell_throws_away(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who looks for the reason finds it."""
    monkeypatch.setenv("FLYTESCHED_START_RATE", "many")

    said = ask(empty, "names")

    assert said.code == 2
    assert said.err.startswith("flytesched: FLYTESCHED_START_RATE: ")


def test_the_key_costs_less_than_a_command(terminal: Terminal) -> None:
    """Neither Typer nor the run log is imported to offer a name."""
    code = (
        "import sys; before = set(sys.modules); from flytesched.__main__ import main;"
        "sys.argv[1:] = ['__complete', 'names', '--', 'flytesched', 'show'];"
        "assert main() == 0; print(*{*sys.modules} - before, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(terminal.home), text=True, check=True,
        capture_output=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[0] == "backup\tcron 0 2 * * *"
    assert not {"typer", "sqlite3", "difflib", "croniter"} & set(done.stderr.split())


def test_a_shell_that_has_read_enough_is_no_error(terminal: Terminal) -> None:
    """It closes the pipe, and nothing is said."""
    words = [sys.executable, "-m", "flytesched", "__complete", "zones"]
    child = subprocess.Popen(
        words, env=environment(terminal.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.close()

    assert child.wait(60) == 0
    assert child.stderr is not None
    assert child.stderr.read() == b""
    child.stderr.close()
