"""Settings come from option, environment, manifest or default, in that order, and say which."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flytesched.errors import Invalid, InvalidManifest, UsageError
from flytesched.settings import (
    SETTINGS,
    Settings,
    check,
    default_timezone,
    parse_size,
    paths,
    resolve,
    system_timezone,
)

HOME = {"HOME": "/home/ann"}


def resolved(
    environ: dict[str, str] | None = None, table: dict[str, Any] | None = None, **flags: object
) -> Settings:
    return resolve({**HOME, **(environ or {})}, flags, table or {}, uid=1000)


@pytest.mark.parametrize(
    ("uid", "environ", "manifest", "state_dir"),
    [
        (0, HOME, "/etc/flytesched/schedules.toml", "/var/lib/flytesched"),
        (0, {"XDG_CONFIG_HOME": "/x", "XDG_STATE_HOME": "/y"},
         "/etc/flytesched/schedules.toml", "/var/lib/flytesched"),
        (7, HOME, "/home/ann/.config/flytesched/schedules.toml",
         "/home/ann/.local/state/flytesched"),
        (7, {**HOME, "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"},
         "/c/flytesched/schedules.toml", "/s/flytesched"),
        (7, {**HOME, "XDG_CONFIG_HOME": "relative", "XDG_STATE_HOME": ""},
         "/home/ann/.config/flytesched/schedules.toml", "/home/ann/.local/state/flytesched"),
        (0, {"FLYTESCHED_MANIFEST": "/m.toml", "FLYTESCHED_STATE_DIR": "/d"}, "/m.toml", "/d"),
    ],
)  # fmt: skip
def test_where_files_live(uid: int, environ: dict[str, str], manifest: str, state_dir: str) -> None:
    """Root's places are fixed, everybody else's follow XDG; a variable wins over both."""
    found = paths(environ, {}, uid=uid)
    assert found[:2] == (Path(manifest), Path(state_dir))


def test_a_relative_path_is_made_absolute_without_following_links(tmp_path: Path) -> None:
    """A link as manifest stays a link, for edits to find."""
    (tmp_path / "link").symlink_to("elsewhere")
    manifest, state, _ = paths(HOME, {"manifest": tmp_path / "link", "state_dir": "x/../state"})
    assert manifest == tmp_path / "link"
    assert state == Path.cwd() / "state"


def test_the_first_of_option_environment_manifest_and_default_counts() -> None:
    """And each says so."""
    environ = {"FLYTESCHED_START_RATE": "2.5", "FLYTESCHED_STATE_DIR": "/env"}
    table = {"start_rate": 1.5, "start_burst": 4}
    found = resolved(environ, table, state_dir="/flag", manifest=None)
    assert (found.state_dir, found.origins["state_dir"]) == (Path("/flag"), "flag --state-dir")
    assert found.start_rate == 2.5
    assert found.origins["start_rate"] == "environment FLYTESCHED_START_RATE"
    assert (found.start_burst, found.origins["start_burst"]) == (4, "manifest")
    assert (found.keep_runs, found.origins["keep_runs"]) == (timedelta(365), "default")
    assert found.origins.keys() == SETTINGS.keys()


def test_the_defaults_are_those_of_the_manual() -> None:
    """With nothing said anywhere."""
    found = resolved({"TZ": "Europe/Berlin"})
    assert (found.max_concurrent_runs, found.start_rate, found.start_burst) == (0, 0.0, 1)
    assert found.missed_after == timedelta(seconds=10)
    assert found.shutdown_grace == timedelta(0)
    assert (found.keep_runs, found.keep_logs) == (timedelta(365), timedelta(30))
    assert (found.log_limit, found.persist) == (10_000_000, True)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_concurrent_runs", "12", 12),
        ("start_rate", "0.25", 0.25),
        ("missed_after", "1m30s", timedelta(seconds=90)),
        ("log_limit", "4 KiB", 4096),
        ("persist", "false", False),
        ("persist", "1", True),
        ("timezone", "Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_the_environment_is_read_as_text(name: str, text: str, value: object) -> None:
    """Each kind of value has its spelling."""
    assert getattr(resolved({SETTINGS[name].variable: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("max_concurrent_runs", "-1"), ("max_concurrent_runs", "many"), ("start_burst", "0"),
        ("start_rate", "nan"), ("start_rate", "-2"), ("missed_after", "10"), ("log_limit", "10"),
        ("log_limit", "0MB"), ("log_limit", "9" * 30 + "GB"), ("persist", "maybe"),
        ("timezone", "Mars/Base"), ("timezone", "/etc/passwd"), ("timezone", "../UTC"),
    ],
)  # fmt: skip
def test_a_wrong_variable_or_option_is_a_wrong_use_and_named(name: str, text: str) -> None:
    """Exit code 2, with what to write instead."""
    with pytest.raises(UsageError, match=SETTINGS[name].variable) as caught:
        resolved({SETTINGS[name].variable: text})
    assert caught.value.hint
    with pytest.raises(UsageError, match=SETTINGS[name].option):
        resolved(**{name: text})


def test_an_empty_variable_counts_as_unset() -> None:
    """As XDG has it."""
    assert resolved({"FLYTESCHED_START_RATE": "", "FLYTESCHED_MANIFEST": ""}).start_rate == 0.0


def test_a_wrong_manifest_is_a_bad_manifest() -> None:
    """All its faults at once, exit code 5."""
    with pytest.raises(InvalidManifest) as caught:
        resolved(table={"start_rate": "fast", "keep_runs": 3})
    assert [fault.key for fault in caught.value.faults] == ["start_rate", "keep_runs"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"max_concurent_runs": 1}, "did you mean 'max_concurrent_runs'?"),
        ({"zzz": 1}, "the settings are max_concurrent_runs, "),
        ({"state_dir": "/x"}, "it is set by --state-dir or FLYTESCHED_STATE_DIR"),
        ({"timezone": "UTC"}, "write it under [defaults]"),
        ({"start_burst": True}, "write a whole number from 1 on"),
        ({"start_rate": float("nan")}, "write starts per second, such as 2.5; 0 is no limit"),
        ({"keep_logs": 30}, 'write a unit, such as "30s"'),
    ],
)
def test_a_fault_of_the_manifest_says_what_to_write(table: dict[str, Any], words: str) -> None:
    """Before it is said with its line."""
    (fault,) = check(table)
    assert words in (fault.instead or "")
    assert fault.table == ("settings",)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("1kB", 1000), ("10MB", 10**7), ("1.5GB", 1_500_000_000),
     ("1KiB", 1024), ("2 MiB", 2**21), ("1GiB", 2**30)],
)  # fmt: skip
def test_sizes_have_units_of_ten_or_of_two(text: str, size: int) -> None:
    """kB is a thousand, KiB is 1024."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "10", "10 parsec", "-1MB", "1mb", "1e3MB", 10, None, True])
def test_what_is_no_size_is_refused(text: object) -> None:
    """A bare number too: it could be anything."""
    with pytest.raises(Invalid, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("tz", "link", "line", "zone", "origin"),
    [
        (":Asia/Tokyo", "/usr/share/zoneinfo/Europe/Berlin", "", "Asia/Tokyo", "environment TZ"),
        ("", "/usr/share/zoneinfo/Europe/Berlin", "Asia/Tokyo", "Europe/Berlin",
         "system /etc/localtime"),
        ("CET-1CEST", "../usr/share/zoneinfo/posix/Europe/Oslo", "", "Europe/Oslo",
         "system /etc/localtime"),
        ("", None, "America/New_York\n", "America/New_York", "system /etc/timezone"),
        ("", None, "not a zone\n", "UTC", "default"),
        ("", None, None, "UTC", "default"),
    ],
)  # fmt: skip
def test_the_systems_zone_is_what_says_so_first(  # noqa: PLR0917  a table's columns
    tmp_path: Path, tz: str, link: str | None, line: str | None, zone: str, origin: str
) -> None:
    """TZ, then /etc/localtime, then /etc/timezone; UTC where none helps."""
    if link is not None:
        (tmp_path / "localtime").symlink_to(link)
    if line is not None:
        (tmp_path / "timezone").write_text(line)
    assert system_timezone({"TZ": tz}, tmp_path) == (zone, origin)


def test_the_variable_wins_over_the_systems_zone(tmp_path: Path) -> None:
    """It is the program's own."""
    environ = {"TZ": "Asia/Tokyo", "FLYTESCHED_TIMEZONE": "Europe/Berlin"}
    assert default_timezone(environ, etc=tmp_path) == "Europe/Berlin"
    assert default_timezone({"TZ": "Asia/Tokyo"}, etc=tmp_path) == "Asia/Tokyo"
    origins = resolved(environ).origins
    assert origins["timezone"] == "environment FLYTESCHED_TIMEZONE"


def test_without_home_the_password_database_is_asked() -> None:
    """As under cron with an empty environment."""
    manifest, state_dir, _ = paths({}, {}, uid=1000)
    assert manifest.is_absolute()
    assert state_dir.name == "flytesched"
