"""config: every setting with its value and what says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.settings import SETTINGS, parse_size, write_size

if TYPE_CHECKING:
    from terminal import Terminal

MANIFEST = """\
version = 1
[settings]
start_rate = 2.5
log_limit = "4 KiB"

[defaults]
timezone = "Asia/Tokyo"
env = { TOKEN = "s3cret" }
on_failure = ["notify", "all is lost"]
"""


def _row(out: str, name: str) -> list[str]:
    (found,) = [line for line in out.splitlines() if line.split()[:1] == [name]]
    return found.split(maxsplit=1)[1].split("  ")


def test_each_setting_says_where_it_comes_from(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option, a variable by name, a line of the manifest, the system, or nobody."""
    empty.write(MANIFEST)
    monkeypatch.setenv("FLYTESCHED_KEEP_LOGS", "72h")

    said = empty.ok("config", "--state-dir", "elsewhere").out

    rows = [line.split()[0] for line in said.partition("\n\n")[0].splitlines()[1:]]
    assert rows[: len(SETTINGS)] == list(SETTINGS)
    wanted = {
        "manifest": (str(empty.manifest), "FLYTESCHED_MANIFEST"),
        "state_dir": (str(empty.home / "elsewhere"), "--state-dir"),
        "timezone": ("Europe/Berlin", "TZ"),
        "start_rate": ("2.5", f"{empty.manifest}:3"),
        "log_limit": ("4KiB", f"{empty.manifest}:4"),
        "keep_logs": ("3d", "FLYTESCHED_KEEP_LOGS"),
        "missed_after": ("10s", "default"),
        "persist": ("true", "default"),
        "defaults.timezone": ("Asia/Tokyo", f"{empty.manifest}:7"),
        "defaults.env": ("TOKEN=...", f"{empty.manifest}:8"),
        "defaults.on_failure": ("notify 'all is lost'", f"{empty.manifest}:9"),
    }
    for name, (value, origin) in wanted.items():
        found = _row(said, name)
        assert (found[0], found[-1].strip()) == (value, origin), name


def test_the_value_of_a_single_setting_stands_alone(empty: Terminal) -> None:
    """For scripts; however its name is spelled."""
    empty.write(MANIFEST)

    assert empty.ok("config", "log_limit").out == "4KiB\n"
    assert empty.ok("config", "--", "--log-limit").out == "4KiB\n"
    assert empty.ok("config", "manifest").out == f"{empty.manifest}\n"
    assert empty.ok("config", "defaults.timezone").out == "Asia/Tokyo\n"


def test_the_answer_in_json_has_values_origins_and_files(terminal: Terminal) -> None:
    """Numbers as numbers, durations and sizes as the manifest spells them; nothing secret."""
    terminal.write(MANIFEST)

    said = terminal.json("config")

    found = {each["name"]: each for each in said["settings"]}
    assert found["start_rate"] == {
        "name": "start_rate", "value": 2.5, "origin": "manifest", "where": f"{terminal.manifest}:3",
    }  # fmt: skip
    assert found["persist"] == {
        "name": "persist", "value": True, "origin": "default", "where": None,
    }  # fmt: skip
    assert found["keep_runs"]["value"] == "365d"
    assert found["defaults.env"]["value"] == {"TOKEN": "..."}
    files = {each["what"]: each for each in said["files"]}
    assert files["run log"] == {
        "what": "run log", "path": str(terminal.state / "runs.db"), "exists": True,
        "leads_to": None,
    }  # fmt: skip
    assert said["manifest_error"] is None
    assert [each["name"] for each in terminal.json("config", "persist")["settings"]] == ["persist"]


def test_files_say_whether_they_are_there_and_where_links_lead(empty: Terminal) -> None:
    """A missing manifest is no fault before the first schedule."""
    (empty.home / "real.toml").write_text("version = 1\n")
    empty.manifest.symlink_to("real.toml")

    said = empty.ok("config").out
    assert f"manifest: {empty.manifest} -> {empty.home / 'real.toml'}\n" in said
    assert f"run log: {empty.state / 'runs.db'} (not there yet)\n" in said
    assert empty.ok("config", "--manifest", "none.toml").err == ""


def test_a_broken_manifest_is_said_behind_what_counts_without_it(empty: Terminal) -> None:
    """So that one sees where it lies; exit code 5."""
    empty.write('version = 1\n[settings]\nstart_rate = "fast"\n')

    said = empty.run("config", "start_rate")

    assert (said.code, said.out) == (5, "0.0\n")
    assert "settings.start_rate: 'fast' is not a rate" in said.err
    assert "hint: mend it" in said.err


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("log_limt", "did you mean 'log_limit'?"),
        ("log-limt", "did you mean 'log_limit'?"),
        ("defaults.timezon", "did you mean 'defaults.timezone'?"),
        ("zzz", "see: flytesched config"),
    ],
)
def test_a_setting_that_is_none_is_refused_with_a_near_one(
    empty: Terminal, key: str, hint: str
) -> None:
    """As every wrong name."""
    empty.write(MANIFEST)

    said = empty.run("config", key)

    assert said.code == 2
    assert hint in said.err


def test_a_misspelt_variable_is_noticed(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that commands get are left alone."""
    monkeypatch.setenv("FLYTESCHED_MISED_AFTER", "3s")
    monkeypatch.setenv("FLYTESCHED_RUN_ID", "sched-x-1")

    assert empty.ok("config").err == (
        "FLYTESCHED_MISED_AFTER is no setting; did you mean FLYTESCHED_MISSED_AFTER?\n"
    )


@given(st.integers(1, 2**60) | st.sampled_from([10**7, 2**20, 1000, 1024, 1500 * 10**6]))
def test_a_size_that_is_shown_reads_back_as_the_same(size: int) -> None:
    """To the byte."""
    assert parse_size(write_size(size)) == size


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_shown_reads_back_as_the_same(name: str) -> None:
    """Each row of the table."""
    setting = SETTINGS[name]
    raw = {"manifest": "/m", "state_dir": "/s", "timezone": "UTC"}.get(name, setting.default)
    value = setting.read(raw)

    assert setting.read(setting.write(value)) == value
