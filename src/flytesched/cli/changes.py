"""What an edit changed, in lines: ``name: key: old -> new``."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.cli.call import Call
    from flytesched.core.schedule import Schedule
    from flytesched.service.editing import Edited


def differences(edited: Edited) -> Iterator[str]:
    """Yield a line for each key that differs."""
    change = edited.change
    before = change.before or {}
    for key, new in change.keys().items():
        old = shown(key, before.get(key), edited.before)
        yield f"{change.name}: {key}: {old} -> {shown(key, new, edited.schedule)}"


def shown(key: str, value: Any, schedule: Schedule | None = None) -> str:
    """Return a value of the manifest on one line; None, for one that is not there, too.

    Args:
        key: what it is the value of.
        value: as TOML has it.
        schedule: what it is part of; says whether it is enabled where the key is not there.
    """
    if key == "enabled" and value is None and schedule is not None:
        value = schedule.enabled
    if value is None:
        return "(none)"
    if key == "env" and isinstance(value, dict):
        # Values may be secrets.
        return ", ".join(f"{variable}=..." for variable in value)
    if isinstance(value, dict):
        return ", ".join(f"{inner}={entry}" for inner, entry in value.items())
    if isinstance(value, list):
        words = [str(entry) for entry in value]
        return shlex.join(words) if _is_command(key) else ", ".join(words)
    if isinstance(value, datetime):
        return str(value).replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def finish(call: Call, *, dry_run: bool) -> None:
    """Say behind the last change that it was none, if it was none."""
    if dry_run:
        call.talk("nothing was changed: this was a dry run")


def _is_command(key: str) -> bool:
    return key in KEYS and KEYS[key].metavar == "COMMAND"
