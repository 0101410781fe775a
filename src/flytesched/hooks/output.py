"""Output: how the log of a run ends, for whom is told of its verdict."""

from __future__ import annotations

import os
import re

#: Bytes that are told.
TAIL = 10_000
#: What moves a cursor, rings or colours, but for line ends and tabs.
_CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tail(path: str | None) -> bytes:
    """Return the last bytes of a log; none if there is no log."""
    if path is None:
        return b""
    try:
        # Whatever else has come to stand there is not waited for.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with open(fd, "rb") as log:
            log.seek(max(0, os.fstat(fd).st_size - TAIL))
            return log.read(TAIL)
    except OSError:
        return b""


def readable(output: bytes) -> str:
    """Return output as text for people: no half a character, nothing that a terminal obeys."""
    while output and output[0] & 0xC0 == 0x80:
        output = output[1:]
    text = output.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text)
