"""Settings: where files live and how the scheduler behaves, as ONE described table.

Each setting comes from the first of: option, environment, manifest, default; and says which.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.errors import Fault, Invalid, InvalidManifest, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SIZE = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)")
_UNITS = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
#: What looks like a size, to say which one may be meant.
_NEARLY = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)"
_LARGEST = 2**63 - 1
_SIZES = 'write a size with its unit, such as "10MB" or "512KiB"'
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


def parse_size(value: Any) -> int:
    """Return the bytes that a size such as ``10MB`` or ``4KiB`` names.

    Raises:
        Invalid: it has no unit, or is no size.
    """
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        what = f"{value!r} is not a size"
        raise Invalid(what, hint=_size_meant(str(value).strip()))
    whole, fraction, unit = match[1], match[2] or "", match[3]
    scale: int = 10 ** len(fraction)
    size = int(whole + fraction) * _UNITS[unit] // scale
    if not 1 <= size <= _LARGEST:
        what = f"{value!r} is out of range"
        raise Invalid(what, hint=_SIZES)
    return size


def _size_meant(text: str) -> str:
    """Say what to write instead of a size without a unit, or with one that could be two."""
    match = re.fullmatch(_NEARLY, text)
    letter = match[2][:1].upper() if match else ""
    if match is None or letter not in {"", "K", "M", "G"}:
        return _SIZES
    ten, two = {"K": ("kB", "KiB"), "G": ("GB", "GiB")}.get(letter, ("MB", "MiB"))
    number = match[1]
    return f"write {number}{ten} ({_UNITS[ten]:,} bytes each) or {number}{two} ({_UNITS[two]:,})"


def write_size(size: int) -> str:
    """Return a size as ``parse_size`` reads it, exactly: ``10MB``, ``4KiB``."""
    unit = max((unit for unit in _UNITS if size % _UNITS[unit] == 0), key=_UNITS.__getitem__)
    return f"{size // _UNITS[unit]}{unit}"


def _count(least: int) -> Callable[[Any], int]:
    instead = f"write a whole number from {least} on"

    def read(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip(), re.ASCII):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            what = f"{value!r} is not a whole number"
            raise Invalid(what, hint=instead)
        if not least <= value <= 2**31:
            what = f"{value} is out of range"
            raise Invalid(what, hint=instead)
        return value

    return read


def _rate(value: Any) -> float:
    instead = "write starts per second, such as 2.5; 0 is no limit"
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value.strip(), re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = f"{value!r} is not a rate"
        raise Invalid(what, hint=instead)
    if not 0 <= value <= 1_000_000:  # NaN fails this too
        what = f"{value} is out of range"
        raise Invalid(what, hint=instead)
    return float(value)


def _duration(value: Any) -> timedelta:
    from flytesched.core.durations import parse_duration  # paths() needs no durations

    if not isinstance(value, str | timedelta):
        what = f"{value!r} is not a duration"
        raise Invalid(what, hint=f'write a unit, such as "{value}s"')
    return parse_duration(value)


def _write_duration(value: timedelta) -> str:
    from flytesched.core.durations import format_duration  # as above

    return format_duration(value)


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        what = f"{value!r} is neither true nor false"
        raise Invalid(what, hint="write true or false")
    return word in _YES


def _path(value: Any) -> Path:
    text = os.fspath(value) if isinstance(value, str | Path) else ""
    if not text or "\0" in text:
        what = f"{value!r} is not a path"
        raise Invalid(what, hint="write the name of a file or folder")
    return Path(text).expanduser() if text.startswith("~") else Path(text)


def _zone(value: Any) -> str:
    if isinstance(value, str) and _is_zone(value):
        return value
    what = f"{value!r} is not a time zone"
    raise Invalid(what, hint=_zone_meant(value) or "write an IANA name such as Europe/Berlin")


def _zone_meant(value: object) -> str | None:
    """Say which zone may have been meant."""
    from flytesched.core.timetables.zones import tz  # only for a fault

    try:
        tz(str(value))
    except Invalid as error:
        return error.hint
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    #: What people write under ``[settings]``.
    name: str
    #: Turns a raw value, or its text, into the kept one; raises Invalid.
    read: Callable[[Any], Any]
    #: Raw value when nobody says anything; None where ``resolve`` works it out.
    default: Any
    #: One sentence for help and man page.
    help: str
    #: Placeholder of the value.
    metavar: str
    #: Turns the kept value into one that JSON and TOML can hold.
    write: Callable[[Any], Any] = lambda value: value
    #: Whether it may stand in the manifest.
    in_manifest: bool = True

    @property
    def option(self) -> str:
        """The command-line option that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "FLYTESCHED_" + self.name.upper()


_TABLE = (
    Setting(
        name="manifest", read=_path, write=str, default=None, metavar="FILE", in_manifest=False,
        help="The manifest; /etc/flytesched/schedules.toml for root, else in the config folder.",
    ),
    Setting(
        name="state_dir", read=_path, write=str, default=None, metavar="DIR", in_manifest=False,
        help="Folder of run log and logs; /var/lib/flytesched for root, else in the state folder.",
    ),
    Setting(
        name="timezone", read=_zone, default=None, metavar="ZONE", in_manifest=False,
        help="Zone of schedules where neither they nor [defaults] name one; else the system's.",
    ),
    Setting(
        name="max_concurrent_runs", read=_count(0), default=0, metavar="N",
        help="Runs claimed and running at once, of every origin; 0 is no limit.",
    ),
    Setting(
        name="start_rate", read=_rate, default=0.0, metavar="RATE",
        help="Catch-up and backfill starts per second; 0 is no limit.",
    ),
    Setting(
        name="start_burst", read=_count(1), default=1, metavar="N",
        help="Starts that may come at once under start_rate.",
    ),
    Setting(
        name="missed_after", read=_duration, write=_write_duration, default="10s",
        metavar="DURATION",
        help="A slot decided later than this is missed.",
    ),
    Setting(
        name="shutdown_grace", read=_duration, write=_write_duration, default="0s",
        metavar="DURATION",
        help="How long a stop waits for what runs before leaving it to be adopted.",
    ),
    Setting(
        name="keep_runs", read=_duration, write=_write_duration, default="365d",
        metavar="DURATION",
        help="How long verdicts are kept.",
    ),
    Setting(
        name="keep_logs", read=_duration, write=_write_duration, default="30d",
        metavar="DURATION",
        help="How long the output of commands is kept.",
    ),
    Setting(
        name="log_limit", read=parse_size, write=write_size, default="10MB", metavar="SIZE",
        help="Output kept per attempt, head and tail; the command is never stopped for it.",
    ),
    Setting(
        name="persist", read=_switch, default=True, metavar="true|false", in_manifest=False,
        help="Whether the run log outlives the process; false ends commands with the scheduler.",
    ),
)  # fmt: skip

#: Every setting by name, in the order they are shown.
SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force."""

    #: The manifest.
    manifest: Path
    #: Folder of run log, logs and locks.
    state_dir: Path
    #: IANA zone of schedules that name none.
    timezone: str
    #: Runs claimed and running at once; 0 is no limit.
    max_concurrent_runs: int
    #: Catch-up and backfill starts per second; 0.0 is no limit.
    start_rate: float
    #: Starts that may come at once under ``start_rate``.
    start_burst: int
    #: A slot decided later than this is missed.
    missed_after: timedelta
    #: How long a stop waits for what runs.
    shutdown_grace: timedelta
    #: How long verdicts are kept.
    keep_runs: timedelta
    #: How long output is kept.
    keep_logs: timedelta
    #: Bytes of output kept per attempt.
    log_limit: int
    #: Whether the run log outlives the process.
    persist: bool
    #: Where each value comes from: ``flag --state-dir``, ``environment FLYTESCHED_STATE_DIR``,
    #: ``manifest``, ``default``; for the time zone also ``system (/etc/localtime)`` and its kind.
    origins: Mapping[str, str] = field(default_factory=dict)


def check(table: Mapping[str, Any]) -> list[Fault]:
    """Return every fault of a manifest's ``[settings]`` table, without line numbers."""
    faults = []
    for key, raw in table.items():
        setting = SETTINGS.get(key)
        try:
            if setting is None or not setting.in_manifest:
                raise _no_setting(key)
            setting.read(_as_written(raw))
        except Invalid as error:
            fault = Fault(key=key, what=error.message, instead=error.hint, table=("settings",))
            faults.append(fault)
    return faults


def paths(
    environ: Mapping[str, str], flags: Mapping[str, Any], *, uid: int | None = None
) -> tuple[Path, Path, dict[str, str]]:
    """Return manifest, state directory and the origin of both.

    Args:
        environ: the environment to look variables up in.
        flags: options by setting name; None stands for one not given.
        uid: whose files; the effective user's if not given.

    Raises:
        UsageError: an option or variable is wrong, or there is no home directory.
    """
    origins: dict[str, str] = {}
    found = []
    for name in ("manifest", "state_dir"):
        value, origins[name] = _outside(SETTINGS[name], environ, flags)
        if value is None:
            value = _default_path(name, environ, os.geteuid() if uid is None else uid)
        found.append(Path(os.path.abspath(value)))  # noqa: PTH100  Path.resolve follows links
    return found[0], found[1], origins


def resolve(
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    table: Mapping[str, Any],
    *,
    uid: int | None = None,
    etc: Path = Path("/etc"),
) -> Settings:
    """Return what is in force, and where each value comes from.

    Args:
        environ: the environment.
        flags: options by setting name; None stands for one not given.
        table: ``[settings]`` of the manifest.
        uid: whose files; the effective user's if not given.
        etc: folder of ``localtime`` and ``timezone``.

    Raises:
        UsageError: an option or variable is wrong.
        InvalidManifest: ``table`` is wrong.
    """
    manifest, state_dir, origins = paths(environ, flags, uid=uid)
    if faults := check(table):
        raise InvalidManifest(str(manifest), faults)
    values: dict[str, Any] = {"manifest": manifest, "state_dir": state_dir}
    for name, setting in SETTINGS.items():
        if name not in values:
            values[name], origins[name] = _value(setting, environ, flags, table)
    if values["timezone"] is None:
        values["timezone"], origins["timezone"] = system_timezone(environ, etc)
    return Settings(**values, origins=origins)


def default_timezone(environ: Mapping[str, str], *, etc: Path = Path("/etc")) -> str:
    """Return the zone of schedules that name none: FLYTESCHED_TIMEZONE, else the system's.

    Raises:
        UsageError: FLYTESCHED_TIMEZONE names no zone.
    """
    value, _ = _outside(SETTINGS["timezone"], environ, {})
    return value if value is not None else system_timezone(environ, etc)[0]


def system_timezone(environ: Mapping[str, str], etc: Path = Path("/etc")) -> tuple[str, str]:
    """Return the machine's IANA zone and what said so; UTC where nothing does.

    TZ counts first, as it does for the C library (tzset(3)), then the link /etc/localtime
    (localtime(5)), then Debian's /etc/timezone.
    """
    for origin, name in (
        ("environment TZ", environ.get("TZ", "").removeprefix(":")),
        ("system /etc/localtime", _linked_zone(etc / "localtime")),
        ("system /etc/timezone", _first_line(etc / "timezone")),
    ):
        if name and _is_zone(name := _without_root(name)):
            return name, origin
    return "UTC", "default"


def _value(
    setting: Setting,
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    table: Mapping[str, Any],
) -> tuple[Any, str]:
    value, origin = _outside(setting, environ, flags)
    if origin != "default":
        return value, origin
    if setting.in_manifest and setting.name in table:
        return setting.read(table[setting.name]), "manifest"
    return (None if setting.default is None else setting.read(setting.default)), "default"


def _outside(
    setting: Setting, environ: Mapping[str, str], flags: Mapping[str, Any]
) -> tuple[Any, str]:
    """Return the value an option or variable gives; None and ``default`` if there is none."""
    if (raw := flags.get(setting.name)) is not None:
        return _read(setting, raw, setting.option), f"flag {setting.option}"
    # An empty variable counts as unset, as everywhere in the XDG specification.
    if raw := environ.get(setting.variable):
        return _read(setting, raw, setting.variable), f"environment {setting.variable}"
    return None, "default"


def _read(setting: Setting, raw: Any, said_by: str) -> Any:
    try:
        return setting.read(raw)
    except Invalid as error:
        what = f"{said_by}: {error.message}"
        raise UsageError(what, hint=error.hint) from None


def _as_written(raw: Any) -> Any:
    """Refuse what is right on a command line but not in TOML: numbers in quotes."""
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?[\d.]+\s*", raw):
        what = f"{raw!r} is a string"
        raise Invalid(what, hint="write a number without quotes, or a unit behind it")
    return raw


def _no_setting(key: str) -> Invalid:
    import difflib  # only for a fault

    if key == "timezone":
        return Invalid("is not a setting of the manifest", hint="write it under [defaults]")
    if key in SETTINGS:
        setting = SETTINGS[key]
        hint = f"it is set by {setting.option} or {setting.variable}"
        return Invalid("is not a setting of the manifest", hint=hint)
    known = [setting.name for setting in _TABLE if setting.in_manifest]
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the settings are {', '.join(known)}"
    return Invalid("is not a setting", hint=hint)


def _default_path(name: str, environ: Mapping[str, str], uid: int) -> Path:
    if uid == 0:
        fixed = {"manifest": "/etc/flytesched/schedules.toml", "state_dir": "/var/lib/flytesched"}
        return Path(fixed[name])
    variable, folder = {
        "manifest": ("XDG_CONFIG_HOME", ".config"), "state_dir": ("XDG_STATE_HOME", ".local/state"),
    }[name]  # fmt: skip
    given = environ.get(variable, "")
    # The XDG specification: a relative path is to be ignored.
    if not given.startswith("/"):
        given = _own_folder(environ, folder, name)
    return Path(given) / "flytesched" / ("schedules.toml" if name == "manifest" else "")


def _own_folder(environ: Mapping[str, str], folder: str, name: str) -> str:
    """Return the user's folder for configuration or state."""
    if (home := environ.get("HOME", "")).startswith("/"):
        return f"{home}/{folder}"
    import platformdirs  # only without HOME: it asks the password database

    found = platformdirs.user_config_dir() if name == "manifest" else platformdirs.user_state_dir()
    if found.startswith("/"):
        return found
    what = "there is no home directory"
    raise UsageError(what, hint="give --manifest and --state-dir")


def _linked_zone(link: Path) -> str:
    """Return the path behind a zone link, as written; the final one where that says nothing."""
    try:
        target = str(link.readlink())
        return target if "zoneinfo/" in target else os.path.realpath(link)
    except OSError:
        return ""


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.readline(200).strip()
    except OSError:
        return ""


def _without_root(name: str) -> str:
    """Turn ``/usr/share/zoneinfo/posix/Europe/Berlin`` into ``Europe/Berlin``."""
    if "zoneinfo/" in name:
        name = name.rpartition("zoneinfo/")[2]
    return name.removeprefix("posix/").removeprefix("right/")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # only where a zone is looked for

    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True
