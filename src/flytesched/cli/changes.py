"""What an edit changed, in lines: ``name: key: old -> new``."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flytesched.core.keys import KEYS, unsecret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flytesched.cli.call import Call
    from flytesched.core.spelling import Difference
    from flytesched.manifest.splice import Change
    from flytesched.service.editing import Edited


#: Whether a schedule that does not say so is enabled, before and after; None where nobody knows.
Unsaid = tuple[bool | None, bool | None]


def words(
    name: str,
    found: Iterable[Difference],
    *,
    enabled: Unsaid = (None, None),
    shows: Callable[[str, Any], Any] = unsecret,
) -> Iterator[str]:
    """Yield a line for each key that differs."""
    for one in found:
        was, now = enabled if one.key == "enabled" else (None, None)
        old = shown(one.key, was if one.before is None else one.before, shows)
        new = shown(one.key, now if one.after is None else one.after, shows)
        yield f"{name}: {one.key}: {old} -> {new}"


def told(
    change: Change,
    *,
    enabled: Unsaid = (None, None),
    shows: Callable[[str, Any], Any] = unsecret,
) -> Iterator[str]:
    """Yield a line for each key that a change of one table changes.

    ``shows`` returns what may be shown of a key's value: it may be a secret.
    """
    from flytesched.core.spelling import Difference

    before = change.before or {}
    found = [
        Difference(key=key, before=before.get(key), after=new) for key, new in change.keys().items()
    ]
    return words(change.name, found, enabled=enabled, shows=shows)


def differences(edited: Edited) -> Iterator[str]:
    """Yield a line for each key that an edit of one schedule changed."""
    before = None if edited.before is None else edited.before.enabled
    return told(edited.change, enabled=(before, edited.schedule.enabled))


def shown(key: str, value: Any, shows: Callable[[str, Any], Any] = unsecret) -> str:
    """Return a value of the manifest on one line; None, for one that is not there, too."""
    value = shows(key, value)
    if value is None:
        return "(none)"
    if isinstance(value, dict):
        return ", ".join(f"{inner}={entry}" for inner, entry in value.items())
    if value == []:
        return "[]"
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
