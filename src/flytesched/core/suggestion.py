"""Suggestion: the known word that somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def suggest(word: str, known: Sequence[str]) -> str | None:
    """Return ``did you mean ...?`` for a near miss."""
    near = nearest(word, known)
    return None if near is None else f"did you mean {near!r}?"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that a word nearly is."""
    import difflib  # only a mistake pays for it

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return near[0] if near else None
