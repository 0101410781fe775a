"""What enable and disable share: whom they mean, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.errors import UsageError
from flytesched.service.selection import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flytesched.cli.call import Call
    from flytesched.manifest.splice import Change


def meant(call: Call, names: Sequence[str] | None, labels: Sequence[str] | None) -> list[str]:
    """Return the schedules that names and labels mean.

    Raises:
        UsageError: neither was given.
        NotFound: they mean none.
    """
    if not names and not labels:
        msg = "no schedule is named"
        raise UsageError(msg, hint="name schedules, or pass --label KEY=VALUE, or '*' for all")
    return list(select(call.site.manifest().schedules, names or (), labels or ()))


def told(call: Call, changes: Sequence[Change], done: str) -> None:
    """Say of each schedule what changed, if anything did."""
    if not changes:
        call.talk("no schedule has this label")
    for change in changes:
        call.line(f"{change.name}: {done if change else f'already {done}'}")
