"""Configuration: every setting with its value and what says so, and the files in use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched.core.suggestion import suggest
from flytesched.errors import Invalid, UsageError
from flytesched.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flytesched.bootstrap import Site

#: In front of the keys of ``[defaults]``.
_DEFAULTS = "defaults."
#: What begins the name of a variable that is ours.
_OURS = "FLYTESCHED_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A setting, or a key of ``[defaults]``, that is in force."""

    #: Such as ``start_rate`` or ``defaults.timezone``.
    name: str
    #: Its value, as the manifest spells it.
    value: Any
    #: ``flag``, ``environment``, ``manifest``, ``system`` or ``default``.
    origin: str
    #: The option, the variable, ``file:line`` or the file that says so; None for a default.
    where: str | None
    #: One sentence on what it is.
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFile:
    """A file or folder that commands use."""

    #: What it is.
    what: str
    #: Where it is.
    path: Path
    #: Whether it is there.
    there: bool
    #: Where it leads to, if it is a symbolic link.
    leads_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is in force."""

    #: Settings in the order of their table, then what ``[defaults]`` says.
    values: tuple[Value, ...]
    #: Files and folders in use.
    files: tuple[UsedFile, ...]
    #: Variables that look like one of ours, and which they may have been meant to be.
    strays: Mapping[str, str]
    #: Why what the manifest says does not count, if it has faults; none for a missing one.
    error: Invalid | None

    def value(self, name: str) -> Value:
        """Return the setting, or the key of ``[defaults]``, of a name.

        Raises:
            UsageError: there is none; the hint names a near one.
        """
        found = {each.name: each for each in self.values}
        key = name.removeprefix("--").replace("-", "_")
        if key not in found:
            msg = f"there is no setting {name!r}"
            if key.startswith(_DEFAULTS):
                msg = f"[defaults] does not say {key.removeprefix(_DEFAULTS)!r}"
            raise UsageError(msg, hint=suggest(key, list(found)) or "see: flytesched config")
        return found[key]


def configuration(site: Site) -> Configuration:
    """Return what is in force at a site."""
    from flytesched.manifest.disk import NoManifest

    error = site.manifest_error
    model, places = ({}, {}) if error is not None else _written(site)
    return Configuration(
        values=(*_settings(site, places), *_defaults(model, places)),
        files=tuple(_files(site)),
        strays=_strays(site.environ),
        error=None if isinstance(error, NoManifest) else error,
    )


def _settings(site: Site, places: Mapping[tuple[str, ...], str]) -> list[Value]:
    settings, found = site.settings, []
    for name, setting in SETTINGS.items():
        origin, _, where = settings.origins[name].partition(" ")
        said = places.get(("settings", name)) if origin == "manifest" else where or None
        value = setting.write(getattr(settings, name))
        found.append(Value(name=name, value=value, origin=origin, where=said, help=setting.help))
    return found


def _defaults(model: Mapping[str, Any], places: Mapping[tuple[str, ...], str]) -> list[Value]:
    from flytesched.core.keys import KEYS, TIMING_HELP, unsecret

    table = model.get("defaults", {})
    helps = {name: key.help for name, key in KEYS.items()}
    helps |= {name: said for name, (_, said) in TIMING_HELP.items()}
    return [
        Value(
            name=f"{_DEFAULTS}{key}", value=unsecret(key, value), origin="manifest",
            where=places.get(("defaults", key)), help=helps.get(key, ""),
        )
        for key, value in (table.items() if isinstance(table, dict) else ())
    ]  # fmt: skip


def _written(site: Site) -> tuple[Mapping[str, Any], dict[tuple[str, ...], str]]:
    """Return what the manifest means as TOML, and ``file:line`` of its settings and defaults."""
    from flytesched.manifest.disk import load
    from flytesched.manifest.document import document
    from flytesched.manifest.places import Lines

    path = site.settings.manifest
    try:
        text, model = document(load(path)[0], path)
    except Invalid:  # it went away, or broke, since it was read
        return {}, {}
    lines = Lines(text)
    return model, {
        (table, key): f"{path}:{lines.of((table, key)) or 1}"
        for table in ("settings", "defaults")
        for key in model.get(table, {})
    }


def _files(site: Site) -> list[UsedFile]:
    settings = site.settings
    named = {
        "manifest": settings.manifest,
        "state directory": settings.state_dir,
        "run log": site.runs_db,
        "logs": settings.state_dir / "logs",
        "scheduler's lock": settings.state_dir / "scheduler.lock",
    }
    return [
        UsedFile(
            what=what, path=path, there=os.path.lexists(path),
            leads_to=os.path.realpath(path) if path.is_symlink() else None,
        )
        for what, path in named.items()
    ]  # fmt: skip


def _strays(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that nobody reads and that look like one that somebody does."""
    known = {setting.variable for setting in SETTINGS.values()}
    ours = sorted(name for name in environ if name.startswith(_OURS) and name not in known)
    if not ours:
        return {}
    from difflib import get_close_matches  # only a mistake pays for it

    near = {name: get_close_matches(name, known, n=1, cutoff=0.9) for name in ours}
    return {name: found[0] for name, found in near.items() if found}
