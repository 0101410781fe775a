"""What differs between two definitions: as lines of the manifest, and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.core.keys import unsecret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flytesched.core.spelling import Difference


def lines(found: Sequence[Difference], *, colour: bool) -> str:
    """Return lines of the manifest that go (``-``) and come (``+``), in red and green."""
    paint = render.painter(colour=colour)
    said = [
        paint(render.safe(f"{sign} {_line(one.key, value)}"), tone)
        for one in found
        for sign, value, tone in (("-", one.before, "bad"), ("+", one.after, "good"))
        if value is not None
    ]
    return "".join(f"{line}\n" for line in said)


def shape(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return what differs for JSON."""
    return [
        {
            "key": one.key,
            "before": plain(one.key, one.before),
            "after": plain(one.key, one.after),
        }
        for one in found
    ]


def plain(key: str, value: Any) -> Any:
    """Return a value of the manifest for JSON; of ``env`` the names alone, as a list."""
    said = unsecret(key, value)
    return sorted(said) if key == "env" and isinstance(said, dict) else said


def _line(key: str, value: Any) -> str:
    from flytesched.manifest.toml import assignment

    # Of a calendar it is the whole table: its name is the second part, dots and all.
    return assignment(tuple(key.split(".", 1)), unsecret(key, value))
