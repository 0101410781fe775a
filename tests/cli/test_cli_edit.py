"""edit: what is saved, what is refused, and that nobody's text is ever lost."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest
from test_cli_running import on_a_terminal, start, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from terminal import Terminal

    Editor = Callable[[str], None]

#: A line that no manifest has, and that is a fault.
FAULTY = 'echo "tiemout = 3" >> "$1"'
LATER = """sed -i 's/daily = "09:00"/daily = "10:00"/' "$1\""""


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Return a way to say what the editor does to the file ``$1``."""

    def put(script: str) -> None:
        path = tmp_path / "my editor"
        path.write_text(f'#!/bin/sh\nset -e\nfor last; do :; done; set -- "$last" "$@"\n{script}\n')
        path.chmod(0o700)
        monkeypatch.setenv("VISUAL", shlex.quote(str(path)))

    return put


def drafts(terminal: Terminal) -> list[Path]:
    """Return the drafts that are kept."""
    return sorted((terminal.state / "drafts").glob("*.toml"))


def free(terminal: Terminal) -> bool:
    """Tell whether nobody edits."""
    with (terminal.state / "drafts" / "edit.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_an_edit_is_saved_and_its_changes_are_told(terminal: Terminal, editor: Editor) -> None:
    """Key by key, without the values of env; comments stay."""
    editor(f"""{LATER}
        sed -i 's/s3cret/geheim/; s/^\\[schedules.backup-photos\\]/[schedules.photos]/' "$1"
        echo '[settings]\nmax_concurrent_runs = 4' >> "$1" """)

    said = terminal.ok("edit")

    assert said.out.splitlines() == [
        "added settings",
        "backup: env: TOKEN=... -> TOKEN=...",
        "removed backup-photos",
        "report: daily: 09:00 -> 10:00",
        "added photos",
    ]
    assert "# the family's photos" in terminal.manifest.read_text()
    assert terminal.json("show", "report")["schedule"]["timetable"]["expression"] == "10:00"
    assert drafts(terminal) == []


@pytest.mark.parametrize(("default", "told"), [("", "true"), ("enabled = false\n", "false")])
def test_what_an_edit_tells_of_enabled_is_what_counts(
    terminal: Terminal, editor: Editor, default: str, told: str
) -> None:
    """As set tells it, where the key goes and a default takes its place."""
    terminal.write(terminal.manifest.read_text() + f"[defaults]\n{default}")
    editor("sed -i '0,/^enabled = false$/{//d}' \"$1\"")

    said = terminal.ok("edit")

    assert said.out == f"report: enabled: false -> {told}\n"


def test_no_value_of_a_faulty_env_is_told(terminal: Terminal, editor: Editor) -> None:
    """Whatever somebody wrote there is a secret."""
    good = terminal.manifest.read_text()
    terminal.write(good.replace('env = { TOKEN = "s3cret" }', 'env = ["TOKEN=s3cret"]'))
    editor("""sed -i 's/^env = .*/env = { TOKEN = "s3cret" }/' "$1" """)

    said = terminal.ok("edit")

    assert said.out == "backup: env: ... -> TOKEN=...\n"


CHAT = '[channels.chat]\nkind = "webhook"\nurl = "https://example.org/s3cret"\n'


def test_calendars_and_channels_are_told_one_by_one(terminal: Terminal, editor: Editor) -> None:
    """Key by key as well, and no secret among them, whatever it was called before."""
    terminal.write(
        'version = 1\n[calendars.week]\nweekdays = ["sun"]\n[calendars.old]\ndates = ["12-25"]\n'
        f'{CHAT}password = "s3cret"\n[channels.chat.headers]\nX = "s3cret"\n'
    )
    editor("""sed -i 's/"sun"/"sat", "sun"/; /^.calendars.old/,/^dates/d; /^password/d' "$1"
        sed -i 's/org.s3cret/com\\/s3cret/; s/X = .*/X = "s3cret2"/' "$1"
        echo '[channels.ops]\nkind = "mail"\nto = "x"' >> "$1" """)

    assert terminal.ok("edit").out.splitlines() == [
        "calendars.week: weekdays: sun -> sat, sun",
        "removed calendars.old",
        "channels.chat: password: ... -> (none)",
        "channels.chat: url: https://example.org/... -> https://example.com/...",
        "channels.chat: headers: X=... -> X=...",
        "added channels.ops",
    ]


def test_an_edit_of_comments_alone_is_saved(terminal: Terminal, editor: Editor) -> None:
    """Though no schedule says anything else than before."""
    editor('echo "# the end" >> "$1"')

    assert terminal.ok("edit").out == "saved; no schedule was changed\n"
    assert terminal.manifest.read_text().endswith("# the end\n")


def test_a_text_that_is_left_as_it_is_changes_nothing(terminal: Terminal, editor: Editor) -> None:
    """Not even the file's time."""
    editor("true")
    before = terminal.print(), terminal.manifest.stat()

    said = terminal.ok("edit")

    assert (said.out, said.err) == ("", "nothing was changed\n")
    assert terminal.manifest.stat() == before[1]
    assert drafts(terminal) == []


def test_the_copy_is_private_and_known_as_toml(terminal: Terminal, editor: Editor) -> None:
    """There may be secrets in it, and editors colour by the ending of a name."""
    editor('stat -c "%a %n" "$1" "$(dirname "$1")" > seen')

    terminal.ok("edit")

    file, folder = (terminal.home / "seen").read_text().splitlines()
    assert file.startswith("600 ")
    assert file.endswith(".toml")
    assert folder.startswith("700 ")


def test_a_named_schedule_is_where_the_editor_begins(
    terminal: Terminal, editor: Editor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For those editors that take +N; the words of EDITOR come first."""
    editor('echo "$@" > seen')
    (tmp_path / "vim").symlink_to(tmp_path / "my editor")
    monkeypatch.setenv("VISUAL", f"{tmp_path}/vim -u NONE")
    line = terminal.manifest.read_text().splitlines().index("[schedules.report]") + 1

    terminal.ok("edit", "report")

    assert f" -u NONE +{line} /" in (terminal.home / "seen").read_text()


def test_an_unknown_schedule_is_answered_with_a_near_one(
    terminal: Terminal, editor: Editor
) -> None:
    """Before any editor is opened."""
    editor("touch opened")

    said = terminal.run("edit", "reprot")

    assert said.code == 3
    assert "did you mean 'report'?" in said.err
    assert not (terminal.home / "opened").exists()


def test_faults_are_told_with_file_and_line_and_the_text_is_kept(
    terminal: Terminal, editor: Editor
) -> None:
    """Where nobody can be asked; the next edit goes on with it."""
    before = terminal.manifest.read_bytes()
    editor(FAULTY)

    said = terminal.run("edit")

    (draft,) = drafts(terminal)
    lines = draft.read_text().splitlines()
    assert said.code == 5
    assert f"{draft}:{len(lines)}: report.tiemout: is not a key of a schedule" in said.err
    assert "did you mean 'timeout'?" in said.err
    assert f"what you wrote is kept in {draft}" in said.err
    assert terminal.manifest.read_bytes() == before

    editor("""sed -i 's/tiemout = 3/timeout = "3h"/' "$1" """)
    said = terminal.ok("edit")
    assert said.out == "report: timeout: (none) -> 3h\n"
    assert "going on with what was not saved" in said.err
    assert drafts(terminal) == []


def test_discard_begins_anew(terminal: Terminal, editor: Editor) -> None:
    """With the manifest as it is."""
    editor(FAULTY)
    assert terminal.run("edit").code == 5
    editor('cp "$1" seen')

    terminal.ok("edit", "--discard")

    assert (terminal.home / "seen").read_bytes() == terminal.manifest.read_bytes()
    assert drafts(terminal) == []


def test_somebody_elses_edit_is_not_overwritten(terminal: Terminal, editor: Editor) -> None:
    """Nor is one's own lost; a draft that was begun before it is not saved over it later."""
    editor(f'{LATER}\necho "# mine" >> "{terminal.manifest}"')

    said = terminal.run("edit")

    (draft,) = drafts(terminal)
    assert said.code == 4
    assert "somebody else has changed it meanwhile" in said.err
    assert 'daily = "10:00"' in draft.read_text()
    assert terminal.manifest.read_text().endswith("# mine\n")
    assert 'daily = "09:00"' in terminal.manifest.read_text()

    before = draft.read_bytes(), terminal.manifest.read_bytes()
    said = terminal.run("edit")
    assert said.code == 4
    assert f"it has changed since {draft} was begun" in said.err
    assert (draft.read_bytes(), terminal.manifest.read_bytes()) == before


@pytest.mark.parametrize(("way", "told"), [("exit 3", "with 3"), ("kill -9 $$", "by signal 9")])
def test_an_editor_that_fails_changes_nothing(
    terminal: Terminal, editor: Editor, way: str, told: str
) -> None:
    """And what was typed until then is kept."""
    before = terminal.manifest.read_bytes()
    editor(f"{LATER}\n{way}")

    said = terminal.run("edit")

    assert said.code == 1
    assert f"ended {told}" in said.err
    assert terminal.manifest.read_bytes() == before
    assert 'daily = "10:00"' in drafts(terminal)[0].read_text()


def test_an_editor_that_fails_before_anything_was_typed_leaves_no_draft(
    terminal: Terminal, editor: Editor
) -> None:
    """There is nothing to go on with."""
    editor("exit 1")

    assert terminal.run("edit").code == 1
    assert drafts(terminal) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_what_is_typed_outlives_the_command(
    terminal: Terminal, editor: Editor, number: signal.Signals
) -> None:
    """The draft is the file that the editor writes, and nobody else goes on with meanwhile."""
    editor(f"{LATER}\necho $$ > began; exec sleep 60")
    edit = start(terminal, "edit")
    wait_for("the editor", (terminal.home / "began").exists)
    busy = terminal.run("edit")
    edit.send_signal(number)
    edit.wait()
    editor("true")
    orphaned = terminal.run("edit")
    os.kill(int((terminal.home / "began").read_text()), signal.SIGKILL)
    edit.communicate()
    wait_for("the lock", lambda: free(terminal))

    said = terminal.ok("edit")

    for refused in (busy, orphaned):
        assert refused.code == 4
        assert "is being edited with `flytesched edit` already" in refused.err
    assert said.out == "report: daily: 09:00 -> 10:00\n"


def test_what_an_editor_leaves_running_keeps_nobody_from_the_next_edit(
    terminal: Terminal, editor: Editor
) -> None:
    """Such as a server: once the command has ended, nothing of it is in the way."""
    editor("sleep 60 > /dev/null 2>&1 & echo $! > server")
    terminal.ok("edit")
    server = int((terminal.home / "server").read_text())

    editor("true")
    terminal.ok("edit")

    os.kill(server, signal.SIGKILL)


def test_a_first_manifest_begins_with_a_template(empty: Terminal, editor: Editor) -> None:
    """Which is no manifest until somebody makes it one."""
    editor("true")
    empty.ok("edit")
    assert not empty.manifest.exists()

    editor("sed -i 's/^# \\(\\[schedules\\|command\\|daily\\)/\\1/' \"$1\"")
    said = empty.ok("edit")

    assert said.out == "added backup\n"
    assert stat.S_IMODE(empty.manifest.stat().st_mode) == 0o600
    assert tomllib.loads(empty.manifest.read_text())["schedules"]["backup"]["daily"] == "02:00"


def test_a_broken_manifest_can_be_mended(terminal: Terminal, editor: Editor) -> None:
    """Whatever is wrong with it; nobody knows then what was added.

    The editor begins at the first line that is no TOML.
    """
    good = terminal.manifest.read_bytes()
    terminal.manifest.write_bytes(good + b"\xff = 3\n")
    editor("sed -i '$d' \"$1\"")

    assert terminal.ok("edit", "report").out == "saved; the manifest can be read again\n"
    assert terminal.manifest.read_bytes() == good


def test_what_is_read_only_is_refused_before_anybody_types(
    terminal: Terminal, editor: Editor
) -> None:
    """Nobody shall type in vain."""
    editor("touch opened")
    terminal.manifest.chmod(0o400)

    said = terminal.run("edit")

    assert said.code == 1
    assert "is read-only" in said.err
    assert not (terminal.home / "opened").exists()


@pytest.mark.parametrize(
    ("named", "code", "told"),
    [
        ("/nowhere/vi", 1, "cannot start the editor '/nowhere/vi'"),
        ("vi 'unfinished", 2, 'VISUAL: "vi \'unfinished" is no command'),
    ],
)
def test_an_editor_that_is_none_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, named: str, code: int, told: str
) -> None:
    """With what to do about it."""
    monkeypatch.setenv("VISUAL", named)

    said = terminal.run("edit")

    assert said.code == code
    assert told in said.err
    assert "hint: " in said.err
    assert drafts(terminal) == []


def test_without_any_editor_that_is_said(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every machine has one."""
    for variable in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(terminal.home))

    said = terminal.run("edit")

    assert said.code == 1
    assert "there is no editor: neither editor, vi nor nano is there" in said.err


def test_on_a_terminal_faults_may_be_mended_at_once(terminal: Terminal, editor: Editor) -> None:
    """Or the user gives up, and the text is kept."""
    editor(f'if [ -e once ]; then sed -i "/tiemout/d" "$1"; {LATER}; else {FAULTY}; fi; touch once')

    code, shown = on_a_terminal(terminal, "edit", answer=b"y\n")

    assert code == 0
    assert "report.tiemout: is not a key of a schedule" in shown
    assert "report: daily: 09:00 -> 10:00" in shown

    editor(FAULTY)
    code, shown = on_a_terminal(terminal, "edit", answer=b"n\n")
    assert code == 5
    assert f"what you wrote is kept in {drafts(terminal)[0]}" in " ".join(shown.split())

    code, shown = on_a_terminal(terminal, "edit", answer=b"n\n")
    assert code == 1
    assert "An earlier edit was not saved. Go on with it?" in shown
    assert drafts(terminal)


def test_on_a_terminal_a_draft_may_undo_what_was_changed_meanwhile(
    terminal: Terminal, editor: Editor
) -> None:
    """Whoever agrees to it has been told."""
    editor(f'{LATER}\necho "# mine" >> "{terminal.manifest}"')
    assert terminal.run("edit").code == 4
    editor("true")

    code, shown = on_a_terminal(terminal, "edit", answer=b"y\n")

    assert code == 0
    assert "saving it undoes that" in " ".join(shown.split())
    assert 'daily = "10:00"' in terminal.manifest.read_text()
    assert "# mine" not in terminal.manifest.read_text()


@pytest.mark.parametrize("way", [FAULTY, "kill -9 $$"], ids=["a fault", "a kill"])
def test_agreeing_to_undo_somebody_elses_change_counts_for_one_edit_alone(
    terminal: Terminal, editor: Editor, way: str
) -> None:
    """Whatever became of that one, the next asks again, and refuses where nobody is there."""
    editor(FAULTY)
    assert terminal.run("edit").code == 5
    terminal.ok("disable", "backup", "--reason", "not now")
    manifest = terminal.manifest.read_bytes()
    editor(way)

    for _ in range(2):
        _, shown = on_a_terminal(terminal, "edit", answer=b"y\nn\n")
        assert "saving it undoes that" in " ".join(shown.split())

    editor("sed -i '/tiemout/d' \"$1\"")
    assert terminal.run("edit").code == 4
    assert terminal.manifest.read_bytes() == manifest


@pytest.mark.parametrize(
    "script", ['true > "$1"', "sed -i '/schedules.report/,$d; s/^version.*/version = 2/' \"$1\""],
    ids=["empty", "faulty"],
)  # fmt: skip
def test_a_leftover_draft_without_the_named_schedule_begins_at_the_top(
    terminal: Terminal, editor: Editor, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """The question comes first; a name that neither has is still an error."""
    editor(script)
    terminal.run("edit")
    editor('echo "$@" > seen')
    (terminal.home / "vim").symlink_to(terminal.home.parent / "my editor")
    monkeypatch.setenv("VISUAL", f"{terminal.home}/vim")

    _, shown = on_a_terminal(terminal, "edit", "report", answer=b"y\nn\n")

    assert "An earlier edit was not saved. Go on with it?" in shown
    assert " +" not in (terminal.home / "seen").read_text()
    said = terminal.run("edit", "reprot")
    assert said.code == 3
    assert "did you mean 'report'?" in said.err


def test_a_disk_without_room_keeps_the_draft(terminal: Terminal, editor: Editor) -> None:
    """What cannot be put in the manifest's place stays where it was typed."""
    editor(LATER)
    before = terminal.manifest.read_bytes()
    (terminal.home / ".schedules.toml.new" / "in the way").mkdir(parents=True)

    said = terminal.run("edit")

    assert said.code == 1
    assert "cannot be written" in said.err
    assert terminal.manifest.read_bytes() == before
    assert 'daily = "10:00"' in drafts(terminal)[0].read_text()


def test_a_draft_without_a_place_is_said_before_anybody_types(
    terminal: Terminal, editor: Editor
) -> None:
    """And nothing is changed."""
    editor("touch opened")
    (terminal.state / "drafts").write_text("no folder")

    said = terminal.run("edit")

    assert said.code == 1
    assert f"cannot use {terminal.state / 'drafts'} for a draft" in said.err
    assert not (terminal.home / "opened").exists()


def test_a_draft_of_which_nobody_knows_the_beginning_is_not_saved_over_anything(
    terminal: Terminal, editor: Editor
) -> None:
    """Somebody has removed what lay beside it."""
    editor(FAULTY)
    assert terminal.run("edit").code == 5
    drafts(terminal)[0].with_suffix(".was").unlink()

    said = terminal.run("edit")

    assert said.code == 4
    assert "it has changed since" in said.err
    assert drafts(terminal)


def test_what_an_editor_leaves_that_is_no_text_is_kept_and_refused(
    terminal: Terminal, editor: Editor
) -> None:
    """Whatever it is."""
    before = terminal.manifest.read_bytes()
    editor("printf 'a\\377' > \"$1\"")
    said = terminal.run("edit")
    assert (said.code, "is not UTF-8 text" in said.err) == (5, True)

    editor('rm "$1"; mkdir "$1"')
    said = terminal.run("edit")
    assert (said.code, "is a directory" in said.err) == (5, True)

    assert terminal.manifest.read_bytes() == before
    assert drafts(terminal)[0].is_dir()


def test_an_editor_that_removes_the_copy_changes_nothing(
    terminal: Terminal, editor: Editor
) -> None:
    """There is nothing to save."""
    editor('rm "$1"')

    assert terminal.ok("edit").err == "nothing was changed\n"


def test_after_a_big_edit_the_count_says_more(terminal: Terminal, editor: Editor) -> None:
    """Nobody reads hundreds of lines."""
    editor("""for n in $(seq 60); do
        printf '[schedules.n%s]\\nevery = "1h"\\ncommand = "true"\\n' $n >> "$1"; done""")

    lines = terminal.ok("edit").out.splitlines()

    assert (lines[0], lines[-1], len(lines)) == ("added n1", "and 10 more changes", 51)


def test_a_doubt_that_was_there_before_does_not_keep_an_edit_from_being_saved(
    terminal: Terminal, editor: Editor
) -> None:
    """A new one does: croniter reads this expression otherwise."""
    doubtful = '[schedules.odd]\ncron = "0 0 1,* * 5"\ntimezone = "UTC"\ncommand = "true"\n'
    editor(f"cat >> \"$1\" <<'END'\n{doubtful}END")
    refused = terminal.run("edit", "report")
    terminal.write(terminal.manifest.read_text() + doubtful)
    editor(LATER)

    said = terminal.ok("edit", "--discard")

    assert refused.code == 5
    assert "odd.cron: '0 0 1,* * 5' is ambiguous" in refused.err
    assert said.out == "report: daily: 09:00 -> 10:00\n"
