"""What enable and disable share: that somebody is meant, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.cli.call import Call
    from flytesched.manifest.splice import Change


def require_some(names: Sequence[str] | None, labels: Sequence[str] | None) -> None:
    """Refuse to mean every schedule by saying nothing.

    Raises:
        UsageError: neither names nor labels were given.
    """
    if not names and not labels:
        msg = "no schedule is named"
        raise UsageError(msg, hint="name schedules, or pass --label KEY=VALUE, or '*' for all")


def told(call: Call, changes: Sequence[Change], done: str) -> None:
    """Say of each schedule what changed, if anything did."""
    if not changes:
        call.talk("no schedule has this label")
    for change in changes:
        call.line(f"{change.name}: {done if change else f'already {done}'}")
