"""Suggestion: the known word that somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def suggest(word: str, known: Sequence[str]) -> str | None:
    """Return ``did you mean ...?`` for a near miss."""
    import difflib  # only a mistake pays for it

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None
