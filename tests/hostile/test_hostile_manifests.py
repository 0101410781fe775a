"""Whatever stands at the manifest's path: one sentence, soon, and nothing on disk changes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.terminal import environment
from desk import wait_for
from flytesched.errors import InvalidManifest
from flytesched.manifest.disk import MAX_BYTES
from flytesched.manifest.read import MAX_DEPTH, MAX_FAULTS, MAX_PIECES, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.terminal import Said, Terminal
    from desk import Desk

ROOT = os.geteuid() == 0
GOOD = 'version = 1\n[schedules.ok]\nevery = "1h"\ncommand = "echo hi"\n'
HEAD = b"version = 1\n"


def refused(said: Said, words: str) -> None:
    """Hold a refusal to one sentence and the exit code of a bad manifest."""
    assert said.code == 5, said
    assert words in said.err
    assert len(said.err.splitlines()) <= 2
    assert len(said.err) < 3000
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err


#: Contents, and what is said of them.
CONTENTS: dict[str, tuple[bytes, str]] = {
    "one byte too many": (HEAD + b"#" * MAX_BYTES, "is larger than 64 MiB"),
    "deep arrays": (HEAD + b"a = " + b"[" * 100_000 + b"]" * 100_000, ":2: is nested too deeply"),
    "deep tables": (HEAD + b"a = " + b"{b=" * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
    "a depth that Python bears": (HEAD + b"a = " + b"[" * 300 + b"]" * 300, "nested too deeply"),
    "a deep header": (b"[" + b".".join([b"a"] * 40) + b"]\n", "is nested too deeply"),
    "a dotted key without end": (HEAD + b"a." * 200_000 + b"a = 1\n", "too many parts"),
    "dotted keys without end": (
        HEAD + b"".join(b"a%d%s = 1\n" % (n, b".b" * 50) for n in range(MAX_PIECES // 50)),
        "lines, commas and dots",
    ),
    "a list without end": (HEAD + b"a = [" + b"1," * MAX_PIECES + b"]\n", "lines, commas and dots"),
    "tables without end": (HEAD + b"[[a]]\n" * MAX_PIECES, "lines, commas and dots"),
    "a number without end": (HEAD + b"a = " + b"1" * 10_000_000 + b"\n", ":2: a number"),
    "a program": (Path(sys.executable).read_bytes()[:100_000], "holds a NUL byte"),
    "noise": (bytes(range(1, 256)) * 100, "is not UTF-8 text"),
    "a NUL": (HEAD + b"# \0\n", ":2: holds a NUL byte"),
    "a byte order mark": (b"\xef\xbb\xbf" + HEAD, "begins with a byte order mark"),
    "UTF-16": (GOOD.encode("utf-16"), "is UTF-16"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "holds a NUL byte"),
    "UTF-32": (GOOD.encode("utf-32"), "is UTF-16"),
    "latin-1": (HEAD + "# café\n".encode("latin-1"), ":2: is not UTF-8 text"),
    "a lone surrogate": (HEAD + b"# \xed\xa0\x80\n", ":2: is not UTF-8 text"),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_hostile_content_is_refused_by_every_command_in_a_sentence(
    terminal: Terminal, what: str
) -> None:
    """Size, depth and number are bounded before they cost anything."""
    content, words = CONTENTS[what]
    terminal.manifest.write_bytes(content)
    before = terminal.print()

    for command in ("validate", "list", "add new --every 1h -- true", "disable ok", "trigger ok"):
        refused(terminal.run(*command.split()), words)

    assert terminal.print() == before


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD + "# " + "[" * 1000 + "\n",
        GOOD + f"description = '{'.' * 1000}{'[' * 1000}'\n",
        GOOD + "# " + "x" * (MAX_BYTES - len(GOOD) - 3) + "\n",
    ],
    ids=["CRLF", "brackets in a comment", "dots in a string", "just small enough"],
)
def test_what_only_looks_hostile_is_read_and_edited(terminal: Terminal, text: str) -> None:
    """Bounds are about what a text means."""
    terminal.manifest.write_bytes(text.encode())

    terminal.ok("validate")
    terminal.ok("set", "ok", "--timeout", "1h")

    edited = terminal.manifest.read_bytes().decode()
    assert edited.startswith(text[:20])
    assert len(edited) - len(text) in {len('timeout = "1h"\n'), len('timeout = "1h"\r\n')}


def test_nesting_up_to_the_bound_is_a_fault_like_others(terminal: Terminal) -> None:
    """It is shown, compared and spliced around without recursion coming to its end."""
    deep = "[" * (MAX_DEPTH - 3) + "]" * (MAX_DEPTH - 3)
    terminal.write(f'{GOOD}[schedules.odd]\nevery = "1h"\ncommand = {deep}\n')

    refused(terminal.run("validate"), "odd.command: [[[")


def test_a_value_without_end_is_shown_by_its_beginning(terminal: Terminal) -> None:
    """A sentence has an end, and it says what to write instead."""
    long = "x" * 10**6
    terminal.write(f'version = 1\n[schedules.{"n" * 900}]\nevery = "{long}"\ncommand = [7]\n')

    said = terminal.run("validate")

    assert said.code == 5
    assert [len(line) < 1100 for line in said.err.splitlines()] == [True] * 3
    assert said.err.splitlines()[1].endswith("90s, 1h30m, 2d, 500ms or PT90M")


def test_faults_without_end_are_cut_short_and_so_is_what_a_scheduler_keeps(
    terminal: Terminal,
) -> None:
    """A thousand lines at most, and fifty in the one message for journal and run log."""
    lines = "".join(f"key{number} = 1\n" for number in range(100_000))
    terminal.write("version = 1\n" + lines)

    said = terminal.run("validate")
    status = terminal.ok("status").out

    assert said.code == 5
    assert len(said.err.splitlines()) == MAX_FAULTS + 1
    assert said.err.endswith(": there may be more faults; mend these first\n")
    assert len(status) < 3_000
    assert "; and more, see: flytesched validate" in status
    with pytest.raises(InvalidManifest, match="and 951 more faults") as kept:
        read(terminal.manifest)
    assert len(kept.value.message) < 20_000


def a_directory(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def an_endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.toml")


ODD = [
    (a_directory, "is a directory"),
    (a_fifo, "is a FIFO"),
    (a_socket, "is a socket"),
    (an_endless_device, "is a device"),
    (a_loop, "is a symbolic link in a loop"),
]


@pytest.mark.parametrize(("make", "words"), ODD)
def test_what_is_no_file_is_refused_by_every_command_without_waiting(
    terminal: Terminal, make: Callable[[Path], None], words: str
) -> None:
    """A FIFO has no end of file, a device no end."""
    terminal.manifest.unlink()
    make(terminal.manifest)
    before = [(path.name, path.lstat().st_ino) for path in sorted(terminal.home.iterdir())]

    for command in ("validate", "list", "add new --every 1h -- true", "disable ok", "trigger ok"):
        refused(terminal.run(*command.split()), words)
    assert terminal.ok("status").out
    assert terminal.run("health").code == 8

    after = [(path.name, path.lstat().st_ino) for path in sorted(terminal.home.iterdir())]
    assert [entry for entry in after if not entry[0].endswith(".lock")] == before


def test_a_dangling_link_is_a_missing_manifest_and_add_makes_what_it_leads_to(
    terminal: Terminal,
) -> None:
    """As an editor would."""
    terminal.manifest.unlink()
    a_dangling_link(terminal.manifest)

    refused(terminal.run("list"), "there is no manifest here")
    terminal.ok("add", "new", "--every", "1h", "--", "true")

    assert terminal.manifest.is_symlink()
    assert (terminal.home / "nowhere.toml").is_file()


def test_a_manifest_that_may_not_be_read_says_so(terminal: Terminal) -> None:
    """Root without its powers is held to permissions like anybody."""
    terminal.manifest.chmod(0)
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if ROOT else []
    done = subprocess.run(
        [*powerless, sys.executable, "-m", "flytesched", "list"],
        env=environment(terminal.home), capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 5
    assert "schedules.toml: may not be read by you" in done.stderr


def by_anybody(home: Path) -> None:
    (home / "schedules.toml").chmod(0o666)


def by_a_group(home: Path) -> None:
    os.chown(home / "schedules.toml", 0, 12345)
    (home / "schedules.toml").chmod(0o660)


def of_another(home: Path) -> None:
    os.chown(home / "schedules.toml", 12345, 0)


def in_a_folder_of_everybodys(home: Path) -> None:
    home.chmod(0o777)


def linked_from_a_folder_of_everybodys(home: Path) -> None:
    everybodys = home / "everybodys"
    everybodys.mkdir()
    everybodys.chmod(0o777)
    (home / "schedules.toml").rename(home / "real.toml")
    (everybodys / "link.toml").symlink_to(home / "real.toml")
    (home / "schedules.toml").symlink_to(everybodys / "link.toml")


@pytest.mark.skipif(not ROOT, reason="only root's commands need this care")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (by_anybody, "may be written by anybody"),
        (by_a_group, "may be written by a group other than root's"),
        (of_another, "belongs to another user"),
        (in_a_folder_of_everybodys, "where anybody may put another in its place"),
        (linked_from_a_folder_of_everybodys, "where anybody may put another in its place"),
    ],
)
def test_root_runs_nothing_that_others_could_have_written(
    terminal: Terminal, change: Callable[[Path], None], words: str
) -> None:
    """As cron refuses a crontab, and every folder on the way counts."""
    change(terminal.home)
    before = terminal.print()

    for command in ("validate", "list", "add new --every 1h -- true", "trigger ok"):
        refused(terminal.run(*command.split()), words)

    assert terminal.print() == before


@pytest.mark.skipif(not ROOT, reason="only root's commands need this care")
def test_root_trusts_a_sticky_folder_and_makes_none_in_an_open_one(terminal: Terminal) -> None:
    """/tmp is one of the first kind."""
    terminal.home.chmod(0o1777)
    terminal.ok("list")
    terminal.home.chmod(0o777)
    terminal.manifest.unlink()

    refused(terminal.run("add", "new", "--every", "1h", "--", "true"), "where anybody may put")

    assert not terminal.manifest.exists()


def torn(path: Path) -> None:
    path.write_text(GOOD[:40])


def too_deep(path: Path) -> None:
    path.write_text(f"version = 1\na = {'[' * 1000}{']' * 1000}\n")


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


BREAKS = [torn, too_deep, too_large, binary, a_directory, a_fifo, a_loop, a_dangling_link]


def test_a_running_scheduler_keeps_the_last_good_set_through_all_of_it_and_says_each_once(
    desk: Desk,
) -> None:
    """Slots go on being decided, whatever is put in the manifest's place, and it recovers."""
    good = 'version = 1\n[schedules.tick]\nevery = "1s"\ncommand = "true"\n'
    desk.manifest.write_text(good)
    loop = desk.start()
    for number, make in enumerate(BREAKS, 1):
        desk.manifest.unlink()
        make(desk.manifest)
        told(desk, "schedules not readable", number)
        told(desk, " succeeded ", desk.loop_log().count(" succeeded ") + 2)
        if make is a_directory:
            desk.manifest.rmdir()
        else:
            desk.manifest.unlink()
        desk.manifest.write_text(good)
        told(desk, "schedules readable again", number)

    assert desk.stop(loop) == 0
    log = desk.loop_log()
    missing = log.count("there is no manifest here")  # for a moment, between two of them
    assert log.count("schedules not readable") <= len(BREAKS) + missing
    assert log.count("the last good ones stay in force") >= len(BREAKS)
    assert "nothing is planned" not in log
    assert "Traceback" not in log


def told(desk: Desk, words: str, times: int) -> None:
    """Wait until the journal has said something so many times."""
    wait_for(words, lambda: desk.loop_log().count(words) >= times)
