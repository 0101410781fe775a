"""Make a failing input small enough to be kept and understood."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Type of the exception, and where it was raised.
Failure = tuple[str, str, int | None]


def failure(check: Callable[[bytes], None], data: bytes) -> Failure | None:
    """Return how an input fails; None if it does not."""
    try:
        check(data)
    except Exception as error:  # whatever a bug leads to
        last = traceback.extract_tb(error.__traceback__)[-1]
        return type(error).__name__, last.filename, last.lineno
    return None


def smaller(check: Callable[[bytes], None], data: bytes) -> bytes:
    """Return an input that fails as ``data`` does, and of which no stretch can be left out.

    Raises:
        ValueError: it does not fail.
    """
    wanted = failure(check, data)
    if wanted is None:
        msg = "this input does not fail"
        raise ValueError(msg)
    size = max(1, len(data) // 2)
    while size:
        before, at = len(data), 0
        while at < len(data):
            less = data[:at] + data[at + size :]
            if failure(check, less) == wanted:
                data = less
            else:
                at += size
        size = size // 2 if len(data) == before or size > 1 else size
    return data
