"""What differs between two definitions: in words, as lines of the manifest, and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.cli.changes import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flytesched.core.spelling import Difference

#: Stands for the value of a variable, which may be a secret.
_HIDDEN = "..."


def words(name: str, found: Iterable[Difference]) -> list[str]:
    """Return ``name: key: old -> new`` for each key that differs."""
    return [
        f"{name}: {one.key}: {shown(one.key, one.before)} -> {shown(one.key, one.after)}"
        for one in found
    ]


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
            "before": hidden(one.key, one.before),
            "after": hidden(one.key, one.after),
        }
        for one in found
    ]


def hidden(key: str, value: Any) -> Any:
    """Return a value of the manifest; of ``env`` the names alone, as a list."""
    return sorted(value) if key == "env" and isinstance(value, dict) else value


def _line(key: str, value: Any) -> str:
    from flytesched.manifest.toml import assignment

    if key == "env":
        value = dict.fromkeys(value, _HIDDEN)
    return assignment((key,), value)
