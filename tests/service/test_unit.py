"""The unit as text: what it says, how it quotes, how it is known again, what systemd finds."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.errors import UsageError
from flytesched.service.unit import Found, Unit, command_line, recognise, word


def unit(**facts: Any) -> Unit:
    """Make a unit of a program that is there on every machine."""
    known: dict[str, Any] = {
        "name": "flytesched", "program": ("/bin/sh",), "environment": {}, "systemd": 255,
        "manifest": Path("/etc/flytesched/schedules.toml"),
        "state_dir": Path("/var/lib/flytesched"),
    }  # fmt: skip
    return Unit(**known | facts)


def lines(one: Unit) -> list[str]:
    """Return what systemd reads of a unit."""
    return [line for line in one.text().splitlines() if line and line[0] not in "#["]


EVERY = [
    unit(user=user, harden=harden, systemd=version)
    for user in (False, True)
    for harden in (False, True)
    for version in (None, 252, 253)
]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (None, ["Type=notify", "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"]),
        (252, ["Type=notify", "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"]),
        (253, ["Type=notify-reload"]),
        (257, ["Type=notify-reload"]),
    ],
)
def test_a_reload_is_waited_for_where_systemd_can(version: int | None, said: list[str]) -> None:
    """Elsewhere a signal has to do."""
    found = [ln for ln in lines(unit(systemd=version)) if ln.startswith(("Type=", "ExecReload="))]
    assert found == said


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_every_unit_keeps_the_promise(one: Unit) -> None:
    """Restarted for ever, its commands left alone, and no start that times out."""
    assert {
        "KillMode=process", "OOMPolicy=continue", "Restart=always", "StartLimitIntervalSec=0",
        "TimeoutStartSec=infinity", "WatchdogSec=60s", "TasksMax=infinity",
        "SyslogIdentifier=flytesched", "DefaultDependencies=no",
    } <= set(lines(one))  # fmt: skip


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_only_a_hardened_unit_bounds_what_commands_inherit(one: Unit) -> None:
    """And none takes /tmp away from commands that outlive it."""
    bounds = [
        line for line in lines(one)
        if re.match(
            r"(Protect|Private|Restrict|SystemCall|Capability|NoNew|Lock|Limit|Memory|CPU|IO|Nice"
            r"|UMask|OOMScore|User=|Group=|ReadOnly|Inaccessible|Temporary|Bind|Dynamic)",
            line,
        )
    ]  # fmt: skip
    assert bool(bounds) is one.harden
    assert not [line for line in bounds if line.startswith("PrivateTmp")]


@pytest.mark.parametrize(
    ("folder", "shield"), [("/root", "ProtectHome=read-only"), ("/etc", "ProtectSystem=full")]
)
def test_a_folder_is_protected_unless_the_state_directory_lies_in_it(
    folder: str, shield: str
) -> None:
    """Else the scheduler could not write its run log."""
    assert shield in lines(unit(harden=True))
    assert shield not in lines(unit(harden=True, state_dir=Path(folder, "state")))


def test_a_stop_may_take_as_long_as_the_manifest_says() -> None:
    """And as long as systemd would give it besides."""
    assert "TimeoutStopSec=690s" in lines(unit(shutdown_grace=600.0))


def test_what_was_given_is_written_down() -> None:
    """Options behind the program, variables in front of nothing."""
    said = lines(
        unit(
            options=("--manifest", "/a b/x%h.toml"), environment={"FLYTESCHED_TIMEZONE": "UTC"},
            manifest=Path("/a b/x%h.toml"),
        )
    )  # fmt: skip
    assert 'ExecStart=/bin/sh --manifest "/a b/x%%h.toml" run' in said
    assert "Environment=FLYTESCHED_TIMEZONE=UTC" in said
    assert 'RequiresMountsFor=/var/lib/flytesched "/a b/x%%h.toml"' in said


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/usr/bin/x", "/usr/bin/x"),
        ("/a b", '"/a b"'),
        ("100%", "100%%"),
        ('say "x"', '"say \\"x\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("it's", '"it\'s"'),
        ("two\nlines", '"two\\x0alines"'),
        ("", '""'),
        (";", '";"'),
        ("naïve", '"naïve"'),
    ],
)
def test_a_word_is_quoted_as_systemd_reads_it(text: str, written: str) -> None:
    """systemd.syntax(7): quotes, C escapes, and a percent sign twice."""
    assert word(text) == written


def test_no_dollar_sign_means_anything() -> None:
    """A colon in front of the program says so; without need there is none."""
    assert command_line(("/bin/x", "$HOME")) == ':/bin/x "$HOME"'
    assert command_line(("/bin/x", "run")) == "/bin/x run"


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40))
def test_a_word_stays_one_word(text: str) -> None:
    """Read back by the rules that systemd shares with a shell, where both agree."""
    written = word(text.replace("%", "").replace("$", "").replace("`", ""))
    assert "\n" not in written
    assert len(shlex.split(written)) == 1


def test_what_is_no_utf_8_is_refused() -> None:
    """Unit files are UTF-8 (systemd.syntax(7))."""
    with pytest.raises(UsageError, match="not UTF-8"):
        word("/srv/\udcff")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", ".hidden", "x" * 101, "a@b", "a\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """It becomes the name of a file."""
    with pytest.raises(UsageError, match="cannot be the name of a unit"):
        unit(name=name)


def test_a_unit_is_known_again_and_a_changed_one_is_not_ours() -> None:
    """By its first line, which holds a checksum of the rest."""
    text = unit().text()
    assert recognise(text) is Found.OURS
    assert recognise(text + "\n") is Found.EDITED
    assert recognise(text.replace("60s", "90s")) is Found.EDITED
    assert recognise(text.partition("\n")[2]) is Found.FOREIGN
    assert recognise("") is Found.FOREIGN


analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def _version() -> int:
    said = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True)
    return int(said.stdout.split()[1])


@analyze
@pytest.mark.parametrize("user", [False, True], ids=["system", "user"])
@pytest.mark.parametrize("harden", [False, True], ids=["open", "hardened"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, *, user: bool, harden: bool) -> None:
    """`systemd-analyze verify`, as this machine's version does it."""
    odd = Path("/etc/a 'b' %h $x.toml")
    one = unit(
        user=user, harden=harden, systemd=_version(), options=("--manifest", str(odd)), manifest=odd
    )
    path = tmp_path / one.file
    path.write_text(one.text())
    scope = "--user" if user else "--system"
    done = subprocess.run(
        ["systemd-analyze", scope, "verify", "--man=no", path], capture_output=True, text=True
    )
    assert [line for line in done.stderr.splitlines() if one.file in line] == []


@analyze
def test_systemd_finds_the_hardened_one_less_exposed(tmp_path: Path) -> None:
    """`systemd-analyze security`: 10 is the worst."""
    if _version() < 250:
        pytest.skip("systemd-analyze is too old to look at a file")
    assert _exposure(tmp_path, harden=True) < 5.0 < _exposure(tmp_path, harden=False)


def _exposure(place: Path, *, harden: bool) -> float:
    one = unit(harden=harden, systemd=_version())
    path = place / one.file
    path.write_text(one.text())
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", path],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    return float(re.findall(r"exposure level for \S+: ([\d.]+)", said)[0])
